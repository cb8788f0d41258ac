/*
 * ops_norm.c
 *	  Normalizations: BatchNormalization as a factor and an addend a channel,
 *	  LayerNormalization and InstanceNormalization over rows of elements, and
 *	  LRN across channels.
 */
#include <math.h>
#include <string.h>

#include "onnx/kernels/place.h"
#include "onnx/model/node.h"
#include "onnx/ops/norm.h"
#include "onnx/ops/ops.h"
#include "onnx/simd/simd.h"

#define CHUNK_PIXELS ((size_t) 256)

/* ---- BatchNormalization ---- */

/* The i-th input: one constant a channel. */
static MrenStatus
channel_input(const MrenOnnxNode *node, size_t i, size_t channels, const float **out,
			  MrenError *err)
{
	const MrenOnnxTensor *tensor;

	MREN_TRY(mren_onnx_node_constant(node, i, &tensor, err));
	if (tensor == NULL || tensor->floats == NULL || tensor->n != channels)
		return mren_onnx_node_fail(node, MREN_EDATA, err,
								   "input %zu is not one number for each of %zu channels", i,
								   channels);
	*out = tensor->floats;
	return MREN_OK;
}

static MrenStatus
find_affine(MrenOnnxModel *model, const MrenOnnxNode *node, MrenOnnxAffine **out, MrenError *err)
{
	size_t channels = node->inputs[0]->shape.dims[1];
	float epsilon = 1e-5f;
	const float *in[4]; /* scale, bias, mean, variance */
	MrenOnnxAffine *affine;

	MREN_TRY(mren_onnx_node_float(node, "epsilon", &epsilon, err));
	for (size_t i = 0; i < 4; i++)
		MREN_TRY(channel_input(node, i + 1, channels, &in[i], err));
	MREN_TRY(mren_onnx_pool_get(model->pool, 1, sizeof(*affine), &affine, err));
	MREN_TRY(mren_onnx_pool_get(model->pool, channels, sizeof(float), &affine->scale, err));
	MREN_TRY(mren_onnx_pool_get(model->pool, channels, sizeof(float), &affine->shift, err));
	affine->n = channels;
	for (size_t c = 0; c < channels; c++)
	{
		double factor = (double) in[0][c] / sqrt((double) in[3][c] + (double) epsilon);

		affine->scale[c] = (float) factor;
		affine->shift[c] = (float) ((double) in[1][c] - (double) in[2][c] * factor);
		if (!isfinite(affine->scale[c]) || !isfinite(affine->shift[c]))
			return mren_onnx_node_fail(node, MREN_ENUMERIC, err,
									   "variance %g of channel %zu does not give a finite factor",
									   (double) in[3][c], c);
	}
	*out = affine;
	return MREN_OK;
}

MrenStatus
mren_onnx_infer_batchnorm(MrenOnnxModel *model, MrenOnnxNode *node, MrenError *err)
{
	const MrenOnnxValue *x = node->inputs[0];
	int64_t training = 0;
	int64_t spatial = 1;
	MrenOnnxAffine *affine;

	MREN_TRY(mren_onnx_node_need_float(node, 0, err));
	MREN_TRY(mren_onnx_node_int(node, "training_mode", &training, err));
	MREN_TRY(mren_onnx_node_int(node, "spatial", &spatial, err));
	if (training != 0 || spatial == 0)
		return mren_onnx_node_fail(node, MREN_EUNSUPPORTED, err, "%s is not supported",
								   training != 0 ? "training mode" : "a mean for each pixel");
	if (x->shape.rank < 2)
		return mren_onnx_node_fail(node, MREN_EDATA, err, "the input has no channels");
	MREN_TRY(find_affine(model, node, &affine, err));
	node->data = affine;
	return mren_onnx_value_set(node, node->outputs[0], x->type, &x->shape, err);
}

typedef struct AffineParams
{
	float *scale;
	float *shift;
	size_t channels;
	size_t pixels;
	MrenOnnxActivation activation;
} AffineParams;

/* Units are chunks of pixels. */
MREN_ONNX_HOT static MrenStatus
affine_kernel(const MrenOnnxStep *step, const MrenOnnxFrame *frame, size_t begin, size_t end,
			  MrenError *err)
{
	const AffineParams *params = step->params;
	const float *x = mren_onnx_operand(frame, &step->in[0]);
	float *y = mren_onnx_operand(frame, &step->out);
	size_t n = params->channels;
	size_t stop = end * CHUNK_PIXELS < params->pixels ? end * CHUNK_PIXELS : params->pixels;

	(void) err;
	for (size_t p = begin * CHUNK_PIXELS; p < stop; p++)
	{
		float *out = y + p * step->out.pitch;

		for (size_t c = 0; c < n; c++)
			out[c] = x[p * n + c] * params->scale[c] + params->shift[c];
		if (params->activation.kind != MREN_ONNX_UNARY_NONE)
			mren_onnx_activate(&params->activation, out, out, n);
	}
	return MREN_OK;
}

MrenStatus
mren_onnx_emit_batchnorm(MrenOnnxPlan *plan, MrenOnnxNode *node, MrenError *err)
{
	const MrenOnnxAffine *affine = node->data;
	MrenOnnxValue *x = node->inputs[0];
	MrenOnnxLayout layout = x->shape.rank >= 3 ? MREN_ONNX_CHANNELS_LAST : MREN_ONNX_PLAIN;
	AffineParams *params;
	MrenOnnxPlace place;
	MrenOnnxStep *step;

	MREN_TRY(mren_onnx_pool_get(plan->pool, 1, sizeof(*params), &params, err));
	MREN_TRY(mren_onnx_pool_get(plan->pool, affine->n, sizeof(float), &params->scale, err));
	MREN_TRY(mren_onnx_pool_get(plan->pool, affine->n, sizeof(float), &params->shift, err));
	memcpy(params->scale, affine->scale, affine->n * sizeof(float));
	memcpy(params->shift, affine->shift, affine->n * sizeof(float));
	params->channels = affine->n;
	params->pixels = affine->n > 0 ? x->n / affine->n : 0;
	params->activation = node->activation;
	MREN_TRY(mren_onnx_layout_place(plan, x, layout, &place, err));
	MREN_TRY(mren_onnx_plan_step(
		plan, &(MrenOnnxStepSpec){affine_kernel, params, &place, 1, node->outputs[0], layout},
		&step, err));
	if (layout == MREN_ONNX_PLAIN)
		step->out.pitch = affine->n;
	step->n_units = (params->pixels + CHUNK_PIXELS - 1) / CHUNK_PIXELS;
	step->unit_cost = CHUNK_PIXELS * (32 + affine->n * 16);
	step->in_place = step->out.pitch == affine->n;
	return MREN_OK;
}

/* ---- LayerNormalization, InstanceNormalization: rows of plain tensors ---- */

typedef struct RowParams
{
	size_t rows;
	size_t length;
	size_t n_scale; /* scales: one an element of a row, or one a row's channel */
	bool by_row;
	bool has_bias;
	float epsilon;
} RowParams;

MrenStatus
mren_onnx_infer_layernorm(MrenOnnxModel *model, MrenOnnxNode *node, MrenError *err)
{
	const MrenOnnxValue *x = node->inputs[0];
	RowParams *params;
	int64_t wanted = -1;
	int axis;

	MREN_TRY(mren_onnx_node_need_float(node, 0, err));
	MREN_TRY(mren_onnx_node_need_float(node, 1, err));
	MREN_TRY(mren_onnx_pool_get(model->pool, 1, sizeof(*params), &params, err));
	params->epsilon = 1e-5f;
	MREN_TRY(mren_onnx_node_int(node, "axis", &wanted, err));
	MREN_TRY(mren_onnx_node_float(node, "epsilon", &params->epsilon, err));
	MREN_TRY(mren_onnx_node_axis(node, wanted, x->shape.rank, &axis, err));
	params->rows = params->length = 1;
	for (int d = 0; d < x->shape.rank; d++)
		*(d < axis ? &params->rows : &params->length) *= x->shape.dims[d];
	params->n_scale = params->length;
	params->has_bias = mren_onnx_node_input(node, 2) != NULL;
	if (node->inputs[1]->n != params->length ||
		(params->has_bias && node->inputs[2]->n != params->length))
		return mren_onnx_node_fail(node, MREN_EDATA, err,
								   "%zu factors do not fit rows of %zu elements",
								   node->inputs[1]->n, params->length);
	node->data = params;
	for (size_t i = 1; i < node->n_outputs; i++)
	{
		MrenOnnxShape shape = x->shape;

		for (int d = axis; d < shape.rank; d++)
			shape.dims[d] = 1;
		MREN_TRY(mren_onnx_value_set(node, node->outputs[i], MREN_ONNX_FLOAT, &shape, err));
	}
	return mren_onnx_value_set(node, node->outputs[0], x->type, &x->shape, err);
}

MrenStatus
mren_onnx_infer_instancenorm(MrenOnnxModel *model, MrenOnnxNode *node, MrenError *err)
{
	const MrenOnnxValue *x = node->inputs[0];
	RowParams *params;

	for (size_t i = 0; i < 3; i++)
		MREN_TRY(mren_onnx_node_need_float(node, i, err));
	if (x->shape.rank < 3 || node->inputs[1]->n != x->shape.dims[1] ||
		node->inputs[2]->n != x->shape.dims[1] || x->n == 0)
		return mren_onnx_node_fail(node, MREN_EDATA, err,
								   "%zu factors do not fit the input's channels",
								   node->inputs[1]->n);
	MREN_TRY(mren_onnx_pool_get(model->pool, 1, sizeof(*params), &params, err));
	params->epsilon = 1e-5f;
	MREN_TRY(mren_onnx_node_float(node, "epsilon", &params->epsilon, err));
	params->n_scale = x->shape.dims[1];
	params->rows = x->shape.dims[0] * x->shape.dims[1];
	params->length = x->n / params->rows;
	params->by_row = true;
	params->has_bias = true;
	node->data = params;
	return mren_onnx_value_set(node, node->outputs[0], x->type, &x->shape, err);
}

/* Mean and 1 / standard deviation of a row. */
static void
row_statistics(const RowParams *params, const float *x, double *mean, double *factor)
{
	double sum = 0;
	double squares = 0;

	for (size_t i = 0; i < params->length; i++)
		sum += x[i];
	*mean = sum / (double) params->length;
	for (size_t i = 0; i < params->length; i++)
		squares += (x[i] - *mean) * (x[i] - *mean);
	*factor = 1.0 / sqrt(squares / (double) params->length + (double) params->epsilon);
}

static MrenStatus
row_kernel(const MrenOnnxStep *step, const MrenOnnxFrame *frame, size_t begin, size_t end,
		   MrenError *err)
{
	const RowParams *params = step->params;
	const float *scale = mren_onnx_operand(frame, &step->in[1]);
	const float *bias = params->has_bias ? mren_onnx_operand(frame, &step->in[2]) : NULL;

	(void) err;
	for (size_t u = begin; u < end; u++)
	{
		const float *x =
			(const float *) mren_onnx_operand(frame, &step->in[0]) + u * params->length;
		float *y = (float *) mren_onnx_operand(frame, &step->out) + u * params->length;
		double mean;
		double factor;

		row_statistics(params, x, &mean, &factor);
		for (size_t i = 0; i < params->length; i++)
		{
			size_t s = params->by_row ? u % params->n_scale : i;

			y[i] = (float) ((x[i] - mean) * factor) * scale[s] + (bias != NULL ? bias[s] : 0.0f);
		}
	}
	return MREN_OK;
}

/* LayerNormalization's further outputs: the means, or else the inverse standard deviations. */
static void
write_statistics(const MrenOnnxStep *step, const MrenOnnxFrame *frame, size_t begin, size_t end,
				 bool means)
{
	const RowParams *params = step->params;
	const float *x = mren_onnx_operand(frame, &step->in[0]);
	float *y = mren_onnx_operand(frame, &step->out);

	for (size_t u = begin; u < end; u++)
	{
		double mean;
		double factor;

		row_statistics(params, x + u * params->length, &mean, &factor);
		y[u] = (float) (means ? mean : factor);
	}
}

static MrenStatus
mean_kernel(const MrenOnnxStep *step, const MrenOnnxFrame *frame, size_t begin, size_t end,
			MrenError *err)
{
	(void) err;
	write_statistics(step, frame, begin, end, true);
	return MREN_OK;
}

static MrenStatus
factor_kernel(const MrenOnnxStep *step, const MrenOnnxFrame *frame, size_t begin, size_t end,
			  MrenError *err)
{
	(void) err;
	write_statistics(step, frame, begin, end, false);
	return MREN_OK;
}

static MrenStatus
emit_rows(MrenOnnxPlan *plan, MrenOnnxNode *node, MrenError *err)
{
	RowParams *params;
	MrenOnnxPlace places[3];
	MrenOnnxStep *step;
	size_t n_in;

	MREN_TRY(mren_onnx_pool_get(plan->pool, 1, sizeof(*params), &params, err));
	*params = *(RowParams *) node->data;
	n_in = params->has_bias ? 3 : 2;
	for (size_t i = 0; i < n_in; i++)
		MREN_TRY(mren_onnx_layout_place(plan, node->inputs[i], MREN_ONNX_PLAIN, &places[i], err));
	for (size_t i = 1; i < node->n_outputs; i++)
	{
		if (node->outputs[i] == NULL)
			continue;
		MREN_TRY(
			mren_onnx_plan_step(plan,
								&(MrenOnnxStepSpec){i == 1 ? mean_kernel : factor_kernel, params,
													places, 1, node->outputs[i], MREN_ONNX_PLAIN},
								&step, err));
		step->n_units = params->rows;
		step->unit_cost = 32 + params->length * 32;
	}
	MREN_TRY(mren_onnx_plan_step(
		plan,
		&(MrenOnnxStepSpec){row_kernel, params, places, n_in, node->outputs[0], MREN_ONNX_PLAIN},
		&step, err));
	step->n_units = params->rows;
	step->unit_cost = 32 + params->length * 48;
	step->in_place = true;
	return MREN_OK;
}

MrenStatus
mren_onnx_emit_layernorm(MrenOnnxPlan *plan, MrenOnnxNode *node, MrenError *err)
{
	return emit_rows(plan, node, err);
}

MrenStatus
mren_onnx_emit_instancenorm(MrenOnnxPlan *plan, MrenOnnxNode *node, MrenError *err)
{
	return emit_rows(plan, node, err);
}

/* ---- LRN: y = x / (bias + alpha / size * sum of squares nearby) ^ beta ---- */

typedef struct LrnParams
{
	size_t channels;
	size_t pixels;
	size_t size;
	float alpha;
	float beta;
	float bias;
} LrnParams;

MrenStatus
mren_onnx_infer_lrn(MrenOnnxModel *model, MrenOnnxNode *node, MrenError *err)
{
	const MrenOnnxValue *x = node->inputs[0];
	LrnParams *params;
	int64_t size = 0;

	MREN_TRY(mren_onnx_node_need_float(node, 0, err));
	MREN_TRY(mren_onnx_pool_get(model->pool, 1, sizeof(*params), &params, err));
	params->alpha = 1e-4f;
	params->beta = 0.75f;
	params->bias = 1.0f;
	MREN_TRY(mren_onnx_node_float(node, "alpha", &params->alpha, err));
	MREN_TRY(mren_onnx_node_float(node, "beta", &params->beta, err));
	MREN_TRY(mren_onnx_node_float(node, "bias", &params->bias, err));
	MREN_TRY(mren_onnx_node_int(node, "size", &size, err));
	if (size < 1 || size > INT32_MAX || x->shape.rank < 3 || x->n == 0)
		return mren_onnx_node_fail(node, MREN_EDATA, err, "a size of %lld is not possible",
								   (long long) size);
	params->size = (size_t) size;
	params->channels = x->shape.dims[1];
	params->pixels = x->n / params->channels;
	node->data = params;
	return mren_onnx_value_set(node, node->outputs[0], x->type, &x->shape, err);
}

/* Units are pixels. */
static MrenStatus
lrn_kernel(const MrenOnnxStep *step, const MrenOnnxFrame *frame, size_t begin, size_t end,
		   MrenError *err)
{
	const LrnParams *params = step->params;
	size_t n = params->channels;
	size_t back = (params->size - 1) / 2;
	size_t ahead = params->size - 1 - back;

	(void) err;
	for (size_t u = begin; u < end; u++)
	{
		const float *x = (const float *) mren_onnx_operand(frame, &step->in[0]) + u * n;
		float *y = (float *) mren_onnx_operand(frame, &step->out) + u * step->out.pitch;

		for (size_t c = 0; c < n; c++)
		{
			size_t first = c > back ? c - back : 0;
			size_t last = c + ahead < n ? c + ahead : n - 1;
			double sum = 0;

			for (size_t k = first; k <= last; k++)
				sum += (double) x[k] * x[k];
			y[c] = (float) (x[c] / pow(params->bias + params->alpha / (double) params->size * sum,
									   params->beta));
		}
	}
	return MREN_OK;
}

MrenStatus
mren_onnx_emit_lrn(MrenOnnxPlan *plan, MrenOnnxNode *node, MrenError *err)
{
	LrnParams *params;
	MrenOnnxPlace place;
	MrenOnnxStep *step;
	size_t near;

	MREN_TRY(mren_onnx_pool_get(plan->pool, 1, sizeof(*params), &params, err));
	*params = *(LrnParams *) node->data;
	near = params->size < params->channels ? params->size : params->channels;
	MREN_TRY(mren_onnx_layout_place(plan, node->inputs[0], MREN_ONNX_CHANNELS_LAST, &place, err));
	MREN_TRY(mren_onnx_plan_step(plan,
								 &(MrenOnnxStepSpec){lrn_kernel, params, &place, 1,
													 node->outputs[0], MREN_ONNX_CHANNELS_LAST},
								 &step, err));
	step->n_units = params->pixels;
	step->unit_cost = params->channels * (512 + 16 * near);
	return MREN_OK;
}
