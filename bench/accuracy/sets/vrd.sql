-- vrd: a photograph, two boxes in it and human labels, several for some pairs; the
-- sentence is a template.  Trained on the first label where it has at least 40
-- training rows (17 relations); an answer is right if it is among the labels.
\ir ../pictures.sql
\set folder :data '/multimodal/vrd/'
CREATE TABLE vrd_raw AS
SELECT part, line::jsonb AS line FROM unnest('{train,val}'::text[]) AS part,
     string_to_table(rtrim(pg_read_file(:'folder' || part || '.jsonl'), E'\n'), E'\n') AS line;
CREATE TABLE vrd_feature AS
SELECT * FROM bench.image_vectors(:'folder', 'SELECT DISTINCT line ->> ''image'' FROM vrd_raw');
CREATE TABLE vrd AS
SELECT part || (line ->> 'id') AS id, part, line ->> 'text' AS sentence, line #>> '{relations,0}' AS relation,
       ARRAY(SELECT jsonb_array_elements_text(line -> 'relations')) AS accepted,
       line ->> 'subject' AS subject, line ->> 'object' AS object,
       h.head, int4range(t.at, t.at + length(line ->> 'object')) AS tail,
       box(point((line #>> '{sub_box,0}')::float8 / width, (line #>> '{sub_box,1}')::float8 / height),
           point((line #>> '{sub_box,2}')::float8 / width, (line #>> '{sub_box,3}')::float8 / height)) AS head_box,
       box(point((line #>> '{obj_box,0}')::float8 / width, (line #>> '{obj_box,1}')::float8 / height),
           point((line #>> '{obj_box,2}')::float8 / width, (line #>> '{obj_box,3}')::float8 / height)) AS tail_box,
       name AS picture, image_vector
FROM vrd_raw JOIN vrd_feature ON name = line ->> 'image',
     LATERAL (SELECT (line #>> '{orig_size,0}')::float8 AS width, (line #>> '{orig_size,1}')::float8 AS height) AS size,
     LATERAL (SELECT int4range(at, at + length(line ->> 'subject')) AS head
              FROM (SELECT strpos(line ->> 'text', ' ' || (line ->> 'subject') || ' ') AS at) AS x) AS h,
     -- The object's name may be the subject's: it is looked for behind it.
     LATERAL (SELECT upper(head) + strpos(substr(line ->> 'text', upper(head) + 1), ' ' || (line ->> 'object') || ' ') AS at) AS t;
DELETE FROM vrd WHERE relation NOT IN (SELECT relation FROM vrd WHERE part = 'train' GROUP BY 1 HAVING count(*) >= 40);
DO $$
BEGIN
    ASSERT (SELECT bool_and(substr(sentence, lower(head) + 1, upper(head) - lower(head)) = subject
                            AND substr(sentence, lower(tail) + 1, upper(tail) - lower(tail)) = object) FROM vrd);
    ASSERT (SELECT count(DISTINCT relation) FROM vrd) = 17;
END
$$;
CREATE VIEW vrd_train AS SELECT id, sentence, head, tail, relation, image_vector, head_box, tail_box FROM vrd WHERE part = 'train';
CREATE VIEW vrd_val AS SELECT id, sentence, head, tail, relation, image_vector, head_box, tail_box FROM vrd WHERE part = 'val';
-- The validation rows with each other's pictures.
CREATE TABLE vrd_shuffled AS
SELECT a.id, sentence, head, tail, relation, b.image_vector, a.head_box, a.tail_box
FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM vrd_val) AS a
JOIN (SELECT image_vector, row_number() OVER (ORDER BY md5(id || 'shuffle')) AS n FROM vrd_val) AS b USING (n);

INSERT INTO bench.figure (name, measure) VALUES
    ('vrd, pair look-up', '{accuracy}'),
    ('vrd, text', '{accuracy}'),
    ('vrd, image', '{accuracy}'),
    ('vrd, both', '{accuracy}'),
    ('vrd, both, shuffled', '{accuracy}'),
    ('vrd, boxes', '{accuracy}'),
    ('vrd, text and boxes', '{accuracy}');
INSERT INTO bench.figure (name, measure, aim) VALUES ('vrd, both and boxes', '{accuracy}', 65);
-- The training rows' most frequent relation of the two names, else of the subject's, else of all.
INSERT INTO bench.answer (name, seed, id, relation)
SELECT 'vrd, pair look-up', 0, v.id, coalesce(
    (SELECT mode() WITHIN GROUP (ORDER BY relation) FROM vrd AS t WHERE part = 'train' AND t.subject = v.subject AND t.object = v.object),
    (SELECT mode() WITHIN GROUP (ORDER BY relation) FROM vrd AS t WHERE part = 'train' AND t.subject = v.subject),
    (SELECT mode() WITHIN GROUP (ORDER BY relation) FROM vrd AS t WHERE part = 'train'))
FROM vrd AS v WHERE part = 'val' AND 'vrd, pair look-up' ~ current_setting('bench.pattern');
\set options '{"image_encoder": "mobilenet"}'
CALL bench.measure('vrd, text', 'SELECT id, sentence, head, tail, relation FROM vrd_train', 'SELECT id, sentence, head, tail, relation FROM vrd_val');
CALL bench.measure_encoder('vrd, text', 'SELECT id, sentence, head, tail, relation FROM vrd_train', 'SELECT id, sentence, head, tail, relation FROM vrd_val');
CALL bench.measure('vrd, both', 'SELECT id, sentence, head, tail, relation, image_vector FROM vrd_train',
                   'SELECT id, sentence, head, tail, relation, image_vector FROM vrd_val', :'options');
CALL bench.measure('vrd, both, shuffled', 'SELECT id, sentence, head, tail, relation, image_vector FROM vrd_train',
                   'SELECT id, sentence, head, tail, relation, image_vector FROM vrd_shuffled', :'options');
CALL bench.measure('vrd, image', $$SELECT id, 'this and that' AS sentence, 'this' AS head, 'that' AS tail, relation, image_vector FROM vrd_train$$,
                   $$SELECT id, 'this and that' AS sentence, 'this' AS head, 'that' AS tail, relation, image_vector FROM vrd_val$$, :'options');
CALL bench.measure('vrd, both and boxes', 'SELECT id, sentence, head, tail, relation, image_vector, head_box, tail_box FROM vrd_train',
                   'SELECT id, sentence, head, tail, relation, image_vector, head_box, tail_box FROM vrd_val', :'options');
-- Boxes go with a picture: here with one that says nothing.  Validation keeps pictures together,
-- and this is one for all, so its rows are given: a tenth of the pictures.
CREATE VIEW vrd_box AS
SELECT *, array_fill(0::real, ARRAY[cardinality(image_vector)]) AS no_picture,
       CASE WHEN hashtextextended(picture, 2) % 10 = 0 THEN 'validation' ELSE 'train' END AS split FROM vrd;
CALL bench.measure('vrd, text and boxes', $$SELECT id, sentence, head, tail, relation, no_picture AS image_vector, head_box, tail_box, split FROM vrd_box WHERE part = 'train'$$,
                   $$SELECT id, sentence, head, tail, relation, no_picture AS image_vector, head_box, tail_box FROM vrd_box WHERE part = 'val'$$, :'options');
CALL bench.measure('vrd, boxes', $$SELECT id, 'this and that' AS sentence, 'this' AS head, 'that' AS tail, relation, no_picture AS image_vector, head_box, tail_box, split FROM vrd_box WHERE part = 'train'$$,
                   $$SELECT id, 'this and that' AS sentence, 'this' AS head, 'that' AS tail, relation, no_picture AS image_vector, head_box, tail_box FROM vrd_box WHERE part = 'val'$$, :'options');
UPDATE bench.answer AS a SET actual = v.relation, accepted = v.accepted FROM vrd AS v WHERE a.id = v.id AND a.name LIKE 'vrd, %';
