/*
 * trainer_blind.c
 *	  A gate for pictures: beside the networks that see them one that never does.
 *
 * The blind member is trained last, as a network of the text alone (and of where
 * in the picture the mentions are).  Its share in the sum of logits is the one that makes
 * the validation rows most likely: a picture that tells nothing leaves it all the say, one that
 * tells all leaves it none, and then it is dropped.  Its values, gradients and batch are its
 * own; while it is trained they change places with the trainer's.
 */
#include "net/trainer_internal.h"

#include <string.h>

#include "net/calibration.h"

bool
mren_trainer_is_blind(const MrenTrainer *trainer)
{
	return trainer->member == trainer->n_sighted;
}

bool
mren_trainer_may_gate(const MrenTrainer *trainer)
{
	return trainer->options.image_gate && trainer->image_dim > 0 &&
		   trainer->report.n_rows_with_image > 0;
}

void
mren_trainer_blind_free(MrenTrainer *trainer)
{
	const MrenEnv *env = &trainer->env;
	MrenBlind *blind = &trainer->blind;

	mren_release(env, blind->values);
	mren_release(env, blind->grads);
	mren_batch_free(env, &blind->batch);
	mren_optimizer_free(env, &blind->optimizer);
}

static void
exchange(void *a, void *b, size_t n)
{
	unsigned char *x = a;
	unsigned char *y = b;

	for (size_t i = 0; i < n; i++)
	{
		unsigned char keep = x[i];

		x[i] = y[i];
		y[i] = keep;
	}
}

/* Batches read the trainer's shape and layout, which change with them. */
static void
change_places(MrenTrainer *trainer)
{
	MrenBlind *blind = &trainer->blind;

	blind->active = !blind->active;
	exchange(&trainer->shape, &blind->shape, sizeof(trainer->shape));
	exchange(&trainer->layout, &blind->layout, sizeof(trainer->layout));
	exchange(&trainer->values, &blind->values, sizeof(trainer->values));
	exchange(&trainer->grads, &blind->grads, sizeof(trainer->grads));
	exchange(&trainer->batch, &blind->batch, sizeof(trainer->batch));
	exchange(&trainer->optimizer, &blind->optimizer, sizeof(trainer->optimizer));
}

/* Means and deviations as they were measured for all. */
static void
copy_measured(MrenTrainer *trainer)
{
	MrenBlind *blind = &trainer->blind;
	const MrenTensorIds *from = &trainer->layout.ids;
	const MrenTensorIds *to = &blind->layout.ids;
	const size_t ids[][2] = {{to->text_mean, from->text_mean},
							 {to->text_std, from->text_std},
							 {to->box_mean, from->box_mean},
							 {to->box_std, from->box_std}};

	for (size_t i = 0; i < (trainer->shape.boxes ? 4 : 2); i++)
		memcpy(mren_tensor_at(&blind->layout, blind->values, ids[i][0]),
			   mren_tensor_at(&trainer->layout, trainer->values, ids[i][1]),
			   blind->layout.tensors[ids[i][0]].cols * sizeof(float));
}

static MrenStatus
make_room(MrenTrainer *trainer, MrenError *err)
{
	const MrenEnv *env = &trainer->env;
	MrenBlind *blind = &trainer->blind;

	blind->shape = mren_shape_blind(&trainer->shape);
	mren_layout_build(&blind->shape, &blind->layout);
	MREN_TRY(mren_batch_create(env, &blind->shape, &blind->layout, trainer->batch.capacity,
							   &blind->batch, err));
	/* It changes places with the trainer's. */
	blind->batch.shape = &trainer->shape;
	blind->batch.layout = &trainer->layout;
	blind->batch.tuned_ids = trainer->tuned_ids;
	MREN_TRY(mren_allocate_zero(env, blind->layout.size, sizeof(float), &blind->values, err));
	MREN_TRY(
		mren_allocate_zero(env, blind->layout.trained_size, sizeof(float), &blind->grads, err));
	MREN_TRY(mren_optimizer_create(env, &trainer->options, &blind->layout, &blind->optimizer, err));
	copy_measured(trainer);
	change_places(trainer);
	mren_batch_scale(&trainer->batch, trainer->values);
	mren_batch_words(&trainer->batch, &trainer->vectors, trainer->scale);
	return MREN_OK;
}

MrenStatus
mren_trainer_take_place(MrenTrainer *trainer, MrenError *err)
{
	bool is_blind = mren_trainer_is_blind(trainer);

	if (is_blind && trainer->blind.values == NULL)
		return make_room(trainer, err);
	if (is_blind != trainer->blind.active)
		change_places(trainer);
	return MREN_OK;
}

MrenStatus
mren_trainer_blind_join(MrenTrainer *trainer, MrenError *err)
{
	/* The blind member's are the best ones of the last to be trained. */
	const float *blind = trainer->best_logits;
	double share;

	MREN_TRY(mren_trainer_fit_share(trainer, trainer->sum_logits, blind, trainer->kept_logits,
									&share, err));
	trainer->blind.share = share;
	trainer->report.gated = true;
	trainer->report.image_share = 1 - share;
	if (share == 0)
		trainer->n_members--;
	mren_trainer_mix(trainer, trainer->sum_logits, blind, share, trainer->best_logits);
	return MREN_OK;
}
