/*
 * ops_shape.c
 *	  Operators that move no elements: new shapes for the same elements, and
 *	  constants that follow from shapes and attributes alone.
 */
#include <math.h>
#include <string.h>

#include "onnx/kernels/place.h"
#include "onnx/model/node.h"
#include "onnx/ops/ops.h"

static MrenStatus
reshape_shape(const MrenOnnxNode *node, MrenOnnxShape *shape, MrenError *err)
{
	const MrenOnnxValue *x = node->inputs[0];
	const MrenOnnxTensor *wanted;
	int64_t allow_zero = 0;
	int open = -1;
	size_t known = 1;

	MREN_TRY(mren_onnx_node_int(node, "allowzero", &allow_zero, err));
	MREN_TRY(mren_onnx_node_constant(node, 1, &wanted, err));
	if (wanted == NULL || wanted->ints == NULL || wanted->n > MREN_ONNX_MAX_RANK)
		return mren_onnx_node_fail(node, MREN_EDATA, err,
								   "the new shape is not a list of at most %d integers",
								   MREN_ONNX_MAX_RANK);
	shape->rank = (int) wanted->n;
	for (int d = 0; d < shape->rank; d++)
	{
		int64_t dim = wanted->ints[d];

		if (dim == -1 && open < 0)
		{
			open = d;
			continue;
		}
		if (dim < 0 || (dim == 0 && allow_zero == 0 && d >= x->shape.rank))
			return mren_onnx_node_fail(node, MREN_EDATA, err,
									   "the new shape has a dimension of %lld", (long long) dim);
		shape->dims[d] = dim == 0 && allow_zero == 0 ? x->shape.dims[d] : (size_t) dim;
		if (__builtin_mul_overflow(known, shape->dims[d], &known))
			return mren_onnx_node_fail(node, MREN_ELIMIT, err, "the new shape is too large");
	}
	if (open >= 0)
	{
		if (known == 0 || x->n % known != 0)
			return mren_onnx_node_fail(node, MREN_EDATA, err,
									   "%zu elements do not fill rows of %zu elements", x->n,
									   known);
		shape->dims[open] = x->n / known;
	}
	return MREN_OK;
}

static MrenStatus
flatten_shape(const MrenOnnxNode *node, MrenOnnxShape *shape, MrenError *err)
{
	const MrenOnnxShape *x = &node->inputs[0]->shape;
	int64_t axis = 1;
	int split;

	MREN_TRY(mren_onnx_node_int(node, "axis", &axis, err));
	if (axis == x->rank)
		split = x->rank;
	else
		MREN_TRY(mren_onnx_node_axis(node, axis, x->rank, &split, err));
	shape->rank = 2;
	shape->dims[0] = 1;
	shape->dims[1] = 1;
	for (int d = 0; d < x->rank; d++)
		shape->dims[d < split ? 0 : 1] *= x->dims[d];
	return MREN_OK;
}

/* The axes as flags; *all is true if none are given. */
static MrenStatus
read_axes(const MrenOnnxNode *node, int rank, bool *flags, bool *all, MrenError *err)
{
	const int64_t *axes;
	size_t n;

	MREN_TRY(mren_onnx_node_ints_or_input(node, "axes", 1, 13, &axes, &n, err));
	*all = n == 0;
	memset(flags, 0, MREN_ONNX_MAX_RANK * sizeof(*flags));
	for (size_t i = 0; i < n; i++)
	{
		int axis;

		MREN_TRY(mren_onnx_node_axis(node, axes[i], rank, &axis, err));
		if (flags[axis])
			return mren_onnx_node_fail(node, MREN_EDATA, err, "axis %lld occurs twice",
									   (long long) axes[i]);
		flags[axis] = true;
	}
	return MREN_OK;
}

static MrenStatus
squeeze_shape(const MrenOnnxNode *node, MrenOnnxShape *shape, MrenError *err)
{
	const MrenOnnxShape *x = &node->inputs[0]->shape;
	bool flags[MREN_ONNX_MAX_RANK];
	bool all;

	MREN_TRY(read_axes(node, x->rank, flags, &all, err));
	shape->rank = 0;
	for (int d = 0; d < x->rank; d++)
	{
		if (flags[d] && x->dims[d] != 1)
			return mren_onnx_node_fail(node, MREN_EDATA, err, "dimension %d is %zu, not 1", d,
									   x->dims[d]);
		if (!flags[d] && !(all && x->dims[d] == 1))
			shape->dims[shape->rank++] = x->dims[d];
	}
	return MREN_OK;
}

static MrenStatus
unsqueeze_shape(const MrenOnnxNode *node, MrenOnnxShape *shape, MrenError *err)
{
	const MrenOnnxShape *x = &node->inputs[0]->shape;
	const int64_t *axes;
	size_t n;
	bool flags[MREN_ONNX_MAX_RANK];
	bool all;
	int next = 0;

	MREN_TRY(mren_onnx_node_ints_or_input(node, "axes", 1, 13, &axes, &n, err));
	if (n > (size_t) (MREN_ONNX_MAX_RANK - x->rank))
		return mren_onnx_node_fail(node, MREN_EUNSUPPORTED, err,
								   "a result of more than %d dimensions is not supported",
								   MREN_ONNX_MAX_RANK);
	shape->rank = x->rank + (int) n;
	MREN_TRY(read_axes(node, shape->rank, flags, &all, err));
	for (int d = 0; d < shape->rank; d++)
		shape->dims[d] = flags[d] ? 1 : x->dims[next++];
	return MREN_OK;
}

/* The mask of a Dropout that drops nothing. */
static MrenStatus
dropout_mask(MrenOnnxModel *model, MrenOnnxNode *node, MrenError *err)
{
	MrenOnnxTensor *mask;

	if (node->n_outputs < 2 || node->outputs[1] == NULL)
		return MREN_OK;
	MREN_TRY(mren_onnx_model_tensor(model, MREN_ONNX_BOOL, &node->inputs[0]->shape, &mask, err));
	for (size_t i = 0; i < mask->n; i++)
		mask->ints[i] = 1;
	return mren_onnx_value_set_constant(model, node, node->outputs[1], mask, err);
}

/* Dropout's third input must be false: no training. */
static MrenStatus
check_training(const MrenOnnxNode *node, MrenError *err)
{
	const MrenOnnxTensor *training;

	if (node->n_inputs < 3)
		return MREN_OK;
	MREN_TRY(mren_onnx_node_constant(node, 2, &training, err));
	if (training != NULL && training->n == 1 && training->ints != NULL && training->ints[0] != 0)
		return mren_onnx_node_fail(node, MREN_EUNSUPPORTED, err, "training mode is not supported");
	return MREN_OK;
}

MrenStatus
mren_onnx_infer_alias(MrenOnnxModel *model, MrenOnnxNode *node, MrenError *err)
{
	const MrenOnnxValue *x = node->inputs[0];
	MrenOnnxShape shape = x->shape;
	size_t n;

	switch (node->op->kind)
	{
		case MREN_ONNX_ALIAS_RESHAPE:
			MREN_TRY(reshape_shape(node, &shape, err));
			break;
		case MREN_ONNX_ALIAS_FLATTEN:
			MREN_TRY(flatten_shape(node, &shape, err));
			break;
		case MREN_ONNX_ALIAS_SQUEEZE:
			MREN_TRY(squeeze_shape(node, &shape, err));
			break;
		case MREN_ONNX_ALIAS_UNSQUEEZE:
			MREN_TRY(unsqueeze_shape(node, &shape, err));
			break;
		default:
			MREN_TRY(check_training(node, err));
			MREN_TRY(dropout_mask(model, node, err));
			break;
	}
	if (!mren_onnx_shape_size(&shape, &n) || n != x->n)
	{
		char from[128];
		char to[128];

		return mren_onnx_node_fail(node, MREN_EDATA, err, "shape %s cannot become %s",
								   mren_onnx_shape_text(&x->shape, from, sizeof(from)),
								   mren_onnx_shape_text(&shape, to, sizeof(to)));
	}
	return mren_onnx_value_set(node, node->outputs[0], x->type, &shape, err);
}

MrenStatus
mren_onnx_emit_alias(MrenOnnxPlan *plan, MrenOnnxNode *node, MrenError *err)
{
	MrenOnnxValue *x = node->inputs[0];
	MrenOnnxValue *y = node->outputs[0];
	bool same = mren_onnx_shape_equal(&x->shape, &y->shape);
	MrenOnnxLayout layout = same ? mren_onnx_plan_layout(x) : MREN_ONNX_PLAIN;
	MrenOnnxPlace place;

	MREN_TRY(mren_onnx_layout_place(plan, x, layout, &place, err));
	mren_onnx_plan_alias(y, &place, layout);
	return MREN_OK;
}

/* Constant's value, in whichever attribute it is. */
static MrenStatus
constant_tensor(MrenOnnxModel *model, const MrenOnnxNode *node, MrenOnnxTensor **out,
				MrenError *err)
{
	const Mren__Onnx__AttributeProto *attribute = mren_onnx_node_attribute(node, "value");
	MrenOnnxShape shape = {0};

	if (attribute != NULL && attribute->t != NULL)
	{
		MREN_TRY(mren_onnx_pool_get(model->pool, 1, sizeof(MrenOnnxTensor), out, err));
		return mren_onnx_read_weights(model->pool, attribute->t, "value of a constant", *out, err);
	}
	if ((attribute = mren_onnx_node_attribute(node, "value_float")) != NULL)
	{
		MREN_TRY(mren_onnx_model_tensor(model, MREN_ONNX_FLOAT, &shape, out, err));
		(*out)->floats[0] = attribute->f;
	}
	else if ((attribute = mren_onnx_node_attribute(node, "value_int")) != NULL)
	{
		MREN_TRY(mren_onnx_model_tensor(model, MREN_ONNX_INT64, &shape, out, err));
		(*out)->ints[0] = attribute->i;
	}
	else if ((attribute = mren_onnx_node_attribute(node, "value_floats")) != NULL)
	{
		shape.rank = 1;
		shape.dims[0] = attribute->n_floats;
		MREN_TRY(mren_onnx_model_tensor(model, MREN_ONNX_FLOAT, &shape, out, err));
		for (size_t i = 0; i < attribute->n_floats; i++)
			(*out)->floats[i] = attribute->floats[i];
	}
	else if ((attribute = mren_onnx_node_attribute(node, "value_ints")) != NULL)
	{
		shape.rank = 1;
		shape.dims[0] = attribute->n_ints;
		MREN_TRY(mren_onnx_model_tensor(model, MREN_ONNX_INT64, &shape, out, err));
		for (size_t i = 0; i < attribute->n_ints; i++)
			(*out)->ints[i] = attribute->ints[i];
	}
	else
		return mren_onnx_node_fail(node, MREN_EUNSUPPORTED, err,
								   "a value that is not a tensor of numbers is not supported");
	return MREN_OK;
}

static MrenStatus
shape_tensor(MrenOnnxModel *model, const MrenOnnxNode *node, MrenOnnxTensor **out, MrenError *err)
{
	const MrenOnnxShape *x = &node->inputs[0]->shape;
	int64_t start = 0;
	int64_t end = x->rank;
	MrenOnnxShape shape = {1, {0}};

	MREN_TRY(mren_onnx_node_int(node, "start", &start, err));
	MREN_TRY(mren_onnx_node_int(node, "end", &end, err));
	start = start < 0 ? start + x->rank : start;
	end = end < 0 ? end + x->rank : end;
	start = start < 0 ? 0 : start > x->rank ? x->rank : start;
	end = end < start ? start : end > x->rank ? x->rank : end;
	shape.dims[0] = (size_t) (end - start);
	MREN_TRY(mren_onnx_model_tensor(model, MREN_ONNX_INT64, &shape, out, err));
	for (int64_t d = start; d < end; d++)
		(*out)->ints[d - start] = (int64_t) x->dims[d];
	return MREN_OK;
}

static MrenStatus
size_tensor(MrenOnnxModel *model, const MrenOnnxNode *node, MrenOnnxTensor **out, MrenError *err)
{
	MrenOnnxShape shape = {0};

	MREN_TRY(mren_onnx_model_tensor(model, MREN_ONNX_INT64, &shape, out, err));
	(*out)->ints[0] = (int64_t) node->inputs[0]->n;
	return MREN_OK;
}

static MrenStatus
fill_tensor(MrenOnnxModel *model, MrenOnnxNode *node, MrenOnnxTensor **out, MrenError *err)
{
	const Mren__Onnx__AttributeProto *attribute = mren_onnx_node_attribute(node, "value");
	const MrenOnnxTensor *wanted;
	MrenOnnxTensor value = {0};
	MrenOnnxShape shape = {0};

	MREN_TRY(mren_onnx_node_constant(node, 0, &wanted, err));
	if (wanted->ints == NULL || wanted->n > MREN_ONNX_MAX_RANK)
		return mren_onnx_node_fail(node, MREN_EDATA, err,
								   "the shape is not a list of at most %d integers",
								   MREN_ONNX_MAX_RANK);
	shape.rank = (int) wanted->n;
	for (int d = 0; d < shape.rank; d++)
	{
		if (wanted->ints[d] < 0)
			return mren_onnx_node_fail(node, MREN_EDATA, err, "the shape has a dimension of %lld",
									   (long long) wanted->ints[d]);
		shape.dims[d] = (size_t) wanted->ints[d];
	}
	value.type = MREN_ONNX_FLOAT;
	if (attribute != NULL && attribute->t != NULL)
		MREN_TRY(
			mren_onnx_read_weights(model->pool, attribute->t, "value of a constant", &value, err));
	if (attribute != NULL && value.n != 1)
		return mren_onnx_node_fail(node, MREN_EDATA, err, "attribute \"value\" is not one number");
	/* checks the size before memory is taken */
	MREN_TRY(mren_onnx_value_set(node, node->outputs[0], value.type, &shape, err));
	MREN_TRY(mren_onnx_model_tensor(model, value.type, &shape, out, err));
	for (size_t i = 0; i < (*out)->n; i++)
	{
		if (value.ints != NULL)
			(*out)->ints[i] = value.ints[0];
		else
			(*out)->floats[i] = value.floats != NULL ? value.floats[0] : 0;
	}
	return MREN_OK;
}

static MrenStatus
range_tensor(MrenOnnxModel *model, MrenOnnxNode *node, MrenOnnxTensor **out, MrenError *err)
{
	const MrenOnnxTensor *t[3];
	double v[3];
	double count;
	MrenOnnxShape shape = {1, {0}};

	for (size_t i = 0; i < 3; i++)
	{
		MREN_TRY(mren_onnx_node_constant(node, i, &t[i], err));
		if (t[i]->n != 1 || (t[i]->ints == NULL) != (t[0]->ints == NULL))
			return mren_onnx_node_fail(node, MREN_EDATA, err, "input %zu is not one number", i);
		v[i] = t[i]->ints != NULL ? (double) t[i]->ints[0] : t[i]->floats[0];
	}
	count = ceil((v[1] - v[0]) / v[2]);
	if (v[2] == 0 || !(count < 0x1.0p31))
		return mren_onnx_node_fail(node, MREN_ELIMIT, err, "a range in steps of %g is too long",
								   v[2]);
	shape.dims[0] = count > 0 ? (size_t) count : 0;
	MREN_TRY(mren_onnx_value_set(node, node->outputs[0], t[0]->type, &shape, err));
	MREN_TRY(mren_onnx_model_tensor(model, t[0]->type, &shape, out, err));
	for (size_t i = 0; i < (*out)->n; i++)
	{
		if ((*out)->ints != NULL)
			(*out)->ints[i] = t[0]->ints[0] + (int64_t) i * t[2]->ints[0];
		else
			(*out)->floats[i] = (float) (v[0] + (double) i * v[2]);
	}
	return MREN_OK;
}

MrenStatus
mren_onnx_infer_source(MrenOnnxModel *model, MrenOnnxNode *node, MrenError *err)
{
	MrenOnnxTensor *tensor = NULL;

	switch (node->op->kind)
	{
		case MREN_ONNX_SOURCE_CONSTANT:
			MREN_TRY(constant_tensor(model, node, &tensor, err));
			break;
		case MREN_ONNX_SOURCE_SHAPE:
			MREN_TRY(shape_tensor(model, node, &tensor, err));
			break;
		case MREN_ONNX_SOURCE_SIZE:
			MREN_TRY(size_tensor(model, node, &tensor, err));
			break;
		case MREN_ONNX_SOURCE_FILL:
			MREN_TRY(fill_tensor(model, node, &tensor, err));
			break;
		default:
			MREN_TRY(range_tensor(model, node, &tensor, err));
			break;
	}
	return mren_onnx_value_set_constant(model, node, node->outputs[0], tensor, err);
}

/* Never needed: the results of these operators are always constants. */
MrenStatus
mren_onnx_emit_source(MrenOnnxPlan *plan, MrenOnnxNode *node, MrenError *err)
{
	(void) plan;
	return mren_onnx_node_fail(node, MREN_EUNSUPPORTED, err,
							   "a result that depends on the data is not supported");
}
