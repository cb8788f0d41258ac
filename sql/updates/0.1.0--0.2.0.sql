-- What takes a database from 0.1.0 to 0.2.0.  A part that is new as a whole is
-- taken in with \include; what 0.1.0 had and 0.2.0 changes is written out here,
-- and in its part.  test/t/190_update.pl compares the outcome with a database
-- made anew, object by object.

\include 32_readers.sql
\include 72_calibration.sql
\include 74_compare.sql

-- Models name the lexicons they were trained with, as they do their embeddings.
ALTER TABLE mren.model_version ADD COLUMN lexicons bytea[];
\include 15_lexicons.sql
GRANT SELECT ON mren.lexicons TO PUBLIC;
REVOKE EXECUTE ON FUNCTION
    mren.load_lexicon(text, text),
    mren.load_lexicon(text, text[], text),
    mren.drop_lexicon(text)
FROM PUBLIC;
\include 55_extract.sql

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
\include 47_taggers.sql
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

\include 65_retrain.sql
REVOKE EXECUTE ON PROCEDURE
    mren.retrain(text, bigint, interval, text, double precision, boolean, integer, jsonb, integer, text)
FROM PUBLIC;

\include 80_graph.sql
GRANT SELECT ON mren.graphs, mren.graph_runs, mren.graph_progress TO PUBLIC;
REVOKE EXECUTE ON FUNCTION
    mren.create_graph(text, text, text, text, text[], regclass, text, jsonb),
    mren.drop_graph(text, boolean),
    mren.alter_graph_owner(text, name),
    mren.upgrade_graph(text),
    mren.merge_graph(text)
FROM PUBLIC;
REVOKE EXECUTE ON PROCEDURE mren.refresh_graph(text, jsonb) FROM PUBLIC;
