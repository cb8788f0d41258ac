/*
 * activation.c
 *	  Choosing the kernel of an activation.
 */
#include "nn/activation.h"

#include "nn/kernels.h"

void
mren_activate(MrenActivation activation, float *x, size_t n)
{
	if (activation == MREN_ACTIVATION_RELU)
		mren_relu(x, n);
	else
		mren_tanh(x, n);
}

void
mren_activate_backward(MrenActivation activation, float *dx, const float *y, size_t n)
{
	if (activation == MREN_ACTIVATION_RELU)
		mren_relu_backward(dx, y, n);
	else
		mren_tanh_backward(dx, y, n);
}
