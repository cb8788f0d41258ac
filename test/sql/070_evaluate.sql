-- Evaluation: metrics of any two columns, evaluate and confusion_matrix of a
-- model.
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql

-- Six rows, figures by hand.  a: 2 of 3 predicted right, 2 of 3 found; b: 1 of
-- 2, 1 of 2; c: never predicted, one row without an answer.  Micro: 3 right,
-- 5 predicted, 6 rows.
CREATE TABLE hand (actual text, predicted text);
INSERT INTO hand VALUES ('a', 'a'), ('a', 'a'), ('a', 'b'), ('b', 'b'), ('b', 'a'), ('c', NULL);
CREATE FUNCTION figures(m jsonb) RETURNS text LANGUAGE sql AS
    $$SELECT format('p %s r %s f %s n %s', round((m ->> 'precision')::numeric, 4), round((m ->> 'recall')::numeric, 4),
                    round((m ->> 'f1')::numeric, 4), m ->> 'support')$$;
SELECT m -> 'n' AS n, m -> 'accuracy' AS accuracy, figures(m -> 'micro') AS micro, figures(m -> 'macro') AS macro,
       m ? 'semeval_macro' AS semeval
FROM (SELECT mren.metrics(actual, predicted) AS m FROM hand) AS t;
SELECT key, figures(value) FROM (SELECT mren.metrics(actual, predicted) AS m FROM hand) AS t, jsonb_each(m -> 'relations')
ORDER BY 1;
-- Without b in the averages: 2 right, 3 predicted, 4 rows; accuracy is of all.
SELECT m -> 'accuracy' AS accuracy, figures(m -> 'micro') AS micro, figures(m -> 'macro') AS macro
FROM (SELECT mren.metrics(actual, predicted, 'b') AS m FROM hand) AS t;
-- A negative relation that is NULL or does not occur makes no difference.
SELECT mren.metrics(actual, predicted, NULL) = mren.metrics(actual, predicted) AS none,
       mren.metrics(actual, predicted, 'x') = mren.metrics(actual, predicted) AS absent FROM hand;
-- If all rows are negative, averages are 0, not NaN.
SELECT mren.metrics('b', 'b', 'b');
SELECT mren.metrics(actual, predicted) FROM hand WHERE false;
SELECT mren.metrics('', 'é' || chr(10) || '"');

-- SemEval-2010 Task 8: direction counts, Other is left out.  A: 2 right of 4
-- predicted and 3 rows; B: 1 right of 1 predicted and 2 rows.
-- p = (1/2 + 1) / 2, r = (2/3 + 1/2) / 2, F1 = (4/7 + 2/3) / 2.
SELECT figures(mren.metrics(actual, predicted) -> 'semeval_macro') AS semeval
FROM (VALUES ('A(e1,e2)', 'A(e1,e2)'), ('A(e2,e1)', 'A(e2,e1)'), ('A(e1,e2)', 'A(e2,e1)'),
             ('B(e1,e2)', 'B(e1,e2)'), ('B(e2,e1)', 'Other'), ('Other', 'A(e1,e2)'), ('Other', 'Other')) AS t (actual, predicted);

-- A parallel plan, with partial states, gives the same result.
CREATE TABLE many AS
SELECT 'r' || i % 17 AS actual, nullif('r' || i::bigint * i % 23, 'r0') AS predicted FROM generate_series(1, 20000) AS i;
ANALYZE many;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT mren.metrics(actual, predicted, 'r1') FROM many;
CREATE TABLE parallel AS SELECT mren.metrics(actual, predicted, 'r1') AS m FROM many;
SET max_parallel_workers_per_gather = 0;
SELECT m = (SELECT mren.metrics(actual, predicted, 'r1') FROM many) AS same, m -> 'n' AS n FROM parallel;
RESET ALL;
-- So do states that were converted to text and back, and window functions.
SELECT mren.metrics_final(mren.metrics_combine(mren.metrics_add(NULL, 'a', 'b')::text::mren.confusion,
                                               mren.metrics_add(NULL, 'b', NULL)))
     = (SELECT mren.metrics(actual, predicted) FROM (VALUES ('b', NULL), ('a', 'b')) AS t (actual, predicted)) AS same;
SELECT mren.metrics_combine(NULL, NULL) IS NULL AS empty,
       mren.metrics_combine(mren.metrics_add(NULL, 'a', 'b'), NULL)::text = mren.metrics_add(NULL, 'a', 'b')::text AS one;
SELECT (mren.metrics(actual, predicted) OVER (ORDER BY actual, predicted ROWS UNBOUNDED PRECEDING)) -> 'accuracy' AS running
FROM hand;
-- Adding in another order gives the same state, byte for byte.
SELECT mren.metrics_add(mren.metrics_add(NULL, 'a', 'b'), 'c', 'a')::text
     = mren.metrics_add(mren.metrics_add(NULL, 'c', 'a'), 'a', 'b')::text AS same;

-- Rows with several relations.  Of the first, a is right, b and c are not; of the second, nothing is said; the third has
-- no relation.  a: 1 of 1 predicted, 1 of 2 found; b: 0 of 1 found; c: 0 of 2 predicted.  One of four rows is right altogether.
CREATE TABLE sets (actual text[], predicted text[]);
INSERT INTO sets VALUES ('{b,a}', '{a,c,a}'), ('{a}', NULL), ('{}', '{c}'), ('{none}', '{none}');
SELECT m -> 'n' AS n, m -> 'accuracy' AS accuracy, figures(m -> 'micro') AS micro, figures(m -> 'macro') AS macro
FROM (SELECT mren.metrics(actual, predicted, 'none') AS m FROM sets) AS t;
SELECT key, figures(value) FROM (SELECT mren.metrics(actual, predicted) AS m FROM sets) AS t, jsonb_each(m -> 'relations') ORDER BY 1;
-- With one relation for each row it is the same aggregate, also in parts and after a trip through text.
SELECT mren.metrics(ARRAY[actual], CASE WHEN predicted IS NOT NULL THEN ARRAY[predicted] END) = mren.metrics(actual, predicted) AS same FROM hand;
-- The negative relation counts only where it is alone.
SELECT mren.metrics(ARRAY['n', actual], ARRAY['n', predicted], 'n') = mren.metrics(ARRAY[actual], ARRAY[predicted], 'n') AS same FROM hand
WHERE predicted IS NOT NULL;
SELECT mren.metrics_final(mren.metrics_combine(mren.metrics_add(NULL, '{a,b}'::text[], '{c}'::text[])::text::mren.confusion,
                                               mren.metrics_add(NULL, '{}'::text[], '{}'::text[])::text::mren.confusion))
     = (SELECT mren.metrics(actual, predicted) FROM (VALUES ('{}'::text[], '{}'::text[]), ('{b,a}', '{c}')) AS t (actual, predicted)) AS same;
SELECT error_of($$SELECT mren.metrics(NULL::text[], '{a}')$$);
SELECT error_of($$SELECT mren.metrics('{a,NULL}'::text[], '{a}')$$);
SELECT error_of($$SELECT mren.metrics('{a}'::text[], '{a,NULL}')$$);
SELECT error_of($$SELECT mren.metrics(ARRAY[repeat('x', 1025)], '{a}')$$);
SELECT error_of($$SELECT mren.metrics(a, '{a}') FROM (SELECT array_agg(i::text) AS a FROM generate_series(1, 10001) AS i) AS t$$);

-- Invalid input of the aggregate and of its type.
SELECT error_of($$SELECT mren.metrics(NULL::text, 'a')$$);
SELECT error_of($$SELECT mren.metrics('a', 'a', n) FROM (VALUES ('a'), ('b')) AS t (n)$$);
SELECT error_of($$SELECT mren.metrics_final(mren.metrics_combine(mren.metrics_add(NULL, 'a', 'a'), mren.metrics_add(NULL, 'a', 'a', 'a')))$$);
SELECT error_of($$SELECT mren.metrics(repeat('x', 1025), 'a')$$);
SELECT error_of($$SELECT mren.metrics(i::text, 'a') FROM generate_series(1, 10001) AS i$$);
SELECT error_of($$SELECT 'abc'::mren.confusion$$);
SELECT error_of($$SELECT '\x'::mren.confusion$$);
SELECT error_of($$SELECT '\x4d52454e434f4e46'::mren.confusion$$);
-- A state with any one byte inverted is refused or is another valid state, and
-- then all of its counts are positive, as the total shows.
CREATE TABLE turned (e text);
DO $$
DECLARE
    b bytea := decode(substr(mren.metrics_add(mren.metrics_add(mren.metrics_add(NULL, 'a', 'b', 'n'), 'c', NULL, 'n'),
        '{a}'::text[], '{a,b}'::text[], 'n')::text, 3), 'hex');
BEGIN
    FOR i IN 0 .. length(b) - 1 LOOP
        FOR bit IN 0 .. 7 LOOP
            BEGIN
                INSERT INTO turned
                SELECT CASE WHEN (mren.metrics_final(('\x' || encode(set_byte(b, i, get_byte(b, i) # (1 << bit)), 'hex'))::mren.confusion)
                                  ->> 'n')::numeric BETWEEN 1 AND 9223372036854775807 THEN 'valid' ELSE 'wrong' END;
            EXCEPTION WHEN OTHERS THEN
                INSERT INTO turned VALUES (SQLSTATE);
            END;
        END LOOP;
    END LOOP;
    FOR i IN 0 .. length(b) - 1 LOOP
        BEGIN
            PERFORM ('\x' || encode(substr(b, 1, i), 'hex'))::mren.confusion;
            INSERT INTO turned VALUES ('cut, but accepted');
        EXCEPTION WHEN invalid_binary_representation THEN
            NULL;
        END;
    END LOOP;
END
$$;
SELECT DISTINCT e FROM turned ORDER BY 1;

-- A model, trained on two thirds of the pairs of nouns and evaluated on the rest.
CREATE VIEW held_out AS SELECT * FROM pairs WHERE head IN ('dog', 'chair');
CREATE VIEW trained_on AS SELECT * FROM pairs WHERE head NOT IN ('dog', 'chair');
SELECT mren.save_model('m', mren.train_agg(sentence, head, tail, relation, NULL::bytea,
    '{"embeddings": "tiny", "hidden": [8], "epochs": 60, "negative": "none"}')) FROM trained_on;
SELECT mren.save_model('m', mren.train_agg(sentence, head, tail, relation, NULL::bytea,
    '{"embeddings": "tiny", "hidden": [4], "epochs": 1, "learning_rate": 1e-6, "hash_bits": 0, "threshold": 0.999}')) FROM trained_on;
SELECT * FROM mren.evaluate('m', 'SELECT * FROM held_out');
SELECT * FROM mren.confusion_matrix('m', 'SELECT * FROM held_out', 1);
-- A warning gives the number of rows that the model was trained on.
SELECT relation, f1, support FROM mren.evaluate('m', 'SELECT * FROM pairs') WHERE relation = 'accuracy';
SELECT count(*) FROM mren.confusion_matrix('m', 'TABLE trained_on');
-- The second version abstains from everything: all rows are missed.
SELECT * FROM mren.evaluate('m', 'SELECT * FROM held_out', 2);
SELECT * FROM mren.confusion_matrix('m', 'SELECT * FROM held_out', 2);
SELECT * FROM mren.evaluate('m', 'SELECT * FROM held_out', version => 2) WHERE relation = 'accuracy';
-- Figures equal the metrics of mren.predict, also for a row without a mention.
CREATE VIEW mixed AS
SELECT id, sentence, CASE WHEN id % 5 > 0 THEN head END AS head, tail,
       CASE WHEN id % 4 = 0 THEN 'none' ELSE relation END AS relation FROM held_out;
SELECT e.relation, e.precision = (m.f ->> 'precision')::float8 AS precision, e.recall = (m.f ->> 'recall')::float8 AS recall,
       e.f1 = (m.f ->> 'f1')::float8 AS f1, e.support = (m.f ->> 'support')::bigint AS support
FROM mren.evaluate('m', 'SELECT * FROM mixed') AS e,
     (SELECT mren.metrics(relation, mren.predict('m', sentence, head, tail), 'none') AS all FROM mixed) AS t,
     LATERAL (SELECT CASE e.relation WHEN 'micro avg' THEN t.all -> 'micro' WHEN 'macro avg' THEN t.all -> 'macro'
                     ELSE t.all -> 'relations' -> e.relation END AS f) AS m
WHERE e.relation <> 'accuracy';
SELECT e.f1 = (mren.metrics(x.relation, mren.predict('m', sentence, head, tail)) ->> 'accuracy')::float8 AS accuracy, e.f1 < 1 AS not_all
FROM mren.evaluate('m', 'SELECT * FROM mixed') AS e, mixed AS x WHERE e.relation = 'accuracy' GROUP BY e.f1;
-- With labels in the form of SemEval-2010 Task 8 there is a row with its official score.
SELECT mren.save_model('s', mren.train_agg(sentence, head, tail,
    CASE relation WHEN 'part_of' THEN 'Whole(e2,e1)' WHEN 'kind_of' THEN 'Kind(e1,e2)' ELSE 'Other' END, NULL::bytea,
    '{"embeddings": "tiny", "hidden": [8], "epochs": 60, "negative": "Other"}')) FROM trained_on;
SELECT * FROM mren.evaluate('s', $$SELECT sentence, head, tail,
    CASE relation WHEN 'part_of' THEN 'Whole(e2,e1)' WHEN 'kind_of' THEN 'Kind(e1,e2)' ELSE 'Other' END AS relation
    FROM held_out$$);
-- Mentions as ranges.
SELECT relation, f1 FROM mren.evaluate('m', $$SELECT sentence, relation,
    int4range(strpos(sentence, head) - 1, strpos(sentence, head) - 1 + length(head)) AS head,
    int4range(strpos(sentence, tail) - 1, strpos(sentence, tail) - 1 + length(tail)) AS tail FROM held_out$$)
WHERE relation = 'micro avg';

-- Invalid input.
SELECT error_of($$SELECT mren.evaluate(NULL, 'SELECT * FROM held_out')$$);
SELECT error_of($$SELECT mren.evaluate('m', NULL)$$);
SELECT error_of($$SELECT mren.evaluate('nosuch', 'SELECT * FROM held_out')$$);
SELECT error_of($$SELECT mren.evaluate('m', 'SELECT * FROM held_out', 0)$$);
SELECT error_of($$SELECT mren.evaluate('m', 'SELECT * FROM held_out', 99)$$);
SELECT error_of($$SELECT mren.evaluate('m', 'SELECT sentence, head, tail FROM held_out')$$);
SELECT error_of($$SELECT mren.evaluate('m', 'SELECT * FROM held_out WHERE false')$$);
SELECT error_of($$SELECT mren.evaluate('m', 'SELECT sentence, head, tail, nullif(id, 3)::text AS relation FROM pairs ORDER BY id')$$);
SELECT error_of($$SELECT mren.evaluate('m', 'SELEC')$$);
SELECT error_of($$SELECT mren.evaluate('m', '')$$);
SELECT error_of($$SELECT mren.evaluate('m', 'DELETE FROM pairs RETURNING *')$$);
SELECT error_of($$SELECT mren.confusion_matrix(NULL, 'SELECT * FROM held_out')$$);
SELECT error_of($$SELECT mren.confusion_matrix('m', NULL)$$);
SELECT error_of($$SELECT mren.confusion_matrix('m', 'SELECT * FROM held_out', -1)$$);
SELECT error_of($$SELECT mren.confusion_matrix('m', 'SELECT * FROM held_out WHERE false')$$);
SELECT count(*) AS still_there FROM pairs;
