-- Taggers: models that find mentions.  Versions, deployment and rights are
-- those of every model.

CREATE FUNCTION mren.encode_tags(options jsonb, tokens text[], tags text[], weight real, split text, "group" text)
RETURNS bytea
AS 'MODULE_PATHNAME', 'mren_encode_tags'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION mren.encode_tags(jsonb, text[], text[], real, text, text) IS
    'A training row as mren.train_tagger keeps it; used by mren.train_tagger itself.';

CREATE FUNCTION mren.encode_mentions(options jsonb, sentence text, mentions int4range[], types text[], weight real, split text, "group" text)
RETURNS bytea
AS 'MODULE_PATHNAME', 'mren_encode_mentions'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION mren.encode_mentions(jsonb, text, int4range[], text[], real, text, text) IS
    'A training row as mren.train_tagger keeps it; used by mren.train_tagger itself.';

CREATE PROCEDURE mren.train_tagger(tagger text, query text, options jsonb DEFAULT '{}', INOUT version integer DEFAULT NULL)
AS 'MODULE_PATHNAME', 'mren_train_tagger'
LANGUAGE C;
COMMENT ON PROCEDURE mren.train_tagger(text, text, jsonb, integer) IS
    'Trains a new version of a tagger on the rows of a query, run read-only; its columns go by name: tokens and tags, or sentence, mentions and types, and, if there, weight, split and group.';

CREATE FUNCTION mren.tag(tagger text, sentence text, version integer DEFAULT NULL)
RETURNS TABLE (mention text, type text, span int4range, confidence double precision)
AS 'MODULE_PATHNAME', 'mren_tag'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000 ROWS 5;
COMMENT ON FUNCTION mren.tag(text, text, integer) IS
    'The mentions that a tagger finds in a sentence, in its order, with type, characters (half open, 0-based) and the probability of exactly this mention.';

CREATE FUNCTION mren.evaluate_tagger(tagger text, query text, version integer DEFAULT NULL)
RETURNS TABLE (type text, "precision" double precision, recall double precision,
               f1 double precision, support bigint)
AS 'MODULE_PATHNAME', 'mren_evaluate_tagger'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000 ROWS 20;
COMMENT ON FUNCTION mren.evaluate_tagger(text, text, integer) IS
    'How well a version of a tagger finds the mentions of a query, exact in place and type: a row a type, then micro avg and macro avg.';
