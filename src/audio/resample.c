/*
 * resample.c
 *	  A polyphase windowed-sinc filter.
 *
 * With in_rate / out_rate = step / n_phases in lowest terms, instants of the result fall on
 * n_phases different places between two samples of the input, and each has coefficients of its
 * own: a row of a table.  If that were too many rows, the table has rows for fewer places, and
 * what lies between two of them is interpolated linearly.  The error of that is, for a frequency f
 * of the input in cycles a sample, at most (2 pi f / rows)^2 / 8: -106 dB with the rows used here.
 *
 * Sums are in a fixed order, so results do not depend on how the input is cut.
 */
#include "audio/resample.h"

#include <math.h>

#include "base/dispatch.h"

MREN_VECTORIZE

/* Zero crossings on each side, at the lower rate. */
#define CROSSINGS 128
/* Attenuation of 90 dB: 0.1102 * (90 - 8.7) (Kaiser 1974). */
#define BETA 8.96
/* The middle of the transition, as a share of half the lower rate; it ends at 1. */
#define CUTOFF 0.9775
#define WINDOW_STEPS 4096
#define MAX_TABLE ((size_t) 1 << 18)
#define MAX_QUOTIENT 1000
/* Places between two samples for interpolation, if both have the lower rate. */
#define PLACES 512
#define LANES 32
/* Products between two checks for interrupts. */
#define CHECK_EVERY ((size_t) 1 << 22)

struct MrenAudioFilter
{
	const MrenEnv *env;
	size_t n_phases;
	size_t step;
	size_t half;   /* samples on each side */
	size_t n_taps; /* 2 * half, rounded up to whole lanes by zeros */
	double scale;  /* crossings a sample of the input */
	size_t at;	   /* where the next window begins in the input */
	size_t phase;
	size_t n_places; /* rows of the table between two samples */
	bool interpolates;
	float *table; /* (n_places, n_taps), and one row more for interpolation */
	double window[WINDOW_STEPS + 2];
};

static uint32_t
common_divisor(uint32_t a, uint32_t b)
{
	while (b != 0)
	{
		uint32_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* The modified Bessel function of order 0, by its power series. */
static double
bessel_i0(double x)
{
	double term = 1;
	double sum = 1;

	for (int k = 1; term > sum * 1e-17; k++)
	{
		term *= x / (2 * k) * (x / (2 * k));
		sum += term;
	}
	return sum;
}

static void
fill_window(double *window)
{
	for (int i = 0; i <= WINDOW_STEPS; i++)
	{
		double t = (double) i / WINDOW_STEPS;

		window[i] = bessel_i0(BETA * sqrt(1 - t * t)) / bessel_i0(BETA);
	}
	window[WINDOW_STEPS + 1] = window[WINDOW_STEPS];
}

/* t: crossings from the middle; 0 outside the window. */
static double
window_at(const double *window, double t)
{
	double place = fabs(t) * WINDOW_STEPS / CROSSINGS;
	size_t i = (size_t) place;

	if (place >= WINDOW_STEPS)
		return 0;
	return window[i] + (place - (double) i) * (window[i + 1] - window[i]);
}

/*
 * The n_taps coefficients of an instant that is `shift` (0 to 1) of a sample after the middle of
 * the window; their sum is 1.  The sine advances by a fixed angle from tap to tap, so two products
 * replace each call of sin.
 */
static void
fill_row(const MrenAudioFilter *filter, double shift, float *out)
{
	double first = (-(double) filter->half + 1 - shift) * filter->scale;
	double angle = M_PI * CUTOFF * filter->scale;
	double s = sin(M_PI * CUTOFF * first);
	double c = cos(M_PI * CUTOFF * first);
	double ds = sin(angle);
	double dc = cos(angle);
	double sum = 0;

	for (size_t i = 0; i < filter->n_taps; i++)
	{
		double t = first + (double) i * filter->scale;
		double x = M_PI * CUTOFF * t;
		double value = (fabs(x) < 1e-6 ? 1 : s / x) * window_at(filter->window, t);
		double next = s * dc + c * ds;

		c = c * dc - s * ds;
		s = next;
		if (i >= 2 * filter->half)
			value = 0;
		out[i] = (float) value;
		sum += value;
	}
	for (size_t i = 0; i < filter->n_taps; i++)
		out[i] = (float) ((double) out[i] / sum);
}

/* The window is symmetric, so the coefficients of 1 - shift are those of shift reversed. */
static void
mirror_row(const MrenAudioFilter *filter, const float *in, float *out)
{
	size_t n = 2 * filter->half;

	for (size_t i = 0; i < filter->n_taps; i++)
		out[i] = i < n ? in[n - 1 - i] : 0;
}

static MrenStatus
fill_table(MrenAudioFilter *filter, MrenError *err)
{
	size_t n = filter->n_taps;
	size_t n_rows;

	filter->interpolates = filter->n_phases > MAX_TABLE / n;
	filter->n_places =
		filter->interpolates ? (size_t) ceil(PLACES * filter->scale) : filter->n_phases;
	n_rows = filter->n_places + filter->interpolates;
	MREN_TRY(mren_allocate(filter->env, n_rows * n, sizeof(float), &filter->table, err));
	for (size_t i = 0; i < n_rows; i++)
	{
		MREN_TRY(mren_check_interrupts(filter->env, err));
		if (2 * i <= filter->n_places)
			fill_row(filter, (double) i / (double) filter->n_places, filter->table + i * n);
		else
			mirror_row(filter, filter->table + (filter->n_places - i) * n, filter->table + i * n);
	}
	return MREN_OK;
}

MrenStatus
mren_audio_filter_create(const MrenEnv *env, uint32_t in_rate, uint32_t out_rate,
						 MrenAudioFilter **out, MrenError *err)
{
	MrenAudioFilter *filter;
	MrenStatus status;
	uint32_t divisor;

	*out = NULL;
	if (in_rate == 0 || out_rate == 0 || in_rate / MAX_QUOTIENT > out_rate)
		return mren_fail(err, MREN_EPARAM, "cannot resample from %u Hz to %u Hz", in_rate,
						 out_rate);
	MREN_TRY(mren_allocate_zero(env, 1, sizeof(*filter), &filter, err));
	divisor = common_divisor(in_rate, out_rate);
	filter->env = env;
	filter->n_phases = out_rate / divisor;
	filter->step = in_rate / divisor;
	filter->scale = in_rate > out_rate ? (double) out_rate / in_rate : 1;
	filter->half = (size_t) ceil(CROSSINGS / filter->scale);
	filter->n_taps = (2 * filter->half + LANES - 1) / LANES * LANES;
	fill_window(filter->window);
	status = fill_table(filter, err);
	if (status == MREN_OK)
		*out = filter;
	else
		mren_audio_filter_free(filter);
	return status;
}

void
mren_audio_filter_free(MrenAudioFilter *filter)
{
	if (filter == NULL)
		return;
	mren_release(filter->env, filter->table);
	mren_release(filter->env, filter);
}

size_t
mren_audio_filter_before(const MrenAudioFilter *filter)
{
	return filter->half - 1;
}

/* The taps that only fill the last lanes read zeros, too. */
size_t
mren_audio_filter_after(const MrenAudioFilter *filter)
{
	return filter->n_taps - filter->half;
}

/* n is a multiple of LANES. */
extern void mren_audio_dot(const float *a, const float *b, size_t n, float *out);
MREN_KERNEL(mren_audio_dot, (const float *a, const float *b, size_t n, float *out), (a, b, n, out))
{
	float sums[LANES] = {0};

	for (size_t i = 0; i < n; i += LANES)
	{
		for (size_t lane = 0; lane < LANES; lane++)
			sums[lane] += a[i + lane] * b[i + lane];
	}
	for (size_t width = LANES / 2; width > 0; width /= 2)
	{
		for (size_t lane = 0; lane < width; lane++)
			sums[lane] += sums[lane + width];
	}
	*out = sums[0];
}

/* The sample of the result whose window begins at `in`. */
static float
sample_at(const MrenAudioFilter *filter, const float *in)
{
	size_t n = filter->n_taps;
	double place = (double) filter->phase * (double) filter->n_places / (double) filter->n_phases;
	size_t row = (size_t) place;
	float value, next;

	mren_audio_dot(in, filter->table + row * n, n, &value);
	if (!filter->interpolates)
		return value;
	mren_audio_dot(in, filter->table + (row + 1) * n, n, &next);
	return value + (float) (place - (double) row) * (next - value);
}

MrenStatus
mren_audio_filter_run(MrenAudioFilter *filter, MrenAudioBlock *block, MrenError *err)
{
	size_t every = CHECK_EVERY / filter->n_taps + 1;
	size_t n = block->n_in;

	for (block->n_out = 0; block->n_out < block->capacity; block->n_out++)
	{
		if (block->n_out % every == 0)
			MREN_TRY(mren_check_interrupts(filter->env, err));
		if (filter->at > n || n - filter->at < filter->n_taps)
			break;
		block->out[block->n_out] = sample_at(filter, block->in + filter->at);
		filter->phase += filter->step;
		filter->at += filter->phase / filter->n_phases;
		filter->phase %= filter->n_phases;
	}
	block->n_used = filter->at < n ? filter->at : n;
	filter->at -= block->n_used;
	return MREN_OK;
}
