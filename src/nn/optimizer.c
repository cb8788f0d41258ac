/*
 * optimizer.c
 *	  One step over the registry of tensors.
 *
 * Weight decay is decoupled from the gradient (Loshchilov and Hutter 2019),
 * proportional to the learning rate, and applies to matrices only.
 */
#include "nn/optimizer.h"

#include <math.h>
#include <string.h>

#include "nn/kernels.h"

#define BETA1 0.9
#define BETA2 0.999
#define EPSILON 1e-8

/*
 * Parameters between two checks for interrupts.  A multiple of the vector
 * length, so that cutting a tensor changes no bit.
 */
#define PIECE ((size_t) 1 << 21)

MrenStatus
mren_optimizer_create(const MrenEnv *env, const MrenOptimizerConfig *config,
					  MrenParameterList parameters, MrenOptimizerState *state, MrenError *err)
{
	memset(state, 0, sizeof(*state));
	state->config = *config;
	MREN_TRY(mren_allocate_zero(env, parameters.size, sizeof(float), &state->first, err));
	if (state->config.kind == MREN_OPTIMIZER_ADAM)
		MREN_TRY(mren_allocate_zero(env, parameters.size, sizeof(float), &state->second, err));
	return MREN_OK;
}

void
mren_optimizer_free(const MrenEnv *env, MrenOptimizerState *state)
{
	mren_release(env, state->first);
	mren_release(env, state->second);
	memset(state, 0, sizeof(*state));
}

void
mren_optimizer_reset(MrenParameterList parameters, MrenOptimizerState *state)
{
	state->step = 0;
	memset(state->first, 0, parameters.size * sizeof(float));
	if (state->second != NULL)
		memset(state->second, 0, parameters.size * sizeof(float));
}

static MrenAdam
adam_constants(const MrenOptimizerState *state)
{
	double correction1 = 1 - pow(BETA1, (double) state->step);
	double correction2 = sqrt(1 - pow(BETA2, (double) state->step));

	return (MrenAdam){(float) BETA1, (float) BETA2,
					  (float) (state->config.learning_rate * correction2 / correction1),
					  (float) (EPSILON * correction2), 0};
}

/* Parameters at..at + n - 1 of a tensor. */
static void
step_piece(const MrenParameter *tensor, MrenOptimizerState *state, const MrenAdam *constants,
		   size_t at, size_t n, float *values, const float *grads)
{
	double rate = state->config.learning_rate * (double) tensor->rate;
	MrenAdam adam = *constants;

	adam.rate *= tensor->rate;
	adam.decay = (float) fmin(rate * state->config.weight_decay * (double) tensor->decay, 1);
	if (state->config.kind == MREN_OPTIMIZER_ADAM)
		mren_adam(values + at, state->first + at, state->second + at, grads + at, n, &adam);
	else
		mren_sgd(values + at, state->first + at, grads + at, n, (float) state->config.momentum,
				 (float) rate, adam.decay);
}

MrenStatus
mren_optimizer_step(const MrenEnv *env, MrenParameterList parameters, MrenOptimizerState *state,
					float *values, const float *grads, MrenError *err)
{
	MrenAdam constants;
	size_t unchecked = 0;

	state->step++;
	constants = adam_constants(state);
	for (size_t i = 0; i < parameters.n; i++)
	{
		const MrenParameter *tensor = &parameters.items[i];
		size_t size = tensor->rows * tensor->cols;

		for (size_t from = 0; from < size && tensor->rate > 0; from += PIECE)
		{
			size_t n = size - from < PIECE ? size - from : PIECE;

			if (unchecked + n > PIECE)
			{
				MREN_TRY(mren_check_interrupts(env, err));
				unchecked = 0;
			}
			step_piece(tensor, state, &constants, tensor->at + from, n, values, grads);
			unchecked += n;
		}
	}
	return MREN_OK;
}

MrenStatus
mren_gradients_square_sum(const MrenEnv *env, MrenParameterList parameters, const float *grads,
						  double *sum, MrenError *err)
{
	for (size_t i = 0; i < parameters.n; i++)
	{
		const MrenParameter *tensor = &parameters.items[i];
		size_t size = tensor->rows * tensor->cols;

		for (size_t from = 0; from < size; from += PIECE)
		{
			size_t n = size - from < PIECE ? size - from : PIECE;

			mren_add_squares(sum, grads + tensor->at + from, n);
			MREN_TRY(mren_check_interrupts(env, err));
		}
	}
	return MREN_OK;
}

MrenStatus
mren_gradients_scale(const MrenEnv *env, MrenParameterList parameters, float *grads, float factor,
					 MrenError *err)
{
	for (size_t from = 0; from < parameters.size; from += PIECE)
	{
		size_t n = parameters.size - from < PIECE ? parameters.size - from : PIECE;

		mren_scale(grads + from, factor, n);
		MREN_TRY(mren_check_interrupts(env, err));
	}
	return MREN_OK;
}
