/*
 * infer.c
 *	  The pass over live nodes: operator, shapes, and constants computed once.
 *
 * A node all of whose inputs are constants runs here, through the same steps
 * and kernels that would run it later, and its outputs become constants.
 */
#include <stdio.h>
#include <string.h>

#include "onnx/compile.h"
#include "onnx/kernels/place.h"
#include "onnx/model/node.h"
#include "onnx/ops/ops.h"

/* Of definitions before opset 7; a later file that has them does not say what it means. */
static const char *const old_attributes[] = {"broadcast", "consumed_inputs"};

static MrenStatus
check_attributes(const MrenOnnxNode *node, MrenError *err)
{
	int64_t is_test = 0;

	for (size_t i = 0; i < node->proto->n_attribute; i++)
	{
		const char *name = node->proto->attribute[i]->name;

		if (name == NULL)
			return mren_onnx_node_fail(node, MREN_EFORMAT, err, "an attribute lacks its name");
		MREN_TRY(mren_onnx_read_name(name, "an attribute", err));
		for (size_t k = 0; k < sizeof(old_attributes) / sizeof(old_attributes[0]); k++)
		{
			if (strcmp(name, old_attributes[k]) == 0)
				return mren_onnx_node_fail(node, MREN_EUNSUPPORTED, err,
										   "attribute \"%s\" is not supported", name);
		}
	}
	if (node->op->rules & MREN_ONNX_TEST_MODE)
	{
		MREN_TRY(mren_onnx_node_int(node, "is_test", &is_test, err));
		if (is_test == 0)
			return mren_onnx_node_fail(node, MREN_EUNSUPPORTED, err,
									   "training mode is not supported, and attribute \"is_test\" "
									   "does not turn it off");
	}
	return MREN_OK;
}

static MrenStatus
find_op(MrenOnnxNode *node, MrenError *err)
{
	const char *domain = node->proto->domain;
	int since;
	int until;

	if (domain != NULL && domain[0] != '\0' && strcmp(domain, "ai.onnx") != 0)
		return mren_onnx_node_fail(node, MREN_EUNSUPPORTED, err,
								   "operators of domain \"%.60s\" are not supported", domain);
	node->op = mren_onnx_op_find(node->proto->op_type, node->model->opset);
	if (node->op == NULL && mren_onnx_op_opsets(node->proto->op_type, &since, &until))
		return mren_onnx_node_fail(node, MREN_EUNSUPPORTED, err,
								   "operator is supported only in opsets %d to %d", since, until);
	if (node->op == NULL)
		return mren_onnx_node_fail(node, MREN_EUNSUPPORTED, err, "operator is not supported");
	return check_attributes(node, err);
}

static MrenStatus
check_borders(const MrenOnnxNode *node, MrenError *err)
{
	const MrenOnnxOp *op = node->op;

	if (node->n_inputs < (size_t) op->min_inputs ||
		(op->max_inputs >= 0 && node->n_inputs > (size_t) op->max_inputs))
		return mren_onnx_node_fail(node, MREN_EFORMAT, err, "it cannot have %zu inputs",
								   node->n_inputs);
	for (size_t i = 0; i < node->n_inputs; i++)
	{
		const MrenOnnxValue *value = node->inputs[i];

		if (value == NULL)
		{
			if (i < (size_t) op->min_inputs || op->max_inputs < 0)
				return mren_onnx_node_fail(node, MREN_EFORMAT, err, "input %zu is missing", i);
			continue;
		}
		if (!value->known)
			return mren_onnx_node_fail(node, MREN_EFORMAT, err,
									   value->is_input ? "input \"%s\" has no shape"
													   : "input \"%s\" is not computed by any node",
									   value->name);
		if (!mren_onnx_type_is_float(value->type) && !mren_onnx_type_is_int(value->type))
			return mren_onnx_node_fail(node, MREN_EUNSUPPORTED, err,
									   "element type %s of input \"%s\" is not supported",
									   mren_onnx_type_name(value->type), value->name);
	}
	if (node->n_outputs == 0 || (node->n_outputs == 1 && node->outputs[0] == NULL))
		return mren_onnx_node_fail(node, MREN_EFORMAT, err, "it has no output");
	for (size_t i = 0; i < node->n_outputs; i++)
	{
		if (op->max_outputs >= 0 && i >= (size_t) op->max_outputs && node->outputs[i] != NULL &&
			node->outputs[i]->n_uses > 0)
			return mren_onnx_node_fail(node, MREN_EUNSUPPORTED, err, "output %zu is not supported",
									   i);
	}
	return MREN_OK;
}

static bool
is_foldable(const MrenOnnxNode *node)
{
	if (node->n_inputs == 0)
		return false;
	for (size_t i = 0; i < node->n_inputs; i++)
	{
		if (node->inputs[i] != NULL && node->inputs[i]->constant == NULL)
			return false;
	}
	for (size_t i = 0; i < node->n_outputs; i++)
	{
		if (node->outputs[i] != NULL && node->outputs[i]->constant != NULL)
			return false;
	}
	return true;
}

/* Takes back the places that a plan gave to a node's values. */
static void
forget_places(MrenOnnxNode *node)
{
	for (size_t i = 0; i < node->n_inputs; i++)
	{
		if (node->inputs[i] != NULL)
		{
			node->inputs[i]->place.set = false;
			node->inputs[i]->other.set = false;
		}
	}
	for (size_t i = 0; i < node->n_outputs; i++)
	{
		if (node->outputs[i] != NULL)
		{
			node->outputs[i]->place.set = false;
			node->outputs[i]->other.set = false;
		}
	}
}

static MrenStatus
keep_result(MrenOnnxPlan *plan, const MrenOnnxFrame *frame, MrenOnnxValue *value, MrenError *err)
{
	MrenOnnxTensor *tensor;
	const char *data = value->place.data;

	MREN_TRY(mren_onnx_model_tensor(plan->model, value->type, &value->shape, &tensor, err));
	if (data == NULL)
		data = frame->arena + plan->buffers[value->place.buffer].offset + value->place.offset;
	if (tensor->floats != NULL)
		memcpy(tensor->floats, data, tensor->n * sizeof(float));
	else
		memcpy(tensor->ints, data, tensor->n * sizeof(int64_t));
	value->constant = tensor;
	return MREN_OK;
}

static MrenStatus
fold_in(MrenOnnxPlan *plan, MrenOnnxNode *node, MrenError *err)
{
	MrenOnnxFrame frame;

	MREN_TRY(node->op->emit(plan, node, err));
	for (size_t i = 0; i < node->n_outputs; i++)
	{
		MrenOnnxPlace place;

		if (node->outputs[i] == NULL || !node->outputs[i]->place.set)
			continue;
		MREN_TRY(mren_onnx_layout_place(plan, node->outputs[i], MREN_ONNX_PLAIN, &place, err));
		node->outputs[i]->place = place;
		if (place.buffer >= 0)
			plan->buffers[place.buffer].last = SIZE_MAX;
	}
	MREN_TRY(mren_onnx_plan_arena(plan, err));
	MREN_TRY(mren_onnx_pool_block(plan->pool, plan->arena_bytes, 1, &frame.arena, err));
	MREN_TRY(mren_onnx_pool_block(plan->pool, plan->scratch_bytes, 1, &frame.scratch, err));
	MREN_TRY(mren_onnx_plan_run(plan, &frame, err));
	for (size_t i = 0; i < node->n_outputs; i++)
	{
		if (node->outputs[i] != NULL && node->outputs[i]->place.set)
			MREN_TRY(keep_result(plan, &frame, node->outputs[i], err));
	}
	return MREN_OK;
}

static MrenStatus
fold(MrenOnnxModel *model, MrenOnnxNode *node, MrenError *err)
{
	MrenOnnxPool pool;
	MrenOnnxPlan plan = {0};
	MrenStatus status;

	mren_onnx_pool_init(&pool, model->pool->env, model->pool->budget);
	plan.model = model;
	plan.pool = &pool;
	plan.folding = true;
	status = fold_in(&plan, node, err);
	forget_places(node);
	mren_onnx_pool_release(model->pool, plan.buffers);
	mren_onnx_pool_free(&pool);
	return status;
}

MrenStatus
mren_onnx_model_infer(MrenOnnxModel *model, MrenError *err)
{
	if (model->opset < 1)
		return mren_fail(err, MREN_EUNSUPPORTED, "ONNX operator set must be at least 1, not %lld",
						 (long long) model->opset);
	for (size_t i = 0; i < model->n_nodes; i++)
	{
		MrenOnnxNode *node = model->nodes[i];

		if (!node->live || node->op != NULL)
			continue;
		MREN_TRY(mren_check_interrupts(model->pool->env, err));
		MREN_TRY(find_op(node, err));
		MREN_TRY(check_borders(node, err));
		MREN_TRY(node->op->infer(model, node, err));
		if (is_foldable(node))
			MREN_TRY(fold(model, node, err));
	}
	return MREN_OK;
}
