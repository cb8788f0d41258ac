/*
 * ops_binary.c
 *	  Binary and variadic operators on elements, and Where.
 */
#include <string.h>

#include "onnx/kernels/elementwise.h"
#include "onnx/kernels/place.h"
#include "onnx/model/node.h"
#include "onnx/ops/ops.h"

static MrenStatus
exponent_as_float(MrenOnnxModel *model, MrenOnnxNode *node, MrenError *err)
{
	const MrenOnnxTensor *ints = node->inputs[1]->constant;
	MrenOnnxTensor *floats;
	MrenOnnxValue *value;

	MREN_TRY(mren_onnx_model_tensor(model, MREN_ONNX_FLOAT, &ints->shape, &floats, err));
	for (size_t i = 0; i < ints->n; i++)
		floats->floats[i] = (float) ints->ints[i];
	MREN_TRY(mren_onnx_model_new_value(model, node->inputs[1]->name, &value, err));
	MREN_TRY(mren_onnx_value_set_constant(model, node, value, floats, err));
	value->n_uses = 1;
	node->inputs[1] = value;
	return MREN_OK;
}

/*
 * Before opset 7 a slope of several numbers goes along dimension 1.  Since then
 * it is broadcast, which gives the same once the slope has the shape (C,1,...).
 */
static MrenStatus
slope_of_channels(MrenOnnxModel *model, MrenOnnxNode *node, MrenError *err)
{
	const MrenOnnxShape *x = &node->inputs[0]->shape;
	const MrenOnnxTensor *slope = node->inputs[1]->constant;
	MrenOnnxShape shape = {x->rank - 1, {0}};
	MrenOnnxTensor *shaped;
	MrenOnnxValue *value;

	if (node->inputs[1]->n == 1)
		return MREN_OK;
	if (slope == NULL || slope->floats == NULL || slope->shape.rank != 1 || x->rank < 2 ||
		slope->n != x->dims[1])
		return mren_onnx_node_fail(
			node, MREN_EUNSUPPORTED, err,
			"a slope that is not one constant number, or one for each channel, is not supported");
	for (int d = 0; d < shape.rank; d++)
		shape.dims[d] = d == 0 ? slope->n : 1;
	MREN_TRY(mren_onnx_model_tensor(model, slope->type, &shape, &shaped, err));
	memcpy(shaped->floats, slope->floats, slope->n * sizeof(float));
	MREN_TRY(mren_onnx_model_new_value(model, node->inputs[1]->name, &value, err));
	MREN_TRY(mren_onnx_value_set_constant(model, node, value, shaped, err));
	value->n_uses = 1;
	node->inputs[1] = value;
	return MREN_OK;
}

MrenStatus
mren_onnx_infer_binary(MrenOnnxModel *model, MrenOnnxNode *node, MrenError *err)
{
	MrenOnnxShape shape = node->inputs[0]->shape;
	MrenOnnxType type = node->inputs[0]->type;
	int kind = node->op->kind;
	bool is_float = mren_onnx_type_is_float(type);
	int64_t fmod_mode = 0;

	if (node->op->rules & MREN_ONNX_CHANNEL_SLOPE)
		MREN_TRY(slope_of_channels(model, node, err));
	if (kind == MREN_ONNX_BINARY_MOD)
		MREN_TRY(mren_onnx_node_int(node, "fmod", &fmod_mode, err));
	if ((is_float &&
		 (kind >= MREN_ONNX_BINARY_AND || (kind == MREN_ONNX_BINARY_MOD && fmod_mode == 0))) ||
		(!is_float &&
		 (kind == MREN_ONNX_BINARY_MEAN || kind == MREN_ONNX_BINARY_PRELU || fmod_mode != 0)))
		return mren_onnx_node_fail(node, MREN_EUNSUPPORTED, err,
								   "element type %s of input \"%s\" is not supported",
								   mren_onnx_type_name(type), node->inputs[0]->name);
	for (size_t i = 1; i < node->n_inputs; i++)
	{
		/* Pow of a float may have a constant integer exponent. */
		if (kind == MREN_ONNX_BINARY_POW && is_float &&
			mren_onnx_type_is_int(node->inputs[i]->type) && node->inputs[i]->constant != NULL)
			MREN_TRY(exponent_as_float(model, node, err));
		if (mren_onnx_type_is_float(node->inputs[i]->type) != is_float)
			return mren_onnx_node_fail(
				node, MREN_EUNSUPPORTED, err, "element types %s and %s together are not supported",
				mren_onnx_type_name(type), mren_onnx_type_name(node->inputs[i]->type));
		if ((node->op->rules & MREN_ONNX_EQUAL_SHAPES) &&
			!mren_onnx_shape_equal(&node->inputs[i]->shape, &shape))
			return mren_onnx_node_fail(node, MREN_EUNSUPPORTED, err,
									   "broadcasting is not supported before opset %d",
									   node->op->until + 1);
		MREN_TRY(mren_onnx_broadcast_shape(node, &node->inputs[i]->shape, &shape, err));
	}
	if (kind == MREN_ONNX_BINARY_PRELU && !mren_onnx_shape_equal(&shape, &node->inputs[0]->shape))
		return mren_onnx_node_fail(node, MREN_EDATA, err, "the slope is larger than the input");
	return mren_onnx_value_set(node, node->outputs[0],
							   kind >= MREN_ONNX_BINARY_EQUAL ? MREN_ONNX_BOOL : type, &shape, err);
}

static MrenOnnxKernel
binary_kernel(int kind, bool is_float)
{
	if (!is_float)
		return mren_onnx_binary_int_kernel;
	return kind >= MREN_ONNX_BINARY_EQUAL ? mren_onnx_compare_float_kernel
										  : mren_onnx_binary_float_kernel;
}

/*
 * out = a op b, where a may be out itself.  Places are determined first, since
 * that may emit conversions.
 */
static MrenStatus
emit_pair(MrenOnnxPlan *plan, MrenOnnxNode *node, MrenOnnxValue *a, MrenOnnxValue *b, bool last,
		  MrenError *err)
{
	MrenOnnxValue *out = node->outputs[0];
	MrenOnnxValue *values[2] = {a, b};
	MrenOnnxPlace places[2];
	MrenOnnxBinaryParams *params;
	MrenOnnxStepSpec spec;
	MrenOnnxStep *step;
	MrenOnnxKernel kernel = binary_kernel(node->op->kind, mren_onnx_type_is_float(a->type));

	MREN_TRY(mren_onnx_pool_get(plan->pool, 1, sizeof(*params), &params, err));
	params->kind = node->op->kind;
	params->type = out->type;
	params->factor = last ? 1.0f / (float) node->n_inputs : 1.0f;
	if (last)
		params->activation = node->activation;
	MREN_TRY(mren_onnx_broadcast_plan(plan, values, 2, out, &params->broadcast, places, err));
	spec = (MrenOnnxStepSpec){kernel, params, places, 2, out, params->broadcast.layout};
	if (a == out)
		MREN_TRY(mren_onnx_plan_step_more(plan, &spec, &step, err));
	else
		MREN_TRY(mren_onnx_plan_step(plan, &spec, &step, err));
	mren_onnx_broadcast_units(&params->broadcast, step);
	step->in_place =
		a->n == out->n && mren_onnx_type_is_float(a->type) == mren_onnx_type_is_float(out->type);
	return MREN_OK;
}

MrenStatus
mren_onnx_emit_binary(MrenOnnxPlan *plan, MrenOnnxNode *node, MrenError *err)
{
	if (node->n_inputs == 1)
	{
		MrenOnnxLayout layout = mren_onnx_plan_layout(node->inputs[0]);
		MrenOnnxPlace place;

		MREN_TRY(mren_onnx_layout_place(plan, node->inputs[0], layout, &place, err));
		mren_onnx_plan_alias(node->outputs[0], &place, layout);
		return MREN_OK;
	}
	MREN_TRY(emit_pair(plan, node, node->inputs[0], node->inputs[1], node->n_inputs == 2, err));
	for (size_t i = 2; i < node->n_inputs; i++)
		MREN_TRY(
			emit_pair(plan, node, node->outputs[0], node->inputs[i], i + 1 == node->n_inputs, err));
	return MREN_OK;
}

MrenStatus
mren_onnx_infer_where(MrenOnnxModel *model, MrenOnnxNode *node, MrenError *err)
{
	MrenOnnxShape shape = node->inputs[0]->shape;
	MrenOnnxType type = node->inputs[1]->type;

	(void) model;
	if (!mren_onnx_type_is_int(node->inputs[0]->type) ||
		mren_onnx_type_is_float(type) != mren_onnx_type_is_float(node->inputs[2]->type))
		return mren_onnx_node_fail(
			node, MREN_EUNSUPPORTED, err, "element types %s, %s and %s together are not supported",
			mren_onnx_type_name(node->inputs[0]->type), mren_onnx_type_name(type),
			mren_onnx_type_name(node->inputs[2]->type));
	MREN_TRY(mren_onnx_broadcast_shape(node, &node->inputs[1]->shape, &shape, err));
	MREN_TRY(mren_onnx_broadcast_shape(node, &node->inputs[2]->shape, &shape, err));
	return mren_onnx_value_set(node, node->outputs[0], type, &shape, err);
}

static MrenStatus
where_kernel(const MrenOnnxStep *step, const MrenOnnxFrame *frame, size_t begin, size_t end,
			 MrenError *err)
{
	const MrenOnnxBinaryParams *params = step->params;
	const MrenOnnxBroadcast *broadcast = &params->broadcast;
	const int64_t *condition = mren_onnx_operand(frame, &step->in[0]);
	const char *x = mren_onnx_operand(frame, &step->in[1]);
	const char *z = mren_onnx_operand(frame, &step->in[2]);
	char *y = mren_onnx_operand(frame, &step->out);
	size_t size = mren_onnx_type_size(params->type);
	int last = broadcast->rank - 1;

	(void) err;
	for (size_t unit = begin; unit < end; unit++)
	{
		MrenOnnxChunk chunk;

		mren_onnx_broadcast_chunk(broadcast, 3, unit, &chunk);
		for (size_t i = 0; i < chunk.n; i++)
		{
			int64_t at[MREN_ONNX_OPERANDS_MAX];

			for (int k = 0; k < 3; k++)
				at[k] = chunk.offsets[k] + (int64_t) i * broadcast->strides[k][last];
			memcpy(y + (chunk.out + i) * size,
				   condition[at[0]] != 0 ? x + at[1] * (int64_t) size : z + at[2] * (int64_t) size,
				   size);
		}
	}
	return MREN_OK;
}

MrenStatus
mren_onnx_emit_where(MrenOnnxPlan *plan, MrenOnnxNode *node, MrenError *err)
{
	MrenOnnxPlace places[3];
	MrenOnnxBinaryParams *params;
	MrenOnnxStep *step;

	MREN_TRY(mren_onnx_pool_get(plan->pool, 1, sizeof(*params), &params, err));
	params->type = node->outputs[0]->type;
	MREN_TRY(mren_onnx_broadcast_plan(plan, node->inputs, 3, node->outputs[0], &params->broadcast,
									  places, err));
	MREN_TRY(mren_onnx_plan_step(plan,
								 &(MrenOnnxStepSpec){where_kernel, params, places, 3,
													 node->outputs[0], params->broadcast.layout},
								 &step, err));
	mren_onnx_broadcast_units(&params->broadcast, step);
	return MREN_OK;
}
