-- The text-only member: a network without images, mixed in with a weight fitted on validation rows.
\getenv srcdir PG_ABS_SRCDIR
\getenv files MREN_TEST_FILES
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql
\set encoder :files '/encoder.onnx'
\set red :files '/red.png'
SELECT mren.load_image_encoder('tiny', :'encoder', mean => '{0}', std => '{255}') > 0 AS loaded;
SELECT cardinality(mren.image_features('tiny', pg_read_binary_file(:'red'))) AS features \gset
SET client_min_messages = warning;      -- an epoch's notice has times in it

-- The relation is in the text; the image is noise, different in each row.
CREATE TABLE noisy AS
SELECT id, sentence, head, tail, relation,
       ARRAY(SELECT (hashint8extended(id, j) % 1000)::real / 500 FROM generate_series(1, :features) AS j)::real[] AS image_vector
FROM pairs;
\set options '{"epochs": 12, "negative": "none", "validation_share": 0.3, "hash_bits": 0}'

CALL mren.train('mixed', 'SELECT * FROM noisy', :'options');
CALL mren.train('single', 'SELECT * FROM noisy', jsonb :'options' || '{"text_only_member": false}');
SELECT m.model, m.options -> 'text_only_member' AS option, (m.metrics ->> 'multimodal_share')::float < 1 AS text_counts,
       i -> 'members' AS members, i -> 'text_only_member' AS member
FROM mren.models m, mren.network_info(mren.export_model(m.model)::text::mren.network) AS i WHERE m.model IN ('mixed', 'single') ORDER BY 1;

-- The text-only member has no weights for images.
SELECT w.name ~ '^blind/' AS text_only, bool_or(w.name ~ 'image') AS reads_images, count(*) > 3 AS has_layers
FROM mren.weight w JOIN mren.model_version v ON v.id = w.version JOIN mren.model m ON m.id = v.model
WHERE m.name = 'mixed' AND w.part = 0 GROUP BY 1 ORDER BY 1;

-- With it, a different image changes the answers less.
CREATE FUNCTION change(model text) RETURNS float8 LANGUAGE sql AS $$
    SELECT avg(abs(a.confidence - b.confidence) + (a.relation <> b.relation)::int)
    FROM mren.predict_rows(model, 'SELECT * FROM noisy') AS a
    JOIN mren.predict_rows(model, 'SELECT id, sentence, head, tail, (SELECT m.image_vector FROM noisy m WHERE m.id = noisy.id % 7 + 100) AS image_vector FROM noisy') AS b USING (id)
$$;
SELECT change('mixed') < change('single') AS less;

-- Bit for bit the same: a row alone and in a batch, CALL and the aggregate, a model and its exported copy.
SELECT bool_and(r.relation = c.relation AND r.confidence = c.confidence) AS alone_as_in_a_batch
FROM mren.predict_rows('mixed', 'SELECT * FROM noisy') AS r JOIN noisy n ON n.id::text = r.id,
     mren.classify('mixed', n.sentence, n.head, n.tail, image_vector => n.image_vector) AS c;
SELECT mren.save_model('mixed', mren.train_agg(sentence, head, tail, relation, NULL, jsonb_build_object('image_vector', image_vector), :'options' ORDER BY md5(sentence))) FROM noisy;
SELECT mren.import_model('copy', mren.export_model('mixed')) AS version;
SELECT count(DISTINCT sha256) AS different FROM mren.models WHERE model IN ('mixed', 'copy');

-- Without validation rows there is no weight to fit.
CALL mren.train('unsure', 'SELECT * FROM noisy', '{"epochs": 2, "validation_share": 0}');
SELECT metrics ? 'multimodal_share' AS mixed FROM mren.models WHERE model = 'unsure';
SELECT error_of($$CALL mren.train('no', 'SELECT * FROM noisy', '{"text_only_member": 1}')$$);
