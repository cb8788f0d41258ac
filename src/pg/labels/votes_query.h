/*
 * votes_query.h
 *	  The queries of votes and of gold rows, read into patterns.
 */
#ifndef MREN_PG_LABELS_VOTES_QUERY_H
#define MREN_PG_LABELS_VOTES_QUERY_H

#include "postgres.h"

#include "utils/tuplestore.h"

#include "labels/vote_summary.h"

/*
 * The columns of the rows that are kept: id (text) and pattern (integer), in bytewise order of ids.
 */
#define MREN_VOTED_ID 1
#define MREN_VOTED_PATTERN 2

/*
 * mren_votes_read
 *	  Runs both queries as one read-only statement; gold may be NULL.  votes->env
 *	  is set and outlives votes.  Appends the rows that have votes to `rows`, a
 *	  tuplestore with the columns `desc` as mren_voted_rows made them; both may
 *	  be NULL.  Gives a NOTICE of gold rows without votes and of relations that
 *	  nobody votes for.  Connects to SPI itself.
 */
extern void mren_votes_read(const char *votes_query, const char *gold_query, MrenVotes *votes,
							Tuplestorestate *rows, TupleDesc desc);

/* An empty store for rows, which spills to disk beyond work_mem. */
extern Tuplestorestate *mren_voted_rows(TupleDesc *desc);

/* A name of votes as text, cut to what a message can show. */
extern const char *mren_vote_name(const MrenNames *names, uint32 rank);

/*
 * A WARNING for each of the first ten sources that vote on every row, or for one
 * relation only and on most rows, or that repeat another source, or that are
 * wrong more often than right.
 */
extern void mren_votes_warn(const MrenVotes *votes, const MrenVoteSummary *summary);

#endif
