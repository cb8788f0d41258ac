/*
 * worker_pool.c
 *	  Workers that train, from the side of the session.
 *
 * Everything is in a context of its own under TopMemoryContext, since a training goes
 * over many transactions, and since it must still be there when this process leaves the
 * segment.  A callback of the caller's context stops the workers of a training that failed.
 */
#include "pg/workers/worker_pool.h"

#include "miscadmin.h"
#include "pgstat.h"
#include "storage/dsm.h"
#include "storage/fd.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "pg/support/background.h"
#include "pg/support/compat.h"

/* How long a wait lasts at most, after which interrupts are looked at. */
#define WAIT_MS 50

/* Waits that workers without work get to end by themselves. */
#define LEAVE_WAITS 20

typedef struct Worker
{
	BackgroundWorkerHandle *process;
	shm_mq_handle *inputs;
	shm_mq_handle *answers;
} Worker;

/* In the caller's context: its end is that of the workers. */
typedef struct Guard
{
	MemoryContextCallback callback;
	MrenWorkerPool *pool; /* NULL: they have been stopped */
} Guard;

struct MrenWorkerPool
{
	MemoryContext context;
	Guard *guard;
	dsm_segment *segment;
	MrenPoolShared *shared;
	int n;
	Worker workers[MREN_MAX_POOL_WORKERS];
};

/*
 * The segment
 */

/* Whether an error says that there is not as much memory to share. */
static bool
lacks_memory(const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_OUT_OF_MEMORY || error->sqlerrcode == ERRCODE_DISK_FULL ||
		   error->sqlerrcode == ERRCODE_INSUFFICIENT_RESOURCES;
}

/*
 * A segment; NULL if the server has no memory for it, as in a container whose /dev/shm is small:
 * the log then says so.  What a failed attempt leaves belongs to an owner of its own.
 */
static dsm_segment *
create_segment(Size size)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner caller = CurrentResourceOwner;
	ResourceOwner owner = ResourceOwnerCreate(caller, "mren worker pool");
	dsm_segment *volatile segment = NULL;
	ErrorData *volatile error = NULL;

	CurrentResourceOwner = owner;
	PG_TRY();
	{
		segment = dsm_create(size, DSM_CREATE_NULL_IF_MAXSEGMENTS);
		if (segment != NULL)
			dsm_pin_mapping(segment);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	CurrentResourceOwner = caller;
	ResourceOwnerRelease(owner, RESOURCE_RELEASE_BEFORE_LOCKS, error == NULL, false);
	ResourceOwnerRelease(owner, RESOURCE_RELEASE_LOCKS, error == NULL, false);
	ResourceOwnerRelease(owner, RESOURCE_RELEASE_AFTER_LOCKS, error == NULL, false);
	ResourceOwnerDelete(owner);
	if (error == NULL)
		return segment;
	if (!lacks_memory(error))
		ReThrowError(error);
	ereport(LOG, (errmsg("training without workers, which need %zu kB of shared memory: %s",
						 size / 1024, error->message)));
	FreeErrorData(error);
	return NULL;
}

static void
make_segment(MrenWorkerPool *pool, const MrenWorkerPoolKind *kind, int n)
{
	Size queues = MAXALIGN(sizeof(MrenPoolShared));
	Size body = TYPEALIGN(MREN_ALIGNMENT, queues + 2 * n * kind->queue);

	pool->segment = create_segment(body + kind->body);
	if (pool->segment == NULL)
		return;
	pool->shared = dsm_segment_address(pool->segment);
	*pool->shared = (MrenPoolShared){.database = MyDatabaseId,
									 .temp_file_limit = temp_file_limit,
									 .queues = queues,
									 .queue = kind->queue,
									 .body = body};
	memset((char *) pool->shared + body, 0, kind->body);
}

/*
 * Starting and stopping
 */

/* However this process leaves the segment, nobody needs what the workers are doing. */
static void
end_processes(dsm_segment *segment, Datum arg)
{
	MrenWorkerPool *pool = (MrenWorkerPool *) DatumGetPointer(arg);

	for (int i = 0; i < pool->n; i++)
		TerminateBackgroundWorker(pool->workers[i].process);
}

/*
 * Waits for the workers' ends, so that a call that failed leaves none of their files.  They end
 * within a step, also where this is called by an abort.
 */
static void
stop_guarded(void *arg)
{
	Guard *guard = arg;
	MrenWorkerPool *pool = guard->pool;

	if (pool == NULL)
		return;
	guard->pool = NULL;
	end_processes(pool->segment, PointerGetDatum(pool));
	HOLD_INTERRUPTS();
	for (int i = 0; i < pool->n; i++)
		(void) WaitForBackgroundWorkerShutdown(pool->workers[i].process);
	RESUME_INTERRUPTS();
	/* This ends the processes once more, and detaches from the queues. */
	dsm_detach(pool->segment);
	MemoryContextDelete(pool->context);
}

/*
 * Closes the queues and waits until the workers have left.  One that waits for its next message leaves
 * at once, whereas the log would take a termination for a failure.
 */
static void
let_leave(MrenWorkerPool *pool)
{
	int waits = 0;

	for (int i = 0; i < pool->n; i++)
	{
		shm_mq_detach(pool->workers[i].inputs);
		shm_mq_detach(pool->workers[i].answers);
	}
	for (int i = 0; i < pool->n && waits < LEAVE_WAITS && !InterruptPending;)
	{
		pid_t pid;

		if (GetBackgroundWorkerPid(pool->workers[i].process, &pid) == BGWH_STOPPED)
			i++;
		else
		{
			mren_worker_pool_wait();
			waits++;
		}
	}
}

void
mren_worker_pool_stop(MrenWorkerPool *pool)
{
	let_leave(pool);
	stop_guarded(pool->guard);
}

static bool
start(MrenWorkerPool *pool, const char *function, int i)
{
	Worker *worker = &pool->workers[i];
	Size size = pool->shared->queue;
	char *at = (char *) pool->shared + pool->shared->queues + 2 * i * size;
	shm_mq *inputs = shm_mq_create(at, size);
	shm_mq *answers = shm_mq_create(at + size, size);

	shm_mq_set_sender(inputs, MyProc);
	shm_mq_set_receiver(answers, MyProc);
	worker->process =
		mren_background_start("mren training worker", function, pool->segment, i, true);
	if (worker->process == NULL)
		return false;
	worker->inputs = shm_mq_attach(inputs, pool->segment, worker->process);
	worker->answers = shm_mq_attach(answers, pool->segment, worker->process);
	pool->n++;
	return true;
}

static void
guard(MrenWorkerPool *pool, MemoryContext caller)
{
	Guard *guard = MemoryContextAllocZero(caller, sizeof(Guard));

	guard->pool = pool;
	guard->callback = (MemoryContextCallback){.func = stop_guarded, .arg = guard};
	MemoryContextRegisterResetCallback(caller, &guard->callback);
	pool->guard = guard;
}

MrenWorkerPool *
mren_worker_pool_start(const MrenWorkerPoolKind *kind, int n)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context;
	MrenWorkerPool *pool;

	if (n <= 0 || !IsUnderPostmaster)
		return NULL;
	n = Min(n, MREN_MAX_POOL_WORKERS);
	context =
		AllocSetContextCreate(TopMemoryContext, "mren training workers", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	pool = palloc0(sizeof(MrenWorkerPool));
	pool->context = context;
	make_segment(pool, kind, n);
	MemoryContextSwitchTo(caller);
	if (pool->segment == NULL)
	{
		MemoryContextDelete(context);
		return NULL;
	}
	guard(pool, caller);
	MemoryContextSwitchTo(context);
	for (int i = 0; i < n && start(pool, kind->function, i); i++)
		;
	MemoryContextSwitchTo(caller);
	on_dsm_detach(pool->segment, end_processes, PointerGetDatum(pool));
	if (pool->n > 0)
		return pool;
	stop_guarded(pool->guard);
	return NULL;
}

void *
mren_worker_pool_body(MrenWorkerPool *pool)
{
	return (char *) pool->shared + pool->shared->body;
}

int
mren_worker_pool_n(const MrenWorkerPool *pool)
{
	return pool->n;
}

/*
 * Messages
 */

bool
mren_worker_pool_send(MrenWorkerPool *pool, int worker, const void *data, Size size)
{
	return mren_shm_mq_send(pool->workers[worker].inputs, size, data) == SHM_MQ_SUCCESS;
}

bool
mren_worker_pool_sendv(MrenWorkerPool *pool, int worker, shm_mq_iovec *parts, int n)
{
	return mren_shm_mq_sendv(pool->workers[worker].inputs, parts, n) == SHM_MQ_SUCCESS;
}

static void
raise_lost(void)
{
	ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					errmsg("lost connection to a training worker"),
					errhint("It was terminated, or the server's log says why it ended.")));
}

static void
raise_error(int sqlstate, const char *text)
{
	const char *detail = text + strlen(text) + 1;
	const char *hint = detail + strlen(detail) + 1;

	if (sqlstate == ERRCODE_ADMIN_SHUTDOWN)
		raise_lost();
	ereport(ERROR, (errcode(sqlstate), errmsg_internal("%s", text),
					*detail != '\0' ? errdetail_internal("%s", detail) : 0,
					*hint != '\0' ? errhint("%s", hint) : 0, errcontext("training worker")));
}

static void
open_answer(void **data, Size *size)
{
	MrenPoolAnswer answer;

	memcpy(&answer, *data, sizeof(answer));
	*data = (char *) *data + sizeof(answer);
	*size -= sizeof(answer);
	if (answer.failed)
		raise_error(answer.sqlstate, *data);
}

bool
mren_worker_pool_receive(MrenWorkerPool *pool, int worker, void **data, Size *size)
{
	shm_mq_result result = shm_mq_receive(pool->workers[worker].answers, size, data, true);

	if (result == SHM_MQ_WOULD_BLOCK)
		return false;
	if (result == SHM_MQ_DETACHED)
		raise_lost();
	open_answer(data, size);
	return true;
}

void
mren_worker_pool_failure(MrenWorkerPool *pool, int worker)
{
	Size size;
	void *data;

	if (shm_mq_receive(pool->workers[worker].answers, &size, &data, true) == SHM_MQ_SUCCESS)
		open_answer(&data, &size);
}

void
mren_worker_pool_wait(void)
{
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, WAIT_MS,
					 PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
}
