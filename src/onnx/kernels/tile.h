/*
 * tile.h
 *	  The convolution kernels, written once for any width of vectors.
 *
 * Included by one .c file for each instruction set, which defines TARGET (the
 * function attribute), LANES (floats a vector), VECTOR_MIN and VECTOR_MAX,
 * which give their second operand when one is NaN.  Accumulators stay in
 * registers because every loop over them has constant bounds and is unrolled;
 * the indirect pointers make padding, strides and dilation the same loop as a
 * 1x1 convolution (Dukhan, The Indirect Convolution Algorithm, 2019).
 */
#include <string.h>

#include "onnx/kernels/simd.h"

typedef float Vector __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

#define INLINE static inline TARGET __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

/* One row of a finished tile to memory, the last vector perhaps in part. */
INLINE void
store_row(const MrenOnnxTile *tile, const Vector *sums, size_t n_vectors, float *y,
		  const float *residual)
{
	Vector low = (Vector){0} + tile->low;
	Vector high = (Vector){0} + tile->high;
	float whole[MREN_ONNX_TILE_VECTORS * LANES];
	bool partial = tile->n_filters < n_vectors * LANES;

	if (partial && residual != NULL)
	{
		memset(whole, 0, sizeof(whole));
		memcpy(whole, residual, tile->n_filters * sizeof(float));
		residual = whole;
	}
	UNROLL
	for (size_t v = 0; v < n_vectors; v++)
	{
		Vector sum = sums[v] + *(const Vector *) (tile->bias + v * LANES);

		if (residual != NULL)
			sum += *(const Vector *) (residual + v * LANES);
		sum = VECTOR_MAX(low, sum);
		sum = VECTOR_MIN(high, sum);
		*(Vector *) ((partial ? whole : y) + v * LANES) = sum;
	}
	if (partial)
		memcpy(y, whole, tile->n_filters * sizeof(float));
}

INLINE void
tile_sums(const MrenOnnxTile *tile, size_t n_pixels, size_t n_vectors)
{
	Vector sums[MREN_ONNX_TILE_PIXELS][MREN_ONNX_TILE_VECTORS];
	const float *w = tile->w;

	UNROLL
	for (size_t r = 0; r < n_pixels; r++)
	{
		UNROLL
		for (size_t v = 0; v < n_vectors; v++)
			sums[r][v] = (Vector){0};
	}
	for (size_t t = 0; t < tile->taps; t++)
	{
		const float *x[MREN_ONNX_TILE_PIXELS];

		UNROLL
		for (size_t r = 0; r < n_pixels; r++)
			x[r] = tile->rows[t * tile->row_stride + r];
		for (size_t c = 0; c < tile->channels; c++)
		{
			Vector b[MREN_ONNX_TILE_VECTORS];

			UNROLL
			for (size_t v = 0; v < n_vectors; v++)
				b[v] = *(const Vector *) (w + v * LANES);
			w += n_vectors * LANES;
			UNROLL
			for (size_t r = 0; r < n_pixels; r++)
			{
				UNROLL
				for (size_t v = 0; v < n_vectors; v++)
					sums[r][v] += x[r][c] * b[v];
			}
		}
	}
	UNROLL
	for (size_t r = 0; r < n_pixels; r++)
		store_row(tile, sums[r], n_vectors, tile->y + r * tile->pitch,
				  tile->residual != NULL ? tile->residual + r * tile->residual_pitch : NULL);
}

#define TILE(n_vectors, n_pixels)                                                                  \
	TARGET static void tile_##n_vectors##_##n_pixels(const MrenOnnxTile *tile)                     \
	{                                                                                              \
		tile_sums(tile, n_pixels, n_vectors);                                                      \
	}

/* Taps whose weights stay in registers: those of a 3x3 kernel. */
#define TAPS_HELD 9

INLINE void
depth_pixels(const MrenOnnxDepthRow *row, size_t c, bool held)
{
	Vector low = (Vector){0} + row->low;
	Vector high = (Vector){0} + row->high;
	Vector bias = *(const Vector *) (row->bias + c);
	Vector w[TAPS_HELD];

	UNROLL
	for (size_t t = 0; held && t < TAPS_HELD; t++)
		w[t] = *(const Vector *) (row->w + t * row->channels + c);
	for (size_t i = 0; i < row->n; i++)
	{
		const float *x = row->x + i * row->step + c;
		Vector sum = bias;
		Vector other = (Vector){0};

		if (held)
		{
			UNROLL
			for (size_t t = 0; t < TAPS_HELD - 1; t += 2)
			{
				sum += w[t] * *(const Vector *) (x + row->offsets[t]);
				other += w[t + 1] * *(const Vector *) (x + row->offsets[t + 1]);
			}
			sum += w[TAPS_HELD - 1] * *(const Vector *) (x + row->offsets[TAPS_HELD - 1]);
		}
		else
		{
			for (size_t t = 0; t < row->taps; t++)
				sum += *(const Vector *) (row->w + t * row->channels + c) *
					   *(const Vector *) (x + row->offsets[t]);
		}
		sum += other;
		sum = VECTOR_MAX(low, sum);
		sum = VECTOR_MIN(high, sum);
		*(Vector *) (row->y + i * row->pitch + c) = sum;
	}
}

TARGET static void
depth_row(const MrenOnnxDepthRow *row)
{
	for (size_t c = 0; c < row->channels; c += LANES)
	{
		if (row->taps == TAPS_HELD)
			depth_pixels(row, c, true);
		else
			depth_pixels(row, c, false);
	}
}

typedef int IntVector __attribute__((vector_size(LANES * 4)));

/*
 * 1 / (1 + exp(-x)) for one vector.  exp is that of activation.c; adding and
 * taking away 1.5 * 2^23 rounds to the nearest integer.
 */
INLINE void
sigmoid_vector(const Vector *x, Vector *y)
{
	const float magic = 12582912.0f;
	Vector top = (Vector){0} + 89.0f;
	Vector bottom = (Vector){0} - 104.0f;
	Vector v = VECTOR_MIN(top, -*x);
	Vector k;
	Vector r;
	Vector p;
	IntVector n;
	IntVector half;

	v = VECTOR_MAX(bottom, v);
	k = v * 1.44269504088896341f + magic;
	k = k - magic;
	r = v - k * 0.693359375f + k * 2.12194440e-4f;
	p = r * 1.9875691500e-4f + 1.3981999507e-3f;
	p = p * r + 8.3334519073e-3f;
	p = p * r + 4.1665795894e-2f;
	p = p * r + 1.6666665459e-1f;
	p = p * r + 5.0000001201e-1f;
	p = p * r * r + r + 1.0f;
	n = __builtin_convertvector(k, IntVector);
	half = n >> 1;
	p = p * (Vector) ((half + 127) << 23) * (Vector) ((n - half + 127) << 23);
	*y = 1.0f / (1.0f + p);
}

TARGET static void
sigmoid(const float *x, float *y, size_t n, bool times_x)
{
	size_t i = 0;
	float last[LANES] = {0};

	for (; i + LANES <= n; i += LANES)
	{
		Vector v = *(const Vector *) (x + i);
		Vector s;

		sigmoid_vector(&v, &s);
		if (times_x)
			s *= v;
		*(Vector *) (y + i) = s;
	}
	if (i < n)
	{
		Vector v;
		Vector s;

		memcpy(last, x + i, (n - i) * sizeof(float));
		v = *(const Vector *) last;
		sigmoid_vector(&v, &s);
		if (times_x)
			s *= v;
		*(Vector *) last = s;
		memcpy(y + i, last, (n - i) * sizeof(float));
	}
}
