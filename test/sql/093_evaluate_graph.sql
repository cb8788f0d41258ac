-- A graph against annotated documents: figures that can be counted by hand.
SET client_min_messages = warning;
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql
\i :srcdir/include/graph.sql
CREATE TABLE docs (key int PRIMARY KEY, document text);
INSERT INTO docs VALUES
    (1, 'The wheel is a part of the car. The dog is a kind of animal.'),
    (2, 'A roof is a part of the house. The wheel is here.'),
    (3, 'An oak is a kind of tree.');
SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{world}', relation_schema => 'toy_relations');
CALL mren.refresh_graph('kg');
SELECT document, head, relation, tail FROM kg.evidence ORDER BY document, n;

-- Right in everything.
CREATE TABLE gold (document int, part text, text text, type text, entity text, span int4range, head text, relation text, tail text);
INSERT INTO gold (document, part, text) SELECT key, 'document', document FROM docs WHERE key <= 2;
INSERT INTO gold (document, part, span) VALUES (1, 'sentence', '[0,31)'), (1, 'sentence', '[32,60)'), (2, 'sentence', '[0,30)'), (2, 'sentence', '[31,49)');
INSERT INTO gold (document, part, type, entity, span) VALUES
    (1, 'mention', 'part', 'w', '[4,9)'), (1, 'mention', 'whole', 'c', '[27,30)'), (1, 'mention', 'species', 'd', '[36,39)'), (1, 'mention', 'kind', 'a', '[53,59)'),
    (2, 'mention', 'part', 'r', '[2,6)'), (2, 'mention', 'whole', 'h', '[24,29)'), (2, 'mention', 'part', 'w', '[35,40)');
INSERT INTO gold (document, part, head, relation, tail) VALUES (1, 'fact', 'w', 'part_of', 'c'), (1, 'fact', 'd', 'kind_of', 'a'), (2, 'fact', 'r', 'part_of', 'h');
SELECT * FROM mren.evaluate_graph('kg', 'TABLE gold');
-- A fact across sentences that is missed, one that is not there, and another type.
INSERT INTO gold (document, part, head, relation, tail) VALUES (2, 'fact', 'w', 'part_of', 'h');
DELETE FROM gold WHERE part = 'fact' AND head = 'd';
UPDATE gold SET type = 'beast' WHERE entity = 'd';
SELECT part, round("precision"::numeric, 4) AS "precision", round(recall::numeric, 4) AS recall, round(f1::numeric, 4) AS f1, predicted, gold FROM mren.evaluate_graph('kg', 'TABLE gold');
UPDATE gold SET type = 'species' WHERE entity = 'd';
INSERT INTO gold (document, part, head, relation, tail) VALUES (1, 'fact', 'd', 'kind_of', 'a');
-- Inverse and symmetric relations mean what they mean in the graph.
UPDATE gold SET relation = 'has_part', head = tail, tail = head WHERE relation = 'part_of';
INSERT INTO kg.relations (relation, inverse_of) VALUES ('has_part', 'part_of');
UPDATE kg.relations SET "symmetric" = true WHERE relation = 'kind_of';
UPDATE gold SET head = tail, tail = head WHERE relation = 'kind_of';
SELECT mren.merge_graph('kg') IS NOT NULL AS merged;
SELECT part, "precision", recall, predicted, gold FROM mren.evaluate_graph('kg', 'TABLE gold') WHERE part = 'facts';
-- Without texts and sentences there are only facts, without places names count.
SELECT part, "precision", recall, predicted, gold FROM mren.evaluate_graph('kg', $$
    SELECT g.document, g.part, CASE g.part WHEN 'mention' THEN substr(d.document, lower(g.span) + 1, upper(g.span) - lower(g.span)) END AS text, g.entity, g.head, g.relation, g.tail
    FROM gold g JOIN docs d ON d.key = g.document WHERE g.part IN ('mention', 'fact')$$);

-- The facts one by one.
CREATE TABLE judged AS SELECT * FROM gold;
DELETE FROM judged WHERE part = 'fact' AND relation = 'kind_of';
INSERT INTO judged (document, part, head, relation, tail) VALUES (2, 'fact', 'w', 'part_of', 'h');
SELECT document, verdict, head, relation, tail, j.fact = f.fact AS known, j.confidence = f.confidence AS same FROM mren.judge_facts('kg', 'TABLE judged') AS j
LEFT JOIN kg.facts AS f USING (head, relation, tail) ORDER BY 1, 2;
SELECT count(*) FILTER (WHERE verdict <> 'missed') = max(e.predicted) AS predicted, count(*) FILTER (WHERE verdict <> 'wrong') = max(e.gold) AS gold
FROM mren.judge_facts('kg', 'TABLE judged'), mren.evaluate_graph('kg', 'TABLE judged') AS e WHERE e.part = 'facts';
SELECT verdict, head, tail FROM mren.judge_facts('kg', 'SELECT document, part, head, relation, tail FROM judged WHERE document = 2 AND part = ''fact''') ORDER BY 1, 2;
SELECT error_of($$SELECT mren.judge_facts('kg', 'SELECT 1 AS document')$$);
SELECT error_of($$SELECT mren.judge_facts('nothing', 'TABLE gold')$$);

-- B-cubed: three mentions of one entity, of which one is called otherwise.
CREATE TABLE folk AS SELECT * FROM (VALUES ('Ada Lovelace', 'person'), ('Lovelace', 'person'), ('Countess', 'person'), ('car', 'whole')) AS t (phrase, type);
SELECT mren.load_lexicon('folk', 'TABLE folk');
INSERT INTO docs VALUES (4, 'Ada Lovelace came. Lovelace left. The Countess has a car.');
SELECT mren.create_graph('folk', 'SELECT * FROM docs WHERE key = 4', 'parts', lexicons => '{folk}');
CALL mren.refresh_graph('folk');
CREATE TABLE gold4 AS SELECT 4 AS document, 'document' AS part, document AS text, NULL AS entity, NULL::int4range AS span FROM docs WHERE key = 4
    UNION ALL VALUES (4, 'mention', NULL, 'ada', '[0,12)'::int4range), (4, 'mention', NULL, 'ada', '[19,27)'), (4, 'mention', NULL, 'ada', '[38,46)'), (4, 'mention', NULL, 'car', '[53,56)');
-- Of the predicted {Ada Lovelace, Lovelace}, {Countess}, {car} all are pure; two of three, one of three, one of one are found: (2·2/3 + 1/3 + 1) / 4 = 2/3.
SELECT part, "precision", round(recall::numeric, 6) AS recall, round(f1::numeric, 6) AS f1, predicted, gold FROM mren.evaluate_graph('folk', 'TABLE gold4');
INSERT INTO folk.aliases (alias, entity) VALUES ('Countess', 'Ada Lovelace');
SELECT part, "precision", recall, f1, predicted, gold FROM mren.evaluate_graph('folk', 'TABLE gold4');

-- Documents that the graph has not read; a gold set of nothing; errors.
SET client_min_messages = notice;
SELECT part, recall FROM mren.evaluate_graph('folk', $$SELECT document, part, text FROM gold WHERE document = 1$$);
SET client_min_messages = warning;
SELECT part, "precision", recall, f1, predicted, gold FROM mren.evaluate_graph('kg', 'SELECT 1 AS document, ''x'' AS part WHERE false');
SELECT part FROM mren.evaluate_graph('kg', 'TABLE gold --' || repeat('-', 5000)) WHERE part = 'facts';
SELECT error_of($$SELECT mren.evaluate_graph('kg', 'SELECT 1 AS document')$$);
SELECT error_of($$SELECT mren.evaluate_graph('kg', 'SELECT 1 AS part')$$);
SELECT error_of($$SELECT mren.evaluate_graph('kg', 'SELECT NULL::text AS document, ''fact'' AS part')$$);
SELECT error_of($$SELECT mren.evaluate_graph('kg', 'SELECT 1 AS document, ''mention'' AS part, ''a'' AS span')$$);
SELECT error_of($$SELECT mren.evaluate_graph('kg', 'DELETE FROM gold RETURNING document, part')$$);
SELECT error_of($$SELECT mren.evaluate_graph('kg', 'SELECT 1 AS document, ''fact'' AS part, ''a'' AS head, '''' AS relation, ''b'' AS tail')$$);
SELECT error_of($$SELECT mren.evaluate_graph('nothing', 'TABLE gold')$$);
SELECT error_of($$SELECT mren.evaluate_graph('kg', NULL)$$);

-- A relation schema from annotations: partner is symmetric, although ally holds between the same; part_of and
-- has_part are inverses; knows is told one way too often, and few says too little.
CREATE TABLE annotated AS
SELECT d AS document, 'mention' AS part, e AS entity, CASE WHEN e = 'c' THEN NULL WHEN e = 'a' OR d = 12 THEN 'person' ELSE 'firm' END AS type,
    NULL AS head, NULL AS relation, NULL AS tail
FROM generate_series(1, 12) AS d, unnest('{a,b,c}'::text[]) AS e
UNION ALL SELECT d, 'fact', NULL, NULL, f.head, f.relation, f.tail
FROM generate_series(1, 12) AS d, (VALUES ('a', 'partner', 'b', 12), ('b', 'partner', 'a', 12), ('a', 'part_of', 'b', 11), ('b', 'has_part', 'a', 12),
    ('a', 'knows', 'b', 12), ('b', 'knows', 'a', 8), ('a', 'ally', 'b', 11), ('b', 'ally', 'a', 12), ('a', 'few', 'b', 4), ('b', 'few', 'a', 4), ('a', 'older', 'c', 12)) AS f (head, relation, tail, last)
WHERE d <= f.last;
SELECT * FROM mren.learn_relation_schema('TABLE annotated');
-- A fact that is annotated twice is one fact; what names no relation or no ends is none; nothing gives nothing.
SELECT * FROM mren.learn_relation_schema('SELECT a.* FROM annotated AS a, generate_series(1, 2) WHERE a.relation = ''few''');
SELECT * FROM mren.learn_relation_schema('SELECT 1 AS document, ''fact'' AS part, CASE n WHEN 1 THEN ''few'' END AS relation, n AS head FROM generate_series(1, 2) AS n');
-- Of an entity with a type, mentions without one say nothing.
SELECT relation, head_type, tail_type FROM mren.learn_relation_schema('SELECT 1 AS document, ''fact'' AS part, NULL AS entity, NULL AS type, ''a'' AS head, ''few'' AS relation, ''b'' AS tail
    UNION ALL SELECT 1, ''mention'', m.entity, m.type, NULL, NULL, NULL FROM (VALUES (''a'', NULL), (''a'', ''person''), (''b'', NULL)) AS m (entity, type)');
SELECT * FROM mren.learn_relation_schema('SELECT 1 AS document, ''fact'' AS part WHERE false');
SELECT error_of($$SELECT mren.learn_relation_schema('SELECT 1 AS document')$$);
SELECT error_of($$SELECT mren.learn_relation_schema('SELECT NULL AS document, ''fact'' AS part')$$);
SELECT error_of($$SELECT mren.learn_relation_schema(NULL)$$);
SELECT error_of($$SELECT mren.learn_relation_schema('SELECT 1 AS document, ''facts'' AS part')$$);
-- A query is one statement, also where it is read before it is prepared.
SELECT error_of(format('SELECT mren.%s', call)) FROM unnest('{learn_relation_schema(''''),learn_relation_schema(''--''),"learn_relation_schema(''TABLE gold; TABLE gold'')",
    learn_relation_schema(''gold''),"link_entities(''kg'', '''')","evaluate_graph(''kg'', '';'')"}'::text[]) AS call;
-- It is one that a graph takes.
CREATE TABLE learned AS SELECT * FROM mren.learn_relation_schema('TABLE gold');
SELECT mren.create_graph('learned', 'docs', 'parts', lexicons => '{world}', relation_schema => 'learned');
SELECT relation, head_type, tail_type, "symmetric", inverse_of FROM learned.relations ORDER BY 1, 2, 3;
-- What a graph names is dropped with a notice, since another of the same name serves it.
SET client_min_messages = notice;
BEGIN;
SELECT mren.create_graph('pinned', 'docs', 'parts', lexicons => '{world}', relation_schema => 'learned', options => '{"version": 1}');
SELECT mren.promote('parts', mren.import_model('parts', mren.export_model('parts')));
SELECT mren.drop_version('parts', 1);
SELECT mren.drop_model('parts');
SELECT mren.drop_lexicon('world');
ROLLBACK;
