/*
 * memory_pool.h
 *	  Memory that is released together, counted against a shared budget.
 *
 * Loading a network allocates thousands of small records and some large
 * blocks; a pool releases them all at once on every way out.  Several pools
 * may share one MrenOnnxBudget, which bounds what they hold together.
 */
#ifndef MREN_ONNX_MODEL_MEMORY_POOL_H
#define MREN_ONNX_MODEL_MEMORY_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/env.h"

typedef struct MrenOnnxBudget
{
	size_t limit; /* 0: none */
	size_t used;
} MrenOnnxBudget;

typedef struct MrenOnnxPoolBlock MrenOnnxPoolBlock;

typedef struct MrenOnnxPool
{
	const MrenEnv *env;
	MrenOnnxBudget *budget;
	MrenOnnxPoolBlock *blocks;
	char *chunk; /* where small records come from */
	size_t chunk_left;
	size_t bytes; /* held by this pool */
	bool weights; /* mren_onnx_pool_weights takes the environment's, see base/weights.h */
} MrenOnnxPool;

extern void mren_onnx_pool_init(MrenOnnxPool *pool, const MrenEnv *env, MrenOnnxBudget *budget);
extern void mren_onnx_pool_free(MrenOnnxPool *pool);

/* A zeroed record of n * size bytes that lives as long as the pool. */
extern MrenStatus mren_onnx_pool_get(MrenOnnxPool *pool, size_t n, size_t size, void *out,
									 MrenError *err);

/* A 64-byte aligned, uninitialized block that may be released before the pool. */
extern MrenStatus mren_onnx_pool_block(MrenOnnxPool *pool, size_t n, size_t size, void *out,
									   MrenError *err);
/*
 * The same for numbers that are computed once and then only read.  If *filled, they are in the
 * block already, which must not be written to; then, and if they are recorded, it must not be
 * released.
 */
extern MrenStatus mren_onnx_pool_weights(MrenOnnxPool *pool, size_t n, size_t size, void *out,
										 bool *filled, MrenError *err);
extern void mren_onnx_pool_release(MrenOnnxPool *pool, void *ptr);

/* A copy of text with its terminator. */
extern MrenStatus mren_onnx_pool_text(MrenOnnxPool *pool, const char *text, const char **out,
									  MrenError *err);

/* Counts bytes held outside any pool; MREN_ELIMIT beyond the budget. */
extern MrenStatus mren_onnx_budget_take(MrenOnnxBudget *budget, size_t bytes, MrenError *err);

#endif
