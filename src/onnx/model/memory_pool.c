/*
 * memory_pool.c
 *	  Blocks in a doubly linked list, small records cut from shared blocks.
 */
#include "onnx/model/memory_pool.h"

#include <string.h>

#include "base/size.h"
#include "base/weights.h"

#define CHUNK_BYTES ((size_t) 16384)
#define RECORD_MAX ((size_t) 2048)
#define RECORD_ALIGNMENT ((size_t) 16)

/* One alignment unit in front of each block, so that the block stays aligned. */
struct MrenOnnxPoolBlock
{
	MrenOnnxPoolBlock *next;
	MrenOnnxPoolBlock *prev;
	size_t bytes;
};

_Static_assert(sizeof(MrenOnnxPoolBlock) <= MREN_ALIGNMENT, "a block's header fits its space");

void
mren_onnx_pool_init(MrenOnnxPool *pool, const MrenEnv *env, MrenOnnxBudget *budget)
{
	memset(pool, 0, sizeof(*pool));
	pool->env = env;
	pool->budget = budget;
}

MrenStatus
mren_onnx_budget_take(MrenOnnxBudget *budget, size_t bytes, MrenError *err)
{
	size_t used;

	if (!mren_size_add(budget->used, bytes, &used))
		return mren_fail_nomem(err);
	if (budget->limit != 0 && used > budget->limit)
	{
		mren_fail(err, MREN_ELIMIT, "network needs more than the allowed %zu bytes of memory",
				  budget->limit);
		return MREN_ELIMIT;
	}
	budget->used = used;
	return MREN_OK;
}

static MrenStatus
block_new(MrenOnnxPool *pool, size_t bytes, void **out, MrenError *err)
{
	MrenOnnxPoolBlock *block;
	size_t total;
	MrenStatus status;

	if (!mren_size_add(bytes, MREN_ALIGNMENT, &total))
		return mren_fail_nomem(err);
	MREN_TRY(mren_onnx_budget_take(pool->budget, total, err));
	status = mren_allocate(pool->env, 1, total, &block, err);
	if (status != MREN_OK)
	{
		pool->budget->used -= total;
		return status;
	}
	block->bytes = total;
	block->prev = NULL;
	block->next = pool->blocks;
	if (pool->blocks != NULL)
		pool->blocks->prev = block;
	pool->blocks = block;
	pool->bytes += total;
	*out = (char *) block + MREN_ALIGNMENT;
	return MREN_OK;
}

MrenStatus
mren_onnx_pool_block(MrenOnnxPool *pool, size_t n, size_t size, void *out, MrenError *err)
{
	size_t bytes;
	void *ptr;

	if (!mren_size_mul(n, size, &bytes))
		return mren_fail_nomem(err);
	MREN_TRY(block_new(pool, bytes, &ptr, err));
	memcpy(out, &ptr, sizeof(ptr));
	return MREN_OK;
}

MrenStatus
mren_onnx_pool_weights(MrenOnnxPool *pool, size_t n, size_t size, void *out, bool *filled,
					   MrenError *err)
{
	void *ptr;

	*filled = false;
	if (pool->weights && mren_weights_ready(pool->env))
		return mren_allocate_weights(pool->env, n, size, out, filled, err);
	MREN_TRY(mren_onnx_pool_block(pool, n, size, &ptr, err));
	if (pool->weights && pool->env->weights != NULL)
		MREN_TRY(mren_weights_add(pool->env->weights, ptr, n * size, err));
	memcpy(out, &ptr, sizeof(ptr));
	return MREN_OK;
}

MrenStatus
mren_onnx_pool_get(MrenOnnxPool *pool, size_t n, size_t size, void *out, MrenError *err)
{
	size_t bytes;
	void *ptr;

	if (!mren_size_mul(n, size, &bytes) || !mren_size_add(bytes, RECORD_ALIGNMENT - 1, &bytes))
		return mren_fail_nomem(err);
	bytes &= ~(RECORD_ALIGNMENT - 1);
	if (bytes == 0)
		bytes = RECORD_ALIGNMENT;
	if (bytes > RECORD_MAX)
		MREN_TRY(block_new(pool, bytes, &ptr, err));
	else
	{
		if (bytes > pool->chunk_left)
		{
			void *chunk;

			MREN_TRY(block_new(pool, CHUNK_BYTES, &chunk, err));
			pool->chunk = chunk;
			pool->chunk_left = CHUNK_BYTES;
		}
		ptr = pool->chunk;
		pool->chunk += bytes;
		pool->chunk_left -= bytes;
	}
	memset(ptr, 0, bytes);
	memcpy(out, &ptr, sizeof(ptr));
	return MREN_OK;
}

MrenStatus
mren_onnx_pool_text(MrenOnnxPool *pool, const char *text, const char **out, MrenError *err)
{
	size_t len = strlen(text) + 1;
	char *copy;

	MREN_TRY(mren_onnx_pool_get(pool, len, 1, &copy, err));
	memcpy(copy, text, len);
	*out = copy;
	return MREN_OK;
}

void
mren_onnx_pool_release(MrenOnnxPool *pool, void *ptr)
{
	MrenOnnxPoolBlock *block;

	if (ptr == NULL)
		return;
	block = (MrenOnnxPoolBlock *) (void *) ((char *) ptr - MREN_ALIGNMENT);
	if (block->prev != NULL)
		block->prev->next = block->next;
	else
		pool->blocks = block->next;
	if (block->next != NULL)
		block->next->prev = block->prev;
	pool->bytes -= block->bytes;
	pool->budget->used -= block->bytes;
	mren_release(pool->env, block);
}

void
mren_onnx_pool_free(MrenOnnxPool *pool)
{
	MrenOnnxPoolBlock *block = pool->blocks;

	while (block != NULL)
	{
		MrenOnnxPoolBlock *next = block->next;

		mren_release(pool->env, block);
		block = next;
	}
	if (pool->budget != NULL)
		pool->budget->used -= pool->bytes;
	pool->blocks = NULL;
	pool->chunk = NULL;
	pool->chunk_left = 0;
	pool->bytes = 0;
}
