-- Part 5: a pretrained text encoder.
--
-- A transformer that others have trained on large amounts of text is loaded, gives vectors of
-- sentences, and is fine-tuned with 150 statements.
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

\echo `date +%T` 'Training with 150 statements in three wordings: by word vectors, and by the encoder'
-- The nouns are WordNet's; a statement of the test is about other nouns, and in other words.
CREATE TABLE statement AS
SELECT split, replace(replace(wording, 'HEAD', head), 'TAIL', tail) AS sentence, head, tail, relation
FROM (SELECT split, relation, row_number() OVER (PARTITION BY split, relation ORDER BY md5(definition || lower(tail_span))) AS rank,
             lower(substr(sentence, lower(head_span) + 1, upper(head_span) - lower(head_span))) AS head,
             lower(substr(sentence, lower(tail_span) + 1, upper(tail_span) - lower(tail_span))) AS tail
      FROM example WHERE relation IN ('part_of', 'kind_of', 'none')) AS pair
     JOIN (VALUES ('train', 'part_of', 'The HEAD is part of the TAIL.'), ('train', 'kind_of', 'A HEAD is a kind of TAIL.'),
                  ('train', 'none', 'The HEAD is far from the TAIL.'),
                  ('test', 'part_of', 'A HEAD is one component of each TAIL.'), ('test', 'part_of', 'The HEAD belongs to the TAIL.'),
                  ('test', 'kind_of', 'The HEAD is one type of TAIL.'), ('test', 'kind_of', 'One species of TAIL is the HEAD.'),
                  ('test', 'none', 'The HEAD stands miles away from the TAIL.')) AS w (split, relation, wording) USING (split, relation)
WHERE rank <= 50;
\timing on
CALL mren.train('words', $$SELECT sentence, head, tail, relation FROM statement WHERE split = 'train'$$,
    '{"embeddings": "words", "negative": "none", "seed": 1, "validation_share": 0, "epochs": 20}');
CALL mren.train('encoder', $$SELECT sentence, head, tail, relation FROM statement WHERE split = 'train'$$,
    '{"embeddings": null, "hash_bits": 0, "negative": "none", "seed": 1, "validation_share": 0, "epochs": 1, "text_encoder": "minilm", "encoder_batch_size": 8}');
\timing off
SELECT model, round(f1::numeric, 3) AS "micro F1", support
FROM (VALUES ('words'), ('encoder')) AS m (model),
     mren.evaluate(model, $$SELECT sentence, head, tail, relation FROM statement WHERE split = 'test'$$) WHERE relation = 'micro avg';
SELECT DISTINCT ON (wording) sentence, mren.predict('words', sentence, head, tail) AS words,
       mren.predict('encoder', sentence, head, tail) AS encoder
FROM (SELECT *, replace(replace(sentence, head, ''), tail, '') AS wording FROM statement WHERE split = 'test') AS s ORDER BY wording, md5(sentence);
