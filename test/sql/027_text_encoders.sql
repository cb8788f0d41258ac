-- Loading, listing and dropping pretrained text encoders.
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\set ECHO none
\i :srcdir/include/text_encoder.sql
\set ECHO all

-- The same encoder, whatever its exporter called the tensors and the folder is.
SELECT mren.load_text_encoder('tiny', tiny_encoder());
SELECT mren.load_text_encoder('prefixed', tiny_encoder('a_package/model/', weights => tiny_weights('bert.')));
SELECT mren.load_text_encoder('other', tiny_encoder(weights => tiny_weights(number => 1)));
SELECT lo_from_bytea(0, tiny_encoder()) AS object \gset
SELECT mren.load_text_encoder('object', :object::oid);
SELECT lo_unlink(:object);
SELECT name, dimension, architecture, layers, heads, parameters, positions, vocabulary, tokenizer, owner = current_user AS own,
    dense_rank() OVER (ORDER BY sha256 = (SELECT sha256 FROM mren.text_encoders WHERE name = 'tiny')) AS content
FROM mren.text_encoders ORDER BY name;
-- What is stored is named by its hash, and has the size that is shown.
SELECT count(*) FROM mren.text_encoder e, LATERAL (SELECT string_agg(bytes, ''::bytea ORDER BY part) AS bytes FROM mren.text_encoder_part p WHERE p.encoder = e.id) s
WHERE length(s.bytes) = e.size AND sha256(s.bytes) = e.sha256;

-- The pieces of a sentence: special tokens typed in it are text, and characters that no piece has are unknown.
SELECT * FROM mren.tokens('tiny', 'A bc, b  é[SEP]');
SELECT * FROM mren.tokens('tiny', '');
SELECT * FROM mren.tokens('tiny', NULL);
-- Byte-level BPE: a space belongs to the word behind it; Unigram: what is unknown in a row is one piece.
SELECT mren.load_text_encoder('bytes', tiny_encoder(tokenizer => '{"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false},
    "post_processor": {"type": "ByteLevel", "add_prefix_space": false},
    "model": {"type": "BPE", "vocab": {"\u0120": 0, "a": 1, "b": 2, "\u0120a": 3, "\u00c3": 4, "\u00a9": 5}, "merges": ["\u0120 a"]}}'));
SELECT * FROM mren.tokens('bytes', 'a ab éb');
SELECT mren.load_text_encoder('pieces', tiny_encoder(tokenizer => '{"normalizer": {"type": "NFKC"},
    "pre_tokenizer": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always"},
    "model": {"type": "Unigram", "unk_id": 0, "vocab": [["?", 0], ["\u2581", -2], ["\u2581a", -1], ["b", -1], ["ab", -3]]}}'));
SELECT * FROM mren.tokens('pieces', 'ab ｂxy');
SELECT mren.drop_text_encoder(name) FROM unnest('{bytes,pieces}'::text[]) AS name;
-- Vectors: the first piece's, and the mean of all, which the spaces do not change; long sentences are read in windows, of which the first decides the first piece's.
SELECT pooling, array_agg(round(x::numeric, 4) ORDER BY i) AS vector FROM unnest('{mean,cls}'::text[]) pooling, unnest(mren.text_features('tiny', 'a bc', pooling)) WITH ORDINALITY AS f (x, i)
GROUP BY pooling ORDER BY pooling;
SELECT mren.text_features('tiny', ' a  bc', pooling => 'mean') = mren.text_features('tiny', 'A bc') AS same;
SELECT mren.text_features('tiny', 'a bc b a b a a', 'cls') = mren.text_features('tiny', 'a bc b', 'cls') AS first,
    mren.text_features('tiny', 'a bc b a b a a') = mren.text_features('tiny', 'a bc b') AS mean;
SELECT cardinality(mren.text_features('tiny', '')) AS empty, mren.text_features('tiny', NULL) IS NULL AS sentence,
    mren.text_features(NULL, 'a') IS NULL AS encoder, mren.text_features('tiny', 'a', NULL) IS NULL AS pooling;
SELECT error_of($$SELECT mren.text_features('tiny', 'a', 'max')$$);
SELECT error_of($$SELECT mren.text_features('none', 'a')$$);
SELECT error_of($$SELECT * FROM mren.tokens('none', 'a')$$);

-- What is wrong is named.
SELECT error_of($$SELECT mren.load_text_encoder('tiny', tiny_encoder())$$);
SELECT error_of($$SELECT mren.load_text_encoder('pool', tiny_encoder())$$);
SELECT error_of($$SELECT mren.load_text_encoder('conv', tiny_encoder())$$);
SELECT error_of($$SELECT mren.load_text_encoder('', tiny_encoder())$$);
SELECT error_of($$SELECT mren.load_text_encoder(NULL, tiny_encoder())$$);
SELECT error_of($$SELECT mren.load_text_encoder('bad', NULL::bytea)$$);
SELECT error_of($$SELECT mren.load_text_encoder('bad', '/nowhere/at/all')$$);
SELECT error_of($$SELECT mren.load_text_encoder('bad', ''::bytea)$$);
SELECT error_of($$SELECT mren.load_text_encoder('bad', convert_to('just some text in a file', 'UTF8'))$$);
SELECT error_of($$SELECT mren.load_text_encoder('bad', substr(tiny_encoder(), 1, 2048))$$);
SELECT error_of($$SELECT mren.load_text_encoder('bad', substr(tiny_encoder(), 1025))$$);
SELECT error_of($$SELECT mren.load_text_encoder('bad', substr(tiny_encoder('a/'), 1, length(tiny_encoder('a/')) - 1024) || tiny_encoder('b/'))$$);
SELECT error_of($$SELECT mren.load_text_encoder('bad', tiny_encoder(extra => '{"model_type": "gpt2"}'))$$);
SELECT error_of($$SELECT mren.load_text_encoder('bad', tiny_encoder(extra => '{"hidden_act": "selu"}'))$$);
SELECT error_of($$SELECT mren.load_text_encoder('bad', tiny_encoder(extra => '{"position_embedding_type": "relative_key"}'))$$);
SELECT error_of($$SELECT mren.load_text_encoder('bad', tiny_encoder(extra => '{"num_attention_heads": 3}'))$$);
SELECT error_of($$SELECT mren.load_text_encoder('bad', tiny_encoder(extra => '{"vocab_size": 9}'))$$);
SELECT error_of($$SELECT mren.load_text_encoder('bad', tiny_encoder(extra => '{"num_hidden_layers": 2}'))$$);
SELECT error_of($$SELECT mren.load_text_encoder('bad', tiny_encoder(weights => tiny_weights(without => 11)))$$);
SELECT error_of($$SELECT mren.load_text_encoder('bad', tiny_encoder(weights => tiny_weights(number => 'NaN')))$$);
SELECT error_of($$SELECT mren.load_text_encoder('bad', tiny_encoder(weights => tiny_weights() || '\x00'))$$);
SELECT error_of($$SELECT mren.load_text_encoder('bad', tiny_encoder(weights => convert_to('version https://git-lfs.github.com/spec/v1', 'UTF8')))$$);
SELECT error_of($$SELECT mren.load_text_encoder('bad', tiny_encoder(vocab => E'[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n##c\nd\n'))$$);
SELECT error_of($$SELECT mren.load_text_encoder('bad', tiny_encoder(vocab => E'a\nb\n'))$$);
SELECT error_of($$SELECT mren.load_text_encoder('bad', tiny_encoder(tokenizer => '{"pre_tokenizer": {"type": "Split"}, "model": {"type": "WordLevel", "vocab": {"a": 0}}}'))$$);
SELECT error_of($$SELECT mren.load_text_encoder('bad', tiny_encoder(tokenizer => '{"pre_tokenizer": {"type": "Split"}, "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}'))$$);
SELECT error_of($$SELECT mren.load_text_encoder('bad', tiny_encoder(tokenizer => '{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a b"]}}'))$$);
SELECT error_of($$SELECT mren.load_text_encoder('bad', tiny_encoder(tokenizer => '{"model": {"type": "Unigram", "unk_id": 5, "vocab": [["a", 0]]}}'))$$);
SET mren.max_encoder_memory = '64kB';
SELECT error_of($$SELECT mren.load_text_encoder('bad', tiny_encoder(weights => tiny_weights() || decode(repeat('00', 100000), 'hex')))$$);
RESET mren.max_encoder_memory;
SELECT count(*) FROM mren.text_encoders;

-- One that a model needs is kept, under one of its names.
INSERT INTO mren.model (id, name, owner, last_version, created_at) VALUES (1, 'user', current_user, 1, now());
INSERT INTO mren.model_version (id, model, version, created_at, created_by, head, sha256, relations, options, training_rows, text_encoder)
SELECT 1, 1, 1, now(), current_user, '', '', '{}', '{}', 0, sha256 FROM mren.text_encoder WHERE name = 'other';
SELECT error_of($$SELECT mren.drop_text_encoder('other')$$);
SELECT mren.load_text_encoder('copy', tiny_encoder(weights => tiny_weights(number => 1)));
SELECT mren.drop_text_encoder('other');
SELECT error_of($$SELECT mren.drop_text_encoder('copy')$$);
SELECT mren.drop_text_encoder('tiny'), mren.drop_text_encoder('object'), mren.drop_text_encoder('prefixed');
DELETE FROM mren.model_version;
DELETE FROM mren.model;
SELECT mren.drop_text_encoder('copy');
SELECT error_of($$SELECT mren.drop_text_encoder('copy')$$);
SELECT error_of($$SELECT mren.drop_text_encoder(NULL)$$);
SELECT (SELECT count(*) FROM mren.text_encoder), (SELECT count(*) FROM mren.text_encoder_part);

-- Privileges.
CREATE ROLE text_loader;
CREATE ROLE text_other;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA mren, public TO text_loader, text_other;
GRANT SELECT ON tiny_tensor TO text_loader;
SET ROLE text_loader;
SELECT error_of($$SELECT mren.load_text_encoder('mine', '/etc')$$);
SELECT mren.load_text_encoder('mine', tiny_encoder());
SET ROLE text_other;
SELECT name, owner FROM mren.text_encoders;
SELECT error_of($$SELECT mren.drop_text_encoder('mine')$$);
SET ROLE text_loader;
SELECT mren.drop_text_encoder('mine');
RESET ROLE;
DROP OWNED BY text_loader, text_other;
DROP ROLE text_loader, text_other;
