-- Models: saving, deploying, taking back, dropping, moving, and who may.

CREATE FUNCTION mren.save_model(model text, network mren.network) RETURNS integer
    AS 'MODULE_PATHNAME', 'mren_save_model'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.save_model(text, mren.network) IS
    'Adds a trained network to a model as its next version, and gives the version''s number; makes the model if there is none.';

CREATE FUNCTION mren.promote(model text, version integer) RETURNS void
    AS 'MODULE_PATHNAME', 'mren_promote'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.promote(text, integer) IS
    'Deploys a version of a model: predictions use it from their next statement on.';

CREATE FUNCTION mren.rollback(model text) RETURNS integer
    AS 'MODULE_PATHNAME', 'mren_rollback'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.rollback(text) IS
    'Goes back to the version deployed before, and gives its number; again to go back further.';

CREATE FUNCTION mren.drop_version(model text, version integer) RETURNS void
    AS 'MODULE_PATHNAME', 'mren_drop_version'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.drop_version(text, integer) IS
    'Drops a version of a model; not the deployed one.';

CREATE FUNCTION mren.drop_model(model text) RETURNS void
    AS 'MODULE_PATHNAME', 'mren_drop_model'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.drop_model(text) IS
    'Drops a model with all its versions and grants; what mren.runs says of it stays.';

CREATE FUNCTION mren.export_model(model text, version integer DEFAULT NULL) RETURNS bytea
    AS 'MODULE_PATHNAME', 'mren_export_model'
    LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 100000;
COMMENT ON FUNCTION mren.export_model(text, integer) IS
    'A version of a model (NULL: the deployed one) as portable bytes, complete but for embeddings and image encoder, which it names by hash.';

CREATE FUNCTION mren.import_model(model text, contents bytea) RETURNS integer
    AS 'MODULE_PATHNAME', 'mren_import_model'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.import_model(text, bytea) IS
    'Adds what mren.export_model gave to a model as its next version, and gives the version''s number.';

CREATE FUNCTION mren.grant_model(model text, grantee name, privilege text) RETURNS void
    AS 'MODULE_PATHNAME', 'mren_grant_model'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.grant_model(text, name, text) IS
    'Gives a role (or public) a privilege on a model: predict, train, or admin, which includes both.';

CREATE FUNCTION mren.revoke_model(model text, grantee name, privilege text) RETURNS void
    AS 'MODULE_PATHNAME', 'mren_revoke_model'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.revoke_model(text, name, text) IS
    'Takes back what mren.grant_model gave.';

CREATE FUNCTION mren.alter_model_owner(model text, new_owner name) RETURNS void
    AS 'MODULE_PATHNAME', 'mren_alter_model_owner'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.alter_model_owner(text, name) IS
    'Gives a model to another owner; one must be a member of both roles.';

CREATE FUNCTION mren.has_model_privilege(model text, privilege text) RETURNS boolean
    AS 'MODULE_PATHNAME', 'mren_has_model_privilege'
    LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION mren.has_model_privilege(text, text) IS
    'May the current user do this with the model?  Of a list such as ''predict, train'', any one.';

-- The views show to each user what concerns them.  They are barriers, so that
-- no function in a query's WHERE sees a row before the view's own condition.

CREATE VIEW mren.models WITH (security_barrier) AS
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
COMMENT ON VIEW mren.models IS 'Versions of the models that the current user may use, one row each.';

-- A run that says it is running, but does not hold its lock, has died: classid
-- is MREN_RUN_LOCK_CLASS of models.h.  A standby cannot see the primary's locks.
CREATE VIEW mren.runs WITH (security_barrier) AS
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
       r.holdout_rows,
       r.holdout_seen,
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

CREATE VIEW mren.training_progress WITH (security_barrier) AS
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
COMMENT ON VIEW mren.training_progress IS
    'Trainings in progress, as other sessions see them; one that died is shown until the model''s next.';
