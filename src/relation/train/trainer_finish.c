/*
 * trainer_finish.c
 *	  Building the trained network at the end of a training.
 */
#include "relation/train/trainer_linear.h"
#include "relation/train/trainer_members.h"

#include <string.h>

#include "relation/net_internal.h"
#include "base/sort.h"

static MrenStatus
copy_names(const MrenEnv *env, const MrenNames *from, MrenNames *to, MrenError *err)
{
	for (size_t i = 0; i < from->n; i++)
	{
		uint32_t number;

		MREN_TRY(mren_names_intern(env, to, mren_names_get(from, i), &number, err));
	}
	return MREN_OK;
}

/* Copies the identities of the training rows in ascending order. */
static MrenStatus
copy_identities(const MrenTrainer *trainer, MrenNet *net, MrenError *err)
{
	size_t n = trainer->measured.n_identities;

	MREN_TRY(mren_allocate(&trainer->env, n, sizeof(uint64_t), &net->training, err));
	memcpy(net->training, trainer->measured.identities, n * sizeof(uint64_t));
	mren_sort_u64(net->training, n);
	net->n_training = n;
	return MREN_OK;
}

/* The bias that calibration gave the negative relation goes into its output bias. */
static void
set_negative_bias(const MrenTrainer *trainer, MrenNet *net)
{
	const MrenCalibration *fit = &trainer->report.calibration;
	size_t bias = net->layout.ids.bias[net->shape.n_hidden];

	if (trainer->negative < 0)
		return;
	mren_parameter_at(&net->layout.table, net->values, bias)[trainer->negative] +=
		(float) (fit->bias * fit->temperature);
}

/* The weight of a member's logits in the sum of all logits. */
static float
share_of(const MrenTrainer *trainer, const MrenMember *member)
{
	double rest = (1 - trainer->linear.share) * (1 - mren_trainer_marker_share(trainer));
	bool has_text_only = trainer->n_members > trainer->n_image_members;
	double share = has_text_only ? trainer->text_only_share : 0;

	return (float) (member->text_only ? rest * share
									  : rest * (1 - share) / (double) trainer->n_image_members);
}

/*
 * Copies the trained weights; those of the output layer are multiplied by the
 * member's weight in the sum.
 */
static void
copy_member(const MrenTrainer *trainer, const MrenMember *from, MrenNet *to)
{
	float share = share_of(trainer, from);
	const MrenNetIds *ids = &to->layout.ids;
	size_t last[] = {ids->weight[to->shape.n_hidden], ids->bias[to->shape.n_hidden]};

	memcpy(to->values, from->best, to->layout.table.trained_size * sizeof(float));
	for (size_t i = 0; i < 2; i++)
	{
		const MrenParameter *tensor = &to->layout.table.items[last[i]];

		for (size_t at = 0; at < tensor->rows * tensor->cols; at++)
			to->values[tensor->at + at] *= share;
	}
	memset(to->set, true, sizeof(to->set));
}

static MrenStatus
copy_fine_tuned(const MrenTrainer *trainer, MrenNet *net, MrenError *err)
{
	size_t n = trainer->shape.n_fine_tuned;

	MREN_TRY(mren_buffer_reserve(&trainer->env, &net->fine_tuned, 4 * n, err));
	for (size_t i = 0; i < n; i++)
		mren_buffer_put_u32(&net->fine_tuned, (uint32_t) trainer->fine_tuned[i]);
	return MREN_OK;
}

static MrenStatus
fill_net(const MrenTrainer *trainer, MrenNet *net, MrenError *err)
{
	net->shape = trainer->shape;
	net->shape.linear_rows = mren_trainer_linear_used(trainer);
	if (net->shape.linear_rows == 0)
		net->shape.hash_bits = 0;
	net->n_members = trainer->n_members;
	net->text_only = trainer->n_members - trainer->n_image_members;
	mren_trainer_marker_shape(trainer, &net->marker_shape);
	if (net->marker_shape.width > 0)
		MREN_TRY(mren_buffer_append(&trainer->env, &net->text_encoder,
									trainer->inputs.text_encoder_sha256, 32, err));
	MREN_TRY(mren_net_allocate(net, SIZE_MAX, err));
	MREN_TRY(copy_names(&trainer->env, &trainer->scan.relations, &net->relations, err));
	MREN_TRY(copy_names(&trainer->env, &trainer->scan.types, &net->types, err));
	MREN_TRY(copy_identities(trainer, net, err));
	/* Measured tensors are those of the first member; the linear branch follows. */
	memcpy(net->values, trainer->members[0].values,
		   trainer->members[0].layout.table.size * sizeof(float));
	for (size_t i = 0; i < trainer->n_members; i++)
		copy_member(trainer, &trainer->members[i], i == 0 ? net : net->members[i - 1]);
	MREN_TRY(mren_trainer_linear_finish(trainer, net, err));
	MREN_TRY(copy_fine_tuned(trainer, net, err));
	MREN_TRY(mren_trainer_marker_finish(trainer, net, err));
	MREN_TRY(mren_trainer_decide_finish(trainer, net, err));
	set_negative_bias(trainer, net);
	memcpy(net->embeddings_sha256, trainer->embeddings_sha256, 32);
	memcpy(net->encoder_sha256, trainer->encoder_sha256, 32);
	if (net->shape.audio_dim > 0)
		MREN_TRY(mren_buffer_append(&trainer->env, &net->audio_encoder, trainer->audio_sha256,
									sizeof(trainer->audio_sha256), err));
	net->negative = trainer->negative;
	net->threshold = trainer->options.threshold;
	net->temperature = trainer->report.calibration.temperature;
	net->lapse = trainer->report.calibration.lapse;
	net->scale = trainer->scale;
	return mren_net_complete(net, err);
}

MrenStatus
mren_trainer_finish(MrenTrainer *trainer, MrenNet **net, MrenError *err)
{
	MrenStatus status;

	*net = NULL;
	if (trainer->stage != MREN_STAGE_DONE)
		return mren_fail(err, MREN_EPARAM, "the training is not done");
	MREN_TRY(mren_net_new(&trainer->env, net, err));
	status = fill_net(trainer, *net, err);
	if (status != MREN_OK)
	{
		mren_net_free(&trainer->env, *net);
		*net = NULL;
	}
	return status;
}
