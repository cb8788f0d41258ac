-- Votes of labelling functions, models and people, and labels from them.

CREATE FUNCTION mren.context(sentence text, head text, tail text,
    OUT before text, OUT head text, OUT middle text, OUT tail text, OUT after text, OUT reversed boolean)
AS 'MODULE_PATHNAME', 'mren_context'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mren.context(text, text, text) IS
    'Divides a sentence at its two mentions, each given as text: what is before, between and after them, and whether the tail stands before the head. Labelling functions are written on the result.';

CREATE FUNCTION mren.context(sentence text, head int4range, tail int4range,
    OUT before text, OUT head text, OUT middle text, OUT tail text, OUT after text, OUT reversed boolean)
AS 'MODULE_PATHNAME', 'mren_context_range'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mren.context(text, int4range, int4range) IS
    'Divides a sentence at its two mentions, given as ranges of characters: what is before, between and after them, and whether the tail stands before the head.';

CREATE FUNCTION mren.vote_summary(votes text, gold text DEFAULT NULL)
RETURNS TABLE (source text, relations text[], votes bigint, coverage double precision, overlap double precision,
               conflict double precision, gold bigint, accuracy double precision, accuracy_low double precision,
               accuracy_high double precision, nearest text, similarity double precision)
AS 'MODULE_PATHNAME', 'mren_vote_summary'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000 ROWS 20;
COMMENT ON FUNCTION mren.vote_summary(text, text) IS
    'Returns a row for each source of a query of votes (id, source, relation): on how many rows it votes, how often with and against other sources, how often it is right on the gold rows (id, relation) with a 95 % interval, and which other source it resembles most.';

CREATE FUNCTION mren.label_model(votes text, gold text DEFAULT NULL, options jsonb DEFAULT '{}')
RETURNS TABLE (id text, relation text, confidence double precision, probabilities jsonb, votes integer)
AS 'MODULE_PATHNAME', 'mren_label_model'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000 ROWS 1000;
COMMENT ON FUNCTION mren.label_model(text, text, jsonb) IS
    'Returns a label with probabilities for each row that a source votes on, in the order of ids, by option "method": "majority", "weighted" (by gold rows) or "dawid_skene" (for people).';

CREATE FUNCTION mren.distant_labels(facts text, pairs text, options jsonb DEFAULT '{}')
RETURNS TABLE (id text, relation text, weight double precision)
AS 'MODULE_PATHNAME', 'mren_distant_labels'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000 ROWS 1000;
COMMENT ON FUNCTION mren.distant_labels(text, text, jsonb) IS
    'Labels the pairs of a query (id, head, tail) by the facts of another (head, relation, tail), whose names are compared as those of knowledge graphs. A pair without a fact gets the negative relation with little weight.';
