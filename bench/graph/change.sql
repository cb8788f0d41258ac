-- A few documents, chosen by the hash of their key: some get another text, some are deleted.
-- Variables: changed, deleted.
WITH chosen AS (SELECT key, row_number() OVER (ORDER BY md5(key::text)) AS n FROM docs),
     gone AS (DELETE FROM docs USING chosen WHERE chosen.key = docs.key AND chosen.n <= :deleted)
UPDATE docs SET document = other.sentence || ' ' || docs.document
FROM chosen, sentences AS other
WHERE chosen.key = docs.key AND chosen.n > :deleted AND chosen.n <= :deleted + :changed AND other.i = chosen.n * 31;
