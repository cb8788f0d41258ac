# What a role without any right can do to others' models, graphs and work: every
# function, table, sequence and view of the schema mren, by a list that is held
# against the catalog, so that something new without an entry fails; then locks
# and stored queries.
use strict;
use warnings;
use FindBin;
use MrenTest;
use MrenToy;
use Test::More;

my $root = $ENV{MREN_ROOT} || "$FindBin::Bin/../..";
my $node = MrenTest->start('attack');

# The victim's model "parts", tagger-less graph "kg", lexicon, embeddings and runs; nothing of it is granted to the
# outsider, who may however make models and graphs of his own.
$node->sql('SET client_min_messages = error; CREATE ROLE victim LOGIN; CREATE ROLE outsider LOGIN; CREATE ROLE maker LOGIN;
	GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA mren TO victim, maker; GRANT EXECUTE ON ALL PROCEDURES IN SCHEMA mren TO victim, maker;
	GRANT CREATE ON DATABASE test TO victim; GRANT CREATE ON SCHEMA public TO victim');
$node->sql('SET client_min_messages = error; ' . slurp("$root/test/include/tiny.sql") . slurp("$root/test/include/graph.sql") . q{
	CREATE TABLE docs AS SELECT 1 AS key, 'The wheel is a part of the car.'::text AS document;
	SELECT mren.create_graph('kg', 'docs', 'parts', lexicons => '{world}', relation_schema => 'toy_relations');
	CALL mren.refresh_graph('kg')}, user => 'victim');

# Each function by name: what the outsider's call comes to, as SQLSTATE, or 'ok' for what holds nothing of anybody's.
# 'execute' is for functions that PUBLIC may not execute at all, 'internal' for those that SQL cannot call by itself.
my $rows = q{SELECT ''The wheel is a part of the car.'' AS sentence, ''wheel'' AS head, ''car'' AS tail, ''part_of'' AS relation};
my $pair = q{'parts', 'The wheel is a part of the car.', 'wheel', 'car'};
my %entry = (
	(map { $_ => 'execute' } qw(alter_graph_owner alter_model_owner create_graph drop_audio_encoder drop_embeddings drop_graph drop_image_encoder drop_lexicon drop_model drop_text_encoder link_entities load_text_encoder
		drop_version grant_model import_model load_audio_encoder load_embeddings load_image_encoder load_lexicon merge_graph promote propose_merges refresh_graph retrain revoke_model
		rollback save_model self_train train train_tagger upgrade_graph)),
	(map { $_ => 'internal' } qw(confusion_in confusion_out confusion_recv confusion_send metrics_add metrics_combine metrics_final network_in network_out
		network_recv network_send noisy_or_add noisy_or_final predict_support train_accum train_combine train_final training_set_in training_set_out
		training_set_recv training_set_send)),
	(map { $_ => [ "SELECT mren.$_($pair)", '42501' ] } qw(classify explain explain_audio explain_image features predict predict_proba)),
	predict_row => [ q{SELECT mren.predict_row('parts', 1, 'a b', 'a', 'b', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)}, '42501' ],
	(map { $_ => [ "SELECT mren.$_('parts', '$rows')", '42501' ] } qw(calibration confusion_matrix evaluate report)),
	predict_rows_proba => [ q{SELECT mren.predict_rows_proba('parts', 'SELECT ''1'' AS id, ''The wheel is a part of the car.'' AS sentence, ''wheel'' AS head, ''car'' AS tail')}, '42501' ],
	uncertain        => [ q{SELECT mren.uncertain('parts', 'SELECT ''1'' AS id, ''The wheel is a part of the car.'' AS sentence, ''wheel'' AS head, ''car'' AS tail', 1)}, '42501' ],
	label_errors     => [ q{SELECT mren.label_errors('parts', 'SELECT 1 AS id')}, '42501' ],
	compare          => [ q{SELECT mren.compare('parts', 'SELECT 1', ARRAY['{}']::jsonb[], 2)}, '42501' ],
	predict_rows     => [ q{SELECT mren.predict_rows('parts', 'SELECT ''1'' AS id, ''The wheel is a part of the car.'' AS sentence, ''wheel'' AS head, ''car'' AS tail')}, '42501' ],
	export_model     => [ q{SELECT mren.export_model('parts')}, '42501' ],
	tag              => [ q{SELECT mren.tag('parts', 'The wheel.')}, '42501' ],
	evaluate_tagger  => [ q{SELECT mren.evaluate_tagger('parts', 'SELECT 1')}, '42501' ],
	candidates       => [ q{SELECT mren.candidates('The wheel is a part of the car.', '{world}', relation_schema => 'toy_relations')}, '42501' ],
	extract          => [ q{SELECT mren.extract('parts', 'The wheel is a part of the car.', lexicons => '{world}')}, '42501' ],
	document_evidence => [ q{SELECT mren.document_evidence('parts', 'The wheel is a part of the car.', lexicons => '{world}')}, '42501' ],
	extract_evidence => [ q{SELECT mren.extract_evidence('parts', 'The wheel is a part of the car.', lexicons => '{world}')}, '42501' ],
	paths            => [ q{SELECT mren.paths('kg', 'wheel', 'car')}, '42501' ],
	(map { $_ => [ "SELECT mren.$_('kg')", '42501' ] } qw(export_csv export_dot export_graphml export_ntriples report_graph review_queue)),
	export_neo4j     => [ q{SELECT mren.export_neo4j('kg', 'nodes')}, '42501' ],
	judge_facts      => [ q{SELECT mren.judge_facts('kg', 'SELECT 1 AS document, ''fact'' AS part')}, '42501' ],
	evaluate_graph   => [ q{SELECT mren.evaluate_graph('kg', 'SELECT 1 AS document, ''fact'' AS part')}, '42501' ],
	learn_relation_schema => [ q{SELECT mren.learn_relation_schema('SELECT 1 AS document, ''fact'' AS part')}, 'ok' ],
	draw_neighbourhood => [ q{SELECT mren.draw_neighbourhood('kg', 'wheel')}, '42501' ],
	neighbours       => [ q{SELECT mren.neighbours('kg', 'wheel')}, '42501' ],
	has_model_privilege => [ q{SELECT mren.has_model_privilege('parts', 'predict')}, 'ok' ],
	# What is loaded for everybody: words, lexicons.
	entities    => [ q{SELECT mren.entities('The wheel is a part of the car.', '{world}')}, 'ok' ],
	document_entities => [ q{SELECT mren.document_entities('The wheel is a part of the car.', '{world}')}, 'ok' ],
	word_vector => [ q{SELECT mren.word_vector('tiny', 'wheel')}, 'ok' ],
	tokens => [ q{SELECT mren.tokens('none', 'a')}, '42704' ],
	text_features => [ q{SELECT mren.text_features('none', 'a')}, '42704' ],
	audio_features => [ q{SELECT mren.audio_features('none', '\x00')}, '42704' ],
	image_features => [ q{SELECT mren.image_features('none', '\x00')}, '42704' ],
	# Read what the caller may read.
	(map { $_ => [ qq{SELECT mren.$_('SELECT document AS id, ''a'' AS source, ''b'' AS relation FROM docs')}, '42501' ] } qw(label_model vote_summary)),
	distant_labels => [ q{SELECT mren.distant_labels('SELECT document AS head, ''b'' AS relation, ''c'' AS tail FROM docs', 'SELECT 1 AS id, ''b'' AS head, ''c'' AS tail')}, '42501' ],
	context => [ q{SELECT mren.context('The wheel is a part of the car.', 'wheel', 'car')}, 'ok' ],
	# What works on its arguments alone.
	(map { $_ => 'ok' } qw(audio_info document_hash encode_example encode_mentions encode_tags follow_links graph_identity image_info metrics network_info noisy_or normalize_name
		precision_at precision_recall read_brat read_conll04 read_docred read_fewrel read_marked read_mnre read_opennre read_semeval read_tacred reliability train_agg version)),
);

my %seen;
for my $row (split /\n/, $node->sql(q{SELECT p.proname, p.oid::regprocedure, has_function_privilege('outsider', p.oid, 'EXECUTE') FROM pg_proc p
	WHERE p.pronamespace = 'mren'::regnamespace ORDER BY 2}))
{
	my ($name, $signature, $may) = split /\|/, $row;
	my $entry = $entry{$name};

	$seen{$name}++;
	ok(defined $entry, "$signature has an entry in this test") or next;
	is($may, $entry eq 'execute' ? 'f' : 't', "$signature: " . ($entry eq 'execute' ? 'not for everybody' : 'for everybody'));
}
is(join(' ', grep { !$seen{$_} } sort keys %entry), '', 'every entry is of a function that exists');
for my $name (grep { ref $entry{$_} } sort keys %entry)
{
	my ($sql, $want) = @{ $entry{$name} };
	my $got = $node->error_of($sql, user => 'outsider');

	like($got, $want eq 'ok' ? qr/^no error/ : qr/^$want/, "mren.$name: $want");
}
# Who may execute all of them has no more right on the victim's.
for my $sql (q{SELECT mren.drop_graph('kg')}, q{SELECT mren.alter_graph_owner('kg', 'maker')}, q{SELECT mren.upgrade_graph('kg')}, q{SELECT mren.merge_graph('kg')},
	q{CALL mren.refresh_graph('kg')}, q{CALL mren.retrain('parts')}, q{CALL mren.train('parts', 'SELECT 1')}, q{CALL mren.self_train('parts', 'SELECT 1', 'SELECT 1')}, q{SELECT mren.promote('parts', 1)},
	q{SELECT mren.rollback('parts')}, q{SELECT mren.drop_version('parts', 1)}, q{SELECT mren.drop_model('parts')}, q{SELECT mren.drop_lexicon('world')},
	q{SELECT mren.drop_embeddings('tiny')}, q{SELECT mren.grant_model('parts', 'maker', 'admin')}, q{SELECT mren.revoke_model('parts', 'victim', 'predict')},
	q{SELECT mren.alter_model_owner('parts', 'maker')}, q{SELECT mren.load_lexicon('world', ARRAY['a'], 'b')},
	q{SELECT mren.create_graph('mine', 'SELECT 1 AS key, ''a'' AS document', 'parts', lexicons => '{world}')})
{
	like($node->error_of($sql, user => 'maker'), qr/^42501/, "$sql: refused to one who may execute it");
}

# Tables and sequences: nothing for anybody but the views' own reading.
for my $row (split /\n/, $node->sql(q{SELECT c.relkind, c.oid::regclass FROM pg_class c WHERE c.relnamespace = 'mren'::regnamespace AND c.relkind IN ('r', 'p', 'S', 'f', 'm') ORDER BY 2}))
{
	my ($kind, $table) = split /\|/, $row;
	my @statements = $kind eq 'S' ? ("SELECT nextval('$table')", "SELECT * FROM $table", "SELECT setval('$table', 1)")
		: ("SELECT * FROM $table", "DELETE FROM $table", "TRUNCATE $table", "BEGIN; LOCK TABLE $table IN ACCESS SHARE MODE", "INSERT INTO $table DEFAULT VALUES");

	like($node->error_of($_, user => 'outsider'), qr/^42501/, "$_: refused") for @statements;
}

# Views: how many rows of the victim's an outsider sees.  Embeddings and lexicons are everybody's.
my %view = (
	embeddings => 1, lexicons => 1, resources => 2, audio_encoders => 0, image_encoders => 0, text_encoders => 0, models => 0, runs => 0, training_progress => 0, graphs => 0, graph_runs => 0, graph_progress => 0);
for my $view (split /\n/, $node->sql(q{SELECT relname FROM pg_class WHERE relnamespace = 'mren'::regnamespace AND relkind = 'v' ORDER BY 1}))
{
	ok(exists $view{$view}, "mren.$view has an entry in this test") or next;
	is($node->sql("SELECT count(*) FROM mren.$view", user => 'outsider'), $view{$view}, "mren.$view shows the outsider $view{$view} rows");
	like($node->error_of("BEGIN; LOCK TABLE mren.$view IN ACCESS EXCLUSIVE MODE", user => 'outsider'), qr/^42501/, "mren.$view cannot be locked");
	# A function in WHERE that costs nothing must not see a row before the view's own condition.
	is($node->sql("SELECT reloptions::text LIKE '%security_barrier%' FROM pg_class WHERE oid = 'mren.$view'::regclass") || 'f', $view{$view} || $view =~ /_encoders$/ ? 'f' : 't',
		"mren.$view is a barrier if it hides rows");
}

# Locks: all advisory locks that anybody ever took of mren's classes, by a role without rights.
my $squatter = $node->session(user => 'outsider');
$squatter->query("SELECT count(pg_advisory_lock(c, i)) FROM unnest('{1836213607,1836213614,1836213618}'::int[]) c, generate_series(1, 300) i");
my $calm = 'SET client_min_messages = error; SET statement_timeout = 60000; ';
$node->sql("${calm}CALL mren.train('parts', 'SELECT * FROM pairs', '{\"epochs\": 1, \"validation_share\": 0, \"negative\": \"none\"}')", user => 'victim');
unlike($node->sql("${calm}CALL mren.retrain('parts', min_new_rows => 0)", user => 'victim'), qr/busy/, 'a retraining does not wait for locks that anybody may take');
like($node->sql("${calm}CALL mren.refresh_graph('kg')", user => 'victim'), qr/"done"/, 'nor does a refresh');
is($node->sql(q{SELECT string_agg(status, ' ' ORDER BY run) FROM mren.runs}, user => 'victim') =~ /^succeeded succeeded/ ? 1 : 0, 1, 'and both are recorded');
# A run that died does not look alive by a lock that somebody else holds.
$node->sql(q{INSERT INTO mren.run (model, started_by, started_at, status, backend, phase, query, options) VALUES ('parts', 'victim', now(), 'running', 1, 'epochs', 'SELECT', '{}');
	INSERT INTO mren.graph_run (graph, name, started_by, started_at, updated_at, status, backend, phase) SELECT id, name, owner, now(), now(), 'running', } . $squatter->backend . q{, 'scoring' FROM mren.graph});
is($node->sql('SELECT status FROM mren.runs ORDER BY run DESC LIMIT 1', user => 'victim'), 'died', 'a run that died is not kept alive by an advisory lock');
is($node->sql('SELECT status FROM mren.graph_runs ORDER BY run DESC LIMIT 1', user => 'victim'), 'died', 'nor is a refresh');
$squatter->close;

# Runs by identity: a model of the same name, and what its maker sees.
$node->sql("${calm}CREATE TABLE secret AS SELECT * FROM pairs; GRANT SELECT ON pairs TO maker", user => 'victim');
$node->error_of("${calm}CALL mren.train('payroll', 'SELECT sentence, head, tail, ((''earns 99000'' || sentence)::int)::text AS relation FROM secret')", user => 'victim');
$node->sql("${calm}CALL mren.train('payroll', 'SELECT sentence, head, tail, relation FROM pairs', '{\"epochs\": 1, \"embeddings\": null}')", user => 'maker');
is($node->sql("SELECT count(*), count(*) FILTER (WHERE started_by = 'victim') FROM mren.runs WHERE model = 'payroll'", user => 'maker'), '1|0',
	'a model of the same name does not show the runs of another');
is($node->sql("SELECT count(*) FROM mren.runs WHERE model = 'payroll' AND message LIKE '%earns%'", user => 'victim'), '1', 'who started a run sees it');
# One who may train the model sees the runs of that model, and no longer when it is another.
$node->sql("SELECT mren.grant_model('payroll', 'outsider', 'train')", user => 'maker');
is($node->sql("SELECT count(*) FROM mren.runs", user => 'outsider'), '1', 'a right on the model shows its runs');
$node->sql("SELECT mren.drop_model('payroll')", user => 'maker');
$node->sql("${calm}CALL mren.train('payroll', 'SELECT sentence, head, tail, relation FROM pairs', '{\"epochs\": 1, \"embeddings\": null}')", user => 'victim');
is($node->sql("SELECT count(*) FROM mren.runs WHERE started_by = 'victim' AND model = 'payroll'", user => 'maker'), '0', 'nor does the name of a model that one had');

# Stored queries: the victim's, with a right to train, is still the victim's to run.
$node->sql("SELECT mren.grant_model('parts', 'maker', 'train')", user => 'victim');
like($node->error_of("CALL mren.retrain('parts')", user => 'maker'), qr/^42501/, 'a right to train does not run the owner\'s query');

done_testing();
