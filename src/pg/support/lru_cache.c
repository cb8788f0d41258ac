/*
 * lru_cache.c
 *	  The list of cached entries, ordered by their last use.
 */
#include "pg/support/lru_cache.h"

#include "utils/memutils.h"

void *
mren_cache_entry(const char *name, Size size)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "mren cache entry", ALLOCSET_DEFAULT_SIZES);
	MrenCacheEntry *entry = MemoryContextAllocZero(context, size);

	MemoryContextSetIdentifier(context, name);
	entry->context = context;
	return entry;
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
	cache->bytes += entry->bytes;
	dlist_push_head(&cache->entries, &entry->node);
}

void
mren_cache_resize(MrenCache *cache, MrenCacheEntry *entry, size_t bytes)
{
	cache->bytes = cache->bytes - entry->bytes + bytes;
	entry->bytes = bytes;
}

static void
unpin(void *arg)
{
	((MrenCacheEntry *) arg)->pins--;
}

/* Keeps the entry until the current context is reset. */
static void *
pin(MrenCacheEntry *entry)
{
	MemoryContextCallback *callback = palloc(sizeof(MemoryContextCallback));

	callback->func = unpin;
	callback->arg = entry;
	entry->pins++;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	return entry;
}

static MrenCacheKey
key_of(int64 id, const uint8 *content)
{
	MrenCacheKey key = {.id = id};

	memcpy(key.content, content, MREN_SHA256_LENGTH);
	return key;
}

void *
mren_cache_reopen(MrenCache *cache, int64 id, const uint8 *content)
{
	MrenCacheKey key = key_of(id, content);
	MrenCacheEntry *entry = mren_cache_find(cache, &key);

	return entry != NULL ? pin(entry) : NULL;
}

void *
mren_cache_open(MrenCache *cache, int64 id, const uint8 *content, MrenCacheLoad load,
				const void *what)
{
	MrenCacheEntry *entry = mren_cache_reopen(cache, id, content);

	if (entry != NULL)
		return entry;
	entry = load(what);
	entry->key = key_of(id, content);
	entry->bytes += MemoryContextMemAllocated(entry->context, true);
	mren_cache_insert(cache, entry);
	return pin(entry);
}

size_t
mren_cache_share(const MrenCache *cache, size_t most)
{
	return Min(most, (size_t) *cache->limit_kb * 1024 / 4);
}
