# Taggers: any plan gives the same tagger, and a training that is cancelled or
# times out leaves nothing but its record.
use strict;
use warnings;
use MrenTest;
use Test::More;

my $node = MrenTest->start('taggers');
$node->sql(<<'SQL');
CREATE TABLE labelled AS
SELECT ARRAY[name || i, 'lives', 'in', place, '.'] AS tokens, ARRAY['U-Person', 'O', 'O', 'U-Place', 'O'] AS tags
FROM generate_series(1, 40) AS i, unnest(ARRAY['Ann', 'Bob', 'Cleo']) AS name, unnest(ARRAY['Paris', 'Rome', 'Oslo']) AS place;
CREATE TABLE shuffled AS SELECT * FROM labelled ORDER BY md5(tokens::text);
ALTER TABLE labelled SET (parallel_workers = 3);
ANALYZE;
SQL
my $session = $node->session;
$session->query('SET client_min_messages = warning');

my $options = '{"epochs": 2, "hidden": [8], "feature_dim": 8}';
my $train = "CALL mren.train_tagger('t', 'SELECT * FROM %s', '$options')";
my $encode = q{SELECT mren.encode_tags(NULL, tokens, tags, NULL, NULL, NULL) FROM labelled};

$session->query('SET max_parallel_workers_per_gather = 0');
$session->query(sprintf $train, 'labelled');
$session->query(sprintf $train, 'shuffled');
$session->query('SET max_parallel_workers_per_gather = 4; SET parallel_leader_participation = off; SET parallel_setup_cost = 0;
	SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0');
like($session->query("EXPLAIN (COSTS OFF) $encode"), qr/Gather/, 'rows are encoded in parallel workers');
$session->query(sprintf $train, 'labelled');
is($session->query('SELECT count(*), count(DISTINCT sha256) FROM mren.models'), '3|1',
	'three trainings of the same rows, in another order and in parallel, give the same tagger');

is($session->query(q{SELECT count(*), count(DISTINCT m) FROM (SELECT (SELECT array_agg(t ORDER BY t.span)::text
	FROM mren.tag('t', array_to_string(tokens, ' ')) AS t) AS m FROM labelled, generate_series(1, 3)
	WHERE tokens[1] = 'Ann7' AND tokens[4] = 'Rome') AS s}), '3|1', 'a sentence has the same answer each time');

# Cancelling
my $watch = $node->session;
my $backend = $session->backend;
# Neither ends by itself: ten thousand epochs of this network take hours.
my $long = '{"epochs": 10000, "patience": 0, "hidden": [1024, 1024]}';
my %cases = (
	'in its epochs' => "CALL mren.train_tagger('t', 'SELECT * FROM labelled', '$long')",
	'in its query' => q{CALL mren.train_tagger('t', 'SELECT l.* FROM labelled l, (SELECT generate_series(1, 9000000000000000000)) AS endless')},
);
for my $name (sort keys %cases)
{
	$session->send($cases{$name});
	my $wanted = $name eq 'in its epochs' ? q{phase = 'training' AND epoch > 0} : q{phase = 'reading'};
	ok((wait_until { $watch->query("SELECT count(*) FROM mren.training_progress WHERE $wanted") > 0 }), "$name: is under way");
	is($watch->query(q{SELECT call FROM mren.training_progress}), 'train_tagger', "$name: others see its progress");
	$watch->query("SELECT pg_cancel_backend($backend)");
	my (undef, $err) = $session->wait_for;
	like($err, qr/ERROR:  canceling statement due to user request/, "$name: is cancelled");
	is($watch->query('SELECT status, sqlstate, version IS NULL FROM mren.runs ORDER BY run DESC LIMIT 1'),
		'canceled|57014|t', "$name: the run says so");
	is($watch->query("SELECT (SELECT count(*) FROM mren.model_version), (SELECT count(*) FROM pg_locks WHERE locktype IN ('advisory', 'object')
		AND pid = $backend), (SELECT count(*) FROM pg_ls_tmpdir())"), '3|0|0', "$name: no version, no lock, no file is left");
}

# A training in a transaction that is rolled back leaves nothing.
$session->query('BEGIN');
$session->query("CALL mren.train_tagger('gone', 'SELECT * FROM labelled', '$options')");
is($session->query(q{SELECT count(*) > 0 FROM mren.tag('gone', 'Ann1 lives in Rome .')}), 't', 'its own transaction can use it');
is($watch->query(q{SELECT count(*) FROM mren.models WHERE model = 'gone'}), '0', 'no other sees it');
$session->query('ROLLBACK');
is($session->query(q{SELECT count(*) FROM mren.model WHERE name = 'gone'}), '0', 'rolled back, it was never there');

done_testing();
