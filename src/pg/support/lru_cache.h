/*
 * lru_cache.h
 *	  What a backend keeps between calls, bounded in bytes.
 *
 * Objects (a network, an image encoder, a set of word vectors) live each in a
 * memory context of their own and are keyed by the hash of their content, so a
 * key never means two things, not even after DROP EXTENSION.  The least
 * recently used go when a setting is exceeded; a pinned one stays.
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
	void (*release)(MrenCacheEntry *entry); /* what the context does not hold; may be NULL */
} MrenCache;

#define MREN_CACHE_INIT(cache, limit, release_entry)                                               \
	{                                                                                              \
		DLIST_STATIC_INIT((cache).entries), (limit), 0, (release_entry)                            \
	}

/* A context for an entry to be built in; it becomes permanent by insert.  name is a constant. */
extern MemoryContext mren_cache_context(const char *name);

/* The entry, now the most recently used; NULL if there is none. */
extern MrenCacheEntry *mren_cache_find(MrenCache *cache, const MrenCacheKey *key);

/*
 * Takes over a finished entry (context, key and bytes set; its context may be
 * a child of any other) and drops as many others as the limit requires.  Never
 * fails: an entry larger than the limit becomes the only one.
 */
extern void mren_cache_insert(MrenCache *cache, MrenCacheEntry *entry);

/* Accounts for growth of an entry that is in the cache. */
extern void mren_cache_resize(MrenCache *cache, MrenCacheEntry *entry, size_t bytes);

/* Keeps the entry until the context is reset or deleted, an error included. */
extern void mren_cache_pin(MrenCacheEntry *entry, MemoryContext until);

#endif
