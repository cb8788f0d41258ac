/*
 * train.c
 *	  CALL mren.train(model, query, options, INOUT version): any number of rows.
 *
 * Phase one reads: the query runs once, each row is encoded where it is read
 * (in parallel workers, if the plan has them), and the encoded rows go to a
 * temporary file in the trainer's order.  No commit falls into it.
 *
 * Phase two trains: no portal is open, no snapshot is held, and between
 * commits no transaction id.  Progress is committed about once a second, so
 * that other sessions see it.
 *
 * Each piece of work is in a subtransaction of its own: when it fails, the run
 * is recorded as failed, that is committed, and the error goes on its way.
 *
 * Called inside a transaction block or a function it may not commit: then it
 * trains within that transaction, tells its progress by NOTICE only, and a run
 * that fails leaves nothing.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/portal.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

#include "pg/args.h"
#include "pg/models.h"
#include "pg/options.h"
#include "pg/query.h"
#include "pg/run.h"
#include "pg/settings.h"
#include "pg/spill.h"
#include "pg/training.h"

/* How long one piece of training lasts before its progress is committed. */
#define PIECE_SECONDS 1.0

typedef struct Train
{
	MemoryContext caller;
	MemoryContext context; /* lives through all transactions of the call */
	bool atomic;
	char *model;
	char *query;
	Jsonb *object; /* the options as given */
	MrenTrainOptions options;
	MrenSpill *spill;
	MrenSource source;
	MrenTraining training;
	MrenProgress progress;
	MrenProgress epoch; /* as the last whole epoch ended */
	MrenRun run;
	int64 n_skipped;
	instr_time started;
	instr_time epoch_started;
	int32 version;
} Train;

typedef void (*Piece)(Train *train);

static double
seconds_since(instr_time start)
{
	instr_time now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, start);
	return INSTR_TIME_GET_DOUBLE(now);
}

/*
 * Phase one
 */

static void
add_row(void *state, TupleTableSlot *slot)
{
	Train *train = state;
	bool isnull;
	Datum row = slot_getattr(slot, 1, &isnull);

	CHECK_FOR_INTERRUPTS();
	if (isnull)
		train->n_skipped++;
	else
		mren_spill_add(train->spill, DatumGetByteaPP(row));
}

/* mren.encode_example over the query's columns; missing ones are NULL. */
static char *
generate_statement(const char *query, const MrenColumns *columns)
{
	static const MrenColumn order[] = {
		MREN_COLUMN_SENTENCE,  MREN_COLUMN_HEAD,	  MREN_COLUMN_TAIL,
		MREN_COLUMN_RELATION,  MREN_COLUMN_IMAGE,	  MREN_COLUMN_IMAGE_VECTOR,
		MREN_COLUMN_HEAD_TYPE, MREN_COLUMN_TAIL_TYPE, MREN_COLUMN_HEAD_BOX,
		MREN_COLUMN_TAIL_BOX,  MREN_COLUMN_WEIGHT,	  MREN_COLUMN_SPLIT,
	};
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT mren.encode_example($1");
	for (int i = 0; i < (int) lengthof(order); i++)
		appendStringInfo(&sql, ", %s%s::%s", columns->attno[order[i]] > 0 ? "q." : "",
						 columns->attno[order[i]] > 0 ? mren_column_name(order[i]) : "NULL",
						 mren_column_type(order[i], columns->ranges));
	appendStringInfo(&sql, ") FROM (%s\n) AS q", mren_query_text(query));
	return sql.data;
}

static void
read_rows(Train *train)
{
	uint32 needed = (1u << MREN_COLUMN_SENTENCE) | (1u << MREN_COLUMN_HEAD) |
					(1u << MREN_COLUMN_TAIL) | (1u << MREN_COLUMN_RELATION);
	size_t memory = (size_t) mren_train_memory * 1024;
	Oid types[] = {JSONBOID};
	Datum values[] = {JsonbPGetDatum(train->object)};
	MrenColumns columns;
	MemoryContext old;

	mren_query_columns(train->query, needed, &columns);
	old = MemoryContextSwitchTo(train->context);
	mren_train_options(train->object, &train->options);
	mren_models_check_save(train->model, train->options.deploy);
	train->spill = mren_spill_create(
		train->options.image_encoder != NULL ? train->options.encoder_row.dimension : 0, memory);
	MemoryContextSwitchTo(old);
	mren_query_run(generate_statement(train->query, &columns), 1, types, values, add_row, train);
	if (train->n_skipped > 0)
		ereport(NOTICE, (errmsg("%lld rows without sentence, mention or relation were skipped",
								(long long) train->n_skipped)));
	mren_spill_finish(train->spill, &train->source);
	old = MemoryContextSwitchTo(train->context);
	mren_training_begin(&train->training, &train->options, &train->source, memory);
	MemoryContextSwitchTo(old);
	INSTR_TIME_SET_CURRENT(train->epoch_started);
}

/*
 * Phase two
 */

static double
rows_per_second(const Train *train)
{
	double seconds = seconds_since(train->epoch_started);

	return seconds > 0 ? train->progress.rows_done / seconds : 0;
}

/* At the pace of this epoch, all epochs to go; stopping early is not foreseen. */
static double
seconds_left(const Train *train)
{
	double pace = rows_per_second(train);
	const MrenProgress *progress = &train->progress;
	double rows;

	if (pace <= 0 || progress->epoch == 0)
		return -1;
	rows = (double) (progress->epochs - progress->epoch) * progress->rows_total +
		   (progress->rows_total - progress->rows_done);
	return rows / pace;
}

static void
report_epoch(Train *train)
{
	const MrenProgress *progress = &train->progress;
	double seconds = seconds_since(train->epoch_started);
	char validation[128] = "";

	if (progress->validated)
		snprintf(validation, sizeof(validation), ", validation loss %.4f, F1 %.4f%s",
				 progress->validation_loss, progress->validation_f1,
				 progress->improved ? " (best)" : "");
	ereport(NOTICE,
			(errmsg_internal("%s epoch %d of %d: loss %.4f%s, %.0f rows/s, at most %.0f s left",
							 progress->phase == 2 ? "refit" : "training", progress->epoch,
							 progress->epochs, progress->loss, validation, rows_per_second(train),
							 Max(seconds_left(train), 0))));
	mren_run_log(&train->run, progress, seconds);
	INSTR_TIME_SET_CURRENT(train->epoch_started);
}

/* Steps for about a second. */
static void
train_a_while(Train *train)
{
	instr_time start;

	INSTR_TIME_SET_CURRENT(start);
	do
	{
		CHECK_FOR_INTERRUPTS();
		mren_training_step(&train->training, &train->progress);
		if (train->progress.event == MREN_TRAIN_EPOCH)
		{
			train->epoch = train->progress;
			report_epoch(train);
		}
	} while (train->progress.event != MREN_TRAIN_DONE && seconds_since(start) < PIECE_SECONDS);
}

static void
save(Train *train)
{
	MrenSaveExtra extra = {.deploy = train->options.deploy,
						   .seconds = seconds_since(train->started)};
	MrenNetwork network;
	MrenNetInfo info;
	MrenTrainReport report;

	mren_training_end(&train->training, &network, &report);
	mren_net_info(network.net, &info);
	train->version = mren_models_save(train->model, &network, &extra);
	ereport(NOTICE, (errmsg_internal(
						"version %d of model \"%s\": %zu rows, %zu relations, %.1f %% of the words "
						"have vectors",
						train->version, train->model, info.n_training_rows, report.n_relations,
						report.n_words > 0 ? 100.0 - 100.0 * report.n_unknown_words / report.n_words
										   : 100.0)));
	if (train->run.id != 0)
		mren_run_succeed(&train->run, train->version);
}

/*
 * Running the pieces
 */

static void
commit(Train *train)
{
	if (!train->atomic)
		SPI_commit();
}

/* Records the failure in a transaction of its own, then raises the error again. */
static void
fail(Train *train, ErrorData *error)
{
	if (train->run.id != 0)
	{
		PushActiveSnapshot(GetTransactionSnapshot());
		mren_run_fail(&train->run, error);
		PopActiveSnapshot();
		commit(train);
		mren_run_release(&train->run);
	}
	ReThrowError(error);
}

/*
 * A piece in a subtransaction: what it throws is caught with the transaction
 * still good.
 */
static void
run_piece(Train *train, Piece piece)
{
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(train->context);
	PG_TRY();
	{
		bool snapshot = !ActiveSnapshotSet();

		if (snapshot)
			PushActiveSnapshot(GetTransactionSnapshot());
		piece(train);
		if (snapshot)
			PopActiveSnapshot();
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		/* It is raised again where all else of the training is gone. */
		MemoryContextSwitchTo(train->caller);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(train->context);
	CurrentResourceOwner = owner;
	if (error != NULL)
		fail(train, error);
}

/* Amid an epoch, what the one before was validated with is the latest. */
static void
write_progress(Train *train)
{
	MrenRunProgress progress = {
		.phase = train->progress.event == MREN_TRAIN_SCAN ? "reading"
				 : train->progress.phase == 2			  ? "refitting"
														  : "training",
		.rows = train->source.n,
		.epoch = train->progress,
		.rows_per_second = rows_per_second(train),
		.seconds_left = seconds_left(train),
	};

	if (!progress.epoch.validated && train->epoch.validated &&
		train->epoch.phase == train->progress.phase)
	{
		progress.epoch.validated = true;
		progress.epoch.validation_loss = train->epoch.validation_loss;
		progress.epoch.validation_f1 = train->epoch.validation_f1;
	}
	mren_run_update(&train->run, &progress);
}

/* A piece as well: a cancel that comes meanwhile is recorded. */
static void
update_run(Train *train)
{
	if (train->run.id == 0)
		return;
	run_piece(train, write_progress);
	commit(train);
}

static void
begin_run(Train *train)
{
	initStringInfo(&train->run.log);
	appendStringInfoChar(&train->run.log, '[');
	if (train->atomic)
		return;
	mren_run_begin(&train->run, train->model, train->query, JsonbPGetDatum(train->object));
	commit(train);
}

static void
train_model(Train *train)
{
	mren_models_check_save(train->model, false);
	begin_run(train);
	run_piece(train, read_rows);
	/* The transaction that read has done its work; none is open while training. */
	commit(train);
	do
	{
		run_piece(train, train_a_while);
		update_run(train);
	} while (train->progress.event != MREN_TRAIN_DONE);
	run_piece(train, save);
	commit(train);
	mren_run_release(&train->run);
}

/* Arguments must outlive the first commit: copies, detoasted. */
static Train *
read_args(FunctionCallInfo fcinfo)
{
	MemoryContext context =
		AllocSetContextCreate(PortalContext, "mren train", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Train *train = palloc0(sizeof(Train));

	train->caller = old;
	train->context = context;
	train->atomic = fcinfo->context == NULL || !IsA(fcinfo->context, CallContext) ||
					castNode(CallContext, fcinfo->context)->atomic;
	train->model = mren_arg_text(fcinfo, 0, "model");
	train->query = mren_arg_text(fcinfo, 1, "query");
	train->object = PG_ARGISNULL(2)
						? DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")))
						: DatumGetJsonbPCopy(PG_GETARG_DATUM(2));
	INSTR_TIME_SET_CURRENT(train->started);
	MemoryContextSwitchTo(old);
	return train;
}

PG_FUNCTION_INFO_V1(mren_train);
/* CALL mren.train(model, query, options, INOUT version) */
Datum
mren_train(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	Train *train;
	TupleDesc desc;
	Datum values[1];
	bool nulls[1] = {false};

	PreventCommandIfReadOnly("CALL mren.train()");
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	desc = BlessTupleDesc(desc);
	train = read_args(fcinfo);
	SPI_connect_ext(train->atomic ? 0 : SPI_OPT_NONATOMIC);
	MemoryContextSwitchTo(train->context);
	PG_TRY();
	{
		train_model(train);
	}
	PG_CATCH();
	{
		/* A run that failed outside its pieces must not look alive. */
		mren_run_release(&train->run);
		/* Nor may its files stay: who catches the error may go on for long. */
		MemoryContextDelete(train->context);
		PG_RE_THROW();
	}
	PG_END_TRY();
	values[0] = Int32GetDatum(train->version);
	SPI_finish();
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(train->context);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}
