-- The means of a part's figures over the draws.  Variables: part.
SELECT '| ' || :'part' || ' | mean | each draw | aim | seconds |' || E'\n| --- | --- | --- | --- | --- |';
SELECT format('| %s | %s | %s | %s | %s |', r.name, round(avg(r.value)::numeric, 3), string_agg(round(r.value::numeric, 3)::text, ', ' ORDER BY r.draw),
              (SELECT CASE WHEN f.below THEN '≤ ' ELSE '≥ ' END || f.aim FROM bench.figure AS f WHERE f.part = :'part' AND f.name = r.name),
              round(sum(r.seconds)))
FROM (SELECT *, min(ctid) OVER (PARTITION BY name) AS first FROM bench.result WHERE part = :'part') AS r
GROUP BY r.name, r.first ORDER BY r.first;
