/*
 * recent_vectors.h
 *	  What encoders computed from recently used images and recordings, kept by
 *	  the hash of their bytes, since several rows often share one.
 */
#ifndef MREN_PG_RESOURCE_RECENT_VECTORS_H
#define MREN_PG_RESOURCE_RECENT_VECTORS_H

#include "postgres.h"

#include "pg/support/lru_cache.h"

/*
 * The key of an image or recording under an encoder, of which `encoder` is the
 * identity (MREN_SHA256_LENGTH bytes).  Its id is 0 and may be set.
 */
extern MrenCacheKey mren_recent_key(const uint8 *encoder, const bytea *content);

/* The bytes kept for the key, aligned for any type; NULL if there are none. */
extern const void *mren_recent_find(MrenCache *cache, const MrenCacheKey *key);

/*
 * `size` bytes to be filled and kept for a key that is not there; NULL if the cache's limit is 0.
 */
extern void *mren_recent_add(MrenCache *cache, const MrenCacheKey *key, Size size);

#endif
