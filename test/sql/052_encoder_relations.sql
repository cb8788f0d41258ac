-- Relation models with a pretrained text encoder: training, answers, reasons, versions and what they need.
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\set ECHO none
\i :srcdir/include/tiny.sql
\set n_letters 80
\i :srcdir/include/letters.sql
\set ECHO all
SET client_min_messages = warning;      -- an epoch's notice has times in it
-- The members of word vectors learn nothing, so that all is the encoder's.
\set options '{"text_encoder": "tiny text", "embeddings": null, "hash_bits": 0, "epochs": 1, "learning_rate": 1e-8, "refit": false, "encoder_epochs": 15, "encoder_learning_rate": 0.02}'
CALL mren.train('enc', 'SELECT * FROM letters', :'options');
SELECT metrics ->> 'encoder_share' > '0.5' AS share, (metrics ->> 'encoder_epoch')::int BETWEEN 1 AND 15 AS epoch,
    options ->> 'text_encoder' AS encoder, options ->> 'fine_tuning' AS fine_tuning, options ->> 'adapter_rank' AS rank
FROM mren.models WHERE model = 'enc';
-- Only what training changed is stored.
SELECT name, shape FROM mren.weight WHERE name LIKE 'markers.%' ORDER BY name;

-- CALL and the aggregate give the same network, with serial and parallel plans and in any order.
SELECT mren.save_model('enc', mren.train_agg(sentence, head, tail, relation, NULL, :'options' ORDER BY md5(sentence))) FROM letters;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
ALTER TABLE letters SET (parallel_workers = 2);
SELECT mren.save_model('enc', mren.train_agg(sentence, head, tail, relation, NULL, :'options')) FROM letters;
SELECT count(*) AS versions, count(DISTINCT sha256) AS different FROM mren.models WHERE model = 'enc';
-- A row has the same bits alone, in a batch, and in parallel workers.
SELECT bool_and(r.relation = c.relation AND r.confidence = c.confidence) AS alone_as_in_a_batch, count(*)
FROM mren.predict_rows('enc', 'SELECT * FROM letters') AS r JOIN letters l ON l.id::text = r.id, mren.classify('enc', l.sentence, l.head, l.tail) AS c;
CREATE TABLE serial AS SELECT id, mren.predict('enc', sentence, head, tail) AS relation FROM letters;
SELECT bool_and(s.relation = mren.predict('enc', l.sentence, l.head, l.tail)) AS same FROM letters l JOIN serial s USING (id);
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- Other parts of the encoder are trained on request; each is a different network.
CALL mren.train('frozen', 'SELECT * FROM letters', (:'options'::jsonb || '{"fine_tuning": "frozen"}')::jsonb);
CALL mren.train('last', 'SELECT * FROM letters', (:'options'::jsonb || '{"fine_tuning": "last_layers", "fine_tuned_layers": 1}')::jsonb);
CALL mren.train('all', 'SELECT * FROM letters', (:'options'::jsonb || '{"fine_tuning": "all"}')::jsonb);
SELECT model, (SELECT shape FROM mren.weight w JOIN mren.model_version v ON v.id = w.version WHERE w.name = 'markers.encoder' AND w.part = 0 AND encode(v.sha256, 'hex') = m.sha256) AS tuned,
    mren.predict(model, 'a bc 3', int4range(0, 1), int4range(2, 4)) IS NOT NULL AS answers
FROM mren.models m WHERE model IN ('frozen', 'last', 'all') ORDER BY model;

-- Training takes no more memory than it may.
SET mren.train_memory = '64kB';
SELECT regexp_replace(error_of(format($$CALL mren.train('small', 'SELECT * FROM letters', %L)$$, (:'options'::jsonb || '{"fine_tuning": "all"}')::jsonb)), '\d+ (tokens|kB)', 'N \1', 'g') AS error_of;
RESET mren.train_memory;

-- Reasons, hidden features, and a sentence longer than the encoder's positions, of which the window around the mentions is read.
SELECT modality, feature, contribution IS NOT NULL AS counts FROM mren.explain('enc', 'a bc 3', int4range(0, 1), int4range(2, 4)) ORDER BY modality, feature;
SELECT cardinality(mren.features('enc', 'a bc 3', int4range(0, 1), int4range(2, 4))) = (mren.network_info(mren.export_model('enc')::text::mren.network) ->> 'features')::int AS all_features;
SELECT mren.predict('enc', repeat('x ', 300) || 'a bc 3', int4range(600, 601), int4range(602, 604)) IS NOT NULL AS answers;

-- It needs its encoder, under any name: dropping it is refused, and an answer without it, too.
SELECT error_of($$SELECT mren.drop_text_encoder('tiny text')$$);
SELECT mren.network_info(mren.export_model('enc')::text::mren.network) ? 'text_encoder_sha256' AS named;
CREATE TABLE exported AS SELECT mren.export_model('enc') AS model;
CREATE TABLE answers AS SELECT l.id, p.* FROM letters l, mren.predict_proba('enc', sentence, head, tail) p;
SELECT mren.drop_model(model) FROM (SELECT DISTINCT model FROM mren.models ORDER BY model) AS m;
SELECT mren.drop_text_encoder('tiny text');
SET client_min_messages = error;
SELECT mren.import_model('back', model) FROM exported;
SET client_min_messages = warning;
SELECT error_of($$SELECT mren.predict('back', 'a bc 3', int4range(0, 1), int4range(2, 4))$$);
SELECT mren.load_text_encoder('again', tiny_encoder());
SELECT count(*) FROM (SELECT l.id, p.* FROM letters l, mren.predict_proba('back', sentence, head, tail) p EXCEPT TABLE answers) AS different;

-- Markers in the text take four positions of it.
UPDATE tiny_tensor SET shape = '{16,4}' WHERE i = 2;
SELECT mren.load_text_encoder('longer', tiny_encoder(extra => '{"max_position_embeddings": 16}'));
CALL mren.train('solid', 'SELECT * FROM letters', (:'options'::jsonb || '{"text_encoder": "longer", "markers": "solid", "validation_share": 0}')::jsonb);
SELECT options ->> 'markers' AS markers FROM mren.models WHERE model = 'solid';
SELECT bool_and(r.relation = c.relation AND r.confidence = c.confidence) AS alone_as_in_a_batch, count(*)
FROM mren.predict_rows('solid', 'SELECT * FROM letters') AS r JOIN letters l ON l.id::text = r.id, mren.classify('solid', l.sentence, l.head, l.tail) AS c;
SELECT modality, feature, contribution IS NOT NULL AS counts FROM mren.explain('solid', 'a bc 3', int4range(0, 1), int4range(2, 4)) ORDER BY modality, feature;
SELECT mren.predict('solid', repeat('x ', 300) || 'a bc 3', int4range(600, 601), int4range(602, 604)) IS NOT NULL AS answers;
SELECT error_of($$CALL mren.train('bad', 'SELECT * FROM letters', '{"text_encoder": "again", "embeddings": null, "markers": "solid"}')$$);
SELECT error_of($$CALL mren.train('bad', 'SELECT * FROM letters', '{"text_encoder": "again", "embeddings": null, "markers": "floating"}')$$);

-- Retraining keeps the encoder.
CALL mren.train('night', 'SELECT * FROM letters', (:'options'::jsonb || '{"text_encoder": "again", "holdout_share": 0.25}')::jsonb);
INSERT INTO letters SELECT id + 100, sentence || '0', head, tail, relation FROM letters;
CALL mren.retrain('night', promote => 'always');
SELECT version, options ->> 'text_encoder' AS encoder, metrics ? 'encoder_share' AS trained FROM mren.models WHERE model = 'night' ORDER BY version;
-- A warm start takes a fifth of the epochs, and may be better than they are.
INSERT INTO letters SELECT id + 1000, sentence || '1', head, tail, relation FROM letters WHERE id < 20;
SET client_min_messages = error;
CALL mren.retrain('night', promote => 'never', warm_start => true, options => '{"encoder_epochs": 4}');
SET client_min_messages = warning;
SELECT (metrics ->> 'encoder_epoch')::int <= 1 AS few FROM mren.models WHERE model = 'night' AND version = 3;

-- What is wrong is named.
SELECT error_of($$CALL mren.train('bad', 'SELECT * FROM letters', '{"text_encoder": "none"}')$$);
SELECT error_of($$CALL mren.train('bad', 'SELECT * FROM letters', '{"text_encoder": 3}')$$);
SELECT error_of($$CALL mren.train('bad', 'SELECT * FROM letters', '{"text_encoder": "again", "embeddings": null, "fine_tuning": "some"}')$$);
SELECT error_of($$CALL mren.train('bad', 'SELECT * FROM letters', '{"text_encoder": "again", "embeddings": null, "adapter_rank": 0}')$$);
SELECT error_of($$CALL mren.train('bad', 'SELECT * FROM letters', '{"text_encoder": "again", "embeddings": null, "encoder_learning_rate": 5}')$$);
