-- Editing a knowledge graph: proposals of entities to merge.

CREATE FUNCTION mren.propose_merges(graph text, min_score double precision DEFAULT 0.6, max_candidates integer DEFAULT 1000) RETURNS bigint
AS 'MODULE_PATHNAME', 'mren_propose_merges'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.propose_merges(text, double precision, integer) IS
    'Fills the table merge_candidates of a knowledge graph with pairs of entities that may be one, with score and reasons, and returns their number; pairs with a verdict stay. Requires the extension pg_trgm, and uses fuzzystrmatch if it is installed.';

REVOKE EXECUTE ON FUNCTION mren.propose_merges(text, double precision, integer) FROM PUBLIC;
