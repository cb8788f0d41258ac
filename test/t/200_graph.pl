# A graph through the life of a server: a refresh that is killed or cancelled
# leaves nothing half there and is completed by the next, progress is seen from
# other sessions, memory does not grow with the documents, and pg_dump carries
# the graph.
use strict;
use warnings;
use MrenTest;
use MrenToy;
use Test::More;
use Time::HiRes ();

my $root = $ENV{MREN_ROOT} || "$FindBin::Bin/../..";
my $node = MrenTest->start('graph');
my $same = q{SELECT string_agg(n::text, ' ') FROM (
	SELECT count(*) AS n FROM (SELECT to_jsonb(a) - 'scored_at' FROM kg.documents a EXCEPT ALL SELECT to_jsonb(b) - 'scored_at' FROM again.documents b) x
	UNION ALL SELECT count(*) FROM (SELECT to_jsonb(b) - 'scored_at' FROM again.documents b EXCEPT ALL SELECT to_jsonb(a) - 'scored_at' FROM kg.documents a) x
	UNION ALL SELECT count(*) FROM (TABLE kg.evidence EXCEPT ALL TABLE again.evidence) x
	UNION ALL SELECT count(*) FROM (TABLE again.evidence EXCEPT ALL TABLE kg.evidence) x
	UNION ALL SELECT count(*) FROM (TABLE kg.entities EXCEPT ALL TABLE again.entities) x
	UNION ALL SELECT count(*) FROM (TABLE again.entities EXCEPT ALL TABLE kg.entities) x
	UNION ALL SELECT count(*) FROM (TABLE kg.all_facts EXCEPT ALL TABLE again.all_facts) x
	UNION ALL SELECT count(*) FROM (TABLE again.all_facts EXCEPT ALL TABLE kg.all_facts) x) t};

# What a graph is at any moment: documents without evidence of another state,
# facts that are what their evidence says.
my $whole = q{SELECT
	(SELECT count(*) FROM kg.evidence e WHERE NOT EXISTS (SELECT FROM kg.documents d WHERE d.document = e.document)) || ' ' ||
	(SELECT count(*) FROM kg.all_facts f WHERE NOT EXISTS (SELECT FROM kg.evidence e WHERE e.fact = f.fact)) || ' ' ||
	(SELECT count(*) FROM kg.evidence e WHERE e.fact IS NOT NULL AND NOT EXISTS (SELECT FROM kg.all_facts f WHERE f.fact = e.fact)) || ' ' ||
	(SELECT count(*) FROM kg.all_facts f WHERE f.evidence <> (SELECT count(*) FROM kg.evidence e WHERE e.fact = f.fact)) || ' ' ||
	(SELECT count(*) FROM kg.all_facts f WHERE f.confidence <> (SELECT mren.noisy_or(p ORDER BY p) FROM
		(SELECT max(e.confidence) AS p FROM kg.evidence e WHERE e.fact = f.fact GROUP BY e.sentence_id) v)) || ' ' ||
	(SELECT count(*) FROM kg.entities x WHERE x.mentions <>
		(SELECT count(*) FROM kg.evidence e WHERE e.head_entity = x.entity) + (SELECT count(*) FROM kg.evidence e WHERE e.tail_entity = x.entity))};

$node->sql('SET client_min_messages = error; ' . slurp("$root/test/include/tiny.sql") . slurp("$root/test/include/graph.sql"));
my $n = $ENV{MREN_SLOW_TESTS} ? 4000 : 1500;
$node->sql("CREATE TABLE docs (key int PRIMARY KEY, document text, seen_at timestamptz);
	INSERT INTO docs SELECT i, (SELECT string_agg(format('The %s number %s is a part of the %s.', (ARRAY['wheel', 'roof', 'chair'])[1 + (i + j) % 3], i + j,
		(ARRAY['car', 'house', 'cloud'])[1 + (i / 3 + j) % 3]), ' ') FROM generate_series(1, 10) j), now() FROM generate_series(1, $n) i;
	SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{world}', options => '{\"batch_size\": 50}')");

# Waits until the session's refresh cannot go on for a lock that another holds.
sub held
{
	my ($session) = @_;
	return wait_until { $node->sql('SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = ' . $session->backend) > 0 };
}

# Killed where it is held at its first rows, then at ten random moments, which
# may lie before or after its work.
srand 7;
for my $round (0 .. 10)
{
	my $session = $node->session;
	my $holder = $node->session;
	my $pid = $session->backend;

	$holder->query('BEGIN; LOCK TABLE kg.evidence IN SHARE MODE') if $round == 0;
	$session->send("SET client_min_messages = error; CALL mren.refresh_graph('kg')");
	if ($round == 0)
	{
		ok(held($session), 'a refresh is held amid its work');
	}
	else
	{
		Time::HiRes::sleep(0.05 + rand 0.7);
	}
	kill 'KILL', $pid;
	eval { $session->wait_for };
	eval { $holder->close };
	wait_until { ($node->try('SELECT 1'))[0] == 0 } or die 'the server does not recover';
	is($node->sql("SELECT count(*) FROM mren.graph_progress WHERE status = 'died'"), '1', 'a refresh that was killed says that it died') if $round == 0;
	is($node->sql($whole), '0 0 0 0 0 0', "after kill $round nothing is half there (" . $node->sql('SELECT count(*) FROM kg.documents') . ' documents)');
	# The next has something to do again.
	$node->sql("UPDATE docs SET document = document || ' The oak is a kind of tree.' WHERE key % 10 = $round % 10");
}
like($node->sql("SET client_min_messages = error; CALL mren.refresh_graph('kg')"), qr/"status": "done"/, 'the next call completes');
is($node->sql("SELECT count(*) FROM mren.graph_progress"), '0', 'and nothing is in progress');
$node->sql("SET client_min_messages = error;
	SELECT mren.create_graph('again', 'docs', 'parts', lexicons => '{world}'); CALL mren.refresh_graph('again')");
is($node->sql($same), '0 0 0 0 0 0 0 0', 'the graph is that of a build from nothing');

# Cancelled: what was committed stays, the run says so, the lock is free.  It is
# held at its thousandth row of evidence, when it has committed some batches.
my $session = $node->session;
my $holder = $node->session;
$holder->query(q{CREATE SEQUENCE steps;
	CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN IF nextval(''public.steps'') = 1000 THEN PERFORM pg_advisory_xact_lock_shared(7); END IF; RETURN NEW; END';
	CREATE TRIGGER hold BEFORE INSERT ON kg.evidence FOR EACH ROW EXECUTE FUNCTION hold();
	SELECT pg_advisory_lock(7)});
$node->sql("SELECT mren.load_lexicon('world', 'SELECT phrase, type, 0.9 AS confidence FROM (VALUES (''wheel'', ''part''), (''car'', ''whole''), (''roof'', ''part''), (''house'', ''whole'')) AS t (phrase, type)')");
$session->send("SET client_min_messages = error; CALL mren.refresh_graph('kg')");
ok(held($session), 'another is held');
ok(wait_until { $node->sql("SELECT count(*) FROM mren.graph_progress WHERE status = 'running' AND total = $n AND done BETWEEN 1 AND total - 1 AND per_second > 0 AND seconds_left > 0") == 1 },
	'other sessions see how far it is');
like($node->sql("CALL mren.refresh_graph('kg')"), qr/busy/, 'a second refresh says that there is one');
$node->sql('SELECT pg_cancel_backend(' . $session->backend . ')');
my (undef, $message) = $session->wait_for;
like($message, qr/canceling statement/, 'it can be cancelled');
$holder->query('DROP TRIGGER hold ON kg.evidence; DROP FUNCTION hold(); SELECT pg_advisory_unlock(7)');
is($node->sql('SELECT status, sqlstate FROM mren.graph_runs WHERE status <> \'busy\' ORDER BY run DESC LIMIT 1'), 'canceled|57014', 'and says so');
is($node->sql($whole), '0 0 0 0 0 0', 'nothing is half there');
is(temporary_files($node), 0, 'no file is left');
my ($left) = $node->sql("SET client_min_messages = error; CALL mren.refresh_graph('kg')") =~ /"rescored": (\d+)/;
cmp_ok($left, '<', $n, "what it had committed is not done again ($left of $n were left)");

# Memory: the same for many documents as for few.  The session reads them all itself: with workers,
# it would sometimes load the model, and sometimes not.
$session = $node->session;
$session->query("SET client_min_messages = error; SET mren.refresh_workers = 0; CREATE TABLE few AS SELECT * FROM docs WHERE key <= 400;
	SELECT mren.create_graph('small', 'few', 'parts', lexicons => '{world}'); CALL mren.refresh_graph('small')");
my $before = private_kb($session->backend);
$session->query("UPDATE few SET document = document || ' '; INSERT INTO few SELECT * FROM docs WHERE key > 400; CALL mren.refresh_graph('small')");
cmp_ok(private_kb($session->backend) - $before, '<', 20000, 'memory does not grow with the documents');
$session->query("SELECT mren.drop_graph('small', true), mren.drop_graph('again', true)");

# Two sessions propose the same merges.
$node->sql(q{CREATE EXTENSION pg_trgm;
	SELECT mren.link_entities('kg', $$SELECT 'Q1' AS key, name FROM unnest('{car,house}'::text[]) AS u (name)$$); DELETE FROM kg.merge_candidates});
$holder->query(q{BEGIN; SELECT mren.propose_merges('kg', 1)});
$session->send(q{SELECT mren.propose_merges('kg', 1)});
ok(held($session), 'a session waits for the proposals of another');
$holder->query('COMMIT');
is(($session->wait_for)[0], '1', 'and sees them');
$node->sql('DELETE FROM kg.merge_candidates; DELETE FROM kg.link_candidates; DROP EXTENSION pg_trgm');

# Dump and restore.
$node->sql("INSERT INTO kg.aliases (alias, entity) VALUES ('wheel', 'Ring'); INSERT INTO kg.review (fact, verdict) SELECT fact, 'confirmed' FROM kg.facts LIMIT 1;
	SET client_min_messages = error; CALL mren.refresh_graph('kg')");
my $file = server_file('graph.dump', '');
my ($status, $out, $err) = $node->run('pg_dump', '-Fc', '-f', $file, 'test');
is($status, 0, 'pg_dump') or diag($err);
$node->sql('CREATE DATABASE restored', database => 'postgres');
($status, $out, $err) = $node->run('pg_restore', '-d', 'restored', '--exit-on-error', $file);
is($status, 0, 'pg_restore') or diag($err);
for my $what ('kg.facts', 'kg.all_facts', 'kg.evidence', 'kg.entities', 'kg.documents', 'mren.graphs', 'kg.training_rows', 'kg.state')
{
	my $sql = "SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM $what t";
	is($node->sql($sql, database => 'restored'), $node->sql($sql), "$what is restored");
}
like($node->sql("CALL mren.refresh_graph('kg')", database => 'restored'), qr/"new": 0.*"changed": 0.*"deleted": 0.*"rescored": 0/,
	'a restored graph has nothing to do');
like($node->sql("DELETE FROM docs WHERE key = 1; CALL mren.refresh_graph('kg')", database => 'restored'), qr/"deleted": 1/, 'and goes on');

# Tables outlive the extension.
$node->sql('SET client_min_messages = error; DROP EXTENSION mren CASCADE', database => 'restored');
cmp_ok($node->sql('SELECT count(*) FROM kg.facts', database => 'restored'), '>', 0, 'the tables outlive the extension');

done_testing();
