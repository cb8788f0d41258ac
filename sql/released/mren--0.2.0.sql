\echo Use "CREATE EXTENSION mren" to load this file. \quit

-- 05_version.sql
-- What is installed.

CREATE FUNCTION mren.version() RETURNS TABLE (component text, version text)
AS 'MODULE_PATHNAME', 'mren_version'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE ROWS 6;
COMMENT ON FUNCTION mren.version() IS
    'The versions of mren, PostgreSQL, BLAS and its kernel, and ICU, and the CPU path in use.';

-- 10_tables.sql
-- The catalog: what mren keeps, one table a kind of thing.
--
-- Only C code of this extension writes here, as the tables' owner, after it has
-- checked the caller's rights.  No foreign keys: they are triggers, and pg_dump
-- restores the rows of extension tables table by table.  Everything is dumped.

CREATE SEQUENCE mren.embedding_id;
CREATE SEQUENCE mren.encoder_id;
CREATE SEQUENCE mren.model_id;
CREATE SEQUENCE mren.version_id;
CREATE SEQUENCE mren.deployment_id;
CREATE SEQUENCE mren.run_id;

-- Word embeddings, one row a set.
CREATE TABLE mren.embedding (
    id          bigint PRIMARY KEY DEFAULT pg_catalog.nextval('mren.embedding_id'),
    name        text COLLATE "C" NOT NULL UNIQUE,
    owner       name NOT NULL,
    dimension   integer NOT NULL,
    words       bigint NOT NULL,
    format      text NOT NULL,
    sha256      bytea NOT NULL,
    loaded_at   timestamptz NOT NULL
);
COMMENT ON TABLE mren.embedding IS
    'Sets of word embeddings; sha256 is over dimension, words and vectors, so it does not depend on the file''s format.';

-- One row a word.  Vectors are stored uncompressed, inline up to about 490
-- numbers, out of line above.
CREATE TABLE mren.embedding_word (
    embedding   bigint NOT NULL,
    id          integer NOT NULL,
    word        text COLLATE "C" NOT NULL,
    vector      real[] NOT NULL
);
ALTER TABLE mren.embedding_word ALTER COLUMN vector SET STORAGE EXTERNAL;
CREATE UNIQUE INDEX embedding_word_word ON mren.embedding_word (embedding, word);
CREATE UNIQUE INDEX embedding_word_id ON mren.embedding_word (embedding, id);
COMMENT ON TABLE mren.embedding_word IS 'Words of mren.embedding with their vectors, numbered in file order.';

-- Image encoders, one row a network, its ONNX file in parts.
CREATE TABLE mren.encoder (
    id          bigint PRIMARY KEY DEFAULT pg_catalog.nextval('mren.encoder_id'),
    name        text COLLATE "C" NOT NULL UNIQUE,
    owner       name NOT NULL,
    output      text NOT NULL,
    mean        real[] NOT NULL,
    std         real[] NOT NULL,
    width       integer NOT NULL,
    height      integer NOT NULL,
    dimension   integer NOT NULL,
    size        bigint NOT NULL,
    sha256      bytea NOT NULL,
    identity    bytea NOT NULL,
    loaded_at   timestamptz NOT NULL
);
COMMENT ON TABLE mren.encoder IS
    'Image encoders; sha256 is of the ONNX file, identity also covers output tensor and normalisation and is what models name.';

CREATE TABLE mren.encoder_part (
    encoder     bigint NOT NULL,
    part        integer NOT NULL,
    bytes       bytea NOT NULL,
    PRIMARY KEY (encoder, part)
);
ALTER TABLE mren.encoder_part ALTER COLUMN bytes SET STORAGE EXTERNAL;
COMMENT ON TABLE mren.encoder_part IS 'The ONNX files of mren.encoder, in parts.';

-- Models; deployed is the id of the version that predictions use.
CREATE TABLE mren.model (
    id          bigint PRIMARY KEY DEFAULT pg_catalog.nextval('mren.model_id'),
    name        text COLLATE "C" NOT NULL UNIQUE,
    owner       name NOT NULL,
    deployed    bigint,
    last_version integer NOT NULL,
    created_at  timestamptz NOT NULL,
    kind        text NOT NULL DEFAULT 'relation' CHECK (kind IN ('relation', 'tagger'))
);
COMMENT ON TABLE mren.model IS 'Models, one row a name; mren.models shows their versions. Kind: relation or tagger.';

-- A version: the network's head (shape, labels, temperature ...) and what is
-- known of its training.  Its weights are in mren.weight.
CREATE TABLE mren.model_version (
    id          bigint PRIMARY KEY DEFAULT pg_catalog.nextval('mren.version_id'),
    model       bigint NOT NULL,
    version     integer NOT NULL,
    created_at  timestamptz NOT NULL,
    created_by  name NOT NULL,
    head        bytea NOT NULL,
    sha256      bytea NOT NULL,
    embeddings  bytea,
    encoder     bytea,
    relations   text[] NOT NULL,
    options     jsonb NOT NULL,
    metrics     jsonb,
    training_rows bigint NOT NULL,
    seconds     double precision,
    lexicons    bytea[],
    query       text,
    search_path text,
    query_owner name,
    given       jsonb,
    UNIQUE (model, version)
);
ALTER TABLE mren.model_version ALTER COLUMN head SET STORAGE EXTERNAL;
COMMENT ON TABLE mren.model_version IS
    'Versions of models; embeddings, encoder and lexicons are content hashes (mren.embedding.sha256, mren.encoder.identity, mren.lexicon.sha256). query, with the search_path and the role it was given under, and the options as given are what mren.retrain goes by.';

-- Weights, tensor by tensor (row-major float4, little-endian), in parts far
-- below the size limit of a field.
CREATE TABLE mren.weight (
    version     bigint NOT NULL,
    tensor      integer NOT NULL,
    part        integer NOT NULL,
    name        text NOT NULL,
    shape       integer[] NOT NULL,
    data        bytea NOT NULL,
    PRIMARY KEY (version, tensor, part)
);
ALTER TABLE mren.weight ALTER COLUMN data SET STORAGE EXTERNAL;
COMMENT ON TABLE mren.weight IS 'The weights of mren.model_version, tensor by tensor.';

-- The history of what was deployed, for mren.rollback.
CREATE TABLE mren.deployment (
    id          bigint PRIMARY KEY DEFAULT pg_catalog.nextval('mren.deployment_id'),
    model       bigint NOT NULL,
    version_id  bigint NOT NULL,
    deployed_at timestamptz NOT NULL,
    deployed_by name NOT NULL,
    undone      boolean NOT NULL DEFAULT false
);
CREATE INDEX deployment_model ON mren.deployment (model, id);
COMMENT ON TABLE mren.deployment IS 'Every deployment of a model''s version, and whether a rollback took it back.';

-- Rights on models beyond their owner's.
CREATE TABLE mren.model_grant (
    model       bigint NOT NULL,
    grantee     name NOT NULL,
    privilege   text NOT NULL CHECK (privilege IN ('predict', 'train', 'admin')),
    granted_by  name NOT NULL,
    PRIMARY KEY (model, grantee, privilege)
);
COMMENT ON TABLE mren.model_grant IS 'Rights on models: predict (read it), train (add versions), admin (everything but ownership).';

-- What every training did, the failed ones too.
CREATE TABLE mren.run (
    id          bigint PRIMARY KEY DEFAULT pg_catalog.nextval('mren.run_id'),
    model       text COLLATE "C" NOT NULL,
    version     integer,
    started_by  name NOT NULL,
    started_at  timestamptz NOT NULL,
    finished_at timestamptz,
    status      text NOT NULL CHECK (status IN ('running', 'succeeded', 'skipped', 'failed', 'canceled', 'terminated')),
    backend     integer NOT NULL,
    phase       text NOT NULL,
    query       text NOT NULL,
    options     jsonb NOT NULL,
    rows        bigint,
    epoch       integer,
    epochs      integer,
    loss        double precision,
    validation_loss double precision,
    validation_f1 double precision,
    rows_per_second double precision,
    seconds_left double precision,
    log         jsonb NOT NULL DEFAULT '[]',
    sqlstate    text,
    message     text,
    call        text NOT NULL DEFAULT 'train',
    champion    integer,
    verdict     text,
    reason      text,
    measure     text,
    champion_score double precision,
    challenger_score double precision,
    lower_bound double precision,
    gate_rows   bigint,
    gate_seen   bigint,
    new_rows    bigint
);
CREATE INDEX run_model ON mren.run (model, id);
COMMENT ON TABLE mren.run IS 'Every training and retraining, in progress or ended, with each epoch in log.';

SELECT pg_catalog.pg_extension_config_dump('mren.embedding_id', '');
SELECT pg_catalog.pg_extension_config_dump('mren.encoder_id', '');
SELECT pg_catalog.pg_extension_config_dump('mren.model_id', '');
SELECT pg_catalog.pg_extension_config_dump('mren.version_id', '');
SELECT pg_catalog.pg_extension_config_dump('mren.deployment_id', '');
SELECT pg_catalog.pg_extension_config_dump('mren.run_id', '');
SELECT pg_catalog.pg_extension_config_dump('mren.embedding', '');
SELECT pg_catalog.pg_extension_config_dump('mren.embedding_word', '');
SELECT pg_catalog.pg_extension_config_dump('mren.encoder', '');
SELECT pg_catalog.pg_extension_config_dump('mren.encoder_part', '');
SELECT pg_catalog.pg_extension_config_dump('mren.model', '');
SELECT pg_catalog.pg_extension_config_dump('mren.model_version', '');
SELECT pg_catalog.pg_extension_config_dump('mren.weight', '');
SELECT pg_catalog.pg_extension_config_dump('mren.deployment', '');
SELECT pg_catalog.pg_extension_config_dump('mren.model_grant', '');
SELECT pg_catalog.pg_extension_config_dump('mren.run', '');

-- 15_lexicons.sql
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

-- 20_embeddings.sql
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

-- 25_images.sql
-- Pictures and the networks that turn them into vectors.

CREATE FUNCTION mren.load_image_encoder(name text, path text, output text DEFAULT NULL, mean real[] DEFAULT NULL, std real[] DEFAULT NULL)
RETURNS integer
AS 'MODULE_PATHNAME', 'mren_load_image_encoder'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.load_image_encoder(text, text, text, real[], real[]) IS
    'Loads an image network from an ONNX file of the server; returns the dimension of its feature vector. output: the tensor to read; mean and std: (x - mean) / std a channel in pixel units 0 to 255, by default ImageNet''s.';

CREATE FUNCTION mren.load_image_encoder(name text, contents bytea, output text DEFAULT NULL, mean real[] DEFAULT NULL, std real[] DEFAULT NULL)
RETURNS integer
AS 'MODULE_PATHNAME', 'mren_load_image_encoder_bytea'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.load_image_encoder(text, bytea, text, real[], real[]) IS
    'Loads an image network from the contents of an ONNX file; returns the dimension of its feature vector.';

CREATE FUNCTION mren.load_image_encoder(name text, large_object oid, output text DEFAULT NULL, mean real[] DEFAULT NULL, std real[] DEFAULT NULL)
RETURNS integer
AS 'MODULE_PATHNAME', 'mren_load_image_encoder_large_object'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.load_image_encoder(text, oid, text, real[], real[]) IS
    'Loads an image network from a large object that holds an ONNX file; returns the dimension of its feature vector.';

CREATE FUNCTION mren.drop_image_encoder(name text)
RETURNS void
AS 'MODULE_PATHNAME', 'mren_drop_image_encoder'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.drop_image_encoder(text) IS
    'Drops an image encoder; refused while a model needs it.';

CREATE FUNCTION mren.image_features(encoder text, image bytea)
RETURNS real[]
AS 'MODULE_PATHNAME', 'mren_image_features'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION mren.image_features(text, bytea) IS
    'The feature vector of a PNG or JPEG picture under an image encoder: what image_vector arguments take.';

CREATE FUNCTION mren.image_info(image bytea, OUT format text, OUT width integer, OUT height integer, OUT channels integer)
AS 'MODULE_PATHNAME', 'mren_image_info_sql'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION mren.image_info(bytea) IS
    'Format, displayed size and stored channels of a PNG or JPEG picture, from its header alone.';

CREATE VIEW mren.image_encoders AS
SELECT name, dimension, size, pg_catalog.encode(sha256, 'hex') AS sha256, loaded_at, output, mean, std, width, height, owner
FROM mren.encoder;
COMMENT ON VIEW mren.image_encoders IS
    'The image encoders that are loaded; size in bytes of the ONNX file.';

-- 30_readers.sql
-- Readers: the formats of published relation-extraction sets as training rows.
--
-- A file is brought in line by line, whatever its bytes:
--   CREATE TABLE raw (n bigserial, line text);
--   \copy raw(line) FROM 'file' WITH (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02', NULL E'\x03')
-- Readers of whole files take string_agg(line, E'\n' ORDER BY n).

CREATE FUNCTION mren.read_semeval(content text)
RETURNS TABLE (id text, sentence text, head int4range, tail int4range, relation text, comment text)
AS 'MODULE_PATHNAME', 'mren_read_semeval'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 8000;
COMMENT ON FUNCTION mren.read_semeval(text) IS
    'Rows of a SemEval-2010 Task 8 file, given whole: numbered sentences with <e1> and <e2> marks, then relation and comment, if there.';

CREATE FUNCTION mren.read_opennre(line text)
RETURNS TABLE (id text, sentence text, head int4range, tail int4range, relation text,
               head_name text, tail_name text, head_type text, tail_type text)
AS 'MODULE_PATHNAME', 'mren_read_opennre'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION mren.read_opennre(text) IS
    'The row of one line of an OpenNRE file: a JSON object with "text" or "token", "h", "t" and "relation"; no row for a blank line.';

CREATE FUNCTION mren.read_fewrel(content text)
RETURNS TABLE (id text, sentence text, head int4range, tail int4range, relation text,
               head_name text, tail_name text)
AS 'MODULE_PATHNAME', 'mren_read_fewrel'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 8000;
COMMENT ON FUNCTION mren.read_fewrel(text) IS
    'Rows of a FewRel file, given whole: a JSON object of lists of sentences by relation.';

CREATE FUNCTION mren.read_mnre(line text)
RETURNS TABLE (id text, sentence text, head int4range, tail int4range, relation text,
               head_name text, tail_name text, head_type text, tail_type text, image_name text)
AS 'MODULE_PATHNAME', 'mren_read_mnre'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION mren.read_mnre(text) IS
    'The row of one line of an MNRE file: a Python dictionary as OpenNRE''s object, with the picture''s name; no row for a blank line.';

CREATE FUNCTION mren.read_conll04(content text, negatives boolean DEFAULT true)
RETURNS TABLE (id text, sentence text, head int4range, tail int4range, relation text,
               head_type text, tail_type text)
AS 'MODULE_PATHNAME', 'mren_read_conll04'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 8000;
COMMENT ON FUNCTION mren.read_conll04(text, boolean) IS
    'Rows of a CoNLL04 file in JSON, given whole or one sentence: every ordered pair of entities; negatives: those without a relation too, as None.';

-- 32_readers.sql
-- Readers that came with 0.2.0.

CREATE FUNCTION mren.read_tacred(content text)
RETURNS TABLE (id text, sentence text, head int4range, tail int4range, relation text,
               head_type text, tail_type text)
AS 'MODULE_PATHNAME', 'mren_read_tacred'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 8000;
COMMENT ON FUNCTION mren.read_tacred(text) IS
    'Rows of a TACRED file, given whole or one row: JSON with tokens, and subject and object by their first and last token; the head is the subject.';

CREATE FUNCTION mren.read_marked(line text)
RETURNS TABLE (id text, sentence text, head int4range, tail int4range, relation text)
AS 'MODULE_PATHNAME', 'mren_read_marked'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION mren.read_marked(text) IS
    'The row of one line with marked mentions, as SciBERT''s files of SciERC and ChemProt have them: a JSON object with "text", in which [[ head ]] and << tail >> stand, and "label"; no row for a blank line.';

-- 40_network.sql
-- The type mren.network: a trained network as one portable value.

CREATE TYPE mren.network;

CREATE FUNCTION mren.network_in(cstring) RETURNS mren.network
    AS 'MODULE_PATHNAME', 'mren_network_in'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.network_in(cstring) IS 'Input of mren.network; checks everything.';

CREATE FUNCTION mren.network_out(mren.network) RETURNS cstring
    AS 'MODULE_PATHNAME', 'mren_network_out'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.network_out(mren.network) IS 'Output of mren.network, hexadecimal.';

CREATE FUNCTION mren.network_recv(internal) RETURNS mren.network
    AS 'MODULE_PATHNAME', 'mren_network_recv'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.network_recv(internal) IS 'Binary input of mren.network; checks everything.';

CREATE FUNCTION mren.network_send(mren.network) RETURNS bytea
    AS 'MODULE_PATHNAME', 'mren_network_send'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.network_send(mren.network) IS 'Binary output of mren.network: the portable bytes.';

-- Weights do not compress, so they are stored as they are.
CREATE TYPE mren.network (
    INPUT = mren.network_in,
    OUTPUT = mren.network_out,
    RECEIVE = mren.network_recv,
    SEND = mren.network_send,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = int4,
    STORAGE = external
);
COMMENT ON TYPE mren.network IS
    'A trained network with its options and validation figures; equal trainings give equal bytes.';

CREATE FUNCTION mren.network_info(network mren.network) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'mren_network_info'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION mren.network_info(mren.network) IS
    'What a network is: relations, dimensions, parameters, content hashes, options, validation figures.';

-- 45_train.sql
-- Training: the aggregate, and the procedure for any number of rows.

-- The aggregate's state: encoded rows.  A concrete type, so that a distributed
-- plan can hand it from node to node.
CREATE TYPE mren.training_set;

CREATE FUNCTION mren.training_set_in(cstring) RETURNS mren.training_set
AS 'MODULE_PATHNAME', 'mren_training_set_in'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.training_set_in(cstring) IS 'I/O';

CREATE FUNCTION mren.training_set_out(mren.training_set) RETURNS cstring
AS 'MODULE_PATHNAME', 'mren_training_set_out'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.training_set_out(mren.training_set) IS 'I/O';

CREATE FUNCTION mren.training_set_recv(internal) RETURNS mren.training_set
AS 'MODULE_PATHNAME', 'mren_training_set_recv'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.training_set_recv(internal) IS 'I/O';

CREATE FUNCTION mren.training_set_send(mren.training_set) RETURNS bytea
AS 'MODULE_PATHNAME', 'mren_training_set_send'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.training_set_send(mren.training_set) IS 'I/O';

CREATE TYPE mren.training_set (
    INPUT = mren.training_set_in,
    OUTPUT = mren.training_set_out,
    RECEIVE = mren.training_set_recv,
    SEND = mren.training_set_send,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = double,
    STORAGE = extended
);
COMMENT ON TYPE mren.training_set IS 'Encoded training rows: the state of mren.train_agg.';

CREATE FUNCTION mren.train_combine(mren.training_set, mren.training_set) RETURNS mren.training_set
AS 'MODULE_PATHNAME', 'mren_train_combine'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION mren.train_combine(mren.training_set, mren.training_set) IS 'Joins two states of mren.train_agg.';

CREATE FUNCTION mren.train_final(mren.training_set) RETURNS mren.network
AS 'MODULE_PATHNAME', 'mren_train_final'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION mren.train_final(mren.training_set) IS 'Trains a network on the rows of a state of mren.train_agg.';

CREATE FUNCTION mren.train_accum(state mren.training_set, sentence text, head text, tail text, relation text)
RETURNS mren.training_set
AS 'MODULE_PATHNAME', 'mren_train_accum'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mren.train_accum(mren.training_set, text, text, text, text) IS 'Adds a row to a state of mren.train_agg.';

CREATE AGGREGATE mren.train_agg(sentence text, head text, tail text, relation text) (
    SFUNC = mren.train_accum,
    STYPE = mren.training_set,
    FINALFUNC = mren.train_final,
    FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = mren.train_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE mren.train_agg(text, text, text, text) IS 'Trains a network on rows with default options.';

CREATE FUNCTION mren.train_accum(state mren.training_set, sentence text, head int4range, tail int4range, relation text)
RETURNS mren.training_set
AS 'MODULE_PATHNAME', 'mren_train_accum_range'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mren.train_accum(mren.training_set, text, int4range, int4range, text) IS 'Adds a row to a state of mren.train_agg.';

CREATE AGGREGATE mren.train_agg(sentence text, head int4range, tail int4range, relation text) (
    SFUNC = mren.train_accum,
    STYPE = mren.training_set,
    FINALFUNC = mren.train_final,
    FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = mren.train_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE mren.train_agg(text, int4range, int4range, text) IS 'Trains a network on rows with default options.';

CREATE FUNCTION mren.train_accum(state mren.training_set, sentence text, head text, tail text, relation text, image bytea, options jsonb)
RETURNS mren.training_set
AS 'MODULE_PATHNAME', 'mren_train_accum_options'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION mren.train_accum(mren.training_set, text, text, text, text, bytea, jsonb) IS 'Adds a row to a state of mren.train_agg.';

CREATE AGGREGATE mren.train_agg(sentence text, head text, tail text, relation text, image bytea, options jsonb) (
    SFUNC = mren.train_accum,
    STYPE = mren.training_set,
    FINALFUNC = mren.train_final,
    FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = mren.train_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE mren.train_agg(text, text, text, text, bytea, jsonb) IS 'Trains a network on rows, some with a picture, with options.';

CREATE FUNCTION mren.train_accum(state mren.training_set, sentence text, head int4range, tail int4range, relation text, image bytea, options jsonb)
RETURNS mren.training_set
AS 'MODULE_PATHNAME', 'mren_train_accum_options_range'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION mren.train_accum(mren.training_set, text, int4range, int4range, text, bytea, jsonb) IS 'Adds a row to a state of mren.train_agg.';

CREATE AGGREGATE mren.train_agg(sentence text, head int4range, tail int4range, relation text, image bytea, options jsonb) (
    SFUNC = mren.train_accum,
    STYPE = mren.training_set,
    FINALFUNC = mren.train_final,
    FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = mren.train_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE mren.train_agg(text, int4range, int4range, text, bytea, jsonb) IS 'Trains a network on rows, some with a picture, with options.';

CREATE FUNCTION mren.train_accum(state mren.training_set, sentence text, head text, tail text, relation text, image bytea, extras jsonb, options jsonb)
RETURNS mren.training_set
AS 'MODULE_PATHNAME', 'mren_train_accum_extras'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION mren.train_accum(mren.training_set, text, text, text, text, bytea, jsonb, jsonb) IS 'Adds a row to a state of mren.train_agg.';

CREATE AGGREGATE mren.train_agg(sentence text, head text, tail text, relation text, image bytea, extras jsonb, options jsonb) (
    SFUNC = mren.train_accum,
    STYPE = mren.training_set,
    FINALFUNC = mren.train_final,
    FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = mren.train_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE mren.train_agg(text, text, text, text, bytea, jsonb, jsonb) IS 'Trains a network on rows with what else is known of them: weight, split, head_type, tail_type, head_box, tail_box, image_vector.';

CREATE FUNCTION mren.train_accum(state mren.training_set, sentence text, head int4range, tail int4range, relation text, image bytea, extras jsonb, options jsonb)
RETURNS mren.training_set
AS 'MODULE_PATHNAME', 'mren_train_accum_extras_range'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION mren.train_accum(mren.training_set, text, int4range, int4range, text, bytea, jsonb, jsonb) IS 'Adds a row to a state of mren.train_agg.';

CREATE AGGREGATE mren.train_agg(sentence text, head int4range, tail int4range, relation text, image bytea, extras jsonb, options jsonb) (
    SFUNC = mren.train_accum,
    STYPE = mren.training_set,
    FINALFUNC = mren.train_final,
    FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = mren.train_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE mren.train_agg(text, int4range, int4range, text, bytea, jsonb, jsonb) IS 'Trains a network on rows with what else is known of them: weight, split, head_type, tail_type, head_box, tail_box, image_vector.';

CREATE FUNCTION mren.encode_example(options jsonb, sentence text, head text, tail text, relation text, image bytea,
    image_vector real[], head_type text, tail_type text, head_box box, tail_box box, weight real, split text)
RETURNS bytea
AS 'MODULE_PATHNAME', 'mren_encode_example_sql'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION mren.encode_example(jsonb, text, text, text, text, bytea, real[], text, text, box, box, real, text) IS
    'A training row as mren.train keeps it; used by mren.train itself.';

CREATE FUNCTION mren.encode_example(options jsonb, sentence text, head int4range, tail int4range, relation text, image bytea,
    image_vector real[], head_type text, tail_type text, head_box box, tail_box box, weight real, split text)
RETURNS bytea
AS 'MODULE_PATHNAME', 'mren_encode_example_range'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION mren.encode_example(jsonb, text, int4range, int4range, text, bytea, real[], text, text, box, box, real, text) IS
    'A training row as mren.train keeps it; used by mren.train itself.';

CREATE PROCEDURE mren.train(model text, query text, options jsonb DEFAULT '{}', INOUT version integer DEFAULT NULL)
AS 'MODULE_PATHNAME', 'mren_train'
LANGUAGE C;
COMMENT ON PROCEDURE mren.train(text, text, jsonb, integer) IS
    'Trains a new version of a model on the rows of a query, run read-only; its columns go by name: sentence, head, tail, relation and, if there, image, image_vector, head_type, tail_type, head_box, tail_box, weight, split.';

-- 47_taggers.sql
-- Taggers: models that find mentions.  Versions, deployment and rights are
-- those of every model.

CREATE FUNCTION mren.encode_tags(options jsonb, tokens text[], tags text[], weight real, split text, "group" text)
RETURNS bytea
AS 'MODULE_PATHNAME', 'mren_encode_tags'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION mren.encode_tags(jsonb, text[], text[], real, text, text) IS
    'A training row as mren.train_tagger keeps it; used by mren.train_tagger itself.';

CREATE FUNCTION mren.encode_mentions(options jsonb, sentence text, mentions int4range[], types text[], weight real, split text, "group" text)
RETURNS bytea
AS 'MODULE_PATHNAME', 'mren_encode_mentions'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION mren.encode_mentions(jsonb, text, int4range[], text[], real, text, text) IS
    'A training row as mren.train_tagger keeps it; used by mren.train_tagger itself.';

CREATE PROCEDURE mren.train_tagger(tagger text, query text, options jsonb DEFAULT '{}', INOUT version integer DEFAULT NULL)
AS 'MODULE_PATHNAME', 'mren_train_tagger'
LANGUAGE C;
COMMENT ON PROCEDURE mren.train_tagger(text, text, jsonb, integer) IS
    'Trains a new version of a tagger on the rows of a query, run read-only; its columns go by name: tokens and tags, or sentence, mentions and types, and, if there, weight, split and group.';

CREATE FUNCTION mren.tag(tagger text, sentence text, version integer DEFAULT NULL)
RETURNS TABLE (mention text, type text, span int4range, confidence double precision)
AS 'MODULE_PATHNAME', 'mren_tag'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000 ROWS 5;
COMMENT ON FUNCTION mren.tag(text, text, integer) IS
    'The mentions that a tagger finds in a sentence, in its order, with type, characters (half open, 0-based) and the probability of exactly this mention.';

CREATE FUNCTION mren.evaluate_tagger(tagger text, query text, version integer DEFAULT NULL)
RETURNS TABLE (type text, "precision" double precision, recall double precision,
               f1 double precision, support bigint)
AS 'MODULE_PATHNAME', 'mren_evaluate_tagger'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000 ROWS 20;
COMMENT ON FUNCTION mren.evaluate_tagger(text, text, integer) IS
    'How well a version of a tagger finds the mentions of a query, exact in place and type: a row a type, then micro avg and macro avg.';

-- 50_predict.sql
-- Predicting functions.  Each takes the same arguments, with both mentions as
-- text (the first occurrence as whole tokens) or both as int4range (characters,
-- half open, 0-based).

-- Tells the planner that a call which may read a picture costs a thousand times
-- one that cannot, so that cheap conditions are tested first.
CREATE FUNCTION mren.predict_support(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'mren_predict_support'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.predict_support(internal) IS 'Planner support of the predicting functions.';

CREATE FUNCTION mren.predict(model text, sentence text, head text, tail text, image bytea DEFAULT NULL,
    head_type text DEFAULT NULL, tail_type text DEFAULT NULL, head_box box DEFAULT NULL, tail_box box DEFAULT NULL,
    image_vector real[] DEFAULT NULL, version integer DEFAULT NULL)
RETURNS text
AS 'MODULE_PATHNAME', 'mren_predict'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE SUPPORT mren.predict_support COST 100;
COMMENT ON FUNCTION mren.predict(text, text, text, text, bytea, text, text, box, box, real[], integer) IS
    'The relation between head and tail in a sentence (and a picture); NULL if sentence or a mention is NULL, or the model abstains.';

CREATE FUNCTION mren.predict(model text, sentence text, head int4range, tail int4range, image bytea DEFAULT NULL,
    head_type text DEFAULT NULL, tail_type text DEFAULT NULL, head_box box DEFAULT NULL, tail_box box DEFAULT NULL,
    image_vector real[] DEFAULT NULL, version integer DEFAULT NULL)
RETURNS text
AS 'MODULE_PATHNAME', 'mren_predict_range'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE SUPPORT mren.predict_support COST 100;
COMMENT ON FUNCTION mren.predict(text, text, int4range, int4range, bytea, text, text, box, box, real[], integer) IS
    'The relation between head and tail in a sentence (and a picture); NULL if sentence or a mention is NULL, or the model abstains.';

CREATE FUNCTION mren.classify(model text, sentence text, head text, tail text, image bytea DEFAULT NULL,
    head_type text DEFAULT NULL, tail_type text DEFAULT NULL, head_box box DEFAULT NULL, tail_box box DEFAULT NULL,
    image_vector real[] DEFAULT NULL, version integer DEFAULT NULL, OUT relation text, OUT confidence double precision)
AS 'MODULE_PATHNAME', 'mren_classify'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE SUPPORT mren.predict_support COST 100;
COMMENT ON FUNCTION mren.classify(text, text, text, text, bytea, text, text, box, box, real[], integer) IS
    'The relation between head and tail and its probability; the relation is NULL where the model abstains.';

CREATE FUNCTION mren.classify(model text, sentence text, head int4range, tail int4range, image bytea DEFAULT NULL,
    head_type text DEFAULT NULL, tail_type text DEFAULT NULL, head_box box DEFAULT NULL, tail_box box DEFAULT NULL,
    image_vector real[] DEFAULT NULL, version integer DEFAULT NULL, OUT relation text, OUT confidence double precision)
AS 'MODULE_PATHNAME', 'mren_classify_range'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE SUPPORT mren.predict_support COST 100;
COMMENT ON FUNCTION mren.classify(text, text, int4range, int4range, bytea, text, text, box, box, real[], integer) IS
    'The relation between head and tail and its probability; the relation is NULL where the model abstains.';

CREATE FUNCTION mren.predict_proba(model text, sentence text, head text, tail text, image bytea DEFAULT NULL,
    head_type text DEFAULT NULL, tail_type text DEFAULT NULL, head_box box DEFAULT NULL, tail_box box DEFAULT NULL,
    image_vector real[] DEFAULT NULL, version integer DEFAULT NULL)
RETURNS TABLE (relation text, probability double precision)
AS 'MODULE_PATHNAME', 'mren_predict_proba'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE SUPPORT mren.predict_support COST 100 ROWS 20;
COMMENT ON FUNCTION mren.predict_proba(text, text, text, text, bytea, text, text, box, box, real[], integer) IS
    'The probability of every relation of the model, most likely first.';

CREATE FUNCTION mren.predict_proba(model text, sentence text, head int4range, tail int4range, image bytea DEFAULT NULL,
    head_type text DEFAULT NULL, tail_type text DEFAULT NULL, head_box box DEFAULT NULL, tail_box box DEFAULT NULL,
    image_vector real[] DEFAULT NULL, version integer DEFAULT NULL)
RETURNS TABLE (relation text, probability double precision)
AS 'MODULE_PATHNAME', 'mren_predict_proba_range'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE SUPPORT mren.predict_support COST 100 ROWS 20;
COMMENT ON FUNCTION mren.predict_proba(text, text, int4range, int4range, bytea, text, text, box, box, real[], integer) IS
    'The probability of every relation of the model, most likely first.';

CREATE FUNCTION mren.features(model text, sentence text, head text, tail text, image bytea DEFAULT NULL,
    head_type text DEFAULT NULL, tail_type text DEFAULT NULL, head_box box DEFAULT NULL, tail_box box DEFAULT NULL,
    image_vector real[] DEFAULT NULL, version integer DEFAULT NULL)
RETURNS real[]
AS 'MODULE_PATHNAME', 'mren_features'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE SUPPORT mren.predict_support COST 100;
COMMENT ON FUNCTION mren.features(text, text, text, text, bytea, text, text, box, box, real[], integer) IS
    'The fused vector of text and picture that the network''s dense layers read.';

CREATE FUNCTION mren.features(model text, sentence text, head int4range, tail int4range, image bytea DEFAULT NULL,
    head_type text DEFAULT NULL, tail_type text DEFAULT NULL, head_box box DEFAULT NULL, tail_box box DEFAULT NULL,
    image_vector real[] DEFAULT NULL, version integer DEFAULT NULL)
RETURNS real[]
AS 'MODULE_PATHNAME', 'mren_features_range'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE SUPPORT mren.predict_support COST 100;
COMMENT ON FUNCTION mren.features(text, text, int4range, int4range, bytea, text, text, box, box, real[], integer) IS
    'The fused vector of text and picture that the network''s dense layers read.';

CREATE FUNCTION mren.explain(model text, sentence text, head text, tail text, image bytea DEFAULT NULL,
    head_type text DEFAULT NULL, tail_type text DEFAULT NULL, head_box box DEFAULT NULL, tail_box box DEFAULT NULL,
    image_vector real[] DEFAULT NULL, version integer DEFAULT NULL)
RETURNS TABLE (modality text, feature text, contribution double precision)
AS 'MODULE_PATHNAME', 'mren_explain'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE SUPPORT mren.predict_support COST 100 ROWS 30;
COMMENT ON FUNCTION mren.explain(text, text, text, text, bytea, text, text, box, box, real[], integer) IS
    'How much of the answer''s probability each word, mention, type and the picture account for: what is lost when it is left out.';

CREATE FUNCTION mren.explain(model text, sentence text, head int4range, tail int4range, image bytea DEFAULT NULL,
    head_type text DEFAULT NULL, tail_type text DEFAULT NULL, head_box box DEFAULT NULL, tail_box box DEFAULT NULL,
    image_vector real[] DEFAULT NULL, version integer DEFAULT NULL)
RETURNS TABLE (modality text, feature text, contribution double precision)
AS 'MODULE_PATHNAME', 'mren_explain_range'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE SUPPORT mren.predict_support COST 100 ROWS 30;
COMMENT ON FUNCTION mren.explain(text, text, int4range, int4range, bytea, text, text, box, box, real[], integer) IS
    'How much of the answer''s probability each word, mention, type and the picture account for: what is lost when it is left out.';

CREATE FUNCTION mren.explain_image(model text, sentence text, head text, tail text, image bytea DEFAULT NULL,
    head_type text DEFAULT NULL, tail_type text DEFAULT NULL, head_box box DEFAULT NULL, tail_box box DEFAULT NULL,
    image_vector real[] DEFAULT NULL, version integer DEFAULT NULL)
RETURNS bytea
AS 'MODULE_PATHNAME', 'mren_explain_image'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION mren.explain_image(text, text, text, text, bytea, text, text, box, box, real[], integer) IS
    'The picture as PNG under a heat map: red where covering it lowers the probability of the answer, blue where it raises it.';

CREATE FUNCTION mren.explain_image(model text, sentence text, head int4range, tail int4range, image bytea DEFAULT NULL,
    head_type text DEFAULT NULL, tail_type text DEFAULT NULL, head_box box DEFAULT NULL, tail_box box DEFAULT NULL,
    image_vector real[] DEFAULT NULL, version integer DEFAULT NULL)
RETURNS bytea
AS 'MODULE_PATHNAME', 'mren_explain_image_range'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION mren.explain_image(text, text, int4range, int4range, bytea, text, text, box, box, real[], integer) IS
    'The picture as PNG under a heat map: red where covering it lowers the probability of the answer, blue where it raises it.';

CREATE FUNCTION mren.predict_rows(model text, query text, version integer DEFAULT NULL)
RETURNS TABLE (id text, relation text, confidence double precision)
AS 'MODULE_PATHNAME', 'mren_predict_rows'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 10000 ROWS 1000;
COMMENT ON FUNCTION mren.predict_rows(text, text, integer) IS
    'Classifies the rows of a query, run read-only, in batches; its columns go by name: id, sentence, head, tail and, if there, image, image_vector, head_type, tail_type, head_box, tail_box.';

-- 55_extract.sql
-- From documents to triples: mentions, pairs of them, relations.

CREATE FUNCTION mren.entities(document text, lexicons text[] DEFAULT NULL, tagger text DEFAULT NULL,
    tagger_version integer DEFAULT NULL)
RETURNS TABLE (mention text, type text, span int4range, confidence double precision, source text)
AS 'MODULE_PATHNAME', 'mren_entities'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION mren.entities(text, text[], text, integer) IS
    'The mentions of a document, found by lexicons and by a tagger; of overlapping ones the longest. Spans are characters, half open, 0-based.';

CREATE FUNCTION mren.candidates(document text, lexicons text[] DEFAULT NULL, tagger text DEFAULT NULL,
    relation_schema regclass DEFAULT NULL, max_distance integer DEFAULT NULL, tagger_version integer DEFAULT NULL)
RETURNS TABLE (sentence text, head text, head_type text, head_span int4range, tail text, tail_type text,
    tail_span int4range, sentence_span int4range)
AS 'MODULE_PATHNAME', 'mren_candidates'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000 ROWS 20;
COMMENT ON FUNCTION mren.candidates(text, text[], text, regclass, integer, integer) IS
    'The ordered pairs of mentions in each sentence, or within a distance, that the relation schema allows; spans of mentions are characters of the sentence.';

CREATE FUNCTION mren.extract(model text, document text, image bytea DEFAULT NULL, tagger text DEFAULT NULL,
    lexicons text[] DEFAULT NULL, relation_schema regclass DEFAULT NULL, max_distance integer DEFAULT NULL,
    threshold double precision DEFAULT NULL, image_vector real[] DEFAULT NULL, version integer DEFAULT NULL,
    tagger_version integer DEFAULT NULL)
RETURNS TABLE (head text, head_type text, relation text, tail text, tail_type text, confidence double precision,
    sentence text, head_span int4range, tail_span int4range)
AS 'MODULE_PATHNAME', 'mren_extract'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10000 ROWS 10;
COMMENT ON FUNCTION mren.extract(text, text, bytea, text, text[], regclass, integer, double precision, real[], integer, integer) IS
    'The relations that a model finds in a document (and its picture) between the mentions that lexicons and a tagger find.';

CREATE FUNCTION mren.extract_evidence(model text, document text, image bytea DEFAULT NULL, tagger text DEFAULT NULL,
    lexicons text[] DEFAULT NULL, relation_schema regclass DEFAULT NULL, max_distance integer DEFAULT NULL,
    threshold double precision DEFAULT NULL, image_vector real[] DEFAULT NULL, version integer DEFAULT NULL,
    tagger_version integer DEFAULT NULL)
RETURNS TABLE (head text, head_type text, relation text, tail text, tail_type text, confidence double precision,
    sentence text, head_span int4range, tail_span int4range, sentence_span int4range, model_version integer,
    text_relation text, text_confidence double precision, image_relation text, image_confidence double precision)
AS 'MODULE_PATHNAME', 'mren_extract_evidence'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10000 ROWS 10;
COMMENT ON FUNCTION mren.extract_evidence(text, text, bytea, text, text[], regclass, integer, double precision, real[], integer, integer) IS
    'What mren.extract gives, with the sentence''s place in the document, the version that answered, and what the text alone and the picture alone would have said.';

-- 60_models.sql
-- Models: saving, deploying, taking back, dropping, moving, and who may.

CREATE FUNCTION mren.save_model(model text, network mren.network) RETURNS integer
    AS 'MODULE_PATHNAME', 'mren_save_model'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.save_model(text, mren.network) IS
    'Adds a trained network to a model as its next version, and gives the version''s number; makes the model if there is none.';

CREATE FUNCTION mren.promote(model text, version integer) RETURNS void
    AS 'MODULE_PATHNAME', 'mren_promote'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.promote(text, integer) IS
    'Deploys a version of a model: predictions use it from their next statement on.';

CREATE FUNCTION mren.rollback(model text) RETURNS integer
    AS 'MODULE_PATHNAME', 'mren_rollback'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.rollback(text) IS
    'Goes back to the version deployed before, and gives its number; again to go back further.';

CREATE FUNCTION mren.drop_version(model text, version integer) RETURNS void
    AS 'MODULE_PATHNAME', 'mren_drop_version'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.drop_version(text, integer) IS
    'Drops a version of a model; not the deployed one.';

CREATE FUNCTION mren.drop_model(model text) RETURNS void
    AS 'MODULE_PATHNAME', 'mren_drop_model'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.drop_model(text) IS
    'Drops a model with all its versions and grants; what mren.runs says of it stays.';

CREATE FUNCTION mren.export_model(model text, version integer DEFAULT NULL) RETURNS bytea
    AS 'MODULE_PATHNAME', 'mren_export_model'
    LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 100000;
COMMENT ON FUNCTION mren.export_model(text, integer) IS
    'A version of a model (NULL: the deployed one) as portable bytes, complete but for embeddings and image encoder, which it names by hash.';

CREATE FUNCTION mren.import_model(model text, contents bytea) RETURNS integer
    AS 'MODULE_PATHNAME', 'mren_import_model'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.import_model(text, bytea) IS
    'Adds what mren.export_model gave to a model as its next version, and gives the version''s number.';

CREATE FUNCTION mren.grant_model(model text, grantee name, privilege text) RETURNS void
    AS 'MODULE_PATHNAME', 'mren_grant_model'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.grant_model(text, name, text) IS
    'Gives a role (or public) a privilege on a model: predict, train, or admin, which includes both.';

CREATE FUNCTION mren.revoke_model(model text, grantee name, privilege text) RETURNS void
    AS 'MODULE_PATHNAME', 'mren_revoke_model'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.revoke_model(text, name, text) IS
    'Takes back what mren.grant_model gave.';

CREATE FUNCTION mren.alter_model_owner(model text, new_owner name) RETURNS void
    AS 'MODULE_PATHNAME', 'mren_alter_model_owner'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.alter_model_owner(text, name) IS
    'Gives a model to another owner; one must be a member of both roles.';

CREATE FUNCTION mren.has_model_privilege(model text, privilege text) RETURNS boolean
    AS 'MODULE_PATHNAME', 'mren_has_model_privilege'
    LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION mren.has_model_privilege(text, text) IS
    'May the current user do this with the model?  Of a list such as ''predict, train'', any one.';

-- The views show to each user what concerns them.  They are barriers, so that
-- no function in a query's WHERE sees a row before the view's own condition.

CREATE VIEW mren.models WITH (security_barrier) AS
SELECT m.name AS model,
       v.version,
       COALESCE(v.id OPERATOR(pg_catalog.=) m.deployed, false) AS deployed,
       v.created_at,
       m.owner,
       v.relations,
       v.options,
       v.metrics,
       v.training_rows,
       v.seconds,
       v.created_by,
       pg_catalog.encode(v.sha256, 'hex') AS sha256,
       pg_catalog.encode(v.embeddings, 'hex') AS embeddings_sha256,
       pg_catalog.encode(v.encoder, 'hex') AS image_encoder_sha256,
       CASE WHEN mren.has_model_privilege(m.name, 'train') THEN v.query END AS query,
       v.query_owner,
       m.kind
FROM mren.model m
JOIN mren.model_version v ON v.model OPERATOR(pg_catalog.=) m.id
WHERE mren.has_model_privilege(m.name, 'predict, train');
COMMENT ON VIEW mren.models IS 'Versions of the models that the current user may use, one row each.';

-- A run that says it is running, but does not hold its lock, has died: classid
-- is MREN_RUN_LOCK_CLASS of models.h.  A standby cannot see the primary's locks.
CREATE VIEW mren.runs WITH (security_barrier) AS
SELECT r.id AS run,
       r.model,
       r.version,
       CASE
           WHEN r.status OPERATOR(pg_catalog.<>) 'running' OR pg_catalog.pg_is_in_recovery() THEN r.status
           WHEN EXISTS (
               SELECT FROM pg_catalog.pg_locks l
               WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory'
                 AND l.database OPERATOR(pg_catalog.=) (
                     SELECT d.oid FROM pg_catalog.pg_database d
                     WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
                 AND l.classid OPERATOR(pg_catalog.=) 1836213614::pg_catalog.oid
                 AND l.objid::pg_catalog.int8 OPERATOR(pg_catalog.=)
                     (r.id OPERATOR(pg_catalog.&) 4294967295)
                 AND l.objsubid OPERATOR(pg_catalog.=) 2
                 AND l.granted) THEN r.status
           ELSE 'died'
       END AS status,
       r.started_by,
       r.started_at,
       r.finished_at,
       r.phase,
       r.query,
       r.options,
       r.rows,
       r.epoch,
       r.epochs,
       r.loss,
       r.validation_loss,
       r.validation_f1,
       r.rows_per_second,
       r.seconds_left,
       r.log,
       r.sqlstate,
       r.message,
       r.backend,
       r.call,
       r.champion,
       r.verdict,
       r.reason,
       r.measure,
       r.champion_score,
       r.challenger_score,
       r.lower_bound,
       r.gate_rows,
       r.gate_seen,
       r.new_rows
FROM mren.run r
WHERE EXISTS (
          SELECT FROM pg_catalog.pg_roles a
          WHERE a.rolname OPERATOR(pg_catalog.=) r.started_by AND pg_catalog.pg_has_role(a.oid, 'USAGE'))
   OR EXISTS (
          SELECT FROM mren.model m
          WHERE m.name OPERATOR(pg_catalog.=) r.model AND mren.has_model_privilege(m.name, 'train'))
   OR EXISTS (
          SELECT FROM pg_catalog.pg_roles a
          WHERE a.rolname OPERATOR(pg_catalog.=) current_user AND a.rolsuper);
COMMENT ON VIEW mren.runs IS
    'What every training and retraining did, the failed ones too: one''s own and those of models that one may train. Status died: the server or its process ended before it could say why.';

CREATE VIEW mren.training_progress WITH (security_barrier) AS
SELECT r.model,
       r.run,
       r.status,
       r.phase,
       r.epoch,
       r.epochs,
       r.loss,
       r.validation_loss,
       r.validation_f1,
       r.rows_per_second,
       r.seconds_left,
       r.started_at,
       r.started_by,
       r.call
FROM mren.runs r
WHERE r.status OPERATOR(pg_catalog.=) 'running'
   OR (r.status OPERATOR(pg_catalog.=) 'died'
       AND NOT EXISTS (SELECT FROM mren.run later
                       WHERE later.model OPERATOR(pg_catalog.=) r.model
                         AND later.id OPERATOR(pg_catalog.>) r.run));
COMMENT ON VIEW mren.training_progress IS
    'Trainings in progress, as other sessions see them; one that died is shown until the model''s next.';

-- 65_retrain.sql
-- Retraining: a new version by what was kept, deployed if it is better.

CREATE PROCEDURE mren.retrain(model text, min_new_rows bigint DEFAULT 1, time_budget interval DEFAULT NULL,
    promote text DEFAULT 'better', margin double precision DEFAULT 0, warm_start boolean DEFAULT false,
    keep_versions integer DEFAULT 5, options jsonb DEFAULT '{}',
    INOUT version integer DEFAULT NULL, INOUT verdict text DEFAULT NULL)
AS 'MODULE_PATHNAME', 'mren_retrain'
LANGUAGE C;
COMMENT ON PROCEDURE mren.retrain(text, bigint, interval, text, double precision, boolean, integer, jsonb, integer, text) IS
    'Trains a new version of a model by the query and options it was trained with, judges it and the deployed version on rows held out, and deploys it if it is better.';

-- 70_evaluate.sql
-- How good predictions are.

CREATE TYPE mren.confusion;

CREATE FUNCTION mren.confusion_in(cstring) RETURNS mren.confusion
    AS 'MODULE_PATHNAME', 'mren_confusion_in'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.confusion_in(cstring) IS 'Input of mren.confusion; checks everything.';

CREATE FUNCTION mren.confusion_out(mren.confusion) RETURNS cstring
    AS 'MODULE_PATHNAME', 'mren_confusion_out'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.confusion_out(mren.confusion) IS 'Output of mren.confusion, hexadecimal.';

CREATE FUNCTION mren.confusion_recv(internal) RETURNS mren.confusion
    AS 'MODULE_PATHNAME', 'mren_confusion_recv'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.confusion_recv(internal) IS 'Binary input of mren.confusion; checks everything.';

CREATE FUNCTION mren.confusion_send(mren.confusion) RETURNS bytea
    AS 'MODULE_PATHNAME', 'mren_confusion_send'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.confusion_send(mren.confusion) IS 'Binary output of mren.confusion.';

CREATE TYPE mren.confusion (
    INPUT = mren.confusion_in,
    OUTPUT = mren.confusion_out,
    RECEIVE = mren.confusion_recv,
    SEND = mren.confusion_send,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = int4,
    STORAGE = extended
);
COMMENT ON TYPE mren.confusion IS
    'Counted pairs of actual and predicted relations: the state of mren.metrics.';

CREATE FUNCTION mren.metrics_add(state mren.confusion, actual text, predicted text) RETURNS mren.confusion
    AS 'MODULE_PATHNAME', 'mren_metrics_add'
    LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION mren.metrics_add(mren.confusion, text, text) IS 'Transition function of mren.metrics.';

CREATE FUNCTION mren.metrics_add(state mren.confusion, actual text, predicted text, negative text)
    RETURNS mren.confusion
    AS 'MODULE_PATHNAME', 'mren_metrics_add'
    LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION mren.metrics_add(mren.confusion, text, text, text) IS 'Transition function of mren.metrics.';

CREATE FUNCTION mren.metrics_combine(mren.confusion, mren.confusion) RETURNS mren.confusion
    AS 'MODULE_PATHNAME', 'mren_metrics_combine'
    LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION mren.metrics_combine(mren.confusion, mren.confusion) IS 'Combine function of mren.metrics.';

CREATE FUNCTION mren.metrics_final(mren.confusion) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'mren_metrics_final'
    LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION mren.metrics_final(mren.confusion) IS 'Final function of mren.metrics.';

CREATE AGGREGATE mren.metrics(actual text, predicted text) (
    SFUNC = mren.metrics_add,
    STYPE = mren.confusion,
    FINALFUNC = mren.metrics_final,
    COMBINEFUNC = mren.metrics_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE mren.metrics(text, text) IS
    'Precision, recall and F1 of predicted against actual relations, each and averaged, and accuracy; predicted NULL is a miss.';

CREATE AGGREGATE mren.metrics(actual text, predicted text, negative text) (
    SFUNC = mren.metrics_add,
    STYPE = mren.confusion,
    FINALFUNC = mren.metrics_final,
    COMBINEFUNC = mren.metrics_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE mren.metrics(text, text, text) IS
    'The same; averages leave out the relation that means there is none.';

CREATE FUNCTION mren.evaluate(model text, query text, version integer DEFAULT NULL)
    RETURNS TABLE (relation text, "precision" double precision, recall double precision,
                   f1 double precision, support bigint)
    AS 'MODULE_PATHNAME', 'mren_evaluate'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000 ROWS 20;
COMMENT ON FUNCTION mren.evaluate(text, text, integer) IS
    'How well a version of a model predicts the column relation of a query: a row a relation, then micro avg, macro avg, with SemEval''s labels semeval macro avg, and accuracy (under f1).';

CREATE FUNCTION mren.confusion_matrix(model text, query text, version integer DEFAULT NULL)
    RETURNS TABLE (actual text, predicted text, count bigint)
    AS 'MODULE_PATHNAME', 'mren_confusion_matrix'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000 ROWS 100;
COMMENT ON FUNCTION mren.confusion_matrix(text, text, integer) IS
    'Which relations a version of a model takes for which; predicted NULL: it gave no answer.';

-- 72_calibration.sql
-- What a confidence is worth, and how good ranked facts are.

CREATE FUNCTION mren.calibration(model text, query text, version integer DEFAULT NULL, bins integer DEFAULT 15)
    RETURNS TABLE (bin integer, lower double precision, upper double precision, count bigint,
                   confidence double precision, accuracy double precision, error double precision,
                   expected_error double precision, coverage double precision,
                   accuracy_above double precision, brier double precision, log_loss double precision)
    AS 'MODULE_PATHNAME', 'mren_calibration'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000 ROWS 16;
COMMENT ON FUNCTION mren.calibration(text, text, integer, integer) IS
    'How far a version''s confidence can be trusted on a query''s rows: bins of equal mass, then the whole (bin NULL) with its calibration error, beside the one that a perfectly calibrated model of this size would show.';

CREATE FUNCTION mren.reliability(confidences double precision[], correct boolean[], bins integer DEFAULT 15)
    RETURNS TABLE (bin integer, lower double precision, upper double precision, count bigint,
                   confidence double precision, accuracy double precision, error double precision,
                   expected_error double precision, coverage double precision,
                   accuracy_above double precision)
    AS 'MODULE_PATHNAME', 'mren_reliability'
    LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10000 ROWS 16;
COMMENT ON FUNCTION mren.reliability(double precision[], boolean[], integer) IS
    'The same for one''s own predictions: their confidences, and whether each was correct.';

CREATE FUNCTION mren.precision_recall(confidences double precision[], correct boolean[], relevant bigint DEFAULT NULL)
    RETURNS TABLE (rank bigint, confidence double precision, correct bigint, "precision" double precision,
                   recall double precision, average_precision double precision)
    AS 'MODULE_PATHNAME', 'mren_precision_recall'
    LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10000 ROWS 1000;
COMMENT ON FUNCTION mren.precision_recall(double precision[], boolean[], bigint) IS
    'The precision-recall curve of ranked facts, a row for each distinct confidence from the surest down; relevant: how many facts there are to be found.';

CREATE FUNCTION mren.precision_at(confidences double precision[], correct boolean[], n bigint)
    RETURNS double precision
    AS 'MODULE_PATHNAME', 'mren_precision_at'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION mren.precision_at(double precision[], boolean[], bigint) IS
    'Precision among the n surest facts; of equals at the border, what is expected in random order; NULL if there are fewer.';

-- 74_compare.sql
-- Which options are the best for one's rows.

CREATE FUNCTION mren.compare(model text, query text, variants jsonb[], folds integer DEFAULT 5)
    RETURNS TABLE (variant integer, options jsonb, score double precision, lower double precision,
                   upper double precision, seconds double precision, measure text, rows bigint, groups bigint,
                   difference double precision, difference_lower double precision,
                   difference_upper double precision)
    AS 'MODULE_PATHNAME', 'mren_compare'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000 ROWS 4;
COMMENT ON FUNCTION mren.compare(text, text, jsonb[], integer) IS
    'How well each variant of a model''s options (model NULL: of the defaults) learns a query''s rows, by cross-validation on the same folds: its score, with an interval of 95 %, and by how much it is above the first variant''s. Saves nothing.';

-- 80_graph.sql
-- Knowledge graphs: where each lives, how it is made, what its refreshes did.
--
-- The tables of a graph are ordinary tables of its owner's, in a schema of
-- their choice; they are no part of the extension and do not depend on it.

CREATE SEQUENCE mren.graph_id;
CREATE SEQUENCE mren.graph_run_id;

-- source is a query of one SELECT, run with search_path as its owner.
CREATE TABLE mren.graph (
    id          bigint PRIMARY KEY DEFAULT pg_catalog.nextval('mren.graph_id'),
    name        text COLLATE "C" NOT NULL UNIQUE,
    owner       name NOT NULL,
    schema      name NOT NULL,
    made_schema boolean NOT NULL,
    layout      integer NOT NULL,
    source      text NOT NULL,
    search_path text NOT NULL,
    model       text COLLATE "C" NOT NULL,
    tagger      text COLLATE "C",
    lexicons    text[],
    options     jsonb NOT NULL,
    created_at  timestamptz NOT NULL
);
COMMENT ON TABLE mren.graph IS 'Knowledge graphs, one row each; layout is the version of the layout of its tables.';

CREATE TABLE mren.graph_run (
    id          bigint PRIMARY KEY DEFAULT pg_catalog.nextval('mren.graph_run_id'),
    graph       bigint NOT NULL,
    name        text COLLATE "C" NOT NULL,
    started_by  name NOT NULL,
    started_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    finished_at timestamptz,
    status      text NOT NULL CHECK (status IN ('running', 'succeeded', 'failed', 'canceled', 'died')),
    backend     integer NOT NULL,
    phase       text NOT NULL,
    done        bigint NOT NULL DEFAULT 0,
    total       bigint,
    per_second  double precision,
    seconds_left double precision,
    summary     jsonb,
    sqlstate    text,
    message     text
);
CREATE INDEX graph_run_graph ON mren.graph_run (graph, id);
COMMENT ON TABLE mren.graph_run IS 'Every refresh of a graph, in progress or ended.';

SELECT pg_catalog.pg_extension_config_dump('mren.graph_id', '');
SELECT pg_catalog.pg_extension_config_dump('mren.graph_run_id', '');
SELECT pg_catalog.pg_extension_config_dump('mren.graph', '');
SELECT pg_catalog.pg_extension_config_dump('mren.graph_run', '');

CREATE FUNCTION mren.normalize_name(name text) RETURNS text
AS 'MODULE_PATHNAME', 'mren_normalize_name'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.normalize_name(text) IS
    'A name in the form in which graphs compare names: NFKC, case folded, white space collapsed.';

CREATE FUNCTION mren.document_hash(document text, image bytea, image_vector real[]) RETURNS bytea
AS 'MODULE_PATHNAME', 'mren_document_hash'
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mren.document_hash(text, bytea, real[]) IS
    'The hash by which mren.refresh_graph knows a changed document: SHA-256 over text, picture and vector.';

CREATE FUNCTION mren.graph_identity(key text) RETURNS uuid
AS 'MODULE_PATHNAME', 'mren_graph_identity'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.graph_identity(text) IS
    'The identity of an entity or a fact of a graph: the first half of SHA-256.';

CREATE FUNCTION mren.noisy_or_add(state double precision, probability double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'mren_noisy_or_add'
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION mren.noisy_or_add(double precision, double precision) IS 'Adds a probability to a state of mren.noisy_or.';

CREATE FUNCTION mren.noisy_or_final(state double precision) RETURNS double precision
AS 'MODULE_PATHNAME', 'mren_noisy_or_final'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.noisy_or_final(double precision) IS 'The result of a state of mren.noisy_or.';

CREATE AGGREGATE mren.noisy_or(probability double precision) (
    SFUNC = mren.noisy_or_add,
    STYPE = double precision,
    FINALFUNC = mren.noisy_or_final,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE mren.noisy_or(double precision) IS
    'The probability that at least one of independent events is true: one minus the product of (1 - p); order the rows for the same bits every time.';

CREATE FUNCTION mren.create_graph(graph text, source text, model text, tagger text DEFAULT NULL, lexicons text[] DEFAULT NULL,
    relation_schema regclass DEFAULT NULL, in_schema text DEFAULT NULL, options jsonb DEFAULT '{}') RETURNS void
AS 'MODULE_PATHNAME', 'mren_create_graph'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.create_graph(text, text, text, text, text[], regclass, text, jsonb) IS
    'Makes a knowledge graph: its tables in a schema, to be filled by mren.refresh_graph from the documents of a table or query; columns by name: key, document and, if there, image, image_vector, seen_at.';

CREATE FUNCTION mren.drop_graph(graph text, drop_tables boolean DEFAULT false) RETURNS void
AS 'MODULE_PATHNAME', 'mren_drop_graph'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.drop_graph(text, boolean) IS
    'Forgets a graph; its tables stay, unless they are to be dropped too.';

CREATE FUNCTION mren.alter_graph_owner(graph text, new_owner name) RETURNS void
AS 'MODULE_PATHNAME', 'mren_alter_graph_owner'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.alter_graph_owner(text, name) IS
    'Gives a graph and its tables to another role, as whom its source is read from then on; for a member of both.';

CREATE FUNCTION mren.upgrade_graph(graph text) RETURNS void
AS 'MODULE_PATHNAME', 'mren_upgrade_graph'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.upgrade_graph(text) IS
    'Brings the tables of a graph that an older mren made to the present layout, and makes indexes and views that are missing.';

CREATE FUNCTION mren.merge_graph(graph text) RETURNS jsonb
AS 'MODULE_PATHNAME', 'mren_merge_graph'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.merge_graph(text) IS
    'Applies edits of aliases, relations and reviews to a graph, without reading or scoring a document.';

CREATE PROCEDURE mren.refresh_graph(graph text, INOUT summary jsonb DEFAULT NULL)
AS 'MODULE_PATHNAME', 'mren_refresh_graph'
LANGUAGE C;
COMMENT ON PROCEDURE mren.refresh_graph(text, jsonb) IS
    'Brings a graph up to date with its documents: scores those that are new, changed, or scored by an older model, tagger or lexicon, and takes back the evidence of those that are gone.';

-- Reading.  These run as the caller: what counts is SELECT on the graph's tables.

CREATE FUNCTION mren.paths(graph text, source text, target text, max_hops integer DEFAULT 3, max_paths integer DEFAULT 100)
RETURNS TABLE (hops integer, confidence double precision, path text, entities text[], relations text[], facts uuid[])
AS 'MODULE_PATHNAME', 'mren_paths'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 100000 ROWS 10;
COMMENT ON FUNCTION mren.paths(text, text, text, integer, integer) IS
    'How two entities of a graph are connected: paths of at most max_hops facts, in either direction, that meet no entity twice; the shortest and surest first.';

CREATE FUNCTION mren.export_ntriples(graph text, base_iri text DEFAULT 'urn:mren:') RETURNS SETOF text
AS 'MODULE_PATHNAME', 'mren_export_ntriples'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 100000 ROWS 10000;
COMMENT ON FUNCTION mren.export_ntriples(text, text) IS
    'The entities and facts of a graph as lines of N-Triples.';

CREATE FUNCTION mren.export_csv(graph text) RETURNS SETOF text
AS 'MODULE_PATHNAME', 'mren_export_csv'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 100000 ROWS 10000;
COMMENT ON FUNCTION mren.export_csv(text) IS
    'The facts of a graph as records of CSV (RFC 4180), a header first.';

CREATE FUNCTION mren.export_dot(graph text) RETURNS SETOF text
AS 'MODULE_PATHNAME', 'mren_export_dot'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 100000 ROWS 10000;
COMMENT ON FUNCTION mren.export_dot(text) IS
    'The facts of a graph as lines of a Graphviz digraph.';

-- Whether the current user is, or belongs to, a graph's owner; superusers always.
CREATE VIEW mren.graphs WITH (security_barrier) AS
SELECT g.name AS graph,
       g.owner,
       g.schema,
       g.source,
       g.search_path,
       g.model,
       g.tagger,
       g.lexicons,
       g.options,
       g.layout,
       g.created_at
FROM mren.graph g
WHERE EXISTS (
          SELECT FROM pg_catalog.pg_roles a
          WHERE a.rolname OPERATOR(pg_catalog.=) g.owner AND pg_catalog.pg_has_role(a.oid, 'USAGE'))
   OR EXISTS (
          SELECT FROM pg_catalog.pg_roles a
          WHERE a.rolname OPERATOR(pg_catalog.=) current_user AND a.rolsuper);
COMMENT ON VIEW mren.graphs IS 'The knowledge graphs of the current user.';

-- As mren.runs: a row that says it is running, but whose graph's lock nobody
-- holds, is of a backend that died; classid is MREN_GRAPH_LOCK_CLASS of graph.h.
CREATE VIEW mren.graph_runs WITH (security_barrier) AS
SELECT r.id AS run,
       r.name AS graph,
       CASE
           WHEN r.status OPERATOR(pg_catalog.<>) 'running' OR pg_catalog.pg_is_in_recovery() THEN r.status
           WHEN EXISTS (
               SELECT FROM pg_catalog.pg_locks l
               WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory'
                 AND l.database OPERATOR(pg_catalog.=) (
                     SELECT d.oid FROM pg_catalog.pg_database d
                     WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
                 AND l.classid OPERATOR(pg_catalog.=) 1836213607::pg_catalog.oid
                 AND l.objid::pg_catalog.int8 OPERATOR(pg_catalog.=)
                     (r.graph OPERATOR(pg_catalog.&) 4294967295)
                 AND l.objsubid OPERATOR(pg_catalog.=) 2
                 AND l.pid OPERATOR(pg_catalog.=) r.backend
                 AND l.granted) THEN r.status
           ELSE 'died'
       END AS status,
       r.phase,
       r.done,
       r.total,
       r.per_second,
       r.seconds_left,
       r.started_by,
       r.started_at,
       r.updated_at,
       r.finished_at,
       r.summary,
       r.sqlstate,
       r.message,
       r.backend
FROM mren.graph_run r
WHERE EXISTS (
          SELECT FROM pg_catalog.pg_roles a
          WHERE a.rolname OPERATOR(pg_catalog.=) r.started_by AND pg_catalog.pg_has_role(a.oid, 'USAGE'))
   OR EXISTS (
          SELECT FROM mren.graph g
          JOIN pg_catalog.pg_roles a ON a.rolname OPERATOR(pg_catalog.=) g.owner
          WHERE g.id OPERATOR(pg_catalog.=) r.graph AND pg_catalog.pg_has_role(a.oid, 'USAGE'))
   OR EXISTS (
          SELECT FROM pg_catalog.pg_roles a
          WHERE a.rolname OPERATOR(pg_catalog.=) current_user AND a.rolsuper);
COMMENT ON VIEW mren.graph_runs IS
    'What every refresh of a graph did, the failed ones too. Status died: the server or its process ended before it could say why.';

CREATE VIEW mren.graph_progress WITH (security_barrier) AS
SELECT r.graph,
       r.run,
       r.status,
       r.phase,
       r.done,
       r.total,
       r.per_second,
       r.seconds_left,
       r.started_at,
       r.started_by
FROM mren.graph_runs r
WHERE r.status OPERATOR(pg_catalog.=) 'running'
   OR (r.status OPERATOR(pg_catalog.=) 'died'
       AND NOT EXISTS (SELECT FROM mren.graph_run later
                       WHERE later.name OPERATOR(pg_catalog.=) r.graph
                         AND later.id OPERATOR(pg_catalog.>) r.run));
COMMENT ON VIEW mren.graph_progress IS
    'Refreshes in progress, as other sessions see them; one that died is shown until the graph''s next.';

-- 90_grants.sql
-- Who may do what, before any grant of the administrator's.
--
-- Everybody may look at what concerns them and use models that they hold a
-- right on: the functions check that.  What writes models is for those to whom
-- the administrator grants it, as in
--
--     GRANT EXECUTE ON FUNCTION mren.save_model(text, mren.network), mren.promote(text, integer) TO analyst;
--
-- and even then only on models that they own or hold a right on.

GRANT USAGE ON SCHEMA mren TO PUBLIC;

GRANT SELECT ON mren.models, mren.runs, mren.training_progress, mren.embeddings, mren.image_encoders, mren.lexicons
    TO PUBLIC;
GRANT SELECT ON mren.graphs, mren.graph_runs, mren.graph_progress TO PUBLIC;

REVOKE EXECUTE ON FUNCTION
    mren.load_embeddings(text, text, text, integer),
    mren.load_embeddings(text, bytea, text, integer),
    mren.load_embeddings(text, oid, text, integer),
    mren.drop_embeddings(text),
    mren.load_image_encoder(text, text, text, real[], real[]),
    mren.load_image_encoder(text, bytea, text, real[], real[]),
    mren.load_image_encoder(text, oid, text, real[], real[]),
    mren.drop_image_encoder(text),
    mren.load_lexicon(text, text),
    mren.load_lexicon(text, text[], text),
    mren.drop_lexicon(text),
    mren.save_model(text, mren.network),
    mren.import_model(text, bytea),
    mren.promote(text, integer),
    mren.rollback(text),
    mren.drop_version(text, integer),
    mren.drop_model(text),
    mren.grant_model(text, name, text),
    mren.revoke_model(text, name, text),
    mren.alter_model_owner(text, name),
    mren.create_graph(text, text, text, text, text[], regclass, text, jsonb),
    mren.drop_graph(text, boolean),
    mren.alter_graph_owner(text, name),
    mren.upgrade_graph(text),
    mren.merge_graph(text)
FROM PUBLIC;

REVOKE EXECUTE ON PROCEDURE mren.train(text, text, jsonb, integer) FROM PUBLIC;
REVOKE EXECUTE ON PROCEDURE
    mren.retrain(text, bigint, interval, text, double precision, boolean, integer, jsonb, integer, text)
FROM PUBLIC;
REVOKE EXECUTE ON PROCEDURE mren.train_tagger(text, text, jsonb, integer) FROM PUBLIC;
REVOKE EXECUTE ON PROCEDURE mren.refresh_graph(text, jsonb) FROM PUBLIC;
