# Whatever runs long can be cancelled and timed out, and leaves nothing behind:
# no version, no lock, no temporary file, a run that says so.
#
# Nothing here depends on how fast the machine is.  A statement that is
# cancelled from outside cannot end by itself: its rows or its epochs have no
# end that could be reached, and it is cancelled once it shows that it is under
# way.  One call on one large value does end, so that another session could
# come too late; such a call has an argument that cancels its own backend.  The
# interrupt is then pending when the call begins, and only a call that checks
# for interrupts raises the error before it returns.
use strict;
use warnings;
use FindBin;
use MrenTest;
use POSIX ();
use MrenToy;
use Test::More;

my $node = MrenTest->start('cancel', "mren.max_image_memory = '512MB'");
toy_task($node);
tiny_encoder($node);
$node->sql("SELECT mren.load_audio_encoder('sound', " . bytea(slurp(($ENV{MREN_ROOT} || "$FindBin::Bin/../..") . '/test/data/audio_encoder_8.onnx')) . ')');
text_encoders($node);
my $image = server_file('large.png', png(7000, 5000, join '', map { chr(($_ * 37) % 256) } 1 .. 21000));
my $small = unpack 'H*', png(4, 4, "\xff\0\0" x 16);
$node->sql(<<"SQL");
SET client_min_messages = warning;
CREATE TABLE large AS SELECT pg_read_binary_file('$image') AS image;
CREATE TABLE vectors AS
SELECT convert_to(string_agg('word' || i || repeat(' 0.125', 100), E'\\n') || E'\\n', 'UTF8') AS contents FROM generate_series(1, 50000) AS i;
CREATE TABLE long AS SELECT string_agg('dog is a kind of animal', ' ') AS sentence FROM generate_series(1, 20000);
CREATE TABLE huge (kind text, content text);
INSERT INTO huge VALUES ('text', repeat('dog is a kind of animal ', 200000));
INSERT INTO huge SELECT 'semeval', string_agg(i || E'\t"A <e1>dog</e1> is a kind of <e2>animal</e2>."\nOther\nComment:\n\n', '' ORDER BY i) FROM generate_series(1, 200000) AS i;
INSERT INTO huge VALUES ('opennre', '{"token": ["a"' || repeat(', "a"', 1000000) || '], "h": {"name": "a", "pos": [0, 1]}, "t": {"name": "a", "pos": [2, 3]}, "relation": "r"}');
INSERT INTO huge SELECT 'fewrel', '{' || string_agg('"P' || i || '": [{"tokens": ["a", "b"], "h": ["a", "Q1", [[0]]], "t": ["b", "Q2", [[1]]]}]', ', ') || '}' FROM generate_series(1, 30000) AS i;
INSERT INTO huge SELECT 'tacred', '[' || string_agg('{"token": ["a", "b"], "relation": "r", "subj_start": 0, "subj_end": 0, "obj_start": 1, "obj_end": 1, "subj_type": "A", "obj_type": "B"}', ', ') || ']' FROM generate_series(1, 30000) AS i;
INSERT INTO huge VALUES ('mnre', '{''token'': [''a''' || repeat(', ''a''', 1000000) || '], ''h'': {''name'': ''a'', ''pos'': [0, 1]}, ''t'': {''name'': ''a'', ''pos'': [2, 3]}, ''img_id'': ''a.jpg'', ''relation'': ''r''}');
INSERT INTO huge VALUES ('conll04', '[{"tokens": ["a"' || repeat(', "a"', 1000000) || '], "entities": [{"type": "T", "start": 0, "end": 1}, {"type": "T", "start": 1, "end": 2}], "relations": [{"type": "r", "head": 0, "tail": 1}]}]');
INSERT INTO huge VALUES ('marked', '{"text": "[[ a ]] ' || repeat('a ', 1000000) || '<< b >>", "label": "r"}');
INSERT INTO huge VALUES ('letters', repeat('a ', 1000000));
INSERT INTO huge SELECT 'docred', '[' || string_agg('{"title": "' || i || '", "sents": [["a", "b"]], "vertexSet": [[{"pos": [0, 1], "sent_id": 0, "name": "a", "type": "T"}], [{"pos": [1, 2], "sent_id": 0, "name": "b", "type": "T"}]], "labels": [{"h": 0, "t": 1, "r": "r", "evidence": []}]}', ', ') || ']'
	FROM generate_series(1, 20000) AS i;
INSERT INTO huge SELECT 'brat', string_agg('T' || i || E'\tT 0 3\tdog\n', '') FROM generate_series(1, 200000) AS i;
-- Frames of silence: 44,100 Hz, one channel, 32 kbit/s.
CREATE TABLE mp3 AS SELECT decode(repeat('fffb10c0' || repeat('00', 100), 100000), 'hex') AS content;
CREATE TABLE marks AS SELECT array_agg('a'::text) AS tokens, array_agg(CASE i % 2 WHEN 0 THEN 'B-T' ELSE 'O' END) AS tags, array_agg('T'::text) AS types,
	array_agg(int4range(2 * i, 2 * i + 1)) AS mentions FROM generate_series(0, 299999) AS i;
CREATE TABLE arrays AS SELECT array_agg(i / 300000.0::float8) AS confidences, array_agg(i % 2 = 0) AS correct, array_agg('word ' || i) AS phrases FROM generate_series(1, 300000) AS i;
SELECT mren.load_lexicon('kinds', ARRAY['dog', 'animal', 'dog is'], 'kind');
CALL mren.train('m', 'SELECT p.*, CASE WHEN id % 2 = 0 THEN mren.image_features(''tiny'', ''\\x$small'') END AS image_vector FROM pairs p',
	'{"image_encoder": "tiny", "hidden": [8], "epochs": 1}');

CALL mren.train('heard', 'SELECT p.*, CASE WHEN id % 2 = 0 THEN ''{1,2,3}''::real[] || array_fill(0.5::real, ARRAY[253]) END AS audio_vector FROM pairs p', '{"hidden": [8], "epochs": 1}');

SELECT mren.save_model('large', mren.train_agg(sentence, head, tail, relation, NULL, '{"hidden": [1024, 512], "epochs": 1}')) FROM pairs;
CREATE TABLE tagged AS SELECT ARRAY['dog', 'is', 'animal'] AS tokens, ARRAY['B-K', 'O', 'B-K'] AS tags FROM generate_series(1, 20);
CALL mren.train_tagger('t', 'SELECT * FROM tagged', '{"epochs": 1}');

-- A lock that tells other sessions how far a statement is.
CREATE FUNCTION tell() RETURNS boolean LANGUAGE sql AS 'SELECT pg_try_advisory_xact_lock_shared(110)';
CREATE FUNCTION wait() RETURNS boolean LANGUAGE plpgsql COST 1000 AS 'BEGIN PERFORM pg_sleep(1000000); RETURN true; END';
-- Rows without an end, and the training rows, of which the last one tells.
CREATE VIEW endless AS SELECT n FROM (SELECT generate_series(1, 9000000000000000000) AS n) AS s WHERE CASE n WHEN 10 THEN tell() ELSE true END;
CREATE VIEW all_pairs AS SELECT * FROM (SELECT p.*, row_number() OVER () AS i, count(*) OVER () AS n FROM pairs p) AS p WHERE CASE i WHEN n THEN tell() ELSE true END;
CREATE VIEW many_pairs AS SELECT * FROM (SELECT p.*, row_number() OVER () AS i, count(*) OVER () AS n FROM pairs p, generate_series(1, 40)) AS p
	WHERE CASE i WHEN n THEN tell() ELSE true END;
-- Counts calls that came to their end; what a sequence counts outlives an error.
CREATE SEQUENCE completed;
SQL

my $watch = $node->session;
my $versions = q{SELECT count(*) FROM mren.model_version};
my $before = $watch->query($versions);
my $session = $node->session;
$session->query(q{SET mren.image_cache = 0; SET client_min_messages = warning});
my $backend = $session->backend;

# How another session sees that a statement is under way.
my $told = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 110 AND granted AND pid = $backend";
my $waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND pid = $backend";
my $in_epochs = q{SELECT count(*) FROM mren.training_progress WHERE phase = 'training' AND epoch > 0};

# Ten thousand epochs of this network take a quarter of an hour and more.
my $epochs = '{"hidden": [2048, 2048], "epochs": 10000, "patience": 10000, "batch_size": 108}';
# The members train for one epoch, so that later ones are a text encoder's; a thousand of those outlast any wait.
my $in_encoder = q{SELECT count(*) FROM mren.training_progress WHERE phase = 'training' AND epoch > 1};
my $encoder_epochs = '{"text_encoder": "text", "hidden": [8], "epochs": 1, "encoder_epochs": 1000, "fine_tuning": "all"}';
my $large_batches = '{"hidden": [2048, 1024], "epochs": 10000, "patience": 10000, "batch_size": 4096, "validation_share": 0}';

# The header of a WAV file that lasts as long as there are bytes; with silence behind it.
my $wav = q{'\x52494646ffffffff57415645666d74201000000001000100803e0000007d00000200100064617461ffffffff'::bytea};
my $silence = "$wav || decode(repeat('00', 2000000), 'hex')";

# Name, what shows that it is under way, statement; and whether it is recorded
# as a run.
my @endless = (
	[ 'mren.train in a query that waits', $waits, q{CALL mren.train('m', 'SELECT * FROM pairs WHERE wait()')}, 1 ],
	[ 'mren.train in a query of many rows', $told, q{CALL mren.train('m', 'SELECT p.* FROM endless, pairs p')}, 1 ],
	[ 'mren.train in its epochs', $in_epochs, "CALL mren.train('m', 'SELECT * FROM pairs', '$epochs')", 1 ],
	[ 'mren.train in the epochs of a text encoder', $in_encoder,
		"CALL mren.train('m', 'SELECT p.* FROM pairs p, generate_series(1, 200)', '$encoder_epochs')", 1 ],
	[ 'mren.train_tagger in the epochs of a text encoder', $in_encoder,
		q{CALL mren.train_tagger('t', 'SELECT t.* FROM tagged t, generate_series(1, 50)', '{"text_encoder": "text", "epochs": 10000, "patience": 0}')}, 1 ],
	[ 'mren.train in a transaction block', $told, "BEGIN; CALL mren.train('m', 'SELECT * FROM all_pairs', '$epochs'); ROLLBACK" ],
	[ 'mren.train_agg over many rows', $told, q{SELECT mren.train_agg(sentence, head, tail, relation) FROM endless, pairs} ],
	[ 'mren.train_agg in its epochs', $told, "SELECT mren.train_agg(sentence, head, tail, relation, NULL, '$epochs') FROM all_pairs" ],
	[ 'mren.train_agg with large batches', $told,
		"SELECT mren.train_agg(sentence, head, tail, relation, NULL, '$large_batches') FROM many_pairs" ],
	[ 'mren.image_features', $told, q{SELECT count(mren.image_features('tiny', image)) FROM endless, large} ],
	[ 'mren.audio_features', $told, qq{SELECT count(mren.audio_features('logmel', $wav || convert_to(lpad(n::text, 8, '0'), 'UTF8'))) FROM endless} ],
	[ 'mren.explain', $told, q{SELECT count(*) FROM endless, LATERAL mren.explain('m', 'a' || n || ' dog is a kind of animal', 'dog', 'animal')} ],
	[ 'mren.predict', $told, q{SELECT count(mren.predict('m', 'a' || n || ' dog is a kind of animal', 'dog', 'animal')) FROM endless} ],
	[ 'mren.load_lexicon', $told, q{SELECT mren.load_lexicon('large', 'SELECT ''word '' || n AS phrase, ''T'' AS type FROM endless')} ],
	[ 'mren.entities', $told, q{SELECT count(*) FROM endless, LATERAL mren.entities('dog' || n || ' is a dog', ARRAY['kinds'])} ],
	[ 'mren.predict_rows_proba', $told, q{SELECT count(*) FROM mren.predict_rows_proba('m', 'SELECT p.* FROM endless, pairs p')} ],
	[ 'mren.uncertain', $told, q{SELECT count(*) FROM mren.uncertain('m', 'SELECT p.* FROM endless, pairs p', 5)} ],
	[ 'mren.label_errors', $told, q{SELECT count(*) FROM mren.label_errors(NULL, 'SELECT p.* FROM endless, pairs p')} ],
	[ 'mren.self_train', $told, q{CALL mren.self_train('m', 'SELECT * FROM pairs', 'SELECT p.* FROM endless, pairs p', '{"text_encoder": "text", "hidden": [8], "epochs": 1, "encoder_epochs": 1}')} ],
	[ 'mren.predict_rows', $told, q{SELECT count(*) FROM mren.predict_rows('m', 'SELECT p.* FROM endless, pairs p')} ],
	[ 'mren.vote_summary', $told, q{SELECT count(*) FROM mren.vote_summary('SELECT n AS id, p.head AS source, p.relation FROM endless, (SELECT DISTINCT ON (head) * FROM pairs) p')} ],
	[ 'mren.label_model', $told, q{SELECT count(*) FROM mren.label_model('SELECT n AS id, p.head AS source, p.relation FROM endless, (SELECT DISTINCT ON (head) * FROM pairs) p')} ],
	[ 'mren.distant_labels', $told, q{SELECT count(*) FROM mren.distant_labels('SELECT head, relation, tail FROM pairs', 'SELECT n AS id, p.head, p.tail FROM endless, pairs p')} ],
	[ 'mren.learn_relation_schema', $told, q{SELECT count(*) FROM mren.learn_relation_schema('SELECT n AS document, ''fact'' AS part, n AS head, p.relation, n AS tail FROM endless, pairs p')} ],
	[ 'mren.evaluate', $told, q{SELECT count(*) FROM mren.evaluate('m', 'SELECT p.* FROM endless, pairs p')} ],
);

sub left_behind
{
	my ($name) = @_;

	is($watch->query(<<"SQL"), "$before|0|0", "$name: no version, no lock, no file is left");
SELECT ($versions), (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = $backend), (SELECT count(*) FROM pg_ls_tmpdir())
SQL
}

for my $case (@endless)
{
	my ($name, $under_way, $sql, $recorded) = @$case;

	$session->send($sql);
	ok((wait_until { $watch->query($under_way) > 0 }), "$name: is under way");
	$watch->query("SELECT pg_cancel_backend($backend)");
	my (undef, $err) = $session->wait_for;
	like($err, qr/ERROR:  canceling statement due to user request/, "$name: is cancelled");
	$session->try('ROLLBACK');
	left_behind($name);
	if ($recorded)
	{
		is($watch->query('SELECT status, sqlstate, finished_at IS NOT NULL, version IS NULL FROM mren.runs ORDER BY run DESC LIMIT 1'),
			'canceled|57014|t|t', "$name: the run says that it was cancelled");
		is($watch->query('SELECT count(*) FROM mren.training_progress'), '0', "$name: it is no longer in progress");
	}

	$session->query(q{SET statement_timeout = '300ms'});
	(undef, $err) = $session->try($sql);
	$session->try('ROLLBACK');
	$session->query('RESET statement_timeout');
	like($err, qr/ERROR:  canceling statement due to statement timeout/, "$name: can be timed out");
	left_behind("$name, timed out");
}

# One call, which finds an interrupt pending.  CANCEL(x) gives x and cancels its
# own backend.  The server must not check for interrupts on the call's behalf:
# large values are joined to nothing, so that they are in memory before the call
# and need not be fetched from a TOAST table; and a set that a function returns
# is read from a target list, since from FROM the server checks before the call.
# A model is looked up by the first call of a statement, so that one comes before.
my $warm = q{mren.predict('m', 'dog is', 'dog', 'is') IS NOT NULL};
my $heard = q{mren.predict('heard', 'dog is', 'dog', 'is') IS NOT NULL};
my @calls = (
	[ 'mren.load_embeddings', value => q{mren.load_embeddings(CANCEL('large'), content) FROM (SELECT contents || ''::bytea AS content FROM vectors OFFSET 0) AS f} ],
	[ 'mren.image_features', value => q{mren.image_features(CANCEL('tiny'), content) FROM (SELECT image || ''::bytea AS content FROM large OFFSET 0) AS f} ],
	[ 'mren.audio_features by log-mel statistics', value => qq{mren.audio_features(CANCEL('logmel'), content) FROM (SELECT $silence AS content OFFSET 0) AS f} ],
	[ 'mren.audio_features by a network', value => qq{mren.audio_features(CANCEL('sound'), content) FROM (SELECT $silence AS content OFFSET 0) AS f} ],
	[ 'mren.explain_image', value => qq{mren.explain_image('m', 'dog is', CANCEL('dog'), 'is', content) FROM (SELECT image || ''::bytea AS content FROM large WHERE $warm OFFSET 0) AS f} ],
	[ 'mren.audio_info', value => q{mren.audio_info(CANCEL(content)) FROM (SELECT content || ''::bytea AS content FROM mp3 OFFSET 0) AS f} ],
	[ 'mren.explain_audio', set => qq{mren.explain_audio('heard', 'dog is', CANCEL('dog'), 'is', audio => content) FROM (SELECT $silence AS content WHERE $heard OFFSET 0) AS f} ],
	[ 'mren.predict', value => qq{mren.predict('m', content, CANCEL('dog'), 'animal') FROM (SELECT content || '' AS content FROM huge WHERE kind = 'text' AND $warm OFFSET 0) AS f} ],
	[ 'mren.explain', set => qq{mren.explain('m', sentence, CANCEL('dog'), 'animal') FROM (SELECT sentence || '' AS sentence FROM long WHERE $warm OFFSET 0) AS f} ],
	[ 'mren.entities', set => q{mren.entities(content, ARRAY[CANCEL('kinds')]) FROM (SELECT content || '' AS content FROM huge WHERE kind = 'text' OFFSET 0) AS f} ],
	[ 'mren.document_entities', set => q{mren.document_entities(content, ARRAY[CANCEL('kinds')]) FROM (SELECT content || '' AS content FROM huge WHERE kind = 'text' OFFSET 0) AS f} ],
	[ 'mren.document_evidence', set => q{mren.document_evidence('m', content, lexicons => ARRAY[CANCEL('kinds')]) FROM (SELECT content || '' AS content FROM huge WHERE kind = 'text' OFFSET 0) AS f} ],
	[ 'mren.follow_links', value => q{mren.follow_links(phrases, CANCEL(phrases)) FROM (SELECT phrases || '{}'::text[] AS phrases FROM arrays OFFSET 0) AS f} ],
	[ 'mren.read_docred', set => q{mren.read_docred(CANCEL(content)) FROM (SELECT content || '' AS content FROM huge WHERE kind = 'docred' OFFSET 0) AS f} ],
	[ 'mren.read_brat', set => q{mren.read_brat('x', 'dog', CANCEL(content)) FROM (SELECT content || '' AS content FROM huge WHERE kind = 'brat' OFFSET 0) AS f} ],
	[ 'mren.candidates', set => q{mren.candidates(content, ARRAY[CANCEL('kinds')], max_distance => 100000) FROM (SELECT content || '' AS content FROM huge WHERE kind = 'text' OFFSET 0) AS f} ],
	[ 'mren.extract', set => q{mren.extract('m', content, lexicons => ARRAY[CANCEL('kinds')]) FROM (SELECT content || '' AS content FROM huge WHERE kind = 'text' OFFSET 0) AS f} ],
	[ 'mren.read_semeval', set => q{mren.read_semeval(CANCEL(content)) FROM (SELECT content || '' AS content FROM huge WHERE kind = 'semeval' OFFSET 0) AS f} ],
	[ 'mren.read_fewrel', set => q{mren.read_fewrel(CANCEL(content)) FROM (SELECT content || '' AS content FROM huge WHERE kind = 'fewrel' OFFSET 0) AS f} ],
	[ 'mren.read_tacred', set => q{mren.read_tacred(CANCEL(content)) FROM (SELECT content || '' AS content FROM huge WHERE kind = 'tacred' OFFSET 0) AS f} ],
	[ 'mren.reliability', set => q{mren.reliability(confidences, correct, CANCEL(15)) FROM (SELECT * FROM arrays OFFSET 0) AS f} ],
	[ 'mren.precision_recall', set => q{mren.precision_recall(confidences, correct, CANCEL(1000000)) FROM (SELECT * FROM arrays OFFSET 0) AS f} ],
	[ 'mren.precision_at', value => q{mren.precision_at(confidences, correct, CANCEL(10)) FROM (SELECT * FROM arrays OFFSET 0) AS f} ],
	[ 'the input of mren.network', value => q{CANCEL(content)::mren.network FROM (SELECT '\x' || repeat('00', 5000000) AS content OFFSET 0) AS f} ],
	[ 'mren.load_lexicon of an array', value => q{mren.load_lexicon('large', phrases, CANCEL('kind')) FROM (SELECT phrases FROM arrays OFFSET 0) AS f} ],
	[ 'mren.tag', set => q{mren.tag('t', CANCEL(content)) FROM (SELECT content || '' AS content FROM huge WHERE kind = 'text' AND EXISTS (SELECT FROM mren.tag('t', 'dog is')) OFFSET 0) AS f} ],
	[ 'mren.read_mnre', set => q{mren.read_mnre(CANCEL(content)) FROM (SELECT content || '' AS content FROM huge WHERE kind = 'mnre' OFFSET 0) AS f} ],
	[ 'mren.read_conll04', set => q{mren.read_conll04(CANCEL(content)) FROM (SELECT content || '' AS content FROM huge WHERE kind = 'conll04' OFFSET 0) AS f} ],
	[ 'mren.read_marked', set => q{mren.read_marked(CANCEL(content)) FROM (SELECT content || '' AS content FROM huge WHERE kind = 'marked' OFFSET 0) AS f} ],
	[ 'mren.encode_tags', value => q{mren.encode_tags('{}', tokens, tags, CANCEL(1), NULL, NULL) FROM (SELECT tokens || '{}'::text[] AS tokens, tags || '{}'::text[] AS tags FROM marks OFFSET 0) AS f} ],
	[ 'mren.encode_mentions', value => q{mren.encode_mentions('{}', content, mentions, types, CANCEL(1), NULL, NULL) FROM (SELECT content || '' AS content, mentions || '{}'::int4range[] AS mentions, types || '{}'::text[] AS types FROM huge, marks WHERE kind = 'letters' OFFSET 0) AS f} ],
	[ 'mren.encode_example', value => q{mren.encode_example('{}', content, CANCEL('dog'), 'animal', 'r', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL) FROM (SELECT content || '' AS content FROM huge WHERE kind = 'text' OFFSET 0) AS f} ],
	[ 'mren.predict_row', value => q{mren.predict_row('m', 1, content, CANCEL('dog'), 'animal', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL) FROM (SELECT content || '' AS content FROM huge WHERE kind = 'text' OFFSET 0) AS f} ],
	[ 'mren.context', value => q{mren.context(content, CANCEL('dog'), 'animal') FROM (SELECT content || '' AS content FROM huge WHERE kind = 'text' OFFSET 0) AS f} ],
	[ 'mren.tokens', set => q{mren.tokens(CANCEL('text'), content) FROM (SELECT content || '' AS content FROM huge WHERE kind = 'text' OFFSET 0) AS f} ],
	[ 'mren.text_features', value => q{mren.text_features(CANCEL('text'), content) FROM (SELECT content || '' AS content FROM huge WHERE kind = 'text' OFFSET 0) AS f} ],
	[ 'mren.document_hash', value => q{mren.document_hash(CANCEL(content), NULL, NULL) FROM (SELECT content || '' AS content FROM huge WHERE kind = 'text' OFFSET 0) AS f} ],
	[ 'mren.graph_identity', value => q{mren.graph_identity(CANCEL(content)) FROM (SELECT content || '' AS content FROM huge WHERE kind = 'text' OFFSET 0) AS f} ],
	[ 'the output of mren.network', value => q{CANCEL(network)::text FROM (SELECT mren.train_agg(sentence, head, tail, relation, NULL, '{"hidden": [1024, 512], "epochs": 1}') AS network FROM pairs OFFSET 0) AS f} ],
	[ 'mren.import_model', value => q{mren.import_model('imported', CANCEL(content)) FROM (SELECT mren.export_model('large') AS content OFFSET 0) AS f} ],
	[ 'mren.read_opennre', set => q{mren.read_opennre(CANCEL(content)) FROM (SELECT content || '' AS content FROM huge WHERE kind = 'opennre' OFFSET 0) AS f} ],
);

# How many of the one call, which cancels its own backend, came to their end.
sub completed
{
	my ($kind, $call) = @_;
	my ($result, $from) = $call =~ /^(.*?) FROM (.*)$/s;
	my $counted = q{nextval('completed')};

	$result =~ s/CANCEL\(([^()]+)\)/CASE WHEN pg_cancel_backend(pg_backend_pid()) THEN $1 END/;
	my $sql = $kind eq 'set' ? "SELECT $counted FROM (SELECT $result FROM $from) AS s" : "SELECT CASE WHEN $result IS NOT NULL THEN $counted END FROM $from";
	$session->query('ALTER SEQUENCE completed RESTART');
	my (undef, $err) = $session->try($sql);
	return ($session->query('SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM completed'), $err);
}

# It would be noticed if a call did not check.
for my $call ([ value => q{md5(CANCEL(content)) FROM (SELECT content || '' AS content FROM huge WHERE kind = 'text' OFFSET 0) AS f} ], [ set => q{unnest(ARRAY[CANCEL('a')]) FROM large} ])
{
	my ($n, $err) = completed(@$call);

	like($err, qr/ERROR:  canceling statement due to user request/, "a $call->[0] of a function that does not check: cancelled");
	is($n, '1', 'but only after it has returned');
}
for my $case (@calls)
{
	my ($name, @call) = @$case;
	my ($n, $err) = completed(@call);

	like($err, qr/ERROR:  canceling statement due to user request/, "one call of $name: is cancelled");
	is($n, '0', "one call of $name: before it returns");
	left_behind("one call of $name");
}

# Every function that takes values of any length is tried here, or is one of these.
my %tried = map { /mren\.(\w+)/ ? ($1 => 1) : () } (map { $_->[2] } @endless, @calls);
my %untried = (
	# Texts are names, paths and words, which are refused beyond 4096 bytes: tried below.
	name => [ qw(alter_graph_owner alter_model_owner calibration compare confusion_matrix create_graph drop_embeddings drop_graph drop_image_encoder
		drop_lexicon drop_model drop_text_encoder drop_version evaluate_tagger export_csv export_dot export_model export_ntriples grant_model has_model_privilege
		load_image_encoder load_text_encoder merge_graph paths promote refresh_graph retrain revoke_model rollback save_model
		upgrade_graph word_vector drop_audio_encoder evaluate_graph judge_facts export_graphml export_neo4j load_audio_encoder neighbours propose_merges link_entities
		draw_neighbourhood report report_graph review_queue) ],
	# Beside those that are tried, with the same arguments read by the same code.
	twin => [ qw(classify extract_evidence features predict_proba) ],
	# The parts of aggregates, called for rows, between which the server checks, and types, whose text and bytes are read as those of mren.network.
	part => [ qw(confusion_in confusion_out confusion_recv confusion_send metrics metrics_add metrics_combine metrics_final network_in network_out network_recv
		network_send predict_support train_accum train_combine train_final training_set_in training_set_out training_set_recv training_set_send) ],
	# Reads a header of bounded length.
	header => [ qw(image_info) ],
	# Refused beyond a length: tried below.
	short => [ qw(normalize_name) ],
	# Reads a network, of which all parts are copied once.
	copy => [ qw(network_info) ],
);
my %reason = map { my $why = $_; map { $_ => $why } @{ $untried{$why} } } keys %untried;
my %there;
for my $row (split /\n/, $session->query(<<'SQL'))
SELECT p.proname, p.prokind, (SELECT string_agg(CASE t::regtype::text WHEN 'text' THEN 'repeat(''x'', 5000)' WHEN 'bytea' THEN '''x''::bytea' WHEN 'oid' THEN '1'::text
		WHEN 'integer' THEN '2' WHEN 'jsonb[]' THEN '''{}''::jsonb[]' ELSE 'NULL' END, ', ' ORDER BY o)
	FROM unnest(p.proargtypes) WITH ORDINALITY AS u (t, o))
FROM pg_proc p WHERE p.pronamespace = 'mren'::regnamespace AND p.prorettype <> 'trigger'::regtype
AND EXISTS (SELECT FROM unnest(p.proargtypes) AS t JOIN pg_type y ON y.oid = t WHERE y.typlen < 0 OR t IN ('internal'::regtype, 'cstring'::regtype)) ORDER BY 1, 3
SQL
{
	my ($name, $kind, $arguments) = split /\|/, $row;

	$there{$name} = 1;
	ok($tried{$name} || $reason{$name}, "mren.$name is tried with large values, or it is said why not");
	next if ($reason{$name} // '') ne 'name' || $arguments !~ /^repeat/;
	like(error_in($session, ($kind eq 'p' ? 'CALL' : 'SELECT') . " mren.$name($arguments)"), qr/^42622: /, "mren.$name refuses a name of 5000 bytes");
}
is(join(' ', grep { !$there{$_} || $tried{$_} } sort keys %reason), '', 'no reason is given for what is tried or not there');
is($session->query('SELECT mren.predict(\'m\', sentence, head, tail) IS NOT NULL FROM pairs LIMIT 1'), 't', 'the session is as good as before');
is($session->query('SELECT pg_backend_pid()'), $backend, 'and it is the same');

# What is not a regular file is refused at once: its end may never come, and the opening of a FIFO could not be cancelled.
my $fifo = server_file('fifo', '');
unlink $fifo;
POSIX::mkfifo($fifo, 0666) or die "mkfifo: $!";
chmod 0666, $fifo;
for my $path ('/dev/null', $fifo)
{
	for my $load ("mren.load_embeddings('special', '$path')", "mren.load_image_encoder('special', '$path')")
	{
		my $error = error_in($session, "SELECT $load");

		like($error, qr/^42809: "\Q$path\E" is not a regular file/, "$load is refused");
		last unless $error =~ /^42809/;
	}
}

# Work that is too long for one decoding is refused, by an estimate from the header and the file.
$session->query('SET mren.max_image_work = 10');
like(error_in($session, q{SELECT mren.image_features('tiny', image) FROM large}), qr/^54000: decoding the image of 7000 x 5000 pixels is more work than the limit of 10 ms/,
	'an image of too much work is refused');
$session->query('RESET mren.max_image_work');

# A name is as long as a name: ICU reorders combining marks in the square of their number, and cannot be cancelled.
like(error_in($session, q{SELECT mren.normalize_name(repeat('Ä', 1000000))}), qr/^54000: name of 2000000 bytes is too long/, 'a name of megabytes is refused');
like(error_in($session, q{SELECT mren.normalize_name('a' || repeat(U&'\0315', 65) || repeat(U&'\0323', 64))}), qr/^54000: name has more than 128 combining marks behind a character/, 'and so is one of many marks');

# Terminated, a session takes its locks and files along; its run says so.  Only in the moment in which it writes
# its progress, a training cannot record that it is terminated and is known as died.  That moment cannot be avoided
# from here, so a few sessions are terminated, until one of them was amid its epochs.
my $status = '';
for (my $tries = 0; $tries < 5 && $status ne 'terminated'; $tries++)
{
	my $trainer = $node->session;
	my $pid = $trainer->backend;

	$trainer->query('SET client_min_messages = warning');
	$trainer->send("CALL mren.train('m', 'SELECT * FROM pairs', '$epochs')");
	ok((wait_until { $watch->query($in_epochs) > 0 }), 'a session is in its epochs');
	$watch->query("SELECT pg_terminate_backend($pid)");
	ok((wait_until { $watch->query("SELECT count(*) FROM pg_stat_activity WHERE pid = $pid") == 0 }), 'it is terminated');
	$status = $watch->query('SELECT status FROM mren.runs ORDER BY run DESC LIMIT 1');
	like($status, qr/^(terminated|died)$/, 'its run is over');
}
is($status, 'terminated', 'a run that was terminated amid its epochs says so');
left_behind('terminated');

done_testing();
