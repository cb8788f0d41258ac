/*
 * self_train.c
 *	  CALL mren.self_train(model, labelled, unlabelled, …): the two views of a model, its text
 *	  encoder and its linear branch, teach it by the unlabelled rows that they are surest of.
 *
 * Co-training (Blum and Mitchell, COLT 1998) in one round.  Each view is a model of its own,
 * trained on the labelled rows, with the hold-out rows left out as for the model itself; they
 * are kept, because the query that is stored with the new version asks them.  All trainings
 * and the verdict are one transaction, so either all of it happens or nothing.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/snapmgr.h"

#include "pg/model/models.h"
#include "pg/retrain/retrain_args.h"
#include "pg/retrain/retrain_holdout.h"
#include "pg/retrain/retrain_recipe.h"
#include "pg/retrain/self_train_query.h"
#include "pg/support/args.h"
#include "pg/support/json_options.h"

typedef struct SelfTrain
{
	char *model;
	MrenSelfTrainRows rows;
	Jsonb *options;
	double margin;
	MrenTrainSetup setup;
	int32 champion; /* versions */
	int32 challenger;
	const char *verdict;
} SelfTrain;

/* What makes a view of the options: the other one is left out. */
typedef struct View
{
	const char *suffix;	 /* of the model's name */
	const char *options; /* members of a JSON object */
} View;

static const View views[2] = {
	{" (encoder view)", "\"hash_bits\": 0"},
	{" (linear view)", "\"text_encoder\": \"conv\""},
};

static Jsonb *
joined(const char *under, Jsonb *object, const char *over)
{
	Datum parts[3] = {DirectFunctionCall1(jsonb_in, CStringGetDatum(under)), JsonbPGetDatum(object),
					  DirectFunctionCall1(jsonb_in, CStringGetDatum(over))};

	return DatumGetJsonbP(DirectFunctionCall2(
		jsonb_concat, DirectFunctionCall2(jsonb_concat, parts[0], parts[1]), parts[2]));
}

/*
 * The options of a view.  It learns all labelled rows but those that validate the new version: it
 * would tell that version about them by its labels of other rows, so that they could neither stop
 * nor calibrate it.  With a pretrained encoder the share that validates does not depend on the
 * number of rows; the linear view's own would.
 */
static Jsonb *
view_options(const SelfTrain *self, const View *view)
{
	double share = mren_options_validation_share(&self->setup.net, 0);
	char *own = psprintf("{%s, \"validation_share\": %.17g, \"refit\": false, "
						 "\"encoder_refit\": false, \"deploy\": true}",
						 view->options, share);

	return joined("{}", self->options, own);
}

static double
surest_arg(FunctionCallInfo fcinfo, int arg)
{
	double surest;

	mren_arg_required(fcinfo, arg, "surest");
	surest = PG_GETARG_FLOAT8(arg);
	if (!(surest > 0 && surest <= 1))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("argument \"surest\" must be above 0 and at most 1, not %g", surest),
						errhint("It is the share of the rows of each relation that a view "
								"labels.")));
	return surest;
}

static void
read_args(FunctionCallInfo fcinfo, SelfTrain *self)
{
	self->model = mren_arg_text(fcinfo, 0, "model");
	self->rows.labelled = mren_arg_query(fcinfo, 1, "labelled");
	self->rows.unlabelled = mren_arg_query(fcinfo, 2, "unlabelled");
	mren_arg_required(fcinfo, 3, "options");
	self->options = PG_GETARG_JSONB_P(3);
	self->rows.surest = surest_arg(fcinfo, 4);
	self->margin = mren_retrain_margin(fcinfo, 5);
	mren_json_options_check(self->options);
	if (mren_json_options_find(self->options, "deploy") != NULL)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("option \"deploy\" cannot be used in a self-training"),
						errhint("The new version is deployed if it is better on hold-out rows.")));
	self->options =
		joined("{\"holdout_share\": " MREN_RECIPE_HOLDOUT_SHARE "}", self->options, "{}");
}

/* What can be known before anything is trained. */
static void
check(SelfTrain *self)
{
	MrenColumns labelled;
	MrenColumns pool;

	mren_models_check_save(self->model, MREN_MODEL_RELATION, true);
	for (int i = 0; i < 2; i++)
		mren_models_check_save(psprintf("%s%s", self->model, views[i].suffix), MREN_MODEL_RELATION,
							   true);
	mren_train_setup_read(self->options, &self->setup);
	if (self->setup.net.pretrained == NULL || self->setup.net.hash_bits == 0)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("a model of one view cannot teach itself"),
						errdetail("It has no %s.", self->setup.net.pretrained == NULL
													   ? "pretrained text encoder"
													   : "linear branch"),
						errhint("Name a loaded text encoder in the option \"text_encoder\", and "
								"leave \"hash_bits\" above 0.")));
	if (self->setup.holdout_share == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("option \"holdout_share\" must be above 0 in a self-training"),
						errhint("Hold-out rows decide whether the new version is deployed.")));
	mren_self_train_columns(&self->rows, &labelled, &pool);
}

/* CALL mren.train; the number of the version. */
static int32
train(const char *model, const char *query, Jsonb *options)
{
	Oid types[] = {TEXTOID, TEXTOID, JSONBOID};
	Datum values[] = {CStringGetTextDatum(model), CStringGetTextDatum(query),
					  JsonbPGetDatum(options)};
	bool isnull;
	int ret =
		SPI_execute_with_args("CALL mren.train($1, $2, $3)", 3, types, values, NULL, false, 0);

	if (ret != SPI_OK_UTILITY || SPI_tuptable == NULL)
		elog(ERROR, "mren.train returned nothing: %s", SPI_result_code_string(ret));
	return DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
}

/* The deployed version; a model without one is trained on the labelled rows. */
static int32
find_champion(const SelfTrain *self)
{
	MrenModelRow row;
	MrenVersionRow version;

	if (mren_models_check_save(self->model, MREN_MODEL_RELATION, true) != 0)
	{
		mren_catalog_require(self->model, MREN_PRIVILEGE_ADMIN, &row);
		if (mren_catalog_version_by_id(row.deployed, &version))
			return version.version;
	}
	return train(self->model, self->rows.labelled, self->options);
}

static void
train_all(SelfTrain *self)
{
	char *teachers[2];

	self->champion = find_champion(self);
	for (int i = 0; i < 2; i++)
	{
		teachers[i] = psprintf("%s%s", self->model, views[i].suffix);
		train(teachers[i], self->rows.labelled, view_options(self, &views[i]));
	}
	self->challenger =
		train(self->model, mren_self_train_query(&self->rows, teachers), self->options);
}

/* Deploys the challenger if it is better on the labelled rows that are held out. */
static void
judge(SelfTrain *self)
{
	MrenStoredQuery labelled;
	MrenRetrainCandidates candidates = {.model = self->model,
										.query = &labelled,
										.setup = &self->setup,
										.champion = self->champion,
										.challenger = self->challenger};
	MrenRetrainScores scores;
	MrenModelRow row;
	MrenVersionRow champion;
	MrenVersionRow challenger;
	char *reason;

	mren_models_lock(self->model, MREN_PRIVILEGE_ADMIN, &row);
	mren_stored_here(&labelled, self->rows.labelled);
	/* From here on the snapshot includes the new versions. */
	PushCopiedSnapshot(GetTransactionSnapshot());
	UpdateActiveSnapshotCommandId();
	if (!mren_catalog_version(row.id, self->challenger, &challenger) ||
		!mren_catalog_version(row.id, self->champion, &champion))
		elog(ERROR, "a version of model \"%s\" vanished", self->model);
	mren_retrain_compare(&candidates, &scores);
	PopActiveSnapshot();
	self->verdict = mren_retrain_judge(&scores, self->champion, self->margin, &reason);
	if (row.deployed != champion.id)
	{
		self->verdict = "undecided";
		reason = psprintf("version %d is no longer the deployed one", self->champion);
	}
	if (strcmp(self->verdict, "promoted") == 0)
		mren_models_deploy(row.id, challenger.id);
	ereport(NOTICE, (errmsg("version %d of model \"%s\": %s: %s", self->challenger, self->model,
							self->verdict, reason)));
}

PG_FUNCTION_INFO_V1(mren_self_train);
/*
 * CALL mren.self_train(model, labelled, unlabelled, options, surest, margin,
 * INOUT version, INOUT verdict)
 */
Datum
mren_self_train(PG_FUNCTION_ARGS)
{
	SelfTrain self = {.model = NULL};
	TupleDesc desc;
	Datum values[2];
	bool nulls[2] = {false, false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	desc = BlessTupleDesc(desc);
	read_args(fcinfo, &self);
	mren_models_begin("CALL mren.self_train()");
	check(&self);
	train_all(&self);
	judge(&self);
	mren_models_end();
	values[0] = Int32GetDatum(self.challenger);
	values[1] = CStringGetTextDatum(self.verdict);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}
