# Whatever runs long can be cancelled and timed out, promptly, and leaves
# nothing behind: no version, no lock, no temporary file, a run that says so.
use strict;
use warnings;
use MrenTest;
use MrenToy;
use Test::More;

# Less than a second is what we promise; a busy machine is given more.
my $promptly = 2;

my $node = MrenTest->start('cancel', "mren.max_image_memory = '512MB'");
toy_task($node);
tiny_encoder($node);
my $picture = server_file('large.png', png(14000, 10000, join '', map { chr(($_ * 37) % 256) } 1 .. 42000));
$node->sql(<<"SQL");
SET client_min_messages = warning;
CREATE TABLE large AS SELECT pg_read_binary_file('$picture') AS picture;
-- Not compressed: decompressing is the server's own, and cannot be stopped.
CREATE TABLE vectors (contents bytea);
ALTER TABLE vectors ALTER contents SET STORAGE EXTERNAL;
INSERT INTO vectors
SELECT convert_to(string_agg('word' || i || repeat(' 0.125', 100), E'\\n') || E'\\n', 'UTF8') AS contents FROM generate_series(1, 200000) AS i;
CREATE TABLE long AS SELECT string_agg('dog is a kind of animal', ' ') AS sentence FROM generate_series(1, 20000);
CREATE TABLE huge (kind text, content text);
ALTER TABLE huge ALTER content SET STORAGE EXTERNAL;
INSERT INTO huge VALUES ('text', repeat('dog is a kind of animal ', 690000));
INSERT INTO huge SELECT 'semeval', string_agg(i || E'\t"A <e1>dog</e1> is a kind of <e2>animal</e2>."\nOther\nComment:\n\n', '' ORDER BY i) FROM generate_series(1, 800000) AS i;
INSERT INTO huge VALUES ('opennre', '{"token": ["a"' || repeat(', "a"', 5000000) || '], "h": {"name": "a", "pos": [0, 1]}, "t": {"name": "a", "pos": [2, 3]}, "relation": "r"}');
SELECT mren.load_lexicon('kinds', ARRAY['dog', 'animal', 'dog is'], 'kind');
CREATE FUNCTION slow(t text) RETURNS text LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.5); RETURN t; END';
CALL mren.train('m', 'SELECT p.*, CASE WHEN id % 2 = 0 THEN mren.image_features(''tiny'', \$x\$${\png_text()}\$x\$) END AS image_vector FROM pairs p',
	'{"image_encoder": "tiny", "hidden": [8], "epochs": 1}');
SQL

# The bytes of a small picture as text that is cast where it is used.
sub png_text { return '\x' . unpack 'H*', png(4, 4, "\xff\0\0" x 16) }

my $watch = $node->session;
my $versions = q{SELECT count(*) FROM mren.model_version};
my $before = $watch->query($versions);

# What lasts, and whether it is recorded as a run.
my $epochs = '{"hidden": [512, 512], "epochs": 10000, "patience": 10000, "batch_size": 108}';
my @cases = (
	[ 'mren.train in a query that waits' => 1,
		q{CALL mren.train('m', 'SELECT sentence, head, tail, slow(relation) AS relation FROM pairs')} ],
	[ 'mren.train in a query of many rows' => 1,
		q{CALL mren.train('m', 'SELECT p.* FROM pairs p, generate_series(1, 10000000)')} ],
	[ 'mren.train in its epochs' => 1, "CALL mren.train('m', 'SELECT * FROM pairs', '$epochs')", 'training' ],
	[ 'mren.train in a transaction block' => 0,
		"BEGIN; CALL mren.train('m', 'SELECT * FROM pairs', '$epochs'); ROLLBACK" ],
	[ 'mren.train_agg over many rows' => 0,
		q{SELECT mren.train_agg(sentence, head, tail, relation) FROM pairs, generate_series(1, 100000)} ],
	[ 'mren.train_agg in its epochs' => 0,
		"SELECT mren.train_agg(sentence, head, tail, relation, NULL, '$epochs') FROM pairs" ],
	# Room for such a batch, initial values and one step each last about as long as we wait.
	[ 'mren.train_agg amid a step' => 0, q{SELECT mren.train_agg(sentence, head, tail, relation, NULL,
		'{"hidden": [2048, 1024], "batch_size": 4096, "validation_share": 0}') FROM pairs, generate_series(1, 40)} ],
	[ 'mren.load_embeddings' => 0, q{SELECT mren.load_embeddings('large', contents) FROM vectors} ],
	[ 'mren.image_features' => 0, q{SELECT mren.image_features('tiny', picture) FROM large, generate_series(1, 100)} ],
	[ 'mren.explain_image' => 0, q{SELECT mren.explain_image('m', 'dog is', 'dog', 'is', picture) FROM large} ],
	[ 'mren.explain' => 0, q{SELECT count(*) FROM long, generate_series(1, 100) AS g, mren.explain('m', 'a' || g || ' ' || sentence, 'dog', 'animal')} ],
	[ 'mren.predict' => 0, q{SELECT count(mren.predict('m', sentence, 'dog', 'animal')) FROM long, generate_series(1, 10000)} ],
	[ 'mren.predict of one long text' => 0, q{SELECT mren.predict('m', content, 'dog', 'animal') FROM huge WHERE kind = 'text'} ],
	[ 'mren.load_lexicon' => 0, q{SELECT mren.load_lexicon('large', 'SELECT ''word '' || i AS phrase, ''T'' AS type FROM generate_series(1, 10000000) i')} ],
	[ 'mren.entities of one long text' => 0, q{SELECT count(*) FROM huge, generate_series(1, 100), mren.entities(content, ARRAY['kinds']) WHERE kind = 'text'} ],
	[ 'mren.candidates of one long text' => 0, q{SELECT count(*) FROM huge, mren.candidates(content, ARRAY['kinds'], max_distance => 100000) WHERE kind = 'text'} ],
	[ 'mren.extract of one long text' => 0, q{SELECT count(*) FROM huge, mren.extract('m', content, lexicons => ARRAY['kinds']) WHERE kind = 'text'} ],
	[ 'mren.read_semeval' => 0, q{SELECT count(*) FROM huge, mren.read_semeval(content) WHERE kind = 'semeval'} ],
	[ 'mren.read_opennre of one long line' => 0, q{SELECT count(*) FROM huge, mren.read_opennre(content) WHERE kind = 'opennre'} ],
	[ 'mren.predict_rows' => 0, q{SELECT count(*) FROM mren.predict_rows('m', 'SELECT p.* FROM pairs p, generate_series(1, 10000000)')} ],
	[ 'mren.evaluate' => 0, q{SELECT count(*) FROM mren.evaluate('m', 'SELECT p.* FROM pairs p, generate_series(1, 10000000)')} ],
);

my $session = $node->session;
$session->query(q{SET mren.image_cache = 0; SET client_min_messages = warning});
my $backend = $session->backend;

# Seconds from asking until the statement has ended, and its messages.
sub cancelled
{
	my ($sql, $phase) = @_;

	$session->send($sql);
	if ($phase)
	{
		wait_until { $watch->query(qq{SELECT count(*) FROM mren.training_progress WHERE phase = '$phase' AND epoch > 0}) > 0 };
	}
	else
	{
		wait_until { $watch->query("SELECT count(*) FROM pg_stat_activity WHERE pid = $backend AND state = 'active' AND query LIKE '%mren%'") == 1 };
		select undef, undef, undef, 0.3;
	}
	my $err;
	my $seconds = seconds_of
	{
		$watch->query("SELECT pg_cancel_backend($backend)");
		(undef, $err) = $session->wait_for;
	};
	return ($seconds, $err);
}

sub left_behind
{
	my ($name) = @_;

	is($watch->query(<<"SQL"), "$before|0|0", "$name: no version, no lock, no file is left");
SELECT ($versions), (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = $backend), (SELECT count(*) FROM pg_ls_tmpdir())
SQL
}

for my $case (@cases)
{
	my ($name, $recorded, $sql, $phase) = @$case;
	my ($seconds, $err) = cancelled($sql, $phase);

	like($err, qr/ERROR:  canceling statement due to user request/, "$name: is cancelled");
	cmp_ok($seconds, '<', $promptly, sprintf '%s: within %.2f s', $name, $seconds);
	$session->try('ROLLBACK');
	left_behind($name);
	if ($recorded)
	{
		is($watch->query('SELECT status, sqlstate, finished_at IS NOT NULL, version IS NULL FROM mren.runs ORDER BY run DESC LIMIT 1'),
			'canceled|57014|t|t', "$name: the run says that it was cancelled");
		is($watch->query('SELECT count(*) FROM mren.training_progress'), '0', "$name: it is no longer in progress");
	}

	my $timeout;
	$session->query(q{SET statement_timeout = '300ms'});
	$seconds = seconds_of { (undef, $timeout) = $session->try($sql) };
	$session->try('ROLLBACK');
	$session->query('RESET statement_timeout');
	like($timeout, qr/ERROR:  canceling statement due to statement timeout/, "$name: can be timed out");
	cmp_ok($seconds, '<', 0.3 + $promptly, sprintf '%s: within %.2f s', $name, $seconds);
	left_behind("$name, timed out");
}
is($session->query('SELECT mren.predict(\'m\', sentence, head, tail) IS NOT NULL FROM pairs LIMIT 1'), 't', 'the session is as good as before');
is($session->query('SELECT pg_backend_pid()'), $backend, 'and it is the same');

# Terminated, a session takes its locks and files along; its run says so.
$session->send("CALL mren.train('m', 'SELECT * FROM pairs', '$epochs')");
wait_until { $watch->query(q{SELECT count(*) FROM mren.training_progress WHERE phase = 'training' AND epoch > 0}) > 0 };
my $seconds = seconds_of
{
	$watch->query("SELECT pg_terminate_backend($backend)");
	wait_until { $watch->query("SELECT count(*) FROM pg_stat_activity WHERE pid = $backend") == 0 };
};
cmp_ok($seconds, '<', $promptly, sprintf 'a session in its epochs is terminated within %.2f s', $seconds);
is($watch->query('SELECT status FROM mren.runs ORDER BY run DESC LIMIT 1'), 'terminated', 'its run says so');
left_behind('terminated');

done_testing();
