# Retraining: a better version is deployed, and other sessions use it at their
# next statement; only one retraining of a model runs at a time; and one that is
# cancelled or terminated leaves no version.  pg_cron retrains a model meanwhile.
use strict;
use warnings;
use MrenTest;
use MrenToy;
use Test::More;

my $cron = -e "$1/pg_cron.so" if qx(pg_config --pkglibdir) =~ /^(.*)$/m;
my @conf = $cron ? ("shared_preload_libraries = 'pg_cron'", "cron.database_name = 'test'",
	'cron.use_background_workers = on', 'max_worker_processes = 20') : ();
my $node = MrenTest->start('retrain', @conf);
toy_task($node);
my $trainer = $node->session;
my $other = $node->session;
my $watch = $node->session;
$trainer->query('SET client_min_messages = warning');

# Twenty sentences of each pair.  At first all labels are wrong.  hold() waits
# while lock 7 is held, so that a retraining can be observed in that state.
$trainer->query(<<'SQL');
CREATE TABLE labelled AS
SELECT p.sentence || CASE WHEN g = 1 THEN '' ELSE ' x' || g END AS sentence, head, tail,
	CASE relation WHEN 'part_of' THEN 'kind_of' WHEN 'kind_of' THEN 'none' ELSE 'part_of' END AS relation, relation AS correct
FROM pairs p, generate_series(1, 20) g;
CREATE TABLE nightly AS TABLE labelled;
CREATE FUNCTION hold(int) RETURNS boolean LANGUAGE plpgsql COST 1e6 AS $$ BEGIN PERFORM pg_advisory_lock_shared($1); PERFORM pg_advisory_unlock_shared($1); RETURN true; END $$;
SQL
my $options = q{'{"hidden": [16], "epochs": 8, "holdout_share": 0.25}'};
my $held = q{'SELECT l.* FROM labelled l, (SELECT hold(7) OFFSET 0) h'};
$trainer->query("CALL mren.train('nightly', 'SELECT * FROM nightly', $options)");
$trainer->query('UPDATE nightly SET relation = correct');
# As if trained by an earlier release: no recorded score says that the labels have changed.
my $forget = 'UPDATE mren.model_version SET holdout_rows = NULL';
$trainer->query($forget);
if ($cron)
{
	$node->sql('CREATE EXTENSION pg_cron');
	$node->sql(q{SELECT cron.schedule('retrain nightly', '* * * * *', $$CALL mren.retrain('nightly', min_new_rows => 100)$$)});
}
my $scheduled = time;

sub last_run
{
	my ($columns, $model) = @_;
	return $watch->query("SELECT $columns FROM mren.runs WHERE model = '" . ($model || 'm') . "' ORDER BY run DESC LIMIT 1");
}
my $answer = q{SELECT mren.predict('m', 'dog is a kind of animal', 'dog', 'animal')};

my $ear = $node->session;
$ear->query('LISTEN mren');

# A better version
$trainer->query("CALL mren.train('m', $held, $options)");
is($other->query($answer), 'none', 'a model that learnt every label wrong');
$trainer->query('UPDATE labelled SET relation = correct');
$trainer->query($forget);
$other->query('BEGIN');
is($other->query($answer), 'none', 'is used amid a transaction');
my ($out, $err) = $trainer->try(q{SET client_min_messages = notice; CALL mren.retrain('m'); SET client_min_messages = warning});
is($out, '2|promoted', 'a better version is promoted');
like($err, qr/NOTICE:  version 2 of model "m": promoted: accuracy is 1\.0000, that of version 1 is 0\.0000, on \d+ rows; the lower bound of the difference is 1\.0000, the margin 0$/m, 'and a notice tells it');
is($other->query($answer), 'kind_of', 'other sessions use it at their next statement, amid a transaction too');
$other->query('COMMIT');
is(last_run('status, call, version, champion, verdict, champion_score, challenger_score'), 'succeeded|retrain|2|1|promoted|0|1', 'the run says so');

like(($ear->try('SELECT 1'))[0], qr/Asynchronous notification "mren" with payload "\{"model": "m", "version": 2, "verdict": "promoted", "reason": "accuracy is 1\.0000, /, 'listeners are told');
like($node->log_text, qr/LOG:  retraining of model "m": promoted: accuracy is 1\.0000, /, 'and so is the log');
$trainer->query(q{BEGIN; CALL mren.retrain('m', min_new_rows => 0, promote => 'never'); ROLLBACK});
# pg_cron may have retrained the other model by now, whose notification is right.
unlike(($ear->try('SELECT 1'))[0], qr/"model": "m"/, 'but not of what is rolled back');

# A worse version
$trainer->query(q{CALL mren.retrain('m', min_new_rows => 0, options => '{"epochs": 1, "learning_rate": 1e-8, "hash_bits": 0}')});
like(last_run('verdict, reason'), qr/^rejected\|accuracy is 0\.\d+, that of version 2 is 1\.0000, on \d+ rows; the lower bound of the difference is -0\.\d+, the margin 0$/, 'a worse one is not, and the log says why');
is($other->query($answer), 'kind_of', 'and is not used');

# The notice of a warm start that is not possible
(undef, $err) = $trainer->try(q{SET client_min_messages = notice; CALL mren.retrain('m', min_new_rows => 0, warm_start => true, options => '{"hidden": [8]}'); SET client_min_messages = warning});
like($err, qr/NOTICE:  the training did not start from version 2: its weights "[\w.]+" have a different shape$/m, 'a cold start says why');

# Only one at a time, and what other sessions see
sub hold { $watch->query('SELECT pg_advisory_lock(7)') }
sub let_go { $watch->query('SELECT pg_advisory_unlock(7)') }
sub waits
{
	return wait_until { $watch->query(q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted}) > 0 };
}
hold();
$trainer->send(q{CALL mren.retrain('m', min_new_rows => 0, promote => 'never')});
ok(waits(), 'a retraining reads');
is($watch->query(q{SELECT model, call, status, phase FROM mren.training_progress WHERE model = 'm'}), 'm|retrain|running|reading', 'others see it');
($out, $err) = $other->try(q{CALL mren.retrain('m', min_new_rows => 0)});
is($out, '|busy', 'a second one of the model returns at once');
is(last_run('status, verdict, reason, finished_at IS NOT NULL, new_rows IS NULL'), 'skipped|busy|another session is retraining the model|t|t', 'and its run is recorded');
like($err, qr/NOTICE:  model "m" is being retrained by another session/, 'and says so');
unlike($other->query("BEGIN; CALL mren.train('free', 'SELECT * FROM labelled', $options); CALL mren.retrain('free', min_new_rows => 0); COMMIT"),
	qr/busy/, 'one of another model is free, in a transaction as well');
is($watch->query(q{SELECT count(*) FROM mren.runs WHERE model = 'm' AND status = 'running'}), '1', 'what was refused leaves no run');
let_go();
like(($trainer->wait_for)[0], qr/^\d+\|held$/, 'the first one ends');

$other->query("BEGIN; CALL mren.retrain('m', min_new_rows => 0, promote => 'never')");
is($trainer->query(q{CALL mren.retrain('m', min_new_rows => 0)}), '|busy', 'within a transaction the lock lasts to its end');
$other->query('ROLLBACK');
# Not those of the job that pg_cron runs meanwhile.
is($watch->query(q{SELECT count(*) FROM pg_locks WHERE locktype IN ('advisory', 'object') AND pid = } . $other->backend), '0', 'and no longer');

# Canceled or terminated in each phase
my $versions = q{SELECT count(*), max(version) FROM mren.models WHERE model = 'm'};
sub nothing_left
{
	my ($name, $before, $backend) = @_;
	is($watch->query($versions), $before, "$name: no version is left");
	is($watch->query("SELECT count(*) FROM pg_locks WHERE locktype IN ('advisory', 'object') AND pid = $backend"), '0', "$name: nor a lock");
	wait_until { temporary_files($node) == 0 };
	is(temporary_files($node), '0', "$name: nor a file");
	is($watch->query(q{SELECT count(*) FROM mren.weight w WHERE NOT EXISTS (SELECT FROM mren.model_version v WHERE v.id = w.version)}), '0', "$name: nor weights");
}
# None of them ends by itself: ten thousand epochs of this network take hours.
my $long = q{'{"epochs": 10000, "patience": 0, "hidden": [1024, 1024]}'};
for my $phase ('reading', 'training', 'judging')
{
	my $call = "CALL mren.retrain('m', min_new_rows => 0, promote => 'always', options => " . ($phase eq 'training' ? $long : q{'{"epochs": 2}'}) . ')';
	my $before = $watch->query($versions);

	for my $how ('cancel', 'terminate')
	{
		my $session = $node->session;

		hold() if $phase eq 'reading';
		# Judging runs the query a second time: there it is held.
		if ($phase eq 'judging')
		{
			$session->query(q{CREATE OR REPLACE FUNCTION hold(int) RETURNS boolean LANGUAGE plpgsql COST 1e6 AS $$ BEGIN
				IF EXISTS (SELECT FROM mren.runs WHERE status = 'running' AND phase = 'judging' AND model = 'm') THEN PERFORM pg_sleep(1000000); END IF; RETURN true; END $$});
		}
		$session->send($call);
		ok((wait_until { $watch->query("SELECT count(*) FROM mren.training_progress WHERE model = 'm' AND phase = '$phase'" . ($phase eq 'training' ? ' AND epoch > 0' : '')) == 1 }), "$phase, $how: it is there");
		# Reading and judging wait where they are held, with a query that runs.
		wait_until { $watch->query('SELECT count(*) FROM pg_stat_activity WHERE ' . ($phase eq 'reading' ? q{wait_event_type = 'Lock'} : q{wait_event = 'PgSleep'}) .
			' AND pid = ' . $session->backend) == 1 } or die 'it is not held' unless $phase eq 'training';
		$watch->query("SELECT pg_${how}_backend(" . $session->backend . ')');
		my (undef, $err) = eval { $session->wait_for };
		like($err // '', qr/ERROR:  canceling statement due to user request/, "$phase, $how: it ends") if $how eq 'cancel';
		ok((wait_until { $watch->query("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND pid = " . $session->backend) == 0 }), "$phase, $how: nothing of it goes on");
		let_go() if $phase eq 'reading';
		# A query that runs cannot say that it was terminated, nor can a training in the moment in which it writes
		# its progress.
		like(last_run('status'), $how eq 'cancel' ? qr/^canceled$/ : $phase eq 'training' ? qr/^(terminated|died)$/ : qr/^died$/, "$phase, $how: its run says so");
		nothing_left("$phase, $how", $before, $session->backend);
		is($watch->query($answer), 'kind_of', "$phase, $how: predictions go on");
		undef $session;
	}
}
# Objects that are dropped during a retraining
$trainer->query(q{CREATE OR REPLACE FUNCTION hold(int) RETURNS boolean LANGUAGE plpgsql COST 1e6 AS $$ BEGIN PERFORM pg_advisory_lock_shared($1); PERFORM pg_advisory_unlock_shared($1); RETURN true; END $$});
hold();
$trainer->send(q{CALL mren.retrain('m', min_new_rows => 0)});
waits();
$other->query(q{SELECT mren.promote('m', 1)});
let_go();
like(($trainer->wait_for)[0], qr/^\d+\|undecided$/, 'where another version was deployed meanwhile');
is(last_run('reason'), 'version 2 is no longer the deployed one', 'it decides nothing');
$other->query(q{SELECT mren.promote('m', 2)});
hold();
$trainer->send(qq{\\set VERBOSITY verbose\nCALL mren.retrain('m', min_new_rows => 0)});
waits();
$other->query(q{SELECT mren.drop_model('m')});
let_go();
like(($trainer->wait_for)[1], qr/ERROR:  42704: model "m" does not exist/, 'a model dropped meanwhile is not made again');
is(last_run('status, sqlstate'), 'failed|42704', 'its run failed');
like($node->log_text, qr/WARNING:  retraining of model "m": failed: model "m" does not exist/, 'the log warns of it');
like(($ear->try('SELECT 1'))[0], qr/"verdict": "failed", "reason": "model \\"m\\" does not exist"/, 'and listeners are told');
is($watch->query(q{SELECT count(*) FROM mren.models WHERE model = 'm'}), '0', 'and nothing of it is there');

# pg_cron, from schedule to promoted version
SKIP:
{
	skip 'pg_cron is not installed', 4 unless $cron;
	wait_until { $watch->query(q{SELECT count(*) FROM cron.job_run_details WHERE status IN ('succeeded', 'failed')}) > 0 } 100;
	is($watch->query(q{SELECT status, return_message, command FROM cron.job_run_details ORDER BY runid LIMIT 1}),
		q{succeeded|CALL|CALL mren.retrain('nightly', min_new_rows => 100)}, sprintf 'pg_cron calls it (%d s)', time - $scheduled);
	is($watch->query(q{SELECT status, verdict, version, new_rows >= 100 FROM mren.runs WHERE model = 'nightly' AND call = 'retrain' ORDER BY run LIMIT 1}),
		'succeeded|promoted|2|t', 'its run is recorded');
	is($watch->query(q{SELECT version FROM mren.models WHERE model = 'nightly' AND deployed}), '2', 'its version is promoted');
	is($watch->query(q{SELECT mren.predict('nightly', 'dog is a kind of animal', 'dog', 'animal')}), 'kind_of', 'and answers');
	$watch->query(q{SELECT cron.unschedule('retrain nightly')});
}

done_testing();
