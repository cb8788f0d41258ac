# kill -9 of the backend in the midst of loading word vectors and of promoting a
# version: the server recovers, nothing is half there, and the next call
# completes.  196_killed.pl does the same for trainings, 200_graph.pl for
# refreshes.
use strict;
use warnings;
use MrenTest;
use MrenToy;
use Test::More;
use Time::HiRes ();

my $rounds = $ENV{MREN_SLOW_TESTS} ? 25 : 7;
my $seed = $ENV{MREN_SEED} || time;
srand $seed;
$SIG{PIPE} = 'IGNORE';
diag("MREN_SEED=$seed") if $ENV{MREN_SEED};

my $node = MrenTest->start('killedloads', 'checkpoint_timeout = 1h');
toy_task($node);
$node->sql(<<'SQL');
SELECT mren.save_model('m', mren.train_agg(sentence, head, tail, relation, NULL, '{"embeddings": "tiny", "epochs": 2}')) FROM pairs;
SELECT mren.save_model('m', mren.train_agg(sentence, head, tail, relation, NULL, '{"embeddings": "tiny", "epochs": 3}')) FROM pairs;
CREATE TABLE file AS
SELECT convert_to(string_agg(format('word%s %s %s %s %s', i, i % 7, i % 11, i % 13, i % 17), E'\n'), 'UTF8') AS contents
FROM generate_series(1, 60000) i;
SQL

# Kills the session's backend, and waits until the server has recovered.
sub kill_it
{
	my ($session) = @_;

	kill 'KILL', $session->backend or die "cannot kill: $!";
	eval { $session->wait_for };
	eval { $session->close };
	wait_until { ($node->try('SELECT 1'))[0] == 0 } or die 'the server does not recover';
}

# Words without embeddings, embeddings with fewer words than they say.
my $half = <<'SQL';
SELECT concat_ws(' ',
	(SELECT count(*) FROM mren.embedding_word w WHERE NOT EXISTS (SELECT FROM mren.embedding e WHERE e.id = w.embedding)),
	(SELECT count(*) FROM mren.embedding e WHERE e.words <> (SELECT count(*) FROM mren.embedding_word w WHERE w.embedding = e.id)))
SQL
my $load = q{SELECT mren.load_embeddings('e', contents) FROM file};
my $seconds = seconds_of { $node->sql("$load; SELECT mren.drop_embeddings('e')") };
for my $i (1 .. $rounds)
{
	my $session = $node->session;
	my $moment = rand $seconds;
	my $there;

	$session->send($load);
	Time::HiRes::sleep($moment);
	kill_it($session);
	$there = $node->sql(q{SELECT count(*) FROM mren.embedding WHERE name = 'e'});
	is($node->sql($half), '0 0', sprintf 'load, killed after %.3f of %.3f s: nothing is half there', $moment, $seconds);
	$node->sql(q{SELECT mren.drop_embeddings('e')}) if $there;
	is($node->sql("$load; SELECT mren.drop_embeddings('e')"), "60000\n", 'the next load completes');
}

# A promotion is short, so most of them are held at the row of the model, which another session has
# locked; the others may have ended before.
my $state = q{SELECT concat_ws(' ', version, (SELECT count(*) FROM mren.deployment)) FROM mren.models WHERE model = 'm' AND deployed};
my $whole = q{SELECT count(*) FROM mren.model m WHERE NOT EXISTS (SELECT FROM mren.model_version v WHERE v.id = m.deployed AND v.model = m.id)
	OR m.deployed <> (SELECT version_id FROM mren.deployment d WHERE d.model = m.id ORDER BY d.id DESC LIMIT 1)};
for my $i (1 .. $rounds)
{
	my $held = $i % 4 != 0;
	my $session = $node->session;
	my $holder = $node->session;
	my $before = $node->sql($state);
	my ($version) = $before =~ /^(\d)/;

	$holder->query(q{BEGIN; SELECT FROM mren.model WHERE name = 'm' FOR UPDATE}) if $held;
	$session->send(sprintf q{SELECT mren.promote('m', %d)}, 3 - $version);
	if ($held)
	{
		wait_until { $node->sql('SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = ' . $session->backend) > 0 }
		  or die 'it does not wait';
	}
	else
	{
		Time::HiRes::sleep(rand 0.02);
	}
	kill_it($session);
	eval { $holder->close };
	is($node->sql($whole), '0', 'promote, killed' . ($held ? ' where it waits' : '') . ': the deployed version is the last deployment');
	is($node->sql($state), $before, 'and it has not changed') if $held;
	is($node->sql(q{SELECT mren.predict('m', sentence, head, tail) IS NOT NULL FROM pairs LIMIT 1}), 't', 'predictions go on');
}
done_testing();
