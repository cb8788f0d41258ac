/*
 * graph_candidates.c
 *	  mren.propose_merges: pairs of entities that may be one.
 *
 * Entities are compared only within blocks, of those that share a word, the
 * sound of a word, or whose initials are the other's name; a block of more than
 * MAX_BLOCK entities says nothing and is left out, so that the number of pairs
 * grows with that of entities.  pg_trgm compares the names of a pair,
 * fuzzystrmatch, if it is installed, gives the sounds.
 *
 * Entities that are linked to one entry of an authority file are proposed, too,
 * whatever their names are; mren.link_entities proposes only these.
 *
 * What the analyst decided stays as it is; other proposals are made anew.
 *
 * check-qualified: search_path is pinned by mren_graph_run.
 */
#include "pg/graph/graph_base.h"

#include "catalog/namespace.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "pg/model/models.h"
#include "pg/support/args.h"

PG_FUNCTION_INFO_V1(mren_propose_merges);

/* $1: the lowest score, $2: how many proposals at most, $3: the largest block. */
#define MAX_BLOCK 100

static const char blocks[] =
	"WITH entity AS MATERIALIZED (SELECT e.entity, e.canonical AS name, e.type, e.mentions,"
	"   string_to_array(e.canonical, ' ') AS words FROM ${graph}.entities e),"
	" word AS MATERIALIZED (SELECT e.entity, w.w FROM entity e, unnest(e.words) AS w (w)"
	"  WHERE length(w.w) > 2),"
	" initials AS MATERIALIZED (SELECT e.entity,"
	"   string_agg(substr(w.w, 1, 1), '' ORDER BY w.n) AS initials"
	"  FROM entity e, unnest(e.words) WITH ORDINALITY AS w (w, n)"
	"  WHERE w.w <> ALL ('{of,the,and,for,in,de,la,du}') GROUP BY e.entity"
	"  HAVING count(*) > 1),"
	" key AS MATERIALIZED (SELECT w.entity, 'w' || w.w AS key, false AS short FROM word w"
	"  UNION SELECT e.entity, 'i' || regexp_replace(e.name, '[^[:alnum:]]', '', 'g'), true"
	"   FROM entity e WHERE length(e.name) <= 10"
	"  UNION SELECT i.entity, 'i' || i.initials, false FROM initials i";

static const char sounds[] =
	"  UNION SELECT w.entity, 's' || ${fuzzy}.dmetaphone(w.w), false FROM word w"
	"   WHERE w.w ~ '^[a-z]{4,}$'";

static const char pairs[] =
	"),"
	" block AS (SELECT k.key FROM key k GROUP BY k.key HAVING count(*) BETWEEN 2 AND $3),"
	" pair AS MATERIALIZED (SELECT a.entity AS a, b.entity AS b,"
	"   bool_or(k.key LIKE 's%') AS sounds, bool_or(a.short <> b.short) AS initials"
	"  FROM block k JOIN key a ON a.key = k.key JOIN key b ON b.key = k.key AND b.entity > a.entity"
	"  GROUP BY 1, 2),"
	" neighbour AS MATERIALIZED (SELECT DISTINCT f.head AS entity, f.relation || '>' AS relation,"
	"   f.tail AS other FROM ${graph}.all_facts f WHERE f.status = 'accepted'"
	"  UNION SELECT f.tail, '<' || f.relation, f.head FROM ${graph}.all_facts f"
	"   WHERE f.status = 'accepted'),"
	" shared AS (SELECT p.a, p.b, count(*) AS n FROM pair p JOIN neighbour x ON x.entity = p.a"
	"  JOIN neighbour y ON y.entity = p.b AND y.relation = x.relation AND y.other = x.other"
	"  GROUP BY 1, 2),"
	" compared AS MATERIALIZED (SELECT x.name, x.type, x.mentions, y.name AS other_name,"
	"   y.type AS other_type, y.mentions AS other_mentions,"
	"   ${trgm}.similarity(x.name, y.name)::float8 AS similar, p.sounds, p.initials,"
	"   x.words <@ y.words OR y.words <@ x.words AS part, COALESCE(s.n, 0) AS shared,"
	"   cardinality(x.words) = cardinality(y.words) AND x.words && y.words AND x.name <> y.name"
	"    AND (SELECT bool_and(w.a = w.b OR starts_with(w.b, rtrim(w.a, '.'))"
	"      AND length(rtrim(w.a, '.')) = 1 OR starts_with(w.a, rtrim(w.b, '.'))"
	"      AND length(rtrim(w.b, '.')) = 1) FROM unnest(x.words, y.words) AS w (a, b))"
	"    AS abbreviated"
	"  FROM pair p JOIN entity x ON x.entity = p.a JOIN entity y ON y.entity = p.b"
	"  LEFT JOIN shared s ON s.a = p.a AND s.b = p.b),"
	" scored AS (SELECT c.*,"
	"   LEAST(1, GREATEST(c.similar, CASE WHEN c.initials THEN 0.7 ELSE 0 END,"
	"     CASE WHEN c.part OR c.abbreviated THEN 0.6 ELSE 0 END,"
	"     CASE WHEN c.sounds THEN 0.5 ELSE 0 END)"
	"    + 0.2 * c.shared / (c.shared + 1.0))"
	"   * CASE WHEN c.type = c.other_type THEN 1 ELSE 0.7 END AS score,"
	"   (c.mentions, c.other_name, c.other_type) < (c.other_mentions, c.name, c.type) AS turned"
	"  FROM compared c),"
	" proposal AS MATERIALIZED (SELECT"
	"   CASE WHEN s.turned THEN s.other_name ELSE s.name END AS name,"
	"   CASE WHEN s.turned THEN s.other_type ELSE s.type END AS type,"
	"   CASE WHEN s.turned THEN s.name ELSE s.other_name END AS other_name,"
	"   CASE WHEN s.turned THEN s.type ELSE s.other_type END AS other_type, s.score,"
	"   ARRAY[format('names %s %% alike', round((100 * s.similar)::numeric))]"
	"    || CASE WHEN s.initials THEN '{initials}'::text[] ELSE '{}' END"
	"    || CASE WHEN s.abbreviated THEN '{abbreviated}'::text[] ELSE '{}' END"
	"    || CASE WHEN s.part THEN '{part of the other name}'::text[] ELSE '{}' END"
	"    || CASE WHEN s.sounds THEN '{sound alike}'::text[] ELSE '{}' END"
	"    || CASE WHEN s.shared > 0 THEN ARRAY[format('%s shared facts', s.shared)] ELSE '{}' END"
	"    || CASE WHEN s.type <> s.other_type THEN '{different types}'::text[] ELSE '{}' END"
	"    AS reasons"
	"  FROM scored s WHERE s.score >= $1 AND NOT EXISTS ("
	"   SELECT FROM ${graph}.merge_candidates k WHERE k.verdict IS NOT NULL"
	"    AND ((k.name, k.type, k.other_name, k.other_type)"
	"     = (s.name, s.type, s.other_name, s.other_type)"
	"    OR (k.other_name, k.other_type, k.name, k.type)"
	"     = (s.name, s.type, s.other_name, s.other_type)))"
	"  ORDER BY s.score DESC, 1, 2, 3, 4 LIMIT $2)"
	" INSERT INTO ${graph}.merge_candidates AS k (name, type, other_name, other_type, score,"
	"  reasons)"
	" SELECT p.name, p.type, p.other_name, p.other_type, p.score, p.reasons FROM proposal p"
	" ON CONFLICT (name, type, other_name, other_type)"
	" DO UPDATE SET reasons = k.reasons || excluded.reasons WHERE k.verdict IS NULL";

/*
 * $1: whether they are accepted at once, $2: how many at most.  What is accepted is transitive, so
 * an entity that is refused with another one of its key is proposed only, whichever it is joined
 * with: refused has its number within the key.
 */
static const char same_key[] =
	"WITH linked AS MATERIALIZED (SELECT e.canonical AS name, e.type, e.normalized, l.key,"
	"   row_number() OVER (PARTITION BY l.key ORDER BY e.mentions DESC, e.canonical,"
	"    e.type COLLATE \"C\") AS rank"
	"  FROM ${graph}.entities e JOIN ${graph}.linked_entities l ON l.entity = e.entity"
	"  WHERE l.key IS NOT NULL),"
	" form AS MATERIALIZED (SELECT l.key, l.rank, f.form COLLATE \"C\" AS form FROM linked l,"
	"   unnest(l.name || l.normalized) AS f (form)),"
	" refused AS MATERIALIZED (SELECT x.key, u.rank FROM ${graph}.merge_candidates k"
	"  JOIN form x ON x.form = k.name JOIN form y ON y.form = k.other_name AND y.key = x.key"
	"   AND y.rank <> x.rank, unnest(ARRAY[x.rank, y.rank]) AS u (rank)"
	"  WHERE k.verdict = 'refused')"
	" INSERT INTO ${graph}.merge_candidates (name, type, other_name, other_type, score, reasons,"
	"  verdict)"
	" SELECT a.name, a.type, b.name, b.type, 1, ARRAY['same key ' || a.key]"
	"   || CASE WHEN a.type <> b.type THEN '{different types}'::text[] ELSE '{}' END,"
	"  CASE WHEN $1 AND NOT EXISTS (SELECT FROM refused r WHERE r.key = b.key AND r.rank = b.rank)"
	"   THEN 'accepted' END FROM linked a JOIN linked b ON b.key = a.key"
	" WHERE a.rank = 1 AND b.rank > 1 AND NOT EXISTS (SELECT FROM ${graph}.merge_candidates k"
	"  WHERE (k.name, k.type, k.other_name, k.other_type) = (a.name, a.type, b.name, b.type)"
	"   OR (k.other_name, k.other_type, k.name, k.type) = (a.name, a.type, b.name, b.type))"
	" ORDER BY a.key COLLATE \"C\", b.rank LIMIT $2 ON CONFLICT DO NOTHING";

void
mren_graph_drop_proposals(const MrenGraph *graph, bool all)
{
	Oid types[] = {BOOLOID};
	Datum values[] = {BoolGetDatum(all)};

	mren_graph_run_sql(graph,
					   "DELETE FROM ${graph}.merge_candidates k WHERE k.verdict IS NULL"
					   " AND ($1 OR EXISTS (SELECT FROM unnest(k.reasons) AS r (reason)"
					   "  WHERE starts_with(r.reason, 'same key ')))",
					   lengthof(types), types, values, NULL);
}

uint64
mren_graph_propose_same_key(const MrenGraph *graph, bool accept, int64 most)
{
	Oid types[] = {BOOLOID, INT8OID};
	Datum values[] = {BoolGetDatum(accept), Int64GetDatum(most)};

	return mren_graph_run_sql(graph, same_key, lengthof(types), types, values, NULL);
}

char *
mren_graph_extension_schema(const char *extension)
{
	Oid types[] = {NAMEOID};
	NameData name;
	Datum values[] = {NameGetDatum(&name)};
	bool isnull;
	uint64 found;
	char *schema = NULL;

	namestrcpy(&name, extension);
	found = mren_graph_run(
		"SELECT n.nspname::text FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace"
		" WHERE e.extname = $1",
		1, types, values, NULL);
	if (found > 0)
		schema = TextDatumGetCString(mren_graph_result(1, CurrentMemoryContext, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return schema;
}

static char *
proposal_sql(const MrenGraph *graph)
{
	char *trgm = mren_graph_extension_schema("pg_trgm");
	char *fuzzy = mren_graph_extension_schema("fuzzystrmatch");
	StringInfoData sql;
	MrenSqlArg args[] = {mren_graph_arg(graph), mren_sql_name("trgm", trgm != NULL ? trgm : "")};

	if (trgm == NULL)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("extension \"pg_trgm\" is not installed"),
						errdetail("mren.propose_merges() compares names by their trigrams."),
						errhint("CREATE EXTENSION pg_trgm; it is part of PostgreSQL's contrib.")));
	initStringInfo(&sql);
	mren_sql_add(&sql, blocks, 1, args);
	if (fuzzy != NULL)
		mren_sql_add(&sql, sounds, 1, &(MrenSqlArg){"fuzzy", MREN_SQL_NAME, fuzzy});
	mren_sql_add(&sql, pairs, 2, args);
	return sql.data;
}

/* mren.propose_merges(graph, min_score, max_candidates) → bigint */
Datum
mren_propose_merges(PG_FUNCTION_ARGS)
{
	char *name = mren_arg_text(fcinfo, 0, "graph");
	int32 most = mren_graph_bounded(fcinfo, 2, "max_candidates", PG_INT32_MAX);
	Oid types[] = {FLOAT8OID, INT8OID, INT8OID};
	Datum values[lengthof(types)];
	double score;
	MrenGraphRole role;
	MrenGraph graph;
	uint64 n;

	mren_arg_required(fcinfo, 1, "min_score");
	score = PG_GETARG_FLOAT8(1);
	if (!(score >= 0 && score <= 1))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("min_score must be between 0 and 1, not %g", score)));
	mren_models_begin("mren.propose_merges()");
	mren_graph_open(name, true, &graph);
	mren_graph_check_layout(&graph);
	mren_graph_enter(&graph, NULL, &role);
	mren_graph_drop_proposals(&graph, true);
	values[0] = Float8GetDatum(score);
	values[1] = Int64GetDatum(most - mren_graph_propose_same_key(&graph, false, most));
	values[2] = Int64GetDatum(MAX_BLOCK);
	mren_graph_run(proposal_sql(&graph), lengthof(types), types, values, NULL);
	n = mren_graph_run_sql(&graph,
						   "SELECT FROM ${graph}.merge_candidates k WHERE k.verdict IS NULL", 0,
						   NULL, NULL, NULL);
	mren_graph_leave(&role);
	mren_models_end();
	PG_RETURN_INT64((int64) n);
}
