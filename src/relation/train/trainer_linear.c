/*
 * trainer_linear.c
 *	  Training the linear branch beside the network, and joining the two.
 *
 * The branch has a loss of its own: trained on the error of a common sum, it
 * would fit the rows first and leave the network little to learn.  It is the
 * ranking loss; with features of boxes it is cross-entropy, since positions
 * often leave several relations likely, which a margin cannot express.  Its
 * scores and the network's logits are added at the end as a log-linear model,
 * (1 - share) * network + share * branch, with the share under which the
 * validation rows are most likely; each is taken from its own best epoch.
 */
#include "relation/train/trainer_linear.h"
#include "relation/train/trainer_members.h"

#include <math.h>
#include <string.h>

#include "relation/net_internal.h"

/* Set by hand when the branch was added, on training rows; no systematic search was made. */
#define RATE 0.02f
#define BOX_RATE 0.01f /* with features of boxes, which are many and similar */
#define FIRST_SQUARE 1e-8f
#define MIN_COUNT 2 /* training rows that must have a feature for it to get weights */
/*
 * AdaGrad's steps keep shrinking, so that patience alone would never end.  At the lower rate of
 * gold rows that follow weak ones, more epochs are needed to go as far.
 */
#define MAX_EPOCHS 20
#define DEFAULT_SHARE 0.5 /* without validation rows */
#define ALONE_SHARE 1.0	  /* the same beside weak rows and a network that reads no vectors */

/* Weights that are read or updated between two checks for interrupts. */
#define CHECK_WEIGHTS ((size_t) 1 << 24)

/* Without the option or without a feature there is no branch. */
static bool
is_absent(const MrenTrainer *trainer)
{
	return trainer->shape.linear_rows == 0;
}

/* Whether the branch is trained in this epoch. */
static bool
takes_part(const MrenTrainer *trainer)
{
	return trainer->epochs.epoch <= trainer->linear.n_epochs;
}

static size_t
n_weights(const MrenTrainer *trainer)
{
	return trainer->shape.linear_rows * trainer->shape.n_relations;
}

/* The number of a row's features that are used: those of boxes only with an image. */
static size_t
n_features(const MrenTrainer *trainer, const MrenExample *example, bool with_image)
{
	bool boxes = with_image && example->has_image && trainer->inputs.image_dim > 0;

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
		n += linear->counts[i] >= MIN_COUNT;
	if (n == 0)
		return MREN_OK;
	if (n > MREN_MAX_LINEAR_WEIGHTS / trainer->scan.relations.n)
	{
		mren_fail(err, MREN_ELIMIT, "%zu lexical features of %zu relations are too many", n,
				  trainer->scan.relations.n);
		mren_error_hint(err, "Lower option \"hash_bits\", which is %zu.",
						trainer->options.hash_bits);
		return MREN_ELIMIT;
	}
	MREN_TRY(mren_allocate(&trainer->env, n, sizeof(uint32_t), &linear->slots, err));
	trainer->shape.hash_bits = trainer->options.hash_bits;
	for (size_t i = 0; i < n_slots; i++)
	{
		if (linear->counts[i] >= MIN_COUNT)
			linear->slots[trainer->shape.linear_rows++] = (uint32_t) i;
	}
	return mren_linear_index_create(&trainer->env, (unsigned) trainer->options.hash_bits,
									linear->slots, n, &linear->index, err);
}

/*
 * A network without word vectors, images and recordings knows of a row little more than how many
 * words there are.  Beside gold rows, that is left to the validation rows or, without any, as it
 * is.
 */
static double
default_share(const MrenTrainer *trainer)
{
	const MrenNetShape *shape = &trainer->shape;
	bool alone = shape->embedding_dim == 0 && !mren_net_shape_reads(shape);

	return alone && trainer->scan.n_weak > 0 ? ALONE_SHARE : DEFAULT_SHARE;
}

MrenStatus
mren_trainer_linear_allocate(MrenTrainer *trainer, MrenError *err)
{
	const MrenEnv *env = &trainer->env;
	MrenLinearTraining *linear = &trainer->linear;
	size_t k = trainer->shape.n_relations;
	size_t capacity = trainer->batch_rows;

	if (is_absent(trainer))
		return MREN_OK;
	linear->share = default_share(trainer);
	linear->objective = mren_options_objective(&trainer->options, trainer->negative);
	linear->objective.loss = linear->has_boxes ? MREN_LOSS_CROSS_ENTROPY : MREN_LOSS_RANKING;
	linear->objective.fixed = trainer->negative;
	MREN_TRY(mren_allocate_zero(env, n_weights(trainer), sizeof(float), &linear->values, err));
	MREN_TRY(mren_allocate(env, n_weights(trainer), sizeof(float), &linear->squares, err));
	MREN_TRY(mren_allocate_zero(env, n_weights(trainer), sizeof(float), &linear->best, err));
	MREN_TRY(
		mren_allocate(env, capacity * MREN_MAX_ROW_FEATURES, sizeof(uint32_t), &linear->rows, err));
	MREN_TRY(mren_allocate(env, capacity, sizeof(uint32_t), &linear->n_rows, err));
	MREN_TRY(mren_allocate(env, capacity * k, sizeof(float), &linear->scores, err));
	MREN_TRY(mren_allocate(env, capacity * k, sizeof(float), &linear->dscores, err));
	MREN_TRY(
		mren_allocate(env, trainer->kept.capacity * k, sizeof(float), &linear->kept_scores, err));
	return mren_allocate_zero(env, trainer->kept.capacity * k, sizeof(float), &linear->best_scores,
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
	mren_release(env, linear->values);
	mren_release(env, linear->squares);
	mren_release(env, linear->best);
	mren_release(env, linear->start);
	mren_release(env, linear->rows);
	mren_release(env, linear->n_rows);
	mren_release(env, linear->scores);
	mren_release(env, linear->dscores);
	mren_release(env, linear->kept_scores);
	mren_release(env, linear->best_scores);
}

int
mren_trainer_linear_fit_epochs(const MrenTrainer *trainer)
{
	bool follows = trainer->epochs.phase == MREN_PHASE_FIT && mren_trainer_pretrains(trainer);

	if (is_absent(trainer))
		return 0;
	return follows ? (int) (MAX_EPOCHS / MREN_GOLD_RATE) : MAX_EPOCHS;
}

int
mren_trainer_linear_refit_epochs(const MrenTrainer *trainer)
{
	return trainer->linear.best_epoch;
}

void
mren_trainer_linear_begin(MrenTrainer *trainer, int n_epochs)
{
	MrenLinearTraining *linear = &trainer->linear;
	size_t n = n_weights(trainer);

	linear->n_epochs = trainer->current == 0 ? n_epochs : 0;
	if (trainer->current > 0 || (n_epochs == 0 && linear->start == NULL))
		return;
	linear->rate = linear->start != NULL ? (float) MREN_GOLD_RATE : 1;
	if (linear->start != NULL)
		memcpy(linear->values, linear->start, n * sizeof(float));
	else
		memset(linear->values, 0, n * sizeof(float));
	for (size_t i = 0; i < n; i++)
		linear->squares[i] = FIRST_SQUARE;
}

void
mren_trainer_linear_load(MrenTrainer *trainer, const MrenExample *example, size_t row,
						 bool with_image)
{
	MrenLinearTraining *linear = &trainer->linear;

	if (!takes_part(trainer))
		return;
	linear->n_rows[row] = (uint32_t) mren_linear_rows(&linear->index, example->features,
													  n_features(trainer, example, with_image),
													  linear->rows + row * MREN_MAX_ROW_FEATURES);
}

/* Counts the weights of row i, and checks for interrupts once they are many. */
static MrenStatus
count_row(MrenTrainer *trainer, size_t i, size_t *unchecked, MrenError *err)
{
	*unchecked += trainer->linear.n_rows[i] * trainer->shape.n_relations;
	if (*unchecked < CHECK_WEIGHTS)
		return MREN_OK;
	*unchecked = 0;
	return mren_check_interrupts(&trainer->env, err);
}

static MrenStatus
score_batch(MrenTrainer *trainer, MrenError *err)
{
	MrenLinearTraining *linear = &trainer->linear;
	size_t k = trainer->shape.n_relations;
	size_t n = mren_trainer_member(trainer)->batch.n;
	size_t unchecked = 0;

	memset(linear->scores, 0, n * k * sizeof(float));
	for (size_t i = 0; i < n; i++)
	{
		MREN_TRY(count_row(trainer, i, &unchecked, err));
		mren_linear_add(linear->values, k, linear->rows + i * MREN_MAX_ROW_FEATURES,
						linear->n_rows[i], linear->scores + i * k);
	}
	return MREN_OK;
}

MrenStatus
mren_trainer_linear_train(MrenTrainer *trainer, MrenError *err)
{
	MrenLinearTraining *linear = &trainer->linear;
	float rate = linear->rate * (linear->has_boxes ? BOX_RATE : RATE);
	size_t n = mren_trainer_member(trainer)->batch.n;
	size_t k = trainer->shape.n_relations;
	size_t unchecked = 0;
	double loss;

	if (!takes_part(trainer))
		return MREN_OK;
	MREN_TRY(score_batch(trainer, err));
	MREN_TRY(mren_trainer_loss(trainer, &linear->objective, linear->scores,
							   (float) (1 / trainer->measured.mean_weight), linear->dscores, &loss,
							   err));
	for (size_t i = 0; i < n; i++)
	{
		MREN_TRY(count_row(trainer, i, &unchecked, err));
		mren_linear_step(rate, linear->values, linear->squares, k,
						 linear->rows + i * MREN_MAX_ROW_FEATURES, linear->n_rows[i],
						 linear->dscores + i * k);
	}
	return MREN_OK;
}

MrenStatus
mren_trainer_linear_validate(MrenTrainer *trainer, size_t first, MrenError *err)
{
	MrenLinearTraining *linear = &trainer->linear;
	size_t capacity = trainer->kept.capacity;
	size_t k = trainer->shape.n_relations;
	size_t n = mren_trainer_member(trainer)->batch.n;

	if (!takes_part(trainer))
		return MREN_OK;
	MREN_TRY(score_batch(trainer, err));
	if (first < capacity)
		memcpy(linear->kept_scores + first * k, linear->scores,
			   (n < capacity - first ? n : capacity - first) * k * sizeof(float));
	return MREN_OK;
}

/*
 * The best epoch of the branch is that with the highest likelihood after
 * calibration, which is what matters in the sum: the ranking loss also grows if
 * scores are merely too large.
 */
MrenStatus
mren_trainer_linear_validated(MrenTrainer *trainer, MrenError *err)
{
	MrenLinearTraining *linear = &trainer->linear;
	MrenLogits rows = mren_trainer_kept_rows(trainer, linear->kept_scores, linear->objective.fixed);
	float *swap = linear->kept_scores;
	MrenCalibration fit;
	double loss;

	if (!takes_part(trainer))
		return MREN_OK;
	MREN_TRY(mren_calibration_fit(&trainer->env, &rows, &fit, err));
	loss = mren_calibration_loss(&rows, &fit);
	if (linear->validated && !(loss < linear->best_loss))
		return MREN_OK;
	linear->validated = true;
	linear->kept_scores = linear->best_scores;
	linear->best_scores = swap;
	linear->best_loss = loss;
	linear->best_epoch = trainer->epochs.epoch;
	mren_trainer_linear_keep(trainer);
	return MREN_OK;
}

void
mren_trainer_linear_score(MrenTrainer *trainer)
{
	if (!is_absent(trainer))
		trainer->linear.n_epochs = trainer->epochs.epoch;
}

void
mren_trainer_linear_keep_scores(MrenTrainer *trainer, size_t first, size_t end)
{
	size_t k = trainer->shape.n_relations;

	if (!is_absent(trainer))
		memcpy(trainer->linear.best_scores + first * k, trainer->linear.kept_scores + first * k,
			   (end - first) * k * sizeof(float));
}

bool
mren_trainer_linear_may_improve(const MrenTrainer *trainer)
{
	const MrenLinearTraining *linear = &trainer->linear;
	int epoch = trainer->epochs.epoch;

	return linear->validated && epoch < linear->n_epochs &&
		   epoch - linear->best_epoch < (int) trainer->options.common.patience;
}

void
mren_trainer_linear_keep(MrenTrainer *trainer)
{
	memcpy(trainer->linear.best, trainer->linear.values, n_weights(trainer) * sizeof(float));
}

void
mren_trainer_linear_restore(MrenTrainer *trainer)
{
	MrenLinearTraining *linear = &trainer->linear;

	if (!is_absent(trainer))
		memcpy(linear->values, linear->best, n_weights(trainer) * sizeof(float));
}

MrenStatus
mren_trainer_linear_end_pretraining(MrenTrainer *trainer, MrenError *err)
{
	MrenLinearTraining *linear = &trainer->linear;
	size_t n = n_weights(trainer);

	if (is_absent(trainer) || trainer->current > 0)
		return MREN_OK;
	MREN_TRY(mren_allocate(&trainer->env, n, sizeof(float), &linear->start, err));
	memcpy(linear->start, linear->validated ? linear->best : linear->values, n * sizeof(float));
	linear->best_epoch = 0;
	return MREN_OK;
}

MrenStatus
mren_trainer_linear_join(MrenTrainer *trainer, MrenError *err)
{
	MrenLinearTraining *linear = &trainer->linear;
	float *best = trainer->kept.best;

	if (is_absent(trainer))
		return MREN_OK;
	mren_trainer_linear_restore(trainer);
	MREN_TRY(mren_trainer_fit_share(trainer, best, linear->best_scores, linear->kept_scores,
									&linear->share, err));
	mren_trainer_mix(trainer, best, linear->best_scores, linear->share, best);
	mren_trainer_report_kept(trainer);
	trainer->report.has_linear = true;
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
		n += !is_zero(trainer->linear.values + i * k, k);
	return trainer->linear.share > 0 ? n : 0;
}

MrenStatus
mren_trainer_linear_finish(const MrenTrainer *trainer, MrenNet *net, MrenError *err)
{
	size_t k = trainer->shape.n_relations;
	float share = (float) (trainer->linear.share * (1 - mren_trainer_marker_share(trainer)));
	float *to;

	if (is_absent(trainer))
		return MREN_OK;
	if (net->shape.linear_rows == 0)
		return MREN_OK;
	net->box_features = trainer->linear.has_boxes;
	to = mren_parameter_at(&net->layout.table, net->values, net->layout.ids.linear);
	if (trainer->inputs.n_lexicons > 0)
		MREN_TRY(mren_buffer_append(&trainer->env, &net->lexicons, trainer->lexicons_sha256,
									32 * trainer->inputs.n_lexicons, err));
	MREN_TRY(
		mren_buffer_reserve(&trainer->env, &net->linear_slots, 4 * net->shape.linear_rows, err));
	for (size_t i = 0; i < trainer->shape.linear_rows; i++)
	{
		const float *from = trainer->linear.values + i * k;

		if (is_zero(from, k))
			continue;
		mren_buffer_put_u32(&net->linear_slots, trainer->linear.slots[i]);
		for (size_t j = 0; j < k; j++)
			*to++ = share * from[j];
	}
	return MREN_OK;
}
