-- Part 5: a pretrained text encoder.
--
-- A transformer that others have trained on large amounts of text is loaded, gives vectors of
-- sentences, and is fine-tuned with 300 of part 1's rows, which are few for a network alone.
--
-- Run by tools/demo/run in the directory of the prepared data.
\set ON_ERROR_STOP on
\pset footer off
\echo
\echo `date +%T` 'Loading the text encoder all-MiniLM-L6-v2, 23 million parameters'
\lo_import :encoder
\timing on
SELECT mren.load_text_encoder('minilm', :LASTOID::oid) AS dimension;
\timing off
\lo_unlink :LASTOID
SELECT name, architecture, layers, parameters FROM mren.text_encoders;
\echo 'The pieces that it reads, with their characters'
SELECT string_agg(format('%s %s', piece, span), '  ' ORDER BY lower(span)) AS pieces
FROM mren.tokens('minilm', 'Outback : the bush country of Australia .');

\echo `date +%T` 'Definitions that say what "a road for fast traffic between cities" says, in other words'
CREATE TABLE sentence_vector AS
SELECT head, sentence, mren.text_features('minilm', sentence) AS vector
FROM (SELECT * FROM definition WHERE length(sentence) < 120 AND sentence ~ '\m(road|street|way|vehicle|city|traffic)\M'
      ORDER BY md5(id) LIMIT 500) AS d;
SELECT round(cosine::numeric, 2) AS similarity, left(sentence, 90) AS sentence
FROM (SELECT mren.text_features('minilm', 'a road for fast traffic between cities') AS asked) AS q, sentence_vector,
     LATERAL (SELECT sum(a * b) / sqrt(sum(a * a) * sum(b * b)) AS cosine FROM unnest(asked::float8[], vector::float8[]) AS v (a, b)) AS c
ORDER BY cosine DESC LIMIT 4;

\echo `date +%T` 'Training with 300 rows: word vectors alone, and the encoder beside them'
CREATE TABLE few AS
SELECT sentence, head_span AS head, tail_span AS tail, relation
FROM (SELECT *, row_number() OVER (PARTITION BY relation ORDER BY md5(sentence)) AS rank FROM example WHERE split = 'train') AS ranked
WHERE rank <= 50;
CREATE VIEW few_test AS
SELECT sentence, head_span AS head, tail_span AS tail, relation
FROM (SELECT *, row_number() OVER (ORDER BY md5(sentence)) AS rank FROM example WHERE split = 'test') AS ranked
WHERE rank <= 600;
\timing on
CALL mren.train('few_words', 'SELECT * FROM few', '{"embeddings": "words", "negative": "none", "seed": 1}');
CALL mren.train('few_encoder', 'SELECT * FROM few', '{"embeddings": "words", "negative": "none", "seed": 1, "text_encoder": "minilm"}');
\timing off
SELECT input, round(max(f1) FILTER (WHERE relation = 'micro avg')::numeric, 3) AS "micro F1",
       round(max(f1) FILTER (WHERE relation = 'macro avg')::numeric, 3) AS "macro F1"
FROM (SELECT 'word vectors' AS input, e.* FROM mren.evaluate('few_words', 'SELECT * FROM few_test') AS e
      UNION ALL SELECT 'word vectors and the encoder', e.* FROM mren.evaluate('few_encoder', 'SELECT * FROM few_test') AS e) AS input
GROUP BY input ORDER BY 2;
SELECT model, seconds::int, metrics ->> 'encoder_share' AS encoder_share,
       pg_size_pretty(octet_length(mren.export_model(model))::bigint) AS exported
FROM mren.models WHERE model LIKE 'few%' ORDER BY model;
