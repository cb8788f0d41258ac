/*
 * subword.c
 *	  The vocabulary of a tokenizer, and looking up in it.
 */
#include "transformer/tokenizer/subword_parts.h"

#include <string.h>

#include "base/hash.h"

MrenStatus
mren_subword_add_entry(const MrenEnv *env, MrenSubwordTokenizer *tokenizer, const char *text,
					   size_t len, uint32_t id, MrenError *err)
{
	if (id >= MREN_MAX_VOCABULARY || tokenizer->n_entries >= MREN_MAX_VOCABULARY)
		return mren_fail(err, MREN_ELIMIT, "tokenizer must have at most %u pieces",
						 MREN_MAX_VOCABULARY);
	MREN_TRY(mren_grow(env, &tokenizer->entry, &tokenizer->entry_capacity, tokenizer->n_entries,
					   tokenizer->n_entries + 1, sizeof(MrenVocabEntry), err));
	tokenizer->entry[tokenizer->n_entries++] =
		(MrenVocabEntry){tokenizer->bytes.len, (uint32_t) len, id};
	if (len > tokenizer->longest)
		tokenizer->longest = len;
	if (id >= tokenizer->n_ids)
		tokenizer->n_ids = (size_t) id + 1;
	return mren_buffer_append(env, &tokenizer->bytes, text, len, err);
}

/* The slot of a text: where it is, or the empty one where it would be. */
static size_t
find_slot(const MrenSubwordTokenizer *tokenizer, const char *text, size_t len)
{
	size_t at = mren_hash64(text, len, 0) & (tokenizer->n_slots - 1);

	for (; tokenizer->slot[at] != 0; at = (at + 1) & (tokenizer->n_slots - 1))
	{
		const MrenVocabEntry *entry = &tokenizer->entry[tokenizer->slot[at] - 1];

		if (entry->len == len && memcmp(tokenizer->bytes.data + entry->offset, text, len) == 0)
			break;
	}
	return at;
}

MrenStatus
mren_subword_index(const MrenEnv *env, MrenSubwordTokenizer *tokenizer, MrenError *err)
{
	if (tokenizer->shared)
		return MREN_OK;
	mren_release(env, tokenizer->slot);
	mren_release(env, tokenizer->by_id);
	tokenizer->slot = tokenizer->by_id = NULL;
	tokenizer->n_slots = 16;
	while (tokenizer->n_slots < 2 * tokenizer->n_entries)
		tokenizer->n_slots *= 2;
	MREN_TRY(mren_allocate_zero(env, tokenizer->n_slots, sizeof(uint32_t), &tokenizer->slot, err));
	MREN_TRY(mren_allocate_zero(env, tokenizer->n_ids, sizeof(uint32_t), &tokenizer->by_id, err));
	for (size_t i = 0; i < tokenizer->n_entries; i++)
	{
		const MrenVocabEntry *entry = &tokenizer->entry[i];

		tokenizer->slot[find_slot(tokenizer, (const char *) tokenizer->bytes.data + entry->offset,
								  entry->len)] = (uint32_t) i + 1;
		tokenizer->by_id[entry->id] = (uint32_t) i + 1;
	}
	return MREN_OK;
}

uint32_t
mren_subword_model_lookup(const MrenSubwordTokenizer *tokenizer, const char *text, size_t len)
{
	uint32_t found;

	if (len > tokenizer->longest)
		return MREN_NO_PIECE;
	found = tokenizer->slot[find_slot(tokenizer, text, len)];
	if (found == 0 || found > tokenizer->n_vocabulary)
		return MREN_NO_PIECE;
	return tokenizer->entry[found - 1].id;
}

uint32_t
mren_subword_lookup(const MrenSubwordTokenizer *tokenizer, const char *text, size_t len)
{
	uint32_t found;

	if (len > tokenizer->longest)
		return MREN_NO_PIECE;
	found = tokenizer->slot[find_slot(tokenizer, text, len)];
	return found == 0 ? MREN_NO_PIECE : tokenizer->entry[found - 1].id;
}

void
mren_subword_free(const MrenEnv *env, MrenSubwordTokenizer *tokenizer)
{
	if (tokenizer == NULL)
		return;
	for (size_t i = 0; i < tokenizer->n_added; i++)
		mren_release(env, tokenizer->added[i].content.at);
	mren_release(env, tokenizer->added);
	mren_trie_free(env, &tokenizer->added_raw);
	mren_trie_free(env, &tokenizer->added_normalized);
	mren_normalizers_free(env, &tokenizer->normalizers);
	mren_release(env, tokenizer->bpe.merges);
	mren_release(env, tokenizer->unigram.score);
	mren_trie_free(env, &tokenizer->unigram.trie);
	mren_release(env, tokenizer->entry);
	mren_release(env, tokenizer->slot);
	mren_release(env, tokenizer->by_id);
	mren_buffer_free(env, &tokenizer->bytes);
	mren_buffer_free(env, &tokenizer->settings);
	mren_release(env, tokenizer->added_ids);
	mren_release(env, tokenizer);
}

void
mren_pieces_free(const MrenEnv *env, MrenPieces *pieces)
{
	mren_release(env, pieces->piece);
	*pieces = (MrenPieces){0};
}

size_t
mren_subword_prefix(const MrenSubwordTokenizer *tokenizer, const uint32_t **ids)
{
	*ids = tokenizer->before;
	return tokenizer->n_before;
}

size_t
mren_subword_suffix(const MrenSubwordTokenizer *tokenizer, const uint32_t **ids)
{
	*ids = tokenizer->after;
	return tokenizer->n_after;
}

size_t
mren_subword_n_ids(const MrenSubwordTokenizer *tokenizer)
{
	return tokenizer->n_ids;
}

const char *
mren_subword_piece_text(const MrenSubwordTokenizer *tokenizer, uint32_t id, size_t *len)
{
	const MrenVocabEntry *entry;

	if (id >= tokenizer->n_ids || tokenizer->by_id[id] == 0)
		return NULL;
	entry = &tokenizer->entry[tokenizer->by_id[id] - 1];
	*len = entry->len;
	return (const char *) tokenizer->bytes.data + entry->offset;
}
