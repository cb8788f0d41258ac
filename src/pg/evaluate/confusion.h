/*
 * confusion.h
 *	  The type mren.confusion: counts of pairs of actual and predicted relations,
 *	  which is the state of the aggregates mren.metrics.
 */
#ifndef MREN_PG_EVALUATE_CONFUSION_H
#define MREN_PG_EVALUATE_CONFUSION_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/expandeddatum.h"

#include "base/buffer.h"
#include "evaluation/metrics.h"
#include "evaluation/labelled_pairs.h"
#include "pg/predict/predict_query.h"

/* Maximum number of distinct relations in a matrix. */
#define MREN_MAX_LABELS 10000

/*
 * mren_confusion_count_row
 *	  Counts one row, whose labels are in the database's encoding; predicted is
 *	  NULL if there was no answer.  54000 beyond MREN_MAX_LABELS distinct labels
 *	  or MREN_MAX_LABEL bytes of one.
 */
extern void mren_confusion_count_row(MrenConfusion *confusion, const char *actual, size_t n_actual,
									 const char *predicted, size_t n_predicted);

/*
 * mren_count_prediction
 *	  Adds the prediction of row n (from 1) of a query with relations to rows that
 *	  mren_labelled_pairs_count then counts, those of one pair together if the version has
 *	  thresholds; its actual relation.  22004 if that is NULL.
 */
extern const char *mren_count_prediction(MrenLabelledPairs *labels,
										 const MrenPrediction *prediction, uint64_t n);

/* 54000 if a label of so many bytes is too long. */
extern void mren_confusion_check_label(size_t len);

/* 54000 if there are more than MREN_MAX_LABELS distinct labels. */
extern void mren_confusion_check_labels(const MrenConfusion *confusion);

typedef void (*MrenPairVisitor)(void *state, size_t actual, size_t predicted, uint64_t count);

/*
 * mren_confusion_pairs
 *	  Visits each pair of labels that occurred, by their numbers, in bytewise
 *	  order of the actual, then of the predicted label.  The number of labels stands
 *	  for an absent one, and comes last.
 */
extern void mren_confusion_pairs(const MrenConfusion *confusion, MrenPairVisitor visit,
								 void *state);

/* The expanded form of the type. */
typedef struct MrenConfusionState
{
	ExpandedObjectHeader hdr;
	MrenConfusion *confusion;
	bool has_negative;
	char *negative; /* zero-terminated */
	uint32_t n_negative;
	MrenBuffer flat; /* the flat form, between get_flat_size and flatten_into */
} MrenConfusionState;

/* An empty state, in a context of its own under the parent. */
extern MrenConfusionState *mren_confusion_state_create(MemoryContext parent);

/* The negative relation, which figures leave out. */
extern void mren_confusion_state_set_negative(MrenConfusionState *state, bool has,
											  const char *negative, uint32_t len);
extern bool mren_confusion_state_same_negative(const MrenConfusionState *state, bool has,
											   const char *negative, uint32_t len);

/*
 * mren_confusion_state_argument
 *	  The state in an argument: itself if it is read-write, otherwise a copy in
 *	  the parent, which is checked.
 */
extern MrenConfusionState *mren_confusion_state_argument(FunctionCallInfo fcinfo, int arg,
														 MemoryContext parent);
/* The same for reading only. */
extern const MrenConfusionState *mren_confusion_state_peek(FunctionCallInfo fcinfo, int arg);

#endif
