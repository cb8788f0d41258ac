/*
 * graph_statements.h
 *	  The statements that make evidence, entities and facts; what each takes and
 *	  gives stands at its text.
 *
 * resolve is common table expressions, between others that begin with WITH RECURSIVE
 * and give "mention", as read_all and raw do, and one of reresolve, judge_facts and place.
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
extern const char mren_graph_sql_read_all[];
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

/*
 * Whether the model makes statement e, with verdicts h and t on its mentions: by the probability
 * of the relation as often as the mentions are right on average (extract.c).
 */
#define MREN_GRAPH_SQL_RIGHT(side, verdict)                                                        \
	"CASE WHEN " verdict ".id IS NULL THEN COALESCE(e." side "_confidence, 1) ELSE 1 END"
#define MREN_GRAPH_SQL_MADE                                                                        \
	"(e.needed IS NULL OR e.confidence * sqrt(" MREN_GRAPH_SQL_RIGHT(                              \
		"head", "h") " * " MREN_GRAPH_SQL_RIGHT("tail", "t") ") >= e.needed)"

/*
 * read (all columns of the rows, and how the mentions are taken): rows of evidence
 * after the verdicts of people.  head_as, head_type_as and the same of the tail:
 * the name and the type to resolve; refused: a mention is none; now_made: the
 * model makes the statement; now_relation: what
 * a review says in place of the relation; head_review, tail_review: the verdicts on
 * the mentions.  Of several verdicts the last one counts.
 */
#define MREN_GRAPH_SQL_VERDICT_OF(side, rows)                                                      \
	" " side "_verdict AS (SELECT * FROM (SELECT DISTINCT ON (e.document, e.n) e.document, e.n,"   \
	"  v.id, v.verdict,"                                                                           \
	"  v.right_name, v.right_type FROM " rows " e JOIN verdict_on v ON v.name = e." side "_name"   \
	"   AND v.type IN ('', COALESCE(e." side "_type, '')) AND v.document IN ('', e.document)"      \
	"  WHERE e.n > 0 ORDER BY e.document, e.n, v.id DESC) d"                                       \
	"  WHERE d.verdict <> 'unsure'),"
/* SQL, a clause a line. */
/* clang-format off */
#define MREN_GRAPH_SQL_TAKEN(side, table)                                                          \
	" COALESCE(" table ".right_name, " MREN_GRAPH_SQL_FULL("e", side) ") AS " side "_as,"          \
	" COALESCE(" table ".right_type, e." side "_type, '') AS " side "_type_as,"                    \
	" " table ".id AS " side "_verdict"
#define MREN_GRAPH_SQL_READ(rows)                                                                  \
	" verdict_on AS MATERIALIZED (SELECT m.id, m.document, m.type, m.verdict, m.right_type,"       \
	"  mren.normalize_name(m.mention) COLLATE \"C\" AS name,"                                      \
	"  mren.normalize_name(m.right_mention) COLLATE \"C\" AS right_name"                           \
	"  FROM ${graph}.mention_review m),"                                                           \
	" corrected AS MATERIALIZED (SELECT DISTINCT ON (j.statement) j.statement, r.relation"         \
	"  FROM ${graph}.review r CROSS JOIN LATERAL unnest(r.judged) AS j (statement)"                \
	"  WHERE r.verdict <> 'confirmed' ORDER BY j.statement, r.id DESC),"                           \
	MREN_GRAPH_SQL_VERDICT_OF("head", rows) MREN_GRAPH_SQL_VERDICT_OF("tail", rows)                \
	" read AS MATERIALIZED (SELECT e.*," MREN_GRAPH_SQL_TAKEN("head", "h") ","                     \
	MREN_GRAPH_SQL_TAKEN("tail", "t") ", c.relation AS now_relation,"                              \
	"  COALESCE(h.verdict = 'rejected', false) OR COALESCE(t.verdict = 'rejected', false)"         \
	"   AS refused, " MREN_GRAPH_SQL_MADE " AS now_made FROM " rows " e"                                                                \
	"  LEFT JOIN head_verdict h ON h.document = e.document AND h.n = e.n"                          \
	"  LEFT JOIN tail_verdict t ON t.document = e.document AND t.n = e.n"                          \
	"  LEFT JOIN corrected c ON c.statement = e.statement),"                                       \
	" mention AS (SELECT r.head_as AS name, r.head_type_as AS type FROM read r"                    \
	"  UNION SELECT r.tail_as, r.tail_type_as FROM read r),"
/* clang-format on */

/*
 * placed (of read): with the keys of both entities, and what the graph stores.
 * now_stated: reversed as the model's own relation has it.
 */
#define MREN_GRAPH_SQL_PLACED                                                                      \
	", aimed AS MATERIALIZED (SELECT r.*, h.key AS head_key, t.key AS tail_key,"                   \
	"  r.refused OR NOT r.now_made OR h.ignored OR t.ignored AS ignored,"                          \
	"  CASE WHEN c.symmetric THEN h.key COLLATE \"C\" > t.key COLLATE \"C\""                       \
	"   ELSE COALESCE(c.reversed, false) END AS now_stated, COALESCE(c.stored, r.relation) AS "    \
	"said"                                                                                         \
	"  FROM read r JOIN target h ON h.name = r.head_as AND h.type = r.head_type_as"                \
	"  JOIN target t ON t.name = r.tail_as AND t.type = r.tail_type_as"                            \
	"  LEFT JOIN canon c ON c.relation = r.relation),"                                             \
	" turned AS MATERIALIZED (SELECT a.*,"                                                         \
	"  CASE WHEN a.now_relation IS NULL THEN a.said"                                               \
	"   ELSE COALESCE(k.stored, a.now_relation) END AS as_relation,"                               \
	"  CASE WHEN a.now_relation IS NULL THEN a.now_stated"                                         \
	"   WHEN k.symmetric THEN a.head_key COLLATE \"C\" > a.tail_key COLLATE \"C\""                 \
	"   ELSE COALESCE(k.reversed, false) <> a.now_stated END AS as_reversed"                       \
	"  FROM aimed a LEFT JOIN canon k ON k.relation = a.now_relation),"                            \
	" placed AS MATERIALIZED (SELECT u.*, mren.graph_identity(u.head_key) AS head_id,"             \
	"  mren.graph_identity(u.tail_key) AS tail_id,"                                                \
	"  CASE WHEN u.head_key <> u.tail_key AND NOT u.ignored THEN CASE WHEN u.as_reversed"          \
	"   THEN mren.graph_identity(jsonb_build_array(u.tail_key, u.as_relation, u.head_key)::text)"  \
	"   ELSE mren.graph_identity(jsonb_build_array(u.head_key, u.as_relation, u.tail_key)::text)"  \
	"   END END AS as_fact FROM turned u),"                                                        \
	" stub AS (INSERT INTO ${graph}.entities SELECT DISTINCT k.entity, '', k.key::jsonb ->> 0,"    \
	"   k.key::jsonb ->> 1, '{}'::text[], '{}'::text[], 0, 0"                                      \
	"  FROM (SELECT p.head_id AS entity, p.head_key AS key FROM placed p"                          \
	"   UNION SELECT p.tail_id, p.tail_key FROM placed p) k ON CONFLICT DO NOTHING)"

/*
 * The span of a mention of evidence e in its sentence, with its verdict v: of the name that
 * corrects it where this stands nearest after the mention's beginning less its own length;
 * NULL if it does not.
 */
#define MREN_GRAPH_SQL_RIGHT_SPAN(side, v)                                                         \
	"(SELECT CASE WHEN " v ".right_mention IS NULL THEN e." side "_span"                           \
	"  WHEN p.at OPERATOR(pg_catalog.>) 0 THEN pg_catalog.int4range("                              \
	"   p.start OPERATOR(pg_catalog.+) p.at OPERATOR(pg_catalog.-) 1,"                             \
	"   p.start OPERATOR(pg_catalog.+) p.at OPERATOR(pg_catalog.-) 1"                              \
	"    OPERATOR(pg_catalog.+) pg_catalog.length(" v ".right_mention)) END"                       \
	"  FROM (SELECT q.start, pg_catalog.strpos(pg_catalog.substr(e.sentence,"                      \
	"    q.start OPERATOR(pg_catalog.+) 1), " v ".right_mention) AS at"                            \
	"   FROM (SELECT GREATEST(0, pg_catalog.lower(e." side "_span) OPERATOR(pg_catalog.-)"         \
	"    pg_catalog.length(" v ".right_mention)) AS start) q) p)"

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
	"   UNION ALL SELECT d.id, CASE WHEN d.relation IS NULL THEN d.verdict ELSE 'confirmed' END"   \
	"    FROM ${graph}.review d"                                                                   \
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
