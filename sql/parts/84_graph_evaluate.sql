-- Annotated documents: how good a knowledge graph is on them, and the relation schema that they follow.  Runs as the caller, who needs SELECT on the graph's tables.

CREATE FUNCTION mren.evaluate_graph(graph text, gold text)
RETURNS TABLE (part text, "precision" double precision, recall double precision, f1 double precision, predicted bigint, gold bigint)
AS 'MODULE_PATHNAME', 'mren_evaluate_graph'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000 ROWS 5;
COMMENT ON FUNCTION mren.evaluate_graph(text, text) IS
    'Compares a knowledge graph with annotated documents, which a query returns in the form of mren.read_docred: precision, recall and F1 of mentions, entities (B-cubed) and facts, also within and across sentences. The names of the two last columns mean the number in the graph and in the annotations.';

CREATE FUNCTION mren.judge_facts(graph text, gold text)
RETURNS TABLE (document text, verdict text, head text, relation text, tail text, fact uuid, confidence double precision)
AS 'MODULE_PATHNAME', 'mren_judge_facts'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000 ROWS 100;
COMMENT ON FUNCTION mren.judge_facts(text, text) IS
    'Returns for each annotated document, in the form of mren.evaluate_graph, the facts of a knowledge graph that are right or wrong, and those that it missed.';

CREATE FUNCTION mren.learn_relation_schema(gold text)
RETURNS TABLE (relation text, head_type text, tail_type text, "symmetric" boolean, inverse_of text, facts bigint)
AS 'MODULE_PATHNAME', 'mren_learn_relation_schema'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000 ROWS 100;
COMMENT ON FUNCTION mren.learn_relation_schema(text) IS
    'Returns a relation schema from annotated documents, in the form of mren.evaluate_graph: the types that each relation connects in them, which relations are symmetric and which are the inverse of another.';
