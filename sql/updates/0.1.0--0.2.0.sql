-- What takes a database from 0.1.0 to 0.2.0.  A part that is new as a whole is
-- taken in with \include; what 0.1.0 had and 0.2.0 changes is written out here,
-- and in its part.  test/t/190_update.pl compares the outcome with a database
-- made anew, object by object.

-- Models name the lexicons they were trained with, as they do their embeddings.
ALTER TABLE mren.model_version ADD COLUMN lexicons bytea[];
COMMENT ON TABLE mren.model_version IS
    'Versions of models; embeddings, encoder and lexicons are content hashes (mren.embedding.sha256, mren.encoder.identity, mren.lexicon.sha256).';
\include 15_lexicons.sql
GRANT SELECT ON mren.lexicons TO PUBLIC;
REVOKE EXECUTE ON FUNCTION
    mren.load_lexicon(text, text),
    mren.load_lexicon(text, text[], text),
    mren.drop_lexicon(text)
FROM PUBLIC;
