-- mren.self_train, whose views are a text encoder with its layers as they are and the linear branch:
-- 5 % of the rows labelled, a sample of the others unlabelled.  The gain is that of the new version on the
-- test over the first one, which was trained on the same labelled rows alone; a version that is worse by
-- more than chance (a point) must not have been deployed.  So few hold-out rows decide nothing, so half of
-- the labelled rows are held out and 200 more are labelled for judging.
INSERT INTO bench.figure (part, name, aim, below) VALUES
    ('self_train', 'SemEval, gain', 1.2, false), ('self_train', 'ChemProt, gain', 2.5, false),
    ('self_train', 'SemEval, worse model deployed', 0, true), ('self_train', 'ChemProt, worse model deployed', 0, true);
\set file :files '/encoder'
SELECT mren.load_text_encoder('encoder', :'file') WHERE NOT EXISTS (SELECT FROM mren.text_encoders WHERE name = 'encoder') \g /dev/null
