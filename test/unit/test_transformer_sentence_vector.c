/*
 * test_transformer_sentence_vector.c
 *	  Vectors of sentences: means and windows against a forward pass of each window; errors
 *	  and memory.
 */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "transformer/sentence_vector.h"

#define WIDTH 8
#define POSITIONS 10
#define MOST 80

typedef struct Tiny
{
	TestEnv test;
	float *weights;
	MrenTransformer *encoder;
	int32_t ids[MOST];
} Tiny;

/* DeBERTa without position embeddings: any distance is known, but no more pieces are read. */
static void
open_tiny(Tiny *tiny, MrenTransformerArchitecture architecture)
{
	bool deberta = architecture == MREN_TRANSFORMER_DEBERTA;
	MrenTransformerConfig config = {.architecture = architecture,
									.layers = 2,
									.width = WIDTH,
									.heads = 2,
									.intermediate = 12,
									.embedding_width = WIDTH,
									.vocabulary = 20,
									.positions = POSITIONS,
									.absolute_positions = !deberta,
									.relative_positions = POSITIONS,
									.content_to_position = deberta,
									.eps = 1e-5f};
	size_t n = mren_transformer_parameters(&config);
	uint32_t random = 1;
	MrenError err;

	test_env_init(&tiny->test);
	tiny->weights = malloc(n * sizeof(float));
	assert_non_null(tiny->weights);
	for (size_t i = 0; i < n; i++)
	{
		random = random * 1664525 + 1013904223;
		tiny->weights[i] = (float) (random >> 8) / 8388608.0f - 1.0f;
	}
	for (size_t i = 0; i < MOST; i++)
		tiny->ids[i] = (int32_t) (i * 7 % 20);
	assert_int_equal(
		mren_transformer_create(&tiny->test.env, &config, tiny->weights, &tiny->encoder, &err),
		MREN_OK);
}

static void
close_tiny(Tiny *tiny)
{
	mren_transformer_free(&tiny->test.env, tiny->encoder);
	free(tiny->weights);
	assert_int_equal(tiny->test.n_live, 0);
}

/* The vectors of text pieces start to start + n with a special piece on each side. */
static void
forward(Tiny *tiny, size_t n_text, size_t start, size_t n, float *out)
{
	uint32_t positions[POSITIONS];
	int32_t ids[POSITIONS];
	MrenTransformerSentence sentence = {.n_text = n + 2};
	MrenTransformerBatch batch = {.sentences = &sentence,
								  .n_sentences = 1,
								  .ids = ids,
								  .positions = positions,
								  .n_tokens = n + 2};
	MrenError err;

	ids[0] = tiny->ids[0];
	for (size_t i = 0; i < n; i++)
		ids[i + 1] = tiny->ids[1 + start + i];
	ids[n + 1] = tiny->ids[1 + n_text];
	for (size_t i = 0; i < n + 2; i++)
		positions[i] = (uint32_t) i;
	assert_int_equal(mren_transformer_forward(&tiny->test.env, tiny->encoder, &batch, out, &err),
					 MREN_OK);
}

/*
 * The mean by the definition: for each piece, all windows that hold it are tried for the one
 * in which it is furthest from an edge, the first of several.
 */
static void
expected_mean(Tiny *tiny, size_t n_text, double *mean)
{
	size_t room = POSITIONS - 2;
	size_t n_starts = 0;
	size_t starts[MOST];
	float vectors[POSITIONS * WIDTH];

	for (size_t start = 0; start + room < n_text; start += room / 2)
		starts[n_starts++] = start;
	starts[n_starts++] = n_text > room ? n_text - room : 0;
	memset(mean, 0, WIDTH * sizeof(double));
	for (size_t i = 0; i < n_text + 2; i++)
	{
		size_t piece = i == 0 ? 0 : i - 1;
		size_t n = n_text < room ? n_text : room;
		size_t best = i == n_text + 1 ? n_starts - 1 : 0;
		size_t row;
		long furthest = -1;

		for (size_t w = 0; i > 0 && i <= n_text && w < n_starts; w++)
		{
			long left = (long) piece - (long) starts[w];
			long right = (long) (starts[w] + n - 1) - (long) piece;
			long distance = left < right ? left : right;

			if (distance > furthest)
			{
				furthest = distance;
				best = w;
			}
		}
		forward(tiny, n_text, starts[best], n, vectors);
		row = i == 0 ? 0 : i == n_text + 1 ? n + 1 : 1 + piece - starts[best];
		for (size_t j = 0; j < WIDTH; j++)
			mean[j] += (double) vectors[row * WIDTH + j] / (double) (n_text + 2);
	}
}

static void
windows(void **state)
{
	static const size_t lengths[] = {0, 1, 7, 8, 9, 10, 11, 12, 13, 16, 17, 30, 31, 64};
	Tiny tiny;

	open_tiny(&tiny, *(const MrenTransformerArchitecture *) *state);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
	{
		MrenSentencePieces pieces = {tiny.ids, 1, lengths[i], 1};
		double mean[WIDTH];
		float out[WIDTH];
		MrenError err;

		expected_mean(&tiny, lengths[i], mean);
		assert_int_equal(mren_sentence_vector(&tiny.test.env, tiny.encoder, &pieces,
											  MREN_POOLING_MEAN, out, &err),
						 MREN_OK);
		for (size_t j = 0; j < WIDTH; j++)
			assert_true(fabs((double) out[j] - mean[j]) < 1e-6);
	}
	close_tiny(&tiny);
}

static void
first_piece(void **state)
{
	MrenSentencePieces pieces = {.n_before = 1, .n_text = 30, .n_after = 1};
	float vectors[POSITIONS * WIDTH];
	float out[WIDTH];
	Tiny tiny;
	MrenError err;

	(void) state;
	open_tiny(&tiny, MREN_TRANSFORMER_BERT);
	pieces.ids = tiny.ids;
	forward(&tiny, 30, 0, POSITIONS - 2, vectors);
	assert_int_equal(
		mren_sentence_vector(&tiny.test.env, tiny.encoder, &pieces, MREN_POOLING_CLS, out, &err),
		MREN_OK);
	assert_memory_equal(out, vectors, sizeof(out));
	close_tiny(&tiny);
}

static void
failures(void **state)
{
	MrenSentencePieces none = {0};
	MrenSentencePieces special = {.n_before = 5, .n_text = 1, .n_after = 5};
	MrenSentencePieces whole = {.n_before = 1, .n_text = 30, .n_after = 1};
	float out[WIDTH];
	Tiny tiny;
	MrenError err;

	(void) state;
	open_tiny(&tiny, MREN_TRANSFORMER_BERT);
	none.ids = special.ids = whole.ids = tiny.ids;
	assert_int_equal(
		mren_sentence_vector(&tiny.test.env, tiny.encoder, &none, MREN_POOLING_MEAN, out, &err),
		MREN_EDATA);
	assert_int_equal(
		mren_sentence_vector(&tiny.test.env, tiny.encoder, &special, MREN_POOLING_MEAN, out, &err),
		MREN_EDATA);
	for (size_t i = 1; i <= 5; i++)
	{
		size_t live = tiny.test.n_live;

		tiny.test.fail_at = tiny.test.n_allocations + i;
		assert_int_equal(mren_sentence_vector(&tiny.test.env, tiny.encoder, &whole,
											  MREN_POOLING_MEAN, out, &err),
						 MREN_ENOMEM);
		assert_int_equal(tiny.test.n_live, live);
	}
	tiny.test.fail_at = 0;
	close_tiny(&tiny);
}

int
main(void)
{
	static MrenTransformerArchitecture bert = MREN_TRANSFORMER_BERT;
	static MrenTransformerArchitecture deberta = MREN_TRANSFORMER_DEBERTA;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(windows, &bert),
		cmocka_unit_test_prestate(windows, &deberta),
		cmocka_unit_test(first_piece),
		cmocka_unit_test(failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
