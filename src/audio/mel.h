/*
 * mel.h
 *	  Mel bands: triangular filters over a spectrum, evenly spaced in mel.
 *
 * mel(f) = 1127 ln(1 + f / 700) (O'Shaughnessy 1987), 64 bands from 125 to 7500 Hz as
 * Hershey and others 2017 have them.
 */
#ifndef MREN_AUDIO_MEL_H
#define MREN_AUDIO_MEL_H

#include "audio/fft.h"

#define MREN_MEL_BANDS 64
/* Hz */
#define MREN_MEL_RATE 16000

typedef struct MrenMel
{
	size_t first[MREN_MEL_BANDS]; /* bin */
	size_t n[MREN_MEL_BANDS];	  /* bins */
	double weights[MREN_MEL_BANDS][MREN_FFT_BINS];
} MrenMel;

extern void mren_mel_init(MrenMel *mel);

/* bands (MREN_MEL_BANDS) of magnitudes (MREN_FFT_BINS). */
extern void mren_mel_bands(const MrenMel *mel, const double *magnitudes, double *bands);

#endif
