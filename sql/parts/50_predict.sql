-- Functions that predict relations and explain predictions.
--
-- They share one list of arguments.  Both mentions are given either as text,
-- which means its first occurrence as whole tokens, or as int4range, which counts
-- characters from 0 and excludes the upper bound.

-- Tells the planner that a call with an image costs a thousand times as much as
-- one without, so that cheaper conditions are tested first.
CREATE FUNCTION mren.predict_support(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'mren_predict_support'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION mren.predict_support(internal) IS
    'Planner support function of the prediction functions; it estimates their cost.';

CREATE FUNCTION mren.predict(model text, sentence text, head text, tail text, image bytea DEFAULT NULL,
    head_type text DEFAULT NULL, tail_type text DEFAULT NULL, head_box box DEFAULT NULL, tail_box box DEFAULT NULL,
    image_vector real[] DEFAULT NULL, version integer DEFAULT NULL, audio bytea DEFAULT NULL, audio_vector real[] DEFAULT NULL)
RETURNS text
AS 'MODULE_PATHNAME', 'mren_predict'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE SUPPORT mren.predict_support COST 100;
COMMENT ON FUNCTION mren.predict(text, text, text, text, bytea, text, text, box, box, real[], integer, bytea, real[]) IS
    'Returns the relation between head and tail in a sentence, with or without an image and a recording; NULL if the sentence or a mention is NULL or the model abstains.';

CREATE FUNCTION mren.predict(model text, sentence text, head int4range, tail int4range, image bytea DEFAULT NULL,
    head_type text DEFAULT NULL, tail_type text DEFAULT NULL, head_box box DEFAULT NULL, tail_box box DEFAULT NULL,
    image_vector real[] DEFAULT NULL, version integer DEFAULT NULL, audio bytea DEFAULT NULL, audio_vector real[] DEFAULT NULL)
RETURNS text
AS 'MODULE_PATHNAME', 'mren_predict_range'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE SUPPORT mren.predict_support COST 100;
COMMENT ON FUNCTION mren.predict(text, text, int4range, int4range, bytea, text, text, box, box, real[], integer, bytea, real[]) IS
    'Returns the relation between head and tail in a sentence, with or without an image and a recording; NULL if the sentence or a mention is NULL or the model abstains.';

CREATE FUNCTION mren.classify(model text, sentence text, head text, tail text, image bytea DEFAULT NULL,
    head_type text DEFAULT NULL, tail_type text DEFAULT NULL, head_box box DEFAULT NULL, tail_box box DEFAULT NULL,
    image_vector real[] DEFAULT NULL, version integer DEFAULT NULL, audio bytea DEFAULT NULL, audio_vector real[] DEFAULT NULL, OUT relation text, OUT confidence double precision)
AS 'MODULE_PATHNAME', 'mren_classify'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE SUPPORT mren.predict_support COST 100;
COMMENT ON FUNCTION mren.classify(text, text, text, text, bytea, text, text, box, box, real[], integer, bytea, real[]) IS
    'Returns the relation between head and tail in a sentence and its probability; the relation is NULL if the model abstains.';

CREATE FUNCTION mren.classify(model text, sentence text, head int4range, tail int4range, image bytea DEFAULT NULL,
    head_type text DEFAULT NULL, tail_type text DEFAULT NULL, head_box box DEFAULT NULL, tail_box box DEFAULT NULL,
    image_vector real[] DEFAULT NULL, version integer DEFAULT NULL, audio bytea DEFAULT NULL, audio_vector real[] DEFAULT NULL, OUT relation text, OUT confidence double precision)
AS 'MODULE_PATHNAME', 'mren_classify_range'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE SUPPORT mren.predict_support COST 100;
COMMENT ON FUNCTION mren.classify(text, text, int4range, int4range, bytea, text, text, box, box, real[], integer, bytea, real[]) IS
    'Returns the relation between head and tail in a sentence and its probability; the relation is NULL if the model abstains.';

CREATE FUNCTION mren.predict_proba(model text, sentence text, head text, tail text, image bytea DEFAULT NULL,
    head_type text DEFAULT NULL, tail_type text DEFAULT NULL, head_box box DEFAULT NULL, tail_box box DEFAULT NULL,
    image_vector real[] DEFAULT NULL, version integer DEFAULT NULL, audio bytea DEFAULT NULL, audio_vector real[] DEFAULT NULL)
RETURNS TABLE (relation text, probability double precision)
AS 'MODULE_PATHNAME', 'mren_predict_proba'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE SUPPORT mren.predict_support COST 100 ROWS 20;
COMMENT ON FUNCTION mren.predict_proba(text, text, text, text, bytea, text, text, box, box, real[], integer, bytea, real[]) IS
    'Returns the probability of every relation of the model, the most likely first.';

CREATE FUNCTION mren.predict_proba(model text, sentence text, head int4range, tail int4range, image bytea DEFAULT NULL,
    head_type text DEFAULT NULL, tail_type text DEFAULT NULL, head_box box DEFAULT NULL, tail_box box DEFAULT NULL,
    image_vector real[] DEFAULT NULL, version integer DEFAULT NULL, audio bytea DEFAULT NULL, audio_vector real[] DEFAULT NULL)
RETURNS TABLE (relation text, probability double precision)
AS 'MODULE_PATHNAME', 'mren_predict_proba_range'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE SUPPORT mren.predict_support COST 100 ROWS 20;
COMMENT ON FUNCTION mren.predict_proba(text, text, int4range, int4range, bytea, text, text, box, box, real[], integer, bytea, real[]) IS
    'Returns the probability of every relation of the model, the most likely first.';

CREATE FUNCTION mren.features(model text, sentence text, head text, tail text, image bytea DEFAULT NULL,
    head_type text DEFAULT NULL, tail_type text DEFAULT NULL, head_box box DEFAULT NULL, tail_box box DEFAULT NULL,
    image_vector real[] DEFAULT NULL, version integer DEFAULT NULL, audio bytea DEFAULT NULL, audio_vector real[] DEFAULT NULL)
RETURNS real[]
AS 'MODULE_PATHNAME', 'mren_features'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE SUPPORT mren.predict_support COST 100;
COMMENT ON FUNCTION mren.features(text, text, text, text, bytea, text, text, box, box, real[], integer, bytea, real[]) IS
    'Returns the fused vector of text, image and recording that is the input of the network''s dense layers.';

CREATE FUNCTION mren.features(model text, sentence text, head int4range, tail int4range, image bytea DEFAULT NULL,
    head_type text DEFAULT NULL, tail_type text DEFAULT NULL, head_box box DEFAULT NULL, tail_box box DEFAULT NULL,
    image_vector real[] DEFAULT NULL, version integer DEFAULT NULL, audio bytea DEFAULT NULL, audio_vector real[] DEFAULT NULL)
RETURNS real[]
AS 'MODULE_PATHNAME', 'mren_features_range'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE SUPPORT mren.predict_support COST 100;
COMMENT ON FUNCTION mren.features(text, text, int4range, int4range, bytea, text, text, box, box, real[], integer, bytea, real[]) IS
    'Returns the fused vector of text, image and recording that is the input of the network''s dense layers.';

CREATE FUNCTION mren.explain(model text, sentence text, head text, tail text, image bytea DEFAULT NULL,
    head_type text DEFAULT NULL, tail_type text DEFAULT NULL, head_box box DEFAULT NULL, tail_box box DEFAULT NULL,
    image_vector real[] DEFAULT NULL, version integer DEFAULT NULL, audio bytea DEFAULT NULL, audio_vector real[] DEFAULT NULL)
RETURNS TABLE (modality text, feature text, contribution double precision)
AS 'MODULE_PATHNAME', 'mren_explain'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE SUPPORT mren.predict_support COST 100 ROWS 30;
COMMENT ON FUNCTION mren.explain(text, text, text, text, bytea, text, text, box, box, real[], integer, bytea, real[]) IS
    'Returns how much each word, mention, entity type, the image and the recording contribute to the probability of the predicted relation: how far the probability falls if that input is left out.';

CREATE FUNCTION mren.explain(model text, sentence text, head int4range, tail int4range, image bytea DEFAULT NULL,
    head_type text DEFAULT NULL, tail_type text DEFAULT NULL, head_box box DEFAULT NULL, tail_box box DEFAULT NULL,
    image_vector real[] DEFAULT NULL, version integer DEFAULT NULL, audio bytea DEFAULT NULL, audio_vector real[] DEFAULT NULL)
RETURNS TABLE (modality text, feature text, contribution double precision)
AS 'MODULE_PATHNAME', 'mren_explain_range'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE SUPPORT mren.predict_support COST 100 ROWS 30;
COMMENT ON FUNCTION mren.explain(text, text, int4range, int4range, bytea, text, text, box, box, real[], integer, bytea, real[]) IS
    'Returns how much each word, mention, entity type, the image and the recording contribute to the probability of the predicted relation: how far the probability falls if that input is left out.';

CREATE FUNCTION mren.explain_image(model text, sentence text, head text, tail text, image bytea DEFAULT NULL,
    head_type text DEFAULT NULL, tail_type text DEFAULT NULL, head_box box DEFAULT NULL, tail_box box DEFAULT NULL,
    image_vector real[] DEFAULT NULL, version integer DEFAULT NULL, audio bytea DEFAULT NULL, audio_vector real[] DEFAULT NULL)
RETURNS bytea
AS 'MODULE_PATHNAME', 'mren_explain_image'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION mren.explain_image(text, text, text, text, bytea, text, text, box, box, real[], integer, bytea, real[]) IS
    'Returns the image as a PNG under a heat map: red where covering the image lowers the probability of the predicted relation, blue where it raises it.';

CREATE FUNCTION mren.explain_image(model text, sentence text, head int4range, tail int4range, image bytea DEFAULT NULL,
    head_type text DEFAULT NULL, tail_type text DEFAULT NULL, head_box box DEFAULT NULL, tail_box box DEFAULT NULL,
    image_vector real[] DEFAULT NULL, version integer DEFAULT NULL, audio bytea DEFAULT NULL, audio_vector real[] DEFAULT NULL)
RETURNS bytea
AS 'MODULE_PATHNAME', 'mren_explain_image_range'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION mren.explain_image(text, text, int4range, int4range, bytea, text, text, box, box, real[], integer, bytea, real[]) IS
    'Returns the image as a PNG under a heat map: red where covering the image lowers the probability of the predicted relation, blue where it raises it.';

CREATE FUNCTION mren.explain_audio(model text, sentence text, head text, tail text, image bytea DEFAULT NULL,
    head_type text DEFAULT NULL, tail_type text DEFAULT NULL, head_box box DEFAULT NULL, tail_box box DEFAULT NULL,
    image_vector real[] DEFAULT NULL, version integer DEFAULT NULL, audio bytea DEFAULT NULL, audio_vector real[] DEFAULT NULL)
RETURNS TABLE (seconds numrange, contribution double precision)
AS 'MODULE_PATHNAME', 'mren_explain_audio'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100000 ROWS 10;
COMMENT ON FUNCTION mren.explain_audio(text, text, text, text, bytea, text, text, box, box, real[], integer, bytea, real[]) IS
    'Returns how much each part of the recording contributes to the probability of the predicted relation: how far the probability falls if that part is silenced.';

CREATE FUNCTION mren.explain_audio(model text, sentence text, head int4range, tail int4range, image bytea DEFAULT NULL,
    head_type text DEFAULT NULL, tail_type text DEFAULT NULL, head_box box DEFAULT NULL, tail_box box DEFAULT NULL,
    image_vector real[] DEFAULT NULL, version integer DEFAULT NULL, audio bytea DEFAULT NULL, audio_vector real[] DEFAULT NULL)
RETURNS TABLE (seconds numrange, contribution double precision)
AS 'MODULE_PATHNAME', 'mren_explain_audio_range'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100000 ROWS 10;
COMMENT ON FUNCTION mren.explain_audio(text, text, int4range, int4range, bytea, text, text, box, box, real[], integer, bytea, real[]) IS
    'Returns how much each part of the recording contributes to the probability of the predicted relation: how far the probability falls if that part is silenced.';

CREATE FUNCTION mren.predict_rows(model text, query text, version integer DEFAULT NULL)
RETURNS TABLE (id text, relation text, confidence double precision)
AS 'MODULE_PATHNAME', 'mren_predict_rows'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 10000 ROWS 1000;
COMMENT ON FUNCTION mren.predict_rows(text, text, integer) IS
    'Predicts the relations of the rows of a query in batches; the query runs read-only. It must have the columns id, sentence, head and tail, and may have image, image_vector, audio, audio_vector, head_type, tail_type, head_box and tail_box.';

CREATE FUNCTION mren.predict_rows_proba(model text, query text, version integer DEFAULT NULL)
RETURNS TABLE (id text, relation text, confidence double precision, margin double precision, probabilities jsonb)
AS 'MODULE_PATHNAME', 'mren_predict_rows_proba'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 10000 ROWS 1000;
COMMENT ON FUNCTION mren.predict_rows_proba(text, text, integer) IS
    'Predicts the rows of a query as mren.predict_rows, with the probabilities of all relations, as a training takes them, and the margin between the two most likely ones.';

CREATE FUNCTION mren.predict_row(model text, version integer, sentence text, head text, tail text, image bytea,
    image_vector real[], audio bytea, audio_vector real[], head_type text, tail_type text, head_box box, tail_box box,
    relation text)
RETURNS bytea
AS 'MODULE_PATHNAME', 'mren_predict_row'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION mren.predict_row(text, integer, text, text, text, bytea, real[], bytea, real[], text, text, box, box, text) IS
    'Answers one row of a query; mren.predict_rows and mren.evaluate call this function in parallel plans.';

CREATE FUNCTION mren.predict_row(model text, version integer, sentence text, head int4range, tail int4range, image bytea,
    image_vector real[], audio bytea, audio_vector real[], head_type text, tail_type text, head_box box, tail_box box,
    relation text)
RETURNS bytea
AS 'MODULE_PATHNAME', 'mren_predict_row_range'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION mren.predict_row(text, integer, text, int4range, int4range, bytea, real[], bytea, real[], text, text, box, box, text) IS
    'Answers one row of a query; mren.predict_rows and mren.evaluate call this function in parallel plans.';
