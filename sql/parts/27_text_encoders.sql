-- Pretrained text encoders.

CREATE SEQUENCE mren.text_encoder_id;

CREATE TABLE mren.text_encoder (
    id          bigint PRIMARY KEY DEFAULT pg_catalog.nextval('mren.text_encoder_id'),
    name        text COLLATE "C" NOT NULL UNIQUE,
    owner       name NOT NULL,
    architecture text NOT NULL,
    layers      integer NOT NULL,
    width       integer NOT NULL,
    heads       integer NOT NULL,
    parameters  bigint NOT NULL,
    positions   integer NOT NULL,
    vocabulary  integer NOT NULL,
    tokenizer   text NOT NULL,
    size        bigint NOT NULL,
    sha256      bytea NOT NULL,
    loaded_at   timestamptz NOT NULL
);
COMMENT ON TABLE mren.text_encoder IS
    'Pretrained text encoders, one row per encoder; sha256 and size are those of what is stored: configuration, tokenizer and weights in a form that does not depend on the names and the order of the tensors in the files.';

CREATE TABLE mren.text_encoder_part (
    encoder     bigint NOT NULL,
    part        integer NOT NULL,
    bytes       bytea NOT NULL,
    PRIMARY KEY (encoder, part)
);
ALTER TABLE mren.text_encoder_part ALTER COLUMN bytes SET STORAGE EXTERNAL;
COMMENT ON TABLE mren.text_encoder_part IS
    'Contents of mren.text_encoder, split into parts.';

SELECT pg_catalog.pg_extension_config_dump('mren.text_encoder_id', '');
SELECT pg_catalog.pg_extension_config_dump('mren.text_encoder', '');
SELECT pg_catalog.pg_extension_config_dump('mren.text_encoder_part', '');

CREATE FUNCTION mren.load_text_encoder(name text, path text)
RETURNS integer
AS 'MODULE_PATHNAME', 'mren_load_text_encoder'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.load_text_encoder(text, text) IS
    'Loads a pretrained text encoder from a directory on the server that contains config.json, model.safetensors and tokenizer.json or vocab.txt, or from a zip or tar archive of them, and returns the dimension of its vectors.';

CREATE FUNCTION mren.load_text_encoder(name text, contents bytea)
RETURNS integer
AS 'MODULE_PATHNAME', 'mren_load_text_encoder_bytea'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.load_text_encoder(text, bytea) IS
    'Loads a pretrained text encoder from the contents of a zip or tar archive of its files and returns the dimension of its vectors.';

CREATE FUNCTION mren.load_text_encoder(name text, large_object oid)
RETURNS integer
AS 'MODULE_PATHNAME', 'mren_load_text_encoder_large_object'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.load_text_encoder(text, oid) IS
    'Loads a pretrained text encoder from a large object that contains a zip or tar archive of its files and returns the dimension of its vectors.';

CREATE FUNCTION mren.drop_text_encoder(name text)
RETURNS void
AS 'MODULE_PATHNAME', 'mren_drop_text_encoder'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.drop_text_encoder(text) IS
    'Drops a text encoder; this is an error while a model uses it.';

CREATE FUNCTION mren.tokens(encoder text, sentence text)
RETURNS TABLE (piece text, id integer, span int4range)
AS 'MODULE_PATHNAME', 'mren_tokens'
LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1000 ROWS 30;
COMMENT ON FUNCTION mren.tokens(text, text) IS
    'Returns the pieces into which the tokenizer of a text encoder splits a sentence, with the number of each in the vocabulary and its place in characters, without the special pieces around the sentence.';

CREATE FUNCTION mren.text_features(encoder text, sentence text, pooling text DEFAULT 'mean')
RETURNS real[]
AS 'MODULE_PATHNAME', 'mren_text_features'
LANGUAGE C STABLE STRICT PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION mren.text_features(text, text, text) IS
    'Returns the vector that a text encoder computes for a sentence: the mean of the vectors of its pieces (mean) or the vector of the first one (cls), not normalized.';

CREATE VIEW mren.text_encoders AS
SELECT name, width AS dimension, size, pg_catalog.encode(sha256, 'hex') AS sha256, loaded_at, architecture, layers, heads, parameters, positions, vocabulary, tokenizer, owner
FROM mren.text_encoder;
COMMENT ON VIEW mren.text_encoders IS
    'Text encoders that are loaded; size is that of what is stored in bytes.';
