-- How good the facts of the graph "facts" are, beside what the documents' annotators found, and how far
-- their confidences can be trusted.  A fact is right if it is annotated in a document that states it.
-- Tables: gold (parts of documents, as mren.read_docred gives them).
CALL mren.refresh_graph('facts') \g /dev/null
SELECT format('%-24s precision %s, recall %s, F1 %s (%s found, %s annotated)', part, round("precision"::numeric, 3), round(recall::numeric, 3),
    round(f1::numeric, 3), predicted, gold)
FROM mren.evaluate_graph('facts', 'SELECT * FROM gold');
CREATE TEMP VIEW mention_place AS
SELECT document, lower(span) AS lower, upper(span) AS upper, type, entity FROM gold WHERE part = 'mention';
CREATE TABLE judged AS
SELECT f.fact, f.confidence AS of_fact, max(e.confidence) AS of_relation, bool_or(g.relation IS NOT NULL) AS correct
FROM facts.facts AS f JOIN facts.evidence AS e ON e.fact = f.fact
LEFT JOIN mention_place AS h ON h.document = e.document AND h.lower = lower(e.sentence_span) + lower(e.head_span)
    AND h.upper = lower(e.sentence_span) + upper(e.head_span) AND h.type = e.head_type
LEFT JOIN mention_place AS t ON t.document = e.document AND t.lower = lower(e.sentence_span) + lower(e.tail_span)
    AND t.upper = lower(e.sentence_span) + upper(e.tail_span) AND t.type = e.tail_type
LEFT JOIN gold AS g ON g.part = 'fact' AND g.document = e.document AND g.head = h.entity AND g.tail = t.entity AND g.relation = e.relation
GROUP BY 1, 2;
SELECT format('confidence of the %-8s  calibration error %s (by chance %s), average precision %s, mean %s, right %s', what,
    round(r.error::numeric, 3), round(r.expected_error::numeric, 3),
    round((SELECT p.average_precision FROM mren.precision_recall(confidences, correct) AS p ORDER BY p.rank DESC LIMIT 1)::numeric, 3), mean, share)
FROM (SELECT what, array_agg(c ORDER BY fact) AS confidences, array_agg(correct ORDER BY fact) AS correct,
          round(avg(c)::numeric, 3) AS mean, round(avg(correct::int), 3) AS share
      FROM judged, LATERAL (VALUES ('relation', of_relation), ('fact', of_fact)) AS v (what, c) GROUP BY what) AS j,
    mren.reliability(confidences, correct) AS r
WHERE r.bin IS NULL ORDER BY what DESC;
