-- SemEval-2010 Task 8, a random 1,000 rows of the training file → 3,000 others: what of a text
-- encoder is trained, where its markers stand, and bytes.  Run by name only.
\set train :data '/text/semeval2010_task8/TRAIN_FILE.TXT'
CREATE TABLE tunings AS
SELECT *, row_number() OVER (ORDER BY hashtextextended(sentence, 7)) AS n FROM bench.read('semeval', :'train');
CREATE VIEW tunings_train AS SELECT id, sentence, head, tail, relation FROM tunings WHERE n <= 1000;
CREATE VIEW tunings_test AS SELECT id, sentence, head, tail, relation FROM tunings WHERE n BETWEEN 2101 AND 5100;
CREATE TEMPORARY TABLE tuning AS
SELECT * FROM (VALUES ('word vectors alone', '{}'::jsonb),
                      ('adapters', '{"text_encoder": "encoder"}'),
                      ('adapters, bytes', '{"text_encoder": "encoder", "encoder_int8": true}'),
                      ('adapters, solid markers', '{"text_encoder": "encoder", "markers": "solid"}'),
                      ('all layers', '{"text_encoder": "encoder", "fine_tuning": "all"}'),
                      ('last three layers', '{"text_encoder": "encoder", "fine_tuning": "last_layers", "fine_tuned_layers": 3}'),
                      ('frozen', '{"text_encoder": "encoder", "fine_tuning": "frozen"}')) AS t (name, options);
INSERT INTO bench.figure (name, negative, measure) SELECT 'SemEval tunings, ' || name, 'Other', '{semeval_macro,f1}' FROM tuning;
SELECT format('CALL bench.measure(%L, %L, %L, %L)', 'SemEval tunings, ' || name, 'SELECT * FROM tunings_train', 'SELECT * FROM tunings_test',
              options || '{"negative": "Other"}') FROM tuning \gexec
