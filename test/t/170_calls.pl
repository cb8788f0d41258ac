# Everything that may call mren.train: blocks, procedures, functions, DO, and
# pg_cron.  Where it may commit it records its run and shows its progress;
# where it may not it trains in the transaction around it.
use strict;
use warnings;
use MrenTest;
use MrenToy;
use Test::More;

my $slow = $ENV{MREN_SLOW_TESTS};
my $cron = -e "$1/pg_cron.so" if qx(pg_config --pkglibdir) =~ /^(.*)$/m;
my @conf = $slow && $cron ? (
	"shared_preload_libraries = 'pg_cron'", "cron.database_name = 'test'",
	'cron.use_background_workers = on', 'max_worker_processes = 20') : ();
my $node = MrenTest->start('calls', @conf);
toy_task($node);

my $session = $node->session;
my $query = q{'SELECT * FROM pairs'};
my $options = q{'{"hidden": [4], "epochs": 2}'};
$session->query(<<"SQL");
SET client_min_messages = warning;
CREATE ROLE analyst;
CREATE ROLE guest;
GRANT USAGE, CREATE ON SCHEMA public TO analyst;
GRANT SELECT ON pairs TO analyst;
GRANT EXECUTE ON PROCEDURE mren.train(text, text, jsonb, integer) TO analyst;
SQL

# The last run, as status and message; and how many versions the model has.
sub run_of
{
	my ($model) = @_;
	return $session->query(<<"SQL");
SELECT (SELECT count(*) FROM mren.model_version v JOIN mren.model m ON m.id = v.model WHERE m.name = '$model'),
	(SELECT count(*) FROM mren.runs WHERE model = '$model'), (SELECT status FROM mren.runs WHERE model = '$model' ORDER BY run DESC LIMIT 1)
SQL
}

is($session->query("CALL mren.train('plain', $query, $options)"), '1', 'a statement of its own');
is(run_of('plain'), '1|1|succeeded', 'is recorded');

# Transaction blocks
$session->query("BEGIN; CALL mren.train('block', $query, $options)");
is($session->query(q{SELECT mren.predict('block', sentence, head, tail) IS NOT NULL FROM pairs LIMIT 1}), 't',
	'in a transaction block: there at once');
is($node->sql(q{SELECT count(*) FROM mren.models WHERE model = 'block'}), '0', 'for others not before the commit');
$session->query('COMMIT');
is(run_of('block'), '1|1|succeeded', 'committed, it stays, and so does the record of the run');
$session->query("BEGIN; CALL mren.train('gone', $query, $options); ROLLBACK");
is(run_of('gone'), '0|0|', 'rolled back, it was never there');
$session->query("BEGIN; SAVEPOINT s; CALL mren.train('saved', $query, $options); ROLLBACK TO s; CALL mren.train('saved', $query, $options); COMMIT");
is(run_of('saved'), '1|1|succeeded', 'so in a subtransaction');
$session->query('BEGIN ISOLATION LEVEL REPEATABLE READ');
is($session->query("CALL mren.train('block', $query, $options)"), '2', 'in REPEATABLE READ');
is($session->query(q{SELECT max(version) FROM mren.models WHERE model = 'block'}), '2', 'the transaction sees its version');
$session->query('COMMIT');
like(error_in($session, "BEGIN READ ONLY; CALL mren.train('block', $query, $options)"), qr/^25006: cannot execute CALL mren\.train\(\) in a read-only transaction/,
	'a read-only transaction refuses it');
$session->query('ROLLBACK');

# What fails in a transaction that cannot be committed is recorded outside of it: by itself, cancelled or timed out.
my $endless = q{'{"hidden": [2048, 2048], "epochs": 10000, "patience": 10000, "batch_size": 108}'};
my $last = q{SELECT model, call, status, sqlstate, message, started_by, finished_at >= started_at FROM mren.runs ORDER BY run DESC LIMIT 1};
sub one_string { return ($node->run('psql', '-X', '-c', $_[0], 'test'))[2] }
like(error_in($session, "BEGIN; CALL mren.train('outside', 'SELECT * FROM nowhere', $options)"), qr/^42P01: /, 'a failure in a transaction block');
$session->query('ROLLBACK');
is($session->query($last), 'outside|train|failed|42P01|relation "nowhere" does not exist|postgres|t', 'is recorded although that is rolled back');
like(one_string("SET statement_timeout = '1500ms'; CALL mren.train('outside', $query, $endless)"), qr/ERROR:  canceling statement due to statement timeout/, 'SET and CALL in one string: timed out');
is($session->query($last), 'outside|train|canceled|57014|canceling statement due to statement timeout|postgres|t', 'is recorded, too');
like(one_string("SET statement_timeout = '1h'; CALL mren.train('together', $query, $options)"), qr/epoch 2 of 2/, 'SET and CALL in one string: in time');
is(run_of('together'), '1|1|succeeded', 'is recorded, too');
my $listener = $node->session;
$listener->query('LISTEN mren');
like(one_string(q{SET work_mem = '4MB'; CALL mren.retrain('together', min_new_rows => 0, options => '{"learning_rate": 1e30, "epochs": 3}')}), qr/ERROR: /, 'so a retraining that fails');
like($session->query($last), qr/^together\|retrain\|failed\|/, 'is recorded');
like(($listener->try('SELECT 1'))[0], qr/Asynchronous notification "mren" with payload "\{"model": "together", "version": null, "verdict": "failed", /, 'and listeners are told');
$session->query(q{CREATE TABLE documents AS SELECT 1 AS id, 'dog is a kind of animal' AS document});
$session->query(q{SELECT mren.load_lexicon('kinds', ARRAY['dog', 'animal'], 'kind')});
$session->query(q{SELECT mren.create_graph('graph', 'SELECT 1/(id - 1) AS key, document FROM documents', 'block', lexicons => '{kinds}')});
like(one_string(q{SET work_mem = '4MB'; CALL mren.refresh_graph('graph')}), qr/ERROR:  division by zero/, 'so a refresh');
is($session->query('SELECT graph, status, sqlstate FROM mren.graph_runs'), 'graph|failed|22012', 'is recorded');
# One that cannot be recorded says so, and fails as it would.
$session->query(q{ALTER SYSTEM SET max_worker_processes = 0});
$node->restart;
$session = $node->session;
like(one_string(q{SET work_mem = '4MB'; CALL mren.refresh_graph('graph')}), qr/WARNING:  the failure could not be recorded.*ERROR:  division by zero/s, 'without a worker there is a warning');
is($session->query('SELECT count(*) FROM mren.graph_runs'), '1', 'and no record');
$session->query(q{ALTER SYSTEM RESET max_worker_processes});
$node->restart;
$session = $node->session;
$session->query('SET client_min_messages = warning');

# Settings under which every transaction of the call starts
for my $level ('repeatable read', 'serializable')
{
	$session->query("SET default_transaction_isolation = '$level'");
	is($session->query("CALL mren.train('isolated', $query, '{\"hidden\": [256, 256], \"epochs\": 60, \"patience\": 100}')"),
		$level eq 'serializable' ? '2' : '1', "default isolation $level");
	like(run_of('isolated'), qr/\|succeeded$/, "$level: its run says so");
}
$session->query('RESET default_transaction_isolation');

# PL/pgSQL
sub do_block { my ($body) = @_; return "DO \$\$ DECLARE v int; BEGIN $body END \$\$" }
sub call { my ($model, $what) = @_; $what //= $query; return "CALL mren.train('$model', $what, $options, v);" }

$session->query(do_block(call('do')));
is(run_of('do'), '1|1|succeeded', 'a DO block: it may commit, and is recorded');
$session->query('BEGIN; ' . do_block(call('do')) . '; ROLLBACK');
is(run_of('do'), '1|1|succeeded', 'a DO block within a transaction: it may not');
$session->query(do_block('FOR i IN 1 .. 3 LOOP ' . call('loop') . q{ IF v <> i THEN RAISE 'version % is %', i, v; END IF; END LOOP;}));
is(run_of('loop'), '3|3|succeeded', 'in a loop');
$session->query(do_block(q{FOR r IN SELECT DISTINCT relation FROM pairs ORDER BY 1 LOOP } . call('for', q{format('SELECT * FROM pairs WHERE relation IN (%L, ''none'') OR true', r.relation)}) . ' END LOOP;')
	=~ s/v int;/v int; r record;/r);
is(run_of('for'), '3|3|succeeded', 'in a loop over a query, whose cursor outlives the commits');
$session->query('CREATE PROCEDURE nightly(model text, INOUT v int DEFAULT NULL) LANGUAGE plpgsql AS $$ BEGIN CALL mren.train(model, ' . "$query, $options, v); COMMIT; END \$\$");
is($session->query(q{CALL nightly('nightly')}), '1', 'a procedure');
is(run_of('nightly'), '1|1|succeeded', 'is recorded');
$session->query(q{BEGIN; SAVEPOINT s});
like(error_in($session, q{CALL nightly('nightly')}), qr/^2D000: invalid transaction termination/, 'a procedure that commits cannot do so in a block');
$session->query('ROLLBACK');

# A handler makes a subtransaction, in which nothing can commit.
$session->query(do_block('BEGIN ' . call('handled') . q{ EXCEPTION WHEN division_by_zero THEN NULL; END;}));
is(run_of('handled') =~ /^(\d)/ && $1, '1', 'within a block with a handler');
$session->query(do_block('BEGIN ' . call('failed', q{'SELECT * FROM nowhere'}) . q{ EXCEPTION WHEN undefined_table THEN RAISE WARNING 'caught'; END;} . call('failed')));
like(run_of('failed'), qr/^1\|[12]\|succeeded$/, 'a failure is caught, and the next call trains');
is($session->query(q{SELECT count(*) FROM pg_locks WHERE locktype IN ('advisory', 'object')}), '0', 'no lock is left');
my $fails = q{'SELECT sentence, head, tail, 1 / (id - 50) || '''' AS relation FROM pairs'};
is(error_in($session, do_block('FOR i IN 1 .. 5 LOOP BEGIN ' . call('files', $fails) .
	' EXCEPTION WHEN division_by_zero THEN NULL; END; END LOOP; ASSERT (SELECT count(*) FROM pg_ls_tmpdir()) = 0;')), 'no error: ',
	'nor a file, as soon as it is caught');
like(error_in($session, do_block(call('thrown', q{'SELECT * FROM nowhere'}))), qr/^42P01: relation "nowhere" does not exist/, 'one that is not ends the block');
is(run_of('thrown'), '0|1|failed', 'and is recorded');
like(error_in($session, q{CREATE FUNCTION sql_call() RETURNS void LANGUAGE sql AS $$ CALL mren.train('x', 'SELECT 1') $$}),
	qr/^0A000: /, 'SQL functions cannot take output arguments, says the server');

# Functions are within the statement that calls them.
$session->query(<<"SQL");
CREATE FUNCTION trained(model text) RETURNS int LANGUAGE plpgsql AS \$\$ DECLARE v int; BEGIN CALL mren.train(model, $query, $options, v); RETURN v; END \$\$;
CREATE FUNCTION trained_by_owner(model text) RETURNS int LANGUAGE plpgsql SECURITY DEFINER AS \$\$ DECLARE v int; BEGIN CALL mren.train(model, $query, $options, v); RETURN v; END \$\$;
CREATE PROCEDURE train_by_owner(model text, INOUT v int DEFAULT NULL) LANGUAGE plpgsql SECURITY DEFINER AS \$\$ BEGIN CALL mren.train(model, $query, $options, v); END \$\$;
CREATE PROCEDURE train_with_path(model text, INOUT v int DEFAULT NULL) LANGUAGE plpgsql SET search_path = public AS \$\$ BEGIN CALL mren.train(model, $query, $options, v); END \$\$;
SQL
is($session->query(q{SELECT trained('function'), trained('function')}), '1|2', 'a function, twice in a statement');
is(run_of('function'), '2|2|succeeded', 'trains within the statement');
is($session->query(q{SELECT trained('rows') FROM generate_series(1, 3)}), "1\n2\n3", 'and once a row');

# Whose rights count
$session->query('SET ROLE guest');
like(error_in($session, "CALL mren.train('guest', $query, $options)"), qr/^42501: permission denied for procedure train/, 'who may not train cannot');
like(error_in($session, q{SELECT trained('guest')}), qr/^42501: permission denied/, 'not in a function either');
is($session->query(q{SELECT trained_by_owner('guest')}), '1', 'unless it runs as its owner');
is($session->query(q{CALL train_by_owner('guest')}), '2', 'or a procedure does');
$session->query('RESET ROLE');
is($session->query(q{SELECT DISTINCT owner FROM mren.models WHERE model = 'guest'}), 'postgres', 'who then owns the model');
is($session->query(q{CALL train_with_path('path')}), '1', 'a procedure with a setting, which may not commit');
$session->query('SET ROLE analyst');
is($session->query("CALL mren.train('analysis', $query, $options)"), '1', 'who was granted it trains');
is($session->query(q{SELECT model, status, started_by FROM mren.runs}), 'analysis|succeeded|analyst', 'and sees the run');
like(error_in($session, "CALL mren.train('plain', $query, $options)"), qr/^42501: permission denied for model "plain"/, 'but not another\'s model');
like(error_in($session, q{CALL mren.train('analysis', 'SELECT name AS sentence, name AS head, name AS tail, name AS relation FROM mren.weight')}), qr/^42501: permission denied for table weight/,
	'the query has the caller\'s rights, not those of mren\'s tables');
$session->query('RESET ROLE');

# pg_cron
SKIP:
{
	skip 'pg_cron is not installed', 3 unless $cron;
	skip 'a minute long: set MREN_SLOW_TESTS=1', 3 unless $slow;
	$session->query('CREATE EXTENSION pg_cron');
	$session->query("SELECT cron.schedule('nightly', '* * * * *', \$\$CALL mren.train('cron', $query, $options)\$\$)");
	my $seconds = seconds_of { wait_until { $node->sql(q{SELECT count(*) FROM cron.job_run_details WHERE status IN ('succeeded', 'failed')}) > 0 } 150 };
	is($session->query(q{SELECT status, return_message FROM cron.job_run_details ORDER BY runid LIMIT 1}), 'succeeded|CALL', sprintf 'pg_cron calls it (%.0f s)', $seconds);
	is(run_of('cron'), '1|1|succeeded', 'it commits, and is recorded');
	$session->query(q{SELECT cron.unschedule('nightly')});
	is($session->query(q{SELECT mren.predict('cron', sentence, head, tail) IS NOT NULL FROM pairs LIMIT 1}), 't', 'its model answers');
}

done_testing();
