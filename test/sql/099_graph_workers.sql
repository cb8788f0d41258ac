-- A refresh whose documents are read by workers: the same graph with any number of them, the same failures, and
-- whatever becomes of a worker.
SET client_min_messages = warning;
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql
\i :srcdir/include/graph.sql
\getenv files MREN_TEST_FILES
\set encoder :files '/encoder.onnx'
SELECT mren.load_image_encoder('tiny', :'encoder') > 0 AS loaded;
CALL mren.train('parts', 'SELECT *, ARRAY[id % 2, 1]::real[] AS image_vector FROM pairs',
    '{"negative": "none", "validation_share": 0, "epochs": 40, "hidden": [8], "image_encoder": "tiny", "deploy": true}');
CREATE TABLE docs (key int PRIMARY KEY, document text, image bytea, seen_at timestamptz);
INSERT INTO docs SELECT i, format('The %s is a part of the %s. The %s is a kind of %s. It is number %s.', (ARRAY['wheel', 'roof', 'chair'])[1 + i % 3],
    (ARRAY['car', 'house', 'cloud'])[1 + i / 3 % 3], (ARRAY['dog', 'oak'])[1 + i % 2], (ARRAY['animal', 'tree'])[1 + i / 2 % 2], i),
    CASE WHEN i IN (7, 8, 150, 300) THEN '\xdeadbeef'::bytea END, '2024-01-01'::timestamptz + i * interval '1 day'
FROM generate_series(1, 300) i;

-- The rows in which a graph differs from the one that was made without workers.
CREATE FUNCTION differs(graph text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint := 0;
    m bigint;
    t text;
BEGIN
    FOREACH t IN ARRAY '{documents,evidence,entities,all_facts}'::text[] LOOP
        EXECUTE format($q$SELECT count(*) FROM ((SELECT to_jsonb(a) - 'scored_at' AS r FROM w0.%1$I a EXCEPT SELECT to_jsonb(b) - 'scored_at' FROM %2$I.%1$I b)
            UNION ALL (SELECT to_jsonb(b) - 'scored_at' FROM %2$I.%1$I b EXCEPT SELECT to_jsonb(a) - 'scored_at' FROM w0.%1$I a)) x$q$, t, graph) INTO m;
        n := n + m;
    END LOOP;
    RETURN n;
END
$$;
-- How many workers a refresh has, as its merges see them.
CREATE TABLE seen (graph text, workers bigint);
CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.seen SELECT TG_TABLE_SCHEMA, count(*) FROM pg_stat_activity WHERE backend_type = 'mren graph worker' AND datname = current_database();
    RETURN NULL;
END
$$;

SELECT mren.create_graph('w' || n, 'docs', 'parts', lexicons => '{world}', relation_schema => 'toy_relations', options => '{"batch_size": 20}') FROM generate_series(0, 5) n;
SET mren.refresh_workers = 0;
CALL mren.refresh_graph('w0');
SELECT document, error FROM w0.documents WHERE state = 'failed' ORDER BY document::int;
SELECT count(*) > 5 AS facts FROM w0.facts;
CREATE TRIGGER look AFTER INSERT ON w1.evidence FOR EACH STATEMENT EXECUTE FUNCTION look();
CREATE TRIGGER look AFTER INSERT ON w2.evidence FOR EACH STATEMENT EXECUTE FUNCTION look();
SET mren.refresh_workers = 1;
CALL mren.refresh_graph('w1');
SELECT differs('w1'), max(workers) FROM seen WHERE graph = 'w1';
SET mren.refresh_workers = 3;
CALL mren.refresh_graph('w2');
SELECT differs('w2'), max(workers) BETWEEN 1 AND 3 AS several FROM seen WHERE graph = 'w2';

-- Changes and deletions.
UPDATE docs SET document = replace(document, 'wheel', 'roof') WHERE key % 5 = 0;
UPDATE docs SET image = NULL WHERE key = 8;
UPDATE docs SET seen_at = seen_at + interval '1 hour' WHERE key % 7 = 0;
DELETE FROM docs WHERE key % 11 = 0;
CALL mren.refresh_graph('w2');
SET mren.refresh_workers = 0;
CALL mren.refresh_graph('w0');
SELECT differs('w2');

-- Workers that are ended amid their work: the refresh reads what they did not.
CREATE TABLE ended (n bigint);
CREATE FUNCTION end_workers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.ended
    WITH worker AS MATERIALIZED (SELECT pid FROM pg_stat_activity WHERE backend_type = 'mren graph worker' AND datname = current_database())
    SELECT count(*) FROM worker WHERE pg_terminate_backend(pid);
    RETURN NULL;
END
$$;
CREATE TRIGGER end_workers AFTER INSERT ON w3.evidence FOR EACH STATEMENT EXECUTE FUNCTION end_workers();
SET mren.refresh_workers = 2;
CALL mren.refresh_graph('w3');
SELECT differs('w3'), sum(n) > 0 AS ended FROM ended;

-- An error ends them, and is the one that a refresh without them has.
UPDATE mren.graph SET options = options || '{"on_error": "stop"}' WHERE name = 'w4';
\set VERBOSITY terse
CALL mren.refresh_graph('w4');
\set VERBOSITY default
SELECT status, sqlstate, message FROM mren.graph_runs ORDER BY run DESC LIMIT 1;
DO $$ BEGIN
    FOR i IN 1 .. 600 LOOP
        EXIT WHEN NOT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'mren graph worker' AND datname = current_database());
        PERFORM pg_sleep(0.1), pg_stat_clear_snapshot();
    END LOOP;
END $$;
SELECT count(*) AS left_over FROM pg_stat_activity WHERE backend_type = 'mren graph worker' AND datname = current_database();

-- What is not committed yet is read without them.
BEGIN;
INSERT INTO docs VALUES (1000, 'The chair is a part of the house.', NULL, '2025-01-01');
SELECT mren.load_lexicon('world', 'SELECT phrase, type FROM (VALUES (''chair'', ''part''), (''house'', ''whole'')) AS t (phrase, type)') AS phrases;
CALL mren.refresh_graph('w5');
SELECT DISTINCT head, tail FROM w5.facts;
ROLLBACK;

SET mren.refresh_workers = 65;
