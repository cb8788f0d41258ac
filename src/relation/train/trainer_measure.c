/*
 * trainer_measure.c
 *	  The last pass before the first epoch: each row's role is noted, and the mean and
 *	  deviation of every input over the training rows go into the first member's values.
 */
#include "relation/train/trainer_rows.h"

#include <math.h>

#include "base/half_array.h"
#include "data/boxes.h"
#include "relation/text_pool.h"

static void
add_moments(MrenMoments *moments, const float *row, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		double x = row[i];

		moments->sum[i] += x;
		moments->square[i] += x * x;
	}
	moments->n++;
}

static bool
has_vector(const MrenExample *example, MrenVectorKind kind)
{
	return kind == MREN_VECTOR_IMAGE ? example->has_image : example->has_audio;
}

/* Adds the row's vectors to the moments. */
static MrenStatus
measure_vectors(MrenTrainer *trainer, const MrenExample *example, MrenError *err)
{
	const MrenMember *first = &trainer->members[0];

	for (int i = 0; i < MREN_N_VECTORS; i++)
	{
		MrenVectorKind kind = (MrenVectorKind) i;
		size_t dim = mren_net_vector_branch(&first->shape, &first->layout, kind).dim;

		if (dim == 0 || !has_vector(example, kind))
			continue;
		MREN_TRY(mren_trainer_fetch_vector(trainer, example, kind, err));
		add_moments(&trainer->measured.vectors[kind], trainer->raw_vector, dim);
	}
	return MREN_OK;
}

/* Adds the weight of a training row to its classes. */
static void
count_classes(MrenTrainer *trainer, const MrenExample *example)
{
	MrenMeasurement *m = &trainer->measured;
	double *count = example->weak ? m->weak_class_count : m->class_count;
	size_t rank;

	if (example->targets.n == 0)
	{
		count[mren_trainer_relation(trainer, example)] += (double) example->weight;
		return;
	}
	for (uint32_t i = 0; i < example->targets.n; i++)
	{
		mren_names_find(&trainer->scan.relations, mren_targets_name(&example->targets, i), &rank);
		count[rank] += (double) example->weight * (double) example->targets.probabilities[i];
	}
}

/* Adds the vectors of a training row, and cells and boxes of its image, to the moments. */
static MrenStatus
measure_image(MrenTrainer *trainer, const MrenExample *example, MrenError *err)
{
	const MrenGridShape *grid = &trainer->shape.grid;
	float geometry[MREN_BOX_GEOMETRY];
	float cell[MREN_GRID_CHANNELS];

	MREN_TRY(measure_vectors(trainer, example, err));
	if (!example->has_image)
		return MREN_OK;
	if (example->has_head_box || example->has_tail_box)
	{
		mren_box_geometry(example->has_head_box ? example->head_box : NULL,
						  example->has_tail_box ? example->tail_box : NULL, geometry);
		add_moments(&trainer->measured.box, geometry, MREN_BOX_GEOMETRY);
	}
	if (!example->has_grid || !trainer->scan.has_grids)
		return MREN_OK;
	MREN_TRY(mren_trainer_fetch_grid(trainer, example, err));
	for (size_t i = 0; i < mren_grid_cells(grid); i++)
	{
		mren_half_to_floats(cell, trainer->raw_grid + i * grid->channels, grid->channels);
		add_moments(&trainer->measured.grid, cell, grid->channels);
	}
	return MREN_OK;
}

static MrenStatus
measure_row(MrenTrainer *trainer, size_t i, MrenError *err)
{
	MrenMember *first = &trainer->members[0];
	MrenTextInput text;
	MrenExample example;
	MrenRole role;

	MREN_TRY(mren_trainer_read_row(trainer, i, &example, err));
	role = mren_trainer_role(trainer, &example);
	trainer->measured.roles[i] = (uint8_t) role;
	if (trainer->measured.folds != NULL &&
		(role == MREN_ROLE_TRAIN || role == MREN_ROLE_VALIDATION))
		trainer->measured.folds[i] = (uint8_t) mren_trainer_fold_of(trainer, &example);
	mren_trainer_marker_measure(trainer, i, &example);
	if (role == MREN_ROLE_NONE)
	{
		trainer->report.n_weak_unused += example.weak && mren_split_trains(example.split);
		return MREN_OK;
	}
	trainer->measured.identities[trainer->measured.n_identities++] =
		mren_example_identity(&example);
	if (role == MREN_ROLE_VALIDATION)
	{
		trainer->report.n_validation++;
		return MREN_OK;
	}
	trainer->report.n_train++;
	trainer->report.n_weak += role == MREN_ROLE_WEAK;
	trainer->report.n_targets += example.targets.n > 0;
	count_classes(trainer, &example);
	text = (MrenTextInput){&example.sentence, mren_trainer_type(trainer, example.head_type),
						   mren_trainer_type(trainer, example.tail_type)};
	mren_text_pool(&first->shape, &trainer->inputs.vectors, trainer->scale, &text,
				   first->batch.text, first->batch.unknown);
	add_moments(&trainer->measured.text, first->batch.text, first->batch.pool_dim);
	return measure_image(trainer, &example, err);
}

/*
 * Mean and deviation of each input.  An input that does not vary is not scaled,
 * and one that hardly varies is scaled by a bounded factor only.
 */
static void
finish_moments(const MrenMoments *moments, float *mean, float *std, size_t n)
{
	double rows = moments->n > 0 ? (double) moments->n : 1;

	for (size_t i = 0; i < n; i++)
	{
		double m = moments->sum[i] / rows;
		double variance = moments->square[i] / rows - m * m;
		double deviation = variance > 0 ? sqrt(variance) : 0;

		mean[i] = (float) m;
		std[i] = deviation < 1e-6 ? 1 : deviation < 1e-2 ? 1e-2f : (float) deviation;
	}
}

/*
 * Weights of n classes that are proportional to count^-power, and keep the sum over all rows, which
 * is returned.
 */
static double
weigh_counts(const double *count, size_t n, double power, float *weights)
{
	double total = 0;
	double weighed = 0;

	for (size_t i = 0; i < n; i++)
	{
		total += count[i];
		weighed += count[i] > 0 ? count[i] * pow(count[i], -power) : 0;
	}
	for (size_t i = 0; i < n; i++)
		weights[i] =
			power > 0 && count[i] > 0 ? (float) (total / weighed * pow(count[i], -power)) : 1;
	return total;
}

/*
 * How far the lack of gold rows that follow weak ones calls for balance: how many of few rows a
 * relation has is a matter of chance, and what weak rows taught of it would be forgotten for want of
 * them.  1 without any, 0 from MREN_FEW_GOLD_ROWS on.
 */
static double
gold_scarcity(const MrenTrainer *trainer)
{
	if (trainer->options.weak != MREN_WEAK_FIRST || trainer->scan.n_weak == 0)
		return 0;
	return fmax(0, 1 - (double) trainer->scan.n_gold / MREN_FEW_GOLD_ROWS);
}

/*
 * Balanced class weights give every class the same sum of weights, which the power 1 of its rows'
 * number does.  The number of weak rows of a relation depends on how much its rules match, more
 * than on how frequent it is.  But a relation of which they match few is not to be learned from
 * these few alone, so its weak rows are balanced at least halfway.
 */
static void
weigh_classes(MrenTrainer *trainer)
{
	MrenMeasurement *m = &trainer->measured;
	bool balanced = trainer->options.class_weights == MREN_CLASS_WEIGHTS_BALANCED;
	double power = balanced ? 1 : gold_scarcity(trainer);
	size_t n = trainer->scan.relations.n;
	double total = weigh_counts(m->class_count, n, power, m->class_weights) +
				   weigh_counts(m->weak_class_count, n, (1 + power) / 2, m->weak_class_weights);

	m->mean_weight = total / (double) trainer->report.n_train;
}

/* Into the first member's tensors; further members copy them. */
static void
finish_tensors(MrenTrainer *trainer, const MrenMoments *moments, size_t mean, size_t std)
{
	MrenMember *first = &trainer->members[0];
	const MrenParameterTable *table = &first->layout.table;

	finish_moments(moments, mren_parameter_at(table, first->values, mean),
				   mren_parameter_at(table, first->values, std), table->items[mean].cols);
}

static void
finish_vectors(MrenTrainer *trainer, MrenVectorKind kind)
{
	MrenMember *first = &trainer->members[0];
	MrenVectorBranch branch = mren_net_vector_branch(&first->shape, &first->layout, kind);
	const float *std;

	if (branch.dim == 0)
		return;
	finish_tensors(trainer, &trainer->measured.vectors[kind], branch.mean, branch.std);
	std = mren_parameter_at(&first->layout.table, first->values, branch.std);
	for (size_t i = 0; i < branch.dim; i++)
		trainer->measured.inverse[kind][i] = 1.0f / std[i];
}

static void
finish_images(MrenTrainer *trainer)
{
	MrenMember *first = &trainer->members[0];
	const MrenNetIds *ids = &first->layout.ids;

	if (mren_net_shape_attends(&trainer->shape))
		finish_tensors(trainer, &trainer->measured.grid, ids->grid_mean, ids->grid_std);
	if (trainer->shape.boxes)
		finish_tensors(trainer, &trainer->measured.box, ids->box_mean, ids->box_std);
	for (int kind = 0; kind < MREN_N_VECTORS; kind++)
		finish_vectors(trainer, (MrenVectorKind) kind);
}

static MrenStatus
finish_measure(MrenTrainer *trainer, MrenError *err)
{
	MrenMember *first = &trainer->members[0];
	const MrenNetIds *ids = &first->layout.ids;

	if (trainer->report.n_train == 0)
	{
		mren_fail(err, MREN_EDATA, "no training row is left beside %zu validation rows",
				  trainer->report.n_validation);
		mren_error_hint(err, trainer->scan.n_weak > 0
								 ? "Weak rows do not train in groups that validate."
								 : "Give some rows the split \"train\".");
		return MREN_EDATA;
	}
	finish_tensors(trainer, &trainer->measured.text, ids->text_mean, ids->text_std);
	finish_images(trainer);
	mren_batch_scale(&first->batch, first->values);
	mren_batch_words(&first->batch, &trainer->inputs.vectors, trainer->scale);
	weigh_classes(trainer);
	return MREN_OK;
}

static MrenStatus
allocate_moments(const MrenEnv *env, MrenMoments *moments, size_t n, MrenError *err)
{
	MREN_TRY(mren_allocate_zero(env, n, sizeof(double), &moments->sum, err));
	return mren_allocate_zero(env, n, sizeof(double), &moments->square, err);
}

MrenStatus
mren_trainer_measure_allocate(MrenTrainer *trainer, MrenError *err)
{
	const MrenEnv *env = &trainer->env;
	MrenMeasurement *m = &trainer->measured;
	size_t dims[MREN_N_VECTORS] = {trainer->shape.image_dim, trainer->shape.audio_dim};
	size_t k = trainer->shape.n_relations;

	MREN_TRY(mren_allocate_zero(env, trainer->inputs.source.n, 1, &m->roles, err));
	if (trainer->scan.n_folds > 0)
		MREN_TRY(mren_allocate_zero(env, trainer->inputs.source.n, 1, &m->folds, err));
	MREN_TRY(mren_allocate(env, trainer->scan.n_usable, sizeof(uint64_t), &m->identities, err));
	MREN_TRY(mren_allocate_zero(env, k, sizeof(double), &m->class_count, err));
	MREN_TRY(mren_allocate(env, k, sizeof(float), &m->class_weights, err));
	MREN_TRY(mren_allocate_zero(env, k, sizeof(double), &m->weak_class_count, err));
	MREN_TRY(mren_allocate(env, k, sizeof(float), &m->weak_class_weights, err));
	MREN_TRY(allocate_moments(env, &m->text, trainer->members[0].batch.pool_dim, err));
	for (int i = 0; i < MREN_N_VECTORS; i++)
	{
		MREN_TRY(mren_allocate(env, dims[i], sizeof(float), &m->inverse[i], err));
		MREN_TRY(allocate_moments(env, &m->vectors[i], dims[i], err));
	}
	if (trainer->shape.boxes)
		MREN_TRY(allocate_moments(env, &m->box, MREN_BOX_GEOMETRY, err));
	if (mren_net_shape_attends(&trainer->shape))
		MREN_TRY(allocate_moments(env, &m->grid, trainer->shape.grid.channels, err));
	return MREN_OK;
}

void
mren_trainer_measure_free(MrenTrainer *trainer)
{
	const MrenEnv *env = &trainer->env;
	MrenMeasurement *m = &trainer->measured;
	MrenMoments *moments[] = {&m->text, &m->vectors[0], &m->vectors[1], &m->grid, &m->box};

	mren_release(env, m->roles);
	mren_release(env, m->folds);
	mren_release(env, m->identities);
	mren_release(env, m->class_count);
	mren_release(env, m->class_weights);
	mren_release(env, m->weak_class_count);
	mren_release(env, m->weak_class_weights);
	for (int i = 0; i < MREN_N_VECTORS; i++)
		mren_release(env, m->inverse[i]);
	for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++)
	{
		mren_release(env, moments[i]->sum);
		mren_release(env, moments[i]->square);
	}
}

MrenStatus
mren_trainer_measure(MrenTrainer *trainer, bool *done, MrenError *err)
{
	size_t end = trainer->next_row + MREN_BLOCK_ROWS;

	MREN_TRY(mren_check_interrupts(&trainer->env, err));
	end = end < trainer->inputs.source.n ? end : trainer->inputs.source.n;
	for (; trainer->next_row < end; trainer->next_row++)
		MREN_TRY(measure_row(trainer, trainer->next_row, err));
	*done = trainer->next_row == trainer->inputs.source.n;
	return *done ? finish_measure(trainer, err) : MREN_OK;
}
