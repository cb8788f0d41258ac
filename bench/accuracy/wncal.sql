-- wncal: a photograph and a dictionary gloss; is the term a kind of, a part of,
-- or unrelated to the object shown?  Neither side alone can tell.  Trained on
-- train, reported on val; early stopping and temperature use a share of train.
-- Variables: data, options.
\set ON_ERROR_STOP on
\set QUIET on
SET client_min_messages = warning;
\set glove :data '/embeddings/glove_100d_top20000.txt'
\set encoder :data '/encoders/mobilenet_v2_1.0_224.onnx'
SELECT mren.load_embeddings('glove', pg_read_binary_file(:'glove'));
SELECT mren.load_image_encoder('mobilenet', pg_read_binary_file(:'encoder'), mean => '{127.5}', std => '{127.5}');
CREATE TABLE raw (line jsonb);
\set train :data '/multimodal/wncal/train.jsonl'
\set val :data '/multimodal/wncal/val.jsonl'
INSERT INTO raw SELECT line::jsonb FROM unnest(string_to_array(rtrim(pg_read_file(:'train'), E'\n'), E'\n')) AS line;
INSERT INTO raw SELECT line::jsonb FROM unnest(string_to_array(rtrim(pg_read_file(:'val'), E'\n'), E'\n')) AS line;
\set pictures :data '/multimodal/wncal/'
CREATE TABLE picture AS
SELECT name, pg_read_binary_file(:'pictures' || name) AS image FROM (SELECT DISTINCT line ->> 'image' AS name FROM raw) AS names;
ALTER TABLE picture SET (parallel_workers = 2);
CREATE TABLE feature AS SELECT name, mren.image_features('mobilenet', image) AS image_vector FROM picture;
CREATE TABLE wncal AS
SELECT line ->> 'id' AS id, line ->> 'split' AS part, line ->> 'text' AS sentence, line ->> 'relation' AS relation,
       int4range((line #>> '{e1,start}')::int, (line #>> '{e1,end}')::int) AS head,
       int4range((line #>> '{e2,start}')::int, (line #>> '{e2,end}')::int) AS tail,
       line ->> 'wn_term' AS term, line ->> 'image' AS name, image_vector
FROM raw JOIN feature ON name = line ->> 'image';
-- Controls: a term's hash in five parts; the pictures of the validation rows shuffled.
ALTER TABLE wncal ADD term_part int, ADD shuffled real[];
UPDATE wncal SET term_part = abs(hashtext(term)) % 5;
UPDATE wncal SET shuffled = s.image_vector
FROM (SELECT a.id, b.image_vector
      FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM wncal WHERE part = 'val') AS a
      JOIN (SELECT image_vector, row_number() OVER (ORDER BY md5(id || 'shuffle')) AS n FROM wncal WHERE part = 'val') AS b USING (n)) AS s
WHERE s.id = wncal.id;
SELECT set_config('bench.options', :'options', false) \g /dev/null
CREATE TABLE result (n serial, what text, accuracy double precision, seconds double precision);
CREATE PROCEDURE measure(what text, train text, test text) LANGUAGE plpgsql AS $$
DECLARE
    v int;
BEGIN
    CALL mren.train(what, train, '{"negative": "no_relation", "image_encoder": "mobilenet"}'::jsonb || current_setting('bench.options')::jsonb, v);
    INSERT INTO result (what, accuracy, seconds)
    SELECT measure.what, f1, m.seconds FROM mren.evaluate(measure.what, test, v), mren.models m
    WHERE relation = 'accuracy' AND m.model = measure.what AND m.version = v;
END
$$;
CALL measure('both', $$SELECT * FROM wncal WHERE part = 'train'$$, $$SELECT * FROM wncal WHERE part = 'val'$$);
INSERT INTO result (what, accuracy)
SELECT 'both, images shuffled', f1
FROM mren.evaluate('both', $$SELECT id, sentence, head, tail, relation, shuffled AS image_vector FROM wncal WHERE part = 'val'$$)
WHERE relation = 'accuracy';
CALL measure('text only', $$SELECT id, sentence, head, tail, relation FROM wncal WHERE part = 'train'$$,
             $$SELECT id, sentence, head, tail, relation FROM wncal WHERE part = 'val'$$);
-- Image only: the sentence says nothing but that there is an object.
CALL measure('image only', $$SELECT id, 'This : this object .' AS sentence, 'This' AS head, 'object' AS tail, relation, image_vector FROM wncal WHERE part = 'train'$$,
             $$SELECT id, 'This : this object .' AS sentence, 'This' AS head, 'object' AS tail, relation, image_vector FROM wncal WHERE part = 'val'$$);
-- Terms held out: each fifth of the validation rows' terms by a model whose training rows lack those terms.
DO $$
BEGIN
    FOR f IN 0 .. 4 LOOP
        CALL measure('terms held out, part ' || f, format($q$SELECT * FROM wncal WHERE part = 'train' AND term_part <> %s$q$, f),
                     format($q$SELECT * FROM wncal WHERE part = 'val' AND term_part = %s$q$, f));
    END LOOP;
END
$$;
\set QUIET off
SELECT what, round(accuracy::numeric, 4) AS accuracy, round(seconds::numeric, 1) AS seconds FROM result ORDER BY n;
SELECT 'terms held out' AS what, round(sum(r.accuracy * c.n)::numeric / sum(c.n), 4) AS accuracy
FROM result r JOIN (SELECT term_part, count(*) AS n FROM wncal WHERE part = 'val' GROUP BY 1) AS c ON r.what = 'terms held out, part ' || c.term_part;
