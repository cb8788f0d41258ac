-- Models of 19 relations, rows to predict, and the same work in PL/Python.
-- Variables: data, files (a directory of the server).
SET client_min_messages = error;
CREATE EXTENSION mren;
CREATE EXTENSION plpython3u;
\set vectors :files '/vectors'
\set semeval :data '/text/semeval2010_task8/TRAIN_FILE.TXT'
SELECT mren.load_embeddings('glove', :'vectors') \g /dev/null
CREATE TABLE example AS
SELECT row_number() OVER () AS id, sentence, substr(sentence, lower(head) + 1, upper(head) - lower(head)) AS head,
	substr(sentence, lower(tail) + 1, upper(tail) - lower(tail)) AS tail, relation
FROM mren.read_semeval(pg_read_file(:'semeval'))
-- Some mentions are parts of longer words.
WHERE substr(' ' || sentence, lower(head) + 1, 1) || substr(sentence, upper(head) + 1, 1)
	|| substr(' ' || sentence, lower(tail) + 1, 1) || substr(sentence, upper(tail) + 1, 1) !~ '\w';
CREATE TABLE sample AS SELECT id::text AS id, sentence, head, tail FROM example ORDER BY id LIMIT 4000;
ANALYZE;
CALL mren.train('pool', 'SELECT sentence, head, tail, relation FROM example WHERE id <= 400', '{"epochs": 1, "text_encoder": "pool", "hash_bits": 0, "refit": false}') \g /dev/null
CALL mren.train('conv', 'SELECT sentence, head, tail, relation FROM example WHERE id <= 400', '{"epochs": 1, "text_encoder": "conv", "hash_bits": 0, "refit": false}') \g /dev/null
CALL mren.train('default', 'SELECT sentence, head, tail, relation FROM example WHERE id <= 400', '{"epochs": 1, "refit": false}') \g /dev/null
CREATE FUNCTION peer(kind text, files text, sentences text[], heads text[], tails text[]) RETURNS text[] LANGUAGE plpython3u AS $$
if "model " + kind not in GD:
    import sys
    sys.path.insert(0, files)
    from peer import Model, Words
    GD["words"] = GD.get("words") or Words(files + "/vectors")
    GD["model " + kind] = Model(GD["words"], 19, kind != "pool", kind == "default")
return ["r%d" % label for label in GD["model " + kind].predict(sentences, heads, tails)]
$$;
