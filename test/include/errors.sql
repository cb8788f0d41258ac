-- error_of(statement): runs the statement and gives its
-- error as "SQLSTATE: message", with detail and hint on lines of their own;
-- "no error" if it had none.
CREATE FUNCTION public.error_of(statement text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    d text;
    h text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
    RETURN concat(SQLSTATE, ': ', SQLERRM, E'\ndetail: ' || nullif(d, ''), E'\nhint: ' || nullif(h, ''));
END
$$;
