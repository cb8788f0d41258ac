# ALTER EXTENSION mren UPDATE from every released version makes what CREATE
# EXTENSION makes, object by object, and what was kept goes on working.
use strict;
use warnings;
use File::Basename qw(basename);
use FindBin;
use MrenTest;
use MrenToy;
use Test::More;

my $root = $ENV{MREN_ROOT} || "$FindBin::Bin/../..";
my @released = map { basename($_) =~ /^mren--([0-9.]+)\.sql$/ ? $1 : () } glob "$root/sql/released/mren--*.sql";
ok(@released > 0, 'there is a released version to update from');

# Each member of the extension by its identity, and everything about it that a
# script decides, as text: (identity, definition).
my $objects = <<'SQL';
WITH member AS (
	SELECT d.classid, d.objid, pg_describe_object(d.classid, d.objid, 0) AS what
	FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
	WHERE e.extname = 'mren' AND d.deptype = 'e'),
acl AS (
	SELECT classoid, objoid, string_agg(text, ', ' ORDER BY text) AS text
	FROM (SELECT 'pg_proc'::regclass AS classoid, p.oid AS objoid, a.grantee::regrole || ':' || a.privilege_type AS text
		FROM pg_proc p, aclexplode(COALESCE(proacl, acldefault('f', proowner))) a
		UNION ALL
		SELECT 'pg_class', c.oid, a.grantee::regrole || ':' || a.privilege_type
		FROM pg_class c, aclexplode(COALESCE(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner))) a
		UNION ALL
		SELECT 'pg_namespace', n.oid, a.grantee::regrole || ':' || a.privilege_type
		FROM pg_namespace n, aclexplode(COALESCE(nspacl, acldefault('n', nspowner))) a) AS every
	GROUP BY 1, 2),
part (classoid, objoid, kind, text) AS (
	SELECT 'pg_proc'::regclass, oid, 'definition',
		CASE WHEN prokind = 'a' THEN (SELECT concat_ws(' ', aggtransfn, aggfinalfn, aggcombinefn, aggserialfn, aggdeserialfn,
				aggfinalmodify, aggtranstype::regtype, aggtransspace, agginitval, proparallel)
			FROM pg_aggregate WHERE aggfnoid = p.oid)
			ELSE pg_get_functiondef(oid) || procost || ' ' || prorows || prosupport END
	FROM pg_proc p
	UNION ALL
	SELECT 'pg_class', c.oid, 'column ' || attnum, concat_ws(' ', attname, format_type(atttypid, atttypmod), attnotnull,
		attcollation::regcollation, attstorage, pg_get_expr(adbin, adrelid))
	FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped
		LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND adnum = attnum
	UNION ALL
	SELECT 'pg_class', conrelid, 'constraint ' || conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid <> 0
	UNION ALL
	SELECT 'pg_class', indrelid, 'index ' || indexrelid::regclass, pg_get_indexdef(indexrelid) FROM pg_index
	UNION ALL
	SELECT 'pg_class', oid, 'view', pg_get_viewdef(oid) FROM pg_class WHERE relkind = 'v'
	UNION ALL
	SELECT 'pg_class', oid, 'options', concat(relkind, reloptions::text, relpersistence, relreplident) FROM pg_class
	UNION ALL
	SELECT 'pg_class', seqrelid, 'sequence', concat_ws(' ', seqtypid::regtype, seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle)
	FROM pg_sequence
	UNION ALL
	SELECT 'pg_type', oid, 'type', concat_ws(' ', typlen, typalign, typstorage, typinput, typoutput, typreceive, typsend, typtype)
	FROM pg_type
	UNION ALL
	SELECT 'pg_class', cfg, 'dumped', condition
	FROM pg_extension, unnest(extconfig, extcondition) AS u (cfg, condition) WHERE extname = 'mren'
	UNION ALL
	SELECT classoid, objoid, 'comment', description FROM pg_description WHERE objsubid = 0
	UNION ALL
	SELECT classoid, objoid, 'rights', text FROM acl)
SELECT m.what, p.kind, p.text
FROM member m LEFT JOIN part p ON p.classoid = m.classid AND p.objoid = m.objid
ORDER BY 1, 2, 3
SQL

my ($pairs) = slurp("$root/test/include/tiny.sql") =~ /(CREATE TABLE pairs AS.*?);/s;

# Rows of the toy task (108) for which a model answers as the version that trained it did;
# another machine may round otherwise.
my %right = (
	old => <<'SQL',
SELECT count(*) FROM public.expected e JOIN public.pairs p USING (id), mren.classify('old', p.sentence, p.head, p.tail) c
WHERE c.relation = e.relation AND abs(c.confidence - e.confidence) < 1e-4
SQL
	pictured => <<'SQL',
SELECT count(*) FROM public.expected_pictured e JOIN public.photographs p USING (id), mren.classify('pictured', p.sentence, p.head, p.tail, p.image) c
WHERE c.relation = e.relation AND abs(c.confidence - e.confidence) < 1e-4
SQL
);

# Rows for which the deployed version of a model gives the right relation.
my %learned = (
	old => q{SELECT count(*) FROM pairs p WHERE mren.predict('old', p.sentence, p.head, p.tail) = p.relation},
	pictured => q{SELECT count(*) FROM photographs p WHERE mren.predict('pictured', p.sentence, p.head, p.tail, p.image) = p.relation},
);

# What no released version left behind in the test's data, by its tables' columns: a model of 0.1.0
# that read images; of 0.2.0 a model that was given an image encoder but no image, a tagger, runs that
# have no version, and a run of an earlier model of the same name.
my %by_hand = (
	'0.1.0' => <<'SQL',
INSERT INTO mren.model (id, name, owner, last_version, created_at) VALUES (100, 'image', 'postgres', 1, now());
INSERT INTO mren.model_version (model, version, created_at, created_by, head, sha256, embeddings, encoder, relations, options, training_rows)
VALUES (100, 1, now(), 'postgres', '', '', '\x00', '\x00', '{}', '{"l2": 0.03, "image_encoder": "tiny"}', 1);
INSERT INTO mren.run (model, version, started_by, started_at, finished_at, status, backend, phase, query, options)
VALUES ('image', 1, 'postgres', now(), now(), 'succeeded', 1, 'training', '', '{"l2": 0.03, "image_encoder": "tiny"}');
SQL
	'0.2.0' => <<'SQL',
INSERT INTO mren.model (id, name, owner, last_version, created_at, kind) VALUES
	(100, 'unused', 'postgres', 1, now(), 'relation'),
	(101, 'tagger', 'postgres', 1, now(), 'tagger');
INSERT INTO mren.model_version (model, version, created_at, created_by, head, sha256, relations, options, given, training_rows) VALUES
	(100, 1, now(), 'postgres', '', '', '{}', '{"l2": 0.03, "wide": 18, "image_encoder": "tiny"}', '{"l2": null}', 1),
	(101, 1, now(), 'postgres', '', '', '{}', '{"l2": 0.03, "average": 0.99}', '{"average": null}', 1);
INSERT INTO mren.run (model, started_by, started_at, status, backend, phase, query, options) VALUES
	('image', 'postgres', now(), 'failed', 1, 'training', '', '{"l2": 0.03, "image_encoder": "tiny"}'),
	('image', 'postgres', now(), 'failed', 1, 'training', '', '{"l2": null, "image_encoder": "tiny"}'),
	('text', 'postgres', now(), 'failed', 1, 'training', '', '{"l2": 0.03, "image_encoder": null}'),
	('none', 'postgres', now(), 'failed', 1, 'training', '', '{}');
INSERT INTO mren.run (model, version, started_by, started_at, finished_at, status, backend, phase, query, options)
VALUES ('pictured', 1, 'postgres', '2026-01-01', '2026-01-01', 'succeeded', 1, 'training', '', '{"l2": 0.03}');
SQL
);

# All options and metrics that are kept: (where, object).
my $kept = <<'SQL';
SELECT concat_ws(' ', m.name, v.version, o.kind), o.object
FROM mren.model_version v JOIN mren.model m ON m.id = v.model,
	LATERAL (VALUES ('options', v.options), ('given', v.given), ('metrics', v.metrics)) AS o (kind, object)
UNION ALL
SELECT concat_ws(' ', r.model, r.version, 'run'), r.options FROM mren.run r
SQL

my $node = MrenTest->start('fresh');
my $fresh = $node->sql($objects);

# The members of these objects that the pattern names, sorted.
sub members
{
	my ($where, $names, @there) = @_;
	return $node->sql("SELECT place, key, value FROM ($kept) AS k (place, object), jsonb_each(object) WHERE place ~ '$where' AND key ~ '^($names)\$' ORDER BY 1, 2, 3", @there);
}

my $old_names = 'l2|average|image_gate|vectors|wide|gate_share|wide_share|wide_epoch';
my $new_names = 'weight_decay|weight_ema|text_only_member|word_vectors|hash_bits|holdout_share|linear_share|linear_epoch';

# After the update: what each version's rows have come to.  0.1.0 applied its l2 as it was given, and
# so did 0.2.0 but for networks that read images, where it applied 100 times as much.
my %decay = (
	'0.1.0' => "image 1 options|weight_decay|0.03\nimage 1 run|weight_decay|0.03\nold 1 options|weight_decay|0.01",
	'0.2.0' => join("\n",
		'image run|weight_decay|null', 'image run|weight_decay|3',
		'old 1 given|weight_decay|0.02', 'old 1 options|weight_decay|0.02', 'old 1 run|weight_decay|0.02',
		'pictured 1 given|weight_decay|2', 'pictured 1 options|weight_decay|2', 'pictured 1 run|weight_decay|0.03', 'pictured 1 run|weight_decay|2',
		'tagger 1 options|weight_decay|0.03',
		'text run|weight_decay|0.03',
		'unused 1 given|weight_decay|null', 'unused 1 options|weight_decay|0.03'),
);

sub check_options
{
	my ($version, @there) = @_;

	is(members('', $old_names, @there), '', "no option or metric of $version has an old name");
	is(members('', 'weight_decay', @there), $decay{$version}, "weight_decay is what $version applied");
	return if $version eq '0.1.0';
	is(members('^old 1 given', $new_names, @there) =~ s/^old 1 given\|//gmr, <<'TEXT' =~ s/\n\z//r, 'options that were given have new names');
hash_bits|16
holdout_share|0.1
text_only_member|false
weight_decay|0.02
weight_ema|0.5
word_vectors|"fine_tuned"
TEXT
	is(members('^old 1 options', $new_names, @there) =~ s/options/given/gr, members('^old 1 given', $new_names, @there), 'and so have those in effect');
	like(members('^old 1 metrics', 'linear_epoch|linear_share', @there), qr/^old 1 metrics\|linear_epoch\|\d+\nold 1 metrics\|linear_share\|0\.\d+$/, 'and metrics');
	is($node->sql(q{SELECT options FROM mren.run WHERE model = 'none'}, @there), '{}', 'no options stay none');
}

# What was exported with options of old names is imported with the new ones.
sub check_import
{
	my ($model, $bytes, @there) = @_;

	$node->sql("SELECT mren.import_model('imported $model', '$bytes')", @there);
	is(members("^imported $model 1", "$old_names|$new_names", @there) =~ s/^imported //gmr, members("^$model 1 (options|metrics)", $new_names, @there),
		"model \"$model\", exported before, is imported with options of new names");
}

# Retraining goes by the options that were kept: what it trained with is what they say.
sub check_retraining
{
	my ($model, $version, @there) = @_;
	my $decay = members("^$model 1 options", 'weight_decay', @there);

	$node->sql("CALL mren.retrain('$model', min_new_rows => 0, promote => 'always')", @there);
	is($node->sql("SELECT string_agg(concat_ws(' ', version, deployed), ',' ORDER BY version) FROM mren.models WHERE model = '$model'", @there),
		'1 f,2 t', "model \"$model\" of $version is trained again");
	cmp_ok($node->sql($learned{$model}, @there), '>=', 100, 'and what comes of it knows the task');
	is(members("^$model 2 options", 'weight_decay', @there), $decay =~ s/ 1 / 2 /r, 'with the same weight decay');
	$node->sql("SELECT mren.promote('$model', 1)", @there);
	is($node->sql($right{$model}, @there), '108', "the version that $version trained still answers as it did");
}

sub check_objects
{
	my ($version, @there) = @_;
	my $updated = $node->sql($objects, @there);

	is($node->sql("SELECT extversion FROM pg_extension WHERE extname = 'mren'", @there),
		$node->sql("SELECT extversion FROM pg_extension WHERE extname = 'mren'"), "$version updates to the present version");

	my %in = map { $_ => 1 } split /\n/, $fresh;
	my %out = map { $_ => 1 } split /\n/, $updated;
	my @missing = grep { !$out{$_} } sort keys %in;
	my @extra = grep { !$in{$_} } sort keys %out;
	is(join("\n", @missing), '', "nothing is missing after updating from $version");
	is(join("\n", @extra), '', "nothing is left over after updating from $version");
	ok(keys %in > 300, 'the comparison sees the objects');
}

for my $version (@released)
{
	my @there = (database => "from_" . $version =~ tr/./_/r);
	my $file = "$root/test/data/model-$version.sql";

	$node->sql("CREATE DATABASE $there[1]", database => 'postgres');
	$node->sql("CREATE EXTENSION mren VERSION '$version'", @there);
	ok(-f $file, "a model that $version trained is kept");
	$node->sql("$pairs;" . slurp($file), @there);
	my @models = $node->sql('SELECT name FROM mren.model ORDER BY 1', @there) =~ /\w+/g;
	$node->sql($by_hand{$version}, @there);
	# The library is newer than the tables: what writes says so.
	$node->sql(q{INSERT INTO mren.run (model, started_by, started_at, finished_at, status, backend, phase, query, options, version)
		VALUES ('m', 'postgres', now(), now(), 'succeeded', 1, 'training', 'SELECT 1', '{}', 1)}, @there);
	like($node->error_of(q{CALL mren.train('m', 'SELECT 1')}, @there), qr/^55000: the extension mren is of an older version in this database than in the server/, "before updating from $version training says to");
	is($node->sql($right{$_}, @there), '108', "before updating, model \"$_\" of $version answers as it did") for @models;
	my %exported = map { $_ => $node->sql("SELECT mren.export_model('$_')", @there) } @models;
	$node->sql('ALTER EXTENSION mren UPDATE', @there);
	is($node->sql($right{$_}, @there), '108', "and after updating") for @models;
	check_options($version, @there);
	check_import($_, $exported{$_}, @there) for @models;
	check_retraining($_, $version, @there) for @models;
	is($node->sql('SELECT model, status, call, verdict, holdout_rows FROM mren.runs WHERE model = \'m\'', @there), 'm|succeeded|train||', "runs of $version are shown beside new ones");
	check_objects($version, @there);
}
done_testing;
