-- Who may do what, function by function: a role without rights, with each of
-- the privileges on a model, its owner, and a superuser.
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql

-- Roles belong to the server, not to the database: none may be left over.
SET client_min_messages = error;
DROP ROLE IF EXISTS mren_nobody, mren_predicts, mren_trains, mren_admin, mren_owner, mren_other, mren_writers;
RESET client_min_messages;
CREATE ROLE mren_nobody;
CREATE ROLE mren_predicts;
CREATE ROLE mren_trains;
CREATE ROLE mren_admin;
CREATE ROLE mren_owner;
CREATE ROLE mren_other;
CREATE ROLE mren_writers;
GRANT SELECT ON pairs TO PUBLIC;

CREATE TABLE networks AS SELECT mren.train_agg(sentence, head, tail, relation, NULL::bytea,
    '{"embeddings": "tiny", "hidden": [4], "epochs": 2}') AS network FROM pairs;
GRANT SELECT ON networks TO PUBLIC;

-- Nothing that writes may be executed by everybody, and no table be read.
SELECT p.oid::regprocedure AS volatile_for_public
FROM pg_proc p
WHERE pronamespace = 'mren'::regnamespace AND provolatile = 'v' AND prokind <> 'a'
  AND has_function_privilege('mren_nobody', p.oid, 'EXECUTE')
ORDER BY 1;
SELECT relname FROM pg_class
WHERE relnamespace = 'mren'::regnamespace AND relkind IN ('r', 'S')
  AND (CASE relkind WHEN 'r' THEN has_table_privilege('mren_nobody', oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
       ELSE has_sequence_privilege('mren_nobody', oid, 'USAGE, SELECT, UPDATE') END);
SET ROLE mren_nobody;
SELECT error_of($$SELECT mren.save_model('m', network) FROM networks$$);
SELECT error_of($$SELECT * FROM mren.model$$);
SELECT error_of($$SELECT * FROM mren.weight$$);
SELECT error_of($$INSERT INTO mren.model_grant VALUES (1, 'mren_nobody', 'admin', 'mren_nobody')$$);
RESET ROLE;

-- From here on, everybody may execute everything: the rights on a model decide.
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA mren TO mren_writers;
GRANT mren_writers TO mren_nobody, mren_predicts, mren_trains, mren_admin, mren_owner, mren_other;

SET ROLE mren_owner;
SELECT mren.save_model('m', network) FROM networks;
SELECT mren.save_model('m', network) FROM networks;
SELECT mren.grant_model('m', 'mren_predicts', 'predict');
SELECT mren.grant_model('m', 'mren_trains', 'Train');
SELECT mren.grant_model('m', 'mren_admin', 'admin');
SELECT mren.grant_model('m', 'mren_admin', 'admin');    -- again: nothing new
RESET ROLE;
SELECT owner, count(*) FROM mren.models GROUP BY 1;
SELECT grantee, privilege, granted_by FROM mren.model_grant ORDER BY 1, 2;

-- Each call, tried by each role; what it does is undone.
CREATE TABLE calls (i int, call text);
INSERT INTO calls VALUES
    (1, $$SELECT mren.predict('m', 'dog is a kind of animal', 'dog', 'animal')$$),
    (2, $$SELECT mren.classify('m', 'dog is a kind of animal', 'dog', 'animal')$$),
    (3, $$SELECT mren.predict_proba('m', 'dog is a kind of animal', 'dog', 'animal')$$),
    (4, $$SELECT mren.features('m', 'dog is a kind of animal', 'dog', 'animal')$$),
    (5, $$SELECT mren.explain('m', 'dog is a kind of animal', 'dog', 'animal')$$),
    (6, $$SELECT mren.predict_rows('m', 'SELECT * FROM pairs')$$),
    (7, $$SELECT mren.evaluate('m', 'SELECT * FROM pairs')$$),
    (8, $$SELECT mren.confusion_matrix('m', 'SELECT * FROM pairs')$$),
    (9, $$SELECT mren.export_model('m')$$),
    (10, $$SELECT mren.save_model('m', network) FROM networks$$),
    (11, $$SELECT mren.import_model('m', decode(substr(network::text, 3), 'hex')) FROM networks$$),
    (12, $$SELECT mren.promote('m', 1)$$),
    (13, $$SELECT mren.rollback('m')$$),
    (14, $$SELECT mren.drop_version('m', 1)$$),
    (15, $$SELECT mren.drop_model('m')$$),
    (16, $$SELECT mren.grant_model('m', 'mren_nobody', 'predict')$$),
    (17, $$SELECT mren.revoke_model('m', 'mren_predicts', 'predict')$$),
    (18, format('SELECT mren.alter_model_owner(%L, %L)', 'm', 'mren_owner'));
GRANT SELECT ON calls TO PUBLIC;
SELECT mren.promote('m', 2);

-- "yes", "-" if a right is missing, or another error's SQLSTATE.
CREATE FUNCTION may(who name, call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', who);
    BEGIN
        EXECUTE call;
        RAISE EXCEPTION USING ERRCODE = 'MRENX';
    EXCEPTION
        WHEN SQLSTATE 'MRENX' THEN answer := 'yes';
        WHEN insufficient_privilege THEN answer := '-';
        WHEN OTHERS THEN answer := SQLSTATE;
    END;
    RESET ROLE;
    RETURN answer;
END
$$;
SET client_min_messages = error;    -- evaluating on training rows warns
SELECT substring(call FROM 'mren\.\w+') AS call,
       may('mren_nobody', call) AS nobody, may('mren_predicts', call) AS predict, may('mren_trains', call) AS train,
       may('mren_admin', call) AS admin, may('mren_owner', call) AS owner, may('mren_other', call) AS other,
       may(current_user, call) AS superuser
FROM calls ORDER BY i;
RESET client_min_messages;

-- The message says who can help.
SET ROLE mren_nobody;
SELECT error_of($$SELECT mren.predict('m', 'dog is a kind of animal', 'dog', 'animal')$$);
SELECT error_of($$SELECT mren.promote('m', 1)$$);
RESET ROLE;

-- The views show what one may use, and nobody's function in WHERE sees more.
SET ROLE mren_other;
SELECT mren.save_model('other', network) FROM networks;
SELECT DISTINCT model FROM mren.models;
CREATE FUNCTION pg_temp.peek(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS
    $$BEGIN RAISE NOTICE 'saw %', $1; RETURN true; END$$;
SELECT count(*) FROM mren.models WHERE pg_temp.peek(model);
RESET ROLE;
SET ROLE mren_trains;
SELECT DISTINCT model FROM mren.models;
RESET ROLE;
SET ROLE mren_nobody;
SELECT count(*) FROM mren.models;
RESET ROLE;
SELECT DISTINCT model FROM mren.models ORDER BY 1;

-- Runs: one's own, and those of models that one may train.
INSERT INTO mren.run (model, started_by, started_at, status, backend, phase, query, options)
VALUES ('m', 'mren_owner', '2026-01-01', 'succeeded', 1, 'done', 'SELECT 1', '{}'),
       ('nosuch', 'mren_predicts', '2026-01-01', 'failed', 1, 'rows', 'SELECT 2', '{}'),
       ('m', 'mren_owner', '2026-01-01', 'running', 1, 'epochs', 'SELECT 3', '{}');
UPDATE mren.run SET model_id = (SELECT id FROM mren.model WHERE name = 'm') WHERE model = 'm';
CREATE FUNCTION runs_of(who name) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', who);
    SELECT string_agg(query || ' ' || status, ', ' ORDER BY run) INTO answer FROM mren.runs;
    RESET ROLE;
    RETURN answer;
END
$$;
SELECT who, runs_of(who)
FROM unnest(ARRAY['mren_nobody', 'mren_predicts', 'mren_trains', 'mren_admin', 'mren_owner', 'postgres']) who;
-- A run is alive as long as its backend holds its lock, which is none that another may take.
SELECT max(id) AS run FROM mren.run \gset
SELECT status FROM mren.training_progress;
SELECT pg_advisory_lock(x'6d72656e'::int, :run);
SELECT model, status, phase FROM mren.training_progress;
SELECT pg_advisory_unlock(x'6d72656e'::int, :run);
SELECT model, status, phase FROM mren.training_progress;

-- Asking for rights.
SET ROLE mren_trains;
SELECT mren.has_model_privilege('m', 'predict') AS predict, mren.has_model_privilege('m', 'TRAIN') AS train,
       mren.has_model_privilege('m', 'predict, train') AS either, mren.has_model_privilege('m', 'admin') AS admin;
RESET ROLE;
SELECT error_of($$SELECT mren.has_model_privilege('nosuch', 'predict')$$);
SELECT error_of($$SELECT mren.has_model_privilege('m', 'select')$$);
SELECT error_of($$SELECT mren.has_model_privilege('m', 'train,')$$);
SELECT error_of($$SELECT mren.has_model_privilege(NULL, 'predict')$$);
SELECT error_of($$SELECT mren.has_model_privilege('m', NULL)$$);

-- Granting to public, and taking back.
SELECT mren.grant_model('m', 'public', 'predict');
SELECT may('mren_nobody', $$SELECT mren.export_model('m')$$);
SELECT mren.revoke_model('m', 'public', 'predict');
SELECT may('mren_nobody', $$SELECT mren.export_model('m')$$);
SELECT mren.revoke_model('m', 'public', 'predict');
SELECT mren.revoke_model('m', 'mren_admin', 'admin');
SELECT may('mren_admin', $$SELECT mren.promote('m', 1)$$);
SELECT error_of($$SELECT mren.grant_model('m', 'no such role', 'predict')$$);
SELECT error_of($$SELECT mren.grant_model('m', 'mren_admin', 'write')$$);
SELECT error_of($$SELECT mren.grant_model('nosuch', 'mren_admin', 'predict')$$);
SELECT error_of($$SELECT mren.grant_model(NULL, 'mren_admin', 'predict')$$);
SELECT error_of($$SELECT mren.grant_model('m', NULL, 'predict')$$);
SELECT error_of($$SELECT mren.grant_model('m', 'mren_admin', NULL)$$);
SELECT error_of($$SELECT mren.revoke_model('m', 'mren_admin', 'write')$$);
SELECT error_of($$SELECT mren.revoke_model(NULL, 'mren_admin', 'predict')$$);

-- Deploying over another version is promoting: it needs admin, before any training.
SELECT mren.grant_model('m', 'mren_trains', 'train');
SELECT may('mren_trains', $$SELECT mren.save_model('m', mren.train_agg(sentence, head, tail, relation, NULL, '{"epochs": 1, "deploy": true}')) FROM pairs$$) AS trains,
       may('mren_trains', $$CALL mren.train('m', 'SELECT * FROM pairs', '{"epochs": 1, "deploy": true}')$$) AS trains,
       may('mren_owner', $$SELECT mren.save_model('m', mren.train_agg(sentence, head, tail, relation, NULL, '{"epochs": 1, "deploy": true}')) FROM pairs$$) AS owner;

-- Owners: one must belong to both roles.
SET ROLE mren_owner;
SELECT error_of($$SELECT mren.alter_model_owner('m', 'mren_other')$$);
SELECT error_of($$SELECT mren.alter_model_owner('m', 'no such role')$$);
SELECT error_of($$SELECT mren.alter_model_owner('m', NULL)$$);
RESET ROLE;
SELECT mren.grant_model('m', 'mren_admin', 'admin');
SET ROLE mren_admin;
SELECT error_of($$SELECT mren.alter_model_owner('m', 'mren_admin')$$);
RESET ROLE;
GRANT mren_other TO mren_owner;
SET ROLE mren_owner;
SELECT mren.alter_model_owner('m', 'mren_other');
-- It belongs to a role that mren_owner is a member of, so that it still may.
SELECT mren.promote('m', 1);
RESET ROLE;
REVOKE mren_other FROM mren_owner;
SELECT may('mren_owner', $$SELECT mren.promote('m', 2)$$), may('mren_other', $$SELECT mren.promote('m', 2)$$);

DROP OWNED BY mren_nobody, mren_predicts, mren_trains, mren_admin, mren_owner, mren_other, mren_writers;
DROP ROLE mren_nobody, mren_predicts, mren_trains, mren_admin, mren_owner, mren_other, mren_writers;

-- Whoever owned a model is gone; a superuser finds it a new owner.
SELECT mren.alter_model_owner('m', 'postgres'), mren.drop_model('m'), mren.drop_model('other');
