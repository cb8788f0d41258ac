/*
 * trainer_linear.c
 *	  Training the linear branch beside the network, and joining the two.
 *
 * The branch has a loss of its own: trained on the error of a common sum, it would fit the
 * rows first and leave the network little to learn.  That is the ranking loss; with features
 * of boxes cross-entropy, since where things lie leaves several relations likely, which a margin
 * cannot say.  Its scores and the network's logits are added at the end as a
 * log-linear model, (1 - share) * network + share * branch, whose share makes
 * the validation rows most likely; each branch is taken as it was in its own best epoch.
 */
#include "relation/train/trainer_internal.h"

#include <math.h>
#include <string.h>

#include "evaluation/calibration.h"
#include "relation/net_internal.h"

#define RATE 0.02f
#define BOX_RATE 0.01f /* with features of boxes, which are many and alike */
#define L1 0.0f
#define FIRST_SQUARE 1e-8f
#define LEAST_COUNT 2	/* training rows that have a feature */
#define EPOCHS 20		/* at most: a step gets ever smaller, so there is no end to wait for */
#define USUAL_SHARE 0.5 /* without validation rows */

/* Not asked for, or no feature was seen. */
static bool
is_off(const MrenTrainer *trainer)
{
	return trainer->shape.linear_rows == 0;
}

/* The branch is trained beside the first member of an ensemble. */
static bool
is_idle(const MrenTrainer *trainer)
{
	return is_off(trainer) || trainer->member > 0;
}

static float *
weights_of(const MrenTrainer *trainer)
{
	return mren_parameter_at(&trainer->layout.table, trainer->values, trainer->layout.ids.linear);
}

static size_t
n_weights(const MrenTrainer *trainer)
{
	return trainer->shape.linear_rows * trainer->shape.n_relations;
}

/* How many of a row's features count: those of boxes only where images do. */
static size_t
n_features(const MrenTrainer *trainer, const MrenExample *example, bool with_image)
{
	bool boxes = with_image && example->has_image && trainer->image_dim > 0;

	return example->n_features - (boxes ? 0 : example->n_box_features);
}

MrenStatus
mren_trainer_linear_scan(MrenTrainer *trainer, const MrenExample *example, MrenError *err)
{
	size_t n_slots = (size_t) 1 << trainer->options.hash_bits;
	size_t n = n_features(trainer, example, true);

	if (trainer->options.hash_bits == 0 || n == 0)
		return MREN_OK;
	if (trainer->linear.counts == NULL)
		MREN_TRY(mren_allocate_zero(&trainer->env, n_slots, 1, &trainer->linear.counts, err));
	trainer->linear.has_boxes |= n > example->n_features - example->n_box_features;
	for (size_t i = 0; i < n; i++)
	{
		uint8_t *count = &trainer->linear.counts[example->features[i] & (n_slots - 1)];

		*count = *count < UINT8_MAX ? *count + 1 : UINT8_MAX;
	}
	return MREN_OK;
}

MrenStatus
mren_trainer_linear_choose(MrenTrainer *trainer, MrenError *err)
{
	MrenLinearTraining *linear = &trainer->linear;
	size_t n_slots = (size_t) 1 << trainer->options.hash_bits;
	size_t n = 0;

	if (linear->counts == NULL)
		return MREN_OK;
	for (size_t i = 0; i < n_slots; i++)
		n += linear->counts[i] >= LEAST_COUNT;
	if (n == 0)
		return MREN_OK;
	if (n > MREN_MAX_LINEAR_WEIGHTS / trainer->relations.n)
	{
		mren_fail(err, MREN_ELIMIT, "%zu lexical features of %zu relations are too many", n,
				  trainer->relations.n);
		mren_error_hint(err, "Lower option \"hash_bits\", which is %zu.",
						trainer->options.hash_bits);
		return MREN_ELIMIT;
	}
	MREN_TRY(mren_allocate(&trainer->env, n, sizeof(uint32_t), &linear->slots, err));
	trainer->shape.hash_bits = trainer->options.hash_bits;
	for (size_t i = 0; i < n_slots; i++)
	{
		if (linear->counts[i] >= LEAST_COUNT)
			linear->slots[trainer->shape.linear_rows++] = (uint32_t) i;
	}
	return mren_linear_index_create(&trainer->env, (unsigned) trainer->options.hash_bits,
									linear->slots, n, &linear->index, err);
}

MrenStatus
mren_trainer_linear_allocate(MrenTrainer *trainer, MrenError *err)
{
	const MrenEnv *env = &trainer->env;
	MrenLinearTraining *linear = &trainer->linear;
	size_t k = trainer->shape.n_relations;
	size_t capacity = trainer->batch.capacity;

	if (is_off(trainer))
		return MREN_OK;
	linear->share = USUAL_SHARE;
	linear->objective = mren_options_objective(&trainer->options, trainer->negative);
	linear->objective.loss = linear->has_boxes ? MREN_LOSS_CROSS_ENTROPY : MREN_LOSS_RANKING;
	linear->objective.fixed = trainer->negative;
	MREN_TRY(mren_allocate(env, n_weights(trainer), sizeof(float), &linear->squares, err));
	MREN_TRY(mren_allocate_zero(env, n_weights(trainer), sizeof(float), &linear->best, err));
	MREN_TRY(
		mren_allocate(env, capacity * MREN_MAX_ROW_FEATURES, sizeof(uint32_t), &linear->rows, err));
	MREN_TRY(mren_allocate(env, capacity, sizeof(uint32_t), &linear->n_rows, err));
	MREN_TRY(mren_allocate(env, capacity * k, sizeof(float), &linear->scores, err));
	MREN_TRY(mren_allocate(env, capacity * k, sizeof(float), &linear->dscores, err));
	MREN_TRY(mren_allocate(env, trainer->keep_rows * k, sizeof(float), &linear->kept_scores, err));
	return mren_allocate_zero(env, trainer->keep_rows * k, sizeof(float), &linear->best_scores,
							  err);
}

void
mren_trainer_linear_free(MrenTrainer *trainer)
{
	const MrenEnv *env = &trainer->env;
	MrenLinearTraining *linear = &trainer->linear;

	mren_linear_index_free(env, &linear->index);
	mren_release(env, linear->counts);
	mren_release(env, linear->slots);
	mren_release(env, linear->squares);
	mren_release(env, linear->best);
	mren_release(env, linear->rows);
	mren_release(env, linear->n_rows);
	mren_release(env, linear->scores);
	mren_release(env, linear->dscores);
	mren_release(env, linear->kept_scores);
	mren_release(env, linear->best_scores);
}

void
mren_trainer_linear_begin(MrenTrainer *trainer)
{
	size_t n = n_weights(trainer);

	if (n == 0 || trainer->member > 0)
		return;
	memset(weights_of(trainer), 0, n * sizeof(float));
	for (size_t i = 0; i < n; i++)
		trainer->linear.squares[i] = FIRST_SQUARE;
}

void
mren_trainer_linear_load(MrenTrainer *trainer, const MrenExample *example, size_t row,
						 bool with_image)
{
	MrenLinearTraining *linear = &trainer->linear;

	if (is_idle(trainer))
		return;
	linear->n_rows[row] = (uint32_t) mren_linear_rows(&linear->index, example->features,
													  n_features(trainer, example, with_image),
													  linear->rows + row * MREN_MAX_ROW_FEATURES);
}

/* Weights read or stepped between two questions. */
#define ASK_WEIGHTS ((size_t) 1 << 24)

/* Counts the weights of row i; asks once they have become many. */
static MrenStatus
count_row(MrenTrainer *trainer, size_t i, size_t *unchecked, MrenError *err)
{
	*unchecked += trainer->linear.n_rows[i] * trainer->shape.n_relations;
	if (*unchecked < ASK_WEIGHTS)
		return MREN_OK;
	*unchecked = 0;
	return mren_check_interrupts(&trainer->env, err);
}

static MrenStatus
score_batch(MrenTrainer *trainer, MrenError *err)
{
	MrenLinearTraining *linear = &trainer->linear;
	size_t k = trainer->shape.n_relations;
	size_t n = trainer->batch.n;
	size_t unchecked = 0;

	memset(linear->scores, 0, n * k * sizeof(float));
	for (size_t i = 0; i < n; i++)
	{
		MREN_TRY(count_row(trainer, i, &unchecked, err));
		mren_linear_add(weights_of(trainer), k, linear->rows + i * MREN_MAX_ROW_FEATURES,
						linear->n_rows[i], linear->scores + i * k);
	}
	return MREN_OK;
}

/* The first phase trains on while the rest does; the second as long as was best. */
MrenStatus
mren_trainer_linear_train(MrenTrainer *trainer, MrenError *err)
{
	MrenLinearTraining *linear = &trainer->linear;
	MrenSparse sparse = {linear->has_boxes ? BOX_RATE : RATE, L1};
	size_t k = trainer->shape.n_relations;
	size_t unchecked = 0;
	double loss;

	if (is_idle(trainer) || (trainer->phase == 2 && trainer->epoch > linear->best_epoch) ||
		(trainer->phase == 1 && trainer->epoch > EPOCHS))
		return MREN_OK;
	MREN_TRY(score_batch(trainer, err));
	MREN_TRY(mren_trainer_loss(trainer, &linear->objective, linear->scores,
							   (float) (1 / trainer->mean_weight), linear->dscores, &loss, err));
	for (size_t i = 0; i < trainer->batch.n; i++)
	{
		MREN_TRY(count_row(trainer, i, &unchecked, err));
		mren_sparse_step(&sparse, weights_of(trainer), linear->squares, k,
						 linear->rows + i * MREN_MAX_ROW_FEATURES, linear->n_rows[i],
						 linear->dscores + i * k);
	}
	return MREN_OK;
}

MrenStatus
mren_trainer_linear_validate(MrenTrainer *trainer, size_t first, MrenError *err)
{
	MrenLinearTraining *linear = &trainer->linear;
	size_t k = trainer->shape.n_relations;
	size_t n = trainer->batch.n;

	if (is_idle(trainer))
		return MREN_OK;
	MREN_TRY(score_batch(trainer, err));
	if (first < trainer->keep_rows)
		memcpy(linear->kept_scores + first * k, linear->scores,
			   (n < trainer->keep_rows - first ? n : trainer->keep_rows - first) * k *
				   sizeof(float));
	return MREN_OK;
}

/* The validation rows that are kept, for a calibration. */
static MrenLogits
kept_rows(const MrenTrainer *trainer, int32_t negative)
{
	return (MrenLogits){.labels = trainer->kept_labels,
						.weights = trainer->kept_weights,
						.n = trainer->validation.n < trainer->keep_rows ? trainer->validation.n
																		: trainer->keep_rows,
						.k = trainer->shape.n_relations,
						.negative = negative};
}

/*
 * The branch's best epoch is that of the likelihood once calibrated, which is what counts in the
 * sum: the ranking loss grows with scores that are only too large.
 */
MrenStatus
mren_trainer_linear_validated(MrenTrainer *trainer, MrenError *err)
{
	MrenLinearTraining *linear = &trainer->linear;
	MrenLogits rows = kept_rows(trainer, linear->objective.fixed);
	float *swap = linear->kept_scores;
	MrenCalibration fit;
	double loss;

	if (is_idle(trainer) || trainer->epoch > EPOCHS)
		return MREN_OK;
	rows.logits = linear->kept_scores;
	MREN_TRY(mren_calibration_fit(&trainer->env, &rows, &fit, err));
	loss = mren_calibration_loss(&rows, &fit);
	if (linear->best_epoch > 0 && !(loss < linear->best_loss))
		return MREN_OK;
	linear->kept_scores = linear->best_scores;
	linear->best_scores = swap;
	linear->best_loss = loss;
	linear->best_epoch = trainer->epoch;
	memcpy(linear->best, weights_of(trainer), n_weights(trainer) * sizeof(float));
	return MREN_OK;
}

bool
mren_trainer_linear_may_improve(const MrenTrainer *trainer)
{
	const MrenLinearTraining *linear = &trainer->linear;

	return !is_idle(trainer) && linear->best_epoch > 0 && trainer->epoch < EPOCHS &&
		   trainer->epoch - linear->best_epoch < (int) trainer->options.common.patience;
}

void
mren_trainer_linear_restore(MrenTrainer *trainer)
{
	if (!is_off(trainer))
		memcpy(weights_of(trainer), trainer->linear.best, n_weights(trainer) * sizeof(float));
}

MrenStatus
mren_trainer_linear_join(MrenTrainer *trainer, MrenError *err)
{
	MrenLinearTraining *linear = &trainer->linear;

	if (is_off(trainer))
		return MREN_OK;
	mren_trainer_linear_restore(trainer);
	MREN_TRY(mren_trainer_fit_share(trainer, trainer->best_logits, linear->best_scores,
									linear->kept_scores, &linear->share, err));
	mren_trainer_mix(trainer, trainer->best_logits, linear->best_scores, linear->share,
					 trainer->best_logits);
	mren_trainer_report_kept(trainer);
	trainer->report.linear_share = linear->share;
	trainer->report.linear_epoch = linear->best_epoch;
	return MREN_OK;
}

static bool
is_zero(const float *row, size_t k)
{
	for (size_t j = 0; j < k; j++)
	{
		if (row[j] != 0)
			return false;
	}
	return true;
}

size_t
mren_trainer_linear_used(const MrenTrainer *trainer)
{
	size_t k = trainer->shape.n_relations;
	size_t n = 0;

	for (size_t i = 0; i < trainer->shape.linear_rows; i++)
		n += !is_zero(weights_of(trainer) + i * k, k);
	return trainer->linear.share > 0 ? n : 0;
}

MrenStatus
mren_trainer_linear_finish(const MrenTrainer *trainer, MrenNet *net, MrenError *err)
{
	size_t k = trainer->shape.n_relations;
	float share = (float) trainer->linear.share;
	float *to;

	if (is_off(trainer))
		return MREN_OK;
	if (net->shape.linear_rows == 0)
		return MREN_OK;
	net->box_features = trainer->linear.has_boxes;
	to = mren_parameter_at(&net->layout.table, net->values, net->layout.ids.linear);
	if (trainer->n_lexicons > 0)
		MREN_TRY(mren_buffer_append(&trainer->env, &net->lexicons, trainer->lexicons_sha256,
									32 * trainer->n_lexicons, err));
	MREN_TRY(
		mren_buffer_reserve(&trainer->env, &net->linear_slots, 4 * net->shape.linear_rows, err));
	for (size_t i = 0; i < trainer->shape.linear_rows; i++)
	{
		const float *from = weights_of(trainer) + i * k;

		if (is_zero(from, k))
			continue;
		mren_buffer_put_u32(&net->linear_slots, trainer->linear.slots[i]);
		for (size_t j = 0; j < k; j++)
			*to++ = share * from[j];
	}
	return MREN_OK;
}
