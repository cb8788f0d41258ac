-- Functions that load, read and drop word embeddings.

CREATE FUNCTION mren.load_embeddings(name text, path text, format text DEFAULT 'auto', max_words integer DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'mren_load_embeddings'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.load_embeddings(text, text, text, integer) IS
    'Loads word vectors (word2vec binary or text, GloVe, fastText .vec) from a file on the server and returns the number of words.';

CREATE FUNCTION mren.load_embeddings(name text, contents bytea, format text DEFAULT 'auto', max_words integer DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'mren_load_embeddings_bytea'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.load_embeddings(text, bytea, text, integer) IS
    'Loads word vectors (word2vec binary or text, GloVe, fastText .vec) from the contents of a file and returns the number of words.';

CREATE FUNCTION mren.load_embeddings(name text, large_object oid, format text DEFAULT 'auto', max_words integer DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'mren_load_embeddings_large_object'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.load_embeddings(text, oid, text, integer) IS
    'Loads word vectors (word2vec binary or text, GloVe, fastText .vec) from a large object and returns the number of words; psql''s \lo_import makes a large object of a file on the client.';

CREATE FUNCTION mren.drop_embeddings(name text)
RETURNS void
AS 'MODULE_PATHNAME', 'mren_drop_embeddings'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.drop_embeddings(text) IS
    'Drops a set of word embeddings; this is an error while a model uses it.';

CREATE FUNCTION mren.word_vector(embeddings text, word text)
RETURNS real[]
AS 'MODULE_PATHNAME', 'mren_word_vector'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mren.word_vector(text, text) IS
    'Returns the vector of a word, or NULL if the word is unknown. The spellings tried are the word as given, in lower case, with digits replaced by 0, and with digits replaced by #.';

CREATE VIEW mren.embeddings AS
SELECT name, dimension, words AS size, pg_catalog.encode(sha256, 'hex') AS sha256, loaded_at, format, owner
FROM mren.embedding;
COMMENT ON VIEW mren.embeddings IS
    'Sets of word embeddings that are loaded; size is the number of words.';
