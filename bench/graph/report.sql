-- The figures of the three refreshes, and what the refreshed graph and the one that
-- was built from nothing have different.
CREATE TEMP TABLE run AS
SELECT row_number() OVER (ORDER BY run) AS n, extract(epoch FROM finished_at - started_at)::numeric AS seconds, summary
FROM mren.graph_runs;
CREATE FUNCTION pg_temp.differences(name text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    EXECUTE format('WITH a AS (SELECT to_jsonb(t) - ''scored_at'' FROM kg.%1$I AS t), b AS (SELECT to_jsonb(t) - ''scored_at'' FROM again.%1$I AS t)
        SELECT (SELECT count(*) FROM (TABLE a EXCEPT ALL TABLE b) x) + (SELECT count(*) FROM (TABLE b EXCEPT ALL TABLE a) y)', name) INTO n;
    RETURN n;
END
$$;
SELECT format('%-34s %s', what, value) FROM (
    SELECT n * 10 AS place, (ARRAY['build', 'refresh', 'build from nothing'])[n] AS what,
           format('%s s; %s', round(seconds, 1), summary) AS value FROM run
    UNION ALL
    SELECT 25, 'refresh / build', format('%s %%', round(100 * r.seconds / b.seconds, 2)) FROM run AS b, run AS r WHERE b.n = 1 AND r.n = 2
    UNION ALL
    SELECT 40 + i, 'rows that differ: ' || name, pg_temp.differences(name)::text
    FROM unnest('{documents,entities,evidence,all_facts,facts}'::text[]) WITH ORDINALITY AS t (name, i)) AS report
ORDER BY place;
