/*
 * graph_review.c
 *	  mren.review_queue: which facts of a graph are worth a verdict.
 *
 * A fact's value is how unsure it is times the logarithm of how much hangs on its
 * entities.  For diversity it is divided by its rank among the facts of its head
 * and by the root of that among the facts of its relation.
 *
 * check-qualified: search_path is pinned by mren_graph_query.
 */
#include "pg/graph/graph_base.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "pg/support/args.h"
#include "pg/support/compat.h"
#include "pg/support/json_options.h"

PG_FUNCTION_INFO_V1(mren_review_queue);

/* $1: how many, $2: a relation, '' for all, $3: whether diverse. */
static const char queue[] =
	"WITH open AS MATERIALIZED (SELECT f.fact, f.head, f.head_type, f.relation, f.tail,"
	"   f.tail_type, f.head_entity, f.tail_entity, f.confidence FROM ${graph}.facts f"
	"  WHERE ($2 = '' OR f.relation = $2)"
	"   AND NOT EXISTS (SELECT FROM ${graph}.all_facts a JOIN ${graph}.review r"
	"    ON r.id = a.review OR (r.fact = a.fact AND r.judged IS NULL) WHERE a.fact = f.fact)"
	"   AND NOT EXISTS (SELECT FROM ${graph}.evidence e JOIN ${graph}.review r ON r.id = e.review"
	"    WHERE e.fact = f.fact)"
	"   AND EXISTS (SELECT FROM ${graph}.evidence e WHERE e.fact = f.fact AND e.n > 0)),"
	" degree AS MATERIALIZED (SELECT d.entity, count(*) AS n FROM ("
	"   SELECT a.head AS entity FROM ${graph}.all_facts a WHERE a.status = 'accepted'"
	"   UNION ALL SELECT a.tail FROM ${graph}.all_facts a WHERE a.status = 'accepted') d"
	"  GROUP BY d.entity),"
	" valued AS (SELECT o.*, (1 - abs(2 * o.confidence - 1)) * ln(1 + h.n + t.n) AS plain"
	"  FROM open o JOIN degree h ON h.entity = o.head_entity"
	"   JOIN degree t ON t.entity = o.tail_entity),"
	" ranked AS (SELECT v.*,"
	"   row_number() OVER (PARTITION BY v.head_entity ORDER BY v.plain DESC, v.fact) AS of_head,"
	"   row_number() OVER (PARTITION BY v.relation ORDER BY v.plain DESC, v.fact) AS of_relation"
	"  FROM valued v),"
	" best AS MATERIALIZED (SELECT r.*, r.plain / CASE WHEN $3 THEN r.of_head * "
	"sqrt(r.of_relation) ELSE 1 END AS value FROM ranked r ORDER BY value DESC, r.fact LIMIT $1)"
	" SELECT b.fact, b.head, b.head_type, b.relation, b.tail, b.tail_type, b.confidence, b.value,"
	"  e.document, e.sentence FROM best b CROSS JOIN LATERAL ("
	"   SELECT x.document, x.sentence FROM ${graph}.evidence x WHERE x.fact = b.fact AND x.n > 0"
	"   ORDER BY x.confidence DESC, x.document, x.n LIMIT 1) e ORDER BY b.value DESC, b.fact";

typedef struct Options
{
	char *relation;
	bool diverse;
} Options;

static void
read_option(void *state, const char *key, const JsonbValue *value)
{
	Options *options = state;

	if (strcmp(key, "relation") == 0)
		options->relation = mren_json_option_name(key, value);
	else if (strcmp(key, "diverse") == 0)
		options->diverse = mren_json_option_bool(key, value, options->diverse);
	else
		mren_json_option_unknown(key, "relation, diverse");
}

/* mren.review_queue(graph, n, options) */
Datum
mren_review_queue(PG_FUNCTION_ARGS)
{
	static const char *const relations[] = {"facts", "all_facts", "evidence", "review"};
	char *name = mren_arg_text(fcinfo, 0, "graph");
	int32 n = mren_graph_bounded(fcinfo, 1, "n", 1000000);
	Oid types[] = {INT8OID, TEXTOID, BOOLOID};
	Datum values[lengthof(types)];
	Options options = {.diverse = true};
	MrenGraph graph;

	InitMaterializedSRF(fcinfo, 0);
	mren_json_options_read(PG_ARGISNULL(2) ? NULL : PG_GETARG_JSONB_P(2), read_option, &options);
	values[0] = Int64GetDatum(n);
	values[1] = CStringGetTextDatum(options.relation != NULL ? options.relation : "");
	values[2] = BoolGetDatum(options.diverse);
	SPI_connect();
	mren_graph_open(name, false, &graph);
	mren_graph_check_layout(&graph);
	for (int i = 0; i < (int) lengthof(relations); i++)
		mren_graph_check_readable(&graph, relations[i]);
	mren_graph_query(&graph, queue, lengthof(types), types, values, mren_query_put,
					 fcinfo->resultinfo);
	SPI_finish();
	return (Datum) 0;
}
