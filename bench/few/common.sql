-- Data and procedures that the parts share.
-- Variables: files.  Settings: bench.draws, bench.held, bench.options, bench.pattern.
CREATE EXTENSION mren;
CREATE SCHEMA bench;

-- A figure: its mean over the draws should reach the aim, or stay below it.
CREATE TABLE bench.figure (part text, name text, aim numeric, below boolean NOT NULL DEFAULT false, n serial);
CREATE TABLE bench.result (part text, name text, draw int, value double precision, seconds double precision);

-- A number of a text that differs from draw to draw, uniform in 0 .. 2^31 - 1.
CREATE FUNCTION bench.hash(value text, draw int) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ('x' || substr(md5(draw || ':' || value), 1, 8))::bit(32)::int & 2147483647
$$;

-- Labelled rows; those of a held-out sentence are the test.
CREATE TABLE bench.row (
    task text, id text, sentence text, head int4range, tail int4range, relation text, held boolean,
    PRIMARY KEY (task, id)
);
-- Votes of the rules.
CREATE TABLE bench.vote (task text, id text, source text, relation text);

\set file :files '/TRAIN_FILE.TXT'
INSERT INTO bench.row
SELECT 'semeval', row_number() OVER ()::text, r.sentence, r.head, r.tail, r.relation,
       bench.hash(r.sentence, 0) % 5 = current_setting('bench.held')::int
FROM mren.read_semeval(pg_read_file(:'file')) AS r;
\set file :files '/train.tsv'
CREATE TABLE bench.chemprot (id text, sentence text, head int4range, tail int4range, relation text);
COPY bench.chemprot FROM :'file';
INSERT INTO bench.row
SELECT 'chemprot', id, sentence, head, tail, relation, bench.hash(sentence, 0) % 5 = current_setting('bench.held')::int
FROM bench.chemprot;

CREATE TABLE bench.pattern (relation text, pattern text);
\set file :files '/patterns.tsv'
COPY bench.pattern FROM :'file';
CREATE TABLE bench.function (source text, relation text, words text);
\set file :files '/functions.tsv'
COPY bench.function FROM :'file';

-- The patterns without entity types, on the words between the mentions.
INSERT INTO bench.vote
SELECT 'semeval', r.id, p.pattern, p.relation
FROM (SELECT DISTINCT relation, pattern,
             '^' || replace(regexp_replace(regexp_replace(pattern, '^SUBJ-O *| *OBJ-O$', '', 'g'), '([.()?+])', '\\\1', 'g'), '*', '\w+( \w+)*') || '$' AS middle
      FROM bench.pattern WHERE pattern ~ '^SUBJ-O .*OBJ-O$') AS p
JOIN (SELECT id, lower(trim(regexp_replace(substr(sentence, upper(head) + 1, lower(tail) - upper(head)), '\s+', ' ', 'g'))) AS middle
      FROM bench.row WHERE task = 'semeval' AND upper(head) <= lower(tail)) AS r ON r.middle ~ p.middle;
-- A function votes if one of its words is in the sentence.
INSERT INTO bench.vote
SELECT 'chemprot', r.id, f.source, f.relation
FROM bench.function AS f
JOIN bench.row AS r ON r.task = 'chemprot'
 AND EXISTS (SELECT FROM regexp_split_to_table(f.words, '\|') AS word WHERE strpos(lower(r.sentence), word) > 0);

-- The shares of the votes, of rows that have any.
CREATE VIEW bench.soft AS
SELECT task, id, jsonb_object_agg(relation, share) AS probabilities,
       (array_agg(relation ORDER BY share DESC, relation))[1] AS majority, max(share) AS share
FROM (SELECT task, id, relation, count(*)::float8 / sum(count(*)) OVER (PARTITION BY task, id) AS share
      FROM bench.vote GROUP BY task, id, relation) AS s
GROUP BY task, id;
CREATE TABLE bench.weak AS SELECT * FROM bench.soft;
CREATE INDEX ON bench.weak (task, id);
ANALYZE;

-- The query of n gold rows of a draw, and of weak rows ('soft', 'hard', 'none') of the other sentences.
CREATE FUNCTION bench.training(task text, n int, draw int, weak text) RETURNS text
LANGUAGE sql AS $$
    SELECT format($q$
        WITH pool AS (SELECT * FROM bench.row WHERE task = %1$L AND NOT held),
        gold AS (SELECT * FROM pool ORDER BY bench.hash(id, %3$s), id LIMIT %2$s)
        SELECT id, sentence, head, tail, relation, NULL::jsonb AS probabilities, true AS gold FROM gold
        UNION ALL
        SELECT r.id, r.sentence, r.head, r.tail, CASE WHEN %4$L = 'hard' THEN w.majority END,
               CASE WHEN %4$L = 'soft' THEN w.probabilities END, false
        FROM pool AS r JOIN bench.weak AS w ON w.task = %1$L AND w.id = r.id
        WHERE %4$L <> 'none' AND NOT EXISTS (SELECT FROM gold AS g WHERE g.id = r.id)$q$, task, n, draw, weak)
$$;

CREATE FUNCTION bench.test(task text) RETURNS text
LANGUAGE sql AS $$
    SELECT format('SELECT id, sentence, head, tail, relation FROM bench.row WHERE task = %L AND held', task)
$$;

-- SemEval's macro-F1 or the accuracy, in percent, of a version, or of the deployed one.
CREATE FUNCTION bench.score(task text, model text, version int DEFAULT NULL) RETURNS double precision
LANGUAGE plpgsql AS $$
DECLARE
    m jsonb;
BEGIN
    SELECT mren.metrics(r.relation, p.relation, CASE WHEN score.task = 'semeval' THEN 'Other' ELSE '' END) INTO m
    FROM mren.predict_rows(model, bench.test(task), version) AS p JOIN bench.row AS r ON r.task = score.task AND r.id = p.id;
    RETURN 100 * (m #>> CASE WHEN task = 'semeval' THEN '{semeval_macro,f1}'::text[] ELSE '{accuracy}' END)::float8;
END
$$;

-- How far confidence is from the share of right answers: the expected calibration error in ten bins.
CREATE FUNCTION bench.calibration_error(task text, model text) RETURNS double precision
LANGUAGE sql AS $$
    SELECT sum(abs(gap)) / sum(n) FROM (
        SELECT count(*) AS n, sum((p.relation = r.relation)::int - p.confidence) AS gap
        FROM mren.predict_rows(model, bench.test(task)) AS p JOIN bench.row AS r ON r.task = calibration_error.task AND r.id = p.id
        GROUP BY least(floor(p.confidence * 10), 9)) AS bin
$$;

-- The options of a training; without gold rows no row has the negative relation.
CREATE FUNCTION bench.options(task text, gold int, more jsonb) RETURNS jsonb
LANGUAGE sql AS $$
    SELECT '{"embeddings": null}'::jsonb
        || CASE WHEN task = 'semeval' AND gold > 0 THEN '{"negative": "Other"}'::jsonb ELSE '{}' END
        || current_setting('bench.options')::jsonb || more
$$;

CREATE PROCEDURE bench.record(part text, name text, draw int, value double precision, started timestamptz)
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO bench.result VALUES (part, name, draw, value, extract(epoch FROM clock_timestamp() - started));
    RAISE WARNING '% %, draw %: %', to_char(clock_timestamp(), 'HH24:MI:SS'), name, draw, round(value::numeric, 3);
END
$$;

-- Trains once a draw, and records the score under a name; the last draw's model stays as "few".
CREATE PROCEDURE bench.measure(part text, name text, task text, gold int, weak text, more jsonb DEFAULT '{}')
LANGUAGE plpgsql AS $$
DECLARE
    started timestamptz;
    v int;
BEGIN
    IF name !~ current_setting('bench.pattern') THEN
        RETURN;
    END IF;
    FOR draw IN 1 .. current_setting('bench.draws')::int LOOP
        started := clock_timestamp();
        IF EXISTS (SELECT FROM mren.models WHERE model = 'few') THEN
            PERFORM mren.drop_model('few');
        END IF;
        COMMIT;
        CALL mren.train('few', bench.training(task, gold, draw, weak), bench.options(task, gold, more), v);
        CALL bench.record(part, name, draw, bench.score(task, 'few'), started);
        COMMIT;
    END LOOP;
END
$$;
