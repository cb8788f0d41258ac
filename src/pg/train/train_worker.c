/*
 * train_worker.c
 *	  A worker that trains courses.
 *
 * A transaction is open while the rows are sorted to their temporary file.
 */
#include "pg/train/train_workers.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "storage/proc.h"

#include "pg/support/pg_env.h"

typedef struct Server
{
	MrenPoolWorker *worker;
	MrenWorkersShared *shared;
	MrenEnv env;
	instr_time started; /* the present epoch */

	MrenWorkerInputs head;
	char *negative;
	MrenTrainerInputs trainer;
	MrenVectorTable *table;
	MrenNet *warm;
} Server;

/*
 * Inputs
 */

/* A message, or several, of `size` bytes in all. */
static void
receive_bytes(Server *server, uint8 *bytes, size_t size)
{
	for (size_t at = 0; at < size;)
	{
		Size len;
		void *data = mren_pool_worker_receive(server->worker, &len);

		if (len > size - at)
			elog(ERROR, "inputs of a training worker are too long");
		memcpy(bytes + at, data, len);
		at += len;
	}
}

static void
receive_rows(Server *server)
{
	const MrenWorkerInputs *head = &server->head;
	MrenSpillShape shape = {head->image_dim, head->grid, head->audio_dim};
	MrenTrainSpill *spill = mren_train_spill_create(&shape, head->memory);

	for (size_t i = 0; i < head->n_rows; i++)
	{
		Size len;
		void *data = mren_pool_worker_receive(server->worker, &len);
		bytea *row = palloc(VARHDRSZ + len);

		SET_VARSIZE(row, VARHDRSZ + len);
		memcpy(VARDATA(row), data, len);
		mren_train_spill_add(spill, row, &(MrenSpillKeys){NULL, NULL}, NULL, NULL);
		pfree(row);
	}
	mren_train_spill_finish(spill, &server->trainer.source);
}

/* The ids are those of the rows' words, in the same order as the session has them. */
static void
receive_vectors(Server *server)
{
	const MrenWorkerInputs *head = &server->head;
	size_t size = head->vector_dim * sizeof(float4);
	MrenError err;
	int32 *ids;
	size_t n;

	if (head->vector_dim == 0)
		return;
	MREN_PG_CALL(err, mren_source_words(&server->env, &server->trainer.source, &ids, &n, &err));
	if (n != head->n_vectors)
		elog(ERROR, "a training worker has %zu words instead of %zu", n, head->n_vectors);
	MREN_PG_CALL(err, mren_vector_table_create(&server->env, ids, n, head->vector_dim,
											   &server->table, &err));
	for (size_t at = 0; at < n;)
	{
		Size len;
		char *data = mren_pool_worker_receive(server->worker, &len);

		for (size_t i = 0; i < len / size; i++)
			memcpy(mren_vector_table_row(server->table, at + i), data + i * size, size);
		at += len / size;
	}
	mren_release(&server->env, ids);
	mren_vector_table_vectors(server->table, &server->trainer.vectors);
}

static void
receive_warm(Server *server)
{
	size_t n = server->head.n_warm;
	MrenError err;
	uint8 *bytes;

	if (n == 0)
		return;
	bytes = palloc_extended(n, MCXT_ALLOC_HUGE);
	receive_bytes(server, bytes, n);
	MREN_PG_CALL(err, mren_net_deserialize(&server->env, bytes, n, &server->warm, &err));
	pfree(bytes);
}

static void
receive_inputs(Server *server)
{
	MrenWorkerInputs *head = &server->head;

	receive_bytes(server, (uint8 *) head, sizeof(*head));
	head->options.negative = NULL;
	head->options.pretrained = NULL;
	if (head->n_negative > 0)
	{
		server->negative = palloc(head->n_negative);
		receive_bytes(server, (uint8 *) server->negative, head->n_negative);
		head->options.negative = server->negative;
	}
	server->trainer = (MrenTrainerInputs){
		.image_dim = head->image_dim,
		.audio_dim = head->audio_dim,
		.embeddings_sha256 = head->embeddings,
		.encoder_sha256 = head->image_dim > 0 ? head->encoder : NULL,
		.audio_sha256 = head->audio_dim > 0 ? head->audio : NULL,
		.memory = head->memory,
	};
	receive_rows(server);
	receive_vectors(server);
	receive_warm(server);
}

/*
 * Answers
 */

static void
give(Server *server, const MrenWorkerMessage *message, const void *data, Size size)
{
	mren_pool_worker_give(server->worker, message, sizeof(*message), data, size);
}

static bool
serve_claim(void *state, const MrenCourse *course)
{
	return mren_workers_claim(((Server *) state)->shared, course);
}

static void
serve_tell(void *state, const MrenCourse *fit, const MrenCourseStatus *status)
{
	mren_workers_tell(((Server *) state)->shared, fit, status);
}

static void
serve_look(void *state, const MrenCourse *fit, MrenCourseStatus *status)
{
	mren_workers_look(((Server *) state)->shared, fit, status);
}

static MrenStatus
serve_wait(void *state, MrenError *err)
{
	mren_worker_pool_wait();
	CHECK_FOR_INTERRUPTS();
	return MREN_OK;
}

/* There is none, but the trainer calls this in each step. */
static MrenStatus
serve_news(void *state, MrenProgress *progress, bool *found, MrenError *err)
{
	CHECK_FOR_INTERRUPTS();
	*found = false;
	return MREN_OK;
}

static MrenStatus
serve_report(void *state, const MrenProgress *progress, MrenError *err)
{
	Server *server = state;
	MrenWorkerMessage message = {.kind = MREN_WORKER_EPOCH, .progress = *progress};
	instr_time now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, server->started);
	message.progress.seconds = INSTR_TIME_GET_DOUBLE(now);
	give(server, &message, NULL, 0);
	INSTR_TIME_SET_CURRENT(server->started);
	return MREN_OK;
}

static MrenStatus
serve_done(void *state, const MrenCourse *course, const uint8_t *bytes, size_t len, MrenError *err)
{
	Server *server = state;
	MrenWorkerMessage message = {.kind = MREN_WORKER_RESULT, .course = *course, .size = len};

	for (size_t at = 0; at < len; at += MREN_WORKER_PIECE)
		give(server, &message, bytes + at, Min(MREN_WORKER_PIECE, len - at));
	INSTR_TIME_SET_CURRENT(server->started);
	return MREN_OK;
}

/*
 * The process
 */

static void
serve(Server *server)
{
	MrenCourses courses = {.state = server,
						   .claim = serve_claim,
						   .tell = serve_tell,
						   .look = serve_look,
						   .wait = serve_wait,
						   .news = serve_news,
						   .report = serve_report,
						   .done = serve_done};
	MrenTrainer *trainer;
	MrenError err;

	StartTransactionCommand();
	MemoryContextSwitchTo(server->worker->context);
	receive_inputs(server);
	SpinLockAcquire(&server->shared->mutex);
	server->shared->processes[1 + server->worker->number] = MyProc;
	SpinLockRelease(&server->shared->mutex);
	CommitTransactionCommand();
	MemoryContextSwitchTo(server->worker->context);
	MREN_PG_CALL(err, mren_trainer_create(&server->env, &server->head.options, &server->trainer,
										  &trainer, &err));
	if (server->warm != NULL)
		mren_trainer_warm(trainer, server->warm);
	INSTR_TIME_SET_CURRENT(server->started);
	MREN_PG_CALL(err, mren_trainer_serve(trainer, &courses, &err));
	give(server, &(MrenWorkerMessage){.kind = MREN_WORKER_END}, NULL, 0);
}

static void
train(MrenPoolWorker *worker)
{
	Server server = {.worker = worker, .shared = worker->body, .env = worker->env};

	serve(&server);
}

void
mren_train_worker_main(Datum segment)
{
	mren_pool_worker_main(segment, train);
}
