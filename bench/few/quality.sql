-- How good labels from votes are, on the rows of a table of truths.
SET client_min_messages = error;
CREATE SCHEMA few;
-- A number from 0 to 1 for a key.
CREATE FUNCTION few.chance(key text) RETURNS double precision LANGUAGE sql IMMUTABLE
AS $$SELECT ('x' || substr(md5(key), 1, 8))::bit(32)::bigint / 4294967296.0$$;
-- Both queries have id and relation; gold rows are not counted.  Coverage: the share of rows with a label.
CREATE FUNCTION few.quality(votes text, truth text, gold text, method text,
    OUT coverage numeric, OUT accuracy numeric, OUT calibration_error numeric) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format($q$
        WITH truth AS (SELECT id::text, relation FROM (%s) t WHERE id::text NOT IN (SELECT id::text FROM (%s) g)),
        label AS (SELECT l.confidence, l.relation = t.relation AS correct
                  FROM mren.label_model($1, $2, jsonb_build_object('method', $3)) l JOIN truth t ON t.id = l.id)
        SELECT round(r.count::numeric / (SELECT count(*) FROM truth), 3), round(r.accuracy::numeric, 3), round(r.error::numeric, 3)
        FROM (SELECT array_agg(confidence) AS confidences, array_agg(correct) AS correct FROM label) l,
             mren.reliability(l.confidences, l.correct) r WHERE r.bin IS NULL$q$, truth, gold)
    INTO coverage, accuracy, calibration_error USING votes, gold, method;
END$$;
