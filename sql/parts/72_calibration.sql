-- What a confidence is worth, and how good ranked facts are.

CREATE FUNCTION mren.calibration(model text, query text, version integer DEFAULT NULL, bins integer DEFAULT 15)
    RETURNS TABLE (bin integer, lower double precision, upper double precision, count bigint,
                   confidence double precision, accuracy double precision, error double precision,
                   expected_error double precision, coverage double precision,
                   accuracy_above double precision, brier double precision, log_loss double precision)
    AS 'MODULE_PATHNAME', 'mren_calibration'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000 ROWS 16;
COMMENT ON FUNCTION mren.calibration(text, text, integer, integer) IS
    'How far a version''s confidence can be trusted on a query''s rows: bins of equal mass, then the whole (bin NULL) with its calibration error, beside the one that a perfectly calibrated model of this size would show.';

CREATE FUNCTION mren.reliability(confidences double precision[], correct boolean[], bins integer DEFAULT 15)
    RETURNS TABLE (bin integer, lower double precision, upper double precision, count bigint,
                   confidence double precision, accuracy double precision, error double precision,
                   expected_error double precision, coverage double precision,
                   accuracy_above double precision)
    AS 'MODULE_PATHNAME', 'mren_reliability'
    LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10000 ROWS 16;
COMMENT ON FUNCTION mren.reliability(double precision[], boolean[], integer) IS
    'The same for one''s own predictions: their confidences, and whether each was correct.';

CREATE FUNCTION mren.precision_recall(confidences double precision[], correct boolean[], relevant bigint DEFAULT NULL)
    RETURNS TABLE (rank bigint, confidence double precision, correct bigint, "precision" double precision,
                   recall double precision, average_precision double precision)
    AS 'MODULE_PATHNAME', 'mren_precision_recall'
    LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10000 ROWS 1000;
COMMENT ON FUNCTION mren.precision_recall(double precision[], boolean[], bigint) IS
    'The precision-recall curve of ranked facts, a row for each distinct confidence from the surest down; relevant: how many facts there are to be found.';

CREATE FUNCTION mren.precision_at(confidences double precision[], correct boolean[], n bigint)
    RETURNS double precision
    AS 'MODULE_PATHNAME', 'mren_precision_at'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION mren.precision_at(double precision[], boolean[], bigint) IS
    'Precision among the n surest facts; of equals at the border, what is expected in random order; NULL if there are fewer.';
