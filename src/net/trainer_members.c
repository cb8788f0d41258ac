/*
 * trainer_members.c
 *	  An ensemble: the same training some times over, with other first weights,
 *	  other orders and other chance in what is dropped.
 *
 * All members validate on the same rows; the mean of their logits is what the wide
 * branch is joined with and what is calibrated.  The wide branch, which chance
 * moves little, is trained once, beside the first member.  A slot keeps each
 * member's weights: its best epoch's, and after the second phase that one's.
 */
#include "net/trainer_internal.h"

#include <string.h>

MrenStatus
mren_trainer_members_allocate(MrenTrainer *trainer, MrenError *err)
{
	size_t n = trainer->options.ensemble;

	trainer->n_members = n;
	MREN_TRY(mren_allocate_zero(&trainer->env, n * trainer->layout.trained_size, sizeof(float),
								&trainer->slots, err));
	if (n == 1)
		return MREN_OK;
	return mren_allocate_zero(&trainer->env, trainer->keep_rows * trainer->shape.n_relations,
							  sizeof(float), &trainer->sum_logits, err);
}

void
mren_trainer_members_free(MrenTrainer *trainer)
{
	mren_release(&trainer->env, trainer->slots);
	mren_release(&trainer->env, trainer->sum_logits);
}

uint64_t
mren_trainer_seed(const MrenTrainer *trainer)
{
	uint64_t seed = (uint64_t) trainer->options.seed;
	MrenRandom fresh;

	if (trainer->member == 0)
		return seed;
	mren_random_seed(&fresh, seed, MREN_STREAM_MEMBER + trainer->member);
	return mren_random_next(&fresh);
}

float *
mren_trainer_slot(const MrenTrainer *trainer, size_t member)
{
	return trainer->slots + member * trainer->layout.trained_size;
}

void
mren_trainer_keep_values(MrenTrainer *trainer)
{
	memcpy(mren_trainer_slot(trainer, trainer->member), trainer->values,
		   trainer->layout.trained_size * sizeof(float));
}

static size_t
n_kept(const MrenTrainer *trainer)
{
	size_t n = trainer->report.n_validation;

	return n < trainer->keep_rows ? n : trainer->keep_rows;
}

void
mren_trainer_end_member(MrenTrainer *trainer)
{
	MrenTrainReport *report = &trainer->report;
	size_t n = n_kept(trainer) * trainer->shape.n_relations;

	report->epochs_run += trainer->epoch;
	if (!report->validated)
	{
		report->best_epoch = trainer->epoch;
		mren_trainer_keep_values(trainer);
	}
	trainer->best_epochs[trainer->member] = report->best_epoch;
	trainer->loss_of_members += report->validation_loss;
	for (size_t i = 0; trainer->sum_logits != NULL && i < n; i++)
		trainer->sum_logits[i] += trainer->best_logits[i];
}

bool
mren_trainer_next_member(MrenTrainer *trainer)
{
	if (trainer->stopping || trainer->member + 1 == trainer->n_members)
		return false;
	trainer->member++;
	trainer->report.validated = false;
	trainer->report.best_epoch = 0;
	return true;
}

void
mren_trainer_join_members(MrenTrainer *trainer)
{
	MrenTrainReport *report = &trainer->report;
	size_t n = n_kept(trainer) * trainer->shape.n_relations;

	trainer->n_members = trainer->member + 1;
	trainer->member = 0;
	report->n_members = trainer->n_members;
	report->n_parameters = trainer->layout.n_parameters * trainer->n_members;
	report->features_dim = mren_shape_scored_dim(&trainer->shape) +
						   (trainer->n_members - 1) * mren_shape_features_dim(&trainer->shape);
	report->best_epoch = trainer->best_epochs[0];
	report->validated = report->n_validation > 0;
	if (trainer->n_members == 1 || !report->validated)
		return;
	report->validation_loss = trainer->loss_of_members / (double) trainer->n_members;
	for (size_t i = 0; i < n; i++)
		trainer->best_logits[i] = trainer->sum_logits[i] / (float) trainer->n_members;
	mren_trainer_report_kept(trainer);
}

void
mren_trainer_drop_member(MrenTrainer *trainer)
{
	trainer->member--;
}

/* The figures of best_logits, if all validation rows' are kept. */
void
mren_trainer_report_kept(MrenTrainer *trainer)
{
	MrenTrainReport *report = &trainer->report;
	size_t k = trainer->shape.n_relations;
	size_t n = n_kept(trainer);
	size_t correct = 0;
	size_t hit = 0;
	size_t both = 0;

	if (n < report->n_validation)
		return;
	for (size_t i = 0; i < n; i++)
	{
		int32_t best = (int32_t) mren_net_best(trainer->best_logits + i * k, k);
		int32_t label = trainer->kept_labels[i];

		correct += best == label;
		hit += best == label && label != trainer->negative;
		both += (size_t) (label != trainer->negative) + (size_t) (best != trainer->negative);
	}
	report->validation_accuracy = (double) correct / (double) n;
	report->validation_f1 = both > 0 ? 2 * (double) hit / (double) both : 0;
}
