-- Readers: published formats as training rows.
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\pset null '(null)'

-- A mention's text, as the range cuts it out.
CREATE FUNCTION cut(sentence text, r int4range) RETURNS text LANGUAGE sql IMMUTABLE AS
    $$SELECT substr(sentence, lower(r) + 1, upper(r) - lower(r))$$;

-- SemEval: a whole file, brought in line by line and gathered.
CREATE TABLE raw (n bigserial, line text);
COPY raw (line) FROM STDIN WITH (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02', NULL E'\x03');
1	"The <e1>café</e1> of ""the"" \n <e2>hotel</e2>."
Component-Whole(e1,e2)
Comment: a < b, it's

2	"<e2>北京</e2> then <e1>A b</e1>"
Other
Comment:

\.
SELECT r.*, cut(sentence, head) AS head_text, cut(sentence, tail) AS tail_text
FROM (SELECT string_agg(line, E'\n' ORDER BY n) AS content FROM raw) AS f, mren.read_semeval(content) AS r;
-- A test file has no relations.
SELECT id, sentence, relation, comment FROM mren.read_semeval(E'8001\t"<e1>A</e1> <e2>B</e2>"\n8002\t"<e1>C</e1> <e2>D</e2>"\n');
SELECT count(*) FROM mren.read_semeval('');
SELECT count(*) FROM mren.read_semeval(NULL);
SELECT error_of($$SELECT * FROM mren.read_semeval(E'1\t"<e1>A</e1> <e2>B</e2>"\nOther\n\n2\t"<e1>A</e1> B"')$$);
SELECT error_of($$SELECT * FROM mren.read_semeval('Other')$$);

-- OpenNRE: characters with "text", tokens with "token".
SELECT r.*, cut(sentence, head) AS head_text, cut(sentence, tail) AS tail_text
FROM (VALUES ('{"text": "Ü Ann saw Bob", "relation": "saw", "h": {"name": "Ann", "id": "Q1", "pos": [2, 5]}, "t": {"name": "Bob", "type": "per", "pos": [10, 13]}}'),
             (''),
             ('{"id": 7, "token": ["Ü", "Ann", "Lee", "ran"], "h": {"pos": [1, 3]}, "t": {"pos": [3, 4]}}')) AS raw (line),
     mren.read_opennre(line) AS r;
SELECT error_of($$SELECT * FROM mren.read_opennre('{"text": "Ann", "h": {"pos": [0, 4]}}')$$);
SELECT error_of($$SELECT * FROM mren.read_opennre('{"text": "Ann"')$$);
SELECT error_of($$SELECT * FROM mren.read_opennre(repeat('[', 1000))$$);

-- MNRE: Python's notation, with the picture's name.
SELECT r.*, cut(sentence, head) AS head_text
FROM mren.read_mnre($$ {'token': ['Bill', 'Cosby', "'s", 'star'], 'h': {'name': 'Bill Cosby', 'pos': [0, 2]}, 't': {'name': 'star', 'pos': [3, 4]}, 'img_id': 'twitter_1.jpg', 'relation': 'None'} $$) AS r;
SELECT error_of($$SELECT * FROM mren.read_mnre('{"token": [true]}')$$);

-- FewRel: a whole file, by relation.
SELECT r.*, cut(sentence, head) AS head_text, cut(sentence, tail) AS tail_text
FROM mren.read_fewrel('{"P1": [{"tokens": ["the", "red", "car", "of", "Ann"], "h": ["red car", "Q1", [[1, 2]]], "t": ["ann", "Q2", [[4]]]}], "P2": []}') AS r;
SELECT error_of($$SELECT * FROM mren.read_fewrel('{"P1": [3]}')$$);

-- CoNLL04: every ordered pair of entities, or only the related ones.
CREATE TABLE conll (content text);
INSERT INTO conll VALUES ('[{"tokens": ["Ann", "Lee", "runs", "IBM"], "tags": ["B-Peop", "L-Peop", "O", "U-Org"], "relations": [{"head": 0, "tail": 1, "type": "Work_For"}], "orig_id": 7}]');
SELECT r.*, cut(sentence, head) AS head_text, cut(sentence, tail) AS tail_text FROM conll, mren.read_conll04(content) AS r;
SELECT r.id, r.relation FROM conll, mren.read_conll04(content, negatives => false) AS r;
SELECT error_of($$SELECT * FROM mren.read_conll04('[{"tokens": ["a"], "tags": ["L-X"]}]')$$);
-- An entity that is listed twice is one entity.
SELECT cut(sentence, head) AS head_text, cut(sentence, tail) AS tail_text, relation
FROM mren.read_conll04('[{"tokens": ["Ann", "leads", "IBM"], "entities": [{"type": "P", "start": 0, "end": 1}, {"type": "O", "start": 2, "end": 3}, {"type": "P", "start": 0, "end": 1}], "relations": [{"type": "leads", "head": 0, "tail": 1}]}]');

-- ADE's file has lists instead of objects.
SELECT r.*, cut(sentence, head) AS head_text
FROM mren.read_conll04('[{"tokens": ["rash", "from", "gold", "salt"], "entities": [[0, 1, "Effect"], [2, 4, "Drug"]], "relations": [[0, 1, 2, 4, "Adverse-Effect"]]}]') AS r;
SELECT error_of($$SELECT * FROM mren.read_conll04('[{"tokens": ["a"], "entities": [[0, 1, "X"]], "relations": [[0, 1, 1, 2, "r"]]}]')$$);

-- TACRED: a whole file or one row; both ends are inclusive.
SELECT r.*, cut(sentence, head) AS head_text, cut(sentence, tail) AS tail_text
FROM mren.read_tacred('[{"id": "e1", "relation": "per:title", "token": ["Tom", "Thabane", "-LRB-", "premier", "-RRB-"], "subj_start": 0, "subj_end": 1, "obj_start": 3, "obj_end": 3, "subj_type": "PERSON", "obj_type": "TITLE"}]') AS r;
SELECT count(*) FROM mren.read_tacred(' ');
SELECT error_of($$SELECT * FROM mren.read_tacred('[{"token": ["a"], "subj_start": 0, "subj_end": 1}]')$$);

-- Marked lines: [[ head ]] and << tail >>.
SELECT r.*, cut(sentence, head) AS head_text, cut(sentence, tail) AS tail_text
FROM (VALUES ('{"text": "É, << Ang II >>-induced [x]]; [[ valsartan ]], P<<0.01", "label": "INHIBITOR", "metadata": []}'), ('')) AS raw (line),
     mren.read_marked(line) AS r;
SELECT error_of($$SELECT * FROM mren.read_marked('{"text": "[[ a ]] b"}')$$);

-- A byte-order mark is passed over; blank mentions and values of a wrong type are errors with their place.
SELECT cut(sentence, head) AS head_text, relation FROM mren.read_opennre(U&'\FEFF' || '{"text": "Ann led IBM.", "h": {"pos": [0, 3]}, "t": {"pos": [8, 11]}, "relation": "led"}');
SELECT error_of($$SELECT * FROM mren.read_tacred('[{"token": ["a", "\u00a0"], "subj_start": 0, "subj_end": 0, "obj_start": 1, "obj_end": 1}]')$$);
SELECT error_of($$SELECT * FROM mren.read_tacred('[{"token": ["a", ""], "subj_start": 0, "subj_end": 0, "obj_start": 1, "obj_end": 1}]')$$);
SELECT error_of($$SELECT * FROM mren.read_tacred('[{"token": ["a", "b"], "subj_start": 0, "subj_end": 0, "obj_start": 1, "obj_end": 1, "relation": null}]')$$);

-- A reader may stop before its end.
SELECT relation FROM conll, mren.read_conll04(content) LIMIT 1;

-- They depend on nothing but their argument.
SELECT proname, provolatile, proparallel, proisstrict FROM pg_proc
WHERE pronamespace = 'mren'::regnamespace AND proname LIKE 'read\_%' ORDER BY 1;

-- Rows that relate a mention to itself are counted.
SELECT head, tail FROM mren.read_opennre('{"text": "Eva is with Bob.", "h": {"name": "Eva", "pos": [0, 3]}, "t": {"name": "Eva", "pos": [0, 3]}, "relation": "x"}');
