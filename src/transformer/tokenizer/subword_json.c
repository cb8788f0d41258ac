/*
 * subword_json.c
 *	  tokenizer.json and vocab.txt read into a tokenizer; what is not supported is refused.
 */
#include <limits.h>
#include <string.h>

#include <jansson.h>

#include "base/utf8.h"
#include "transformer/tokenizer/subword_parts.h"

#define MAX_WORD_CHARS 10000
#define MAX_PIECE_BYTES 65536

/* The "type" of a part, "" if it has none. */
static const char *
type_of(const json_t *part)
{
	const char *type = json_string_value(json_object_get(part, "type"));

	return type == NULL ? "" : type;
}

static MrenStatus
refuse(const char *what, const json_t *part, MrenError *err)
{
	const char *type = type_of(part);
	MrenExcerpt excerpt = mren_utf8_excerpt(type, strlen(type));

	return mren_fail(err, MREN_EUNSUPPORTED, "%s \"%s\" of tokenizer.json is not supported", what,
					 excerpt.text);
}

static MrenStatus
read_bool(const json_t *part, const char *key, bool missing, bool *value, MrenError *err)
{
	const json_t *found = json_object_get(part, key);

	if (found != NULL && !json_is_null(found) && !json_is_boolean(found))
		return mren_fail(err, MREN_EFORMAT, "\"%s\" in tokenizer.json must be true or false", key);
	*value = json_is_boolean(found) ? json_is_true(found) : missing;
	return MREN_OK;
}

static MrenStatus
read_normalizer(const json_t *part, MrenBertNormalizer *normalizer, MrenError *err)
{
	if (part == NULL || json_is_null(part))
		return MREN_OK;
	if (strcmp(type_of(part), "BertNormalizer") != 0)
		return refuse("normalizer", part, err);
	normalizer->present = true;
	MREN_TRY(read_bool(part, "clean_text", true, &normalizer->clean_text, err));
	MREN_TRY(read_bool(part, "handle_chinese_chars", true, &normalizer->chinese_chars, err));
	MREN_TRY(read_bool(part, "lowercase", true, &normalizer->lowercase, err));
	return read_bool(part, "strip_accents", normalizer->lowercase, &normalizer->strip_accents, err);
}

static MrenStatus
read_id(const json_t *value, const char *what, uint32_t *id, MrenError *err)
{
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value))
		return mren_fail(err, MREN_EFORMAT, "%s in tokenizer.json must have an integer as its id",
						 what);
	if (number < 0 || number >= MREN_MAX_VOCABULARY)
		return mren_fail(err, MREN_ELIMIT, "id of %s in tokenizer.json must be below %u", what,
						 MREN_MAX_VOCABULARY);
	*id = (uint32_t) number;
	return MREN_OK;
}

static MrenStatus
read_vocab(const MrenEnv *env, json_t *vocab, MrenSubwordTokenizer *tokenizer, MrenError *err)
{
	const char *text;
	json_t *value;
	size_t n = 0;

	if (!json_is_object(vocab))
		return mren_fail(err, MREN_EFORMAT, "vocabulary of tokenizer.json must be an object");
	json_object_foreach(vocab, text, value)
	{
		uint32_t id;

		if (n++ % 4096 == 0)
			MREN_TRY(mren_check_interrupts(env, err));
		if (strlen(text) > MAX_PIECE_BYTES)
			return mren_fail(err, MREN_ELIMIT, "piece of tokenizer.json must have at most %d bytes",
							 MAX_PIECE_BYTES);
		MREN_TRY(read_id(value, "a piece", &id, err));
		MREN_TRY(mren_subword_add_entry(env, tokenizer, text, strlen(text), id, err));
	}
	return MREN_OK;
}

static MrenStatus
read_model(const MrenEnv *env, const json_t *model, MrenSubwordTokenizer *tokenizer, MrenError *err)
{
	const json_t *max = json_object_get(model, "max_input_chars_per_word");
	const json_t *prefix = json_object_get(model, "continuing_subword_prefix");

	/* Old files name no type; only WordPiece has this setting. */
	if (strcmp(type_of(model), "WordPiece") != 0 && (type_of(model)[0] != '\0' || max == NULL))
		return refuse("model", model, err);
	if (max != NULL && (!json_is_integer(max) || json_integer_value(max) < 0))
		return mren_fail(err, MREN_EFORMAT,
						 "\"max_input_chars_per_word\" in tokenizer.json must be a count");
	if (max != NULL && json_integer_value(max) > MAX_WORD_CHARS)
		return mren_fail(err, MREN_ELIMIT,
						 "\"max_input_chars_per_word\" in tokenizer.json must be at most %d",
						 MAX_WORD_CHARS);
	tokenizer->max_chars = max != NULL ? (size_t) json_integer_value(max) : 100;
	if (prefix != NULL &&
		(!json_is_string(prefix) || json_string_length(prefix) >= sizeof(tokenizer->prefix)))
		return mren_fail(err, MREN_EFORMAT,
						 "\"continuing_subword_prefix\" in tokenizer.json must be a short string");
	strcpy(tokenizer->prefix, prefix != NULL ? json_string_value(prefix) : "##");
	tokenizer->prefix_len = strlen(tokenizer->prefix);
	return read_vocab(env, json_object_get(model, "vocab"), tokenizer, err);
}

static MrenStatus
read_added_token(const MrenEnv *env, const json_t *item, MrenSubwordTokenizer *tokenizer,
				 MrenAddedToken *token, uint32_t *next, MrenError *err)
{
	const char *text = json_string_value(json_object_get(item, "content"));
	MrenSubwordChars raw = {0};
	MrenStatus status;
	uint32_t known;

	if (text == NULL || strlen(text) > MAX_PIECE_BYTES)
		return mren_fail(err, MREN_EFORMAT,
						 "added token of tokenizer.json must have a text of at most %d bytes",
						 MAX_PIECE_BYTES);
	MREN_TRY(read_id(json_object_get(item, "id"), "an added token", &token->id, err));
	MREN_TRY(read_bool(item, "special", false, &token->special, err));
	MREN_TRY(read_bool(item, "single_word", false, &token->single_word, err));
	MREN_TRY(read_bool(item, "lstrip", false, &token->lstrip, err));
	MREN_TRY(read_bool(item, "rstrip", false, &token->rstrip, err));
	MREN_TRY(read_bool(item, "normalized", !token->special, &token->normalized, err));
	if (token->id >= tokenizer->n_ids)
		tokenizer->n_ids = (size_t) token->id + 1;
	/* As in the library, which numbers the tokens that the vocabulary lacks anew. */
	known = mren_subword_lookup(tokenizer, text, strlen(text));
	token->id = known != MREN_NO_PIECE ? known : (*next)++;
	if (known == MREN_NO_PIECE)
		MREN_TRY(mren_subword_add_entry(env, tokenizer, text, strlen(text), token->id, err));
	if (!token->normalized)
		return mren_chars_read(env, text, strlen(text), &token->content, err);
	status = mren_chars_read(env, text, strlen(text), &raw, err);
	if (status == MREN_OK)
		status =
			mren_bert_normalize(env, &tokenizer->normalizer, raw.at, raw.n, &token->content, err);
	mren_release(env, raw.at);
	return status;
}

static MrenStatus
read_added(const MrenEnv *env, const json_t *list, MrenSubwordTokenizer *tokenizer, MrenError *err)
{
	size_t n = json_array_size(list);
	uint32_t next;

	if (list != NULL && !json_is_null(list) && !json_is_array(list))
		return mren_fail(err, MREN_EFORMAT, "\"added_tokens\" in tokenizer.json must be an array");
	if (n > MREN_MAX_ADDED_TOKENS)
		return mren_fail(err, MREN_ELIMIT, "tokenizer.json must have at most %d added tokens",
						 MREN_MAX_ADDED_TOKENS);
	MREN_TRY(mren_allocate_zero(env, n, sizeof(MrenAddedToken), &tokenizer->added, err));
	MREN_TRY(mren_subword_index(env, tokenizer, err));
	next = (uint32_t) tokenizer->n_entries;
	for (size_t i = 0; i < n; i++)
	{
		tokenizer->n_added = i + 1;
		MREN_TRY(read_added_token(env, json_array_get(list, i), tokenizer, &tokenizer->added[i],
								  &next, err));
	}
	return MREN_OK;
}

static MrenStatus
add_around(MrenSubwordTokenizer *tokenizer, bool after, uint32_t id, MrenError *err)
{
	size_t *n = after ? &tokenizer->n_after : &tokenizer->n_before;

	if (*n >= MREN_MAX_SPECIAL_AROUND)
		return mren_fail(err, MREN_ELIMIT,
						 "post-processor of tokenizer.json must add at most %d pieces to a side",
						 MREN_MAX_SPECIAL_AROUND);
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

			MREN_TRY(read_id(json_array_get(ids, k), "a special token", &id, err));
			MREN_TRY(add_around(tokenizer, after, id, err));
		}
	}
	if (!after)
		return mren_fail(err, MREN_EFORMAT,
						 "TemplateProcessing of tokenizer.json has no place for the sentence");
	return MREN_OK;
}

static MrenStatus
read_post_processor(const json_t *part, MrenSubwordTokenizer *tokenizer, MrenError *err)
{
	bool roberta = strcmp(type_of(part), "RobertaProcessing") == 0;
	uint32_t id;

	if (part == NULL || json_is_null(part))
		return MREN_OK;
	if (strcmp(type_of(part), "TemplateProcessing") == 0)
		return read_template(part, tokenizer, err);
	if (!roberta && strcmp(type_of(part), "BertProcessing") != 0)
		return refuse("post-processor", part, err);
	if (roberta)
		MREN_TRY(read_bool(part, "trim_offsets", true, &tokenizer->trim_offsets, err));
	MREN_TRY(read_id(json_array_get(json_object_get(part, "cls"), 1), "\"cls\"", &id, err));
	MREN_TRY(add_around(tokenizer, false, id, err));
	MREN_TRY(read_id(json_array_get(json_object_get(part, "sep"), 1), "\"sep\"", &id, err));
	return add_around(tokenizer, true, id, err);
}

static MrenStatus
read_root(const MrenEnv *env, const json_t *root, MrenSubwordTokenizer *tokenizer, MrenError *err)
{
	const json_t *model = json_object_get(root, "model");
	const json_t *words = json_object_get(root, "pre_tokenizer");
	const char *unknown = json_string_value(json_object_get(model, "unk_token"));

	if (!json_is_object(model))
		return mren_fail(err, MREN_EFORMAT, "tokenizer.json must have a \"model\"");
	MREN_TRY(read_normalizer(json_object_get(root, "normalizer"), &tokenizer->normalizer, err));
	if (strcmp(type_of(words), "BertPreTokenizer") != 0)
		return refuse("pre-tokenizer", words, err);
	MREN_TRY(read_model(env, model, tokenizer, err));
	MREN_TRY(read_added(env, json_object_get(root, "added_tokens"), tokenizer, err));
	MREN_TRY(read_post_processor(json_object_get(root, "post_processor"), tokenizer, err));
	MREN_TRY(mren_subword_index(env, tokenizer, err));
	unknown = unknown == NULL ? "[UNK]" : unknown;
	tokenizer->unknown = mren_subword_lookup(tokenizer, unknown, strlen(unknown));
	if (tokenizer->unknown == MREN_NO_PIECE)
		return mren_fail(err, MREN_EFORMAT, "vocabulary of tokenizer.json lacks its \"unk_token\"");
	return MREN_OK;
}

MrenStatus
mren_subword_parse(const MrenEnv *env, const void *bytes, size_t n,
				   MrenSubwordTokenizer **tokenizer, MrenError *err)
{
	json_error_t problem;
	json_t *root;
	MrenStatus status;

	*tokenizer = NULL;
	if (n > MREN_MAX_TOKENIZER_BYTES)
		return mren_fail(err, MREN_ELIMIT, "tokenizer.json must have at most %zu bytes",
						 MREN_MAX_TOKENIZER_BYTES);
	root = json_loadb(bytes, n, 0, &problem);
	if (root == NULL && json_error_code(&problem) == json_error_out_of_memory)
		return mren_fail_nomem(err);
	if (root == NULL)
		return mren_fail(err, MREN_EFORMAT, "tokenizer.json is not valid JSON: %s at line %d",
						 problem.text, problem.line);
	status = mren_allocate_zero(env, 1, sizeof(MrenSubwordTokenizer), tokenizer, err);
	if (status == MREN_OK)
		status = read_root(env, root, *tokenizer, err);
	json_decref(root);
	if (status != MREN_OK)
	{
		mren_subword_free(env, *tokenizer);
		*tokenizer = NULL;
	}
	return status;
}

static MrenStatus
read_lines(const MrenEnv *env, const char *text, size_t n, MrenSubwordTokenizer *tokenizer,
		   MrenError *err)
{
	static const char *const around[] = {"[UNK]", "[CLS]", "[SEP]"};
	uint32_t line = 0, id[3];

	for (size_t at = 0, len; at < n; at += len + 1, line++)
	{
		const char *end = memchr(text + at, '\n', n - at);

		len = end != NULL ? (size_t) (end - text) - at : n - at;
		if (line % 4096 == 0)
			MREN_TRY(mren_check_interrupts(env, err));
		if (len > MAX_PIECE_BYTES)
			return mren_fail(err, MREN_ELIMIT, "line of vocab.txt must have at most %d bytes",
							 MAX_PIECE_BYTES);
		MREN_TRY(mren_subword_add_entry(env, tokenizer, text + at,
										len - (len > 0 && text[at + len - 1] == '\r'), line, err));
	}
	MREN_TRY(mren_subword_index(env, tokenizer, err));
	for (int i = 0; i < 3; i++)
	{
		id[i] = mren_subword_lookup(tokenizer, around[i], 5);
		if (id[i] == MREN_NO_PIECE)
			return mren_fail(err, MREN_EFORMAT, "vocab.txt lacks %s", around[i]);
	}
	tokenizer->unknown = id[0];
	MREN_TRY(add_around(tokenizer, false, id[1], err));
	return add_around(tokenizer, true, id[2], err);
}

/* The special tokens of BERT, sought in the text only when the caller wants them. */
static MrenStatus
add_bert_specials(const MrenEnv *env, MrenSubwordTokenizer *tokenizer, MrenError *err)
{
	static const char *const special[] = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};

	MREN_TRY(mren_allocate_zero(env, 5, sizeof(MrenAddedToken), &tokenizer->added, err));
	for (int i = 0; i < 5; i++)
	{
		MrenAddedToken *token = &tokenizer->added[tokenizer->n_added];
		uint32_t id = mren_subword_lookup(tokenizer, special[i], strlen(special[i]));

		if (id == MREN_NO_PIECE)
			continue;
		tokenizer->n_added++;
		*token = (MrenAddedToken){.id = id, .special = true};
		MREN_TRY(mren_chars_read(env, special[i], strlen(special[i]), &token->content, err));
	}
	return MREN_OK;
}

MrenStatus
mren_subword_parse_vocab(const MrenEnv *env, const void *bytes, size_t n,
						 const MrenVocabOptions *options, MrenSubwordTokenizer **tokenizer,
						 MrenError *err)
{
	bool strip = options->strip_accents < 0 ? options->lower_case : options->strip_accents > 0;
	MrenStatus status;

	*tokenizer = NULL;
	if (n > MREN_MAX_TOKENIZER_BYTES)
		return mren_fail(err, MREN_ELIMIT, "vocab.txt must have at most %zu bytes",
						 MREN_MAX_TOKENIZER_BYTES);
	if (!mren_utf8_valid(bytes, n, NULL))
		return mren_fail(err, MREN_EFORMAT, "vocab.txt is not valid UTF-8");
	MREN_TRY(mren_allocate_zero(env, 1, sizeof(MrenSubwordTokenizer), tokenizer, err));
	(*tokenizer)->normalizer =
		(MrenBertNormalizer){true, true, options->chinese_characters, strip, options->lower_case};
	strcpy((*tokenizer)->prefix, "##");
	(*tokenizer)->prefix_len = 2;
	(*tokenizer)->max_chars = 100;
	status = read_lines(env, bytes, n, *tokenizer, err);
	if (status == MREN_OK)
		status = add_bert_specials(env, *tokenizer, err);
	if (status != MREN_OK)
	{
		mren_subword_free(env, *tokenizer);
		*tokenizer = NULL;
	}
	return status;
}
