-- Functions that return pages to look at.

CREATE FUNCTION mren.report(model text, query text DEFAULT NULL, version integer DEFAULT NULL) RETURNS text
    AS 'MODULE_PATHNAME', 'mren_report'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION mren.report(text, text, integer) IS
    'Returns a self-contained HTML page about a version of a model: its training, and, if a query of labelled rows is given, its metrics, confusion matrix, calibration, surest mistakes and photographs with heat maps.';

CREATE FUNCTION mren.report_graph(graph text) RETURNS text
    AS 'MODULE_PATHNAME', 'mren_report_graph'
    LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION mren.report_graph(text) IS
    'Returns a self-contained HTML page about a knowledge graph: its entities and relations, a drawing of the most connected entity''s neighbourhood, and the facts that await review.';

CREATE FUNCTION mren.draw_neighbourhood(graph text, entity text, max_facts integer DEFAULT 12) RETURNS text
    AS 'MODULE_PATHNAME', 'mren_draw_neighbourhood'
    LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION mren.draw_neighbourhood(text, text, integer) IS
    'Returns a drawing in SVG of an entity of a knowledge graph, its surest facts, and some of its neighbours'' facts; NULL if the graph has no facts about it.';
