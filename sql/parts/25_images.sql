-- Images and the networks that turn them into vectors.

CREATE FUNCTION mren.load_image_encoder(name text, path text, output text DEFAULT NULL, mean real[] DEFAULT NULL, std real[] DEFAULT NULL)
RETURNS integer
AS 'MODULE_PATHNAME', 'mren_load_image_encoder'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.load_image_encoder(text, text, text, real[], real[]) IS
    'Loads an image network from an ONNX file of the server; returns the dimension of its feature vector. output: the tensor to read; mean and std: (x - mean) / std a channel in pixel units 0 to 255, by default ImageNet''s.';

CREATE FUNCTION mren.load_image_encoder(name text, contents bytea, output text DEFAULT NULL, mean real[] DEFAULT NULL, std real[] DEFAULT NULL)
RETURNS integer
AS 'MODULE_PATHNAME', 'mren_load_image_encoder_bytea'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.load_image_encoder(text, bytea, text, real[], real[]) IS
    'Loads an image network from the contents of an ONNX file; returns the dimension of its feature vector.';

CREATE FUNCTION mren.load_image_encoder(name text, large_object oid, output text DEFAULT NULL, mean real[] DEFAULT NULL, std real[] DEFAULT NULL)
RETURNS integer
AS 'MODULE_PATHNAME', 'mren_load_image_encoder_large_object'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.load_image_encoder(text, oid, text, real[], real[]) IS
    'Loads an image network from a large object that holds an ONNX file; returns the dimension of its feature vector.';

CREATE FUNCTION mren.drop_image_encoder(name text)
RETURNS void
AS 'MODULE_PATHNAME', 'mren_drop_image_encoder'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.drop_image_encoder(text) IS
    'Drops an image encoder; refused while a model needs it.';

CREATE FUNCTION mren.image_features(encoder text, image bytea)
RETURNS real[]
AS 'MODULE_PATHNAME', 'mren_image_features'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION mren.image_features(text, bytea) IS
    'The feature vector of a PNG or JPEG image under an image encoder: what image_vector arguments take.';

CREATE FUNCTION mren.image_info(image bytea, OUT format text, OUT width integer, OUT height integer, OUT channels integer)
AS 'MODULE_PATHNAME', 'mren_image_info_sql'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION mren.image_info(bytea) IS
    'Format, displayed size and stored channels of a PNG or JPEG image, from its header alone.';

CREATE VIEW mren.image_encoders AS
SELECT name, dimension, size, pg_catalog.encode(sha256, 'hex') AS sha256, loaded_at, output, mean, std, width, height, owner
FROM mren.encoder;
COMMENT ON VIEW mren.image_encoders IS
    'The image encoders that are loaded; size in bytes of the ONNX file.';
