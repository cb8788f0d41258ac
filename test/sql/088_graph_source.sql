-- A source that becomes empty, and names that a document breaks over lines.
SET client_min_messages = warning;
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql
\i :srcdir/include/graph.sql
SELECT mren.load_lexicon('lines', 'SELECT * FROM (VALUES (''front wheel'', ''part''), (''roof'', ''part''), (''old car'', ''whole'')) AS t (phrase, type)');
CREATE TABLE docs (key int, document text);
INSERT INTO docs VALUES
    (1, E'The front\nwheel is a part of the old\r\n\tcar.'), (2, E'The front\nwheel is a part of the old car.'), (3, 'A roof is a part of the old car.');
SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{lines}', relation_schema => 'toy_relations', options => '{"threshold": 0}');
CALL mren.refresh_graph('kg');
SELECT name, names FROM kg.entities ORDER BY name;
-- What was read stays as it stood there.
SELECT quote_literal(head) AS head, quote_literal(tail) AS tail FROM kg.evidence ORDER BY document;
-- Types and relations with line breaks and control characters; a record is a line, and psql's \copy quotes none.
INSERT INTO kg.relations VALUES ('part_of', 'part', 'whole', false, E'holds\r\nas "part"\x01', false);
INSERT INTO kg.aliases (alias, entity, entity_type) VALUES ('roof', E'the\nroof\x02', E'a\ntype');
SELECT mren.merge_graph('kg') - 'documents';
SELECT regexp_replace(x, ',0\.\d+,', ',p,') AS x FROM mren.export_csv('kg') AS x;
SELECT x FROM mren.export_ntriples('kg') AS x WHERE x LIKE '%roof%';
SELECT count(*) AS lines, count(*) FILTER (WHERE x ~ '[\x01-\x1f\x7f]') AS broken
FROM (SELECT mren.export_csv('kg') AS x UNION ALL SELECT mren.export_ntriples('kg') UNION ALL SELECT mren.export_dot('kg')) AS t;

-- Emptied by mistake: the graph stays, the run says why, and the next refresh goes on.
CREATE TABLE backup AS SELECT * FROM docs;
DELETE FROM docs;
\set VERBOSITY terse
CALL mren.refresh_graph('kg');
\set VERBOSITY default
SELECT status, sqlstate, message FROM mren.graph_runs ORDER BY run DESC LIMIT 1;
SELECT count(*) FROM kg.documents;
INSERT INTO docs SELECT * FROM backup WHERE key = 1;
CALL mren.refresh_graph('kg');
-- Emptied on purpose: by a setting, or by an option of the graph.
DELETE FROM docs;
SET mren.allow_empty_source = on;
CALL mren.refresh_graph('kg');
RESET mren.allow_empty_source;
CALL mren.refresh_graph('kg');
SELECT mren.create_graph('queue', 'docs', 'parts', lexicons => '{lines}', options => '{"on_empty": "delete"}');
CALL mren.refresh_graph('queue');
INSERT INTO docs SELECT * FROM backup;
CALL mren.refresh_graph('queue');
DELETE FROM docs;
CALL mren.refresh_graph('queue');
SELECT count(*) AS documents, (SELECT count(*) FROM queue.all_facts) AS facts FROM queue.documents;

-- A language that ICU does not know is refused before there is a graph.
SELECT error_of($$SELECT mren.create_graph('unknown', 'docs', 'parts', lexicons => '{lines}', options => '{"language": "xx"}')$$);
SET mren.language = 'xx';
SELECT error_of($$SELECT mren.create_graph('unknown', 'docs', 'parts', lexicons => '{lines}')$$);
RESET mren.language;

-- Finished refreshes are kept for a number of days, and the last one of a graph whatever its age; by default all are kept.
UPDATE mren.graph_run SET started_at = started_at - interval '40 days', finished_at = finished_at - interval '40 days';
CALL mren.refresh_graph('queue');
SELECT name, count(*) > 2 AS all_kept FROM mren.graph_run GROUP BY name ORDER BY name;
UPDATE mren.graph_run SET started_at = started_at - interval '40 days', finished_at = finished_at - interval '40 days';
SET mren.keep_runs = 30;
CALL mren.refresh_graph('queue');
SELECT name, count(*), count(*) FILTER (WHERE finished_at < now() - interval '30 days') AS old FROM mren.graph_run GROUP BY name ORDER BY name;
RESET mren.keep_runs;
SELECT mren.drop_graph('queue', true), mren.drop_graph('kg', true);
