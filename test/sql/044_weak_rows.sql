-- Training rows with probabilities, and rows that no person labelled.
SET client_min_messages = warning;
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql
CREATE TABLE gold AS SELECT row_number() OVER (ORDER BY sentence, head, tail) AS n, sentence, head, tail, relation FROM pairs;
-- Of every fourth row a person knows the relation; of the others it is likely.
CREATE VIEW rows AS
SELECT n AS id, sentence, head, tail, CASE WHEN n % 4 = 0 THEN relation END AS relation,
    CASE WHEN n % 4 <> 0 THEN jsonb_build_object(relation, 0.8, CASE relation WHEN 'none' THEN 'part_of' ELSE 'none' END, 0.2) END AS probabilities
FROM gold;
CALL mren.train('soft', 'SELECT * FROM rows', '{"epochs": 30, "hidden": [8], "validation_share": 0.2}');
SELECT (metrics ->> 'gold_rows')::int = (SELECT count(*) FROM rows WHERE relation IS NOT NULL) AS gold,
    (metrics ->> 'weak_rows')::int + (metrics ->> 'unused_weak_rows')::int = (SELECT count(*) FROM rows WHERE relation IS NULL) AS weak,
    (metrics ->> 'soft_rows')::int = (metrics ->> 'weak_rows')::int AS soft, options ? 'weak' AS default_shown
FROM mren.models WHERE model = 'soft';
SELECT gold_rows = (SELECT count(*) FROM rows WHERE relation IS NOT NULL) AS gold, weak_rows = (SELECT count(*) FROM rows WHERE relation IS NULL) AS weak, rows = gold_rows + weak_rows AS all
FROM mren.runs WHERE model = 'soft';
SELECT (mren.metrics(g.relation, mren.predict('soft', g.sentence, g.head, g.tail)) ->> 'accuracy')::float8 > 0.8 AS learns FROM gold g;
-- Any order of rows, the aggregate, and parallel workers give the same network.
CREATE TABLE shuffled AS SELECT * FROM rows ORDER BY md5(id::text);
SELECT count(DISTINCT network) FROM (
    SELECT mren.train_agg(sentence, head, tail, relation, NULL::bytea, jsonb_build_object('probabilities', probabilities), '{"epochs": 3}')::text AS network FROM rows
    UNION ALL
    SELECT mren.train_agg(sentence, head, tail, relation, NULL::bytea, jsonb_build_object('probabilities', probabilities, 'gold', NULL), '{"epochs": 3}')::text FROM shuffled) AS n;
-- Other ways of training on them; with "only" all gold rows validate.
CALL mren.train('mixed', 'SELECT * FROM rows', '{"epochs": 3, "hidden": [8], "weak": "mixed"}');
CALL mren.train('only', 'SELECT * FROM rows', '{"epochs": 3, "hidden": [8], "weak": "only"}');
SELECT model, options -> 'weak' AS weak, (metrics ->> 'validation_rows')::int = (metrics ->> 'gold_rows')::int AS all_validate
FROM mren.models WHERE model IN ('mixed', 'only') ORDER BY model;
SELECT error_of($$CALL mren.train('m', 'SELECT * FROM rows', '{"weak": "last"}')$$);
-- A row with a relation that nobody checked is not gold; one with probabilities may be.
CALL mren.train('stated', 'SELECT *, n % 2 = 0 AS gold FROM gold', '{"epochs": 1, "hidden": [8]}');
CALL mren.train('disputed', 'SELECT *, true AS gold FROM rows', '{"epochs": 1, "hidden": [8]}');
SELECT model, (metrics ->> 'gold_rows')::int = (SELECT count(*) FILTER (WHERE n % 2 = 0 OR model = 'disputed') FROM gold) AS gold, metrics ->> 'weak_rows' = '0' AS all_gold
FROM mren.models WHERE model IN ('stated', 'disputed') ORDER BY model;
-- A weak row whose sentence validates is not used, whatever group it is of.
CALL mren.train('leaky', $$SELECT sentence, head, tail, relation, true AS gold, n::text AS "group" FROM gold
    UNION ALL SELECT sentence, head, tail, relation, false, 'w' || n % 3 FROM gold$$, '{"epochs": 1, "hidden": [8], "ensemble": 2}');
SELECT (metrics ->> 'unused_weak_rows')::int >= (metrics ->> 'validation_rows')::int AS unused, metrics ->> 'validation_rows' <> '0' AS validated FROM mren.models WHERE model = 'leaky';
-- Without a gold row nothing is validated, calibrated or decided.
CALL mren.train('unjudged', 'SELECT * FROM rows WHERE relation IS NULL', '{"epochs": 1, "hidden": [8]}');
SELECT metrics ->> 'validation_rows' AS validation_rows, metrics ->> 'temperature' AS temperature, metrics ? 'validation_loss' AS validated FROM mren.models WHERE model = 'unjudged';
SELECT error_of($$CALL mren.train('m', 'SELECT * FROM rows WHERE relation IS NULL', '{"decide": "f1"}')$$);
-- One gold row, or a few, do not calibrate either.
CALL mren.train('one', 'SELECT * FROM rows WHERE relation IS NULL OR id IN (SELECT min(id) FROM rows WHERE relation IS NOT NULL)', '{"epochs": 1, "hidden": [8]}');
CALL mren.train('three', 'SELECT * FROM rows WHERE relation IS NULL OR id IN (SELECT id FROM rows WHERE relation IS NOT NULL ORDER BY id LIMIT 3)', '{"epochs": 1, "hidden": [8]}');
SELECT metrics ->> 'gold_rows' AS gold_rows, metrics ->> 'temperature' AS temperature, metrics ->> 'negative_bias' AS bias FROM mren.models WHERE model IN ('one', 'three') ORDER BY model;
-- Retraining is judged by gold rows alone: without any it is undecided.
CALL mren.train('night', 'SELECT id, sentence, head, tail, probabilities FROM rows WHERE probabilities IS NOT NULL', '{"epochs": 1, "hidden": [8], "holdout_share": 0.3}');
CALL mren.retrain('night', min_new_rows => 0, options => '{"seed": 2}');
SELECT verdict, holdout_rows FROM mren.runs WHERE call = 'retrain' ORDER BY run DESC LIMIT 1;
CALL mren.train('judged', 'SELECT * FROM rows', '{"epochs": 1, "hidden": [8], "holdout_share": 0.5}');
CALL mren.retrain('judged', min_new_rows => 0, promote => 'always', options => '{"seed": 2}');
SELECT holdout_rows <= (SELECT count(*) FROM rows WHERE relation IS NOT NULL) AS gold_only, holdout_rows > 0 AS some FROM mren.runs WHERE call = 'retrain' ORDER BY run DESC LIMIT 1;
SELECT weak_rows > 0 AS weak, gold_rows > 0 AS gold FROM mren.runs WHERE call = 'retrain' ORDER BY run DESC LIMIT 1;
-- Variants are compared on the gold rows.
SELECT rows = (SELECT count(*) FROM rows WHERE relation IS NOT NULL) AS gold_only FROM mren.compare(NULL, 'SELECT * FROM rows', ARRAY['{"epochs": 1, "hidden": [8]}']::jsonb[], 2);
-- What cannot be used is told with row and value.
SELECT v, split_part(error_of(format('CALL mren.train(''m'', $q$SELECT id, sentence, head, tail, relation, CASE WHEN id = 3 THEN %L::jsonb ELSE probabilities END AS probabilities FROM rows$q$)', v)), E'\nhint', 1) AS error
FROM unnest(ARRAY['null', '{}', '[]', '"part_of"', '{"part_of": 1.5, "none": -0.5}', '{"part_of": 0.5, "none": 0.4}', '{"part_of": "much"}', '{"": 1}', '{"part_of": 1e400}']) AS v;
SELECT error_of($$CALL mren.train('m', 'SELECT id, sentence, head, tail, ''none'' AS relation, probabilities FROM rows')$$);
SELECT error_of($$CALL mren.train('m', 'SELECT sentence, head, tail FROM gold')$$);
SELECT error_of($$CALL mren.train('m', 'SELECT sentence, head, tail, 0.5 AS probabilities FROM gold')$$);
SELECT error_of($$SELECT mren.train_agg(sentence, head, tail, relation, NULL::bytea, '{"probabilities": {"none": 1}}', '{}') FROM gold$$);
SELECT error_of($$SELECT mren.train_agg(sentence, head, tail, relation, NULL::bytea, '{"gold": "yes"}', '{}') FROM gold$$);
