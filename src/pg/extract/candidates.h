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

/* Which pairs are candidates. */
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
 *	  Each ordered pair of different mentions of one sentence, or no further
 *	  apart than max_distance, that some relation of the schema allows; mentions
 *	  of the same name and type are no pair.  By the mention that comes first in the text, then the other, head first before
 *	  tail first.
 */
typedef void (*MrenCandidateVisitor)(void *state, const MrenCandidate *candidate);
extern void mren_candidates_visit(const MrenDocument *document, const MrenPairing *pairing,
								  MrenCandidateVisitor visit, void *state);

#endif
