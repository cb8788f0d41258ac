/*
 * test_transformer_normalizer.c
 *	  The normalizers of tokenizer.json: the characters that they give, and their spans.
 *
 * The character maps are built here.  In the JSON, ' stands for ".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "support.h"
#include "transformer/tokenizer/char_class.h"
#include "transformer/tokenizer/tokenizer_json.h"

/* The normalizers of a JSON text; NULL if it is refused, which is then in err. */
static MrenStatus
read_json(const MrenEnv *env, const char *json, MrenNormalizers *normalizers, MrenError *err)
{
	char *copy = strdup(json);
	json_t *part;
	MrenStatus status;

	for (char *at = copy; *at != '\0'; at++)
		if (*at == '\'')
			*at = '"';
	part = json_loads(copy, 0, NULL);
	assert_non_null(part);
	normalizers->n = 0;
	status = mren_subword_read_normalizers(env, part, normalizers, err);
	json_decref(part);
	free(copy);
	return status;
}

/* What a text becomes, as "U+0061[0,1] U+0062[1,2]". */
static MrenStatus
normalize(const MrenEnv *env, const char *json, const char *text, char *out, size_t size,
		  MrenError *err)
{
	static MrenNormalizers normalizers;
	MrenSubwordChars in = {0}, normal = {0};
	MrenStatus status = read_json(env, json, &normalizers, err);
	size_t len = 0;

	if (status == MREN_OK)
		status = mren_chars_read(env, text, strlen(text), &in, err);
	if (status == MREN_OK)
		status = mren_normalize(env, &normalizers, in.at, in.n, &normal, err);
	out[0] = '\0';
	for (size_t i = 0; i < normal.n && status == MREN_OK && len + 48 < size; i++)
		len += (size_t) snprintf(out + len, size - len, "%s%04X[%u,%u]", i == 0 ? "" : " ",
								 normal.at[i].code, normal.at[i].start, normal.at[i].end);
	mren_release(env, in.at);
	mren_release(env, normal.at);
	mren_normalizers_free(env, &normalizers);
	return status;
}

static void
expect(const char *json, const char *text, const char *want)
{
	TestEnv test;
	MrenError err = {0};
	char got[4096];

	test_env_init(&test);
	if (normalize(&test.env, json, text, got, sizeof(got), &err) != MREN_OK)
		fail_msg("%s: %s", err.message, json);
	if (strcmp(got, want) != 0)
		fail_msg("%s of \"%s\": %s instead of %s", json, text, got, want);
	assert_int_equal(test.n_live, 0);
}

#define ACUTE "\xCC\x81"   /* U+0301, class 230 */
#define CEDILLA "\xCC\xA7" /* U+0327, class 202 */

static void
test_forms(void **state)
{
	(void) state;
	expect("{'type':'NFC'}", "e" ACUTE "x", "00E9[0,1] 0078[2,3]");
	expect("{'type':'NFD'}", "\xC3\xA9x", "0065[0,1] 0301[0,1] 0078[1,2]");
	expect("{'type':'NFKC'}", "\xEF\xAC\x81", "0066[0,1] 0069[0,1]");
	expect("{'type':'NFD'}", "\xEF\xAC\x81", "FB01[0,1]");
	/* Marks are put in order: the spans are those of the places, not of the marks. */
	expect("{'type':'NFD'}", "x" ACUTE CEDILLA, "0078[0,1] 0327[1,2] 0301[2,3]");
	/* The acute joins the a across the cedilla, whose place it was before. */
	expect("{'type':'NFC'}", "a" ACUTE CEDILLA, "00E1[0,1] 0327[2,3]");
	/* A mark of the same class stands between. */
	expect("{'type':'NFC'}", "a\xCC\x88" ACUTE, "00E4[0,1] 0301[2,3]");
	/* Of a decomposed character, the last part joins the mark after it. */
	expect("{'type':'NFKC'}", "\xEF\xAC\x81" ACUTE, "0066[0,1] 00ED[1,2]");
	/* Three letters of Hangul, and a syllable apart. */
	expect("{'type':'NFC'}", "\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB", "D55C[0,1]");
	expect("{'type':'NFD'}", "\xED\x95\x9C", "1112[0,1] 1161[0,1] 11AB[0,1]");
	/* Unicode 9 does not know the era name Reiwa. */
	expect("{'type':'NFKC'}", "\xE3\x8B\xBF", "32FF[0,1]");
	expect("{'type':'NFKC'}", "abc", "0061[0,1] 0062[1,2] 0063[2,3]");
	expect("{'type':'NFC'}", "", "");
}

static void
test_small(void **state)
{
	(void) state;
	expect("{'type':'Lowercase'}", "A\xC4\xB0\xCE\xA3", "0061[0,1] 0069[1,2] 0307[1,2] 03C3[2,3]");
	expect("{'type':'StripAccents'}", "e" ACUTE "\xC3\xA9", "0065[0,1] 00E9[2,3]");
	expect("{'type':'Strip','strip_left':true,'strip_right':true}", " \xE3\x80\x80x y\n",
		   "0078[2,3] 0020[3,4] 0079[4,5]");
	expect("{'type':'Strip','strip_left':false,'strip_right':true}", " x ", "0020[0,1] 0078[1,2]");
	expect("{'type':'Strip','strip_left':true,'strip_right':true}", " \t ", "");
	expect("{'type':'Prepend','prepend':'ab'}", "x", "0061[0,1] 0062[0,1] 0078[0,1]");
	expect("{'type':'Prepend','prepend':'ab'}", "", "");
	expect("{'type':'Nmt'}", "a\x01\t\xE2\x96\x81", "0061[0,1] 0020[2,3] 0020[3,4]");
	expect("{'type':'BertNormalizer','lowercase':true}", "\xC3\x89\xC2\xAD\t",
		   "0065[0,1] 0020[2,3]");
	expect("{'type':'BertNormalizer','lowercase':false}", "\xC3\x89\xE6\xBC\xA2",
		   "00C9[0,1] 0020[1,2] 6F22[1,2] 0020[1,2]");
	expect("{'type':'Sequence','normalizers':[{'type':'NFD'},{'type':'StripAccents'}]}", "\xC3\xA9",
		   "0065[0,1]");
	expect("{'type':'Sequence','normalizers':[]}", "a", "0061[0,1]");
}

#define REPLACE(pattern, content)                                                                  \
	"{'type':'Replace','pattern':{" pattern "},'content':'" content "'}"

/* What is put in has the span of the last character that it replaces. */
static void
test_replace(void **state)
{
	(void) state;
	expect(REPLACE("'String':'``'", "xy"), "a```", "0061[0,1] 0078[2,3] 0079[2,3] 0060[3,4]");
	expect(REPLACE("'String':'a.'", ""), "a.ab", "0061[2,3] 0062[3,4]");
	expect(REPLACE("'Regex':' {2,}'", " "), "a b   c",
		   "0061[0,1] 0020[1,2] 0062[2,3] 0020[5,6] 0063[6,7]");
	expect(REPLACE("'Regex':'\\\\s+'", "_"), "a\t\n b", "0061[0,1] 005F[3,4] 0062[4,5]");
	expect(REPLACE("'Regex':'a{2}'", "b"), "aaaaa", "0062[1,2] 0062[3,4] 0061[4,5]");
	expect(REPLACE("'Regex':'\\\\.'", "!"), "a..", "0061[0,1] 0021[1,2] 0021[2,3]");
	expect(REPLACE("'Regex':'ab'", "!"), "aab", "0061[0,1] 0021[2,3]");
}

/* A character map for a test: a double array with a block of units for each node. */
typedef struct Map
{
	uint32_t unit[16 * 256];
	size_t n_blocks;
	char text[64];
	size_t text_len;
} Map;

#define VALUE (UINT32_C(1) << 31)
#define HAS_VALUE (UINT32_C(1) << 8)

/* The offset of a unit leads to a block of its own, whose first unit is for the value. */
static size_t
block_of(Map *map, size_t at)
{
	if (map->unit[at] >> 10 == 0)
		map->unit[at] |= (uint32_t) (at ^ (256 * map->n_blocks++)) << 10;
	return at ^ (map->unit[at] >> 10);
}

static void
add(Map *map, const char *key, const char *value)
{
	size_t at = 0;

	if (map->n_blocks == 0)
		map->n_blocks = 1;
	for (; *key != '\0'; key++)
	{
		at = block_of(map, at) ^ (uint8_t) *key;
		map->unit[at] |= (uint8_t) *key;
	}
	map->unit[at] |= HAS_VALUE;
	map->unit[block_of(map, at)] = VALUE | (uint32_t) map->text_len;
	strcpy(map->text + map->text_len, value);
	map->text_len += strlen(value) + 1;
}

/* The normalizer in JSON, to be freed. */
static char *
map_json(const uint8_t *bytes, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *json = malloc(2 * len + 100);
	char *at = json + sprintf(json, "{'type':'Precompiled','precompiled_charsmap':'");

	for (size_t i = 0; i < len; i += 3)
	{
		uint32_t bits = (uint32_t) bytes[i] << 16 | (i + 1 < len ? bytes[i + 1] << 8 : 0) |
						(i + 2 < len ? bytes[i + 2] : 0);

		for (int k = 0; k < 4; k++)
			*at++ =
				i + (size_t) (k > 0 ? k - 1 : 0) < len ? digits[bits >> (18 - 6 * k) & 63] : '=';
	}
	strcpy(at, "'}");
	return json;
}

/* The bytes of a map; to be freed. */
static uint8_t *
map_bytes(const Map *map, size_t *len)
{
	uint32_t size = (uint32_t) (map->n_blocks * 256 * sizeof(uint32_t));
	uint8_t *bytes = malloc(4 + size + map->text_len);

	for (size_t i = 0; i < 4 + size; i++)
		bytes[i] = (uint8_t) ((i < 4 ? size : map->unit[i / 4 - 1]) >> (8 * (i % 4)));
	memcpy(bytes + 4 + size, map->text, map->text_len);
	*len = 4 + size + map->text_len;
	return bytes;
}

static char *
sample_map(Map *map)
{
	size_t len;
	uint8_t *bytes;
	char *json;

	*map = (Map){0};
	add(map, "A", "a");
	add(map, "\xC3\x86", "ae");
	add(map, "e" ACUTE, "\xC3\xA9");
	add(map, "\x01", "");
	bytes = map_bytes(map, &len);
	json = map_json(bytes, len);
	free(bytes);
	return json;
}

static void
test_map(void **state)
{
	static Map map;
	char *json = sample_map(&map);

	(void) state;
	expect(json, "Ab", "0061[0,1] 0062[1,2]");
	expect(json, "x\xC3\x86", "0078[0,1] 0061[1,2] 0065[1,2]");
	expect(json, "e" ACUTE "x", "00E9[0,1] 0078[2,3]");
	/* A short cluster is looked up whole, and what lies after the match is dropped. */
	expect(json, "A" ACUTE "x", "0061[0,1] 0078[2,3]");
	/* One of six bytes and more goes character by character. */
	expect(json, "A" ACUTE ACUTE CEDILLA, "0061[0,1] 0301[1,2] 0301[2,3] 0327[3,4]");
	expect(json, "x\x01y", "0078[0,1] 0079[2,3]");
	/* At the beginning, a removal moves the spans of what follows, as in the library. */
	expect(json, "\x01xy", "0078[0,1] 0079[1,2]");
	expect(json, "\x01", "");
	free(json);
}

/* Clusters: regional indicators in pairs, pictographs with joiners, Hangul, CR LF. */
static void
test_graphemes(void **state)
{
	static const struct
	{
		const char *text;
		size_t length;
	} cases[] = {
		{"ab", 1},
		{"\r\nx", 2},
		{"\n" ACUTE, 1},
		{"e" ACUTE CEDILLA "x", 3},
		{"\xF0\x9F\x87\xA9\xF0\x9F\x87\xAA\xF0\x9F\x87\xA9\xF0\x9F\x87\xAA", 2},
		{"\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA9x", 3},
		{"a\xE2\x80\x8D\xF0\x9F\x91\xA9", 2}, /* a joiner after a letter joins no pictograph */
		{"\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xABx", 3},
		{"\xED\x95\x9C\xE1\x84\x92", 1},
	};

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		MrenSubwordChars chars = {0};
		TestEnv test;
		MrenError err;

		test_env_init(&test);
		assert_int_equal(
			mren_chars_read(&test.env, cases[i].text, strlen(cases[i].text), &chars, &err),
			MREN_OK);
		assert_int_equal(mren_grapheme_length(chars.at, chars.n), cases[i].length);
		mren_release(&test.env, chars.at);
	}
}

static void
refuse_bytes(const uint8_t *bytes, size_t len, const char *message)
{
	static MrenNormalizers normalizers;
	char *json = map_json(bytes, len);
	TestEnv test;
	MrenError err = {0};

	test_env_init(&test);
	assert_int_equal(read_json(&test.env, json, &normalizers, &err), MREN_EFORMAT);
	assert_string_equal(err.message, message);
	mren_normalizers_free(&test.env, &normalizers);
	assert_int_equal(test.n_live, 0);
	free(json);
}

static void
test_hostile_maps(void **state)
{
	static const char early[] = "\"precompiled_charsmap\" in tokenizer.json ends early";
	static const char invalid[] =
		"\"precompiled_charsmap\" in tokenizer.json is not a valid character map";
	static Map map;
	static MrenNormalizers normalizers;
	TestEnv test;
	MrenError err;
	uint8_t *bytes;
	size_t len;
	char *json;

	(void) state;
	free(sample_map(&map));
	bytes = map_bytes(&map, &len);
	refuse_bytes(bytes, 0, early);
	refuse_bytes(bytes, 3, early);
	refuse_bytes(bytes, 100, early);
	refuse_bytes((const uint8_t *) "\0\0\0\0abc", 8, invalid);
	refuse_bytes((const uint8_t *) "\2\0\0\0abc", 8, early);
	bytes[len - 1] = 'x'; /* the last text does not end */
	refuse_bytes(bytes, len, invalid);
	bytes[len - 1] = '\0';
	bytes[len - 2] = 0xFF;
	refuse_bytes(bytes, len, invalid);
	bytes[len - 2] = '\0';
	free(bytes);
	for (int bad = 0; bad < 3; bad++)
	{
		free(sample_map(&map));
		/* The first value beyond the text; in the middle of a character; beyond the array. */
		for (size_t i = 0; i < map.n_blocks * 256; i++)
			if (map.unit[i] == VALUE && bad < 2)
				map.unit[i] |= bad == 0 ? 10000 : 6;
		if (bad == 2)
			map.unit[7] = HAS_VALUE | UINT32_C(0x1FFFFF) << 10;
		bytes = map_bytes(&map, &len);
		refuse_bytes(bytes, len, invalid);
		free(bytes);
	}
	test_env_init(&test);
	assert_int_equal(read_json(&test.env, "{'type':'Precompiled','precompiled_charsmap':'AAA!'}",
							   &normalizers, &err),
					 MREN_EFORMAT);
	assert_string_equal(err.message, "\"precompiled_charsmap\" in tokenizer.json is not base64");
	mren_normalizers_free(&test.env, &normalizers);
	/* Offsets that lead out of the array are a text without a match. */
	free(sample_map(&map));
	map.unit[0] = UINT32_C(0x1FFFFF) << 10;
	bytes = map_bytes(&map, &len);
	json = map_json(bytes, len);
	expect(json, "Ab", "0041[0,1] 0062[1,2]");
	free(json);
	free(bytes);
}

static bool
is_nmt_removed(uint32_t code)
{
	char text[8] = {0}, out[64];
	TestEnv test;
	MrenError err;

	test_env_init(&test);
	mren_utf8_encode(code, text);
	assert_int_equal(normalize(&test.env, "{'type':'Nmt'}", text, out, sizeof(out), &err), MREN_OK);
	return out[0] == '\0';
}

static bool
is_nmt_space(uint32_t code)
{
	char text[8] = {0}, out[64];
	TestEnv test;
	MrenError err;

	test_env_init(&test);
	mren_utf8_encode(code, text);
	assert_int_equal(normalize(&test.env, "{'type':'Nmt'}", text, out, sizeof(out), &err), MREN_OK);
	return strcmp(out, "0020[0,1]") == 0;
}

/* Where the library's characters differ from those of ICU 72: the shared table of them. */
static void
test_characters(void **state)
{
	static const struct
	{
		const char *what;
		bool (*is)(uint32_t code);
		bool want;
	} kinds[] = {
		{"bert_mn_extra", mren_char_nonspacing_mark, true},
		{"bert_mn_missing", mren_char_nonspacing_mark, false},
		{"bert_punctuation_extra", mren_char_punctuation, true},
		{"strip_accents_extra", mren_char_mark, true},
		{"strip_accents_missing", mren_char_mark, false},
		{"cf_kept_by_clean_text", mren_char_unclean, false},
		{"regex_L_beyond_unicode_15", mren_char_letter, true},
		{"regex_N_beyond_unicode_15", mren_char_number, true},
		{"regex_w_beyond_unicode_15", mren_char_word, true},
		{"nmt_removed", is_nmt_removed, true},
		{"nmt_space", is_nmt_space, true},
	};
	char path[4096], line[256], what[64];
	unsigned first, last;
	size_t n = 0;
	FILE *in;

	(void) state;
	if (test_shared_data() == NULL)
	{
		print_message("MREN_TEST_DATA is not set: skipping the table of characters\n");
		skip();
	}
	snprintf(path, sizeof(path), "%s/../cases/text-encoder/unicode.tsv", test_shared_data());
	in = fopen(path, "r");
	assert_non_null(in);
	assert_non_null(fgets(line, sizeof(line), in)); /* the names of the columns */
	for (; fgets(line, sizeof(line), in) != NULL; n++)
	{
		size_t i = 0;

		assert_int_equal(sscanf(line, "%63s %x %x", what, &first, &last), 3);
		if (strcmp(what, "lower") == 0)
		{
			assert_int_equal(mren_char_lower(first), last);
			continue;
		}
		while (i < sizeof(kinds) / sizeof(kinds[0]) && strcmp(kinds[i].what, what) != 0)
			i++;
		if (i == sizeof(kinds) / sizeof(kinds[0]))
			fail_msg("%s is not known here", what);
		for (unsigned code = first; code <= last; code++)
			if (kinds[i].is(code) != kinds[i].want)
				fail_msg("%s: U+%04X", what, code);
	}
	assert_true(n > 100);
	fclose(in);
}

static MrenStatus
sweep(const MrenEnv *env, MrenError *err, void *arg)
{
	char out[4096];

	return normalize(env, arg, "a" ACUTE CEDILLA "\xC3\x86\xC3\xA9  x", out, sizeof(out), err);
}

static void
test_failures(void **state)
{
	static char forms[] =
		"{'type':'Sequence','normalizers':[{'type':'NFKC'},{'type':'BertNormalizer'},"
		"{'type':'Replace','pattern':{'Regex':' {2,}'},'content':' '},"
		"{'type':'Prepend','prepend':'x'},{'type':'StripAccents'},{'type':'Strip'}]}";
	static Map map;
	char *json = sample_map(&map);

	(void) state;
	test_allocation_sweep(sweep, forms);
	test_interrupt_sweep(sweep, forms);
	test_allocation_sweep(sweep, json);
	test_interrupt_sweep(sweep, json);
	free(json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),	   cmocka_unit_test(test_small),
		cmocka_unit_test(test_replace),	   cmocka_unit_test(test_map),
		cmocka_unit_test(test_graphemes),  cmocka_unit_test(test_hostile_maps),
		cmocka_unit_test(test_characters), cmocka_unit_test(test_failures),
	};

	return cmocka_run_group_tests_name("normalizers", tests, NULL, NULL);
}
