/*
 * graph_read.c
 *	  Reading a graph for a caller with SELECT on it, names that it does not have,
 *	  and mren.neighbours.
 *
 * check-qualified: search_path is pinned by mren_graph_run and mren_graph_query.
 */
#include "pg/graph/graph_base.h"

#include "access/xact.h"
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

#include "pg/graph/graph_statements.h"
#include "pg/support/args.h"
#include "pg/support/compat.h"
#include "pg/support/nearest_name.h"

PG_FUNCTION_INFO_V1(mren_neighbours);

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

int32
mren_graph_bounded(FunctionCallInfo fcinfo, int arg, const char *name, int32 most)
{
	int32 value;

	mren_arg_required(fcinfo, arg, name);
	value = PG_GETARG_INT32(arg);
	if (value < 1 || value > most)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%s must be between 1 and %d, not %d", name, most, value)));
	return value;
}

/*
 * Names of entities
 */

/* Nearest names in one statement, which may ask for the neighbours of many names. */
#define MAX_SUGGESTIONS 10

typedef struct Unknown
{
	const char *name; /* normalized */
	char *nearest;	  /* the name of an entity, or NULL */
	int distance;
	MemoryContext context;
} Unknown;

static const char is_named[] = MREN_GRAPH_SQL_NAMED(
	"(0, mren.normalize_name($1))") " SELECT mren.normalize_name($1) WHERE NOT EXISTS (SELECT FROM "
									"named)";

static void
take_unknown(void *state, TupleTableSlot *slot)
{
	Unknown *unknown = state;
	MemoryContext old = MemoryContextSwitchTo(unknown->context);

	unknown->name = mren_query_string(slot, 1);
	MemoryContextSwitchTo(old);
}

/* Name, one of its normalized forms, and whether $1 is some of its words; often mentioned first. */
static const char all_names[] =
	"SELECT e.name, n.form, strpos(' ' || n.form || ' ', ' ' || $1 || ' ') > 0"
	" FROM ${graph}.entities e, unnest(e.normalized) AS n (form)"
	" ORDER BY e.mentions DESC, e.name COLLATE \"C\", n.form COLLATE \"C\"";

static void
take_nearest(void *state, TupleTableSlot *slot)
{
	Unknown *unknown = state;
	char *form = mren_query_string(slot, 2);
	bool isnull;
	int distance = DatumGetBool(slot_getattr(slot, 3, &isnull))
					   ? 1
					   : mren_edit_distance(unknown->name, form, unknown->distance);
	MemoryContext old = MemoryContextSwitchTo(unknown->context);

	if (distance < unknown->distance)
	{
		unknown->distance = distance;
		unknown->nearest = mren_query_string(slot, 1);
	}
	MemoryContextSwitchTo(old);
	pfree(form);
}

/* Whether to look for one more nearest name, which reads all names: for a few in a statement. */
static bool
may_suggest(void)
{
	static TimestampTz statement;
	static int n;

	if (statement != GetCurrentStatementStartTimestamp())
		n = 0;
	statement = GetCurrentStatementStartTimestamp();
	return n++ < MAX_SUGGESTIONS;
}

void
mren_graph_notice_unknown(const MrenGraph *graph, Datum name)
{
	Oid types[] = {TEXTOID};
	Unknown unknown = {.context = CurrentMemoryContext};
	Datum values[] = {name};

	if (!message_level_is_interesting(NOTICE))
		return;
	mren_graph_query(graph, is_named, lengthof(types), types, values, take_unknown, &unknown);
	if (unknown.name == NULL)
		return;
	unknown.distance = (int) Min(3, (strlen(unknown.name) + 1) / 2);
	values[0] = CStringGetTextDatum(unknown.name);
	if (may_suggest())
		mren_graph_query(graph, all_names, lengthof(types), types, values, take_nearest, &unknown);
	ereport(
		NOTICE,
		(errmsg("graph \"%s\" has no entity named \"%s\"", graph->name, TextDatumGetCString(name)),
		 unknown.nearest != NULL ? errhint("Perhaps you meant \"%s\".", unknown.nearest) : 0));
}

/*
 * Neighbours
 */

/*
 * $1 entity, $2 relation, $3 whether all relations, $4 facts.  A name means all entities that
 * it, or what it is an alias of, stands for.
 */
static const char neighbours[] =
	MREN_GRAPH_SQL_NAMED("(0, mren.normalize_name($1))") /* named: the entities of that name */
	" SELECT o.name AS neighbour, NULLIF(o.type, '') AS type, n.relation,"
	"  CASE WHEN n.forward THEN 'out' ELSE 'in' END AS direction, n.confidence, n.sources, n.fact"
	" FROM (SELECT true AS forward, f.tail_entity AS other, f.sources, " MREN_GRAPH_SQL_SHOWN
	"  WHERE f.head_entity = ANY (ARRAY(SELECT d.entity FROM named d))"
	"  UNION ALL SELECT false, f.head_entity, f.sources, " MREN_GRAPH_SQL_SHOWN
	"  WHERE f.tail_entity = ANY (ARRAY(SELECT d.entity FROM named d))) n"
	" JOIN ${graph}.entities o ON o.entity = n.other"
	" WHERE $3 OR n.relation = $2"
	" ORDER BY n.confidence DESC, n.sources DESC, n.fact, n.forward DESC LIMIT $4";

/* mren.neighbours(graph, entity, relation, max_facts) */
Datum
mren_neighbours(PG_FUNCTION_ARGS)
{
	char *name = mren_arg_text(fcinfo, 0, "graph");
	int32 max_facts = mren_graph_bounded(fcinfo, 3, "max_facts", PG_INT32_MAX);
	static const char *const relations[] = {"facts", "entities", "aliases"};
	Oid types[] = {TEXTOID, TEXTOID, BOOLOID, INT8OID};
	Datum values[lengthof(types)];
	MrenGraph graph;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(1))
		return (Datum) 0;
	values[0] = PG_GETARG_DATUM(1);
	values[1] = PG_ARGISNULL(2) ? CStringGetTextDatum("") : PG_GETARG_DATUM(2);
	values[2] = BoolGetDatum(PG_ARGISNULL(2));
	values[3] = Int64GetDatum(max_facts);
	SPI_connect();
	mren_graph_open(name, false, &graph);
	mren_graph_check_layout(&graph);
	for (int i = 0; i < (int) lengthof(relations); i++)
		mren_graph_check_readable(&graph, relations[i]);
	mren_graph_query(&graph, neighbours, lengthof(types), types, values, mren_query_put,
					 fcinfo->resultinfo);
	if (tuplestore_tuple_count(((ReturnSetInfo *) fcinfo->resultinfo)->setResult) == 0)
		mren_graph_notice_unknown(&graph, values[0]);
	SPI_finish();
	return (Datum) 0;
}
