-- CoNLL04's entities, train → dev: bench/accuracy/tagger.
\pset format unaligned
SET client_min_messages = warning;
CREATE EXTENSION mren;
SELECT mren.load_embeddings('vectors', :'vectors') AS words;
SELECT :'encoder' <> '' AS has_encoder \gset
\if :has_encoder
SELECT mren.load_text_encoder('encoder', :'encoder') AS dimension;
\endif
\set train `cat :data/text/conll04/conll04_train.json`
\set dev `cat :data/text/conll04/conll04_dev.json`
-- A sentence that occurs twice is in one fold.
CREATE TABLE sentence AS
SELECT part, CASE WHEN part = 'train' THEN mod(hashtext(tokens::text) & 2147483647, greatest(:folds, 1)) END AS fold,
       tokens, ARRAY(SELECT jsonb_array_elements_text(s -> 'tags')) AS tags
FROM (VALUES ('train', :'train'::jsonb), ('dev', :'dev'::jsonb)) AS f(part, sentences),
     jsonb_array_elements(sentences) AS s,
     LATERAL (SELECT ARRAY(SELECT jsonb_array_elements_text(s -> 'tokens'))) AS t(tokens);

-- Without folds: all training sentences, and the development ones.
CREATE TABLE score (seed int, fold int, type text, p float8, r float8, f1 float8, support bigint);
CREATE PROCEDURE try(seeds int, folds int, options jsonb) LANGUAGE plpgsql AS $$
DECLARE
    v int;
    trained text;
    judged text;
BEGIN
    FOR i IN 1 .. seeds LOOP
        FOR k IN 0 .. greatest(folds, 1) - 1 LOOP
            trained := CASE WHEN folds > 0 THEN format('part = ''train'' AND fold <> %s', k) ELSE 'part = ''train''' END;
            judged := CASE WHEN folds > 0 THEN format('part = ''train'' AND fold = %s', k) ELSE 'part = ''dev''' END;
            CALL mren.train_tagger('conll04', 'SELECT tokens, tags FROM sentence WHERE ' || trained,
                                   options || jsonb_build_object('seed', i), v);
            INSERT INTO score
            SELECT i, k, e.* FROM mren.evaluate_tagger('conll04', 'SELECT tokens, tags FROM sentence WHERE ' || judged, v) AS e;
            COMMIT;
        END LOOP;
    END LOOP;
END
$$;
CALL try(:seeds, :folds, :'options');

-- Mentions are pooled over the folds.
CREATE VIEW pooled AS
SELECT seed, type, n_right, n_right / nullif(n_found, 0) AS p, n_right / nullif(support, 0) AS r,
       2 * n_right / nullif(n_found + support, 0) AS f1, support
FROM (SELECT seed, type, sum(r * support) AS n_right, sum(coalesce(r * support / nullif(p, 0), 0)) AS n_found, sum(support) AS support
      FROM score WHERE type <> 'macro avg' GROUP BY seed, type) AS s;
SELECT seed, type, round((100 * p)::numeric, 2) AS p, round((100 * r)::numeric, 2) AS r,
       round((100 * f1)::numeric, 2) AS f1, support FROM pooled ORDER BY 1, type LIKE '% avg', 2;
SELECT version, seconds::int, metrics ->> 'best_epoch' AS best_epoch, round((metrics ->> 'validation_f1')::numeric, 4) AS validation_f1
FROM mren.models ORDER BY 1;
SELECT round(avg(100 * f1)::numeric, 2) AS mean_micro_f1, round(stddev(100 * f1)::numeric, 2) AS deviation, count(*) AS seeds FROM pooled WHERE type = 'micro avg';
