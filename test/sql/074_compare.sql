-- mren.compare: variants of options, compared by cross-validation.
\getenv srcdir PG_ABS_SRCDIR
\getenv files MREN_TEST_FILES
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql
SET client_min_messages = error;
-- The error and its context.
CREATE FUNCTION failure_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    c text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS c = PG_EXCEPTION_CONTEXT;
    RETURN concat(SQLSTATE, ': ', SQLERRM, E'\nat: ', split_part(c, E'\n', 1));
END
$$;

-- One variant learns, the others hardly: the first must be significantly worse.
CREATE TABLE shown AS
SELECT * FROM mren.compare(NULL, 'TABLE pairs', ARRAY['{"hash_bits": 0, "epochs": 1, "learning_rate": 1e-6}', '{"hash_bits": 0, "epochs": 40, "learning_rate": 0.01}',
                                                      '{"hash_bits": 0, "epochs": 1, "learning_rate": 1e-6}']::jsonb[]);
SELECT variant, options, measure, rows, groups, score > 0.9 AS good, lower <= score AND score <= upper AS within,
       difference > 0.3 AS better, difference_lower > 0 AS surely, difference_upper >= difference AS ordered, seconds > 0 AS took_time
FROM shown ORDER BY variant;
-- Two equal variants have no difference.
SELECT s.score = t.score AS same, t.difference, t.difference_lower, t.difference_upper
FROM shown AS s, shown AS t WHERE s.variant = 1 AND t.variant = 3;
SELECT bool_and(abs(t.difference - (t.score - s.score)) < 1e-12) AS differences FROM shown AS s, shown AS t WHERE s.variant = 1 AND t.variant > 1;
-- Nothing is stored.
SELECT (SELECT count(*) FROM mren.models) AS models, (SELECT count(*) FROM mren.runs) AS runs;

-- As many folds as groups: each group is predicted by a network trained on the others,
-- which can be done by hand.  Rows of split "test" are left out.
CREATE TABLE grouped AS
SELECT *, id % 4 AS "group", CASE WHEN id > 100 THEN 'test' END AS split FROM pairs;
CREATE FUNCTION by_hand(options jsonb) RETURNS TABLE (actual text, predicted text) LANGUAGE plpgsql AS $$
BEGIN
    FOR g IN 0 .. 3 LOOP
        PERFORM mren.save_model('hand', mren.train_agg(sentence, head, tail, relation, NULL, options || '{"deploy": true}'))
        FROM grouped WHERE split IS NULL AND "group" <> g;
        RETURN QUERY SELECT w.relation, mren.predict('hand', w.sentence, w.head, w.tail)
                     FROM grouped AS w WHERE w.split IS NULL AND w."group" = g;
        PERFORM mren.drop_model('hand');
    END LOOP;
END
$$;
CREATE TABLE cases (number int PRIMARY KEY, options jsonb);
INSERT INTO cases VALUES (1, '{"epochs": 3}'), (2, '{"epochs": 4, "hash_bits": 0}'), (3, '{"epochs": 4, "text_encoder": "pool", "threshold": 0.6}');
SELECT c.number, c.rows, c.groups, c.options = k.options AS options,
       abs(c.score - (SELECT avg((actual IS NOT DISTINCT FROM predicted)::int) FROM by_hand(k.options))) < 1e-12 AS as_by_hand
FROM cases AS k JOIN mren.compare(NULL, 'TABLE grouped', (SELECT array_agg(options ORDER BY number) FROM cases), 4)
    AS c (number) ON c.number = k.number ORDER BY 1;
-- With a negative relation: micro F1 without it.
SELECT measure, abs(score - (
    SELECT (mren.metrics(actual, predicted, 'none') #>> '{micro,f1}')::float8 FROM by_hand('{"epochs": 4, "negative": "none"}'))) < 1e-12 AS as_by_hand
FROM mren.compare(NULL, 'TABLE grouped', ARRAY['{"epochs": 4, "negative": "none"}']::jsonb[], 4);

-- The same rows give the same figures, whatever their order, the plan and the other variants.
CREATE FUNCTION figures(query text, variants jsonb[]) RETURNS TABLE (n int, f text) LANGUAGE sql AS $$
    SELECT variant, (score, lower, upper, rows, groups, difference, difference_lower, difference_upper)::text
    FROM mren.compare(NULL, query, variants, 3)
$$;
CREATE TABLE plain AS SELECT * FROM figures('TABLE grouped', '{"{\"epochs\": 3}","{\"epochs\": 3, \"hash_bits\": 0}","{\"epochs\": 2}"}');
SELECT count(DISTINCT f) AS different FROM plain;
SELECT count(*) AS differing FROM (TABLE plain EXCEPT
    SELECT * FROM figures('SELECT * FROM grouped ORDER BY random()', '{"{\"epochs\": 3}","{\"epochs\": 3, \"hash_bits\": 0}","{\"epochs\": 2}"}')) AS d;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT count(*) AS differing FROM (TABLE plain EXCEPT
    SELECT * FROM figures('TABLE grouped', '{"{\"epochs\": 3}","{\"epochs\": 3, \"hash_bits\": 0}","{\"epochs\": 2}"}')) AS d;
RESET ALL;
SET client_min_messages = error;
SELECT f = (SELECT f FROM plain WHERE n = 1) AS alone FROM figures('TABLE grouped', '{"{\"epochs\": 3}"}');

-- Variants override the options of the model.
CALL mren.train('m', 'TABLE pairs', '{"epochs": 2, "negative": "none", "deploy": true}');
SELECT variant, options, measure FROM mren.compare('m', 'TABLE pairs', ARRAY['{}', '{"epochs": 1}', '{"negative": "none"}']::jsonb[], 2) ORDER BY 1;
SELECT mren.save_model('saved', mren.train_agg(sentence, head, tail, relation, NULL, '{"epochs": 1, "dropout": 0.3}')) FROM pairs;
SELECT options ->> 'dropout' AS dropout, options ->> 'epochs' AS epochs, options ? 'deploy' AS deploy
FROM mren.compare('saved', 'TABLE pairs', ARRAY['{"epochs": 2}']::jsonb[], 2);
-- It works in a read-only transaction.
BEGIN READ ONLY;
SELECT count(*) FROM mren.compare('m', 'TABLE pairs', ARRAY['{"epochs": 1}']::jsonb[], 2);
COMMIT;

-- Images and boxes; a fusion with grid attention needs another encoding of the rows.
\set encoder :files '/encoder.onnx'
\set red :files '/red.png'
\set blue :files '/blue.png'
SELECT mren.load_image_encoder('eyes', :'encoder', mean => '{0}', std => '{255}');
CREATE TABLE seen AS
SELECT id, sentence, head, tail, (id - 1) / 18 AS "group", CASE id % 2 WHEN 0 THEN 'left_of' ELSE 'right_of' END AS relation,
       pg_read_binary_file(CASE id % 3 WHEN 0 THEN :'red' ELSE :'blue' END) AS image,
       CASE id % 2 WHEN 0 THEN box '(0,0),(3,4)' ELSE box '(5,0),(8,4)' END AS head_box,
       CASE id % 2 WHEN 1 THEN box '(0,1),(3,5)' ELSE box '(5,1),(8,5)' END AS tail_box
FROM pairs;
SELECT variant, rows, groups, score > 0.95 AS good
FROM mren.compare(NULL, 'TABLE seen', ARRAY['{"fusion": "parallel"}', '{"fusion": "hybrid"}']::jsonb[], 2) ORDER BY 1;
-- Without a column "group", rows with the same image stay together: two images are two groups.
SELECT groups FROM mren.compare(NULL, 'SELECT sentence, head, tail, relation, image FROM seen', '{"{\"epochs\": 1}"}', 2);
SELECT groups FROM mren.compare(NULL, 'SELECT sentence, head, tail, relation, mren.image_features(''eyes'', image) AS image_vector FROM seen', '{"{\"epochs\": 1}"}', 2);
SELECT mren.drop_image_encoder('eyes');

-- Invalid variants are refused before anything is trained; the context has their number.
SELECT failure_of($$SELECT * FROM mren.compare(NULL, 'SELECT 1/0', ARRAY['{}', '{"epoch": 3}']::jsonb[])$$);
SELECT failure_of($$SELECT * FROM mren.compare(NULL, 'SELECT 1/0', ARRAY['{}', '[1]']::jsonb[])$$);
SELECT failure_of($$SELECT * FROM mren.compare(NULL, 'SELECT 1/0', ARRAY['{}', '{}', NULL]::jsonb[])$$);
SELECT failure_of($$SELECT * FROM mren.compare(NULL, 'SELECT 1/0', ARRAY['{"deploy": true}']::jsonb[])$$);
SELECT failure_of($$SELECT * FROM mren.compare(NULL, 'SELECT 1/0', ARRAY['{}', '{"holdout_share": 0.1}']::jsonb[])$$);
SELECT failure_of($$SELECT * FROM mren.compare(NULL, 'SELECT 1/0', ARRAY['{}', '{"negative": "none"}']::jsonb[])$$);
SELECT failure_of($$SELECT * FROM mren.compare(NULL, 'SELECT 1/0', ARRAY['{}', '{"embeddings": "nowhere"}']::jsonb[])$$);
-- So are other arguments.
SELECT error_of($$SELECT * FROM mren.compare(NULL, 'TABLE pairs', '{}')$$);
SELECT error_of($$SELECT * FROM mren.compare(NULL, 'TABLE pairs', NULL)$$);
SELECT error_of($$SELECT * FROM mren.compare(NULL, NULL, '{"{}"}')$$);
SELECT error_of($$SELECT * FROM mren.compare(NULL, 'TABLE pairs', '{{"{}"},{"{}"}}')$$);
SELECT error_of($$SELECT * FROM mren.compare(NULL, 'TABLE pairs', '{"{}"}', 1)$$);
SELECT error_of($$SELECT * FROM mren.compare(NULL, 'TABLE pairs', '{"{}"}', 101)$$);
SELECT error_of($$SELECT * FROM mren.compare(NULL, 'TABLE pairs', '{"{}"}', NULL)$$);
SELECT error_of($$SELECT * FROM mren.compare('nobody', 'TABLE pairs', '{"{}"}')$$);
SELECT error_of($$SELECT * FROM mren.compare(NULL, 'SELECT sentence FROM pairs', '{"{}"}')$$);
SELECT error_of($$SELECT * FROM mren.compare(NULL, 'DELETE FROM pairs', '{"{}"}')$$);
-- Rows that cannot be divided into folds, or not be trained on.
SELECT failure_of($$SELECT * FROM mren.compare(NULL, 'TABLE grouped', '{"{}"}', 5)$$);
SELECT failure_of($$SELECT * FROM mren.compare(NULL, 'TABLE pairs LIMIT 0', '{"{}"}')$$);
SELECT failure_of($$SELECT * FROM mren.compare(NULL, 'SELECT *, relation <> ''none'' AS "group" FROM pairs WHERE relation <> ''part_of''', '{"{}"}', 2)$$)
       ~ '^22000: all training rows have the same relation "(none|kind_of)"\nat: variant 1, fold 1$' AS one_relation;
-- A query that returns different rows when it runs again.
SELECT failure_of($$SELECT * FROM mren.compare(NULL, 'SELECT *, random() AS "group" FROM pairs', ARRAY['{"epochs": 1}', '{"epochs": 1, "hash_bits": 0}']::jsonb[], 2)$$);
-- It can be cancelled.
\set SHOW_CONTEXT never
SET statement_timeout = '300ms';
SELECT * FROM mren.compare(NULL, 'TABLE pairs', ARRAY['{"epochs": 10000, "patience": 0}']::jsonb[]);
RESET statement_timeout;

-- Privileges: none without a model, else "train" on the model.
CREATE ROLE regress_mren_judge;
GRANT SELECT ON pairs TO regress_mren_judge;
SET ROLE regress_mren_judge;
SELECT count(*) FROM mren.compare(NULL, 'TABLE pairs', '{"{\"epochs\": 1}"}', 2);
SELECT error_of($$SELECT * FROM mren.compare('m', 'TABLE pairs', '{"{}"}')$$);
SELECT error_of($$SELECT * FROM mren.compare(NULL, 'TABLE grouped', '{"{}"}')$$);
RESET ROLE;
SELECT mren.grant_model('m', 'regress_mren_judge', 'train');
SET ROLE regress_mren_judge;
SELECT count(*) FROM mren.compare('m', 'TABLE pairs', '{"{\"epochs\": 1}"}', 2);
RESET ROLE;
SELECT mren.revoke_model('m', 'regress_mren_judge', 'train');
REVOKE SELECT ON pairs FROM regress_mren_judge;
DROP ROLE regress_mren_judge;
SELECT proname, provolatile, proparallel, proisstrict FROM pg_proc
WHERE pronamespace = 'mren'::regnamespace AND proname = 'compare';
