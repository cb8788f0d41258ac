-- The function that compares training options by cross-validation.

CREATE FUNCTION mren.compare(model text, query text, variants jsonb[], folds integer DEFAULT 5)
    RETURNS TABLE (variant integer, options jsonb, score double precision, lower double precision,
                   upper double precision, seconds double precision, measure text, rows bigint, groups bigint,
                   difference double precision, difference_lower double precision,
                   difference_upper double precision)
    AS 'MODULE_PATHNAME', 'mren_compare'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000 ROWS 4;
COMMENT ON FUNCTION mren.compare(text, text, jsonb[], integer) IS
    'Compares variants of the options of a model, or of the default options if the model is NULL, by cross-validation on the rows of a query with the same folds. Returns each score with its 95 % interval and its difference from the first variant; nothing is saved.';
