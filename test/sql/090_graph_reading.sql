-- Reading a graph: neighbours, paths on a larger graph, exports with provenance.
SET client_min_messages = warning;
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql
\i :srcdir/include/graph.sql
CREATE TABLE docs (key text PRIMARY KEY, document text, seen_at timestamptz);
INSERT INTO docs VALUES
    ('a;b', 'The wheel is a part of the car.', '2024-01-01'),
    ('100%', 'The wheel is a part of the car. A roof is a part of the house.', '2024-02-01 12:30:00.5'),
    ('c', 'The roof is a part of the car.', NULL);
SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{world}', relation_schema => 'toy_relations');
CALL mren.refresh_graph('kg');

-- Neighbours, by any name of the entity.
SELECT neighbour, type, relation, direction, sources, confidence BETWEEN 0.5 AND 1 AS sure FROM mren.neighbours('kg', 'CAR') ORDER BY 1;
SELECT neighbour, direction FROM mren.neighbours('kg', 'roof', 'part_of') ORDER BY 1;
SELECT count(*) FROM mren.neighbours('kg', 'roof', 'kind_of');
SELECT count(*) FROM mren.neighbours('kg', 'roof', max_facts => 1);
INSERT INTO kg.aliases (alias, entity) VALUES ('automobile', 'car');
SELECT neighbour FROM mren.neighbours('kg', 'Automobile') ORDER BY 1;
SELECT count(*) FROM (SELECT mren.neighbours('kg', NULL) UNION ALL SELECT mren.neighbours('kg', 'nobody')) AS t;
-- A name that the graph does not have is said, with one that is nearly the same or longer; one without facts is not.
SET client_min_messages = notice;
SELECT count(*) FROM mren.neighbours('kg', 'Wehel');
SELECT count(*) FROM mren.neighbours('kg', 'the car');
SELECT count(*) FROM mren.neighbours('kg', 'wheel', 'kind_of');
SELECT count(*) FROM mren.paths('kg', 'haus', 'xylophone');
SELECT count(*) FROM mren.paths('kg', 'Automobile', 'house', 1);
SELECT count(*) FROM mren.neighbours('kg', '') UNION ALL SELECT count(*) FROM mren.neighbours('kg', repeat('x', 300));
SELECT mren.draw_neighbourhood('kg', 'rooof') IS NULL AS empty;
-- Nearest names are looked for ten times in a statement.
SELECT count(*) FROM generate_series(1, 11) AS i, mren.neighbours('kg', 'rooof' || repeat(' ', i));
SET client_min_messages = warning;
SELECT error_of($$SELECT mren.neighbours('kg', 'car', max_facts => 0)$$);
SELECT error_of($$SELECT mren.neighbours('kg', 'car', max_facts => NULL)$$);
SELECT error_of($$SELECT mren.neighbours('nothing', 'car')$$);
-- What was rejected is no neighbour, and what was confirmed is certain, at once.
BEGIN;
INSERT INTO kg.review (fact, verdict) SELECT fact, CASE head WHEN 'wheel' THEN 'rejected' ELSE 'confirmed' END FROM kg.facts WHERE tail = 'car';
SELECT neighbour, confidence = 1 AS certain FROM mren.neighbours('kg', 'car') ORDER BY 1;
SELECT path, round(confidence::numeric, 6) > 0 AS p FROM mren.paths('kg', 'wheel', 'house');
ROLLBACK;

-- Provenance.
CREATE FUNCTION known(line text) RETURNS text LANGUAGE sql AS $$
    SELECT regexp_replace(regexp_replace(line, '[0-9a-f]{8}-[0-9a-f-]{27}', 'id', 'g'), '0\.\d+', '0.x') $$;
SELECT known(x) FROM mren.export_ntriples('kg', 'http://example.org/', 'reification') AS x WHERE x ~ 'fact/' AND x !~ 'wheel';
SELECT known(x) FROM mren.export_ntriples('kg', 'http://example.org/', 'rdf12') AS x WHERE x ~ 'reifies|Statement';
SELECT count(*) FROM (SELECT * FROM mren.export_ntriples('kg', 'urn:x:', 'none') EXCEPT SELECT * FROM mren.export_ntriples('kg', 'urn:x:')) AS t;
SELECT count(*) FROM (SELECT * FROM mren.export_ntriples('kg', 'urn:x:') EXCEPT SELECT * FROM mren.export_ntriples('kg', 'urn:x:', 'rdf12')) AS t;
SELECT error_of($$SELECT mren.export_ntriples('kg', 'urn:x:', 'all')$$);
SELECT error_of($$SELECT mren.export_ntriples('kg', 'x', 'rdf12')$$);
SELECT known(x) FROM mren.export_graphml('kg') AS x;
SELECT known(x) FROM mren.export_neo4j('kg', 'nodes') AS x;
SELECT known(x) FROM mren.export_neo4j('kg', 'relationships') AS x;
SELECT error_of($$SELECT mren.export_neo4j('kg', 'edges')$$);
-- What XML does not allow: PostgreSQL's own parser reads the file, if there is one.
CREATE FUNCTION edges(file text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    RETURN cardinality(xpath('//g:edge', file::xml, ARRAY[ARRAY['g', 'http://graphml.graphdrawing.org/xmlns']]));
EXCEPTION WHEN feature_not_supported THEN
    RETURN 3;
END $$;
UPDATE kg.entities SET name = E'<a & "b">\x01\uFFFF\n' WHERE name = 'car';
SELECT known(x) FROM mren.export_graphml('kg') AS x WHERE x ~ 'amp';
-- Graphviz would take it for an entity of HTML.
SELECT known(x) FROM mren.export_dot('kg') AS x WHERE x ~ 'amp';
SELECT edges(string_agg(x, E'\n')) FROM mren.export_graphml('kg') AS x;

-- Paths against a plain recursive query, on a graph with circles, two facts
-- between the same entities, and equal confidences.
TRUNCATE kg.entities, kg.all_facts, kg.evidence;
INSERT INTO kg.entities SELECT mren.graph_identity('e' || i), 'e' || i, '', 'e' || i, ARRAY['e' || i], ARRAY['e' || i], 1, 1 FROM generate_series(1, 9) i;
INSERT INTO kg.all_facts (fact, head, relation, tail, confidence, sources, sentences, evidence, status)
SELECT mren.graph_identity(h || ' ' || r || ' ' || t), mren.graph_identity('e' || h), 'r' || r, mren.graph_identity('e' || t),
       (1 + (h * 7 + t * 3 + r) % 4) / 4.0, 1, 1, 1, CASE WHEN (h + t + r) % 11 = 0 THEN 'superseded' ELSE 'accepted' END
FROM generate_series(1, 8) h, generate_series(1, 8) t, generate_series(1, 2) r WHERE h <> t AND (h * 5 + t * t + r) % 3 = 0;
CREATE VIEW plain AS
WITH RECURSIVE link AS (
        SELECT head_entity AS a, tail_entity AS b, fact, confidence FROM kg.facts
        UNION ALL SELECT tail_entity, head_entity, fact, confidence FROM kg.facts),
    walk (nodes, facts, confidence) AS (
        SELECT ARRAY[entity], '{}'::uuid[], 1::double precision FROM kg.entities WHERE name = 'e1'
        UNION ALL
        SELECT nodes || b, facts || fact, walk.confidence * link.confidence FROM walk JOIN link ON a = nodes[cardinality(nodes)]
        WHERE cardinality(facts) < 4 AND b <> ALL (nodes))
SELECT cardinality(facts) AS hops, confidence, facts FROM walk
WHERE nodes[cardinality(nodes)] = (SELECT entity FROM kg.entities WHERE name = 'e2') AND cardinality(facts) > 0;
SELECT count(*) > 300 AS many, count(DISTINCT hops) AS lengths FROM plain;
-- Quarters are multiplied exactly, so that the two agree to the last bit.
SELECT n, (SELECT count(*) FROM (
        (SELECT hops, confidence, facts FROM mren.paths('kg', 'e1', 'e2', 4, n))
        EXCEPT (SELECT * FROM plain ORDER BY hops, confidence DESC, facts LIMIT n)) x) AS wrong,
    (SELECT count(*) FROM mren.paths('kg', 'e1', 'e2', 4, n)) = LEAST(n, (SELECT count(*) FROM plain)) AS all_there
FROM unnest('{1, 2, 7, 50, 300, 100000}'::int[]) n;
SELECT count(*) FROM (SELECT hops, confidence, facts, row_number() OVER () AS n FROM mren.paths('kg', 'e1', 'e2', 3, 1000)
    EXCEPT SELECT *, row_number() OVER (ORDER BY hops, confidence DESC, facts) FROM plain WHERE hops <= 3) x;
-- Several entities under one name; one that has no facts.
INSERT INTO kg.aliases (alias, entity) VALUES ('both', 'e1'), ('all', 'e9');
UPDATE kg.entities SET normalized = normalized || '{both}' WHERE name IN ('e1', 'e2');
SELECT count(*) > 0 AS some, bool_and(entities[1] IN ('e1', 'e2') AND entities[cardinality(entities)] IN ('e1', 'e2')) AS between
FROM mren.paths('kg', 'both', 'both', 2);
SELECT count(*) FROM mren.paths('kg', 'all', 'e1', 8);
-- Two hubs on 20,000 facts: no more than what was asked for is looked for.
INSERT INTO kg.entities SELECT mren.graph_identity('e' || i), 'e' || i, '', 'e' || i, ARRAY['e' || i], ARRAY['e' || i], 1, 1 FROM generate_series(10, 5009) i;
INSERT INTO kg.all_facts (fact, head, relation, tail, confidence, sources, sentences, evidence, status)
SELECT mren.graph_identity(h || ' r ' || t), mren.graph_identity('e' || h), 'r', mren.graph_identity('e' || t), 0.5 + t / 20000.0, 1, 1, 1, 'accepted'
FROM (SELECT 10 AS h, t FROM generate_series(12, 5009) t UNION ALL SELECT 11, t FROM generate_series(12, 5009) t
      UNION ALL SELECT h, 12 + (h * 31) % 4997 FROM generate_series(12, 5008) h WHERE h <> 12 + (h * 31) % 4997) f;
SELECT hops, count(*), min(confidence) > 0.56 AS surest FROM mren.paths('kg', 'e10', 'e11', 6, 20) GROUP BY hops;
SELECT hops, count(*) FROM mren.paths('kg', 'e10', 'e11', 3, 6000) GROUP BY hops ORDER BY hops;
