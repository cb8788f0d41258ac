/*
 * env.h
 *	  What the core needs from its caller: memory, and whether to stop.
 *
 * A table of functions with state, passed to every entry that allocates or
 * runs long.  In the server it is a memory context and InterruptPending; in
 * the unit tests it is malloc with a counter that fails the Nth call.
 */
#ifndef MREN_BASE_ENV_H
#define MREN_BASE_ENV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

#define MREN_ALIGNMENT 64

typedef struct MrenWeights MrenWeights; /* weights.h */

typedef struct MrenEnv
{
	void *state;
	/* size > 0 bytes, 64-byte aligned, uninitialized; NULL when there is none */
	void *(*allocate)(void *state, size_t size);
	/* takes what allocate gave, or NULL */
	void (*release)(void *state, void *ptr);
	/* true once the caller wants this call to end; must not jump */
	bool (*interrupted)(void *state);
	/* where mren_allocate_weights finds or records its blocks; NULL: it only allocates */
	MrenWeights *weights;
} MrenEnv;

/*
 * Allocations of n elements of the given size; zero elements give a valid,
 * releasable pointer.  MREN_ENOMEM on overflow of the product, too.  Clearing many
 * megabytes takes a while, so mren_allocate_zero checks for interrupts meanwhile:
 * MREN_ECANCELED, and nothing is kept.
 */
extern MrenStatus mren_allocate(const MrenEnv *env, size_t n, size_t size, void *out,
								MrenError *err);
extern MrenStatus mren_allocate_zero(const MrenEnv *env, size_t n, size_t size, void *out,
									 MrenError *err);

/*
 * mren_grow
 *	  Makes *array (an array pointer, passed by address, of *capacity elements)
 *	  hold at least `needed`, doubling; the first `used` elements are kept.
 *	  On failure the array is untouched.
 */
extern MrenStatus mren_grow(const MrenEnv *env, void *array, size_t *capacity, size_t used,
							size_t needed, size_t size, MrenError *err);

/* The same, to exactly n elements. */
extern MrenStatus mren_resize(const MrenEnv *env, void *array, size_t used, size_t n, size_t size,
							  MrenError *err);

extern void mren_release(const MrenEnv *env, void *ptr);

/* MREN_ECANCELED, recorded in err, once the environment is interrupted. */
extern MrenStatus mren_check_interrupts(const MrenEnv *env, MrenError *err);

#endif
