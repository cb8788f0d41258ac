-- Loads the word vectors from a client's file.  \lo_import copies the file into the database,
-- so the server does not need to be able to read it, and there is no limit of 1 GB.
--
-- Run by tools/demo/run in the directory of the prepared data.
\set ON_ERROR_STOP on
\pset footer off
\echo
\echo `date +%T` 'Loading the word vectors'
\lo_import :vectors
\timing on
SELECT mren.load_embeddings('words', :LASTOID::oid) AS words;
\timing off
\lo_unlink :LASTOID
