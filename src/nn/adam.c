/*
 * adam.c
 *	  Adam's step, vectorized by hand: a compiler does not vectorize sqrtf,
 *	  which may set errno, and a scalar step takes as long as the network
 *	  itself.
 */
#include "nn/kernels.h"

#include <math.h>

#include "base/dispatch.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

static void
adam_plain(float *w, float *m, float *v, const float *g, size_t n, const MrenAdam *adam)
{
	for (size_t i = 0; i < n; i++)
	{
		m[i] = adam->beta1 * m[i] + (1 - adam->beta1) * g[i];
		v[i] = adam->beta2 * v[i] + (1 - adam->beta2) * (g[i] * g[i]);
		w[i] = (1 - adam->decay) * w[i] - adam->rate * m[i] / (sqrtf(v[i]) + adam->epsilon);
	}
}

#if defined(__x86_64__)
MREN_AVX2 static void
adam_avx2(float *w, float *m, float *v, const float *g, size_t n, const MrenAdam *adam)
{
	__m256 beta1 = _mm256_set1_ps(adam->beta1);
	__m256 beta2 = _mm256_set1_ps(adam->beta2);
	__m256 rest1 = _mm256_set1_ps(1 - adam->beta1);
	__m256 rest2 = _mm256_set1_ps(1 - adam->beta2);
	__m256 rate = _mm256_set1_ps(adam->rate);
	__m256 epsilon = _mm256_set1_ps(adam->epsilon);
	__m256 keep = _mm256_set1_ps(1 - adam->decay);
	size_t i = 0;

	for (; i + 8 <= n; i += 8)
	{
		__m256 gi = _mm256_loadu_ps(g + i);
		__m256 mi = _mm256_loadu_ps(m + i);
		__m256 vi = _mm256_loadu_ps(v + i);
		__m256 step;

		mi = _mm256_fmadd_ps(beta1, mi, _mm256_mul_ps(rest1, gi));
		vi = _mm256_fmadd_ps(beta2, vi, _mm256_mul_ps(rest2, _mm256_mul_ps(gi, gi)));
		step = _mm256_div_ps(_mm256_mul_ps(rate, mi), _mm256_add_ps(_mm256_sqrt_ps(vi), epsilon));
		_mm256_storeu_ps(m + i, mi);
		_mm256_storeu_ps(v + i, vi);
		_mm256_storeu_ps(w + i, _mm256_fmsub_ps(keep, _mm256_loadu_ps(w + i), step));
	}
	adam_plain(w + i, m + i, v + i, g + i, n - i, adam);
}

static void
adam_sse(float *w, float *m, float *v, const float *g, size_t n, const MrenAdam *adam)
{
	__m128 beta1 = _mm_set1_ps(adam->beta1);
	__m128 beta2 = _mm_set1_ps(adam->beta2);
	__m128 rest1 = _mm_set1_ps(1 - adam->beta1);
	__m128 rest2 = _mm_set1_ps(1 - adam->beta2);
	__m128 rate = _mm_set1_ps(adam->rate);
	__m128 epsilon = _mm_set1_ps(adam->epsilon);
	__m128 keep = _mm_set1_ps(1 - adam->decay);
	size_t i = 0;

	for (; i + 4 <= n; i += 4)
	{
		__m128 gi = _mm_loadu_ps(g + i);
		__m128 mi = _mm_add_ps(_mm_mul_ps(beta1, _mm_loadu_ps(m + i)), _mm_mul_ps(rest1, gi));
		__m128 vi = _mm_add_ps(_mm_mul_ps(beta2, _mm_loadu_ps(v + i)),
							   _mm_mul_ps(rest2, _mm_mul_ps(gi, gi)));
		__m128 step = _mm_div_ps(_mm_mul_ps(rate, mi), _mm_add_ps(_mm_sqrt_ps(vi), epsilon));

		_mm_storeu_ps(m + i, mi);
		_mm_storeu_ps(v + i, vi);
		_mm_storeu_ps(w + i, _mm_sub_ps(_mm_mul_ps(keep, _mm_loadu_ps(w + i)), step));
	}
	adam_plain(w + i, m + i, v + i, g + i, n - i, adam);
}
#endif

void
mren_adam(float *w, float *m, float *v, const float *g, size_t n, const MrenAdam *adam)
{
#if defined(__x86_64__)
	if (mren_has_avx2())
		adam_avx2(w, m, v, g, n, adam);
	else
		adam_sse(w, m, v, g, n, adam);
#else
	adam_plain(w, m, v, g, n, adam);
#endif
}
