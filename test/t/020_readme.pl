# README does what it says.  Its ```sql blocks are run in order, in one psql
# session on a new database; where a ```text block follows one, it must be what
# psql -q prints, to the letter.  Other blocks need files or services that are
# not here: of them, and of the text, every name in schema mren must exist.
# The blocks of docs/reference.md then go on where README ended.  README.zh.md has the
# same blocks, and is run by itself in a database of its own; so are docs/few-labels.md, docs/audio.md and docs/graph.md.
use strict;
use warnings;
use utf8;
use Encode qw(decode);
use File::Temp;
use MrenTest;
use MrenToy;
use Test::More;

my $root = $ENV{MREN_ROOT} || "$FindBin::Bin/../..";
my $readme = slurp("$root/README.md");
my $reference = slurp("$root/docs/reference.md");

# README's fenced blocks: { language, body, line, expected }, where expected is
# the body of the text block behind it with nothing but white space between.
sub blocks
{
	my ($text) = @_;
	my @found;
	my $end = 0;

	while ($text =~ /^```(\w*)\n(.*?)^```$/gms)
	{
		my ($language, $body, $from, $to) = ($1, $2, $-[0], $+[0]);
		my $between = substr $text, $end, $from - $end;

		if ($language eq 'text' && @found && $between =~ /^\s*$/)
		{
			$found[-1]{expected} = $body;
		}
		else
		{
			my $line = 1 + (substr($text, 0, $from) =~ tr/\n//);
			push @found, { language => $language, body => $body, line => $line };
		}
		$end = $to;
	}
	return @found;
}

# The blocks' statements in one session: what each printed, and its messages.
sub run_blocks
{
	my ($node, $database, @sql) = @_;
	my $script = join '', map { "\\echo [block $_]\n\\warn [block $_]\n$sql[$_]{body}" } 0 .. $#sql;
	my (undef, $out, $err) = $node->feed($script, 'psql', '-Xq', '-P', 'pager=off', '-d', $database);

	for my $text ([ printed => $out ], [ messages => $err ])
	{
		my ($key, $all) = @$text;
		my @parts = split /^\[block (\d+)\]\n?/m, $all;

		shift @parts;
		while (my ($number, $part) = splice @parts, 0, 2)
		{
			$sql[$number]{$key} = $part // '';
		}
	}
}

# The same in a new database; and that each runs and prints what its text block says.
sub check_blocks
{
	my ($node, $database, @sql) = @_;

	$node->sql("CREATE DATABASE $database", database => 'postgres');
	run_blocks($node, $database, @sql);
	for my $block (@sql)
	{
		my $messages = $block->{messages} // 'psql ended before this block';

		unlike($messages, qr/ERROR|FATAL|ended before/, "the block in line $block->{line} of $block->{file} runs")
			or diag($messages);
		next unless defined $block->{expected};
		(my $printed = $block->{printed} // '') =~ s/\n+\z/\n/;
		is($printed . ($printed =~ /\n\z/ ? '' : "\n"), $block->{expected}, "and prints what line $block->{line} says");
	}
}

# The list of contents names every section, in order, with the anchor that GitHub gives it.
sub check_contents
{
	my ($text, $contents) = @_;
	my @sections = grep { $_ ne $contents } decode('UTF-8', $text) =~ /^## (.*)$/mg;
	my ($list) = decode('UTF-8', $text) =~ /^## \Q$contents\E\n\n(.*?)\n\n/ms;

	is($list // '', join("\n", map { my $name = $_; '* [' . $name . '](#' . (lc $name =~ s/[^\w -]//gr =~ s/ /-/gr) . ')' } @sections),
		'the list of contents is that of the sections');
}

# Names that README uses but the database does not have.
sub unknown_names
{
	my ($node, $text, $database) = @_;
	my %names = map { $_ => 1 } $text =~ /\bmren\.(\w+)/g;
	my $list = join ', ', map { "'$_'" } sort keys %names;

	return $node->sql(<<"SQL", database => $database // 'readme');
SELECT count(*) AS loaded FROM mren.version() \\gset _
SELECT 'mren.' || n.name FROM unnest(ARRAY[$list]) AS n (name)
WHERE NOT EXISTS (SELECT FROM pg_proc WHERE pronamespace = 'mren'::regnamespace AND proname = n.name)
	AND NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = 'mren'::regnamespace AND relname = n.name)
	AND NOT EXISTS (SELECT FROM pg_type WHERE typnamespace = 'mren'::regnamespace AND typname = n.name)
	AND NOT EXISTS (SELECT FROM pg_settings s WHERE s.name = 'mren.' || n.name)
SQL
}

my @blocks = blocks($readme);
my @sql = grep { $_->{language} eq 'sql' } @blocks;
my @more = grep { $_->{language} eq 'sql' } blocks($reference);
my @other = grep { $_->{language} eq '' } @blocks;
my $node = MrenTest->start_empty('readme');

cmp_ok(scalar(@sql), '>=', 10, 'README has a first run');
cmp_ok(scalar(grep { defined $_->{expected} } @sql), '>=', 5, 'and shows what it prints');
is_deeply([ grep { $_->{language} !~ /^(?:sql|sh)?$/ } @blocks ], [], 'every output follows what prints it');

$_->{file} = 'README' for @sql;
$_->{file} = 'the reference' for @more;
check_blocks($node, 'readme', @sql, @more);

# Pages that are jobs of their own.
for my $page (qw(few-labels audio graph))
{
	my $text = slurp("$root/docs/$page.md");
	my @job = grep { $_->{language} eq 'sql' } blocks($text);
	(my $database = $page) =~ tr/-/_/;

	cmp_ok(scalar(@job), '>=', 2, "docs/$page.md has a job");
	$_->{file} = "docs/$page.md" for @job;
	check_blocks($node, $database, @job);
	is(unknown_names($node, $text, $database), '', "every name in schema mren that docs/$page.md uses exists");
}

is(unknown_names($node, $readme), '', 'every name in schema mren exists');
for my $call (map { $_->{body} =~ /\b(mren\.\w+)\s*\(/g } @other)
{
	my ($name) = $call =~ /\.(\w+)/;

	isnt($node->sql("SELECT count(*) FROM pg_proc WHERE pronamespace = 'mren'::regnamespace AND proname = '$name'",
			database => 'readme'), '0', "$call can be called");
}
for my $link ($readme =~ /\]\(([^):#]+)\)/g)
{
	ok(-e "$root/$link", "the link to $link leads somewhere");
}
for my $link ($reference =~ /\]\(([^):#]+)/g)
{
	ok(-e "$root/docs/$link", "the reference's link to $link leads somewhere");
}
# So do the page of text encoders,
is(unknown_names($node, slurp("$root/docs/encoders.md")), '', 'every name in schema mren that the page of text encoders uses exists');
# and the page of resources, whose links lead somewhere.
my $resources = slurp("$root/docs/resources.md");
is(unknown_names($node, $resources), '', 'every name in schema mren that the page of resources uses exists');
for my $link ($resources =~ /\]\(((?!https:)[^)]+)\)/g)
{
	my ($file, $anchor) = split /#/, $link;

	ok(-e "$root/docs/$file", "its link to $file leads somewhere");
	next unless defined $anchor;
	ok((grep { $_ eq $anchor } map { lc s/[^\w -]//gr =~ s/ /-/gr } slurp("$root/docs/$file") =~ /^#+ (.*)$/mg), "and there is a section $anchor");
}
for my $anchor ($reference =~ /\]\(#([^)]+)/g)
{
	my @headings = map { lc s/[^\w -]//gr =~ s/ /-/gr } $reference =~ /^#+ (.*)$/mg;

	ok((grep { $_ eq $anchor } @headings), "the reference has a section $anchor");
}

# The recipe for published files, on files whose lines end in every way and that
# begin with a byte-order mark.
sub rows_by_recipe
{
	my ($recipe, $reader, @lines) = @_;
	my $file = File::Temp->new(SUFFIX => '.txt');
	my @ends = ("\r\n", "\n", "\r");
	my @steps = split /\n/, $recipe;
	my @read = grep { /mren\.$reader\(/ } @steps;

	print $file "\xEF\xBB\xBF", map { $lines[$_] . $ends[$_ % 3] } 0 .. $#lines;
	close $file;
	chmod 0644, "$file" or die "cannot open \"$file\": $!";
	s/^(\\lo_import) '.*'/$1 '$file'/ for @steps;
	return $node->sql(join("\n", 'BEGIN;', (grep { !/mren\./ } @steps), @read, 'ROLLBACK;'), database => 'readme');
}

my ($recipe) = map { $_->{body} } grep { $_->{body} =~ /read_semeval/ } @other;
my $json = '{"text": "Eva met Bo, %s.", "h": {"pos": [0, 3]}, "t": {"pos": [8, 10]}, "relation": "met"}';
my @json = map { sprintf $json, $_ } 'a, "b" \\' =~ s/(["\\])/\\$1/gr, 'two', '', 'four', 'five', 'six', 'seven';
(my $python = $json) =~ s/"/'/g;
my @semeval = map { ("$_\t\"<e1>Eva</e1> met <e2>Bo</e2>.\"", 'met(e1,e2)', 'Comment: none', '') } 1 .. 7;

like($recipe, qr/read_semeval.*read_opennre.*read_mnre/s, 'README has a recipe for published files');
for my $case ([ read_semeval => @semeval ], [ read_opennre => @json ], [ read_mnre => map { sprintf $python, $_ } 1 .. 7 ])
{
	my ($reader, @lines) = @$case;
	my $rows = () = rows_by_recipe($recipe, $reader, @lines) =~ /\|met/g;

	is($rows, 7, "the recipe reads every line of mixed ends with $reader");
}

# What README makes can be cleared away.
sub clear_away
{
	my ($node, $database, @sql) = @_;

	$node->sql('DROP EXTENSION mren CASCADE', database => $database);
	$node->sql("DROP DATABASE $database", database => 'postgres');
	for my $role (map { $_->{body} =~ /^CREATE ROLE (\w+)/gm } @sql)
	{
		my ($status, undef, $err) = $node->try("DROP ROLE $role", database => 'postgres');

		is($status, 0, "role $role can be dropped") or diag($err);
	}
}

# The block of the pretrained text encoder, with the real one where it is here, else with a tiny one, which is not
# asked what it answers.
sub check_encoder_block
{
	my ($block) = grep { $_->{body} =~ /mren\.load_text_encoder/ } @other;
	my $real = real_encoder();
	my $encoder = defined $real ? "'$real'" : 'tiny_encoder()';
	(my $body = $block->{body} // '') =~ s/'[^']*\.whl'/$encoder/;

	text_encoders($node, database => 'readme');
	my (undef, $out, $err) = $node->feed("SET client_min_messages = warning;\n$body", 'psql', '-Xq', '-P', 'pager=off', '-d', 'readme');
	unlike($err, qr/ERROR/, 'the block of the text encoder runs') or diag($err);
	like($out, qr/ whale .*\n A petal/, 'and answers');
	SKIP:
	{
		skip 'no real text encoder', 1 unless defined $real;
		is($out =~ s/\n+\z/\n/r, $block->{expected}, 'and prints what README says');
	}
}
check_encoder_block();

clear_away($node, 'readme', @sql);

# The Chinese README has the same blocks, and gives the same answers from its lines alone.
my $chinese = slurp("$root/README.zh.md");
my @chinese = grep { $_->{language} eq 'sql' } blocks($chinese);
my $bodies = sub { join "\n", map { ($_->{body}, $_->{expected} // ()) } @_ };

is($bodies->(blocks($chinese)), $bodies->(blocks($readme)), 'README.zh.md has the blocks of README');
check_contents($readme, 'Contents');
check_contents($chinese, '目录');
for my $link ($chinese =~ /\]\(([^):#]+)\)/g)
{
	ok(-e "$root/$link", "its link to $link leads somewhere");
}
$_->{file} = 'README.zh.md' for @chinese;
check_blocks($node, 'readme_zh', @chinese);
is(unknown_names($node, $chinese, 'readme_zh'), '', 'every name in schema mren that it uses exists');
clear_away($node, 'readme_zh', @chinese);

done_testing();
