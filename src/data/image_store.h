/*
 * image_store.h
 *	  The data kept for each distinct image, or recording, of a training set: items
 *	  of one size, found by the hash of its content.
 *
 * Owns the hashes, the items beside them and the hash table.  Memory is
 * reserved first, so that adding cannot fail.
 */
#ifndef MREN_DATA_IMAGE_STORE_H
#define MREN_DATA_IMAGE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/env.h"
#include "base/hash.h"
#include "base/sort.h"

typedef struct MrenImageStore
{
	size_t size; /* bytes of an item, a multiple of 2; set it before the first one */
	size_t n;
	MrenHash128 *hashes; /* (n) */
	size_t hashes_capacity;
	uint8_t *items; /* (n, size), 64-byte aligned as a whole */
	size_t items_capacity;
	uint32_t *slots; /* open addressing: 1 + number, 0 empty */
	size_t n_slots;	 /* a power of two, or 0 */
	MrenKeyed *order;
	size_t order_capacity;
} MrenImageStore;

extern void mren_image_store_free(const MrenEnv *env, MrenImageStore *images);

/* The item of a hash, or NULL. */
extern uint8_t *mren_image_store_find(const MrenImageStore *images, const MrenHash128 *hash);

/* Reserves memory for one more. */
extern MrenStatus mren_image_store_reserve(const MrenEnv *env, MrenImageStore *images,
										   MrenError *err);

/* Adds a copy of an item that is not there yet; memory has been reserved. */
extern void mren_image_store_add(MrenImageStore *images, const MrenHash128 *hash, const void *item);

/* Bytes of memory held, without the struct itself. */
extern size_t mren_image_store_bytes(const MrenImageStore *images);

/*
 * The flat form: hash and item of each, by ascending hash; n * (16 + size)
 * bytes.  The caller of the parser checks the contents of the items;
 * MREN_EFORMAT for hashes out of order or too few bytes.
 */
extern void mren_image_store_put(MrenImageStore *images, MrenBuffer *out);
extern MrenStatus mren_image_store_parse(const MrenEnv *env, MrenImageStore *images,
										 MrenCursor *cursor, size_t n, MrenError *err);

#endif
