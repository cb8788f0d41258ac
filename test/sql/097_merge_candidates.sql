-- Entities that may be one: proposed, accepted and refused by an UPDATE, undone by another; names that are passed over.
SET client_min_messages = warning;
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql
\i :srcdir/include/graph.sql
SELECT mren.load_lexicon('firms', $$
    SELECT phrase, type FROM (VALUES
        ('Bellwether Motors', 'firm'), ('Bellwether Motor', 'firm'), ('Belwether Motors', 'firm'), ('Northern Iron Company', 'firm'), ('NIC', 'firm'),
        ('Oak', 'firm'), ('Nobody', 'firm'), ('car', 'whole'), ('house', 'whole'), ('Bellwether Motors Works', 'whole')) AS t (phrase, type)$$);
CREATE TABLE docs (key int PRIMARY KEY, document text);
INSERT INTO docs VALUES
    (1, 'Bellwether Motors is a part of the car.'), (2, 'Bellwether Motors is a part of the house.'), (3, 'Belwether Motors is a part of the car.'),
    (4, 'Bellwether Motor is a part of the car.'), (5, 'Northern Iron Company is a part of the house.'), (6, 'NIC is a part of the house.'),
    (7, 'Oak is a part of the house.'), (8, 'Nobody is a part of the car.'), (9, 'Oak is a part of the Bellwether Motors Works.');
CREATE TABLE rules (relation text, head_type text, tail_type text);
INSERT INTO rules VALUES ('part_of', 'firm', 'whole');
SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{firms}', relation_schema => 'rules');
CALL mren.refresh_graph('kg');
SELECT count(*) FROM kg.facts;

-- Without pg_trgm there is nothing to compare with.
SELECT error_of($$SELECT mren.propose_merges('kg')$$);
CREATE SCHEMA contrib;
CREATE EXTENSION pg_trgm SCHEMA contrib;
SELECT mren.propose_merges('kg');
SELECT name, type, other_name, other_type, round(score::numeric, 2) AS score, reasons, verdict FROM kg.merge_candidates ORDER BY name, other_name;
CREATE EXTENSION fuzzystrmatch SCHEMA contrib;
SELECT mren.propose_merges('kg', 0.5) > 0 AS more;
SELECT other_name, reasons FROM kg.merge_candidates WHERE name = 'bellwether motors' AND type = other_type ORDER BY 1;
SELECT mren.propose_merges('kg', max_candidates => 1);
SELECT mren.propose_merges('kg', 1), mren.propose_merges('kg');

-- Accepted and refused, which later proposals leave as they are.
CREATE TABLE before AS SELECT * FROM kg.all_facts;
CREATE TABLE entities_before AS SELECT * FROM kg.entities;
CREATE VIEW difference AS SELECT
    (SELECT count(*) FROM ((TABLE kg.all_facts EXCEPT TABLE before) UNION ALL (TABLE before EXCEPT TABLE kg.all_facts)) x) AS facts,
    (SELECT count(*) FROM ((TABLE kg.entities EXCEPT TABLE entities_before) UNION ALL (TABLE entities_before EXCEPT TABLE kg.entities)) x) AS entities;
UPDATE kg.merge_candidates SET verdict = CASE WHEN type = other_type AND (other_name ~ 'motor|iron' OR name ~ 'motor|iron') THEN 'accepted' ELSE 'refused' END;
SELECT mren.merge_graph('kg') - 'documents';
SELECT name, type, names, mentions FROM kg.entities ORDER BY name, type;
SELECT head, tail, sources FROM kg.facts ORDER BY head, tail;
SELECT mren.propose_merges('kg', 0) > 0 AS open, (SELECT count(*) FROM kg.merge_candidates WHERE verdict IS NOT NULL) AS decided;
-- The same as a graph that is built with the verdicts there.
SELECT mren.create_graph('again', 'docs', 'parts', lexicons => '{firms}', relation_schema => 'rules');
INSERT INTO again.merge_candidates TABLE kg.merge_candidates;
CALL mren.refresh_graph('again');
SELECT count(*) FROM ((TABLE kg.all_facts EXCEPT TABLE again.all_facts) UNION ALL (TABLE again.all_facts EXCEPT TABLE kg.all_facts)) x;
SELECT count(*) FROM ((TABLE kg.entities EXCEPT TABLE again.entities) UNION ALL (TABLE again.entities EXCEPT TABLE kg.entities)) x;
-- An alias comes before a proposal; what is one with an alias's target is that target.
INSERT INTO kg.aliases (alias, entity) VALUES ('Bellwether Motors', 'Bellwether Inc.');
SELECT mren.merge_graph('kg') - 'documents';
SELECT name, names FROM kg.entities WHERE type = 'firm' ORDER BY name;
DELETE FROM kg.aliases;
UPDATE kg.merge_candidates SET verdict = NULL;
SELECT mren.merge_graph('kg') - 'documents';
TABLE difference;
SELECT error_of($$UPDATE kg.merge_candidates SET verdict = 'maybe'$$);

-- Names that are passed over, of a type and of any.
INSERT INTO kg.ignored (name, type) VALUES ('NOBODY', ''), ('Oak', 'whole');
SELECT mren.merge_graph('kg') - 'documents';
SELECT name FROM kg.entities WHERE type = 'firm' ORDER BY name;
SELECT head FROM kg.facts WHERE head IN ('Oak', 'Nobody');
UPDATE docs SET document = document || ' Nobody is a part of the house.' WHERE key = 8;
CALL mren.refresh_graph('kg');
SELECT count(*) FROM kg.facts WHERE head = 'Nobody';
UPDATE docs SET document = replace(document, ' Nobody is a part of the house.', '') WHERE key = 8;
CALL mren.refresh_graph('kg');
DELETE FROM kg.ignored;
SELECT mren.merge_graph('kg') - 'documents';
TABLE difference;
SELECT error_of($$SELECT mren.propose_merges('kg', 2)$$);
SELECT error_of($$SELECT mren.propose_merges('kg', max_candidates => 0)$$);

-- Words of a name that are abbreviated in the other.
SELECT mren.load_lexicon('people', $$SELECT phrase, 'firm' AS type FROM unnest('{Albert Einstein,A. Einstein,B. Einstein,Alma Einstein,Albert A. Einstein}'::text[]) AS phrase
    UNION ALL VALUES ('car', 'whole')$$);
CREATE TABLE people AS SELECT row_number() OVER () AS key, format('%s is a part of the car.', name) AS document
FROM unnest('{Albert Einstein,A. Einstein,B. Einstein,Alma Einstein,Albert A. Einstein}'::text[]) AS name;
SELECT mren.create_graph('persons', 'people', 'parts', lexicons => '{people}', relation_schema => 'rules');
CALL mren.refresh_graph('persons');
SELECT mren.propose_merges('persons') > 0 AS some;
SELECT name, other_name FROM persons.merge_candidates WHERE 'abbreviated' = ANY (reasons) ORDER BY 1, 2;
