/*
 * graph_workers.c
 *	  Workers that read documents, from the side of the refresh.
 *
 * check-qualified: search_path is pinned by mren_graph_run.
 */
#include "pg/graph/graph_workers.h"

#include "executor/executor.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/dsm.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "storage/shm_mq.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timeout.h"

#include "pg/graph/graph_reading.h"
#include "pg/support/background.h"
#include "pg/support/compat.h"

#define BATCHES_SIZE ((Size) 256 * 1024)
#define ANSWERS_SIZE ((Size) 1024 * 1024)

typedef struct Worker
{
	bool alive;
	dsm_segment *segment;
	BackgroundWorkerHandle *process;
	shm_mq_handle *batches;
	shm_mq_handle *answers;
	MrenGraphTask *task; /* NULL: idle */
} Worker;

/*
 * In a context of its own that outlives all others: if this process is terminated, the
 * transaction's contexts are gone when it leaves the segments (end_process).
 */
struct MrenGraphWorkers
{
	MemoryContext context;
	int n;
	TupleTableSlot *slot; /* of one row on its way */
	Worker workers[FLEXIBLE_ARRAY_MEMBER];
};

/*
 * The job
 */

static void
add_string(StringInfo strings, const char *string)
{
	appendBinaryStringInfo(strings, string, strlen(string) + 1);
}

/* The graph's name, and the settings of this session that reading may depend on. */
static void
job_strings(const MrenGraph *graph, StringInfo strings)
{
	initStringInfo(strings);
	add_string(strings, graph->name);
	mren_graph_run("SELECT s.name, s.setting FROM pg_settings s WHERE (s.name LIKE 'mren.%'"
				   " OR s.name = 'statement_timeout') AND s.context IN ('user', 'superuser')",
				   0, NULL, NULL, NULL);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple row = SPI_tuptable->vals[i];
		char *value = SPI_getvalue(row, SPI_tuptable->tupdesc, 2);

		add_string(strings, SPI_getvalue(row, SPI_tuptable->tupdesc, 1));
		add_string(strings, value != NULL ? value : "");
	}
	SPI_freetuptable(SPI_tuptable);
	add_string(strings, "");
}

static dsm_segment *
make_segment(const MrenPipeline *pipeline, const StringInfoData *strings)
{
	Size batches = MAXALIGN(offsetof(MrenGraphJob, strings) + strings->len);
	Size answers = batches + BATCHES_SIZE;
	dsm_segment *segment = dsm_create(answers + ANSWERS_SIZE, DSM_CREATE_NULL_IF_MAXSEGMENTS);
	MrenGraphJob *job;

	if (segment == NULL)
		return NULL;
	/* Batches are in many transactions. */
	dsm_pin_mapping(segment);
	job = dsm_segment_address(segment);
	job->database = MyDatabaseId;
	job->version = pipeline->version;
	job->tagger_version = pipeline->tagger_version;
	job->rules = pipeline->rules;
	job->batches = batches;
	job->answers = answers;
	memcpy(job->strings, strings->data, strings->len);
	return segment;
}

/*
 * Starting and stopping
 */

/* However this process leaves the segment, nobody needs what the worker is doing. */
static void
end_process(dsm_segment *segment, Datum arg)
{
	Worker *worker = (Worker *) DatumGetPointer(arg);

	if (worker->task != NULL)
		TerminateBackgroundWorker(worker->process);
}

static void
stop(Worker *worker)
{
	if (!worker->alive)
		return;
	worker->alive = false;
	shm_mq_detach(worker->batches);
	shm_mq_detach(worker->answers);
	dsm_detach(worker->segment);
}

static bool
start(Worker *worker, const MrenPipeline *pipeline, const StringInfoData *strings)
{
	dsm_segment *segment = make_segment(pipeline, strings);
	char *address;
	shm_mq *batches;
	shm_mq *answers;

	if (segment == NULL)
		return false;
	address = dsm_segment_address(segment);
	batches = shm_mq_create(address + ((MrenGraphJob *) address)->batches, BATCHES_SIZE);
	answers = shm_mq_create(address + ((MrenGraphJob *) address)->answers, ANSWERS_SIZE);
	shm_mq_set_sender(batches, MyProc);
	shm_mq_set_receiver(answers, MyProc);
	worker->process =
		mren_background_start("mren graph worker", "mren_graph_worker_main", segment, 0, true);
	if (worker->process == NULL)
	{
		dsm_detach(segment);
		return false;
	}
	worker->segment = segment;
	worker->batches = shm_mq_attach(batches, segment, worker->process);
	worker->answers = shm_mq_attach(answers, segment, worker->process);
	worker->alive = true;
	on_dsm_detach(segment, end_process, PointerGetDatum(worker));
	return true;
}

MrenGraphWorkers *
mren_graph_workers_start(const MrenGraph *graph, const MrenPipeline *pipeline, int n)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "mren graph workers", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	MrenGraphWorkers *workers = palloc0(offsetof(MrenGraphWorkers, workers) + n * sizeof(Worker));
	StringInfoData strings;

	workers->context = context;
	workers->slot = MakeSingleTupleTableSlot(mren_graph_rows_desc(), &TTSOpsMinimalTuple);
	job_strings(graph, &strings);
	/* A statement leaves SPI's context behind. */
	MemoryContextSwitchTo(context);
	MemoryContextSetParent(context, TopMemoryContext);
	while (workers->n < n && start(&workers->workers[workers->n], pipeline, &strings))
		workers->n++;
	pfree(strings.data);
	MemoryContextSwitchTo(old);
	if (workers->n > 0)
		return workers;
	MemoryContextDelete(context);
	return NULL;
}

void
mren_graph_workers_stop(MrenGraphWorkers *workers)
{
	for (int i = 0; i < workers->n; i++)
	{
		Worker *worker = &workers->workers[i];

		stop(worker);
		if (worker->task != NULL)
			mren_graph_task_end(worker->task);
	}
	MemoryContextDelete(workers->context);
}

/* The file that rows may be in would stay until the session ends. */
void
mren_graph_task_end(MrenGraphTask *task)
{
	if (task->batch.reading.rows != NULL)
		tuplestore_end(task->batch.reading.rows);
	MemoryContextDelete(task->context);
}

int
mren_graph_workers_idle(const MrenGraphWorkers *workers)
{
	int n = 0;

	for (int i = 0; i < workers->n; i++)
		n += workers->workers[i].alive && workers->workers[i].task == NULL;
	return n;
}

int
mren_graph_workers_alive(const MrenGraphWorkers *workers)
{
	int n = 0;

	for (int i = 0; i < workers->n; i++)
		n += workers->workers[i].alive;
	return n;
}

/*
 * Tasks
 */

void
mren_graph_workers_send(MrenGraphWorkers *workers, MrenGraphTask *task)
{
	static const char padding[MAXIMUM_ALIGNOF];
	const MrenGraphBatch *batch = &task->batch;
	MrenGraphDocument *some = palloc(Max(batch->n, 1) * sizeof(MrenGraphDocument));
	shm_mq_iovec parts[2 * MREN_GRAPH_N_TEXTS];
	MrenGraphTexts texts;
	Worker *worker = workers->workers;

	while (!worker->alive || worker->task != NULL)
		worker++;
	Assert(worker < workers->workers + workers->n);
	mren_graph_texts(some, mren_graph_pick(batch->documents, batch->n, MREN_GRAPH_TO_READ, some),
					 &texts);
	for (int i = 0; i < MREN_GRAPH_N_TEXTS; i++)
	{
		Size size = VARSIZE(DatumGetPointer(texts.arrays[i]));

		parts[2 * i] = (shm_mq_iovec){DatumGetPointer(texts.arrays[i]), size};
		parts[2 * i + 1] = (shm_mq_iovec){padding, MAXALIGN(size) - size};
	}
	worker->task = task;
	/* Whether the worker lives is seen when its answer is waited for. */
	(void) mren_shm_mq_sendv(worker->batches, parts, lengthof(parts));
}

static void
receive_rows(Worker *worker, TupleTableSlot *slot, const MrenGraphAnswer *answer)
{
	MrenReading *reading = &worker->task->batch.reading;

	reading->rows = mren_graph_rows_begin();

	for (int64 i = 0; i < answer->n_rows; i++)
	{
		Size size;
		void *row;

		if (shm_mq_receive(worker->answers, &size, &row, false) != SHM_MQ_SUCCESS)
		{
			tuplestore_end(reading->rows);
			reading->rows = NULL;
			stop(worker);
			return;
		}
		ExecStoreMinimalTuple(row, slot, false);
		tuplestore_puttupleslot(reading->rows, slot);
	}
	ExecClearTuple(slot);
}

/* True once the task is done, also by the worker's end: its batch was then not read. */
static bool
receive(Worker *worker, TupleTableSlot *slot)
{
	MrenGraphTask *task = worker->task;
	MrenGraphAnswer answer;
	Size size;
	void *data;
	shm_mq_result result = shm_mq_receive(worker->answers, &size, &data, true);
	MemoryContext old;

	if (result == SHM_MQ_WOULD_BLOCK)
		return false;
	old = MemoryContextSwitchTo(task->context);
	task->batch.reading = (MrenReading){.failed = -1};
	if (result == SHM_MQ_DETACHED)
		stop(worker);
	else
	{
		memcpy(&answer, data, sizeof(answer));
		task->batch.reading.failed = answer.failed;
		task->batch.reading.skipped_pairs = answer.skipped_pairs;
		task->seconds = answer.seconds;
		if (answer.failed < 0)
			receive_rows(worker, slot, &answer);
	}
	MemoryContextSwitchTo(old);
	return true;
}

MrenGraphTask *
mren_graph_workers_wait(MrenGraphWorkers *workers)
{
	for (;;)
	{
		bool busy = false;

		for (int i = 0; i < workers->n; i++)
		{
			Worker *worker = &workers->workers[i];
			MrenGraphTask *task = worker->task;

			if (task == NULL)
				continue;
			busy = true;
			if (receive(worker, workers->slot))
			{
				worker->task = NULL;
				return task;
			}
		}
		if (!busy)
			return NULL;
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH, 0, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}
