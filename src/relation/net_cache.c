/*
 * net_cache.c
 *	  What the convolutions make of words, kept from row to row.
 *
 * A word is known by its pieces' numbers in the embeddings, wherever it stands: the few
 * thousand words that most of a text consists of are computed once (base/slot_cache.h).  Rows of
 * one sentence that differ only in the mentions find all of theirs.  A word is computed when the
 * first row needs it.
 */
#include "relation/net_internal.h"

#include <string.h>

#include "base/slot_cache.h"

#define MAX_WORDS ((size_t) 1024) /* a longer sentence is not kept */

/* What the kept words of all members take at most, and how many they are at most. */
#define CACHE_BYTES ((size_t) 16 << 20)
#define MOST_SLOTS ((size_t) 8192)

/* A word of more pieces is kept for its own row only. */
#define KEPT_PIECES 7

struct MrenNetCache
{
	MrenEnv env;
	MrenSlotCache *kept; /* NULL: nothing is allocated yet */
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
	mren_slot_cache_free(cache->kept);
	memset(cache->words, 0, sizeof(cache->words));
	cache->kept = NULL;
	cache->n_members = 0;
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
	return mren_slot_cache_create(&cache->env, n, KEPT_PIECES, &cache->kept, err);
}

/* The slot of a word of n pieces; a new one is not done. */
static uint32_t
slot_of(MrenNetCache *cache, const MrenWordVectors *vectors, const int32_t *ids, size_t n)
{
	int32_t pieces[KEPT_PIECES];
	bool fresh;
	uint32_t slot;

	for (size_t i = 0; i < n && i < KEPT_PIECES; i++)
		pieces[i] =
			ids[i] >= 0 && vectors->id != NULL ? vectors->id(vectors->state, ids[i]) : ids[i];
	slot = mren_slot_cache_find(cache->kept, pieces, n, &fresh);
	for (size_t i = 0; i < cache->n_members && fresh; i++)
		cache->words[i].done[slot] = false;
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
	if (cache->kept == NULL || cache->n_members != net->n_members)
		MREN_TRY(allocate_words(cache, net, err));
	mren_slot_cache_begin(cache->kept);
	for (size_t w = 0; w < sentence->n_words; w++)
		cache->slots[w] = slot_of(cache, vectors, sentence->pieces + sentence->starts[w],
								  sentence->starts[w + 1] - sentence->starts[w]);
	*words = cache->words;
	return MREN_OK;
}
