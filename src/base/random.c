/*
 * random.c
 *	  xoshiro256** and what is drawn from it.
 */
#include "base/random.h"

#include <math.h>

static uint64_t
splitmix64(uint64_t *x)
{
	uint64_t z = (*x += UINT64_C(0x9E3779B97F4A7C15));

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

static inline uint64_t
rotl(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

void
mren_random_seed(MrenRandom *random, uint64_t seed, uint64_t stream)
{
	uint64_t x = stream;

	/* Whiten the stream before mixing it in, so that neighbours differ. */
	x = seed ^ splitmix64(&x);
	for (int i = 0; i < 4; i++)
		random->s[i] = splitmix64(&x);
}

uint64_t
mren_random_next(MrenRandom *random)
{
	uint64_t *s = random->s;
	uint64_t result = rotl(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return result;
}

float
mren_random_uniform(MrenRandom *random)
{
	return (float) (mren_random_next(random) >> 40) * 0x1.0p-24f;
}

float
mren_random_normal(MrenRandom *random)
{
	double u = ((double) (mren_random_next(random) >> 11) + 1.0) * 0x1.0p-53;
	double v = (double) (mren_random_next(random) >> 11) * 0x1.0p-53;

	return (float) (sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v));
}

uint64_t
mren_random_below(MrenRandom *random, uint64_t bound)
{
	/* Lemire's multiply-and-reject (2019). */
	unsigned __int128 product = (unsigned __int128) mren_random_next(random) * bound;

	if ((uint64_t) product < bound)
	{
		uint64_t threshold = -bound % bound;

		while ((uint64_t) product < threshold)
			product = (unsigned __int128) mren_random_next(random) * bound;
	}
	return (uint64_t) (product >> 64);
}

void
mren_random_shuffle(MrenRandom *random, uint32_t *items, size_t n)
{
	for (size_t i = n; i > 1; i--)
	{
		size_t j = (size_t) mren_random_below(random, i);
		uint32_t swap = items[i - 1];

		items[i - 1] = items[j];
		items[j] = swap;
	}
}
