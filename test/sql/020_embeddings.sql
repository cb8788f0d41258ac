-- Word embeddings: loaded whole or not at all, looked at, dropped.
\getenv srcdir PG_ABS_SRCDIR
\i :srcdir/include/errors.sql
\set VERBOSITY default

-- Formats are told by their content.
SELECT mren.load_embeddings('g', convert_to(E'cat 1 2 3\ndog 4 5 6\nDog 7 8 9\nno0 0.5 0.5 0.5\nrib 2 0 0\ncage 0 2 0\n', 'UTF8')) AS glove;
SELECT mren.load_embeddings('w', convert_to(E'2 3\ncat 1 2 3\ndog 4 5 6\n', 'UTF8')) AS word2vec_text;
SELECT mren.load_embeddings('b', '\x3220330a63617420'::bytea || '\x0000803f0000004000004040'::bytea || '\x0a646f6720'::bytea
                                 || '\x000080400000a0400000c040'::bytea || '\x0a'::bytea) AS word2vec_binary;
SELECT mren.load_embeddings('two', convert_to(E'cat 1 2 3\ndog 4 5 6\nDog 7 8 9\n', 'UTF8'), max_words => 2) AS max_words;
SELECT name, dimension, size, format, owner = current_user AS mine FROM mren.embeddings ORDER BY name;

-- The hash is of words and vectors, not of the file's format.
SELECT count(DISTINCT sha256) FROM mren.embeddings WHERE name IN ('w', 'b', 'two');

-- A word that occurs again is skipped, and said.
SELECT mren.load_embeddings('again', convert_to(E'a 1 2\nb 3 4\na 5 6\n', 'UTF8'));
SELECT mren.word_vector('again', 'a');

-- Spellings: as written, then lower case, then digits as 0; never a made-up vector.
SELECT mren.word_vector('g', 'Dog'), mren.word_vector('g', 'DOG'), mren.word_vector('g', 'no7'), mren.word_vector('g', 'bird');
SELECT mren.word_vector('g', NULL), mren.word_vector('g', '');

-- Any file of the server, and a client's file as a large object.
\getenv files MREN_TEST_FILES
\set path :files '/embeddings.glove.txt'
SELECT mren.load_embeddings('file', :'path');
SELECT lo_from_bytea(0, convert_to(E'x 1 2\ny 3 4\n', 'UTF8')) AS object \gset
SELECT mren.load_embeddings('object', :object::oid);
SELECT mren.word_vector('object', 'y');
SELECT lo_unlink(:object);

-- A rolled back load was never there.
BEGIN;
SELECT mren.load_embeddings('gone', convert_to(E'q 1 2\n', 'UTF8'));
SELECT mren.word_vector('gone', 'q');
ROLLBACK;
SELECT error_of($$SELECT mren.word_vector('gone', 'q')$$);
SELECT count(*) FROM mren.embedding_word w LEFT JOIN mren.embedding e ON e.id = w.embedding WHERE e.id IS NULL;

-- What is malformed is an error with its line, and nothing is loaded.
SELECT error_of($$SELECT mren.load_embeddings('bad', convert_to(E'a 1 2\nb 3\n', 'UTF8'))$$);
SELECT error_of($$SELECT mren.load_embeddings('bad', convert_to(E'a 1 2\nb 3 x\n', 'UTF8'))$$);
SELECT error_of($$SELECT mren.load_embeddings('bad', convert_to(E'a 1 2\nb 3 nan\n', 'UTF8'))$$);
SELECT error_of($$SELECT mren.load_embeddings('bad', convert_to(E'3 2\na 1 2\nb 3 4\n', 'UTF8'))$$);
SELECT error_of($$SELECT mren.load_embeddings('bad', '\x613120ff'::bytea)$$);
SELECT error_of($$SELECT mren.load_embeddings('bad', ''::bytea)$$);
SELECT error_of($$SELECT mren.load_embeddings('bad', '\x1f8b0800'::bytea)$$);
SELECT count(*) FROM mren.embeddings WHERE name = 'bad';
SELECT error_of($$SELECT mren.load_embeddings('bad', convert_to('2 2', 'UTF8') || '\x0a'::bytea || convert_to('new york ', 'UTF8') || '\x0000803f000000400a'::bytea || convert_to('no ', 'UTF8') || '\x00004040000080400a'::bytea)$$);

-- Bad words can be skipped; the notice has the first three.
SET mren.skip_bad_words = on;
SELECT mren.load_embeddings('rest', convert_to(E'6 2\na 1 2\nb 3\n 5 6\nc 7 x\nd nan 1\nroute 66 3 4\n', 'UTF8'));
RESET mren.skip_bad_words;
SELECT mren.word_vector('rest', 'route 66'), mren.drop_embeddings('rest');

-- Arguments.
SELECT error_of($$SELECT mren.load_embeddings(NULL, ''::bytea)$$);
SELECT error_of($$SELECT mren.load_embeddings('', ''::bytea)$$);
SELECT error_of($$SELECT mren.load_embeddings(repeat('x', 300), ''::bytea)$$);
SELECT error_of($$SELECT mren.load_embeddings('x', NULL::bytea)$$);
SELECT error_of($$SELECT mren.load_embeddings('g', 'a 1'::bytea)$$);
SELECT error_of($$SELECT mren.load_embeddings('x', 'a 1'::bytea, 'json')$$);
SELECT error_of($$SELECT mren.load_embeddings('x', 'a 1'::bytea, max_words => 0)$$);
SELECT error_of($$SELECT mren.load_embeddings('x', '/nowhere/at/all')$$);
SELECT error_of($$SELECT mren.load_embeddings('x', 4294967295::oid)$$);
SELECT error_of($$SELECT mren.word_vector('none', 'a')$$);
SELECT error_of($$SELECT mren.word_vector(NULL, 'a')$$);

-- Dropping, also where all tables are published; refused while a model needs them.
SET client_min_messages = error;    -- wal_level
CREATE PUBLICATION everything FOR ALL TABLES;
RESET client_min_messages;
SELECT mren.drop_embeddings('again');
DROP PUBLICATION everything;
SELECT error_of($$SELECT mren.drop_embeddings('again')$$);
SELECT mren.drop_embeddings('w'), mren.drop_embeddings('b'), mren.drop_embeddings('two'), mren.drop_embeddings('file'), mren.drop_embeddings('object'), mren.drop_embeddings('g');
\i :srcdir/include/tiny.sql
SELECT mren.save_model('m', mren.train_agg(sentence, head, tail, relation, NULL, '{"epochs": 1, "hidden": [4]}')) FROM pairs;
SELECT error_of($$SELECT mren.drop_embeddings('tiny')$$);
SELECT mren.drop_model('m');
SELECT mren.drop_embeddings('tiny');
SELECT count(*) FROM mren.embedding_word;

-- Who may load and drop.
CREATE ROLE mren_test_loader;
SET ROLE mren_test_loader;
SELECT error_of($$SELECT mren.load_embeddings('x', 'a 1 2'::bytea)$$);
RESET ROLE;
GRANT EXECUTE ON FUNCTION mren.load_embeddings(text, text, text, int), mren.load_embeddings(text, bytea, text, int), mren.drop_embeddings(text) TO mren_test_loader;
SELECT mren.load_embeddings('admins', convert_to(E'a 1 2\n', 'UTF8'));
SET ROLE mren_test_loader;
SELECT mren.load_embeddings('x', convert_to(E'a 1 2\n', 'UTF8'));
SELECT mren.word_vector('admins', 'a');
SELECT error_of($$SELECT mren.load_embeddings('y', '/etc/passwd')$$);
SELECT error_of($$SELECT mren.drop_embeddings('admins')$$);
SELECT mren.drop_embeddings('x');
RESET ROLE;
DROP OWNED BY mren_test_loader;
DROP ROLE mren_test_loader;
