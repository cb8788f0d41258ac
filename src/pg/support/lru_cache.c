/*
 * lru_cache.c
 *	  The list of cached entries, ordered by their last use.
 */
#include "pg/support/lru_cache.h"

#include "utils/memutils.h"

MemoryContext
mren_cache_context(const char *name)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "mren cache entry", ALLOCSET_DEFAULT_SIZES);

	MemoryContextSetIdentifier(context, name);
	return context;
}

MrenCacheEntry *
mren_cache_find(MrenCache *cache, const MrenCacheKey *key)
{
	dlist_iter iter;

	dlist_foreach(iter, &cache->entries)
	{
		MrenCacheEntry *entry = dlist_container(MrenCacheEntry, node, iter.cur);

		if (entry->key.id == key->id &&
			memcmp(entry->key.content, key->content, MREN_SHA256_LENGTH) == 0)
		{
			dlist_move_head(&cache->entries, &entry->node);
			return entry;
		}
	}
	return NULL;
}

/* Drops the least recently used entries until `bytes` more fit or all that are left are pinned. */
static void
evict(MrenCache *cache, size_t bytes)
{
	size_t limit = (size_t) *cache->limit_kb * 1024;
	dlist_node *node = dlist_is_empty(&cache->entries) ? NULL : dlist_tail_node(&cache->entries);

	while (node != NULL && cache->bytes + bytes > limit)
	{
		MrenCacheEntry *entry = dlist_container(MrenCacheEntry, node, node);

		node =
			dlist_has_prev(&cache->entries, node) ? dlist_prev_node(&cache->entries, node) : NULL;
		if (entry->pins > 0)
			continue;
		dlist_delete(&entry->node);
		cache->bytes -= entry->bytes;
		if (cache->release != NULL)
			cache->release(entry);
		MemoryContextDelete(entry->context);
	}
}

void
mren_cache_insert(MrenCache *cache, MrenCacheEntry *entry)
{
	evict(cache, entry->bytes);
	MemoryContextSetParent(entry->context, CacheMemoryContext);
	entry->pins = 0;
	cache->bytes += entry->bytes;
	dlist_push_head(&cache->entries, &entry->node);
}

void
mren_cache_resize(MrenCache *cache, MrenCacheEntry *entry, size_t bytes)
{
	cache->bytes = cache->bytes - entry->bytes + bytes;
	entry->bytes = bytes;
	entry->pins++;
	evict(cache, 0);
	entry->pins--;
}

static void
unpin(void *arg)
{
	((MrenCacheEntry *) arg)->pins--;
}

void
mren_cache_pin(MrenCacheEntry *entry, MemoryContext until)
{
	MemoryContextCallback *callback = MemoryContextAlloc(until, sizeof(MemoryContextCallback));

	callback->func = unpin;
	callback->arg = entry;
	entry->pins++;
	MemoryContextRegisterResetCallback(until, callback);
}

size_t
mren_cache_share(const MrenCache *cache, size_t most)
{
	return Min(most, (size_t) *cache->limit_kb * 1024 / 4);
}
