-- Retraining: from a stored query, on new rows, judged by hold-out rows, by the owner only.
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql
SET client_min_messages = warning;

-- Twenty sentences of each pair; `wrong` has every label exchanged.
CREATE TABLE source AS
SELECT p.sentence || CASE WHEN g = 1 THEN '' ELSE ' x' || g END AS sentence, head, tail, relation,
    CASE relation WHEN 'part_of' THEN 'kind_of' WHEN 'kind_of' THEN 'none' ELSE 'part_of' END AS wrong, g
FROM pairs p, generate_series(1, 20) g;
CREATE TABLE labelled AS SELECT sentence, head, tail, relation FROM source LIMIT 0;
CREATE FUNCTION set_rows(from_g int, to_g int, labels text) RETURNS void LANGUAGE sql AS $$
    DELETE FROM labelled;
    INSERT INTO labelled SELECT sentence, head, tail, CASE labels WHEN 'wrong' THEN wrong ELSE relation END
    FROM source WHERE g BETWEEN from_g AND to_g;
$$;
-- The outcome of the last run
CREATE VIEW last AS
SELECT model, call, version, status, verdict, champion, holdout_rows, holdout_seen, new_rows, measure, champion_score, challenger_score, lower_bound
FROM mren.runs ORDER BY run DESC LIMIT 1;

-- Versions of an earlier release have no recorded scores with which the present one is compared.
CREATE FUNCTION forget_scores() RETURNS void LANGUAGE sql AS 'UPDATE mren.model_version SET holdout_rows = NULL';

SELECT set_rows(1, 20, 'wrong');
CALL mren.train('m', 'SELECT * FROM labelled', '{"hidden": [16], "epochs": 8, "holdout_share": 0.25, "embeddings": "tiny"}');
SELECT version, deployed, query, query_owner, options -> 'holdout_share' AS holdout_share, training_rows FROM mren.models;
SELECT call, options FROM mren.runs;

-- With the same rows nothing is trained, unless min_new_rows is 0.
CALL mren.retrain('m');
SELECT * FROM last;
SELECT status, verdict, reason, finished_at IS NOT NULL AS finished FROM mren.runs ORDER BY run DESC LIMIT 1;
CALL mren.retrain('m', min_new_rows => 0);
SELECT verdict, champion_score = challenger_score AS equal, lower_bound, holdout_seen, new_rows FROM last;
-- The same rows, options and seed give the same network, bit for bit.
SELECT count(DISTINCT sha256) AS networks FROM mren.models WHERE model = 'm';

-- A worse version is not deployed, and mren.runs says why.
SELECT set_rows(1, 20, 'right');
CALL mren.train('good', 'SELECT * FROM labelled', '{"hidden": [16], "epochs": 8, "holdout_share": 0.25}');
CALL mren.retrain('good', min_new_rows => 0, options => '{"epochs": 1, "learning_rate": 1e-8, "hash_bits": 0}');
SELECT verdict, champion_score, challenger_score < 0.8 AS worse, lower_bound < 0 AS below FROM last;
SELECT reason ~ '^accuracy is 0\.\d{4}, that of version 1 is 1\.0000, on \d+ rows; the lower bound of the difference is -0\.\d{4}, the margin 0$' AS reason
FROM mren.runs ORDER BY run DESC LIMIT 1;
SELECT version, deployed FROM mren.models WHERE model = 'good' ORDER BY 1;

-- A better version is deployed: all labels were wrong before and are right now.
SELECT mren.predict('m', 'dog is a kind of animal', 'dog', 'animal');
SELECT forget_scores();
CALL mren.retrain('m');
SELECT verdict, champion, champion_score, challenger_score, lower_bound, holdout_seen, measure FROM last;
SELECT reason FROM mren.runs ORDER BY run DESC LIMIT 1;
SELECT version, deployed FROM mren.models WHERE model = 'm' ORDER BY 1;
SELECT mren.predict('m', 'dog is a kind of animal', 'dog', 'animal');
-- Hold-out rows are not trained on, and are the same in each run.
SELECT count(DISTINCT holdout_rows) AS holdouts, count(*) AS runs, min(holdout_rows) > 200 AS enough FROM mren.runs
WHERE model = 'm' AND holdout_rows IS NOT NULL;
SELECT v.training_rows + r.holdout_rows AS all_rows FROM mren.models v JOIN mren.runs r USING (model, version)
WHERE model = 'm' AND version = 3;

-- The margin, and promote => never and always
SELECT set_rows(1, 20, 'wrong');
SELECT forget_scores();
CALL mren.retrain('m', margin => 1);
SELECT verdict, champion_score, challenger_score, lower_bound FROM last;
SELECT forget_scores();
SET client_min_messages = error;
CALL mren.retrain('m', promote => 'never');
SET client_min_messages = warning;
SELECT verdict FROM last;
SELECT reason FROM mren.runs ORDER BY run DESC LIMIT 1;
SELECT version FROM mren.models WHERE model = 'm' AND deployed;
SELECT set_rows(1, 2, 'right');
CALL mren.retrain('m', min_new_rows => 0, promote => 'always');
SELECT verdict, holdout_rows < 200 AS few FROM last;
SELECT regexp_replace(reason, '\d+ of the', 'N of the') AS reason FROM mren.runs ORDER BY run DESC LIMIT 1;
SELECT version FROM mren.models WHERE model = 'm' AND deployed;

-- With a negative relation the measure is micro F1 without that relation, as in mren.evaluate.
SELECT set_rows(1, 20, 'right');
CALL mren.train('f1', 'SELECT * FROM labelled', '{"hidden": [4], "epochs": 1, "holdout_share": 0.25, "negative": "none", "learning_rate": 1e-8, "hash_bits": 0}');
CALL mren.retrain('f1', min_new_rows => 0, options => '{"hidden": [16], "epochs": 8, "learning_rate": null}');
SELECT verdict, measure, challenger_score FROM last;
-- Rows that the champion was trained on are not used to judge it.
SELECT set_rows(1, 12, 'wrong');
CALL mren.train('late', 'SELECT * FROM labelled', '{"hidden": [16], "epochs": 8}');
SELECT set_rows(1, 20, 'wrong');
CALL mren.retrain('late');
SELECT verdict, holdout_rows < 200 AS few, holdout_seen > 200 AS seen, new_rows > 0 AS new FROM last;
SELECT regexp_replace(reason, '\d+ of the', 'N of the') AS reason FROM mren.runs ORDER BY run DESC LIMIT 1;
SELECT options -> 'holdout_share' AS holdout_share FROM mren.models WHERE model = 'late' ORDER BY version;

-- Groups are held out as a whole; rows of split "test" are used neither for training nor for judging.
CREATE VIEW grouped AS SELECT sentence, head, tail, relation, g AS "group", CASE WHEN g > 18 THEN 'test' END AS split FROM source;
CALL mren.train('groups', 'SELECT * FROM grouped', '{"hidden": [16], "epochs": 4, "holdout_share": 0.4}');
CALL mren.retrain('groups', min_new_rows => 0);
SELECT verdict, holdout_rows % 108 AS rest, (v.training_rows + r.holdout_rows) / 108 AS groups, holdout_seen
FROM mren.runs r JOIN mren.models v USING (model, version) WHERE model = 'groups' AND call = 'retrain';

-- Options override the stored ones, and are stored in turn.
SELECT v.version, v.options ->> 'epochs' AS epochs, v.options -> 'hidden' AS hidden FROM mren.models v WHERE model = 'f1' ORDER BY 1;
SELECT given FROM mren.model_version v JOIN mren.model m ON m.id = v.model WHERE name = 'f1' ORDER BY version;

-- Old versions are dropped, but not the deployed one nor the one that rollback would deploy.
SELECT array_agg(version ORDER BY version) FROM mren.models WHERE model = 'm';
SELECT set_rows(1, 2, 'right');
CALL mren.retrain('m', min_new_rows => 0, keep_versions => 3, options => '{"epochs": 1}');
SELECT array_agg(version ORDER BY version) AS versions, max(version) FILTER (WHERE deployed) AS deployed FROM mren.models WHERE model = 'm';
SELECT mren.promote('m', version) FROM mren.models WHERE model = 'm' AND NOT deployed ORDER BY version LIMIT 1;
CALL mren.retrain('m', min_new_rows => 0, keep_versions => 1, options => '{"epochs": 1}');
SELECT array_agg(version ORDER BY version) AS versions, max(version) FILTER (WHERE deployed) AS deployed FROM mren.models WHERE model = 'm';
SELECT mren.rollback('m');
SELECT count(*) AS without_version FROM mren.weight w WHERE NOT EXISTS (SELECT FROM mren.model_version v WHERE v.id = w.version);
CALL mren.retrain('m', min_new_rows => 0, keep_versions => NULL, options => '{"epochs": 1}');
SELECT count(*) FROM mren.models WHERE model = 'm';

-- A warm start
SELECT set_rows(1, 20, 'right');
DO $$
DECLARE v int; w text;
BEGIN
    CALL mren.retrain('good', min_new_rows => 0, warm_start => true, options => '{"epochs": 1, "learning_rate": 1e-8}', version => v, verdict => w);
END
$$;
SELECT verdict, champion_score, challenger_score FROM last;

-- A time budget stops at the best epoch so far.
CALL mren.retrain('good', min_new_rows => 0, time_budget => '0.5 s', options => '{"epochs": 10000, "patience": 0}');
SELECT verdict, challenger_score, epoch < 10000 AS stopped, phase FROM mren.runs ORDER BY run DESC LIMIT 1;

-- It works within a transaction block, and then records no run.
SELECT count(*) AS runs FROM mren.runs;
BEGIN;
CALL mren.retrain('good', min_new_rows => 0, promote => 'always');
SELECT max(version) FILTER (WHERE deployed) = max(version) AS deployed FROM mren.models WHERE model = 'good';
SELECT count(*) AS locks FROM pg_locks WHERE locktype = 'object' AND classid IN ('mren.run'::regclass, 'mren.model'::regclass);
ROLLBACK;
SELECT max(version) FILTER (WHERE deployed) = max(version) AS deployed FROM mren.models WHERE model = 'good';
SELECT count(*) AS runs FROM mren.runs;
SELECT count(*) AS locks FROM pg_locks WHERE locktype = 'object' AND classid IN ('mren.run'::regclass, 'mren.model'::regclass);

-- Arguments
SELECT error_of($$CALL mren.retrain('none')$$);
SELECT error_of($$CALL mren.retrain(NULL)$$);
SELECT error_of($$CALL mren.retrain('m', min_new_rows => -1)$$);
SELECT error_of($$CALL mren.retrain('m', min_new_rows => NULL)$$);
SELECT error_of($$CALL mren.retrain('m', promote => 'perhaps')$$);
SELECT error_of($$CALL mren.retrain('m', promote => NULL)$$);
SELECT error_of($$CALL mren.retrain('m', margin => 'NaN')$$);
SELECT error_of($$CALL mren.retrain('m', margin => 2)$$);
SELECT error_of($$CALL mren.retrain('m', time_budget => '0 s')$$);
SELECT error_of($$CALL mren.retrain('m', keep_versions => 0)$$);
SELECT error_of($$CALL mren.retrain('m', options => '{"deploy": true}')$$);
SELECT error_of($$CALL mren.retrain('m', options => '[]')$$);
SELECT error_of($$CALL mren.retrain('m', options => '{"holdout_share": 0.6}')$$);
SELECT split_part(error_of($$CALL mren.retrain('m', options => '{"epoch": 6}')$$), E'\n', 1);
BEGIN READ ONLY;
CALL mren.retrain('m');
ROLLBACK;

-- Taggers are not retrained.
CALL mren.train_tagger('tags', $$SELECT string_to_array(sentence, ' ') AS tokens, 'B-thing'::text || array_fill('O'::text,
    ARRAY[array_length(string_to_array(sentence, ' '), 1) - 1]) AS tags FROM pairs$$, '{"epochs": 1}');
SELECT error_of($$CALL mren.retrain('tags')$$);

-- Models without a stored query
SELECT mren.save_model('saved', mren.train_agg(sentence, head, tail, relation)) FROM pairs;
SELECT error_of($$CALL mren.retrain('saved')$$);
SELECT mren.import_model('copied', mren.export_model('good'));
SELECT error_of($$CALL mren.retrain('copied')$$);
-- as in 0.1.0, which stored the query with the run only
UPDATE mren.model_version SET query = NULL, search_path = NULL, query_owner = NULL, given = NULL;
SET client_min_messages = error;
CALL mren.retrain('late', min_new_rows => 0, promote => 'never');
SET client_min_messages = warning;
SELECT verdict FROM last;
SELECT query, query_owner FROM mren.models WHERE model = 'late' ORDER BY version DESC LIMIT 1;
-- but not the runs of an earlier model of the same name
UPDATE mren.model_version SET query = NULL, search_path = NULL, query_owner = NULL, given = NULL;
SELECT mren.drop_model('late');
SELECT mren.save_model('late', mren.train_agg(sentence, head, tail, relation)) FROM pairs;
SELECT split_part(error_of($$CALL mren.retrain('late')$$), E'\n', 1);

-- The query runs with the search_path that it was given with.
CREATE SCHEMA one;
CREATE SCHEMA two;
CREATE TABLE one.rows AS SELECT sentence, head, tail, relation FROM pairs;
CREATE TABLE two.rows AS SELECT sentence, head, tail, relation FROM pairs LIMIT 50;
SET search_path = one, public;
CALL mren.train('path', 'SELECT * FROM rows', '{"hidden": [4], "epochs": 1}');
SET search_path = two, public;
CREATE TEMP TABLE rows AS SELECT sentence, head, tail, relation FROM pairs LIMIT 40;
CALL mren.retrain('path', min_new_rows => 0, options => '{"holdout_share": 0}');
SHOW search_path;
SELECT training_rows FROM mren.models WHERE model = 'path' ORDER BY version;
SELECT search_path FROM mren.model_version WHERE search_path LIKE 'one%' ORDER BY version;
DROP TABLE pg_temp.rows;
RESET search_path;

-- Privileges
SET client_min_messages = error;
DROP ROLE IF EXISTS mren_retrains, mren_member, mren_owns, mren_grantee, mren_stranger;
SET client_min_messages = warning;
CREATE ROLE mren_retrains;
CREATE ROLE mren_owns;
CREATE ROLE mren_member IN ROLE mren_owns;
CREATE ROLE mren_grantee;
CREATE ROLE mren_stranger;
GRANT mren_retrains TO mren_owns, mren_grantee;
CREATE TABLE secret AS SELECT sentence, head, tail, relation FROM pairs;
GRANT SELECT ON secret TO mren_owns;
CREATE TABLE theirs AS SELECT sentence, head, tail, relation, current_user AS who FROM pairs;
GRANT SELECT ON theirs TO PUBLIC;
SET ROLE mren_owns;
SELECT error_of($$CALL mren.retrain('m')$$);
RESET ROLE;
GRANT EXECUTE ON PROCEDURE mren.train(text, text, jsonb, integer),
    mren.retrain(text, bigint, interval, text, double precision, boolean, integer, jsonb, integer, text) TO mren_retrains;
GRANT EXECUTE ON FUNCTION mren.grant_model(text, name, text), mren.promote(text, integer), mren.alter_model_owner(text, name) TO mren_retrains;
SET ROLE mren_owns;
CALL mren.train('owned', 'SELECT * FROM secret', '{"hidden": [4], "epochs": 1}');
SELECT mren.grant_model('owned', 'mren_grantee', 'admin');
CALL mren.retrain('owned', min_new_rows => 0);
SELECT error_of($$CALL mren.retrain('m')$$);
-- a member runs it with the owner's rights
SET ROLE mren_member;
CALL mren.retrain('owned', min_new_rows => 0, options => '{"seed": 2}');
SELECT started_by, status, query FROM mren.runs ORDER BY run DESC LIMIT 1;
-- a right on the model does not run the owner's query
SET ROLE mren_grantee;
SELECT error_of($$CALL mren.retrain('owned')$$);
SELECT query FROM mren.models WHERE model = 'owned' AND version = 1;
-- nor does the owner run a query that somebody else has left there
CALL mren.train('owned', 'SELECT * FROM theirs', '{"hidden": [4], "epochs": 1, "deploy": true}');
SET ROLE mren_owns;
SELECT error_of($$CALL mren.retrain('owned')$$);
SELECT mren.promote('owned', 3);
CALL mren.retrain('owned', min_new_rows => 0);
RESET ROLE;
-- the query cannot take on other rights, write, or leave anything to the end of the transaction
CREATE FUNCTION become(role text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE format('SET ROLE %I', role); RETURN 'none'; END $$;
CREATE FUNCTION make() RETURNS text LANGUAGE plpgsql AS $$ BEGIN CREATE TEMP TABLE t (); RETURN 'none'; END $$;
CREATE FUNCTION later() RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DECLARE late CURSOR WITH HOLD FOR SELECT public.writes()'; RETURN 'none'; END $$;
CREATE FUNCTION writes() RETURNS text LANGUAGE plpgsql AS $$ BEGIN DELETE FROM public.labelled; RETURN 'none'; END $$;
UPDATE mren.model_version v SET query = $$SELECT sentence, head, tail, make() AS relation FROM pairs$$, given = '{}', query_owner = 'postgres'
FROM mren.model m WHERE m.id = v.model AND m.name = 'good';
SELECT error_of($$CALL mren.retrain('good')$$);
UPDATE mren.model_version v SET query = $$SELECT sentence, head, tail, become('mren_stranger') AS relation FROM pairs$$
FROM mren.model m WHERE m.id = v.model AND m.name = 'good';
SELECT error_of($$CALL mren.retrain('good')$$);
UPDATE mren.model_version v SET query = $$SELECT sentence, head, tail, writes() AS relation FROM pairs$$
FROM mren.model m WHERE m.id = v.model AND m.name = 'good';
SELECT error_of($$CALL mren.retrain('good')$$);
UPDATE mren.model_version v SET query = $$SELECT sentence, head, tail, later() AS relation FROM pairs$$
FROM mren.model m WHERE m.id = v.model AND m.name = 'good';
SELECT error_of($$CALL mren.retrain('good')$$);
UPDATE mren.model_version v SET query_owner = 'mren_gone'
FROM mren.model m WHERE m.id = v.model AND m.name = 'good';
SELECT error_of($$CALL mren.retrain('good')$$);
SELECT current_user = session_user AS same_user;
SELECT mren.drop_model(model) FROM (SELECT DISTINCT model FROM mren.models WHERE owner = 'mren_owns') AS t;
DROP TABLE secret, theirs;
DROP OWNED BY mren_retrains, mren_owns, mren_member, mren_grantee, mren_stranger;
DROP ROLE mren_retrains, mren_member, mren_owns, mren_grantee, mren_stranger;
