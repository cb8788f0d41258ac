-- What a database has, with the hashes of the views that it is read from.
SET client_min_messages = error;
\getenv srcdir PG_ABS_SRCDIR
\getenv files MREN_TEST_FILES
\i :srcdir/include/tiny.sql
SELECT mren.load_image_encoder('colours', :'files' || '/encoder.onnx', mean => '{0}', std => '{255}');
SELECT mren.load_lexicon('things', $$SELECT * FROM (VALUES ('wheel', 'part'), ('car', 'whole')) AS t (phrase, type)$$);
CALL mren.train('parts', 'SELECT * FROM pairs', '{"epochs": 1, "validation_share": 0, "embeddings": "tiny"}');
CALL mren.train('parts', 'SELECT * FROM pairs', '{"epochs": 2, "validation_share": 0, "embeddings": "tiny"}');

SELECT kind, name, version, deployed, sha256 ~ '^[0-9a-f]{64}$' AS hashed FROM mren.resources ORDER BY kind COLLATE "C", name COLLATE "C", version;
SELECT r.sha256 = m.sha256 AS same FROM mren.resources r JOIN mren.models m ON m.model = r.name AND m.version = r.version ORDER BY r.version;

-- Another role sees what everybody may, and the models that it may use.
CREATE ROLE mren_reads;
SET ROLE mren_reads;
SELECT kind, name, version FROM mren.resources ORDER BY kind COLLATE "C", name COLLATE "C", version;
RESET ROLE;
SELECT mren.grant_model('parts', 'mren_reads', 'predict');
SET ROLE mren_reads;
SELECT count(*) FROM mren.resources WHERE kind = 'model';
RESET ROLE;
DROP OWNED BY mren_reads;
DROP ROLE mren_reads;

-- Rows that another database has sent as JSON: what only one of the two has.
CREATE TABLE other AS SELECT json_agg(CASE kind WHEN 'lexicon' THEN jsonb_set(to_jsonb(r), '{sha256}', '"00"') ELSE to_jsonb(r) END) AS rows
FROM mren.resources r WHERE kind <> 'image encoder';
WITH copies AS (
    SELECT 'here' AS node, r.* FROM mren.resources r
    UNION ALL
    SELECT 'there', r.* FROM other, json_populate_recordset(NULL::mren.resources, rows) r)
SELECT kind, name, version, array_agg(node) AS only_on FROM copies GROUP BY kind, name, version, deployed, sha256 HAVING count(*) < 2
ORDER BY kind COLLATE "C", only_on;
