/*
 * int8.c
 *	  Quantizing weights, and running rows of bytes through tiles.
 */
#include "nn/int8.h"

#include <math.h>
#include <string.h>

#include "nn/kernels.h"

size_t
mren_int8_packed_size(size_t k, size_t m)
{
	return mren_int8_groups(k) * MREN_INT8_GROUP * ((m + MREN_PANEL - 1) / MREN_PANEL * MREN_PANEL);
}

/*
 * The sum of four weights of one sign, as whole numbers, whose products with activations are added
 * in 16 bits: rounding adds at most 2, and 128 * 255 fits.
 */
#define MOST_SUM 126

/*
 * The greatest sum of the weights of one sign, in absolute value, whose products are added in 16
 * bits: of each group of inputs, numbers 0, 1, 4 and 5, or 2, 3, 6 and 7.
 */
static float
greatest_sum(const float *w, size_t k)
{
	float most = 0;

	for (size_t i = 0; i < k; i += MREN_INT8_GROUP)
	{
		float above[2] = {0};
		float below[2] = {0};

		for (size_t j = i; j < i + MREN_INT8_GROUP && j < k; j++)
		{
			above[j / 2 % 2] += w[j] > 0 ? w[j] : 0;
			below[j / 2 % 2] -= w[j] < 0 ? w[j] : 0;
		}
		for (int half = 0; half < 2; half++)
		{
			most = above[half] > most ? above[half] : most;
			most = below[half] > most ? below[half] : most;
		}
	}
	return most;
}

/* The scale of a column of k weights, and its inverse; 0 for both where all of them are 0. */
static float
scale_of(const float *w, size_t k, float *inverse)
{
	float most = 0;
	float scale = greatest_sum(w, k) / MOST_SUM;

	for (size_t i = 0; i < k; i++)
		most = fabsf(w[i]) > most ? fabsf(w[i]) : most;
	scale = most / 127 > scale ? most / 127 : scale;
	*inverse = scale < 1e-37f ? 0 : 1 / scale;
	return scale;
}

void
mren_int8_pack_transposed(const MrenInt8Weights *to, const float *w, size_t k, size_t m)
{
	size_t column = mren_int8_groups(k) * MREN_INT8_GROUP;

	memset(to->packed, 0, mren_int8_packed_size(k, m));
	for (size_t j = 0; j < (m + MREN_PANEL - 1) / MREN_PANEL * MREN_PANEL; j++)
	{
		int8_t *panel = to->packed + j / MREN_PANEL * MREN_PANEL * column;
		float inverse;

		to->scale[j] = 0;
		to->sums[j] = 0;
		if (j >= m)
			continue;
		to->scale[j] = scale_of(w + j * k, k, &inverse);
		for (size_t i = 0; i < k; i++)
		{
			long q = lrintf(w[j * k + i] * inverse);

			panel[(i / 4 * MREN_PANEL + j % MREN_PANEL) * 4 + i % 4] = (int8_t) q;
			to->sums[j] += (int32_t) q;
		}
	}
}

void
mren_int8_rows(const MrenInt8Simd *simd, const float *in, size_t ldi, size_t n, size_t k,
			   const MrenInt8Rows *rows)
{
	for (size_t r = 0; r < n; r++)
		rows->scale[r] = simd->row(rows->bytes + r * mren_int8_row_bytes(k), in + r * ldi, k);
}

void
mren_int8_infer(const MrenInt8Simd *simd, const MrenInt8Dense *layer, const MrenInt8Rows *rows,
				size_t n, float *out, size_t ldo)
{
	size_t n_tiles = (n + simd->rows - 1) / simd->rows;

	for (size_t p = 0; p * MREN_PANEL < layer->out; p++)
	{
		size_t j = p * MREN_PANEL;
		size_t row = 0;

		for (size_t t = 0; t < n_tiles; t++)
		{
			size_t height = n / n_tiles + (t < n % n_tiles);
			MrenInt8Tile tile = {.layer = layer,
								 .panel = p,
								 .bytes = rows->bytes + row * mren_int8_row_bytes(layer->in),
								 .scale = rows->scale + row,
								 .out = out + row * ldo + j,
								 .ldo = ldo};

			simd->tiles[height](&tile);
			row += height;
		}
	}
	for (size_t r = 0; r < n && layer->activation != MREN_DENSE_LINEAR; r++)
		mren_dense_activate(out + r * ldo, layer->out, layer->activation);
}

/* A row of activations to its whole numbers; the scale. */
static float
row_reference(int32_t *to, const float *in, size_t k)
{
	float top = 0;
	float bottom = 0;
	float inverse;
	long zero;

	for (size_t i = 0; i < k; i++)
	{
		top = in[i] > top ? in[i] : top;
		bottom = in[i] < bottom ? in[i] : bottom;
	}
	inverse = top - bottom > 1e-37f ? MREN_INT8_STEPS / (top - bottom) : 0;
	zero = lrintf(-bottom * inverse);
	for (size_t i = 0; i < k; i++)
	{
		long q = lrintf(in[i] * inverse) + zero;

		to[i] = (int32_t) ((q < 0 ? 0 : q > MREN_INT8_STEPS ? MREN_INT8_STEPS : q) - zero);
	}
	return (top - bottom) / MREN_INT8_STEPS;
}

void
mren_int8_reference(float *out, int32_t *row, const float *in, const float *w, const float *bias,
					size_t k, size_t m)
{
	float row_scale = row_reference(row, in, k);

	for (size_t j = 0; j < m; j++)
	{
		float inverse;
		float scale = scale_of(w + j * k, k, &inverse);
		int64_t sum = 0;

		for (size_t i = 0; i < k; i++)
			sum += (int64_t) row[i] * (int64_t) lrintf(w[j * k + i] * inverse);
		out[j] = (float) sum * (row_scale * scale) + bias[j];
	}
}
