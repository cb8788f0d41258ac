/*
 * compare_folds.h
 *	  Cross-validation on encoded rows: the division into folds, and for each
 *	  fold the answers of a network that was trained on the others.
 */
#ifndef MREN_PG_EVALUATE_COMPARE_FOLDS_H
#define MREN_PG_EVALUATE_COMPARE_FOLDS_H

#include "postgres.h"

#include "data/source.h"
#include "pg/train/train_answer.h"
#include "pg/train/train_setup.h"

#define MREN_MAX_FOLDS 100

typedef struct MrenFolds
{
	MrenSource rows; /* of keyed records (train_rows.h); outlives this */
	int n_folds;
	size_t n;		 /* rows that take part, which is all but those of split "test" */
	size_t n_judged; /* of them, gold rows; the others only train */
	size_t n_groups; /* with gold rows */
	uint64 checksum; /* of the rows' keys, so it does not depend on how rows are encoded */
	/* (n) each: */
	size_t *index; /* of the row in the source */
	uint64 *keys;  /* of its group */
	uint8 *folds;  /* from 0 on; n_folds: no fold, the row always trains */
	bool *weak;
} MrenFolds;

/*
 * mren_folds_make
 *	  Deals the groups out to the folds in the order of a hash of their keys, so
 *	  that folds differ by at most one group, and the same rows always give the
 *	  same folds.  22000 if there are fewer groups than folds; 54000 beyond
 *	  `memory` bytes.  Allocates in the current context.
 */
extern void mren_folds_make(MrenFolds *folds, const MrenSource *rows, int n_folds, size_t memory);

/* The same, with the groups that validate together, whatever the keys of the records are. */
extern void mren_folds_make_by_group(MrenFolds *folds, const MrenSource *rows, int n_folds,
									 size_t memory);

/*
 * mren_folds_answer
 *	  For each fold trains as CALL mren.train would on the rows of the others,
 *	  and visits the fold's gold rows with that network: row `judged` of folds->n_judged
 *	  is row `index` of the source.  *fold is the present fold, from 1 on,
 *	  for error messages.  All temporary memory is freed.
 */
typedef struct MrenFoldVisitor
{
	void (*visit)(void *state, MrenTrainAnswers *answers, size_t index, size_t judged);
	void *state;
} MrenFoldVisitor;

extern void mren_folds_answer(const MrenFolds *folds, const MrenTrainSetup *setup, size_t memory,
							  const MrenFoldVisitor *visitor, int *fold);

#endif
