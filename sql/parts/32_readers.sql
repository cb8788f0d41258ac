-- Readers that came with 0.2.0.

CREATE FUNCTION mren.read_tacred(content text)
RETURNS TABLE (id text, sentence text, head int4range, tail int4range, relation text,
               head_type text, tail_type text)
AS 'MODULE_PATHNAME', 'mren_read_tacred'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 8000;
COMMENT ON FUNCTION mren.read_tacred(text) IS
    'Rows of a TACRED file, given whole or one row: JSON with tokens, and subject and object by their first and last token; the head is the subject.';

CREATE FUNCTION mren.read_marked(line text)
RETURNS TABLE (id text, sentence text, head int4range, tail int4range, relation text)
AS 'MODULE_PATHNAME', 'mren_read_marked'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION mren.read_marked(text) IS
    'The row of one line with marked mentions, as SciBERT''s files of SciERC and ChemProt have them: a JSON object with "text", in which [[ head ]] and << tail >> stand, and "label"; no row for a blank line.';
