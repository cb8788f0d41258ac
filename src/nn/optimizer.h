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
	double momentum; /* SGD only */
	/* decoupled: a step subtracts learning_rate * weight_decay times the weight */
	double weight_decay;
} MrenOptimizerConfig;

typedef struct MrenOptimizerState
{
	MrenOptimizerConfig config;
	uint64_t step;
	float *first;  /* (trained_size) moving mean of the gradients; SGD: momentum */
	float *second; /* (trained_size) moving mean of their squares; Adam only */
} MrenOptimizerState;

extern MrenStatus mren_optimizer_create(const MrenEnv *env, const MrenOptimizerConfig *config,
										const MrenParameterTable *parameters,
										MrenOptimizerState *state, MrenError *err);
extern void mren_optimizer_free(const MrenEnv *env, MrenOptimizerState *state);

/* Back to the state before the first step. */
extern void mren_optimizer_reset(const MrenParameterTable *parameters, MrenOptimizerState *state);

/* One step of values (parameters.trained_size) against grads.  Checks for interrupts. */
extern MrenStatus mren_optimizer_step(const MrenEnv *env, const MrenParameterTable *parameters,
									  MrenOptimizerState *state, float *values, const float *grads,
									  MrenError *err);

#endif
