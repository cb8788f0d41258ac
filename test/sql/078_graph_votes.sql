-- Reviews of a graph as votes on sentences, and what is confirmed as known facts.
SET client_min_messages = warning;
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql
\i :srcdir/include/graph.sql
CREATE TABLE docs (key int PRIMARY KEY, document text);
INSERT INTO docs VALUES (1, 'The wheel is a part of the car.'), (2, 'A wheel is a part of every car.'), (3, 'The roof is a part of the house.'),
    (4, 'The chair is a part of the cloud.'), (5, 'A dog is a kind of animal.');
SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{world}', relation_schema => 'toy_relations');
CALL mren.refresh_graph('kg');
SELECT count(*) FROM kg.review_votes;
CREATE VIEW votes AS SELECT substr(sentence, lower(head) + 1, upper(head) - lower(head)) AS head, sentence, source, relation, gold FROM kg.review_votes;

-- A verdict is a vote for each sentence of its fact, gold for the one that was read; before the merge and behind it.
INSERT INTO kg.review (fact, verdict, reviewer, sentence)
    SELECT fact, CASE WHEN head = 'chair' THEN 'rejected' ELSE 'confirmed' END, 'ann', sentence FROM mren.review_queue('kg', 10)
    WHERE head IN ('wheel', 'chair') ORDER BY head;
INSERT INTO kg.review (fact, verdict, reviewer) SELECT fact, 'confirmed', 'ann' FROM kg.facts WHERE head = 'roof';
SELECT head, source, relation, count(*) AS votes, count(*) FILTER (WHERE gold) AS gold,
    bool_and(gold = (sentence IN (SELECT r.sentence FROM kg.review r))) AS where_read FROM votes GROUP BY 1, 2, 3 ORDER BY 1;
CREATE TABLE before AS SELECT * FROM kg.review_votes;
SELECT mren.merge_graph('kg') ->> 'status' AS status;
SELECT count(*) AS differ FROM (TABLE before EXCEPT TABLE kg.review_votes) d;
SELECT count(*) FROM kg.review_votes;

-- Several people vote, each once; a verdict at a sentence goes before a later one elsewhere; "unsure" is no vote.
INSERT INTO kg.review (fact, verdict, relation, reviewer, sentence)
    SELECT fact, v.verdict, v.relation, v.reviewer, v.sentence FROM kg.all_facts f JOIN kg.entities h ON h.entity = f.head,
    (VALUES (1, 'wheel', 'rejected', 'kind_of', 'bob', 'The wheel is a part of the car.'), (2, 'wheel', 'rejected', NULL, 'bob', 'A wheel is a part of every car.'),
            (3, 'wheel', 'rejected', NULL, 'cyd', NULL), (4, 'roof', 'confirmed', NULL, 'bob', NULL), (5, 'roof', 'unsure', NULL, 'bob', NULL)) AS v (n, head, verdict, relation, reviewer, sentence)
    WHERE h.name = v.head ORDER BY n;
SELECT mren.merge_graph('kg') ->> 'status' AS status;
SELECT head, sentence, source, relation, gold FROM votes WHERE source <> 'ann' ORDER BY sentence COLLATE "C", source;
SELECT head, v.relation, l.relation AS label, l.votes FROM mren.label_model('SELECT id, source, relation FROM kg.review_votes') l
    JOIN (SELECT DISTINCT id, substr(sentence, lower(head) + 1, upper(head) - lower(head)) AS head, min(relation) OVER (PARTITION BY id) AS relation FROM kg.review_votes) v USING (id)
    WHERE head <> 'wheel' ORDER BY head;
SELECT source, votes, gold, accuracy FROM mren.vote_summary('SELECT id, source, relation FROM kg.review_votes', $$SELECT id, relation FROM kg.review_votes WHERE gold AND source = 'bob'$$) ORDER BY source;

-- Two facts about one pair of mentions: that one is wrong is no vote against the other.
INSERT INTO kg.evidence (document, n, head, head_type, relation, tail, tail_type, confidence, sentence, head_span, tail_span, sentence_span, model_version,
        head_name, tail_name, sentence_id, statement, head_entity, tail_entity, fact, fact_relation, reversed)
    SELECT document, 99, head, head_type, 'made_of', tail, tail_type, confidence, sentence, head_span, tail_span, sentence_span, model_version,
        head_name, tail_name, sentence_id, gen_random_uuid(), head_entity, tail_entity, gen_random_uuid(), 'made_of', false FROM kg.evidence WHERE head = 'dog';
INSERT INTO kg.review (fact, verdict, reviewer) SELECT fact, CASE WHEN relation = 'made_of' THEN 'rejected' ELSE 'confirmed' END, 'ann' FROM kg.evidence WHERE head = 'dog';
SELECT head, source, relation, gold FROM votes WHERE head = 'dog';
INSERT INTO kg.review (fact, verdict, reviewer) SELECT fact, 'rejected', 'ann' FROM kg.evidence WHERE head = 'dog';
SELECT head, source, relation, gold FROM votes WHERE head = 'dog';
DELETE FROM kg.review WHERE judged IS NULL;
DELETE FROM kg.evidence WHERE n = 99;

-- A correction counts for who made it; who confirms the corrected fact then votes for it, who confirmed the fact before still for that.
INSERT INTO kg.review (fact, verdict, reviewer) SELECT fact, 'confirmed', 'ann' FROM kg.facts WHERE head = 'dog';
INSERT INTO kg.review (fact, verdict, relation, reviewer) SELECT fact, 'rejected', 'made_of', 'bob' FROM kg.facts WHERE head = 'dog';
SELECT mren.merge_graph('kg') ->> 'status' AS status;
INSERT INTO kg.review (fact, verdict, reviewer) SELECT fact, 'confirmed', 'cyd' FROM kg.facts WHERE head = 'dog' AND relation = 'made_of';
SELECT mren.merge_graph('kg') ->> 'status' AS status;
SELECT head, source, relation, gold FROM votes WHERE head = 'dog' ORDER BY source;
DELETE FROM kg.review WHERE fact IN (SELECT fact FROM kg.review WHERE reviewer IN ('bob', 'cyd') AND relation = 'made_of') AND reviewer = 'ann';

-- Known facts: confirmed or added by hand, in the other direction as well where a relation says so.
INSERT INTO kg.manual_facts (head, relation, tail) VALUES ('Ann', 'spouse', 'Bob'), ('oak', 'kind_of', 'tree');
INSERT INTO kg.relations (relation, "symmetric", inverse_of) VALUES ('spouse', true, NULL), ('has_kind', false, 'kind_of');
INSERT INTO kg.aliases (alias, type, entity) VALUES ('Roof', 'part', 'Top'), ('rooftop', 'part', 'roof'), ('annie', '', 'Ann');
DELETE FROM kg.review WHERE reviewer <> 'ann';
SELECT mren.merge_graph('kg') ->> 'status' AS status;
SELECT head, head_type, relation, tail, tail_type FROM kg.known_facts ORDER BY head COLLATE "C", relation;
SELECT alias, type, name FROM kg.known_names ORDER BY alias COLLATE "C", name COLLATE "C";
CREATE TABLE pair (id int, head text, head_type text, tail text, tail_type text);
INSERT INTO pair VALUES (1, 'rooftop', 'part', 'house', 'whole'), (2, 'Bob', NULL, 'Annie', NULL), (3, 'tree', NULL, 'oak', NULL), (4, 'chair', 'part', 'cloud', 'whole'),
    (5, 'the car', 'whole', 'wheel', 'part'), (6, 'wheel', 'part', 'car', 'whole');
SELECT * FROM mren.distant_labels('SELECT * FROM kg.known_facts', 'SELECT * FROM pair', '{"aliases": "SELECT * FROM kg.known_names"}') ORDER BY id;

-- A graph that was made before has these views after an upgrade; they go with the graph, and to its new owner.
DROP VIEW votes;
DROP VIEW kg.review_votes, kg.known_facts, kg.known_names;
ALTER TABLE kg.review DROP COLUMN sentence;
SELECT mren.upgrade_graph('kg');
SELECT (SELECT count(*) FROM kg.review_votes) AS votes, (SELECT count(*) FROM kg.review_votes WHERE gold) AS gold, (SELECT count(*) FROM kg.known_facts) AS facts;
CREATE ROLE regress_other;
SELECT mren.alter_graph_owner('kg', 'regress_other');
SELECT count(*) AS views FROM pg_class WHERE relnamespace = 'kg'::regnamespace AND relkind = 'v' AND relowner = 'regress_other'::regrole;
SELECT mren.drop_graph('kg', drop_tables => true);
SELECT count(*) AS left FROM pg_class WHERE relname IN ('review_votes', 'known_facts', 'known_names');
DROP OWNED BY regress_other;
DROP ROLE regress_other;
