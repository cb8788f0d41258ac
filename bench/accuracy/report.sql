-- The figures so far, with the spread over the seeds.  Variable report: markdown or json.
CREATE TEMPORARY VIEW line AS
SELECT r.n, r.name, r.measure, max(r.rows) AS rows, count(*) AS seeds,
       round(100 * avg(value)::numeric, 2) AS mean, round(100 * stddev_samp(value)::numeric, 2) AS spread,
       round(100 * avg(macro)::numeric, 2) AS macro, f.floor, f.aim, t.seconds,
       round(c.error::numeric, 4) AS calibration, round(c.expected_error::numeric, 4) AS by_chance,
       round(c.excess::numeric, 4) AS above_chance, round(h.excess::numeric, 4) AS halves_above_chance
FROM bench.result AS r JOIN bench.figure AS f USING (name)
     LEFT JOIN (SELECT name, round((sum(seconds) / count(DISTINCT seed))::numeric, 1) AS seconds FROM bench.training GROUP BY 1) AS t USING (name)
     LEFT JOIN (SELECT name, avg(error) AS error, avg(expected_error) AS expected_error, avg(excess) AS excess
                FROM bench.calibration GROUP BY 1) AS c USING (name)
     LEFT JOIN (SELECT name, avg(excess) AS excess FROM bench.half_calibration GROUP BY 1) AS h USING (name)
GROUP BY r.n, r.name, r.measure, f.floor, f.aim, t.seconds, c.error, c.expected_error, c.excess, h.excess;
SELECT :'report' = 'json' AS as_json \gset
\if :as_json
SELECT jsonb_pretty(coalesce(jsonb_agg(to_jsonb(line) - 'n' ORDER BY n), '[]')) FROM line;
\else
\qecho | figure | measure | rows | % | ± | macro F1 | floor | aim | calibration error | by chance | above | above, by halves | training, s |
\qecho | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
SELECT format('| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |', name, measure, rows, mean, spread, macro, floor, aim, calibration, by_chance, above_chance, halves_above_chance, seconds) FROM line ORDER BY n;
\endif
