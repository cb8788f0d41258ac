-- Votes of labelling functions and people, and labels from them.
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\pset null '(null)'

-- A sentence divided at its mentions.
SELECT * FROM mren.context('The wheel is a part of the old car.', 'wheel', 'car');
SELECT * FROM mren.context('The wheel is a part of the old car.', 'car', 'wheel');
SELECT * FROM mren.context('The wheel is a part of the old car.', '[31,34)'::int4range, '[4,9)'::int4range);
-- Mentions that overlap, at the ends of the sentence, and where a text stands twice.
SELECT * FROM mren.context('Oslo University', int4range(0, 15), int4range(0, 4));
SELECT * FROM mren.context('Oslo University is in Oslo', 'Oslo University', 'Oslo');
SELECT mren.context('a b', NULL, 'b') IS NULL AS none;
SELECT error_of($$SELECT mren.context('The wheel is a part of the car.', 'door', 'car')$$);
SELECT error_of($$SELECT mren.context('The wheel is a part of the car.', int4range(4, 9), int4range(90, 93))$$);

-- Labelling functions are views.
CREATE TABLE document (id int, sentence text, head text, tail text, relation text);
INSERT INTO document VALUES
    (1, 'The wheel is a part of the car.', 'wheel', 'car', 'part_of'),
    (2, 'Smoking causes cancer.', 'Smoking', 'cancer', 'cause'),
    (3, 'The cancer was caused by smoking.', 'smoking', 'cancer', 'cause'),
    (4, 'The sail is a part of what causes the speed.', 'sail', 'speed', 'part_of'),
    (5, 'The dog saw the cat.', 'dog', 'cat', 'none');
CREATE VIEW votes AS
SELECT d.id, f.source, f.relation
FROM document AS d, LATERAL mren.context(sentence, head, tail) AS c,
     LATERAL (VALUES ('part of', CASE WHEN c.middle ~ 'part of' THEN 'part_of' END),
                     ('causes', CASE WHEN c.middle ~ 'cause' THEN 'cause' END),
                     ('caused by', CASE WHEN c.middle ~ 'caused by' AND c.reversed THEN 'cause' END)) AS f (source, relation);
SELECT source, relations, votes, coverage, overlap, round(conflict::numeric, 3) AS conflict, gold, accuracy,
       round(accuracy_low::numeric, 3) AS low, round(accuracy_high::numeric, 3) AS high, nearest, round(similarity::numeric, 3) AS similarity
FROM mren.vote_summary('SELECT * FROM votes', 'SELECT id, relation FROM document');
SELECT * FROM mren.vote_summary('SELECT * FROM votes') WHERE source = 'part of';
-- What nobody votes on has no row, and is not of the negative relation.
SELECT * FROM mren.label_model('SELECT * FROM votes');
SELECT id, relation, round(confidence::numeric, 3) AS confidence, votes,
       (SELECT abs(sum(p.value::text::float8) - 1) < 1e-5 FROM jsonb_each(probabilities) AS p) AS one
FROM mren.label_model('SELECT * FROM votes', 'SELECT id, relation FROM document', '{"method": "weighted"}');
SELECT id, relation, votes FROM mren.label_model('SELECT * FROM votes', options => '{"method": "dawid_skene"}');
SELECT count(*) FROM mren.label_model('SELECT * FROM votes WHERE false');
SELECT count(*) FROM mren.vote_summary('SELECT * FROM votes WHERE relation IS NULL');
SELECT count(*) FROM mren.label_model('SELECT * FROM votes WHERE false', options => '{"method": "dawid_skene"}');
-- The same vote twice is one; a tie goes to the relation with more votes in all.
SELECT * FROM mren.label_model($$SELECT * FROM (VALUES (1, 'a', 'x'), (1, 'a', 'x'), (1, 'b', 'y'), (2, 'b', 'y')) AS v (id, source, relation)$$);

-- Bad input.
SELECT error_of($$SELECT * FROM mren.label_model('SELECT 1 AS id, ''a'' AS source, r AS relation FROM unnest(ARRAY[''x'', ''y'']) AS r')$$);
SELECT error_of($$SELECT * FROM mren.vote_summary('SELECT * FROM votes', 'SELECT 1 AS id, r AS relation FROM unnest(ARRAY[''x'', ''y'']) AS r')$$);
SELECT error_of($$SELECT * FROM mren.label_model('SELECT id, relation FROM votes')$$);
SELECT error_of($$SELECT * FROM mren.label_model('SELECT * FROM votes', 'SELECT relation FROM document')$$);
SELECT error_of($$SELECT * FROM mren.label_model('SELECT NULL::int AS id, ''a'' AS source, ''x'' AS relation')$$);
SELECT error_of($$SELECT * FROM mren.label_model('SELECT 1 AS id, NULL AS source, ''x'' AS relation')$$);
SELECT error_of($$SELECT * FROM mren.label_model('SELECT 1 AS id, '''' AS source, ''x'' AS relation')$$);
SELECT error_of($$SELECT * FROM mren.label_model('SELECT 1 AS id, ''a'' AS source, repeat(''x'', 1025) AS relation')$$);
SELECT error_of($$SELECT * FROM mren.label_model('SELECT i AS id, ''s'' || i AS source, ''x'' AS relation FROM generate_series(1, 2001) AS i')$$);
SELECT error_of($$SELECT * FROM mren.label_model('SELECT i AS id, ''s'' || i AS source, ''r'' || i AS relation FROM generate_series(1, 1000) AS i', options => '{"method": "dawid_skene"}')$$);
SELECT error_of($$SELECT * FROM mren.label_model('SELECT * FROM votes', options => '{"method": "weighted"}')$$);
SELECT error_of($$SELECT * FROM mren.label_model('SELECT * FROM votes', 'SELECT 99 AS id, ''x'' AS relation', '{"method": "weighted"}')$$);
SELECT error_of($$SELECT * FROM mren.label_model('SELECT * FROM votes', options => '{"method": "vote"}')$$);
SELECT error_of($$SELECT * FROM mren.label_model('SELECT * FROM votes', options => '{"metod": "majority"}')$$);
SELECT error_of($$SELECT * FROM mren.label_model(NULL)$$);
SELECT error_of($$SELECT * FROM mren.label_model('DELETE FROM document RETURNING id, sentence AS source, relation')$$);
SELECT error_of($$SELECT * FROM mren.label_model('SELECT * FROM votes', 'WITH d AS (DELETE FROM document RETURNING *) SELECT * FROM d')$$);
CREATE FUNCTION forget() RETURNS text LANGUAGE sql VOLATILE AS $$DELETE FROM document RETURNING 'x'$$;
SELECT error_of($$SELECT * FROM mren.vote_summary('SELECT 1 AS id, ''a'' AS source, forget() AS relation')$$);
-- Unknown ids and relations are counted.
SELECT count(*) FROM mren.vote_summary('SELECT * FROM votes', 'SELECT id, ''other'' AS relation FROM document UNION ALL SELECT 77, ''x''');
-- A source that always says the same on most rows.
SELECT count(*) FROM mren.label_model('SELECT i AS id, s AS source, CASE WHEN s = ''a'' THEN ''x'' ELSE ''y'' END AS relation
    FROM generate_series(1, 60) AS i, unnest(ARRAY[''a'', ''b'']) AS s WHERE s = ''a'' AND i <= 40 OR s = ''b'' AND i > 35');

-- Simulated sources on 2,000 rows of five relations: eight rules that are right on 95 to 60 % of the
-- rows and vote on a third of them; then the same with one of them five times, with one that is always
-- wrong, and with one that guesses on all rows.
CREATE FUNCTION chance(key text) RETURNS double precision LANGUAGE sql IMMUTABLE
AS $$SELECT ('x' || substr(md5(key), 1, 8))::bit(32)::bigint / 4294967296.0$$;
CREATE TABLE truth AS SELECT i AS id, floor(5 * chance('truth ' || i))::int AS relation FROM generate_series(1, 2000) AS i;
CREATE TABLE rule_vote AS
SELECT id, 'rule ' || s AS source,
       CASE WHEN chance('right ' || s || ' ' || id) < 1 - 0.05 * s THEN relation ELSE floor(5 * chance('error ' || s || ' ' || id))::int END AS relation
FROM truth, generate_series(1, 8) AS s WHERE chance('rule ' || s || ' ' || id) < 0.33;
CREATE TABLE bad_vote AS
SELECT * FROM rule_vote
UNION ALL SELECT id, 'rule 7, copy ' || i, relation FROM rule_vote, generate_series(1, 4) AS i WHERE source = 'rule 7'
UNION ALL SELECT id, 'always wrong', (relation + 1) % 5 FROM truth WHERE chance('wrong ' || id) < 0.33
UNION ALL SELECT id, 'guess', CASE WHEN chance('guess ' || id) < 0.3 THEN relation ELSE floor(5 * chance('guessed ' || id))::int END FROM truth;
CREATE FUNCTION quality(votes text, method text) RETURNS TABLE (accuracy double precision, calibration_error double precision) LANGUAGE sql AS $$
    SELECT r.accuracy, r.error
    FROM (SELECT array_agg(l.confidence) AS confidences, array_agg(l.relation = t.relation::text) AS correct
          FROM mren.label_model('SELECT id, source, relation::text FROM ' || votes, 'SELECT id, relation::text FROM truth WHERE id <= 200',
                                jsonb_build_object('method', quality.method)) AS l
          JOIN truth AS t ON t.id::text = l.id AND t.id > 200 AND t.id IN (SELECT id FROM rule_vote)) AS l,
         mren.reliability(l.confidences, l.correct) AS r WHERE r.bin IS NULL$$;
SELECT method, b.accuracy - a.accuracy > -0.01 AS as_good, b.accuracy - a.accuracy < -0.05 AS bad, b.calibration_error < 0.05 AS calibrated
FROM unnest('{majority,weighted}'::text[]) AS method, quality('rule_vote', method) AS a, quality('bad_vote', method) AS b;

-- Ten people, right on 95 to 40 % of the rows, each asked for four rows of ten.
CREATE TABLE answer AS
SELECT id, 'person ' || s AS source,
       CASE WHEN chance('person ' || s || ' ' || id) < 1.01 - 0.061 * s THEN relation
            ELSE (relation + 1 + floor(4 * chance('slip ' || s || ' ' || id))::int) % 5 END AS relation
FROM truth, generate_series(1, 10) AS s WHERE chance('asked ' || s || ' ' || id) < 0.4;
SELECT a.accuracy BETWEEN 0.82 AND 0.87 AS majority, b.accuracy >= 0.88 AS dawid_skene, b.calibration_error < 0.04 AS calibrated
FROM quality('answer', 'majority') AS a, quality('answer', 'dawid_skene') AS b;
-- The same labels in any order of the votes.
CREATE FUNCTION labels(votes text, method text) RETURNS text LANGUAGE sql AS $$
    SELECT md5(string_agg(l::text, ';' ORDER BY l.id)) FROM mren.label_model('SELECT id, source, relation::text FROM ' || votes,
        'SELECT id, relation::text FROM truth WHERE id <= 200', jsonb_build_object('method', labels.method)) AS l$$;
CREATE TABLE reordered AS SELECT * FROM bad_vote ORDER BY chance(source || id), relation;
SET client_min_messages = error;
SELECT method, labels('bad_vote', method) = labels('reordered', method) AS same FROM unnest('{majority,weighted,dawid_skene}'::text[]) AS method;
RESET client_min_messages;

SELECT p.oid::regprocedure AS function, provolatile, proparallel, proisstrict FROM pg_proc AS p
WHERE pronamespace = 'mren'::regnamespace AND proname IN ('context', 'vote_summary', 'label_model') ORDER BY p.oid::regprocedure::text;
