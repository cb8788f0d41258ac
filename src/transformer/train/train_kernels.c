/*
 * train_kernels.c
 *	  Activations, softmax, layer norm and random words, vectorized by the compiler: no call
 *	  and no sum over a whole row in one number stands in an inner loop.
 */
#include "transformer/train/train_kernels.h"

#include <math.h>
#include <string.h>

#include "base/dispatch.h"

MREN_VECTORIZE

#define LANES 16

/*
 * e to the x, with a relative error of about 1e-7; 0 below -87.  x = k ln 2 + r, and a
 * polynomial of e^r in |r| <= ln 2 / 2.
 */
MREN_INLINE float
exponential(float x)
{
	const float magic = 12582912.0f; /* 1.5 * 2^23: adding it rounds to an integer */
	float clamped = x < -87.0f ? -87.0f : x > 88.0f ? 88.0f : x;
	float k = clamped * 1.44269504f + magic;
	float r;
	float p;
	union
	{
		float number;
		int32_t bits;
	} power;

	k -= magic;
	r = clamped - k * 0.693145752f;
	r -= k * 1.42860677e-6f;
	p = 1.0f / 5040;
	p = p * r + 1.0f / 720;
	p = p * r + 1.0f / 120;
	p = p * r + 1.0f / 24;
	p = p * r + 1.0f / 6;
	p = p * r + 0.5f;
	p = p * r + 1;
	p = p * r + 1;
	power.bits = ((int32_t) k + 127) * (1 << 23);
	return x < -87.0f ? 0 : p * power.number;
}

/* Φ(x), and the density φ(x) that comes with it. */
MREN_INLINE float
normal(float x, float *density)
{
	float z = x < 0 ? -x : x;
	float t = 1 / (1 + 0.3275911f * 0.707106781f * z);
	float e = exponential(-0.5f * z * z);
	float p = 1.061405429f;
	float tail;

	p = p * t - 1.453152027f;
	p = p * t + 1.421413741f;
	p = p * t - 0.284496736f;
	p = p * t + 0.254829592f;
	tail = 0.5f * p * t * e;
	*density = 0.398942280f * e;
	return x < 0 ? tail : 1 - tail;
}

MREN_KERNEL(mren_tuned_gelu, (float *restrict y, const float *restrict x, size_t n), (y, x, n))
{
	for (size_t i = 0; i < n; i++)
	{
		float density;

		y[i] = x[i] * normal(x[i], &density);
	}
}

MREN_KERNEL(mren_tuned_gelu_backward,
			(float *restrict y, float *restrict dy, const float *restrict x, size_t n),
			(y, dy, x, n))
{
	for (size_t i = 0; i < n; i++)
	{
		float density;
		float p = normal(x[i], &density);

		y[i] = x[i] * p;
		dy[i] *= p + x[i] * density;
	}
}

/* 1 / (1 + e^-2u), of which tanh u is twice minus 1, for the u of the approximation. */
MREN_INLINE float
sigmoid_of_gelu(float x)
{
	return 1 / (1 + exponential(-2 * 0.797884561f * (x + 0.044715f * x * x * x)));
}

MREN_KERNEL(mren_tuned_gelu_tanh, (float *restrict y, const float *restrict x, size_t n), (y, x, n))
{
	for (size_t i = 0; i < n; i++)
		y[i] = x[i] * sigmoid_of_gelu(x[i]);
}

MREN_KERNEL(mren_tuned_gelu_tanh_backward,
			(float *restrict y, float *restrict dy, const float *restrict x, size_t n),
			(y, dy, x, n))
{
	for (size_t i = 0; i < n; i++)
	{
		float s = sigmoid_of_gelu(x[i]);
		float du = 2 * 0.797884561f * (1 + 3 * 0.044715f * x[i] * x[i]);

		y[i] = x[i] * s;
		dy[i] *= s + x[i] * s * (1 - s) * du;
	}
}

MREN_KERNEL(mren_tuned_relu, (float *restrict y, const float *restrict x, size_t n), (y, x, n))
{
	for (size_t i = 0; i < n; i++)
		y[i] = x[i] < 0 ? 0 : x[i];
}

MREN_KERNEL(mren_tuned_relu_backward,
			(float *restrict y, float *restrict dy, const float *restrict x, size_t n),
			(y, dy, x, n))
{
	for (size_t i = 0; i < n; i++)
	{
		y[i] = x[i] < 0 ? 0 : x[i];
		dy[i] = x[i] > 0 ? dy[i] : 0;
	}
}

/* The sum of some lanes, in pairs. */
MREN_INLINE float
sum_lanes(const float *lanes, size_t n)
{
	float sums[LANES];

	for (size_t l = 0; l < n; l++)
		sums[l] = lanes[l];
	for (size_t half = n / 2; half > 0; half /= 2)
	{
		for (size_t l = 0; l < half; l++)
			sums[l] += sums[l + half];
	}
	return sums[0];
}

MREN_KERNEL(mren_tuned_softmax, (float *scores, size_t n_rows, size_t n_keys, size_t ld),
			(scores, n_rows, n_keys, ld))
{
	for (size_t i = 0; i < n_rows; i++)
	{
		float *restrict row = scores + i * ld;
		float most[MREN_SCORE_LANES];
		float sums[MREN_SCORE_LANES] = {0};
		float greatest;
		float inverse;

		for (size_t j = n_keys; j < ld; j++)
			row[j] = -INFINITY;
		for (size_t l = 0; l < MREN_SCORE_LANES; l++)
			most[l] = row[l];
		for (size_t j = MREN_SCORE_LANES; j < ld; j += MREN_SCORE_LANES)
		{
			for (size_t l = 0; l < MREN_SCORE_LANES; l++)
				most[l] = row[j + l] > most[l] ? row[j + l] : most[l];
		}
		greatest = most[0];
		for (size_t l = 1; l < MREN_SCORE_LANES; l++)
			greatest = most[l] > greatest ? most[l] : greatest;
		for (size_t j = 0; j < ld; j += MREN_SCORE_LANES)
		{
			for (size_t l = 0; l < MREN_SCORE_LANES; l++)
			{
				row[j + l] = exponential(row[j + l] - greatest);
				sums[l] += row[j + l];
			}
		}
		inverse = 1 / sum_lanes(sums, MREN_SCORE_LANES);
		for (size_t j = 0; j < ld; j++)
			row[j] *= inverse;
	}
}

MREN_KERNEL(mren_tuned_softmax_backward, (float *ds, const float *p, size_t n_rows, size_t ld),
			(ds, p, n_rows, ld))
{
	for (size_t i = 0; i < n_rows; i++)
	{
		float *restrict d = ds + i * ld;
		const float *restrict row = p + i * ld;
		float sums[MREN_SCORE_LANES] = {0};
		float sum;

		for (size_t j = 0; j < ld; j += MREN_SCORE_LANES)
		{
			for (size_t l = 0; l < MREN_SCORE_LANES; l++)
				sums[l] += d[j + l] * row[j + l];
		}
		sum = sum_lanes(sums, MREN_SCORE_LANES);
		for (size_t j = 0; j < ld; j++)
			d[j] = row[j] * (d[j] - sum);
	}
}

/* The sum of m numbers. */
MREN_INLINE float
sum_row(const float *restrict x, size_t m)
{
	float sums[LANES] = {0};
	size_t j = 0;

	for (; j + LANES <= m; j += LANES)
	{
		for (size_t l = 0; l < LANES; l++)
			sums[l] += x[j + l];
	}
	for (; j < m; j++)
		sums[j % LANES] += x[j];
	return sum_lanes(sums, LANES);
}

/* The sum of the squares of m differences to a mean. */
MREN_INLINE float
sum_squares(const float *restrict x, float mean, size_t m)
{
	float sums[LANES] = {0};
	size_t j = 0;

	for (; j + LANES <= m; j += LANES)
	{
		for (size_t l = 0; l < LANES; l++)
			sums[l] += (x[j + l] - mean) * (x[j + l] - mean);
	}
	for (; j < m; j++)
		sums[j % LANES] += (x[j] - mean) * (x[j] - mean);
	return sum_lanes(sums, LANES);
}

MREN_KERNEL(mren_tuned_norm_rows, (const MrenNormRows *rows, const float *x, float *y),
			(rows, x, y))
{
	size_t m = rows->m;
	const float *restrict weight = rows->weight;
	const float *restrict bias = rows->bias;

	for (size_t i = 0; i < rows->n; i++)
	{
		const float *in = x + i * m;
		float *restrict hat = rows->hat + i * m;
		float *out = y + i * m;
		float mean = sum_row(in, m) / (float) m;
		float variance = sum_squares(in, mean, m) / (float) m;
		float inverse = 1 / sqrtf(variance + rows->eps);

		rows->inverse[i] = inverse;
		for (size_t j = 0; j < m; j++)
			hat[j] = (in[j] - mean) * inverse;
		for (size_t j = 0; j < m; j++)
			out[j] = weight[j] * hat[j] + bias[j];
	}
}

MREN_KERNEL(mren_tuned_norm_rows_again, (const MrenNormRows *rows, float *y), (rows, y))
{
	size_t m = rows->m;
	const float *restrict weight = rows->weight;
	const float *restrict bias = rows->bias;

	for (size_t i = 0; i < rows->n; i++)
	{
		const float *restrict hat = rows->hat + i * m;
		float *restrict out = y + i * m;

		for (size_t j = 0; j < m; j++)
			out[j] = weight[j] * hat[j] + bias[j];
	}
}

/* The sums of g and of g * hat, g = dy * weight, over a row. */
MREN_INLINE void
norm_sums(const float *restrict dy, const float *restrict weight, const float *restrict hat,
		  size_t m, float out[2])
{
	float plain[LANES] = {0};
	float weighted[LANES] = {0};
	size_t j = 0;

	for (; j + LANES <= m; j += LANES)
	{
		for (size_t l = 0; l < LANES; l++)
		{
			float g = dy[j + l] * weight[j + l];

			plain[l] += g;
			weighted[l] += g * hat[j + l];
		}
	}
	for (; j < m; j++)
	{
		plain[j % LANES] += dy[j] * weight[j];
		weighted[j % LANES] += dy[j] * weight[j] * hat[j];
	}
	out[0] = sum_lanes(plain, LANES);
	out[1] = sum_lanes(weighted, LANES);
}

/* Adds a row's share to the gradients of weight and bias. */
MREN_INLINE void
norm_gradients(const float *restrict dy, const float *restrict hat, size_t m,
			   float *restrict dweight, float *restrict dbias)
{
	for (size_t j = 0; j < m; j++)
	{
		dweight[j] += dy[j] * hat[j];
		dbias[j] += dy[j];
	}
}

MREN_KERNEL(mren_tuned_norm_rows_backward, (const MrenNormRows *rows, const float *dy, float *dx),
			(rows, dy, dx))
{
	size_t m = rows->m;
	const float *restrict weight = rows->weight;

	for (size_t i = 0; i < rows->n; i++)
	{
		const float *restrict d = dy + i * m;
		const float *restrict hat = rows->hat + i * m;
		float *restrict out = dx + i * m;
		float inverse = rows->inverse[i];
		float sums[2];

		norm_sums(d, weight, hat, m, sums);
		sums[0] /= (float) m;
		sums[1] /= (float) m;
		for (size_t j = 0; j < m; j++)
			out[j] = inverse * (d[j] * weight[j] - sums[0] - hat[j] * sums[1]);
		if (rows->dweight != NULL)
			norm_gradients(d, hat, m, rows->dweight, rows->dbias);
	}
}

MREN_KERNEL(mren_tuned_philox, (const MrenPhiloxCounter *from, uint32_t *restrict words, size_t n),
			(from, words, n))
{
	for (size_t i = 0; i < n; i++)
	{
		uint32_t c0 = from->word[0] + (uint32_t) i;
		uint32_t c1 = from->word[1];
		uint32_t c2 = from->word[2];
		uint32_t c3 = from->word[3];
		uint32_t k0 = from->key[0];
		uint32_t k1 = from->key[1];

#pragma GCC unroll 10
		for (int round = 0; round < 10; round++)
		{
			uint64_t p0 = (uint64_t) c0 * 0xD2511F53u;
			uint64_t p1 = (uint64_t) c2 * 0xCD9E8D57u;

			c0 = (uint32_t) (p1 >> 32) ^ c1 ^ k0;
			c1 = (uint32_t) p1;
			c2 = (uint32_t) (p0 >> 32) ^ c3 ^ k1;
			c3 = (uint32_t) p0;
			k0 += 0x9E3779B9u;
			k1 += 0xBB67AE85u;
		}
		words[i] = c0;
		words[n + i] = c1;
		words[2 * n + i] = c2;
		words[3 * n + i] = c3;
	}
}
