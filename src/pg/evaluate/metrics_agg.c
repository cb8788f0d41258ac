/*
 * metrics_agg.c
 *	  The aggregates mren.metrics: figures for any pairs of actual and predicted
 *	  relations, as jsonb.
 *
 * Neither the combine function nor the transition function is strict: the first
 * row creates the state in the aggregate's own context.  With arrays, a row has
 * several relations.
 */
#include "pg/evaluate/metrics_agg.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"

#include "pg/evaluate/confusion.h"
#include "pg/support/compat.h"

PG_FUNCTION_INFO_V1(mren_metrics_add);
PG_FUNCTION_INFO_V1(mren_metrics_add_sets);
PG_FUNCTION_INFO_V1(mren_metrics_combine);
PG_FUNCTION_INFO_V1(mren_metrics_final);

/*
 * Scores
 */

static double
or_zero(double value)
{
	return isnan(value) ? 0 : value;
}

static MrenScore
without_nan(MrenScore score)
{
	return (MrenScore){or_zero(score.precision), or_zero(score.recall), or_zero(score.f1),
					   score.support};
}

MrenScore
mren_metrics_relation(const MrenConfusion *confusion, size_t i)
{
	MrenScore score;

	mren_confusion_score(confusion, i, &score);
	return without_nan(score);
}

MrenScore
mren_metrics_micro(const MrenConfusion *confusion, MrenTextSpan negative)
{
	MrenScore score;

	mren_confusion_micro(confusion, negative, &score);
	return without_nan(score);
}

MrenScore
mren_metrics_macro(const MrenConfusion *confusion, MrenTextSpan negative)
{
	MrenScore score;

	mren_confusion_macro(confusion, negative, &score);
	return without_nan(score);
}

/*
 * The aggregate
 */

static void negative_changed(void) MREN_NORETURN;

static void
negative_changed(void)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("argument \"negative\" must be the same in all rows")));
	pg_unreachable();
}

/* The context of the state: the aggregate's, or in a plain call the current one. */
static MemoryContext
state_parent(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	return AggCheckCallContext(fcinfo, &context) != 0 ? context : CurrentMemoryContext;
}

static text *
text_or_null(FunctionCallInfo fcinfo, int arg)
{
	return arg < PG_NARGS() && !PG_ARGISNULL(arg) ? PG_GETARG_TEXT_PP(arg) : NULL;
}

static void
check_actual(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(1))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("argument \"actual\" must not be null"),
						errhint("Leave out rows without a relation: "
								"mren.metrics(...) FILTER (WHERE ... IS NOT NULL).")));
}

/* The state to add to, of the arguments (state, actual, predicted [, negative]). */
static MrenConfusionState *
state_to_add(FunctionCallInfo fcinfo)
{
	text *negative = text_or_null(fcinfo, 3);
	const char *data = negative != NULL ? VARDATA_ANY(negative) : "";
	uint32_t n = negative != NULL ? VARSIZE_ANY_EXHDR(negative) : 0;
	MrenConfusionState *state;

	if (PG_ARGISNULL(0))
	{
		state = mren_confusion_state_create(state_parent(fcinfo));
		mren_confusion_state_set_negative(state, negative != NULL, data, n);
		return state;
	}
	state = mren_confusion_state_argument(fcinfo, 0, state_parent(fcinfo));
	if (!mren_confusion_state_same_negative(state, negative != NULL, data, n))
		negative_changed();
	return state;
}

/* mren.metrics_add(state, actual, predicted [, negative]) */
Datum
mren_metrics_add(PG_FUNCTION_ARGS)
{
	MrenConfusionState *state;
	text *actual;
	text *predicted = text_or_null(fcinfo, 2);

	check_actual(fcinfo);
	actual = PG_GETARG_TEXT_PP(1);
	state = state_to_add(fcinfo);
	mren_confusion_count_row(state->confusion, VARDATA_ANY(actual), VARSIZE_ANY_EXHDR(actual),
							 predicted != NULL ? VARDATA_ANY(predicted) : NULL,
							 predicted != NULL ? VARSIZE_ANY_EXHDR(predicted) : 0);
	PG_RETURN_DATUM(EOHPGetRWDatum(&state->hdr));
}

static int
compare_spans(const void *a, const void *b)
{
	return mren_text_span_compare(*(const MrenTextSpan *) a, *(const MrenTextSpan *) b);
}

/* The distinct relations of an array argument in bytewise order; none if it is NULL. */
static size_t
relations_argument(FunctionCallInfo fcinfo, int arg, const char *name, MrenTextSpan **spans)
{
	Datum *values;
	bool *nulls;
	int n;
	size_t kept = 0;

	*spans = NULL;
	if (PG_ARGISNULL(arg))
		return 0;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(arg), TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls,
					  &n);
	*spans = palloc((n + 1) * sizeof(MrenTextSpan));
	for (int i = 0; i < n; i++)
	{
		text *relation;

		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("element %d of argument \"%s\" must not be null", i + 1, name)));
		relation = DatumGetTextPP(values[i]);
		mren_confusion_check_label(VARSIZE_ANY_EXHDR(relation));
		(*spans)[i] = (MrenTextSpan){VARDATA_ANY(relation), VARSIZE_ANY_EXHDR(relation)};
	}
	qsort(*spans, n, sizeof(MrenTextSpan), compare_spans);
	for (int i = 0; i < n; i++)
	{
		if (kept == 0 || !mren_text_span_equal((*spans)[kept - 1], (*spans)[i]))
			(*spans)[kept++] = (*spans)[i];
	}
	return kept;
}

/* The n relations without the negative one, which counts only where it is alone. */
static size_t
drop_negative(const MrenConfusionState *state, MrenTextSpan *relations, size_t n)
{
	size_t kept = 0;

	if (!state->has_negative || n < 2)
		return n;
	for (size_t i = 0; i < n; i++)
	{
		if (!mren_text_span_equal(relations[i], (MrenTextSpan){state->negative, state->n_negative}))
			relations[kept++] = relations[i];
	}
	return kept;
}

/* mren.metrics_add(state, actual[], predicted[] [, negative]) */
Datum
mren_metrics_add_sets(PG_FUNCTION_ARGS)
{
	MrenConfusionState *state;
	MrenTextSpan *actual;
	MrenTextSpan *predicted;
	size_t n_actual;
	size_t n_predicted;
	MrenError err;

	check_actual(fcinfo);
	n_actual = relations_argument(fcinfo, 1, "actual", &actual);
	n_predicted = relations_argument(fcinfo, 2, "predicted", &predicted);
	state = state_to_add(fcinfo);
	n_actual = drop_negative(state, actual, n_actual);
	n_predicted = drop_negative(state, predicted, n_predicted);
	MREN_PG_CALL(err, mren_confusion_add_sets(state->confusion, actual, n_actual, predicted,
											  n_predicted, &err));
	mren_confusion_check_labels(state->confusion);
	PG_RETURN_DATUM(EOHPGetRWDatum(&state->hdr));
}

/* Adds the second state to the first; the second is not changed. */
Datum
mren_metrics_combine(PG_FUNCTION_ARGS)
{
	const MrenConfusionState *from;
	MrenConfusionState *into;
	MrenError err;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		into = mren_confusion_state_argument(fcinfo, 0, state_parent(fcinfo));
		PG_RETURN_DATUM(EOHPGetRWDatum(&into->hdr));
	}
	from = mren_confusion_state_peek(fcinfo, 1);
	if (PG_ARGISNULL(0))
	{
		into = mren_confusion_state_create(state_parent(fcinfo));
		mren_confusion_state_set_negative(into, from->has_negative, from->negative,
										  from->n_negative);
	}
	else
		into = mren_confusion_state_argument(fcinfo, 0, state_parent(fcinfo));
	if (!mren_confusion_state_same_negative(into, from->has_negative, from->negative,
											from->n_negative))
		negative_changed();
	MREN_PG_CALL(err, mren_confusion_merge(into->confusion, from->confusion, &err));
	mren_confusion_check_labels(into->confusion);
	PG_RETURN_DATUM(EOHPGetRWDatum(&into->hdr));
}

/*
 * The result
 */

static void
put_number(StringInfo out, const char *key, double value)
{
	char digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	double_to_shortest_decimal_buf(value, digits);
	appendStringInfo(out, "\"%s\": %s, ", key, digits);
}

static void
put_score(StringInfo out, const MrenScore *score)
{
	appendStringInfoChar(out, '{');
	put_number(out, "precision", score->precision);
	put_number(out, "recall", score->recall);
	put_number(out, "f1", score->f1);
	appendStringInfo(out, "\"support\": %llu}", (unsigned long long) score->support);
}

static void
put_relations(StringInfo out, const MrenConfusion *confusion)
{
	size_t n = mren_confusion_n_labels(confusion);

	for (size_t i = 0; i < n; i++)
	{
		MrenTextSpan label = mren_confusion_label(confusion, i);
		MrenScore score = mren_metrics_relation(confusion, i);

		if (i > 0)
			appendStringInfoString(out, ", ");
		escape_json(out, pnstrdup(label.data, label.len));
		appendStringInfoString(out, ": ");
		put_score(out, &score);
	}
}

Datum
mren_metrics_final(PG_FUNCTION_ARGS)
{
	const MrenConfusionState *state;
	const MrenConfusion *confusion;
	MrenTextSpan negative = {NULL, 0};
	MrenScore score;
	StringInfoData out;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = mren_confusion_state_peek(fcinfo, 0);
	confusion = state->confusion;
	if (state->has_negative)
		negative = (MrenTextSpan){state->negative, state->n_negative};
	initStringInfo(&out);
	appendStringInfo(&out, "{\"n\": %llu, ", (unsigned long long) mren_confusion_total(confusion));
	put_number(&out, "accuracy", mren_confusion_accuracy(confusion));
	appendStringInfoString(&out, "\"micro\": ");
	score = mren_metrics_micro(confusion, negative);
	put_score(&out, &score);
	appendStringInfoString(&out, ", \"macro\": ");
	score = mren_metrics_macro(confusion, negative);
	put_score(&out, &score);
	if (mren_confusion_semeval(confusion, &score))
	{
		appendStringInfoString(&out, ", \"semeval_macro\": ");
		put_score(&out, &score);
	}
	appendStringInfoString(&out, ", \"relations\": {");
	put_relations(&out, confusion);
	appendStringInfoString(&out, "}}");
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data)));
}
