-- Lexicons, which are sets of phrases with their entity types.

CREATE SEQUENCE mren.lexicon_id;

CREATE TABLE mren.lexicon (
    id          bigint PRIMARY KEY DEFAULT pg_catalog.nextval('mren.lexicon_id'),
    name        text COLLATE "C" NOT NULL UNIQUE,
    owner       name NOT NULL,
    phrases     bigint NOT NULL,
    types       text[] NOT NULL,
    sha256      bytea NOT NULL,
    loaded_at   timestamptz NOT NULL
);
COMMENT ON TABLE mren.lexicon IS
    'Lexicons, one row per lexicon; sha256 covers phrases, types and confidences in bytewise order, and therefore does not depend on the order of the rows.';

CREATE TABLE mren.lexicon_phrase (
    lexicon     bigint NOT NULL,
    phrase      text COLLATE "C" NOT NULL,
    type        text COLLATE "C" NOT NULL,
    confidence  double precision NOT NULL,
    PRIMARY KEY (lexicon, phrase, type)
);
COMMENT ON TABLE mren.lexicon_phrase IS
    'Phrases of mren.lexicon with their types.';

SELECT pg_catalog.pg_extension_config_dump('mren.lexicon_id', '');
SELECT pg_catalog.pg_extension_config_dump('mren.lexicon', '');
SELECT pg_catalog.pg_extension_config_dump('mren.lexicon_phrase', '');

CREATE FUNCTION mren.load_lexicon(name text, query text)
RETURNS bigint
AS 'MODULE_PATHNAME', 'mren_load_lexicon'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.load_lexicon(text, text) IS
    'Loads a lexicon from the result of a query, which must have the columns phrase and type and may have the column confidence, and returns the number of phrases. The query runs read-only.';

CREATE FUNCTION mren.load_lexicon(name text, phrases text[], type text)
RETURNS bigint
AS 'MODULE_PATHNAME', 'mren_load_lexicon_array'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.load_lexicon(text, text[], text) IS
    'Loads a lexicon of phrases that all have the same type and returns the number of phrases.';

CREATE FUNCTION mren.drop_lexicon(name text)
RETURNS void
AS 'MODULE_PATHNAME', 'mren_drop_lexicon'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.drop_lexicon(text) IS
    'Drops a lexicon; this is an error while a model uses it.';

CREATE VIEW mren.lexicons AS
SELECT name, phrases, types, pg_catalog.encode(sha256, 'hex') AS sha256, owner, loaded_at
FROM mren.lexicon;
COMMENT ON VIEW mren.lexicons IS
    'Lexicons that are loaded; a phrase with several types is counted once for each.';
