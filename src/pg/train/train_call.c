/*
 * train_call.c
 *	  What CALL mren.train and CALL mren.train_tagger have in common.
 *
 * Phase one reads: the query runs once, each row is encoded where it is read
 * (in parallel workers, if the plan has them), and the encoded rows go to a
 * temporary file in the trainer's order.  Nothing is committed during it.
 *
 * Phase two trains: no portal is open, no snapshot is held, and between
 * commits no transaction id.  Progress is committed about once a second, so
 * that other sessions see it.
 *
 * The version keeps the query, its search_path, the options as given, and who
 * gave them: mren.retrain trains from these.
 */
#include "pg/train/train_call.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "tcop/utility.h"
#include "utils/builtins.h"

#include "pg/support/args.h"
#include "pg/train/job_epochs.h"

static void
read_rows(MrenJob *job)
{
	MrenTrainCall *call = (MrenTrainCall *) job;

	call->kind->read(call);
}

static void
save(MrenJob *job)
{
	MrenTrainCall *call = (MrenTrainCall *) job;
	MrenSaveExtra extra = {.deploy = call->deploy,
						   .trained = true,
						   .seconds = mren_job_seconds(job),
						   .query = &call->query,
						   .given = JsonbPGetDatum(call->object)};
	MrenNetwork network = {0};

	call->kind->finish(call, &network);
	call->version = mren_models_save(call->name, &network, &extra);
	if (call->kind->score != NULL)
		call->kind->score(call, &network);
	call->kind->notice(call, &network);
	if (job->run.id != 0)
		mren_run_succeed(&job->run, call->version);
}

static void
train(MrenJob *job)
{
	MrenTrainCall *call = (MrenTrainCall *) job;
	MrenRunStart start = {.model = call->name,
						  .call = call->kind->procedure,
						  .query = call->query.text,
						  .options = JsonbPGetDatum(call->object)};
	MrenJobEpochs epochs = {.job = job, .state = call, .step = call->kind->step};

	start.model_id = mren_models_check_save(call->name, call->kind->model, false);
	mren_job_record(job, &start);
	mren_job_piece(job, read_rows);
	/* Ends the transaction that read: none is open while training. */
	mren_job_commit(job);
	epochs.rows = call->n_rows;
	epochs.weak_rows = call->n_weak;
	mren_job_epochs_run(&epochs);
	mren_job_piece(job, save);
	mren_job_commit(job);
}

/* Arguments must outlive the first commit, so they are copied, detoasted. */
static MrenTrainCall *
read_args(FunctionCallInfo fcinfo, const MrenTrainKind *kind)
{
	MrenTrainCall *call = (MrenTrainCall *) mren_job_create(fcinfo, "mren training", kind->size);
	MemoryContext old = MemoryContextSwitchTo(call->job.context);

	call->kind = kind;
	call->name = mren_arg_text(fcinfo, 0, kind->name_argument);
	mren_stored_here(&call->query, mren_arg_query(fcinfo, 1, "query"));
	call->object = PG_ARGISNULL(2)
					   ? DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")))
					   : DatumGetJsonbPCopy(PG_GETARG_DATUM(2));
	MemoryContextSwitchTo(old);
	return call;
}

Datum
mren_train_call(FunctionCallInfo fcinfo, const MrenTrainKind *kind)
{
	MrenTrainCall *call;
	TupleDesc desc;
	Datum values[1];
	bool nulls[1] = {false};

	PreventCommandIfReadOnly(psprintf("CALL mren.%s()", kind->procedure));
	mren_catalog_require_current();
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	desc = BlessTupleDesc(desc);
	call = read_args(fcinfo, kind);
	mren_job_call(&call->job, train);
	values[0] = Int32GetDatum(call->version);
	mren_job_destroy(&call->job);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}
