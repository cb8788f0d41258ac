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
 * mren_cache_entry
 *	  A new entry of `size` bytes, zeroed, in a context of its own, in which everything that belongs
 *	  to it is allocated.  name, of the context, must be a constant.
 */
extern void *mren_cache_entry(const char *name, Size size);

/*
 * mren_cache_open
 *	  The entry of that key, now the most recently used.  If there is none, load makes it of `what`,
 *	  by mren_cache_entry; its bytes are what it may grow by.  Kept until the current memory context
 *	  is reset or deleted, as it is after an error.
 */
typedef void *(*MrenCacheLoad)(const void *what);
extern void *mren_cache_open(MrenCache *cache, int64 id, const uint8 *content, MrenCacheLoad load,
							 const void *what);

/* The same, but NULL if there is none. */
extern void *mren_cache_reopen(MrenCache *cache, int64 id, const uint8 *content);

/* The entry, now the most recently used, but not kept; NULL if there is none. */
extern MrenCacheEntry *mren_cache_find(MrenCache *cache, const MrenCacheKey *key);

/*
 * Takes over a finished entry (context, key and bytes set, not pinned; its context may be
 * a child of any other) and drops as many others as the limit requires.  Never
 * fails: an entry larger than the limit becomes the only one.
 */
extern void mren_cache_insert(MrenCache *cache, MrenCacheEntry *entry);

/* Accounts for growth of an entry that is in the cache. */
extern void mren_cache_resize(MrenCache *cache, MrenCacheEntry *entry, size_t bytes);

/*
 * What one entry may grow by in use: `most` bytes, or a quarter of the cache's limit if that is
 * less.
 */
extern size_t mren_cache_share(const MrenCache *cache, size_t most);

#endif
