-- Calibration of confidences, and precision of ranked facts.
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql

-- Two bins of two by hand: 0.1 and 0.3, both right, say 0.2 and show 1; 0.6 and
-- 0.8, one right, say 0.7 and show 0.5.  The whole: (0.8 + 0.2) / 2.
SELECT bin, lower, upper, count, round(confidence::numeric, 6) AS confidence, accuracy, round(error::numeric, 6) AS error,
       expected_error BETWEEN 0 AND 0.6 AS expected, coverage, accuracy_above
FROM mren.reliability('{0.8,0.1,0.6,0.3}', '{f,t,t,t}', 2);
-- Equal confidences share a bin, whatever their order.
SELECT bin, count, accuracy FROM mren.reliability('{0.5,0.5,0.9,0.5,0.5}', '{t,f,t,f,f}', 5);
SELECT (SELECT array_agg(r) FROM mren.reliability('{0.5,0.5,0.9,0.5,0.5}', '{t,f,t,f,f}', 5) AS r)
     = (SELECT array_agg(r) FROM mren.reliability('{0.5,0.9,0.5,0.5,0.5}', '{f,t,f,f,t}', 5) AS r) AS same;
-- Perfectly calibrated rows: each hundredth from 0 to 1 has 100 rows, of which that share is
-- right.  The error is that of rounding, below what chance would show.
SELECT bin, count, round(error::numeric, 6) AS error, expected_error BETWEEN 0.002 AND 0.02 AS expected
FROM (SELECT array_agg(c / 100.0) AS confidences, array_agg(i <= c) AS correct
      FROM generate_series(1, 100) AS c, generate_series(1, 100) AS i) AS p,
     mren.reliability(p.confidences, p.correct, 10) WHERE bin IS NULL;
SELECT count(*) FROM mren.reliability('{}', '{}');
SELECT error_of($$SELECT * FROM mren.reliability('{0.5}', '{t,f}')$$);
SELECT error_of($$SELECT * FROM mren.reliability('{0.5,NULL}', '{t,f}')$$);
SELECT error_of($$SELECT * FROM mren.reliability('{0.5,1.5}', '{t,f}')$$);
SELECT error_of($$SELECT * FROM mren.reliability('{0.5,NaN}', '{t,f}')$$);
SELECT error_of($$SELECT * FROM mren.reliability('{{0.5}}', '{t}')$$);
SELECT error_of($$SELECT * FROM mren.reliability(NULL, '{t}')$$);
SELECT error_of($$SELECT * FROM mren.reliability('{0.5}', '{t}', 0)$$);

-- Ranked facts: 0.9 right, of the two at 0.8 one, 0.7 wrong, 0.6 right.  Average
-- precision (1 + 2/3 + 3/5) / 3.
SELECT rank, confidence, correct, round("precision"::numeric, 4) AS "precision", round(recall::numeric, 4) AS recall,
       round(average_precision::numeric, 4) AS average_precision
FROM mren.precision_recall('{0.7,0.8,0.6,0.8,0.9}', '{f,t,t,f,t}');
-- The same with six relevant facts.
SELECT max(recall) AS recall, round(max(average_precision)::numeric, 4) AS average_precision
FROM mren.precision_recall('{0.7,0.8,0.6,0.8,0.9}', '{f,t,t,f,t}', 6);
-- One of the two facts at 0.8 is right, so the second rank counts half.
SELECT n, round(mren.precision_at('{0.7,0.8,0.6,0.8,0.9}', '{f,t,t,f,t}', n)::numeric, 4) FROM generate_series(1, 6) AS n;
-- No fact is right, so recall has no denominator.  Confidences may be any scores.
SELECT * FROM mren.precision_recall('{-3,Infinity}', '{f,f}');
SELECT error_of($$SELECT * FROM mren.precision_recall('{0.5}', '{t}', 0)$$);
SELECT error_of($$SELECT mren.precision_at('{0.5}', '{t}', 0)$$);
-- A table of facts with verdicts.
CREATE TABLE fact (confidence real, confirmed boolean);
INSERT INTO fact VALUES (0.9, true), (0.8, NULL), (0.7, false);
SELECT r.rank, r."precision"
FROM (SELECT array_agg(confidence) AS c, array_agg(confirmed) AS k FROM fact WHERE confirmed IS NOT NULL) AS f,
     mren.precision_recall(f.c, f.k) AS r;

-- Calibration of a model.
SELECT mren.save_model('m', mren.train_agg(sentence, head, tail, relation, NULL,
    '{"epochs": 12, "validation_share": 0.2, "negative": "none", "negative_logit": "fixed"}')) FROM pairs WHERE id % 3 > 0;
CREATE TABLE held_out AS SELECT * FROM pairs WHERE id % 3 = 0;
CREATE TABLE shown AS SELECT * FROM mren.calibration('m', 'SELECT * FROM held_out', bins => 4);
SELECT bin, count, confidence BETWEEN lower AND upper AS within, coverage, (brier IS NULL) = (bin IS NOT NULL) AS scores
FROM shown ORDER BY bin;
-- The row for all bins equals figures computed from single predictions.
SELECT abs(s.confidence - avg(p.confidence)) < 1e-6 AS confidence, s.accuracy = avg((p.relation = h.relation)::int) AS accuracy
FROM shown AS s, mren.predict_rows('m', 'SELECT * FROM held_out') AS p JOIN held_out AS h ON h.id::text = p.id
WHERE s.bin IS NULL GROUP BY s.confidence, s.accuracy;
SELECT abs(s.brier - x.brier) < 1e-5 AS brier, abs(s.log_loss - x.log_loss) < 1e-5 AS log_loss
FROM shown AS s, (
    SELECT sum((probability - (p.relation = h.relation)::int) ^ 2) / count(DISTINCT h.id) AS brier,
           -sum(ln(probability)) FILTER (WHERE p.relation = h.relation) / count(DISTINCT h.id) AS log_loss
    FROM held_out AS h, mren.predict_proba('m', sentence, head, tail) AS p) AS x
WHERE s.bin IS NULL;
-- Each distribution sums to 1.
SELECT bool_and(abs(total - 1) < 1e-5) AS one
FROM (SELECT sum(probability) AS total FROM held_out AS h, mren.predict_proba('m', sentence, head, tail) GROUP BY h.id) AS t;
-- A relation that the model does not know is a wrong answer.
SELECT bin, count, accuracy, round(log_loss::numeric, 3) AS log_loss
FROM mren.calibration('m', 'SELECT sentence, head, tail, ''other'' AS relation FROM held_out LIMIT 1');
-- A row without a mention has no confidence; confidences below the threshold count.
SELECT mren.save_model('shy', mren.train_agg(sentence, head, tail, relation, NULL,
    '{"epochs": 1, "validation_share": 0, "threshold": 1}')) FROM pairs WHERE id % 3 > 0;
SELECT count(relation) AS answers, count(confidence) AS confidences FROM mren.predict_rows('shy', 'SELECT * FROM held_out');
SELECT sum(count) FROM mren.calibration('shy', 'SELECT * FROM held_out UNION ALL SELECT 0, NULL, NULL, NULL, ''none''') WHERE bin IS NULL;
SELECT count(*) FROM mren.calibration('shy', 'SELECT NULL::text AS sentence, NULL::text AS head, NULL::text AS tail, ''none'' AS relation');
-- mren.evaluate counts the rows of a model that abstains as missed.
SELECT relation, recall, f1 FROM mren.evaluate('shy', 'SELECT * FROM held_out') WHERE relation IN ('micro avg', 'accuracy');
SELECT error_of($$SELECT * FROM mren.calibration('m', 'SELECT sentence, head, tail FROM held_out')$$);
SELECT error_of($$SELECT * FROM mren.calibration('m', 'SELECT sentence, head, tail, NULL::text AS relation FROM held_out')$$);
SELECT error_of($$SELECT * FROM mren.calibration('m', 'SELECT * FROM held_out WHERE false')$$);
SELECT error_of($$SELECT * FROM mren.calibration('m', 'SELECT * FROM held_out', 1, 1001)$$);
SELECT count(*) > 0 AS warned FROM mren.calibration('m', 'SELECT * FROM pairs');

SELECT proname, provolatile, proparallel, proisstrict FROM pg_proc
WHERE pronamespace = 'mren'::regnamespace AND proname IN ('calibration', 'reliability', 'precision_recall', 'precision_at') ORDER BY 1;
