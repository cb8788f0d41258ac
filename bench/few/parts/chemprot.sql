-- ChemProt in ten classes, the keyword functions and few gold rows: accuracy.
INSERT INTO bench.figure (part, name, aim) VALUES
    ('chemprot', 'functions + 50 gold', 45), ('chemprot', 'functions + 200 gold', 48),
    ('chemprot', 'functions + 800 gold', 53);
CALL bench.measure('chemprot', 'functions + 50 gold', 'chemprot', 50, 'soft');
CALL bench.measure('chemprot', 'functions + 200 gold', 'chemprot', 200, 'soft');
CALL bench.measure('chemprot', 'functions + 800 gold', 'chemprot', 800, 'soft');
CALL bench.measure('chemprot', '50 gold', 'chemprot', 50, 'none');
CALL bench.measure('chemprot', '200 gold', 'chemprot', 200, 'none');
CALL bench.measure('chemprot', '800 gold', 'chemprot', 800, 'none');
