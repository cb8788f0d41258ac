/*
 * optimizer.h
 *	  Adam and SGD over all trained tensors of a table.
 */
#ifndef MREN_NN_OPTIMIZER_H
#define MREN_NN_OPTIMIZER_H

#include <stdint.h>

#include "base/env.h"
#include "nn/parameters.h"

typedef enum MrenOptimizer
{
	MREN_OPTIMIZER_ADAM,
	MREN_OPTIMIZER_SGD, /* with momentum */
} MrenOptimizer;

typedef struct MrenOptimizerConfig
{
	MrenOptimizer kind;
	double learning_rate;
	double momentum;	 /* SGD only */
	double weight_decay; /* decoupled: a step takes learning_rate * weight_decay of a weight */
} MrenOptimizerConfig;

typedef struct MrenOptimizerState
{
	MrenOptimizerConfig config;
	uint64_t step;
	float *first;  /* (trained_size) mean of the gradients, or SGD's momentum */
	float *second; /* (trained_size) of their squares; Adam only */
} MrenOptimizerState;

extern MrenStatus mren_optimizer_create(const MrenEnv *env, const MrenOptimizerConfig *config,
										const MrenParameterTable *parameters,
										MrenOptimizerState *state, MrenError *err);
extern void mren_optimizer_free(const MrenEnv *env, MrenOptimizerState *state);

/* Forgets all steps. */
extern void mren_optimizer_reset(const MrenParameterTable *parameters, MrenOptimizerState *state);

/* One step of values (parameters.trained_size) against grads; asks amid many parameters. */
extern MrenStatus mren_optimizer_step(const MrenEnv *env, const MrenParameterTable *parameters,
									  MrenOptimizerState *state, float *values, const float *grads,
									  MrenError *err);

#endif
