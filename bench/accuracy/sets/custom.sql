-- Files of the user's own.  Variables: files, format, negative, has_test.
\set train :files '/train'
\set test :files '/test'
\set options '{}'
SELECT :'negative' <> '' AS has_negative, :'has_test' <> '' AS has_test \gset
CREATE TABLE custom_train AS SELECT * FROM bench.read(:'format', :'train');
INSERT INTO bench.figure (name, negative) VALUES ('custom', nullif(:'negative', ''));
\if :has_negative
SELECT jsonb_build_object('negative', :'negative') AS options \gset
\endif
-- With SemEval's labels the official figure is the one to report.
UPDATE bench.figure SET measure = '{semeval_macro,f1}' WHERE name = 'custom' AND :'format' = 'semeval';
\if :has_test
CREATE TABLE custom_test AS SELECT * FROM bench.read(:'format', :'test');
CALL bench.measure('custom', 'SELECT * FROM custom_train', 'SELECT * FROM custom_test', :'options'::jsonb);
\else
CALL bench.cross_validate('custom', 'custom_train', :'options'::jsonb);
\endif
