-- How good the facts of the graph "facts" are, beside what the documents' annotators found, and how far
-- their confidences can be trusted.  A fact is right if it is annotated in a document that states it.
-- Tables: gold (parts of documents, as mren.read_docred gives them).
CALL mren.refresh_graph('facts') \g /dev/null
SELECT format('%-24s precision %s, recall %s, F1 %s (%s found, %s annotated)', part, round("precision"::numeric, 3), round(recall::numeric, 3),
    round(f1::numeric, 3), predicted, gold)
FROM mren.evaluate_graph('facts', 'SELECT * FROM gold');
CREATE TABLE judged AS
SELECT v.*, (SELECT max(e.confidence) FROM facts.evidence AS e WHERE e.fact = v.fact) AS of_relation
FROM (SELECT fact, confidence AS of_fact, bool_or(verdict = 'right') AS correct, bool_and(left(md5(document || ' reviewed'), 1) < '8') AS is_reviewed
      FROM mren.judge_facts('facts', 'SELECT * FROM gold') WHERE verdict <> 'missed' GROUP BY 1, 2) AS v;
SELECT format('confidence of the %-8s  calibration error %s (by chance %s), average precision %s, mean %s, right %s', what,
    round(r.error::numeric, 3), round(r.expected_error::numeric, 3),
    round((SELECT p.average_precision FROM mren.precision_recall(confidences, correct) AS p ORDER BY p.rank DESC LIMIT 1)::numeric, 3), mean, share)
FROM (SELECT what, array_agg(c ORDER BY fact) AS confidences, array_agg(correct ORDER BY fact) AS correct,
          round(avg(c)::numeric, 3) AS mean, round(avg(correct::int), 3) AS share
      FROM judged, LATERAL (VALUES ('relation', of_relation), ('fact', of_fact)) AS v (what, c) GROUP BY what) AS j,
    mren.reliability(confidences, correct) AS r
WHERE r.bin IS NULL ORDER BY what DESC;
-- The same after the facts of one half of the documents have been reviewed, of those of the other half.
INSERT INTO facts.review (fact, verdict) SELECT fact, CASE WHEN correct THEN 'confirmed' ELSE 'rejected' END FROM judged WHERE is_reviewed ORDER BY fact;
SELECT mren.merge_graph('facts') \g /dev/null
SELECT format('calibrated by %s facts, on %s others: calibration error %s (by chance %s)', (SELECT count(*) FROM judged WHERE is_reviewed), r.count,
    round(r.error::numeric, 3), round(r.expected_error::numeric, 3))
FROM (SELECT array_agg(f.confidence ORDER BY f.fact) AS confidences, array_agg(j.correct ORDER BY f.fact) AS correct
      FROM judged AS j JOIN facts.facts AS f ON f.fact = j.fact WHERE NOT j.is_reviewed) AS h, mren.reliability(confidences, correct) AS r
WHERE r.bin IS NULL;
