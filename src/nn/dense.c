/*
 * dense.c
 *	  Dense layers forward and backward.
 */
#include "nn/dense.h"

#include <string.h>

#include "nn/kernels.h"

MrenStatus
mren_dense_check_hidden(const char *network, const size_t *hidden, size_t n_hidden,
						MrenActivation activation, MrenError *err)
{
	if (n_hidden < 1 || n_hidden > MREN_MAX_HIDDEN)
		return mren_fail(err, MREN_EFORMAT, "invalid %s: number of hidden layers of %zu", network,
						 n_hidden);
	for (size_t i = 0; i < MREN_MAX_HIDDEN; i++)
	{
		size_t least = i < n_hidden ? 1 : 0;
		size_t most = i < n_hidden ? MREN_MAX_HIDDEN_SIZE : 0;

		if (hidden[i] < least || hidden[i] > most)
			return mren_fail(err, MREN_EFORMAT, "invalid %s: hidden layer of %zu", network,
							 hidden[i]);
	}
	if (activation != MREN_ACTIVATION_RELU && activation != MREN_ACTIVATION_TANH)
		return mren_fail(err, MREN_EFORMAT, "invalid %s: activation of %zu", network,
						 (size_t) activation);
	return MREN_OK;
}

MrenDenseLayer
mren_dense_layer(const MrenParameterTable *table, float *values, size_t weight, size_t bias)
{
	const MrenParameter *w = &table->items[weight];

	return (MrenDenseLayer){.in = w->rows,
							.out = w->cols,
							.weight = values + w->at,
							.bias = mren_parameter_at(table, values, bias)};
}

void
mren_dense_forward(MrenWork *work, const MrenDenseLayer *layer, const MrenRows *in, float *out)
{
	const MrenProduct product = {.m = in->n,
								 .n = layer->out,
								 .k = layer->in,
								 .a = in->data,
								 .lda = in->ld,
								 .b = layer->weight,
								 .ldb = layer->out,
								 .c = out,
								 .ldc = layer->out};

	mren_work_multiply(work, &product);
	mren_add_bias(out, layer->bias, in->n, layer->out);
}

void
mren_dense_backward(MrenWork *work, const MrenDenseLayer *layer, const MrenDenseLayer *gradient,
					const MrenRows *in, const float *dout, float *din)
{
	const MrenProduct dweight = {.trans_a = true,
								 .m = layer->in,
								 .n = layer->out,
								 .k = in->n,
								 .a = in->data,
								 .lda = in->ld,
								 .b = dout,
								 .ldb = layer->out,
								 .c = gradient->weight,
								 .ldc = layer->out};
	const MrenProduct dinput = {.trans_b = true,
								.m = in->n,
								.n = layer->in,
								.k = layer->out,
								.a = dout,
								.lda = layer->out,
								.b = layer->weight,
								.ldb = layer->out,
								.c = din,
								.ldc = layer->in};

	mren_work_multiply(work, &dweight);
	memset(gradient->bias, 0, layer->out * sizeof(float));
	mren_sum_rows(gradient->bias, dout, in->n, layer->out);
	if (din != NULL)
		mren_work_multiply(work, &dinput);
}
