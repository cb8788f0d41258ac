/*
 * train_workers.c
 *	  Workers that train courses, from the side of the session that leads.
 *
 * Everything is in a context of its own under TopMemoryContext, since a training goes
 * over many transactions, and since it must still be there when this process leaves the
 * segment.  A callback of the caller's context stops the workers of a training that failed.
 */
#include "pg/train/train_workers.h"

#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "storage/dsm.h"
#include "storage/fd.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "storage/shm_mq.h"
#include "utils/memutils.h"

#include "pg/support/compat.h"
#include "pg/support/pg_env.h"

/* Fewer rows are trained sooner than workers are started. */
#define MIN_ROWS 500

/* How long a wait lasts at most, after which interrupts are looked at. */
#define WAIT_MS 50

typedef struct Worker
{
	BackgroundWorkerHandle *process;
	shm_mq_handle *inputs;
	shm_mq_handle *answers;
	bool alive;
} Worker;

typedef struct Outcome
{
	uint8 *bytes;
	size_t len;
	size_t taken; /* of them, so far */
} Outcome;

/* In the caller's context: its end is that of the workers. */
typedef struct Guard
{
	MemoryContextCallback callback;
	MrenTrainWorkers *workers; /* NULL: they have been stopped */
} Guard;

struct MrenTrainWorkers
{
	MemoryContext context;
	Guard *guard;
	dsm_segment *segment;
	MrenWorkersShared *shared;
	List *epochs; /* of MrenProgress *, that have ended elsewhere */
	Outcome results[MREN_N_COURSES];
	int n;
	Worker workers[MREN_MAX_TRAIN_WORKERS];
};

/*
 * What is shared
 */

bool
mren_workers_claim(MrenWorkersShared *shared, const MrenCourse *course)
{
	bool *claimed = &shared->claimed[mren_course_number(course)];
	bool mine;

	SpinLockAcquire(&shared->mutex);
	mine = !*claimed;
	*claimed = true;
	SpinLockRelease(&shared->mutex);
	return mine;
}

void
mren_workers_tell(MrenWorkersShared *shared, const MrenCourse *fit, const MrenCourseStatus *status)
{
	PGPROC *processes[lengthof(shared->processes)];

	SpinLockAcquire(&shared->mutex);
	shared->status[mren_course_number(fit)] = *status;
	memcpy(processes, shared->processes, sizeof(processes));
	SpinLockRelease(&shared->mutex);
	for (int i = 0; i < (int) lengthof(processes); i++)
	{
		if (processes[i] != NULL && processes[i] != MyProc)
			SetLatch(&processes[i]->procLatch);
	}
}

void
mren_workers_look(MrenWorkersShared *shared, const MrenCourse *fit, MrenCourseStatus *status)
{
	SpinLockAcquire(&shared->mutex);
	*status = shared->status[mren_course_number(fit)];
	SpinLockRelease(&shared->mutex);
}

void
mren_workers_wait(void)
{
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, WAIT_MS,
					 PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
}

/*
 * Inputs
 */

static bool
put(const Worker *worker, const void *data, size_t size)
{
	return mren_shm_mq_send(worker->inputs, size, data) == SHM_MQ_SUCCESS;
}

static bool
send_bytes(const Worker *worker, const uint8 *bytes, size_t size)
{
	for (size_t at = 0; at < size; at += MREN_WORKER_PIECE)
	{
		if (!put(worker, bytes + at, Min(MREN_WORKER_PIECE, size - at)))
			return false;
	}
	return true;
}

/* Of the form that mren_train_spill_add takes. */
static bool
send_row(const Worker *worker, const MrenTrainerInputs *inputs, size_t i, uint8 *vectors)
{
	const MrenSource *source = &inputs->source;
	size_t grid = mren_grid_size(&source->grid_shape) * sizeof(uint16);
	shm_mq_iovec parts[2];
	const uint8 *record;
	uint8 *at = vectors;
	MrenExample example;
	MrenError err;
	size_t len;
	size_t size;

	MREN_PG_CALL(err, source->read(source->state, i, &record, &len, &err));
	MREN_PG_CALL(err, mren_example_read(record, len, &example, &size, &err));
	if (example.has_image)
	{
		MREN_PG_CALL(err, source->image(source->state, &example.image, (float *) at, &err));
		at += inputs->image_dim * sizeof(float4);
	}
	if (example.has_grid)
	{
		MREN_PG_CALL(err, source->grid(source->state, &example.image, (uint16_t *) at, &err));
		at += grid;
	}
	if (example.has_audio)
	{
		MREN_PG_CALL(err, source->audio(source->state, &example.audio, (float *) at, &err));
		at += inputs->audio_dim * sizeof(float4);
	}
	parts[0] = (shm_mq_iovec){(const char *) record, size};
	parts[1] = (shm_mq_iovec){(const char *) vectors, at - vectors};
	return mren_shm_mq_sendv(worker->inputs, parts, lengthof(parts)) == SHM_MQ_SUCCESS;
}

static bool
send_rows(const Worker *worker, const MrenTrainerInputs *inputs)
{
	size_t room = (inputs->image_dim + inputs->audio_dim) * sizeof(float4) +
				  mren_grid_size(&inputs->source.grid_shape) * sizeof(uint16);
	uint8 *vectors = palloc(Max(room, 1));
	bool sent = true;

	for (size_t i = 0; i < inputs->source.n && sent; i++)
		sent = send_row(worker, inputs, i, vectors);
	pfree(vectors);
	return sent;
}

static bool
send_vectors(const Worker *worker, const MrenWorkersTask *task)
{
	size_t size = task->inputs->vectors.dim * sizeof(float4);
	bool sent = true;
	uint8 *piece;
	size_t n;

	if (task->table == NULL)
		return true;
	n = Max(MREN_WORKER_PIECE / size, 1);
	piece = palloc(n * size);
	for (size_t at = 0; at < task->n_vectors && sent; at += n)
	{
		n = Min(n, task->n_vectors - at);
		for (size_t i = 0; i < n; i++)
			memcpy(piece + i * size, mren_vector_table_row(task->table, at + i), size);
		sent = put(worker, piece, n * size);
	}
	pfree(piece);
	return sent;
}

/* False if the worker is not there. */
static bool
send_inputs(const Worker *worker, const MrenWorkersTask *task, const uint8 *warm, size_t n_warm)
{
	const MrenTrainerInputs *inputs = task->inputs;
	const char *negative = task->options->negative;
	MrenWorkerInputs head = {
		.options = *task->options,
		.n_negative = negative != NULL ? strlen(negative) + 1 : 0,
		.n_rows = inputs->source.n,
		.image_dim = inputs->image_dim,
		.audio_dim = inputs->audio_dim,
		.grid = inputs->source.grid_shape,
		.n_vectors = task->n_vectors,
		.vector_dim = task->table != NULL ? inputs->vectors.dim : 0,
		.memory = inputs->memory,
		.n_warm = n_warm,
	};

	memcpy(head.embeddings, inputs->embeddings_sha256, MREN_SHA256_LENGTH);
	if (inputs->encoder_sha256 != NULL)
		memcpy(head.encoder, inputs->encoder_sha256, MREN_SHA256_LENGTH);
	if (inputs->audio_sha256 != NULL)
		memcpy(head.audio, inputs->audio_sha256, MREN_SHA256_LENGTH);
	return put(worker, &head, sizeof(head)) &&
		   (negative == NULL || put(worker, negative, head.n_negative)) &&
		   send_rows(worker, inputs) && send_vectors(worker, task) &&
		   send_bytes(worker, warm, n_warm);
}

/*
 * Starting and stopping
 */

/* Workers wanted, and no more than there are courses for. */
static int
n_wanted(const MrenWorkersTask *task)
{
	size_t courses = mren_trainer_n_courses(task->options, task->inputs);

	if (!IsUnderPostmaster || task->inputs->source.n < MIN_ROWS)
		return 0;
	courses = Min(courses, MREN_MAX_TRAIN_WORKERS);
	return Min((int) courses, max_parallel_maintenance_workers);
}

/* However this process leaves the segment, nobody needs what the workers are doing. */
static void
end_processes(dsm_segment *segment, Datum arg)
{
	MrenTrainWorkers *workers = (MrenTrainWorkers *) DatumGetPointer(arg);

	for (int i = 0; i < workers->n; i++)
		TerminateBackgroundWorker(workers->workers[i].process);
}

/*
 * Waits for the workers' ends, so that the next training has as many and a call that failed
 * leaves none of their files.  They end within a step, also where this is called by an abort.
 */
static void
stop_guarded(void *arg)
{
	Guard *guard = arg;
	MrenTrainWorkers *workers = guard->workers;

	if (workers == NULL)
		return;
	guard->workers = NULL;
	end_processes(workers->segment, PointerGetDatum(workers));
	HOLD_INTERRUPTS();
	for (int i = 0; i < workers->n; i++)
		(void) WaitForBackgroundWorkerShutdown(workers->workers[i].process);
	RESUME_INTERRUPTS();
	/* This ends the processes once more, and detaches from the queues. */
	dsm_detach(workers->segment);
	MemoryContextDelete(workers->context);
}

void
mren_train_workers_stop(MrenTrainWorkers *workers)
{
	if (workers != NULL)
		stop_guarded(workers->guard);
}

static void
make_segment(MrenTrainWorkers *workers, int n)
{
	Size queues = MAXALIGN(sizeof(MrenWorkersShared));

	workers->segment =
		dsm_create(queues + 2 * n * MREN_WORKER_QUEUE, DSM_CREATE_NULL_IF_MAXSEGMENTS);
	if (workers->segment == NULL)
		return;
	dsm_pin_mapping(workers->segment);
	workers->shared = dsm_segment_address(workers->segment);
	memset(workers->shared, 0, sizeof(MrenWorkersShared));
	SpinLockInit(&workers->shared->mutex);
	workers->shared->database = MyDatabaseId;
	workers->shared->temp_file_limit = temp_file_limit;
	workers->shared->queues = queues;
	workers->shared->processes[0] = MyProc;
}

static bool
start(MrenTrainWorkers *workers, int i)
{
	BackgroundWorker process = {.bgw_flags = BGWORKER_SHMEM_ACCESS |
											 BGWORKER_BACKEND_DATABASE_CONNECTION |
											 BGWORKER_CLASS_PARALLEL,
								/* Also on a standby, where the aggregate can train. */
								.bgw_start_time = BgWorkerStart_ConsistentState,
								.bgw_restart_time = BGW_NEVER_RESTART,
								.bgw_notify_pid = MyProcPid};
	Worker *worker = &workers->workers[i];
	char *at = (char *) workers->shared + workers->shared->queues + 2 * i * MREN_WORKER_QUEUE;
	shm_mq *inputs = shm_mq_create(at, MREN_WORKER_QUEUE);
	shm_mq *answers = shm_mq_create(at + MREN_WORKER_QUEUE, MREN_WORKER_QUEUE);

	shm_mq_set_sender(inputs, MyProc);
	shm_mq_set_receiver(answers, MyProc);
	process.bgw_main_arg = UInt32GetDatum(dsm_segment_handle(workers->segment));
	memcpy(process.bgw_extra, &i, sizeof(i));
	snprintf(process.bgw_name, sizeof(process.bgw_name), "mren training worker for PID %d",
			 MyProcPid);
	strlcpy(process.bgw_type, "mren training worker", sizeof(process.bgw_type));
	strlcpy(process.bgw_library_name, "$libdir/mren", sizeof(process.bgw_library_name));
	strlcpy(process.bgw_function_name, "mren_train_worker_main", sizeof(process.bgw_function_name));
	if (!RegisterDynamicBackgroundWorker(&process, &worker->process))
		return false;
	worker->inputs = shm_mq_attach(inputs, workers->segment, worker->process);
	worker->answers = shm_mq_attach(answers, workers->segment, worker->process);
	workers->n++;
	return true;
}

static void
guard(MrenTrainWorkers *workers, MemoryContext caller)
{
	Guard *guard = MemoryContextAllocZero(caller, sizeof(Guard));

	guard->workers = workers;
	guard->callback = (MemoryContextCallback){.func = stop_guarded, .arg = guard};
	MemoryContextRegisterResetCallback(caller, &guard->callback);
	workers->guard = guard;
}

static void take_message(MrenTrainWorkers *workers, Worker *worker, const char *data, Size size);

/* A worker that has not taken its inputs: none at all, or one that failed, whose error is raised. */
static void
take_failure(MrenTrainWorkers *workers, Worker *worker)
{
	Size size;
	void *data;

	if (shm_mq_receive(worker->answers, &size, &data, true) == SHM_MQ_SUCCESS)
		take_message(workers, worker, data, size);
}

/* Gives all that were started their inputs; the number of those that are there. */
static int
feed(MrenTrainWorkers *workers, const MrenWorkersTask *task)
{
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	uint8 *warm = NULL;
	size_t n_warm = 0;
	MrenError err;
	int n = 0;

	if (task->warm != NULL)
		MREN_PG_CALL(err, mren_net_serialize(task->warm, &env, &warm, &n_warm, &err));
	for (int i = 0; i < workers->n; i++)
	{
		Worker *worker = &workers->workers[i];

		worker->alive = send_inputs(worker, task, warm, n_warm);
		if (!worker->alive)
			take_failure(workers, worker);
		n += worker->alive;
	}
	mren_release(&env, warm);
	return n;
}

MrenTrainWorkers *
mren_train_workers_start(const MrenWorkersTask *task)
{
	int n = n_wanted(task);
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context;
	MrenTrainWorkers *workers;

	if (n <= 0)
		return NULL;
	context =
		AllocSetContextCreate(TopMemoryContext, "mren training workers", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	workers = palloc0(sizeof(MrenTrainWorkers));
	workers->context = context;
	make_segment(workers, n);
	if (workers->segment == NULL)
	{
		MemoryContextSwitchTo(caller);
		MemoryContextDelete(context);
		return NULL;
	}
	guard(workers, caller);
	for (int i = 0; i < n && start(workers, i); i++)
		;
	on_dsm_detach(workers->segment, end_processes, PointerGetDatum(workers));
	n = feed(workers, task);
	MemoryContextSwitchTo(caller);
	if (n > 0)
		return workers;
	stop_guarded(workers->guard);
	return NULL;
}

/*
 * Answers
 */

static void
raise_lost(void)
{
	ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					errmsg("lost connection to a training worker"),
					errhint("It was terminated, or the server's log says why it ended.")));
}

static void
raise_error(const MrenWorkerMessage *message, const char *text)
{
	const char *detail = text + strlen(text) + 1;
	const char *hint = detail + strlen(detail) + 1;

	ereport(ERROR, (errcode(message->sqlstate), errmsg_internal("%s", text),
					*detail != '\0' ? errdetail_internal("%s", detail) : 0,
					*hint != '\0' ? errhint("%s", hint) : 0, errcontext("training worker")));
}

static void
take_piece(Outcome *result, size_t len, const char *data, size_t size)
{
	if (result->bytes == NULL)
		result->bytes = palloc_extended(len, MCXT_ALLOC_HUGE);
	result->len = len;
	memcpy(result->bytes + result->taken, data, size);
	result->taken += size;
}

static void
take_message(MrenTrainWorkers *workers, Worker *worker, const char *data, Size size)
{
	MemoryContext old = MemoryContextSwitchTo(workers->context);
	MrenWorkerMessage message;
	MrenProgress *progress;

	memcpy(&message, data, sizeof(message));
	data += sizeof(message);
	size -= sizeof(message);
	switch (message.kind)
	{
		case MREN_WORKER_EPOCH:
			progress = palloc(sizeof(MrenProgress));
			*progress = message.progress;
			workers->epochs = lappend(workers->epochs, progress);
			break;
		case MREN_WORKER_RESULT:
			take_piece(&workers->results[mren_course_number(&message.course)], message.size, data,
					   size);
			break;
		case MREN_WORKER_ERROR:
			MemoryContextSwitchTo(old);
			if (message.sqlstate == ERRCODE_ADMIN_SHUTDOWN)
				raise_lost();
			raise_error(&message, data);
			break;
		case MREN_WORKER_END:
			worker->alive = false;
			break;
	}
	MemoryContextSwitchTo(old);
}

/* Takes whatever workers have given. */
static void
take_all(MrenTrainWorkers *workers)
{
	for (int i = 0; i < workers->n; i++)
	{
		Worker *worker = &workers->workers[i];

		while (worker->alive)
		{
			Size size;
			void *data;
			shm_mq_result result = shm_mq_receive(worker->answers, &size, &data, true);

			if (result == SHM_MQ_WOULD_BLOCK)
				break;
			if (result == SHM_MQ_DETACHED)
				raise_lost();
			take_message(workers, worker, data, size);
		}
	}
}

static bool
lead_claim(void *state, const MrenCourse *course)
{
	MrenTrainWorkers *workers = state;

	if (course->kind == MREN_COURSE_LINEAR_FIT)
		return false;
	return mren_workers_claim(workers->shared, course);
}

static void
lead_tell(void *state, const MrenCourse *fit, const MrenCourseStatus *status)
{
	mren_workers_tell(((MrenTrainWorkers *) state)->shared, fit, status);
}

static void
lead_look(void *state, const MrenCourse *fit, MrenCourseStatus *status)
{
	mren_workers_look(((MrenTrainWorkers *) state)->shared, fit, status);
}

static MrenStatus
lead_wait(void *state, MrenError *err)
{
	mren_workers_wait();
	return MREN_OK;
}

static MrenStatus
lead_collect(void *state, const MrenCourse *course, const uint8_t **bytes, size_t *len,
			 MrenError *err)
{
	MrenTrainWorkers *workers = state;
	const Outcome *result = &workers->results[mren_course_number(course)];

	take_all(workers);
	*bytes = result->taken == result->len ? result->bytes : NULL;
	*len = result->len;
	return MREN_OK;
}

static MrenStatus
lead_news(void *state, MrenProgress *progress, bool *found, MrenError *err)
{
	MrenTrainWorkers *workers = state;

	take_all(workers);
	*found = workers->epochs != NIL;
	if (!*found)
		return MREN_OK;
	*progress = *(MrenProgress *) linitial(workers->epochs);
	pfree(linitial(workers->epochs));
	workers->epochs = list_delete_first(workers->epochs);
	return MREN_OK;
}

void
mren_train_workers_courses(MrenTrainWorkers *workers, MrenCourses *courses)
{
	*courses = (MrenCourses){.state = workers,
							 .claim = lead_claim,
							 .tell = lead_tell,
							 .look = lead_look,
							 .wait = lead_wait,
							 .collect = lead_collect,
							 .news = lead_news};
}
