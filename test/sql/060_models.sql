-- A model's life: versions saved, deployed, taken back, dropped, moved.
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql

CREATE TABLE networks (seed int, network mren.network);
INSERT INTO networks SELECT 1, mren.train_agg(sentence, head, tail, relation, NULL::bytea,
    '{"embeddings": "tiny", "hidden": [4], "epochs": 2, "seed": 1}') FROM pairs;
INSERT INTO networks SELECT 2, mren.train_agg(sentence, head, tail, relation, NULL::bytea,
    '{"embeddings": "tiny", "hidden": [4], "epochs": 2, "seed": 2}') FROM pairs;
INSERT INTO networks SELECT 3, mren.train_agg(sentence, head, tail, relation, NULL::bytea,
    '{"embeddings": "tiny", "hidden": [4], "epochs": 2, "seed": 3}') FROM pairs;

-- The type: text and binary forms give the same value, and it tells what it is.
SELECT count(DISTINCT network::text) AS different, bool_and(network::text::mren.network::text = network::text) AS same
FROM networks;
SELECT encode(mren.network_send(network), 'hex') = substr(network::text, 3) AS binary_is_text FROM networks WHERE seed = 1;
SELECT i -> 'relations' AS relations, i -> 'negative' AS negative, i -> 'embedding_dimension' AS dimension,
       i -> 'image_dimension' AS image, i -> 'training_rows' AS rows, i -> 'options' -> 'hidden' AS hidden,
       i -> 'options' ->> 'embeddings' AS embeddings,
       i ->> 'embeddings_sha256' = (SELECT sha256 FROM mren.embeddings) AS right_embeddings
FROM networks, mren.network_info(network) AS i WHERE seed = 1;

-- The first version deploys itself, later ones do not.
SELECT mren.save_model('m', network) FROM networks ORDER BY seed;
SELECT model, version, deployed, owner = current_user AS mine, relations, training_rows, seconds, created_by = current_user AS by_me
FROM mren.models ORDER BY version;
SELECT v.version, v.sha256 = mren.network_info(n.network) ->> 'sha256' AS right_hash,
       v.options = mren.network_info(n.network) -> 'options' AS right_options,
       v.metrics IS NOT DISTINCT FROM nullif(mren.network_info(n.network) -> 'metrics', 'null') AS right_metrics
FROM mren.models v JOIN networks n ON n.seed = v.version ORDER BY 1;

-- Unless they say so.
SELECT mren.save_model('n', network) FROM networks WHERE seed = 1;
SELECT mren.save_model('n', mren.train_agg(sentence, head, tail, relation, NULL::bytea,
                                           '{"embeddings": "tiny", "hidden": [4], "epochs": 1, "deploy": true}'))
FROM pairs;
SELECT version, deployed FROM mren.models WHERE model = 'n' ORDER BY 1;

-- What is exported is what was saved, byte for byte, and comes back as it was.
SELECT version, encode(mren.export_model('m', version), 'hex') = substr(network::text, 3) AS same
FROM mren.models JOIN networks ON seed = version WHERE model = 'm' ORDER BY 1;
SELECT mren.export_model('m') = mren.export_model('m', 1) AS deployed_by_default;
SELECT mren.import_model('copy', mren.export_model('m', 3));
SELECT mren.export_model('copy') = mren.export_model('m', 3) AS same;
-- A file does not deploy itself over another version.
SELECT mren.import_model('copy', mren.export_model('n', 2));
SELECT version, deployed FROM mren.models WHERE model = 'copy' ORDER BY 1;

-- The weights are stored in parts far below the limit of a field; a layer of
-- 600 by 600 numbers has 1,440,000 bytes and two parts.
CREATE TABLE wide AS SELECT mren.train_agg(sentence, head, tail, relation, NULL::bytea,
    '{"embeddings": "tiny", "hidden": [600, 600], "epochs": 1}') AS network FROM pairs;
SELECT mren.save_model('wide', network) FROM wide;
SELECT max(length(data)) AS largest, count(DISTINCT tensor) > 3 AS by_tensor FROM mren.weight;
SELECT shape, array_agg(length(data) ORDER BY part) AS bytes FROM mren.weight WHERE shape = '{600,600}' GROUP BY 1;
SELECT encode(mren.export_model('wide'), 'hex') = substr(network::text, 3) AS same FROM wide;
SELECT mren.drop_model('wide');

-- Promote and roll back: a stack of deployments.
SELECT mren.promote('m', 2);
SELECT mren.promote('m', 3);
SELECT mren.promote('m', 3);    -- already deployed: changes nothing
SELECT mren.rollback('m');
SELECT mren.rollback('m');
SELECT error_of($$SELECT mren.rollback('m')$$);
SELECT mren.promote('m', 3);
SELECT mren.rollback('m');
SELECT version FROM mren.models WHERE model = 'm' AND deployed;

-- A version dropped between two deployments of another is no step of its own.
SELECT mren.promote('m', 2);
SELECT mren.promote('m', 1);
SELECT mren.promote('m', 3);
SELECT mren.drop_version('m', 2);
SELECT mren.rollback('m');
SELECT error_of($$SELECT mren.rollback('m')$$);

-- Numbers are not given twice.
SELECT mren.drop_version('m', 3);
SELECT mren.save_model('m', network) FROM networks WHERE seed = 2;
SELECT version, deployed FROM mren.models WHERE model = 'm' ORDER BY 1;

-- A rolled back transaction leaves nothing.
BEGIN;
SELECT mren.save_model('gone', network) FROM networks WHERE seed = 1;
SELECT mren.promote('m', 4);
ROLLBACK;
SELECT count(*) FROM mren.models WHERE model = 'gone';
SELECT version FROM mren.models WHERE model = 'm' AND deployed;

-- One statement that saves twice numbers twice.
SELECT mren.save_model('twice', network) AS a, mren.save_model('twice', network) AS b FROM networks WHERE seed = 1;

-- A dropped model is gone with its weights; its name is free again.
SELECT mren.drop_model('twice'), mren.drop_model('copy'), mren.drop_model('n');
SELECT count(*) AS orphans FROM mren.weight w
WHERE NOT EXISTS (SELECT FROM mren.model_version v WHERE v.id = w.version);
SELECT count(*) AS orphans FROM mren.deployment d WHERE NOT EXISTS (SELECT FROM mren.model m WHERE m.id = d.model);
SELECT mren.save_model('twice', network) FROM networks WHERE seed = 1;

-- Bad input.
SELECT error_of($$SELECT mren.save_model(NULL, network) FROM networks$$);
SELECT error_of($$SELECT mren.save_model('m', NULL)$$);
SELECT error_of($$SELECT mren.save_model('', network) FROM networks$$);
SELECT error_of($$SELECT mren.save_model(repeat('x', 256), network) FROM networks$$);
SELECT error_of($$SELECT mren.promote(NULL, 1)$$);
SELECT error_of($$SELECT mren.promote('m', NULL)$$);
SELECT error_of($$SELECT mren.promote('nosuch', 1)$$);
SELECT error_of($$SELECT mren.promote('m', 99)$$);
SELECT error_of($$SELECT mren.promote('m', 2)$$);
SELECT error_of($$SELECT mren.rollback(NULL)$$);
SELECT error_of($$SELECT mren.rollback('nosuch')$$);
SELECT error_of($$SELECT mren.drop_version('m', 1)$$);
SELECT error_of($$SELECT mren.drop_version('m', 3)$$);
SELECT error_of($$SELECT mren.drop_version(NULL, 1)$$);
SELECT error_of($$SELECT mren.drop_version('m', NULL)$$);
SELECT error_of($$SELECT mren.drop_model('nosuch')$$);
SELECT error_of($$SELECT mren.drop_model(NULL)$$);
SELECT error_of($$SELECT mren.export_model('nosuch')$$);
SELECT error_of($$SELECT mren.export_model('m', 3)$$);
SELECT error_of($$SELECT mren.export_model(NULL)$$);
SELECT error_of($$SELECT mren.import_model('x', NULL)$$);
SELECT error_of($$SELECT mren.import_model('x', 'a picture')$$);
SELECT error_of($$SELECT mren.import_model('x', '')$$);
SELECT error_of($$SELECT 'abc'::mren.network$$);
SELECT error_of($$SELECT ''::mren.network$$);
SELECT error_of($$SELECT '\x4d'::mren.network$$);
SELECT error_of($$SELECT '\x4d5'::mren.network$$);
SELECT error_of($$SELECT '\x4g'::mren.network$$);
-- Another format version says so.
SELECT error_of(format('SELECT %L::mren.network', '\x' || encode(set_byte(b, 8, 9), 'hex')))
FROM (SELECT decode(substr(network::text, 3), 'hex') AS b FROM networks WHERE seed = 1) AS t;

-- One bit turned at each of very many places, and the value cut short at as
-- many: an error every time.
SELECT left(e, 5) AS sqlstate, count(*) > 100 AS many
FROM (SELECT decode(substr(network::text, 3), 'hex') AS b FROM networks WHERE seed = 1) AS t,
     generate_series(12, length(b) - 1, length(b) / 199) AS i,
     error_of(format('SELECT %L::mren.network', '\x' || encode(set_byte(b, i, get_byte(b, i) # 16), 'hex'))) AS e
GROUP BY 1;
SELECT left(e, 5) AS sqlstate, count(*) > 100 AS many
FROM (SELECT decode(substr(network::text, 3), 'hex') AS b FROM networks WHERE seed = 1) AS t,
     generate_series(0, length(b) - 1, length(b) / 199) AS i,
     error_of(format('SELECT %L::mren.network', '\x' || encode(substr(b, 1, i), 'hex'))) AS e
GROUP BY 1;

-- Made on purpose, with a right checksum (XXH3 of all before it): what is behind
-- the checksum is not trusted either.
SELECT what, error_of(format('SELECT mren.import_model(%L, %L)', 'x', bytes))
FROM (VALUES
    (1, 'a length too many', '\x4d52454e4e4554570100000002000000ffffffff04000000000000007b7d6e657405b5c42a1c519b18'),
    (2, 'a length too few', '\x4d52454e4e4554570100000002000000ffffffff02000000000000007b7d6e657402f660c31844a03a'),
    (3, 'options cut short', '\x4d52454e4e4554570100000001000000ffffffff03000000000000007b6e65749f106c7766309a34'),
    (4, 'options that are an array', '\x4d52454e4e4554570100000002000000ffffffff03000000000000005b5d6e6574b7f245480e97f69e'),
    (5, 'metrics that are a number', '\x4d52454e4e45545701000000020000000100000003000000000000007b7d316e65749b5d2a43ddbe41a7'),
    (6, 'no network in it', '\x4d52454e4e45545701000000020000000200000003000000000000007b7d7b7d6e657467790b1bb8eb4d13'),
    (7, 'nothing in it', '\x4d52454e4e45545701000000020000000200000000000000000000007b7d7b7d5dea07a476b7dbb6'))
    AS t (i, what, bytes)
ORDER BY i;

-- A table that was damaged by hand says so, instead of answering.
BEGIN;
DELETE FROM mren.weight WHERE name = 'hidden1.bias';
SELECT error_of($$SELECT mren.export_model('m')$$);
ROLLBACK;
BEGIN;
UPDATE mren.weight SET data = substr(data, 5) WHERE name = 'hidden1.bias';
SELECT regexp_replace(error_of($$SELECT mren.export_model('m')$$), 'id \d+', 'id N');
ROLLBACK;
BEGIN;
UPDATE mren.weight SET data = decode('0000c07f', 'hex') || substr(data, 5) WHERE name = 'hidden1.bias';    -- a NaN
SELECT error_of($$SELECT mren.export_model('m')$$);
ROLLBACK;
BEGIN;
UPDATE mren.model_version SET head = set_byte(head, 100, 77);
SELECT error_of($$SELECT mren.export_model('m')$$);
ROLLBACK;
BEGIN;
UPDATE mren.model SET deployed = NULL;
SELECT error_of($$SELECT mren.export_model('m')$$);
ROLLBACK;

-- Embeddings that a model needs stay; a version without them is accepted, with
-- a warning, but neither promoted nor predicts until they are there.
SELECT error_of($$SELECT mren.drop_embeddings('tiny')$$);
SELECT mren.export_model('m') AS file \gset
SELECT mren.drop_model('m'), mren.drop_model('twice');
SELECT mren.drop_embeddings('tiny');
\set VERBOSITY terse
SELECT mren.import_model('m', :'file');
SELECT mren.import_model('m', :'file');
SELECT mren.promote('m', 2);
\set VERBOSITY default
SELECT error_of($$SELECT mren.predict('m', 'dog is a kind of animal', 'dog', 'animal')$$);

-- A read-only transaction says so.
BEGIN READ ONLY;
SELECT error_of($$SELECT mren.drop_model('m')$$);
SELECT error_of($$SELECT mren.promote('m', 1)$$);
SELECT error_of($$SELECT mren.rollback('m')$$);
SELECT error_of($$SELECT mren.drop_version('m', 1)$$);
SELECT error_of($$SELECT mren.save_model('m', network) FROM networks WHERE seed = 1$$);
SELECT error_of($$SELECT mren.import_model('m', mren.export_model('m'))$$);
SELECT error_of($$SELECT mren.grant_model('m', 'public', 'predict')$$);
SELECT mren.export_model('m', 1) = :'file' AS reading_works;
COMMIT;
