/*
 * image_store.c
 *	  Items of one size, one for each distinct image.
 */
#include "data/image_store.h"

#include <string.h>

#include "base/size.h"

#define HASH_BYTES sizeof(MrenHash128)

void
mren_image_store_free(const MrenEnv *env, MrenImageStore *images)
{
	mren_release(env, images->hashes);
	mren_release(env, images->items);
	mren_release(env, images->slots);
	mren_release(env, images->order);
	memset(images, 0, sizeof(*images));
}

/* The slot that holds the hash, or the empty one where it would go. */
static size_t
find_slot(const MrenImageStore *images, const MrenHash128 *hash)
{
	uint64_t start;
	size_t slot;

	memcpy(&start, hash->bytes, sizeof(start));
	slot = (size_t) start & (images->n_slots - 1);
	while (images->slots[slot] != 0 &&
		   memcmp(&images->hashes[images->slots[slot] - 1], hash, HASH_BYTES) != 0)
		slot = (slot + 1) & (images->n_slots - 1);
	return slot;
}

uint8_t *
mren_image_store_find(const MrenImageStore *images, const MrenHash128 *hash)
{
	uint32_t number;

	if (images->n_slots == 0)
		return NULL;
	number = images->slots[find_slot(images, hash)];
	return number > 0 ? images->items + (number - 1) * images->size : NULL;
}

/* Doubles the table once it is half full. */
static MrenStatus
grow_slots(const MrenEnv *env, MrenImageStore *images, MrenError *err)
{
	uint32_t *old = images->slots;
	size_t n_slots = images->n_slots > 0 ? images->n_slots * 2 : 64;
	uint32_t *slots;

	if (2 * (images->n + 1) <= images->n_slots)
		return MREN_OK;
	if (images->n >= UINT32_MAX / 4)
		return mren_fail(err, MREN_ELIMIT, "too many distinct images in one training set");
	MREN_TRY(mren_allocate_zero(env, n_slots, sizeof(uint32_t), &slots, err));
	images->slots = slots;
	images->n_slots = n_slots;
	for (size_t i = 0; i < images->n; i++)
		slots[find_slot(images, &images->hashes[i])] = (uint32_t) i + 1;
	mren_release(env, old);
	return MREN_OK;
}

MrenStatus
mren_image_store_reserve(const MrenEnv *env, MrenImageStore *images, MrenError *err)
{
	size_t n = images->n;
	size_t bytes;

	MREN_TRY(grow_slots(env, images, err));
	MREN_TRY(mren_grow(env, &images->hashes, &images->hashes_capacity, n, n + 1, HASH_BYTES, err));
	MREN_TRY(
		mren_grow(env, &images->order, &images->order_capacity, 0, n + 1, sizeof(MrenKeyed), err));
	if (!mren_size_mul(n + 1, images->size, &bytes))
		return mren_fail_nomem(err);
	return mren_grow(env, &images->items, &images->items_capacity, n * images->size, bytes, 1, err);
}

void
mren_image_store_add(MrenImageStore *images, const MrenHash128 *hash, const void *item)
{
	size_t slot = find_slot(images, hash);

	images->hashes[images->n] = *hash;
	memcpy(images->items + images->n * images->size, item, images->size);
	images->slots[slot] = (uint32_t) ++images->n;
}

size_t
mren_image_store_bytes(const MrenImageStore *images)
{
	return images->hashes_capacity * HASH_BYTES + images->items_capacity +
		   images->order_capacity * sizeof(MrenKeyed) + images->n_slots * sizeof(uint32_t);
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
mren_image_store_put(MrenImageStore *images, MrenBuffer *out)
{
	for (size_t i = 0; i < images->n; i++)
		images->order[i] = (MrenKeyed){hash_key(&images->hashes[i]), i};
	mren_sort_keyed(images->order, images->n, compare_hashes, images->hashes);
	for (size_t i = 0; i < images->n; i++)
	{
		size_t at = images->order[i].at;

		mren_buffer_put_bytes(out, images->hashes[at].bytes, HASH_BYTES);
		mren_buffer_put_bytes(out, images->items + at * images->size, images->size);
	}
}

MrenStatus
mren_image_store_parse(const MrenEnv *env, MrenImageStore *images, MrenCursor *cursor, size_t n,
					   MrenError *err)
{
	if (n > mren_cursor_left(cursor) / HASH_BYTES)
		return mren_fail(err, MREN_EFORMAT, "invalid training set: it is too short");
	for (size_t i = 0; i < n; i++)
	{
		MrenHash128 hash;
		const uint8_t *bytes = mren_cursor_bytes(cursor, HASH_BYTES);
		const uint8_t *item = mren_cursor_bytes(cursor, images->size);

		if (i % 1024 == 0)
			MREN_TRY(mren_check_interrupts(env, err));
		if (bytes == NULL || item == NULL)
			return mren_fail(err, MREN_EFORMAT, "invalid training set: it is too short");
		memcpy(hash.bytes, bytes, HASH_BYTES);
		if (i > 0 && memcmp(&images->hashes[i - 1], &hash, HASH_BYTES) >= 0)
			return mren_fail(err, MREN_EFORMAT,
							 "invalid training set: its images are out of order");
		MREN_TRY(mren_image_store_reserve(env, images, err));
		mren_image_store_add(images, &hash, item);
	}
	return MREN_OK;
}
