-- Knowledge graphs: made, filled, brought up to date, edited, read, dropped.
SET client_min_messages = warning;
\getenv srcdir PG_ABS_SRCDIR
\getenv files MREN_TEST_FILES
\set encoder :files '/encoder.onnx'
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql
\i :srcdir/include/graph.sql

CREATE TABLE docs (key int PRIMARY KEY, document text, seen_at timestamptz);
INSERT INTO docs VALUES
    (1, 'The wheel is a part of the car. The dog is a kind of animal.', '2024-01-01'),
    (2, 'The wheel is a part of the car. A roof is a part of the house.', '2024-02-01'),
    (3, 'An oak is a kind of tree. The chair is far from the house.', NULL),
    (4, NULL, NULL), (5, '', '2024-01-01');

-- What cannot be a graph.
SELECT error_of($$SELECT mren.create_graph(NULL, 'docs', 'parts', lexicons => '{world}')$$);
SELECT error_of($$SELECT mren.create_graph('', 'docs', 'parts', lexicons => '{world}')$$);
SELECT error_of($$SELECT mren.create_graph('kg', 'docs', 'parts')$$);
SELECT error_of($$SELECT mren.create_graph('kg', 'docs', 'nobody', lexicons => '{world}')$$);
SELECT error_of($$SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{nothing}')$$);
SELECT error_of($$SELECT mren.create_graph('kg', 'nowhere', 'parts', lexicons => '{world}')$$);
SELECT error_of($$SELECT mren.create_graph('kg', 'SELECT key FROM docs', 'parts', lexicons => '{world}')$$);
SELECT error_of($$SELECT mren.create_graph('kg', 'SELECT 1 AS key, 2 AS document', 'parts', lexicons => '{world}')$$);
SELECT error_of($$SELECT mren.create_graph('kg', 'SELECT 1 AS key, ''a'' AS document, 2 AS image', 'parts', lexicons => '{world}')$$);
SELECT error_of($$SELECT mren.create_graph('kg', 'DELETE FROM docs RETURNING key, document', 'parts', lexicons => '{world}')$$);
SELECT error_of($$SELECT mren.create_graph('kg', 'WITH d AS (DELETE FROM docs RETURNING key, document) SELECT * FROM d', 'parts', lexicons => '{world}', in_schema => 'writer')$$);
SELECT error_of($$SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{world}', options => '{"treshold": 1}')$$);
SELECT error_of($$SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{world}', options => '{"threshold": 2}')$$);
SELECT error_of($$SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{world}', options => '{"batch_size": 1.5}')$$);
SELECT error_of($$SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{world}', options => '{"on_error": "hope"}')$$);
SELECT error_of($$SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{world}', options => '{"on_empty": true}')$$);
SELECT error_of($$SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{world}', options => '[]')$$);
SELECT error_of($$SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{world}', relation_schema => 'docs')$$);
-- A relation schema with what is no boolean, and without a name; words for booleans are as good as booleans.
CREATE TABLE wrong (relation text, "symmetric" text, functional text);
INSERT INTO wrong VALUES ('part_of', 'no', 'sometimes');
SELECT error_of($$SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{world}', relation_schema => 'wrong')$$);
SELECT error_of($$SELECT mren.extract('parts', 'x', lexicons => '{world}', relation_schema => 'wrong')$$);
UPDATE wrong SET functional = '1', relation = '';
SELECT error_of($$SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{world}', relation_schema => 'wrong')$$);
UPDATE wrong SET relation = 'part_of';
INSERT INTO wrong TABLE wrong;
BEGIN;
SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{world}', relation_schema => 'wrong');
TABLE kg.relations;
ROLLBACK;
DROP TABLE wrong;
SELECT error_of($$SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{world}', in_schema => 'mren')$$);
SELECT error_of($$SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{world}', in_schema => 'pg_kg')$$);
CREATE TABLE evidence ();
SELECT error_of($$SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{world}', in_schema => 'public')$$);
DROP TABLE evidence;
SELECT error_of($$CALL mren.refresh_graph('kg')$$);
SELECT count(*) FROM pg_namespace WHERE nspname IN ('kg', 'writer');

-- Built.
SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{world}', relation_schema => 'toy_relations');
SELECT error_of($$SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{world}', in_schema => 'other')$$);
SELECT graph, schema, source, model, lexicons, options, layout FROM mren.graphs;
CALL mren.refresh_graph('kg');
SELECT head, head_type, relation, tail, tail_type, sources, sentences, evidence, first_seen, last_seen,
       confidence BETWEEN 0.5 AND 1 AS sure, confirmed
FROM kg.facts ORDER BY head;
SELECT name, type, names, mentions, documents FROM kg.entities ORDER BY name;
SELECT document, state, seen_at, model_version FROM kg.documents ORDER BY document;
SELECT document, n, head, relation, tail, head_span, tail_span, sentence_span, model_version FROM kg.evidence ORDER BY document, n;
-- A sentence that two documents have is one vote.
SELECT f.confidence = (SELECT max(e.confidence) FROM kg.evidence e WHERE e.fact = f.fact) AS one_vote FROM kg.facts f WHERE head = 'wheel';

-- Nothing to do; then new, changed, deleted, and seen at another time.
CALL mren.refresh_graph('kg');
INSERT INTO docs VALUES (6, 'Every wheel is a part of a car.', '2024-03-01');
UPDATE docs SET document = 'A roof is a part of the car.' WHERE key = 2;
DELETE FROM docs WHERE key = 3;
UPDATE docs SET seen_at = '2023-01-01' WHERE key = 1;
CALL mren.refresh_graph('kg');
SELECT head, relation, tail, sources, sentences, first_seen, last_seen FROM kg.facts ORDER BY head, tail;
-- Two votes: 1 - (1 - p) (1 - q).
SELECT abs(f.confidence - (1 - v.product)) < 1e-15 AS noisy_or
FROM kg.facts f, LATERAL (SELECT exp(sum(ln(1 - e.confidence))) AS product FROM kg.evidence e WHERE e.fact = f.fact) v WHERE head = 'wheel';
SELECT name FROM kg.entities ORDER BY name;

-- In a transaction block, all of it or nothing.
BEGIN;
DELETE FROM docs;
-- (A source that is empty all at once is refused, unless that is allowed.)
SELECT error_of($$CALL mren.refresh_graph('kg')$$);
SET LOCAL mren.allow_empty_source = on;
CALL mren.refresh_graph('kg');
SELECT count(*) FROM kg.all_facts;
ROLLBACK;
SELECT count(*) FROM kg.all_facts;

-- Another lexicon, another version: what they scored is scored again.
SELECT mren.load_lexicon('world', $$
    SELECT phrase, type FROM (VALUES
        ('wheel', 'part'), ('roof', 'part'), ('chair', 'part'), ('car', 'whole'), ('house', 'whole'),
        ('dog', 'species'), ('oak', 'species'), ('animal', 'kind'), ('tree', 'kind')) AS t (phrase, type)$$);
CALL mren.refresh_graph('kg');
CALL mren.train('parts', 'SELECT * FROM pairs', '{"negative": "none", "validation_share": 0, "epochs": 41, "hidden": [8], "deploy": true}');
CALL mren.refresh_graph('kg');
SELECT DISTINCT model_version FROM kg.evidence;

-- Aliases: followed, in circles too; the edit scores nothing anew.
INSERT INTO docs VALUES (7, 'The dog is a kind of tree.', NULL);
INSERT INTO kg.aliases (alias, entity) VALUES ('  WHEEL ', 'Roof'), ('roof', 'The Roof'), ('oak', 'dog'), ('Dog', 'OAK');
CALL mren.refresh_graph('kg');
SELECT name, type, canonical, names, normalized FROM kg.entities ORDER BY canonical;
SELECT head, relation, tail, sources FROM kg.facts ORDER BY head, tail;
DELETE FROM kg.aliases WHERE alias <> 'roof';
-- An alias of one type only, into another.
INSERT INTO kg.aliases (alias, type, entity, entity_type) VALUES ('tree', 'kind', 'animal', NULL), ('car', 'ship', 'boat', NULL), ('animal', 'kind', 'Being', 'thing');
SELECT mren.merge_graph('kg') - 'documents';
SELECT name, type FROM kg.entities ORDER BY name;
SELECT head, relation, tail, tail_type, sources FROM kg.facts ORDER BY head, tail;
DELETE FROM kg.aliases;

-- Inverse and symmetric relations are stored once.  All tables can be changed where they are published.
SET client_min_messages = error;    -- wal_level
CREATE PUBLICATION everything FOR ALL TABLES;
SET client_min_messages = warning;
UPDATE kg.relations SET inverse_of = 'has_part' WHERE relation = 'part_of';
SELECT mren.merge_graph('kg') - 'documents';
SELECT head, relation, tail FROM kg.facts ORDER BY head, relation, tail;
UPDATE kg.relations SET inverse_of = NULL, "symmetric" = relation = 'kind_of';
CALL mren.refresh_graph('kg');
SELECT head, relation, tail FROM kg.facts ORDER BY head, relation, tail;
INSERT INTO kg.relations (relation, inverse_of) VALUES ('a', 'b'), ('b', 'c');
SELECT error_of($$CALL mren.refresh_graph('kg')$$);
DELETE FROM kg.relations WHERE relation IN ('a', 'b');
DROP PUBLICATION everything;

-- A functional relation: the better one stays, the other says why it does not.
UPDATE kg.relations SET functional = relation = 'kind_of', "symmetric" = false;
CALL mren.refresh_graph('kg');
SELECT head, relation, superseded_by_head, reason IN ('the other has a higher confidence', 'equal; the order of facts decides') AS reason FROM kg.conflicts;
SELECT count(*) FROM kg.facts WHERE relation = 'kind_of';
-- A review turns it round; one who is confirmed is certain.
INSERT INTO kg.review (fact, verdict) SELECT fact, 'confirmed' FROM kg.conflicts;
INSERT INTO kg.review (fact, verdict, note) SELECT fact, 'rejected', 'no' FROM kg.facts WHERE head = 'roof';
SELECT count(*) FROM kg.facts WHERE head = 'roof';
SELECT mren.merge_graph('kg') - 'documents';
SELECT reason FROM kg.conflicts;
SELECT head, relation, confidence = 1 AS certain, confirmed FROM kg.facts ORDER BY head, tail;
-- (Which of the two lost depends on the model.)
SELECT regexp_replace(sentence, 'animal|tree', '…') AS sentence, head, lower(tail) AS tail, upper(tail) - lower(tail) IN (3, 4, 6) AS whole, relation, head_type, tail_type FROM kg.training_rows ORDER BY 1;
CALL mren.train('reviewed', 'SELECT sentence, head, tail, relation FROM kg.training_rows UNION ALL
    SELECT sentence, int4range(strpos(sentence, head) - 1, strpos(sentence, head) - 1 + length(head)), int4range(strpos(sentence, tail) - 1, strpos(sentence, tail) - 1 + length(tail)), relation FROM pairs',
    '{"negative": "none", "validation_share": 0, "epochs": 2}');
-- The last verdict counts, and a review follows its fact through an alias.
INSERT INTO kg.review (fact, verdict, relation) SELECT fact, 'rejected', 'part_of' FROM kg.facts WHERE confirmed;
INSERT INTO kg.aliases (alias, entity) VALUES ('roof', 'Top');
SELECT mren.merge_graph('kg') - 'documents';
SELECT regexp_replace(sentence, 'animal|tree', '…') AS sentence, relation FROM kg.training_rows ORDER BY 1;
SELECT h.name AS head, f.relation, f.status, f.verdict FROM kg.all_facts f JOIN kg.entities h ON h.entity = f.head WHERE f.verdict IS NOT NULL ORDER BY 1;
DELETE FROM kg.review;
DELETE FROM kg.aliases;

-- How things are connected.
INSERT INTO docs VALUES (8, 'The roof is a part of the house. The chair is a part of the house.', NULL);
CALL mren.refresh_graph('kg');
INSERT INTO kg.aliases (alias, entity) VALUES ('the seat', 'chair');
SELECT hops, path, entities, relations, cardinality(facts) AS facts, confidence BETWEEN 0 AND 1 AS c FROM mren.paths('kg', 'WHEEL', 'The  Seat', 4);
SELECT count(*) FROM mren.paths('kg', 'wheel', 'chair');
SELECT count(*) FROM mren.paths('kg', 'wheel', 'chair', 4, 1);
SELECT hops, path FROM mren.paths('kg', 'car', 'roof', 1);
SELECT count(*) FROM mren.paths('kg', 'wheel', 'nobody');
SELECT count(*) FROM mren.paths('kg', 'wheel', 'wheel');
SELECT count(*) FROM mren.paths('kg', NULL, 'wheel');
SELECT error_of($$SELECT mren.paths('kg', 'wheel', 'car', 9)$$);
SELECT error_of($$SELECT mren.paths('kg', 'wheel', 'car', 3, 0)$$);
SELECT error_of($$SELECT mren.paths('nothing', 'wheel', 'car')$$);

-- Pictures are nothing to a model that was trained without.
ALTER TABLE docs ADD image_vector real[];
UPDATE docs SET image_vector = '{1,0}' WHERE key IN (1, 6);
SET client_min_messages = notice;
CALL mren.refresh_graph('kg');
CALL mren.refresh_graph('kg');
SET client_min_messages = warning;
SELECT document FROM kg.documents WHERE state = 'failed';

-- A document that cannot be scored does not stop the others, and is tried again when it changes.
SELECT mren.load_image_encoder('tiny', :'encoder') > 0 AS loaded;
CALL mren.train('parts', 'SELECT *, ARRAY[id % 2, 1]::real[] AS image_vector FROM pairs',
    '{"negative": "none", "validation_share": 0, "epochs": 40, "hidden": [8], "image_encoder": "tiny", "deploy": true}');
ALTER TABLE docs ADD image bytea;
UPDATE docs SET image = '\xdeadbeef', image_vector = NULL WHERE key IN (1, 6);
CALL mren.refresh_graph('kg');
SELECT document, error FROM kg.documents WHERE state = 'failed' ORDER BY document;
SELECT DISTINCT document FROM kg.evidence ORDER BY document;
UPDATE docs SET image = NULL WHERE key = 1;
CALL mren.refresh_graph('kg');
SELECT status, sqlstate, summary - 'documents' FROM mren.graph_runs ORDER BY run DESC LIMIT 2;

-- Mending, forgetting.
DROP VIEW kg.conflicts;
DROP INDEX kg.evidence_fact;
SELECT mren.upgrade_graph('kg');
SELECT count(*) FROM kg.conflicts;
SELECT mren.drop_graph('kg');
SELECT error_of($$SELECT mren.drop_graph('kg')$$);
SELECT count(*) > 0 AS stays FROM kg.facts;
DROP SCHEMA kg CASCADE;
SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{world}');
SELECT relation, head_type, tail_type FROM kg.relations ORDER BY relation;
SELECT mren.drop_graph('kg', drop_tables => true);
SELECT count(*) FROM pg_namespace WHERE nspname = 'kg';
