-- Functions that find mentions, candidate pairs and relations in documents.

CREATE FUNCTION mren.entities(document text, lexicons text[] DEFAULT NULL, tagger text DEFAULT NULL,
    tagger_version integer DEFAULT NULL)
RETURNS TABLE (mention text, type text, span int4range, confidence double precision, source text)
AS 'MODULE_PATHNAME', 'mren_entities'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION mren.entities(text, text[], text, integer) IS
    'Returns the mentions that lexicons and a tagger find in a document; of overlapping mentions it keeps the longest. Spans count characters from 0 and exclude their end.';

CREATE FUNCTION mren.candidates(document text, lexicons text[] DEFAULT NULL, tagger text DEFAULT NULL,
    relation_schema regclass DEFAULT NULL, max_distance integer DEFAULT NULL, tagger_version integer DEFAULT NULL)
RETURNS TABLE (sentence text, head text, head_type text, head_span int4range, tail text, tail_type text,
    tail_span int4range, sentence_span int4range)
AS 'MODULE_PATHNAME', 'mren_candidates'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000 ROWS 20;
COMMENT ON FUNCTION mren.candidates(text, text[], text, regclass, integer, integer) IS
    'Returns the ordered pairs of mentions that are in one sentence, or within max_distance characters, and that the relation schema allows. The spans of the mentions count characters of the column sentence.';

CREATE FUNCTION mren.extract(model text, document text, image bytea DEFAULT NULL, tagger text DEFAULT NULL,
    lexicons text[] DEFAULT NULL, relation_schema regclass DEFAULT NULL, max_distance integer DEFAULT NULL,
    threshold double precision DEFAULT NULL, image_vector real[] DEFAULT NULL, version integer DEFAULT NULL,
    tagger_version integer DEFAULT NULL)
RETURNS TABLE (head text, head_type text, relation text, tail text, tail_type text, confidence double precision,
    sentence text, head_span int4range, tail_span int4range)
AS 'MODULE_PATHNAME', 'mren_extract'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10000 ROWS 10;
COMMENT ON FUNCTION mren.extract(text, text, bytea, text, text[], regclass, integer, double precision, real[], integer, integer) IS
    'Returns the relations that a model predicts in a document, with or without an image, between the mentions that lexicons and a tagger find.';

CREATE FUNCTION mren.extract_evidence(model text, document text, image bytea DEFAULT NULL, tagger text DEFAULT NULL,
    lexicons text[] DEFAULT NULL, relation_schema regclass DEFAULT NULL, max_distance integer DEFAULT NULL,
    threshold double precision DEFAULT NULL, image_vector real[] DEFAULT NULL, version integer DEFAULT NULL,
    tagger_version integer DEFAULT NULL)
RETURNS TABLE (head text, head_type text, relation text, tail text, tail_type text, confidence double precision,
    sentence text, head_span int4range, tail_span int4range, sentence_span int4range, model_version integer,
    text_relation text, text_confidence double precision, image_relation text, image_confidence double precision)
AS 'MODULE_PATHNAME', 'mren_extract_evidence'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10000 ROWS 10;
COMMENT ON FUNCTION mren.extract_evidence(text, text, bytea, text, text[], regclass, integer, double precision, real[], integer, integer) IS
    'Returns the relations that mren.extract returns, with the position of the sentence in the document, the version of the model, and what the model predicts from the text alone and from the image alone.';
