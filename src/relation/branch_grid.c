/*
 * branch_grid.c
 *	  Grids and boxes of a mini-batch: loading, forward and backward.
 */
#include "relation/branch_grid.h"

#include <string.h>

#include "base/half_array.h"
#include "data/boxes.h"
#include "nn/arena.h"
#include "nn/attention.h"
#include "nn/kernels.h"
#include "relation/batch.h"

/* Geometry is a few exact numbers, so its dropout is lower than that of other inputs. */
#define GEOMETRY_DROP 0.2f

#define MAX_BLOCKS 32

static size_t
list_blocks(MrenGridBranchBatch *s, const MrenNetShape *shape, size_t rows, MrenArenaBlock *blocks)
{
	size_t attended = mren_net_shape_attends(shape) ? rows : 0;
	size_t box = shape->boxes ? rows : 0;
	size_t region = attended > 0 ? 2 * box : 0;
	size_t c = s->channels;
	const MrenArenaBlock all[] = {
		{&s->cells, attended * s->n_cells * c},
		{&s->query, attended * c},
		{&s->weights, attended * (s->n_cells + 1)},
		{&s->attended, attended * c},
		{&s->attended_in, attended * c},
		{&s->attended_mask, attended * c},
		{&s->units, attended * MREN_IMAGE_UNITS},
		{&s->factor_text, attended * shape->product},
		{&s->factor_attended, attended * shape->product},
		{&s->dquery, attended * c},
		{&s->dattended, attended * c},
		{&s->dother, attended * c},
		{&s->dunits, attended * MREN_IMAGE_UNITS},
		{&s->dfactor_text, attended * shape->product},
		{&s->dfactor_attended, attended * shape->product},
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

	memcpy(blocks, all, sizeof(all));
	return sizeof(all) / sizeof(all[0]);
}

MrenStatus
mren_grid_branch_create(const MrenEnv *env, const MrenNetShape *shape, size_t capacity,
						MrenGridBranchBatch *grid_branch, MrenError *err)
{
	MrenArenaBlock blocks[MAX_BLOCKS];
	size_t n;
	MrenStatus status;

	memset(grid_branch, 0, sizeof(*grid_branch));
	if (!mren_net_shape_attends(shape) && !shape->boxes)
		return MREN_OK;
	if (mren_net_shape_attends(shape))
	{
		grid_branch->n_cells = mren_grid_cells(&shape->grid);
		grid_branch->channels = shape->grid.channels;
	}
	n = list_blocks(grid_branch, shape, capacity, blocks);
	MREN_TRY(mren_allocate_zero(env, 2 * capacity, sizeof(bool), &grid_branch->flags, err));
	grid_branch->has_grid = grid_branch->flags;
	grid_branch->has_box = grid_branch->flags + capacity;
	status = mren_arena_create(env, blocks, n, &grid_branch->memory, err);
	if (status != MREN_OK)
		mren_grid_branch_free(env, grid_branch);
	return status;
}

void
mren_grid_branch_free(const MrenEnv *env, MrenGridBranchBatch *grid_branch)
{
	mren_release(env, grid_branch->memory);
	mren_release(env, grid_branch->flags);
	memset(grid_branch, 0, sizeof(*grid_branch));
}

static void
invert(float *inverse, const MrenNetLayout *layout, const float *values, size_t std)
{
	const MrenParameter *tensor = &layout->table.items[std];

	for (size_t i = 0; i < tensor->cols; i++)
		inverse[i] = 1.0f / values[tensor->at + i];
}

void
mren_grid_branch_scale(MrenGridBranchBatch *grid_branch, const MrenNetShape *shape,
					   const MrenNetLayout *layout, const float *values)
{
	if (mren_net_shape_attends(shape))
		invert(grid_branch->grid_inverse, layout, values, layout->ids.grid_std);
	if (shape->boxes)
		invert(grid_branch->geometry_inverse, layout, values, layout->ids.box_std);
}

void
mren_grid_branch_cells(float *cells, const uint16_t *grid, const MrenGridShape *shape,
					   const float *mean, const float *inverse)
{
	mren_half_to_floats(cells, grid, mren_grid_size(shape));
	for (size_t i = 0; i < mren_grid_cells(shape); i++)
		mren_standardize(cells + i * shape->channels, cells + i * shape->channels, mean, inverse,
						 shape->channels);
}

void
mren_grid_branch_region(float *region, const float *cells, const MrenGridShape *shape,
						const float *box, float *overlap)
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
load_boxes(MrenGridBranchBatch *grid_branch, const MrenNetShape *shape, const MrenNetLayout *layout,
		   const float *values, size_t i, const MrenGridBranchInput *input)
{
	const float *cells = grid_branch->has_grid[i]
							 ? grid_branch->cells + i * grid_branch->n_cells * grid_branch->channels
							 : NULL;
	float *geometry = grid_branch->geometry + i * MREN_BOX_GEOMETRY;

	grid_branch->has_box[i] = input->head_box != NULL || input->tail_box != NULL;
	memset(geometry, 0, MREN_BOX_GEOMETRY * sizeof(float));
	if (grid_branch->has_box[i])
	{
		mren_box_geometry(input->head_box, input->tail_box, geometry);
		mren_standardize(geometry, geometry, values + layout->table.items[layout->ids.box_mean].at,
						 grid_branch->geometry_inverse, MREN_BOX_GEOMETRY);
	}
	if (!mren_net_shape_attends(shape))
		return;
	mren_grid_branch_region(grid_branch->regions + 2 * i * grid_branch->channels, cells,
							&shape->grid, input->head_box, grid_branch->overlap);
	mren_grid_branch_region(grid_branch->regions + (2 * i + 1) * grid_branch->channels, cells,
							&shape->grid, input->tail_box, grid_branch->overlap);
}

void
mren_grid_branch_load(MrenGridBranchBatch *grid_branch, const MrenNetShape *shape,
					  const MrenNetLayout *layout, const float *values, size_t i,
					  const MrenGridBranchInput *input)
{
	if (mren_net_shape_attends(shape))
	{
		grid_branch->has_grid[i] = input->grid != NULL;
		if (input->grid != NULL)
			mren_grid_branch_cells(
				grid_branch->cells + i * grid_branch->n_cells * grid_branch->channels, input->grid,
				&shape->grid, values + layout->table.items[layout->ids.grid_mean].at,
				grid_branch->grid_inverse);
	}
	if (shape->boxes)
		load_boxes(grid_branch, shape, layout, values, i, input);
}

/* The cells that row i attends to. */
static MrenAttention
attention_of(const MrenBatch *batch, const float *none, size_t i)
{
	const MrenGridBranchBatch *s = &batch->grid_branch;

	return (MrenAttention){.n_cells = s->has_grid[i] ? s->n_cells : 0,
						   .dim = s->channels,
						   .cells = s->cells + i * s->n_cells * s->channels,
						   .none = none};
}

static void
drop(MrenDropout *by, float p, const float *x, float *y, float *mask, size_t n)
{
	if (by != NULL)
		mren_dropout(&by->random, p, x, y, mask, n);
	else
		memcpy(y, x, n * sizeof(float));
}

static void
attend_forward(MrenBatch *batch, float *values, MrenDropout *by)
{
	const MrenNetIds *ids = &batch->layout->ids;
	const float *none = mren_parameter_at(&batch->layout->table, values, ids->none);
	MrenGridBranchBatch *s = &batch->grid_branch;
	size_t product = batch->shape->product;

	mren_batch_dense(
		batch, values,
		&(MrenBatchLayer){ids->query_weight, ids->query_bias, batch->fused, batch->dim}, s->query);
	for (size_t i = 0; i < batch->n; i++)
	{
		MrenAttention attention = attention_of(batch, none, i);

		mren_attend(&attention, s->query + i * s->channels, s->weights + i * (s->n_cells + 1),
					s->attended + i * s->channels);
		mren_work_add(&batch->work, 2 * s->n_cells * s->channels * MREN_LOOP_WORK);
	}
	drop(by, by != NULL ? by->input : 0, s->attended, s->attended_in, s->attended_mask,
		 batch->n * s->channels);
	mren_batch_dense(
		batch, values,
		&(MrenBatchLayer){ids->attended_weight, ids->attended_bias, s->attended_in, s->channels},
		s->units);
	mren_activate(batch->shape->activation, s->units, batch->n * MREN_IMAGE_UNITS);
	if (product == 0)
		return;
	mren_batch_dense(batch, values,
					 &(MrenBatchLayer){ids->factor_attended_weight, ids->factor_attended_bias,
									   s->attended_in, s->channels},
					 s->factor_attended);
	mren_batch_dense(
		batch, values,
		&(MrenBatchLayer){ids->factor_text_weight, ids->factor_text_bias, batch->fused, batch->dim},
		s->factor_text);
	mren_tanh(s->factor_attended, batch->n * product);
	mren_tanh(s->factor_text, batch->n * product);
}

static void
write_attended(MrenBatch *batch)
{
	const MrenGridBranchBatch *s = &batch->grid_branch;
	size_t product = batch->shape->product;
	size_t first = batch->text_dim + mren_net_shape_vector_dim(batch->shape);

	for (size_t i = 0; i < batch->n; i++)
	{
		float *out = batch->fused + i * batch->dim + first;

		memcpy(out, s->units + i * MREN_IMAGE_UNITS, MREN_IMAGE_UNITS * sizeof(float));
		out[MREN_IMAGE_UNITS] = s->has_grid[i];
		mren_multiply(out + MREN_IMAGE_UNITS + 1, s->factor_text + i * product,
					  s->factor_attended + i * product, product);
	}
}

static void
box_forward(MrenBatch *batch, float *values, MrenDropout *by)
{
	const MrenNetIds *ids = &batch->layout->ids;
	MrenGridBranchBatch *s = &batch->grid_branch;
	size_t width = mren_net_shape_box_dim(batch->shape);
	size_t n = batch->n;

	drop(by, by != NULL ? by->input * GEOMETRY_DROP : 0, s->geometry, s->geometry_in,
		 s->geometry_mask, n * MREN_BOX_GEOMETRY);
	if (mren_net_shape_attends(batch->shape))
	{
		drop(by, by != NULL ? by->input : 0, s->regions, s->regions_in, s->regions_mask,
			 2 * n * s->channels);
		batch->n = 2 * n;
		mren_batch_dense(
			batch, values,
			&(MrenBatchLayer){ids->region_weight, ids->region_bias, s->regions_in, s->channels},
			s->region_units);
		batch->n = n;
		mren_activate(batch->shape->activation, s->region_units, 2 * n * MREN_REGION_UNITS);
	}
	for (size_t i = 0; i < n; i++)
	{
		float *out = batch->fused + (i + 1) * batch->dim -
					 mren_net_shape_audio_columns(batch->shape) - width;

		memcpy(out, s->geometry_in + i * MREN_BOX_GEOMETRY, MREN_BOX_GEOMETRY * sizeof(float));
		if (mren_net_shape_attends(batch->shape))
			memcpy(out + MREN_BOX_GEOMETRY, s->region_units + 2 * i * MREN_REGION_UNITS,
				   2 * MREN_REGION_UNITS * sizeof(float));
	}
}

void
mren_batch_grid_forward(MrenBatch *batch, float *values, MrenDropout *by)
{
	if (mren_net_shape_attends(batch->shape))
	{
		attend_forward(batch, values, by);
		write_attended(batch);
	}
	if (batch->shape->boxes)
		box_forward(batch, values, by);
}

/* Splits the columns of grid attention in dimage into units and both factors. */
static void
split_attended(MrenBatch *batch)
{
	MrenGridBranchBatch *s = &batch->grid_branch;
	size_t product = batch->shape->product;
	size_t width = batch->dim - batch->text_dim;

	for (size_t i = 0; i < batch->n; i++)
	{
		const float *row = batch->dimage + i * width + mren_net_shape_vector_dim(batch->shape);
		const float *dproduct = row + MREN_IMAGE_UNITS + 1;

		memcpy(s->dunits + i * MREN_IMAGE_UNITS, row, MREN_IMAGE_UNITS * sizeof(float));
		mren_multiply(s->dfactor_text + i * product, dproduct, s->factor_attended + i * product,
					  product);
		mren_multiply(s->dfactor_attended + i * product, dproduct, s->factor_text + i * product,
					  product);
	}
	mren_activate_backward(batch->shape->activation, s->dunits, s->units,
						   batch->n * MREN_IMAGE_UNITS);
	mren_tanh_backward(s->dfactor_text, s->factor_text, batch->n * product);
	mren_tanh_backward(s->dfactor_attended, s->factor_attended, batch->n * product);
}

static void
add_reader(MrenBatch *batch, const float *delta, size_t width, size_t weight)
{
	batch->readers[batch->n_readers++] = (MrenTextReader){delta, width, weight};
}

static void
attend_backward(MrenBatch *batch, float *values, float *grads)
{
	const MrenNetIds *ids = &batch->layout->ids;
	const float *none = mren_parameter_at(&batch->layout->table, values, ids->none);
	float *dnone = mren_parameter_at(&batch->layout->table, grads, ids->none);
	MrenGridBranchBatch *s = &batch->grid_branch;
	size_t size = batch->n * s->channels;

	split_attended(batch);
	mren_batch_dense_backward(
		batch, values, grads,
		&(MrenBatchLayer){ids->attended_weight, ids->attended_bias, s->attended_in, s->channels},
		s->dunits, s->dattended);
	if (batch->shape->product > 0)
	{
		mren_batch_dense_backward(batch, values, grads,
								  &(MrenBatchLayer){ids->factor_attended_weight,
													ids->factor_attended_bias, s->attended_in,
													s->channels},
								  s->dfactor_attended, s->dother);
		mren_axpy(s->dattended, s->dother, 1, size);
		mren_batch_dense_backward(batch, values, grads,
								  &(MrenBatchLayer){ids->factor_text_weight, ids->factor_text_bias,
													batch->fused, batch->dim},
								  s->dfactor_text, NULL);
		add_reader(batch, s->dfactor_text, batch->shape->product, ids->factor_text_weight);
	}
	if (batch->dropped)
		mren_multiply(s->dattended, s->dattended, s->attended_mask, size);
	memset(dnone, 0, s->channels * sizeof(float));
	for (size_t i = 0; i < batch->n; i++)
	{
		MrenAttention attention = attention_of(batch, none, i);

		mren_attend_backward(&attention, s->query + i * s->channels,
							 s->weights + i * (s->n_cells + 1), s->dattended + i * s->channels,
							 s->dquery + i * s->channels, dnone, s->scores);
		mren_work_add(&batch->work, 4 * s->n_cells * s->channels * MREN_LOOP_WORK);
	}
	mren_batch_dense_backward(
		batch, values, grads,
		&(MrenBatchLayer){ids->query_weight, ids->query_bias, batch->fused, batch->dim}, s->dquery,
		NULL);
	add_reader(batch, s->dquery, s->channels, ids->query_weight);
}

/* Geometry has no parameters: only the layer of the regions is trained. */
static void
region_backward(MrenBatch *batch, float *values, float *grads)
{
	const MrenNetIds *ids = &batch->layout->ids;
	MrenGridBranchBatch *s = &batch->grid_branch;
	size_t width = batch->dim - batch->text_dim;
	size_t n = batch->n;

	for (size_t i = 0; i < n; i++)
		memcpy(s->dregion_units + 2 * i * MREN_REGION_UNITS,
			   batch->dimage + (i + 1) * width - mren_net_shape_audio_columns(batch->shape) -
				   2 * MREN_REGION_UNITS,
			   2 * MREN_REGION_UNITS * sizeof(float));
	mren_activate_backward(batch->shape->activation, s->dregion_units, s->region_units,
						   2 * n * MREN_REGION_UNITS);
	batch->n = 2 * n;
	mren_batch_dense_backward(
		batch, values, grads,
		&(MrenBatchLayer){ids->region_weight, ids->region_bias, s->regions_in, s->channels},
		s->dregion_units, NULL);
	batch->n = n;
}

void
mren_batch_grid_backward(MrenBatch *batch, float *values, float *grads)
{
	if (!mren_net_shape_attends(batch->shape))
		return;
	attend_backward(batch, values, grads);
	if (batch->shape->boxes)
		region_backward(batch, values, grads);
}
