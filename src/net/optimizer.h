/*
 * optimizer.h
 *	  Adam and SGD over all trained tensors of a layout.
 */
#ifndef MREN_NET_OPTIMIZER_H
#define MREN_NET_OPTIMIZER_H

#include "net/options.h"
#include "net/layout.h"

typedef struct MrenOptimizerState
{
	MrenOptimizer kind;
	double learning_rate;
	double momentum;
	double l2;
	uint64_t step;
	float *first;  /* (trained_size) mean of the gradients, or SGD's momentum */
	float *second; /* (trained_size) of their squares; Adam only */
} MrenOptimizerState;

extern MrenStatus mren_optimizer_create(const MrenEnv *env, const MrenOptions *options,
										const MrenLayout *layout, MrenOptimizerState *state,
										MrenError *err);
extern void mren_optimizer_free(const MrenEnv *env, MrenOptimizerState *state);

/* Forgets all steps. */
extern void mren_optimizer_reset(const MrenLayout *layout, MrenOptimizerState *state);

/* One step of values (layout.trained_size) against grads; asks amid many parameters. */
extern MrenStatus mren_optimizer_step(const MrenEnv *env, const MrenLayout *layout,
									  MrenOptimizerState *state, float *values, const float *grads,
									  MrenError *err);

#endif
