# What a training needs goes away while it runs: it ends with the error that
# says so, or does without, and the session goes on.
use strict;
use warnings;
use MrenTest;
use MrenToy;
use Test::More;

my $node = MrenTest->start('underfoot');
toy_task($node);
my $trainer = $node->session;
my $other = $node->session;
$trainer->query('SET client_min_messages = warning');
$other->query('SET client_min_messages = warning');
$other->query('CREATE ROLE analyst; GRANT SELECT ON pairs TO analyst; GRANT USAGE ON SCHEMA public TO analyst;
GRANT EXECUTE ON PROCEDURE mren.train(text, text, jsonb, integer) TO analyst');

# Trains in the one session and, before it ends, runs a statement in the other;
# gives the answer or the error of the training.  It is held where it writes
# its progress, the epochs behind it; or where it reads, for what would wait for
# the lock that it then has.
my $quick = q{'{"hidden": [4], "epochs": 2}'};
my $warning;
my $holder = $node->session;
$holder->query(<<'SQL');
CREATE FUNCTION gate() RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_lock(7); PERFORM pg_advisory_unlock(7); PERFORM pg_sleep(0.5); RETURN 1; END $$
SQL
sub meanwhile
{
	my ($model, $statement, %option) = @_;
	my $source = $option{source} || 'pairs';
	my $options = $option{options} // '';

	$holder->query('SELECT pg_advisory_lock(7)');
	$trainer->send(qq{\\set VERBOSITY verbose\nCALL mren.train('$model', 'SELECT p.* FROM $source p, gate()', '{"hidden": [4], "epochs": 2, "embeddings": "tiny"$options}')});
	wait_until { $holder->query(q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted}) == 1 } or die 'it does not read';
	if (!$option{reading})
	{
		$holder->query(q{BEGIN; SELECT count(*) FROM (SELECT FROM mren.run ORDER BY id DESC LIMIT 1 FOR UPDATE) AS r});
		$holder->query('SELECT pg_advisory_unlock(7)');
		wait_until { $holder->query('SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = ' . $trainer->backend) == 1 } or die 'it does not write its progress';
	}
	my (undef, $err) = $other->try($statement);
	is($err, '', "meanwhile: $statement");
	$holder->query($option{reading} ? 'SELECT pg_advisory_unlock(7)' : 'COMMIT');
	(my $out, $warning) = $trainer->wait_for(300);
	return $warning =~ /ERROR:  (\w{5}): (.*)/ ? "$1: $2" : $out;
}
sub last_run { return $other->query('SELECT status, sqlstate, version FROM mren.runs ORDER BY run DESC LIMIT 1') }
sub alive
{
	my ($name) = @_;

	is($trainer->query(q{SELECT count(*) FROM pg_locks WHERE locktype IN ('advisory', 'object')}), '0', "$name: no lock is left");
	is(temporary_files($node), '0', "$name: nor a file");
	like($trainer->query("CALL mren.train('after', 'SELECT * FROM pairs', $quick)"), qr/^\d+$/, "$name: the session trains again");
}

# The rows: they have been read.
$other->query('CREATE TABLE rows AS TABLE pairs');
is(meanwhile('rows', 'DROP TABLE rows', source => 'rows'), '1', 'it succeeds without the table it read');
is(last_run(), 'succeeded||1', 'and says so');
$trainer->query('CREATE TEMP TABLE mine AS TABLE pairs');
is($trainer->query("CALL mren.train('temporary', 'SELECT * FROM mine', $quick)"), '1', 'a temporary table will do');

# The model
$other->query("CALL mren.train('m', 'SELECT * FROM pairs', $quick)");
is(meanwhile('m', q{SELECT mren.drop_model('m')}), '1', 'a model dropped meanwhile begins anew');
is($other->query(q{SELECT version, deployed FROM mren.models WHERE model = 'm'}), '1|t', 'with version 1, deployed');
is(meanwhile('m', qq{CALL mren.train('m', 'SELECT * FROM pairs', $quick)}), '3', 'a version saved meanwhile comes first');

# Rights
$other->query(q{SELECT mren.grant_model('m', 'analyst', 'train')});
$trainer->query('SET ROLE analyst');
is(meanwhile('m', q{SELECT mren.revoke_model('m', 'analyst', 'train')}), '42501: permission denied for model "m"', 'rights are checked when it saves');
is(last_run(), 'failed|42501|', 'its run says why it failed');
$trainer->query('RESET ROLE');
alive('a right withdrawn');

# What the version needs, which nothing that is saved needs yet: the version is refused.
sub answers { return $other->query(q{SELECT mren.predict('m', 'dog is', 'dog', 'is') IS NOT NULL}) }
my $deploy = q{, "deploy": true};
$other->query(q{SELECT mren.drop_model(model) FROM (SELECT DISTINCT model FROM mren.models) AS m});
is(meanwhile('m', q{SELECT mren.drop_embeddings('tiny')}), '55000: this version of model "m" needs word embeddings that are not loaded',
	'embeddings dropped meanwhile: the training fails');
is(last_run(), 'failed|55000|', 'its run says why');
is($other->query('SELECT count(*) FROM mren.models'), '0', 'and no model is left');
$other->query('DROP TABLE pairs');
toy_task($node);
$other->query("CALL mren.train('m', 'SELECT * FROM pairs', $quick)");
$other->query(q{SELECT mren.load_embeddings('other', convert_to(E'dog 1 2\nis 3 4\n', 'UTF8'))});
is(meanwhile('m', q{SELECT mren.drop_embeddings('other')}, options => qq{, "embeddings": "other"$deploy}),
	'55000: this version of model "m" needs word embeddings that are not loaded', 'the same over a version that is deployed');
is($other->query(q{SELECT version, deployed FROM mren.models WHERE model = 'm'}), '1|t', 'which stays deployed');
is(answers(), 't', 'and answers');
my $phrases = q{SELECT mren.load_lexicon('names', 'SELECT ''%s'' AS phrase, ''animal'' AS type')};
$other->query(sprintf $phrases, 'dog');
is(meanwhile('m', q{SELECT mren.drop_lexicon('names'); } . sprintf($phrases, 'cat'), options => qq{, "lexicons": ["names"], "hash_bits": 10$deploy}),
	'55000: this version of model "m" needs a lexicon that is not loaded', 'a lexicon replaced meanwhile: the training fails');
is($other->query(q{SELECT version, deployed FROM mren.models WHERE model = 'm'}), '1|t', 'and the version before stays deployed');
tiny_encoder($node);
$other->query('CREATE TABLE seen AS SELECT p.*, ' . bytea(png(4, 4, "\xff\0\0" x 16)) . ' AS image FROM pairs p');
is(meanwhile('m', q{SELECT mren.drop_image_encoder('tiny')}, source => 'seen', options => qq{, "image_encoder": "tiny"$deploy}),
	'55000: this version of model "m" needs an image encoder that is not loaded', 'an image encoder dropped meanwhile: the same');
is(last_run() . '|' . answers(), 'failed|55000||t', 'in the record, too');

# An imported version may lack what it needs, but is not deployed over one that answers.
$other->query(q{CREATE TABLE moved AS SELECT mren.export_model('m') AS contents; CALL mren.train('m', 'SELECT * FROM pairs', '{"embeddings": null, "hash_bits": 10, "epochs": 2, "deploy": true}')});
$other->query(q{SELECT mren.drop_version('m', 1); SELECT mren.drop_embeddings('tiny')});
my ($version, $import) = $other->try(q{SELECT mren.import_model('m', contents) FROM moved});
like($import, qr/WARNING:  this version of model "m" needs word embeddings that are not loaded/, 'an import warns');
like(error_in($other, qq{SELECT mren.promote('m', $version)}), qr/^55000: this version of model "m" needs word embeddings/, 'it is not promoted');
is(answers(), 't', 'and the deployed version answers');
$other->query('DROP TABLE pairs');
toy_task($node);
is($other->query(qq{SELECT mren.promote('m', $version)}), '', 'until the embeddings are there');
alive('embeddings gone');

# Its own record
is(meanwhile('unrecorded', 'DELETE FROM mren.run', reading => 1), '1', 'it succeeds without its record');
alive('the record gone');

# The extension
my $err = meanwhile('m', 'DROP EXTENSION mren CASCADE', reading => 1);
like($err, qr/^(?:3F000|42P01|42883): /, "the extension dropped meanwhile: $err");
$other->query('DROP TABLE pairs; CREATE EXTENSION mren');
toy_task($node);
alive('the extension gone');
$err = meanwhile('m', q{DROP EXTENSION mren CASCADE; CREATE EXTENSION mren}, reading => 1);
like($err, qr/^1$|^(?!XX000)\w{5}: /, "the extension created anew: $err");
$other->query('DROP TABLE pairs');
toy_task($node);
alive('the extension anew');

unlike($node->log_text, qr/terminated by signal|PANIC|XX000/, 'nothing crashed');

done_testing();
