/*
 * simd_avx2.c
 *	  Kernels for AVX2 with FMA: 16 registers of 8 floats, 12 of them sums.
 */
#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>
#include <stdbool.h>

#include "onnx/simd/simd.h"

#define TARGET MREN_ONNX_PLAIN_CODE __attribute__((target("avx2,fma")))
#define LANES 8
#define VECTOR_MIN(a, b) ((Vector) _mm256_min_ps((__m256) (a), (__m256) (b)))
#define VECTOR_MAX(a, b) ((Vector) _mm256_max_ps((__m256) (a), (__m256) (b)))
#include "onnx/simd/tile.inc"
#include "onnx/simd/winograd.inc"

TILE(1, 1)
TILE(1, 2)
TILE(1, 3)
TILE(1, 4)
TILE(1, 5)
TILE(1, 6)
TILE(1, 7)
TILE(1, 8)
TILE(1, 9)
TILE(1, 10)
TILE(2, 1)
TILE(2, 2)
TILE(2, 3)
TILE(2, 4)
TILE(2, 5)
TILE(2, 6)

const MrenOnnxSimd mren_onnx_simd_avx2 = {
	"avx2",
	LANES,
	2,
	{0, 10, 6},
	{{NULL},
	 {NULL, tile_1_1, tile_1_2, tile_1_3, tile_1_4, tile_1_5, tile_1_6, tile_1_7, tile_1_8,
	  tile_1_9, tile_1_10},
	 {NULL, tile_2_1, tile_2_2, tile_2_3, tile_2_4, tile_2_5, tile_2_6}},
	depth_row,
	sigmoid,
	winograd_in,
	winograd_out,
};

#else
typedef int mren_no_avx2;
#endif
