/*
 * conv_reference.c
 *	  Convolution as it is defined.
 */
#include "onnx/kernels/conv.h"

static double
tap_sum(const MrenOnnxConvShape *s, const float *x, const float *w, const size_t *at,
		size_t channel)
{
	const MrenOnnxWindow *win = &s->window;
	size_t per_group = s->channels / s->groups;
	size_t first[MREN_ONNX_SPATIAL_MAX];
	size_t last[MREN_ONNX_SPATIAL_MAX];
	double sum = 0;

	for (int d = 0; d < MREN_ONNX_SPATIAL_MAX; d++)
		mren_onnx_window_range(win, d, at[d], &first[d], &last[d]);
	for (size_t kd = first[0]; kd < last[0]; kd++)
	{
		for (size_t kh = first[1]; kh < last[1]; kh++)
		{
			for (size_t kw = first[2]; kw < last[2]; kw++)
			{
				size_t id = at[0] * win->stride[0] + kd * win->dilation[0] - win->before[0];
				size_t ih = at[1] * win->stride[1] + kh * win->dilation[1] - win->before[1];
				size_t iw = at[2] * win->stride[2] + kw * win->dilation[2] - win->before[2];
				size_t pixel = (id * win->in[1] + ih) * win->in[2] + iw;
				size_t tap = (kd * win->kernel[1] + kh) * win->kernel[2] + kw;

				for (size_t c = 0; c < per_group; c++)
					sum += (double) x[pixel * s->channels + channel + c] *
						   (double) w[c * mren_onnx_window_taps(win) + tap];
			}
		}
	}
	return sum;
}

void
mren_onnx_conv_reference(const MrenOnnxConvShape *s, const float *x, const float *w,
						 const float *bias, float *y)
{
	size_t pixels = mren_onnx_window_out(&s->window);
	size_t per_group = s->channels / s->groups;
	size_t filters_per_group = s->filters / s->groups;
	size_t image = mren_onnx_window_in(&s->window) * s->channels;
	size_t filter = per_group * mren_onnx_window_taps(&s->window);

	for (size_t p = 0; p < s->batch * pixels; p++)
	{
		size_t at[MREN_ONNX_SPATIAL_MAX];

		mren_onnx_window_at(&s->window, p % pixels, at);
		for (size_t m = 0; m < s->filters; m++)
		{
			double sum = tap_sum(s, x + p / pixels * image, w + m * filter, at,
								 m / filters_per_group * per_group);

			y[p * s->filters + m] = (float) (sum + (bias != NULL ? (double) bias[m] : 0.0));
		}
	}
}
