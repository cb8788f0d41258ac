/*
 * graph_evaluate.c
 *	  mren.evaluate_graph and mren.judge_facts: mentions, entities and facts against
 *	  annotated documents.
 *
 * The gold query runs as the caller and gives the parts of documents, as
 * mren.read_docred and mren.read_brat do.  They are passed as arrays to one
 * statement, which runs as the graph's owner: it reads the texts anew with the
 * graph's tagger and lexicons, resolves names as a merge does, and compares.
 *
 * check-qualified: search_path is pinned by mren_graph_query.
 */
#include "pg/graph/graph_base.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "pg/graph/graph_gold.h"
#include "pg/graph/graph_statements.h"
#include "pg/support/args.h"

PG_FUNCTION_INFO_V1(mren_evaluate_graph);
PG_FUNCTION_INFO_V1(mren_judge_facts);

/*
 * gold: the parts given; found: mentions in the texts, by the graph's tagger and
 * lexicons; said: the same with their entities.  wanted: the mentions given, which
 * are matched by place or, where they have none, by name, and by type if they
 * have one.
 */
static const char read_gold[] =
	"WITH RECURSIVE " MREN_GRAPH_SQL_GOLD ","
	" found AS MATERIALIZED (SELECT g.document, lower(e.span) AS lower, upper(e.span) AS upper,"
	"   COALESCE(e.type, '') AS type, mren.normalize_name(e.mention) AS name,"
	"   mren.normalize_name(e.entity) COLLATE \"C\" AS full_name"
	"  FROM gold g CROSS JOIN LATERAL mren.document_entities(g.text, NULLIF($11, '{}'),"
	"    NULLIF($12, ''), NULLIF($13, 0)) e"
	"  WHERE g.part = 'document'),"
	" mention AS (SELECT DISTINCT f.full_name AS name, f.type FROM found f),";

static const char compare[] =
	", said AS MATERIALIZED (SELECT f.document, f.lower, f.upper, f.type, f.name, t.key AS entity,"
	"   row_number() OVER () AS n"
	"  FROM found f JOIN target t ON t.name = f.full_name AND t.type = f.type),"
	" wanted AS MATERIALIZED (SELECT g.document, g.entity, g.type, g.lower, g.upper,"
	"   CASE WHEN g.lower IS NULL THEN mren.normalize_name(g.text) END AS name, min(g.n) AS n"
	"  FROM gold g WHERE g.part = 'mention' GROUP BY 1, 2, 3, 4, 5, 6),"
	" sentence AS MATERIALIZED (SELECT g.document, g.lower, g.upper FROM gold g"
	"  WHERE g.part = 'sentence' AND g.lower IS NOT NULL),"

	/* Mentions. */
	" met AS MATERIALIZED (SELECT s.n AS said, w.n AS wanted, s.document, s.entity AS said_entity,"
	"   w.entity AS wanted_entity FROM said s JOIN wanted w ON w.document = s.document"
	"   AND w.lower = s.lower AND w.upper = s.upper AND COALESCE(w.type, s.type) = s.type"
	"  UNION ALL SELECT s.n, w.n, s.document, s.entity, w.entity FROM said s JOIN wanted w"
	"   ON w.document = s.document AND w.name = s.name AND COALESCE(w.type, s.type) = s.type),"
	" mentions AS (SELECT (SELECT count(*) FROM said) AS predicted,"
	"  (SELECT count(*) FROM wanted) AS gold, count(DISTINCT m.said) AS correct,"
	"  count(DISTINCT m.wanted) AS found FROM met m),"

	/* Entities: B-cubed, within documents. */
	" shared AS (SELECT m.document, m.said_entity, m.wanted_entity, count(*) AS n FROM met m"
	"  WHERE m.wanted_entity IS NOT NULL GROUP BY 1, 2, 3),"
	" said_size AS (SELECT s.document, s.entity, count(*) AS n FROM said s GROUP BY 1, 2),"
	" wanted_size AS (SELECT w.document, w.entity, count(*) AS n FROM wanted w"
	"  WHERE w.entity IS NOT NULL GROUP BY 1, 2),"
	" entities AS (SELECT (SELECT count(*) FROM said_size) AS predicted,"
	"   (SELECT count(*) FROM wanted_size) AS gold,"
	"   sum(h.n::float8 * h.n / p.n) AS precise, sum(h.n::float8 * h.n / w.n) AS recalled"
	"  FROM shared h JOIN said_size p ON p.document = h.document AND p.entity = h.said_entity"
	"  JOIN wanted_size w ON w.document = h.document AND w.entity = h.wanted_entity),"

	/*
	 * Facts, once for each document, in the direction in which the graph stores them.
	 * place: of the evidence's mentions; an entity may be named by several of them.
	 */
	" gold_fact AS MATERIALIZED (SELECT f.*, row_number() OVER () AS n FROM ("
	"   SELECT DISTINCT g.document, COALESCE(c.stored, g.relation) AS relation,"
	"    CASE WHEN c.reversed THEN g.tail ELSE g.head END AS head,"
	"    CASE WHEN c.reversed THEN g.head ELSE g.tail END AS tail,"
	"    COALESCE(c.symmetric, false) AS symmetric"
	"   FROM gold g LEFT JOIN canon c ON c.relation = g.relation WHERE g.part = 'fact') f),"
	" read_document AS MATERIALIZED (SELECT DISTINCT g.document FROM gold g),"
	" place AS MATERIALIZED (SELECT e.document, e.fact, e.fact_relation AS relation, e.n,"
	"   e.head_first, e.name, e.type, e.base + lower(e.span) AS lower,"
	"    e.base + upper(e.span) AS upper"
	"  FROM (SELECT x.document, x.fact, x.fact_relation, x.n, NOT x.reversed AS head_first,"
	"    x.head_name AS name, COALESCE(x.head_type, '') AS type, lower(x.sentence_span) AS base,"
	"    x.head_span AS span FROM ${graph}.evidence x"
	"    JOIN read_document d ON d.document = x.document"
	"    WHERE x.fact IN (SELECT f.fact FROM ${graph}.facts f)"
	"   UNION ALL SELECT x.document, x.fact, x.fact_relation, x.n, x.reversed, x.tail_name,"
	"    COALESCE(x.tail_type, ''), lower(x.sentence_span), x.tail_span FROM ${graph}.evidence x"
	"    JOIN read_document d ON d.document = x.document"
	"    WHERE x.fact IN (SELECT f.fact FROM ${graph}.facts f)) e),"
	" named AS MATERIALIZED (SELECT p.document, p.n, p.fact, p.relation, p.head_first, w.entity"
	"  FROM place p JOIN wanted w ON w.document = p.document AND w.lower = p.lower"
	"   AND w.upper = p.upper AND COALESCE(w.type, p.type) = p.type"
	"  UNION SELECT p.document, p.n, p.fact, p.relation, p.head_first, w.entity"
	"  FROM place p JOIN wanted w ON w.document = p.document AND w.name = p.name"
	"   AND COALESCE(w.type, p.type) = p.type),"
	" hit AS MATERIALIZED (SELECT DISTINCT h.document, h.fact, g.n FROM named h"
	"  JOIN named t ON t.document = h.document AND t.n = h.n AND h.head_first AND NOT t.head_first"
	"  JOIN gold_fact g ON g.document = h.document AND g.relation = h.relation"
	"   AND ((g.head = h.entity AND g.tail = t.entity)"
	"    OR (g.symmetric AND g.head = t.entity AND g.tail = h.entity))),"

	/* Whether both ends are mentioned in one sentence; a fact that is right as the gold has it. */
	" in_sentence AS MATERIALIZED (SELECT w.document, w.entity, s.lower FROM wanted w"
	"  JOIN sentence s ON s.document = w.document AND s.lower <= w.lower AND w.upper <= s.upper),"
	" in_one AS (SELECT DISTINCT h.document, h.entity AS head, t.entity AS tail"
	"  FROM in_sentence h JOIN in_sentence t ON t.document = h.document AND t.lower = h.lower),"
	" gold_scope AS MATERIALIZED (SELECT g.n, o.document IS NOT NULL AS within FROM gold_fact g"
	"  LEFT JOIN in_one o ON o.document = g.document AND o.head = g.head AND o.tail = g.tail),"
	" read_in_one AS (SELECT DISTINCT h.document, h.fact FROM place h"
	"  JOIN place t ON t.document = h.document AND t.n = h.n AND h.head_first AND NOT t.head_first"
	"  JOIN sentence s ON s.document = h.document AND s.lower <= LEAST(h.lower, t.lower)"
	"   AND GREATEST(h.upper, t.upper) <= s.upper),"
	" said_scope AS (SELECT p.document, p.fact, o.fact IS NOT NULL AS within"
	"  FROM (SELECT DISTINCT k.document, k.fact FROM place k) p"
	"  LEFT JOIN read_in_one o ON o.document = p.document AND o.fact = p.fact),"
	" said_fact AS MATERIALIZED (SELECT s.document, s.fact, COALESCE(r.within, s.within) AS within,"
	"   r.fact IS NOT NULL AS correct FROM said_scope s LEFT JOIN ("
	"   SELECT h.document, h.fact, bool_or(c.within) AS within FROM hit h"
	"   JOIN gold_scope c ON c.n = h.n GROUP BY 1, 2) r"
	"   ON r.document = s.document AND r.fact = s.fact)";

static const char figures[] =
	", scope (place, name, within) AS (VALUES (3, 'facts', NULL::boolean),"
	"  (4, 'facts within sentences', true), (5, 'facts across sentences', false)),"
	" facts AS (SELECT c.place, c.name,"
	"   (SELECT count(*) FROM said_fact s"
	"    WHERE c.within IS NULL OR s.within = c.within) AS predicted,"
	"   (SELECT count(*) FROM gold_scope g WHERE c.within IS NULL OR g.within = c.within) AS gold,"
	"   (SELECT count(*) FROM said_fact s"
	"    WHERE s.correct AND (c.within IS NULL OR s.within = c.within)) AS correct,"
	"   (SELECT count(DISTINCT h.n) FROM hit h JOIN gold_scope g ON g.n = h.n"
	"    WHERE c.within IS NULL OR g.within = c.within) AS found"
	"  FROM scope c WHERE c.within IS NULL OR EXISTS (SELECT FROM sentence)),"

	" measured AS (SELECT 1 AS place, 'mentions' AS part, m.predicted, m.gold,"
	"   m.correct::float8 AS precise, m.found::float8 AS recalled, m.predicted AS n_predicted,"
	"   m.gold AS n_gold FROM mentions m WHERE EXISTS (SELECT FROM gold g"
	"    WHERE g.part = 'document')"
	"  UNION ALL SELECT 2, 'entities', e.predicted, e.gold, COALESCE(e.precise, 0),"
	"   COALESCE(e.recalled, 0), (SELECT count(*) FROM said), (SELECT count(*) FROM wanted)"
	"   FROM entities e WHERE EXISTS (SELECT FROM gold g WHERE g.part = 'document')"
	"    AND e.gold > 0"
	"  UNION ALL SELECT f.place, f.name, f.predicted, f.gold, f.correct, f.found, f.predicted,"
	"   f.gold FROM facts f)"
	" SELECT r.part, r.\"precision\", r.recall,"
	"  CASE WHEN r.\"precision\" + r.recall > 0"
	"   THEN 2 * r.\"precision\" * r.recall / (r.\"precision\" + r.recall) ELSE 0 END AS f1,"
	"  r.predicted, r.gold FROM (SELECT m.place, m.part,"
	"   CASE WHEN m.n_predicted > 0 THEN m.precise / m.n_predicted ELSE 0 END AS \"precision\","
	"   CASE WHEN m.n_gold > 0 THEN m.recalled / m.n_gold ELSE 0 END AS recall,"
	"   m.predicted, m.gold FROM measured m) r ORDER BY r.place";

/* Each fact of each document, and what is annotated but not found. */
static const char verdicts[] =
	", body AS MATERIALIZED (SELECT g.document, min(g.text) AS text FROM gold g"
	"  WHERE g.part = 'document' GROUP BY 1),"
	" label AS MATERIALIZED (SELECT DISTINCT ON (g.document, g.entity) g.document, g.entity,"
	"   COALESCE(g.text, substr(b.text, g.lower + 1, g.upper - g.lower), g.entity) AS name"
	"  FROM gold g LEFT JOIN body b ON b.document = g.document WHERE g.part = 'mention'"
	"  ORDER BY g.document, g.entity, g.lower, g.n)"
	" SELECT s.document, CASE WHEN s.correct THEN 'right' ELSE 'wrong' END AS verdict, f.head,"
	"  f.relation, f.tail, f.fact, f.confidence FROM said_fact s"
	"  JOIN ${graph}.facts f ON f.fact = s.fact"
	" UNION ALL SELECT g.document, 'missed', COALESCE(h.name, g.head), g.relation,"
	"  COALESCE(t.name, g.tail), NULL, NULL FROM gold_fact g"
	"  LEFT JOIN label h ON h.document = g.document AND h.entity = g.head"
	"  LEFT JOIN label t ON t.document = g.document AND t.entity = g.tail"
	"  WHERE NOT EXISTS (SELECT FROM hit i WHERE i.n = g.n)"
	" ORDER BY 1, 2, 3, 4, 5";

static const char missing[] =
	"SELECT count(*), min(g.document) FROM (SELECT DISTINCT x.document"
	" FROM unnest($1) AS x (document)) g WHERE NOT EXISTS (SELECT FROM ${graph}.documents d"
	" WHERE d.document = g.document AND d.state = 'scored')";

/*
 * Comparing
 */

static void
count_missing(void *state, TupleTableSlot *slot)
{
	const MrenGraph *graph = state;
	bool isnull;
	int64 n = DatumGetInt64(slot_getattr(slot, 1, &isnull));

	if (n > 0)
		ereport(NOTICE, (errmsg("graph \"%s\" has not read %lld of the gold documents", graph->name,
								(long long) n),
						 errdetail("One of them has the key \"%s\".",
								   TextDatumGetCString(slot_getattr(slot, 2, &isnull))),
						 errhint("Their facts count as missed.")));
}

/*
 * The graph's mentions and facts beside those of the query gold.  An empty array for no lexicons
 * and '' for no tagger, which the statement takes as NULL.
 */
static void
compare_gold(const MrenGraph *graph, const char *gold, const char *result, ReturnSetInfo *rsinfo)
{
	const char *parts[] = {read_gold, mren_graph_sql_resolve, compare, result};
	Oid types[MREN_N_GOLD + 3];
	Datum values[lengthof(types)];
	const char *sql = mren_graph_sql(graph, lengthof(parts), parts);
	int level;

	mren_graph_gold_read(gold, types, values);
	types[MREN_N_GOLD] = TEXTARRAYOID;
	values[MREN_N_GOLD] =
		graph->lexicons != 0 ? graph->lexicons : PointerGetDatum(construct_empty_array(TEXTOID));
	types[MREN_N_GOLD + 1] = TEXTOID;
	values[MREN_N_GOLD + 1] = CStringGetTextDatum(graph->tagger != NULL ? graph->tagger : "");
	types[MREN_N_GOLD + 2] = INT4OID;
	values[MREN_N_GOLD + 2] = Int32GetDatum(graph->options.tagger_version);
	mren_graph_query(graph, missing, 1, types, values, count_missing, (void *) graph);
	level = NewGUCNestLevel();
	/* The planner cannot know how long the arrays' parts are, and nothing here has an index. */
	(void) set_config_option("enable_nestloop", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
							 true, 0, false);
	mren_graph_query(graph, sql, lengthof(types), types, values, mren_query_put, rsinfo);
	AtEOXact_GUC(false, level);
}

/* The arguments graph and gold, compared; result: the statement after the common tables. */
static void
compare_arguments(FunctionCallInfo fcinfo, const char *result)
{
	static const char *const relations[] = {"facts", "evidence", "aliases", "relations",
											"documents"};
	char *name = mren_arg_text(fcinfo, 0, "graph");
	char *gold = mren_arg_query(fcinfo, 1, "gold");
	MrenGraph graph;

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	mren_graph_open(name, false, &graph);
	mren_graph_check_layout(&graph);
	for (int i = 0; i < (int) lengthof(relations); i++)
		mren_graph_check_readable(&graph, relations[i]);
	compare_gold(&graph, gold, result, (ReturnSetInfo *) fcinfo->resultinfo);
	SPI_finish();
}

/* mren.evaluate_graph(graph, gold) → TABLE (part, precision, recall, f1, predicted, gold) */
Datum
mren_evaluate_graph(PG_FUNCTION_ARGS)
{
	compare_arguments(fcinfo, figures);
	return (Datum) 0;
}

/* mren.judge_facts(graph, gold) → TABLE (document, verdict, head, relation, tail, fact, confidence) */
Datum
mren_judge_facts(PG_FUNCTION_ARGS)
{
	compare_arguments(fcinfo, verdicts);
	return (Datum) 0;
}
