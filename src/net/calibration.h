/*
 * calibration.h
 *	  Confidence that means something: one temperature for all logits, fitted
 *	  by likelihood on rows that were not trained on.
 *
 * Guo et al., On Calibration of Modern Neural Networks, ICML 2017.
 */
#ifndef MREN_NET_CALIBRATION_H
#define MREN_NET_CALIBRATION_H

#include <stddef.h>
#include <stdint.h>

#include "base/env.h"

/*
 * mren_fit_temperature
 *	  The T in 1/20 .. 20 that minimises the mean negative log-likelihood of
 *	  softmax(logits / T).  logits (n,k) finite; labels (n) in 0..k-1; weights
 *	  (n) or NULL.  No row: 1.
 */
extern MrenStatus mren_fit_temperature(const MrenEnv *env, const float *logits,
									   const int32_t *labels, const float *weights, size_t n,
									   size_t k, double *temperature, MrenError *err);

/* Mean negative log-likelihood in nats of softmax(logits / temperature). */
extern double mren_temperature_loss(const float *logits, const int32_t *labels,
									const float *weights, size_t n, size_t k, double temperature);

/*
 * mren_calibration_error
 *	  Expected calibration error over n_bins bins of equal mass: the mean over
 *	  rows of |confidence - accuracy| of the row's bin.  confidence (n) in 0..1 is sorted
 *	  in place together with correct (n).
 */
extern double mren_calibration_error(float *confidence, uint8_t *correct, size_t n, size_t n_bins);

#endif
