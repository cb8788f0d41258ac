/*
 * train_label.h
 *	  What a training row says of its relation: its name, or a distribution over
 *	  relations, and whether a person labelled the row.
 */
#ifndef MREN_PG_TRAIN_TRAIN_LABEL_H
#define MREN_PG_TRAIN_TRAIN_LABEL_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "data/example.h"

typedef struct MrenTrainLabel
{
	MrenTextSpan relation;		/* data NULL: none */
	const Jsonb *probabilities; /* NULL, or JSON's null: none */
	bool has_gold;				/* the row says whether a person labelled it */
	bool gold;
} MrenTrainLabel;

/*
 * mren_train_label_name
 *	  The relation of the row, or the most likely one of its probabilities, with the
 *	  distribution in targets (n 0: none), in the current memory context.  22023, with the
 *	  offending value, unless exactly one of both is given and probabilities are an object of
 *	  numbers that are finite, not negative and have the sum 1 (within 1e-3).  A relation
 *	  whose probability is 0 does not count.
 */
extern MrenTextSpan mren_train_label_name(const MrenTrainLabel *label, MrenTargets *targets);

/* A row is gold if it says so, or if it has a relation and does not say otherwise. */
extern bool mren_train_label_weak(const MrenTrainLabel *label);

#endif
