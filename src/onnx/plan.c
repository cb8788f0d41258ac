/*
 * plan.c
 *	  Emitting steps: places, layouts and the operands that tie them.
 */
#include "onnx/plan.h"

#include <string.h>

#include "base/size.h"
#include "onnx/node.h"
#include "onnx/ops/ops.h"

/* A band's cost, so that a step of a run stays within a few milliseconds. */
#define BAND_COST ((size_t) 64 << 20)

static size_t
element_size(const MrenOnnxValue *value)
{
	return mren_onnx_type_is_float(value->type) ? sizeof(float) : sizeof(int64_t);
}

bool
mren_onnx_layout_free(const MrenOnnxShape *shape)
{
	size_t pixels = 1;

	if (shape->rank < 3 || shape->dims[1] == 1)
		return true;
	for (int d = 2; d < shape->rank; d++)
		pixels *= shape->dims[d];
	return pixels == 1;
}

void
mren_onnx_layout_strides(const MrenOnnxShape *shape, MrenOnnxLayout layout, int64_t *strides)
{
	int64_t stride = 1;

	if (layout == MREN_ONNX_CHANNELS_LAST)
	{
		strides[1] = 1;
		stride = (int64_t) shape->dims[1];
	}
	for (int d = shape->rank - 1; d >= 0; d--)
	{
		if (layout == MREN_ONNX_CHANNELS_LAST && d == 1)
			continue;
		strides[d] = stride;
		stride *= (int64_t) shape->dims[d];
	}
}

MrenOnnxLayout
mren_onnx_plan_layout(const MrenOnnxValue *value)
{
	return value->place.set ? value->place.layout : MREN_ONNX_PLAIN;
}

static MrenStatus
new_buffer(MrenOnnxPlan *plan, size_t n, size_t size, int *buffer, MrenError *err)
{
	MrenOnnxBuffer *fresh;
	size_t bytes;

	if (plan->n_buffers == plan->buffers_capacity)
	{
		MrenOnnxBuffer *old = plan->buffers;
		size_t capacity = plan->n_buffers == 0 ? 16 : plan->n_buffers * 2;

		MREN_TRY(mren_onnx_pool_block(plan->model->pool, capacity, sizeof(MrenOnnxBuffer),
									  &plan->buffers, err));
		if (old != NULL)
			memcpy(plan->buffers, old, plan->n_buffers * sizeof(MrenOnnxBuffer));
		mren_onnx_pool_release(plan->model->pool, old);
		plan->buffers_capacity = capacity;
	}
	if (!mren_size_mul(n, size, &bytes) || !mren_size_add(bytes, MREN_ALIGNMENT - 1, &bytes))
		return mren_fail_nomem(err);
	fresh = &plan->buffers[plan->n_buffers];
	memset(fresh, 0, sizeof(*fresh));
	fresh->bytes = bytes & ~(size_t) (MREN_ALIGNMENT - 1);
	fresh->first = plan->n_steps;
	fresh->last = plan->n_steps;
	fresh->merged = -1;
	*buffer = (int) plan->n_buffers++;
	return MREN_OK;
}

/* A constant that steps read must outlive the model. */
static MrenStatus
place_constant(MrenOnnxPlan *plan, MrenOnnxValue *value, MrenError *err)
{
	const MrenOnnxTensor *tensor = value->constant;
	void *data = tensor->floats != NULL ? (void *) tensor->floats : (void *) tensor->ints;

	if (!plan->folding)
	{
		void *copy;

		MREN_TRY(mren_onnx_pool_block(plan->pool, tensor->n, element_size(value), &copy, err));
		memcpy(copy, data, tensor->n * element_size(value));
		data = copy;
	}
	value->place.buffer = -1;
	value->place.offset = 0;
	value->place.data = data;
	value->place.layout = MREN_ONNX_PLAIN;
	value->place.pitch = 0;
	value->place.set = true;
	return MREN_OK;
}

static void
set_place(MrenOnnxPlace *place, const MrenOnnxValue *value, int buffer, MrenOnnxLayout layout)
{
	place->buffer = buffer;
	place->offset = 0;
	place->data = NULL;
	place->layout = layout;
	place->pitch = layout == MREN_ONNX_CHANNELS_LAST ? value->shape.dims[1] : 0;
	place->set = true;
}

MrenStatus
mren_onnx_plan_want(MrenOnnxPlan *plan, MrenOnnxValue *value, MrenOnnxLayout layout,
					MrenOnnxPlace *place, MrenError *err)
{
	if (!value->place.set)
	{
		if (value->constant == NULL)
			return mren_fail(err, MREN_EFORMAT, "tensor \"%s\" is read but nothing computes it",
							 value->name);
		MREN_TRY(place_constant(plan, value, err));
	}
	if (value->place.layout != layout && !value->other.set)
	{
		if (mren_onnx_layout_free(&value->shape))
		{
			value->other = value->place;
			value->other.layout = layout;
			value->other.pitch = layout == MREN_ONNX_CHANNELS_LAST ? value->shape.dims[1] : 0;
		}
		else
			MREN_TRY(mren_onnx_emit_layout(plan, value, layout, &value->other, err));
	}
	*place = value->place.layout == layout ? value->place : value->other;
	return MREN_OK;
}

static MrenStatus
append_step(MrenOnnxPlan *plan, MrenOnnxStep *step, MrenError *err)
{
	if (plan->n_steps == plan->steps_capacity)
	{
		MrenOnnxStep **old = plan->steps;
		size_t capacity = plan->n_steps == 0 ? 16 : plan->n_steps * 2;

		MREN_TRY(
			mren_onnx_pool_block(plan->pool, capacity, sizeof(MrenOnnxStep *), &plan->steps, err));
		if (old != NULL)
			memcpy(plan->steps, old, plan->n_steps * sizeof(MrenOnnxStep *));
		mren_onnx_pool_release(plan->pool, old);
		plan->steps_capacity = capacity;
	}
	plan->steps[plan->n_steps++] = step;
	return MREN_OK;
}

static void
set_operand(MrenOnnxPlan *plan, MrenOnnxOperand *operand, const MrenOnnxPlace *place)
{
	operand->buffer = place->buffer;
	operand->offset = place->offset;
	operand->data = place->data;
	operand->pitch = place->pitch;
	if (place->buffer >= 0)
		plan->buffers[place->buffer].last = plan->n_steps;
}

MrenStatus
mren_onnx_plan_step_more(MrenOnnxPlan *plan, MrenOnnxNode *node, MrenOnnxKernel kernel,
						 const void *params, const MrenOnnxPlace *in, size_t n_in,
						 MrenOnnxValue *out, MrenOnnxStep **step_out, MrenError *err)
{
	MrenOnnxStep *step;

	MREN_TRY(mren_check_interrupts(plan->pool->env, err));
	MREN_TRY(mren_onnx_pool_get(plan->pool, 1, sizeof(MrenOnnxStep), &step, err));
	MREN_TRY(mren_onnx_pool_get(plan->pool, n_in, sizeof(MrenOnnxOperand), &step->in, err));
	step->kernel = kernel;
	step->params = params;
	step->n_in = n_in;
	step->n_units = 1;
	if (node != NULL && !plan->folding)
		MREN_TRY(mren_onnx_pool_text(plan->pool, node->proto->op_type, &step->label, err));
	for (size_t i = 0; i < n_in; i++)
		set_operand(plan, &step->in[i], &in[i]);
	set_operand(plan, &step->out, &out->place);
	MREN_TRY(append_step(plan, step, err));
	*step_out = step;
	return MREN_OK;
}

MrenStatus
mren_onnx_plan_step(MrenOnnxPlan *plan, MrenOnnxNode *node, MrenOnnxKernel kernel,
					const void *params, const MrenOnnxPlace *in, size_t n_in, MrenOnnxValue *out,
					MrenOnnxLayout layout, MrenOnnxStep **step, MrenError *err)
{
	int buffer;

	if (out->slot_of != NULL && !plan->folding)
	{
		MrenOnnxValue *whole = out->slot_of;

		if (!whole->place.set)
		{
			MREN_TRY(new_buffer(plan, whole->n, sizeof(float), &buffer, err));
			set_place(&whole->place, whole, buffer, MREN_ONNX_CHANNELS_LAST);
		}
		out->place = whole->place;
		out->place.offset += out->slot * sizeof(float);
	}
	else
	{
		MREN_TRY(new_buffer(plan, out->n, element_size(out), &buffer, err));
		set_place(&out->place, out, buffer, layout);
	}
	return mren_onnx_plan_step_more(plan, node, kernel, params, in, n_in, out, step, err);
}

void
mren_onnx_plan_alias(MrenOnnxPlan *plan, MrenOnnxValue *out, const MrenOnnxPlace *place,
					 MrenOnnxLayout layout)
{
	(void) plan;
	out->place = *place;
	out->place.layout = layout;
	out->place.pitch = layout == MREN_ONNX_CHANNELS_LAST ? out->shape.dims[1] : 0;
}

static MrenStatus
place_inputs(MrenOnnxPlan *plan, MrenError *err)
{
	MrenOnnxModel *model = plan->model;

	for (size_t i = 0; i < model->n_inputs; i++)
	{
		MrenOnnxValue *value = model->inputs[i];
		MrenOnnxLayout layout = value->place.layout;
		int buffer;

		if (value->constant != NULL)
			continue;
		/* The layout of an input is chosen by whoever plans it. */
		MREN_TRY(new_buffer(plan, value->n, element_size(value), &buffer, err));
		set_place(&value->place, value, buffer, layout);
	}
	return MREN_OK;
}

MrenStatus
mren_onnx_plan_emit(MrenOnnxPlan *plan, MrenOnnxValue *const *targets, size_t n, MrenError *err)
{
	MrenOnnxModel *model = plan->model;

	MREN_TRY(place_inputs(plan, err));
	for (size_t i = 0; i < model->n_nodes; i++)
	{
		MrenOnnxNode *node = model->nodes[i];
		bool folded = true;

		for (size_t k = 0; k < node->n_outputs; k++)
		{
			if (node->outputs[k] != NULL && node->outputs[k]->constant == NULL)
				folded = false;
		}
		if (node->live && !folded)
			MREN_TRY(node->op->emit(plan, node, err));
	}
	for (size_t i = 0; i < n; i++)
	{
		MrenOnnxPlace place;

		MREN_TRY(mren_onnx_plan_want(plan, targets[i], MREN_ONNX_PLAIN, &place, err));
		if (targets[i]->place.layout != MREN_ONNX_PLAIN)
			targets[i]->place = place;
		/* past the last step: nothing may take its bytes */
		if (place.buffer >= 0)
			plan->buffers[place.buffer].last = SIZE_MAX;
	}
	return MREN_OK;
}

size_t
mren_onnx_step_band(const MrenOnnxStep *step)
{
	size_t band = BAND_COST / (step->unit_cost > 0 ? step->unit_cost : 1);

	return band > 0 ? band : 1;
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
