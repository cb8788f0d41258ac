/*
 * pre_tokenizer_json.c
 *	  The pre-tokenizers and the post-processor of tokenizer.json.
 */
#include <string.h>

#include "base/utf8.h"
#include "transformer/tokenizer/tokenizer_json.h"

static MrenStatus
read_behavior(const json_t *part, MrenSplitBehavior *behavior, MrenError *err)
{
	static const char *const names[] = {"Removed", "Isolated", "Contiguous", "MergedWithPrevious",
										"MergedWithNext"};
	const json_t *value = json_object_get(part, "behavior");

	*behavior = MREN_SPLIT_ISOLATED;
	if (value == NULL)
		return MREN_OK;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		*behavior = (MrenSplitBehavior) i;
		if (json_is_string(value) && strcmp(json_string_value(value), names[i]) == 0)
			return MREN_OK;
	}
	return mren_fail(err, MREN_EFORMAT,
					 "\"behavior\" in tokenizer.json must be Removed, Isolated, Contiguous, "
					 "MergedWithPrevious or MergedWithNext");
}

/* The older "add_prefix_space", which the newer "prepend_scheme" replaces. */
static MrenStatus
read_prepend(const json_t *part, MrenPrepend *prepend, MrenError *err)
{
	static const char *const names[] = {"never", "first", "always"};
	const json_t *scheme = json_object_get(part, "prepend_scheme");
	bool add;

	MREN_TRY(mren_subword_read_bool(part, "add_prefix_space", true, &add, err));
	*prepend = add ? MREN_PREPEND_ALWAYS : MREN_PREPEND_NEVER;
	for (int i = 0; i < 3 && json_is_string(scheme); i++)
	{
		if (strcmp(json_string_value(scheme), names[i]) != 0)
			continue;
		if (!add && i != 0)
			return mren_fail(err, MREN_EFORMAT,
							 "\"add_prefix_space\" contradicts \"prepend_scheme\" in "
							 "tokenizer.json");
		*prepend = (MrenPrepend) i;
		return MREN_OK;
	}
	if (scheme == NULL)
		return MREN_OK;
	return mren_fail(err, MREN_EFORMAT,
					 "\"prepend_scheme\" in tokenizer.json must be always, first or never");
}

static MrenStatus
read_metaspace(const json_t *part, MrenPreTokenizer *pre, MrenError *err)
{
	const json_t *value = json_object_get(part, "replacement");
	size_t len = json_string_length(value);

	if (len == 0 || mren_utf8_decode(json_string_value(value), len, &pre->replacement) != len)
		return mren_fail(err, MREN_EFORMAT,
						 "\"replacement\" in tokenizer.json must be one character");
	MREN_TRY(mren_subword_read_bool(part, "split", true, &pre->split, err));
	return read_prepend(part, &pre->prepend, err);
}

static MrenStatus
read_byte_level(const json_t *part, const MrenSubwordTokenizer *tokenizer, MrenPreTokenizer *pre,
				MrenError *err)
{
	bool prepend;

	for (const MrenPreTokenizer *other = tokenizer->pre_tokenizer; other < pre; other++)
		if (other->kind == MREN_PRE_BYTE_LEVEL)
			return mren_fail(err, MREN_EUNSUPPORTED,
							 "pre-tokenizer \"ByteLevel\" of tokenizer.json is not supported "
							 "more than once");
	MREN_TRY(mren_subword_read_bool(part, "add_prefix_space", true, &prepend, err));
	pre->prepend = prepend ? MREN_PREPEND_ALWAYS : MREN_PREPEND_NEVER;
	return mren_subword_read_bool(part, "use_regex", true, &pre->split, err);
}

static MrenStatus
read_options(const json_t *part, const MrenSubwordTokenizer *tokenizer, MrenPreTokenizer *pre,
			 MrenError *err)
{
	bool individual;

	switch (pre->kind)
	{
		case MREN_PRE_PUNCTUATION:
			return read_behavior(part, &pre->behavior, err);
		case MREN_PRE_DIGITS:
			MREN_TRY(mren_subword_read_bool(part, "individual_digits", false, &individual, err));
			pre->behavior = individual ? MREN_SPLIT_ISOLATED : MREN_SPLIT_CONTIGUOUS;
			return MREN_OK;
		case MREN_PRE_METASPACE:
			return read_metaspace(part, pre, err);
		case MREN_PRE_BYTE_LEVEL:
			return read_byte_level(part, tokenizer, pre, err);
		default:
			return MREN_OK;
	}
}

static MrenStatus
read_one(const json_t *part, MrenSubwordTokenizer *tokenizer, MrenError *err)
{
	static const struct
	{
		const char *type;
		MrenPreTokenizerKind kind;
	} kinds[] = {
		{"BertPreTokenizer", MREN_PRE_BERT},
		{"Whitespace", MREN_PRE_WHITESPACE},
		{"WhitespaceSplit", MREN_PRE_WHITESPACE_SPLIT},
		{"Punctuation", MREN_PRE_PUNCTUATION},
		{"Digits", MREN_PRE_DIGITS},
		{"Metaspace", MREN_PRE_METASPACE},
		{"ByteLevel", MREN_PRE_BYTE_LEVEL},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
	{
		MrenPreTokenizer *pre = &tokenizer->pre_tokenizer[tokenizer->n_pre_tokenizers];

		if (!mren_subword_part_is(part, kinds[i].type))
			continue;
		if (tokenizer->n_pre_tokenizers == MREN_MAX_PRE_TOKENIZERS)
			return mren_fail(err, MREN_ELIMIT, "tokenizer.json must have at most %d pre-tokenizers",
							 MREN_MAX_PRE_TOKENIZERS);
		*pre = (MrenPreTokenizer){.kind = kinds[i].kind};
		MREN_TRY(read_options(part, tokenizer, pre, err));
		tokenizer->n_pre_tokenizers++;
		return MREN_OK;
	}
	return mren_subword_refuse("pre-tokenizer", part, err);
}

MrenStatus
mren_subword_read_pre_tokenizers(const json_t *part, MrenSubwordTokenizer *tokenizer,
								 MrenError *err)
{
	const json_t *list = json_object_get(part, "pretokenizers");

	if (part == NULL || json_is_null(part))
		return MREN_OK;
	if (!mren_subword_part_is(part, "Sequence"))
		return read_one(part, tokenizer, err);
	if (!json_is_array(list))
		return mren_fail(err, MREN_EFORMAT, "\"pretokenizers\" in tokenizer.json must be an array");
	for (size_t i = 0; i < json_array_size(list); i++)
		MREN_TRY(mren_subword_read_pre_tokenizers(json_array_get(list, i), tokenizer, err));
	return MREN_OK;
}

MrenStatus
mren_subword_add_around(MrenSubwordTokenizer *tokenizer, bool after, uint32_t id, MrenError *err)
{
	size_t *n = after ? &tokenizer->n_after : &tokenizer->n_before;

	if (*n >= MREN_MAX_SPECIAL_AROUND)
		return mren_fail(err, MREN_ELIMIT,
						 "post-processor of tokenizer.json must add at most %d pieces to a side",
						 MREN_MAX_SPECIAL_AROUND);
	if (id >= tokenizer->n_ids)
		tokenizer->n_ids = (size_t) id + 1;
	(after ? tokenizer->after : tokenizer->before)[(*n)++] = id;
	return MREN_OK;
}

static MrenStatus
read_template(const json_t *part, MrenSubwordTokenizer *tokenizer, MrenError *err)
{
	const json_t *single = json_object_get(part, "single");
	bool after = false;

	for (size_t i = 0; i < json_array_size(single); i++)
	{
		const json_t *item = json_array_get(single, i);
		const json_t *special = json_object_get(item, "SpecialToken");
		const char *name = json_string_value(json_object_get(special, "id"));
		const json_t *ids;

		if (special == NULL && json_object_get(item, "Sequence") != NULL && !after)
		{
			after = true;
			continue;
		}
		ids = name == NULL
				  ? NULL
				  : json_object_get(json_object_get(json_object_get(part, "special_tokens"), name),
									"ids");
		if (json_array_size(ids) == 0)
			return mren_fail(err, MREN_EFORMAT,
							 "TemplateProcessing of tokenizer.json has an item without ids");
		for (size_t k = 0; k < json_array_size(ids); k++)
		{
			uint32_t id;

			MREN_TRY(mren_subword_read_id(json_array_get(ids, k), "a special token", &id, err));
			MREN_TRY(mren_subword_add_around(tokenizer, after, id, err));
		}
	}
	if (!after)
		return mren_fail(err, MREN_EFORMAT,
						 "TemplateProcessing of tokenizer.json has no place for the sentence");
	return MREN_OK;
}

/* What RobertaProcessing and ByteLevel do to spans. */
static MrenStatus
read_trim(const json_t *part, MrenSubwordTokenizer *tokenizer, MrenError *err)
{
	bool trim;

	MREN_TRY(mren_subword_read_bool(part, "trim_offsets", true, &trim, err));
	if (trim && tokenizer->trim_offsets)
		return mren_fail(err, MREN_EUNSUPPORTED,
						 "two post-processors of tokenizer.json that trim offsets are not "
						 "supported");
	if (!trim)
		return MREN_OK;
	tokenizer->trim_offsets = true;
	tokenizer->trim_index = tokenizer->n_before;
	return mren_subword_read_bool(part, "add_prefix_space", true, &tokenizer->trim_keeps_space,
								  err);
}

static MrenStatus
read_around(const json_t *part, MrenSubwordTokenizer *tokenizer, MrenError *err)
{
	uint32_t id;

	MREN_TRY(
		mren_subword_read_id(json_array_get(json_object_get(part, "cls"), 1), "\"cls\"", &id, err));
	MREN_TRY(mren_subword_add_around(tokenizer, false, id, err));
	MREN_TRY(
		mren_subword_read_id(json_array_get(json_object_get(part, "sep"), 1), "\"sep\"", &id, err));
	return mren_subword_add_around(tokenizer, true, id, err);
}

MrenStatus
mren_subword_read_post_processor(const json_t *part, MrenSubwordTokenizer *tokenizer,
								 MrenError *err)
{
	const json_t *list = json_object_get(part, "processors");

	if (part == NULL || json_is_null(part))
		return MREN_OK;
	if (mren_subword_part_is(part, "Sequence"))
	{
		if (!json_is_array(list))
			return mren_fail(err, MREN_EFORMAT,
							 "\"processors\" in tokenizer.json must be an array");
		for (size_t i = 0; i < json_array_size(list); i++)
			MREN_TRY(mren_subword_read_post_processor(json_array_get(list, i), tokenizer, err));
		return MREN_OK;
	}
	if (mren_subword_part_is(part, "TemplateProcessing"))
		return read_template(part, tokenizer, err);
	if (mren_subword_part_is(part, "ByteLevel"))
		return read_trim(part, tokenizer, err);
	if (mren_subword_part_is(part, "BertProcessing"))
		return read_around(part, tokenizer, err);
	if (!mren_subword_part_is(part, "RobertaProcessing"))
		return mren_subword_refuse("post-processor", part, err);
	MREN_TRY(read_trim(part, tokenizer, err));
	return read_around(part, tokenizer, err);
}
