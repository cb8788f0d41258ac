# The same rows give the same network, bit for bit, with any plan: with real
# sentences and photographs, by the aggregate and by CALL mren.train.
use strict;
use warnings;
use MrenTest;
use MrenToy;
use Test::More;

my $data = shared_data();
my $text = defined $data ? "$data/text/semeval2010_task8/TRAIN_FILE.TXT" : '';
my $real = -e $text && -e "$data/multimodal/wncal/train.jsonl" && -e "$data/encoders/mlperf_tiny_resnet8_cifar10.onnx";

my $made = 2000;

my $node = MrenTest->start('equal', "session_preload_libraries = 'auto_explain'", "shared_buffers = '256MB'");

# SemEval's sentences and real photographs.
sub real_rows
{
	my $vectors = server_file('glove.txt', slurp("$data/embeddings/glove_100d_top20000.txt"));
	my $sentences = server_file('semeval.txt', slurp($text));
	my $encoder = server_file('resnet8.onnx', slurp("$data/encoders/mlperf_tiny_resnet8_cifar10.onnx"));
	$node->sql(<<"SQL");
SELECT mren.load_embeddings('glove', '$vectors', max_words => 10000);
SELECT mren.load_image_encoder('resnet8', '$encoder', mean => '{0}', std => '{1}');
CREATE TABLE sentences AS SELECT * FROM mren.read_semeval(convert_from(pg_read_binary_file('$sentences'), 'UTF8'));
SQL
	photographs($node, 300);
	return 'resnet8';
}

# Where they are not there: rows of the words of the toy task, and pictures of
# four colours.
sub made_rows
{
	my $picture = join ', ', map { bytea(png(8, 8, $_ x 64)) } "\xff\0\0", "\0\xff\0", "\0\0\xff", "\x80\x80\x80";

	toy_task($node);
	tiny_encoder($node);
	$node->sql(<<"SQL");
CREATE TABLE words AS SELECT DISTINCT head AS word FROM pairs UNION SELECT tail FROM pairs;
CREATE TABLE made AS SELECT n, (SELECT array_agg(word ORDER BY md5(word || n)) FROM words) AS words FROM generate_series(1, $made) AS n;
CREATE TABLE sentences AS SELECT n::text AS id, format('The %s number %s is %s the %s of %s.', words[1], n, words[3], words[2], words[4]) AS sentence,
	words[1] AS head, words[2] AS tail, 'relation ' || n % 3 AS relation FROM made;
CREATE TABLE photos AS SELECT id::int AS id, sentence, head, tail, relation, (ARRAY[$picture])[1 + id::int % 4] AS image FROM sentences WHERE id::int <= 300;
SQL
	return 'tiny';
}

my $image_encoder = $real ? real_rows() : made_rows();
$node->sql(<<'SQL');
CREATE TABLE shuffled AS SELECT * FROM sentences ORDER BY md5(id::text);
ALTER TABLE sentences SET (parallel_workers = 3);
ALTER TABLE shuffled SET (parallel_workers = 2);
CREATE TABLE photos_backwards AS SELECT * FROM photos ORDER BY id DESC;
ALTER TABLE photos SET (parallel_workers = 2);
ANALYZE;
SQL

my $serial = 'SET max_parallel_workers_per_gather = 0';
my $parallel = 'SET max_parallel_workers_per_gather = 4; SET parallel_leader_participation = off; SET parallel_setup_cost = 0;
	SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0';
my $session = $node->session;
$session->query('SET client_min_messages = warning');

sub aggregate
{
	my ($table, $options, $image) = @_;
	$image ||= 'NULL';
	return "mren.train_agg(sentence, head, tail, relation, $image, '$options') FROM $table";
}
sub digest { my ($aggregate) = @_; return $session->query("SELECT md5(($aggregate)::text)") }

my @sets = (
	[ 'sentences', 'sentences', 'shuffled', '{"hidden": [16], "epochs": 2, "product": 8}', undef, $real ? 8000 : $made ],
	[ 'photographs', 'photos', 'photos_backwards', qq({"hidden": [16], "epochs": 3, "image_encoder": "$image_encoder"}), 'image', 300 ]);
for my $set (@sets)
{
	my ($what, $table, $other, $options, $image, $rows) = @$set;
	my $train = aggregate($table, $options, $image);

	is($session->query("SELECT count(*) FROM $table"), $rows, "$rows rows of $what");
	$session->query($serial);
	unlike($session->query("EXPLAIN (COSTS OFF) SELECT $train"), qr/Gather/, "$what: a serial plan");
	my $expected = digest("SELECT $train");
	is(digest('SELECT ' . aggregate($other, $options, $image)), $expected, "$what: the order of the rows does not matter");

	$session->query($parallel);
	my $plan = $session->query("EXPLAIN (COSTS OFF) SELECT $train");
	like($plan, qr/Finalize Aggregate.*Gather.*Partial Aggregate/s, "$what: a parallel plan, with partial aggregates");
	like($session->query("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT $train"), qr/Workers Launched: [23]/, "$what: whose workers do run");
	is(digest("SELECT $train"), $expected, "$what: gives the serial plan's network, bit for bit");
	is(digest('SELECT ' . aggregate("(SELECT * FROM $table WHERE id::int % 2 = 0 UNION ALL SELECT * FROM $other WHERE id::int % 2 = 1) AS halves", $options, $image)),
		$expected, "$what: so does a parallel append of halves");

	# CALL mren.train reads in workers, too: auto_explain shows what it ran.
	my $columns = $image ? 'SELECT sentence, head, tail, relation, image' : 'SELECT sentence, head, tail, relation';
	$session->query("$serial; SELECT mren.save_model('$table', $train); CALL mren.train('$table', '$columns FROM $table', '$options')"
		=~ s/(mren\.train_agg\(.*?\)) FROM (\w+)\)/$1) FROM $2/r);
	$session->query(qq{$parallel; SET auto_explain.log_min_duration = 0; SET auto_explain.log_nested_statements = on; SET auto_explain.log_analyze = on;
		SET auto_explain.log_timing = off; CALL mren.train('$table', '$columns FROM $table', '$options'); SET auto_explain.log_min_duration = -1});
	like($node->log_text =~ s/.*CALL mren\.train\('$table'//sr, qr/Query Text: SELECT mren\.encode_example.*?Workers Launched: [23]/s,
		"$what: CALL mren.train reads in parallel workers");
	$session->query("CALL mren.train('$table', '$columns FROM $other', '$options')");
	is($session->query("SELECT count(*), count(DISTINCT sha256), min(training_rows) = max(training_rows) FROM mren.models WHERE model = '$table'"), '4|1|t',
		"$what: the aggregate and three calls give one network");

	# Predicting, alone, in workers and in batches
	my $arguments = $image ? "'$table', sentence, head, tail, image" : "'$table', sentence, head, tail";
	my $predict = "SELECT md5(string_agg(id || c.relation || c.confidence, ',' ORDER BY id)) FROM $table, mren.classify($arguments) AS c";
	$session->query($serial);
	my $answers = $session->query($predict);
	is($session->query("SELECT md5(string_agg(id || relation || confidence, ',' ORDER BY id::" . ($image ? 'int' : 'text') . ")) FROM mren.predict_rows('$table', 'TABLE $table')"),
		$answers, "$what: a batch answers as a row alone, bit for bit");
	$session->query($parallel);
	like($session->query("EXPLAIN (COSTS OFF) $predict"), qr/Gather/, "$what: predictions run in workers");
	is($session->query($predict), $answers, "$what: which answer the same");

	# So do those of a query that is given as text: what is known of a row is the same where it is answered.
	my %asked = (predict_rows => '(id, relation, confidence)', predict_rows_proba => '(id, relation, confidence, margin, probabilities)', evaluate => '(t)', confusion_matrix => '(t)', calibration => '(t)');
	for my $function (sort keys %asked)
	{
		my $ask = "SELECT md5(string_agg($asked{$function}::text, ',' ORDER BY t::text)) FROM mren.$function('$table', 'TABLE $table') AS t";
		my $without = $session->query("SET client_min_messages = error; $serial; $ask");

		my $logged = length $node->log_text;
		is($session->query(qq{$parallel; SET auto_explain.log_min_duration = 0; SET auto_explain.log_nested_statements = on; SET auto_explain.log_analyze = on;
			SET auto_explain.log_verbose = on; SET auto_explain.log_timing = off; $ask; SET auto_explain.log_min_duration = -1}), $without, "$what: $function in a parallel plan is the same");
		like(substr($node->log_text, $logged), qr/Query Text: SELECT mren\.predict_row\(.*?Workers Launched: [23].*?Custom Scan \(mren answers\)/s,
			"$what: whose workers answer the rows in batches");
	}

	# Rows that have no answer, or cannot have one, in an append whose parts answer theirs
	my $elsewhere = $image ? "'not there'" : "'[9000,9001)'::int4range";
	my $columns_of_row = $image ? "id::text, sentence, head, tail, image, relation" : "id::text, sentence, head, tail, relation";
	my $parts = "SELECT $columns_of_row FROM $table WHERE id::int % 2 = 0 UNION ALL SELECT $columns_of_row FROM $other WHERE id::int % 2 = 1"
		=~ s/\bhead\b/CASE id::int % 10 WHEN 3 THEN $elsewhere WHEN 4 THEN NULL ELSE head END AS head/gr;
	my $ask = "SET mren.on_error = skip; SET client_min_messages = error; SELECT count(relation), md5(string_agg((id, relation, confidence)::text, ',' ORDER BY id)) FROM mren.predict_rows('$table', \$\$$parts\$\$)";
	my $without = $session->query("$serial; $ask");
	is((split /\|/, $without)[0], $rows * 4 / 5, "$what: rows without an answer");
	is($session->query("$parallel; $ask"), $without, "$what: those of a parallel append are the same");
	$session->query('RESET mren.on_error; SET client_min_messages = warning');
}

done_testing();
