/*
 * trainer.c
 *	  A training run, and its steps: each processes one block of rows or one
 *	  mini-batch of the stage that trainer_stages.c has begun.
 */
#include "relation/train/trainer_linear.h"
#include "relation/train/trainer_members.h"
#include "relation/train/trainer_rows.h"
#include "relation/train/trainer_stages.h"

#include <math.h>
#include <string.h>

/* Logits between two checks for interrupts in the loss of a batch */
#define LOSS_LOGITS ((size_t) 1 << 20)

MrenStatus
mren_trainer_create(const MrenEnv *env, const MrenOptions *options, const MrenTrainerInputs *inputs,
					MrenTrainer **trainer, MrenError *err)
{
	MrenTrainer *t;

	if (inputs->source.n == 0)
	{
		mren_fail(err, MREN_EDATA, "no training rows");
		mren_error_hint(err, "Rows without a sentence, head, tail or relation do not count.");
		return MREN_EDATA;
	}
	MREN_TRY(mren_allocate_zero(env, 1, sizeof(*t), &t, err));
	t->env = *env;
	t->options = *options;
	t->inputs = *inputs;
	memcpy(t->embeddings_sha256, inputs->embeddings_sha256, 32);
	if (inputs->n_lexicons > 0)
		memcpy(t->lexicons_sha256, inputs->lexicons_sha256, 32 * inputs->n_lexicons);
	if (inputs->encoder_sha256 != NULL)
		memcpy(t->encoder_sha256, inputs->encoder_sha256, 32);
	if (inputs->audio_sha256 != NULL)
		memcpy(t->audio_sha256, inputs->audio_sha256, 32);
	t->report.calibration.temperature = 1;
	*trainer = t;
	return MREN_OK;
}

void
mren_trainer_free(MrenTrainer *trainer)
{
	MrenEnv env;

	if (trainer == NULL)
		return;
	env = trainer->env;
	mren_trainer_linear_free(trainer);
	mren_trainer_marker_free(trainer);
	mren_trainer_pool_free(trainer);
	mren_trainer_members_free(trainer);
	mren_trainer_kept_free(trainer);
	mren_trainer_measure_free(trainer);
	mren_trainer_scan_free(trainer);
	mren_release(&env, trainer->fine_tuned);
	mren_release(&env, trainer->labels);
	mren_release(&env, trainer->weights);
	mren_release(&env, trainer->targets);
	mren_release(&env, trainer->soft);
	mren_release(&env, trainer->raw_vector);
	mren_release(&env, trainer->raw_grid);
	mren_release(&env, trainer);
}

void
mren_trainer_stop(MrenTrainer *trainer)
{
	trainer->stopping = true;
}

/*
 * A mini-batch
 */

MrenStatus
mren_trainer_check_loss(const MrenTrainer *trainer, double loss, MrenError *err)
{
	bool encoder;

	if (isfinite(loss))
		return MREN_OK;
	encoder = mren_trainer_trains_marker(trainer);
	mren_fail(err, MREN_ENUMERIC, "training diverged in epoch %d: the loss is not finite",
			  trainer->epochs.epoch);
	mren_error_hint(err, "Lower option \"%s\", which is %g.",
					encoder ? "encoder_learning_rate" : "learning_rate",
					encoder ? trainer->marker.fine_tuning.rate
							: trainer->options.common.learning_rate);
	return MREN_ENUMERIC;
}

/* Reads up to batch_size rows into the batch. */
static MrenStatus
fill_batch(MrenTrainer *trainer, MrenError *err)
{
	MrenBatch *batch = &mren_trainer_member(trainer)->batch;

	for (batch->n = 0; batch->n < trainer->options.common.batch_size; batch->n++)
	{
		const uint8_t *record;
		size_t len;

		if (batch->n % MREN_CHECK_ROWS == MREN_CHECK_ROWS - 1)
			MREN_TRY(mren_check_interrupts(&trainer->env, err));
		MREN_TRY(mren_trainer_pool_next(trainer, &record, &len, err));
		if (record == NULL)
			break;
		MREN_TRY(mren_trainer_load(trainer, record, len, batch->n, true, err));
	}
	return MREN_OK;
}

double
mren_trainer_weight(MrenTrainer *trainer)
{
	size_t n = mren_trainer_member(trainer)->batch.n;
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double) trainer->weights[i];
	return sum;
}

MrenStatus
mren_trainer_loss(MrenTrainer *trainer, const MrenObjective *objective, const float *logits,
				  float scale, float *dlogits, double *loss, MrenError *err)
{
	size_t k = trainer->shape.n_relations;
	size_t batch_n = mren_trainer_member(trainer)->batch.n;
	size_t rows = LOSS_LOGITS / k + 1;

	*loss = 0;
	for (size_t i = 0; i < batch_n; i += rows)
	{
		size_t n = batch_n - i < rows ? batch_n - i : rows;

		if (i > 0)
			MREN_TRY(mren_check_interrupts(&trainer->env, err));
		*loss += mren_loss(
			objective,
			&(MrenLabelledRows){logits + i * k, trainer->labels + i, trainer->weights + i, n, k,
								trainer->targets != NULL ? trainer->targets + i * k : NULL,
								trainer->targets != NULL ? trainer->soft + i : NULL},
			scale, dlogits + i * k);
	}
	return MREN_OK;
}

/* One step of the optimizer for the current member. */
static MrenStatus
train_member(MrenTrainer *trainer, MrenError *err)
{
	MrenMember *member = mren_trainer_member(trainer);
	MrenBatch *batch = &member->batch;
	MrenEpochs *epochs = &trainer->epochs;
	float scale = (float) (1 / ((double) batch->n * trainer->measured.mean_weight));
	double loss;

	mren_batch_forward(batch, member->values, &trainer->drop);
	if (batch->work.stopped)
		return mren_fail_canceled(err);
	MREN_TRY(mren_trainer_loss(trainer, &trainer->objective, batch->logits, scale, batch->dlogits,
							   &loss, err));
	MREN_TRY(mren_trainer_check_loss(trainer, loss, err));
	mren_batch_backward(batch, member->values, member->grads);
	if (batch->work.stopped)
		return mren_fail_canceled(err);
	MREN_TRY(mren_optimizer_step(&trainer->env, mren_parameters_trained(&member->layout.table),
								 &member->optimizer, member->values, member->grads, err));
	MREN_TRY(mren_trainer_ema_step(trainer, err));
	epochs->loss_sum += loss;
	epochs->loss_weight += mren_trainer_weight(trainer);
	trainer->report.train_loss = epochs->loss_sum / epochs->loss_weight;
	return MREN_OK;
}

/* In a refit the linear branch may need more epochs than the member beside it. */
static MrenStatus
train_batch(MrenTrainer *trainer, MrenError *err)
{
	const MrenMember *member = mren_trainer_member(trainer);

	if (trainer->epochs.epoch <= trainer->epochs.member_epochs)
		MREN_TRY(train_member(trainer, err));
	MREN_TRY(mren_trainer_linear_train(trainer, err));
	trainer->epochs.rows_done += member->batch.n;
	return MREN_OK;
}

/*
 * Steps
 */

/* The rows of an epoch of a refit. */
static double
refit_rows(const MrenTrainer *trainer)
{
	const MrenTrainReport *report = &trainer->report;
	size_t first = mren_trainer_pretrains(trainer) ? report->n_weak : 0;

	return (double) (report->n_train - first + report->n_validation);
}

/* While weak rows are learned: the rows of the fit that follows, of so many epochs; else 0. */
static double
fit_rows_later(const MrenTrainer *trainer, double n_epochs)
{
	const MrenTrainReport *report = &trainer->report;

	if (trainer->epochs.phase != MREN_PHASE_PRETRAIN)
		return 0;
	return n_epochs * (double) (report->n_train - report->n_weak);
}

/* The rows of later folds, at most, of so many epochs. */
static double
fold_rows_later(const MrenTrainer *trainer, double n_epochs)
{
	const MrenTrainReport *report = &trainer->report;
	size_t n_gold = report->n_train - report->n_weak + report->n_validation;
	int fold = trainer->stage == MREN_STAGE_FOLD ? trainer->epochs.fold : 1;

	return trainer->scan.n_folds > 0 ? (trainer->scan.n_folds - fold) * n_epochs * (double) n_gold
									 : 0;
}

/* The encoder's fit after weak rows, and its refit. */
static double
marker_rows_later(const MrenTrainer *trainer)
{
	double n_epochs = trainer->stage == MREN_STAGE_MARKER_FIT
						  ? (double) trainer->epochs.n_epochs
						  : (double) mren_trainer_marker_epochs(trainer);
	double rows = fit_rows_later(trainer, n_epochs);

	if (trainer->epochs.validates && trainer->options.encoder_refit && !trainer->stopping)
		rows += n_epochs * refit_rows(trainer);
	return rows;
}

/* Whether the text encoder is still to be trained, which the members are not measured by. */
static bool
marker_follows(const MrenTrainer *trainer)
{
	if (!mren_trainer_marker_wanted(trainer) || trainer->stopping)
		return false;
	return trainer->stage == MREN_STAGE_REFIT ? trainer->options.encoder_refit
											  : !mren_trainer_trains_marker(trainer);
}

/*
 * What is after the current member's epochs: its fit after weak rows, those of later members,
 * and a refit of all.
 */
static double
rows_later(const MrenTrainer *trainer)
{
	double n_epochs = (double) trainer->epochs.n_epochs;
	double n_later = (double) (trainer->n_members - trainer->current - 1);
	double rows = 0;

	if (mren_trainer_trains_marker(trainer))
		return marker_rows_later(trainer);
	if (marker_follows(trainer) && trainer->stage != MREN_STAGE_DONE)
		return INFINITY;
	if (trainer->stage == MREN_STAGE_REFIT)
	{
		for (size_t i = trainer->current + 1; i < trainer->n_members; i++)
			rows += (double) trainer->members[i].best_epoch * refit_rows(trainer);
		return rows;
	}
	if (trainer->stage != MREN_STAGE_PRETRAIN && trainer->stage != MREN_STAGE_FIT &&
		trainer->stage != MREN_STAGE_FOLD)
		return 0;
	rows = fit_rows_later(trainer, n_epochs) + fold_rows_later(trainer, n_epochs) +
		   n_later * n_epochs * (double) trainer->report.n_train;
	if ((trainer->epochs.validates || trainer->stage == MREN_STAGE_FOLD) &&
		mren_trainer_refits(trainer))
		rows += (double) trainer->n_members * n_epochs * refit_rows(trainer);
	return rows;
}

/* Whether this epoch trains the linear branch only, so that the member has no loss. */
static bool
linear_only(const MrenTrainer *trainer)
{
	return !mren_trainer_trains_marker(trainer) &&
		   trainer->epochs.epoch > trainer->epochs.member_epochs;
}

static void
report_progress(const MrenTrainer *trainer, MrenTrainEvent event, MrenProgress *progress)
{
	const MrenEpochs *epochs = &trainer->epochs;

	progress->event = event;
	progress->phase = epochs->phase == MREN_PHASE_REFIT ? 2 : 1;
	progress->epoch = epochs->epoch;
	progress->member = (int) trainer->current + 1 + mren_trainer_trains_marker(trainer);
	progress->members = (int) trainer->n_members + mren_trainer_marker_wanted(trainer);
	progress->epochs = epochs->n_epochs;
	progress->rows_done = epochs->rows_done;
	progress->rows_total = epochs->n_rows;
	progress->rows_later = rows_later(trainer);
	progress->loss = linear_only(trainer)	 ? NAN
					 : epochs->rows_done > 0 ? trainer->report.train_loss
											 : 0;
}

/* A block of rows of one of the passes before the first epoch. */
static MrenStatus
step_rows(MrenTrainer *trainer, MrenProgress *progress, MrenError *err)
{
	bool scans = trainer->stage != MREN_STAGE_MEASURE;
	size_t n = trainer->inputs.source.n;
	bool done;

	if (trainer->stage == MREN_STAGE_SCAN)
		MREN_TRY(mren_trainer_scan(trainer, &done, err));
	else if (trainer->stage == MREN_STAGE_GROUPS)
		MREN_TRY(mren_trainer_scan_groups(trainer, &done, err));
	else
		MREN_TRY(mren_trainer_measure(trainer, &done, err));
	progress->event = MREN_TRAIN_SCAN;
	progress->phase = 1;
	progress->epochs = (int) trainer->options.common.epochs;
	progress->rows_done = (scans ? 0 : n) + trainer->next_row;
	progress->rows_total = 2 * n;
	return done ? mren_trainer_next_stage(trainer, err) : MREN_OK;
}

static MrenStatus
step_train(MrenTrainer *trainer, MrenProgress *progress, MrenError *err)
{
	MrenEpochs *epochs = &trainer->epochs;

	MREN_TRY(mren_check_interrupts(&trainer->env, err));
	MREN_TRY(fill_batch(trainer, err));
	if (mren_trainer_member(trainer)->batch.n > 0)
		MREN_TRY(train_batch(trainer, err));
	report_progress(trainer, MREN_TRAIN_STEP, progress);
	if (epochs->rows_done < epochs->n_rows)
		return MREN_OK;
	if (epochs->validates)
	{
		memset(&trainer->validation, 0, sizeof(trainer->validation));
		epochs->validating = true;
		return MREN_OK;
	}
	progress->event = MREN_TRAIN_EPOCH;
	return mren_trainer_end_epoch(trainer, err);
}

static MrenStatus
step_validate(MrenTrainer *trainer, MrenProgress *progress, MrenError *err)
{
	bool done;

	MREN_TRY(mren_trainer_validate(trainer, &done, err));
	report_progress(trainer, MREN_TRAIN_STEP, progress);
	if (!done)
		return MREN_OK;
	if (trainer->stage == MREN_STAGE_FOLD)
		return mren_trainer_next_stage(trainer, err);
	if (!linear_only(trainer))
		MREN_TRY(mren_trainer_validated(trainer, progress, err));
	MREN_TRY(mren_trainer_linear_validated(trainer, err));
	progress->event = MREN_TRAIN_EPOCH;
	return mren_trainer_end_epoch(trainer, err);
}

static MrenStatus
step_marker(MrenTrainer *trainer, MrenProgress *progress, MrenError *err)
{
	int restarts = trainer->report.encoder_restarts;
	bool done;

	MREN_TRY(mren_trainer_marker_step(trainer, progress, err));
	report_progress(trainer, progress->event, progress);
	if (progress->event != MREN_TRAIN_EPOCH)
		return MREN_OK;
	MREN_TRY(mren_trainer_marker_end_epoch(trainer, &done, err));
	progress->restarted = trainer->report.encoder_restarts > restarts;
	return done ? mren_trainer_next_stage(trainer, err) : MREN_OK;
}

static MrenStatus
step_epoch(MrenTrainer *trainer, MrenProgress *progress, MrenError *err)
{
	if (!trainer->epochs.undecided)
		return trainer->epochs.validating ? step_validate(trainer, progress, err)
										  : step_train(trainer, progress, err);
	MREN_TRY(mren_trainer_await_epoch(trainer, err));
	report_progress(trainer, MREN_TRAIN_STEP, progress);
	return MREN_OK;
}

MrenStatus
mren_trainer_step(MrenTrainer *trainer, MrenProgress *progress, MrenError *err)
{
	bool elsewhere;

	memset(progress, 0, sizeof(*progress));
	MREN_TRY(mren_trainer_news(trainer, progress, &elsewhere, err));
	if (elsewhere)
		return MREN_OK;
	if (trainer->stopping)
		MREN_TRY(mren_trainer_stop_early(trainer, err));
	switch (trainer->stage)
	{
		case MREN_STAGE_SCAN:
		case MREN_STAGE_GROUPS:
		case MREN_STAGE_MEASURE:
			return step_rows(trainer, progress, err);
		case MREN_STAGE_PRETRAIN:
		case MREN_STAGE_FIT:
		case MREN_STAGE_FOLD:
		case MREN_STAGE_REFIT:
			return step_epoch(trainer, progress, err);
		case MREN_STAGE_MARKER_PRETRAIN:
		case MREN_STAGE_MARKER_FIT:
		case MREN_STAGE_MARKER_REFIT:
			return step_marker(trainer, progress, err);
		case MREN_STAGE_AWAIT:
			MREN_TRY(mren_trainer_await(trainer, err));
			report_progress(trainer, MREN_TRAIN_STEP, progress);
			return MREN_OK;
		case MREN_STAGE_COURSES:
		case MREN_STAGE_DONE:
			break;
	}
	report_progress(trainer, MREN_TRAIN_DONE, progress);
	return MREN_OK;
}

void
mren_trainer_report(const MrenTrainer *trainer, MrenTrainReport *report)
{
	*report = trainer->report;
}
