-- SemEval-2010 Task 8: one pooled prediction of the training file from five
-- folds grouped by sentence; a fold's model sees nothing of its fold.
-- Variables: data, options.
\set ON_ERROR_STOP on
\set QUIET on
SET client_min_messages = warning;
\set glove :data '/embeddings/glove_100d_top20000.txt'
\set file :data '/text/semeval2010_task8/TRAIN_FILE.TXT'
SELECT mren.load_embeddings('glove', pg_read_binary_file(:'glove'));
CREATE TABLE semeval AS
SELECT *, abs(hashtextextended(sentence, 0)) % 5 AS fold FROM mren.read_semeval(pg_read_file(:'file'));
CREATE TABLE predicted (id text, actual text, relation text, confidence double precision, fold int);
SELECT set_config('bench.options', :'options', false) \g /dev/null
DO $$
DECLARE
    version int;
BEGIN
    FOR f IN 0 .. 4 LOOP
        CALL mren.train('fold' || f, format('SELECT * FROM semeval WHERE fold <> %s', f),
                        '{"negative": "Other"}'::jsonb || current_setting('bench.options')::jsonb, version);
        INSERT INTO predicted
        SELECT p.id, s.relation, p.relation, p.confidence, f
        FROM mren.predict_rows('fold' || f, format('SELECT * FROM semeval WHERE fold = %s', f)) AS p JOIN semeval s USING (id);
    END LOOP;
END
$$;
\set QUIET off
SELECT count(*) AS rows, round(100 * (m #>> '{semeval_macro,f1}')::numeric, 2) AS "official macro-F1",
       round(100 * (m ->> 'accuracy')::numeric, 2) AS accuracy
FROM (SELECT mren.metrics(actual, relation, 'Other') AS m FROM predicted) AS x, predicted GROUP BY m;
SELECT version, round((metrics ->> 'validation_f1')::numeric, 4) AS "validation F1", metrics ->> 'refit_epochs' AS epochs, round(seconds::numeric, 1) AS seconds, model
FROM mren.models ORDER BY model;
-- For the official scorer: answers and key.
\copy (SELECT id, relation FROM predicted ORDER BY id::int) TO 'answers.txt'
\copy (SELECT id, actual FROM predicted ORDER BY id::int) TO 'key.txt'
