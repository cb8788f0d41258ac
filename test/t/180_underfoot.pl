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

	$holder->query('SELECT pg_advisory_lock(7)');
	$trainer->send(qq{\\set VERBOSITY verbose\nCALL mren.train('$model', 'SELECT p.* FROM $source p, gate()', '{"hidden": [4], "epochs": 2, "embeddings": "tiny"}')});
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

# The embeddings, which a new model is the first to need: kept, it says what it
# lacks, as one that was imported would.
$other->query(q{SELECT mren.drop_model(model) FROM (SELECT DISTINCT model FROM mren.models) AS m});
is(meanwhile('m', q{SELECT mren.drop_embeddings('tiny')}), '1', 'embeddings dropped meanwhile: the version is kept');
like($warning, qr/WARNING:  \w{5}: this version of model "m" needs word embeddings that are not loaded/, 'with a warning');
like(error_in($other, q{SELECT mren.predict('m', 'dog is', 'dog', 'is')}), qr/^55000: the word embeddings of model "m" are not loaded/, 'and predicts no more than that');
$other->query('DROP TABLE pairs');
toy_task($node);
is($other->query(q{SELECT mren.predict('m', 'dog is', 'dog', 'is') IS NOT NULL}), 't', 'until they are there');
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
