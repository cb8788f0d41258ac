-- The type mren.network, which is a trained network as one portable value.

CREATE TYPE mren.network;

CREATE FUNCTION mren.network_in(cstring) RETURNS mren.network
    AS 'MODULE_PATHNAME', 'mren_network_in'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.network_in(cstring) IS
    'Input function of mren.network; it validates the value completely.';

CREATE FUNCTION mren.network_out(mren.network) RETURNS cstring
    AS 'MODULE_PATHNAME', 'mren_network_out'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.network_out(mren.network) IS
    'Output function of mren.network, in hexadecimal.';

CREATE FUNCTION mren.network_recv(internal) RETURNS mren.network
    AS 'MODULE_PATHNAME', 'mren_network_recv'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.network_recv(internal) IS
    'Binary input function of mren.network; it validates the value completely.';

CREATE FUNCTION mren.network_send(mren.network) RETURNS bytea
    AS 'MODULE_PATHNAME', 'mren_network_send'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.network_send(mren.network) IS
    'Binary output function of mren.network, in the portable format of mren.export_model.';

-- Storage is external because weights do not compress.
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
    'A trained network with its options and validation metrics; the same training gives the same bytes.';

CREATE FUNCTION mren.network_info(network mren.network) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'mren_network_info'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION mren.network_info(mren.network) IS
    'Returns what is known of a network: its relations, dimensions, number of parameters, content hashes, options and validation metrics.';
