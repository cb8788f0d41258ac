/*
 * train.c
 *	  CALL mren.train(model, query, options, INOUT version): any number of rows.
 */
#include "postgres.h"

#include "fmgr.h"

#include "pg/support/settings.h"
#include "pg/train/train_network.h"
#include "pg/train/train_call.h"
#include "pg/train/train_rows.h"
#include "pg/train/train_setup.h"

typedef struct Train
{
	MrenTrainCall call;
	MrenTrainSetup setup;
	MrenTrainRows rows;
	MrenNetworkTraining training;
	MrenTrainReport report;
} Train;

static void
read_rows(MrenTrainCall *call)
{
	Train *train = (Train *) call;
	MemoryContext context = call->job.context;
	MemoryContext old;

	train->rows = (MrenTrainRows){.context = context,
								  .query = call->query.text,
								  .object = call->object,
								  .memory = (size_t) mren_train_memory * 1024};
	mren_train_rows_plan(&train->rows);
	old = MemoryContextSwitchTo(context);
	mren_train_setup_read(call->object, &train->setup);
	call->deploy = train->setup.deploy;
	mren_models_check_save_kind(call->name, MREN_MODEL_RELATION, call->deploy);
	MemoryContextSwitchTo(old);
	mren_train_rows_read(&train->rows, &train->setup);
	if (train->rows.n_holdout > 0)
		ereport(NOTICE, (errmsg("%lld rows are held out to judge models (option holdout_share)",
								(long long) train->rows.n_holdout)));
	old = MemoryContextSwitchTo(context);
	mren_train_network_begin(&train->training, &train->setup, &train->rows.source,
							 train->rows.memory);
	train->training.n_bad = train->rows.errors.n;
	call->n_rows = train->rows.source.n;
	MemoryContextSwitchTo(old);
}

static void
step(void *state, MrenProgress *progress)
{
	Train *train = state;

	mren_train_network_step(&train->training, progress);
}

static void
finish(MrenTrainCall *call, MrenNetwork *network)
{
	Train *train = (Train *) call;

	mren_train_network_end(&train->training, network, &train->report);
}

static void
notice(const MrenTrainCall *call, const MrenNetwork *network)
{
	const Train *train = (const Train *) call;

	mren_train_network_notice(call->name, call->version, network, &train->report);
}

static const MrenTrainKind kind = {
	.procedure = "train",
	.name_argument = "model",
	.model = MREN_MODEL_RELATION,
	.size = sizeof(Train),
	.read = read_rows,
	.step = step,
	.finish = finish,
	.notice = notice,
};

PG_FUNCTION_INFO_V1(mren_train);
Datum
mren_train(PG_FUNCTION_ARGS)
{
	return mren_train_call(fcinfo, &kind);
}
