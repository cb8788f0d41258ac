/*
 * trainer.c
 *	  The stages of a training and what each step does.
 *
 * scan -> measure -> epochs of (train, validate) until patience or epochs run
 * out -> calibrate -> if asked, a second phase on all rows for the epochs the
 * first found best.  Each step does one block of rows or one mini-batch.
 */
#include "relation/train/trainer_internal.h"

#include <math.h>
#include <string.h>

#include "data/boxes.h"
#include "evaluation/calibration.h"

#define POSITION_DIM 10 /* of a distance's vector */

/* Logits kept for the temperature: more rows do not make it better. */
#define MAX_KEPT_FLOATS ((size_t) 1 << 17)

#define LOSS_LOGITS ((size_t) 1 << 20) /* in one piece of a batch's loss */

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
	t->source = inputs->source;
	t->vectors = inputs->vectors;
	t->image_dim = inputs->image_dim;
	memcpy(t->embeddings_sha256, inputs->embeddings_sha256, 32);
	t->n_lexicons = inputs->n_lexicons;
	if (inputs->n_lexicons > 0)
		memcpy(t->lexicons_sha256, inputs->lexicons_sha256, 32 * inputs->n_lexicons);
	if (inputs->encoder_sha256 != NULL)
		memcpy(t->encoder_sha256, inputs->encoder_sha256, 32);
	t->phase = 1;
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
	mren_names_free(&env, &trainer->relations);
	mren_trainer_linear_free(trainer);
	mren_names_free(&env, &trainer->types);
	mren_word_counts_free(&env, &trainer->word_counts);
	mren_release(&env, trainer->fine_tuned_ids);
	mren_trainer_pool_free(trainer);
	mren_batch_free(&env, &trainer->batch);
	mren_optimizer_free(&env, &trainer->optimizer);
	mren_release(&env, trainer->roles);
	mren_release(&env, trainer->identities);
	mren_release(&env, trainer->text.sum);
	mren_release(&env, trainer->text.square);
	mren_release(&env, trainer->image.sum);
	mren_release(&env, trainer->image.square);
	mren_release(&env, trainer->grid.sum);
	mren_release(&env, trainer->grid.square);
	mren_release(&env, trainer->box.sum);
	mren_release(&env, trainer->box.square);
	mren_release(&env, trainer->raw_grid);
	mren_release(&env, trainer->class_count);
	mren_release(&env, trainer->class_weights);
	mren_release(&env, trainer->values);
	mren_release(&env, trainer->grads);
	mren_release(&env, trainer->averaged);
	mren_trainer_members_free(trainer);
	mren_trainer_text_only_free(trainer);
	mren_release(&env, trainer->labels);
	mren_release(&env, trainer->weights);
	mren_release(&env, trainer->raw_image);
	mren_release(&env, trainer->image_inverse);
	mren_release(&env, trainer->kept_logits);
	mren_release(&env, trainer->best_logits);
	mren_release(&env, trainer->kept_labels);
	mren_release(&env, trainer->kept_weights);
	mren_release(&env, trainer);
}

static MrenStatus
shape_of(MrenTrainer *trainer, MrenError *err)
{
	MrenNetShape *shape = &trainer->shape;
	const MrenOptions *options = &trainer->options;

	shape->embedding_dim = trainer->vectors.dim;
	shape->image_dim = trainer->image_dim;
	shape->n_types = trainer->types.n;
	shape->n_relations = trainer->relations.n;
	shape->window = mren_options_window(options);
	shape->product = trainer->image_dim > 0 ? options->product : 0;
	shape->n_hidden = options->common.n_hidden;
	if (options->text_encoder == MREN_TEXT_CONV && shape->embedding_dim > 0)
	{
		shape->filters = options->filters;
		shape->position_dim = POSITION_DIM;
		if (options->word_vectors == MREN_WORDS_FINE_TUNED)
			MREN_TRY(mren_fine_tuned_choose(&trainer->env, &trainer->word_counts,
											&trainer->fine_tuned_ids, &shape->n_fine_tuned, err));
	}
	if (trainer->has_grids)
	{
		shape->fusion = options->fusion;
		shape->grid = trainer->source.grid_shape;
	}
	if (mren_net_shape_has_vector(shape))
		shape->image_units = options->image_units;
	shape->boxes = trainer->has_boxes;
	memcpy(shape->hidden, options->common.hidden, sizeof(shape->hidden));
	shape->activation = options->common.activation;
	MREN_TRY(mren_trainer_linear_choose(trainer, err));
	MREN_TRY(mren_net_shape_check(shape, err));
	mren_net_layout_build(shape, &trainer->layout);
	return MREN_OK;
}

/* What depends on the numbers of rows and relations alone. */
static MrenStatus
allocate_rows(MrenTrainer *trainer, MrenError *err)
{
	const MrenEnv *env = &trainer->env;
	size_t k = trainer->shape.n_relations;

	trainer->keep_rows = MAX_KEPT_FLOATS / k;
	if (trainer->keep_rows > trainer->n_usable)
		trainer->keep_rows = trainer->n_usable;
	MREN_TRY(mren_allocate_zero(env, trainer->source.n, 1, &trainer->roles, err));
	MREN_TRY(mren_allocate(env, trainer->n_usable, sizeof(uint64_t), &trainer->identities, err));
	MREN_TRY(mren_allocate_zero(env, k, sizeof(double), &trainer->class_count, err));
	MREN_TRY(mren_allocate(env, k, sizeof(float), &trainer->class_weights, err));
	MREN_TRY(mren_allocate(env, trainer->keep_rows * k, sizeof(float), &trainer->kept_logits, err));
	MREN_TRY(mren_allocate(env, trainer->keep_rows * k, sizeof(float), &trainer->best_logits, err));
	MREN_TRY(mren_allocate(env, trainer->keep_rows, sizeof(int32_t), &trainer->kept_labels, err));
	MREN_TRY(mren_allocate(env, trainer->keep_rows, sizeof(float), &trainer->kept_weights, err));
	return mren_trainer_pool_create(trainer, err);
}

static MrenStatus
allocate_moments(const MrenEnv *env, MrenMoments *moments, size_t n, MrenError *err)
{
	MREN_TRY(mren_allocate_zero(env, n, sizeof(double), &moments->sum, err));
	return mren_allocate_zero(env, n, sizeof(double), &moments->square, err);
}

/* The network and its workspace. */
static MrenStatus
allocate_network(MrenTrainer *trainer, MrenError *err)
{
	const MrenEnv *env = &trainer->env;
	const MrenNetLayout *layout = &trainer->layout;
	MrenOptimizerConfig config =
		mren_options_optimizer(&trainer->options, trainer->shape.image_dim > 0);
	size_t capacity =
		trainer->options.common.batch_size > 64 ? trainer->options.common.batch_size : 64;

	MREN_TRY(mren_batch_create(env, &trainer->shape, layout, capacity, &trainer->batch, err));
	trainer->batch.fine_tuned_ids = trainer->fine_tuned_ids;
	MREN_TRY(mren_allocate_zero(env, layout->table.size, sizeof(float), &trainer->values, err));
	MREN_TRY(
		mren_allocate_zero(env, layout->table.trained_size, sizeof(float), &trainer->grads, err));
	MREN_TRY(mren_trainer_ema_allocate(trainer, err));
	MREN_TRY(mren_trainer_members_allocate(trainer, err));
	MREN_TRY(mren_optimizer_create(env, &config, &layout->table, &trainer->optimizer, err));
	MREN_TRY(mren_allocate(env, capacity, sizeof(int32_t), &trainer->labels, err));
	MREN_TRY(mren_allocate(env, capacity, sizeof(float), &trainer->weights, err));
	MREN_TRY(mren_allocate(env, trainer->image_dim, sizeof(float), &trainer->raw_image, err));
	MREN_TRY(mren_allocate(env, trainer->image_dim, sizeof(float), &trainer->image_inverse, err));
	MREN_TRY(allocate_moments(env, &trainer->text, trainer->batch.pool_dim, err));
	MREN_TRY(allocate_moments(env, &trainer->image, trainer->image_dim, err));
	if (trainer->has_boxes)
		MREN_TRY(allocate_moments(env, &trainer->box, MREN_BOX_GEOMETRY, err));
	if (!trainer->has_grids)
		return MREN_OK;
	MREN_TRY(mren_allocate(env, mren_grid_size(&trainer->shape.grid), sizeof(uint16_t),
						   &trainer->raw_grid, err));
	return allocate_moments(env, &trainer->grid, trainer->shape.grid.channels, err);
}

static MrenStatus
end_scan(MrenTrainer *trainer, MrenError *err)
{
	MREN_TRY(shape_of(trainer, err));
	MREN_TRY(allocate_rows(trainer, err));
	MREN_TRY(allocate_network(trainer, err));
	MREN_TRY(mren_trainer_linear_allocate(trainer, err));
	trainer->objective = mren_options_objective(&trainer->options, trainer->negative);
	trainer->report.n_relations = trainer->relations.n;
	trainer->report.n_types = trainer->types.n;
	trainer->report.features_dim = mren_net_shape_scored_dim(&trainer->shape);
	trainer->report.n_parameters = trainer->layout.table.n_parameters;
	trainer->next_row = 0;
	trainer->stage = MREN_STAGE_MEASURE;
	return MREN_OK;
}

static void
begin_epoch(MrenTrainer *trainer)
{
	trainer->epoch++;
	trainer->loss_sum = trainer->loss_weight = 0;
	trainer->rows_done = 0;
	trainer->stage = MREN_STAGE_TRAIN;
	mren_trainer_pool_begin(trainer);
}

/* New values and streams; the second phase starts from others than the first. */
static MrenStatus
begin_phase(MrenTrainer *trainer, int phase, size_t epochs, MrenError *err)
{
	uint64_t seed = mren_trainer_seed(trainer);
	MrenRandom fresh;

	MREN_TRY(mren_trainer_select_member(trainer, err));
	trainer->phase = phase;
	trainer->epoch = 0;
	trainer->epochs = (int) epochs;
	trainer->drop.input = (float) trainer->options.common.dropout;
	trainer->drop.hidden = (float) trainer->options.common.hidden_dropout;
	trainer->drop.word = (float) trainer->options.common.word_dropout;
	mren_random_seed(&trainer->drop.random, seed, MREN_STREAM_DROPOUT + (uint64_t) phase);
	mren_random_seed(&trainer->withhold, seed, MREN_STREAM_WITHHOLD + (uint64_t) phase);
	mren_random_seed(&fresh, seed, MREN_STREAM_REFIT);
	MREN_TRY(mren_network_init(&trainer->env, &trainer->shape, &trainer->layout, trainer->values,
							   phase == 1 ? seed : mren_random_next(&fresh), err));
	mren_trainer_take_warm(trainer);
	mren_network_fix(&trainer->shape, &trainer->layout, trainer->values, trainer->objective.fixed);
	mren_trainer_ema_begin(trainer);
	mren_optimizer_reset(&trainer->layout.table, &trainer->optimizer);
	mren_trainer_linear_begin(trainer);
	begin_epoch(trainer);
	return MREN_OK;
}

static size_t
rows_in_phase(const MrenTrainer *trainer)
{
	return trainer->phase == 1 ? trainer->report.n_train
							   : trainer->report.n_train + trainer->report.n_validation;
}

MrenStatus
mren_trainer_check_loss(const MrenTrainer *trainer, double loss, MrenError *err)
{
	if (isfinite(loss))
		return MREN_OK;
	mren_fail(err, MREN_ENUMERIC, "training diverged in epoch %d: the loss is not finite",
			  trainer->epoch);
	mren_error_hint(err, "Lower option \"learning_rate\", which is %g.",
					trainer->options.common.learning_rate);
	return MREN_ENUMERIC;
}

/* Reads up to batch_size rows into the batch. */
static MrenStatus
fill_batch(MrenTrainer *trainer, MrenError *err)
{
	MrenBatch *batch = &trainer->batch;

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
mren_trainer_weight(const MrenTrainer *trainer)
{
	double sum = 0;

	for (size_t i = 0; i < trainer->batch.n; i++)
		sum += (double) trainer->weights[i];
	return sum;
}

MrenStatus
mren_trainer_loss(MrenTrainer *trainer, const MrenObjective *objective, const float *logits,
				  float scale, float *dlogits, double *loss, MrenError *err)
{
	size_t k = trainer->shape.n_relations;
	size_t rows = LOSS_LOGITS / k + 1;

	*loss = 0;
	for (size_t i = 0; i < trainer->batch.n; i += rows)
	{
		size_t n = trainer->batch.n - i < rows ? trainer->batch.n - i : rows;

		if (i > 0)
			MREN_TRY(mren_check_interrupts(&trainer->env, err));
		*loss += mren_loss(objective, logits + i * k, trainer->labels + i, trainer->weights + i, n,
						   k, scale, dlogits + i * k);
	}
	return MREN_OK;
}

/* One step of everything but the linear branch. */
static MrenStatus
train_network(MrenTrainer *trainer, MrenError *err)
{
	MrenBatch *batch = &trainer->batch;
	float scale = (float) (1 / ((double) batch->n * trainer->mean_weight));
	double loss;

	mren_network_forward(batch, trainer->values, &trainer->drop);
	if (batch->work.stopped)
		return mren_fail_canceled(err);
	MREN_TRY(mren_trainer_loss(trainer, &trainer->objective, batch->logits, scale, batch->dlogits,
							   &loss, err));
	MREN_TRY(mren_trainer_check_loss(trainer, loss, err));
	mren_network_backward(batch, trainer->values, trainer->grads);
	if (batch->work.stopped)
		return mren_fail_canceled(err);
	MREN_TRY(mren_optimizer_step(&trainer->env, &trainer->layout.table, &trainer->optimizer,
								 trainer->values, trainer->grads, err));
	MREN_TRY(mren_trainer_ema_step(trainer, err));
	trainer->loss_sum += loss;
	trainer->loss_weight += mren_trainer_weight(trainer);
	trainer->report.train_loss = trainer->loss_sum / trainer->loss_weight;
	return MREN_OK;
}

/* In the second phase each branch is trained for the epochs that were its best. */
static MrenStatus
train_batch(MrenTrainer *trainer, MrenError *err)
{
	if (trainer->phase == 1 || trainer->epoch <= trainer->best_epochs[trainer->member])
		MREN_TRY(train_network(trainer, err));
	MREN_TRY(mren_trainer_linear_train(trainer, err));
	trainer->rows_done += trainer->batch.n;
	return MREN_OK;
}

/* Temperature and bias from the best epoch's logits. */
static MrenStatus
calibrate(MrenTrainer *trainer, MrenError *err)
{
	MrenTrainReport *report = &trainer->report;
	MrenLogits rows = {.logits = trainer->best_logits,
					   .labels = trainer->kept_labels,
					   .weights = trainer->kept_weights,
					   .n = report->n_validation < trainer->keep_rows ? report->n_validation
																	  : trainer->keep_rows,
					   .k = trainer->shape.n_relations,
					   .negative = trainer->negative};
	MrenCalibration fit;

	MREN_TRY(mren_calibration_fit(&trainer->env, &rows, &fit, err));
	/* A few rows that are all right say nothing of how sure to be: likelihood
	 * would make every answer certain. */
	report->temperature =
		report->validation_accuracy >= 1 && fit.temperature < 1 ? 1 : fit.temperature;
	report->negative_bias = fit.bias;
	return MREN_OK;
}

/* A member is trained again on all rows, the linear branch beside the first. */
static MrenStatus
begin_refit(MrenTrainer *trainer, MrenError *err)
{
	int epochs = trainer->best_epochs[trainer->member];

	if (trainer->member == 0 && trainer->linear.best_epoch > epochs)
		epochs = trainer->linear.best_epoch;
	return begin_phase(trainer, 2, (size_t) epochs, err);
}

/* All members have been through the first phase: calibration, perhaps a second phase. */
static MrenStatus
end_first_phase(MrenTrainer *trainer, MrenError *err)
{
	trainer->stage = MREN_STAGE_DONE;
	MREN_TRY(mren_trainer_join_members(trainer, err));
	if (!trainer->report.validated)
		return MREN_OK;
	MREN_TRY(mren_trainer_linear_join(trainer, err));
	MREN_TRY(calibrate(trainer, err));
	if (!trainer->options.common.refit || trainer->stopping)
		return MREN_OK;
	for (size_t i = 0; i < trainer->source.n; i++)
	{
		if (trainer->roles[i] == MREN_ROLE_VALIDATION)
			trainer->roles[i] = MREN_ROLE_TRAIN;
	}
	return begin_refit(trainer, err);
}

static MrenStatus
end_member(MrenTrainer *trainer, MrenError *err)
{
	if (trainer->phase == 1)
	{
		mren_trainer_end_member(trainer);
		if (mren_trainer_next_member(trainer))
			return begin_phase(trainer, 1, trainer->options.common.epochs, err);
		return end_first_phase(trainer, err);
	}
	mren_trainer_keep_values(trainer);
	trainer->report.refit_epochs += trainer->epoch;
	if (++trainer->member < trainer->n_members)
		return begin_refit(trainer, err);
	trainer->member = 0;
	trainer->stage = MREN_STAGE_DONE;
	return mren_trainer_select_member(trainer, err);
}

/* After an epoch and its validation: the next one, or the end of the member's phase. */
static MrenStatus
end_epoch(MrenTrainer *trainer, MrenError *err)
{
	const MrenTrainReport *report = &trainer->report;
	bool patient = trainer->options.common.patience == 0 || !report->validated ||
				   trainer->epoch - report->best_epoch < (int) trainer->options.common.patience ||
				   mren_trainer_linear_may_improve(trainer);

	MREN_TRY(mren_check_interrupts(&trainer->env, err));
	if (trainer->epoch == trainer->epochs || (trainer->phase == 1 && !patient) || trainer->stopping)
		return end_member(trainer, err);
	begin_epoch(trainer);
	return MREN_OK;
}

void
mren_trainer_stop(MrenTrainer *trainer)
{
	trainer->stopping = true;
}

/* Amid an epoch: at once if there is a best one, else after this first. */
static MrenStatus
stop_early(MrenTrainer *trainer, MrenError *err)
{
	if (!trainer->report.validated && trainer->member == 0)
		return MREN_OK;
	if (trainer->phase == 1)
	{
		if (trainer->report.validated)
			mren_trainer_end_member(trainer);
		else
			mren_trainer_drop_member(trainer);
		return end_first_phase(trainer, err);
	}
	/* Members that have not been trained again stay as they were. */
	if (trainer->member == 0)
		mren_trainer_linear_restore(trainer);
	trainer->member = 0;
	trainer->stage = MREN_STAGE_DONE;
	return mren_trainer_select_member(trainer, err);
}

static void
report_progress(const MrenTrainer *trainer, MrenTrainEvent event, MrenProgress *progress)
{
	progress->event = event;
	progress->phase = trainer->phase;
	progress->epoch = trainer->epoch;
	progress->member = (int) trainer->member + 1;
	progress->members = (int) trainer->n_members;
	progress->epochs = trainer->epochs;
	progress->rows_done = trainer->rows_done;
	progress->rows_total = rows_in_phase(trainer);
	progress->loss = trainer->rows_done > 0 ? trainer->report.train_loss : 0;
}

static MrenStatus
step_scan(MrenTrainer *trainer, MrenProgress *progress, MrenError *err)
{
	size_t n = trainer->source.n;
	bool done;

	progress->event = MREN_TRAIN_SCAN;
	progress->phase = 1;
	progress->epochs = (int) trainer->options.common.epochs;
	progress->rows_total = 2 * n;
	if (trainer->stage == MREN_STAGE_SCAN)
	{
		MREN_TRY(mren_trainer_scan(trainer, &done, err));
		progress->rows_done = trainer->next_row;
		return done ? end_scan(trainer, err) : MREN_OK;
	}
	MREN_TRY(mren_trainer_measure(trainer, &done, err));
	progress->rows_done = n + trainer->next_row;
	if (!done)
		return MREN_OK;
	mren_trainer_members_begin(trainer);
	return begin_phase(trainer, 1, trainer->options.common.epochs, err);
}

static MrenStatus
step_train(MrenTrainer *trainer, MrenProgress *progress, MrenError *err)
{
	bool last;

	MREN_TRY(mren_check_interrupts(&trainer->env, err));
	MREN_TRY(fill_batch(trainer, err));
	if (trainer->batch.n > 0)
		MREN_TRY(train_batch(trainer, err));
	last = trainer->rows_done == rows_in_phase(trainer);
	report_progress(trainer, MREN_TRAIN_STEP, progress);
	if (!last)
		return MREN_OK;
	if (trainer->phase == 1 && trainer->report.n_validation > 0)
	{
		memset(&trainer->validation, 0, sizeof(trainer->validation));
		trainer->stage = MREN_STAGE_VALIDATE;
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

MrenStatus
mren_trainer_step(MrenTrainer *trainer, MrenProgress *progress, MrenError *err)
{
	memset(progress, 0, sizeof(*progress));
	if (trainer->stopping && trainer->stage != MREN_STAGE_DONE)
		MREN_TRY(stop_early(trainer, err));
	switch (trainer->stage)
	{
		case MREN_STAGE_SCAN:
		case MREN_STAGE_MEASURE:
			return step_scan(trainer, progress, err);
		case MREN_STAGE_TRAIN:
			return step_train(trainer, progress, err);
		case MREN_STAGE_VALIDATE:
			return step_validate(trainer, progress, err);
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
