-- Lexicons: phrases with types, from a query or an array.

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
    'Lexicons; sha256 is over phrases, types and confidences in bytewise order, so it does not depend on the order of the rows.';

CREATE TABLE mren.lexicon_phrase (
    lexicon     bigint NOT NULL,
    phrase      text COLLATE "C" NOT NULL,
    type        text COLLATE "C" NOT NULL,
    confidence  double precision NOT NULL,
    PRIMARY KEY (lexicon, phrase, type)
);
COMMENT ON TABLE mren.lexicon_phrase IS 'The phrases of mren.lexicon with their types.';

SELECT pg_catalog.pg_extension_config_dump('mren.lexicon_id', '');
SELECT pg_catalog.pg_extension_config_dump('mren.lexicon', '');
SELECT pg_catalog.pg_extension_config_dump('mren.lexicon_phrase', '');

CREATE FUNCTION mren.load_lexicon(name text, query text)
RETURNS bigint
AS 'MODULE_PATHNAME', 'mren_load_lexicon'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.load_lexicon(text, text) IS
    'Loads a lexicon from a query, run read-only; its columns go by name: phrase, type and, if there, confidence. Returns the number of phrases.';

CREATE FUNCTION mren.load_lexicon(name text, phrases text[], type text)
RETURNS bigint
AS 'MODULE_PATHNAME', 'mren_load_lexicon_array'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.load_lexicon(text, text[], text) IS
    'Loads a lexicon of phrases that all have one type; returns the number of phrases.';

CREATE FUNCTION mren.drop_lexicon(name text)
RETURNS void
AS 'MODULE_PATHNAME', 'mren_drop_lexicon'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.drop_lexicon(text) IS 'Drops a lexicon; refused while a model needs it.';

CREATE VIEW mren.lexicons AS
SELECT name, phrases, types, pg_catalog.encode(sha256, 'hex') AS sha256, owner, loaded_at
FROM mren.lexicon;
COMMENT ON VIEW mren.lexicons IS 'The lexicons that are loaded; phrases counts each with each of its types.';
