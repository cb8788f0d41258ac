/*
 * simd.h
 *	  The kernels written for one kind of CPU, and choosing among them at run
 *	  time.
 *
 * The same sources, *.inc, are compiled for each instruction set; the shared
 * library itself is built for any CPU of its architecture.
 */
#ifndef MREN_ONNX_SIMD_SIMD_H
#define MREN_ONNX_SIMD_SIMD_H

#include <stdbool.h>
#include <stddef.h>

/*
 * For plain loops over floats that matter: vectorized, and compiled once more
 * for wider vectors where the machine picks among them at load time: by what a CPU can do (GCC 12
 * knows these levels), since by its name, as in arch=haswell, no AMD CPU is found.  Left out
 * under a sanitizer, which cannot run before the dynamic linker is done.
 */
#if defined(__x86_64__) && defined(__GNUC__) && __GNUC__ >= 12 && !defined(__clang__) &&           \
	!defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && defined(__gnu_linux__)
#define MREN_ONNX_HOT                                                                              \
	__attribute__((optimize("O3"), target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define MREN_ONNX_HOT
#endif

/*
 * For the unrolled kernels: instrumenting each of their thousands of accesses
 * takes a compiler minutes.  What calls them is instrumented.
 */
#if defined(__clang__)
#define MREN_ONNX_PLAIN_CODE __attribute__((no_sanitize("address", "undefined", "coverage")))
#else
#define MREN_ONNX_PLAIN_CODE __attribute__((no_sanitize("address"), no_sanitize("undefined")))
#endif

typedef enum MrenOnnxCpu
{
	MREN_ONNX_CPU_BEST, /* what this machine has */
	MREN_ONNX_CPU_PORTABLE,
	MREN_ONNX_CPU_AVX2, /* with FMA */
	MREN_ONNX_CPU_AVX512,
} MrenOnnxCpu;

/* Vectors of filters a tile may have, and pixels. */
#define MREN_ONNX_TILE_VECTORS 4
#define MREN_ONNX_TILE_PIXELS 12

/*
 * A tile of a convolution: n_pixels (fixed by the function) times n_filters.
 * The t-th tap of pixel r reads the channels at rows[t * row_stride + r].
 * w is (tap, channel, filter), bias and w padded to whole vectors.
 */
typedef struct MrenOnnxTile
{
	const float *const *rows;
	size_t row_stride;
	size_t taps;
	size_t channels;
	const float *w;
	const float *bias;
	const float *residual; /* or NULL */
	size_t residual_pitch;
	float *y;
	size_t pitch;
	size_t n_filters;
	float low; /* clip to low .. high */
	float high;
} MrenOnnxTile;

typedef void (*MrenOnnxTileFunction)(const MrenOnnxTile *tile);

/*
 * n pixels of a depthwise convolution, one vector of channels at a time:
 * pixel i reads tap t at x + offsets[t] + i * step.  channels is a multiple of
 * the lanes; w is (tap, channel).
 */
typedef struct MrenOnnxDepthRow
{
	const float *x;
	const ptrdiff_t *offsets;
	size_t taps;
	size_t step;
	size_t n;
	size_t channels;
	const float *w;
	const size_t *weights; /* (taps) where in w each tap's begin */
	const float *bias;
	float *y;
	size_t pitch;
	float low;
	float high;
} MrenOnnxDepthRow;

/* Pixels along a side of the largest block that Winograd's convolution reads. */
#define MREN_ONNX_WINOGRAD_SIDE 6

/*
 * One block of pixels into frequencies: (size + 2)^2 pixels at x, row by row,
 * whole vectors of channels of each, and as many frequencies, `step` floats
 * apart from y on.
 */
typedef struct MrenOnnxWinogradIn
{
	const float *const *x;
	size_t channels; /* a multiple of the lanes */
	float *y;
	size_t step;
} MrenOnnxWinogradIn;

/*
 * The way back: (size + 2)^2 frequencies, `step` floats apart from sums on, into
 * size^2 pixels; NULL in y: this pixel does not exist; NULL in residual: none.
 */
typedef struct MrenOnnxWinogradOut
{
	const float *sums;
	size_t step;
	size_t filters; /* a multiple of the lanes */
	const float *bias;
	float *const *y;
	const float *const *residual;
	float low; /* clip to low .. high */
	float high;
} MrenOnnxWinogradOut;

typedef struct MrenOnnxSimd
{
	const char *name;
	size_t lanes;							   /* floats a vector */
	size_t vectors;							   /* of filters a tile, at most */
	size_t pixels[MREN_ONNX_TILE_VECTORS + 1]; /* a tile of so many vectors has at most */
	MrenOnnxTileFunction tiles[MREN_ONNX_TILE_VECTORS + 1][MREN_ONNX_TILE_PIXELS + 1];
	void (*depth_row)(const MrenOnnxDepthRow *row);
	/* y = 1 / (1 + exp(-x)), times x if times_x; y may be x */
	void (*sigmoid)(const float *x, float *y, size_t n, bool times_x);
	/* size is 2 or 4 */
	void (*winograd_in)(const MrenOnnxWinogradIn *in, size_t size);
	void (*winograd_out)(const MrenOnnxWinogradOut *out, size_t size);
} MrenOnnxSimd;

/* NULL for the portable path, or where the machine lacks it. */
extern const MrenOnnxSimd *mren_onnx_simd_find(MrenOnnxCpu cpu);

/* "avx512", "avx2" or "portable": the path this machine takes. */
extern const char *mren_onnx_simd_name(void);

/* Defined where the compiler and the architecture have them. */
extern const MrenOnnxSimd mren_onnx_simd_avx2;
extern const MrenOnnxSimd mren_onnx_simd_avx512;

#endif
