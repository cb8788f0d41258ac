-- What a database has, to compare databases.

CREATE VIEW mren.resources AS
SELECT 'embeddings'::pg_catalog.text AS kind, name, NULL::integer AS version, NULL::boolean AS deployed, sha256 FROM mren.embeddings
UNION ALL
SELECT 'image encoder', name, NULL, NULL, sha256 FROM mren.image_encoders
UNION ALL
SELECT 'text encoder', name, NULL, NULL, sha256 FROM mren.text_encoders
UNION ALL
SELECT 'audio encoder', name, NULL, NULL, sha256 FROM mren.audio_encoders
UNION ALL
SELECT 'lexicon', name, NULL, NULL, sha256 FROM mren.lexicons
UNION ALL
SELECT 'model', model, version, deployed, sha256 FROM mren.models;
COMMENT ON VIEW mren.resources IS
    'Embeddings, encoders and lexicons that are loaded, and the versions of models that the current user may use, with the hashes of their contents.';
