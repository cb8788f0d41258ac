package MrenTest;

# MrenTest: private servers for TAP tests, over tools/server.
#
#	use MrenTest;
#	my $node = MrenTest->start('main', "work_mem = '8MB'");	# database "test", with mren
#	is($node->sql('SELECT 1'), '1', '...');
#	my ($status, $out, $err) = $node->try('SELECT 1/0');
#	my $other = $node->session;				# a second session, kept open
#	$other->query('BEGIN');
#	my $standby = $node->standby('standby');
#	$node->catch_up($standby);
#	my ($status, $out, $err) = $node->run('pg_dump', 'test');
#	$node->crash; $node->restart;
#
# Each server is removed at the program's end, and so is what it wrote.  A test
# that fails prints the end of the servers' logs.

use strict;
use warnings;
use Exporter 'import';
use File::Temp ();
use FindBin;
use IPC::Open3 ();
use IO::Select;
use POSIX ();
use Symbol ();
use Test::More;
use Time::HiRes ();

our @EXPORT = qw(shared_data test_files wait_until seconds_of);

my $root = $ENV{MREN_ROOT} || "$FindBin::Bin/../..";
my @nodes;

# The folder of shared test data, or undef: such tests are then skipped.
sub shared_data
{
	my $dir = $ENV{MREN_TEST_DATA};
	return defined $dir && -d $dir ? $dir : undef;
}

# Files of test/data, where a server may read them.
sub test_files
{
	return $ENV{MREN_TEST_FILES} || "$root/test/data";
}

# Runs the block until it is true.  The limit in seconds only ends a test that
# hangs: no test may depend on how fast the machine is.
sub wait_until(&;$)
{
	my ($block, $seconds) = @_;
	my $end = Time::HiRes::time() + ($seconds || 180);

	while (Time::HiRes::time() < $end)
	{
		return 1 if $block->();
		Time::HiRes::sleep(0.05);
	}
	return 0;
}

# How long the block took.
sub seconds_of(&)
{
	my ($block) = @_;
	my $start = Time::HiRes::time();

	$block->();
	return Time::HiRes::time() - $start;
}

# Runs a command with the given input: (exit status, output, errors).  Both
# outputs are read as they come, so that neither can fill its pipe.
sub capture
{
	my ($input, @command) = @_;
	my ($in, $out, $err) = (Symbol::gensym(), Symbol::gensym(), Symbol::gensym());
	my %text = (out => '', err => '');
	my $file;

	# Input goes through a file, which cannot block either.
	$file = File::Temp->new;
	print {$file} $input if defined $input;
	seek $file, 0, 0;
	$file->flush;
	open my $stdin, '<', $file->filename or die "cannot read the input: $!";
	my $pid = IPC::Open3::open3('<&' . fileno($stdin), $out, $err, @command);
	close $stdin;

	my $select = IO::Select->new($out, $err);
	while ($select->count)
	{
		for my $handle ($select->can_read)
		{
			my $where = $handle == $out ? 'out' : 'err';
			my $n = sysread $handle, $text{$where}, 65536, length $text{$where};
			$select->remove($handle) unless $n;
		}
	}
	waitpid $pid, 0;
	my $status = $? & 127 ? 128 + ($? & 127) : $? >> 8;
	chomp @text{qw(out err)};
	return ($status, @text{qw(out err)});
}

sub server
{
	my (@arguments) = @_;
	my ($status, $out, $err) = capture('', "$root/tools/server", @arguments);

	die "tools/server @arguments: $err\n" if $status != 0;
	return $out;
}

sub new_node
{
	my ($class, $name) = @_;
	my $dir = File::Temp::tempdir("mren-$name.XXXXXX", TMPDIR => 1);
	my $self = bless { name => $name, dir => $dir, database => 'test' }, $class;

	chmod 0755, $dir or die "cannot open \"$dir\": $!";
	push @nodes, $self;
	return $self;
}

# A server with the database "test" and the extension in it; further arguments
# are lines of its configuration.
sub start
{
	my ($class, $name, @conf) = @_;
	my $self = $class->start_empty($name, @conf);

	$self->sql('CREATE DATABASE test', database => 'postgres');
	$self->sql('CREATE EXTENSION mren');
	return $self;
}

# A server where the extension is only installed.
sub start_empty
{
	my ($class, $name, @conf) = @_;
	my $self = $class->new_node($name);

	$self->{conf} = \@conf;
	server('start', $self->{dir}, @conf);
	return $self;
}

sub standby
{
	my ($self, $name, @conf) = @_;
	my $standby = ref($self)->new_node($name);

	$standby->{conf} = \@conf;
	server('standby', $self->{dir}, $standby->{dir}, @conf);
	return $standby;
}

# Waits until the standby has replayed all that this server wrote.
sub catch_up
{
	my ($self, $standby) = @_;
	my $lsn = $self->sql('SELECT pg_current_wal_lsn()');

	wait_until { $standby->sql("SELECT pg_last_wal_replay_lsn() >= '$lsn'::pg_lsn") eq 't' }
		or die "the standby did not catch up with $lsn\n";
}

sub stop    { my ($self) = @_; server('stop', $self->{dir}) }
sub crash   { my ($self) = @_; server('stop', $self->{dir}, 'immediate') }
sub promote { my ($self) = @_; $self->sql('SELECT pg_promote()', database => 'postgres') }

# With no lines the configuration stays; given lines replace those before.
sub restart
{
	my ($self, @conf) = @_;

	$self->{conf} = \@conf if @conf;
	server('stop', $self->{dir});
	server('start', $self->{dir}, @{ $self->{conf} });
}

sub dir { my ($self) = @_; return $self->{dir} }

sub log_text
{
	my ($self) = @_;
	return server('log', $self->{dir});
}

# Any client program: (exit status, output, errors).
sub run
{
	my ($self, @command) = @_;
	return capture(undef, "$root/tools/server", 'run', $self->{dir}, @command);
}

# As run, with something on its standard input.
sub feed
{
	my ($self, $input, @command) = @_;
	return capture($input, "$root/tools/server", 'run', $self->{dir}, @command);
}

sub psql_command
{
	my ($self, %option) = @_;
	return ('psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-v', 'VERBOSITY=' . ($option{verbosity} || 'default'),
		'-d', $option{database} || $self->{database}, '-U', $option{user} || 'postgres');
}

# Statements in one session: (psql's exit status, rows, messages).  Options:
# database, user, and verbosity, where 'verbose' shows the SQLSTATE.
sub try
{
	my ($self, $sql, %option) = @_;
	return $self->feed($sql, $self->psql_command(%option));
}

# The same where nothing may fail: the rows, columns separated by "|".
sub sql
{
	my ($self, $sql, %option) = @_;
	my ($status, $out, $err) = $self->try($sql, %option);

	die "$sql\n$err\n" if $status != 0;
	return $out;
}

# The SQLSTATE and message of a statement that must fail: "22023: message".
sub error_of
{
	my ($self, $sql, %option) = @_;
	my ($status, undef, $err) = $self->try($sql, %option, verbosity => 'verbose');

	return 'no error' if $status == 0;
	return "$1: $2" if $err =~ /(?:ERROR|FATAL):  (\w{5}): (.*)/;
	return $err;
}

sub session
{
	my ($self, %option) = @_;
	return MrenTest::Session->open("$root/tools/server", 'run', $self->{dir},
		map { $_ eq 'ON_ERROR_STOP=1' ? 'ON_ERROR_STOP=0' : $_ } $self->psql_command(%option));
}

END
{
	my $status = $?;
	my $failed = $status != 0 || !Test::More->builder->is_passing;

	for my $node (reverse @nodes)
	{
		if ($failed)
		{
			my ($got, $log) = capture('', "$root/tools/server", 'log', $node->{dir});
			my @lines = split /\n/, $log;
			splice @lines, 0, @lines - 40 if @lines > 40;
			diag("end of the log of \"$node->{name}\":\n", join("\n", @lines)) if $got == 0;
		}
		capture('', "$root/tools/server", 'remove', $node->{dir});
	}
	$? = $status;
}

package MrenTest::Session;

# A psql that stays open.  send() gives it statements and returns at once;
# wait_for() waits for them and returns (rows, messages).

use strict;
use warnings;
use IPC::Open3 ();
use IO::Select;
use Symbol ();
use Time::HiRes ();

sub open
{
	my ($class, @command) = @_;
	my $self = bless { out => '', err => '', sent => 0, done => 0 }, $class;

	$self->{stdin} = Symbol::gensym();
	$self->{stdout} = Symbol::gensym();
	$self->{stderr} = Symbol::gensym();
	$self->{pid} = IPC::Open3::open3($self->{stdin}, $self->{stdout}, $self->{stderr}, @command);
	$self->{stdin}->autoflush(1);
	$self->{backend} = $self->query('SELECT pg_backend_pid()');
	return $self;
}

# The process id of its backend.
sub backend { my ($self) = @_; return $self->{backend} }

# After the statements, a mark on each of the outputs: both are then complete.
sub send
{
	my ($self, $sql) = @_;

	$self->{sent}++;
	$sql =~ s/;?\s*$/;/;
	print { $self->{stdin} } "$sql\n\\echo [done $self->{sent}]\n\\warn [done $self->{sent}]\n";
}

sub wait_for
{
	my ($self, $seconds) = @_;
	my $mark = '[done ' . ($self->{done} + 1) . "]\n";
	my $end = Time::HiRes::time() + ($seconds || 300);
	my $select = IO::Select->new($self->{stdout}, $self->{stderr});
	my @found;

	while (index($self->{out}, $mark) < 0 || index($self->{err}, $mark) < 0)
	{
		my @ready = $select->can_read($end - Time::HiRes::time());

		die "no answer in time; so far: $self->{out}$self->{err}\n" unless @ready;
		for my $handle (@ready)
		{
			my $text = $handle == $self->{stdout} ? 'out' : 'err';
			my $n = sysread $handle, $self->{$text}, 65536, length $self->{$text};
			die "the session has ended: $self->{out}$self->{err}\n" unless $n;
		}
	}
	for my $text (qw(out err))
	{
		my $at = index $self->{$text}, $mark;
		push @found, substr $self->{$text}, 0, $at;
		$self->{$text} = substr $self->{$text}, $at + length $mark;
	}
	$self->{done}++;
	chomp @found;
	return @found;
}

# Statements and their rows; dies when one fails.
sub query
{
	my ($self, $sql) = @_;
	my ($out, $err) = $self->try($sql);

	die "$sql\n$err\n" if $err =~ /^(?:psql:\S+ )?(?:ERROR|FATAL):/m;
	return $out;
}

# Statements that may fail: (rows, messages).
sub try
{
	my ($self, $sql) = @_;

	$self->send($sql);
	return $self->wait_for;
}

sub close
{
	my ($self) = @_;

	return unless $self->{pid};
	print { $self->{stdin} } "\\q\n";
	CORE::close $self->{stdin};
	waitpid $self->{pid}, 0;
	$self->{pid} = undef;
}

sub DESTROY
{
	my ($self) = @_;
	local ($?, $!, $@);
	local $SIG{PIPE} = 'IGNORE';

	$self->close;
}

1;
