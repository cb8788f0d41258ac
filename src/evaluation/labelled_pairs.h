/*
 * labelled_pairs.h
 *	  Rows of pairs of mentions, each with one of the relations that hold between
 *	  them, gathered into pairs with sets of relations, for evaluation.
 *
 * Rows of one pair may come in any order.  A pair that has the same relation in
 * m rows counts as m pairs, the k-th of which has the relations that have k rows
 * or more: so rows that are merely repeated count as often as they occur, and a
 * pair with one row for each of its relations counts once.
 */
#ifndef MREN_EVALUATION_LABELLED_PAIRS_H
#define MREN_EVALUATION_LABELLED_PAIRS_H

#include "evaluation/metrics.h"

typedef struct MrenLabelledPairs MrenLabelledPairs;

extern MrenStatus mren_labelled_pairs_create(const MrenEnv *env, MrenLabelledPairs **labels,
											 MrenError *err);
extern void mren_labelled_pairs_free(MrenLabelledPairs *labels);

/*
 * mren_labelled_pairs_add
 *	  One row.  pair: the same for rows of one pair, of which the prediction of the
 *	  first row counts, for the model gives all of them the same.  predicted (n,
 *	  distinct, in any order) may be empty.
 */
extern MrenStatus mren_labelled_pairs_add(MrenLabelledPairs *labels, uint64_t pair,
										  MrenTextSpan actual, const MrenTextSpan *predicted,
										  size_t n, MrenError *err);

/* One row of a pair of its own. */
extern MrenStatus mren_labelled_pairs_add_single(MrenLabelledPairs *labels, MrenTextSpan actual,
												 const MrenTextSpan *predicted, size_t n,
												 MrenError *err);

/*
 * mren_labelled_pairs_count
 *	  Adds all pairs to the confusion matrix.  A pair that has another relation does
 *	  not have `negative` (data NULL: there is none).
 */
extern MrenStatus mren_labelled_pairs_count(MrenLabelledPairs *labels, MrenTextSpan negative,
											MrenConfusion *confusion, MrenError *err);

#endif
