-- Functions that evaluate predictions.

CREATE TYPE mren.confusion;

CREATE FUNCTION mren.confusion_in(cstring) RETURNS mren.confusion
    AS 'MODULE_PATHNAME', 'mren_confusion_in'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.confusion_in(cstring) IS
    'Input function of mren.confusion; it validates the value completely.';

CREATE FUNCTION mren.confusion_out(mren.confusion) RETURNS cstring
    AS 'MODULE_PATHNAME', 'mren_confusion_out'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.confusion_out(mren.confusion) IS
    'Output function of mren.confusion, in hexadecimal.';

CREATE FUNCTION mren.confusion_recv(internal) RETURNS mren.confusion
    AS 'MODULE_PATHNAME', 'mren_confusion_recv'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.confusion_recv(internal) IS
    'Binary input function of mren.confusion; it validates the value completely.';

CREATE FUNCTION mren.confusion_send(mren.confusion) RETURNS bytea
    AS 'MODULE_PATHNAME', 'mren_confusion_send'
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.confusion_send(mren.confusion) IS
    'Binary output function of mren.confusion.';

CREATE TYPE mren.confusion (
    INPUT = mren.confusion_in,
    OUTPUT = mren.confusion_out,
    RECEIVE = mren.confusion_recv,
    SEND = mren.confusion_send,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = int4,
    STORAGE = extended
);
COMMENT ON TYPE mren.confusion IS
    'Counts of pairs of actual and predicted relations, the state of mren.metrics.';

CREATE FUNCTION mren.metrics_add(state mren.confusion, actual text, predicted text) RETURNS mren.confusion
    AS 'MODULE_PATHNAME', 'mren_metrics_add'
    LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION mren.metrics_add(mren.confusion, text, text) IS
    'Transition function of mren.metrics.';

CREATE FUNCTION mren.metrics_add(state mren.confusion, actual text, predicted text, negative text)
    RETURNS mren.confusion
    AS 'MODULE_PATHNAME', 'mren_metrics_add'
    LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION mren.metrics_add(mren.confusion, text, text, text) IS
    'Transition function of mren.metrics.';

CREATE FUNCTION mren.metrics_add(state mren.confusion, actual text[], predicted text[]) RETURNS mren.confusion
    AS 'MODULE_PATHNAME', 'mren_metrics_add_sets'
    LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION mren.metrics_add(mren.confusion, text[], text[]) IS
    'Transition function of mren.metrics for rows with several relations.';

CREATE FUNCTION mren.metrics_add(state mren.confusion, actual text[], predicted text[], negative text)
    RETURNS mren.confusion
    AS 'MODULE_PATHNAME', 'mren_metrics_add_sets'
    LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION mren.metrics_add(mren.confusion, text[], text[], text) IS
    'Transition function of mren.metrics for rows with several relations.';

CREATE FUNCTION mren.metrics_combine(mren.confusion, mren.confusion) RETURNS mren.confusion
    AS 'MODULE_PATHNAME', 'mren_metrics_combine'
    LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION mren.metrics_combine(mren.confusion, mren.confusion) IS
    'Combine function of mren.metrics.';

CREATE FUNCTION mren.metrics_final(mren.confusion) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'mren_metrics_final'
    LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION mren.metrics_final(mren.confusion) IS
    'Final function of mren.metrics.';

CREATE AGGREGATE mren.metrics(actual text, predicted text) (
    SFUNC = mren.metrics_add,
    STYPE = mren.confusion,
    FINALFUNC = mren.metrics_final,
    COMBINEFUNC = mren.metrics_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE mren.metrics(text, text) IS
    'Returns precision, recall and F1 of predicted relations, for each relation and averaged, and accuracy; a prediction of NULL counts as a missed relation.';

CREATE AGGREGATE mren.metrics(actual text, predicted text, negative text) (
    SFUNC = mren.metrics_add,
    STYPE = mren.confusion,
    FINALFUNC = mren.metrics_final,
    COMBINEFUNC = mren.metrics_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE mren.metrics(text, text, text) IS
    'Returns precision, recall and F1 of predicted relations, for each relation and averaged, and accuracy; the averages leave out the negative relation, which means that there is none.';

CREATE AGGREGATE mren.metrics(actual text[], predicted text[]) (
    SFUNC = mren.metrics_add,
    STYPE = mren.confusion,
    FINALFUNC = mren.metrics_final,
    COMBINEFUNC = mren.metrics_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE mren.metrics(text[], text[]) IS
    'Returns precision, recall and F1 of predicted relations where a row has several, for each relation and averaged, and the accuracy of whole rows.';

CREATE AGGREGATE mren.metrics(actual text[], predicted text[], negative text) (
    SFUNC = mren.metrics_add,
    STYPE = mren.confusion,
    FINALFUNC = mren.metrics_final,
    COMBINEFUNC = mren.metrics_combine,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE mren.metrics(text[], text[], text) IS
    'Returns precision, recall and F1 of predicted relations where a row has several, for each relation and averaged, and the accuracy of whole rows; the averages leave out the negative relation, which means that there is none.';

CREATE FUNCTION mren.evaluate(model text, query text, version integer DEFAULT NULL)
    RETURNS TABLE (relation text, "precision" double precision, recall double precision,
                   f1 double precision, support bigint)
    AS 'MODULE_PATHNAME', 'mren_evaluate'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000 ROWS 20;
COMMENT ON FUNCTION mren.evaluate(text, text, integer) IS
    'Returns precision, recall and F1 of a model''s predictions of the column relation of a query: pairs with several relations count once for each of them; one row per relation, then micro avg, macro avg, semeval macro avg for the labels of SemEval-2010 Task 8, and accuracy, which is in the column f1.';

CREATE FUNCTION mren.confusion_matrix(model text, query text, version integer DEFAULT NULL)
    RETURNS TABLE (actual text, predicted text, count bigint)
    AS 'MODULE_PATHNAME', 'mren_confusion_matrix'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000 ROWS 100;
COMMENT ON FUNCTION mren.confusion_matrix(text, text, integer) IS
    'Returns how often a model predicts each relation for each actual relation of the rows of a query; predicted is NULL where the model gave no answer, actual where it gave more answers than the pair has relations.';
