/*
 * emit.c
 *	  A plan's steps: all that live nodes emit, and running them at once.
 */
#include "onnx/compile.h"
#include "onnx/kernels/place.h"

static MrenStatus
place_inputs(MrenOnnxPlan *plan, MrenError *err)
{
	MrenOnnxModel *model = plan->model;

	for (size_t i = 0; i < model->n_inputs; i++)
	{
		MrenOnnxValue *value = model->inputs[i];

		/* The layout of an input is chosen by whoever plans it. */
		if (value->constant == NULL)
			MREN_TRY(mren_onnx_plan_place(plan, value, value->place.layout, err));
	}
	return MREN_OK;
}

static bool
is_folded(const MrenOnnxNode *node)
{
	for (size_t k = 0; k < node->n_outputs; k++)
	{
		if (node->outputs[k] != NULL && node->outputs[k]->constant == NULL)
			return false;
	}
	return true;
}

MrenStatus
mren_onnx_plan_emit(MrenOnnxPlan *plan, MrenOnnxValue *const *targets, size_t n, MrenError *err)
{
	MrenOnnxModel *model = plan->model;

	MREN_TRY(place_inputs(plan, err));
	for (size_t i = 0; i < model->n_nodes; i++)
	{
		MrenOnnxNode *node = model->nodes[i];

		if (node->live && !is_folded(node))
			MREN_TRY(node->op->emit(plan, node, err));
	}
	for (size_t i = 0; i < n; i++)
	{
		MrenOnnxPlace place;

		MREN_TRY(mren_onnx_layout_place(plan, targets[i], MREN_ONNX_PLAIN, &place, err));
		if (targets[i]->place.layout != MREN_ONNX_PLAIN)
			targets[i]->place = place;
		/* past the last step: nothing may take its bytes */
		if (place.buffer >= 0)
			plan->buffers[place.buffer].last = SIZE_MAX;
	}
	return MREN_OK;
}

MrenStatus
mren_onnx_plan_run(const MrenOnnxPlan *plan, const MrenOnnxFrame *frame, MrenError *err)
{
	for (size_t i = 0; i < plan->n_steps; i++)
	{
		const MrenOnnxStep *step = plan->steps[i];
		size_t band = mren_onnx_step_band(step);

		for (size_t unit = 0; unit < step->n_units; unit += band)
		{
			size_t left = step->n_units - unit;

			MREN_TRY(mren_check_interrupts(plan->pool->env, err));
			MREN_TRY(step->kernel(step, frame, unit, unit + (left < band ? left : band), err));
		}
	}
	return MREN_OK;
}
