-- Editing a knowledge graph: proposals of entities to merge, and facts that are worth a verdict.

CREATE FUNCTION mren.propose_merges(graph text, min_score double precision DEFAULT 0.6, max_candidates integer DEFAULT 1000) RETURNS bigint
AS 'MODULE_PATHNAME', 'mren_propose_merges'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.propose_merges(text, double precision, integer) IS
    'Fills the table merge_candidates of a knowledge graph with pairs of entities that may be one, with score and reasons, and returns their number; pairs with a verdict stay. Requires the extension pg_trgm, and uses fuzzystrmatch if it is installed.';

REVOKE EXECUTE ON FUNCTION mren.propose_merges(text, double precision, integer) FROM PUBLIC;

CREATE FUNCTION mren.link_entities(graph text, authority text, options jsonb DEFAULT '{}') RETURNS jsonb
AS 'MODULE_PATHNAME', 'mren_link_entities'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.link_entities(text, text, jsonb) IS
    'Links entities of a knowledge graph to entries of an authority file, which a query with the columns key, name, aliases and type gives: by name where it is unambiguous; others become proposals in the table link_candidates, near names only if the extension pg_trgm is installed. Links and proposals with a verdict stay. Returns the numbers of new links and proposals.';

REVOKE EXECUTE ON FUNCTION mren.link_entities(text, text, jsonb) FROM PUBLIC;

CREATE FUNCTION mren.review_queue(graph text, n integer DEFAULT 20, options jsonb DEFAULT '{}')
RETURNS TABLE (fact uuid, head text, head_type text, relation text, tail text, tail_type text,
    confidence double precision, value double precision, document text, sentence text)
AS 'MODULE_PATHNAME', 'mren_review_queue'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 100000 ROWS 20;
COMMENT ON FUNCTION mren.review_queue(text, integer, jsonb) IS
    'Returns the facts of a knowledge graph that are most worth a review, with their surest sentence: facts without a verdict that are unsure and about well-connected entities, of different heads and relations.';
