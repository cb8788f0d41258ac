-- The confidence of a fact: of its relation and both mentions, calibrated by reviews.
SET client_min_messages = warning;
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql
\i :srcdir/include/graph.sql
-- Eighty parts, found with confidences from 0.2 to 0.99, of one whole, found with 0.5.
SELECT mren.load_lexicon('parts', $$SELECT 'part' || chr(97 + i / 26) || chr(97 + i % 26) AS phrase, 'part' AS type, 0.2 + i * 0.01 AS confidence FROM generate_series(0, 79) i
    UNION ALL SELECT 'car', 'whole', 0.5$$);
CREATE TABLE docs AS SELECT i AS key, format('The part%s%s is a part of the car.', chr(97 + i / 26), chr(97 + i % 26)) AS document FROM generate_series(0, 79) i;
SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{parts}', relation_schema => 'toy_relations', options => '{"threshold": 0}');
CALL mren.refresh_graph('kg');
-- extract gives the relation's own confidence, evidence those of the mentions as well, a fact their product.
SELECT count(*) AS triples, bool_and(x.confidence = e.confidence) AS of_relation,
    bool_and(abs(e.head_confidence - 0.2 - key * 0.01) < 1e-6 AND e.tail_confidence = 0.5) AS of_mentions
FROM docs, mren.extract('parts', document, lexicons => '{parts}', relation_schema => 'toy_relations', threshold => 0) x, kg.evidence e
WHERE e.document = key::text;
SELECT bool_and(abs(f.confidence - e.confidence * e.head_confidence * e.tail_confidence) < 1e-12) AS product
FROM kg.all_facts f JOIN kg.evidence e USING (fact);
SELECT bool_and(f.confidence = a.confidence) AS shown_as_it_is, (SELECT confidence_slope FROM kg.state) FROM kg.facts f JOIN kg.all_facts a USING (fact);

-- Of every second fact a verdict: the surer, the more often it is right.  29 are too few.
CREATE TABLE verdicts AS
SELECT f.fact, CASE WHEN key % 10 < key / 10 THEN 'confirmed' ELSE 'rejected' END AS verdict, row_number() OVER (ORDER BY md5(key::text)) AS n
FROM kg.evidence e JOIN docs ON key::text = e.document JOIN kg.all_facts f USING (fact) WHERE key % 2 = 0;
INSERT INTO kg.review (fact, verdict) SELECT fact, verdict FROM verdicts WHERE n < 30;
SELECT mren.merge_graph('kg') ->> 'status' AS status;
SELECT confidence_slope, confidence_intercept FROM kg.state;
INSERT INTO kg.review (fact, verdict) SELECT fact, verdict FROM verdicts WHERE n >= 30;
SELECT mren.merge_graph('kg') ->> 'status' AS status;
SELECT confidence_slope BETWEEN 0.05 AND 20 AS increasing, confidence_intercept IS NOT NULL AS fitted FROM kg.state;
-- What is not reviewed shows the fitted value; what is confirmed is certain; the value before is kept.
SELECT bool_and(abs(f.confidence - 1 / (1 + exp(-(s.confidence_intercept + s.confidence_slope * ln(a.confidence / (1 - a.confidence)))))) < 1e-9) AS fitted,
    bool_and(f.confidence <> a.confidence) AS changed
FROM kg.facts f JOIN kg.all_facts a USING (fact), kg.state s WHERE NOT f.confirmed;
SELECT bool_and(confidence = 1) AS certain FROM kg.facts WHERE confirmed;
SELECT bool_and(abs(f.confidence - e.confidence * e.head_confidence * e.tail_confidence) < 1e-12) AS product
FROM kg.all_facts f JOIN kg.evidence e USING (fact);
-- The fitted values are as high as the share of the reviewed facts that is right, and nearer to it than those before.
SELECT abs(avg(1 / (1 + exp(-(s.confidence_intercept + s.confidence_slope * ln(a.confidence / (1 - a.confidence)))))) - avg((v.verdict = 'confirmed')::int)) < 0.05 AS right_share,
    abs(avg(a.confidence) - avg((v.verdict = 'confirmed')::int)) > 0.05 AS wrong_before
FROM kg.all_facts a JOIN verdicts v USING (fact), kg.state s;
SELECT r.count, r.accuracy = (SELECT avg((verdict = 'confirmed')::int) FROM verdicts)::float8 AS share
FROM (SELECT array_agg(confidence ORDER BY fact) AS confidences, array_agg(verdict = 'confirmed' ORDER BY fact) AS correct
      FROM kg.all_facts WHERE verdict IS NOT NULL) AS f, mren.reliability(f.confidences, f.correct, 5) AS r WHERE r.bin IS NULL;
-- A graph made anew from the same has the same.
SELECT mren.create_graph('again', 'docs', 'parts', lexicons => '{parts}', relation_schema => 'toy_relations', options => '{"threshold": 0}');
INSERT INTO again.review (fact, verdict, reviewer, reviewed_at) SELECT fact, verdict, reviewer, reviewed_at FROM kg.review ORDER BY id;
CALL mren.refresh_graph('again');
SELECT mren.merge_graph('again') ->> 'status' AS status;
SELECT (SELECT (confidence_slope, confidence_intercept) FROM kg.state) = (SELECT (confidence_slope, confidence_intercept) FROM again.state) AS same_fit,
    (SELECT count(*) FROM (TABLE kg.facts EXCEPT TABLE again.facts) d) AS differ;
-- Verdicts of one kind, or none, say too little again.
DELETE FROM kg.review WHERE verdict = 'confirmed';
SELECT mren.merge_graph('kg') ->> 'status' AS status;
SELECT confidence_slope, confidence_intercept FROM kg.state;
SELECT bool_and(f.confidence = a.confidence) AS shown_as_it_is FROM kg.facts f JOIN kg.all_facts a USING (fact);

-- A graph of layout 2 is brought to this one; its documents are scored anew.
ALTER TABLE again.evidence DROP COLUMN head_confidence, DROP COLUMN tail_confidence;
DROP VIEW again.facts CASCADE;
ALTER TABLE again.state DROP COLUMN confidence_slope, DROP COLUMN confidence_intercept;
UPDATE mren.graph SET layout = 2 WHERE name = 'again';
SELECT error_of($$CALL mren.refresh_graph('again')$$);
SELECT mren.upgrade_graph('again');
UPDATE again.documents SET pipeline = '\x00';
CALL mren.refresh_graph('again');
SELECT count(*) AS rows, count(head_confidence) AS with_confidence FROM again.evidence;
