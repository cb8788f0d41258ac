-- What a person should label next, and which labels may be wrong.

CREATE FUNCTION mren.uncertain(model text, query text, n integer, options jsonb DEFAULT '{}', version integer DEFAULT NULL)
RETURNS TABLE (id text, relation text, confidence double precision, margin double precision, random boolean)
AS 'MODULE_PATHNAME', 'mren_uncertain'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 10000 ROWS 100;
COMMENT ON FUNCTION mren.uncertain(text, text, integer, jsonb, integer) IS
    'Returns n rows of a query that a person should label next: those with the smallest margin between the two most likely relations, one of a sentence, in turns from the relations that the model predicts; and a fifth drawn at random and marked, the only ones that may judge a model. Options are random_share, spread and seed.';

CREATE FUNCTION mren.label_errors(model text, query text, n integer DEFAULT 100, options jsonb DEFAULT '{}')
RETURNS TABLE (id text, relation text, suggested text, confidence double precision, suggested_confidence double precision)
AS 'MODULE_PATHNAME', 'mren_label_errors'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000 ROWS 100;
COMMENT ON FUNCTION mren.label_errors(text, text, integer, jsonb) IS
    'Returns the n labelled rows of a query whose label is most likely wrong by networks that were not trained on them, by cross-validation with the options of a model, or the default options if the model is NULL. Options are folds (default 10), rank_by (auto, self_confidence or confusion) and those of a training. Nothing is saved.';

CREATE PROCEDURE mren.self_train(model text, labelled text, unlabelled text, options jsonb DEFAULT '{}',
    surest double precision DEFAULT 0.3, margin double precision DEFAULT 0,
    INOUT version integer DEFAULT NULL, INOUT verdict text DEFAULT NULL)
AS 'MODULE_PATHNAME', 'mren_self_train'
LANGUAGE C;
COMMENT ON PROCEDURE mren.self_train(text, text, text, jsonb, double precision, double precision, integer, text) IS
    'Trains a new version of a model on labelled rows and on unlabelled rows labelled by its two views, the text encoder and the linear branch, each trained alone on the labelled rows: the given share of each relation of which a view is surest. Deploys it if it is better on labelled rows that are held out. Both queries run read-only; unlabelled needs the column id.';
