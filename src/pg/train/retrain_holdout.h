/*
 * retrain_holdout.h
 *	  Champion and challenger on the rows that are held out to judge them.
 */
#ifndef MREN_PG_TRAIN_RETRAIN_HOLDOUT_H
#define MREN_PG_TRAIN_RETRAIN_HOLDOUT_H

#include "postgres.h"

#include "evaluation/bootstrap.h"
#include "pg/train/train_options.h"
#include "pg/support/stored_query.h"

/* Fewer rows decide nothing. */
#define MREN_HOLDOUT_LEAST_ROWS 200

/* One-sided: the difference is larger than the lower bound as surely as this. */
#define MREN_HOLDOUT_CONFIDENCE 0.9
#define MREN_HOLDOUT_RESAMPLES 2000

typedef struct MrenGate
{
	const char *measure; /* "micro F1" without the negative relation, or "accuracy" */
	int64 n_rows;		 /* that both were judged on */
	int64 n_seen;		 /* left out: one of the two was trained on them */
	MrenBootstrap figures;
} MrenGate;

typedef struct MrenGateQuestion
{
	const char *model;
	const MrenStoredQuery *query;
	const MrenTrainOptions *options; /* the challenger's: holdout_share, negative, seed */
	int32 champion;
	int32 challenger;
} MrenGateQuestion;

/*
 * mren_holdout_judge
 *	  Runs the stored query once, as its owner, and asks both versions about the
 *	  rows that the gate holds.  The same rows, versions and seed give the same
 *	  figures, in whatever order they come.
 */
extern void mren_holdout_judge(const MrenGateQuestion *question, MrenGate *holdout);

#endif
