# The test harness itself: a private server, a standby, sessions side by side.
use strict;
use warnings;
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

done_testing();
