/*
 * bpe.c
 *	  Byte pair encoding: neighbouring symbols of a word are merged, the lowest rank first.
 *
 * Candidates are in a heap by rank and place, so that a word of n symbols takes n log n steps;
 * those that a merge has made invalid are recognized when they come up.
 */
#include "base/utf8.h"
#include "transformer/tokenizer/subword_parts.h"

#define NO_SYMBOL UINT32_MAX

static size_t
hash_pair(uint32_t left, uint32_t right)
{
	uint64_t key = (uint64_t) left << 32 | right;

	key *= UINT64_C(0x9E3779B97F4A7C15); /* Knuth's multiplicative hash, 2^64 / golden ratio */
	return (size_t) (key >> 20);
}

/* The slot of a pair: where it is, or the empty one where it would be. */
static MrenMerge *
find_merge(const MrenBpe *bpe, uint32_t left, uint32_t right)
{
	size_t at = hash_pair(left, right) & (bpe->n_slots - 1);

	while (bpe->merges[at].id != MREN_NO_PIECE &&
		   (bpe->merges[at].left != left || bpe->merges[at].right != right))
		at = (at + 1) & (bpe->n_slots - 1);
	return &bpe->merges[at];
}

MrenStatus
mren_bpe_create(const MrenEnv *env, MrenBpe *bpe, size_t n_merges, MrenError *err)
{
	bpe->n_slots = 16;
	while (bpe->n_slots < 2 * n_merges)
		bpe->n_slots *= 2;
	MREN_TRY(mren_allocate(env, bpe->n_slots, sizeof(MrenMerge), &bpe->merges, err));
	for (size_t i = 0; i < bpe->n_slots; i++)
		bpe->merges[i].id = MREN_NO_PIECE;
	return mren_check_interrupts(env, err);
}

void
mren_bpe_add_merge(MrenBpe *bpe, const MrenMerge *merge)
{
	*find_merge(bpe, merge->left, merge->right) = *merge;
}

static void
add_symbol(MrenEncoding *e, uint32_t id, size_t bytes)
{
	uint32_t at = (uint32_t) e->n_symbols++;

	e->symbols[at] = (MrenBpeSymbol){id, (uint32_t) bytes, at - 1, at + 1};
}

/* Whether all n bytes have pieces of their own, which are then added. */
static bool
add_bytes(MrenEncoding *e, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (e->tokenizer->byte[(uint8_t) bytes[i]] == MREN_NO_PIECE)
			return false;
	for (size_t i = 0; i < n; i++)
		add_symbol(e, e->tokenizer->byte[(uint8_t) bytes[i]], 1);
	return true;
}

/*
 * The characters of a word as symbols.  As in the library, an unknown one is passed over where
 * the tokenizer has no unknown piece, and spans move up.
 */
static MrenStatus
read_symbols(MrenEncoding *e, const MrenSubwordChar *word, size_t n)
{
	const MrenSubwordTokenizer *tokenizer = e->tokenizer;
	size_t unknown = 0; /* bytes of unknown characters not yet added */

	e->n_symbols = 0;
	for (size_t i = 0; i < n; i++)
	{
		char bytes[4];
		size_t len = mren_utf8_encode(word[i].code, bytes);
		uint32_t id = mren_subword_model_lookup(tokenizer, bytes, len);

		MREN_TRY(mren_encoding_work(e, 1));
		if (id != MREN_NO_PIECE)
		{
			if (unknown > 0)
				add_symbol(e, tokenizer->unknown, unknown);
			unknown = 0;
			add_symbol(e, id, len);
			continue;
		}
		if (tokenizer->bpe.byte_fallback && add_bytes(e, bytes, len))
			continue;
		if (tokenizer->bpe.unknown_missing)
			return mren_fail(e->err, MREN_EDATA,
							 "the tokenizer has no piece for character U+%04X, nor an unknown one",
							 (unsigned) word[i].code);
		if (tokenizer->unknown == MREN_NO_PIECE)
			continue;
		if (unknown > 0 && !tokenizer->bpe.fuse_unknown)
		{
			add_symbol(e, tokenizer->unknown, unknown);
			unknown = 0;
		}
		unknown += len;
	}
	if (unknown > 0)
		add_symbol(e, tokenizer->unknown, unknown);
	if (e->n_symbols > 0)
	{
		e->symbols[0].previous = NO_SYMBOL;
		e->symbols[e->n_symbols - 1].next = NO_SYMBOL;
	}
	return MREN_OK;
}

static bool
before(const MrenBpeCandidate *a, const MrenBpeCandidate *b)
{
	return a->rank != b->rank ? a->rank < b->rank : a->at < b->at;
}

/* Adds to the heap that a symbol and the one after it may be merged, if they may. */
static void
push(MrenEncoding *e, uint32_t at)
{
	const MrenBpeSymbol *left = &e->symbols[at];
	const MrenMerge *merge;
	MrenBpeCandidate candidate;
	size_t i = e->n_heap;

	if (left->next == NO_SYMBOL)
		return;
	merge = find_merge(&e->tokenizer->bpe, left->id, e->symbols[left->next].id);
	if (merge->id == MREN_NO_PIECE)
		return;
	candidate = (MrenBpeCandidate){merge->rank, at, merge->id};
	e->n_heap++;
	for (; i > 0 && before(&candidate, &e->heap[(i - 1) / 2]); i = (i - 1) / 2)
		e->heap[i] = e->heap[(i - 1) / 2];
	e->heap[i] = candidate;
}

static MrenBpeCandidate
pop(MrenEncoding *e)
{
	MrenBpeCandidate top = e->heap[0];
	MrenBpeCandidate last = e->heap[--e->n_heap];
	size_t i = 0;

	for (size_t child; (child = 2 * i + 1) < e->n_heap; i = child)
	{
		child += child + 1 < e->n_heap && before(&e->heap[child + 1], &e->heap[child]);
		if (!before(&e->heap[child], &last))
			break;
		e->heap[i] = e->heap[child];
	}
	e->heap[i] = last;
	return top;
}

/* Does what a candidate says, unless merges since then have made it invalid. */
static void
merge_one(MrenEncoding *e, const MrenBpeCandidate *candidate)
{
	MrenBpeSymbol *left = &e->symbols[candidate->at];
	MrenBpeSymbol *right;

	if (left->bytes == 0 || left->next == NO_SYMBOL)
		return;
	right = &e->symbols[left->next];
	if (find_merge(&e->tokenizer->bpe, left->id, right->id)->id != candidate->id)
		return;
	left->id = candidate->id;
	left->bytes += right->bytes;
	left->next = right->next;
	right->bytes = 0;
	if (left->next != NO_SYMBOL)
		e->symbols[left->next].previous = candidate->at;
	if (left->previous != NO_SYMBOL)
		push(e, left->previous);
	push(e, candidate->at);
}

/* The symbols that are left as pieces; the bytes of each tell which characters it covers. */
static MrenStatus
add_pieces(MrenEncoding *e, const MrenSubwordChar *word, size_t n)
{
	size_t first = 0, last = 0;			/* characters */
	size_t first_end = 0, last_end = 0; /* in bytes */
	size_t at = 0;

	for (size_t i = 0; i < e->n_symbols; i++)
	{
		const MrenBpeSymbol *symbol = &e->symbols[i];

		if (symbol->bytes == 0)
			continue;
		if (i == 0)
			first_end = last_end = mren_char_bytes(word[0].code);
		while (at >= first_end && first + 1 < n)
			first_end += mren_char_bytes(word[++first].code);
		at += symbol->bytes;
		while (at > last_end && last + 1 < n)
			last_end += mren_char_bytes(word[++last].code);
		MREN_TRY(mren_encoding_add(e, symbol->id, word[first].start, word[last].end));
	}
	return MREN_OK;
}

/* A word that is a piece as a whole. */
static MrenStatus
look_up_word(MrenEncoding *e, const MrenSubwordChar *word, size_t n, uint32_t *id)
{
	size_t len = 0;

	*id = MREN_NO_PIECE;
	if (n > e->tokenizer->longest)
		return MREN_OK;
	MREN_TRY(mren_encoding_room(e, &e->bytes, &e->bytes_capacity, 4 * n, 1));
	for (size_t i = 0; i < n; i++)
		len += mren_utf8_encode(word[i].code, e->bytes + len);
	*id = mren_subword_model_lookup(e->tokenizer, e->bytes, len);
	return MREN_OK;
}

MrenStatus
mren_bpe_encode(MrenEncoding *e, const MrenSubwordChar *word, size_t n)
{
	/* With byte_fallback, a character may become four symbols. */
	size_t most = e->tokenizer->bpe.byte_fallback ? 4 * n : n;

	if (e->tokenizer->bpe.ignore_merges)
	{
		uint32_t id;

		MREN_TRY(look_up_word(e, word, n, &id));
		if (id != MREN_NO_PIECE)
			return mren_encoding_add(e, id, word[0].start, word[n - 1].end);
	}
	MREN_TRY(mren_encoding_room(e, &e->symbols, &e->symbol_capacity, most, sizeof(MrenBpeSymbol)));
	/* At first a candidate for each symbol but one, then two for each merge. */
	MREN_TRY(
		mren_encoding_room(e, &e->heap, &e->heap_capacity, 3 * most, sizeof(MrenBpeCandidate)));
	MREN_TRY(read_symbols(e, word, n));
	e->n_heap = 0;
	for (uint32_t i = 0; i < e->n_symbols; i++)
		push(e, i);
	while (e->n_heap > 0)
	{
		MrenBpeCandidate candidate = pop(e);

		MREN_TRY(mren_encoding_work(e, 8));
		merge_one(e, &candidate);
	}
	return add_pieces(e, word, n);
}
