/*
 * dense.c
 *	  Dense layers in training, over BLAS; dropout; activations.
 */
#include "net/network.h"

#include <string.h>

#include "base/blas.h"
#include "net/kernels.h"

#define DROPOUT_CHUNK 1024

/* Multiply-adds in one call of BLAS: 20 ms at 50 GFLOP/s. */
#define PIECE_PRODUCTS ((size_t) 500 * 1000 * 1000)

void
mren_batch_worked(MrenBatch *batch, size_t work)
{
	batch->unasked += work;
	if (batch->unasked < PIECE_PRODUCTS)
		return;
	batch->unasked = 0;
	batch->stopped = batch->stopped || batch->env->interrupted(batch->env->state);
}

void
mren_batch_gemm(MrenBatch *batch, const MrenProduct *p)
{
	size_t rows = PIECE_PRODUCTS / (p->n * p->k + 1) + 1;

	for (size_t i = 0; i < p->m && !batch->stopped; i += rows)
	{
		size_t m = p->m - i < rows ? p->m - i : rows;

		mren_gemm(p->trans_a, p->trans_b, m, p->n, p->k, 1, p->a + (p->trans_a ? i : i * p->lda),
				  p->lda, p->b, p->ldb, p->beta, p->c + i * p->ldc, p->ldc);
		mren_batch_worked(batch, m * p->n * p->k);
	}
}

void
mren_dense_forward(MrenBatch *batch, float *values, size_t weight, size_t bias, const float *in,
				   size_t ldi, float *out)
{
	const MrenTensor *w = &batch->layout->tensors[weight];
	const MrenProduct product = {.m = batch->n,
								 .n = w->cols,
								 .k = w->rows,
								 .a = in,
								 .lda = ldi,
								 .b = values + w->at,
								 .ldb = w->cols,
								 .c = out,
								 .ldc = w->cols};

	mren_batch_gemm(batch, &product);
	mren_add_bias(out, mren_tensor_at(batch->layout, values, bias), batch->n, w->cols);
}

void
mren_dense_backward(MrenBatch *batch, float *values, float *grads, size_t weight, size_t bias,
					const float *in, size_t ldi, const float *dout, float *din)
{
	const MrenTensor *w = &batch->layout->tensors[weight];
	const MrenProduct dweight = {.trans_a = true,
								 .m = w->rows,
								 .n = w->cols,
								 .k = batch->n,
								 .a = in,
								 .lda = ldi,
								 .b = dout,
								 .ldb = w->cols,
								 .c = grads + w->at,
								 .ldc = w->cols};
	const MrenProduct dinput = {.trans_b = true,
								.m = batch->n,
								.n = w->rows,
								.k = w->cols,
								.a = dout,
								.lda = w->cols,
								.b = values + w->at,
								.ldb = w->cols,
								.c = din,
								.ldc = w->rows};
	float *dbias = mren_tensor_at(batch->layout, grads, bias);

	mren_batch_gemm(batch, &dweight);
	memset(dbias, 0, w->cols * sizeof(float));
	mren_sum_rows(dbias, dout, batch->n, w->cols);
	if (din != NULL)
		mren_batch_gemm(batch, &dinput);
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
