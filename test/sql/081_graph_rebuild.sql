-- A refresh leaves what a build from nothing leaves, byte for byte: random edits of documents, aliases, relations and
-- reviews, and after each refresh a second graph made anew from the same.
SET client_min_messages = warning;
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/tiny.sql
\i :srcdir/include/graph.sql

-- Chance is of what is drawn for, keys included, not of the order in which a plan comes to it: every run edits the same.
CREATE FUNCTION chance(what text) RETURNS float8 LANGUAGE sql IMMUTABLE AS
    $$SELECT ('x' || left(md5(what), 8))::bit(32)::bigint / 4294967296.0::float8$$;
CREATE FUNCTION one_of(words text[], what text) RETURNS text LANGUAGE sql IMMUTABLE AS
    $$SELECT words[1 + floor(chance(what) * cardinality(words))::int]$$;
CREATE FUNCTION document_of(what text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT string_agg(format(one_of('{The %s is a part of the %s.,A %s is a kind of %s.,%s IS A PART OF THE %s.,The %s is far from the %s.}', what || i),
        one_of('{wheel,Wheel,roof,chair,dog,oak,OAK}', what || i || 'head'), one_of('{car,Car,house,cloud,animal,tree}', what || i || 'tail')), ' ' ORDER BY i)
    FROM generate_series(1, 1 + floor(chance(what) * 4)::int) i$$;
CREATE TABLE docs (key uuid PRIMARY KEY, document text, seen_at timestamp);
INSERT INTO docs SELECT md5(i::text)::uuid, document_of(i::text), '2024-01-01'::timestamp + i * interval '1 day' FROM generate_series(1, 60) i;

SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{world}', relation_schema => 'toy_relations', options => '{"batch_size": 7}');
INSERT INTO kg.relations VALUES ('part_of', 'whole', 'part', false, NULL, false), ('kind_of', NULL, NULL, false, NULL, false);

CREATE PROCEDURE change_something(i int) LANGUAGE plpgsql AS $$
BEGIN
    UPDATE docs SET document = document_of('changed' || i || key) WHERE chance('change' || i || key) < 0.1;
    UPDATE docs SET seen_at = seen_at + interval '1 hour' WHERE chance('seen' || i || key) < 0.1;
    DELETE FROM docs WHERE chance('delete' || i || key) < 0.1;
    INSERT INTO docs SELECT md5(format('%s %s', i, n))::uuid, document_of(format('new %s %s', i, n)), '2025-01-01' FROM generate_series(1, 4) n;
    IF chance('aliases' || i) < 0.6 THEN
        DELETE FROM kg.aliases WHERE chance(format('alias %s %s %s', i, alias, type)) < 0.5;
        INSERT INTO kg.aliases (alias, type, entity, entity_type) VALUES
            (one_of('{wheel,roof,chair,dog,oak,car,house}', 'alias' || i), one_of('{"",part,whole,species}', 'type' || i),
             one_of('{WHEEL,Roof,Seat,dog,Oak tree,Auto,house}', 'entity' || i), one_of('{part,thing,NULL}', 'entity type' || i)) ON CONFLICT DO NOTHING;
    END IF;
    UPDATE kg.relations SET functional = chance('functional' || i || relation) < 0.5, "symmetric" = chance('symmetric' || i || relation) < 0.3,
        inverse_of = CASE WHEN chance('inverse' || i || relation) < 0.3 THEN 'inverse of ' || relation END WHERE chance('rule' || i || relation) < 0.3;
    INSERT INTO kg.review (fact, verdict) SELECT fact, one_of('{confirmed,rejected}', 'verdict' || i || fact) FROM kg.all_facts WHERE chance('review' || i || fact) < 0.05;
    DELETE FROM kg.review WHERE chance('unreviewed' || i || fact) < 0.2;
END
$$;

-- Rows of the two graphs that only one of them has.
CREATE FUNCTION differences() RETURNS TABLE (what text, n bigint) LANGUAGE plpgsql AS $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY '{documents,evidence,entities,all_facts,facts,conflicts,training_rows}'::text[] LOOP
        RETURN QUERY EXECUTE format($q$
            SELECT %1$L, (SELECT count(*) FROM (SELECT to_jsonb(a) - 'scored_at' FROM kg.%1$I a EXCEPT ALL SELECT to_jsonb(b) - 'scored_at' FROM again.%1$I b) x)
                + (SELECT count(*) FROM (SELECT to_jsonb(b) - 'scored_at' FROM again.%1$I b EXCEPT ALL SELECT to_jsonb(a) - 'scored_at' FROM kg.%1$I a) y)$q$, t);
    END LOOP;
END
$$;

CREATE PROCEDURE rounds(n int) LANGUAGE plpgsql AS $$
DECLARE
    summary jsonb;
    wrong text;
BEGIN
    FOR i IN 1 .. n LOOP
        CALL change_something(i);
        CALL mren.refresh_graph('kg', summary);
        PERFORM mren.create_graph('again', 'SELECT * FROM docs ORDER BY document', 'parts', lexicons => '{world}', options => '{"batch_size": 1000}');
        DELETE FROM again.relations;
        INSERT INTO again.relations SELECT * FROM kg.relations;
        INSERT INTO again.aliases SELECT * FROM kg.aliases;
        INSERT INTO again.review OVERRIDING SYSTEM VALUE SELECT * FROM kg.review;
        CALL mren.refresh_graph('again', summary);
        SELECT string_agg(d.what || ' ' || d.n, ', ') INTO wrong FROM differences() d WHERE d.n > 0;
        IF wrong IS NOT NULL THEN
            RAISE WARNING 'round %: %', i, wrong;
            RETURN;
        END IF;
        PERFORM mren.drop_graph('again', drop_tables => true);
    END LOOP;
END
$$;
DO $$ DECLARE s jsonb; BEGIN CALL mren.refresh_graph('kg', s); END $$;
CALL rounds(12);
-- It was about something: the edits alone say how many documents there are, the model has its word in the rest.
SELECT count(*) AS documents FROM kg.documents;
SELECT count(*) > 10 AS facts, count(*) FILTER (WHERE sources > 1) > 5 AS shared, count(*) FILTER (WHERE confirmed) > 0 AS confirmed FROM kg.facts;
SELECT count(*) FILTER (WHERE status = 'superseded') > 10 AS superseded, count(*) FILTER (WHERE status = 'rejected') > 0 AS rejected FROM kg.all_facts;
SELECT count(*) FROM pg_namespace WHERE nspname = 'again';
