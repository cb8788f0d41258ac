/*
 * fine_tuned.c
 *	  Counting words and choosing those whose vectors are fine-tuned.
 */
#include "relation/fine_tuned.h"

#include <string.h>

#include "base/sort.h"

static size_t
slot_of(const int32_t *ids, size_t n_slots, int32_t id)
{
	size_t slot = ((uint32_t) id * UINT32_C(2654435769)) & (n_slots - 1);

	while (ids[slot] >= 0 && ids[slot] != id)
		slot = (slot + 1) & (n_slots - 1);
	return slot;
}

void
mren_word_counts_free(const MrenEnv *env, MrenWordCounts *counts)
{
	mren_release(env, counts->ids);
	mren_release(env, counts->counts);
	memset(counts, 0, sizeof(*counts));
}

static MrenStatus
grow(const MrenEnv *env, MrenWordCounts *counts, MrenError *err)
{
	MrenWordCounts larger = {.n_slots = counts->n_slots > 0 ? 2 * counts->n_slots : 1024,
							 .n = counts->n};

	MREN_TRY(mren_allocate(env, larger.n_slots, sizeof(int32_t), &larger.ids, err));
	if (mren_allocate_zero(env, larger.n_slots, sizeof(uint32_t), &larger.counts, err) != MREN_OK)
	{
		mren_release(env, larger.ids);
		return MREN_ENOMEM;
	}
	memset(larger.ids, 0xFF, larger.n_slots * sizeof(int32_t));
	for (size_t i = 0; i < counts->n_slots; i++)
	{
		size_t slot;

		if (counts->ids[i] < 0)
			continue;
		slot = slot_of(larger.ids, larger.n_slots, counts->ids[i]);
		larger.ids[slot] = counts->ids[i];
		larger.counts[slot] = counts->counts[i];
	}
	mren_word_counts_free(env, counts);
	*counts = larger;
	return MREN_OK;
}

MrenStatus
mren_word_counts_add(const MrenEnv *env, MrenWordCounts *counts, int32_t id, MrenError *err)
{
	size_t slot;

	if (2 * (counts->n + 1) > counts->n_slots)
		MREN_TRY(grow(env, counts, err));
	slot = slot_of(counts->ids, counts->n_slots, id);
	counts->n += counts->ids[slot] < 0;
	counts->ids[slot] = id;
	counts->counts[slot]++;
	return MREN_OK;
}

MrenStatus
mren_fine_tuned_choose(const MrenEnv *env, const MrenWordCounts *counts, int32_t **ids, size_t *n,
					   MrenError *err)
{
	uint64_t *keys;
	size_t chosen = 0;
	MrenStatus status;

	MREN_TRY(mren_allocate(env, counts->n, sizeof(uint64_t), &keys, err));
	for (size_t i = 0; i < counts->n_slots; i++)
	{
		/* The most frequent word first, among equals the one with the lower id. */
		if (counts->ids[i] >= 0 && counts->counts[i] >= MREN_FINE_TUNED_MIN_COUNT)
			keys[chosen++] =
				(uint64_t) (UINT32_MAX - counts->counts[i]) << 32 | (uint32_t) counts->ids[i];
	}
	mren_sort_u64(keys, chosen);
	chosen = chosen < MREN_MAX_FINE_TUNED ? chosen : MREN_MAX_FINE_TUNED;
	for (size_t i = 0; i < chosen; i++)
		keys[i] &= UINT32_MAX;
	mren_sort_u64(keys, chosen);
	status = mren_allocate(env, chosen, sizeof(int32_t), ids, err);
	for (size_t i = 0; status == MREN_OK && i < chosen; i++)
		(*ids)[i] = (int32_t) keys[i];
	mren_release(env, keys);
	*n = chosen;
	return status;
}

int32_t
mren_fine_tuned_find(const int32_t *ids, size_t n, const MrenWordVectors *vectors, int32_t piece)
{
	int32_t id = vectors->id != NULL ? vectors->id(vectors->state, piece) : piece;
	size_t low = 0;
	size_t high = n;

	while (low < high)
	{
		size_t middle = (low + high) / 2;

		if (ids[middle] < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n && ids[low] == id ? (int32_t) low : -1;
}
