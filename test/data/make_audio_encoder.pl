#!/usr/bin/perl
# make_audio_encoder.pl: writes audio_encoder.onnx, a network so small that its output can be
# worked out by hand: waveform (1,N) -> features (1,2), the mean and the largest of its samples.
# N is open, or the argument.  Run it again after a change of this file:
#
#	perl test/data/make_audio_encoder.pl > test/data/audio_encoder.onnx
#	perl test/data/make_audio_encoder.pl 8 > test/data/audio_encoder_8.onnx
use strict;
use warnings;

sub varint
{
	my ($n) = @_;
	my $out = '';
	while ($n > 127) { $out .= chr(($n & 127) | 128); $n >>= 7; }
	return $out . chr($n);
}
sub bytes { my ($field, $value) = @_; return varint($field << 3 | 2) . varint(length $value) . $value; }
sub number { my ($field, $value) = @_; return varint($field << 3) . varint($value); }

# Fields of onnx.proto: NodeProto input 1, output 2, name 3, op_type 4, attribute 5; AttributeProto
# name 1, i 3, ints 8, type 20 (2: int, 7: ints).
sub node
{
	my ($op, $inputs, $output, @attributes) = @_;
	return join('', map { bytes(1, $_) } @$inputs) . bytes(2, $output) . bytes(3, "node_$output") . bytes(4, $op)
		. join('', map { bytes(5, $_) } @attributes);
}
my $axes = bytes(1, 'axes') . number(8, 1) . number(20, 7);
my $axis = bytes(1, 'axis') . number(3, 1) . number(20, 2);

sub value_info
{
	my ($name, @dims) = @_;
	my $shape = join '', map { bytes(1, $_ eq 'N' ? bytes(2, 'N') : number(1, $_)) } @dims;
	return bytes(1, $name) . bytes(2, bytes(1, number(1, 1) . bytes(2, $shape)));
}

my $graph = bytes(1, node('ReduceMean', ['waveform'], 'mean', $axes))
  . bytes(1, node('ReduceMax', ['waveform'], 'top', $axes))
  . bytes(1, node('Concat', [ 'mean', 'top' ], 'features', $axis))
  . bytes(2, 'tiny')
  . bytes(11, value_info('waveform', 1, $ARGV[0] // 'N'))
  . bytes(12, value_info('features', 1, 2));

binmode STDOUT;
print number(1, 8) . bytes(8, bytes(1, '') . number(2, 13)) . bytes(7, $graph);
