/*
 * report_figures.c
 *	  Figures of the rows that a version was tried on: tiles, metrics by
 *	  relation, the confusion matrix, calibration and the precision-recall curve.
 */
#include "pg/report/report_internal.h"

#include <math.h>

#include "miscadmin.h"

#include "pg/evaluate/confusion.h"
#include "pg/evaluate/metrics_agg.h"
#include "pg/report/chart.h"
#include "pg/support/pg_env.h"

#define N_BINS 10
/* Points of the precision-recall curve that are drawn. */
#define N_POINTS 400

static MrenTextSpan
negative(const MrenReport *report)
{
	if (report->negative == NULL)
		return (MrenTextSpan){NULL, 0};
	return (MrenTextSpan){report->negative, strlen(report->negative)};
}

static const char *
label(const MrenReport *report, size_t i)
{
	MrenTextSpan span = mren_confusion_label(report->confusion, i);

	return pnstrdup(span.data, span.len);
}

static const char *
share(double value)
{
	return isnan(value) ? "&#x2013;" : psprintf("%.3f", value);
}

static const char *
count(uint64 n)
{
	StringInfoData text;

	initStringInfo(&text);
	mren_html_count(&text, n);
	return text.data;
}

/*
 * Tiles
 */

static void
reliability(const MrenReport *report, MrenReliabilityBin *bins, size_t *n, MrenReliabilityBin *all)
{
	MrenError err;

	MREN_PG_CALL(err, mren_ranked_reliability(&report->answered, N_BINS, bins, n, all, &err));
}

void
mren_report_tiles(MrenReport *report)
{
	StringInfo page = report->page;
	MrenScore micro = mren_metrics_micro(report->confusion, negative(report));
	MrenScore macro = mren_metrics_macro(report->confusion, negative(report));
	MrenReliabilityBin bins[N_BINS];
	MrenReliabilityBin all;
	size_t n;

	mren_tiles_begin(page);
	mren_tile(page, "Accuracy", share(mren_confusion_accuracy(report->confusion)),
			  psprintf("of %s rows", count(report->n_rows)));
	mren_tile(page, "Micro F1", share(micro.f1),
			  psprintf("precision %s, recall %s", share(micro.precision), share(micro.recall)));
	mren_tile(page, "Macro F1", share(macro.f1), "mean over relations");
	if (report->answered.n > 0)
	{
		reliability(report, bins, &n, &all);
		mren_tile(page, "Calibration error", share(all.error),
				  psprintf("%s by chance alone", share(all.expected_error)));
	}
	mren_tiles_end(page);
	if (report->n_seen > 0)
	{
		appendStringInfoString(page, "<section><p style=\"margin:0\"><b>These figures flatter the "
									 "model.</b> It was trained on ");
		mren_html_count(page, report->n_seen);
		appendStringInfoString(page, " of these ");
		mren_html_count(page, report->n_rows);
		appendStringInfoString(page, " rows. Only rows that were held out of training show how "
									 "well it does on new ones.</p></section>\n");
	}
}

/*
 * Metrics by relation
 */

/* Labels by falling number of rows; ties in bytewise order, in which they are numbered. */
typedef struct Counted
{
	size_t label;
	uint64 rows;
} Counted;

static int
by_rows(const void *a, const void *b)
{
	const Counted *x = a;
	const Counted *y = b;

	if (x->rows != y->rows)
		return x->rows > y->rows ? -1 : 1;
	return x->label < y->label ? -1 : x->label > y->label;
}

static Counted *
ordered_labels(const MrenReport *report, size_t *n)
{
	Counted *labels;

	*n = mren_confusion_n_labels(report->confusion);
	labels = palloc(Max(*n, 1) * sizeof(Counted));
	for (size_t i = 0; i < *n; i++)
	{
		MrenMargins margins;

		mren_confusion_margins(report->confusion, i, &margins);
		labels[i] = (Counted){i, margins.actual};
	}
	qsort(labels, *n, sizeof(Counted), by_rows);
	return labels;
}

static void
metrics_row(StringInfo page, const char *name, const MrenScore *score, const char *style)
{
	appendStringInfo(page, "<tr class=\"%s\"><th>", style);
	mren_html_text(page, name);
	appendStringInfo(page,
					 "</th><td class=\"n\">%s</td><td class=\"n\">%s</td><td class=\"n\">%s"
					 "<span class=\"bar\"><i style=\"width:%.1f%%\"></i></span></td><td "
					 "class=\"n\">",
					 share(score->precision), share(score->recall), share(score->f1),
					 isnan(score->f1) ? 0 : 100 * score->f1);
	mren_html_count(page, score->support);
	appendStringInfoString(page, "</td></tr>\n");
}

void
mren_report_relations(MrenReport *report)
{
	StringInfo page = report->page;
	size_t n;
	const Counted *labels = ordered_labels(report, &n);
	MrenScore score;

	mren_section_begin(page, "relations", "Metrics by relation",
					   "Precision is the share of a relation&#x2019;s predictions that are right, "
					   "recall the share of its rows that are found, F1 their harmonic mean.");
	appendStringInfoString(page, "<div class=\"scroll\"><table class=\"wide\"><thead><tr><th>"
								 "Relation</th><th class=\"n\">Precision</th><th class=\"n\">"
								 "Recall</th><th class=\"n\">F1</th><th class=\"n\">Rows</th></tr>"
								 "</thead>\n<tbody>\n");
	for (size_t i = 0; i < n && i < MREN_REPORT_RELATIONS; i++)
	{
		score = mren_metrics_relation(report->confusion, labels[i].label);
		metrics_row(page, label(report, labels[i].label), &score, "");
	}
	score = mren_metrics_micro(report->confusion, negative(report));
	metrics_row(page, "micro avg", &score, "sum first");
	score = mren_metrics_macro(report->confusion, negative(report));
	metrics_row(page, "macro avg", &score, "sum");
	appendStringInfoString(page, "</tbody></table></div>\n");
	if (report->negative != NULL)
	{
		appendStringInfoString(page, "<p style=\"margin:.8rem 0 0\">The averages leave out ");
		mren_html_text(page, report->negative);
		appendStringInfoString(page, ", which means that there is no relation.</p>\n");
	}
	if (n > MREN_REPORT_RELATIONS)
		appendStringInfo(page,
						 "<p style=\"margin:.8rem 0 0\">Relations with fewer rows, which are not "
						 "shown: %zu.</p>\n",
						 n - MREN_REPORT_RELATIONS);
	mren_section_end(page);
}

/*
 * The confusion matrix
 */

/* The colour of a cell is the share of its row. */
static void
matrix_cell(StringInfo page, uint64 n, uint64 of, bool right)
{
	double depth = of == 0 || n == 0 ? 0 : 0.08 + 0.82 * (double) n / (double) of;

	if (n == 0)
	{
		appendStringInfoString(page, "<td></td>");
		return;
	}
	appendStringInfo(page, "<td%s style=\"background:rgba(var(--%s-rgb),%.2f)\" title=\"%.1f %%\">",
					 depth > 0.55 ? " class=\"dark\"" : "", right ? "a" : "b", depth,
					 100.0 * (double) n / (double) of);
	mren_html_count(page, n);
	appendStringInfoString(page, "</td>");
}

/* Rows of an actual label that were predicted as none of the first n_shown ones. */
static uint64
elsewhere(const MrenReport *report, const Counted *labels, size_t n_shown, const Counted *actual)
{
	uint64 left = actual->rows;

	for (size_t j = 0; j < n_shown; j++)
		left -= mren_confusion_count(report->confusion, actual->label, labels[j].label);
	return left;
}

static void
matrix_head(const MrenReport *report, const Counted *labels, size_t n_shown, bool rest)
{
	StringInfo page = report->page;

	appendStringInfoString(page,
						   "<thead><tr><th>actual&#xA0;&#x2193; predicted&#xA0;&#x2192;</th>");
	for (size_t j = 0; j < n_shown; j++)
	{
		const char *name = label(report, labels[j].label);

		appendStringInfoString(page, "<th class=\"v\" title=\"");
		mren_html_text(page, name);
		appendStringInfoString(page, "\"><span>");
		mren_html_brief(page, name, 48);
		appendStringInfoString(page, "</span></th>");
	}
	if (rest)
		appendStringInfoString(page, "<th class=\"v\"><span>other or no answer</span></th>");
	appendStringInfoString(page, "</tr></thead>\n");
}

void
mren_report_matrix(MrenReport *report)
{
	StringInfo page = report->page;
	size_t n;
	const Counted *labels = ordered_labels(report, &n);
	size_t n_shown = Min(n, MREN_REPORT_MATRIX);
	bool rest = false;

	for (size_t i = 0; i < n_shown && !rest; i++)
		rest = elsewhere(report, labels, n_shown, &labels[i]) > 0;
	mren_section_begin(page, "matrix", "Confusion matrix",
					   "Each row holds the rows of one actual relation; its colours are shares of "
					   "the row. Blue is right, orange a mistake.");
	appendStringInfoString(page, "<div class=\"scroll\"><table class=\"matrix\">");
	matrix_head(report, labels, n_shown, rest);
	appendStringInfoString(page, "<tbody>\n");
	for (size_t i = 0; i < n_shown; i++)
	{
		CHECK_FOR_INTERRUPTS();
		appendStringInfoString(page, "<tr><th>");
		mren_html_brief(page, label(report, labels[i].label), 40);
		appendStringInfoString(page, "</th>");
		for (size_t j = 0; j < n_shown; j++)
			matrix_cell(page,
						mren_confusion_count(report->confusion, labels[i].label, labels[j].label),
						labels[i].rows, i == j);
		if (rest)
			matrix_cell(page, elsewhere(report, labels, n_shown, &labels[i]), labels[i].rows,
						false);
		appendStringInfoString(page, "</tr>\n");
	}
	appendStringInfoString(page, "</tbody></table></div>\n");
	if (n > n_shown)
		appendStringInfo(page,
						 "<p style=\"margin:.8rem 0 0\">Only the %zu most frequent of %zu "
						 "relations have a row.</p>\n",
						 n_shown, n);
	mren_section_end(page);
}

/*
 * Calibration and the precision-recall curve
 */

static void
calibration(MrenReport *report)
{
	StringInfo page = report->page;
	double n_answered = (double) report->answered.n;
	MrenReliabilityBin bins[N_BINS];
	MrenReliabilityBin all;
	double x[N_BINS];
	double y[N_BINS];
	size_t n;
	MrenSeries series = {"", "a", x, y, 0, true};
	MrenChart chart = {.title = "Accuracy by confidence",
					   .x_label = "confidence",
					   .y_label = "share that is right",
					   .x_max = 1,
					   .y_max = 1,
					   .diagonal = true,
					   .series = &series,
					   .n_series = 1};

	reliability(report, bins, &n, &all);
	for (size_t i = 0; i < n; i++)
	{
		x[i] = bins[i].confidence;
		y[i] = bins[i].accuracy;
	}
	series.n = (int) n;
	mren_section_begin(page, "calibration", "Calibration",
					   "Is a confidence of 0.8 right eight times in ten? Each point is a tenth of "
					   "the answers; on the dashed line, confidence and truth agree.");
	mren_chart(page, &chart);
	appendStringInfo(page,
					 "<p style=\"margin:.6rem 0 0\">Error %.3f (%.3f is to be expected by chance), "
					 "Brier score %.3f, log loss %.3f.</p>\n",
					 all.error, all.expected_error, report->brier / n_answered,
					 report->log_loss / n_answered);
	mren_section_end(page);
}

/* The points of the curve, thinned; the last one is in *last. */
static int
curve_points(const MrenReport *report, double *x, double *y, MrenRankedPoint *last)
{
	uint64 step = report->facts.n / N_POINTS + 1;
	uint64 due = 0;
	MrenRankedPoint point = {0};
	int n = 0;

	while (mren_ranked_next(&report->facts, report->n_facts, &point))
	{
		*last = point;
		if (point.n < due && point.n < report->facts.n)
			continue;
		due = point.n + step;
		x[n] = point.recall;
		y[n++] = point.precision;
	}
	return n;
}

static void
precision_recall(MrenReport *report)
{
	StringInfo page = report->page;
	double *x = palloc((N_POINTS + 2) * sizeof(double));
	double *y = palloc((N_POINTS + 2) * sizeof(double));
	MrenRankedPoint last = {0};
	MrenSeries series = {"", "a", x, y, 0, false};
	MrenChart chart = {.title = "Precision by recall",
					   .x_label = "recall",
					   .y_label = "precision",
					   .x_max = 1,
					   .y_max = 1,
					   .series = &series,
					   .n_series = 1};

	series.n = curve_points(report, x, y, &last);
	mren_section_begin(page, "curve", "Precision and recall",
					   "How much of what is true is found, and how much of what is found is true, "
					   "as the confidence that is required falls.");
	mren_chart(page, &chart);
	appendStringInfo(page,
					 "<p style=\"margin:.6rem 0 0\">Average precision %.3f. At the end, every "
					 "answer is taken.</p>\n",
					 last.average_precision);
	mren_section_end(page);
}

void
mren_report_curves(MrenReport *report)
{
	if (report->answered.n == 0)
		return;
	appendStringInfoString(report->page, "<div class=\"pair\">\n");
	calibration(report);
	if (report->facts.n > 0 && report->n_facts > 0)
		precision_recall(report);
	appendStringInfoString(report->page, "</div>\n");
}
