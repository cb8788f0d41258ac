# Networks are the same bytes in a database of another encoding; names of
# relations and options are converted on the way in and out.
use strict;
use warnings;
use utf8;
use MrenTest;
use Test::More;

my $node = MrenTest->start('encoding');
for my $encoding ('LATIN1', 'SQL_ASCII')
{
	$node->sql("CREATE DATABASE $encoding TEMPLATE template0 ENCODING '$encoding' LOCALE 'C'");
	$node->sql('CREATE EXTENSION mren', database => lc $encoding);
}

# Everything in ASCII: the names are made by the server, in its encoding.
my $e = q{convert_from('\xc3a9', 'UTF8')};	# e with an acute accent
my $setup = <<"SQL";
SET client_encoding = UTF8;
SELECT mren.load_embeddings('tiny', convert_to(E'dog 0.1 0.9\\nanimal 0.2 0.8\\nwheel 0.9 0.1\\ncar 0.8 0.3\\n'
	'is 0.1 0.1\\na 0.1 -0.3\\nkind -0.9 0.8\\npart 0.9 -0.9\\n' || 'caf' || $e || E' 0.5 0.4\\n', 'UTF8'));
CREATE TABLE pairs AS
SELECT format('%s is a %s %s', h, w, t) AS sentence, h AS head, t AS tail, w || $e AS relation
FROM unnest(ARRAY['dog', 'wheel', 'caf' || $e]) h, unnest(ARRAY['animal', 'car', 'dog', 'wheel']) t, unnest(ARRAY['kind', 'part']) w
WHERE h <> t;
SQL
my $train = <<"SQL";
SELECT mren.save_model('m', mren.train_agg(sentence, head, tail, relation, NULL::bytea,
	'{"embeddings": "tiny", "hidden": [8], "epochs": 60, "negative": "kind\\u00e9"}')) FROM pairs;
SQL
my %got;
for my $database ('test', 'latin1')
{
	my $session = $node->session(database => $database);
	$session->query($setup);
	$session->query('SET client_min_messages = error');
	is($session->query($train), '1', "$database: a model is trained");
	$got{$database} = {
		export => $session->query("SELECT md5(mren.export_model('m'))"),
		models => $session->query(
			"SELECT relations, options - 'seed', metrics FROM mren.models"),
		info => $session->query(
			"SELECT mren.network_info(mren.train_agg(sentence, head, tail, relation, NULL::bytea,
			 '{\"embeddings\": \"tiny\", \"hidden\": [4], \"epochs\": 1}')) -> 'relations' FROM pairs"),
		evaluate => $session->query(
			"SELECT * FROM mren.evaluate('m', 'TABLE pairs')"),
		metrics => $session->query(
			"SELECT mren.metrics(relation, mren.predict('m', sentence, head, tail), relation) FROM pairs WHERE head = 'dog' AND relation LIKE 'kind%'"),
	};
}
like($got{test}{models}, qr/kind\xc3\xa9/, 'the name of a relation is shown');
is($got{latin1}{$_}, $got{test}{$_}, "$_: the same in both encodings") for sort keys %{ $got{test} };

# A relation that the other encoding lacks cannot be shown there, and says so.
$node->sql(<<'SQL');
SELECT mren.save_model('euro', mren.train_agg(sentence, head, tail, relation || chr(8364), NULL::bytea,
	'{"embeddings": "tiny", "hidden": [4], "epochs": 1}')) FROM pairs;
SQL
my $file = $node->sql(q{SELECT mren.export_model('euro')});
like($node->error_of("SELECT mren.import_model('euro', '$file')", database => 'latin1'),
	qr/^22P05: /, 'a character that the encoding lacks is an error');

# A word that the encoding lacks is in none of its texts: it is left out, and the
# rest keeps its numbers and the hash of its content.
my $vectors = q{SELECT mren.load_embeddings('some', convert_from('\\x63757020312032', 'UTF8')::bytea || '\\x0ae282ac2033203420'::bytea || '\\x0a7370756e2035203620'::bytea)};
my %hash;
for my $database ('test', 'latin1')
{
	my ($status, undef, $notice) = $node->try($vectors, database => $database);
	is($status, 0, "$database: loads");
	like($notice, $database eq 'latin1' ? qr/1 word was skipped because encoding LATIN1 cannot represent it/ : qr/^(?!.*cannot represent)/s, "$database: says what it left out");
	is($node->sql(q{SELECT mren.word_vector('some', 'spun')}, database => $database), '{5,6}', "$database: the next word is there");
	$hash{$database} = $node->sql(q{SELECT sha256 FROM mren.embeddings WHERE name = 'some'}, database => $database);
}
is($hash{latin1}, $hash{test}, 'the content has the same hash');

# An encoding that says nothing of its bytes is refused where text is read.
like($node->error_of(q{SELECT mren.load_embeddings('tiny', 'dog 0.1 0.9'::bytea)}, database => 'sql_ascii'),
	qr/^0A000: .*SQL_ASCII/, 'SQL_ASCII is refused');

done_testing();
