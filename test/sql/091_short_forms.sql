-- Names within a document: short forms stand for the name before them; alias chains of any length.
SET client_min_messages = warning;
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql
\i :srcdir/include/graph.sql
SELECT mren.load_lexicon('folk', $$
    SELECT phrase, type FROM (VALUES
        ('Ada Lovelace', 'person'), ('Lovelace', 'person'), ('Linda Lovelace', 'person'),
        ('European Union', 'org'), ('EU', 'org'), ('car', 'whole'), ('house', 'whole')) AS t (phrase, type)$$);
SELECT mention, span, entity FROM mren.document_entities('Ada Lovelace saw the European Union. Lovelace left the EU.', '{folk}');
SELECT count(*) FROM mren.document_entities(NULL, '{folk}');

CREATE TABLE docs (key int PRIMARY KEY, document text);
INSERT INTO docs VALUES
    (1, 'Ada Lovelace is a part of the car. Lovelace is a part of the house.'),
    (2, 'Lovelace is a part of the car.'),
    (3, 'Linda Lovelace was here. Lovelace is a part of the house.'),
    (4, 'European Union is a part of the car. EU is a part of the car.');
CREATE TABLE rules (relation text, head_type text, tail_type text);
INSERT INTO rules VALUES ('part_of', 'person', 'whole'), ('part_of', 'org', 'whole');
SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{folk}', relation_schema => 'rules');
CALL mren.refresh_graph('kg');
SELECT head, relation, tail, sources, sentences FROM kg.facts ORDER BY head, tail;
SELECT name, canonical, names, normalized, mentions FROM kg.entities ORDER BY name;
SELECT document, head, head_full FROM kg.evidence WHERE head_full IS NOT NULL ORDER BY document;
-- The surname finds all whom it stands for, and a name that has no evidence of its own is shown as it is written.
SELECT neighbour, count(*) FROM mren.neighbours('kg', 'lovelace') GROUP BY 1 ORDER BY 1;
-- An alias of the full name applies to its short forms, one of the short form to where it stands alone.
INSERT INTO kg.aliases (alias, entity) VALUES ('Ada Lovelace', 'Countess of Lovelace'), ('Lovelace', 'The Poet');
SELECT mren.merge_graph('kg') - 'documents';
SELECT name, names, mentions FROM kg.entities WHERE type = 'person' ORDER BY name;
-- As a graph built from nothing is.
SELECT mren.create_graph('again', 'docs', 'parts', lexicons => '{folk}', relation_schema => 'rules');
INSERT INTO again.aliases TABLE kg.aliases;
CALL mren.refresh_graph('again');
SELECT count(*) FROM (TABLE kg.entities EXCEPT TABLE again.entities) x;
SELECT count(*) FROM (TABLE kg.all_facts EXCEPT TABLE again.all_facts) x;

-- A graph of the layout before gets the columns, and reads its documents anew.
ALTER TABLE kg.evidence DROP COLUMN head_full CASCADE, DROP COLUMN tail_full CASCADE;
UPDATE mren.graph SET layout = 2 WHERE name = 'kg';
UPDATE kg.documents SET pipeline = '\x00';
SELECT error_of($$CALL mren.refresh_graph('kg')$$);
SELECT mren.upgrade_graph('kg');
CALL mren.refresh_graph('kg');
SELECT count(*) FROM (TABLE kg.entities EXCEPT TABLE again.entities) x;

-- Chains of aliases, circles, and chains into circles.
SELECT mren.follow_links('{a,b,c}', '{b,c,d}');
SELECT mren.follow_links('{a,b,c,x,y}', '{b,c,b,x,a}');
SELECT mren.follow_links('{}', '{}'), mren.follow_links(NULL, '{}');
SELECT error_of($$SELECT mren.follow_links('{a}', '{}')$$);
SELECT error_of($$SELECT mren.follow_links('{NULL}', '{a}')$$);
SELECT count(*) AS keys, count(DISTINCT last) AS ends, min(last) FROM (
    SELECT unnest(mren.follow_links(array_agg(i::text), array_agg((i + 1)::text))) AS last FROM generate_series(1, 50000) i) AS t;
INSERT INTO again.aliases (alias, entity) SELECT 'link ' || i, 'link ' || i + 1 FROM generate_series(1, 2000) i;
INSERT INTO again.aliases (alias, entity) VALUES ('The Poet', 'link 1');
SELECT mren.merge_graph('again') - 'documents';
SELECT name, names FROM again.entities WHERE canonical ~ 'link';
