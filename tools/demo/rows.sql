-- Rows of WordNet's definitions: the tables "definition", "noun" and "example".
--
-- Each noun definition of WordNet is a sentence about its headword:
--	"Perth : a state capital of Western Australia ."
-- WordNet's pointers tell whether the headword is a kind, an instance, a part, a member
-- or a substance of a noun in the definition.
--
-- Run by tools/demo/run and tools/starter/build in the directory of the prepared data.
\set ON_ERROR_STOP on
\pset footer off

\echo
\echo `date +%T` 'Loading 82,000 definitions and the nouns that they contain'
CREATE TABLE definition (
    id          text PRIMARY KEY,
    head        text NOT NULL,
    sentence    text NOT NULL,
    split       text NOT NULL
);
CREATE TABLE noun (
    definition  text NOT NULL REFERENCES definition,
    tail        text NOT NULL,      -- the noun as WordNet spells it
    head_span   int4range NOT NULL, -- where the two stand in the sentence
    tail_span   int4range NOT NULL,
    relation    text NOT NULL       -- WordNet's pointer, "none", or "other" for any other pointer
);
\copy definition FROM 'definitions.tsv'
\copy noun FROM 'pairs.tsv'
CREATE INDEX ON noun (definition);
ANALYZE definition, noun;

\echo
\echo `date +%T` 'Choosing training rows: at most 3,000 rows for each relation, and 6,000 rows without a relation'
-- At most one noun for each definition and relation.  Rows without a relation come from the
-- same definitions as the others, so that the headword alone does not reveal the answer.
CREATE TABLE example AS
WITH one AS (
    SELECT DISTINCT ON (n.definition, n.relation) n.*, d.sentence, d.split
    FROM noun n JOIN definition d ON d.id = n.definition
    WHERE n.relation <> 'other'
    ORDER BY n.definition, n.relation, md5(n.definition || n.tail)
), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY split, relation ORDER BY md5(definition))
                * CASE split WHEN 'test' THEN 4 ELSE 1 END AS rank
    FROM one
), related AS (
    SELECT * FROM ranked WHERE relation <> 'none' AND rank <= 3000
), unrelated AS (
    SELECT *, row_number() OVER (PARTITION BY split ORDER BY md5(definition))
                * CASE split WHEN 'test' THEN 4 ELSE 1 END AS none_rank
    FROM ranked
    WHERE relation = 'none' AND definition IN (SELECT definition FROM related)
)
SELECT definition, sentence, head_span, tail_span, relation, split FROM related
UNION ALL
SELECT definition, sentence, head_span, tail_span, relation, split FROM unrelated WHERE none_rank <= 6000;
