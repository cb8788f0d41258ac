# Memory is bounded: a session that predicts on and on does not grow, a
# training of any size takes what its settings say, and an aggregate that would
# take more says so.
#
# MREN_SLOW_TESTS=1 makes a million predictions and a million rows of them.
use strict;
use warnings;
use MrenTest;
use MrenToy;
use Test::More;

my $slow = $ENV{MREN_SLOW_TESTS};
my $predictions = $slow ? 1_000_000 : 50_000;
my $n_pictures = $slow ? 1_000 : 200;
my $rows = $slow ? 1_000_000 : 100_000;
# Half of what a process may grow by is the noise of malloc.
my $may_grow_kb = 1024;

my $node = MrenTest->start('memory', "shared_buffers = '128MB'", 'autovacuum = off', 'log_min_messages = error', "mren.image_cache = '64kB'");
toy_task($node);
tiny_encoder($node);

# Pictures that all differ, half of them as large as to be scaled.
my $values = join ",\n", map {
	my $side = $_ % 2 ? 4 : 40;
	my $colour = pack 'C3', $_ % 256, ($_ >> 8) * 60, 255 - $_ % 256;
	"($_, " . bytea(png($side, $side, $colour x $side)) . ')'
} 0 .. $n_pictures - 1;
$node->sql(<<"SQL");
SET client_min_messages = warning;
CREATE TABLE pictures (n int PRIMARY KEY, picture bytea);
INSERT INTO pictures VALUES $values;
CREATE TABLE seen AS SELECT p.*, picture AS image FROM pairs p LEFT JOIN pictures ON n = id AND id % 3 > 0;
CALL mren.train('m', 'SELECT * FROM seen', '{"image_encoder": "tiny", "hidden": [16], "epochs": 3, "seed": 1}');
CALL mren.train('m', 'SELECT * FROM seen', '{"image_encoder": "tiny", "hidden": [16], "epochs": 3, "seed": 2}');
CREATE FUNCTION clearly_wrong(t text) RETURNS text LANGUAGE plpgsql AS \$\$
BEGIN RETURN mren.predict('m', t, 'dog', 'cat'); EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE; END \$\$;
SQL

my $session = $node->session;
my $other = $node->session;
my $backend = $session->backend;
$session->query('SET max_parallel_workers_per_gather = 0; SET client_min_messages = error; SET jit = off');

# Bytes of the backend's memory contexts of a kind.
sub contexts
{
	return $session->query(q{SELECT sum(total_bytes) / 1024 FROM pg_backend_memory_contexts});
}

# Runs the statements (a list, or what gives one for a round) often enough to
# warm up, then so many times more; returns by how many kB the process grew.
sub growth
{
	my ($name, $warm, $rounds, $statement) = @_;

	$session->query($statement->($_)) for 1 .. $warm;
	my ($before, $contexts) = (private_kb($backend), contexts());
	my $seconds = seconds_of { $session->query($statement->($_)) for 1 .. $rounds };
	my ($after, $contexts_after) = (private_kb($backend), contexts());
	diag(sprintf '%s: %d kB more of the process (of %d), %d kB more in memory contexts, %.0f s', $name, $after - $before, $before,
		$contexts_after - $contexts, $seconds) if $slow;
	return $after - $before;
}

sub flat
{
	my ($name, $warm, $rounds, $statement) = @_;
	my $grown = growth($name, $warm, $rounds, $statement);

	cmp_ok($grown, '<=', $may_grow_kb, "$name: $grown kB more");
}

# The promise itself: distinct pictures, and ten promotes between.
my $share = $predictions / 20;
flat("$predictions predictions with $n_pictures pictures", 4, 20, sub {
	my ($round) = @_;

	$other->query('SELECT mren.promote(\'m\', ' . (1 + $round / 2 % 2) . ')') if $round % 2 == 0;
	return <<"SQL";
SELECT count(mren.predict('m', sentence, head, tail, picture))
FROM generate_series(1, $share) AS g JOIN pictures ON n = g % $n_pictures JOIN pairs ON id = 1 + g % 108
SQL
});

# Every function, row by row, statement after statement: 43,000 calls that kept
# 24 bytes each would show.
for my $call (
	q{mren.predict('m', sentence, head, tail)}, q{mren.classify('m', sentence, head, tail, picture)},
	q{mren.features('m', sentence, head, tail, picture)}, q{mren.predict_proba('m', sentence, head, tail, picture)},
	q{mren.explain('m', sentence, head, tail, picture)}, q{mren.explain_image('m', sentence, head, tail, picture)},
	q{mren.image_features('tiny', picture)}, q{mren.image_info(picture)}, q{mren.word_vector('tiny', head)},
	q{mren.predict('m', sentence, head, tail, image_vector => '{0.5,0.25}', head_type => 'thing', version => 1 + id % 2)})
{
	my ($name) = $call =~ /(mren\.\w+)/;
	flat("$name, row by row", 2, 4, sub {
		my $times = $name =~ /explain_image/ ? 10 : 100;
		return "SELECT count(x) FROM (SELECT $call AS x FROM pairs JOIN pictures ON n = id % $n_pictures, generate_series(1, $times)) AS s";
	});
}
flat('a long text now and then', 2, 3, sub {
	return q{SELECT mren.predict('m', repeat('dog is a kind of animal ', 20000 * i), 'dog', 'animal') FROM generate_series(1, 10) AS i;
SELECT mren.predict('m', 'dog is', 'dog', 'is')};
});
flat('functions over queries', 30, 100, sub {
	return q{SELECT count(*) FROM mren.predict_rows('m', 'SELECT * FROM seen');
SELECT count(*) FROM mren.evaluate('m', 'SELECT * FROM seen'); SELECT count(*) FROM mren.confusion_matrix('m', 'SELECT * FROM seen')};
});
flat('a loop in PL/pgSQL', 2, 3, sub {
	return q{DO $$ DECLARE answer text; p record; BEGIN
FOR i IN 1 .. 20 LOOP
	FOR p IN SELECT * FROM seen LOOP
		answer := mren.predict('m', p.sentence, p.head, p.tail, p.image);
		SELECT relation INTO answer FROM mren.classify('m', p.sentence, p.head, p.tail, p.image);
	END LOOP;
END LOOP; END $$};
});
flat('errors', 2, 3, sub { return q{SELECT count(clearly_wrong(sentence)) FROM pairs, generate_series(1, 20)} });
# Rows that are left out keep nothing while their statement runs: the peak is that of fewer rows.
sub peak_kb { my ($pid) = @_; return slurp("/proc/$pid/status") =~ /^VmHWM:\s+(\d+) kB/m ? $1 : die 'no VmHWM' }
for my $bad (
	q{SELECT count(*) FROM mren.predict_rows('m', 'SELECT id, sentence, ''absent'' AS head, tail FROM pairs, generate_series(1, %d)')},
	q{SELECT mren.train_agg(sentence, CASE WHEN i = 1 THEN head ELSE 'absent' END, tail, relation, NULL, '{"hidden": [4], "epochs": 1, "on_error": "skip"}') IS NOT NULL FROM pairs, generate_series(1, %d) AS i},
	q{CALL mren.train('again', 'SELECT id, sentence, CASE WHEN i = 1 THEN head ELSE ''absent'' END AS head, tail, relation FROM pairs, generate_series(1, %d) AS i', '{"hidden": [4], "epochs": 1, "on_error": "skip"}')})
{
	my ($name) = $bad =~ /(mren\.\w+)/;
	my $skipping = $node->session;

	$skipping->query(q{SET mren.on_error = skip; SET max_parallel_workers_per_gather = 0; SET client_min_messages = error; SET jit = off});
	$skipping->query(sprintf $bad, 100);
	my $before = peak_kb($skipping->backend);
	$skipping->query(sprintf $bad, 500);
	my $grown = peak_kb($skipping->backend) - $before;
	cmp_ok($grown, '<=', 8 * $may_grow_kb, "$name, rows that are left out: $grown kB more at the peak");
	$skipping->close;
}
# Long columns end a batch early: the peak is far below that of 64 rows.
for my $workers (0, 2)
{
	my $long = $node->session;

	$long->query("SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers = 0; SET max_parallel_workers_per_gather = $workers");
	my $before = peak_kb($long->backend);
	$long->query(q{SELECT count(length(id)) FROM mren.predict_rows('m', 'SELECT repeat(md5(id::text), 65536) AS id, sentence, head, tail FROM pairs LIMIT 1')});
	$long->query(q{SELECT count(length(id)) FROM mren.predict_rows('m', 'SELECT repeat(md5(id::text), 65536) AS id, sentence, head, tail FROM pairs')});
	my $grown = peak_kb($long->backend) - $before;
	cmp_ok($grown, '<', 80 * 1024, "rows of 2 MB, planned with $workers workers: $grown kB more at the peak");
}
flat('broken pictures', 2, 3, sub {
	return q{DO $$ DECLARE p record; BEGIN
FOR p IN SELECT picture FROM pictures WHERE n < 100 LOOP
	FOR cut IN 1 .. 5 LOOP
		BEGIN PERFORM mren.image_features('tiny', substr(p.picture, 1, cut * length(p.picture) / 6)); EXCEPTION WHEN OTHERS THEN END;
	END LOOP;
END LOOP; END $$};
});
# Decoders that allocate by themselves are closed after errors, too.
$session->query(q{CREATE TABLE recordings AS SELECT substr(wav, 1, cut) AS wav, substr(flac, 1, cut) AS flac
	FROM (SELECT '\x52494646ffffffff57415645666d74201000000001000100803e0000007d00000200100064617461ffffffff'::bytea || decode(repeat('00', 32000), 'hex') AS wav,
		decode('664c6143000000220400040000000000000003e800f0000000000000000000000000000000000000000084000028200000007265666572656e6365206c6962464c414320312e342e3220323032323130323200000000fff86508003b5402c80134f7963296096a75dfa6e085582eca890106d47f728d7d41ed2619565552d66e3a07e5e02e2817ef3024ee7ee51a49acfa835018617266b132ac70db237f989d25b67371740e0ca352e714475c502406e320ee05138a721f09184b2b6f2a537abf7453da2123bf5e45269544ef00815380a37d56189bf7ef', 'hex') AS flac) AS r,
	generate_series(1, 2000) AS cut});
flat('recordings, most of them broken', 2, 3, sub {
	return q{SET mren.audio_cache = 0; DO $$ DECLARE r record; BEGIN
FOR r IN SELECT wav, flac FROM recordings LOOP
	BEGIN PERFORM mren.audio_features('logmel', r.wav); EXCEPTION WHEN OTHERS THEN END;
	BEGIN PERFORM mren.audio_features('logmel', r.flac); EXCEPTION WHEN OTHERS THEN END;
	BEGIN PERFORM mren.audio_features('logmel', decode(repeat('fffb10c0' || repeat('00', 100), 5) || '00ff', 'hex')); EXCEPTION WHEN OTHERS THEN END;
END LOOP; END $$; RESET mren.audio_cache};
});
flat('trainings', 15, 15, sub {
	return q{SELECT length(mren.train_agg(sentence, head, tail, relation, image, '{"image_encoder": "tiny", "hidden": [4], "epochs": 1}')::text) FROM seen;
CALL mren.train('again', 'SELECT * FROM seen', '{"image_encoder": "tiny", "hidden": [4], "epochs": 1}')};
});
flat('failed trainings', 15, 15, sub {
	return q{DO $$ DECLARE v int; BEGIN
	BEGIN CALL mren.train('again', 'SELECT sentence, head, tail, 1 / (id - 50) || '''' AS relation FROM seen', '{}', v); EXCEPTION WHEN division_by_zero THEN END;
	BEGIN PERFORM mren.train_agg(sentence, head, tail, 1 / (id - 50) || '', image, '{"image_encoder": "tiny"}') FROM seen; EXCEPTION WHEN division_by_zero THEN END;
END $$};
});
# Dropped ones leave the cache when room is needed: mren.word_cache bounds it.
$session->query(q{SET mren.word_cache = '64kB'});
flat('embeddings loaded and dropped', 10, 20, sub {
	return q{SELECT mren.load_embeddings('e', convert_to(string_agg('word' || i || ' 0.1 0.2', E'\n'), 'UTF8')) FROM generate_series(1, 1000) AS i;
SELECT mren.word_vector('e', 'word7'); SELECT mren.drop_embeddings('e')};
});
$session->query('RESET mren.word_cache');

# Settings bound the caches: ever new words, models and encoders.
my $bounded = $node->session;
$bounded->query(q{SET mren.word_cache = '256kB'; SET mren.model_cache = '512kB'; SET mren.encoder_cache = '64kB'; SET client_min_messages = error});
$bounded->query(<<'SQL');
SELECT mren.load_embeddings('many', convert_to(string_agg('w' || i || repeat(' 0.5', 100), E'\n'), 'UTF8')) FROM generate_series(1, 20000) AS i;
SELECT mren.save_model('s' || i, mren.train_agg('w1 and w' || i, 'w1', 'w' || i, 'r' || r, NULL, '{"embeddings": "many", "text_encoder": "pool", "hidden": [64], "epochs": 1, "validation_share": 0}'))
FROM generate_series(2, 21) AS i, generate_series(1, 2) AS r GROUP BY i;
SQL
sub cached
{
	my ($pattern) = @_;
	return $bounded->query(qq{SELECT COALESCE(sum(total_bytes), 0)::bigint / 1024 FROM pg_backend_memory_contexts WHERE name = '$pattern'});
}
$bounded->query(q{SELECT count(mren.word_vector('many', 'w' || i)) FROM generate_series(1, 20000) AS i});
my $words = cached('mren words');
cmp_ok($words, '<=', 256 + 128, "20000 words of 400 bytes leave $words kB of word vectors");
cmp_ok($words, '>', 0, 'some are kept');
$bounded->query(q{SELECT count(mren.predict('s' || i, 'w1 and w2', 'w1', 'w2')) FROM generate_series(2, 21) AS i, generate_series(1, 3)});
my $models = cached('mren cache entry');
cmp_ok($models, '<=', 512 + 256 + 1024, "twenty models leave $models kB of caches");
# They are counted with the few words that they keep, not with all that they may: a megabyte each.
$bounded->query(q{SET mren.model_cache = '4MB'});
$bounded->query(q{SELECT count(mren.predict('s' || i, 'w1 and w2', 'w1', 'w2')) FROM generate_series(1, 2) AS round, generate_series(2, 21) AS i});
is($bounded->query(q{SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'mren cache entry' AND ident = 'model'}), '20', 'sessions keep models that keep few words');

# Training of many rows: memory does not go with them, files do.
$bounded->query(q{SELECT mren.drop_model('s' || i) FROM generate_series(2, 21) AS i; SELECT mren.drop_embeddings('many')});
my $trainer = $node->session;
$trainer->query(q{SET client_min_messages = warning; SET mren.train_memory = '16MB'; SET work_mem = '4MB'; SET max_parallel_workers_per_gather = 0});
sub peak_of_training
{
	my ($n) = @_;
	my $pid = $trainer->backend;
	my ($peak, $files, $start) = (0, 0, private_kb($pid));
	my $before = $other->query("SELECT query_start FROM pg_stat_activity WHERE pid = $pid");

	$trainer->send(qq{CALL mren.train('big', 'SELECT id || '' '' || sentence || '' '' || g AS sentence, head, tail, relation FROM pairs, generate_series(1, $n / 108) AS g',
		'{"hidden": [4], "epochs": 1, "product": 0, "refit": false, "patience": 0}')});
	# Until the statement that is sent has begun and ended.
	while ($other->query("SELECT state = 'active' OR query_start = '$before' FROM pg_stat_activity WHERE pid = $pid") eq 't')
	{
		my $kb = private_kb($pid) - $start;
		my $bytes = $other->query('SELECT COALESCE(sum(size), 0) FROM pg_ls_tmpdir()');

		$peak = $kb if $kb > $peak;
		$files = $bytes if $bytes > $files;
		select undef, undef, undef, 0.05;
	}
	my (undef, $err) = $trainer->wait_for(3000);
	unlike($err, qr/ERROR/, "a training of $n rows succeeds");
	return ($peak, $files, $start);
}
my ($small, $small_files) = peak_of_training($rows / 10);
my ($large, $large_files);
my $seconds = seconds_of { ($large, $large_files) = peak_of_training($rows) };
diag(sprintf 'training: %d rows took %d kB and files of %.0f MB; %d rows %d kB and %.0f MB, %.0f s', $rows / 10, $small, $small_files / 1e6, $rows,
	$large, $large_files / 1e6, $seconds) if $slow;
cmp_ok($large, '<=', 64 * 1024, sprintf '%d rows take %d kB, those of a tenth %d kB', $rows, $large, $small);
cmp_ok($large_files, '>', 5 * $small_files, sprintf 'and files of %.1f MB, a tenth of them %.1f MB', $large_files / 1e6, $small_files / 1e6);
is($other->query(q{SELECT rows >= } . int($rows * 0.99) . q{ FROM mren.runs ORDER BY run DESC LIMIT 1}), 't', 'all rows were used');
is(temporary_files($node), '0', 'no file is left');
$trainer->query(q{SET mren.train_memory = '64kB'});
like(error_in($trainer, q{CALL mren.train('big', 'SELECT p.* FROM pairs p, generate_series(1, 1000)')}), qr/^54000: index of \d+ rows and 0 images exceeds mren\.train_memory \(64 kB\)/,
	'the index of the rows is bounded by mren.train_memory');

# The aggregate holds its rows, up to its setting.
$trainer->query(q{SET mren.aggregate_memory = '1MB'});
my $before = private_kb($trainer->backend);
like(error_in($trainer, q{SELECT mren.train_agg(sentence, head, tail, relation) FROM pairs, generate_series(1, 10000)}),
	qr/^54000: training set of \d+ rows exceeds mren\.aggregate_memory \(1024 kB\)/, 'an aggregate larger than its setting is refused');
my $grown = private_kb($trainer->backend) - $before;
cmp_ok($grown, '<=', 4096, "having taken $grown kB");

done_testing();
