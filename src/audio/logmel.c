/*
 * logmel.c
 *	  Log-mel statistics, updated frame by frame (Welford 1962).
 */
#include "audio/logmel.h"

#include <math.h>
#include <string.h>

#define FRAME 400
#define HOP 160
#define FLOOR 0.001
/* Frames between two checks for interrupts. */
#define CHECK_EVERY 256

/* Another definition of the statistics would have another. */
const uint8_t mren_logmel_identity[32] = "mren log-mel statistics 1";

/* Mean and sum of squared deviations of what has been added. */
typedef struct Moments
{
	double mean;
	double squares;
} Moments;

struct MrenLogmel
{
	const MrenEnv *env;
	MrenFft fft;
	MrenMel mel;
	double window[FRAME];
	float samples[FRAME];
	size_t n_samples;
	size_t n_frames;
	double last[MREN_MEL_BANDS];
	double largest[MREN_MEL_BANDS];
	Moments values[MREN_MEL_BANDS];
	Moments differences[MREN_MEL_BANDS];
};

MrenStatus
mren_logmel_create(const MrenEnv *env, MrenLogmel **out, MrenError *err)
{
	MrenLogmel *logmel;

	*out = NULL;
	MREN_TRY(mren_allocate_zero(env, 1, sizeof(*logmel), &logmel, err));
	logmel->env = env;
	mren_fft_init(&logmel->fft);
	mren_mel_init(&logmel->mel);
	for (size_t i = 0; i < FRAME; i++)
		logmel->window[i] = 0.5 - 0.5 * cos(2 * M_PI * (double) i / FRAME);
	*out = logmel;
	return MREN_OK;
}

void
mren_logmel_free(MrenLogmel *logmel)
{
	if (logmel != NULL)
		mren_release(logmel->env, logmel);
}

void
mren_logmel_restart(MrenLogmel *logmel)
{
	logmel->n_samples = 0;
	logmel->n_frames = 0;
	memset(logmel->values, 0, sizeof(logmel->values));
	memset(logmel->differences, 0, sizeof(logmel->differences));
}

/* n: values added, this one included. */
static void
add_value(Moments *moments, size_t n, double value)
{
	double from_old = value - moments->mean;

	moments->mean += from_old / (double) n;
	moments->squares += from_old * (value - moments->mean);
}

static void
add_frame(MrenLogmel *logmel)
{
	double x[MREN_FFT_SIZE] = {0};
	double magnitudes[MREN_FFT_BINS];
	double bands[MREN_MEL_BANDS];
	size_t n = ++logmel->n_frames;

	for (size_t i = 0; i < FRAME; i++)
		x[i] = (double) logmel->samples[i] * logmel->window[i];
	mren_fft_magnitudes(&logmel->fft, x, magnitudes);
	mren_mel_bands(&logmel->mel, magnitudes, bands);
	for (size_t band = 0; band < MREN_MEL_BANDS; band++)
	{
		double value = log(bands[band] + FLOOR);

		add_value(&logmel->values[band], n, value);
		if (n > 1)
			add_value(&logmel->differences[band], n - 1, value - logmel->last[band]);
		if (n == 1 || value > logmel->largest[band])
			logmel->largest[band] = value;
		logmel->last[band] = value;
	}
}

MrenStatus
mren_logmel_add(MrenLogmel *logmel, const float *samples, size_t n, MrenError *err)
{
	while (n > 0)
	{
		size_t room = FRAME - logmel->n_samples;
		size_t n_now = n < room ? n : room;

		memcpy(logmel->samples + logmel->n_samples, samples, n_now * sizeof(float));
		logmel->n_samples += n_now;
		samples += n_now;
		n -= n_now;
		if (logmel->n_samples < FRAME)
			break;
		add_frame(logmel);
		logmel->n_samples = FRAME - HOP;
		memmove(logmel->samples, logmel->samples + HOP, logmel->n_samples * sizeof(float));
		if (logmel->n_frames % CHECK_EVERY == 0)
			MREN_TRY(mren_check_interrupts(logmel->env, err));
	}
	return MREN_OK;
}

static double
deviation(const Moments *moments, size_t n)
{
	return n > 0 ? sqrt(moments->squares / (double) n) : 0;
}

MrenStatus
mren_logmel_finish(MrenLogmel *logmel, float *out, MrenError *err)
{
	size_t n;

	if (logmel->n_frames == 0)
	{
		memset(logmel->samples + logmel->n_samples, 0, (FRAME - logmel->n_samples) * sizeof(float));
		add_frame(logmel);
	}
	n = logmel->n_frames;
	for (size_t band = 0; band < MREN_MEL_BANDS; band++)
	{
		out[band] = (float) logmel->values[band].mean;
		out[MREN_MEL_BANDS + band] = (float) deviation(&logmel->values[band], n);
		out[2 * MREN_MEL_BANDS + band] = (float) logmel->largest[band];
		out[3 * MREN_MEL_BANDS + band] = (float) deviation(&logmel->differences[band], n - 1);
	}
	for (size_t i = 0; i < MREN_LOGMEL_SIZE; i++)
	{
		if (!isfinite(out[i]))
			return mren_fail(err, MREN_ENUMERIC,
							 "number %zu of the recording's log-mel statistics is not finite", i);
	}
	return mren_check_interrupts(logmel->env, err);
}
