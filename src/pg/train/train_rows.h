/*
 * train_rows.h
 *	  The rows of a training query, encoded and written to disk in the trainer's
 *	  order: what mren.train, mren.retrain and mren.compare share.
 */
#ifndef MREN_PG_TRAIN_TRAIN_ROWS_H
#define MREN_PG_TRAIN_TRAIN_ROWS_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "pg/support/query.h"
#include "pg/resource/span_slips.h"
#include "pg/support/row_errors.h"
#include "pg/train/train_spill.h"
#include "pg/train/train_setup.h"

typedef struct MrenTrainRows
{
	/* Given by the caller */
	MemoryContext context; /* of the spilled rows */
	const char *query;
	Jsonb *object; /* the options as given, from which the setup was read */
	size_t memory; /* bytes, the limit of mren_train_spill_create */
	/* Called with each row that is trained on; may be NULL. */
	void (*visit)(void *state, const MrenExample *example);
	void *state;
	bool keep_holdout; /* hold-out rows are kept apart, with keys */
	bool keyed;		   /* each record ends with the key of its group: see mren_train_spill_add */
	bool numbered;	   /* keyed, and the key is the row's number in the query, from 0 on */
	void (*visit_id)(void *state, const char *id); /* called with each row's id, NULL: none */
	bool summed;								   /* compute sum */

	/* Results */
	MrenColumns columns;
	MrenTrainSpill *spill;
	MrenSource source;
	MrenTrainSpill *holdout_spill; /* NULL unless they are kept */
	MrenSource holdout;
	int64 n_read;		  /* all rows of the query */
	MrenRowErrors errors; /* rows that cannot be used; skip is that of the setup */
	int64 n_skipped;	  /* without sentence, mention or relation */
	int64 n_holdout;	  /* held out by option holdout_share */
	int64 n_test;		  /* of split "test" */
	bool in_holdout;	  /* whether the present row is held out by its group */
	uint64 holdout_key;	  /* of the last hold-out row, if the query has no groups */
	MemoryContext row;	  /* of one row's ranges; NULL until it is needed */
	MrenSpanSlips slips;  /* of mentions that are given as ranges */
	uint64 sum[4]; /* of the SHA-256 hashes of all usable rows, in whatever order they come */
} MrenTrainRows;

/*
 * mren_train_rows_plan
 *	  Finds the columns of the query; 42703 if a required one is missing.
 *	  Both functions run inside an SPI connection and a snapshot of the caller's.
 */
extern void mren_train_rows_plan(MrenTrainRows *rows);

/*
 * mren_train_rows_read
 *	  Runs the query once, read-only, in a parallel plan if there is one.
 *	  Hold-out rows are counted and left out,
 *	  or kept apart from the others.  The setup is that of the object.
 *
 *	  The key of a group is that of column "group"; if the query has none, it is
 *	  that of the image's bytes, else of its vector, else of the sentence, so it
 *	  does not depend on how rows are encoded.
 */
extern void mren_train_rows_read(MrenTrainRows *rows, const MrenTrainSetup *setup);

#endif
