/*
 * tag_tables.h
 *	  Optimizer steps of a tagger's hashed tables, which touch only the rows
 *	  that a batch used.
 *
 * Rows take steps of RMSProp, that is Adam without momentum.  What the steps in
 * between would have done to a row is applied when it is next used: the mean of
 * its squares and its weights decay, and its mean over the steps moves towards
 * its value.  Except for the order in which weights decay, the result is as if
 * every step had been taken for every row.
 */
#ifndef MREN_TAGGER_TAG_TABLES_H
#define MREN_TAGGER_TAG_TABLES_H

#include "nn/optimizer.h"
#include "tagger/tag_net.h"

typedef struct MrenTagTable
{
	const MrenParameter *tensor;
	uint64_t *stepped; /* (rows) the last step of its squares */
	double *decayed;   /* (rows) the sums below when the row was last brought up to date */
	double *averaged;
	uint32_t *used; /* rows of the batch, each once */
	size_t n_used;
	bool *is_used; /* (rows) */
} MrenTagTable;

typedef struct MrenTagTables
{
	MrenTagTable features, direct;
	double decayed;	 /* sum over the steps of log(share of a weight that decay leaves) */
	double averaged; /* sum over the steps of log(share that the moving mean keeps) */
} MrenTagTables;

extern MrenStatus mren_tag_tables_create(const MrenEnv *env, const MrenTagLayout *layout,
										 MrenTagTables *tables, MrenError *err);
extern void mren_tag_tables_free(const MrenEnv *env, MrenTagTables *tables);
/* Back to the state before the first step. */
extern void mren_tag_tables_reset(MrenTagTables *tables);

/*
 * mren_tag_tables_step
 *	  To be called after the optimizer's step: a step of the rows that the batch
 *	  used, whose gradients are zeroed. averaged is the moving mean of values,
 *	  which keeps a share `keep` (0 .. 1) of itself in this step.
 */
extern void mren_tag_tables_step(MrenTagTables *tables, const MrenTagBatch *batch,
								 const MrenOptimizerState *optimizer, double keep, float *values,
								 float *averaged, float *grads);

/* Brings all rows up to date, so that values and averaged can be read as a whole. */
extern void mren_tag_tables_settle(MrenTagTables *tables, float *values, float *averaged);

#endif
