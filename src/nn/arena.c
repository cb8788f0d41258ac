/*
 * arena.c
 *	  One allocation for many matrices.
 */
#include "nn/arena.h"

MrenStatus
mren_arena_create(const MrenEnv *env, const MrenArenaBlock *blocks, size_t n_blocks, float **memory,
				  MrenError *err)
{
	size_t total = 0;
	float *at;

	for (size_t i = 0; i < n_blocks; i++)
		total += mren_align_floats(blocks[i].n);
	MREN_TRY(mren_allocate_zero(env, total, sizeof(float), memory, err));
	at = *memory;
	for (size_t i = 0; i < n_blocks; i++)
	{
		*blocks[i].at = at;
		at += mren_align_floats(blocks[i].n);
	}
	return MREN_OK;
}
