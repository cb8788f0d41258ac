/*
 * predict.c
 *	  mren.predict, classify, predict_proba and features, which take one row.
 *
 * Each exists with the mentions as text and as int4range; nothing else differs.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "pg/predict/predictor.h"
#include "pg/support/args.h"

/* Numbers of the arguments: model, those that mren_pair_args reads, version. */
#define ARG_MODEL 0
#define ARG_PAIR 1
#define ARG_VERSION 10

/* One row's answer. */
typedef struct Answer
{
	MrenPredictor predictor;
	float4 *probabilities; /* (n_relations) */
	MrenNetAnswer given;
} Answer;

/* False if sentence or a mention is NULL. */
static bool
row_features(FunctionCallInfo fcinfo, bool ranges, bool all, MrenPredictor *predictor,
			 float4 **features)
{
	MrenPair pair;
	MrenInput input;

	mren_predictor_open_args(predictor, fcinfo, ARG_MODEL, ARG_VERSION);
	if (!mren_pair_args(fcinfo, ARG_PAIR, ranges, &pair))
		return false;
	mren_predictor_row(predictor, &pair, &input);
	input.all_features = all;
	*features = palloc(predictor->info.row_dim * sizeof(float4));
	mren_predictor_features(predictor, &input, *features);
	return true;
}

static bool
answer_row(FunctionCallInfo fcinfo, bool ranges, Answer *answer)
{
	float4 *features;

	if (!row_features(fcinfo, ranges, false, &answer->predictor, &features))
		return false;
	answer->probabilities = palloc(answer->predictor.info.n_relations * sizeof(float4));
	mren_predictor_probabilities(&answer->predictor, features, 1, answer->probabilities);
	answer->given = mren_net_answer(&answer->predictor.info, answer->probabilities);
	return true;
}

static Datum
predict(FunctionCallInfo fcinfo, bool ranges)
{
	Answer answer;

	if (!answer_row(fcinfo, ranges, &answer) || answer.given.relation < 0)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(mren_predictor_relation(&answer.predictor, answer.given.relation));
}

/* A row of NULLs for a NULL row; the confidence alone where the model abstains. */
static Datum
classify(FunctionCallInfo fcinfo, bool ranges)
{
	TupleDesc desc;
	Answer answer;
	Datum values[2];
	bool nulls[2] = {true, true};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (!answer_row(fcinfo, ranges, &answer))
		PG_RETURN_NULL();
	nulls[0] = answer.given.relation < 0;
	if (answer.given.relation >= 0)
		values[0] =
			PointerGetDatum(mren_predictor_relation(&answer.predictor, answer.given.relation));
	nulls[1] = false;
	values[1] = Float8GetDatum(answer.given.confidence);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

typedef struct Ranked
{
	float4 probability;
	int relation;
} Ranked;

/* Most likely first; equal ones in the order of their names. */
static int
compare_ranked(const void *a, const void *b)
{
	const Ranked *x = a;
	const Ranked *y = b;

	if (x->probability != y->probability)
		return x->probability > y->probability ? -1 : 1;
	return x->relation - y->relation;
}

static Datum
predict_proba(FunctionCallInfo fcinfo, bool ranges)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Answer answer;
	Ranked *ranked;
	int n;

	InitMaterializedSRF(fcinfo, 0);
	if (!answer_row(fcinfo, ranges, &answer))
		return (Datum) 0;
	n = answer.predictor.info.n_relations;
	ranked = palloc(n * sizeof(Ranked));
	for (int i = 0; i < n; i++)
		ranked[i] = (Ranked){answer.probabilities[i], i};
	qsort(ranked, n, sizeof(Ranked), compare_ranked);
	for (int i = 0; i < n; i++)
	{
		Datum values[2] = {
			PointerGetDatum(mren_predictor_relation(&answer.predictor, ranked[i].relation)),
			Float8GetDatum(ranked[i].probability)};
		bool nulls[2] = {false, false};

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

static Datum
features(FunctionCallInfo fcinfo, bool ranges)
{
	MrenPredictor predictor;
	float4 *fused;

	if (!row_features(fcinfo, ranges, true, &predictor, &fused))
		PG_RETURN_NULL();
	PG_RETURN_ARRAYTYPE_P(mren_real_array(fused, predictor.info.features_dim));
}

PG_FUNCTION_INFO_V1(mren_predict);
/* mren.predict(PAIR) → text */
Datum
mren_predict(PG_FUNCTION_ARGS)
{
	return predict(fcinfo, false);
}

PG_FUNCTION_INFO_V1(mren_predict_range);
Datum
mren_predict_range(PG_FUNCTION_ARGS)
{
	return predict(fcinfo, true);
}

PG_FUNCTION_INFO_V1(mren_classify);
/* mren.classify(PAIR) → (relation text, confidence double precision) */
Datum
mren_classify(PG_FUNCTION_ARGS)
{
	return classify(fcinfo, false);
}

PG_FUNCTION_INFO_V1(mren_classify_range);
Datum
mren_classify_range(PG_FUNCTION_ARGS)
{
	return classify(fcinfo, true);
}

PG_FUNCTION_INFO_V1(mren_predict_proba);
/* mren.predict_proba(PAIR) → TABLE (relation text, probability double precision) */
Datum
mren_predict_proba(PG_FUNCTION_ARGS)
{
	return predict_proba(fcinfo, false);
}

PG_FUNCTION_INFO_V1(mren_predict_proba_range);
Datum
mren_predict_proba_range(PG_FUNCTION_ARGS)
{
	return predict_proba(fcinfo, true);
}

PG_FUNCTION_INFO_V1(mren_features);
/* mren.features(PAIR) → real[] */
Datum
mren_features(PG_FUNCTION_ARGS)
{
	return features(fcinfo, false);
}

PG_FUNCTION_INFO_V1(mren_features_range);
Datum
mren_features_range(PG_FUNCTION_ARGS)
{
	return features(fcinfo, true);
}
