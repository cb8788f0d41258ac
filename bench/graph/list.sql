-- A document with a sentence of 300 names among others.
SET client_min_messages = warning;
CREATE FUNCTION pg_temp.name(i int) RETURNS text LANGUAGE sql AS $$ SELECT 'Ann' || chr(97 + i / 26) || chr(97 + i % 26) || ' Smith' $$;
SELECT mren.load_lexicon('listed', $$SELECT 'Ann' || chr(97 + i / 26) || chr(97 + i % 26) || ' Smith' AS phrase,
    CASE WHEN i % 2 = 0 THEN 'Peop' ELSE 'Loc' END AS type FROM generate_series(0, 299) AS i$$) \g /dev/null
CREATE TABLE lists AS SELECT 1 AS key, format('%s lives in %s. %s. %s lives in %s.', pg_temp.name(0), pg_temp.name(1),
    (SELECT string_agg(pg_temp.name(i), ', ' ORDER BY i) FROM generate_series(0, 299) AS i), pg_temp.name(2), pg_temp.name(3)) AS document;
SELECT mren.create_graph('lists', 'lists', 'relations', lexicons => '{listed}') \g /dev/null
