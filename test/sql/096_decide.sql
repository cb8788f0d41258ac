-- The option "decide": several relations of one pair, alike in predict, extract and graphs.
SET client_min_messages = warning;
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql
-- What is a part of something belongs to it, too: two rows of the same pair.
CREATE TABLE rows AS SELECT sentence, head, tail, relation FROM pairs
UNION ALL SELECT sentence, head, tail, 'belongs_to' FROM pairs WHERE relation = 'part_of';
CALL mren.train('best', 'SELECT * FROM rows', '{"negative": "none", "validation_share": 0.3, "epochs": 40, "hidden": [8]}');
CALL mren.train('all', 'SELECT * FROM rows', '{"negative": "none", "validation_share": 0.3, "epochs": 40, "hidden": [8], "decide": "f1"}');
CALL mren.train('sure', 'SELECT * FROM rows', '{"negative": "none", "validation_share": 0.3, "epochs": 40, "hidden": [8], "decide": {"precision": 0.9}}');
-- The option and what it fitted; the probabilities are those of the same network.
SELECT model, options -> 'decide' AS decide, (SELECT string_agg(key, ', ' ORDER BY key) FROM jsonb_each(metrics -> 'thresholds')) AS thresholds,
    metrics ? 'decision_f1' AS scored
FROM mren.models ORDER BY model;
SELECT (metrics ->> 'decision_recall')::float8 > 0.9 AS finds_both, (metrics ->> 'decision_precision')::float8 > 0.9 AS and_no_more
FROM mren.models WHERE model = 'all';
SELECT bool_and(a.relation = b.relation AND a.probability = b.probability) AS same
FROM mren.predict_proba('best', 'wheel is a part of the car', 'wheel', 'car') WITH ORDINALITY a (relation, probability, n)
JOIN mren.predict_proba('all', 'wheel is a part of the car', 'wheel', 'car') WITH ORDINALITY b (relation, probability, n) USING (n);
-- One answer: the stronger of the two.
SELECT mren.predict('all', 'wheel is a part of the car', 'wheel', 'car') = (
    SELECT relation FROM mren.predict_proba('all', 'wheel is a part of the car', 'wheel', 'car') LIMIT 1) AS strongest,
    mren.predict('all', 'dog is a kind of animal', 'dog', 'animal'), mren.predict('all', 'dog is far from the river', 'dog', 'river');
-- A model with thresholds is judged by pairs with all their relations, in whatever order the rows come: "all" finds both of a
-- part. One without them is judged by rows, of which "best" can be right in one of two.
SELECT model, e.relation, round(e.precision::numeric, 2) AS precision, round(e.recall::numeric, 2) AS recall, e.support
FROM unnest('{all,best}'::text[]) model, mren.evaluate(model, 'SELECT * FROM rows ORDER BY md5(rows::text)') e
WHERE model = 'all' OR e.relation NOT IN ('belongs_to', 'part_of') ORDER BY model, e.relation;
SELECT e.relation, e.f1 = (CASE e.relation WHEN 'micro avg' THEN m.m -> 'micro' WHEN 'macro avg' THEN m.m -> 'macro'
    ELSE m.m -> 'relations' -> e.relation END ->> 'f1')::float8 AS same
FROM mren.evaluate('all', 'SELECT * FROM rows') e, LATERAL (
    SELECT mren.metrics(p.relations, said.said, 'none') AS m
    FROM (SELECT sentence, head, tail, array_agg(relation) AS relations FROM rows GROUP BY 1, 2, 3) p, LATERAL (
        SELECT coalesce(array_agg(d.relation) FILTER (WHERE d.probability >= (t.metrics -> 'thresholds' ->> d.relation)::float8), '{none}') AS said
        FROM mren.models t, mren.predict_proba('all', p.sentence, p.head, p.tail) d WHERE t.model = 'all' AND t.version = 1) said) m
WHERE e.relation <> 'accuracy' ORDER BY 1;
-- The row that "best" is wrong in is a confusion; one of "all" that is right is no mistake beside another.
SELECT actual IS NULL AS beside, predicted IS NULL AS missed, sum(count) FROM mren.confusion_matrix('best', 'SELECT * FROM rows WHERE relation IN (''part_of'', ''belongs_to'')')
WHERE actual IS DISTINCT FROM predicted GROUP BY 1, 2 ORDER BY 1, 2;
SELECT coalesce(actual, 'none of these') AS actual, predicted, count > 0 AS counted FROM mren.confusion_matrix('all', 'SELECT * FROM rows WHERE relation = ''part_of''');
-- Rows that are repeated count as often as they occur.
SELECT (SELECT sum(support) FROM mren.evaluate('all', 'SELECT * FROM rows UNION ALL SELECT * FROM rows') WHERE relation = 'accuracy')
    = 2 * (SELECT support FROM mren.evaluate('all', 'SELECT * FROM rows') WHERE relation = 'accuracy') AS twice;
-- Documents: both of them from "all", one from "best".
SELECT mren.load_lexicon('world', $$SELECT * FROM (VALUES ('wheel', 'part'), ('roof', 'part'), ('car', 'whole'), ('house', 'whole')) AS t (phrase, type)$$);
CREATE TABLE rules AS SELECT * FROM (VALUES ('part_of', 'part', 'whole'), ('belongs_to', 'part', 'whole')) AS t (relation, head_type, tail_type);
SELECT model, head, relation, tail
FROM unnest('{all,best}'::text[]) model, mren.extract(model, 'A wheel is a part of the car.', lexicons => '{world}', relation_schema => 'rules')
WHERE model = 'all' OR relation IN ('part_of', 'belongs_to') ORDER BY model, CASE model WHEN 'all' THEN relation END;
SELECT count(*) FROM mren.extract('all', 'A roof is far from the house.', lexicons => '{world}', relation_schema => 'rules');
-- A confidence asked for, and a relation that the schema does not allow, are left out.
SELECT count(*) FROM mren.extract('all', 'A wheel is a part of the car.', lexicons => '{world}', relation_schema => 'rules', threshold => 0.9);
-- A threshold is for mentions that are right: the less sure they are, the less the relation counts.
SELECT mren.load_lexicon('unsure', $$SELECT phrase, type, 0.1 AS confidence FROM (VALUES ('wheel', 'part'), ('car', 'whole')) AS t (phrase, type)$$);
SELECT mren.load_lexicon('half', $$SELECT phrase, type, CASE type WHEN 'part' THEN 0.5 ELSE 1 END AS confidence FROM (VALUES ('wheel', 'part'), ('car', 'whole')) AS t (phrase, type)$$);
SELECT lexicon, count(e.relation), bool_and((p.probability * sqrt(m.head * m.tail) >= (t.metrics -> 'thresholds' ->> p.relation)::float8) = (e.relation IS NOT NULL)) AS as_told
FROM (VALUES ('world', 1, 1), ('half', 0.5, 1), ('unsure', 0.1, 0.1)) AS m (lexicon, head, tail), mren.models t,
    mren.predict_proba('all', 'A wheel is a part of the car.', int4range(2, 7), int4range(25, 28)) p
    LEFT JOIN LATERAL mren.extract('all', 'A wheel is a part of the car.', lexicons => ARRAY[m.lexicon], relation_schema => 'rules') e ON e.relation = p.relation
WHERE t.model = 'all' AND t.version = 1 AND p.relation IN (SELECT relation FROM rules) GROUP BY lexicon ORDER BY lexicon;
DELETE FROM rules WHERE relation = 'belongs_to';
SELECT relation FROM mren.extract('all', 'A wheel is a part of the car.', lexicons => '{world}', relation_schema => 'rules');
INSERT INTO rules VALUES ('belongs_to', 'part', 'whole');
-- A graph has both facts.
CREATE TABLE docs AS SELECT 1 AS key, 'A wheel is a part of the car. A roof is far from the house.'::text AS document;
SELECT mren.create_graph('kg', 'docs', 'all', lexicons => '{world}', relation_schema => 'rules');
CALL mren.refresh_graph('kg');
SELECT head, relation, tail, evidence FROM kg.facts ORDER BY relation;
-- What it does not state because the mentions are unsure, it states once they are confirmed, and only as long.
SELECT mren.create_graph('dim', 'docs', 'all', lexicons => '{unsure}', relation_schema => 'rules');
CALL mren.refresh_graph('dim');
SELECT relation, made, fact IS NULL AS no_fact, confidence >= needed AS if_right FROM dim.evidence ORDER BY relation;
SELECT (SELECT count(*) FROM dim.facts) AS facts, (SELECT count(*) FROM dim.entities) AS entities;
INSERT INTO dim.mention_review (mention, verdict) VALUES ('wheel', 'confirmed'), ('car', 'confirmed');
SELECT mren.merge_graph('dim') - 'documents';
SELECT f.head, f.relation, f.tail, f.confidence = e.confidence AS certain FROM dim.facts f JOIN dim.evidence e USING (fact) ORDER BY 2;
INSERT INTO dim.mention_review (mention, verdict) VALUES ('car', 'unsure');
SELECT mren.merge_graph('dim') - 'documents' AS unsure;
DELETE FROM dim.mention_review WHERE verdict = 'unsure';
SELECT mren.merge_graph('dim') - 'documents' AS sure_again;
INSERT INTO dim.mention_review (mention, verdict) VALUES ('car', 'rejected');
SELECT mren.merge_graph('dim') - 'documents' AS rejected;
DELETE FROM dim.mention_review;
SELECT mren.merge_graph('dim') - 'documents' AS undone;
-- Another threshold is another version, which scores anew.
CALL mren.train('all', 'SELECT * FROM rows', '{"negative": "none", "validation_share": 0.3, "epochs": 40, "hidden": [8], "decide": "argmax", "deploy": true}');
CALL mren.refresh_graph('kg');
SELECT count(*) FROM kg.facts;
-- It moves with the model.
SELECT mren.import_model('moved', mren.export_model('all', 1));
SELECT (SELECT array_agg(relation ORDER BY relation) FROM mren.extract('moved', 'A wheel is a part of the car.', lexicons => '{world}', relation_schema => 'rules')) AS said,
    (SELECT metrics -> 'thresholds' FROM mren.models WHERE model = 'moved') = (SELECT metrics -> 'thresholds' FROM mren.models WHERE model = 'all' AND version = 1) AS same;
-- The aggregate has the same options; the same rows give the same network.
SELECT (info -> 'metrics' -> 'thresholds') = (SELECT metrics -> 'thresholds' FROM mren.models WHERE model = 'all' AND version = 1) AS same
FROM (SELECT mren.network_info(mren.train_agg(sentence, head, tail, relation, NULL::bytea,
    '{"negative": "none", "validation_share": 0.3, "epochs": 40, "hidden": [8], "decide": "f1"}'::jsonb)) AS info FROM rows) t;
-- Retraining inherits it, and comparing takes it as a variant.
CALL mren.train('nightly', 'SELECT * FROM rows', '{"negative": "none", "validation_share": 0.3, "epochs": 10, "hidden": [8], "decide": {"precision": 0.8}, "holdout_share": 0.3}');
CALL mren.retrain('nightly', min_new_rows => 0, promote => 'always');
SELECT version, options -> 'decide' AS decide, metrics ? 'thresholds' AS fitted FROM mren.models WHERE model = 'nightly' ORDER BY version;
SELECT variant, options -> 'decide' AS decide, score IS NOT NULL AS scored
FROM mren.compare('nightly', 'SELECT * FROM rows', ARRAY['{}', '{"decide": "argmax"}']::jsonb[], 2);
-- Compared by all that they say: one relation of two at best has an F1 of 0.8, with two of three pairs that have a relation.
SELECT variant, round(score::numeric, 1) AS score, difference < 0 AS worse
FROM mren.compare(NULL, 'SELECT sentence, head, tail, relation FROM rows', ARRAY['{"negative": "none", "validation_share": 0.3, "epochs": 40, "hidden": [8], "decide": "f1"}',
    '{"negative": "none", "validation_share": 0.3, "epochs": 40, "hidden": [8]}']::jsonb[], 2);
-- What is impossible.
SELECT error_of($$CALL mren.train('bad', 'SELECT * FROM rows', '{"decide": "most"}')$$);
SELECT error_of($$CALL mren.train('bad', 'SELECT * FROM rows', '{"decide": {"recall": 0.9}}')$$);
SELECT error_of($$CALL mren.train('bad', 'SELECT * FROM rows', '{"decide": {"precision": 0}}')$$);
SELECT error_of($$CALL mren.train('bad', 'SELECT * FROM rows', '{"decide": {"precision": "high"}}')$$);
SELECT error_of($$CALL mren.train('bad', 'SELECT * FROM rows', '{"decide": "f1", "validation_share": 0}')$$);
