/*
 * trainer_validate.c
 *	  An epoch's pass over the validation rows, and keeping the best epoch.
 *
 * Reads the rows in canonical order; the logits of the first ones are kept for
 * the calibration.
 */
#include "relation/train/trainer_linear.h"
#include "relation/train/trainer_members.h"
#include "relation/train/trainer_rows.h"

#include <string.h>

/* Maximum number of kept logits; more would not make the temperature better. */
#define MAX_KEPT_FLOATS ((size_t) 1 << 17)
/* The same where thresholds are fitted, which takes rows of every relation. */
#define MAX_DECIDED_FLOATS ((size_t) 1 << 20)

/*
 * Beside weak rows, which rarely say that there is no relation, gold rows are few, and how many of
 * them are negative is a matter of chance.  Chosen on SemEval as the shares of trainer_scan.c.
 */
#define WEAK_BIAS_DEVIATION 0.25

MrenStatus
mren_trainer_kept_allocate(MrenTrainer *trainer, MrenError *err)
{
	const MrenEnv *env = &trainer->env;
	MrenKeptRows *kept = &trainer->kept;
	size_t k = trainer->shape.n_relations;

	kept->capacity =
		(trainer->options.decide.word == MREN_AIM_ARGMAX ? MAX_KEPT_FLOATS : MAX_DECIDED_FLOATS) /
		k;
	if (kept->capacity > trainer->scan.n_usable)
		kept->capacity = trainer->scan.n_usable;
	MREN_TRY(mren_allocate(env, kept->capacity * k, sizeof(float), &kept->logits, err));
	MREN_TRY(mren_allocate(env, kept->capacity * k, sizeof(float), &kept->best, err));
	MREN_TRY(mren_allocate(env, kept->capacity, sizeof(int32_t), &kept->labels, err));
	MREN_TRY(mren_allocate(env, kept->capacity, sizeof(float), &kept->weights, err));
	return mren_trainer_decide_allocate(trainer, err);
}

void
mren_trainer_kept_free(MrenTrainer *trainer)
{
	const MrenEnv *env = &trainer->env;
	MrenKeptRows *kept = &trainer->kept;

	mren_release(env, kept->logits);
	mren_release(env, kept->best);
	mren_release(env, kept->sum);
	mren_release(env, kept->labels);
	mren_release(env, kept->weights);
	mren_release(env, kept->pairs);
	mren_release(env, trainer->thresholds);
}

MrenLogits
mren_trainer_kept_rows(const MrenTrainer *trainer, const float *logits, int32_t negative)
{
	return (MrenLogits){.logits = logits,
						.labels = trainer->kept.labels,
						.weights = trainer->kept.weights,
						.n = mren_trainer_n_kept(trainer),
						.k = trainer->shape.n_relations,
						.negative = negative,
						.bias_deviation = trainer->report.n_weak > 0 ? WEAK_BIAS_DEVIATION : 0};
}

/* Labels and weights of the batch's rows, as far as rows are kept. */
static void
keep_labels(MrenTrainer *trainer)
{
	const MrenBatch *batch = &mren_trainer_member(trainer)->batch;
	MrenKeptRows *kept = &trainer->kept;

	for (size_t i = 0; i < batch->n && trainer->validation.n + i < kept->capacity; i++)
	{
		kept->labels[trainer->validation.n + i] = trainer->labels[i];
		kept->weights[trainer->validation.n + i] = trainer->weights[i];
	}
}

/* Counts the member's answers to the batch, and keeps their logits. */
static void
count_validation(MrenTrainer *trainer)
{
	const MrenBatch *batch = &mren_trainer_member(trainer)->batch;
	MrenValidation *v = &trainer->validation;
	MrenKeptRows *kept = &trainer->kept;
	size_t k = trainer->shape.n_relations;

	for (size_t i = 0; i < batch->n; i++)
	{
		const float *logits = batch->logits + i * k;
		int32_t label = trainer->labels[i];
		int32_t best = (int32_t) mren_net_best(logits, k);

		if (v->n + i < kept->capacity)
			memcpy(kept->logits + (v->n + i) * k, logits, k * sizeof(float));
		v->n_correct += best == label;
		v->n_actual += label != trainer->negative;
		v->n_predicted += best != trainer->negative;
		v->n_hit += best == label && label != trainer->negative;
	}
}

/* Reads the next validation rows into the batch; other rows are passed over without being read. */
static MrenStatus
fill_batch(MrenTrainer *trainer, MrenError *err)
{
	const MrenSource *source = &trainer->inputs.source;
	MrenBatch *batch = &mren_trainer_member(trainer)->batch;
	MrenValidation *v = &trainer->validation;
	size_t end = v->next + MREN_POOL_BLOCKS * MREN_BLOCK_ROWS;

	for (batch->n = 0; v->next < source->n && batch->n < batch->capacity && v->next < end;
		 v->next++)
	{
		const uint8_t *record;
		size_t len;

		if (trainer->measured.roles[v->next] != MREN_ROLE_VALIDATION)
			continue;
		if (batch->n % MREN_CHECK_ROWS == MREN_CHECK_ROWS - 1)
			MREN_TRY(mren_check_interrupts(&trainer->env, err));
		MREN_TRY(source->read(source->state, v->next, &record, &len, err));
		MREN_TRY(mren_trainer_decide_row(trainer, v->n + batch->n, record, len, err));
		MREN_TRY(mren_trainer_load(trainer, record, len, batch->n, false, err));
		batch->n++;
	}
	return MREN_OK;
}

/* The member's answers to the batch. */
static MrenStatus
validate_member(MrenTrainer *trainer, MrenError *err)
{
	MrenBatch *batch = &mren_trainer_member(trainer)->batch;
	MrenValidation *v = &trainer->validation;
	double loss;

	mren_batch_forward(batch, mren_trainer_evaluation_weights(trainer), NULL);
	if (batch->work.stopped)
		return mren_fail_canceled(err);
	MREN_TRY(mren_trainer_loss(trainer, &trainer->objective, batch->logits, 1, batch->dlogits,
							   &loss, err));
	v->loss += loss;
	v->weight += mren_trainer_weight(trainer);
	count_validation(trainer);
	return mren_trainer_check_loss(trainer, v->loss, err);
}

MrenStatus
mren_trainer_validate(MrenTrainer *trainer, bool *done, MrenError *err)
{
	MrenBatch *batch = &mren_trainer_member(trainer)->batch;
	MrenValidation *v = &trainer->validation;

	MREN_TRY(mren_check_interrupts(&trainer->env, err));
	MREN_TRY(fill_batch(trainer, err));
	*done = v->next == trainer->inputs.source.n;
	if (batch->n == 0)
		return MREN_OK;
	keep_labels(trainer);
	if (trainer->epochs.epoch <= trainer->epochs.member_epochs)
		MREN_TRY(validate_member(trainer, err));
	MREN_TRY(mren_trainer_linear_validate(trainer, v->n, err));
	v->n += batch->n;
	return MREN_OK;
}

static void
keep_best(MrenTrainer *trainer, const MrenProgress *progress)
{
	MrenMember *member = mren_trainer_member(trainer);
	float *swap = trainer->kept.logits;

	trainer->kept.logits = trainer->kept.best;
	trainer->kept.best = swap;
	mren_trainer_keep_values(trainer);
	member->validated = true;
	member->best_epoch = trainer->epochs.epoch;
	member->validation_loss = progress->validation_loss;
	trainer->report.validation_accuracy = progress->validation_accuracy;
	trainer->report.validation_f1 = progress->validation_f1;
}

/*
 * What the best epoch minimizes: its loss, or for a network that reads images or recordings
 * the loss after calibration, since such a network becomes overconfident while
 * its ranking still improves.
 */
static MrenStatus
epoch_loss(const MrenTrainer *trainer, bool reads_more, double *loss, MrenError *err)
{
	const MrenValidation *v = &trainer->validation;
	MrenLogits rows = mren_trainer_kept_rows(trainer, trainer->kept.logits, trainer->negative);
	MrenCalibration fit;

	*loss = v->loss / v->weight;
	if (!reads_more)
		return MREN_OK;
	MREN_TRY(mren_calibration_fit(&trainer->env, &rows, &fit, err));
	*loss = mren_calibration_loss(&rows, &fit);
	return MREN_OK;
}

MrenStatus
mren_trainer_validated(MrenTrainer *trainer, MrenProgress *progress, MrenError *err)
{
	MrenMember *member = mren_trainer_member(trainer);
	const MrenValidation *v = &trainer->validation;
	size_t both = v->n_actual + v->n_predicted;
	double loss;

	progress->validated = true;
	progress->validation_loss = v->loss / v->weight;
	progress->validation_accuracy = (double) v->n_correct / (double) v->n;
	progress->validation_f1 = both > 0 ? 2 * (double) v->n_hit / (double) both : 0;
	MREN_TRY(epoch_loss(trainer, mren_net_shape_reads(&member->shape), &loss, err));
	progress->improved = !member->validated || loss < member->best_choice;
	if (!progress->improved)
		return MREN_OK;
	member->best_choice = loss;
	keep_best(trainer, progress);
	return MREN_OK;
}

void
mren_trainer_report_kept(MrenTrainer *trainer)
{
	MrenTrainReport *report = &trainer->report;
	size_t k = trainer->shape.n_relations;
	size_t n = mren_trainer_n_kept(trainer);
	size_t correct = 0;
	size_t hit = 0;
	size_t both = 0;

	if (n < report->n_validation)
		return;
	for (size_t i = 0; i < n; i++)
	{
		int32_t best = (int32_t) mren_net_best(trainer->kept.best + i * k, k);
		int32_t label = trainer->kept.labels[i];

		correct += best == label;
		hit += best == label && label != trainer->negative;
		both += (size_t) (label != trainer->negative) + (size_t) (best != trainer->negative);
	}
	report->validation_accuracy = (double) correct / (double) n;
	report->validation_f1 = both > 0 ? 2 * (double) hit / (double) both : 0;
}
