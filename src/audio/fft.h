/*
 * fft.h
 *	  The magnitudes of a real signal's spectrum.
 *
 * Cooley and Tukey 1965, radix 2, in double precision: the same bits on every machine.
 */
#ifndef MREN_AUDIO_FFT_H
#define MREN_AUDIO_FFT_H

#include <stddef.h>

#define MREN_FFT_SIZE 512
#define MREN_FFT_BINS (MREN_FFT_SIZE / 2 + 1)

/* Sines and cosines, and the order in which inputs are taken. */
typedef struct MrenFft
{
	double cosine[MREN_FFT_SIZE / 2];
	double sine[MREN_FFT_SIZE / 2];
	size_t order[MREN_FFT_SIZE / 2];
} MrenFft;

extern void mren_fft_init(MrenFft *fft);

/* magnitudes (MREN_FFT_BINS) of x (MREN_FFT_SIZE). */
extern void mren_fft_magnitudes(const MrenFft *fft, const double *x, double *magnitudes);

#endif
