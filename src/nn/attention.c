/*
 * attention.c
 *	  Scores, weights, and the weighted sum of cells.
 */
#include "nn/attention.h"

#include <math.h>
#include <string.h>

#include "base/dispatch.h"
#include "nn/kernels.h"

MREN_VECTORIZE

typedef float Lanes __attribute__((vector_size(32)));

#define LANES 8

/* Eight sums side by side, added at the end: one order whatever the batch. */
MREN_INLINE float
dot(const float *a, const float *b, size_t n)
{
	Lanes sum = {0};
	float total = 0;
	size_t i = 0;

	for (; i + LANES <= n; i += LANES)
	{
		Lanes x;
		Lanes y;

		memcpy(&x, a + i, sizeof(x));
		memcpy(&y, b + i, sizeof(y));
		sum += x * y;
	}
	for (int l = 0; l < LANES; l++)
		total += sum[l];
	for (; i < n; i++)
		total += a[i] * b[i];
	return total;
}

/* scores (n_cells + 1): a vector's dot product with every cell, that with "none" last. */
static void score_cells(const MrenAttention *attention, const float *vector, float *scores);

MREN_KERNEL(score_cells, (const MrenAttention *attention, const float *vector, float *scores),
			(attention, vector, scores))
{
	for (size_t i = 0; i < attention->n_cells; i++)
		scores[i] = dot(vector, attention->cells + i * attention->dim, attention->dim);
	scores[attention->n_cells] = dot(vector, attention->none, attention->dim);
}

static void
sum_cells(const MrenAttention *attention, const float *weights, float *out)
{
	memset(out, 0, attention->dim * sizeof(float));
	for (size_t i = 0; i < attention->n_cells; i++)
		mren_axpy(out, attention->cells + i * attention->dim, weights[i], attention->dim);
	mren_axpy(out, attention->none, weights[attention->n_cells], attention->dim);
}

void
mren_attend(const MrenAttention *attention, const float *query, float *weights, float *attended)
{
	size_t n = attention->n_cells + 1;
	float root = sqrtf((float) attention->dim);
	float top = -INFINITY;
	float sum = 0;

	score_cells(attention, query, weights);
	for (size_t i = 0; i < n; i++)
		top = weights[i] > top ? weights[i] : top;
	for (size_t i = 0; i < n; i++)
	{
		weights[i] = expf((weights[i] - top) / root);
		sum += weights[i];
	}
	for (size_t i = 0; i < n; i++)
		weights[i] /= sum;
	sum_cells(attention, weights, attended);
}

void
mren_attend_backward(const MrenAttention *attention, const float *query, const float *weights,
					 const float *dattended, float *dquery, float *dnone, float *scores)
{
	size_t n = attention->n_cells + 1;
	float root = sqrtf((float) attention->dim);
	float mean = 0;

	score_cells(attention, dattended, scores);
	for (size_t i = 0; i < n; i++)
		mean += weights[i] * scores[i];
	for (size_t i = 0; i < n; i++)
		scores[i] = weights[i] * (scores[i] - mean) / root;
	sum_cells(attention, scores, dquery);
	mren_axpy(dnone, dattended, weights[attention->n_cells], attention->dim);
	mren_axpy(dnone, query, scores[attention->n_cells], attention->dim);
}
