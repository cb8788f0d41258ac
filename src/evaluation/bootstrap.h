/*
 * bootstrap.h
 *	  A paired bootstrap over groups of rows: whether one model is better than
 *	  another beyond chance.
 *
 * Both models answer the same rows, so groups of rows are resampled with the
 * counts of both models: Koehn, Statistical Significance Tests for Machine
 * Translation Evaluation, EMNLP 2004, by groups because rows of one sentence
 * are not independent.  The same counts and seed give the same figures, in
 * whatever order rows arrive.
 */
#ifndef MREN_EVALUATION_BOOTSTRAP_H
#define MREN_EVALUATION_BOOTSTRAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/env.h"

/*
 * What the two models, 0 and 1, did with a row or with several rows of a group.
 * The score over a set of rows is 2 hits / (predicted + actual): micro F1 where
 * rows and answers of the negative relation are not counted, accuracy where
 * every row counts as 1 actual and 1 predicted.
 */
typedef struct MrenPairedCounts
{
	uint64_t key; /* of the group */
	uint32_t actual;
	uint32_t predicted[2];
	uint32_t hits[2];
	uint64_t pair;	   /* hash of the pair; read by mren_paired_settle only */
	uint64_t relation; /* hash of the actual relation; as pair */
} MrenPairedCounts;

/*
 * mren_paired_settle
 *	  Each of n rows counts all that the models predict for its pair, so a pair that has a row for
 *	  each of its relations counts it several times.  Leaves the counts in as many rows of a pair as
 *	  have the same relation, and clears them in the others.
 */
extern MrenStatus mren_paired_settle(const MrenEnv *env, MrenPairedCounts *rows, size_t n,
									 MrenError *err);

typedef struct MrenBootstrap
{
	size_t n_groups;
	double score[2];	/* 0 .. 1; 0 without rows that count */
	double difference;	/* score[1] - score[0] */
	double lower_bound; /* the difference exceeds it with the given confidence */
} MrenBootstrap;

/* How to resample. */
typedef struct MrenResampling
{
	uint64_t seed;
	size_t resamples;  /* >= 100 */
	double confidence; /* 0.5 .. 1, one-sided */
} MrenResampling;

/*
 * mren_bootstrap_paired
 *	  n rows; those with equal keys are one group.  A confidence of 0.9 gives
 *	  the 10th percentile of the resampled differences.  MREN_EPARAM if
 *	  resamples or confidence are out of range.
 */
extern MrenStatus mren_bootstrap_paired(const MrenEnv *env, const MrenPairedCounts *rows, size_t n,
										const MrenResampling *how, MrenBootstrap *result,
										MrenError *err);

#endif
