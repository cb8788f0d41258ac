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
 *	  The temperature and the bias that minimise the mean negative
 *	  log-likelihood; 1 and 0 if there are no rows.  The bias has a normal prior
 *	  that counts as one row, so that the bias stays finite with few rows.  Newton's method: the loss is convex in 1/T and b.
 */
extern MrenStatus mren_calibration_fit(const MrenEnv *env, const MrenLogits *rows,
									   MrenCalibration *calibration, MrenError *err);

/* Mean negative log-likelihood of the rows in nats, without the prior; 0 without rows. */
extern double mren_calibration_loss(const MrenLogits *rows, const MrenCalibration *calibration);

#endif
