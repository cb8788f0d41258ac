/*
 * trainer_ema.c
 *	  The mean of the weights over steps, which answers better than those of any step.
 *
 * Steps leave the weights somewhere around the best ones; an exponential mean is nearer to
 * them, as if the learning rate had fallen.  It has a shorter memory at the beginning, so
 * that the first weights are soon forgotten.  Polyak and Juditsky, Acceleration of
 * Stochastic Approximation by Averaging, SIAM J. Control Optim. 30, 1992.
 *
 * The optimizer goes on from the weights of the last step and never sees the mean.  Beside
 * the trained tensors the mean's array has a copy of those that all members read.  Members
 * have the array one after the other, the text-only one too, whose layout is the smaller.
 */
#include "relation/train/trainer_internal.h"

#include <math.h>
#include <string.h>

#include "nn/kernels.h"

/* Weights between two questions.  Whole vectors: a cut changes no bit. */
#define PIECE ((size_t) 1 << 21)

static double
longest_memory(const MrenTrainer *trainer)
{
	return mren_options_weight_ema(&trainer->options, trainer->image_dim > 0);
}

MrenStatus
mren_trainer_ema_allocate(MrenTrainer *trainer, MrenError *err)
{
	if (longest_memory(trainer) == 0)
		return MREN_OK;
	return mren_allocate_zero(&trainer->env, trainer->layout.table.size, sizeof(float),
							  &trainer->averaged, err);
}

void
mren_trainer_ema_begin(MrenTrainer *trainer)
{
	if (trainer->averaged != NULL)
		memcpy(trainer->averaged, trainer->values, trainer->layout.table.size * sizeof(float));
}

MrenStatus
mren_trainer_ema_step(MrenTrainer *trainer, MrenError *err)
{
	double step = (double) trainer->optimizer.step;
	double keep = fmin(longest_memory(trainer), (step + 1) / (step + 10));
	size_t size = trainer->layout.table.trained_size;

	for (size_t at = 0; at < size && trainer->averaged != NULL; at += PIECE)
	{
		size_t n = size - at < PIECE ? size - at : PIECE;

		if (at > 0)
			MREN_TRY(mren_check_interrupts(&trainer->env, err));
		mren_scale(trainer->averaged + at, (float) keep, n);
		mren_axpy(trainer->averaged + at, trainer->values + at, (float) (1 - keep), n);
	}
	return MREN_OK;
}

float *
mren_trainer_evaluation_weights(const MrenTrainer *trainer)
{
	return trainer->averaged != NULL ? trainer->averaged : trainer->values;
}
