/*
 * arena.h
 *	  Matrices of floats that share one allocation.
 *
 * Each begins at a multiple of 16 floats, that is of 64 bytes.
 */
#ifndef MREN_NN_ARENA_H
#define MREN_NN_ARENA_H

#include "base/env.h"

/* n rounded up to whole multiples of 16 floats. */
static inline size_t
mren_align_floats(size_t n)
{
	return (n + 15) & ~(size_t) 15;
}

/* One of the matrices: where its address goes, and its number of floats. */
typedef struct MrenArenaBlock
{
	float **at;
	size_t n;
} MrenArenaBlock;

/*
 * mren_arena_create
 *	  Allocates *memory, zeroed, for all blocks, and sets their addresses; releasing
 *	  *memory releases them all.  The caller's sizes and their sum fit a size_t.
 */
extern MrenStatus mren_arena_create(const MrenEnv *env, const MrenArenaBlock *blocks,
									size_t n_blocks, float **memory, MrenError *err);

#endif
