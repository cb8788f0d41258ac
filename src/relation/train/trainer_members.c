/*
 * trainer_members.c
 *	  An ensemble: the same training some times over, with other first weights,
 *	  other orders and other chance in what is dropped.
 *
 * All members validate on the same rows; the mean of their logits is what the wide
 * branch is joined with and what is calibrated.  The linear branch, which chance
 * moves little, is trained once, beside the first member.  A slot keeps each
 * member's weights: its best epoch's, and after the second phase that one's.
 */
#include "relation/train/trainer_internal.h"

#include <math.h>
#include <string.h>

#include "evaluation/calibration.h"

#define SHARE_STEPS 20 /* in which a share is looked for */

MrenStatus
mren_trainer_members_allocate(MrenTrainer *trainer, MrenError *err)
{
	size_t n = trainer->options.ensemble;

	trainer->n_image_members = n;
	if (mren_trainer_wants_text_only(trainer))
		n++;
	trainer->n_members = n;
	trainer->slot_size = trainer->layout.table.trained_size;
	MREN_TRY(mren_allocate_zero(&trainer->env, n * trainer->slot_size, sizeof(float),
								&trainer->slots, err));
	if (n == 1)
		return MREN_OK;
	return mren_allocate_zero(&trainer->env, trainer->keep_rows * trainer->shape.n_relations,
							  sizeof(float), &trainer->sum_logits, err);
}

void
mren_trainer_members_begin(MrenTrainer *trainer)
{
	/* Without validation nothing says how much a text-only member should count. */
	if (trainer->report.n_validation == 0)
		trainer->n_members = trainer->n_image_members;
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
	uint64_t seed = (uint64_t) trainer->options.common.seed;
	MrenRandom fresh;

	if (trainer->member == 0)
		return seed;
	mren_random_seed(&fresh, seed,
					 MREN_STREAM_MEMBER +
						 (mren_trainer_is_text_only(trainer) ? MREN_MAX_MEMBERS : trainer->member));
	return mren_random_next(&fresh);
}

float *
mren_trainer_slot(const MrenTrainer *trainer, size_t member)
{
	return trainer->slots + member * trainer->slot_size;
}

void
mren_trainer_keep_values(MrenTrainer *trainer)
{
	memcpy(mren_trainer_slot(trainer, trainer->member), mren_trainer_evaluation_weights(trainer),
		   trainer->layout.table.trained_size * sizeof(float));
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
	if (mren_trainer_is_text_only(trainer))
		return;
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

/* The mean of the members' logits, or the sum with the text-only one's. */
static MrenStatus
join_logits(MrenTrainer *trainer, MrenError *err)
{
	size_t n = n_kept(trainer) * trainer->shape.n_relations;

	trainer->report.validation_loss = trainer->loss_of_members / (double) trainer->n_image_members;
	for (size_t i = 0; i < n; i++)
		trainer->sum_logits[i] /= (float) trainer->n_image_members;
	if (trainer->n_members > trainer->n_image_members)
		MREN_TRY(mren_trainer_text_only_join(trainer, err));
	else
		memcpy(trainer->best_logits, trainer->sum_logits, n * sizeof(float));
	mren_trainer_report_kept(trainer);
	return MREN_OK;
}

MrenStatus
mren_trainer_join_members(MrenTrainer *trainer, MrenError *err)
{
	MrenTrainReport *report = &trainer->report;

	trainer->n_members = trainer->member + 1;
	if (trainer->n_image_members > trainer->n_members)
		trainer->n_image_members = trainer->n_members;
	trainer->member = 0;
	MREN_TRY(mren_trainer_select_member(trainer, err));
	report->best_epoch = trainer->best_epochs[0];
	report->validated = report->n_validation > 0;
	if (trainer->sum_logits != NULL && report->validated)
		MREN_TRY(join_logits(trainer, err));
	report->n_members = trainer->n_members;
	report->n_parameters = trainer->layout.table.n_parameters * trainer->n_image_members;
	report->features_dim =
		mren_net_shape_scored_dim(&trainer->shape) +
		(trainer->n_image_members - 1) * mren_net_shape_features_dim(&trainer->shape);
	if (trainer->n_members > trainer->n_image_members)
	{
		report->n_parameters += trainer->text_only.layout.table.n_parameters;
		report->features_dim += mren_net_shape_features_dim(&trainer->text_only.shape);
	}
	return MREN_OK;
}

void
mren_trainer_drop_member(MrenTrainer *trainer)
{
	trainer->member--;
}

void
mren_trainer_mix(const MrenTrainer *trainer, const float *first, const float *second, double share,
				 float *sum)
{
	size_t n = n_kept(trainer) * trainer->shape.n_relations;

	for (size_t i = 0; i < n; i++)
		sum[i] = (float) ((1 - share) * (double) first[i] + share * (double) second[i]);
}

MrenStatus
mren_trainer_fit_share(MrenTrainer *trainer, const float *first, const float *second,
					   float *scratch, double *share, MrenError *err)
{
	MrenLogits rows = {.logits = scratch,
					   .labels = trainer->kept_labels,
					   .weights = trainer->kept_weights,
					   .n = n_kept(trainer),
					   .k = trainer->shape.n_relations,
					   .negative = trainer->objective.fixed};
	double least = INFINITY;

	for (int i = 0; i <= SHARE_STEPS; i++)
	{
		MrenCalibration fit;
		double loss;

		MREN_TRY(mren_check_interrupts(&trainer->env, err));
		mren_trainer_mix(trainer, first, second, (double) i / SHARE_STEPS, scratch);
		MREN_TRY(mren_calibration_fit(&trainer->env, &rows, &fit, err));
		loss = mren_calibration_loss(&rows, &fit);
		if (loss < least)
		{
			least = loss;
			*share = (double) i / SHARE_STEPS;
		}
	}
	return MREN_OK;
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
