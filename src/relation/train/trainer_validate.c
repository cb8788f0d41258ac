/*
 * trainer_validate.c
 *	  An epoch's pass over the validation rows, and keeping the best epoch.
 *
 * Reads the rows in canonical order; the first keep_rows of them leave their
 * logits for the calibration.
 */
#include "relation/train/trainer_internal.h"

#include <string.h>

#include "evaluation/calibration.h"

static void
count_validation(MrenTrainer *trainer)
{
	MrenValidation *v = &trainer->validation;
	size_t k = trainer->shape.n_relations;

	for (size_t i = 0; i < trainer->batch.n; i++)
	{
		const float *logits = trainer->batch.logits + i * k;
		int32_t label = trainer->labels[i];
		int32_t best = (int32_t) mren_net_best(logits, k);

		if (v->n < trainer->keep_rows)
		{
			memcpy(trainer->kept_logits + v->n * k, logits, k * sizeof(float));
			trainer->kept_labels[v->n] = label;
			trainer->kept_weights[v->n] = trainer->weights[i];
		}
		v->n++;
		v->n_correct += best == label;
		v->n_actual += label != trainer->negative;
		v->n_predicted += best != trainer->negative;
		v->n_hit += best == label && label != trainer->negative;
	}
}

MrenStatus
mren_trainer_validate(MrenTrainer *trainer, bool *done, MrenError *err)
{
	MrenValidation *v = &trainer->validation;
	MrenBatch *batch = &trainer->batch;
	size_t start = v->next;
	double loss;

	MREN_TRY(mren_check_interrupts(&trainer->env, err));
	/* Rows that do not validate are passed over without being read. */
	for (batch->n = 0; v->next < trainer->source.n && batch->n < batch->capacity &&
					   v->next < start + MREN_POOL_BLOCKS * MREN_BLOCK_ROWS;
		 v->next++)
	{
		const uint8_t *record;
		size_t len;

		if (trainer->roles[v->next] != MREN_ROLE_VALIDATION)
			continue;
		if (batch->n % MREN_CHECK_ROWS == MREN_CHECK_ROWS - 1)
			MREN_TRY(mren_check_interrupts(&trainer->env, err));
		MREN_TRY(trainer->source.read(trainer->source.state, v->next, &record, &len, err));
		MREN_TRY(mren_trainer_load(trainer, record, len, batch->n, false, err));
		batch->n++;
	}
	*done = v->next == trainer->source.n;
	if (batch->n == 0)
		return MREN_OK;
	mren_network_forward(batch, mren_trainer_evaluation_weights(trainer), NULL);
	if (batch->work.stopped)
		return mren_fail_canceled(err);
	MREN_TRY(mren_trainer_loss(trainer, &trainer->objective, batch->logits, 1, batch->dlogits,
							   &loss, err));
	v->loss += loss;
	v->weight += mren_trainer_weight(trainer);
	MREN_TRY(mren_trainer_linear_validate(trainer, v->n, err));
	count_validation(trainer);
	return mren_trainer_check_loss(trainer, v->loss, err);
}

static void
keep_best(MrenTrainer *trainer, const MrenProgress *progress)
{
	float *swap = trainer->kept_logits;

	trainer->kept_logits = trainer->best_logits;
	trainer->best_logits = swap;
	mren_trainer_keep_values(trainer);
	trainer->report.best_epoch = trainer->epoch;
	trainer->report.validated = true;
	trainer->report.validation_loss = progress->validation_loss;
	trainer->report.validation_accuracy = progress->validation_accuracy;
	trainer->report.validation_f1 = progress->validation_f1;
}

/*
 * What the best epoch has least of: its loss; of a network that sees images, the loss once
 * calibrated, since such a network grows ever surer of itself while it still gets better.
 */
static MrenStatus
epoch_loss(const MrenTrainer *trainer, double *loss, MrenError *err)
{
	const MrenValidation *v = &trainer->validation;
	MrenLogits rows = {.logits = trainer->kept_logits,
					   .labels = trainer->kept_labels,
					   .weights = trainer->kept_weights,
					   .n = v->n < trainer->keep_rows ? v->n : trainer->keep_rows,
					   .k = trainer->shape.n_relations,
					   .negative = trainer->negative};
	MrenCalibration fit;

	*loss = v->loss / v->weight;
	if (trainer->shape.image_dim == 0)
		return MREN_OK;
	MREN_TRY(mren_calibration_fit(&trainer->env, &rows, &fit, err));
	*loss = mren_calibration_loss(&rows, &fit);
	return MREN_OK;
}

MrenStatus
mren_trainer_validated(MrenTrainer *trainer, MrenProgress *progress, MrenError *err)
{
	const MrenValidation *v = &trainer->validation;
	size_t both = v->n_actual + v->n_predicted;
	double loss;

	progress->validated = true;
	progress->validation_loss = v->loss / v->weight;
	progress->validation_accuracy = (double) v->n_correct / (double) v->n;
	progress->validation_f1 = both > 0 ? 2 * (double) v->n_hit / (double) both : 0;
	MREN_TRY(epoch_loss(trainer, &loss, err));
	progress->improved = !trainer->report.validated || loss < trainer->best_choice;
	if (!progress->improved)
		return MREN_OK;
	trainer->best_choice = loss;
	keep_best(trainer, progress);
	return MREN_OK;
}
