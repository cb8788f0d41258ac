/*
 * layout.c
 *	  From dimensions to tensors.
 */
#include "relation/layout.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "relation/branch_linear.h"
#include "relation/conv_text.h"
#include "data/boxes.h"
#include "relation/text_pool.h"

size_t
mren_net_shape_n_parts(const MrenNetShape *shape)
{
	return MREN_FIXED_PARTS + 2 * shape->window;
}

size_t
mren_net_shape_pool_dim(const MrenNetShape *shape)
{
	return mren_net_shape_n_parts(shape) * shape->embedding_dim + MREN_N_SCALARS +
		   2 * shape->n_types;
}

size_t
mren_net_shape_conv_dim(const MrenNetShape *shape)
{
	return MREN_CONV_WIDTHS * MREN_CONV_SEGMENTS * shape->filters;
}

size_t
mren_net_shape_row_dim(const MrenNetShape *shape)
{
	return shape->embedding_dim + 2 * shape->position_dim;
}

size_t
mren_net_shape_text_dim(const MrenNetShape *shape)
{
	return mren_net_shape_pool_dim(shape) + mren_net_shape_conv_dim(shape);
}

size_t
mren_net_shape_vector_dim(const MrenNetShape *shape)
{
	return mren_net_shape_has_vector(shape) ? mren_net_shape_units(shape) + 1 + shape->product : 0;
}

size_t
mren_net_shape_attended_dim(const MrenNetShape *shape)
{
	return mren_net_shape_attends(shape) ? MREN_IMAGE_UNITS + 1 + shape->product : 0;
}

size_t
mren_net_shape_box_dim(const MrenNetShape *shape)
{
	if (!shape->boxes)
		return 0;
	return MREN_BOX_GEOMETRY + (mren_net_shape_attends(shape) ? 2 * MREN_REGION_UNITS : 0);
}

size_t
mren_net_shape_audio_columns(const MrenNetShape *shape)
{
	return shape->audio_dim > 0 ? shape->audio_units + 1 + shape->audio_product : 0;
}

size_t
mren_net_shape_features_dim(const MrenNetShape *shape)
{
	return mren_net_shape_text_dim(shape) + mren_net_shape_vector_dim(shape) +
		   mren_net_shape_attended_dim(shape) + mren_net_shape_box_dim(shape) +
		   mren_net_shape_audio_columns(shape);
}

size_t
mren_net_shape_scored_dim(const MrenNetShape *shape)
{
	return mren_net_shape_features_dim(shape) + (shape->hash_bits > 0 ? shape->n_relations : 0);
}

MrenNetShape
mren_net_shape_text_only(const MrenNetShape *shape)
{
	MrenNetShape text_only = *shape;

	text_only.image_dim = text_only.image_units = text_only.product = 0;
	text_only.audio_dim = text_only.audio_units = text_only.audio_product = 0;
	text_only.grid = (MrenGridShape){0};
	text_only.fusion = MREN_FUSION_PARALLEL;
	text_only.hash_bits = text_only.linear_rows = 0;
	return text_only;
}

static MrenStatus
fail_shape(MrenError *err, const char *what, size_t value)
{
	return mren_fail(err, MREN_EFORMAT, "invalid network: %s of %zu", what, value);
}

static MrenStatus
check_audio(const MrenNetShape *shape, MrenError *err)
{
	if (shape->audio_dim > MREN_MAX_DIM)
		return fail_shape(err, "audio dimension", shape->audio_dim);
	if (shape->audio_units > MREN_MAX_IMAGE_UNITS ||
		(shape->audio_units > 0) != (shape->audio_dim > 0))
		return fail_shape(err, "number of audio units", shape->audio_units);
	if (shape->audio_product > 1024 || (shape->audio_product > 0 && shape->audio_dim == 0))
		return fail_shape(err, "product term of audio", shape->audio_product);
	return MREN_OK;
}

static MrenStatus
check_grid(const MrenNetShape *shape, MrenError *err)
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
mren_net_shape_check(const MrenNetShape *shape, MrenError *err)
{
	if (shape->embedding_dim > MREN_MAX_DIM)
		return fail_shape(err, "word dimension", shape->embedding_dim);
	if (shape->image_dim > MREN_MAX_DIM)
		return fail_shape(err, "image dimension", shape->image_dim);
	if (shape->n_types > MREN_MAX_TYPES)
		return fail_shape(err, "number of entity types", shape->n_types);
	if (shape->n_relations < 2 || shape->n_relations > MREN_MAX_RELATIONS)
		return fail_shape(err, "number of relations", shape->n_relations);
	if (shape->hash_bits > MREN_MAX_HASH_BITS)
		return fail_shape(err, "hash bits of the linear branch", shape->hash_bits);
	if (shape->linear_rows > (shape->hash_bits > 0 ? (size_t) 1 << shape->hash_bits : 0) ||
		shape->linear_rows > MREN_MAX_LINEAR_WEIGHTS / shape->n_relations)
		return fail_shape(err, "number of features", shape->linear_rows);
	if (shape->window > MREN_MAX_WINDOW)
		return fail_shape(err, "window", shape->window);
	if (shape->product > 1024 || (shape->product > 0 && shape->image_dim == 0))
		return fail_shape(err, "product term", shape->product);
	if (shape->filters > MREN_MAX_FILTERS)
		return fail_shape(err, "number of filters", shape->filters);
	if (shape->position_dim > MREN_MAX_POSITION ||
		(shape->filters > 0) != (shape->position_dim > 0))
		return fail_shape(err, "position dimension", shape->position_dim);
	if (shape->n_fine_tuned > MREN_MAX_FINE_TUNED ||
		(shape->n_fine_tuned > 0 && shape->filters == 0))
		return fail_shape(err, "number of fine-tuned words", shape->n_fine_tuned);
	if (shape->image_units > MREN_MAX_IMAGE_UNITS ||
		(shape->image_units > 0 && !mren_net_shape_has_vector(shape)))
		return fail_shape(err, "number of image units", shape->image_units);
	MREN_TRY(check_audio(shape, err));
	MREN_TRY(check_grid(shape, err));
	return mren_dense_check_hidden("network", shape->hidden, shape->n_hidden, shape->activation,
								   err);
}

/* Within the checked ranges no product of sizes comes near the limits of size_t. */
static void
add_image(MrenNetLayout *layout, const MrenNetShape *shape)
{
	MrenNetIds *ids = &layout->ids;
	size_t text_dim = mren_net_shape_text_dim(shape);
	size_t units = mren_net_shape_units(shape);

	ids->image_weight =
		mren_parameters_add(&layout->table, "image.weight", shape->image_dim, units, true);
	ids->image_bias = mren_parameters_add(&layout->table, "image.bias", 1, units, false);
	ids->absent = mren_parameters_add(&layout->table, "image.absent", 1, units, false);
	if (shape->product == 0)
		return;
	ids->product_text_weight =
		mren_parameters_add(&layout->table, "product.text.weight", text_dim, shape->product, true);
	ids->product_text_bias =
		mren_parameters_add(&layout->table, "product.text.bias", 1, shape->product, false);
	ids->product_image_weight =
		mren_parameters_add(&layout->table, "product.image.weight", mren_net_shape_factor_in(shape),
							shape->product, true);
	ids->product_image_bias =
		mren_parameters_add(&layout->table, "product.image.bias", 1, shape->product, false);
}

static void
add_audio(MrenNetLayout *layout, const MrenNetShape *shape)
{
	MrenNetIds *ids = &layout->ids;
	MrenParameterTable *table = &layout->table;
	size_t text_dim = mren_net_shape_text_dim(shape);
	size_t units = shape->audio_units;
	size_t product = shape->audio_product;

	ids->audio_weight = mren_parameters_add(table, "audio.weight", shape->audio_dim, units, true);
	ids->audio_bias = mren_parameters_add(table, "audio.bias", 1, units, false);
	ids->audio_absent = mren_parameters_add(table, "audio.absent", 1, units, false);
	if (product == 0)
		return;
	ids->audio_text_weight =
		mren_parameters_add(table, "audio.text.weight", text_dim, product, true);
	ids->audio_text_bias = mren_parameters_add(table, "audio.text.bias", 1, product, false);
	ids->audio_factor_weight =
		mren_parameters_add(table, "audio.factor.weight", units, product, true);
	ids->audio_factor_bias = mren_parameters_add(table, "audio.factor.bias", 1, product, false);
}

static MrenVectorBranch
image_branch(const MrenNetShape *shape, const MrenNetIds *ids)
{
	return (MrenVectorBranch){.dim = shape->image_dim,
							  .units = mren_net_shape_units(shape),
							  .product = shape->product,
							  .factor_in = mren_net_shape_factor_in(shape),
							  .shared = shape->image_units > 0,
							  .at = mren_net_shape_text_dim(shape),
							  .weight = ids->image_weight,
							  .bias = ids->image_bias,
							  .absent = ids->absent,
							  .text_weight = ids->product_text_weight,
							  .text_bias = ids->product_text_bias,
							  .factor_weight = ids->product_image_weight,
							  .factor_bias = ids->product_image_bias,
							  .mean = ids->image_mean,
							  .std = ids->image_std};
}

MrenVectorBranch
mren_net_vector_branch(const MrenNetShape *shape, const MrenNetLayout *layout, MrenVectorKind kind)
{
	const MrenNetIds *ids = &layout->ids;

	if (kind == MREN_VECTOR_IMAGE)
		return mren_net_shape_has_vector(shape) ? image_branch(shape, ids) : (MrenVectorBranch){0};
	if (shape->audio_dim == 0)
		return (MrenVectorBranch){0};
	return (MrenVectorBranch){.dim = shape->audio_dim,
							  .units = shape->audio_units,
							  .product = shape->audio_product,
							  .factor_in = shape->audio_units,
							  .shared = true,
							  .at = mren_net_shape_features_dim(shape) -
									mren_net_shape_audio_columns(shape),
							  .weight = ids->audio_weight,
							  .bias = ids->audio_bias,
							  .absent = ids->audio_absent,
							  .text_weight = ids->audio_text_weight,
							  .text_bias = ids->audio_text_bias,
							  .factor_weight = ids->audio_factor_weight,
							  .factor_bias = ids->audio_factor_bias,
							  .mean = ids->audio_mean,
							  .std = ids->audio_std};
}

static void
add_attention(MrenNetLayout *layout, const MrenNetShape *shape)
{
	MrenNetIds *ids = &layout->ids;
	size_t text_dim = mren_net_shape_text_dim(shape);
	size_t channels = shape->grid.channels;

	ids->query_weight =
		mren_parameters_add(&layout->table, "look.query.weight", text_dim, channels, true);
	ids->query_bias = mren_parameters_add(&layout->table, "look.query.bias", 1, channels, false);
	ids->none = mren_parameters_add(&layout->table, "look.none", 1, channels, false);
	ids->attended_weight =
		mren_parameters_add(&layout->table, "look.weight", channels, MREN_IMAGE_UNITS, true);
	ids->attended_bias =
		mren_parameters_add(&layout->table, "look.bias", 1, MREN_IMAGE_UNITS, false);
	if (shape->product > 0)
	{
		ids->factor_text_weight =
			mren_parameters_add(&layout->table, "look.text.weight", text_dim, shape->product, true);
		ids->factor_text_bias =
			mren_parameters_add(&layout->table, "look.text.bias", 1, shape->product, false);
		ids->factor_attended_weight =
			mren_parameters_add(&layout->table, "look.seen.weight", channels, shape->product, true);
		ids->factor_attended_bias =
			mren_parameters_add(&layout->table, "look.seen.bias", 1, shape->product, false);
	}
	if (!shape->boxes)
		return;
	ids->region_weight =
		mren_parameters_add(&layout->table, "region.weight", channels, MREN_REGION_UNITS, true);
	ids->region_bias =
		mren_parameters_add(&layout->table, "region.bias", 1, MREN_REGION_UNITS, false);
}

static void
add_layers(MrenNetLayout *layout, const MrenNetShape *shape)
{
	size_t in = mren_net_shape_features_dim(shape);

	for (size_t i = 0; i <= shape->n_hidden; i++)
	{
		bool last = i == shape->n_hidden;
		size_t out = last ? shape->n_relations : shape->hidden[i];

		mren_parameters_add_layer(&layout->table, i, last, in, out, &layout->ids.weight[i],
								  &layout->ids.bias[i]);
		in = out;
	}
}

static void
add_conv(MrenNetLayout *layout, const MrenNetShape *shape)
{
	MrenNetIds *ids = &layout->ids;
	char name[24];

	ids->places[0] = mren_parameters_add(&layout->table, "conv.head", MREN_CONV_PLACES,
										 shape->position_dim, false);
	ids->places[1] = mren_parameters_add(&layout->table, "conv.tail", MREN_CONV_PLACES,
										 shape->position_dim, false);
	if (shape->n_fine_tuned > 0)
	{
		ids->fine_tuned = mren_parameters_add(&layout->table, "conv.tuned", shape->n_fine_tuned,
											  shape->embedding_dim, true);
		layout->table.items[ids->fine_tuned].rate = MREN_FINE_TUNED_RATE;
	}
	for (size_t i = 0; i < MREN_CONV_WIDTHS; i++)
	{
		size_t width = mren_conv_width(i);

		snprintf(name, sizeof(name), "conv%d.weight", (int) width);
		ids->conv_weight[i] = mren_parameters_add(&layout->table, name, shape->filters,
												  width * mren_net_shape_row_dim(shape), true);
		snprintf(name, sizeof(name), "conv%d.bias", (int) width);
		ids->conv_bias[i] = mren_parameters_add(&layout->table, name, 1, shape->filters, false);
	}
}

void
mren_net_layout_build(const MrenNetShape *shape, MrenNetLayout *layout)
{
	MrenNetIds *ids = &layout->ids;

	memset(layout, 0, sizeof(*layout));
	ids->shapes = mren_parameters_add(&layout->table, "text.shapes", MREN_MAX_SHAPES,
									  shape->embedding_dim, true);
	if (mren_net_shape_has_vector(shape))
		add_image(layout, shape);
	if (mren_net_shape_attends(shape))
		add_attention(layout, shape);
	if (shape->audio_dim > 0)
		add_audio(layout, shape);
	if (shape->filters > 0)
		add_conv(layout, shape);
	add_layers(layout, shape);
	mren_parameters_end_trained(&layout->table);
	ids->text_mean = mren_parameters_add_constant(&layout->table, "text.mean", 1,
												  mren_net_shape_pool_dim(shape));
	ids->text_std =
		mren_parameters_add_constant(&layout->table, "text.std", 1, mren_net_shape_pool_dim(shape));
	if (mren_net_shape_has_vector(shape))
	{
		ids->image_mean =
			mren_parameters_add_constant(&layout->table, "image.mean", 1, shape->image_dim);
		ids->image_std =
			mren_parameters_add_constant(&layout->table, "image.std", 1, shape->image_dim);
	}
	if (shape->audio_dim > 0)
	{
		ids->audio_mean =
			mren_parameters_add_constant(&layout->table, "audio.mean", 1, shape->audio_dim);
		ids->audio_std =
			mren_parameters_add_constant(&layout->table, "audio.std", 1, shape->audio_dim);
	}
	if (mren_net_shape_attends(shape))
	{
		ids->grid_mean =
			mren_parameters_add_constant(&layout->table, "grid.mean", 1, shape->grid.channels);
		ids->grid_std =
			mren_parameters_add_constant(&layout->table, "grid.std", 1, shape->grid.channels);
	}
	if (shape->boxes)
	{
		ids->box_mean =
			mren_parameters_add_constant(&layout->table, "box.mean", 1, MREN_BOX_GEOMETRY);
		ids->box_std =
			mren_parameters_add_constant(&layout->table, "box.std", 1, MREN_BOX_GEOMETRY);
	}
	/* Last, since its number of rows is known only after training. */
	ids->linear = SIZE_MAX;
	if (shape->linear_rows > 0)
	{
		/* It has an optimizer of its own. */
		ids->linear = mren_parameters_add(&layout->table, "wide.weight", shape->linear_rows,
										  shape->n_relations, false);
		layout->table.items[ids->linear].trained = false;
	}
}
