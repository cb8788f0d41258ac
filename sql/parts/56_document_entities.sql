-- The entities of one document: mentions with the name that they stand for in it, and the
-- evidence that knowledge graphs store.

CREATE FUNCTION mren.document_entities(document text, lexicons text[] DEFAULT NULL, tagger text DEFAULT NULL,
    tagger_version integer DEFAULT NULL)
RETURNS TABLE (mention text, type text, span int4range, confidence double precision, source text, entity text)
AS 'MODULE_PATHNAME', 'mren_document_entities'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION mren.document_entities(text, text[], text, integer) IS
    'Returns the mentions that mren.entities returns, each with the fullest form of its name in the document: surnames, abbreviations and other spellings stand for a name that was mentioned.';

CREATE FUNCTION mren.document_evidence(model text, document text, image bytea DEFAULT NULL, tagger text DEFAULT NULL,
    lexicons text[] DEFAULT NULL, relation_schema regclass DEFAULT NULL, max_distance integer DEFAULT NULL,
    threshold double precision DEFAULT NULL, image_vector real[] DEFAULT NULL, version integer DEFAULT NULL,
    tagger_version integer DEFAULT NULL)
RETURNS TABLE (head text, head_type text, relation text, tail text, tail_type text, confidence double precision,
    sentence text, head_span int4range, tail_span int4range, sentence_span int4range, model_version integer,
    text_relation text, text_confidence double precision, image_relation text, image_confidence double precision,
    head_full text, tail_full text, head_confidence double precision, tail_confidence double precision, needed double precision)
AS 'MODULE_PATHNAME', 'mren_document_evidence'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10000 ROWS 10;
COMMENT ON FUNCTION mren.document_evidence(text, text, bytea, text, text[], regclass, integer, double precision, real[], integer, integer) IS
    'Returns what mren.extract_evidence returns, and for mentions that are short forms of a name in the document its fullest form, with the confidences of both mentions. Of a model with thresholds it also returns relations that reach theirs only if the mentions are right; needed is the threshold. Knowledge graphs store these rows.';
