-- Predicting: one row, many rows, its reasons; and everything that can be wrong with a row.
\getenv srcdir PG_ABS_SRCDIR
\getenv files MREN_TEST_FILES
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql
\set encoder :files '/encoder.onnx'
\set red :files '/red.png'
SELECT mren.load_image_encoder('tiny', :'encoder', mean => '{0}', std => '{255}');
SET client_min_messages = warning;
SELECT mren.save_model('m', mren.train_agg(sentence, head, tail, relation, NULL,
                                           '{"epochs": 40, "dropout": 0, "hidden_dropout": 0, "validation_share": 0, "learning_rate": 0.01, "image_encoder": null}'))
FROM pairs;

-- It has learnt its rows.
SELECT count(*) FILTER (WHERE mren.predict('m', sentence, head, tail) = relation) > 100 AS learnt, count(*) FROM pairs;
-- Every function tells the same.
SELECT bool_and(c.relation = mren.predict('m', p.sentence, p.head, p.tail)) AS classify,
       bool_and(c.confidence = d.probability AND c.relation = d.relation) AS proba,
       bool_and(c.confidence BETWEEN 1.0 / 3 AND 1) AS plausible
FROM pairs p, mren.classify('m', sentence, head, tail) AS c,
     LATERAL (SELECT * FROM mren.predict_proba('m', sentence, head, tail) LIMIT 1) AS d;
SELECT bool_and(abs(s - 1) < 1e-6) AS sums_to_one, bool_and(n = 3) AS all_relations, bool_and(sorted) AS sorted
FROM (SELECT sum(probability) AS s, count(*) AS n,
             array_agg(probability) = array_agg(probability ORDER BY probability DESC) AS sorted
      FROM pairs p, mren.predict_proba('m', sentence, head, tail) GROUP BY p.id) AS d;
-- A row alone and in a batch: the same bits.
SELECT bool_and(r.relation = c.relation AND r.confidence = c.confidence) AS same, count(*)
FROM mren.predict_rows('m', 'SELECT * FROM pairs') AS r JOIN pairs p ON p.id::text = r.id,
     mren.classify('m', p.sentence, p.head, p.tail) AS c;
-- Text and range mentions.
SELECT mren.predict('m', 'dog is a kind of animal', 'dog', 'animal') = mren.predict('m', 'dog is a kind of animal', int4range(0, 3), int4range(17, 23)) AS same;
SELECT cardinality(mren.features('m', 'dog is a kind of animal', 'dog', 'animal')) > 10 AS features;

-- NULLs.
SELECT mren.predict('m', NULL, 'a', 'b'), mren.predict('m', 'a b', NULL, 'b'), mren.predict('m', 'a b', 'a', NULL::text),
       mren.classify('m', NULL, 'a', 'b'), mren.features('m', NULL, 'a', 'b');
SELECT count(*) FROM mren.predict_proba('m', NULL, 'a', 'b');
SELECT id, relation, confidence FROM mren.predict_rows('m', 'SELECT 1 AS id, NULL::text AS sentence, ''a''::text AS head, ''b''::text AS tail');
SELECT error_of($$SELECT mren.predict(NULL, 'dog is', 'dog', 'is')$$);

-- Mentions.
SELECT error_of($$SELECT mren.predict('m', 'dog is a kind of animal', 'cat', 'animal')$$);
SELECT error_of($$SELECT mren.predict('m', 'dog is a kind of animal', 'do', 'animal')$$);
SELECT error_of($$SELECT mren.predict('m', 'dog is a kind of animal', 'Dog', 'animal')$$);
SELECT error_of($$SELECT mren.predict('m', 'dog is a kind of animal', '[0,3)', '[17,23)')$$);
SELECT error_of($$SELECT mren.predict('m', 'dog is a kind of animal', '', 'animal')$$);
SELECT error_of($$SELECT mren.predict('m', '', 'dog', 'animal')$$);
SELECT error_of($$SELECT mren.predict('m', 'dog is', int4range(0, 3), int4range(4, 70))$$);
SELECT error_of($$SELECT mren.predict('m', 'dog is', int4range(-2, 3), int4range(4, 6))$$);
SELECT error_of($$SELECT mren.predict('m', 'dog is', 'empty'::int4range, int4range(4, 6))$$);
-- Chinese: no spaces, and characters of three bytes.
SELECT mren.predict('m', '车轮是汽车的一部分', '车轮', '汽车') IS NOT NULL AS by_text,
       mren.predict('m', '车轮是汽车的一部分', '车轮', '汽车') = mren.predict('m', '车轮是汽车的一部分', int4range(0, 2), int4range(3, 5)) AS same;
-- A megabyte of text.
SELECT mren.predict('m', 'dog is a kind of animal ' || repeat('and so on ', 100000), 'dog', 'animal') IS NOT NULL AS long_text;

-- Models and versions.
SELECT error_of($$SELECT mren.predict('unknown', 'dog is', 'dog', 'is')$$);
SELECT error_of($$SELECT mren.predict('m', 'dog is', 'dog', 'is', version => 2)$$);
SELECT error_of($$SELECT mren.predict('m', 'dog is', 'dog', 'is', version => 0)$$);
SELECT error_of($$SELECT * FROM mren.explain('m', 'dog is', 'dog', 'is', version => 0)$$);
SELECT error_of($$SELECT * FROM mren.predict_rows('m', 'SELECT * FROM pairs', 0)$$);
SELECT mren.predict('m', 'dog is a kind of animal', 'dog', 'animal', version => 1);

-- Pictures.
SELECT error_of(format('SELECT mren.predict(''m'', ''dog is'', ''dog'', ''is'', %L::bytea)', pg_read_binary_file(:'red')));
SELECT mren.save_model('seeing', mren.train_agg(sentence, head, tail, CASE WHEN id % 2 = 0 THEN 'red' ELSE 'none' END,
                                                CASE WHEN id % 2 = 0 THEN pg_read_binary_file(:'red') END,
                                                '{"epochs": 20, "image_encoder": "tiny"}'))
FROM pairs;
SELECT mren.predict('seeing', 'dog is', 'dog', 'is') IS NOT NULL AS without,
       mren.predict('seeing', 'dog is', 'dog', 'is', pg_read_binary_file(:'red')) IS NOT NULL AS "with",
       mren.classify('seeing', 'dog is', 'dog', 'is', pg_read_binary_file(:'red'))
           = mren.classify('seeing', 'dog is', 'dog', 'is', image_vector => mren.image_features('tiny', pg_read_binary_file(:'red'))) AS by_vector;
SELECT error_of($$SELECT mren.predict('seeing', 'dog is', 'dog', 'is', image_vector => '{1,2,3}')$$);
SELECT error_of($$SELECT mren.predict('seeing', 'dog is', 'dog', 'is', image_vector => '{1,NaN}')$$);
SELECT error_of($$SELECT mren.predict('seeing', 'dog is', 'dog', 'is', image_vector => '{1,NULL}')$$);
SELECT error_of($$SELECT mren.predict('seeing', 'dog is', 'dog', 'is', image_vector => '{{1},{2}}')$$);
SELECT error_of($$SELECT mren.predict('seeing', 'dog is', 'dog', 'is', 'x'::bytea, image_vector => '{1,2}')$$);
SELECT error_of($$SELECT mren.predict('seeing', 'dog is', 'dog', 'is', 'x'::bytea)$$);

-- A box is a place in a picture.
SELECT error_of($$SELECT mren.predict('m', 'dog is', 'dog', 'is', head_box => '(1,2),(3,4)')$$);
SELECT error_of($$SELECT * FROM mren.predict_rows('m', 'SELECT *, box ''(1,2),(3,4)'' AS tail_box FROM pairs')$$);

-- Abstaining: NULL, and the confidence.
SELECT mren.save_model('shy', mren.train_agg(sentence, head, tail, relation, NULL, '{"epochs": 1, "threshold": 0.999}')) FROM pairs;
SELECT mren.predict('shy', 'dog is a kind of animal', 'dog', 'animal') AS predict, c.relation, c.confidence > 0 AS confidence
FROM mren.classify('shy', 'dog is a kind of animal', 'dog', 'animal') AS c;
SELECT id, relation, confidence > 0 AS confidence
FROM mren.predict_rows('shy', $$SELECT 7 AS id, 'dog is a kind of animal' AS sentence, 'dog' AS head, 'animal' AS tail$$);

-- Reasons: the words of the sentence in order, then mentions and the picture.
SELECT modality, feature, contribution BETWEEN -1 AND 1 AS bounded FROM mren.explain('m', 'dog is a kind of animal', 'dog', 'animal');
SELECT (SELECT feature FROM mren.explain('m', sentence, head, tail) WHERE modality = 'word' ORDER BY contribution DESC LIMIT 1) AS reason
FROM (SELECT * FROM pairs WHERE relation = 'kind_of') AS p GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1;
SELECT DISTINCT modality FROM mren.explain('seeing', 'dog is', 'dog', 'is', pg_read_binary_file(:'red')) ORDER BY 1;
SELECT i.* FROM mren.image_info(mren.explain_image('seeing', 'dog is', 'dog', 'is', pg_read_binary_file(:'red'))) AS i;
SELECT mren.explain_image('seeing', 'dog is', 'dog', 'is') IS NULL AS no_picture;
SELECT error_of($$SELECT mren.explain_image('seeing', 'dog is', 'dog', 'is', image_vector => '{1,2}')$$);

-- predict_rows: columns by name, of one SELECT.
SELECT error_of($$SELECT * FROM mren.predict_rows('m', 'SELECT sentence, head, tail FROM pairs')$$);
SELECT error_of($$SELECT * FROM mren.predict_rows('m', 'SELECT id, head, tail FROM pairs')$$);
SELECT error_of($$SELECT * FROM mren.predict_rows('m', 'SELECT id, sentence, 1 AS head, tail FROM pairs')$$);
SELECT error_of($$SELECT * FROM mren.predict_rows('m', 'DROP TABLE pairs')$$);
SELECT error_of($$SELECT * FROM mren.predict_rows('m', NULL)$$);
SELECT error_of($$SELECT * FROM mren.predict_rows('m', '')$$);
-- An error in a row leaves the transaction's other work.
BEGIN;
CREATE TABLE work AS SELECT 1 AS done;
SAVEPOINT s;
SELECT mren.predict('m', 'dog is', 'cat', 'is');
ROLLBACK TO s;
COMMIT;
SELECT * FROM work;

-- Plans: parallel, and cheap conditions first.
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
ALTER TABLE pairs SET (parallel_workers = 2);
EXPLAIN (COSTS OFF) SELECT mren.predict('m', sentence, head, tail) FROM pairs;
SELECT count(*) FILTER (WHERE p = relation) > 100 AS learnt FROM (SELECT mren.predict('m', sentence, head, tail) AS p, relation FROM pairs) AS x;
-- Above a sort or a limit, the session answers in batches: it calls no function for each row.
BEGIN;
SET LOCAL track_functions = 'all';
SELECT count(relation) FROM mren.predict_rows('m', 'SELECT * FROM pairs ORDER BY id');
SELECT count(relation) FROM mren.predict_rows('m', 'SELECT * FROM pairs LIMIT 50');
SELECT p.oid::regproc, pg_stat_get_xact_function_calls(p.oid) AS calls FROM pg_proc p WHERE proname = 'predict_row' ORDER BY p.oid;
-- Below it, workers and session answer in batches, too.
SET LOCAL parallel_leader_participation = on;
SET LOCAL max_parallel_workers = 0;
SELECT count(relation) FROM mren.predict_rows('m', 'SELECT * FROM pairs');
SELECT count(pg_stat_get_xact_function_calls(p.oid)) AS called FROM pg_proc p WHERE proname = 'predict_row';
COMMIT;
-- A query may call what calls the function itself, with a model that is not known when that is planned.
CREATE FUNCTION own_answers() RETURNS bigint STABLE PARALLEL SAFE LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    SELECT count(answer) INTO n FROM (SELECT mren.predict_row(CASE WHEN id > 0 THEN 'm' END, NULL, sentence, head, tail,
        NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL) AS answer FROM pairs WHERE id BETWEEN 1 AND 3 OFFSET 0) AS own;
    RETURN n;
END
$$;
BEGIN;
SET LOCAL parallel_leader_participation = on;
SET LOCAL max_parallel_workers = 0;
SELECT count(relation) FROM mren.predict_rows('m', 'SELECT * FROM pairs WHERE own_answers() > 0');
COMMIT;
SET max_parallel_workers_per_gather = 0;
EXPLAIN (COSTS OFF) SELECT * FROM pairs WHERE mren.predict('m', sentence, head, tail, convert_to(relation, 'UTF8')) = 'x' AND mren.predict('m', sentence, head, tail) = 'y' AND id = 3;
