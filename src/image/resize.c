/*
 * resize.c
 *	  Separable resampling with integer weights.
 *
 * An output row is made in two steps: the input rows it covers are summed,
 * weighted, into one row of the input's width (long, contiguous loops), then
 * that row is summed to the output's width.  The first sum is held in floats
 * and the second in doubles: both are exact for integers below 2^24 and 2^53.
 */
#include "image/resize.h"

#include <string.h>

/* Floats in a step of the column sums, so that the compiler unrolls it. */
#define STEP 16

/* Values summed between two checks for interrupts: about a millisecond. */
#define CHECK_EVERY ((size_t) 1 << 20)

/*
 * One output position along an axis: n input positions from start on.  The
 * first and the last have weights of their own, those between share one.
 */
typedef struct Tap
{
	uint32_t start, n;
	float first, middle, last;
} Tap;

typedef struct Axis
{
	Tap *taps;
	double denominator; /* what a position's weights sum to */
} Axis;

struct MrenResampler
{
	const MrenBitmap *in;
	uint32_t width;
	Axis rows, columns;
	size_t n_sums; /* 3 * input width */
	float *sums;   /* rounded up to STEP */
};

/*
 * Input position i covers [i * out, (i + 1) * out) and output position o covers
 * [o * in, (o + 1) * in) of the same line: the weights are their overlaps.
 */
static void
shrink_tap(uint64_t in, uint64_t out, uint64_t o, Tap *tap)
{
	uint64_t begin = o * in;
	uint64_t end = begin + in;
	uint64_t first = begin / out;
	uint64_t last = (end - 1) / out;

	tap->start = (uint32_t) first;
	tap->n = (uint32_t) (last - first + 1);
	tap->first = (float) (first == last ? in : (first + 1) * out - begin);
	tap->middle = (float) out;
	tap->last = (float) (end - last * out);
}

/*
 * The centre of output position o lies at ((2 o + 1) in - out) / (2 out),
 * counted between input centres; before the first and after the last centre
 * their values go on.
 */
static void
grow_tap(uint64_t in, uint64_t out, uint64_t o, Tap *tap)
{
	uint64_t center = (2 * o + 1) * in;
	uint64_t place = center > out ? center - out : 0;
	uint64_t start = place / (2 * out);
	uint64_t right = place % (2 * out);

	tap->start = (uint32_t) start;
	tap->n = right > 0 && start + 1 < in ? 2 : 1;
	tap->first = (float) (tap->n == 2 ? 2 * out - right : 2 * out);
	tap->middle = 0;
	tap->last = (float) right;
}

static MrenStatus
axis_create(const MrenEnv *env, uint32_t in, uint32_t out, Axis *axis, MrenError *err)
{
	MREN_TRY(mren_allocate(env, out, sizeof(Tap), &axis->taps, err));
	axis->denominator = out == in ? 1 : out < in ? in : 2.0 * out;
	for (uint32_t o = 0; o < out; o++)
	{
		if (out == in)
			axis->taps[o] = (Tap){.start = o, .n = 1, .first = 1};
		else if (out < in)
			shrink_tap(in, out, o, &axis->taps[o]);
		else
			grow_tap(in, out, o, &axis->taps[o]);
	}
	return MREN_OK;
}

MrenStatus
mren_resampler_create(const MrenEnv *env, const MrenBitmap *in, uint32_t width, uint32_t height,
					  MrenResampler **out, MrenError *err)
{
	MrenResampler *resampler;
	MrenStatus status;

	*out = NULL;
	MREN_TRY(mren_bitmap_check(in, err));
	if (width == 0 || height == 0)
		return mren_fail(err, MREN_EPARAM, "image size must be positive, not %u x %u", width,
						 height);
	MREN_TRY(mren_allocate_zero(env, 1, sizeof(*resampler), &resampler, err));
	resampler->in = in;
	resampler->width = width;
	resampler->n_sums = (size_t) in->width * MREN_RGB;
	status = axis_create(env, in->height, height, &resampler->rows, err);
	if (status == MREN_OK)
		status = axis_create(env, in->width, width, &resampler->columns, err);
	if (status == MREN_OK)
		status = mren_allocate(env, resampler->n_sums + STEP, sizeof(float), &resampler->sums, err);
	if (status != MREN_OK)
	{
		mren_resampler_free(env, resampler);
		return status;
	}
	*out = resampler;
	return MREN_OK;
}

void
mren_resampler_free(const MrenEnv *env, MrenResampler *resampler)
{
	if (resampler == NULL)
		return;
	mren_release(env, resampler->rows.taps);
	mren_release(env, resampler->columns.taps);
	mren_release(env, resampler->sums);
	mren_release(env, resampler);
}

double
mren_resampler_denominator(const MrenResampler *resampler)
{
	return resampler->rows.denominator * resampler->columns.denominator;
}

/* sums (n) = weight * row (n) */
static void
set_row(float *restrict sums, const uint8_t *restrict row, size_t n, float weight)
{
	size_t i = 0;

	for (; i + STEP <= n; i += STEP)
	{
		for (int k = 0; k < STEP; k++)
			sums[i + k] = weight * (float) row[i + k];
	}
	for (; i < n; i++)
		sums[i] = weight * (float) row[i];
}

/* sums (n) += weight * row (n) */
static void
add_row(float *restrict sums, const uint8_t *restrict row, size_t n, float weight)
{
	size_t i = 0;

	for (; i + STEP <= n; i += STEP)
	{
		for (int k = 0; k < STEP; k++)
			sums[i + k] += weight * (float) row[i + k];
	}
	for (; i < n; i++)
		sums[i] += weight * (float) row[i];
}

/* Checks for interrupts every CHECK_EVERY values: one output row may cover the whole input. */
static MrenStatus
sum_rows(const MrenEnv *env, MrenResampler *resampler, const Tap *tap, MrenError *err)
{
	size_t n = resampler->n_sums;
	const uint8_t *row = resampler->in->rgb + tap->start * n;
	size_t n_unchecked = 0;

	MREN_TRY(mren_check_interrupts(env, err));
	set_row(resampler->sums, row, n, tap->first);
	for (uint32_t i = 1; i < tap->n; i++)
	{
		n_unchecked += n;
		if (n_unchecked >= CHECK_EVERY)
		{
			MREN_TRY(mren_check_interrupts(env, err));
			n_unchecked = 0;
		}
		row += n;
		add_row(resampler->sums, row, n, i + 1 < tap->n ? tap->middle : tap->last);
	}
	return MREN_OK;
}

static void
sum_columns(const MrenResampler *resampler, const Tap *tap, double *pixel)
{
	const float *sums = resampler->sums + (size_t) tap->start * MREN_RGB;
	double r = 0, g = 0, b = 0;

	for (uint32_t i = 2; i < tap->n; i++)
	{
		sums += MREN_RGB;
		r += (double) sums[0];
		g += (double) sums[1];
		b += (double) sums[2];
	}
	r *= (double) tap->middle;
	g *= (double) tap->middle;
	b *= (double) tap->middle;
	if (tap->n > 1)
	{
		sums += MREN_RGB;
		r += (double) tap->last * (double) sums[0];
		g += (double) tap->last * (double) sums[1];
		b += (double) tap->last * (double) sums[2];
	}
	sums = resampler->sums + (size_t) tap->start * MREN_RGB;
	pixel[0] = r + (double) tap->first * (double) sums[0];
	pixel[1] = g + (double) tap->first * (double) sums[1];
	pixel[2] = b + (double) tap->first * (double) sums[2];
}

MrenStatus
mren_resampler_row(const MrenEnv *env, MrenResampler *resampler, uint32_t y, double *row,
				   MrenError *err)
{
	MREN_TRY(sum_rows(env, resampler, &resampler->rows.taps[y], err));
	for (uint32_t x = 0; x < resampler->width; x++)
		sum_columns(resampler, &resampler->columns.taps[x], row + (size_t) x * MREN_RGB);
	return MREN_OK;
}

/* Nearest integer of sum / denominator, halves up; both are integers, so this is exact. */
static void
round_row(const double *sums, size_t n, double denominator, uint8_t *row)
{
	for (size_t i = 0; i < n; i++)
		row[i] = (uint8_t) ((2 * sums[i] + denominator) / (2 * denominator));
}

MrenStatus
mren_image_resize(const MrenEnv *env, const MrenBitmap *in, uint32_t width, uint32_t height,
				  MrenBitmap *out, MrenError *err)
{
	MrenResampler *resampler;
	double *sums = NULL;
	size_t n_sums = (size_t) width * MREN_RGB;
	MrenStatus status;

	memset(out, 0, sizeof(*out));
	MREN_TRY(mren_resampler_create(env, in, width, height, &resampler, err));
	status = mren_bitmap_create(env, width, height, out, err);
	if (status == MREN_OK)
		status = mren_allocate(env, n_sums, sizeof(*sums), &sums, err);
	for (uint32_t y = 0; y < height && status == MREN_OK; y++)
	{
		status = mren_resampler_row(env, resampler, y, sums, err);
		if (status == MREN_OK)
			round_row(sums, n_sums, mren_resampler_denominator(resampler), out->rgb + y * n_sums);
	}
	mren_release(env, sums);
	mren_resampler_free(env, resampler);
	if (status != MREN_OK)
		mren_bitmap_free(env, out);
	return status;
}
