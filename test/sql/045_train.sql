-- Training: the aggregate in all its forms, and CALL mren.train.
\getenv srcdir PG_ABS_SRCDIR
\getenv files MREN_TEST_FILES
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql
\set encoder :files '/encoder.onnx'
\set red :files '/red.png'
\set blue :files '/blue.png'
SELECT mren.load_image_encoder('tiny', :'encoder', mean => '{0}', std => '{255}');
SET client_min_messages = warning;      -- an epoch's notice has times in it
CREATE TABLE spans AS
SELECT *, int4range(strpos(sentence, head) - 1, strpos(sentence, head) - 1 + length(head)) AS head_range,
       int4range(length(sentence) - length(tail), length(sentence)) AS tail_range
FROM pairs;

-- Each form of the aggregate gives a network; mentions as ranges give the same one as text.
SELECT mren.train_agg(sentence, head, tail, relation)::text = mren.train_agg(sentence, head_range, tail_range, relation)::text AS same
FROM spans;
SELECT mren.train_agg(sentence, head, tail, relation, NULL, '{"epochs": 2}')::text
     = mren.train_agg(sentence, head_range, tail_range, relation, NULL, '{}', '{"epochs": 2}')::text AS same
FROM spans;
SELECT mren.train_agg(sentence, head_range, tail_range, relation, NULL, '{"epochs": 2}')::text
     = mren.train_agg(sentence, head, tail, relation, NULL, NULL, '{"epochs": 2}')::text AS same
FROM spans;

-- Neither the order of the rows nor the plan matters.
SELECT mren.train_agg(sentence, head, tail, relation ORDER BY id)::text = mren.train_agg(sentence, head, tail, relation ORDER BY id DESC)::text AS same
FROM pairs;
SELECT mren.train_agg(sentence, head, tail, relation) AS serial FROM pairs \gset
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
ALTER TABLE pairs SET (parallel_workers = 2);
EXPLAIN (COSTS OFF) SELECT mren.train_agg(sentence, head, tail, relation) FROM pairs;
SELECT mren.train_agg(sentence, head, tail, relation)::text = :'serial' AS same FROM pairs;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- The seed and other options make a difference.
SELECT mren.train_agg(sentence, head, tail, relation, NULL, '{"seed": 7}')::text <> :'serial' AS differs FROM pairs;
SELECT mren.train_agg(sentence, head, tail, relation, NULL, '{"seed": 9223372036854775807}') IS NOT NULL AS large_seed FROM pairs;

-- Extras: weight, split, types, boxes and image vector of a row.
SELECT mren.train_agg(sentence, head, tail, relation, NULL,
                      jsonb_build_object('weight', 1 + id % 2, 'head_type', 'thing', 'tail_type', NULL, 'head_box', NULL,
                                         'image_vector', '[0.5, 0.25]'::jsonb,
                                         'split', CASE WHEN id % 10 = 0 THEN 'validation' ELSE 'train' END),
                      '{"image_encoder": "tiny"}') IS NOT NULL AS extras
FROM pairs;
SELECT error_of($$SELECT mren.train_agg(sentence, head, tail, relation, NULL, '{"head_box": [1, 2, 3, 4]}', '{}') FROM pairs$$);
SELECT error_of($$SELECT mren.train_agg(sentence, head, tail, relation, NULL, '{"wieght": 1}', '{}') FROM pairs$$);
SELECT error_of($$SELECT mren.train_agg(sentence, head, tail, relation, NULL, '{"weight": "a"}', '{}') FROM pairs$$);
SELECT error_of($$SELECT mren.train_agg(sentence, head, tail, relation, NULL, '{"weight": -1}', '{}') FROM pairs$$);
SELECT error_of($$SELECT mren.train_agg(sentence, head, tail, relation, NULL, '{"split": "half"}', '{}') FROM pairs$$);
SELECT error_of($$SELECT mren.train_agg(sentence, head, tail, relation, NULL, '{"image_vector": [1]}', '{}') FROM pairs$$);
SELECT error_of($$SELECT mren.train_agg(sentence, head, tail, relation, NULL, '[]', '{}') FROM pairs$$);

-- Invalid options: the hint gives what is allowed.
SELECT regexp_replace(error_of($$SELECT mren.train_agg(sentence, head, tail, relation, NULL, '{"epoch": 3}') FROM pairs$$),
    'activation, .*', 'activation, ...') AS error_of;
SELECT error_of($$SELECT mren.train_agg(sentence, head, tail, relation, NULL, '{"epochs": 0}') FROM pairs$$);
SELECT error_of($$SELECT mren.train_agg(sentence, head, tail, relation, NULL, '{"activation": "selu"}') FROM pairs$$);
SELECT error_of($$SELECT mren.train_agg(sentence, head, tail, relation, NULL, '{"hidden": []}') FROM pairs$$);
SELECT error_of($$SELECT mren.train_agg(sentence, head, tail, relation, NULL, '{"fusion": "serial"}') FROM pairs$$);
SELECT error_of($$SELECT mren.train_agg(sentence, head, tail, relation, NULL, '{"embeddings": "glove"}') FROM pairs$$);
SELECT error_of($$SELECT mren.train_agg(sentence, head, tail, relation, NULL, '{"image_encoder": "vgg"}') FROM pairs$$);
SELECT error_of($$SELECT mren.train_agg(sentence, head, tail, relation, '\x00', '{"image_encoder": null}') FROM pairs$$);
SELECT error_of($$SELECT mren.train_agg(sentence, head, tail, relation, NULL, '{"deploy": 1}') FROM pairs$$);
SELECT error_of($$SELECT mren.train_agg(sentence, head, tail, relation, NULL, '3') FROM pairs$$);
SELECT error_of($$SELECT mren.train_agg(sentence, head, tail, relation, NULL, '{"negative": "nothing"}') FROM pairs$$);
SELECT error_of($$SELECT mren.train_agg(sentence, head, tail, relation, NULL, jsonb_build_object('seed', id)) FROM pairs$$);
-- Names of options before 0.3.0: the hint gives the present name, for each way to train.
SELECT old, error_of(format($$SELECT mren.train_agg(sentence, head, tail, relation, NULL, '{"%s": 1}') FROM pairs$$, old))
FROM unnest('{average,gate_share,image_gate,l2,vectors,wide}'::text[]) AS old;
SELECT error_of($$CALL mren.train('no', 'TABLE pairs', '{"gate_share": 0.2}')$$);

-- Groups may differ in their options, and so may the executions of a subquery.
SELECT o ->> 'seed' AS seed, md5(mren.train_agg(sentence, head, tail, relation, NULL, o)::text)
     = md5((SELECT mren.train_agg(sentence, head, tail, relation, NULL, o) FROM pairs)::text) AS same
FROM pairs, (VALUES ('{"seed": 1, "epochs": 1}'::jsonb), ('{"seed": 2, "epochs": 1}')) AS v (o) GROUP BY o ORDER BY 1;
SELECT count(DISTINCT (SELECT mren.train_agg(sentence, head, tail, relation, NULL, jsonb_build_object('seed', s, 'epochs', 1)) FROM pairs)::text) AS different
FROM generate_series(1, 3) AS s;

-- Rows that are skipped, and sets of rows that cannot be trained on.
SELECT error_of($$SELECT mren.train_agg(sentence, head, tail, relation) FROM pairs WHERE false$$);
SELECT error_of($$SELECT mren.train_agg(NULL, head, tail, relation) FROM pairs$$);
SELECT error_of($$SELECT mren.train_agg(sentence, head, tail, 'always') FROM pairs$$);
SELECT error_of($$SELECT mren.train_agg(sentence, 'unicorn', tail, relation) FROM pairs$$);
SELECT error_of($$SELECT mren.train_agg(sentence, int4range(0, 1000), int4range(0, 1), relation) FROM pairs$$);
SELECT error_of($$SELECT mren.train_agg(sentence, int4range(5, 5), int4range(0, 1), relation) FROM pairs$$);
SELECT error_of($$SELECT mren.train_agg(sentence, int4range(0, NULL), int4range(0, 1), relation) FROM pairs$$);
SELECT error_of($$SELECT mren.train_agg(sentence, head, tail, '') FROM pairs$$);
SELECT error_of($$SELECT mren.train_agg('', head, tail, relation) FROM pairs$$);
SELECT mren.train_agg(CASE WHEN id % 3 <> 0 THEN sentence END, head, tail, relation)::text
     = mren.train_agg(sentence, head, tail, relation) FILTER (WHERE id % 3 <> 0)::text AS null_rows_are_skipped
FROM pairs;
SET mren.aggregate_memory = '64kB';
SELECT regexp_replace(error_of($$SELECT mren.train_agg(sentence, head, tail, relation) FROM pairs, generate_series(1, 20)$$), '\d+ rows', 'N rows') AS error_of;
RESET mren.aggregate_memory;

-- The type of the state accepts only valid values.
CREATE AGGREGATE public.gather(text, text, text, text) (SFUNC = mren.train_accum, STYPE = mren.training_set, COMBINEFUNC = mren.train_combine);
CREATE TABLE sets AS SELECT id % 3 AS part, gather(sentence, head, tail, relation) AS state FROM pairs GROUP BY 1;
SELECT bool_and(state::text::mren.training_set::text = state::text) AS text_form FROM sets;
SELECT bool_and(encode(mren.training_set_send(state), 'hex') = substr(state::text, 3)) AS binary_form FROM sets;
SELECT error_of($$SELECT ''::mren.training_set$$);
SELECT error_of($$SELECT '\x00112233445566778899'::mren.training_set$$);
SELECT error_of($$SELECT 'zz'::mren.training_set$$);
-- A value with any one byte changed is refused or is another valid value; none crashes.
DO $$
DECLARE
    state text := (SELECT state::text FROM sets LIMIT 1);
    refused int := 0;
BEGIN
    FOR i IN 0 .. 99 LOOP
        BEGIN
            PERFORM overlay(state PLACING to_hex(15 - ('x' || substr(state, 3 + i * (length(state) / 101), 1))::bit(4)::int)
                            FROM 3 + i * (length(state) / 101))::mren.training_set;
        EXCEPTION WHEN OTHERS THEN
            refused := refused + 1;
        END;
    END LOOP;
    RAISE WARNING 'most are refused: %', refused > 80;
END
$$;

-- Images: the network learns from them; rows without an image are a normal case.
CREATE TABLE seen AS
SELECT id, sentence, head, tail, CASE WHEN id % 3 = 0 THEN NULL ELSE pg_read_binary_file(CASE id % 3 WHEN 1 THEN :'red' ELSE :'blue' END) END AS image,
       CASE id % 3 WHEN 0 THEN 'unseen' WHEN 1 THEN 'red' ELSE 'blue' END AS relation
FROM (SELECT id, 'the ' || head || ' is a ' || tail AS sentence, head, tail FROM pairs) p;
CALL mren.train('colour', 'SELECT * FROM seen', '{"image_encoder": "tiny", "image_dropout": 0, "epochs": 60, "dropout": 0, "hidden_dropout": 0, "validation_share": 0, "learning_rate": 0.01}');
SELECT relation, f1 > 0.99 AS learnt FROM mren.evaluate('colour', 'SELECT * FROM seen') WHERE relation = 'accuracy';
CALL mren.train('colour', 'SELECT id, sentence, head, tail, relation, mren.image_features(''tiny'', image) AS image_vector FROM seen',
                '{"image_encoder": "tiny", "image_dropout": 0, "epochs": 60, "dropout": 0, "hidden_dropout": 0, "validation_share": 0, "learning_rate": 0.01}');
SELECT count(DISTINCT sha256) AS pictures_or_their_vectors_are_the_same FROM mren.models WHERE model = 'colour';
-- Defaults that depend on the rows are stored as they were used: with images weight_ema.
SELECT options -> 'weight_ema' AS weight_ema FROM mren.models WHERE model = 'colour' AND version = 2;

-- CALL mren.train and the aggregate train the same network.
CALL mren.train('m', 'SELECT * FROM pairs', '{"epochs": 3}');
SELECT mren.save_model('m', mren.train_agg(sentence, head, tail, relation, NULL, '{"epochs": 3}')) FROM pairs;
CALL mren.train('m', 'SELECT * FROM pairs ORDER BY md5(sentence); -- the end', '{"epochs": 3}');
SELECT count(*) AS versions, count(DISTINCT sha256) AS different FROM mren.models WHERE model = 'm';
SELECT model, version, deployed, training_rows, seconds > 0 AS timed FROM mren.models ORDER BY 1, 2;

-- Runs are recorded, failed ones included.
SELECT error_of($$CALL mren.train('m', 'SELECT sentence, head, tail FROM pairs')$$);
CALL mren.train('m', 'SELECT sentence, head, tail FROM pairs');
CALL mren.train('m', 'SELECT sentence, head, tail, relation FROM nowhere');
CALL mren.train('m', 'DELETE FROM pairs RETURNING *');
CALL mren.train('m', 'SELECT 1; SELECT 2');
CALL mren.train('m', 'SELECT sentence, head, tail, 3 AS relation FROM pairs');
CALL mren.train('m', 'SELECT sentence, head, tail_range AS tail, relation FROM spans');
CALL mren.train('m', 'SELECT sentence, head, tail, relation FROM pairs WHERE false');
CALL mren.train('m', 'SELECT *, box ''(1,2),(3,4)'' AS tail_box FROM pairs');
CALL mren.train('m', 'SELECT * FROM pairs', '{"epochs": "many"}');
CALL mren.train(NULL, 'SELECT * FROM pairs');
CALL mren.train('m', NULL);
SELECT model, version, status, rows, epoch, epochs, jsonb_array_length(log) AS epochs_logged, sqlstate, message
FROM mren.runs ORDER BY run;
SELECT count(*) AS still_locked FROM pg_locks WHERE locktype = 'object' AND classid IN ('mren.run'::regclass, 'mren.model'::regclass);

-- A query that writes is refused, even if a function does it.
CREATE FUNCTION sneaky() RETURNS text LANGUAGE plpgsql AS $$ BEGIN DELETE FROM pairs; RETURN 'x'; END $$;
CALL mren.train('m', 'SELECT sentence, head, tail, sneaky() AS relation FROM pairs');
SELECT count(*) FROM pairs;

-- Inside a transaction block it trains in that transaction.
BEGIN;
CALL mren.train('block', 'SELECT * FROM pairs', '{"epochs": 1}');
SELECT mren.predict('block', sentence, head, tail) IS NOT NULL AS there FROM pairs LIMIT 1;
ROLLBACK;
SELECT count(*) FROM mren.models WHERE model = 'block';

-- Rows of one group validate together: here groups of 27 rows.
CALL mren.train('grouped', 'SELECT *, id % 4 AS "group" FROM pairs', '{"epochs": 1, "validation_share": 0.3}');
SELECT (metrics ->> 'validation_rows')::int IN (27, 54, 81) AS whole_groups FROM mren.models WHERE model = 'grouped';
-- Rows whose group is NULL are those of a query without the column, also beside others; one group cannot validate.
CALL mren.train('grouped', 'SELECT *, NULL::int AS "group" FROM pairs', '{"epochs": 1, "validation_share": 0.3, "holdout_share": 0.3}');
CALL mren.train('grouped', 'SELECT * FROM pairs', '{"epochs": 1, "validation_share": 0.3, "holdout_share": 0.3}');
SELECT count(DISTINCT (training_rows, metrics ->> 'validation_rows', mren.export_model('grouped', version)::text)) AS networks,
    count(DISTINCT (SELECT array_agg((c.groups, c.score)::text) FROM mren.compare(NULL, query, ARRAY['{"epochs": 1}']::jsonb[], 2) AS c)) AS comparisons FROM mren.models WHERE model = 'grouped' AND version > 1;
CALL mren.train('grouped', 'SELECT *, CASE id % 2 WHEN 0 THEN id % 4 END AS "group" FROM pairs', '{"epochs": 1, "validation_share": 0.3, "holdout_share": 0.3}');
SELECT training_rows % 27 <> 0 AS by_sentences, training_rows < 108 AS some_held_out FROM mren.models WHERE model = 'grouped' AND version = 4;
CALL mren.train('grouped', 'SELECT *, 1 AS "group" FROM pairs', '{"epochs": 1}');

-- With two sets of embeddings one must be named.
SELECT mren.load_embeddings('other', 'a 1 2'::bytea);
SELECT error_of($$SELECT mren.train_agg(sentence, head, tail, relation) FROM pairs$$);
