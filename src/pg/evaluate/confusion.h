/*
 * confusion.h
 *	  The type mren.confusion: counted pairs of actual and predicted relations,
 *	  the state of the aggregates mren.metrics.
 */
#ifndef MREN_PG_EVALUATE_CONFUSION_H
#define MREN_PG_EVALUATE_CONFUSION_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/expandeddatum.h"

#include "base/buffer.h"
#include "evaluation/metrics.h"

/* Distinct relations that one matrix may have. */
#define MREN_MAX_LABELS 10000

/*
 * Counts one row: labels in the database's encoding; predicted NULL where there
 * was no answer.  54000 beyond MREN_MAX_LABELS distinct labels or
 * MREN_MAX_LABEL bytes of one.
 */
extern void mren_confusion_count_row(MrenConfusion *confusion, const char *actual, size_t n_actual,
									 const char *predicted, size_t n_predicted);

/* The error for too many distinct labels, where there are. */
extern void mren_confusion_check_labels(const MrenConfusion *confusion);

/*
 * Visits each pair of labels that occurred, by their numbers, in bytewise order
 * of the actual, then of the predicted label; rows without an answer
 * (predicted is the number of labels) last.
 */
typedef void (*MrenPairVisitor)(void *state, size_t actual, size_t predicted, uint64_t count);
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
	MrenBuffer flat; /* between asking for the flat size and flattening */
} MrenConfusionState;

/* An empty one, in a context of its own under the parent. */
extern MrenConfusionState *mren_confusion_state_create(MemoryContext parent);

/* The relation that figures leave out, if there is one. */
extern void mren_confusion_state_set_negative(MrenConfusionState *state, bool has,
											  const char *negative, uint32_t len);
extern bool mren_confusion_state_same_negative(const MrenConfusionState *state, bool has,
											   const char *negative, uint32_t len);

/*
 * The state in an argument: a read-write one as it is, anything else checked
 * and copied to the parent.
 */
extern MrenConfusionState *mren_confusion_state_argument(FunctionCallInfo fcinfo, int arg,
														 MemoryContext parent);
/* The same where the state is only looked at. */
extern const MrenConfusionState *mren_confusion_state_peek(FunctionCallInfo fcinfo, int arg);

#endif
