/*
 * targets.c
 *	  Checking a distribution over relations.
 */
#include "data/targets.h"

#include <math.h>

#include "base/names.h"

uint32_t
mren_targets_best(const MrenTargets *targets)
{
	uint32_t best = 0;

	for (uint32_t i = 1; i < targets->n; i++)
	{
		if (targets->probabilities[i] > targets->probabilities[best])
			best = i;
	}
	return best;
}

size_t
mren_targets_names_size(const MrenTargets *targets)
{
	return targets->n > 0 ? targets->ends[targets->n - 1] : 0;
}

const char *
mren_targets_fault(const MrenTargets *targets)
{
	double sum = 0;

	for (uint32_t i = 0; i < targets->n; i++)
	{
		MrenTextSpan name = mren_targets_name(targets, i);
		float p = targets->probabilities[i];

		if (name.len == 0)
			return "a relation of its probabilities is empty";
		if (name.len > MREN_MAX_LABEL)
			return "a relation of its probabilities is too long";
		if (!(p > 0) || !isfinite(p))
			return "a probability is not above zero";
		if (i > 0 && mren_text_span_compare(mren_targets_name(targets, i - 1), name) >= 0)
			return "the relations of its probabilities are out of order";
		sum += (double) p;
	}
	if (targets->n > 0 && !(fabs(sum - 1) <= MREN_TARGET_TOLERANCE))
		return "the sum of its probabilities is not 1";
	return NULL;
}
