-- Fine-tuning a text encoder in background workers: the same model, bit for bit, with any number of them.
\getenv srcdir PG_ABS_SRCDIR
\set ECHO none
\i :srcdir/include/tiny.sql
\set n_letters 240
\i :srcdir/include/letters.sql
\set ECHO all
SET client_min_messages = warning;      -- an epoch's notice has times in it
CREATE TABLE tagged AS SELECT id, string_to_array(sentence, ' ') AS tokens,
    ARRAY[CASE WHEN id % 2 = 0 THEN 'B-First' ELSE 'O' END, 'B-Second', 'O'] AS tags FROM letters;

-- The hash of the model that is trained with so many workers.
CREATE FUNCTION trained(workers int, kind text, options jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v int;
BEGIN
    PERFORM set_config('max_parallel_maintenance_workers', workers::text, true);
    IF kind = 'tagger' THEN
        CALL mren.train_tagger('t', 'SELECT tokens, tags FROM tagged', options, v);
    ELSIF kind = 'aggregate' THEN
        RETURN (SELECT md5(mren.train_agg(sentence, head, tail, relation, NULL::bytea, options)::text) FROM letters);
    ELSE
        CALL mren.train('m', 'SELECT sentence, head, tail, relation' || CASE kind WHEN 'weak' THEN ', id % 3 > 0 AS gold' ELSE '' END || ' FROM letters', options, v);
    END IF;
    RETURN md5(mren.export_model(CASE kind WHEN 'tagger' THEN 't' ELSE 'm' END, v));
END
$$;
CREATE TABLE kinds (i serial, kind text, options jsonb);
-- Batches of 32 rows are two shards, those of 160 are four.
INSERT INTO kinds (kind, options) VALUES
    ('relations', '{}'), ('relations', '{"encoder_batch_size": 160}'), ('relations', '{"fine_tuning": "all"}'),
    ('relations', '{"fine_tuning": "last_layers", "fine_tuned_layers": 1}'), ('relations', '{"fine_tuning": "frozen"}'),
    ('relations', '{"refit": true}'), ('weak', '{}'), ('aggregate', '{}');
UPDATE kinds SET options = '{"hidden": [8], "hash_bits": 0, "refit": false, "encoder_epochs": 2}' || options;
INSERT INTO kinds (kind, options) VALUES ('tagger', '{"batch_size": 64}'), ('tagger', '{"batch_size": 64, "fine_tuning": "all"}');
UPDATE kinds SET options = '{"text_encoder": "tiny text", "embeddings": null, "epochs": 2}' || options;
SELECT i, kind, count(DISTINCT hash) AS models
FROM kinds, LATERAL (SELECT trained(workers, kind, options) AS hash FROM unnest('{0,1,3}'::int[]) AS workers) AS t
GROUP BY i, kind ORDER BY i;

-- Each process has as much memory as it needs for one shard; the rest is computed again.
SELECT count(DISTINCT trained(workers, 'relations', '{"text_encoder": "tiny text", "embeddings": null, "epochs": 1, "hidden": [8], "refit": false, "encoder_epochs": 1}')) AS models
FROM unnest('{0,1,3}'::int[]) AS workers, LATERAL (SELECT set_config('mren.train_memory', kb, false) FROM unnest('{1GB,1MB}'::text[]) AS kb) AS m;
