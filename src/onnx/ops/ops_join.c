/*
 * ops_join.c
 *	  Concat, and the operators that repeat or regroup elements: Expand, Tile,
 *	  DepthToSpace, SpaceToDepth.
 */
#include "onnx/kernels/copy.h"
#include "onnx/kernels/elementwise.h"
#include "onnx/kernels/place.h"
#include "onnx/model/node.h"
#include "onnx/ops/ops.h"

MrenStatus
mren_onnx_infer_concat(MrenOnnxModel *model, MrenOnnxNode *node, MrenError *err)
{
	MrenOnnxShape shape = node->inputs[0]->shape;
	MrenOnnxType type = node->inputs[0]->type;
	int64_t axis_wanted = 1;
	int *axis;

	MREN_TRY(mren_onnx_pool_get(model->pool, 1, sizeof(*axis), &axis, err));
	MREN_TRY(mren_onnx_node_int(node, "axis", &axis_wanted, err));
	MREN_TRY(mren_onnx_node_axis(node, axis_wanted, shape.rank, axis, err));
	for (size_t i = 1; i < node->n_inputs; i++)
	{
		const MrenOnnxShape *x = &node->inputs[i]->shape;
		MrenOnnxShape expected = *x;

		if (x->rank == shape.rank)
			expected.dims[*axis] = shape.dims[*axis];
		if (!mren_onnx_shape_equal(&expected, &shape) ||
			mren_onnx_type_is_float(node->inputs[i]->type) != mren_onnx_type_is_float(type))
		{
			char first[128];
			char other[128];

			return mren_onnx_node_fail(
				node, MREN_EDATA, err, "shapes %s and %s cannot be joined",
				mren_onnx_shape_text(&node->inputs[0]->shape, first, sizeof(first)),
				mren_onnx_shape_text(x, other, sizeof(other)));
		}
		if (__builtin_add_overflow(shape.dims[*axis], x->dims[*axis], &shape.dims[*axis]))
			return mren_onnx_node_fail(node, MREN_ELIMIT, err, "the result is too large");
	}
	node->data = axis;
	return mren_onnx_value_set(node, node->outputs[0], type, &shape, err);
}

/* One part into its stretch of the whole. */
static MrenStatus
emit_part(MrenOnnxPlan *plan, MrenOnnxNode *node, MrenOnnxValue *x, int axis, size_t start,
		  MrenOnnxLayout layout, MrenError *err)
{
	MrenOnnxValue *y = node->outputs[0];
	int rank = y->shape.rank;
	int64_t from[MREN_ONNX_MAX_RANK];
	int64_t to[MREN_ONNX_MAX_RANK];
	MrenOnnxCopy copy = {0};
	MrenOnnxPlace place;
	size_t size = mren_onnx_type_size(y->type);
	size_t offset;

	MREN_TRY(mren_onnx_layout_place(plan, x, layout, &place, err));
	mren_onnx_layout_strides(&x->shape, layout, from);
	mren_onnx_layout_strides(&y->shape, layout, to);
	copy.rank = rank;
	for (int k = 0; k < rank; k++)
	{
		int d = mren_onnx_layout_dim(layout, rank, k);

		copy.dims[k] = x->shape.dims[d];
		copy.strides[k] = to[d];
		MREN_TRY(mren_onnx_copy_linear(plan, copy.dims[k], from[d], &copy.maps[k], err));
	}
	offset = start * (size_t) to[axis] * size;
	MREN_TRY(mren_onnx_copy_emit_raw(plan, &place, &copy, y, layout, y->place.set, err));
	plan->steps[plan->n_steps - 1]->out.offset += offset;
	return MREN_OK;
}

MrenStatus
mren_onnx_emit_concat(MrenOnnxPlan *plan, MrenOnnxNode *node, MrenError *err)
{
	int axis = *(int *) node->data;
	MrenOnnxLayout layout = MREN_ONNX_PLAIN;
	size_t start = 0;

	if (node->outputs[0]->place.set) /* its parts were written in their slots */
		layout = node->outputs[0]->place.layout;
	for (size_t i = 0; i < node->n_inputs; i++)
	{
		if (mren_onnx_plan_layout(node->inputs[i]) == MREN_ONNX_CHANNELS_LAST)
			layout = MREN_ONNX_CHANNELS_LAST;
	}
	for (size_t i = 0; i < node->n_inputs; i++)
	{
		MrenOnnxValue *x = node->inputs[i];

		if (x->slot_of != node->outputs[0])
			MREN_TRY(emit_part(plan, node, x, axis, start, layout, err));
		start += x->shape.dims[axis];
	}
	return MREN_OK;
}

MrenStatus
mren_onnx_infer_expand(MrenOnnxModel *model, MrenOnnxNode *node, MrenError *err)
{
	const MrenOnnxShape *x = &node->inputs[0]->shape;
	const MrenOnnxTensor *list;
	MrenOnnxShape shape = {0};

	(void) model;
	MREN_TRY(mren_onnx_node_constant(node, 1, &list, err));
	if (list->ints == NULL || list->n > MREN_ONNX_MAX_RANK ||
		(node->op->kind == MREN_ONNX_REPEAT_TILE && (int) list->n != x->rank))
		return mren_onnx_node_fail(node, MREN_EDATA, err,
								   "the new shape or repeats do not fit %d dimensions", x->rank);
	shape.rank = (int) list->n;
	for (int d = 0; d < shape.rank; d++)
	{
		if (list->ints[d] < 0 || list->ints[d] > INT32_MAX)
			return mren_onnx_node_fail(node, MREN_EDATA, err,
									   "a dimension or number of repeats must not be %lld",
									   (long long) list->ints[d]);
		shape.dims[d] = (size_t) list->ints[d];
		if (node->op->kind == MREN_ONNX_REPEAT_TILE &&
			__builtin_mul_overflow(shape.dims[d], x->dims[d], &shape.dims[d]))
			return mren_onnx_node_fail(node, MREN_ELIMIT, err, "the result is too large");
	}
	if (node->op->kind == MREN_ONNX_REPEAT_EXPAND)
		MREN_TRY(mren_onnx_broadcast_shape(node, x, &shape, err));
	return mren_onnx_value_set(node, node->outputs[0], node->inputs[0]->type, &shape, err);
}

/* Index i of the result reads index i modulo the input's dimension. */
MrenStatus
mren_onnx_emit_expand(MrenOnnxPlan *plan, MrenOnnxNode *node, MrenError *err)
{
	MrenOnnxValue *x = node->inputs[0];
	MrenOnnxValue *y = node->outputs[0];
	int64_t strides[MREN_ONNX_MAX_RANK];
	const int64_t *maps[MREN_ONNX_MAX_RANK];
	MrenOnnxPlace place;

	MREN_TRY(mren_onnx_layout_place(plan, x, MREN_ONNX_PLAIN, &place, err));
	mren_onnx_layout_strides(&x->shape, MREN_ONNX_PLAIN, strides);
	for (int d = 0; d < y->shape.rank; d++)
	{
		int own = d - (y->shape.rank - x->shape.rank);
		int64_t *map;

		MREN_TRY(mren_onnx_copy_map(plan, y->shape.dims[d], &map, err));
		for (size_t i = 0; own >= 0 && i < y->shape.dims[d]; i++)
			map[i] = (int64_t) (i % x->shape.dims[own]) * strides[own];
		maps[d] = map;
	}
	return mren_onnx_copy_emit(plan, &place, maps, NULL, y, MREN_ONNX_PLAIN, err);
}

MrenStatus
mren_onnx_infer_depth(MrenOnnxModel *model, MrenOnnxNode *node, MrenError *err)
{
	const MrenOnnxValue *x = node->inputs[0];
	MrenOnnxShape shape = x->shape;
	int64_t size = 0;
	size_t b;
	bool to_space = node->op->kind == MREN_ONNX_DEPTH_TO_SPACE;

	(void) model;
	MREN_TRY(mren_onnx_node_int(node, "blocksize", &size, err));
	b = size > 0 && size < 65536 ? (size_t) size : 0;
	if (x->shape.rank != 4 || b == 0 ||
		(to_space ? shape.dims[1] % (b * b) != 0
				  : shape.dims[2] % b != 0 || shape.dims[3] % b != 0))
	{
		char text[128];

		return mren_onnx_node_fail(node, MREN_EDATA, err, "blocks of %lld do not fit shape %s",
								   (long long) size,
								   mren_onnx_shape_text(&x->shape, text, sizeof(text)));
	}
	shape.dims[1] = to_space ? shape.dims[1] / (b * b) : shape.dims[1] * b * b;
	shape.dims[2] = to_space ? shape.dims[2] * b : shape.dims[2] / b;
	shape.dims[3] = to_space ? shape.dims[3] * b : shape.dims[3] / b;
	return mren_onnx_value_set(node, node->outputs[0], x->type, &shape, err);
}

/*
 * Both as a transposition of six dimensions.  To space, the channels are
 * (block row, block column, c), or (c, block row, block column) in mode CRD;
 * to depth, they become (block row, block column, c).
 */
MrenStatus
mren_onnx_emit_depth(MrenOnnxPlan *plan, MrenOnnxNode *node, MrenError *err)
{
	const MrenOnnxShape *x = &node->inputs[0]->shape;
	const MrenOnnxShape *y = &node->outputs[0]->shape;
	bool to_space = node->op->kind == MREN_ONNX_DEPTH_TO_SPACE;
	bool crd = mren_onnx_node_string_is(node, "mode", "CRD");
	size_t b = to_space ? y->dims[2] / (x->dims[2] > 0 ? x->dims[2] : 1)
						: x->dims[2] / (y->dims[2] > 0 ? y->dims[2] : 1);
	int64_t plane = (int64_t) (x->dims[2] * x->dims[3]);
	int64_t width = (int64_t) x->dims[3];
	int64_t s = (int64_t) b;
	int64_t c = (int64_t) (to_space ? y->dims[1] : x->dims[1]);
	size_t dims_space[6] = {x->dims[0], y->dims[1], x->dims[2], b, x->dims[3], b};
	int64_t from_space[6] = {(int64_t) x->dims[1] * plane,
							 crd ? s * s * plane : plane,
							 width,
							 crd ? s * plane : s * c * plane,
							 1,
							 crd ? plane : c * plane};
	size_t dims_depth[6] = {x->dims[0], b, b, x->dims[1], y->dims[2], y->dims[3]};
	int64_t from_depth[6] = {(int64_t) x->dims[1] * plane, width, 1, plane, s * width, s};
	MrenOnnxCopy copy = {0};
	MrenOnnxPlace place;
	int64_t stride = 1;

	MREN_TRY(mren_onnx_layout_place(plan, node->inputs[0], MREN_ONNX_PLAIN, &place, err));
	copy.rank = 6;
	for (int d = 5; d >= 0; d--)
	{
		copy.dims[d] = to_space ? dims_space[d] : dims_depth[d];
		copy.strides[d] = stride;
		stride *= (int64_t) copy.dims[d];
		MREN_TRY(mren_onnx_copy_linear(plan, copy.dims[d], to_space ? from_space[d] : from_depth[d],
									   &copy.maps[d], err));
	}
	return mren_onnx_copy_emit_raw(plan, &place, &copy, node->outputs[0], MREN_ONNX_PLAIN, false,
								   err);
}
