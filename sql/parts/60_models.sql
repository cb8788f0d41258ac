-- Functions that save, deploy, drop, move and share models, and the view of them.

CREATE FUNCTION mren.save_model(model text, network mren.network) RETURNS integer
    AS 'MODULE_PATHNAME', 'mren_save_model'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.save_model(text, mren.network) IS
    'Saves a trained network as the next version of a model, which is created if it does not exist, and returns the version number.';

CREATE FUNCTION mren.promote(model text, version integer) RETURNS void
    AS 'MODULE_PATHNAME', 'mren_promote'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.promote(text, integer) IS
    'Deploys a version of a model; later statements predict with it.';

CREATE FUNCTION mren.rollback(model text) RETURNS integer
    AS 'MODULE_PATHNAME', 'mren_rollback'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.rollback(text) IS
    'Deploys the version that was deployed before the present one and returns its number; repeated calls go back further.';

CREATE FUNCTION mren.drop_version(model text, version integer) RETURNS void
    AS 'MODULE_PATHNAME', 'mren_drop_version'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.drop_version(text, integer) IS
    'Drops a version of a model; this is an error for the deployed version.';

CREATE FUNCTION mren.drop_model(model text) RETURNS void
    AS 'MODULE_PATHNAME', 'mren_drop_model'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.drop_model(text) IS
    'Drops a model with all its versions and privileges; its rows in mren.runs remain.';

CREATE FUNCTION mren.export_model(model text, version integer DEFAULT NULL) RETURNS bytea
    AS 'MODULE_PATHNAME', 'mren_export_model'
    LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 100000;
COMMENT ON FUNCTION mren.export_model(text, integer) IS
    'Returns a version of a model, by default the deployed one, in a portable format for mren.import_model. Embeddings, image encoder and lexicons are not included; they are referred to by their hashes.';

CREATE FUNCTION mren.import_model(model text, contents bytea) RETURNS integer
    AS 'MODULE_PATHNAME', 'mren_import_model'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.import_model(text, bytea) IS
    'Saves the result of mren.export_model as the next version of a model, which is created if it does not exist, and returns the version number.';

CREATE FUNCTION mren.grant_model(model text, grantee name, privilege text) RETURNS void
    AS 'MODULE_PATHNAME', 'mren_grant_model'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.grant_model(text, name, text) IS
    'Grants a role, or public, a privilege on a model: predict, train, or admin, which includes both.';

CREATE FUNCTION mren.revoke_model(model text, grantee name, privilege text) RETURNS void
    AS 'MODULE_PATHNAME', 'mren_revoke_model'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.revoke_model(text, name, text) IS
    'Revokes a privilege on a model that mren.grant_model granted.';

CREATE FUNCTION mren.alter_model_owner(model text, new_owner name) RETURNS void
    AS 'MODULE_PATHNAME', 'mren_alter_model_owner'
    LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION mren.alter_model_owner(text, name) IS
    'Changes the owner of a model; the caller must be a member of the old and of the new owner.';

CREATE FUNCTION mren.has_model_privilege(model text, privilege text) RETURNS boolean
    AS 'MODULE_PATHNAME', 'mren_has_model_privilege'
    LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION mren.has_model_privilege(text, text) IS
    'Returns whether the current user has a privilege on a model, or any one of a comma-separated list of privileges.';

-- Shows to each user the models that they may use.  The view is a security
-- barrier, so that no function in the WHERE of a query is called with other rows.
CREATE VIEW mren.models WITH (security_barrier) AS
SELECT m.name AS model,
       v.version,
       COALESCE(v.id OPERATOR(pg_catalog.=) m.deployed, false) AS deployed,
       v.created_at,
       m.owner,
       v.relations,
       v.options,
       v.metrics,
       v.training_rows,
       v.seconds,
       v.created_by,
       pg_catalog.encode(v.sha256, 'hex') AS sha256,
       pg_catalog.encode(v.embeddings, 'hex') AS embeddings_sha256,
       pg_catalog.encode(v.encoder, 'hex') AS image_encoder_sha256,
       CASE WHEN mren.has_model_privilege(m.name, 'train') THEN v.query END AS query,
       v.query_owner,
       m.kind
FROM mren.model m
JOIN mren.model_version v ON v.model OPERATOR(pg_catalog.=) m.id
WHERE mren.has_model_privilege(m.name, 'predict, train');
COMMENT ON VIEW mren.models IS
    'Versions of the models that the current user may use, one row per version.';
