# The tools of the demo and of the starter models: their own tests pass, and the starter
# models' section of README has what tools/starter/build looks for.
use strict;
use warnings;
use File::Temp;
use FindBin;
use Test::More;

my $root = $ENV{MREN_ROOT} || "$FindBin::Bin/../..";

sub passes
{
	my ($name, @command) = @_;
	my $out = `cd '$root' && @command 2>&1`;

	is($?, 0, $name) or diag($out);
}

passes("WordNet's files are read", qw(perl tools/demo/WordNet.t));
SKIP: {
	skip 'there is no python3, which the demo and the starter models need', 1 if system('python3 -c 1 2>/dev/null') != 0;
	passes('the converters write what they should', qw(python3 -B -m unittest discover -s tools/demo));
}
SKIP: {
	skip 'there is no node, which only the benchmarks of accuracy need', 1 if system('node --version >/dev/null 2>&1') != 0;
	passes('the converter of GloVe vectors writes what it should', qw(node --test bench/accuracy));
}

# tools/spoken gives the command's output and status, and counts what it is asked to.
my $spoken = "$root/tools/spoken";
is(`$spoken what sh -c 'printf "one\\ntwo"; exit 3' 2>&1`, "one\ntwo", 'the output of a command is copied as it is');
is($? >> 8, 3, 'and its status kept');
is(`$spoken --log /dev/null what sh -c 'echo lost; echo lost >&2'`, '', 'with a log, nothing of it is printed');
my $both = File::Temp->new;
system("echo before >$both; $spoken --log /dev/null --errors - what sh -c 'echo to stderr >&2' >>$both 2>&1");
is(`cat $both`, "before\nto stderr\n", 'stderr can be left as it is, and what is in its file stays');
system("$spoken what sh -c 'kill -TERM \$\$' >/dev/null");
is($? >> 8, 128 + 15, 'a signal that ends it is told as a shell does');
is(`echo given | $spoken what cat`, "given\n", 'the command reads the input');
is(`MREN_SPOKEN_SECONDS=1 $spoken --log /dev/null --count 'files=^ok' what sh -c 'echo ok 1; echo no; echo ok 2; sleep 3'` =~ /^what: \d+ s, 2 files$/m, 1,
	'a silent command is spoken of, with what it has counted');
is(`MREN_SPOKEN_SECONDS=1 $spoken --log /dev/null --count 'files fetched=^ok' what sh -c 'echo ok 1; sleep 3'` =~ /^what: \d+ s, 1 file fetched$/m, 1,
	'one of them in the singular');
like(`$spoken what /nonexistent 2>&1`, qr/nonexistent: No such file/, 'a command that is not there is named');

done_testing();
