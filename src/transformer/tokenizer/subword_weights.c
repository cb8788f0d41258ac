/*
 * subword_weights.c
 *	  The pieces of a tokenizer as weights, so that many processes can map them.
 *
 * What takes long to read of a tokenizer's file is its pieces, merges and scores.  They are blocks
 * in the sense of weights.h, in the order of the enumeration below; the rest is a small
 * tokenizer.json, which is read again by the same functions.  Unlike numbers that are only
 * calculated with, these are checked as a whole when they are taken, which needs them all anyhow:
 * a damaged file is refused.
 */
#include <string.h>

#include "base/utf8.h"
#include "base/weights.h"
#include "transformer/tokenizer/tokenizer_json.h"

enum
{
	N_VOCABULARY,
	ENTRIES,
	BYTES,
	SLOTS,
	BY_ID,
	ADDED_IDS,
	MERGES,
	SCORES,
	TRIE_FIRST,
	TRIE_BYTES,
	TRIE_VALUES,
	N_BLOCKS
};

/* The tokenizer's file without its pieces. */
static json_t *
settings_of(const json_t *root, const char *model_type)
{
	static const char *const parts[] = {"normalizer", "pre_tokenizer", "post_processor",
										"added_tokens"};
	json_t *settings = mren_transformer_json_new();
	json_t *model = json_copy(json_object_get(root, "model"));
	bool complete = settings != NULL && model != NULL;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && complete; i++)
	{
		json_t *part = json_object_get(root, parts[i]);

		complete = part == NULL || json_object_set(settings, parts[i], part) == 0;
	}
	if (complete)
	{
		(void) json_object_del(model, "vocab");
		(void) json_object_del(model, "merges");
		complete = json_object_set_new(model, "type", json_string(model_type)) == 0 &&
				   json_object_set(settings, "model", model) == 0;
	}
	json_decref(model);
	if (complete)
		return settings;
	json_decref(settings);
	return NULL;
}

static MrenStatus
write_settings(const MrenEnv *env, const json_t *root, MrenSubwordTokenizer *tokenizer,
			   MrenError *err)
{
	static const char *const types[] = {"WordPiece", "BPE", "Unigram"};
	json_t *settings = settings_of(root, types[tokenizer->model]);
	char *text = settings == NULL ? NULL : json_dumps(settings, JSON_COMPACT);
	MrenStatus status =
		text == NULL ? mren_fail_nomem(err)
					 : mren_buffer_append(env, &tokenizer->settings, text, strlen(text), err);

	free(text);
	json_decref(settings);
	MREN_TRY(status);
	return mren_weights_add(env->weights, tokenizer->settings.data, tokenizer->settings.len, err);
}

/* The ids of added tokens, which depend on the pieces that were there before each. */
static MrenStatus
write_added(const MrenEnv *env, MrenSubwordTokenizer *tokenizer, MrenError *err)
{
	MREN_TRY(mren_allocate(env, tokenizer->n_added, sizeof(uint32_t), &tokenizer->added_ids, err));
	for (size_t i = 0; i < tokenizer->n_added; i++)
		tokenizer->added_ids[i] = tokenizer->added[i].id;
	return MREN_OK;
}

MrenStatus
mren_subword_record(const MrenEnv *env, const json_t *root, MrenSubwordTokenizer *tokenizer,
					MrenError *err)
{
	const MrenUnigram *unigram = &tokenizer->unigram;
	size_t n_nodes = unigram->trie.n_nodes;

	if (env->weights == NULL || tokenizer->shared)
		return MREN_OK;
	if (root != NULL)
		MREN_TRY(write_settings(env, root, tokenizer, err));
	MREN_TRY(write_added(env, tokenizer, err));
	tokenizer->counted = tokenizer->n_vocabulary;
	{
		const MrenWeightsBlock blocks[N_BLOCKS] = {
			[N_VOCABULARY] = {&tokenizer->counted, sizeof(tokenizer->counted)},
			[ENTRIES] = {tokenizer->entry, tokenizer->n_entries * sizeof(MrenVocabEntry)},
			[BYTES] = {tokenizer->bytes.data, tokenizer->bytes.len},
			[SLOTS] = {tokenizer->slot, tokenizer->n_slots * sizeof(uint32_t)},
			[BY_ID] = {tokenizer->by_id, tokenizer->n_ids * sizeof(uint32_t)},
			[ADDED_IDS] = {tokenizer->added_ids, tokenizer->n_added * sizeof(uint32_t)},
			[MERGES] = {tokenizer->bpe.merges, tokenizer->bpe.n_slots * sizeof(MrenMerge)},
			[SCORES] = {unigram->score,
						unigram->score == NULL ? 0 : tokenizer->n_vocabulary * sizeof(double)},
			[TRIE_FIRST] = {unigram->trie.first,
							n_nodes == 0 ? 0 : (n_nodes + 1) * sizeof(uint32_t)},
			[TRIE_BYTES] = {unigram->trie.byte, n_nodes},
			[TRIE_VALUES] = {unigram->trie.value, n_nodes * sizeof(uint32_t)},
		};

		for (size_t i = 0; i < N_BLOCKS; i++)
			MREN_TRY(mren_weights_add(env->weights, blocks[i].data, blocks[i].len, err));
	}
	return MREN_OK;
}

/* ---- taking ---- */

MrenStatus
mren_subword_take_settings(const MrenEnv *env, const void **bytes, size_t *n, MrenError *err)
{
	MrenWeightsBlock block;

	MREN_TRY(mren_weights_next(env, &block, err));
	*bytes = block.data;
	*n = block.len;
	return MREN_OK;
}

/* The elements of a block; false if it is not a number of them. */
static bool
elements(const MrenWeightsBlock *block, size_t size, void *out, size_t *n)
{
	memcpy(out, &block->data, sizeof(block->data));
	*n = block->len / size;
	return block->len % size == 0;
}

static bool
power_of_two(size_t n)
{
	return n > 0 && (n & (n - 1)) == 0;
}

/* Whether all pieces are texts of the bytes, with ids in bounds; finds the longest. */
static bool
check_entries(MrenSubwordTokenizer *tokenizer)
{
	const char *bytes = (const char *) tokenizer->bytes.data;

	for (size_t i = 0; i < tokenizer->n_entries; i++)
	{
		const MrenVocabEntry *entry = &tokenizer->entry[i];

		if (entry->offset > tokenizer->bytes.len ||
			entry->len > tokenizer->bytes.len - entry->offset || entry->id >= tokenizer->n_ids ||
			!mren_utf8_valid(bytes + entry->offset, entry->len, NULL))
			return false;
		if (entry->len > tokenizer->longest)
			tokenizer->longest = entry->len;
	}
	return true;
}

/* Whether n numbers are at most `most`, and, for a table that is searched, one of them is 0. */
static bool
check_numbers(const uint32_t *numbers, size_t n, size_t most, bool with_zero)
{
	bool zero = !with_zero;

	for (size_t i = 0; i < n; i++)
	{
		if (numbers[i] > most)
			return false;
		zero |= numbers[i] == 0;
	}
	return zero;
}

static bool
take_vocabulary(const MrenWeightsBlock *blocks, MrenSubwordTokenizer *tokenizer)
{
	MrenBuffer *bytes = &tokenizer->bytes;

	if (blocks[N_VOCABULARY].len != sizeof(uint64_t) ||
		!elements(&blocks[ENTRIES], sizeof(MrenVocabEntry), &tokenizer->entry,
				  &tokenizer->n_entries) ||
		!elements(&blocks[BYTES], 1, &bytes->data, &bytes->len) ||
		!elements(&blocks[SLOTS], sizeof(uint32_t), &tokenizer->slot, &tokenizer->n_slots) ||
		!elements(&blocks[BY_ID], sizeof(uint32_t), &tokenizer->by_id, &tokenizer->n_ids) ||
		!elements(&blocks[ADDED_IDS], sizeof(uint32_t), &tokenizer->added_ids,
				  &tokenizer->n_added_ids))
		return false;
	tokenizer->counted = *(const uint64_t *) blocks[N_VOCABULARY].data;
	tokenizer->n_vocabulary = (size_t) tokenizer->counted;
	return tokenizer->counted <= tokenizer->n_entries && tokenizer->n_ids <= MREN_MAX_VOCABULARY &&
		   tokenizer->n_entries <= MREN_MAX_VOCABULARY && power_of_two(tokenizer->n_slots) &&
		   check_entries(tokenizer) &&
		   check_numbers(tokenizer->slot, tokenizer->n_slots, tokenizer->n_entries, true) &&
		   check_numbers(tokenizer->by_id, tokenizer->n_ids, tokenizer->n_entries, false);
}

static bool
take_merges(const MrenWeightsBlock *block, MrenSubwordTokenizer *tokenizer)
{
	MrenBpe *bpe = &tokenizer->bpe;
	bool empty = false;

	if (!elements(block, sizeof(MrenMerge), &bpe->merges, &bpe->n_slots) ||
		!power_of_two(bpe->n_slots))
		return false;
	for (size_t i = 0; i < bpe->n_slots; i++)
	{
		if (bpe->merges[i].id == MREN_NO_PIECE)
			empty = true;
		else if (bpe->merges[i].id >= tokenizer->n_ids)
			return false;
	}
	return empty;
}

static bool
take_unigram(const MrenWeightsBlock *blocks, MrenSubwordTokenizer *tokenizer)
{
	MrenTrie *trie = &tokenizer->unigram.trie;
	size_t n_scores;
	size_t n_first;
	size_t n_values;

	if (!elements(&blocks[SCORES], sizeof(double), &tokenizer->unigram.score, &n_scores) ||
		!elements(&blocks[TRIE_FIRST], sizeof(uint32_t), &trie->first, &n_first) ||
		!elements(&blocks[TRIE_BYTES], 1, &trie->byte, &trie->n_nodes) ||
		!elements(&blocks[TRIE_VALUES], sizeof(uint32_t), &trie->value, &n_values) ||
		n_scores != tokenizer->n_vocabulary || trie->n_nodes == 0 || n_first != trie->n_nodes + 1 ||
		n_values != trie->n_nodes)
		return false;
	for (size_t i = 0; i < trie->n_nodes; i++)
	{
		if (trie->first[i] > trie->first[i + 1] || trie->first[i + 1] > trie->n_nodes ||
			(trie->value[i] != MREN_TRIE_NONE && trie->value[i] >= n_scores))
			return false;
	}
	return true;
}

MrenStatus
mren_subword_take(const MrenEnv *env, MrenSubwordTokenizer *tokenizer, MrenError *err)
{
	MrenWeightsBlock blocks[N_BLOCKS];
	bool valid;

	if (!mren_weights_ready(env))
		return MREN_OK;
	tokenizer->shared = true;
	for (size_t i = 0; i < N_BLOCKS; i++)
		MREN_TRY(mren_weights_next(env, &blocks[i], err));
	valid = take_vocabulary(blocks, tokenizer);
	if (valid && tokenizer->model == MREN_MODEL_BPE)
		valid = take_merges(&blocks[MERGES], tokenizer);
	if (valid && tokenizer->model == MREN_MODEL_UNIGRAM)
		valid = take_unigram(blocks, tokenizer);
	if (!valid)
		return mren_fail(err, MREN_EFORMAT, "invalid file of a tokenizer: its parts do not fit");
	return mren_check_interrupts(env, err);
}

MrenStatus
mren_subword_take_added(const MrenSubwordTokenizer *tokenizer, size_t i, uint32_t *id,
						MrenError *err)
{
	if (i >= tokenizer->n_added_ids || tokenizer->added_ids[i] >= tokenizer->n_ids)
		return mren_fail(err, MREN_EFORMAT, "invalid file of a tokenizer: it lacks an added token");
	*id = tokenizer->added_ids[i];
	return MREN_OK;
}
