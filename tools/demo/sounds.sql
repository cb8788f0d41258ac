-- Part 4: recordings.
--
-- A sentence says which instrument plays, a recording how high it plays; the two fit or do
-- not.  The recordings are made here, so that nothing has to be downloaded: a function
-- makes WAV files of half a second.
--
-- Run by tools/demo/run in the directory of the prepared data, after vectors.sql.
\set ON_ERROR_STOP on
\pset footer off

\echo
\echo `date +%T` 'Making recordings: WAV files of half a second, with a tone in one half and silence in the other'
-- The header of a WAV file with 4000 samples of 8 bits, 8000 a second, and the samples.
CREATE FUNCTION tone(hertz int, loudness int, half int) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT '\x52494646c40f000057415645666d74201000000001000100401f0000401f00000100080064617461a00f0000'::bytea
        || string_agg(set_byte('\x00', 0, (128 + CASE WHEN i / 2000 = half THEN loudness * sin(2 * pi() * hertz * i / 8000) ELSE 0 END)::int), ''::bytea ORDER BY i)
    FROM generate_series(0, 3999) AS i
$$;
-- Tones below 400 Hz fit a low instrument, those above 1000 Hz a high one.  Every instrument has
-- as many rows of each kind, so that neither the sentence nor the recording tells alone.
CREATE TABLE heard AS
SELECT id, 'The ' || instrument || ' plays in the hall .' AS sentence, instrument AS head, 'hall' AS tail,
       tone(CASE WHEN is_low THEN 80 + id / 2 ELSE 1000 + 3 * id END, 30 + id % 60, id / 48 % 2) AS audio,
       CASE WHEN (instrument IN ('tuba', 'bassoon', 'trombone')) = is_low THEN 'fits' ELSE 'other' END AS relation,
       CASE WHEN id / 12 % 4 = 3 THEN 'test' ELSE 'train' END AS split
FROM generate_series(0, 599) AS id,
     LATERAL (SELECT (ARRAY['tuba', 'flute', 'bassoon', 'piccolo', 'trombone', 'violin'])[1 + id % 6] AS instrument,
                     id / 6 % 2 = 0 AS is_low) AS r;
CREATE VIEW heard_alone AS
SELECT 'An instrument plays in the hall .' AS sentence, 'instrument' AS head, tail, relation, audio, split FROM heard;
\echo 'What mren.audio_info says about two of them:'
SELECT h.id, h.sentence, i.* FROM heard h, mren.audio_info(h.audio) i WHERE h.id IN (6, 12) ORDER BY h.id;
\echo 'A recording as the vector that the model reads, of the built-in encoder "logmel" (the first of its 256 numbers):'
SELECT id, (SELECT array_agg(round(v::numeric, 2)) FROM unnest(vector[1:6]) v) AS vector
FROM (SELECT id, mren.audio_features('logmel', audio) AS vector FROM heard WHERE id IN (6, 12)) v ORDER BY id;

\echo
\echo `date +%T` 'Training the model "sounds" on sentences with recordings, and two models on one of both'
\timing on
CALL mren.train('sounds',
    $$SELECT sentence, head, tail, relation, audio FROM heard WHERE split = 'train'$$,
    '{"embeddings": "words", "hidden": [32], "hash_bits": 0, "epochs": 20, "validation_share": 0, "seed": 1}');
CALL mren.train('sounds_text',
    $$SELECT sentence, head, tail, relation FROM heard WHERE split = 'train'$$,
    '{"embeddings": "words", "hidden": [32], "hash_bits": 0, "epochs": 5, "validation_share": 0, "seed": 1}');
CALL mren.train('sounds_audio',
    $$SELECT sentence, head, tail, relation, audio FROM heard_alone WHERE split = 'train'$$,
    '{"embeddings": "words", "hidden": [32], "hash_bits": 0, "epochs": 5, "validation_share": 0, "seed": 1}');
\timing off

\echo
\echo `date +%T` 'Evaluating on recordings that were not used for training'
\echo '(The model "sounds_text" warns that it was trained on these rows: without their recordings, the'
\echo 'sentences also occur in the training rows.)'
SELECT 'sentence and recording' AS input, round(f1::numeric, 3) AS accuracy
FROM mren.evaluate('sounds', $$SELECT * FROM heard WHERE split = 'test'$$) WHERE relation = 'accuracy'
UNION ALL
SELECT 'sentence alone', round(f1::numeric, 3)
FROM mren.evaluate('sounds_text', $$SELECT sentence, head, tail, relation FROM heard WHERE split = 'test'$$)
WHERE relation = 'accuracy'
UNION ALL
SELECT 'recording alone', round(f1::numeric, 3)
FROM mren.evaluate('sounds_audio', $$SELECT * FROM heard_alone WHERE split = 'test'$$) WHERE relation = 'accuracy';

\echo 'The same sentence with low and high tones, and what each part of the recording (in seconds) contributes to the answer:'
SELECT hertz, CASE half WHEN 0 THEN 'first half' ELSE 'second half' END AS tone_in, r.relation,
       round(r.confidence::numeric, 2) AS confidence,
       (SELECT string_agg(e.seconds || ' ' || round(e.contribution::numeric, 2), '  ' ORDER BY e.seconds)
        FROM mren.explain_audio('sounds', sentence, 'flute', 'hall', audio => recording) e) AS contributions
FROM (SELECT hertz, half, 'The flute plays in the hall .' AS sentence, tone(hertz, 50, half) AS recording
      FROM unnest(ARRAY[110, 2000]) hertz, generate_series(0, 1) half) s,
     mren.classify('sounds', sentence, 'flute', 'hall', audio => recording) r
ORDER BY hertz, half;
