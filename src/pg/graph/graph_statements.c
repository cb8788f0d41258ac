/*
 * graph_statements.c
 *	  The statements that make evidence, entities and facts.
 *
 * "${graph}." stands for the graph's schema.  They run with search_path pg_catalog, as
 * the graph's owner.
 *
 * check-qualified: search_path is pinned by mren_graph_run and mren_graph_query.
 */
#include "pg/graph/graph_statements.h"

#include "pg/graph/graph_reading.h"

/* SQL, a clause a line. */
/* clang-format off */

/*
 * Common table expressions over "mention (name, type)", distinct names as
 * mren.normalize_name gives them, type '' for none:
 *
 * target (name, type, key): the entity that the name stands for, as the JSON
 * text of [type, name].  Aliases are followed, one of the very type before one
 * of any; in a circle of aliases the least key stands for all.
 *
 * canon (relation, stored, reversed, symmetric): how a relation is stored.
 */
const char mren_graph_sql_resolve[] =
	" same (name, type, at_name, at_type) AS ("
	"  SELECT k.other_name, k.other_type, k.name, k.type FROM ${graph}.merge_candidates k"
	"   WHERE k.verdict = 'accepted'"
	"  UNION SELECT k.name, k.type, k.other_name, k.other_type FROM ${graph}.merge_candidates k"
	"   WHERE k.verdict = 'accepted'"
	"  UNION SELECT s.name, s.type, o.name, o.type FROM same s CROSS JOIN LATERAL ("
	"   SELECT k.name, k.type FROM ${graph}.merge_candidates k WHERE k.verdict = 'accepted'"
	"    AND k.other_name = s.at_name AND k.other_type = s.at_type"
	"   UNION ALL SELECT k.other_name, k.other_type FROM ${graph}.merge_candidates k"
	"    WHERE k.verdict = 'accepted' AND k.name = s.at_name AND k.type = s.at_type) o),"
	/* Of what is accepted as one, the entity that is nobody's other; the least of several. */
	" first AS (SELECT DISTINCT ON (s.name, s.type) s.name, s.type, s.at_name, s.at_type FROM same "
	"s LEFT JOIN (SELECT DISTINCT k.other_name, k.other_type FROM ${graph}.merge_candidates k"
	"   WHERE k.verdict = 'accepted') k ON k.other_name = s.at_name AND k.other_type = s.at_type"
	"  ORDER BY s.name, s.type, k.other_name IS NOT NULL, s.at_name, s.at_type),"
	" rule AS MATERIALIZED ("
	"  SELECT a.alias,"
	"   jsonb_object_agg(a.type, jsonb_build_array(a.entity, a.entity_type)) AS target"
	"  FROM (SELECT DISTINCT ON (1, 2) x.alias, x.type, x.entity, x.entity_type FROM ("
	"    SELECT mren.normalize_name(y.alias) COLLATE \"C\" AS alias, y.type COLLATE \"C\" AS type,"
	"     mren.normalize_name(y.entity) COLLATE \"C\" AS entity,"
	"     y.entity_type COLLATE \"C\" AS entity_type, 1 AS rank FROM ${graph}.aliases y"
	"    UNION ALL SELECT f.name, f.type, f.at_name, f.at_type, 2 FROM first f"
	"     WHERE (f.name, f.type) <> (f.at_name, f.at_type)) x"
	"   ORDER BY 1, 2, x.rank, 3, 4) a GROUP BY a.alias),"
	" walk (name, type) AS (SELECT m.name, m.type FROM mention m"
	"  UNION SELECT (p.t ->> 0) COLLATE \"C\", COALESCE(p.t ->> 1, w.type)"
	"  FROM walk w JOIN rule r ON r.alias = w.name"
	"  CROSS JOIN LATERAL (SELECT COALESCE(r.target -> w.type, r.target -> '') AS t) p"
	"  WHERE p.t IS NOT NULL),"
	" passed AS MATERIALIZED (SELECT mren.normalize_name(i.name) AS name, i.type"
	"  FROM ${graph}.ignored i),"
	" step AS MATERIALIZED (SELECT array_agg(s.key) AS keys, array_agg(s.next) AS nexts FROM ("
	"  SELECT jsonb_build_array(w.type, w.name)::text AS key,"
	"   jsonb_build_array(COALESCE(p.t ->> 1, w.type), p.t ->> 0)::text AS next"
	"  FROM walk w JOIN rule r ON r.alias = w.name"
	"  CROSS JOIN LATERAL (SELECT COALESCE(r.target -> w.type, r.target -> '') AS t) p"
	"  WHERE p.t IS NOT NULL) s),"
	" last AS MATERIALIZED (SELECT l.key, l.last FROM step s, LATERAL"
	"  unnest(s.keys, mren.follow_links(s.keys, s.nexts)) AS l (key, last)),"
	/* What is passed over stays an entity of its own, whatever aliases say. */
	" target AS MATERIALIZED (SELECT o.name, o.type,"
	"   CASE WHEN o.ignored THEN o.key ELSE COALESCE(l.last, o.key) END AS key,"
	"   o.ignored OR (l.last IS NOT NULL AND EXISTS (SELECT FROM passed i"
	"    WHERE i.name = l.last::jsonb ->> 1 AND i.type IN ('', l.last::jsonb ->> 0))) AS ignored"
	"  FROM (SELECT DISTINCT m.name, m.type, jsonb_build_array(m.type, m.name)::text AS key,"
	"    EXISTS (SELECT FROM passed i WHERE i.name = m.name AND i.type IN ('', m.type)) AS ignored"
	"   FROM mention m) o LEFT JOIN last l ON l.key = o.key),"
	" given AS MATERIALIZED ("
	"  SELECT r.relation,"
	"   bool_or(r.symmetric) OR COALESCE(bool_or(r.inverse_of = r.relation), false) AS symmetric,"
	"   min(r.inverse_of COLLATE \"C\") FILTER (WHERE r.inverse_of <> r.relation) AS inverse_of,"
	"   bool_or(r.functional) AS functional"
	"  FROM ${graph}.relations r GROUP BY r.relation),"
	" canon AS MATERIALIZED ("
	"  SELECT c.relation, c.stored, c.stored <> c.relation AS reversed,"
	"   COALESCE(s.symmetric, c.symmetric) AS symmetric, c.functional"
	"  FROM (SELECT g.relation, g.symmetric, g.functional, "
	"    CASE WHEN g.inverse_of IS NULL THEN g.relation WHEN i.inverse_of = g.relation"
	"    THEN LEAST(g.relation COLLATE \"C\", g.inverse_of COLLATE \"C\")"
	"    ELSE g.inverse_of END AS stored"
	"   FROM given g LEFT JOIN given i ON i.relation = g.inverse_of) c"
	"  LEFT JOIN given s ON s.relation = c.stored)";

/*
 * Names, sentences and statements as this ICU normalizes them, and reviews as
 * having judged the statements by their new identities.
 */
const char mren_graph_sql_renormalize[] =
	"WITH fresh AS MATERIALIZED (SELECT x.document, x.n, x.old_statement, x.head_name, x.tail_name,"
	"  x.sentence_id, " MREN_GRAPH_SQL_STATEMENT("x") " AS statement"
	"  FROM (SELECT e.document, e.n, e.statement AS old_statement, e.head_type, e.tail_type,"
	"    e.relation, mren.normalize_name(e.head) AS head_name,"
	"    mren.normalize_name(e.tail) AS tail_name,"
	"    mren.graph_identity(mren.normalize_name(e.sentence)) AS sentence_id"
	"   FROM ${graph}.evidence e) x),"
	" moved AS MATERIALIZED (SELECT DISTINCT f.old_statement, f.statement FROM fresh f"
	"  WHERE f.old_statement <> f.statement),"
	" reviews AS (UPDATE ${graph}.review r SET judged ="
	"   (SELECT array_agg(DISTINCT COALESCE(m.statement, j.statement))"
	"    FROM unnest(r.judged) AS j (statement)"
	"    LEFT JOIN moved m ON m.old_statement = j.statement)"
	"  WHERE r.judged && (SELECT array_agg(m.old_statement) FROM moved m))"
	" UPDATE ${graph}.evidence e SET head_name = f.head_name, tail_name = f.tail_name,"
	"  sentence_id = f.sentence_id, statement = f.statement FROM fresh f"
	" WHERE f.document = e.document AND f.n = e.n AND (f.head_name, f.tail_name, f.sentence_id,"
	" f.statement)"
	"  IS DISTINCT FROM (e.head_name, e.tail_name, e.sentence_id, e.statement)";

/*
 * A review judges the statements that its fact has when a merge first meets it.
 * That never changes again, whatever becomes of the fact; until it has
 * evidence, a review waits.
 */
const char mren_graph_sql_record_reviews[] =
	"UPDATE ${graph}.review r SET judged = s.statements"
	" FROM (SELECT e.fact, array_agg(DISTINCT e.statement) AS statements FROM ${graph}.evidence e"
	"  WHERE e.fact IN (SELECT n.fact FROM ${graph}.review n WHERE n.judged IS NULL)"
	"  GROUP BY e.fact) s"
	" WHERE s.fact = r.fact AND r.judged IS NULL";

/*
 * Facts added by hand are evidence of no document: document '' and negative
 * numbers, which are resolved next.
 */
const char mren_graph_sql_drop_manual[] = "DELETE FROM ${graph}.evidence e WHERE e.n < 0";
const char mren_graph_sql_put_manual[] =
	"INSERT INTO ${graph}.evidence (document, n, head, head_type, relation, tail, tail_type,"
	"  confidence, sentence, head_span, tail_span, sentence_span, model_version, head_name,"
	"  tail_name, sentence_id, statement, head_entity, tail_entity, fact, fact_relation, reversed)"
	" SELECT '', -x.id, x.head, x.head_type, x.relation, x.tail, x.tail_type, 1, '', 'empty',"
	"  'empty', 'empty', 0, x.head_name, x.tail_name,"
	" mren.graph_identity('manual ' || x.id),  " MREN_GRAPH_SQL_STATEMENT("x") ","
	" mren.graph_identity(x.head_name),"
	"  mren.graph_identity(x.tail_name), NULL, x.relation, false FROM (SELECT m.id, m.head,"
	" NULLIF(m.head_type, '') AS head_type, m.relation, m.tail,"
	"   NULLIF(m.tail_type, '') AS tail_type, mren.normalize_name(m.head) AS head_name,"
	"   mren.normalize_name(m.tail) AS tail_name FROM ${graph}.manual_facts m) x";

/* All evidence after the verdicts of people, and its mentions. */
const char mren_graph_sql_read_all[] = "WITH RECURSIVE" MREN_GRAPH_SQL_READ("${graph}.evidence");

/* All evidence resolved anew. */
const char mren_graph_sql_reresolve[] = MREN_GRAPH_SQL_PLACED
	" UPDATE ${graph}.evidence e SET head_entity = p.head_id, tail_entity = p.tail_id,"
	"  fact = p.as_fact, fact_relation = p.as_relation, reversed = p.as_reversed,"
	"  head_review = p.head_verdict, tail_review = p.tail_verdict,"
	"  right_relation = p.now_relation, stated = p.now_stated, made = p.now_made"
	" FROM placed p WHERE p.document = e.document AND p.n = e.n"
	" AND (p.head_id, p.tail_id, p.as_fact, p.as_relation, p.as_reversed, p.head_verdict,"
	"   p.tail_verdict, p.now_relation, p.now_stated, p.now_made)"
	"  IS DISTINCT FROM (e.head_entity, e.tail_entity, e.fact, e.fact_relation, e.reversed,"
	"   e.head_review, e.tail_review, e.right_relation, e.stated, e.made)";

/* $1: the facts, NULL for all.  Gives the triples that came, went or changed. */
const char mren_graph_sql_merge_facts[] =
	"WITH vote AS (SELECT e.fact, e.sentence_id, max(e.confidence"
	"  * CASE WHEN e.head_review IS NULL THEN COALESCE(e.head_confidence, 1) ELSE 1 END"
	"  * CASE WHEN e.tail_review IS NULL THEN COALESCE(e.tail_confidence, 1) ELSE 1 END) AS p"
	"  FROM ${graph}.evidence e"
	"  WHERE e.fact IS NOT NULL AND ($1 IS NULL OR e.fact = ANY ($1))"
	"  GROUP BY e.fact, e.sentence_id),"
	" combined AS (SELECT v.fact, mren.noisy_or(v.p ORDER BY v.p) AS confidence,"
	"  count(*) AS sentences"
	"  FROM vote v GROUP BY v.fact),"
	" seen AS (SELECT e.fact,"
	"   (array_agg(CASE WHEN e.reversed THEN e.tail_entity ELSE e.head_entity END))[1] AS head,"
	"   (array_agg(e.fact_relation))[1] AS relation,"
	"   (array_agg(CASE WHEN e.reversed THEN e.head_entity ELSE e.tail_entity END))[1] AS tail,"
	"   count(DISTINCT e.document) AS sources, count(*) AS evidence,"
	"   min(COALESCE(d.seen_at, m.seen_at)) AS first_seen,"
	"   max(COALESCE(d.seen_at, m.seen_at)) AS last_seen"
	"  FROM ${graph}.evidence e"
	"  LEFT JOIN ${graph}.documents d ON d.document = e.document AND e.n > 0"
	"  LEFT JOIN ${graph}.manual_facts m ON m.id = -e.n"
	"  WHERE e.fact IS NOT NULL AND ($1 IS NULL OR e.fact = ANY ($1)) GROUP BY e.fact),"
	" gone AS (DELETE FROM ${graph}.all_facts f WHERE ($1 IS NULL OR f.fact = ANY ($1))"
	"  AND NOT EXISTS (SELECT FROM seen s WHERE s.fact = f.fact)"
	"  RETURNING f.head, f.relation, f.tail),"
	" put AS (INSERT INTO ${graph}.all_facts AS f (fact, head, relation, tail, confidence, sources,"
	"   sentences, evidence, first_seen, last_seen, status)"
	"  SELECT s.fact, s.head, s.relation, s.tail, c.confidence, s.sources, c.sentences, s.evidence,"
	"   s.first_seen, s.last_seen, 'accepted' FROM seen s JOIN combined c ON c.fact = s.fact"
	"  ON CONFLICT (fact) DO UPDATE SET confidence = excluded.confidence,"
	"   sources = excluded.sources,"
	"   sentences = excluded.sentences, evidence = excluded.evidence,"
	"   first_seen = excluded.first_seen, last_seen = excluded.last_seen"
	"  WHERE (f.confidence, f.sources, f.sentences, f.evidence, f.first_seen, f.last_seen)"
	"   IS DISTINCT FROM"
	"   (excluded.confidence, excluded.sources, excluded.sentences, excluded.evidence,"
	"    excluded.first_seen, excluded.last_seen)"
	"  RETURNING f.head, f.relation, f.tail)"
	" SELECT array_agg(c.head), array_agg(c.relation), array_agg(c.tail)"
	" FROM (SELECT * FROM gone UNION SELECT * FROM put) c";

/*
 * The verdicts as reviews now have them; gives the triples whose verdict
 * changed.
 *
 * said: within a fact, the last review that judged a statement about a pair of
 * names; spoken: the evidence about that pair, also where an inverse relation
 * says the same.  A fact is confirmed if any evidence of it is, and rejected if
 * all of it is, so that no verdict reaches evidence which nobody judged when an
 * alias joins two facts.
 */
const char mren_graph_sql_merge_verdicts[] =
	"WITH said AS MATERIALIZED (SELECT e.fact, " MREN_GRAPH_SQL_PAIR("e") " AS pair,"
	"   max(r.id) AS review"
	"  FROM ${graph}.review r CROSS JOIN LATERAL unnest(r.judged) AS j (statement)"
	"  JOIN ${graph}.evidence e ON e.statement = j.statement"
	"  WHERE e.fact IS NOT NULL GROUP BY 1, 2),"
	" spoken AS MATERIALIZED (SELECT e.document, e.n, s.review FROM said s"
	"  JOIN ${graph}.evidence e ON e.fact = s.fact AND " MREN_GRAPH_SQL_PAIR("e") " = s.pair),"
	" marked AS (UPDATE ${graph}.evidence e SET review = c.review"
	"  FROM (SELECT k.document, k.n, k.review FROM spoken k UNION ALL"
	"   SELECT x.document, x.n, NULL FROM ${graph}.evidence x WHERE x.review IS NOT NULL"
	"   AND NOT EXISTS (SELECT FROM spoken k WHERE k.document = x.document AND k.n = x.n)) c"
	"  WHERE c.document = e.document AND c.n = e.n AND c.review IS DISTINCT FROM e.review),"
	" judged AS (SELECT a.fact, bool_or((r.verdict = 'confirmed' OR r.relation IS NOT NULL))"
	" AS any_confirmed,"
	"   bool_and(COALESCE(r.verdict = 'rejected' AND r.relation IS NULL, false)) AS all_rejected,"
	"   max(r.id) FILTER (WHERE (r.verdict = 'confirmed' OR r.relation IS NOT NULL))"
	" AS confirmed, max(r.id) AS rejected"
	"  FROM (SELECT s.fact FROM said s UNION"
	"   SELECT f.fact FROM ${graph}.all_facts f WHERE f.verdict IS NOT NULL) a"
	"  LEFT JOIN ${graph}.evidence e ON e.fact = a.fact"
	"  LEFT JOIN spoken k ON k.document = e.document AND k.n = e.n"
	"  LEFT JOIN ${graph}.review r ON r.id = k.review GROUP BY a.fact),"
	" now AS (SELECT j.fact, CASE WHEN j.any_confirmed THEN 'confirmed'"
	"    WHEN j.all_rejected THEN 'rejected' END AS verdict,"
	"   CASE WHEN j.any_confirmed THEN j.confirmed WHEN j.all_rejected THEN j.rejected END"
	" AS review"
	"  FROM judged j),"
	" put AS (UPDATE ${graph}.all_facts f SET verdict = n.verdict, review = n.review FROM now n"
	"  WHERE n.fact = f.fact AND (n.verdict, n.review) IS DISTINCT FROM (f.verdict, f.review)"
	"  RETURNING f.head, f.relation, f.tail)"
	" SELECT array_agg(p.head), array_agg(p.relation), array_agg(p.tail) FROM put p";

/*
 * $1, $2, $3: triples that changed.  They, and the facts of functional
 * relations that share the entity for which only one may hold, are judged:
 * rejected if so reviewed, superseded by the best of their rivals that is
 * better than they are, else accepted.  What is confirmed is never superseded.
 * With $4 the fact that was seen last is the best; what was never seen is older.
 */
#define SEEN(f) "CASE WHEN $4 THEN COALESCE(" f ".last_seen, '-infinity') ELSE '-infinity' END"
const char mren_graph_sql_judge_facts[] =
	", rule_of AS MATERIALIZED (SELECT c.stored AS relation, bool_or(c.symmetric) AS symmetric,"
	"   bool_or(c.functional AND (c.symmetric OR NOT c.reversed)) AS one_tail,"
	"   bool_or(c.functional AND (c.symmetric OR c.reversed)) AS one_head"
	"  FROM canon c GROUP BY c.stored HAVING bool_or(c.functional)),"
	" changed AS MATERIALIZED (SELECT DISTINCT c.head, c.relation, c.tail"
	"  FROM unnest($1, $2, $3) AS c (head, relation, tail)),"
	" affected AS MATERIALIZED ("
	"  SELECT f.fact FROM changed c JOIN ${graph}.all_facts f"
	"   ON f.head = c.head AND f.relation = c.relation AND f.tail = c.tail"
	"  UNION SELECT f.fact FROM changed c JOIN rule_of r ON r.relation = c.relation AND r.one_tail"
	"   JOIN ${graph}.all_facts f ON f.head = c.head AND f.relation = c.relation"
	"  UNION SELECT f.fact FROM changed c JOIN rule_of r ON r.relation = c.relation AND r.one_head"
	"   JOIN ${graph}.all_facts f ON f.tail = c.tail AND f.relation = c.relation"
	"  UNION SELECT f.fact FROM changed c JOIN rule_of r ON r.relation = c.relation AND r.symmetric"
	"   JOIN ${graph}.all_facts f ON f.head = c.tail AND f.relation = c.relation"
	"  UNION SELECT f.fact FROM changed c JOIN rule_of r ON r.relation = c.relation AND r.symmetric"
	"   JOIN ${graph}.all_facts f ON f.tail = c.head AND f.relation = c.relation),"
	" judged AS (SELECT f.fact,"
	"   CASE WHEN f.verdict = 'rejected' THEN 'rejected' WHEN b.fact IS NOT NULL THEN 'superseded'"
	"    ELSE 'accepted' END AS status,"
	"   b.fact AS superseded_by, CASE WHEN b.verdict = 'confirmed' THEN 'the other is confirmed'"
	"    WHEN b.seen > " SEEN("f") " THEN 'the other was seen later'"
	"    WHEN b.confidence > f.confidence THEN 'the other has a higher confidence'"
	"    WHEN b.sources > f.sources THEN 'the other has more sources'"
	"    WHEN b.fact IS NOT NULL THEN 'equal; the order of facts decides' END AS reason"
	"  FROM affected a JOIN ${graph}.all_facts f ON f.fact = a.fact"
	"  LEFT JOIN rule_of r ON r.relation = f.relation"
	"  LEFT JOIN LATERAL (SELECT g.fact, g.verdict, " SEEN("g") " AS seen, g.confidence,"
	"    g.sources FROM ("
	"    SELECT x.* FROM ${graph}.all_facts x WHERE r.one_tail AND x.head = f.head"
	" AND x.relation = f.relation"
	"    UNION ALL SELECT x.* FROM ${graph}.all_facts x WHERE r.one_head AND x.tail = f.tail"
	" AND x.relation = f.relation"
	"    UNION ALL SELECT x.* FROM ${graph}.all_facts x WHERE r.symmetric AND x.head = f.tail"
	" AND x.relation = f.relation"
	"    UNION ALL SELECT x.* FROM ${graph}.all_facts x WHERE r.symmetric AND x.tail = f.head"
	" AND x.relation = f.relation) g"
	"   WHERE f.verdict IS NULL AND g.fact <> f.fact AND g.verdict IS DISTINCT FROM 'rejected'"
	"   AND (COALESCE(g.verdict = 'confirmed', false), " SEEN("g") ", g.confidence, g.sources,"
	" f.fact)"
	"    > (false, " SEEN("f") ", f.confidence, f.sources, g.fact)"
	"   ORDER BY COALESCE(g.verdict = 'confirmed', false) DESC, " SEEN("g") " DESC,"
	"    g.confidence DESC, g.sources DESC, g.fact"
	"   LIMIT 1) b ON true)"
	" UPDATE ${graph}.all_facts f SET status = j.status, superseded_by = j.superseded_by,"
	" reason = j.reason FROM judged j WHERE j.fact = f.fact AND (j.status, j.superseded_by,"
	" j.reason)"
	"  IS DISTINCT FROM (f.status, f.superseded_by, f.reason)";

#undef SEEN

/*
 * Entities.  $1: which, NULL for all.  The name shown is the one that an alias
 * gives, else the spelling met most often of those in the canonical form.
 */
const char mren_graph_sql_merge_entities[] =
	"WITH mention AS MATERIALIZED ("
	"  SELECT e.head_entity AS entity, COALESCE(v.right_mention, e.head) AS surface,"
	"   CASE WHEN v.right_mention IS NULL THEN e.head_full END AS full_name,"
	"   COALESCE(mren.normalize_name(v.right_mention) COLLATE \"C\", e.head_name) AS name,"
	"   e.document FROM ${graph}.evidence e"
	"   LEFT JOIN ${graph}.mention_review v ON v.id = e.head_review"
	"  WHERE ($1 IS NULL OR e.head_entity = ANY ($1)) AND e.made AND v.verdict IS DISTINCT FROM 'rejected'"
	"  UNION ALL SELECT e.tail_entity, COALESCE(v.right_mention, e.tail),"
	"   CASE WHEN v.right_mention IS NULL THEN e.tail_full END,"
	"   COALESCE(mren.normalize_name(v.right_mention) COLLATE \"C\", e.tail_name), e.document"
	"   FROM ${graph}.evidence e LEFT JOIN ${graph}.mention_review v ON v.id = e.tail_review"
	"  WHERE ($1 IS NULL OR e.tail_entity = ANY ($1)) AND e.made AND v.verdict IS DISTINCT FROM 'rejected'),"
	" spelling AS MATERIALIZED (SELECT m.entity, " MREN_GRAPH_SQL_TIDY("m.surface") " AS surface,"
	"   m.name, true AS own FROM mention m"
	"  UNION ALL SELECT m.entity, " MREN_GRAPH_SQL_TIDY("m.full_name") ","
	"   mren.normalize_name(m.full_name), false FROM mention m WHERE m.full_name IS NOT NULL),"
	" stat AS (SELECT m.entity, count(*) AS mentions, count(DISTINCT m.document) AS documents"
	"  FROM mention m JOIN ${graph}.entities x ON x.entity = m.entity"
	"  WHERE NOT EXISTS (SELECT FROM ${graph}.ignored i"
	"   WHERE mren.normalize_name(i.name) = x.canonical AND i.type IN ('', x.type))"
	"  GROUP BY m.entity),"
	" spelled AS (SELECT s.entity, array_agg(DISTINCT s.surface ORDER BY s.surface) AS names,"
	"   array_agg(DISTINCT s.name COLLATE \"C\" ORDER BY s.name COLLATE \"C\") AS normalized"
	"  FROM spelling s GROUP BY s.entity),"
	" shown AS (SELECT DISTINCT ON (c.entity) c.entity, c.surface"
	"  FROM (SELECT s.entity, s.surface, bool_or(s.own) AS own, count(*) AS n FROM spelling s"
	"   JOIN ${graph}.entities x ON x.entity = s.entity AND x.canonical = s.name"
	"   GROUP BY s.entity, s.surface) c"
	"  ORDER BY c.entity, c.own DESC, c.n DESC, c.surface),"
	" label AS (SELECT mren.normalize_name(a.entity) COLLATE \"C\" AS name,"
	"   min(" MREN_GRAPH_SQL_TIDY("a.entity") ") AS label FROM ${graph}.aliases a GROUP BY 1),"
	" gone AS (DELETE FROM ${graph}.entities x WHERE ($1 IS NULL OR x.entity = ANY ($1))"
	"  AND NOT EXISTS (SELECT FROM stat s WHERE s.entity = x.entity)),"
	" full_stat AS (SELECT s.*, n.names, n.normalized,"
	"   COALESCE(l.label, w.surface, y.canonical) AS name FROM stat s"
	"  JOIN spelled n ON n.entity = s.entity JOIN ${graph}.entities y ON y.entity = s.entity"
	"  LEFT JOIN label l ON l.name = y.canonical LEFT JOIN shown w ON w.entity = s.entity)"
	" UPDATE ${graph}.entities x SET name = s.name, names = s.names, normalized = s.normalized,"
	"  mentions = s.mentions, documents = s.documents FROM full_stat s WHERE s.entity = x.entity"
	" AND (s.name, s.names, s.normalized, s.mentions, s.documents)"
	"  IS DISTINCT FROM (x.name, x.names, x.normalized, x.mentions, x.documents)";

/*
 * A batch of documents read: $1 keys, $2 texts, $3 images, $4 their vectors, then
 * the arguments of mren.document_evidence.
 */
const char mren_graph_sql_read[] =
	"SELECT r.*, mren.graph_identity(mren.normalize_name(r.sentence)) AS sentence_id,"
	" " MREN_GRAPH_SQL_STATEMENT("r") " AS statement FROM (SELECT i.document, e.*,"
	" mren.normalize_name(e.head) COLLATE \"C\" AS head_name,"
	"  mren.normalize_name(e.tail) COLLATE \"C\" AS tail_name FROM unnest($1, $2, $3, $4)"
	" AS i (document, body, image, vector) CROSS JOIN LATERAL mren.document_evidence($5, i.body,"
	" image => i.image, tagger => $6,"
	"  lexicons => $7, relation_schema => $8, max_distance => $9, threshold => $10,"
	"  image_vector => i.vector::real[], version => $11, tagger_version => $12)"
	"  WITH ORDINALITY AS e (head, head_type, relation, tail, tail_type, confidence,"
	"   sentence, head_span, tail_span, sentence_span, model_version, text_relation,"
	"   text_confidence, image_relation, image_confidence, head_full, tail_full,"
	"   head_confidence, tail_confidence, needed, n)) r";

/* What was read, as rows of evidence after the verdicts of people, and its mentions. */
const char mren_graph_sql_raw[] =
	"WITH RECURSIVE raw AS MATERIALIZED (SELECT * FROM " MREN_GRAPH_READING
	")," MREN_GRAPH_SQL_READ("raw");

/* What was read, resolved and stored; gives the facts and entities it touches. */
const char mren_graph_sql_place[] = MREN_GRAPH_SQL_PLACED
	", made AS (INSERT INTO ${graph}.evidence (document, n, head, head_type, relation, tail,"
	"   tail_type, confidence, sentence, head_span, tail_span, sentence_span, model_version,"
	"   text_relation, text_confidence, image_relation, image_confidence, head_full, tail_full,"
	"   head_name, tail_name, sentence_id, statement, head_entity, tail_entity, fact,"
	"   fact_relation, reversed, head_confidence, tail_confidence, head_review, tail_review,"
	"   right_relation, stated, needed, made)"
	"  SELECT p.document, p.n, p.head, p.head_type, p.relation, p.tail, p.tail_type, p.confidence,"
	"   p.sentence, p.head_span, p.tail_span, p.sentence_span, p.model_version, p.text_relation,"
	"   p.text_confidence, p.image_relation, p.image_confidence, p.head_full, p.tail_full,"
	"   p.head_name, p.tail_name, p.sentence_id, p.statement, p.head_id, p.tail_id, p.as_fact,"
	"   p.as_relation, p.as_reversed, p.head_confidence, p.tail_confidence, p.head_verdict,"
	"   p.tail_verdict, p.now_relation, p.now_stated, p.needed, p.now_made FROM placed p"
	"  RETURNING fact, head_entity, tail_entity) " MREN_GRAPH_SQL_TOUCHED("made");
