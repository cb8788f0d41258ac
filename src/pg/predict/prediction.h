/*
 * prediction.h
 *	  The answer for a row of a query, and what those who evaluate it ask of it.
 */
#ifndef MREN_PG_PREDICT_PREDICTION_H
#define MREN_PG_PREDICT_PREDICTION_H

#include "postgres.h"

#include "data/example.h"
#include "pg/support/args.h"
#include "relation/net.h"

/* The answer for one row; strings are valid until the visitor returns. */
typedef struct MrenPrediction
{
	const char *id;		  /* NULL where the query has no such column, or NULL */
	const char *actual;	  /* the column "relation", as id */
	const char *relation; /* NULL: sentence or a mention is NULL, or the model abstains */
	bool answered;		  /* false: sentence, head or tail is NULL */
	double confidence;
	int strongest;				 /* number of the relation that the confidence is of, if answered */
	bool seen;					 /* the version was trained on this very row */
	const float4 *probabilities; /* (n_probabilities) by relation, if answered */
	int n_probabilities;
	char *const *names; /* (n_probabilities) of the relations, valid as long as the query runs */
	int actual_number;	/* of the actual relation; -1: the version does not know it */
	uint64 same_pair;	/* if answered and actual is not NULL: the same for rows of the same pair */
	const MrenNetInfo *info; /* of the version, if answered */
	const MrenPair *pair;	 /* the row itself, if it is answered and keep_pairs is set */

	/* Set only if there is a rival */
	const char *rival; /* its relation, as above */
	const MrenNetInfo *rival_info;
	const float4 *rival_probabilities;
	char *const *rival_names;
	bool rival_seen;
	MrenSplit split; /* the row's own */
	uint64 key;		 /* of its group, or of sentence and image: see holdout.h */
} MrenPrediction;

/* The version that answered, for evaluation. */
typedef struct MrenPredictedBy
{
	int32 version;
	const char *negative; /* relation, or NULL */
	const char *rival_negative;
	uint64 n_unknown;	 /* rows whose actual relation the version does not know */
	const char *unknown; /* the first of these relations */
} MrenPredictedBy;

/* data NULL: there is none. */
static inline MrenTextSpan
mren_predicted_negative(const MrenPredictedBy *by)
{
	return (MrenTextSpan){by->negative, by->negative != NULL ? strlen(by->negative) : 0};
}

/* The difference of the probabilities of the two most likely relations of an answered row. */
extern double mren_prediction_margin(const MrenPrediction *prediction);

/*
 * The numbers of all relations that the version predicts of a row (mren_net_predicted), and that
 * the rival predicts; none of a row without an answer.
 */
extern size_t mren_prediction_relations(const MrenPrediction *prediction, int32 *predicted);
extern size_t mren_prediction_rival_relations(const MrenPrediction *prediction, int32 *predicted);

/*
 * The actual relation of row n (counted from 1); 22004 where it is NULL.
 */
extern const char *mren_prediction_actual(const MrenPrediction *prediction, uint64 n);

/* Warns if some of the n rows have a relation that the version does not know. */
extern void mren_warn_of_unknown(const char *model, const MrenPredictedBy *by, uint64 n);

/* Warns if n_seen > 0 of the n rows were trained on. */
extern void mren_warn_of_seen(const char *model, const MrenPredictedBy *by, uint64 n_seen,
							  uint64 n);

#endif
