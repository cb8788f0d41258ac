/*
 * pairs.h
 *	  Which mentions of a document are paired, within bounds.
 */
#ifndef MREN_PG_EXTRACT_PAIRS_H
#define MREN_PG_EXTRACT_PAIRS_H

#include "pg/extract/candidates.h"

typedef struct MrenPairOfMentions
{
	int32 first; /* of the document's mentions, in the order of the text */
	int32 second;
} MrenPairOfMentions;

typedef struct MrenPairs
{
	MrenPairOfMentions *items; /* palloc'd, by first, then second */
	int64 n;
	int64 n_skipped; /* pairs within reach that were not considered */
} MrenPairs;

/* The pairs that mren_candidates_visit visits. */
extern void mren_pairs_choose(const MrenDocument *document, const MrenPairing *pairing,
							  MrenPairs *pairs);

#endif
