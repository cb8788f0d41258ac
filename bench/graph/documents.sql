-- The documents: every real sentence once before any is there twice; every second
-- document has another one behind it.
-- Variables: data, documents.
SET client_min_messages = warning;
CREATE EXTENSION mren;
\set redocred :data '/text/redocred/dev_revised.json'
\set fewrel :data '/text/fewrel/val_wiki.json'
\set semeval :data '/text/semeval2010_task8/TRAIN_FILE.TXT'
\set mnre :data '/text/mnre/mnre_train.txt'
CREATE TABLE sentences AS
SELECT row_number() OVER (ORDER BY md5(s.sentence)) - 1 AS i, s.sentence
FROM (SELECT array_to_string(ARRAY(SELECT jsonb_array_elements_text(words)), ' ') AS sentence
      FROM jsonb_array_elements(pg_read_file(:'redocred')::jsonb) AS document, jsonb_array_elements(document -> 'sents') AS words
      UNION SELECT sentence FROM mren.read_fewrel(pg_read_file(:'fewrel'))
      UNION SELECT sentence FROM mren.read_semeval(pg_read_file(:'semeval'))
      UNION SELECT r.sentence FROM string_to_table(pg_read_file(:'mnre'), E'\n') AS line, mren.read_mnre(line) AS r) AS s
WHERE s.sentence <> '';
CREATE UNIQUE INDEX ON sentences (i);

CREATE TABLE docs (key int PRIMARY KEY, document text NOT NULL, seen_at timestamptz NOT NULL);
INSERT INTO docs
SELECT k, a.sentence || CASE WHEN k % 2 = 0 THEN ' ' || b.sentence ELSE '' END, '2024-01-01'::timestamptz + k * interval '1 minute'
FROM generate_series(1, :documents) AS k, (SELECT count(*) AS n FROM sentences) AS c,
     LATERAL (SELECT sentence FROM sentences WHERE i = k % c.n) AS a,
     LATERAL (SELECT sentence FROM sentences WHERE i = (k::bigint * 7919) % c.n) AS b;
VACUUM ANALYZE docs;
SELECT format('%s documents, %s distinct sentences to choose from, %s characters a document', count(*), (SELECT count(*) FROM sentences), avg(length(document))::int) FROM docs;
