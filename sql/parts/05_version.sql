-- What is installed.

CREATE FUNCTION mren.version() RETURNS TABLE (component text, version text)
AS 'MODULE_PATHNAME', 'mren_version'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE ROWS 6;
COMMENT ON FUNCTION mren.version() IS
    'The versions of mren, PostgreSQL, BLAS and its kernel, and ICU, and the CPU path in use.';
