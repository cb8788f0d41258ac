/*
 * simd_portable.c
 *	  Kernels for any processor: vectors of four floats, which the compiler turns into what
 *	  there is.
 */
#define TARGET MREN_PLAIN_CODE
#define LANES 4
#include "nn/simd/vector.inc"

#include "nn/simd/rows.inc"
#include "nn/simd/dense.inc"

typedef uint16_t HalfVector __attribute__((vector_size(LANES * 2), aligned(2), may_alias));

/* Finite halves, as in half_array.c. */
INLINE Vector
from_halves(const uint16_t *x)
{
	IntVector halves = __builtin_convertvector(*(const HalfVector *) x, IntVector);
	Vector size = (Vector) ((halves & 0x7FFF) << 13) * 0x1p112f;

	return (Vector) ((IntVector) size | (halves & 0x8000) << 16);
}

#define FROM_HALVES(x) from_halves(x)
#define TO_HALVES(x, v)                                                                            \
	for (int l = 0; l < LANES; l++)                                                                \
	(x)[l] = mren_half_from_float((v)[l])
#include "nn/simd/columns.inc"
INLINE IntVector
nearest(Vector x)
{
	IntVector q;

	for (int l = 0; l < LANES; l++)
		q[l] = (int32_t) lrintf(x[l]);
	return q;
}

INLINE void
store_each(uint8_t *to, IntVector q)
{
	for (int l = 0; l < LANES; l++)
		to[l] = (uint8_t) q[l];
}

#define STORE_BYTES(to, q) store_each(to, q)
#define NEAREST(v) nearest(v)
#include "nn/simd/int8.inc"
#include "nn/simd/int8_plain.inc"

TILE(1, 1)
TILE(1, 2)
TILE(2, 1)
TILE(3, 1)
INT8_TILE(1)

const MrenSimd mren_simd_portable = {
	.name = "portable",
	.rows = 3,
	.tiles = {{NULL}, {NULL, tile_1_1, tile_1_2}, {NULL, tile_2_1}, {NULL, tile_3_1}},
	.activate = activate,
	.softmax = softmax,
	.layer_norm = layer_norm,
	.dot = dot,
	.add_halves = add_halves,
	.to_halves = to_halves,
	.largest = largest,
};

const MrenInt8Simd mren_int8_simd_portable = {
	.name = "portable",
	.rows = 1,
	.tiles = {NULL, int8_tile_1},
	.row = int8_row,
};
