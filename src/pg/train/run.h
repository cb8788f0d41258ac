/*
 * run.h
 *	  The record of a training: a row of mren.run, kept up to date.
 */
#ifndef MREN_PG_TRAIN_RUN_H
#define MREN_PG_TRAIN_RUN_H

#include "postgres.h"

#include "relation/train/trainer.h"

typedef struct MrenRun
{
	int64 id;			/* 0: not recorded */
	StringInfoData log; /* a JSON array of epochs, not yet closed */
} MrenRun;

typedef struct MrenRunStart
{
	const char *model;
	const char *call; /* "train", "retrain", ... */
	const char *query;
	Datum options; /* jsonb, as given */
} MrenRunStart;

/* Each inside a SPI connection of the caller's. */

/* Inserts the row and takes the session lock that says the run is alive. */
extern void mren_run_begin(MrenRun *run, const MrenRunStart *start);

typedef struct MrenRunProgress
{
	const char *phase; /* "reading", "training", "refitting", "judging" */
	int64 rows;		   /* read or trained on; < 0: unknown */
	MrenProgress epoch;
	double rows_per_second; /* 0: unknown */
	double seconds_left;	/* < 0: unknown */
} MrenRunProgress;

extern void mren_run_update(MrenRun *run, const MrenRunProgress *progress);

/* Adds an epoch to the log that the next update writes. */
extern void mren_run_log(MrenRun *run, const MrenProgress *progress, double seconds);

/* Only the phase: "judging". */
extern void mren_run_phase(MrenRun *run, const char *phase);

/* What a retraining came to; text NULL or a number NaN: not known. */
typedef struct MrenRunVerdict
{
	int32 champion;
	const char *verdict;
	const char *reason;
	const char *measure;
	double score[2]; /* champion's, challenger's */
	double lower_bound;
	int64 holdout_rows; /* < 0: not judged */
	int64 holdout_seen;
	int64 new_rows;
} MrenRunVerdict;

/* Ends the row; version 0: none was made, and the run was skipped. */
extern void mren_run_judged(MrenRun *run, int32 version, const MrenRunVerdict *verdict);

extern void mren_run_succeed(MrenRun *run, int32 version);
/* As "terminated", "canceled" or "failed", with SQLSTATE and message. */
extern void mren_run_fail(MrenRun *run, const ErrorData *error);

/* Gives up the session lock; after the row's end is committed. */
extern void mren_run_release(MrenRun *run);

#endif
