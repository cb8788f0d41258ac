# Many sessions at once save, promote, roll back, drop and predict: no version
# gets lost or numbered twice, nothing is left behind, and nobody sees a model
# without a deployed version.
use strict;
use warnings;
use File::Temp ();
use MrenTest;
use MrenToy;
use Test::More;

my $node = MrenTest->start('concurrency');
toy_task($node);
$node->sql(<<'SQL');
CREATE TABLE networks AS SELECT mren.train_agg(sentence, head, tail, relation, NULL::bytea,
	'{"embeddings": "tiny", "hidden": [4], "epochs": 2}') AS network FROM pairs;
SQL

my $session = $node->session;
my $dir = File::Temp::tempdir('mren-bench.XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, $dir;

# pgbench over files of statements, each with a weight: its errors, if any.
sub bench
{
	my ($clients, $transactions, %files) = @_;
	my @arguments;

	for my $name (sort keys %files)
	{
		my ($weight, $sql) = @{ $files{$name} };
		open my $out, '>', "$dir/$name.sql" or die "cannot write \"$dir/$name.sql\": $!";
		print {$out} $sql;
		close $out;
		push @arguments, '-f', "$dir/$name.sql\@$weight";
	}
	my ($status, $out, $err) = $node->run('pgbench', '-n', '-c', $clients, '-j', 2, '-t', $transactions, @arguments, 'test');
	my ($failed) = $out =~ /number of failed transactions: (\d+)/;
	return $status == 0 && !$failed ? '' : "status $status\n$out\n$err";
}

# One model from nothing, by all sessions at the same moment.
is(bench(6, 5, save => [ 1, "SELECT mren.save_model('new', network) FROM networks;\n" ]), '', 'six sessions save 30 versions');
is($session->query(q{SELECT array_agg(version ORDER BY version) = array(SELECT generate_series(1, 30)) FROM mren.models}),
	't', 'they have the numbers 1 to 30');
is($session->query('SELECT version FROM mren.models WHERE deployed'), '1', 'the first is deployed');

# A mixture.  What must fail (a version that is gone or deployed, nothing to go
# back to) is asked for through a function that swallows just that.
$session->query(<<'SQL');
CREATE FUNCTION try(statement text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
EXCEPTION WHEN undefined_object OR object_in_use OR object_not_in_prerequisite_state THEN
	NULL;
END
$$;
SQL
my $some = '(SELECT version FROM mren.models ORDER BY random() LIMIT 1)';
is(bench(6, 25,
	save => [ 2, "SELECT mren.save_model('new', network) FROM networks;\n" ],
	promote => [ 3, "SELECT try(format('SELECT mren.promote(''new'', %s)', $some));\n" ],
	rollback => [ 2, "SELECT try('SELECT mren.rollback(''new'')');\n" ],
	drop => [ 2, "SELECT try(format('SELECT mren.drop_version(''new'', %s)', $some));\n" ],
	predict => [ 4, "SELECT mren.predict('new', sentence, head, tail) FROM pairs WHERE id <= 5;\n" ],
	export => [ 1, "SELECT length(mren.export_model('new'));\n" ]),
	'', 'six sessions save, promote, roll back, drop, predict and export');
is($session->query('SELECT count(*) FROM mren.models WHERE deployed'), '1', 'one version is deployed');
is($session->query(<<'SQL'), 't', 'it is the last deployment that was not undone');
SELECT m.deployed = (SELECT d.version_id FROM mren.deployment d WHERE d.model = m.id AND NOT d.undone ORDER BY d.id DESC LIMIT 1)
FROM mren.model m
SQL
is($session->query(<<'SQL'), '', 'no number is there twice, or beyond the last');
SELECT version FROM mren.model_version v GROUP BY version HAVING count(*) > 1
UNION ALL SELECT version FROM mren.model_version v JOIN mren.model m ON m.id = v.model WHERE version > last_version
SQL
# A deployment that was undone outlives its version, so that no retraining deploys the same network again.
is($session->query(<<'SQL'), '0|0', 'nothing is left of what was dropped');
SELECT (SELECT count(*) FROM mren.weight w WHERE NOT EXISTS (SELECT FROM mren.model_version v WHERE v.id = w.version)),
	(SELECT count(*) FROM mren.deployment d WHERE NOT EXISTS (SELECT FROM mren.model_version v WHERE v.id = d.version_id)
		AND NOT (d.undone AND EXISTS (SELECT FROM mren.model m WHERE m.id = d.model)))
SQL
is($session->query(q{SELECT count(DISTINCT md5(mren.export_model(model, version))) FROM mren.models}), '1', 'every version is whole');

# The error of a statement of a second session, which waits for what the first one has done.
sub error_after
{
	my ($first, $second, $done, $waits) = @_;
	my $backend = $second->backend;

	$first->query('BEGIN');
	$first->query($done);
	$second->send("\\set VERBOSITY verbose\n$waits");
	wait_until { $first->query("SELECT cardinality(pg_blocking_pids($backend))") > 0 };
	$first->query('COMMIT');
	my (undef, $error) = $second->wait_for;
	return $error;
}

# Two sessions take one name, and drop the two names of what a model needs.
my %contents = (
	embeddings => { load => q{convert_to(E'a 0.1 0.2\nb 0.3 0.4\n', 'UTF8')}, table => 'embedding', needed => 'sha256' },
	lexicon => { load => q{ARRAY['a', 'b'], 'LETTER'}, table => 'lexicon', needed => 'ARRAY[sha256]' },
);
for my $what (sort keys %contents)
{
	my $content = $contents{$what};
	my $column = $what eq 'lexicon' ? 'lexicons' : $what;
	my ($first, $second) = ($node->session, $node->session);
	my $load = sub { my ($name) = @_; return "SELECT mren.load_$what('$name', $content->{load})" };

	like(error_after($first, $second, $load->('same'), $load->('same')), qr/42710: $what "same" already exist/, "$what: the name is taken meanwhile");
	$first->query($load->('copy'));
	$first->query(<<"SQL");
INSERT INTO mren.model (name, owner, last_version, created_at) VALUES ('needs $what', current_user, 1, now());
INSERT INTO mren.model_version (model, version, created_at, created_by, head, sha256, relations, options, training_rows, $column)
SELECT m.id, 1, now(), current_user, '', '', '{}', '{}', 0, $content->{needed}
FROM mren.model m, mren.$content->{table} c WHERE m.name = 'needs $what' AND c.name = 'same'
SQL
	like(error_after($first, $second, "SELECT mren.drop_$what('same')", "SELECT mren.drop_$what('copy')"),
		qr/2BP01: cannot drop $what "copy" because models need it/, "$what: of two names that are dropped at once, the last is refused");
}

done_testing();
