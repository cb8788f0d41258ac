/*
 * compare_folds.h
 *	  Cross-validation over encoded rows: which fold each belongs to, a network
 *	  for each fold that has not seen it, and what these answer.
 */
#ifndef MREN_PG_EVALUATE_COMPARE_FOLDS_H
#define MREN_PG_EVALUATE_COMPARE_FOLDS_H

#include "postgres.h"

#include "evaluation/bootstrap.h"
#include "data/source.h"
#include "pg/train/train_options.h"

#define MREN_MAX_FOLDS 100

typedef struct MrenFolds
{
	MrenSource rows; /* of keyed records (train_rows.h); outlives this */
	int n_folds;
	size_t n; /* rows that take part: those of split "test" do not */
	size_t n_groups;
	uint64 checksum; /* of the rows' keys: equal for the same rows, however encoded */
	/* Of each row that takes part: */
	size_t *index; /* in the source */
	uint64 *keys;
	uint8 *folds;
} MrenFolds;

/*
 * mren_folds_make
 *	  Deals the groups out to the folds in the order of a hash of their keys, so
 *	  that folds differ by at most one group, and the same rows always give the
 *	  same folds.  22000 if there are fewer groups than folds.  Allocates in the
 *	  current context; 54000 beyond `memory` bytes.
 */
extern void mren_folds_make(MrenFolds *folds, const MrenSource *rows, int n_folds, size_t memory);

/*
 * mren_folds_answer
 *	  For each fold trains as CALL mren.train would on the rows of the others,
 *	  and answers the fold's rows.  counts (folds->n) get model 1's figures, and
 *	  0 for model 0: see bootstrap.h.  *fold is the one at hand, from 1 on.  What
 *	  is made on the way is freed.
 */
extern void mren_folds_answer(const MrenFolds *folds, const MrenTrainOptions *options,
							  size_t memory, MrenPairedCounts *counts, int *fold);

#endif
