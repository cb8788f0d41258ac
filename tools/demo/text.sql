-- Part 1: relation extraction from text.
--
-- A network is trained on the definitions of four fifths of WordNet's headwords and then
-- reads the definitions of the others.
--
-- Run by tools/demo/run in the directory of the prepared data, after rows.sql.
\set ON_ERROR_STOP on
\pset footer off

SELECT relation, count(*) FILTER (WHERE split = 'train') AS train, count(*) FILTER (WHERE split = 'test') AS test
FROM example GROUP BY relation ORDER BY relation;

\echo 'Three of these rows:'
SELECT substr(sentence, lower(head_span) + 1, upper(head_span) - lower(head_span)) AS head,
       relation,
       substr(sentence, lower(tail_span) + 1, upper(tail_span) - lower(tail_span)) AS tail,
       left(sentence, 80) AS sentence
FROM (SELECT DISTINCT ON (relation) * FROM example
      WHERE relation IN ('part_of', 'member_of', 'none') AND length(sentence) < 80
      ORDER BY relation, md5(sentence)) e;

\echo
\echo `date +%T` 'Training the model "wordnet"'
\timing on
CALL mren.train('wordnet',
    $$SELECT sentence, head_span AS head, tail_span AS tail, relation FROM example WHERE split = 'train'$$,
    '{"embeddings": "words", "negative": "none", "epochs": 8, "seed": 1}');

\echo
\echo `date +%T` 'Evaluating the model on headwords that were not used for training'
CREATE TABLE evaluation AS
SELECT * FROM mren.evaluate('wordnet',
    $$SELECT sentence, head_span AS head, tail_span AS tail, relation FROM example WHERE split = 'test'$$);
\timing off
SELECT relation, round("precision"::numeric, 3) AS "precision", round(recall::numeric, 3) AS recall,
       round(f1::numeric, 3) AS f1, support
FROM evaluation;

\echo
\echo `date +%T` 'For comparison: training on the two nouns alone, without the sentence'
CREATE VIEW pair AS
SELECT head || ' ' || tail AS sentence, int4range(0, length(head)) AS head,
       int4range(length(head) + 1, length(head) + 1 + length(tail)) AS tail, relation, split
FROM (SELECT substr(sentence, lower(head_span) + 1, upper(head_span) - lower(head_span)) AS head,
             substr(sentence, lower(tail_span) + 1, upper(tail_span) - lower(tail_span)) AS tail,
             relation, split
      FROM example) e;
\timing on
CALL mren.train('wordnet_pair',
    $$SELECT sentence, head, tail, relation FROM pair WHERE split = 'train'$$,
    '{"embeddings": "words", "negative": "none", "epochs": 8, "seed": 1}');
\timing off

CREATE TABLE control AS
SELECT 'sentence' AS input, relation, f1 FROM evaluation
UNION ALL
SELECT 'the two nouns alone', relation, f1 FROM mren.evaluate('wordnet_pair',
    $$SELECT sentence, head, tail, relation FROM pair WHERE split = 'test'$$);

SELECT input, round(max(f1) FILTER (WHERE relation = 'micro avg')::numeric, 3) AS "micro F1",
       round(max(f1) FILTER (WHERE relation = 'macro avg')::numeric, 3) AS "macro F1"
FROM control GROUP BY input ORDER BY 2 DESC;

\echo
\echo `date +%T` 'Classifying every noun in the definitions of all held-out headwords'
CREATE TABLE candidate AS
SELECT row_number() OVER (ORDER BY n.definition, lower(n.tail_span)) AS id, d.head, d.sentence, n.head_span,
       n.tail, n.tail_span, n.relation AS in_wordnet
FROM noun n JOIN definition d ON d.id = n.definition
WHERE d.split = 'test';
\timing on
CREATE TABLE triple AS
SELECT c.head, p.relation, c.tail, p.confidence, c.in_wordnet, c.sentence
FROM mren.predict_rows('wordnet',
        $$SELECT id, sentence, head_span AS head, tail_span AS tail FROM candidate$$) p
     JOIN candidate c ON c.id = p.id::bigint
WHERE p.relation <> 'none';
\timing off
SELECT (SELECT count(*) FROM candidate) AS pairs, count(*) AS triples,
       count(*) FILTER (WHERE in_wordnet = relation) AS "agree with WordNet",
       count(*) FILTER (WHERE in_wordnet = 'none') AS "not in WordNet"
FROM triple;

\echo
\echo `date +%T` 'Querying the triples: what is a part of Australia?'
\echo 'SELECT head, confidence, in_wordnet, sentence FROM triple'
\echo '    WHERE relation = ''part_of'' AND tail = ''Australia'' ORDER BY confidence DESC LIMIT 8;'
SELECT head, round(confidence::numeric, 2) AS confidence, in_wordnet, left(sentence, 90) AS sentence
FROM triple
WHERE relation = 'part_of' AND tail = 'Australia'
ORDER BY triple.confidence DESC LIMIT 8;

\echo `date +%T` 'Ten facts for which WordNet has no pointer, with the sentences that state them'
-- WordNet's definitions state many facts for which it has no pointer.  These are the most
-- confident ones of the relations whose precision in the evaluation is at least 0.75, with
-- no noun twice.
SELECT head, relation, tail, round(confidence::numeric, 2) AS confidence, left(sentence, 100) AS sentence
FROM (SELECT o.*, row_number() OVER (PARTITION BY relation ORDER BY confidence DESC, head, tail) AS rank
      FROM (SELECT DISTINCT ON (relation, tail) t.*
            FROM triple t JOIN evaluation e USING (relation)
            WHERE t.in_wordnet = 'none' AND e."precision" >= 0.75
            ORDER BY relation, tail, confidence DESC, head) o) surest
ORDER BY rank, relation LIMIT 10;

\echo `date +%T` 'Why? What the words of two of the sentences contribute to the answer'
\echo 'SELECT feature, contribution FROM mren.explain(''wordnet'', sentence, head, tail) ORDER BY contribution DESC;'
SELECT head, in_wordnet AS relation, tail, why
FROM (SELECT DISTINCT ON (t.relation) c.* FROM triple t JOIN candidate c USING (head, tail, sentence)
      WHERE t.relation = t.in_wordnet AND t.relation IN ('part_of', 'member_of') AND t.confidence > 0.9
        AND length(t.sentence) BETWEEN 40 AND 90
      ORDER BY t.relation, md5(t.sentence)) drawn,
     LATERAL (SELECT string_agg(format('%s %s', feature, to_char(contribution, 'SG0.00')), ',  ' ORDER BY contribution DESC) AS why
              FROM (SELECT feature, contribution FROM mren.explain('wordnet', sentence, head_span, tail_span)
                    ORDER BY contribution DESC LIMIT 5) w) x;
