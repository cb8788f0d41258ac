/*
 * place.c
 *	  From one layout to the other.
 */
#include "onnx/kernels/place.h"

#include "onnx/kernels/copy.h"

/* The constant that the plan's last step copies: copied now, and the step is taken back. */
static MrenStatus
copy_now(MrenOnnxPlan *plan, const MrenOnnxValue *value, MrenOnnxPlace *place, MrenError *err)
{
	const MrenOnnxFrame frame = {NULL, NULL};
	MrenOnnxStep *step = plan->steps[--plan->n_steps];
	bool filled = false;

	plan->n_buffers--;
	place->buffer = -1;
	if (mren_onnx_type_is_float(value->type))
		MREN_TRY(mren_onnx_pool_weights(plan->pool, value->n, sizeof(float), &place->data, &filled,
										err));
	else
		MREN_TRY(mren_onnx_pool_block(plan->pool, value->n, sizeof(int64_t), &place->data, err));
	if (filled)
		return MREN_OK;
	step->out.data = place->data;
	return step->kernel(step, &frame, 0, step->n_units, err);
}

static MrenStatus
convert(MrenOnnxPlan *plan, MrenOnnxValue *value, MrenOnnxLayout layout, MrenOnnxPlace *place,
		MrenError *err)
{
	int64_t strides[MREN_ONNX_MAX_RANK];
	const int64_t *maps[MREN_ONNX_MAX_RANK];
	MrenOnnxValue *out;

	MREN_TRY(mren_onnx_model_new_value(plan->model, value->name, &out, err));
	out->type = value->type;
	out->shape = value->shape;
	out->n = value->n;
	mren_onnx_layout_strides(&value->shape, value->place.layout, strides);
	for (int d = 0; d < value->shape.rank; d++)
		MREN_TRY(mren_onnx_copy_linear(plan, value->shape.dims[d], strides[d], &maps[d], err));
	MREN_TRY(mren_onnx_copy_emit(plan, &value->place, maps, NULL, out, layout, err));
	*place = out->place;
	return value->place.buffer < 0 ? copy_now(plan, value, place, err) : MREN_OK;
}

MrenStatus
mren_onnx_layout_place(MrenOnnxPlan *plan, MrenOnnxValue *value, MrenOnnxLayout layout,
					   MrenOnnxPlace *place, MrenError *err)
{
	if (!value->place.set)
	{
		if (value->constant == NULL)
			return mren_fail(err, MREN_EFORMAT,
							 "tensor \"%s\" is read, but is not computed by any node", value->name);
		MREN_TRY(mren_onnx_plan_place_constant(plan, value, err));
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
			MREN_TRY(convert(plan, value, layout, &value->other, err));
	}
	*place = value->place.layout == layout ? value->place : value->other;
	return MREN_OK;
}
