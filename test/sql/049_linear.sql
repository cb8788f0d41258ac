-- The linear branch: lexical features without embeddings, and types of lexicons.
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE TABLE verb_pairs AS
SELECT i AS id,
       pg_catalog.format('The %s %s the %s on day %s', head, verb, tail, i) AS sentence,
       head, tail, relation
FROM (SELECT i,
             (ARRAY['dog', 'cat', 'horse', 'fox'])[1 + i % 4] AS head,
             (ARRAY['mouse', 'bird', 'worm', 'fish', 'crab'])[1 + i % 5] AS tail,
             (ARRAY['chased', 'was eaten by', 'sat near'])[1 + i % 3] AS verb,
             (ARRAY['hunts', 'eaten_by', 'none'])[1 + i % 3] AS relation
      FROM pg_catalog.generate_series(1, 240) AS i) AS t;

-- Without embeddings: the words between the mentions tell the relation.
CALL mren.train('linear', 'SELECT * FROM verb_pairs', '{"negative": "none", "epochs": 20}');
SELECT embeddings_sha256 IS NULL AS needs_no_embeddings, (metrics ->> 'linear_share')::float > 0 AS has_share
FROM mren.models WHERE model = 'linear';
SELECT mren.predict('linear', 'The wolf chased the deer on day 9', 'wolf', 'deer') AS chased,
       mren.predict('linear', 'The wolf was eaten by the deer on day 9', 'wolf', 'deer') AS eaten,
       mren.predict('linear', 'The wolf sat near the deer on day 9', 'wolf', 'deer') AS near;
-- Case and compatibility forms do not matter.
SELECT a.confidence = b.confidence AS folded
FROM mren.classify('linear', 'The wolf CHASED the deer on day 9', 'wolf', 'deer') AS a,
     mren.classify('linear', 'The wolf chased the deer on day 9', 'wolf', 'deer') AS b;

-- A row gets the same answer alone and in a batch, bit for bit.
SELECT count(*) AS rows, bool_and(p.confidence = alone.confidence) AS same
FROM mren.predict_rows('linear', 'SELECT * FROM verb_pairs') AS p
JOIN verb_pairs AS t ON t.id::text = p.id,
LATERAL (SELECT confidence FROM mren.classify('linear', t.sentence, t.head, t.tail)) AS alone;

-- The aggregate, with serial and with parallel plans, and the procedure give the same network.
SELECT mren.save_model('agg', mren.train_agg(sentence, head, tail, relation, NULL,
                                             '{"negative": "none", "epochs": 20}')) AS version
FROM verb_pairs;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
ALTER TABLE verb_pairs SET (parallel_workers = 2);
SELECT mren.save_model('parallel', mren.train_agg(sentence, head, tail, relation, NULL,
                                                  '{"negative": "none", "epochs": 20}')) AS version
FROM verb_pairs;
RESET max_parallel_workers_per_gather;
SELECT count(DISTINCT sha256) AS networks FROM mren.models WHERE model IN ('linear', 'agg', 'parallel');

-- Exported and imported again.
SELECT mren.import_model('copy', mren.export_model('linear')) AS version;
SELECT a.confidence = b.confidence AS same
FROM verb_pairs, mren.classify('copy', sentence, head, tail) AS a, mren.classify('linear', sentence, head, tail) AS b
WHERE id = 1;

-- The verb contributes most.
SELECT feature IN ('sat', 'near') AS verb FROM mren.explain('linear', 'The wolf sat near the deer on day 9', 'wolf', 'deer')
WHERE modality = 'word' ORDER BY contribution DESC LIMIT 1;

-- Without the branch, embeddings are required; 23 bits are too many.
CALL mren.train('deep', 'SELECT * FROM verb_pairs', '{"hash_bits": 0}');
CALL mren.train('deep', 'SELECT * FROM verb_pairs', '{"hash_bits": 23}');

-- Types of a lexicon help where words do not: no feature of these mentions occurs in the training rows.
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

-- Long, malformed and foreign text.
SELECT mren.predict('linear', pg_catalog.repeat('wolf ', 20000) || 'deer', 'wolf', 'deer') IS NOT NULL AS long;
SELECT mren.predict('linear', U&'\FF37\00DF\0130 \4E2D\56FD\4EBA\5F88\597D \0301\200B deer', U&'\4E2D\56FD', 'deer') IS NOT NULL AS foreign;

SELECT mren.drop_model(m) FROM pg_catalog.unnest(ARRAY['linear', 'agg', 'parallel', 'copy', 'kinds']) AS m;
SELECT mren.drop_lexicon('kinds');
DROP TABLE verb_pairs, kinds;
