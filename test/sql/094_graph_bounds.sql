-- What one document may cost: bounds of its pairs, its time, and what becomes of one that fails.
SET client_min_messages = warning;
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql
\i :srcdir/include/graph.sql
SELECT mren.load_lexicon('world', 'SELECT * FROM (VALUES (''wheel'', ''part''), (''roof'', ''part''), (''car'', ''whole''), (''house'', ''whole'')) AS t (phrase, type)');
CREATE TABLE docs (key int, document text);
INSERT INTO docs VALUES (1, 'The wheel is a part of the car.'), (2, repeat('wheel, car, roof, house; ', 40)), (3, 'The roof is a part of the house.');
SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{world}', options => '{"threshold": 0, "max_pairs_sentence": 10}');

-- A list is read in part, and the run counts what was left out: of 160 mentions 12720 pairs, less 10, of which 159
-- at most are of neighbours.
SET client_min_messages = notice;
CALL mren.refresh_graph('kg');
SET client_min_messages = warning;
SELECT document, count(*) <= 20 AS bounded FROM kg.evidence GROUP BY document ORDER BY document;
-- What is left out follows from the graph, not from the session.
SET mren.max_pairs_sentence = 1;
SELECT mren.create_graph('same', 'docs', 'parts', lexicons => '{world}', options => '{"threshold": 0, "max_pairs_sentence": 10}');
CALL mren.refresh_graph('same');
RESET mren.max_pairs_sentence;
SELECT count(*) FROM ((TABLE kg.evidence EXCEPT TABLE same.evidence) UNION ALL (TABLE same.evidence EXCEPT TABLE kg.evidence)) d;
-- Each option is one of the pipeline: other bounds score anew.
UPDATE mren.graph SET options = options || '{"max_pairs_document": 2}' WHERE name = 'kg';
CALL mren.refresh_graph('kg');
SELECT document, count(*) FROM kg.evidence GROUP BY document ORDER BY document;

-- A document that takes too long fails alone; the others are kept.
UPDATE docs SET document = repeat('wheel, car, roof, house; ', 20000) WHERE key = 2;
SELECT mren.create_graph('slow', 'docs', 'parts', lexicons => '{world}',
    options => '{"max_pairs_sentence": 10000000, "max_pairs_document": 10000000, "document_timeout": 3}');
CALL mren.refresh_graph('slow');
SELECT document, state, error FROM slow.documents ORDER BY document;
-- Under a statement_timeout a document has a quarter of it at most, so that it is marked before the refresh ends: the
-- source shows what is set while it runs.
SELECT mren.create_graph('night', $$SELECT current_setting('mren.document_timeout') AS key, 'x'::text AS document$$, 'parts', lexicons => '{world}');
CALL mren.refresh_graph('night');
SELECT document FROM night.documents;
SET statement_timeout = '120s';
CALL mren.refresh_graph('night');
RESET statement_timeout;
SELECT document FROM night.documents;
-- It is tried again only when it changes.
CALL mren.refresh_graph('slow');
UPDATE docs SET document = 'The wheel is a part of the house.' WHERE key = 2;
CALL mren.refresh_graph('slow');
SELECT document, state, error FROM slow.documents ORDER BY document;

-- extract has the same limit.
SET mren.document_timeout = '1ms';
SET mren.max_pairs_sentence = 10000000;
SELECT error_of($$SELECT count(*) FROM mren.extract('parts', repeat('wheel, car, ', 5000), lexicons => '{world}')$$) ~ 'takes longer than 1 ms of processor time' AS stopped;

SELECT error_of($$SELECT mren.create_graph('x', 'docs', 'parts', lexicons => '{world}', options => '{"max_pairs_sentence": 0}')$$);
SELECT error_of($$SELECT mren.create_graph('x', 'docs', 'parts', lexicons => '{world}', options => '{"document_timeout": -1}')$$);
SELECT error_of($$SELECT mren.create_graph('x', 'docs', 'parts', lexicons => '{world}', options => '{"max_pairs": 5}')$$);
