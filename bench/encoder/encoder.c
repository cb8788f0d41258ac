/*
 * encoder.c
 *	  Speed of a text encoder's forward pass, for bench/encoder/run.
 *
 * encoder SHAPE SECONDS: one core, SHAPE as in encoder.h.  A line for a sentence alone of 16, 32
 * and 64 tokens, and for batches of 32 sentences of 32 tokens and of 8 to 56; milliseconds are
 * the medians of processor time.
 */
#include "encoder.h"

#include "transformer/encoder.h"

#define MAX_TOKENS 1024

/* Multiply-adds of the layers, times two. */
static double
operations(const MrenTransformerConfig *config, const MrenTransformerBatch *batch)
{
	double width = (double) config->width;
	double token = 2 * width * (4 * width + 2 * (double) config->intermediate);
	double sum = 0;

	for (size_t s = 0; s < batch->n_sentences; s++)
	{
		double n = (double) batch->sentences[s].n_text;

		sum += n * (token + 4 * n * width);
	}
	return sum * (double) config->layers;
}

static void
measure(const char *name, const MrenTransformer *encoder, const MrenTransformerConfig *config,
		const size_t *lengths, size_t n_sentences, double seconds)
{
	static double times[MAX_RUNS];
	static int32_t ids[MAX_TOKENS];
	static uint32_t positions[MAX_TOKENS];
	static MrenTransformerSentence sentences[MAX_TOKENS];
	MrenTransformerBatch batch = {sentences, n_sentences, ids, positions, NULL, 0};
	float *out;
	double end;
	double middle;
	size_t n = 0;

	for (size_t s = 0; s < n_sentences; s++)
	{
		sentences[s] = (MrenTransformerSentence){lengths[s], 0, 0};
		for (size_t i = 0; i < lengths[s]; i++, batch.n_tokens++)
		{
			ids[batch.n_tokens] = (int32_t) (batch.n_tokens * 29 % config->vocabulary);
			positions[batch.n_tokens] = (uint32_t) i;
		}
	}
	out = bench_allocate(NULL, batch.n_tokens * config->width * sizeof(float));
	must(mren_transformer_forward(&env, encoder, &batch, out, &err));
	for (end = now() + seconds; n < MAX_RUNS && (n < 5 || now() < end); n++)
	{
		double start = now();

		must(mren_transformer_forward(&env, encoder, &batch, out, &err));
		times[n] = now() - start;
	}
	middle = median(times, n);
	printf("%-26s %8.2f ms %8.0f tokens/s %6.1f GFLOP/s\n", name, 1000 * middle,
		   (double) batch.n_tokens / middle, operations(config, &batch) / middle / 1e9);
	free(out);
}

static void
measure_all(const MrenTransformer *encoder, const MrenTransformerConfig *config, double seconds)
{
	static const size_t alone[] = {16, 32, 64};
	size_t lengths[32];

	for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++)
	{
		char name[32];

		snprintf(name, sizeof(name), "1 sentence of %zu", alone[i]);
		measure(name, encoder, config, &alone[i], 1, seconds);
	}
	for (size_t i = 0; i < 32; i++)
		lengths[i] = 32;
	measure("32 sentences of 32", encoder, config, lengths, 32, seconds);
	for (size_t i = 0; i < 32; i++)
		lengths[i] = 8 + i * 48 / 31;
	measure("32 sentences of 8 to 56", encoder, config, lengths, 32, seconds);
}

int
main(int argc, char **argv)
{
	const char *shape = argc > 1 ? argv[1] : "minilm";
	const MrenTransformerConfig *config = shape_config(shape);
	double seconds = argc > 2 ? atof(argv[2]) : 1;
	float *weights = make_weights(config);
	MrenTransformer *encoder;

	if (is_int8(shape))
		must(mren_transformer_create_int8(&env, config, weights, &encoder, &err));
	else
		must(mren_transformer_create_in_place(&env, config, weights, &encoder, &err));
	measure_all(encoder, config, seconds);
	mren_transformer_free(&env, encoder);
	free(weights);
	return 0;
}
