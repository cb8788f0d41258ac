/*
 * metrics_agg.h
 *	  The figures of a confusion matrix as SQL shows them: 0 instead of NaN where
 *	  the denominator is 0, like scikit-learn with zero_division = 0.
 */
#ifndef MREN_PG_EVALUATE_METRICS_AGG_H
#define MREN_PG_EVALUATE_METRICS_AGG_H

#include "postgres.h"

#include "evaluation/metrics.h"

extern MrenScore mren_metrics_relation(const MrenConfusion *confusion, size_t i);
/* negative.data NULL: no relation is left out. */
extern MrenScore mren_metrics_micro(const MrenConfusion *confusion, MrenTextSpan negative);
extern MrenScore mren_metrics_macro(const MrenConfusion *confusion, MrenTextSpan negative);

#endif
