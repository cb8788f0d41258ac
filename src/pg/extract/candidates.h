/*
 * candidates.h
 *	  Pairs of mentions between which a relation may hold.
 */
#ifndef MREN_PG_EXTRACT_CANDIDATES_H
#define MREN_PG_EXTRACT_CANDIDATES_H

#include "postgres.h"

#include "pg/extract/mentions.h"
#include "pg/extract/relation_schema.h"

typedef struct MrenCandidate
{
	const MrenDocMention *head;
	const MrenDocMention *tail;
	MrenToken text;	 /* of the document: from the first's sentence to the last's */
	bool head_first; /* in the text */
} MrenCandidate;

/* Which pairs are candidates; the settings bound how many there are. */
typedef struct MrenPairing
{
	const MrenRelationSchema *schema; /* NULL: all */
	int32 max_distance;				  /* characters between them; negative: one sentence */
	bool once;						  /* each pair only in the order of the text */
} MrenPairing;

/* The argument of that name; -1 for NULL, 22023 for what is negative. */
extern int32 mren_arg_max_distance(FunctionCallInfo fcinfo, int arg);

/*
 * mren_candidates_visit
 *	  Each ordered pair of different mentions that some relation of the schema
 *	  allows: of one sentence or, with max_distance, no further apart than that.
 *	  Mentions of the same name and type are no pair.  By the mention that comes
 *	  first in the text, then the other, head first before tail first.
 *
 *	  Of the pairs that begin in one sentence no more than mren.max_pairs_sentence
 *	  are visited, of all no more than mren.max_pairs_document: those with the
 *	  fewest mentions between them.  Returns the number of pairs of mentions that
 *	  were left out for that.
 */
typedef void (*MrenCandidateVisitor)(void *state, const MrenCandidate *candidate);
extern int64 mren_candidates_visit(const MrenDocument *document, const MrenPairing *pairing,
								   MrenCandidateVisitor visit, void *state);

/* A NOTICE once a statement, if pairs were left out. */
extern void mren_candidates_notice(int64 n_skipped);

#endif
