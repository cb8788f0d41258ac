/*
 * ranked.h
 *	  Predictions with a confidence each, right or wrong, in order of it:
 *	  the precision-recall curve, precision at N, and how far confidence can be trusted.
 *
 * Predictions of equal confidence have no order among them: they are taken
 * together, so that no figure depends on how rows arrived.
 */
#ifndef MREN_EVALUATION_RANKED_H
#define MREN_EVALUATION_RANKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "base/sort.h"

/* Zero-initialised before its first use; env outlives it. */
typedef struct MrenRanked
{
	const MrenEnv *env;
	MrenKeyed *items; /* key: the confidence's order; at: 1 where it is right */
	size_t n;
	size_t capacity;
	bool sorted;
} MrenRanked;

extern void mren_ranked_free(MrenRanked *ranked);

/* Any confidence but NaN, which is MREN_EPARAM; -0 is 0. */
extern MrenStatus mren_ranked_add(MrenRanked *ranked, double confidence, bool correct,
								  MrenError *err);

/* Ascending by confidence; takes as much memory again while it runs. */
extern MrenStatus mren_ranked_sort(MrenRanked *ranked, MrenError *err);

/* Prediction i in ascending order of confidence. */
extern double mren_ranked_confidence(const MrenRanked *ranked, size_t i);

/* A point of the precision-recall curve: everything at least as sure as this. */
typedef struct MrenRankedPoint
{
	double confidence;
	uint64_t n;
	uint64_t n_correct;
	double precision;
	double recall;			  /* NaN where nothing is relevant */
	double average_precision; /* so far: the sum of precision times the rise of recall */
} MrenRankedPoint;

/*
 * mren_ranked_next
 *	  The next point in descending order of confidence, from a point whose n is 0;
 *	  false behind the last.  relevant: how many there are to be found; recall is
 *	  of them.  Average precision as scikit-learn has it: no interpolation.
 */
extern bool mren_ranked_next(const MrenRanked *ranked, uint64_t relevant, MrenRankedPoint *point);

/*
 * mren_ranked_precision_at
 *	  Precision among the n surest, 1 <= n <= ranked->n.  Where equals straddle the
 *	  border, what is expected of them in random order.
 */
extern double mren_ranked_precision_at(const MrenRanked *ranked, uint64_t n);

/* ---- reliability.c ---- */

typedef struct MrenReliabilityBin
{
	uint64_t n;
	double lower; /* least and greatest confidence in it */
	double upper;
	double confidence; /* mean */
	double accuracy;
	double error;		   /* |confidence - accuracy|; of all: the bins' mean, weighted by n */
	double expected_error; /* what a perfectly calibrated model of this size would show */
	double coverage;	   /* share of all predictions at least as sure as lower */
	double accuracy_above; /* and their accuracy */
} MrenReliabilityBin;

#define MREN_MAX_BINS 1000
/* Simulated evaluations behind expected_error. */
#define MREN_RELIABILITY_ROUNDS 200

/*
 * mren_ranked_reliability
 *	  At most n_bins (1 .. MREN_MAX_BINS) bins of about equal mass, in ascending
 *	  order of confidence, none empty; equal confidences share a bin.  bins has room
 *	  for n_bins, *all is the whole.  The list must be sorted, confidences in 0 .. 1.
 *	  expected_error is the mean error over MREN_RELIABILITY_ROUNDS rounds in which each
 *	  prediction is right with the probability that its confidence says; the random
 *	  numbers are the same in every call.
 */
extern MrenStatus mren_ranked_reliability(const MrenRanked *ranked, size_t n_bins,
										  MrenReliabilityBin *bins, size_t *n,
										  MrenReliabilityBin *all, MrenError *err);

#endif
