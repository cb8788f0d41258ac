/*
 * net_cache.c
 *	  What the convolutions make of words, kept from row to row.
 *
 * A word is known by its pieces' numbers in the embeddings, wherever it stands: the few
 * thousand words that most of a text consists of are computed once.  Rows of one sentence
 * that differ only in the mentions find all of theirs.  A word is computed when the first row
 * needs it; where all slots are taken, a hand goes round them and takes one that was not used
 * since it passed (the clock algorithm).
 */
#include "relation/net_internal.h"

#include <string.h>

#include "base/hash.h"

#define MAX_WORDS ((size_t) 1024) /* a longer sentence is not kept */

/* What the kept words of all members take at most, and how many they are at most. */
#define CACHE_BYTES ((size_t) 16 << 20)
#define MOST_SLOTS ((size_t) 8192)

/* A word of more pieces is kept for its own row only. */
#define KEPT_PIECES 7

/* Chains of the index of words. */
#define N_CHAINS MOST_SLOTS
#define NONE UINT32_MAX

typedef struct KeptWord
{
	uint32_t n_pieces; /* 0: in no chain */
	int32_t pieces[KEPT_PIECES];
	uint32_t chain, next; /* of the index; the slot behind it */
	uint32_t row;		  /* that used it last */
	bool used;			  /* since the hand passed */
} KeptWord;

struct MrenNetCache
{
	MrenEnv env;
	size_t n_slots; /* there are; 0: nothing is allocated yet */
	size_t taken;
	size_t hand;	  /* the slot that it looks at next */
	uint32_t row;	  /* number of the row that is open */
	KeptWord *kept;	  /* (n_slots) */
	uint32_t *chains; /* (N_CHAINS) the first slot of each, by the hash of the pieces, or NONE */
	uint32_t slots[MAX_WORDS];
	size_t n_members;
	MrenWordParts words[MREN_MAX_MEMBERS + 1];
};

MrenStatus
mren_net_cache_create(const MrenEnv *env, MrenNetCache **cache, MrenError *err)
{
	MREN_TRY(mren_allocate_zero(env, 1, sizeof(**cache), cache, err));
	(*cache)->env = *env;
	return MREN_OK;
}

static void
free_words(MrenNetCache *cache)
{
	for (size_t i = 0; i < cache->n_members; i++)
	{
		for (size_t width = 0; width < MREN_CONV_WIDTHS; width++)
			mren_release(&cache->env, cache->words[i].parts[width]);
		mren_release(&cache->env, cache->words[i].done);
	}
	mren_release(&cache->env, cache->kept);
	mren_release(&cache->env, cache->chains);
	memset(cache->words, 0, sizeof(cache->words));
	cache->kept = NULL;
	cache->chains = NULL;
	cache->n_members = 0;
	cache->n_slots = 0;
}

void
mren_net_cache_free(MrenNetCache *cache)
{
	MrenEnv env;

	if (cache == NULL)
		return;
	env = cache->env;
	free_words(cache);
	mren_release(&env, cache);
}

/* Of one word, in all members. */
static size_t
word_bytes(const MrenNet *net)
{
	size_t columns = 0;

	for (size_t width = 0; width < MREN_CONV_WIDTHS; width++)
		columns += mren_conv_width(width) * net->shape.filters;
	return columns * sizeof(float) * net->n_members;
}

static size_t
slots_for(const MrenNet *net)
{
	size_t n = CACHE_BYTES / word_bytes(net);

	return n < MOST_SLOTS ? n : MOST_SLOTS;
}

size_t
mren_net_cache_limit(const MrenNet *net)
{
	return net->shape.filters == 0 ? 0 : slots_for(net) * word_bytes(net);
}

static MrenStatus
allocate_words(MrenNetCache *cache, const MrenNet *net, MrenError *err)
{
	size_t n = slots_for(net);

	free_words(cache);
	cache->n_members = net->n_members;
	MREN_TRY(mren_allocate(&cache->env, n, sizeof(cache->kept[0]), &cache->kept, err));
	MREN_TRY(mren_allocate(&cache->env, N_CHAINS, sizeof(cache->chains[0]), &cache->chains, err));
	memset(cache->chains, 0xFF, N_CHAINS * sizeof(cache->chains[0]));
	for (size_t i = 0; i < net->n_members; i++)
	{
		MrenWordParts *words = &cache->words[i];

		words->slots = cache->slots;
		for (size_t width = 0; width < MREN_CONV_WIDTHS; width++)
			MREN_TRY(mren_allocate(&cache->env, n,
								   mren_conv_width(width) * net->shape.filters * sizeof(float),
								   &words->parts[width], err));
		MREN_TRY(mren_allocate(&cache->env, n, 1, &words->done, err));
	}
	cache->n_slots = n;
	cache->taken = 0;
	cache->hand = 0;
	return MREN_OK;
}

static void
unchain(MrenNetCache *cache, uint32_t slot)
{
	const KeptWord *word = &cache->kept[slot];
	uint32_t *at;

	if (word->n_pieces == 0)
		return;
	at = &cache->chains[word->chain];
	while (*at != slot)
		at = &cache->kept[*at].next;
	*at = word->next;
}

/* A slot that holds no word of the open row; there are more slots than a row has words. */
static uint32_t
find_slot(MrenNetCache *cache)
{
	if (cache->taken < cache->n_slots)
		return (uint32_t) cache->taken++;
	for (;;)
	{
		uint32_t slot = (uint32_t) cache->hand;
		KeptWord *word = &cache->kept[slot];
		bool used = word->used;

		cache->hand = (cache->hand + 1) % cache->n_slots;
		word->used = false;
		if (used || word->row == cache->row)
			continue;
		unchain(cache, slot);
		return slot;
	}
}

static uint32_t
take_slot(MrenNetCache *cache)
{
	uint32_t slot = find_slot(cache);

	for (size_t i = 0; i < cache->n_members; i++)
		cache->words[i].done[slot] = false;
	cache->kept[slot] = (KeptWord){.row = cache->row};
	return slot;
}

/* The slot of a word of n pieces; a new one is not done. */
static uint32_t
slot_of(MrenNetCache *cache, const MrenWordVectors *vectors, const int32_t *ids, size_t n)
{
	int32_t pieces[KEPT_PIECES];
	size_t bytes = n * sizeof(pieces[0]);
	uint32_t chain;
	uint32_t slot;
	KeptWord *word;

	if (n == 0 || n > KEPT_PIECES)
		return take_slot(cache);
	for (size_t i = 0; i < n; i++)
		pieces[i] =
			ids[i] >= 0 && vectors->id != NULL ? vectors->id(vectors->state, ids[i]) : ids[i];
	chain = (uint32_t) (mren_hash64(pieces, bytes, n) % N_CHAINS);
	for (slot = cache->chains[chain]; slot != NONE; slot = word->next)
	{
		word = &cache->kept[slot];
		if (word->n_pieces == n && memcmp(word->pieces, pieces, bytes) == 0)
		{
			word->row = cache->row;
			word->used = true;
			return slot;
		}
	}
	slot = take_slot(cache);
	word = &cache->kept[slot];
	word->n_pieces = (uint32_t) n;
	memcpy(word->pieces, pieces, bytes);
	word->chain = chain;
	word->next = cache->chains[chain];
	cache->chains[chain] = slot;
	return slot;
}

MrenStatus
mren_net_cache_open(MrenNetCache *cache, const MrenNet *net, const MrenWordVectors *vectors,
					const MrenSentence *sentence, const MrenWordParts **words, MrenError *err)
{
	*words = NULL;
	if (net->shape.filters == 0 || sentence->n_words > MAX_WORDS)
		return MREN_OK;
	/* A row takes no more than half of the slots, so that there is one to take. */
	if (sentence->n_words > slots_for(net) / 2)
		return MREN_OK;
	if (cache->n_slots == 0 || cache->n_members != net->n_members)
		MREN_TRY(allocate_words(cache, net, err));
	cache->row++;
	for (size_t w = 0; w < sentence->n_words; w++)
		cache->slots[w] = slot_of(cache, vectors, sentence->pieces + sentence->starts[w],
								  sentence->starts[w + 1] - sentence->starts[w]);
	*words = cache->words;
	return MREN_OK;
}
