/*
 * normalizer_json.c
 *	  The normalizers of tokenizer.json.
 */
#include <string.h>

#include "base/utf8.h"
#include "transformer/tokenizer/tokenizer_json.h"

#define MAX_CONTENT_BYTES 256 /* of what Replace and Prepend put in and look for */

/* A short text of a part as characters. */
static MrenStatus
read_text(const MrenEnv *env, const json_t *value, const char *what, MrenSubwordChars *chars,
		  MrenError *err)
{
	if (!json_is_string(value) || json_string_length(value) > MAX_CONTENT_BYTES)
		return mren_fail(err, MREN_EFORMAT,
						 "%s in tokenizer.json must be a text of at most %d bytes", what,
						 MAX_CONTENT_BYTES);
	return mren_chars_read(env, json_string_value(value), json_string_length(value), chars, err);
}

/* A count in a regular expression, at most three digits; returns its length. */
static size_t
read_count(const MrenSubwordChar *at, size_t n, size_t *count)
{
	size_t len = 0;

	*count = 0;
	for (; len < n && len < 3 && at[len].code >= '0' && at[len].code <= '9'; len++)
		*count = 10 * *count + at[len].code - '0';
	return len;
}

/* "+", "{n}", "{n,}" or nothing after a character; false for anything else. */
static bool
read_repetition(const MrenSubwordChar *at, size_t n, MrenCharPattern *pattern)
{
	size_t len;

	pattern->least = pattern->most = 1;
	if (n == 0)
		return true;
	if (n == 1 && at[0].code == '+')
	{
		pattern->most = SIZE_MAX;
		return true;
	}
	if (at[0].code != '{' || at[n - 1].code != '}')
		return false;
	len = read_count(at + 1, n - 2, &pattern->least);
	pattern->most = pattern->least;
	if (n == len + 3 && at[len + 1].code == ',')
		pattern->most = SIZE_MAX;
	else if (n != len + 2)
		return false;
	return len > 0 && pattern->least > 0;
}

/*
 * Of regular expressions, those that exporters write: a text without special characters, or a
 * run of one character or of white space.
 */
static bool
read_regex(MrenCharPattern *pattern)
{
	static const char special[] = "\\^$.|?*+()[]{}";
	const MrenSubwordChar *at = pattern->text.at;
	size_t n = pattern->text.n;
	size_t plain = 0, skip;

	while (plain < n && (at[plain].code >= 0x80 || !strchr(special, (int) at[plain].code)))
		plain++;
	if (plain == n)
		return true;
	pattern->run = true;
	if (at[0].code == '\\' && n > 1)
	{
		pattern->space = at[1].code == 's';
		if (!pattern->space && (at[1].code >= 0x80 || !strchr(special, (int) at[1].code)))
			return false;
		skip = 2;
	}
	else if (plain == 1)
		skip = 1;
	else
		return false;
	if (!read_repetition(at + skip, n - skip, pattern))
		return false;
	pattern->text.at[0] = at[skip - 1];
	pattern->text.n = 1;
	return true;
}

static MrenStatus
read_replace(const MrenEnv *env, const json_t *part, MrenNormalizer *normalizer, MrenError *err)
{
	const json_t *pattern = json_object_get(part, "pattern");
	const json_t *string = json_object_get(pattern, "String");
	const json_t *regex = json_object_get(pattern, "Regex");

	MREN_TRY(read_text(env, string != NULL ? string : regex, "pattern of Replace",
					   &normalizer->pattern.text, err));
	MREN_TRY(read_text(env, json_object_get(part, "content"), "content of Replace",
					   &normalizer->content, err));
	if (normalizer->pattern.text.n == 0)
		return mren_fail(err, MREN_EUNSUPPORTED,
						 "empty pattern of Replace in tokenizer.json is not supported");
	if (string == NULL && !read_regex(&normalizer->pattern))
		return mren_fail(
			err, MREN_EUNSUPPORTED,
			"regular expression \"%s\" of Replace in tokenizer.json is not supported",
			mren_utf8_excerpt(json_string_value(regex), json_string_length(regex)).text);
	return MREN_OK;
}

static MrenStatus
read_bert(const json_t *part, MrenBertNormalizer *bert, MrenError *err)
{
	MREN_TRY(mren_subword_read_bool(part, "clean_text", true, &bert->clean_text, err));
	MREN_TRY(mren_subword_read_bool(part, "handle_chinese_chars", true, &bert->chinese_chars, err));
	MREN_TRY(mren_subword_read_bool(part, "lowercase", true, &bert->lowercase, err));
	return mren_subword_read_bool(part, "strip_accents", bert->lowercase, &bert->strip_accents,
								  err);
}

static MrenStatus
read_precompiled(const MrenEnv *env, const json_t *part, MrenCharsMap *map, MrenError *err)
{
	const json_t *value = json_object_get(part, "precompiled_charsmap");

	if (!json_is_string(value))
		return mren_fail(err, MREN_EFORMAT,
						 "\"precompiled_charsmap\" in tokenizer.json must be a text");
	return mren_chars_map_read(env, json_string_value(value), json_string_length(value), map, err);
}

static MrenStatus
read_options(const MrenEnv *env, const json_t *part, MrenNormalizer *normalizer, MrenError *err)
{
	switch (normalizer->kind)
	{
		case MREN_NORMALIZER_BERT:
			return read_bert(part, &normalizer->bert, err);
		case MREN_NORMALIZER_STRIP:
			MREN_TRY(
				mren_subword_read_bool(part, "strip_left", true, &normalizer->strip_left, err));
			return mren_subword_read_bool(part, "strip_right", true, &normalizer->strip_right, err);
		case MREN_NORMALIZER_REPLACE:
			return read_replace(env, part, normalizer, err);
		case MREN_NORMALIZER_PREPEND:
			return read_text(env, json_object_get(part, "prepend"), "\"prepend\"",
							 &normalizer->content, err);
		case MREN_NORMALIZER_PRECOMPILED:
			return read_precompiled(env, part, &normalizer->map, err);
		default:
			return MREN_OK;
	}
}

static MrenStatus
read_one(const MrenEnv *env, const json_t *part, MrenNormalizers *normalizers, MrenError *err)
{
	static const struct
	{
		const char *type;
		MrenNormalizerKind kind;
	} kinds[] = {
		{"BertNormalizer", MREN_NORMALIZER_BERT},
		{"NFC", MREN_NORMALIZER_NFC},
		{"NFD", MREN_NORMALIZER_NFD},
		{"NFKC", MREN_NORMALIZER_NFKC},
		{"NFKD", MREN_NORMALIZER_NFKD},
		{"Lowercase", MREN_NORMALIZER_LOWERCASE},
		{"StripAccents", MREN_NORMALIZER_STRIP_ACCENTS},
		{"Strip", MREN_NORMALIZER_STRIP},
		{"Replace", MREN_NORMALIZER_REPLACE},
		{"Prepend", MREN_NORMALIZER_PREPEND},
		{"Nmt", MREN_NORMALIZER_NMT},
		{"Precompiled", MREN_NORMALIZER_PRECOMPILED},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
	{
		MrenNormalizer *normalizer = &normalizers->at[normalizers->n];

		if (!mren_subword_part_is(part, kinds[i].type))
			continue;
		if (normalizers->n == MREN_MAX_NORMALIZERS)
			return mren_fail(err, MREN_ELIMIT, "tokenizer.json must have at most %d normalizers",
							 MREN_MAX_NORMALIZERS);
		normalizers->n++;
		*normalizer = (MrenNormalizer){.kind = kinds[i].kind};
		return read_options(env, part, normalizer, err);
	}
	return mren_subword_refuse("normalizer", part, err);
}

MrenStatus
mren_subword_read_normalizers(const MrenEnv *env, const json_t *part, MrenNormalizers *normalizers,
							  MrenError *err)
{
	const json_t *list = json_object_get(part, "normalizers");

	if (part == NULL || json_is_null(part))
		return MREN_OK;
	if (!mren_subword_part_is(part, "Sequence"))
		return read_one(env, part, normalizers, err);
	if (!json_is_array(list))
		return mren_fail(err, MREN_EFORMAT, "\"normalizers\" in tokenizer.json must be an array");
	for (size_t i = 0; i < json_array_size(list); i++)
		MREN_TRY(mren_subword_read_normalizers(env, json_array_get(list, i), normalizers, err));
	return MREN_OK;
}
