/*
 * optimizer.h
 *	  Adam and SGD over trained tensors, and the norm of their gradients.
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
	float *first;  /* (parameters.size) moving mean of the gradients; SGD: momentum */
	float *second; /* (parameters.size) moving mean of their squares; Adam only */
} MrenOptimizerState;

extern MrenStatus mren_optimizer_create(const MrenEnv *env, const MrenOptimizerConfig *config,
										MrenParameterList parameters, MrenOptimizerState *state,
										MrenError *err);
extern void mren_optimizer_free(const MrenEnv *env, MrenOptimizerState *state);

/* Back to the state before the first step. */
extern void mren_optimizer_reset(MrenParameterList parameters, MrenOptimizerState *state);

/* One step of values (parameters.size) against grads.  Checks for interrupts. */
extern MrenStatus mren_optimizer_step(const MrenEnv *env, MrenParameterList parameters,
									  MrenOptimizerState *state, float *values, const float *grads,
									  MrenError *err);

/*
 * mren_gradients_square_sum
 *	  Adds to *sum the squares of all gradients, in a fixed order; with several lists, such as
 *	  those of an encoder and of its head, one after the other.  MREN_ECANCELED.
 */
extern MrenStatus mren_gradients_square_sum(const MrenEnv *env, MrenParameterList parameters,
											const float *grads, double *sum, MrenError *err);

/* Multiplies all gradients by a factor, as clipping by norm does.  MREN_ECANCELED. */
extern MrenStatus mren_gradients_scale(const MrenEnv *env, MrenParameterList parameters,
									   float *grads, float factor, MrenError *err);

#endif
