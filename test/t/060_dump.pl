# A dump carries embeddings, image encoders and models; restored into a new
# server, they predict the same, and life goes on.
use strict;
use warnings;
use File::Temp ();
use FindBin;
use MrenTest;
use MrenToy;
use Test::More;

my $root = $ENV{MREN_ROOT} || "$FindBin::Bin/../..";
my $old = MrenTest->start('old');
$old->sql('CREATE ROLE analyst');
toy_task($old);
$old->sql(<<'SQL');
GRANT EXECUTE ON FUNCTION mren.save_model(text, mren.network) TO analyst;
SELECT mren.save_model('m', mren.train_agg(sentence, head, tail, relation, NULL::bytea,
	'{"embeddings": "tiny", "hidden": [8], "epochs": 40, "seed": 1}')) FROM pairs;
SELECT mren.save_model('m', mren.train_agg(sentence, head, tail, relation, NULL::bytea,
	'{"embeddings": "tiny", "hidden": [8], "epochs": 5, "seed": 2}')) FROM pairs;
SELECT mren.promote('m', 2);
SELECT mren.alter_model_owner('m', 'analyst');
SELECT mren.grant_model('m', 'public', 'predict');
CREATE TABLE kept AS SELECT mren.train_agg(sentence, head, tail, relation, NULL::bytea,
	'{"embeddings": "tiny", "hidden": [4], "epochs": 2}') AS network FROM pairs;
SQL

# A lexicon, and a table of relations.
$old->sql(<<'SQL');
SELECT mren.load_lexicon('things', ARRAY['wheel', 'car', 'house'], 'thing');
CREATE TABLE relations AS SELECT 'part_of' AS relation;
SQL

# An image encoder, and a model of text and picture.
tiny_encoder($old);
my ($red, $blue) = map { bytea(png(8, 8, $_ x 64)) } "\xff\0\0", "\0\0\xff";
$old->sql(<<"SQL");
CREATE TABLE seen AS
SELECT id, sentence, head, tail, CASE id % 3 WHEN 1 THEN $red WHEN 2 THEN $blue END AS image, relation FROM pairs;
SET client_min_messages = warning;
CALL mren.train('p', 'SELECT * FROM seen', '{"image_encoder": "tiny", "hidden": [8], "epochs": 20}');
CALL mren.retrain('p', min_new_rows => 0, promote => 'never');
SQL

# Text encoders, made by the functions of an include file, and models that read with them.
text_encoders($old);
encoder_models($old);

# An audio encoder, and what it and log-mel statistics make of a recording.
my $hiss = 'RIFF' . pack('V', 4036) . 'WAVEfmt ' . pack('VvvVVvv', 16, 1, 1, 16000, 32000, 2, 16) . 'data' . pack('Vs<*', 4000, map { ($_ * 7919) % 20000 - 10000 } 1 .. 2000);
$hiss = bytea($hiss);
my $network = bytea(slurp("$root/test/data/audio_encoder_8.onnx"));
$old->sql("SELECT mren.load_audio_encoder('sound', $network, hop_seconds => 0.0005)");

# Models of text and recordings, with that encoder and with log-mel statistics.
$old->sql(<<"SQL");
CREATE TABLE heard AS
SELECT id, sentence, head, tail, CASE id % 3 WHEN 1 THEN $hiss WHEN 2 THEN substr($hiss, 1, 36) || '\\x6461746100080000'::bytea || substr($hiss, 45, 2048) END AS audio,
	relation FROM pairs;
SET client_min_messages = warning;
CALL mren.train('h', 'SELECT * FROM heard', '{"audio_encoder": "sound", "hidden": [8], "epochs": 20}');
CALL mren.train('l', 'SELECT * FROM heard', '{"hidden": [8], "epochs": 20}');
SQL

# Everything that a user can see of the models, and what they answer.
my @questions = (
	[ 'embeddings'  => 'SELECT name, dimension, sha256, loaded_at FROM mren.embeddings' ],
	[ 'encoders'    => 'SELECT name, dimension, size, sha256, loaded_at FROM mren.image_encoders' ],
	[ 'text encoders' => 'SELECT * FROM mren.text_encoders' ],
	[ 'what they consist of' => 'SELECT encoder, part, md5(bytes) FROM mren.text_encoder_part' ],
	[ 'audio encoders' => 'SELECT * FROM mren.audio_encoders' ],
	[ 'what a recording is to them' => "SELECT mren.audio_features(e, $hiss) FROM unnest('{sound,logmel}'::text[]) AS e" ],
	[ 'lexicons' => 'SELECT * FROM mren.lexicons' ],
	[ 'triples' => q{SELECT * FROM mren.extract('m', 'The wheel is a part of the car.', lexicons => ARRAY['things'], relation_schema => 'relations')} ],
	[ 'word vector' => "SELECT mren.word_vector('tiny', 'wheel')" ],
	[ 'models' => 'SELECT * FROM mren.models ORDER BY model, version' ],
	[ 'what retraining goes by' => 'SELECT version, query, search_path, query_owner, given FROM mren.model_version ORDER BY id' ],
	[ 'runs' => 'SELECT * FROM mren.runs ORDER BY run' ],
	[ 'exports' => 'SELECT model, version, md5(mren.export_model(model, version)) FROM mren.models ORDER BY 1, 2' ],
	[ 'a stored network' => 'SELECT md5(network::text) FROM kept' ],
	[ 'answers of both versions' => <<'SQL' ],
SELECT v, id, p.relation, p.probability FROM pairs, generate_series(1, 2) AS v,
	mren.predict_proba('m', sentence, head, tail, version => v) AS p ORDER BY 1, 2, 3
SQL
	[ 'answers with pictures' => <<'SQL' ],
SELECT id, p.relation, p.probability FROM seen, mren.predict_proba('p', sentence, head, tail, image) AS p ORDER BY 1, 2
SQL
	[ 'answers with recordings' => <<'SQL' ],
SELECT m, id, p.relation, p.probability FROM heard, unnest('{h,l}'::text[]) AS m, mren.predict_proba(m, sentence, head, tail, audio => audio) AS p ORDER BY 1, 2, 3
SQL
	[ 'answers by text encoders' => <<'SQL' ],
SELECT m, id, p.relation, p.probability FROM pairs, unnest('{reader,solid}'::text[]) AS m,
	mren.predict_proba(m, sentence, head, tail) AS p ORDER BY 1, 2, 3
SQL
	[ 'mentions by a text encoder' => q{SELECT id, t.* FROM pairs, mren.tag('marker', sentence) AS t ORDER BY id, span} ],
	[ 'rights' => 'SELECT grantee, privilege, granted_by FROM mren.model_grant' ],
	[ 'rights on functions' => <<'SQL' ],
SELECT has_function_privilege('analyst', 'mren.save_model(text, mren.network)', 'EXECUTE'),
	has_function_privilege('analyst', 'mren.promote(text, integer)', 'EXECUTE'),
	has_table_privilege('analyst', 'mren.model', 'SELECT')
SQL
);
my $there = $old->session;
my %before = map { $_->[0] => $there->query($_->[1]) } @questions;
isnt($before{$_}, '', "there are $_")
	for 'answers of both versions', 'answers with pictures', 'answers with recordings', 'answers by text encoders', 'mentions by a text encoder';

my $dump = File::Temp::tempdir('mren-dump.XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0777, $dump;
my ($status, undef, $err) = $old->run('pg_dump', '-Fd', '-f', "$dump/d", 'test');
is($status, 0, 'pg_dump succeeds') or diag($err);

my $new = MrenTest->start_empty('new');
$new->sql('CREATE ROLE analyst', database => 'postgres');
$new->sql('CREATE DATABASE test TEMPLATE template0', database => 'postgres');
($status, undef, $err) = $new->run('pg_restore', '-j2', '-e', '-d', 'test', "$dump/d");
is($status, 0, 'pg_restore succeeds') or diag($err);
my $session = $new->session;
for my $question (@questions)
{
	is($session->query($question->[1]), $before{ $question->[0] }, "$question->[0]: as before");
}

# Numbers go on where they were.
is($session->query(q{SELECT mren.save_model('m', network) FROM kept}), '3', 'the next version has the next number');
is($session->query(q{SELECT mren.save_model('another', network) FROM kept}), '1', 'a new model can be saved');
is($session->query(q{SELECT mren.load_text_encoder('again', tiny_encoder())}), '4', 'a text encoder can be loaded beside the restored one');
is($session->query(q{SELECT mren.rollback('m')}), '1', 'the history of deployments was carried');
is($session->query('SELECT count(*) FROM mren.models GROUP BY model, version HAVING count(*) > 1'), '', 'no version is there twice');

is($session->query(q{SET client_min_messages = warning; CALL mren.retrain('p', min_new_rows => 0)}), '3|undecided', 'a model can be retrained by what was kept');
is($session->query(q{CALL mren.retrain('h', min_new_rows => 0, promote => 'never')}), '2|held', 'so can one that reads recordings');
like($new->error_of(q{SELECT mren.drop_audio_encoder('sound')}), qr/^2BP01/, 'its encoder cannot be dropped');

# A model alone, by its bytes, into a database with the same embeddings.
$new->sql('CREATE DATABASE other TEMPLATE template0; CREATE DATABASE script TEMPLATE template0');
$new->sql('CREATE EXTENSION mren', database => 'other');
toy_task($new, database => 'other');
my $other = $new->session(database => 'other');
my $model = $there->query(q{SELECT mren.export_model('m', 1)});
is($other->query("SELECT mren.import_model('m', '$model')"), '1', 'a model is imported');
is($other->query(q{SELECT mren.export_model('m')}), $model, 'it is the same');
my $ask = q{SELECT id, p.* FROM pairs, mren.predict_proba('m', sentence, head, tail, version => 1) AS p ORDER BY 1, 2, 3};
my $answers = $there->query($ask);
is($other->query($ask), $answers, 'it answers the same');

# Those that read with a text encoder need it there.
for my $name (qw(reader solid marker))
{
	my $bytes = $there->query("SELECT mren.export_model('$name')");

	$other->query("SET client_min_messages = error; SELECT mren.import_model('$name', '$bytes')");
	like(error_in($other, $name eq 'marker' ? q{SELECT mren.tag('marker', 'dog')} : "SELECT mren.predict('$name', 'dog is animal', 'dog', 'animal')"),
		qr/^55000: the text encoder of model "$name" is not loaded/, "$name misses its encoder");
}
text_encoders($new, database => 'other');
for my $question (grep { $_->[0] =~ /by (?:a )?text encoder/ } @questions)
{
	is($other->query($question->[1]), $before{ $question->[0] }, "$question->[0]: the same of imported models");
}

# A dump as a script.
($status, my $script, $err) = $old->run('pg_dump', 'test');
is($status, 0, 'pg_dump writes a script') or diag($err);
$new->sql($script, database => 'script');
is($new->sql($ask, database => 'script'), $answers, 'restored from it, the model answers the same');

done_testing();
