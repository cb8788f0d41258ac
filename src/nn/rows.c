/*
 * rows.c
 *	  Activations, softmax, layer norm and sums of rows: the best kernels, and plain references.
 */
#include "nn/kernels.h"

#include <math.h>

void
mren_dense_activate(float *x, size_t n, MrenDenseActivation activation)
{
	mren_simd_find(MREN_CPU_BEST)->activate(x, n, activation);
}

void
mren_softmax(float *x, size_t n, float scale)
{
	mren_simd_find(MREN_CPU_BEST)->softmax(x, n, scale);
}

void
mren_layer_norm(float *rows, const float *add, size_t n, size_t m, const MrenLayerNorm *norm)
{
	mren_simd_find(MREN_CPU_BEST)->layer_norm(rows, add, n, m, norm);
}

float
mren_dot(const float *a, const float *b, size_t n)
{
	return mren_simd_find(MREN_CPU_BEST)->dot(a, b, n);
}

void
mren_add_halves(float *out, const float *start, const MrenHalfRow *rows, size_t n, size_t m)
{
	mren_simd_find(MREN_CPU_BEST)->add_halves(out, start, rows, n, m);
}

void
mren_to_halves(uint16_t *out, const float *in, size_t n)
{
	mren_simd_find(MREN_CPU_BEST)->to_halves(out, in, n);
}

void
mren_largest(float *out, const float *rows, size_t ldr, size_t n, size_t m)
{
	mren_simd_find(MREN_CPU_BEST)->largest(out, rows, ldr, n, m);
}

static double
activation_of(double x, MrenDenseActivation activation)
{
	switch (activation)
	{
		case MREN_DENSE_GELU:
			return 0.5 * x * (1 + erf(x * sqrt(0.5)));
		case MREN_DENSE_GELU_TANH:
			return 0.5 * x * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
		case MREN_DENSE_RELU:
			return x < 0 ? 0 : x;
		default:
			return x;
	}
}

void
mren_dense_activate_reference(float *x, size_t n, MrenDenseActivation activation)
{
	for (size_t i = 0; i < n; i++)
		x[i] = (float) activation_of((double) x[i], activation);
}

void
mren_softmax_reference(float *x, size_t n, float scale)
{
	float most = x[0];
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		most = x[i] > most ? x[i] : most;
	for (size_t i = 0; i < n; i++)
		sum += exp((double) scale * ((double) x[i] - (double) most));
	for (size_t i = 0; i < n; i++)
		x[i] = (float) (exp((double) scale * ((double) x[i] - (double) most)) / sum);
}

void
mren_layer_norm_reference(float *row, const float *add, size_t m, const MrenLayerNorm *norm)
{
	double mean = 0;
	double variance = 0;

	for (size_t j = 0; j < m; j++)
	{
		row[j] += add == NULL ? 0 : add[j];
		mean += (double) row[j] / (double) m;
	}
	for (size_t j = 0; j < m; j++)
		variance += ((double) row[j] - mean) * ((double) row[j] - mean) / (double) m;
	for (size_t j = 0; j < m; j++)
		row[j] = (float) (((double) row[j] - mean) / sqrt(variance + (double) norm->eps) *
							  (double) norm->weight[j] +
						  (double) norm->bias[j]);
}
