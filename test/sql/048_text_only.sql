-- A gate for pictures: a member that never sees them, counting as much as validation says.
\getenv srcdir PG_ABS_SRCDIR
\getenv files MREN_TEST_FILES
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql
\set encoder :files '/encoder.onnx'
\set red :files '/red.png'
SELECT mren.load_image_encoder('tiny', :'encoder', mean => '{0}', std => '{255}') > 0 AS loaded;
SELECT cardinality(mren.image_features('tiny', pg_read_binary_file(:'red'))) AS features \gset
SET client_min_messages = warning;      -- an epoch's notice has times in it

-- The relation is in the text; the picture is noise, another for each row.
CREATE TABLE noisy AS
SELECT id, sentence, head, tail, relation,
       ARRAY(SELECT (hashint8extended(id, j) % 1000)::real / 500 FROM generate_series(1, :features) AS j)::real[] AS image_vector
FROM pairs;
\set options '{"epochs": 12, "negative": "none", "validation_share": 0.3, "hash_bits": 0}'

CALL mren.train('gated', 'SELECT * FROM noisy', :'options');
CALL mren.train('open', 'SELECT * FROM noisy', jsonb :'options' || '{"text_only_member": false}');
SELECT m.model, m.options -> 'text_only_member' AS gate, (m.metrics ->> 'image_share')::float < 1 AS text_counts,
       i -> 'members' AS members, i -> 'text_only_member' AS blind
FROM mren.models m, mren.network_info(mren.export_model(m.model)::text::mren.network) AS i WHERE m.model IN ('gated', 'open') ORDER BY 1;

-- The member is a network of the text alone: it has no weights for a picture.
SELECT w.name ~ '^blind/' AS blind, bool_or(w.name ~ 'image') AS sees, count(*) > 3 AS has_layers
FROM mren.weight w JOIN mren.model_version v ON v.id = w.version JOIN mren.model m ON m.id = v.model
WHERE m.name = 'gated' AND w.part = 0 GROUP BY 1 ORDER BY 1;

-- Another picture moves its answers less.
CREATE FUNCTION moved(model text) RETURNS float8 LANGUAGE sql AS $$
    SELECT avg(abs(a.confidence - b.confidence) + (a.relation <> b.relation)::int)
    FROM mren.predict_rows(model, 'SELECT * FROM noisy') AS a
    JOIN mren.predict_rows(model, 'SELECT id, sentence, head, tail, (SELECT m.image_vector FROM noisy m WHERE m.id = noisy.id % 7 + 100) AS image_vector FROM noisy') AS b USING (id)
$$;
SELECT moved('gated') < moved('open') AS less;

-- A row alone and in a batch; by CALL and by the aggregate; moved to another model: the same to the last bit.
SELECT bool_and(r.relation = c.relation AND r.confidence = c.confidence) AS alone_as_in_a_batch
FROM mren.predict_rows('gated', 'SELECT * FROM noisy') AS r JOIN noisy n ON n.id::text = r.id,
     mren.classify('gated', n.sentence, n.head, n.tail, image_vector => n.image_vector) AS c;
SELECT mren.save_model('gated', mren.train_agg(sentence, head, tail, relation, NULL, jsonb_build_object('image_vector', image_vector), :'options' ORDER BY md5(sentence))) FROM noisy;
SELECT mren.import_model('copy', mren.export_model('gated')) AS version;
SELECT count(DISTINCT sha256) AS different FROM mren.models WHERE model IN ('gated', 'copy');

-- Without validation there is nothing to weigh by.
CALL mren.train('unsure', 'SELECT * FROM noisy', '{"epochs": 2, "validation_share": 0}');
SELECT metrics ? 'image_share' AS gated FROM mren.models WHERE model = 'unsure';
SELECT error_of($$CALL mren.train('no', 'SELECT * FROM noisy', '{"text_only_member": 1}')$$);
