/*
 * self_train_query.h
 *	  The query of the rows that a self-training learns.
 */
#ifndef MREN_PG_RETRAIN_SELF_TRAIN_QUERY_H
#define MREN_PG_RETRAIN_SELF_TRAIN_QUERY_H

#include "postgres.h"

#include "pg/support/query.h"

typedef struct MrenSelfTrainRows
{
	char *labelled;	  /* queries */
	char *unlabelled; /* with a column id */
	double surest;	  /* share of the rows of each relation that a view labels, above 0, to 1 */
} MrenSelfTrainRows;

/*
 * mren_self_train_columns
 *	  The columns of both queries; 42703 for one that is missing, 42804 for one of a
 *	  wrong type.  The caller must be connected to SPI, as for the next function.
 */
extern void mren_self_train_columns(const MrenSelfTrainRows *rows, MrenColumns *labelled,
									MrenColumns *pool);

/*
 * mren_self_train_query
 *	  The labelled rows, and for each view, a model's deployed version, the share of the unlabelled
 *	  rows of each relation of which it is surest, with its probabilities and gold = false.  A row
 *	  of which both views are sure is there twice.  palloc'd.
 */
extern char *mren_self_train_query(const MrenSelfTrainRows *rows, char *const views[2]);

#endif
