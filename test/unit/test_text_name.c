/*
 * test_text_name.c
 *	  Names in the form in which graphs compare them.
 */
#include "support.h"

#include <string.h>

#include "text/name.h"

/* The form of a name; with what it takes released. */
static const char *
form_of(const char *text, size_t len)
{
	static char copy[256];
	TestEnv test;
	MrenError err = {0};
	char *out;
	size_t n;

	test_env_init(&test);
	if (mren_name_normalize(&test.env, text, len, &out, &n, &err) != MREN_OK)
		return strcpy(copy, err.message);
	assert_true(n < sizeof(copy));
	memcpy(copy, out, n);
	copy[n] = '\0';
	mren_release(&test.env, out);
	assert_int_equal(test.n_live, 0);
	return copy;
}

static const char *
form(const char *text)
{
	return form_of(text, strlen(text));
}

static void
case_and_white_space(void **state)
{
	(void) state;
	assert_string_equal(form("IBM"), "ibm");
	assert_string_equal(form("  Ada \t\n Lovelace\r\n"), "ada lovelace");
	assert_string_equal(form("a\vb\fc"), "a b c");
	assert_string_equal(form(""), "");
	assert_string_equal(form(" \t "), "");
	assert_string_equal(form("\"O'Neill\" \\ 50%"), "\"o'neill\" \\ 50%");
	/* No-break, em and ideographic space, and next line, are white space. */
	assert_string_equal(form("\xC2\xA0x\xE2\x80\x83\xE3\x80\x80y\xC2\x85"), "x y");
}

/* By the data files of Unicode: CaseFolding.txt and UnicodeData.txt. */
static void
folding_and_compatibility(void **state)
{
	(void) state;
	assert_string_equal(form("Stra\xC3\x9F"
							 "e"),
						"strasse");
	assert_string_equal(form("\xC3\x89mile"), "\xC3\xA9mile");
	/* E and a combining acute accent are É. */
	assert_string_equal(form("E\xCC\x81mile"), "\xC3\xA9mile");
	assert_string_equal(form("\xEF\xBC\xA9\xEF\xBC\xA2\xEF\xBC\xAD"), "ibm"); /* full width */
	assert_string_equal(form("\xEF\xAC\x81"
							 "sh"),
						"fish"); /* ligature fi */
	assert_string_equal(form("\xCE\xA3\xCE\x91\xCE\xA3"), "\xCF\x83\xCE\xB1\xCF\x83"); /* ΣΑΣ */
	assert_string_equal(form("\xCF\x82"), "\xCF\x83");								   /* ς */
	assert_string_equal(form("m\xC2\xB2"), "m2"); /* superscript two */
	assert_string_equal(form("co\xC2\xAD"
							 "op"),
						"coop"); /* a soft hyphen is ignored */
	assert_string_equal(form("\xC2\xAD"), "");
	/* Outside the first plane: DESERET CAPITAL LETTER LONG I. */
	assert_string_equal(form("\xF0\x90\x90\x80"), "\xF0\x90\x90\xA8");
	/* ARABIC LIGATURE SALLALLAHOU..., the longest expansion: 3 bytes become 33. */
	assert_int_equal(strlen(form("\xEF\xB7\xBA")), 33);
}

/* Whatever finds one phrase of a lexicon in a text gives one name. */
static void
one_phrase_is_one_name(void **state)
{
	(void) state;
	assert_string_equal(form("O\xE2\x80\x99"
							 "Brien"),
						"o'brien");
	assert_string_equal(form("O\xCA\xBC"
							 "Brien"),
						"o'brien");
	assert_string_equal(form("Jean\xE2\x80\x90Luc"), "jean-luc");
	assert_string_equal(form("Jean\xE2\x80\x91Luc"), "jean-luc");
	assert_string_equal(form("Jean - Luc"), "jean-luc");
	assert_string_equal(form("Jean \xE2\x80\x90 Luc"), "jean-luc");
	assert_string_equal(form("AT & T"), "at&t");
	assert_string_equal(form("北京 AI"), "北京ai");
	assert_string_equal(form("AI\xE3\x80\x80北 京"), "ai北京");
	assert_string_equal(form("\xF0\xA0\x80\x80 AI"), "\xF0\xA0\x80\x80"
													 "ai"); /* beyond the first plane */
	assert_string_equal(form("Eva\xE2\x80\x8BHolm"), "eva holm");
	assert_string_equal(form("Eva\xE2\x80\x8B Holm"), "eva holm");
	assert_string_equal(form("Eva \xE2\x80\x8B"), "eva");
	/* A mark stays apart from the character before the blank. */
	assert_string_equal(form("か\xE3\x82\x9B"), "か \xE3\x82\x99");
}

static void
turkish_letters_are_one_i(void **state)
{
	(void) state;
	assert_string_equal(form("\xC4\xB0ZM\xC4\xB0R"), "izmir");
	assert_string_equal(form("\xC4\xB0zmir"), "izmir");
	assert_string_equal(form("I\xCC\x87zmir"), "izmir");
	assert_string_equal(form("I\xC4\x9F"
							 "d\xC4\xB1r"),
						form("I\xC4\x9E"
							 "DIR"));
	/* What was apart only for the dot is composed: ı and an acute accent. */
	assert_string_equal(form("\xC4\xB1\xCC\x81x"), "\xC3\xADx");
	/* ... also after a mark that stays, a seagull below. */
	assert_string_equal(form("\xC4\xB1\xCC\xBC\xCC\x81x"), "\xC3\xAD\xCC\xBCx");
}

static void
once_is_enough(void **state)
{
	static const char *const names[] = {
		"\xC2\xA8", /* a space and a combining diaeresis */
		"a\xC2\xA8 \xC2\xA8",
		"\xEF\xB7\xBA\xEF\xB7\xBA",
		"\xC4\xB0stanbul",							/* İ */
		"\xC4\xB1\xCC\xBC\xCC\x87\xCC\x81",			/* a dotless i with marks below and above */
		"\xC4\xB0\xCC\x87\xF0\x9D\x85\xA7\xCC\x81", /* one of them beyond the first plane */
		"か\xE3\x82\x9B -\xC2\xA8",
		"\xE1\xBE\x80\xCC\x81",
		"\xC2\xAD E\xC2\xAD\xCC\x81 ",
	};
	char first[256];

	(void) state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		strcpy(first, form(names[i]));
		assert_string_equal(form(first), first);
	}
}

static void
what_is_not_a_name(void **state)
{
	TestEnv test;
	MrenError err = {0};
	char *out;
	size_t n;

	(void) state;
	test_env_init(&test);
	assert_int_equal(mren_name_normalize(&test.env, "a\xFF", 2, &out, &n, &err), MREN_EFORMAT);
	/* A surrogate, and a character cut short. */
	assert_int_equal(mren_name_normalize(&test.env, "\xED\xA0\x80", 3, &out, &n, &err),
					 MREN_EFORMAT);
	assert_int_equal(mren_name_normalize(&test.env, "\xC3", 1, &out, &n, &err), MREN_EFORMAT);
	assert_int_equal(mren_name_normalize(&test.env, "a", (size_t) 1024 * 1024 + 1, &out, &n, &err),
					 MREN_ELIMIT);
	assert_int_equal(test.n_live, 0);
	/* A zero byte is a character as any other. */
	assert_int_equal(mren_name_normalize(&test.env, "A\0B", 3, &out, &n, &err), MREN_OK);
	assert_int_equal(n, 3);
	assert_memory_equal(out, "a\0b", 3);
	mren_release(&test.env, out);
}

static MrenStatus
normalize_two(const MrenEnv *env, MrenError *err, void *arg)
{
	char *out;
	size_t n;

	(void) arg;
	MREN_TRY(mren_name_normalize(env, " Ada  Lovelace ", 15, &out, &n, err));
	mren_release(env, out);
	MREN_TRY(mren_name_normalize(env, "\xC3\x89mile ", 7, &out, &n, err));
	mren_release(env, out);
	return MREN_OK;
}

static void
fails_cleanly(void **state)
{
	(void) state;
	test_allocation_sweep(normalize_two, NULL);
	test_interrupt_sweep(normalize_two, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(case_and_white_space),	  cmocka_unit_test(folding_and_compatibility),
		cmocka_unit_test(one_phrase_is_one_name), cmocka_unit_test(turkish_letters_are_one_i),
		cmocka_unit_test(once_is_enough),		  cmocka_unit_test(what_is_not_a_name),
		cmocka_unit_test(fails_cleanly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
