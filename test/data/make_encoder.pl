#!/usr/bin/perl
# make_encoder.pl: writes encoder.onnx, a network so small that its output can be
# worked out by hand: picture (1,3,4,4) -> Conv 1x1 -> Relu -> global average ->
# features (1,2).  Channel 0 is (red + green + blue) / 3, channel 1 is red - 0.5,
# both of the normalized pixel.  Run it again after a change of this file:
#
#	perl test/data/make_encoder.pl > test/data/encoder.onnx
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

# Fields of onnx.proto: NodeProto input 1, output 2, name 3, op_type 4;
# TensorProto dims 1, data_type 2 (1: float), name 8, raw_data 9.
sub node
{
	my ($op, $inputs, $output) = @_;
	return join('', map { bytes(1, $_) } @$inputs) . bytes(2, $output) . bytes(3, "node_$output") . bytes(4, $op);
}
sub tensor
{
	my ($name, $dims, @values) = @_;
	return join('', map { number(1, $_) } @$dims) . number(2, 1) . bytes(8, $name) . bytes(9, pack('f<*', @values));
}
sub value_info
{
	my ($name, @dims) = @_;
	my $shape = join '', map { bytes(1, number(1, $_)) } @dims;
	return bytes(1, $name) . bytes(2, bytes(1, number(1, 1) . bytes(2, $shape)));
}

my $graph = bytes(1, node('Conv', [ 'picture', 'weight', 'bias' ], 'mixed'))
  . bytes(1, node('Relu', ['mixed'], 'positive'))
  . bytes(1, node('GlobalAveragePool', ['positive'], 'pooled'))
  . bytes(1, node('Flatten', ['pooled'], 'features'))
  . bytes(2, 'tiny')
  . bytes(5, tensor('weight', [ 2, 3, 1, 1 ], 1 / 3, 1 / 3, 1 / 3, 1, 0, 0))
  . bytes(5, tensor('bias', [2], 0, -0.5))
  . bytes(11, value_info('picture', 1, 3, 4, 4))
  . bytes(12, value_info('features', 1, 2));

binmode STDOUT;
print number(1, 8) . bytes(8, bytes(1, '') . number(2, 13)) . bytes(7, $graph);
