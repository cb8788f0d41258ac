/*
 * simd_avx2.c
 *	  Kernels for AVX2 with FMA and F16C, which all processors with AVX2 have: 16 registers of 8
 *	  floats, 12 of them sums.
 */
#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#define TARGET MREN_PLAIN_CODE __attribute__((target("avx2,fma,f16c")))
#define LANES 8
#include "nn/simd/vector.inc"

#include "nn/simd/rows.inc"
#include "nn/simd/dense.inc"
#define FROM_HALVES(x) ((Vector) _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *) (x))))
#define TO_HALVES(x, v)                                                                            \
	_mm_storeu_si128((__m128i *) (x), _mm256_cvtps_ph((__m256) (v), _MM_FROUND_TO_NEAREST_INT))
#include "nn/simd/columns.inc"
INLINE void
store_packed(uint8_t *to, IntVector q)
{
	__m128i shorts = _mm_packus_epi32(_mm256_castsi256_si128((__m256i) q),
									  _mm256_extracti128_si256((__m256i) q, 1));

	_mm_storel_epi64((__m128i *) to, _mm_packus_epi16(shorts, shorts));
}

#define STORE_BYTES(to, q) store_packed(to, q)
#define NEAREST(v) ((IntVector) _mm256_cvtps_epi32((__m256) (v)))
#include "nn/simd/int8.inc"
#define MADDUBS(a, b) ((ShortVector) _mm256_maddubs_epi16((__m256i) (a), (__m256i) (b)))
#define MADD(a, b) ((IntVector) _mm256_madd_epi16((__m256i) (a), (__m256i) (b)))
#include "nn/simd/int8_madd.inc"

TILE(1, 1)
TILE(1, 2)
TILE(1, 4)
TILE(2, 1)
TILE(2, 2)
TILE(3, 1)
TILE(3, 2)
TILE(4, 1)
TILE(5, 1)
TILE(6, 1)
INT8_TILE(1)
INT8_TILE(2)
INT8_TILE(3)
INT8_TILE(4)

const MrenSimd mren_simd_avx2 = {
	.name = "avx2",
	.rows = 6,
	.tiles = {{NULL},
			  {NULL, tile_1_1, tile_1_2, NULL, tile_1_4},
			  {NULL, tile_2_1, tile_2_2},
			  {NULL, tile_3_1, tile_3_2},
			  {NULL, tile_4_1},
			  {NULL, tile_5_1},
			  {NULL, tile_6_1}},
	.activate = activate,
	.softmax = softmax,
	.layer_norm = layer_norm,
	.dot = dot,
	.add_halves = add_halves,
	.to_halves = to_halves,
	.largest = largest,
};

const MrenInt8Simd mren_int8_simd_avx2 = {
	.name = "avx2",
	.rows = 4,
	.tiles = {NULL, int8_tile_1, int8_tile_2, int8_tile_3, int8_tile_4},
	.row = int8_row,
};

#else
typedef int mren_no_nn_avx2;
#endif
