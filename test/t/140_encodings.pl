# What 062 leaves out of other encodings: Japanese text in EUC_JP, every letter
# of LATIN1, reasons and batches, clients of yet another encoding, SQL_ASCII.
use strict;
use warnings;
use utf8;
use Encode ();
use MrenTest;
use MrenToy;
use Test::More;

binmode Test::More->builder->$_, ':encoding(UTF-8)' for qw(output failure_output);
my $node = MrenTest->start('encodings');
for my $encoding ('LATIN1', 'EUC_JP', 'SQL_ASCII')
{
	$node->sql("CREATE DATABASE $encoding TEMPLATE template0 ENCODING '$encoding' LOCALE 'C'");
	$node->sql('CREATE EXTENSION mren', database => lc $encoding);
}

# A session whose statements and answers are UTF-8, whatever the database.
sub session
{
	my ($database) = @_;
	my $session = $node->session(database => $database);

	$session->query('SET client_encoding = UTF8; SET client_min_messages = warning');
	return $session;
}
sub ask
{
	my ($session, $sql) = @_;
	return Encode::decode('UTF-8', $session->query(Encode::encode('UTF-8', $sql)));
}
sub error
{
	my ($session, $sql) = @_;
	return Encode::decode('UTF-8', error_in($session, Encode::encode('UTF-8', $sql)));
}

# The same task in each language, trained and asked in two encodings.
my %task = (
	euc_jp => {
		words => [ '車輪', '車', '犬', '動物', '一部', '種類', 'は', 'の', 'です', '東京' ],
		rows => q{SELECT h || 'は' || t || 'の' || w || 'です' AS sentence, h AS head, t AS tail, w || 'である' AS relation, '物' AS head_type, '生物' AS tail_type
			FROM unnest(ARRAY['車輪', '犬', '東京']) h, unnest(ARRAY['車', '動物']) t, unnest(ARRAY['一部', '種類']) w},
		ask => q{'犬は動物の種類です', '犬', '動物'},
		ranges => q{'犬は動物の種類です', int4range(0, 1), int4range(2, 4)},
		missing => q{'犬は動物の種類です', '猫', '動物'},
		model => '関係',
		type => '物',
	},
	latin1 => {
		words => [ 'roue', 'voiture', 'chien', 'bête', 'pièce', 'espèce', 'de', 'une', 'forêt' ],
		rows => q{SELECT h || ' est une ' || w || ' de ' || t AS sentence, h AS head, t AS tail, w || ' à' AS relation, 'être' AS head_type, 'éléphant' AS tail_type
			FROM unnest(ARRAY['roue', 'chien', 'forêt']) h, unnest(ARRAY['voiture', 'bête']) t, unnest(ARRAY['pièce', 'espèce']) w},
		ask => q{'chien est une espèce de bête', 'chien', 'bête'},
		ranges => q{'chien est une espèce de bête', int4range(0, 5), int4range(24, 28)},
		missing => q{'chien est une espèce de bête', 'château', 'bête'},
		model => 'modèle',
		type => 'être',
	},
);
my @questions = (
	'CALL' => q{CALL mren.train('MODEL', 'SELECT * FROM pairs', '{"hidden": [8], "epochs": 40, "refit": false}')},
	'predict' => q{SELECT mren.predict('MODEL', ASK)},
	'ranges' => q{SELECT mren.predict('MODEL', RANGES), mren.predict('MODEL', RANGES) = mren.predict('MODEL', ASK)},
	'predict_proba' => q{SELECT relation, round(probability::numeric, 5) FROM mren.predict_proba('MODEL', ASK, head_type => 'TYPE')},
	'predict_rows' => q{SELECT sentence, r.relation, round(confidence::numeric, 5) FROM mren.predict_rows('MODEL', 'SELECT sentence AS id, * FROM pairs') AS r, pairs WHERE id = sentence AND confidence IS NOT NULL ORDER BY 3, 2, 1},
	'explain' => q{SELECT modality, feature, round(contribution::numeric, 5) FROM mren.explain('MODEL', ASK, head_type => 'TYPE', tail_type => 'TYPE')},
	'evaluate' => q{SELECT * FROM mren.evaluate('MODEL', 'SELECT * FROM pairs')},
	'confusion_matrix' => q{SELECT * FROM mren.confusion_matrix('MODEL', 'SELECT * FROM pairs')},
	'report' => q{SELECT substring(mren.report('MODEL', 'SELECT * FROM pairs') FROM '<section id="relations.*<section id="learning')},
	'relations' => q{SELECT model, relations, sha256 FROM mren.models},
	'train_agg' => q{SELECT md5(mren.train_agg(sentence, head, tail, relation, NULL, '{"hidden": [4], "epochs": 2}')::text) FROM pairs},
	'word_vector' => q{SELECT mren.word_vector('w', word) FROM words ORDER BY i},
	'embeddings' => q{SELECT sha256 FROM mren.embeddings},
	'runs' => q{SELECT model, query, status FROM mren.runs},
);
for my $database (sort keys %task)
{
	my $task = $task{$database};
	my $vectors = join '', map { my $i = $_; join(' ', $task->{words}[$i], map { sin($i * 7 + $_) } 1 .. 6) . "\n" } 0 .. $#{ $task->{words} };
	$vectors = bytea(Encode::encode('UTF-8', $vectors));
	my $words = join ', ', map { "($_, '$task->{words}[$_]')" } 0 .. $#{ $task->{words} };
	my %answer;
	my %open;

	for my $where ('test', $database)
	{
		my $session = $open{$where} = session($where);
		ask($session, "SELECT mren.load_embeddings('w', $vectors); CREATE TABLE words AS SELECT * FROM (VALUES $words) AS t (i, word); CREATE TABLE pairs AS $task->{rows}");
		for (my $i = 0; $i < @questions; $i += 2)
		{
			my $sql = $questions[ $i + 1 ] =~ s/MODEL/$task->{model}/gr =~ s/ASK/$task->{ask}/gr =~ s/RANGES/$task->{ranges}/gr =~ s/TYPE/$task->{type}/gr;
			$answer{$where}{ $questions[$i] } = ask($session, $sql);
		}
	}
	for (my $i = 0; $i < @questions; $i += 2)
	{
		isnt($answer{test}{ $questions[$i] }, '', "$database: $questions[$i] has an answer");
		is($answer{$database}{ $questions[$i] }, $answer{test}{ $questions[$i] }, "$database: $questions[$i] is the same as in UTF8");
	}
	like($answer{$database}{explain}, qr/^head_type\|$task->{type}\|/m, "$database: a type is shown as it was given");
	my $missing = "SELECT mren.predict('$task->{model}', $task->{missing})";
	is(error($open{$database}, $missing), error($open{test}, $missing), "$database: an error quotes the mention");
	my ($mention) = $task->{missing} =~ /', '([^']+)'/;
	like(error($open{$database}, $missing), qr/"$mention"/, "$database: in its own letters");
	my $range = "SELECT mren.predict('$task->{model}', $task->{ask})" =~ s/, '[^']*', '[^']*'\)$/, int4range(0, 1), int4range(2, 700))/r;
	like(error($open{$database}, $range), qr/^22/, "$database: a range past the end, counted in characters");
	is(error($open{$database}, $range), error($open{test}, $range), "$database: is the same error");
	ask($open{test}, "DROP TABLE words, pairs; SELECT mren.drop_model('$task->{model}'); SELECT mren.drop_embeddings('w'); DELETE FROM mren.run");

	# A client of another encoding than the database's.
	if ($database eq 'euc_jp')
	{
		ask($open{$database}, 'SET client_encoding = SJIS');
		my $sql = "SELECT mren.predict('$task->{model}', $task->{ask})";
		is(Encode::decode('cp932', $open{$database}->query(Encode::encode('cp932', $sql))), $answer{test}{predict}, 'a client in Shift-JIS');
	}
}

# Each letter that LATIN1 has, alone, in upper and lower case, as a word.
my $latin = session('latin1');
is(ask($latin, <<'SQL'), '', 'no letter of LATIN1 is a word that cannot be looked up');
SELECT string_agg(i || ': ' || e, ', ') FROM (
	SELECT i, mren.predict('modèle', 'bête ' || repeat(chr(i), 3) || ' ' || chr(i) || upper(chr(i)) || ' chien', 'bête', 'chien') AS e
	FROM generate_series(161, 255) AS i) AS t
WHERE e IS NULL
SQL

# SQL_ASCII knows no letters, so what would be compared with text is refused.
my $ascii = session('sql_ascii');
like(error($ascii, q{SELECT mren.load_embeddings('w', 'a 1'::bytea)}),
	qr/^0A000: cannot read text in a database with encoding SQL_ASCII/, 'no embeddings in SQL_ASCII');

done_testing();
