-- The facts of CoNLL04's development documents, which were not trained on: of a model that states the most likely relation
-- of a pair, and of one that states all that reach their thresholds.  A fact is two names
-- with their types and a relation, of one document.
-- Variables: data, epochs, encoder.
\set dev :data '/text/conll04/conll04_dev.json'
CALL mren.train('relations_f1', 'SELECT * FROM train', jsonb_build_object('negative', 'None', 'epochs', :epochs, 'text_encoder', :'encoder', 'decide', 'f1')) \g /dev/null
CREATE TABLE dev_documents AS
SELECT n AS key, array_to_string(ARRAY(SELECT jsonb_array_elements_text(document -> 'tokens')), ' ') AS document
FROM jsonb_array_elements(pg_read_file(:'dev')::jsonb) WITH ORDINALITY AS t (document, n);
CREATE TABLE gold AS
SELECT DISTINCT d.key, mren.normalize_name(substr(r.sentence, lower(r.head) + 1, upper(r.head) - lower(r.head))) AS head, r.head_type, r.relation,
    mren.normalize_name(substr(r.sentence, lower(r.tail) + 1, upper(r.tail) - lower(r.tail))) AS tail, r.tail_type
FROM mren.read_conll04(pg_read_file(:'dev')) AS r JOIN dev_documents AS d ON d.document = r.sentence
WHERE r.relation <> 'None';
SELECT mren.create_graph('argmax', 'dev_documents', 'relations', tagger => 'names', relation_schema => 'relation_schema') \g /dev/null
SELECT mren.create_graph('f1', 'dev_documents', 'relations_f1', tagger => 'names', relation_schema => 'relation_schema') \g /dev/null
CALL mren.refresh_graph('argmax') \g /dev/null
CALL mren.refresh_graph('f1') \g /dev/null
CREATE TABLE found AS
SELECT decide, document::bigint AS key, head_name AS head, head_type, relation, tail_name AS tail, tail_type, max(confidence) AS of_relation,
    max(confidence * head_confidence * tail_confidence) AS of_fact
FROM (SELECT 'argmax' AS decide, * FROM argmax.evidence UNION ALL SELECT 'f1', * FROM f1.evidence) AS e GROUP BY 1, 2, 3, 4, 5, 6, 7;
CREATE TABLE judged AS
SELECT f.*, EXISTS (SELECT FROM gold AS g WHERE (g.key, g.head, g.head_type, g.relation, g.tail, g.tail_type) =
    (f.key, f.head, f.head_type, f.relation, f.tail, f.tail_type)) AS correct
FROM found AS f;
SELECT format('%s documents, %s facts', (SELECT count(*) FROM dev_documents), (SELECT count(*) FROM gold));
SELECT format('decide %-6s: precision %s, recall %s, F1 %s', decide, round(p, 3), round(r, 3), round(2 * p * r / (p + r), 3))
FROM (SELECT decide, avg(correct::int) AS p, sum(correct::int)::numeric / (SELECT count(*) FROM gold) AS r FROM judged GROUP BY decide) AS s ORDER BY decide;
SELECT format('decide %-6s, confidence of the %-8s: calibration error %s (by chance %s), average precision %s', decide, what,
    round(r.error::numeric, 3), round(r.expected_error::numeric, 3),
    round((SELECT p.average_precision FROM mren.precision_recall(confidences, correct) AS p ORDER BY p.rank DESC LIMIT 1)::numeric, 3))
FROM (SELECT decide, what, array_agg(c ORDER BY key, head, relation, tail) AS confidences, array_agg(correct ORDER BY key, head, relation, tail) AS correct
      FROM judged, LATERAL (VALUES ('relation', of_relation), ('fact', of_fact)) AS v (what, c) GROUP BY decide, what) AS j,
    mren.reliability(confidences, correct) AS r
WHERE r.bin IS NULL ORDER BY decide, what DESC;
