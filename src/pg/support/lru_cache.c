/*
 * lru_cache.c
 *	  Bounded caches of a backend, and the memo of deployed versions.
 *
 * The memo is cleared at the end of every transaction and subtransaction: a
 * rolled-back promote must be forgotten, and relcache invalidation does not
 * tell of changed rows.
 */
#include "pg/support/lru_cache.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* Models that one statement uses at a time; more only cost look-ups. */
#define N_DEPLOYED 8

static MrenDeployed deployed[N_DEPLOYED];
static int n_deployed;
static int next_deployed;
static MemoryContext deployed_context;

static void
forget_deployed(void)
{
	if (n_deployed == 0)
		return;
	n_deployed = 0;
	next_deployed = 0;
	MemoryContextReset(deployed_context);
}

static void
on_xact_end(XactEvent event, void *arg)
{
	forget_deployed();
}

static void
on_subxact_end(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	forget_deployed();
}

void
mren_cache_init(void)
{
	deployed_context =
		AllocSetContextCreate(TopMemoryContext, "mren deployed versions", ALLOCSET_SMALL_SIZES);
	RegisterXactCallback(on_xact_end, NULL);
	RegisterSubXactCallback(on_subxact_end, NULL);
}

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

/* Drops the least recently used until `bytes` more fit, or all are in use. */
static void
make_room(MrenCache *cache, size_t bytes)
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
	make_room(cache, entry->bytes);
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

/*
 * Within one xmin and xmax, transactions can only leave the list of running
 * ones, so its length tells two snapshots apart; curcid tells a transaction's
 * own changes.
 */
static MrenSnapshotStamp
stamp_now(void)
{
	Snapshot snapshot = GetActiveSnapshot();

	return (MrenSnapshotStamp){
		.xmin = snapshot->xmin,
		.xmax = snapshot->xmax,
		.xcnt = snapshot->xcnt,
		.subxcnt = snapshot->subxcnt,
		.curcid = snapshot->curcid,
		.userid = GetUserId(),
	};
}

static bool
same_stamp(const MrenSnapshotStamp *a, const MrenSnapshotStamp *b)
{
	return a->xmin == b->xmin && a->xmax == b->xmax && a->xcnt == b->xcnt &&
		   a->subxcnt == b->subxcnt && a->curcid == b->curcid && a->userid == b->userid;
}

static void
find_version(const char *name, MrenDeployed *found)
{
	bool exists;

	if (found->asked == 0 && found->model.deployed == 0)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("model \"%s\" has no deployed version", name),
						errhint("Deploy one with mren.promote.")));
	if (found->asked != 0)
		exists = mren_catalog_version(found->model.id, found->asked, &found->version);
	else
		exists = mren_catalog_version_by_id(found->model.deployed, &found->version);
	if (!exists)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("version %d of model \"%s\" does not exist", found->asked, name),
						errhint("mren.models lists the versions of each model.")));
	pfree(found->version.head);
	found->version.head = NULL;
	found->version.icu = NULL;
	if (found->version.has_embeddings &&
		!mren_catalog_embedding_by_hash(found->version.embeddings, &found->embedding, NULL))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the word embeddings of model \"%s\" are not loaded", name),
				 errhint("Load the same vectors with mren.load_embeddings, under any name.")));
}

const MrenDeployed *
mren_cache_deployed(const char *model, int len, int32 version, MrenModelKind kind)
{
	MrenSnapshotStamp stamp = stamp_now();
	MrenDeployed found = {.asked = version, .stamp = stamp};
	char *name;

	for (int i = 0; i < n_deployed; i++)
	{
		if (deployed[i].asked == version && strncmp(deployed[i].name, model, len) == 0 &&
			deployed[i].name[len] == '\0' && deployed[i].model.kind == kind &&
			same_stamp(&deployed[i].stamp, &stamp))
			return &deployed[i];
	}
	name = pnstrdup(model, len);
	mren_catalog_require(name, MREN_PRIVILEGE_PREDICT, &found.model);
	mren_catalog_require_kind(name, &found.model, kind);
	find_version(name, &found);
	/* Stamps change with every statement of a long transaction: start over. */
	if (next_deployed == N_DEPLOYED)
		forget_deployed();
	found.name = MemoryContextStrdup(deployed_context, name);
	pfree(name);
	deployed[next_deployed] = found;
	n_deployed = next_deployed + 1;
	return &deployed[next_deployed++];
}
