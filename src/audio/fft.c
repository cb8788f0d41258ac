/*
 * fft.c
 *	  A real transform as a complex one of half the size.
 */
#include "audio/fft.h"

#include <math.h>

#define HALF (MREN_FFT_SIZE / 2)

void
mren_fft_init(MrenFft *fft)
{
	size_t reversed = 0;

	for (size_t i = 0; i < HALF; i++)
	{
		size_t bit = HALF / 2;

		fft->cosine[i] = cos(2 * M_PI * (double) i / MREN_FFT_SIZE);
		fft->sine[i] = sin(2 * M_PI * (double) i / MREN_FFT_SIZE);
		fft->order[i] = reversed;
		/* The next number with its bits reversed. */
		while (bit > 0 && (reversed & bit))
		{
			reversed ^= bit;
			bit /= 2;
		}
		reversed |= bit;
	}
}

/* In place, over (re, im) in the order of fft->order. */
static void
transform(const MrenFft *fft, double *re, double *im)
{
	for (size_t n = 2; n <= HALF; n *= 2)
	{
		size_t stride = MREN_FFT_SIZE / n;

		for (size_t first = 0; first < HALF; first += n)
		{
			for (size_t k = 0; k < n / 2; k++)
			{
				size_t a = first + k;
				size_t b = a + n / 2;
				double c = fft->cosine[k * stride];
				double s = fft->sine[k * stride];
				double x = re[b] * c + im[b] * s;
				double y = im[b] * c - re[b] * s;

				re[b] = re[a] - x;
				im[b] = im[a] - y;
				re[a] += x;
				im[a] += y;
			}
		}
	}
}

void
mren_fft_magnitudes(const MrenFft *fft, const double *x, double *magnitudes)
{
	double re[HALF];
	double im[HALF];

	/* Even samples as real parts, odd ones as imaginary parts. */
	for (size_t i = 0; i < HALF; i++)
	{
		re[i] = x[2 * fft->order[i]];
		im[i] = x[2 * fft->order[i] + 1];
	}
	transform(fft, re, im);
	for (size_t k = 0; k <= HALF; k++)
	{
		size_t a = k % HALF;
		size_t b = (HALF - k) % HALF;
		double c = k == HALF ? -1 : fft->cosine[k];
		double s = k == HALF ? 0 : fft->sine[k];
		double even_re = (re[a] + re[b]) / 2;
		double even_im = (im[a] - im[b]) / 2;
		double odd_re = (im[a] + im[b]) / 2;
		double odd_im = (re[b] - re[a]) / 2;
		double sum_re = even_re + c * odd_re + s * odd_im;
		double sum_im = even_im + c * odd_im - s * odd_re;

		magnitudes[k] = sqrt(sum_re * sum_re + sum_im * sum_im);
	}
}
