/*
 * compare.c
 *	  mren.compare(model, query, variants, folds): compares variants of the
 *	  options by cross-validation on the rows of a query.
 *
 * All variants are judged on the same folds.  The query runs once for each
 * encoding of its rows that the variants need; variants with the same encoding
 * are trained one after another on the same spilled rows.  Only temporary files
 * are written.  The counts of variant 1 are kept to the end, because the others
 * are compared with it row by row.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "portability/instr_time.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"

#include "pg/evaluate/compare_folds.h"
#include "pg/evaluate/model_options.h"
#include "pg/support/args.h"
#include "pg/support/json_options.h"
#include "pg/support/pg_env.h"
#include "pg/support/settings.h"
#include "pg/train/job.h"
#include "pg/train/train_rows.h"

#define MAX_VARIANTS 1000
#define RESAMPLES 2000
/* One-sided, so that both bounds together are an interval of 95 %. */
#define CONFIDENCE 0.975
#define SEED 0

typedef struct Bounds
{
	double value;
	double lower;
	double upper;
} Bounds;

typedef struct Variant
{
	Jsonb *object; /* the base options with the variant's overrides */
	MrenTrainSetup setup;
	bool done;
	size_t n_rows;
	size_t n_groups;
	double seconds;
	Bounds score;
	Bounds difference; /* from variant 1 */
} Variant;

typedef struct Compare
{
	MemoryContext context; /* of the call */
	char *query;
	int n_folds;
	size_t memory;
	int n;
	Variant *variants; /* (n) */
	size_t n_rows;	   /* of variant 1; all others must have the same rows */
	uint64 checksum;
	MrenPairedCounts *first; /* (n_rows) of variant 1 */
	int variant;			 /* being worked on, from 1 on; 0: none */
	int fold;				 /* the same */
} Compare;

static void
add_context(void *arg)
{
	const Compare *compare = arg;

	if (compare->fold > 0)
		errcontext("variant %d, fold %d", compare->variant, compare->fold);
	else if (compare->variant > 0)
		errcontext("variant %d", compare->variant);
}

/*
 * Arguments
 */

static void
refuse_key(const Jsonb *object, const char *key, const char *hint)
{
	if (mren_json_options_find(object, key) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"%s\" cannot be used in a comparison", key), errhint("%s", hint)));
}

static void
read_variant(Variant *variant, Jsonb *base, Datum given, bool isnull)
{
	Jsonb *object;

	if (isnull)
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("variant must not be null"),
						errhint("Give '{}' for the unchanged options.")));
	object = DatumGetJsonbP(given);
	mren_json_options_check(object);
	refuse_key(object, "deploy", "A comparison does not save versions.");
	refuse_key(object, "holdout_share", "Variants are judged by cross-validation on all rows.");
	variant->object = DatumGetJsonbP(
		DirectFunctionCall2(jsonb_concat, JsonbPGetDatum(base), JsonbPGetDatum(object)));
	mren_train_setup_read(variant->object, &variant->setup);
}

/* Scores can be compared only if they leave out the same relation. */
static void
check_negative(const Compare *compare)
{
	const char *first = compare->variants[0].setup.net.negative;
	const char *other = compare->variants[compare->variant - 1].setup.net.negative;

	if ((first == NULL) != (other == NULL) || (first != NULL && strcmp(first, other) != 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"negative\" must be the same as that of variant 1"),
				 errhint("It decides what is measured; give it to all variants or to none.")));
}

static void
read_variants(Compare *compare, ArrayType *array, Jsonb *base)
{
	Datum *values;
	bool *nulls;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("argument \"variants\" must be a one-dimensional array")));
	deconstruct_array(array, JSONBOID, -1, false, TYPALIGN_INT, &values, &nulls, &compare->n);
	if (compare->n > MAX_VARIANTS)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("argument \"variants\" has %d elements, more than %d", compare->n,
							   MAX_VARIANTS)));
	if (compare->n == 0)
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"variants\" must not be empty"),
			 errhint(
				 "Give an array of options, such as ARRAY['{}', '{\"epochs\": 50}']::jsonb[].")));
	compare->variants = palloc0(compare->n * sizeof(Variant));
	for (int i = 0; i < compare->n; i++)
	{
		compare->variant = i + 1;
		read_variant(&compare->variants[i], base, values[i], nulls[i]);
		check_negative(compare);
	}
	compare->variant = 0;
}

static void
read_args(FunctionCallInfo fcinfo, Compare *compare)
{
	int32 folds;
	Jsonb *base;

	compare->query = mren_arg_query(fcinfo, 1, "query");
	mren_arg_required(fcinfo, 2, "variants");
	mren_arg_required(fcinfo, 3, "folds");
	folds = PG_GETARG_INT32(3);
	if (folds < 2 || folds > MREN_MAX_FOLDS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"folds\" must be from 2 to %d, not %d", MREN_MAX_FOLDS, folds)));
	compare->n_folds = folds;
	compare->memory = (size_t) mren_train_memory * 1024;
	base = PG_ARGISNULL(0) ? DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")))
						   : mren_model_options(mren_arg_text(fcinfo, 0, "model"));
	read_variants(compare, PG_GETARG_ARRAYTYPE_P(2), base);
}

/*
 * Rows
 */

/* True if a row is encoded to the same bytes with both. */
static bool
same_encoding(const MrenTrainSetup *a, const MrenTrainSetup *b)
{
	if (a->embedding_row.id != b->embedding_row.id ||
		(a->net.hash_bits > 0) != (b->net.hash_bits > 0) ||
		(a->image_encoder == NULL) != (b->image_encoder == NULL) ||
		a->audio_dimension != b->audio_dimension ||
		memcmp(a->audio_identity, b->audio_identity, MREN_SHA256_LENGTH) != 0 ||
		!mren_grid_equal(&a->grid, &b->grid) || a->lexicons.n != b->lexicons.n)
		return false;
	if (a->image_encoder != NULL && a->encoder_row.id != b->encoder_row.id)
		return false;
	for (int i = 0; i < a->lexicons.n; i++)
	{
		if (memcmp(a->lexicons.rows[i].sha256, b->lexicons.rows[i].sha256, MREN_SHA256_LENGTH) != 0)
			return false;
	}
	return true;
}

static void
read_rows(const Compare *compare, const Variant *variant, MrenTrainRows *rows)
{
	*rows = (MrenTrainRows){.context = CurrentMemoryContext,
							.query = compare->query,
							.object = variant->object,
							.memory = compare->memory,
							.keyed = true};
	SPI_connect();
	mren_train_rows_plan(rows);
	mren_train_rows_read(rows, &variant->setup);
	SPI_finish();
}

static void
check_rows(const Compare *compare, const MrenFolds *folds)
{
	if (folds->n != compare->n_rows || folds->checksum != compare->checksum)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("query returned different rows for variant %d than for variant 1",
						compare->variant),
				 errhint("The query runs once for each encoding of its rows, and must return the "
						 "same rows each time; with option holdout_share and different image "
						 "encoders it needs a column \"group\".")));
}

/*
 * Figures
 */

/* Copies the counts of model 1 to model `side`, and the actual relations if wanted. */
static void
put_side(MrenPairedCounts *out, const MrenPairedCounts *rows, size_t n, int side, bool actual)
{
	for (size_t i = 0; i < n; i++)
	{
		out[i] = (MrenPairedCounts){.key = rows[i].key, .actual = actual ? rows[i].actual : 0};
		out[i].predicted[side] = rows[i].predicted[1];
		out[i].hits[side] = rows[i].hits[1];
	}
}

/*
 * The score of a variant minus that of `other`.  Without another it is the
 * variant's own score, since a model without answers scores 0.  Rows of one
 * group are joined by their keys, so the rows of two variants may be in
 * different orders.  The upper bound is the lower bound of the opposite
 * difference, negated.
 */
static Bounds
find_bounds(const MrenPairedCounts *rows, const MrenPairedCounts *other, size_t n)
{
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	size_t total = other != NULL ? 2 * n : n;
	MrenPairedCounts *both = palloc_extended(total * sizeof(*both), MCXT_ALLOC_HUGE);
	const MrenResampling how = {SEED, RESAMPLES, CONFIDENCE};
	MrenBootstrap found[2];
	MrenError err;

	for (int side = 0; side < 2; side++)
	{
		put_side(both, rows, n, side, true);
		if (other != NULL)
			put_side(both + n, other, n, 1 - side, false);
		MREN_PG_CALL(err, mren_bootstrap_paired(&env, both, total, &how, &found[side], &err));
	}
	pfree(both);
	return (Bounds){found[1].difference, found[1].lower_bound, 0 - found[0].lower_bound};
}

static const char *
measure_of(const Variant *variant)
{
	return variant->setup.net.negative != NULL ? "micro F1" : "accuracy";
}

static void
count_answer(void *state, MrenTrainAnswers *answers, size_t index, size_t judged)
{
	MrenPairedCounts *counts = state;

	mren_train_answer_count(answers, index, &counts[judged]);
}

static void
judge(Compare *compare, Variant *variant, const MrenFolds *folds)
{
	MrenPairedCounts *counts = palloc_extended(folds->n_judged * sizeof(*counts), MCXT_ALLOC_HUGE);
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	instr_time start;
	MrenError err;

	INSTR_TIME_SET_CURRENT(start);
	mren_folds_answer(folds, &variant->setup, compare->memory,
					  &(MrenFoldVisitor){count_answer, counts}, &compare->fold);
	if (variant->setup.net.negative != NULL)
		MREN_PG_CALL(err, mren_paired_settle(&env, counts, folds->n_judged, &err));
	variant->seconds = mren_seconds_since(start);
	variant->n_rows = folds->n_judged;
	variant->n_groups = folds->n_groups;
	variant->score = find_bounds(counts, NULL, folds->n_judged);
	if (compare->first != NULL)
		variant->difference = find_bounds(counts, compare->first, folds->n_judged);
	else
	{
		compare->first =
			MemoryContextAllocHuge(compare->context, folds->n_judged * sizeof(*compare->first));
		memcpy(compare->first, counts, folds->n_judged * sizeof(*compare->first));
	}
	pfree(counts);
	variant->done = true;
	ereport(NOTICE,
			(errmsg_internal("variant %d of %d: %s %.4f, %.0f s", compare->variant, compare->n,
							 measure_of(variant), variant->score.value, variant->seconds)));
}

/* Reads the rows in the encoding of one variant (by index); judges all variants that share it. */
static void
judge_encoding(Compare *compare, int first)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "mren compare", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	MrenTrainRows rows;
	MrenFolds folds;

	compare->variant = first + 1;
	read_rows(compare, &compare->variants[first], &rows);
	mren_folds_make(&folds, &rows.source, compare->n_folds, compare->memory);
	if (first == 0)
	{
		compare->n_rows = folds.n;
		compare->checksum = folds.checksum;
	}
	check_rows(compare, &folds);
	for (int i = first; i < compare->n; i++)
	{
		if (compare->variants[i].done ||
			!same_encoding(&compare->variants[i].setup, &compare->variants[first].setup))
			continue;
		compare->variant = i + 1;
		judge(compare, &compare->variants[i], &folds);
	}
	compare->variant = 0;
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
}

/*
 * Results
 */

static void
put_variant(ReturnSetInfo *rsinfo, int number, const Variant *variant)
{
	bool first = number == 1;
	Datum values[] = {
		Int32GetDatum(number),
		JsonbPGetDatum(variant->object),
		Float8GetDatum(variant->score.value),
		Float8GetDatum(variant->score.lower),
		Float8GetDatum(variant->score.upper),
		Float8GetDatum(variant->seconds),
		CStringGetTextDatum(measure_of(variant)),
		Int64GetDatum((int64) variant->n_rows),
		Int64GetDatum((int64) variant->n_groups),
		Float8GetDatum(variant->difference.value),
		Float8GetDatum(variant->difference.lower),
		Float8GetDatum(variant->difference.upper),
	};
	bool nulls[lengthof(values)] = {false};

	nulls[9] = nulls[10] = nulls[11] = first;
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

PG_FUNCTION_INFO_V1(mren_compare);
/* mren.compare(model, query, variants, folds) → TABLE (variant, options, score, lower, upper, ...) */
Datum
mren_compare(PG_FUNCTION_ARGS)
{
	Compare compare = {.context = CurrentMemoryContext};
	ErrorContextCallback callback = {
		.previous = error_context_stack, .callback = add_context, .arg = &compare};

	InitMaterializedSRF(fcinfo, 0);
	error_context_stack = &callback;
	read_args(fcinfo, &compare);
	for (int i = 0; i < compare.n; i++)
	{
		if (!compare.variants[i].done)
			judge_encoding(&compare, i);
	}
	error_context_stack = callback.previous;
	for (int i = 0; i < compare.n; i++)
		put_variant((ReturnSetInfo *) fcinfo->resultinfo, i + 1, &compare.variants[i]);
	return (Datum) 0;
}
