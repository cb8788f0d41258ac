/*
 * graph_worker.c
 *	  The worker that reads documents for a refresh: its process.
 *
 * It connects as the bootstrap superuser, since the graph's owner need not be
 * allowed to log in, and reads as the owner in a security-restricted operation, as
 * the refresh does.  Answers are sent after the transaction has ended, so that
 * nothing is locked while the refresh lets them wait.
 */
#include "pg/graph/graph_workers.h"

#include "access/xact.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "storage/dsm.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "storage/shm_mq.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "pg/extract/extract.h"
#include "pg/graph/graph_reading.h"
#include "pg/support/compat.h"
#include "pg/support/pg_env.h"

typedef struct Server
{
	const MrenGraphJob *job;
	MemoryContext batch;
	TupleDesc desc; /* of the rows */
	shm_mq_handle *batches;
	shm_mq_handle *answers;
} Server;

static const char *
after(const char *string)
{
	return string + strlen(string) + 1;
}

static void
apply_settings(const MrenGraphJob *job)
{
	for (const char *name = after(job->strings); *name != '\0'; name = after(after(name)))
		SetConfigOption(name, after(name), PGC_SUSET, PGC_S_SESSION);
}

static void
read_arrays(char *message, MrenGraphTexts *texts)
{
	for (int i = 0; i < MREN_GRAPH_N_TEXTS; i++)
	{
		texts->arrays[i] = PointerGetDatum(message);
		message += MAXALIGN(VARSIZE(message));
	}
}

static uint64
read_as_owner(Server *server, const MrenGraphTexts *texts, Tuplestorestate *rows)
{
	const MrenGraphJob *job = server->job;
	MrenPipeline pipeline = {
		.version = job->version, .tagger_version = job->tagger_version, .rules = job->rules};
	MrenGraphRole role;
	MrenGraph graph;
	uint64 n;

	SPI_connect();
	mren_graph_open(job->strings, false, &graph);
	mren_graph_enter(&graph, NULL, &role);
	if (server->desc == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

		server->desc = mren_graph_rows_desc();
		MemoryContextSwitchTo(old);
	}
	n = mren_graph_read(&graph, &pipeline, texts, rows);
	mren_graph_leave(&role);
	SPI_finish();
	return n;
}

/* Reads a batch in a transaction; the rows are in the context of the batch. */
static void
read_batch(Server *server, const MrenGraphTexts *texts, Tuplestorestate *rows,
		   MrenGraphAnswer *answer)
{
	(void) mren_extract_counts_take();
	PG_TRY();
	{
		StartTransactionCommand();
		XactReadOnly = true;
		PushActiveSnapshot(GetTransactionSnapshot());
		answer->n_rows = read_as_owner(server, texts, rows);
		PopActiveSnapshot();
		CommitTransactionCommand();
		answer->skipped_pairs = mren_extract_counts_take().skipped_pairs;
	}
	PG_CATCH();
	{
		int64 begun = mren_extract_counts_take().documents;

		/* The refresh will meet it again and report it. */
		MemoryContextSwitchTo(server->batch);
		FlushErrorState();
		AbortCurrentTransaction();
		answer->failed = (int) Max(begun - 1, 0);
		answer->n_rows = 0;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(server->batch);
}

static bool
send_answer(const Server *server, Tuplestorestate *rows, const MrenGraphAnswer *answer)
{
	TupleTableSlot *slot;

	if (mren_shm_mq_send(server->answers, sizeof(*answer), answer) != SHM_MQ_SUCCESS)
		return false;
	if (answer->n_rows == 0)
		return true;
	slot = MakeSingleTupleTableSlot(server->desc, &TTSOpsMinimalTuple);
	while (tuplestore_gettupleslot(rows, true, false, slot))
	{
		bool free;
		MinimalTuple row = ExecFetchSlotMinimalTuple(slot, &free);

		if (mren_shm_mq_send(server->answers, row->t_len, row) != SHM_MQ_SUCCESS)
			return false;
	}
	ExecDropSingleTupleTableSlot(slot);
	return true;
}

static bool
serve(Server *server, char *message)
{
	MrenGraphAnswer answer = {.failed = -1};
	MrenGraphTexts texts;
	Tuplestorestate *rows;
	double start;
	bool sent;

	MemoryContextSwitchTo(server->batch);
	read_arrays(message, &texts);
	rows = mren_graph_rows_begin();
	pgstat_report_activity(STATE_RUNNING, server->job->strings);
	start = mren_processor_seconds();
	read_batch(server, &texts, rows, &answer);
	answer.seconds = mren_processor_seconds() - start;
	pgstat_report_activity(STATE_IDLE, NULL);
	sent = send_answer(server, rows, &answer);
	tuplestore_end(rows);
	MemoryContextSwitchTo(TopMemoryContext);
	MemoryContextReset(server->batch);
	return sent;
}

void
mren_graph_worker_main(Datum handle)
{
	Server server = {0};
	dsm_segment *segment;
	char *address;
	Size size;
	void *message;

	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	segment = dsm_attach(DatumGetUInt32(handle));
	/* Nobody waits any more. */
	if (segment == NULL)
		proc_exit(0);
	dsm_pin_mapping(segment);
	address = dsm_segment_address(segment);
	server.job = (MrenGraphJob *) address;
	shm_mq_set_receiver((shm_mq *) (address + server.job->batches), MyProc);
	shm_mq_set_sender((shm_mq *) (address + server.job->answers), MyProc);
	server.batches = shm_mq_attach((shm_mq *) (address + server.job->batches), segment, NULL);
	server.answers = shm_mq_attach((shm_mq *) (address + server.job->answers), segment, NULL);
	BackgroundWorkerInitializeConnectionByOid(server.job->database, InvalidOid,
											  BGWORKER_BYPASS_ALLOWCONN);
	apply_settings(server.job);
	server.batch =
		AllocSetContextCreate(TopMemoryContext, "mren graph batch", ALLOCSET_DEFAULT_SIZES);
	while (shm_mq_receive(server.batches, &size, &message, false) == SHM_MQ_SUCCESS &&
		   serve(&server, message))
		CHECK_FOR_INTERRUPTS();
}
