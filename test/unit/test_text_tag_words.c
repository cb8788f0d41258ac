/*
 * test_text_tag_words.c
 *	  The words that a tagger sees: where they are cut, with and without a
 *	  vocabulary, and what their features tell apart.
 */
#include "support.h"

#include <string.h>

#include "text/word_shape.h"
#include "text/tag_words.h"

/* A vocabulary of a few words. */
static MrenStatus
find_word(void *state, const char *word, size_t len, int32_t *id, MrenError *err)
{
	const char *const *known = state;

	(void) err;
	*id = -1;
	for (int32_t i = 0; known[i] != NULL; i++)
	{
		if (strlen(known[i]) == len && memcmp(known[i], word, len) == 0)
			*id = i;
	}
	return MREN_OK;
}

static const char *const few[] = {"calif.", "paris", "based", NULL};

typedef struct Words
{
	TestEnv test;
	MrenTokenizer *tokenizer;
	MrenTagWords words;
} Words;

static void
words_init(Words *w)
{
	MrenError err = {0};

	memset(w, 0, sizeof(*w));
	test_env_init(&w->test);
	assert_int_equal(mren_tokenizer_open(&w->test.env, &w->tokenizer, &err), MREN_OK);
}

static void
words_free(Words *w)
{
	mren_tag_words_free(&w->test.env, &w->words);
	mren_tokenizer_close(w->tokenizer);
	assert_int_equal(w->test.n_live, 0);
}

/* The text's words joined by "|". */
static const char *
cut(Words *w, const char *text, bool known, const uint32_t *borders, size_t n_borders)
{
	static char joined[512];
	const MrenVocabulary vocabulary = {(void *) few, find_word};
	MrenError err = {0};

	assert_int_equal(mren_tag_words(w->tokenizer, &w->test.env, known ? &vocabulary : NULL,
									&(MrenTagText){{text, strlen(text)}, borders, n_borders},
									&w->words, &err),
					 MREN_OK);
	joined[0] = '\0';
	for (size_t i = 0; i < w->words.n_words; i++)
	{
		const MrenToken *span = &w->words.spans[i];

		if (i > 0)
			strcat(joined, "|");
		strncat(joined, text + span->start, span->end - span->start);
		/* At least a spelling and a pattern; all features lie in order. */
		assert_true(w->words.starts[i + 1] >= w->words.starts[i] + 2);
		assert_true(w->words.starts[i + 1] - w->words.starts[i] <= MREN_TAG_WORD_FEATURES);
	}
	return joined;
}

static void
test_cuts(void **state)
{
	Words w;

	(void) state;
	words_init(&w);
	assert_string_equal(cut(&w, "The U.S. and J. Smith.", false, NULL, 0),
						"The|U.S.|and|J.|Smith|.");
	assert_string_equal(cut(&w, "a dog's Paris-based bone", false, NULL, 0),
						"a|dog|'s|Paris|-|based|bone");
	assert_string_equal(cut(&w, "Cosby 's", false, NULL, 0), "Cosby|'s");
	/* Only a vocabulary knows that this is one word. */
	assert_string_equal(cut(&w, "in Calif. now", false, NULL, 0), "in|Calif|.|now");
	assert_string_equal(cut(&w, "in Calif. now", true, NULL, 0), "in|Calif.|now");
	assert_string_equal(cut(&w, "", true, NULL, 0), "");
	assert_string_equal(cut(&w, " \t ", true, NULL, 0), "");
	words_free(&w);
}

static void
test_borders(void **state)
{
	/* "U.S" ends before the full stop; "Paris" amid "Parisian". */
	const uint32_t borders[] = {0, 3, 5, 10};
	Words w;

	(void) state;
	words_init(&w);
	assert_string_equal(cut(&w, "U.S. Parisian", false, borders, 4), "U.S|.|Paris|ian");
	/* Characters are counted, not bytes. */
	assert_string_equal(cut(&w, "é Parisian", false, (const uint32_t[]){3, 8}, 2), "é|Paris|ian");
	assert_int_equal(w.words.spans[1].char_start, 2);
	assert_int_equal(w.words.spans[1].char_end, 7);
	assert_int_equal(w.words.spans[2].char_start, 7);
	/* Borders at the text's ends, and where there are no words, change nothing. */
	assert_string_equal(cut(&w, "a  b", false, (const uint32_t[]){0, 2, 4}, 3), "a|b");
	words_free(&w);
}

static void
test_what_words_are(void **state)
{
	Words w;

	(void) state;
	words_init(&w);
	cut(&w, "Paris PARIS 1994 zzz", true, NULL, 0);
	assert_int_equal(w.words.n_words, 4);
	assert_int_equal(w.words.words[0], 1);
	assert_int_equal(w.words.words[1], 1);
	assert_int_equal(w.words.words[2], -1 - MREN_SHAPE_YEAR);
	assert_int_equal(w.words.shapes[1], MREN_SHAPE_ALL_CAPS);
	/* The same spelling but for case, another pattern. */
	assert_int_equal(w.words.features[w.words.starts[0]], w.words.features[w.words.starts[1]]);
	assert_int_not_equal(w.words.features[w.words.starts[0] + 1],
						 w.words.features[w.words.starts[1] + 1]);
	words_free(&w);
}

static uint32_t
n_features(const Words *w, size_t word)
{
	return w->words.starts[word + 1] - w->words.starts[word];
}

/*
 * A full stop that touches its word tells something where others are set off,
 * and nothing where all touch.
 */
static void
test_touching(void **state)
{
	uint32_t word;
	uint32_t stop;
	Words w;

	(void) state;
	words_init(&w);
	assert_string_equal(cut(&w, "so , in Baker.", false, NULL, 0), "so|,|in|Baker|.");
	word = n_features(&w, 3);
	stop = n_features(&w, 4);
	cut(&w, "so, in Baker.", false, NULL, 0);
	assert_int_equal(n_features(&w, 3), word - 1);
	assert_int_equal(n_features(&w, 4), stop - 1);
	/* Set off itself; the others as without. */
	cut(&w, "so , in Baker .", false, NULL, 0);
	assert_int_equal(n_features(&w, 3), word - 1);
	assert_int_equal(n_features(&w, 4), stop - 1);
	/* A bracket's inside touches it in every text. */
	cut(&w, "so (in) Baker.", false, NULL, 0);
	assert_int_equal(n_features(&w, 4), word - 1);
	words_free(&w);
}

static MrenStatus
use_all(const MrenEnv *env, MrenError *err, void *arg)
{
	static const uint32_t borders[] = {3, 7};
	MrenTokenizer *tokenizer;
	MrenTagWords words = {0};
	MrenStatus status;

	MREN_TRY(mren_tokenizer_open(env, &tokenizer, err));
	status = mren_tag_words(tokenizer, env, NULL, &(MrenTagText){{arg, strlen(arg)}, borders, 2},
							&words, err);
	mren_tag_words_free(env, &words);
	mren_tokenizer_close(tokenizer);
	return status;
}

static void
test_sweeps(void **state)
{
	char text[] = "The U.S. and J. Smith's \xe2\x82\xac 1,000, well-known.";
	MrenError err = {0};
	Words w;

	(void) state;
	test_allocation_sweep(use_all, text);
	words_init(&w);
	assert_int_equal(mren_tag_words(w.tokenizer, &w.test.env, NULL,
									&(MrenTagText){{"a \xff", 3}, NULL, 0}, &w.words, &err),
					 MREN_EDATA);
	words_free(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cuts),		   cmocka_unit_test(test_borders),
		cmocka_unit_test(test_what_words_are), cmocka_unit_test(test_touching),
		cmocka_unit_test(test_sweeps),
	};

	return cmocka_run_group_tests_name("text_tag_words", tests, NULL, NULL);
}
