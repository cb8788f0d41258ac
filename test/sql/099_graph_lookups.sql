-- The look-ups that docs/graph.md shows are served by indexes: where sequential scans are not an option, none is left.
SET client_min_messages = warning;
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/tiny.sql
\i :srcdir/include/graph.sql
CREATE TABLE docs AS SELECT 1 AS key, 'The wheel is a part of the car.' AS document;
SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{world}', relation_schema => 'toy_relations');
CALL mren.refresh_graph('kg');
SET enable_seqscan = off;

-- The tables that a query reads from end to end.
CREATE FUNCTION read_whole(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    line text;
    found text[] := '{}';
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        found := found || (regexp_match(line, 'Seq Scan on (documents|evidence|entities|all_facts)'))[1];
    END LOOP;
    RETURN array_to_string(found, ', ');
END
$$;
SELECT read_whole($$SELECT relation, tail, confidence FROM kg.facts WHERE head = 'Ada Lovelace'$$);
SELECT read_whole($$SELECT relation, head, confidence FROM kg.facts WHERE tail = 'Ada Lovelace'$$);
SELECT read_whole($$SELECT head, tail FROM kg.facts WHERE relation = 'born_in' ORDER BY confidence DESC LIMIT 20$$);
SELECT read_whole($$SELECT name, type, mentions FROM kg.entities WHERE normalized @> ARRAY[mren.normalize_name('ada lovelace')]$$);
SELECT read_whole($$SELECT name, type FROM kg.entities WHERE name = 'Ada Lovelace'$$);
SELECT read_whole($$SELECT document, sentence, confidence FROM kg.evidence WHERE fact = '00000000-0000-0000-0000-000000000000'$$);
SELECT read_whole($$SELECT head, relation, tail FROM kg.facts WHERE fact = '00000000-0000-0000-0000-000000000000'$$);
SELECT read_whole($$SELECT state, error FROM kg.documents WHERE document = '17'$$);
SELECT read_whole($$SELECT head, relation, tail FROM kg.evidence WHERE document = '17'$$);
-- No index is for this, so that the function is seen to find what it looks for.
SELECT read_whole($$DELETE FROM kg.documents WHERE state = 'failed'$$);
