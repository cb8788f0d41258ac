/*
 * train_workers.c
 *	  Workers that train courses, from the side of the session that leads.
 */
#include "pg/train/train_workers.h"

#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "storage/latch.h"
#include "storage/proc.h"

#include "pg/support/pg_env.h"

/* Fewer rows are trained sooner than workers are started. */
#define MIN_ROWS 500

#define QUEUE ((Size) 256 * 1024)

typedef struct Outcome
{
	uint8 *bytes;
	size_t len;
	size_t taken; /* of them, so far */
} Outcome;

struct MrenTrainWorkers
{
	MemoryContext context; /* that of the training */
	MrenWorkerPool *pool;
	MrenWorkersShared *shared;
	List *epochs; /* of MrenProgress *, that have ended elsewhere */
	Outcome results[MREN_N_COURSES];
	bool alive[MREN_MAX_POOL_WORKERS];
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

/*
 * Inputs
 */

/* A worker that is given its inputs. */
typedef struct Worker
{
	MrenWorkerPool *pool;
	int number;
} Worker;

static bool
put(const Worker *worker, const void *data, size_t size)
{
	return mren_worker_pool_send(worker->pool, worker->number, data, size);
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
	return mren_worker_pool_sendv(worker->pool, worker->number, parts, lengthof(parts));
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

	if (task->inputs->source.n < MIN_ROWS)
		return 0;
	return (int) Min(courses, (size_t) max_parallel_maintenance_workers);
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
	for (int i = 0; i < mren_worker_pool_n(workers->pool); i++)
	{
		const Worker worker = {workers->pool, i};

		workers->alive[i] = send_inputs(&worker, task, warm, n_warm);
		if (!workers->alive[i])
			mren_worker_pool_failure(workers->pool, i);
		n += workers->alive[i];
	}
	mren_release(&env, warm);
	return n;
}

MrenTrainWorkers *
mren_train_workers_start(const MrenWorkersTask *task)
{
	const MrenWorkerPoolKind kind = {"mren_train_worker_main", QUEUE, sizeof(MrenWorkersShared)};
	MrenWorkerPool *pool = mren_worker_pool_start(&kind, n_wanted(task));
	MrenTrainWorkers *workers;

	if (pool == NULL)
		return NULL;
	workers = palloc0(sizeof(MrenTrainWorkers));
	workers->context = CurrentMemoryContext;
	workers->pool = pool;
	workers->shared = mren_worker_pool_body(pool);
	/* Workers look at it once they have their inputs. */
	SpinLockInit(&workers->shared->mutex);
	workers->shared->processes[0] = MyProc;
	if (feed(workers, task) > 0)
		return workers;
	mren_train_workers_stop(workers);
	return NULL;
}

void
mren_train_workers_stop(MrenTrainWorkers *workers)
{
	if (workers == NULL)
		return;
	mren_worker_pool_stop(workers->pool);
	pfree(workers);
}

/*
 * Answers
 */

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
take_message(MrenTrainWorkers *workers, int worker, const char *data, Size size)
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
		case MREN_WORKER_END:
			workers->alive[worker] = false;
			break;
	}
	MemoryContextSwitchTo(old);
}

/* Takes whatever workers have given. */
static void
take_all(MrenTrainWorkers *workers)
{
	for (int i = 0; i < mren_worker_pool_n(workers->pool); i++)
	{
		Size size;
		void *data;

		while (workers->alive[i] && mren_worker_pool_receive(workers->pool, i, &data, &size))
			take_message(workers, i, data, size);
	}
}

static bool
lead_claim(void *state, const MrenCourse *course)
{
	return mren_workers_claim(((MrenTrainWorkers *) state)->shared, course);
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
	mren_worker_pool_wait();
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
