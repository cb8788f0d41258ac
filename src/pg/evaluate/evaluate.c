/*
 * evaluate.c
 *	  mren.evaluate and mren.confusion_matrix: the predictions of a version for
 *	  the rows of a query, compared with the query's column "relation".
 *
 * A row for which mren.predict returns NULL (the model abstains, or the row has
 * no sentence or mention) counts as missed.  Where the version has thresholds, rows of
 * one pair are counted together, with all relations that they have and it predicts;
 * otherwise the figures are those of mren.metrics over mren.predict.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "pg/evaluate/confusion.h"
#include "pg/evaluate/metrics_agg.h"
#include "pg/predict/predict_query.h"
#include "pg/support/args.h"
#include "pg/support/compat.h"
#include "pg/support/pg_env.h"

PG_FUNCTION_INFO_V1(mren_evaluate);
PG_FUNCTION_INFO_V1(mren_confusion_matrix);

typedef struct Evaluation
{
	const char *model;
	MrenConfusion *confusion;
	MrenLabelledPairs *labels;
	uint64 n;
	uint64 n_seen; /* of them, rows that the version was trained on */
	MrenPredictedBy by;
} Evaluation;

static void
count_row(void *state, const MrenPrediction *prediction)
{
	Evaluation *evaluation = state;

	mren_count_prediction(evaluation->labels, prediction, ++evaluation->n);
	evaluation->n_seen += prediction->seen;
}

/* Predicts and counts the rows for the arguments model, query and version. */
static void
evaluate(FunctionCallInfo fcinfo, Evaluation *evaluation)
{
	MrenEnv env = mren_pg_env(CurrentMemoryContext);
	MrenError err;
	MrenPredictQuery what = {.need_relation = true};

	*evaluation = (Evaluation){.model = mren_arg_text(fcinfo, 0, "model")};
	what.model = evaluation->model;
	what.query = mren_arg_query(fcinfo, 1, "query");
	what.version = mren_arg_version(fcinfo, 2);
	MREN_PG_CALL(err, mren_confusion_create(&env, &evaluation->confusion, &err));
	MREN_PG_CALL(err, mren_labelled_pairs_create(&env, &evaluation->labels, &err));
	evaluation->by = mren_predict_query(&what, count_row, evaluation);
	if (evaluation->n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION), errmsg("query returned no rows to evaluate")));
	mren_warn_of_unknown(evaluation->model, &evaluation->by, evaluation->n);
	mren_warn_of_seen(evaluation->model, &evaluation->by, evaluation->n_seen, evaluation->n);
	MREN_PG_CALL(err, mren_labelled_pairs_count(evaluation->labels,
												mren_predicted_negative(&evaluation->by),
												evaluation->confusion, &err));
	mren_confusion_check_labels(evaluation->confusion);
	mren_labelled_pairs_free(evaluation->labels);
}

/*
 * mren.evaluate
 */

/* One row of the result; a NaN becomes NULL. */
static void
put_row(ReturnSetInfo *rsinfo, text *name, const MrenScore *score)
{
	Datum values[] = {PointerGetDatum(name), Float8GetDatum(score->precision),
					  Float8GetDatum(score->recall), Float8GetDatum(score->f1),
					  Int64GetDatum((int64) score->support)};
	bool nulls[] = {false, isnan(score->precision), isnan(score->recall), isnan(score->f1), false};

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

static text *
label_text(const MrenConfusion *confusion, size_t i)
{
	MrenTextSpan label = mren_confusion_label(confusion, i);

	return cstring_to_text_with_len(label.data, (int) label.len);
}

/* mren.evaluate(model, query, version) → TABLE (relation, precision, recall, f1, support) */
Datum
mren_evaluate(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Evaluation evaluation;
	const MrenConfusion *confusion;
	MrenTextSpan negative;
	MrenScore score;

	InitMaterializedSRF(fcinfo, 0);
	evaluate(fcinfo, &evaluation);
	confusion = evaluation.confusion;
	negative = mren_predicted_negative(&evaluation.by);
	for (size_t i = 0; i < mren_confusion_n_labels(confusion); i++)
	{
		score = mren_metrics_relation(confusion, i);
		put_row(rsinfo, label_text(confusion, i), &score);
	}
	score = mren_metrics_micro(confusion, negative);
	put_row(rsinfo, cstring_to_text("micro avg"), &score);
	score = mren_metrics_macro(confusion, negative);
	put_row(rsinfo, cstring_to_text("macro avg"), &score);
	if (mren_confusion_semeval(confusion, &score))
		put_row(rsinfo, cstring_to_text("semeval macro avg"), &score);
	/* Shown as f1: with one label for each row, precision, recall and F1 are equal. */
	score =
		(MrenScore){NAN, NAN, mren_confusion_accuracy(confusion), mren_confusion_total(confusion)};
	put_row(rsinfo, cstring_to_text("accuracy"), &score);
	return (Datum) 0;
}

/*
 * mren.confusion_matrix
 */

typedef struct Matrix
{
	ReturnSetInfo *rsinfo;
	const MrenConfusion *confusion;
} Matrix;

static void
put_pair(void *state, size_t actual, size_t predicted, uint64_t count)
{
	Matrix *matrix = state;
	size_t n = mren_confusion_n_labels(matrix->confusion);
	Datum values[] = {(Datum) 0, (Datum) 0, Int64GetDatum((int64) count)};
	bool nulls[] = {actual == n, predicted == n, false};

	if (actual < n)
		values[0] = PointerGetDatum(label_text(matrix->confusion, actual));
	if (predicted < n)
		values[1] = PointerGetDatum(label_text(matrix->confusion, predicted));
	tuplestore_putvalues(matrix->rsinfo->setResult, matrix->rsinfo->setDesc, values, nulls);
}

/* mren.confusion_matrix(model, query, version) → TABLE (actual, predicted, count) */
Datum
mren_confusion_matrix(PG_FUNCTION_ARGS)
{
	Matrix matrix = {.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo};
	Evaluation evaluation;

	InitMaterializedSRF(fcinfo, 0);
	evaluate(fcinfo, &evaluation);
	matrix.confusion = evaluation.confusion;
	mren_confusion_pairs(matrix.confusion, put_pair, &matrix);
	return (Datum) 0;
}
