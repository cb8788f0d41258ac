/*
 * call_site.h
 *	  What a call site of a per-row function keeps from row to row, for functions
 *	  with an options argument.
 */
#ifndef MREN_PG_SUPPORT_CALL_SITE_H
#define MREN_PG_SUPPORT_CALL_SITE_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/jsonb.h"

/* The first field of a function's own state. */
typedef struct MrenCallSite
{
	Jsonb *object;		/* the options as given; NULL: none */
	MemoryContext row;	/* for one row: the function resets it */
	MemoryContext site; /* of everything, including this struct */
} MrenCallSite;

/*
 * mren_call_site
 *	  The site of this call, of `size` bytes that begin with an MrenCallSite.  It
 *	  is made at the first row, and again if the options change: a call site
 *	  outlives a group and one execution of a subquery.  open fills in the rest,
 *	  which is zero, in the site's context.  options_arg is the number of the
 *	  options argument (jsonb); -1: the function has none.
 */
extern MrenCallSite *mren_call_site(FunctionCallInfo fcinfo, int options_arg, Size size,
									void (*open)(MrenCallSite *site));

#endif
