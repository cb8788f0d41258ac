/*
 * run_record.h
 *	  The record of a training or retraining: a row of mren.run, which is kept up
 *	  to date while it runs.
 *
 * All functions but mren_run_log and mren_run_release are called inside an SPI
 * connection of the caller's.
 */
#ifndef MREN_PG_TRAIN_RUN_RECORD_H
#define MREN_PG_TRAIN_RUN_RECORD_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "lib/stringinfo.h"

#include "training/progress.h"

typedef struct MrenRunStart
{
	const char *model;
	int64 model_id;	  /* whose rights were checked; 0: there is no such model yet */
	const char *call; /* "train", "retrain" or "train_tagger" */
	const char *query;
	Datum options; /* jsonb, as given */
} MrenRunStart;

typedef struct MrenRun
{
	int64 id;			/* of mren.run; 0: not recorded */
	StringInfoData log; /* a JSON array of epochs, without the closing bracket */
	const MrenRunStart *start;
	TimestampTz started_at;
} MrenRun;

/*
 * start must outlive the run.  Inserts the row and takes the session lock that shows that the run
 * is alive.
 */
extern void mren_run_begin(MrenRun *run, const MrenRunStart *start);

typedef struct MrenRunProgress
{
	const char *phase; /* "reading", "training", "refitting", "judging" */
	int64 rows;		   /* that are trained on; < 0: unknown */
	int64 weak_rows;   /* of them, not gold; < 0: unknown */
	MrenProgress epoch;
	double rows_per_second; /* 0: unknown */
	double seconds_left;	/* < 0: unknown */
} MrenRunProgress;

extern void mren_run_update(MrenRun *run, const MrenRunProgress *progress);

/* Appends an epoch to the log; the next update writes it. */
extern void mren_run_log(MrenRun *run, const MrenProgress *progress, double seconds);

/* Updates only the phase. */
extern void mren_run_phase(MrenRun *run, const char *phase);

/* The outcome of a retraining; a text that is NULL or a number that is NaN is unknown. */
typedef struct MrenRunVerdict
{
	int32 champion; /* its version */
	const char *verdict;
	const char *reason;
	const char *measure;
	double score[2];	/* champion's, challenger's */
	double lower_bound; /* of the difference of the scores */
	int64 holdout_rows; /* that both were judged by; < 0: they were not judged */
	int64 holdout_seen; /* left out, because one of the two was trained on them */
	int64 new_rows;		/* that the champion was not trained on; < 0: unknown */
	const bytea *input; /* hash of all that the verdict depends on (retrain_input.h); or NULL */
} MrenRunVerdict;

/* Ends the row of a retraining; version 0: none was trained, the run is "skipped". */
extern void mren_run_judged(MrenRun *run, int32 version, const MrenRunVerdict *verdict);

/* Ends the row of a training that made this version. */
extern void mren_run_succeed(MrenRun *run, int32 version);

/* Ends the row as "terminated", "canceled" or "failed", with SQLSTATE and message. */
extern void mren_run_fail(MrenRun *run, const ErrorData *error);

/*
 * The same in a row of its own, which stays although the transaction in which the
 * run began does not; with a notification (payload; NULL: none).
 */
extern void mren_run_fail_outside(MrenRun *run, const ErrorData *error, const char *payload);

/* Releases the session lock; to be called after the end of the row is committed. */
extern void mren_run_release(MrenRun *run);

#endif
