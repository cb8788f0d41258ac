/*
 * answer_scan.h
 *	  A step of a plan that answers rows in batches, so that parallel workers read the network's
 *	  weights once for all rows of a batch.
 */
#ifndef MREN_PG_PREDICT_ANSWER_SCAN_H
#define MREN_PG_PREDICT_ANSWER_SCAN_H

#include "postgres.h"

#include "pg/support/query.h"

/* When the library is loaded: makes the step known to parallel workers. */
extern void mren_answer_scan_init(void);

/*
 * As mren_query_run, of a statement of mren_answers_statement: wherever its plan calls
 * mren.predict_row, the step answers the rows instead.
 */
extern void mren_answers_run(const char *statement, int n, const Oid *types, const Datum *values,
							 MrenRowVisitor visit, void *state);

#endif
