# One session promotes, another predicts: what is seen when, in everything that
# keeps a snapshot or a plan; and what a session must forget.
use strict;
use warnings;
use MrenTest;
use MrenToy;
use Test::More;

my $node = MrenTest->start('sessions');

# Two versions that answer the question differently.
my $models = <<'SQL';
SET client_min_messages = warning;
SELECT mren.save_model('m', mren.train_agg(sentence, head, tail, relation, NULL::bytea,
	'{"hidden": [8], "epochs": 60}')) FROM pairs;
SELECT mren.save_model('m', mren.train_agg(sentence, head, tail,
	CASE relation WHEN 'none' THEN 'part_of' WHEN 'part_of' THEN 'none' ELSE relation END, NULL::bytea,
	'{"hidden": [8], "epochs": 60}')) FROM pairs;
SQL
my ($first, $second) = ('none', 'part_of');
toy_task($node);
$node->sql($models);
my $ask = q{mren.predict('m', 'dog is far from the tree', 'dog', 'tree')};

$node->sql(<<"SQL");
-- Each asks, waits while lock 1 is held elsewhere, and asks again.
CREATE FUNCTION wait() RETURNS void LANGUAGE sql AS 'SELECT pg_advisory_lock(1); SELECT pg_advisory_unlock(1)';
CREATE FUNCTION twice_volatile() RETURNS text LANGUAGE plpgsql VOLATILE AS \$\$
DECLARE a text; b text;
BEGIN a := $ask; PERFORM wait(); b := $ask; RETURN concat_ws(',', a, b); END \$\$;
CREATE FUNCTION twice_stable() RETURNS text LANGUAGE plpgsql STABLE AS \$\$
DECLARE a text; b text;
BEGIN a := $ask; PERFORM wait(); b := $ask; RETURN concat_ws(',', a, b); END \$\$;
CREATE FUNCTION twice_queries() RETURNS text LANGUAGE plpgsql VOLATILE AS \$\$
DECLARE answers text[] := '{}'; r record;
BEGIN
	FOR i IN 1 .. 2 LOOP
		FOR r IN SELECT $ask AS answer LOOP answers := answers || r.answer; END LOOP;
		IF i = 1 THEN PERFORM wait(); END IF;
	END LOOP;
	RETURN array_to_string(answers, ',');
END \$\$;
CREATE TABLE heard (i int, a text);
CREATE FUNCTION twice_sql() RETURNS text LANGUAGE sql VOLATILE AS \$\$
DELETE FROM heard;
INSERT INTO heard SELECT 1, $ask; SELECT wait(); INSERT INTO heard SELECT 2, $ask;
SELECT string_agg(a, ',' ORDER BY i) FROM heard \$\$;
SQL

my $reader = $node->session;
my $writer = $node->session;

sub promote { my ($version) = @_; $writer->query("SELECT mren.promote('m', $version)") }

# Runs the statement, and promotes version 2 while it waits.
sub promoted_meanwhile
{
	my ($sql) = @_;

	promote(1);
	$writer->query('SELECT pg_advisory_lock(1)');
	$reader->send($sql);
	wait_until { $writer->query('SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = ' . $reader->backend) == 1 }
		or die 'it does not wait';
	promote(2);
	$writer->query('SELECT pg_advisory_unlock(1)');
	my ($out, $err) = $reader->wait_for;
	return $out . $err;
}

is($reader->query("SELECT $ask"), $first, 'the first version answers');
promote(2);
is($reader->query("SELECT $ask"), $second, 'the next statement sees the promote');
promote(1);

# Snapshots
$reader->query("BEGIN; SELECT 1");
is($reader->query("SELECT $ask"), $first, 'READ COMMITTED, before');
promote(2);
is($reader->query("SELECT $ask"), $second, 'READ COMMITTED: the next statement of the transaction sees it');
$reader->query('COMMIT');
promote(1);
for my $level ('REPEATABLE READ', 'SERIALIZABLE')
{
	$reader->query("BEGIN ISOLATION LEVEL $level");
	is($reader->query("SELECT $ask"), $first, "$level, before");
	promote(2);
	is($reader->query("SELECT $ask"), $first, "$level: the transaction keeps what it saw");
	$reader->query('COMMIT');
	is($reader->query("SELECT $ask"), $second, "$level: the next one sees it");
	promote(1);
}

# Functions
is(promoted_meanwhile('SELECT twice_volatile()'), "$first,$second", 'a volatile function sees it at its next expression');
is(promoted_meanwhile('SELECT twice_queries()'), "$first,$second", 'and at its next query, in a loop');
is(promoted_meanwhile('SELECT twice_sql()'), "$first,$second", 'so does a volatile function in SQL');
is(promoted_meanwhile('SELECT twice_stable()'), "$first,$first", 'a stable function keeps its statement\'s snapshot');
is(promoted_meanwhile("SELECT concat_ws(',', $ask, wait()::text, $ask)"), "$first,$first", 'so does a statement');
is(promoted_meanwhile('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT twice_volatile(); COMMIT'), "$first,$first",
	'in REPEATABLE READ a volatile function does as well');

# Plans and cursors
promote(1);
for my $mode ('auto', 'force_generic_plan', 'force_custom_plan')
{
	$reader->query("SET plan_cache_mode = $mode; DEALLOCATE ALL; PREPARE p (text) AS SELECT mren.predict(\$1, 'dog is far from the tree', 'dog', 'tree')");
	is($reader->query(q{EXECUTE p ('m')}), $first, "prepared, $mode: before");
	promote(2);
	is($reader->query(q{EXECUTE p ('m')}), $second, "prepared, $mode: after");
	promote(1);
}
$reader->query('RESET plan_cache_mode');
$reader->query("BEGIN; DECLARE c CURSOR FOR SELECT $ask FROM generate_series(1, 4)");
is($reader->query('FETCH c'), $first, 'a cursor, before');
promote(2);
is($reader->query("SELECT $ask"), $second, 'a statement beside the open cursor sees the promote');
is($reader->query('FETCH c'), $first, 'the cursor does not');
is($reader->query("SELECT $ask"), $second, 'and the statement does again');
is($reader->query('FETCH c'), $first, 'and the cursor not again');
$reader->query('COMMIT');

# Promotes that are taken back
promote(1);
$writer->query('BEGIN');
promote(2);
is($writer->query("SELECT $ask"), $second, 'the session that promotes sees it at once');
is($reader->query("SELECT $ask"), $first, 'no other does before the commit');
$writer->query('ROLLBACK');
is($writer->query("SELECT $ask"), $first, 'rolled back, it was never there');
$writer->query('BEGIN');
is($writer->query("SELECT $ask"), $first, 'a transaction, before its promote');
promote(2);
is($writer->query("SELECT $ask"), $second, 'after it');
promote(1);
is($writer->query("SELECT $ask"), $first, 'and after the next');
$writer->query('ROLLBACK');
$writer->query('BEGIN; SAVEPOINT s');
promote(2);
# A later transaction has ended: the snapshots before and after the rollback look the same.
$reader->query('SELECT pg_current_xact_id()');
is($writer->query("SELECT $ask"), $second, 'within a subtransaction it is seen');
$writer->query('ROLLBACK TO s');
is($writer->query("SELECT $ask"), $first, 'and no longer after its rollback');
$writer->query('SAVEPOINT t');
promote(2);
$writer->query('RELEASE t');
is($writer->query("SELECT $ask"), $second, 'released, it stays');
$writer->query('ROLLBACK');
is($writer->query(<<"SQL"), "$first,$second,$first", 'a block with a handler that fails takes it back');
CREATE FUNCTION handled() RETURNS text LANGUAGE plpgsql AS \$\$
DECLARE a text; b text; c text;
BEGIN
	a := $ask;
	BEGIN
		PERFORM mren.promote('m', 2);
		b := $ask;
		RAISE division_by_zero;
	EXCEPTION WHEN division_by_zero THEN
		c := $ask;
	END;
	RETURN concat_ws(',', a, b, c);
END \$\$;
SELECT handled();
SQL
is($writer->query("SELECT concat_ws(',', $ask, mren.promote('m', 2)::text, $ask)"), "$first,,$first",
	'a statement that promotes does not see it itself');
is($writer->query("SELECT $ask"), $second, 'the next one does');
promote(1);

# A version dropped and a model made anew under one name
$reader->query("SELECT $ask");
$writer->query("SELECT mren.drop_model('m')");
like(error_in($reader, "SELECT $ask"), qr/^42704: model "m" does not exist/, 'a dropped model is gone');
$writer->query(<<'SQL');
SELECT mren.save_model('m', mren.train_agg(sentence, head, tail, upper(relation), NULL::bytea, '{"hidden": [8], "epochs": 60}')) FROM pairs
SQL
is($reader->query("SELECT $ask"), uc $first, 'a new one of its name answers');

# What the pooler and the user do to a session
$reader->query('DISCARD ALL');
is($reader->query("SELECT $ask"), uc $first, 'after DISCARD ALL');
$reader->query('DISCARD PLANS');
is($reader->query("SELECT $ask"), uc $first, 'after DISCARD PLANS');

# Embeddings under one name, with other content
$writer->query(q{SELECT mren.load_embeddings('e', 'dog 1 2'::bytea)});
is($reader->query(q{SELECT mren.word_vector('e', 'dog'), mren.word_vector('e', 'cat')}), '{1,2}|', 'a word\'s vector');
$writer->query(q{BEGIN; SELECT mren.drop_embeddings('e'); SELECT mren.load_embeddings('e', E'dog 3 4 5\ncat 6 7 8\n'::bytea)});
is($writer->query(q{SELECT mren.word_vector('e', 'dog'), mren.word_vector('e', 'cat')}), '{3,4,5}|{6,7,8}', 'loaded anew, it is another');
is($reader->query(q{SELECT mren.word_vector('e', 'dog'), mren.word_vector('e', 'cat')}), '{1,2}|', 'for others not before the commit');
$writer->query('ROLLBACK');
is($writer->query(q{SELECT mren.word_vector('e', 'dog'), mren.word_vector('e', 'cat')}), '{1,2}|', 'rolled back, it is as before');
$writer->query(q{BEGIN; SELECT mren.drop_embeddings('e'); SELECT mren.load_embeddings('e', E'dog 3 4 5\ncat 6 7 8\n'::bytea); COMMIT});
is($reader->query(q{SELECT mren.word_vector('e', 'dog'), mren.word_vector('e', 'cat')}), '{3,4,5}|{6,7,8}', 'committed, all see it');

# The extension dropped and created in another session: numbers start over
$reader->query('PREPARE q AS SELECT ' . $ask);
is($reader->query('EXECUTE q'), uc $first, 'prepared before the extension goes');
$writer->query('SET client_min_messages = warning; DROP EXTENSION mren CASCADE; CREATE EXTENSION mren');
like(error_in($reader, "SELECT $ask"), qr/^42704: model "m" does not exist/, 'the new extension has no model');
$writer->query(<<'SQL');
SELECT mren.load_embeddings('tiny', convert_to(E'dog 0.9 0.1\ntree 0.1 0.9\nfar -0.5 0.5\n', 'UTF8'));
SELECT mren.save_model('m', mren.train_agg('a dog and a tree', 'dog', 'tree', i || ' other', NULL::bytea, '{"hidden": [2], "epochs": 1}'))
FROM generate_series(1, 2) AS i;
SQL
is($writer->query('SELECT id, (SELECT id FROM mren.embedding), (SELECT id FROM mren.model_version) FROM mren.model'), '1|1|1',
	'whose numbers are those that were given before');
like($reader->query("SELECT $ask"), qr/^[12] other$/, 'yet nothing of the old ones answers');
like(error_in($reader, 'EXECUTE q'), qr/^(?:no error: $|42883|XX000: cache lookup failed)/, 'nor in a prepared statement');
is($reader->query(q{SELECT mren.word_vector('tiny', 'dog'), mren.word_vector('tiny', 'wheel')}), '{0.9,0.1}|', 'nor a word of theirs');

# Rights are of the user who asks now
$writer->query(<<"SQL");
CREATE ROLE alice; CREATE ROLE bob; CREATE ROLE readers;
SELECT mren.grant_model('m', 'alice', 'predict');
CREATE FUNCTION for_all() RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS \$\$ BEGIN RETURN $ask; END \$\$;
SQL
my $denied = qr/^42501: permission denied for model "m"/;
$reader->query('BEGIN ISOLATION LEVEL REPEATABLE READ; SET LOCAL ROLE alice');
like($reader->query("SELECT $ask"), qr/other/, 'who holds the right predicts');
$reader->query('SAVEPOINT s; SET LOCAL ROLE bob');
like(error_in($reader, "SELECT $ask"), $denied, 'who does not is refused, in the same snapshot');
$reader->query('ROLLBACK TO s; SET LOCAL ROLE bob; SAVEPOINT s');
like($reader->query('SELECT for_all()'), qr/other/, 'a function of the owner\'s may');
like(error_in($reader, "SELECT for_all(), $ask"), $denied, 'which lends nothing to the statement around it');
$reader->query('ROLLBACK');
$reader->query('SET ROLE bob');
like(error_in($reader, "SELECT $ask"), $denied, 'without the right');
$writer->query(q{SELECT mren.grant_model('m', 'readers', 'predict'); GRANT readers TO bob});
like($reader->query("SELECT $ask"), qr/other/, 'a right of a group counts at the next statement');
$writer->query('REVOKE readers FROM bob');
like(error_in($reader, "SELECT $ask"), $denied, 'membership withdrawn, it is refused');
$reader->query('SET ROLE alice');
like($reader->query("SELECT $ask"), qr/other/, 'alice still may');
$writer->query(q{SELECT mren.revoke_model('m', 'alice', 'predict')});
like(error_in($reader, "SELECT $ask"), $denied, 'until it is revoked');
like(error_in($reader, q{SELECT * FROM mren.predict_rows('m', 'SELECT 1 AS id, ''dog is'' AS sentence, ''dog'' AS head, ''is'' AS tail')}), $denied,
	'in batches, too');
$reader->query('RESET ROLE');

done_testing();
