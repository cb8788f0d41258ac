-- wnsound: a recording and a dictionary gloss; is the term a kind of, a part of,
-- or unrelated to what is heard?  Neither side alone can tell.  Trained on train,
-- reported on val.
\set folder :data '/multimodal/wnsound/'
CREATE TABLE wnsound_raw AS
SELECT line::jsonb AS line FROM unnest('{train,val}'::text[]) AS part,
     string_to_table(rtrim(pg_read_file(:'folder' || part || '.jsonl'), E'\n'), E'\n') AS line;
SELECT mren.load_audio_encoder('yamnet', pg_read_binary_file(:'data' || '/encoders/yamnet.onnx'));
CREATE TABLE wnsound_feature AS
SELECT name, mren.audio_features('yamnet', audio) AS yamnet, mren.audio_features('logmel', audio) AS logmel
FROM (SELECT name, pg_read_binary_file(:'folder' || name) AS audio FROM (SELECT DISTINCT line ->> 'audio' AS name FROM wnsound_raw) AS n OFFSET 0) AS r;
CREATE TABLE wnsound AS
SELECT line ->> 'id' AS id, line ->> 'split' AS part, line ->> 'text' AS sentence, line ->> 'relation' AS relation,
       int4range((line #>> '{e1,start}')::int, (line #>> '{e1,end}')::int) AS head,
       int4range((line #>> '{e2,start}')::int, (line #>> '{e2,end}')::int) AS tail, yamnet, logmel
FROM wnsound_raw JOIN wnsound_feature ON name = line ->> 'audio';
CREATE VIEW wnsound_train AS SELECT id, sentence, head, tail, relation, yamnet AS audio_vector FROM wnsound WHERE part = 'train';
CREATE VIEW wnsound_val AS SELECT id, sentence, head, tail, relation, yamnet AS audio_vector FROM wnsound WHERE part = 'val';
CREATE VIEW wnsound_logmel_train AS SELECT id, sentence, head, tail, relation, logmel AS audio_vector FROM wnsound WHERE part = 'train';
CREATE VIEW wnsound_logmel_val AS SELECT id, sentence, head, tail, relation, logmel AS audio_vector FROM wnsound WHERE part = 'val';
-- The validation rows with each other's recordings.
CREATE TABLE wnsound_shuffled AS
SELECT a.id, sentence, head, tail, relation, b.audio_vector
FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM wnsound_val) AS a
JOIN (SELECT audio_vector, row_number() OVER (ORDER BY md5(id || 'shuffle')) AS n FROM wnsound_val) AS b USING (n);

INSERT INTO bench.figure (name, measure, floor, aim) VALUES
    ('wnsound, both', '{accuracy}', 92, 94),
    ('wnsound, both, log-mel', '{accuracy}', 89, 91),
    ('wnsound, text', '{accuracy}', NULL, NULL),
    ('wnsound, sound', '{accuracy}', NULL, NULL),
    ('wnsound, both, shuffled', '{accuracy}', NULL, NULL);
\set options '{"negative": "unrelated", "audio_encoder": "yamnet"}'
CALL bench.measure('wnsound, both', 'SELECT * FROM wnsound_train', 'SELECT * FROM wnsound_val', :'options');
CALL bench.measure('wnsound, both, log-mel', 'SELECT * FROM wnsound_logmel_train', 'SELECT * FROM wnsound_logmel_val', '{"negative": "unrelated"}');
CALL bench.measure('wnsound, both, shuffled', 'SELECT * FROM wnsound_train', 'SELECT * FROM wnsound_shuffled', :'options');
CALL bench.measure('wnsound, text', 'SELECT id, sentence, head, tail, relation FROM wnsound_train',
                   'SELECT id, sentence, head, tail, relation FROM wnsound_val', '{"negative": "unrelated"}');
-- Sound alone: the sentence says nothing but that there is a thing.
CREATE VIEW wnsound_sound_train AS SELECT id, 'This : this thing .' AS sentence, 'This' AS head, 'thing' AS tail, relation, audio_vector FROM wnsound_train;
CREATE VIEW wnsound_sound_val AS SELECT id, 'This : this thing .' AS sentence, 'This' AS head, 'thing' AS tail, relation, audio_vector FROM wnsound_val;
CALL bench.measure('wnsound, sound', 'SELECT * FROM wnsound_sound_train', 'SELECT * FROM wnsound_sound_val', :'options');
