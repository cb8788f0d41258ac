/*
 * graph_links.c
 *	  mren.link_entities: which entries of an authority file entities are.
 *
 * The authority query runs as the caller and is passed as arrays, a row for each
 * name and alias, to one statement, which runs as the graph's owner.  A name or
 * an alias that only one key has, with a type that fits, makes a link at once;
 * all else is a proposal.  Names are compared only if they share a word or the
 * beginning of one, that no more than MAX_BLOCK names of the authority have.
 *
 * What the analyst decided stays as it is; the rest is made anew.  The view
 * linked_entities shows what holds, so a verdict needs no merge.  Entities of one
 * key become merge candidates.
 *
 * check-qualified: search_path is pinned by mren_graph_run.
 */
#include "pg/graph/graph_base.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

#include "pg/model/models.h"
#include "pg/support/args.h"
#include "pg/support/json_options.h"

PG_FUNCTION_INFO_V1(mren_link_entities);

#define MAX_BLOCK 100

/* key, form (the name or an alias), name and type of each form. */
#define N_ARRAYS 4

typedef struct Authority
{
	MemoryContext context;
	Datum arrays[N_ARRAYS]; /* text[]; 0 for a query without rows */
	int64 incomplete;		/* rows whose key is null or empty, or whose name is null */
} Authority;

typedef struct Options
{
	double min_score;
	int32 max_candidates;
	bool merge;
} Options;

/*
 * $1 to $4: the arrays; $5: the largest block; $6: the lowest score; $7: how many
 * proposals at most.  same: entities of an entry's very name; known: of how many
 * keys, by types that fit.
 */
static const char entries[] =
	"WITH form AS MATERIALIZED (SELECT DISTINCT mren.normalize_name(u.form) COLLATE \"C\" AS name,"
	"   u.key, u.name AS authority_name, COALESCE(mren.normalize_name(u.type), '') AS kind"
	"  FROM unnest($1, $2, $3, $4) AS u (key, form, name, type)),"
	" entity AS MATERIALIZED (SELECT e.canonical AS name, e.type,"
	"   mren.normalize_name(e.type) AS kind FROM ${graph}.entities e WHERE e.canonical <> ''),"
	" same AS MATERIALIZED (SELECT e.name, e.type, f.key, min(f.authority_name COLLATE \"C\") AS"
	"   authority_name, bool_or('' IN (f.kind, e.kind) OR f.kind = e.kind) AS fits"
	"  FROM entity e JOIN form f ON f.name = e.name GROUP BY 1, 2, 3),"
	" known AS MATERIALIZED (SELECT s.name, s.type, count(*) AS keys FROM same s WHERE s.fits"
	"  GROUP BY 1, 2)";

/* near: entities without an entry of their name, with the names most like theirs. */
static const char near[] =
	", form_block AS MATERIALIZED (SELECT DISTINCT f.name, b.block FROM form f,"
	"   unnest(string_to_array(f.name, ' ')) AS w (w),"
	"   LATERAL (VALUES ('w' || w.w), ('p' || left(w.w, 4))) AS b (block) WHERE length(w.w) > 2),"
	" small AS MATERIALIZED (SELECT b.block FROM form_block b GROUP BY b.block"
	"  HAVING count(*) <= $5),"
	" entity_block AS MATERIALIZED (SELECT DISTINCT e.name, b.block FROM entity e,"
	"   unnest(string_to_array(e.name, ' ')) AS w (w),"
	"   LATERAL (VALUES ('w' || w.w), ('p' || left(w.w, 4))) AS b (block) WHERE length(w.w) > 2),"
	" pair AS MATERIALIZED (SELECT DISTINCT e.name, f.name AS other FROM entity_block e"
	"  JOIN small s ON s.block = e.block JOIN form_block f ON f.block = e.block"
	"  WHERE f.name <> e.name),"
	" alike AS MATERIALIZED (SELECT p.name, p.other,"
	"   ${trgm}.similarity(p.name, p.other)::float8 AS similar FROM pair p),"
	" near AS (SELECT e.name, e.type, f.key, min(f.authority_name COLLATE \"C\") AS authority_name,"
	"   bool_or(x.fits) AS fits, max(a.similar) AS similar,"
	"   max(a.similar * CASE WHEN x.fits THEN 1 ELSE 0.7 END) AS score"
	"  FROM alike a JOIN entity e ON e.name = a.name JOIN form f ON f.name = a.other"
	"  CROSS JOIN LATERAL (SELECT '' IN (f.kind, e.kind) OR f.kind = e.kind AS fits) x"
	"  LEFT JOIN known k ON k.name = e.name AND k.type = e.type"
	"  LEFT JOIN same s ON s.name = e.name AND s.type = e.type AND s.key = f.key"
	"  WHERE a.similar >= $6 AND k.name IS NULL AND s.name IS NULL GROUP BY 1, 2, 3)";

static const char no_near[] =
	", near AS (SELECT s.*, 0::float8 AS similar, 0::float8 AS score FROM same s"
	"  WHERE $5 < 0 AND $6 < 0)";

static const char links[] =
	", found AS (SELECT s.name, s.type, s.key, s.authority_name, s.fits AND k.keys = 1 AS linked,"
	"   CASE WHEN s.fits THEN 1 ELSE 0.7 END AS score, '{same name}'::text[]"
	"    || CASE WHEN NOT s.fits THEN '{different types}'::text[]"
	"     WHEN k.keys > 1 THEN ARRAY[format('%s keys of this name', k.keys)] ELSE '{}' END"
	"    AS reasons"
	"   FROM same s LEFT JOIN known k ON k.name = s.name AND k.type = s.type"
	"  UNION ALL SELECT n.name, n.type, n.key, n.authority_name, false, n.score,"
	"   ARRAY[format('names %s %% alike', round((100 * n.similar)::numeric))]"
	"    || CASE WHEN NOT n.fits THEN '{different types}'::text[] ELSE '{}' END FROM near n),"
	" ranked AS (SELECT f.*, row_number() OVER (PARTITION BY f.linked"
	"   ORDER BY f.score DESC, f.name, f.type, f.key COLLATE \"C\") AS rank FROM found f"
	"  WHERE (f.linked OR f.score >= $6) AND NOT EXISTS (SELECT FROM ${graph}.link_candidates d"
	"   WHERE d.name = f.name AND d.type = f.type AND d.key = f.key)),"
	" made AS (INSERT INTO ${graph}.link_candidates"
	"   (name, type, key, authority_name, linked, score, reasons)"
	"  SELECT r.name, r.type, r.key, r.authority_name, r.linked, r.score, r.reasons FROM ranked r"
	"  WHERE r.linked OR r.rank <= $7 ON CONFLICT DO NOTHING RETURNING linked)"
	" SELECT jsonb_build_object('linked', count(*) FILTER (WHERE m.linked),"
	"  'proposed', count(*) FILTER (WHERE NOT m.linked)) FROM made m";

/*
 * The authority query
 */

static const char authority_rows[] =
	"SELECT pg_catalog.array_agg(f.key), pg_catalog.array_agg(f.form),"
	" pg_catalog.array_agg(f.name),"
	" pg_catalog.array_agg(f.type), pg_catalog.count(*) FILTER (WHERE f.key IS NULL"
	"  OR pg_catalog.btrim(f.key) OPERATOR(pg_catalog.=) '' OR f.name IS NULL)"
	" FROM (SELECT q.key::pg_catalog.text AS key, q.name::pg_catalog.text AS name,"
	"  ${type}::pg_catalog.text AS type, pg_catalog.unnest(pg_catalog.array_prepend("
	"   q.name::pg_catalog.text, ${aliases}::pg_catalog.text[])) AS form"
	"  FROM ${query} AS q) AS f";

static void
check_columns(TupleDesc desc)
{
	AttrNumber aliases = mren_query_find(desc, "aliases");

	if (mren_query_find(desc, "key") == 0)
		mren_query_lacks(desc, "key");
	if (mren_query_find(desc, "name") == 0)
		mren_query_lacks(desc, "name");
	if (aliases != 0 &&
		get_element_type(getBaseType(TupleDescAttr(desc, aliases - 1)->atttypid)) == InvalidOid)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("column \"aliases\" of the authority query is of type %s",
							   format_type_be(TupleDescAttr(desc, aliases - 1)->atttypid)),
						errhint("It must be an array of names, text[].")));
}

static void
keep_arrays(void *state, TupleTableSlot *slot)
{
	Authority *authority = state;
	MemoryContext old = MemoryContextSwitchTo(authority->context);
	bool isnull;

	for (int i = 0; i < N_ARRAYS; i++)
	{
		Datum array = slot_getattr(slot, i + 1, &isnull);

		authority->arrays[i] = isnull ? 0 : PointerGetDatum(PG_DETOAST_DATUM_COPY(array));
	}
	authority->incomplete = DatumGetInt64(slot_getattr(slot, N_ARRAYS + 1, &isnull));
	MemoryContextSwitchTo(old);
}

static void
read_authority(const char *query, Authority *authority)
{
	const char *text = mren_query_text(query);
	TupleDesc desc = mren_query_describe(text);
	StringInfoData sql;

	check_columns(desc);
	initStringInfo(&sql);
	mren_sql_add(&sql, authority_rows,
				 MREN_SQL_ARGS(mren_sql_query("query", text),
							   mren_sql_fragment("type", mren_query_find(desc, "type") != 0
															 ? MREN_SQL_TEXT("q.type")
															 : MREN_SQL_TEXT("NULL")),
							   mren_sql_fragment("aliases", mren_query_find(desc, "aliases") != 0
																? MREN_SQL_TEXT("q.aliases")
																: MREN_SQL_TEXT("NULL"))));
	mren_query_run(sql.data, 0, NULL, NULL, keep_arrays, authority);
	if (authority->incomplete > 0)
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("the authority query has names without a key or keys without a "
							   "name: %lld",
							   (long long) authority->incomplete),
						errhint("Leave them out with WHERE.")));
}

/*
 * Options
 */

static void
read_option(void *state, const char *key, const JsonbValue *value)
{
	Options *options = state;

	JsonbValue number = *value;

	if (strcmp(key, "min_score") == 0)
		options->min_score = mren_graph_option_number(key, &number, 0, 1, "a number from 0 to 1");
	else if (strcmp(key, "max_candidates") == 0)
		options->max_candidates = mren_graph_option_integer(key, &number, 0, PG_INT32_MAX);
	else if (strcmp(key, "merge") == 0)
		options->merge = mren_json_option_bool(key, value, options->merge);
	else
		mren_json_option_unknown(key, "min_score, max_candidates, merge");
}

/*
 * Linking
 */

static char *
link_sql(const MrenGraph *graph)
{
	char *trgm = mren_graph_extension_schema("pg_trgm");
	StringInfoData sql;

	initStringInfo(&sql);
	mren_sql_add(&sql, entries, MREN_SQL_ARGS(mren_graph_arg(graph)));
	if (trgm != NULL)
		mren_sql_add(&sql, near, MREN_SQL_ARGS(mren_sql_name("trgm", trgm)));
	else
		mren_sql_add(&sql, no_near, 0, NULL);
	mren_sql_add(&sql, links, MREN_SQL_ARGS(mren_graph_arg(graph)));
	return sql.data;
}

/* The summary with the number of pairs of entities that have one key. */
static Datum
with_merges(Datum summary, uint64 merges, MemoryContext caller)
{
	Oid types[] = {JSONBOID, INT8OID};
	Datum values[] = {summary, Int64GetDatum((int64) merges)};
	bool isnull;

	mren_graph_run("SELECT $1 || jsonb_build_object('merges', $2)", lengthof(types), types, values,
				   NULL);
	return mren_graph_result(1, caller, &isnull);
}

static Datum
link_entities(const MrenGraph *graph, const Authority *authority, const Options *options,
			  MemoryContext caller)
{
	Oid types[] = {TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
				   INT8OID,		 FLOAT8OID,	   INT8OID};
	Datum values[lengthof(types)];
	char nulls[lengthof(types) + 1] = "       ";
	MrenGraphRole role;
	bool isnull;
	Datum summary;
	uint64 merges;

	for (int i = 0; i < N_ARRAYS; i++)
	{
		values[i] = authority->arrays[i];
		nulls[i] = values[i] == 0 ? 'n' : ' ';
	}
	values[N_ARRAYS] = Int64GetDatum(MAX_BLOCK);
	values[N_ARRAYS + 1] = Float8GetDatum(options->min_score);
	values[N_ARRAYS + 2] = Int64GetDatum(options->max_candidates);
	mren_graph_enter(graph, NULL, &role);
	mren_graph_run_sql(graph, "DELETE FROM ${graph}.link_candidates k WHERE k.verdict IS NULL", 0,
					   NULL, NULL, NULL);
	/* The planner cannot know how long the arrays are; leaving the role ends this. */
	(void) set_config_option("enable_nestloop", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
							 true, 0, false);
	mren_graph_run(link_sql(graph), lengthof(types), types, values, nulls);
	summary = mren_graph_result(1, CurrentMemoryContext, &isnull);
	mren_graph_drop_proposals(graph, false);
	merges = mren_graph_propose_same_key(graph, options->merge, PG_INT32_MAX);
	summary = with_merges(summary, merges, caller);
	mren_graph_leave(&role);
	return summary;
}

/* mren.link_entities(graph, authority, options) → jsonb */
Datum
mren_link_entities(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	char *name = mren_arg_text(fcinfo, 0, "graph");
	char *query = mren_arg_query(fcinfo, 1, "authority");
	Options options = {.min_score = 0.6, .max_candidates = 1000};
	Authority authority = {.context = CurrentMemoryContext};
	MrenGraph graph;
	Datum summary;

	mren_json_options_read(PG_ARGISNULL(2) ? NULL : PG_GETARG_JSONB_P(2), read_option, &options);
	mren_models_begin("mren.link_entities()");
	mren_graph_open(name, true, &graph);
	mren_graph_check_layout(&graph);
	read_authority(query, &authority);
	summary = link_entities(&graph, &authority, &options, caller);
	mren_models_end();
	PG_RETURN_DATUM(summary);
}
