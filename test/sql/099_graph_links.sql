-- Entities linked to an authority file: by name at once, near ones as proposals, accepted, refused and undone by an UPDATE.
SET client_min_messages = warning;
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql
\i :srcdir/include/graph.sql
SELECT mren.load_lexicon('firms', $$
    SELECT phrase, type FROM (VALUES
        ('Bellwether Motors', 'firm'), ('Belwether Motors', 'firm'), ('NIC', 'firm'), ('Oak', 'firm'), ('Nobody', 'firm'), ('car', 'whole'), ('house', 'whole')) AS t (phrase, type)$$);
CREATE TABLE docs (key int PRIMARY KEY, document text);
INSERT INTO docs VALUES
    (1, 'Bellwether Motors is a part of the car.'), (2, 'Belwether Motors is a part of the car.'), (3, 'NIC is a part of the house.'),
    (4, 'Oak is a part of the house.'), (5, 'Nobody is a part of the car.');
CREATE TABLE rules (relation text, head_type text, tail_type text);
INSERT INTO rules VALUES ('part_of', 'firm', 'whole');
SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{firms}', relation_schema => 'rules');
CALL mren.refresh_graph('kg');
CREATE VIEW linked AS SELECT name, type, key, authority_name FROM kg.linked_entities ORDER BY name;
TABLE linked;

-- "Oak" is the name of two keys, "house" has another type, "NIC" is an alias.
CREATE TABLE authority (key text, name text, aliases text[], type text);
INSERT INTO authority VALUES
    ('Q1', 'BELLWETHER  Motors', NULL, 'firm'), ('Q2', 'Northern Iron Company', '{N.I.C.,nic,NULL}', 'Firm'), ('Q3', 'Oak', '{}', 'firm'),
    ('Q4', 'Oak Holding', '{OAK}', 'firm'), ('Q5', 'House', NULL, 'person'), ('Q6', 'Car', NULL, NULL), ('Q7', '', NULL, NULL);
SELECT mren.link_entities('kg', 'SELECT * FROM authority');
TABLE linked;
CREATE VIEW candidates AS SELECT name, key, linked, round(score::numeric, 2) AS score, reasons, verdict FROM kg.link_candidates ORDER BY name, key;
TABLE candidates;

-- With pg_trgm, names that are alike.
CREATE SCHEMA contrib;
CREATE EXTENSION pg_trgm SCHEMA contrib;
SELECT mren.link_entities('kg', 'TABLE authority');
TABLE candidates;
SELECT mren.link_entities('kg', 'TABLE authority', '{"min_score": 1}'), mren.link_entities('kg', 'TABLE authority', '{"max_candidates": 1}');
SELECT mren.link_entities('kg', 'SELECT * FROM authority WHERE false');
SELECT mren.link_entities('kg', 'SELECT key, name FROM authority', '{"min_score": 1}');
SELECT mren.link_entities('kg', 'TABLE authority');

-- Verdicts hold at once, and later calls leave them; undone, all is as before.
CREATE TABLE before AS TABLE kg.link_candidates;
UPDATE kg.link_candidates SET verdict = 'accepted' WHERE (name, key) IN (('belwether motors', 'Q1'), ('oak', 'Q4'));
UPDATE kg.link_candidates SET verdict = 'refused' WHERE name = 'nic';
TABLE linked;
SELECT mren.link_entities('kg', 'TABLE authority');
SELECT name, key, verdict FROM kg.link_candidates WHERE verdict IS NOT NULL ORDER BY name;

-- Entities of one key are proposed as one, the more often mentioned first, also among proposals for their names.
CREATE VIEW merges AS SELECT name, other_name, score, reasons, verdict FROM kg.merge_candidates ORDER BY name, other_name;
TABLE merges;
SELECT mren.propose_merges('kg', 0.7, 1), mren.propose_merges('kg', 0.7);
SELECT name, other_name, score, reasons[1] AS reason, cardinality(reasons) > 1 AS others FROM merges WHERE reasons[1] LIKE 'same key%';
-- Accepted, and undone.
CREATE TABLE entities_before AS TABLE kg.entities;
CREATE TABLE facts_before AS TABLE kg.all_facts;
CREATE TABLE evidence_before AS TABLE kg.evidence;
CREATE VIEW difference AS SELECT
    (SELECT count(*) FROM ((TABLE kg.entities EXCEPT TABLE entities_before) UNION ALL (TABLE entities_before EXCEPT TABLE kg.entities)) x) AS entities,
    (SELECT count(*) FROM ((TABLE kg.all_facts EXCEPT TABLE facts_before) UNION ALL (TABLE facts_before EXCEPT TABLE kg.all_facts)) x) AS facts,
    (SELECT count(*) FROM ((TABLE kg.evidence EXCEPT TABLE evidence_before) UNION ALL (TABLE evidence_before EXCEPT TABLE kg.evidence)) x) AS evidence;
UPDATE kg.merge_candidates SET verdict = 'accepted' WHERE 'same key Q1' = ANY (reasons);
SELECT mren.merge_graph('kg') - 'documents';
SELECT name, names, key FROM kg.linked_entities JOIN kg.entities USING (entity, name) WHERE key = 'Q1';
UPDATE kg.merge_candidates SET verdict = NULL;
SELECT mren.merge_graph('kg') - 'documents';
TABLE difference;
-- At once, if asked; a refused one stays refused.
SELECT mren.link_entities('kg', 'TABLE authority', '{"merge": true}');
SELECT name, other_name, verdict FROM merges WHERE 'same key Q1' = ANY (reasons);
SELECT mren.merge_graph('kg') - 'documents';
SELECT mren.link_entities('kg', 'TABLE authority', '{"merge": true}');
UPDATE kg.merge_candidates SET verdict = 'refused' WHERE 'same key Q1' = ANY (reasons);
SELECT mren.merge_graph('kg') - 'documents';
TABLE difference;
SELECT mren.link_entities('kg', 'TABLE authority', '{"merge": true}'), (SELECT verdict FROM merges WHERE 'same key Q1' = ANY (reasons));
SELECT error_of($$SELECT mren.link_entities('kg', 'TABLE authority', '{"merge": "yes"}')$$);
DELETE FROM kg.merge_candidates;
-- What was refused is not joined by way of a third entity of the key, also where one of the pair has another name by now.
CREATE TABLE one_key AS SELECT 'Q9' AS key, name FROM unnest('{car,House,Nobody}'::text[]) AS u (name);
INSERT INTO kg.merge_candidates (name, type, other_name, other_type, score, reasons, verdict)
    VALUES ('nobody', 'firm', 'house', 'whole', 1, '{}', 'refused');
SELECT mren.link_entities('kg', 'TABLE one_key', '{"merge": true}');
SELECT name, other_name, reasons, verdict FROM merges;
UPDATE kg.merge_candidates SET verdict = 'accepted' WHERE other_name = 'house' AND name = 'car';
SELECT mren.merge_graph('kg') - 'documents';
SELECT mren.link_entities('kg', 'TABLE one_key', '{"merge": true}');
SELECT name, other_name, verdict FROM merges;
DELETE FROM kg.merge_candidates;
SELECT mren.merge_graph('kg') - 'documents';
TABLE difference;
SELECT mren.link_entities('kg', 'TABLE authority') - 'merges';

-- The keys in the exports.
SELECT line FROM mren.export_ntriples('kg') AS line WHERE line LIKE '%property/key%';
SELECT regexp_replace(line, '^[0-9a-f-]{36}', 'id') FROM mren.export_neo4j('kg', 'nodes') AS line;
SELECT regexp_replace(line, '"[0-9a-f-]{36}"', '"id"') FROM mren.export_graphml('kg') AS line WHERE line LIKE '%<node%' OR line LIKE '%<key id="key"%';

UPDATE kg.link_candidates SET verdict = NULL;
SELECT count(*) FROM ((TABLE before EXCEPT TABLE kg.link_candidates) UNION ALL (TABLE kg.link_candidates EXCEPT TABLE before)) x;
SELECT mren.link_entities('kg', 'TABLE authority');
SELECT count(*) FROM ((TABLE before EXCEPT TABLE kg.link_candidates) UNION ALL (TABLE kg.link_candidates EXCEPT TABLE before)) x;
-- A refresh leaves them.
CALL mren.refresh_graph('kg');
SELECT count(*) FROM ((TABLE before EXCEPT TABLE kg.link_candidates) UNION ALL (TABLE kg.link_candidates EXCEPT TABLE before)) x;

-- What is refused.
SELECT error_of($$UPDATE kg.link_candidates SET verdict = 'maybe'$$);
SELECT error_of($$SELECT mren.link_entities('kg', NULL)$$);
SELECT error_of($$SELECT mren.link_entities('kg', 'SELECT name FROM authority')$$);
SELECT error_of($$SELECT mren.link_entities('kg', 'SELECT key, key AS label FROM authority')$$);
SELECT error_of($$SELECT mren.link_entities('kg', 'SELECT key, name, name AS aliases FROM authority')$$);
SELECT error_of($$SELECT mren.link_entities('kg', 'SELECT NULLIF(key, ''Q1'') AS key, name FROM authority')$$);
SELECT error_of($$SELECT mren.link_entities('kg', 'SELECT replace(key, ''Q1'', '' '') AS key, name FROM authority')$$);
SELECT error_of($$SELECT mren.link_entities('kg', 'DELETE FROM authority RETURNING *')$$);
SELECT error_of($$SELECT mren.link_entities('kg', 'TABLE authority', '{"min_score": 2}')$$);
SELECT error_of($$SELECT mren.link_entities('kg', 'TABLE authority', '{"max_candidates": 1.5}')$$);
SELECT error_of($$SELECT mren.link_entities('kg', 'TABLE authority', '{"minscore": 1}')$$);

-- A query may be long.
SELECT mren.link_entities('kg', 'TABLE authority --' || repeat('-', 5000));
