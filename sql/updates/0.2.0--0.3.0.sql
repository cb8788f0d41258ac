-- Updates a database from 0.2.0 to 0.3.0.
--
-- A part that is new as a whole is taken in with \include, and \comments takes
-- the comments of all parts.  What 0.2.0 had and 0.3.0 changes is written out
-- here and in its part.  test/t/190_update.pl compares the result with a
-- database that was created anew, object by object.

-- Options and metrics have new names, and a training refuses the old ones.
CREATE FUNCTION mren.rename_options(object jsonb, images boolean) RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT COALESCE(pg_catalog.jsonb_object_agg(
        COALESCE(renamed.name, member.key),
        CASE
            WHEN member.key OPERATOR(pg_catalog.=) 'l2' AND images
                 AND pg_catalog.jsonb_typeof(member.value) OPERATOR(pg_catalog.=) 'number' THEN
                pg_catalog.to_jsonb(pg_catalog.trim_scale(
                    100 OPERATOR(pg_catalog.*) member.value::pg_catalog.numeric))
            WHEN member.key OPERATOR(pg_catalog.=) 'vectors'
                 AND member.value OPERATOR(pg_catalog.=) '"tuned"' THEN '"fine_tuned"'
            ELSE member.value
        END), '{}')
    FROM pg_catalog.jsonb_each(object) AS member
    LEFT JOIN (VALUES
        ('average', 'weight_ema'),
        ('gate_share', 'holdout_share'),
        ('image_gate', 'text_only_member'),
        ('l2', 'weight_decay'),
        ('vectors', 'word_vectors'),
        ('wide', 'hash_bits'),
        ('wide_epoch', 'linear_epoch'),
        ('wide_share', 'linear_share')) AS renamed (old_name, name)
        ON renamed.old_name OPERATOR(pg_catalog.=) member.key;
END;

-- 0.2.0 applied 100 times the weight decay it was given to a network that read
-- images; 0.1.0, whose options had no "wide", did not.  weight_decay is what is
-- applied.  Where no version tells whether a run read images, its options do.
UPDATE mren.run r SET options = mren.rename_options(r.options, COALESCE(
    (SELECT v.encoder IS NOT NULL AND v.options OPERATOR(pg_catalog.?) 'wide'
     FROM mren.model m
     JOIN mren.model_version v ON v.model OPERATOR(pg_catalog.=) m.id
     WHERE m.name OPERATOR(pg_catalog.=) r.model
       AND v.version OPERATOR(pg_catalog.=) r.version
       AND r.finished_at OPERATOR(pg_catalog.>=) m.created_at),
    r.options OPERATOR(pg_catalog.->>) 'image_encoder' IS NOT NULL));

UPDATE mren.model_version SET
    options = mren.rename_options(options, encoder IS NOT NULL AND options OPERATOR(pg_catalog.?) 'wide'),
    given = mren.rename_options(given, encoder IS NOT NULL AND options OPERATOR(pg_catalog.?) 'wide'),
    metrics = mren.rename_options(metrics, false);

DROP FUNCTION mren.rename_options(jsonb, boolean);

ALTER TABLE mren.run RENAME COLUMN gate_rows TO holdout_rows;
ALTER TABLE mren.run RENAME COLUMN gate_seen TO holdout_seen;
ALTER VIEW mren.runs RENAME COLUMN gate_rows TO holdout_rows;
ALTER VIEW mren.runs RENAME COLUMN gate_seen TO holdout_seen;

-- Runs are shown by the model that they were of.  One that began when the model
-- of that name existed, or that made a version of it, was of that model; of others
-- it is not known, and only who started them sees them.  Whether one is alive rests
-- on a lock that only mren takes.  A run also tells which member of an ensemble it trains, and
-- how many rows are not gold.
ALTER TABLE mren.run ADD COLUMN model_id bigint;
ALTER TABLE mren.run ADD COLUMN member integer;
ALTER TABLE mren.run ADD COLUMN members integer;
ALTER TABLE mren.run ADD COLUMN weak_rows bigint;
UPDATE mren.run r SET model_id = m.id FROM mren.model m
WHERE m.name OPERATOR(pg_catalog.=) r.model
  AND (r.started_at OPERATOR(pg_catalog.>=) m.created_at
       OR (r.status OPERATOR(pg_catalog.=) 'succeeded' AND r.finished_at OPERATOR(pg_catalog.>=) m.created_at));
CREATE OR REPLACE VIEW mren.runs WITH (security_barrier) AS
SELECT r.id AS run,
       r.model,
       r.version,
       CASE
           WHEN r.status OPERATOR(pg_catalog.<>) 'running' OR pg_catalog.pg_is_in_recovery() THEN r.status
           WHEN EXISTS (
               SELECT FROM pg_catalog.pg_locks l
               WHERE l.locktype OPERATOR(pg_catalog.=) 'object'
                 AND l.database OPERATOR(pg_catalog.=) (
                     SELECT d.oid FROM pg_catalog.pg_database d
                     WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
                 AND l.classid OPERATOR(pg_catalog.=) r.tableoid
                 AND l.objid::pg_catalog.int8 OPERATOR(pg_catalog.=)
                     (r.id OPERATOR(pg_catalog.&) 4294967295)
                 AND l.pid OPERATOR(pg_catalog.=) r.backend
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
       r.holdout_rows,
       r.holdout_seen,
       r.new_rows,
       r.member,
       r.members,
       r.rows OPERATOR(pg_catalog.-) r.weak_rows AS gold_rows,
       r.weak_rows
FROM mren.run r
WHERE EXISTS (
          SELECT FROM pg_catalog.pg_roles a
          WHERE a.rolname OPERATOR(pg_catalog.=) r.started_by AND pg_catalog.pg_has_role(a.oid, 'USAGE'))
   OR EXISTS (
          SELECT FROM mren.model m
          WHERE m.id OPERATOR(pg_catalog.=) r.model_id AND mren.has_model_privilege(m.name, 'train'))
   OR EXISTS (
          SELECT FROM pg_catalog.pg_roles a
          WHERE a.rolname OPERATOR(pg_catalog.=) current_user AND a.rolsuper);

-- A publication of all tables no longer keeps words from being dropped.
ALTER TABLE mren.embedding_word REPLICA IDENTITY USING INDEX embedding_word_id;

-- A refresh that found another one in progress is recorded.
ALTER TABLE mren.graph_run DROP CONSTRAINT graph_run_status_check;
ALTER TABLE mren.graph_run ADD CONSTRAINT graph_run_status_check
    CHECK (status IN ('running', 'succeeded', 'failed', 'canceled', 'died', 'busy'));
CREATE OR REPLACE VIEW mren.graph_runs WITH (security_barrier) AS
SELECT r.id AS run,
       r.name AS graph,
       CASE
           WHEN r.status OPERATOR(pg_catalog.<>) 'running' OR pg_catalog.pg_is_in_recovery() THEN r.status
           WHEN EXISTS (
               SELECT FROM pg_catalog.pg_locks l
               WHERE l.locktype OPERATOR(pg_catalog.=) 'object'
                 AND l.database OPERATOR(pg_catalog.=) (
                     SELECT d.oid FROM pg_catalog.pg_database d
                     WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
                 AND l.classid OPERATOR(pg_catalog.=) 'mren.graph'::pg_catalog.regclass::pg_catalog.oid
                 AND l.objid::pg_catalog.int8 OPERATOR(pg_catalog.=)
                     (r.graph OPERATOR(pg_catalog.&) 4294967295)
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

-- A version keeps its score on hold-out rows from when it was trained.  The first
-- retraining records that of a version of an earlier release.
ALTER TABLE mren.model_version ADD COLUMN holdout_measure text;
ALTER TABLE mren.model_version ADD COLUMN holdout_rows bigint;
ALTER TABLE mren.model_version ADD COLUMN holdout_score double precision;
ALTER TABLE mren.model_version ADD COLUMN holdout_lower_bound double precision;
ALTER TABLE mren.model_version ADD COLUMN text_encoder bytea;
ALTER TABLE mren.model_version ADD COLUMN audio_encoder bytea;

-- A retraining keeps the hash of its rows, options and deployed version, so that no
-- challenger that was judged is trained again.
ALTER TABLE mren.run ADD COLUMN input_hash bytea;

-- What died is shown until the same model is trained, or the same graph refreshed.
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
       r.call,
       r.member,
       r.members
FROM mren.runs r
WHERE r.status OPERATOR(pg_catalog.=) 'running'
   OR (r.status OPERATOR(pg_catalog.=) 'died'
       AND NOT EXISTS (SELECT FROM mren.run died
                       JOIN mren.run later ON later.id OPERATOR(pg_catalog.>) died.id
                       WHERE died.id OPERATOR(pg_catalog.=) r.run
                         AND CASE
                                 WHEN died.model_id IS NOT NULL THEN later.model_id OPERATOR(pg_catalog.=) died.model_id
                                 ELSE later.model OPERATOR(pg_catalog.=) died.model
                                      AND later.started_by OPERATOR(pg_catalog.=) died.started_by
                             END));
CREATE OR REPLACE VIEW mren.graph_progress WITH (security_barrier) AS
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
       AND NOT EXISTS (SELECT FROM mren.graph_run died
                       JOIN mren.graph_run later ON later.graph OPERATOR(pg_catalog.=) died.graph
                         AND later.id OPERATOR(pg_catalog.>) died.id
                       WHERE died.id OPERATOR(pg_catalog.=) r.run));

-- A deployment that a rollback has undone is kept with the hash of its version, so
-- that no retraining deploys the same network again.
ALTER TABLE mren.deployment ADD COLUMN sha256 bytea;
UPDATE mren.deployment d SET sha256 = v.sha256 FROM mren.model_version v
WHERE v.id OPERATOR(pg_catalog.=) d.version_id;

-- Pretrained text encoders.
\include 27_text_encoders.sql
\include 32_document_readers.sql
\include 56_document_entities.sql
\include 76_labels.sql
\include 78_graph_values.sql
\include 82_graph_reading.sql
\include 84_graph_evaluate.sql
\include 86_graph_editing.sql

GRANT SELECT ON mren.text_encoders TO PUBLIC;
REVOKE EXECUTE ON FUNCTION
    mren.load_text_encoder(text, text),
    mren.load_text_encoder(text, bytea),
    mren.load_text_encoder(text, oid),
    mren.drop_text_encoder(text)
FROM PUBLIC;

-- Recordings and audio encoders.
\include 28_audio.sql

GRANT SELECT ON mren.audio_encoders TO PUBLIC;
REVOKE EXECUTE ON FUNCTION
    mren.load_audio_encoder(text, text, text, integer, real, real),
    mren.load_audio_encoder(text, bytea, text, integer, real, real),
    mren.load_audio_encoder(text, oid, text, integer, real, real),
    mren.drop_audio_encoder(text)
FROM PUBLIC;

\include 68_resources.sql
GRANT SELECT ON mren.resources TO PUBLIC;

-- Pages to look at.
\include 85_report.sql

-- The predicting functions take a recording at the end, and so do training rows.
DROP FUNCTION
    mren.predict(text, text, text, text, bytea, text, text, box, box, real[], integer),
    mren.predict(text, text, int4range, int4range, bytea, text, text, box, box, real[], integer),
    mren.classify(text, text, text, text, bytea, text, text, box, box, real[], integer),
    mren.classify(text, text, int4range, int4range, bytea, text, text, box, box, real[], integer),
    mren.predict_proba(text, text, text, text, bytea, text, text, box, box, real[], integer),
    mren.predict_proba(text, text, int4range, int4range, bytea, text, text, box, box, real[], integer),
    mren.features(text, text, text, text, bytea, text, text, box, box, real[], integer),
    mren.features(text, text, int4range, int4range, bytea, text, text, box, box, real[], integer),
    mren.explain(text, text, text, text, bytea, text, text, box, box, real[], integer),
    mren.explain(text, text, int4range, int4range, bytea, text, text, box, box, real[], integer),
    mren.explain_image(text, text, text, text, bytea, text, text, box, box, real[], integer),
    mren.explain_image(text, text, int4range, int4range, bytea, text, text, box, box, real[], integer),
    mren.predict_rows(text, text, integer),
    mren.encode_example(jsonb, text, text, text, text, bytea, real[], text, text, box, box, real, text),
    mren.encode_example(jsonb, text, int4range, int4range, text, bytea, real[], text, text, box, box, real, text);
DROP FUNCTION mren.predict_support(internal);
\include 50_predict.sql
\include 76_labelling.sql
REVOKE EXECUTE ON PROCEDURE
    mren.self_train(text, text, text, jsonb, double precision, double precision, integer, text)
FROM PUBLIC;

CREATE FUNCTION mren.encode_example(options jsonb, sentence text, head text, tail text, relation text, image bytea,
    image_vector real[], head_type text, tail_type text, head_box box, tail_box box, weight real, split text,
    audio bytea, audio_vector real[], probabilities jsonb, gold boolean)
RETURNS bytea
AS 'MODULE_PATHNAME', 'mren_encode_example_sql'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000;

CREATE FUNCTION mren.encode_example(options jsonb, sentence text, head int4range, tail int4range, relation text, image bytea,
    image_vector real[], head_type text, tail_type text, head_box box, tail_box box, weight real, split text,
    audio bytea, audio_vector real[], probabilities jsonb, gold boolean)
RETURNS bytea
AS 'MODULE_PATHNAME', 'mren_encode_example_range'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000;

-- Metrics of rows with several relations.
CREATE FUNCTION mren.metrics_add(state mren.confusion, actual text[], predicted text[]) RETURNS mren.confusion
    AS 'MODULE_PATHNAME', 'mren_metrics_add_sets'
    LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;

CREATE FUNCTION mren.metrics_add(state mren.confusion, actual text[], predicted text[], negative text)
    RETURNS mren.confusion
    AS 'MODULE_PATHNAME', 'mren_metrics_add_sets'
    LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;

CREATE AGGREGATE mren.metrics(actual text[], predicted text[]) (
    SFUNC = mren.metrics_add,
    STYPE = mren.confusion,
    FINALFUNC = mren.metrics_final,
    COMBINEFUNC = mren.metrics_combine,
    PARALLEL = SAFE
);

CREATE AGGREGATE mren.metrics(actual text[], predicted text[], negative text) (
    SFUNC = mren.metrics_add,
    STYPE = mren.confusion,
    FINALFUNC = mren.metrics_final,
    COMBINEFUNC = mren.metrics_combine,
    PARALLEL = SAFE
);

\comments
