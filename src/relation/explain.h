/*
 * explain.h
 *	  Explanations: how much probability an answer loses when a part of the row
 *	  is left out.
 *
 * Variants run through the same kernels as prediction, so contributions are
 * exact differences of what predict_proba returns.
 */
#ifndef MREN_RELATION_EXPLAIN_H
#define MREN_RELATION_EXPLAIN_H

#include "relation/net.h"

typedef enum MrenExplainedPart
{
	MREN_PART_WORD, /* one word outside both mentions */
	MREN_PART_HEAD, /* the whole head mention */
	MREN_PART_TAIL,
	MREN_PART_HEAD_TYPE,
	MREN_PART_TAIL_TYPE,
	MREN_PART_IMAGE,
	MREN_PART_AUDIO,
} MrenExplainedPart;

typedef struct MrenContribution
{
	MrenExplainedPart part;
	uint32_t word;		 /* of MREN_PART_WORD: its index in the sentence */
	double contribution; /* p(all parts) - p(without this one), -1 .. 1 */
} MrenContribution;

/* Computes the lexical features of the row without a part, for a network with a linear branch. */
typedef struct MrenVariantFeatures
{
	void *state;
	/* At most MREN_MAX_ROW_FEATURES numbers, ascending, into features. */
	MrenStatus (*without)(void *state, const MrenContribution *part, uint32_t *features, size_t *n,
						  MrenError *err);
} MrenVariantFeatures;

/* The row to explain. */
typedef struct MrenExplainRequest
{
	const MrenWordVectors *vectors;
	const MrenInput *input;
	const MrenVariantFeatures *features; /* NULL: every variant keeps the row's features */
	int32_t relation;					 /* an index, or -1: the predicted one */
} MrenExplainRequest;

/*
 * mren_net_explain
 *	  The contributions of all parts that the row has: words in the order of the
 *	  sentence, then the others in the order of MrenExplainedPart.  *contributions
 *	  is allocated.  Words after the first 4096 are not explained.
 */
extern MrenStatus mren_net_explain(const MrenNet *net, const MrenExplainRequest *request,
								   const MrenEnv *env, MrenContribution **contributions, size_t *n,
								   MrenError *err);

#endif
