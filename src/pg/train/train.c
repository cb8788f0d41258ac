/*
 * train.c
 *	  CALL mren.train(model, query, options, INOUT version): any number of rows.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"

#include "pg/predict/predictor.h"
#include "pg/support/pg_env.h"
#include "pg/support/settings.h"
#include "pg/train/retrain_score.h"
#include "pg/train/row_checks.h"
#include "pg/train/train_answer.h"
#include "pg/train/train_network.h"
#include "pg/train/train_call.h"
#include "pg/train/train_rows.h"
#include "pg/train/train_setup.h"
#include "pg/train/train_vectors.h"

typedef struct Train
{
	MrenTrainCall call;
	MrenTrainSetup setup;
	MrenTrainRows rows;
	MrenNetworkTraining training;
	MrenTrainReport report;
	MrenWordVectors holdout_vectors; /* of the words of the hold-out rows */
} Train;

/* Now, since the embeddings may be gone when the training ends. */
static void
read_holdout_vectors(Train *train)
{
	const MrenTrainSetup *setup = &train->setup;
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	MrenError err;
	int32_t *ids;
	size_t n;

	if (setup->embeddings == NULL || train->rows.holdout.n == 0)
		return;
	MREN_PG_CALL(err, mren_source_words(&env, &train->rows.holdout, &ids, &n, &err));
	mren_vector_table_vectors(mren_train_vectors(&env, &setup->embedding_row, setup->embeddings,
												 ids, n, train->rows.memory),
							  &train->holdout_vectors);
}

static void
read_rows(MrenTrainCall *call)
{
	Train *train = (Train *) call;
	MemoryContext context = call->job.context;
	MemoryContext old;

	train->rows = (MrenTrainRows){.context = context,
								  .query = call->query.text,
								  .object = call->object,
								  .memory = (size_t) mren_train_memory * 1024,
								  .keep_holdout = true};
	mren_train_rows_plan(&train->rows);
	old = MemoryContextSwitchTo(context);
	mren_train_setup_read(call->object, &train->setup);
	call->deploy = train->setup.deploy;
	mren_models_check_save(call->name, MREN_MODEL_RELATION, call->deploy);
	MemoryContextSwitchTo(old);
	mren_train_rows_read(&train->rows, &train->setup);
	if (train->rows.n_holdout > 0)
		ereport(NOTICE,
				(errmsg_plural("%lld row is held out to judge models (option holdout_share)",
							   "%lld rows are held out to judge models (option holdout_share)",
							   (unsigned long) train->rows.n_holdout,
							   (long long) train->rows.n_holdout)));
	call->n_weak = mren_train_check_rows(&train->setup, &train->rows.source);
	old = MemoryContextSwitchTo(context);
	mren_train_network_begin(&train->training, &train->setup, &train->rows.source,
							 train->rows.memory);
	train->training.n_bad = train->rows.errors.n;
	call->n_rows = train->rows.source.n;
	read_holdout_vectors(train);
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

/* The record with which the first retraining compares: retrain_score.h. */
static void
score(MrenTrainCall *call, const MrenNetwork *network)
{
	Train *train = (Train *) call;
	const MrenSource *rows = &train->rows.holdout;
	const char *negative = train->setup.net.negative;
	MrenTrainAnswers answers;
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	MrenPairedCounts *counts;
	MrenHoldoutScore found;
	MrenError err;

	if (rows->n == 0)
		return;
	mren_predictor_attach(network->net, call->name, CurrentMemoryContext);
	counts = palloc_extended(rows->n * sizeof(*counts), MCXT_ALLOC_HUGE);
	mren_train_answer_begin(&answers, rows, network->net, &train->holdout_vectors, negative);
	for (size_t i = 0; i < rows->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		mren_train_answer_count(&answers, i, &counts[i]);
	}
	if (negative != NULL)
		MREN_PG_CALL(err, mren_paired_settle(&env, counts, rows->n, &err));
	mren_score_measured(counts, rows->n, 1, train->setup.net.common.seed,
						mren_score_measure(negative), &found);
	mren_score_record(call->name, call->version, &found);
	pfree(counts);
}

static void
notice(const MrenTrainCall *call, const MrenNetwork *network)
{
	const Train *train = (const Train *) call;

	mren_train_network_warn(&train->report);
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
	.score = score,
	.notice = notice,
};

PG_FUNCTION_INFO_V1(mren_train);
Datum
mren_train(PG_FUNCTION_ARGS)
{
	return mren_train_call(fcinfo, &kind);
}
