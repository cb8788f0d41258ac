-- Recordings and audio encoders.
\getenv srcdir PG_ABS_SRCDIR
\getenv files MREN_TEST_FILES
\i :srcdir/include/errors.sql
\i :srcdir/include/recordings.sql
\set encoder :files '/audio_encoder.onnx'
\set encoder8 :files '/audio_encoder_8.onnx'
CREATE TABLE recordings AS
SELECT 'short' AS name, wav('{8192,16384,0,-8192}') AS audio
UNION ALL SELECT 'steps', wav(ARRAY(SELECT 1024 * i FROM generate_series(1, 10) AS i))
UNION ALL SELECT 'stereo', wav('{8192,0, 16384,16384, 0,-16384, -8192,0}', channels => 2)
UNION ALL SELECT 'sine', wav(ARRAY(SELECT round(16384 * sin(2 * pi() * 1000 * i / 16000))::integer FROM generate_series(0, 15999) AS i))
-- ten frames of silence
UNION ALL SELECT 'mp3', decode(repeat('fffb10c0' || repeat('00', 100), 10), 'hex')
UNION ALL SELECT 'flac', decode('664c6143000000220400040000000000000003e800f0000000000000000000000000000000000000000084000028200000007265666572656e6365206c6962464c414320312e342e3220323032323130323200000000fff86508003b5402c80134f7963296096a75dfa6e085582eca890106d47f728d7d41ed2619565552d66e3a07e5e02e2817ef3024ee7ee51a49acfa835018617266b132ac70db237f989d25b67371740e0ca352e714475c502406e320ee05138a721f09184b2b6f2a537abf7453da2123bf5e45269544ef00815380a37d56189bf7ef', 'hex');
CREATE TABLE unusable AS
SELECT 'empty' AS name, ''::bytea AS audio
UNION ALL SELECT 'nothing', wav('{}')
UNION ALL SELECT 'cut', substr(audio, 1, 50) FROM recordings WHERE name = 'short'
UNION ALL SELECT 'cut flac', substr(audio, 1, 150) FROM recordings WHERE name = 'flac'
UNION ALL SELECT 'cut mp3', substr(audio, 1, 1000) FROM recordings WHERE name = 'mp3'
UNION ALL SELECT 'ogg', convert_to('OggS', 'UTF8') || decode(repeat('00', 24), 'hex') || '\x01'::bytea || convert_to('vorbis', 'UTF8')
UNION ALL SELECT 'text', convert_to('no recording at all', 'UTF8');

-- The headers tell what a recording is.
SELECT name, i.* FROM recordings, mren.audio_info(audio) AS i ORDER BY name;
SELECT mren.audio_info(NULL);
SELECT name, error_of(format('SELECT mren.audio_info(%L::bytea)', audio)) FROM unusable ORDER BY name;

-- An encoder over windows of 8 samples, 4 samples apart; its vector is the mean over the windows of the mean
-- and of the largest sample. 'short' is filled up with zeros: (0.25 + 0.5 - 0.25) / 8, 0.5. 'steps' has two windows,
-- 1 to 8 and, as the last one ends with the recording, 3 to 10: means 4.5 and 6.5, largest 8 and 10, each / 32.
SELECT mren.load_audio_encoder('eight', :'encoder8');
SELECT mren.load_audio_encoder('open', pg_read_binary_file(:'encoder'), window_seconds => 0.0005, hop_seconds => 0.000125);
SELECT mren.load_audio_encoder('slow', pg_read_binary_file(:'encoder8'), sample_rate => 8000, output => 'top');
SELECT lo_from_bytea(0, pg_read_binary_file(:'encoder8')) AS object \gset
SELECT mren.load_audio_encoder('object', :object::oid);
SELECT lo_unlink(:object);
SELECT name, dimension, size, output, sample_rate, window_seconds, hop_seconds FROM mren.audio_encoders ORDER BY name;
SELECT count(DISTINCT sha256), count(DISTINCT identity) FROM mren.audio_encoder;
SELECT name, encoder, array_agg(round(x::numeric, 4) ORDER BY i) AS features
FROM recordings, unnest('{eight,open}'::text[]) AS encoder, unnest(mren.audio_features(encoder, audio)) WITH ORDINALITY AS f (x, i)
WHERE name IN ('short', 'steps', 'stereo', 'mp3') GROUP BY 1, 2 ORDER BY 1, 2;
SELECT mren.audio_features('eight', NULL), mren.audio_features('logmel', NULL);
-- The same recording again gives the same vector, from the cache or not.
SELECT count(DISTINCT mren.audio_features('eight', audio)) FROM recordings, generate_series(1, 3) WHERE name = 'steps';
SET mren.audio_cache = 0;
SELECT count(DISTINCT mren.audio_features('eight', audio)) FROM recordings, generate_series(1, 3) WHERE name = 'steps';
RESET mren.audio_cache;

-- Log-mel statistics need no file: 64 means, deviations, largest values, and deviations of differences.
-- A steady tone of 1000 Hz is loudest in the bands around it, and does not change.
SELECT name, cardinality(mren.audio_features('logmel', audio)) FROM recordings ORDER BY name;
SELECT array_agg(i ORDER BY x DESC) FILTER (WHERE i <= 64 AND x > 2) AS loud_bands, round(max(x) FILTER (WHERE i BETWEEN 193 AND 256)::numeric, 1) AS largest_change
FROM recordings, unnest(mren.audio_features('logmel', audio)) WITH ORDINALITY AS f (x, i) WHERE name = 'sine';
-- Silence is the logarithm of 0.001 in every band.
SELECT DISTINCT round(x::numeric, 4) FROM recordings, unnest(mren.audio_features('logmel', audio)) AS x WHERE name = 'mp3' ORDER BY 1;
-- Two channels and another rate are nearly the same to it: the mean of equal channels, resampled.
WITH tone AS (
    SELECT mren.audio_features('logmel', audio) AS a,
           mren.audio_features('logmel', wav(ARRAY(SELECT round(16384 * sin(2 * pi() * 1000 * (i / 2) / 44100))::integer FROM generate_series(0, 88199) AS i), 44100, 2)) AS b
    FROM recordings WHERE name = 'sine')
SELECT sum(x * y) / sqrt(sum(x * x) * sum(y * y)) > 0.99 AS similar FROM tone, unnest(a, b) AS u (x, y);

-- Recordings that cannot be read, or may not.
SELECT name, error_of(format('SELECT mren.audio_features(''logmel'', %L::bytea)', audio)) FROM unusable ORDER BY name;
-- the second sample, as a float that is not a number
SELECT error_of(format('SELECT mren.audio_features(''logmel'', %L::bytea)',
    overlay(overlay(audio PLACING '\x0300'::bytea FROM 21 FOR 2) PLACING '\x04002000'::bytea FROM 33 FOR 4) || '\x0000c07f'::bytea))
FROM (SELECT overlay(substr(audio, 1, 48) PLACING '\x08000000'::bytea FROM 41 FOR 4) AS audio FROM recordings WHERE name = 'short') AS r;
SET mren.max_audio_seconds = 1;
SELECT error_of(format('SELECT mren.audio_features(''logmel'', %L::bytea)', audio)) FROM recordings WHERE name = 'sine';
SELECT error_of(format('SELECT mren.audio_features(''logmel'', %L::bytea)', wav(array_fill(0, ARRAY[16001]))));
RESET mren.max_audio_seconds;
SET mren.max_audio_channels = 1;
SELECT error_of(format('SELECT mren.audio_features(''eight'', %L::bytea)', wav('{1,2,3,4}', channels => 2)));
RESET mren.max_audio_channels;
SET mren.max_audio_rate = 44099;
SELECT error_of(format('SELECT mren.audio_features(''eight'', %L::bytea)', substr(audio, 1, 104 * 9))) FROM recordings WHERE name = 'mp3';
RESET mren.max_audio_rate;

-- Files that are not networks over a waveform.
\set picture :files '/encoder.onnx'
SELECT error_of($$SELECT mren.load_audio_encoder('bad', convert_to('just some text in a file', 'UTF8'))$$);
SELECT error_of(format('SELECT mren.load_audio_encoder(''bad'', %L::bytea)', pg_read_binary_file(:'picture')));
SELECT error_of(format('SELECT mren.load_audio_encoder(''bad'', %L::bytea)', pg_read_binary_file(:'encoder')));
SELECT error_of(format('SELECT mren.load_audio_encoder(''bad'', %L::bytea, output => ''nothing'')', pg_read_binary_file(:'encoder8')));

-- Arguments.
SELECT arguments, error_of(format('SELECT mren.load_audio_encoder(''bad'', %L::bytea, %s)', pg_read_binary_file(:'encoder8'), arguments))
FROM unnest('{sample_rate => 999,sample_rate => 192001,sample_rate => NULL,window_seconds => 1,window_seconds => 0,window_seconds => ''NaN'',window_seconds => ''Infinity'',hop_seconds => -1,hop_seconds => 0.001}'::text[]) AS arguments;
SELECT name, error_of(format('SELECT mren.load_audio_encoder(%L, %L::bytea)', name, pg_read_binary_file(:'encoder8'))) FROM unnest('{eight,logmel,""}'::text[]) AS name;
SELECT error_of($$SELECT mren.load_audio_encoder('bad', '/nowhere/at/all')$$);
SELECT error_of($$SELECT mren.audio_features('none', ''::bytea)$$);
SELECT error_of($$SELECT mren.audio_features(NULL, ''::bytea)$$);

-- A rolled back encoder was never there.
BEGIN;
SELECT mren.load_audio_encoder('gone', pg_read_binary_file(:'encoder8'), hop_seconds => 0.0005);
SELECT mren.audio_features('gone', audio) IS NOT NULL AS there FROM recordings WHERE name = 'short';
ROLLBACK;
SELECT error_of($$SELECT mren.audio_features('gone', ''::bytea)$$);
SELECT mren.drop_audio_encoder('object'), mren.drop_audio_encoder('slow');
SELECT error_of($$SELECT mren.drop_audio_encoder('slow')$$);
SELECT error_of($$SELECT mren.drop_audio_encoder('logmel')$$);
SELECT count(*) FROM mren.audio_encoder_part p LEFT JOIN mren.audio_encoder e ON e.id = p.encoder WHERE e.id IS NULL;
