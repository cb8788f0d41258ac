/*
 * conv_depthwise.c
 *	  One filter a channel: no matrix product, but sums of products along the
 *	  channels of a pixel.
 */
#include <string.h>

#include "onnx/kernels/conv.h"
#include "onnx/simd/simd.h"

bool
mren_onnx_conv_is_depthwise(const MrenOnnxConvShape *shape)
{
	return shape->groups == shape->channels && shape->filters == shape->channels &&
		   shape->channels > 1;
}

MREN_ONNX_HOT static void
add_products(const float *restrict x, const float *restrict w, float *restrict y, size_t n)
{
	for (size_t c = 0; c < n; c++)
		y[c] += x[c] * w[c];
}

static void
depthwise_pixel(const MrenOnnxConv *conv, const float *x, const size_t *at, float *y)
{
	const MrenOnnxWindow *w = &conv->shape.window;
	size_t channels = conv->shape.channels;
	size_t first[MREN_ONNX_SPATIAL_MAX];
	size_t last[MREN_ONNX_SPATIAL_MAX];

	for (int d = 0; d < MREN_ONNX_SPATIAL_MAX; d++)
		mren_onnx_window_range(w, d, at[d], &first[d], &last[d]);
	memset(y, 0, channels * sizeof(float));
	for (size_t kd = first[0]; kd < last[0]; kd++)
	{
		for (size_t kh = first[1]; kh < last[1]; kh++)
		{
			size_t id = at[0] * w->stride[0] + kd * w->dilation[0] - w->before[0];
			size_t ih = at[1] * w->stride[1] + kh * w->dilation[1] - w->before[1];

			for (size_t kw = first[2]; kw < last[2]; kw++)
			{
				size_t iw = at[2] * w->stride[2] + kw * w->dilation[2] - w->before[2];
				size_t tap = (kd * w->kernel[1] + kh) * w->kernel[2] + kw;

				add_products(x + ((id * w->in[1] + ih) * w->in[2] + iw) * channels,
							 conv->weights + tap * channels, y, channels);
			}
		}
	}
}

/* Units are output rows. */
static MrenStatus
depthwise_kernel(const MrenOnnxStep *step, const MrenOnnxFrame *frame, size_t begin, size_t end,
				 MrenError *err)
{
	const MrenOnnxConv *conv = step->params;
	const MrenOnnxConvShape *s = &conv->shape;
	size_t width = s->window.out[2];
	size_t rows = s->window.out[0] * s->window.out[1];
	const float *x = mren_onnx_operand(frame, &step->in[0]);

	(void) err;
	for (size_t u = begin; u < end; u++)
	{
		const MrenOnnxConvPart part = {u * width, width, 0, s->filters};
		float *y = mren_onnx_conv_part(step, frame, &part);

		for (size_t i = 0; i < width; i++)
		{
			size_t at[MREN_ONNX_SPATIAL_MAX];

			mren_onnx_window_at(&s->window, u % rows * width + i, at);
			depthwise_pixel(conv, x + u / rows * mren_onnx_window_in(&s->window) * s->channels, at,
							y + i * step->out.pitch);
		}
		mren_onnx_conv_finish(conv, step, frame, &part);
	}
	return MREN_OK;
}

/* (tap, channel) */
MrenStatus
mren_onnx_conv_depthwise_pack(MrenOnnxPlan *plan, MrenOnnxConv *conv, const float *w,
							  const float *scale, MrenOnnxConvChoice *choice, MrenError *err)
{
	const MrenOnnxConvShape *s = &conv->shape;
	size_t taps = mren_onnx_window_taps(&s->window);
	float *packed;
	bool filled;

	MREN_TRY(mren_onnx_pool_weights(plan->pool, s->channels * taps, sizeof(float), &packed, &filled,
									err));
	for (size_t c = 0; c < s->channels && !filled; c++)
	{
		for (size_t t = 0; t < taps; t++)
			packed[t * s->channels + c] = w[c * taps + t] * (scale != NULL ? scale[c] : 1.0f);
	}
	conv->weights = packed;
	choice->kernel = depthwise_kernel;
	choice->n_units = s->batch * s->window.out[0] * s->window.out[1];
	choice->unit_cost = s->window.out[2] * taps * s->channels * 8;
	choice->scratch = 0;
	return MREN_OK;
}
