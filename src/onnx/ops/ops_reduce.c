/*
 * ops_reduce.c
 *	  Reductions over dimensions, Softmax and LogSoftmax: rows of numbers that
 *	  lie `inner` apart, `outer` * `inner` of them.
 */
#include <math.h>
#include <string.h>

#include "onnx/kernels/copy.h"
#include "onnx/kernels/place.h"
#include "onnx/model/node.h"
#include "onnx/ops/ops.h"

/* Element (o, r, i) is at (o * length + r) * inner + i. */
typedef struct Rows
{
	int kind; /* MrenOnnxReduce or MrenOnnxSoftmax */
	size_t outer;
	size_t length;
	size_t inner;
	bool last_index; /* ArgMax: of equal ones, the last */
} Rows;

/* Where row u begins, whose elements are inner apart. */
static size_t
row_start(const Rows *rows, size_t u)
{
	return u / rows->inner * rows->length * rows->inner + u % rows->inner;
}

typedef struct Axes
{
	bool reduced[MREN_ONNX_MAX_RANK];
	bool keep;
	bool last_index;
} Axes;

static MrenStatus
read_reduced(const MrenOnnxNode *node, int rank, Axes *axes, MrenError *err)
{
	int kind = node->op->kind;
	/* ReduceSum takes its axes as an input from 13 on, the others from 18 on */
	int64_t since = kind == MREN_ONNX_REDUCE_SUM ? 13 : 18;
	int64_t keep = 1;
	int64_t no_op = 0;
	const int64_t *list;
	size_t n;
	int axis;

	MREN_TRY(mren_onnx_node_int(node, "keepdims", &keep, err));
	axes->keep = keep != 0;
	if (kind >= MREN_ONNX_REDUCE_ARGMAX)
	{
		int64_t wanted = 0;
		int64_t last = 0;

		MREN_TRY(mren_onnx_node_int(node, "axis", &wanted, err));
		MREN_TRY(mren_onnx_node_int(node, "select_last_index", &last, err));
		MREN_TRY(mren_onnx_node_axis(node, wanted, rank, &axis, err));
		axes->reduced[axis] = true;
		axes->last_index = last != 0;
		return MREN_OK;
	}
	MREN_TRY(mren_onnx_node_int(node, "noop_with_empty_axes", &no_op, err));
	MREN_TRY(mren_onnx_node_ints_or_input(node, "axes", 1, since, &list, &n, err));
	for (int d = 0; n == 0 && no_op == 0 && d < rank; d++)
		axes->reduced[d] = true;
	for (size_t i = 0; i < n; i++)
	{
		MREN_TRY(mren_onnx_node_axis(node, list[i], rank, &axis, err));
		axes->reduced[axis] = true;
	}
	return MREN_OK;
}

MrenStatus
mren_onnx_infer_reduce(MrenOnnxModel *model, MrenOnnxNode *node, MrenError *err)
{
	const MrenOnnxValue *x = node->inputs[0];
	bool arg = node->op->kind >= MREN_ONNX_REDUCE_ARGMAX;
	MrenOnnxShape shape = {0};
	Axes *axes;
	size_t n_reduced = 1;

	MREN_TRY(mren_onnx_node_need_float(node, 0, err));
	MREN_TRY(mren_onnx_pool_get(model->pool, 1, sizeof(*axes), &axes, err));
	MREN_TRY(read_reduced(node, x->shape.rank, axes, err));
	for (int d = 0; d < x->shape.rank; d++)
	{
		if (axes->reduced[d])
			n_reduced *= x->shape.dims[d];
		if (!axes->reduced[d] || axes->keep)
			shape.dims[shape.rank++] = axes->reduced[d] ? 1 : x->shape.dims[d];
	}
	/* ONNX leaves the mean of nothing undefined, and nothing has no position. */
	if (n_reduced == 0 && (arg || node->op->kind == MREN_ONNX_REDUCE_MEAN))
		return mren_onnx_node_fail(node, MREN_EDATA, err, "the reduced dimensions are empty");
	node->data = axes;
	return mren_onnx_value_set(node, node->outputs[0], arg ? MREN_ONNX_INT64 : x->type, &shape,
							   err);
}

/*
 * One row, summed in double precision, so that a long row loses nothing.  Of an
 * empty row each reduction gives its neutral element, as ONNX defines.
 */
static float
reduce_row(const Rows *rows, const float *x)
{
	double sum = rows->kind == MREN_ONNX_REDUCE_PROD ? 1 : 0;
	float nothing = rows->kind == MREN_ONNX_REDUCE_MIN ? INFINITY : -INFINITY;
	float best = rows->length > 0 ? x[0] : nothing;

	for (size_t r = 0; r < rows->length; r++)
	{
		float v = x[r * rows->inner];

		switch (rows->kind)
		{
			case MREN_ONNX_REDUCE_MAX:
			case MREN_ONNX_REDUCE_LOG_SUM_EXP:
				best = v > best || isnan(v) ? v : best;
				break;
			case MREN_ONNX_REDUCE_MIN:
				best = v < best || isnan(v) ? v : best;
				break;
			case MREN_ONNX_REDUCE_PROD:
				sum *= v;
				break;
			case MREN_ONNX_REDUCE_L1:
				sum += fabsf(v);
				break;
			case MREN_ONNX_REDUCE_L2:
			case MREN_ONNX_REDUCE_SUM_SQUARE:
				sum += (double) v * v;
				break;
			default:
				sum += v;
				break;
		}
	}
	switch (rows->kind)
	{
		case MREN_ONNX_REDUCE_MEAN:
			return (float) (sum / (double) rows->length);
		case MREN_ONNX_REDUCE_MAX:
		case MREN_ONNX_REDUCE_MIN:
			return best;
		case MREN_ONNX_REDUCE_L2:
			return (float) sqrt(sum);
		case MREN_ONNX_REDUCE_LOG_SUM:
			return (float) log(sum);
		case MREN_ONNX_REDUCE_LOG_SUM_EXP:
			/* a maximum of plus or minus infinity is the result */
			if (!isfinite(best))
				return best;
			for (size_t r = 0; r < rows->length; r++)
				sum += exp((double) x[r * rows->inner] - (double) best);
			return (float) (log(sum) + (double) best);
		default:
			return (float) sum;
	}
}

static MrenStatus
reduce_kernel(const MrenOnnxStep *step, const MrenOnnxFrame *frame, size_t begin, size_t end,
			  MrenError *err)
{
	const Rows *rows = step->params;
	const float *x = mren_onnx_operand(frame, &step->in[0]);
	float *y = mren_onnx_operand(frame, &step->out);

	(void) err;
	for (size_t u = begin; u < end; u++)
		y[u] = reduce_row(rows, x + row_start(rows, u));
	return MREN_OK;
}

static MrenStatus
arg_kernel(const MrenOnnxStep *step, const MrenOnnxFrame *frame, size_t begin, size_t end,
		   MrenError *err)
{
	const Rows *rows = step->params;
	const float *in = mren_onnx_operand(frame, &step->in[0]);
	int64_t *y = mren_onnx_operand(frame, &step->out);
	float sign = rows->kind == MREN_ONNX_REDUCE_ARGMAX ? 1.0f : -1.0f;

	(void) err;
	for (size_t u = begin; u < end; u++)
	{
		const float *x = in + row_start(rows, u);
		size_t best = 0;

		for (size_t r = 1; r < rows->length; r++)
		{
			float v = sign * x[r * rows->inner];
			float top = sign * x[best * rows->inner];

			if (v > top || (v == top && rows->last_index))
				best = r;
		}
		y[u] = (int64_t) best;
	}
	return MREN_OK;
}

/* Fills rows if the reduced dimensions are neighbours in memory. */
static bool
as_rows(const MrenOnnxShape *shape, MrenOnnxLayout layout, const bool *reduced, Rows *rows)
{
	int state = 0;

	rows->outer = rows->length = rows->inner = 1;
	for (int k = 0; k < shape->rank; k++)
	{
		int d = mren_onnx_layout_dim(layout, shape->rank, k);

		if (shape->dims[d] == 1)
			continue;
		if (reduced[d])
		{
			if (state == 2)
				return false;
			state = 1;
			rows->length *= shape->dims[d];
		}
		else if (state == 0)
			rows->outer *= shape->dims[d];
		else
		{
			state = 2;
			rows->inner *= shape->dims[d];
		}
	}
	return true;
}

/* The value with its reduced dimensions moved after the others. */
static MrenStatus
gather_reduced(MrenOnnxPlan *plan, MrenOnnxNode *node, const Axes *axes, MrenOnnxPlace *place,
			   Rows *rows, MrenError *err)
{
	MrenOnnxValue *x = node->inputs[0];
	int64_t strides[MREN_ONNX_MAX_RANK];
	int64_t stride = 1;
	MrenOnnxCopy copy = {0};
	MrenOnnxValue *moved;
	MrenOnnxPlace source;

	MREN_TRY(mren_onnx_layout_place(plan, x, MREN_ONNX_PLAIN, &source, err));
	mren_onnx_layout_strides(&x->shape, MREN_ONNX_PLAIN, strides);
	rows->outer = rows->length = rows->inner = 1;
	for (int pass = 0; pass < 2; pass++)
	{
		for (int d = 0; d < x->shape.rank; d++)
		{
			if (axes->reduced[d] != (pass == 1))
				continue;
			*(pass == 1 ? &rows->length : &rows->outer) *= x->shape.dims[d];
			copy.dims[copy.rank] = x->shape.dims[d];
			MREN_TRY(mren_onnx_copy_linear(plan, x->shape.dims[d], strides[d],
										   &copy.maps[copy.rank], err));
			copy.rank++;
		}
	}
	for (int k = copy.rank - 1; k >= 0; k--)
	{
		copy.strides[k] = stride;
		stride *= (int64_t) copy.dims[k];
	}
	MREN_TRY(mren_onnx_model_new_value(plan->model, x->name, &moved, err));
	moved->type = x->type;
	moved->n = x->n;
	moved->shape = x->shape;
	MREN_TRY(mren_onnx_copy_emit_raw(plan, &source, &copy, moved, MREN_ONNX_PLAIN, false, err));
	*place = moved->place;
	return MREN_OK;
}

MrenStatus
mren_onnx_emit_reduce(MrenOnnxPlan *plan, MrenOnnxNode *node, MrenError *err)
{
	const Axes *axes = node->data;
	MrenOnnxValue *x = node->inputs[0];
	MrenOnnxValue *y = node->outputs[0];
	MrenOnnxLayout layout = mren_onnx_plan_layout(x);
	MrenOnnxLayout out_layout = MREN_ONNX_PLAIN;
	MrenOnnxPlace place;
	MrenOnnxStep *step;
	Rows *rows;
	bool arg = node->op->kind >= MREN_ONNX_REDUCE_ARGMAX;

	MREN_TRY(mren_onnx_pool_get(plan->pool, 1, sizeof(*rows), &rows, err));
	/* What is left of channels-last is channels-last unless dimensions moved up. */
	if (layout == MREN_ONNX_CHANNELS_LAST && (axes->keep || !axes->reduced[0]) &&
		as_rows(&x->shape, layout, axes->reduced, rows))
	{
		if (axes->keep || (!axes->reduced[1] && y->shape.rank >= 3))
			out_layout = MREN_ONNX_CHANNELS_LAST;
		MREN_TRY(mren_onnx_layout_place(plan, x, layout, &place, err));
	}
	else if (as_rows(&x->shape, MREN_ONNX_PLAIN, axes->reduced, rows))
		MREN_TRY(mren_onnx_layout_place(plan, x, MREN_ONNX_PLAIN, &place, err));
	else
		MREN_TRY(gather_reduced(plan, node, axes, &place, rows, err));
	rows->kind = node->op->kind;
	rows->last_index = axes->last_index;
	MREN_TRY(mren_onnx_plan_step(
		plan, &(MrenOnnxStepSpec){arg ? arg_kernel : reduce_kernel, rows, &place, 1, y, out_layout},
		&step, err));
	step->n_units = rows->outer * rows->inner;
	step->unit_cost = 32 + rows->length * 32;
	return MREN_OK;
}

MrenStatus
mren_onnx_infer_softmax(MrenOnnxModel *model, MrenOnnxNode *node, MrenError *err)
{
	const MrenOnnxValue *x = node->inputs[0];
	bool coerced = node->model->opset < 13;
	int64_t wanted = coerced ? 1 : -1;
	Rows *rows;
	int axis;

	MREN_TRY(mren_onnx_node_need_float(node, 0, err));
	MREN_TRY(mren_onnx_pool_get(model->pool, 1, sizeof(*rows), &rows, err));
	MREN_TRY(mren_onnx_node_int(node, "axis", &wanted, err));
	MREN_TRY(mren_onnx_node_axis(node, wanted, x->shape.rank, &axis, err));
	rows->kind = node->op->kind;
	rows->outer = rows->length = rows->inner = 1;
	for (int d = 0; d < x->shape.rank; d++)
	{
		/* before opset 13, everything from the axis on is one row */
		if (d < axis)
			rows->outer *= x->shape.dims[d];
		else if (d == axis || coerced)
			rows->length *= x->shape.dims[d];
		else
			rows->inner *= x->shape.dims[d];
	}
	node->data = rows;
	return mren_onnx_value_set(node, node->outputs[0], x->type, &x->shape, err);
}

static void
softmax_row(const Rows *rows, const float *x, float *y)
{
	float top = -INFINITY;
	double sum = 0;

	for (size_t r = 0; r < rows->length; r++)
		top = x[r * rows->inner] > top ? x[r * rows->inner] : top;
	for (size_t r = 0; r < rows->length; r++)
	{
		float shifted = x[r * rows->inner] - top;
		float e = expf(shifted);

		sum += e;
		y[r * rows->inner] = rows->kind == MREN_ONNX_SOFTMAX_LOG ? shifted : e;
	}
	for (size_t r = 0; r < rows->length; r++)
	{
		if (rows->kind == MREN_ONNX_SOFTMAX_LOG)
			y[r * rows->inner] -= (float) log(sum);
		else
			y[r * rows->inner] = (float) (y[r * rows->inner] / sum);
	}
}

static MrenStatus
softmax_kernel(const MrenOnnxStep *step, const MrenOnnxFrame *frame, size_t begin, size_t end,
			   MrenError *err)
{
	const Rows *rows = step->params;
	const float *x = mren_onnx_operand(frame, &step->in[0]);
	float *y = mren_onnx_operand(frame, &step->out);

	(void) err;
	for (size_t u = begin; u < end; u++)
	{
		size_t at = row_start(rows, u);

		softmax_row(rows, x + at, y + at);
	}
	return MREN_OK;
}

MrenStatus
mren_onnx_emit_softmax(MrenOnnxPlan *plan, MrenOnnxNode *node, MrenError *err)
{
	MrenOnnxPlace place;
	MrenOnnxStep *step;
	Rows *rows;

	MREN_TRY(mren_onnx_pool_get(plan->pool, 1, sizeof(*rows), &rows, err));
	*rows = *(Rows *) node->data;
	MREN_TRY(mren_onnx_layout_place(plan, node->inputs[0], MREN_ONNX_PLAIN, &place, err));
	MREN_TRY(mren_onnx_plan_step(
		plan,
		&(MrenOnnxStepSpec){softmax_kernel, rows, &place, 1, node->outputs[0], MREN_ONNX_PLAIN},
		&step, err));
	step->n_units = rows->length > 0 ? rows->outer * rows->inner : 0;
	step->unit_cost = 32 + rows->length * 128;
	step->in_place = true;
	return MREN_OK;
}
