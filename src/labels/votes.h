/*
 * votes.h
 *	  Votes of sources on rows, gathered into distinct patterns.
 *
 * A row is begun by its first vote and ended by mren_votes_end_row.  While rows
 * are added, sources and relations are numbered by arrival; mren_votes_finish
 * renumbers them in bytewise order and puts the patterns into an order of their
 * contents, so that all that is computed afterwards has the same bits in
 * whatever order the votes arrived.
 */
#ifndef MREN_LABELS_VOTES_H
#define MREN_LABELS_VOTES_H

#include "base/names.h"

#define MREN_MAX_SOURCES 2000
#define MREN_MAX_VOTED_RELATIONS 2000

/* The pattern of a row that nobody voted on. */
#define MREN_NO_PATTERN UINT32_MAX

/* A source and the relation that it votes for. */
typedef uint32_t MrenVote;

static inline uint32_t
mren_vote_source(MrenVote vote)
{
	return vote >> 16;
}

static inline uint32_t
mren_vote_relation(MrenVote vote)
{
	return vote & 0xFFFF;
}

typedef struct MrenVotePattern
{
	size_t at;	   /* of its first vote in `votes` */
	uint32_t n;	   /* votes, sorted by source; at least 1 */
	uint64_t rows; /* that have exactly these votes */
} MrenVotePattern;

/* Rows with a pattern whose relation is known. */
typedef struct MrenVotesGold
{
	uint32_t pattern;
	uint32_t relation;
	uint64_t rows;
} MrenVotesGold;

/* Zero-initialized but for env before its first use. */
typedef struct MrenVotes
{
	const MrenEnv *env;
	MrenNames sources;
	MrenNames relations; /* also those that only gold rows have */
	MrenVote *votes;	 /* of all patterns */
	size_t n_votes, votes_capacity;
	MrenVotePattern *patterns; /* by arrival */
	size_t n_patterns, patterns_capacity;
	uint32_t *order;	 /* (n_patterns), once finished: patterns by their contents */
	MrenVotesGold *gold; /* once finished: distinct, in the order of patterns and relations */
	size_t n_gold, gold_capacity;
	uint64_t *relation_votes; /* (relations.n), once finished: votes by relation */
	uint64_t n_rows;		  /* with at least one vote */
	uint64_t n_cast;		  /* votes of all rows */
	uint64_t n_gold_rows;	  /* of n_rows, those whose relation is known */
	uint64_t n_unvoted;		  /* gold rows that nobody voted on */
	uint64_t n_unknown; /* gold rows with votes, whose relation nobody votes for; once finished */
	uint32_t unknown;	/* the first such relation */

	MrenTextSpan id; /* of the row under way, for messages; set by the caller */

	/* The row under way, and the table by which patterns are found. */
	MrenVote *row;
	size_t n_row, row_capacity;
	bool has_gold;
	uint32_t row_gold;
	uint32_t *slots; /* (n_slots, a power of 2): pattern + 1 */
	size_t n_slots;
} MrenVotes;

/*
 * mren_votes_add
 *	  A vote on the row under way; the same vote twice is one.  MREN_EDATA if
 *	  the source has voted for another relation of this row, MREN_ELIMIT beyond
 *	  MREN_MAX_SOURCES or MREN_MAX_VOTED_RELATIONS.
 */
extern MrenStatus mren_votes_add(MrenVotes *votes, MrenTextSpan source, MrenTextSpan relation,
								 MrenError *err);

/* The known relation of the row under way; MREN_EDATA if it has another one already. */
extern MrenStatus mren_votes_add_gold(MrenVotes *votes, MrenTextSpan relation, MrenError *err);

/* Its pattern is MREN_NO_PATTERN if nobody voted on the row. */
extern MrenStatus mren_votes_end_row(MrenVotes *votes, uint32_t *pattern, MrenError *err);

/* To be called once, after the last row. */
extern MrenStatus mren_votes_finish(MrenVotes *votes, MrenError *err);

extern void mren_votes_free(MrenVotes *votes);

#endif
