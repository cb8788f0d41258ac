/*
 * test_relation_conv.c
 *	  What the convolutions read of a sentence, their kernels compared with
 *	  plain ones, and the outputs of training with those of prediction.
 */
#include "relation_fixture.h"

#include <math.h>
#include <stdlib.h>

#include "nn/kernels.h"
#include "relation/net_internal.h"
#include "relation/batch.h"

#define FILTERS 6
#define LONG 3000

static MrenSentence
sentence_of(uint32_t n, MrenSpan head, MrenSpan tail)
{
	static int32_t pieces[LONG];
	static uint32_t starts[LONG + 1];

	for (uint32_t i = 0; i <= n; i++)
		starts[i] = i;
	for (uint32_t i = 0; i < n; i++)
		pieces[i] = (int32_t) (i * 7 % FIXTURE_WORDS);
	return (MrenSentence){n, n, pieces, starts, head, tail};
}

/* Words 0 1 [2 3] 4 5 [6] 7: segments reach to the end of the first mention, from its first word
 * to the second's last, and from the second's first on. */
static void
test_a_short_sentence_is_seen_whole(void **state)
{
	MrenSentence s = sentence_of(8, (MrenSpan){6, 7}, (MrenSpan){2, 4});
	const int head[8] = {-6, -5, -4, -3, -2, -1, 0, 1};
	const int tail[8] = {-2, -1, 0, 0, 1, 2, 3, 4};
	MrenConvText text;

	(void) state;
	mren_conv_read(&s, &text);
	assert_int_equal(text.n, 8);
	for (uint32_t w = 0; w < 8; w++)
	{
		assert_int_equal(text.words[w].word, w);
		assert_int_equal((int) text.words[w].place[0] - MREN_CONV_REACH, head[w]);
		assert_int_equal((int) text.words[w].place[1] - MREN_CONV_REACH, tail[w]);
	}
	assert_int_equal(text.segments[0].first, 0);
	assert_int_equal(text.segments[0].end, 4);
	assert_int_equal(text.segments[1].first, 2);
	assert_int_equal(text.segments[1].end, 7);
	assert_int_equal(text.segments[2].first, 6);
	assert_int_equal(text.segments[2].end, 8);
}

/* One mention within the other: nothing is past the outer one's end but the rest. */
static void
test_mentions_may_overlap(void **state)
{
	MrenSentence s = sentence_of(9, (MrenSpan){1, 8}, (MrenSpan){3, 4});
	MrenConvText text;

	(void) state;
	mren_conv_read(&s, &text);
	assert_int_equal(text.n, 9);
	assert_int_equal(text.segments[0].end, 8);
	assert_int_equal(text.segments[1].first, 1);
	assert_int_equal(text.segments[1].end, 8);
	assert_int_equal(text.segments[2].first, 3);
	assert_int_equal(text.segments[2].end, 9);
}

/* Mentions of 100 and of 1 word, far from each other and from the ends. */
static void
test_a_long_sentence_is_cut_around_its_mentions(void **state)
{
	MrenSentence s = sentence_of(LONG, (MrenSpan){500, 600}, (MrenSpan){2000, 2001});
	MrenConvText text;
	size_t n = 0;

	(void) state;
	mren_conv_read(&s, &text);
	/* 40 words, 12 + 12 of the mention, 40; then 40, 1, 40. */
	assert_int_equal(text.n, 40 + 24 + 40 + 40 + 1 + 40);
	for (uint32_t w = 0; w < LONG; w++)
	{
		bool kept = (w >= 460 && w < 512) || (w >= 588 && w < 640) || (w >= 1960 && w < 2041);

		if (kept)
			assert_int_equal(text.words[n++].word, w);
	}
	assert_int_equal(text.words[0].place[0], 0);
	assert_int_equal(text.words[0].place[1], 0);
	assert_int_equal(text.words[text.n - 1].place[0], MREN_CONV_PLACES - 1);
	assert_int_equal(text.segments[0].end, 64);
	assert_int_equal(text.segments[1].first, 40);
	assert_int_equal(text.segments[1].end, 40 + 24 + 80 + 1);
	assert_int_equal(text.segments[2].first, 40 + 24 + 80);
	/* Never more than there is room for, wherever the mentions lie. */
	for (uint32_t head = 0; head < 300; head += 13)
	{
		for (uint32_t tail = 0; tail < 300; tail += 11)
		{
			s.head = (MrenSpan){head, head + 90};
			s.tail = (MrenSpan){tail, tail + 70};
			mren_conv_read(&s, &text);
			assert_true(text.n <= MREN_CONV_WORDS);
			assert_true(text.segments[1].end <= text.n);
			for (uint32_t w = 1; w < text.n; w++)
				assert_true(text.words[w].word > text.words[w - 1].word);
		}
	}
}

static void
test_kernels_do_what_plain_loops_do(void **state)
{
	enum
	{
		ROWS = 11,
		COLS = 37
	};
	const uint32_t rows[6] = {3, 0, 3, 10, 7, 1};
	float x[ROWS][COLS];
	float a[6];
	float y[COLS];
	float best[COLS];
	int32_t at[COLS];
	MrenRandom random;

	(void) state;
	mren_random_seed(&random, 4, 0);
	for (int i = 0; i < ROWS; i++)
	{
		/* Few values, so that there are equals. */
		for (int j = 0; j < COLS; j++)
			x[i][j] = (float) mren_random_below(&random, 5);
	}
	mren_conv_max(x[0], COLS, ROWS, COLS, 100, best, at);
	for (int j = 0; j < COLS; j++)
	{
		int first = 0;

		for (int i = 1; i < ROWS; i++)
			first = x[i][j] > x[first][j] ? i : first;
		assert_true(best[j] == x[first][j]);
		assert_int_equal(at[j], 100 + first);
		y[j] = (float) j;
	}
	for (int i = 0; i < 6; i++)
		a[i] = mren_random_normal(&random);
	mren_gather_rows(y, x[0], COLS, rows, a, 6, COLS);
	for (int j = 0; j < COLS; j++)
	{
		double sum = j;

		for (int i = 0; i < 6; i++)
			sum += (double) a[i] * (double) x[rows[i]][j];
		assert_float_equal(y[j], sum, 1e-5);
	}
}

/* A network of this shape with random weights. */
static MrenNet *
random_net(const MrenEnv *env, const MrenNetShape *shape)
{
	MrenError err = {0};
	MrenNet *net;

	assert_int_equal(mren_net_new(env, &net, &err), MREN_OK);
	net->shape = *shape;
	net->scale = 0.5f;
	assert_int_equal(mren_net_allocate(net, SIZE_MAX, &err), MREN_OK);
	assert_int_equal(mren_batch_init_weights(env, shape, &net->layout, net->values, 3, &err),
					 MREN_OK);
	for (size_t i = 0; i < net->layout.table.items[net->layout.ids.text_std].cols; i++)
		mren_parameter_at(&net->layout.table, net->values, net->layout.ids.text_std)[i] = 1;
	memset(net->set, true, sizeof(net->set));
	assert_int_equal(mren_net_complete(net, &err), MREN_OK);
	return net;
}

/* Columns that the convolutions give, and outputs of the first layer. */
#define N_SUMS (9 * FILTERS + 3)

static size_t
sums_scratch(const MrenNet *net)
{
	size_t conv = mren_net_convolve_scratch(net);
	size_t text = mren_net_text_scratch(net);

	return conv > text ? conv : text;
}

/* What a network makes of the words of a sentence; words: those that are kept, or NULL. */
static void
sum_words(const MrenNet *net, const Fixture *fixture, const MrenSentence *s,
		  const MrenWordParts *words, float *sums, float *scratch)
{
	const MrenWordParts none = {0};

	if (words == NULL)
		words = &none;
	mren_net_convolve(net, &fixture->table, s, &words->conv, sums, scratch);
	mren_net_text_sums(net, &fixture->table, s, &words->text, sums + 9 * FILTERS, scratch);
}

/* Output j of the first layer in row i of a batch, without the columns behind the text's parts. */
static float
parts_output(const MrenBatch *batch, const MrenNet *net, size_t i, size_t j)
{
	const float *w = mren_parameter_at(&net->layout.table, net->values, net->layout.ids.weight[0]);
	double sum = 0;

	for (size_t c = 0; c < mren_net_part_columns(&net->shape); c++)
		sum += (double) batch->fused[i * batch->dim + c] * (double) w[c * 3 + j];
	return (float) sum;
}

/*
 * The same values in a network and in a mini-batch of training: convolved columns and text sums
 * agree, to the precision of halves, whatever other sentences are in the batch, so padding does not
 * leak, and whatever the chunks.
 */
static void
test_training_and_prediction_convolve_alike(void **state)
{
	static const MrenSpan mentions[5][2] = {{{0, 1}, {1, 2}},
											{{1, 2}, {6, 8}},
											{{30, 31}, {0, 2}},
											{{60, 61}, {900, 901}},
											{{0, 1}, {0, 1}}};
	static const uint32_t lengths[5] = {2, 8, 31, 1000, 1};
	const MrenNetShape shape = {.embedding_dim = FIXTURE_DIM,
								.n_relations = 2,
								.n_hidden = 1,
								.hidden = {3},
								.filters = FILTERS,
								.position_dim = 3};
	Fixture fixture;
	TestEnv test;
	MrenError err = {0};
	MrenNet *net;
	MrenBatch batch;
	float *scratch;
	float expected[5][N_SUMS];

	(void) state;
	test_env_init(&test);
	fixture_init(&fixture);
	net = random_net(&test.env, &shape);
	mren_allocate(&test.env, sums_scratch(net), sizeof(float), &scratch, &err);
	mren_batch_create(&test.env, &shape, &net->layout, 5, &batch, &err);
	mren_batch_scale(&batch, net->values);
	mren_batch_words(&batch, &fixture.table, net->scale);
	for (size_t i = 0; i < 5; i++)
	{
		MrenSentence s = sentence_of(lengths[i], mentions[i][0], mentions[i][1]);

		sum_words(net, &fixture, &s, NULL, expected[i], scratch);
		assert_int_equal(mren_batch_load_text(&batch, i, &s, -1, -1, &err), MREN_OK);
	}
	for (size_t chunk = 0; chunk < 2; chunk++)
	{
		if (chunk == 1)
			batch.conv.max_rows = MREN_CONV_WORDS + 2 * MREN_CONV_PAD;
		batch.n = 5;
		mren_batch_forward(&batch, net->values, NULL);
		assert_int_equal(batch.conv.n_chunks, 1 + chunk);
		for (size_t i = 0; i < 5; i++)
		{
			for (size_t j = 0; j < 9 * FILTERS; j++)
				assert_float_equal(batch.fused[i * batch.dim + batch.pool_dim + j], expected[i][j],
								   2e-3);
			for (size_t j = 0; j < 3; j++)
				assert_float_equal(parts_output(&batch, net, i, j), expected[i][9 * FILTERS + j],
								   2e-3);
		}
	}
	mren_batch_free(&test.env, &batch);
	mren_release(&test.env, scratch);
	mren_net_free(&test.env, net);
	assert_int_equal(test.n_live, 0);
}

/*
 * Rows of one sentence, near and far mentions in turn, then another sentence and the first one
 * again: with a cache each has the bits that it has alone.
 */
static MrenStatus
convolve_pairs(const MrenEnv *env, MrenError *err, void *arg)
{
	static const MrenNetShape shape = {.embedding_dim = FIXTURE_DIM,
									   .n_relations = 2,
									   .n_hidden = 1,
									   .hidden = {3},
									   .filters = FILTERS,
									   .position_dim = 3};
	static const uint32_t lengths[] = {600, 600, 600, 600, 31, 600, 2000};
	static const uint32_t places[][2] = {{3, 5},  {5, 3}, {2, 590}, {300, 310},
										 {1, 20}, {3, 5}, {9, 1500}};
	const Fixture *fixture = arg;
	MrenNetCache *cache = NULL;
	TestEnv own;
	MrenNet *net;
	float *scratch;
	MrenStatus status;

	test_env_init(&own);
	net = random_net(&own.env, &shape);
	assert_int_equal(mren_allocate(&own.env, sums_scratch(net), sizeof(float), &scratch, err), 0);
	status = mren_net_cache_create(env, MREN_NET_CACHE_BYTES, &cache, err);
	for (size_t i = 0; status == MREN_OK && i < sizeof(lengths) / sizeof(lengths[0]); i++)
	{
		MrenSentence s = sentence_of(lengths[i], (MrenSpan){places[i][0], places[i][0] + 2},
									 (MrenSpan){places[i][1], places[i][1] + 1});
		float alone[N_SUMS];
		float kept[N_SUMS];
		const MrenWordParts *words;

		sum_words(net, fixture, &s, NULL, alone, scratch);
		status = mren_net_cache_open(cache, net, &fixture->table, &s, &words, err);
		if (status != MREN_OK)
			break;
		/* Convolutions of a very long sentence are not kept. */
		assert_true((words->conv.slots == NULL) == (lengths[i] == 2000));
		assert_true(words->text.slots != NULL);
		/* What the row before computed is there: the order of 3 and 5 does not matter to it. */
		if (i == 1)
			assert_true(words->conv.done[words->conv.slots[3]] &&
						words->conv.done[words->conv.slots[5]]);
		sum_words(net, fixture, &s, words, kept, scratch);
		assert_memory_equal(alone, kept, sizeof(alone));
	}
	mren_net_cache_free(cache);
	mren_release(&own.env, scratch);
	mren_net_free(&own.env, net);
	assert_int_equal(own.n_live, 0);
	return status;
}

static void
test_a_kept_sentence_gives_the_same_bits(void **state)
{
	Fixture fixture;

	(void) state;
	fixture_init(&fixture);
	test_allocation_sweep(convolve_pairs, &fixture);
}

/*
 * 40,000 different words of four pieces, in sentences that share some with the one before: more
 * than are kept, so that slots are taken again.  Words of twelve pieces are not kept.
 */
static void
test_words_beyond_what_is_kept_give_the_same_bits(void **state)
{
	enum
	{
		WORDS = 500,
		STEP = 400,
		ROUNDS = 100,
		PIECES = 4
	};
	static const MrenNetShape shape = {.embedding_dim = FIXTURE_DIM,
									   .n_relations = 2,
									   .n_hidden = 1,
									   .hidden = {3},
									   .filters = FILTERS,
									   .position_dim = 3};
	static int32_t pieces[WORDS * PIECES * 3];
	static uint32_t starts[WORDS + 1];
	MrenNetCache *cache;
	TestEnv test;
	Fixture fixture;
	MrenNet *net;
	float *scratch;
	bool again = false;
	uint32_t last = 0;

	(void) state;
	test_env_init(&test);
	fixture_init(&fixture);
	net = random_net(&test.env, &shape);
	assert_int_equal(mren_allocate(&test.env, sums_scratch(net), sizeof(float), &scratch, NULL),
					 MREN_OK);
	assert_int_equal(mren_net_cache_create(&test.env, MREN_NET_CACHE_BYTES, &cache, NULL), MREN_OK);
	for (uint32_t round = 0; round < ROUNDS; round++)
	{
		MrenSentence s = {
			WORDS, 0, pieces, starts, {round % 90, round % 90 + 2}, {WORDS - 9, WORDS - 8}};
		const MrenWordParts *words;
		float alone[N_SUMS];
		float kept[N_SUMS];

		for (uint32_t w = 0; w < WORDS; w++)
		{
			uint32_t code = round * STEP + w;

			starts[w] = (uint32_t) s.n_pieces;
			for (uint32_t i = 0; i < (w % 100 == 7 ? 3 * PIECES : PIECES);
				 i++, code /= FIXTURE_WORDS)
				pieces[s.n_pieces++] = (int32_t) (code % FIXTURE_WORDS);
		}
		starts[WORDS] = (uint32_t) s.n_pieces;
		sum_words(net, &fixture, &s, NULL, alone, scratch);
		for (int twice = 0; twice < 2; twice++)
		{
			assert_int_equal(mren_net_cache_open(cache, net, &fixture.table, &s, &words, NULL),
							 MREN_OK);
			again = again || words->conv.slots[WORDS / 2] < last;
			last = words->conv.slots[WORDS / 2];
			sum_words(net, &fixture, &s, words, kept, scratch);
			assert_memory_equal(alone, kept, sizeof(alone));
		}
	}
	assert_true(again);
	mren_net_cache_free(cache);
	mren_release(&test.env, scratch);
	mren_net_free(&test.env, net);
	assert_int_equal(test.n_live, 0);
}

/* Words keep their slots when the table grows, so what was computed of them is not lost. */
static void
test_words_keep_their_slots(void **state)
{
	const MrenNetShape shape = {.embedding_dim = FIXTURE_DIM,
								.n_relations = 2,
								.n_hidden = 1,
								.hidden = {3},
								.filters = FILTERS,
								.position_dim = 3};
	MrenNetCache *cache;
	TestEnv test;
	Fixture fixture;
	MrenNet *net;
	uint32_t first[100];

	(void) state;
	test_env_init(&test);
	fixture_init(&fixture);
	net = random_net(&test.env, &shape);
	assert_int_equal(mren_net_cache_create(&test.env, MREN_NET_CACHE_BYTES, &cache, NULL), MREN_OK);
	for (int32_t round = 0; round <= 20; round++)
	{
		int32_t pieces[300];
		uint32_t starts[101];
		MrenSentence s = {100, 300, pieces, starts, {3, 5}, {9, 10}};
		const MrenWordParts *words;

		for (int32_t w = 0; w < 100; w++)
		{
			int32_t code = round % 20 * 100 + w;

			starts[w] = 3 * (uint32_t) w;
			for (int i = 0; i < 3; i++, code /= FIXTURE_WORDS)
				pieces[3 * w + i] = code % FIXTURE_WORDS;
		}
		starts[100] = 300;
		assert_int_equal(mren_net_cache_open(cache, net, &fixture.table, &s, &words, NULL),
						 MREN_OK);
		if (round == 0)
			memcpy(first, words->conv.slots, sizeof(first));
		if (round == 20)
			assert_memory_equal(first, words->conv.slots, sizeof(first));
	}
	mren_net_cache_free(cache);
	mren_net_free(&test.env, net);
	assert_int_equal(test.n_live, 0);
}

/* However wide the network is, the cache stays within its limit; what would not fit is not kept. */
static void
test_what_is_kept_is_bounded(void **state)
{
	static const size_t filters[] = {0, FILTERS, 900, MREN_MAX_FILTERS};

	(void) state;
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++)
	{
		MrenNetShape shape = {.embedding_dim = FIXTURE_DIM,
							  .n_relations = 2,
							  .n_hidden = 1,
							  .hidden = {3},
							  .filters = filters[i],
							  .position_dim = filters[i] > 0 ? 3 : 0};
		MrenSentence s = sentence_of(600, (MrenSpan){3, 5}, (MrenSpan){9, 10});
		const MrenWordParts *words;
		MrenNetCache *cache;
		Fixture fixture;
		TestEnv test;
		MrenNet *net;

		test_env_init(&test);
		fixture_init(&fixture);
		net = random_net(&test.env, &shape);
		assert_int_equal(mren_net_cache_create(&test.env, MREN_NET_CACHE_BYTES, &cache, NULL),
						 MREN_OK);
		assert_int_equal(mren_net_cache_open(cache, net, &fixture.table, &s, &words, NULL),
						 MREN_OK);
		assert_true((words->conv.slots != NULL) == (filters[i] == FILTERS));
		s.n_words = s.n_pieces = 20;
		assert_int_equal(mren_net_cache_open(cache, net, &fixture.table, &s, &words, NULL),
						 MREN_OK);
		assert_true((words->conv.slots != NULL) == (filters[i] > 0));
		mren_net_cache_free(cache);
		mren_net_free(&test.env, net);
		assert_int_equal(test.n_live, 0);
	}
}

/* A relation that is the order of two neighbours, somewhere between the mentions. */
static void
test_a_pattern_between_the_mentions_is_learned(void **state)
{
	TestEnv test;
	Fixture fixture;
	MrenOptions options;
	MrenExamples *examples;
	MrenNet *net;
	MrenTrainReport report;
	MrenError err = {0};
	MrenRandom random;
	Row row;
	int n_right = 0;

	(void) state;
	test_env_init(&test);
	fixture_init(&fixture);
	mren_random_seed(&random, 8, 0);
	fixture_examples(&test.env, 0, &examples, &err);
	/* Words 4 .. 13 of 16, between the mentions: 1 then 2 side by side, or 2 then 1. */
	for (int i = 0; i < 700; i++)
	{
		int32_t words[16];
		uint32_t at = 6 + (uint32_t) mren_random_below(&random, 5);

		for (int w = 0; w < 16; w++)
			words[w] = 3 + (int32_t) mren_random_below(&random, FIXTURE_WORDS - 3);
		words[at] = i % 2 == 0 ? 1 : 2;
		words[at + 1] = i % 2 == 0 ? 2 : 1;
		row_init(&row, words, 16, 2, 14, i % 2 == 0 ? "a" : "b");
		if (i < 600)
			assert_int_equal(mren_examples_append(examples, &row.example, NULL, &err), MREN_OK);
		else if (i == 600)
		{
			mren_options_init(&options);
			options.text_encoder = MREN_TEXT_CONV;
			options.filters = 16;
			options.common.epochs = 40;
			options.common.patience = 0;
			options.common.dropout = options.common.word_dropout = 0.1;
			assert_int_equal(
				fixture_train(&test.env, &fixture, &options, examples, &net, &report, &err),
				MREN_OK);
		}
		if (i >= 600)
			n_right += fixture_predict(&test.env, &fixture, net, &row) == (size_t) (i % 2);
	}
	/* Pooling reads the same words in both, so it is right in half of the rows, give or take 15. */
	assert_true(n_right >= 85);
	mren_examples_free(examples);
	mren_net_free(&test.env, net);
	assert_int_equal(test.n_live, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_short_sentence_is_seen_whole),
		cmocka_unit_test(test_mentions_may_overlap),
		cmocka_unit_test(test_a_long_sentence_is_cut_around_its_mentions),
		cmocka_unit_test(test_kernels_do_what_plain_loops_do),
		cmocka_unit_test(test_training_and_prediction_convolve_alike),
		cmocka_unit_test(test_a_kept_sentence_gives_the_same_bits),
		cmocka_unit_test(test_words_beyond_what_is_kept_give_the_same_bits),
		cmocka_unit_test(test_words_keep_their_slots),
		cmocka_unit_test(test_what_is_kept_is_bounded),
		cmocka_unit_test(test_a_pattern_between_the_mentions_is_learned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
