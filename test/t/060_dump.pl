# A dump carries embeddings, image encoders and models; restored into a new
# server, they predict the same, and life goes on.
use strict;
use warnings;
use File::Temp ();
use MrenTest;
use Test::More;

# The toy task of the SQL tests.
sub include
{
	my ($name) = @_;
	my $file = ($ENV{MREN_ROOT} || "$FindBin::Bin/../..") . "/test/include/$name";
	open my $in, '<', $file or die "cannot read \"$file\": $!";
	return do { local $/; <$in> };
}

my $old = MrenTest->start('old');
$old->sql('CREATE ROLE analyst');
$old->sql(include('tiny.sql'));
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

# An image encoder and a model of text and picture, where the test data is there.
my $data = shared_data();
if ($data)
{
	my $dir = File::Temp::tempdir('mren-encoder.XXXXXX', TMPDIR => 1, CLEANUP => 1);
	chmod 0755, $dir;
	system('cp', "$data/encoders/mlperf_tiny_resnet8_cifar10.onnx", "$dir/resnet8.onnx") == 0 or die;
	chmod 0644, "$dir/resnet8.onnx";
	$old->sql("SELECT mren.load_image_encoder('resnet8', '$dir/resnet8.onnx')");
	$old->sql(<<'SQL');
CREATE TABLE pictures AS SELECT id, sentence, head, tail, relation,
	(SELECT array_agg(sin(id * 7 + k)::real) FROM generate_series(1, (SELECT dimension FROM mren.image_encoders)) AS k) AS image_vector
FROM pairs;
SQL
	$old->sql(<<'SQL');
CALL mren.train('p', 'SELECT sentence, head, tail, relation, image_vector FROM pictures',
	'{"embeddings": "tiny", "image_encoder": "resnet8", "hidden": [8], "epochs": 20}');
SQL
}

# Everything that a user can see of the models, and what they answer.
my @questions = (
	[ 'embeddings'  => 'SELECT name, dimension, sha256, loaded_at FROM mren.embeddings' ],
	[ 'encoders'    => 'SELECT name, dimension, size, sha256, loaded_at FROM mren.image_encoders' ],
	[ 'word vector' => "SELECT mren.word_vector('tiny', 'wheel')" ],
	[ 'models' => 'SELECT * FROM mren.models ORDER BY model, version' ],
	[ 'runs' => 'SELECT * FROM mren.runs ORDER BY run' ],
	[ 'exports' => 'SELECT model, version, md5(mren.export_model(model, version)) FROM mren.models ORDER BY 1, 2' ],
	[ 'a stored network' => 'SELECT md5(network::text) FROM kept' ],
	[ 'answers of both versions' => <<'SQL' ],
SELECT v, id, p.relation, p.probability FROM pairs, generate_series(1, 2) AS v,
	mren.predict_proba('m', sentence, head, tail, version => v) AS p ORDER BY 1, 2, 3
SQL
	[ 'rights' => 'SELECT grantee, privilege, granted_by FROM mren.model_grant' ],
	[ 'rights on functions' => <<'SQL' ],
SELECT has_function_privilege('analyst', 'mren.save_model(text, mren.network)', 'EXECUTE'),
	has_function_privilege('analyst', 'mren.promote(text, integer)', 'EXECUTE'),
	has_table_privilege('analyst', 'mren.model', 'SELECT')
SQL
);
push @questions, [ 'answers with pictures' => <<'SQL' ] if $data;
SELECT id, p.relation, p.probability FROM pictures,
	mren.predict_proba('p', sentence, head, tail, image_vector => image_vector) AS p ORDER BY 1, 2
SQL
my %before = map { $_->[0] => $old->sql($_->[1]) } @questions;
isnt($before{'answers of both versions'}, '', 'there are answers');

my $dump = File::Temp::tempdir('mren-dump.XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0777, $dump;
my ($status, undef, $err) = $old->run('pg_dump', '-Fd', '-f', "$dump/d", 'test');
is($status, 0, 'pg_dump succeeds') or diag($err);

my $new = MrenTest->start_empty('new');
$new->sql('CREATE ROLE analyst', database => 'postgres');
$new->sql('CREATE DATABASE test TEMPLATE template0', database => 'postgres');
($status, undef, $err) = $new->run('pg_restore', '-j2', '-e', '-d', 'test', "$dump/d");
is($status, 0, 'pg_restore succeeds') or diag($err);
for my $question (@questions)
{
	is($new->sql($question->[1]), $before{ $question->[0] }, "$question->[0]: as before");
}

# Numbers go on where they were.
is($new->sql(q{SELECT mren.save_model('m', network) FROM kept}), '3', 'the next version has the next number');
is($new->sql(q{SELECT mren.save_model('another', network) FROM kept}), '1', 'a new model can be saved');
is($new->sql(q{SELECT mren.rollback('m')}), '1', 'the history of deployments was carried');
is($new->sql('SELECT count(*) FROM mren.models GROUP BY model, version HAVING count(*) > 1'), '', 'no version is there twice');

# The script form, and one server more: a file of the model alone.
my $model = $old->sql(q{SELECT mren.export_model('m', 1)});
my $third = MrenTest->start('third');
$third->sql(include('tiny.sql'));
is($third->sql("SELECT mren.import_model('m', '$model')"), '1', 'a model is imported');
is($third->sql(q{SELECT md5(mren.export_model('m'))}), $old->sql(q{SELECT md5(mren.export_model('m', 1))}), 'it is the same');
my $ask = q{SELECT id, p.* FROM pairs, mren.predict_proba('m', sentence, head, tail, version => 1) AS p ORDER BY 1, 2, 3};
is($third->sql($ask), $old->sql($ask), 'it answers the same');
($status, my $script, $err) = $old->run('pg_dump', 'test');
is($status, 0, 'pg_dump writes a script') or diag($err);
$third->sql('CREATE ROLE analyst; CREATE DATABASE script TEMPLATE template0');
$third->sql($script, database => 'script');
is($third->sql($ask, database => 'script'), $old->sql($ask), 'restored from the script, it answers the same');

done_testing();
