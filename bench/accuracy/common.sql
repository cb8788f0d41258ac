-- What the sets' files share: reading files, training and answering once for
-- each seed, and the figures of the answers.
-- Variables: files.  Settings: bench.seeds, bench.folds, bench.options, bench.pattern.
CREATE EXTENSION mren;
\set vectors :files '/vectors'
SELECT mren.load_embeddings('glove', pg_read_binary_file(:'vectors')) \g /dev/null
SELECT :'has_encoder' <> '' AS has_encoder \gset
\if :has_encoder
\set encoder :files '/encoder'
SELECT mren.load_text_encoder('encoder', :'encoder') \g /dev/null
\else
\qecho -- There is no text encoder: its figures are left out
\endif
CREATE SCHEMA bench;

-- A figure to report: which number of mren.metrics, and what is asked of it.
CREATE TABLE bench.figure (
    name text PRIMARY KEY,
    n serial,
    negative text,
    measure text[] NOT NULL DEFAULT '{micro,f1}',
    floor numeric,
    aim numeric
);
CREATE TABLE bench.training (name text, seed int, seconds double precision, metrics jsonb);
CREATE TABLE bench.answer (
    name text,
    seed int,
    id text,
    actual text,
    relation text,
    confidence double precision,
    half int, -- 0 or 1, by the sentence; by the id where all have the same
    accepted text[] -- where several answers are right
);

-- Rows of a file in one of the formats that mren reads.
CREATE FUNCTION bench.read(format text, path text)
RETURNS TABLE (id int, sentence text, head int4range, tail int4range, relation text, head_type text, tail_type text)
LANGUAGE plpgsql AS $$
DECLARE
    source text;
BEGIN
    IF format IN ('opennre', 'mnre', 'marked') THEN
        source := format('string_to_table(pg_read_file(%L), E''\n'') AS line, mren.read_%s(line) AS r', path, format);
    ELSE
        source := format('mren.read_%s(pg_read_file(%L)) AS r', format, path);
    END IF;
    RETURN QUERY EXECUTE format('SELECT row_number() OVER ()::int, r.sentence, r.head, r.tail, r.relation, %s FROM %s',
        CASE WHEN format IN ('opennre', 'mnre', 'conll04', 'tacred') THEN 'r.head_type, r.tail_type' ELSE 'NULL::text, NULL::text' END, source);
END
$$;

-- The model of a seed that was trained last, and what it was trained on.
CREATE TABLE bench.kept (seed int PRIMARY KEY, train text, options jsonb);

-- Trains on one query and answers another, which has id and relation too, once for
-- each seed; answers under one name are pooled.  Tests that follow each other share a training.
CREATE PROCEDURE bench.measure(name text, train text, test text, options jsonb DEFAULT '{}')
LANGUAGE plpgsql AS $$
DECLARE
    this int;
    trained text;
    given jsonb;
    v int;
BEGIN
    IF name !~ current_setting('bench.pattern') THEN
        RETURN;
    END IF;
    FOREACH this IN ARRAY current_setting('bench.seeds')::int[] LOOP
        trained := format('seed %s', this);
        given := options || current_setting('bench.options')::jsonb || jsonb_build_object('seed', this);
        IF NOT EXISTS (SELECT FROM bench.kept AS k WHERE k.seed = this AND k.train = measure.train AND k.options = given) THEN
            PERFORM mren.drop_model(trained) FROM bench.kept AS k WHERE k.seed = this;
            DELETE FROM bench.kept AS k WHERE k.seed = this;
            COMMIT;
            CALL mren.train(trained, train, given, v);
            INSERT INTO bench.kept VALUES (this, train, given);
        END IF;
        INSERT INTO bench.training
        SELECT measure.name, this, m.seconds, m.metrics FROM mren.models AS m WHERE m.model = trained;
        EXECUTE format('INSERT INTO bench.answer (name, seed, id, half, actual, relation, confidence)
            SELECT %L, %s, p.id,
                   hashtextextended(CASE WHEN min(t.sentence) OVER () = max(t.sentence) OVER () THEN p.id ELSE t.sentence END, 1) & 1,
                   t.relation, p.relation, p.confidence
            FROM mren.predict_rows(%L, %L) AS p JOIN (%s) AS t ON t.id::text = p.id', name, this, trained, test, test);
        COMMIT;
    END LOOP;
END
$$;

-- The figure of the same name beside a pretrained text encoder; NULL: there is none, or the figure is not wanted.
CREATE FUNCTION bench.figure_with_encoder(name text) RETURNS text
LANGUAGE sql AS $$
    INSERT INTO bench.figure (name, negative, measure)
    SELECT f.name || ', text encoder', f.negative, f.measure FROM bench.figure AS f
    WHERE f.name = figure_with_encoder.name AND f.name || ', text encoder' ~ current_setting('bench.pattern')
          AND EXISTS (SELECT FROM mren.text_encoders AS e WHERE e.name = 'encoder')
    RETURNING figure.name
$$;

-- The same with the text encoder beside the word vectors, as a figure of its own, after that of the name;
-- nothing where there is no text encoder.
CREATE PROCEDURE bench.measure_encoder(name text, train text, test text, options jsonb DEFAULT '{}')
LANGUAGE plpgsql AS $$
DECLARE
    with_encoder text := bench.figure_with_encoder(name);
BEGIN
    IF with_encoder IS NOT NULL THEN
        CALL bench.measure(with_encoder, train, test, options || '{"text_encoder": "encoder"}');
    END IF;
END
$$;

-- Cross-validation: a table with the columns of a training and id, whose folds are
-- made of whole sentences.
CREATE PROCEDURE bench.cross_validate(name text, source regclass, options jsonb DEFAULT '{}')
LANGUAGE plpgsql AS $$
DECLARE
    n int := current_setting('bench.folds');
    fold text := format('abs(hashtextextended(sentence, 0)) %% %s', n);
BEGIN
    FOR f IN 0 .. n - 1 LOOP
        CALL bench.measure(name, format('SELECT * FROM %s WHERE %s <> %s', source, fold, f),
            format('SELECT * FROM %s WHERE %s = %s', source, fold, f), options);
    END LOOP;
END
$$;

CREATE VIEW bench.result AS
SELECT f.n, f.name, a.seed, array_to_string(f.measure, ' ') AS measure, count(*) AS rows,
       CASE WHEN count(a.accepted) > 0 THEN avg((a.relation = ANY (a.accepted))::int)::double precision
            ELSE (mren.metrics(a.actual, a.relation, f.negative) #>> f.measure)::double precision END AS value,
       CASE WHEN count(a.accepted) = 0 THEN (mren.metrics(a.actual, a.relation, f.negative) #>> '{macro,f1}')::double precision END AS macro
FROM bench.figure AS f JOIN bench.answer AS a USING (name)
GROUP BY f.name, a.seed;

-- Each figure's calibration error as trained (no reported row took part in fitting
-- it), and what of it chance does not explain.
CREATE VIEW bench.calibration AS
SELECT name, seed, error, expected_error, error - expected_error AS excess
FROM (SELECT name, seed, array_agg(confidence) AS confidences,
             array_agg(CASE WHEN accepted IS NULL THEN relation = actual ELSE relation = ANY (accepted) END) AS correct
      FROM bench.answer WHERE confidence IS NOT NULL AND relation IS NOT NULL GROUP BY name, seed) AS a,
     mren.reliability(a.confidences, a.correct) WHERE bin IS NULL;

-- Platt's scaling: P(right) = sigmoid(slope * logit(confidence) + shift) of greatest
-- likelihood, by Newton's method; targets are smoothed as in Platt (1999).
CREATE FUNCTION bench.platt(logits double precision[], correct boolean[], OUT slope double precision, OUT shift double precision)
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    g record;
    determinant double precision;
BEGIN
    slope := 1;
    shift := 0;
    FOR i IN 1 .. 30 LOOP
        SELECT sum((p - y) * x) AS x, sum(p - y) AS one, sum(p * (1 - p) * x * x) + 1e-9 AS xx,
               sum(p * (1 - p) * x) AS x1, sum(p * (1 - p)) + 1e-9 AS one1 INTO g
        FROM (SELECT x, 1 / (1 + exp(least(greatest(-(slope * x + shift), -30), 30))) AS p,
                     CASE WHEN y THEN (n_right + 1.0) / (n_right + 2) ELSE 1.0 / (n - n_right + 2) END::double precision AS y
              FROM (SELECT x, y, count(*) OVER () AS n, count(*) FILTER (WHERE y) OVER () AS n_right
                    FROM unnest(logits, correct) AS u (x, y)) AS rows) AS rows;
        determinant := g.xx * g.one1 - g.x1 * g.x1;
        -- Far from the optimum a full step could overshoot.
        slope := slope - least(greatest((g.one1 * g.x - g.x1 * g.one) / determinant, -1), 1);
        shift := shift - least(greatest((g.xx * g.one - g.x1 * g.x) / determinant, -1), 1);
        EXIT WHEN abs(g.x) + abs(g.one) < 1e-8 * cardinality(logits);
    END LOOP;
END
$$;

-- The calibration error of confidences that are fitted on one half of the rows and
-- scored on the other, and the other way round; halves divide no sentence but one that all have.
CREATE VIEW bench.half_calibration AS
WITH answer AS (
    SELECT name, seed, half, least(greatest(confidence, 1e-6), 1 - 1e-6) AS p,
           CASE WHEN accepted IS NULL THEN relation = actual ELSE relation = ANY (accepted) END AS correct
    FROM bench.answer WHERE confidence IS NOT NULL AND relation IS NOT NULL AND half IS NOT NULL
), fit AS (
    SELECT name, seed, half, (bench.platt(array_agg(ln(p / (1 - p))), array_agg(correct))).*
    FROM answer GROUP BY name, seed, half
), scaled AS (
    SELECT a.name, a.seed, array_agg(1 / (1 + exp(-(slope * ln(p / (1 - p)) + shift)))) AS confidences, array_agg(correct) AS correct
    FROM answer AS a JOIN fit AS f ON f.name = a.name AND f.seed = a.seed AND f.half <> a.half
    GROUP BY a.name, a.seed
)
SELECT name, seed, error, expected_error, error - expected_error AS excess
FROM scaled, mren.reliability(confidences, correct) WHERE bin IS NULL;
