/*
 * calibration.h
 *	  Calibration of confidences: one temperature for all logits, and a bias for
 *	  that of the negative relation, fitted by maximum likelihood on rows that
 *	  were not trained on.
 *
 * Probabilities are softmax(s / T + b [j = negative]).  Where the negative
 * relation's logit is fixed at 0 that is softmax([s / T, b]): b = 0 answers
 * "none" exactly where all scores are below 0, whatever T is.
 * Guo et al., On Calibration of Modern Neural Networks, ICML 2017.
 *
 * A network that learned rules' mistakes is certain of some answers that are wrong, which no
 * temperature says without making all others doubtful.  So it may also be given a lapse rate e,
 * the share of rows whose relation is as good as random: (1 - e) p + e / k.
 */
#ifndef MREN_EVALUATION_CALIBRATION_H
#define MREN_EVALUATION_CALIBRATION_H

#include <stddef.h>
#include <stdint.h>

#include "base/env.h"

#define MREN_MAX_TEMPERATURE 20
#define MREN_MAX_BIAS 20

typedef struct MrenCalibration
{
	double temperature; /* 1/20 .. 20 */
	double bias;		/* of the negative relation's logit, after the temperature; -20 .. 20 */
	double lapse;		/* rate, 0 .. 1 */
} MrenCalibration;

/* Rows to fit on. */
typedef struct MrenLogits
{
	const float *logits;   /* (n,k) finite */
	const int32_t *labels; /* (n) in 0..k-1 */
	const float *weights;  /* (n), or NULL: 1 each */
	size_t n;
	size_t k;
	int32_t negative;	   /* relation that gets the bias; -1: none */
	double bias_deviation; /* of the bias's prior; 0: 3 */
} MrenLogits;

/*
 * mren_calibration_fit
 *	  The temperature and the bias that minimize the mean negative log-likelihood; 1 and 0 if there
 *	  are no rows.  The bias has a normal prior that counts as one row, so that the bias stays
 *	  finite with few rows.  Newton's method: the loss is convex in 1/T and b.
 */
extern MrenStatus mren_calibration_fit(const MrenEnv *env, const MrenLogits *rows,
									   MrenCalibration *calibration, MrenError *err);

/*
 * mren_calibration_fit_lapse
 *	  Temperature, bias and lapse rate that make the rows likeliest, by expectation maximization;
 *	  the rate's prior counts as one row that is no lapse.
 */
extern MrenStatus mren_calibration_fit_lapse(const MrenEnv *env, const MrenLogits *rows,
											 MrenCalibration *calibration, MrenError *err);

/* The distribution of logits (k), with the bias for relation `negative`, if it is not -1. */
extern void mren_calibration_apply(const MrenCalibration *calibration, const float *logits,
								   size_t k, int32_t negative, float *probabilities);

/* Mean negative log-likelihood of the rows in nats, without prior and lapse; 0 without rows. */
extern double mren_calibration_loss(const MrenLogits *rows, const MrenCalibration *calibration);

#endif
