/*
 * graph_paths_load.c
 *	  The facts that paths of a graph are made of, read around both ends.
 *
 * check-qualified: search_path is pinned by mren_graph_query.
 */
#include "pg/graph/graph_paths.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/graph/graph_statements.h"

#define MAX_FACTS 1000000

typedef struct MrenPathNodeEntry
{
	pg_uuid_t entity;
	uint32 node;
} MrenPathNodeEntry;

uint32
mren_path_node(MrenPathSearch *search, const pg_uuid_t *entity)
{
	bool found;
	MrenPathNodeEntry *entry = hash_search(search->index, entity, HASH_ENTER, &found);
	MrenPathNode *node;

	if (found)
		return entry->node;
	if (search->n_nodes == search->nodes_space)
	{
		search->nodes_space *= 2;
		search->nodes =
			repalloc_huge(search->nodes, (Size) search->nodes_space * sizeof(MrenPathNode));
	}
	entry->node = search->n_nodes++;
	node = &search->nodes[entry->node];
	memset(node, 0, sizeof(*node));
	node->entity = *entity;
	node->distance[MREN_PATH_SOURCE] = node->distance[MREN_PATH_TARGET] = MREN_PATH_FAR;
	return entry->node;
}

static const char ends[] = MREN_GRAPH_SQL_NAMED(
	"(0, mren.normalize_name($1)), (1, mren.normalize_name($2))") " SELECT n.side, n.entity FROM "
																  "named n ORDER BY n.entity";

static void
add_end(void *state, TupleTableSlot *slot)
{
	MrenPathSearch *search = state;
	MemoryContext old = MemoryContextSwitchTo(search->context);
	bool isnull;
	int side = DatumGetInt32(slot_getattr(slot, 1, &isnull));
	uint32 node = mren_path_node(search, DatumGetUUIDP(slot_getattr(slot, 2, &isnull)));

	search->nodes[node].distance[side] = 0;
	MemoryContextSwitchTo(old);
}

/* The nodes at the border of a side, which are its ends to begin with. */
static uint32
border(const MrenPathSearch *search, int side)
{
	uint32 n = 0;

	for (uint32 i = 0; i < search->n_nodes; i++)
		n += search->nodes[i].distance[side] == search->depth[side];
	return n;
}

void
mren_path_begin(MrenPathSearch *search, const MrenGraph *graph, Datum source, Datum target)
{
	HASHCTL control = {.keysize = sizeof(pg_uuid_t), .entrysize = sizeof(MrenPathNodeEntry)};
	Oid types[] = {TEXTOID, TEXTOID};
	Datum values[] = {source, target};

	memset(search, 0, sizeof(*search));
	search->graph = graph;
	search->context = CurrentMemoryContext;
	control.hcxt = search->context;
	search->index =
		hash_create("mren paths", 1024, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	search->nodes_space = search->facts_space = 1024;
	search->nodes = palloc(search->nodes_space * sizeof(MrenPathNode));
	search->facts = palloc(search->facts_space * sizeof(MrenPathFact));
	mren_graph_query(graph, ends, lengthof(types), types, values, add_end, search);
	for (int side = 0; side < (int) lengthof(values); side++)
	{
		if (border(search, side) == 0)
			mren_graph_notice_unknown(graph, values[side]);
	}
}

static const char around[] =
	"SELECT true, " MREN_GRAPH_SQL_SHOWN " WHERE f.head_entity = ANY ($1)"
	" UNION ALL SELECT false, " MREN_GRAPH_SQL_SHOWN " WHERE f.tail_entity = ANY ($1) LIMIT $2";

static void
add_fact(void *state, TupleTableSlot *slot)
{
	MrenPathSearch *search = state;
	MemoryContext old = MemoryContextSwitchTo(search->context);
	bool isnull;
	bool forward = DatumGetBool(slot_getattr(slot, 1, &isnull));
	uint32 head = mren_path_node(search, DatumGetUUIDP(slot_getattr(slot, 3, &isnull)));
	uint32 tail = mren_path_node(search, DatumGetUUIDP(slot_getattr(slot, 5, &isnull)));
	const MrenPathNode *other = &search->nodes[forward ? tail : head];
	MrenPathFact *fact;

	/* A fact comes once for each end that is expanded. */
	if (!other->expanded && (forward || !other->loading))
	{
		if (search->n_facts == search->facts_space)
		{
			search->facts_space *= 2;
			search->facts =
				repalloc_huge(search->facts, (Size) search->facts_space * sizeof(MrenPathFact));
		}
		fact = &search->facts[search->n_facts++];
		fact->fact = *DatumGetUUIDP(slot_getattr(slot, 2, &isnull));
		fact->head = head;
		fact->relation = TextDatumGetCString(slot_getattr(slot, 4, &isnull));
		fact->tail = tail;
		fact->confidence = DatumGetFloat8(slot_getattr(slot, 6, &isnull));
	}
	MemoryContextSwitchTo(old);
}

static int
compare_facts(const void *a, const void *b)
{
	return memcmp(&((const MrenPathFact *) a)->fact, &((const MrenPathFact *) b)->fact, UUID_LEN);
}

/* The facts in the order of their identities, and of each node. */
static void
index_facts(MrenPathSearch *search)
{
	uint32 *next;

	if (search->first != NULL)
	{
		pfree(search->first);
		pfree(search->adjacent);
	}
	qsort(search->facts, search->n_facts, sizeof(MrenPathFact), compare_facts);
	search->first =
		MemoryContextAllocExtended(search->context, ((Size) search->n_nodes + 1) * sizeof(uint32),
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	search->adjacent =
		MemoryContextAllocHuge(search->context, ((Size) search->n_facts * 2 + 1) * sizeof(uint32));
	next = MemoryContextAllocHuge(search->context, ((Size) search->n_nodes + 1) * sizeof(uint32));
	for (uint32 i = 0; i < search->n_facts; i++)
	{
		search->first[search->facts[i].head + 1]++;
		search->first[search->facts[i].tail + 1]++;
	}
	for (uint32 i = 0; i < search->n_nodes; i++)
		search->first[i + 1] += search->first[i];
	memcpy(next, search->first, (Size) search->n_nodes * sizeof(uint32));
	for (uint32 i = 0; i < search->n_facts; i++)
	{
		search->adjacent[next[search->facts[i].head]++] = i;
		search->adjacent[next[search->facts[i].tail]++] = i;
	}
	pfree(next);
}

/* Nodes at the border of a side whose facts are not loaded; their number. */
static uint32
not_loaded(MrenPathSearch *search, int side, Datum *entities)
{
	uint32 n = 0;

	for (uint32 i = 0; i < search->n_nodes; i++)
	{
		MrenPathNode *node = &search->nodes[i];

		if (node->distance[side] != search->depth[side] || node->expanded)
			continue;
		if (entities != NULL)
		{
			entities[n] = UUIDPGetDatum(&node->entity);
			node->loading = true;
		}
		n++;
	}
	return n;
}

static void
load(MrenPathSearch *search, int side)
{
	uint32 n = not_loaded(search, side, NULL);
	Oid types[] = {UUIDARRAYOID, INT8OID};
	Datum values[lengthof(types)];
	Datum *entities;

	if (n == 0)
		return;
	entities = palloc_extended((Size) n * sizeof(Datum), MCXT_ALLOC_HUGE);
	not_loaded(search, side, entities);
	values[0] = PointerGetDatum(
		construct_array(entities, (int) n, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
	values[1] = Int64GetDatum(2 * MAX_FACTS);
	mren_graph_query(search->graph, around, lengthof(types), types, values, add_fact, search);
	for (uint32 i = 0; i < search->n_nodes; i++)
	{
		search->nodes[i].expanded = search->nodes[i].expanded || search->nodes[i].loading;
		search->nodes[i].loading = false;
	}
	search->too_large = search->n_facts >= MAX_FACTS;
	index_facts(search);
}

/* The nodes one step further from a side. */
static void
step(MrenPathSearch *search, int side)
{
	int depth = search->depth[side]++;

	for (uint32 i = 0; i < search->n_nodes; i++)
	{
		if (search->nodes[i].distance[side] != depth)
			continue;
		for (uint32 k = search->first[i]; k < search->first[i + 1]; k++)
		{
			MrenPathNode *other =
				&search->nodes[mren_path_other_end(&search->facts[search->adjacent[k]], i)];

			if (other->distance[side] == MREN_PATH_FAR)
				other->distance[side] = (uint8) (depth + 1);
		}
	}
}

bool
mren_path_step(MrenPathSearch *search)
{
	uint32 n_source = border(search, MREN_PATH_SOURCE);
	uint32 n_target = border(search, MREN_PATH_TARGET);
	int side = n_source <= n_target ? MREN_PATH_SOURCE : MREN_PATH_TARGET;

	/* All that can be reached from an end is loaded, and searched up to this length. */
	if (n_source == 0 || n_target == 0)
		side = n_source == 0 ? MREN_PATH_SOURCE : MREN_PATH_TARGET;
	load(search, side);
	if (search->first == NULL)
		return false;
	step(search, side);
	return true;
}
