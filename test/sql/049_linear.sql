-- The wide branch: lexical features without embeddings, and lexicons' types.
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE TABLE wide_pairs AS
SELECT i AS id,
       pg_catalog.format('The %s %s the %s on day %s', head, verb, tail, i) AS sentence,
       head, tail, relation
FROM (SELECT i,
             (ARRAY['dog', 'cat', 'horse', 'fox'])[1 + i % 4] AS head,
             (ARRAY['mouse', 'bird', 'worm', 'fish', 'crab'])[1 + i % 5] AS tail,
             (ARRAY['chased', 'was eaten by', 'sat near'])[1 + i % 3] AS verb,
             (ARRAY['hunts', 'eaten_by', 'none'])[1 + i % 3] AS relation
      FROM pg_catalog.generate_series(1, 240) AS i) AS t;

-- Nothing is loaded: the words between tell the relation.
CALL mren.train('wide', 'SELECT * FROM wide_pairs', '{"negative": "none", "epochs": 20}');
SELECT embeddings_sha256 IS NULL AS needs_no_embeddings, (metrics ->> 'linear_share')::float > 0 AS has_share
FROM mren.models WHERE model = 'wide';
SELECT mren.predict('wide', 'The wolf chased the deer on day 9', 'wolf', 'deer') AS chased,
       mren.predict('wide', 'The wolf was eaten by the deer on day 9', 'wolf', 'deer') AS eaten,
       mren.predict('wide', 'The wolf sat near the deer on day 9', 'wolf', 'deer') AS near;
-- Case and compatibility forms do not matter.
SELECT a.confidence = b.confidence AS folded
FROM mren.classify('wide', 'The wolf CHASED the deer on day 9', 'wolf', 'deer') AS a,
     mren.classify('wide', 'The wolf chased the deer on day 9', 'wolf', 'deer') AS b;

-- A row's answer has the same bits alone and among others.
SELECT count(*) AS rows, bool_and(p.confidence = alone.confidence) AS same
FROM mren.predict_rows('wide', 'SELECT * FROM wide_pairs') AS p
JOIN wide_pairs AS t ON t.id::text = p.id,
LATERAL (SELECT confidence FROM mren.classify('wide', t.sentence, t.head, t.tail)) AS alone;

-- The aggregate, with serial and with parallel plans, and the procedure give the same network.
SELECT mren.save_model('agg', mren.train_agg(sentence, head, tail, relation, NULL,
                                             '{"negative": "none", "epochs": 20}')) AS version
FROM wide_pairs;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
ALTER TABLE wide_pairs SET (parallel_workers = 2);
SELECT mren.save_model('parallel', mren.train_agg(sentence, head, tail, relation, NULL,
                                                  '{"negative": "none", "epochs": 20}')) AS version
FROM wide_pairs;
RESET max_parallel_workers_per_gather;
SELECT count(DISTINCT sha256) AS networks FROM mren.models WHERE model IN ('wide', 'agg', 'parallel');

-- Out and in again.
SELECT mren.import_model('copy', mren.export_model('wide')) AS version;
SELECT a.confidence = b.confidence AS same
FROM wide_pairs, mren.classify('copy', sentence, head, tail) AS a, mren.classify('wide', sentence, head, tail) AS b
WHERE id = 1;

-- The verb is why.
SELECT feature FROM mren.explain('wide', 'The wolf chased the deer on day 9', 'wolf', 'deer')
WHERE modality = 'word' ORDER BY contribution DESC LIMIT 1;

-- Off: as without the branch; then something else must be there to learn from.
CALL mren.train('deep', 'SELECT * FROM wide_pairs', '{"hash_bits": 0}');
CALL mren.train('deep', 'SELECT * FROM wide_pairs', '{"hash_bits": 23}');

-- Types of a lexicon tell what words alone cannot: no feature of these mentions is in the training rows.
CREATE TABLE kinds AS
SELECT pg_catalog.format('%s and %s', head, tail) AS sentence, head, tail,
       CASE WHEN i % 2 = 0 THEN 'animal' ELSE 'plant' END AS relation
FROM (SELECT i, CASE WHEN i % 2 = 0 THEN 'a' ELSE 'p' END || i || 'x' AS head, 'thing' AS tail
      FROM pg_catalog.generate_series(1, 120) AS i) AS t;
SELECT mren.load_lexicon('kinds', $$SELECT CASE WHEN i % 2 = 0 THEN 'a' ELSE 'p' END || i || 'x' AS phrase,
                                    CASE WHEN i % 2 = 0 THEN 'noun.animal' ELSE 'noun.plant' END AS type
                                    FROM pg_catalog.generate_series(1, 400) AS i$$) AS phrases;
CALL mren.train('kinds', 'SELECT * FROM kinds', '{"lexicons": ["kinds"], "epochs": 20}');
SELECT mren.predict('kinds', 'a200x and thing', 'a200x', 'thing') AS animal,
       mren.predict('kinds', 'p201x and thing', 'p201x', 'thing') AS plant;
SELECT mren.drop_lexicon('kinds');
SELECT mren.load_lexicon('kinds', ARRAY['other'], 'type');
CALL mren.train('kinds', 'SELECT * FROM kinds', '{"lexicons": ["nothing"]}');
CALL mren.train('kinds', 'SELECT * FROM kinds', '{"lexicons": "kinds"}');
CALL mren.train('kinds', 'SELECT * FROM kinds', '{"lexicons": ["kinds", "kinds"]}');

-- Long, hostile and foreign text.
SELECT mren.predict('wide', pg_catalog.repeat('wolf ', 20000) || 'deer', 'wolf', 'deer') IS NOT NULL AS long;
SELECT mren.predict('wide', U&'\FF37\00DF\0130 \4E2D\56FD\4EBA\5F88\597D \0301\200B deer', U&'\4E2D\56FD', 'deer') IS NOT NULL AS foreign;

SELECT mren.drop_model(m) FROM pg_catalog.unnest(ARRAY['wide', 'agg', 'parallel', 'copy', 'kinds']) AS m;
SELECT mren.drop_lexicon('kinds');
DROP TABLE wide_pairs, kinds;
