-- What is probably a mistake does not pass in silence.
SET client_min_messages = warning;
CREATE TABLE facts AS
SELECT format('%s %s %s.', p, verb, o) AS sentence, p AS head, o AS tail, relation,
       '\x00'::bytea AS photo, '{1}'::real[] AS image_vektor, 'a' AS label_source
FROM unnest('{Mia,Paul,Eva,Jan}'::text[]) p, unnest('{Initech,Umbrella,Hooli,Vandelay}'::text[]) o,
     (VALUES ('works for', 'works_for'), ('sued', 'none'), ('visited', 'none '), ('met', 'None')) t (verb, relation);
-- Without the notices of epochs, which tell times.
CREATE PROCEDURE train(model text, query text, options jsonb) LANGUAGE plpgsql SET client_min_messages = warning AS $$
DECLARE
    version int;
BEGIN
    CALL mren.train(model, query, options || '{"validation_share": 0, "epochs": 2}', version);
END $$;
SET client_min_messages = notice;

-- Columns that are nearly one that rows may have.
CALL train('columns', 'SELECT sentence, head, tail, lower(trim(relation)) AS relation FROM facts', '{"embeddings": null}');
SELECT count(*) FROM mren.evaluate('columns', 'SELECT sentence, head, tail, lower(trim(relation)) AS relation, photo, image_vektor,
    label_source, 1.0 AS wieght, ''PER'' AS head_typ FROM facts');
SELECT count(*) FROM mren.predict_rows('columns', 'SELECT 1 AS id, sentence, head, tail, ''x'' AS headtype, relation FROM facts LIMIT 1');
-- Columns of any other name are the user's own.
SELECT count(*) FROM mren.evaluate('columns', 'SELECT sentence, head, tail, lower(trim(relation)) AS relation, label_source, 1 AS page,
    ''x'' AS id FROM facts');
SELECT * FROM mren.evaluate('columns', 'SELECT sentence, head, tail, ''works-for'' AS relation FROM facts LIMIT 3') LIMIT 1;

-- Relations that differ in blanks or case only; the hint's expression mends them, and line ends are seen.
CALL train('classes', 'SELECT sentence, head, tail, relation FROM facts', '{"embeddings": null}');
CALL train('lines', $$SELECT sentence, head, tail, relation || CASE head WHEN 'Eva' THEN E'\r' ELSE '' END AS relation
    FROM facts WHERE relation IN ('works_for', 'none')$$, '{"embeddings": null}');
CALL train('lines', $$SELECT sentence, head, tail, lower(regexp_replace(relation || E'\r', '^\s+|\s+$', '', 'g')) AS relation
    FROM facts$$, '{"embeddings": null}');
SELECT mren.train_agg(sentence, head, tail, relation, NULL, '{"embeddings": null, "validation_share": 0, "epochs": 1}') IS NULL AS none
FROM facts WHERE relation <> 'None';

-- Embeddings that know no word.
SELECT mren.load_embeddings('far', convert_to(E'xyzzy 0.9 0.1\nplugh 0.8 0.3\n', 'UTF8'));
CALL train('words', 'SELECT sentence, head, tail, lower(trim(relation)) AS relation FROM facts', '{"embeddings": "far"}');
SELECT version, deployed FROM mren.models WHERE model = 'words';
CALL train('words', 'SELECT sentence, head, tail, lower(trim(relation)) AS relation FROM facts', '{"embeddings": "far", "deploy": true}');
SELECT version, deployed FROM mren.models WHERE model = 'words' ORDER BY version;
-- Or hardly any.
CALL train('few', 'SELECT sentence || '' xyzzy'' AS sentence, head, tail, relation FROM (SELECT * FROM facts WHERE relation = ''works_for''
    LIMIT 1) a UNION ALL SELECT sentence, head, tail, lower(trim(relation)) FROM facts', '{"embeddings": "far"}');
CREATE PROCEDURE train_tagger() LANGUAGE plpgsql SET client_min_messages = warning AS $$
DECLARE
    version int;
BEGIN
    CALL mren.train_tagger('names', 'SELECT ''{Ada,lives,in,Rome}''::text[] AS tokens, ''{B-person,O,O,B-place}''::text[] AS tags
        FROM generate_series(1, 5)', '{"embeddings": "far", "validation_share": 0, "epochs": 2}', version);
END $$;
CALL train_tagger();
SELECT version, deployed FROM mren.models WHERE model = 'names';
SELECT mren.drop_model('names');

-- Mean and deviation in units from 0 to 1.
SELECT mren.load_image_encoder('x', '\x00'::bytea, mean => '{0.485,0.456,0.406}', std => '{0.229,0.224,0.225}');
SELECT mren.load_image_encoder('x', '\x00'::bytea, mean => '{0.5}', std => '{1}');

-- An image encoder is named, but no row has an image.
\getenv files MREN_TEST_FILES
\set encoder :files '/encoder.onnx'
SELECT mren.load_image_encoder('unused', :'encoder', mean => '{0}', std => '{255}');
CALL train('pictureless', 'SELECT sentence, head, tail, lower(trim(relation)) AS relation FROM facts', '{"embeddings": null, "image_encoder": "unused"}');
SELECT mren.drop_model('pictureless'), mren.drop_image_encoder('unused');

-- A training whose loss explodes deploys nothing; one that is as good as chance says so.
CALL train('wild', 'SELECT sentence, head, tail, lower(trim(relation)) AS relation FROM facts',
    '{"embeddings": null, "learning_rate": 5, "optimizer": "sgd", "hidden": [8], "hash_bits": 0, "text_encoder": "pool"}');
SELECT metrics -> 'diverged' AS diverged, deployed FROM mren.models WHERE model = 'wild';
CREATE TABLE coin AS
SELECT format('%s %s %s.', 'a' || i, 'b' || i, 'c' || i) AS sentence, 'a' || i AS head, 'c' || i AS tail,
       CASE WHEN i % 3 = 0 THEN 'yes' ELSE 'no' END AS relation, CASE WHEN i % 2 = 0 THEN 'validation' END AS split
FROM generate_series(1, 80) i;
SET client_min_messages = warning;
CALL mren.train('coin', 'SELECT * FROM coin', '{"embeddings": null, "epochs": 2}');
SET client_min_messages = notice;

-- A relation schema whose names match nothing.
SELECT mren.load_lexicon('names', 'SELECT * FROM (VALUES (''Eva'', ''PER''), (''Hooli'', ''ORG'')) t (phrase, type)');
CREATE TABLE schema_ AS SELECT * FROM (VALUES ('works_for', 'Person', 'ORG'), ('Works for', 'PER', 'ORG'), ('employs', 'org', 'PER'))
    t (relation, head_type, tail_type);
SELECT count(*) FROM mren.extract('columns', 'Eva works for Hooli.', lexicons => '{names}', relation_schema => 'schema_');
SELECT count(*) FROM mren.candidates('Eva works for Hooli.', '{names}', relation_schema => 'schema_');
-- One of another domain: the first ten names are enough.
CREATE TABLE other_domain AS SELECT 'r' AS relation, 'T' || i AS head_type FROM generate_series(1, 11) AS i;
SELECT count(*) FROM mren.candidates('Eva works for Hooli.', '{names}', relation_schema => 'other_domain');
DROP TABLE other_domain;
CREATE TABLE docs AS SELECT 1 AS key, 'Eva works for Hooli.' AS document, 'x'::bytea AS picture;
SELECT mren.create_graph('g', 'docs', 'columns', lexicons => '{names}', relation_schema => 'schema_');
SELECT mren.create_graph('g', 'docs', 'columns', lexicons => '{names}', in_schema => 'other');
-- The inverse of a relation needs not be the model's.
UPDATE schema_ SET relation = 'works_for', head_type = 'PER', tail_type = 'ORG' WHERE relation <> 'employs';
UPDATE schema_ SET head_type = 'ORG' WHERE relation = 'employs';
ALTER TABLE schema_ ADD inverse_of text;
UPDATE schema_ SET inverse_of = 'works_for' WHERE relation = 'employs';
SELECT count(*) >= 0 AS quiet FROM mren.extract('columns', 'Eva works for Hooli.', lexicons => '{names}', relation_schema => 'schema_');
SELECT mren.drop_graph('g', true);

-- Spans that cut words: one warning, with how the offsets are probably meant.
CREATE TABLE spans AS SELECT i AS id, E'\U0001F389\U0001F389 Eva met Bob' || i || '.' AS sentence FROM generate_series(1, 20) i;
SELECT count(*) FROM mren.predict_rows('columns', 'SELECT id, sentence, int4range(5, 8) AS head, int4range(0, 1) AS tail FROM spans');
SELECT mren.train_agg(sentence, int4range(9, 12), int4range(0, 1), CASE WHEN id % 2 = 0 THEN 'a' ELSE 'b' END, NULL,
    '{"embeddings": null, "epochs": 1, "validation_share": 0}') IS NULL AS none FROM spans;
CALL train('spans', 'SELECT sentence, int4range(3, 5) AS head, int4range(0, 1) AS tail, CASE WHEN id % 2 = 0 THEN ''a'' ELSE ''b'' END AS relation
    FROM spans', '{"embeddings": null}');
SELECT head, tail FROM mren.read_opennre('{"text": "Eva is with Bob.", "h": {"name": "Eva", "pos": [1, 4]}, "t": {"name": "Bob", "pos": [13, 16]}, "relation": "x"}');
SET client_min_messages = warning;
CALL mren.train_tagger('tagger', 'SELECT sentence, ARRAY[int4range(4, 7)] AS mentions, ARRAY[''PER''] AS types FROM spans',
    '{"embeddings": null, "epochs": 1}');
SELECT type FROM mren.evaluate_tagger('tagger', 'SELECT sentence, ARRAY[int4range(5, 6)] AS mentions, ARRAY[''PER''] AS types FROM spans LIMIT 1') LIMIT 1;
CALL mren.train_tagger('tagger', $$SELECT ARRAY['a', E'\u200b'] AS tokens, ARRAY['O', 'B-X'] AS tags$$, '{"embeddings": null}');
SELECT mren.predict('columns', 'Eva left.', int4range(4, 12), int4range(0, 3));
