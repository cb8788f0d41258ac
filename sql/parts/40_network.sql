-- The type mren.network: a trained network as one portable value.

CREATE TYPE mren.network;

CREATE FUNCTION mren.network_in(cstring) RETURNS mren.network
    AS 'MODULE_PATHNAME', 'mren_network_in'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.network_in(cstring) IS 'Input of mren.network; checks everything.';

CREATE FUNCTION mren.network_out(mren.network) RETURNS cstring
    AS 'MODULE_PATHNAME', 'mren_network_out'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.network_out(mren.network) IS 'Output of mren.network, hexadecimal.';

CREATE FUNCTION mren.network_recv(internal) RETURNS mren.network
    AS 'MODULE_PATHNAME', 'mren_network_recv'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.network_recv(internal) IS 'Binary input of mren.network; checks everything.';

CREATE FUNCTION mren.network_send(mren.network) RETURNS bytea
    AS 'MODULE_PATHNAME', 'mren_network_send'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.network_send(mren.network) IS 'Binary output of mren.network: the portable bytes.';

-- Weights do not compress, so they are stored as they are.
CREATE TYPE mren.network (
    INPUT = mren.network_in,
    OUTPUT = mren.network_out,
    RECEIVE = mren.network_recv,
    SEND = mren.network_send,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = int4,
    STORAGE = external
);
COMMENT ON TYPE mren.network IS
    'A trained network with its options and validation figures; equal trainings give equal bytes.';

CREATE FUNCTION mren.network_info(network mren.network) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'mren_network_info'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION mren.network_info(mren.network) IS
    'What a network is: relations, dimensions, parameters, content hashes, options, validation figures.';
