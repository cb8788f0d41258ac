-- Functions for recordings and for the encoders that compute their feature vectors.

CREATE SEQUENCE mren.audio_encoder_id;

CREATE TABLE mren.audio_encoder (
    id          bigint PRIMARY KEY DEFAULT pg_catalog.nextval('mren.audio_encoder_id'),
    name        text COLLATE "C" NOT NULL UNIQUE,
    owner       name NOT NULL,
    output      text NOT NULL,
    sample_rate integer NOT NULL,
    window_samples integer NOT NULL,
    hop_samples integer NOT NULL,
    dimension   integer NOT NULL,
    size        bigint NOT NULL,
    sha256      bytea NOT NULL,
    identity    bytea NOT NULL,
    loaded_at   timestamptz NOT NULL
);
COMMENT ON TABLE mren.audio_encoder IS
    'Audio encoders, one row per encoder; sha256 is that of the ONNX file, and identity, by which models refer to an encoder, also covers the output tensor, the sample rate and the windows.';

CREATE TABLE mren.audio_encoder_part (
    encoder     bigint NOT NULL,
    part        integer NOT NULL,
    bytes       bytea NOT NULL,
    PRIMARY KEY (encoder, part)
);
ALTER TABLE mren.audio_encoder_part ALTER COLUMN bytes SET STORAGE EXTERNAL;
COMMENT ON TABLE mren.audio_encoder_part IS
    'ONNX files of mren.audio_encoder, split into parts.';

SELECT pg_catalog.pg_extension_config_dump('mren.audio_encoder_id', '');
SELECT pg_catalog.pg_extension_config_dump('mren.audio_encoder', '');
SELECT pg_catalog.pg_extension_config_dump('mren.audio_encoder_part', '');

CREATE FUNCTION mren.load_audio_encoder(name text, path text, output text DEFAULT NULL, sample_rate integer DEFAULT 16000, window_seconds real DEFAULT NULL, hop_seconds real DEFAULT NULL)
RETURNS integer
AS 'MODULE_PATHNAME', 'mren_load_audio_encoder'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.load_audio_encoder(text, text, text, integer, real, real) IS
    'Loads an audio encoder from an ONNX file on the server whose input is a waveform and returns the dimension of its feature vector. output names the tensor to read, sample_rate is that of the waveform, window_seconds its length where the file leaves it open, and hop_seconds the distance between windows, by default half a window.';

CREATE FUNCTION mren.load_audio_encoder(name text, contents bytea, output text DEFAULT NULL, sample_rate integer DEFAULT 16000, window_seconds real DEFAULT NULL, hop_seconds real DEFAULT NULL)
RETURNS integer
AS 'MODULE_PATHNAME', 'mren_load_audio_encoder_bytea'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.load_audio_encoder(text, bytea, text, integer, real, real) IS
    'Loads an audio encoder from the contents of an ONNX file whose input is a waveform and returns the dimension of its feature vector. output names the tensor to read, sample_rate is that of the waveform, window_seconds its length where the file leaves it open, and hop_seconds the distance between windows, by default half a window.';

CREATE FUNCTION mren.load_audio_encoder(name text, large_object oid, output text DEFAULT NULL, sample_rate integer DEFAULT 16000, window_seconds real DEFAULT NULL, hop_seconds real DEFAULT NULL)
RETURNS integer
AS 'MODULE_PATHNAME', 'mren_load_audio_encoder_large_object'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.load_audio_encoder(text, oid, text, integer, real, real) IS
    'Loads an audio encoder from a large object that holds an ONNX file whose input is a waveform and returns the dimension of its feature vector. output names the tensor to read, sample_rate is that of the waveform, window_seconds its length where the file leaves it open, and hop_seconds the distance between windows, by default half a window.';

CREATE FUNCTION mren.drop_audio_encoder(name text)
RETURNS void
AS 'MODULE_PATHNAME', 'mren_drop_audio_encoder'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.drop_audio_encoder(text) IS
    'Drops an audio encoder; this is an error while a model uses it.';

CREATE FUNCTION mren.audio_features(encoder text, audio bytea)
RETURNS real[]
AS 'MODULE_PATHNAME', 'mren_audio_features'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION mren.audio_features(text, bytea) IS
    'Returns the feature vector that an audio encoder, or logmel, which is built in, computes for a WAV, FLAC or MP3 recording.';

CREATE FUNCTION mren.audio_info(audio bytea, OUT format text, OUT sample_rate integer, OUT channels integer, OUT seconds double precision)
AS 'MODULE_PATHNAME', 'mren_audio_info_sql'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mren.audio_info(bytea) IS
    'Returns the format, the sample rate in Hz, the number of channels and the length in seconds of a WAV, FLAC or MP3 recording, reading only its headers; seconds is NULL if they do not give it.';

CREATE VIEW mren.audio_encoders AS
SELECT name, dimension, size, pg_catalog.encode(sha256, 'hex') AS sha256, loaded_at, output, sample_rate,
       window_samples::double precision OPERATOR(pg_catalog./) sample_rate::double precision AS window_seconds,
       hop_samples::double precision OPERATOR(pg_catalog./) sample_rate::double precision AS hop_seconds,
       owner
FROM mren.audio_encoder;
COMMENT ON VIEW mren.audio_encoders IS
    'Audio encoders that are loaded; size is that of the ONNX file in bytes. logmel is not among them: it is built in.';
