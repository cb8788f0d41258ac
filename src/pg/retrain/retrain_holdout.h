/*
 * retrain_holdout.h
 *	  Comparing the deployed version of a model (the champion) with the new one
 *	  (the challenger) on hold-out rows.
 */
#ifndef MREN_PG_TRAIN_RETRAIN_HOLDOUT_H
#define MREN_PG_TRAIN_RETRAIN_HOLDOUT_H

#include "postgres.h"

#include "evaluation/bootstrap.h"
#include "pg/support/stored_query.h"
#include "pg/train/retrain_score.h"
#include "pg/train/train_setup.h"

/* With fewer rows no version is called better. */
#define MREN_RETRAIN_MIN_ROWS 200

typedef struct MrenRetrainCandidates
{
	const char *model;
	const MrenStoredQuery *query;
	const MrenTrainSetup *setup; /* the challenger's: holdout_share, negative and seed count */
	int32 champion;				 /* versions */
	int32 challenger;
} MrenRetrainCandidates;

typedef struct MrenRetrainScores
{
	const char *measure; /* "micro F1" without the negative relation, or "accuracy" */
	int64 n_rows;		 /* that both were judged by */
	int64 n_seen;		 /* left out, because one of the two was trained on them */
	MrenBootstrap figures;
	MrenHoldoutScore each[2]; /* champion's, challenger's, on the same rows */
} MrenRetrainScores;

/*
 * mren_retrain_compare
 *	  Runs the stored query once, as its owner, and has both versions predict the
 *	  hold-out rows.  The same rows, versions and seed give the same figures, in
 *	  whatever order the rows come.
 */
extern void mren_retrain_compare(const MrenRetrainCandidates *candidates,
								 MrenRetrainScores *scores);

/*
 * mren_retrain_judge
 *	  The verdict by these figures: "promoted" if the lower bound of the difference is
 *	  above the margin, "rejected" if not, "undecided" with too few rows.  The reason is
 *	  palloc'd.
 */
extern const char *mren_retrain_judge(const MrenRetrainScores *scores, int32 champion,
									  double margin, char **reason);

#endif
