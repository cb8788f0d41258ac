/*
 * test_text_tokens.c
 *	  UTF-8, words and their positions; the fast path against ICU alone.
 */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "text/tokens.h"
#include "base/utf8.h"

typedef struct Fixture
{
	TestEnv test;
	MrenTokenizer *tokenizer;
	MrenTokens tokens;
} Fixture;

static void
open_fixture(Fixture *fixture)
{
	memset(fixture, 0, sizeof(*fixture));
	test_env_init(&fixture->test);
	assert_int_equal(mren_tokenizer_open(&fixture->test.env, &fixture->tokenizer, NULL), MREN_OK);
}

static void
close_fixture(Fixture *fixture)
{
	mren_tokens_free(&fixture->test.env, &fixture->tokens);
	mren_tokenizer_close(fixture->tokenizer);
	assert_int_equal(fixture->test.n_live, 0);
}

/* The tokens of text joined by "|". */
static const char *
joined(Fixture *fixture, const char *text)
{
	static char out[4096];
	size_t used = 0;
	MrenError err = {0};

	if (mren_tokenize(fixture->tokenizer, &fixture->test.env, text, strlen(text), &fixture->tokens,
					  &err) != MREN_OK)
		return strcpy(out, err.message);
	for (size_t i = 0; i < fixture->tokens.n; i++)
	{
		MrenToken token = fixture->tokens.items[i];

		if (i > 0)
			out[used++] = '|';
		memcpy(out + used, text + token.start, token.end - token.start);
		used += token.end - token.start;
	}
	out[used] = '\0';
	return out;
}

static void
words_are_segmented_as_unicode_says(void **state)
{
	Fixture fixture;

	(void) state;
	open_fixture(&fixture);
	/* The example of UAX #29, section 4. */
	assert_string_equal(
		joined(&fixture, "The quick (\xE2\x80\x9C"
						 "brown\xE2\x80\x9D) fox can\xE2\x80\x99t jump 32.3 feet, right?"),
		"The|quick|(|\xE2\x80\x9C|brown|\xE2\x80\x9D|)|fox|can\xE2\x80\x99t|jump|32.3|feet|,|"
		"right|?");
	assert_string_equal(joined(&fixture, "well-known, isn't it? 1,234.5 a.b U.S. x_1"),
						"well|-|known|,|isn't|it|?|1,234.5|a.b|U.S|.|x_1");
	assert_string_equal(joined(&fixture, ""), "");
	assert_string_equal(joined(&fixture, " \t\r\n\xE3\x80\x80\xC2\xA0 "), "");
	assert_string_equal(joined(&fixture, "  a\n\nb\t"), "a|b");
	/* Combining marks stay with their letter: decomposed "é". */
	assert_string_equal(joined(&fixture, "cafe\xCC\x81 noir"), "cafe\xCC\x81|noir");
	close_fixture(&fixture);
}

static void
dictionary_languages_are_segmented(void **state)
{
	Fixture fixture;

	(void) state;
	open_fixture(&fixture);
	/* "Beijing is China's capital." */
	assert_string_equal(joined(&fixture, "北京是中国的首都。"), "北京|是|中国|的|首都|。");
	/* Thai "hello world" has two words and no space. */
	assert_string_equal(joined(&fixture, "สวัสดีโลก"), "สวัสดี|โลก");
	close_fixture(&fixture);
}

static void
positions_are_exact_in_multibyte_text(void **state)
{
	static const char text[] = "Ünï 北京 x\xF0\x9F\x98\x80y";
	static const MrenToken want[] = {
		{0, 5, 0, 3}, {6, 12, 4, 6}, {13, 14, 7, 8}, {14, 18, 8, 9}, {18, 19, 9, 10}};
	Fixture fixture;

	(void) state;
	open_fixture(&fixture);
	assert_int_equal(mren_tokenize(fixture.tokenizer, &fixture.test.env, text, sizeof(text) - 1,
								   &fixture.tokens, NULL),
					 MREN_OK);
	assert_int_equal(fixture.tokens.n, 5);
	assert_memory_equal(fixture.tokens.items, want, sizeof(want));
	close_fixture(&fixture);
}

static void
invalid_utf8_is_refused_at_its_byte(void **state)
{
	/* Overlong, stray, truncated, surrogate, beyond U+10FFFF; second: good. */
	static const char *const bad[] = {
		"ab \xC0\xAF", "ab \x80", "ab \xE4\xB8",	 "ab \xED\xA0\x80",	   "ab \xF4\x90\x80\x80",
		"ab \xFF",	   "ab \xC3", "ab \xE0\x80\x80", "ab \xF0\x82\x82\xAC"};
	Fixture fixture;

	(void) state;
	open_fixture(&fixture);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
	{
		size_t at;

		assert_string_equal(joined(&fixture, bad[i]), "text is not valid UTF-8 at byte 4");
		assert_false(mren_utf8_valid(bad[i], strlen(bad[i]), &at));
		assert_int_equal(at, 3);
	}
	close_fixture(&fixture);
}

static void
every_code_point_survives_encoding_and_decoding(void **state)
{
	(void) state;
	for (uint32_t code = 0; code <= 0x10FFFF; code++)
	{
		char bytes[4];
		uint32_t back;
		size_t n = mren_utf8_encode(code, bytes);
		bool surrogate = code >= 0xD800 && code <= 0xDFFF;

		if (mren_utf8_decode(bytes, n, &back) != (surrogate ? 0 : n))
			fail_msg("U+%04X", code);
		if (!surrogate && back != code)
			fail_msg("U+%04X became U+%04X", code, back);
		if (n > 1 && mren_utf8_decode(bytes, n - 1, &back) != 0)
			fail_msg("U+%04X was accepted when cut", code);
	}
}

static void
excerpts_are_short_and_valid(void **state)
{
	char text[300];
	MrenExcerpt excerpt;

	(void) state;
	assert_string_equal(mren_utf8_excerpt("dog", 3).text, "dog");
	assert_string_equal(mren_utf8_excerpt("a\nb\xFF", 4).text, "a?b?");
	for (size_t shift = 0; shift < 4; shift++)
	{
		memset(text, 'a', sizeof(text));
		for (size_t i = shift; i + 4 <= sizeof(text); i += 4)
			memcpy(text + i, "\xF0\x9F\x98\x80", 4);
		excerpt = mren_utf8_excerpt(text, sizeof(text) - 4);
		assert_true(mren_utf8_valid(excerpt.text, strlen(excerpt.text), NULL));
		assert_string_equal(excerpt.text + strlen(excerpt.text) - 3, "...");
	}
	/* Exactly what fits is shown whole. */
	memset(text, 'b', sizeof(text));
	assert_int_equal(strlen(mren_utf8_excerpt(text, 64).text), 64);
	assert_int_equal(strlen(mren_utf8_excerpt(text, 65).text), 67);
}

static void
compare_with_icu(Fixture *fixture, const char *text, size_t len)
{
	MrenTokens want = {0};
	MrenStatus status;

	status =
		mren_tokenize_reference(fixture->tokenizer, &fixture->test.env, text, len, &want, NULL);
	assert_int_equal(
		mren_tokenize(fixture->tokenizer, &fixture->test.env, text, len, &fixture->tokens, NULL),
		status);
	if (status == MREN_OK &&
		(fixture->tokens.n != want.n || (want.n > 0 && memcmp(fixture->tokens.items, want.items,
															  want.n * sizeof(*want.items)) != 0)))
	{
		for (size_t i = 0; i < want.n; i++)
			print_error("want %u..%u\n", want.items[i].start, want.items[i].end);
		for (size_t i = 0; i < fixture->tokens.n; i++)
			print_error("got  %u..%u\n", fixture->tokens.items[i].start,
						fixture->tokens.items[i].end);
		fail_msg("\"%.*s\"", (int) len, text);
	}
	mren_tokens_free(&fixture->test.env, &want);
}

/* Every ASCII text of up to three characters, and random longer ones. */
static void
ascii_text_is_segmented_as_icu_does(void **state)
{
	static const char mixing[] = "aB1 '\".,:;_-@#\n";
	Fixture fixture;
	MrenRandom random;
	char text[40];

	(void) state;
	open_fixture(&fixture);
	for (int i = 0; i < 128 * 128; i++)
	{
		text[0] = (char) (i & 127);
		text[1] = (char) (i >> 7);
		compare_with_icu(&fixture, text, 2);
	}
	mren_random_seed(&random, 1, 1);
	for (int i = 0; i < 60000; i++)
	{
		size_t len = (size_t) mren_random_below(&random, sizeof(text));

		for (size_t k = 0; k < len; k++)
			text[k] = i % 4 == 0 ? (char) mren_random_below(&random, 128)
								 : mixing[mren_random_below(&random, sizeof(mixing) - 1)];
		compare_with_icu(&fixture, text, len);
	}
	close_fixture(&fixture);
}

/*
 * Characters of every word-break class, simple and complex, in random order:
 * the cuts between the fast path and ICU must not show.
 */
static void
mixed_text_is_segmented_as_icu_does(void **state)
{
	static const uint32_t alphabet[] = {
		'a',	 'b',	  'Z',	  '1',	  '9',	  ' ',	  ' ',	  '.',	  ',',	  '\'',	   '"',
		'_',	 ':',	  '-',	  '\n',	  '\r',	  '\t',	  0xE9,	  0xDF,	  0xA0,	  0xAD,	   0xB7,
		0x301,	 0x3B1,	  0x416,  0x483,  0x5D0,  0x5F4,  0x627,  0x660,  0x200B, 0x200D,  0x2014,
		0x2019,	 0x201C,  0x2024, 0x2026, 0x2027, 0x3000, 0x3001, 0x3002, 0x3042, 0x30A2,  0x30FC,
		0x4E2D,	 0x56FD,  0x4EBA, 0xAC00, 0xE01,  0xE32,  0xFF0C, 0xFF21, 0xFE0F, 0x1F1E6, 0x1F1E7,
		0x1F468, 0x1F3FB, 0x2764, 0xA9,	  0x2003, 0x2028, 0xFEFF, 0x180E};
	Fixture fixture;
	MrenRandom random;
	char text[256];

	(void) state;
	open_fixture(&fixture);
	mren_random_seed(&random, 2, 1);
	for (int i = 0; i < 60000; i++)
	{
		size_t n = (size_t) mren_random_below(&random, 30);
		size_t len = 0;
		/* Few characters at a time make long words; many make all pairs. */
		size_t range = i % 2 ? sizeof(alphabet) / sizeof(*alphabet) : 24;

		while (n-- > 0)
			len += mren_utf8_encode(alphabet[mren_random_below(&random, range)], text + len);
		compare_with_icu(&fixture, text, len);
	}
	close_fixture(&fixture);
}

/* Clauses of Chinese longer than one window: cut only where ICU cuts, too. */
static void
long_text_is_segmented_as_icu_does(void **state)
{
	static const char clause[] = "北京是中国的首都，人口很多。";
	const size_t size = 300000;
	char *text = malloc(size);
	size_t len = 0;
	Fixture fixture;

	(void) state;
	open_fixture(&fixture);
	while (len + sizeof(clause) < size)
	{
		memcpy(text + len, clause, sizeof(clause) - 1);
		len += sizeof(clause) - 1;
	}
	compare_with_icu(&fixture, text, len);
	/* ASCII only, longer than any buffer inside. */
	for (size_t i = 0; i < size; i++)
		text[i] = "the cat, "[i % 9];
	compare_with_icu(&fixture, text, size);
	free(text);
	close_fixture(&fixture);
}

/* A megabyte without a single border is one window after the other. */
static void
megabyte_without_borders_is_cut_at_the_window(void **state)
{
	const size_t n = 350000;
	char *text = malloc(3 * n);
	Fixture fixture;
	uint32_t at = 0;

	(void) state;
	open_fixture(&fixture);
	for (size_t i = 0; i < n; i++)
		memcpy(text + 3 * i, "中", 3);
	assert_int_equal(
		mren_tokenize(fixture.tokenizer, &fixture.test.env, text, 3 * n, &fixture.tokens, NULL),
		MREN_OK);
	for (size_t i = 0; i < fixture.tokens.n; i++)
	{
		assert_int_equal(fixture.tokens.items[i].start, at);
		at = fixture.tokens.items[i].end;
	}
	assert_int_equal(at, 3 * n);
	assert_true(fixture.test.n_checks >= n / 4096);
	free(text);
	close_fixture(&fixture);
}

static void
text_beyond_the_limit_is_refused(void **state)
{
	Fixture fixture;
	MrenError err;
	char *text = calloc(1, MREN_MAX_TEXT + 1);

	(void) state;
	open_fixture(&fixture);
	assert_int_equal(mren_tokenize(fixture.tokenizer, &fixture.test.env, text, MREN_MAX_TEXT + 1,
								   &fixture.tokens, &err),
					 MREN_ELIMIT);
	assert_string_equal(err.message, "text of 16777217 bytes is too long");
	free(text);
	close_fixture(&fixture);
}

static MrenStatus
tokenize_once(const MrenEnv *env, MrenError *err, void *arg)
{
	const char *text = arg;
	MrenTokenizer *tokenizer;
	MrenTokens tokens = {0};
	MrenStatus status;

	MREN_TRY(mren_tokenizer_open(env, &tokenizer, err));
	status = mren_tokenize(tokenizer, env, text, strlen(text), &tokens, err);
	if (status == MREN_OK)
		status = mren_tokenize_reference(tokenizer, env, text, strlen(text), &tokens, err);
	mren_tokens_free(env, &tokens);
	mren_tokenizer_close(tokenizer);
	return status;
}

static void
failures_release_everything(void **state)
{
	char text[20000];

	(void) state;
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		text[i] = "a b, 1"[i % 6];
	text[sizeof(text) - 1] = '\0';
	memcpy(text + 9000, " 北京是 ", 11);
	test_allocation_sweep(tokenize_once, text);
	test_interrupt_sweep(tokenize_once, text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_segmented_as_unicode_says),
		cmocka_unit_test(dictionary_languages_are_segmented),
		cmocka_unit_test(positions_are_exact_in_multibyte_text),
		cmocka_unit_test(invalid_utf8_is_refused_at_its_byte),
		cmocka_unit_test(every_code_point_survives_encoding_and_decoding),
		cmocka_unit_test(excerpts_are_short_and_valid),
		cmocka_unit_test(ascii_text_is_segmented_as_icu_does),
		cmocka_unit_test(mixed_text_is_segmented_as_icu_does),
		cmocka_unit_test(long_text_is_segmented_as_icu_does),
		cmocka_unit_test(megabyte_without_borders_is_cut_at_the_window),
		cmocka_unit_test(text_beyond_the_limit_is_refused),
		cmocka_unit_test(failures_release_everything),
	};

	return cmocka_run_group_tests_name("text tokens", tests, NULL, NULL);
}
