/*
 * predict_query.h
 *	  Predicting the rows of a query given as text, in batches: what
 *	  predict_rows, evaluate and confusion_matrix share.
 */
#ifndef MREN_PG_PREDICT_PREDICT_QUERY_H
#define MREN_PG_PREDICT_PREDICT_QUERY_H

#include "postgres.h"

#include "pg/predict/prediction.h"
#include "pg/support/stored_query.h"

typedef void (*MrenPredictionVisitor)(void *state, const MrenPrediction *prediction);

typedef struct MrenPredictQuery
{
	const char *model;
	const char *query;
	int32 version;		  /* 0: the deployed one */
	bool need_id;		  /* an error if the query has no column "id" */
	bool need_relation;	  /* the same for "relation" */
	int32 rival;		  /* a version that answers the same rows; 0: none */
	double holdout_share; /* of a comparison: rows that it does not hold out get no answer */
	const MrenStoredQuery *stored; /* whose owner runs the query; NULL: the current user does */
	bool keep_pairs;			   /* predictions have their pairs */
	bool skip_bad; /* rows that cannot be used get no answer; otherwise the first is an error */
} MrenPredictQuery;

/*
 * Runs the query read-only and visits each row in the query's order.  Checks
 * the rights on the model, and connects to SPI itself.
 */
extern MrenPredictedBy mren_predict_query(const MrenPredictQuery *what, MrenPredictionVisitor visit,
										  void *state);

#endif
