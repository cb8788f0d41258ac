/*
 * pictures.c
 *	  Items of one size, one for each distinct picture.
 */
#include "net/pictures.h"

#include <string.h>

#include "base/size.h"

#define HASH_BYTES sizeof(MrenHash128)

void
mren_pictures_free(const MrenEnv *env, MrenPictures *pictures)
{
	mren_release(env, pictures->hashes);
	mren_release(env, pictures->items);
	mren_release(env, pictures->slots);
	mren_release(env, pictures->order);
	memset(pictures, 0, sizeof(*pictures));
}

/* The slot that holds the hash, or the empty one where it would go. */
static size_t
find_slot(const MrenPictures *pictures, const MrenHash128 *hash)
{
	uint64_t start;
	size_t slot;

	memcpy(&start, hash->bytes, sizeof(start));
	slot = (size_t) start & (pictures->n_slots - 1);
	while (pictures->slots[slot] != 0 &&
		   memcmp(&pictures->hashes[pictures->slots[slot] - 1], hash, HASH_BYTES) != 0)
		slot = (slot + 1) & (pictures->n_slots - 1);
	return slot;
}

uint8_t *
mren_pictures_find(const MrenPictures *pictures, const MrenHash128 *hash)
{
	uint32_t number;

	if (pictures->n_slots == 0)
		return NULL;
	number = pictures->slots[find_slot(pictures, hash)];
	return number > 0 ? pictures->items + (number - 1) * pictures->size : NULL;
}

/* Doubles the table once it is half full. */
static MrenStatus
grow_slots(const MrenEnv *env, MrenPictures *pictures, MrenError *err)
{
	uint32_t *old = pictures->slots;
	size_t n_slots = pictures->n_slots > 0 ? pictures->n_slots * 2 : 64;
	uint32_t *slots;

	if (2 * (pictures->n + 1) <= pictures->n_slots)
		return MREN_OK;
	if (pictures->n >= UINT32_MAX / 4)
		return mren_fail(err, MREN_ELIMIT, "too many distinct images in one training set");
	MREN_TRY(mren_allocate_zero(env, n_slots, sizeof(uint32_t), &slots, err));
	pictures->slots = slots;
	pictures->n_slots = n_slots;
	for (size_t i = 0; i < pictures->n; i++)
		slots[find_slot(pictures, &pictures->hashes[i])] = (uint32_t) i + 1;
	mren_release(env, old);
	return MREN_OK;
}

MrenStatus
mren_pictures_reserve(const MrenEnv *env, MrenPictures *pictures, MrenError *err)
{
	size_t n = pictures->n;
	size_t bytes;

	MREN_TRY(grow_slots(env, pictures, err));
	MREN_TRY(
		mren_grow(env, &pictures->hashes, &pictures->hashes_capacity, n, n + 1, HASH_BYTES, err));
	MREN_TRY(mren_grow(env, &pictures->order, &pictures->order_capacity, 0, n + 1,
					   sizeof(MrenKeyed), err));
	if (!mren_size_mul(n + 1, pictures->size, &bytes))
		return mren_fail_nomem(err);
	return mren_grow(env, &pictures->items, &pictures->items_capacity, n * pictures->size, bytes, 1,
					 err);
}

void
mren_pictures_add(MrenPictures *pictures, const MrenHash128 *hash, const void *item)
{
	size_t slot = find_slot(pictures, hash);

	pictures->hashes[pictures->n] = *hash;
	memcpy(pictures->items + pictures->n * pictures->size, item, pictures->size);
	pictures->slots[slot] = (uint32_t) ++pictures->n;
}

size_t
mren_pictures_bytes(const MrenPictures *pictures)
{
	return pictures->hashes_capacity * HASH_BYTES + pictures->items_capacity +
		   pictures->order_capacity * sizeof(MrenKeyed) + pictures->n_slots * sizeof(uint32_t);
}

static int
compare_hashes(const void *state, uint64_t a, uint64_t b)
{
	const MrenHash128 *hashes = state;

	return memcmp(&hashes[a], &hashes[b], HASH_BYTES);
}

static uint64_t
hash_key(const MrenHash128 *hash)
{
	uint64_t key = 0;

	for (int i = 0; i < 8; i++)
		key = key << 8 | hash->bytes[i];
	return key;
}

void
mren_pictures_put(MrenPictures *pictures, MrenBuffer *out)
{
	for (size_t i = 0; i < pictures->n; i++)
		pictures->order[i] = (MrenKeyed){hash_key(&pictures->hashes[i]), i};
	mren_sort_keyed(pictures->order, pictures->n, compare_hashes, pictures->hashes);
	for (size_t i = 0; i < pictures->n; i++)
	{
		size_t at = pictures->order[i].at;

		mren_buffer_put_bytes(out, pictures->hashes[at].bytes, HASH_BYTES);
		mren_buffer_put_bytes(out, pictures->items + at * pictures->size, pictures->size);
	}
}

MrenStatus
mren_pictures_parse(const MrenEnv *env, MrenPictures *pictures, MrenCursor *cursor, size_t n,
					MrenError *err)
{
	if (n > mren_cursor_left(cursor) / HASH_BYTES)
		return mren_fail(err, MREN_EFORMAT, "invalid training set: it is too short");
	for (size_t i = 0; i < n; i++)
	{
		MrenHash128 hash;
		const uint8_t *bytes = mren_cursor_bytes(cursor, HASH_BYTES);
		const uint8_t *item = mren_cursor_bytes(cursor, pictures->size);

		if (i % 1024 == 0)
			MREN_TRY(mren_check(env, err));
		if (bytes == NULL || item == NULL)
			return mren_fail(err, MREN_EFORMAT, "invalid training set: it is too short");
		memcpy(hash.bytes, bytes, HASH_BYTES);
		if (i > 0 && memcmp(&pictures->hashes[i - 1], &hash, HASH_BYTES) >= 0)
			return mren_fail(err, MREN_EFORMAT,
							 "invalid training set: its images are out of order");
		MREN_TRY(mren_pictures_reserve(env, pictures, err));
		mren_pictures_add(pictures, &hash, item);
	}
	return MREN_OK;
}
