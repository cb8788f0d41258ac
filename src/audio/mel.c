/*
 * mel.c
 *	  Mel bands.
 */
#include "audio/mel.h"

#include <math.h>
#include <string.h>

#define LOWEST 125.0
#define HIGHEST 7500.0

static double
mel_of(double hertz)
{
	return 1127 * log(1 + hertz / 700);
}

void
mren_mel_init(MrenMel *mel)
{
	double low = mel_of(LOWEST);
	double step = (mel_of(HIGHEST) - low) / (MREN_MEL_BANDS + 1);

	memset(mel, 0, sizeof(*mel));
	for (size_t band = 0; band < MREN_MEL_BANDS; band++)
	{
		double left = low + step * (double) band;

		for (size_t bin = 1; bin < MREN_FFT_BINS; bin++)
		{
			double at = mel_of((double) bin * MREN_MEL_RATE / MREN_FFT_SIZE);
			double rising = (at - left) / step;
			double weight = rising < 1 ? rising : 2 - rising;

			if (weight <= 0)
				continue;
			if (mel->n[band] == 0)
				mel->first[band] = bin;
			mel->weights[band][mel->n[band]++] = weight;
		}
	}
}

void
mren_mel_bands(const MrenMel *mel, const double *magnitudes, double *bands)
{
	for (size_t band = 0; band < MREN_MEL_BANDS; band++)
	{
		double sum = 0;

		for (size_t i = 0; i < mel->n[band]; i++)
			sum += mel->weights[band][i] * magnitudes[mel->first[band] + i];
		bands[band] = sum;
	}
}
