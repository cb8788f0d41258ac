/*
 * branch_linear.c
 *	  Finding rows of weights, adding them up, and one step of their training.
 */
#include "relation/branch_linear.h"

#include <math.h>
#include <string.h>

#include "base/weights.h"
#include "nn/kernels.h"

static MrenStatus
check_slots(unsigned bits, const uint32_t *slots, size_t n, MrenError *err)
{
	for (size_t i = 0; i < n; i++)
	{
		if (slots[i] >> bits != 0 || (i > 0 && slots[i - 1] >= slots[i]))
			return mren_fail(err, MREN_EFORMAT, "the slots of features are out of order");
	}
	return MREN_OK;
}

static void
fill_index(MrenLinearIndex *index, const uint32_t *slots, size_t n_words)
{
	uint32_t before = 0;

	for (size_t i = 0; i < index->n; i++)
		index->has[slots[i] / 64] |= (uint64_t) 1 << (slots[i] % 64);
	for (size_t i = 0; i < n_words; i++)
	{
		index->rank[i] = before;
		before += (uint32_t) __builtin_popcountll(index->has[i]);
	}
}

MrenStatus
mren_linear_index_create(const MrenEnv *env, unsigned bits, const uint32_t *slots, size_t n,
						 MrenLinearIndex *index, MrenError *err)
{
	MrenStatus status;
	size_t n_words;
	bool filled;

	memset(index, 0, sizeof(*index));
	if (bits < 1 || bits > MREN_MAX_HASH_BITS)
		return mren_fail(err, MREN_EFORMAT, "hash bits of features must be from 1 to %d, not %u",
						 MREN_MAX_HASH_BITS, bits);
	if (!mren_weights_ready(env))
		MREN_TRY(check_slots(bits, slots, n, err));
	n_words = (((size_t) 1 << bits) + 63) / 64;
	index->bits = bits;
	index->n = n;
	status = mren_allocate_weights_zero(env, n_words, sizeof(uint64_t), &index->has, &filled, err);
	if (status == MREN_OK)
		status = mren_allocate_weights(env, n_words, sizeof(uint32_t), &index->rank, &filled, err);
	if (status != MREN_OK)
		mren_linear_index_free(env, index);
	else if (!filled)
		fill_index(index, slots, n_words);
	return status;
}

void
mren_linear_index_free(const MrenEnv *env, MrenLinearIndex *index)
{
	mren_release(env, index->has);
	mren_release(env, index->rank);
	memset(index, 0, sizeof(*index));
}

size_t
mren_linear_index_bytes(const MrenLinearIndex *index)
{
	return index->bits == 0 ? 0 : (((size_t) 1 << index->bits) + 63) / 64 * 12;
}

size_t
mren_linear_rows(const MrenLinearIndex *index, const uint32_t *features, size_t n, uint32_t *rows)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
	{
		uint32_t row = mren_linear_row(index, features[i]);

		if (row != MREN_NO_ROW)
			rows[found++] = row;
	}
	return found;
}

void
mren_linear_add(const float *weights, size_t k, const uint32_t *rows, size_t n, float *scores)
{
	for (size_t i = 0; i < n; i++)
		mren_axpy(scores, weights + rows[i] * k, 1, k);
}

void
mren_linear_step(float rate, float *weights, float *squares, size_t k, const uint32_t *rows,
				 size_t n, const float *gradient)
{
	for (size_t i = 0; i < n; i++)
	{
		float *w = weights + rows[i] * k;
		float *q = squares + rows[i] * k;

		for (size_t j = 0; j < k; j++)
		{
			float g = gradient[j];

			if (g == 0)
				continue;
			q[j] += g * g;
			w[j] -= rate / sqrtf(q[j]) * g;
		}
	}
}
