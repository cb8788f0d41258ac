-- SemEval-2010 Task 8: one pooled prediction of the training file from folds
-- grouped by sentence; a fold's model sees nothing of its fold.
\set file :data '/text/semeval2010_task8/TRAIN_FILE.TXT'
CREATE TABLE semeval AS SELECT * FROM bench.read('semeval', :'file');
INSERT INTO bench.figure (name, negative, measure, floor, aim) VALUES
    ('SemEval', 'Other', '{semeval_macro,f1}', 80, 82.5);
CALL bench.cross_validate('SemEval', 'semeval', '{"negative": "Other"}');
