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
    created_at  timestamptz NOT NULL
);
COMMENT ON TABLE mren.model IS 'Models, one row a name; mren.models shows their versions.';

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
    embeddings  bytea NOT NULL,
    encoder     bytea,
    relations   text[] NOT NULL,
    options     jsonb NOT NULL,
    metrics     jsonb,
    training_rows bigint NOT NULL,
    seconds     double precision,
    UNIQUE (model, version)
);
ALTER TABLE mren.model_version ALTER COLUMN head SET STORAGE EXTERNAL;
COMMENT ON TABLE mren.model_version IS
    'Versions of models; embeddings and encoder are content hashes (mren.embedding.sha256, mren.encoder.identity).';

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
    status      text NOT NULL CHECK (status IN ('running', 'succeeded', 'failed', 'canceled')),
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
    message     text
);
CREATE INDEX run_model ON mren.run (model, id);
COMMENT ON TABLE mren.run IS 'Every call of mren.train, in progress or ended, with each epoch in log.';

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
       pg_catalog.encode(v.encoder, 'hex') AS image_encoder_sha256
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
       r.backend
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
    'What every training did, the failed ones too: one''s own and those of models that one may train. Status died: the server or its process ended before it could say why.';

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
       r.started_by
FROM mren.runs r
WHERE r.status OPERATOR(pg_catalog.=) 'running'
   OR (r.status OPERATOR(pg_catalog.=) 'died'
       AND NOT EXISTS (SELECT FROM mren.run later
                       WHERE later.model OPERATOR(pg_catalog.=) r.model
                         AND later.id OPERATOR(pg_catalog.>) r.run));
COMMENT ON VIEW mren.training_progress IS
    'Trainings in progress, as other sessions see them; one that died is shown until the model''s next.';

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

GRANT SELECT ON mren.models, mren.runs, mren.training_progress, mren.embeddings, mren.image_encoders TO PUBLIC;

REVOKE EXECUTE ON FUNCTION
    mren.load_embeddings(text, text, text, integer),
    mren.load_embeddings(text, bytea, text, integer),
    mren.load_embeddings(text, oid, text, integer),
    mren.drop_embeddings(text),
    mren.load_image_encoder(text, text, text, real[], real[]),
    mren.load_image_encoder(text, bytea, text, real[], real[]),
    mren.load_image_encoder(text, oid, text, real[], real[]),
    mren.drop_image_encoder(text),
    mren.save_model(text, mren.network),
    mren.import_model(text, bytea),
    mren.promote(text, integer),
    mren.rollback(text),
    mren.drop_version(text, integer),
    mren.drop_model(text),
    mren.grant_model(text, name, text),
    mren.revoke_model(text, name, text),
    mren.alter_model_owner(text, name)
FROM PUBLIC;

REVOKE EXECUTE ON PROCEDURE mren.train(text, text, jsonb, integer) FROM PUBLIC;
