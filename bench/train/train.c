/*
 * train.c
 *	  Samples a second of one training step, for bench/train/run.
 *
 * train DIM WINDOW SECONDS [dropout] [conv]: a network without images, with
 * word vectors of DIM numbers, hidden layers 128 and 64, 23 relations, batches
 * of 32, Adam.  "step" is forward, loss, backward and optimizer on a batch in
 * memory; "rows" is the whole trainer, from encoded rows of 8 to 32 words.
 * With "conv" the network also has the convolutions of option text_encoder, and
 * only the trainer is measured.
 */
#include "../bench.h"

#include <string.h>

#include "base/blas.h"
#include "data/examples.h"
#include "nn/loss.h"
#include "relation/batch.h"
#include "nn/optimizer.h"
#include "relation/train/trainer.h"

#define BATCH 32
#define RELATIONS 23
#define WORDS 5000
#define ROWS 8192
#define MAX_LENGTH 128 /* words of a sentence */

static double
bench_step(size_t dim, size_t window, double seconds, float dropout)
{
	MrenNetShape shape = {.embedding_dim = dim,
						  .n_relations = RELATIONS,
						  .window = window,
						  .n_hidden = 2,
						  .hidden = {128, 64}};
	MrenNetLayout layout;
	MrenBatch batch;
	MrenOptions options;
	MrenOptimizerState optimizer;
	MrenDropout drop = {.input = dropout, .hidden = dropout > 0 ? 0.3f : 0, .random = {{1, 2, 3, 4}}};
	MrenObjective objective = {0};
	MrenOptimizerConfig config;
	MrenRandom random;
	int32_t labels[BATCH];
	float weights[BATCH];
	float *values;
	float *grads;
	double start;
	size_t n = 0;

	mren_net_layout_build(&shape, &layout);
	must(mren_batch_create(&env, &shape, &layout, BATCH, &batch, &err));
	must(mren_allocate_zero(&env, layout.table.size, sizeof(float), &values, &err));
	must(mren_allocate_zero(&env, layout.table.trained_size, sizeof(float), &grads, &err));
	mren_options_init(&options);
	config = mren_options_optimizer(&options, false);
	must(mren_optimizer_create(&env, &config, mren_parameters_trained(&layout.table), &optimizer, &err));
	must(mren_batch_init_weights(&env, &shape, &layout, values, 1, &err));
	for (size_t i = layout.table.trained_size; i < layout.table.size; i++)
		values[i] = 1;
	mren_batch_scale(&batch, values);
	mren_random_seed(&random, 1, 1);
	batch.n = BATCH;
	for (size_t i = 0; i < BATCH; i++)
	{
		batch.has_unknown[i] = batch.vectors[MREN_VECTOR_IMAGE].has[i] = batch.vectors[MREN_VECTOR_AUDIO].has[i] = false;
		labels[i] = (int32_t) mren_random_below(&random, RELATIONS);
		weights[i] = 1;
		for (size_t j = 0; j < batch.pool_dim; j++)
			batch.text[i * batch.pool_dim + j] = mren_random_normal(&random);
	}
	objective = mren_options_objective(&options, -1);
	fprintf(stderr, "%zu inputs, %zu parameters\n", batch.dim, layout.table.n_parameters);
	for (start = now(); now() - start < seconds; n += BATCH)
	{
		mren_batch_forward(&batch, values, dropout > 0 ? &drop : NULL);
		mren_loss(&objective,
				  &(MrenLabelledRows){batch.logits, labels, weights, BATCH, RELATIONS},
				  1.0f / BATCH, batch.dlogits);
		mren_batch_backward(&batch, values, grads);
		must(mren_optimizer_step(&env, mren_parameters_trained(&layout.table), &optimizer, values, grads, &err));
	}
	return (double) n / (now() - start);
}

/*
 * Number of words of each sentence: the numbers in the file named by LENGTHS,
 * repeated; without it 8 to 32, 20 on average.
 */
static void
read_lengths(uint32_t *lengths)
{
	const char *path = getenv("LENGTHS");
	FILE *in = path != NULL ? fopen(path, "r") : NULL;
	uint32_t n = 0;

	for (uint32_t i = 0; i < ROWS; i++)
	{
		lengths[i] = 8 + i * 7 % 25;
		if (in != NULL && fscanf(in, "%u", &lengths[i]) == 1)
			n = i + 1;
		else if (n > 0)
			lengths[i] = lengths[i - n];
		lengths[i] = lengths[i] < 8 ? 8 : lengths[i] > MAX_LENGTH ? MAX_LENGTH : lengths[i];
	}
	if (in != NULL)
		fclose(in);
}

/* One word of each sentence is unknown; two mentions. */
static void
add_rows(MrenExamples *examples)
{
	static uint32_t lengths[ROWS];
	MrenRandom random;

	read_lengths(lengths);
	mren_random_seed(&random, 7, 0);
	for (uint32_t i = 0; i < ROWS; i++)
	{
		int32_t pieces[MAX_LENGTH];
		uint32_t starts[MAX_LENGTH + 1];
		uint32_t n = lengths[i];
		char relation[8];
		MrenExample example = {.weight = 1, .group = i};

		for (uint32_t w = 0; w < n; w++)
		{
			pieces[w] = (int32_t) mren_random_below(&random, WORDS);
			starts[w] = w;
		}
		pieces[3] = -5;
		starts[n] = n;
		snprintf(relation, sizeof(relation), "r%d", (int) mren_random_below(&random, RELATIONS));
		example.sentence =
			(MrenSentence){n, n, pieces, starts, {n / 4, n / 4 + 1}, {3 * n / 4, 3 * n / 4 + 2}};
		example.relation = (MrenTextSpan){relation, (uint32_t) strlen(relation)};
		must(mren_examples_append(examples, &example, NULL, &err));
	}
}

static double
bench_rows(size_t dim, size_t window, double seconds, float dropout, bool conv)
{
	static const uint8_t sha256[32] = {0};
	MrenExamplesHead head = {.options = "", .dim = dim};
	MrenTrainerInputs inputs = {.embeddings_sha256 = sha256};
	MrenVectorTable *table;
	MrenExamples *examples;
	MrenTrainer *trainer;
	MrenOptions options;
	MrenProgress progress;
	MrenRandom random;
	int32_t ids[WORDS];
	double start = 0;
	size_t n = 0;

	must(mren_examples_create(&env, &head, &examples, &err));
	add_rows(examples);
	for (int32_t i = 0; i < WORDS; i++)
		ids[i] = i;
	must(mren_vector_table_create(&env, ids, WORDS, dim, &table, &err));
	mren_random_seed(&random, 8, 0);
	for (size_t i = 0; i < WORDS; i++)
	{
		for (size_t j = 0; j < dim; j++)
			mren_vector_table_row(table, i)[j] = mren_random_normal(&random);
	}
	mren_vector_table_vectors(table, &inputs.vectors);
	must(mren_examples_source(examples, &inputs.source, &err));
	mren_options_init(&options);
	options.window = window;
	options.common.dropout = (double) dropout;
	options.common.hidden_dropout = dropout > 0 ? 0.3 : 0;
	options.text_encoder = conv ? MREN_TEXT_CONV : MREN_TEXT_POOL;
	options.common.word_dropout = conv && dropout > 0 ? options.common.word_dropout : 0;
	options.common.validation_share = 0;
	options.common.epochs = 10000;
	must(mren_trainer_create(&env, &options, &inputs, &trainer, &err));
	do
	{
		must(mren_trainer_step(trainer, &progress, &err));
		if (progress.event == MREN_TRAIN_SCAN)
			start = now();
		else
			n += BATCH;
	} while (now() - start < seconds);
	return (double) n / (now() - start);
}

int
main(int argc, char **argv)
{
	size_t dim;
	size_t window;
	double seconds;
	float dropout;
	bool conv;

	if (argc < 4)
	{
		fprintf(stderr, "usage: train DIM WINDOW SECONDS [dropout] [conv]\n");
		return 1;
	}
	dim = (size_t) atoi(argv[1]);
	window = (size_t) atoi(argv[2]);
	seconds = atof(argv[3]);
	dropout = argc > 4 && strcmp(argv[4], "dropout") == 0 ? 0.5f : 0;
	conv = argc > 4 && strcmp(argv[argc - 1], "conv") == 0;
	if (!conv)
		printf("step %.0f\n", bench_step(dim, window, seconds, dropout));
	printf("rows %.0f\n", bench_rows(dim, window, seconds, dropout, conv));
	return 0;
}
