\echo -- Labels from rules (200 gold rows for weighted)
SELECT s.name, m.method, q.* FROM (VALUES ('semeval'), ('chemprot')) AS s (name),
    unnest('{majority,weighted,dawid_skene}'::text[]) AS m (method),
    few.quality('SELECT * FROM ' || s.name || '_votes', 'SELECT id, relation FROM ' || s.name,
        'SELECT id, relation FROM (SELECT * FROM ' || s.name || ' ORDER BY md5(id::text) LIMIT 200) g', m.method) AS q;
