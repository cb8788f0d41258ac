-- Training in background workers: the same network, bit for bit, with any number of them, and an error of a worker is
-- the error of the training.
\getenv srcdir PG_ABS_SRCDIR
\getenv files MREN_TEST_FILES
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql
\set encoder :files '/encoder.onnx'
SELECT mren.load_image_encoder('tiny', :'encoder') > 0 AS loaded;
SET client_min_messages = warning;      -- an epoch's notice has times in it
-- Each sentence three times, as other words; every second row has the vector of an image, every third is weak.
CREATE TABLE many AS
SELECT p.id * 10 + i AS id, CASE i % 6 WHEN 0 THEN 'yesterday ' WHEN 1 THEN 'today ' WHEN 2 THEN 'now ' WHEN 3 THEN 'once ' WHEN 4 THEN 'never ' ELSE '' END || sentence AS sentence,
    head, tail, CASE WHEN (p.id + i) % 17 = 0 THEN 'none' ELSE relation END AS relation,
    CASE WHEN p.id % 2 = 0 THEN ARRAY[p.id % 3, 1 - i % 2]::real[] END AS image_vector, p.id % 3 > 0 AS gold
FROM pairs p, generate_series(0, 5) AS i;

-- The hash of the network that is trained with so many workers.
CREATE FUNCTION trained(workers int, options jsonb, columns text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v int;
BEGIN
    PERFORM set_config('max_parallel_maintenance_workers', workers::text, true);
    CALL mren.train('m', format('SELECT sentence, head, tail, relation %s FROM many', columns), options, v);
    RETURN md5(mren.export_model('m', v)) || (SELECT m.metrics::text FROM mren.models m WHERE m.model = 'm' AND m.version = v);
END
$$;
CREATE TABLE kinds (kind text, options jsonb, columns text DEFAULT '');
INSERT INTO kinds (kind, options) VALUES
    ('default', '{}'), ('pool', '{"text_encoder": "pool"}'), ('no linear branch', '{"text_encoder": "pool", "hash_bits": 0}'),
    ('ensemble', '{"text_encoder": "pool", "ensemble": 3}'), ('no patience', '{"text_encoder": "pool", "patience": 0, "epochs": 22}'),
    ('one epoch', '{"text_encoder": "pool", "epochs": 1}'), ('no refit', '{"text_encoder": "pool", "refit": false, "ensemble": 2}'),
    ('no validation', '{"text_encoder": "pool", "validation_share": 0, "ensemble": 2}'), ('fine-tuned', '{"word_vectors": "fine_tuned", "filters": 4}');
-- A result of more than one message.
INSERT INTO kinds VALUES ('large', '{"text_encoder": "pool", "hidden": [512, 256], "epochs": 2, "ensemble": 2}');
INSERT INTO kinds VALUES
    ('images', '{"text_encoder": "pool", "image_encoder": "tiny", "ensemble": 2}', ', image_vector'),
    ('weak rows first', '{"text_encoder": "pool", "ensemble": 2}', ', gold'), ('weak rows mixed', '{"text_encoder": "pool", "weak": "mixed"}', ', gold');
UPDATE kinds SET options = '{"negative": "none", "epochs": 6, "patience": 2, "hidden": [8]}' || options;
SELECT kind, count(DISTINCT hash) AS networks
FROM kinds, LATERAL (SELECT trained(workers, options, columns) AS hash FROM unnest('{0,1,2}'::int[]) AS workers) AS t
GROUP BY kind ORDER BY kind;

-- The aggregate, and a start from the weights of an earlier network.
CREATE FUNCTION aggregated(workers int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('max_parallel_maintenance_workers', workers::text, true);
    RETURN (SELECT md5(mren.train_agg(sentence, head, tail, relation, NULL::bytea, jsonb_build_object('image_vector', image_vector),
        '{"negative": "none", "epochs": 8, "patience": 2, "hidden": [8], "text_encoder": "pool", "image_encoder": "tiny"}')::text) FROM many);
END
$$;
SELECT count(DISTINCT aggregated(workers)) AS networks FROM unnest('{0,2}'::int[]) AS workers;
CREATE FUNCTION retrained(workers int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    night text := 'night' || workers;
    v int;
    verdict text;
BEGIN
    PERFORM set_config('max_parallel_maintenance_workers', workers::text, true);
    CALL mren.train(night, 'SELECT sentence, head, tail, relation FROM many', '{"negative": "none", "epochs": 3, "hidden": [8], "text_encoder": "pool", "holdout_share": 0.2}', v);
    CALL mren.retrain(night, warm_start => true, min_new_rows => 0, promote => 'never', version => v, verdict => verdict);
    ASSERT v = 2;
    RETURN md5(mren.export_model(night, v));
END
$$;
SET client_min_messages = error;
SELECT count(DISTINCT retrained(workers)) AS networks, count(*) AS trainings FROM unnest('{0,2}'::int[]) AS workers;
RESET client_min_messages;

-- Workers are started, and spill their rows where the aggregate does not: such an error is that of the training.
SET temp_file_limit = '1kB';
SET max_parallel_maintenance_workers = 2;
\set aggregate 'SELECT mren.train_agg(sentence, head, tail, relation, NULL::bytea, \'{"epochs": 500, "patience": 0, "text_encoder": "pool"}\') IS NOT NULL AS trained FROM many'
:aggregate;
-- The same of more rows than a worker is given at once, so that it has failed before it has all of them.
:aggregate, generate_series(1, 10);
SET max_parallel_maintenance_workers = 0;
SELECT mren.train_agg(sentence, head, tail, relation, NULL::bytea, '{"epochs": 5, "text_encoder": "pool"}') IS NOT NULL AS trained FROM many;
RESET max_parallel_maintenance_workers;
RESET temp_file_limit;
