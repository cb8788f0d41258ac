/*
 * net_cache.c
 *	  The words' part of the convolutions, kept for the rows of one sentence.
 *
 * A sentence is known by its words, not by where it lies, so nobody has to say
 * when another one begins.  A word is computed when the first row needs it.
 */
#include "relation/net_internal.h"

#include <string.h>

#define MAX_WORDS ((size_t) 1024) /* a longer sentence is not kept */

struct MrenNetCache
{
	MrenEnv env;
	size_t n_words; /* of the sentence; 0: none yet */
	size_t n_pieces;
	int32_t *pieces;
	uint32_t *starts;
	size_t capacity; /* words that words has room for */
	size_t pieces_capacity;
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
	memset(cache->words, 0, sizeof(cache->words));
	cache->n_members = 0;
	cache->capacity = 0;
}

void
mren_net_cache_free(MrenNetCache *cache)
{
	MrenEnv env;

	if (cache == NULL)
		return;
	env = cache->env;
	free_words(cache);
	mren_release(&env, cache->pieces);
	mren_release(&env, cache->starts);
	mren_release(&env, cache);
}

static bool
is_same(const MrenNetCache *cache, const MrenSentence *s)
{
	return cache->n_words == s->n_words && cache->n_pieces == s->n_pieces &&
		   memcmp(cache->starts, s->starts, (s->n_words + 1) * sizeof(uint32_t)) == 0 &&
		   memcmp(cache->pieces, s->pieces, s->n_pieces * sizeof(int32_t)) == 0;
}

/* Room for n words of all members, the contents unset. */
static MrenStatus
make_room(MrenNetCache *cache, const MrenNet *net, size_t n, MrenError *err)
{
	if (cache->n_members == net->n_members && n <= cache->capacity)
		return MREN_OK;
	free_words(cache);
	n = n < 64 ? 64 : n;
	cache->n_members = net->n_members;
	for (size_t i = 0; i < net->n_members; i++)
	{
		for (size_t width = 0; width < MREN_CONV_WIDTHS; width++)
			MREN_TRY(mren_allocate(&cache->env, n,
								   mren_conv_width(width) * net->shape.filters * sizeof(float),
								   &cache->words[i].parts[width], err));
		MREN_TRY(mren_allocate(&cache->env, n, 1, &cache->words[i].done, err));
	}
	cache->capacity = n;
	return MREN_OK;
}

static MrenStatus
keep_sentence(MrenNetCache *cache, const MrenSentence *s, MrenError *err)
{
	mren_release(&cache->env, cache->pieces);
	mren_release(&cache->env, cache->starts);
	cache->pieces = NULL;
	cache->starts = NULL;
	MREN_TRY(mren_allocate(&cache->env, s->n_pieces, sizeof(int32_t), &cache->pieces, err));
	MREN_TRY(mren_allocate(&cache->env, s->n_words + 1, sizeof(uint32_t), &cache->starts, err));
	memcpy(cache->pieces, s->pieces, s->n_pieces * sizeof(int32_t));
	memcpy(cache->starts, s->starts, (s->n_words + 1) * sizeof(uint32_t));
	cache->n_words = s->n_words;
	cache->n_pieces = s->n_pieces;
	return MREN_OK;
}

MrenStatus
mren_net_cache_open(MrenNetCache *cache, const MrenNet *net, const MrenSentence *sentence,
					const MrenWordParts **words, MrenError *err)
{
	*words = NULL;
	if (net->shape.filters == 0 || sentence->n_words > MAX_WORDS)
		return MREN_OK;
	if (!is_same(cache, sentence))
	{
		cache->n_words = 0;
		MREN_TRY(make_room(cache, net, sentence->n_words, err));
		MREN_TRY(keep_sentence(cache, sentence, err));
		for (size_t i = 0; i < net->n_members; i++)
			memset(cache->words[i].done, 0, sentence->n_words);
	}
	*words = cache->words;
	return MREN_OK;
}
