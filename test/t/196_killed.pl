# kill -9 of the backend in the midst of a training and of a retraining, and at
# random moments of them: the server recovers, nothing is half there, the run
# shows as died, and the next call completes.  A random moment may lie before
# the call's first commit or after its last; what must hold then is checked as
# well, so that no outcome depends on how fast the machine is.
use strict;
use warnings;
use MrenTest;
use MrenToy;
use Test::More;
use Time::HiRes ();

my $moments = $ENV{MREN_SLOW_TESTS} ? 30 : 10;
my $seed = $ENV{MREN_SEED} || time;
srand $seed;
$SIG{PIPE} = 'IGNORE';
diag("MREN_SEED=$seed") if $ENV{MREN_SEED};

my $node = MrenTest->start('killed', 'checkpoint_timeout = 1h');
toy_task($node);
$node->sql(<<'SQL');
CREATE TABLE labelled AS
SELECT p.sentence || CASE WHEN g = 1 THEN '' ELSE ' x' || g END AS sentence, head, tail, relation
FROM pairs p, generate_series(1, 20) g;
SQL

# Weights of more than one part, and epochs that take some seconds in total.
my $options = q({"hidden": [256, 128], "epochs": 12, "patience": 0, "holdout_share": 0.25});
my %calls = (
	train   => qq{CALL mren.train('m', 'SELECT * FROM labelled', '$options')},
	retrain => q{CALL mren.retrain('m', min_new_rows => 0, promote => 'always', keep_versions => 3)},
);
my %seconds;
for my $call ('train', 'retrain')
{
	$seconds{$call} = seconds_of { $node->sql("SET client_min_messages = warning; $calls{$call}") };
}

# Counts of what must never exist.
my $half = <<'SQL';
SELECT concat_ws(' ',
	(SELECT count(*) FROM mren.weight w WHERE NOT EXISTS (SELECT FROM mren.model_version v WHERE v.id = w.version)),
	(SELECT count(*) FROM mren.model_version v WHERE NOT EXISTS (SELECT FROM mren.weight w WHERE w.version = v.id)),
	(SELECT count(*) FROM mren.model_version v LEFT JOIN mren.model m ON m.id = v.model WHERE m.id IS NULL OR v.version > m.last_version),
	(SELECT count(*) FROM mren.model m WHERE NOT EXISTS (SELECT FROM mren.model_version v WHERE v.id = m.deployed AND v.model = m.id)),
	(SELECT count(*) FROM mren.deployment d WHERE NOT EXISTS (SELECT FROM mren.model_version v WHERE v.id = d.version_id)),
	(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'),
	(SELECT count(*) FROM pg_ls_tmpdir()))
SQL
my $state = q{SELECT concat_ws(' ', count(*), max(version), max(version) FILTER (WHERE deployed)) FROM mren.models};
my $runs = q{SELECT concat_ws(' ', (SELECT count(*) FROM mren.runs), (SELECT status FROM mren.runs ORDER BY run DESC LIMIT 1))};
my $predicts = q{SELECT mren.predict('m', sentence, head, tail) IS NOT NULL FROM pairs LIMIT 1};

# Ten thousand epochs of this network take hours, so it is killed in them.
my $endless = q({"hidden": [1024, 1024], "epochs": 10000, "patience": 0});
my %endless_calls = (
	train   => qq{CALL mren.train('m', 'SELECT * FROM labelled', '$endless')},
	retrain => qq{CALL mren.retrain('m', min_new_rows => 0, promote => 'always', options => '$endless')},
);
my $in_epochs = q{SELECT count(*) FROM mren.training_progress WHERE status = 'running' AND phase = 'training' AND epoch > 0};
for my $i (-1 .. $moments)
{
	my $call = $i % 2 ? 'train' : 'retrain';
	my $amid = $i < 1;
	my $session = $node->session;
	my ($before, $ran) = split /\n/, $session->query("SET client_min_messages = warning; $state; $runs");
	my $moment = rand $seconds{$call};
	my $name = $amid ? "$call, killed in its epochs" : sprintf '%s, killed after %.3f of %.3f s', $call, $moment, $seconds{$call};
	my $up = '';

	$session->send($amid ? $endless_calls{$call} : $calls{$call});
	if ($amid)
	{
		wait_until { $node->sql($in_epochs) == 1 } or die 'it does not reach its epochs';
	}
	else
	{
		Time::HiRes::sleep($moment);
	}
	kill 'KILL', $session->backend or die "cannot kill: $!";
	eval { $session->wait_for };
	eval { $session->close };
	wait_until { (my $status, $up) = $node->try("$half; $state; $runs; $predicts"); $status == 0 } or die 'the server does not recover';

	my ($rest, $after, $run, $answers) = split /\n/, $up;
	my ($n_before) = $ran =~ /^(\d+)/;
	my ($n_after, $status) = split ' ', $run;
	is($rest, '0 0 0 0 0 0 0', "$name: nothing is half there");
	is($answers, 't', "$name: predictions go on");
	# Before its first commit it was never called, after the last one it was whole.
	if (!$amid && $n_after == $n_before)
	{
		is($after, $before, "$name: it had not begun");
	}
	elsif (!$amid && $status eq 'succeeded')
	{
		isnt($after, $before, "$name: it had ended");
	}
	else
	{
		is("$status, $after", "died, $before", "$name: its run has died, and no version is there");
	}
	is($node->sql("SET client_min_messages = warning; $calls{$call}; SELECT count(*) FROM mren.training_progress") =~ s/^.*\n//r, '0', "$name: the next call completes");
}

# In the epochs of a text encoder, which follow the only one of the members: a thousand of many rows outlast any wait.
text_encoders($node);
my $encoder = '{"text_encoder": "text", "hidden": [8], "epochs": 1, "encoder_epochs": %d, "validation_share": 0.25}';
my $training = "CALL mren.train('m', 'SELECT l.* FROM labelled l, generate_series(1, %d)', '$encoder')";
my $session = $node->session;
my $before = $session->query("SET client_min_messages = warning; $state");
$session->send(sprintf $training, 10, 1000);
wait_until { $node->sql($in_epochs =~ s/epoch > 0/epoch > 1/r) == 1 } or die 'it does not reach the encoder';
kill 'KILL', $session->backend or die "cannot kill: $!";
eval { $session->wait_for };
eval { $session->close };
my $up = '';
wait_until { (my $status, $up) = $node->try("$half; $state; $runs; $predicts"); $status == 0 } or die 'the server does not recover';
my ($rest, $after, $run, $answers) = split /\n/, $up;
is($rest, '0 0 0 0 0 0 0', 'a text encoder\'s training, killed: nothing is half there');
is("$after $answers", "$before t", 'a text encoder\'s training, killed: no version is there, and predictions go on');
like($run, qr/ died$/, 'a text encoder\'s training, killed: its run has died');
is($node->sql('SET client_min_messages = warning; ' . sprintf($training, 1, 1) . '; SELECT count(*) FROM mren.training_progress') =~ s/^.*\n//r, '0',
	'a text encoder\'s training, killed: the next call completes');

done_testing();
