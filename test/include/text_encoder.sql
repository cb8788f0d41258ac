-- A tiny pretrained text encoder: one layer, 4 wide, 8 pieces, 6 positions, as a tar file.
CREATE FUNCTION le_bytes(number bytea) RETURNS bytea LANGUAGE sql IMMUTABLE
AS $$SELECT string_agg(substr(number, i, 1), ''::bytea ORDER BY i DESC) FROM generate_series(1, length(number)) i$$;

CREATE FUNCTION tar_member(name text, content bytea) RETURNS bytea LANGUAGE sql IMMUTABLE
AS $$
    WITH field AS (
        SELECT rpad(name, 100, '~') || '0000644~0000000~0000000~'
            || lpad((SELECT string_agg((length(content) >> 3 * i & 7)::text, '' ORDER BY i DESC) FROM generate_series(0, 10) i), 11, '0')
            || '~00000000000~' AS before,
            '0' || repeat('~', 100) || 'ustar~00' || repeat('~', 247) AS behind
    ), raw AS (
        SELECT decode(replace(encode(convert_to(before || '        ' || behind, 'UTF8'), 'hex'), '7e', '00'), 'hex') AS header FROM field
    ), sum AS (
        SELECT header, (SELECT sum(get_byte(header, i)) FROM generate_series(0, 511) i)::int AS n FROM raw
    )
    SELECT overlay(header PLACING convert_to((SELECT string_agg((n >> 3 * i & 7)::text, '' ORDER BY i DESC) FROM generate_series(0, 5) i), 'UTF8') || '\x0020' FROM 149 FOR 8)
        || content || decode(repeat('00', (512 - length(content) % 512) % 512), 'hex')
    FROM sum
$$;

CREATE TABLE tiny_tensor (i int, name text, shape int[]);
INSERT INTO tiny_tensor VALUES
    (1, 'embeddings.word_embeddings.weight', '{8,4}'), (2, 'embeddings.position_embeddings.weight', '{6,4}'),
    (3, 'embeddings.token_type_embeddings.weight', '{2,4}'), (4, 'embeddings.LayerNorm.weight', '{4}'),
    (5, 'embeddings.LayerNorm.bias', '{4}'),
    (6, 'encoder.layer.0.attention.self.query.weight', '{4,4}'), (7, 'encoder.layer.0.attention.self.query.bias', '{4}'),
    (8, 'encoder.layer.0.attention.self.key.weight', '{4,4}'), (9, 'encoder.layer.0.attention.self.key.bias', '{4}'),
    (10, 'encoder.layer.0.attention.self.value.weight', '{4,4}'), (11, 'encoder.layer.0.attention.self.value.bias', '{4}'),
    (12, 'encoder.layer.0.attention.output.dense.weight', '{4,4}'), (13, 'encoder.layer.0.attention.output.dense.bias', '{4}'),
    (14, 'encoder.layer.0.attention.output.LayerNorm.weight', '{4}'), (15, 'encoder.layer.0.attention.output.LayerNorm.bias', '{4}'),
    (16, 'encoder.layer.0.intermediate.dense.weight', '{6,4}'), (17, 'encoder.layer.0.intermediate.dense.bias', '{6}'),
    (18, 'encoder.layer.0.output.dense.weight', '{4,6}'), (19, 'encoder.layer.0.output.dense.bias', '{4}'),
    (20, 'encoder.layer.0.output.LayerNorm.weight', '{4}'), (21, 'encoder.layer.0.output.LayerNorm.bias', '{4}');

-- Numbers are multiples of 1/8; without a curve the rows of a matrix differ by a constant, so that no norm tells them apart.  extra becomes part of config.json.
CREATE FUNCTION tiny_weights(prefix text DEFAULT '', without int DEFAULT 0, number float4 DEFAULT 0, curve int DEFAULT 0) RETURNS bytea LANGUAGE sql STABLE
AS $$
    WITH sized AS (
        SELECT i, name, shape, (SELECT exp(sum(ln(n))) FROM unnest(shape) n)::int AS n FROM tiny_tensor WHERE i <> without
    ), placed AS (
        SELECT *, sum(n) OVER (ORDER BY i) * 4 AS behind FROM sized
    ), header AS (
        SELECT convert_to(json_object_agg(prefix || name, json_build_object('dtype', 'F32', 'shape', shape, 'data_offsets', json_build_array(behind - 4 * n, behind)))::text, 'UTF8') AS bytes
        FROM placed
    )
    SELECT le_bytes(int8send(length(bytes))) || bytes
        || (SELECT string_agg(le_bytes(float4send((((i * 7 + k * 5 + k * k * curve) % 63 - 31) / 8.0)::float4 + number)), ''::bytea ORDER BY i, k) FROM placed, generate_series(0, n - 1) k)
    FROM header
$$;

CREATE FUNCTION tiny_encoder(folder text DEFAULT '', extra jsonb DEFAULT '{}', weights bytea DEFAULT tiny_weights(), vocab text DEFAULT E'[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n##c\n', tokenizer text DEFAULT NULL)
RETURNS bytea LANGUAGE sql STABLE
AS $$
    SELECT tar_member(folder || 'config.json', convert_to((jsonb '{"model_type": "bert", "vocab_size": 8, "hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 2,
            "intermediate_size": 6, "max_position_embeddings": 6, "type_vocab_size": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-12}' || extra)::text, 'UTF8'))
        || tar_member(folder || 'vocab.txt', convert_to(vocab, 'UTF8'))
        || coalesce(tar_member(folder || 'tokenizer.json', convert_to(tokenizer, 'UTF8')), '')
        || tar_member(folder || 'model.safetensors', weights)
        || decode(repeat('00', 1024), 'hex')
$$;
