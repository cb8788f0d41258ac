-- Slips of a user who has just begun, beyond those that the tests of each topic have: what is told of them.
SET client_min_messages = warning;
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql
\i :srcdir/include/graph.sql
CREATE TABLE docs (key int PRIMARY KEY, document text);
CREATE TABLE "My docs" (LIKE docs);

-- A table where a query is wanted; a syntax error elsewhere keeps its own words.
SELECT error_of($$SELECT * FROM mren.predict_rows('parts', 'docs')$$);
SELECT error_of($$SELECT mren.load_lexicon('l', 'public.docs')$$);
SELECT error_of($$SELECT * FROM mren.evaluate('parts', 'pairs')$$);
SELECT error_of($$SELECT * FROM mren.evaluate_tagger('parts', 'pairs')$$);
SELECT error_of($$SELECT * FROM mren.evaluate('parts', 'SELEC * FROM pairs')$$);
CALL mren.train('m', 'pairs');
CALL mren.train_tagger('m', 'pairs');
CALL mren.train_tagger('m', 'SELECT * FROM pairs');

-- The option that was meant, if one is near.
SELECT regexp_replace(error_of(format($$CALL mren.train('m', 'SELECT * FROM pairs', '{"%s": 3}')$$, key)), E'\nhint.*', '') AS error_of
FROM unnest('{epoch,Ensemble,ensembel,learning-rate,lr,patient,a,""}'::text[] || repeat('ä', 200)) AS key;
SELECT regexp_replace(error_of($$CALL mren.train_tagger('m', 'SELECT ''{a}''::text[] AS tokens, ''{O}''::text[] AS tags', '{"hiden": 3}')$$), E'\nhint.*', '') AS error_of;

-- Graphs: from nothing, with options that cannot be, and with relations that have no name.
SELECT error_of($$SELECT mren.create_graph('g', '', 'parts', lexicons => '{world}')$$);
SELECT error_of($$SELECT mren.create_graph('g', E' \n', 'parts', lexicons => '{world}')$$);
SELECT error_of($$SELECT mren.create_graph('g', 'My docs', 'parts', lexicons => '{world}')$$);
SELECT error_of($$SELECT mren.create_graph('g', 'docs', 'parts', lexicons => '{world}', options => '{"treshold": 1}')$$);
SELECT error_of($$SELECT mren.create_graph('g', 'docs', 'parts', lexicons => '{world}', options => '{"threshold": {"a": 1}}')$$);
SELECT error_of($$SELECT mren.create_graph('g', 'docs', 'parts', lexicons => '{world}', options => '{"spill_mb": "all"}')$$);
INSERT INTO toy_relations VALUES (NULL, 'part', 'whole');
SELECT error_of($$SELECT mren.create_graph('g', 'docs', 'parts', lexicons => '{world}', relation_schema => 'toy_relations')$$);
SELECT error_of($$SELECT * FROM mren.extract('parts', 'The wheel is a part of the car.', lexicons => '{world}', relation_schema => 'toy_relations')$$);
DELETE FROM toy_relations WHERE relation IS NULL;

-- A graph of documents that there are not yet, of a quoted table.
SELECT mren.create_graph('Weird "Graph"', '"My docs"', 'parts', lexicons => '{world}', relation_schema => 'toy_relations');
CALL mren.refresh_graph('Weird "Graph"');
SELECT count(*) FROM "Weird ""Graph""".facts;
SELECT x FROM mren.export_dot('Weird "Graph"') AS x;
SELECT error_of($$SELECT mren.drop_graph('weird "graph"')$$);

-- A graph one of whose tables is gone is not whole: every use says so, and forgetting it is the way out.
DROP TABLE "Weird ""Graph""".evidence CASCADE;
SELECT error_of($$CALL mren.refresh_graph('Weird "Graph"')$$);
SELECT error_of($$SELECT mren.merge_graph('Weird "Graph"')$$);
SELECT error_of($$SELECT mren.export_csv('Weird "Graph"')$$);
DROP SCHEMA "Weird ""Graph""" CASCADE;
SELECT error_of($$SELECT * FROM mren.paths('Weird "Graph"', 'a', 'b', 2)$$);
SELECT mren.drop_graph('Weird "Graph"', drop_tables => true);
SELECT count(*) FROM mren.graphs;
