/*
 * dense.c
 *	  Dense layers in training, over BLAS; dropout; activations.
 */
#include "net/network.h"

#include <string.h>

#include "base/blas.h"
#include "net/kernels.h"

#define DROPOUT_CHUNK 1024

void
mren_dense_forward(const MrenLayout *layout, float *values, size_t weight, size_t bias,
				   const float *in, size_t ldi, size_t n, float *out)
{
	const MrenTensor *w = &layout->tensors[weight];

	mren_gemm(false, false, n, w->cols, w->rows, 1, in, ldi, values + w->at, w->cols, 0, out,
			  w->cols);
	mren_add_bias(out, mren_tensor_at(layout, values, bias), n, w->cols);
}

void
mren_dense_backward(const MrenLayout *layout, float *values, float *grads, size_t weight,
					size_t bias, const float *in, size_t ldi, size_t n, const float *dout,
					float *din)
{
	const MrenTensor *w = &layout->tensors[weight];
	float *dbias = mren_tensor_at(layout, grads, bias);

	mren_gemm(true, false, w->rows, w->cols, n, 1, in, ldi, dout, w->cols, 0, grads + w->at,
			  w->cols);
	memset(dbias, 0, w->cols * sizeof(float));
	mren_sum_rows(dbias, dout, n, w->cols);
	if (din != NULL)
		mren_gemm(false, true, n, w->rows, w->cols, 1, dout, w->cols, values + w->at, w->cols, 0,
				  din, w->rows);
}

void
mren_dropout(MrenRandom *random, float p, const float *x, float *y, float *mask, size_t n)
{
	uint32_t threshold = (uint32_t) (p * 65536.0f + 0.5f);
	float keep = 65536.0f / (float) (65536 - threshold);
	uint64_t bits[DROPOUT_CHUNK / 4];

	/* Four decisions of 16 bits from each random number, a chunk at a time. */
	for (size_t i = 0; i < n; i += DROPOUT_CHUNK)
	{
		size_t size = n - i < DROPOUT_CHUNK ? n - i : DROPOUT_CHUNK;

		for (size_t j = 0; j < (size + 3) / 4; j++)
			bits[j] = mren_random_next(random);
		mren_mask(mask + i, bits, threshold, keep, size);
	}
	mren_multiply(y, x, mask, n);
}

void
mren_dense_activate(MrenActivation activation, float *x, size_t n)
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
