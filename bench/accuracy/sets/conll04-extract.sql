-- CoNLL04 end to end: from raw text to triples.  A tagger and a relation model
-- are trained on train; mren.extract reads the sentences of dev, nothing else.
-- A triple is right if both spans, both types and the relation are.  Every gold
-- triple and every one that was found is an answer: what is only found has the
-- actual relation None, what is only gold the answer None, so micro F1 without
-- None is that of the triples.
\set train :data '/text/conll04/conll04_train.json'
\set dev :data '/text/conll04/conll04_dev.json'
CREATE SCHEMA extract;
CREATE TABLE extract.train AS SELECT * FROM bench.read('conll04', :'train');
CREATE TABLE extract.tagged AS
SELECT ARRAY(SELECT jsonb_array_elements_text(document -> 'tokens')) AS tokens,
       ARRAY(SELECT jsonb_array_elements_text(document -> 'tags')) AS tags
FROM jsonb_array_elements(pg_read_file(:'train')::jsonb) AS document;
CREATE TABLE extract.gold AS
SELECT DISTINCT sentence, head, head_type, relation, tail, tail_type FROM bench.read('conll04', :'dev');
CREATE TABLE extract.document AS
SELECT DISTINCT array_to_string(ARRAY(SELECT jsonb_array_elements_text(document -> 'tokens')), ' ') AS sentence
FROM jsonb_array_elements(pg_read_file(:'dev')::jsonb) AS document;
-- Which relations there are between which types, as far as train tells.
CREATE TABLE extract.schema AS
SELECT DISTINCT relation, head_type, tail_type FROM extract.train WHERE relation <> 'None';
INSERT INTO bench.figure (name, negative, floor, aim) VALUES ('CoNLL04, end to end', 'None', 48, 55);

CREATE PROCEDURE extract.measure(name text)
LANGUAGE plpgsql AS $$
DECLARE
    seed int;
    v int;
BEGIN
    IF name !~ current_setting('bench.pattern') THEN
        RETURN;
    END IF;
    FOREACH seed IN ARRAY current_setting('bench.seeds')::int[] LOOP
        CALL mren.train_tagger('bench_tagger', 'SELECT tokens, tags FROM extract.tagged', jsonb_build_object('seed', seed), v);
        INSERT INTO bench.training
        SELECT measure.name, seed, m.seconds, m.metrics FROM mren.models AS m WHERE m.model = 'bench_tagger' AND m.version = v;
        CALL mren.train('bench', 'SELECT * FROM extract.train',
            '{"negative": "None"}' || current_setting('bench.options')::jsonb || jsonb_build_object('seed', seed), v);
        INSERT INTO bench.training
        SELECT measure.name, seed, m.seconds, m.metrics FROM mren.models AS m WHERE m.model = 'bench' AND m.version = v;
        INSERT INTO bench.answer (name, seed, actual, relation, confidence)
        SELECT measure.name, seed, coalesce(gold.relation, 'None'), coalesce(found.relation, 'None'), found.confidence
        FROM (SELECT d.sentence, t.head_type, t.relation, t.tail_type, t.confidence,
                     int4range(lower(sentence_span) + lower(head_span), lower(sentence_span) + upper(head_span)) AS head,
                     int4range(lower(sentence_span) + lower(tail_span), lower(sentence_span) + upper(tail_span)) AS tail
              FROM extract.document AS d, mren.extract_evidence('bench', d.sentence, tagger => 'bench_tagger',
                  relation_schema => 'extract.schema') AS t) AS found
        FULL JOIN (SELECT * FROM extract.gold WHERE relation <> 'None') AS gold
        USING (sentence, head, head_type, relation, tail, tail_type);
        PERFORM mren.drop_model('bench');
        PERFORM mren.drop_model('bench_tagger');
        COMMIT;
    END LOOP;
END
$$;
CALL extract.measure('CoNLL04, end to end');
