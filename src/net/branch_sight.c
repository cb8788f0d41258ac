/*
 * branch_sight.c
 *	  Grids and boxes of a mini-batch: loading, forward and backward.
 */
#include "net/branch_sight.h"

#include <string.h>

#include "net/attention.h"
#include "net/boxes.h"
#include "net/half.h"
#include "net/kernels.h"
#include "net/network.h"

/* Geometry is a few exact numbers: little of it is dropped beside what else is. */
#define GEOMETRY_DROP 0.2f

static size_t
aligned(size_t n)
{
	return (n + 15) & ~(size_t) 15;
}

typedef struct Piece
{
	float **at;
	size_t n;
} Piece;

#define MAX_PIECES 32

static size_t
list_pieces(MrenSightBatch *s, const MrenNetShape *shape, size_t rows, Piece *pieces)
{
	size_t look = mren_shape_looks(shape) ? rows : 0;
	size_t box = shape->boxes ? rows : 0;
	size_t region = look > 0 ? 2 * box : 0;
	size_t c = s->channels;
	const Piece all[] = {
		{&s->cells, look * s->n_cells * c},
		{&s->query, look * c},
		{&s->weights, look * (s->n_cells + 1)},
		{&s->seen, look * c},
		{&s->seen_in, look * c},
		{&s->seen_mask, look * c},
		{&s->units, look * MREN_IMAGE_UNITS},
		{&s->factor_text, look * shape->product},
		{&s->factor_seen, look * shape->product},
		{&s->dquery, look * c},
		{&s->dseen, look * c},
		{&s->dother, look * c},
		{&s->dunits, look * MREN_IMAGE_UNITS},
		{&s->dfactor_text, look * shape->product},
		{&s->dfactor_seen, look * shape->product},
		{&s->scores, s->n_cells + 1},
		{&s->grid_inverse, c},
		{&s->raw, s->n_cells * c},
		{&s->overlap, s->n_cells},
		{&s->geometry, box * MREN_BOX_GEOMETRY},
		{&s->geometry_in, box * MREN_BOX_GEOMETRY},
		{&s->geometry_mask, box * MREN_BOX_GEOMETRY},
		{&s->geometry_inverse, MREN_BOX_GEOMETRY},
		{&s->regions, region * c},
		{&s->regions_in, region * c},
		{&s->regions_mask, region * c},
		{&s->region_units, region * MREN_REGION_UNITS},
		{&s->dregion_units, region * MREN_REGION_UNITS},
	};

	memcpy(pieces, all, sizeof(all));
	return sizeof(all) / sizeof(all[0]);
}

MrenStatus
mren_sight_create(const MrenEnv *env, const MrenNetShape *shape, size_t capacity,
				  MrenSightBatch *sight, MrenError *err)
{
	Piece pieces[MAX_PIECES];
	size_t total = 0;
	size_t n;
	float *at;
	MrenStatus status;

	memset(sight, 0, sizeof(*sight));
	if (!mren_shape_looks(shape) && !shape->boxes)
		return MREN_OK;
	if (mren_shape_looks(shape))
	{
		sight->n_cells = mren_grid_cells(&shape->grid);
		sight->channels = shape->grid.channels;
	}
	n = list_pieces(sight, shape, capacity, pieces);
	for (size_t i = 0; i < n; i++)
		total += aligned(pieces[i].n);
	MREN_TRY(mren_allocate_zero(env, 2 * capacity, sizeof(bool), &sight->flags, err));
	sight->has_grid = sight->flags;
	sight->has_box = sight->flags + capacity;
	status = mren_allocate_zero(env, total, sizeof(float), &sight->memory, err);
	if (status != MREN_OK)
	{
		mren_sight_free(env, sight);
		return status;
	}
	at = sight->memory;
	for (size_t i = 0; i < n; i++)
	{
		*pieces[i].at = at;
		at += aligned(pieces[i].n);
	}
	return MREN_OK;
}

void
mren_sight_free(const MrenEnv *env, MrenSightBatch *sight)
{
	mren_release(env, sight->memory);
	mren_release(env, sight->flags);
	memset(sight, 0, sizeof(*sight));
}

static void
invert(float *inverse, const MrenLayout *layout, const float *values, size_t std)
{
	const MrenTensor *tensor = &layout->tensors[std];

	for (size_t i = 0; i < tensor->cols; i++)
		inverse[i] = 1.0f / values[tensor->at + i];
}

void
mren_sight_scale(MrenSightBatch *sight, const MrenNetShape *shape, const MrenLayout *layout,
				 const float *values)
{
	if (mren_shape_looks(shape))
		invert(sight->grid_inverse, layout, values, layout->ids.grid_std);
	if (shape->boxes)
		invert(sight->geometry_inverse, layout, values, layout->ids.box_std);
}

void
mren_sight_cells(float *cells, const uint16_t *grid, const MrenGridShape *shape, const float *mean,
				 const float *inverse)
{
	mren_half_to_floats(cells, grid, mren_grid_size(shape));
	for (size_t i = 0; i < mren_grid_cells(shape); i++)
		mren_standardise(cells + i * shape->channels, cells + i * shape->channels, mean, inverse,
						 shape->channels);
}

void
mren_sight_region(float *region, const float *cells, const MrenGridShape *shape, const float *box,
				  float *overlap)
{
	memset(region, 0, shape->channels * sizeof(float));
	if (box == NULL || cells == NULL)
		return;
	mren_box_region(box, shape, overlap);
	for (size_t i = 0; i < mren_grid_cells(shape); i++)
	{
		if (overlap[i] > 0)
			mren_axpy(region, cells + i * shape->channels, overlap[i], shape->channels);
	}
}

static void
load_boxes(MrenSightBatch *sight, const MrenNetShape *shape, const MrenLayout *layout,
		   const float *values, size_t i, const MrenSightInput *input)
{
	const float *cells =
		sight->has_grid[i] ? sight->cells + i * sight->n_cells * sight->channels : NULL;
	float *geometry = sight->geometry + i * MREN_BOX_GEOMETRY;

	sight->has_box[i] = input->head_box != NULL || input->tail_box != NULL;
	memset(geometry, 0, MREN_BOX_GEOMETRY * sizeof(float));
	if (sight->has_box[i])
	{
		mren_box_geometry(input->head_box, input->tail_box, geometry);
		mren_standardise(geometry, geometry, values + layout->tensors[layout->ids.box_mean].at,
						 sight->geometry_inverse, MREN_BOX_GEOMETRY);
	}
	if (!mren_shape_looks(shape))
		return;
	mren_sight_region(sight->regions + 2 * i * sight->channels, cells, &shape->grid,
					  input->head_box, sight->overlap);
	mren_sight_region(sight->regions + (2 * i + 1) * sight->channels, cells, &shape->grid,
					  input->tail_box, sight->overlap);
}

void
mren_sight_load(MrenSightBatch *sight, const MrenNetShape *shape, const MrenLayout *layout,
				const float *values, size_t i, const MrenSightInput *input)
{
	if (mren_shape_looks(shape))
	{
		sight->has_grid[i] = input->grid != NULL;
		if (input->grid != NULL)
			mren_sight_cells(sight->cells + i * sight->n_cells * sight->channels, input->grid,
							 &shape->grid, values + layout->tensors[layout->ids.grid_mean].at,
							 sight->grid_inverse);
	}
	if (shape->boxes)
		load_boxes(sight, shape, layout, values, i, input);
}

/* What row i attends over. */
static MrenAttention
attention_of(const MrenBatch *batch, const float *none, size_t i)
{
	const MrenSightBatch *s = &batch->sight;

	return (MrenAttention){.n_cells = s->has_grid[i] ? s->n_cells : 0,
						   .dim = s->channels,
						   .cells = s->cells + i * s->n_cells * s->channels,
						   .none = none};
}

static void
drop(MrenDrop *by, float p, const float *x, float *y, float *mask, size_t n)
{
	if (by != NULL)
		mren_dropout(&by->random, p, x, y, mask, n);
	else
		memcpy(y, x, n * sizeof(float));
}

static void
look_forward(MrenBatch *batch, float *values, MrenDrop *by)
{
	const MrenTensorIds *ids = &batch->layout->ids;
	const float *none = mren_tensor_at(batch->layout, values, ids->none);
	MrenSightBatch *s = &batch->sight;
	size_t product = batch->shape->product;

	mren_dense_forward(batch, values, ids->query_weight, ids->query_bias, batch->fused, batch->dim,
					   s->query);
	for (size_t i = 0; i < batch->n; i++)
	{
		MrenAttention attention = attention_of(batch, none, i);

		mren_attend(&attention, s->query + i * s->channels, s->weights + i * (s->n_cells + 1),
					s->seen + i * s->channels);
		mren_batch_worked(batch, 2 * s->n_cells * s->channels * MREN_LOOP_WORK);
	}
	drop(by, by != NULL ? by->input : 0, s->seen, s->seen_in, s->seen_mask, batch->n * s->channels);
	mren_dense_forward(batch, values, ids->seen_weight, ids->seen_bias, s->seen_in, s->channels,
					   s->units);
	mren_dense_activate(batch->shape->activation, s->units, batch->n * MREN_IMAGE_UNITS);
	if (product == 0)
		return;
	mren_dense_forward(batch, values, ids->factor_seen_weight, ids->factor_seen_bias, s->seen_in,
					   s->channels, s->factor_seen);
	mren_dense_forward(batch, values, ids->factor_text_weight, ids->factor_text_bias, batch->fused,
					   batch->dim, s->factor_text);
	mren_tanh(s->factor_seen, batch->n * product);
	mren_tanh(s->factor_text, batch->n * product);
}

static void
write_look(MrenBatch *batch)
{
	const MrenSightBatch *s = &batch->sight;
	size_t product = batch->shape->product;
	size_t first = batch->text_dim + mren_shape_vector_dim(batch->shape);

	for (size_t i = 0; i < batch->n; i++)
	{
		float *out = batch->fused + i * batch->dim + first;

		memcpy(out, s->units + i * MREN_IMAGE_UNITS, MREN_IMAGE_UNITS * sizeof(float));
		out[MREN_IMAGE_UNITS] = s->has_grid[i];
		mren_multiply(out + MREN_IMAGE_UNITS + 1, s->factor_text + i * product,
					  s->factor_seen + i * product, product);
	}
}

static void
box_forward(MrenBatch *batch, float *values, MrenDrop *by)
{
	const MrenTensorIds *ids = &batch->layout->ids;
	MrenSightBatch *s = &batch->sight;
	size_t width = mren_shape_box_dim(batch->shape);
	size_t n = batch->n;

	drop(by, by != NULL ? by->input * GEOMETRY_DROP : 0, s->geometry, s->geometry_in,
		 s->geometry_mask, n * MREN_BOX_GEOMETRY);
	if (mren_shape_looks(batch->shape))
	{
		drop(by, by != NULL ? by->input : 0, s->regions, s->regions_in, s->regions_mask,
			 2 * n * s->channels);
		batch->n = 2 * n;
		mren_dense_forward(batch, values, ids->region_weight, ids->region_bias, s->regions_in,
						   s->channels, s->region_units);
		batch->n = n;
		mren_dense_activate(batch->shape->activation, s->region_units, 2 * n * MREN_REGION_UNITS);
	}
	for (size_t i = 0; i < n; i++)
	{
		float *out = batch->fused + (i + 1) * batch->dim - width;

		memcpy(out, s->geometry_in + i * MREN_BOX_GEOMETRY, MREN_BOX_GEOMETRY * sizeof(float));
		if (mren_shape_looks(batch->shape))
			memcpy(out + MREN_BOX_GEOMETRY, s->region_units + 2 * i * MREN_REGION_UNITS,
				   2 * MREN_REGION_UNITS * sizeof(float));
	}
}

void
mren_sight_forward(MrenBatch *batch, float *values, MrenDrop *by)
{
	if (mren_shape_looks(batch->shape))
	{
		look_forward(batch, values, by);
		write_look(batch);
	}
	if (batch->shape->boxes)
		box_forward(batch, values, by);
}

/* Splits the look's columns of dimage into units and both factors. */
static void
split_look(MrenBatch *batch)
{
	MrenSightBatch *s = &batch->sight;
	size_t product = batch->shape->product;
	size_t width = batch->dim - batch->text_dim;

	for (size_t i = 0; i < batch->n; i++)
	{
		const float *row = batch->dimage + i * width + mren_shape_vector_dim(batch->shape);
		const float *dproduct = row + MREN_IMAGE_UNITS + 1;

		memcpy(s->dunits + i * MREN_IMAGE_UNITS, row, MREN_IMAGE_UNITS * sizeof(float));
		mren_multiply(s->dfactor_text + i * product, dproduct, s->factor_seen + i * product,
					  product);
		mren_multiply(s->dfactor_seen + i * product, dproduct, s->factor_text + i * product,
					  product);
	}
	mren_activate_backward(batch->shape->activation, s->dunits, s->units,
						   batch->n * MREN_IMAGE_UNITS);
	mren_tanh_backward(s->dfactor_text, s->factor_text, batch->n * product);
	mren_tanh_backward(s->dfactor_seen, s->factor_seen, batch->n * product);
}

static void
add_reader(MrenBatch *batch, const float *delta, size_t width, size_t weight)
{
	batch->readers[batch->n_readers++] = (MrenReader){delta, width, weight};
}

static void
look_backward(MrenBatch *batch, float *values, float *grads)
{
	const MrenTensorIds *ids = &batch->layout->ids;
	const float *none = mren_tensor_at(batch->layout, values, ids->none);
	float *dnone = mren_tensor_at(batch->layout, grads, ids->none);
	MrenSightBatch *s = &batch->sight;
	size_t size = batch->n * s->channels;

	split_look(batch);
	mren_dense_backward(batch, values, grads, ids->seen_weight, ids->seen_bias, s->seen_in,
						s->channels, s->dunits, s->dseen);
	if (batch->shape->product > 0)
	{
		mren_dense_backward(batch, values, grads, ids->factor_seen_weight, ids->factor_seen_bias,
							s->seen_in, s->channels, s->dfactor_seen, s->dother);
		mren_axpy(s->dseen, s->dother, 1, size);
		mren_dense_backward(batch, values, grads, ids->factor_text_weight, ids->factor_text_bias,
							batch->fused, batch->dim, s->dfactor_text, NULL);
		add_reader(batch, s->dfactor_text, batch->shape->product, ids->factor_text_weight);
	}
	if (batch->dropped)
		mren_multiply(s->dseen, s->dseen, s->seen_mask, size);
	memset(dnone, 0, s->channels * sizeof(float));
	for (size_t i = 0; i < batch->n; i++)
	{
		MrenAttention attention = attention_of(batch, none, i);

		mren_attend_backward(&attention, s->query + i * s->channels,
							 s->weights + i * (s->n_cells + 1), s->dseen + i * s->channels,
							 s->dquery + i * s->channels, dnone, s->scores);
		mren_batch_worked(batch, 4 * s->n_cells * s->channels * MREN_LOOP_WORK);
	}
	mren_dense_backward(batch, values, grads, ids->query_weight, ids->query_bias, batch->fused,
						batch->dim, s->dquery, NULL);
	add_reader(batch, s->dquery, s->channels, ids->query_weight);
}

/* Geometry is given: only the regions' layer has anything to learn. */
static void
region_backward(MrenBatch *batch, float *values, float *grads)
{
	const MrenTensorIds *ids = &batch->layout->ids;
	MrenSightBatch *s = &batch->sight;
	size_t width = batch->dim - batch->text_dim;
	size_t n = batch->n;

	for (size_t i = 0; i < n; i++)
		memcpy(s->dregion_units + 2 * i * MREN_REGION_UNITS,
			   batch->dimage + (i + 1) * width - 2 * MREN_REGION_UNITS,
			   2 * MREN_REGION_UNITS * sizeof(float));
	mren_activate_backward(batch->shape->activation, s->dregion_units, s->region_units,
						   2 * n * MREN_REGION_UNITS);
	batch->n = 2 * n;
	mren_dense_backward(batch, values, grads, ids->region_weight, ids->region_bias, s->regions_in,
						s->channels, s->dregion_units, NULL);
	batch->n = n;
}

void
mren_sight_backward(MrenBatch *batch, float *values, float *grads)
{
	if (!mren_shape_looks(batch->shape))
		return;
	look_backward(batch, values, grads);
	if (batch->shape->boxes)
		region_backward(batch, values, grads);
}
