-- Labelling functions of published sets as votes: semeval_votes, semeval_exact_votes and chemprot_votes
-- (id, source, relation) over the tables semeval and chemprot (id, sentence, head, tail,
-- relation).  Variable: data.
SET client_min_messages = error;
\set semeval_file :data '/text/semeval2010_task8/TRAIN_FILE.TXT'
\set pattern_file :data '/text/semeval2010_task8/patterns.tsv'
\set chemprot_file :data '/text/chemprot10/train.tsv'
\set function_file :data '/text/chemprot10/functions.tsv'

CREATE TABLE raw (n bigserial, line text);
\set copy '\\copy raw (line) FROM ''' :semeval_file ''' WITH (FORMAT csv, DELIMITER E''\\x01'', QUOTE E''\\x02'', NULL E''\\x03'')'
:copy
CREATE TABLE semeval AS SELECT id::int, sentence, head, tail, relation
FROM mren.read_semeval((SELECT string_agg(line, E'\n' ORDER BY n) FROM raw));

-- A pattern without entity types matches if its words stand between the mentions, among others or,
-- in semeval_exact_votes, alone; * is any words.
CREATE TABLE pattern (relation text, pattern text);
\set copy '\\copy pattern FROM ''' :pattern_file ''' WITH (FORMAT csv, DELIMITER E''\\t'', QUOTE E''\\x02'')'
:copy
-- A pattern given for two relations says nothing.
CREATE TABLE semeval_pattern AS
SELECT pattern AS source, min(relation) AS relation,
       '% ' || replace(lower(substring(pattern FROM '^SUBJ-O (.+) OBJ-O$')), '*', '%') || ' %' AS words
FROM pattern WHERE pattern ~ '^SUBJ-O .+ OBJ-O$' GROUP BY pattern HAVING count(DISTINCT relation) = 1;
CREATE TABLE semeval_context AS
SELECT id, ' ' || lower(regexp_replace(c.middle, '\W+', ' ', 'g')) || ' ' AS middle
FROM semeval AS s, LATERAL mren.context(sentence, head, tail) AS c OFFSET 0;
UPDATE semeval_context SET middle = regexp_replace(middle, ' +', ' ', 'g');
CREATE TABLE semeval_votes AS
SELECT c.id, p.source, p.relation FROM semeval_context AS c, semeval_pattern AS p WHERE c.middle LIKE p.words;
CREATE TABLE semeval_exact_votes AS
SELECT c.id, p.source, p.relation FROM semeval_context AS c, semeval_pattern AS p
WHERE c.middle LIKE substr(p.words, 2, length(p.words) - 2);

-- A function votes if the sentence has one of its words, lower-cased.
CREATE TABLE chemprot (id text, sentence text, head int4range, tail int4range, relation text);
\set copy '\\copy chemprot FROM ''' :chemprot_file ''' WITH (FORMAT csv, DELIMITER E''\\t'', QUOTE E''\\x02'')'
:copy
CREATE TABLE function (source text, relation text, words text);
\set copy '\\copy function FROM ''' :function_file ''' WITH (FORMAT csv, DELIMITER E''\\t'', QUOTE E''\\x02'')'
:copy
CREATE TABLE chemprot_votes AS
SELECT c.id, f.source, f.relation FROM chemprot AS c, function AS f
WHERE EXISTS (SELECT FROM unnest(string_to_array(f.words, '|')) AS w WHERE position(w IN lower(c.sentence)) > 0);
