/*
 * kernels.c
 *	  Element-wise loops, compiled twice and chosen at each call.
 */
#include "nn/kernels.h"

#include <math.h>

#include "base/dispatch.h"

/* -O2 alone does not vectorize a loop whose length is unknown. */
MREN_VECTORIZE

MREN_KERNEL(mren_axpy, (float *restrict y, const float *restrict x, float a, size_t n),
			(y, x, a, n))
{
	for (size_t i = 0; i < n; i++)
		y[i] += a * x[i];
}

MREN_KERNEL(mren_scale, (float *restrict y, float a, size_t n), (y, a, n))
{
	for (size_t i = 0; i < n; i++)
		y[i] *= a;
}

double
mren_square_sum(const float *x, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double) x[i] * (double) x[i];
	return sum;
}

#define SUMS 8

MREN_KERNEL(mren_add_squares, (double *sum, const float *x, size_t n), (sum, x, n))
{
	double sums[SUMS] = {0};
	size_t i = 0;

	for (; i + SUMS <= n; i += SUMS)
	{
		for (size_t l = 0; l < SUMS; l++)
			sums[l] += (double) x[i + l] * (double) x[i + l];
	}
	for (; i < n; i++)
		sums[0] += (double) x[i] * (double) x[i];
	for (size_t l = 0; l < SUMS; l++)
		*sum += sums[l];
}

MREN_KERNEL(mren_multiply, (float *y, const float *x, const float *mask, size_t n), (y, x, mask, n))
{
	for (size_t i = 0; i < n; i++)
		y[i] = x[i] * mask[i];
}

MREN_KERNEL(mren_standardize,
			(float *y, const float *x, const float *restrict mean, const float *restrict inverse,
			 size_t n),
			(y, x, mean, inverse, n))
{
	for (size_t i = 0; i < n; i++)
		y[i] = (x[i] - mean[i]) * inverse[i];
}

MREN_KERNEL(mren_mask,
			(float *restrict mask, const uint64_t *restrict bits, uint32_t threshold, float keep,
			 size_t n),
			(mask, bits, threshold, keep, n))
{
	for (size_t i = 0; i < n / 4; i++)
	{
		mask[4 * i] = (uint32_t) (bits[i] & 0xFFFF) < threshold ? 0 : keep;
		mask[4 * i + 1] = (uint32_t) (bits[i] >> 16 & 0xFFFF) < threshold ? 0 : keep;
		mask[4 * i + 2] = (uint32_t) (bits[i] >> 32 & 0xFFFF) < threshold ? 0 : keep;
		mask[4 * i + 3] = (uint32_t) (bits[i] >> 48) < threshold ? 0 : keep;
	}
	for (size_t i = n / 4 * 4; i < n; i++)
		mask[i] = (uint32_t) (bits[i / 4] >> (i % 4 * 16) & 0xFFFF) < threshold ? 0 : keep;
}

MREN_KERNEL(mren_add_bias, (float *restrict rows, const float *restrict bias, size_t n, size_t m),
			(rows, bias, n, m))
{
	for (size_t r = 0; r < n; r++)
	{
		for (size_t i = 0; i < m; i++)
			rows[r * m + i] += bias[i];
	}
}

MREN_KERNEL(mren_sum_rows, (float *restrict out, const float *restrict rows, size_t n, size_t m),
			(out, rows, n, m))
{
	for (size_t r = 0; r < n; r++)
	{
		for (size_t i = 0; i < m; i++)
			out[i] += rows[r * m + i];
	}
}

MREN_KERNEL(mren_gather_rows,
			(float *restrict y, const float *restrict x, size_t ldx, const uint32_t *rows,
			 const float *a, size_t n_rows, size_t n),
			(y, x, ldx, rows, a, n_rows, n))
{
	size_t r = 0;

	for (; r + 4 <= n_rows; r += 4)
	{
		const float *restrict x0 = x + rows[r] * ldx;
		const float *restrict x1 = x + rows[r + 1] * ldx;
		const float *restrict x2 = x + rows[r + 2] * ldx;
		const float *restrict x3 = x + rows[r + 3] * ldx;
		float a0 = a[r];
		float a1 = a[r + 1];
		float a2 = a[r + 2];
		float a3 = a[r + 3];

		for (size_t i = 0; i < n; i++)
			y[i] += (a0 * x0[i] + a1 * x1[i]) + (a2 * x2[i] + a3 * x3[i]);
	}
	for (; r < n_rows; r++)
	{
		const float *restrict xr = x + rows[r] * ldx;

		for (size_t i = 0; i < n; i++)
			y[i] += a[r] * xr[i];
	}
}

MREN_KERNEL(mren_relu, (float *restrict x, size_t n), (x, n))
{
	/* A NaN stays NaN, so that the loss shows it. */
	for (size_t i = 0; i < n; i++)
		x[i] = x[i] < 0 ? 0 : x[i];
}

MREN_KERNEL(mren_relu_backward, (float *restrict dx, const float *restrict y, size_t n), (dx, y, n))
{
	for (size_t i = 0; i < n; i++)
		dx[i] = y[i] > 0 ? dx[i] : 0;
}

void
mren_tanh(float *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		x[i] = tanhf(x[i]);
}

MREN_KERNEL(mren_tanh_backward, (float *restrict dx, const float *restrict y, size_t n), (dx, y, n))
{
	for (size_t i = 0; i < n; i++)
		dx[i] *= 1 - y[i] * y[i];
}

MREN_KERNEL(mren_sgd,
			(float *restrict w, float *restrict m, const float *restrict g, size_t n,
			 float momentum, float rate, float decay),
			(w, m, g, n, momentum, rate, decay))
{
	float keep = 1 - decay;

	for (size_t i = 0; i < n; i++)
	{
		m[i] = momentum * m[i] + g[i];
		w[i] = keep * w[i] - rate * m[i];
	}
}
