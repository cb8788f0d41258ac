/*
 * test_text_mention.c
 *	  Where mentions are found, and what is said when they are not.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/clitic.h"
#include "text/mention.h"
#include "text/border.h"

static TestEnv test;
static MrenTokenizer *tokenizer;
static MrenTokens tokens;
static MrenError err;

static int
set_up(void **state)
{
	(void) state;
	test_env_init(&test);
	memset(&tokens, 0, sizeof(tokens));
	return mren_tokenizer_open(&test.env, &tokenizer, NULL) == MREN_OK ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void) state;
	mren_tokens_free(&test.env, &tokens);
	mren_tokenizer_close(tokenizer);
	return test.n_live == 0 ? 0 : -1;
}

static MrenStatus
find(const char *text, const MrenMention *mention, MrenToken *place)
{
	size_t len = strlen(text);

	memset(&err, 0, sizeof(err));
	memset(place, 0xA5, sizeof(*place));
	assert_int_equal(mren_tokenize(tokenizer, &test.env, text, len, &tokens, NULL), MREN_OK);
	return mren_mention_find(&test.env, "head", mention, (MrenTextSpan){text, len}, &tokens, place,
							 &err);
}

static MrenStatus
find_text(const char *text, const char *mention, MrenToken *place)
{
	return find(text, &(MrenMention){.text = mention, .len = strlen(mention)}, place);
}

static MrenStatus
find_range(const char *text, int32_t lower, int32_t upper, MrenToken *place)
{
	return find(text, &(MrenMention){.is_range = true, .lower = lower, .upper = upper}, place);
}

static void
assert_place(MrenToken place, uint32_t start, uint32_t end, uint32_t char_start, uint32_t char_end)
{
	assert_int_equal(place.start, start);
	assert_int_equal(place.end, end);
	assert_int_equal(place.char_start, char_start);
	assert_int_equal(place.char_end, char_end);
}

static void
assert_failure(MrenStatus status, MrenStatus want, const char *message, const char *detail,
			   const char *hint)
{
	assert_int_equal(status, want);
	assert_string_equal(err.message, message);
	assert_string_equal(err.detail, detail);
	assert_string_equal(err.hint, hint);
}

static void
text_is_found_at_its_first_whole_occurrence(void **state)
{
	MrenToken place;

	(void) state;
	/* "cat" inside "concatenate" and "cats" is passed over. */
	assert_int_equal(find_text("cats concatenate a cat, cat", "cat", &place), MREN_OK);
	assert_place(place, 19, 22, 19, 22);
	assert_int_equal(find_text("Bill Cosby star", " Bill Cosby\t", &place), MREN_OK);
	assert_place(place, 0, 10, 0, 10);
	assert_int_equal(find_text("a rib-cage", "rib", &place), MREN_OK);
	assert_place(place, 2, 5, 2, 5);
	/* Characters, not bytes: four of the first two words are two bytes long. */
	assert_int_equal(find_text("Ünï Çö cat", "cat", &place), MREN_OK);
	assert_place(place, 11, 14, 7, 10);
	/* A mention that overlaps itself: only the second start is a border. */
	assert_int_equal(find_text("aaa aa", "aa", &place), MREN_OK);
	assert_place(place, 4, 6, 4, 6);
	assert_int_equal(find_text("(x)", "(x)", &place), MREN_OK);
	assert_place(place, 0, 3, 0, 3);
}

static void
apostrophe_endings_are_no_part_of_a_mention(void **state)
{
	MrenToken place;

	(void) state;
	assert_int_equal(find_text("see Bill Cosby's star", "Bill Cosby", &place), MREN_OK);
	assert_place(place, 4, 14, 4, 14);
	assert_int_equal(find_text("Cosby\xE2\x80\x99s star", "Cosby", &place), MREN_OK);
	assert_place(place, 0, 5, 0, 5);
	assert_int_equal(find_text("the averylongname's star", "averylongname", &place), MREN_OK);
	assert_place(place, 4, 17, 4, 17);
	assert_int_equal(find_text("O'Brien", "O", &place), MREN_EDATA);
}

static void
scripts_without_spaces_may_be_cut_anywhere(void **state)
{
	MrenToken place;

	(void) state;
	/* ICU has 中国 as one word; a mention of 国 is legitimate all the same. */
	assert_int_equal(find_text("北京是中国的首都", "国的首", &place), MREN_OK);
	assert_place(place, 12, 21, 4, 7);
	/* But never between a Thai consonant and the vowel above it. */
	assert_int_equal(find_text("ดี", "ด", &place), MREN_EDATA);
}

static void
ranges_count_characters_and_may_cut_tokens(void **state)
{
	MrenToken place;

	(void) state;
	assert_int_equal(find_range("Ünï Çö cat", 7, 10, &place), MREN_OK);
	assert_place(place, 11, 14, 7, 10);
	assert_int_equal(find_range("Ünï Çö cat", 1, 5, &place), MREN_OK);
	assert_place(place, 2, 8, 1, 5);
	assert_int_equal(find_range("concatenate", 3, 6, &place), MREN_OK);
	assert_place(place, 3, 6, 3, 6);
	/* White space at the ends is left out. */
	assert_int_equal(find_range("a  bc  d", 1, 7, &place), MREN_OK);
	assert_place(place, 3, 5, 3, 5);
	assert_int_equal(find_range(" a ", 0, 3, &place), MREN_OK);
	assert_place(place, 1, 2, 1, 2);
}

static void
impossible_ranges_are_refused(void **state)
{
	MrenToken place;

	(void) state;
	assert_failure(find_range("a dog", 3, 9, &place), MREN_EPARAM,
				   "head range [3,9) is outside the sentence of 5 characters", "", "");
	assert_failure(find_range("ÄÖ", 0, 3, &place), MREN_EPARAM,
				   "head range [0,3) is outside the sentence of 2 characters", "",
				   "Ranges count characters, not bytes or UTF-16 code units.");
	assert_failure(find_range("a dog", -1, 2, &place), MREN_EPARAM,
				   "head range [-1,2) is outside the sentence of 5 characters", "", "");
	assert_failure(find_range("a dog", 2, 2, &place), MREN_EPARAM, "head range [2,2) is empty", "",
				   "");
	assert_failure(find_range("a   dog", 1, 4, &place), MREN_EPARAM,
				   "head range [1,4) covers only white space", "", "");
	assert_failure(find_range("a   ", 1, 3, &place), MREN_EPARAM,
				   "head range [1,3) covers only white space", "", "");
	assert_failure(find_range("", 0, 1, &place), MREN_EPARAM,
				   "head range [0,1) is outside the sentence of 0 characters", "", "");
}

static void
absent_mentions_are_explained(void **state)
{
	MrenToken place;

	(void) state;
	assert_failure(find_text("a cat", "dog", &place), MREN_EDATA,
				   "head mention \"dog\" does not occur in the sentence",
				   "The sentence is \"a cat\".", "");
	assert_failure(find_text("Ü concatenate", "cat", &place), MREN_EDATA,
				   "head mention \"cat\" does not occur in the sentence",
				   "It occurs only as a part of longer words.",
				   "Give its place as a range: int4range(5, 8).");
	assert_failure(find_text("The ÄRZTE play", "die ärzte", &place), MREN_EDATA,
				   "head mention \"die ärzte\" does not occur in the sentence",
				   "The sentence is \"The ÄRZTE play\".", "");
	assert_failure(find_text("The ÄRZTE play", "the ärzte", &place), MREN_EDATA,
				   "head mention \"the ärzte\" does not occur in the sentence",
				   "The sentence has \"The ÄRZTE\".", "Upper and lower case must agree.");
	assert_failure(find_text("a cat", "[3,5)", &place), MREN_EDATA,
				   "head mention \"[3,5)\" does not occur in the sentence", "",
				   "Cast it: '[3,5)'::int4range.");
	assert_failure(find_text("a cat", " \t", &place), MREN_EDATA, "head mention is empty", "", "");
	assert_failure(find_text("a cat", "", &place), MREN_EDATA, "head mention is empty", "", "");
	/* A zero-width space is no word either. */
	assert_failure(find_text("a \xE2\x80\x8B cat", "\xE2\x80\x8B", &place), MREN_EDATA,
				   "head mention is empty", "", "");
	assert_failure(find_text("a cat", "d\xFFg", &place), MREN_EDATA,
				   "head mention is not valid UTF-8 at byte 2", "", "");
}

/* A mention that looks like the sentence's text, and the detail that tells them apart. */
static void
look_alikes_are_told_apart(void **state)
{
	static const struct
	{
		const char *text;
		const char *mention;
		const char *detail;
		const char *range;
	} cases[] = {
		{"Eva\xC2\xA0Holm works", "Eva Holm",
		 "The sentence has U+00A0 NO-BREAK SPACE where the mention has a space.", "(0, 8)"},
		{"so Rene\xCC\x81 Koch works", "Ren\xC3\xA9 Koch",
		 "The sentence has U+0065 LATIN SMALL LETTER E and U+0301 COMBINING ACUTE ACCENT where the "
		 "mention has U+00E9 LATIN SMALL LETTER E WITH ACUTE.",
		 "(3, 13)"},
		{"Liam O\xE2\x80\x99"
		 "Brien works",
		 "Liam O'Brien",
		 "The sentence has U+2019 RIGHT SINGLE QUOTATION MARK where the mention has U+0027 "
		 "APOSTROPHE.",
		 "(0, 12)"},
		{"Jean\xE2\x80\x91Luc works", "Jean-Luc",
		 "The sentence has U+2011 NON-BREAKING HYPHEN where the mention has U+002D HYPHEN-MINUS.",
		 "(0, 8)"},
		{"Eva\xE2\x80\x8B Holm works", "Eva Holm",
		 "The sentence has U+200B ZERO WIDTH SPACE after \"Eva\", and the mention does not.",
		 "(0, 9)"},
		{"Eva Holm works", "Eva \xE2\x80\x8BHolm",
		 "The mention has U+200B ZERO WIDTH SPACE after \"Eva \", and the sentence does not.",
		 "(0, 8)"},
		{"Eva  Holm works", "Eva Holm",
		 "The sentence has a space after \"Eva \", and the mention does not.", "(0, 9)"},
		{"Eva\nHolm works", "Eva Holm",
		 "The sentence has U+000A LINE FEED where the mention has a space.", "(0, 8)"},
		{"Hans GROSS works", "Hans Gro\xC3\x9F",
		 "The sentence has U+0053 LATIN CAPITAL LETTER S and U+0053 LATIN CAPITAL LETTER S where "
		 "the "
		 "mention has U+00DF LATIN SMALL LETTER SHARP S.",
		 "(0, 10)"},
		{"the Eva\xC2\xA0Holm's work", "Eva Holm",
		 "The sentence has U+00A0 NO-BREAK SPACE where the mention has a space.", "(4, 12)"},
	};
	char hint[200];
	MrenToken place;

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
	{
		snprintf(hint, sizeof(hint),
				 "Copy the mention from the sentence, or give its place as a range: int4range%s.",
				 cases[i].range);
		assert_int_equal(find_text(cases[i].text, cases[i].mention, &place), MREN_EDATA);
		assert_string_equal(err.detail, cases[i].detail);
		assert_string_equal(err.hint, hint);
	}
	/* What is equal but for one accent is another name. */
	assert_int_equal(find_text("Rene Koch works", "Ren\xC3\xA9 Koch", &place), MREN_EDATA);
	assert_string_equal(err.detail, "The sentence is \"Rene Koch works\".");
}

/* Each token begins like the mention, whose end is missing: the search gives up. */
static void
hostile_near_misses_end(void **state)
{
	const size_t n = 60000;
	char *text = malloc(n + 1);
	char mention[400];
	MrenToken place;

	(void) state;
	for (size_t i = 0; i < n; i++)
		text[i] = i % 2 == 0 ? 'a' : ' ';
	text[n] = '\0';
	for (size_t i = 0; i < sizeof(mention) - 1; i++)
		mention[i] = i % 2 == 0 ? 'a' : ' ';
	mention[sizeof(mention) - 2] = 'b';
	mention[sizeof(mention) - 1] = '\0';
	test.n_checks = 0;
	assert_int_equal(find_text(text, mention, &place), MREN_EDATA);
	assert_true(test.n_checks < 60000);
	free(text);
}

static void
long_mentions_are_shortened_in_messages(void **state)
{
	char mention[301];
	MrenToken place;

	(void) state;
	memset(mention, 'x', 300);
	mention[300] = '\0';
	assert_int_equal(find_text("a cat", mention, &place), MREN_EDATA);
	assert_true(strlen(err.message) < 120);
	assert_non_null(strstr(err.message, "xxx...\" does not occur"));
}

/*
 * One token of a megabyte that the mention fills but for its end: each byte is
 * an occurrence, and each but the first is passed over at once.
 */
static void
hostile_repetition_is_no_quadratic_search(void **state)
{
	const size_t n = 1000000;
	char *text = malloc(n + 1);
	char *mention = malloc(n / 2 + 1);
	MrenToken place;

	(void) state;
	memset(text, 'a', n);
	text[n] = '\0';
	memset(mention, 'a', n / 2);
	mention[n / 2] = '\0';
	test.n_checks = 0;
	assert_int_equal(find_text(text, mention, &place), MREN_EDATA);
	assert_string_equal(err.detail, "It occurs only as a part of longer words.");
	assert_true(test.n_checks < 300);
	free(text);
	free(mention);
}

static void
clitics_are_told_from_other_apostrophes(void **state)
{
	static const struct
	{
		const char *word;
		size_t length;
	} cases[] = {{"dog's", 2},
				 {"dog\xE2\x80\x99s", 4},
				 {"don't", 3},
				 {"DON'T", 3},
				 {"can\xE2\x80\x99t", 5},
				 {"we'll", 3},
				 {"they're", 3},
				 {"I've", 3},
				 {"I'd", 2},
				 {"I'm", 2},
				 {"O'Brien", 0},
				 {"o'clock", 0},
				 {"'s", 0},
				 {"n't", 0},
				 {"cat't", 0},
				 {"s", 0},
				 {"'ll", 0},
				 {"", 0},
				 {"l'a", 0}};

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
	{
		size_t length = mren_clitic_length(cases[i].word, strlen(cases[i].word));

		if (length != cases[i].length)
			fail_msg("\"%s\": %zu", cases[i].word, length);
	}
}

/* The readings under which a span is no slip, as letters; NULL if it is none. */
static const char *
readings_of(const char *text, int32_t lower, int32_t upper, const char *name)
{
	static const char letters[] = "i1luB";
	static char found[MREN_SPAN_READINGS + 1];
	MrenTextWithSpan with = {
		.text = {text, (uint32_t) strlen(text)}, .tokens = &tokens, .lower = lower, .upper = upper};
	MrenSpanSlip slip;
	size_t n = 0;

	if (name != NULL)
		with.name = (MrenTextSpan){name, (uint32_t) strlen(name)};
	assert_int_equal(mren_tokenize(tokenizer, &test.env, text, strlen(text), &tokens, NULL),
					 MREN_OK);
	if (!mren_span_slip(&with, &slip))
		return NULL;
	for (size_t i = 0; i < MREN_SPAN_READINGS; i++)
	{
		if (slip.fits[i])
			found[n++] = letters[i];
	}
	found[n] = '\0';
	return found;
}

static void
spans_that_cut_words_are_told_with_other_readings(void **state)
{
	/* Two characters outside the basic plane: 2 characters, 4 code units, 8 bytes. */
	const char *party = "\xF0\x9F\x8E\x89\xF0\x9F\x8E\x89 Eva left Oslo";

	(void) state;
	assert_null(readings_of("Eva left Oslo", 0, 3, NULL));
	assert_null(readings_of("Eva's dog", 0, 3, NULL));
	assert_null(readings_of("Eva left Oslo", 3, 4, NULL));
	assert_string_equal(readings_of("Eva left Oslo", 0, 2, NULL), "i");
	assert_string_equal(readings_of("Eva left Oslo", 1, 4, NULL), "1");
	assert_string_equal(readings_of("Eva left Oslo", 1, 3, NULL), "l");
	assert_string_equal(readings_of(party, 5, 8, NULL), "u");
	assert_string_equal(readings_of(party, 9, 12, NULL), "B");
	assert_string_equal(readings_of("Eva left Oslo", 5, 7, NULL), "");
	/* Scripts without spaces, and ranges that other checks refuse. */
	assert_null(readings_of("\xE4\xBB\x96\xE5\x9C\xA8\xE5\x8C\x97\xE4\xBA\xAC", 1, 3, NULL));
	assert_null(readings_of("Eva", 2, 2, NULL));
	assert_null(readings_of("Eva", 2, 4, NULL));
	assert_null(readings_of("Eva", -1, 2, NULL));
	/* A name that is elsewhere in the text. */
	assert_string_equal(readings_of("a Bo Al", 2, 7, "Bo"), "");
	assert_null(readings_of("a Bo Al", 2, 7, "Bob"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_found_at_its_first_whole_occurrence),
		cmocka_unit_test(apostrophe_endings_are_no_part_of_a_mention),
		cmocka_unit_test(scripts_without_spaces_may_be_cut_anywhere),
		cmocka_unit_test(ranges_count_characters_and_may_cut_tokens),
		cmocka_unit_test(impossible_ranges_are_refused),
		cmocka_unit_test(absent_mentions_are_explained),
		cmocka_unit_test(look_alikes_are_told_apart),
		cmocka_unit_test(hostile_near_misses_end),
		cmocka_unit_test(long_mentions_are_shortened_in_messages),
		cmocka_unit_test(hostile_repetition_is_no_quadratic_search),
		cmocka_unit_test(spans_that_cut_words_are_told_with_other_readings),
		cmocka_unit_test(clitics_are_told_from_other_apostrophes),
	};

	return cmocka_run_group_tests_name("text mentions", tests, set_up, tear_down);
}
