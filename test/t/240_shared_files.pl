# Files by which backends share what they have opened: each is made once and used by others,
# found to be damaged, bounded, removed with what it holds, and never needed.
use strict;
use warnings;
use MrenTest;
use MrenToy;
use POSIX ();
use Test::More;

my $node = MrenTest->start('shared', "mren.shared_files = '64MB'", 'log_statement = none');
my $folder = $node->dir . '/data/base/pgsql_tmp/pgsql_tmp_mren';

toy_task($node);
tiny_encoder($node);
$node->sql(q{CALL mren.train('m', 'SELECT * FROM pairs', '{"epochs": 2, "hidden": [64]}')});
# Words with vectors that make a file, and few of them in use.
$node->sql(q{SELECT mren.load_embeddings('many', convert_to(string_agg('word' || i || ' ' || i || ' 1 2 3 4 5 6 7', E'\n') || E'\n', 'UTF8'))
	FROM generate_series(1, 4000) i});

sub files
{
	my ($kind) = @_;
	opendir my $dir, $folder or return;
	my @names = sort grep { /^\Q$kind\E-/ } readdir $dir;
	return @names;
}
sub n_files { my @names = files(@_); return scalar @names }
sub predict { my (%option) = @_; return $node->sql(q{SELECT string_agg(mren.predict('m', sentence, head, tail), ',' ORDER BY id) FROM pairs}, %option) }
sub inode { return (stat "$folder/$_[0]")[1] }

# ---- made once, used by all
my $answers = predict();
my @models = files('model');
is(scalar @models, 1, 'the first backend makes a file of the model');
is(sprintf('%o', (stat "$folder/$models[0]")[2] & 07777), '400', 'which only the server may read, and nobody write');
my $inode = inode($models[0]);
is(predict(), $answers, 'another backend answers the same');
is(inode($models[0]), $inode, 'from the same file');
my $session = $node->session;
$session->query(q{SELECT mren.predict('m', sentence, head, tail) FROM pairs LIMIT 1});
like(slurp('/proc/' . $session->backend . '/maps'), qr{r--s .*\Q$models[0]\E}, 'which it has mapped, to read only');
# What is not read is no longer needed: the weights in the catalog are gone, and it answers.
$node->sql(q{BEGIN; CREATE TABLE kept AS TABLE mren.weight; DELETE FROM mren.weight; COMMIT});
is(predict(), $answers, 'a third backend reads no weights from the catalog');
$node->sql(q{INSERT INTO mren.weight TABLE kept; DROP TABLE kept});
is($node->sql(q{SET mren.shared_files = 0; SELECT string_agg(mren.predict('m', sentence, head, tail), ',' ORDER BY id) FROM pairs}), $answers,
	'without files the answers are the same');
is($node->sql(q{SET mren.shared_files = 0; SELECT mren.image_features('tiny', } . bytea(png(8, 8, "\1\2\3" x 8)) . q{)}),
	$node->sql(q{SELECT mren.image_features('tiny', } . bytea(png(8, 8, "\1\2\3" x 8)) . q{)}), 'so they are for images');

# ---- a backend that is late: the file is made while it reads
my $locker = $node->session;
my $late = $node->session;
rename "$folder/$models[0]", $node->dir . '/aside' or die "cannot rename: $!";
$locker->query('BEGIN; LOCK TABLE mren.weight');
$late->send(q{SELECT string_agg(mren.predict('m', sentence, head, tail), ',' ORDER BY id) FROM pairs});
ok((wait_until { $node->sql('SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = ' . $late->backend) == 1 }), 'a backend finds no file and reads weights');
rename $node->dir . '/aside', "$folder/$models[0]" or die "cannot rename: $!";
$locker->query('COMMIT');
my ($late_answers) = $late->wait_for;
is($late_answers, $answers, 'it answers the same');
is(inode($models[0]), $inode, 'and does not make the file that is there by now again');
like(slurp('/proc/' . $late->backend . '/maps'), qr{r--s .*\Q$models[0]\E}, 'but maps it');
$_->close for $locker, $late;

# ---- privileges: the file is no way around them
$node->sql('CREATE ROLE stranger LOGIN; GRANT USAGE ON SCHEMA mren TO stranger; GRANT SELECT ON pairs TO stranger');
like($node->error_of(q{SET ROLE stranger; SELECT mren.predict('m', sentence, head, tail) FROM pairs}), qr/^42501/, 'who may not use the model may not use its file');

# ---- words
is(n_files('words'), 0, 'few look-ups make no table of words');
$node->sql(q{CREATE TABLE wordy AS SELECT format('word%s is part of word%s', i, i + 1) AS sentence, 'word' || i AS head, 'word' || (i + 1) AS tail,
	CASE WHEN i % 2 = 0 THEN 'even' ELSE 'odd' END AS relation FROM generate_series(1, 3000) i});
$node->sql(q{CALL mren.train('w', 'SELECT * FROM wordy LIMIT 60', '{"epochs": 1, "embeddings": "many", "hash_bits": 0, "hidden": [16]}')});
my $wordy = q{SELECT md5(string_agg(mren.predict('w', sentence, head, tail), ',' ORDER BY sentence)) FROM wordy};
my $expected = $node->sql("SET mren.shared_files = 0; $wordy");
# A vector that cannot be read, which is met only where all of them are.
my $reader = $node->session;
my $opened = q{SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'mren opened'};
$reader->query(q{SELECT mren.predict('w', sentence, head, tail) FROM wordy LIMIT 1});
my $before = $reader->query($opened);
$node->sql(q{CREATE TABLE kept AS SELECT * FROM mren.embedding_word WHERE word = 'word3999';
	UPDATE mren.embedding_word SET vector = '{1}' WHERE word = 'word3999'});
like(($reader->try($wordy))[1], qr/^ERROR:/m, 'a table that cannot be made is an error');
is($reader->query($opened), $before, 'which leaves no memory of it with the cached words');
$node->sql(q{UPDATE mren.embedding_word w SET vector = k.vector FROM kept k WHERE w.word = k.word; DROP TABLE kept});
$reader->close;
is($node->sql($wordy), $expected, 'many look-ups give the same answers');
is(n_files('words'), 1, 'and make a table of all words');
$node->sql(q{BEGIN; CREATE TABLE kept AS TABLE mren.embedding_word; DELETE FROM mren.embedding_word; COMMIT});
is($node->sql($wordy), $expected, 'from which another backend takes them');
$node->sql(q{INSERT INTO mren.embedding_word TABLE kept; DROP TABLE kept; SELECT mren.drop_model('w'); SELECT mren.drop_embeddings('many')});
is(n_files('words'), 0, 'it goes with the embeddings');

# ---- damage
sub damage
{
	my ($name, $how) = @_;
	my $size = -s "$folder/$name";

	if ($how eq 'a link' || $how eq 'a pipe')
	{
		rename "$folder/$name", $node->dir . '/aside' or die "cannot rename: $!";
		$how eq 'a link' ? symlink($node->dir . '/aside', "$folder/$name") : POSIX::mkfifo("$folder/$name", 0666) or die "cannot make: $!";
		return;
	}
	chmod 0600, "$folder/$name" or die "cannot change: $!";
	open my $file, '+<:raw', "$folder/$name" or die "cannot open: $!";
	if ($how eq 'short') { truncate $file, $size / 2 or die }
	elsif ($how eq 'changed') { seek $file, 20, 0; print $file "\xff\xfe" }
	else { print $file 'x' x $size }
	close $file;
}
$session->close;
for my $how ('a link', 'a pipe')
{
	damage($models[0], $how);
	is(predict(), $answers, "$how in the place of a file is not used");
	is((!-l "$folder/$models[0]" && -f _) + 0, 1, 'and replaced by a file');
}
for my $how ('short', 'changed', 'of other bytes')
{
	damage($models[0], $how);
	is(predict(), $answers, "a file that is $how is not used");
	like($node->log_text, qr/removing shared file .*\Q$models[0]\E/, 'which the log says');
	is(n_files('model'), 1, 'and made again');
	cmp_ok(-s "$folder/$models[0]", '>', 16384, 'whole');
}

# ---- a directory that is removed while a backend has a file of it
$session = $node->session;
$session->query(q{SELECT mren.predict('m', sentence, head, tail) FROM pairs LIMIT 1});
system('rm', '-rf', $folder);
is($session->query(q{SELECT string_agg(mren.predict('m', sentence, head, tail), ',' ORDER BY id) FROM pairs}), $answers, 'a backend keeps the file that it has mapped');
$session->close;
is(predict(), $answers, 'others make the directory again');
is(n_files('model'), 1, 'and the file');

# ---- a full disk
SKIP:
{
	my ($user, $group) = (stat $folder)[4, 5];
	skip 'no file system can be mounted', 3 if $> != 0 || system("mount -t tmpfs -o size=16k,mode=700,uid=$user,gid=$group tmpfs '$folder' 2>/dev/null") != 0;
	my $answered = eval { predict() };
	my @there = glob "$folder/*";
	system('umount', '-l', $folder);
	is($answered, $answers, 'without room on the disk a backend answers');
	is("@there", '', 'and leaves no part of a file');
	like($node->log_text, qr/could not write shared files to directory .*: No space left on device/, 'which the log says');
}

# ---- a base backup leaves them out
my $backup = $node->dir . '/backup';
my ($status, undef, $err) = $node->run('pg_basebackup', '-D', $backup, '-X', 'none', '--no-sync', '-c', 'fast');
SKIP:
{
	skip "no base backup here: $err", 1 if $status != 0;
	ok(!-e "$backup/base/pgsql_tmp/pgsql_tmp_mren", 'a base backup has no file of them');
}

# ---- dropping
$node->sql(q{BEGIN; SELECT mren.drop_model('m'); ROLLBACK});
is(n_files('model'), 1, 'a drop that is rolled back keeps the file');
$node->sql(q{CALL mren.train('other', 'SELECT * FROM pairs', '{"epochs": 2, "hidden": [80]}')});
$node->sql(q{SELECT mren.predict('other', sentence, head, tail) FROM pairs});
is(n_files('model'), 2, 'another model has another file');
$node->sql(q{SELECT mren.drop_model('other')});
is_deeply([files('model')], \@models, 'which goes with the model');

# ---- the bound
my @sizes = map { -s "$folder/$_" } map { files($_) } 'model', 'image', 'words';
my $limit = int($sizes[0] * 2.5 / 1024);
for my $i (1 .. 4)
{
	my $hidden = 60 + $i;
	$node->sql(qq{CALL mren.train('n$i', 'SELECT * FROM pairs', '{"epochs": 1, "hidden": [$hidden]}')});
	$node->sql(qq{SET mren.shared_files = $limit; SELECT mren.predict('n$i', sentence, head, tail) FROM pairs});
	my $total = 0;
	$total += -s "$folder/$_" for map { files($_) } 'model', 'image', 'words';
	cmp_ok($total, '<=', $limit * 1024, "all files are within the bound after model $i");
}
is(predict(), $answers, 'a model whose file was removed answers');

# ---- a directory that cannot be written to; the superuser of the system writes everywhere
$node->sql(q{SELECT mren.drop_model('m')});
$node->sql(q{CALL mren.train('m', 'SELECT * FROM pairs', '{"epochs": 2, "hidden": [64]}')});
$answers = $node->sql(q{SET mren.shared_files = 0; SELECT string_agg(mren.predict('m', sentence, head, tail), ',' ORDER BY id) FROM pairs});
system('rm', '-rf', $folder);
open my $in_the_way, '>', $folder or die "cannot write: $!";
close $in_the_way;
my $logged = length $node->log_text;
$session = $node->session;
my $all = q{SELECT string_agg(mren.predict('m', sentence, head, tail), ',' ORDER BY id) FROM pairs};
is($session->query($all), $answers, 'where no file can be written, each backend reads for itself');
$session->query(q{SELECT mren.image_features('tiny', } . bytea(png(8, 8, "\1\2\3" x 8)) . q{)});
my @lines = substr($node->log_text, $logged) =~ /(could not write shared files)/g;
is(scalar @lines, 1, 'and says so once');
$session->close;
unlink $folder or die "cannot remove: $!";

# ---- what a killed backend leaves
predict();
mkdir $folder;
open my $half, '>', "$folder/model-0123456789abcdef.new" or die "cannot write: $!";
print $half 'x' x 1000;
close $half;
chmod 0666, "$folder/model-0123456789abcdef.new";
$node->sql(q{SELECT mren.drop_model('n1')});
$node->sql(q{SELECT mren.predict('n2', sentence, head, tail) FROM pairs});
$node->sql(q{CALL mren.train('n5', 'SELECT * FROM pairs', '{"epochs": 1, "hidden": [70]}')});
$node->sql(q{SELECT mren.predict('n5', sentence, head, tail) FROM pairs});
ok(!-e "$folder/model-0123456789abcdef.new", 'a file that was not finished is removed by the next one');

# ---- a restart
cmp_ok(n_files('model'), '>', 0, 'there are files');
$node->restart;
is(n_files('model'), 0, 'a restart removes all files');
is(predict(), $answers, 'and they are made again');
cmp_ok(n_files('model'), '==', 1, 'when they are needed');
$node->crash;
$node->restart;
is(n_files('model'), 0, 'so it is after a crash');

done_testing;
