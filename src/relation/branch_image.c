/*
 * branch_image.c
 *	  The image branch in training: projection, the learned vector of a
 *	  missing image, presence, and the product with the text.
 *
 * units = act(I W + b) or, without an image, the vector `absent`;
 * product = tanh(T Wt + bt) * tanh(U Wi + bi), zero without an image, where U are
 * the units, or I if image_units is 0.
 */
#include "relation/batch.h"

#include <math.h>
#include <string.h>

#include "nn/kernels.h"

void
mren_image_root(const MrenNetShape *shape, float *x, size_t n)
{
	if (shape->image_units == 0)
		return;
	for (size_t i = 0; i < n; i++)
		x[i] = copysignf(sqrtf(fabsf(x[i])), x[i]);
}

static bool
any_image(const MrenBatch *batch)
{
	for (size_t i = 0; i < batch->n; i++)
	{
		if (batch->has_image[i])
			return true;
	}
	return false;
}

static void
drop_images(MrenBatch *batch, MrenDropout *drop)
{
	size_t n = batch->n * batch->shape->image_dim;

	if (drop != NULL)
		mren_dropout(&drop->random, drop->input, batch->image, batch->image_in, batch->image_mask,
					 n);
	else
		memcpy(batch->image_in, batch->image, n * sizeof(float));
}

/* The input of the image's factor of the product. */
static const float *
factor_in(const MrenBatch *batch)
{
	return batch->shape->image_units > 0 ? batch->units : batch->image_in;
}

static void
project(MrenBatch *batch, float *values)
{
	const MrenNetIds *ids = &batch->layout->ids;
	size_t image_dim = batch->shape->image_dim;
	size_t product = batch->shape->product;

	mren_batch_dense(
		batch, values,
		&(MrenBatchLayer){ids->image_weight, ids->image_bias, batch->image_in, image_dim},
		batch->units);
	mren_activate(batch->shape->activation, batch->units,
				  batch->n * mren_net_shape_units(batch->shape));
	if (product == 0)
		return;
	mren_batch_dense(batch, values,
					 &(MrenBatchLayer){ids->product_image_weight, ids->product_image_bias,
									   factor_in(batch), mren_net_shape_factor_in(batch->shape)},
					 batch->factor_image);
	mren_batch_dense(batch, values,
					 &(MrenBatchLayer){ids->product_text_weight, ids->product_text_bias,
									   batch->fused, batch->dim},
					 batch->factor_text);
	mren_tanh(batch->factor_image, batch->n * product);
	mren_tanh(batch->factor_text, batch->n * product);
}

void
mren_batch_image_forward(MrenBatch *batch, float *values, MrenDropout *drop)
{
	const float *absent =
		mren_parameter_at(&batch->layout->table, values, batch->layout->ids.absent);
	size_t product = batch->shape->product;
	size_t units = mren_net_shape_units(batch->shape);
	bool any = any_image(batch);

	/* Draws even if no row has an image: the random stream must not depend on that. */
	drop_images(batch, drop);
	if (any)
		project(batch, values);
	for (size_t i = 0; i < batch->n; i++)
	{
		float *out = batch->fused + i * batch->dim + batch->text_dim;
		bool has = batch->has_image[i];

		memcpy(out, has ? batch->units + i * units : absent, units * sizeof(float));
		out[units] = has ? 1 : 0;
		out += units + 1;
		if (has)
			mren_multiply(out, batch->factor_text + i * product, batch->factor_image + i * product,
						  product);
		else
			memset(out, 0, product * sizeof(float));
	}
}

/* Gradients before the tanh of both factors of a row's product. */
static void
factor_backward(MrenBatch *batch, size_t i, const float *dproduct)
{
	size_t product = batch->shape->product;
	float *dtext = batch->dfactor_text + i * product;
	float *dimage = batch->dfactor_image + i * product;
	const float *text = batch->factor_text + i * product;
	const float *image = batch->factor_image + i * product;

	mren_multiply(dtext, dproduct, image, product);
	mren_tanh_backward(dtext, text, product);
	mren_multiply(dimage, dproduct, text, product);
	mren_tanh_backward(dimage, image, product);
}

/* Splits the gradient of the image's columns by row; that of the units goes to delta[1]. */
static void
split_rows(MrenBatch *batch, float *dunits, float *dabsent)
{
	size_t product = batch->shape->product;
	size_t width = batch->dim - batch->text_dim;
	size_t units = mren_net_shape_units(batch->shape);

	memset(dabsent, 0, units * sizeof(float));
	for (size_t i = 0; i < batch->n; i++)
	{
		const float *row = batch->dimage + i * width;

		if (batch->has_image[i])
		{
			memcpy(dunits + i * units, row, units * sizeof(float));
			factor_backward(batch, i, row + units + 1);
			continue;
		}
		memset(dunits + i * units, 0, units * sizeof(float));
		memset(batch->dfactor_text + i * product, 0, product * sizeof(float));
		memset(batch->dfactor_image + i * product, 0, product * sizeof(float));
		mren_axpy(dabsent, row, 1, units);
	}
}

/*
 * From both factors of the product; adds the gradient that the product gives
 * the units to dunits.
 */
static void
factors_backward(MrenBatch *batch, float *values, float *grads)
{
	const MrenNetIds *ids = &batch->layout->ids;
	bool shared = batch->shape->image_units > 0;

	mren_batch_dense_backward(batch, values, grads,
							  &(MrenBatchLayer){ids->product_image_weight, ids->product_image_bias,
												factor_in(batch),
												mren_net_shape_factor_in(batch->shape)},
							  batch->dfactor_image, shared ? batch->dshared : NULL);
	if (shared)
		mren_axpy(batch->dunits, batch->dshared, 1, batch->n * batch->shape->image_units);
	mren_batch_dense_backward(batch, values, grads,
							  &(MrenBatchLayer){ids->product_text_weight, ids->product_text_bias,
												batch->fused, batch->dim},
							  batch->dfactor_text, NULL);
	batch->readers[batch->n_readers++] =
		(MrenTextReader){batch->dfactor_text, batch->shape->product, ids->product_text_weight};
}

void
mren_batch_image_backward(MrenBatch *batch, float *values, float *grads)
{
	const MrenNetLayout *layout = batch->layout;
	const MrenNetIds *ids = &layout->ids;
	size_t n_units = batch->n * mren_net_shape_units(batch->shape);

	split_rows(batch, batch->dunits, mren_parameter_at(&layout->table, grads, ids->absent));
	if (!any_image(batch))
		memset(batch->units, 0, n_units * sizeof(float));
	if (batch->shape->product > 0)
		factors_backward(batch, values, grads);
	mren_activate_backward(batch->shape->activation, batch->dunits, batch->units, n_units);
	mren_batch_dense_backward(batch, values, grads,
							  &(MrenBatchLayer){ids->image_weight, ids->image_bias, batch->image_in,
												batch->shape->image_dim},
							  batch->dunits, NULL);
}
