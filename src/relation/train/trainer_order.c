/*
 * trainer_order.c
 *	  The order of an epoch.
 *
 * Canonical order is cut into blocks of 1024 rows; the epoch's seed permutes
 * the blocks; sixteen at a time (fewer if they are big) are read, block after block, and their
 * training rows shuffled together.  So a file is read mostly in sequence, memory
 * holds one pool, and the order depends on rows and seed alone.
 */
#include "relation/train/trainer_rows.h"

#include <string.h>

MrenStatus
mren_trainer_pool_create(MrenTrainer *trainer, MrenError *err)
{
	MrenRowPool *pool = &trainer->pool;
	size_t rows = trainer->inputs.source.n < MREN_BLOCK_ROWS * MREN_POOL_BLOCKS
					  ? trainer->inputs.source.n
					  : MREN_BLOCK_ROWS * MREN_POOL_BLOCKS;

	pool->n_blocks = (trainer->inputs.source.n + MREN_BLOCK_ROWS - 1) / MREN_BLOCK_ROWS;
	if (pool->n_blocks > UINT32_MAX)
		return mren_fail(err, MREN_ELIMIT, "too many training rows: %zu", trainer->inputs.source.n);
	MREN_TRY(mren_allocate(&trainer->env, pool->n_blocks, sizeof(uint32_t), &pool->blocks, err));
	MREN_TRY(mren_allocate(&trainer->env, rows, sizeof(uint64_t), &pool->offsets, err));
	return mren_allocate(&trainer->env, rows, sizeof(uint32_t), &pool->order, err);
}

void
mren_trainer_pool_free(MrenTrainer *trainer)
{
	MrenRowPool *pool = &trainer->pool;

	mren_release(&trainer->env, pool->blocks);
	mren_release(&trainer->env, pool->offsets);
	mren_release(&trainer->env, pool->order);
	mren_buffer_free(&trainer->env, &pool->records);
	memset(pool, 0, sizeof(*pool));
}

void
mren_trainer_pool_begin(MrenTrainer *trainer)
{
	MrenRowPool *pool = &trainer->pool;
	uint64_t stream = MREN_STREAM_SHUFFLE + (uint64_t) trainer->epochs.phase;

	mren_random_seed(&pool->random, mren_trainer_member(trainer)->seed,
					 stream << 32 | (uint64_t) trainer->epochs.epoch);
	for (size_t i = 0; i < pool->n_blocks; i++)
		pool->blocks[i] = (uint32_t) i;
	mren_random_shuffle(&pool->random, pool->blocks, pool->n_blocks);
	pool->next_block = pool->n = pool->next = 0;
}

static MrenStatus
read_block(MrenTrainer *trainer, size_t block, MrenError *err)
{
	MrenRowPool *pool = &trainer->pool;
	size_t end = (block + 1) * MREN_BLOCK_ROWS;

	MREN_TRY(mren_check_interrupts(&trainer->env, err));
	end = end < trainer->inputs.source.n ? end : trainer->inputs.source.n;
	for (size_t i = block * MREN_BLOCK_ROWS; i < end; i++)
	{
		const uint8_t *record;
		size_t len;

		if (!mren_trainer_uses(trainer, trainer->measured.roles[i]))
			continue;
		MREN_TRY(trainer->inputs.source.read(trainer->inputs.source.state, i, &record, &len, err));
		pool->offsets[pool->n] = pool->records.len;
		pool->order[pool->n] = (uint32_t) pool->n;
		MREN_TRY(mren_buffer_append(&trainer->env, &pool->records, record, len, err));
		pool->n++;
	}
	return MREN_OK;
}

static MrenStatus
fill_pool(MrenTrainer *trainer, MrenError *err)
{
	MrenRowPool *pool = &trainer->pool;
	size_t read = 0;

	pool->n = pool->next = 0;
	pool->records.len = 0;
	while (pool->next_block < pool->n_blocks && read < MREN_POOL_BLOCKS &&
		   pool->records.len < MREN_POOL_BYTES)
	{
		MREN_TRY(read_block(trainer, pool->blocks[pool->next_block], err));
		pool->next_block++;
		read++;
	}
	mren_random_shuffle(&pool->random, pool->order, pool->n);
	return MREN_OK;
}

MrenStatus
mren_trainer_pool_next(MrenTrainer *trainer, const uint8_t **record, size_t *len, MrenError *err)
{
	MrenRowPool *pool = &trainer->pool;
	uint64_t at;

	*record = NULL;
	*len = 0;
	while (pool->next == pool->n)
	{
		if (pool->next_block == pool->n_blocks)
			return MREN_OK;
		MREN_TRY(fill_pool(trainer, err));
	}
	at = pool->offsets[pool->order[pool->next++]];
	*record = pool->records.data + at;
	*len = pool->records.len - at;
	return MREN_OK;
}
