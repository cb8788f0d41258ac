/*
 * net_grid.c
 *	  Grids and boxes in prediction, one row at a time.
 */
#include "relation/net_internal.h"

#include <stdint.h>
#include <string.h>

#include "nn/attention.h"
#include "data/boxes.h"
#include "relation/branch_grid.h"
#include "nn/kernels.h"
#include "relation/batch.h"

static size_t
aligned(size_t n)
{
	return (n + 15) & ~(size_t) 15;
}

/* What one row needs, carved out of the scratch. */
typedef struct Room
{
	float *cells;	 /* (n_cells, channels) */
	float *weights;	 /* (n_cells + 1), and a box's overlap */
	float *query;	 /* (channels) */
	float *attended; /* (channels), and a region */
	float *factor;	 /* (product) */
} Room;

size_t
mren_net_grid_scratch(const MrenNet *net)
{
	const MrenNetShape *shape = &net->shape;

	if (!mren_net_shape_attends(shape))
		return 0;
	return aligned(mren_grid_size(&shape->grid)) + aligned(mren_grid_cells(&shape->grid) + 1) +
		   2 * aligned(shape->grid.channels) + aligned(shape->product);
}

static Room
allocate_member(const MrenNet *net, float *scratch)
{
	const MrenGridShape *grid = &net->shape.grid;
	Room room;

	room.cells = scratch;
	room.weights = room.cells + aligned(mren_grid_size(grid));
	room.query = room.weights + aligned(mren_grid_cells(grid) + 1);
	room.attended = room.query + aligned(grid->channels);
	room.factor = room.attended + aligned(grid->channels);
	return room;
}

static void
run_row(const MrenDense *dense, float *out, const float *in)
{
	mren_dense_infer(out, dense->out, in, dense->in, dense->packed, dense->bias, 1, dense->in,
					 dense->out);
}

static void
look(const MrenNet *net, const MrenInput *input, const float *text, float *out, const Room *room)
{
	const MrenNetShape *shape = &net->shape;
	const MrenAttention attention = {
		.n_cells = input->grid != NULL ? mren_grid_cells(&shape->grid) : 0,
		.dim = shape->grid.channels,
		.cells = room->cells,
		.none = mren_parameter_at(&net->layout.table, net->values, net->layout.ids.none)};

	run_row(&net->query, room->query, text);
	mren_attend(&attention, room->query, room->weights, room->attended);
	run_row(&net->attended, out, room->attended);
	mren_activate(shape->activation, out, MREN_IMAGE_UNITS);
	out[MREN_IMAGE_UNITS] = input->grid != NULL;
	if (shape->product == 0)
		return;
	out += MREN_IMAGE_UNITS + 1;
	run_row(&net->factor_text, out, text);
	run_row(&net->factor_attended, room->factor, room->attended);
	mren_tanh(out, shape->product);
	mren_tanh(room->factor, shape->product);
	mren_multiply(out, out, room->factor, shape->product);
}

static void
see_boxes(const MrenNet *net, const MrenInput *input, float *out, const Room *room)
{
	const MrenNetShape *shape = &net->shape;
	const float *mean =
		mren_parameter_at(&net->layout.table, net->values, net->layout.ids.box_mean);
	const float *boxes[2] = {input->head_box, input->tail_box};

	memset(out, 0, MREN_BOX_GEOMETRY * sizeof(float));
	if (input->head_box != NULL || input->tail_box != NULL)
	{
		mren_box_geometry(input->head_box, input->tail_box, out);
		mren_standardise(out, out, mean, net->box_inverse, MREN_BOX_GEOMETRY);
	}
	if (!mren_net_shape_attends(shape))
		return;
	out += MREN_BOX_GEOMETRY;
	for (int i = 0; i < 2; i++)
	{
		mren_grid_branch_region(room->attended, input->grid != NULL ? room->cells : NULL,
								&shape->grid, boxes[i], room->weights);
		run_row(&net->region, out, room->attended);
		mren_activate(shape->activation, out, MREN_REGION_UNITS);
		out += MREN_REGION_UNITS;
	}
}

void
mren_net_grid_features(const MrenNet *net, const MrenInput *input, float *features, float *scratch)
{
	const MrenNetShape *shape = &net->shape;
	float *out = features + mren_net_shape_text_dim(shape) + mren_net_shape_vector_dim(shape);
	Room room = {NULL};

	if (mren_net_shape_attends(shape))
	{
		room = allocate_member(net, scratch);
		if (input->grid != NULL)
			mren_grid_branch_cells(
				room.cells, input->grid, &shape->grid,
				mren_parameter_at(&net->layout.table, net->values, net->layout.ids.grid_mean),
				net->grid_inverse);
		look(net, input, features, out, &room);
	}
	if (shape->boxes)
		see_boxes(net, input, out + mren_net_shape_attended_dim(shape), &room);
}
