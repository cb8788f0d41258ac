# kill -9 of the backend at random moments of a training and of a retraining:
# the server recovers, no partial results remain, the run is shown as died, and
# the next call completes.
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

my $n_died = 0;
for my $i (1 .. $moments)
{
	my $call = $i % 2 ? 'train' : 'retrain';
	my $session = $node->session;
	my ($before, $ran) = split /\n/, $session->query("SET client_min_messages = warning; $state; $runs");
	my $moment = rand $seconds{$call};
	my $name = sprintf '%s, killed after %.3f of %.3f s', $call, $moment, $seconds{$call};
	my $up = '';

	$session->send($calls{$call});
	Time::HiRes::sleep($moment);
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
	if ($n_after == $n_before)
	{
		is($after, $before, "$name: it had not begun");
	}
	elsif ($status eq 'succeeded')
	{
		isnt($after, $before, "$name: it had ended");
	}
	else
	{
		is("$status, $after", "died, $before", "$name: its run has died, and no version is there");
		$n_died++;
	}
	is($node->sql("SET client_min_messages = warning; $calls{$call}; SELECT count(*) FROM mren.training_progress") =~ s/^.*\n//r, '0', "$name: the next call completes");
}
cmp_ok($n_died, '>=', 1, "$n_died of $moments were killed amid their work");

done_testing();
