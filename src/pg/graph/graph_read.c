/*
 * graph_read.c
 *	  Reading a graph for a caller with SELECT on it, and mren.paths.
 *
 * Paths are searched from both ends at once and joined where they meet, so
 * what is walked grows with half the number of hops.  Each is found in one
 * division only: all its hops but those beyond the first half are the
 * source's.
 *
 * check-qualified: search_path is pinned by mren_graph_run and mren_graph_query.
 */
#include "pg/graph/graph_base.h"

#include "catalog/objectaddress.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/acl.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"

#include "pg/support/args.h"
#include "pg/support/compat.h"

#define MAX_HOPS 8
#define MAX_PATHS 100000

PG_FUNCTION_INFO_V1(mren_paths);

void
mren_graph_check_readable(const MrenGraph *graph, const char *relation)
{
	Oid table = mren_graph_relation(graph, relation);

	if (!DatumGetBool(DirectFunctionCall2(has_schema_privilege_id,
										  ObjectIdGetDatum(get_rel_namespace(table)),
										  CStringGetTextDatum("USAGE"))))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_SCHEMA, NameStr(graph->raw_schema));
	if (pg_class_aclcheck(table, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(get_rel_relkind(table)), relation);
	/* Policies would be those of the owner, to whom they do not apply. */
	if (check_enable_rls(table, GetUserId(), true) == RLS_ENABLED)
		ereport(
			ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("table %s.%s of graph \"%s\" has row-level security policies for role "
					"\"%s\"",
					graph->schema, relation, graph->name, GetUserNameFromId(GetUserId(), false)),
			 errhint("Query the tables of the graph instead.")));
}

void
mren_graph_query(const MrenGraph *graph, const char *sql, int n, const Oid *types,
				 const Datum *values, MrenRowVisitor visit, void *state)
{
	MrenGraphRole role;

	mren_graph_enter(graph, NULL, &role);
	mren_query_run(mren_graph_sql(graph, 1, &sql), n, types, values, visit, state);
	mren_graph_leave(&role);
}

/*
 * $1 source, $2 target, $3 hops from the source, $4 from the target, $5 paths.
 * A name means all entities that it, or what it is an alias of, stands for.
 */
static const char paths[] =
	"WITH RECURSIVE wanted (side, name) AS ("
	"  VALUES ('s', mren.normalize_name($1)), ('t', mren.normalize_name($2))"
	"  UNION SELECT w.side, mren.normalize_name(a.entity) FROM wanted w"
	"  JOIN ${graph}.aliases a ON mren.normalize_name(a.alias) = w.name),"
	" ends AS MATERIALIZED (SELECT DISTINCT w.side, e.entity FROM wanted w, LATERAL ("
	"   SELECT x.entity FROM ${graph}.entities x WHERE x.normalized @> ARRAY[w.name]"
	"   UNION SELECT x.entity FROM ${graph}.entities x"
	"    JOIN ${graph}.aliases a ON mren.normalize_name(a.entity) = w.name AND x.canonical = "
	"w.name) e),"
	" walk (side, at, nodes, facts, hops, confidence) AS ("
	"  SELECT e.side, e.entity, ARRAY[e.entity], '{}'::uuid[], 0, 1::double precision FROM ends e"
	"  UNION ALL"
	"  SELECT w.side, n.entity, w.nodes || n.entity, w.facts || n.fact, w.hops + 1,"
	"   w.confidence * n.confidence"
	"  FROM walk w CROSS JOIN LATERAL ("
	"   SELECT f.tail_entity AS entity, f.fact, f.confidence FROM ${graph}.facts f WHERE "
	"f.head_entity = "
	"w.at"
	"   UNION ALL"
	"   SELECT f.head_entity, f.fact, f.confidence FROM ${graph}.facts f WHERE f.tail_entity = "
	"w.at) n"
	"  WHERE w.hops < CASE w.side WHEN 's' THEN $3 ELSE $4 END AND n.entity <> ALL (w.nodes)),"
	" met AS (SELECT s.hops + t.hops AS hops, s.confidence * t.confidence AS confidence,"
	"   s.nodes[1:s.hops] || (SELECT array_agg(r.x ORDER BY r.n DESC) FROM unnest(t.nodes) WITH "
	"ORDINALITY AS r (x, n)) AS nodes,"
	"   s.facts || COALESCE((SELECT array_agg(r.x ORDER BY r.n DESC)"
	"    FROM unnest(t.facts) WITH ORDINALITY AS r (x, n)), '{}') AS facts"
	"  FROM walk s JOIN walk t ON t.at = s.at AND s.side = 's' AND t.side = 't'"
	"  WHERE s.hops + t.hops > 0 AND (t.hops = 0 OR s.hops = $3)"
	"   AND NOT s.nodes[1:s.hops] && t.nodes),"
	" best AS MATERIALIZED (SELECT * FROM met m ORDER BY m.hops, m.confidence DESC, m.facts LIMIT "
	"$5)"
	" SELECT b.hops, b.confidence, p.path, p.entities, p.relations, b.facts FROM best b"
	" CROSS JOIN LATERAL (SELECT"
	"   (SELECT e.name FROM ${graph}.entities e WHERE e.entity = b.nodes[1]) || string_agg("
	"    CASE WHEN f.head_entity = b.nodes[i.n] THEN ' -[' || f.relation || ']-> ' || f.tail"
	"     ELSE ' <-[' || f.relation || ']- ' || f.head END, '' ORDER BY i.n) AS path,"
	"   (SELECT array_agg(e.name ORDER BY k.n) FROM unnest(b.nodes) WITH ORDINALITY AS k (x, n)"
	"    JOIN ${graph}.entities e ON e.entity = k.x) AS entities,"
	"   array_agg(f.relation ORDER BY i.n) AS relations"
	"  FROM unnest(b.facts) WITH ORDINALITY AS i (fact, n) JOIN ${graph}.facts f ON f.fact = "
	"i.fact) p"
	" ORDER BY b.hops, b.confidence DESC, b.facts";

static void
put_slot(void *state, TupleTableSlot *slot)
{
	ReturnSetInfo *rsinfo = state;

	tuplestore_puttupleslot(rsinfo->setResult, slot);
}

static int32
bounded(FunctionCallInfo fcinfo, int arg, const char *name, int32 most)
{
	int32 value;

	mren_arg_required(fcinfo, arg, name);
	value = PG_GETARG_INT32(arg);
	if (value < 1 || value > most)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s must be between 1 and %d, not %d", name, most, value)));
	return value;
}

/* mren.paths(graph, source, target, max_hops, max_paths) */
Datum
mren_paths(PG_FUNCTION_ARGS)
{
	char *name = mren_arg_text(fcinfo, 0, "graph");
	int32 max_hops = bounded(fcinfo, 3, "max_hops", MAX_HOPS);
	Oid types[] = {TEXTOID, TEXTOID, INT4OID, INT4OID, INT8OID};
	static const char *const relations[] = {"facts", "entities", "aliases"};
	Datum values[lengthof(types)];
	MrenGraph graph;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return (Datum) 0;
	values[0] = PG_GETARG_DATUM(1);
	values[1] = PG_GETARG_DATUM(2);
	values[2] = Int32GetDatum((max_hops + 1) / 2);
	values[3] = Int32GetDatum(max_hops / 2);
	values[4] = Int64GetDatum(bounded(fcinfo, 4, "max_paths", MAX_PATHS));
	SPI_connect();
	mren_graph_open(name, false, &graph);
	mren_graph_check_layout(&graph);
	for (int i = 0; i < (int) lengthof(relations); i++)
		mren_graph_check_readable(&graph, relations[i]);
	mren_graph_query(&graph, paths, lengthof(types), types, values, put_slot, fcinfo->resultinfo);
	SPI_finish();
	return (Datum) 0;
}
