-- Soft against hard labels by majority, and weak rows first against mixed with gold ones.
CALL bench.measure('ways', 'SemEval, 200 gold, hard', 'semeval', 200, 'hard');
CALL bench.measure('ways', 'SemEval, 200 gold, soft', 'semeval', 200, 'soft');
CALL bench.measure('ways', 'SemEval, 200 gold, mixed', 'semeval', 200, 'soft', '{"weak": "mixed"}');
CALL bench.measure('ways', 'SemEval, 50 gold, mixed', 'semeval', 50, 'soft', '{"weak": "mixed"}');
CALL bench.measure('ways', 'SemEval, 640 gold, mixed', 'semeval', 640, 'soft', '{"weak": "mixed"}');
CALL bench.measure('ways', 'ChemProt, 200 gold, hard', 'chemprot', 200, 'hard');
CALL bench.measure('ways', 'ChemProt, 200 gold, soft', 'chemprot', 200, 'soft');
CALL bench.measure('ways', 'ChemProt, 200 gold, mixed', 'chemprot', 200, 'soft', '{"weak": "mixed"}');
