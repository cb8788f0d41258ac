-- Taggers with a pretrained text encoder: training, answers, versions and what they need.
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\set ECHO none
\i :srcdir/include/tiny.sql
\i :srcdir/include/text_encoder.sql
\set ECHO all
SET client_min_messages = warning;      -- an epoch's notice has times in it
SELECT mren.load_text_encoder('tiny text', tiny_encoder(extra => '{"hidden_dropout_prob": 0, "attention_probs_dropout_prob": 0}', weights => tiny_weights(curve => 11)));
-- All words look alike to a tagger without spellings: only the encoder tells a from b.
CREATE TABLE letters AS
SELECT g AS id, tokens, ARRAY(SELECT CASE t WHEN 'a' THEN 'B-First' WHEN 'b' THEN 'B-Second' ELSE 'O' END FROM unnest(tokens) WITH ORDINALITY AS u(t, i) ORDER BY i) AS tags
FROM generate_series(1, 80) g, LATERAL (SELECT ARRAY(SELECT (ARRAY['a', 'x', 'b', 'y', 'z'])[1 + (g * 7 + i * i * (g % 5 + 1)) % 5] FROM generate_series(1, 3 + g % 6) i)) AS s(tokens);
\set options '{"text_encoder": "tiny text", "embeddings": null, "feature_dim": 0, "direct": false, "hidden": [16], "window": 0, "epochs": 60, "patience": 0, "refit": false, "learning_rate": 0.02, "encoder_learning_rate": 0.01, "batch_size": 8, "dropout": 0, "hidden_dropout": 0, "weight_ema": 0.8}'
CALL mren.train_tagger('enc', 'SELECT * FROM letters', :'options');
SELECT (metrics ->> 'validation_f1')::float8 > 0.9 AS learned, metrics ? 'windowed_rows' AS windowed,
    options ->> 'text_encoder' AS encoder, options ->> 'fine_tuning' AS fine_tuning, options ->> 'adapter_rank' AS rank
FROM mren.models WHERE model = 'enc';
SELECT f1 > 0.9 AS learned FROM mren.evaluate_tagger('enc', 'SELECT * FROM letters') WHERE type = 'micro avg';
SELECT mention, type, span, confidence > 0.5 AS sure FROM mren.tag('enc', 'z a a z');
-- Only what training changed is stored.
SELECT name, shape FROM mren.weight WHERE name LIKE 'encoder.%' ORDER BY name;

-- The same rows in another order give the same tagger.
CALL mren.train_tagger('enc', 'SELECT * FROM letters ORDER BY md5(id::text)', :'options');
SELECT count(*) AS versions, count(DISTINCT sha256) AS different FROM mren.models WHERE model = 'enc';
-- Labelled ranges give the same words and tokens as labelled tokens.
CALL mren.train_tagger('enc', 'SELECT array_to_string(tokens, '' '') AS sentence,
    ARRAY(SELECT int4range(2 * i::int - 2, 2 * i::int - 1) FROM unnest(tags) WITH ORDINALITY AS u(t, i) WHERE t <> ''O'' ORDER BY i) AS mentions,
    ARRAY(SELECT substr(t, 3) FROM unnest(tags) WITH ORDINALITY AS u(t, i) WHERE t <> ''O'' ORDER BY i) AS types FROM letters', :'options');
SELECT count(*) AS versions, count(DISTINCT sha256) AS different FROM mren.models WHERE model = 'enc';
-- A sentence has the same bits in any process.
CREATE TABLE serial AS SELECT l.id, t.* FROM letters l, mren.tag('enc', array_to_string(tokens, ' ')) t;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
ALTER TABLE letters SET (parallel_workers = 2);
SELECT count(*) AS different FROM (SELECT l.id, t.* FROM letters l, mren.tag('enc', array_to_string(tokens, ' ')) t EXCEPT TABLE serial) AS d;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- Other parts of the encoder are trained on request.
CALL mren.train_tagger('frozen', 'SELECT * FROM letters', (:'options'::jsonb || '{"fine_tuning": "frozen"}')::jsonb);
CALL mren.train_tagger('last', 'SELECT * FROM letters', (:'options'::jsonb || '{"fine_tuning": "last_layers", "fine_tuned_layers": 1}')::jsonb);
CALL mren.train_tagger('all', 'SELECT * FROM letters', (:'options'::jsonb || '{"fine_tuning": "all"}')::jsonb);
SELECT model, (SELECT shape FROM mren.weight w JOIN mren.model_version v ON v.id = w.version WHERE w.name = 'encoder.tuned' AND w.part = 0 AND encode(v.sha256, 'hex') = m.sha256) AS tuned,
    (SELECT count(*) FROM mren.tag(model, 'x a y b')) IS NOT NULL AS answers
FROM mren.models m WHERE model IN ('frozen', 'last', 'all') ORDER BY model;

-- A text longer than the encoder's positions, and one whose words have no piece.
SELECT count(*) > 0 AS answers FROM mren.tag('enc', repeat('x a y ', 1000));
SELECT count(*) AS mentions FROM mren.tag('enc', '');

-- It needs its encoder, under any name: dropping it is refused, and an answer without it, too.
SELECT error_of($$SELECT mren.drop_text_encoder('tiny text')$$);
CREATE TABLE exported AS SELECT mren.export_model('enc') AS model;
SELECT mren.drop_model(model) FROM (SELECT DISTINCT model FROM mren.models ORDER BY model) AS m;
SELECT mren.drop_text_encoder('tiny text');
SET client_min_messages = error;
SELECT mren.import_model('back', model) FROM exported;
SET client_min_messages = warning;
SELECT error_of($$SELECT * FROM mren.tag('back', 'x a y b')$$);
SELECT mren.load_text_encoder('again', tiny_encoder(extra => '{"hidden_dropout_prob": 0, "attention_probs_dropout_prob": 0}', weights => tiny_weights(curve => 11)));
SELECT count(*) AS different FROM (SELECT l.id, t.* FROM letters l, mren.tag('back', array_to_string(tokens, ' ')) t EXCEPT TABLE serial) AS d;

-- Taggers without an encoder have no options of one.
CALL mren.train_tagger('plain', 'SELECT * FROM letters', '{"embeddings": null, "hidden": [8]}');
SELECT options ? 'text_encoder' OR options ? 'fine_tuning' AS shown, options ->> 'epochs' AS epochs FROM mren.models WHERE model = 'plain';

-- What is wrong is named.
SELECT error_of($$CALL mren.train_tagger('bad', 'SELECT * FROM letters', '{"text_encoder": "none"}')$$);
SELECT error_of($$CALL mren.train_tagger('bad', 'SELECT * FROM letters', '{"text_encoder": 3}')$$);
SELECT error_of($$CALL mren.train_tagger('bad', 'SELECT * FROM letters', '{"text_encoder": "again", "embeddings": null, "fine_tuning": "some"}')$$);
SELECT error_of($$CALL mren.train_tagger('bad', 'SELECT * FROM letters', '{"text_encoder": "again", "embeddings": null, "adapter_rank": 0}')$$);
SELECT error_of($$CALL mren.train_tagger('bad', 'SELECT * FROM letters', '{"text_encoder": "again", "embeddings": null, "encoder_learning_rate": 5}')$$);
