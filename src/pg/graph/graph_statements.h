/*
 * graph_statements.h
 *	  The statements that make evidence, entities and facts; what each takes and
 *	  gives stands at its text.
 *
 * resolve is common table expressions, between "WITH RECURSIVE mention AS (...),"
 * and one of reresolve, judge_facts and place; raw begins so itself.
 *
 * check-qualified: search_path is pinned by mren_graph_run and mren_graph_query.
 */
#ifndef MREN_PG_GRAPH_GRAPH_STATEMENTS_H
#define MREN_PG_GRAPH_GRAPH_STATEMENTS_H

extern const char mren_graph_sql_resolve[];
extern const char mren_graph_sql_renormalize[];
extern const char mren_graph_sql_record_reviews[];
extern const char mren_graph_sql_drop_manual[];
extern const char mren_graph_sql_put_manual[];
extern const char mren_graph_sql_reresolve[];
extern const char mren_graph_sql_merge_facts[];
extern const char mren_graph_sql_merge_verdicts[];
extern const char mren_graph_sql_judge_facts[];
extern const char mren_graph_sql_merge_entities[];
extern const char mren_graph_sql_read[];
extern const char mren_graph_sql_raw[];
extern const char mren_graph_sql_place[];

/* The identity of what the model read, by the names in the text. */
#define MREN_GRAPH_SQL_STATEMENT(e)                                                                \
	"mren.graph_identity(jsonb_build_array(COALESCE(" e ".head_type, ''), " e ".head_name, " e     \
	".relation, COALESCE(" e ".tail_type, ''), " e ".tail_name)::text)"

/* The two names with their types, in no order. */
#define MREN_GRAPH_SQL_PAIR(e)                                                                     \
	"(SELECT ARRAY[LEAST(p.head, p.tail), GREATEST(p.head, p.tail)] FROM (SELECT"                  \
	" jsonb_build_array(COALESCE(" e ".head_type, ''), " e ".head_name)::text COLLATE \"C\","      \
	" jsonb_build_array(COALESCE(" e ".tail_type, ''), " e                                         \
	".tail_name)::text COLLATE \"C\") AS p (head, tail))"

/* The name by which the head or the tail is resolved: the fullest in its document. */
#define MREN_GRAPH_SQL_FULL(e, side)                                                               \
	"COALESCE(mren.normalize_name(" e "." side "_full) COLLATE \"C\", " e "." side "_name)"

/* A name as it is shown: on one line, whatever line breaks it had in the text. */
#define MREN_GRAPH_SQL_TIDY(name)                                                                  \
	"btrim(regexp_replace(" name " COLLATE \"C\", '[[:space:][:cntrl:]]+', ' ', 'g'))"

/*
 * The confidence of fact f that is shown, with verdict r: calibrated as the state of the graph
 * says.  Probabilities are kept off 0 and 1 by a millionth, as where they were fitted.
 */
#define MREN_GRAPH_SQL_NEAREST "0.000001"
#define MREN_GRAPH_SQL_CONFIDENCE                                                                  \
	"CASE WHEN r.verdict OPERATOR(pg_catalog.=) 'confirmed' THEN 1"                                \
	" WHEN (SELECT s.confidence_slope FROM ${graph}.state s) IS NULL THEN f.confidence"            \
	" ELSE (1::pg_catalog.float8 OPERATOR(pg_catalog./) (1::pg_catalog.float8"                     \
	"  OPERATOR(pg_catalog.+) pg_catalog.exp(OPERATOR(pg_catalog.-) ("                             \
	"   (SELECT s.confidence_intercept FROM ${graph}.state s) OPERATOR(pg_catalog.+)"              \
	"   ((SELECT s.confidence_slope FROM ${graph}.state s) OPERATOR(pg_catalog.*)"                 \
	"    " MREN_GRAPH_SQL_LOG_ODDS("f.confidence") "))))) END"

#define MREN_GRAPH_SQL_LOG_ODDS(p)                                                                 \
	"(pg_catalog.ln(GREATEST(" p ", " MREN_GRAPH_SQL_NEAREST ")) OPERATOR(pg_catalog.-)"           \
	" pg_catalog.ln(GREATEST(1::pg_catalog.float8 OPERATOR(pg_catalog.-) " p                       \
	", " MREN_GRAPH_SQL_NEAREST ")))"

/* The facts, and the entities, that rows of evidence touch, as two arrays. */
#define MREN_GRAPH_SQL_TOUCHED(rows)                                                               \
	"SELECT (SELECT array_agg(DISTINCT k.fact) FROM " rows " k WHERE k.fact IS NOT NULL),"         \
	" (SELECT array_agg(k.x) FROM (SELECT r.head_entity FROM " rows " r UNION"                     \
	"  SELECT r.tail_entity FROM " rows " r) k (x))"

/*
 * The last verdict on a fact f that counts, as r, and which facts are shown: a
 * verdict shows at once, and so does its removal; what it means for functional
 * relations, after a merge.
 */
#define MREN_GRAPH_SQL_VERDICT                                                                     \
	" LEFT JOIN LATERAL (SELECT v.verdict FROM ("                                                  \
	"   SELECT n.id, n.verdict FROM ${graph}.review n"                                             \
	"    WHERE n.fact OPERATOR(pg_catalog.=) f.fact AND n.judged IS NULL"                          \
	"   UNION ALL SELECT d.id, d.verdict FROM ${graph}.review d"                                   \
	"    WHERE d.id OPERATOR(pg_catalog.=) f.review) v"                                            \
	"  ORDER BY v.id DESC LIMIT 1) r ON true"                                                      \
	" WHERE f.status OPERATOR(pg_catalog.=) 'accepted'"                                            \
	" AND r.verdict IS DISTINCT FROM 'rejected'"

/* Facts as readers see them, through a view that the owner may have replaced. */
#define MREN_GRAPH_SQL_SHOWN                                                                       \
	"f.fact, f.head_entity, f.relation, f.tail_entity, f.confidence FROM ${graph}.facts f"

/*
 * named (side, entity): all entities that a name, or what it is an alias of,
 * stands for; values: rows of a side and a name.
 */
#define MREN_GRAPH_SQL_NAMED(values)                                                               \
	"WITH RECURSIVE alias AS MATERIALIZED (SELECT mren.normalize_name(a.alias) AS alias,"          \
	"   mren.normalize_name(a.entity) AS entity FROM ${graph}.aliases a),"                         \
	" wanted (side, name) AS (VALUES " values "  UNION SELECT w.side, a.entity FROM wanted w"      \
	"  JOIN alias a ON a.alias = w.name),"                                                         \
	" named AS MATERIALIZED (SELECT DISTINCT w.side, e.entity FROM wanted w, LATERAL ("            \
	"   SELECT x.entity FROM ${graph}.entities x WHERE x.normalized @> ARRAY[w.name]"              \
	"   UNION SELECT x.entity FROM ${graph}.entities x"                                            \
	"    JOIN alias a ON a.entity = w.name AND x.canonical = w.name) e)"

#endif
