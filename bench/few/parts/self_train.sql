-- mren.self_train, whose views are a text encoder with its layers as they are and the linear branch: on
-- 5 % of the rows, with 2,000 others unlabelled; as many labelled rows again are held out to judge by.
-- The gain is that of the new version over the first one, which learned the labelled rows alone.
INSERT INTO bench.figure (part, name, aim, below) VALUES
    ('self_train', 'SemEval, gain', 1.2, false), ('self_train', 'SemEval, a worse model deployed', 0, true),
    ('self_train', 'ChemProt, gain', 2.5, false), ('self_train', 'ChemProt, a worse model deployed', 0, true);
CREATE PROCEDURE bench.self_train(name text, task text, n int)
LANGUAGE plpgsql AS $$
DECLARE
    started timestamptz;
    labelled text;
    v int;
    verdict text;
    gain float8;
BEGIN
    IF name !~ current_setting('bench.pattern') THEN
        RETURN;
    END IF;
    FOR draw IN 1 .. current_setting('bench.draws')::int LOOP
        started := clock_timestamp();
        labelled := bench.training(task, 2 * n, draw, 'none');
        CALL mren.self_train('self', labelled,
            format('SELECT * FROM bench.row AS r WHERE r.task = %L AND NOT r.held AND NOT EXISTS (SELECT FROM (%s) AS l WHERE l.id = r.id) ORDER BY bench.hash(r.id, %s) LIMIT 2000', task, labelled, draw),
            bench.options(task, n, '{"text_encoder": "encoder", "fine_tuning": "frozen", "holdout_share": 0.5}'), version => v, verdict => verdict);
        gain := bench.score(task, 'self', v) - bench.score(task, 'self', v - 1);
        CALL bench.record('self_train', name || ', labelled rows alone', draw, bench.score(task, 'self', v - 1), started);
        CALL bench.record('self_train', name || ', gain', draw, gain, clock_timestamp());
        CALL bench.record('self_train', name || ', a worse model deployed', draw, (verdict = 'promoted' AND gain < 0)::int, clock_timestamp());
        PERFORM mren.drop_model(model) FROM (SELECT DISTINCT model FROM mren.models) AS m;
        COMMIT;
    END LOOP;
END
$$;
\set file :files '/encoder'
SELECT mren.load_text_encoder('encoder', :'file') WHERE NOT EXISTS (SELECT FROM mren.text_encoders WHERE name = 'encoder') \g /dev/null
CALL bench.self_train('SemEval', 'semeval', 320);
CALL bench.self_train('ChemProt', 'chemprot', 380);
