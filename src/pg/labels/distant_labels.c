/*
 * distant_labels.c
 *	  mren.distant_labels: pairs of mentions labelled by known facts.
 *
 * One statement: names of facts, pairs and aliases in the form in which graphs
 * compare names, aliases followed to their end, facts joined with pairs.  It runs as the
 * caller with the caller's search_path, so that everything of ours in it is
 * qualified.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

#include "pg/support/args.h"
#include "pg/support/compat.h"
#include "pg/support/json_options.h"
#include "pg/support/query.h"
#include "pg/support/sql_builder.h"

PG_FUNCTION_INFO_V1(mren_distant_labels);

/* False negatives are what harms: a register does not know all facts. */
#define NEGATIVE_WEIGHT 0.1

static const char known[] = "aliases, negative, negative_weight, symmetric";

typedef struct DistantOptions
{
	char *aliases;	/* a query; NULL: none */
	char *negative; /* NULL: pairs without a fact are left out */
	double negative_weight;
	Datum symmetric; /* text[] of relations */
} DistantOptions;

/* What a query of names has. */
typedef struct NamedQuery
{
	const char *query;
	bool head_type;
	bool tail_type;
	bool ranges;
} NamedQuery;

/*
 * Names as facts and pairs give them; '' is no type.  The queries of the user see the names of
 * these three expressions, which therefore are names that nobody uses, but not those of the
 * expressions in the subquery below.
 */
static const char facts_sql[] =
	"WITH \"mren.fact\" AS MATERIALIZED ("
	" SELECT DISTINCT mren.normalize_name(f.head::pg_catalog.text) COLLATE pg_catalog.\"C\" AS "
	"head,"
	"  ${head_type} COLLATE pg_catalog.\"C\" AS head_type, f.relation::pg_catalog.text COLLATE "
	"pg_catalog.\"C\" AS relation,"
	"  mren.normalize_name(f.tail::pg_catalog.text) COLLATE pg_catalog.\"C\" AS tail, ${tail_type} "
	"COLLATE pg_catalog.\"C\" AS tail_type"
	" FROM ${facts} f"
	" WHERE f.head IS NOT NULL AND f.tail IS NOT NULL AND f.relation IS NOT NULL),";
static const char pairs_sql[] =
	" \"mren.pair\" AS MATERIALIZED ("
	" SELECT f.id::pg_catalog.text COLLATE pg_catalog.\"C\" AS id, mren.normalize_name(${head}) "
	"COLLATE pg_catalog.\"C\" AS head,"
	"  ${head_type} COLLATE pg_catalog.\"C\" AS head_type, mren.normalize_name(${tail}) COLLATE "
	"pg_catalog.\"C\" AS tail, ${tail_type} COLLATE pg_catalog.\"C\" AS tail_type"
	" FROM ${pairs} f WHERE f.head IS NOT NULL AND f.tail IS NOT NULL),";
static const char no_rules_sql[] =
	" \"mren.rule\" (name, type, target) AS (SELECT NULL::pg_catalog.text COLLATE "
	"pg_catalog.\"C\", NULL::pg_catalog.text COLLATE pg_catalog.\"C\","
	"  NULL::pg_catalog.text COLLATE pg_catalog.\"C\" WHERE false)";
static const char rules_sql[] =
	" \"mren.rule\" AS MATERIALIZED (SELECT DISTINCT ON (r.name, r.type) r.name, r.type, r.target "
	"FROM ("
	"  SELECT mren.normalize_name(a.alias::pg_catalog.text) COLLATE pg_catalog.\"C\" AS name, "
	"${type} COLLATE pg_catalog.\"C\" AS type,"
	"   mren.normalize_name(a.name::pg_catalog.text) COLLATE pg_catalog.\"C\" AS target FROM "
	"${aliases} a"
	"  WHERE a.alias IS NOT NULL AND a.name IS NOT NULL) r"
	" ORDER BY r.name, r.type, r.target)";

/*
 * walk: all names met on the way to the end of a chain of aliases, of which one
 * for the very type comes before one for any.
 */
static const char match_sql[] =
	" SELECT d.id, d.relation, d.weight FROM (WITH RECURSIVE name AS (SELECT f.head AS name, "
	"f.head_type AS type FROM \"mren.fact\" f"
	"  UNION SELECT f.tail, f.tail_type FROM \"mren.fact\" f"
	"  UNION SELECT p.head, p.head_type FROM \"mren.pair\" p UNION SELECT p.tail, p.tail_type FROM "
	"\"mren.pair\" p),"
	" walk (name, type) AS (SELECT n.name, n.type FROM name n"
	"  UNION SELECT COALESCE(t.target, u.target), w.type FROM walk w"
	"  LEFT JOIN \"mren.rule\" t ON t.name OPERATOR(pg_catalog.=) w.name"
	"   AND t.type OPERATOR(pg_catalog.=) w.type"
	"  LEFT JOIN \"mren.rule\" u ON u.name OPERATOR(pg_catalog.=) w.name"
	"   AND u.type OPERATOR(pg_catalog.=) ''::pg_catalog.text"
	"  WHERE COALESCE(t.target, u.target) IS NOT NULL),"
	" step AS MATERIALIZED (SELECT pg_catalog.array_agg(s.key) AS keys,"
	"   pg_catalog.array_agg(s.next) AS nexts"
	"  FROM (SELECT pg_catalog.jsonb_build_array(w.type, w.name)::pg_catalog.text AS key,"
	"    pg_catalog.jsonb_build_array(w.type, COALESCE(t.target, u.target))::pg_catalog.text AS "
	"next"
	"   FROM walk w LEFT JOIN \"mren.rule\" t ON t.name OPERATOR(pg_catalog.=) w.name"
	"    AND t.type OPERATOR(pg_catalog.=) w.type"
	"   LEFT JOIN \"mren.rule\" u ON u.name OPERATOR(pg_catalog.=) w.name"
	"    AND u.type OPERATOR(pg_catalog.=) ''::pg_catalog.text"
	"   WHERE COALESCE(t.target, u.target) IS NOT NULL) s),"
	" last AS MATERIALIZED (SELECT l.key, l.last FROM step s CROSS JOIN LATERAL ROWS FROM ("
	"  pg_catalog.unnest(s.keys), pg_catalog.unnest(mren.follow_links(s.keys, s.nexts)))"
	"  AS l (key, last)),"
	" entity AS MATERIALIZED (SELECT n.name, n.type, COALESCE((l.last::pg_catalog.jsonb"
	"   OPERATOR(pg_catalog.->>) 1), n.name) AS entity FROM name n LEFT JOIN last l"
	"  ON l.key OPERATOR(pg_catalog.=)"
	"   pg_catalog.jsonb_build_array(n.type, n.name)::pg_catalog.text),"
	" known AS MATERIALIZED (SELECT h.entity AS head, f.head_type, f.relation, t.entity AS tail,"
	"   f.tail_type FROM \"mren.fact\" f"
	"  JOIN entity h ON h.name OPERATOR(pg_catalog.=) f.head"
	"   AND h.type OPERATOR(pg_catalog.=) f.head_type"
	"  JOIN entity t ON t.name OPERATOR(pg_catalog.=) f.tail"
	"   AND t.type OPERATOR(pg_catalog.=) f.tail_type),"
	" stated AS MATERIALIZED (SELECT k.* FROM known k UNION"
	"  SELECT k.tail, k.tail_type, k.relation, k.head, k.head_type FROM known k"
	"  WHERE k.relation OPERATOR(pg_catalog.=) ANY ($1)),"
	" asked AS MATERIALIZED (SELECT p.id, h.entity AS head, p.head_type, t.entity AS tail,"
	"   p.tail_type FROM \"mren.pair\" p"
	"  JOIN entity h ON h.name OPERATOR(pg_catalog.=) p.head"
	"   AND h.type OPERATOR(pg_catalog.=) p.head_type"
	"  JOIN entity t ON t.name OPERATOR(pg_catalog.=) p.tail"
	"   AND t.type OPERATOR(pg_catalog.=) p.tail_type),"
	" said AS MATERIALIZED (SELECT DISTINCT a.id, s.relation FROM asked a JOIN stated s"
	"  ON s.head OPERATOR(pg_catalog.=) a.head AND s.tail OPERATOR(pg_catalog.=) a.tail"
	"  AND (s.head_type OPERATOR(pg_catalog.=) a.head_type"
	"   OR s.head_type OPERATOR(pg_catalog.=) ''::pg_catalog.text"
	"   OR a.head_type OPERATOR(pg_catalog.=) ''::pg_catalog.text)"
	"  AND (s.tail_type OPERATOR(pg_catalog.=) a.tail_type"
	"   OR s.tail_type OPERATOR(pg_catalog.=) ''::pg_catalog.text"
	"   OR a.tail_type OPERATOR(pg_catalog.=) ''::pg_catalog.text)),"
	" counted AS (SELECT s.id, s.relation,"
	"   1::pg_catalog.float8 OPERATOR(pg_catalog./) pg_catalog.count(*) OVER (PARTITION BY s.id)"
	"    AS weight FROM said s"
	"  UNION ALL SELECT DISTINCT a.id, $2 COLLATE pg_catalog.\"C\", $3 FROM asked a"
	"   LEFT JOIN said s ON s.id OPERATOR(pg_catalog.=) a.id"
	"  WHERE s.id IS NULL AND $2 OPERATOR(pg_catalog.<>) ''::pg_catalog.text"
	"   AND a.head OPERATOR(pg_catalog.<>) a.tail)"
	" SELECT c.id, c.relation, c.weight FROM counted c) d"
	" ORDER BY d.id, d.relation";

/*
 * Options
 */

static double
read_weight(const JsonbValue *value, double fallback)
{
	double weight = -1;

	if (value->type == jbvNull)
		return fallback;
	if (value->type == jbvNumeric)
		weight = DatumGetFloat8(
			DirectFunctionCall1(numeric_float8, NumericGetDatum(value->val.numeric)));
	if (!(weight > 0 && weight <= 1))
		mren_json_option_invalid("negative_weight", value, "a number above 0 and at most 1");
	return weight;
}

/* The relations that hold in both directions, as a text[]. */
static Datum
symmetric_array(const JsonbValue *value)
{
	ArrayBuildState *array = initArrayResult(TEXTOID, CurrentMemoryContext, false);
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue element;

	if (value->type == jbvNull)
		return makeArrayResult(array, CurrentMemoryContext);
	if (value->type == jbvBinary)
	{
		iterator = JsonbIteratorInit(value->val.binary.data);
		token = JsonbIteratorNext(&iterator, &element, true);
		while (token == WJB_BEGIN_ARRAY || (token == WJB_ELEM && element.type == jbvString))
		{
			if (token == WJB_ELEM)
				array = accumArrayResult(array,
										 PointerGetDatum(cstring_to_text_with_len(
											 element.val.string.val, element.val.string.len)),
										 false, TEXTOID, CurrentMemoryContext);
			token = JsonbIteratorNext(&iterator, &element, true);
		}
		if (token == WJB_END_ARRAY)
			return makeArrayResult(array, CurrentMemoryContext);
	}
	mren_json_option_invalid("symmetric", value, "an array of relations");
}

static void
read_option(void *state, const char *key, const JsonbValue *value)
{
	DistantOptions *options = state;

	if (strcmp(key, "aliases") == 0)
		options->aliases = mren_json_option_name(key, value);
	else if (strcmp(key, "negative") == 0)
		options->negative = mren_json_option_name(key, value);
	else if (strcmp(key, "negative_weight") == 0)
		options->negative_weight = read_weight(value, options->negative_weight);
	else if (strcmp(key, "symmetric") == 0)
		options->symmetric = symmetric_array(value);
	else
		mren_json_option_unknown(key, known);
}

/*
 * The statement
 */

static bool
is_range(TupleDesc desc, const char *name)
{
	return getBaseType(TupleDescAttr(desc, mren_query_find(desc, name) - 1)->atttypid) ==
		   INT4RANGEOID;
}

/* Looks at the columns of a query; an error for one of the needed (n) that is missing. */
static NamedQuery
describe(const char *query, int n, const char *const *needed)
{
	TupleDesc desc = mren_query_describe(query);
	NamedQuery named = {.query = mren_query_text(query)};

	for (int i = 0; i < n; i++)
	{
		if (mren_query_find(desc, needed[i]) == 0)
			mren_query_lacks(desc, needed[i]);
	}
	named.head_type = mren_query_find(desc, "head_type") > 0;
	named.tail_type = mren_query_find(desc, "tail_type") > 0;
	named.ranges = is_range(desc, "head");
	if (named.ranges != is_range(desc, "tail"))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("columns \"head\" and \"tail\" must both be text or both be int4range"),
				 errhint("Specify both mentions as text, or both as ranges of characters.")));
	if (named.ranges && mren_query_find(desc, "sentence") == 0)
		mren_query_lacks(desc, "sentence");
	return named;
}

#define TYPE_OF(column) MREN_SQL_TEXT("COALESCE(f." column "::pg_catalog.text, '')")
#define NO_TYPE MREN_SQL_TEXT("''::pg_catalog.text")
#define NAME_OF(column) MREN_SQL_TEXT("f." column "::pg_catalog.text")
#define NAME_AT(column)                                                                            \
	MREN_SQL_TEXT("pg_catalog.substr(f.sentence::pg_catalog.text,"                                 \
				  " pg_catalog.lower(f." column ") OPERATOR(pg_catalog.+) 1,"                      \
				  " pg_catalog.upper(f." column ") OPERATOR(pg_catalog.-)"                         \
				  " pg_catalog.lower(f." column "))")

static MrenSqlArg
head_type_of(const NamedQuery *named)
{
	return mren_sql_fragment("head_type", named->head_type ? TYPE_OF("head_type") : NO_TYPE);
}

static MrenSqlArg
tail_type_of(const NamedQuery *named)
{
	return mren_sql_fragment("tail_type", named->tail_type ? TYPE_OF("tail_type") : NO_TYPE);
}

static void
add_aliases(StringInfo sql, const char *query)
{
	TupleDesc desc;

	if (query == NULL)
	{
		mren_sql_add(sql, no_rules_sql, 0, NULL);
		return;
	}
	desc = mren_query_describe(query);
	if (mren_query_find(desc, "alias") == 0)
		mren_query_lacks(desc, "alias");
	if (mren_query_find(desc, "name") == 0)
		mren_query_lacks(desc, "name");
	mren_sql_add(
		sql, rules_sql,
		MREN_SQL_ARGS(
			mren_sql_query("aliases", mren_query_text(query)),
			mren_sql_fragment("type", mren_query_find(desc, "type") > 0
										  ? MREN_SQL_TEXT("COALESCE(a.type::pg_catalog.text, '')")
										  : NO_TYPE)));
}

static char *
statement(const char *facts_query, const char *pairs_query, const DistantOptions *options)
{
	static const char *const fact_columns[] = {"head", "relation", "tail"};
	static const char *const pair_columns[] = {"id", "head", "tail"};
	NamedQuery facts = describe(facts_query, lengthof(fact_columns), fact_columns);
	NamedQuery pairs = describe(pairs_query, lengthof(pair_columns), pair_columns);
	StringInfoData sql;

	if (facts.ranges)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("columns \"head\" and \"tail\" of the facts must be names")));
	initStringInfo(&sql);
	mren_sql_add(&sql, facts_sql,
				 MREN_SQL_ARGS(mren_sql_query("facts", facts.query), head_type_of(&facts),
							   tail_type_of(&facts)));
	mren_sql_add(
		&sql, pairs_sql,
		MREN_SQL_ARGS(mren_sql_query("pairs", pairs.query), head_type_of(&pairs),
					  tail_type_of(&pairs),
					  mren_sql_fragment("head", pairs.ranges ? NAME_AT("head") : NAME_OF("head")),
					  mren_sql_fragment("tail", pairs.ranges ? NAME_AT("tail") : NAME_OF("tail"))));
	add_aliases(&sql, options->aliases);
	mren_sql_add(&sql, match_sql, 0, NULL);
	return sql.data;
}

/* mren.distant_labels(facts, pairs, options) → TABLE (id, relation, weight) */
Datum
mren_distant_labels(PG_FUNCTION_ARGS)
{
	static const Oid types[] = {TEXTARRAYOID, TEXTOID, FLOAT8OID};
	char *facts = mren_arg_query(fcinfo, 0, "facts");
	char *pairs = mren_arg_query(fcinfo, 1, "pairs");
	DistantOptions options = {.negative = "no_relation",
							  .negative_weight = NEGATIVE_WEIGHT,
							  .symmetric = PointerGetDatum(construct_empty_array(TEXTOID))};
	Datum values[lengthof(types)];
	int level;

	mren_json_options_read(PG_ARGISNULL(2) ? NULL : PG_GETARG_JSONB_P(2), read_option, &options);
	values[0] = options.symmetric;
	values[1] = CStringGetTextDatum(options.negative != NULL ? options.negative : "");
	values[2] = Float8GetDatum(options.negative_weight);
	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	level = NewGUCNestLevel();
	/*
	 * The planner cannot know how many names the expressions have, and nothing here has an index.
	 */
	(void) set_config_option("enable_nestloop", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
							 true, 0, false);
	mren_query_run(statement(facts, pairs, &options), lengthof(types), types, values,
				   mren_query_put, fcinfo->resultinfo);
	AtEOXact_GUC(false, level);
	SPI_finish();
	return (Datum) 0;
}
