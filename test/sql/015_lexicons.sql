-- Lexicons: loaded whole or not at all, replaced, looked at, dropped.
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\set VERBOSITY default

CREATE TABLE places (phrase text, type text, confidence float8);
INSERT INTO places VALUES ('New York', 'LOC', 0.9), ('York', 'LOC', NULL), ('IBM', 'ORG', 0.5), ('ibm', 'ORG', 0.25),
    ('Washington', 'PER', 0.25), ('Washington', 'LOC', 0.5);

-- Columns go by name, confidence may be missing or NULL; a trailing semicolon and a comment do no harm.
SELECT mren.load_lexicon('places', 'SELECT type, phrase, confidence, 1 AS more FROM places; -- all');
SELECT mren.load_lexicon('plain', 'SELECT phrase, type FROM places WHERE confidence IS NULL');
SELECT mren.load_lexicon('array', ARRAY['北京', '上海', 'AT&T'], 'LOC');
SELECT mren.load_lexicon('none', 'SELECT phrase, type FROM places WHERE false');
SELECT name, phrases, types, length(sha256), owner = current_user AS mine FROM mren.lexicons ORDER BY name;
SELECT p.* FROM mren.lexicon_phrase p JOIN mren.lexicon l ON l.id = p.lexicon WHERE name IN ('places', 'plain') ORDER BY 1, 2, 3;

-- The hash is of the content: neither the order of rows nor how they were given counts.
SELECT mren.load_lexicon('same', 'SELECT * FROM places ORDER BY confidence DESC');
SELECT mren.load_lexicon('same array', $$SELECT unnest(ARRAY['AT&T', '上海', '北京']) AS phrase, 'LOC' AS type$$);
SELECT count(DISTINCT sha256) FROM mren.lexicons WHERE name IN ('places', 'same');
SELECT count(DISTINCT sha256) FROM mren.lexicons WHERE name IN ('array', 'same array');
SELECT count(DISTINCT sha256) FROM mren.lexicons;

-- Rows that repeat a phrase with its type are joined, and said.
SELECT mren.load_lexicon('same', 'SELECT * FROM places UNION ALL SELECT phrase, type, 0.1 FROM places');
SELECT count(DISTINCT sha256) FROM mren.lexicons WHERE name IN ('places', 'same');
SELECT mren.load_lexicon('twice', ARRAY['a', 'b', 'a'], 'T');

-- A name that exists gets new phrases; its old ones are gone.
SELECT mren.load_lexicon('twice', ARRAY['c'], 'U');
SELECT name, phrases, types FROM mren.lexicons WHERE name = 'twice';
SELECT count(*) FROM mren.lexicon_phrase p LEFT JOIN mren.lexicon l ON l.id = p.lexicon WHERE l.id IS NULL;

-- A rolled back load was never there.
BEGIN;
SELECT mren.load_lexicon('twice', ARRAY['d', 'e'], 'V');
ROLLBACK;
SELECT name, phrases, types FROM mren.lexicons WHERE name = 'twice';

-- A phrase may come from a name, a varchar or an enum.
CREATE TYPE kind AS ENUM ('good', 'bad');
SELECT mren.load_lexicon('enum', $$SELECT relname AS phrase, 'good'::kind AS type FROM pg_catalog.pg_class WHERE relname = 'pg_class'$$);

-- Columns that are missing, double or of a wrong type.
SELECT error_of($$SELECT mren.load_lexicon('bad', 'SELECT 1 AS a, 2 AS b')$$);
SELECT error_of($$SELECT mren.load_lexicon('bad', 'SELECT phrase FROM places')$$);
SELECT error_of($$SELECT mren.load_lexicon('bad', 'SELECT phrase, type, type FROM places')$$);
SELECT error_of($$SELECT mren.load_lexicon('bad', 'SELECT 1 AS phrase, type FROM places')$$);
SELECT error_of($$SELECT mren.load_lexicon('bad', 'SELECT phrase, type, now() AS confidence FROM places')$$);

-- Queries that are none.
SELECT error_of($$SELECT mren.load_lexicon('bad', 'INSERT INTO places VALUES (1)')$$);
SELECT error_of($$SELECT mren.load_lexicon('bad', 'SELECT 1; SELECT 2')$$);
SELECT error_of($$SELECT mren.load_lexicon('bad', 'SELEKT')$$);
CREATE FUNCTION writes() RETURNS text LANGUAGE plpgsql AS 'BEGIN DELETE FROM places; RETURN 1; END';
SELECT error_of($$SELECT mren.load_lexicon('bad', 'SELECT writes() AS phrase, type FROM places')$$);

-- Values that cannot be.
SELECT error_of($$SELECT mren.load_lexicon('bad', 'SELECT NULL::text AS phrase, type FROM places')$$);
SELECT error_of($$SELECT mren.load_lexicon('bad', 'SELECT phrase, NULL::text AS type FROM places')$$);
SELECT error_of($$SELECT mren.load_lexicon('bad', ARRAY['a', NULL], 'T')$$);
SELECT error_of($$SELECT mren.load_lexicon('bad', ARRAY['a', '  '], 'T')$$);
SELECT error_of($$SELECT mren.load_lexicon('bad', ARRAY['a'], '')$$);
SELECT error_of($$SELECT mren.load_lexicon('bad', ARRAY[repeat('long ', 300)], 'T')$$);
SELECT error_of($$SELECT mren.load_lexicon('bad', ARRAY['a'], repeat('T', 1001))$$);
SELECT error_of($$SELECT mren.load_lexicon('bad', 'SELECT phrase, type, 0 AS confidence FROM places')$$);
SELECT error_of($$SELECT mren.load_lexicon('bad', 'SELECT phrase, type, 1.5 AS confidence FROM places')$$);
SELECT error_of($$SELECT mren.load_lexicon('bad', 'SELECT phrase, type, ''NaN''::float8 AS confidence FROM places')$$);
SELECT error_of($$SELECT mren.load_lexicon('bad', 'SELECT phrase, row_number() OVER () || ''t'' AS type FROM places, generate_series(1, 2000)')$$);
SELECT count(*) FROM mren.lexicons WHERE name = 'bad';

-- Arguments.
SELECT error_of($$SELECT mren.load_lexicon(NULL, 'SELECT 1')$$);
SELECT error_of($$SELECT mren.load_lexicon('', 'SELECT 1')$$);
SELECT error_of($$SELECT mren.load_lexicon(repeat('x', 300), 'SELECT 1')$$);
SELECT error_of($$SELECT mren.load_lexicon('x', NULL)$$);
SELECT error_of($$SELECT mren.load_lexicon('x', NULL::text[], 'T')$$);
SELECT error_of($$SELECT mren.load_lexicon('x', ARRAY['a'], NULL)$$);
SELECT error_of($$SELECT mren.drop_lexicon(NULL)$$);
SELECT error_of($$SELECT mren.drop_lexicon('nothing')$$);

-- Memory is bounded.
SET mren.lexicon_cache = '64kB';
SELECT error_of($$SELECT mren.load_lexicon('large', 'SELECT ''w'' || i AS phrase, ''T'' AS type FROM generate_series(1, 5000) i')$$);
RESET mren.lexicon_cache;

-- What a model was trained with can be neither dropped nor replaced, but may be loaded again as it is.
INSERT INTO mren.model (name, owner, last_version, created_at) VALUES ('needs', current_user, 1, now());
INSERT INTO mren.model_version (model, version, created_at, created_by, head, sha256, embeddings, relations, options, training_rows, lexicons)
SELECT m.id, 1, now(), current_user, '', '', '', '{}', '{}', 0, ARRAY[l.sha256] FROM mren.model m, mren.lexicon l
WHERE m.name = 'needs' AND l.name = 'plain';
SELECT error_of($$SELECT mren.drop_lexicon('plain')$$);
SELECT error_of($$SELECT mren.load_lexicon('plain', ARRAY['a'], 'T')$$);
SELECT mren.load_lexicon('plain', ARRAY['York'], 'LOC');
DELETE FROM mren.model_version;
SELECT mren.load_lexicon('plain', ARRAY['a'], 'T');
SELECT mren.drop_lexicon('plain');
SELECT count(*) FROM mren.lexicons WHERE name = 'plain';

-- Rights: whoever may not execute it, and whoever is not the owner.
SET client_min_messages = error;
DROP ROLE IF EXISTS mren_reader, mren_loader;
RESET client_min_messages;
CREATE ROLE mren_reader;
CREATE ROLE mren_loader;
GRANT EXECUTE ON FUNCTION mren.load_lexicon(text, text), mren.drop_lexicon(text), mren.load_lexicon(text, text[], text) TO mren_loader;
SET ROLE mren_reader;
SELECT error_of($$SELECT mren.load_lexicon('mine', ARRAY['a'], 'T')$$);
SELECT error_of($$SELECT * FROM mren.lexicon_phrase$$);
SELECT count(*) > 0 AS seen FROM mren.lexicons;
SET ROLE mren_loader;
SELECT mren.load_lexicon('mine', ARRAY['a'], 'T');
SELECT error_of($$SELECT mren.load_lexicon('places', ARRAY['a'], 'T')$$);
SELECT error_of($$SELECT mren.drop_lexicon('places')$$);
-- The query runs as its caller.
SELECT error_of($$SELECT mren.load_lexicon('mine', 'SELECT * FROM places')$$);
SELECT mren.drop_lexicon('mine');
RESET ROLE;
REVOKE ALL ON FUNCTION mren.load_lexicon(text, text), mren.drop_lexicon(text), mren.load_lexicon(text, text[], text) FROM mren_loader;
DROP ROLE mren_reader, mren_loader;
