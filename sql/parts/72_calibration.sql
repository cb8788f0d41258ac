-- Functions that evaluate confidences and ranked facts.

CREATE FUNCTION mren.calibration(model text, query text, version integer DEFAULT NULL, bins integer DEFAULT 15)
    RETURNS TABLE (bin integer, lower double precision, upper double precision, count bigint,
                   confidence double precision, accuracy double precision, error double precision,
                   expected_error double precision, coverage double precision,
                   accuracy_above double precision, brier double precision, log_loss double precision)
    AS 'MODULE_PATHNAME', 'mren_calibration'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000 ROWS 16;
COMMENT ON FUNCTION mren.calibration(text, text, integer, integer) IS
    'Returns how well the confidence of a model agrees with its accuracy on the rows of a query: bins with equal numbers of rows, and a last row with bin NULL for all rows. expected_error is the error that a perfectly calibrated model would show on as many rows.';

CREATE FUNCTION mren.reliability(confidences double precision[], correct boolean[], bins integer DEFAULT 15)
    RETURNS TABLE (bin integer, lower double precision, upper double precision, count bigint,
                   confidence double precision, accuracy double precision, error double precision,
                   expected_error double precision, coverage double precision,
                   accuracy_above double precision)
    AS 'MODULE_PATHNAME', 'mren_reliability'
    LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10000 ROWS 16;
COMMENT ON FUNCTION mren.reliability(double precision[], boolean[], integer) IS
    'Returns how well confidences agree with the accuracy of the predictions they belong to: bins with equal numbers of predictions, and a last row with bin NULL for all. expected_error is the error that a perfectly calibrated model would show on as many predictions.';

CREATE FUNCTION mren.precision_recall(confidences double precision[], correct boolean[], relevant bigint DEFAULT NULL)
    RETURNS TABLE (rank bigint, confidence double precision, correct bigint, "precision" double precision,
                   recall double precision, average_precision double precision)
    AS 'MODULE_PATHNAME', 'mren_precision_recall'
    LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10000 ROWS 1000;
COMMENT ON FUNCTION mren.precision_recall(double precision[], boolean[], bigint) IS
    'Returns the precision-recall curve of ranked facts, one row for each distinct confidence, the highest first; relevant is the number of facts that there are to find.';

CREATE FUNCTION mren.precision_at(confidences double precision[], correct boolean[], n bigint)
    RETURNS double precision
    AS 'MODULE_PATHNAME', 'mren_precision_at'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION mren.precision_at(double precision[], boolean[], bigint) IS
    'Returns the precision of the n facts of highest confidence, or NULL if there are fewer. Where facts at the boundary have equal confidence, it is the expected precision of a random order.';
