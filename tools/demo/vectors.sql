-- The word vectors, out of a client's file: \lo_import takes it into the database, so
-- the server needs no right to read it, and there is no limit of 1 GB.
--
-- Run by tools/demo/run, in the folder that holds what it prepared.
\set ON_ERROR_STOP on
\pset footer off
\echo
\echo `date +%T` 'Loading the word vectors'
\lo_import :vectors
\timing on
SELECT mren.load_embeddings('words', :LASTOID::oid) AS words;
\timing off
\lo_unlink :LASTOID
