-- A refresh leaves what a build from nothing leaves, byte for byte: random edits of documents, aliases, relations and
-- reviews, and after each refresh a second graph made anew from the same.
SET client_min_messages = warning;
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/tiny.sql
\i :srcdir/include/graph.sql

SELECT setseed(0.42);
CREATE FUNCTION random_of(words text[]) RETURNS text LANGUAGE sql VOLATILE AS
    $$SELECT words[1 + floor(random() * cardinality(words))::int]$$;
CREATE FUNCTION random_document() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT string_agg(format(random_of('{The %s is a part of the %s.,A %s is a kind of %s.,%s IS A PART OF THE %s.,The %s is far from the %s.}'),
        random_of('{wheel,Wheel,roof,chair,dog,oak,OAK}'), random_of('{car,Car,house,cloud,animal,tree}')), ' ')
    FROM generate_series(1, 1 + floor(random() * 4)::int)$$;
CREATE TABLE docs (key uuid PRIMARY KEY, document text, seen_at timestamp);
INSERT INTO docs SELECT md5(i::text)::uuid, random_document(), '2024-01-01'::timestamp + i * interval '1 day' FROM generate_series(1, 60) i;

SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{world}', relation_schema => 'toy_relations', options => '{"batch_size": 7}');
INSERT INTO kg.relations VALUES ('part_of', 'whole', 'part', false, NULL, false), ('kind_of', NULL, NULL, false, NULL, false);

CREATE PROCEDURE change_something() LANGUAGE plpgsql AS $$
BEGIN
    UPDATE docs SET document = random_document() WHERE random() < 0.1;
    UPDATE docs SET seen_at = seen_at + interval '1 hour' WHERE random() < 0.1;
    DELETE FROM docs WHERE random() < 0.1;
    INSERT INTO docs SELECT gen_random_uuid(), random_document(), '2025-01-01' FROM generate_series(1, 4);
    IF random() < 0.6 THEN
        DELETE FROM kg.aliases WHERE random() < 0.5;
        INSERT INTO kg.aliases (alias, type, entity, entity_type) VALUES
            (random_of('{wheel,roof,chair,dog,oak,car,house}'), random_of('{"",part,whole,species}'),
             random_of('{WHEEL,Roof,Seat,dog,Oak tree,Auto,house}'), random_of('{part,thing,NULL}')) ON CONFLICT DO NOTHING;
    END IF;
    UPDATE kg.relations SET functional = random() < 0.5, "symmetric" = random() < 0.3,
        inverse_of = CASE WHEN random() < 0.3 THEN 'inverse of ' || relation END WHERE random() < 0.3;
    INSERT INTO kg.review (fact, verdict) SELECT fact, random_of('{confirmed,rejected}') FROM kg.all_facts WHERE random() < 0.05;
    DELETE FROM kg.review WHERE random() < 0.2;
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
        CALL change_something();
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
-- It was about something.
SELECT count(*) > 0 AS facts, count(*) FILTER (WHERE sources > 1) > 0 AS shared FROM kg.facts;
SELECT count(*) FROM pg_namespace WHERE nspname = 'again';
