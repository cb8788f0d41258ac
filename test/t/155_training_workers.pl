# Background workers that train beside a session, or fine-tune a text encoder: they are seen, end with it however it
# ends, and are not needed.
use strict;
use warnings;
use MrenTest;
use MrenToy;
use Test::More;

$SIG{PIPE} = 'IGNORE'; # a session that was terminated is closed
my $node = MrenTest->start('trainworkers', 'max_parallel_maintenance_workers = 2');
toy_task($node);
text_encoders($node);
$node->sql(q{CREATE TABLE letters AS SELECT CASE WHEN g % 2 = 0 THEN 'a bc ' ELSE 'b ac ' END || g AS sentence, int4range(0, 1) AS head,
	int4range(2, 4) AS tail, CASE WHEN g % 2 = 0 THEN 'one' ELSE 'other' END AS relation FROM generate_series(1, 240) AS g});
my $trainer = $node->session;
my $watch = $node->session;
$trainer->query('SET client_min_messages = warning');

# 864 rows.  Of these epochs there are always more; an epoch that ends elsewhere shows that workers have begun.
my $rows = 'SELECT p.* FROM pairs p, generate_series(1, 8)';
my $endless = q({"hidden": [1024, 512], "epochs": 10000, "patience": 0, "text_encoder": "pool"});
my $short = q({"hidden": [8], "epochs": 4, "text_encoder": "pool", "ensemble": 2});
my $workers = q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'mren training worker' AND query LIKE 'mren training worker for PID %'};
my $refits = q{SELECT count(*) > 0 FROM mren.runs r, jsonb_array_elements(r.log) AS e WHERE r.status = 'running' AND e ->> 'phase' = '2'};
sub call { my ($options) = @_; return "CALL mren.train('m', '$rows', '$options')" }

# Sends a training without end, and waits until a refit in a worker follows its fit.
sub begin
{
	my ($statement) = @_;

	$trainer->send($statement // call($endless));
	ok((wait_until { $watch->query($workers) eq '2' }), 'two workers train');
}
sub ended { my ($what) = @_; ok((wait_until { $watch->query($workers) eq '0' }), "$what: the workers end") }

begin();
ok((wait_until { $watch->query($refits) eq 't' }), 'epochs of a refit end while the fit goes on');
$watch->query('SELECT pg_cancel_backend(' . $trainer->backend . ')');
like(($trainer->wait_for)[1] // '', qr/canceling statement due to user request/, 'a cancel is the error of the call');
ended('a cancel');
is($watch->query('SELECT status, sqlstate FROM mren.runs ORDER BY run DESC LIMIT 1'), 'canceled|57014', 'and is recorded');

# A network of text has one more course, its refit, unless it has a linear branch.
$trainer->send(call($endless =~ s/}$/, "hash_bits": 0}/r));
ok((wait_until { $watch->query($refits) eq 't' }), 'epochs of the only refit end');
is($watch->query($workers), '1', 'which is one worker\'s');
$watch->query('SELECT pg_cancel_backend(' . $trainer->backend . ')');
$trainer->wait_for;
ended('its cancel');

# A worker that ends before it has its rows is not missed, so wait until there are results of one.
begin();
ok((wait_until { $watch->query($refits) eq 't' }), 'epochs of a refit end again');
$watch->query(q{SELECT pg_terminate_backend(min(pid)) FROM pg_stat_activity WHERE backend_type = 'mren training worker'});
like(($trainer->wait_for)[1] // '', qr/lost connection to a training worker/, 'a worker that is terminated is an error of the call');
ended('such an error');
is($watch->query('SELECT status, sqlstate FROM mren.runs ORDER BY run DESC LIMIT 1'), 'failed|55000', 'and is recorded');

begin("SELECT mren.train_agg(sentence, head, tail, relation, NULL, '$endless') FROM pairs, generate_series(1, 8)");
$watch->query('SELECT pg_cancel_backend(' . $trainer->backend . ')');
like(($trainer->wait_for)[1] // '', qr/canceling statement due to user request/, 'the aggregate is cancelled');
ended('its cancel');

begin();
$watch->query('SELECT pg_terminate_backend(' . $trainer->backend . ')');
eval { $trainer->wait_for };
eval { $trainer->close };
ended('a terminated session');
$trainer = $node->session;
$trainer->query('SET client_min_messages = warning');

# Workers that fine-tune a text encoder.  A thousand epochs of many rows outlast any wait here; a training that is to end has few.
my $many = 'SELECT l.* FROM letters l, generate_series(1, 100)';
my $few = 'SELECT sentence, head, tail, relation FROM letters';
my $fine_tuned = '{"text_encoder": "text", "hidden": [8], "epochs": 1, "encoder_epochs": %d, "encoder_batch_size": 128, "refit": false}';
my $tuning = "CALL mren.train('m', '$many', '" . sprintf($fine_tuned, 1000) . q{')};
my $in_encoder = q{SELECT count(*) FROM mren.training_progress WHERE phase = 'training' AND epoch > 1};

begin($tuning);
ok((wait_until { $watch->query($in_encoder) eq '1' }), 'they fine-tune a text encoder');
$watch->query('SELECT pg_cancel_backend(' . $trainer->backend . ')');
like(($trainer->wait_for)[1] // '', qr/canceling statement due to user request/, 'its training is cancelled');
ended('that cancel');
is($watch->query('SELECT status, sqlstate FROM mren.runs ORDER BY run DESC LIMIT 1'), 'canceled|57014', 'and recorded');

begin($tuning);
ok((wait_until { $watch->query($in_encoder) eq '1' }), 'they fine-tune a text encoder again');
$watch->query(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'mren training worker'});
like(($trainer->wait_for)[1] // '', qr/lost connection to a training worker/, 'workers that are terminated are an error of the call');
ended('that error');

begin("SELECT mren.train_agg(sentence, head, tail, relation, NULL, '" . sprintf($fine_tuned, 1000) . "') FROM letters, generate_series(1, 100)");
$watch->query('SELECT pg_terminate_backend(' . $trainer->backend . ')');
eval { $trainer->wait_for };
eval { $trainer->close };
ended('a terminated session that fine-tunes');
$trainer = $node->session;
$trainer->query('SET client_min_messages = warning');
my $logged = length $node->log_text;
is($trainer->query("CALL mren.train('tuned', '$few', '" . sprintf($fine_tuned, 2) . q{')}), '1', 'a fine-tuning ends');
ended('its end');

# The database takes no more connections, but workers are no new ones.
my $allow = 'UPDATE pg_database SET datallowconn = %s WHERE datname = current_database()';
$watch->query(sprintf($allow, 'false'));
is($trainer->query("CALL mren.train('closed', '$few', '" . sprintf($fine_tuned, 2) . q{')}), '1', 'a fine-tuning ends where no session can begin');
$watch->query(sprintf($allow, 'true'));

# A time budget ends the courses of workers with that of the session.
is($trainer->query(call($short)), '1', 'a short training ends');
unlike(substr($node->log_text, $logged), qr/training worker/, 'the log says nothing of workers that end with their training');
like($trainer->query(q{CALL mren.retrain('m', min_new_rows => 0, time_budget => '1 s', options => '{"epochs": 10000, "patience": 0}')}), qr/^2\|/, 'a time budget ends a training');
ended('a time budget');
my $hash = q{SELECT md5(mren.export_model('m', 1))};
my $with = $watch->query($hash);
my $tuned_with = $watch->query($hash =~ s/'m'/'tuned'/r);

# Without a worker the session trains everything.
$watch->query('ALTER SYSTEM SET max_worker_processes = 0');
$node->restart;
$trainer = $node->session;
$trainer->query('SET client_min_messages = warning');
is($trainer->query(call($short)), '3', 'a server without workers trains, too');
is($trainer->query(q{SELECT md5(mren.export_model('m', 3))}), $with, 'with the same result');
is($trainer->query("CALL mren.train('tuned', '$few', '" . sprintf($fine_tuned, 2) . q{')}), '2', 'a server without workers fine-tunes, too');
is($trainer->query($hash =~ s/'m', 1/'tuned', 2/r), $tuned_with, 'with the same result');
done_testing();
