/*
 * catalog_outside.c
 *	  A statement that a background worker runs in a transaction of its own.
 *
 * Statement and arguments are passed in a segment of dynamic shared memory, which
 * only server processes can read.  The worker connects as the bootstrap superuser,
 * since the caller's role need not be allowed to log in, and then writes as the
 * owner of the tables, as every other write does.
 */
#include "pg/catalog/catalog_outside.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/dsm.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "pg/catalog/catalog.h"
#include "pg/support/background.h"

#define MAX_VALUES 16
#define WAIT_MS 5000
/* Shorter than the wait: a lock that this transaction itself holds is never released meanwhile. */
#define LOCK_TIMEOUT "3s"

typedef struct Request
{
	Oid database;
	int n;
	bool isnull[MAX_VALUES];
	volatile bool done;
	char text[FLEXIBLE_ARRAY_MEMBER]; /* the statement and the values, each with its NUL */
} Request;

static dsm_segment *
make_request(const char *sql, int n, const char *const *values)
{
	Size size = offsetof(Request, text) + strlen(sql) + 1;
	dsm_segment *segment;
	Request *request;
	char *end;

	Assert(n <= MAX_VALUES);
	for (int i = 0; i < n; i++)
		size += values[i] != NULL ? strlen(values[i]) + 1 : 0;
	segment = dsm_create(size, DSM_CREATE_NULL_IF_MAXSEGMENTS);
	if (segment == NULL)
		return NULL;
	request = dsm_segment_address(segment);
	request->database = MyDatabaseId;
	request->n = n;
	request->done = false;
	end = stpcpy(request->text, sql) + 1;
	for (int i = 0; i < n; i++)
	{
		request->isnull[i] = values[i] == NULL;
		if (values[i] != NULL)
			end = stpcpy(end, values[i]) + 1;
	}
	return segment;
}

/* Until the worker has ended; not for ever, since a server that shuts down starts none. */
static void
wait_for(BackgroundWorkerHandle *worker)
{
	TimestampTz end = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), WAIT_MS);
	BgwHandleStatus status;
	pid_t pid;
	long left;

	while ((status = GetBackgroundWorkerPid(worker, &pid)) != BGWH_STOPPED &&
		   status != BGWH_POSTMASTER_DIED &&
		   (left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), end)) > 0)
	{
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, Min(left, 100),
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
	}
}

static bool
run_worker(dsm_segment *segment)
{
	BackgroundWorkerHandle *handle =
		mren_background_start("mren record of a failure", "mren_outside_main", segment, 0, false);

	if (handle == NULL)
		return false;
	/* The error that is being recorded, or the end of the session, comes after it. */
	HOLD_INTERRUPTS();
	wait_for(handle);
	RESUME_INTERRUPTS();
	return ((Request *) dsm_segment_address(segment))->done;
}

void
mren_catalog_write_outside(const char *sql, int n, const char *const *values)
{
	dsm_segment *segment = make_request(sql, n, values);
	bool done = segment != NULL && run_worker(segment);

	if (segment != NULL)
		dsm_detach(segment);
	if (!done)
		ereport(WARNING, (errmsg("the failure could not be recorded"),
						  errdetail("A background worker records what fails inside a transaction "
									"block or together with other statements."),
						  errhint("See the server's log; max_worker_processes may be too low.")));
}

/*
 * The worker
 */

static void
run_request(const Request *request)
{
	Oid types[MAX_VALUES];
	Datum values[MAX_VALUES];
	char nulls[MAX_VALUES + 1];
	const char *text = request->text + strlen(request->text) + 1;

	for (int i = 0; i < request->n; i++)
	{
		types[i] = TEXTOID;
		nulls[i] = request->isnull[i] ? 'n' : ' ';
		values[i] = (Datum) 0;
		if (request->isnull[i])
			continue;
		values[i] = CStringGetTextDatum(text);
		text += strlen(text) + 1;
	}
	mren_catalog_write(request->text, request->n, types, values, nulls);
}

void
mren_outside_main(Datum handle)
{
	dsm_segment *segment;
	Request *request;

	BackgroundWorkerUnblockSignals();
	segment = dsm_attach(DatumGetUInt32(handle));
	/* Nobody waits any more. */
	if (segment == NULL)
		proc_exit(0);
	dsm_pin_mapping(segment);
	request = dsm_segment_address(segment);
	BackgroundWorkerInitializeConnectionByOid(request->database, InvalidOid,
											  BGWORKER_BYPASS_ALLOWCONN);
	SetConfigOption("lock_timeout", LOCK_TIMEOUT, PGC_SUSET, PGC_S_OVERRIDE);
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	SPI_connect();
	run_request(request);
	SPI_finish();
	PopActiveSnapshot();
	CommitTransactionCommand();
	request->done = true;
}
