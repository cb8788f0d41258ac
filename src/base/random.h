/*
 * random.h
 *	  The random numbers of training: seeded, portable, the same everywhere.
 *
 * xoshiro256** (Blackman and Vigna, 2018) seeded through SplitMix64.  Not for
 * secrets.
 */
#ifndef MREN_BASE_RANDOM_H
#define MREN_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

typedef struct MrenRandom
{
	uint64_t s[4];
} MrenRandom;

/* Distinct streams of one seed are independent; each purpose has its own. */
extern void mren_random_seed(MrenRandom *random, uint64_t seed, uint64_t stream);
extern uint64_t mren_random_next(MrenRandom *random);

/* Uniform in [0, 1), with 24 random bits. */
extern float mren_random_uniform(MrenRandom *random);

/* Standard normal, Box-Muller. */
extern float mren_random_normal(MrenRandom *random);

/* Uniform in 0 .. bound - 1 without bias; bound > 0. */
extern uint64_t mren_random_below(MrenRandom *random, uint64_t bound);

/* Fisher-Yates over n indices. */
extern void mren_random_shuffle(MrenRandom *random, uint32_t *items, size_t n);

#endif
