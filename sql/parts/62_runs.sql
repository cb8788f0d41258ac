-- The views of trainings, running and finished.

-- A run that is marked as running died if its backend does not hold its lock
-- (src/pg/support/task_lock.h).  A standby cannot see the locks of the primary.
-- A run is shown to those who may train the model that it was of, known by its
-- id: another model may have that name by now.
CREATE VIEW mren.runs WITH (security_barrier) AS
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
COMMENT ON VIEW mren.runs IS
    'Every training and retraining, including those that failed, that the current user started or whose model the current user may train. The status died means that the server process ended without recording a result.';

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
COMMENT ON VIEW mren.training_progress IS
    'Trainings that are running, as other sessions see them; one that died is shown until the model is trained again.';
