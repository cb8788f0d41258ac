/*
 * targets.h
 *	  A distribution over relations, for rows whose label is not certain.
 */
#ifndef MREN_DATA_TARGETS_H
#define MREN_DATA_TARGETS_H

#include <stddef.h>
#include <stdint.h>

#include "base/text_span.h"

#define MREN_MAX_TARGETS 65536	   /* relations of a distribution */
#define MREN_TARGET_TOLERANCE 1e-3 /* of the sum of a distribution */

/*
 * Names are in bytewise order, each distinct and not empty; probabilities are above 0 and their
 * sum is 1.
 */
typedef struct MrenTargets
{
	uint32_t n; /* 0: there is none */
	const float *probabilities;
	const uint32_t *ends; /* of the names in: */
	const char *names;
} MrenTargets;

static inline MrenTextSpan
mren_targets_name(const MrenTargets *targets, uint32_t i)
{
	uint32_t start = i > 0 ? targets->ends[i - 1] : 0;

	return (MrenTextSpan){targets->names + start, targets->ends[i] - start};
}

/* The index of the most likely relation, the first of equals. */
extern uint32_t mren_targets_best(const MrenTargets *targets);

/* Bytes of all names. */
extern size_t mren_targets_names_size(const MrenTargets *targets);

/* What is wrong with the targets, whose ends are in order; NULL: nothing. */
extern const char *mren_targets_fault(const MrenTargets *targets);

#endif
