-- wncal: a photograph and a dictionary gloss; is the term a kind of, a part of,
-- or unrelated to the object shown?  Neither side alone can tell.  Trained on
-- train, reported on val.
\ir ../pictures.sql
\set folder :data '/multimodal/wncal/'
CREATE TABLE wncal_raw AS
SELECT line::jsonb AS line FROM unnest('{train,val}'::text[]) AS part,
     string_to_table(rtrim(pg_read_file(:'folder' || part || '.jsonl'), E'\n'), E'\n') AS line;
CREATE TABLE wncal_feature AS
SELECT * FROM bench.image_vectors(:'folder', 'SELECT DISTINCT line ->> ''image'' FROM wncal_raw');
CREATE TABLE wncal AS
SELECT line ->> 'id' AS id, line ->> 'split' AS part, line ->> 'text' AS sentence, line ->> 'relation' AS relation,
       int4range((line #>> '{e1,start}')::int, (line #>> '{e1,end}')::int) AS head,
       int4range((line #>> '{e2,start}')::int, (line #>> '{e2,end}')::int) AS tail,
       abs(hashtext(line ->> 'wn_term')) % 5 AS term_part, image_vector
FROM wncal_raw JOIN wncal_feature ON name = line ->> 'image';
CREATE VIEW wncal_train AS SELECT id, sentence, head, tail, relation, image_vector FROM wncal WHERE part = 'train';
CREATE VIEW wncal_val AS SELECT id, sentence, head, tail, relation, image_vector FROM wncal WHERE part = 'val';
-- The validation rows with each other's pictures.
CREATE TABLE wncal_shuffled AS
SELECT a.id, sentence, head, tail, relation, b.image_vector
FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM wncal_val) AS a
JOIN (SELECT image_vector, row_number() OVER (ORDER BY md5(id || 'shuffle')) AS n FROM wncal_val) AS b USING (n);

INSERT INTO bench.figure (name, measure, floor, aim) VALUES
    ('wncal, both', '{accuracy}', 92, 95),
    ('wncal, text', '{accuracy}', NULL, NULL),
    ('wncal, image', '{accuracy}', NULL, NULL),
    ('wncal, both, shuffled', '{accuracy}', NULL, NULL),
    ('wncal, terms held out', '{accuracy}', 65, 72);
\set options '{"negative": "no_relation", "image_encoder": "mobilenet"}'
CALL bench.measure('wncal, both', 'SELECT * FROM wncal_train', 'SELECT * FROM wncal_val', :'options');
CALL bench.measure('wncal, both, shuffled', 'SELECT * FROM wncal_train', 'SELECT * FROM wncal_shuffled', :'options');
CALL bench.measure('wncal, text', 'SELECT id, sentence, head, tail, relation FROM wncal_train',
                   'SELECT id, sentence, head, tail, relation FROM wncal_val', '{"negative": "no_relation"}');
CALL bench.measure_encoder('wncal, both', 'SELECT * FROM wncal_train', 'SELECT * FROM wncal_val', :'options');
CALL bench.measure_encoder('wncal, text', 'SELECT id, sentence, head, tail, relation FROM wncal_train',
                           'SELECT id, sentence, head, tail, relation FROM wncal_val', '{"negative": "no_relation"}');
-- Image alone: the sentence says nothing but that there is an object.
CREATE VIEW wncal_image_train AS SELECT id, 'This : this object .' AS sentence, 'This' AS head, 'object' AS tail, relation, image_vector FROM wncal_train;
CREATE VIEW wncal_image_val AS SELECT id, 'This : this object .' AS sentence, 'This' AS head, 'object' AS tail, relation, image_vector FROM wncal_val;
CALL bench.measure('wncal, image', 'SELECT * FROM wncal_image_train', 'SELECT * FROM wncal_image_val', :'options');
-- Each fifth of the validation rows' terms by a model whose training rows lack those terms.
SELECT format('CALL bench.measure(%L, %L, %L, %L)', 'wncal, terms held out',
              format('SELECT id, sentence, head, tail, relation, image_vector FROM wncal WHERE part = ''train'' AND term_part <> %s', f),
              format('SELECT id, sentence, head, tail, relation, image_vector FROM wncal WHERE part = ''val'' AND term_part = %s', f), :'options')
FROM generate_series(0, 4) AS f \gexec
