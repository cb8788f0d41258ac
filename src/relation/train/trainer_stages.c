/*
 * trainer_stages.c
 *	  The stages of a training and their order.
 *
 *	scan		reads names, splits and groups of all rows
 *	groups		with weak rows: collects the groups that validate
 *	measure		gives rows their roles; measures means and deviations of the inputs
 *	pretrain	with weak rows that come first: trains a member on them alone, in epochs that
 *				are validated; its fit then begins with what is best, at a lower rate
 *	fit			trains each member in turn, in epochs that are validated, until patience
 *				or epochs run out, the linear branch beside the first; then joins the
 *				members and fits their shares
 *	fold		where few gold rows follow weak ones: trains again, so that others of them validate
 *	marker fit	fine-tunes a pretrained text encoder, if there is one, after a pretraining of
 *				its own if members have one; its share, too, is fitted.  Then the confidence
 *				is calibrated
 *	refit		if asked for: trains each member again on all rows, for its best number
 *				of epochs
 *	marker refit	the same of the text encoder
 *
 * Where courses are trained elsewhere (training/courses.h), a fit or refit that somebody else has
 * is awaited instead.  A trainer that serves has no stages after the measurement: trainer_serve.c.
 *
 * Only mren_trainer_next_stage knows which stage follows which.
 */
#include "relation/train/trainer_linear.h"
#include "relation/train/trainer_members.h"
#include "relation/train/trainer_rows.h"
#include "relation/train/trainer_stages.h"

#include <string.h>

#define POSITION_DIM 10 /* size of the vector of a distance */

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

void
mren_trainer_begin_epoch(MrenTrainer *trainer)
{
	MrenEpochs *epochs = &trainer->epochs;

	epochs->epoch++;
	epochs->loss_sum = epochs->loss_weight = 0;
	epochs->rows_done = 0;
	epochs->validating = epochs->undecided = false;
	mren_trainer_pool_begin(trainer);
}

/* The rows of the epochs that trainer->epochs describes, but for validation rows. */
size_t
mren_trainer_epoch_rows(const MrenTrainer *trainer, const MrenEpochs *epochs)
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
						 .member_epochs = (int) n_epochs,
						 .validates = trainer->report.n_validation > 0};

	epochs.n_rows = mren_trainer_epoch_rows(trainer, &epochs);
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
	mren_trainer_begin_epoch(trainer);
	return MREN_OK;
}

MrenStatus
mren_trainer_begin_fit(MrenTrainer *trainer, size_t member, MrenError *err)
{
	bool pretrains = mren_trainer_pretrains(trainer);

	MREN_TRY(mren_trainer_open_member(trainer, member, err));
	return begin_epochs(trainer, pretrains ? MREN_STAGE_PRETRAIN : MREN_STAGE_FIT, err);
}

MrenStatus
mren_trainer_begin_linear_fit(MrenTrainer *trainer, MrenError *err)
{
	size_t n = (size_t) mren_trainer_linear_fit_epochs(trainer);

	MREN_TRY(mren_trainer_open_member(trainer, 0, err));
	trainer->stage = MREN_STAGE_FIT;
	trainer->epochs = fit_epochs(
		trainer, false, n < trainer->options.common.epochs ? n : trainer->options.common.epochs);
	trainer->epochs.member_epochs = 0;
	MREN_TRY(mren_trainer_begin_member(trainer, err));
	mren_trainer_linear_begin(trainer, (int) n);
	mren_trainer_begin_epoch(trainer);
	return MREN_OK;
}

/* Waits for a course that somebody else has. */
void
mren_trainer_await_course(MrenTrainer *trainer, MrenCourseKind kind, size_t member)
{
	bool refit = kind == MREN_COURSE_REFIT || kind == MREN_COURSE_LINEAR_REFIT;

	trainer->stage = MREN_STAGE_AWAIT;
	trainer->awaited = (MrenCourse){kind, member};
	trainer->epochs = (MrenEpochs){.phase = refit ? MREN_PHASE_REFIT : MREN_PHASE_FIT};
}

static MrenStatus
begin_fit(MrenTrainer *trainer, size_t member, MrenError *err)
{
	bool mine = mren_trainer_claim(trainer, MREN_COURSE_FIT, member);

	if (member == 0)
		trainer->linear.apart = mren_trainer_linear_apart(trainer) &&
								!mren_trainer_claim(trainer, MREN_COURSE_LINEAR_FIT, 0);
	if (mine)
		return mren_trainer_begin_fit(trainer, member, err);
	trainer->current = member;
	mren_trainer_await_course(trainer, MREN_COURSE_FIT, member);
	return MREN_OK;
}

/*
 * Temperature and bias from the joined logits of the best epochs; beside weak rows also a lapse
 * rate, since the rules are certain of their mistakes.
 */
static MrenStatus
calibrate(MrenTrainer *trainer, MrenError *err)
{
	MrenTrainReport *report = &trainer->report;
	MrenLogits rows = mren_trainer_kept_rows(trainer, trainer->kept.best, trainer->negative);
	MrenCalibration *fit = &report->calibration;

	if (report->n_weak > 0 && rows.n < MREN_FEWEST_GOLD_ROWS)
		return MREN_OK;
	if (report->n_weak > 0)
		MREN_TRY(mren_calibration_fit_lapse(&trainer->env, &rows, fit, err));
	else
		MREN_TRY(mren_calibration_fit(&trainer->env, &rows, fit, err));
	/*
	 * With few kept rows that are all predicted correctly, maximum likelihood
	 * would make every answer certain.
	 */
	if (report->validation_accuracy >= 1 && fit->temperature < 1)
		fit->temperature = 1;
	return MREN_OK;
}

static MrenStatus
begin_marker(MrenTrainer *trainer, MrenStage stage, MrenError *err)
{
	const MrenTrainReport *report = &trainer->report;

	trainer->stage = stage;
	trainer->epochs = fit_epochs(trainer, stage == MREN_STAGE_MARKER_PRETRAIN, 0);
	trainer->epochs.n_epochs = mren_trainer_marker_epochs(trainer);
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
MrenStatus
mren_trainer_end_refits(MrenTrainer *trainer, MrenError *err)
{
	mren_trainer_report_refits(trainer);
	if (mren_trainer_marker_wanted(trainer) && trainer->options.encoder_refit &&
		trainer->report.validated && !trainer->stopping && trainer->marker.best_epoch > 0)
		return begin_marker(trainer, MREN_STAGE_MARKER_REFIT, err);
	trainer->stage = MREN_STAGE_DONE;
	return MREN_OK;
}

/* All is fitted: calibrates it, and begins the refit if the options have one. */
static MrenStatus
end_fit(MrenTrainer *trainer, MrenError *err)
{
	trainer->stage = MREN_STAGE_DONE;
	if (!trainer->report.validated)
		return MREN_OK;
	MREN_TRY(mren_trainer_marker_join(trainer, err));
	MREN_TRY(calibrate(trainer, err));
	MREN_TRY(mren_trainer_decide(trainer, err));
	if (!mren_trainer_refits(trainer))
		return mren_trainer_end_refits(trainer, err);
	mren_trainer_release_validation(trainer);
	return mren_trainer_next_refit(trainer, err);
}

/* The text encoder keeps its best epoch, or is left out if it has none. */
static MrenStatus
end_marker(MrenTrainer *trainer, MrenError *err)
{
	mren_trainer_marker_stop(trainer);
	return end_fit(trainer, err);
}

/* All members are fitted: joins them, and fine-tunes a text encoder. */
static MrenStatus
end_members(MrenTrainer *trainer, MrenError *err)
{
	if (trainer->linear.apart && !trainer->linear.fitted)
	{
		mren_trainer_await_course(trainer, MREN_COURSE_LINEAR_FIT, 0);
		return MREN_OK;
	}
	MREN_TRY(mren_trainer_join_members(trainer, err));
	if (trainer->report.validated)
		MREN_TRY(mren_trainer_linear_join(trainer, err));
	if (mren_trainer_marker_wanted(trainer) && !trainer->stopping)
		return begin_marker(trainer,
							mren_trainer_pretrains(trainer) ? MREN_STAGE_MARKER_PRETRAIN
															: MREN_STAGE_MARKER_FIT,
							err);
	return end_marker(trainer, err);
}

/* Begins a fold; one that learns nothing from gold rows only validates. */
static MrenStatus
begin_fold(MrenTrainer *trainer, int fold, MrenError *err)
{
	MREN_TRY(mren_trainer_fold_begin(trainer, fold, err));
	mren_trainer_begin_epoch(trainer);
	if (trainer->epochs.n_epochs == 0)
		mren_trainer_fold_validate(trainer);
	return MREN_OK;
}

static MrenStatus
end_folds(MrenTrainer *trainer, MrenError *err)
{
	mren_trainer_folds_end(trainer);
	return end_members(trainer, err);
}

/* What follows the measurement. */
static MrenStatus
end_measure(MrenTrainer *trainer, MrenError *err)
{
	MREN_TRY(mren_trainer_decide_check(trainer, err));
	MREN_TRY(mren_trainer_members_plan(trainer, err));
	MREN_TRY(mren_trainer_marker_open(trainer, err));
	trainer->stage = MREN_STAGE_COURSES;
	return trainer->serves ? MREN_OK : begin_fit(trainer, 0, err);
}

/* A member has been fitted, here or elsewhere. */
static MrenStatus
end_fit_of_member(MrenTrainer *trainer, MrenError *err)
{
	mren_trainer_end_member(trainer);
	mren_trainer_close_member(trainer);
	if (trainer->scan.n_folds > 0 && !trainer->stopping)
		return begin_fold(trainer, 2, err);
	if (trainer->current + 1 == trainer->n_members || trainer->stopping)
		return end_members(trainer, err);
	return begin_fit(trainer, trainer->current + 1, err);
}

/* Epochs that were trained here have ended; a trainer that serves had nothing else to do. */
static MrenStatus
end_epochs(MrenTrainer *trainer, MrenError *err)
{
	bool alone = trainer->epochs.member_epochs == 0;
	bool fit = trainer->stage == MREN_STAGE_FIT;

	if (fit && !alone)
		mren_trainer_settle_member(trainer);
	if (!fit && !alone)
		mren_trainer_keep_values(trainer);
	mren_trainer_tell(trainer, false, true);
	if (trainer->serves)
	{
		trainer->stage = MREN_STAGE_COURSES;
		return MREN_OK;
	}
	if (fit)
		return end_fit_of_member(trainer, err);
	return mren_trainer_end_refit(
		trainer, alone && trainer->linear.apart ? MREN_COURSE_LINEAR_REFIT : MREN_COURSE_REFIT,
		err);
}

/* What was awaited is there. */
static MrenStatus
end_await(MrenTrainer *trainer, MrenError *err)
{
	switch (trainer->awaited.kind)
	{
		case MREN_COURSE_FIT:
			return end_fit_of_member(trainer, err);
		case MREN_COURSE_LINEAR_FIT:
			trainer->linear.fitted = true;
			return end_members(trainer, err);
		case MREN_COURSE_REFIT:
		case MREN_COURSE_LINEAR_REFIT:
			break;
	}
	return mren_trainer_end_refit(trainer, trainer->awaited.kind, err);
}

/* Begins what follows the stage, or the member's part of it, that has just ended. */
MrenStatus
mren_trainer_next_stage(MrenTrainer *trainer, MrenError *err)
{
	switch (trainer->stage)
	{
		case MREN_STAGE_SCAN:
			trainer->next_row = 0;
			trainer->stage = MREN_STAGE_GROUPS;
			return trainer->scan.n_weak > 0 ? MREN_OK : begin_measure(trainer, err);
		case MREN_STAGE_GROUPS:
			return begin_measure(trainer, err);
		case MREN_STAGE_MEASURE:
			return end_measure(trainer, err);
		case MREN_STAGE_PRETRAIN:
			MREN_TRY(mren_trainer_end_pretraining(trainer, err));
			return begin_epochs(trainer, MREN_STAGE_FIT, err);
		case MREN_STAGE_FIT:
		case MREN_STAGE_REFIT:
			return end_epochs(trainer, err);
		case MREN_STAGE_FOLD:
			if (mren_trainer_fold_end(trainer))
				return begin_fold(trainer, trainer->epochs.fold + 1, err);
			return end_folds(trainer, err);
		case MREN_STAGE_AWAIT:
			return end_await(trainer, err);
		case MREN_STAGE_MARKER_PRETRAIN:
			if (trainer->stopping)
				return end_marker(trainer, err);
			MREN_TRY(mren_trainer_marker_end_pretraining(trainer, err));
			return begin_marker(trainer, MREN_STAGE_MARKER_FIT, err);
		case MREN_STAGE_MARKER_FIT:
			return end_marker(trainer, err);
		case MREN_STAGE_MARKER_REFIT:
			trainer->stage = MREN_STAGE_DONE;
			return MREN_OK;
		case MREN_STAGE_COURSES:
		case MREN_STAGE_DONE:
			break;
	}
	return MREN_OK;
}

MrenStatus
mren_trainer_await(MrenTrainer *trainer, MrenError *err)
{
	bool taken;

	MREN_TRY(mren_trainer_collect(trainer, &taken, err));
	return taken ? mren_trainer_next_stage(trainer, err) : MREN_OK;
}

/*
 * Ending early
 */

/* The fit of a member ends with its best epoch; the first one needs at least one. */
static MrenStatus
stop_fit(MrenTrainer *trainer, MrenError *err)
{
	if (mren_trainer_member(trainer)->validated)
		return mren_trainer_next_stage(trainer, err);
	if (trainer->current == 0)
		return MREN_OK;
	/* A further member without a validated epoch is discarded. */
	mren_trainer_close_member(trainer);
	trainer->current--;
	return end_members(trainer, err);
}

/* Stops in the middle of an epoch if an earlier one was validated, else after this first one. */
MrenStatus
mren_trainer_stop_early(MrenTrainer *trainer, MrenError *err)
{
	mren_trainer_tell_stop(trainer);
	if (trainer->stage == MREN_STAGE_FOLD)
		return end_folds(trainer, err);
	if (mren_trainer_trains_marker(trainer))
		return mren_trainer_next_stage(trainer, err);
	if (trainer->stage == MREN_STAGE_PRETRAIN || trainer->stage == MREN_STAGE_FIT)
		return stop_fit(trainer, err);
	if (trainer->stage == MREN_STAGE_AWAIT && trainer->awaited.kind == MREN_COURSE_FIT)
		return stop_fit(trainer, err);
	/* The linear branch is waited for, which ends with the epoch it is in. */
	if (trainer->stage == MREN_STAGE_REFIT ||
		(trainer->stage == MREN_STAGE_AWAIT && trainer->awaited.kind != MREN_COURSE_LINEAR_FIT))
		mren_trainer_stop_refit(trainer);
	return MREN_OK;
}

/*
 * Epochs
 */

/* Whether further epochs may still improve what is trained here. */
static bool
may_improve(const MrenTrainer *trainer)
{
	const MrenMember *member = &trainer->members[trainer->current];
	const MrenEpochs *epochs = &trainer->epochs;
	int patience = (int) trainer->options.common.patience;

	return !epochs->validates || patience == 0 || mren_trainer_linear_may_improve(trainer) ||
		   (epochs->member_epochs > 0 && epochs->epoch - member->best_epoch < patience);
}

static void
another_epoch(MrenTrainer *trainer)
{
	mren_trainer_tell(trainer, true, false);
	mren_trainer_begin_epoch(trainer);
}

/* After an epoch and its validation: the next one, or the end of the member's stage. */
MrenStatus
mren_trainer_end_epoch(MrenTrainer *trainer, MrenError *err)
{
	MrenEpochs *epochs = &trainer->epochs;
	bool apart = trainer->linear.apart && trainer->stage == MREN_STAGE_FIT && trainer->current == 0;

	MREN_TRY(mren_check_interrupts(&trainer->env, err));
	if (trainer->stage == MREN_STAGE_FOLD && epochs->epoch == epochs->n_epochs)
	{
		mren_trainer_fold_validate(trainer);
		return MREN_OK;
	}
	if (epochs->epoch == epochs->n_epochs || trainer->stopping)
		return mren_trainer_next_stage(trainer, err);
	if (may_improve(trainer))
		another_epoch(trainer);
	else if (!apart)
		return mren_trainer_next_stage(trainer, err);
	else
	{
		epochs->undecided = true;
		mren_trainer_tell(trainer, false, false);
	}
	return MREN_OK;
}

/* First member and linear branch are fitted for as many epochs as either may improve. */
MrenStatus
mren_trainer_await_epoch(MrenTrainer *trainer, MrenError *err)
{
	bool known;
	bool goes_on;

	MREN_TRY(mren_trainer_other_goes_on(trainer, &known, &goes_on, err));
	if (!known)
		return MREN_OK;
	if (!goes_on)
		return mren_trainer_next_stage(trainer, err);
	another_epoch(trainer);
	return MREN_OK;
}
