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
	uint32_t hash; /* of the key */
	uint32_t next; /* the slot behind it in its chain */
	uint32_t row;  /* that used it last */
	uint16_t n;	   /* numbers of its key; 0: in no chain */
	bool used;	   /* since the hand passed */
	int32_t key[]; /* (key_size) */
} Slot;

struct MrenSlotCache
{
	MrenEnv env;
	size_t n_slots;
	size_t key_size;
	size_t taken;
	size_t hand;  /* the slot that it looks at next */
	uint32_t row; /* number of the row that is open */
	char *slots;  /* (n_slots, slot_size) */
	size_t slot_size;
	uint32_t *chains; /* (n_chains) the first slot of each, by the hash of the key, or NONE */
	size_t n_chains;  /* a power of two */
};

static inline Slot *
slot_at(const MrenSlotCache *cache, uint32_t at)
{
	return (Slot *) (cache->slots + at * cache->slot_size);
}

static inline uint32_t *
chain_of(const MrenSlotCache *cache, uint32_t hash)
{
	return &cache->chains[hash & (cache->n_chains - 1)];
}

static size_t
slot_size(size_t key_size)
{
	return sizeof(Slot) + key_size * sizeof(int32_t);
}

MrenStatus
mren_slot_cache_create(const MrenEnv *env, size_t n_slots, size_t key_size, MrenSlotCache **cache,
					   MrenError *err)
{
	MrenSlotCache *made;
	MrenStatus status;

	MREN_TRY(mren_allocate_zero(env, 1, sizeof(*made), &made, err));
	*made = (MrenSlotCache){.env = *env, .n_slots = n_slots, .key_size = key_size};
	made->slot_size = slot_size(key_size);
	for (made->n_chains = 1; made->n_chains < n_slots;)
		made->n_chains *= 2;
	status = mren_allocate(env, n_slots, made->slot_size, &made->slots, err);
	if (status == MREN_OK)
		status = mren_allocate(env, made->n_chains, sizeof(uint32_t), &made->chains, err);
	if (status != MREN_OK)
	{
		mren_slot_cache_free(made);
		return status;
	}
	memset(made->chains, 0xFF, made->n_chains * sizeof(uint32_t));
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
	mren_release(&env, cache->chains);
	mren_release(&env, cache);
}

static void
link_slot(MrenSlotCache *cache, uint32_t at)
{
	Slot *slot = slot_at(cache, at);
	uint32_t *chain = chain_of(cache, slot->hash);

	slot->next = *chain;
	*chain = at;
}

MrenStatus
mren_slot_cache_grow(MrenSlotCache *cache, size_t n_slots, MrenError *err)
{
	MrenSlotCache *grown;
	MrenSlotCache old = *cache;

	MREN_TRY(mren_slot_cache_create(&cache->env, n_slots, cache->key_size, &grown, err));
	memcpy(grown->slots, cache->slots, cache->taken * cache->slot_size);
	grown->taken = cache->taken;
	grown->hand = cache->hand;
	grown->row = cache->row;
	for (uint32_t at = 0; at < grown->taken; at++)
	{
		if (slot_at(grown, at)->n > 0)
			link_slot(grown, at);
	}
	*cache = *grown;
	*grown = old;
	mren_slot_cache_free(grown);
	return MREN_OK;
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
	/* There are up to twice as many chains as slots. */
	return slot_size(key_size) + 2 * sizeof(uint32_t);
}

void
mren_slot_cache_begin(MrenSlotCache *cache)
{
	cache->row++;
}

static void
unchain(MrenSlotCache *cache, uint32_t at)
{
	const Slot *slot = slot_at(cache, at);
	uint32_t *link;

	if (slot->n == 0)
		return;
	link = chain_of(cache, slot->hash);
	while (*link != at)
		link = &slot_at(cache, *link)->next;
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
		Slot *slot = slot_at(cache, at);
		bool used = slot->used;

		cache->hand = (cache->hand + 1) % cache->n_slots;
		slot->used = false;
		if (used || slot->row == cache->row)
			continue;
		unchain(cache, at);
		return at;
	}
}

/* The next slot, of a key of n numbers, which the caller fills in. */
static uint32_t
take_slot(MrenSlotCache *cache, size_t n)
{
	uint32_t at = find_slot(cache);
	Slot *slot = slot_at(cache, at);

	slot->n = (uint16_t) n;
	slot->row = cache->row;
	slot->used = false;
	return at;
}

static inline bool
has_key(const Slot *slot, uint32_t hash, const int32_t *key, size_t n)
{
	if (slot->hash != hash || slot->n != n)
		return false;
	for (size_t i = 0; i < n; i++)
	{
		if (slot->key[i] != key[i])
			return false;
	}
	return true;
}

/* A key that is never found again has none. */
static uint32_t
hash_of(const MrenSlotCache *cache, const int32_t *key, size_t n)
{
	return n > cache->key_size ? 0 : (uint32_t) mren_hash64(key, n * sizeof(*key), n);
}

static uint32_t
find(MrenSlotCache *cache, const int32_t *key, size_t n, uint32_t hash, bool *fresh)
{
	uint32_t at;
	Slot *slot;

	*fresh = true;
	if (n == 0 || n > cache->key_size)
		return take_slot(cache, 0);
	for (at = *chain_of(cache, hash); at != NONE; at = slot->next)
	{
		slot = slot_at(cache, at);
		if (!has_key(slot, hash, key, n))
			continue;
		slot->row = cache->row;
		slot->used = true;
		*fresh = false;
		return at;
	}
	at = take_slot(cache, n);
	slot = slot_at(cache, at);
	slot->hash = hash;
	memcpy(slot->key, key, n * sizeof(*key));
	link_slot(cache, at);
	return at;
}

uint32_t
mren_slot_cache_find(MrenSlotCache *cache, const int32_t *key, size_t n, bool *fresh)
{
	return find(cache, key, n, hash_of(cache, key, n), fresh);
}

void
mren_slot_cache_find_all(MrenSlotCache *cache, const MrenSlotKey *keys, size_t n, uint32_t *slots,
						 bool *fresh)
{
	uint32_t hashes[MREN_SLOTS_TOGETHER];

	for (size_t i = 0; i < n; i++)
	{
		hashes[i] = hash_of(cache, keys[i].numbers, keys[i].n);
		__builtin_prefetch(chain_of(cache, hashes[i]));
	}
	for (size_t i = 0; i < n; i++)
	{
		uint32_t at = *chain_of(cache, hashes[i]);

		if (at != NONE)
			__builtin_prefetch(slot_at(cache, at));
	}
	for (size_t i = 0; i < n; i++)
		slots[i] = find(cache, keys[i].numbers, keys[i].n, hashes[i], &fresh[i]);
}
