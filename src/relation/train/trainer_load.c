/*
 * trainer_load.c
 *	  A row into a mini-batch: its label, weight and distribution, and its text, image and
 *	  recording as the network reads them.
 */
#include "relation/train/trainer_linear.h"
#include "relation/train/trainer_rows.h"

#include <math.h>
#include <string.h>

#include "base/half_array.h"
#include "nn/kernels.h"

int32_t
mren_trainer_type(const MrenTrainer *trainer, MrenTextSpan type)
{
	size_t rank;

	if (type.data == NULL || !mren_names_find(&trainer->scan.types, type, &rank))
		return -1;
	return (int32_t) rank;
}

size_t
mren_trainer_relation(const MrenTrainer *trainer, const MrenExample *example)
{
	size_t rank;

	mren_names_find(&trainer->scan.relations, example->relation, &rank);
	return rank;
}

bool
mren_trainer_targets(const MrenTrainer *trainer, const MrenExample *example, float *targets)
{
	size_t rank;

	if (example->targets.n == 0)
		return false;
	memset(targets, 0, trainer->shape.n_relations * sizeof(float));
	for (uint32_t i = 0; i < example->targets.n; i++)
	{
		mren_names_find(&trainer->scan.relations, mren_targets_name(&example->targets, i), &rank);
		targets[rank] = example->targets.probabilities[i];
	}
	return true;
}

float
mren_trainer_class_weight(const MrenTrainer *trainer, const MrenExample *example)
{
	const MrenMeasurement *m = &trainer->measured;
	const float *weights = example->weak ? m->weak_class_weights : m->class_weights;
	float sum = 0;
	size_t rank;

	if (example->targets.n == 0)
		return weights[mren_trainer_relation(trainer, example)];
	for (uint32_t i = 0; i < example->targets.n; i++)
	{
		mren_names_find(&trainer->scan.relations, mren_targets_name(&example->targets, i), &rank);
		sum += example->targets.probabilities[i] * weights[rank];
	}
	return sum;
}

/* The row's vector of that kind into raw_vector. */
MrenStatus
mren_trainer_fetch_vector(MrenTrainer *trainer, const MrenExample *example, MrenVectorKind kind,
						  MrenError *err)
{
	const MrenMember *first = &trainer->members[0];
	MrenVectorBranch branch = mren_net_vector_branch(&first->shape, &first->layout, kind);
	const MrenSource *source = &trainer->inputs.source;
	float *vector = trainer->raw_vector;

	if (kind == MREN_VECTOR_IMAGE)
		MREN_TRY(source->image(source->state, &example->image, vector, err));
	else
		MREN_TRY(source->audio(source->state, &example->audio, vector, err));
	for (size_t i = 0; i < branch.dim; i++)
	{
		if (!isfinite(vector[i]))
			return mren_fail(err, MREN_ENUMERIC, "element %zu of an %s vector is not finite", i + 1,
							 kind == MREN_VECTOR_IMAGE ? "image" : "audio");
	}
	mren_net_vector_root(&branch, vector);
	return MREN_OK;
}

MrenStatus
mren_trainer_fetch_grid(MrenTrainer *trainer, const MrenExample *example, MrenError *err)
{
	MREN_TRY(trainer->inputs.source.grid(trainer->inputs.source.state, &example->image,
										 trainer->raw_grid, err));
	if (!mren_half_all_finite(trainer->raw_grid, mren_grid_size(&trainer->shape.grid)))
		return mren_fail(err, MREN_ENUMERIC, "a number in the grid of an image is not finite");
	return MREN_OK;
}

/* Grid and boxes, unless the image is withheld from the row. */
static MrenStatus
load_grid(MrenTrainer *trainer, const MrenExample *example, size_t row, bool withheld,
		  MrenError *err)
{
	MrenMember *member = mren_trainer_member(trainer);
	MrenGridBranchInput input = {NULL, NULL, NULL};

	if (!mren_net_shape_attends(&member->shape) && !member->shape.boxes)
		return MREN_OK;
	if (example->has_image && !withheld)
	{
		if (example->has_head_box)
			input.head_box = example->head_box;
		if (example->has_tail_box)
			input.tail_box = example->tail_box;
		if (mren_net_shape_attends(&member->shape) && example->has_grid)
		{
			MREN_TRY(mren_trainer_fetch_grid(trainer, example, err));
			input.grid = trainer->raw_grid;
		}
	}
	mren_grid_branch_load(&member->batch.grid_branch, &member->shape, &member->layout,
						  member->values, row, &input);
	return MREN_OK;
}

/* The row's vector of that kind, standardized; zero without one. */
static MrenStatus
load_vector(MrenTrainer *trainer, const MrenExample *example, MrenVectorKind kind, size_t row,
			MrenError *err)
{
	MrenMember *member = mren_trainer_member(trainer);
	MrenVectorBranch branch = mren_net_vector_branch(&member->shape, &member->layout, kind);
	MrenVectorBatch *batch = &member->batch.vectors[kind];
	float *vector = batch->in + row * branch.dim;

	if (branch.dim == 0)
		return MREN_OK;
	if (!batch->has[row])
	{
		memset(vector, 0, branch.dim * sizeof(float));
		return MREN_OK;
	}
	MREN_TRY(mren_trainer_fetch_vector(trainer, example, kind, err));
	mren_standardize(vector, trainer->raw_vector,
					 mren_parameter_at(&member->layout.table, member->values, branch.mean),
					 trainer->measured.inverse[kind], branch.dim);
	return MREN_OK;
}

/* Whether a training row's image or recording is withheld this time. */
static bool
withhold(MrenTrainer *trainer, bool train, bool has)
{
	return train && has &&
		   mren_random_uniform(&trainer->withhold) < (float) trainer->options.image_dropout;
}

MrenStatus
mren_trainer_load(MrenTrainer *trainer, const uint8_t *record, size_t len, size_t row, bool train,
				  MrenError *err)
{
	MrenMember *member = mren_trainer_member(trainer);
	MrenVectorBatch *vectors = member->batch.vectors;
	bool reads_images = member->shape.image_dim > 0;
	bool reads_audio = member->shape.audio_dim > 0;
	MrenExample example;
	bool withheld;

	MREN_TRY(mren_example_read(record, len, &example, &len, err));
	trainer->labels[row] = (int32_t) mren_trainer_relation(trainer, &example);
	trainer->weights[row] =
		example.weight * (train ? mren_trainer_class_weight(trainer, &example) : 1);
	if (trainer->targets != NULL)
		trainer->soft[row] = mren_trainer_targets(
			trainer, &example, trainer->targets + row * trainer->shape.n_relations);
	withheld = withhold(trainer, train, reads_images && example.has_image);
	mren_trainer_linear_load(trainer, &example, row, !withheld);
	vectors[MREN_VECTOR_IMAGE].has[row] = reads_images && example.has_image && !withheld;
	vectors[MREN_VECTOR_AUDIO].has[row] =
		reads_audio && example.has_audio &&
		!withhold(trainer, train, reads_audio && example.has_audio);
	/* The linear branch alone needs no more. */
	if (trainer->epochs.epoch > trainer->epochs.member_epochs)
		return MREN_OK;
	MREN_TRY(mren_batch_load_text(&member->batch, row, &example.sentence,
								  mren_trainer_type(trainer, example.head_type),
								  mren_trainer_type(trainer, example.tail_type), err));
	MREN_TRY(load_grid(trainer, &example, row, withheld, err));
	MREN_TRY(load_vector(trainer, &example, MREN_VECTOR_IMAGE, row, err));
	return load_vector(trainer, &example, MREN_VECTOR_AUDIO, row, err);
}
