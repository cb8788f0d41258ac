/*
 * metrics.h
 *	  Metrics of predictions: a confusion matrix and the figures computed from
 *	  it.
 *
 * Labels may be any text.  A row without a prediction (the model abstained)
 * counts for its actual label's recall and for no label's precision.
 *
 * A row may have several labels and several predictions: the figures of a label
 * are those of the rows that have it and of those of which it is predicted.
 */
#ifndef MREN_EVALUATION_METRICS_H
#define MREN_EVALUATION_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/env.h"
#include "base/names.h"

typedef struct MrenConfusion MrenConfusion;

extern MrenStatus mren_confusion_create(const MrenEnv *env, MrenConfusion **confusion,
										MrenError *err);
extern void mren_confusion_free(MrenConfusion *confusion);

/* n rows of this pair of labels; predicted with data NULL: abstained. */
extern MrenStatus mren_confusion_add(MrenConfusion *confusion, MrenTextSpan actual,
									 MrenTextSpan predicted, uint64_t n, MrenError *err);
/*
 * mren_confusion_add_sets
 *	  One row of several labels and predictions, each in bytewise order without
 *	  repetition; either may be empty.  A label that is predicted is counted as such,
 *	  and the others against each other in order; if there are more of one kind, the
 *	  rest has no counterpart.
 */
extern MrenStatus mren_confusion_add_sets(MrenConfusion *confusion, const MrenTextSpan *actual,
										  size_t n_actual, const MrenTextSpan *predicted,
										  size_t n_predicted, MrenError *err);
/* The two parts of these, for readers of stored counts: n of a pair of labels, either of which
 * may be absent (data NULL), and n rows, of which exact had just the right predictions. */
extern MrenStatus mren_confusion_add_cell(MrenConfusion *confusion, MrenTextSpan actual,
										  MrenTextSpan predicted, uint64_t n, MrenError *err);
extern void mren_confusion_add_rows(MrenConfusion *confusion, uint64_t n, uint64_t exact);
/* Adds every count of `from`. */
extern MrenStatus mren_confusion_merge(MrenConfusion *into, const MrenConfusion *from,
									   MrenError *err);

/* Labels in bytewise order, numbered 0 .. n - 1 until the next add. */
extern size_t mren_confusion_n_labels(const MrenConfusion *confusion);
extern MrenTextSpan mren_confusion_label(const MrenConfusion *confusion, size_t i);
/* Rows of actual label i predicted as j; j = n_labels: abstained, i = n_labels: predicted beside
 * the labels that the row has. */
extern uint64_t mren_confusion_count(const MrenConfusion *confusion, size_t i, size_t j);
/* Finds a label's number. */
extern bool mren_confusion_find(const MrenConfusion *confusion, MrenTextSpan name, size_t *i);

typedef struct MrenMargins
{
	uint64_t actual;	/* rows of the label */
	uint64_t predicted; /* rows predicted as the label */
	uint64_t correct;	/* both */
} MrenMargins;

extern void mren_confusion_margins(const MrenConfusion *confusion, size_t i, MrenMargins *margins);
/* Rows, and those of which exactly the right labels are predicted. */
extern uint64_t mren_confusion_total(const MrenConfusion *confusion);
extern uint64_t mren_confusion_exact(const MrenConfusion *confusion);

/* NaN where the figure has no denominator (no row predicted: precision; no
 * row of the label: recall; f1 is 0 when either label side is empty but not
 * both, NaN when both are). */
typedef struct MrenScore
{
	double precision;
	double recall;
	double f1;
	uint64_t support; /* rows of the label */
} MrenScore;

extern void mren_confusion_score(const MrenConfusion *confusion, size_t i, MrenScore *score);

/*
 * Averages over the labels that occur in the actual rows or the predictions,
 * without `negative` (data NULL: none is left out).  Micro counts their rows
 * together; macro is the plain mean, in which an undefined figure counts as 0,
 * as in scikit-learn.  NaN where no label is left; support is that of the
 * labels taken.
 */
extern void mren_confusion_micro(const MrenConfusion *confusion, MrenTextSpan negative,
								 MrenScore *score);
extern void mren_confusion_macro(const MrenConfusion *confusion, MrenTextSpan negative,
								 MrenScore *score);
/* The share of rows of which exactly the right labels are predicted; abstained ones are wrong,
 * unless they have no label; NaN without rows. */
extern double mren_confusion_accuracy(const MrenConfusion *confusion);

/*
 * mren_confusion_semeval
 *	  SemEval-2010 Task 8's official figures: (n+1)-way with direction taken
 *	  into account, macro-averaged without Other, as its scorer computes them.
 *	  False when the labels are not of the form R(e1,e2), R(e2,e1), Other with
 *	  at least one directed relation among the actual ones.  Figures are 0 .. 1.
 */
extern bool mren_confusion_semeval(const MrenConfusion *confusion, MrenScore *score);

#endif
