-- A quick model, without word vectors, taught by one with a text encoder whose layers stay as they
-- are: SemEval, a share of the rows labelled, the others with the slow model's probabilities.  The
-- same labelled rows validate both, and the slow model does not learn them afterwards, so that the quick
-- one is stopped and calibrated by rows of which its labels know nothing.
INSERT INTO bench.figure (part, name, aim, below) VALUES
    ('quick', '5 %, taught', 56, false), ('quick', '5 %, calibration', 0.03, true),
    ('quick', '10 %, taught', 64, false), ('quick', '10 %, calibration', 0.03, true);
CREATE TABLE bench.taught (id text PRIMARY KEY, probabilities jsonb);
CREATE PROCEDURE bench.teach(name text, n int)
LANGUAGE plpgsql AS $$
DECLARE
    started timestamptz := clock_timestamp();
    labelled text;
    v int;
BEGIN
    IF name !~ current_setting('bench.pattern') THEN
        RETURN;
    END IF;
    FOR draw IN 1 .. current_setting('bench.draws')::int LOOP
        CALL mren.train('quick', bench.training('semeval', n, draw, 'none'), bench.options('semeval', 1, '{"deploy": true}'), v);
        CALL bench.record('quick', name || ', quick alone', draw, bench.score('semeval', 'quick'), started);
        labelled := format('SELECT *, CASE WHEN bench.hash(sentence, %s) %% 10 < 3 THEN ''validation'' END AS split FROM (%s) AS l',
            draw, bench.training('semeval', n, draw, 'none'));
        CALL mren.train('slow', labelled,
            bench.options('semeval', 1, '{"deploy": true, "text_encoder": "encoder", "fine_tuning": "frozen", "refit": false}'), v);
        CALL bench.record('quick', name || ', slow', draw, bench.score('semeval', 'slow'), started);
        TRUNCATE bench.taught;
        INSERT INTO bench.taught
        SELECT id, probabilities FROM mren.predict_rows_proba('slow', $q$SELECT * FROM bench.row WHERE task = 'semeval' AND NOT held$q$);
        CALL mren.train('quick', format($q$
            WITH gold AS (%s)
            SELECT * FROM gold
            UNION ALL
            SELECT r.id, r.sentence, r.head, r.tail, NULL, t.probabilities, false, NULL
            FROM bench.row AS r JOIN bench.taught AS t USING (id)
            WHERE r.task = 'semeval' AND NOT r.held AND NOT EXISTS (SELECT FROM gold AS g WHERE g.id = r.id)$q$,
            labelled), bench.options('semeval', 1, '{"deploy": true}'), v);
        CALL bench.record('quick', name || ', taught', draw, bench.score('semeval', 'quick'), started);
        CALL bench.record('quick', name || ', calibration', draw, bench.calibration_error('semeval', 'quick'), started);
        COMMIT;
    END LOOP;
END
$$;
\set file :files '/encoder'
SELECT mren.load_text_encoder('encoder', :'file') WHERE NOT EXISTS (SELECT FROM mren.text_encoders WHERE name = 'encoder') \g /dev/null
CALL bench.teach('5 %', 320);
CALL bench.teach('10 %', 640);
