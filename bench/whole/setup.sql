-- Rows to train on.
-- Variables: data, vectors (a file).
SET client_min_messages = error;
CREATE EXTENSION mren;
ALTER DATABASE postgres SET client_min_messages = error;
\set semeval :data '/text/semeval2010_task8/TRAIN_FILE.TXT'
SELECT mren.load_embeddings('glove', :'vectors') \g /dev/null
CREATE TABLE sample AS
SELECT sentence, substr(sentence, lower(head) + 1, upper(head) - lower(head)) AS head,
	substr(sentence, lower(tail) + 1, upper(tail) - lower(tail)) AS tail, relation
FROM mren.read_semeval(pg_read_file(:'semeval'))
-- Some mentions are parts of longer words.
WHERE substr(' ' || sentence, lower(head) + 1, 1) || substr(sentence, upper(head) + 1, 1)
	|| substr(' ' || sentence, lower(tail) + 1, 1) || substr(sentence, upper(tail) + 1, 1) !~ '\w'
LIMIT 2000;
ANALYZE;
