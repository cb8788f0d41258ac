# On a hot standby everything that reads works, and what writes says why not.
use strict;
use warnings;
use MrenTest;
use MrenToy;
use Test::More;

my $primary = MrenTest->start('primary');
toy_task($primary);
$primary->sql(<<'SQL');
SELECT mren.save_model('m', mren.train_agg(sentence, head, tail, relation, NULL::bytea,
	'{"embeddings": "tiny", "hidden": [8], "epochs": 60, "negative": "none"}')) FROM pairs;
SELECT mren.save_model('m', mren.train_agg(sentence, head, tail,
	CASE relation WHEN 'none' THEN 'part_of' WHEN 'part_of' THEN 'none' ELSE relation END, NULL::bytea,
	'{"embeddings": "tiny", "hidden": [8], "epochs": 60, "negative": "none"}')) FROM pairs;
INSERT INTO mren.run (model, started_by, started_at, status, backend, phase, query, options)
	VALUES ('m', 'postgres', '2026-01-01', 'running', 1, 'epochs', 'SELECT 1', '{}');
SQL
my $standby = $primary->standby('standby');
$primary->catch_up($standby);
my $there = $primary->session;
my $session = $standby->session;

my $predict = q{SELECT mren.predict('m', 'dog is far from the tree', 'dog', 'tree')};
for my $reads (
	$predict,
	q{SELECT count(*) FROM mren.predict_rows('m', 'SELECT * FROM pairs')},
	q{SELECT * FROM mren.evaluate('m', 'SELECT * FROM pairs')},
	q{SELECT * FROM mren.confusion_matrix('m', 'SELECT * FROM pairs', 2)},
	q{SELECT md5(substring(mren.report('m', 'SELECT * FROM pairs', 2) FROM '<section id="relations.*<section id="learning'))},
	q{SELECT md5(mren.export_model('m', 2))},
	q{SELECT md5(mren.train_agg(sentence, head, tail, relation, NULL::bytea,
		'{"embeddings": "tiny", "hidden": [4], "epochs": 3}')::text) FROM pairs},
	q{SELECT mren.metrics(relation, mren.predict('m', sentence, head, tail)) FROM pairs},
	q{SELECT * FROM mren.models ORDER BY version})
{
	my ($words) = $reads =~ /(mren\.\w+)/;
	is($session->query($reads), $there->query($reads), "$words answers as on the primary");
}
is($session->query('SELECT status FROM mren.training_progress'), 'running', 'whether a run has died cannot be seen here');
is($there->query('SELECT status FROM mren.training_progress'), 'died', 'but on the primary it can');

for my $writes (
	q{SELECT mren.promote('m', 2)}, q{SELECT mren.rollback('m')}, q{SELECT mren.drop_version('m', 2)},
	q{SELECT mren.drop_model('m')}, q{SELECT mren.import_model('m', mren.export_model('m'))},
	q{SELECT mren.grant_model('m', 'public', 'predict')}, q{SELECT mren.revoke_model('m', 'public', 'predict')},
	q{SELECT mren.alter_model_owner('m', 'postgres')},
	q{SELECT mren.save_model('m', mren.train_agg(sentence, head, tail, relation, NULL::bytea,
		'{"embeddings": "tiny", "hidden": [4], "epochs": 1}')) FROM pairs})
{
	my ($name) = $writes =~ /(mren\.\w+)/;
	like(error_in($session, $writes), qr/^25006: cannot execute \Q$name\E\(\)/, "$name says that this is a standby");
}

# A session that stays open sees what the primary deploys.
is($session->query($predict), 'none', 'the first version answers');
$primary->sql(q{SELECT mren.promote('m', 2)});
$primary->catch_up($standby);
is($session->query($predict), 'part_of', 'then the second');

done_testing();
