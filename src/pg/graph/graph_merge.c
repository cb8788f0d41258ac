/*
 * graph_merge.c
 *	  From evidence to entities and facts.
 *
 * Names become entities by aliases, relations their canonical form by the
 * table of relations; both are written into evidence, so that a change of
 * documents touches few rows and a change of the rules all of them.  What is
 * touched is computed anew from its evidence, never adjusted: so the order of
 * changes leaves no trace, and a refresh equals a rebuild.
 *
 * A verdict belongs to the evidence that was judged.  A review keeps the
 * statements that its fact had, by the names in the texts, and each merge finds
 * the facts that this evidence has become; an alias moves evidence, never a
 * review.
 *
 * Statements run with search_path pg_catalog.  Identities are natural:
 * mren.graph_identity over canonical JSON.
 *
 * check-qualified: search_path is pinned by mren_graph_run and mren_graph_query.
 */
#include "pg/graph/graph_base.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "pg/graph/graph_statements.h"
#include "text/casefold.h"
#include "text/tokens.h"

/*
 * Touched rows
 */

static Datum
join_arrays(Datum a, Datum b)
{
	return a == 0 ? b : b == 0 ? a : DirectFunctionCall2(array_cat, a, b);
}

void
mren_graph_touch(MrenTouched *all, const MrenTouched *more)
{
	all->facts = join_arrays(all->facts, more->facts);
	all->entities = join_arrays(all->entities, more->entities);
}

/*
 * Rules
 */

/* The hash of all that resolving evidence depends on. */
static Datum
current_rules(const MrenGraph *graph)
{
	Oid types[] = {TEXTOID};
	Datum values[] = {CStringGetTextDatum(
		psprintf("ICU %s, case folding %d", mren_icu_version(), MREN_CASEFOLD_VERSION))};
	bool isnull;
	Datum rules;

	mren_graph_run_sql(
		graph,
		"SELECT sha256(convert_to(jsonb_build_array($1,"
		" (SELECT jsonb_agg(jsonb_build_array(a.alias, a.type, a.entity, a.entity_type)"
		"   ORDER BY a.alias COLLATE \"C\", a.type COLLATE \"C\") FROM ${graph}.aliases a),"
		" (SELECT jsonb_agg(DISTINCT"
		"   jsonb_build_array(r.relation, r.symmetric, r.inverse_of, r.functional))"
		"   FROM ${graph}.relations r),"
		" (SELECT jsonb_agg(jsonb_build_array(k.name, k.type, k.other_name, k.other_type)"
		"   ORDER BY k.name, k.type, k.other_name, k.other_type) FROM ${graph}.merge_candidates k"
		"   WHERE k.verdict = 'accepted'),"
		" (SELECT jsonb_agg(jsonb_build_array(m.id, m.head, m.head_type, m.relation, m.tail,"
		"   m.tail_type, m.seen_at) ORDER BY m.id) FROM ${graph}.manual_facts m),"
		" (SELECT jsonb_agg(jsonb_build_array(i.name, i.type) ORDER BY i.name COLLATE \"C\","
		"   i.type COLLATE \"C\") FROM ${graph}.ignored i),"
		" (SELECT jsonb_agg(jsonb_build_array(v.id, v.document, v.mention, v.type, v.verdict,"
		"   v.right_mention, v.right_type) ORDER BY v.id) FROM ${graph}.mention_review v),"
		" (SELECT jsonb_agg(jsonb_build_array(w.id, w.relation, w.judged) ORDER BY w.id)"
		"   FROM ${graph}.review w WHERE EXISTS (SELECT FROM ${graph}.review c"
		"    WHERE c.relation IS NOT NULL AND c.judged && w.judged)))::text, 'UTF8'))",
		1, types, values, NULL);
	rules = mren_graph_result(1, CurrentMemoryContext, &isnull);
	SPI_freetuptable(SPI_tuptable);
	return rules;
}

static bool
rules_changed(const MrenGraph *graph, Datum rules)
{
	Oid types[] = {BYTEAOID};
	bool changed = mren_graph_run_sql(graph, "SELECT FROM ${graph}.state s WHERE s.rules = $1", 1,
									  types, &rules, NULL) == 0;

	SPI_freetuptable(SPI_tuptable);
	return changed;
}

/* Stored under an inverse that is itself stored under its inverse, a fact would be lost. */
static void
check_relations(const MrenGraph *graph)
{
	if (mren_graph_run_sql(
			graph,
			"SELECT a.relation, a.inverse_of FROM ${graph}.relations a JOIN ${graph}.relations b"
			" ON b.relation = a.inverse_of AND b.inverse_of <> b.relation"
			" AND b.inverse_of <> a.relation WHERE a.inverse_of <> a.relation LIMIT 1",
			0, NULL, NULL, NULL) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("relation \"%s\" is the inverse of \"%s\", which is itself the inverse of "
						"another",
						SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1),
						SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2)),
				 errhint("Change the table %s.relations so that all of them name the same relation "
						 "in inverse_of.",
						 graph->schema)));
	SPI_freetuptable(SPI_tuptable);
}

static void
resolve_all(const MrenGraph *graph)
{
	const char *parts[] = {mren_graph_sql_read_all, mren_graph_sql_resolve,
						   mren_graph_sql_reresolve};

	mren_graph_run(mren_graph_sql(graph, lengthof(parts), parts), 0, NULL, NULL, NULL);
}

/*
 * Facts
 */

/* Of the last result, the three arrays of changed triples; false if there are none. */
static bool
changed_triples(Datum *triples)
{
	bool isnull;

	for (int i = 0; i < 3; i++)
		triples[i] = mren_graph_result(i + 1, CurrentMemoryContext, &isnull);
	SPI_freetuptable(SPI_tuptable);
	return !isnull;
}

static void
judge(const MrenGraph *graph, const Datum *triples)
{
	Oid types[] = {UUIDARRAYOID, TEXTARRAYOID, UUIDARRAYOID, BOOLOID};
	Datum values[] = {triples[0], triples[1], triples[2], BoolGetDatum(graph->options.newest)};
	static const char nobody[] = "WITH RECURSIVE mention AS (SELECT ''::text COLLATE \"C\" AS "
								 "name, ''::text AS type WHERE false),";
	const char *parts[] = {nobody, mren_graph_sql_resolve, mren_graph_sql_judge_facts};

	mren_graph_run(mren_graph_sql(graph, lengthof(parts), parts), lengthof(types), types, values,
				   NULL);
}

/* One statement over an array of identities, 0 for all. */
static void
run_over(const MrenGraph *graph, const char *sql, Datum identities)
{
	Oid types[] = {UUIDARRAYOID};

	mren_graph_run_sql(graph, sql, 1, types, &identities, identities == 0 ? "n" : NULL);
}

static void
merge_some(const MrenGraph *graph, const MrenTouched *touched, bool all)
{
	Datum triples[3];

	if (all || touched->facts != 0)
	{
		run_over(graph, mren_graph_sql_merge_facts, all ? (Datum) 0 : touched->facts);
		if (changed_triples(triples))
			judge(graph, triples);
	}
	mren_graph_run_sql(graph, mren_graph_sql_merge_verdicts, 0, NULL, NULL, NULL);
	if (changed_triples(triples))
		judge(graph, triples);
	if (all || touched->entities != 0)
		run_over(graph, mren_graph_sql_merge_entities, all ? (Datum) 0 : touched->entities);
	mren_graph_calibrate(graph);
}

void
mren_graph_merge(const MrenGraph *graph, const MrenTouched *touched)
{
	merge_some(graph, touched, false);
}

/* Rules may have changed without a fact's changing: all are judged. */
static void
judge_all(const MrenGraph *graph)
{
	Datum triples[3];

	mren_graph_run_sql(graph,
					   "SELECT array_agg(f.head), array_agg(f.relation), array_agg(f.tail)"
					   " FROM ${graph}.all_facts f",
					   0, NULL, NULL, NULL);
	if (changed_triples(triples))
		judge(graph, triples);
}

bool
mren_graph_remerge(const MrenGraph *graph)
{
	Oid types[] = {BYTEAOID};
	Datum rules;
	bool changed;

	/* While the facts are still those that the reviews were about. */
	mren_graph_run_sql(graph, mren_graph_sql_record_reviews, 0, NULL, NULL, NULL);
	rules = current_rules(graph);
	changed = rules_changed(graph, rules);
	if (changed)
		mren_graph_run_sql(graph, mren_graph_sql_renormalize, 0, NULL, NULL, NULL);
	if (!changed)
		return false;
	check_relations(graph);
	mren_graph_run_sql(graph, mren_graph_sql_drop_manual, 0, NULL, NULL, NULL);
	mren_graph_run_sql(graph, mren_graph_sql_put_manual, 0, NULL, NULL, NULL);
	resolve_all(graph);
	merge_some(graph, NULL, true);
	judge_all(graph);
	mren_graph_run_sql(graph, "UPDATE ${graph}.state SET rules = $1", 1, types, &rules, NULL);
	return true;
}
