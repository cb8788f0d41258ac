/*
 * calibration.c
 *	  Fitting temperature, bias and lapse rate.
 */
#include "evaluation/calibration.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* The loss of a pair (1/T, b), with first and second derivatives. */
typedef struct Fit
{
	double loss;
	double slope[2];
	double curve[3]; /* second derivatives by 1/T and 1/T, 1/T and b, b and b */
} Fit;

#define BIAS_DEVIATION 3.0

/* Adds one row, in double precision. */
static void
add_row(const MrenLogits *rows, size_t i, double beta, double bias, Fit *fit)
{
	const float *s = rows->logits + i * rows->k;
	size_t negative = rows->negative >= 0 ? (size_t) rows->negative : rows->k;
	size_t label = (size_t) rows->labels[i];
	double weight = rows->weights != NULL ? (double) rows->weights[i] : 1;
	double top = -INFINITY;
	double sum = 0, sum_s = 0, sum_ss = 0, p_negative = 0;
	double mean, variance;

	for (size_t j = 0; j < rows->k; j++)
		top = fmax(top, beta * (double) s[j] + (j == negative ? bias : 0));
	for (size_t j = 0; j < rows->k; j++)
	{
		double e = exp(beta * (double) s[j] + (j == negative ? bias : 0) - top);

		sum += e;
		sum_s += e * (double) s[j];
		sum_ss += e * (double) s[j] * (double) s[j];
		if (j == negative)
			p_negative = e;
	}
	p_negative /= sum;
	mean = sum_s / sum;
	variance = sum_ss / sum - mean * mean;
	fit->loss +=
		weight * (top + log(sum) - beta * (double) s[label] - (label == negative ? bias : 0));
	fit->slope[0] += weight * (mean - (double) s[label]);
	fit->curve[0] += weight * (variance > 0 ? variance : 0);
	if (negative == rows->k)
		return;
	fit->slope[1] += weight * (p_negative - (label == negative ? 1 : 0));
	fit->curve[1] += weight * p_negative * ((double) s[negative] - mean);
	fit->curve[2] += weight * p_negative * (1 - p_negative);
}

/* x: 1/T and b.  Sums over rows; the prior counts as one row. */
static void
evaluate(const MrenLogits *rows, const double *x, Fit *fit)
{
	const double deviation = rows->bias_deviation > 0 ? rows->bias_deviation : BIAS_DEVIATION;
	const double precision = 1 / (deviation * deviation);

	memset(fit, 0, sizeof(*fit));
	for (size_t i = 0; i < rows->n; i++)
		add_row(rows, i, x[0], x[1], fit);
	if (rows->negative < 0)
		return;
	fit->loss += precision * x[1] * x[1] / 2;
	fit->slope[1] += precision * x[1];
	fit->curve[2] += precision;
}

double
mren_calibration_loss(const MrenLogits *rows, const MrenCalibration *calibration)
{
	Fit fit = {0};
	double total = 0;

	for (size_t i = 0; i < rows->n; i++)
	{
		add_row(rows, i, 1 / calibration->temperature, rows->negative >= 0 ? calibration->bias : 0,
				&fit);
		total += rows->weights != NULL ? (double) rows->weights[i] : 1;
	}
	return total > 0 ? fit.loss / total : 0;
}

static const double lowest[2] = {1.0 / MREN_MAX_TEMPERATURE, -MREN_MAX_BIAS};
static const double highest[2] = {MREN_MAX_TEMPERATURE, MREN_MAX_BIAS};

/* Whether x is at a bound beyond which the loss would fall further. */
static bool
held(const double *x, const Fit *fit, int i)
{
	return (x[i] <= lowest[i] && fit->slope[i] > 0) || (x[i] >= highest[i] && fit->slope[i] < 0);
}

/*
 * Newton's step; coordinates held at a bound stay there, and a direction
 * without curvature follows the gradient.
 */
static void
newton_step(const double *x, const Fit *fit, bool biased, double *step)
{
	bool free0 = !held(x, fit, 0);
	bool free1 = biased && !held(x, fit, 1);
	double a = fit->curve[0] * (1 + 1e-9) + 1e-12;
	double c = fit->curve[2] * (1 + 1e-9) + 1e-12;
	double b = free0 && free1 ? fit->curve[1] : 0;
	double determinant = a * c - b * b;
	double g0 = free0 ? fit->slope[0] : 0;
	double g1 = free1 ? fit->slope[1] : 0;

	if (determinant <= 1e-12 * a * c)
	{
		b = 0;
		determinant = a * c;
	}
	step[0] = free0 ? -(c * g0 - b * g1) / determinant : 0;
	step[1] = free1 ? -(a * g1 - b * g0) / determinant : 0;
}

/*
 * Steps end at the bounds and are halved until the loss falls; since the loss
 * is convex, this converges to the minimum.
 */
MrenStatus
mren_calibration_fit(const MrenEnv *env, const MrenLogits *rows, MrenCalibration *calibration,
					 MrenError *err)
{
	double x[2] = {1, 0};
	Fit fit;

	*calibration = (MrenCalibration){1, 0, 0};
	if (rows->n == 0)
		return MREN_OK;
	evaluate(rows, x, &fit);
	for (int round = 0; round < 100; round++)
	{
		double step[2];
		double to[2];
		Fit next;
		int halvings = 0;

		newton_step(x, &fit, rows->negative >= 0, step);
		for (; halvings < 40; halvings++)
		{
			MREN_TRY(mren_check_interrupts(env, err));
			for (int i = 0; i < 2; i++)
				to[i] = fmin(fmax(x[i] + step[i], lowest[i]), highest[i]);
			evaluate(rows, to, &next);
			if (next.loss < fit.loss)
				break;
			step[0] /= 2;
			step[1] /= 2;
		}
		if (halvings == 40 || (fabs(to[0] - x[0]) < 1e-7 * x[0] && fabs(to[1] - x[1]) < 1e-7))
			break;
		memcpy(x, to, sizeof(x));
		fit = next;
	}
	calibration->temperature = 1 / x[0];
	calibration->bias = x[1];
	return MREN_OK;
}

void
mren_calibration_apply(const MrenCalibration *calibration, const float *logits, size_t k,
					   int32_t negative, float *probabilities)
{
	double lapse = calibration->lapse;
	double top = -INFINITY;
	double sum = 0;

	for (size_t j = 0; j < k; j++)
	{
		double bias = (int32_t) j == negative ? calibration->bias : 0;

		probabilities[j] = (float) ((double) logits[j] / calibration->temperature + bias);
		top = fmax(top, (double) probabilities[j]);
	}
	for (size_t j = 0; j < k; j++)
		sum += exp((double) probabilities[j] - top);
	for (size_t j = 0; j < k; j++)
		probabilities[j] = (float) ((1 - lapse) * (exp((double) probabilities[j] - top) / sum) +
									lapse / (double) k);
}

/*
 * Weights each row, own (n), by the chance that it is no lapse, which is kept in scratch (k).
 * Sets the lapse rate.
 */
static void
weigh_lapses(const MrenLogits *rows, MrenCalibration *calibration, float *scratch, float *own)
{
	double total = 1;
	double lapses = 0;

	for (size_t i = 0; i < rows->n; i++)
	{
		double weight = rows->weights != NULL ? (double) rows->weights[i] : 1;
		double lapse;

		mren_calibration_apply(calibration, rows->logits + i * rows->k, rows->k, rows->negative,
							   scratch);
		lapse = calibration->lapse / (double) rows->k / (double) scratch[(size_t) rows->labels[i]];
		own[i] = (float) (weight * (1 - lapse));
		lapses += weight * lapse;
		total += weight;
	}
	calibration->lapse = lapses / total;
}

#define FIRST_LAPSE 0.1
#define LAPSE_ROUNDS 30

static MrenStatus
fit_lapse(const MrenEnv *env, const MrenLogits *rows, float *scratch, float *own,
		  MrenCalibration *calibration, MrenError *err)
{
	MrenLogits weighed = *rows;
	double lapse = FIRST_LAPSE;

	weighed.weights = own;
	for (int round = 0; round < LAPSE_ROUNDS; round++)
	{
		calibration->lapse = lapse;
		weigh_lapses(rows, calibration, scratch, own);
		lapse = calibration->lapse;
		MREN_TRY(mren_calibration_fit(env, &weighed, calibration, err));
	}
	calibration->lapse = lapse;
	return MREN_OK;
}

MrenStatus
mren_calibration_fit_lapse(const MrenEnv *env, const MrenLogits *rows, MrenCalibration *calibration,
						   MrenError *err)
{
	float *scratch = NULL; /* (k), then the rows' weights (n) */
	MrenStatus status;

	MREN_TRY(mren_calibration_fit(env, rows, calibration, err));
	if (rows->n == 0)
		return MREN_OK;
	MREN_TRY(mren_allocate(env, rows->k + rows->n, sizeof(float), &scratch, err));
	status = fit_lapse(env, rows, scratch, scratch + rows->k, calibration, err);
	mren_release(env, scratch);
	return status;
}
