/*
 * span_slips.h
 *	  Spans of a query's rows that cut words, counted for one warning.
 */
#ifndef MREN_PG_RESOURCE_SPAN_SLIPS_H
#define MREN_PG_RESOURCE_SPAN_SLIPS_H

#include "postgres.h"

#include "lib/stringinfo.h"

#include "pg/support/args.h"
#include "text/border.h"

/* Zero but for context, which must live until the warning. */
typedef struct MrenSpanSlips
{
	MemoryContext context;
	MrenTokens tokens; /* of the row's sentence */
	MrenTextSpan sentence;
	int64 n_spans;
	int64 n; /* of them, slips */
	int64 fits[MREN_SPAN_READINGS];
	StringInfoData list; /* the first three */
} MrenSpanSlips;

/* Begins a row, whose spans follow. */
extern void mren_slips_row(MrenSpanSlips *slips, MrenTextSpan sentence);

/*
 * Checks a span of the row, in characters; name may have data NULL.  id, or if it is
 * NULL the number, names the row in the warning.
 */
extern void mren_slips_add(MrenSpanSlips *slips, int32 lower, int32 upper, MrenTextSpan name,
						   const char *id, int64 number);

/* Checks both mentions of a row, which are ranges. */
extern void mren_slips_pair(MrenSpanSlips *slips, const MrenPair *pair, const char *id,
							int64 number);

/* One WARNING, if there was a slip, with the first three and how the offsets may be meant. */
extern void mren_slips_warn(const MrenSpanSlips *slips);

#endif
