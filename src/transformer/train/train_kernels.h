/*
 * train_kernels.h
 *	  The loops of training an encoder beside BLAS.
 *
 * Each is compiled for the base CPU and for AVX2.  Sums run in a fixed number of lanes, so that
 * they have the same bits in each run.
 */
#ifndef MREN_TRANSFORMER_TRAIN_TRAIN_KERNELS_H
#define MREN_TRANSFORMER_TRAIN_TRAIN_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* Numbers in which rows of scores are counted. */
#define MREN_SCORE_LANES 8

/*
 * y = gelu(x), x Φ(x) with the error function of Abramowitz and Stegun 1964, 7.1.26, whose error
 * is below 2e-7.
 */
extern void mren_tuned_gelu(float *y, const float *x, size_t n);
/* y = gelu(x) and dy *= its derivative */
extern void mren_tuned_gelu_backward(float *y, float *dy, const float *x, size_t n);

/* The same of its approximation by tanh. */
extern void mren_tuned_gelu_tanh(float *y, const float *x, size_t n);
extern void mren_tuned_gelu_tanh_backward(float *y, float *dy, const float *x, size_t n);

/* The same of max(x, 0). */
extern void mren_tuned_relu(float *y, const float *x, size_t n);
extern void mren_tuned_relu_backward(float *y, float *dy, const float *x, size_t n);

/*
 * mren_tuned_softmax
 *	  The softmax of the first n_keys of each of n_rows rows, ld apart; zeros after them up to
 *	  ld, which is a multiple of MREN_SCORE_LANES.
 */
extern void mren_tuned_softmax(float *scores, size_t n_rows, size_t n_keys, size_t ld);

/* ds (n_rows, ld) = p * (ds - the row's sum of p * ds), for p of the softmax. */
extern void mren_tuned_softmax_backward(float *ds, const float *p, size_t n_rows, size_t ld);

/* Rows of a layer norm. */
typedef struct MrenNormRows
{
	size_t n;
	size_t m;
	const float *weight; /* (m) */
	const float *bias;	 /* (m); forward */
	float eps;			 /* forward */
	float *hat;			 /* (n, m): out in forward, in otherwise */
	float *inverse;		 /* (n), the same */
	float *dweight;		 /* (m), backward, is added to; NULL: not wanted, nor is dbias */
	float *dbias;
} MrenNormRows;

/* hat = (x - mean) * inverse, y = weight * hat + bias.  y may be x.  Ba, Kiros and Hinton 2016. */
extern void mren_tuned_norm_rows(const MrenNormRows *rows, const float *x, float *y);
/* y = weight * hat + bias */
extern void mren_tuned_norm_rows_again(const MrenNormRows *rows, float *y);
/* dx = inverse * (g - mean of g - hat * mean of g * hat), g = dy * weight */
extern void mren_tuned_norm_rows_backward(const MrenNormRows *rows, const float *dy, float *dx);

/*
 * mren_tuned_philox
 *	  Random words by Philox 4x32 with 10 rounds (Salmon et al. 2011): those of the counters
 *	  (first, item), (first + 1, item) ... (n of them), in which place and layer are the upper
 *	  half.  words (4, n): the first words of all counters, then the second ones ...
 */
typedef struct MrenPhiloxCounter
{
	uint32_t key[2];
	uint32_t word[4]; /* of the first counter; the first word counts up */
} MrenPhiloxCounter;

extern void mren_tuned_philox(const MrenPhiloxCounter *from, uint32_t *words, size_t n);

#endif
