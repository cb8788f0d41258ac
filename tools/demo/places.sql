-- Part 3: a model that is retrained, and a knowledge graph that is read with it.
--
-- A night's work: the model "places" is trained on the rows that are there, more rows
-- arrive, and mren.retrain trains a new version and deploys it only if it is better on
-- rows that neither version was trained on.  The graph then reads definitions that mention
-- places of Australia and New Zealand.
--
-- Run by tools/demo/run in the directory of the prepared data, after text.sql.
\set ON_ERROR_STOP on
\pset footer off

\echo
\echo `date +%T` 'Training the model "places" on the rows of the first day'
-- In a document, every pair of names is classified, in both orders.  So the model must also
-- learn that "Perth is a part of Australia" does not mean the reverse.
CREATE VIEW labelled AS
SELECT definition, sentence, head_span AS head, tail_span AS tail, relation FROM example WHERE split = 'train'
UNION ALL
SELECT definition, sentence, tail_span, head_span, 'none' FROM example WHERE split = 'train' AND relation <> 'none';
CREATE TABLE arrived AS SELECT * FROM labelled WHERE md5(definition) < '2';
SELECT count(*) AS rows FROM arrived;
\timing on
CALL mren.train('places', 'SELECT sentence, head, tail, relation FROM arrived',
    '{"embeddings": "words", "negative": "none", "epochs": 6, "validation_share": 0, "holdout_share": 0.2, "seed": 1}');
\timing off

\echo
\echo `date +%T` 'More rows arrive, and the model is retrained, as a nightly job would do it'
INSERT INTO arrived SELECT * FROM labelled WHERE md5(definition) >= '2' AND md5(definition) < '8';
SELECT count(*) AS rows FROM arrived;
\timing on
CALL mren.retrain('places');
\timing off
\echo 'The verdict:'
SELECT verdict, reason FROM mren.runs WHERE model = 'places' AND call = 'retrain' ORDER BY run DESC LIMIT 1;

\echo `date +%T` 'Reading a knowledge graph of Australia and New Zealand from the definitions'
-- The lexicon finds the names: nouns that WordNet writes with a capital letter are names.
SELECT mren.load_lexicon('nouns', $$
    SELECT DISTINCT phrase, CASE WHEN phrase ~ '^[A-Z]' THEN 'name' ELSE 'kind' END AS type
    FROM (SELECT head AS phrase FROM definition UNION SELECT tail FROM noun) n WHERE length(phrase) > 2$$) AS phrases;
CREATE TABLE article AS
SELECT d.id AS key, d.sentence AS document FROM definition d
WHERE EXISTS (SELECT FROM noun n WHERE n.definition = d.id AND n.tail IN ('Australia', 'New Zealand', 'Tasmania',
    'Queensland', 'New South Wales', 'Victoria', 'South Australia', 'Western Australia', 'Northern Territory'));
CREATE TABLE rule AS SELECT * FROM (VALUES
    ('part_of', 'name', 'name'), ('member_of', 'name', 'name'), ('instance_of', 'name', 'kind')) r (relation, head_type, tail_type);
SELECT mren.create_graph('atlas', 'article', 'places', lexicons => '{nouns}', relation_schema => 'rule',
    options => '{"threshold": 0.9}');
\timing on
CALL mren.refresh_graph('atlas');
\timing off

\echo 'Some of its facts:'
SELECT head, relation, tail, round(confidence::numeric, 2) AS confidence, sources
FROM atlas.facts ORDER BY md5(head), relation LIMIT 8;
\echo 'How are the Great Sandy Desert and Brisbane connected?'
\echo 'SELECT hops, path FROM mren.paths(''atlas'', ''Great Sandy Desert'', ''Brisbane'');'
SELECT hops, path FROM mren.paths('atlas', 'Great Sandy Desert', 'Brisbane') LIMIT 3;
