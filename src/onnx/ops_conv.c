/*
 * ops_conv.c
 *	  The operator Conv: its geometry, and the choice of a kernel.
 */
#include <string.h>

#include "onnx/conv.h"
#include "onnx/node.h"
#include "onnx/ops.h"

static MrenStatus
check_weights(const MrenNode *node, MrenConvShape *shape, MrenError *err)
{
	const MrenValue *x = node->inputs[0];
	const MrenValue *w = node->inputs[1];
	const MrenValue *bias = mren_node_input(node, 2);
	const MrenTensor *constant;
	int64_t groups = 1;

	MREN_TRY(mren_node_int(node, "group", &groups, err));
	MREN_TRY(mren_node_constant(node, 1, &constant, err));
	MREN_TRY(mren_node_constant(node, 2, &constant, err));
	if (w->shape.rank != x->shape.rank || w->shape.rank < 3 || groups < 1 ||
		(uint64_t) groups > w->shape.dims[0] || w->shape.dims[0] % (size_t) groups != 0 ||
		w->shape.dims[1] * (size_t) groups != x->shape.dims[1] || w->n == 0)
	{
		char input[128];
		char weights[128];

		return mren_node_fail(node, MREN_EDATA, err,
							  "weights of shape %s in %lld groups do not fit an input of shape %s",
							  mren_shape_text(&w->shape, weights, sizeof(weights)),
							  (long long) groups, mren_shape_text(&x->shape, input, sizeof(input)));
	}
	if (bias != NULL && (bias->n != w->shape.dims[0] || !mren_type_is_float(bias->type)))
		return mren_node_fail(node, MREN_EDATA, err, "%zu biases for %zu filters", bias->n,
							  w->shape.dims[0]);
	shape->batch = x->shape.dims[0];
	shape->channels = x->shape.dims[1];
	shape->filters = w->shape.dims[0];
	shape->groups = (size_t) groups;
	return MREN_OK;
}

MrenStatus
mren_infer_conv(MrenModel *model, MrenNode *node, MrenError *err)
{
	MrenShape out = node->inputs[0]->shape;
	MrenConvShape *shape;

	MREN_TRY(mren_node_need_float(node, 0, err));
	MREN_TRY(mren_node_need_float(node, 1, err));
	MREN_TRY(mren_pool_get(model->pool, 1, sizeof(*shape), &shape, err));
	MREN_TRY(check_weights(node, shape, err));
	MREN_TRY(
		mren_window_infer(node, node->inputs[1]->shape.dims + 2, false, &shape->window, &out, err));
	out.dims[1] = shape->filters;
	node->data = shape;
	return mren_value_set(node, node->outputs[0], node->inputs[0]->type, &out, err);
}

MrenStatus
mren_conv_choose(MrenPlan *plan, MrenConv *conv, const float *w, const float *scale,
				 MrenConvChoice *choice, MrenError *err)
{
	conv->simd = mren_simd_find(plan->cpu);
	if (conv->simd != NULL && mren_conv_simd_depthwise(conv))
		return mren_conv_simd_depthwise_pack(plan, conv, w, scale, choice, err);
	if (conv->simd != NULL && conv->shape.groups == 1)
		return mren_conv_simd_pack(plan, conv, w, scale, choice, err);
	if (mren_conv_is_depthwise(&conv->shape))
		return mren_conv_depthwise_pack(plan, conv, w, scale, choice, err);
	return mren_conv_gemm_pack(plan, conv, w, scale, choice, err);
}

/* bias * scale + shift */
static MrenStatus
fold_bias(MrenPlan *plan, const MrenNode *node, MrenConv *conv, MrenError *err)
{
	const MrenValue *given = mren_node_input(node, 2);
	float *bias;

	MREN_TRY(mren_pool_block(plan->pool, conv->shape.filters, sizeof(float), &bias, err));
	for (size_t m = 0; m < conv->shape.filters; m++)
	{
		bias[m] = given != NULL ? given->constant->floats[m] : 0.0f;
		if (node->scale != NULL)
			bias[m] *= node->scale[m];
		if (node->shift != NULL)
			bias[m] += node->shift[m];
	}
	conv->bias = bias;
	return MREN_OK;
}

MrenStatus
mren_emit_conv(MrenPlan *plan, MrenNode *node, MrenError *err)
{
	MrenConv *conv;
	MrenConvChoice choice = {0};
	MrenPlace places[2];
	MrenStep *step;
	size_t n_in = 1;

	MREN_TRY(mren_pool_get(plan->pool, 1, sizeof(*conv), &conv, err));
	conv->shape = *(MrenConvShape *) node->data;
	conv->activation = node->activation;
	conv->has_residual = node->residual != NULL;
	MREN_TRY(fold_bias(plan, node, conv, err));
	MREN_TRY(
		mren_conv_choose(plan, conv, node->inputs[1]->constant->floats, node->scale, &choice, err));
	MREN_TRY(mren_plan_want(plan, node->inputs[0], MREN_CHANNELS_LAST, &places[0], err));
	if (conv->has_residual)
		MREN_TRY(mren_plan_want(plan, node->residual, MREN_CHANNELS_LAST, &places[n_in++], err));
	MREN_TRY(mren_plan_step(plan, node, choice.kernel, conv, places, n_in, node->outputs[0],
							MREN_CHANNELS_LAST, &step, err));
	step->n_units = choice.n_units;
	step->unit_cost = choice.unit_cost;
	step->scratch = choice.scratch;
	return MREN_OK;
}
