/*
 * graph_tables.c
 *	  The layout of a graph's tables, as statements.
 *
 * Nothing here may depend on the extension, no function in a default, an index
 * or a view: the tables outlive it.  Every statement passes over what is there,
 * so that making and upgrading are one thing.  A later layout adds its changes
 * after these, and counts MREN_GRAPH_LAYOUT up.
 *
 * The statements run with search_path pg_catalog (mren_graph_run).  Views name
 * their operators' schema all the same: what a reader's search_path holds must
 * never matter.
 *
 * check-qualified: search_path is pinned by mren_graph_run and mren_graph_query.
 */
#include "pg/graph/graph_base.h"

#include "utils/builtins.h"

#include "pg/graph/graph_statements.h"

static const char *const tables[] = {
	/* state: scored, failed.  pipeline is the hash of what scored it. */
	"CREATE TABLE IF NOT EXISTS ${graph}.documents ("
	" document text COLLATE pg_catalog.\"C\" PRIMARY KEY,"
	" hash bytea NOT NULL,"
	" pipeline bytea NOT NULL,"
	" state text NOT NULL CHECK (state IN ('scored', 'failed')),"
	" error text,"
	" seen_at timestamptz,"
	" model_version integer NOT NULL,"
	" scored_at timestamptz NOT NULL)",

	/*
	 * What the model said, then what the graph makes of it: names and sentence
	 * in one form, and the entities and the fact they stand for.  reversed: the
	 * fact's head is this row's tail.
	 */
	"CREATE TABLE IF NOT EXISTS ${graph}.evidence ("
	" document text COLLATE pg_catalog.\"C\" NOT NULL,"
	" n integer NOT NULL,"
	" head text NOT NULL, head_type text, relation text NOT NULL, tail text NOT NULL,"
	" tail_type text, confidence double precision NOT NULL, sentence text NOT NULL,"
	" head_span int4range NOT NULL, tail_span int4range NOT NULL,"
	" sentence_span int4range NOT NULL, model_version integer NOT NULL,"
	" text_relation text, text_confidence double precision,"
	" image_relation text, image_confidence double precision,"
	" head_name text COLLATE pg_catalog.\"C\" NOT NULL,"
	" tail_name text COLLATE pg_catalog.\"C\" NOT NULL,"
	" sentence_id uuid NOT NULL,"
	" head_entity uuid NOT NULL, tail_entity uuid NOT NULL,"
	" fact uuid, fact_relation text NOT NULL, reversed boolean NOT NULL,"
	" PRIMARY KEY (document, n))",

	"CREATE TABLE IF NOT EXISTS ${graph}.entities ("
	" entity uuid PRIMARY KEY,"
	" name text NOT NULL,"
	" type text NOT NULL,"
	" canonical text COLLATE pg_catalog.\"C\" NOT NULL,"
	" names text[] NOT NULL,"
	" normalized text[] NOT NULL,"
	" mentions bigint NOT NULL,"
	" documents bigint NOT NULL)",

	"CREATE TABLE IF NOT EXISTS ${graph}.all_facts ("
	" fact uuid PRIMARY KEY,"
	" head uuid NOT NULL, relation text NOT NULL, tail uuid NOT NULL,"
	" confidence double precision NOT NULL,"
	" sources bigint NOT NULL,"
	" sentences bigint NOT NULL,"
	" evidence bigint NOT NULL,"
	" first_seen timestamptz, last_seen timestamptz,"
	" status text NOT NULL CHECK (status IN ('accepted', 'superseded', 'rejected')),"
	" superseded_by uuid, reason text, verdict text)",

	/* What the analyst edits.  type '' is any. */
	"CREATE TABLE IF NOT EXISTS ${graph}.aliases ("
	" alias text NOT NULL,"
	" type text NOT NULL DEFAULT '',"
	" entity text NOT NULL,"
	" entity_type text,"
	" note text,"
	" PRIMARY KEY (alias, type))",

	"CREATE TABLE IF NOT EXISTS ${graph}.relations ("
	" relation text NOT NULL,"
	" head_type text, tail_type text,"
	" \"symmetric\" boolean NOT NULL DEFAULT false,"
	" inverse_of text,"
	" functional boolean NOT NULL DEFAULT false)",

	"CREATE TABLE IF NOT EXISTS ${graph}.review ("
	" id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
	" fact uuid NOT NULL,"
	" verdict text NOT NULL CHECK (verdict IN ('confirmed', 'rejected')),"
	" relation text,"
	" reviewer name NOT NULL DEFAULT CURRENT_USER,"
	" reviewed_at timestamptz NOT NULL DEFAULT pg_catalog.now(),"
	" note text)",

	/* One row: what the last merge went by, and what training rows are labelled with. */
	"CREATE TABLE IF NOT EXISTS ${graph}.state ("
	" single boolean PRIMARY KEY DEFAULT true CHECK (single),"
	" rules bytea,"
	" negative text,"
	" directed boolean NOT NULL DEFAULT false)",
	"INSERT INTO ${graph}.state DEFAULT VALUES ON CONFLICT DO NOTHING",

	"CREATE INDEX IF NOT EXISTS evidence_fact ON ${graph}.evidence (fact)",
	"CREATE INDEX IF NOT EXISTS evidence_head ON ${graph}.evidence (head_entity)",
	"CREATE INDEX IF NOT EXISTS evidence_tail ON ${graph}.evidence (tail_entity)",
	"CREATE INDEX IF NOT EXISTS entities_normalized ON ${graph}.entities USING gin (normalized)",
	"CREATE INDEX IF NOT EXISTS all_facts_head ON ${graph}.all_facts (head, relation)",
	"CREATE INDEX IF NOT EXISTS all_facts_tail ON ${graph}.all_facts (tail, relation)",
	"CREATE INDEX IF NOT EXISTS all_facts_verdict ON ${graph}.all_facts (fact)"
	" WHERE verdict IS NOT NULL",
	/* What readers look up: an entity by the name shown, the facts of a relation. */
	"CREATE INDEX IF NOT EXISTS entities_name ON ${graph}.entities (name)",
	"CREATE INDEX IF NOT EXISTS all_facts_relation ON ${graph}.all_facts (relation)",
	"CREATE INDEX IF NOT EXISTS review_fact ON ${graph}.review (fact, id)",

	"COMMENT ON TABLE ${graph}.documents"
	" IS 'Documents of the graph: content hash, what scored each, and whether that failed.'",
	"COMMENT ON TABLE ${graph}.evidence"
	" IS 'What the model read in each document; a fact is what evidence agrees on.'",
	"COMMENT ON TABLE ${graph}.entities"
	" IS 'Entities: a name and its type, with every spelling that stands for it.'",
	"COMMENT ON TABLE ${graph}.all_facts"
	" IS 'Facts, those that were superseded or rejected too; the view "
	"facts shows the rest by name.'",
	"COMMENT ON TABLE ${graph}.aliases"
	" IS 'Yours to edit: names that stand for another entity; the next merge applies them.'",
	"COMMENT ON TABLE ${graph}.relations"
	" IS 'Yours to edit: which types a relation joins, and whether it "
	"is symmetric, functional, or the inverse of another.'",
	"COMMENT ON TABLE ${graph}.review"
	" IS 'Yours to fill: verdicts on facts; the last one of a fact counts.'",
	"COMMENT ON TABLE ${graph}.state IS 'What the last merge went by.'",
};

/* The changes of layout 2: what a review judged, and which review decided. */
static const char *const changes[] = {
	"ALTER TABLE ${graph}.evidence ADD COLUMN IF NOT EXISTS statement uuid,"
	" ADD COLUMN IF NOT EXISTS review bigint",
	"ALTER TABLE ${graph}.all_facts ADD COLUMN IF NOT EXISTS review bigint",
	"ALTER TABLE ${graph}.review ADD COLUMN IF NOT EXISTS judged uuid[]",
	"CREATE INDEX IF NOT EXISTS evidence_statement ON ${graph}.evidence (statement)",
	"CREATE INDEX IF NOT EXISTS evidence_review ON ${graph}.evidence (review)"
	" WHERE review IS NOT NULL",
	"CREATE INDEX IF NOT EXISTS review_new ON ${graph}.review (fact) WHERE judged IS NULL",
	"COMMENT ON COLUMN ${graph}.evidence.statement IS 'What the model read, by the names in the "
	"text: the same for the same names, types and relation, whatever aliases say.'",
	"COMMENT ON COLUMN ${graph}.evidence.review IS 'The review that judges this evidence.'",
	"COMMENT ON COLUMN ${graph}.all_facts.review IS 'The review that decides the verdict.'",
	"COMMENT ON COLUMN ${graph}.review.judged"
	" IS 'The statements that the fact had when it was reviewed; filled by the next merge.'",
};

/*
 * The changes of layout 3: confidences of the mentions, and how the confidence of a fact is
 * calibrated.
 */
static const char *const calibration[] = {
	"ALTER TABLE ${graph}.evidence ADD COLUMN IF NOT EXISTS head_confidence double precision,"
	" ADD COLUMN IF NOT EXISTS tail_confidence double precision",
	"ALTER TABLE ${graph}.state ADD COLUMN IF NOT EXISTS confidence_slope double precision,"
	" ADD COLUMN IF NOT EXISTS confidence_intercept double precision",
	"COMMENT ON COLUMN ${graph}.evidence.confidence"
	" IS 'The probability of the relation, if the mentions are what they are taken for.'",
	"COMMENT ON COLUMN ${graph}.all_facts.confidence IS 'Of relation and mentions together; the "
	"view facts shows it calibrated, where enough facts are reviewed.'",
	"COMMENT ON COLUMN ${graph}.state.confidence_slope IS 'The log-odds of a fact are this times "
	"those of its confidence, plus the intercept; NULL: too few facts are reviewed.'",
};

/* The changes of layout 3: the names that short forms stand for. */
static const char *const names[] = {
	"ALTER TABLE ${graph}.evidence ADD COLUMN IF NOT EXISTS head_full text,"
	" ADD COLUMN IF NOT EXISTS tail_full text",
	"COMMENT ON COLUMN ${graph}.evidence.head_full IS 'The fullest form of the head''s name in its "
	"document, if the head is a short form of it.'",
	"COMMENT ON COLUMN ${graph}.evidence.tail_full IS 'The fullest form of the tail''s name in its "
	"document, if the tail is a short form of it.'",
};

/* The changes of layout 3: proposals of entities to merge, and names to pass over. */
static const char *const proposals[] = {
	/*
	 * By name and type, as entities come and go.  The entity that is mentioned more
	 * often is the first; an accepted proposal makes the other one it.
	 */
	"CREATE TABLE IF NOT EXISTS ${graph}.merge_candidates ("
	" name text COLLATE pg_catalog.\"C\" NOT NULL,"
	" type text COLLATE pg_catalog.\"C\" NOT NULL,"
	" other_name text COLLATE pg_catalog.\"C\" NOT NULL,"
	" other_type text COLLATE pg_catalog.\"C\" NOT NULL,"
	" score double precision NOT NULL,"
	" reasons text[] NOT NULL,"
	" verdict text CHECK (verdict IN ('accepted', 'refused')),"
	" note text,"
	" PRIMARY KEY (name, type, other_name, other_type),"
	" CHECK ((name, type) <> (other_name, other_type)))",
	"CREATE INDEX IF NOT EXISTS merge_candidates_open ON ${graph}.merge_candidates (score DESC)"
	" WHERE verdict IS NULL",
	"CREATE INDEX IF NOT EXISTS merge_candidates_accepted ON ${graph}.merge_candidates (name)"
	" WHERE verdict = 'accepted'",
	"CREATE TABLE IF NOT EXISTS ${graph}.ignored ("
	" name text NOT NULL,"
	" type text NOT NULL DEFAULT '',"
	" note text,"
	" PRIMARY KEY (name, type), CHECK (btrim(name) <> ''))",
	"CREATE TABLE IF NOT EXISTS ${graph}.manual_facts ("
	" id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
	" head text NOT NULL, head_type text NOT NULL DEFAULT '',"
	" relation text NOT NULL,"
	" tail text NOT NULL, tail_type text NOT NULL DEFAULT '',"
	" seen_at timestamptz, note text,"
	" added_by name NOT NULL DEFAULT CURRENT_USER,"
	" CHECK (btrim(head) <> '' AND btrim(relation) <> '' AND btrim(tail) <> ''))",
	/* It has no key: without this, a publication of all tables would refuse changes to it. */
	"ALTER TABLE ${graph}.relations REPLICA IDENTITY FULL",
	"ALTER TABLE ${graph}.aliases DROP CONSTRAINT IF EXISTS aliases_check",
	"ALTER TABLE ${graph}.aliases ADD CONSTRAINT aliases_check"
	" CHECK (btrim(alias) <> '' AND btrim(entity) <> '') NOT VALID",
	"COMMENT ON TABLE ${graph}.manual_facts"
	" IS 'Yours to fill: facts that no document states; the next merge applies it.'",
	"ALTER TABLE ${graph}.review DROP CONSTRAINT IF EXISTS review_verdict_check",
	"ALTER TABLE ${graph}.review ADD CONSTRAINT review_verdict_check"
	" CHECK (verdict IN ('confirmed', 'rejected', 'unsure'))",
	"ALTER TABLE ${graph}.review ADD COLUMN IF NOT EXISTS sentence text",
	"COMMENT ON COLUMN ${graph}.review.sentence"
	" IS 'The sentence that the reviewer read, if any: the verdict is gold for it.'",
	"COMMENT ON TABLE ${graph}.merge_candidates IS 'Pairs of entities that may be one, with score "
	"and reasons. Yours to decide: set verdict to accepted or refused,"
	" or back to NULL; the next merge applies it.'",
	"COMMENT ON TABLE ${graph}.ignored IS 'Yours to edit: names that are no entities, of one type "
	"or of any; the next merge applies it.'",
};

/* The changes of layout 3: which entries of an authority file entities are. */
static const char *const links[] = {
	/* linked: by the very name; such a link holds unless it is refused. */
	"CREATE TABLE IF NOT EXISTS ${graph}.link_candidates ("
	" name text COLLATE pg_catalog.\"C\" NOT NULL,"
	" type text COLLATE pg_catalog.\"C\" NOT NULL,"
	" key text NOT NULL,"
	" authority_name text NOT NULL,"
	" linked boolean NOT NULL DEFAULT false,"
	" score double precision NOT NULL DEFAULT 1,"
	" reasons text[] NOT NULL DEFAULT '{}',"
	" verdict text CHECK (verdict IN ('accepted', 'refused')),"
	" note text,"
	" PRIMARY KEY (name, type, key))",
	"CREATE INDEX IF NOT EXISTS link_candidates_key ON ${graph}.link_candidates (key)",
	"COMMENT ON TABLE ${graph}.link_candidates IS 'Entries of an authority file that entities may "
	"be, with score and reasons. Yours to decide: set verdict to accepted or refused,"
	" or back to NULL.'",
	"CREATE OR REPLACE VIEW ${graph}.linked_entities AS"
	" SELECT e.entity, e.name, NULLIF(e.type, '') AS type, e.mentions, e.documents,"
	"  l.key, l.authority_name, l.score FROM ${graph}.entities e"
	" LEFT JOIN LATERAL (SELECT k.key, k.authority_name, k.score FROM ${graph}.link_candidates k"
	"  WHERE k.name OPERATOR(pg_catalog.=) e.canonical AND k.type OPERATOR(pg_catalog.=) e.type"
	"   AND (k.verdict OPERATOR(pg_catalog.=) 'accepted' OR (k.linked AND k.verdict IS NULL))"
	"  ORDER BY k.verdict IS NULL, k.score DESC, k.key COLLATE pg_catalog.\"C\" LIMIT 1) l ON true",
	"COMMENT ON VIEW ${graph}.linked_entities"
	" IS 'Entities with the key that they have in the authority file, if any.'",
};

/* The changes of layout 3: verdicts on mentions, and what a review says in place of a relation. */
static const char *const mentions[] = {
	"CREATE TABLE IF NOT EXISTS ${graph}.mention_review ("
	" id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
	" document text COLLATE pg_catalog.\"C\" NOT NULL DEFAULT '',"
	" mention text NOT NULL,"
	" type text NOT NULL DEFAULT '',"
	" verdict text NOT NULL CHECK (verdict IN ('confirmed', 'rejected', 'corrected', 'unsure')),"
	" right_mention text, right_type text,"
	" reviewer name NOT NULL DEFAULT CURRENT_USER,"
	" reviewed_at timestamptz NOT NULL DEFAULT pg_catalog.now(),"
	" note text,"
	" CHECK ((verdict = 'corrected') = (right_mention IS NOT NULL OR right_type IS NOT NULL)),"
	" CHECK (btrim(mention) <> '' AND btrim(right_mention) <> ''))",
	"COMMENT ON TABLE ${graph}.mention_review IS 'Yours to fill: verdicts on mentions, of one "
	"document and type or (the empty string) of any; the last one counts,"
	" and the next merge applies it.'",
	"ALTER TABLE ${graph}.evidence ADD COLUMN IF NOT EXISTS head_review bigint,"
	" ADD COLUMN IF NOT EXISTS tail_review bigint,"
	" ADD COLUMN IF NOT EXISTS right_relation text,"
	" ADD COLUMN IF NOT EXISTS stated boolean,"
	" ADD COLUMN IF NOT EXISTS needed double precision,"
	" ADD COLUMN IF NOT EXISTS made boolean NOT NULL DEFAULT true",
	"COMMENT ON COLUMN ${graph}.evidence.head_review"
	" IS 'The verdict on the head, in mention_review.'",
	"COMMENT ON COLUMN ${graph}.evidence.tail_review"
	" IS 'The verdict on the tail, in mention_review.'",
	"COMMENT ON COLUMN ${graph}.evidence.right_relation"
	" IS 'The relation that a review names in place of the model''s.'",
	"COMMENT ON COLUMN ${graph}.evidence.needed"
	" IS 'The threshold of the relation; NULL: the model has none.'",
	"COMMENT ON COLUMN ${graph}.evidence.made IS 'Whether relation and mentions are sure enough "
	"for a statement. If not, this is no evidence unless a verdict confirms a mention.'",
	"COMMENT ON COLUMN ${graph}.evidence.stated"
	" IS 'What reversed is without that: that of the model''s relation.'",
	"ALTER TABLE ${graph}.review DROP CONSTRAINT IF EXISTS review_relation_check",
	"ALTER TABLE ${graph}.review ADD CONSTRAINT review_relation_check"
	" CHECK (relation IS NULL OR verdict = 'rejected') NOT VALID",
};

/*
 * Evidence labelled by verdicts, as "FROM (...) l WHERE ..." and its columns.  verdicts: a
 * query of document, n, verdict, relation and now (whether it judges what the evidence says
 * after a correction); more: other columns that l has, of evidence e
 * and verdicts r.  A model whose relations have a direction in their name reads pairs in
 * text order: flip.
 */
#define ROW_COLUMNS                                                                                \
	"l.sentence,"                                                                                  \
	" CASE WHEN l.flip THEN l.tail ELSE l.head END AS head,"                                       \
	" CASE WHEN l.flip THEN l.head ELSE l.tail END AS tail,"                                       \
	" CASE WHEN NOT l.directed OR l.relation OPERATOR(pg_catalog.=) l.negative THEN l.relation"    \
	"  WHEN l.flip THEN l.relation OPERATOR(pg_catalog.||) '(e2,e1)'"                              \
	"  ELSE l.relation OPERATOR(pg_catalog.||) '(e1,e2)' END AS relation,"                         \
	" CASE WHEN l.flip THEN l.tail_type ELSE l.head_type END AS head_type,"                        \
	" CASE WHEN l.flip THEN l.head_type ELSE l.tail_type END AS tail_type"
/* SQL, a clause a line. */
/* clang-format off */
#define LABELLED(more, verdicts)                                                                   \
	" FROM (SELECT e.sentence, o.head, o.tail, o.head_type, o.tail_type, s.directed, s.negative,"  \
	"   s.directed AND o.tail OPERATOR(pg_catalog.<) o.head AS flip,"                              \
	"   CASE WHEN r.verdict OPERATOR(pg_catalog.=) 'confirmed'"                                    \
	"     THEN COALESCE(CASE WHEN r.now THEN e.right_relation END, e.relation)"                    \
	"    ELSE COALESCE(r.relation, s.negative) END AS relation" more                               \
	"  FROM (" verdicts ") r"                                                                      \
	"  JOIN ${graph}.evidence e"                                                                   \
	"   ON e.document OPERATOR(pg_catalog.=) r.document AND e.n OPERATOR(pg_catalog.=) r.n"        \
	"   AND e.n OPERATOR(pg_catalog.>) 0 AND r.verdict OPERATOR(pg_catalog.<>) 'unsure'"           \
	"  CROSS JOIN ${graph}.state s"                                                                \
	"  LEFT JOIN ${graph}.mention_review hv ON hv.id OPERATOR(pg_catalog.=) e.head_review"         \
	"  LEFT JOIN ${graph}.mention_review tv ON tv.id OPERATOR(pg_catalog.=) e.tail_review,"        \
	"  LATERAL (SELECT " MREN_GRAPH_SQL_RIGHT_SPAN("head", "hv") " AS head,"                       \
	"    " MREN_GRAPH_SQL_RIGHT_SPAN("tail", "tv") " AS tail,"                                     \
	"    COALESCE(hv.right_type, e.head_type) AS head_type,"                                       \
	"    COALESCE(tv.right_type, e.tail_type) AS tail_type) m,"                                    \
	"  LATERAL (SELECT CASE WHEN e.right_relation IS NOT NULL THEN e.stated"                       \
	"     AND (r.now OR r.verdict OPERATOR(pg_catalog.=) 'rejected')"                              \
	"    ELSE e.reversed AND r.verdict OPERATOR(pg_catalog.=) 'rejected'"                          \
	"     AND r.relation IS NOT NULL END AS turned) d,"                                            \
	"  LATERAL (SELECT m.head, m.tail, m.head_type, m.tail_type WHERE NOT d.turned"                \
	"   UNION ALL SELECT m.tail, m.head, m.tail_type, m.head_type WHERE d.turned) o"               \
	"  WHERE o.head IS NOT NULL AND o.tail IS NOT NULL"                                            \
	"   AND hv.verdict IS DISTINCT FROM 'rejected' AND tv.verdict IS DISTINCT FROM 'rejected') l"  \
	" WHERE l.relation IS NOT NULL"
/* clang-format on */

static const char *const views[] = {
	"CREATE OR REPLACE VIEW ${graph}.facts AS"
	" SELECT f.fact, h.name AS head, NULLIF(h.type, '') AS head_type, f.relation,"
	" t.name AS tail, NULLIF(t.type, '') AS tail_type, " MREN_GRAPH_SQL_CONFIDENCE " AS confidence,"
	" f.sources, f.sentences, f.evidence, f.first_seen, f.last_seen,"
	" COALESCE(r.verdict OPERATOR(pg_catalog.=) 'confirmed', false) AS confirmed,"
	" f.head AS head_entity, f.tail AS tail_entity"
	" FROM ${graph}.all_facts f"
	" JOIN ${graph}.entities h ON h.entity OPERATOR(pg_catalog.=) f.head"
	" JOIN ${graph}.entities t ON t.entity OPERATOR(pg_catalog.=) f.tail" MREN_GRAPH_SQL_VERDICT,

	"CREATE OR REPLACE VIEW ${graph}.conflicts AS"
	" SELECT f.fact, h.name AS head, f.relation, t.name AS tail, f.confidence, f.sources,"
	" f.reason, f.superseded_by, wh.name AS superseded_by_head, wt.name AS superseded_by_tail,"
	" w.confidence AS superseded_by_confidence"
	" FROM ${graph}.all_facts f"
	" JOIN ${graph}.entities h ON h.entity OPERATOR(pg_catalog.=) f.head"
	" JOIN ${graph}.entities t ON t.entity OPERATOR(pg_catalog.=) f.tail"
	" JOIN ${graph}.all_facts w ON w.fact OPERATOR(pg_catalog.=) f.superseded_by"
	" JOIN ${graph}.entities wh ON wh.entity OPERATOR(pg_catalog.=) w.head"
	" JOIN ${graph}.entities wt ON wt.entity OPERATOR(pg_catalog.=) w.tail"
	" WHERE f.status OPERATOR(pg_catalog.=) 'superseded'",

	/* The evidence with a verdict, labelled by it. */
	"CREATE OR REPLACE VIEW ${graph}.training_rows AS"
	" SELECT DISTINCT " ROW_COLUMNS LABELLED(
		"",
		"SELECT DISTINCT ON (k.document, k.n) k.document, k.n, k.verdict, k.relation, true AS now "
		"FROM ("
		"  SELECT x.document, x.n, v.id, v.verdict, v.relation FROM ${graph}.review v"
		"   JOIN ${graph}.evidence x ON x.fact OPERATOR(pg_catalog.=) v.fact WHERE v.judged IS NULL"
		"  UNION ALL SELECT x.document, x.n, v.id, v.verdict, v.relation FROM ${graph}.review v"
		"   JOIN ${graph}.evidence x ON x.review OPERATOR(pg_catalog.=) v.id) k"
		" ORDER BY k.document, k.n, k.id DESC"),

	/*
	 * What each reviewer says of the evidence: the verdict given at its sentence before
	 * one given at another, then the last.  A pair of mentions may be evidence of several
	 * facts: that one of them is wrong says nothing against a vote for another.
	 */
	/* SQL, a clause a line. */
	/* clang-format off */
	"CREATE OR REPLACE VIEW ${graph}.review_votes AS"
	" SELECT DISTINCT ON (w.sentence_id, w.head, w.tail, w.source)"
	"  w.sentence_id::pg_catalog.text OPERATOR(pg_catalog.||) ' '"
	"   OPERATOR(pg_catalog.||) w.head::pg_catalog.text OPERATOR(pg_catalog.||) ' '"
	"   OPERATOR(pg_catalog.||) w.tail::pg_catalog.text AS id,"
	"  w.sentence, w.head, w.tail, w.head_type, w.tail_type, w.source, w.relation, w.gold"
	" FROM (SELECT l.sentence_id, l.reviewer::pg_catalog.text AS source, l.gold, "
	ROW_COLUMNS LABELLED(
		", e.sentence_id, r.reviewer, r.gold",
		"SELECT DISTINCT ON (k.document, k.n, k.reviewer) k.document, k.n, k.reviewer, k.verdict,"
		"  k.relation, k.gold, k.now FROM ("
		"   SELECT x.document, x.n, v.id, v.reviewer, v.verdict, v.relation,"
		"    COALESCE(v.sentence OPERATOR(pg_catalog.=) x.sentence, false) AS gold, true AS now"
		"    FROM ${graph}.review v JOIN ${graph}.evidence x"
		"     ON x.fact OPERATOR(pg_catalog.=) v.fact WHERE v.judged IS NULL"
		"   UNION ALL SELECT x.document, x.n, v.id, v.reviewer, v.verdict, v.relation,"
		"    COALESCE(v.sentence OPERATOR(pg_catalog.=) x.sentence, false),"
		"    COALESCE(x.fact OPERATOR(pg_catalog.=) v.fact, false)"
		"    FROM ${graph}.review v CROSS JOIN LATERAL pg_catalog.unnest(v.judged) AS j (statement)"
		"    JOIN ${graph}.evidence x ON x.statement OPERATOR(pg_catalog.=) j.statement AND x.made) k"
		" ORDER BY k.document, k.n, k.reviewer, k.gold DESC, k.id DESC")
	") w CROSS JOIN ${graph}.state s"
	" ORDER BY w.sentence_id, w.head, w.tail, w.source,"
	" w.relation IS NOT DISTINCT FROM s.negative, w.gold DESC, w.relation, w.sentence",
	/* clang-format on */

	/* Facts that a person vouches for, in each direction and under each name they have. */
	"CREATE OR REPLACE VIEW ${graph}.known_facts AS"
	" WITH known AS (SELECT f.head, f.head_type, f.relation, f.tail, f.tail_type"
	"   FROM ${graph}.facts f WHERE f.confirmed"
	"    OR EXISTS (SELECT FROM ${graph}.evidence e WHERE e.fact OPERATOR(pg_catalog.=) f.fact"
	"     AND e.n OPERATOR(pg_catalog.<) 0)),"
	" other AS (SELECT r.relation, r.relation AS stated FROM ${graph}.relations r"
	"   WHERE r.\"symmetric\""
	"  UNION SELECT r.relation, r.inverse_of FROM ${graph}.relations r"
	"   WHERE r.inverse_of IS NOT NULL"
	"  UNION SELECT r.inverse_of, r.relation FROM ${graph}.relations r"
	"   WHERE r.inverse_of IS NOT NULL)"
	" SELECT k.head, k.head_type, k.relation, k.tail, k.tail_type FROM known k"
	" UNION SELECT k.tail, k.tail_type, o.stated, k.head, k.head_type FROM known k"
	" JOIN other o ON o.relation OPERATOR(pg_catalog.=) k.relation",

	/* Short forms stand for a name within their document only. */
	"CREATE OR REPLACE VIEW ${graph}.known_names AS"
	" SELECT m.alias, NULLIF(m.type, '') AS type, x.canonical AS name FROM ("
	"  SELECT e.head_name AS alias, e.head_type AS type, e.head_entity AS entity"
	"   FROM ${graph}.evidence e WHERE e.head_full IS NULL AND e.head_review IS NULL AND e.made"
	"  UNION SELECT e.tail_name, e.tail_type, e.tail_entity FROM ${graph}.evidence e"
	"   WHERE e.tail_full IS NULL AND e.tail_review IS NULL AND e.made) m"
	" JOIN ${graph}.entities x ON x.entity OPERATOR(pg_catalog.=) m.entity"
	" WHERE m.alias OPERATOR(pg_catalog.<>) x.canonical"
	" UNION SELECT a.alias, NULLIF(a.type, ''), a.entity FROM ${graph}.aliases a",

	"COMMENT ON VIEW ${graph}.review_votes IS 'Reviews as votes on the sentences of their facts, "
	"for mren.label_model; gold where the reviewer saw the sentence.'",
	"COMMENT ON VIEW ${graph}.known_facts"
	" IS 'Facts that are confirmed or added by hand, for mren.distant_labels.'",
	"COMMENT ON VIEW ${graph}.known_names"
	" IS 'Names that stand for another, as the aliases of mren.distant_labels.'",

	/*
	 * sighting: when a fact was seen, last one a moment.  Of the facts that a
	 * functional relation lets only one of hold, each holds from when it was seen
	 * until another was; runs of the same one are one row.
	 */
	"CREATE OR REPLACE VIEW ${graph}.timeline AS"
	" WITH rule AS (SELECT r.relation, false AS one_head FROM ${graph}.relations r"
	"   WHERE r.functional"
	"  UNION SELECT r.inverse_of, true FROM ${graph}.relations r"
	"   WHERE r.functional AND r.inverse_of IS NOT NULL),"
	" sighting AS (SELECT f.fact, f.head, f.relation, f.tail,"
	"   CASE WHEN r.one_head THEN f.tail ELSE f.head END AS subject, r.one_head,"
	"   COALESCE(d.seen_at, m.seen_at) AS seen_at, pg_catalog.max(e.confidence) AS confidence"
	"  FROM ${graph}.all_facts f JOIN rule r ON r.relation OPERATOR(pg_catalog.=) f.relation"
	"  JOIN ${graph}.evidence e ON e.fact OPERATOR(pg_catalog.=) f.fact"
	"  LEFT JOIN ${graph}.documents d ON d.document OPERATOR(pg_catalog.=) e.document"
	"   AND e.n OPERATOR(pg_catalog.>) 0"
	"  LEFT JOIN ${graph}.manual_facts m"
	"   ON m.id OPERATOR(pg_catalog.=) (OPERATOR(pg_catalog.-) e.n)"
	"  WHERE f.status OPERATOR(pg_catalog.<>) 'rejected'"
	"   AND COALESCE(d.seen_at, m.seen_at) IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6, 7),"
	" surest AS (SELECT DISTINCT ON (s.relation, s.one_head, s.subject, s.seen_at) s.*"
	"  FROM sighting s"
	"  ORDER BY s.relation, s.one_head, s.subject, s.seen_at, s.confidence DESC, s.fact),"
	" turn AS (SELECT s.*, pg_catalog.lag(s.fact) OVER w IS DISTINCT FROM s.fact AS new"
	"  FROM surest s WINDOW w AS (PARTITION BY s.relation, s.one_head, s.subject"
	"   ORDER BY s.seen_at)),"
	" held AS (SELECT t.fact, t.seen_at AS valid_from, pg_catalog.lead(t.seen_at) OVER"
	"   (PARTITION BY t.relation, t.one_head, t.subject ORDER BY t.seen_at) AS valid_to"
	"  FROM turn t WHERE t.new"
	"  UNION ALL SELECT f.fact, f.first_seen, NULL FROM ${graph}.all_facts f"
	"  WHERE f.status OPERATOR(pg_catalog.<>) 'rejected'"
	"   AND NOT EXISTS (SELECT FROM sighting s WHERE s.fact OPERATOR(pg_catalog.=) f.fact))"
	" SELECT f.fact, h.name AS head, NULLIF(h.type, '') AS head_type, f.relation, t.name AS tail,"
	"  NULLIF(t.type, '') AS tail_type, f.confidence, k.valid_from, k.valid_to, f.status"
	" FROM held k JOIN ${graph}.all_facts f ON f.fact OPERATOR(pg_catalog.=) k.fact"
	" JOIN ${graph}.entities h ON h.entity OPERATOR(pg_catalog.=) f.head"
	" JOIN ${graph}.entities t ON t.entity OPERATOR(pg_catalog.=) f.tail",
	"COMMENT ON VIEW ${graph}.timeline IS 'Facts, superseded ones too, with the time in which they "
	"held: of functional relations until another one was seen.'",

	"COMMENT ON VIEW ${graph}.facts IS 'The facts of the graph by name: neither superseded nor "
	"rejected.'",
	"COMMENT ON VIEW ${graph}.conflicts"
	" IS 'Facts that lost to another, of a functional relation, and why.'",
	"COMMENT ON VIEW ${graph}.training_rows"
	" IS 'Sentences whose facts were reviewed, as rows for mren.train.'",
};

/* Dropped in this order: views before what they read. */
static const char *const drops[] = {
	"DROP VIEW IF EXISTS ${graph}.training_rows, ${graph}.review_votes, ${graph}.known_names,"
	" ${graph}.known_facts, ${graph}.conflicts, ${graph}.facts, ${graph}.timeline,"
	" ${graph}.linked_entities",
	"DROP TABLE IF EXISTS ${graph}.documents, ${graph}.evidence, ${graph}.entities,"
	" ${graph}.all_facts, ${graph}.aliases,"
	" ${graph}.relations, ${graph}.review, ${graph}.state",
	"DROP TABLE IF EXISTS ${graph}.merge_candidates, ${graph}.ignored, ${graph}.manual_facts,"
	" ${graph}.mention_review, ${graph}.link_candidates",
};

#define AT_MOST_1000_BYTES(table, a, b)                                                            \
	"ALTER TABLE ${graph}." table " DROP CONSTRAINT IF EXISTS " table "_length",                   \
		"ALTER TABLE ${graph}." table " ADD CONSTRAINT " table "_length"                           \
		" CHECK (GREATEST(octet_length(" a "), octet_length(" b ")) <= 1000) NOT VALID"

/* A name stands in indexes, so it is no longer than a phrase of a lexicon (MREN_MAX_PHRASE). */
static const char *const lengths[] = {
	AT_MOST_1000_BYTES("aliases", "alias", "entity"),
	AT_MOST_1000_BYTES("ignored", "name", "type"),
	AT_MOST_1000_BYTES("manual_facts", "head", "tail"),
	AT_MOST_1000_BYTES("mention_review", "mention", "right_mention"),
};

static void
run_all(const MrenGraph *graph, const char *const *statements, int n)
{
	for (int i = 0; i < n; i++)
		mren_graph_run_sql(graph, statements[i], 0, NULL, NULL, NULL);
}

void
mren_graph_make_tables(const MrenGraph *graph)
{
	run_all(graph, tables, lengthof(tables));
	run_all(graph, changes, lengthof(changes));
	run_all(graph, names, lengthof(names));
	run_all(graph, proposals, lengthof(proposals));
	run_all(graph, calibration, lengthof(calibration));
	run_all(graph, links, lengthof(links));
	run_all(graph, mentions, lengthof(mentions));
	run_all(graph, lengths, lengthof(lengths));
	run_all(graph, views, lengthof(views));
}

void
mren_graph_drop_tables(const MrenGraph *graph)
{
	run_all(graph, drops, lengthof(drops));
}
