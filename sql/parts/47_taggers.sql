-- Functions that train, use and evaluate taggers, the models that find mentions.
--
-- Versions, deployment and privileges of taggers are those of all models.

CREATE FUNCTION mren.encode_tags(options jsonb, tokens text[], tags text[], weight real, split text, "group" text)
RETURNS bytea
AS 'MODULE_PATHNAME', 'mren_encode_tags'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION mren.encode_tags(jsonb, text[], text[], real, text, text) IS
    'Encodes a training row of tokens and tags; mren.train_tagger calls this function.';

CREATE FUNCTION mren.encode_mentions(options jsonb, sentence text, mentions int4range[], types text[], weight real, split text, "group" text)
RETURNS bytea
AS 'MODULE_PATHNAME', 'mren_encode_mentions'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION mren.encode_mentions(jsonb, text, int4range[], text[], real, text, text) IS
    'Encodes a training row of a sentence and its mentions; mren.train_tagger calls this function.';

CREATE PROCEDURE mren.train_tagger(tagger text, query text, options jsonb DEFAULT '{}', INOUT version integer DEFAULT NULL)
AS 'MODULE_PATHNAME', 'mren_train_tagger'
LANGUAGE C;
COMMENT ON PROCEDURE mren.train_tagger(text, text, jsonb, integer) IS
    'Trains a new version of a tagger on the rows of a query, which runs read-only. The query must have the columns tokens and tags, or sentence, mentions and types, and may have weight, split and group.';

CREATE FUNCTION mren.tag(tagger text, sentence text, version integer DEFAULT NULL)
RETURNS TABLE (mention text, type text, span int4range, confidence double precision)
AS 'MODULE_PATHNAME', 'mren_tag'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000 ROWS 5;
COMMENT ON FUNCTION mren.tag(text, text, integer) IS
    'Returns the mentions that a tagger finds in a sentence, in the order of the text. Spans count characters from 0 and exclude their end; confidence is the probability of this span and type.';

CREATE FUNCTION mren.evaluate_tagger(tagger text, query text, version integer DEFAULT NULL)
RETURNS TABLE (type text, "precision" double precision, recall double precision,
               f1 double precision, support bigint)
AS 'MODULE_PATHNAME', 'mren_evaluate_tagger'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000 ROWS 20;
COMMENT ON FUNCTION mren.evaluate_tagger(text, text, integer) IS
    'Returns precision, recall and F1 of a tagger on the rows of a query, for each type and then as micro avg and macro avg; a mention is correct if its span and its type are.';
