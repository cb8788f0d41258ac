/*
 * ops_unary.c
 *	  Operators of one operand on elements, and Cast.
 */
#include <math.h>
#include <string.h>

#include "base/half.h"
#include "onnx/kernels/elementwise.h"
#include "onnx/kernels/place.h"
#include "onnx/model/node.h"
#include "onnx/ops/ops.h"

#define CHUNK_ELEMENTS ((size_t) 4096)

typedef struct MrenOnnxUnaryParams
{
	MrenOnnxActivation activation;
	int kind; /* of the operator */
	MrenOnnxType from;
	MrenOnnxType to;
	int64_t low; /* integer Clip */
	int64_t high;
	bool bounds_computed; /* of Clip: they are operands */
	size_t n;
} MrenOnnxUnaryParams;

static bool
bounds_are_computed(const MrenOnnxNode *node)
{
	for (size_t i = 1; i < node->n_inputs; i++)
	{
		if (node->inputs[i] != NULL && node->inputs[i]->constant == NULL)
			return true;
	}
	return false;
}

static MrenStatus
check_computed_bound(const MrenOnnxNode *node, size_t i, MrenError *err)
{
	const MrenOnnxValue *bound = mren_onnx_node_input(node, i);

	if (bound != NULL && (bound->n != 1 || mren_onnx_type_is_float(bound->type) !=
											   mren_onnx_type_is_float(node->inputs[0]->type)))
		return mren_onnx_node_fail(node, MREN_EDATA, err,
								   "input \"%s\" is not one number of its type", bound->name);
	return MREN_OK;
}

/* A bound of Clip, from an attribute (before opset 11) or an input. */
static MrenStatus
clip_bound(const MrenOnnxNode *node, size_t i, const char *name, MrenOnnxUnaryParams *params,
		   float *bound, int64_t *bound_int, MrenError *err)
{
	const MrenOnnxTensor *tensor;

	if (node->model->opset < 11)
		return mren_onnx_node_float(node, name, bound, err);
	MREN_TRY(mren_onnx_node_no_attribute(node, name, 11, err));
	if (params->bounds_computed)
		return check_computed_bound(node, i, err);
	MREN_TRY(mren_onnx_node_constant(node, i, &tensor, err));
	if (tensor == NULL)
		return MREN_OK;
	if (tensor->n != 1 || (tensor->floats != NULL) != mren_onnx_type_is_float(params->from))
		return mren_onnx_node_fail(node, MREN_EDATA, err,
								   "input \"%s\" is not one number of its type",
								   node->inputs[i]->name);
	if (tensor->floats != NULL)
		*bound = tensor->floats[0];
	else
		*bound_int = tensor->ints[0];
	return MREN_OK;
}

static MrenStatus
read_parameters(const MrenOnnxNode *node, MrenOnnxUnaryParams *params, MrenError *err)
{
	MrenOnnxActivation *f = &params->activation;

	f->kind = (MrenOnnxUnary) node->op->kind;
	switch (node->op->kind)
	{
		case MREN_ONNX_OP_RELU:
			*f = (MrenOnnxActivation){MREN_ONNX_UNARY_CLIP, 0, INFINITY};
			params->low = 0;
			params->high = INT64_MAX;
			return MREN_OK;
		case MREN_ONNX_OP_CLIP:
			*f = (MrenOnnxActivation){MREN_ONNX_UNARY_CLIP, -INFINITY, INFINITY};
			params->low = INT64_MIN;
			params->high = INT64_MAX;
			MREN_TRY(clip_bound(node, 1, "min", params, &f->a, &params->low, err));
			return clip_bound(node, 2, "max", params, &f->b, &params->high, err);
		case MREN_ONNX_UNARY_LEAKY:
			f->a = 0.01f;
			return mren_onnx_node_float(node, "alpha", &f->a, err);
		case MREN_ONNX_UNARY_ELU:
		case MREN_ONNX_UNARY_CELU:
		case MREN_ONNX_UNARY_THRESHOLDED:
			f->a = 1.0f;
			return mren_onnx_node_float(node, "alpha", &f->a, err);
		case MREN_ONNX_UNARY_SELU:
			f->a = 1.67326319217681884765625f;
			f->b = 1.05070102214813232421875f;
			MREN_TRY(mren_onnx_node_float(node, "alpha", &f->a, err));
			return mren_onnx_node_float(node, "gamma", &f->b, err);
		case MREN_ONNX_UNARY_SHRINK:
			f->a = 0.5f;
			MREN_TRY(mren_onnx_node_float(node, "lambd", &f->a, err));
			return mren_onnx_node_float(node, "bias", &f->b, err);
		case MREN_ONNX_UNARY_HARDSIGMOID:
			f->a = 0.2f;
			f->b = 0.5f;
			MREN_TRY(mren_onnx_node_float(node, "alpha", &f->a, err));
			return mren_onnx_node_float(node, "beta", &f->b, err);
		case MREN_ONNX_UNARY_GELU:
			if (mren_onnx_node_string_is(node, "approximate", "tanh"))
				return mren_onnx_node_fail(node, MREN_EUNSUPPORTED, err,
										   "the approximation \"tanh\" is not supported");
			return MREN_OK;
		default:
			return MREN_OK;
	}
}

static bool
is_int_op(int kind)
{
	return kind == MREN_ONNX_OP_RELU || kind == MREN_ONNX_OP_CLIP || kind == MREN_ONNX_UNARY_ABS ||
		   kind == MREN_ONNX_UNARY_NEG || kind == MREN_ONNX_UNARY_SIGN || kind == MREN_ONNX_OP_NOT;
}

MrenStatus
mren_onnx_infer_unary(MrenOnnxModel *model, MrenOnnxNode *node, MrenError *err)
{
	const MrenOnnxValue *x = node->inputs[0];
	MrenOnnxUnaryParams *params;
	bool tested = node->op->kind == MREN_ONNX_OP_ISNAN || node->op->kind == MREN_ONNX_OP_ISINF;

	if (mren_onnx_type_is_int(x->type) ? !is_int_op(node->op->kind)
									   : node->op->kind == MREN_ONNX_OP_NOT)
		return mren_onnx_node_fail(node, MREN_EUNSUPPORTED, err,
								   "element type %s of input \"%s\" is not supported",
								   mren_onnx_type_name(x->type), x->name);
	MREN_TRY(mren_onnx_pool_get(model->pool, 1, sizeof(*params), &params, err));
	params->kind = node->op->kind;
	params->from = x->type;
	params->to = tested ? MREN_ONNX_BOOL : x->type;
	params->n = x->n;
	params->bounds_computed = node->op->kind == MREN_ONNX_OP_CLIP && bounds_are_computed(node);
	MREN_TRY(read_parameters(node, params, err));
	node->data = params;
	if (mren_onnx_type_is_float(x->type) && !tested && !params->bounds_computed)
		node->activation = params->activation;
	return mren_onnx_value_set(node, node->outputs[0], params->to, &x->shape, err);
}

static void
chunk_units(MrenOnnxStep *step, size_t n)
{
	step->n_units = (n + CHUNK_ELEMENTS - 1) / CHUNK_ELEMENTS;
	step->unit_cost = 32 + (n < CHUNK_ELEMENTS ? n : CHUNK_ELEMENTS) * 64;
}

static MrenStatus
unary_float_kernel(const MrenOnnxStep *step, const MrenOnnxFrame *frame, size_t begin, size_t end,
				   MrenError *err)
{
	const MrenOnnxUnaryParams *params = step->params;
	const float *x = mren_onnx_operand(frame, &step->in[0]);
	float *y = mren_onnx_operand(frame, &step->out);
	size_t from = begin * CHUNK_ELEMENTS;
	size_t to = end * CHUNK_ELEMENTS < params->n ? end * CHUNK_ELEMENTS : params->n;

	(void) err;
	mren_onnx_activate(&params->activation, x + from, y + from, to - from);
	return MREN_OK;
}

static int64_t
unary_int(const MrenOnnxUnaryParams *params, int64_t x)
{
	switch (params->kind)
	{
		case MREN_ONNX_OP_RELU:
		case MREN_ONNX_OP_CLIP:
			x = x < params->low ? params->low : x;
			return x > params->high ? params->high : x;
		case MREN_ONNX_OP_NOT:
			return x == 0;
		case MREN_ONNX_UNARY_ABS:
			return x < 0 ? (int64_t) (0 - (uint64_t) x) : x;
		case MREN_ONNX_UNARY_NEG:
			return (int64_t) (0 - (uint64_t) x);
		default:
			return (x > 0) - (x < 0);
	}
}

/* Integers in, or tests of floats that give bool. */
static MrenStatus
unary_int_kernel(const MrenOnnxStep *step, const MrenOnnxFrame *frame, size_t begin, size_t end,
				 MrenError *err)
{
	const MrenOnnxUnaryParams *params = step->params;
	const int64_t *x = mren_onnx_operand(frame, &step->in[0]);
	const float *f = mren_onnx_operand(frame, &step->in[0]);
	int64_t *y = mren_onnx_operand(frame, &step->out);
	size_t to = end * CHUNK_ELEMENTS < params->n ? end * CHUNK_ELEMENTS : params->n;

	(void) err;
	for (size_t i = begin * CHUNK_ELEMENTS; i < to; i++)
	{
		if (params->kind == MREN_ONNX_OP_ISNAN)
			y[i] = isnan(f[i]) != 0;
		else if (params->kind == MREN_ONNX_OP_ISINF)
			y[i] =
				(f[i] == INFINITY && params->high != 0) || (f[i] == -INFINITY && params->low != 0);
		else
			y[i] = mren_onnx_type_wrap(params->to, unary_int(params, x[i]));
	}
	return MREN_OK;
}

static bool
is_contiguous(const MrenOnnxPlace *place, const MrenOnnxValue *value)
{
	return place->layout == MREN_ONNX_PLAIN || place->pitch == value->shape.dims[1];
}

/* The operands are x and the bounds that are there; a NaN stays one. */
typedef struct ClipParams
{
	MrenOnnxBroadcast broadcast;
	bool has_low;
	bool is_float;
	size_t n_operands;
} ClipParams;

static int64_t
clip_int(const int64_t *x, const int64_t *low, const int64_t *high)
{
	int64_t y = low != NULL && *x < *low ? *low : *x;

	return high != NULL && y > *high ? *high : y;
}

static float
clip_float(const float *x, const float *low, const float *high)
{
	float y = low != NULL && *x < *low ? *low : *x;

	return high != NULL && y > *high ? *high : y;
}

static MrenStatus
clip_kernel(const MrenOnnxStep *step, const MrenOnnxFrame *frame, size_t begin, size_t end,
			MrenError *err)
{
	const ClipParams *params = step->params;
	const MrenOnnxBroadcast *broadcast = &params->broadcast;
	const void *x = mren_onnx_operand(frame, &step->in[0]);
	const void *low = params->has_low ? mren_onnx_operand(frame, &step->in[1]) : NULL;
	bool has_high = params->n_operands == (params->has_low ? 3 : 2);
	const void *high =
		has_high ? mren_onnx_operand(frame, &step->in[params->n_operands - 1]) : NULL;
	void *y = mren_onnx_operand(frame, &step->out);
	int64_t stride = broadcast->strides[0][broadcast->rank - 1];

	(void) err;
	for (size_t unit = begin; unit < end; unit++)
	{
		MrenOnnxChunk chunk;

		mren_onnx_broadcast_chunk(broadcast, params->n_operands, unit, &chunk);
		for (size_t i = 0; i < chunk.n; i++)
		{
			int64_t at = chunk.offsets[0] + (int64_t) i * stride;

			if (params->is_float)
				((float *) y)[chunk.out + i] = clip_float((const float *) x + at, low, high);
			else
				((int64_t *) y)[chunk.out + i] = clip_int((const int64_t *) x + at, low, high);
		}
	}
	return MREN_OK;
}

static MrenStatus
emit_clip(MrenOnnxPlan *plan, MrenOnnxNode *node, MrenError *err)
{
	MrenOnnxValue *out = node->outputs[0];
	MrenOnnxValue *values[3];
	MrenOnnxPlace places[3];
	ClipParams *params;
	MrenOnnxStepSpec spec;
	MrenOnnxStep *step;
	size_t n = 0;

	MREN_TRY(mren_onnx_pool_get(plan->pool, 1, sizeof(*params), &params, err));
	for (size_t i = 0; i < node->n_inputs; i++)
	{
		if (node->inputs[i] != NULL)
			values[n++] = node->inputs[i];
	}
	params->has_low = mren_onnx_node_input(node, 1) != NULL;
	params->is_float = mren_onnx_type_is_float(out->type);
	params->n_operands = n;
	MREN_TRY(mren_onnx_broadcast_plan(plan, values, n, out, &params->broadcast, places, err));
	spec = (MrenOnnxStepSpec){clip_kernel, params, places, n, out, params->broadcast.layout};
	MREN_TRY(mren_onnx_plan_step(plan, &spec, &step, err));
	mren_onnx_broadcast_units(&params->broadcast, step);
	return MREN_OK;
}

MrenStatus
mren_onnx_emit_unary(MrenOnnxPlan *plan, MrenOnnxNode *node, MrenError *err)
{
	MrenOnnxUnaryParams *params;
	MrenOnnxPlace place;
	MrenOnnxStep *step;
	MrenOnnxKernel kernel = unary_int_kernel;
	MrenOnnxLayout layout = mren_onnx_plan_layout(node->inputs[0]);

	MREN_TRY(mren_onnx_pool_get(plan->pool, 1, sizeof(*params), &params, err));
	*params = *(MrenOnnxUnaryParams *) node->data;
	if (params->bounds_computed)
		return emit_clip(plan, node, err);
	if (params->kind == MREN_ONNX_OP_ISINF)
	{
		params->low = 1;
		params->high = 1;
		MREN_TRY(mren_onnx_node_int(node, "detect_negative", &params->low, err));
		MREN_TRY(mren_onnx_node_int(node, "detect_positive", &params->high, err));
	}
	if (mren_onnx_type_is_float(params->to))
	{
		kernel = unary_float_kernel;
		params->activation = node->activation;
	}
	MREN_TRY(mren_onnx_layout_place(plan, node->inputs[0], layout, &place, err));
	MREN_TRY(mren_onnx_plan_step(
		plan, &(MrenOnnxStepSpec){kernel, params, &place, 1, node->outputs[0], layout}, &step,
		err));
	chunk_units(step, params->n);
	step->in_place = kernel == unary_float_kernel && is_contiguous(&place, node->inputs[0]);
	return MREN_OK;
}

MrenStatus
mren_onnx_infer_cast(MrenOnnxModel *model, MrenOnnxNode *node, MrenError *err)
{
	const MrenOnnxValue *x = node->inputs[0];
	MrenOnnxUnaryParams *params;
	int64_t to = 0;

	if (node->n_inputs == 2)
		to = node->inputs[1]->type; /* CastLike */
	else
		MREN_TRY(mren_onnx_node_int(node, "to", &to, err));
	/* ONNX versions differ in how a float becomes a bfloat16 */
	if ((!mren_onnx_type_is_float((MrenOnnxType) to) &&
		 !mren_onnx_type_is_int((MrenOnnxType) to)) ||
		(to == MREN_ONNX_BFLOAT16 && x->type != MREN_ONNX_BFLOAT16))
		return mren_onnx_node_fail(node, MREN_EUNSUPPORTED, err,
								   "conversion to element type %lld is not supported",
								   (long long) to);
	MREN_TRY(mren_onnx_pool_get(model->pool, 1, sizeof(*params), &params, err));
	params->from = x->type;
	params->to = (MrenOnnxType) to;
	params->n = x->n;
	node->data = params;
	return mren_onnx_value_set(node, node->outputs[0], params->to, &x->shape, err);
}

/* Toward zero; what lies outside int64, NaN among it, is held at its ends. */
static int64_t
to_integer(MrenOnnxType type, float value)
{
	if (type == MREN_ONNX_BOOL)
		return value != 0;
	if (!(value > -0x1.0p63f))
		return INT64_MIN;
	return value >= 0x1.0p63f ? INT64_MAX : mren_onnx_type_wrap(type, (int64_t) value);
}

static MrenStatus
cast_kernel(const MrenOnnxStep *step, const MrenOnnxFrame *frame, size_t begin, size_t end,
			MrenError *err)
{
	const MrenOnnxUnaryParams *params = step->params;
	const void *in = mren_onnx_operand(frame, &step->in[0]);
	void *out = mren_onnx_operand(frame, &step->out);
	const float *f = in;
	const int64_t *x = in;
	bool from_float = mren_onnx_type_is_float(params->from);
	size_t to = end * CHUNK_ELEMENTS < params->n ? end * CHUNK_ELEMENTS : params->n;

	(void) err;
	for (size_t i = begin * CHUNK_ELEMENTS; i < to; i++)
	{
		if (mren_onnx_type_is_float(params->to))
		{
			float value = from_float ? f[i] : (float) x[i];

			((float *) out)[i] = params->to == MREN_ONNX_FLOAT16
									 ? mren_half_to_float(mren_half_from_float(value))
									 : value;
		}
		else
			((int64_t *) out)[i] =
				from_float ? to_integer(params->to, f[i]) : mren_onnx_type_wrap(params->to, x[i]);
	}
	return MREN_OK;
}

MrenStatus
mren_onnx_emit_cast(MrenOnnxPlan *plan, MrenOnnxNode *node, MrenError *err)
{
	MrenOnnxUnaryParams *params;
	MrenOnnxPlace place;
	MrenOnnxStep *step;
	MrenOnnxLayout layout = mren_onnx_plan_layout(node->inputs[0]);

	MREN_TRY(mren_onnx_pool_get(plan->pool, 1, sizeof(*params), &params, err));
	*params = *(MrenOnnxUnaryParams *) node->data;
	MREN_TRY(mren_onnx_layout_place(plan, node->inputs[0], layout, &place, err));
	MREN_TRY(mren_onnx_plan_step(
		plan, &(MrenOnnxStepSpec){cast_kernel, params, &place, 1, node->outputs[0], layout}, &step,
		err));
	chunk_units(step, params->n);
	return MREN_OK;
}
