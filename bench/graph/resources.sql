-- Word vectors and, if one is given, a text encoder.
-- Variables: vectors, text_encoder.
SELECT mren.load_embeddings('glove', pg_read_binary_file(:'vectors')) \g /dev/null
SELECT :'text_encoder' <> '' AS has_encoder \gset
\if :has_encoder
SELECT mren.load_text_encoder('encoder', :'text_encoder') \g /dev/null
\endif
