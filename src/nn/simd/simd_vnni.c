/*
 * simd_vnni.c
 *	  Products of bytes for AVX-512 with VNNI, which multiplies unsigned by signed bytes.
 *
 * All sums are exact: with 65536 inputs they still fit 32 bits.
 */
#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#define TARGET                                                                                     \
	MREN_PLAIN_CODE __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
#define LANES 16
#include "nn/simd/vector.inc"

#define STORE_BYTES(to, q) _mm_storeu_si128((__m128i *) (to), _mm512_cvtepi32_epi8((__m512i) (q)))
#define NEAREST(v) ((IntVector) _mm512_cvtps_epi32((__m512) (v)))
#include "nn/simd/int8.inc"

/* rows is a constant at every call, so that all sums are in registers. */
INLINE void
int8_tile(const MrenInt8Tile *tile, const int rows)
{
	IntVector sums[MREN_TILE_ROWS][VECTORS];
	const MrenInt8Dense *layer = tile->layer;
	size_t fours = mren_int8_groups(layer->in) * (MREN_INT8_GROUP / 4);
	size_t stride = mren_int8_row_bytes(layer->in);
	const int8_t *w = layer->packed + tile->panel * fours * 4 * MREN_PANEL;
	const char *x = tile->bytes;

	int8_begin(tile, rows, sums);
	for (size_t i = 0; i < fours; i++)
	{
		IntVector b = *(const IntVector *) w;

		UNROLL
		for (int r = 0; r < rows; r++)
		{
			IntVector four = (IntVector){0} + *(const int32_t *) (x + (size_t) r * stride);

			sums[r][0] =
				(IntVector) _mm512_dpbusd_epi32((__m512i) sums[r][0], (__m512i) four, (__m512i) b);
		}
		w += 4 * MREN_PANEL;
		x += 4;
	}
	int8_end(tile, rows, sums);
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
