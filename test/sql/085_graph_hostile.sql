-- Names chosen to become SQL where a statement is put together: of schemas, graphs, roles, tables and columns; with
-- quotes, with the placeholders that templates have or had, and with a statement behind them.
SET client_min_messages = warning;
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql
\i :srcdir/include/graph.sql
SET client_min_messages = error;
DROP ROLE IF EXISTS mren_intruder, "mren_"" ${graph}@.; ALTER ROLE mren_intruder SUPERUSER; --";
SET client_min_messages = warning;
CREATE ROLE mren_intruder;
CREATE ROLE "mren_"" ${graph}@.; ALTER ROLE mren_intruder SUPERUSER; --";
GRANT CREATE ON DATABASE :DBNAME TO mren_intruder;
GRANT CREATE ON SCHEMA public TO mren_intruder;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA mren TO mren_intruder;
GRANT EXECUTE ON ALL PROCEDURES IN SCHEMA mren TO mren_intruder;
SELECT mren.grant_model('parts', 'mren_intruder', 'predict');
SELECT mren.grant_model('parts', 'mren_" ${graph}@.; ALTER ROLE mren_intruder SUPERUSER; --', 'predict');
CREATE TABLE schemas (name text);
INSERT INTO schemas VALUES
    (' OWNER TO mren_intruder;ALTER ROLE mren_intruder SUPERUSER;--@.'),
    (' OWNER TO mren_intruder;ALTER ROLE mren_intruder SUPERUSER;'),
    ('${graph}'), ('${graph}.facts; ALTER ROLE mren_intruder SUPERUSER; --'), ('@.@.'), ('"'), ('""."'), ('''; --'), ('$1'), ('%s%n'), ('\''; --'), ('*/ /*');
GRANT SELECT ON schemas TO mren_intruder;

-- A schema of the text that the placeholder would stand for, so that a second substitution makes a statement that runs.
SET ROLE mren_intruder;
CREATE SCHEMA " OWNER TO mren_intruder;ALTER ROLE mren_intruder SUPERUSER;--";
CREATE TABLE "rel${table}""ations@." AS SELECT 'part_of' AS relation, 'part' AS head_type, 'whole' AS "symmetric${owner}", 'whole' AS tail_type;
RESET ROLE;

-- Each is a graph like any other: made, filled, read, given away by the superuser, upgraded, dropped.
CREATE PROCEDURE live(schema text) LANGUAGE plpgsql AS $$
DECLARE
    facts bigint;
    summary jsonb;
    other text := 'mren_" ${graph}@.; ALTER ROLE mren_intruder SUPERUSER; --';
BEGIN
    EXECUTE 'SET LOCAL ROLE mren_intruder';
    PERFORM mren.create_graph(schema || '${graph}', 'SELECT 1 AS key, ''The wheel is a part of the car. ${graph} ${source} @.''::text AS document, 2 AS "${seen}@." -- ${image}',
        'parts', lexicons => '{world}', relation_schema => '"rel${table}""ations@."', in_schema => schema);
    CALL mren.refresh_graph(schema || '${graph}', summary);
    EXECUTE 'RESET ROLE';
    EXECUTE format('SELECT count(*) FROM %I.facts', schema) INTO facts;
    RAISE WARNING '%: % fact, % lines, % path', schema, facts, (SELECT count(*) FROM mren.export_csv(schema || '${graph}')), (SELECT count(*) FROM mren.paths(schema || '${graph}', 'wheel', 'car'));
    PERFORM mren.alter_graph_owner(schema || '${graph}', other::name);
    PERFORM mren.upgrade_graph(schema || '${graph}');
    CALL mren.refresh_graph(schema || '${graph}', summary);
    PERFORM mren.drop_graph(schema || '${graph}', true);
END
$$;
DO $$
DECLARE
    one text;
BEGIN
    FOR one IN SELECT name FROM schemas ORDER BY name COLLATE "C" LOOP
        CALL live(one);
    END LOOP;
END
$$;
SELECT rolname, rolsuper FROM pg_roles WHERE rolname LIKE 'mren\_%' ORDER BY rolname COLLATE "C";
SELECT nspname, nspowner::regrole FROM pg_namespace WHERE nspname IN (SELECT name FROM schemas) OR nspname LIKE '% OWNER TO %' ORDER BY 1;

-- A name that PostgreSQL would cut short is refused, not cut.
SELECT error_of($$SELECT mren.create_graph('long', 'schemas', 'parts', lexicons => '{world}', in_schema => repeat('x', 64))$$);

SELECT mren.revoke_model('parts', 'mren_intruder', 'predict'), mren.revoke_model('parts', 'mren_" ${graph}@.; ALTER ROLE mren_intruder SUPERUSER; --', 'predict');
DROP OWNED BY mren_intruder, "mren_"" ${graph}@.; ALTER ROLE mren_intruder SUPERUSER; --";
DROP ROLE mren_intruder, "mren_"" ${graph}@.; ALTER ROLE mren_intruder SUPERUSER; --";
