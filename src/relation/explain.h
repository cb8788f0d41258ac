/*
 * explain.h
 *	  Why: how much probability an answer loses when a part is left out.
 *
 * Through the same kernels as prediction, so the parts' figures are exactly
 * differences of what predict_proba would say.
 */
#ifndef MREN_RELATION_EXPLAIN_H
#define MREN_RELATION_EXPLAIN_H

#include "relation/net.h"

typedef enum MrenPart
{
	MREN_PART_WORD, /* one word outside both mentions */
	MREN_PART_HEAD, /* the whole head mention */
	MREN_PART_TAIL,
	MREN_PART_HEAD_TYPE,
	MREN_PART_TAIL_TYPE,
	MREN_PART_IMAGE,
} MrenPart;

typedef struct MrenContribution
{
	MrenPart part;
	uint32_t word;		 /* of MREN_PART_WORD: its index in the sentence */
	double contribution; /* p(all parts) - p(without this one), -1 .. 1 */
} MrenContribution;

/* The lexical features of the row without a part, for a net with a linear branch. */
typedef struct MrenFeatureSource
{
	void *state;
	/* At most MREN_MAX_ROW_FEATURES numbers, ascending, into features. */
	MrenStatus (*without)(void *state, const MrenContribution *part, uint32_t *features, size_t *n,
						  MrenError *err);
} MrenFeatureSource;

/*
 * mren_net_explain
 *	  The contributions of all parts the row has, for relation (an index, or
 *	  -1: the predicted one); words in sentence order, then the others in the
 *	  order of MrenPart.  *contributions is allocated.  Only the first 4096
 *	  words are looked at.  source may be NULL: then features stay as they are.
 */
extern MrenStatus mren_net_explain(const MrenNet *net, const MrenWordVectors *vectors,
								   const MrenInput *input, const MrenFeatureSource *source,
								   int32_t relation, const MrenEnv *env,
								   MrenContribution **contributions, size_t *n, MrenError *err);

#endif
