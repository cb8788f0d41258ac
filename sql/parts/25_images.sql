-- Functions for images and for the encoders that compute their feature vectors.

CREATE FUNCTION mren.load_image_encoder(name text, path text, output text DEFAULT NULL, mean real[] DEFAULT NULL, std real[] DEFAULT NULL)
RETURNS integer
AS 'MODULE_PATHNAME', 'mren_load_image_encoder'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.load_image_encoder(text, text, text, real[], real[]) IS
    'Loads an image encoder from an ONNX file on the server and returns the dimension of its feature vector. output names the tensor to read; mean and std normalize each channel of a pixel (0 to 255) as (x - mean) / std, by default as ImageNet does.';

CREATE FUNCTION mren.load_image_encoder(name text, contents bytea, output text DEFAULT NULL, mean real[] DEFAULT NULL, std real[] DEFAULT NULL)
RETURNS integer
AS 'MODULE_PATHNAME', 'mren_load_image_encoder_bytea'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.load_image_encoder(text, bytea, text, real[], real[]) IS
    'Loads an image encoder from the contents of an ONNX file and returns the dimension of its feature vector. output names the tensor to read; mean and std normalize each channel of a pixel (0 to 255) as (x - mean) / std, by default as ImageNet does.';

CREATE FUNCTION mren.load_image_encoder(name text, large_object oid, output text DEFAULT NULL, mean real[] DEFAULT NULL, std real[] DEFAULT NULL)
RETURNS integer
AS 'MODULE_PATHNAME', 'mren_load_image_encoder_large_object'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.load_image_encoder(text, oid, text, real[], real[]) IS
    'Loads an image encoder from a large object that holds an ONNX file and returns the dimension of its feature vector. output names the tensor to read; mean and std normalize each channel of a pixel (0 to 255) as (x - mean) / std, by default as ImageNet does.';

CREATE FUNCTION mren.drop_image_encoder(name text)
RETURNS void
AS 'MODULE_PATHNAME', 'mren_drop_image_encoder'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.drop_image_encoder(text) IS
    'Drops an image encoder; this is an error while a model uses it.';

CREATE FUNCTION mren.image_features(encoder text, image bytea)
RETURNS real[]
AS 'MODULE_PATHNAME', 'mren_image_features'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION mren.image_features(text, bytea) IS
    'Returns the feature vector that an image encoder computes for a PNG or JPEG image, for use as an image_vector argument.';

CREATE FUNCTION mren.image_info(image bytea, OUT format text, OUT width integer, OUT height integer, OUT channels integer)
AS 'MODULE_PATHNAME', 'mren_image_info_sql'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION mren.image_info(bytea) IS
    'Returns the format, the size as displayed and the number of stored channels of a PNG or JPEG image, reading only its header.';

CREATE VIEW mren.image_encoders AS
SELECT name, dimension, size, pg_catalog.encode(sha256, 'hex') AS sha256, loaded_at, output, mean, std, width, height, owner
FROM mren.encoder;
COMMENT ON VIEW mren.image_encoders IS
    'Image encoders that are loaded; size is that of the ONNX file in bytes.';
