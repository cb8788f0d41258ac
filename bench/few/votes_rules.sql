SET client_min_messages = error;
\echo -- Labels from rules (200 gold rows for weighted)
SELECT s.votes, m.method, q.* FROM (VALUES ('semeval', 'semeval_votes'), ('semeval', 'semeval_exact_votes'), ('chemprot', 'chemprot_votes')) AS s (name, votes),
    unnest('{majority,weighted,dawid_skene}'::text[]) AS m (method),
    few.quality('SELECT * FROM ' || s.votes, 'SELECT id, relation FROM ' || s.name,
        'SELECT id, relation FROM (SELECT * FROM ' || s.name || ' ORDER BY md5(id::text) LIMIT 200) g', m.method) AS q;
