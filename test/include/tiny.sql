-- A toy task that any network learns: twelve nouns with vectors, and sentences
-- whose wording alone tells the relation.  Makes the embeddings "tiny" and the
-- table pairs (id, sentence, head, tail, relation).
SELECT mren.load_embeddings('tiny', convert_to(string_agg(line, E'\n' ORDER BY i) || E'\n', 'UTF8')) AS words
FROM (VALUES
    (1, 'wheel 0.9 0.1 0.0 0.2'), (2, 'car 0.8 0.3 0.1 0.1'), (3, 'roof 0.7 0.2 0.2 0.3'),
    (4, 'house 0.9 0.4 0.1 0.0'), (5, 'dog 0.1 0.9 0.2 0.1'), (6, 'animal 0.0 0.8 0.3 0.2'),
    (7, 'oak 0.2 0.7 0.4 0.0'), (8, 'tree 0.1 0.6 0.5 0.1'), (9, 'river 0.3 0.1 0.9 0.2'),
    (10, 'chair 0.2 0.2 0.8 0.3'), (11, 'cloud 0.4 0.0 0.7 0.1'), (12, 'spoon 0.3 0.3 0.9 0.0'),
    (13, 'is 0.1 -0.5 0.1 0.1'), (14, 'a 0.0 0.1 -0.3 0.1'), (15, 'the 0.1 0.0 -0.2 0.2'),
    (16, 'part 0.9 -0.9 0.1 0.8'), (17, 'kind -0.9 0.8 0.1 0.7'), (18, 'of 0.1 0.1 0.1 -0.6'),
    (19, 'far -0.2 -0.8 0.9 -0.7'), (20, 'from -0.1 -0.7 0.8 -0.8')) AS t (i, line);

CREATE TABLE pairs AS
SELECT (row_number() OVER (ORDER BY h, w, t))::int AS id,
       format(CASE w WHEN 'part_of' THEN '%s is a part of the %s'
                     WHEN 'kind_of' THEN '%s is a kind of %s'
                     ELSE '%s is far from the %s' END, h, t) AS sentence,
       h AS head, t AS tail, w AS relation
FROM unnest('{wheel,roof,dog,oak,river,chair}'::text[]) h,
     unnest('{car,house,animal,tree,cloud,spoon}'::text[]) t,
     unnest('{part_of,kind_of,none}'::text[]) w;
