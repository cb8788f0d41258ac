-- Part 2: relations between an image and a text.
--
-- A photograph shows an object, and a sentence defines a term.  The object is a kind of the
-- term, has the term as a part, or neither.  Rows form groups of four with exchanged terms,
-- so neither the image alone nor the sentence alone determines the answer.  The objects on
-- the test photographs do not occur on the training photographs.
--
-- Run by tools/demo/run in the directory of the prepared data.
\set ON_ERROR_STOP on
\pset footer off

\echo
\echo `date +%T` 'Loading the image network and the photographs'
\lo_import 'image-network.onnx'
SELECT mren.load_image_encoder('efficientnet', :LASTOID::oid, mean => '{127}', std => '{128}') AS dimension;
\lo_unlink :LASTOID

CREATE TABLE listed (file text PRIMARY KEY, object text NOT NULL, split text NOT NULL);
\copy listed FROM 'photographs.tsv'
CREATE TABLE photograph AS
SELECT file, object, split, pg_read_binary_file(:'stamps' || '/' || file) AS picture
FROM listed;
-- Images are stored out of line, so the planner takes the table for a small one.
ALTER TABLE photograph SET (parallel_workers = 2);
CREATE TABLE term (file text NOT NULL, term text NOT NULL, sentence text NOT NULL, relation text NOT NULL);
\copy term FROM 'terms.tsv'

SELECT split, count(DISTINCT file) AS photographs, count(DISTINCT object) AS objects, count(*) AS rows,
       count(*) FILTER (WHERE relation = 'kind_of') AS kind_of,
       count(*) FILTER (WHERE relation = 'has_part') AS has_part,
       count(*) FILTER (WHERE relation = 'none') AS none
FROM term JOIN photograph USING (file) GROUP BY split ORDER BY split DESC;

\echo `date +%T` 'Computing the feature vector of each photograph once, in parallel'
\timing on
CREATE TABLE photograph_vector AS
SELECT file, object, split, mren.image_features('efficientnet', picture) AS vector FROM photograph;
\timing off

-- The training rows, and two sets for comparison: without the image, and with a sentence
-- that carries no information.
CREATE VIEW both_sides AS
SELECT t.sentence, 'this object' AS head, t.term AS tail, t.relation, s.vector AS image_vector, s.split, s.file
FROM term t JOIN photograph_vector s USING (file);
CREATE VIEW text_only AS
SELECT sentence, head, tail, relation, split FROM both_sides;
CREATE VIEW image_only AS
SELECT 'Term : this object .' AS sentence, 'this object' AS head, 'Term' AS tail, relation, image_vector, split
FROM both_sides;
-- Each test row with the photograph of another test row.
CREATE VIEW shuffled AS
SELECT a.sentence, a.head, a.tail, a.relation, b.image_vector
FROM (SELECT *, row_number() OVER (ORDER BY md5(sentence || file)) AS n FROM both_sides WHERE split = 'test') a
JOIN (SELECT *, row_number() OVER (ORDER BY md5(file || sentence || 'other')) AS n FROM both_sides
      WHERE split = 'test') b USING (n);

\echo
\echo `date +%T` 'Training on text and images, on the text alone, and on the images alone'
-- A tenth of 185 objects is too few for early stopping, so the number of epochs is fixed.
\timing on
CALL mren.train('pictures',
    $$SELECT sentence, head, tail, relation, image_vector FROM both_sides WHERE split = 'train'$$,
    '{"embeddings": "words", "image_encoder": "efficientnet", "negative": "none", "epochs": 15,
      "validation_share": 0, "seed": 1}');
CALL mren.train('pictures_text',
    $$SELECT sentence, head, tail, relation FROM text_only WHERE split = 'train'$$,
    '{"embeddings": "words", "negative": "none", "epochs": 5,
      "validation_share": 0, "seed": 1}');
CALL mren.train('pictures_image',
    $$SELECT sentence, head, tail, relation, image_vector FROM image_only WHERE split = 'train'$$,
    '{"embeddings": "words", "image_encoder": "efficientnet", "negative": "none", "epochs": 5,
      "validation_share": 0, "seed": 1}');
\timing off

\echo
\echo `date +%T` 'Evaluating on photographs of objects that were not used for training'
\echo '(The model "pictures_text" warns that it was trained on these rows: without their images, the'
\echo 'sentences also occur in the training rows.)'
SELECT 'sentence and photograph' AS input, round(f1::numeric, 3) AS accuracy
FROM mren.evaluate('pictures', $$SELECT * FROM both_sides WHERE split = 'test'$$) WHERE relation = 'accuracy'
UNION ALL
SELECT 'sentence alone', round(f1::numeric, 3)
FROM mren.evaluate('pictures_text', $$SELECT * FROM text_only WHERE split = 'test'$$) WHERE relation = 'accuracy'
UNION ALL
SELECT 'photograph alone', round(f1::numeric, 3)
FROM mren.evaluate('pictures_image', $$SELECT * FROM image_only WHERE split = 'test'$$) WHERE relation = 'accuracy'
UNION ALL
SELECT 'sentence and photograph of another row', round(f1::numeric, 3)
FROM mren.evaluate('pictures', $$SELECT * FROM shuffled$$) WHERE relation = 'accuracy';

\echo `date +%T` 'Classifying three photographs, each with two terms, from their PNG files'
SELECT object AS photograph, term, r.relation, round(r.confidence::numeric, 2) AS confidence,
       in_wordnet
FROM (SELECT DISTINCT ON (md5(p.object), t.relation = 'none')
             p.object, p.picture, t.sentence, t.term, t.relation AS in_wordnet
      FROM photograph p JOIN term t USING (file)
      WHERE p.split = 'test'
      ORDER BY md5(p.object), t.relation = 'none', md5(t.sentence)
      LIMIT 6) drawn,
     mren.classify('pictures', sentence, 'this object', term, picture) r;
