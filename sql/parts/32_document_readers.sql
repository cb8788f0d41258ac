-- Functions that read annotated documents: to train on, and to judge a graph with mren.evaluate_graph.

CREATE FUNCTION mren.read_docred(content text)
RETURNS TABLE (document text, part text, text text, type text, entity integer, span int4range,
               head integer, relation text, tail integer)
AS 'MODULE_PATHNAME', 'mren_read_docred'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 50000;
COMMENT ON FUNCTION mren.read_docred(text) IS
    'Returns the parts of the documents of a DocRED file in JSON, or of a single one: a row with the text of each document, and rows of its sentences, its mentions with the number of their entity, and its facts, relations between two entities.';

CREATE FUNCTION mren.read_brat(document text, content text, annotations text)
RETURNS TABLE (document text, part text, text text, type text, entity integer, span int4range,
               head integer, relation text, tail integer)
AS 'MODULE_PATHNAME', 'mren_read_brat'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 100;
COMMENT ON FUNCTION mren.read_brat(text, text, text) IS
    'Returns the parts of a document that is annotated in brat''s standoff format, as mren.read_docred does: content is the text, and annotations are the lines of the file that ends in .ann.';
