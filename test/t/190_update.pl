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
	SELECT 'pg_class', oid, 'options', concat(relkind, reloptions::text, relpersistence) FROM pg_class
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
my $right = <<'SQL';
SELECT count(*) FROM public.expected e JOIN public.pairs p USING (id), mren.classify('old', p.sentence, p.head, p.tail) c
WHERE c.relation = e.relation AND abs(c.confidence - e.confidence) < 1e-4
SQL

my $node = MrenTest->start('fresh');
my $fresh = $node->sql($objects);

for my $version (@released)
{
	my @there = (database => "from_" . $version =~ tr/./_/r);
	$node->sql("CREATE DATABASE $there[1]", database => 'postgres');
	$node->sql("CREATE EXTENSION mren VERSION '$version'", @there);
	my $kept = "$root/test/data/model-$version.sql";
	ok(-f $kept, "a model that $version trained is kept");
	$node->sql("$pairs;" . slurp($kept), @there);
	# The library is newer than the tables: what writes says so.
	$node->sql(q{INSERT INTO mren.run (model, started_by, started_at, finished_at, status, backend, phase, query, options, version)
		VALUES ('m', 'postgres', now(), now(), 'succeeded', 1, 'training', 'SELECT 1', '{}', 1)}, @there);
	like($node->error_of(q{CALL mren.train('m', 'SELECT 1')}, @there), qr/^55000: the extension mren is of an older version in this database than in the server/, "before updating from $version training says to");
	is($node->sql($right, @there), '108', "before updating, a model of $version answers as it did");
	$node->sql('ALTER EXTENSION mren UPDATE', @there);
	is($node->sql($right, @there), '108', "and after updating");
	$node->sql(q{CALL mren.retrain('old', min_new_rows => 0, promote => 'always')}, @there);
	is($node->sql(q{SELECT string_agg(concat_ws(' ', version, deployed), ',' ORDER BY version) FROM mren.models WHERE model = 'old'}, @there),
		'1 f,2 t', "a model of $version is trained again");
	is($node->sql(q{SELECT count(*) >= 100 FROM pairs p WHERE mren.predict('old', p.sentence, p.head, p.tail) = p.relation}, @there),
		't', 'and what comes of it knows the task');
	$node->sql(q{SELECT mren.promote('old', 1)}, @there);
	is($node->sql($right, @there), '108', "the version that $version trained still answers as it did");
	is($node->sql('SELECT model, status, call, verdict, holdout_rows FROM mren.runs WHERE model = \'m\'', @there), 'm|succeeded|train||', "runs of $version are shown beside new ones");
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
done_testing;
