/*
 * conv_winograd.c
 *	  3x3 convolution in the frequencies of Winograd's transforms.
 *
 * The result is cut into blocks of 4x4 pixels, or 2x2 where the image is small.  A
 * unit of work is a group of blocks: all of them are transformed, then for each
 * panel of filters every frequency is a product of matrices (blocks by channels
 * by filters, through the tiles of simd.h), whose sums are transformed back.
 * Filters are transformed once, when they are packed.
 *
 * Sums of products of this kind are less exact than the direct ones: with the
 * matrices of blocks of 4x4 by a factor of about ten, some 1e-6 of the largest value.
 */
#include <math.h>
#include <string.h>

#include "base/size.h"
#include "onnx/kernels/conv.h"
#include "onnx/simd/simd.h"

#define SIDE_MAX MREN_ONNX_WINOGRAD_SIDE
#define FREQUENCIES_MAX (SIDE_MAX * SIDE_MAX)
#define TAPS 9

/* Images of fewer pixels along a side are cut into blocks of 2x2. */
#define LARGE_IMAGE 10

/* Below so many channels or filters the transforms cost more than they save. */
#define CHANNELS_LEAST 16

/*
 * Transformed pixels of a group: what stays in a usual second-level cache, but so many blocks that
 * reading all the filters is worth it, which are too large for a cache where there are many channels.
 */
#define GROUP_BYTES ((size_t) 256 * 1024)
#define GROUP_LEAST 24
#define GROUP_MOST 48

typedef struct Layout
{
	size_t block;		/* pixels along a side of what a block gives */
	size_t side;		/* and of what it reads */
	size_t frequencies; /* side * side */
	size_t group;		/* blocks a unit, the last one may have fewer */
	size_t groups;
	size_t across, down;
	size_t blocks;	/* of all images */
	size_t width;	/* filters a panel */
	size_t scratch; /* bytes: pointers, zeros, transformed pixels, sums */
} Layout;

static size_t
aligned(size_t bytes)
{
	return (bytes + MREN_ALIGNMENT - 1) / MREN_ALIGNMENT * MREN_ALIGNMENT;
}

static Layout
lay_out(const MrenOnnxConv *conv)
{
	const MrenOnnxConvShape *s = &conv->shape;
	const MrenOnnxWindow *w = &s->window;
	Layout l = {.block = conv->block, .side = conv->block + 2};
	size_t bytes;

	l.frequencies = l.side * l.side;
	l.down = (w->out[1] + l.block - 1) / l.block;
	l.across = (w->out[2] + l.block - 1) / l.block;
	l.blocks = s->batch * l.down * l.across;
	bytes = l.frequencies * s->channels * sizeof(float);
	l.group = GROUP_BYTES / bytes;
	l.group = l.group < GROUP_LEAST ? GROUP_LEAST : l.group > GROUP_MOST ? GROUP_MOST : l.group;
	/* All groups have nearly the same size. */
	l.groups = (l.blocks + l.group - 1) / l.group;
	l.group = l.groups > 0 ? (l.blocks + l.groups - 1) / l.groups : 1;
	l.width = conv->simd->vectors * conv->simd->lanes;
	l.scratch = aligned(l.frequencies * l.group * sizeof(float *)) +
				aligned((s->channels + l.width) * sizeof(float)) + aligned(l.group * bytes) +
				aligned(l.frequencies * l.group * l.width * sizeof(float));
	return l;
}

bool
mren_onnx_conv_is_winograd(const MrenOnnxConv *conv)
{
	const MrenOnnxConvShape *s = &conv->shape;
	const MrenOnnxWindow *w = &s->window;
	size_t lanes = conv->simd->lanes;

	if (s->groups != 1 || s->channels < CHANNELS_LEAST || s->filters < CHANNELS_LEAST ||
		s->channels % lanes != 0 || s->filters % lanes != 0 || w->in[0] != 1 || w->kernel[0] != 1 ||
		w->stride[0] != 1 || w->out[0] != 1)
		return false;
	for (int d = 1; d < MREN_ONNX_SPATIAL_MAX; d++)
	{
		if (w->kernel[d] != 3 || w->stride[d] != 1 || w->dilation[d] != 1 || w->out[d] < 2)
			return false;
	}
	return true;
}

/* ---- filters ---- */

/* G of the transforms: (size + 2) rows of three. */
static const double small_rows[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
static const double large_rows[SIDE_MAX][3] = {
	{1.0 / 4, 0, 0},
	{-1.0 / 6, -1.0 / 6, -1.0 / 6},
	{-1.0 / 6, 1.0 / 6, -1.0 / 6},
	{1.0 / 24, 1.0 / 12, 1.0 / 6},
	{1.0 / 24, -1.0 / 12, 1.0 / 6},
	{0, 0, 1},
};

/* u = G g G', each value `step` floats after the one before. */
static void
transform_filter(size_t block, const float *g, double factor, float *u, size_t step)
{
	const double(*rows)[3] = block == 2 ? small_rows : large_rows;
	size_t side = block + 2;

	for (size_t i = 0; i < side; i++)
	{
		double half[3];

		for (size_t k = 0; k < 3; k++)
			half[k] = rows[i][0] * g[k] + rows[i][1] * g[3 + k] + rows[i][2] * g[6 + k];
		for (size_t j = 0; j < side; j++)
		{
			double sum = half[0] * rows[j][0] + half[1] * rows[j][1] + half[2] * rows[j][2];

			u[(i * side + j) * step] = (float) (sum * factor);
		}
	}
}

/* (panel, frequency, channel, filter); the last panel may be narrower. */
static void
pack_filters(const MrenOnnxConv *conv, const Layout *l, const float *w, const float *scale,
			 float *packed)
{
	const MrenOnnxConvShape *s = &conv->shape;

	for (size_t first = 0; first < s->filters; first += l->width)
	{
		size_t width = s->filters - first < l->width ? s->filters - first : l->width;

		for (size_t c = 0; c < s->channels; c++)
		{
			for (size_t k = 0; k < width; k++)
			{
				size_t f = first + k;

				transform_filter(l->block, w + (f * s->channels + c) * TAPS,
								 scale != NULL ? (double) scale[f] : 1.0, packed + c * width + k,
								 s->channels * width);
			}
		}
		packed += l->frequencies * s->channels * width;
	}
}

/* ---- running ---- */

/* The scratch of a unit, apart. */
typedef struct Work
{
	const float **rows; /* (frequency, block): what the tiles read */
	float *zeros;		/* as many as channels, or a panel's filters */
	float *pixels;		/* (frequency, block, channel) */
	float *sums;		/* (frequency, block, filter of the panel) */
} Work;

static Work
take_apart(const Layout *l, size_t channels, char *scratch)
{
	Work work;

	work.rows = (const float **) (void *) scratch;
	scratch += aligned(l->frequencies * l->group * sizeof(float *));
	work.zeros = (float *) (void *) scratch;
	scratch += aligned((channels + l->width) * sizeof(float));
	work.pixels = (float *) (void *) scratch;
	scratch += aligned(l->group * l->frequencies * channels * sizeof(float));
	work.sums = (float *) (void *) scratch;
	return work;
}

/* Where a block begins in the image, and in which. */
typedef struct Place
{
	size_t image, row, column;
} Place;

static Place
place_of(const Layout *l, size_t block)
{
	size_t in_image = block % (l->down * l->across);

	return (Place){block / (l->down * l->across), in_image / l->across * l->block,
				   in_image % l->across * l->block};
}

/* What the block at `place` reads, row by row; zeros for padding. */
static void
point_block(const MrenOnnxConv *conv, const Layout *l, const float *x, const Place *place,
			const float *zeros, const float **pixels)
{
	const MrenOnnxWindow *w = &conv->shape.window;

	x += place->image * w->in[1] * w->in[2] * conv->shape.channels;
	for (size_t i = 0; i < l->side; i++)
	{
		size_t row = place->row + i - w->before[1];

		for (size_t j = 0; j < l->side; j++)
		{
			size_t column = place->column + j - w->before[2];

			/* what lies before the image wraps around, and is not inside either */
			*pixels++ = row < w->in[1] && column < w->in[2]
							? x + (row * w->in[2] + column) * conv->shape.channels
							: zeros;
		}
	}
}

static void
transform_blocks(const MrenOnnxConv *conv, const Layout *l, const float *x, size_t first, size_t n,
				 const Work *work)
{
	size_t channels = conv->shape.channels;
	const float *pixels[FREQUENCIES_MAX];
	MrenOnnxWinogradIn in = {.x = pixels, .channels = channels, .step = l->group * channels};

	for (size_t b = 0; b < n; b++)
	{
		Place place = place_of(l, first + b);

		point_block(conv, l, x, &place, work->zeros, pixels);
		in.y = work->pixels + b * channels;
		conv->simd->winograd_in(&in, l->block);
		for (size_t k = 0; k < l->frequencies; k++)
			work->rows[k * l->group + b] = in.y + k * in.step;
	}
}

/* One block's filters first .. first + out->filters - 1 from its sums to the result. */
static void
finish_block(const MrenOnnxConv *conv, const Layout *l, const MrenOnnxStep *step,
			 const MrenOnnxFrame *frame, const Place *place, size_t first, MrenOnnxWinogradOut *out)
{
	const MrenOnnxWindow *w = &conv->shape.window;
	float *y = (float *) mren_onnx_operand(frame, &step->out) + first;
	const float *residual =
		conv->has_residual ? (const float *) mren_onnx_operand(frame, &step->in[1]) + first : NULL;
	float *to[FREQUENCIES_MAX];
	const float *more[FREQUENCIES_MAX];
	size_t n = 0;
	bool plain = conv->activation.kind == MREN_ONNX_UNARY_NONE ||
				 conv->activation.kind == MREN_ONNX_UNARY_CLIP;

	for (size_t i = 0; i < l->block; i++)
	{
		for (size_t j = 0; j < l->block; j++, n++)
		{
			size_t row = place->row + i;
			size_t column = place->column + j;
			size_t pixel = (place->image * w->out[1] + row) * w->out[2] + column;
			bool exists = row < w->out[1] && column < w->out[2];

			to[n] = exists ? y + pixel * step->out.pitch : NULL;
			more[n] = exists && residual != NULL ? residual + pixel * step->in[1].pitch : NULL;
		}
	}
	out->y = to;
	out->residual = more;
	conv->simd->winograd_out(out, l->block);
	for (size_t i = 0; i < n && !plain; i++)
	{
		if (to[i] != NULL)
			mren_onnx_activate(&conv->activation, to[i], to[i], out->filters);
	}
}

static void
run_group(const MrenOnnxConv *conv, const Layout *l, const MrenOnnxStep *step,
		  const MrenOnnxFrame *frame, size_t first, size_t n)
{
	const MrenOnnxConvShape *s = &conv->shape;
	bool clips = conv->activation.kind == MREN_ONNX_UNARY_CLIP;
	Work work = take_apart(l, s->channels, frame->scratch);
	const float *w = conv->weights;

	memset(work.zeros, 0, (s->channels + l->width) * sizeof(float));
	transform_blocks(conv, l, mren_onnx_operand(frame, &step->in[0]), first, n, &work);
	for (size_t f = 0; f < s->filters; f += l->width)
	{
		size_t width = s->filters - f < l->width ? s->filters - f : l->width;
		MrenOnnxTile tile = {.taps = 1,
							 .row_stride = l->group,
							 .channels = s->channels,
							 .bias = work.zeros,
							 .pitch = width,
							 .n_filters = width,
							 .low = -INFINITY,
							 .high = INFINITY};
		MrenOnnxWinogradOut out = {.step = l->group * width,
								   .filters = width,
								   .bias = conv->bias + f,
								   .low = clips ? conv->activation.a : -INFINITY,
								   .high = clips ? conv->activation.b : INFINITY};

		for (size_t k = 0; k < l->frequencies; k++)
		{
			tile.rows = work.rows + k * l->group;
			tile.w = w;
			tile.y = work.sums + k * out.step;
			mren_onnx_conv_simd_panel(conv->simd, &tile, width / conv->simd->lanes, n);
			w += s->channels * width;
		}
		for (size_t b = 0; b < n; b++)
		{
			Place place = place_of(l, first + b);

			out.sums = work.sums + b * width;
			finish_block(conv, l, step, frame, &place, f, &out);
		}
	}
}

static MrenStatus
winograd_kernel(const MrenOnnxStep *step, const MrenOnnxFrame *frame, size_t begin, size_t end,
				MrenError *err)
{
	const MrenOnnxConv *conv = step->params;
	Layout l = lay_out(conv);

	(void) err;
	for (size_t u = begin; u < end; u++)
	{
		size_t first = u * l.group;

		run_group(conv, &l, step, frame, first,
				  l.blocks - first < l.group ? l.blocks - first : l.group);
	}
	return MREN_OK;
}

MrenStatus
mren_onnx_conv_winograd_pack(MrenOnnxPlan *plan, MrenOnnxConv *conv, const float *w,
							 const float *scale, MrenOnnxConvChoice *choice, MrenError *err)
{
	const MrenOnnxConvShape *s = &conv->shape;
	const MrenOnnxWindow *window = &s->window;
	float *packed;
	bool filled;
	Layout l;
	size_t n;

	conv->block = window->out[1] >= LARGE_IMAGE && window->out[2] >= LARGE_IMAGE ? 4 : 2;
	l = lay_out(conv);
	if (!mren_size_mul(s->channels, s->filters, &n) || !mren_size_mul(n, l.frequencies, &n))
		return mren_fail_nomem(err);
	MREN_TRY(mren_onnx_pool_weights(plan->pool, n, sizeof(float), &packed, &filled, err));
	if (!filled)
		pack_filters(conv, &l, w, scale, packed);
	MREN_TRY(mren_onnx_conv_simd_pad_bias(plan, conv, err));
	conv->weights = packed;
	choice->kernel = winograd_kernel;
	choice->n_units = l.groups;
	choice->unit_cost = l.group * l.frequencies * s->channels * s->filters;
	choice->scratch = l.scratch;
	return MREN_OK;
}
