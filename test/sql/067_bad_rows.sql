-- Rows that cannot be used: errors name the row, and such rows can be left out.
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql
SET client_min_messages = warning;

CREATE TABLE good AS SELECT 'g' || row_number() OVER () AS id, sentence, head, tail, relation FROM pairs;
CREATE TABLE bad (id text, sentence text, head text, tail text, relation text);
INSERT INTO bad VALUES ('b1', 'The dog left.', 'cat', 'dog', 'none'), ('b2', 'The dog left.', 'dog', 'cat', 'none'),
    ('b3', 'The dog left.', 'dog', 'left', ''), (NULL, 'The dog left.', 'cow', 'left', 'none');
CREATE TABLE mixed AS TABLE good UNION ALL TABLE bad;

-- An error names the row by its id, and by its number without one; so does the run.
CALL mren.train('m', 'SELECT * FROM mixed', '{"hidden": [4], "epochs": 2}');
SELECT status, sqlstate, message FROM mren.runs;
CALL mren.train('m', 'SELECT sentence, head, tail, relation FROM bad WHERE id = ''b3''', '{"hidden": [4], "epochs": 2}');
CALL mren.train('m', 'SELECT * FROM bad WHERE id IS NULL', '{"hidden": [4], "epochs": 2}');
SELECT error_of($$CALL mren.train('m', 'TABLE bad', '{"on_error": "ignore"}')$$);
SELECT error_of($$CALL mren.train('m', 'TABLE bad', '{"on_error": true}')$$);

-- Left out, they are counted, and the network is that of the others.
CALL mren.train('m', 'SELECT * FROM mixed', '{"hidden": [4], "epochs": 2, "on_error": "skip"}');
CALL mren.train('clean', 'SELECT * FROM good', '{"hidden": [4], "epochs": 2}');
SELECT m.metrics -> 'skipped_rows' AS skipped, m.options -> 'on_error' AS on_error, m.training_rows = c.training_rows AS rows,
    m.metrics - 'skipped_rows' = c.metrics AS metrics, c.options ? 'on_error' AS clean
FROM mren.models m, mren.models c WHERE m.model = 'm' AND c.model = 'clean';
SELECT count(*) FROM good g WHERE mren.predict('m', sentence, head, tail) IS DISTINCT FROM mren.predict('clean', sentence, head, tail);
-- Only errors of the data are: not one of the query, nor a lack of rows.
SELECT error_of($$CALL mren.train('m', 'SELECT id, sentence, head, tail, relation, 1 / 0 AS weight FROM good', '{"on_error": "skip"}')$$);
SELECT error_of($$CALL mren.train('m', 'SELECT * FROM bad', '{"on_error": "skip"}')$$);

-- Predicted
SELECT * FROM mren.predict_rows('m', 'SELECT * FROM mixed WHERE id LIKE ''b%''');
SELECT error_of($$SELECT * FROM mren.predict_rows('m', 'SELECT NULL AS id, sentence, head, tail FROM bad WHERE id = ''b2''')$$);
SET client_min_messages = notice;
SET mren.on_error = skip;
SELECT id, relation IS NOT NULL AS answered, confidence IS NOT NULL AS confident
FROM mren.predict_rows('m', 'SELECT * FROM bad UNION ALL (SELECT * FROM good ORDER BY sentence LIMIT 1)') ORDER BY 1;
SELECT count(*) FILTER (WHERE relation IS NULL) AS without_answer FROM mren.predict_rows('m', 'SELECT * FROM mixed');
SELECT error_of($$SELECT * FROM mren.predict_rows('m', 'SELECT 1 / 0 AS id, sentence, head, tail FROM good')$$);
RESET mren.on_error;

-- Aggregated
SELECT mren.train_agg(sentence, head, tail, relation, NULL::bytea, '{"hidden": [4], "epochs": 2}') FROM bad;
SELECT mren.network_info(mren.train_agg(sentence, head, tail, relation, NULL::bytea, '{"hidden": [4], "epochs": 2, "on_error": "skip"}')) -> 'training_rows' AS rows FROM mixed;
SELECT mren.save_model('aggregated', mren.train_agg(sentence, head, tail, relation, NULL::bytea, '{"hidden": [4], "epochs": 2, "on_error": "skip"}')) FROM mixed;
SELECT metrics -> 'skipped_rows' AS skipped FROM mren.models WHERE model = 'aggregated';

-- The number survives where workers pass on their part of the rows.
SET client_min_messages = warning;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
EXPLAIN (COSTS OFF) SELECT mren.train_agg(sentence, head, tail, relation, NULL::bytea, '{"hidden": [4], "epochs": 2, "on_error": "skip"}') FROM mixed;
SELECT mren.save_model('aggregated', mren.train_agg(sentence, head, tail, relation, NULL::bytea, '{"hidden": [4], "epochs": 2, "on_error": "skip"}')) FROM mixed;
SELECT count(DISTINCT metrics) AS one, min(metrics ->> 'skipped_rows') AS skipped FROM mren.models WHERE model = 'aggregated';
