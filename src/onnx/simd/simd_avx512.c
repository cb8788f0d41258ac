/*
 * simd_avx512.c
 *	  Kernels for AVX-512: 32 registers of 16 floats, 24 of them sums.
 */
#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>
#include <stdbool.h>

#include "onnx/simd/simd.h"

#define TARGET MREN_ONNX_PLAIN_CODE __attribute__((target("avx512f")))
#define LANES 16
#define VECTOR_MIN(a, b) ((Vector) _mm512_min_ps((__m512) (a), (__m512) (b)))
#define VECTOR_MAX(a, b) ((Vector) _mm512_max_ps((__m512) (a), (__m512) (b)))
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
TILE(1, 11)
TILE(1, 12)
TILE(2, 1)
TILE(2, 2)
TILE(2, 3)
TILE(2, 4)
TILE(2, 5)
TILE(2, 6)
TILE(2, 7)
TILE(2, 8)
TILE(2, 9)
TILE(2, 10)
TILE(2, 11)
TILE(2, 12)
TILE(3, 1)
TILE(3, 2)
TILE(3, 3)
TILE(3, 4)
TILE(3, 5)
TILE(3, 6)
TILE(3, 7)
TILE(3, 8)
TILE(4, 1)
TILE(4, 2)
TILE(4, 3)
TILE(4, 4)
TILE(4, 5)
TILE(4, 6)

const MrenOnnxSimd mren_onnx_simd_avx512 = {
	"avx512",
	LANES,
	4,
	{0, 12, 12, 8, 6},
	{{NULL},
	 {NULL, tile_1_1, tile_1_2, tile_1_3, tile_1_4, tile_1_5, tile_1_6, tile_1_7, tile_1_8,
	  tile_1_9, tile_1_10, tile_1_11, tile_1_12},
	 {NULL, tile_2_1, tile_2_2, tile_2_3, tile_2_4, tile_2_5, tile_2_6, tile_2_7, tile_2_8,
	  tile_2_9, tile_2_10, tile_2_11, tile_2_12},
	 {NULL, tile_3_1, tile_3_2, tile_3_3, tile_3_4, tile_3_5, tile_3_6, tile_3_7, tile_3_8},
	 {NULL, tile_4_1, tile_4_2, tile_4_3, tile_4_4, tile_4_5, tile_4_6}},
	depth_row,
	sigmoid,
	winograd_in,
	winograd_out,
};

#else
typedef int mren_no_avx512;
#endif
