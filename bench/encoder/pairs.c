/*
 * pairs.c
 *	  Speed of reading pairs with a text encoder and levitated markers, for bench/encoder/run.
 *
 * pairs SHAPE SECONDS: one core, weights at random; SHAPE is that of encoder.h.  A line for 1, 10
 * and 100 pairs of one sentence of 28 pieces, and for 64 sentences of 16 to 40 pieces with one
 * pair each; milliseconds are the medians of processor time.
 */
#include "encoder.h"

#include "relation/marker/marker_classifier.h"

#define MAX_PAIRS 100
#define MAX_PIECES 64

static MrenStatus
read_random(void *state, float *weights, MrenError *error)
{
	const MrenTransformerConfig *config = state;
	float *made = make_weights(config);

	(void) error;
	memcpy(weights, made, mren_transformer_parameters(config) * sizeof(float));
	free(made);
	return MREN_OK;
}

static MrenMarkerClassifier *
make_classifier(const MrenTransformerConfig *config, bool int8)
{
	const MrenMarkerShape shape = {.width = config->width,
								   .embedding_width = config->embedding_width,
								   .n_relations = 10,
								   .int8 = int8};
	const MrenEncoderSource source = {*config, (void *) (uintptr_t) config, read_random};
	MrenMarkerClassifier *classifier;

	must(mren_marker_create(&env, &shape, &classifier, &err));
	must(mren_marker_complete(&env, classifier, &err));
	must(mren_marker_attach(&env, classifier, &source, &err));
	return classifier;
}

/* Pairs of sentences that stand for n_pairs each; their pieces change with every run. */
typedef struct Pairs
{
	int32_t ids[MAX_PAIRS][MAX_PIECES];
	MrenMarkedTokens tokens[MAX_PAIRS];
	MrenMarkerRow rows[MAX_PAIRS];
	size_t n;
} Pairs;

static void
fill(Pairs *pairs, size_t n_sentences, size_t n_pairs, size_t run)
{
	pairs->n = n_sentences * n_pairs;
	for (size_t i = 0; i < pairs->n; i++)
	{
		size_t s = i / n_pairs;
		uint32_t n = n_sentences == 1 ? 28 : (uint32_t) (16 + s * 24 / (n_sentences - 1));
		uint32_t head = (uint32_t) (i * 3 % (n - 4));
		uint32_t tail = (uint32_t) (i * 7 % (n - 4));

		for (uint32_t j = 0; j < n; j++)
			pairs->ids[s][j] = (int32_t) (1000 + (run * 31 + s * 977 + j * 29) % 20000);
		pairs->tokens[i] = (MrenMarkedTokens){
			pairs->ids[s], n, false, {head + 1, head + 2, tail + 1, tail + 2}};
		pairs->rows[i] = (MrenMarkerRow){&pairs->tokens[i], {-1, -1}};
	}
}

static void
measure_pairs(const char *name, MrenMarkerClassifier *classifier, size_t n_sentences,
			  size_t n_pairs, double seconds)
{
	static double times[MAX_RUNS];
	static Pairs pairs;
	size_t dim = mren_marker_dim(&classifier->shape);
	float *out = bench_allocate(NULL, MAX_PAIRS * dim * sizeof(float));
	double end = now() + seconds;
	size_t n;

	for (n = 0; n < MAX_RUNS && (n < 5 || now() < end); n++)
	{
		double start;

		fill(&pairs, n_sentences, n_pairs, n);
		start = now();
		must(mren_marker_vectors(&env, classifier, pairs.rows, pairs.n, out, dim, &err));
		times[n] = now() - start;
	}
	printf("%-30s %8.2f ms\n", name, 1000 * median(times, n));
	free(out);
}

int
main(int argc, char **argv)
{
	const char *shape = argc > 1 ? argv[1] : "minilm";
	double seconds = argc > 2 ? atof(argv[2]) : 1;
	MrenMarkerClassifier *classifier = make_classifier(shape_config(shape), is_int8(shape));

	measure_pairs("1 pair of a sentence", classifier, 1, 1, seconds);
	measure_pairs("10 pairs of a sentence", classifier, 1, 10, seconds);
	measure_pairs("100 pairs of a sentence", classifier, 1, 100, seconds);
	measure_pairs("64 sentences with a pair each", classifier, 64, 1, seconds);
	mren_marker_free(&env, classifier);
	return 0;
}
