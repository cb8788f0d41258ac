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
-- What the means of the draws say: the labels that reach what 1,000 random ones do, and how far behind.
CREATE PROCEDURE bench.compare_curves(task text, name text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    draws int := current_setting('bench.draws')::int;
    started timestamptz := clock_timestamp();
    labels int;
    behind float8;
BEGIN
    IF name !~ current_setting('bench.pattern') THEN
        RETURN;
    END IF;
    FOR this IN 1 .. draws LOOP
        CALL bench.learn(compare_curves.task, this, 'random', 1000);
        CALL bench.learn(compare_curves.task, this, 'uncertain', 1000);
    END LOOP;
    WITH means AS (SELECT way, n, avg(score) AS score FROM bench.curve WHERE task = compare_curves.task GROUP BY way, n)
    SELECT COALESCE(min(u.n) FILTER (WHERE u.score >= (SELECT score FROM means WHERE way = 'random' AND n = 1000)), 1100), max(r.score - u.score)
    INTO labels, behind FROM means AS u JOIN means AS r USING (n) WHERE u.way = 'uncertain' AND r.way = 'random';
    CALL bench.record('uncertain', compare_curves.name || ', labels for what 1,000 reach', draws, labels, started);
    CALL bench.record('uncertain', compare_curves.name || ', most behind random', draws, behind, clock_timestamp());
END
$$;
INSERT INTO bench.figure (part, name, aim, below) VALUES
    ('uncertain', 'ChemProt, labels for what 1,000 reach', 600, true), ('uncertain', 'SemEval, labels for what 1,000 reach', 850, true),
    ('uncertain', 'ChemProt, most behind random', 1, true), ('uncertain', 'SemEval, most behind random', 1, true);
CALL bench.compare_curves('semeval', 'SemEval');
CALL bench.compare_curves('chemprot', 'ChemProt');
