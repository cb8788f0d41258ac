/*
 * kernel_table.h
 *	  The kernels written for one kind of processor, and choosing among them at run time.
 *
 * The same sources, *.inc, are compiled for each instruction set; the shared library itself is
 * built for any processor of its architecture.  What every kernel computes is said once in
 * nn/kernels.h and nn/int8.h, whose functions call the best table.
 */
#ifndef MREN_NN_SIMD_KERNEL_TABLE_H
#define MREN_NN_SIMD_KERNEL_TABLE_H

#include <stddef.h>
#include <stdint.h>

/* Columns of a panel of packed weights. */
#define MREN_PANEL 16

/*
 * For the unrolled kernels: instrumenting each of their thousands of accesses takes a compiler
 * minutes.  What calls them is instrumented.
 */
#if defined(__clang__)
#define MREN_PLAIN_CODE __attribute__((no_sanitize("address", "undefined", "coverage")))
#else
#define MREN_PLAIN_CODE __attribute__((no_sanitize("address"), no_sanitize("undefined")))
#endif

/* What a dense layer does to its outputs. */
typedef enum MrenDenseActivation
{
	MREN_DENSE_LINEAR,
	MREN_DENSE_RELU,
	MREN_DENSE_GELU,	  /* x Φ(x) */
	MREN_DENSE_GELU_TANH, /* its approximation by tanh */
} MrenDenseActivation;

/* A dense layer as prediction runs it. */
typedef struct MrenPackedDense
{
	size_t in;
	size_t out;
	const float
		*packed;	   /* by mren_dense_pack: panels of MREN_PANEL columns, each (in, MREN_PANEL) */
	const float *bias; /* out rounded up to whole panels, 64-byte aligned */
	MrenDenseActivation activation;
} MrenPackedDense;

/* A dense layer whose weights are bytes; see nn/int8.h. */
typedef struct MrenInt8Dense
{
	size_t in;
	size_t out;
	const int8_t *packed; /* panels of MREN_PANEL columns, each (in / 4, even, MREN_PANEL, 4) */
	const float *scale;	  /* of a column; out rounded up to whole panels, as the next two */
	const float *bias;
	const int32_t *sums; /* of a column's bytes */
	MrenDenseActivation activation;
} MrenInt8Dense;

/* Layer norm; see mren_layer_norm. */
typedef struct MrenLayerNorm
{
	const float *weight;
	const float *bias;
	float eps;
} MrenLayerNorm;

/* A row of halves, and what it is multiplied by; see mren_add_halves. */
typedef struct MrenHalfRow
{
	const uint16_t *halves;
	float weight;
} MrenHalfRow;

typedef enum MrenCpu
{
	MREN_CPU_BEST, /* what this machine has */
	MREN_CPU_PORTABLE,
	MREN_CPU_AVX2,	 /* with FMA */
	MREN_CPU_AVX512, /* F, BW, DQ, VL */
	MREN_CPU_VNNI,	 /* the same with VNNI */
} MrenCpu;

/* Rows and neighbouring panels that a tile may have. */
#define MREN_TILE_ROWS 12
#define MREN_TILE_PANELS 4

/*
 * A tile of a dense layer: some rows of `in` times some panels, both fixed by the function.
 * Every output is bias + x0*w0 + x1*w1 + ... from left to right in one accumulator, whatever
 * tile it is part of, so that the bits of a row do not depend on other rows.
 */
typedef struct MrenDenseTile
{
	const float *in;
	size_t ldi;
	size_t k;
	const float *packed;
	const float *bias;
	float *out;
	size_t ldo;
	size_t width; /* columns of `out`, at most those of the panels */
	/* Weights to fetch into the cache meanwhile: from here on, so many bytes at each step of k. */
	const char *ahead;
	size_t ahead_step;
} MrenDenseTile;

typedef void (*MrenDenseTileFunction)(const MrenDenseTile *tile);

/* The same of a layer of bytes, one panel wide; out is the sum times scale, plus bias. */
typedef struct MrenInt8Tile
{
	const MrenInt8Dense *layer;
	size_t panel;
	const void *bytes;	/* of the first row */
	const float *scale; /* of the rows */
	float *out;			/* at the first row's first column */
	size_t ldo;
} MrenInt8Tile;

typedef void (*MrenInt8TileFunction)(const MrenInt8Tile *tile);

typedef struct MrenSimd
{
	const char *name;
	size_t rows; /* of a tile, at most */
	/* By rows and panels; NULL where the sums would not fit into registers. */
	MrenDenseTileFunction tiles[MREN_TILE_ROWS + 1][MREN_TILE_PANELS + 1];
	void (*activate)(float *x, size_t n, MrenDenseActivation activation);
	void (*softmax)(float *x, size_t n, float scale);
	void (*layer_norm)(float *rows, const float *add, size_t n, size_t m,
					   const MrenLayerNorm *norm);
	float (*dot)(const float *a, const float *b, size_t n);
	void (*add_halves)(float *out, const float *start, const MrenHalfRow *rows, size_t n, size_t m);
	void (*to_halves)(uint16_t *out, const float *in, size_t n);
	void (*largest)(float *out, const float *rows, size_t ldr, size_t n, size_t m);
} MrenSimd;

typedef struct MrenInt8Simd
{
	const char *name;
	size_t rows; /* of a tile, at most */
	MrenInt8TileFunction tiles[MREN_TILE_ROWS + 1];
	/* A row of k floats to bytes, as int8.inc describes; its scale. */
	float (*row)(void *bytes, const float *in, size_t k);
} MrenInt8Simd;

/* The kernels of a kind of processor; NULL where this machine lacks it. */
extern const MrenSimd *mren_simd_find(MrenCpu cpu);
extern const MrenInt8Simd *mren_int8_simd_find(MrenCpu cpu);

extern const MrenSimd mren_simd_portable;
extern const MrenInt8Simd mren_int8_simd_portable;

/* Defined where the compiler and the architecture have them. */
extern const MrenSimd mren_simd_avx2;
extern const MrenSimd mren_simd_avx512;
extern const MrenInt8Simd mren_int8_simd_avx2;
extern const MrenInt8Simd mren_int8_simd_avx512;
extern const MrenInt8Simd mren_int8_simd_vnni;

/* Inputs of a layer of bytes are taken by groups of so many. */
#define MREN_INT8_GROUP 8

/* An activation is a whole number from 0 to this one. */
#define MREN_INT8_STEPS 255

static inline size_t
mren_int8_groups(size_t k)
{
	return (k + MREN_INT8_GROUP - 1) / MREN_INT8_GROUP;
}

/* Bytes that a row of k activations takes: whole vectors of them, and an int32. */
static inline size_t
mren_int8_row_bytes(size_t k)
{
	return ((k + 15) / 16 + 4) / 4 * 64;
}

#endif
