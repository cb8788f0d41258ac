/*
 * tag_tables.h
 *	  Steps of a tagger's hashed tables: only of the rows that a batch used.
 *
 * A row takes steps of RMSProp, that is Adam without momentum (a row seen once
 * goes as far as Adam's momentum would take it).  What would have happened to
 * it in the steps in between is made up for when it is next used: its squares'
 * mean and its weights decay, its mean over the steps nears its value.  Except for
 * when weights decay, the result is as if every step had been taken for every row.
 */
#ifndef MREN_TAGGER_TAG_TABLES_H
#define MREN_TAGGER_TAG_TABLES_H

#include "nn/optimizer.h"
#include "tagger/tag_net.h"

typedef struct MrenTagTable
{
	const MrenParameter *tensor;
	uint64_t *stepped; /* (rows) the last step of its squares */
	double *decayed;   /* (rows) sums, below, when it was last brought up to date */
	double *averaged;
	uint32_t *used; /* rows of the batch, each once */
	size_t n_used;
	bool *is_used; /* (rows) */
} MrenTagTable;

typedef struct MrenTagTables
{
	MrenTagTable features, direct;
	double decayed;	 /* sums of logarithms over the steps: of weights' decay */
	double averaged; /* of what the mean keeps of itself */
} MrenTagTables;

extern MrenStatus mren_tag_tables_create(const MrenEnv *env, const MrenTagLayout *layout,
										 MrenTagTables *tables, MrenError *err);
extern void mren_tag_tables_free(const MrenEnv *env, MrenTagTables *tables);
/* Forgets all steps. */
extern void mren_tag_tables_reset(MrenTagTables *tables);

/*
 * mren_tag_tables_step
 *	  After the optimizer's step: the same for the rows that the batch used, whose
 *	  gradients are zeroed.  averaged is the mean of values, which keeps a share
 *	  `keep` (0 .. 1) of itself in this step.
 */
extern void mren_tag_tables_step(MrenTagTables *tables, const MrenTagBatch *batch,
								 const MrenOptimizerState *optimizer, double keep, float *values,
								 float *averaged, float *grads);

/* Brings all rows up to date: values and averaged may be read as a whole. */
extern void mren_tag_tables_settle(MrenTagTables *tables, float *values, float *averaged);

#endif
