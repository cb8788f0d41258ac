-- What a person should label next, what is labelled wrong, and models as sources of labels.
SET client_min_messages = warning;
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql
CREATE TABLE gold AS SELECT row_number() OVER (ORDER BY sentence, head, tail) AS id, sentence, head, tail, relation FROM pairs;
CALL mren.train('m', 'SELECT * FROM gold WHERE id % 3 = 0', '{"epochs": 10, "hidden": [8]}');
-- The distribution of each row: as mren.predict_rows and mren.predict_proba give it.
CREATE TABLE answers AS SELECT * FROM mren.predict_rows_proba('m', 'SELECT * FROM gold');
SELECT count(*) = (SELECT count(*) FROM gold) AS all_rows,
    bool_and(a.relation = r.relation AND a.confidence = r.confidence) AS same,
    bool_and(abs((SELECT sum(value::float8) FROM jsonb_each_text(a.probabilities)) - 1) < 1e-5) AS sum_1,
    bool_and(abs((a.probabilities ->> a.relation)::float8 - a.confidence) < 1e-5) AS confidence,
    bool_and(a.margin BETWEEN 0 AND a.confidence) AS margin
FROM answers AS a JOIN mren.predict_rows('m', 'SELECT * FROM gold') AS r USING (id);
SELECT max(abs((a.probabilities ->> p.relation)::float8 - p.probability)) < 1e-5 AS as_predict_proba
FROM gold AS g JOIN answers AS a ON a.id = g.id::text, mren.predict_proba('m', g.sentence, g.head, g.tail) AS p;
-- A row without a sentence has no answer.
SELECT * FROM mren.predict_rows_proba('m', 'SELECT 1 AS id, NULL::text AS sentence, ''a'' AS head, ''b'' AS tail');
-- What it gives is what a training takes.
CREATE TABLE taught AS SELECT g.id, g.sentence, g.head, g.tail, CASE WHEN g.id % 3 = 0 THEN g.relation END AS relation,
    CASE WHEN g.id % 3 <> 0 THEN a.probabilities END AS probabilities FROM gold AS g JOIN answers AS a ON a.id = g.id::text;
CALL mren.train('student', 'SELECT * FROM taught', '{"epochs": 3, "hidden": [8], "embeddings": null}');
-- The smallest margins, one a sentence; a fifth is drawn at random and marked.
CREATE TABLE asked AS SELECT * FROM mren.uncertain('m', 'SELECT * FROM gold', 20, '{"spread": false}') WITH ORDINALITY;
SELECT count(*), count(*) FILTER (WHERE random) AS random, count(DISTINCT sentence) AS sentences FROM asked JOIN gold ON gold.id::text = asked.id;
SELECT max(margin) <= (SELECT margin FROM (SELECT DISTINCT ON (sentence) a.margin FROM answers AS a JOIN gold AS g ON g.id::text = a.id ORDER BY sentence, margin) AS m ORDER BY margin OFFSET 19 LIMIT 1) AS smallest
FROM asked WHERE NOT random;
-- In any order of the rows; another seed draws other rows; no more rows than there are.
SELECT count(*) AS differ FROM (SELECT * FROM mren.uncertain('m', 'SELECT * FROM gold ORDER BY md5(id::text)', 20, '{"spread": false}') WITH ORDINALITY EXCEPT TABLE asked) AS d;
SELECT count(*) > 0 AS others FROM mren.uncertain('m', 'SELECT * FROM gold', 20, '{"seed": 7}') AS u WHERE random AND id NOT IN (SELECT id FROM asked WHERE random);
SELECT count(*) FROM mren.uncertain('m', 'SELECT * FROM gold LIMIT 3', 20);
SELECT count(*) FILTER (WHERE random) FROM mren.uncertain('m', 'SELECT * FROM gold', 10, '{"random_share": 0}');
-- Half of them, if the model has fewer than ten rows a relation.
CALL mren.train('novice', 'SELECT * FROM gold WHERE id % 40 = 0', '{"epochs": 2, "hidden": [8], "validation_share": 0}');
SELECT training_rows < 10 * cardinality(relations) AS few, (SELECT count(*) FILTER (WHERE random) FROM mren.uncertain('novice', 'SELECT * FROM gold', 10)) AS random
FROM mren.models WHERE model = 'novice';
-- In turns from the relations that are predicted: as many of each, as long as there are.
SELECT max(n) - min(n) <= 1 AS even, count(*) = (SELECT count(DISTINCT relation) FROM answers) AS all_relations
FROM (SELECT relation, count(*) AS n FROM mren.uncertain('m', 'SELECT * FROM gold', 20, '{"random_share": 0}') GROUP BY relation) AS r;
-- Memory is for one row of each sentence, however many are read.
SET mren.train_memory = '1MB';
SELECT count(*) FROM mren.uncertain('m', 'SELECT repeat(''x'', 1000) || 9999 - i AS id, sentence, head, tail FROM gold, generate_series(1, 2000) AS i WHERE gold.id = 1 ORDER BY i', 1);
SELECT regexp_replace(error_of($$SELECT mren.uncertain('m', 'SELECT i AS id, sentence || '' '' || i AS sentence, head, tail FROM gold, generate_series(1, 12000) AS i WHERE gold.id = 1', 1)$$), '[0-9]+ sentences', 'n sentences');
RESET mren.train_memory;
-- Rows without an id are counted; an option that is null is the default.
SET client_min_messages = notice;
SELECT count(*) FROM mren.uncertain('m', 'SELECT nullif(id, 1) AS id, sentence, head, tail FROM gold WHERE id < 4', 20, '{"random_share": null, "spread": null, "seed": null}');
SET client_min_messages = warning;
SELECT error_of(format('SELECT mren.uncertain(''m'', ''SELECT * FROM gold'', 1, %L)', o)) FROM unnest('{"{\"seed\": 1.5}","{\"random_share\": 0.7}","{\"spread\": \"yes\"}"}'::text[]) AS o;
SELECT error_of($$SELECT mren.uncertain('m', 'SELECT * FROM gold', 0)$$);
SELECT error_of($$SELECT mren.uncertain('m', 'SELECT * FROM gold', 1, '{"share": 0}')$$);
SELECT error_of($$SELECT mren.uncertain('m', 'SELECT sentence, head, tail FROM gold', 1)$$);
-- A wrong label is the first that is suspected, with the right one as a suggestion.
CREATE TABLE slips AS SELECT id, sentence, head, tail, CASE WHEN id = 7 THEN CASE relation WHEN 'none' THEN 'part_of' ELSE 'none' END ELSE relation END AS relation FROM gold;
SELECT l.id, l.relation = s.relation AS as_given, l.suggested = g.relation AS right, l.confidence < l.suggested_confidence AS less
FROM mren.label_errors(NULL, 'SELECT * FROM slips', 1, '{"epochs": 20, "hidden": [8], "folds": 3}') AS l JOIN slips AS s ON s.id::text = l.id JOIN gold AS g ON g.id = s.id;
SELECT count(*) AS differ FROM (
    SELECT * FROM mren.label_errors('m', 'SELECT * FROM slips', 10, '{"epochs": 2}')
    EXCEPT SELECT * FROM mren.label_errors('m', 'SELECT * FROM slips ORDER BY md5(id::text)', 10, '{"epochs": 2}')) AS d;
SELECT error_of($$SELECT mren.label_errors('m', 'SELECT * FROM slips', 10, '{"folds": 1}')$$);
-- Where many labels are wrong at random, the least likely ones come first, unless confusions are asked for: then
-- those of which a network is surest that they have another relation.
CREATE TABLE muddle AS SELECT id, sentence, head, tail, CASE WHEN id % 10 = 0 THEN CASE relation WHEN 'none' THEN 'part_of' ELSE 'none' END ELSE relation END AS relation FROM gold;
CREATE TABLE suspected AS SELECT r AS rank_by, l.* FROM unnest('{auto,self_confidence,confusion}'::text[]) AS r,
    LATERAL mren.label_errors(NULL, 'SELECT * FROM muddle', 10000, format('{"epochs": 20, "hidden": [8], "folds": 3, "rank_by": "%s"}', r)::jsonb) WITH ORDINALITY AS l;
SELECT count(*) AS differ FROM (SELECT id, ordinality FROM suspected WHERE rank_by = 'auto' EXCEPT SELECT id, ordinality FROM suspected WHERE rank_by = 'self_confidence') AS d;
SELECT max(confidence) FILTER (WHERE ordinality <= 10) < min(confidence) FILTER (WHERE ordinality > 30) AS least_confidence_first
FROM suspected WHERE rank_by = 'self_confidence';
SELECT rank_by, avg(right_label::int) > 0.9 AS suggestions_right, max(ordinality) < 2 * count(*) AS early
FROM (SELECT rank_by, l.suggested = g.relation AS right_label, ordinality FROM suspected AS l JOIN gold AS g ON g.id::text = l.id WHERE l.relation <> g.relation) AS s GROUP BY 1 ORDER BY 1;
-- Where none is wrong, nothing seems wrong at random.
SELECT count(*) AS differ FROM (
    SELECT * FROM mren.label_errors(NULL, 'SELECT * FROM gold', 10000, '{"epochs": 20, "hidden": [8], "folds": 3}') WITH ORDINALITY
    EXCEPT SELECT * FROM mren.label_errors(NULL, 'SELECT * FROM gold', 10000, '{"epochs": 20, "hidden": [8], "folds": 3, "rank_by": "confusion"}') WITH ORDINALITY) AS d;
-- Labels of one row each come first; they do not make the others seem random.
CREATE VIEW misspelt AS SELECT id, sentence, head, tail, CASE WHEN id IN (5, 25, 45) THEN relation || id ELSE relation END AS relation FROM gold;
SELECT r AS rank_by, array_agg(l.relation ~ '[0-9]' AND l.confidence = 0 ORDER BY l.ordinality) AS misspelt
FROM unnest('{auto,confusion,self_confidence}'::text[]) AS r, LATERAL mren.label_errors(NULL, 'SELECT * FROM misspelt', 4, format('{"epochs": 20, "hidden": [8], "folds": 3, "rank_by": "%s"}', r)::jsonb) WITH ORDINALITY AS l GROUP BY r ORDER BY r;
SELECT count(*) AS differ FROM (
    SELECT * FROM mren.label_errors(NULL, 'SELECT * FROM misspelt', 10000, '{"epochs": 20, "hidden": [8], "folds": 3, "rank_by": null}') WITH ORDINALITY
    EXCEPT SELECT * FROM mren.label_errors(NULL, 'SELECT * FROM misspelt', 10000, '{"epochs": 20, "hidden": [8], "folds": 3, "rank_by": "confusion"}') WITH ORDINALITY) AS d;
-- Rows of one group are in one fold.
SELECT error_of($$SELECT mren.label_errors('m', 'SELECT *, id % 3 AS "group" FROM slips', 10, '{"epochs": 2}')$$);
SELECT error_of($$SELECT mren.label_errors('m', 'SELECT * FROM slips', 10, '{"fold": 3}')$$);
SELECT error_of($$SELECT mren.label_errors('m', 'SELECT * FROM slips', 10, '{"rank_by": "entropy"}')$$);
SELECT error_of($$SELECT mren.label_errors('m', 'SELECT * FROM slips', 10, '{"rank_by": 1}')$$);
SELECT error_of($$SELECT mren.label_errors('m', 'SELECT sentence, head, tail, relation FROM slips')$$);
SELECT error_of($$SELECT mren.label_errors('m', 'DELETE FROM slips RETURNING *')$$);
