/*
 * plan.c
 *	  Appending steps to a plan, and the places of what they read and write.
 */
#include "onnx/model/plan.h"

#include <string.h>

#include "base/size.h"

/* A band's cost, so that a step of a run stays within a few milliseconds. */
#define BAND_COST ((size_t) 64 << 20)

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

int
mren_onnx_layout_dim(MrenOnnxLayout layout, int rank, int k)
{
	if (layout == MREN_ONNX_PLAIN || k == 0)
		return k;
	return k == rank - 1 ? 1 : k + 1;
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

/* Integers may be indexes, which a file that others could damage must not hold. */
static MrenStatus
copy_constant(MrenOnnxPlan *plan, const MrenOnnxTensor *tensor, void **copy, MrenError *err)
{
	bool filled = false;

	if (tensor->floats == NULL)
	{
		MREN_TRY(mren_onnx_pool_block(plan->pool, tensor->n, sizeof(int64_t), copy, err));
		memcpy(*copy, tensor->ints, tensor->n * sizeof(int64_t));
		return MREN_OK;
	}
	MREN_TRY(mren_onnx_pool_weights(plan->pool, tensor->n, sizeof(float), copy, &filled, err));
	if (!filled)
		memcpy(*copy, tensor->floats, tensor->n * sizeof(float));
	return MREN_OK;
}

MrenStatus
mren_onnx_plan_place_constant(MrenOnnxPlan *plan, MrenOnnxValue *value, MrenError *err)
{
	const MrenOnnxTensor *tensor = value->constant;
	void *data = tensor->floats != NULL ? (void *) tensor->floats : (void *) tensor->ints;

	if (!plan->folding)
		MREN_TRY(copy_constant(plan, tensor, &data, err));
	value->place.buffer = -1;
	value->place.offset = 0;
	value->place.data = data;
	value->place.layout = MREN_ONNX_PLAIN;
	value->place.pitch = 0;
	value->place.set = true;
	return MREN_OK;
}

MrenStatus
mren_onnx_plan_place(MrenOnnxPlan *plan, MrenOnnxValue *value, MrenOnnxLayout layout,
					 MrenError *err)
{
	MrenOnnxPlace *place = &value->place;

	MREN_TRY(new_buffer(plan, value->n, mren_onnx_type_size(value->type), &place->buffer, err));
	place->offset = 0;
	place->data = NULL;
	place->layout = layout;
	place->pitch = layout == MREN_ONNX_CHANNELS_LAST ? value->shape.dims[1] : 0;
	place->set = true;
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
mren_onnx_plan_step_more(MrenOnnxPlan *plan, const MrenOnnxStepSpec *spec, MrenOnnxStep **out,
						 MrenError *err)
{
	MrenOnnxStep *step;

	MREN_TRY(mren_check_interrupts(plan->pool->env, err));
	MREN_TRY(mren_onnx_pool_get(plan->pool, 1, sizeof(MrenOnnxStep), &step, err));
	MREN_TRY(mren_onnx_pool_get(plan->pool, spec->n_in, sizeof(MrenOnnxOperand), &step->in, err));
	step->kernel = spec->kernel;
	step->params = spec->params;
	step->n_in = spec->n_in;
	step->n_units = 1;
	for (size_t i = 0; i < spec->n_in; i++)
		set_operand(plan, &step->in[i], &spec->in[i]);
	set_operand(plan, &step->out, &spec->out->place);
	MREN_TRY(append_step(plan, step, err));
	*out = step;
	return MREN_OK;
}

MrenStatus
mren_onnx_plan_step(MrenOnnxPlan *plan, const MrenOnnxStepSpec *spec, MrenOnnxStep **step,
					MrenError *err)
{
	MrenOnnxValue *out = spec->out;

	if (out->slot_of != NULL && !plan->folding)
	{
		MrenOnnxValue *whole = out->slot_of;

		if (!whole->place.set)
			MREN_TRY(mren_onnx_plan_place(plan, whole, MREN_ONNX_CHANNELS_LAST, err));
		out->place = whole->place;
		out->place.offset += out->slot * sizeof(float);
	}
	else
		MREN_TRY(mren_onnx_plan_place(plan, out, spec->layout, err));
	return mren_onnx_plan_step_more(plan, spec, step, err);
}

void
mren_onnx_plan_alias(MrenOnnxValue *out, const MrenOnnxPlace *place, MrenOnnxLayout layout)
{
	out->place = *place;
	out->place.layout = layout;
	out->place.pitch = layout == MREN_ONNX_CHANNELS_LAST ? out->shape.dims[1] : 0;
}

size_t
mren_onnx_step_band(const MrenOnnxStep *step)
{
	size_t band = BAND_COST / (step->unit_cost > 0 ? step->unit_cost : 1);

	return band > 0 ? band : 1;
}
