/*
 * job.h
 *	  A procedure that runs for long, commits as it goes, and is recorded in
 *	  mren.run.
 *
 * Its work is cut into pieces, each in a subtransaction of its own.  When a
 * piece fails, or the session is terminated during it, the outcome of the run
 * is recorded and committed before the error is raised again.  Between pieces
 * no snapshot is held, and after a commit no transaction id.
 *
 * Called inside a transaction block or a function, or in one string with other
 * statements, it may not commit: then it works within that transaction, of which
 * its record is a part.  If it fails, a background worker records that.
 */
#ifndef MREN_PG_TRAIN_JOB_H
#define MREN_PG_TRAIN_JOB_H

#include "postgres.h"

#include "fmgr.h"
#include "portability/instr_time.h"
#include "utils/jsonb.h"

#include "pg/train/run_record.h"

/* The first field of a job's own state, which is allocated in the job's context. */
typedef struct MrenJob
{
	MemoryContext caller;  /* current when the procedure was called */
	MemoryContext context; /* outlives the transactions of the call */
	bool atomic;		   /* may not commit */
	Oid lock_table;		   /* of the lock that is held; invalid: none */
	int64 lock_id;
	MrenRun run;
	instr_time started;
	/* Returns the payload of the notification that a recorded run has failed; may be NULL. */
	char *(*failed)(struct MrenJob *job, const ErrorData *error);
	struct MrenJobEpochs *epochs; /* running now: job_epochs.h */
} MrenJob;

typedef void (*MrenJobPiece)(MrenJob *job);

/*
 * mren_job_create
 *	  A job of `size` zeroed bytes that begin with an MrenJob, in a context of
 *	  its own.  name is a constant.
 */
extern MrenJob *mren_job_create(FunctionCallInfo fcinfo, const char *name, Size size);

/*
 * mren_job_call
 *	  Runs the body inside an SPI connection, in the job's context, and releases
 *	  the job's locks, whether it succeeds or fails.  Arguments must have been
 *	  copied to the job's context: they would not outlive the first commit.
 */
extern void mren_job_call(MrenJob *job, MrenJobPiece body);

/*
 * mren_job_lock
 *	  Takes the lock of a row of mren's (task_lock.h) for as long as the job lasts
 *	  (in an atomic call: the transaction); false if another session holds it.  A
 *	  job has at most one.
 */
extern bool mren_job_lock(MrenJob *job, Oid table, int64 id);

/* Frees the job and everything in its context. */
extern void mren_job_destroy(MrenJob *job);

/*
 * Records that the run begins, and commits unless the call is atomic; start must outlive the job.
 */
extern void mren_job_record(MrenJob *job, const MrenRunStart *start);

/* Runs a piece in a subtransaction, with a snapshot, in the job's context. */
extern void mren_job_piece(MrenJob *job, MrenJobPiece piece);

/* Commits unless the call is atomic. */
extern void mren_job_commit(MrenJob *job);

/* Seconds since the job was created. */
extern double mren_job_seconds(const MrenJob *job);

#endif
