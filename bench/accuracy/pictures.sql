-- The image encoder, and pictures' vectors, each made once.
SELECT count(*) = 0 AS no_encoder FROM mren.image_encoders WHERE name = 'mobilenet' \gset
\if :no_encoder
\set encoder :data '/encoders/mobilenet_v2_1.0_224.onnx'
SELECT mren.load_image_encoder('mobilenet', pg_read_binary_file(:'encoder'), mean => '{127.5}', std => '{127.5}') \g /dev/null
CREATE TABLE bench.picture (name text, image bytea);
ALTER TABLE bench.picture SET (parallel_workers = 2);
CREATE FUNCTION bench.image_vectors(folder text, names text)
RETURNS TABLE (name text, image_vector real[]) LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE bench.picture;
    EXECUTE format('INSERT INTO bench.picture SELECT name, pg_read_binary_file(%L || name) FROM (%s) AS n (name)', folder, names);
    RETURN QUERY SELECT p.name, mren.image_features('mobilenet', p.image) FROM bench.picture AS p;
END
$$;
\endif
