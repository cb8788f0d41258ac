SET client_min_messages = error;
-- 10,000 rows of five relations; eight rules right on 95 to 60 % of the rows that vote on a third of them.
CREATE TABLE truth AS SELECT i AS id, floor(5 * few.chance('truth ' || i))::int AS r, 'r' || floor(5 * few.chance('truth ' || i)) AS relation FROM generate_series(1, 10000) AS i;
CREATE TABLE rule_votes AS
SELECT id, 'rule ' || s AS source,
       'r' || CASE WHEN few.chance('right ' || s || ' ' || id) < 1 - 0.05 * s THEN r ELSE floor(5 * few.chance('error ' || s || ' ' || id))::int END AS relation
FROM truth, generate_series(1, 8) AS s WHERE few.chance('rule ' || s || ' ' || id) < 0.33;
CREATE TABLE bad_votes AS
SELECT * FROM rule_votes
UNION ALL SELECT id, 'rule 7, copy ' || i, relation FROM rule_votes, generate_series(1, 4) AS i WHERE source = 'rule 7'
UNION ALL SELECT id, 'always wrong', 'r' || (r + 1) % 5 FROM truth WHERE few.chance('wrong ' || id) < 0.33
UNION ALL SELECT id, 'guess', 'r' || CASE WHEN few.chance('guess ' || id) < 0.3 THEN r ELSE floor(5 * few.chance('guessed ' || id))::int END FROM truth;
-- Ten people right on 95 to 40 % of the rows, each asked for four rows of ten.
CREATE TABLE people_votes AS
SELECT id, 'person ' || s AS source,
       'r' || CASE WHEN few.chance('person ' || s || ' ' || id) < 1.01 - 0.061 * s THEN r ELSE (r + 1 + floor(4 * few.chance('slip ' || s || ' ' || id))::int) % 5 END AS relation
FROM truth, generate_series(1, 10) AS s WHERE few.chance('asked ' || s || ' ' || id) < 0.4;
\echo -- Simulated sources, on the rows on which a rule votes (aim: bad sources cost weighted at most 0.010)
SELECT v.votes, m.method, q.* FROM (VALUES ('rule_votes'), ('bad_votes')) AS v (votes), unnest('{majority,weighted}'::text[]) AS m (method),
    few.quality('SELECT * FROM ' || v.votes, 'SELECT id, relation FROM truth WHERE id IN (SELECT id FROM rule_votes)', 'SELECT id, relation FROM truth WHERE id <= 200', m.method) AS q;
\echo -- People (aims: dawid_skene at least 0.880 where majority has 0.82 to 0.87; calibration error at most 0.020)
SELECT m.method, q.* FROM unnest('{majority,dawid_skene}'::text[]) AS m (method),
    few.quality('SELECT * FROM people_votes', 'SELECT id, relation FROM truth', 'SELECT 0 AS id, NULL AS relation', m.method) AS q;
