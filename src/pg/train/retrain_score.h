/*
 * retrain_score.h
 *	  The score of a version on hold-out rows with the range that chance leaves,
 *	  and the record of it that the version keeps.
 *
 * A deployed version is recorded with its score from when it was trained.  If it
 * scores less in a later retraining than chance explains, then the labels or the
 * data have changed.
 */
#ifndef MREN_PG_TRAIN_RETRAIN_SCORE_H
#define MREN_PG_TRAIN_RETRAIN_SCORE_H

#include "postgres.h"

#include "evaluation/bootstrap.h"
#include "pg/support/pg_env.h"

/* The difference exceeds its lower bound with this (one-sided) confidence. */
#define MREN_RETRAIN_CONFIDENCE 0.9
#define MREN_RETRAIN_RESAMPLES 2000

/* With fewer rows a recorded score is compared with no other. */
#define MREN_SCORE_MIN_ROWS 50

/* The upper bound of the present score may be this far below the recorded lower bound. */
#define MREN_SCORE_TOLERANCE 0.02

typedef struct MrenHoldoutScore
{
	char measure[16]; /* "micro F1" or "accuracy" */
	int64 rows;		  /* 0: unknown */
	double score;
	double lower; /* bounds, each with confidence MREN_RETRAIN_CONFIDENCE */
	double upper; /* only of a score that was measured now */
} MrenHoldoutScore;

/* What a score without a negative relation is called, and one with it. */
extern const char *mren_score_measure(const char *negative);

/*
 * mren_score_measured
 *	  The score of model 0 or 1 of the counts (bootstrap.h) with its bounds, from
 *	  resamples of the groups of rows.  n rows without an error may hide as many
 *	  as 3/n of them (the rule of three), so the lower bound is at most 1 - 3/n.
 */
extern void mren_score_measured(const MrenPairedCounts *rows, size_t n, int model, uint64 seed,
								const char *measure, MrenHoldoutScore *score);

/* Whether a version has got worse than its recorded score by more than chance explains. */
extern bool mren_score_fell(const MrenHoldoutScore *recorded, const MrenHoldoutScore *now);

/*
 * mren_score_read, mren_score_record
 *	  The record of a version.  Called inside an SPI connection and a snapshot.
 */
extern void mren_score_read(int64 model, int32 version, MrenHoldoutScore *score);
extern void mren_score_record(const char *model, int32 version, const MrenHoldoutScore *score);

#endif
