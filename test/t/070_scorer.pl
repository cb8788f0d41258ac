# SemEval-2010 Task 8: mren.metrics gives the official scorer's figure.
use strict;
use warnings;
use File::Temp ();
use MrenTest;
use MrenToy;
use Test::More;

my $data = shared_data();
plan skip_all => 'the shared test data is absent' unless $data;
my ($scorer) = glob "$data/text/semeval2010_task8/semeval2010_task8_scorer*.pl";
plan skip_all => 'the scorer is absent' unless $scorer;

my @names = qw(Cause-Effect Component-Whole Content-Container Entity-Destination Entity-Origin Instrument-Agency
	Member-Collection Message-Topic Product-Producer);
my @labels = ('Other', map { ("$_(e1,e2)", "$_(e2,e1)") } @names);
my $dir = File::Temp::tempdir(CLEANUP => 1);
my $node = MrenTest->start('scorer');
my $session = $node->session;
$session->query('SET client_min_messages = warning');

sub official
{
	my ($actual, $predicted) = @_;
	my %file = (key => $actual, answers => $predicted);

	for my $name (keys %file)
	{
		open my $out, '>', "$dir/$name" or die "cannot write \"$dir/$name\": $!";
		print {$out} $_ + 1, "\t", $file{$name}[$_], "\n" for 0 .. $#$actual;
		close $out;
	}
	my $report = qx("$^X" "$scorer" "$dir/answers" "$dir/key" 2>&1);
	my ($score) = $report =~ /<<< The official score is .*macro-averaged F1 = ([0-9.]+)%/ or die $report;
	return $score;
}

sub ours
{
	my ($actual, $predicted) = @_;
	my $rows = join ', ', map { "('$actual->[$_]', '$predicted->[$_]')" } 0 .. $#$actual;

	return $session->query(<<SQL);
SELECT to_char((mren.metrics(a, p) -> 'semeval_macro' ->> 'f1')::float8 * 100, 'FM990.00')
FROM (VALUES $rows) AS t (a, p)
SQL
}

# Small and large sets, good and bad answers, and labels that do not occur.
srand 20100707;
for my $case ([ 30, 19, 0.5 ], [ 300, 19, 0.2 ], [ 2000, 19, 0.8 ], [ 500, 7, 0.6 ], [ 40, 19, 0 ], [ 200, 3, 0.9 ])
{
	my ($rows, $n, $right) = @$case;
	my @actual = map { $labels[ rand $n ] } 1 .. $rows;
	my @predicted = map { rand() < $right ? $_ : $labels[ rand @labels ] } @actual;

	is(ours(\@actual, \@predicted), official(\@actual, \@predicted), "$rows rows, $n labels, $right of them right");
}
# All directions confused, and all answers Other.
my @actual = map { $labels[ 1 + $_ % 18 ] } 0 .. 99;
my @turned = map { /\(e1,e2\)/ ? s/\(e1,e2\)/(e2,e1)/r : s/\(e2,e1\)/(e1,e2)/r } @actual;
is(ours(\@actual, \@turned), official(\@actual, \@turned), 'every direction is wrong');
is(ours(\@actual, \@actual), official(\@actual, \@actual), 'everything is right');
is(ours(\@actual, [ ('Other') x 100 ]), official(\@actual, [ ('Other') x 100 ]), 'every answer is Other');

# The whole way: real sentences, a model, and its answers held against the key.
my ($file) = glob "$data/text/semeval2010_task8/TRAIN_FILE.TXT";
my $vectors = server_file('vectors.txt', MrenToy::slurp("$data/embeddings/glove_100d_top20000.txt"));
my $rows = server_file('rows.txt', MrenToy::slurp($file));
$session->query(<<"SQL");
SELECT mren.load_embeddings('glove', '$vectors', max_words => 5000);
CREATE TABLE rows AS
SELECT id::int, sentence, head, tail, relation FROM mren.read_semeval(pg_read_file('$rows')) LIMIT 2400;
CALL mren.train('m', 'SELECT * FROM rows WHERE id % 4 > 0', '{"negative": "Other", "hidden": [32], "epochs": 8}');
SQL
my @held_out = map { [ split /\|/ ] } split /\n/, $session->query(<<'SQL');
SELECT relation, mren.predict('m', sentence, head, tail) FROM rows WHERE id % 4 = 0 ORDER BY id
SQL
my $official = official([ map { $_->[0] } @held_out ], [ map { $_->[1] } @held_out ]);
# One answer for all rows scores below 3: F1 below 0.25 in one relation of nine.
cmp_ok($official, '>', 20, 'the model has learnt something');
is($session->query(<<'SQL'), $official, 'mren.evaluate gives the official score of a model');
SELECT to_char(f1 * 100, 'FM990.00') FROM mren.evaluate('m', 'SELECT * FROM rows WHERE id % 4 = 0') WHERE relation = 'semeval macro avg'
SQL

done_testing();
