/*
 * ops_move.c
 *	  Operators that move elements without changing them, all of them the
 *	  table-driven copy of copy.c.
 */
#include <string.h>

#include "onnx/kernels/copy.h"
#include "onnx/kernels/place.h"
#include "onnx/model/node.h"
#include "onnx/ops/ops.h"

/* ---- Transpose ---- */

typedef struct Permutation
{
	int axes[MREN_ONNX_MAX_RANK];
} Permutation;

MrenStatus
mren_onnx_infer_transpose(MrenOnnxModel *model, MrenOnnxNode *node, MrenError *err)
{
	const MrenOnnxValue *x = node->inputs[0];
	const int64_t *perm;
	size_t n;
	Permutation *p;
	MrenOnnxShape shape = x->shape;
	bool seen[MREN_ONNX_MAX_RANK] = {false};

	MREN_TRY(mren_onnx_node_ints(node, "perm", &perm, &n, err));
	if (n != 0 && n != (size_t) x->shape.rank)
		return mren_onnx_node_fail(node, MREN_EDATA, err, "perm has %zu entries for %d dimensions",
								   n, x->shape.rank);
	MREN_TRY(mren_onnx_pool_get(model->pool, 1, sizeof(*p), &p, err));
	for (int d = 0; d < x->shape.rank; d++)
	{
		MREN_TRY(mren_onnx_node_axis(node, n == 0 ? x->shape.rank - 1 - d : perm[d], x->shape.rank,
									 &p->axes[d], err));
		if (seen[p->axes[d]])
			return mren_onnx_node_fail(node, MREN_EDATA, err, "perm names dimension %d twice",
									   p->axes[d]);
		seen[p->axes[d]] = true;
		shape.dims[d] = x->shape.dims[p->axes[d]];
	}
	node->data = p;
	return mren_onnx_value_set(node, node->outputs[0], x->type, &shape, err);
}

/* Whether out, in that layout, is the very bytes that the strides walk. */
static bool
is_same_bytes(const MrenOnnxShape *out, MrenOnnxLayout layout, const int64_t *from)
{
	int64_t to[MREN_ONNX_MAX_RANK];

	mren_onnx_layout_strides(out, layout, to);
	for (int d = 0; d < out->rank; d++)
	{
		if (out->dims[d] != 1 && to[d] != from[d])
			return false;
	}
	return true;
}

MrenStatus
mren_onnx_emit_transpose(MrenOnnxPlan *plan, MrenOnnxNode *node, MrenError *err)
{
	const Permutation *p = node->data;
	MrenOnnxValue *x = node->inputs[0];
	MrenOnnxValue *y = node->outputs[0];
	MrenOnnxLayout layout = mren_onnx_plan_layout(x);
	int64_t own[MREN_ONNX_MAX_RANK];
	int64_t strides[MREN_ONNX_MAX_RANK];
	const int64_t *maps[MREN_ONNX_MAX_RANK];
	MrenOnnxPlace place;

	MREN_TRY(mren_onnx_layout_place(plan, x, layout, &place, err));
	mren_onnx_layout_strides(&x->shape, layout, own);
	for (int d = 0; d < y->shape.rank; d++)
		strides[d] = own[p->axes[d]];
	if (is_same_bytes(&y->shape, MREN_ONNX_PLAIN, strides))
	{
		mren_onnx_plan_alias(y, &place, MREN_ONNX_PLAIN);
		return MREN_OK;
	}
	if (y->shape.rank >= 3 && is_same_bytes(&y->shape, MREN_ONNX_CHANNELS_LAST, strides))
	{
		mren_onnx_plan_alias(y, &place, MREN_ONNX_CHANNELS_LAST);
		return MREN_OK;
	}
	for (int d = 0; d < y->shape.rank; d++)
		MREN_TRY(mren_onnx_copy_linear(plan, y->shape.dims[d], strides[d], &maps[d], err));
	return mren_onnx_copy_emit(plan, &place, maps, NULL, y, MREN_ONNX_PLAIN, err);
}

/* ---- Slice, Split, Gather along one axis: pieces in the input's layout ---- */

/* Range of each dimension: start, step, count. */
typedef struct Ranges
{
	int64_t start[MREN_ONNX_MAX_RANK];
	int64_t step[MREN_ONNX_MAX_RANK];
} Ranges;

static int64_t
clamp(int64_t value, int64_t low, int64_t high)
{
	return value < low ? low : value > high ? high : value;
}

/* One dimension's part of a Slice, as the node gives it: negative indices count from the end. */
typedef struct Slice
{
	int64_t start;
	int64_t end;
	int64_t step;
} Slice;

static MrenStatus
slice_range(const MrenOnnxNode *node, int axis, const Slice *slice, Ranges *ranges,
			MrenOnnxShape *shape, MrenError *err)
{
	int64_t dim = (int64_t) node->inputs[0]->shape.dims[axis];
	int64_t step = slice->step;
	int64_t start = slice->start < 0 ? slice->start + dim : slice->start;
	int64_t end = slice->end < 0 ? slice->end + dim : slice->end;
	int64_t count;

	if (step == 0 || step == INT64_MIN)
		return mren_onnx_node_fail(node, MREN_EDATA, err, "step must not be %lld",
								   (long long) step);
	start = clamp(start, 0, step > 0 ? dim : dim - 1);
	end = clamp(end, step > 0 ? 0 : -1, dim);
	if (step > 0)
		count = end > start ? (end - start + step - 1) / step : 0;
	else
		count = start > end ? (start - end - step - 1) / -step : 0;
	if (dim == 0)
		count = 0;
	ranges->start[axis] = start;
	ranges->step[axis] = step;
	shape->dims[axis] = (size_t) count;
	return MREN_OK;
}

static MrenStatus
slice_lists(const MrenOnnxNode *node, const int64_t **lists, size_t *counts, MrenError *err)
{
	static const char *const names[] = {"starts", "ends", "axes", "steps"};

	for (size_t k = 0; k < 4; k++)
	{
		lists[k] = NULL;
		counts[k] = 0;
		if (k < 3 || node->model->opset >= 10)
			MREN_TRY(mren_onnx_node_ints_or_input(node, names[k], k + 1, 10, &lists[k], &counts[k],
												  err));
		if ((k == 1 && counts[1] != counts[0]) ||
			(k > 1 && lists[k] != NULL && counts[k] != counts[0]))
			return mren_onnx_node_fail(node, MREN_EDATA, err, "%zu starts do not go with %zu %s",
									   counts[0], counts[k], names[k]);
	}
	return MREN_OK;
}

MrenStatus
mren_onnx_infer_slice(MrenOnnxModel *model, MrenOnnxNode *node, MrenError *err)
{
	MrenOnnxShape shape = node->inputs[0]->shape;
	const int64_t *lists[4];
	size_t counts[4];
	Ranges *ranges;

	MREN_TRY(slice_lists(node, lists, counts, err));
	MREN_TRY(mren_onnx_pool_get(model->pool, 1, sizeof(*ranges), &ranges, err));
	for (int d = 0; d < shape.rank; d++)
		ranges->step[d] = 1;
	for (size_t i = 0; i < counts[0]; i++)
	{
		const Slice slice = {lists[0][i], lists[1][i], lists[3] != NULL ? lists[3][i] : 1};
		int axis;

		MREN_TRY(mren_onnx_node_axis(node, lists[2] != NULL ? lists[2][i] : (int64_t) i, shape.rank,
									 &axis, err));
		MREN_TRY(slice_range(node, axis, &slice, ranges, &shape, err));
	}
	node->data = ranges;
	return mren_onnx_value_set(node, node->outputs[0], node->inputs[0]->type, &shape, err);
}

static MrenStatus
emit_ranges(MrenOnnxPlan *plan, MrenOnnxNode *node, MrenOnnxValue *out, const Ranges *ranges,
			MrenError *err)
{
	MrenOnnxValue *x = node->inputs[0];
	MrenOnnxLayout layout = mren_onnx_plan_layout(x);
	int64_t strides[MREN_ONNX_MAX_RANK];
	const int64_t *maps[MREN_ONNX_MAX_RANK];
	MrenOnnxPlace place;

	MREN_TRY(mren_onnx_layout_place(plan, x, layout, &place, err));
	mren_onnx_layout_strides(&x->shape, layout, strides);
	for (int d = 0; d < x->shape.rank; d++)
	{
		int64_t *map;

		MREN_TRY(mren_onnx_copy_map(plan, out->shape.dims[d], &map, err));
		for (size_t i = 0; i < out->shape.dims[d]; i++)
			map[i] = (ranges->start[d] + (int64_t) i * ranges->step[d]) * strides[d];
		maps[d] = map;
	}
	return mren_onnx_copy_emit(plan, &place, maps, NULL, out, layout, err);
}

MrenStatus
mren_onnx_emit_slice(MrenOnnxPlan *plan, MrenOnnxNode *node, MrenError *err)
{
	return emit_ranges(plan, node, node->outputs[0], node->data, err);
}

MrenStatus
mren_onnx_infer_split(MrenOnnxModel *model, MrenOnnxNode *node, MrenError *err)
{
	MrenOnnxShape shape = node->inputs[0]->shape;
	int64_t axis_wanted = 0;
	int64_t parts = (int64_t) node->n_outputs;
	const int64_t *sizes;
	size_t n;
	int64_t dim;
	int64_t left;
	int *axis;

	MREN_TRY(mren_onnx_pool_get(model->pool, 1, sizeof(*axis), &axis, err));
	MREN_TRY(mren_onnx_node_int(node, "axis", &axis_wanted, err));
	MREN_TRY(mren_onnx_node_axis(node, axis_wanted, shape.rank, axis, err));
	if ((node->op->rules & MREN_ONNX_NO_SIZES_INPUT) && node->n_inputs > 1)
		return mren_onnx_node_fail(node, MREN_EUNSUPPORTED, err,
								   "sizes given as an input are not supported before opset 13");
	MREN_TRY(mren_onnx_node_ints_or_input(node, "split", 1, 13, &sizes, &n, err));
	MREN_TRY(mren_onnx_node_int(node, "num_outputs", &parts, err));
	if ((n != 0 && n != node->n_outputs) || parts != (int64_t) node->n_outputs)
		return mren_onnx_node_fail(node, MREN_EDATA, err, "%zu outputs do not go with %zu parts",
								   node->n_outputs, n != 0 ? n : (size_t) parts);
	node->data = axis;
	dim = (int64_t) shape.dims[*axis];
	left = dim;
	if (n == 0 && node->model->opset < 18 && dim % parts != 0)
		return mren_onnx_node_fail(node, MREN_EDATA, err,
								   "a dimension of %lld cannot be split into %lld equal parts",
								   (long long) dim, (long long) parts);
	for (size_t i = 0; i < node->n_outputs; i++)
	{
		int64_t size = n != 0 ? sizes[i] : (dim + parts - 1) / parts;

		if (n == 0 && size > left)
			size = left;
		if (size < 0 || size > left)
			return mren_onnx_node_fail(
				node, MREN_EDATA, err,
				"a part of %lld elements does not fit in a dimension of %lld", (long long) size,
				(long long) dim);
		left -= size;
		shape.dims[*axis] = (size_t) size;
		MREN_TRY(mren_onnx_value_set(node, node->outputs[i], node->inputs[0]->type, &shape, err));
	}
	if (left != 0)
		return mren_onnx_node_fail(node, MREN_EDATA, err,
								   "the parts leave %lld elements of a dimension of %lld",
								   (long long) left, (long long) dim);
	return MREN_OK;
}

MrenStatus
mren_onnx_emit_split(MrenOnnxPlan *plan, MrenOnnxNode *node, MrenError *err)
{
	int axis = *(int *) node->data;
	Ranges ranges = {0};

	for (int d = 0; d < node->inputs[0]->shape.rank; d++)
		ranges.step[d] = 1;
	for (size_t i = 0; i < node->n_outputs; i++)
	{
		MrenOnnxValue *out = node->outputs[i];

		if (out == NULL)
			return mren_onnx_node_fail(node, MREN_EUNSUPPORTED, err, "output %zu is omitted", i);
		MREN_TRY(emit_ranges(plan, node, out, &ranges, err));
		ranges.start[axis] += (int64_t) out->shape.dims[axis];
	}
	return MREN_OK;
}

/* Gather with constant indices; their shape takes the axis's place. */
MrenStatus
mren_onnx_infer_gather(MrenOnnxModel *model, MrenOnnxNode *node, MrenError *err)
{
	const MrenOnnxShape *x = &node->inputs[0]->shape;
	const MrenOnnxTensor *indices;
	int64_t axis_wanted = 0;
	MrenOnnxShape shape = {0};
	int *axis;

	MREN_TRY(mren_onnx_pool_get(model->pool, 1, sizeof(*axis), &axis, err));
	MREN_TRY(mren_onnx_node_int(node, "axis", &axis_wanted, err));
	MREN_TRY(mren_onnx_node_axis(node, axis_wanted, x->rank, axis, err));
	MREN_TRY(mren_onnx_node_constant(node, 1, &indices, err));
	if (indices->ints == NULL)
		return mren_onnx_node_fail(node, MREN_EDATA, err, "the indices are not integers");
	if (x->rank - 1 + indices->shape.rank > MREN_ONNX_MAX_RANK)
		return mren_onnx_node_fail(node, MREN_EUNSUPPORTED, err,
								   "a result of more than %d dimensions is not supported",
								   MREN_ONNX_MAX_RANK);
	for (size_t i = 0; i < indices->n; i++)
	{
		int64_t dim = (int64_t) x->dims[*axis];

		if (indices->ints[i] < -dim || indices->ints[i] >= dim)
			return mren_onnx_node_fail(node, MREN_EDATA, err,
									   "index %lld is outside a dimension of %lld",
									   (long long) indices->ints[i], (long long) dim);
	}
	for (int d = 0; d < *axis; d++)
		shape.dims[shape.rank++] = x->dims[d];
	for (int d = 0; d < indices->shape.rank; d++)
		shape.dims[shape.rank++] = indices->shape.dims[d];
	for (int d = *axis + 1; d < x->rank; d++)
		shape.dims[shape.rank++] = x->dims[d];
	node->data = axis;
	return mren_onnx_value_set(node, node->outputs[0], node->inputs[0]->type, &shape, err);
}

MrenStatus
mren_onnx_emit_gather(MrenOnnxPlan *plan, MrenOnnxNode *node, MrenError *err)
{
	int axis = *(int *) node->data;
	const MrenOnnxTensor *indices = node->inputs[1]->constant;
	MrenOnnxValue *x = node->inputs[0];
	int64_t strides[MREN_ONNX_MAX_RANK];
	int64_t out_stride = 1;
	int64_t *map;
	MrenOnnxCopy copy = {0};
	MrenOnnxPlace place;

	/* The indices as one dimension: the result is the same elements. */
	MREN_TRY(mren_onnx_layout_place(plan, x, MREN_ONNX_PLAIN, &place, err));
	mren_onnx_layout_strides(&x->shape, MREN_ONNX_PLAIN, strides);
	copy.rank = x->shape.rank;
	MREN_TRY(mren_onnx_copy_map(plan, indices->n, &map, err));
	for (size_t i = 0; i < indices->n; i++)
	{
		int64_t index = indices->ints[i];

		map[i] = (index < 0 ? index + (int64_t) x->shape.dims[axis] : index) * strides[axis];
	}
	for (int d = copy.rank - 1; d >= 0; d--)
	{
		copy.dims[d] = d == axis ? indices->n : x->shape.dims[d];
		copy.strides[d] = out_stride;
		out_stride *= (int64_t) copy.dims[d];
		if (d == axis)
			copy.maps[d] = map;
		else
			MREN_TRY(mren_onnx_copy_linear(plan, copy.dims[d], strides[d], &copy.maps[d], err));
	}
	return mren_onnx_copy_emit_raw(plan, &place, &copy, node->outputs[0], MREN_ONNX_PLAIN, false,
								   err);
}

/* ---- Pad ---- */

typedef enum PadMode
{
	PAD_CONSTANT,
	PAD_EDGE,
	PAD_REFLECT,
} PadMode;

typedef struct Padding
{
	PadMode mode;
	int64_t before[MREN_ONNX_MAX_RANK];
	float fill;
	int64_t fill_int;
} Padding;

static MrenStatus
pad_fill(const MrenOnnxNode *node, Padding *padding, MrenError *err)
{
	const MrenOnnxTensor *tensor;

	if (node->model->opset < 11)
		return mren_onnx_node_float(node, "value", &padding->fill, err);
	MREN_TRY(mren_onnx_node_no_attribute(node, "value", 11, err));
	MREN_TRY(mren_onnx_node_constant(node, 2, &tensor, err));
	if (tensor == NULL)
		return MREN_OK;
	if (tensor->n != 1 ||
		(tensor->floats != NULL) != mren_onnx_type_is_float(node->inputs[0]->type))
		return mren_onnx_node_fail(node, MREN_EDATA, err,
								   "the fill value is not one number of the input's type");
	if (tensor->floats != NULL)
		padding->fill = tensor->floats[0];
	else
		padding->fill_int = tensor->ints[0];
	return MREN_OK;
}

/* pads: all beginnings, then all ends, of `axes` or of every dimension. */
static MrenStatus
pad_dims(const MrenOnnxNode *node, Padding *padding, MrenOnnxShape *shape, MrenError *err)
{
	const int64_t *pads;
	const int64_t *axes = NULL;
	size_t n;
	size_t n_axes = (size_t) shape->rank;

	MREN_TRY(mren_onnx_node_ints_or_input(node, "pads", 1, 11, &pads, &n, err));
	if (mren_onnx_node_input(node, 3) != NULL)
		MREN_TRY(mren_onnx_node_ints_or_input(node, "axes", 3, 18, &axes, &n_axes, err));
	if (n != 2 * n_axes)
		return mren_onnx_node_fail(node, MREN_EDATA, err, "%zu pads do not go with %zu dimensions",
								   n, n_axes);
	for (size_t i = 0; i < n_axes; i++)
	{
		int d;
		int64_t dim;

		MREN_TRY(
			mren_onnx_node_axis(node, axes != NULL ? axes[i] : (int64_t) i, shape->rank, &d, err));
		dim = (int64_t) shape->dims[d];
		if (pads[i] < -dim || pads[i] > INT32_MAX || pads[i + n_axes] < -dim ||
			pads[i + n_axes] > INT32_MAX || dim + pads[i] + pads[i + n_axes] < 0)
			return mren_onnx_node_fail(
				node, MREN_EDATA, err, "pads of %lld and %lld do not fit a dimension of %lld",
				(long long) pads[i], (long long) pads[i + n_axes], (long long) dim);
		if ((padding->mode == PAD_REFLECT && (pads[i] >= dim || pads[i + n_axes] >= dim) &&
			 (pads[i] > 0 || pads[i + n_axes] > 0)) ||
			(padding->mode == PAD_EDGE && dim == 0))
			return mren_onnx_node_fail(
				node, MREN_EDATA, err, "pads of %lld and %lld do not fit a dimension of %lld",
				(long long) pads[i], (long long) pads[i + n_axes], (long long) dim);
		padding->before[d] = pads[i];
		shape->dims[d] = (size_t) (dim + pads[i] + pads[i + n_axes]);
	}
	return MREN_OK;
}

MrenStatus
mren_onnx_infer_pad(MrenOnnxModel *model, MrenOnnxNode *node, MrenError *err)
{
	MrenOnnxShape shape = node->inputs[0]->shape;
	Padding *padding;

	MREN_TRY(mren_onnx_pool_get(model->pool, 1, sizeof(*padding), &padding, err));
	if (mren_onnx_node_string_is(node, "mode", "edge"))
		padding->mode = PAD_EDGE;
	else if (mren_onnx_node_string_is(node, "mode", "reflect"))
		padding->mode = PAD_REFLECT;
	else if (mren_onnx_node_attribute(node, "mode") != NULL &&
			 !mren_onnx_node_string_is(node, "mode", "constant"))
		return mren_onnx_node_fail(node, MREN_EUNSUPPORTED, err,
								   "this padding mode is not supported");
	MREN_TRY(pad_fill(node, padding, err));
	MREN_TRY(pad_dims(node, padding, &shape, err));
	node->data = padding;
	return mren_onnx_value_set(node, node->outputs[0], node->inputs[0]->type, &shape, err);
}

static int64_t
pad_index(PadMode mode, int64_t i, int64_t n)
{
	if (i >= 0 && i < n)
		return i;
	if (mode == PAD_CONSTANT)
		return MREN_ONNX_COPY_FILL;
	if (mode == PAD_EDGE)
		return i < 0 ? 0 : n - 1;
	return i < 0 ? -i : 2 * (n - 1) - i;
}

MrenStatus
mren_onnx_emit_pad(MrenOnnxPlan *plan, MrenOnnxNode *node, MrenError *err)
{
	const Padding *padding = node->data;
	MrenOnnxValue *x = node->inputs[0];
	MrenOnnxValue *y = node->outputs[0];
	MrenOnnxLayout layout = mren_onnx_plan_layout(x);
	int64_t strides[MREN_ONNX_MAX_RANK];
	const int64_t *maps[MREN_ONNX_MAX_RANK];
	MrenOnnxCopy fill = {0};
	MrenOnnxPlace place;

	MREN_TRY(mren_onnx_layout_place(plan, x, layout, &place, err));
	mren_onnx_layout_strides(&x->shape, layout, strides);
	for (int d = 0; d < y->shape.rank; d++)
	{
		int64_t *map;

		MREN_TRY(mren_onnx_copy_map(plan, y->shape.dims[d], &map, err));
		for (size_t i = 0; i < y->shape.dims[d]; i++)
		{
			int64_t from = pad_index(padding->mode, (int64_t) i - padding->before[d],
									 (int64_t) x->shape.dims[d]);

			map[i] = from == MREN_ONNX_COPY_FILL ? from : from * strides[d];
		}
		maps[d] = map;
	}
	fill.fill = padding->fill;
	fill.fill_int = padding->fill_int;
	return mren_onnx_copy_emit(plan, &place, maps, &fill, y, layout, err);
}
