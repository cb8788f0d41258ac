-- Pairs of mentions labelled by known facts.
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql

CREATE TABLE fact (head text, head_type text, relation text, tail text, tail_type text);
INSERT INTO fact VALUES
    ('Ada Lovelace', 'person', 'born_in', 'London', 'city'), ('Ada Lovelace', 'person', 'lived_in', 'London', 'city'),
    ('Oslo', 'city', 'capital_of', 'Norway', 'country'), ('Ann', NULL, 'spouse', 'Bob', NULL), (NULL, NULL, 'spouse', 'Bob', NULL);
CREATE TABLE pair (id int, sentence text, head text, head_type text, tail text, tail_type text);
INSERT INTO pair VALUES
    (1, '', 'ADA  lovelace', 'person', 'ＬＯＮＤＯＮ', 'city'),
    (2, '', 'Lovelace', 'person', 'London', 'city'),
    (3, '', 'London', 'city', 'Ada Lovelace', 'person'),
    (4, '', 'Oslo', 'person', 'Norway', 'country'),
    (5, '', 'Oslo', NULL, 'Norway', NULL),
    (6, '', 'Bob', 'person', 'Ann', 'person'),
    (7, '', 'Christiania', 'city', 'Norge', 'country'),
    (8, '', 'Norge', 'country', 'Norway', 'country'),
    (9, '', NULL, NULL, 'Norway', 'country'),
    (10, '', 'Christiania', 'ship', 'Norway', 'country');
CREATE TABLE alias (alias text, name text, type text);
INSERT INTO alias VALUES ('lovelace', 'A. Lovelace', 'person'), ('A. Lovelace', 'Ada Lovelace', NULL), ('Kristiania', 'Oslo', NULL),
    ('Christiania', 'Kristiania', 'city'), ('Norge', 'Norway', NULL), ('circle', 'round', NULL), ('round', 'circle', NULL);

SELECT * FROM mren.distant_labels('SELECT * FROM fact', 'SELECT * FROM pair') ORDER BY id::int, relation;
-- Aliases are followed to their end; a mention and its own alias are no pair; symmetric relations hold in both directions.
SELECT * FROM mren.distant_labels('SELECT * FROM fact', 'SELECT * FROM pair',
    '{"aliases": "SELECT * FROM alias", "symmetric": ["spouse"], "negative": "none", "negative_weight": 0.25}') ORDER BY id::int, relation;
-- Whatever the collations of the columns.
SELECT count(*) FROM mren.distant_labels('SELECT head COLLATE "C" AS head, head_type, relation, tail, tail_type COLLATE "C" AS tail_type FROM fact', 'SELECT * FROM pair',
    '{"aliases": "SELECT alias, name COLLATE \"POSIX\" AS name, type COLLATE \"POSIX\" AS type FROM alias", "symmetric": ["spouse"]}');
-- Without types, without negatives.
SELECT * FROM mren.distant_labels('SELECT head, relation, tail FROM fact', 'SELECT id, head, tail FROM pair',
    '{"negative": null, "aliases": "SELECT alias, name FROM alias"}') ORDER BY id::int, relation;
-- Mentions as ranges; what it returns are columns of a training query.
SELECT p.id, p.head, d.relation, d.weight
FROM (VALUES (1, 'Ada Lovelace left London.', int4range(0, 12), int4range(18, 24))) AS p (id, sentence, head, tail)
JOIN mren.distant_labels('SELECT * FROM fact', 'SELECT 1 AS id, ''Ada Lovelace left London.'' AS sentence, int4range(0, 12) AS head, int4range(18, 24) AS tail') AS d
    ON d.id = p.id::text ORDER BY 3;
SELECT count(*) FROM mren.distant_labels('SELECT * FROM fact WHERE false', 'SELECT * FROM pair WHERE false', '{"aliases": "SELECT * FROM alias WHERE false"}');

-- Nobody's operator or function is taken for ours.
CREATE SCHEMA decoy;
CREATE FUNCTION decoy.never(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT false';
CREATE OPERATOR decoy.= (FUNCTION = decoy.never, LEFTARG = text, RIGHTARG = text);
SET search_path = decoy, public, pg_catalog;
SELECT count(*) FROM mren.distant_labels('SELECT * FROM fact', 'SELECT * FROM pair', '{"negative": null}');
RESET search_path;

SELECT error_of($$SELECT * FROM mren.distant_labels('SELECT head, tail FROM fact', 'SELECT * FROM pair')$$);
SELECT error_of($$SELECT * FROM mren.distant_labels('SELECT * FROM fact', 'SELECT head, tail FROM pair')$$);
SELECT error_of($$SELECT * FROM mren.distant_labels('SELECT int4range(0, 1) AS head, ''r'' AS relation, int4range(0, 1) AS tail, ''a'' AS sentence', 'SELECT * FROM pair')$$);
SELECT error_of($$SELECT * FROM mren.distant_labels('SELECT * FROM fact', 'SELECT 1 AS id, int4range(0, 1) AS head, ''a'' AS tail')$$);
SELECT error_of($$SELECT * FROM mren.distant_labels('SELECT * FROM fact', 'SELECT 1 AS id, int4range(0, 1) AS head, int4range(0, 1) AS tail')$$);
SELECT error_of($$SELECT * FROM mren.distant_labels('SELECT * FROM fact', 'SELECT * FROM pair', '{"aliases": "SELECT alias FROM alias"}')$$);
SELECT error_of($$SELECT * FROM mren.distant_labels('SELECT * FROM fact', 'SELECT * FROM pair', '{"aliases": "DELETE FROM alias RETURNING *"}')$$);
SELECT error_of($$SELECT * FROM mren.distant_labels('SELECT * FROM fact', 'SELECT * FROM pair', '{"negative_weight": 0}')$$);
SELECT error_of($$SELECT * FROM mren.distant_labels('SELECT * FROM fact', 'SELECT * FROM pair', '{"symmetric": "spouse"}')$$);
SELECT error_of($$SELECT * FROM mren.distant_labels('SELECT * FROM fact', 'SELECT * FROM pair', '{"symmetric": [1]}')$$);
SELECT error_of($$SELECT * FROM mren.distant_labels('SELECT * FROM fact', 'SELECT * FROM pair', '{"alias": "x"}')$$);
SELECT error_of($$SELECT * FROM mren.distant_labels('INSERT INTO fact DEFAULT VALUES RETURNING *', 'SELECT * FROM pair')$$);
