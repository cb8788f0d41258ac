/*
 * trainer_text_only.c
 *	  A gate for images: beside the networks that see them one that never does.
 *
 * The text-only member is trained last, as a network of the text alone (and of where
 * in the image the mentions are).  Its share in the sum of logits is the one that makes
 * the validation rows most likely: an image that tells nothing leaves it all the say, one that
 * tells all leaves it none, and then it is dropped.  Its values, gradients and batch are its
 * own; while it is trained they change places with the trainer's.
 */
#include "relation/train/trainer_internal.h"

#include <string.h>

#include "evaluation/calibration.h"

bool
mren_trainer_is_text_only(const MrenTrainer *trainer)
{
	return trainer->member == trainer->n_image_members;
}

bool
mren_trainer_wants_text_only(const MrenTrainer *trainer)
{
	return trainer->options.text_only_member && trainer->image_dim > 0 &&
		   trainer->report.n_rows_with_image > 0;
}

void
mren_trainer_text_only_free(MrenTrainer *trainer)
{
	const MrenEnv *env = &trainer->env;
	MrenTextOnly *text_only = &trainer->text_only;

	mren_release(env, text_only->values);
	mren_release(env, text_only->grads);
	mren_batch_free(env, &text_only->batch);
	mren_optimizer_free(env, &text_only->optimizer);
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
swap_member(MrenTrainer *trainer)
{
	MrenTextOnly *text_only = &trainer->text_only;

	text_only->active = !text_only->active;
	exchange(&trainer->shape, &text_only->shape, sizeof(trainer->shape));
	exchange(&trainer->layout, &text_only->layout, sizeof(trainer->layout));
	exchange(&trainer->values, &text_only->values, sizeof(trainer->values));
	exchange(&trainer->grads, &text_only->grads, sizeof(trainer->grads));
	exchange(&trainer->batch, &text_only->batch, sizeof(trainer->batch));
	exchange(&trainer->optimizer, &text_only->optimizer, sizeof(trainer->optimizer));
}

/* Means and deviations as they were measured for all. */
static void
copy_measured(MrenTrainer *trainer)
{
	MrenTextOnly *text_only = &trainer->text_only;
	const MrenNetIds *from = &trainer->layout.ids;
	const MrenNetIds *to = &text_only->layout.ids;
	const size_t ids[][2] = {{to->text_mean, from->text_mean},
							 {to->text_std, from->text_std},
							 {to->box_mean, from->box_mean},
							 {to->box_std, from->box_std}};

	for (size_t i = 0; i < (trainer->shape.boxes ? 4 : 2); i++)
		memcpy(mren_parameter_at(&text_only->layout.table, text_only->values, ids[i][0]),
			   mren_parameter_at(&trainer->layout.table, trainer->values, ids[i][1]),
			   text_only->layout.table.items[ids[i][0]].cols * sizeof(float));
}

static MrenStatus
allocate_member(MrenTrainer *trainer, MrenError *err)
{
	const MrenEnv *env = &trainer->env;
	MrenTextOnly *text_only = &trainer->text_only;
	MrenOptimizerConfig config;

	config = mren_options_optimizer(&trainer->options, false);
	text_only->shape = mren_net_shape_text_only(&trainer->shape);
	mren_net_layout_build(&text_only->shape, &text_only->layout);
	MREN_TRY(mren_batch_create(env, &text_only->shape, &text_only->layout, trainer->batch.capacity,
							   &text_only->batch, err));
	/* It changes places with the trainer's. */
	text_only->batch.shape = &trainer->shape;
	text_only->batch.layout = &trainer->layout;
	text_only->batch.fine_tuned_ids = trainer->fine_tuned_ids;
	MREN_TRY(mren_allocate_zero(env, text_only->layout.table.size, sizeof(float),
								&text_only->values, err));
	MREN_TRY(mren_allocate_zero(env, text_only->layout.table.trained_size, sizeof(float),
								&text_only->grads, err));
	MREN_TRY(
		mren_optimizer_create(env, &config, &text_only->layout.table, &text_only->optimizer, err));
	copy_measured(trainer);
	swap_member(trainer);
	mren_batch_scale(&trainer->batch, trainer->values);
	mren_batch_words(&trainer->batch, &trainer->vectors, trainer->scale);
	return MREN_OK;
}

MrenStatus
mren_trainer_select_member(MrenTrainer *trainer, MrenError *err)
{
	bool is_text_only = mren_trainer_is_text_only(trainer);

	if (is_text_only && trainer->text_only.values == NULL)
		return allocate_member(trainer, err);
	if (is_text_only != trainer->text_only.active)
		swap_member(trainer);
	return MREN_OK;
}

MrenStatus
mren_trainer_text_only_join(MrenTrainer *trainer, MrenError *err)
{
	/* The text-only member's are the best ones of the last to be trained. */
	const float *text_only = trainer->best_logits;
	double share;

	MREN_TRY(mren_trainer_fit_share(trainer, trainer->sum_logits, text_only, trainer->kept_logits,
									&share, err));
	trainer->text_only.share = share;
	trainer->report.has_text_only = true;
	trainer->report.image_share = 1 - share;
	if (share == 0)
		trainer->n_members--;
	mren_trainer_mix(trainer, trainer->sum_logits, text_only, share, trainer->best_logits);
	return MREN_OK;
}
