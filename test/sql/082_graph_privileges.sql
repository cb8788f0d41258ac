-- Who may do what with a graph, and that a stored query acts as its owner and as no one else.
SET client_min_messages = warning;
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql
\i :srcdir/include/graph.sql
SET client_min_messages = error;
DROP ROLE IF EXISTS mren_analyst, mren_colleague, mren_stranger;
SET client_min_messages = warning;
CREATE ROLE mren_analyst;
CREATE ROLE mren_colleague IN ROLE mren_analyst;
CREATE ROLE mren_stranger;
CREATE TABLE docs (key int, document text);
INSERT INTO docs VALUES (1, 'The wheel is a part of the car.');
GRANT SELECT ON docs, toy_relations TO mren_analyst;
CREATE TABLE secret (t text);
CREATE SCHEMA analyst AUTHORIZATION mren_analyst;

-- Nothing for those to whom nothing was granted.
SET ROLE mren_analyst;
SELECT error_of($$SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{world}')$$);
SELECT error_of($$CALL mren.refresh_graph('kg')$$);
SELECT error_of($$SELECT mren.merge_graph('kg')$$);
SELECT error_of($$SELECT mren.upgrade_graph('kg')$$);
SELECT error_of($$SELECT mren.drop_graph('kg')$$);
SELECT error_of($$SELECT mren.alter_graph_owner('kg', 'mren_analyst')$$);
RESET ROLE;
GRANT EXECUTE ON FUNCTION mren.create_graph(text, text, text, text, text[], regclass, text, jsonb), mren.drop_graph(text, boolean),
    mren.upgrade_graph(text), mren.merge_graph(text), mren.alter_graph_owner(text, name) TO mren_analyst, mren_stranger;
GRANT EXECUTE ON PROCEDURE mren.refresh_graph(text, jsonb) TO mren_analyst, mren_stranger;
SET ROLE mren_analyst;
SELECT error_of($$SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{world}', in_schema => 'analyst')$$);
RESET ROLE;
SELECT mren.grant_model('parts', 'mren_analyst', 'predict');
SET ROLE mren_analyst;
SELECT left(error_of($$SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{world}')$$), 40);
SELECT error_of($$SELECT mren.create_graph('kg', 'secret', 'parts', lexicons => '{world}', in_schema => 'analyst')$$);
SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{world}', relation_schema => 'toy_relations', in_schema => 'analyst');
SELECT graph, owner, schema FROM mren.graphs;

-- Members of the owner, and superusers; the tables stay the owner's.
SET ROLE mren_stranger;
SELECT error_of($$CALL mren.refresh_graph('kg')$$);
SELECT error_of($$SELECT mren.merge_graph('kg')$$);
SELECT error_of($$SELECT mren.drop_graph('kg', true)$$);
SELECT count(*) FROM mren.graphs;
SET ROLE mren_colleague;
CALL mren.refresh_graph('kg');
SELECT count(*) FROM mren.graph_runs;
RESET ROLE;
CALL mren.refresh_graph('kg');
SELECT DISTINCT relowner::regrole FROM pg_class WHERE relnamespace = 'analyst'::regnamespace AND relkind IN ('r', 'v');

-- Readers need SELECT, no more.
SET ROLE mren_stranger;
SELECT count(*) FROM mren.graph_runs;
SELECT error_of($$SELECT mren.export_csv('kg')$$);
SELECT error_of($$SELECT * FROM mren.paths('kg', 'wheel', 'car')$$);
RESET ROLE;
GRANT USAGE ON SCHEMA analyst TO mren_stranger;
GRANT SELECT ON ALL TABLES IN SCHEMA analyst TO mren_stranger;
SET ROLE mren_stranger;
SELECT path FROM mren.paths('kg', 'wheel', 'car');
SELECT count(*) FROM mren.export_csv('kg');
RESET ROLE;

-- What the source calls runs as the graph's owner, whoever refreshes: it can neither write, nor become another, nor read what the owner may not.
CREATE FUNCTION analyst.evil(what text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    IF what = 'write' THEN INSERT INTO public.docs VALUES (2, 'x');
    ELSIF what = 'role' THEN RESET ROLE;
    ELSIF what = 'session' THEN SET SESSION AUTHORIZATION DEFAULT;
    ELSIF what = 'temporary' THEN CREATE TEMP TABLE t (i int);
    ELSIF what = 'at commit' THEN EXECUTE 'DECLARE late CURSOR WITH HOLD FOR SELECT analyst.evil(''write'')';
    ELSIF what = 'secret' THEN RETURN (SELECT t FROM public.secret);
    ELSIF what = 'writable' THEN SET transaction_read_only = off; INSERT INTO public.docs VALUES (2, 'x');
    ELSE RETURN current_user;
    END IF;
    RETURN 'done';
END
$$;
ALTER FUNCTION analyst.evil(text) OWNER TO mren_analyst;
GRANT INSERT ON docs TO mren_analyst;
CREATE TABLE analyst.wish (what text);
GRANT SELECT ON analyst.wish TO mren_analyst;
SET ROLE mren_analyst;
SET search_path = analyst, public;
SELECT mren.create_graph('trap', 'SELECT 1 AS key, evil(what) AS document FROM wish', 'parts', lexicons => '{world}', in_schema => 'analyst')
    AS not_twice_in_one_schema;
RESET ROLE;
GRANT CREATE ON DATABASE :DBNAME TO mren_analyst;
SET ROLE mren_analyst;
SELECT mren.create_graph('trap', 'SELECT 1 AS key, evil(what) AS document FROM wish', 'parts', lexicons => '{world}');
RESET ROLE;
RESET search_path;
INSERT INTO analyst.wish VALUES ('write');
SELECT error_of($$CALL mren.refresh_graph('trap')$$);
UPDATE analyst.wish SET what = 'role';
SELECT error_of($$CALL mren.refresh_graph('trap')$$);
UPDATE analyst.wish SET what = 'session';
SELECT error_of($$CALL mren.refresh_graph('trap')$$);
UPDATE analyst.wish SET what = 'temporary';
SELECT error_of($$CALL mren.refresh_graph('trap')$$);
UPDATE analyst.wish SET what = 'at commit';
SELECT error_of($$CALL mren.refresh_graph('trap')$$);
UPDATE analyst.wish SET what = 'secret';
SELECT error_of($$CALL mren.refresh_graph('trap')$$);
UPDATE analyst.wish SET what = 'writable';
SELECT error_of($$CALL mren.refresh_graph('trap')$$);
UPDATE analyst.wish SET what = 'user';
SELECT error_of($$CALL mren.refresh_graph('trap')$$);
-- It saw the owner.
SELECT hash = mren.document_hash('mren_analyst', NULL, NULL) AS owner FROM trap.documents;
SELECT current_user <> 'mren_analyst' AS myself, current_setting('search_path') AS search_path, count(*) FROM docs;
-- Nor can a trigger on the owner's tables.
CREATE FUNCTION analyst.trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RESET ROLE; RETURN NEW; END $$;
CREATE TRIGGER evil BEFORE INSERT ON trap.documents FOR EACH ROW EXECUTE FUNCTION analyst.trigger();
DELETE FROM trap.documents;
SELECT error_of($$CALL mren.refresh_graph('trap')$$);

-- Given away, by a member of both owners, tables and all.
SELECT error_of($$SELECT mren.alter_graph_owner('no such graph', 'mren_stranger')$$);
SELECT error_of($$SELECT mren.alter_graph_owner('kg', 'no such role')$$);
SELECT error_of($$SELECT mren.alter_graph_owner('kg', NULL)$$);
SELECT error_of($$SELECT mren.alter_graph_owner(NULL, 'mren_stranger')$$);
SET ROLE mren_stranger;
SELECT error_of($$SELECT mren.alter_graph_owner('kg', 'mren_stranger')$$);
SET ROLE mren_analyst;
SELECT error_of($$SELECT mren.alter_graph_owner('kg', 'mren_stranger')$$);
RESET ROLE;
GRANT mren_stranger TO mren_analyst;
SET ROLE mren_analyst;
-- The schema is not the graph's own, and the new owner may not make tables there.
SELECT error_of($$SELECT mren.alter_graph_owner('kg', 'mren_stranger')$$);
SELECT owner FROM mren.graphs WHERE graph = 'kg';
GRANT CREATE ON SCHEMA analyst TO mren_stranger;
SELECT mren.alter_graph_owner('kg', 'mren_stranger');
RESET ROLE;
REVOKE mren_stranger FROM mren_analyst;
SELECT graph, owner FROM mren.graphs ORDER BY graph;
SELECT relowner::regrole AS owner, count(*), string_agg(relname, ' ' ORDER BY relname) FILTER (WHERE relowner = 'mren_analyst'::regrole) AS others
FROM pg_class WHERE relnamespace = 'analyst'::regnamespace AND relkind IN ('r', 'v') GROUP BY relowner ORDER BY count(*);
SET ROLE mren_analyst;
SELECT error_of($$CALL mren.refresh_graph('kg')$$);
SET ROLE mren_stranger;
SELECT error_of($$CALL mren.refresh_graph('kg')$$);
RESET ROLE;
SELECT mren.grant_model('parts', 'mren_stranger', 'predict');
SET ROLE mren_stranger;
SELECT error_of($$CALL mren.refresh_graph('kg')$$);
RESET ROLE;
GRANT SELECT ON docs TO mren_stranger;
SET ROLE mren_stranger;
CALL mren.refresh_graph('kg');
RESET ROLE;
SELECT mren.revoke_model('parts', 'mren_stranger', 'predict');
-- A schema that the graph made goes along.
SELECT mren.alter_graph_owner('trap', 'mren_colleague');
SELECT nspowner::regrole AS owner FROM pg_namespace WHERE nspname = 'trap';
SELECT mren.alter_graph_owner('trap', 'mren_analyst');

SELECT mren.drop_graph('trap', true), mren.drop_graph('kg', true);
SELECT count(*) FROM pg_class WHERE relnamespace = 'analyst'::regnamespace AND relkind = 'v';
DROP SCHEMA analyst CASCADE;
SELECT mren.revoke_model('parts', 'mren_analyst', 'predict');
DROP OWNED BY mren_analyst, mren_colleague, mren_stranger;
DROP ROLE mren_analyst, mren_colleague, mren_stranger;
