/*
 * ops_conv.c
 *	  The operator Conv: its geometry, and the choice of a kernel.
 */
#include <string.h>

#include "onnx/kernels/conv.h"
#include "onnx/kernels/place.h"
#include "onnx/model/node.h"
#include "onnx/ops/ops.h"

static MrenStatus
check_weights(const MrenOnnxNode *node, MrenOnnxConvShape *shape, MrenError *err)
{
	const MrenOnnxValue *x = node->inputs[0];
	const MrenOnnxValue *w = node->inputs[1];
	const MrenOnnxValue *bias = mren_onnx_node_input(node, 2);
	const MrenOnnxTensor *constant;
	int64_t groups = 1;

	MREN_TRY(mren_onnx_node_int(node, "group", &groups, err));
	MREN_TRY(mren_onnx_node_constant(node, 1, &constant, err));
	MREN_TRY(mren_onnx_node_constant(node, 2, &constant, err));
	if (w->shape.rank != x->shape.rank || w->shape.rank < 3 || groups < 1 ||
		(uint64_t) groups > w->shape.dims[0] || w->shape.dims[0] % (size_t) groups != 0 ||
		w->shape.dims[1] * (size_t) groups != x->shape.dims[1] || w->n == 0)
	{
		char input[128];
		char weights[128];

		return mren_onnx_node_fail(
			node, MREN_EDATA, err,
			"weights of shape %s in %lld groups do not fit an input of shape %s",
			mren_onnx_shape_text(&w->shape, weights, sizeof(weights)), (long long) groups,
			mren_onnx_shape_text(&x->shape, input, sizeof(input)));
	}
	if (bias != NULL && (bias->n != w->shape.dims[0] || !mren_onnx_type_is_float(bias->type)))
		return mren_onnx_node_fail(node, MREN_EDATA, err, "%zu biases do not go with %zu filters",
								   bias->n, w->shape.dims[0]);
	shape->batch = x->shape.dims[0];
	shape->channels = x->shape.dims[1];
	shape->filters = w->shape.dims[0];
	shape->groups = (size_t) groups;
	return MREN_OK;
}

MrenStatus
mren_onnx_infer_conv(MrenOnnxModel *model, MrenOnnxNode *node, MrenError *err)
{
	MrenOnnxShape out = node->inputs[0]->shape;
	MrenOnnxConvShape *shape;

	MREN_TRY(mren_onnx_node_need_float(node, 0, err));
	MREN_TRY(mren_onnx_node_need_float(node, 1, err));
	MREN_TRY(mren_onnx_pool_get(model->pool, 1, sizeof(*shape), &shape, err));
	MREN_TRY(check_weights(node, shape, err));
	MREN_TRY(mren_onnx_window_infer(node, node->inputs[1]->shape.dims + 2, false, &shape->window,
									&out, err));
	out.dims[1] = shape->filters;
	node->data = shape;
	return mren_onnx_value_set(node, node->outputs[0], node->inputs[0]->type, &out, err);
}

/* Picks the kernel and packs the weights for it. */
static MrenStatus
choose_kernel(MrenOnnxPlan *plan, MrenOnnxConv *conv, const float *w, const float *scale,
			  MrenOnnxConvChoice *choice, MrenError *err)
{
	conv->simd = mren_onnx_simd_find(plan->cpu);
	if (conv->simd != NULL && mren_onnx_conv_simd_depthwise(conv))
		return mren_onnx_conv_simd_depthwise_pack(plan, conv, w, scale, choice, err);
	if (conv->simd != NULL && mren_onnx_conv_is_winograd(conv))
		return mren_onnx_conv_winograd_pack(plan, conv, w, scale, choice, err);
	if (conv->simd != NULL && conv->shape.groups == 1)
		return mren_onnx_conv_simd_pack(plan, conv, w, scale, choice, err);
	if (mren_onnx_conv_is_depthwise(&conv->shape))
		return mren_onnx_conv_depthwise_pack(plan, conv, w, scale, choice, err);
	return mren_onnx_conv_gemm_pack(plan, conv, w, scale, choice, err);
}

/* bias * scale + shift */
static MrenStatus
fold_bias(MrenOnnxPlan *plan, const MrenOnnxNode *node, MrenOnnxConv *conv, MrenError *err)
{
	const MrenOnnxValue *given = mren_onnx_node_input(node, 2);
	float *bias;

	MREN_TRY(mren_onnx_pool_block(plan->pool, conv->shape.filters, sizeof(float), &bias, err));
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
mren_onnx_emit_conv(MrenOnnxPlan *plan, MrenOnnxNode *node, MrenError *err)
{
	MrenOnnxConv *conv;
	MrenOnnxConvChoice choice = {0};
	MrenOnnxPlace places[2];
	MrenOnnxStep *step;
	size_t n_in = 1;

	MREN_TRY(mren_onnx_pool_get(plan->pool, 1, sizeof(*conv), &conv, err));
	conv->shape = *(MrenOnnxConvShape *) node->data;
	conv->activation = node->activation;
	conv->has_residual = node->residual != NULL;
	MREN_TRY(fold_bias(plan, node, conv, err));
	MREN_TRY(
		choose_kernel(plan, conv, node->inputs[1]->constant->floats, node->scale, &choice, err));
	MREN_TRY(
		mren_onnx_layout_place(plan, node->inputs[0], MREN_ONNX_CHANNELS_LAST, &places[0], err));
	if (conv->has_residual)
		MREN_TRY(mren_onnx_layout_place(plan, node->residual, MREN_ONNX_CHANNELS_LAST,
										&places[n_in++], err));
	MREN_TRY(mren_onnx_plan_step(plan,
								 &(MrenOnnxStepSpec){choice.kernel, conv, places, n_in,
													 node->outputs[0], MREN_ONNX_CHANNELS_LAST},
								 &step, err));
	step->n_units = choice.n_units;
	step->unit_cost = choice.unit_cost;
	step->scratch = choice.scratch;
	return MREN_OK;
}
