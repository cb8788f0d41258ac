/*
 * epochs.h
 *	  Running a trainer's steps as a job: in pieces of about a second, between
 *	  which its progress is committed for other sessions to see.
 */
#ifndef MREN_PG_TRAIN_EPOCHS_H
#define MREN_PG_TRAIN_EPOCHS_H

#include "postgres.h"

#include "relation/train/trainer.h"
#include "pg/train/job.h"

typedef struct MrenEpochs
{
	/* Given by the caller */
	MrenJob *job;
	void *state;
	void (*step)(void *state, MrenProgress *progress); /* one step of at most some 50 ms */
	void (*stop)(void *state);						   /* keep the best epoch, go no further */
	int64 rows;										   /* of the training, for its record */
	double budget; /* seconds from the job's creation; 0: no bound, and stop may be NULL */

	/* Its own */
	MrenProgress progress;
	MrenProgress epoch; /* as the last whole epoch ended */
	instr_time epoch_started;
	bool stopped; /* the budget was spent */
} MrenEpochs;

/* Steps until MREN_TRAIN_DONE.  The job's pieces: no piece may be running. */
extern void mren_epochs_run(MrenEpochs *epochs);

#endif
