-- SemEval, the surface patterns without entity types and few gold rows: macro-F1.
INSERT INTO bench.figure (part, name, aim) VALUES
    ('semeval', 'patterns + 0 gold', 47), ('semeval', 'patterns + 50 gold', 51),
    ('semeval', 'patterns + 200 gold', 56.5), ('semeval', 'patterns + 640 gold', 62.5);
CALL bench.measure('semeval', 'patterns + 0 gold', 'semeval', 0, 'soft');
CALL bench.measure('semeval', 'patterns + 50 gold', 'semeval', 50, 'soft');
CALL bench.measure('semeval', 'patterns + 200 gold', 'semeval', 200, 'soft');
CALL bench.measure('semeval', 'patterns + 640 gold', 'semeval', 640, 'soft');
CALL bench.measure('semeval', '50 gold', 'semeval', 50, 'none');
CALL bench.measure('semeval', '200 gold', 'semeval', 200, 'none');
CALL bench.measure('semeval', '640 gold', 'semeval', 640, 'none');
