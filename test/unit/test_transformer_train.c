/*
 * test_transformer_train.c
 *	  Fine-tuning an encoder: forward and gradients against a plain one in double precision,
 *	  for each kind of layer and of tuning, and what surrounds them.
 */
#include "support.h"

#include "nn/optimizer.h"
#include "transformer/train/train_kernels.h"
#include "transformer_reference.h"

#define WIDTH 8
#define MAX_PARAMETERS 8192
#define TOKENS 15

/* Three sentences; two groups of two markers stand behind the first, one behind the last. */
static const int32_t ids[TOKENS] = {1, 2, 3, 4, 5, 9, 8, 9, 7, 6, 5, 4, 3, 3, 8};
static const uint32_t positions[TOKENS] = {0, 1, 2, 3, 1, 2, 0, 3, 0, 1, 2, 3, 4, 0, 0};
static const uint8_t types[TOKENS] = {0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0};
static const MrenTransformerSentence sentences[] = {{4, 2, 2}, {5, 0, 0}, {1, 1, 1}};

static const MrenTransformerConfig bert = {.architecture = MREN_TRANSFORMER_BERT,
										   .layers = 2,
										   .width = WIDTH,
										   .heads = 2,
										   .intermediate = 12,
										   .embedding_width = WIDTH,
										   .vocabulary = 10,
										   .positions = 8,
										   .token_types = 2,
										   .eps = 1e-5f,
										   .absolute_positions = true};

#define N_VARIANTS 7

static MrenTransformerConfig
deberta(void)
{
	MrenTransformerConfig config = bert;

	config.architecture = MREN_TRANSFORMER_DEBERTA;
	config.absolute_positions = false;
	config.positions = 0;
	config.token_types = 0;
	config.relative_buckets = 4;
	config.relative_positions = 16;
	config.relative_norm = config.share_relative_key = true;
	config.content_to_position = config.position_to_content = true;
	return config;
}

static MrenTransformerConfig
variant(int which)
{
	MrenTransformerConfig config = bert;

	switch (which)
	{
		case 1:
			config.architecture = MREN_TRANSFORMER_MPNET;
			config.token_types = 0;
			config.relative_buckets = 8;
			config.position_offset = 2;
			break;
		case 2:
			return deberta();
		case 3:
			config.architecture = MREN_TRANSFORMER_ELECTRA;
			config.embedding_width = 4;
			config.activation = MREN_TRANSFORMER_GELU_TANH;
			break;
		case 4:
			config = deberta();
			config.share_relative_key = config.relative_norm = false;
			config.position_to_content = false;
			config.embedding_width = 4;
			config.absolute_positions = true;
			config.positions = 8;
			config.relative_buckets = 0;
			config.relative_positions = 3;
			break;
		case 5:
			config = deberta();
			config.share_relative_key = false;
			config.layers = 1;
			config.activation = MREN_TRANSFORMER_RELU;
			break;
		case 6:
			config.architecture = MREN_TRANSFORMER_DISTILBERT;
			config.token_types = 0;
			break;
	}
	return config;
}

/* Weights that differ from each other, of moderate size. */
static void
make_weights(const MrenTransformerConfig *config, float *weights)
{
	uint32_t state = 1;
	size_t n = mren_transformer_parameters(config);

	assert_true(n <= MAX_PARAMETERS);
	for (size_t i = 0; i < n; i++)
	{
		state = state * 1664525u + 1013904223u;
		weights[i] = (float) (state >> 8) / (float) (1 << 24) - 0.5f;
	}
}

static MrenTransformerBatch
make_batch(const MrenTransformerConfig *config)
{
	return (MrenTransformerBatch){
		sentences, 3, ids, positions, config->token_types > 0 ? types : NULL, TOKENS};
}

/* The gradient of the loss, which is the sum of its product with the output. */
static float
slope(size_t i)
{
	return (float) ((i * 7919 + 13) % 101) / 50.0f - 1;
}

/* A trainer whose b of adapters is not zero any more. */
static MrenTransformerTrainer *
make_trainer(const MrenEnv *env, const MrenTransformerConfig *config,
			 const MrenTransformerTuning *tuning, const float *weights)
{
	MrenTransformerTrainer *trainer;
	MrenParameterList list;
	MrenError err;

	assert_int_equal(mren_transformer_trainer_create(env, config, tuning, weights, &trainer, &err),
					 MREN_OK);
	list = mren_transformer_trainer_parameters(trainer);
	for (size_t i = 0; i < list.n; i++)
	{
		float *values = mren_transformer_trainer_values(trainer) + list.items[i].at;

		for (size_t j = 0; strstr(list.items[i].name, "lora_b") != NULL &&
						   j < list.items[i].rows * list.items[i].cols;
			 j++)
			values[j] = slope(i + j) / 4;
	}
	return trainer;
}

/* The weights in double precision, as the trained tensors make them. */
static void
merge_double(const MrenTransformerConfig *config, const MrenTransformerTuning *tuning,
			 const MrenParameterList *list, const double *values, const float *weights,
			 double *merged)
{
	MrenTransformerTensor tensor;
	size_t at = 0;

	for (size_t i = 0; mren_transformer_tensor(config, i, &tensor); i++)
	{
		size_t columns = tensor.columns == 0 ? 1 : tensor.columns;
		size_t stem = strlen(tensor.name) - strlen("weight");

		for (size_t j = 0; j < tensor.rows * columns; j++)
			merged[at + j] = (double) weights[at + j];
		for (size_t p = 0; p < list->n; p++)
		{
			const MrenParameter *item = &list->items[p];

			if (strcmp(item->name, tensor.name) == 0)
				memcpy(merged + at, values + item->at, tensor.rows * columns * sizeof(double));
			if (strncmp(item->name, tensor.name, stem) != 0 ||
				strcmp(item->name + stem, "lora_a") != 0)
				continue;
			for (size_t j = 0; j < tensor.rows * columns; j++)
			{
				const double *a = values + item->at + j % columns;
				const double *b = values + item[1].at + j / columns * tuning->rank;

				for (size_t r = 0; r < tuning->rank; r++)
					merged[at + j] += (double) tuning->alpha / (double) tuning->rank *
									  a[r * columns] * b[r];
			}
		}
		at += tensor.rows * columns;
	}
}

/* What a gradient check is of. */
typedef struct Check
{
	MrenTransformerConfig config;
	MrenTransformerTuning tuning;
	MrenTransformerStep step;
	MrenParameterList list;
	float weights[MAX_PARAMETERS];
	double values[MAX_PARAMETERS];
	double merged[MAX_PARAMETERS];
	Reference ref;
} Check;

static double
loss(Check *check, Rows out)
{
	double sum = 0;

	merge_double(&check->config, &check->tuning, &check->list, check->values, check->weights,
				 check->merged);
	reference_forward(&check->ref, out);
	for (size_t i = 0; i < TOKENS * WIDTH; i++)
		sum += (double) slope(i) * out[i / WIDTH][i % WIDTH];
	return sum;
}

/* Compares the gradient of a tensor with differences, each of its numbers. */
static void
check_tensor(Check *check, const MrenParameter *item, const float *gradient)
{
	const double step = 1e-5;
	double most = 0;
	double worst = 0;
	Rows out;

	for (size_t j = 0; j < item->rows * item->cols; j++)
	{
		double *value = &check->values[item->at + j];
		double kept = *value;
		double difference;

		*value = kept + step;
		difference = loss(check, out);
		*value = kept - step;
		difference = (difference - loss(check, out)) / (2 * step);
		*value = kept;
		most = fmax(most, fabs(difference));
		worst = fmax(worst, fabs(difference - (double) gradient[j]));
	}
	if (worst > 2e-5 * (1 + most))
		print_message("%s: off by %g, greatest gradient %g\n", item->name, worst, most);
	assert_true(worst <= 2e-5 * (1 + most));
	/* What all keys share does not change a softmax. */
	assert_true(most > 1e-3 || strstr(item->name, "key.bias") != NULL);
}

static void
check_gradients(const MrenTransformerConfig *config, const MrenTransformerTuning *tuning,
				bool dropout)
{
	TestEnv test;
	MrenError err;
	static Check check;
	MrenTransformerTrainer *trainer;
	MrenTransformerBatch batch = make_batch(config);
	float out[TOKENS * WIDTH];
	float dout[TOKENS * WIDTH];
	Rows expected;

	test_env_init(&test);
	check = (Check){.config = *config, .tuning = *tuning, .step = {NULL, dropout, 77}};
	make_weights(config, check.weights);
	trainer = make_trainer(&test.env, config, tuning, check.weights);
	check.list = mren_transformer_trainer_parameters(trainer);
	assert_true(check.list.size <= MAX_PARAMETERS);
	for (size_t i = 0; i < check.list.size; i++)
		check.values[i] = (double) mren_transformer_trainer_values(trainer)[i];
	check.ref = (Reference){.config = *config,
							.weights = check.merged,
							.batch = batch,
							.dropout = {.seed = 77},
							.hidden_dropout = dropout ? tuning->hidden_dropout : 0,
							.attention_dropout = dropout ? tuning->attention_dropout : 0,
							.first = mren_transformer_tuning_first_layer(config, tuning)};
	reference_names(&check.ref);
	for (size_t i = 0; i < TOKENS * WIDTH; i++)
		dout[i] = slope(i);
	assert_int_equal(mren_transformer_trainer_forward(trainer, &batch, &check.step, out, &err), 0);
	assert_int_equal(mren_transformer_trainer_backward(trainer, dout, &err), MREN_OK);
	loss(&check, expected);
	for (size_t i = 0; i < TOKENS * WIDTH; i++)
		assert_true(fabs((double) out[i] - expected[i / WIDTH][i % WIDTH]) < 1e-5);
	for (size_t i = 0; i < check.list.n; i++)
		check_tensor(&check, &check.list.items[i],
					 mren_transformer_trainer_gradients(trainer) + check.list.items[i].at);
	mren_transformer_trainer_free(trainer);
	assert_int_equal(test.n_live, 0);
}

static MrenTransformerTuning
make_tuning(const MrenTransformerConfig *config, MrenTransformerTuningKind kind)
{
	MrenTransformerTuning tuning;

	mren_transformer_tuning_init(config, &tuning);
	tuning.kind = kind;
	tuning.last_layers = 1;
	tuning.rank = 3;
	tuning.alpha = 6;
	tuning.hidden_dropout = 0.25f;
	tuning.attention_dropout = 0.125f;
	return tuning;
}

static void
test_all(void **state)
{
	(void) state;
	for (int which = 0; which < N_VARIANTS; which++)
	{
		MrenTransformerConfig config = variant(which);
		MrenTransformerTuning tuning = make_tuning(&config, MREN_TUNING_ALL);

		check_gradients(&config, &tuning, false);
		check_gradients(&config, &tuning, true);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
	};

	return cmocka_run_group_tests_name("fine-tuning of an encoder", tests, NULL, NULL);
}
