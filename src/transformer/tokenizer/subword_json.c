/*
 * subword_json.c
 *	  tokenizer.json and vocab.txt read into a tokenizer; what is not supported is refused.
 */
#include <string.h>

#include "base/utf8.h"
#include "base/weights.h"
#include "transformer/tokenizer/tokenizer_json.h"

const char *
mren_subword_part_type(const json_t *part)
{
	const char *type = json_string_value(json_object_get(part, "type"));

	return type == NULL ? "" : type;
}

bool
mren_subword_part_is(const json_t *part, const char *type)
{
	return strcmp(mren_subword_part_type(part), type) == 0;
}

MrenStatus
mren_subword_refuse(const char *what, const json_t *part, MrenError *err)
{
	const char *type = mren_subword_part_type(part);

	return mren_fail(err, MREN_EUNSUPPORTED, "%s \"%s\" of tokenizer.json is not supported", what,
					 mren_utf8_excerpt(type, strlen(type)).text);
}

MrenStatus
mren_subword_read_bool(const json_t *part, const char *key, bool missing, bool *value,
					   MrenError *err)
{
	const json_t *found = json_object_get(part, key);

	if (found != NULL && !json_is_null(found) && !json_is_boolean(found))
		return mren_fail(err, MREN_EFORMAT, "\"%s\" in tokenizer.json must be true or false", key);
	*value = json_is_boolean(found) ? json_is_true(found) : missing;
	return MREN_OK;
}

MrenStatus
mren_subword_read_id(const json_t *value, const char *what, uint32_t *id, MrenError *err)
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

/* As in the library, which numbers the tokens that the vocabulary lacks anew. */
static MrenStatus
number_added_token(const MrenEnv *env, MrenSubwordTokenizer *tokenizer, const char *text,
				   MrenAddedToken *token, uint32_t *next, MrenError *err)
{
	uint32_t known;

	if (tokenizer->shared)
		return mren_subword_take_added(tokenizer, (size_t) (token - tokenizer->added), &token->id,
									   err);
	if (token->id >= tokenizer->n_ids)
		tokenizer->n_ids = (size_t) token->id + 1;
	known = mren_subword_lookup(tokenizer, text, strlen(text));
	token->id = known != MREN_NO_PIECE ? known : (*next)++;
	if (known != MREN_NO_PIECE)
		return MREN_OK;
	return mren_subword_add_entry(env, tokenizer, text, strlen(text), token->id, err);
}

static MrenStatus
read_added_token(const MrenEnv *env, const json_t *item, MrenSubwordTokenizer *tokenizer,
				 MrenAddedToken *token, uint32_t *next, MrenError *err)
{
	const char *text = json_string_value(json_object_get(item, "content"));
	MrenSubwordChars raw = {0};
	MrenStatus status;

	if (text == NULL || strlen(text) > MREN_MAX_PIECE_BYTES)
		return mren_fail(err, MREN_EFORMAT,
						 "added token of tokenizer.json must have a text of at most %d bytes",
						 MREN_MAX_PIECE_BYTES);
	MREN_TRY(mren_subword_read_id(json_object_get(item, "id"), "an added token", &token->id, err));
	MREN_TRY(mren_subword_read_bool(item, "special", false, &token->special, err));
	MREN_TRY(mren_subword_read_bool(item, "single_word", false, &token->single_word, err));
	MREN_TRY(mren_subword_read_bool(item, "lstrip", false, &token->lstrip, err));
	MREN_TRY(mren_subword_read_bool(item, "rstrip", false, &token->rstrip, err));
	MREN_TRY(mren_subword_read_bool(item, "normalized", !token->special, &token->normalized, err));
	MREN_TRY(number_added_token(env, tokenizer, text, token, next, err));
	if (!token->normalized)
		return mren_chars_read(env, text, strlen(text), &token->content, err);
	status = mren_chars_read(env, text, strlen(text), &raw, err);
	if (status == MREN_OK)
		status = mren_normalize(env, &tokenizer->normalizers, raw.at, raw.n, &token->content, err);
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
read_root(const MrenEnv *env, const json_t *root, MrenSubwordTokenizer *tokenizer, MrenError *err)
{
	const json_t *model = json_object_get(root, "model");

	/* First whether the model is supported, since the other parts depend on it. */
	MREN_TRY(mren_subword_read_model_type(model, tokenizer, err));
	MREN_TRY(mren_subword_take(env, tokenizer, err));
	MREN_TRY(mren_subword_read_normalizers(env, json_object_get(root, "normalizer"),
										   &tokenizer->normalizers, err));
	MREN_TRY(
		mren_subword_read_pre_tokenizers(json_object_get(root, "pre_tokenizer"), tokenizer, err));
	MREN_TRY(mren_subword_read_model(env, model, tokenizer, err));
	MREN_TRY(read_added(env, json_object_get(root, "added_tokens"), tokenizer, err));
	MREN_TRY(
		mren_subword_read_post_processor(json_object_get(root, "post_processor"), tokenizer, err));
	MREN_TRY(mren_subword_index(env, tokenizer, err));
	MREN_TRY(mren_added_tokens_index(env, tokenizer, err));
	return mren_subword_record(env, root, tokenizer, err);
}

MrenStatus
mren_subword_parse(const MrenEnv *env, const void *bytes, size_t n,
				   MrenSubwordTokenizer **tokenizer, MrenError *err)
{
	json_t *root;
	MrenStatus status;

	*tokenizer = NULL;
	if (mren_weights_ready(env))
		MREN_TRY(mren_subword_take_settings(env, &bytes, &n, err));
	MREN_TRY(
		mren_transformer_json("tokenizer.json", bytes, n, MREN_MAX_TOKENIZER_BYTES, &root, err));
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
	uint32_t line = 0;

	for (size_t at = 0, len; at < n; at += len + 1, line++)
	{
		const char *end = memchr(text + at, '\n', n - at);

		len = end != NULL ? (size_t) (end - text) - at : n - at;
		if (line % 4096 == 0)
			MREN_TRY(mren_check_interrupts(env, err));
		if (len > MREN_MAX_PIECE_BYTES)
			return mren_fail(err, MREN_ELIMIT, "line of vocab.txt must have at most %d bytes",
							 MREN_MAX_PIECE_BYTES);
		MREN_TRY(mren_subword_add_entry(env, tokenizer, text + at,
										len - (len > 0 && text[at + len - 1] == '\r'), line, err));
	}
	tokenizer->n_vocabulary = tokenizer->n_entries;
	return mren_subword_index(env, tokenizer, err);
}

/* The pieces of BERT that vocab.txt must have. */
static MrenStatus
find_bert_pieces(MrenSubwordTokenizer *tokenizer, MrenError *err)
{
	static const char *const around[] = {"[UNK]", "[CLS]", "[SEP]"};
	uint32_t id[3];

	for (int i = 0; i < 3; i++)
	{
		id[i] = mren_subword_lookup(tokenizer, around[i], 5);
		if (id[i] == MREN_NO_PIECE)
			return mren_fail(err, MREN_EFORMAT, "vocab.txt lacks %s", around[i]);
	}
	tokenizer->unknown = id[0];
	MREN_TRY(mren_subword_add_around(tokenizer, false, id[1], err));
	return mren_subword_add_around(tokenizer, true, id[2], err);
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
	return mren_added_tokens_index(env, tokenizer, err);
}

MrenStatus
mren_subword_parse_vocab(const MrenEnv *env, const void *bytes, size_t n,
						 const MrenVocabOptions *options, MrenSubwordTokenizer **tokenizer,
						 MrenError *err)
{
	bool strip = options->strip_accents < 0 ? options->lower_case : options->strip_accents > 0;
	MrenStatus status;

	*tokenizer = NULL;
	if (mren_weights_ready(env))
		n = 0;
	if (n > MREN_MAX_TOKENIZER_BYTES)
		return mren_fail(err, MREN_ELIMIT, "vocab.txt must have at most %zu bytes",
						 MREN_MAX_TOKENIZER_BYTES);
	if (!mren_utf8_valid(bytes, n, NULL))
		return mren_fail(err, MREN_EFORMAT, "vocab.txt is not valid UTF-8");
	MREN_TRY(mren_allocate_zero(env, 1, sizeof(MrenSubwordTokenizer), tokenizer, err));
	(*tokenizer)->normalizers.at[0] =
		(MrenNormalizer){.kind = MREN_NORMALIZER_BERT,
						 .bert = {true, options->chinese_characters, strip, options->lower_case}};
	(*tokenizer)->normalizers.n = 1;
	(*tokenizer)->pre_tokenizer[0].kind = MREN_PRE_BERT;
	(*tokenizer)->n_pre_tokenizers = 1;
	strcpy((*tokenizer)->prefix, "##");
	(*tokenizer)->prefix_len = 2;
	(*tokenizer)->max_chars = 100;
	status = mren_subword_take(env, *tokenizer, err);
	if (status == MREN_OK && !(*tokenizer)->shared)
		status = read_lines(env, bytes, n, *tokenizer, err);
	if (status == MREN_OK)
		status = find_bert_pieces(*tokenizer, err);
	if (status == MREN_OK)
		status = add_bert_specials(env, *tokenizer, err);
	if (status == MREN_OK)
		status = mren_subword_record(env, NULL, *tokenizer, err);
	if (status != MREN_OK)
	{
		mren_subword_free(env, *tokenizer);
		*tokenizer = NULL;
	}
	return status;
}
