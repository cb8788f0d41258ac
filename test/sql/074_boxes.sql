-- Boxes of the mentions in the image, and fusions with grid attention.
\getenv srcdir PG_ABS_SRCDIR
\getenv files MREN_TEST_FILES
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql
\set encoder :files '/encoder.onnx'
\set red :files '/red.png'
\set blue :files '/blue.png'
SELECT mren.load_image_encoder('tiny', :'encoder', mean => '{0}', std => '{255}');
SET client_min_messages = error;
SELECT width, height FROM mren.image_info(pg_read_binary_file(:'red'));

-- Only the places of the boxes tell the relation: head left of tail, or right of it.
CREATE TABLE placed AS
SELECT id, format('%s near %s', head, tail) AS sentence, head, tail, pg_read_binary_file(:'red') AS image,
       CASE id % 2 WHEN 0 THEN 'left_of' ELSE 'right_of' END AS relation,
       CASE id % 2 WHEN 0 THEN box '(0,0),(3,4)' ELSE box '(5,0),(8,4)' END AS head_box,
       CASE id % 2 WHEN 1 THEN box '(0,1),(3,5)' ELSE box '(5,1),(8,5)' END AS tail_box
FROM pairs WHERE relation <> 'none';
CREATE FUNCTION options(fusion text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('fusion', fusion, 'image_encoder', 'tiny', 'epochs', 40, 'learning_rate', 0.01, 'image_dropout', 0,
                              'dropout', 0.1, 'hidden_dropout', 0, 'validation_share', 0)
$$;
CALL mren.train('parallel', 'TABLE placed', options('parallel'));
CALL mren.train('sequential', 'TABLE placed', options('sequential'));
CALL mren.train('hybrid', 'TABLE placed', options('hybrid'));
SELECT m, f1 FROM unnest('{parallel,sequential,hybrid}'::text[]) AS m, mren.evaluate(m, 'TABLE placed') WHERE relation = 'accuracy' ORDER BY m;
-- Mirrored boxes give the other relation.
SELECT m, mren.predict(m, sentence, head, tail, image, head_box => box '(0,0),(3,4)', tail_box => box '(5,1),(8,5)') AS apart,
       mren.predict(m, sentence, head, tail, image, head_box => box '(5,0),(8,4)', tail_box => box '(0,1),(3,5)') AS mirrored
FROM unnest('{parallel,sequential,hybrid}'::text[]) AS m, placed WHERE id = 1 ORDER BY m;
-- A box may reach beyond the image; corners come in any order.
SELECT m, count(DISTINCT mren.classify(m, sentence, head, tail, image, head_box => b, tail_box => box '(5,1),(8,5)'))
FROM unnest('{parallel,hybrid}'::text[]) AS m, placed, unnest(ARRAY[box '(0,0),(3,4)', box '(-9,0),(3,4)', box '(3,-1),(0,4)']) AS b
WHERE id = 1 GROUP BY m ORDER BY m;
-- Rows without boxes, with one box, without an image.
SELECT m, mren.predict(m, sentence, head, tail, image) IS NOT NULL AS none,
       mren.predict(m, sentence, head, tail, image, head_box => box '(0,0),(3,4)') IS NOT NULL AS one,
       mren.predict(m, sentence, head, tail) IS NOT NULL AS no_picture
FROM unnest('{parallel,sequential,hybrid}'::text[]) AS m, placed WHERE id = 1 ORDER BY m;

-- With an image vector the size is not known: boxes are shares of width and height.
SELECT m, mren.predict(m, sentence, head, tail, image_vector => mren.image_features('tiny', image),
                       head_box => box '(0,0),(0.4,0.5)', tail_box => box '(0.6,0.1),(1,0.6)') AS shares
FROM unnest('{parallel}'::text[]) AS m, placed WHERE id = 1;
-- An image and its vector give the same result if only geometry counts.
SELECT count(DISTINCT p) FROM placed,
    LATERAL (VALUES (mren.classify('parallel', sentence, head, tail, image, head_box => box '(0,0),(4,4)', tail_box => box '(4,4),(8,8)')),
                    (mren.classify('parallel', sentence, head, tail, image_vector => mren.image_features('tiny', image),
                                        head_box => box '(0,0),(0.5,0.5)', tail_box => box '(0.5,0.5),(1,1)'))) AS v (p)
WHERE id = 1;

-- The same rows give the same network: by the aggregate or CALL, with boxes as text or numbers.
SELECT o ->> 'fusion' AS fusion,
       mren.train_agg(sentence, head, tail, relation, image, jsonb_build_object('head_box', head_box, 'tail_box', tail_box), o)::text
       = mren.train_agg(sentence, head, tail, relation, image,
                        jsonb_build_object('head_box', jsonb_build_array((head_box[0])[0], (head_box[0])[1], (head_box[1])[0], (head_box[1])[1]),
                                           'tail_box', tail_box), o)::text AS same
FROM placed, (VALUES (options('parallel') || '{"epochs": 3}'), (options('sequential') || '{"epochs": 3}'), (options('hybrid') || '{"epochs": 3}')) AS v (o)
GROUP BY o ORDER BY 1;
DO $$
DECLARE
    f text;
    network mren.network;
BEGIN
    FOREACH f IN ARRAY '{parallel,sequential,hybrid}'::text[] LOOP
        SELECT mren.train_agg(sentence, head, tail, relation, image, jsonb_build_object('head_box', head_box, 'tail_box', tail_box),
                              options(f)) INTO network FROM placed;
        PERFORM mren.save_model('again_' || f, network);
        IF mren.export_model(f, 1) <> mren.export_model('again_' || f, 1) THEN
            RAISE EXCEPTION 'fusion % differs', f;
        END IF;
    END LOOP;
END
$$;
-- A parallel plan, which joins states with their grids, gives the same network.
SET max_parallel_workers_per_gather = 0;
CREATE TABLE serial AS SELECT mren.train_agg(sentence, head, tail, relation, image, jsonb_build_object('head_box', head_box), options('hybrid') || '{"epochs": 2}')::text AS n FROM placed;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
CREATE FUNCTION plan_of(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || statement; END$$;
SELECT count(*) > 0 AS parallel FROM plan_of($$SELECT mren.train_agg(sentence, head, tail, relation, image, jsonb_build_object('head_box', head_box),
    '{"fusion": "hybrid", "image_encoder": "tiny"}'::jsonb) FROM placed$$) AS p WHERE p LIKE '%Gather%';
SELECT n = (SELECT mren.train_agg(sentence, head, tail, relation, image, jsonb_build_object('head_box', head_box),
    '{"fusion": "hybrid", "image_encoder": "tiny", "epochs": 2, "learning_rate": 0.01, "image_dropout": 0, "dropout": 0.1, "hidden_dropout": 0, "validation_share": 0}'::jsonb)::text FROM placed) AS same
FROM serial;
SELECT mren.export_model('hybrid', 1) = mren.export_model('hybrid', 1) AS exported,
       mren.import_model('copied', mren.export_model('hybrid', 1)) AS version;
SELECT count(*) AS differing FROM placed
WHERE mren.classify('hybrid', sentence, head, tail, image, head_box => head_box, tail_box => tail_box)
      IS DISTINCT FROM mren.classify('copied', sentence, head, tail, image, head_box => head_box, tail_box => tail_box);
-- Alone and in a batch.
SELECT count(*) AS differing
FROM mren.predict_rows('hybrid', 'TABLE placed') AS r JOIN placed AS p ON p.id::text = r.id,
    mren.classify('hybrid', p.sentence, p.head, p.tail, p.image, head_box => p.head_box, tail_box => p.tail_box) AS c
WHERE (r.relation, r.confidence) IS DISTINCT FROM (c.relation, c.confidence);
SELECT count(*) AS differing
FROM mren.predict_rows('parallel', 'TABLE placed') AS r JOIN placed AS p ON p.id::text = r.id,
    mren.classify('parallel', p.sentence, p.head, p.tail, p.image, head_box => p.head_box, tail_box => p.tail_box) AS c
WHERE (r.relation, r.confidence) IS DISTINCT FROM (c.relation, c.confidence);
-- The contribution of the image is what the answer loses without it, including features of its boxes.
SELECT m, count(*) FILTER (WHERE abs(e.contribution - (a.probability - b.probability)) > 1e-6) AS differing
FROM unnest('{parallel,hybrid}'::text[]) AS m, placed AS p,
    mren.explain(m, p.sentence, p.head, p.tail, p.image, head_box => p.head_box, tail_box => p.tail_box) AS e,
    LATERAL (SELECT * FROM mren.predict_proba(m, p.sentence, p.head, p.tail, p.image, head_box => p.head_box, tail_box => p.tail_box) LIMIT 1) AS a
    JOIN LATERAL mren.predict_proba(m, p.sentence, p.head, p.tail) AS b ON b.relation = a.relation
WHERE e.modality = 'image' AND p.id <= 10 GROUP BY m ORDER BY m;
SELECT left(convert_from(substr(mren.explain_image('hybrid', sentence, head, tail, image, head_box => head_box, tail_box => tail_box), 2, 3), 'UTF8'), 3) AS png
FROM placed WHERE id = 1;

-- A heat map covers the image.  The left half alone decides; it is magenta and
-- turns red, so that the sum of its colours falls; of the black half it could only rise.
CREATE TABLE halves AS
SELECT 'dog is' AS sentence, 'dog' AS head, 'is' AS tail, pg_read_binary_file(:'files' || '/' || colour || '.png') AS image,
       CASE colour WHEN 'magenta' THEN 'bright' ELSE 'dull' END AS relation, colour
FROM unnest('{magenta,grey,black}'::text[]) AS colour, generate_series(1, 20);
CALL mren.train('halves_sequential', 'TABLE halves', options('sequential'));
CALL mren.train('halves_hybrid', 'TABLE halves', options('hybrid'));
SELECT m, mren.predict(m, sentence, head, tail, image),
       (mren.image_features('tiny', image))[1] - (mren.image_features('tiny', mren.explain_image(m, sentence, head, tail, image)))[1] > 0.03 AS left_half
FROM unnest('{halves_sequential,halves_hybrid}'::text[]) AS m, (SELECT DISTINCT * FROM halves WHERE colour = 'magenta') AS h ORDER BY m;

-- Invalid boxes.
SELECT error_of($$SELECT mren.predict('parallel', 'dog is', 'dog', 'is', head_box => '(1,2),(3,4)')$$);
SELECT error_of(format($$SELECT mren.predict('parallel', 'dog is', 'dog', 'is', %L::bytea, head_box => '(9,2),(12,4)')$$, image)) FROM placed WHERE id = 1;
SELECT error_of(format($$SELECT mren.predict('parallel', 'dog is', 'dog', 'is', %L::bytea, tail_box => '(3,2),(3,4)')$$, image)) FROM placed WHERE id = 1;
SELECT error_of(format($$SELECT mren.predict('parallel', 'dog is', 'dog', 'is', %L::bytea, tail_box => '(3,2),(Infinity,4)')$$, image)) FROM placed WHERE id = 1;
SELECT error_of(format($$SELECT mren.predict('parallel', 'dog is', 'dog', 'is', %L::bytea, tail_box => '(NaN,2),(4,4)')$$, image)) FROM placed WHERE id = 1;
SELECT error_of($$SELECT mren.predict('parallel', 'dog is', 'dog', 'is', image_vector => '{0.5,0.5}', head_box => '(1,2),(3,4)')$$);
CALL mren.train('plain', 'SELECT sentence, head, tail, relation, image FROM placed', options('parallel') || '{"epochs": 1}');
SELECT error_of(format($$SELECT mren.predict('plain', 'dog is', 'dog', 'is', %L::bytea, head_box => '(1,2),(3,4)')$$, image)) FROM placed WHERE id = 1;
SELECT error_of($$SELECT mren.train_agg(sentence, head, tail, relation, image, '{"head_box": [1, 2, 3]}', '{"image_encoder": "tiny"}') FROM placed$$);
SELECT error_of($$SELECT mren.train_agg(sentence, head, tail, relation, image, '{"head_box": "here"}', '{"image_encoder": "tiny"}') FROM placed$$);
SELECT mren.load_image_encoder('flat', :'encoder', output => 'positive', mean => '{0}', std => '{255}');
SELECT error_of($$SELECT mren.train_agg(sentence, head, tail, relation, image, '{"image_encoder": "flat", "fusion": "hybrid"}') FROM placed$$);

-- "auto" tries each fusion and stores its choice in the metrics; the same rows give the same network.
CALL mren.train('auto', 'SELECT * FROM placed', options('auto') || '{"epochs": 3, "validation_share": 0.3}');
SELECT options ->> 'fusion' AS asked, metrics ->> 'fusion' IN ('parallel', 'sequential', 'hybrid') AS kept FROM mren.models WHERE model = 'auto';
CALL mren.train('auto', 'SELECT * FROM placed', options('auto') || '{"epochs": 3, "validation_share": 0.3}');
SELECT mren.export_model('auto', 1) = mren.export_model('auto', 2) AS same;
-- Without validation rows "auto" takes the first fusion.
CALL mren.train('auto', 'SELECT * FROM placed', options('auto') || '{"epochs": 1}');
SELECT metrics ->> 'fusion' AS kept FROM mren.models WHERE model = 'auto' AND version = 3;
