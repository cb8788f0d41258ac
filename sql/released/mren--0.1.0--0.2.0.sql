\echo Use "ALTER EXTENSION mren UPDATE" to load this file. \quit

-- What takes a database from 0.1.0 to 0.2.0.  A part that is new as a whole is
-- taken in with \include; what 0.1.0 had and 0.2.0 changes is written out here,
-- and in its part.  test/t/190_update.pl compares the outcome with a database
-- made anew, object by object.


-- 32_readers.sql
-- Readers that came with 0.2.0.

CREATE FUNCTION mren.read_tacred(content text)
RETURNS TABLE (id text, sentence text, head int4range, tail int4range, relation text,
               head_type text, tail_type text)
AS 'MODULE_PATHNAME', 'mren_read_tacred'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 8000;
COMMENT ON FUNCTION mren.read_tacred(text) IS
    'Rows of a TACRED file, given whole or one row: JSON with tokens, and subject and object by their first and last token; the head is the subject.';

CREATE FUNCTION mren.read_marked(line text)
RETURNS TABLE (id text, sentence text, head int4range, tail int4range, relation text)
AS 'MODULE_PATHNAME', 'mren_read_marked'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION mren.read_marked(text) IS
    'The row of one line with marked mentions, as SciBERT''s files of SciERC and ChemProt have them: a JSON object with "text", in which [[ head ]] and << tail >> stand, and "label"; no row for a blank line.';

-- 72_calibration.sql
-- What a confidence is worth, and how good ranked facts are.

CREATE FUNCTION mren.calibration(model text, query text, version integer DEFAULT NULL, bins integer DEFAULT 15)
    RETURNS TABLE (bin integer, lower double precision, upper double precision, count bigint,
                   confidence double precision, accuracy double precision, error double precision,
                   expected_error double precision, coverage double precision,
                   accuracy_above double precision, brier double precision, log_loss double precision)
    AS 'MODULE_PATHNAME', 'mren_calibration'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000 ROWS 16;
COMMENT ON FUNCTION mren.calibration(text, text, integer, integer) IS
    'How far a version''s confidence can be trusted on a query''s rows: bins of equal mass, then the whole (bin NULL) with its calibration error, beside the one that a perfectly calibrated model of this size would show.';

CREATE FUNCTION mren.reliability(confidences double precision[], correct boolean[], bins integer DEFAULT 15)
    RETURNS TABLE (bin integer, lower double precision, upper double precision, count bigint,
                   confidence double precision, accuracy double precision, error double precision,
                   expected_error double precision, coverage double precision,
                   accuracy_above double precision)
    AS 'MODULE_PATHNAME', 'mren_reliability'
    LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10000 ROWS 16;
COMMENT ON FUNCTION mren.reliability(double precision[], boolean[], integer) IS
    'The same for one''s own predictions: their confidences, and whether each was correct.';

CREATE FUNCTION mren.precision_recall(confidences double precision[], correct boolean[], relevant bigint DEFAULT NULL)
    RETURNS TABLE (rank bigint, confidence double precision, correct bigint, "precision" double precision,
                   recall double precision, average_precision double precision)
    AS 'MODULE_PATHNAME', 'mren_precision_recall'
    LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10000 ROWS 1000;
COMMENT ON FUNCTION mren.precision_recall(double precision[], boolean[], bigint) IS
    'The precision-recall curve of ranked facts, a row for each distinct confidence from the surest down; relevant: how many facts there are to be found.';

CREATE FUNCTION mren.precision_at(confidences double precision[], correct boolean[], n bigint)
    RETURNS double precision
    AS 'MODULE_PATHNAME', 'mren_precision_at'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION mren.precision_at(double precision[], boolean[], bigint) IS
    'Precision among the n surest facts; of equals at the border, what is expected in random order; NULL if there are fewer.';

-- 74_compare.sql
-- Which options are the best for one's rows.

CREATE FUNCTION mren.compare(model text, query text, variants jsonb[], folds integer DEFAULT 5)
    RETURNS TABLE (variant integer, options jsonb, score double precision, lower double precision,
                   upper double precision, seconds double precision, measure text, rows bigint, groups bigint,
                   difference double precision, difference_lower double precision,
                   difference_upper double precision)
    AS 'MODULE_PATHNAME', 'mren_compare'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000 ROWS 4;
COMMENT ON FUNCTION mren.compare(text, text, jsonb[], integer) IS
    'How well each variant of a model''s options (model NULL: of the defaults) learns a query''s rows, by cross-validation on the same folds: its score, with an interval of 95 %, and by how much it is above the first variant''s. Saves nothing.';

-- Models name the lexicons they were trained with, as they do their embeddings.
ALTER TABLE mren.model_version ADD COLUMN lexicons bytea[];

-- 15_lexicons.sql
-- Lexicons: phrases with types, from a query or an array.

CREATE SEQUENCE mren.lexicon_id;

CREATE TABLE mren.lexicon (
    id          bigint PRIMARY KEY DEFAULT pg_catalog.nextval('mren.lexicon_id'),
    name        text COLLATE "C" NOT NULL UNIQUE,
    owner       name NOT NULL,
    phrases     bigint NOT NULL,
    types       text[] NOT NULL,
    sha256      bytea NOT NULL,
    loaded_at   timestamptz NOT NULL
);
COMMENT ON TABLE mren.lexicon IS
    'Lexicons; sha256 is over phrases, types and confidences in bytewise order, so it does not depend on the order of the rows.';

CREATE TABLE mren.lexicon_phrase (
    lexicon     bigint NOT NULL,
    phrase      text COLLATE "C" NOT NULL,
    type        text COLLATE "C" NOT NULL,
    confidence  double precision NOT NULL,
    PRIMARY KEY (lexicon, phrase, type)
);
COMMENT ON TABLE mren.lexicon_phrase IS 'The phrases of mren.lexicon with their types.';

SELECT pg_catalog.pg_extension_config_dump('mren.lexicon_id', '');
SELECT pg_catalog.pg_extension_config_dump('mren.lexicon', '');
SELECT pg_catalog.pg_extension_config_dump('mren.lexicon_phrase', '');

CREATE FUNCTION mren.load_lexicon(name text, query text)
RETURNS bigint
AS 'MODULE_PATHNAME', 'mren_load_lexicon'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.load_lexicon(text, text) IS
    'Loads a lexicon from a query, run read-only; its columns go by name: phrase, type and, if there, confidence. Returns the number of phrases.';

CREATE FUNCTION mren.load_lexicon(name text, phrases text[], type text)
RETURNS bigint
AS 'MODULE_PATHNAME', 'mren_load_lexicon_array'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.load_lexicon(text, text[], text) IS
    'Loads a lexicon of phrases that all have one type; returns the number of phrases.';

CREATE FUNCTION mren.drop_lexicon(name text)
RETURNS void
AS 'MODULE_PATHNAME', 'mren_drop_lexicon'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.drop_lexicon(text) IS 'Drops a lexicon; refused while a model needs it.';

CREATE VIEW mren.lexicons AS
SELECT name, phrases, types, pg_catalog.encode(sha256, 'hex') AS sha256, owner, loaded_at
FROM mren.lexicon;
COMMENT ON VIEW mren.lexicons IS 'The lexicons that are loaded; phrases counts each with each of its types.';
GRANT SELECT ON mren.lexicons TO PUBLIC;
REVOKE EXECUTE ON FUNCTION
    mren.load_lexicon(text, text),
    mren.load_lexicon(text, text[], text),
    mren.drop_lexicon(text)
FROM PUBLIC;

-- 55_extract.sql
-- From documents to triples: mentions, pairs of them, relations.

CREATE FUNCTION mren.entities(document text, lexicons text[] DEFAULT NULL, tagger text DEFAULT NULL,
    tagger_version integer DEFAULT NULL)
RETURNS TABLE (mention text, type text, span int4range, confidence double precision, source text)
AS 'MODULE_PATHNAME', 'mren_entities'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION mren.entities(text, text[], text, integer) IS
    'The mentions of a document, found by lexicons and by a tagger; of overlapping ones the longest. Spans are characters, half open, 0-based.';

CREATE FUNCTION mren.candidates(document text, lexicons text[] DEFAULT NULL, tagger text DEFAULT NULL,
    relation_schema regclass DEFAULT NULL, max_distance integer DEFAULT NULL, tagger_version integer DEFAULT NULL)
RETURNS TABLE (sentence text, head text, head_type text, head_span int4range, tail text, tail_type text,
    tail_span int4range, sentence_span int4range)
AS 'MODULE_PATHNAME', 'mren_candidates'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000 ROWS 20;
COMMENT ON FUNCTION mren.candidates(text, text[], text, regclass, integer, integer) IS
    'The ordered pairs of mentions in each sentence, or within a distance, that the relation schema allows; spans of mentions are characters of the sentence.';

CREATE FUNCTION mren.extract(model text, document text, image bytea DEFAULT NULL, tagger text DEFAULT NULL,
    lexicons text[] DEFAULT NULL, relation_schema regclass DEFAULT NULL, max_distance integer DEFAULT NULL,
    threshold double precision DEFAULT NULL, image_vector real[] DEFAULT NULL, version integer DEFAULT NULL,
    tagger_version integer DEFAULT NULL)
RETURNS TABLE (head text, head_type text, relation text, tail text, tail_type text, confidence double precision,
    sentence text, head_span int4range, tail_span int4range)
AS 'MODULE_PATHNAME', 'mren_extract'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10000 ROWS 10;
COMMENT ON FUNCTION mren.extract(text, text, bytea, text, text[], regclass, integer, double precision, real[], integer, integer) IS
    'The relations that a model finds in a document (and its picture) between the mentions that lexicons and a tagger find.';

CREATE FUNCTION mren.extract_evidence(model text, document text, image bytea DEFAULT NULL, tagger text DEFAULT NULL,
    lexicons text[] DEFAULT NULL, relation_schema regclass DEFAULT NULL, max_distance integer DEFAULT NULL,
    threshold double precision DEFAULT NULL, image_vector real[] DEFAULT NULL, version integer DEFAULT NULL,
    tagger_version integer DEFAULT NULL)
RETURNS TABLE (head text, head_type text, relation text, tail text, tail_type text, confidence double precision,
    sentence text, head_span int4range, tail_span int4range, sentence_span int4range, model_version integer,
    text_relation text, text_confidence double precision, image_relation text, image_confidence double precision)
AS 'MODULE_PATHNAME', 'mren_extract_evidence'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10000 ROWS 10;
COMMENT ON FUNCTION mren.extract_evidence(text, text, bytea, text, text[], regclass, integer, double precision, real[], integer, integer) IS
    'What mren.extract gives, with the sentence''s place in the document, the version that answered, and what the text alone and the picture alone would have said.';

-- What mren.retrain goes by, and what it found.
ALTER TABLE mren.model_version
    ADD COLUMN query text,
    ADD COLUMN search_path text,
    ADD COLUMN query_owner name,
    ADD COLUMN given jsonb;
COMMENT ON TABLE mren.model_version IS
    'Versions of models; embeddings, encoder and lexicons are content hashes (mren.embedding.sha256, mren.encoder.identity, mren.lexicon.sha256). query, with the search_path and the role it was given under, and the options as given are what mren.retrain goes by.';

ALTER TABLE mren.run
    DROP CONSTRAINT run_status_check,
    ADD CONSTRAINT run_status_check
        CHECK (status IN ('running', 'succeeded', 'skipped', 'failed', 'canceled', 'terminated')),
    ADD COLUMN call text NOT NULL DEFAULT 'train',
    ADD COLUMN champion integer,
    ADD COLUMN verdict text,
    ADD COLUMN reason text,
    ADD COLUMN measure text,
    ADD COLUMN champion_score double precision,
    ADD COLUMN challenger_score double precision,
    ADD COLUMN lower_bound double precision,
    ADD COLUMN gate_rows bigint,
    ADD COLUMN gate_seen bigint,
    ADD COLUMN new_rows bigint;
COMMENT ON TABLE mren.run IS 'Every training and retraining, in progress or ended, with each epoch in log.';

-- Taggers are models of another kind, and need no embeddings.
ALTER TABLE mren.model
    ADD COLUMN kind text NOT NULL DEFAULT 'relation' CHECK (kind IN ('relation', 'tagger'));
COMMENT ON TABLE mren.model IS 'Models, one row a name; mren.models shows their versions. Kind: relation or tagger.';
ALTER TABLE mren.model_version ALTER COLUMN embeddings DROP NOT NULL;

-- 47_taggers.sql
-- Taggers: models that find mentions.  Versions, deployment and rights are
-- those of every model.

CREATE FUNCTION mren.encode_tags(options jsonb, tokens text[], tags text[], weight real, split text, "group" text)
RETURNS bytea
AS 'MODULE_PATHNAME', 'mren_encode_tags'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION mren.encode_tags(jsonb, text[], text[], real, text, text) IS
    'A training row as mren.train_tagger keeps it; used by mren.train_tagger itself.';

CREATE FUNCTION mren.encode_mentions(options jsonb, sentence text, mentions int4range[], types text[], weight real, split text, "group" text)
RETURNS bytea
AS 'MODULE_PATHNAME', 'mren_encode_mentions'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION mren.encode_mentions(jsonb, text, int4range[], text[], real, text, text) IS
    'A training row as mren.train_tagger keeps it; used by mren.train_tagger itself.';

CREATE PROCEDURE mren.train_tagger(tagger text, query text, options jsonb DEFAULT '{}', INOUT version integer DEFAULT NULL)
AS 'MODULE_PATHNAME', 'mren_train_tagger'
LANGUAGE C;
COMMENT ON PROCEDURE mren.train_tagger(text, text, jsonb, integer) IS
    'Trains a new version of a tagger on the rows of a query, run read-only; its columns go by name: tokens and tags, or sentence, mentions and types, and, if there, weight, split and group.';

CREATE FUNCTION mren.tag(tagger text, sentence text, version integer DEFAULT NULL)
RETURNS TABLE (mention text, type text, span int4range, confidence double precision)
AS 'MODULE_PATHNAME', 'mren_tag'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000 ROWS 5;
COMMENT ON FUNCTION mren.tag(text, text, integer) IS
    'The mentions that a tagger finds in a sentence, in its order, with type, characters (half open, 0-based) and the probability of exactly this mention.';

CREATE FUNCTION mren.evaluate_tagger(tagger text, query text, version integer DEFAULT NULL)
RETURNS TABLE (type text, "precision" double precision, recall double precision,
               f1 double precision, support bigint)
AS 'MODULE_PATHNAME', 'mren_evaluate_tagger'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000 ROWS 20;
COMMENT ON FUNCTION mren.evaluate_tagger(text, text, integer) IS
    'How well a version of a tagger finds the mentions of a query, exact in place and type: a row a type, then micro avg and macro avg.';
REVOKE EXECUTE ON PROCEDURE mren.train_tagger(text, text, jsonb, integer) FROM PUBLIC;

CREATE OR REPLACE VIEW mren.models WITH (security_barrier) AS
SELECT m.name AS model,
       v.version,
       COALESCE(v.id OPERATOR(pg_catalog.=) m.deployed, false) AS deployed,
       v.created_at,
       m.owner,
       v.relations,
       v.options,
       v.metrics,
       v.training_rows,
       v.seconds,
       v.created_by,
       pg_catalog.encode(v.sha256, 'hex') AS sha256,
       pg_catalog.encode(v.embeddings, 'hex') AS embeddings_sha256,
       pg_catalog.encode(v.encoder, 'hex') AS image_encoder_sha256,
       CASE WHEN mren.has_model_privilege(m.name, 'train') THEN v.query END AS query,
       v.query_owner,
       m.kind
FROM mren.model m
JOIN mren.model_version v ON v.model OPERATOR(pg_catalog.=) m.id
WHERE mren.has_model_privilege(m.name, 'predict, train');

CREATE OR REPLACE VIEW mren.runs WITH (security_barrier) AS
SELECT r.id AS run,
       r.model,
       r.version,
       CASE
           WHEN r.status OPERATOR(pg_catalog.<>) 'running' OR pg_catalog.pg_is_in_recovery() THEN r.status
           WHEN EXISTS (
               SELECT FROM pg_catalog.pg_locks l
               WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory'
                 AND l.database OPERATOR(pg_catalog.=) (
                     SELECT d.oid FROM pg_catalog.pg_database d
                     WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
                 AND l.classid OPERATOR(pg_catalog.=) 1836213614::pg_catalog.oid
                 AND l.objid::pg_catalog.int8 OPERATOR(pg_catalog.=)
                     (r.id OPERATOR(pg_catalog.&) 4294967295)
                 AND l.objsubid OPERATOR(pg_catalog.=) 2
                 AND l.granted) THEN r.status
           ELSE 'died'
       END AS status,
       r.started_by,
       r.started_at,
       r.finished_at,
       r.phase,
       r.query,
       r.options,
       r.rows,
       r.epoch,
       r.epochs,
       r.loss,
       r.validation_loss,
       r.validation_f1,
       r.rows_per_second,
       r.seconds_left,
       r.log,
       r.sqlstate,
       r.message,
       r.backend,
       r.call,
       r.champion,
       r.verdict,
       r.reason,
       r.measure,
       r.champion_score,
       r.challenger_score,
       r.lower_bound,
       r.gate_rows,
       r.gate_seen,
       r.new_rows
FROM mren.run r
WHERE EXISTS (
          SELECT FROM pg_catalog.pg_roles a
          WHERE a.rolname OPERATOR(pg_catalog.=) r.started_by AND pg_catalog.pg_has_role(a.oid, 'USAGE'))
   OR EXISTS (
          SELECT FROM mren.model m
          WHERE m.name OPERATOR(pg_catalog.=) r.model AND mren.has_model_privilege(m.name, 'train'))
   OR EXISTS (
          SELECT FROM pg_catalog.pg_roles a
          WHERE a.rolname OPERATOR(pg_catalog.=) current_user AND a.rolsuper);
COMMENT ON VIEW mren.runs IS
    'What every training and retraining did, the failed ones too: one''s own and those of models that one may train. Status died: the server or its process ended before it could say why.';

CREATE OR REPLACE VIEW mren.training_progress WITH (security_barrier) AS
SELECT r.model,
       r.run,
       r.status,
       r.phase,
       r.epoch,
       r.epochs,
       r.loss,
       r.validation_loss,
       r.validation_f1,
       r.rows_per_second,
       r.seconds_left,
       r.started_at,
       r.started_by,
       r.call
FROM mren.runs r
WHERE r.status OPERATOR(pg_catalog.=) 'running'
   OR (r.status OPERATOR(pg_catalog.=) 'died'
       AND NOT EXISTS (SELECT FROM mren.run later
                       WHERE later.model OPERATOR(pg_catalog.=) r.model
                         AND later.id OPERATOR(pg_catalog.>) r.run));


-- 65_retrain.sql
-- Retraining: a new version by what was kept, deployed if it is better.

CREATE PROCEDURE mren.retrain(model text, min_new_rows bigint DEFAULT 1, time_budget interval DEFAULT NULL,
    promote text DEFAULT 'better', margin double precision DEFAULT 0, warm_start boolean DEFAULT false,
    keep_versions integer DEFAULT 5, options jsonb DEFAULT '{}',
    INOUT version integer DEFAULT NULL, INOUT verdict text DEFAULT NULL)
AS 'MODULE_PATHNAME', 'mren_retrain'
LANGUAGE C;
COMMENT ON PROCEDURE mren.retrain(text, bigint, interval, text, double precision, boolean, integer, jsonb, integer, text) IS
    'Trains a new version of a model by the query and options it was trained with, judges it and the deployed version on rows held out, and deploys it if it is better.';
REVOKE EXECUTE ON PROCEDURE
    mren.retrain(text, bigint, interval, text, double precision, boolean, integer, jsonb, integer, text)
FROM PUBLIC;


-- 80_graph.sql
-- Knowledge graphs: where each lives, how it is made, what its refreshes did.
--
-- The tables of a graph are ordinary tables of its owner's, in a schema of
-- their choice; they are no part of the extension and do not depend on it.

CREATE SEQUENCE mren.graph_id;
CREATE SEQUENCE mren.graph_run_id;

-- source is a query of one SELECT, run with search_path as its owner.
CREATE TABLE mren.graph (
    id          bigint PRIMARY KEY DEFAULT pg_catalog.nextval('mren.graph_id'),
    name        text COLLATE "C" NOT NULL UNIQUE,
    owner       name NOT NULL,
    schema      name NOT NULL,
    made_schema boolean NOT NULL,
    layout      integer NOT NULL,
    source      text NOT NULL,
    search_path text NOT NULL,
    model       text COLLATE "C" NOT NULL,
    tagger      text COLLATE "C",
    lexicons    text[],
    options     jsonb NOT NULL,
    created_at  timestamptz NOT NULL
);
COMMENT ON TABLE mren.graph IS 'Knowledge graphs, one row each; layout is the version of the layout of its tables.';

CREATE TABLE mren.graph_run (
    id          bigint PRIMARY KEY DEFAULT pg_catalog.nextval('mren.graph_run_id'),
    graph       bigint NOT NULL,
    name        text COLLATE "C" NOT NULL,
    started_by  name NOT NULL,
    started_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    finished_at timestamptz,
    status      text NOT NULL CHECK (status IN ('running', 'succeeded', 'failed', 'canceled', 'died')),
    backend     integer NOT NULL,
    phase       text NOT NULL,
    done        bigint NOT NULL DEFAULT 0,
    total       bigint,
    per_second  double precision,
    seconds_left double precision,
    summary     jsonb,
    sqlstate    text,
    message     text
);
CREATE INDEX graph_run_graph ON mren.graph_run (graph, id);
COMMENT ON TABLE mren.graph_run IS 'Every refresh of a graph, in progress or ended.';

SELECT pg_catalog.pg_extension_config_dump('mren.graph_id', '');
SELECT pg_catalog.pg_extension_config_dump('mren.graph_run_id', '');
SELECT pg_catalog.pg_extension_config_dump('mren.graph', '');
SELECT pg_catalog.pg_extension_config_dump('mren.graph_run', '');

CREATE FUNCTION mren.normalize_name(name text) RETURNS text
AS 'MODULE_PATHNAME', 'mren_normalize_name'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.normalize_name(text) IS
    'A name in the form in which graphs compare names: NFKC, case folded, white space collapsed.';

CREATE FUNCTION mren.document_hash(document text, image bytea, image_vector real[]) RETURNS bytea
AS 'MODULE_PATHNAME', 'mren_document_hash'
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mren.document_hash(text, bytea, real[]) IS
    'The hash by which mren.refresh_graph knows a changed document: SHA-256 over text, picture and vector.';

CREATE FUNCTION mren.graph_identity(key text) RETURNS uuid
AS 'MODULE_PATHNAME', 'mren_graph_identity'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.graph_identity(text) IS
    'The identity of an entity or a fact of a graph: the first half of SHA-256.';

CREATE FUNCTION mren.noisy_or_add(state double precision, probability double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'mren_noisy_or_add'
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION mren.noisy_or_add(double precision, double precision) IS 'Adds a probability to a state of mren.noisy_or.';

CREATE FUNCTION mren.noisy_or_final(state double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'mren_noisy_or_final'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.noisy_or_final(double precision) IS 'The result of a state of mren.noisy_or.';

CREATE AGGREGATE mren.noisy_or(probability double precision) (
    SFUNC = mren.noisy_or_add,
    STYPE = double precision,
    FINALFUNC = mren.noisy_or_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE mren.noisy_or(double precision) IS
    'The probability that at least one of independent events is true: one minus the product of (1 - p); order the rows for the same bits every time.';

CREATE FUNCTION mren.create_graph(graph text, source text, model text, tagger text DEFAULT NULL, lexicons text[] DEFAULT NULL,
    relation_schema regclass DEFAULT NULL, in_schema text DEFAULT NULL, options jsonb DEFAULT '{}') RETURNS void
AS 'MODULE_PATHNAME', 'mren_create_graph'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.create_graph(text, text, text, text, text[], regclass, text, jsonb) IS
    'Makes a knowledge graph: its tables in a schema, to be filled by mren.refresh_graph from the documents of a table or query; columns by name: key, document and, if there, image, image_vector, seen_at.';

CREATE FUNCTION mren.drop_graph(graph text, drop_tables boolean DEFAULT false) RETURNS void
AS 'MODULE_PATHNAME', 'mren_drop_graph'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.drop_graph(text, boolean) IS
    'Forgets a graph; its tables stay, unless they are to be dropped too.';

CREATE FUNCTION mren.alter_graph_owner(graph text, new_owner name) RETURNS void
AS 'MODULE_PATHNAME', 'mren_alter_graph_owner'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.alter_graph_owner(text, name) IS
    'Gives a graph and its tables to another role, as whom its source is read from then on; for a member of both.';

CREATE FUNCTION mren.upgrade_graph(graph text) RETURNS void
AS 'MODULE_PATHNAME', 'mren_upgrade_graph'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.upgrade_graph(text) IS
    'Brings the tables of a graph that an older mren made to the present layout, and makes indexes and views that are missing.';

CREATE FUNCTION mren.merge_graph(graph text) RETURNS jsonb
AS 'MODULE_PATHNAME', 'mren_merge_graph'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.merge_graph(text) IS
    'Applies edits of aliases, relations and reviews to a graph, without reading or scoring a document.';

CREATE PROCEDURE mren.refresh_graph(graph text, INOUT summary jsonb DEFAULT NULL)
AS 'MODULE_PATHNAME', 'mren_refresh_graph'
LANGUAGE C;
COMMENT ON PROCEDURE mren.refresh_graph(text, jsonb) IS
    'Brings a graph up to date with its documents: scores those that are new, changed, or scored by an older model, tagger or lexicon, and takes back the evidence of those that are gone.';

-- Reading.  These run as the caller: what counts is SELECT on the graph's tables.

CREATE FUNCTION mren.paths(graph text, source text, target text, max_hops integer DEFAULT 3, max_paths integer DEFAULT 100)
RETURNS TABLE (hops integer, confidence double precision, path text, entities text[], relations text[], facts uuid[])
AS 'MODULE_PATHNAME', 'mren_paths'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 100000 ROWS 10;
COMMENT ON FUNCTION mren.paths(text, text, text, integer, integer) IS
    'How two entities of a graph are connected: paths of at most max_hops facts, in either direction, that meet no entity twice; the shortest and surest first.';

CREATE FUNCTION mren.export_ntriples(graph text, base_iri text DEFAULT 'urn:mren:') RETURNS SETOF text
AS 'MODULE_PATHNAME', 'mren_export_ntriples'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 100000 ROWS 10000;
COMMENT ON FUNCTION mren.export_ntriples(text, text) IS
    'The entities and facts of a graph as lines of N-Triples.';

CREATE FUNCTION mren.export_csv(graph text) RETURNS SETOF text
AS 'MODULE_PATHNAME', 'mren_export_csv'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 100000 ROWS 10000;
COMMENT ON FUNCTION mren.export_csv(text) IS
    'The facts of a graph as records of CSV (RFC 4180), a header first.';

CREATE FUNCTION mren.export_dot(graph text) RETURNS SETOF text
AS 'MODULE_PATHNAME', 'mren_export_dot'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 100000 ROWS 10000;
COMMENT ON FUNCTION mren.export_dot(text) IS
    'The facts of a graph as lines of a Graphviz digraph.';

-- Whether the current user is, or belongs to, a graph's owner; superusers always.
CREATE VIEW mren.graphs WITH (security_barrier) AS
SELECT g.name AS graph,
       g.owner,
       g.schema,
       g.source,
       g.search_path,
       g.model,
       g.tagger,
       g.lexicons,
       g.options,
       g.layout,
       g.created_at
FROM mren.graph g
WHERE EXISTS (
          SELECT FROM pg_catalog.pg_roles a
          WHERE a.rolname OPERATOR(pg_catalog.=) g.owner AND pg_catalog.pg_has_role(a.oid, 'USAGE'))
   OR EXISTS (
          SELECT FROM pg_catalog.pg_roles a
          WHERE a.rolname OPERATOR(pg_catalog.=) current_user AND a.rolsuper);
COMMENT ON VIEW mren.graphs IS 'The knowledge graphs of the current user.';

-- As mren.runs: a row that says it is running, but whose graph's lock nobody
-- holds, is of a backend that died; classid is MREN_GRAPH_LOCK_CLASS of graph.h.
CREATE VIEW mren.graph_runs WITH (security_barrier) AS
SELECT r.id AS run,
       r.name AS graph,
       CASE
           WHEN r.status OPERATOR(pg_catalog.<>) 'running' OR pg_catalog.pg_is_in_recovery() THEN r.status
           WHEN EXISTS (
               SELECT FROM pg_catalog.pg_locks l
               WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory'
                 AND l.database OPERATOR(pg_catalog.=) (
                     SELECT d.oid FROM pg_catalog.pg_database d
                     WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
                 AND l.classid OPERATOR(pg_catalog.=) 1836213607::pg_catalog.oid
                 AND l.objid::pg_catalog.int8 OPERATOR(pg_catalog.=)
                     (r.graph OPERATOR(pg_catalog.&) 4294967295)
                 AND l.objsubid OPERATOR(pg_catalog.=) 2
                 AND l.pid OPERATOR(pg_catalog.=) r.backend
                 AND l.granted) THEN r.status
           ELSE 'died'
       END AS status,
       r.phase,
       r.done,
       r.total,
       r.per_second,
       r.seconds_left,
       r.started_by,
       r.started_at,
       r.updated_at,
       r.finished_at,
       r.summary,
       r.sqlstate,
       r.message,
       r.backend
FROM mren.graph_run r
WHERE EXISTS (
          SELECT FROM pg_catalog.pg_roles a
          WHERE a.rolname OPERATOR(pg_catalog.=) r.started_by AND pg_catalog.pg_has_role(a.oid, 'USAGE'))
   OR EXISTS (
          SELECT FROM mren.graph g
          JOIN pg_catalog.pg_roles a ON a.rolname OPERATOR(pg_catalog.=) g.owner
          WHERE g.id OPERATOR(pg_catalog.=) r.graph AND pg_catalog.pg_has_role(a.oid, 'USAGE'))
   OR EXISTS (
          SELECT FROM pg_catalog.pg_roles a
          WHERE a.rolname OPERATOR(pg_catalog.=) current_user AND a.rolsuper);
COMMENT ON VIEW mren.graph_runs IS
    'What every refresh of a graph did, the failed ones too. Status died: the server or its process ended before it could say why.';

CREATE VIEW mren.graph_progress WITH (security_barrier) AS
SELECT r.graph,
       r.run,
       r.status,
       r.phase,
       r.done,
       r.total,
       r.per_second,
       r.seconds_left,
       r.started_at,
       r.started_by
FROM mren.graph_runs r
WHERE r.status OPERATOR(pg_catalog.=) 'running'
   OR (r.status OPERATOR(pg_catalog.=) 'died'
       AND NOT EXISTS (SELECT FROM mren.graph_run later
                       WHERE later.name OPERATOR(pg_catalog.=) r.graph
                         AND later.id OPERATOR(pg_catalog.>) r.run));
COMMENT ON VIEW mren.graph_progress IS
    'Refreshes in progress, as other sessions see them; one that died is shown until the graph''s next.';
GRANT SELECT ON mren.graphs, mren.graph_runs, mren.graph_progress TO PUBLIC;
REVOKE EXECUTE ON FUNCTION
    mren.create_graph(text, text, text, text, text[], regclass, text, jsonb),
    mren.drop_graph(text, boolean),
    mren.alter_graph_owner(text, name),
    mren.upgrade_graph(text),
    mren.merge_graph(text)
FROM PUBLIC;
REVOKE EXECUTE ON PROCEDURE mren.refresh_graph(text, jsonb) FROM PUBLIC;
