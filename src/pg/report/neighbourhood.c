/*
 * neighbourhood.c
 *	  mren.draw_neighbourhood, and what it and a page about a graph draw.
 *
 * check-qualified: search_path is pinned by mren_graph_query.
 */
#include "pg/report/neighbourhood.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"

#include "pg/graph/graph_statements.h"
#include "pg/report/page.h"
#include "pg/support/args.h"

PG_FUNCTION_INFO_V1(mren_draw_neighbourhood);

#define OUTER_FACTS 10

/* centre (entity): the one with the most facts; $1 is not used. */
static const char centre_most[] =
	"WITH degree AS (SELECT d.entity, count(*) AS n FROM (SELECT f.head_entity AS entity"
	"   FROM ${graph}.facts f UNION ALL SELECT f.tail_entity FROM ${graph}.facts f) d"
	"  GROUP BY d.entity),"
	" centre AS MATERIALIZED (SELECT d.entity FROM degree d"
	"  JOIN ${graph}.entities e ON e.entity = d.entity WHERE $1 = ''"
	"  ORDER BY d.n DESC, e.canonical COLLATE \"C\", e.type COLLATE \"C\" LIMIT 1),";

/* The same of those that the name $1, or what it is an alias of, stands for. */
/* clang-format off */
static const char centre_named[] =
	MREN_GRAPH_SQL_NAMED("(0, mren.normalize_name($1))") ","
	" centre AS MATERIALIZED (SELECT e.entity FROM named d"
	"  JOIN ${graph}.entities e ON e.entity = d.entity"
	"  ORDER BY (SELECT count(*) FROM ${graph}.facts f"
	"   WHERE f.head_entity = d.entity OR f.tail_entity = d.entity) DESC,"
	"   e.canonical COLLATE \"C\", e.type COLLATE \"C\" LIMIT 1),";
/* clang-format on */

/* $2: facts of the centre, $3: of its neighbours, those between two of them first. */
static const char drawn[] =
	" inner_facts AS MATERIALIZED (SELECT f.* FROM ${graph}.facts f"
	"  WHERE f.head_entity = (SELECT c.entity FROM centre c)"
	"   OR f.tail_entity = (SELECT c.entity FROM centre c)"
	"  ORDER BY f.confidence DESC, f.fact LIMIT $2),"
	" near AS MATERIALIZED (SELECT i.head_entity AS entity FROM inner_facts i"
	"  UNION SELECT i.tail_entity FROM inner_facts i),"
	" outer_facts AS (SELECT f.* FROM (SELECT h.fact FROM near n JOIN ${graph}.facts h"
	"    ON h.head_entity = n.entity UNION SELECT t.fact FROM near n JOIN ${graph}.facts t"
	"    ON t.tail_entity = n.entity EXCEPT SELECT i.fact FROM inner_facts i) x"
	"  JOIN ${graph}.facts f ON f.fact = x.fact"
	"  WHERE (SELECT c.entity FROM centre c) NOT IN (f.head_entity, f.tail_entity)"
	"  ORDER BY f.head_entity IN (SELECT n.entity FROM near n)"
	"   AND f.tail_entity IN (SELECT n.entity FROM near n) DESC, f.confidence DESC, f.fact"
	"    LIMIT $3),"
	" line AS MATERIALIZED (SELECT 0 AS part, i.* FROM inner_facts i"
	"  UNION ALL SELECT 1, o.* FROM outer_facts o),"
	" degree_of AS MATERIALIZED (SELECT d.entity, (SELECT count(*) FROM ${graph}.facts f"
	"   WHERE f.head_entity = d.entity OR f.tail_entity = d.entity) AS n"
	"  FROM (SELECT l.head_entity AS entity FROM line l UNION SELECT l.tail_entity FROM line l) d)"
	" SELECT l.head_entity::text, l.head, l.head_type, h.n::text, l.tail_entity::text, l.tail,"
	"  l.tail_type, t.n::text, l.relation, l.confidence::text,"
	"  (l.tail_entity = (SELECT c.entity FROM centre c))::text FROM line l"
	" JOIN degree_of h ON h.entity = l.head_entity JOIN degree_of t ON t.entity = l.tail_entity"
	" ORDER BY l.part, l.confidence DESC, l.fact";

/* Types beyond the colours share the last one. */
static int
color_of(MrenNeighbourhood *neighbourhood, const char *type)
{
	for (int i = 0; i < neighbourhood->n_types; i++)
	{
		if (strcmp(neighbourhood->types[i], type != NULL ? type : "") == 0)
			return i + 1;
	}
	if (neighbourhood->n_types == MREN_DRAWING_COLORS - 1)
		return MREN_DRAWING_COLORS;
	neighbourhood->types[neighbourhood->n_types++] = type != NULL ? type : "";
	return neighbourhood->n_types;
}

/* The node of the entity in four columns from the first one on; -1 if there is no room. */
static int
node_of(MrenNeighbourhood *neighbourhood, TupleTableSlot *slot, int first)
{
	MrenDrawing *drawing = &neighbourhood->drawing;
	const char *id = mren_query_string(slot, first);

	for (int i = 0; i < drawing->n_nodes; i++)
	{
		if (strcmp(neighbourhood->ids[i], id) == 0)
			return i;
	}
	if (drawing->n_nodes == MREN_DRAWING_NODES)
		return -1;
	neighbourhood->ids[drawing->n_nodes] = id;
	drawing->nodes[drawing->n_nodes] =
		(MrenDrawnNode){.name = mren_query_string(slot, first + 1),
						.color = color_of(neighbourhood, mren_query_string(slot, first + 2)),
						.degree = Max(atoi(mren_query_string(slot, first + 3)), 1)};
	return drawing->n_nodes++;
}

static void
take_fact(void *state, TupleTableSlot *slot)
{
	MrenNeighbourhood *neighbourhood = state;
	MrenDrawing *drawing = &neighbourhood->drawing;
	MemoryContext old = MemoryContextSwitchTo(neighbourhood->context);
	int ends[2] = {-1, -1};
	/* The centre is the first node. */
	int first = drawing->n_nodes == 0 && strcmp(mren_query_string(slot, 11), "true") == 0 ? 1 : 0;

	for (int i = 0; i < 2; i++)
	{
		int end = i == 0 ? first : 1 - first;

		ends[end] = node_of(neighbourhood, slot, 4 * end + 1);
	}
	if (ends[0] >= 0 && ends[1] >= 0 && drawing->n_edges < MREN_DRAWING_EDGES)
		drawing->edges[drawing->n_edges++] =
			(MrenDrawnEdge){ends[0], ends[1], mren_query_string(slot, 9),
							strtod(mren_query_string(slot, 10), NULL)};
	MemoryContextSwitchTo(old);
}

MrenNeighbourhood *
mren_neighbourhood_read(const MrenGraph *graph, const char *entity, int max_facts)
{
	MrenNeighbourhood *neighbourhood = palloc0(sizeof(MrenNeighbourhood));
	Oid types[] = {TEXTOID, INT8OID, INT8OID};
	Datum values[] = {CStringGetTextDatum(entity != NULL ? entity : ""), Int64GetDatum(max_facts),
					  Int64GetDatum(OUTER_FACTS)};
	StringInfoData sql;

	neighbourhood->context = CurrentMemoryContext;
	initStringInfo(&sql);
	appendStringInfo(&sql, "%s%s", entity != NULL ? centre_named : centre_most, drawn);
	mren_graph_query(graph, sql.data, lengthof(types), types, values, take_fact, neighbourhood);
	/* A statement leaves SPI's context behind, which SPI_finish frees. */
	MemoryContextSwitchTo(neighbourhood->context);
	return neighbourhood;
}

/* mren.draw_neighbourhood(graph, entity, max_facts) → text */
Datum
mren_draw_neighbourhood(PG_FUNCTION_ARGS)
{
	static const char *const read[] = {"facts", "entities", "aliases"};
	char *name = mren_arg_text(fcinfo, 0, "graph");
	int32 max_facts = mren_graph_bounded(fcinfo, 2, "max_facts", MREN_DRAWING_NODES - 1);
	MemoryContext context = CurrentMemoryContext;
	MrenNeighbourhood *neighbourhood;
	MrenGraph graph;
	StringInfoData svg;
	char *entity;

	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	entity = mren_arg_text(fcinfo, 1, "entity");
	SPI_connect();
	mren_graph_open(name, false, &graph);
	mren_graph_check_layout(&graph);
	for (size_t i = 0; i < lengthof(read); i++)
		mren_graph_check_readable(&graph, read[i]);
	MemoryContextSwitchTo(context);
	neighbourhood = mren_neighbourhood_read(&graph, entity, max_facts);
	initStringInfo(&svg);
	if (neighbourhood->drawing.n_nodes > 0)
	{
		neighbourhood->drawing.title = psprintf("The neighbourhood of %s", entity);
		mren_draw_graph(&svg, &neighbourhood->drawing, true);
	}
	else
		mren_graph_notice_unknown(&graph, PG_GETARG_DATUM(1));
	SPI_finish();
	if (neighbourhood->drawing.n_nodes == 0)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text_with_len(svg.data, svg.len));
}
