/*
 * report_rows.c
 *	  One pass over the query of a report: counts, confidences, and the few rows
 *	  that the page shows.
 */
#include "pg/report/report_internal.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"

#include "pg/evaluate/confusion.h"
#include "pg/predict/predict_query.h"
#include "pg/support/pg_env.h"

/* A probability of 0 would make the log loss infinite. */
#define LEAST_PROBABILITY 1e-15

/*
 * The surest rows
 */

/* Equal confidences are ordered by what is shown, so that the query's order does not matter. */
static bool
comes_before(const MrenReportRow *a, const MrenReportRow *b)
{
	MrenTextSpan x = a->pair->sentence;
	MrenTextSpan y = b->pair->sentence;
	int order;

	if (a->confidence != b->confidence)
		return a->confidence > b->confidence;
	order = memcmp(x.data, y.data, Min(x.len, y.len));
	if (order != 0 || x.len != y.len)
		return order != 0 ? order < 0 : x.len < y.len;
	return strcmp(a->actual, b->actual) < 0;
}

static void
remove_row(MrenReportList *list, int i)
{
	MemoryContextDelete(list->rows[i].context);
	memmove(&list->rows[i], &list->rows[i + 1], (list->n - i - 1) * sizeof(MrenReportRow));
	list->n--;
}

/* The row of the list with the same image, or -1. */
static int
same_image(const MrenReportList *list, const MrenReportRow *row)
{
	for (int i = 0; i < list->n && list->distinct; i++)
	{
		if (memcmp(&list->rows[i].image, &row->image, sizeof(MrenHash128)) == 0)
			return i;
	}
	return -1;
}

/* Keeps a copy of the row if it is one of the surest. */
static void
offer(MrenReportList *list, const MrenReportRow *row)
{
	int same = same_image(list, row);
	MrenReportRow copy = *row;
	MemoryContext old;
	int at = 0;

	if (same >= 0 && !comes_before(row, &list->rows[same]))
		return;
	if (same >= 0)
		remove_row(list, same);
	else if (list->n == list->max && !comes_before(row, &list->rows[list->n - 1]))
		return;
	if (list->n == list->max)
		remove_row(list, list->n - 1);
	copy.context =
		AllocSetContextCreate(CurrentMemoryContext, "mren report row", ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(copy.context);
	copy.pair = mren_pair_copy(row->pair);
	copy.id = row->id != NULL ? pstrdup(row->id) : NULL;
	copy.actual = pstrdup(row->actual);
	MemoryContextSwitchTo(old);
	while (at < list->n && comes_before(&list->rows[at], &copy))
		at++;
	memmove(&list->rows[at + 1], &list->rows[at], (list->n - at) * sizeof(MrenReportRow));
	list->rows[at] = copy;
	list->n++;
}

/*
 * One row
 */

typedef struct Reading
{
	MrenReport *report;
	MemoryContext context; /* of the report */
	MrenLabelledPairs *labels;
} Reading;

static void
offer_row(MrenReport *report, const MrenPrediction *prediction, int best, bool right)
{
	MrenReportRow row = {.pair = prediction->pair,
						 .id = prediction->id,
						 .actual = prediction->actual,
						 .predicted = report->relations[best],
						 .confidence = prediction->confidence};

	if (!right)
		offer(&report->mistakes, &row);
	if (row.pair->image == NULL)
		return;
	row.image = mren_image_encoder_hash(row.pair->image);
	offer(right ? &report->right_photographs : &report->wrong_photographs, &row);
}

/* The squared error of the distribution, and the surprise at the actual relation. */
static void
score(MrenReport *report, const MrenPrediction *prediction)
{
	int actual = prediction->actual_number;
	double p = actual >= 0 ? prediction->probabilities[actual] : 0;
	double sum = actual < 0 ? 1 : 0;

	for (int j = 0; j < prediction->n_probabilities; j++)
	{
		double error = (double) prediction->probabilities[j] - (j == actual ? 1 : 0);

		sum += error * error;
	}
	report->brier += sum;
	report->log_loss -= log(Max(p, LEAST_PROBABILITY));
}

static void
take_answer(MrenReport *report, const MrenPrediction *prediction)
{
	int best = prediction->strongest;
	bool right = best == prediction->actual_number;
	MrenError err;

	score(report, prediction);
	MREN_PG_CALL(err, mren_ranked_add(&report->answered, prediction->confidence, right, &err));
	if (best != report->predictor.info.negative)
		MREN_PG_CALL(err, mren_ranked_add(&report->facts, prediction->confidence, right, &err));
	offer_row(report, prediction, best, right);
}

static void
take_row(void *state, const MrenPrediction *prediction)
{
	Reading *reading = state;
	MrenReport *report = reading->report;
	MemoryContext old = MemoryContextSwitchTo(reading->context);
	const char *actual = mren_count_prediction(reading->labels, prediction, ++report->n_rows);

	report->n_seen += prediction->seen;
	report->n_facts += report->negative == NULL || strcmp(actual, report->negative) != 0;
	report->n_silent += prediction->relation == NULL;
	if (prediction->answered)
		take_answer(report, prediction);
	MemoryContextSwitchTo(old);
}

static MrenReportList
make_list(int max, bool distinct)
{
	return (MrenReportList){
		.max = max, .distinct = distinct, .rows = palloc0((max + 1) * sizeof(MrenReportRow))};
}

void
mren_report_read_rows(MrenReport *report)
{
	MrenEnv *env = palloc(sizeof(MrenEnv));
	Reading reading = {.report = report, .context = CurrentMemoryContext};
	MrenPredictQuery what = {.model = report->model,
							 .query = report->query,
							 .version = report->predictor.version,
							 .need_relation = true,
							 .keep_pairs = true};
	MrenPredictedBy by;
	MrenError err;

	*env = mren_pg_env(CurrentMemoryContext);
	report->answered.env = report->facts.env = env;
	report->mistakes = make_list(MREN_REPORT_MISTAKES, false);
	report->right_photographs = make_list(MREN_REPORT_PHOTOGRAPHS, true);
	report->wrong_photographs = make_list(MREN_REPORT_PHOTOGRAPHS, true);
	MREN_PG_CALL(err, mren_confusion_create(env, &report->confusion, &err));
	MREN_PG_CALL(err, mren_labelled_pairs_create(env, &reading.labels, &err));
	by = mren_predict_query(&what, take_row, &reading);
	if (report->n_rows == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION), errmsg("query returned no rows to evaluate")));
	mren_warn_of_unknown(report->model, &by, report->n_rows);
	mren_warn_of_seen(report->model, &by, report->n_seen, report->n_rows);
	MREN_PG_CALL(err, mren_labelled_pairs_count(reading.labels, mren_predicted_negative(&by),
												report->confusion, &err));
	mren_labelled_pairs_free(reading.labels);
	MREN_PG_CALL(err, mren_ranked_sort(&report->answered, &err));
	MREN_PG_CALL(err, mren_ranked_sort(&report->facts, &err));
}

/*
 * Our own statements
 */

void
mren_report_read(const MrenReport *report, const char *sql, MrenRowVisitor visit, void *state)
{
	Oid types[] = {TEXTOID, INT4OID};
	Datum values[] = {CStringGetTextDatum(report->model), Int32GetDatum(report->predictor.version)};

	SPI_connect();
	mren_query_run(sql, 2, types, values, visit, state);
	SPI_finish();
}
