-- The procedure that retrains a model with its stored query and options.

CREATE PROCEDURE mren.retrain(model text, min_new_rows bigint DEFAULT 1, time_budget interval DEFAULT NULL,
    promote text DEFAULT 'better', margin double precision DEFAULT 0, warm_start boolean DEFAULT false,
    keep_versions integer DEFAULT 5, options jsonb DEFAULT '{}',
    INOUT version integer DEFAULT NULL, INOUT verdict text DEFAULT NULL)
AS 'MODULE_PATHNAME', 'mren_retrain'
LANGUAGE C;
COMMENT ON PROCEDURE mren.retrain(text, bigint, interval, text, double precision, boolean, integer, jsonb, integer, text) IS
    'Trains a new version of a model with the query and options it was trained with, compares it with the deployed version on hold-out rows, and deploys it if it is better.';
