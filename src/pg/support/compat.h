/*
 * compat.h
 *	  What differs between PostgreSQL 14 and 18 in the server's own interface.
 */
#ifndef MREN_PG_SUPPORT_COMPAT_H
#define MREN_PG_SUPPORT_COMPAT_H

#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "storage/shm_mq.h"
#include "utils/guc.h"
#include "utils/rangetypes.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* After a declaration; the server's own macro for it changed in 18. */
#define MREN_NORETURN __attribute__((noreturn))

/* From 16 on, errors can be collected instead of raised; ours are raised. */
static inline RangeType *
mren_make_range(TypeCacheEntry *type, RangeBound *lower, RangeBound *upper)
{
#if PG_VERSION_NUM >= 160000
	return make_range(type, lower, upper, false, NULL);
#else
	return make_range(type, lower, upper, false);
#endif
}

/* Messages of which the other side is notified at once, as 14 always does. */
static inline shm_mq_result
mren_shm_mq_sendv(shm_mq_handle *queue, shm_mq_iovec *parts, int n)
{
#if PG_VERSION_NUM >= 150000
	return shm_mq_sendv(queue, parts, n, false, true);
#else
	return shm_mq_sendv(queue, parts, n, false);
#endif
}

static inline shm_mq_result
mren_shm_mq_send(shm_mq_handle *queue, Size size, const void *data)
{
	shm_mq_iovec part = {data, size};

	return mren_shm_mq_sendv(queue, &part, 1);
}

#if PG_VERSION_NUM < 150000
/* As 15 and later have it, without flags: the result is a tuplestore of the declared type. */
static inline void
mren_init_materialized_srf(FunctionCallInfo fcinfo)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext caller;
	TupleDesc desc;

	if (rsinfo == NULL || !IsA(rsinfo, ReturnSetInfo))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("set-valued function called in context that cannot accept a set")));
	if (!(rsinfo->allowedModes & SFRM_Materialize))
		ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR),
						errmsg("materialize mode required, but it is not allowed in this "
							   "context")));
	caller = MemoryContextSwitchTo(rsinfo->econtext->ecxt_per_query_memory);
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	rsinfo->returnMode = SFRM_Materialize;
	rsinfo->setResult = tuplestore_begin_heap((rsinfo->allowedModes & SFRM_Materialize_Random) != 0,
											  false, work_mem);
	rsinfo->setDesc = desc;
	MemoryContextSwitchTo(caller);
}
#define InitMaterializedSRF(fcinfo, flags) mren_init_materialized_srf(fcinfo)
#endif

#endif
