# The test harness itself: a private server, a standby, sessions side by side, and that tools/test
# runs all of what it finds or what is named.
use strict;
use warnings;
use File::Copy qw(copy);
use File::Path qw(make_path);
use File::Temp;
use MrenTest;
use Test::More;

my $node = MrenTest->start('harness', "work_mem = '5MB'");

is($node->sql("SELECT extname FROM pg_extension WHERE extname = 'mren'"), 'mren', 'the extension is there');
is($node->sql('SHOW work_mem'), '5MB', 'a line of configuration counts');
like($node->error_of('SELECT 1/0'), qr/^22012: division by zero/, 'an error gives its SQLSTATE');

my $session = $node->session;
$session->query('CREATE TABLE t (a int)');
$session->query('BEGIN');
$session->query('INSERT INTO t VALUES (1)');
is($node->sql('SELECT count(*) FROM t'), '0', 'a session holds its transaction open');
$session->query('COMMIT');
is($node->sql('SELECT count(*) FROM t'), '1', 'and ends it');
$session->send('SELECT pg_sleep(1000000)');
wait_until { $node->sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") eq '1' };
$node->sql('SELECT pg_cancel_backend(' . $session->backend . ')');
my (undef, $err) = $session->wait_for;
like($err, qr/canceling statement/, 'a running statement can be cancelled');

my $standby = $node->standby('copy');
$node->sql('INSERT INTO t VALUES (2)');
$node->catch_up($standby);
is($standby->sql('SELECT count(*), pg_is_in_recovery() FROM t'), '2|t', 'a standby follows');

$node->crash;
$node->restart;
is($node->sql('SELECT count(*) FROM t'), '2', 'committed rows outlive a crash');

# A tree of three unit programs, of one, two and four tests that pass.
my $tree = File::Temp->newdir;
my $source = $ENV{MREN_ROOT} || "$FindBin::Bin/../..";
make_path(map { "$tree/$_" } 'tools', 'test/unit/build');
for my $tool ('test', 'spoken')
{
	copy("$source/tools/$tool", "$tree/tools/$tool") or die "cannot copy $tool: $!\n";
	chmod 0755, "$tree/tools/$tool";
}
for (['Makefile', "build/%: %.c\n\tcp \$< \$@\n\tchmod +x \$@\n"], map { ["test_$_->[0].c", "#!/bin/sh\necho 1..$_->[1]\nseq -f 'ok %g' $_->[1]\n"] } ['a', 1], ['b', 2], ['c', 4])
{
	my ($name, $text) = @$_;
	open my $out, '>', "$tree/test/unit/$name" or die "cannot write $name: $!\n";
	print $out $text;
	close $out;
}
for (['', 7], ['test_b', 2], ['test_b test_c', 6])
{
	my ($named, $count) = @$_;
	like(`$tree/tools/test unit $named 2>&1`, qr/^$count passed, 0 failed$/m, "tools/test unit $named runs $count tests");
}
my $unknown = `$tree/tools/test unit test_b test_d 2>&1`;
isnt($?, 0, 'a name that no test has is a failure');
like($unknown, qr/^FAILED test_d: no test of the part "unit" has this name\n.*^2 passed, 1 failed$/ms, 'which is named');

done_testing();
