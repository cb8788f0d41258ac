/*
 * trainer_wide.c
 *	  Training the wide branch beside the network, and joining the two.
 *
 * The branch has a loss of its own: trained on the error of a common sum, it would fit the
 * rows first and leave the network little to learn.  That is the ranking loss; with features
 * of boxes cross-entropy, since where things lie leaves several relations likely, which a margin
 * cannot say.  Its scores and the network's logits are added at the end as a
 * log-linear model, (1 - share) * network + share * branch, whose share makes
 * the validation rows most likely; each branch is taken as it was in its own best epoch.
 */
#include "net/trainer_internal.h"

#include <math.h>
#include <string.h>

#include "net/calibration.h"
#include "net/net_internal.h"

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
	return trainer->shape.wide_rows == 0;
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
	return mren_tensor_at(&trainer->layout, trainer->values, trainer->layout.ids.wide);
}

static size_t
n_weights(const MrenTrainer *trainer)
{
	return trainer->shape.wide_rows * trainer->shape.n_relations;
}

/* How many of a row's features count: those of boxes only where pictures do. */
static size_t
n_features(const MrenTrainer *trainer, const MrenExample *example, bool sees)
{
	bool boxes = sees && example->has_image && trainer->image_dim > 0;

	return example->n_features - (boxes ? 0 : example->n_box_features);
}

MrenStatus
mren_trainer_wide_scan(MrenTrainer *trainer, const MrenExample *example, MrenError *err)
{
	size_t n_slots = (size_t) 1 << trainer->options.wide;
	size_t n = n_features(trainer, example, true);

	if (trainer->options.wide == 0 || n == 0)
		return MREN_OK;
	if (trainer->wide.counts == NULL)
		MREN_TRY(mren_allocate_zero(&trainer->env, n_slots, 1, &trainer->wide.counts, err));
	trainer->wide.has_boxes |= n > example->n_features - example->n_box_features;
	for (size_t i = 0; i < n; i++)
	{
		uint8_t *count = &trainer->wide.counts[example->features[i] & (n_slots - 1)];

		*count = *count < UINT8_MAX ? *count + 1 : UINT8_MAX;
	}
	return MREN_OK;
}

MrenStatus
mren_trainer_wide_choose(MrenTrainer *trainer, MrenError *err)
{
	MrenWideTraining *wide = &trainer->wide;
	size_t n_slots = (size_t) 1 << trainer->options.wide;
	size_t n = 0;

	if (wide->counts == NULL)
		return MREN_OK;
	for (size_t i = 0; i < n_slots; i++)
		n += wide->counts[i] >= LEAST_COUNT;
	if (n == 0)
		return MREN_OK;
	if (n > MREN_MAX_WIDE_WEIGHTS / trainer->relations.n)
	{
		mren_fail(err, MREN_ELIMIT, "%zu lexical features of %zu relations are too many", n,
				  trainer->relations.n);
		mren_error_hint(err, "Lower option \"wide\", which is %zu.", trainer->options.wide);
		return MREN_ELIMIT;
	}
	MREN_TRY(mren_allocate(&trainer->env, n, sizeof(uint32_t), &wide->slots, err));
	trainer->shape.wide_bits = trainer->options.wide;
	for (size_t i = 0; i < n_slots; i++)
	{
		if (wide->counts[i] >= LEAST_COUNT)
			wide->slots[trainer->shape.wide_rows++] = (uint32_t) i;
	}
	return mren_wide_index_create(&trainer->env, (unsigned) trainer->options.wide, wide->slots, n,
								  &wide->index, err);
}

MrenStatus
mren_trainer_wide_allocate(MrenTrainer *trainer, MrenError *err)
{
	const MrenEnv *env = &trainer->env;
	MrenWideTraining *wide = &trainer->wide;
	size_t k = trainer->shape.n_relations;
	size_t capacity = trainer->batch.capacity;

	if (is_off(trainer))
		return MREN_OK;
	wide->share = USUAL_SHARE;
	wide->objective = mren_objective(&trainer->options, trainer->negative);
	wide->objective.loss = wide->has_boxes ? MREN_LOSS_CROSS_ENTROPY : MREN_LOSS_RANKING;
	wide->objective.fixed = trainer->negative;
	MREN_TRY(mren_allocate(env, n_weights(trainer), sizeof(float), &wide->squares, err));
	MREN_TRY(mren_allocate_zero(env, n_weights(trainer), sizeof(float), &wide->best, err));
	MREN_TRY(
		mren_allocate(env, capacity * MREN_MAX_ROW_FEATURES, sizeof(uint32_t), &wide->rows, err));
	MREN_TRY(mren_allocate(env, capacity, sizeof(uint32_t), &wide->n_rows, err));
	MREN_TRY(mren_allocate(env, capacity * k, sizeof(float), &wide->scores, err));
	MREN_TRY(mren_allocate(env, capacity * k, sizeof(float), &wide->dscores, err));
	MREN_TRY(mren_allocate(env, trainer->keep_rows * k, sizeof(float), &wide->kept_scores, err));
	return mren_allocate_zero(env, trainer->keep_rows * k, sizeof(float), &wide->best_scores, err);
}

void
mren_trainer_wide_free(MrenTrainer *trainer)
{
	const MrenEnv *env = &trainer->env;
	MrenWideTraining *wide = &trainer->wide;

	mren_wide_index_free(env, &wide->index);
	mren_release(env, wide->counts);
	mren_release(env, wide->slots);
	mren_release(env, wide->squares);
	mren_release(env, wide->best);
	mren_release(env, wide->rows);
	mren_release(env, wide->n_rows);
	mren_release(env, wide->scores);
	mren_release(env, wide->dscores);
	mren_release(env, wide->kept_scores);
	mren_release(env, wide->best_scores);
}

void
mren_trainer_wide_begin(MrenTrainer *trainer)
{
	size_t n = n_weights(trainer);

	if (n == 0 || trainer->member > 0)
		return;
	memset(weights_of(trainer), 0, n * sizeof(float));
	for (size_t i = 0; i < n; i++)
		trainer->wide.squares[i] = FIRST_SQUARE;
}

void
mren_trainer_wide_load(MrenTrainer *trainer, const MrenExample *example, size_t row, bool sees)
{
	MrenWideTraining *wide = &trainer->wide;

	if (is_idle(trainer))
		return;
	wide->n_rows[row] = (uint32_t) mren_wide_rows(&wide->index, example->features,
												  n_features(trainer, example, sees),
												  wide->rows + row * MREN_MAX_ROW_FEATURES);
}

/* Weights read or stepped between two questions. */
#define ASK_WEIGHTS ((size_t) 1 << 24)

/* Counts the weights of row i; asks once they have become many. */
static MrenStatus
count_row(MrenTrainer *trainer, size_t i, size_t *unasked, MrenError *err)
{
	*unasked += trainer->wide.n_rows[i] * trainer->shape.n_relations;
	if (*unasked < ASK_WEIGHTS)
		return MREN_OK;
	*unasked = 0;
	return mren_check(&trainer->env, err);
}

static MrenStatus
score_batch(MrenTrainer *trainer, MrenError *err)
{
	MrenWideTraining *wide = &trainer->wide;
	size_t k = trainer->shape.n_relations;
	size_t n = trainer->batch.n;
	size_t unasked = 0;

	memset(wide->scores, 0, n * k * sizeof(float));
	for (size_t i = 0; i < n; i++)
	{
		MREN_TRY(count_row(trainer, i, &unasked, err));
		mren_wide_add(weights_of(trainer), k, wide->rows + i * MREN_MAX_ROW_FEATURES,
					  wide->n_rows[i], wide->scores + i * k);
	}
	return MREN_OK;
}

/* The first phase trains on while the rest does; the second as long as was best. */
MrenStatus
mren_trainer_wide_train(MrenTrainer *trainer, MrenError *err)
{
	MrenWideTraining *wide = &trainer->wide;
	MrenSparse sparse = {wide->has_boxes ? BOX_RATE : RATE, L1};
	size_t k = trainer->shape.n_relations;
	size_t unasked = 0;
	double loss;

	if (is_idle(trainer) || (trainer->phase == 2 && trainer->epoch > wide->best_epoch) ||
		(trainer->phase == 1 && trainer->epoch > EPOCHS))
		return MREN_OK;
	MREN_TRY(score_batch(trainer, err));
	MREN_TRY(mren_trainer_loss(trainer, &wide->objective, wide->scores,
							   (float) (1 / trainer->mean_weight), wide->dscores, &loss, err));
	for (size_t i = 0; i < trainer->batch.n; i++)
	{
		MREN_TRY(count_row(trainer, i, &unasked, err));
		mren_sparse_step(&sparse, weights_of(trainer), wide->squares, k,
						 wide->rows + i * MREN_MAX_ROW_FEATURES, wide->n_rows[i],
						 wide->dscores + i * k);
	}
	return MREN_OK;
}

MrenStatus
mren_trainer_wide_validate(MrenTrainer *trainer, size_t first, MrenError *err)
{
	MrenWideTraining *wide = &trainer->wide;
	size_t k = trainer->shape.n_relations;
	size_t n = trainer->batch.n;

	if (is_idle(trainer))
		return MREN_OK;
	MREN_TRY(score_batch(trainer, err));
	if (first < trainer->keep_rows)
		memcpy(wide->kept_scores + first * k, wide->scores,
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
mren_trainer_wide_validated(MrenTrainer *trainer, MrenError *err)
{
	MrenWideTraining *wide = &trainer->wide;
	MrenLogits rows = kept_rows(trainer, wide->objective.fixed);
	float *swap = wide->kept_scores;
	MrenCalibration fit;
	double loss;

	if (is_idle(trainer) || trainer->epoch > EPOCHS)
		return MREN_OK;
	rows.logits = wide->kept_scores;
	MREN_TRY(mren_calibration_fit(&trainer->env, &rows, &fit, err));
	loss = mren_calibration_loss(&rows, &fit);
	if (wide->best_epoch > 0 && !(loss < wide->best_loss))
		return MREN_OK;
	wide->kept_scores = wide->best_scores;
	wide->best_scores = swap;
	wide->best_loss = loss;
	wide->best_epoch = trainer->epoch;
	memcpy(wide->best, weights_of(trainer), n_weights(trainer) * sizeof(float));
	return MREN_OK;
}

bool
mren_trainer_wide_patient(const MrenTrainer *trainer)
{
	const MrenWideTraining *wide = &trainer->wide;

	return !is_idle(trainer) && wide->best_epoch > 0 && trainer->epoch < EPOCHS &&
		   trainer->epoch - wide->best_epoch < (int) trainer->options.patience;
}

void
mren_trainer_wide_restore(MrenTrainer *trainer)
{
	if (!is_off(trainer))
		memcpy(weights_of(trainer), trainer->wide.best, n_weights(trainer) * sizeof(float));
}

MrenStatus
mren_trainer_wide_join(MrenTrainer *trainer, MrenError *err)
{
	MrenWideTraining *wide = &trainer->wide;

	if (is_off(trainer))
		return MREN_OK;
	mren_trainer_wide_restore(trainer);
	MREN_TRY(mren_trainer_fit_share(trainer, trainer->best_logits, wide->best_scores,
									wide->kept_scores, &wide->share, err));
	mren_trainer_mix(trainer, trainer->best_logits, wide->best_scores, wide->share,
					 trainer->best_logits);
	mren_trainer_report_kept(trainer);
	trainer->report.wide_share = wide->share;
	trainer->report.wide_epoch = wide->best_epoch;
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
mren_trainer_wide_used(const MrenTrainer *trainer)
{
	size_t k = trainer->shape.n_relations;
	size_t n = 0;

	for (size_t i = 0; i < trainer->shape.wide_rows; i++)
		n += !is_zero(weights_of(trainer) + i * k, k);
	return trainer->wide.share > 0 ? n : 0;
}

MrenStatus
mren_trainer_wide_finish(const MrenTrainer *trainer, MrenNet *net, MrenError *err)
{
	size_t k = trainer->shape.n_relations;
	float share = (float) trainer->wide.share;
	float *to;

	if (is_off(trainer))
		return MREN_OK;
	if (net->shape.wide_rows == 0)
		return MREN_OK;
	net->box_features = trainer->wide.has_boxes;
	to = mren_tensor_at(&net->layout, net->values, net->layout.ids.wide);
	if (trainer->n_lexicons > 0)
		MREN_TRY(mren_buffer_append(&trainer->env, &net->lexicons, trainer->lexicons_sha256,
									32 * trainer->n_lexicons, err));
	MREN_TRY(mren_buffer_reserve(&trainer->env, &net->wide_slots, 4 * net->shape.wide_rows, err));
	for (size_t i = 0; i < trainer->shape.wide_rows; i++)
	{
		const float *from = weights_of(trainer) + i * k;

		if (is_zero(from, k))
			continue;
		mren_buffer_put_u32(&net->wide_slots, trainer->wide.slots[i]);
		for (size_t j = 0; j < k; j++)
			*to++ = share * from[j];
	}
	return MREN_OK;
}
