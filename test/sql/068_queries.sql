-- What is refused in queries and options of a training, and what its log says of the refit.
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql
SET client_min_messages = warning;

SELECT error_of($$CALL mren.train('m', 'SELECT * INTO kept FROM pairs')$$);
SELECT error_of($$CALL mren.train('m', '(SELECT * INTO kept FROM pairs) UNION ALL SELECT * FROM pairs')$$);
SELECT error_of($$CALL mren.train('m', 'WITH d AS (DELETE FROM pairs RETURNING *) SELECT * FROM d')$$);
SELECT error_of($$CALL mren.train('m', 'DELETE FROM pairs RETURNING *')$$);
SELECT error_of($$SELECT * FROM mren.predict_rows('m', 'WITH d AS (DELETE FROM pairs RETURNING *) SELECT * FROM d')$$);
SELECT error_of($$CALL mren.train('m', 'SELECT * FROM pairs', '{"epochs": 1e400}')$$);
SELECT error_of($$CALL mren.train('m', 'SELECT * FROM pairs', '{"hidden": [1e400]}')$$);
SELECT error_of($$CALL mren.train('m', 'SELECT * FROM pairs', '{"learning_rate": -1e400}')$$);
SELECT error_of($$CALL mren.train('m', 'SELECT * FROM pairs', '{"holdout_share": 1e400}')$$);
SELECT count(*) FROM pairs;

-- The statement that the extension generates is not shown.
CALL mren.train('m', 'SELECT *, 1 / (id - id) AS weight FROM pairs', '{"hidden": [4]}');
SELECT id FROM mren.predict_rows('none', 'SELECT * FROM pairs');

-- Epochs of the refit beyond the member's best one have no loss of theirs.
CALL mren.train('m', 'SELECT * FROM pairs', '{"hidden": [4], "epochs": 8, "learning_rate": 1, "hash_bits": 10, "validation_share": 0.3}');
SELECT (m.metrics ->> 'linear_epoch')::int > (m.metrics ->> 'best_epoch')::int AS longer,
    (SELECT count(*) FROM jsonb_array_elements(r.log) e WHERE e ->> 'phase' = '2' AND e ? 'loss') = (m.metrics ->> 'best_epoch')::int AS with_loss,
    (SELECT count(*) FROM jsonb_array_elements(r.log) e WHERE e ->> 'phase' = '2') = greatest((m.metrics ->> 'linear_epoch')::int, (m.metrics ->> 'best_epoch')::int) AS epochs,
    r.loss IS NOT NULL AS loss
FROM mren.models m JOIN mren.runs r USING (model, version);
