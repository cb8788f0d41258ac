/*
 * loss.c
 *	  Cross-entropy and the Brier score.
 */
#include "net/loss.h"

#include <math.h>

/* p (k) = softmax of a row; returns the log of the sum behind it, plus the shift. */
static double
softmax_row(const float *logits, size_t k, float *p)
{
	float top = logits[0];
	float sum = 0;

	for (size_t j = 1; j < k; j++)
		top = logits[j] > top || isnan(logits[j]) ? logits[j] : top;
	for (size_t j = 0; j < k; j++)
	{
		p[j] = expf(logits[j] - top);
		sum += p[j];
	}
	for (size_t j = 0; j < k; j++)
		p[j] /= sum;
	return (double) top + log((double) sum);
}

static double
cross_entropy_row(const float *logits, int32_t label, size_t k, float scale, float *d)
{
	double loss = softmax_row(logits, k, d) - (double) logits[label];

	d[label] -= 1;
	for (size_t j = 0; j < k; j++)
		d[j] *= scale;
	return loss;
}

/* With e = p - y: dl/dlogit(j) = 2 p(j) (e(j) - sum over i of p(i) e(i)). */
static double
brier_row(const float *logits, int32_t label, size_t k, float scale, float *d)
{
	double loss = 0;
	float mean = 0;

	softmax_row(logits, k, d);
	for (size_t j = 0; j < k; j++)
	{
		float e = d[j] - ((int32_t) j == label ? 1 : 0);

		loss += (double) e * (double) e;
		mean += d[j] * e;
	}
	for (size_t j = 0; j < k; j++)
	{
		float e = d[j] - ((int32_t) j == label ? 1 : 0);

		d[j] = scale * 2 * d[j] * (e - mean);
	}
	return loss;
}

double
mren_loss(MrenLoss loss, const float *logits, const int32_t *labels, const float *weights, size_t n,
		  size_t k, float scale, float *dlogits)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
	{
		const float *row = logits + i * k;
		float *d = dlogits + i * k;
		float s = scale * weights[i];
		double l = loss == MREN_LOSS_MSE ? brier_row(row, labels[i], k, s, d)
										 : cross_entropy_row(row, labels[i], k, s, d);

		sum += (double) weights[i] * l;
	}
	return sum;
}
