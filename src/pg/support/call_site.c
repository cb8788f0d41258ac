/*
 * call_site.c
 *	  What a call site of a per-row function keeps from row to row.
 */
#include "pg/support/call_site.h"

#include "utils/memutils.h"

#include "pg/support/json_options.h"

static MrenCallSite *
open_site(MemoryContext parent, const Jsonb *object, Size size, void (*open)(MrenCallSite *site))
{
	MemoryContext context = AllocSetContextCreate(parent, "mren call site", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	MrenCallSite *site = palloc0(size);

	site->site = context;
	site->row = AllocSetContextCreate(context, "mren row", ALLOCSET_DEFAULT_SIZES);
	if (object != NULL)
		site->object = (Jsonb *) memcpy(palloc(VARSIZE(object)), object, VARSIZE(object));
	open(site);
	MemoryContextSwitchTo(old);
	return site;
}

MrenCallSite *
mren_call_site(FunctionCallInfo fcinfo, int options_arg, Size size,
			   void (*open)(MrenCallSite *site))
{
	MrenCallSite *site = fcinfo->flinfo->fn_extra;
	const Jsonb *object =
		options_arg < 0 || PG_ARGISNULL(options_arg) ? NULL : PG_GETARG_JSONB_P(options_arg);

	if (site != NULL && mren_json_options_equal(site->object, object))
		return site;
	/* If open fails, the next call must not find the old site, which is gone. */
	fcinfo->flinfo->fn_extra = NULL;
	if (site != NULL)
		MemoryContextDelete(site->site);
	site = open_site(fcinfo->flinfo->fn_mcxt, object, size, open);
	fcinfo->flinfo->fn_extra = site;
	return site;
}
