/*
 * predict_rows.c
 *	  mren.predict_rows and mren.predict_rows_proba: the answers to the rows of a query.
 */
#include "pg/predict/predict_query.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "pg/support/args.h"
#include "pg/support/row_errors.h"
#include "pg/support/settings.h"

/* model, query and version. */
static MrenPredictQuery
read_args(FunctionCallInfo fcinfo)
{
	return (MrenPredictQuery){
		.model = mren_arg_text(fcinfo, 0, "model"),
		.query = mren_arg_query(fcinfo, 1, "query"),
		.version = mren_arg_version(fcinfo, 2),
		.need_id = true,
		.skip_bad = mren_on_error == MREN_ON_ERROR_SKIP,
	};
}

static void
put_row(void *state, const MrenPrediction *prediction)
{
	ReturnSetInfo *rsinfo = state;
	Datum values[3] = {0};
	bool nulls[3] = {prediction->id == NULL, prediction->relation == NULL, !prediction->answered};

	if (prediction->id != NULL)
		values[0] = CStringGetTextDatum(prediction->id);
	if (prediction->relation != NULL)
		values[1] = CStringGetTextDatum(prediction->relation);
	values[2] = Float8GetDatum(prediction->confidence);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	for (int i = 0; i < 2; i++)
	{
		if (!nulls[i])
			pfree(DatumGetPointer(values[i]));
	}
}

PG_FUNCTION_INFO_V1(mren_predict_rows);
/*
 * mren.predict_rows(model, query, version) → TABLE (id text, relation text,
 * confidence double precision)
 */
Datum
mren_predict_rows(PG_FUNCTION_ARGS)
{
	MrenPredictQuery what = read_args(fcinfo);

	InitMaterializedSRF(fcinfo, 0);
	mren_predict_query(&what, put_row, fcinfo->resultinfo);
	return (Datum) 0;
}

/* All relations with their probabilities, to 6 digits. */
static Jsonb *
probabilities_json(const MrenPrediction *prediction)
{
	JsonbParseState *state = NULL;
	JsonbValue *object;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < prediction->n_probabilities; i++)
	{
		Datum number =
			DirectFunctionCall1(float4_numeric, Float4GetDatum(prediction->probabilities[i]));
		JsonbValue key = {.type = jbvString,
						  .val.string = {strlen(prediction->names[i]), prediction->names[i]}};
		JsonbValue value = {.type = jbvNumeric, .val.numeric = DatumGetNumeric(number)};

		pushJsonbValue(&state, WJB_KEY, &key);
		pushJsonbValue(&state, WJB_VALUE, &value);
	}
	object = pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	return JsonbValueToJsonb(object);
}

typedef struct Distributions
{
	ReturnSetInfo *rsinfo;
	MemoryContext row;
} Distributions;

static void
put_distribution(void *state, const MrenPrediction *prediction)
{
	Distributions *out = state;
	MemoryContext old = MemoryContextSwitchTo(out->row);
	bool absent = !prediction->answered;
	Datum values[5] = {0};
	bool nulls[5] = {prediction->id == NULL, prediction->relation == NULL, absent, absent, absent};

	if (prediction->id != NULL)
		values[0] = CStringGetTextDatum(prediction->id);
	if (prediction->relation != NULL)
		values[1] = CStringGetTextDatum(prediction->relation);
	if (prediction->answered)
	{
		values[2] = Float8GetDatum(prediction->confidence);
		values[3] = Float8GetDatum(mren_prediction_margin(prediction));
		values[4] = JsonbPGetDatum(probabilities_json(prediction));
	}
	tuplestore_putvalues(out->rsinfo->setResult, out->rsinfo->setDesc, values, nulls);
	MemoryContextSwitchTo(old);
	MemoryContextReset(out->row);
}

PG_FUNCTION_INFO_V1(mren_predict_rows_proba);
/*
 * mren.predict_rows_proba(model, query, version) → TABLE (id text, relation text,
 * confidence double precision, margin double precision, probabilities jsonb)
 */
Datum
mren_predict_rows_proba(PG_FUNCTION_ARGS)
{
	MrenPredictQuery what = read_args(fcinfo);
	Distributions out;

	InitMaterializedSRF(fcinfo, 0);
	out.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	out.row =
		AllocSetContextCreate(CurrentMemoryContext, "mren distribution", ALLOCSET_SMALL_SIZES);
	mren_predict_query(&what, put_distribution, &out);
	return (Datum) 0;
}
