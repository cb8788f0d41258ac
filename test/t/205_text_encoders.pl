# Pretrained text encoders from directories and archives of the server, those of the
# shared cases, with one thing wrong in each of many, among them; their pieces and vectors
# against those of the libraries; and loading one, and a long sentence, that are canceled.
use strict;
use warnings;
use File::Temp ();
use JSON::PP ();
use MrenTest;
use Test::More;

my $data = shared_data();
my $cases = defined $data ? "$data/../cases/text-encoder" : undef;
plan skip_all => 'no cases of text encoders' unless defined $cases && -d $cases;

my $node = MrenTest->start('text_encoders');
my $files = File::Temp::tempdir('mren-text.XXXXXX', TMPDIR => 1, CLEANUP => 1);
system("cp -r '$cases/encoders' '$cases/hostile' '$cases/tokenizers' '$files' && chmod -R a+rX,u+w '$files'") == 0 or die "cannot copy the cases\n";

sub lines_of
{
	my ($path) = @_;
	open my $in, '<', $path or die "cannot read \"$path\": $!\n";
	return map { JSON::PP::decode_json($_) } <$in>;
}

# A string of SQL, and an array of PostgreSQL as an array.
sub quoted { my ($text) = @_; utf8::encode($text); return q{'} . $text =~ s/'/''/gr . q{'} }
sub numbers { my ($array) = @_; return [ split /,/, $array =~ tr/{}//dr ] }

# Whether two vectors differ by no more than 1e-4.
sub near
{
	my ($got, $want) = @_;

	return @$got == @$want && !grep { !(abs($got->[$_] - $want->[$_]) <= 1e-4) } 0 .. $#$want;
}

# The pieces of a sentence, spans of no character as empty, as SQL shows them and as cases have them.
sub tokens { my ($encoder, $text) = @_; return $node->sql("SELECT string_agg(id || ':' || span, ' ' ORDER BY i) FROM mren.tokens('$encoder', " . quoted($text) . ') WITH ORDINALITY AS t (piece, id, span, i)') }
sub expected_tokens
{
	my ($ids, $offsets) = @_;

	return join ' ', map { my ($start, $end) = @{ $offsets->[$_] }; "$ids->[$_]:" . ($start == $end ? 'empty' : "[$start,$end)") } 0 .. $#$ids;
}
sub vector { my ($encoder, $text) = @_; return numbers($node->sql("SELECT mren.text_features('$encoder', " . quoted($text) . ')')) }

# Each with one thing wrong or odd.
for my $case (lines_of("$files/hostile/index.jsonl"))
{
	my $error = $node->error_of("SELECT mren.load_text_encoder('$case->{name}', '$files/hostile/$case->{name}')");
	my $refused = $case->{expect} eq 'refused';

	like($error, $refused ? qr/^(?:0A000|22\w{3}|54000): / : qr/^no error/, "$case->{name}: $case->{why}");
	next if $refused || !$case->{mean};
	is(tokens($case->{name}, $case->{sentence}), expected_tokens($case->{ids}, $case->{offsets}), "$case->{name}: pieces");
	ok(near(vector($case->{name}, $case->{sentence}), $case->{mean}), "$case->{name}: vector");
}
# Its reason says 57 pieces, but Oslo alone is three: 9 * 6 + 5.
my ($long) = grep { $_->{name} eq 'sentence-too-long' } lines_of("$files/hostile/index.jsonl");
is($node->sql("SELECT count(*) FROM mren.tokens('sentence-too-long', " . quoted($long->{sentence}) . ')'), '59', 'all pieces of a sentence beyond the positions');
is(scalar @{ vector('sentence-too-long', $long->{sentence}) }, scalar @{ vector('sentence-too-long', 'Eva') }, 'and its vector');
is($node->sql(q{SELECT count(*) FROM mren.text_encoders WHERE name LIKE 'st-%'
	AND sha256 = (SELECT sha256 FROM mren.text_encoders WHERE name = 'plain')}), '5', 'exporters differ, the content does not');

# Each architecture: what the view shows, against the folder's config.json.
for my $name (map { s{.*/}{}r } glob "$files/encoders/*")
{
	my ($config) = lines_of_all("$files/encoders/$name/config.json");

	is($node->sql("SELECT mren.load_text_encoder('$name', '$files/encoders/$name')"), $config->{hidden_size} // $config->{dim}, "$name is loaded");
	is($node->sql("SELECT architecture, layers, heads, vocabulary, positions FROM mren.text_encoders WHERE name = '$name'"),
		join('|', $config->{model_type}, 2, 4, $config->{vocab_size}, 128), "$name: what it is");
	for my $case (lines_of("$files/encoders/$name/expected.jsonl"))
	{
		my $hint = substr $case->{text}, 0, 20;

		utf8::encode($hint);
		ok(near(vector($name, $case->{text}), $case->{mean}), "$name: the vector of \"$hint\"");
		ok(near(numbers($node->sql("SELECT mren.text_features('$name', " . quoted($case->{text}) . ", 'cls')")), $case->{hidden}[0]), "$name: its first piece's");
	}
	for my $pack ('tar -cf', 'tar -czf')
	{
		my $archive = "$files/$name.tar";

		system("cd '$files/encoders' && $pack '$archive' '$name' && chmod a+r '$archive'") == 0 or die "cannot pack $name\n";
		is($node->sql("SELECT mren.load_text_encoder('packed', '$archive')"), $config->{hidden_size} // $config->{dim}, "$name is loaded from $pack");
		is($node->sql("SELECT count(DISTINCT sha256) FROM mren.text_encoders WHERE name IN ('packed', '$name')"), '1', "$name: the same");
		$node->sql(q{SELECT mren.drop_text_encoder('packed')});
	}
	check_fine_tuning($name);
}

# Each is fine-tuned for relations and for names: what is trained is stored, and answers.
sub check_fine_tuning
{
	my ($name) = @_;
	my $options = qq({"text_encoder": "$name", "embeddings": null, "epochs": 1, "validation_share": 0);

	$node->sql(<<"SQL");
SET client_min_messages = warning;
CREATE TABLE IF NOT EXISTS pairs AS SELECT 'Ada ' || verb || ' Oslo in ' || i AS sentence, 'Ada' AS head, 'Oslo' AS tail, relation
	FROM (VALUES ('left', 'leaves'), ('reached', 'reaches')) AS v (verb, relation), generate_series(1, 20) i;
CREATE TABLE IF NOT EXISTS tagged AS SELECT string_to_array(sentence, ' ') AS tokens, ARRAY['B-P', 'O', 'B-L', 'O', 'O'] AS tags FROM pairs;
CALL mren.train('pairs', 'SELECT * FROM pairs', '$options, "encoder_epochs": 1}');
CALL mren.train('pairs', 'SELECT * FROM pairs', '$options, "encoder_epochs": 1, "fine_tuning": "last_layers", "fine_tuned_layers": 1, "deploy": true}');
CALL mren.train_tagger('names', 'SELECT * FROM tagged', '$options}');
SQL
	is($node->sql(q{SELECT string_agg(DISTINCT m.options ->> 'fine_tuning', ' ') FROM mren.models m JOIN mren.model_version v ON encode(v.sha256, 'hex') = m.sha256
		JOIN mren.weight w ON w.version = v.id AND w.part = 0 WHERE w.name IN ('markers.encoder', 'encoder.tuned')}), 'adapters last_layers', "$name: is fine-tuned");
	is($node->sql(q{SELECT mren.predict('pairs', 'Eva left Bergen in 3', 'Eva', 'Bergen', version => v) IN ('leaves', 'reaches') FROM generate_series(1, 2) v}), "t\nt", "$name: answers");
	is($node->error_of(q{SELECT * FROM mren.tag('names', 'Ada left Oslo in 3')}), 'no error', "$name: finds names");
	$node->sql(q{SELECT mren.drop_model('pairs'), mren.drop_model('names')});
}

# Each kind of tokenizer: some of its lines, in which special tokens are text.  The unit tests have them all.
for my $name (map { s{.*/}{}r } map { s{/config.json}{}r } glob "$files/tokenizers/*/config.json")
{
	my @lines = lines_of("$files/tokenizers/$name/lines.jsonl");

	is($node->error_of("SELECT mren.load_text_encoder('$name tokens', '$files/tokenizers/$name')"), 'no error', "tokenizer $name is loaded");
	is(tokens("$name tokens", $_->{text}), expected_tokens($_->{plain_ids} // $_->{ids}, $_->{plain_offsets} // $_->{offsets}), "$name: pieces of a line ($_->{kind})")
		for @lines[ map { 20 * $_ } 0 .. 19 ];
}

sub lines_of_all
{
	my ($path) = @_;
	open my $in, '<', $path or die "cannot read \"$path\": $!\n";
	local $/;
	return JSON::PP::decode_json(<$in>);
}

# A real one: 90 MB, and canceled meanwhile.
my $real = "$data/text-encoders/all-MiniLM-L6-v2";
SKIP:
{
	skip 'no real text encoder', 9 unless -d $real;
	is($node->sql("SELECT mren.load_text_encoder('minilm', '$real')"), '384', 'MiniLM is loaded');
	is($node->sql(q{SELECT parameters, positions, layers FROM mren.text_encoders WHERE name = 'minilm'}), '22565376|512|6', 'MiniLM: its sizes');
	for my $case (lines_of("$cases/real/minilm-vectors.jsonl"))
	{
		ok(near(vector('minilm', $case->{text}), $case->{mean}), 'MiniLM: the vector of a sentence of ' . @{ $case->{ids} } . ' pieces');
	}
	my @lines = grep { !$_->{contested} && !$_->{unicode} } lines_of("$cases/tokenizers/minilm/lines.jsonl");
	my @chosen = ((grep { $_->{plain_ids} } @lines), @lines[ map { 7 * $_ } 0 .. 49 ]);
	is(tokens('minilm', $_->{text}), expected_tokens($_->{plain_ids} // $_->{ids}, $_->{plain_offsets} // $_->{offsets}), "MiniLM: pieces of a line ($_->{kind})") for @chosen;
	like($node->error_of(q{SELECT mren.text_features('minilm', 'a'); SET statement_timeout = 300; SELECT mren.text_features('minilm', repeat('a long sentence ', 100000))}), qr/^57014/, 'a long sentence is canceled');
	# Canceled before the load has read anything, and where it stores what it has read.
	my $reader = $node->session;
	my $backend = $reader->backend;
	like(($reader->try("SELECT mren.load_text_encoder(CASE WHEN pg_cancel_backend(pg_backend_pid()) THEN 'late' END, '$real')"))[1], qr/canceling statement/, 'a load is canceled where it begins');
	my $holder = $node->session;
	$holder->query('BEGIN; LOCK TABLE mren.text_encoder_part IN SHARE MODE');
	$reader->send("SELECT mren.load_text_encoder('late', '$real')");
	ok((wait_until { $holder->query("SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = $backend") == 1 }), 'a load is held where it writes');
	$holder->query("SELECT pg_cancel_backend($backend)");
	like(($reader->wait_for)[1], qr/canceling statement/, 'and canceled there');
	$holder->query('COMMIT');
	is($node->sql(q{SELECT count(*) FROM mren.text_encoders WHERE name = 'late'}), '0', 'nothing is left');
	# A text that is read for minutes, and what waits until every session has served a signal.
	$reader->send(q{SELECT mren.text_features('minilm', repeat('a long sentence ', 100000))});
	wait_until { $node->sql("SELECT query LIKE '%text_features%' AND state = 'active' FROM pg_stat_activity WHERE pid = $backend") eq 't' };
	$node->sql($_) for 'CREATE DATABASE dropped', 'DROP DATABASE dropped';
	is($node->sql("SELECT state FROM pg_stat_activity WHERE pid = $backend"), 'active', 'a long sentence does not keep a database from being dropped');
	$node->sql("SELECT pg_cancel_backend($backend)");
	like(($reader->wait_for)[1], qr/canceling statement/, 'it is still canceled');
}

# What a role may read of the server's disk.
$node->sql('CREATE ROLE loader LOGIN; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA mren TO loader');
like($node->error_of("SELECT mren.load_text_encoder('x', '$files/$_')", user => 'loader'), qr/^42501: permission denied to read files of the server/, "$_: refused")
	for 'encoders/bert', 'bert.tar', 'nothing';
mkdir "$files/pipe";
chmod 0755, "$files/pipe";
system("mkfifo '$files/pipe/config.json'; chmod a+rw '$files/pipe/config.json'");
like($node->error_of("SELECT mren.load_text_encoder('x', '$files/pipe')"), qr/^42809: ".*" is not a regular file/, 'a pipe is not waited for');
mkdir "$files/empty";
chmod 0755, "$files/empty";
like($node->error_of("SELECT mren.load_text_encoder('x', '$files/empty')"), qr/^22000: the encoder has no file "config.json"/, 'an empty directory');
like($node->error_of("SET mren.max_encoder_memory = '64kB'; SELECT mren.load_text_encoder('x', '$files/encoders/bert')"), qr/^54000: the files of the encoder exceed/, 'a directory beyond the limit');
$node->sql("SELECT count(mren.drop_text_encoder(name)) FROM mren.text_encoders");
is($node->sql('SELECT count(*) FROM mren.text_encoder_part'), '0', 'all are dropped');
done_testing();
