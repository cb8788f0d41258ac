/*
 * train.c
 *	  Tokens a second of fine-tuning an encoder, for bench/transformer/run.
 *
 * train MODEL TUNING BATCH PIECES MARKERS SECONDS [recompute]: MODEL is minilm, base or
 * deberta, by its sizes, with random weights; TUNING is all, last3, lora16 or frozen; MARKERS is
 * the number of groups of four markers behind each sentence of PIECES pieces, whose vectors are
 * read; with 0 of them, eight of the pieces are.  Prints tokens a second of forward, backward and
 * both, by processor time, and of a step with Adam.
 */
#include "../bench.h"
#include "../encoders.h"

#include <string.h>

#include "base/blas.h"
#include "base/random.h"
#include "nn/optimizer.h"
#include "transformer/train/encoder_trainer.h"

#define GROUP 4
#define READ 8

static MrenTransformerConfig
make_config(const char *model)
{
	MrenTransformerConfig config = bench_base;

	if (strcmp(model, "minilm") == 0)
		return bench_minilm;
	if (strcmp(model, "base") == 0)
		return config;
	config.architecture = MREN_TRANSFORMER_DEBERTA;
	config.absolute_positions = false;
	config.positions = config.token_types = 0;
	config.relative_buckets = 256;
	config.relative_positions = 512;
	config.relative_norm = config.share_relative_key = true;
	config.content_to_position = config.position_to_content = true;
	return config;
}

static MrenTransformerTuning
make_tuning(const MrenTransformerConfig *config, const char *name)
{
	MrenTransformerTuning tuning;

	mren_transformer_tuning_init(config, &tuning);
	if (strncmp(name, "last", 4) == 0)
	{
		tuning.kind = MREN_TUNING_LAST;
		tuning.last_layers = (size_t) atoi(name + 4);
	}
	else if (strncmp(name, "lora", 4) == 0)
	{
		tuning.kind = MREN_TUNING_ADAPTERS;
		tuning.rank = (size_t) atoi(name + 4);
	}
	else if (strcmp(name, "frozen") == 0)
		tuning.kind = MREN_TUNING_FROZEN;
	return tuning;
}

static float *
random_numbers(size_t n, float scale)
{
	MrenRandom random;
	float *numbers;

	must(mren_allocate(&env, n, sizeof(float), &numbers, &err));
	mren_random_seed(&random, 1, 1);
	for (size_t i = 0; i < n; i++)
		numbers[i] = scale * (2 * mren_random_uniform(&random) - 1);
	return numbers;
}

static MrenTransformerBatch
make_batch(size_t n_sentences, size_t pieces, size_t markers)
{
	size_t each = pieces + GROUP * markers;
	MrenTransformerSentence *sentences = calloc(n_sentences, sizeof(*sentences));
	int32_t *ids = calloc(n_sentences * each, sizeof(*ids));
	uint32_t *positions = calloc(n_sentences * each, sizeof(*positions));
	bool *read = calloc(n_sentences * each, sizeof(*read));

	for (size_t s = 0; s < n_sentences; s++)
	{
		sentences[s] = (MrenTransformerSentence){pieces, markers, GROUP};
		for (size_t i = 0; i < each; i++)
		{
			ids[s * each + i] = (int32_t) (1000 + (s * 977 + i * 131) % 20000);
			positions[s * each + i] = (uint32_t) (i < pieces ? i : (i * 7) % pieces);
			read[s * each + i] = markers > 0 ? i >= pieces : i * READ % pieces < READ;
		}
	}
	return (MrenTransformerBatch){
		sentences, n_sentences, ids, positions, NULL, n_sentences * each, read};
}

int
main(int argc, char **argv)
{
	MrenTransformerConfig config;
	MrenTransformerTuning tuning;
	MrenTransformerTrainer *trainer;
	MrenTransformerBatch batch;
	MrenTransformerStep step = {NULL, true, 0};
	MrenOptimizerConfig adam = {.kind = MREN_OPTIMIZER_ADAM, .learning_rate = 1e-6};
	MrenOptimizerState optimizer;
	MrenParameterList list;
	double spent[4] = {0};
	double tokens;
	float *weights;
	float *out;
	float *dout;

	if (argc < 7)
	{
		fprintf(stderr, "usage: train MODEL TUNING BATCH PIECES MARKERS SECONDS [recompute]\n");
		return 1;
	}
	config = make_config(argv[1]);
	tuning = make_tuning(&config, argv[2]);
	tuning.activations = argc > 7;
	batch = make_batch((size_t) atoi(argv[3]), (size_t) atoi(argv[4]), (size_t) atoi(argv[5]));
	weights = random_numbers(mren_transformer_parameters(&config), 0.05f);
	out = random_numbers(batch.n_tokens * config.width, 0);
	dout = random_numbers(batch.n_tokens * config.width, 1);
	must(mren_transformer_trainer_create(&env, &config, &tuning, weights, &trainer, &err));
	list = mren_transformer_trainer_parameters(trainer);
	must(mren_optimizer_create(&env, &adam, list, &optimizer, &err));
	for (step.seed = 0; step.seed < 2 || spent[0] + spent[1] < atof(argv[6]); step.seed++)
	{
		double begin = now();
		double at[4];
		double sum = 0;

		must(mren_transformer_trainer_forward(trainer, &batch, &step, out, &err));
		at[0] = now();
		must(mren_transformer_trainer_backward(trainer, dout, &err));
		at[1] = now();
		must(mren_gradients_square_sum(&env, list, mren_transformer_trainer_gradients(trainer), &sum,
									   &err));
		must(mren_gradients_scale(&env, list, mren_transformer_trainer_gradients(trainer), 0.99f,
								  &err));
		at[2] = now();
		must(mren_optimizer_step(&env, list, &optimizer, mren_transformer_trainer_values(trainer),
								 mren_transformer_trainer_gradients(trainer), &err));
		must(mren_transformer_trainer_clear(trainer, &err));
		at[3] = now();
		for (int i = 0; i < 4 && step.seed > 0; i++)
			spent[i] += at[i] - (i == 0 ? begin : at[i - 1]);
	}
	tokens = (double) (step.seed - 1) * (double) batch.n_tokens;
	printf("%zu tokens a batch: forward %.0f, backward %.0f, both %.0f, with clipping and Adam %.0f "
		   "tokens/s; %.0f MB a batch, %.0f MB trainer\n",
		   batch.n_tokens, tokens / spent[0], tokens / spent[1], tokens / (spent[0] + spent[1]),
		   tokens / (spent[0] + spent[1] + spent[2] + spent[3]),
		   (double) mren_transformer_trainer_batch_memory(&config, &tuning, batch.sentences,
														  batch.n_sentences, argc > 7) /
			   1e6,
		   (double) mren_transformer_trainer_memory(&config, &tuning) / 1e6);
	return 0;
}
