-- CoNLL04 with gold spans and types: all ordered pairs of a sentence's entities,
-- trained on train, reported on dev.
\set train :data '/text/conll04/conll04_train.json'
\set dev :data '/text/conll04/conll04_dev.json'
CREATE TABLE conll04_train AS SELECT * FROM bench.read('conll04', :'train');
CREATE TABLE conll04_dev AS SELECT * FROM bench.read('conll04', :'dev');
INSERT INTO bench.figure (name, negative, floor, aim) VALUES
    ('CoNLL04, gold spans and types', 'None', 72, 75);
CALL bench.measure('CoNLL04, gold spans and types', 'SELECT * FROM conll04_train', 'SELECT * FROM conll04_dev', '{"negative": "None"}');
CALL bench.measure_encoder('CoNLL04, gold spans and types', 'SELECT * FROM conll04_train', 'SELECT * FROM conll04_dev', '{"negative": "None"}');
