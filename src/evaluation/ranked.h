/*
 * ranked.h
 *	  Right and wrong predictions in the order of their confidence: the
 *	  precision-recall curve, precision at N, and the reliability of
 *	  confidences.
 *
 * Predictions of equal confidence count together, so that no figure depends on
 * the order in which rows arrive.
 */
#ifndef MREN_EVALUATION_RANKED_H
#define MREN_EVALUATION_RANKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "base/sort.h"

/* Zero-initialized before its first use; env outlives it. */
typedef struct MrenRanked
{
	const MrenEnv *env;
	MrenKeyed *items; /* key: the confidence's order; at: 1 where it is right */
	size_t n;
	size_t capacity;
	bool sorted;
} MrenRanked;

extern void mren_ranked_free(MrenRanked *ranked);

/* Adds a prediction.  MREN_EPARAM if the confidence is NaN; -0 counts as 0. */
extern MrenStatus mren_ranked_add(MrenRanked *ranked, double confidence, bool correct,
								  MrenError *err);

/* Sorts by ascending confidence; temporarily needs twice the memory. */
extern MrenStatus mren_ranked_sort(MrenRanked *ranked, MrenError *err);

/* Prediction i in ascending order of confidence. */
extern double mren_ranked_confidence(const MrenRanked *ranked, size_t i);

/* A point of the precision-recall curve: the predictions with at least this confidence. */
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
 *	  The next point in descending order of confidence, from a point whose n is
 *	  0; false after the last.  relevant is the number of relevant items, the
 *	  denominator of recall.  Average precision as in scikit-learn, without
 *	  interpolation.
 */
extern bool mren_ranked_next(const MrenRanked *ranked, uint64_t relevant, MrenRankedPoint *point);

/*
 * mren_ranked_precision_at
 *	  Precision of the n predictions with the highest confidences, 1 <= n <=
 *	  ranked->n.  If only some of several equal confidences belong to them, the
 *	  expected value over random orders.
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
	double error;		   /* |confidence - accuracy|; in *all: the mean over bins weighted by n */
	double expected_error; /* expected error of a perfectly calibrated model with as many rows */
	double coverage;	   /* share of all predictions with at least the confidence `lower` */
	double accuracy_above; /* and their accuracy */
} MrenReliabilityBin;

#define MREN_MAX_BINS 1000
/* Simulated evaluations from which expected_error is computed. */
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
