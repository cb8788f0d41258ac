-- ChemProt as SciBERT's files have it: every row holds a relation, so micro-F1 is
-- accuracy.  Trained on train, reported on dev.
\set train :data '/text/chemprot/train.txt'
\set dev :data '/text/chemprot/dev.txt'
CREATE TABLE chemprot_train AS SELECT * FROM bench.read('marked', :'train');
CREATE TABLE chemprot_dev AS SELECT * FROM bench.read('marked', :'dev');
INSERT INTO bench.figure (name) VALUES ('ChemProt');
CALL bench.measure('ChemProt', 'SELECT * FROM chemprot_train', 'SELECT * FROM chemprot_dev');
CALL bench.measure_encoder('ChemProt', 'SELECT * FROM chemprot_train', 'SELECT * FROM chemprot_dev');
