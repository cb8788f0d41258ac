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
 * With the version are kept the query, its search_path, the options as given,
 * and whose query it is: what mren.retrain runs it by.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "pg/support/args.h"
#include "pg/train/epochs.h"
#include "pg/model/models.h"
#include "pg/train/train_options.h"
#include "pg/support/settings.h"
#include "pg/train/train_rows.h"
#include "pg/train/training.h"

typedef struct Train
{
	MrenJob job;
	char *model;
	MrenStoredQuery query;
	Jsonb *object; /* the options as given */
	MrenTrainOptions options;
	MrenTrainRows rows;
	MrenTraining training;
	int32 version;
} Train;

static void
read_rows(MrenJob *job)
{
	Train *train = (Train *) job;
	MemoryContext old;

	train->rows = (MrenTrainRows){.context = job->context,
								  .query = train->query.text,
								  .object = train->object,
								  .memory = (size_t) mren_train_memory * 1024};
	mren_train_rows_plan(&train->rows);
	old = MemoryContextSwitchTo(job->context);
	mren_train_options(train->object, &train->options);
	mren_models_check_save(train->model, train->options.deploy);
	MemoryContextSwitchTo(old);
	mren_train_rows_read(&train->rows, &train->options);
	if (train->rows.n_holdout > 0)
		ereport(NOTICE, (errmsg("%lld rows are held out to judge models by (option holdout_share)",
								(long long) train->rows.n_holdout)));
	old = MemoryContextSwitchTo(job->context);
	mren_training_begin(&train->training, &train->options, &train->rows.source, train->rows.memory);
	MemoryContextSwitchTo(old);
}

static void
save(MrenJob *job)
{
	Train *train = (Train *) job;
	MrenSaveExtra extra = {.deploy = train->options.deploy,
						   .seconds = mren_job_seconds(job),
						   .query = &train->query,
						   .given = JsonbPGetDatum(train->object)};
	MrenNetwork network;
	MrenTrainReport report;

	mren_training_end(&train->training, &network, &report);
	train->version = mren_models_save(train->model, &network, &extra);
	mren_training_notice(train->model, train->version, &network, &report);
	if (job->run.id != 0)
		mren_run_succeed(&job->run, train->version);
}

static void
train_model(MrenJob *job)
{
	Train *train = (Train *) job;
	MrenRunStart start = {.model = train->model,
						  .call = "train",
						  .query = train->query.text,
						  .options = JsonbPGetDatum(train->object)};
	MrenEpochs epochs = {.job = job, .state = &train->training, .step = mren_training_epoch_step};

	mren_models_check_save(train->model, false);
	mren_job_record(job, &start);
	mren_job_piece(job, read_rows);
	/* The transaction that read has done its work; none is open while training. */
	mren_job_commit(job);
	epochs.rows = train->rows.source.n;
	mren_epochs_run(&epochs);
	mren_job_piece(job, save);
	mren_job_commit(job);
}

/* Arguments must outlive the first commit: copies, detoasted. */
static Train *
read_args(FunctionCallInfo fcinfo)
{
	Train *train = (Train *) mren_job_create(fcinfo, "mren train", sizeof(Train));
	MemoryContext old = MemoryContextSwitchTo(train->job.context);

	train->model = mren_arg_text(fcinfo, 0, "model");
	mren_stored_here(&train->query, mren_arg_text(fcinfo, 1, "query"));
	train->object = PG_ARGISNULL(2)
						? DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")))
						: DatumGetJsonbPCopy(PG_GETARG_DATUM(2));
	MemoryContextSwitchTo(old);
	return train;
}

PG_FUNCTION_INFO_V1(mren_train);
/* CALL mren.train(model, query, options, INOUT version) */
Datum
mren_train(PG_FUNCTION_ARGS)
{
	Train *train;
	TupleDesc desc;
	Datum values[1];
	bool nulls[1] = {false};

	PreventCommandIfReadOnly("CALL mren.train()");
	mren_catalog_require_current();
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	desc = BlessTupleDesc(desc);
	train = read_args(fcinfo);
	mren_job_call(&train->job, train_model);
	values[0] = Int32GetDatum(train->version);
	mren_job_destroy(&train->job);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}
