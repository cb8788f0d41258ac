-- The privileges that roles have before an administrator grants any.
--
-- Everybody may read the views and use the models that they have a privilege on;
-- views and functions check that.  Functions that write models are for roles to
-- which an administrator grants them, as in
--
--     GRANT EXECUTE ON FUNCTION mren.save_model(text, mren.network), mren.promote(text, integer) TO analyst;
--
-- These roles, too, may write only models that they own or have a privilege on.

GRANT USAGE ON SCHEMA mren TO PUBLIC;

GRANT SELECT ON mren.models, mren.runs, mren.training_progress, mren.embeddings, mren.image_encoders,
    mren.text_encoders, mren.audio_encoders, mren.lexicons,
    mren.resources
    TO PUBLIC;
GRANT SELECT ON mren.graphs, mren.graph_runs, mren.graph_progress TO PUBLIC;

REVOKE EXECUTE ON FUNCTION
    mren.load_embeddings(text, text, text, integer),
    mren.load_embeddings(text, bytea, text, integer),
    mren.load_embeddings(text, oid, text, integer),
    mren.drop_embeddings(text),
    mren.load_image_encoder(text, text, text, real[], real[]),
    mren.load_image_encoder(text, bytea, text, real[], real[]),
    mren.load_image_encoder(text, oid, text, real[], real[]),
    mren.drop_image_encoder(text),
    mren.load_text_encoder(text, text),
    mren.load_text_encoder(text, bytea),
    mren.load_text_encoder(text, oid),
    mren.drop_text_encoder(text),
    mren.load_audio_encoder(text, text, text, integer, real, real),
    mren.load_audio_encoder(text, bytea, text, integer, real, real),
    mren.load_audio_encoder(text, oid, text, integer, real, real),
    mren.drop_audio_encoder(text),
    mren.load_lexicon(text, text),
    mren.load_lexicon(text, text[], text),
    mren.drop_lexicon(text),
    mren.save_model(text, mren.network),
    mren.import_model(text, bytea),
    mren.promote(text, integer),
    mren.rollback(text),
    mren.drop_version(text, integer),
    mren.drop_model(text),
    mren.grant_model(text, name, text),
    mren.revoke_model(text, name, text),
    mren.alter_model_owner(text, name),
    mren.create_graph(text, text, text, text, text[], regclass, text, jsonb),
    mren.drop_graph(text, boolean),
    mren.alter_graph_owner(text, name),
    mren.upgrade_graph(text),
    mren.merge_graph(text)
FROM PUBLIC;

REVOKE EXECUTE ON PROCEDURE mren.train(text, text, jsonb, integer) FROM PUBLIC;
REVOKE EXECUTE ON PROCEDURE
    mren.retrain(text, bigint, interval, text, double precision, boolean, integer, jsonb, integer, text)
FROM PUBLIC;
REVOKE EXECUTE ON PROCEDURE
    mren.self_train(text, text, text, jsonb, double precision, double precision, integer, text)
FROM PUBLIC;
REVOKE EXECUTE ON PROCEDURE mren.train_tagger(text, text, jsonb, integer) FROM PUBLIC;
REVOKE EXECUTE ON PROCEDURE mren.refresh_graph(text, jsonb) FROM PUBLIC;
