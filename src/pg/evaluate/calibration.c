/*
 * calibration.c
 *	  mren.calibration and mren.reliability: how far confidences agree with the
 *	  share of right answers; and mren.precision_recall and mren.precision_at for
 *	  ranked facts.
 *
 * Each row becomes a pair of a confidence and whether the answer was right; the
 * pairs are kept in memory, in the context of the call.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "evaluation/ranked.h"
#include "pg/predict/predict_query.h"
#include "pg/support/args.h"
#include "pg/support/compat.h"
#include "pg/support/pg_env.h"

PG_FUNCTION_INFO_V1(mren_calibration);
PG_FUNCTION_INFO_V1(mren_reliability);
PG_FUNCTION_INFO_V1(mren_precision_recall);
PG_FUNCTION_INFO_V1(mren_precision_at);

/* A probability of 0 would make the log loss infinite. */
#define LEAST_PROBABILITY 1e-15

/*
 * Arguments
 */

static int
bins_argument(FunctionCallInfo fcinfo, int arg)
{
	int32 bins;

	mren_arg_required(fcinfo, arg, "bins");
	bins = PG_GETARG_INT32(arg);
	if (bins < 1 || bins > MREN_MAX_BINS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"bins\" must be from 1 to %d, not %d", MREN_MAX_BINS, bins)));
	return bins;
}

static void
deconstruct(FunctionCallInfo fcinfo, int arg, const char *name, Oid type, Datum **values, int *n)
{
	ArrayType *array;
	bool *nulls;

	mren_arg_required(fcinfo, arg, name);
	array = PG_GETARG_ARRAYTYPE_P(arg);
	if (ARR_NDIM(array) > 1)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("argument \"%s\" must be a one-dimensional array", name)));
	if (type == FLOAT8OID)
		deconstruct_array(array, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
						  values, &nulls, n);
	else
		deconstruct_array(array, BOOLOID, 1, true, TYPALIGN_CHAR, values, &nulls, n);
	for (int i = 0; i < *n; i++)
	{
		if (i % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("element %d of argument \"%s\" must not be null", i + 1, name),
							errhint("Leave such rows out of both arrays: array_agg(...) FILTER "
									"(WHERE ... IS NOT NULL).")));
	}
}

/* Arguments confidences and correct as a sorted list; env outlives it. */
static void
ranked_arguments(FunctionCallInfo fcinfo, const MrenEnv *env, MrenRanked *ranked)
{
	Datum *confidences;
	Datum *correct;
	int n;
	int n_correct;
	MrenError err;

	deconstruct(fcinfo, 0, "confidences", FLOAT8OID, &confidences, &n);
	deconstruct(fcinfo, 1, "correct", BOOLOID, &correct, &n_correct);
	if (n != n_correct)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg_plural("argument \"confidences\" has %d element, but argument \"correct\" "
							   "has %d",
							   "argument \"confidences\" has %d elements, but argument \"correct\" "
							   "has %d",
							   n, n, n_correct)));
	*ranked = (MrenRanked){.env = env};
	for (int i = 0; i < n; i++)
	{
		if (i % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		MREN_PG_CALL(err, mren_ranked_add(ranked, DatumGetFloat8(confidences[i]),
										  DatumGetBool(correct[i]), &err));
	}
	MREN_PG_CALL(err, mren_ranked_sort(ranked, &err));
}

static void
check_probabilities(const MrenRanked *ranked)
{
	double least;
	double greatest;

	if (ranked->n == 0)
		return;
	least = mren_ranked_confidence(ranked, 0);
	greatest = mren_ranked_confidence(ranked, ranked->n - 1);
	if (least < 0 || greatest > 1)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("confidence must be from 0 to 1, not %g", least < 0 ? least : greatest)));
}

/*
 * Bins
 */

#define N_RELIABILITY 10

static void
set_bin(const MrenReliabilityBin *bin, Datum *values)
{
	values[1] = Float8GetDatum(bin->lower);
	values[2] = Float8GetDatum(bin->upper);
	values[3] = Int64GetDatum((int64) bin->n);
	values[4] = Float8GetDatum(bin->confidence);
	values[5] = Float8GetDatum(bin->accuracy);
	values[6] = Float8GetDatum(bin->error);
	values[7] = Float8GetDatum(bin->expected_error);
	values[8] = Float8GetDatum(bin->coverage);
	values[9] = Float8GetDatum(bin->accuracy_above);
}

/* One row for each bin, then one for all rows, with bin NULL and the scores (2; may be NULL). */
static void
put_reliability(FunctionCallInfo fcinfo, const MrenRanked *ranked, int n_bins, const double *scores)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MrenReliabilityBin *bins = palloc(n_bins * sizeof(MrenReliabilityBin));
	MrenReliabilityBin all;
	Datum values[N_RELIABILITY + 2] = {0};
	bool nulls[N_RELIABILITY + 2] = {false};
	size_t n;
	MrenError err;

	MREN_PG_CALL(err, mren_ranked_reliability(ranked, n_bins, bins, &n, &all, &err));
	nulls[N_RELIABILITY] = nulls[N_RELIABILITY + 1] = true;
	for (size_t b = 0; b < n; b++)
	{
		values[0] = Int32GetDatum((int32) b + 1);
		set_bin(&bins[b], values);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	if (n == 0)
		return;
	nulls[0] = true;
	set_bin(&all, values);
	for (int i = 0; i < 2 && scores != NULL; i++)
	{
		nulls[N_RELIABILITY + i] = false;
		values[N_RELIABILITY + i] = Float8GetDatum(scores[i]);
	}
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* mren.reliability(confidences, correct, bins) → TABLE (bin, lower, upper, count, ...) */
Datum
mren_reliability(PG_FUNCTION_ARGS)
{
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	int bins = bins_argument(fcinfo, 2);
	MrenRanked ranked;

	InitMaterializedSRF(fcinfo, 0);
	ranked_arguments(fcinfo, &env, &ranked);
	check_probabilities(&ranked);
	put_reliability(fcinfo, &ranked, bins, NULL);
	return (Datum) 0;
}

/*
 * mren.calibration
 */

/* A sum of numbers from 0 to 2^20 in fixed point: the same in any order of up to 2^32 rows. */
typedef struct FixedSum
{
	uint64 whole; /* in units of 2^-20 */
	uint64 part;  /* in units of 2^-52 */
} FixedSum;

static void
fixed_add(FixedSum *sum, double value)
{
	double scaled = ldexp(Max(value, 0), 20);
	double whole = floor(scaled);

	sum->whole += (uint64) whole;
	sum->part += (uint64) ldexp(scaled - whole, 32);
}

static double
fixed_value(const FixedSum *sum)
{
	return ldexp((double) sum->whole, -20) + ldexp((double) sum->part, -52);
}

typedef struct Calibration
{
	MrenRanked ranked;
	uint64 n;		/* rows, with an answer or not */
	uint64 n_seen;	/* of them, rows that the version was trained on */
	FixedSum brier; /* over answered rows */
	FixedSum log_loss;
} Calibration;

/* The Brier score of a distribution: the sum of (p(j) - [j is right])^2. */
static double
brier(const float4 *p, int n, int actual)
{
	double sum = 0;

	for (int j = 0; j < n; j++)
	{
		double error = (double) p[j] - (j == actual ? 1 : 0);

		sum += error * error;
	}
	/* A relation that the model does not know has probability 0. */
	return actual < 0 ? sum + 1 : sum;
}

/* The threshold for abstaining is not applied: calibration serves to choose it. */
static void
take_row(void *state, const MrenPrediction *prediction)
{
	Calibration *calibration = state;
	int actual = prediction->actual_number;
	double p;
	MrenError err;

	calibration->n++;
	mren_prediction_actual(prediction, calibration->n);
	calibration->n_seen += prediction->seen;
	if (!prediction->answered)
		return;
	p = actual >= 0 ? prediction->probabilities[actual] : 0;
	fixed_add(&calibration->brier,
			  brier(prediction->probabilities, prediction->n_probabilities, actual));
	fixed_add(&calibration->log_loss, -log(Max(p, LEAST_PROBABILITY)));
	MREN_PG_CALL(err, mren_ranked_add(&calibration->ranked, prediction->confidence,
									  actual == prediction->strongest, &err));
}

/* mren.calibration(model, query, version, bins) → TABLE (bin, ..., brier, log_loss) */
Datum
mren_calibration(PG_FUNCTION_ARGS)
{
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	MrenPredictQuery what = {.model = mren_arg_text(fcinfo, 0, "model"),
							 .query = mren_arg_query(fcinfo, 1, "query"),
							 .version = mren_arg_version(fcinfo, 2),
							 .need_relation = true};
	int bins = bins_argument(fcinfo, 3);
	Calibration calibration = {.ranked = {.env = &env}};
	double scores[2];
	MrenPredictedBy by;
	MrenError err;

	InitMaterializedSRF(fcinfo, 0);
	by = mren_predict_query(&what, take_row, &calibration);
	if (calibration.n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION), errmsg("query returned no rows to evaluate")));
	mren_warn_of_unknown(what.model, &by, calibration.n);
	mren_warn_of_seen(what.model, &by, calibration.n_seen, calibration.n);
	MREN_PG_CALL(err, mren_ranked_sort(&calibration.ranked, &err));
	scores[0] = fixed_value(&calibration.brier) / (double) calibration.ranked.n;
	scores[1] = fixed_value(&calibration.log_loss) / (double) calibration.ranked.n;
	put_reliability(fcinfo, &calibration.ranked, bins, scores);
	return (Datum) 0;
}

/*
 * Ranked facts
 */

static uint64
count_correct(const MrenRanked *ranked)
{
	uint64 n = 0;

	for (size_t i = 0; i < ranked->n; i++)
		n += ranked->items[i].at;
	return n;
}

/* Argument relevant: the number of facts that could be found; NULL: those that are correct. */
static uint64
relevant_argument(FunctionCallInfo fcinfo, int arg, uint64 correct)
{
	int64 relevant;

	if (PG_ARGISNULL(arg))
		return correct;
	relevant = PG_GETARG_INT64(arg);
	if (relevant < 0 || (uint64) relevant < correct)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("argument \"relevant\" must be at least %llu, the number of correct "
							   "facts, not %lld",
							   (unsigned long long) correct, (long long) relevant),
						errhint("It is the number of facts that could have been found.")));
	return relevant;
}

/* mren.precision_recall(confidences, correct, relevant) → TABLE (rank, confidence, correct, ...) */
Datum
mren_precision_recall(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	MrenRankedPoint point = {0};
	MrenRanked ranked;
	uint64 relevant;

	InitMaterializedSRF(fcinfo, 0);
	ranked_arguments(fcinfo, &env, &ranked);
	relevant = relevant_argument(fcinfo, 2, count_correct(&ranked));
	while (mren_ranked_next(&ranked, relevant, &point))
	{
		Datum values[] = {
			Int64GetDatum((int64) point.n),			Float8GetDatum(point.confidence),
			Int64GetDatum((int64) point.n_correct), Float8GetDatum(point.precision),
			Float8GetDatum(point.recall),			Float8GetDatum(point.average_precision)};
		bool nulls[] = {false, false, false, false, isnan(point.recall), isnan(point.recall)};

		CHECK_FOR_INTERRUPTS();
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* mren.precision_at(confidences, correct, n) → double precision */
Datum
mren_precision_at(PG_FUNCTION_ARGS)
{
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	int64 n = PG_GETARG_INT64(2);
	MrenRanked ranked;
	double precision;

	if (n < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("argument \"n\" must be at least 1, not %lld", (long long) n)));
	ranked_arguments(fcinfo, &env, &ranked);
	precision = mren_ranked_precision_at(&ranked, n);
	if (isnan(precision))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(precision);
}
