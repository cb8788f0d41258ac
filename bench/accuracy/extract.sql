-- End to end: from raw text to triples.  A tagger and a relation model are trained
-- on train; mren.extract_evidence reads the sentences of another part, nothing else.
-- A triple is right if both spans, both types and the relation are.  Every gold
-- triple and every one that was found is an answer: what is only found has the
-- actual relation None, what is only gold the answer None, so micro F1 without
-- None is that of the triples.  The tagger's own micro F1 is told as it is measured.
SELECT to_regprocedure('bench.extract(text, text, jsonb)') IS NULL AS is_new \gset
\if :is_new
-- Tables of the schema: train and gold (as bench.read gives them), tagged and tagged_gold (tokens, tags),
-- document (sentence).  Options are of the tagger and of the relation model.
CREATE PROCEDURE bench.extract(name text, tables text, options jsonb DEFAULT '{}')
LANGUAGE plpgsql AS $$
DECLARE
    seed int;
    v int;
    f1 float8;
BEGIN
    IF name !~ current_setting('bench.pattern') THEN
        RETURN;
    END IF;
    PERFORM set_config('search_path', quote_ident(tables), false);
    -- Which relations there are between which types, as far as train tells.
    CREATE TABLE IF NOT EXISTS relation_schema AS
    SELECT DISTINCT relation, head_type, tail_type FROM train WHERE relation <> 'None';
    FOREACH seed IN ARRAY current_setting('bench.seeds')::int[] LOOP
        CALL mren.train_tagger('bench_tagger', format('SELECT tokens, tags FROM %I.tagged', tables), options || current_setting('bench.tagger_options')::jsonb || jsonb_build_object('seed', seed), v);
        SELECT e.f1 INTO f1 FROM mren.evaluate_tagger('bench_tagger', format('SELECT tokens, tags FROM %I.tagged_gold', tables), v) AS e WHERE e.type = 'micro avg';
        RAISE INFO '%, seed %: the tagger''s micro F1 is %', name, seed, round((100 * f1)::numeric, 2);
        INSERT INTO bench.training
        SELECT extract.name, seed, m.seconds, m.metrics FROM mren.models AS m WHERE m.model = 'bench_tagger' AND m.version = v;
        CALL mren.train('bench', format('SELECT * FROM %I.train', tables),
            '{"negative": "None"}' || options || current_setting('bench.options')::jsonb || jsonb_build_object('seed', seed), v);
        INSERT INTO bench.training
        SELECT extract.name, seed, m.seconds, m.metrics FROM mren.models AS m WHERE m.model = 'bench' AND m.version = v;
        INSERT INTO bench.answer (name, seed, half, actual, relation, confidence)
        SELECT extract.name, seed, hashtextextended(sentence, 1) & 1,
               coalesce(gold.relation, 'None'), coalesce(found.relation, 'None'), found.confidence
        FROM (SELECT d.sentence, t.head_type, t.relation, t.tail_type, t.confidence,
                     int4range(lower(sentence_span) + lower(head_span), lower(sentence_span) + upper(head_span)) AS head,
                     int4range(lower(sentence_span) + lower(tail_span), lower(sentence_span) + upper(tail_span)) AS tail
              FROM (SELECT DISTINCT sentence FROM document) AS d,
                   mren.extract_evidence('bench', d.sentence, tagger => 'bench_tagger', relation_schema => tables || '.relation_schema') AS t) AS found
        FULL JOIN (SELECT DISTINCT sentence, head, head_type, relation, tail, tail_type FROM gold WHERE relation <> 'None') AS gold
        USING (sentence, head, head_type, relation, tail, tail_type);
        PERFORM mren.drop_model('bench');
        PERFORM mren.drop_model('bench_tagger');
        COMMIT;
    END LOOP;
    RESET search_path;
END
$$;

-- The same beside a pretrained text encoder, where there is one.
CREATE PROCEDURE bench.extract_encoder(name text, tables text)
LANGUAGE plpgsql AS $$
DECLARE
    with_encoder text := bench.figure_with_encoder(name);
BEGIN
    IF with_encoder IS NOT NULL THEN
        CALL bench.extract(with_encoder, tables, '{"text_encoder": "encoder"}');
    END IF;
END
$$;
\endif
