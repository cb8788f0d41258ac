/*
 * image_store.h
 *	  What is kept for each distinct image of a training set: items of one
 *	  size, found by the image's hash.
 *
 * Owns the hashes, the items beside them and the table that finds them.  Room
 * is made first, so that adding cannot fail.
 */
#ifndef MREN_DATA_IMAGE_STORE_H
#define MREN_DATA_IMAGE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "base/hash.h"
#include "base/buffer.h"
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

/* Makes room for one more. */
extern MrenStatus mren_image_store_reserve(const MrenEnv *env, MrenImageStore *images,
										   MrenError *err);

/* Adds an item that is not there yet, copied from `item`; room has been made. */
extern void mren_image_store_add(MrenImageStore *images, const MrenHash128 *hash, const void *item);

/* Bytes of memory held beside the struct. */
extern size_t mren_image_store_bytes(const MrenImageStore *images);

/*
 * The flat form: hash and item of each, by ascending hash; n * (16 + size)
 * bytes.  Parsing leaves what the items hold to be checked by the caller;
 * MREN_EFORMAT for hashes out of order or too few bytes.
 */
extern void mren_image_store_put(MrenImageStore *images, MrenBuffer *out);
extern MrenStatus mren_image_store_parse(const MrenEnv *env, MrenImageStore *images,
										 MrenCursor *cursor, size_t n, MrenError *err);

#endif
