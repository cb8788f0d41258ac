-- The aggregate and the procedure that train a relation model.

-- The state of the aggregate holds encoded rows.  It has a type of its own rather
-- than internal, so that a distributed plan can send it from node to node.
CREATE TYPE mren.training_set;

CREATE FUNCTION mren.training_set_in(cstring) RETURNS mren.training_set
AS 'MODULE_PATHNAME', 'mren_training_set_in'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.training_set_in(cstring) IS
    'Input function of mren.training_set.';

CREATE FUNCTION mren.training_set_out(mren.training_set) RETURNS cstring
AS 'MODULE_PATHNAME', 'mren_training_set_out'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.training_set_out(mren.training_set) IS
    'Output function of mren.training_set.';

CREATE FUNCTION mren.training_set_recv(internal) RETURNS mren.training_set
AS 'MODULE_PATHNAME', 'mren_training_set_recv'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.training_set_recv(internal) IS
    'Binary input function of mren.training_set.';

CREATE FUNCTION mren.training_set_send(mren.training_set) RETURNS bytea
AS 'MODULE_PATHNAME', 'mren_training_set_send'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.training_set_send(mren.training_set) IS
    'Binary output function of mren.training_set.';

CREATE TYPE mren.training_set (
    INPUT = mren.training_set_in,
    OUTPUT = mren.training_set_out,
    RECEIVE = mren.training_set_recv,
    SEND = mren.training_set_send,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = double,
    STORAGE = extended
);
COMMENT ON TYPE mren.training_set IS
    'Encoded training rows, the state of mren.train_agg.';

CREATE FUNCTION mren.train_combine(mren.training_set, mren.training_set) RETURNS mren.training_set
AS 'MODULE_PATHNAME', 'mren_train_combine'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION mren.train_combine(mren.training_set, mren.training_set) IS
    'Combine function of mren.train_agg.';

CREATE FUNCTION mren.train_final(mren.training_set) RETURNS mren.network
AS 'MODULE_PATHNAME', 'mren_train_final'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION mren.train_final(mren.training_set) IS
    'Final function of mren.train_agg; it trains the network.';

CREATE FUNCTION mren.train_accum(state mren.training_set, sentence text, head text, tail text, relation text)
RETURNS mren.training_set
AS 'MODULE_PATHNAME', 'mren_train_accum'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mren.train_accum(mren.training_set, text, text, text, text) IS
    'Transition function of mren.train_agg; it encodes a row.';

CREATE AGGREGATE mren.train_agg(sentence text, head text, tail text, relation text) (
    SFUNC = mren.train_accum,
    STYPE = mren.training_set,
    FINALFUNC = mren.train_final,
    FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = mren.train_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE mren.train_agg(text, text, text, text) IS
    'Trains a network on the aggregated rows with the default options.';

CREATE FUNCTION mren.train_accum(state mren.training_set, sentence text, head int4range, tail int4range, relation text)
RETURNS mren.training_set
AS 'MODULE_PATHNAME', 'mren_train_accum_range'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mren.train_accum(mren.training_set, text, int4range, int4range, text) IS
    'Transition function of mren.train_agg; it encodes a row.';

CREATE AGGREGATE mren.train_agg(sentence text, head int4range, tail int4range, relation text) (
    SFUNC = mren.train_accum,
    STYPE = mren.training_set,
    FINALFUNC = mren.train_final,
    FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = mren.train_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE mren.train_agg(text, int4range, int4range, text) IS
    'Trains a network on the aggregated rows with the default options.';

CREATE FUNCTION mren.train_accum(state mren.training_set, sentence text, head text, tail text, relation text, image bytea, options jsonb)
RETURNS mren.training_set
AS 'MODULE_PATHNAME', 'mren_train_accum_options'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION mren.train_accum(mren.training_set, text, text, text, text, bytea, jsonb) IS
    'Transition function of mren.train_agg; it encodes a row.';

CREATE AGGREGATE mren.train_agg(sentence text, head text, tail text, relation text, image bytea, options jsonb) (
    SFUNC = mren.train_accum,
    STYPE = mren.training_set,
    FINALFUNC = mren.train_final,
    FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = mren.train_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE mren.train_agg(text, text, text, text, bytea, jsonb) IS
    'Trains a network on the aggregated rows with the given options; the image of a row may be NULL.';

CREATE FUNCTION mren.train_accum(state mren.training_set, sentence text, head int4range, tail int4range, relation text, image bytea, options jsonb)
RETURNS mren.training_set
AS 'MODULE_PATHNAME', 'mren_train_accum_options_range'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION mren.train_accum(mren.training_set, text, int4range, int4range, text, bytea, jsonb) IS
    'Transition function of mren.train_agg; it encodes a row.';

CREATE AGGREGATE mren.train_agg(sentence text, head int4range, tail int4range, relation text, image bytea, options jsonb) (
    SFUNC = mren.train_accum,
    STYPE = mren.training_set,
    FINALFUNC = mren.train_final,
    FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = mren.train_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE mren.train_agg(text, int4range, int4range, text, bytea, jsonb) IS
    'Trains a network on the aggregated rows with the given options; the image of a row may be NULL.';

CREATE FUNCTION mren.train_accum(state mren.training_set, sentence text, head text, tail text, relation text, image bytea, extras jsonb, options jsonb)
RETURNS mren.training_set
AS 'MODULE_PATHNAME', 'mren_train_accum_extras'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION mren.train_accum(mren.training_set, text, text, text, text, bytea, jsonb, jsonb) IS
    'Transition function of mren.train_agg; it encodes a row.';

CREATE AGGREGATE mren.train_agg(sentence text, head text, tail text, relation text, image bytea, extras jsonb, options jsonb) (
    SFUNC = mren.train_accum,
    STYPE = mren.training_set,
    FINALFUNC = mren.train_final,
    FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = mren.train_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE mren.train_agg(text, text, text, text, bytea, jsonb, jsonb) IS
    'Trains a network on the aggregated rows with the given options; extras is an object that may have the keys weight, split, head_type, tail_type, head_box, tail_box, image_vector, audio, audio_vector, probabilities and gold.';

CREATE FUNCTION mren.train_accum(state mren.training_set, sentence text, head int4range, tail int4range, relation text, image bytea, extras jsonb, options jsonb)
RETURNS mren.training_set
AS 'MODULE_PATHNAME', 'mren_train_accum_extras_range'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION mren.train_accum(mren.training_set, text, int4range, int4range, text, bytea, jsonb, jsonb) IS
    'Transition function of mren.train_agg; it encodes a row.';

CREATE AGGREGATE mren.train_agg(sentence text, head int4range, tail int4range, relation text, image bytea, extras jsonb, options jsonb) (
    SFUNC = mren.train_accum,
    STYPE = mren.training_set,
    FINALFUNC = mren.train_final,
    FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = mren.train_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE mren.train_agg(text, int4range, int4range, text, bytea, jsonb, jsonb) IS
    'Trains a network on the aggregated rows with the given options; extras is an object that may have the keys weight, split, head_type, tail_type, head_box, tail_box, image_vector, audio, audio_vector, probabilities and gold.';

CREATE FUNCTION mren.encode_example(options jsonb, sentence text, head text, tail text, relation text, image bytea,
    image_vector real[], head_type text, tail_type text, head_box box, tail_box box, weight real, split text,
    audio bytea, audio_vector real[], probabilities jsonb, gold boolean)
RETURNS bytea
AS 'MODULE_PATHNAME', 'mren_encode_example_sql'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION mren.encode_example(jsonb, text, text, text, text, bytea, real[], text, text, box, box, real, text, bytea, real[], jsonb, boolean) IS
    'Encodes a training row; mren.train calls this function.';

CREATE FUNCTION mren.encode_example(options jsonb, sentence text, head int4range, tail int4range, relation text, image bytea,
    image_vector real[], head_type text, tail_type text, head_box box, tail_box box, weight real, split text,
    audio bytea, audio_vector real[], probabilities jsonb, gold boolean)
RETURNS bytea
AS 'MODULE_PATHNAME', 'mren_encode_example_range'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION mren.encode_example(jsonb, text, int4range, int4range, text, bytea, real[], text, text, box, box, real, text, bytea, real[], jsonb, boolean) IS
    'Encodes a training row; mren.train calls this function.';

CREATE PROCEDURE mren.train(model text, query text, options jsonb DEFAULT '{}', INOUT version integer DEFAULT NULL)
AS 'MODULE_PATHNAME', 'mren_train'
LANGUAGE C;
COMMENT ON PROCEDURE mren.train(text, text, jsonb, integer) IS
    'Trains a new version of a model on the rows of a query, which runs read-only. The query must have the columns sentence, head, tail and relation or probabilities, and may have image, image_vector, head_type, tail_type, head_box, tail_box, weight, split, group and gold.';
