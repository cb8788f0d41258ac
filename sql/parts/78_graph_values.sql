-- Functions of values that knowledge graphs use.

CREATE FUNCTION mren.follow_links(keys text[], nexts text[]) RETURNS text[]
AS 'MODULE_PATHNAME', 'mren_follow_links'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION mren.follow_links(text[], text[]) IS
    'Returns for each key where a chain of links ends that leads from it to the value at the same place of the second array, from there on to the value of that key, and so on; for a circle, its least key. Graphs follow aliases with it.';
