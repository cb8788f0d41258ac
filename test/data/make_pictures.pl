#!/usr/bin/perl
# make_pictures.pl: writes the pictures of the SQL tests, PNG by hand (zlib only):
#	red.png, blue.png	8x8 of one colour
#	magenta.png, grey.png, black.png	8x8, the left half of that colour, the right one black
#	truncated.png		red.png, cut in its data
#
#	(cd test/data && perl make_pictures.pl)
use strict;
use warnings;
use Compress::Zlib;

sub chunk
{
	my ($type, $data) = @_;
	return pack('N', length $data) . $type . $data . pack('N', crc32($type . $data));
}

sub png
{
	my ($width, $height, $data) = @_;
	return "\x89PNG\r\n\x1a\n" . chunk('IHDR', pack('NNC5', $width, $height, 8, 2, 0, 0, 0)) . chunk('IDAT', $data) . chunk('IEND', '');
}

sub save
{
	my ($name, $bytes) = @_;
	open my $file, '>:raw', $name or die "$name: $!";
	print $file $bytes;
	close $file or die "$name: $!";
}

my $red = png(8, 8, compress(("\0" . "\xff\0\0" x 8) x 8));
save('red.png', $red);
save('blue.png', png(8, 8, compress(("\0" . "\0\0\xff" x 8) x 8)));
my %left = (magenta => "\xff\0\xff", grey => "\x7c\x74\x68", black => "\0\0\0");
save("$_.png", png(8, 8, compress(("\0" . $left{$_} x 4 . "\0\0\0" x 4) x 8))) for keys %left;
save('truncated.png', substr($red, 0, 50));
