/*
 * slot_cache.h
 *	  Numbered slots for what was computed once and is wanted again, each known by its key.
 *
 * Rows use slots one after the other.  Where all slots are taken, a hand goes round them and
 * takes one that was not used since it passed (the clock algorithm), but none that the open row
 * uses.  What a slot holds is the caller's.
 */
#ifndef MREN_BASE_SLOT_CACHE_H
#define MREN_BASE_SLOT_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"

typedef struct MrenSlotCache MrenSlotCache;

/*
 * mren_slot_cache_create
 *	  n_slots >= 1, fewer than 2^32 - 1; keys of up to key_size < 2^16 numbers are kept.
 */
extern MrenStatus mren_slot_cache_create(const MrenEnv *env, size_t n_slots, size_t key_size,
										 MrenSlotCache **cache, MrenError *err);
/* cache may be NULL. */
extern void mren_slot_cache_free(MrenSlotCache *cache);

/*
 * mren_slot_cache_wanted
 *	  The slots that a cache should have for a row of n, which is at most half of `most`: those that
 *	  it has while they are not taken, and then twice as many, so that it takes memory for what it
 *	  keeps.  cache may be NULL: there is none yet.  A cache that has fewer is grown by its owner.
 */
extern size_t mren_slot_cache_wanted(const MrenSlotCache *cache, size_t n, size_t most);

/* Gives the cache n_slots, more than it has.  What has a slot keeps it. */
extern MrenStatus mren_slot_cache_grow(MrenSlotCache *cache, size_t n_slots, MrenError *err);

/* Its slots; NULL has none. */
extern size_t mren_slot_cache_slots(const MrenSlotCache *cache);

/* Bytes that such a cache takes for each slot. */
extern size_t mren_slot_cache_bytes(size_t key_size);

/* Opens the next row, which uses fewer slots than there are. */
extern void mren_slot_cache_begin(MrenSlotCache *cache);

/*
 * mren_slot_cache_find
 *	  The slot of a key of n numbers; *fresh: it was given to the key by this call.  A key of
 *	  none or of more than key_size is kept for the open row only, and never found again.
 */
extern uint32_t mren_slot_cache_find(MrenSlotCache *cache, const int32_t *key, size_t n,
									 bool *fresh);

typedef struct MrenSlotKey
{
	const int32_t *numbers; /* (n) */
	size_t n;
} MrenSlotKey;

/* Keys that are found at a time. */
#define MREN_SLOTS_TOGETHER 32

/* The same for n <= MREN_SLOTS_TOGETHER keys, one after the other, whose memory is fetched at once. */
extern void mren_slot_cache_find_all(MrenSlotCache *cache, const MrenSlotKey *keys, size_t n,
									 uint32_t *slots, bool *fresh);

#endif
