/*
 * graph_paths.c
 *	  mren.paths: the shortest and surest ways between two entities.
 *
 * Works in phases, for paths of one fact, then of two, and so on:
 *
 * 1. Load.  Facts are read around both ends, one step at a time from the end
 *	  that has fewer entities at its border, until together they have taken as
 *	  many steps as the path has facts.  Each fact of such a path is then loaded.
 * 2. Bound.  For each entity and each number of facts left, the highest
 *	  confidence with which a walk reaches the target.
 * 3. Search, depth first from the source.  Once max_paths are found, what
 *	  cannot be better than the worst of them is not followed.
 *
 * Shorter paths come first, so the search ends with the first length at which
 * max_paths are found.  Confidences are multiplied from the target backwards, in
 * bounds as in paths, so that a bound is never below what it bounds.
 *
 * check-qualified: search_path is pinned by mren_graph_query.
 */
#include "pg/graph/graph_base.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/uuid.h"

#include "pg/graph/graph_statements.h"
#include "pg/support/args.h"
#include "pg/support/compat.h"

#define MAX_HOPS 8
#define MAX_PATHS 100000
#define MAX_FACTS 1000000  /* loaded */
#define MAX_STEPS 20000000 /* of the search */

PG_FUNCTION_INFO_V1(mren_paths);

/* The two ends of a path. */
enum
{
	SOURCE,
	TARGET
};

typedef struct Fact
{
	pg_uuid_t fact;
	uint32 head; /* node */
	uint32 tail;
	double confidence;
	const char *relation;
} Fact;

typedef struct PlaceEntry
{
	pg_uuid_t entity;
	uint32 node;
} PlaceEntry;

#define FAR PG_UINT8_MAX

typedef struct Place
{
	pg_uuid_t entity;
	const char *name;  /* of those on a path */
	uint8 distance[2]; /* from the ends, as far as they were expanded; else FAR */
	bool expanded;	   /* its facts are loaded */
	bool loading;
	bool on_path; /* of the search */
} Place;

/* Facts, and the nodes that they join: one more. */
typedef struct Path
{
	double confidence;
	uint32 facts[MAX_HOPS];
	uint32 nodes[MAX_HOPS + 1];
} Path;

typedef struct Search
{
	const MrenGraph *graph;
	MemoryContext context;
	int max_paths;

	HTAB *index; /* entity → node */
	Place *nodes;
	uint32 n_nodes;
	uint32 nodes_space;
	Fact *facts;
	uint32 n_facts;
	uint32 facts_space;
	int depth[2];	/* steps from each end */
	bool too_large; /* a limit ended the search */

	/* The facts of node n: adjacent[first[n]] to adjacent[first[n + 1] - 1]. */
	uint32 *first;
	uint32 *adjacent;
	double *best[MAX_HOPS + 1]; /* of each node, with this many facts left */

	int length; /* of the paths searched */
	Path at;
	int64 n_steps;
	Path *found; /* of this length; a heap, the worst first */
	int n_found;
} Search;

/*
 * Loading
 */

static uint32
node_of(Search *search, const pg_uuid_t *entity)
{
	bool found;
	PlaceEntry *entry = hash_search(search->index, entity, HASH_ENTER, &found);
	Place *node;

	if (found)
		return entry->node;
	if (search->n_nodes == search->nodes_space)
	{
		search->nodes_space *= 2;
		search->nodes = repalloc_huge(search->nodes, (Size) search->nodes_space * sizeof(Place));
	}
	entry->node = search->n_nodes++;
	node = &search->nodes[entry->node];
	memset(node, 0, sizeof(*node));
	node->entity = *entity;
	node->distance[SOURCE] = node->distance[TARGET] = FAR;
	return entry->node;
}

static const char ends[] = MREN_GRAPH_SQL_NAMED(
	"(0, mren.normalize_name($1)), (1, mren.normalize_name($2))") " SELECT n.side, n.entity FROM "
																  "named n ORDER BY n.entity";

static void
add_end(void *state, TupleTableSlot *slot)
{
	Search *search = state;
	MemoryContext old = MemoryContextSwitchTo(search->context);
	bool isnull;
	int side = DatumGetInt32(slot_getattr(slot, 1, &isnull));
	uint32 node = node_of(search, DatumGetUUIDP(slot_getattr(slot, 2, &isnull)));

	search->nodes[node].distance[side] = 0;
	MemoryContextSwitchTo(old);
}

static const char around[] =
	"SELECT true, " MREN_GRAPH_SQL_SHOWN " WHERE f.head_entity = ANY ($1)"
	" UNION ALL SELECT false, " MREN_GRAPH_SQL_SHOWN " WHERE f.tail_entity = ANY ($1) LIMIT $2";

static void
add_fact(void *state, TupleTableSlot *slot)
{
	Search *search = state;
	MemoryContext old = MemoryContextSwitchTo(search->context);
	bool isnull;
	bool forward = DatumGetBool(slot_getattr(slot, 1, &isnull));
	uint32 head = node_of(search, DatumGetUUIDP(slot_getattr(slot, 3, &isnull)));
	uint32 tail = node_of(search, DatumGetUUIDP(slot_getattr(slot, 5, &isnull)));
	const Place *other = &search->nodes[forward ? tail : head];
	Fact *fact;

	/* A fact comes once for each end that is expanded. */
	if (!other->expanded && (forward || !other->loading))
	{
		if (search->n_facts == search->facts_space)
		{
			search->facts_space *= 2;
			search->facts = repalloc_huge(search->facts, (Size) search->facts_space * sizeof(Fact));
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
	return memcmp(&((const Fact *) a)->fact, &((const Fact *) b)->fact, UUID_LEN);
}

/* The facts in the order of their identities, and of each node. */
static void
index_facts(Search *search)
{
	uint32 *next;

	if (search->first != NULL)
	{
		pfree(search->first);
		pfree(search->adjacent);
	}
	qsort(search->facts, search->n_facts, sizeof(Fact), compare_facts);
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

static inline uint32
other_end(const Fact *fact, uint32 node)
{
	return fact->head == node ? fact->tail : fact->head;
}

/* Nodes at the border of a side whose facts are not loaded; their number. */
static uint32
not_loaded(Search *search, int side, Datum *entities)
{
	uint32 n = 0;

	for (uint32 i = 0; i < search->n_nodes; i++)
	{
		Place *node = &search->nodes[i];

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
load(Search *search, int side)
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
step(Search *search, int side)
{
	int depth = search->depth[side]++;

	for (uint32 i = 0; i < search->n_nodes; i++)
	{
		if (search->nodes[i].distance[side] != depth)
			continue;
		for (uint32 k = search->first[i]; k < search->first[i + 1]; k++)
		{
			Place *other = &search->nodes[other_end(&search->facts[search->adjacent[k]], i)];

			if (other->distance[side] == FAR)
				other->distance[side] = (uint8) (depth + 1);
		}
	}
}

/*
 * Bounds
 */

/* For a number of facts left, from the bounds with one less. */
static void
bound(Search *search, int left)
{
	const double *less = search->best[left - 1];
	double *best = search->best[left];

	CHECK_FOR_INTERRUPTS();
	memset(best, 0, (Size) search->n_nodes * sizeof(double));
	for (uint32 i = 0; i < search->n_facts; i++)
	{
		const Fact *fact = &search->facts[i];

		best[fact->head] = Max(best[fact->head], fact->confidence * less[fact->tail]);
		best[fact->tail] = Max(best[fact->tail], fact->confidence * less[fact->head]);
	}
}

static void
bounds(Search *search)
{
	for (int left = 0; left <= search->length; left++)
	{
		if (search->best[left] != NULL)
			pfree(search->best[left]);
		search->best[left] =
			MemoryContextAllocHuge(search->context, (Size) search->n_nodes * sizeof(double));
		if (left > 0)
			bound(search, left);
		else
		{
			for (uint32 i = 0; i < search->n_nodes; i++)
				search->best[0][i] = search->nodes[i].distance[TARGET] == 0;
		}
	}
}

/*
 * Searching
 */

/* Of equally sure paths, the one whose facts come first in the order of identities. */
static int
compare_paths(const Search *search, const Path *a, const Path *b)
{
	if (a->confidence != b->confidence)
		return a->confidence > b->confidence ? -1 : 1;
	for (int i = 0; i < search->length; i++)
	{
		if (a->facts[i] != b->facts[i])
			return a->facts[i] < b->facts[i] ? -1 : 1;
	}
	return 0;
}

/* The path at hand takes the place of the worst, or a new one. */
static void
keep(Search *search)
{
	int i;

	if (search->n_found < search->max_paths)
	{
		for (i = search->n_found++; i > 0; i = (i - 1) / 2)
		{
			if (compare_paths(search, &search->at, &search->found[(i - 1) / 2]) < 0)
				break;
			search->found[i] = search->found[(i - 1) / 2];
		}
	}
	else
	{
		if (compare_paths(search, &search->at, &search->found[0]) > 0)
			return;
		for (i = 0;;)
		{
			int child = 2 * i + 1;

			if (child >= search->n_found)
				break;
			if (child + 1 < search->n_found &&
				compare_paths(search, &search->found[child + 1], &search->found[child]) > 0)
				child++;
			if (compare_paths(search, &search->at, &search->found[child]) > 0)
				break;
			search->found[i] = search->found[child];
			i = child;
		}
	}
	search->found[i] = search->at;
}

/* The most that a path can be worth that begins with n facts and then has `rest`. */
static double
worth(const Search *search, int n, double rest)
{
	while (n > 0)
		rest = search->facts[search->at.facts[--n]].confidence * rest;
	return rest;
}

/* Facts come in the order of their identities, so that of equals the first found stays. */
static void
follow(Search *search, int n)
{
	uint32 node = search->at.nodes[n];
	int left = search->length - n - 1;

	search->nodes[node].on_path = true;
	for (uint32 k = search->first[node]; k < search->first[node + 1]; k++)
	{
		uint32 i = search->adjacent[k];
		uint32 other = other_end(&search->facts[i], node);
		double rest = search->best[left][other];

		if (rest == 0 || search->nodes[other].on_path)
			continue;
		if (search->n_steps++ % 10000 == 0)
			CHECK_FOR_INTERRUPTS();
		if (search->n_steps > MAX_STEPS)
			break;
		search->at.facts[n] = i;
		search->at.nodes[n + 1] = other;
		search->at.confidence = worth(search, n + 1, rest);
		if (search->n_found == search->max_paths &&
			search->at.confidence <= search->found[0].confidence)
			continue;
		if (left > 0)
			follow(search, n + 1);
		else
			keep(search);
	}
	search->nodes[node].on_path = false;
}

static void
search_length(Search *search)
{
	bounds(search);
	search->n_steps = 0;
	for (uint32 i = 0; i < search->n_nodes; i++)
	{
		if (search->nodes[i].distance[SOURCE] != 0)
			continue;
		search->at.nodes[0] = i;
		follow(search, 0);
	}
	search->too_large = search->n_steps > MAX_STEPS;
}

/*
 * Results
 */

static const char names[] =
	"SELECT e.entity, e.name FROM ${graph}.entities e WHERE e.entity = ANY ($1)";

static void
add_name(void *state, TupleTableSlot *slot)
{
	Search *search = state;
	MemoryContext old = MemoryContextSwitchTo(search->context);
	bool isnull;
	uint32 node = node_of(search, DatumGetUUIDP(slot_getattr(slot, 1, &isnull)));

	search->nodes[node].name = TextDatumGetCString(slot_getattr(slot, 2, &isnull));
	MemoryContextSwitchTo(old);
}

/* Of the nodes on the paths that were found; on_path: asked for already. */
static void
read_names(Search *search)
{
	Oid types[] = {UUIDARRAYOID};
	Datum values[lengthof(types)];
	Datum *entities = palloc_extended((Size) search->n_nodes * sizeof(Datum), MCXT_ALLOC_HUGE);
	int n = 0;

	for (int i = 0; i < search->n_found; i++)
	{
		for (int k = 0; k <= search->length; k++)
		{
			Place *node = &search->nodes[search->found[i].nodes[k]];

			if (node->name != NULL)
				continue;
			node->name = "";
			entities[n++] = UUIDPGetDatum(&node->entity);
		}
	}
	values[0] =
		PointerGetDatum(construct_array(entities, n, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
	mren_graph_query(search->graph, names, lengthof(types), types, values, add_name, search);
}

static void
put_path(const Search *search, const Path *path, ReturnSetInfo *rsinfo)
{
	Datum entities[MAX_HOPS + 1];
	Datum relations[MAX_HOPS];
	Datum facts[MAX_HOPS];
	Datum values[6];
	bool nulls[lengthof(values)] = {false};
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i <= search->length; i++)
	{
		const Place *node = &search->nodes[path->nodes[i]];
		const Fact *fact = &search->facts[path->facts[Min(i, search->length - 1)]];

		entities[i] = CStringGetTextDatum(node->name);
		appendStringInfoString(&text, node->name);
		if (i == search->length)
			break;
		relations[i] = CStringGetTextDatum(fact->relation);
		facts[i] = UUIDPGetDatum(&fact->fact);
		appendStringInfo(&text, fact->head == path->nodes[i] ? " -[%s]-> " : " <-[%s]- ",
						 fact->relation);
	}
	values[0] = Int32GetDatum(search->length);
	values[1] = Float8GetDatum(path->confidence);
	values[2] = CStringGetTextDatum(text.data);
	values[3] = PointerGetDatum(
		construct_array(entities, search->length + 1, TEXTOID, -1, false, TYPALIGN_INT));
	values[4] = PointerGetDatum(
		construct_array(relations, search->length, TEXTOID, -1, false, TYPALIGN_INT));
	values[5] = PointerGetDatum(
		construct_array(facts, search->length, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

static int
compare_found(const void *a, const void *b, void *search)
{
	return compare_paths(search, a, b);
}

static void
put_found(Search *search, ReturnSetInfo *rsinfo)
{
	MemoryContext row =
		AllocSetContextCreate(CurrentMemoryContext, "mren paths", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old;

	if (search->n_found == 0)
		return;
	read_names(search);
	qsort_arg(search->found, search->n_found, sizeof(Path), compare_found, search);
	old = MemoryContextSwitchTo(row);
	for (int i = 0; i < search->n_found; i++)
	{
		put_path(search, &search->found[i], rsinfo);
		MemoryContextReset(row);
	}
	MemoryContextSwitchTo(old);
	search->max_paths -= search->n_found;
	search->n_found = 0;
}

static void
start(Search *search, const MrenGraph *graph, int max_paths)
{
	HASHCTL control = {.keysize = sizeof(pg_uuid_t), .entrysize = sizeof(PlaceEntry)};

	memset(search, 0, sizeof(*search));
	search->graph = graph;
	search->context = CurrentMemoryContext;
	search->max_paths = max_paths;
	control.hcxt = search->context;
	search->index =
		hash_create("mren paths", 1024, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	search->nodes_space = search->facts_space = 1024;
	search->nodes = palloc(search->nodes_space * sizeof(Place));
	search->facts = palloc(search->facts_space * sizeof(Fact));
}

static uint32
border(const Search *search, int side)
{
	uint32 n = 0;

	for (uint32 i = 0; i < search->n_nodes; i++)
		n += search->nodes[i].distance[side] == search->depth[side];
	return n;
}

static void
find_paths(Search *search, int max_hops, ReturnSetInfo *rsinfo)
{
	search->found = palloc_extended((Size) search->max_paths * sizeof(Path), MCXT_ALLOC_HUGE);
	while (search->length < max_hops && search->max_paths > 0 && !search->too_large)
	{
		uint32 n_source = border(search, SOURCE);
		uint32 n_target = border(search, TARGET);
		int side = n_source <= n_target ? SOURCE : TARGET;

		/* All that can be reached from an end is loaded, and searched up to this length. */
		if (n_source == 0 || n_target == 0)
			side = n_source == 0 ? SOURCE : TARGET;
		search->length++;
		load(search, side);
		if (search->first == NULL)
			return;
		step(search, side);
		if (search->too_large)
			break;
		search_length(search);
		put_found(search, rsinfo);
	}
	if (search->too_large)
		ereport(NOTICE,
				(errmsg("paths with %d or more facts were not searched completely", search->length),
				 errhint("Reduce max_hops or max_paths.")));
}

/* mren.paths(graph, source, target, max_hops, max_paths) */
Datum
mren_paths(PG_FUNCTION_ARGS)
{
	char *name = mren_arg_text(fcinfo, 0, "graph");
	int32 max_hops = mren_graph_bounded(fcinfo, 3, "max_hops", MAX_HOPS);
	int32 max_paths = mren_graph_bounded(fcinfo, 4, "max_paths", MAX_PATHS);
	static const char *const relations[] = {"facts", "entities", "aliases"};
	Oid types[] = {TEXTOID, TEXTOID};
	Datum values[lengthof(types)];
	MrenGraph graph;
	Search search;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return (Datum) 0;
	values[0] = PG_GETARG_DATUM(1);
	values[1] = PG_GETARG_DATUM(2);
	SPI_connect();
	mren_graph_open(name, false, &graph);
	mren_graph_check_layout(&graph);
	for (int i = 0; i < (int) lengthof(relations); i++)
		mren_graph_check_readable(&graph, relations[i]);
	start(&search, &graph, max_paths);
	mren_graph_query(&graph, ends, lengthof(types), types, values, add_end, &search);
	find_paths(&search, max_hops, (ReturnSetInfo *) fcinfo->resultinfo);
	SPI_finish();
	return (Datum) 0;
}
