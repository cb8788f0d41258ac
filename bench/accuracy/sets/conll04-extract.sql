-- CoNLL04 end to end, trained on train, reported on dev.
\ir ../extract.sql
\set train :data '/text/conll04/conll04_train.json'
\set dev :data '/text/conll04/conll04_dev.json'
CREATE SCHEMA conll04_extract;
SET search_path = conll04_extract;
CREATE TABLE train AS SELECT * FROM bench.read('conll04', :'train');
CREATE TABLE gold AS SELECT * FROM bench.read('conll04', :'dev');
CREATE TABLE tagged AS
SELECT ARRAY(SELECT jsonb_array_elements_text(document -> 'tokens')) AS tokens,
       ARRAY(SELECT jsonb_array_elements_text(document -> 'tags')) AS tags
FROM jsonb_array_elements(pg_read_file(:'train')::jsonb) AS document;
CREATE TABLE tagged_gold AS
SELECT ARRAY(SELECT jsonb_array_elements_text(document -> 'tokens')) AS tokens,
       ARRAY(SELECT jsonb_array_elements_text(document -> 'tags')) AS tags
FROM jsonb_array_elements(pg_read_file(:'dev')::jsonb) AS document;
CREATE TABLE document AS
SELECT array_to_string(ARRAY(SELECT jsonb_array_elements_text(document -> 'tokens')), ' ') AS sentence
FROM jsonb_array_elements(pg_read_file(:'dev')::jsonb) AS document;
RESET search_path;
INSERT INTO bench.figure (name, negative, floor, aim) VALUES ('CoNLL04, end to end', 'None', 48, 55);
CALL bench.extract('CoNLL04, end to end', 'conll04_extract');
CALL bench.extract_encoder('CoNLL04, end to end', 'conll04_extract');
