/*
 * activation.h
 *	  The non-linear functions of hidden layers.
 */
#ifndef MREN_NN_ACTIVATION_H
#define MREN_NN_ACTIVATION_H

#include <stddef.h>

typedef enum MrenActivation
{
	MREN_ACTIVATION_RELU,
	MREN_ACTIVATION_TANH,
} MrenActivation;

/* x (n) becomes the activation of x. */
extern void mren_activate(MrenActivation activation, float *x, size_t n);

/* dx (n) is multiplied by the derivative, which follows from the activation's output y (n). */
extern void mren_activate_backward(MrenActivation activation, float *dx, const float *y, size_t n);

#endif
