-- From documents to triples: mentions, pairs, relations; by lexicons.
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql
\set VERBOSITY default

SELECT mren.load_lexicon('things', ARRAY['wheel', 'car', 'roof', 'house', 'cloud', 'chair', 'spoon', 'river'], 'thing');
SELECT mren.load_lexicon('living', ARRAY['dog', 'animal', 'oak', 'tree', 'oak tree', '树', '大树'], 'life');
SELECT mren.load_lexicon('places', $$SELECT * FROM (VALUES ('New York', 'LOC', 0.75), ('York', 'LOC', 0.5), ('Yahoo! Inc', 'ORG', 1),
    ('Washington', 'PER', 0.25), ('Washington', 'LOC', 0.5)) v (phrase, type, confidence)$$);

-- Mentions: whole words, any case, the longest, the likeliest type; spans are characters.
SELECT * FROM mren.entities('NEW  YORK, not York; Washington''s Yorkers. Yahoo! Inc. slept.', ARRAY['places']);
SELECT mention, span, substr(d, lower(span) + 1, upper(span) - lower(span)) = mention AS same
FROM (VALUES ('É大树 oak-tree and Oak tree')) v (d), mren.entities(d, ARRAY['living']);
SELECT count(*) FROM mren.entities('', ARRAY['places']);
SELECT count(*) FROM mren.entities('nothing', ARRAY['places']);
SELECT count(*) FROM mren.entities(NULL, ARRAY['places']);

-- Several lexicons: the longest wins, then the first that is named.
SELECT mren.load_lexicon('other', ARRAY['York', 'oak', 'the oak'], 'other');
SELECT mention, type, source FROM mren.entities('New York, York, the oak tree, the oak', ARRAY['places', 'living', 'other']);
SELECT mention, type, source FROM mren.entities('New York, York, the oak tree, the oak', ARRAY['other', 'living', 'places']);

-- Pairs: every mention with every other of its sentence, in both orders.
SELECT sentence, head, head_type, head_span, tail, tail_type, tail_span, sentence_span
FROM mren.candidates('Dr. Oak has a dog. A roof, a house and a car.', ARRAY['things', 'living']);
SELECT d, sentence_span, substr(d, lower(sentence_span) + 1, upper(sentence_span) - lower(sentence_span)) = sentence AS sentence,
    substr(sentence, lower(head_span) + 1, upper(head_span) - lower(head_span)) = head AS head,
    substr(sentence, lower(tail_span) + 1, upper(tail_span) - lower(tail_span)) = tail AS tail
FROM (VALUES ('大树。狗 é DOG: 大树 dog!')) v (d), mren.candidates(d, ARRAY['things', 'living']);

-- A sentence does not end inside a mention, nor at a line break; a blank line ends it.
SELECT DISTINCT sentence, sentence_span FROM mren.candidates('In Washington Yahoo! Inc slept.', ARRAY['places']);
SELECT DISTINCT sentence FROM mren.candidates(E'A dog\nand a tree', ARRAY['living']);
SELECT count(*) FROM mren.candidates(E'A dog\n\nand a tree', ARRAY['living']);

-- A distance: pairs of different sentences, with the text between them.
SELECT count(*) FROM mren.candidates('A dog. A tree. An oak.', ARRAY['living']);
SELECT sentence, head, tail, head_span, tail_span FROM mren.candidates('A dog. A tree. An oak.', ARRAY['living'], max_distance => 4)
WHERE lower(head_span) < lower(tail_span);
SELECT count(*) FROM mren.candidates('A dog. A tree. An oak.', ARRAY['living'], max_distance => 3);
SELECT count(*) FROM mren.candidates('A dog. A tree. An oak.', ARRAY['living'], max_distance => 1000);
-- The distance holds within a sentence, too.
SELECT count(*) FROM mren.candidates('A dog is a kind of animal.', ARRAY['living'], max_distance => 14);
SELECT count(*) FROM mren.candidates('A dog is a kind of animal.', ARRAY['living'], max_distance => 13);
-- Of the pairs of a list the nearest are kept: of six mentions, five pairs of neighbours.
SELECT max(abs(lower(head_span) - lower(tail_span))), count(*) FROM mren.candidates(repeat('dog, oak, ', 3), ARRAY['living']);
SET mren.max_pairs_sentence = 5;
SELECT max(abs(lower(head_span) - lower(tail_span))), count(*) FROM mren.candidates(repeat('dog, oak, ', 3), ARRAY['living']);
-- The bound is that of a sentence, not of a document, which has another one.
SELECT sentence, count(*) FROM mren.candidates('dog, oak, dog, oak, dog, oak. A dog and an oak.', ARRAY['living']) GROUP BY sentence ORDER BY sentence;
SET mren.max_pairs_document = 3;
SELECT sentence, count(*) FROM mren.candidates('dog, oak, dog, oak, dog, oak. A dog and an oak.', ARRAY['living']) GROUP BY sentence ORDER BY sentence;
-- A NOTICE tells it once a statement, extract as candidates.
SELECT count(*) FROM unnest(ARRAY[repeat('dog, oak, ', 3), repeat('oak, dog, ', 9)]) d, mren.candidates(d, ARRAY['living']);
RESET mren.max_pairs_sentence;
RESET mren.max_pairs_document;
SET mren.max_pairs_sentence = 0;

-- A table of relations says which pairs there are.
CREATE TABLE relations (relation text, head_type text, tail_type text, "symmetric" boolean);
INSERT INTO relations VALUES ('part_of', 'thing', 'thing', false);
SELECT head, tail FROM mren.candidates('The oak, the wheel, the car.', ARRAY['things', 'living'], relation_schema => 'relations');
UPDATE relations SET "symmetric" = true;
SELECT head, tail FROM mren.candidates('The oak, the wheel, the car.', ARRAY['things', 'living'], relation_schema => 'relations');
UPDATE relations SET head_type = 'life', "symmetric" = NULL;
SELECT head, tail FROM mren.candidates('The wheel, the oak, the car.', ARRAY['things', 'living'], relation_schema => 'relations');
UPDATE relations SET "symmetric" = true;
SELECT head, tail FROM mren.candidates('The wheel, the oak, the car.', ARRAY['things', 'living'], relation_schema => 'relations');
UPDATE relations SET head_type = NULL, "symmetric" = false;
SELECT head, tail FROM mren.candidates('The wheel, the oak, the car.', ARRAY['things', 'living'], relation_schema => 'relations');
TRUNCATE relations;
SELECT count(*) FROM mren.candidates('The wheel, the oak, the car.', ARRAY['things', 'living'], relation_schema => 'relations');
-- Only the relation is needed; a view will do.
CREATE VIEW only_relation AS SELECT 'part_of'::varchar AS relation, 1 AS other;
SELECT count(*) FROM mren.candidates('The wheel, the oak, the car.', ARRAY['things', 'living'], relation_schema => 'only_relation');
-- It is read once for a statement, and again for the next.
PREPARE pairs_of AS SELECT count(*) FROM mren.candidates('The wheel, the car.', ARRAY['things'], relation_schema => 'relations');
EXECUTE pairs_of;
INSERT INTO relations VALUES ('part_of', 'thing', 'thing', false), ('kind_of', 'life', NULL, false);
EXECUTE pairs_of;

-- Relations: what the model answers for the same sentence, spans and types.
SELECT mren.save_model('m', mren.train_agg(sentence, head, tail, relation, NULL::bytea,
    '{"embeddings": "tiny", "hidden": [8], "epochs": 100, "negative": "none"}')) FROM pairs;
CREATE TABLE documents (id int, document text);
INSERT INTO documents VALUES
    (1, 'The wheel is a part of the car. A dog is a kind of animal.'),
    (2, 'The spoon is far from the river.'), (3, NULL), (4, 'No such thing.'),
    (5, 'The roof is a part of the house. The oak is a kind of tree.');
SELECT id, head, head_type, relation, tail, tail_type, confidence > 0.5 AS sure, sentence, head_span, tail_span
FROM documents, mren.extract('m', document, lexicons => ARRAY['things', 'living'], relation_schema => 'relations')
WHERE lower(head_span) < lower(tail_span) ORDER BY id, head;
CREATE VIEW by_pairs AS
SELECT id, c.head, c.head_type, p.relation, c.tail, c.tail_type, p.confidence, c.sentence, c.head_span, c.tail_span
FROM documents, mren.candidates(document, ARRAY['things', 'living']) c,
    mren.classify('m', c.sentence, c.head_span, c.tail_span, head_type => c.head_type, tail_type => c.tail_type) p
WHERE p.relation <> 'none';
SELECT count(*) > 4 AS some FROM by_pairs;
SELECT count(*) AS different FROM (
    (SELECT id, e.* FROM documents, mren.extract('m', document, lexicons => ARRAY['things', 'living']) e EXCEPT ALL TABLE by_pairs)
    UNION ALL
    (TABLE by_pairs EXCEPT ALL SELECT id, e.* FROM documents, mren.extract('m', document, lexicons => ARRAY['things', 'living']) e)) d;
-- A batch is 64 pairs: this has 72 of one sentence, with the same bits.
SELECT count(*) AS different FROM (
    SELECT e.head, e.tail, e.relation, e.confidence, e.head_span, e.tail_span
    FROM mren.extract('m', 'The wheel, car, roof, house, cloud, chair, spoon, river, dog are far from.', lexicons => ARRAY['things', 'living']) e
    EXCEPT ALL
    SELECT c.head, c.tail, p.relation, p.confidence, c.head_span, c.tail_span
    FROM mren.candidates('The wheel, car, roof, house, cloud, chair, spoon, river, dog are far from.', ARRAY['things', 'living']) c,
        mren.classify('m', c.sentence, c.head_span, c.tail_span, head_type => c.head_type, tail_type => c.tail_type) p) d;

-- In parallel workers, which read the table of relations themselves.
CREATE TABLE found AS
SELECT id, e.* FROM documents, mren.extract('m', document, lexicons => ARRAY['things', 'living'], relation_schema => 'relations') e;
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
ALTER TABLE documents SET (parallel_workers = 2);
EXPLAIN (COSTS OFF)
SELECT id, e.* FROM documents, mren.extract('m', document, lexicons => ARRAY['things', 'living'], relation_schema => 'relations') e;
SELECT count(*) AS different FROM (
    SELECT id, e.* FROM documents, mren.extract('m', document, lexicons => ARRAY['things', 'living'], relation_schema => 'relations') e
    EXCEPT ALL TABLE found) d;
-- A temporary table is read by the session alone.
CREATE TEMPORARY TABLE own_relations AS TABLE relations;
SET parallel_leader_participation = off;
SELECT count(*) FROM documents, mren.candidates(document, ARRAY['things'], relation_schema => 'own_relations');
SET max_parallel_workers_per_gather = 0;
SELECT count(*) FROM documents, mren.candidates(document, ARRAY['things'], relation_schema => 'own_relations');
RESET max_parallel_workers_per_gather;
RESET parallel_leader_participation;
RESET min_parallel_table_scan_size;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;

-- The schema decides where the model would not; a threshold leaves out what is unsure.
SELECT mren.save_model('always', mren.train_agg(sentence, head, tail, relation, NULL::bytea,
    '{"embeddings": "tiny", "hidden": [8], "epochs": 100}')) FROM pairs;
SELECT head, relation, tail FROM mren.extract('always', 'A dog is a part of the house.', lexicons => ARRAY['living', 'things']) WHERE head = 'dog';
SELECT head, relation, tail, confidence < 0.5 AS unlikely FROM mren.extract('always', 'A dog is a part of the house.', lexicons => ARRAY['living', 'things'],
    relation_schema => 'relations');
SELECT count(*) FROM mren.extract('m', 'The wheel is a part of the car.', lexicons => ARRAY['things'], threshold => 1);
SELECT count(*) FROM mren.extract('m', 'The wheel is a part of the car.', lexicons => ARRAY['things'], threshold => 0);

-- Evidence: where it comes from; without a picture there is nothing that it says.
SELECT head, relation, tail, sentence_span, model_version, text_relation, text_confidence, image_relation, image_confidence
FROM mren.extract_evidence('m', 'Two. The wheel is a part of the car.', lexicons => ARRAY['things'], relation_schema => 'relations')
WHERE lower(head_span) < lower(tail_span);
SELECT count(*) AS different FROM (
    (SELECT id, e.* FROM documents, mren.extract('m', document, lexicons => ARRAY['things', 'living']) e)
    EXCEPT ALL
    (SELECT id, head, head_type, relation, tail, tail_type, confidence, sentence, head_span, tail_span
     FROM documents, mren.extract_evidence('m', document, lexicons => ARRAY['things', 'living']))) d;

-- Labels with a direction: asked once a pair, and the label says which is the head.
SELECT mren.save_model('directed', mren.train_agg(sentence, head, tail, label, NULL::bytea,
    '{"embeddings": "tiny", "hidden": [8], "epochs": 100, "negative": "Other"}'))
FROM (SELECT sentence, head, tail, CASE relation WHEN 'none' THEN 'Other' ELSE 'Part(e1,e2)' END AS label FROM pairs WHERE relation <> 'kind_of'
      UNION ALL SELECT format('%s has the %s', h, t), h, t, 'Part(e2,e1)'
      FROM unnest('{car,house,animal,tree,cloud,spoon}'::text[]) h, unnest('{wheel,roof,dog,oak,river,chair}'::text[]) t) p;
SELECT head, relation, tail, head_span, tail_span FROM mren.extract('directed', 'The wheel is a part of the car. A house has the roof.', lexicons => ARRAY['things']);
SELECT head, relation, tail, text_relation FROM mren.extract_evidence('directed', 'A house has the roof.', lexicons => ARRAY['things']);
TRUNCATE relations;
INSERT INTO relations VALUES ('Part', 'thing', 'thing', false);
SELECT head, relation, tail FROM mren.extract('directed', 'A house has the roof. A tree has the dog.', lexicons => ARRAY['things', 'living'], relation_schema => 'relations');

-- A picture: both, and each alone.
\getenv files MREN_TEST_FILES
\set red :files '/red.png'
\set blue :files '/blue.png'
\set encoder :files '/encoder.onnx'
SELECT mren.load_image_encoder('tiny', :'encoder') > 0 AS loaded;
CREATE TABLE seen AS SELECT sentence, head, tail, CASE WHEN relation = 'none' THEN 'none' ELSE relation END AS relation,
    CASE WHEN id % 2 = 0 THEN pg_read_binary_file(:'red') ELSE pg_read_binary_file(:'blue') END AS image FROM pairs;
SELECT mren.save_model('pictures', mren.train_agg(sentence, head, tail, relation, image,
    '{"embeddings": "tiny", "image_encoder": "tiny", "hidden": [8], "epochs": 30, "negative": "none"}')) FROM seen;
CREATE VIEW pictured AS
SELECT e.*, b.relation AS both_relation, b.confidence AS both_confidence, t.relation AS only_text, t.confidence AS only_confidence
FROM pg_read_binary_file(:'red') AS image,
    mren.extract_evidence('pictures', 'The wheel is a part of the car. The roof is a part of the house.', image, lexicons => ARRAY['things']) e,
    mren.classify('pictures', e.sentence, e.head_span, e.tail_span, image, head_type => e.head_type, tail_type => e.tail_type) b,
    mren.classify('pictures', e.sentence, e.head_span, e.tail_span, head_type => e.head_type, tail_type => e.tail_type) t;
SELECT count(*) > 0 AS some, bool_and(relation = both_relation AND confidence = both_confidence) AS both,
    bool_and(text_relation = only_text AND text_confidence = only_confidence) AS text,
    count(DISTINCT image_confidence) AS image_alone, bool_and(image_relation IS NOT NULL) AS said FROM pictured;
-- The same from a vector that was kept.
SELECT count(*) AS different FROM (
    SELECT * FROM mren.extract_evidence('pictures', 'The wheel is a part of the car.', pg_read_binary_file(:'red'), lexicons => ARRAY['things'])
    EXCEPT ALL
    SELECT * FROM mren.extract_evidence('pictures', 'The wheel is a part of the car.', lexicons => ARRAY['things'],
        image_vector => mren.image_features('tiny', pg_read_binary_file(:'red')))) d;

-- A name is not related to another mention of the same name and type, however it is written.
SELECT mren.load_lexicon('names', $$
    SELECT phrase, type FROM (VALUES ('Jean-Luc', 'PER'), ('北京AI', 'ORG'), (U&'\0130zmir', 'LOC')) AS t (phrase, type)$$) AS phrases;
SELECT head, tail, tail_type FROM mren.candidates(U&'Jean\2011Luc met JEAN\2010LUC in \0130ZM\0130R.', ARRAY['names']);
SELECT count(*) FROM mren.candidates('北京 AI 与 北京AI', ARRAY['names']);
SELECT count(DISTINCT mren.normalize_name(mention)) AS names, count(*) AS mentions
FROM mren.entities(U&'Jean\2011Luc, Jean-Luc, JEAN\2010LUC; \5317\4EAC AI, \5317\4EACAI; \0130zmir, \0130ZM\0130R', ARRAY['names']);
SELECT count(*) FROM mren.extract('m', 'The wheel is a part of the WHEEL.', lexicons => ARRAY['things'], threshold => 0);

-- Bad arguments.
SELECT error_of($$SELECT mren.entities('x')$$);
SELECT error_of($$SELECT mren.entities('x', '{}')$$);
SELECT error_of($$SELECT mren.entities('x', ARRAY['things', NULL])$$);
SELECT error_of($$SELECT mren.entities('x', ARRAY['nowhere'])$$);
SELECT error_of($$SELECT mren.candidates('x', ARRAY['things'], max_distance => -1)$$);
SELECT error_of($$SELECT mren.candidates('x', ARRAY['things'], relation_schema => 'documents')$$);
SELECT error_of($$SELECT mren.candidates('x', ARRAY['things'], relation_schema => 1)$$);
SELECT error_of($$SELECT mren.extract(NULL, 'x', lexicons => ARRAY['things'])$$);
SELECT error_of($$SELECT mren.extract('nothing', 'x', lexicons => ARRAY['things'])$$);
SELECT error_of($$SELECT mren.extract('m', 'x')$$);
SELECT error_of($$SELECT mren.extract('m', 'x', lexicons => ARRAY['things'], version => 7)$$);
SELECT error_of($$SELECT mren.extract('m', 'x', lexicons => ARRAY['things'], threshold => 1.5)$$);
SELECT error_of($$SELECT mren.extract('m', 'x', lexicons => ARRAY['things'], threshold => 'NaN')$$);
SELECT error_of($$SELECT mren.extract('m', 'The wheel is a part of the car.', 'x', lexicons => ARRAY['things'])$$);
SELECT error_of($$SELECT mren.extract('pictures', 'The wheel is a part of the car.', 'x', lexicons => ARRAY['things'])$$);
SELECT error_of($$SELECT mren.extract('pictures', 'The wheel is a part of the car.', 'x', lexicons => ARRAY['things'], image_vector => '{1}')$$);
SELECT error_of($$SELECT mren.extract('pictures', 'The wheel is a part of the car.', lexicons => ARRAY['things'], image_vector => '{1}')$$);

-- Rights: on the model, and on the schema's table.
SET client_min_messages = error;
DROP ROLE IF EXISTS mren_extracts;
RESET client_min_messages;
CREATE ROLE mren_extracts;
SET ROLE mren_extracts;
SELECT count(*) FROM mren.entities('A dog.', ARRAY['living']);
SELECT error_of($$SELECT mren.extract('m', 'A dog.', lexicons => ARRAY['living'])$$);
SELECT error_of($$SELECT mren.candidates('A dog.', ARRAY['living'], relation_schema => 'relations')$$);
RESET ROLE;
SELECT mren.grant_model('m', 'mren_extracts', 'predict');
GRANT SELECT ON relations TO mren_extracts;
SET ROLE mren_extracts;
SELECT count(*) FROM mren.extract('m', 'A dog.', lexicons => ARRAY['living'], relation_schema => 'relations');
RESET ROLE;
SELECT mren.revoke_model('m', 'mren_extracts', 'predict');
DROP OWNED BY mren_extracts;
DROP ROLE mren_extracts;

-- The language of a document, and of a graph.
SET client_min_messages = warning;
SELECT mren.load_lexicon('cities', ARRAY['Eva', 'Oslo'], 'X');
SELECT count(*) FROM mren.candidates('Eva war am 5. Spieltag in Oslo.', '{cities}');
SET mren.language = 'de';
SELECT count(*) FROM mren.candidates('Eva war am 5. Spieltag in Oslo.', '{cities}');
CREATE TABLE german AS SELECT 1 AS key, 'Eva war am 5. Spieltag in Oslo.' AS document;
SELECT mren.create_graph('german', 'german', 'm', lexicons => '{cities}');
SELECT mren.create_graph('english', 'german', 'm', lexicons => '{cities}', options => '{"language": "en"}');
SET mren.language = 'German';
RESET mren.language;
SELECT graph, options FROM mren.graphs ORDER BY graph;
SELECT mren.create_graph('none', 'german', 'm', lexicons => '{cities}', options => '{"language": "german"}');
SET mren.language = 'xx';
SELECT count(*) FROM mren.candidates('Eva war am 5. Spieltag in Oslo.', '{cities}');
RESET mren.language;
SELECT mren.drop_graph('german', true);
SELECT mren.drop_graph('english', true);
