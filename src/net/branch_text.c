/*
 * branch_text.c
 *	  The text branch in training: standardised, dropped, and back to the
 *	  vectors of unknown words, its only trained tensor.
 */
#include "net/network.h"

#include <string.h>

#include "net/kernels.h"
#include "net/text_pool.h"

static size_t
unknown_size(const MrenBatch *batch)
{
	return mren_shape_n_parts(batch->shape) * MREN_MAX_SHAPES;
}

void
mren_text_forward(MrenBatch *batch, float *values, MrenDrop *drop)
{
	const MrenLayout *layout = batch->layout;
	const float *shapes = mren_tensor_at(layout, values, layout->ids.shapes);
	const float *mean = mren_tensor_at(layout, values, layout->ids.text_mean);
	size_t dim = batch->text_dim;

	for (size_t i = 0; i < batch->n; i++)
	{
		float *out = batch->fused + i * batch->dim;
		float *mask = batch->text_mask + i * dim;

		memcpy(out, batch->text + i * dim, dim * sizeof(float));
		if (batch->has_unknown[i])
			mren_text_add_unknown(batch->shape, shapes, batch->unknown + i * unknown_size(batch),
								  out);
		mren_standardise(out, out, mean, batch->text_inverse, dim);
		if (drop != NULL)
			mren_dropout(&drop->random, drop->input, out, out, mask, dim);
	}
}

/* Copies the rows with unknown words to the front of `to`; their number. */
static size_t
gather_unknown(const MrenBatch *batch, const float *from, float *to, size_t width)
{
	size_t n = 0;

	for (size_t i = 0; i < batch->n; i++)
	{
		if (batch->has_unknown[i])
			memcpy(to + n++ * width, from + i * width, width * sizeof(float));
	}
	return n;
}

/*
 * The gradient of the text's inputs is needed only for rows that have unknown
 * words, often few.  It comes from the first hidden layer and, with pictures,
 * from the product term.
 */
void
mren_text_backward(MrenBatch *batch, float *values, float *grads)
{
	const MrenLayout *layout = batch->layout;
	const MrenTensor *first = &layout->tensors[layout->ids.weight[0]];
	const MrenTensor *shapes = &layout->tensors[layout->ids.shapes];
	size_t dim = batch->text_dim;
	size_t product = batch->shape->product;
	float *dshapes = grads + shapes->at;
	size_t n = gather_unknown(batch, batch->dhidden, batch->gathered, first->cols);
	size_t row = 0;
	MrenProduct down;

	memset(dshapes, 0, shapes->rows * shapes->cols * sizeof(float));
	if (n == 0)
		return;
	/* The text's rows of the weights come first, so the rest is left out. */
	down = (MrenProduct){.trans_b = true,
						 .m = n,
						 .n = dim,
						 .k = first->cols,
						 .a = batch->gathered,
						 .lda = first->cols,
						 .b = values + first->at,
						 .ldb = first->cols,
						 .c = batch->dtext,
						 .ldc = dim};
	mren_batch_gemm(batch, &down);
	if (product > 0)
	{
		gather_unknown(batch, batch->dfactor_text, batch->gathered, product);
		down.k = down.lda = down.ldb = product;
		down.b = mren_tensor_at(layout, values, layout->ids.product_text_weight);
		down.beta = 1;
		mren_batch_gemm(batch, &down);
	}
	for (size_t i = 0; i < batch->n; i++)
	{
		float *drow = batch->dtext + row * dim;

		if (!batch->has_unknown[i])
			continue;
		if (batch->dropped)
			mren_multiply(drow, drow, batch->text_mask + i * dim, dim);
		mren_multiply(drow, drow, batch->text_inverse, dim);
		mren_text_unknown_backward(batch->shape, batch->unknown + i * unknown_size(batch), drow,
								   dshapes);
		row++;
	}
}
