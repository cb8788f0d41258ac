-- The starter model for relations between nouns.
--
-- The rows are those of the demo (rows.sql), half of them as statements: "Perth : a state
-- capital of Western Australia ." becomes "Perth is a state capital of Western Australia."
-- A document gives every pair of nouns in both orders, so a part of the related rows is
-- also learned with head and tail exchanged and no relation.
--
-- Run by tools/starter/build in the directory of the prepared data, after rows.sql.
\set ON_ERROR_STOP on
\pset footer off

CREATE VIEW stated AS
SELECT definition, relation, split, head_span, int4range(lower(tail_span) + shift, upper(tail_span) + shift) AS tail_span,
       CASE verb WHEN ' : ' THEN sentence
                 ELSE left(sentence, upper(head_span)) || verb || left(substr(sentence, upper(head_span) + 4), -2) || '.' END AS sentence
FROM (SELECT *, length(verb) - 3 AS shift
      FROM (SELECT *, CASE WHEN md5(definition) < '8' THEN ' : '
                           WHEN substr(sentence, upper(head_span) + 4) ~ '^(an?|the|any|one|some) ' THEN ' is '
                           ELSE ' is a ' END AS verb
            FROM example) e) e;

CREATE TABLE training AS
SELECT definition, sentence, head_span AS head, tail_span AS tail, relation FROM stated
WHERE split = 'train' AND md5('row ' || definition) < '9'
UNION ALL
SELECT definition, sentence, tail_span, head_span, 'none' FROM stated
WHERE split = 'train' AND md5('row ' || definition) < '9' AND relation <> 'none' AND md5('exchanged ' || definition) < '6';

\echo
\echo `date +%T` 'Training the model "relations"'
CALL mren.train('relations', 'SELECT sentence, head, tail, relation FROM training',
    '{"embeddings": "words", "negative": "none", "epochs": 6, "seed": 1}');
CREATE TABLE relations_evaluation AS
SELECT * FROM mren.evaluate('relations',
    $$SELECT sentence, head_span AS head, tail_span AS tail, relation FROM stated WHERE split = 'test'$$);
SELECT relation, round(f1::numeric, 3) AS f1, support FROM relations_evaluation;
