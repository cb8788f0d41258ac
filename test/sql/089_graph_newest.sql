-- Of two values of a functional relation the one that was seen last wins, if the graph says so.
SET client_min_messages = warning;
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql
\i :srcdir/include/graph.sql
CREATE TABLE docs (key int PRIMARY KEY, document text, seen_at timestamptz);
INSERT INTO docs VALUES (1, 'The wheel is a part of the car.', '2020-01-01'), (2, 'The wheel is a part of the house.', '2025-01-01'),
    (3, 'Every wheel is a part of a car.', '2021-01-01'), (4, 'The roof is a part of the house.', NULL), (5, 'The roof is a part of the car.', '2001-01-01');
CREATE TABLE one_whole AS SELECT 'part_of' AS relation, 'part' AS head_type, 'whole' AS tail_type, true AS functional;
SELECT error_of($$SELECT mren.create_graph('newest', 'docs', 'parts', lexicons => '{world}', options => '{"functional_by": "latest"}')$$);
SELECT mren.create_graph('newest', 'docs', 'parts', lexicons => '{world}', relation_schema => 'one_whole', options => '{"functional_by": "newest"}');
SELECT mren.create_graph('surest', 'docs', 'parts', lexicons => '{world}', relation_schema => 'one_whole');
CALL mren.refresh_graph('newest');
CALL mren.refresh_graph('surest');
-- Two sentences are surer than one, but older; what has no time is older than what has.
SELECT head, tail, extract(year FROM last_seen) AS year FROM newest.facts ORDER BY 1;
SELECT head, tail, superseded_by_tail, reason FROM newest.conflicts ORDER BY 1;
SELECT head, tail FROM surest.facts WHERE head = 'wheel';
SELECT head, tail, superseded_by_tail, reason FROM surest.conflicts WHERE head = 'wheel';
-- Seen again, the other wins; a confirmed one always does.
UPDATE docs SET seen_at = '2026-01-01' WHERE key = 1;
CALL mren.refresh_graph('newest');
SELECT head, tail, extract(year FROM last_seen) AS year FROM newest.facts WHERE head = 'wheel';
INSERT INTO newest.review (fact, verdict) SELECT fact, 'confirmed' FROM newest.conflicts WHERE head = 'wheel';
SELECT mren.merge_graph('newest') - 'documents';
SELECT head, tail, confirmed FROM newest.facts WHERE head = 'wheel';
SELECT head, tail, reason FROM newest.conflicts WHERE head = 'wheel';

-- When facts held: of a functional relation until another one was seen, as often as they changed.
INSERT INTO docs VALUES (6, 'The wheel is a part of the cloud.', '2022-01-01');
UPDATE docs SET seen_at = '2020-01-01' WHERE key = 1;
CALL mren.refresh_graph('surest');
INSERT INTO surest.manual_facts (head, head_type, relation, tail, tail_type, seen_at) VALUES ('wheel', 'part', 'part_of', 'car', 'whole', '2030-01-01');
SELECT mren.merge_graph('surest') - 'documents';
SELECT head, tail, extract(year FROM valid_from) AS valid_from, extract(year FROM valid_to) AS valid_to FROM surest.timeline ORDER BY 1, valid_from;
SELECT head, tail FROM surest.timeline WHERE valid_from <= '2026-06-30' AND (valid_to IS NULL OR valid_to > '2026-06-30') ORDER BY 1, 2;
-- A rejected fact never held, and one whose relation is not functional has no end.
INSERT INTO surest.review (fact, verdict) SELECT fact, 'rejected' FROM surest.all_facts f JOIN surest.entities t ON t.entity = f.tail WHERE t.name = 'house';
SELECT mren.merge_graph('surest') - 'documents';
SELECT DISTINCT head, tail FROM surest.timeline ORDER BY 1;
UPDATE surest.relations SET functional = false;
SELECT count(*) AS facts, count(valid_to) AS ended FROM surest.timeline;
-- The inverse of a functional relation is functional for the other end.
UPDATE surest.relations SET functional = true, inverse_of = 'has_part';
SELECT mren.merge_graph('surest') - 'documents';
SELECT head, tail, extract(year FROM valid_from) AS valid_from, extract(year FROM valid_to) AS valid_to FROM surest.timeline WHERE tail = 'wheel' ORDER BY valid_from;
SELECT mren.drop_graph('newest', true), mren.drop_graph('surest', true);
