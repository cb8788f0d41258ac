/*
 * job.c
 *	  A procedure that runs for long, commits as it goes, and is recorded in
 *	  mren.run.
 */
#include "pg/train/job.h"

#include "access/xact.h"
#include "commands/async.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/memutils.h"
#include "utils/portal.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

#include "pg/support/pg_env.h"
#include "pg/support/task_lock.h"

double
mren_job_seconds(const MrenJob *job)
{
	return mren_seconds_since(job->started);
}

MrenJob *
mren_job_create(FunctionCallInfo fcinfo, const char *name, Size size)
{
	MemoryContext context =
		AllocSetContextCreateInternal(PortalContext, name, ALLOCSET_DEFAULT_SIZES);
	MrenJob *job = MemoryContextAllocZero(context, size);

	job->caller = CurrentMemoryContext;
	job->context = context;
	job->atomic = fcinfo->context == NULL || !IsA(fcinfo->context, CallContext) ||
				  castNode(CallContext, fcinfo->context)->atomic;
	INSTR_TIME_SET_CURRENT(job->started);
	return job;
}

void
mren_job_destroy(MrenJob *job)
{
	MemoryContextDelete(job->context);
}

bool
mren_job_lock(MrenJob *job, Oid table, int64 id)
{
	if (!mren_task_lock(table, id, job->atomic))
		return false;
	if (!job->atomic)
	{
		job->lock_table = table;
		job->lock_id = id;
	}
	return true;
}

/* Releases the locks that the session holds for the job. */
static void
release(MrenJob *job)
{
	mren_run_release(&job->run);
	if (!OidIsValid(job->lock_table))
		return;
	mren_task_unlock(job->lock_table, job->lock_id);
	job->lock_table = InvalidOid;
}

void
mren_job_call(MrenJob *job, MrenJobPiece body)
{
	SPI_connect_ext(job->atomic ? 0 : SPI_OPT_NONATOMIC);
	MemoryContextSwitchTo(job->context);
	PG_TRY();
	{
		body(job);
		release(job);
	}
	PG_CATCH();
	{
		/* A run that failed outside its pieces must not look as if it were running. */
		release(job);
		/* Closes the job's files now: the transaction may go on if the error is caught. */
		MemoryContextDelete(job->context);
		PG_RE_THROW();
	}
	PG_END_TRY();
	SPI_finish();
	MemoryContextSwitchTo(job->caller);
}

void
mren_job_commit(MrenJob *job)
{
	if (!job->atomic)
		SPI_commit();
}

void
mren_job_record(MrenJob *job, const MrenRunStart *start)
{
	initStringInfo(&job->run.log);
	appendStringInfoChar(&job->run.log, '[');
	mren_run_begin(&job->run, start);
	mren_job_commit(job);
}

/*
 * Records the failure, commits that, then raises the error again.  A session
 * that is being terminated ends only after the commit.
 */
static void
fail(MrenJob *job, ErrorData *error)
{
	bool terminated = ProcDiePending;
	char *payload;

	if (job->run.id == 0)
		ReThrowError(error);
	if (terminated)
		HOLD_INTERRUPTS();
	payload = job->failed != NULL ? job->failed(job, error) : NULL;
	if (job->atomic)
		/* The record that was begun here goes with the transaction. */
		mren_run_fail_outside(&job->run, error, payload);
	else
	{
		PushActiveSnapshot(GetTransactionSnapshot());
		mren_run_fail(&job->run, error);
		if (payload != NULL)
			Async_Notify("mren", payload);
		PopActiveSnapshot();
		mren_job_commit(job);
	}
	mren_run_release(&job->run);
	if (terminated)
		RESUME_INTERRUPTS();
	ReThrowError(error);
}

/* The error of a piece aborts its subtransaction only, so that it can be recorded. */
void
mren_job_piece(MrenJob *job, MrenJobPiece piece)
{
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(job->context);
	PG_TRY();
	{
		bool snapshot = !ActiveSnapshotSet();

		if (snapshot)
			PushActiveSnapshot(GetTransactionSnapshot());
		piece(job);
		if (snapshot)
			PopActiveSnapshot();
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		/* The copy must outlive the job: it is raised again after the job is freed. */
		MemoryContextSwitchTo(job->caller);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(job->context);
	CurrentResourceOwner = owner;
	if (error != NULL)
		fail(job, error);
}
