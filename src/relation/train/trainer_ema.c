/*
 * trainer_ema.c
 *	  The moving mean of a member's weights over steps, which predicts better
 *	  than the weights of any single step.
 *
 * The weights of single steps lie around the best ones; an exponential mean is
 * closer to them, as if the learning rate had been reduced.  Its decay is
 * smaller at the beginning, so that the first weights soon lose their
 * influence.  Polyak and Juditsky, Acceleration of Stochastic Approximation by
 * Averaging, SIAM J.  Control Optim. 30, 1992.
 *
 * The optimizer goes on from the weights of the last step and never reads the mean.  Beside
 * the trained tensors the mean's array has a copy of the measured ones.
 */
#include "relation/train/trainer_members.h"

#include <math.h>
#include <string.h>

#include "nn/kernels.h"

/*
 * Weights between two checks for interrupts.  A multiple of the vector length,
 * so that cutting changes no bit.
 */
#define PIECE ((size_t) 1 << 21)

static double
longest_memory(const MrenTrainer *trainer)
{
	return mren_options_weight_ema(&trainer->options, mren_net_shape_reads(&trainer->shape));
}

MrenStatus
mren_trainer_ema_allocate(MrenTrainer *trainer, MrenMember *member, MrenError *err)
{
	if (longest_memory(trainer) == 0)
		return MREN_OK;
	return mren_allocate_zero(&trainer->env, member->layout.table.size, sizeof(float),
							  &member->mean, err);
}

void
mren_trainer_ema_begin(MrenTrainer *trainer)
{
	MrenMember *member = mren_trainer_member(trainer);

	if (member->mean != NULL)
		memcpy(member->mean, member->values, member->layout.table.size * sizeof(float));
}

MrenStatus
mren_trainer_ema_step(MrenTrainer *trainer, MrenError *err)
{
	MrenMember *member = mren_trainer_member(trainer);
	double step = (double) member->optimizer.step;
	double keep = fmin(longest_memory(trainer), (step + 1) / (step + 10));
	size_t size = member->layout.table.trained_size;

	for (size_t at = 0; at < size && member->mean != NULL; at += PIECE)
	{
		size_t n = size - at < PIECE ? size - at : PIECE;

		if (at > 0)
			MREN_TRY(mren_check_interrupts(&trainer->env, err));
		mren_scale(member->mean + at, (float) keep, n);
		mren_axpy(member->mean + at, member->values + at, (float) (1 - keep), n);
	}
	return MREN_OK;
}

float *
mren_trainer_evaluation_weights(MrenTrainer *trainer)
{
	MrenMember *member = mren_trainer_member(trainer);

	return member->mean != NULL ? member->mean : member->values;
}
