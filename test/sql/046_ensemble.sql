-- A model of several networks: the option ensemble.
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql
SET client_min_messages = warning;      -- an epoch's notice has times in it
\set options '{"ensemble": 2, "epochs": 5, "negative": "none"}'

-- CALL and the aggregate give the same network, with serial and parallel plans and in any order.
CALL mren.train('two', 'SELECT * FROM pairs', :'options');
SELECT mren.save_model('two', mren.train_agg(sentence, head, tail, relation, NULL, :'options' ORDER BY md5(sentence))) FROM pairs;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
ALTER TABLE pairs SET (parallel_workers = 2);
EXPLAIN (COSTS OFF) SELECT mren.train_agg(sentence, head, tail, relation, NULL, :'options') FROM pairs;
SELECT mren.save_model('two', mren.train_agg(sentence, head, tail, relation, NULL, :'options')) FROM pairs;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
SELECT count(*) AS versions, count(DISTINCT sha256) AS different FROM mren.models WHERE model = 'two';

-- It differs from a single network, and the number of its members is shown.
CALL mren.train('one', 'SELECT * FROM pairs', '{"epochs": 5, "negative": "none"}');
SELECT (SELECT sha256 FROM mren.models WHERE model = 'one') NOT IN (SELECT sha256 FROM mren.models WHERE model = 'two') AS differs;
SELECT model, i -> 'options' -> 'ensemble' AS ensemble, i -> 'options' -> 'weight_ema' AS average, i -> 'metrics' -> 'members' AS members
FROM (VALUES ('one'), ('two')) AS m (model), mren.network_info(mren.export_model(model)::text::mren.network) AS i ORDER BY 1;

-- Trained tensors of the second member are stored beside those of the first; shared ones are stored once.
SELECT w.name, w.shape = (SELECT o.shape FROM mren.weight o WHERE o.version = v.id AND o.part = 0 AND o.name = substr(w.name, 3)) AS same_shape
FROM mren.weight w JOIN mren.model_version v ON v.id = w.version JOIN mren.model m ON m.id = v.model
WHERE m.name = 'two' AND v.version = 1 AND w.part = 0 AND w.name ~ '/' ORDER BY 1;
SELECT w.name
FROM mren.weight w JOIN mren.model_version v ON v.id = w.version JOIN mren.model m ON m.id = v.model
WHERE m.name = 'two' AND v.version = 1 AND w.part = 0 AND w.name !~ '/'
      AND NOT EXISTS (SELECT FROM mren.weight o WHERE o.version = v.id AND o.name = '2/' || w.name) ORDER BY 1;

-- Predictions: probabilities sum to 1; a row gets the same ones alone and in a batch, bit for bit.
SELECT count(*) AS pairs, bool_and(abs(total - 1) < 1e-5) AS add_up
FROM pairs, LATERAL (SELECT sum(probability) AS total FROM mren.predict_proba('two', sentence, head, tail)) AS p;
SELECT bool_and(r.relation = c.relation AND r.confidence = c.confidence) AS alone_as_in_a_batch
FROM mren.predict_rows('two', 'SELECT * FROM pairs') AS r JOIN pairs p ON p.id::text = r.id, mren.classify('two', p.sentence, p.head, p.tail) AS c;
CALL mren.train('learnt', 'SELECT * FROM pairs', '{"ensemble": 2, "epochs": 30, "validation_share": 0, "negative": "none"}');
SELECT relation, f1 > 0.99 AS learnt FROM mren.evaluate('learnt', 'SELECT * FROM pairs') WHERE relation = 'accuracy';
SELECT count(*) > 0 AS explained FROM mren.explain('learnt', 'wheel is a part of the car', 'wheel', 'car');

-- Exported and imported, it is the same, byte for byte.
SELECT mren.import_model('copy', mren.export_model('two')) AS version;
SELECT mren.export_model('copy')::text = mren.export_model('two')::text AS same;
SELECT count(DISTINCT sha256) AS different FROM mren.models WHERE model IN ('two', 'copy');

-- The log of a run gives the member of each epoch.
SELECT DISTINCT r.model, e -> 'member' AS member, r.status
FROM mren.runs r, jsonb_array_elements(r.log) AS e WHERE r.model IN ('one', 'two') ORDER BY 1, 2;

-- Out of range, and not a number.
SELECT error_of(format($$CALL mren.train('no', 'SELECT * FROM pairs', '{"ensemble": %s}')$$, value))
FROM unnest('{0,17,-1,2.5,true}'::text[] || '"3"'::text) AS value;
