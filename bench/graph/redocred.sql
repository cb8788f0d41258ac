-- Re-DocRED: a tagger and a relation model of the documents of the file but every fifth,
-- and what a graph makes of the others.  The tagger's mentions, not the given ones, are
-- what the graph reads.  With the part "train", those that follow every fifth are judged,
-- and every fifth is left out.
-- Variables: data, options, tagger_options, distance, graph_distance, share, part, n_train, n_judged.
\set redocred :data '/text/redocred/dev_revised.json'
CREATE TABLE part AS SELECT * FROM mren.read_docred(pg_read_file(:'redocred'));
CREATE INDEX ON part (document, part);
ANALYZE part;
CREATE TABLE documents AS
SELECT key, document, turn = CASE :'part' WHEN 'dev' THEN 0 ELSE 1 END AS is_dev
FROM (SELECT document AS key, text AS document, row_number() OVER (ORDER BY n) % 5 AS turn
      FROM mren.read_docred(pg_read_file(:'redocred')) WITH ORDINALITY AS t (document, part, text, type, entity, span, head, relation, tail, n)
      WHERE part = 'document') AS d
WHERE :'part' = 'dev' OR turn <> 0;
-- Fewer, if wanted.
DELETE FROM documents AS d
USING (SELECT key, row_number() OVER (PARTITION BY is_dev ORDER BY md5(key)) AS n FROM documents) AS o
WHERE o.key = d.key AND o.n > CASE WHEN d.is_dev THEN :n_judged ELSE :n_train END;
CREATE VIEW dev_documents AS SELECT key, document FROM documents WHERE is_dev;
CREATE TABLE gold AS SELECT p.* FROM part AS p JOIN dev_documents AS d ON d.key = p.document;

-- Mentions with their sentences.  Of overlapping ones the first, then the longest.
CREATE TABLE mention AS
SELECT DISTINCT ON (m.document, m.span) m.document, m.entity, m.type, m.span, s.span AS sentence
FROM part AS m JOIN part AS s ON s.document = m.document AND s.part = 'sentence' AND s.span @> m.span
WHERE m.part = 'mention' AND NOT EXISTS (
    SELECT FROM part AS o WHERE o.document = m.document AND o.part = 'mention' AND o.span && m.span
        AND (lower(o.span), -upper(o.span), o.entity) < (lower(m.span), -upper(m.span), m.entity))
ORDER BY m.document, m.span, m.entity;
CREATE INDEX ON mention (document);
ANALYZE mention, documents;
CREATE TABLE tagged AS
SELECT substr(d.document, lower(s.span) + 1, upper(s.span) - lower(s.span)) AS sentence, m.mentions, m.types
FROM documents AS d JOIN part AS s ON s.document = d.key AND s.part = 'sentence',
    LATERAL (SELECT coalesce(array_agg(int4range(lower(m.span) - lower(s.span), upper(m.span) - lower(s.span)) ORDER BY m.span), '{}') AS mentions,
                 coalesce(array_agg(m.type ORDER BY m.span), '{}') AS types
             FROM mention AS m WHERE m.document = d.key AND m.sentence = s.span) AS m
WHERE NOT d.is_dev AND NOT isempty(s.span);
CALL mren.train_tagger('names', 'SELECT * FROM tagged', :'tagger_options') \g /dev/null

-- The pairs of mentions that a graph reads, with all relations of their entities.  Of the pairs
-- without any, a share, which counts for all of them.
CREATE TABLE train AS
SELECT substr(d.document, p.first + 1, p.last - p.first) AS sentence, int4range(lower(h.span) - p.first, upper(h.span) - p.first) AS head,
    int4range(lower(t.span) - p.first, upper(t.span) - p.first) AS tail, h.type AS head_type, t.type AS tail_type,
    coalesce(f.relation, 'None') AS relation, CASE WHEN f.relation IS NULL THEN 1 / :share::real ELSE 1 END AS weight, d.key AS "group"
FROM documents AS d JOIN mention AS h ON h.document = d.key JOIN mention AS t ON t.document = d.key AND t.entity <> h.entity
LEFT JOIN part AS f ON f.document = d.key AND f.part = 'fact' AND f.head = h.entity AND f.tail = t.entity,
    LATERAL (SELECT least(lower(h.sentence), lower(t.sentence)) AS first, greatest(upper(h.sentence), upper(t.sentence)) AS last) AS p
WHERE NOT d.is_dev
  AND CASE WHEN :distance < 0 THEN h.sentence = t.sentence
      ELSE greatest(lower(h.span), lower(t.span)) - least(upper(h.span), upper(t.span)) <= :distance END
  AND (f.relation IS NOT NULL OR ('x' || left(md5(d.key || h.span || t.span), 8))::bit(32)::bigint % 1000 < 1000 * :share);
CREATE TABLE relation_schema AS
SELECT * FROM mren.learn_relation_schema('SELECT p.* FROM part AS p JOIN documents AS d ON d.key = p.document AND NOT d.is_dev');
SELECT format('%s documents, %s for training; %s rows, of which %s without a relation', count(*), count(*) FILTER (WHERE NOT is_dev),
    (SELECT count(*) FROM train), (SELECT count(*) FROM train WHERE relation = 'None')) FROM documents;
CALL mren.train('relations', 'SELECT * FROM train', '{"negative": "None", "decide": "f1"}'::jsonb || :'options') \g /dev/null
SELECT mren.create_graph('facts', 'dev_documents', 'relations', tagger => 'names', relation_schema => 'relation_schema',
    options => CASE WHEN :graph_distance < 0 THEN '{}' ELSE jsonb_build_object('max_distance', :graph_distance) END) \g /dev/null
