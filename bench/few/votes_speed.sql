SET client_min_messages = error;
CREATE TABLE many_votes AS
SELECT i AS id, 'source number ' || (i * 31 + j * 7 + i / 26 % 5 * j) % 26 AS source,
       'relation ' || CASE WHEN few.chance(i || ' ' || j) < 0.7 THEN i * 7919 % 10 ELSE i % 7 END AS relation
FROM generate_series(1, 1000000::bigint) AS i, generate_series(1, 4) AS j;
SET work_mem = '64MB';
-- Processor time of this backend in seconds, in ticks of 10 ms.
CREATE FUNCTION few.cpu() RETURNS numeric LANGUAGE sql VOLATILE AS
$$SELECT (s[14]::numeric + s[15]::numeric) / 100 FROM string_to_array(pg_read_file('/proc/self/stat'), ' ') AS s$$;
SELECT few.cpu() AS before \gset
SELECT count(*) AS sources FROM mren.vote_summary('SELECT * FROM many_votes') \gset
SELECT few.cpu() - :before AS summary, few.cpu() AS before \gset
SELECT count(*) AS labels FROM mren.label_model('SELECT * FROM many_votes') \gset
SELECT few.cpu() - :before AS majority, few.cpu() AS before \gset
SELECT count(*) AS labels FROM mren.label_model('SELECT * FROM many_votes', options => '{"method": "dawid_skene"}') \gset
SELECT few.cpu() - :before AS dawid_skene \gset
\echo -- Seconds of processor time, 4 million votes of :sources sources (aims: summary and majority 15, dawid_skene 20)
SELECT :summary AS summary, :majority AS majority, :dawid_skene AS dawid_skene;
