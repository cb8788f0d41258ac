-- A toy world for graphs: over the embeddings "tiny" and the table pairs of
-- tiny.sql, the model "parts", the lexicon "world" (parts, wholes, kinds) and
-- the relation schema toy_relations, by which a sentence gives one triple.
CALL mren.train('parts', 'SELECT * FROM pairs',
    '{"negative": "none", "validation_share": 0, "epochs": 40, "hidden": [8]}');
SELECT mren.load_lexicon('world', $$
    SELECT phrase, type FROM (VALUES
        ('wheel', 'part'), ('roof', 'part'), ('chair', 'part'), ('car', 'whole'), ('house', 'whole'), ('cloud', 'whole'),
        ('dog', 'species'), ('oak', 'species'), ('animal', 'kind'), ('tree', 'kind')) AS t (phrase, type)$$) AS phrases;
CREATE TABLE toy_relations (relation text, head_type text, tail_type text);
INSERT INTO toy_relations VALUES ('part_of', 'part', 'whole'), ('kind_of', 'species', 'kind');
