/*
 * dense.h
 *	  Dense layers in training, over BLAS.
 */
#ifndef MREN_NN_DENSE_H
#define MREN_NN_DENSE_H

#include "base/status.h"
#include "nn/activation.h"
#include "nn/parameters.h"
#include "nn/work.h"

#define MREN_MAX_HIDDEN 8 /* hidden layers of a network */
#define MREN_MAX_HIDDEN_SIZE 8192

/*
 * mren_dense_check_hidden
 *	  hidden (MREN_MAX_HIDDEN) are n_hidden sizes of 1 .. MREN_MAX_HIDDEN_SIZE, at least one, then
 *	  zeros, and the activation is one of hidden layers; else MREN_EFORMAT, which names the network.
 */
extern MrenStatus mren_dense_check_hidden(const char *network, const size_t *hidden,
										  size_t n_hidden, MrenActivation activation,
										  MrenError *err);

/* weight (in, out), bias (out). */
typedef struct MrenDenseLayer
{
	size_t in;
	size_t out;
	float *weight;
	float *bias;
} MrenDenseLayer;

/* n rows that lie ld floats apart. */
typedef struct MrenRows
{
	const float *data;
	size_t n;
	size_t ld;
} MrenRows;

/* The layer of these two tensors; values may also be the gradients. */
extern MrenDenseLayer mren_dense_layer(const MrenParameterTable *table, float *values,
									   size_t weight, size_t bias);

/* out (n, out) = in (n, in) * weight + bias */
extern void mren_dense_forward(MrenWork *work, const MrenDenseLayer *layer, const MrenRows *in,
							   float *out);

/*
 * mren_dense_backward
 *	  Sets (does not add to) the gradients of weight and bias from dout (n, out); and, unless
 *	  din is NULL, din (n, in) = dout * weight'.
 */
extern void mren_dense_backward(MrenWork *work, const MrenDenseLayer *layer,
								const MrenDenseLayer *gradient, const MrenRows *in,
								const float *dout, float *din);

#endif
