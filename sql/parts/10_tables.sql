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
    holdout_rows   bigint,
    holdout_seen   bigint,
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
