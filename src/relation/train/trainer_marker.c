/*
 * trainer_marker.c
 *	  The epochs of a marker classifier, and joining it with the members.
 *
 * Gradients of encoder and output layer are clipped together.  An epoch is judged by its likelihood
 * after calibration, since a fine-tuned encoder becomes overconfident while its ranking still
 * improves.  Rate, schedule and restarts are those of transformer/train/encoder_tuning.
 */
#include "relation/train/trainer_members.h"
#include "relation/train/trainer_stages.h"

#include <math.h>
#include <string.h>

#include "nn/dropout.h"
#include "nn/kernels.h"
#include "relation/net_internal.h"

#define HEAD_DROPOUT 0.1f
#define HEAD_RATE 1e-3 /* at least */
#define LEAST_EPOCHS 5
#define MOST_EPOCHS 20
#define LEAST_STEPS 250	  /* but for MOST_EPOCHS */
#define CHANCE_GAIN 3.0	  /* nats of all validation rows that say nothing */
#define CHANCE_SHARE 0.01 /* of their entropy, likewise */

/*
 * Epochs
 */

/* The rows that train in this stage. */
static MrenSentenceRows *
training_rows(MrenTrainer *trainer)
{
	return trainer->epochs.gold ? &trainer->marker.train : &trainer->marker.weak;
}

static void
begin_pass(MrenTrainer *trainer, bool validating)
{
	MrenMarkerTraining *marker = &trainer->marker;
	MrenEpochs *epochs = &trainer->epochs;
	MrenRandom order;

	epochs->validating = validating;
	memset(&trainer->validation, 0, sizeof(trainer->validation));
	if (validating)
	{
		mren_marker_rows_begin(&marker->validation, NULL);
		return;
	}
	epochs->epoch++;
	epochs->loss_sum = epochs->loss_weight = 0;
	epochs->rows_done = 0;
	mren_random_seed(&order, (uint64_t) trainer->options.common.seed,
					 (uint64_t) (MREN_STREAM_MARKER_SHUFFLE + epochs->phase) << 32 |
						 (uint64_t) epochs->epoch);
	mren_marker_rows_begin(training_rows(trainer), &order);
}

/* The output layer's first weights, N(0, 1 / fan in) scaled down, and zero biases. */
static void
draw_head(MrenTrainer *trainer)
{
	MrenMarkerTraining *marker = &trainer->marker;
	const MrenParameter *weight = &marker->head.items[MREN_HEAD_WEIGHT];
	float deviation = 0.02f;
	MrenRandom random;

	memset(marker->head_values, 0, marker->head.size * sizeof(float));
	mren_random_seed(&random, (uint64_t) trainer->options.common.seed, MREN_STREAM_MARKER_HEAD);
	for (size_t i = 0; i < weight->rows * weight->cols; i++)
		marker->head_values[weight->at + i] = deviation * mren_random_normal(&random);
}

/* Whether the stage begins with the classifier of an earlier network. */
static bool
begins_warm(const MrenTrainer *trainer)
{
	return trainer->marker.warm != NULL && trainer->marker.start_head == NULL &&
		   trainer->report.encoder_restarts == 0;
}

/* About the number of steps that read the rows that train once. */
static size_t
steps_of_epoch(const MrenTrainer *trainer)
{
	const MrenMarkerTraining *marker = &trainer->marker;
	const MrenSentenceRows *rows = trainer->epochs.gold ? &marker->train : &marker->weak;
	size_t batch = trainer->options.encoder_batch_size;
	size_t most_rows = batch * MREN_MARKER_STEP_ROWS;
	size_t n_texts = marker->shape.solid > 0 ? rows->n : rows->n_sentences;
	size_t by_texts = (n_texts + batch - 1) / batch;
	size_t by_rows = (rows->n + most_rows - 1) / most_rows;

	return by_texts > by_rows ? by_texts : by_rows;
}

/*
 * Few rows take more epochs: an encoder takes some hundred steps to learn a task, however many
 * rows it has (Mosbach et al. 2021).
 */
static size_t
choose_epochs(const MrenTrainer *trainer)
{
	size_t steps = steps_of_epoch(trainer);
	size_t epochs = steps > 0 ? (LEAST_STEPS + steps - 1) / steps : LEAST_EPOCHS;

	if (trainer->options.encoder_epochs != MREN_MARKER_EPOCHS_AUTO)
		return trainer->options.encoder_epochs;
	epochs = epochs > LEAST_EPOCHS ? epochs : LEAST_EPOCHS;
	return epochs < MOST_EPOCHS ? epochs : MOST_EPOCHS;
}

/* Gold rows that follow weak ones have all epochs, if at a lower rate. */
int
mren_trainer_marker_epochs(const MrenTrainer *trainer)
{
	size_t epochs = choose_epochs(trainer);

	if (trainer->marker.start_head != NULL)
		return (int) epochs;
	return mren_transformer_tuning_epochs(&trainer->marker.fine_tuning, epochs);
}

MrenStatus
mren_trainer_marker_begin(MrenTrainer *trainer, MrenError *err)
{
	MrenMarkerTraining *marker = &trainer->marker;
	MrenParameterList head = mren_parameters_trained(&marker->head);
	int n_epochs = mren_trainer_marker_epochs(trainer);

	if (trainer->epochs.phase == MREN_PHASE_REFIT)
		MREN_TRY(mren_marker_rows_join(trainer, err));
	MREN_TRY(mren_transformer_tuning_begin(&marker->fine_tuning, err));
	mren_optimizer_reset(head, &marker->head_optimizer);
	draw_head(trainer);
	mren_trainer_marker_warm_head(trainer);
	if (marker->start_head != NULL)
		memcpy(marker->head_values, marker->start_head, marker->head.size * sizeof(float));
	marker->n_rows = (double) training_rows(trainer)->n * n_epochs;
	marker->rows_done = 0;
	marker->n_done = 0;
	/* An earlier network may be better than any epoch: it is validated first. */
	begin_pass(trainer, begins_warm(trainer) && trainer->epochs.validates);
	return MREN_OK;
}

/* The output layer over the rows of the step, whose vectors are known. */
static void
score_rows(MrenTrainer *trainer, MrenWork *work, MrenRandom *drop)
{
	MrenMarkerTraining *marker = &trainer->marker;
	MrenMarkerStep *step = &marker->step;
	size_t dim = mren_marker_dim(&marker->shape);
	MrenDenseLayer layer =
		mren_dense_layer(&marker->head, marker->head_values, MREN_HEAD_WEIGHT, MREN_HEAD_BIAS);
	MrenRows in = {step->input, step->n, dim};

	for (size_t i = 0; i < step->n; i++)
		mren_marker_gather(&step->batch, &marker->shape, i, step->vectors, step->input + i * dim);
	if (drop != NULL)
		mren_dropout(drop, HEAD_DROPOUT, step->input, step->input, step->mask, step->n * dim);
	mren_dense_forward(work, &layer, &in, step->logits);
}

/* The gradient of the vectors that are read; rows of one sentence may read the same one. */
static void
spread_gradient(MrenTrainer *trainer)
{
	MrenMarkerTraining *marker = &trainer->marker;
	MrenMarkerStep *step = &marker->step;
	size_t dim = mren_marker_dim(&marker->shape);
	size_t width = marker->shape.width;

	mren_multiply(step->dinput, step->dinput, step->mask, step->n * dim);
	memset(step->dvectors, 0, step->batch.batch.n_tokens * width * sizeof(float));
	for (size_t i = 0; i < step->n * MREN_MARKER_READS; i++)
	{
		if (step->batch.reads[i] != SIZE_MAX)
			mren_axpy(step->dvectors + step->batch.reads[i] * width, step->dinput + i * width, 1,
					  width);
	}
}

static double
head_rate(const MrenMarkerTraining *marker)
{
	double least =
		marker->fine_tuning.start != NULL ? HEAD_RATE * MREN_ENCODER_TUNING_START_RATE : HEAD_RATE;

	return fmax(mren_transformer_tuning_greatest_rate(&marker->fine_tuning), least);
}

static MrenStatus
step_optimizers(MrenTrainer *trainer, MrenError *err)
{
	MrenMarkerTraining *marker = &trainer->marker;
	MrenParameterList head = mren_parameters_trained(&marker->head);
	MrenClippedBeside beside = {head, marker->head_grads};
	double n = (double) marker->step.n;
	double share = mren_transformer_tuning_share((marker->rows_done + n) / (marker->n_rows + n));

	MREN_TRY(mren_transformer_tuning_clip(&marker->fine_tuning, &beside, err));
	marker->head_optimizer.config.learning_rate = share * head_rate(marker);
	marker->n_done++;
	marker->rows_done += n;
	MREN_TRY(mren_optimizer_step(&trainer->env, head, &marker->head_optimizer, marker->head_values,
								 marker->head_grads, err));
	return mren_transformer_tuning_step(&marker->fine_tuning, share, err);
}

static MrenObjective
objective_of(void)
{
	return (MrenObjective){.loss = MREN_LOSS_CROSS_ENTROPY, .fixed = -1};
}

/* Scores of the step's rows with their loss; drop NULL: as in prediction. */
static MrenStatus
forward(MrenTrainer *trainer, MrenWork *work, MrenRandom *drop, MrenError *err)
{
	MrenMarkerTraining *marker = &trainer->marker;
	MrenMarkerStep *step = &marker->step;
	uint64_t seed = drop != NULL ? mren_random_next(drop) : 0;

	MREN_TRY(mren_transformer_tuning_forward(&marker->fine_tuning, &step->batch.batch,
											 drop != NULL ? &seed : NULL, step->vectors, err));
	score_rows(trainer, work, drop);
	return work->stopped ? mren_fail_canceled(err) : MREN_OK;
}

static MrenStatus
backward(MrenTrainer *trainer, MrenWork *work, MrenError *err)
{
	MrenMarkerTraining *marker = &trainer->marker;
	MrenMarkerStep *step = &marker->step;
	MrenDenseLayer layer =
		mren_dense_layer(&marker->head, marker->head_values, MREN_HEAD_WEIGHT, MREN_HEAD_BIAS);
	MrenDenseLayer gradient =
		mren_dense_layer(&marker->head, marker->head_grads, MREN_HEAD_WEIGHT, MREN_HEAD_BIAS);
	MrenRows in = {step->input, step->n, mren_marker_dim(&marker->shape)};

	mren_dense_backward(work, &layer, &gradient, &in, step->dlogits, step->dinput);
	if (work->stopped)
		return mren_fail_canceled(err);
	spread_gradient(trainer);
	return mren_transformer_tuning_backward(&marker->fine_tuning, step->dvectors, err);
}

static double
weight_of(const MrenMarkerStep *step)
{
	double sum = 0;

	for (size_t i = 0; i < step->n; i++)
		sum += (double) step->weights[i];
	return sum;
}

static MrenStatus
train_rows(MrenTrainer *trainer, MrenError *err)
{
	MrenMarkerTraining *marker = &trainer->marker;
	MrenMarkerStep *step = &marker->step;
	MrenEpochs *epochs = &trainer->epochs;
	MrenObjective objective = objective_of();
	MrenWork work = {.env = &trainer->env};
	MrenRandom drop;
	double loss;

	mren_random_seed(&drop, (uint64_t) trainer->options.common.seed,
					 (uint64_t) (MREN_STREAM_MARKER_DROPOUT + epochs->phase) << 32 |
						 marker->n_done);
	MREN_TRY(forward(trainer, &work, &drop, err));
	loss =
		mren_loss(&objective,
				  &(MrenLabelledRows){step->logits, step->labels, step->weights, step->n,
									  trainer->shape.n_relations, step->targets, step->soft},
				  (float) (1 / ((double) step->n * trainer->measured.mean_weight)), step->dlogits);
	MREN_TRY(mren_trainer_check_loss(trainer, loss, err));
	MREN_TRY(backward(trainer, &work, err));
	MREN_TRY(step_optimizers(trainer, err));
	epochs->loss_sum += loss;
	epochs->loss_weight += weight_of(step);
	epochs->rows_done += step->n;
	trainer->report.train_loss = epochs->loss_sum / epochs->loss_weight;
	return MREN_OK;
}

/*
 * Validation
 */

static MrenStatus
validate_rows(MrenTrainer *trainer, MrenError *err)
{
	MrenMarkerTraining *marker = &trainer->marker;
	MrenMarkerStep *step = &marker->step;
	MrenValidation *v = &trainer->validation;
	MrenObjective objective = objective_of();
	MrenWork work = {.env = &trainer->env};
	size_t k = trainer->shape.n_relations;

	MREN_TRY(forward(trainer, &work, NULL, err));
	v->loss += mren_loss(&objective,
						 &(MrenLabelledRows){step->logits, step->labels, step->weights, step->n, k,
											 step->targets, step->soft},
						 1, step->dlogits);
	v->weight += weight_of(step);
	for (size_t i = 0; i < step->n; i++)
	{
		const float *logits = step->logits + i * k;
		int32_t best = (int32_t) mren_net_best(logits, k);

		if (step->ranks[i] < trainer->kept.capacity)
			memcpy(marker->kept_scores + step->ranks[i] * k, logits, k * sizeof(float));
		v->n++;
		v->n_correct += best == step->labels[i];
		v->n_actual += step->labels[i] != trainer->negative;
		v->n_predicted += best != trainer->negative;
		v->n_hit += best == step->labels[i] && best != trainer->negative;
	}
	return mren_trainer_check_loss(trainer, v->loss, err);
}

static void
keep_values(MrenTrainer *trainer)
{
	MrenMarkerTraining *marker = &trainer->marker;

	memcpy(marker->best_head, marker->head_values, marker->head.size * sizeof(float));
	mren_transformer_tuning_keep(&marker->fine_tuning,
								 mren_transformer_trainer_values(marker->fine_tuning.trainer));
	marker->best_epoch = trainer->epochs.epoch;
	marker->kept = true;
}

/* After a pass over the validation rows. */
static MrenStatus
validated(MrenTrainer *trainer, MrenProgress *progress, MrenError *err)
{
	MrenMarkerTraining *marker = &trainer->marker;
	const MrenValidation *v = &trainer->validation;
	MrenLogits rows = mren_trainer_kept_rows(trainer, marker->kept_scores, -1);
	size_t both = v->n_actual + v->n_predicted;
	float *swap = marker->kept_scores;
	MrenCalibration fit;
	double loss;

	progress->validated = true;
	progress->validation_loss = v->loss / v->weight;
	progress->validation_accuracy = (double) v->n_correct / (double) v->n;
	progress->validation_f1 = both > 0 ? 2 * (double) v->n_hit / (double) both : 0;
	MREN_TRY(mren_calibration_fit(&trainer->env, &rows, &fit, err));
	loss = mren_calibration_loss(&rows, &fit);
	progress->improved = !marker->kept || loss < marker->loss;
	if (!progress->improved)
		return MREN_OK;
	marker->loss = loss;
	marker->kept_scores = marker->best_scores;
	marker->best_scores = swap;
	keep_values(trainer);
	return MREN_OK;
}

/*
 * Whether the best epoch is no more likely than the shares of the relations, but for what a few
 * fitted numbers owe to chance (Akaike 1974).  Accuracy would not do: where one relation is most
 * frequent by far, an encoder may have learned much and still give no other answer.
 */
static bool
at_chance(const MrenTrainer *trainer)
{
	double entropy = trainer->report.validation_entropy;
	double n = (double) mren_trainer_n_kept(trainer);

	return n * (entropy - trainer->marker.loss) < CHANCE_GAIN + CHANCE_SHARE * n * entropy;
}

MrenStatus
mren_trainer_marker_end_epoch(MrenTrainer *trainer, bool *done, MrenError *err)
{
	MrenMarkerTraining *marker = &trainer->marker;

	*done = trainer->epochs.epoch == trainer->epochs.n_epochs || trainer->stopping;
	if (!*done)
	{
		begin_pass(trainer, false);
		return MREN_OK;
	}
	if (marker->start_head != NULL || trainer->epochs.phase == MREN_PHASE_REFIT ||
		!trainer->epochs.validates || trainer->stopping ||
		!mren_transformer_tuning_again(&marker->fine_tuning, trainer->report.n_validation,
									   at_chance(trainer)))
		return MREN_OK;
	*done = false;
	marker->kept = false;
	marker->best_epoch = 0;
	trainer->epochs.epoch = 0;
	trainer->epochs.n_epochs = mren_trainer_marker_epochs(trainer);
	trainer->report.encoder_restarts++;
	return mren_trainer_marker_begin(trainer, err);
}

MrenStatus
mren_trainer_marker_step(MrenTrainer *trainer, MrenProgress *progress, MrenError *err)
{
	MrenMarkerTraining *marker = &trainer->marker;
	bool validating = trainer->epochs.validating;

	progress->event = MREN_TRAIN_STEP;
	MREN_TRY(mren_check_interrupts(&trainer->env, err));
	MREN_TRY(mren_marker_rows_next(
		trainer, validating ? &marker->validation : training_rows(trainer), !validating, err));
	if (marker->step.n > 0)
		return validating ? validate_rows(trainer, err) : train_rows(trainer, err);
	if (!validating && trainer->epochs.validates)
	{
		begin_pass(trainer, true);
		return MREN_OK;
	}
	if (validating && trainer->epochs.epoch == 0)
	{
		MREN_TRY(validated(trainer, progress, err));
		begin_pass(trainer, false);
		return MREN_OK;
	}
	progress->event = MREN_TRAIN_EPOCH;
	if (validating)
		return validated(trainer, progress, err);
	/* A refit that is stopped leaves what the fit has kept. */
	if (trainer->epochs.phase != MREN_PHASE_REFIT ||
		trainer->epochs.epoch == trainer->epochs.n_epochs)
		keep_values(trainer);
	return MREN_OK;
}

void
mren_trainer_marker_stop(MrenTrainer *trainer)
{
	if (!trainer->marker.kept)
		trainer->marker.shape.width = 0;
}

MrenStatus
mren_trainer_marker_end_pretraining(MrenTrainer *trainer, MrenError *err)
{
	MrenMarkerTraining *marker = &trainer->marker;
	MrenEncoderTuning *fine_tuning = &marker->fine_tuning;
	size_t n = marker->head.size;

	marker->best_epoch = 0;
	MREN_TRY(mren_allocate(&trainer->env, n, sizeof(float), &marker->start_head, err));
	MREN_TRY(mren_allocate(&trainer->env, fine_tuning->n_tuned, sizeof(float), &marker->start_tuned,
						   err));
	memcpy(marker->start_head, marker->best_head, n * sizeof(float));
	mren_transformer_tuning_copy_best(fine_tuning, marker->start_tuned);
	mren_transformer_tuning_start(fine_tuning, marker->start_tuned);
	return MREN_OK;
}

/*
 * Joining and finishing
 */

MrenStatus
mren_trainer_marker_join(MrenTrainer *trainer, MrenError *err)
{
	MrenMarkerTraining *marker = &trainer->marker;
	float *best = trainer->kept.best;

	if (!mren_trainer_marker_wanted(trainer))
		return MREN_OK;
	MREN_TRY(mren_trainer_fit_share(trainer, best, marker->best_scores, marker->kept_scores,
									&marker->share, err));
	mren_trainer_mix(trainer, best, marker->best_scores, marker->share, best);
	mren_trainer_report_kept(trainer);
	trainer->report.encoder_share = marker->share;
	trainer->report.encoder_epoch = marker->best_epoch;
	return MREN_OK;
}

double
mren_trainer_marker_share(const MrenTrainer *trainer)
{
	return mren_trainer_marker_wanted(trainer) ? trainer->marker.share : 0;
}

void
mren_trainer_marker_shape(const MrenTrainer *trainer, MrenMarkerShape *shape)
{
	*shape = (MrenMarkerShape){0};
	if (mren_trainer_marker_share(trainer) > 0)
		*shape = trainer->marker.shape;
}

MrenStatus
mren_trainer_marker_finish(const MrenTrainer *trainer, MrenNet *net, MrenError *err)
{
	const MrenMarkerTraining *marker = &trainer->marker;
	MrenMarkerClassifier *classifier = net->marker;
	size_t words;

	if (classifier == NULL)
		return MREN_OK;
	words = trainer->inputs.encoder->config.vocabulary * marker->shape.embedding_width;
	memcpy(mren_parameter_at(&classifier->table, classifier->values, MREN_MARKER_EMBEDDINGS),
		   marker->fine_tuning.weights + words,
		   mren_marker_kinds(&marker->shape) * marker->shape.embedding_width * sizeof(float));
	for (size_t i = 0; i < 2; i++)
	{
		const MrenParameter *from = &marker->head.items[i];
		float *to =
			mren_parameter_at(&classifier->table, classifier->values, MREN_MARKER_HEAD_WEIGHT + i);

		memcpy(to, marker->best_head + from->at, from->rows * from->cols * sizeof(float));
		mren_scale(to, (float) marker->share, from->rows * from->cols);
	}
	if (marker->shape.tuning.n > 0)
		mren_transformer_tuning_copy_best(
			&marker->fine_tuning,
			mren_parameter_at(&classifier->table, classifier->values, MREN_MARKER_TUNED));
	memset(net->marker_set, true, sizeof(net->marker_set));
	return mren_check_interrupts(&trainer->env, err);
}
