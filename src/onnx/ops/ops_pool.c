/*
 * ops_pool.c
 *	  MaxPool, AveragePool and their global forms, channels last: the inner
 *	  loop runs over the channels of one pixel.
 */
#include <math.h>
#include <string.h>

#include "onnx/kernels/place.h"
#include "onnx/kernels/window.h"
#include "onnx/model/node.h"
#include "onnx/ops/ops.h"
#include "onnx/simd/simd.h"

typedef struct PoolParams
{
	MrenOnnxWindow window;
	size_t channels;
	bool average;
	bool count_padding;
} PoolParams;

MrenStatus
mren_onnx_infer_pool(MrenOnnxModel *model, MrenOnnxNode *node, MrenError *err)
{
	MrenOnnxShape shape = node->inputs[0]->shape;
	PoolParams *params;
	int64_t ceil_mode = 0;
	int64_t count_padding = 0;

	MREN_TRY(mren_onnx_node_need_float(node, 0, err));
	MREN_TRY(mren_onnx_pool_get(model->pool, 1, sizeof(*params), &params, err));
	MREN_TRY(mren_onnx_node_int(node, "ceil_mode", &ceil_mode, err));
	MREN_TRY(mren_onnx_node_int(node, "count_include_pad", &count_padding, err));
	MREN_TRY(mren_onnx_window_infer(node, NULL, ceil_mode != 0, &params->window, &shape, err));
	params->channels = shape.dims[1];
	params->average = node->op->kind == MREN_ONNX_POOLING_AVERAGE;
	params->count_padding = count_padding != 0;
	for (int d = 0; d < MREN_ONNX_SPATIAL_MAX; d++)
	{
		const MrenOnnxWindow *w = &params->window;
		size_t extent = (w->kernel[d] - 1) * w->dilation[d] + 1;

		/* else a window could cover padding alone */
		if (w->in[d] == 0 || w->before[d] >= extent || w->after[d] >= extent)
			return mren_onnx_node_fail(node, MREN_EDATA, err,
									   "padding of %zu and %zu is too large for a kernel of %zu",
									   w->before[d], w->after[d], extent);
	}
	node->data = params;
	return mren_onnx_value_set(node, node->outputs[0], node->inputs[0]->type, &shape, err);
}

static inline void
pool_add(bool average, const float *restrict x, float *restrict y, size_t n)
{
	if (average)
	{
		for (size_t c = 0; c < n; c++)
			y[c] += x[c];
	}
	else
	{
		for (size_t c = 0; c < n; c++)
			y[c] = x[c] > y[c] ? x[c] : y[c];
	}
}

/* Elements an average is over: of the window, clipped to the padded input. */
static size_t
padded_count(const MrenOnnxWindow *window, const size_t *at)
{
	size_t count = 1;

	for (int d = 0; d < MREN_ONNX_SPATIAL_MAX; d++)
	{
		size_t start = at[d] * window->stride[d];
		size_t padded = window->in[d] + window->before[d] + window->after[d];
		size_t taps = (padded - start + window->dilation[d] - 1) / window->dilation[d];

		count *= taps < window->kernel[d] ? taps : window->kernel[d];
	}
	return count;
}

MREN_ONNX_HOT static void
pool_pixel(const PoolParams *params, const float *x, const size_t *at, float *y)
{
	const MrenOnnxWindow *w = &params->window;
	size_t first[MREN_ONNX_SPATIAL_MAX];
	size_t last[MREN_ONNX_SPATIAL_MAX];
	size_t count = 1;
	float start = params->average ? 0.0f : -INFINITY;

	for (int d = 0; d < MREN_ONNX_SPATIAL_MAX; d++)
	{
		mren_onnx_window_range(w, d, at[d], &first[d], &last[d]);
		count *= last[d] - first[d];
	}
	for (size_t c = 0; c < params->channels; c++)
		y[c] = start;
	for (size_t kd = first[0]; kd < last[0]; kd++)
	{
		for (size_t kh = first[1]; kh < last[1]; kh++)
		{
			size_t id = at[0] * w->stride[0] + kd * w->dilation[0] - w->before[0];
			size_t ih = at[1] * w->stride[1] + kh * w->dilation[1] - w->before[1];

			for (size_t kw = first[2]; kw < last[2]; kw++)
			{
				size_t iw = at[2] * w->stride[2] + kw * w->dilation[2] - w->before[2];

				pool_add(params->average,
						 x + ((id * w->in[1] + ih) * w->in[2] + iw) * params->channels, y,
						 params->channels);
			}
		}
	}
	if (params->average)
	{
		float n = (float) (params->count_padding ? padded_count(w, at) : count);

		for (size_t c = 0; c < params->channels; c++)
			y[c] /= n;
	}
}

/* Units are output rows. */
static MrenStatus
pool_kernel(const MrenOnnxStep *step, const MrenOnnxFrame *frame, size_t begin, size_t end,
			MrenError *err)
{
	const PoolParams *params = step->params;
	const float *x = mren_onnx_operand(frame, &step->in[0]);
	float *y = mren_onnx_operand(frame, &step->out);
	size_t width = params->window.out[2];
	size_t rows = params->window.out[0] * params->window.out[1];
	size_t image = mren_onnx_window_in(&params->window) * params->channels;

	(void) err;
	for (size_t u = begin; u < end; u++)
	{
		for (size_t i = 0; i < width; i++)
		{
			size_t at[MREN_ONNX_SPATIAL_MAX];

			mren_onnx_window_at(&params->window, u % rows * width + i, at);
			pool_pixel(params, x + u / rows * image, at, y + (u * width + i) * step->out.pitch);
		}
	}
	return MREN_OK;
}

/* Taps that can lie inside the input: a kernel may be far larger. */
static size_t
taps_inside(const MrenOnnxWindow *window)
{
	size_t taps = 1;

	for (int d = 0; d < MREN_ONNX_SPATIAL_MAX; d++)
		taps *= window->kernel[d] < window->in[d] ? window->kernel[d] : window->in[d];
	return taps;
}

MrenStatus
mren_onnx_emit_pool(MrenOnnxPlan *plan, MrenOnnxNode *node, MrenError *err)
{
	PoolParams *params;
	MrenOnnxPlace place;
	MrenOnnxStep *step;

	MREN_TRY(mren_onnx_pool_get(plan->pool, 1, sizeof(*params), &params, err));
	*params = *(PoolParams *) node->data;
	MREN_TRY(mren_onnx_layout_place(plan, node->inputs[0], MREN_ONNX_CHANNELS_LAST, &place, err));
	MREN_TRY(mren_onnx_plan_step(plan,
								 &(MrenOnnxStepSpec){pool_kernel, params, &place, 1,
													 node->outputs[0], MREN_ONNX_CHANNELS_LAST},
								 &step, err));
	step->n_units = node->outputs[0]->shape.dims[0] * params->window.out[0] * params->window.out[1];
	step->unit_cost =
		params->window.out[2] * (32 + taps_inside(&params->window) * params->channels * 8);
	return MREN_OK;
}

/* Pixels summed at once, so that a long sum loses less. */
#define GLOBAL_BLOCK 64

typedef struct GlobalParams
{
	size_t pixels;
	size_t channels;
	bool average;
} GlobalParams;

MrenStatus
mren_onnx_infer_global_pool(MrenOnnxModel *model, MrenOnnxNode *node, MrenError *err)
{
	MrenOnnxShape shape = node->inputs[0]->shape;

	(void) model;
	MREN_TRY(mren_onnx_node_need_float(node, 0, err));
	if (shape.rank < 3 || node->inputs[0]->n == 0)
	{
		char text[128];

		return mren_onnx_node_fail(node, MREN_EDATA, err, "an input of shape %s has no pixels",
								   mren_onnx_shape_text(&shape, text, sizeof(text)));
	}
	for (int d = 2; d < shape.rank; d++)
		shape.dims[d] = 1;
	return mren_onnx_value_set(node, node->outputs[0], node->inputs[0]->type, &shape, err);
}

/* Units are images.  Scratch holds the sums of one block of pixels. */
MREN_ONNX_HOT static MrenStatus
global_kernel(const MrenOnnxStep *step, const MrenOnnxFrame *frame, size_t begin, size_t end,
			  MrenError *err)
{
	const GlobalParams *params = step->params;
	size_t channels = params->channels;
	float *part = (float *) (void *) frame->scratch;

	(void) err;
	for (size_t u = begin; u < end; u++)
	{
		const float *x =
			(const float *) mren_onnx_operand(frame, &step->in[0]) + u * params->pixels * channels;
		float *y = (float *) mren_onnx_operand(frame, &step->out) + u * channels;

		for (size_t c = 0; c < channels; c++)
			y[c] = params->average ? 0.0f : -INFINITY;
		for (size_t p = 0; p < params->pixels; p += GLOBAL_BLOCK)
		{
			size_t stop = p + GLOBAL_BLOCK < params->pixels ? p + GLOBAL_BLOCK : params->pixels;

			memcpy(part, x + p * channels, channels * sizeof(float));
			for (size_t q = p + 1; q < stop; q++)
				pool_add(params->average, x + q * channels, part, channels);
			pool_add(params->average, part, y, channels);
		}
		for (size_t c = 0; params->average && c < channels; c++)
			y[c] /= (float) params->pixels;
	}
	return MREN_OK;
}

MrenStatus
mren_onnx_emit_global_pool(MrenOnnxPlan *plan, MrenOnnxNode *node, MrenError *err)
{
	const MrenOnnxShape *x = &node->inputs[0]->shape;
	GlobalParams *params;
	MrenOnnxPlace place;
	MrenOnnxStep *step;

	MREN_TRY(mren_onnx_pool_get(plan->pool, 1, sizeof(*params), &params, err));
	params->channels = x->dims[1];
	params->pixels = node->inputs[0]->n / (x->dims[0] * x->dims[1]);
	params->average = node->op->kind == MREN_ONNX_POOLING_AVERAGE;
	MREN_TRY(mren_onnx_layout_place(plan, node->inputs[0], MREN_ONNX_CHANNELS_LAST, &place, err));
	MREN_TRY(mren_onnx_plan_step(plan,
								 &(MrenOnnxStepSpec){global_kernel, params, &place, 1,
													 node->outputs[0], MREN_ONNX_CHANNELS_LAST},
								 &step, err));
	step->n_units = x->dims[0];
	step->unit_cost = params->pixels * params->channels * 8;
	step->scratch = params->channels * sizeof(float);
	return MREN_OK;
}
