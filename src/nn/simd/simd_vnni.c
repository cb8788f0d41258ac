/*
 * simd_vnni.c
 *	  Products of bytes for AVX-512 with VNNI, which multiplies unsigned by signed bytes.
 *
 * A row is its bytes; the sums begin at -zero times the sum of the column's weights.  All sums are
 * exact: with 65536 inputs they still fit 32 bits.
 */
#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#define TARGET                                                                                     \
	MREN_PLAIN_CODE __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#define LANES 16
#include "nn/simd/vector.inc"

#define NEAREST(v) ((IntVector) _mm512_cvtps_epi32((__m512) (v)))
#include "nn/simd/int8.inc"

typedef uint8_t ByteVector __attribute__((vector_size(LANES), aligned(1), may_alias));

/* Where a row's zero is: behind its bytes, at the end of its room. */
INLINE int32_t *
row_zero(const void *bytes, size_t k)
{
	return (int32_t *) ((char *) bytes + mren_int8_row_bytes(k)) - 1;
}

TARGET static float
int8_row(void *bytes, const float *in, size_t k)
{
	uint8_t *out = bytes;
	Int8Range range;

	int8_range(in, k, &range);
	if (isnan(range.scale))
		range = (Int8Range){.scale = NAN};
	for (size_t i = 0; i < k; i += LANES)
	{
		Vector v = isnan(range.scale) ? (Vector){0} : load_padded(in, i, k);
		IntVector q = int8_clamp(NEAREST(v * range.inverse), range.zero);

		*(ByteVector *) (out + i) = __builtin_convertvector(q, ByteVector);
	}
	*row_zero(bytes, k) = range.zero;
	return range.scale;
}

/* rows is a constant at every call, so that all sums are in registers. */
INLINE void
int8_tile(const MrenInt8Tile *tile, const int rows)
{
	IntVector sums[MREN_TILE_ROWS];
	const MrenInt8Dense *layer = tile->layer;
	size_t groups = (layer->in + 3) / 4;
	size_t stride = mren_int8_row_bytes(layer->in);
	const int8_t *w = layer->packed + tile->panel * groups * 4 * MREN_PANEL;
	const char *x = tile->bytes;

	UNROLL
	for (int r = 0; r < rows; r++)
		sums[r] = *(const IntVector *) (layer->sums + tile->panel * MREN_PANEL) *
				  -*row_zero(x + (size_t) r * stride, layer->in);
	for (size_t g = 0; g < groups; g++)
	{
		IntVector b = *(const IntVector *) w;

		UNROLL
		for (int r = 0; r < rows; r++)
		{
			IntVector four = (IntVector){0} + *(const int32_t *) (x + (size_t) r * stride);

			sums[r] =
				(IntVector) _mm512_dpbusd_epi32((__m512i) sums[r], (__m512i) four, (__m512i) b);
		}
		w += 4 * MREN_PANEL;
		x += 4;
	}
	UNROLL
	for (int r = 0; r < rows; r++)
		int8_finish(tile, (size_t) r, &sums[r]);
}

INT8_TILE(1)
INT8_TILE(2)
INT8_TILE(3)
INT8_TILE(4)
INT8_TILE(5)
INT8_TILE(6)
INT8_TILE(7)
INT8_TILE(8)
INT8_TILE(9)
INT8_TILE(10)
INT8_TILE(11)
INT8_TILE(12)

const MrenInt8Simd mren_int8_simd_vnni = {
	.name = "vnni",
	.rows = 12,
	.tiles = {NULL, int8_tile_1, int8_tile_2, int8_tile_3, int8_tile_4, int8_tile_5, int8_tile_6,
			  int8_tile_7, int8_tile_8, int8_tile_9, int8_tile_10, int8_tile_11, int8_tile_12},
	.row = int8_row,
};

#else
typedef int mren_no_nn_vnni;
#endif
