/*
 * slot_cache.c
 *	  Slots known by a key, and the hand that takes them.
 */
#include "base/slot_cache.h"

#include <string.h>

#include "base/hash.h"

#define NONE UINT32_MAX

/* Slots of a new cache. */
#define FIRST_SLOTS ((size_t) 512)

typedef struct Slot
{
	uint32_t n;			  /* numbers of its key; 0: in no chain */
	uint32_t chain, next; /* of the index; the slot behind it */
	uint32_t row;		  /* that used it last */
	bool used;			  /* since the hand passed */
} Slot;

struct MrenSlotCache
{
	MrenEnv env;
	size_t n_slots;
	size_t key_size;
	size_t taken;
	size_t hand;	  /* the slot that it looks at next */
	uint32_t row;	  /* number of the row that is open */
	Slot *slots;	  /* (n_slots) */
	int32_t *keys;	  /* (n_slots, key_size) */
	uint32_t *chains; /* (n_slots) the first slot of each, by the hash of the key, or NONE */
};

MrenStatus
mren_slot_cache_create(const MrenEnv *env, size_t n_slots, size_t key_size, MrenSlotCache **cache,
					   MrenError *err)
{
	MrenSlotCache *made;
	MrenStatus status;

	MREN_TRY(mren_allocate_zero(env, 1, sizeof(*made), &made, err));
	*made = (MrenSlotCache){.env = *env, .n_slots = n_slots, .key_size = key_size};
	status = mren_allocate(env, n_slots, sizeof(Slot), &made->slots, err);
	if (status == MREN_OK)
		status = mren_allocate(env, n_slots, key_size * sizeof(int32_t), &made->keys, err);
	if (status == MREN_OK)
		status = mren_allocate(env, n_slots, sizeof(uint32_t), &made->chains, err);
	if (status != MREN_OK)
	{
		mren_slot_cache_free(made);
		return status;
	}
	memset(made->chains, 0xFF, n_slots * sizeof(uint32_t));
	*cache = made;
	return MREN_OK;
}

void
mren_slot_cache_free(MrenSlotCache *cache)
{
	MrenEnv env;

	if (cache == NULL)
		return;
	env = cache->env;
	mren_release(&env, cache->slots);
	mren_release(&env, cache->keys);
	mren_release(&env, cache->chains);
	mren_release(&env, cache);
}

size_t
mren_slot_cache_slots(const MrenSlotCache *cache)
{
	return cache == NULL ? 0 : cache->n_slots;
}

size_t
mren_slot_cache_wanted(const MrenSlotCache *cache, size_t n, size_t most)
{
	size_t slots = cache == NULL ? FIRST_SLOTS : cache->n_slots;

	if (cache != NULL && cache->taken + n > slots)
		slots *= 2;
	while (slots < 2 * n)
		slots *= 2;
	return slots < most ? slots : most;
}

size_t
mren_slot_cache_bytes(size_t key_size)
{
	return sizeof(Slot) + sizeof(uint32_t) + key_size * sizeof(int32_t);
}

void
mren_slot_cache_begin(MrenSlotCache *cache)
{
	cache->row++;
}

static void
unchain(MrenSlotCache *cache, uint32_t at)
{
	const Slot *slot = &cache->slots[at];
	uint32_t *link;

	if (slot->n == 0)
		return;
	link = &cache->chains[slot->chain];
	while (*link != at)
		link = &cache->slots[*link].next;
	*link = slot->next;
}

/* A slot that the open row does not use; there are more slots than it uses. */
static uint32_t
find_slot(MrenSlotCache *cache)
{
	if (cache->taken < cache->n_slots)
		return (uint32_t) cache->taken++;
	for (;;)
	{
		uint32_t at = (uint32_t) cache->hand;
		Slot *slot = &cache->slots[at];
		bool used = slot->used;

		cache->hand = (cache->hand + 1) % cache->n_slots;
		slot->used = false;
		if (used || slot->row == cache->row)
			continue;
		unchain(cache, at);
		return at;
	}
}

static uint32_t
take_slot(MrenSlotCache *cache)
{
	uint32_t at = find_slot(cache);

	cache->slots[at] = (Slot){.row = cache->row};
	return at;
}

uint32_t
mren_slot_cache_find(MrenSlotCache *cache, const int32_t *key, size_t n, bool *fresh)
{
	size_t bytes = n * sizeof(*key);
	uint32_t chain;
	uint32_t at;

	*fresh = true;
	if (n == 0 || n > cache->key_size)
		return take_slot(cache);
	chain = (uint32_t) (mren_hash64(key, bytes, n) % cache->n_slots);
	for (at = cache->chains[chain]; at != NONE; at = cache->slots[at].next)
	{
		if (cache->slots[at].n != n || memcmp(cache->keys + at * cache->key_size, key, bytes) != 0)
			continue;
		cache->slots[at].row = cache->row;
		cache->slots[at].used = true;
		*fresh = false;
		return at;
	}
	at = take_slot(cache);
	cache->slots[at] = (Slot){(uint32_t) n, chain, cache->chains[chain], cache->row, false};
	memcpy(cache->keys + at * cache->key_size, key, bytes);
	cache->chains[chain] = at;
	return at;
}
