# mren.image_features is what ONNX Runtime computes, on ten photographs, for
# each encoder of the shared data; mren.audio_features, on windows of a recording.
#
# The photographs are brought to exactly the network's size by mren itself,
# with a network that does nothing but give its input, and rounded to whole
# pixels; from there on both sides are on their own: mren reads a PNG of these
# pixels, ONNX Runtime numbers that this test makes of them.
use strict;
use warnings;
use File::Temp ();
use MrenTest;
use MrenToy;
use Test::More;

my $data = shared_data();
plan skip_all => 'the shared test data is absent' unless $data;
plan skip_all => 'the photographs are absent' unless -e "$data/multimodal/wncal/train.jsonl";
my $root = $ENV{MREN_ROOT} || "$FindBin::Bin/../..";
my $runtime = `'$root/tools/onnxruntime' 2>&1`;
chomp $runtime;
plan skip_all => $runtime unless -d $runtime;
my $reference = "$root/test/t/ort_reference.mjs";

# A network whose features are the picture's own pixels, channel by channel.
sub varint { my ($n) = @_; my $out = ''; while ($n > 127) { $out .= chr($n & 127 | 128); $n >>= 7 } return $out . chr $n }
sub bytes { my ($field, $value) = @_; return varint($field << 3 | 2) . varint(length $value) . $value }
sub number { my ($field, $value) = @_; return varint($field << 3) . varint($value) }
sub value { my ($name, @dims) = @_; return bytes(1, $name) . bytes(2, bytes(1, number(1, 1) . bytes(2, join '', map { bytes(1, number(1, $_)) } @dims))) }
sub identity
{
	my ($side) = @_;
	my $graph = bytes(1, bytes(1, 'picture') . bytes(2, 'features') . bytes(4, 'Flatten')) . bytes(2, 'identity')
		. bytes(11, value('picture', 1, 3, $side, $side)) . bytes(12, value('features', 1, 3 * $side * $side));
	return number(1, 8) . bytes(8, bytes(1, '') . number(2, 13)) . bytes(7, $graph);
}

my $node = MrenTest->start('runtime');
my $session = $node->session;
my $dir = File::Temp::tempdir(CLEANUP => 1);
photographs($node, 40);

# File, side, mean and standard deviation of the pixels.
my @networks = (
	[ 'squeezenet1_1', 224, [ 123.675, 116.28, 103.53 ], [ 58.395, 57.12, 57.375 ] ],
	[ 'mobilenet_v2_1.0_224', 224, [ (127.5) x 3 ], [ (127.5) x 3 ] ],
	[ 'objectron_oidv4_mobilenet_v2_features', 300, [ (127.5) x 3 ], [ (127.5) x 3 ] ],
	[ 'mlperf_tiny_resnet8_cifar10', 32, [ (0) x 3 ], [ (1) x 3 ] ]);

# Ten photographs as a network wants them: bytes, channel by channel.
my %pixels;
sub pixels
{
	my ($side) = @_;

	return $pixels{$side} ||= do {
		$session->query("SELECT mren.load_image_encoder('side$side', " . bytea(identity($side)) . ", mean => '{0}', std => '{1}')");
		my @rows = split /\n/, $session->query(<<"SQL");
SELECT array_to_string(mren.image_features('side$side', image), ' ')
FROM (SELECT DISTINCT ON (md5(image)) image FROM photos ORDER BY md5(image) LIMIT 10) AS p
SQL
		[ map { [ map { $_ < 0 ? 0 : $_ > 255 ? 255 : int($_ + 0.5) } split ' ' ] } @rows ];
	};
}

# A PNG of them, whose pixels go red, green, blue, red ...
sub picture
{
	my ($side, $pixels) = @_;
	my $n = $side * $side;
	return png($side, $side, pack 'C*', map { @$pixels[ $_, $_ + $n, $_ + 2 * $n ] } 0 .. $n - 1);
}

for my $network (@networks)
{
	my ($name, $side, $mean, $std) = @$network;
	my $file = "$data/encoders/$name.onnx";

	SKIP:
	{
		skip "$name is absent", 3 unless -e $file;
		my @photos = @{ pixels($side) };
		my $n = $side * $side;
		my $input = '';
		for my $photo (@photos)
		{
			$input .= pack 'f<*', map { my $c = int($_ / $n); ($photo->[$_] - $mean->[$c]) / $std->[$c] } 0 .. $#$photo;
		}
		is(scalar @photos, 10, "$name: ten photographs");
		open my $out, '>:raw', "$dir/in" or die "cannot write \"$dir/in\": $!";
		print {$out} $input;
		close $out;
		local $ENV{MREN_ORT_DIR} = $runtime;
		system('node', $reference, $file, "$dir/in", "$dir/out", 'features') == 0 or die 'ONNX Runtime failed';
		my @expected = unpack 'f<*', slurp("$dir/out");
		my $dimension = @expected / @photos;

		my $values = sub { my ($list) = @_; return "'{" . join(',', @$list) . "}'" };
		my $served = server_file('network.onnx', slurp($file));
		is($session->query("SELECT mren.load_image_encoder('$name', '$served', 'features', @{[ $values->($mean) ]}, @{[ $values->($std) ]})"), $dimension, "$name: $dimension features");

		# Relative to the largest feature of the picture: a feature near zero has no digits of its own.
		my $worst = 0;
		for my $i (0 .. $#photos)
		{
			my @got = $session->query("SELECT mren.image_features('$name', " . bytea(picture($side, $photos[$i])) . ')') =~ /[^{},\n]+/g;
			my @want = @expected[ $i * $dimension .. ($i + 1) * $dimension - 1 ];
			my ($largest, $difference) = (0, 0);

			for my $k (0 .. $#want)
			{
				my $d = abs($got[$k] - $want[$k]);
				$difference = $d if $d > $difference;
				$largest = abs $want[$k] if abs $want[$k] > $largest;
			}
			die "$name: the reference of photograph $i is zero" if $largest == 0;
			$worst = $difference / $largest if $difference / $largest > $worst;
		}
		cmp_ok($worst, '<', 1e-3, sprintf '%s: the worst of ten photographs differs by %.1e of its largest feature', $name, $worst);
	}
}

# A network over a waveform, on windows of noise and tones of different loudness; and the mean over the windows
# of a recording of three half windows.
SKIP:
{
	my $file = "$data/encoders/yamnet.onnx";
	skip 'yamnet is absent', 4 unless -e $file;
	my $n = 15600;
	my $seed = 1;
	my $noise = sub { $seed = ($seed * 16807) % 2147483647; return $seed / 1073741823.5 - 1 };
	my @windows = map { my $w = $_; [ map { 0.3 ** $w * (0.5 * sin($_ * 0.05 * ($w + 1)) + 0.5 * $noise->()) } 0 .. $n - 1 ] } 0 .. 4;
	push @windows, [ @{ $windows[0] }[ $n / 2 .. $n - 1 ], @{ $windows[1] }[ 0 .. $n / 2 - 1 ] ];
	my $wav = sub
	{
		my $data = pack 'f<*', @_;
		return bytea('RIFF' . pack('V', 36 + length $data) . 'WAVEfmt ' . pack('VvvVVvv', 16, 3, 1, 16000, 64000, 4, 32) . 'data' . pack('V', length $data) . $data);
	};

	open my $out, '>:raw', "$dir/in" or die "cannot write \"$dir/in\": $!";
	print {$out} pack 'f<*', map { @$_ } @windows;
	close $out;
	local $ENV{MREN_ORT_DIR} = $runtime;
	system('node', $reference, $file, "$dir/in", "$dir/out", 'features') == 0 or die 'ONNX Runtime failed';
	my @expected = unpack 'f<*', slurp("$dir/out");
	is(scalar @expected, 1024 * @windows, 'yamnet: a reference of 1024 features for each window');
	my $served = server_file('network.onnx', slurp($file));
	is($session->query("SELECT mren.load_audio_encoder('yamnet', '$served')"), 1024, 'yamnet: 1024 features');
	my $worst_of = sub
	{
		my ($samples, $want) = @_;
		my @got = $session->query("SELECT mren.audio_features('yamnet', " . $wav->(@$samples) . ')') =~ /[^{},\n]+/g;
		my $worst = 0;

		die 'yamnet: no features' if @got != @$want;
		for my $k (0 .. $#$want) { my $d = abs($got[$k] - $want->[$k]); $worst = $d if $d > $worst }
		return $worst;
	};
	my $worst = 0;
	for my $i (0 .. $#windows)
	{
		my $d = $worst_of->($windows[$i], [ @expected[ $i * 1024 .. $i * 1024 + 1023 ] ]);
		$worst = $d if $d > $worst;
	}
	cmp_ok($worst, '<', 1e-4, sprintf 'yamnet: the worst feature of six windows differs by %.1e', $worst);
	# The windows over both halves are the first, that in the middle (the sixth), and the second.
	my @mean = map { ($expected[$_] + $expected[ 5 * 1024 + $_ ] + $expected[ 1024 + $_ ]) / 3 } 0 .. 1023;
	my $d = $worst_of->([ @{ $windows[0] }, @{ $windows[1] } ], \@mean);
	cmp_ok($d, '<', 1e-4, sprintf 'yamnet: the mean over a recording differs by %.1e', $d);
}

# One clip in several formats: its samples are the same, and so is its vector; at another rate and in two channels
# it is nearly the same.
SKIP:
{
	my $formats = "$data/multimodal/wnsound/formats";
	skip 'yamnet or the recordings are absent', 4 unless -e "$data/encoders/yamnet.onnx" && -e "$formats/reference.wav";
	# the first channel is the clip, the second the clip reversed
	my @stereo = unpack 's<*', substr(slurp("$formats/stereo44k.wav"), 44);
	my $twice = pack 's<*', map { ($stereo[ 2 * $_ ]) x 2 } 0 .. $#stereo / 2;
	my $wav = 'RIFF' . pack('V', 36 + length $twice) . 'WAVEfmt ' . pack('VvvVVvv', 16, 1, 2, 44100, 176400, 4, 16) . 'data' . pack('V', length $twice) . $twice;

	for my $encoder (qw(yamnet logmel))
	{
		my %vectors = map {
			$_ => $session->query("SELECT mren.audio_features('$encoder', " . bytea(slurp("$formats/$_")) . ')')
		} qw(reference.wav pcm24.wav pcm32.wav float32.wav float64.wav extensible.wav mono.flac mono24.flac);
		my $reference = $vectors{'reference.wav'};
		my @others = grep { $vectors{$_} ne $reference } sort keys %vectors;

		is("@others", '', "$encoder: the same vector from each format");
		cmp_ok($session->query("SELECT sum(x * y) / sqrt(sum(x * x) * sum(y * y)) FROM unnest('$reference'::real[], mren.audio_features('$encoder', " . bytea($wav) . ')) AS u (x, y)'),
			'>', 0.99, "$encoder: nearly the same from two channels of 44.1 kHz");
	}
}

done_testing();
