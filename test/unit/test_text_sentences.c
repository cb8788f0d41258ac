/*
 * test_text_sentences.c
 *	  Where sentences end, and where not; their positions.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "text/abbreviation.h"
#include "text/sentences.h"

typedef struct Fixture
{
	TestEnv test;
	MrenSentencer *sentencer;
	MrenTokens sentences;
} Fixture;

static void
open_fixture(Fixture *fixture)
{
	memset(fixture, 0, sizeof(*fixture));
	test_env_init(&fixture->test);
	assert_int_equal(mren_sentencer_open(&fixture->test.env, "", &fixture->sentencer, NULL),
					 MREN_OK);
}

static void
close_fixture(Fixture *fixture)
{
	mren_tokens_free(&fixture->test.env, &fixture->sentences);
	mren_sentencer_close(fixture->sentencer);
	assert_int_equal(fixture->test.n_live, 0);
}

/* The sentences of text joined by "|". */
static const char *
joined(Fixture *fixture, const char *text)
{
	static char out[4096];
	size_t used = 0;
	MrenError err = {0};

	if (mren_sentences(fixture->sentencer, &fixture->test.env, text, strlen(text),
					   &fixture->sentences, &err) != MREN_OK)
		return strcpy(out, err.message);
	for (size_t i = 0; i < fixture->sentences.n; i++)
	{
		MrenToken sentence = fixture->sentences.items[i];

		if (i > 0)
			out[used++] = '|';
		memcpy(out + used, text + sentence.start, sentence.end - sentence.start);
		used += sentence.end - sentence.start;
	}
	out[used] = '\0';
	return out;
}

static void
sentences_end_as_unicode_says(void **state)
{
	Fixture fixture;

	(void) state;
	open_fixture(&fixture);
	assert_string_equal(joined(&fixture, "One. Two! Three? Four"), "One.|Two!|Three?|Four");
	/* Examples of UAX #29, section 5. */
	assert_string_equal(joined(&fixture, "He said \xE2\x80\x9CYes.\xE2\x80\x9D Then he left."),
						"He said \xE2\x80\x9CYes.\xE2\x80\x9D|Then he left.");
	assert_string_equal(joined(&fixture, "It is 3.4 or c.d or the resp. leaders are."),
						"It is 3.4 or c.d or the resp. leaders are.");
	/* 你好。再见。 */
	assert_string_equal(
		joined(&fixture,
			   "\xE4\xBD\xA0\xE5\xA5\xBD\xE3\x80\x82\xE5\x86\x8D\xE8\xA7\x81\xE3\x80\x82"),
		"\xE4\xBD\xA0\xE5\xA5\xBD\xE3\x80\x82|\xE5\x86\x8D\xE8\xA7\x81\xE3\x80\x82");
	assert_string_equal(joined(&fixture, ""), "");
	assert_string_equal(joined(&fixture, " \n\n \t "), "");
	close_fixture(&fixture);
}

static void
abbreviations_do_not_end_a_sentence(void **state)
{
	Fixture fixture;

	(void) state;
	open_fixture(&fixture);
	assert_string_equal(joined(&fixture, "Mr. Smith met Dr. Who. They left."),
						"Mr. Smith met Dr. Who.|They left.");
	assert_string_equal(joined(&fixture, "George W. Bush and J. R. R. Tolkien. Both."),
						"George W. Bush and J. R. R. Tolkien.|Both.");
	assert_string_equal(joined(&fixture, "In the U.S. Senate. In the U.S. The end."),
						"In the U.S. Senate.|In the U.S.|The end.");
	assert_string_equal(joined(&fixture, "Apple Inc. President Cook. Apple Inc. He went."),
						"Apple Inc. President Cook.|Apple Inc.|He went.");
	assert_string_equal(joined(&fixture, "No. 5 is alive. He said no. Then he left."),
						"No. 5 is alive.|He said no.|Then he left.");
	assert_string_equal(joined(&fixture, "St. Louis, Mo. Police said (Gen. Lee) so."),
						"St. Louis, Mo. Police said (Gen. Lee) so.");
	assert_string_equal(joined(&fixture, "It was a program. It ran."), "It was a program.|It ran.");
	assert_true(mren_abbreviation_goes_on(MREN_ABBREVIATIONS_ANY, "Mr. X", 4, 5));
	assert_false(mren_abbreviation_goes_on(MREN_ABBREVIATIONS_ANY, "Mr X", 3, 4));
	assert_false(mren_abbreviation_goes_on(MREN_ABBREVIATIONS_ANY, "", 0, 0));
	assert_false(mren_abbreviation_goes_on(MREN_ABBREVIATIONS_ANY, "U.S. ", 5, 5));
	assert_false(mren_abbreviation_goes_on(MREN_ABBREVIATIONS_ANY, "\xC3\xA9\x6D\x72. X", 6, 7));
	close_fixture(&fixture);
}

static void
brackets_ordinals_and_small_names(void **state)
{
	Fixture fixture;

	(void) state;
	open_fixture(&fixture);
	/* A mark belongs to the sentence before it, any other bracket to the one it begins. */
	assert_string_equal(joined(&fixture, "Eva left.[12] Bo came.[3][4, 5] End."),
						"Eva left.[12]|Bo came.[3][4, 5]|End.");
	assert_string_equal(joined(&fixture, "Eva left.[12]"), "Eva left.[12]");
	assert_string_equal(joined(&fixture, "Eva left.(Then she came.) End."),
						"Eva left.|(Then she came.)|End.");
	assert_string_equal(joined(&fixture, "Eva zog am 3. Mai nach Oslo. Im 19. Jahrhundert auch."),
						"Eva zog am 3. Mai nach Oslo.|Im 19. Jahrhundert auch.");
	assert_string_equal(joined(&fixture, "It was 1990. May came. She is 3. Mary is 4."),
						"It was 1990.|May came.|She is 3.|Mary is 4.");
	assert_string_equal(joined(&fixture, "Bo and I.  Eva likes it. Leibniz and I. Newton."),
						"Bo and I.|Eva likes it.|Leibniz and I. Newton.");
	assert_string_equal(
		joined(&fixture, "She likes it. iPhone sales fell. eBay too. It ran vs. iOS."),
		"She likes it.|iPhone sales fell.|eBay too.|It ran vs. iOS.");
	assert_string_equal(joined(&fixture, "The resp. leaders, approx. iPad size, Apple Inc. iPads."),
						"The resp. leaders, approx. iPad size, Apple Inc. iPads.");
	close_fixture(&fixture);
}

static void
a_blank_line_ends_a_sentence_and_a_line_break_does_not(void **state)
{
	Fixture fixture;

	(void) state;
	open_fixture(&fixture);
	assert_string_equal(joined(&fixture, "A sentence\nof two lines. Next."),
						"A sentence\nof two lines.|Next.");
	assert_string_equal(joined(&fixture, "A title\n\nA sentence."), "A title|A sentence.");
	assert_string_equal(joined(&fixture, "A title\r\n \t\r\nA sentence.\r\n"),
						"A title|A sentence.");
	assert_string_equal(joined(&fixture, "one\r\ntwo"), "one\r\ntwo");
	assert_string_equal(joined(&fixture, "one\xE2\x80\xA9two"), "one|two");
	close_fixture(&fixture);
}

static void
positions_are_in_bytes_and_characters(void **state)
{
	Fixture fixture;

	(void) state;
	open_fixture(&fixture);
	/* U+1F600 has four bytes and two UTF-16 units. */
	joined(&fixture, " \xF0\x9F\x98\x80 \xC3\xA9. B.");
	assert_int_equal(fixture.sentences.n, 2);
	assert_int_equal(fixture.sentences.items[0].start, 1);
	assert_int_equal(fixture.sentences.items[0].end, 9);
	assert_int_equal(fixture.sentences.items[0].char_start, 1);
	assert_int_equal(fixture.sentences.items[0].char_end, 5);
	assert_int_equal(fixture.sentences.items[1].start, 10);
	assert_int_equal(fixture.sentences.items[1].char_start, 6);
	assert_int_equal(fixture.sentences.items[1].char_end, 8);
	assert_string_equal(joined(&fixture, "ab\xFF"), "text is not valid UTF-8 at byte 3");
	close_fixture(&fixture);
}

/* Ten thousand sentences in one paragraph: windows neither lose nor cut one. */
static void
long_texts_are_cut_like_short_ones(void **state)
{
	static const char one[] = "Mr. Brown ate \xE4\xB8\xAD.  ";
	const size_t n = 10000;
	char *text = malloc(n * strlen(one) + 1);
	Fixture fixture;

	(void) state;
	open_fixture(&fixture);
	for (size_t i = 0; i < n; i++)
		strcpy(text + i * strlen(one), one);
	assert_int_equal(mren_sentences(fixture.sentencer, &fixture.test.env, text, strlen(text),
									&fixture.sentences, NULL),
					 MREN_OK);
	assert_int_equal(fixture.sentences.n, n);
	for (size_t i = 0; i < n; i++)
	{
		MrenToken sentence = fixture.sentences.items[i];

		assert_int_equal(sentence.start, i * strlen(one));
		assert_int_equal(sentence.end, i * strlen(one) + 18);
		assert_int_equal(sentence.char_start, i * (strlen(one) - 2));
	}
	free(text);
	close_fixture(&fixture);
}

static void
a_sentence_without_end_is_cut(void **state)
{
	const size_t n = 40000;
	char *text = malloc(n);
	Fixture fixture;

	(void) state;
	memset(text, 'a', n);
	open_fixture(&fixture);
	assert_int_equal(
		mren_sentences(fixture.sentencer, &fixture.test.env, text, n, &fixture.sentences, NULL),
		MREN_OK);
	assert_int_equal(fixture.sentences.n, 3);
	assert_int_equal(fixture.sentences.items[0].end, 16384);
	assert_int_equal(fixture.sentences.items[2].end, n);
	free(text);
	close_fixture(&fixture);
}

static MrenStatus
cut(const MrenEnv *env, MrenError *err, void *arg)
{
	MrenSentencer *sentencer;
	MrenTokens sentences = {0};
	MrenStatus status = mren_sentencer_open(env, "", &sentencer, err);

	if (status == MREN_OK)
		status = mren_sentences(sentencer, env, arg, strlen(arg), &sentences, err);
	mren_tokens_free(env, &sentences);
	mren_sentencer_close(sentencer);
	return status;
}

static void
failed_allocations_and_interruptions_are_reported(void **state)
{
	static char text[] = "A. Then b.\n\nC. And so on! D? E. F. The end.\n\nX. Y! Z? Eight. Nine. "
						 "Ten. Eleven. Twelve. Thirteen. Fourteen. Fifteen. Sixteen. Seventeen.";

	(void) state;
	test_allocation_sweep(cut, text);
	test_interrupt_sweep(cut, text);
}

static void
languages_have_rules_of_their_own(void **state)
{
	static const struct
	{
		const char *language;
		const char *text;
		const char *want;
	} cases[] = {
		{"", "Am 3. Mai kam Eva.", "Am 3. Mai kam Eva."},
		{"en", "Am 3. Mai kam Eva.", "Am 3.|Mai kam Eva."},
		{"de", "Am 3. Mai kam Eva.", "Am 3. Mai kam Eva."},
		{"", "Eva war am 5. Spieltag da.", "Eva war am 5.|Spieltag da."},
		{"de", "Eva war am 5. Spieltag da.", "Eva war am 5. Spieltag da."},
		{"de", "Eva wurde 5. Bo kam.", "Eva wurde 5.|Bo kam."},
		{"de", "Sie kam am 5. Dann ging sie.", "Sie kam am 5.|Dann ging sie."},
		{"en", "Eva met Mr. Bo.", "Eva met Mr. Bo."},
		{"fr", "Eva met Mr. Bo.", "Eva met Mr.|Bo."},
		{"fr", "Eva vit J. Bo.", "Eva vit J. Bo."},
	};
	TestEnv test;
	MrenError err = {0};
	MrenSentencer *sentencer;

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
	{
		Fixture fixture;
		const char *got;

		memset(&fixture, 0, sizeof(fixture));
		test_env_init(&fixture.test);
		assert_int_equal(
			mren_sentencer_open(&fixture.test.env, cases[i].language, &fixture.sentencer, NULL),
			MREN_OK);
		got = joined(&fixture, cases[i].text);
		if (strcmp(got, cases[i].want) != 0)
			fail_msg("%s: %s", cases[i].language, got);
		close_fixture(&fixture);
	}
	test_env_init(&test);
	assert_int_equal(mren_sentencer_open(&test.env, "xx", &sentencer, &err), MREN_EPARAM);
	assert_string_equal(err.message, "language \"xx\" is not known");
	assert_int_equal(mren_sentencer_open(&test.env, "de_AT", &sentencer, &err), MREN_EPARAM);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(languages_have_rules_of_their_own),
		cmocka_unit_test(sentences_end_as_unicode_says),
		cmocka_unit_test(abbreviations_do_not_end_a_sentence),
		cmocka_unit_test(brackets_ordinals_and_small_names),
		cmocka_unit_test(a_blank_line_ends_a_sentence_and_a_line_break_does_not),
		cmocka_unit_test(positions_are_in_bytes_and_characters),
		cmocka_unit_test(long_texts_are_cut_like_short_ones),
		cmocka_unit_test(a_sentence_without_end_is_cut),
		cmocka_unit_test(failed_allocations_and_interruptions_are_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
