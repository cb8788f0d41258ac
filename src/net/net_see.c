/*
 * net_see.c
 *	  Grids and boxes in prediction, one row at a time.
 */
#include "net/net_internal.h"

#include <stdint.h>
#include <string.h>

#include "net/attention.h"
#include "net/boxes.h"
#include "net/branch_sight.h"
#include "net/kernels.h"
#include "net/network.h"

static size_t
aligned(size_t n)
{
	return (n + 15) & ~(size_t) 15;
}

/* What one row needs, carved out of the scratch. */
typedef struct Room
{
	float *cells;	/* (n_cells, channels) */
	float *weights; /* (n_cells + 1), and a box's overlap */
	float *query;	/* (channels) */
	float *seen;	/* (channels), and a region */
	float *factor;	/* (product) */
} Room;

size_t
mren_net_see_scratch(const MrenNet *net)
{
	const MrenNetShape *shape = &net->shape;

	if (!mren_shape_looks(shape))
		return 0;
	return aligned(mren_grid_size(&shape->grid)) + aligned(mren_grid_cells(&shape->grid) + 1) +
		   2 * aligned(shape->grid.channels) + aligned(shape->product);
}

static Room
make_room(const MrenNet *net, float *scratch)
{
	const MrenGridShape *grid = &net->shape.grid;
	Room room;

	room.cells = scratch;
	room.weights = room.cells + aligned(mren_grid_size(grid));
	room.query = room.weights + aligned(mren_grid_cells(grid) + 1);
	room.seen = room.query + aligned(grid->channels);
	room.factor = room.seen + aligned(grid->channels);
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
		.none = mren_tensor_at(&net->layout, net->values, net->layout.ids.none)};

	run_row(&net->query, room->query, text);
	mren_attend(&attention, room->query, room->weights, room->seen);
	run_row(&net->seen, out, room->seen);
	mren_dense_activate(shape->activation, out, MREN_IMAGE_UNITS);
	out[MREN_IMAGE_UNITS] = input->grid != NULL;
	if (shape->product == 0)
		return;
	out += MREN_IMAGE_UNITS + 1;
	run_row(&net->factor_text, out, text);
	run_row(&net->factor_seen, room->factor, room->seen);
	mren_tanh(out, shape->product);
	mren_tanh(room->factor, shape->product);
	mren_multiply(out, out, room->factor, shape->product);
}

static void
see_boxes(const MrenNet *net, const MrenInput *input, float *out, const Room *room)
{
	const MrenNetShape *shape = &net->shape;
	const float *mean = mren_tensor_at(&net->layout, net->values, net->layout.ids.box_mean);
	const float *boxes[2] = {input->head_box, input->tail_box};

	memset(out, 0, MREN_BOX_GEOMETRY * sizeof(float));
	if (input->head_box != NULL || input->tail_box != NULL)
	{
		mren_box_geometry(input->head_box, input->tail_box, out);
		mren_standardise(out, out, mean, net->box_inverse, MREN_BOX_GEOMETRY);
	}
	if (!mren_shape_looks(shape))
		return;
	out += MREN_BOX_GEOMETRY;
	for (int i = 0; i < 2; i++)
	{
		mren_sight_region(room->seen, input->grid != NULL ? room->cells : NULL, &shape->grid,
						  boxes[i], room->weights);
		run_row(&net->region, out, room->seen);
		mren_dense_activate(shape->activation, out, MREN_REGION_UNITS);
		out += MREN_REGION_UNITS;
	}
}

void
mren_net_see(const MrenNet *net, const MrenInput *input, float *features, float *scratch)
{
	const MrenNetShape *shape = &net->shape;
	float *out = features + mren_shape_text_dim(shape) + mren_shape_vector_dim(shape);
	Room room = {NULL};

	if (mren_shape_looks(shape))
	{
		room = make_room(net, scratch);
		if (input->grid != NULL)
			mren_sight_cells(room.cells, input->grid, &shape->grid,
							 mren_tensor_at(&net->layout, net->values, net->layout.ids.grid_mean),
							 net->grid_inverse);
		look(net, input, features, out, &room);
	}
	if (shape->boxes)
		see_boxes(net, input, out + mren_shape_look_dim(shape), &room);
}
