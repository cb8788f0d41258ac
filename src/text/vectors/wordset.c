/*
 * wordset.c
 *	  Open addressing with linear probing over hashes.
 */
#include "text/vectors/wordset.h"

#include "base/hash.h"

#define FIRST_SLOTS 1024

/* The slot that holds the hash, or the free one where it belongs. */
static size_t
slot_of(const uint64_t *slots, size_t n_slots, uint64_t hash)
{
	size_t slot = (size_t) hash & (n_slots - 1);

	while (slots[slot] != 0 && slots[slot] != hash)
		slot = (slot + 1) & (n_slots - 1);
	return slot;
}

static MrenStatus
enlarge(const MrenEnv *env, MrenWordSet *set, MrenError *err)
{
	size_t n_slots = set->n_slots == 0 ? FIRST_SLOTS : set->n_slots * 2;
	uint64_t *slots;

	MREN_TRY(mren_allocate_zero(env, n_slots, sizeof(*slots), &slots, err));
	for (size_t i = 0; i < set->n_slots; i++)
	{
		if (set->slots[i] != 0)
			slots[slot_of(slots, n_slots, set->slots[i])] = set->slots[i];
	}
	mren_release(env, set->slots);
	set->slots = slots;
	set->n_slots = n_slots;
	return MREN_OK;
}

MrenStatus
mren_wordset_add(const MrenEnv *env, MrenWordSet *set, const char *word, size_t len, bool *added,
				 MrenError *err)
{
	uint64_t hash = mren_hash64(word, len, 0);
	size_t slot;

	if (hash == 0)
		hash = 1;
	if (set->n_slots == 0 || set->n >= set->n_slots / 4 * 3)
		MREN_TRY(enlarge(env, set, err));
	slot = slot_of(set->slots, set->n_slots, hash);
	*added = set->slots[slot] == 0;
	set->slots[slot] = hash;
	set->n += *added;
	return MREN_OK;
}

void
mren_wordset_free(const MrenEnv *env, MrenWordSet *set)
{
	mren_release(env, set->slots);
	*set = (MrenWordSet){0};
}
