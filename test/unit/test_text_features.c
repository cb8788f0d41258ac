/*
 * test_text_features.c
 *	  Lexical features: what a row has and has not, folding, bounds, lexicons.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/encode.h"
#include "text/features/features_boxes.h"
#include "text/features/features_lexicon.h"

static TestEnv test;
static MrenTokenizer *tokenizer;
static MrenEncoded encoded;
static MrenFeatures features;
static MrenError err;

static MrenStatus
find_nothing(void *state, const char *word, size_t len, int32_t *id, MrenError *error)
{
	(void) state;
	(void) word;
	(void) len;
	(void) error;
	*id = -1;
	return MREN_OK;
}

static int
set_up(void **state)
{
	(void) state;
	test_env_init(&test);
	memset(&encoded, 0, sizeof(encoded));
	memset(&features, 0, sizeof(features));
	return mren_tokenizer_open(&test.env, &tokenizer, NULL) == MREN_OK ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void) state;
	mren_features_free(&test.env, &features);
	mren_encoded_free(&test.env, &encoded);
	mren_tokenizer_close(tokenizer);
	assert_int_equal(test.n_live, 0);
	return 0;
}

static MrenFeatureRow
row_of(const char *text, const char *head, const char *tail)
{
	MrenVocabulary vocabulary = {NULL, find_nothing};
	const MrenMentionPair pair = {{text, strlen(text)},
								  {.text = head, .len = strlen(head)},
								  {.text = tail, .len = strlen(tail)}};

	assert_int_equal(mren_encode(tokenizer, &test.env, &vocabulary, &pair, &encoded, &err),
					 MREN_OK);
	return (MrenFeatureRow){.text = pair.text,
							.tokens = encoded.split.items,
							.n_tokens = encoded.split.n,
							.head = encoded.head,
							.tail = encoded.tail};
}

static void
extract(const char *text, const char *head, const char *tail)
{
	MrenFeatureRow row = row_of(text, head, tail);

	assert_int_equal(mren_features_extract(&test.env, &row, &features, &err), MREN_OK);
	for (size_t i = 1; i < features.n; i++)
		assert_true(features.codes[i - 1] < features.codes[i]);
}

static bool
has(MrenFeature name, uint32_t variant, uint64_t a, uint64_t b, uint64_t c)
{
	uint32_t code = mren_feature_code(name, variant, a, b, c);

	for (size_t i = 0; i < features.n; i++)
	{
		if (features.codes[i] == code)
			return true;
	}
	return false;
}

static uint64_t
word(const char *text)
{
	return mren_feature_word(text, strlen(text));
}

/* MurmurHash3's finalizer, written from its definition. */
static uint64_t
reference_mix(uint64_t x)
{
	x = (x ^ (x >> 33)) * 18397679294719823053ULL;
	x = (x ^ (x >> 33)) * 14181476777654086739ULL;
	return x ^ (x >> 33);
}

static void
test_code_is_a_chain_of_hashes(void **state)
{
	uint64_t x = reference_mix(((uint64_t) MREN_FEATURE_BETWEEN_3 << 32) + 2 + 1);

	(void) state;
	x = reference_mix(x ^ 11);
	x = reference_mix(x + 12);
	x = reference_mix(x ^ 13);
	assert_int_equal(mren_feature_code(MREN_FEATURE_BETWEEN_3, 2, 11, 12, 13), x >> 32);
}

/* Variant 0: the head comes first; 1 and 2 are the borders' marks. */
static void
test_words_between(void **state)
{
	(void) state;
	extract("Old dogs often chase young cats.", "dogs", "cats");
	assert_true(has(MREN_FEATURE_ORDER, 0, 0, 0, 0));
	assert_true(has(MREN_FEATURE_BETWEEN_1, 0, word("often"), 0, 0));
	assert_true(has(MREN_FEATURE_BETWEEN_1, 0, word("young"), 0, 0));
	assert_false(has(MREN_FEATURE_BETWEEN_1, 0, word("old"), 0, 0));
	assert_false(has(MREN_FEATURE_BETWEEN_1, 1, word("often"), 0, 0));
	assert_true(has(MREN_FEATURE_BETWEEN_2, 0, 1, word("often"), 0));
	assert_true(has(MREN_FEATURE_BETWEEN_2, 0, word("often"), word("chase"), 0));
	assert_true(has(MREN_FEATURE_BETWEEN_2, 0, word("young"), 2, 0));
	assert_true(has(MREN_FEATURE_BETWEEN_3, 0, word("often"), word("chase"), word("young")));
	assert_true(has(MREN_FEATURE_BETWEEN_3, 0, word("chase"), word("young"), 2));
	assert_true(has(MREN_FEATURE_FIRST_LAST, 0, word("often"), word("young"), 0));
	assert_true(has(MREN_FEATURE_DISTANCE, 0, 3, 0, 0));
}

/* Variant 0 of a mention's features is the head, 1 the tail. */
static void
test_mentions_and_what_is_around(void **state)
{
	(void) state;
	extract("Old dogs often chase young cats.", "dogs", "cats");
	assert_true(has(MREN_FEATURE_MENTION_HEAD, 0, word("dogs"), 0, 0));
	assert_true(has(MREN_FEATURE_MENTION_HEAD, 1, word("cats"), 0, 0));
	assert_false(has(MREN_FEATURE_MENTION_HEAD, 1, word("dogs"), 0, 0));
	assert_true(has(MREN_FEATURE_HEADS, 0, word("dogs"), word("cats"), 0));
	assert_true(has(MREN_FEATURE_HEAD_FIRST, 0, word("dogs"), word("often"), 0));
	assert_true(has(MREN_FEATURE_HEAD_LAST, 1, word("cats"), word("young"), 0));
	assert_true(has(MREN_FEATURE_OUTSIDE_1, 0, word("old"), 0, 0));
	assert_true(has(MREN_FEATURE_OUTSIDE_1, 1, word("."), 0, 0));
	/* The second place before is outside the text. */
	assert_true(has(MREN_FEATURE_OUTSIDE_1, 6, 2, 0, 0));
	/* The last word of a mention is its head. */
	extract("The steam engine needs hot water", "steam engine", "hot water");
	assert_true(has(MREN_FEATURE_MENTION_HEAD, 0, word("engine"), 0, 0));
	assert_true(has(MREN_FEATURE_MENTION_WORD, 0, word("steam"), 0, 0));
	assert_true(has(MREN_FEATURE_HEADS, 0, word("engine"), word("water"), 0));
}

static void
test_order_counts(void **state)
{
	(void) state;
	extract("Old dogs often chase young cats.", "cats", "dogs");
	assert_true(has(MREN_FEATURE_ORDER, 1, 0, 0, 0));
	assert_true(has(MREN_FEATURE_BETWEEN_1, 1, word("often"), 0, 0));
	assert_false(has(MREN_FEATURE_BETWEEN_1, 0, word("often"), 0, 0));
	assert_true(has(MREN_FEATURE_HEADS, 1, word("cats"), word("dogs"), 0));
	extract("A steam engine", "steam engine", "engine");
	assert_true(has(MREN_FEATURE_ORDER, 2, 0, 0, 0));
	assert_true(has(MREN_FEATURE_DISTANCE, 2, 0, 0, 0));
}

static void
test_types(void **state)
{
	MrenFeatureRow row = row_of("Ann lives in Rome", "Ann", "Rome");
	size_t without;

	(void) state;
	assert_int_equal(mren_features_extract(&test.env, &row, &features, &err), MREN_OK);
	without = features.n;
	row.head_type = (MrenTextSpan){"Person", 6};
	row.tail_type = (MrenTextSpan){"Place", 5};
	assert_int_equal(mren_features_extract(&test.env, &row, &features, &err), MREN_OK);
	/* Five of the types, two words, three borders, two of the whole. */
	assert_int_equal(features.n, without + 5 + 2 + 3 + 2);
}

static void
test_folding(void **state)
{
	(void) state;
	assert_true(word("Dogs") == word("dOGS"));
	assert_true(word("Straße") == word("STRASSE"));
	assert_true(word("ＡＢＣ") == word("abc"));
	assert_true(word("e\xCC\x81t\xC3\xA9") == word("\xC3\x89TE\xCC\x81"));
	/* A soft hyphen cannot be seen. */
	assert_true(word("co\xC2\xADop") == word("coop"));
	assert_false(word("dog") == word("dogs"));
	/* Cyrillic has two cases, too; Chinese has one. */
	assert_true(word("МОСКВА") == word("москва"));
	assert_false(word("中国") == word("中"));
	/* Affixes are of code points. */
	extract("der MÜLLER und die Straße", "MÜLLER", "Straße");
	assert_true(has(MREN_FEATURE_MENTION_HEAD, 0, word("müller"), 0, 0));
}

/* Of many words between, those in the middle do not count, and no row has too many. */
static void
test_long_rows_are_bounded(void **state)
{
	size_t n = 3000;
	char *text = calloc(n * 8 + 32, 1);
	uint32_t *codes;
	size_t n_codes;

	(void) state;
	for (size_t round = 0; round < 2; round++)
	{
		char *at = text;

		at += sprintf(at, "Ann");
		for (size_t i = 0; i < n; i++)
			at += sprintf(at, " w%c%c", (int) ('a' + i % 26),
						  i == n / 2 && round == 1 ? 'X' : (int) ('a' + i / 26 % 26));
		sprintf(at, " Rome");
		extract(text, "Ann", "Rome");
		assert_true(features.n <= MREN_MAX_FEATURES);
		if (round == 0)
		{
			n_codes = features.n;
			codes = malloc(n_codes * sizeof(uint32_t));
			memcpy(codes, features.codes, n_codes * sizeof(uint32_t));
		}
	}
	assert_int_equal(features.n, n_codes);
	assert_memory_equal(codes, features.codes, n_codes * sizeof(uint32_t));
	free(codes);
	/* One word, longer than any. */
	memset(text, 'x', 8 * n);
	memcpy(text, "Ann ", 4);
	memcpy(text + 8 * n, " Rome", 6);
	extract(text, "Ann", "Rome");
	assert_true(has(MREN_FEATURE_DISTANCE, 0, 1, 0, 0));
	free(text);
}

static MrenStatus
make_lexicon(const MrenEnv *env, MrenLexicon **lexicon, MrenError *error)
{
	static const char *const entries[][2] = {{"engine", "noun.artifact"},
											 {"steam engine", "noun.machine"},
											 {"water", "noun.substance"},
											 {"needs", "verb.stative"}};
	MrenStatus status = mren_lexicon_create(env, lexicon, error);

	for (size_t i = 0; i < 4 && status == MREN_OK; i++)
		status = mren_lexicon_add(*lexicon, tokenizer,
								  (MrenTextSpan){entries[i][0], strlen(entries[i][0])},
								  (MrenTextSpan){entries[i][1], strlen(entries[i][1])}, 1, error);
	return status == MREN_OK ? mren_lexicon_finish(*lexicon, error) : status;
}

static uint64_t
type(const char *name)
{
	return mren_feature_type(name, strlen(name));
}

/* The longest phrase that ends a mention gives its type; "engine" alone does not. */
static void
test_lexicon_types(void **state)
{
	MrenFeatureRow row =
		row_of("The steam engine often needs hot water", "steam engine", "hot water");
	MrenLexiconTypes types = {0};
	MrenLexicon *lexicon;

	(void) state;
	assert_int_equal(make_lexicon(&test.env, &lexicon, &err), MREN_OK);
	assert_int_equal(mren_lexicon_types(&test.env, tokenizer, (const MrenLexicon *const *) &lexicon,
										1, &row, &types, &err),
					 MREN_OK);
	assert_int_equal(row.lexicon.n_head, 1);
	assert_true(row.lexicon.head[0] == type("noun.machine"));
	assert_int_equal(row.lexicon.n_tail, 1);
	assert_true(row.lexicon.tail[0] == type("noun.substance"));
	/* Types of tokens: engine, needs, water, in their places. */
	assert_int_equal(row.lexicon.starts[row.n_tokens], 3);
	assert_int_equal(row.lexicon.starts[3], 1);
	assert_int_equal(row.lexicon.starts[4], 1);
	assert_int_equal(row.lexicon.starts[5], 2);
	assert_true(row.lexicon.types[1] == type("verb.stative"));
	assert_int_equal(mren_features_extract(&test.env, &row, &features, &err), MREN_OK);
	assert_true(has(MREN_FEATURE_LEXICON, 0, type("noun.machine"), 0, 0));
	assert_false(has(MREN_FEATURE_LEXICON, 0, type("noun.artifact"), 0, 0));
	assert_true(has(MREN_FEATURE_LEXICONS, 0, type("noun.machine"), type("noun.substance"), 0));
	assert_true(has(MREN_FEATURE_LEXICON_BETWEEN, 0, type("verb.stative"), 0, 0));
	mren_lexicon_types_free(&test.env, &types);
	mren_lexicon_free(lexicon);
}

/* Everything with memory of its own. */
static MrenStatus
whole_way(const MrenEnv *env, MrenError *error, void *arg)
{
	MrenFeatureRow row = *(const MrenFeatureRow *) arg;
	MrenFeatures mine = {0};
	MrenLexiconTypes types = {0};
	MrenLexicon *lexicon = NULL;
	MrenStatus status = make_lexicon(env, &lexicon, error);

	if (status == MREN_OK)
		status = mren_lexicon_types(env, tokenizer, (const MrenLexicon *const *) &lexicon, 1, &row,
									&types, error);
	if (status == MREN_OK)
		status = mren_features_extract(env, &row, &mine, error);
	mren_features_free(env, &mine);
	mren_lexicon_types_free(env, &types);
	mren_lexicon_free(lexicon);
	return status;
}

/* Every measure of two pairs of boxes, worked out by hand from its definition. */
static void
test_bins_of_boxes(void **state)
{
	static const struct
	{
		float head[4];
		float tail[4];
		uint32_t bins[MREN_BOX_BINS];
	} pairs[] = {
		/*
		 * Centres half a mean side apart both ways; 1/16 of the image in common, 1/7 of the
		 * union and a quarter of each; sides half shared; the tail begins half a head above
		 * the head's lower side and ends as far below it.
		 */
		{{0, 0, 0.5f, 0.5f},
		 {0.25f, 0.25f, 0.75f, 0.75f},
		 {5, 2, 2, 2, 2, 3, 2, 2, 2, 4, 5 * 8 + 2, 2 * 8 + 2, 5 * 8 + 2, 2 * 8 + 2, 3}},
		/*
		 * Apart: 5/3 mean widths to the right and 3 mean heights below; the head has half
		 * the tail's area; the tail begins 2 heads below the head and ends 3 below it.
		 */
		{{0, 0, 0.25f, 0.25f},
		 {0.5f, 0.75f, 1, 1},
		 {6, 4, 0, 0, 0, 2, 0, 0, 5, 4, 6 * 8 + 4, 0, 6 * 8, 5, 4}},
		/* The tail, of 1/16 of its area, within the head at the middle of its upper side. */
		{{0, 0, 1, 1},
		 {0.375f, 0, 0.625f, 0.25f},
		 {1, 0, 2, 1, 4, 5, 3, 3, 0, 0, 1 * 8, 1 * 8 + 4, 1 * 8 + 2, 3 * 8, 2}},
	};

	(void) state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
	{
		uint32_t bins[MREN_BOX_BINS];

		mren_feature_box_bins(pairs[i].head, pairs[i].tail, bins);
		for (size_t j = 0; j < MREN_BOX_BINS; j++)
			assert_int_equal(bins[j], pairs[i].bins[j]);
	}
}

/* Their areas are too small for a float: whatever the bins, they are some and the same. */
static void
test_bins_of_slivers(void **state)
{
	const float head[4] = {0, 0, 1e-30f, 1e-30f};
	const float tail[4] = {0, 0, 1e-25f, 1e-25f};
	uint32_t bins[2][MREN_BOX_BINS];

	(void) state;
	mren_feature_box_bins(head, tail, bins[0]);
	mren_feature_box_bins(head, tail, bins[1]);
	assert_memory_equal(bins[0], bins[1], sizeof(bins[0]));
	for (size_t i = 0; i < MREN_BOX_BINS; i++)
		assert_true(bins[0][i] < 64);
}

/* Features of boxes follow the others, which stay as they are. */
static void
test_boxes(void **state)
{
	const float head[4] = {0, 0, 0.5f, 0.5f};
	const float tail[4] = {0.25f, 0.25f, 0.75f, 0.75f};
	const char *text = "The hat and the dog.";
	MrenFeatureRow row = row_of(text, "hat", "dog");
	uint32_t words[MREN_MAX_FEATURES];
	size_t n;

	(void) state;
	extract(text, "hat", "dog");
	n = features.n;
	assert_int_equal(features.n_boxes, 0);
	memcpy(words, features.codes, n * sizeof(uint32_t));
	row.head_box = head;
	row.tail_box = tail;
	assert_int_equal(mren_features_extract(&test.env, &row, &features, &err), MREN_OK);
	assert_int_equal(features.n_boxes, 4 * MREN_BOX_BINS);
	assert_int_equal(features.n, n + 4 * MREN_BOX_BINS);
	assert_memory_equal(features.codes, words, n * sizeof(uint32_t));
	for (size_t i = n + 1; i < features.n; i++)
		assert_true(features.codes[i - 1] < features.codes[i]);
	/* The first measure is in bin 5 and the fourteenth in 18: see above. */
	assert_true(has(MREN_FEATURE_BOX, 0, 5, 0, 0));
	assert_true(has(MREN_FEATURE_BOX_HEAD, 0, 5, word("hat"), 0));
	assert_true(has(MREN_FEATURE_BOX_TAIL, 13, 18, word("dog"), 0));
	assert_true(has(MREN_FEATURE_BOX_HEADS, 13, 18, word("hat"), word("dog")));
	row.head_type = (MrenTextSpan){"THING", 5};
	assert_int_equal(mren_features_extract(&test.env, &row, &features, &err), MREN_OK);
	assert_int_equal(features.n_boxes, 7 * MREN_BOX_BINS);
	/* One box alone says nothing of the two. */
	row.tail_box = NULL;
	assert_int_equal(mren_features_extract(&test.env, &row, &features, &err), MREN_OK);
	assert_int_equal(features.n_boxes, 0);
}

/* What is in the boxes counts, not which is named first. */
static void
test_boxes_whichever_way_round(void **state)
{
	const float head[4] = {0, 0, 0.5f, 0.5f};
	const float tail[4] = {0.25f, 0.25f, 0.75f, 0.75f};
	MrenFeatureRow row = row_of("The hat and the dog.", "hat", "dog");
	uint32_t codes[4 * MREN_BOX_BINS];

	(void) state;
	row.head_box = head;
	row.tail_box = tail;
	assert_int_equal(mren_features_extract(&test.env, &row, &features, &err), MREN_OK);
	assert_int_equal(features.n_boxes, 4 * MREN_BOX_BINS);
	memcpy(codes, features.codes + features.n - features.n_boxes, sizeof(codes));
	row = row_of("A dog that wears a hat.", "hat", "dog");
	row.head_box = head;
	row.tail_box = tail;
	assert_int_equal(mren_features_extract(&test.env, &row, &features, &err), MREN_OK);
	assert_int_equal(features.n_boxes, 4 * MREN_BOX_BINS);
	assert_memory_equal(codes, features.codes + features.n - features.n_boxes, sizeof(codes));
}

static void
test_allocations_may_fail(void **state)
{
	MrenFeatureRow row = row_of("The steam engine needs hot water", "steam engine", "hot water");

	(void) state;
	test_allocation_sweep(whole_way, &row);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_code_is_a_chain_of_hashes),
		cmocka_unit_test(test_words_between),
		cmocka_unit_test(test_mentions_and_what_is_around),
		cmocka_unit_test(test_order_counts),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_folding),
		cmocka_unit_test(test_long_rows_are_bounded),
		cmocka_unit_test(test_lexicon_types),
		cmocka_unit_test(test_bins_of_boxes),
		cmocka_unit_test(test_bins_of_slivers),
		cmocka_unit_test(test_boxes),
		cmocka_unit_test(test_boxes_whichever_way_round),
		cmocka_unit_test(test_allocations_may_fail),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
