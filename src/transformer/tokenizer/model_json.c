/*
 * model_json.c
 *	  The model of tokenizer.json: its vocabulary, scores or merges, and options.
 */
#include <stdio.h>
#include <string.h>

#include "base/text_span.h"
#include "base/utf8.h"
#include "transformer/tokenizer/tokenizer_json.h"

#define MAX_WORD_CHARS 10000
#define MAX_MERGES (1u << 20)

/* Old files name no type: then the parts that only one kind has tell. */
MrenStatus
mren_subword_read_model_type(const json_t *model, MrenSubwordTokenizer *tokenizer, MrenError *err)
{
	bool untyped = mren_subword_part_type(model)[0] == '\0';

	if (!json_is_object(model))
		return mren_fail(err, MREN_EFORMAT, "tokenizer.json must have a \"model\"");
	if (mren_subword_part_is(model, "BPE") || (untyped && json_object_get(model, "merges") != NULL))
		tokenizer->model = MREN_MODEL_BPE;
	else if (mren_subword_part_is(model, "Unigram") ||
			 (untyped && json_is_array(json_object_get(model, "vocab"))))
		tokenizer->model = MREN_MODEL_UNIGRAM;
	else if (mren_subword_part_is(model, "WordPiece") ||
			 (untyped && json_object_get(model, "max_input_chars_per_word") != NULL))
		tokenizer->model = MREN_MODEL_WORDPIECE;
	else
		return mren_subword_refuse("model", model, err);
	return MREN_OK;
}

static MrenStatus
add_piece(const MrenEnv *env, MrenSubwordTokenizer *tokenizer, const char *text, size_t len,
		  uint32_t id, MrenError *err)
{
	if (tokenizer->n_entries % 4096 == 0)
		MREN_TRY(mren_check_interrupts(env, err));
	if (len > MREN_MAX_PIECE_BYTES)
		return mren_fail(err, MREN_ELIMIT, "piece of tokenizer.json must have at most %d bytes",
						 MREN_MAX_PIECE_BYTES);
	return mren_subword_add_entry(env, tokenizer, text, len, id, err);
}

/* Pieces with their ids. */
static MrenStatus
read_vocab(const MrenEnv *env, json_t *vocab, MrenSubwordTokenizer *tokenizer, MrenError *err)
{
	const char *text;
	json_t *value;

	if (tokenizer->shared)
		return MREN_OK;
	if (!json_is_object(vocab))
		return mren_fail(err, MREN_EFORMAT, "vocabulary of tokenizer.json must be an object");
	json_object_foreach(vocab, text, value)
	{
		uint32_t id;

		MREN_TRY(mren_subword_read_id(value, "a piece", &id, err));
		MREN_TRY(add_piece(env, tokenizer, text, strlen(text), id, err));
	}
	tokenizer->n_vocabulary = tokenizer->n_entries;
	return mren_subword_index(env, tokenizer, err);
}

/* The ids of the pieces that stand for single bytes. */
static void
find_bytes(MrenSubwordTokenizer *tokenizer)
{
	char text[8];

	for (unsigned i = 0; i < MREN_N_BYTES; i++)
	{
		snprintf(text, sizeof(text), "<0x%02X>", i);
		tokenizer->byte[i] = mren_subword_model_lookup(tokenizer, text, strlen(text));
	}
}

static MrenStatus
read_wordpiece(const MrenEnv *env, const json_t *model, MrenSubwordTokenizer *tokenizer,
			   MrenError *err)
{
	const json_t *max = json_object_get(model, "max_input_chars_per_word");
	const json_t *prefix = json_object_get(model, "continuing_subword_prefix");
	const char *unknown = json_string_value(json_object_get(model, "unk_token"));

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
	MREN_TRY(read_vocab(env, json_object_get(model, "vocab"), tokenizer, err));
	unknown = unknown == NULL ? "[UNK]" : unknown;
	tokenizer->unknown = mren_subword_model_lookup(tokenizer, unknown, strlen(unknown));
	if (tokenizer->unknown == MREN_NO_PIECE)
		return mren_fail(err, MREN_EFORMAT, "vocabulary of tokenizer.json lacks its \"unk_token\"");
	return MREN_OK;
}

/* Both sides of a merge: "left right", or an array of the two. */
static bool
split_merge(const json_t *item, MrenTextSpan *left, MrenTextSpan *right)
{
	const char *text = json_string_value(item);
	const char *space = text == NULL ? NULL : strchr(text, ' ');

	if (json_is_array(item) && json_array_size(item) == 2)
	{
		const json_t *a = json_array_get(item, 0);
		const json_t *b = json_array_get(item, 1);

		*left = (MrenTextSpan){json_string_value(a), json_string_length(a)};
		*right = (MrenTextSpan){json_string_value(b), json_string_length(b)};
		return left->data != NULL && right->data != NULL;
	}
	if (space == NULL || strchr(space + 1, ' ') != NULL)
		return false;
	*left = (MrenTextSpan){text, (size_t) (space - text)};
	*right = (MrenTextSpan){space + 1, strlen(space + 1)};
	return true;
}

/* The id of a merge's piece, which must be there. */
static MrenStatus
find_piece(const MrenSubwordTokenizer *tokenizer, MrenTextSpan text, uint32_t *id, MrenError *err)
{
	*id = mren_subword_model_lookup(tokenizer, text.data, text.len);
	if (*id == MREN_NO_PIECE)
		return mren_fail(err, MREN_EFORMAT,
						 "merge of tokenizer.json has \"%s\", which the vocabulary lacks",
						 mren_utf8_excerpt(text.data, text.len).text);
	return MREN_OK;
}

static MrenStatus
read_merge(const MrenEnv *env, const json_t *item, uint32_t rank, MrenBuffer *both,
		   MrenSubwordTokenizer *tokenizer, MrenError *err)
{
	MrenTextSpan left, right;
	MrenMerge merge = {.rank = rank};

	if (!split_merge(item, &left, &right))
		return mren_fail(err, MREN_EFORMAT, "merge %u of tokenizer.json must be two pieces",
						 (unsigned) rank + 1);
	both->len = 0;
	MREN_TRY(mren_buffer_append(env, both, left.data, left.len, err));
	MREN_TRY(mren_buffer_append(env, both, right.data, right.len, err));
	MREN_TRY(find_piece(tokenizer, left, &merge.left, err));
	MREN_TRY(find_piece(tokenizer, right, &merge.right, err));
	MREN_TRY(find_piece(tokenizer, (MrenTextSpan){(const char *) both->data, both->len}, &merge.id,
						err));
	mren_bpe_add_merge(&tokenizer->bpe, &merge);
	return MREN_OK;
}

static MrenStatus
read_merges(const MrenEnv *env, const json_t *list, MrenSubwordTokenizer *tokenizer, MrenError *err)
{
	size_t n = json_array_size(list);
	uint32_t rank = 0;
	MrenBuffer both = {0};
	MrenStatus status;

	if (tokenizer->shared)
		return MREN_OK;
	if (!json_is_array(list))
		return mren_fail(err, MREN_EFORMAT, "\"merges\" in tokenizer.json must be an array");
	if (n > MAX_MERGES)
		return mren_fail(err, MREN_ELIMIT, "tokenizer.json must have at most %u merges",
						 MAX_MERGES);
	status = mren_bpe_create(env, &tokenizer->bpe, n, err);
	for (size_t i = 0; i < n && status == MREN_OK; i++)
	{
		const json_t *item = json_array_get(list, i);
		const char *text = json_string_value(item);

		if (i % 4096 == 0)
			status = mren_check_interrupts(env, err);
		/* The first line of merges.txt, which old exporters kept. */
		if (text != NULL && strncmp(text, "#version", 8) == 0)
			continue;
		if (status == MREN_OK)
			status = read_merge(env, item, rank++, &both, tokenizer, err);
	}
	mren_buffer_free(env, &both);
	return status;
}

/* Options of BPE that encoders of the supported kinds do not use. */
static MrenStatus
refuse_bpe_options(const json_t *model, MrenError *err)
{
	static const char *const affixes[] = {"continuing_subword_prefix", "end_of_word_suffix"};
	const json_t *dropout = json_object_get(model, "dropout");

	for (int i = 0; i < 2; i++)
		if (json_string_length(json_object_get(model, affixes[i])) > 0)
			return mren_fail(err, MREN_EUNSUPPORTED,
							 "model \"BPE\" of tokenizer.json with \"%s\" is not supported",
							 affixes[i]);
	if (json_number_value(dropout) != 0)
		return mren_fail(err, MREN_EUNSUPPORTED,
						 "model \"BPE\" of tokenizer.json with \"dropout\" is not supported");
	return MREN_OK;
}

static MrenStatus
read_bpe(const MrenEnv *env, const json_t *model, MrenSubwordTokenizer *tokenizer, MrenError *err)
{
	const char *unknown = json_string_value(json_object_get(model, "unk_token"));
	MrenBpe *bpe = &tokenizer->bpe;

	MREN_TRY(refuse_bpe_options(model, err));
	MREN_TRY(mren_subword_read_bool(model, "fuse_unk", false, &bpe->fuse_unknown, err));
	MREN_TRY(mren_subword_read_bool(model, "byte_fallback", false, &bpe->byte_fallback, err));
	MREN_TRY(mren_subword_read_bool(model, "ignore_merges", false, &bpe->ignore_merges, err));
	MREN_TRY(read_vocab(env, json_object_get(model, "vocab"), tokenizer, err));
	MREN_TRY(read_merges(env, json_object_get(model, "merges"), tokenizer, err));
	tokenizer->unknown = MREN_NO_PIECE;
	if (unknown != NULL)
		tokenizer->unknown = mren_subword_model_lookup(tokenizer, unknown, strlen(unknown));
	bpe->unknown_missing = unknown != NULL && tokenizer->unknown == MREN_NO_PIECE;
	find_bytes(tokenizer);
	return MREN_OK;
}

/* Pieces with their scores, whose ids are their numbers in the list. */
static MrenStatus
read_scores(const MrenEnv *env, const json_t *list, MrenSubwordTokenizer *tokenizer, MrenError *err)
{
	size_t n = json_array_size(list);

	if (tokenizer->shared)
		return MREN_OK;
	if (!json_is_array(list))
		return mren_fail(err, MREN_EFORMAT, "vocabulary of tokenizer.json must be an array");
	MREN_TRY(mren_allocate(env, n, sizeof(double), &tokenizer->unigram.score, err));
	for (size_t i = 0; i < n; i++)
	{
		const json_t *item = json_array_get(list, i);
		const json_t *text = json_array_get(item, 0);
		const json_t *score = json_array_get(item, 1);

		if (json_array_size(item) != 2 || !json_is_string(text) || !json_is_number(score))
			return mren_fail(err, MREN_EFORMAT,
							 "piece %zu of tokenizer.json must be a text and its score", i);
		tokenizer->unigram.score[i] = json_number_value(score);
		MREN_TRY(add_piece(env, tokenizer, json_string_value(text), json_string_length(text),
						   (uint32_t) (i < MREN_MAX_VOCABULARY ? i : MREN_MAX_VOCABULARY), err));
	}
	tokenizer->n_vocabulary = n;
	return mren_subword_index(env, tokenizer, err);
}

static MrenStatus
read_unigram(const MrenEnv *env, const json_t *model, MrenSubwordTokenizer *tokenizer,
			 MrenError *err)
{
	const json_t *unknown = json_object_get(model, "unk_id");

	MREN_TRY(mren_subword_read_bool(model, "byte_fallback", false,
									&tokenizer->unigram.byte_fallback, err));
	MREN_TRY(read_scores(env, json_object_get(model, "vocab"), tokenizer, err));
	if (tokenizer->n_vocabulary == 0)
		return mren_fail(err, MREN_EFORMAT, "vocabulary of tokenizer.json is empty");
	tokenizer->unknown = MREN_NO_PIECE;
	if (unknown != NULL && !json_is_null(unknown))
	{
		MREN_TRY(mren_subword_read_id(unknown, "the unknown piece", &tokenizer->unknown, err));
		if (tokenizer->unknown >= tokenizer->n_vocabulary)
			return mren_fail(err, MREN_EFORMAT,
							 "\"unk_id\" %u in tokenizer.json must be less than the number of "
							 "pieces %zu",
							 (unsigned) tokenizer->unknown, tokenizer->n_vocabulary);
	}
	find_bytes(tokenizer);
	return mren_unigram_index(env, tokenizer, err);
}

MrenStatus
mren_subword_read_model(const MrenEnv *env, const json_t *model, MrenSubwordTokenizer *tokenizer,
						MrenError *err)
{
	switch (tokenizer->model)
	{
		case MREN_MODEL_WORDPIECE:
			return read_wordpiece(env, model, tokenizer, err);
		case MREN_MODEL_BPE:
			return read_bpe(env, model, tokenizer, err);
		case MREN_MODEL_UNIGRAM:
			return read_unigram(env, model, tokenizer, err);
	}
	return MREN_OK;
}
