/*
 * decision.h
 *	  Which relations of a pair are predicted: a threshold for each relation's
 *	  probability, fitted on rows that were not trained on, for a stated aim.
 *
 * Several relations of a pair may be predicted, and several may be right: rows of
 * the same pair count as one pair with several relations.
 */
#ifndef MREN_EVALUATION_DECISION_H
#define MREN_EVALUATION_DECISION_H

#include <stddef.h>
#include <stdint.h>

#include "base/env.h"

typedef enum MrenAim
{
	MREN_AIM_ARGMAX,	/* no thresholds: the most likely relation is predicted */
	MREN_AIM_F1,		/* the highest micro F1 */
	MREN_AIM_PRECISION, /* the highest recall at a given precision of each relation */
} MrenAim;

/* A threshold that no probability reaches: the relation is never predicted. */
#define MREN_NEVER 2.0f

/* Rows to fit on. */
typedef struct MrenScoredRows
{
	const float *probabilities; /* (n,k) */
	const int32_t *labels;		/* (n) in 0..k-1 */
	const float *weights;		/* (n) */
	const uint64_t *pairs;		/* (n) the same for rows of the same pair */
	size_t n;
	size_t k;
	int32_t negative; /* relation that is no answer; -1: none */
} MrenScoredRows;

/* The rows under fitted thresholds, micro-averaged; 0 where nothing is predicted. */
typedef struct MrenDecisionScore
{
	double precision;
	double recall;
	double f1;
} MrenDecisionScore;

/*
 * mren_decision_fit
 *	  thresholds (k): multiples of 0.001 in 0.001 .. 1, or MREN_NEVER.  A
 *	  relation with few rows is decided mainly by all relations' rows together,
 *	  which count for each like 10 rows of its own.  precision is read for that
 *	  aim only, 0 .. 1.  The negative relation's threshold is MREN_NEVER.
 *	  The thresholds of F1 are those of Dinkelbach's method: for the best F, each
 *	  maximizes its true positives minus F / 2 times its predictions.  True positives
 *	  are those of the rows and those that the probabilities expect, which count
 *	  like 200 rows with a relation.
 */
extern MrenStatus mren_decision_fit(const MrenEnv *env, const MrenScoredRows *rows, MrenAim aim,
									double precision, float *thresholds, MrenDecisionScore *score,
									MrenError *err);

#endif
