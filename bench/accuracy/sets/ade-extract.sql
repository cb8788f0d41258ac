-- ADE end to end: drugs and their adverse effects, of the corpus' first fold;
-- trained on train, reported on valid.  Entities are [first, end) of the tokens.
\ir ../extract.sql
\set train :data '/text/ade/train.ADE0.json'
\set valid :data '/text/ade/valid.ADE0.json'
CREATE SCHEMA ade_extract;
SET search_path = ade_extract;
CREATE TABLE train AS SELECT * FROM bench.read('conll04', :'train');
CREATE TABLE gold AS SELECT * FROM bench.read('conll04', :'valid');
-- Tokens and tags of a file's sentences.
CREATE VIEW all_tagged AS
SELECT part, ARRAY(SELECT jsonb_array_elements_text(document -> 'tokens')) AS tokens,
       ARRAY(SELECT coalesce(max(CASE WHEN i = (e ->> 0)::int THEN 'B-' ELSE 'I-' END || (e ->> 2)), 'O')
             FROM generate_series(0, jsonb_array_length(document -> 'tokens') - 1) AS i
                  LEFT JOIN jsonb_array_elements(document -> 'entities') AS e ON i >= (e ->> 0)::int AND i < (e ->> 1)::int
             GROUP BY i ORDER BY i) AS tags
FROM (VALUES ('train', pg_read_file(:'train')), ('valid', pg_read_file(:'valid'))) AS f(part, content),
     jsonb_array_elements(content::jsonb) AS document;
CREATE VIEW tagged AS SELECT tokens, tags FROM all_tagged WHERE part = 'train';
CREATE VIEW tagged_gold AS SELECT tokens, tags FROM all_tagged WHERE part = 'valid';
CREATE TABLE document AS
SELECT array_to_string(ARRAY(SELECT jsonb_array_elements_text(document -> 'tokens')), ' ') AS sentence
FROM jsonb_array_elements(pg_read_file(:'valid')::jsonb) AS document;
RESET search_path;
INSERT INTO bench.figure (name, negative) VALUES ('ADE, end to end', 'None');
CALL bench.extract('ADE, end to end', 'ade_extract');
CALL bench.extract_encoder('ADE, end to end', 'ade_extract');
