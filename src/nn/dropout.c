/*
 * dropout.c
 *	  Drawing masks and applying them.
 */
#include "nn/dropout.h"

#include "nn/kernels.h"

#define CHUNK 1024

void
mren_dropout(MrenRandom *random, float p, const float *x, float *y, float *mask, size_t n)
{
	uint32_t threshold = (uint32_t) (p * 65536.0f + 0.5f);
	float keep = 65536.0f / (float) (65536 - threshold);
	uint64_t bits[CHUNK / 4];

	/* Four decisions of 16 bits from each random number, a chunk at a time. */
	for (size_t i = 0; i < n; i += CHUNK)
	{
		size_t size = n - i < CHUNK ? n - i : CHUNK;

		for (size_t j = 0; j < (size + 3) / 4; j++)
			bits[j] = mren_random_next(random);
		mren_mask(mask + i, bits, threshold, keep, size);
	}
	mren_multiply(y, x, mask, n);
}
