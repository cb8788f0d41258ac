/*
 * trainer_folds.c
 *	  Few gold rows validate in turn.
 *
 * Beside weak rows, the gold rows that validate the fit are so few that the shares of network and
 * linear branch and the calibration would depend on which they are.  So what was learned from the
 * weak rows, none of which is of a gold row's group, is trained again for each further fold on the
 * gold rows of the others, for the number of epochs that the fit found best; and the logits of all
 * gold rows are kept, each from a network that has not seen it.
 */
#include "relation/train/trainer_linear.h"
#include "relation/train/trainer_members.h"
#include "relation/train/trainer_stages.h"

#include <string.h>

/* The gold rows of the fold validate, the others train. */
static void
set_roles(MrenTrainer *trainer, int fold)
{
	MrenTrainReport *report = &trainer->report;
	MrenMeasurement *m = &trainer->measured;
	size_t n_gold = report->n_train - report->n_weak + report->n_validation;

	report->n_validation = 0;
	for (size_t i = 0; i < trainer->inputs.source.n; i++)
	{
		if (m->folds[i] == 0)
			continue;
		m->roles[i] = m->folds[i] == fold ? MREN_ROLE_VALIDATION : MREN_ROLE_TRAIN;
		report->n_validation += m->folds[i] == fold;
	}
	report->n_train = report->n_weak + n_gold - report->n_validation;
}

MrenStatus
mren_trainer_fold_begin(MrenTrainer *trainer, int fold, MrenError *err)
{
	const MrenTrainReport *report = &trainer->report;
	int epochs = trainer->members[0].best_epoch;
	int linear_epochs = mren_trainer_linear_refit_epochs(trainer);

	/* The rows that the fit kept are those of the first fold. */
	if (fold == 2)
		trainer->kept.n_folded = mren_trainer_n_kept(trainer);
	set_roles(trainer, fold);
	trainer->stage = MREN_STAGE_FOLD;
	trainer->epochs = (MrenEpochs){.phase = MREN_PHASE_FOLD,
								   .fold = fold,
								   .gold = true,
								   .n_epochs = epochs > linear_epochs ? epochs : linear_epochs,
								   .member_epochs = epochs,
								   .n_rows = report->n_train - report->n_weak};
	MREN_TRY(mren_trainer_begin_member(trainer, err));
	mren_trainer_linear_begin(trainer, linear_epochs);
	return MREN_OK;
}

void
mren_trainer_fold_validate(MrenTrainer *trainer)
{
	memset(&trainer->validation, 0, sizeof(trainer->validation));
	trainer->validation.n = trainer->kept.n_folded;
	trainer->epochs.validating = true;
	trainer->epochs.member_epochs = trainer->epochs.epoch;
	mren_trainer_linear_score(trainer);
}

bool
mren_trainer_fold_end(MrenTrainer *trainer)
{
	MrenKeptRows *kept = &trainer->kept;
	size_t k = trainer->shape.n_relations;
	size_t n = trainer->validation.n < kept->capacity ? trainer->validation.n : kept->capacity;
	size_t first = kept->n_folded * k;

	memcpy(kept->best + first, kept->logits + first, (n * k - first) * sizeof(float));
	mren_trainer_linear_keep_scores(trainer, kept->n_folded, n);
	kept->n_folded = n;
	return trainer->epochs.fold < trainer->scan.n_folds;
}

void
mren_trainer_folds_end(MrenTrainer *trainer)
{
	MrenTrainReport *report = &trainer->report;
	MrenMeasurement *m = &trainer->measured;
	size_t n_gold = report->n_train - report->n_weak + report->n_validation;

	for (size_t i = 0; i < trainer->inputs.source.n; i++)
	{
		if (m->folds[i] != 0)
			m->roles[i] = MREN_ROLE_VALIDATION;
	}
	report->n_validation = trainer->kept.n_folded;
	report->n_train = report->n_weak + n_gold - report->n_validation;
	mren_trainer_report_kept(trainer);
}
