-- Graphs of names and keys that are hard to write: quotes, backslashes, new lines, characters beyond ASCII; keys that are
-- there twice, or NULL; and the exports, which must escape them all.
SET client_min_messages = warning;
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql
\i :srcdir/include/graph.sql

SELECT mren.load_lexicon('odd', $$
    SELECT phrase, type FROM (VALUES
        (E'wheel "big"', 'pa"rt'), (E'ro\\of', 'pa"rt'), ('ÉCROU n° ½', 'pa"rt'), ('歯車', 'pa"rt'), ('chair, small', 'pa"rt'),
        ('car', 'who le/ß'), ('Straße', 'who le/ß')) AS t (phrase, type)$$) AS phrases;
CREATE TABLE odd_relations AS SELECT 'part_of' AS relation, 'pa"rt' AS head_type, 'who le/ß' AS tail_type;
CREATE TABLE docs (key text, document text);
INSERT INTO docs VALUES
    ('it''s', 'The wheel "big" is a part of the car.'),
    ('a "b" \ c', 'The ro\of is a part of the car.'),
    (E'two\nlines', 'The ÉCROU n° ½ is a part of the car.'),
    ('ключ $1 @. %s', 'The 歯車 is a part of the Straße.'),
    ('', 'The chair, small is a part of the STRASSE.');
SELECT mren.create_graph('k"g \ é', 'docs', 'parts', lexicons => '{odd}', relation_schema => 'odd_relations', in_schema => 'My "graph"', options => '{"threshold": 0}');
CALL mren.refresh_graph('k"g \ é');
-- As the relation schema leaves one relation only, all five are facts.
SELECT head, head_type, relation, tail, tail_type FROM "My ""graph""".facts ORDER BY head COLLATE "C";
SELECT name, canonical, names FROM "My ""graph""".entities WHERE type <> 'pa"rt' ORDER BY name COLLATE "C";
SELECT document, state FROM "My ""graph""".documents ORDER BY document COLLATE "C";

-- Exports.  (Aliases give names that no document could.)
INSERT INTO "My ""graph""".aliases (alias, entity) VALUES ('car', E'a car\r\nof\\two "lines"'), ('chair, small', E'tab\there');
SELECT mren.merge_graph('k"g \ é') - 'documents' - 'entities';
SELECT x FROM mren.export_ntriples('k"g \ é', 'http://example.org/') AS x;
SELECT regexp_replace(x, ',0\.\d+,1,', ',p,1,') AS x FROM mren.export_csv('k"g \ é') AS x;
SELECT regexp_replace(x, '[0-9a-f]{8}-[0-9a-f-]{27}', 'id', 'g') AS x FROM mren.export_dot('k"g \ é') AS x;
SELECT error_of($$SELECT mren.export_ntriples('k"g \ é', 'no iri')$$);
SELECT error_of($$SELECT mren.export_ntriples('k"g \ é', 'http://a"b/')$$);
SELECT path FROM mren.paths('k"g \ é', 'straße', '歯車', 1);

-- Keys: changed and deleted one by one; nothing else is touched.
UPDATE docs SET document = 'The car is far from the Straße.' WHERE key = 'ключ $1 @. %s';
DELETE FROM docs WHERE key = E'two\nlines';
CALL mren.refresh_graph('k"g \ é');

-- Twice, before and after the graph has it; NULL.
INSERT INTO docs VALUES ('it''s', 'again');
SELECT error_of($$CALL mren.refresh_graph('k"g \ é')$$);
DELETE FROM docs WHERE document = 'again';
INSERT INTO docs VALUES ('new', 'one'), ('new', 'two');
SELECT error_of($$CALL mren.refresh_graph('k"g \ é')$$);
DELETE FROM docs WHERE key = 'new';
INSERT INTO docs VALUES (NULL, 'one');
SELECT error_of($$CALL mren.refresh_graph('k"g \ é')$$);
DELETE FROM docs WHERE key IS NULL;
-- What failed left nothing behind.
SELECT document FROM "My ""graph""".documents ORDER BY document COLLATE "C";
CALL mren.refresh_graph('k"g \ é');
SELECT mren.drop_graph('k"g \ é', drop_tables => true);
SELECT count(*) FROM pg_namespace WHERE nspname = 'My "graph"';
