-- Models that read recordings.
\getenv srcdir PG_ABS_SRCDIR
\getenv files MREN_TEST_FILES
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql
\i :srcdir/include/recordings.sql
SET client_min_messages = warning;
-- A low and a high tone of half a second, each a little different in each row.  Whether it fits depends on both
-- the head and the tone: neither alone tells.
CREATE TABLE heard AS
SELECT id, 'The ' || head || ' number ' || id || ' is heard with a part of the house.' AS sentence, head, 'house' AS tail,
       wav(ARRAY(SELECT round((8000 + 40 * id) * sin(2 * pi() * CASE WHEN low THEN 300 + id ELSE 3000 + 10 * id END * i / 16000))::integer
                 FROM generate_series(0, 7999) AS i)) AS audio,
       CASE WHEN (head = 'dog') = low THEN 'fits' ELSE 'other' END AS relation
FROM generate_series(1, 120) AS id, LATERAL (SELECT (ARRAY['dog', 'car'])[1 + id % 2] AS head, id / 2 % 2 = 0 AS low) AS r;
CALL mren.train('sound', 'SELECT * FROM heard', '{"hidden": [16], "epochs": 60, "validation_share": 0.1, "seed": 1, "hash_bits": 0}');
SELECT accuracy >= 0.95 AS learnt FROM (SELECT avg((mren.predict('sound', sentence, head, tail, audio => audio) = relation)::integer) AS accuracy FROM heard) AS a;
SELECT metrics ->> 'rows_with_audio' AS rows_with_audio, options ->> 'audio_encoder' AS audio_encoder FROM mren.models WHERE model = 'sound';
-- Without its recording, a row is answered by its text.
SELECT count(mren.predict('sound', sentence, head, tail)) FROM heard;
-- The vector is the recording; rows one by one as in batches; versions by name.
SELECT count(*) FROM heard
WHERE mren.classify('sound', sentence, head, tail, audio => audio)
      IS DISTINCT FROM mren.classify('sound', sentence, head, tail, audio_vector => mren.audio_features('logmel', audio));
SELECT count(*) FROM heard JOIN mren.predict_rows('sound', 'SELECT * FROM heard') AS p ON p.id = heard.id::text
WHERE (p.relation, p.confidence) IS DISTINCT FROM (SELECT (c.relation, c.confidence) FROM mren.classify('sound', sentence, head, tail, audio => audio) AS c);
SELECT count(*) FROM mren.predict_rows('sound', $$SELECT id::text, sentence, head, tail, mren.audio_features('logmel', audio) AS audio_vector FROM heard$$);
SELECT round(f1::numeric, 1) >= 0.9 FROM mren.evaluate('sound', 'SELECT * FROM heard') WHERE relation = 'micro avg';

-- The aggregate trains the same network, with recordings among the extras.
SELECT mren.save_model('aggregate', mren.train_agg(sentence, head, tail, relation, NULL::bytea,
    jsonb_build_object('audio_vector', to_jsonb(mren.audio_features('logmel', audio))), '{"hidden": [16], "epochs": 60, "validation_share": 0.1, "seed": 1, "hash_bits": 0}')) FROM heard;
SELECT mren.save_model('aggregate', mren.train_agg(sentence, head, tail, relation, NULL::bytea,
    jsonb_build_object('audio', audio), '{"hidden": [16], "epochs": 60, "validation_share": 0.1, "seed": 1, "hash_bits": 0}')) FROM heard;
-- So does it with a parallel plan, whose workers read the recordings, and they answer the same.
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
ALTER TABLE heard SET (parallel_workers = 2);
EXPLAIN (COSTS OFF) SELECT count(mren.predict('sound', sentence, head, tail, audio => audio)) FROM heard;
SELECT mren.save_model('aggregate', mren.train_agg(sentence, head, tail, relation, NULL::bytea,
    jsonb_build_object('audio', audio), '{"hidden": [16], "epochs": 60, "validation_share": 0.1, "seed": 1, "hash_bits": 0}')) FROM heard;
CREATE TABLE answers AS SELECT id, mren.classify('sound', sentence, head, tail, audio => audio)::text AS answer FROM heard;
SET max_parallel_workers_per_gather = 0;
SELECT count(*) FROM heard JOIN answers USING (id) WHERE answer = mren.classify('sound', sentence, head, tail, audio => audio)::text;
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET parallel_leader_participation;
ALTER TABLE heard RESET (parallel_workers);
SELECT count(DISTINCT sha256) FROM mren.model_version v JOIN mren.model m ON m.id = v.model WHERE m.name IN ('sound', 'aggregate');

-- Explanations.
SELECT modality, feature, contribution > 0.1 AS much FROM heard, mren.explain('sound', sentence, head, tail, audio => audio) WHERE id = 8 AND modality IN ('audio', 'image');
SELECT seconds FROM heard, mren.explain_audio('sound', sentence, head, tail, audio => audio) WHERE id = 8;
SELECT count(*) FROM mren.explain_audio('sound', 'The dog is heard.', 'dog', 'heard');
SELECT error_of($$SELECT mren.explain_audio('sound', 'The dog is heard.', 'dog', 'heard', audio_vector => mren.audio_features('logmel', audio)) FROM heard WHERE id = 8$$);

-- A model that was moved answers the same.
SELECT mren.import_model('moved', mren.export_model('sound'));
SELECT count(*) FROM heard
WHERE mren.classify('sound', sentence, head, tail, audio => audio) IS DISTINCT FROM mren.classify('moved', sentence, head, tail, audio => audio);

-- Only who may predict with the model is answered.
CREATE ROLE listener;
GRANT SELECT ON heard TO listener;
SET ROLE listener;
SELECT error_of($$SELECT mren.predict('sound', sentence, head, tail, audio => audio) FROM heard$$);
SELECT error_of($$SELECT * FROM heard, mren.explain_audio('sound', sentence, head, tail, audio => audio)$$);
RESET ROLE;
SELECT mren.grant_model('sound', 'listener', 'predict');
SET ROLE listener;
SELECT count(mren.predict('sound', sentence, head, tail, audio => audio)) FROM heard;
SELECT error_of($$SELECT mren.load_audio_encoder('mine', '/etc/hostname')$$);
SELECT error_of($$SELECT mren.drop_audio_encoder('none')$$);
RESET ROLE;
DROP OWNED BY listener;
DROP ROLE listener;

-- A loaded encoder cannot be dropped while a model needs it.
\set encoder8 :files '/audio_encoder_8.onnx'
SELECT mren.load_audio_encoder('eight', :'encoder8');
CALL mren.train('eight', 'SELECT * FROM heard WHERE id <= 20', '{"hidden": [4], "epochs": 2, "audio_encoder": "eight"}');
SELECT error_of($$SELECT mren.drop_audio_encoder('eight')$$);
SELECT error_of($$SELECT mren.predict('eight', sentence, head, tail, audio_vector => '{1,2,3}') FROM heard$$);
CALL mren.retrain('eight', min_new_rows => 0, promote => 'never');
SELECT version, options ->> 'audio_encoder' AS audio_encoder FROM mren.models WHERE model = 'eight' ORDER BY 1;
SELECT mren.drop_model('eight');
SELECT mren.drop_audio_encoder('eight');

-- What cannot be.
CALL mren.train('text', 'SELECT sentence, head, tail, relation FROM heard WHERE id <= 20', '{"hidden": [4], "epochs": 2}');
SELECT options ? 'audio_encoder' AS named FROM mren.models WHERE model = 'text';
SELECT error_of($$SELECT mren.predict('text', sentence, head, tail, audio => audio) FROM heard$$);
SELECT error_of($$SELECT mren.predict('sound', sentence, head, tail, audio => audio, audio_vector => '{1}') FROM heard$$);
SELECT error_of($$SELECT mren.predict('sound', sentence, head, tail, audio => substr(audio, 1, 99)) FROM heard$$);
SELECT error_of($$CALL mren.train('sound', 'SELECT * FROM heard', '{"audio_encoder": "none"}')$$);
SELECT error_of($$CALL mren.train('sound', 'SELECT * FROM heard', '{"audio_encoder": null}')$$);
SELECT error_of($$CALL mren.train('sound', 'SELECT sentence, head, tail, relation, ARRAY[1,2]::real[] AS audio_vector FROM heard')$$);
SELECT error_of($$SELECT mren.train_agg(sentence, head, tail, relation, NULL::bytea, '{"audio": 5}', '{}') FROM heard$$);
