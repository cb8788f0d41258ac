/*
 * trainer.c
 *	  The stages of a training, their order, and what each step does.
 *
 *	scan		reads names, splits and groups of all rows
 *	groups		with weak rows: collects the groups that validate
 *	measure		gives rows their roles; measures means and deviations of the inputs
 *	pretrain	with weak rows that come first: trains a member on them alone, in epochs that
 *				are validated; its fit then begins with what is best, at a lower rate
 *	fit			trains each member in turn, in epochs that are validated, until patience
 *				or epochs run out, the linear branch beside the first; then joins the
 *				members and fits their shares
 *	marker fit	fine-tunes a pretrained text encoder, if there is one; its share, too, is
 *				fitted.  Then the confidence is calibrated
 *	refit		if asked for: trains each member again on all rows, for its best number
 *				of epochs
 *	marker refit	the same of the text encoder
 *
 * Each step processes one block of rows or one mini-batch.  Only next_stage knows
 * which stage follows which.
 */
#include "relation/train/trainer_internal.h"

#include <math.h>
#include <string.h>

#define POSITION_DIM 10 /* size of the vector of a distance */

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
	t->report.temperature = 1;
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
	mren_trainer_rows_free(trainer);
	mren_release(&env, trainer->fine_tuned);
	mren_release(&env, trainer->labels);
	mren_release(&env, trainer->weights);
	mren_release(&env, trainer->targets);
	mren_release(&env, trainer->soft);
	mren_release(&env, trainer->raw_vector);
	mren_release(&env, trainer->raw_grid);
	mren_release(&env, trainer);
}

/*
 * After the scan
 */

static MrenStatus
choose_shape(MrenTrainer *trainer, MrenError *err)
{
	MrenNetShape *shape = &trainer->shape;
	const MrenOptions *options = &trainer->options;

	shape->embedding_dim = trainer->inputs.vectors.dim;
	shape->image_dim = trainer->inputs.image_dim;
	shape->n_types = trainer->scan.types.n;
	shape->n_relations = trainer->scan.relations.n;
	shape->window = mren_options_window(options);
	shape->product = shape->image_dim > 0 ? options->product : 0;
	shape->n_hidden = options->common.n_hidden;
	if (options->text_encoder == MREN_TEXT_CONV && shape->embedding_dim > 0)
	{
		shape->filters = options->filters;
		shape->position_dim = POSITION_DIM;
		if (options->word_vectors == MREN_WORDS_FINE_TUNED)
			MREN_TRY(mren_fine_tuned_choose(&trainer->env, &trainer->scan.word_counts,
											&trainer->fine_tuned, &shape->n_fine_tuned, err));
	}
	if (trainer->scan.has_grids)
	{
		shape->fusion = options->fusion;
		shape->grid = trainer->inputs.source.grid_shape;
	}
	if (mren_net_shape_has_vector(shape))
		shape->image_units = options->image_units;
	if (trainer->report.n_rows_with_audio > 0)
	{
		shape->audio_dim = trainer->inputs.audio_dim;
		shape->audio_units = options->image_units > 0 ? options->image_units : MREN_IMAGE_UNITS;
		shape->audio_product = options->product;
	}
	shape->boxes = trainer->scan.has_boxes;
	memcpy(shape->hidden, options->common.hidden, sizeof(shape->hidden));
	shape->activation = options->common.activation;
	MREN_TRY(mren_trainer_linear_choose(trainer, err));
	MREN_TRY(mren_trainer_marker_choose(trainer, err));
	return mren_net_shape_check(shape, err);
}

/* Buffers for the rows of a batch, which all members use. */
static MrenStatus
allocate_rows(MrenTrainer *trainer, MrenError *err)
{
	const MrenEnv *env = &trainer->env;

	MREN_TRY(mren_allocate(env, trainer->batch_rows, sizeof(int32_t), &trainer->labels, err));
	MREN_TRY(mren_allocate(env, trainer->batch_rows, sizeof(float), &trainer->weights, err));
	if (trainer->scan.has_targets)
	{
		MREN_TRY(mren_allocate(env, trainer->batch_rows * trainer->shape.n_relations, sizeof(float),
							   &trainer->targets, err));
		MREN_TRY(mren_allocate(env, trainer->batch_rows, sizeof(bool), &trainer->soft, err));
	}
	MREN_TRY(mren_allocate(env, trainer->shape.image_dim + trainer->shape.audio_dim, sizeof(float),
						   &trainer->raw_vector, err));
	if (trainer->scan.has_grids)
		MREN_TRY(mren_allocate(env, mren_grid_size(&trainer->shape.grid), sizeof(uint16_t),
							   &trainer->raw_grid, err));
	return mren_trainer_pool_create(trainer, err);
}

static MrenStatus
begin_measure(MrenTrainer *trainer, MrenError *err)
{
	size_t batch_size = trainer->options.common.batch_size;

	MREN_TRY(choose_shape(trainer, err));
	trainer->batch_rows = batch_size > 64 ? batch_size : 64;
	MREN_TRY(allocate_rows(trainer, err));
	MREN_TRY(mren_trainer_kept_allocate(trainer, err));
	MREN_TRY(mren_trainer_members_create(trainer, err));
	MREN_TRY(mren_trainer_measure_allocate(trainer, err));
	MREN_TRY(mren_trainer_linear_allocate(trainer, err));
	trainer->objective = mren_options_objective(&trainer->options, trainer->negative);
	trainer->report.n_relations = trainer->shape.n_relations;
	trainer->report.n_types = trainer->shape.n_types;
	trainer->next_row = 0;
	trainer->stage = MREN_STAGE_MEASURE;
	return MREN_OK;
}

/*
 * The stages of members
 */

static void
begin_epoch(MrenTrainer *trainer)
{
	MrenEpochs *epochs = &trainer->epochs;

	epochs->epoch++;
	epochs->loss_sum = epochs->loss_weight = 0;
	epochs->rows_done = 0;
	epochs->validating = false;
	mren_trainer_pool_begin(trainer);
}

/* The rows of the epochs that trainer->epochs describes, but for validation rows. */
static size_t
rows_of(const MrenTrainer *trainer, const MrenEpochs *epochs)
{
	const MrenTrainReport *report = &trainer->report;

	return (epochs->gold ? report->n_train - report->n_weak : 0) +
		   (epochs->weak ? report->n_weak : 0);
}

/* The epochs of a fit, or of the weak rows before it. */
static MrenEpochs
fit_epochs(const MrenTrainer *trainer, bool pretrains, size_t n_epochs)
{
	MrenEpochs epochs = {.phase = pretrains ? MREN_PHASE_PRETRAIN : MREN_PHASE_FIT,
						 .weak = pretrains || !mren_trainer_pretrains(trainer),
						 .gold = !pretrains,
						 .n_epochs = (int) n_epochs,
						 .validates = trainer->report.n_validation > 0};

	epochs.n_rows = rows_of(trainer, &epochs);
	return epochs;
}

/* Begins the epochs of the current member, which is open. */
static MrenStatus
begin_epochs(MrenTrainer *trainer, MrenStage stage, MrenError *err)
{
	trainer->stage = stage;
	trainer->epochs =
		fit_epochs(trainer, stage == MREN_STAGE_PRETRAIN, trainer->options.common.epochs);
	MREN_TRY(mren_trainer_begin_member(trainer, err));
	mren_trainer_linear_begin(trainer, mren_trainer_linear_fit_epochs(trainer));
	begin_epoch(trainer);
	return MREN_OK;
}

static MrenStatus
begin_fit(MrenTrainer *trainer, size_t member, MrenError *err)
{
	bool pretrains = mren_trainer_pretrains(trainer);

	MREN_TRY(mren_trainer_open_member(trainer, member, err));
	return begin_epochs(trainer, pretrains ? MREN_STAGE_PRETRAIN : MREN_STAGE_FIT, err);
}

static MrenStatus end_refit(MrenTrainer *trainer, MrenError *err);

static int
refit_epochs(const MrenTrainer *trainer, size_t member)
{
	int linear = member == 0 ? mren_trainer_linear_refit_epochs(trainer) : 0;
	int epochs = trainer->members[member].best_epoch;

	return epochs > linear ? epochs : linear;
}

/*
 * A member is trained again for its best number of epochs, the linear branch for its own;
 * members that learned nothing from gold rows stay what they are.
 */
static MrenStatus
begin_refit(MrenTrainer *trainer, size_t member, MrenError *err)
{
	int linear_epochs = member == 0 ? mren_trainer_linear_refit_epochs(trainer) : 0;

	while (member < trainer->n_members && refit_epochs(trainer, member) == 0)
		member++;
	if (member == trainer->n_members)
		return end_refit(trainer, err);
	MREN_TRY(mren_trainer_open_member(trainer, member, err));
	trainer->stage = MREN_STAGE_REFIT;
	trainer->epochs = (MrenEpochs){.phase = MREN_PHASE_REFIT,
								   .weak = !mren_trainer_pretrains(trainer),
								   .gold = true,
								   .n_epochs = refit_epochs(trainer, member)};
	trainer->epochs.n_rows = rows_of(trainer, &trainer->epochs) + trainer->report.n_validation;
	MREN_TRY(mren_trainer_begin_member(trainer, err));
	mren_trainer_linear_begin(trainer, linear_epochs);
	begin_epoch(trainer);
	return MREN_OK;
}

/* Temperature and bias from the joined logits of the best epochs. */
static MrenStatus
calibrate(MrenTrainer *trainer, MrenError *err)
{
	MrenTrainReport *report = &trainer->report;
	MrenLogits rows = mren_trainer_kept_rows(trainer, trainer->kept.best, trainer->negative);
	MrenCalibration fit;

	MREN_TRY(mren_calibration_fit(&trainer->env, &rows, &fit, err));
	/*
	 * With few kept rows that are all predicted correctly, maximum likelihood
	 * would make every answer certain.
	 */
	report->temperature =
		report->validation_accuracy >= 1 && fit.temperature < 1 ? 1 : fit.temperature;
	report->negative_bias = fit.bias;
	return MREN_OK;
}

static MrenStatus
begin_marker(MrenTrainer *trainer, MrenStage stage, MrenError *err)
{
	const MrenTrainReport *report = &trainer->report;

	trainer->stage = stage;
	trainer->epochs = fit_epochs(trainer, stage == MREN_STAGE_MARKER_PRETRAIN,
								 (size_t) mren_trainer_marker_epochs(trainer));
	if (stage == MREN_STAGE_MARKER_REFIT)
	{
		trainer->epochs.phase = MREN_PHASE_REFIT;
		trainer->epochs.n_epochs = trainer->marker.best_epoch;
		trainer->epochs.n_rows += report->n_validation;
		trainer->epochs.validates = false;
	}
	return mren_trainer_marker_begin(trainer, err);
}

/* What follows the members' refit, or the fit if they have none. */
static MrenStatus
end_refit(MrenTrainer *trainer, MrenError *err)
{
	if (mren_trainer_marker_wanted(trainer) && trainer->options.encoder_refit &&
		trainer->report.validated && !trainer->stopping && trainer->marker.best_epoch > 0)
		return begin_marker(trainer, MREN_STAGE_MARKER_REFIT, err);
	trainer->stage = MREN_STAGE_DONE;
	return MREN_OK;
}

/* Gold rows that only judge are not trained on. */
static bool
refits(const MrenTrainer *trainer)
{
	bool judges = trainer->options.weak == MREN_WEAK_ONLY && trainer->report.n_weak > 0;

	return trainer->options.common.refit && !judges && !trainer->stopping;
}

/* All is fitted: calibrates it, and begins the refit if it is asked for. */
static MrenStatus
end_fit(MrenTrainer *trainer, MrenError *err)
{
	uint8_t *roles = trainer->measured.roles;

	trainer->stage = MREN_STAGE_DONE;
	if (!trainer->report.validated)
		return MREN_OK;
	MREN_TRY(mren_trainer_marker_join(trainer, err));
	MREN_TRY(calibrate(trainer, err));
	MREN_TRY(mren_trainer_decide(trainer, err));
	if (!refits(trainer))
		return end_refit(trainer, err);
	for (size_t i = 0; i < trainer->inputs.source.n; i++)
	{
		if (roles[i] == MREN_ROLE_VALIDATION)
			roles[i] = MREN_ROLE_TRAIN;
	}
	return begin_refit(trainer, 0, err);
}

/* All members are fitted: joins them, and fine-tunes a text encoder. */
static MrenStatus
end_members(MrenTrainer *trainer, MrenError *err)
{
	MREN_TRY(mren_trainer_join_members(trainer, err));
	if (trainer->report.validated)
		MREN_TRY(mren_trainer_linear_join(trainer, err));
	if (mren_trainer_marker_wanted(trainer) && !trainer->stopping)
		return begin_marker(trainer,
							mren_trainer_pretrains(trainer) ? MREN_STAGE_MARKER_PRETRAIN
															: MREN_STAGE_MARKER_FIT,
							err);
	mren_trainer_marker_stop(trainer);
	return end_fit(trainer, err);
}

/* Begins what follows the stage, or the member's part of it, that has just ended. */
static MrenStatus
next_stage(MrenTrainer *trainer, MrenError *err)
{
	bool last = trainer->current + 1 == trainer->n_members;

	switch (trainer->stage)
	{
		case MREN_STAGE_SCAN:
			trainer->next_row = 0;
			trainer->stage = MREN_STAGE_GROUPS;
			return trainer->scan.n_weak > 0 ? MREN_OK : begin_measure(trainer, err);
		case MREN_STAGE_GROUPS:
			return begin_measure(trainer, err);
		case MREN_STAGE_MEASURE:
			MREN_TRY(mren_trainer_decide_check(trainer, err));
			MREN_TRY(mren_trainer_members_plan(trainer, err));
			MREN_TRY(mren_trainer_marker_open(trainer, err));
			return begin_fit(trainer, 0, err);
		case MREN_STAGE_PRETRAIN:
			MREN_TRY(mren_trainer_end_pretraining(trainer, err));
			return begin_epochs(trainer, MREN_STAGE_FIT, err);
		case MREN_STAGE_FIT:
			mren_trainer_end_member(trainer);
			mren_trainer_close_member(trainer);
			if (last || trainer->stopping)
				return end_members(trainer, err);
			return begin_fit(trainer, trainer->current + 1, err);
		case MREN_STAGE_MARKER_PRETRAIN:
			MREN_TRY(mren_trainer_marker_end_pretraining(trainer, err));
			return begin_marker(trainer, MREN_STAGE_MARKER_FIT, err);
		case MREN_STAGE_MARKER_FIT:
			mren_trainer_marker_stop(trainer);
			return end_fit(trainer, err);
		case MREN_STAGE_REFIT:
			mren_trainer_keep_values(trainer);
			trainer->report.refit_epochs += trainer->epochs.epoch;
			mren_trainer_close_member(trainer);
			if (!last)
				return begin_refit(trainer, trainer->current + 1, err);
			return end_refit(trainer, err);
		case MREN_STAGE_MARKER_REFIT:
			trainer->stage = MREN_STAGE_DONE;
			return MREN_OK;
		case MREN_STAGE_DONE:
			break;
	}
	return MREN_OK;
}

void
mren_trainer_stop(MrenTrainer *trainer)
{
	trainer->stopping = true;
}

static bool
trains_marker(const MrenTrainer *trainer)
{
	return trainer->stage == MREN_STAGE_MARKER_PRETRAIN ||
		   trainer->stage == MREN_STAGE_MARKER_FIT || trainer->stage == MREN_STAGE_MARKER_REFIT;
}

/* Stops in the middle of an epoch if an earlier one was validated, else after this first one. */
static MrenStatus
stop_early(MrenTrainer *trainer, MrenError *err)
{
	bool validated = mren_trainer_member(trainer)->validated;

	if (trainer->stage == MREN_STAGE_PRETRAIN || trainer->stage == MREN_STAGE_FIT)
	{
		if (validated)
			return next_stage(trainer, err);
		if (trainer->current == 0)
			return MREN_OK;
		/* A further member without a validated epoch is discarded. */
		mren_trainer_close_member(trainer);
		trainer->current--;
		return end_members(trainer, err);
	}
	/* The text encoder keeps its best epoch, or is left out. */
	if (trains_marker(trainer))
		return next_stage(trainer, err);
	if (trainer->stage != MREN_STAGE_REFIT)
		return MREN_OK;
	/* Members that have not been trained again keep the weights of their fit. */
	if (trainer->current == 0)
		mren_trainer_linear_restore(trainer);
	mren_trainer_close_member(trainer);
	trainer->stage = MREN_STAGE_DONE;
	return MREN_OK;
}

/*
 * A mini-batch
 */

MrenStatus
mren_trainer_check_loss(const MrenTrainer *trainer, double loss, MrenError *err)
{
	if (isfinite(loss))
		return MREN_OK;
	mren_fail(err, MREN_ENUMERIC, "training diverged in epoch %d: the loss is not finite",
			  trainer->epochs.epoch);
	mren_error_hint(err, "Lower option \"learning_rate\", which is %g.",
					trainer->options.common.learning_rate);
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

/* One step of the optimiser for the current member. */
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

	if (trainer->stage != MREN_STAGE_REFIT || trainer->epochs.epoch <= member->best_epoch)
		MREN_TRY(train_member(trainer, err));
	MREN_TRY(mren_trainer_linear_train(trainer, err));
	trainer->epochs.rows_done += member->batch.n;
	return MREN_OK;
}

/*
 * Steps
 */

/* After an epoch and its validation: the next one, or the end of the member's stage. */
static MrenStatus
end_epoch(MrenTrainer *trainer, MrenError *err)
{
	const MrenMember *member = mren_trainer_member(trainer);
	const MrenEpochs *epochs = &trainer->epochs;
	int patience = (int) trainer->options.common.patience;
	bool may_improve = !epochs->validates || patience == 0 ||
					   epochs->epoch - member->best_epoch < patience ||
					   mren_trainer_linear_may_improve(trainer);

	MREN_TRY(mren_check_interrupts(&trainer->env, err));
	if (epochs->epoch == epochs->n_epochs || !may_improve || trainer->stopping)
		return next_stage(trainer, err);
	begin_epoch(trainer);
	return MREN_OK;
}

/* What is behind the current member's epochs: those of later members, and a refit of all. */
static double
rows_later(const MrenTrainer *trainer)
{
	const MrenEpochs *epochs = &trainer->epochs;
	double n_later = (double) (trainer->n_members - trainer->current - 1);
	double n_all = (double) (trainer->report.n_train + trainer->report.n_validation);
	double rows = 0;

	if (trainer->stage == MREN_STAGE_MARKER_PRETRAIN || trainer->stage == MREN_STAGE_MARKER_FIT)
		return (double) (epochs->n_epochs - epochs->epoch) * (double) epochs->n_rows;
	if (trainer->stage == MREN_STAGE_REFIT)
	{
		for (size_t i = trainer->current + 1; i < trainer->n_members; i++)
			rows += (double) trainer->members[i].best_epoch * n_all;
		return rows;
	}
	if (trainer->stage != MREN_STAGE_PRETRAIN && trainer->stage != MREN_STAGE_FIT)
		return 0;
	rows = n_later * (double) epochs->n_epochs * (double) epochs->n_rows;
	if (epochs->validates && trainer->options.common.refit && !trainer->stopping)
		rows += (double) trainer->n_members * (double) epochs->n_epochs * n_all;
	return rows;
}

/* Whether this epoch trains the linear branch only, so that the member has no loss. */
static bool
linear_only(const MrenTrainer *trainer)
{
	return trainer->stage == MREN_STAGE_REFIT &&
		   trainer->epochs.epoch > trainer->members[trainer->current].best_epoch;
}

static void
report_progress(const MrenTrainer *trainer, MrenTrainEvent event, MrenProgress *progress)
{
	const MrenEpochs *epochs = &trainer->epochs;

	progress->event = event;
	progress->phase = epochs->phase == MREN_PHASE_REFIT ? 2 : 1;
	progress->epoch = epochs->epoch;
	progress->member = (int) trainer->current + 1 + trains_marker(trainer);
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
	return done ? next_stage(trainer, err) : MREN_OK;
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
	return end_epoch(trainer, err);
}

static MrenStatus
step_validate(MrenTrainer *trainer, MrenProgress *progress, MrenError *err)
{
	bool done;

	MREN_TRY(mren_trainer_validate(trainer, &done, err));
	report_progress(trainer, MREN_TRAIN_STEP, progress);
	if (!done)
		return MREN_OK;
	MREN_TRY(mren_trainer_validated(trainer, progress, err));
	MREN_TRY(mren_trainer_linear_validated(trainer, err));
	progress->event = MREN_TRAIN_EPOCH;
	return end_epoch(trainer, err);
}

static MrenStatus
step_marker(MrenTrainer *trainer, MrenProgress *progress, MrenError *err)
{
	bool done;

	MREN_TRY(mren_trainer_marker_step(trainer, progress, err));
	report_progress(trainer, progress->event, progress);
	if (progress->event != MREN_TRAIN_EPOCH)
		return MREN_OK;
	MREN_TRY(mren_trainer_marker_end_epoch(trainer, &done, err));
	return done ? next_stage(trainer, err) : MREN_OK;
}

MrenStatus
mren_trainer_step(MrenTrainer *trainer, MrenProgress *progress, MrenError *err)
{
	memset(progress, 0, sizeof(*progress));
	if (trainer->stopping)
		MREN_TRY(stop_early(trainer, err));
	switch (trainer->stage)
	{
		case MREN_STAGE_SCAN:
		case MREN_STAGE_GROUPS:
		case MREN_STAGE_MEASURE:
			return step_rows(trainer, progress, err);
		case MREN_STAGE_PRETRAIN:
		case MREN_STAGE_FIT:
		case MREN_STAGE_REFIT:
			return trainer->epochs.validating ? step_validate(trainer, progress, err)
											  : step_train(trainer, progress, err);
		case MREN_STAGE_MARKER_PRETRAIN:
		case MREN_STAGE_MARKER_FIT:
		case MREN_STAGE_MARKER_REFIT:
			return step_marker(trainer, progress, err);
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
