/*
 * vote_summary.h
 *	  How the sources of votes behave: coverage, overlaps, conflicts, accuracy,
 *	  and which source repeats which.
 */
#ifndef MREN_LABELS_VOTE_SUMMARY_H
#define MREN_LABELS_VOTE_SUMMARY_H

#include "labels/votes.h"

/* No other source shares a vote. */
#define MREN_NO_SOURCE UINT32_MAX

typedef struct MrenSourceSummary
{
	uint64_t votes;		/* rows it votes on */
	uint64_t overlaps;	/* of them, rows on which another source votes, too */
	uint64_t conflicts; /* of them, rows on which another source votes for another relation */
	uint64_t gold;		/* of them, rows whose relation is known */
	uint64_t correct;	/* of those, rows on which it is right */
	/* The bounds of a 95 % interval of its accuracy (Wilson 1927); 0 and 1 without gold rows. */
	double accuracy_low, accuracy_high;
	uint32_t most; /* the relation it votes for most often, the first of equals */
	uint64_t most_votes;
	uint32_t nearest;	  /* the source that shares most of its votes, the first of equals */
	uint64_t shared;	  /* rows on which both vote for the same relation */
	uint64_t shared_most; /* votes of the nearest */
} MrenSourceSummary;

typedef struct MrenVoteSummary
{
	size_t n; /* sources */
	size_t n_relations;
	MrenSourceSummary *sources; /* (n) by name */
	uint64_t *by_relation;		/* (n, n_relations) votes */
	uint64_t *same;				/* (n, n) rows on which both vote for the same relation */
} MrenVoteSummary;

/* votes must be finished.  Takes time in the sum of the squares of the patterns' lengths. */
extern MrenStatus mren_vote_summarize(const MrenVotes *votes, MrenVoteSummary *summary,
									  MrenError *err);
extern void mren_vote_summary_free(const MrenEnv *env, MrenVoteSummary *summary);

/*
 * The share of the rows on which one of two sources votes on which both vote
 * for the same relation, 0 .. 1.
 */
extern double mren_vote_similarity(const MrenVoteSummary *summary, size_t a, size_t b);

/* Sources so similar are taken for one. */
#define MREN_VOTE_REPEATS 0.95

#endif
