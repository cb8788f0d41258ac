/*
 * net_grid.c
 *	  Grids and boxes in prediction, one row at a time.
 */
#include "relation/net_internal.h"

#include <stdint.h>
#include <string.h>

#include "nn/arena.h"
#include "nn/attention.h"
#include "data/boxes.h"
#include "relation/branch_grid.h"
#include "nn/kernels.h"

/* The workspace of one row. */
typedef struct Workspace
{
	float *cells;	 /* (n_cells, channels) */
	float *weights;	 /* (n_cells + 1), and a box's overlap */
	float *query;	 /* (channels) */
	float *attended; /* (channels), and a region */
	float *factor;	 /* (product) */
} Workspace;

size_t
mren_net_grid_scratch(const MrenNet *net)
{
	const MrenNetShape *shape = &net->shape;

	if (!mren_net_shape_attends(shape))
		return 0;
	return mren_align_floats(mren_grid_size(&shape->grid)) +
		   mren_align_floats(mren_grid_cells(&shape->grid) + 1) +
		   2 * mren_align_floats(shape->grid.channels) + mren_align_floats(shape->product);
}

static Workspace
carve_scratch(const MrenNet *net, float *scratch)
{
	const MrenGridShape *grid = &net->shape.grid;
	Workspace work;

	work.cells = scratch;
	work.weights = work.cells + mren_align_floats(mren_grid_size(grid));
	work.query = work.weights + mren_align_floats(mren_grid_cells(grid) + 1);
	work.attended = work.query + mren_align_floats(grid->channels);
	work.factor = work.attended + mren_align_floats(grid->channels);
	return work;
}

static void
run_row(const MrenPackedDense *layer, float *out, const float *in)
{
	mren_dense_infer(layer, in, layer->in, 1, out, layer->out);
}

static void
attend_grid(const MrenNet *net, const MrenInput *input, const float *text, float *out,
			const Workspace *work)
{
	const MrenNetShape *shape = &net->shape;
	const MrenAttention attention = {
		.n_cells = input->grid != NULL ? mren_grid_cells(&shape->grid) : 0,
		.dim = shape->grid.channels,
		.cells = work->cells,
		.none = mren_parameter_at(&net->layout.table, net->values, net->layout.ids.none)};

	run_row(&net->query, work->query, text);
	mren_attend(&attention, work->query, work->weights, work->attended);
	run_row(&net->attended, out, work->attended);
	mren_activate(shape->activation, out, MREN_IMAGE_UNITS);
	out[MREN_IMAGE_UNITS] = input->grid != NULL;
	if (shape->product == 0)
		return;
	out += MREN_IMAGE_UNITS + 1;
	run_row(&net->factor_text, out, text);
	run_row(&net->factor_attended, work->factor, work->attended);
	mren_tanh(out, shape->product);
	mren_tanh(work->factor, shape->product);
	mren_multiply(out, out, work->factor, shape->product);
}

static void
box_features(const MrenNet *net, const MrenInput *input, float *out, const Workspace *work)
{
	const MrenNetShape *shape = &net->shape;
	const float *mean =
		mren_parameter_at(&net->layout.table, net->values, net->layout.ids.box_mean);
	const float *boxes[2] = {input->head_box, input->tail_box};

	memset(out, 0, MREN_BOX_GEOMETRY * sizeof(float));
	if (input->head_box != NULL || input->tail_box != NULL)
	{
		mren_box_geometry(input->head_box, input->tail_box, out);
		mren_standardize(out, out, mean, net->box_inverse, MREN_BOX_GEOMETRY);
	}
	if (!mren_net_shape_attends(shape))
		return;
	out += MREN_BOX_GEOMETRY;
	for (int i = 0; i < 2; i++)
	{
		mren_grid_branch_region(work->attended, input->grid != NULL ? work->cells : NULL,
								&shape->grid, boxes[i], work->weights);
		run_row(&net->region, out, work->attended);
		mren_activate(shape->activation, out, MREN_REGION_UNITS);
		out += MREN_REGION_UNITS;
	}
}

void
mren_net_grid_features(const MrenNet *net, const MrenInput *input, float *features, float *scratch)
{
	const MrenNetShape *shape = &net->shape;
	float *out = features + mren_net_shape_text_dim(shape) + mren_net_shape_vector_dim(shape);
	Workspace work = {NULL};

	if (mren_net_shape_attends(shape))
	{
		work = carve_scratch(net, scratch);
		if (input->grid != NULL)
			mren_grid_branch_cells(
				work.cells, input->grid, &shape->grid,
				mren_parameter_at(&net->layout.table, net->values, net->layout.ids.grid_mean),
				net->grid_inverse);
		attend_grid(net, input, features, out, &work);
	}
	if (shape->boxes)
		box_features(net, input, out + mren_net_shape_attended_dim(shape), &work);
}
