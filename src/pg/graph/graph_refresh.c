/*
 * graph_refresh.c
 *	  CALL mren.refresh_graph(graph): a graph brought up to date.
 *
 * First aliases, relations and reviews are applied if they were edited; then the
 * source is run once, and the documents that differ from the graph's go to a
 * file; then they are scored in batches of about a second of processor time, each
 * with its facts merged, in a transaction of its own.  After every commit the graph
 * is whole: it is that of the documents which it says it has scored.  So a refresh
 * that is cancelled or killed needs no repair, and the next one goes on.
 *
 * Workers may read the documents (graph_workers.h).  The refresh then merges
 * what one of them has read while they read on.
 *
 * Each piece of work is in a subtransaction, as in job.c: if it fails, the run
 * is recorded as failed, and the error is raised again.  Called inside a
 * transaction block or a function it may not commit, and all of it belongs to
 * that transaction.
 *
 * check-qualified: search_path is pinned by mren_graph_run and mren_graph_query.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/portal.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "pg/support/args.h"
#include "pg/graph/graph_base.h"
#include "pg/graph/graph_workers.h"
#include "pg/support/settings.h"

/* Processor time that a batch should take, how many bytes it may hold. */
#define BATCH_SECONDS 1.0
#define BATCH_BYTES ((size_t) 32 * 1024 * 1024)
#define FIRST_BATCH 64
/* What a worker gets at least, where documents are left. */
#define SMALLEST_BATCH 8
#define NOTICE_SECONDS 5.0
/* Fewer documents than this are not worth the start of workers. */
#define WORKER_DOCUMENTS 128
/* Tables are analyzed when so many documents were scored, and again at each doubling. */
#define FIRST_ANALYZE 1000

typedef struct Refresh
{
	MemoryContext caller;
	MemoryContext context; /* lives through all transactions of the call */
	MemoryContext batch;
	bool atomic;
	bool locked;
	MrenGraph graph;
	MrenPipeline pipeline;
	MrenGraphWork *work;
	MrenGraphWorkers *workers;	/* NULL: none */
	MrenGraphTask *task;		/* what a worker has done, to be merged */
	MrenGraphWorkCounts counts; /* of the present run of the source */
	int64 actions[256];			/* documents done, by action */
	MrenUnread unread;
	int64 done;
	int64 sent; /* of them and of what workers have */
	int64 total;
	int64 next_analyze;
	int batch_size;
	int n_batch; /* documents of the batch just done */
	TimestampTz stamp;
	instr_time scoring; /* since when */
	instr_time noticed;
	int64 run; /* 0: not recorded */
	Datum summary;
} Refresh;

typedef void (*Piece)(Refresh *refresh);

/*
 * Pieces
 */

/* Edits of the analyst first: what is scored later is merged by the same rules. */
static void
begin(Refresh *refresh)
{
	MrenGraphRole role;
	MemoryContext old;

	mren_graph_enter(&refresh->graph, NULL, &role);
	mren_graph_remerge(&refresh->graph);
	old = MemoryContextSwitchTo(refresh->context);
	mren_graph_pipeline(&refresh->graph, &refresh->pipeline);
	MemoryContextSwitchTo(old);
	if (refresh->pipeline.rules)
	{
		mren_graph_relations(&refresh->graph, &refresh->pipeline, false);
		mren_graph_notice_relations(&refresh->graph, &refresh->pipeline);
	}
	mren_graph_leave(&role);
}

static void
read_source(Refresh *refresh)
{
	const MrenGraphWorkCounts *counts = &refresh->counts;
	MemoryContext old = MemoryContextSwitchTo(refresh->context);

	refresh->work = mren_graph_work_read(&refresh->graph, &refresh->pipeline, &refresh->counts);
	MemoryContextSwitchTo(old);
	if (counts->unused_images && refresh->done == 0 &&
		counts->created + counts->changed + counts->older > 0)
		ereport(
			NOTICE,
			(errmsg("images of graph \"%s\" are not used: model \"%s\" was trained without images",
					refresh->graph.name, refresh->graph.model)));
	refresh->sent = refresh->done;
	refresh->total = refresh->done + counts->created + counts->changed + counts->older +
					 counts->retimed + counts->deleted;
}

static void
analyze(Refresh *refresh)
{
	mren_graph_run_sql(
		&refresh->graph,
		"ANALYZE ${graph}.documents, ${graph}.evidence, ${graph}.entities, ${graph}.all_facts", 0,
		NULL, NULL, NULL);
	refresh->next_analyze = 2 * refresh->done;
}

static double
per_second(const Refresh *refresh)
{
	double seconds = mren_seconds_since(refresh->scoring);

	return seconds > 0 ? refresh->done / seconds : 0;
}

static double
seconds_left(const Refresh *refresh)
{
	double pace = per_second(refresh);

	return pace > 0 ? (refresh->total - refresh->done) / pace : -1;
}

static void
write_progress(Refresh *refresh)
{
	if (refresh->run != 0)
		mren_graph_run_progress(refresh->run, "scoring", refresh->done, refresh->total,
								per_second(refresh), seconds_left(refresh));
}

/* Adapts the size of batches to what one of n documents took. */
static void
set_batch_size(Refresh *refresh, int n, double seconds)
{
	refresh->batch_size = (int) Min(refresh->graph.options.batch_size,
									Max(1, n * Min(BATCH_SECONDS / Max(seconds, 0.001), 4.0)));
}

static void
score(Refresh *refresh, const MrenGraphBatch *batch)
{
	MrenGraphRole role;

	mren_graph_enter(&refresh->graph, NULL, &role);
	mren_graph_remerge(&refresh->graph);
	mren_graph_score(&refresh->graph, &refresh->pipeline, batch, refresh->stamp, &refresh->unread);
	refresh->done += batch->n;
	for (int i = 0; i < batch->n; i++)
		refresh->actions[(uint8) batch->documents[i].action]++;
	if (refresh->done >= refresh->next_analyze)
		analyze(refresh);
	mren_graph_leave(&role);
	write_progress(refresh);
}

/* The next documents of the work, in the current context. */
static void
take_batch(Refresh *refresh, int most, MrenGraphBatch *batch)
{
	*batch = (MrenGraphBatch){.reading = {.failed = -1}};
	batch->documents = palloc(most * sizeof(MrenGraphDocument));
	batch->n = mren_graph_work_next(refresh->work, batch->documents, most, BATCH_BYTES);
	refresh->sent += batch->n;
}

static void
score_batch(Refresh *refresh)
{
	MrenGraphBatch batch;
	double start = mren_processor_seconds();

	take_batch(refresh, refresh->batch_size, &batch);
	refresh->n_batch = batch.n;
	if (batch.n == 0)
		return;
	score(refresh, &batch);
	set_batch_size(refresh, batch.n, mren_processor_seconds() - start);
}

/*
 * Workers
 */

/* Reads what is committed, so not for a refresh in the caller's transaction. */
static void
open_workers(Refresh *refresh)
{
	const MrenGraphWorkCounts *counts = &refresh->counts;
	int64 n = counts->created + counts->changed + counts->older;
	bool chosen = mren_refresh_workers >= 0;
	MrenGraphRole role;

	mren_graph_enter(&refresh->graph, NULL, &role);
	refresh->workers = NULL;
	if (!refresh->atomic && n >= (chosen ? 1 : WORKER_DOCUMENTS) &&
		(chosen ? mren_refresh_workers : max_parallel_maintenance_workers) > 0)
		refresh->workers = mren_graph_workers_start(&refresh->graph, &refresh->pipeline,
													chosen ? mren_refresh_workers
														   : max_parallel_maintenance_workers);
	mren_graph_leave(&role);
}

static void
close_workers(Refresh *refresh)
{
	if (refresh->workers != NULL)
		mren_graph_workers_stop(refresh->workers);
	refresh->workers = NULL;
	if (refresh->task != NULL)
		mren_graph_task_end(refresh->task);
	refresh->task = NULL;
}

/* Batches become smaller towards the end, so that all workers end at the same time. */
static void
feed_workers(Refresh *refresh)
{
	int n = mren_graph_workers_alive(refresh->workers);

	for (int idle = mren_graph_workers_idle(refresh->workers); idle > 0; idle--)
	{
		int64 share = (refresh->total - refresh->sent) / (2 * n);
		MemoryContext context =
			AllocSetContextCreate(refresh->context, "mren refresh task", ALLOCSET_DEFAULT_SIZES);
		MemoryContext old = MemoryContextSwitchTo(context);
		MrenGraphTask *task = palloc0(sizeof(MrenGraphTask));

		task->context = context;
		take_batch(refresh, (int) Max(Min(refresh->batch_size, share), SMALLEST_BATCH),
				   &task->batch);
		MemoryContextSwitchTo(old);
		if (task->batch.n == 0)
		{
			MemoryContextDelete(context);
			return;
		}
		mren_graph_workers_send(refresh->workers, task);
	}
}

/* Nothing is locked here, while the workers read. */
static void
wait_for_worker(Refresh *refresh)
{
	feed_workers(refresh);
	refresh->task = mren_graph_workers_wait(refresh->workers);
	if (refresh->task == NULL)
		return;
	/* Not the time that the answer waited for the merge of another. */
	if (refresh->task->seconds > 0)
		set_batch_size(refresh, refresh->task->batch.n, refresh->task->seconds);
	feed_workers(refresh);
}

static void
merge_task(Refresh *refresh)
{
	score(refresh, &refresh->task->batch);
}

static Datum
summarize(const Refresh *refresh)
{
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfo(&json,
					 "{\"status\": \"done\", \"new\": %lld, \"changed\": %lld, \"rescored\": %lld,"
					 " \"deleted\": %lld, \"failed\": %lld, ",
					 (long long) refresh->actions['n'], (long long) refresh->actions['c'],
					 (long long) refresh->actions['o'], (long long) refresh->actions['d'],
					 (long long) refresh->unread.failed);
	if (refresh->unread.skipped_pairs > 0)
		appendStringInfo(&json, "\"skipped_pairs\": %lld, ",
						 (long long) refresh->unread.skipped_pairs);
	mren_graph_append_counts(&json, &refresh->graph);
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}

/* How reviewed evidence is labelled as training rows. */
static void
set_labels(const Refresh *refresh)
{
	const MrenPipeline *pipeline = &refresh->pipeline;
	Oid types[] = {TEXTOID, BOOLOID};
	Datum values[] = {pipeline->negative != NULL ? CStringGetTextDatum(pipeline->negative)
												 : (Datum) 0,
					  BoolGetDatum(pipeline->directed)};

	mren_graph_run_sql(&refresh->graph,
					   "UPDATE ${graph}.state SET negative = $1, directed = $2"
					   " WHERE (negative, directed) IS DISTINCT FROM ($1, $2)",
					   2, types, values, pipeline->negative != NULL ? NULL : "n ");
}

static void
finish(Refresh *refresh)
{
	MrenTouched nothing = {0};
	MrenGraphRole role;
	MemoryContext old;

	mren_graph_enter(&refresh->graph, NULL, &role);
	/* What was edited meanwhile, and verdicts, where no batch has taken them in. */
	if (!mren_graph_remerge(&refresh->graph))
		mren_graph_merge(&refresh->graph, &nothing);
	set_labels(refresh);
	old = MemoryContextSwitchTo(refresh->context);
	refresh->summary = summarize(refresh);
	MemoryContextSwitchTo(old);
	mren_graph_leave(&role);
	mren_graph_report_unread(&refresh->graph, &refresh->unread);
	if (refresh->run != 0)
		mren_graph_run_succeed(refresh->run, refresh->summary);
}

/*
 * Running the pieces
 */

static void
commit(Refresh *refresh)
{
	if (!refresh->atomic)
		SPI_commit();
}

static void
unlock(Refresh *refresh)
{
	if (refresh->locked && !refresh->atomic)
		mren_graph_unlock(&refresh->graph);
	refresh->locked = false;
}

/* Records the failure in a transaction of its own, then raises the error again. */
static void
fail(Refresh *refresh, ErrorData *error)
{
	if (refresh->run != 0 && refresh->atomic)
		/* The record that was begun here goes with the transaction. */
		mren_graph_run_fail_outside(&refresh->graph, refresh->stamp, error);
	else if (refresh->run != 0)
	{
		PushActiveSnapshot(GetTransactionSnapshot());
		mren_graph_run_fail(refresh->run, error);
		PopActiveSnapshot();
		commit(refresh);
	}
	unlock(refresh);
	ReThrowError(error);
}

static void
run_piece(Refresh *refresh, Piece piece)
{
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(refresh->batch);
	PG_TRY();
	{
		CommandCounterIncrement();
		PushActiveSnapshot(GetTransactionSnapshot());
		piece(refresh);
		PopActiveSnapshot();
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		/* It is raised again where all else of the refresh is gone. */
		MemoryContextSwitchTo(refresh->caller);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(refresh->context);
	CurrentResourceOwner = owner;
	MemoryContextReset(refresh->batch);
	if (error != NULL)
		fail(refresh, error);
}

static void
notice_progress(Refresh *refresh)
{
	if (mren_seconds_since(refresh->noticed) < NOTICE_SECONDS)
		return;
	INSTR_TIME_SET_CURRENT(refresh->noticed);
	ereport(NOTICE, (errmsg_internal("graph \"%s\": %lld of %lld documents, %.0f a second, about "
									 "%.0f s left",
									 refresh->graph.name, (long long) refresh->done,
									 (long long) refresh->total, per_second(refresh),
									 Max(seconds_left(refresh), 0))));
}

/* What workers read; what is left when the last of them has died is read by score_here. */
static void
score_by_workers(Refresh *refresh)
{
	for (;;)
	{
		run_piece(refresh, wait_for_worker);
		if (refresh->task == NULL)
			break;
		run_piece(refresh, merge_task);
		commit(refresh);
		mren_graph_task_end(refresh->task);
		refresh->task = NULL;
		notice_progress(refresh);
	}
	close_workers(refresh);
}

static void
score_here(Refresh *refresh)
{
	do
	{
		run_piece(refresh, score_batch);
		commit(refresh);
		notice_progress(refresh);
	} while (refresh->n_batch > 0);
}

static void
score_all(Refresh *refresh)
{
	INSTR_TIME_SET_CURRENT(refresh->scoring);
	refresh->noticed = refresh->scoring;
	do
	{
		run_piece(refresh, read_source);
		commit(refresh);
		run_piece(refresh, open_workers);
		if (refresh->workers != NULL)
			score_by_workers(refresh);
		score_here(refresh);
		mren_graph_work_free(refresh->work);
		refresh->work = NULL;
	} while (!refresh->counts.whole);
}

static void
begin_run(Refresh *refresh)
{
	refresh->run = mren_graph_run_begin(&refresh->graph);
	commit(refresh);
}

static void
refresh_graph(Refresh *refresh, const char *name)
{
	mren_graph_open(name, true, &refresh->graph);
	mren_graph_check_layout(&refresh->graph);
	refresh->locked = mren_graph_lock(&refresh->graph, refresh->atomic);
	if (!refresh->locked)
	{
		mren_graph_run_busy(&refresh->graph);
		refresh->summary = DirectFunctionCall1(jsonb_in, CStringGetDatum("{\"status\": \"busy\"}"));
		return;
	}
	refresh->stamp = GetCurrentTimestamp();
	refresh->batch_size = Min(FIRST_BATCH, refresh->graph.options.batch_size);
	refresh->next_analyze = FIRST_ANALYZE;
	begin_run(refresh);
	run_piece(refresh, begin);
	commit(refresh);
	score_all(refresh);
	run_piece(refresh, finish);
	commit(refresh);
	unlock(refresh);
}

static Refresh *
make_refresh(FunctionCallInfo fcinfo)
{
	MemoryContext context =
		AllocSetContextCreate(PortalContext, "mren refresh", ALLOCSET_DEFAULT_SIZES);
	Refresh *refresh = MemoryContextAllocZero(context, sizeof(Refresh));

	refresh->caller = CurrentMemoryContext;
	refresh->context = context;
	refresh->batch = AllocSetContextCreate(context, "mren refresh batch", ALLOCSET_DEFAULT_SIZES);
	refresh->atomic = fcinfo->context == NULL || !IsA(fcinfo->context, CallContext) ||
					  castNode(CallContext, fcinfo->context)->atomic;
	return refresh;
}

PG_FUNCTION_INFO_V1(mren_refresh_graph);
/* CALL mren.refresh_graph(graph, INOUT summary) */
Datum
mren_refresh_graph(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	Refresh *refresh;
	TupleDesc desc;
	char *name;
	Datum values[1];
	bool nulls[1] = {false};

	PreventCommandIfReadOnly("CALL mren.refresh_graph()");
	mren_catalog_require_current();
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	desc = BlessTupleDesc(desc);
	refresh = make_refresh(fcinfo);
	name = MemoryContextStrdup(refresh->context, mren_arg_text(fcinfo, 0, "graph"));
	SPI_connect_ext(refresh->atomic ? 0 : SPI_OPT_NONATOMIC);
	MemoryContextSwitchTo(refresh->context);
	PG_TRY();
	{
		refresh_graph(refresh, name);
	}
	PG_CATCH();
	{
		close_workers(refresh);
		unlock(refresh);
		MemoryContextDelete(refresh->context);
		PG_RE_THROW();
	}
	PG_END_TRY();
	SPI_finish();
	MemoryContextSwitchTo(caller);
	values[0] = PointerGetDatum(DatumGetJsonbPCopy(refresh->summary));
	MemoryContextDelete(refresh->context);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}
