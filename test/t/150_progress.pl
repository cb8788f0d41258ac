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

# Epochs that do not end early; ten thousand of them take a quarter of an hour
# and more, so that such a training does not end by itself.
my $rows = 'SELECT p.* FROM pairs p, generate_series(1, 4)';
sub options { my ($epochs) = @_; return qq({"hidden": [1024, 1024], "epochs": $epochs, "patience": 10000, "learning_rate": 0.00002,
	"dropout": 0, "hidden_dropout": 0, "refit": false, "validation_share": 0.25}) }
sub train { my ($model, $epochs) = @_; return "CALL mren.train('$model', '$rows', '" . options($epochs) . q{')} }

is($watch->query('SELECT count(*) FROM mren.training_progress'), '0', 'nothing is in progress');
$trainer->send(train('endless', 10000));
my $progress = q{SELECT model, status, phase, epoch, epochs, loss, validation_loss IS NOT NULL, validation_f1 IS NOT NULL,
	rows_per_second > 0, seconds_left >= 0, started_by FROM mren.training_progress};
my (@epochs, @losses, @odd);
ok((wait_until
{
	my @row = split /\|/, $watch->query($progress);

	return 0 if !@row;
	push @odd, "@row" if "@row[0, 1, 10]" ne 'endless running postgres';
	if ($row[2] ne 'reading' && $row[3])
	{
		push @epochs, $row[3];
		push @losses, $row[5];
		# Validation rows are judged after the first epoch is counted.
		push @odd, "@row" if $row[4] != 10000 || "@row[6 .. 9]" !~ ($row[3] > 1 ? qr/^t t t t$/ : qr/^(t t|f f) t t$/);
	}
	return @epochs && $epochs[-1] - $epochs[0] >= 3;
}), 'epochs are seen to pass') or diag("epochs: @epochs");
is_deeply(\@odd, [], 'every state that was seen is whole');
is_deeply(\@epochs, [ sort { $a <=> $b } @epochs ], 'epochs only rise');
cmp_ok($losses[-1], '<', $losses[0], 'and the loss falls');
$watch->query('CREATE TABLE dead AS SELECT i FROM generate_series(1, 10000) i; DELETE FROM dead');
# (It may be recording its progress at the first attempt.)
ok((wait_until { $watch->query('VACUUM dead'); $watch->query(q{SELECT pg_relation_size('dead')}) == 0 }), 'a training does not hold back VACUUM');
is($watch->query(q{SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
	WHERE a.query LIKE 'CALL mren.train%' AND l.locktype = 'relation' AND l.mode NOT IN ('AccessShareLock', 'RowExclusiveLock')}),
	'0', 'nor does it hold a lock that others could wait for');
is($watch->query(q{SELECT model, phase FROM mren.training_progress}), 'endless|training', 'all the while it trains');
$watch->query('SELECT pg_cancel_backend(' . $trainer->backend . ')');
$trainer->wait_for;
is($watch->query('SELECT count(*) FROM mren.training_progress'), '0', 'after the end none is in progress');

$watch->query('DELETE FROM mren.run');
my $n = 5;
is($trainer->query(train('m', $n)), '1', 'a training that ends succeeds');
is($watch->query(q{SELECT version, status, phase, rows, epoch, jsonb_array_length(log), finished_at > started_at, seconds_left, sqlstate, message
	FROM mren.runs}), "1|succeeded|training|432|$n|$n|t|||", 'the run tells all of it');

# An ensemble tells which of its members is in training, one network nothing.
is($watch->query('SELECT member, members FROM mren.runs'), '|', 'one network is no ensemble');
(my $of_two = train('two', 10000)) =~ s/\}'\)$/, "ensemble": 2}')/;
$trainer->send($of_two);
my $members = '';
ok((wait_until { ($members = $watch->query(q{SELECT member, members FROM mren.training_progress WHERE model = 'two' AND epoch > 0})) ne '' }), 'two networks are trained');
is($members, '1|2', 'the first of them first');
$watch->query('SELECT pg_cancel_backend(' . $trainer->backend . ')');
$trainer->wait_for;
($of_two = train('two', 2)) =~ s/\}'\)$/, "ensemble": 2}')/;
is($trainer->query($of_two), '1', 'both are trained to the end');
is($watch->query(q{SELECT member, members FROM mren.runs WHERE model = 'two' ORDER BY run DESC LIMIT 1}), '2|2', 'the second of them last');
is($watch->query(q{SELECT array_agg(DISTINCT e -> 'member') FROM mren.runs, jsonb_array_elements(log) e WHERE model = 'two' AND status = 'succeeded'}), '{1,2}',
	'as in the log');
$watch->query(q{SELECT mren.drop_model('two')});
$watch->query(q{DELETE FROM mren.run WHERE model = 'two'});

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
is($watch->query(q{SELECT count(*) FROM pg_locks WHERE locktype IN ('advisory', 'object')}), '0', 'and no lock');
$trainer = $node->session;
$trainer->query('SET client_min_messages = warning');
is($trainer->query(train('m', 2)), '2', 'the next call completes, with the next number');
is($watch->query(q{SELECT count(*) FROM mren.training_progress}), '0', 'and the dead one is no longer shown');
is($watch->query(q{SELECT string_agg(status, ',' ORDER BY run) FROM mren.runs}), 'succeeded,died,succeeded', 'except among all runs');

# Two trainings of the same new model at once.  Both are held where they read their rows, and
# then go on side by side.
my $other = $node->session;
$other->query('SET client_min_messages = warning');
$watch->query(q{CREATE FUNCTION hold() RETURNS boolean LANGUAGE plpgsql COST 1000 AS
	'BEGIN PERFORM pg_advisory_lock_shared(7); PERFORM pg_advisory_unlock_shared(7); RETURN true; END'});
$watch->query('SELECT pg_advisory_lock(7)');
$rows = 'SELECT p.* FROM pairs p, (SELECT hold() OFFSET 0) AS h';
$trainer->send(train('twins', $n));
$other->send(train('twins', $n));
ok((wait_until { $watch->query(q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 7 AND NOT granted}) == 2 }), 'two read their rows');
is($watch->query(q{SELECT count(*) FROM mren.training_progress WHERE model = 'twins' AND status = 'running'}), '2', 'both are in progress');
$watch->query('SELECT pg_advisory_unlock(7)');
my ($one) = $trainer->wait_for;
my ($two) = $other->wait_for;
is(join(',', sort $one, $two), '1,2', 'both end, with versions 1 and 2');
is($watch->query(q{SELECT version, deployed FROM mren.models WHERE model = 'twins' ORDER BY 1}), "1|t\n2|f", 'the first deployed itself');
is($watch->query(q{SELECT count(*), count(DISTINCT version) FROM mren.runs WHERE model = 'twins' AND status = 'succeeded'}), '2|2',
	'each run knows its version');

# What a role sees of the runs of others
$rows = 'SELECT p.* FROM pairs p, generate_series(1, 4)';
$watch->query('CREATE ROLE nobody');
$trainer->send(train('m', 10000));
ok(in_epochs('m'), 'one more');
is($watch->query('SET ROLE nobody; SELECT count(*) FROM mren.training_progress; SELECT count(*) FROM mren.runs'), "0\n0",
	'who may not train the model sees nothing of its runs');
$watch->query('RESET ROLE');
$watch->query('SELECT pg_cancel_backend(' . $trainer->backend . ')');
$trainer->wait_for;

# The time left counts the fusions that are still to be tried, and the best one once more.  Speed and time of one row
# of the view make up rows, whatever the machine's speed: of five times as many epochs as those of this fusion.
tiny_encoder($node);
my $picture = unpack 'H*', png(8, 8, "\xff\0\0" x 64);
(my $of_fusions = options(10000)) =~ s/\}$/, "fusion": "auto", "image_encoder": "tiny", "text_only_member": false}/;
$trainer->send("CALL mren.train('fused', 'SELECT p.*, ''\\x$picture''::bytea AS image FROM pairs p, generate_series(1, 4)', '$of_fusions')");
my $times = '';
ok((wait_until { ($times = $watch->query(q{SELECT rows_per_second * seconds_left / (10000 * rows * 0.75) FROM mren.runs
	WHERE model = 'fused' AND phase = 'training' AND epoch > 0 AND rows_per_second > 0})) ne '' }), 'fusions are tried');
cmp_ok($times || 0, '>', 3, 'the time left is that of all of them');
$watch->query('SELECT pg_cancel_backend(' . $trainer->backend . ')');
$trainer->wait_for;

# A text encoder that learns nothing, here from relations that have nothing to do with the sentences, says so.
text_encoders($node);
my (undef, undef, $said) = $node->try(q{CALL mren.train('idle', 'SELECT sentence, head, tail, CASE WHEN i % 4 = 0 THEN ''rare'' ELSE ''usual'' END AS relation
	FROM pairs, generate_series(1, 8) AS i', '{"text_encoder": "text", "hidden": [8], "epochs": 1, "encoder_epochs": 1, "fine_tuning": "frozen",
	"encoder_learning_rate": 1e-8, "validation_share": 0.4}')});
is(scalar(() = $said =~ /NOTICE:  the text encoder has learned nothing: its training begins again/g), 2, 'two new attempts are told');
is($watch->query(q{SELECT metrics ->> 'encoder_restarts' FROM mren.models WHERE model = 'idle'}), '2', 'and recorded');
is(join(' ', sort map { my ($member) = /member (\d)/; $member . (/ s left/ ? ' left' : '') } grep { /training epoch/ } split /\n/, $said), '1 2 left 2 left 2 left',
	'the time left is told from the encoder on, which takes most of it');

# The server shuts down during a training.
$trainer->send(train('m', 10000));
ok(in_epochs('m'), 'the last one');
# It would fail if it had to wait for ten thousand epochs.
$node->restart;
# In the moment in which it writes its progress, a training cannot record that it is terminated.
like($node->sql('SELECT status FROM mren.runs ORDER BY run DESC LIMIT 1'), qr/^(terminated|died)$/, 'its run says so');
is(temporary_files($node), '0', 'no file is left');

done_testing();
