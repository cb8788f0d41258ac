-- Readers: the formats of published relation-extraction sets as training rows.
--
-- A file is brought in line by line, whatever its bytes:
--   CREATE TABLE raw (n bigserial, line text);
--   \copy raw(line) FROM 'file' WITH (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02', NULL E'\x03')
-- Readers of whole files take string_agg(line, E'\n' ORDER BY n).

CREATE FUNCTION mren.read_semeval(content text)
RETURNS TABLE (id text, sentence text, head int4range, tail int4range, relation text, comment text)
AS 'MODULE_PATHNAME', 'mren_read_semeval'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 8000;
COMMENT ON FUNCTION mren.read_semeval(text) IS
    'Rows of a SemEval-2010 Task 8 file, given whole: numbered sentences with <e1> and <e2> marks, then relation and comment, if there.';

CREATE FUNCTION mren.read_opennre(line text)
RETURNS TABLE (id text, sentence text, head int4range, tail int4range, relation text,
               head_name text, tail_name text, head_type text, tail_type text)
AS 'MODULE_PATHNAME', 'mren_read_opennre'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION mren.read_opennre(text) IS
    'The row of one line of an OpenNRE file: a JSON object with "text" or "token", "h", "t" and "relation"; no row for a blank line.';

CREATE FUNCTION mren.read_fewrel(content text)
RETURNS TABLE (id text, sentence text, head int4range, tail int4range, relation text,
               head_name text, tail_name text)
AS 'MODULE_PATHNAME', 'mren_read_fewrel'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 8000;
COMMENT ON FUNCTION mren.read_fewrel(text) IS
    'Rows of a FewRel file, given whole: a JSON object of lists of sentences by relation.';

CREATE FUNCTION mren.read_mnre(line text)
RETURNS TABLE (id text, sentence text, head int4range, tail int4range, relation text,
               head_name text, tail_name text, head_type text, tail_type text, image_name text)
AS 'MODULE_PATHNAME', 'mren_read_mnre'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION mren.read_mnre(text) IS
    'The row of one line of an MNRE file: a Python dictionary as OpenNRE''s object, with the image''s name; no row for a blank line.';

CREATE FUNCTION mren.read_conll04(content text, negatives boolean DEFAULT true)
RETURNS TABLE (id text, sentence text, head int4range, tail int4range, relation text,
               head_type text, tail_type text)
AS 'MODULE_PATHNAME', 'mren_read_conll04'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 8000;
COMMENT ON FUNCTION mren.read_conll04(text, boolean) IS
    'Rows of a CoNLL04 file in JSON, given whole or one sentence: every ordered pair of entities; negatives: those without a relation too, as None.';
