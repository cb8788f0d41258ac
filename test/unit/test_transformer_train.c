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

/* Three sentences; two groups of two markers stand after the first, one after the last. */
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
		weights[i] = (float) (state >> 8) / (float) (1 << 23) - 1;
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
					merged[at + j] +=
						(double) tuning->alpha / (double) tuning->rank * a[r * columns] * b[r];
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
	if (worst > 1e-4 * most + 1e-6)
		print_message("%s: off by %g, greatest gradient %g\n", item->name, worst, most);
	assert_true(worst <= 1e-4 * most + 1e-6);
	/* What all keys of a query share does not change its softmax. */
	assert_true(most > 1e-3 || strstr(item->name, "key.bias") != NULL);
}

/* Some of a text, of a group, and of a group of one; none of the last sentence's text. */
static const bool some[TOKENS] = {false, true,	false, true, true,	true,  false, true,
								  true,	 false, false, true, false, false, true};

static void
check_gradients(const MrenTransformerConfig *config, const MrenTransformerTuning *tuning,
				bool dropout, const bool *read)
{
	TestEnv test;
	MrenError err;
	static Check check;
	MrenTransformerTrainer *trainer;
	MrenTransformerBatch batch = make_batch(config);
	float out[TOKENS * WIDTH];
	float dout[TOKENS * WIDTH];
	Rows expected;

	batch.read = read;
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

		check_gradients(&config, &tuning, true, NULL);
		check_gradients(&config, &tuning, true, some);
	}
}

static void
test_last_layers(void **state)
{
	(void) state;
	for (int which = 0; which < 3; which++)
	{
		MrenTransformerConfig config = variant(which);
		MrenTransformerTuning tuning = make_tuning(&config, MREN_TUNING_LAST);

		check_gradients(&config, &tuning, true, which == 1 ? some : NULL);
	}
}

static void
test_adapters(void **state)
{
	(void) state;
	for (int which = 0; which < 6; which++)
	{
		MrenTransformerConfig config = variant(which);
		MrenTransformerTuning tuning = make_tuning(&config, MREN_TUNING_ADAPTERS);

		check_gradients(&config, &tuning, which % 2 == 0, which < 3 ? some : NULL);
	}
}

/* Forward and backward of one batch, from zero gradients. */
static void
run_pass(MrenTransformerTrainer *trainer, const MrenTransformerBatch *batch,
		 const MrenTransformerStep *step, float *out)
{
	float dout[TOKENS * WIDTH];
	MrenError err;

	for (size_t i = 0; i < TOKENS * WIDTH; i++)
		dout[i] = slope(i);
	assert_int_equal(mren_transformer_trainer_clear(trainer, &err), MREN_OK);
	assert_int_equal(mren_transformer_trainer_forward(trainer, batch, step, out, &err), MREN_OK);
	assert_int_equal(mren_transformer_trainer_backward(trainer, dout, &err), MREN_OK);
}

/* The same bits again, with activations computed again, and from the frozen part's output. */
static void
check_same_bits(const bool *read)
{
	static const MrenTransformerTuningKind kinds[] = {MREN_TUNING_ALL, MREN_TUNING_LAST,
													  MREN_TUNING_ADAPTERS};

	for (int which = 0; which < 3 * N_VARIANTS; which++)
	{
		TestEnv test;
		MrenError err;
		MrenTransformerConfig config = variant(which / 3);
		MrenTransformerTuning tuning = make_tuning(&config, kinds[which % 3]);
		MrenTransformerBatch batch = make_batch(&config);
		MrenTransformerStep step = {NULL, true, 5};
		MrenTransformerTrainer *trainer;
		MrenTransformerTrainer *frugal;
		size_t size;
		float weights[MAX_PARAMETERS];
		float out[TOKENS * WIDTH];
		float again[TOKENS * WIDTH];
		float frozen[TOKENS * WIDTH];

		batch.read = read;
		test_env_init(&test);
		make_weights(&config, weights);
		trainer = make_trainer(&test.env, &config, &tuning, weights);
		tuning.activations = 1;
		frugal = make_trainer(&test.env, &config, &tuning, weights);
		size = mren_transformer_trainer_parameters(trainer).size * sizeof(float);
		run_pass(trainer, &batch, &step, out);
		run_pass(frugal, &batch, &step, again);
		assert_memory_equal(out, again, sizeof(out));
		assert_memory_equal(mren_transformer_trainer_gradients(trainer),
							mren_transformer_trainer_gradients(frugal), size);
		assert_int_equal(mren_transformer_trainer_frozen(frugal, &batch, frozen, &err), MREN_OK);
		step.frozen = kinds[which % 3] == MREN_TUNING_ALL ? NULL : frozen;
		run_pass(frugal, &batch, &step, again);
		assert_memory_equal(out, again, sizeof(out));
		assert_memory_equal(mren_transformer_trainer_gradients(trainer),
							mren_transformer_trainer_gradients(frugal), size);
		/* Another seed, other masks. */
		step.seed++;
		run_pass(frugal, &batch, &step, again);
		assert_memory_not_equal(out, again, sizeof(out));
		mren_transformer_trainer_free(trainer);
		mren_transformer_trainer_free(frugal);
		assert_int_equal(test.n_live, 0);
	}
}

static void
test_same_bits(void **state)
{
	(void) state;
	check_same_bits(NULL);
	check_same_bits(some);
}

/* Without dropout the vectors are those of prediction with the merged weights. */
static void
check_merged(const MrenTransformerConfig *config, MrenTransformerTuningKind kind, const bool *read)
{
	TestEnv test;
	MrenError err;
	MrenTransformerTuning tuning = make_tuning(config, kind);
	MrenTransformerBatch batch = make_batch(config);
	MrenTransformerStep step = {NULL, false, 0};
	MrenTransformerTrainer *trainer;
	MrenTransformer *encoder;
	MrenTensorView views[128];
	size_t n = 0;
	float weights[MAX_PARAMETERS];
	float merged[MAX_PARAMETERS];
	float out[TOKENS * WIDTH];
	float expected[TOKENS * WIDTH];

	batch.read = read;
	test_env_init(&test);
	make_weights(config, weights);
	trainer = make_trainer(&test.env, config, &tuning, weights);
	for (size_t i = 0; i < mren_transformer_trainer_parameters(trainer).size; i++)
		mren_transformer_trainer_values(trainer)[i] *= 1.25f;
	while (mren_transformer_trainer_tensor(trainer, n, &views[n]))
		n++;
	assert_int_equal(mren_transformer_trainer_forward(trainer, &batch, &step, out, &err), MREN_OK);
	memcpy(merged, weights, mren_transformer_parameters(config) * sizeof(float));
	assert_int_equal(
		mren_transformer_tuning_merge(&test.env, config, &tuning, views, n, merged, &err), MREN_OK);
	assert_int_equal(mren_transformer_create(&test.env, config, merged, &encoder, &err), MREN_OK);
	assert_int_equal(mren_transformer_forward(&test.env, encoder, &batch, expected, &err), MREN_OK);
	for (size_t i = 0; i < TOKENS * WIDTH; i++)
		assert_true(fabsf(out[i] - expected[i]) < 1e-4f);
	mren_transformer_free(&test.env, encoder);
	mren_transformer_trainer_free(trainer);
	assert_int_equal(test.n_live, 0);
}

static void
test_merged(void **state)
{
	static const MrenTransformerTuningKind kinds[] = {MREN_TUNING_FROZEN, MREN_TUNING_ALL,
													  MREN_TUNING_LAST, MREN_TUNING_ADAPTERS};

	(void) state;
	for (int which = 0; which < 4 * N_VARIANTS; which++)
	{
		MrenTransformerConfig config = variant(which / 4);

		check_merged(&config, kinds[which % 4], NULL);
		check_merged(&config, kinds[which % 4], some);
	}
}

/* Gradients of two batches add up. */
static void
test_sums(void **state)
{
	TestEnv test;
	MrenError err;
	MrenTransformerTuning tuning = make_tuning(&bert, MREN_TUNING_ALL);
	MrenTransformerBatch batch = make_batch(&bert);
	MrenTransformerBatch part = {sentences, 1, ids, positions, types, 8};
	MrenTransformerStep step = {NULL, false, 0};
	MrenTransformerTrainer *trainer;
	MrenParameterList list;
	float *gradients;
	float dout[TOKENS * WIDTH];
	float out[TOKENS * WIDTH];
	float kept[MAX_PARAMETERS];
	float weights[MAX_PARAMETERS];

	(void) state;
	test_env_init(&test);
	make_weights(&bert, weights);
	trainer = make_trainer(&test.env, &bert, &tuning, weights);
	list = mren_transformer_trainer_parameters(trainer);
	gradients = mren_transformer_trainer_gradients(trainer);
	run_pass(trainer, &batch, &step, out);
	memcpy(kept, gradients, list.size * sizeof(float));
	for (size_t i = 0; i < TOKENS * WIDTH; i++)
		dout[i] = slope(i);
	assert_int_equal(mren_transformer_trainer_clear(trainer, &err), MREN_OK);
	assert_int_equal(mren_transformer_trainer_forward(trainer, &part, &step, out, &err), MREN_OK);
	assert_int_equal(mren_transformer_trainer_backward(trainer, dout, &err), MREN_OK);
	part = (MrenTransformerBatch){sentences + 1, 2, ids + 8, positions + 8, types + 8, TOKENS - 8};
	assert_int_equal(mren_transformer_trainer_forward(trainer, &part, &step, out, &err), MREN_OK);
	assert_int_equal(mren_transformer_trainer_backward(trainer, dout + 8 * WIDTH, &err), MREN_OK);
	for (size_t i = 0; i < list.size; i++)
		assert_true(fabsf(kept[i] - gradients[i]) <= 1e-4f * (1 + fabsf(kept[i])));
	mren_transformer_trainer_free(trainer);
	assert_int_equal(test.n_live, 0);
}

/* Names, decay, saving and loading, and the memory that was foretold. */
static void
test_tensors(void **state)
{
	TestEnv test;
	MrenError err;
	MrenTransformerConfig config = variant(1);
	MrenTransformerTuning tuning = make_tuning(&config, MREN_TUNING_ALL);
	MrenTransformerTrainer *trainer;
	MrenParameterList list;
	MrenTensorView view;
	float weights[MAX_PARAMETERS];

	(void) state;
	test_env_init(&test);
	make_weights(&config, weights);
	trainer = make_trainer(&test.env, &config, &tuning, weights);
	list = mren_transformer_trainer_parameters(trainer);
	for (size_t i = 0; i < list.n; i++)
	{
		const char *name = list.items[i].name;
		bool vector = strstr(name, "bias") != NULL || strstr(name, "norm") != NULL;

		assert_true(list.items[i].decay == (vector ? 0.0f : 1.0f));
	}
	mren_transformer_trainer_free(trainer);
	tuning = make_tuning(&config, MREN_TUNING_LAST);
	trainer = make_trainer(&test.env, &config, &tuning, weights);
	list = mren_transformer_trainer_parameters(trainer);
	assert_int_equal(list.n, 16);
	assert_string_equal(list.items[0].name, "layer.1.attention.query.weight");
	mren_transformer_trainer_free(trainer);
	tuning = make_tuning(&config, MREN_TUNING_ADAPTERS);
	trainer = make_trainer(&test.env, &config, &tuning, weights);
	list = mren_transformer_trainer_parameters(trainer);
	assert_int_equal(list.n, 2 * 2 * 6);
	assert_string_equal(list.items[23].name, "layer.1.output.lora_b");
	assert_int_equal(list.items[23].rows, WIDTH);
	assert_int_equal(list.items[23].cols, 3);
	assert_string_equal(list.items[22].name, "layer.1.output.lora_a");
	assert_int_equal(list.items[22].rows, 3);
	assert_int_equal(list.items[22].cols, 12);
	view = (MrenTensorView){"layer.1.output.lora_b", WIDTH, 3, weights};
	assert_int_equal(mren_transformer_trainer_set(trainer, &view, &err), MREN_OK);
	assert_true(mren_transformer_trainer_tensor(trainer, 23, &view));
	assert_memory_equal(view.data, weights, WIDTH * 3 * sizeof(float));
	assert_false(mren_transformer_trainer_tensor(trainer, 24, &view));
	view.cols = 4;
	assert_int_equal(mren_transformer_trainer_set(trainer, &view, &err), MREN_EFORMAT);
	assert_string_equal(err.message, "no tensor \"layer.1.output.lora_b\" (8, 4) is trained");
	mren_transformer_trainer_free(trainer);
	assert_int_equal(test.n_live, 0);
}

static void
test_memory(void **state)
{
	(void) state;
	for (int which = 0; which < 4 * N_VARIANTS; which++)
	{
		TestEnv test;
		MrenTransformerConfig config = variant(which / 4);
		MrenTransformerTuning tuning =
			make_tuning(&config, which % 2 == 0 ? MREN_TUNING_ALL : MREN_TUNING_ADAPTERS);
		MrenTransformerBatch batch = make_batch(&config);
		MrenTransformerStep step = {NULL, true, 0};
		MrenTransformerTrainer *trainer;
		bool recompute = which % 4 >= 2;
		size_t fixed = mren_transformer_trainer_memory(&config, &tuning);
		size_t of_batch =
			mren_transformer_trainer_batch_memory(&config, &tuning, sentences, 3, recompute);
		float weights[MAX_PARAMETERS];
		float out[TOKENS * WIDTH];

		test_env_init(&test);
		tuning.activations = recompute ? 1 : 0;
		make_weights(&config, weights);
		trainer = make_trainer(&test.env, &config, &tuning, weights);
		assert_true(test.live_bytes <= fixed && test.live_bytes >= fixed / 2);
		run_pass(trainer, &batch, &step, out);
		assert_true(test.peak_bytes <= fixed + of_batch);
		assert_true(test.peak_bytes >= (fixed + of_batch) / 10 * 9);
		mren_transformer_trainer_free(trainer);
		assert_int_equal(test.n_live, 0);
	}
}

static void
expect_tuning(const MrenTransformerTuning *tuning, const char *message)
{
	TestEnv test;
	MrenError err;
	MrenTransformerTrainer *trainer;
	float weights[MAX_PARAMETERS];

	test_env_init(&test);
	make_weights(&bert, weights);
	assert_int_equal(
		mren_transformer_trainer_create(&test.env, &bert, tuning, weights, &trainer, &err),
		MREN_EPARAM);
	assert_string_equal(err.message, message);
	assert_int_equal(test.n_live, 0);
}

static void
test_bad_tunings(void **state)
{
	MrenTransformerTuning tuning = make_tuning(&bert, MREN_TUNING_LAST);

	(void) state;
	tuning.last_layers = 3;
	expect_tuning(&tuning, "number of trained layers must be from 1 to 2, not 3");
	tuning = make_tuning(&bert, MREN_TUNING_ADAPTERS);
	tuning.rank = 9;
	expect_tuning(&tuning, "rank of adapters must be from 1 to 8, not 9");
	tuning.rank = 8;
	tuning.alpha = -1;
	expect_tuning(&tuning, "alpha of adapters must be positive, not -1");
	tuning = make_tuning(&bert, MREN_TUNING_ALL);
	tuning.hidden_dropout = 1;
	expect_tuning(&tuning, "hidden dropout must be at least 0 and less than 1, not 1");
	tuning.hidden_dropout = 0;
	tuning.attention_dropout = NAN;
	expect_tuning(&tuning, "attention dropout must be at least 0 and less than 1, not nan");
}

static void
test_bad_calls(void **state)
{
	TestEnv test;
	MrenError err;
	MrenTransformerTuning tuning = make_tuning(&bert, MREN_TUNING_ALL);
	MrenTransformerBatch batch = make_batch(&bert);
	float weights[MAX_PARAMETERS];
	float out[TOKENS * WIDTH] = {0};
	MrenTransformerStep step = {out, false, 0};
	MrenTransformerTrainer *trainer;
	MrenTensorView view = {"layer.0.norm.bias", WIDTH, 1, weights};

	(void) state;
	test_env_init(&test);
	make_weights(&bert, weights);
	trainer = make_trainer(&test.env, &bert, &tuning, weights);
	assert_int_equal(mren_transformer_trainer_backward(trainer, out, &err), MREN_EPARAM);
	assert_int_equal(mren_transformer_trainer_forward(trainer, &batch, &step, out, &err),
					 MREN_EPARAM);
	assert_string_equal(err.message, "no part of the encoder is frozen");
	step.frozen = NULL;
	batch.n_tokens--;
	assert_int_equal(mren_transformer_trainer_forward(trainer, &batch, &step, out, &err),
					 MREN_EDATA);
	assert_int_equal(mren_transformer_trainer_backward(trainer, out, &err), MREN_EPARAM);
	tuning = make_tuning(&bert, MREN_TUNING_LAST);
	assert_int_equal(
		mren_transformer_tuning_merge(&test.env, &bert, &tuning, &view, 1, weights, &err),
		MREN_EFORMAT);
	assert_string_equal(err.message, "tensor \"layer.1.attention.query.weight\" (8, 8) is missing");
	tuning = make_tuning(&bert, MREN_TUNING_FROZEN);
	assert_int_equal(
		mren_transformer_tuning_merge(&test.env, &bert, &tuning, &view, 1, weights, &err),
		MREN_EFORMAT);
	assert_string_equal(err.message, "unexpected tensor \"layer.0.norm.bias\"");
	mren_transformer_trainer_free(trainer);
	assert_int_equal(test.n_live, 0);
}

/* A failing or interrupted pass; *arg is the number of a variant and of a tuning. */
static MrenStatus
sweep(const MrenEnv *env, MrenError *err, void *arg)
{
	int which = *(int *) arg;
	MrenTransformerConfig config = variant(which);
	MrenTransformerTuning tuning =
		make_tuning(&config, which == 2 ? MREN_TUNING_ADAPTERS : MREN_TUNING_ALL);
	MrenTransformerBatch batch = make_batch(&config);
	MrenTransformerStep step = {NULL, true, 1};
	MrenTransformerTrainer *trainer;
	MrenParameterList list;
	double sum = 0;
	float weights[MAX_PARAMETERS];
	float out[TOKENS * WIDTH];
	MrenStatus status;

	make_weights(&config, weights);
	MREN_TRY(mren_transformer_trainer_create(env, &config, &tuning, weights, &trainer, err));
	list = mren_transformer_trainer_parameters(trainer);
	status = mren_transformer_trainer_frozen(trainer, &batch, out, err);
	if (status == MREN_OK)
		status = mren_transformer_trainer_forward(trainer, &batch, &step, out, err);
	if (status == MREN_OK)
		status = mren_transformer_trainer_backward(trainer, out, err);
	if (status == MREN_OK)
		status = mren_gradients_square_sum(env, list, mren_transformer_trainer_gradients(trainer),
										   &sum, err);
	if (status == MREN_OK)
		status =
			mren_gradients_scale(env, list, mren_transformer_trainer_gradients(trainer), 0.5f, err);
	if (status == MREN_OK)
		status = mren_transformer_trainer_clear(trainer, err);
	mren_transformer_trainer_free(trainer);
	return status;
}

static void
test_failures(void **state)
{
	(void) state;
	for (int which = 1; which < 4; which++)
	{
		test_allocation_sweep(sweep, &which);
		test_interrupt_sweep(sweep, &which);
	}
}

/* An encoder of some size, so that a pass asks often whether to stop. */
static MrenStatus
run_wide(const MrenEnv *env, MrenError *err, void *arg)
{
	MrenTransformerConfig config = bert;
	MrenTransformerTuning tuning;
	MrenTransformerSentence sentence = {128, 0, 0};
	int32_t pieces[128] = {0};
	uint32_t places[128] = {0};
	MrenTransformerBatch batch = {&sentence, 1, pieces, places, NULL, 128};
	MrenTransformerStep step = {NULL, true, 1};
	MrenTransformerTrainer *trainer;
	float *weights;
	float *out = NULL;
	MrenStatus status;

	config.width = config.embedding_width = 512;
	config.intermediate = 2048;
	config.heads = 8;
	tuning = make_tuning(&config, MREN_TUNING_ADAPTERS);
	MREN_TRY(mren_allocate_zero(env, mren_transformer_parameters(&config), sizeof(float), &weights,
								err));
	status = mren_transformer_trainer_create(env, &config, &tuning, weights, &trainer, err);
	if (status == MREN_OK)
		status = mren_allocate_zero(env, 128 * config.width, sizeof(float), &out, err);
	*(size_t *) arg = ((TestEnv *) env->state)->n_checks;
	if (status == MREN_OK)
		status = mren_transformer_trainer_forward(trainer, &batch, &step, out, err);
	if (status == MREN_OK)
		status = mren_transformer_trainer_backward(trainer, out, err);
	mren_transformer_trainer_free(trainer);
	mren_release(env, out);
	mren_release(env, weights);
	return status;
}

/* 2.3 thousand million multiply-adds ask a few times, and each answer ends the pass. */
static void
test_interrupts(void **state)
{
	TestEnv test;
	MrenError err;
	size_t before;
	size_t after;

	(void) state;
	test_env_init(&test);
	assert_int_equal(run_wide(&test.env, &err, &before), MREN_OK);
	after = test.n_checks;
	assert_true(after >= before + 4);
	for (size_t at = before + 1; at <= after; at++)
	{
		test_env_init(&test);
		test.interrupt_at = at;
		assert_int_equal(run_wide(&test.env, &err, &before), MREN_ECANCELED);
		assert_int_equal(test.n_live, 0);
		assert_true(test.n_checks <= at + 1);
	}
}

/* Steps against the square of the distance to a target make it small. */
static void
test_learns(void **state)
{
	static const MrenTransformerTuningKind kinds[] = {MREN_TUNING_ALL, MREN_TUNING_LAST,
													  MREN_TUNING_ADAPTERS};

	(void) state;
	for (int which = 0; which < 3; which++)
	{
		TestEnv test;
		MrenError err;
		MrenTransformerTuning tuning = make_tuning(&bert, kinds[which]);
		MrenTransformerBatch batch = make_batch(&bert);
		MrenTransformerStep step = {NULL, false, 0};
		MrenOptimizerConfig adam = {.kind = MREN_OPTIMIZER_ADAM, .learning_rate = 0.02};
		MrenOptimizerState optimizer;
		MrenTransformerTrainer *trainer;
		MrenParameterList list;
		double first = 0;
		double square = 0;
		float weights[MAX_PARAMETERS];
		float out[TOKENS * WIDTH];
		float dout[TOKENS * WIDTH];

		test_env_init(&test);
		make_weights(&bert, weights);
		assert_int_equal(
			mren_transformer_trainer_create(&test.env, &bert, &tuning, weights, &trainer, &err),
			MREN_OK);
		list = mren_transformer_trainer_parameters(trainer);
		assert_int_equal(mren_optimizer_create(&test.env, &adam, list, &optimizer, &err), MREN_OK);
		for (int i = 0; i < 200; i++)
		{
			assert_int_equal(mren_transformer_trainer_forward(trainer, &batch, &step, out, &err),
							 MREN_OK);
			square = 0;
			for (size_t j = 0; j < TOKENS * WIDTH; j++)
			{
				dout[j] = out[j] - slope(j % WIDTH + 8 * (size_t) ids[j / WIDTH]);
				square += (double) (dout[j] * dout[j]);
			}
			first = i == 0 ? square : first;
			assert_int_equal(mren_transformer_trainer_clear(trainer, &err), MREN_OK);
			assert_int_equal(mren_transformer_trainer_backward(trainer, dout, &err), MREN_OK);
			assert_int_equal(mren_optimizer_step(&test.env, list, &optimizer,
												 mren_transformer_trainer_values(trainer),
												 mren_transformer_trainer_gradients(trainer), &err),
							 MREN_OK);
		}
		assert_true(square < 0.35 * first);
		mren_optimizer_free(&test.env, &optimizer);
		mren_transformer_trainer_free(trainer);
		assert_int_equal(test.n_live, 0);
	}
}

static void
test_activations(void **state)
{
	(void) state;
	for (int i = -4000; i <= 4000; i++)
	{
		float x = (float) i / 250 + 0.0003f;
		double tolerance = 1e-6 * (1 + fabs((double) x));
		double step = 1e-4;

		for (int which = 0; which < 3; which++)
		{
			MrenTransformerActivation activation = (MrenTransformerActivation) which;
			float y[2];
			float dy = 1;
			double expected = reference_activate(activation, (double) x);
			double slope_there = (reference_activate(activation, (double) x + step) -
								  reference_activate(activation, (double) x - step)) /
								 (2 * step);

			if (which == 0)
			{
				mren_tuned_gelu(&y[0], &x, 1);
				mren_tuned_gelu_backward(&y[1], &dy, &x, 1);
			}
			else if (which == 1)
			{
				mren_tuned_gelu_tanh(&y[0], &x, 1);
				mren_tuned_gelu_tanh_backward(&y[1], &dy, &x, 1);
			}
			else
			{
				mren_tuned_relu(&y[0], &x, 1);
				mren_tuned_relu_backward(&y[1], &dy, &x, 1);
			}
			assert_true(fabs((double) y[0] - expected) <= tolerance);
			assert_true(y[1] == y[0]);
			assert_true(fabs((double) dy - slope_there) <= 2e-6);
		}
	}
}

/* Softmax over rows of each length, and zeros after them. */
static void
test_softmax(void **state)
{
	(void) state;
	for (size_t n = 1; n <= 40; n++)
	{
		size_t ld = (n + 7) / 8 * 8;
		float scores[2 * 40];
		float p[2 * 40];
		float ds[2 * 40];

		for (size_t i = 0; i < 2 * ld; i++)
		{
			scores[i] = p[i] = i % ld < n ? 9 * slope(i + n) : NAN;
			ds[i] = i % ld < n ? slope(3 * i) : 0;
		}
		mren_tuned_softmax(p, 2, n, ld);
		mren_tuned_softmax_backward(ds, p, 2, ld);
		for (size_t r = 0; r < 2; r++)
		{
			double sum = 0;
			double product = 0;

			for (size_t j = 0; j < n; j++)
				sum += exp((double) scores[r * ld + j]);
			for (size_t j = 0; j < n; j++)
				product +=
					exp((double) scores[r * ld + j]) / sum * (double) slope(3 * (r * ld + j));
			for (size_t j = 0; j < ld; j++)
			{
				double expected = j < n ? exp((double) scores[r * ld + j]) / sum : 0;
				double back = j < n ? expected * ((double) slope(3 * (r * ld + j)) - product) : 0;

				assert_true(fabs((double) p[r * ld + j] - expected) <= 1e-6);
				assert_true(fabs((double) ds[r * ld + j] - back) <= 1e-6);
			}
		}
	}
}

/* Philox against values published with it (Random123, kat_vectors). */
static void
test_philox(void **state)
{
	static const MrenPhiloxCounter counters[] = {
		{{0, 0}, {0, 0, 0, 0}},
		{{0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}},
		{{0xa4093822, 0x299f31d0}, {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}},
	};
	static const uint32_t expected[][4] = {
		{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
		{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
		{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
	};

	(void) state;
	for (size_t i = 0; i < 3; i++)
	{
		MrenPhiloxCounter from = counters[i];
		uint32_t words[4];
		uint32_t many[4 * 19];

		mren_tuned_philox(&from, words, 1);
		assert_memory_equal(words, expected[i], sizeof(words));
		from.word[0] -= 17;
		mren_tuned_philox(&from, many, 19);
		for (size_t w = 0; w < 4; w++)
			assert_int_equal(many[w * 19 + 17], expected[i][w]);
	}
}

/* Masks keep the share that they ought to, and differ by place, layer, item and seed. */
static void
test_dropout(void **state)
{
	static float ones[100003];
	static float masks[6][100003];
	MrenDropoutStream streams[6];
	size_t n = sizeof(ones) / sizeof(ones[0]);

	(void) state;
	for (size_t i = 0; i < n; i++)
		ones[i] = 1;
	for (size_t s = 0; s < 6; s++)
		streams[s] = (MrenDropoutStream){1, 0, 0, 0, 0.25f};
	streams[1].seed = 2;
	streams[2].seed = UINT64_C(1) << 32 | 1;
	streams[3].layer = 1;
	streams[4].place = 1;
	streams[5].item = 1;
	for (size_t s = 0; s < 6; s++)
	{
		size_t dropped = 0;
		size_t both = 0;

		mren_tuned_dropout(&streams[s], masks[s], ones, n);
		for (size_t i = 0; i < n; i++)
		{
			assert_true(masks[s][i] == 0 || fabsf(masks[s][i] - 4.0f / 3) < 1e-5f);
			dropped += masks[s][i] == 0;
			both += masks[s][i] == 0 && masks[0][i] == 0;
		}
		/* Five standard deviations of a binomial distribution. */
		assert_true(fabs((double) dropped - 0.25 * (double) n) < 5 * sqrt(0.1875 * (double) n));
		assert_true(s == 0 || fabs((double) both - 0.0625 * (double) n) <
								  5 * sqrt(0.0625 * 0.9375 * (double) n));
	}
}

/* The norm of two lists is that of their numbers; the padding between tensors does not count. */
static void
test_clipping(void **state)
{
	TestEnv test;
	MrenError err;
	MrenTransformerTuning tuning = make_tuning(&bert, MREN_TUNING_LAST);
	MrenTransformerBatch batch = make_batch(&bert);
	MrenTransformerStep step = {NULL, false, 0};
	MrenTransformerTrainer *trainer;
	MrenParameterTable head = {.n = 0};
	MrenParameterList list;
	double sum = 0;
	double expected = 0;
	float weights[MAX_PARAMETERS];
	float out[TOKENS * WIDTH];
	float of_head[32];
	float *gradients;

	(void) state;
	test_env_init(&test);
	make_weights(&bert, weights);
	trainer = make_trainer(&test.env, &bert, &tuning, weights);
	run_pass(trainer, &batch, &step, out);
	list = mren_transformer_trainer_parameters(trainer);
	gradients = mren_transformer_trainer_gradients(trainer);
	mren_parameters_add(&head, "head", 1, 19, true);
	mren_parameters_end_trained(&head);
	for (size_t i = 0; i < 32; i++)
		of_head[i] = 3;
	for (size_t i = 0; i < list.size; i++)
		expected += (double) gradients[i] * (double) gradients[i];
	expected += 19 * 9;
	assert_int_equal(mren_gradients_square_sum(&test.env, list, gradients, &sum, &err), MREN_OK);
	assert_int_equal(
		mren_gradients_square_sum(&test.env, mren_parameters_trained(&head), of_head, &sum, &err),
		MREN_OK);
	assert_true(fabs(sum - expected) <= 1e-9 * expected);
	assert_int_equal(
		mren_gradients_scale(&test.env, list, gradients, (float) (1 / sqrt(sum)), &err), MREN_OK);
	assert_int_equal(mren_gradients_scale(&test.env, mren_parameters_trained(&head), of_head,
										  (float) (1 / sqrt(sum)), &err),
					 MREN_OK);
	sum = 0;
	assert_int_equal(mren_gradients_square_sum(&test.env, list, gradients, &sum, &err), MREN_OK);
	assert_int_equal(
		mren_gradients_square_sum(&test.env, mren_parameters_trained(&head), of_head, &sum, &err),
		MREN_OK);
	assert_true(fabs(sum - 1) < 1e-5);
	mren_transformer_trainer_free(trainer);
	assert_int_equal(test.n_live, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_activations), cmocka_unit_test(test_softmax),
		cmocka_unit_test(test_philox),		cmocka_unit_test(test_dropout),
		cmocka_unit_test(test_all),			cmocka_unit_test(test_last_layers),
		cmocka_unit_test(test_adapters),	cmocka_unit_test(test_same_bits),
		cmocka_unit_test(test_merged),		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_tensors),		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_bad_tunings), cmocka_unit_test(test_bad_calls),
		cmocka_unit_test(test_failures),	cmocka_unit_test(test_interrupts),
		cmocka_unit_test(test_learns),		cmocka_unit_test(test_clipping),
	};

	return cmocka_run_group_tests_name("fine-tuning of an encoder", tests, NULL, NULL);
}
