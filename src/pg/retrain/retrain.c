/*
 * retrain.c
 *	  CALL mren.retrain(model, …): trains a new version by the stored query and
 *	  options of the model, and deploys it if it is better than the deployed one.
 *
 * The deployed version is the champion, the new one the challenger.  Rows are
 * read once, as mren.train reads them, without the hold-out rows; if too few of
 * them are new, nothing is trained.  Challenger, verdict, deployment and the
 * dropping of old versions are one transaction, so either all of it happens or
 * nothing.
 *
 * The stored query runs as its owner (stored_query.h), everything else as the
 * caller, who must be a member of the model's owner.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/xact.h"
#include "fmgr.h"
#include "funcapi.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "pg/catalog/catalog_scan.h"
#include "pg/model/models.h"
#include "pg/support/settings.h"
#include "pg/train/job_epochs.h"
#include "pg/train/row_checks.h"
#include "pg/train/train_network.h"
#include "pg/train/retrain_announce.h"
#include "pg/retrain/retrain_args.h"
#include "pg/retrain/retrain_holdout.h"
#include "pg/retrain/retrain_input.h"
#include "pg/retrain/retrain_recipe.h"
#include "pg/train/train_rows.h"

typedef struct Retrain
{
	MrenJob job;

	MrenRetrainArgs args;
	MrenModelRow row;
	MrenVersionRow champion;
	MrenNet *net; /* the champion's */
	MrenRecipe recipe;
	MrenTrainSetup setup;
	bool same_words;	   /* as the champion's, so that its training rows can be recognized */
	bool busy;			   /* another session is retraining the model */
	MrenJudgedRun earlier; /* on equal input; run 0: none */
	MrenTrainRows rows;
	int64 n_weak; /* of the rows, not gold */
	MrenNetworkTraining training;
	MrenHoldoutScore recorded; /* the champion's, from when it was trained */
	MrenRetrainScores scores;
	MrenRunVerdict verdict;
	int32 version; /* the challenger's; 0: none */
	int64 version_id;
	bool undone; /* a rollback has undone a deployment of the challenger's network */
	bool deploy;
} Retrain;

/*
 * Preparing
 */

static void
require_owner(const char *model, const MrenModelRow *row)
{
	if (!mren_catalog_is_owner(NameStr(row->owner)))
		ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						errmsg("must be owner of model \"%s\"", model),
						errdetail("Retraining runs a query with the rights of role \"%s\".",
								  NameStr(row->owner)),
						errhint("A grant of \"train\" lets a role train with queries of its own: "
								"CALL mren.train.")));
}

static void
prepare(MrenJob *job)
{
	MrenEnv env = mren_pg_env(job->context);
	MrenError err;
	Retrain *retrain = (Retrain *) job;

	mren_catalog_require(retrain->args.model, MREN_PRIVILEGE_PREDICT, &retrain->row);
	require_owner(retrain->args.model, &retrain->row);
	if (retrain->row.kind != MREN_MODEL_RELATION)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("cannot retrain \"%s\", which is a tagger", retrain->args.model),
						errhint("Train it again with CALL mren.train_tagger, and compare the "
								"versions with mren.evaluate_tagger.")));
	retrain->busy = !mren_job_lock(job, mren_table_oid("model"), retrain->row.id);
	if (!mren_catalog_version_by_id(retrain->row.deployed, &retrain->champion))
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("model \"%s\" has no deployed version", retrain->args.model),
						errhint("Deploy one with mren.promote.")));
	mren_recipe_find(retrain->args.model, &retrain->row, &retrain->champion,
					 retrain->args.overrides, &retrain->recipe);
	if (!retrain->busy)
		MREN_PG_CALL(err, mren_models_load(retrain->champion.id, &env, &retrain->net, &err));
	retrain->verdict = (MrenRunVerdict){.champion = retrain->champion.version,
										.score = {NAN, NAN},
										.lower_bound = NAN,
										.holdout_rows = -1};
}

/*
 * Reading
 */

static void
count_new(void *state, const MrenExample *example)
{
	Retrain *retrain = state;

	if (!retrain->same_words || !mren_net_trained_on(retrain->net, mren_example_identity(example)))
		retrain->verdict.new_rows++;
}

/* Whether the challenger has been judged before: then it is not trained again. */
static bool
is_unchanged(Retrain *retrain)
{
	MrenRetrainInput input = {.setup = &retrain->setup,
							  .rows = &retrain->rows,
							  .champion = &retrain->champion,
							  .args = &retrain->args};

	if (retrain->args.promote == MREN_PROMOTE_ALWAYS)
		return false;
	mren_score_read(retrain->row.id, retrain->champion.version, &input.recorded);
	retrain->verdict.input = mren_retrain_input_hash(&input);
	return mren_retrain_input_judged(retrain->row.id, retrain->verdict.input,
									 retrain->args.promote == MREN_PROMOTE_NEVER,
									 &retrain->earlier);
}

static void
read_rows(MrenJob *job)
{
	Retrain *retrain = (Retrain *) job;
	MrenTrainRows *rows = &retrain->rows;
	MrenStoredScope scope;

	*rows = (MrenTrainRows){.context = job->context,
							.query = retrain->recipe.query.text,
							.object = retrain->recipe.options,
							.memory = (size_t) mren_train_memory * 1024,
							.visit = count_new,
							.summed = true,
							.state = retrain};
	mren_train_setup_read(retrain->recipe.options, &retrain->setup);
	retrain->same_words = memcmp(retrain->setup.embedding_row.sha256, retrain->champion.embeddings,
								 MREN_SHA256_LENGTH) == 0;
	mren_stored_enter(&retrain->recipe.query, &scope);
	mren_train_rows_plan(rows);
	mren_train_rows_read(rows, &retrain->setup);
	mren_stored_leave(&scope);
	if (retrain->verdict.new_rows < retrain->args.min_new_rows || is_unchanged(retrain))
		return;
	retrain->n_weak = mren_train_check_rows(&retrain->setup, &rows->source);
	mren_train_network_begin(&retrain->training, &retrain->setup, &rows->source, rows->memory);
	retrain->training.n_bad = rows->errors.n;
	if (retrain->args.warm)
		mren_train_network_warm(&retrain->training, retrain->net);
}

/* Ends a run without a new version. */
static void
end_without_version(Retrain *retrain)
{
	mren_retrain_announce(retrain->args.model, 0, retrain->verdict.verdict,
						  retrain->verdict.reason);
	if (retrain->job.run.id != 0)
		mren_run_judged(&retrain->job.run, 0, &retrain->verdict);
}

static void
refuse(MrenJob *job)
{
	Retrain *retrain = (Retrain *) job;

	retrain->verdict.verdict = "busy";
	retrain->verdict.reason = "another session is retraining the model";
	retrain->verdict.new_rows = -1;
	ereport(NOTICE,
			(errmsg("model \"%s\" is being retrained by another session", retrain->args.model)));
	end_without_version(retrain);
}

static void
skip(MrenJob *job)
{
	Retrain *retrain = (Retrain *) job;

	if (retrain->earlier.run != 0)
	{
		retrain->verdict.verdict = "unchanged";
		retrain->verdict.reason = psprintf(
			"rows, options and deployed version are those of run %lld, whose version %d "
			"was %s",
			(long long) retrain->earlier.run, retrain->earlier.version, retrain->earlier.verdict);
	}
	else
	{
		retrain->verdict.verdict = "skipped";
		retrain->verdict.reason =
			psprintf(ngettext("%lld row is new to version %d, but min_new_rows is %lld",
							  "%lld rows are new to version %d, but min_new_rows is %lld",
							  (unsigned long) retrain->verdict.new_rows),
					 (long long) retrain->verdict.new_rows, retrain->champion.version,
					 (long long) retrain->args.min_new_rows);
	}
	ereport(NOTICE, (errmsg("model \"%s\" was not retrained: %s", retrain->args.model,
							retrain->verdict.reason)));
	end_without_version(retrain);
}

/*
 * Judging
 */

static void
begin_judging(MrenJob *job)
{
	mren_run_phase(&job->run, "judging");
}

/* A model that was dropped meanwhile must not be created again by its retraining. */
static void
lock_model(Retrain *retrain)
{
	MrenModelRow row;

	mren_models_begin("CALL mren.retrain()");
	mren_models_lock(retrain->args.model, MREN_PRIVILEGE_ADMIN, &row);
	mren_models_end();
	if (row.id != retrain->row.id)
		ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
						errmsg("model \"%s\" was dropped while it was being retrained",
							   retrain->args.model)));
	retrain->row = row;
}

static void
save(Retrain *retrain)
{
	MrenSaveExtra extra = {.judged = true,
						   .trained = true,
						   .seconds = mren_job_seconds(&retrain->job),
						   .query = &retrain->recipe.query,
						   .given = JsonbPGetDatum(retrain->recipe.options)};
	MrenNetwork network;
	MrenTrainReport report;

	mren_train_network_end(&retrain->training, &network, &report);
	if (report.cold[0] != '\0')
		ereport(NOTICE, (errmsg("the training did not start from version %d: %s",
								retrain->champion.version, report.cold)));
	if (report.encoder_cold[0] != '\0')
		ereport(NOTICE, (errmsg("the fine-tuning of the text encoder did not start from version "
								"%d: %s",
								retrain->champion.version, report.encoder_cold)));
	retrain->version = mren_models_save(retrain->args.model, &network, &extra);
	mren_train_network_notice(retrain->args.model, retrain->version, &network, &report);
}

/* Whether the champion has got worse since it was trained; the reason, if so. */
static char *
fall_text(const Retrain *retrain)
{
	const MrenHoldoutScore *recorded = &retrain->recorded;
	const MrenHoldoutScore *now = &retrain->scores.each[0];

	if (!mren_score_fell(recorded, now))
		return NULL;
	return psprintf("%s of version %d is %.4f on %lld rows, but was %.4f on %lld rows when it was "
					"trained, which chance does not explain: labels or data may have changed; "
					"%s of version %d is %.4f; promote => 'always' or mren.promote accepts it",
					now->measure, retrain->champion.version, now->score, (long long) now->rows,
					recorded->score, (long long) recorded->rows, now->measure, retrain->version,
					retrain->scores.each[1].score);
}

/* Verdict and reason as if promote were "better". */
static void
judge_by_holdout(Retrain *retrain)
{
	MrenRunVerdict *verdict = &retrain->verdict;
	char *fall = fall_text(retrain);

	verdict->verdict = "undecided";
	if (fall != NULL)
	{
		verdict->verdict = "held";
		verdict->reason = fall;
	}
	else if (retrain->row.deployed != retrain->champion.id)
		verdict->reason =
			psprintf("version %d is no longer the deployed one", retrain->champion.version);
	else
	{
		char *reason;

		verdict->verdict = mren_retrain_judge(&retrain->scores, retrain->champion.version,
											  retrain->args.margin, &reason);
		verdict->reason = reason;
		if (strcmp(verdict->verdict, "promoted") == 0 && retrain->undone)
		{
			verdict->verdict = "held";
			verdict->reason =
				psprintf("mren.rollback has undone the deployment of the same network; "
						 "promote => 'always' or mren.promote deploys it again; %s",
						 verdict->reason);
		}
	}
	retrain->deploy = strcmp(verdict->verdict, "promoted") == 0;
}

static void
decide(Retrain *retrain)
{
	MrenRunVerdict *verdict = &retrain->verdict;
	const MrenRetrainScores *scores = &retrain->scores;

	verdict->holdout_rows = scores->n_rows;
	verdict->holdout_seen = scores->n_seen;
	verdict->measure = scores->measure;
	if (scores->n_rows > 0)
	{
		verdict->score[0] = scores->figures.score[0];
		verdict->score[1] = scores->figures.score[1];
		verdict->lower_bound = scores->figures.lower_bound;
	}
	judge_by_holdout(retrain);
	if (retrain->args.promote == MREN_PROMOTE_BETTER)
		return;
	verdict->reason = psprintf("promote is '%s'; the hold-out rows alone say \"%s\": %s",
							   retrain->args.promote == MREN_PROMOTE_ALWAYS ? "always" : "never",
							   verdict->verdict, verdict->reason);
	retrain->deploy = retrain->args.promote == MREN_PROMOTE_ALWAYS;
	verdict->verdict = retrain->deploy ? "promoted" : "held";
}

/*
 * Each version keeps its score.  The champion has none, or one of too few rows, if
 * it was trained by an earlier release or without hold-out rows.
 */
static void
record_scores(const Retrain *retrain)
{
	const MrenHoldoutScore *each = retrain->scores.each;

	if (each[0].rows < MREN_SCORE_MIN_ROWS)
		return;
	mren_score_record(retrain->args.model, retrain->version, &each[1]);
	if (retrain->recorded.rows < MREN_SCORE_MIN_ROWS)
		mren_score_record(retrain->args.model, retrain->champion.version, &each[0]);
}

static void
deploy_and_prune(Retrain *retrain)
{
	int n_dropped = 0;

	mren_models_begin("CALL mren.retrain()");
	if (retrain->deploy)
		mren_models_deploy(retrain->row.id, retrain->version_id);
	if (retrain->args.keep > 0)
		n_dropped = mren_models_prune(retrain->row.id, retrain->args.keep, retrain->version_id);
	mren_models_end();
	if (n_dropped > 0)
		ereport(NOTICE, (errmsg_plural("%d old version of model \"%s\" was dropped (keep_versions)",
									   "%d old versions of model \"%s\" were dropped "
									   "(keep_versions)",
									   n_dropped, n_dropped, retrain->args.model)));
}

/* The last piece: everything that other sessions will see of this retraining. */
static void
judge(MrenJob *job)
{
	Retrain *retrain = (Retrain *) job;
	MrenRetrainCandidates candidates = {.model = retrain->args.model,
										.query = &retrain->recipe.query,
										.setup = &retrain->setup,
										.champion = retrain->champion.version};
	MrenVersionRow challenger;

	lock_model(retrain);
	save(retrain);
	/* From here on the snapshot includes the new version. */
	PushCopiedSnapshot(GetTransactionSnapshot());
	UpdateActiveSnapshotCommandId();
	if (!mren_catalog_version(retrain->row.id, retrain->version, &challenger))
		elog(ERROR, "version %d of model \"%s\" vanished", retrain->version, retrain->args.model);
	retrain->version_id = challenger.id;
	candidates.challenger = retrain->version;
	mren_retrain_compare(&candidates, &retrain->scores);
	retrain->undone = mren_models_undone(retrain->version_id);
	mren_score_read(retrain->row.id, retrain->champion.version, &retrain->recorded);
	PopActiveSnapshot();
	decide(retrain);
	record_scores(retrain);
	deploy_and_prune(retrain);
	/* Another time, more epochs may fit in the budget, or the deployed version may be the same. */
	if (retrain->training.stopped || retrain->row.deployed != retrain->champion.id)
		retrain->verdict.input = NULL;
	ereport(NOTICE,
			(errmsg("version %d of model \"%s\": %s: %s", retrain->version, retrain->args.model,
					retrain->verdict.verdict, retrain->verdict.reason)));
	mren_retrain_announce(retrain->args.model, retrain->version, retrain->verdict.verdict,
						  retrain->verdict.reason);
	if (job->run.id != 0)
		mren_run_judged(&job->run, retrain->version, &retrain->verdict);
}

/*
 * The call
 */

static void
step(void *state, MrenProgress *progress)
{
	Retrain *retrain = state;

	mren_train_network_step(&retrain->training, progress);
}

static void
stop(void *state)
{
	Retrain *retrain = state;

	mren_train_network_stop(&retrain->training);
}

static void
train_challenger(Retrain *retrain)
{
	MrenJob *job = &retrain->job;
	MrenJobEpochs epochs = {.job = job,
							.state = retrain,
							.step = step,
							.stop = stop,
							.rows = retrain->rows.source.n,
							.weak_rows = retrain->n_weak,
							.budget = retrain->args.budget};

	mren_job_epochs_run(&epochs);
	if (job->run.id != 0)
	{
		mren_job_piece(job, begin_judging);
		mren_job_commit(job);
	}
	mren_job_piece(job, judge);
	mren_job_commit(job);
}

static char *
failed(MrenJob *job, const ErrorData *error)
{
	return mren_retrain_payload(((Retrain *) job)->args.model, 0, "failed", error->message);
}

static void
retrain_model(MrenJob *job)
{
	Retrain *retrain = (Retrain *) job;
	MrenRunStart start = {.model = retrain->args.model, .call = "retrain"};

	mren_job_piece(job, prepare);
	start.model_id = retrain->row.id;
	start.query = retrain->recipe.query.text;
	start.options = JsonbPGetDatum(retrain->recipe.options);
	mren_job_record(job, &start);
	if (retrain->busy)
	{
		mren_job_piece(job, refuse);
		mren_job_commit(job);
		return;
	}
	mren_job_piece(job, read_rows);
	mren_job_commit(job);
	if (retrain->training.setup == NULL)
	{
		mren_job_piece(job, skip);
		mren_job_commit(job);
	}
	else
		train_challenger(retrain);
}

/*
 * The procedure
 */

/* Arguments must outlive the first commit, so they are copied, detoasted. */
static Retrain *
read_args(FunctionCallInfo fcinfo)
{
	Retrain *retrain = (Retrain *) mren_job_create(fcinfo, "mren retrain", sizeof(Retrain));
	MemoryContext old = MemoryContextSwitchTo(retrain->job.context);

	mren_retrain_args(fcinfo, &retrain->args);
	MemoryContextSwitchTo(old);
	return retrain;
}

PG_FUNCTION_INFO_V1(mren_retrain);
/*
 * CALL mren.retrain(model, min_new_rows, time_budget, promote, margin,
 * warm_start, keep_versions, options, INOUT version, INOUT verdict)
 */
Datum
mren_retrain(PG_FUNCTION_ARGS)
{
	Retrain *retrain;
	TupleDesc desc;
	Datum values[2];
	bool nulls[2] = {false, false};

	PreventCommandIfReadOnly("CALL mren.retrain()");
	mren_catalog_require_current();
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	desc = BlessTupleDesc(desc);
	retrain = read_args(fcinfo);
	retrain->job.failed = failed;
	mren_job_call(&retrain->job, retrain_model);
	values[0] = Int32GetDatum(retrain->version);
	nulls[0] = retrain->version == 0;
	values[1] = CStringGetTextDatum(retrain->verdict.verdict);
	mren_job_destroy(&retrain->job);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}
