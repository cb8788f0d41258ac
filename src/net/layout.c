/*
 * layout.c
 *	  From dimensions to tensors.
 */
#include "net/layout.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/size.h"
#include "net/branch_wide.h"
#include "net/conv_text.h"
#include "net/boxes.h"
#include "net/text_pool.h"

size_t
mren_shape_n_parts(const MrenNetShape *shape)
{
	return MREN_FIXED_PARTS + 2 * shape->window;
}

size_t
mren_shape_pool_dim(const MrenNetShape *shape)
{
	return mren_shape_n_parts(shape) * shape->embedding_dim + MREN_N_SCALARS + 2 * shape->n_types;
}

size_t
mren_shape_conv_dim(const MrenNetShape *shape)
{
	return MREN_CONV_WIDTHS * MREN_CONV_SEGMENTS * shape->filters;
}

size_t
mren_shape_row_dim(const MrenNetShape *shape)
{
	return shape->embedding_dim + 2 * shape->position_dim;
}

size_t
mren_shape_text_dim(const MrenNetShape *shape)
{
	return mren_shape_pool_dim(shape) + mren_shape_conv_dim(shape);
}

size_t
mren_shape_vector_dim(const MrenNetShape *shape)
{
	return mren_shape_has_vector(shape) ? mren_shape_units(shape) + 1 + shape->product : 0;
}

size_t
mren_shape_look_dim(const MrenNetShape *shape)
{
	return mren_shape_looks(shape) ? MREN_IMAGE_UNITS + 1 + shape->product : 0;
}

size_t
mren_shape_box_dim(const MrenNetShape *shape)
{
	if (!shape->boxes)
		return 0;
	return MREN_BOX_GEOMETRY + (mren_shape_looks(shape) ? 2 * MREN_REGION_UNITS : 0);
}

size_t
mren_shape_features_dim(const MrenNetShape *shape)
{
	return mren_shape_text_dim(shape) + mren_shape_vector_dim(shape) + mren_shape_look_dim(shape) +
		   mren_shape_box_dim(shape);
}

size_t
mren_shape_scored_dim(const MrenNetShape *shape)
{
	return mren_shape_features_dim(shape) + (shape->wide_bits > 0 ? shape->n_relations : 0);
}

MrenNetShape
mren_shape_blind(const MrenNetShape *shape)
{
	MrenNetShape blind = *shape;

	blind.image_dim = blind.image_units = blind.product = 0;
	blind.grid = (MrenGridShape){0};
	blind.fusion = MREN_FUSION_PARALLEL;
	blind.wide_bits = blind.wide_rows = 0;
	return blind;
}

static MrenStatus
fail_shape(MrenError *err, const char *what, size_t value)
{
	return mren_fail(err, MREN_EFORMAT, "invalid network: %s of %zu", what, value);
}

static MrenStatus
check_sight(const MrenNetShape *shape, MrenError *err)
{
	bool grid = mren_grid_size(&shape->grid) > 0;

	MREN_TRY(mren_grid_check(&shape->grid, err));
	if (shape->fusion > MREN_FUSION_HYBRID || (shape->fusion != MREN_FUSION_PARALLEL) != grid ||
		(grid && shape->image_dim == 0))
		return fail_shape(err, "fusion", shape->fusion);
	if (shape->boxes > 1 || (shape->boxes > 0 && shape->image_dim == 0))
		return fail_shape(err, "boxes", shape->boxes);
	return MREN_OK;
}

MrenStatus
mren_shape_check(const MrenNetShape *shape, MrenError *err)
{
	if (shape->embedding_dim > MREN_MAX_DIM)
		return fail_shape(err, "word dimension", shape->embedding_dim);
	if (shape->image_dim > MREN_MAX_DIM)
		return fail_shape(err, "image dimension", shape->image_dim);
	if (shape->n_types > MREN_MAX_TYPES)
		return fail_shape(err, "number of entity types", shape->n_types);
	if (shape->n_relations < 2 || shape->n_relations > MREN_MAX_RELATIONS)
		return fail_shape(err, "number of relations", shape->n_relations);
	if (shape->wide_bits > MREN_MAX_WIDE_BITS)
		return fail_shape(err, "size of the wide branch", shape->wide_bits);
	if (shape->wide_rows > (shape->wide_bits > 0 ? (size_t) 1 << shape->wide_bits : 0) ||
		shape->wide_rows > MREN_MAX_WIDE_WEIGHTS / shape->n_relations)
		return fail_shape(err, "number of features", shape->wide_rows);
	if (shape->window > MREN_MAX_WINDOW)
		return fail_shape(err, "window", shape->window);
	if (shape->product > 1024 || (shape->product > 0 && shape->image_dim == 0))
		return fail_shape(err, "product term", shape->product);
	if (shape->filters > MREN_MAX_FILTERS)
		return fail_shape(err, "number of filters", shape->filters);
	if (shape->position_dim > MREN_MAX_POSITION ||
		(shape->filters > 0) != (shape->position_dim > 0))
		return fail_shape(err, "position dimension", shape->position_dim);
	if (shape->n_tuned > MREN_MAX_TUNED || (shape->n_tuned > 0 && shape->filters == 0))
		return fail_shape(err, "number of tuned words", shape->n_tuned);
	if (shape->image_units > MREN_MAX_IMAGE_UNITS ||
		(shape->image_units > 0 && !mren_shape_has_vector(shape)))
		return fail_shape(err, "number of image units", shape->image_units);
	MREN_TRY(check_sight(shape, err));
	if (shape->n_hidden < 1 || shape->n_hidden > MREN_MAX_HIDDEN)
		return fail_shape(err, "number of hidden layers", shape->n_hidden);
	for (size_t i = 0; i < MREN_MAX_HIDDEN; i++)
	{
		size_t least = i < shape->n_hidden ? 1 : 0;
		size_t most = i < shape->n_hidden ? MREN_MAX_HIDDEN_SIZE : 0;

		if (shape->hidden[i] < least || shape->hidden[i] > most)
			return fail_shape(err, "hidden layer", shape->hidden[i]);
	}
	if (shape->activation != MREN_ACTIVATION_RELU && shape->activation != MREN_ACTIVATION_TANH)
		return fail_shape(err, "activation", (size_t) shape->activation);
	return MREN_OK;
}

/* Within the checked ranges no product comes near the limits of size_t. */
static size_t
add_tensor(MrenLayout *layout, const char *name, size_t rows, size_t cols, bool decay)
{
	MrenTensor *tensor = &layout->tensors[layout->n];

	snprintf(tensor->name, sizeof(tensor->name), "%s", name);
	tensor->rows = rows;
	tensor->cols = cols;
	tensor->at = layout->size;
	tensor->trained = true;
	tensor->decay = decay ? 1 : 0;
	tensor->rate = 1;
	layout->size += (rows * cols + 15) & ~(size_t) 15;
	layout->n_parameters += rows * cols;
	return layout->n++;
}

static void
add_image(MrenLayout *layout, const MrenNetShape *shape)
{
	MrenTensorIds *ids = &layout->ids;
	size_t text_dim = mren_shape_text_dim(shape);
	size_t units = mren_shape_units(shape);

	ids->image_weight = add_tensor(layout, "image.weight", shape->image_dim, units, true);
	ids->image_bias = add_tensor(layout, "image.bias", 1, units, false);
	ids->absent = add_tensor(layout, "image.absent", 1, units, false);
	if (shape->product == 0)
		return;
	ids->product_text_weight =
		add_tensor(layout, "product.text.weight", text_dim, shape->product, true);
	ids->product_text_bias = add_tensor(layout, "product.text.bias", 1, shape->product, false);
	ids->product_image_weight = add_tensor(layout, "product.image.weight",
										   mren_shape_factor_in(shape), shape->product, true);
	ids->product_image_bias = add_tensor(layout, "product.image.bias", 1, shape->product, false);
}

static void
add_look(MrenLayout *layout, const MrenNetShape *shape)
{
	MrenTensorIds *ids = &layout->ids;
	size_t text_dim = mren_shape_text_dim(shape);
	size_t channels = shape->grid.channels;

	ids->query_weight = add_tensor(layout, "look.query.weight", text_dim, channels, true);
	ids->query_bias = add_tensor(layout, "look.query.bias", 1, channels, false);
	ids->none = add_tensor(layout, "look.none", 1, channels, false);
	ids->seen_weight = add_tensor(layout, "look.weight", channels, MREN_IMAGE_UNITS, true);
	ids->seen_bias = add_tensor(layout, "look.bias", 1, MREN_IMAGE_UNITS, false);
	if (shape->product > 0)
	{
		ids->factor_text_weight =
			add_tensor(layout, "look.text.weight", text_dim, shape->product, true);
		ids->factor_text_bias = add_tensor(layout, "look.text.bias", 1, shape->product, false);
		ids->factor_seen_weight =
			add_tensor(layout, "look.seen.weight", channels, shape->product, true);
		ids->factor_seen_bias = add_tensor(layout, "look.seen.bias", 1, shape->product, false);
	}
	if (!shape->boxes)
		return;
	ids->region_weight = add_tensor(layout, "region.weight", channels, MREN_REGION_UNITS, true);
	ids->region_bias = add_tensor(layout, "region.bias", 1, MREN_REGION_UNITS, false);
}

static void
add_layers(MrenLayout *layout, const MrenNetShape *shape)
{
	size_t in = mren_shape_features_dim(shape);

	for (size_t i = 0; i <= shape->n_hidden; i++)
	{
		bool last = i == shape->n_hidden;
		size_t out = last ? shape->n_relations : shape->hidden[i];
		char layer[24];
		char name[32];

		if (last)
			snprintf(layer, sizeof(layer), "output");
		else
			snprintf(layer, sizeof(layer), "hidden%d", (int) i + 1);
		snprintf(name, sizeof(name), "%s.weight", layer);
		layout->ids.weight[i] = add_tensor(layout, name, in, out, true);
		snprintf(name, sizeof(name), "%s.bias", layer);
		layout->ids.bias[i] = add_tensor(layout, name, 1, out, false);
		in = out;
	}
}

static void
add_conv(MrenLayout *layout, const MrenNetShape *shape)
{
	MrenTensorIds *ids = &layout->ids;
	char name[24];

	ids->places[0] = add_tensor(layout, "conv.head", MREN_CONV_PLACES, shape->position_dim, false);
	ids->places[1] = add_tensor(layout, "conv.tail", MREN_CONV_PLACES, shape->position_dim, false);
	if (shape->n_tuned > 0)
	{
		ids->tuned = add_tensor(layout, "conv.tuned", shape->n_tuned, shape->embedding_dim, true);
		layout->tensors[ids->tuned].rate = MREN_TUNED_RATE;
	}
	for (size_t i = 0; i < MREN_CONV_WIDTHS; i++)
	{
		size_t width = mren_conv_width(i);

		snprintf(name, sizeof(name), "conv%d.weight", (int) width);
		ids->conv_weight[i] =
			add_tensor(layout, name, shape->filters, width * mren_shape_row_dim(shape), true);
		snprintf(name, sizeof(name), "conv%d.bias", (int) width);
		ids->conv_bias[i] = add_tensor(layout, name, 1, shape->filters, false);
	}
}

static size_t
add_constant(MrenLayout *layout, const char *name, size_t cols)
{
	size_t id = add_tensor(layout, name, 1, cols, false);

	layout->tensors[id].trained = false;
	layout->n_parameters -= cols;
	return id;
}

void
mren_layout_build(const MrenNetShape *shape, MrenLayout *layout)
{
	MrenTensorIds *ids = &layout->ids;

	memset(layout, 0, sizeof(*layout));
	ids->shapes = add_tensor(layout, "text.shapes", MREN_MAX_SHAPES, shape->embedding_dim, true);
	if (mren_shape_has_vector(shape))
		add_image(layout, shape);
	if (mren_shape_looks(shape))
		add_look(layout, shape);
	if (shape->filters > 0)
		add_conv(layout, shape);
	add_layers(layout, shape);
	layout->n_trained = layout->n;
	layout->trained_size = layout->size;
	for (size_t i = 0; i < layout->n_trained && shape->image_dim > 0; i++)
		layout->tensors[i].decay *= MREN_PICTURE_DECAY;
	ids->text_mean = add_constant(layout, "text.mean", mren_shape_pool_dim(shape));
	ids->text_std = add_constant(layout, "text.std", mren_shape_pool_dim(shape));
	if (mren_shape_has_vector(shape))
	{
		ids->image_mean = add_constant(layout, "image.mean", shape->image_dim);
		ids->image_std = add_constant(layout, "image.std", shape->image_dim);
	}
	if (mren_shape_looks(shape))
	{
		ids->grid_mean = add_constant(layout, "grid.mean", shape->grid.channels);
		ids->grid_std = add_constant(layout, "grid.std", shape->grid.channels);
	}
	if (shape->boxes)
	{
		ids->box_mean = add_constant(layout, "box.mean", MREN_BOX_GEOMETRY);
		ids->box_std = add_constant(layout, "box.std", MREN_BOX_GEOMETRY);
	}
	/* Last: a trainer does not know its rows before the end. */
	ids->wide = SIZE_MAX;
	if (shape->wide_rows > 0)
	{
		/* Trained by an optimiser of its own. */
		ids->wide = add_tensor(layout, "wide.weight", shape->wide_rows, shape->n_relations, false);
		layout->tensors[ids->wide].trained = false;
	}
}
