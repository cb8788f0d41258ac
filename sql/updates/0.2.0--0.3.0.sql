-- Updates a database from 0.2.0 to 0.3.0.
--
-- A part that is new as a whole is taken in with \include, and \comments takes
-- the comments of all parts.  What 0.2.0 had and 0.3.0 changes is written out
-- here and in its part.  test/t/190_update.pl compares the result with a
-- database that was created anew, object by object.

-- Options and metrics have new names, and a training refuses the old ones.
CREATE FUNCTION mren.rename_options(object jsonb, images boolean) RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT COALESCE(pg_catalog.jsonb_object_agg(
        COALESCE(renamed.name, member.key),
        CASE
            WHEN member.key OPERATOR(pg_catalog.=) 'l2' AND images
                 AND pg_catalog.jsonb_typeof(member.value) OPERATOR(pg_catalog.=) 'number' THEN
                pg_catalog.to_jsonb(pg_catalog.trim_scale(
                    100 OPERATOR(pg_catalog.*) member.value::pg_catalog.numeric))
            WHEN member.key OPERATOR(pg_catalog.=) 'vectors'
                 AND member.value OPERATOR(pg_catalog.=) '"tuned"' THEN '"fine_tuned"'
            ELSE member.value
        END), '{}')
    FROM pg_catalog.jsonb_each(object) AS member
    LEFT JOIN (VALUES
        ('average', 'weight_ema'),
        ('gate_share', 'holdout_share'),
        ('image_gate', 'text_only_member'),
        ('l2', 'weight_decay'),
        ('vectors', 'word_vectors'),
        ('wide', 'hash_bits'),
        ('wide_epoch', 'linear_epoch'),
        ('wide_share', 'linear_share')) AS renamed (old_name, name)
        ON renamed.old_name OPERATOR(pg_catalog.=) member.key;
END;

-- 0.2.0 applied 100 times the weight decay it was given to a network that read
-- images; 0.1.0, whose options had no "wide", did not.  weight_decay is what is
-- applied.  Where no version tells whether a run read images, its options do.
UPDATE mren.run r SET options = mren.rename_options(r.options, COALESCE(
    (SELECT v.encoder IS NOT NULL AND v.options OPERATOR(pg_catalog.?) 'wide'
     FROM mren.model m
     JOIN mren.model_version v ON v.model OPERATOR(pg_catalog.=) m.id
     WHERE m.name OPERATOR(pg_catalog.=) r.model
       AND v.version OPERATOR(pg_catalog.=) r.version
       AND r.finished_at OPERATOR(pg_catalog.>=) m.created_at),
    r.options OPERATOR(pg_catalog.->>) 'image_encoder' IS NOT NULL));

UPDATE mren.model_version SET
    options = mren.rename_options(options, encoder IS NOT NULL AND options OPERATOR(pg_catalog.?) 'wide'),
    given = mren.rename_options(given, encoder IS NOT NULL AND options OPERATOR(pg_catalog.?) 'wide'),
    metrics = mren.rename_options(metrics, false);

DROP FUNCTION mren.rename_options(jsonb, boolean);

ALTER TABLE mren.run RENAME COLUMN gate_rows TO holdout_rows;
ALTER TABLE mren.run RENAME COLUMN gate_seen TO holdout_seen;
ALTER VIEW mren.runs RENAME COLUMN gate_rows TO holdout_rows;
ALTER VIEW mren.runs RENAME COLUMN gate_seen TO holdout_seen;

\comments
