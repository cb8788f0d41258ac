/*
 * job_epochs.h
 *	  Running the steps of a training as pieces of a job, each of about a second;
 *	  after each piece the progress is committed, so that other sessions see it.
 */
#ifndef MREN_PG_TRAIN_JOB_EPOCHS_H
#define MREN_PG_TRAIN_JOB_EPOCHS_H

#include "postgres.h"

#include "pg/train/job.h"
#include "training/progress.h"

typedef struct MrenJobEpochs
{
	/* Given by the caller */
	MrenJob *job;
	void *state;
	void (*step)(void *state, MrenProgress *progress); /* one step, of about 50 ms at most */
	void (*stop)(void *state);						   /* end with the best epoch so far */
	int64 rows;										   /* that are trained on, for the record */
	int64 weak_rows; /* of them, not gold; < 0: rows are of one kind */
	double budget;	 /* seconds from the job's creation; 0: no limit, and stop may be NULL */

	/* Private */
	MrenProgress progress;
	MrenProgress epoch; /* at the end of the last whole epoch, here or elsewhere */
	instr_time epoch_started;
	bool stopped; /* the budget was used up */
} MrenJobEpochs;

/* Steps until MREN_TRAIN_DONE.  Runs pieces of the job, so it must not be called within one. */
extern void mren_job_epochs_run(MrenJobEpochs *epochs);

#endif
