/*
 * loss.c
 *	  Cross-entropy, the Brier score and the ranking loss.
 */
#include "nn/loss.h"

#include <math.h>
#include <string.h>

static float
logit_of(const float *logits, size_t j, int32_t fixed)
{
	return (int32_t) j == fixed ? 0 : logits[j];
}

/* p (k) = softmax of a row; returns the log of the sum of exp(logit). */
static double
softmax_row(const float *logits, size_t k, int32_t fixed, float *p)
{
	float top = logit_of(logits, 0, fixed);
	float sum = 0;

	for (size_t j = 0; j < k; j++)
	{
		p[j] = logit_of(logits, j, fixed);
		top = p[j] > top || isnan(p[j]) ? p[j] : top;
	}
	for (size_t j = 0; j < k; j++)
	{
		p[j] = expf(p[j] - top);
		sum += p[j];
	}
	for (size_t j = 0; j < k; j++)
		p[j] /= sum;
	return (double) top + log((double) sum);
}

static double
cross_entropy_row(const float *logits, int32_t label, size_t k, int32_t fixed, float scale,
				  float *d)
{
	double loss = softmax_row(logits, k, fixed, d) - (double) logit_of(logits, label, fixed);

	d[label] -= 1;
	for (size_t j = 0; j < k; j++)
		d[j] *= scale;
	return loss;
}

/* With e = p - y: dl/dlogit(j) = 2 p(j) (e(j) - sum over i of p(i) e(i)). */
static double
brier_row(const float *logits, int32_t label, size_t k, int32_t fixed, float scale, float *d)
{
	double loss = 0;
	float mean = 0;

	softmax_row(logits, k, fixed, d);
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

/* The same against a distribution t (k). */
static double
soft_cross_entropy_row(const float *logits, const float *t, size_t k, int32_t fixed, float scale,
					   float *d)
{
	double loss = softmax_row(logits, k, fixed, d);

	for (size_t j = 0; j < k; j++)
	{
		loss -= (double) t[j] * (double) logit_of(logits, j, fixed);
		d[j] = (d[j] - t[j]) * scale;
	}
	return loss;
}

static double
soft_brier_row(const float *logits, const float *t, size_t k, int32_t fixed, float scale, float *d)
{
	double loss = 0;
	float mean = 0;

	softmax_row(logits, k, fixed, d);
	for (size_t j = 0; j < k; j++)
	{
		float e = d[j] - t[j];

		loss += (double) e * (double) e;
		mean += d[j] * e;
	}
	for (size_t j = 0; j < k; j++)
		d[j] = scale * 2 * d[j] * (d[j] - t[j] - mean);
	return loss;
}

/* log(1 + exp(x)), and its derivative in *slope; NaN stays NaN. */
static double
soft_plus(double x, double *slope)
{
	double e = exp(-fabs(x));

	*slope = x > 0 ? 1 / (1 + e) : e / (1 + e);
	return (x > 0 ? x : 0) + log1p(e);
}

/* The relation with the highest score but for the label and the fixed one; k if there is none. */
static size_t
best_wrong(const float *logits, int32_t label, size_t k, int32_t fixed)
{
	size_t best = k;

	for (size_t j = 0; j < k; j++)
	{
		if ((int32_t) j == label || (int32_t) j == fixed)
			continue;
		if (best == k || logits[j] > logits[best] || isnan(logits[j]))
			best = j;
	}
	return best;
}

/* The loss of a label whose best wrong relation is `wrong`; adds the gradient to d. */
static double
add_ranking_row(const MrenObjective *objective, const float *logits, int32_t label, size_t wrong,
				size_t k, float scale, float *d)
{
	double g = objective->ranking_scale;
	double loss = 0;
	double slope;

	if (label != objective->fixed)
	{
		loss += soft_plus(g * (objective->margin_right - (double) logits[label]), &slope);
		d[label] -= (float) (g * slope) * scale;
	}
	if (wrong < k)
	{
		loss += soft_plus(g * (objective->margin_wrong + (double) logits[wrong]), &slope);
		d[wrong] += (float) (g * slope) * scale;
	}
	return loss;
}

static double
ranking_row(const MrenObjective *objective, const float *logits, int32_t label, size_t k,
			float scale, float *d)
{
	size_t wrong = best_wrong(logits, label, k, objective->fixed);

	memset(d, 0, k * sizeof(float));
	return add_ranking_row(objective, logits, label, wrong, k, scale, d);
}

/* The best relation is the best wrong one of all labels but itself, which has the second. */
static double
soft_ranking_row(const MrenObjective *objective, const float *logits, const float *t, size_t k,
				 float scale, float *d)
{
	size_t best = best_wrong(logits, -1, k, objective->fixed);
	size_t second = best_wrong(logits, (int32_t) best, k, objective->fixed);
	double loss = 0;

	memset(d, 0, k * sizeof(float));
	for (size_t j = 0; j < k; j++)
	{
		size_t wrong = j == best ? second : best;

		if (t[j] > 0)
			loss += (double) t[j] *
					add_ranking_row(objective, logits, (int32_t) j, wrong, k, scale * t[j], d);
	}
	return loss;
}

static double
soft_row(const MrenObjective *objective, const float *logits, const float *t, size_t k, float scale,
		 float *d)
{
	int32_t fixed = objective->fixed;

	switch (objective->loss)
	{
		case MREN_LOSS_CROSS_ENTROPY:
			return soft_cross_entropy_row(logits, t, k, fixed, scale, d);
		case MREN_LOSS_MSE:
			return soft_brier_row(logits, t, k, fixed, scale, d);
		case MREN_LOSS_RANKING:
			return soft_ranking_row(objective, logits, t, k, scale, d);
	}
	return 0;
}

static double
hard_row(const MrenObjective *objective, const float *logits, int32_t label, size_t k, float scale,
		 float *d)
{
	int32_t fixed = objective->fixed;

	switch (objective->loss)
	{
		case MREN_LOSS_CROSS_ENTROPY:
			return cross_entropy_row(logits, label, k, fixed, scale, d);
		case MREN_LOSS_MSE:
			return brier_row(logits, label, k, fixed, scale, d);
		case MREN_LOSS_RANKING:
			return ranking_row(objective, logits, label, k, scale, d);
	}
	return 0;
}

double
mren_loss(const MrenObjective *objective, const MrenLabelledRows *rows, float scale, float *dlogits)
{
	size_t k = rows->k;
	int32_t fixed = objective->fixed;
	double sum = 0;

	for (size_t i = 0; i < rows->n; i++)
	{
		const float *row = rows->logits + i * k;
		float *d = dlogits + i * k;
		float s = scale * rows->weights[i];
		double l;

		if (rows->targets != NULL && rows->soft[i])
			l = soft_row(objective, row, rows->targets + i * k, k, s, d);
		else
			l = hard_row(objective, row, rows->labels[i], k, s, d);
		if (fixed >= 0)
			d[fixed] = 0;
		sum += (double) rows->weights[i] * l;
	}
	return sum;
}
