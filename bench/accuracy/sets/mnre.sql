-- MNRE's tweets without their pictures, trained on train, reported on val.
\set train :data '/text/mnre/mnre_train.txt'
\set val :data '/text/mnre/mnre_val.txt'
CREATE TABLE mnre_train AS SELECT * FROM bench.read('mnre', :'train');
CREATE TABLE mnre_val AS SELECT * FROM bench.read('mnre', :'val');
INSERT INTO bench.figure (name, negative, floor, aim) VALUES ('MNRE, text', 'None', 52, 56);
CALL bench.measure('MNRE, text', 'SELECT * FROM mnre_train', 'SELECT * FROM mnre_val', '{"negative": "None"}');
CALL bench.measure_encoder('MNRE, text', 'SELECT * FROM mnre_train', 'SELECT * FROM mnre_val', '{"negative": "None"}');
