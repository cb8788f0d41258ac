-- SciERC as SciBERT's files have it: every row holds a relation, so micro-F1 is
-- accuracy.  Trained on train, reported on dev.
\set train :data '/text/scierc/train.txt'
\set dev :data '/text/scierc/dev.txt'
CREATE TABLE scierc_train AS SELECT * FROM bench.read('marked', :'train');
CREATE TABLE scierc_dev AS SELECT * FROM bench.read('marked', :'dev');
INSERT INTO bench.figure (name) VALUES ('SciERC');
CALL bench.measure('SciERC', 'SELECT * FROM scierc_train', 'SELECT * FROM scierc_dev');
CALL bench.measure_encoder('SciERC', 'SELECT * FROM scierc_train', 'SELECT * FROM scierc_dev');
