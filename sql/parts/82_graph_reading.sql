-- Reading a knowledge graph: what stands next to an entity, and exports with provenance.
-- These functions run as the caller, who needs SELECT on the tables of the graph.

CREATE FUNCTION mren.neighbours(graph text, entity text, relation text DEFAULT NULL, max_facts integer DEFAULT 100)
RETURNS TABLE (neighbour text, type text, relation text, direction text, confidence double precision, sources bigint, fact uuid)
AS 'MODULE_PATHNAME', 'mren_neighbours'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 10000 ROWS 20;
COMMENT ON FUNCTION mren.neighbours(text, text, text, integer) IS
    'Returns the facts about an entity of a knowledge graph with the entity at their other end, those with the highest confidence first; direction is out where the entity is the head and in where it is the tail.';

CREATE FUNCTION mren.export_ntriples(graph text, base_iri text, provenance text) RETURNS SETOF text
AS 'MODULE_PATHNAME', 'mren_export_ntriples'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 100000 ROWS 100000;
COMMENT ON FUNCTION mren.export_ntriples(text, text, text) IS
    'Returns the entities and facts of a knowledge graph as lines of N-Triples, each fact with its confidence, times, documents and sentences; provenance is none, reification, or rdf12, which requires a reader of RDF 1.2.';

CREATE FUNCTION mren.export_graphml(graph text) RETURNS SETOF text
AS 'MODULE_PATHNAME', 'mren_export_graphml'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 100000 ROWS 10000;
COMMENT ON FUNCTION mren.export_graphml(text) IS
    'Returns the entities and facts of a knowledge graph, with confidences, times and documents, as the lines of a GraphML file.';

CREATE FUNCTION mren.export_neo4j(graph text, part text) RETURNS SETOF text
AS 'MODULE_PATHNAME', 'mren_export_neo4j'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 100000 ROWS 10000;
COMMENT ON FUNCTION mren.export_neo4j(text, text) IS
    'Returns the entities (part nodes) or the facts (part relationships) of a knowledge graph as CSV records with the header that neo4j-admin import expects.';
