-- Functions that read published relation extraction data sets as training rows.
--
-- psql loads a file line by line, whatever bytes it has, with
--   CREATE TABLE raw (n bigserial, line text);
--   \copy raw(line) FROM 'file' WITH (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02', NULL E'\x03')
-- Functions that read a whole file take string_agg(line, E'\n' ORDER BY n).

CREATE FUNCTION mren.read_semeval(content text)
RETURNS TABLE (id text, sentence text, head int4range, tail int4range, relation text, comment text)
AS 'MODULE_PATHNAME', 'mren_read_semeval'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 8000;
COMMENT ON FUNCTION mren.read_semeval(text) IS
    'Returns the rows of a whole SemEval-2010 Task 8 file: numbered sentences with the mentions marked by <e1> and <e2>, each followed by its relation and comment if the file has them.';

CREATE FUNCTION mren.read_opennre(line text)
RETURNS TABLE (id text, sentence text, head int4range, tail int4range, relation text,
               head_name text, tail_name text, head_type text, tail_type text)
AS 'MODULE_PATHNAME', 'mren_read_opennre'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION mren.read_opennre(text) IS
    'Returns the row of one line of an OpenNRE file, a JSON object with the keys "text" or "token", "h", "t" and "relation"; returns no row for a blank line.';

CREATE FUNCTION mren.read_fewrel(content text)
RETURNS TABLE (id text, sentence text, head int4range, tail int4range, relation text,
               head_name text, tail_name text)
AS 'MODULE_PATHNAME', 'mren_read_fewrel'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 8000;
COMMENT ON FUNCTION mren.read_fewrel(text) IS
    'Returns the rows of a whole FewRel file, a JSON object that has a list of sentences for each relation.';

CREATE FUNCTION mren.read_mnre(line text)
RETURNS TABLE (id text, sentence text, head int4range, tail int4range, relation text,
               head_name text, tail_name text, head_type text, tail_type text, image_name text)
AS 'MODULE_PATHNAME', 'mren_read_mnre'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION mren.read_mnre(text) IS
    'Returns the row of one line of an MNRE file, a Python dictionary with the keys of OpenNRE and the name of an image; returns no row for a blank line.';

CREATE FUNCTION mren.read_conll04(content text, negatives boolean DEFAULT true)
RETURNS TABLE (id text, sentence text, head int4range, tail int4range, relation text,
               head_type text, tail_type text)
AS 'MODULE_PATHNAME', 'mren_read_conll04'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 8000;
COMMENT ON FUNCTION mren.read_conll04(text, boolean) IS
    'Returns a row for every ordered pair of entities in a CoNLL04 file in JSON, or in one sentence of it. Pairs without a relation have the relation None; negatives => false leaves them out.';

CREATE FUNCTION mren.read_tacred(content text)
RETURNS TABLE (id text, sentence text, head int4range, tail int4range, relation text,
               head_type text, tail_type text)
AS 'MODULE_PATHNAME', 'mren_read_tacred'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 8000;
COMMENT ON FUNCTION mren.read_tacred(text) IS
    'Returns the rows of a TACRED file in JSON, or the one of a single object of it; the subject becomes the head and the object the tail.';

CREATE FUNCTION mren.read_marked(line text)
RETURNS TABLE (id text, sentence text, head int4range, tail int4range, relation text)
AS 'MODULE_PATHNAME', 'mren_read_marked'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION mren.read_marked(text) IS
    'Returns the row of one line of a file in SciBERT''s format for SciERC and ChemProt, a JSON object whose "text" marks the mentions as [[ head ]] and << tail >> and whose "label" is the relation; returns no row for a blank line.';
