/*
 * train_rows.h
 *	  The rows of a training query, encoded and spilled in the trainer's order:
 *	  what CALL mren.train and CALL mren.retrain share.
 */
#ifndef MREN_PG_TRAIN_TRAIN_ROWS_H
#define MREN_PG_TRAIN_TRAIN_ROWS_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "pg/train/train_options.h"
#include "pg/support/query.h"
#include "pg/train/spill.h"

typedef struct MrenTrainRows
{
	/* Given by the caller */
	MemoryContext context; /* of the spilled rows */
	const char *query;
	Jsonb *object; /* the options as given; MrenTrainOptions are read from it */
	size_t memory; /* bytes, mren_spill_create's limit */
	/* Sees each row that trains; NULL: nobody. */
	void (*visit)(void *state, const MrenExample *example);
	void *state;
	bool keyed; /* behind each record its group's key, 8 bytes: see mren_spill_add */

	/* Made */
	MrenColumns columns;
	MrenSpill *spill;
	MrenSource source;
	int64 n_skipped; /* without sentence, mention or relation */
	int64 n_holdout; /* held out by option holdout_share */
	int64 n_test;	 /* of split "test" */
	bool in_holdout; /* the row at hand, by its group */
} MrenTrainRows;

/* Plans the query: its columns, or the error that one is missing. */
extern void mren_train_rows_plan(MrenTrainRows *rows);

/*
 * Keys are those of column "group"; where the query has none, of the image's
 * bytes, else its vector, else the sentence: whatever encodes the rows, the same.
 *
 * mren_train_rows_read
 *	  Runs the query once, read-only, in a parallel plan if there is one; rows
 *	  of the gate are counted and left out.  options are those of the object.
 *	  Inside an SPI connection and a snapshot of the caller's.
 */
extern void mren_train_rows_read(MrenTrainRows *rows, const MrenTrainOptions *options);

#endif
