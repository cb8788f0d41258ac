-- Word embeddings: load, look at, drop.

CREATE FUNCTION mren.load_embeddings(name text, path text, format text DEFAULT 'auto', max_words integer DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'mren_load_embeddings'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.load_embeddings(text, text, text, integer) IS
    'Loads word vectors from a file of the server (word2vec binary or text, GloVe, fastText .vec); returns the number of words.';

CREATE FUNCTION mren.load_embeddings(name text, contents bytea, format text DEFAULT 'auto', max_words integer DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'mren_load_embeddings_bytea'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.load_embeddings(text, bytea, text, integer) IS
    'Loads word vectors from the contents of a file; returns the number of words.';

CREATE FUNCTION mren.load_embeddings(name text, large_object oid, format text DEFAULT 'auto', max_words integer DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'mren_load_embeddings_large_object'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.load_embeddings(text, oid, text, integer) IS
    'Loads word vectors from a large object (of a client''s file: \lo_import); returns the number of words.';

CREATE FUNCTION mren.drop_embeddings(name text)
RETURNS void
AS 'MODULE_PATHNAME', 'mren_drop_embeddings'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.drop_embeddings(text) IS
    'Drops a set of word embeddings; refused while a model needs it.';

CREATE FUNCTION mren.word_vector(embeddings text, word text)
RETURNS real[]
AS 'MODULE_PATHNAME', 'mren_word_vector'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mren.word_vector(text, text) IS
    'The vector of a word, under the first of these spellings that is loaded: as written, lower case, digits as 0, as #; NULL for an unknown word.';

CREATE VIEW mren.embeddings AS
SELECT name, dimension, words AS size, pg_catalog.encode(sha256, 'hex') AS sha256, loaded_at, format, owner
FROM mren.embedding;
COMMENT ON VIEW mren.embeddings IS 'The word embeddings that are loaded; size in words.';
