/*
 * pool.h
 *	  Memory that goes together, counted against a shared budget.
 *
 * Loading a network allocates thousands of small records and some large
 * blocks; a pool releases them all at once on every way out.  Several pools
 * may share one MrenBudget, which bounds what they hold together.
 */
#ifndef MREN_ONNX_POOL_H
#define MREN_ONNX_POOL_H

#include <stddef.h>

#include "base/env.h"

typedef struct MrenBudget
{
	size_t limit; /* 0: none */
	size_t used;
} MrenBudget;

typedef struct MrenPoolBlock MrenPoolBlock;

typedef struct MrenPool
{
	const MrenEnv *env;
	MrenBudget *budget;
	MrenPoolBlock *blocks;
	char *chunk; /* where small records come from */
	size_t chunk_left;
	size_t bytes; /* held by this pool */
} MrenPool;

extern void mren_pool_init(MrenPool *pool, const MrenEnv *env, MrenBudget *budget);
extern void mren_pool_free(MrenPool *pool);

/* A zeroed record of n * size bytes that lives as long as the pool. */
extern MrenStatus mren_pool_get(MrenPool *pool, size_t n, size_t size, void *out, MrenError *err);

/* A 64-byte aligned, uninitialised block that may be released before the pool. */
extern MrenStatus mren_pool_block(MrenPool *pool, size_t n, size_t size, void *out, MrenError *err);
extern void mren_pool_release(MrenPool *pool, void *ptr);

/* A copy of text with its terminator. */
extern MrenStatus mren_pool_text(MrenPool *pool, const char *text, const char **out,
								 MrenError *err);

/* Counts bytes held outside any pool; MREN_ELIMIT beyond the budget. */
extern MrenStatus mren_budget_take(MrenBudget *budget, size_t bytes, MrenError *err);

#endif
