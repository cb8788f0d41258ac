-- A model whose text encoder and linear branch label rows for it; it is deployed if it is better.
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\set ECHO none
\i :srcdir/include/tiny.sql
\set n_letters 900
\i :srcdir/include/letters.sql
\set ECHO all
SET client_min_messages = warning;      -- an epoch's notice has times in it
CREATE VIEW labelled AS SELECT id % 7 AS other, id AS "group", sentence, head, tail, relation, 1::real AS weight FROM letters WHERE id <= 600;
CREATE VIEW unlabelled AS SELECT id, sentence, head, tail FROM letters WHERE id > 600;
\set options '{"text_encoder": "tiny text", "embeddings": null, "hidden": [8], "epochs": 2, "encoder_epochs": 2, "encoder_batch_size": 4, "encoder_learning_rate": 0.02, "holdout_share": 0.5}'

-- Without a deployed version, the labelled rows alone make the first.  No difference is above the margin 1.
CALL mren.self_train('m', 'SELECT * FROM labelled', 'SELECT * FROM unlabelled', :'options', margin => 1);
SELECT model, version, deployed, metrics ? 'encoder_share' AS encoder, (metrics ->> 'weak_rows')::int > 0 AS weak, options ->> 'hash_bits' AS hash_bits,
    options ->> 'refit' AS refit, (options ->> 'validation_share')::real AS validation_share
FROM mren.models ORDER BY model COLLATE "C", version;
-- Weak rows are the surest 30 % of each relation of each view, with the probabilities of the view.
CREATE TABLE learned (sentence text, relation text, probabilities jsonb, gold boolean);
\set ECHO none
SELECT format('INSERT INTO learned SELECT sentence, relation, probabilities, gold FROM (%s) AS q', query)
FROM mren.model_version AS v JOIN mren.model AS m ON m.id = v.model WHERE m.name = 'm' AND v.version = 2
\gexec
\set ECHO all
CREATE TABLE expected AS
SELECT u.sentence, s.probabilities FROM (
    SELECT p.*, row_number() OVER w AS place, count(*) OVER (PARTITION BY v, relation) AS n
    FROM (VALUES ('m (encoder view)'), ('m (linear view)')) AS v (v), mren.predict_rows_proba(v, 'SELECT * FROM unlabelled') AS p
    WINDOW w AS (PARTITION BY v, relation ORDER BY confidence DESC, id)) AS s JOIN unlabelled AS u ON u.id::text = s.id
WHERE place <= ceil(n * 0.3);
SELECT count(*) FILTER (WHERE gold) AS gold, count(*) FILTER (WHERE NOT gold) >= 180 AS weak,
    bool_and(gold = (relation IS NOT NULL) AND gold = (probabilities IS NULL)) AS labels FROM learned;
SELECT count(*) AS differ FROM ((SELECT sentence, probabilities FROM learned WHERE NOT gold EXCEPT ALL TABLE expected)
    UNION ALL (TABLE expected EXCEPT ALL SELECT sentence, probabilities FROM learned WHERE NOT gold)) AS d;

-- The deployed version is compared with; every difference is above the margin -1.
CALL mren.self_train('m', 'SELECT * FROM labelled', 'SELECT * FROM unlabelled;', :'options', surest => 1, margin => -1);
SELECT version, deployed FROM mren.models WHERE model = 'm' ORDER BY version;
SELECT (SELECT metrics ->> 'weak_rows' FROM mren.models WHERE model = 'm' AND version = 3)::int > (SELECT metrics ->> 'weak_rows' FROM mren.models WHERE model = 'm' AND version = 2)::int AS more;
-- The stored query asks the views again.
CALL mren.retrain('m', min_new_rows => 0, promote => 'never');
-- Too few hold-out rows do not say anything.
CALL mren.self_train('few', 'SELECT * FROM labelled LIMIT 100', 'SELECT * FROM unlabelled', :'options', margin => -1);
SELECT version, deployed FROM mren.models WHERE model = 'few' ORDER BY version;

-- What is wrong is named, and nothing is left.
SELECT error_of($$CALL mren.self_train('bad', 'SELECT * FROM labelled', 'SELECT * FROM unlabelled')$$);
SELECT error_of(format($$CALL mren.self_train('bad', 'SELECT * FROM labelled', 'SELECT * FROM unlabelled', %L)$$, (:'options'::jsonb || '{"hash_bits": 0}')::jsonb));
SELECT error_of(format($$CALL mren.self_train('bad', 'SELECT * FROM labelled', 'SELECT * FROM unlabelled', %L)$$, (:'options'::jsonb || '{"holdout_share": 0}')::jsonb));
SELECT error_of(format($$CALL mren.self_train('bad', 'SELECT * FROM labelled', 'SELECT * FROM unlabelled', %L)$$, (:'options'::jsonb || '{"deploy": true}')::jsonb));
SELECT error_of(format($$CALL mren.self_train('bad', 'SELECT * FROM labelled', 'SELECT * FROM unlabelled', %L, surest => %s)$$, :'options', surest)) FROM (VALUES ('0'), ('1.5'), ('''NaN'''), ('NULL')) AS v (surest);
SELECT error_of(format($$CALL mren.self_train('bad', 'SELECT * FROM labelled', 'SELECT * FROM unlabelled', %L, margin => 2)$$, :'options'));
SELECT error_of(format($$CALL mren.self_train('bad', 'SELECT sentence, head, tail FROM labelled', 'SELECT * FROM unlabelled', %L)$$, :'options'));
SELECT error_of(format($$CALL mren.self_train('bad', 'SELECT * FROM labelled', 'SELECT sentence, head, tail FROM unlabelled', %L)$$, :'options'));
SELECT error_of(format($$CALL mren.self_train('bad', 'SELECT * FROM labelled', 'SELECT id, sentence, ''a'' AS head, ''bc'' AS tail FROM unlabelled', %L)$$, :'options'));
SELECT error_of(format($$CALL mren.self_train('bad', 'SELECT * FROM labelled', 'SELECT id, CASE WHEN id = 700 THEN (1 / (id - 700))::text ELSE sentence END AS sentence, head, tail FROM unlabelled', %L)$$, :'options'));
SELECT count(*) FROM mren.models WHERE model LIKE 'bad%';
