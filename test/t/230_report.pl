# The pages of mren.report and mren.report_graph in a real browser, in both colour
# schemes and at the width of a telephone: nothing in the console, no request, no
# script, nothing wider than the window, all images shown.  Skipped where there is
# no Chromium or no Node.js.
use strict;
use warnings;
use File::Temp;
use FindBin;
use JSON::PP;
use MrenTest;
use MrenToy;
use Test::More;

my $root = $ENV{MREN_ROOT} || "$FindBin::Bin/../..";
my ($chromium) = grep { defined && -x } $ENV{CHROMIUM}, map { my $name = $_; map { "$_/$name" } split /:/, $ENV{PATH} } 'chromium', 'chromium-browser', 'google-chrome';

plan(skip_all => 'there is no Chromium, which renders the pages') unless $chromium;
plan(skip_all => 'there is no Node.js, which drives the browser') if system('node -e 0 >/dev/null 2>&1') != 0;
$ENV{CHROMIUM} = $chromium;

my $node = MrenTest->start('report');
my $dir = File::Temp->newdir;

toy_task($node);
tiny_encoder($node);
$node->sql('SET client_min_messages = error; ' . slurp("$root/test/include/graph.sql"));
my @colour = map { bytea(png(400, 300, $_ x 120000)) } "\xff\0\0", "\0\0\xff";
$node->sql(qq{SET client_min_messages = error;
	CREATE TABLE photos AS SELECT i AS id, 'the thing </p><script>document.title = 1</script> beside the other' AS sentence, 'thing' AS head, 'other' AS tail,
		CASE i % 2 WHEN 0 THEN 'red' ELSE '<b>blue' END AS relation, CASE i % 2 WHEN 0 THEN $colour[0] ELSE $colour[1] END AS image FROM generate_series(1, 20) i;
	CALL mren.train('<i>photos', 'SELECT * FROM photos', '{"epochs": 20, "image_encoder": "tiny"}');
	CREATE TABLE docs AS SELECT 1 AS key, 'The wheel is a part of the car. The roof is a part of the <script>alert(1)</script> car. The oak is a kind of tree.'::text AS document;
	SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{world}', relation_schema => 'toy_relations');
	CALL mren.refresh_graph('kg')});

# What the browser says of a page.
sub opened
{
	my ($file, $width, $scheme) = @_;
	my ($status, $out, $err) = $node->run('node', "$root/test/t/browser.mjs", $file, $width, $scheme);

	is($status, 0, "the browser opens it, $width pixels wide, $scheme") or diag($err);
	return decode_json($out || '{}');
}

my %page = (
	text => q{SELECT mren.report('parts', 'SELECT id, sentence, head, tail, CASE WHEN id % 9 = 3 THEN ''none'' ELSE relation END AS relation FROM pairs')},
	photos => q{SELECT mren.report('<i>photos', 'SELECT * FROM photos')},
	training => q{SELECT mren.report('parts')},
	graph => q{SELECT mren.report_graph('kg')},
);
my %heading = (text => 'parts', photos => '<i>photos', training => 'parts', graph => 'kg');
for my $name (sort keys %page)
{
	my $file = "$dir/$name.html";

	open my $out, '>', $file or die "cannot write \"$file\": $!";
	print {$out} $node->sql("SET client_min_messages = error; $page{$name}");
	close $out;
	for my $look ([ 1200, 'light' ], [ 1200, 'dark' ], [ 360, 'light' ], [ 360, 'dark' ])
	{
		my ($width, $scheme) = @$look;
		my $seen = opened($file, $width, $scheme);
		my ($light) = ($seen->{background} // '') =~ /rgb\((\d+)/;

		is_deeply($seen->{messages}, [], "$name: nothing in the console, no request, no dialog");
		cmp_ok($seen->{excess}, '<=', 0, 'it is not wider than the window');
		is($seen->{scripts}, 0, 'it has no script');
		is($seen->{images}, 0, 'all of its images are shown');
		like($seen->{title}, qr/^\Q$heading{$name}\E \x{b7} mren/, 'its title is the name, with all characters');
		is($light > 127 ? 'light' : 'dark', $scheme, 'it has the colours of the scheme');
	}
}
like(opened("$dir/photos.html", 1200, 'light')->{text}, qr{the thing\s*head\s*</p><script>document.title = 1</script> beside}, 'a script in a sentence is text');
# The browser does see what goes wrong: the checks above can fail.
open my $out, '>', "$dir/wrong.html" or die $!;
print {$out} '<!DOCTYPE html><title>wrong</title><body style="width:3000px"><img src="https://nowhere.invalid/x.png"><script>throw new Error("seen")</script>';
close $out;
my $wrong = opened("$dir/wrong.html", 1200, 'light');
cmp_ok(scalar @{ $wrong->{messages} }, '>=', 2, 'an error and a request are noticed');
cmp_ok($wrong->{excess}, '>', 0, 'and a page that is too wide');
is("$wrong->{scripts} $wrong->{images}", '1 1', 'and a script and a missing image');

done_testing();
