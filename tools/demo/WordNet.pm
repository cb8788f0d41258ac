# WordNet.pm
#	  Reads WordNet 3.0 as Debian's wordnet-base installs it: the nouns, their
#	  definitions and the pointers between them.
#
# The file formats are those of wndb(5WN).  A synset is named by its offset in
# data.noun.  Nothing beyond perl's core is used.
package WordNet;
use strict;
use warnings;

# Pointer symbols by the relation they state, from the synset to its target.
my %POINTER = (
	'@'  => 'kind_of',
	'@i' => 'instance_of',
	'#p' => 'part_of',
	'#m' => 'member_of',
	'#s' => 'substance_of',
);

# The relations that carry on upwards: a kind of a kind of X is a kind of X, a
# part of a part of X is a part of X.  The right side says over which pointers.
my %CLOSURE = (
	kind_of      => ['@'],
	instance_of  => ['@'],
	part_of      => ['#p'],
	member_of    => ['#m', '@'],
	substance_of => ['#s'],
);

# How a plural ends and its singular instead, as wordnet's own morphology has it.
my @PLURAL = ([ 's', '' ], [ 'ses', 's' ], [ 'xes', 'x' ], [ 'zes', 'z' ], [ 'ches', 'ch' ],
	[ 'shes', 'sh' ], [ 'men', 'man' ], [ 'ies', 'y' ]);

sub new
{
	my ($class, $dir) = @_;
	my $self = bless {
		words => {}, gloss => {}, pointers => {}, senses => {}, exception => {},
		uses => {}, other => {}, longest => {},
	}, $class;
	$self->_read_synsets("$dir/data.noun");
	$self->_read_index("$dir/index.noun");
	$self->_read_exceptions("$dir/noun.exc");
	$self->_read_uses("$dir/cntlist.rev");
	$self->_read_other("$dir/index.$_") for qw(verb adj adv);
	return $self;
}

sub _lines
{
	my ($path, $each) = @_;
	open my $file, '<', $path or die "could not read \"$path\": $!\n";
	while (my $line = <$file>)
	{
		chomp $line;
		$each->($line) unless $line =~ /^ /;    # the licence
	}
	close $file;
	return;
}

# offset lex_file type n_words(hex) {word lex_id} n_pointers {symbol offset pos source/target} | gloss
sub _read_synsets
{
	my ($self, $path) = @_;
	_lines($path, sub {
		my ($data, $gloss) = split / \| /, $_[0], 2;
		my ($offset, undef, undef, $n_words, @rest) = split ' ', $data;
		my @words;
		for (1 .. hex $n_words)
		{
			push @words, shift @rest;
			shift @rest;
		}
		my $n_pointers = shift @rest;
		for (1 .. $n_pointers)
		{
			my ($symbol, $target, $pos) = splice @rest, 0, 4;
			push @{ $self->{pointers}{$offset}{$symbol} }, $target if $pos eq 'n';
		}
		tr/_/ / for @words;
		$gloss =~ s/\s+$//;
		$self->{words}{$offset} = \@words;
		$self->{gloss}{$offset} = $gloss;
	});
	return;
}

# lemma pos n_senses n_pointers {symbol} n_senses n_tagged {offset}, most frequent sense first
sub _read_index
{
	my ($self, $path) = @_;
	_lines($path, sub {
		my ($lemma, undef, undef, $n_pointers, @rest) = split ' ', $_[0];
		splice @rest, 0, $n_pointers + 2;
		$lemma =~ tr/_/ /;
		$self->{senses}{$lemma} = \@rest;
		my ($first) = $lemma =~ /^([^ ]+)/;
		my $n_words = 1 + ($lemma =~ tr/ //);
		$self->{longest}{$first} = $n_words if $n_words > ($self->{longest}{$first} || 1);
	});
	return;
}

sub _read_exceptions
{
	my ($self, $path) = @_;
	_lines($path, sub {
		my ($plural, $singular) = split ' ', $_[0];
		$self->{exception}{$plural} = $singular;
	});
	return;
}

# How often a word was seen as a noun (type 1) and as anything else in tagged text.
sub _read_uses
{
	my ($self, $path) = @_;
	_lines($path, sub {
		my ($lemma, $type, $count) = $_[0] =~ /^([^%]+)%(\d):\S+ \d+ (\d+)/ or return;
		$self->{uses}{$lemma}[ $type == 1 ? 0 : 1 ] += $count;
	});
	return;
}

sub _read_other
{
	my ($self, $path) = @_;
	_lines($path, sub {
		my ($lemma, undef, $n_senses) = split ' ', $_[0];
		$self->{other}{$lemma} += $n_senses;
	});
	return;
}

# 32-bit FNV-1a, so that what is drawn by it is the same everywhere.
sub hash
{
	my $hash = 0x811c9dc5;
	$hash = (($hash ^ $_) * 0x01000193) & 0xffffffff for unpack 'C*', $_[0];
	return $hash;
}

sub synsets { return sort keys %{ $_[0]{words} } }
sub words   { return @{ $_[0]{words}{ $_[1] } } }
# The most words that a noun beginning with this one has.
sub longest { return $_[0]{longest}{ lc $_[1] } || 1 }
sub senses  { return @{ $_[0]{senses}{ lc $_[1] } || [] } }

# The definition without the examples that follow it in quotes.
sub definition
{
	my ($self, $synset) = @_;
	my $gloss = $self->{gloss}{$synset};
	$gloss =~ s/[;:,]?\s*"[^"]*"?.*$//;
	$gloss =~ s/[\s;:]+$//;
	return $gloss;
}

# The lemma of a noun as it stands in a text, or undef if WordNet has none.
sub lemma
{
	my ($self, $text) = @_;
	my $word = lc $text;
	return $word if $self->{senses}{$word};
	(my $key = $word) =~ tr/ /_/;
	my $singular = $self->{exception}{$key};
	if (defined $singular)
	{
		$singular =~ tr/_/ /;
		return $singular if $self->{senses}{$singular};
	}
	return unless $word =~ /(?:[^s]s|men)$/;
	for my $rule (@PLURAL)
	{
		my ($ending, $instead) = @$rule;
		next unless length $word > 1 + length $ending && substr($word, -length $ending) eq $ending;
		my $guess = substr($word, 0, -length $ending) . $instead;
		return $guess if $self->{senses}{$guess};
	}
	return;
}

# Whether the lemma is a noun first of all: by its uses in tagged text, or, if it was
# never seen there, by having no more senses as another part of speech.
sub mostly_noun
{
	my ($self, $lemma) = @_;
	(my $key = $lemma) =~ tr/ /_/;
	my $uses = $self->{uses}{$key};
	return ($uses->[0] || 0) > ($uses->[1] || 0) if $uses;
	return @{ $self->{senses}{$lemma} } >= ($self->{other}{$key} || 0);
}

# Whether the word is in WordNet as any part of speech.
sub is_word
{
	my ($self, $word) = @_;
	return defined $self->lemma($word) || exists $self->{other}{$word};
}

# {synset => 1} of everything reached from the synsets over the symbols.
sub _reach
{
	my ($self, $synsets, $symbols) = @_;
	my %seen;
	my @todo = @$synsets;
	while (defined(my $synset = shift @todo))
	{
		next if $seen{$synset}++;
		push @todo, @{ $self->{pointers}{$synset}{$_} || [] } for @$symbols;
	}
	return \%seen;
}

# {relation => {synset => 1}}: what the synset is a kind, an instance, a part, a member or
# a substance of, by a pointer of its own or one that carries on.
sub related
{
	my ($self, $synset) = @_;
	my %related;
	for my $symbol (keys %POINTER)
	{
		my $targets = $self->{pointers}{$synset}{$symbol} or next;
		my $relation = $POINTER{$symbol};
		$related{$relation} = $self->_reach($targets, $CLOSURE{$relation});
	}
	return \%related;
}

# {synset => 1}: the synset and everything it is a kind of.
sub kinds
{
	my ($self, $synset) = @_;
	return $self->_reach([$synset], ['@']);
}

# {synset => 1}: the parts of the synsets.
sub parts
{
	my ($self, @synsets) = @_;
	return { map { $_ => 1 } map { @{ $self->{pointers}{$_}{'%p'} || [] } } @synsets };
}

# {synset => 1}: the synsets, their parts, the parts of those, and so on.
sub all_parts
{
	my ($self, @synsets) = @_;
	return $self->_reach(\@synsets, ['%p']);
}

# {synset => 1}: what any pointer of the synset reaches, or reaches it in the other
# direction: its parts, its kinds, its domain.
sub neighbours
{
	my ($self, $synset) = @_;
	return { map { $_ => 1 } $synset, map { @$_ } values %{ $self->{pointers}{$synset} || {} } };
}

1;
