-- The starter tagger for names of persons, places and organizations.
--
-- Its sentences are those that wordnet-names has found: names with their definitions,
-- definitions and examples that mention names, and a sample of those that mention none.
--
-- Run by tools/starter/build in the directory of the prepared data.
\set ON_ERROR_STOP on
\pset footer off

\echo
\echo `date +%T` 'Training the tagger "names"'
CREATE TABLE found (kind text, sentence text, mentions int4range[], types text[], split text);
\copy found FROM 'names.tsv'
CREATE TABLE marked AS
SELECT sentence, mentions, types, split FROM found
WHERE CASE WHEN kind = 'headword' OR 'organization' = ANY (types) THEN true
           WHEN mentions <> '{}' THEN kind = 'example' OR md5(sentence) < '8'
           ELSE md5(sentence) < CASE kind WHEN 'example' THEN '08' ELSE '03' END END;
SELECT split, count(*) AS sentences, sum(cardinality(mentions)) AS names FROM marked GROUP BY split ORDER BY split DESC;
CALL mren.train_tagger('names', $$SELECT sentence, mentions, types FROM marked WHERE split = 'train'$$,
    '{"embeddings": "words", "epochs": 8, "patience": 0, "validation_share": 0, "seed": 1}');
CREATE TABLE names_evaluation AS
SELECT * FROM mren.evaluate_tagger('names', $$SELECT sentence, mentions, types FROM marked WHERE split = 'test'$$);
SELECT type, round(f1::numeric, 3) AS f1, support FROM names_evaluation;
