/*
 * dense_infer.c
 *	  The dense layer of prediction, in which a row does not depend on other
 *	  rows of its batch.
 *
 * Four rows share the loads of each panel; a single row goes through four
 * panels at once.  In both cases every output is bias + x0*w0 + x1*w1 + ...
 * from left to right in one accumulator, compiled from one template, so the
 * bits agree; a test checks that.
 */
#include "nn/kernels.h"

#include <string.h>

#include "base/dispatch.h"

/* Eight floats: one register with AVX2, two without. */
typedef float Vector __attribute__((vector_size(32)));

#define LANES 8
#define MAX_ROWS 4
#define MAX_PANELS 4

size_t
mren_dense_packed_size(size_t k, size_t m)
{
	return k * ((m + MREN_PANEL - 1) / MREN_PANEL * MREN_PANEL);
}

void
mren_dense_pack(float *packed, const float *w, size_t k, size_t m)
{
	for (size_t j = 0; j < m; j += MREN_PANEL)
	{
		size_t width = m - j < MREN_PANEL ? m - j : MREN_PANEL;

		for (size_t i = 0; i < k; i++)
		{
			memcpy(packed, w + i * m + j, width * sizeof(float));
			memset(packed + width, 0, (MREN_PANEL - width) * sizeof(float));
			packed += MREN_PANEL;
		}
	}
}

void
mren_dense_pack_transposed(float *packed, const float *w, size_t k, size_t m)
{
	for (size_t j = 0; j < m; j += MREN_PANEL)
	{
		for (size_t i = 0; i < k; i++)
		{
			for (size_t l = 0; l < MREN_PANEL; l++)
				packed[l] = j + l < m ? w[(j + l) * k + i] : 0;
			packed += MREN_PANEL;
		}
	}
}

/*
 * `rows` rows of in times `panels` neighbouring panels; both are constants at
 * every call, so the loops over them unroll into registers.  out gets the
 * first `width` columns.
 */
MREN_INLINE void
tile(float *out, size_t ldo, const float *in, size_t ldi, const float *packed, const float *bias,
	 size_t k, size_t width, const int rows, const int panels)
{
	Vector sum[MAX_ROWS][MAX_PANELS][2];
	const Vector *w = (const Vector *) packed;
	const Vector *b = (const Vector *) bias;

#pragma GCC unroll 4
	for (int r = 0; r < rows; r++)
	{
#pragma GCC unroll 4
		for (int p = 0; p < panels; p++)
		{
			sum[r][p][0] = b[2 * p];
			sum[r][p][1] = b[2 * p + 1];
		}
	}
	for (size_t i = 0; i < k; i++)
	{
#pragma GCC unroll 4
		for (int p = 0; p < panels; p++)
		{
			Vector w0 = w[2 * ((size_t) p * k + i)];
			Vector w1 = w[2 * ((size_t) p * k + i) + 1];

#pragma GCC unroll 4
			for (int r = 0; r < rows; r++)
			{
				float x = in[(size_t) r * ldi + i];

				sum[r][p][0] += x * w0;
				sum[r][p][1] += x * w1;
			}
		}
	}
#pragma GCC unroll 4
	for (int r = 0; r < rows; r++)
		memcpy(out + (size_t) r * ldo, sum[r], width * sizeof(float));
}

MREN_KERNEL(mren_dense_infer,
			(const MrenPackedDense *layer, const float *in, size_t ldi, size_t n, float *out,
			 size_t ldo),
			(layer, in, ldi, n, out, ldo))
{
	const float *packed = layer->packed;
	const float *bias = layer->bias;
	size_t k = layer->in;
	size_t m = layer->out;
	size_t row = 0;

	for (; row + 4 <= n; row += 4)
	{
		for (size_t j = 0; j < m; j += MREN_PANEL)
			tile(out + row * ldo + j, ldo, in + row * ldi, ldi, packed + j * k, bias + j, k,
				 m - j < MREN_PANEL ? m - j : MREN_PANEL, 4, 1);
	}
	for (; row < n; row++)
	{
		size_t j = 0;

		for (; j + 4 * MREN_PANEL <= m; j += 4 * MREN_PANEL)
			tile(out + row * ldo + j, ldo, in + row * ldi, ldi, packed + j * k, bias + j, k,
				 4 * MREN_PANEL, 1, 4);
		for (; j < m; j += MREN_PANEL)
			tile(out + row * ldo + j, ldo, in + row * ldi, ldi, packed + j * k, bias + j, k,
				 m - j < MREN_PANEL ? m - j : MREN_PANEL, 1, 1);
	}
}

void
mren_dense_reference(float *out, const float *in, const float *w, const float *bias, size_t n,
					 size_t k, size_t m)
{
	for (size_t r = 0; r < n; r++)
	{
		for (size_t j = 0; j < m; j++)
		{
			float sum = bias[j];

			for (size_t i = 0; i < k; i++)
				sum += in[r * k + i] * w[i * m + j];
			out[r * m + j] = sum;
		}
	}
}
