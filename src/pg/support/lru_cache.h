/*
 * lru_cache.h
 *	  Caches of a backend, bounded in bytes.
 *
 * Each object (a network, an image encoder, a set of word vectors) is allocated in
 * a memory context of its own.  Its key is the hash of its content, so that a key
 * never means two things, not even after DROP EXTENSION.  When a cache exceeds its
 * setting, the least recently used entries that are not pinned are freed.
 */
#ifndef MREN_PG_SUPPORT_LRU_CACHE_H
#define MREN_PG_SUPPORT_LRU_CACHE_H

#include "postgres.h"

#include "lib/ilist.h"

#include "pg/support/digest.h"

typedef struct MrenCacheKey
{
	int64 id; /* of a row; 0 where the content alone is the key */
	uint8 content[MREN_SHA256_LENGTH];
} MrenCacheKey;

/* The first field of whatever is cached. */
typedef struct MrenCacheEntry
{
	dlist_node node; /* most recently used first */
	MrenCacheKey key;
	MemoryContext context; /* holds everything, this struct included */
	size_t bytes;
	int pins;
} MrenCacheEntry;

typedef struct MrenCache
{
	dlist_head entries;
	const int *limit_kb;
	size_t bytes;
	void (*release)(MrenCacheEntry *entry); /* frees what is not in the context; may be NULL */
} MrenCache;

#define MREN_CACHE_INIT(cache, limit, release_entry)                                               \
	{                                                                                              \
		DLIST_STATIC_INIT((cache).entries), (limit), 0, (release_entry)                            \
	}

/*
 * A context to build an entry in, which mren_cache_insert makes permanent.  name
 * must be a constant.
 */
extern MemoryContext mren_cache_context(const char *name);

/* The entry, now the most recently used; NULL if there is none. */
extern MrenCacheEntry *mren_cache_find(MrenCache *cache, const MrenCacheKey *key);

/*
 * Takes over a finished entry (context, key and bytes set; its context may be
 * a child of any other) and drops as many others as the limit requires.  Never
 * fails: an entry larger than the limit becomes the only one.
 */
extern void mren_cache_insert(MrenCache *cache, MrenCacheEntry *entry);

/* Accounts for growth of an entry that is in the cache, and drops others as the limit requires. */
extern void mren_cache_resize(MrenCache *cache, MrenCacheEntry *entry, size_t bytes);

/*
 * What one entry may grow by in use: `most` bytes, or a quarter of the cache's limit if that is
 * less.
 */
extern size_t mren_cache_share(const MrenCache *cache, size_t most);

/* Keeps the entry until the context is reset or deleted, as it is after an error. */
extern void mren_cache_pin(MrenCacheEntry *entry, MemoryContext until);

#endif
