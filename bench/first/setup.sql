-- Models, encoders and one row to predict, for measuring first calls.
-- Variables: data.
SET client_min_messages = warning;
CREATE EXTENSION mren;
\set train :data '/text/conll04/conll04_train.json'
\set vectors :data '/embeddings/glove_100d_top20000.word2vec.bin'
SELECT mren.load_embeddings('glove', pg_read_binary_file(:'vectors')) \g /dev/null
CREATE TABLE train AS SELECT * FROM mren.read_conll04(pg_read_file(:'train'));
CALL mren.train('pool', 'SELECT sentence, head, tail, relation FROM train', '{"negative": "None", "epochs": 1, "text_encoder": "pool", "hash_bits": 0}') \g /dev/null
CALL mren.train('conv', 'SELECT sentence, head, tail, relation FROM train', '{"negative": "None", "epochs": 1, "text_encoder": "conv", "hash_bits": 0}') \g /dev/null
CALL mren.train('default', 'SELECT sentence, head, tail, relation FROM train', '{"negative": "None", "epochs": 1}') \g /dev/null
CREATE TABLE one AS SELECT row_number() OVER () AS id, sentence, head, tail FROM (SELECT DISTINCT ON (sentence) * FROM train WHERE length(sentence) BETWEEN 100 AND 110) AS t LIMIT 2;
\set squeezenet :data '/encoders/squeezenet1_1.onnx'
\set mobilenet :data '/encoders/mobilenet_v2_1.0_224.onnx'
SELECT mren.load_image_encoder('squeezenet', :'squeezenet', mean => '{123.675,116.28,103.53}', std => '{58.395,57.12,57.375}') \g /dev/null
SELECT mren.load_image_encoder('mobilenet', :'mobilenet', mean => '{127.5}', std => '{127.5}') \g /dev/null
CREATE TABLE picture AS SELECT 1 AS id, pg_read_binary_file(:'image1') AS image UNION ALL SELECT 2, pg_read_binary_file(:'image2');
\set minilm :data '/text-encoders/all-MiniLM-L6-v2'
SELECT mren.load_text_encoder('minilm', :'minilm') \g /dev/null
ANALYZE;
