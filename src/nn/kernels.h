/*
 * kernels.h
 *	  The loops over plain floats that training and prediction spend their
 *	  time in, beside BLAS.
 *
 * Each is written once and compiled for the base CPU and for AVX2 with FMA;
 * each call chooses by the CPU it runs on.
 */
#ifndef MREN_NN_KERNELS_H
#define MREN_NN_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nn/simd/kernel_table.h"

/* y += a * x, over n floats. */
extern void mren_axpy(float *y, const float *x, float a, size_t n);
/* y *= a */
extern void mren_scale(float *y, float a, size_t n);
/* The sum of squares, in double precision and in order. */
extern double mren_square_sum(const float *x, size_t n);
/* Adds it to *sum, in eight sums that are joined at the end, which is faster. */
extern void mren_add_squares(double *sum, const float *x, size_t n);
/* y = x * mask; y may be x */
extern void mren_multiply(float *y, const float *x, const float *mask, size_t n);
/* y = (x - mean) * inverse; y may be x */
extern void mren_standardize(float *y, const float *x, const float *mean, const float *inverse,
							 size_t n);
/*
 * mask (n) = 0 where the element's 16 bits are below threshold, else keep; four
 * elements to a number, the lowest bits first.
 */
extern void mren_mask(float *mask, const uint64_t *bits, uint32_t threshold, float keep, size_t n);
/* Adds bias (m) to each of n rows. */
extern void mren_add_bias(float *rows, const float *bias, size_t n, size_t m);
/* Adds to out (m) the sum of n rows. */
extern void mren_sum_rows(float *out, const float *rows, size_t n, size_t m);

/*
 * y (n) += the sum over i of a[i] * the row rows[i] of x (rows ldx apart), n_rows of them, four at
 * a time in their order.
 */
extern void mren_gather_rows(float *y, const float *x, size_t ldx, const uint32_t *rows,
							 const float *a, size_t n_rows, size_t n);

extern void mren_relu(float *x, size_t n);
/* dx = 0 where the activation y was not above 0 */
extern void mren_relu_backward(float *dx, const float *y, size_t n);
extern void mren_tanh(float *x, size_t n);
/* dx *= 1 - y * y */
extern void mren_tanh_backward(float *dx, const float *y, size_t n);

/*
 * mren_adam
 *	  One step of Adam with decoupled weight decay over n parameters: m = b1 m +
 *	  (1-b1) g;  v = b2 v + (1-b2) g*g; w -= rate * m / (sqrt(v) + epsilon) +
 *	  decay * w where rate and epsilon already include the bias corrections.
 *	  Kingma and Ba 2015, section 2, last form; Loshchilov and Hutter 2019.
 */
typedef struct MrenAdam
{
	float beta1;
	float beta2;
	float rate;
	float epsilon;
	float decay;
} MrenAdam;

extern void mren_adam(float *w, float *m, float *v, const float *g, size_t n, const MrenAdam *adam);

/* SGD with momentum: m = momentum * m + g;  w -= rate * m + decay * w. */
extern void mren_sgd(float *w, float *m, const float *g, size_t n, float momentum, float rate,
					 float decay);

/* Floats of the packed form of weights (k, m): k times m rounded up to whole panels. */
extern size_t mren_dense_packed_size(size_t k, size_t m);
/* Packs w (k, m); packed is 64-byte aligned, missing columns become zero. */
extern void mren_dense_pack(float *packed, const float *w, size_t k, size_t m);
/* The same for weights that are given as their transpose, w (m, k). */
extern void mren_dense_pack_transposed(float *packed, const float *w, size_t k, size_t m);

/*
 * mren_dense_infer
 *	  n rows of `in`, ldi floats apart, through the layer and its activation to rows of `out`,
 *	  ldo floats apart.  Each output adds its products in order, in one accumulator, so a row
 *	  has the same bits in any batch, which BLAS does not promise.  The second form takes the
 *	  kernels of a kind of processor instead of the best.
 */
extern void mren_dense_infer(const MrenPackedDense *layer, const float *in, size_t ldi, size_t n,
							 float *out, size_t ldo);
extern void mren_dense_run(const MrenSimd *simd, const MrenPackedDense *layer, const float *in,
						   size_t ldi, size_t n, float *out, size_t ldo);

/* A plain form of the same, out (n, m) = in (n, k) * w (k, m) + bias (m), for the tests. */
extern void mren_dense_reference(float *out, const float *in, const float *w, const float *bias,
								 size_t n, size_t k, size_t m);

/*
 * Rows of floats of the best table.  Each result depends on its own row alone, and has the same
 * bits wherever the row stands.
 */

/* Applies an activation to n floats; GELU within 1e-6 (1 + |x|) of its value. */
extern void mren_dense_activate(float *x, size_t n, MrenDenseActivation activation);

/*
 * x (n) = softmax(scale * x) for n > 0 and scale > 0; x has room for n rounded up to whole
 * panels, and zeros are written after the n-th.
 */
extern void mren_softmax(float *x, size_t n, float scale);

/*
 * mren_layer_norm
 *	  Each of n rows of m floats becomes (x - mean) / sqrt(variance + eps) * weight + bias of
 *	  x = row + row of add; add may be NULL.  Ba, Kiros and Hinton 2016.
 */
extern void mren_layer_norm(float *rows, const float *add, size_t n, size_t m,
							const MrenLayerNorm *norm);

/* The sum of a * b over n floats. */
extern float mren_dot(const float *a, const float *b, size_t n);

/* out (m) = start (m) + the sum of n rows of m halves, each times its weight. */
extern void mren_add_halves(float *out, const float *start, const MrenHalfRow *rows, size_t n,
							size_t m);

/* n finite floats to the nearest halves; beyond MREN_HALF_MAX, that with their sign. */
extern void mren_to_halves(uint16_t *out, const float *in, size_t n);

/* out (m) = the largest of each column of n > 0 rows of m floats, which are ldr apart. */
extern void mren_largest(float *out, const float *rows, size_t ldr, size_t n, size_t m);

/* Plain forms of three of them, in double precision, for the tests. */
extern void mren_dense_activate_reference(float *x, size_t n, MrenDenseActivation activation);
extern void mren_softmax_reference(float *x, size_t n, float scale);
extern void mren_layer_norm_reference(float *row, const float *add, size_t m,
									  const MrenLayerNorm *norm);

#endif
