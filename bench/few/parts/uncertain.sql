-- How many labels mren.uncertain needs for what random ones reach: both begin with the same 100 random
-- rows, and get 100 more at a time.
CREATE TABLE bench.label (draw int, way text, n int, id text, random boolean);
CREATE TABLE bench.curve (task text, draw int, way text, n int, score double precision);
CREATE PROCEDURE bench.learn(task text, draw int, way text, n_end int)
LANGUAGE plpgsql AS $$
DECLARE
    v int;
    model text := format('%s %s', way, draw);
    score double precision;
BEGIN
    INSERT INTO bench.label SELECT draw, way, 100, r.id, true FROM bench.row AS r WHERE r.task = learn.task AND NOT held ORDER BY bench.hash(id, draw), id LIMIT 100;
    FOR n IN 100 .. n_end BY 100 LOOP
        CALL mren.train(model, format('SELECT r.id, r.sentence, r.head, r.tail, r.relation FROM bench.row AS r JOIN bench.label AS l USING (id) WHERE r.task = %L AND l.draw = %s AND l.way = %L', task, draw, way),
            bench.options(task, 1, '{"deploy": true}'), v);
        score := bench.score(task, model);
        INSERT INTO bench.curve VALUES (task, draw, way, n, score);
        RAISE WARNING '% %, % labels: %', to_char(clock_timestamp(), 'HH24:MI:SS'), model, n, round(score::numeric, 2);
        IF way = 'random' THEN
            INSERT INTO bench.label SELECT draw, way, n + 100, r.id, true FROM bench.row AS r WHERE r.task = learn.task AND NOT held ORDER BY bench.hash(id, draw), id OFFSET n LIMIT 100;
        ELSE
            INSERT INTO bench.label SELECT draw, way, n + 100, u.id, u.random
            FROM mren.uncertain(model, format('SELECT * FROM bench.row AS r WHERE task = %L AND NOT held AND NOT EXISTS (SELECT FROM bench.label AS l WHERE l.id = r.id AND l.draw = %s AND l.way = %L)', task, draw, way), 100, jsonb_build_object('seed', n)) AS u;
        END IF;
        COMMIT;
    END LOOP;
    PERFORM mren.drop_model(model);
    DELETE FROM bench.label AS l WHERE l.draw = learn.draw AND l.way = learn.way;
END
$$;
CREATE PROCEDURE bench.compare_curves(task text, name text)
LANGUAGE plpgsql AS $$
BEGIN
    FOR this IN 1 .. current_setting('bench.draws')::int LOOP
        CALL bench.learn(task, this, 'random', 1000);
        CALL bench.learn(task, this, 'uncertain', 1000);
        INSERT INTO bench.result
        SELECT 'uncertain', name || ', labels for what 1,000 reach', this, COALESCE(min(u.n), 1100), 0
        FROM bench.curve AS u JOIN bench.curve AS r ON r.task = u.task AND r.draw = u.draw AND r.way = 'random' AND r.n = 1000
        WHERE u.task = compare_curves.task AND u.draw = this AND u.way = 'uncertain' AND u.score >= r.score;
        INSERT INTO bench.result
        SELECT 'uncertain', name || ', most behind random', this, max(r.score - u.score), 0
        FROM bench.curve AS u JOIN bench.curve AS r USING (task, draw, n)
        WHERE task = compare_curves.task AND draw = this AND u.way = 'uncertain' AND r.way = 'random';
        COMMIT;
    END LOOP;
END
$$;
INSERT INTO bench.figure (part, name, aim, below) VALUES
    ('uncertain', 'ChemProt, labels for what 1,000 reach', 600, true), ('uncertain', 'SemEval, labels for what 1,000 reach', 850, true),
    ('uncertain', 'ChemProt, most behind random', 1, true), ('uncertain', 'SemEval, most behind random', 1, true);
CALL bench.compare_curves('semeval', 'SemEval');
CALL bench.compare_curves('chemprot', 'ChemProt');
