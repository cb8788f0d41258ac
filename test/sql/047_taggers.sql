-- Taggers: training, tagging, evaluation; invalid rows and options.

\set VERBOSITY terse
SET client_min_messages = warning;

-- Persons and places are told apart by their context; rows use all tagging schemes.
CREATE TABLE labelled (tokens text[], tags text[]);
INSERT INTO labelled
SELECT ARRAY[name, 'lives', 'in', place, '.'], ARRAY['U-Person', 'O', 'O', 'U-Place', 'O']
FROM unnest(ARRAY['Ann', 'Bob', 'Cleo', 'Dan', 'Eve', 'Finn']) AS name,
     unnest(ARRAY['Paris', 'Rome', 'Oslo', 'Lima', 'Kyiv']) AS place;
INSERT INTO labelled
SELECT ARRAY['Mr.', name, 'Smith', 'went', 'to', 'New', place, 'City'],
       ARRAY['O', 'B-Person', 'I-Person', 'O', 'O', 'B-Place', 'I-Place', 'E-Place']
FROM unnest(ARRAY['Ann', 'Bob', 'Cleo', 'Dan', 'Eve', 'Finn']) AS name,
     unnest(ARRAY['York', 'Delhi', 'Haven', 'Orleans']) AS place;
CREATE TABLE options AS
SELECT '{"epochs": 20, "hidden": [16], "feature_dim": 16, "learning_rate": 0.01, "validation_share": 0.2}'::jsonb AS o;
SELECT o AS options FROM options \gset

CALL mren.train_tagger('finder', 'SELECT * FROM labelled', :'options');
SELECT mention, type, span, confidence > 0.5 AND confidence <= 1 AS sure
FROM mren.tag('finder', 'Mr. Bob Smith went to New York City');
SELECT mention, type, span FROM mren.tag('finder', 'Eve lives in Oslo.');
-- Spans are characters of the sentence.
SELECT mention, span, substr(s, lower(span) + 1, upper(span) - lower(span)) = mention AS same
FROM (VALUES ('Ÿé — Mr. Bob Smith went to New York City')) AS t(s), mren.tag('finder', s);
-- What is longer than a phrase may be is no name.
SELECT n, (SELECT count(*) FROM mren.tag('finder', s)) AS tagged, (SELECT count(*) > 0 FROM mren.candidates(s, tagger => 'finder')) AS paired
FROM unnest(ARRAY[1000, 1001]) AS n, LATERAL (SELECT 'Eve lives in ' || repeat('x', n) || '.') AS t (s);
SELECT count(*) FROM mren.tag('finder', '');
SELECT count(*) FROM mren.tag('finder', NULL);
SELECT * FROM mren.tag(NULL, 'Ann');

-- A tagger has all that a model has.
SELECT model, version, deployed, kind, relations, training_rows, embeddings_sha256,
       metrics ->> 'types' AS types, metrics ->> 'mentions' AS mentions,
       options ->> 'embeddings' AS embeddings, options -> 'lexicons' AS lexicons
FROM mren.models;
SELECT model, call, status, version FROM mren.runs;

-- Evaluation, with a warning about sentences that the tagger was trained on.
SELECT type, round("precision"::numeric, 2) AS p, round(recall::numeric, 2) AS r, round(f1::numeric, 2) AS f1, support
FROM mren.evaluate_tagger('finder', 'SELECT * FROM labelled');
SET client_min_messages = error;
-- Found: Ann, Paris, Bob, Rome.  Persons: 2 of 2 found right, of 3; places: 1 of 2 found
-- right, of 2 ("lives" and Rome); so p = 3/4, r = 3/5 over all.
SELECT type, round("precision"::numeric, 3) AS p, round(recall::numeric, 3) AS r, round(f1::numeric, 3) AS f1, support
FROM mren.evaluate_tagger('finder', $$
    SELECT tokens, tags FROM (VALUES
        (ARRAY['Ann', 'lives', 'in', 'Paris', '.'], ARRAY['U-Person', 'O', 'O', 'U-Person', 'O']),
        (ARRAY['Bob', 'lives', 'in', 'Rome', '.'], ARRAY['U-Person', 'U-Place', 'O', 'U-Place', 'O'])) AS v(tokens, tags)$$);
SET client_min_messages = warning;

-- Sentences with ranges give the same tagger as tokens with tags, bit for bit.
CREATE TABLE ranges AS
SELECT array_to_string(tokens, ' ') AS sentence, mentions, types
FROM labelled, LATERAL (
    SELECT array_agg(int4range(s.at, s.at + length(s.mention)) ORDER BY s.at DESC) AS mentions,
           array_agg(s.type ORDER BY s.at DESC) AS types
    FROM (SELECT CASE WHEN i = 1 THEN 'Person' ELSE 'Place' END AS type, mention,
                 strpos(array_to_string(tokens, ' '), mention) - 1 AS at
          FROM (VALUES (1, CASE WHEN tokens[1] = 'Mr.' THEN array_to_string(tokens[2:3], ' ') ELSE tokens[1] END),
                       (2, CASE WHEN tokens[1] = 'Mr.' THEN array_to_string(tokens[6:8], ' ') ELSE tokens[4] END)) AS m(i, mention)) AS s) AS l;
CALL mren.train_tagger('by ranges', 'SELECT * FROM ranges', :'options');
SELECT count(DISTINCT sha256) AS different FROM mren.models;

-- A second version is deployed by promote.
CALL mren.train_tagger('finder', 'SELECT * FROM labelled', '{"epochs": 1, "hidden": [4], "feature_dim": 4}');
SELECT version, deployed FROM mren.models WHERE model = 'finder' ORDER BY 1;
SELECT mren.promote('finder', 2);
SELECT mren.rollback('finder');
SELECT count(*) >= 0 AS answers FROM mren.tag('finder', 'Eve lives in Oslo.', 2);
SELECT * FROM mren.tag('finder', 'Eve lives in Oslo.', 3);
SELECT mren.drop_version('finder', 2);

-- Export and import.
SELECT mren.import_model('moved', mren.export_model('finder'));
SELECT a.sha256 = b.sha256 AS same, b.kind
FROM mren.models a, mren.models b WHERE a.model = 'finder' AND b.model = 'moved';
SELECT mention, type FROM mren.tag('moved', 'Eve lives in Oslo.');
\set VERBOSITY sqlstate
SELECT mren.import_model('moved', set_byte(mren.export_model('finder'), 5000, 77));
SELECT ('\x' || encode(mren.export_model('finder'), 'hex'))::mren.network;
\set VERBOSITY terse

-- With word embeddings, and without them although some are loaded.
\getenv files MREN_TEST_FILES
SELECT mren.load_embeddings('toy', :'files' || '/embeddings.glove.txt');
CALL mren.train_tagger('with words', 'SELECT * FROM labelled', '{"epochs": 1}');
CALL mren.train_tagger('without words', 'SELECT * FROM labelled', '{"epochs": 1, "embeddings": null}');
SELECT model, options ->> 'embeddings' AS embeddings, embeddings_sha256 IS NOT NULL AS needs
FROM mren.models WHERE model LIKE 'with%' ORDER BY 1;
SELECT mren.drop_embeddings('toy');

-- Lexicons.
SELECT mren.load_lexicon('places', ARRAY['Paris', 'Rome', 'New York City'], 'Place');
CALL mren.train_tagger('with lexicon', 'SELECT * FROM labelled', '{"epochs": 1, "embeddings": null, "lexicons": ["places"]}');
SELECT mren.drop_lexicon('places');
SELECT count(*) >= 0 AS tags FROM mren.tag('with lexicon', 'Ann lives in Rome.');
SELECT mren.drop_model('with lexicon');
SELECT mren.drop_lexicon('places');

-- A model of the wrong kind.
\set VERBOSITY default
SELECT mren.predict('finder', 'Ann lives in Rome', 'Ann', 'Rome');
CALL mren.train('finder', 'SELECT 1');
CALL mren.train_tagger('finder', 'SELECT 1 AS tokens, 2 AS tags');
CALL mren.train_tagger('finder', 'SELECT tokens FROM labelled');
CALL mren.train_tagger('finder', 'SELECT sentence, types FROM ranges');

-- Invalid rows.
CREATE FUNCTION train(tokens text[], tags text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v int;
BEGIN
    CALL mren.train_tagger('bad', format('SELECT %L::text[] AS tokens, %L::text[] AS tags', tokens, tags), '{}', v);
END
$$;
\set VERBOSITY terse
SELECT train(ARRAY['a', 'b'], ARRAY['O']);
SELECT train(ARRAY['a', 'b', 'c'], ARRAY['B-X', 'O', 'I-X']);
SELECT train(ARRAY['a', ''], ARRAY['U-X', 'O']);
SELECT train(ARRAY['a', 'b'], ARRAY['B-X', 'I-Y']);
SELECT train(ARRAY['a', 'b'], ARRAY['O', 'Q-X']);
SELECT train(ARRAY['a', NULL], ARRAY['O', 'O']);
SELECT train(ARRAY['a', ' '], ARRAY['O', 'U-X']);
SELECT train(ARRAY['a', 'b'], ARRAY['O', 'O']);
CALL mren.train_tagger('bad', $$SELECT 'Ann' AS sentence, ARRAY['[0,4)'::int4range] AS mentions, ARRAY['X'] AS types$$);
CALL mren.train_tagger('bad', $$SELECT 'Ann' AS sentence, ARRAY['empty'::int4range] AS mentions, ARRAY['X'] AS types$$);
CALL mren.train_tagger('bad', $$SELECT 'Ann Lee' AS sentence, ARRAY['[0,7)'::int4range, '[4,7)'] AS mentions, ARRAY['X', 'X'] AS types$$);
CALL mren.train_tagger('bad', 'SELECT * FROM labelled WHERE false');
CALL mren.train_tagger('bad', $$SELECT *, 'test' AS split FROM labelled$$);
CALL mren.train_tagger('bad', 'SELECT *, -1 AS weight FROM labelled');
SELECT * FROM mren.evaluate_tagger('finder', 'SELECT * FROM labelled WHERE false');
SELECT * FROM mren.evaluate_tagger('finder', 'SELECT NULL::text[] AS tokens, NULL::text[] AS tags');

-- Options.  The hint for a name from before 0.3.0 gives the present one.
\set VERBOSITY default
CALL mren.train_tagger('bad', 'SELECT * FROM labelled', '{"average": 0.9}');
CALL mren.train_tagger('bad', 'SELECT * FROM labelled', '{"l2": 0.1}');
\set VERBOSITY terse
CALL mren.train_tagger('bad', 'SELECT * FROM labelled', '{"holdout_share": 0.2}');
CALL mren.train_tagger('bad', 'SELECT * FROM labelled', '{"fusion": "parallel"}');
CALL mren.train_tagger('bad', 'SELECT * FROM labelled', '{"window": 9}');
CALL mren.train_tagger('bad', 'SELECT * FROM labelled', '{"context": 0.5}');
CALL mren.train_tagger('bad', 'SELECT * FROM labelled', '{"direct": 1}');
CALL mren.train_tagger('bad', 'SELECT * FROM labelled', '{"word_dropout": "much"}');
CALL mren.train_tagger('bad', 'SELECT * FROM labelled', '{"lexicons": "places"}');
CALL mren.train_tagger('bad', 'SELECT * FROM labelled', '{"lexicons": ["nowhere"]}');
CALL mren.train_tagger('bad', 'SELECT * FROM labelled', '{"embeddings": "none"}');
CALL mren.train_tagger('bad', 'SELECT * FROM labelled', '[]');
SELECT count(*) FROM mren.models WHERE model = 'bad';

-- Privileges.
CREATE ROLE mren_tag_user;
SET ROLE mren_tag_user;
SELECT count(*) FROM mren.tag('finder', 'Eve lives in Oslo.');
CALL mren.train_tagger('mine', 'SELECT 1');
RESET ROLE;
SELECT mren.grant_model('finder', 'mren_tag_user', 'predict');
SET ROLE mren_tag_user;
SELECT count(*) FROM mren.tag('finder', 'Eve lives in Oslo.');
RESET ROLE;
SELECT mren.revoke_model('finder', 'mren_tag_user', 'predict');
DROP ROLE mren_tag_user;
