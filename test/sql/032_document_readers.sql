-- Readers of annotated documents: their texts, sentences, mentions, entities and facts.
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\pset null '(null)'

SELECT * FROM mren.read_docred('[{"title": "Ada", "sents": [["Éda", "Byron", "lived", "."], ["Byron", "left", "Rome"]],
    "vertexSet": [[{"pos": [0, 2], "type": "PER", "sent_id": 0}, {"pos": [0, 1], "type": "PER", "sent_id": 1}], [{"pos": [2, 3], "sent_id": 1}]],
    "labels": [{"r": "P19", "h": 0, "t": 1, "evidence": []}]}, {"sents": [], "vertexSet": []}]');
SELECT count(*) FROM mren.read_docred('');
SELECT error_of($$SELECT * FROM mren.read_docred('[{"sents": [["a"]], "vertexSet": [[{"pos": [0, 2], "sent_id": 0}]]}]')$$);
SELECT error_of($$SELECT * FROM mren.read_docred('{')$$);

SELECT * FROM mren.read_brat('letter 1', E'Éda Byron lived in\nNew York.\nByron left Rome.', E'T1\tPerson 0 9\tÉda Byron
T2\tPlace 19 27\tNew York
T3\tPerson 29 34\tByron
R1\tLived_in Arg1:T1 Arg2:T2
*\tEquiv T1 T3
#1\tAnnotatorNotes T1\tnote');
SELECT error_of($$SELECT * FROM mren.read_brat('x', 'Ann', E'T1\tPerson 0 3\tBob')$$);
SELECT error_of($$SELECT * FROM mren.read_brat('x', 'Ann', E'T1\tPerson 0 3\tAnn\nR1\tknows Arg1:T1 Arg2:T2')$$);
SELECT count(*) FROM mren.read_brat(NULL, 'a', '');
SELECT count(*) FROM mren.read_brat('x', '', '');
-- A reader may stop before its end.
SELECT part FROM mren.read_brat('x', 'Ann', E'T1\tPerson 0 3\tAnn') LIMIT 1;

-- Training rows: pairs of mentions of one sentence.
CREATE TABLE gold AS SELECT * FROM mren.read_brat('x', 'Ann met Bob. Ann met Eve.', E'T1\tP 0 3\tAnn\nT2\tP 8 11\tBob\nT3\tP 13 16\tAnn\nT4\tP 21 24\tEve\n*\tEquiv T1 T3\nR1\tmet Arg1:T1 Arg2:T2\nR2\tmet Arg1:T3 Arg2:T4');
SELECT s.text AS sentence, int4range(lower(h.span) - lower(s.span), upper(h.span) - lower(s.span)) AS head,
    int4range(lower(t.span) - lower(s.span), upper(t.span) - lower(s.span)) AS tail, COALESCE(f.relation, 'none') AS relation
FROM gold s JOIN gold h ON h.document = s.document AND h.part = 'mention' AND h.span <@ s.span
JOIN gold t ON t.document = s.document AND t.part = 'mention' AND t.span <@ s.span AND t.entity <> h.entity
LEFT JOIN gold f ON f.document = s.document AND f.part = 'fact' AND f.head = h.entity AND f.tail = t.entity
WHERE s.part = 'sentence' ORDER BY s.span, h.span;
