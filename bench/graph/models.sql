-- What reads the documents: a tagger and a relation model trained on CoNLL04's train,
-- and which relations there are between which types, as far as train tells.
-- Variables: data, epochs, encoder.
SET client_min_messages = warning;
\set train :data '/text/conll04/conll04_train.json'
\set vectors :data '/embeddings/glove_100d_top20000.word2vec.bin'
SELECT mren.load_embeddings('glove', pg_read_binary_file(:'vectors')) \g /dev/null
CREATE TABLE train AS SELECT * FROM mren.read_conll04(pg_read_file(:'train'));
CREATE TABLE tagged AS
SELECT ARRAY(SELECT jsonb_array_elements_text(document -> 'tokens')) AS tokens,
       ARRAY(SELECT jsonb_array_elements_text(document -> 'tags')) AS tags
FROM jsonb_array_elements(pg_read_file(:'train')::jsonb) AS document;
CREATE TABLE relation_schema AS
SELECT DISTINCT relation, head_type, tail_type, relation = 'Located_In' AS functional FROM train WHERE relation <> 'None';
CALL mren.train_tagger('names', 'SELECT tokens, tags FROM tagged', jsonb_build_object('epochs', :epochs)) \g /dev/null
CALL mren.train('relations', 'SELECT * FROM train', jsonb_build_object('negative', 'None', 'epochs', :epochs, 'text_encoder', :'encoder')) \g /dev/null
SELECT format('%s model "%s": trained in %s s', kind, model, round(seconds::numeric, 1)) FROM mren.models ORDER BY model;
