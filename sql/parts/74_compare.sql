-- Which options are the best for one's rows.

CREATE FUNCTION mren.compare(model text, query text, variants jsonb[], folds integer DEFAULT 5)
    RETURNS TABLE (variant integer, options jsonb, score double precision, lower double precision,
                   upper double precision, seconds double precision, measure text, rows bigint, groups bigint,
                   difference double precision, difference_lower double precision,
                   difference_upper double precision)
    AS 'MODULE_PATHNAME', 'mren_compare'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000 ROWS 4;
COMMENT ON FUNCTION mren.compare(text, text, jsonb[], integer) IS
    'How well each variant of a model''s options (model NULL: of the defaults) learns a query''s rows, by cross-validation on the same folds: its score, with an interval of 95 %, and by how much it is above the first variant''s. Saves nothing.';
