-- The tables that hold embeddings, image encoders, models and training runs.
--
-- Only the extension's C code writes to these tables, as their owner, after it
-- has checked the caller's privileges.  They have no foreign keys, because those
-- are triggers and pg_dump restores the rows of extension tables one table at a
-- time.  pg_dump dumps all of them.

CREATE SEQUENCE mren.embedding_id;
CREATE SEQUENCE mren.encoder_id;
CREATE SEQUENCE mren.model_id;
CREATE SEQUENCE mren.version_id;
CREATE SEQUENCE mren.deployment_id;
CREATE SEQUENCE mren.run_id;

-- Word embeddings, one row per set.
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
    'Sets of word embeddings, one row per set; sha256 covers dimension, words and vectors, and is therefore the same for every file format.';

-- One row per word.  Vectors are not compressed; those of up to about 490
-- numbers are stored inline, longer ones out of line.
CREATE TABLE mren.embedding_word (
    embedding   bigint NOT NULL,
    id          integer NOT NULL,
    word        text COLLATE "C" NOT NULL,
    vector      real[] NOT NULL
);
ALTER TABLE mren.embedding_word ALTER COLUMN vector SET STORAGE EXTERNAL;
CREATE UNIQUE INDEX embedding_word_word ON mren.embedding_word (embedding, word);
CREATE UNIQUE INDEX embedding_word_id ON mren.embedding_word (embedding, id);
-- Without it, a publication of all tables would refuse to drop words.
ALTER TABLE mren.embedding_word REPLICA IDENTITY USING INDEX embedding_word_id;
COMMENT ON TABLE mren.embedding_word IS
    'Words of mren.embedding with their vectors, numbered in the order of the file.';

-- Image encoders, one row per network; mren.encoder_part holds the ONNX files.
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
    'Image encoders, one row per encoder; sha256 is that of the ONNX file, and identity, by which models refer to an encoder, also covers the output tensor and the normalization.';

CREATE TABLE mren.encoder_part (
    encoder     bigint NOT NULL,
    part        integer NOT NULL,
    bytes       bytea NOT NULL,
    PRIMARY KEY (encoder, part)
);
ALTER TABLE mren.encoder_part ALTER COLUMN bytes SET STORAGE EXTERNAL;
COMMENT ON TABLE mren.encoder_part IS
    'ONNX files of mren.encoder, split into parts.';

-- Models; deployed is the id of the version that predictions use by default.
CREATE TABLE mren.model (
    id          bigint PRIMARY KEY DEFAULT pg_catalog.nextval('mren.model_id'),
    name        text COLLATE "C" NOT NULL UNIQUE,
    owner       name NOT NULL,
    deployed    bigint,
    last_version integer NOT NULL,
    created_at  timestamptz NOT NULL,
    kind        text NOT NULL DEFAULT 'relation' CHECK (kind IN ('relation', 'tagger'))
);
COMMENT ON TABLE mren.model IS
    'Models, one row per name, each of the kind relation or tagger; mren.models shows their versions.';

-- Versions of models: head is the network without its weights (shape, labels,
-- temperature and so on), and the other columns describe how it was trained.
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
    holdout_measure text,
    holdout_rows bigint,
    holdout_score double precision,
    holdout_lower_bound double precision,
    text_encoder bytea,
    audio_encoder bytea,
    UNIQUE (model, version)
);
ALTER TABLE mren.model_version ALTER COLUMN head SET STORAGE EXTERNAL;
COMMENT ON TABLE mren.model_version IS
    'Versions of models; embeddings, encoder, text_encoder, audio_encoder and lexicons refer to mren.embedding.sha256, mren.encoder.identity, mren.text_encoder.sha256, mren.audio_encoder.identity and mren.lexicon.sha256, and query, search_path, query_owner and given are what mren.retrain uses.';

-- Weights, one row per tensor (row-major float4, little-endian).  Large tensors
-- are split into parts far below the size limit of a field.
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
COMMENT ON TABLE mren.weight IS
    'Weights of mren.model_version, one row per tensor or part of a tensor.';

-- The deployments of each model, which mren.rollback undoes.
CREATE TABLE mren.deployment (
    id          bigint PRIMARY KEY DEFAULT pg_catalog.nextval('mren.deployment_id'),
    model       bigint NOT NULL,
    version_id  bigint NOT NULL,
    deployed_at timestamptz NOT NULL,
    deployed_by name NOT NULL,
    undone      boolean NOT NULL DEFAULT false,
    sha256      bytea
);
CREATE INDEX deployment_model ON mren.deployment (model, id);
COMMENT ON TABLE mren.deployment IS
    'Every deployment of a version of a model, and whether a rollback has undone it; undone ones outlive their versions, whose sha256 they keep.';

-- Privileges on models that were granted to roles other than the owner.
CREATE TABLE mren.model_grant (
    model       bigint NOT NULL,
    grantee     name NOT NULL,
    privilege   text NOT NULL CHECK (privilege IN ('predict', 'train', 'admin')),
    granted_by  name NOT NULL,
    PRIMARY KEY (model, grantee, privilege)
);
COMMENT ON TABLE mren.model_grant IS
    'Privileges on models: predict (use the model), train (add versions) and admin (everything except changing the owner).';

-- Every training, including those that failed.
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
    holdout_rows bigint,
    holdout_seen bigint,
    new_rows    bigint,
    model_id    bigint,
    member      integer,
    members     integer,
    weak_rows   bigint,
    input_hash  bytea
);
CREATE INDEX run_model ON mren.run (model, id);
COMMENT ON TABLE mren.run IS
    'Every training and retraining, running or finished; log has one entry per epoch.';

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
