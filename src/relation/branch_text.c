/*
 * branch_text.c
 *	  The text branch in training: standardized pooled parts, convolutions,
 *	  dropout, and backward.
 */
#include "relation/batch.h"

#include <string.h>

#include "nn/kernels.h"
#include "relation/text_pool.h"

static size_t
unknown_size(const MrenBatch *batch)
{
	return mren_net_shape_n_parts(batch->shape) * MREN_MAX_SHAPES;
}

void
mren_batch_text_forward(MrenBatch *batch, float *values, MrenDropout *drop)
{
	const MrenNetLayout *layout = batch->layout;
	const float *shapes = mren_parameter_at(&layout->table, values, layout->ids.shapes);
	const float *mean = mren_parameter_at(&layout->table, values, layout->ids.text_mean);
	size_t pool_dim = batch->pool_dim;

	if (batch->conv_dim > 0)
		mren_batch_conv_forward(batch, values, drop);
	for (size_t i = 0; i < batch->n; i++)
	{
		float *out = batch->fused + i * batch->dim;
		float *mask = batch->text_mask + i * batch->text_dim;

		memcpy(out, batch->text + i * pool_dim, pool_dim * sizeof(float));
		if (batch->has_unknown[i])
			mren_text_add_unknown(batch->shape, shapes, batch->unknown + i * unknown_size(batch),
								  out);
		mren_standardize(out, out, mean, batch->text_inverse, pool_dim);
		if (drop != NULL)
			mren_dropout(&drop->random, drop->input, out, out, mask, batch->text_dim);
	}
}

/* Copies the rows with unknown words to the front of `to`; returns their number. */
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
 * The gradient of `cols` text columns from `first` on, before the mask, summed
 * over the layers that read them; if requested, only of the rows with unknown words.
 */
static void
read_back(MrenBatch *batch, float *values, size_t first, size_t cols, bool unknown_only, float *out)
{
	for (size_t i = 0; i < batch->n_readers; i++)
	{
		const MrenTextReader *reader = &batch->readers[i];
		const float *delta = reader->delta;
		size_t n = batch->n;
		MrenProduct back;

		if (unknown_only)
		{
			n = gather_unknown(batch, delta, batch->gathered, reader->width);
			delta = batch->gathered;
		}
		if (n == 0)
			return;
		back = (MrenProduct){.trans_b = true,
							 .m = n,
							 .n = cols,
							 .k = reader->width,
							 .a = delta,
							 .lda = reader->width,
							 .b = mren_parameter_at(&batch->layout->table, values, reader->weight) +
								  first * reader->width,
							 .ldb = reader->width,
							 .beta = i > 0 ? 1 : 0,
							 .c = out,
							 .ldc = cols};
		mren_work_multiply(&batch->work, &back);
	}
}

/*
 * In the pooled part only the vectors of unknown words are trained, so its
 * gradient is needed only for rows that have unknown words, often few.
 */
static void
pool_backward(MrenBatch *batch, float *values, float *grads)
{
	const MrenParameter *shapes = &batch->layout->table.items[batch->layout->ids.shapes];
	size_t dim = batch->pool_dim;
	float *dshapes = grads + shapes->at;
	size_t row = 0;

	memset(dshapes, 0, shapes->rows * shapes->cols * sizeof(float));
	read_back(batch, values, 0, dim, true, batch->dtext);
	for (size_t i = 0; i < batch->n; i++)
	{
		float *drow = batch->dtext + row * dim;

		if (!batch->has_unknown[i])
			continue;
		if (batch->dropped)
			mren_multiply(drow, drow, batch->text_mask + i * batch->text_dim, dim);
		mren_multiply(drow, drow, batch->text_inverse, dim);
		mren_text_unknown_backward(batch->shape, batch->unknown + i * unknown_size(batch), drow,
								   dshapes);
		row++;
	}
}

void
mren_batch_text_backward(MrenBatch *batch, float *values, float *grads)
{
	size_t dim = batch->conv_dim;
	float *d = batch->conv.dlargest;

	pool_backward(batch, values, grads);
	if (dim == 0)
		return;
	read_back(batch, values, batch->pool_dim, dim, false, d);
	for (size_t i = 0; batch->dropped && i < batch->n; i++)
		mren_multiply(d + i * dim, d + i * dim,
					  batch->text_mask + i * batch->text_dim + batch->pool_dim, dim);
	mren_batch_conv_backward(batch, values, grads);
}
