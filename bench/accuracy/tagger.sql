-- CoNLL04's entities, train → dev: bench/accuracy/tagger.
\pset format unaligned
SET client_min_messages = warning;
CREATE EXTENSION mren;
SELECT mren.load_embeddings('vectors', :'vectors') AS words;
\set train `cat :data/text/conll04/conll04_train.json`
\set dev `cat :data/text/conll04/conll04_dev.json`
CREATE TABLE sentence AS
SELECT part, ARRAY(SELECT jsonb_array_elements_text(s -> 'tokens')) AS tokens,
       ARRAY(SELECT jsonb_array_elements_text(s -> 'tags')) AS tags
FROM (VALUES ('train', :'train'::jsonb), ('dev', :'dev'::jsonb)) AS f(part, sentences),
     jsonb_array_elements(sentences) AS s;

CREATE TABLE score (seed int, type text, p float8, r float8, f1 float8, support bigint);
CREATE PROCEDURE try(seeds int, options jsonb) LANGUAGE plpgsql AS $$
DECLARE
    v int;
BEGIN
    FOR i IN 1 .. seeds LOOP
        CALL mren.train_tagger('conll04', 'SELECT tokens, tags FROM sentence WHERE part = ''train''',
                               options || jsonb_build_object('seed', i), v);
        INSERT INTO score
        SELECT i, e.* FROM mren.evaluate_tagger('conll04', 'SELECT tokens, tags FROM sentence WHERE part = ''dev''', v) AS e;
        COMMIT;
    END LOOP;
END
$$;
CALL try(:seeds, :'options');

SELECT seed, type, round((100 * p)::numeric, 2) AS p, round((100 * r)::numeric, 2) AS r,
       round((100 * f1)::numeric, 2) AS f1, support FROM score ORDER BY 1, type LIKE '% avg', 2;
SELECT version, seconds::int, metrics ->> 'best_epoch' AS best_epoch, round((metrics ->> 'validation_f1')::numeric, 4) AS validation_f1
FROM mren.models ORDER BY 1;
SELECT round(avg(100 * f1)::numeric, 2) AS mean_micro_f1, count(*) AS seeds FROM score WHERE type = 'micro avg';
