# The shared cases: an input for each fault that a review found.  Each script
# is run as it is, in a database of its own, and its output must have what
# the table below says is right.  A case that the table does not know fails.
#
# The cases are not part of the project: without them the test is skipped.
use strict;
use warnings;
use File::Basename qw(basename);
use File::Temp ();
use MrenTest;
use Test::More;

my $data = shared_data();
my $folder = defined $data ? "$data/../cases" : undef;
plan skip_all => 'the folder of shared cases is absent' unless defined $folder && -d $folder;

# What the output must have (want), must not have (not), or why it is not run
# (skip).  edit changes the script: names of options that were renamed since, paths, long waits.
my %cases = (
	'02-name-hyphen.sql'            => { want => [qr/^t\|t$/m] },
	'03-name-han-latin-space.sql'   => { want => [qr/^1$/m] },
	'04-entity-name-line-break.sql' => { want => [ qr/^'Eva Holm'$/m, qr/^0$/m ] },
	'05-turkish-i.sql'              => { want => [qr/^2\n(?:.*\n)?2\n(?:.*\n)?t$/ms] },
	'06-mention-near-miss.sql' => {
		want => [ qr/no-break space/i, qr/U\+0301|combining/i, qr/U\+2019/, qr/U\+2011/, qr/U\+200B/ ],
		not => [qr/^(?:none|works_for)$/m]
	},
	'07-json-bom.sql' => { want => [qr/^met\nmet$/m], not => [qr/ERROR/] },
	'08-mixed-line-ends.sh' => {
		# README loads files in another way now.
		edit => sub {
			s{^CREATE TEMP TABLE raw.*\n\\copy.*}{\\lo_import 'T/case08.jsonl'
CREATE TEMP TABLE raw AS SELECT line FROM string_to_table(translate(convert_from(lo_get(:LASTOID), 'UTF8'), E'\\r', E'\\n'), E'\\n') AS line;}m;
			s/FROM raw,/FROM raw CROSS JOIN LATERAL/;
		},
		want => [qr/^2$/m],
		not => [qr/ERROR/]
	},
	'10-reader-empty-token.sql' => { want => [qr/ERROR.*ERROR/s], not => [qr/^1\|/m] },
	'11-conll04-same-span-twice.sql' =>
	  { want => [ qr/^\[0,3\)\|\[11,16\)\|works_for$/m, qr/^\[11,16\)\|\[0,3\)\|None$/m ], not => [qr/\[0,3\)\|\[0,3\)/] },
	'13-iob1-tags.sql' => { want => [qr/^1$/m], not => [qr/ERROR/] },
	'16-bad-row-in-training.sql' => { want => [ qr/row with id "999"/, qr/row 33/ ] },
	'17-schema-matches-nothing.sql' => {
		want => [ qr/no lexicon or tagger gives the type "Person"/, qr/model "case_m" has no relation "Works_For"/ ]
	},
	# Mentions next to each other in the list are pairs, at most 500 of one sentence.
	'18-pair-explosion.sql' => {
		want => [ qr/^[1-9][0-9]{2}\n/m, qr/^1000\n/m ],
		not => [ qr/^(?:9900|159600)$/m, qr/ERROR/, qr/^Time: \d{4,}/m ]
	},
	'19-sentence-ends.sql' => {
		want => [ qr/^Eva zog am 3\. Mai nach Oslo\.$/m, qr/^Eva left Oslo\.\[12\]\nEva likes Oslo\.$/m, qr/^Eva likes Oslo and Bo\.$/m ],
		not => [qr/and I\.  Eva/],
	},
	'20-functional-newest.sql' => {
		edit => sub { s/(create_graph\('case_g'.*?)\);/$1, options => '{"functional_by": "newest"}');/ },
		want => [qr/^Initech\|/m], not => [qr/^Hooli\|20/m]
	},
	'22-vectors-phrase-ends-in-number.sql' => { want => [qr/^3$/m], not => [qr/ERROR/] },
	'23-vectors-bad-line.sql' => { want => [ qr/max_words/, qr/mren\.skip_bad_words/ ] },
	'24-vectors-binary-phrase.sql' => { want => [qr/word 1/] },
	'25-mention-inside-the-other.sql' => { want => [qr/^is in \.$/m] },
	'29-extract-self.sql' => { not => [qr/Eva Holm\|/] },
	'31-poison-document.sql' => { want => [qr/^(?:9|10)$/m], not => [ qr/ERROR/, qr/^0$/m ] },
	'c1-drop-during-training.sh' => {
		edit => sub { s/sleep 15/until [ "\$(q -c "SELECT count(*) FROM mren.training_progress")" = 0 ]; do sleep 0.2; done/ },
		want => [ qr/^failed\|/m, qr/^1\|t$/m, qr/^(?:near|far)\n.*^(?:near|far)$/ms ]
	},
	'c2-decode-memory.sh'  => { skip => 'its images are made with Python and Pillow; test/t/120_memory.pl has the same limits' },
	'c3-prelu-opset6.py'   => { skip => 'its network is made with the Python package onnx; test/unit/test_onnx_opsets.c has it' },
	'c4-split-opset1.py'   => { skip => 'its network is made with the Python package onnx; test/unit/test_onnx_opsets.c has it' },
	'c6-select-into.sql' => {
		want => [ qr/must not contain INTO/, qr/must not change data/, qr/"epochs"/ ],
		not => [qr/encode_example|double precision/]
	},
	'g1-alias-undone.sql' => { want => [qr/^wheel\|part_of\|car$/m], not => [qr/^wheel\|part_of\|house$/m] },
	'g2-paths-jit.sql' => { want => [qr/^1\|/m], not => [qr/^Time: \d{4,}/m] },
	'n1-poisoned-night.sh'  => { skip => 'it reads a server of its author; n1-poisoned-night.sql is the same case' },
	'n1-poisoned-night.sql' => {
		edit => sub { s/gate_share/holdout_share/ },
		want => [ qr/\|held\|/, qr/^1\|t\|1\.000$/m ],
		not => [qr/\|promoted\|/]
	},
	'prelude.sql' => { skip => 'other cases include it' },
	's1-schema-name-injection.sql' => { want => [qr/^f$/m], not => [qr/^t$/m] },
	's2-operator-in-view.sql'      => { want => [qr/^f$/m], not => [qr/^t$/m] },
	's3-lock-squatting.sh' => {
		# The locks are held until the end, so that who waits for them is timed out, however fast the machine is.
		edit => sub { s/pg_sleep\(15\)/pg_sleep(1000000)/; s/'8s'/'60s'/; s/^wait$/psql -Xqc "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'outsider'" >\/dev\/null; wait/m },
		want => [qr/^train\|succeeded\|$/m], not => [ qr/timeout/, qr/busy/ ]
	},
	's4-runs-by-name.sql' => { not => [qr/^SELECT/m] },
);

my $node = MrenTest->start('cases');
$node->sql('CREATE DATABASE empty', database => 'postgres');
$node->sql('CREATE EXTENSION mren', database => 'empty');

# Runs the script in a new database: its output and messages.
sub output_of
{
	my ($file, $edit) = @_;
	my $dir = File::Temp->newdir;
	local $_ = do { local $/; open my $in, '<', $file or die "$file: $!\n"; <$in> };
	my @command;

	chmod 0755, "$dir";
	$edit->() if $edit;
	s{\bT/}{$dir/}g;
	s{^\\ir prelude\.sql}{\\i $folder/prelude.sql}m;
	s{"\$\(dirname "\$0"\)/prelude\.sql"}{$folder/prelude.sql};
	open my $out, '>', "$dir/case" or die $!;
	print $out $_;
	close $out;
	$node->sql('DROP DATABASE IF EXISTS c', database => 'postgres');
	$node->sql('CREATE DATABASE c TEMPLATE empty', database => 'postgres');
	@command = $file =~ /\.sql$/ ? ('psql', '-XqAt', '-f', "$dir/case") : ('bash', "$dir/case");
	my (undef, $result, $errors) = $node->run('env', 'PGDATABASE=c', 'PGUSER=postgres', @command);
	return "$result\n$errors";
}

for my $file (sort glob "$folder/*.*")
{
	my $name = basename($file);
	my $case = $cases{$name};

  SKIP:
	{
		skip 'inputs of text encoders have a test of their own', 1 if $name =~ /^README/;
		if (!defined $case)
		{
			fail("$name: the table of this test does not know it");
			next;
		}
		skip "$name: $case->{skip}", 1 if $case->{skip};
		my $output = output_of($file, $case->{edit});
		my @missing = grep { $output !~ $_ } @{ $case->{want} || [] };
		my @wrong = grep { $output =~ $_ } @{ $case->{not} || [] };

		ok(!@missing && !@wrong, $name)
		  or diag(map({ "missing: $_\n" } @missing), map({ "wrong: $_\n" } @wrong), $output);
	}
}
done_testing;
