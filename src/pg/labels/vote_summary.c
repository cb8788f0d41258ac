/*
 * vote_summary.c
 *	  mren.vote_summary: how the sources of votes behave.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "pg/labels/votes_query.h"
#include "pg/support/args.h"
#include "pg/support/compat.h"
#include "pg/support/pg_env.h"

PG_FUNCTION_INFO_V1(mren_vote_summary);

#define N_SUMMARY 12

static Datum
name_datum(const MrenNames *names, uint32 rank)
{
	return PointerGetDatum(mren_server_text(mren_names_get(names, rank)));
}

/* The relations that a source votes for, by name. */
static Datum
relations_datum(const MrenVotes *votes, const MrenVoteSummary *summary, uint32 source)
{
	Datum *names = palloc(summary->n_relations * sizeof(Datum));
	int n = 0;

	for (uint32 r = 0; r < summary->n_relations; r++)
	{
		if (summary->by_relation[source * summary->n_relations + r] > 0)
			names[n++] = name_datum(&votes->relations, r);
	}
	return PointerGetDatum(construct_array(names, n, TEXTOID, -1, false, TYPALIGN_INT));
}

static Datum
share(uint64 part, uint64 whole)
{
	return Float8GetDatum((double) part / (double) whole);
}

static void
put_source(ReturnSetInfo *rsinfo, const MrenVotes *votes, const MrenVoteSummary *summary,
		   uint32 source)
{
	const MrenSourceSummary *of = &summary->sources[source];
	Datum values[N_SUMMARY] = {0};
	bool nulls[N_SUMMARY] = {false};

	values[0] = name_datum(&votes->sources, source);
	values[1] = relations_datum(votes, summary, source);
	values[2] = Int64GetDatum((int64) of->votes);
	values[3] = share(of->votes, votes->n_rows);
	values[4] = share(of->overlaps, of->votes);
	values[5] = share(of->conflicts, of->votes);
	values[6] = Int64GetDatum((int64) of->gold);
	nulls[7] = nulls[8] = nulls[9] = of->gold == 0;
	values[7] = of->gold > 0 ? share(of->correct, of->gold) : 0;
	values[8] = Float8GetDatum(of->accuracy_low);
	values[9] = Float8GetDatum(of->accuracy_high);
	nulls[10] = nulls[11] = of->nearest == MREN_NO_SOURCE;
	if (of->nearest != MREN_NO_SOURCE)
	{
		values[10] = name_datum(&votes->sources, of->nearest);
		values[11] = Float8GetDatum(mren_vote_similarity(summary, source, of->nearest));
	}
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* mren.vote_summary(votes, gold) → TABLE (source, relations, votes, ...) */
Datum
mren_vote_summary(PG_FUNCTION_ARGS)
{
	char *query = mren_arg_query(fcinfo, 0, "votes");
	char *gold = PG_ARGISNULL(1) ? NULL : mren_arg_query(fcinfo, 1, "gold");
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	MrenVotes votes = {.env = &env};
	MrenVoteSummary summary;
	MrenError err;

	InitMaterializedSRF(fcinfo, 0);
	mren_votes_read(query, gold, &votes, NULL, NULL);
	MREN_PG_CALL(err, mren_vote_summarize(&votes, &summary, &err));
	mren_votes_warn(&votes, &summary);
	for (uint32 source = 0; source < summary.n; source++)
		put_source((ReturnSetInfo *) fcinfo->resultinfo, &votes, &summary, source);
	return (Datum) 0;
}
