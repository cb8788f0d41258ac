-- mren.label_errors on SemEval's rows that are no test, 5 % of whose labels are changed: at random, or to
-- what a model confuses with them (the likeliest other relation of a model trained on 1,500 of the rows).
INSERT INTO bench.figure (part, name, aim) VALUES
    ('errors', 'random flips, right of the first 100', 0.9), ('errors', 'random flips, in the first tenth', 0.9),
    ('errors', 'flips as a model errs, right of the first 100', 0.6), ('errors', 'flips as a model errs, in the first tenth', 0.5);
INSERT INTO bench.figure (part, name) VALUES
    ('errors', 'random flips, suggestion right'), ('errors', 'flips as a model errs, suggestion right');
CREATE TABLE bench.flipped (id text, sentence text, head int4range, tail int4range, relation text, truth text, flipped boolean);
CREATE PROCEDURE bench.find_flips(what text, draw int)
LANGUAGE plpgsql AS $$
DECLARE
    right_of_first float8;
    share_found float8;
    suggestion_right float8;
    started timestamptz := clock_timestamp();
    n int := (SELECT count(*) / 10 FROM bench.flipped);
BEGIN
    SELECT avg(f.flipped::int) FILTER (WHERE l.ordinality <= 100),
           count(*) FILTER (WHERE f.flipped)::float8 / (SELECT count(*) FROM bench.flipped WHERE flipped),
           avg((l.suggested = f.truth)::int) FILTER (WHERE f.flipped) INTO right_of_first, share_found, suggestion_right
    FROM mren.label_errors(NULL, 'SELECT id, sentence, head, tail, relation FROM bench.flipped', n, bench.options('semeval', 1, '{"epochs": 30}')) WITH ORDINALITY AS l
    JOIN bench.flipped AS f USING (id);
    CALL bench.record('errors', what || ', right of the first 100', draw, right_of_first, started);
    CALL bench.record('errors', what || ', in the first tenth', draw, share_found, clock_timestamp());
    CALL bench.record('errors', what || ', suggestion right', draw, suggestion_right, clock_timestamp());
END
$$;
DO $$
BEGIN
    FOR draw IN 1 .. current_setting('bench.draws')::int LOOP
        TRUNCATE bench.flipped;
        INSERT INTO bench.flipped
        SELECT r.id, r.sentence, r.head, r.tail, CASE WHEN bench.hash(r.id, draw) % 20 = 0 THEN o.relation ELSE r.relation END, r.relation, bench.hash(r.id, draw) % 20 = 0
        FROM bench.row AS r, LATERAL (SELECT relation FROM (SELECT DISTINCT relation FROM bench.row WHERE task = 'semeval') AS d
                                      WHERE d.relation <> r.relation ORDER BY bench.hash(r.id || d.relation, draw) LIMIT 1) AS o
        WHERE r.task = 'semeval' AND NOT r.held;
        CALL bench.find_flips('random flips', draw);
    END LOOP;
END
$$;
CALL mren.train('errs', bench.training('semeval', 1500, 99, 'none'), bench.options('semeval', 1, '{}')) \g /dev/null
CREATE TABLE bench.confused AS
SELECT p.id, (SELECT key FROM jsonb_each_text(p.probabilities) WHERE key <> r.relation ORDER BY value::float8 DESC LIMIT 1) AS relation
FROM mren.predict_rows_proba('errs', $$SELECT * FROM bench.row WHERE task = 'semeval' AND NOT held$$) AS p JOIN bench.row AS r ON r.task = 'semeval' AND r.id = p.id;
DO $$
BEGIN
    FOR draw IN 1 .. current_setting('bench.draws')::int LOOP
        TRUNCATE bench.flipped;
        INSERT INTO bench.flipped
        SELECT r.id, r.sentence, r.head, r.tail, CASE WHEN bench.hash(r.id, draw) % 20 = 0 THEN c.relation ELSE r.relation END, r.relation, bench.hash(r.id, draw) % 20 = 0
        FROM bench.row AS r JOIN bench.confused AS c USING (id) WHERE r.task = 'semeval' AND NOT r.held;
        CALL bench.find_flips('flips as a model errs', draw);
    END LOOP;
END
$$;
