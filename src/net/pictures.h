/*
 * pictures.h
 *	  What is kept for each distinct picture of a training set: items of one
 *	  size, found by the picture's hash.
 *
 * Owns the hashes, the items beside them and the table that finds them.  Room
 * is made first, so that adding cannot fail.
 */
#ifndef MREN_NET_PICTURES_H
#define MREN_NET_PICTURES_H

#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "base/hash.h"
#include "net/buffer.h"
#include "net/sort.h"

typedef struct MrenPictures
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
} MrenPictures;

extern void mren_pictures_free(const MrenEnv *env, MrenPictures *pictures);

/* The item of a hash, or NULL. */
extern uint8_t *mren_pictures_find(const MrenPictures *pictures, const MrenHash128 *hash);

/* Makes room for one more. */
extern MrenStatus mren_pictures_reserve(const MrenEnv *env, MrenPictures *pictures, MrenError *err);

/* Adds an item that is not there yet, copied from `item`; room has been made. */
extern void mren_pictures_add(MrenPictures *pictures, const MrenHash128 *hash, const void *item);

/* Bytes of memory held beside the struct. */
extern size_t mren_pictures_bytes(const MrenPictures *pictures);

/*
 * The flat form: hash and item of each, by ascending hash; n * (16 + size)
 * bytes.  Parsing leaves what the items hold to be checked by the caller;
 * MREN_EFORMAT for hashes out of order or too few bytes.
 */
extern void mren_pictures_put(MrenPictures *pictures, MrenBuffer *out);
extern MrenStatus mren_pictures_parse(const MrenEnv *env, MrenPictures *pictures,
									  MrenCursor *cursor, size_t n, MrenError *err);

#endif
