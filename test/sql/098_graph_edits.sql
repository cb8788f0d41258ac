-- Edits of a graph: the review queue, facts by hand, and sequences of random edits, each of which can be undone.
SET client_min_messages = warning;
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\i :srcdir/include/tiny.sql
\i :srcdir/include/graph.sql
CREATE TABLE docs (key int PRIMARY KEY, document text, seen_at timestamptz);
INSERT INTO docs SELECT i, format('The %s is a part of the %s. The %s is a kind of %s.', (ARRAY['wheel', 'roof', 'chair'])[1 + i % 3],
    (ARRAY['car', 'house', 'cloud'])[1 + i / 3 % 3], (ARRAY['dog', 'oak'])[1 + i % 2], (ARRAY['animal', 'tree'])[1 + i / 2 % 2]), '2024-01-01'::timestamptz + i * interval '1 day'
FROM generate_series(1, 12) i;
SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{world}', relation_schema => 'toy_relations');
CALL mren.refresh_graph('kg');

-- Facts by hand.
INSERT INTO kg.manual_facts (head, head_type, relation, tail, tail_type, seen_at, note) VALUES ('Spoke', 'part', 'part_of', 'Wheel', 'part', '2020-01-01', 'seen');
INSERT INTO kg.manual_facts (head, head_type, relation, tail, tail_type) VALUES ('wheel', 'part', 'part_of', 'car', 'whole');
SELECT mren.merge_graph('kg') - 'documents';
SELECT head, head_type, relation, tail, confidence, sources, first_seen FROM kg.facts WHERE confidence = 1 ORDER BY head;
SELECT name, mentions FROM kg.entities WHERE canonical IN ('spoke', 'wheel') ORDER BY name;
SELECT count(*) FROM mren.export_neo4j('kg', 'relationships') AS x WHERE x ~ ';;|,;|;$';
CALL mren.refresh_graph('kg');
SELECT count(*) FROM kg.facts WHERE head = 'Spoke';

-- The queue: no fact that was judged or is by hand alone; a verdict of unsure is one.
SELECT count(*) = (SELECT count(*) - 1 FROM kg.facts) AS all_but_one, bool_and(value >= 0) AS valued FROM mren.review_queue('kg', 100);
SELECT count(*) FROM mren.review_queue('kg', 3);
SELECT DISTINCT relation FROM mren.review_queue('kg', 100, '{"relation": "kind_of", "diverse": false}');
CREATE TABLE asked AS SELECT * FROM mren.review_queue('kg', 2);
INSERT INTO kg.review (fact, verdict) SELECT fact, 'unsure' FROM asked;
SELECT count(*) FROM mren.review_queue('kg', 100) q JOIN asked a ON a.fact = q.fact;
SELECT mren.merge_graph('kg') - 'documents';
SELECT count(*) FROM mren.review_queue('kg', 100) q JOIN asked a ON a.fact = q.fact;
SELECT count(*) AS shown FROM kg.facts f JOIN asked a ON a.fact = f.fact WHERE NOT f.confirmed;
SELECT count(*) FROM kg.training_rows;
-- Unsure after a rejection takes it back.
INSERT INTO kg.review (fact, verdict) SELECT fact, 'rejected' FROM asked;
SELECT count(*) FROM kg.facts f JOIN asked a ON a.fact = f.fact;
INSERT INTO kg.review (fact, verdict) SELECT fact, 'unsure' FROM asked;
SELECT mren.merge_graph('kg') - 'documents';
SELECT count(*) FROM kg.facts f JOIN asked a ON a.fact = f.fact;
SELECT error_of($$SELECT mren.review_queue('kg', 0)$$);
SELECT error_of($$SELECT mren.review_queue('kg', 1, '{"relations": "x"}')$$);
DELETE FROM kg.review;
DELETE FROM kg.manual_facts;
SELECT mren.merge_graph('kg') - 'documents';

-- A corrected relation: the evidence becomes that of the other fact, and the training row says so.
CREATE TABLE wrong AS SELECT fact, head, tail FROM kg.facts WHERE head = 'wheel' AND tail = 'car' AND relation = 'part_of';
INSERT INTO kg.review (fact, verdict, relation) SELECT fact, 'rejected', 'kind_of' FROM wrong;
SELECT count(*) FROM kg.facts f JOIN wrong w ON w.fact = f.fact;
SELECT mren.merge_graph('kg') - 'documents';
SELECT relation, confirmed, confidence FROM kg.facts WHERE head = 'wheel' AND tail = 'car';
SELECT DISTINCT relation, substr(sentence, lower(head) + 1, upper(head) - lower(head)) AS head, substr(sentence, lower(tail) + 1, upper(tail) - lower(tail)) AS tail FROM kg.training_rows;
-- By an inverse relation, from the other side.
UPDATE kg.relations SET inverse_of = 'has_kind' WHERE relation = 'kind_of';
SELECT mren.merge_graph('kg') - 'documents';
SELECT head, relation, tail, confirmed FROM kg.facts WHERE 'wheel' IN (head, tail) AND 'car' IN (head, tail);
SELECT DISTINCT relation, substr(sentence, lower(head) + 1, upper(head) - lower(head)) AS head, substr(sentence, lower(tail) + 1, upper(tail) - lower(tail)) AS tail FROM kg.training_rows;
UPDATE kg.relations SET inverse_of = NULL WHERE relation = 'kind_of';
-- Confirmed as such, it stays; a later rejection or doubt takes the correction back.
SELECT mren.merge_graph('kg') - 'documents';
INSERT INTO kg.review (fact, verdict) SELECT fact, 'confirmed' FROM kg.facts WHERE head = 'wheel' AND tail = 'car';
SELECT mren.merge_graph('kg') - 'documents';
SELECT relation, confirmed FROM kg.facts WHERE head = 'wheel' AND tail = 'car';
INSERT INTO kg.review (fact, verdict) SELECT fact, 'unsure' FROM kg.facts WHERE head = 'wheel' AND tail = 'car';
SELECT mren.merge_graph('kg') - 'documents';
SELECT relation, confirmed FROM kg.facts WHERE head = 'wheel' AND tail = 'car';
DELETE FROM kg.review;
SELECT error_of($$INSERT INTO kg.review (fact, verdict, relation) SELECT fact, 'confirmed', 'kind_of' FROM wrong$$) LIKE '23514%' AS refused;

-- Verdicts on mentions: of one document, or of all.
SELECT mren.merge_graph('kg') - 'documents';
SELECT count(*) AS facts, sum(sources) AS sources FROM kg.facts;
INSERT INTO kg.mention_review (document, mention, verdict) VALUES ('3', 'Wheel', 'rejected');
SELECT mren.merge_graph('kg') - 'documents';
SELECT count(*) AS facts, sum(sources) AS sources FROM kg.facts;
SELECT count(*) FROM kg.evidence WHERE fact IS NULL;
INSERT INTO kg.mention_review (document, mention, verdict, right_mention, right_type) VALUES ('3', 'wheel', 'corrected', 'The wheel', 'part');
SELECT mren.merge_graph('kg') - 'documents';
SELECT name, type, mentions, names FROM kg.entities WHERE canonical LIKE '%wheel' ORDER BY name;
INSERT INTO kg.review (fact, verdict) SELECT fact, 'confirmed' FROM kg.facts WHERE head = 'The wheel';
SELECT mren.merge_graph('kg') - 'documents';
SELECT relation, substr(sentence, lower(head) + 1, upper(head) - lower(head)) AS head, substr(sentence, lower(tail) + 1, upper(tail) - lower(tail)) AS tail, head_type FROM kg.training_rows;
-- No row for a sentence in which the name does not stand.
UPDATE kg.mention_review SET right_mention = 'The steering wheel' WHERE right_mention IS NOT NULL;
SELECT mren.merge_graph('kg') - 'documents';
SELECT count(*) FROM kg.training_rows;
SELECT error_of($$INSERT INTO kg.mention_review (mention, verdict) VALUES ('wheel', 'corrected')$$) LIKE '23514%' AS refused;
-- Nothing has no name.
SELECT error_of(format('INSERT INTO kg.%s', row)) LIKE '23514%' AS refused FROM unnest(ARRAY[
    $$aliases (alias, entity) VALUES ('wheel', ' ')$$, $$ignored (name) VALUES ('')$$, $$manual_facts (head, relation, tail) VALUES ('wheel', 'part_of', '')$$,
    $$mention_review (mention, verdict) VALUES ('', 'rejected')$$, $$mention_review (mention, verdict, right_mention) VALUES ('wheel', 'corrected', ' ')$$]) AS row;
-- A name has room in indexes.
SELECT error_of(format('INSERT INTO kg.%s', replace(row, 'LONG', repeat('x', 1001)))) LIKE '23514%' AS refused FROM unnest(ARRAY[
    $$aliases (alias, entity) VALUES ('wheel', 'LONG')$$, $$ignored (name) VALUES ('LONG')$$, $$manual_facts (head, relation, tail) VALUES ('LONG', 'part_of', 'car')$$,
    $$mention_review (mention, verdict, right_mention) VALUES ('wheel', 'corrected', 'LONG')$$]) AS row;
INSERT INTO kg.manual_facts (head, relation, tail) SELECT string_agg(md5(n::text), '' ORDER BY n) || 'abcdefgh', 'part_of', 'car' FROM generate_series(1, 31) AS n;
SELECT mren.merge_graph('kg') ->> 'status' AS status;
SELECT count(*) FROM kg.facts WHERE length(head) = 1000;
DELETE FROM kg.manual_facts WHERE length(head) = 1000;
DELETE FROM kg.mention_review;
DELETE FROM kg.review;
SELECT mren.merge_graph('kg') - 'documents';

-- Random edits and undos of a graph whose model needs sure mentions, of which half are not.  After
-- each, the graph is what a build from nothing with the same edits gives; when all are undone, it is
-- what it was.
SELECT mren.drop_graph('kg', drop_tables => true);
CALL mren.train('decided', 'SELECT * FROM pairs', '{"negative": "none", "validation_share": 0.3, "epochs": 40, "hidden": [8], "decide": "f1"}');
SELECT mren.load_lexicon('dim', $$SELECT phrase, type, CASE WHEN phrase IN ('wheel', 'house', 'oak', 'animal') THEN 0.2 ELSE 1 END AS confidence
    FROM (VALUES ('wheel', 'part'), ('roof', 'part'), ('chair', 'part'), ('car', 'whole'), ('house', 'whole'), ('cloud', 'whole'),
        ('dog', 'species'), ('oak', 'species'), ('animal', 'kind'), ('tree', 'kind')) AS t (phrase, type)$$) AS phrases;
SELECT mren.create_graph('kg', 'docs', 'decided', lexicons => '{dim}', relation_schema => 'toy_relations');
CALL mren.refresh_graph('kg');
SELECT made, count(*) > 0 AS some, bool_and((fact IS NULL) <> made) AS only_those_are_facts FROM kg.evidence GROUP BY 1 ORDER BY 1;
SELECT mren.create_graph('again', 'docs', 'decided', lexicons => '{dim}', relation_schema => 'toy_relations');
CREATE TABLE facts_before AS SELECT * FROM kg.all_facts;
CREATE TABLE entities_before AS SELECT * FROM kg.entities;
CREATE TABLE evidence_before AS SELECT * FROM kg.evidence;
CREATE TABLE edits (n serial PRIMARY KEY, kind text, undo text);

CREATE FUNCTION edit(kind int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    a text := (SELECT name FROM (SELECT name FROM kg.entities UNION SELECT head FROM kg.evidence UNION SELECT tail FROM kg.evidence) n ORDER BY random() LIMIT 1);
    b text := (SELECT name FROM kg.entities ORDER BY random() LIMIT 1);
    f uuid := (SELECT fact FROM kg.all_facts ORDER BY random() LIMIT 1);
    n int := (SELECT coalesce(max(e.n), 0) FROM edits e);
    done text;
BEGIN
    CASE kind
    WHEN 0 THEN
        INSERT INTO kg.aliases (alias, entity) VALUES (a, CASE WHEN random() < 0.3 THEN 'Thing ' || floor(3 * random()) ELSE b END) ON CONFLICT DO NOTHING
        RETURNING format('DELETE FROM kg.aliases WHERE alias = %L', alias) INTO done;
    WHEN 1 THEN
        INSERT INTO kg.ignored (name) VALUES (a) ON CONFLICT DO NOTHING
        RETURNING format('DELETE FROM kg.ignored WHERE name = %L', name) INTO done;
    WHEN 2 THEN
        INSERT INTO kg.manual_facts (head, head_type, relation, tail, tail_type, seen_at) VALUES (a, 'part', 'part_of', b, 'whole', '2024-01-05')
        RETURNING format('DELETE FROM kg.manual_facts WHERE id = %s', id) INTO done;
    WHEN 3 THEN
        INSERT INTO kg.review (fact, verdict) VALUES (f, (ARRAY['confirmed', 'rejected', 'unsure'])[1 + floor(3 * random())])
        RETURNING format('DELETE FROM kg.review WHERE id = %s', id) INTO done;
    WHEN 4 THEN
        INSERT INTO kg.merge_candidates SELECT x.canonical, x.type, y.canonical, y.type, 1, '{}', 'accepted' FROM kg.entities x, kg.entities y
        WHERE x.name = a AND y.name = b AND x.entity <> y.entity LIMIT 1 ON CONFLICT DO NOTHING
        RETURNING format('DELETE FROM kg.merge_candidates WHERE (name, type, other_name, other_type) = (%L, %L, %L, %L)', name, type, other_name, other_type) INTO done;
    WHEN 6 THEN
        INSERT INTO kg.review (fact, verdict, relation) VALUES (f, 'rejected', (ARRAY['kind_of', 'part_of', 'made_of'])[1 + floor(3 * random())])
        RETURNING format('DELETE FROM kg.review WHERE id = %s', id) INTO done;
    WHEN 7 THEN
        INSERT INTO kg.mention_review (document, mention, verdict, right_mention)
        SELECT CASE WHEN random() < 0.5 THEN d ELSE '' END, a, v, CASE WHEN v = 'corrected' THEN b END
        FROM (SELECT (1 + floor(12 * random()))::text AS d, (ARRAY['confirmed', 'rejected', 'corrected', 'unsure'])[1 + floor(4 * random())] AS v) x
        RETURNING format('DELETE FROM kg.mention_review WHERE id = %s', id) INTO done;
    WHEN 8 THEN
        -- Linked to one key, and so one.
        PERFORM mren.link_entities('kg', format('SELECT %L AS key, %L AS name, ARRAY[%L] AS aliases', 'Q' || n, a, b), '{"merge": true, "min_score": 1}');
        done := format($u$DELETE FROM kg.merge_candidates WHERE 'same key Q%s' = ANY (reasons)$u$, n);
    WHEN 5 THEN
        UPDATE kg.relations SET functional = NOT functional WHERE relation = 'part_of';
        done := $u$UPDATE kg.relations SET functional = NOT functional WHERE relation = 'part_of'$u$;
    END CASE;
    IF done IS NOT NULL THEN
        INSERT INTO edits (kind, undo) VALUES (kind, done);
    END IF;
END
$$;

-- The number of rows in which the graph differs from one that is built anew.
CREATE FUNCTION differs() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    summary jsonb;
BEGIN
    PERFORM mren.merge_graph('kg');
    TRUNCATE again.documents, again.evidence, again.entities, again.all_facts, again.aliases, again.ignored, again.manual_facts, again.review, again.merge_candidates, again.relations, again.mention_review;
    UPDATE again.state SET rules = NULL;
    INSERT INTO again.aliases TABLE kg.aliases;
    INSERT INTO again.ignored TABLE kg.ignored;
    INSERT INTO again.manual_facts OVERRIDING SYSTEM VALUE TABLE kg.manual_facts;
    INSERT INTO again.review OVERRIDING SYSTEM VALUE TABLE kg.review;
    INSERT INTO again.merge_candidates TABLE kg.merge_candidates;
    INSERT INTO again.relations TABLE kg.relations;
    INSERT INTO again.mention_review OVERRIDING SYSTEM VALUE TABLE kg.mention_review;
    CALL mren.refresh_graph('again', summary);
    RETURN (SELECT count(*) FROM ((TABLE kg.all_facts EXCEPT TABLE again.all_facts) UNION ALL (TABLE again.all_facts EXCEPT TABLE kg.all_facts)) x)
        + (SELECT count(*) FROM ((TABLE kg.entities EXCEPT TABLE again.entities) UNION ALL (TABLE again.entities EXCEPT TABLE kg.entities)) x)
        + (SELECT count(*) FROM ((TABLE kg.evidence EXCEPT TABLE again.evidence) UNION ALL (TABLE again.evidence EXCEPT TABLE kg.evidence)) x);
END
$$;

CREATE FUNCTION sequence(seed double precision, steps int) RETURNS TABLE (wrong bigint, edited bigint, changed bool, left_over bigint) LANGUAGE plpgsql AS $$
DECLARE
    e record;
BEGIN
    PERFORM setseed(seed);
    wrong := 0;
    edited := 0;
    changed := false;
    FOR i IN 1 .. steps LOOP
        SELECT * INTO e FROM edits ORDER BY random() LIMIT 1;
        IF random() < 0.3 AND e.n IS NOT NULL THEN
            EXECUTE e.undo;
            DELETE FROM edits WHERE n = e.n;
        ELSE
            PERFORM edit(floor(9 * random())::int);
            edited := edited + 1;
        END IF;
        wrong := wrong + differs();
        changed := changed OR EXISTS (TABLE kg.all_facts EXCEPT TABLE facts_before);
    END LOOP;
    FOR e IN SELECT * FROM edits ORDER BY random() LOOP
        EXECUTE e.undo;
        PERFORM mren.merge_graph('kg');
    END LOOP;
    DELETE FROM edits;
    left_over := (SELECT count(*) FROM ((TABLE kg.all_facts EXCEPT TABLE facts_before) UNION ALL (TABLE facts_before EXCEPT TABLE kg.all_facts)) x)
        + (SELECT count(*) FROM ((TABLE kg.entities EXCEPT TABLE entities_before) UNION ALL (TABLE entities_before EXCEPT TABLE kg.entities)) x)
        + (SELECT count(*) FROM ((TABLE kg.evidence EXCEPT TABLE evidence_before) UNION ALL (TABLE evidence_before EXCEPT TABLE kg.evidence)) x);
    RETURN NEXT;
END
$$;
SELECT wrong, edited > 0 AS edited, changed, left_over FROM generate_series(1, 3) i, sequence(i / 10.0, 12);
-- Verdicts that apply to nothing wait, and a merge says so.
DELETE FROM kg.review;
INSERT INTO kg.review (fact, verdict) VALUES ('00000000-0000-0000-0000-000000000001', 'rejected');
INSERT INTO kg.mention_review (document, mention, type, verdict) VALUES ('99', 'wheel', '', 'rejected'), ('', 'wheel', 'Part', 'rejected'), ('', 'WHEEL', 'part', 'confirmed');
SET client_min_messages = notice;
SELECT mren.merge_graph('kg') ->> 'status';
DELETE FROM kg.review;
DELETE FROM kg.mention_review;
SELECT mren.merge_graph('kg') ->> 'status';
