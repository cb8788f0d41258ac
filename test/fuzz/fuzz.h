/*
 * fuzz.h
 *	  What every fuzz target shares: an environment that refuses to hold more
 *	  than a limit, so that a length field read from the input shows up as a
 *	  refused allocation and not as the fuzzer running out of memory.
 *
 * The target calls fuzz_env at each input and fuzz_done at its end; the latter
 * aborts when something is still allocated.
 */
#ifndef MREN_TEST_FUZZ_H
#define MREN_TEST_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/env.h"

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct FuzzEnv
{
	MrenEnv env;
	size_t limit; /* bytes held at once */
	size_t held;
	size_t n_live;
} FuzzEnv;

/* Each block is preceded by a whole aligned header that keeps its size. */
static inline void *
fuzz_allocate(void *state, size_t size)
{
	FuzzEnv *fuzz = state;
	size_t rounded;
	char *block;

	if (size > fuzz->limit - fuzz->held)
		return NULL;
	rounded = (size + MREN_ALIGNMENT - 1) / MREN_ALIGNMENT * MREN_ALIGNMENT;
	block = aligned_alloc(MREN_ALIGNMENT, rounded + MREN_ALIGNMENT);
	if (block == NULL)
		return NULL;
	*(size_t *) block = size;
	fuzz->held += size;
	fuzz->n_live++;
	return block + MREN_ALIGNMENT;
}

static inline void
fuzz_release(void *state, void *ptr)
{
	FuzzEnv *fuzz = state;
	char *block = ptr;

	if (block == NULL)
		return;
	block -= MREN_ALIGNMENT;
	fuzz->held -= *(size_t *) block;
	fuzz->n_live--;
	free(block);
}

static inline bool
fuzz_interrupted(void *state)
{
	(void) state;
	return false;
}

static inline const MrenEnv *
fuzz_env(FuzzEnv *fuzz, size_t limit)
{
	fuzz->limit = limit;
	fuzz->held = 0;
	fuzz->n_live = 0;
	fuzz->env = (MrenEnv){.state = fuzz,
						  .allocate = fuzz_allocate,
						  .release = fuzz_release,
						  .interrupted = fuzz_interrupted};
	return &fuzz->env;
}

static inline void
fuzz_done(const FuzzEnv *fuzz)
{
	if (fuzz->n_live != 0)
		abort();
}

#endif
