/*
 * branch_image.c
 *	  The image branch in training: projection, the learned vector of a
 *	  missing picture, presence, and the product with the text.
 *
 * units = act(I W + b) or, without a picture, the vector `absent`;
 * product = tanh(T Wt + bt) * tanh(I Wi + bi), zero without a picture.
 */
#include "net/network.h"

#include <string.h>

#include "net/kernels.h"

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
drop_images(MrenBatch *batch, MrenDrop *drop)
{
	size_t n = batch->n * batch->shape->image_dim;

	if (drop != NULL)
		mren_dropout(&drop->random, drop->input, batch->image, batch->image_in, batch->image_mask,
					 n);
	else
		memcpy(batch->image_in, batch->image, n * sizeof(float));
}

static void
project(MrenBatch *batch, float *values)
{
	const MrenTensorIds *ids = &batch->layout->ids;
	size_t image_dim = batch->shape->image_dim;
	size_t product = batch->shape->product;

	mren_dense_forward(batch, values, ids->image_weight, ids->image_bias, batch->image_in,
					   image_dim, batch->units);
	mren_dense_activate(batch->shape->activation, batch->units, batch->n * MREN_IMAGE_UNITS);
	if (product == 0)
		return;
	mren_dense_forward(batch, values, ids->product_image_weight, ids->product_image_bias,
					   batch->image_in, image_dim, batch->factor_image);
	mren_dense_forward(batch, values, ids->product_text_weight, ids->product_text_bias,
					   batch->fused, batch->dim, batch->factor_text);
	mren_tanh(batch->factor_image, batch->n * product);
	mren_tanh(batch->factor_text, batch->n * product);
}

void
mren_image_forward(MrenBatch *batch, float *values, MrenDrop *drop)
{
	const float *absent = mren_tensor_at(batch->layout, values, batch->layout->ids.absent);
	size_t product = batch->shape->product;
	bool any = any_image(batch);

	/* Dropped even when no row has a picture: the stream must not depend on it. */
	drop_images(batch, drop);
	if (any)
		project(batch, values);
	for (size_t i = 0; i < batch->n; i++)
	{
		float *out = batch->fused + i * batch->dim + batch->text_dim;
		bool has = batch->has_image[i];

		memcpy(out, has ? batch->units + i * MREN_IMAGE_UNITS : absent,
			   MREN_IMAGE_UNITS * sizeof(float));
		out[MREN_IMAGE_UNITS] = has ? 1 : 0;
		out += MREN_IMAGE_UNITS + 1;
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

/* Splits the image columns' gradient by row; units' goes to delta[1]. */
static void
split_rows(MrenBatch *batch, float *dunits, float *dabsent)
{
	size_t product = batch->shape->product;
	size_t width = batch->dim - batch->text_dim;

	memset(dabsent, 0, MREN_IMAGE_UNITS * sizeof(float));
	for (size_t i = 0; i < batch->n; i++)
	{
		const float *row = batch->dimage + i * width;

		if (batch->has_image[i])
		{
			memcpy(dunits + i * MREN_IMAGE_UNITS, row, MREN_IMAGE_UNITS * sizeof(float));
			factor_backward(batch, i, row + MREN_IMAGE_UNITS + 1);
			continue;
		}
		memset(dunits + i * MREN_IMAGE_UNITS, 0, MREN_IMAGE_UNITS * sizeof(float));
		memset(batch->dfactor_text + i * product, 0, product * sizeof(float));
		memset(batch->dfactor_image + i * product, 0, product * sizeof(float));
		mren_axpy(dabsent, row, 1, MREN_IMAGE_UNITS);
	}
}

void
mren_image_backward(MrenBatch *batch, float *values, float *grads)
{
	const MrenLayout *layout = batch->layout;
	const MrenTensorIds *ids = &layout->ids;
	size_t image_dim = batch->shape->image_dim;

	split_rows(batch, batch->dunits, mren_tensor_at(layout, grads, ids->absent));
	if (!any_image(batch))
		memset(batch->units, 0, batch->n * MREN_IMAGE_UNITS * sizeof(float));
	mren_activate_backward(batch->shape->activation, batch->dunits, batch->units,
						   batch->n * MREN_IMAGE_UNITS);
	mren_dense_backward(batch, values, grads, ids->image_weight, ids->image_bias, batch->image_in,
						image_dim, batch->dunits, NULL);
	if (batch->shape->product == 0)
		return;
	mren_dense_backward(batch, values, grads, ids->product_image_weight, ids->product_image_bias,
						batch->image_in, image_dim, batch->dfactor_image, NULL);
	mren_dense_backward(batch, values, grads, ids->product_text_weight, ids->product_text_bias,
						batch->fused, batch->dim, batch->dfactor_text, NULL);
	batch->readers[batch->n_readers++] =
		(MrenReader){batch->dfactor_text, batch->shape->product, ids->product_text_weight};
}
