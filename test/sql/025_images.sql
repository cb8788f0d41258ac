-- Pictures and image encoders.
\getenv srcdir PG_ABS_SRCDIR
\getenv files MREN_TEST_FILES
\i :srcdir/include/errors.sql
\set red :files '/red.png'
\set blue :files '/blue.png'
\set truncated :files '/truncated.png'
\set encoder :files '/encoder.onnx'
CREATE TABLE pictures AS
SELECT 'red' AS name, pg_read_binary_file(:'red') AS image
UNION ALL SELECT 'blue', pg_read_binary_file(:'blue')
UNION ALL SELECT 'truncated', pg_read_binary_file(:'truncated')
-- 50,000 x 50,000 pixels, says the header of 300 kB
UNION ALL SELECT 'huge', '\x89504e470d0a1a0a0000000d494844520000c3500000c3500802000000c4cdaa9d'::bytea || decode(repeat('00', 300000), 'hex')
UNION ALL SELECT 'gif', convert_to('GIF89a', 'UTF8') || '\x0800080000000000'::bytea
UNION ALL SELECT 'text', convert_to('no picture at all', 'UTF8')
UNION ALL SELECT 'empty', ''::bytea;

-- The header alone tells what a picture is.
SELECT name, i.* FROM pictures, mren.image_info(image) AS i WHERE name IN ('red', 'blue', 'truncated', 'huge') ORDER BY name;
SELECT mren.image_info(NULL);
SELECT name, error_of(format('SELECT mren.image_info(%L::bytea)', image)) FROM pictures WHERE name IN ('gif', 'text', 'empty') ORDER BY name;

-- An encoder, with its normalization; its vectors can be worked out by hand:
-- (mean of the channels, red - 0.5) of normalized pixels.
SELECT mren.load_image_encoder('plain', :'encoder', mean => '{0}', std => '{255}');
SELECT mren.load_image_encoder('shifted', pg_read_binary_file(:'encoder'), mean => '{255, 0, 0}', std => '{255, 255, 255}');
SELECT mren.load_image_encoder('grid', pg_read_binary_file(:'encoder'), output => 'positive', mean => '{0}', std => '{255}');
SELECT name, dimension, size, output, mean, std, width, height FROM mren.image_encoders ORDER BY name;
SELECT name, encoder, array_agg(round(x::numeric, 4) ORDER BY i) AS features
FROM pictures, unnest('{plain,shifted}'::text[]) AS encoder, unnest(mren.image_features(encoder, image)) WITH ORDINALITY AS f (x, i)
WHERE name IN ('red', 'blue') GROUP BY 1, 2 ORDER BY 1, 2;
SELECT cardinality(mren.image_features('grid', image)) AS grid FROM pictures WHERE name = 'red';
SELECT mren.image_features('plain', NULL);
SELECT lo_from_bytea(0, pg_read_binary_file(:'encoder')) AS object \gset
SELECT mren.load_image_encoder('object', :object::oid);
SELECT lo_unlink(:object);
-- The same picture again gives the same vector, from the cache or not.
SELECT count(DISTINCT mren.image_features('plain', image)) FROM pictures, generate_series(1, 3) WHERE name = 'red';

-- Pictures that cannot be read, or may not.
SELECT name, error_of(format('SELECT mren.image_features(''plain'', %L::bytea)', image))
FROM pictures WHERE name NOT IN ('red', 'blue') ORDER BY name;
SET mren.max_image_width = 4;
SELECT error_of(format('SELECT mren.image_features(''grid'', %L::bytea)', image)) FROM pictures WHERE name = 'blue';
RESET mren.max_image_width;

-- Files that are not networks.
SELECT error_of($$SELECT mren.load_image_encoder('bad', convert_to('just some text in a file', 'UTF8'))$$);
SELECT error_of($$SELECT mren.load_image_encoder('bad', ''::bytea)$$);
SELECT error_of(format('SELECT mren.load_image_encoder(''bad'', substr(%L::bytea, 1, 200))', pg_read_binary_file(:'encoder')));
SELECT error_of(format('SELECT mren.load_image_encoder(''bad'', %L::bytea, output => ''nothing'')', pg_read_binary_file(:'encoder')));
-- 0000003f is 0.5 in the bias: made NaN.
SELECT error_of(format('SELECT mren.load_image_encoder(''bad'', decode(replace(encode(%L::bytea, ''hex''), ''000000bf'', ''0000c07f''), ''hex''))',
                       pg_read_binary_file(:'encoder')));
-- Bytes of the file's name of an operator.
SELECT error_of(format('SELECT mren.load_image_encoder(''bad'', decode(replace(encode(%L::bytea, ''hex''), encode(''Relu'', ''hex''), encode(''Rela'', ''hex'')), ''hex''))',
                       pg_read_binary_file(:'encoder')));

-- Arguments.
SELECT error_of(format('SELECT mren.load_image_encoder(''plain'', %L::bytea)', pg_read_binary_file(:'encoder')));
SELECT error_of(format('SELECT mren.load_image_encoder(''bad'', %L::bytea, mean => ''{1,2}'')', pg_read_binary_file(:'encoder')));
SELECT error_of(format('SELECT mren.load_image_encoder(''bad'', %L::bytea, std => ''{1,0,1}'')', pg_read_binary_file(:'encoder')));
SELECT error_of(format('SELECT mren.load_image_encoder(''bad'', %L::bytea, std => ''{1,NULL,1}'')', pg_read_binary_file(:'encoder')));
SELECT error_of(format('SELECT mren.load_image_encoder(''bad'', %L::bytea, mean => ''{NaN}'')', pg_read_binary_file(:'encoder')));
SELECT error_of($$SELECT mren.load_image_encoder('bad', '/nowhere/at/all')$$);
SELECT error_of($$SELECT mren.image_features('none', ''::bytea)$$);
SELECT error_of($$SELECT mren.image_features(NULL, ''::bytea)$$);

-- A rolled back encoder was never there.
BEGIN;
SELECT mren.load_image_encoder('gone', pg_read_binary_file(:'encoder'), std => '{1}');
SELECT mren.image_features('gone', image) IS NOT NULL AS there FROM pictures WHERE name = 'red';
ROLLBACK;
SELECT error_of($$SELECT mren.image_features('gone', ''::bytea)$$);
SELECT mren.drop_image_encoder('object'), mren.drop_image_encoder('grid');
SELECT error_of($$SELECT mren.drop_image_encoder('grid')$$);
SELECT count(*) FROM mren.encoder_part p LEFT JOIN mren.encoder e ON e.id = p.encoder WHERE e.id IS NULL;
