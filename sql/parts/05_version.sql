-- The function that shows which versions of mren and its libraries are installed.

CREATE FUNCTION mren.version() RETURNS TABLE (component text, version text)
AS 'MODULE_PATHNAME', 'mren_version'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE ROWS 6;
COMMENT ON FUNCTION mren.version() IS
    'Returns the versions of mren, PostgreSQL, BLAS and ICU, and which BLAS kernel and CPU instructions are used.';
