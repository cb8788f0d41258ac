/*
 * trainer_finish.c
 *	  From a trainer that is done to the network it made.
 */
#include "relation/train/trainer_internal.h"

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

/* Identities in ascending order. */
static MrenStatus
copy_identities(const MrenTrainer *trainer, MrenNet *net, MrenError *err)
{
	size_t n = trainer->n_identities;

	MREN_TRY(mren_allocate(&trainer->env, n, sizeof(uint64_t), &net->training, err));
	memcpy(net->training, trainer->identities, n * sizeof(uint64_t));
	mren_sort_u64(net->training, n);
	net->n_training = n;
	return MREN_OK;
}

/* The bias that calibration gave the negative relation goes into its output bias. */
static void
set_negative_bias(const MrenTrainer *trainer, MrenNet *net)
{
	const MrenNetIds *ids = &trainer->layout.ids;

	if (trainer->negative < 0)
		return;
	mren_parameter_at(&net->layout.table, net->values,
					  ids->bias[trainer->shape.n_hidden])[trainer->negative] +=
		(float) (trainer->report.negative_bias * trainer->report.temperature);
}

/*
 * Members' weights, their output layers weighed so that the sum of all logits is the wide
 * branch's share, and of the rest the text-only member's and the mean of the others'.
 */
static void
copy_members(const MrenTrainer *trainer, MrenNet *net)
{
	double rest = 1 - trainer->linear.share;
	double share = net->text_only > 0 ? trainer->text_only.share : 0;

	for (size_t i = 0; i < trainer->n_members; i++)
	{
		MrenNet *member = i == 0 ? net : net->members[i - 1];
		float weight = (float) (i < trainer->n_image_members
									? rest * (1 - share) / (double) trainer->n_image_members
									: rest * share);
		const MrenNetIds *ids = &member->layout.ids;
		size_t last[] = {ids->weight[net->shape.n_hidden], ids->bias[net->shape.n_hidden]};

		memcpy(member->values, mren_trainer_slot(trainer, i),
			   member->layout.table.trained_size * sizeof(float));
		for (size_t j = 0; j < 2; j++)
		{
			const MrenParameter *tensor = &member->layout.table.items[last[j]];

			for (size_t at = 0; at < tensor->rows * tensor->cols; at++)
				member->values[tensor->at + at] *= weight;
		}
		memset(member->set, true, sizeof(member->set));
	}
}

/* Floats of the tensors in front of the linear branch's. */
static size_t
fixed_size(const MrenNetLayout *layout)
{
	return layout->ids.linear == SIZE_MAX ? layout->table.size
										  : layout->table.items[layout->ids.linear].at;
}

static MrenStatus
copy_fine_tuned(const MrenTrainer *trainer, MrenNet *net, MrenError *err)
{
	size_t n = trainer->shape.n_fine_tuned;

	MREN_TRY(mren_buffer_reserve(&trainer->env, &net->fine_tuned, 4 * n, err));
	for (size_t i = 0; i < n; i++)
		mren_buffer_put_u32(&net->fine_tuned, (uint32_t) trainer->fine_tuned_ids[i]);
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
	MREN_TRY(mren_net_allocate(net, SIZE_MAX, err));
	MREN_TRY(copy_names(&trainer->env, &trainer->relations, &net->relations, err));
	MREN_TRY(copy_names(&trainer->env, &trainer->types, &net->types, err));
	MREN_TRY(copy_identities(trainer, net, err));
	/* All tensors but the last, the linear branch's, are the same. */
	memcpy(net->values, trainer->values, fixed_size(&trainer->layout) * sizeof(float));
	copy_members(trainer, net);
	MREN_TRY(mren_trainer_linear_finish(trainer, net, err));
	MREN_TRY(copy_fine_tuned(trainer, net, err));
	set_negative_bias(trainer, net);
	memcpy(net->embeddings_sha256, trainer->embeddings_sha256, 32);
	memcpy(net->encoder_sha256, trainer->encoder_sha256, 32);
	net->negative = trainer->negative;
	net->threshold = trainer->options.threshold;
	net->temperature = trainer->report.temperature;
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
