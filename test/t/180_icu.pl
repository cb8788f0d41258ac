# A model remembers the ICU that segmented its training rows, and warns where
# another one would segment what it is asked.
use strict;
use warnings;
use MrenTest;
use MrenToy;
use Test::More;

my $node = MrenTest->start('icu');
toy_task($node);
my $predict = q{SELECT mren.predict('m', sentence, head, tail) IS NOT NULL FROM pairs LIMIT 2};

$node->sql(q{SELECT mren.save_model('m', mren.train_agg(sentence, head, tail, relation, NULL, '{"hidden": [4], "epochs": 1}')) FROM pairs});
is($node->sql(q{SELECT metrics ->> 'icu' = (SELECT version FROM mren.version() WHERE component = 'ICU') FROM mren.models}), 't',
	'the version is recorded');
my (undef, undef, $silent) = $node->try($predict);
unlike($silent, qr/ICU/, 'the same ICU is no matter');
$node->sql(q{UPDATE mren.model_version SET metrics = jsonb_set(metrics, '{icu}', '"49.1"')});
my (undef, $answer, $warning) = $node->try($predict);
like($warning, qr/WARNING:  model "m" was trained with ICU 49\.1, but this server has ICU [0-9.]+/, 'another one is told');
is(() = $warning =~ /WARNING/g, 1, 'once a session');
like($answer, qr/^t\nt$/, 'and the model answers all the same');

done_testing();
