-- A verdict belongs to the evidence that was judged: aliases, relations and their removal move evidence, never a review.
SET client_min_messages = warning;
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/tiny.sql
\i :srcdir/include/graph.sql
CREATE TABLE docs (key int PRIMARY KEY, document text);
INSERT INTO docs VALUES (1, 'The wheel is a part of the house.'), (2, 'The wheel is a part of the car.');
SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{world}', relation_schema => 'toy_relations');
CALL mren.refresh_graph('kg');
CREATE VIEW state AS
    SELECT h.name AS head, f.relation, t.name AS tail, f.status, f.verdict, (SELECT string_agg(r.sentence || ' ' || r.relation, '; ' ORDER BY r.sentence) FROM kg.training_rows r) AS training_rows
    FROM kg.all_facts f JOIN kg.entities h ON h.entity = f.head JOIN kg.entities t ON t.entity = f.tail ORDER BY t.name, h.name;
INSERT INTO kg.review (fact, verdict, note) SELECT fact, 'rejected', 'a house has no wheels' FROM kg.facts WHERE tail = 'house';
SELECT mren.merge_graph('kg') - 'documents';
CREATE TABLE before AS SELECT * FROM state;
SELECT * FROM state;

-- An alias made by mistake, in either direction: the verdict does not reach the evidence that nobody judged.
INSERT INTO kg.aliases (alias, entity) VALUES ('house', 'car');
SELECT mren.merge_graph('kg') - 'documents';
SELECT * FROM state;
SELECT head, tail FROM kg.facts;
UPDATE kg.aliases SET alias = 'car', entity = 'house';
SELECT mren.merge_graph('kg') - 'documents';
SELECT * FROM state;
SELECT head, tail FROM kg.facts;
-- Taken back, everything is as it was.
DELETE FROM kg.aliases;
SELECT mren.merge_graph('kg') - 'documents';
SELECT * FROM state EXCEPT SELECT * FROM before;
SELECT count(*) FROM state;
SELECT head, tail FROM kg.facts;

-- So when the review is not merged yet, when one is given while the alias stands, and when both facts have one.
DELETE FROM kg.review;
INSERT INTO kg.review (fact, verdict) SELECT fact, 'rejected' FROM kg.all_facts WHERE fact IN (SELECT fact FROM kg.evidence WHERE tail = 'house');
INSERT INTO kg.aliases (alias, entity) VALUES ('house', 'car');
SELECT mren.merge_graph('kg') - 'documents';
DELETE FROM kg.aliases;
SELECT mren.merge_graph('kg') - 'documents';
SELECT * FROM state EXCEPT SELECT * FROM before;
DELETE FROM kg.review;
INSERT INTO kg.aliases (alias, entity) VALUES ('house', 'building');
SELECT mren.merge_graph('kg') - 'documents';
INSERT INTO kg.review (fact, verdict) SELECT fact, 'rejected' FROM kg.facts WHERE tail = 'building';
SELECT head, tail FROM kg.facts;
SELECT mren.merge_graph('kg') - 'documents';
DELETE FROM kg.aliases;
SELECT mren.merge_graph('kg') - 'documents';
SELECT * FROM state EXCEPT SELECT * FROM before;
INSERT INTO kg.review (fact, verdict) SELECT fact, 'confirmed' FROM kg.facts WHERE tail = 'car';
INSERT INTO kg.aliases (alias, entity) VALUES ('house', 'thing'), ('car', 'thing');
SELECT mren.merge_graph('kg') - 'documents';
SELECT * FROM state;
UPDATE kg.review SET verdict = 'rejected';
SELECT mren.merge_graph('kg') - 'documents';
SELECT * FROM state;
DELETE FROM kg.aliases;
DELETE FROM kg.review;
SELECT mren.merge_graph('kg') - 'documents';
SELECT * FROM state;

-- A fact whose entity is only called otherwise keeps its verdict; new evidence by the same names has it as well, and
-- evidence by another name has not.
INSERT INTO kg.review (fact, verdict) SELECT fact, 'rejected' FROM kg.facts WHERE tail = 'house';
INSERT INTO kg.aliases (alias, entity) VALUES ('house', 'Home');
INSERT INTO docs VALUES (3, 'Every wheel is a part of a house.');
CALL mren.refresh_graph('kg');
SELECT head, tail, status, verdict FROM state;
SELECT count(*) FROM kg.training_rows WHERE relation = 'none';
UPDATE docs SET document = 'The wheel is a part of the cloud.' WHERE key = 2;
INSERT INTO kg.aliases (alias, entity) VALUES ('cloud', 'Home');
CALL mren.refresh_graph('kg');
SELECT head, tail, status, verdict FROM state;

-- A review that goes is gone at once; the one before it counts again with the next merge.
DELETE FROM kg.aliases;
SELECT mren.merge_graph('kg') - 'documents';
INSERT INTO kg.review (fact, verdict) SELECT fact, 'confirmed' FROM kg.all_facts WHERE verdict = 'rejected';
SELECT mren.merge_graph('kg') - 'documents';
SELECT head, tail, status, verdict FROM state;
DELETE FROM kg.review WHERE verdict = 'confirmed';
SELECT head, tail, confirmed FROM kg.facts ORDER BY tail;
SELECT mren.merge_graph('kg') - 'documents';
SELECT head, tail, status, verdict FROM state;

-- A graph of the layout before statements: its verdicts are still those on its facts after an upgrade and a merge.
INSERT INTO kg.review (fact, verdict) SELECT fact, 'confirmed' FROM kg.facts WHERE tail = 'cloud';
SELECT mren.merge_graph('kg') - 'documents';
SELECT head, tail, status, verdict FROM state;
ALTER TABLE kg.evidence DROP COLUMN statement CASCADE;
UPDATE kg.evidence SET review = NULL;
UPDATE kg.all_facts SET review = NULL;
UPDATE kg.review SET judged = NULL;
UPDATE mren.graph SET layout = 1 WHERE name = 'kg';
SELECT mren.upgrade_graph('kg');
SELECT mren.merge_graph('kg') - 'documents';
SELECT head, tail, status, verdict FROM state;
SELECT mren.drop_graph('kg');
