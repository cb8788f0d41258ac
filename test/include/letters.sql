-- A toy task that a text encoder learns: the text encoder "tiny text", and the
-- table letters (id, sentence, head, tail, relation) of :n_letters sentences,
-- whose mentions stand in one order or the other.
\i :srcdir/include/text_encoder.sql
SELECT mren.load_text_encoder('tiny text', tiny_encoder());
CREATE TABLE letters AS
SELECT g AS id, CASE WHEN g % 2 = 0 THEN 'a bc ' ELSE 'b ac ' END || g AS sentence,
    CASE WHEN g / 2 % 2 = 0 THEN int4range(0, 1) ELSE int4range(2, 4) END AS head, CASE WHEN g / 2 % 2 = 0 THEN int4range(2, 4) ELSE int4range(0, 1) END AS tail,
    CASE WHEN g / 2 % 2 = 0 THEN 'before' ELSE 'behind' END AS relation
FROM generate_series(1, :n_letters) g;
