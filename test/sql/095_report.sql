-- Pages about models and graphs: that they are well-formed whatever the data
-- contain, that their figures are those of the functions they stand for, and
-- who may see what.
SET client_min_messages = error;
\getenv srcdir PG_ABS_SRCDIR
\getenv files MREN_TEST_FILES
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql
\i :srcdir/include/graph.sql

-- A page parsed as XML: text that was not escaped would end an element or begin one.
CREATE FUNCTION texts(page text, path text) RETURNS SETOF text LANGUAGE sql AS
    $$SELECT btrim(x::text) FROM unnest(xpath(path, page::xml)) WITH ORDINALITY AS t (x, i) ORDER BY i$$;
CREATE FUNCTION check_page(page text) RETURNS TABLE (well_formed boolean, ascii boolean, script boolean, outside boolean) LANGUAGE sql AS
    $$SELECT xml_is_well_formed_document(page), page !~ '[^\x01-\x7f]', page ~* '<script', page ~* '(src|href)="(?!data:|#)'$$;

-- Every ninth row is labelled wrongly.
CREATE VIEW tried AS SELECT id, sentence, head, tail,
    CASE WHEN id % 9 = 3 THEN CASE relation WHEN 'none' THEN 'part_of' ELSE 'none' END ELSE relation END AS relation
FROM pairs WHERE id % 2 = 1;
CREATE TABLE page AS SELECT mren.report('parts', 'SELECT * FROM tried') AS html;
SELECT (check_page(html)).* FROM page;
SELECT texts(html, '//section/h2/text()') FROM page;
-- Metrics are those of mren.evaluate, and counts those of mren.confusion_matrix.
CREATE TABLE shown AS
SELECT (xpath('/tr/th/text()', r))[1]::text AS relation, (xpath('/tr/td[1]/text()', r))[1]::text AS "precision",
       (xpath('/tr/td[2]/text()', r))[1]::text AS recall, (xpath('/tr/td[3]/text()', r))[1]::text AS f1, (xpath('/tr/td[4]/text()', r))[1]::text AS support
FROM page, unnest(xpath('//section[@id="relations"]//tbody/tr', html::xml)) r;
SELECT count(*) AS differ FROM shown FULL JOIN (SELECT relation, to_char("precision", 'FM0.000') AS "precision", to_char(recall, 'FM0.000') AS recall,
    to_char(f1, 'FM0.000') AS f1, support::text AS support FROM mren.evaluate('parts', 'SELECT * FROM tried') WHERE relation <> 'accuracy') e
    USING (relation, "precision", recall, f1, support) WHERE shown IS NULL OR e IS NULL;
SELECT sum(x::int) = (SELECT count(*) FROM tried) AS every_row,
       count(*) = (SELECT count(*) FROM mren.confusion_matrix('parts', 'SELECT * FROM tried')) AS every_pair
FROM page, texts(html, '//section[@id="matrix"]//td/text()') x;
SELECT texts(html, '//div[@class="tile"][1]/b/text()') = to_char(f1, 'FM0.000') AS accuracy
FROM page, mren.evaluate('parts', 'SELECT * FROM tried') WHERE relation = 'accuracy';
SELECT texts(html, '//section[@id="calibration"]/p[2]/text()') ~ format('^Error %s .* Brier score %s, log loss %s',
    to_char(error, 'FM0.000'), to_char(brier, 'FM0.000'), to_char(log_loss, 'FM0.000')) AS calibration
FROM page, mren.calibration('parts', 'SELECT * FROM tried', bins => 10) WHERE bin IS NULL;
SELECT texts(html, '//section[@id="curve"]/p[2]/text()') ~ format('^Average precision %s', to_char(average_precision, 'FM0.000')) AS curve
FROM page, (SELECT average_precision FROM (SELECT array_agg(c.confidence) AS confidences, array_agg(c.relation = t.relation) AS correct,
                (SELECT count(*) FROM tried WHERE relation <> 'none') AS relevant
            FROM tried t, mren.classify('parts', sentence, head, tail) c WHERE c.relation <> 'none') l,
       mren.precision_recall(confidences, correct, relevant) ORDER BY rank DESC LIMIT 1) a;
-- The mistakes: the surest first, each word with what mren.explain says of it.
CREATE TABLE wrong AS SELECT t.*, c.relation AS predicted, c.confidence, row_number() OVER (ORDER BY c.confidence DESC, t.sentence COLLATE "C") AS n
FROM tried t, mren.classify('parts', sentence, head, tail) c WHERE c.relation <> t.relation;
SELECT count(*) AS mistakes, bool_and(p = format('%s, labelled %s', predicted, relation)) AS same
FROM wrong JOIN (SELECT row_number() OVER () AS n, concat((xpath('//b[1]/text()', v))[1], ', labelled ', (xpath('//b[2]/text()', v))[1]) AS p
    FROM page, unnest(xpath('//section[@id="mistakes"]//p[@class="verdict"]', html::xml)) v) s USING (n);
SELECT array_agg(t ORDER BY t) = (SELECT array_agg(to_char(contribution, 'SG0.000') ORDER BY to_char(contribution, 'SG0.000'))
                  FROM wrong, mren.explain('parts', sentence, head, tail) WHERE n = 1 AND modality IN ('word', 'head', 'tail')) AS words
FROM page, unnest(xpath('//section[@id="mistakes"]/div[1]//span/@title', html::xml)::text[]) t;
-- Not more than twelve, and none where there is none.
SELECT count(*) FROM texts(mren.report('parts', $$SELECT sentence, head, tail, 'part_of' AS relation FROM pairs$$), '//section[@id="mistakes"]/div');
SELECT texts(mren.report('parts', $$SELECT * FROM pairs WHERE relation = mren.predict('parts', sentence, head, tail)$$), '//section[@id="mistakes"]/p/text()');
-- The same rows in another order give the same page, but for the query.
SELECT replace(mren.report('parts', 'SELECT * FROM tried ORDER BY id DESC'), ' ORDER BY id DESC', '') = html AS same FROM page;

-- A page without rows; one of a version; warnings.
SELECT texts(mren.report('parts'), '//section/h2/text()');
CALL mren.train('parts', 'SELECT * FROM pairs', '{"negative": "none", "epochs": 2, "hidden": [4]}');
SELECT count(*) FROM texts(mren.report('parts', version => 2), '//section[@id="validation"]//polyline');
SELECT texts(mren.report('parts', version => 2), '//header/p[2]/text()');
SET client_min_messages = warning;
SELECT length(mren.report('parts', $$SELECT sentence, head, tail, 'x' AS relation FROM pairs LIMIT 3$$)) > 0 AS warned;
SELECT texts(mren.report('parts', 'SELECT * FROM pairs LIMIT 3'), '//main/section[not(@id)]//text()');
SELECT length(mren.report('parts', 'SELECT * FROM pairs LIMIT 3 --' || repeat('-', 5000))) > 5000 AS long_query;
SET client_min_messages = error;

-- A model that abstains, one without a negative relation, and rows that cannot be answered.
CALL mren.train('shy', 'SELECT * FROM pairs', '{"threshold": 1, "epochs": 2, "embeddings": "tiny"}');
CREATE TABLE shy AS SELECT mren.report('shy', $$SELECT CASE WHEN id < 9 THEN sentence END AS sentence, head, tail, relation FROM pairs$$) AS html;
SELECT (check_page(html)).*, count(*) AS unanswered FROM shy, texts(html, '//section[@id="matrix"]//th[.="other or no answer"]') GROUP BY html;
SELECT (check_page(mren.report('shy', 'SELECT NULL::text AS sentence, head, tail, relation FROM pairs'))).*;

-- Text of users in every place where there is one, hostile or in another script.
CREATE TABLE hostile AS
SELECT id, replace(sentence, ' is ', E' is </p><script>alert(1)</script> & \x01 ') || ' 北京 ' || chr(55203) || chr(150) || chr(65535) AS sentence, head, tail,
       CASE relation WHEN 'part_of' THEN '"><script>alert(2)</script>' WHEN 'kind_of' THEN '{{1}} & ''x'' – 关系' ELSE relation END AS relation,
       '<i>' AS head_type
FROM pairs;
CALL mren.train('<img src=x onerror=alert(3)>', $$SELECT sentence, head, tail, relation, head_type, '</pre><script>' AS junk FROM hostile$$, '{"negative": "none", "epochs": 2}');
CREATE TABLE hostile_page AS SELECT mren.report('<img src=x onerror=alert(3)>', $$SELECT '<' || id || '>' AS id, sentence, head, tail, head_type, '<b>' || relation AS relation FROM hostile$$) AS html;
SELECT (check_page(html)).* FROM hostile_page;
SELECT count(*) AS elements FROM hostile_page, texts(html, '//script|//img|//i[not(@style)]');
SELECT texts(html, '/html/head/title/text()|//h1/text()') FROM hostile_page;
SELECT x FROM hostile_page, texts(html, '//section[@id="relations"]//tbody//th/text()') x ORDER BY x COLLATE "C";
SELECT texts(html, '(//p[@class="s"])[1]//text()') FROM hostile_page;
-- A very long sentence is cut, at a character.
CREATE TABLE long AS SELECT mren.report('parts', $$SELECT repeat('雪 ', 5000) || sentence || repeat(' 雪', 5000) AS sentence, head, tail, 'x' AS relation FROM pairs LIMIT 1$$) AS html;
SELECT (check_page(html)).*, length(html) < 60000 AS short, count(*) AS mentions FROM long, texts(html, '//p[@class="s"]/sub') GROUP BY html;

-- Photographs: each with its map, one row for each image.
SELECT mren.load_image_encoder('colours', :'files' || '/encoder.onnx', mean => '{0}', std => '{255}');
CREATE TABLE painted AS
SELECT id, 'the thing beside the other' AS sentence, 'thing' AS head, 'other' AS tail, colour AS relation, pg_read_binary_file(:'files' || '/' || colour || '.png') AS image
FROM generate_series(1, 20) AS id, unnest('{red,blue}'::text[]) AS colour;
CALL mren.train('paint', 'SELECT * FROM painted', '{"epochs": 40, "validation_share": 0, "image_encoder": "colours", "embeddings": "tiny"}');
CREATE TABLE painted_page AS SELECT mren.report('paint', 'SELECT * FROM painted') AS html;
SELECT (check_page(html)).* FROM painted_page;
SELECT count(*), bool_and(x LIKE 'data:image/png;base64,iVBORw0KGgo%') AS png FROM painted_page, texts(html, '//section[@id="photographs"]//img/@src') x;
SELECT m.format, width, height FROM painted_page, texts(html, '//section[@id="photographs"]//img/@src') x, mren.image_info(decode(split_part(x, ',', 2), 'base64')) m;
SELECT texts(html, '//section[@id="training"]//dt[.="Image encoder"]/following-sibling::dd[1]/text()') FROM painted_page;

-- Errors.
SELECT error_of($$SELECT mren.report(NULL)$$);
SELECT error_of($$SELECT mren.report('nothing')$$);
SELECT error_of($$SELECT mren.report('parts', version => 9)$$);
SELECT error_of($$SELECT mren.report('parts', version => 0)$$);
SELECT error_of($$SELECT mren.report('parts', 'SELECT sentence, head, tail FROM pairs')$$);
SELECT error_of($$SELECT mren.report('parts', 'SELECT * FROM pairs WHERE false')$$);
SELECT error_of($$SELECT mren.report('parts', 'DELETE FROM pairs')$$);
SELECT error_of($$SELECT mren.report('parts', 'SELECT sentence, head, tail, NULL::text AS relation FROM pairs')$$);

-- A graph, of documents that are hostile as well.
CREATE TABLE docs AS SELECT * FROM (VALUES
    ('<1>', 'The wheel is a part of the car. The oak is a kind of tree. A dog is a kind of animal.'),
    ('2', 'The roof is a part of the car. The roof is a part of the house. The wheel is a part of the house </script><script>alert(4)</script>.'),
    ('3', 'The chair is a part of the house.')) AS t (key, document);
SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{world}', relation_schema => 'toy_relations', options => '{"version": 1}');
CALL mren.refresh_graph('kg');
UPDATE kg.relations SET functional = true WHERE relation = 'part_of';
INSERT INTO kg.aliases (alias, entity, entity_type) VALUES ('chair', '<script>alert(5)</script>', '"><svg onload=alert(6)>');
SELECT mren.merge_graph('kg') IS NOT NULL AS merged;
INSERT INTO kg.review (fact, verdict) SELECT fact, 'confirmed' FROM kg.facts WHERE head = 'oak';
CREATE TABLE graph_page AS SELECT mren.report_graph('kg') AS html;
SELECT (check_page(html)).* FROM graph_page;
SELECT texts(html, '//section/h2/text()') FROM graph_page;
SELECT texts(html, '//div[@class="tile"]/span[1]/text()') AS what, texts(html, '//div[@class="tile"]/b/text()') AS n FROM graph_page;
SELECT count(*) AS circles FROM graph_page, texts(html, '//*[local-name()="circle"]');
SELECT x FROM graph_page, texts(html, '//*[local-name()="path"]/*[local-name()="title"]/text()') x ORDER BY x COLLATE "C";
SELECT head, relation, tail FROM kg.facts ORDER BY head COLLATE "C";
SELECT array_agg(x ORDER BY x) = (SELECT array_agg(fact::text ORDER BY fact::text) FROM kg.facts WHERE NOT confirmed) AS unconfirmed
FROM graph_page, texts(html, '//section[@id="review"]//p[@class="verdict"]/code/text()') x;
SELECT count(*) = (SELECT count(*) FROM kg.conflicts) AS conflicts FROM graph_page, texts(html, '//section[@id="conflicts"]//tbody/tr');
SELECT mren.report_graph('kg') = html AS same FROM graph_page;
-- The drawing alone: well-formed, the same for any spelling or alias, of a size that the caller bounds.
CREATE TABLE drawn AS SELECT mren.draw_neighbourhood('kg', 'HOUSE') AS svg;
SELECT (xpath('namespace-uri(/*)', svg::xml))[1], xpath('string(/*/@aria-label)', svg::xml),
    cardinality(xpath('//*[local-name()="circle"]', svg::xml)) AS circles FROM drawn;
SELECT x FROM drawn, unnest(xpath('//*[local-name()="path"]/*[local-name()="title"]/text()', svg::xml)::text[]) x ORDER BY x COLLATE "C";
SELECT cardinality(xpath('//*[local-name()="path"]/*[local-name()="title"]', mren.draw_neighbourhood('kg', 'tree', 1)::xml)) AS lines;
SELECT mren.draw_neighbourhood('kg', 'chair') LIKE '%&#60;script&#62;%' OR mren.draw_neighbourhood('kg', 'chair') LIKE '%&lt;script&gt;%' AS by_alias;
SELECT mren.draw_neighbourhood('kg', 'nobody') IS NULL AS nobody, mren.draw_neighbourhood('kg', NULL) IS NULL AS unknown;
SELECT error_of($$SELECT mren.draw_neighbourhood('kg', 'house', 0)$$);
SELECT error_of($$SELECT mren.draw_neighbourhood('kg', 'house', 40)$$);
-- Nothing to show.
CREATE TABLE no_docs AS SELECT * FROM docs WHERE key = '0';
SELECT mren.create_graph('empty', 'no_docs', 'parts', lexicons => '{world}', relation_schema => 'toy_relations', options => '{"on_empty": "delete"}');
SELECT (check_page(mren.report_graph('empty'))).*;
SELECT texts(mren.report_graph('empty'), '//section/p/text()');
-- At most 40 entities are drawn: the hub, and 39 of its 45 neighbours, but none of theirs.
INSERT INTO empty.manual_facts (head, head_type, relation, tail, tail_type)
SELECT 'hub', 'part', 'part_of', 'rim ' || i, 'part' FROM generate_series(1, 45) i
UNION ALL SELECT 'rim ' || i, 'part', 'part_of', 'far ' || i, 'part' FROM generate_series(1, 45) i;
SELECT mren.merge_graph('empty') IS NOT NULL AS merged;
SELECT cardinality(xpath('//*[local-name()="circle"]', mren.draw_neighbourhood('empty', 'hub', 39)::xml)) AS circles;
SELECT error_of($$SELECT mren.report_graph('nothing')$$);
SELECT error_of($$SELECT mren.report_graph(NULL)$$);

-- Who may see what.
DROP ROLE IF EXISTS mren_reads, mren_stranger;
CREATE ROLE mren_reads;
CREATE ROLE mren_stranger;
GRANT SELECT ON tried TO mren_reads, mren_stranger;
SELECT mren.grant_model('parts', 'mren_reads', 'predict');
SET ROLE mren_stranger;
SELECT error_of($$SELECT mren.report('parts')$$);
SELECT error_of($$SELECT mren.report('parts', 'SELECT * FROM tried')$$);
SELECT error_of($$SELECT mren.report_graph('kg')$$);
SET ROLE mren_reads;
-- The query runs as the caller; training rows and runs are for those who may train.
SELECT error_of($$SELECT mren.report('parts', 'SELECT * FROM pairs')$$);
SELECT texts(mren.report('parts', 'SELECT * FROM tried', 1), '//section[@id="learning"]/p/text()');
SELECT texts(mren.report('parts', 'SELECT * FROM tried', 1), '//section[@id="training"]//h3/text()');
RESET ROLE;
GRANT USAGE ON SCHEMA kg TO mren_reads;
GRANT SELECT ON kg.documents, kg.entities, kg.facts, kg.conflicts TO mren_reads;
SET ROLE mren_reads;
SELECT error_of($$SELECT mren.report_graph('kg')$$);
RESET ROLE;
GRANT SELECT ON kg.evidence TO mren_reads;
GRANT SELECT ON graph_page TO mren_reads;
SET ROLE mren_reads;
SELECT mren.report_graph('kg') = html AS same FROM graph_page;
RESET ROLE;
SELECT mren.revoke_model('parts', 'mren_reads', 'predict');
DROP OWNED BY mren_reads, mren_stranger;
DROP ROLE mren_reads, mren_stranger;

-- The lines of a version's members are told apart by a sentence.
CALL mren.train('two', 'SELECT * FROM pairs', '{"epochs": 2, "ensemble": 2, "embeddings": "tiny"}');
SELECT mren.report('two') ~ 'The version has 2 members' AS two, mren.report('parts') ~ 'members' AS one;
