-- SemEval-2010 Task 8: one pooled prediction of the training file from folds
-- grouped by sentence; a fold's model sees nothing of its fold.  With word vectors
-- and without, and each with WordNet's classes, where WordNet is installed.
-- Variables: data, files, has_wordnet.
\set file :data '/text/semeval2010_task8/TRAIN_FILE.TXT'
CREATE TABLE semeval AS SELECT * FROM bench.read('semeval', :'file');
INSERT INTO bench.figure (name, negative, measure, floor, aim) VALUES
    ('SemEval', 'Other', '{semeval_macro,f1}', 80, 82.5),
    ('SemEval, WordNet', 'Other', '{semeval_macro,f1}', 81.5, 83.5),
    ('SemEval, no embeddings', 'Other', '{semeval_macro,f1}', 77, 79),
    ('SemEval, no embeddings, WordNet', 'Other', '{semeval_macro,f1}', 80.5, 82);
CALL bench.cross_validate('SemEval', 'semeval', '{"negative": "Other"}');
CALL bench.cross_validate('SemEval, no embeddings', 'semeval', '{"negative": "Other", "embeddings": null}');
-- Trained once: the last 1,000 rows of the training file are the test, with word vectors alone and
-- with a text encoder beside them.
INSERT INTO bench.figure (name, negative, measure, floor, aim) VALUES
    ('SemEval, last 1000', 'Other', '{semeval_macro,f1}', 58, 60);
CALL bench.measure('SemEval, last 1000', 'SELECT * FROM semeval WHERE id <= 7000', 'SELECT * FROM semeval WHERE id > 7000', '{"negative": "Other"}');
CALL bench.measure_encoder('SemEval, last 1000', 'SELECT * FROM semeval WHERE id <= 7000', 'SELECT * FROM semeval WHERE id > 7000', '{"negative": "Other"}');
SELECT :'has_wordnet' <> '' AS has_wordnet \gset
\if :has_wordnet
\set wordnet :files '/wordnet'
CREATE TABLE wordnet (phrase text, type text, confidence real);
COPY wordnet FROM :'wordnet';
SELECT mren.load_lexicon('wordnet', 'SELECT * FROM wordnet') \g /dev/null
CALL bench.cross_validate('SemEval, WordNet', 'semeval', '{"negative": "Other", "lexicons": ["wordnet"]}');
CALL bench.cross_validate('SemEval, no embeddings, WordNet', 'semeval', '{"negative": "Other", "embeddings": null, "lexicons": ["wordnet"]}');
\else
\qecho -- WordNet is not installed (package wordnet-base): its figures are left out
\endif
