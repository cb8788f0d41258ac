-- Nobody's code runs with the rights of who reads a graph: neither an operator that fits a view's better than
-- PostgreSQL's, nor a function that the graph's owner, or another role, put into its views.
SET client_min_messages = warning;
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql
\i :srcdir/include/graph.sql
SET client_min_messages = error;
DROP ROLE IF EXISTS mren_intruder, mren_reader;
SET client_min_messages = warning;
CREATE ROLE mren_intruder;
CREATE ROLE mren_reader;
CREATE TABLE docs (key int, document text);
INSERT INTO docs VALUES (1, 'The wheel is a part of the car. The dog is a kind of animal.');
GRANT SELECT ON docs, toy_relations TO mren_intruder;
GRANT CREATE ON SCHEMA public TO mren_intruder;
GRANT CREATE ON DATABASE :DBNAME TO mren_intruder;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA mren TO mren_intruder;
GRANT EXECUTE ON ALL PROCEDURES IN SCHEMA mren TO mren_intruder;
SELECT mren.grant_model('parts', 'mren_intruder', 'predict');
-- What was called, and as whom.
CREATE TABLE calls (what text, who name);
GRANT INSERT ON calls TO PUBLIC;

-- Operators that match exactly, in a schema of everybody's search_path, before the graph is made and after.
SET ROLE mren_intruder;
CREATE FUNCTION public.spy(int4range, int4range) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.calls VALUES ('range', current_user); RETURN true; END $$;
CREATE FUNCTION public.spy(uuid, uuid) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.calls VALUES ('uuid', current_user); RETURN true; END $$;
CREATE FUNCTION public.spy(text, text) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.calls VALUES ('text', current_user); RETURN true; END $$;
CREATE OPERATOR public.< (LEFTARG = int4range, RIGHTARG = int4range, FUNCTION = public.spy);
CREATE OPERATOR public.= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = public.spy);
CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = public.spy);
RESET ROLE;
SET search_path = public, pg_catalog;
SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{world}', relation_schema => 'toy_relations');
CALL mren.refresh_graph('kg');
INSERT INTO kg.review (fact, verdict) SELECT fact, 'confirmed' FROM kg.facts;
UPDATE kg.state SET directed = true;
SELECT head, relation, tail, confirmed FROM kg.facts ORDER BY 1;
SELECT head, tail, relation FROM kg.training_rows ORDER BY 1;
SELECT count(*) FROM kg.conflicts;
SELECT mren.merge_graph('kg') - 'documents';
SELECT head, tail, relation FROM kg.training_rows ORDER BY 1;
SELECT count(*) FROM mren.export_csv('kg');
SELECT path FROM mren.paths('kg', 'wheel', 'car');
RESET search_path;
SELECT * FROM calls;

-- A graph whose views the upgrade makes anew: as an older version made them, with an operator of the intruder's.
SET search_path = public, pg_catalog;
CREATE OR REPLACE VIEW kg.conflicts AS SELECT f.fact, NULL::text AS head, f.relation, NULL::text AS tail, f.confidence, f.sources, f.reason, f.superseded_by,
    NULL::text AS superseded_by_head, NULL::text AS superseded_by_tail, NULL::float8 AS superseded_by_confidence FROM kg.all_facts f WHERE f.fact = f.fact;
RESET search_path;
SELECT count(*) FROM kg.conflicts;
SELECT * FROM calls;
TRUNCATE calls;
SELECT mren.upgrade_graph('kg');
SELECT count(*) FROM kg.conflicts;
SELECT * FROM calls;

-- The owner of a graph replaces a view: whoever reads the graph by a function reads it as the owner.
SET ROLE mren_intruder;
SELECT mren.create_graph('trap', 'docs', 'parts', lexicons => '{world}', relation_schema => 'toy_relations');
CALL mren.refresh_graph('trap');
CREATE FUNCTION trap.spy() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) current_user) THEN EXECUTE 'ALTER ROLE mren_intruder SUPERUSER'; END IF;
    RETURN current_user;
END
$$;
CREATE FUNCTION trap.write() RETURNS text LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.calls VALUES ('write', current_user); RETURN 'written'; END $$;
CREATE FUNCTION trap.role() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RESET ROLE; RETURN current_user; END $$;
ALTER VIEW trap.facts RENAME TO real_facts;
CREATE VIEW trap.facts AS SELECT fact, trap.spy() AS head, head_type, trap.spy() AS relation, tail, tail_type, confidence, sources, sentences, evidence, first_seen, last_seen, confirmed, head_entity, tail_entity FROM trap.real_facts;
GRANT USAGE ON SCHEMA trap TO mren_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA trap TO mren_reader;
RESET ROLE;
SELECT split_part(x, ',', 1) AS head FROM mren.export_csv('trap') x;
SELECT count(*) FROM mren.export_ntriples('trap'), mren.export_dot('trap');
SELECT path FROM mren.paths('trap', 'car', 'wheel');
SET ROLE mren_reader;
SELECT split_part(x, ',', 1) AS head FROM mren.export_csv('trap') x;
RESET ROLE;
CREATE OR REPLACE VIEW trap.facts AS SELECT fact, trap.write() AS head, head_type, relation, tail, tail_type, confidence, sources, sentences, evidence, first_seen, last_seen, confirmed, head_entity, tail_entity FROM trap.real_facts;
SELECT error_of($$SELECT mren.export_csv('trap')$$);
CREATE OR REPLACE VIEW trap.facts AS SELECT fact, trap.role() AS head, head_type, relation, tail, tail_type, confidence, sources, sentences, evidence, first_seen, last_seen, confirmed, head_entity, tail_entity FROM trap.real_facts;
SELECT error_of($$SELECT mren.export_csv('trap')$$);
SELECT rolname, rolsuper FROM pg_roles WHERE rolname LIKE 'mren\_%' ORDER BY 1;
SELECT * FROM calls;

-- Reading so must not give more than SELECT gives: neither without it, nor past a policy.
REVOKE SELECT ON trap.entities FROM mren_reader;
SET ROLE mren_reader;
SELECT error_of($$SELECT mren.export_csv('trap')$$);
RESET ROLE;
GRANT SELECT ON trap.entities TO mren_reader;
ALTER TABLE trap.entities ENABLE ROW LEVEL SECURITY;
SET ROLE mren_reader;
SELECT error_of($$SELECT mren.export_dot('trap')$$);
SELECT error_of($$SELECT mren.paths('trap', 'car', 'wheel')$$);
RESET ROLE;

-- A view that went to another role is not read, nor is anything done over it.
ALTER VIEW kg.facts OWNER TO mren_intruder;
SELECT error_of($$SELECT mren.export_csv('kg')$$);
SELECT error_of($$CALL mren.refresh_graph('kg')$$);
SELECT error_of($$SELECT mren.merge_graph('kg')$$);
SELECT error_of($$SELECT mren.upgrade_graph('kg')$$);
ALTER VIEW kg.facts OWNER TO CURRENT_USER;
SELECT count(*) FROM mren.export_csv('kg');

DROP VIEW trap.facts;
ALTER VIEW trap.real_facts RENAME TO facts;
SELECT mren.drop_graph('trap', true), mren.drop_graph('kg', true);
SELECT mren.revoke_model('parts', 'mren_intruder', 'predict');
DROP SCHEMA trap CASCADE;
DROP OWNED BY mren_intruder, mren_reader CASCADE;
DROP ROLE mren_intruder, mren_reader;
