/*
 * pool_worker.c
 *	  A worker that trains for a session: its process.
 *
 * It connects to the database only to be seen there, and as the bootstrap superuser, since
 * the role that trains need not be allowed to log in, nor the database take new connections; it
 * runs no query and reads no table of a user's.
 */
#include "pg/workers/worker_pool.h"

#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "storage/dsm.h"
#include "storage/ipc.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "pg/support/compat.h"
#include "pg/support/pg_env.h"

/* Nobody waits for the worker any more. */
static void
leave(void)
{
	proc_exit(0);
}

void *
mren_pool_worker_receive(MrenPoolWorker *worker, Size *size)
{
	void *data;

	if (shm_mq_receive(worker->inputs, size, &data, false) != SHM_MQ_SUCCESS)
		leave();
	return data;
}

static void
give(MrenPoolWorker *worker, const MrenPoolAnswer *answer, const shm_mq_iovec *parts, int n)
{
	shm_mq_iovec all[3] = {{(const char *) answer, sizeof(*answer)}};

	memcpy(all + 1, parts, n * sizeof(*parts));
	if (mren_shm_mq_sendv(worker->answers, all, 1 + n) != SHM_MQ_SUCCESS)
		leave();
}

void
mren_pool_worker_give(MrenPoolWorker *worker, const void *data, Size size, const void *more,
					  Size more_size)
{
	const shm_mq_iovec parts[] = {{data, size}, {more, more_size}};

	give(worker, &(MrenPoolAnswer){0}, parts, lengthof(parts));
}

static void
give_error(MrenPoolWorker *worker)
{
	StringInfoData texts;
	ErrorData *error;

	MemoryContextSwitchTo(worker->context);
	error = CopyErrorData();
	FlushErrorState();
	initStringInfo(&texts);
	for (int i = 0; i < 3; i++)
	{
		const char *text = i == 0 ? error->message : i == 1 ? error->detail : error->hint;

		appendStringInfoString(&texts, text != NULL ? text : "");
		appendStringInfoChar(&texts, '\0');
	}
	give(worker, &(MrenPoolAnswer){.failed = 1, .sqlstate = error->sqlerrcode},
		 &(shm_mq_iovec){texts.data, texts.len}, 1);
}

static void
attach(MrenPoolWorker *worker, dsm_segment *segment)
{
	MrenPoolShared *shared = dsm_segment_address(segment);
	char *at;

	memcpy(&worker->number, MyBgworkerEntry->bgw_extra, sizeof(worker->number));
	worker->body = (char *) shared + shared->body;
	at = (char *) shared + shared->queues + 2 * worker->number * shared->queue;
	shm_mq_set_receiver((shm_mq *) at, MyProc);
	shm_mq_set_sender((shm_mq *) (at + shared->queue), MyProc);
	worker->inputs = shm_mq_attach((shm_mq *) at, segment, NULL);
	worker->answers = shm_mq_attach((shm_mq *) (at + shared->queue), segment, NULL);
}

void
mren_pool_worker_main(Datum handle, void (*work)(MrenPoolWorker *worker))
{
	MrenPoolWorker worker = {0};
	const MrenPoolShared *shared;
	dsm_segment *segment;

	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	segment = dsm_attach(DatumGetUInt32(handle));
	if (segment == NULL)
		leave();
	dsm_pin_mapping(segment);
	attach(&worker, segment);
	shared = dsm_segment_address(segment);
	BackgroundWorkerInitializeConnectionByOid(shared->database, InvalidOid,
											  BGWORKER_BYPASS_ALLOWCONN);
	SetConfigOption("temp_file_limit", psprintf("%d", shared->temp_file_limit), PGC_SUSET,
					PGC_S_SESSION);
	worker.context =
		AllocSetContextCreate(TopMemoryContext, "mren training worker", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(worker.context);
	worker.env = mren_pg_env(worker.context);
	pgstat_report_activity(STATE_RUNNING, MyBgworkerEntry->bgw_name);
	PG_TRY();
	{
		work(&worker);
	}
	PG_CATCH();
	{
		give_error(&worker);
		proc_exit(0);
	}
	PG_END_TRY();
}
