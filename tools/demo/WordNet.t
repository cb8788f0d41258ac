#!/usr/bin/perl
# Tests of WordNet.pm on a WordNet of seven synsets: prove tools/demo
use strict;
use warnings;
use File::Temp qw(tempdir);
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use WordNet;

my $dir = tempdir(CLEANUP => 1);

sub file
{
	my ($name, @lines) = @_;
	open my $file, '>', "$dir/$name" or die "$name: $!";
	print {$file} "  1 a licence\n", map { "$_\n" } @lines;
	close $file;
	return;
}

# whale: a mammal, which is an animal; has a fin; member of a pod; its fin has a ray.
# Moby Dick is an instance of a whale.
file('data.noun',
	'00000001 03 n 01 animal 0 001 ~ 00000002 n 0000 | a living being; "animals, they say"; "more"',
	'00000002 05 n 01 mammal 0 002 @ 00000001 n 0000 ~ 00000003 n 0000 | an animal that has milk',
	'00000003 05 n 02 whale 0 giant_of_the_sea 0 004 @ 00000002 n 0000 %p 00000004 n 0000'
	  . ' #m 00000006 n 0000 + 00000001 v 0101 | a large mammal of the sea  ',
	'00000004 08 n 01 fin 0 002 #p 00000003 n 0000 %p 00000005 n 0000 | a limb of a whale',
	'00000005 08 n 01 ray 0 001 #p 00000004 n 0000 | part of a fin',
	'00000006 14 n 01 pod 0 001 %m 00000003 n 0000 | a group of whales',
	'00000007 18 n 01 Moby_Dick 0 001 @i 00000003 n 0000 | a white whale');
file('index.noun',
	'animal n 1 1 ~ 1 0 00000001', 'mammal n 1 2 @ ~ 1 0 00000002',
	'whale n 1 4 @ %p #m + 1 0 00000003', 'giant_of_the_sea n 1 0 1 0 00000003',
	'fin n 1 1 #p 1 0 00000004', 'ray n 1 1 #p 1 0 00000005', 'pod n 1 1 %m 1 0 00000006',
	'moby_dick n 1 1 @i 1 0 00000007', 'ox n 1 0 1 0 00000001', 'berry n 1 0 1 0 00000001',
	'glass n 1 0 1 0 00000001', 'like n 1 0 1 0 00000001', 'run n 1 0 1 0 00000001');
file('noun.exc', 'oxen ox');
file('cntlist.rev', 'like%2:37:05:: 1 30', 'like%1:09:00:: 1 2', 'whale%1:05:00:: 1 4');
file('index.verb', 'run v 5 0 5 0 00000001', 'fin v 1 0 1 0 00000001');
file($_) for qw(index.adj index.adv);

my $wordnet = WordNet->new($dir);

is_deeply([ $wordnet->words('00000003') ], [ 'whale', 'giant of the sea' ], 'underscores are spaces');
is_deeply([ $wordnet->senses('Moby Dick') ], ['00000007'], 'a word is found in any case');
is($wordnet->definition('00000001'), 'a living being', 'examples are cut from a definition');
is($wordnet->definition('00000003'), 'a large mammal of the sea', 'blanks at its end are cut');

is($wordnet->lemma('Whales'), 'whale', 'a plural in s');
is($wordnet->lemma('oxen'), 'ox', 'an irregular plural');
is($wordnet->lemma('berries'), 'berry', 'a plural in ies');
is($wordnet->lemma('glasses'), 'glass', 'a plural in ses');
is($wordnet->lemma('giant of the sea'), 'giant of the sea', 'a noun of four words');
is($wordnet->lemma('unheard'), undef, 'an unknown word');
is($wordnet->lemma('rays of'), undef, 'a phrase that ends in no noun');
is($wordnet->longest('Giant'), 4, 'the longest noun that begins with a word');
is($wordnet->longest('whale'), 1, 'a word that begins no longer noun');

ok($wordnet->mostly_noun('whale'), 'a noun by its uses');
ok(!$wordnet->mostly_noun('like'), 'a verb by its uses');
ok(!$wordnet->mostly_noun('run'), 'a verb by its senses');
ok($wordnet->mostly_noun('fin'), 'as many senses as a noun will do');

is_deeply($wordnet->related('00000003'),
	{ kind_of => { '00000001' => 1, '00000002' => 1 }, member_of => { '00000006' => 1 } },
	'a whale is a mammal, hence an animal, and a member of its pod');
is_deeply($wordnet->related('00000005'), { part_of => { '00000004' => 1, '00000003' => 1 } },
	'a part of a part is a part');
is_deeply($wordnet->related('00000007')->{instance_of}, { map { ("0000000$_" => 1) } 1 .. 3 },
	'an instance of a kind is one of what that is a kind of');
is_deeply($wordnet->parts('00000003', '00000004'), { '00000004' => 1, '00000005' => 1 }, 'parts of each');
is_deeply($wordnet->parts('00000003'), { '00000004' => 1 }, 'but not the parts of parts');
is_deeply($wordnet->all_parts('00000003'), { map { ("0000000$_" => 1) } 3 .. 5 }, 'unless asked for all');
is_deeply($wordnet->kinds('00000003'), { map { ("0000000$_" => 1) } 1 .. 3 }, 'kinds, itself among them');
ok($wordnet->neighbours('00000001')->{'00000002'}, 'what points down is a neighbour');
ok(!$wordnet->neighbours('00000003')->{'00000007'}, 'what has no pointer is none');

is(WordNet::hash(''), 0x811c9dc5, 'FNV-1a of nothing is its offset basis');
is(WordNet::hash('a'), 0xe40c292c, 'FNV-1a of "a", from its reference test vectors');

my $missing = eval { WordNet->new("$dir/none"); 1 };
ok(!$missing, 'a folder without WordNet is an error');
like($@, qr/could not read ".*none\/data\.noun"/, 'that names the file');

done_testing();
