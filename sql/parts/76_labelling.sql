-- What a person should label next, and which labels may be wrong.

CREATE FUNCTION mren.uncertain(model text, query text, n integer, options jsonb DEFAULT '{}', version integer DEFAULT NULL)
RETURNS TABLE (id text, relation text, confidence double precision, margin double precision, random boolean)
AS 'MODULE_PATHNAME', 'mren_uncertain'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 10000 ROWS 100;
COMMENT ON FUNCTION mren.uncertain(text, text, integer, jsonb, integer) IS
    'Returns n rows of a query that a person should label next: those with the smallest margin between the two most likely relations, one of a sentence, spread over the pairs of relations that are confused; and a fifth drawn at random and marked, the only ones that may judge a model. Options are random_share, spread and seed.';

CREATE FUNCTION mren.label_errors(model text, query text, n integer DEFAULT 100, options jsonb DEFAULT '{}')
RETURNS TABLE (id text, relation text, suggested text, confidence double precision, suggested_confidence double precision)
AS 'MODULE_PATHNAME', 'mren_label_errors'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000 ROWS 100;
COMMENT ON FUNCTION mren.label_errors(text, text, integer, jsonb) IS
    'Returns the n labelled rows of a query whose label is least likely for networks that were not trained on them, by cross-validation with the options of a model, or the default options if the model is NULL. Options are folds (default 5) and those of a training. Nothing is saved.';
