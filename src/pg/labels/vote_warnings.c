/*
 * vote_warnings.c
 *	  Warnings about sources that cannot be trusted.
 */
#include "pg/labels/votes_query.h"

#define LISTED 10
/* Fewer votes, or fewer of them on gold rows, say nothing of a source. */
#define LEAST_VOTES 20
#define LEAST_GOLD 5

/* The first source before this one that it repeats; MREN_NO_SOURCE if there is none. */
static uint32
repeated(const MrenVoteSummary *summary, uint32 source)
{
	for (uint32 other = 0; other < source; other++)
	{
		if (mren_vote_similarity(summary, source, other) >= MREN_VOTE_REPEATS)
			return other;
	}
	return MREN_NO_SOURCE;
}

static bool
warn_of_coverage(const MrenVotes *votes, const MrenVoteSummary *summary, uint32 source)
{
	const MrenSourceSummary *of = &summary->sources[source];
	const char *name = mren_vote_name(&votes->sources, source);

	if (of->most_votes == of->votes && of->votes * 2 > votes->n_rows)
		ereport(
			WARNING,
			(errmsg("source \"%s\" always votes for \"%s\", on %llu of %llu rows", name,
					mren_vote_name(&votes->relations, of->most), (unsigned long long) of->votes,
					(unsigned long long) votes->n_rows),
			 errhint("Its votes do not distinguish rows. Let it abstain (relation NULL, or no row) "
					 "where it does not know.")));
	else if (of->votes == votes->n_rows)
		ereport(
			WARNING,
			(errmsg("source \"%s\" votes on each of the %llu rows", name,
					(unsigned long long) votes->n_rows),
			 errhint("Its guesses look like what it knows. Let it abstain (relation NULL, or no "
					 "row) where it does not know.")));
	else
		return false;
	return true;
}

static bool
warn_of_copies(const MrenVotes *votes, const MrenVoteSummary *summary, uint32 source)
{
	uint32 other = repeated(summary, source);

	if (other == MREN_NO_SOURCE)
		return false;
	ereport(WARNING,
			(errmsg("source \"%s\" repeats source \"%s\"", mren_vote_name(&votes->sources, source),
					mren_vote_name(&votes->sources, other)),
			 errdetail("They agree on %.1f %% of the rows on which one of them votes.",
					   100 * mren_vote_similarity(summary, source, other)),
			 errhint("A majority counts both; the method \"weighted\" does not.")));
	return true;
}

static bool
warn_of_errors(const MrenVotes *votes, const MrenVoteSummary *summary, uint32 source)
{
	const MrenSourceSummary *of = &summary->sources[source];

	if (of->gold < LEAST_GOLD || of->accuracy_high >= 0.5)
		return false;
	ereport(WARNING, (errmsg("source \"%s\" is right on %llu of %llu gold rows only",
							 mren_vote_name(&votes->sources, source),
							 (unsigned long long) of->correct, (unsigned long long) of->gold),
					  errhint("Leave out or mend a source that is wrong more often than right.")));
	return true;
}

void
mren_votes_warn(const MrenVotes *votes, const MrenVoteSummary *summary)
{
	int n = 0;

	for (uint32 source = 0; source < summary->n; source++)
	{
		/* A single source votes on all rows that there are. */
		if (summary->n < 2 || summary->sources[source].votes < LEAST_VOTES)
			continue;
		if (n >= LISTED)
		{
			ereport(WARNING, (errmsg("further sources are not checked"),
							  errhint("mren.vote_summary shows all of them.")));
			return;
		}
		n += warn_of_coverage(votes, summary, source);
		n += warn_of_copies(votes, summary, source);
		n += warn_of_errors(votes, summary, source);
	}
}
