/*
 * conv_gemm.c
 *	  The portable path: tiles of output pixels become rows of a matrix whose
 *	  columns are taps and channels (im2col), and BLAS multiplies it with the
 *	  packed weights.  A 1x1 convolution needs no such matrix.
 */
#include <string.h>

#include "base/blas.h"
#include "base/size.h"
#include "onnx/kernels/conv.h"
#include "onnx/simd/simd.h"

/* Matrix bytes of a tile: half of a usual second-level cache. */
#define TILE_BYTES ((size_t) 512 * 1024)
#define TILE_PIXELS_MAX ((size_t) 2048)

void
mren_onnx_conv_gather(const MrenOnnxConv *conv, const float *x, const size_t *at, size_t channel,
					  size_t n, float *row)
{
	const MrenOnnxWindow *w = &conv->shape.window;
	size_t first[MREN_ONNX_SPATIAL_MAX];
	size_t last[MREN_ONNX_SPATIAL_MAX];
	/* neighbouring taps of a row then lie side by side */
	bool contiguous = w->dilation[2] == 1 && n == conv->shape.channels;
	size_t run = w->kernel[2] * n;

	for (int d = 0; d < MREN_ONNX_SPATIAL_MAX; d++)
		mren_onnx_window_range(w, d, at[d], &first[d], &last[d]);
	for (size_t kd = 0; kd < w->kernel[0]; kd++)
	{
		for (size_t kh = 0; kh < w->kernel[1]; kh++)
		{
			size_t id = at[0] * w->stride[0] + kd * w->dilation[0] - w->before[0];
			size_t ih = at[1] * w->stride[1] + kh * w->dilation[1] - w->before[1];
			bool inside = kd >= first[0] && kd < last[0] && kh >= first[1] && kh < last[1];

			if (inside && contiguous && first[2] == 0 && last[2] == w->kernel[2])
			{
				const float *from =
					x + ((id * w->in[1] + ih) * w->in[2] + at[2] * w->stride[2] - w->before[2]) * n;

				/* short: a call would cost more */
				for (size_t i = 0; i < run; i++)
					row[i] = from[i];
				row += run;
				continue;
			}
			for (size_t kw = 0; kw < w->kernel[2]; kw++, row += n)
			{
				size_t iw = at[2] * w->stride[2] + kw * w->dilation[2] - w->before[2];

				if (inside && kw >= first[2] && kw < last[2])
					memcpy(row,
						   x + ((id * w->in[1] + ih) * w->in[2] + iw) * conv->shape.channels +
							   channel,
						   n * sizeof(float));
				else
					memset(row, 0, n * sizeof(float));
			}
		}
	}
}

float *
mren_onnx_conv_part(const MrenOnnxStep *step, const MrenOnnxFrame *frame,
					const MrenOnnxConvPart *part)
{
	return (float *) mren_onnx_operand(frame, &step->out) + part->first_pixel * step->out.pitch +
		   part->first_filter;
}

MREN_ONNX_HOT void
mren_onnx_conv_finish(const MrenOnnxConv *conv, const MrenOnnxStep *step,
					  const MrenOnnxFrame *frame, const MrenOnnxConvPart *part)
{
	const MrenOnnxActivation *f = &conv->activation;
	float low = f->a;
	float high = f->b;
	const float *bias = conv->bias + part->first_filter;
	const float *residual = NULL;
	float *y = mren_onnx_conv_part(step, frame, part);
	size_t n = part->n_filters;

	if (conv->has_residual)
		residual = (const float *) mren_onnx_operand(frame, &step->in[1]) +
				   part->first_pixel * step->in[1].pitch + part->first_filter;
	for (size_t r = 0; r < part->n_pixels; r++)
	{
		float *out = y + r * step->out.pitch;

		if (residual != NULL)
		{
			for (size_t m = 0; m < n; m++)
				out[m] += bias[m] + residual[r * step->in[1].pitch + m];
		}
		else
		{
			for (size_t m = 0; m < n; m++)
				out[m] += bias[m];
		}
		if (f->kind == MREN_ONNX_UNARY_CLIP)
		{
			for (size_t m = 0; m < n; m++)
			{
				out[m] = out[m] < low ? low : out[m];
				out[m] = out[m] > high ? high : out[m];
			}
		}
		else if (f->kind != MREN_ONNX_UNARY_NONE)
			mren_onnx_activate(f, out, out, n);
	}
}

/* One tile of pixels first .. first + rows - 1 of all images, one group. */
static void
gemm_tile(const MrenOnnxConv *conv, const MrenOnnxStep *step, const MrenOnnxFrame *frame,
		  size_t first, size_t rows, size_t group)
{
	const MrenOnnxConvShape *s = &conv->shape;
	size_t pixels = mren_onnx_window_out(&s->window);
	size_t n = s->channels / s->groups;
	size_t m = s->filters / s->groups;
	size_t k = n * mren_onnx_window_taps(&s->window);
	const float *x = mren_onnx_operand(frame, &step->in[0]);
	const MrenOnnxConvPart part = {first, rows, group * m, m};
	MrenProduct product = {.m = rows,
						   .n = m,
						   .k = k,
						   .a = (const float *) (const void *) frame->scratch,
						   .lda = k,
						   .b = conv->weights + group * k * m,
						   .ldb = m,
						   .c = mren_onnx_conv_part(step, frame, &part),
						   .ldc = step->out.pitch};

	if (conv->direct)
	{
		product.a = x + first * s->channels + group * n;
		product.lda = s->channels;
	}
	else
	{
		for (size_t r = 0; r < rows; r++)
		{
			size_t at[MREN_ONNX_SPATIAL_MAX];
			size_t pixel = first + r;

			mren_onnx_window_at(&s->window, pixel % pixels, at);
			mren_onnx_conv_gather(
				conv, x + pixel / pixels * mren_onnx_window_in(&s->window) * s->channels, at,
				group * n, n, (float *) (void *) frame->scratch + r * k);
		}
	}
	mren_gemm(1.0f, &product);
	mren_onnx_conv_finish(conv, step, frame, &part);
}

static MrenStatus
gemm_kernel(const MrenOnnxStep *step, const MrenOnnxFrame *frame, size_t begin, size_t end,
			MrenError *err)
{
	const MrenOnnxConv *conv = step->params;
	size_t total = conv->shape.batch * mren_onnx_window_out(&conv->shape.window);

	(void) err;
	for (size_t u = begin; u < end; u++)
	{
		size_t first = u * conv->tile;
		size_t rows = total - first < conv->tile ? total - first : conv->tile;

		for (size_t g = 0; g < conv->shape.groups; g++)
			gemm_tile(conv, step, frame, first, rows, g);
	}
	return MREN_OK;
}

bool
mren_onnx_conv_is_direct(const MrenOnnxWindow *w)
{
	for (int d = 0; d < MREN_ONNX_SPATIAL_MAX; d++)
	{
		if (w->kernel[d] != 1 || w->stride[d] != 1 || w->before[d] != 0 || w->after[d] != 0)
			return false;
	}
	return true;
}

/* (group, tap, channel, filter): each group a row-major matrix. */
MrenStatus
mren_onnx_conv_gemm_pack(MrenOnnxPlan *plan, MrenOnnxConv *conv, const float *w, const float *scale,
						 MrenOnnxConvChoice *choice, MrenError *err)
{
	const MrenOnnxConvShape *s = &conv->shape;
	size_t taps = mren_onnx_window_taps(&s->window);
	size_t n = s->channels / s->groups;
	size_t m = s->filters / s->groups;
	size_t total = s->batch * mren_onnx_window_out(&s->window);
	size_t row = taps * n * sizeof(float);
	float *packed;
	bool filled;

	MREN_TRY(mren_onnx_pool_weights(plan->pool, s->filters * n * taps, sizeof(float), &packed,
									&filled, err));
	for (size_t f = 0; f < s->filters && !filled; f++)
	{
		float factor = scale != NULL ? scale[f] : 1.0f;
		float *group = packed + f / m * taps * n * m;

		for (size_t c = 0; c < n; c++)
		{
			for (size_t t = 0; t < taps; t++)
				group[(t * n + c) * m + f % m] = w[(f * n + c) * taps + t] * factor;
		}
	}
	conv->weights = packed;
	conv->direct = mren_onnx_conv_is_direct(&s->window);
	conv->tile = row > 0 ? TILE_BYTES / row : 1;
	conv->tile = conv->tile < 16 ? 16 : conv->tile > TILE_PIXELS_MAX ? TILE_PIXELS_MAX : conv->tile;
	if (conv->tile > total)
		conv->tile = total > 0 ? total : 1;
	choice->kernel = gemm_kernel;
	choice->n_units = (total + conv->tile - 1) / conv->tile;
	choice->unit_cost = conv->tile * taps * n * s->filters;
	choice->scratch = 0;
	if (!conv->direct && !mren_size_mul(conv->tile, row, &choice->scratch))
		return mren_fail_nomem(err);
	return MREN_OK;
}
