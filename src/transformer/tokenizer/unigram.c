/*
 * unigram.c
 *	  Unigram: the segmentation with the greatest sum of scores (Kudo 2018; Viterbi).
 *
 * Of equal sums the one found first counts: the earlier start, then the shorter piece.
 */
#include "base/utf8.h"
#include "transformer/tokenizer/subword_parts.h"

#define NO_START UINT32_MAX
#define UNKNOWN_PENALTY 10.0

MrenStatus
mren_unigram_index(const MrenEnv *env, MrenSubwordTokenizer *tokenizer, MrenError *err)
{
	size_t n = tokenizer->n_vocabulary;
	double least = 0;
	MrenTrieKey *keys;
	MrenStatus status;

	for (size_t i = 0; i < n; i++)
	{
		if (i == 0 || tokenizer->unigram.score[i] < least)
			least = tokenizer->unigram.score[i];
	}
	tokenizer->unigram.unknown_score = least - UNKNOWN_PENALTY;
	if (tokenizer->shared)
		return MREN_OK;
	MREN_TRY(mren_allocate(env, n, sizeof(*keys), &keys, err));
	for (size_t i = 0; i < n; i++)
	{
		const MrenVocabEntry *entry = &tokenizer->entry[i];

		keys[i] = (MrenTrieKey){tokenizer->bytes.data + entry->offset, entry->len, entry->id};
	}
	status = mren_trie_build(env, keys, n, &tokenizer->unigram.trie, err);
	mren_release(env, keys);
	return status;
}

/* Notes that a piece leads from `start`, whose best sum is given, to the node. */
static void
reach(MrenUnigramNode *node, double score, size_t start, uint32_t id)
{
	if (node->start == NO_START || score > node->score)
		*node = (MrenUnigramNode){score, (uint32_t) start, id};
}

/* All pieces that begin at a character. */
static MrenStatus
search_from(MrenEncoding *e, const MrenSubwordChar *at, size_t n, size_t start)
{
	const MrenUnigram *model = &e->tokenizer->unigram;
	double score = e->nodes[start].score;
	bool single = false;
	uint32_t node = 0;

	for (size_t i = start; i < n; i++)
	{
		uint32_t id;

		MREN_TRY(mren_encoding_work(e, 1));
		node = mren_trie_step_char(&model->trie, node, at[i].code);
		if (node == 0)
			break;
		id = model->trie.value[node];
		if (id == MREN_TRIE_NONE)
			continue;
		single = single || i == start;
		reach(&e->nodes[i + 1], score + model->score[id], start, id);
	}
	if (single)
		return MREN_OK;
	if (e->tokenizer->unknown == MREN_NO_PIECE)
		return mren_fail(e->err, MREN_EDATA,
						 "the tokenizer has no piece for character U+%04X, nor an unknown one",
						 (unsigned) at[start].code);
	reach(&e->nodes[start + 1], score + model->unknown_score, start, e->tokenizer->unknown);
	return MREN_OK;
}

/* Turns the way back from the end around: each node gets the piece that begins there. */
static void
turn_around(MrenUnigramNode *nodes, size_t n)
{
	size_t end = n;
	MrenUnigramNode last = nodes[n];

	while (end > 0)
	{
		size_t start = last.start;
		MrenUnigramNode next = nodes[start];

		nodes[start] = (MrenUnigramNode){0, (uint32_t) end, last.id};
		end = start;
		last = next;
	}
}

/* Unknown characters in a row: one piece, or their bytes. */
static MrenStatus
add_unknown(MrenEncoding *e, const MrenSubwordChar *at, size_t n)
{
	const MrenSubwordTokenizer *tokenizer = e->tokenizer;
	size_t len = 0;
	uint32_t id = MREN_NO_PIECE;
	bool all = tokenizer->unigram.byte_fallback;

	MREN_TRY(mren_encoding_room(e, &e->bytes, &e->bytes_capacity, 4 * n, 1));
	for (size_t i = 0; i < n; i++)
		len += mren_utf8_encode(at[i].code, e->bytes + len);
	id = mren_subword_model_lookup(tokenizer, e->bytes, len);
	if (id != MREN_NO_PIECE)
		return mren_encoding_add(e, id, at[0].start, at[n - 1].end);
	for (size_t i = 0; i < len && all; i++)
		all = tokenizer->byte[(uint8_t) e->bytes[i]] != MREN_NO_PIECE;
	if (!all)
		return mren_encoding_add_text(e, tokenizer->unknown, at, n);
	for (size_t i = 0; i < len; i++)
		MREN_TRY(mren_encoding_add(e, tokenizer->byte[(uint8_t) e->bytes[i]], at[0].start,
								   at[n - 1].end));
	return MREN_OK;
}

MrenStatus
mren_unigram_encode(MrenEncoding *e, const MrenSubwordChar *at, size_t n)
{
	uint32_t unknown = e->tokenizer->unknown;

	MREN_TRY(mren_encoding_room(e, &e->nodes, &e->node_capacity, n + 1, sizeof(MrenUnigramNode)));
	for (size_t i = 0; i <= n; i++)
		e->nodes[i] = (MrenUnigramNode){0, NO_START, 0};
	for (size_t i = 0; i < n; i++)
		MREN_TRY(search_from(e, at, n, i));
	turn_around(e->nodes, n);
	for (size_t i = 0, end; i < n; i = end)
	{
		end = e->nodes[i].start;
		if (e->nodes[i].id != unknown)
		{
			MREN_TRY(mren_encoding_add(e, e->nodes[i].id, at[i].start, at[end - 1].end));
			continue;
		}
		while (end < n && e->nodes[end].id == unknown)
			end = e->nodes[end].start;
		MREN_TRY(add_unknown(e, at + i, end - i));
	}
	return MREN_OK;
}
