/*
 * conv_simd.c
 *	  Convolution through the kernels of simd.h.
 *
 * Filters are packed in panels of whole vectors; a unit of work is a chunk of
 * output pixels, for which the pointers to what each tap reads are laid out
 * once and used by every panel.  Padding points at zeros.  With few channels
 * the taps are gathered into rows instead, so that one long run replaces many
 * short ones.
 */
#include <math.h>
#include <string.h>

#include "base/size.h"
#include "onnx/kernels/conv.h"
#include "onnx/simd/simd.h"

/* Output pixels a unit: a multiple of every tile's pixels. */
#define CHUNK_PIXELS ((size_t) 240)

/* Below so many channels, taps are gathered. */
#define CHANNELS_GATHERED 16

/* Scratch: pointers by tap and pixel, then zeros or the gathered rows. */
static size_t
pointer_bytes(const MrenOnnxConv *conv)
{
	size_t taps = conv->gathered ? 1 : mren_onnx_window_taps(&conv->shape.window);
	size_t bytes = taps * CHUNK_PIXELS * sizeof(const float *);

	return (bytes + MREN_ALIGNMENT - 1) / MREN_ALIGNMENT * MREN_ALIGNMENT;
}

/* Pixel r of the chunk: where each of its taps reads. */
static void
point_taps(const MrenOnnxConv *conv, const float *image, const float *zeros, const size_t *at,
		   const float **rows)
{
	const MrenOnnxWindow *w = &conv->shape.window;
	size_t first[MREN_ONNX_SPATIAL_MAX];
	size_t last[MREN_ONNX_SPATIAL_MAX];

	for (int d = 0; d < MREN_ONNX_SPATIAL_MAX; d++)
		mren_onnx_window_range(w, d, at[d], &first[d], &last[d]);
	for (size_t kd = 0; kd < w->kernel[0]; kd++)
	{
		for (size_t kh = 0; kh < w->kernel[1]; kh++)
		{
			size_t id = at[0] * w->stride[0] + kd * w->dilation[0] - w->before[0];
			size_t ih = at[1] * w->stride[1] + kh * w->dilation[1] - w->before[1];
			bool inside = kd >= first[0] && kd < last[0] && kh >= first[1] && kh < last[1];

			for (size_t kw = 0; kw < w->kernel[2]; kw++, rows += CHUNK_PIXELS)
			{
				size_t iw = at[2] * w->stride[2] + kw * w->dilation[2] - w->before[2];

				*rows = inside && kw >= first[2] && kw < last[2]
							? image + ((id * w->in[1] + ih) * w->in[2] + iw) * conv->shape.channels
							: zeros;
			}
		}
	}
}

static void
point_chunk(const MrenOnnxConv *conv, const float *x, size_t first, size_t n, char *scratch)
{
	const MrenOnnxConvShape *s = &conv->shape;
	const float **rows = (const float **) (void *) scratch;
	float *rest = (float *) (void *) (scratch + pointer_bytes(conv));
	size_t pixels = mren_onnx_window_out(&s->window);
	size_t image = mren_onnx_window_in(&s->window) * s->channels;
	size_t row = s->channels * mren_onnx_window_taps(&s->window);
	size_t at[MREN_ONNX_SPATIAL_MAX];

	for (size_t r = 0; r < n && conv->direct; r++)
		rows[r] = x + (first + r) * s->channels;
	if (conv->direct)
		return;
	if (!conv->gathered)
		memset(rest, 0, s->channels * sizeof(float));
	mren_onnx_window_at(&s->window, first % pixels, at);
	for (size_t r = 0; r < n; r++)
	{
		const float *from = x + (first + r) / pixels * image;

		if (conv->gathered)
		{
			mren_onnx_conv_gather(conv, from, at, 0, s->channels, rest + r * row);
			rows[r] = rest + r * row;
		}
		else
			point_taps(conv, from, rest, at, rows + r);
		mren_onnx_window_next(&s->window, at);
	}
}

static bool
is_clip(const MrenOnnxActivation *activation)
{
	return activation->kind == MREN_ONNX_UNARY_NONE || activation->kind == MREN_ONNX_UNARY_CLIP;
}

/* In tiles of nearly equal size. */
void
mren_onnx_conv_simd_panel(const MrenOnnxSimd *simd, const MrenOnnxTile *tile, size_t vectors,
						  size_t n)
{
	size_t most = simd->pixels[vectors];
	size_t n_tiles = (n + most - 1) / most;
	MrenOnnxTile part = *tile;
	size_t done = 0;

	for (size_t i = 0; i < n_tiles; i++)
	{
		size_t pixels = (n - done + (n_tiles - i) - 1) / (n_tiles - i);

		part.rows = tile->rows + done;
		part.y = tile->y + done * tile->pitch;
		if (tile->residual != NULL)
			part.residual = tile->residual + done * tile->residual_pitch;
		simd->tiles[vectors][pixels](&part);
		done += pixels;
	}
}

static void
activate_pixels(const MrenOnnxConv *conv, const MrenOnnxTile *tile, size_t n)
{
	if (is_clip(&conv->activation))
		return;
	for (size_t r = 0; r < n; r++)
		mren_onnx_activate(&conv->activation, tile->y + r * tile->pitch, tile->y + r * tile->pitch,
						   tile->n_filters);
}

static void
run_chunk(const MrenOnnxConv *conv, const MrenOnnxStep *step, const MrenOnnxFrame *frame,
		  size_t first, size_t n)
{
	const MrenOnnxConvShape *s = &conv->shape;
	size_t lanes = conv->simd->lanes;
	size_t row = s->channels * mren_onnx_window_taps(&s->window);
	bool clips = conv->activation.kind == MREN_ONNX_UNARY_CLIP;
	const float *w = conv->weights;
	float *y = (float *) mren_onnx_operand(frame, &step->out) + first * step->out.pitch;
	MrenOnnxTile tile = {0};

	point_chunk(conv, mren_onnx_operand(frame, &step->in[0]), first, n, frame->scratch);
	tile.row_stride = CHUNK_PIXELS;
	tile.taps = conv->gathered ? 1 : mren_onnx_window_taps(&s->window);
	tile.channels = row / tile.taps;
	tile.pitch = step->out.pitch;
	tile.low = clips ? conv->activation.a : -INFINITY;
	tile.high = clips ? conv->activation.b : INFINITY;
	for (size_t f = 0; f < s->filters;)
	{
		size_t vectors = (s->filters - f + lanes - 1) / lanes;

		if (vectors > conv->simd->vectors)
			vectors = conv->simd->vectors;
		tile.n_filters = s->filters - f < vectors * lanes ? s->filters - f : vectors * lanes;
		tile.rows = (const float *const *) (void *) frame->scratch;
		tile.w = w;
		tile.bias = conv->bias + f;
		tile.y = y + f;
		if (conv->has_residual)
		{
			tile.residual_pitch = step->in[1].pitch;
			tile.residual = (const float *) mren_onnx_operand(frame, &step->in[1]) +
							first * tile.residual_pitch + f;
		}
		mren_onnx_conv_simd_panel(conv->simd, &tile, vectors, n);
		activate_pixels(conv, &tile, n);
		w += row * vectors * lanes;
		f += vectors * lanes;
	}
}

static MrenStatus
simd_kernel(const MrenOnnxStep *step, const MrenOnnxFrame *frame, size_t begin, size_t end,
			MrenError *err)
{
	const MrenOnnxConv *conv = step->params;
	size_t total = conv->shape.batch * mren_onnx_window_out(&conv->shape.window);

	(void) err;
	for (size_t u = begin; u < end; u++)
	{
		size_t first = u * CHUNK_PIXELS;
		size_t n = total - first < CHUNK_PIXELS ? total - first : CHUNK_PIXELS;

		run_chunk(conv, step, frame, first, n);
	}
	return MREN_OK;
}

#define CHANNELS_PACKED 16

/* Channels first .. last-1 of one filter, to its place in each row of a panel. */
static void
pack_filter(const MrenOnnxConvShape *s, const float *w, float factor, size_t first, size_t last,
			size_t width, float *packed)
{
	size_t taps = mren_onnx_window_taps(&s->window);

	for (size_t c = first; c < last; c++)
	{
		for (size_t t = 0; t < taps; t++)
			packed[(t * s->channels + c) * width] = w[c * taps + t] * factor;
	}
}

/* (panel, tap, channel, filter), zeros after the last filter. */
static void
pack_panels(const MrenOnnxConv *conv, const float *w, const float *scale, float *packed)
{
	const MrenOnnxConvShape *s = &conv->shape;
	size_t taps = mren_onnx_window_taps(&s->window);
	size_t lanes = conv->simd->lanes;

	for (size_t f = 0; f < s->filters;)
	{
		size_t vectors = (s->filters - f + lanes - 1) / lanes;
		size_t width = (vectors < conv->simd->vectors ? vectors : conv->simd->vectors) * lanes;
		size_t n = s->filters - f < width ? s->filters - f : width;

		memset(packed, 0, taps * s->channels * width * sizeof(float));
		/* by blocks of channels, so that what is written stays in cache */
		for (size_t c = 0; c < s->channels; c += CHANNELS_PACKED)
		{
			size_t stop = c + CHANNELS_PACKED < s->channels ? c + CHANNELS_PACKED : s->channels;

			for (size_t k = 0; k < n; k++)
				pack_filter(s, w + (f + k) * s->channels * taps,
							scale != NULL ? scale[f + k] : 1.0f, c, stop, width, packed + k);
		}
		packed += taps * s->channels * width;
		f += width;
	}
}

MrenStatus
mren_onnx_conv_simd_pad_bias(MrenOnnxPlan *plan, MrenOnnxConv *conv, MrenError *err)
{
	size_t lanes = conv->simd->lanes;
	size_t n = (conv->shape.filters + lanes - 1) / lanes * lanes;
	float *padded;

	MREN_TRY(mren_onnx_pool_block(plan->pool, n, sizeof(float), &padded, err));
	memset(padded, 0, n * sizeof(float));
	memcpy(padded, conv->bias, conv->shape.filters * sizeof(float));
	mren_onnx_pool_release(plan->pool, (void *) (uintptr_t) conv->bias);
	conv->bias = padded;
	return MREN_OK;
}

MrenStatus
mren_onnx_conv_simd_pack(MrenOnnxPlan *plan, MrenOnnxConv *conv, const float *w, const float *scale,
						 MrenOnnxConvChoice *choice, MrenError *err)
{
	const MrenOnnxConvShape *s = &conv->shape;
	size_t lanes = conv->simd->lanes;
	size_t row = s->channels * mren_onnx_window_taps(&s->window);
	size_t total = s->batch * mren_onnx_window_out(&s->window);
	size_t filters = (s->filters + lanes - 1) / lanes * lanes;
	size_t rest;
	float *packed;
	bool filled;

	if (!mren_size_mul(row, filters, &rest))
		return mren_fail_nomem(err);
	MREN_TRY(mren_onnx_pool_weights(plan->pool, rest, sizeof(float), &packed, &filled, err));
	if (!filled)
		pack_panels(conv, w, scale, packed);
	MREN_TRY(mren_onnx_conv_simd_pad_bias(plan, conv, err));
	conv->weights = packed;
	conv->direct = mren_onnx_conv_is_direct(&s->window);
	conv->gathered = !conv->direct && s->channels < CHANNELS_GATHERED;
	choice->kernel = simd_kernel;
	choice->n_units = (total + CHUNK_PIXELS - 1) / CHUNK_PIXELS;
	choice->unit_cost = (total < CHUNK_PIXELS ? total : CHUNK_PIXELS) * row * s->filters / 2;
	rest = conv->direct ? 0 : conv->gathered ? CHUNK_PIXELS * row : s->channels;
	choice->scratch = pointer_bytes(conv) + rest * sizeof(float);
	return MREN_OK;
}

/* ---- depthwise ---- */

/*
 * Output columns first .. last-1 whose windows lie inside the input along the
 * row: the others have taps to skip.
 */
static void
inner_columns(const MrenOnnxWindow *w, size_t *first, size_t *last)
{
	size_t extent = (w->kernel[2] - 1) * w->dilation[2] + 1;
	size_t limit = w->in[2] + w->before[2];

	*first = (w->before[2] + w->stride[2] - 1) / w->stride[2];
	*last = limit < extent ? 0 : (limit - extent) / w->stride[2] + 1;
	if (*last > w->out[2])
		*last = w->out[2];
	if (*first > *last)
		*first = *last;
}

/*
 * n pixels from output column `at`, taps outside left out.  Scratch holds the offsets of each
 * tap's input and weights.
 */
static void
depth_run(const MrenOnnxConv *conv, const float *x, const size_t *at, size_t n, char *scratch,
		  float *y, size_t pitch)
{
	const MrenOnnxWindow *w = &conv->shape.window;
	size_t channels = conv->shape.channels;
	ptrdiff_t *offsets = (ptrdiff_t *) (void *) scratch;
	size_t *weights = (size_t *) (void *) (offsets + mren_onnx_window_taps(w));
	bool clips = conv->activation.kind == MREN_ONNX_UNARY_CLIP;
	size_t first[MREN_ONNX_SPATIAL_MAX];
	size_t last[MREN_ONNX_SPATIAL_MAX];
	MrenOnnxDepthRow row = {0};

	for (int d = 0; d < MREN_ONNX_SPATIAL_MAX; d++)
		mren_onnx_window_range(w, d, at[d], &first[d], &last[d]);
	for (size_t kd = first[0]; kd < last[0]; kd++)
	{
		for (size_t kh = first[1]; kh < last[1]; kh++)
		{
			size_t id = at[0] * w->stride[0] + kd * w->dilation[0] - w->before[0];
			size_t ih = at[1] * w->stride[1] + kh * w->dilation[1] - w->before[1];

			for (size_t kw = first[2]; kw < last[2]; kw++, row.taps++)
			{
				size_t iw = at[2] * w->stride[2] + kw * w->dilation[2] - w->before[2];
				size_t tap = (kd * w->kernel[1] + kh) * w->kernel[2] + kw;

				offsets[row.taps] = (ptrdiff_t) (((id * w->in[1] + ih) * w->in[2] + iw) * channels);
				weights[row.taps] = tap * channels;
			}
		}
	}
	row.x = x;
	row.offsets = offsets;
	row.step = w->stride[2] * channels;
	row.n = n;
	row.channels = channels;
	row.w = conv->weights;
	row.weights = weights;
	row.bias = conv->bias;
	row.y = y;
	row.pitch = pitch;
	row.low = clips ? conv->activation.a : -INFINITY;
	row.high = clips ? conv->activation.b : INFINITY;
	conv->simd->depth_row(&row);
	if (!is_clip(&conv->activation))
	{
		for (size_t i = 0; i < n; i++)
			mren_onnx_activate(&conv->activation, y + i * pitch, y + i * pitch, channels);
	}
}

/* Units are output rows: a border pixel by pixel, the inside in one run. */
static MrenStatus
depth_kernel(const MrenOnnxStep *step, const MrenOnnxFrame *frame, size_t begin, size_t end,
			 MrenError *err)
{
	const MrenOnnxConv *conv = step->params;
	const MrenOnnxWindow *w = &conv->shape.window;
	size_t rows = w->out[0] * w->out[1];
	size_t pitch = step->out.pitch;
	size_t first;
	size_t last;

	(void) err;
	inner_columns(w, &first, &last);
	for (size_t u = begin; u < end; u++)
	{
		const float *x = (const float *) mren_onnx_operand(frame, &step->in[0]) +
						 u / rows * mren_onnx_window_in(w) * conv->shape.channels;
		float *y = (float *) mren_onnx_operand(frame, &step->out) + u * w->out[2] * pitch;

		for (size_t i = 0; i < w->out[2];)
		{
			size_t n = i == first && last > first ? last - first : 1;
			size_t at[MREN_ONNX_SPATIAL_MAX];

			mren_onnx_window_at(w, u % rows * w->out[2] + i, at);
			depth_run(conv, x, at, n, frame->scratch, y + i * pitch, pitch);
			i += n;
		}
	}
	return MREN_OK;
}

bool
mren_onnx_conv_simd_depthwise(const MrenOnnxConv *conv)
{
	return mren_onnx_conv_is_depthwise(&conv->shape) && !conv->has_residual &&
		   conv->shape.channels % conv->simd->lanes == 0;
}

MrenStatus
mren_onnx_conv_simd_depthwise_pack(MrenOnnxPlan *plan, MrenOnnxConv *conv, const float *w,
								   const float *scale, MrenOnnxConvChoice *choice, MrenError *err)
{
	size_t taps = mren_onnx_window_taps(&conv->shape.window);

	MREN_TRY(mren_onnx_conv_depthwise_pack(plan, conv, w, scale, choice, err));
	choice->kernel = depth_kernel;
	choice->unit_cost /= 8;
	choice->scratch = taps * (sizeof(ptrdiff_t) + sizeof(size_t));
	return MREN_OK;
}
