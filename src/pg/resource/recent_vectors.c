/*
 * recent_vectors.c
 *	  Entries of caches that are plain bytes, keyed by encoder and content.
 */
#include "pg/resource/recent_vectors.h"

#include "utils/memutils.h"

#include "base/hash.h"
#include "pg/support/compat.h"

/* Bytes of a context and its first block beside the entry itself. */
#define CONTEXT_BYTES 256
#define LEAST_BLOCK 1024 /* of AllocSetContextCreate */

/* Where an entry's bytes begin. */
#define BYTES_AT MAXALIGN(sizeof(MrenCacheEntry))

MrenCacheKey
mren_recent_key(const uint8 *encoder, const bytea *content)
{
	MrenCacheKey key = {.id = 0};
	MrenHash128 hash = mren_hash128(VARDATA_ANY(content), VARSIZE_ANY_EXHDR(content));

	memcpy(key.content, hash.bytes, sizeof(hash.bytes));
	/* Half of the encoder's identity is enough to tell encoders apart. */
	memcpy(key.content + sizeof(hash.bytes), encoder, sizeof(key.content) - sizeof(hash.bytes));
	return key;
}

const void *
mren_recent_find(MrenCache *cache, const MrenCacheKey *key)
{
	MrenCacheEntry *entry = mren_cache_find(cache, key);

	return entry != NULL ? (const char *) entry + BYTES_AT : NULL;
}

void *
mren_recent_add(MrenCache *cache, const MrenCacheKey *key, Size size)
{
	Size block = Max(MAXALIGN(BYTES_AT + size + CONTEXT_BYTES), LEAST_BLOCK);
	MemoryContext context;
	MrenCacheEntry *entry;

	if (*cache->limit_kb == 0)
		return NULL;
	context = AllocSetContextCreate(CurrentMemoryContext, "mren vector", 0, block, block);
	entry = MemoryContextAllocHuge(context, BYTES_AT + size);
	*entry = (MrenCacheEntry){.key = *key, .context = context};
	entry->bytes = MemoryContextMemAllocated(context, true);
	mren_cache_insert(cache, entry);
	return (char *) entry + BYTES_AT;
}
