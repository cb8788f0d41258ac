-- CoNLL04: models trained on train, and a graph of the development documents.  A pair of types may
-- have the relations that it has in train.
-- Variables: data, options, tagger_options.
\set train :data '/text/conll04/conll04_train.json'
\set dev :data '/text/conll04/conll04_dev.json'
CREATE TABLE dev_documents AS
SELECT n::text AS key, array_to_string(ARRAY(SELECT jsonb_array_elements_text(document -> 'tokens')), ' ') AS document
FROM jsonb_array_elements(pg_read_file(:'dev')::jsonb) WITH ORDINALITY AS t (document, n);
-- An entity is a name and a type.
CREATE TABLE pair AS
SELECT d.key AS document, r.*, mren.normalize_name(substr(r.sentence, lower(r.head) + 1, upper(r.head) - lower(r.head))) || '/' || r.head_type AS head_entity,
    mren.normalize_name(substr(r.sentence, lower(r.tail) + 1, upper(r.tail) - lower(r.tail))) || '/' || r.tail_type AS tail_entity
FROM mren.read_conll04(pg_read_file(:'dev')) AS r JOIN dev_documents AS d ON d.document = r.sentence;
CREATE TABLE entity AS
SELECT document, name, row_number() OVER ()::int AS entity FROM (SELECT document, head_entity AS name FROM pair UNION SELECT document, tail_entity FROM pair) AS e;
CREATE TABLE gold AS
SELECT key AS document, 'document' AS part, document AS text, NULL AS type, NULL::int AS entity, NULL::int4range AS span,
    NULL::int AS head, NULL AS relation, NULL::int AS tail FROM dev_documents
UNION ALL SELECT key, 'sentence', NULL, NULL, NULL, int4range(0, length(document)), NULL, NULL, NULL FROM dev_documents
UNION ALL SELECT m.document, 'mention', NULL, m.type, e.entity, m.span, NULL, NULL, NULL
FROM (SELECT document, head_entity AS name, head_type AS type, head AS span FROM pair UNION SELECT document, tail_entity, tail_type, tail FROM pair) AS m
JOIN entity AS e USING (document, name)
UNION ALL SELECT DISTINCT p.document, 'fact', NULL, NULL, NULL::int, NULL::int4range, h.entity, p.relation, t.entity
FROM pair AS p JOIN entity AS h ON h.document = p.document AND h.name = p.head_entity JOIN entity AS t ON t.document = p.document AND t.name = p.tail_entity
WHERE p.relation <> 'None';
CREATE TABLE train AS SELECT * FROM mren.read_conll04(pg_read_file(:'train'));
CREATE TABLE tagged AS
SELECT ARRAY(SELECT jsonb_array_elements_text(document -> 'tokens')) AS tokens,
       ARRAY(SELECT jsonb_array_elements_text(document -> 'tags')) AS tags
FROM jsonb_array_elements(pg_read_file(:'train')::jsonb) AS document;
CREATE TABLE relation_schema AS SELECT DISTINCT relation, head_type, tail_type FROM train WHERE relation <> 'None';
CALL mren.train_tagger('names', 'SELECT * FROM tagged', :'tagger_options') \g /dev/null
CALL mren.train('relations', 'SELECT * FROM train', '{"negative": "None", "decide": "f1"}'::jsonb || :'options') \g /dev/null
SELECT mren.create_graph('facts', 'dev_documents', 'relations', tagger => 'names', relation_schema => 'relation_schema') \g /dev/null
