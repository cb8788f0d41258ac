-- 100,000 facts by hand, of few entities many, for the search for paths.
INSERT INTO lists.manual_facts (head, relation, tail)
SELECT DISTINCT 'Person ' || floor(20000 * random() ^ 2), 'Live_In', 'Place ' || floor(20000 * random() ^ 2) FROM generate_series(1, 103000) LIMIT 100000;
SELECT mren.merge_graph('lists') \g /dev/null
ANALYZE lists.evidence, lists.entities, lists.all_facts;
