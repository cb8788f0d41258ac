-- How far confidence is from the share of right answers, on the test rows, of a model of weak rows
-- and gold ones.
INSERT INTO bench.figure (part, name, aim, below) VALUES
    ('calibration', 'SemEval, 200 gold', 0.05, true), ('calibration', 'SemEval, 640 gold', 0.05, true),
    ('calibration', 'ChemProt, 200 gold', 0.05, true), ('calibration', 'ChemProt, 800 gold', 0.05, true);
CREATE PROCEDURE bench.calibrate(name text, task text, gold int)
LANGUAGE plpgsql AS $$
DECLARE
    started timestamptz;
    v int;
BEGIN
    FOR draw IN 1 .. current_setting('bench.draws')::int LOOP
        started := clock_timestamp();
        CALL mren.train('calibrated', bench.training(task, gold, draw, 'soft'), bench.options(task, gold, '{"deploy": true}'), v);
        CALL bench.record('calibration', name, draw, bench.calibration_error(task, 'calibrated'), started);
        COMMIT;
    END LOOP;
    PERFORM mren.drop_model('calibrated');
END
$$;
CALL bench.calibrate('SemEval, 200 gold', 'semeval', 200);
CALL bench.calibrate('SemEval, 640 gold', 'semeval', 640);
CALL bench.calibrate('ChemProt, 200 gold', 'chemprot', 200);
CALL bench.calibrate('ChemProt, 800 gold', 'chemprot', 800);
