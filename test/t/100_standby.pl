# What 061 leaves out of a hot standby: pictures, reasons, every kind of
# prediction, loading and training, and replay under an open session.
use strict;
use warnings;
use FindBin;
use MrenTest;
use MrenToy;
use Test::More;

my $primary = MrenTest->start('primary');
toy_task($primary);
tiny_encoder($primary);
my $red = bytea(png(8, 8, "\xff\0\0" x 64));
my $blue = bytea(png(8, 8, "\0\0\xff" x 64));
$primary->sql(<<"SQL");
CREATE TABLE seen AS
SELECT id, sentence, head, tail, CASE id % 3 WHEN 1 THEN $red WHEN 2 THEN $blue END AS image, relation FROM pairs;
SET client_min_messages = warning;
CALL mren.train('m', 'SELECT * FROM seen', '{"image_encoder": "tiny", "hidden": [8], "epochs": 10, "seed": 1}');
CALL mren.train('m', 'SELECT * FROM seen', '{"image_encoder": "tiny", "hidden": [8], "epochs": 10, "seed": 2}');
SQL
text_encoders($primary);
encoder_models($primary);
my $sound = bytea(slurp(($ENV{MREN_ROOT} || "$FindBin::Bin/../..") . '/test/data/audio_encoder_8.onnx'));
$primary->sql("SELECT mren.load_audio_encoder('sound', $sound)");
# twenty frames of MP3
my $silence = q{decode(repeat('fffb10c0' || repeat('00', 100), 20), 'hex')};
$primary->sql(<<"SQL");
CREATE TABLE heard AS SELECT id, sentence, head, tail, CASE WHEN id % 2 = 0 THEN $silence END AS audio, relation FROM pairs;
SET client_min_messages = warning;
CALL mren.train('h', 'SELECT * FROM heard', '{"audio_encoder": "sound", "hidden": [8], "epochs": 10}');
SQL
my $standby = $primary->standby('standby', "max_standby_streaming_delay = '1s'");
$primary->catch_up($standby);
my $there = $primary->session;
my $session = $standby->session;

for my $reads (
	q{SELECT id, mren.classify('m', sentence, head, tail, image) FROM seen ORDER BY id},
	q{SELECT id, p.* FROM seen, mren.predict_proba('m', sentence, head, tail, image, version => 2) AS p ORDER BY 1, 2},
	q{SELECT * FROM mren.predict_rows('m', 'SELECT * FROM seen ORDER BY id')},
	q{SELECT id, mren.features('m', sentence, head, tail, image) FROM seen ORDER BY id LIMIT 5},
	q{SELECT e.* FROM seen, mren.explain('m', sentence, head, tail, image) AS e WHERE id = 4},
	q{SELECT md5(mren.explain_image('m', sentence, head, tail, image)) FROM seen WHERE id = 4},
	q{SELECT id, mren.image_features('tiny', image) FROM seen ORDER BY id},
	q{SELECT (mren.image_info(image)).* FROM seen WHERE id = 4},
	q{SELECT mren.word_vector('tiny', 'wheel')},
	q{SELECT name, dimension, sha256 FROM mren.embeddings UNION ALL SELECT name, dimension, sha256 FROM mren.image_encoders},
	q{SELECT * FROM mren.text_encoders},
	q{SELECT m, id, p.* FROM pairs, unnest('{reader,solid}'::text[]) AS m, mren.predict_proba(m, sentence, head, tail) AS p ORDER BY 1, 2, 3},
	q{SELECT id, t.* FROM pairs, mren.tag('marker', sentence) AS t ORDER BY id, span},
	q{SELECT md5(mren.train_agg(sentence, head, tail, relation, NULL::bytea,
		'{"text_encoder": "text", "hidden": [4], "epochs": 2, "encoder_epochs": 2}')::text) FROM pairs},
	q{SELECT * FROM mren.audio_encoders},
	qq{SELECT mren.audio_features(e, $silence) FROM unnest('{sound,logmel}'::text[]) AS e},
	q{SELECT id, mren.classify('h', sentence, head, tail, audio => audio) FROM heard ORDER BY id},
	q{SELECT * FROM mren.predict_rows('h', 'SELECT * FROM heard ORDER BY id')},
	q{SELECT e.* FROM heard, mren.explain_audio('h', sentence, head, tail, audio => audio) AS e WHERE id = 4},
	qq{SELECT (mren.audio_info($silence)).*},
	q{SELECT md5(mren.train_agg(sentence, head, tail, relation, NULL::bytea, jsonb_build_object('audio', audio),
		'{"audio_encoder": "sound", "hidden": [4], "epochs": 2}')::text) FROM heard},
	q{SELECT md5(mren.train_agg(sentence, head, tail, relation, image,
		'{"image_encoder": "tiny", "hidden": [4], "epochs": 2}')::text) FROM seen},
	q{SELECT run, model, version, status, rows, epoch FROM mren.runs ORDER BY run})
{
	my ($words) = $reads =~ /(mren\.\w+)/;
	my $answer = $there->query($reads);
	isnt($answer, '', "$words has an answer");
	is($session->query($reads), $answer, "$words answers on the standby as on the primary");
}

for my $writes (
	q{SELECT mren.load_embeddings('more', 'dog 0.1 0.9'::bytea)},
	q{SELECT mren.drop_embeddings('tiny')},
	q{SELECT mren.drop_image_encoder('tiny')},
	q{SELECT mren.load_text_encoder('more', tiny_encoder())},
	q{SELECT mren.drop_text_encoder('text')},
	qq{SELECT mren.load_audio_encoder('more', $sound)},
	q{SELECT mren.drop_audio_encoder('sound')},
	q{CALL mren.train('m', 'SELECT * FROM seen')},
	q{DO $$ DECLARE v int; BEGIN CALL mren.train('m', 'SELECT * FROM seen', '{}', v); END $$})
{
	my ($name) = $writes =~ /(mren\.\w+)/;
	like(error_in($session, $writes), qr/^25006: cannot execute (?:CALL )?\Q$name\E(?:\(\))? (?:during recovery|in a read-only transaction)/,
		"$name says why it cannot");
}
my $encoder = bytea(MrenToy::slurp(($ENV{MREN_ROOT} || "$FindBin::Bin/../..") . '/test/data/encoder.onnx'));
like(error_in($session, "SELECT mren.load_image_encoder('more', $encoder)"),
	qr/^25006: cannot execute mren\.load_image_encoder/, 'mren.load_image_encoder says why it cannot');

# An open session: its snapshot keeps the version, the next one sees the promote.
my $ask = q{SELECT md5(string_agg(mren.classify('m', sentence, head, tail, image)::text, ',' ORDER BY id)) FROM seen};
my $ask1 = $there->query($ask =~ s/image\)/image, version => 1)/r);
my $ask2 = $there->query($ask =~ s/image\)/image, version => 2)/r);
isnt($ask1, $ask2, 'the versions differ');
is($session->query($ask), $ask1, 'version 1 answers');
$session->query('BEGIN ISOLATION LEVEL REPEATABLE READ');
is($session->query($ask), $ask1, 'so it does in a transaction');
$primary->sql(q{SELECT mren.promote('m', 2)});
$primary->catch_up($standby);
is($standby->sql($ask), $ask2, 'a new session has version 2');
is($session->query($ask), $ask1, 'the transaction keeps version 1');
$session->query('COMMIT');
is($session->query($ask), $ask2, 'its next statement has version 2');

# A model dropped on the primary, and one that comes to be there.
$primary->sql(q{SELECT mren.save_model('other', mren.train_agg(sentence, head, tail, relation)) FROM pairs});
$primary->catch_up($standby);
is($session->query(q{SELECT mren.predict('other', 'dog is', 'dog', 'is') IS NOT NULL}), 't', 'a new model answers');
$primary->sql(q{SELECT mren.drop_model('other')});
$primary->catch_up($standby);
like(error_in($session, q{SELECT mren.predict('other', 'dog is', 'dog', 'is')}),
	qr/^42704: model "other" does not exist/, 'dropped, it no longer does');

# What replay needs goes first: a training that stands in its way is ended.
my $holder = $standby->session;
$holder->send(q{SELECT mren.train_agg(sentence, head, tail, relation, NULL, '{"hidden": [512, 512], "epochs": 10000, "patience": 10000, "image_encoder": null}') FROM seen});
wait_until { $session->query('SELECT backend_xmin IS NOT NULL FROM pg_stat_activity WHERE pid = ' . $holder->backend) eq 't' } or die 'it has no snapshot';
$primary->sql('CREATE TABLE dead AS SELECT 1 AS a; DELETE FROM dead; VACUUM dead');
my (undef, $conflict) = $holder->wait_for;
like($conflict, qr/ERROR:  canceling statement due to conflict with recovery/, 'a training that holds up replay is cancelled');
$primary->catch_up($standby);
is($session->query('SELECT count(*) FROM dead'), '0', 'and replay goes on');

# Promoted to a primary, it trains.
$session->close;
$standby->promote;
$standby->sql(q{SET client_min_messages = warning; CALL mren.train('m', 'SELECT * FROM seen', '{"hidden": [4], "epochs": 1, "image_encoder": "tiny"}')});
is($standby->sql(q{SELECT max(version) FROM mren.models WHERE model = 'm'}), '3', 'a promoted standby trains the next version');

done_testing();
