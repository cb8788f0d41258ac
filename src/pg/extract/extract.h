/*
 * extract.h
 *	  What mren.extract_evidence did in this backend, for the graph that called it.
 */
#ifndef MREN_PG_EXTRACT_EXTRACT_H
#define MREN_PG_EXTRACT_EXTRACT_H

#include "postgres.h"

typedef struct MrenExtractCounts
{
	int64 documents;	 /* begun, a failed one too */
	int64 skipped_pairs; /* see mren_candidates_visit */
} MrenExtractCounts;

/* The counts since the last call. */
extern MrenExtractCounts mren_extract_counts_take(void);

#endif
