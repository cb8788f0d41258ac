/*
 * simd_avx512.c
 *	  Kernels for AVX-512: 32 registers of 16 floats, 24 of them sums.
 */
#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#define TARGET MREN_PLAIN_CODE __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#define LANES 16
#include "nn/simd/vector.inc"

#include "nn/simd/rows.inc"
#include "nn/simd/dense.inc"
#define FROM_HALVES(x) ((Vector) _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *) (x))))
#define TO_HALVES(x, v)                                                                            \
	_mm256_storeu_si256((__m256i *) (x), _mm512_cvtps_ph((__m512) (v), _MM_FROUND_TO_NEAREST_INT))
#include "nn/simd/columns.inc"
#define STORE_BYTES(to, q) _mm_storeu_si128((__m128i *) (to), _mm512_cvtepi32_epi8((__m512i) (q)))
#define NEAREST(v) ((IntVector) _mm512_cvtps_epi32((__m512) (v)))
#include "nn/simd/int8.inc"
#define MADDUBS(a, b) ((ShortVector) _mm512_maddubs_epi16((__m512i) (a), (__m512i) (b)))
#define MADD(a, b) ((IntVector) _mm512_madd_epi16((__m512i) (a), (__m512i) (b)))
#include "nn/simd/int8_madd.inc"

TILE(1, 1)
TILE(1, 2)
TILE(1, 4)
TILE(2, 1)
TILE(2, 2)
TILE(2, 4)
TILE(3, 1)
TILE(3, 2)
TILE(3, 4)
TILE(4, 1)
TILE(4, 2)
TILE(4, 4)
TILE(5, 1)
TILE(5, 2)
TILE(5, 4)
TILE(6, 1)
TILE(6, 2)
TILE(6, 4)
TILE(7, 1)
TILE(7, 2)
TILE(8, 1)
TILE(8, 2)
TILE(9, 1)
TILE(9, 2)
TILE(10, 1)
TILE(10, 2)
TILE(11, 1)
TILE(11, 2)
TILE(12, 1)
TILE(12, 2)
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

const MrenSimd mren_simd_avx512 = {
	.name = "avx512",
	.rows = 12,
	.tiles = {{NULL},
			  {NULL, tile_1_1, tile_1_2, NULL, tile_1_4},
			  {NULL, tile_2_1, tile_2_2, NULL, tile_2_4},
			  {NULL, tile_3_1, tile_3_2, NULL, tile_3_4},
			  {NULL, tile_4_1, tile_4_2, NULL, tile_4_4},
			  {NULL, tile_5_1, tile_5_2, NULL, tile_5_4},
			  {NULL, tile_6_1, tile_6_2, NULL, tile_6_4},
			  {NULL, tile_7_1, tile_7_2},
			  {NULL, tile_8_1, tile_8_2},
			  {NULL, tile_9_1, tile_9_2},
			  {NULL, tile_10_1, tile_10_2},
			  {NULL, tile_11_1, tile_11_2},
			  {NULL, tile_12_1, tile_12_2}},
	.activate = activate,
	.softmax = softmax,
	.layer_norm = layer_norm,
	.dot = dot,
	.add_halves = add_halves,
	.to_halves = to_halves,
	.largest = largest,
};

const MrenInt8Simd mren_int8_simd_avx512 = {
	.name = "avx512",
	.rows = 12,
	.tiles = {NULL, int8_tile_1, int8_tile_2, int8_tile_3, int8_tile_4, int8_tile_5, int8_tile_6,
			  int8_tile_7, int8_tile_8, int8_tile_9, int8_tile_10, int8_tile_11, int8_tile_12},
	.row = int8_row,
};

#else
typedef int mren_no_nn_avx512;
#endif
