/*
 * dense.c
 *	  Dense layers in training, over BLAS; dropout; activations.
 */
#include "net/network.h"

#include <string.h>

#include "base/blas.h"
#include "net/kernels.h"

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

	/* Four decisions of 16 bits from each random number. */
	for (size_t i = 0; i < n; i += 4)
	{
		uint64_t bits = mren_random_next(random);
		size_t end = n - i < 4 ? n : i + 4;

		for (size_t j = i; j < end; j++, bits >>= 16)
			mask[j] = (bits & 0xFFFF) < threshold ? 0 : keep;
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
