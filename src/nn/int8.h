/*
 * int8.h
 *	  The dense layer of prediction with weights of one byte.
 *
 * A column of weights is a scale times whole numbers from -127 to 127.  A row of activations, as it
 * comes, is a scale times whole numbers from 0 to 255 less the one that stands for 0, from the
 * least to the greatest of them: what GELU gives is nearly all positive, and what a layer norm
 * gives often has one large number (Jacob et al. 2018).  The sums of their products are exact, so a
 * row has the same bits in any batch, and only the two roundings lose accuracy.
 *
 * A column's scale is its largest absolute value through 127, or more where the products of four
 * inputs, which AVX2 adds in 16 bits, would not fit otherwise.  Activations keep all eight bits
 * instead, since their large numbers leave few steps to the others.
 */
#ifndef MREN_NN_INT8_H
#define MREN_NN_INT8_H

#include "nn/simd/kernel_table.h"

/* With more inputs than this, sums might not fit 32 bits. */
#define MREN_INT8_MAX_INPUTS 65536

/* Bytes of the packed form of weights (k, m). */
extern size_t mren_int8_packed_size(size_t k, size_t m);

/* Arrays of out rounded up to whole panels, and the packed weights; see MrenInt8Dense. */
typedef struct MrenInt8Weights
{
	int8_t *packed;
	float *scale;
	int32_t *sums;
} MrenInt8Weights;

/* Packs weights that are given as their transpose, w (m, k), finite. */
extern void mren_int8_pack_transposed(const MrenInt8Weights *to, const float *w, size_t k,
									  size_t m);

/* Rows of activations. */
typedef struct MrenInt8Rows
{
	char *bytes;  /* n times mren_int8_row_bytes(k), 64-byte aligned */
	float *scale; /* n */
} MrenInt8Rows;

/* Sets rows from n rows of `in`, k floats each and ldi apart. */
extern void mren_int8_rows(const MrenInt8Simd *simd, const float *in, size_t ldi, size_t n,
						   size_t k, const MrenInt8Rows *rows);

/*
 * mren_int8_infer
 *	  n rows through the layer and its activation to rows of `out`, ldo floats apart.  The rows
 *	  were made by the same table.  A row with NaN or infinity gives NaN.
 */
extern void mren_int8_infer(const MrenInt8Simd *simd, const MrenInt8Dense *layer,
							const MrenInt8Rows *rows, size_t n, float *out, size_t ldo);

/*
 * A plain form of both for one row, without activation: in (k), w (m, k), out (m), and room for
 * k whole numbers; for the tests.
 */
extern void mren_int8_reference(float *out, int32_t *row, const float *in, const float *w,
								const float *bias, size_t k, size_t m);

#endif
