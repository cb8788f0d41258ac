/*
 * split.h
 *	  The part of a data set that a row belongs to.
 */
#ifndef MREN_DATA_SPLIT_H
#define MREN_DATA_SPLIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

typedef enum MrenSplit
{
	MREN_SPLIT_NONE,
	MREN_SPLIT_TRAIN,
	MREN_SPLIT_VALIDATION,
	MREN_SPLIT_TEST,	/* not used in training */
	MREN_SPLIT_HOLDOUT, /* hold-out row: not used in training, kept for comparing models */
} MrenSplit;

static inline bool
mren_split_trains(MrenSplit split)
{
	return split != MREN_SPLIT_TEST && split != MREN_SPLIT_HOLDOUT;
}

/*
 * mren_split_parse
 *	  "train"; "validation", "valid", "val" or "dev"; "test", in any ASCII case.
 *	  MREN_EDATA with the value for anything else.
 */
extern MrenStatus mren_split_parse(const char *text, size_t len, MrenSplit *split, MrenError *err);

#endif
