# What other sessions see of a training: its progress, its end, or that its
# backend was killed; and two trainings at once.
use strict;
use warnings;
use MrenTest;
use MrenToy;
use Test::More;

my $node = MrenTest->start('progress');
toy_task($node);
my $trainer = $node->session;
my $watch = $node->session;
$trainer->query('SET client_min_messages = warning');

# Epochs without early stopping; forty of them take some seconds.
my $rows = 'SELECT p.* FROM pairs p, generate_series(1, 4)';
sub options { my ($epochs) = @_; return qq({"hidden": [640, 640], "epochs": $epochs, "patience": 10000, "learning_rate": 0.00002,
	"dropout": 0, "hidden_dropout": 0, "refit": false, "validation_share": 0.25}) }
sub train { my ($model, $epochs) = @_; return "CALL mren.train('$model', '$rows', '" . options($epochs) . q{')} }

is($watch->query('SELECT count(*) FROM mren.training_progress'), '0', 'nothing is in progress');
# The number of epochs that takes some seconds on this machine.
$trainer->query(train('pace', 10) . q{; SELECT mren.drop_model('pace')});
my $n = int(6 / $watch->query(q{SELECT greatest((log -> -1 ->> 'seconds')::float8, 0.001) FROM mren.runs}));
$n = $n < 20 ? 20 : $n > 5000 ? 5000 : $n;
$watch->query('DELETE FROM mren.run');
$trainer->send(train('m', $n));
my $progress = q{SELECT model, status, phase, epoch, epochs, loss, validation_loss IS NOT NULL, validation_f1 IS NOT NULL,
	rows_per_second > 0, seconds_left >= 0, started_by FROM mren.training_progress};
my (@epochs, @losses, %phases, @odd);
my $free = 0;
my $samples = 0;
$watch->query('CREATE TABLE dead AS SELECT i FROM generate_series(1, 10000) i; DELETE FROM dead');
my $vacuumed;
while (1)
{
	my @row = split /\|/, $watch->query($progress);

	last if !@row && %phases;
	next if !@row;
	$phases{ $row[2] } = 1;
	push @odd, "@row" if "@row[0, 1, 10]" ne 'm running postgres';
	if ($row[2] ne 'reading' && $row[3])
	{
		push @epochs, $row[3];
		push @losses, $row[5];
		push @odd, "@row" if $row[4] != $n || "@row[6 .. 9]" ne 't t t t';
	}
	if (@epochs > 10 && !$vacuumed && $epochs[-1] < $n - 2)
	{
		$vacuumed = 1;
		$watch->query('VACUUM dead');
		is($watch->query(q{SELECT pg_relation_size('dead')}), '0', 'a training does not hold back VACUUM');
		is($watch->query(q{SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
			WHERE a.query LIKE 'CALL mren.train%' AND l.locktype = 'relation' AND l.mode NOT IN ('AccessShareLock', 'RowExclusiveLock')}),
			'0', 'nor does it hold a lock that others could wait for');
	}
	select undef, undef, undef, 0.05;
}
my (undef, $err) = $trainer->wait_for(300);
unlike($err, qr/ERROR/, 'the training succeeds');
ok($vacuumed, 'there was time to look');
is_deeply(\@odd, [], 'every state that was seen is whole');
is_deeply(\@epochs, [ sort { $a <=> $b } @epochs ], 'epochs only rise');
cmp_ok($epochs[-1] - $epochs[0], '>=', 3, "several are seen: $epochs[0] to $epochs[-1]");
cmp_ok($losses[-1], '<', $losses[0], 'and the loss falls');
is($watch->query('SELECT count(*) FROM mren.training_progress'), '0', 'after the end none is in progress');
is($watch->query(q{SELECT version, status, phase, rows, epoch, jsonb_array_length(log), finished_at > started_at, seconds_left, sqlstate, message
	FROM mren.runs}), "1|succeeded|training|432|$n|$n|t|||", 'the run tells all of it');

# The backend is killed.
sub in_epochs
{
	my ($model) = @_;
	return wait_until { $watch->query("SELECT count(*) FROM mren.training_progress WHERE model = '$model' AND phase = 'training' AND epoch > 0") > 0 };
}
$trainer->send(train('m', 10000));
ok(in_epochs('m'), 'another is under way');
kill 'KILL', $trainer->backend or die "cannot kill: $!";
eval { $trainer->wait_for };
like($@, qr/ended|server closed/, 'its session is gone');
eval { $watch->close };
wait_until { ($node->try('SELECT 1'))[0] == 0 } or die 'the server does not recover';
$watch = $node->session;
is($watch->query(q{SELECT status, finished_at, version FROM mren.runs ORDER BY run DESC LIMIT 1}), 'died||', 'its run has died');
is($watch->query(q{SELECT model, status, phase FROM mren.training_progress}), 'm|died|training', 'progress shows it');
is($watch->query(q{SELECT count(*) FROM mren.models}), '1', 'it left no version');
is(temporary_files($node), '0', 'and no file');
is($watch->query(q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'}), '0', 'and no lock');
$trainer = $node->session;
$trainer->query('SET client_min_messages = warning');
is($trainer->query(train('m', 2)), '2', 'the next call completes, with the next number');
is($watch->query(q{SELECT count(*) FROM mren.training_progress}), '0', 'and the dead one is no longer shown');
is($watch->query(q{SELECT string_agg(status, ',' ORDER BY run) FROM mren.runs}), 'succeeded,died,succeeded', 'except among all runs');

# Two trainings of the same new model at once.
my $other = $node->session;
$other->query('SET client_min_messages = warning');
$trainer->send(train('twins', $n));
ok(in_epochs('twins'), 'one is in its epochs');
$other->send(train('twins', int($n / 2)));
wait_until { $watch->query(q{SELECT count(*) FROM mren.training_progress WHERE model = 'twins'}) == 2 };
my ($one) = $trainer->wait_for(300);
my ($two) = $other->wait_for(300);
is(join(',', sort $one, $two), '1,2', 'both end, with versions 1 and 2');
is($watch->query(q{SELECT version, deployed FROM mren.models WHERE model = 'twins' ORDER BY 1}), "1|t\n2|f", 'the first deployed itself');
is($watch->query(q{SELECT count(*), count(DISTINCT version) FROM mren.runs WHERE model = 'twins' AND status = 'succeeded'}), '2|2',
	'each run knows its version');

# What a role sees of the runs of others
$watch->query('CREATE ROLE nobody');
$trainer->send(train('m', 10000));
ok(in_epochs('m'), 'one more');
is($watch->query('SET ROLE nobody; SELECT count(*) FROM mren.training_progress; SELECT count(*) FROM mren.runs'), "0\n0",
	'who may not train the model sees nothing of its runs');
$watch->query('RESET ROLE');
$watch->query('SELECT pg_cancel_backend(' . $trainer->backend . ')');
$trainer->wait_for;

# The server shuts down during a training.
$trainer->send(train('m', 10000));
ok(in_epochs('m'), 'the last one');
my $seconds = seconds_of { $node->restart };
cmp_ok($seconds, '<', 30, sprintf 'a fast shutdown does not wait for it (%.1f s, start included)', $seconds);
is($node->sql('SELECT status FROM mren.runs ORDER BY run DESC LIMIT 1'), 'terminated', 'its run says so');
is(temporary_files($node), '0', 'no file is left');

done_testing();
