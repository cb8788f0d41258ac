/*
 * resample.c
 *	  A polyphase windowed-sinc filter.
 *
 * With in_rate / out_rate = step / n_phases in lowest terms, instants of the result fall on
 * n_phases different places between two samples of the input, and each has coefficients of its
 * own.  They are kept in a table, if that is small, and else computed at each instant.
 *
 * Sums are in a fixed order, so results do not depend on how the input is cut.
 */
#include "audio/resample.h"

#include <math.h>

/* Zero crossings on each side, at the lower rate. */
#define CROSSINGS 64
/* Attenuation of 90 dB: 0.1102 * (90 - 8.7) (Kaiser 1974). */
#define BETA 8.96
/* The middle of the transition, as a share of half the lower rate; it ends at 1. */
#define CUTOFF 0.955
#define WINDOW_STEPS 4096
#define MAX_TABLE ((size_t) 1 << 18)
#define MAX_QUOTIENT 1000
#define LANES 8
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
	bool in_table;
	float *coefficients; /* (n_phases, n_taps), or of one phase */
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
 * The n_taps coefficients of a phase; their sum is 1.  The sine advances by a fixed angle
 * from tap to tap, so two products replace each call of sin.
 */
static void
phase_coefficients(const MrenAudioFilter *filter, size_t phase, float *out)
{
	double shift = (double) phase / (double) filter->n_phases;
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

static MrenStatus
fill_table(MrenAudioFilter *filter, MrenError *err)
{
	size_t n_rows;

	filter->in_table = filter->n_phases <= MAX_TABLE / filter->n_taps;
	n_rows = filter->in_table ? filter->n_phases : 1;
	MREN_TRY(mren_allocate(filter->env, n_rows * filter->n_taps, sizeof(float),
						   &filter->coefficients, err));
	for (size_t i = 0; filter->in_table && i < n_rows; i++)
		phase_coefficients(filter, i, filter->coefficients + i * filter->n_taps);
	return mren_check_interrupts(filter->env, err);
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
	mren_release(filter->env, filter->coefficients);
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
static float
dot(const float *a, const float *b, size_t n)
{
	float sums[LANES] = {0};

	for (size_t i = 0; i < n; i += LANES)
	{
		for (size_t lane = 0; lane < LANES; lane++)
			sums[lane] += a[i + lane] * b[i + lane];
	}
	return ((sums[0] + sums[4]) + (sums[1] + sums[5])) +
		   ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

MrenStatus
mren_audio_filter_run(MrenAudioFilter *filter, const float *in, size_t n, float *out,
					  size_t capacity, size_t *n_used, size_t *n_out, MrenError *err)
{
	size_t every = CHECK_EVERY / filter->n_taps + 1;

	for (*n_out = 0; *n_out < capacity; (*n_out)++)
	{
		const float *coefficients = filter->coefficients;

		if (*n_out % every == 0)
			MREN_TRY(mren_check_interrupts(filter->env, err));
		if (filter->at > n || n - filter->at < filter->n_taps)
			break;
		if (filter->in_table)
			coefficients += filter->phase * filter->n_taps;
		else
			phase_coefficients(filter, filter->phase, filter->coefficients);
		out[*n_out] = dot(in + filter->at, coefficients, filter->n_taps);
		filter->phase += filter->step;
		filter->at += filter->phase / filter->n_phases;
		filter->phase %= filter->n_phases;
	}
	*n_used = filter->at < n ? filter->at : n;
	filter->at -= *n_used;
	return MREN_OK;
}
