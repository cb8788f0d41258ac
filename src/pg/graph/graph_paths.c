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
 * max_paths are found.
 *
 * check-qualified: search_path is pinned by mren_graph_query.
 */
#include "pg/graph/graph_paths.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/support/args.h"
#include "pg/support/compat.h"

#define MAX_PATHS 100000

PG_FUNCTION_INFO_V1(mren_paths);

static const char names[] =
	"SELECT e.entity, e.name FROM ${graph}.entities e WHERE e.entity = ANY ($1)";

static void
add_name(void *state, TupleTableSlot *slot)
{
	MrenPathSearch *search = state;
	MemoryContext old = MemoryContextSwitchTo(search->context);
	bool isnull;
	uint32 node = mren_path_node(search, DatumGetUUIDP(slot_getattr(slot, 1, &isnull)));

	search->nodes[node].name = TextDatumGetCString(slot_getattr(slot, 2, &isnull));
	MemoryContextSwitchTo(old);
}

/* Of the nodes on the paths that were found; on_path: asked for already. */
static void
read_names(MrenPathSearch *search)
{
	Oid types[] = {UUIDARRAYOID};
	Datum values[lengthof(types)];
	Datum *entities = palloc_extended((Size) search->n_nodes * sizeof(Datum), MCXT_ALLOC_HUGE);
	int n = 0;

	for (int i = 0; i < search->n_found; i++)
	{
		for (int k = 0; k <= search->length; k++)
		{
			MrenPathNode *node = &search->nodes[search->found[i].nodes[k]];

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
put_path(const MrenPathSearch *search, const MrenPath *path, ReturnSetInfo *rsinfo)
{
	Datum entities[MREN_PATH_MAX_HOPS + 1];
	Datum relations[MREN_PATH_MAX_HOPS];
	Datum facts[MREN_PATH_MAX_HOPS];
	Datum values[6];
	bool nulls[lengthof(values)] = {false};
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i <= search->length; i++)
	{
		const MrenPathNode *node = &search->nodes[path->nodes[i]];
		const MrenPathFact *fact = &search->facts[path->facts[Min(i, search->length - 1)]];

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
	return mren_path_compare(search, a, b);
}

static void
put_found(MrenPathSearch *search, ReturnSetInfo *rsinfo)
{
	MemoryContext row =
		AllocSetContextCreate(CurrentMemoryContext, "mren paths", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old;

	if (search->n_found == 0)
		return;
	read_names(search);
	qsort_arg(search->found, search->n_found, sizeof(MrenPath), compare_found, search);
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
find_paths(MrenPathSearch *search, int max_hops, int max_paths, ReturnSetInfo *rsinfo)
{
	search->max_paths = max_paths;
	search->found = palloc_extended((Size) max_paths * sizeof(MrenPath), MCXT_ALLOC_HUGE);
	while (search->length < max_hops && search->max_paths > 0 && !search->too_large)
	{
		search->length++;
		if (!mren_path_step(search))
			return;
		if (search->too_large)
			break;
		mren_path_find(search);
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
	int32 max_hops = mren_graph_bounded(fcinfo, 3, "max_hops", MREN_PATH_MAX_HOPS);
	int32 max_paths = mren_graph_bounded(fcinfo, 4, "max_paths", MAX_PATHS);
	static const char *const relations[] = {"facts", "entities", "aliases"};
	MrenGraph graph;
	MrenPathSearch search;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return (Datum) 0;
	SPI_connect();
	mren_graph_open(name, false, &graph);
	mren_graph_check_layout(&graph);
	for (int i = 0; i < (int) lengthof(relations); i++)
		mren_graph_check_readable(&graph, relations[i]);
	mren_path_begin(&search, &graph, PG_GETARG_DATUM(1), PG_GETARG_DATUM(2));
	find_paths(&search, max_hops, max_paths, (ReturnSetInfo *) fcinfo->resultinfo);
	SPI_finish();
	return (Datum) 0;
}
