-- Known facts on Re-DocRED: of 200 documents, half of the facts are known and their sentences are
-- weak rows; 50 other documents are labelled, with each relation of a pair as a row.  Best F1 over thresholds of the relations'
-- probabilities, of the pairs of entities that share a sentence, on 100 further documents.
INSERT INTO bench.figure (part, name, aim) VALUES ('distant', '50 documents + known facts', 37.5);
\set file :files '/dev_revised.json'
CREATE TABLE bench.docred AS SELECT * FROM mren.read_docred(pg_read_file(:'file'));
CREATE INDEX ON bench.docred (document, part);
CREATE TABLE bench.document AS
SELECT document, text, row_number() OVER (ORDER BY bench.hash(document, 0)) AS n FROM bench.docred WHERE part = 'document';
CREATE TABLE bench.entity AS
SELECT document, entity, (array_agg(text ORDER BY length(text) DESC, text))[1] AS name, min(type) AS type FROM bench.docred WHERE part = 'mention' GROUP BY 1, 2;
-- The first mention of each entity in each sentence, and the ordered pairs of them.
CREATE TABLE bench.mention AS
SELECT DISTINCT ON (s.document, s.span, m.entity) s.document, s.span AS sentence, m.entity, m.text, m.type,
       int4range(lower(m.span) - lower(s.span), upper(m.span) - lower(s.span)) AS span
FROM bench.docred AS s JOIN bench.docred AS m ON m.document = s.document AND m.part = 'mention' AND m.span <@ s.span
WHERE s.part = 'sentence' ORDER BY s.document, s.span, m.entity, lower(m.span);
CREATE TABLE bench.pair AS
SELECT row_number() OVER (ORDER BY d.n, h.sentence, h.entity, t.entity) AS id, d.n, h.document, h.entity AS head_entity, t.entity AS tail_entity,
       substr(d.text, lower(h.sentence) + 1, upper(h.sentence) - lower(h.sentence)) AS sentence,
       h.span AS head, t.span AS tail, h.text AS head_name, t.text AS tail_name, h.type AS head_type, t.type AS tail_type
FROM bench.mention AS h JOIN bench.mention AS t USING (document, sentence) JOIN bench.document AS d USING (document)
WHERE h.entity <> t.entity AND NOT h.span && t.span AND d.n <= 350;
CREATE TABLE bench.fact AS
SELECT DISTINCT document, head, relation, tail FROM bench.docred WHERE part = 'fact';
CREATE INDEX ON bench.fact (document, head, tail);
ANALYZE;

CREATE PROCEDURE bench.learn_facts(name text, known boolean)
LANGUAGE plpgsql AS $$
DECLARE
    started timestamptz;
    v int;
    best float8;
BEGIN
    FOR draw IN 1 .. current_setting('bench.draws')::int LOOP
        started := clock_timestamp();
        CREATE TEMP TABLE distant AS
        SELECT * FROM mren.distant_labels(
            format($q$SELECT h.name AS head, f.relation, t.name AS tail FROM bench.fact AS f
                      JOIN bench.document AS d USING (document)
                      JOIN bench.entity AS h ON h.document = f.document AND h.entity = f.head
                      JOIN bench.entity AS t ON t.document = f.document AND t.entity = f.tail
                      WHERE d.n BETWEEN 51 AND 250 AND bench.hash(f.document || f.head || ' ' || f.tail, %s) %% 2 = 0$q$, draw),
            'SELECT id, head_name AS head, tail_name AS tail FROM bench.pair WHERE n BETWEEN 51 AND 250',
            jsonb_build_object('aliases', $q$SELECT DISTINCT m.text AS alias, e.name FROM bench.docred AS m JOIN bench.entity AS e USING (document, entity)
                                             WHERE m.part = 'mention' AND m.text <> e.name
                                               AND m.text IN (SELECT text FROM bench.docred WHERE part = 'mention' GROUP BY text HAVING count(DISTINCT document) = 1)$q$));
        CALL mren.train('facts', format($q$
            SELECT p.id, p.sentence, p.head, p.tail, p.head_type, p.tail_type, COALESCE(f.relation, 'no_relation') AS relation, 1::real AS weight, true AS gold, p.document AS group
            FROM bench.pair AS p LEFT JOIN bench.fact AS f ON f.document = p.document AND f.head = p.head_entity AND f.tail = p.tail_entity
            WHERE p.n <= 50
            UNION ALL
            SELECT p.id, p.sentence, p.head, p.tail, p.head_type, p.tail_type, l.relation, l.weight::real, false, p.document
            FROM bench.pair AS p JOIN distant AS l ON l.id = p.id::text WHERE %L$q$, known),
            '{"embeddings": null, "text_encoder": "pool", "negative": "no_relation", "deploy": true}'::jsonb || current_setting('bench.options')::jsonb, v);
        WITH said AS (
            SELECT q.document, q.head_entity, q.tail_entity, r.key AS relation, max(r.value::float8) AS confidence
            FROM mren.predict_rows_proba('facts', 'SELECT * FROM bench.pair WHERE n > 250') AS p JOIN bench.pair AS q ON q.id::text = p.id,
                 jsonb_each_text(p.probabilities) AS r
            WHERE r.key <> 'no_relation' AND r.value::float8 > 0.01 GROUP BY 1, 2, 3, 4),
        truth AS (
            SELECT count(*) AS n FROM bench.fact AS f
            WHERE EXISTS (SELECT FROM bench.pair AS q WHERE q.n > 250 AND q.document = f.document AND q.head_entity = f.head AND q.tail_entity = f.tail)),
        curve AS (
            SELECT row_number() OVER w AS n, count(f.document) OVER w AS hit
            FROM said AS s LEFT JOIN bench.fact AS f ON f.document = s.document AND f.head = s.head_entity AND f.tail = s.tail_entity AND f.relation = s.relation
            WINDOW w AS (ORDER BY confidence DESC, s.document, s.head_entity, s.tail_entity, s.relation))
        SELECT max(200.0 * hit / (c.n + t.n)) INTO best FROM curve AS c, truth AS t;
        CALL bench.record('distant', name, draw, best, started);
        DROP TABLE distant;
        COMMIT;
    END LOOP;
END
$$;
CALL bench.learn_facts('50 documents', false);
CALL bench.learn_facts('50 documents + known facts', true);
