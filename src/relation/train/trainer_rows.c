/*
 * trainer_rows.c
 *	  Reading rows: the two passes before the first epoch, and rows into a
 *	  mini-batch.
 *
 * The scan learns names, splits and the scale of the word vectors.  With weak rows, a further
 * pass collects the groups that validate, from which no weak row may train.  The measurement
 * gives each row its role, and takes the mean and deviation of every input over the training rows into the
 * first member's values.
 */
#include "relation/train/trainer_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/boxes.h"
#include "base/half_array.h"
#include "nn/kernels.h"
#include "relation/text_pool.h"

static MrenStatus
read_row(MrenTrainer *trainer, size_t i, MrenExample *example, MrenError *err)
{
	const uint8_t *record;
	size_t len;

	MREN_TRY(trainer->inputs.source.read(trainer->inputs.source.state, i, &record, &len, err));
	MREN_TRY(mren_example_read(record, len, example, &len, err));
	if (example->has_image && trainer->inputs.image_dim == 0)
		return mren_fail(err, MREN_EPARAM,
						 "training row has an image, but the model is trained without images");
	if (example->has_audio && trainer->inputs.audio_dim == 0)
		return mren_fail(err, MREN_EPARAM,
						 "training row has a recording, but the model is trained without them");
	return MREN_OK;
}

/* Hash of a group with the seed, uniform in 0 .. 2^64 - 1. */
static uint64_t
group_hash(const MrenTrainer *trainer, const MrenExample *example)
{
	return mren_hash64(&example->group, sizeof(example->group),
					   (uint64_t) trainer->options.common.seed + MREN_STREAM_SPLIT);
}

static MrenStatus
scan_words(MrenTrainer *trainer, const MrenSentence *s, MrenError *err)
{
	bool counted = trainer->options.word_vectors == MREN_WORDS_FINE_TUNED;
	size_t dim = trainer->inputs.vectors.dim;

	trainer->report.n_words += s->n_words;
	for (uint32_t w = 0; w < s->n_words; w++)
	{
		bool known = false;

		for (uint32_t p = s->starts[w]; p < s->starts[w + 1]; p++)
		{
			const float *vector;

			if (s->pieces[p] < 0)
				continue;
			known = true;
			vector = trainer->inputs.vectors.get(trainer->inputs.vectors.state, s->pieces[p]);
			trainer->scan.square_sum += mren_square_sum(vector, dim);
			trainer->scan.square_n += dim;
			if (counted)
				MREN_TRY(mren_word_counts_add(&trainer->env, &trainer->scan.word_counts,
											  s->pieces[p], err));
		}
		trainer->report.n_unknown_words += !known;
	}
	return MREN_OK;
}

static MrenStatus
scan_relations(MrenTrainer *trainer, const MrenExample *example, MrenError *err)
{
	const MrenTargets *targets = &example->targets;
	MrenNames *relations = &trainer->scan.relations;
	uint32_t number;

	trainer->scan.has_targets |= targets->n > 0;
	for (uint32_t i = 0; i < targets->n && relations->n <= MREN_MAX_RELATIONS; i++)
		MREN_TRY(mren_names_intern(&trainer->env, relations, mren_targets_name(targets, i), &number,
								   err));
	return mren_names_intern(&trainer->env, relations, example->relation, &number, err);
}

/* Only gold rows validate, so only their groups count. */
static void
scan_group(MrenTrainer *trainer, const MrenExample *example)
{
	uint64_t group = group_hash(trainer, example);
	MrenRowScan *scan = &trainer->scan;

	scan->n_weak += example->weak;
	if (example->weak)
		return;
	scan->n_gold++;
	if (example->split == MREN_SPLIT_VALIDATION)
		scan->has_validation_split = true;
	if (scan->n_gold == 1 || group < scan->smallest_group)
		scan->smallest_group = group;
	if (scan->n_gold == 1 || group > scan->largest_group)
		scan->largest_group = group;
}

static MrenStatus
scan_row(MrenTrainer *trainer, const MrenExample *example, MrenError *err)
{
	uint32_t number;

	trainer->report.n_rows++;
	if (!mren_split_trains(example->split))
		return MREN_OK;
	trainer->scan.n_usable++;
	trainer->report.n_rows_with_image += example->has_image;
	trainer->report.n_rows_with_audio += example->has_audio;
	if (example->has_grid && trainer->options.fusion != MREN_FUSION_PARALLEL)
		trainer->scan.has_grids = true;
	if (example->has_image && (example->has_head_box || example->has_tail_box))
		trainer->scan.has_boxes = true;
	MREN_TRY(scan_relations(trainer, example, err));
	if (example->head_type.data != NULL)
		MREN_TRY(mren_names_intern(&trainer->env, &trainer->scan.types, example->head_type, &number,
								   err));
	if (example->tail_type.data != NULL)
		MREN_TRY(mren_names_intern(&trainer->env, &trainer->scan.types, example->tail_type, &number,
								   err));
	if (trainer->scan.types.n > MREN_MAX_TYPES)
		return mren_fail(err, MREN_ELIMIT,
						 "more than %d distinct entity types in the training rows", MREN_MAX_TYPES);
	if (trainer->scan.relations.n > MREN_MAX_RELATIONS)
		return mren_fail(err, MREN_ELIMIT, "more than %d distinct relations in the training rows",
						 MREN_MAX_RELATIONS);
	scan_group(trainer, example);
	MREN_TRY(scan_words(trainer, &example->sentence, err));
	return mren_trainer_linear_scan(trainer, example, err);
}

/*
 * Beside weak rows gold ones are few, and a tenth of them decides nothing.  These two were chosen
 * on SemEval with 50 to 640 gold rows, of sentences that are no part of the published figures.
 */
#define ENOUGH_VALIDATION_ROWS 200
#define LARGEST_VALIDATION_SHARE 0.3

/* The share of the gold rows' groups that validate. */
static double
validation_share(const MrenTrainer *trainer)
{
	double share = trainer->options.common.validation_share;
	double enough = ENOUGH_VALIDATION_ROWS / (double) trainer->scan.n_gold;

	if (share <= 0 || trainer->scan.n_weak == 0)
		return share;
	return fmax(share, fmin(enough, LARGEST_VALIDATION_SHARE));
}

/*
 * Chooses the share of groups that validate.  If that would be none or all of
 * them, one group validates; a single group trains.
 */
static void
choose_validation(MrenTrainer *trainer)
{
	double share = validation_share(trainer);

	trainer->scan.validation_below = (uint64_t) (share * 0x1p64);
	if (trainer->scan.has_validation_split || share <= 0 || trainer->scan.n_gold == 0 ||
		trainer->scan.smallest_group == trainer->scan.largest_group)
		trainer->scan.validation_below = 0;
	else if (trainer->scan.smallest_group >= trainer->scan.validation_below ||
			 trainer->scan.largest_group < trainer->scan.validation_below)
		trainer->scan.validation_below = trainer->scan.smallest_group + 1;
}

static MrenStatus
find_negative(MrenTrainer *trainer, MrenError *err)
{
	const char *name = trainer->options.negative;
	size_t rank;

	trainer->negative = -1;
	if (name == NULL)
		return MREN_OK;
	if (!mren_names_find(&trainer->scan.relations, (MrenTextSpan){name, (uint32_t) strlen(name)},
						 &rank))
	{
		mren_fail(err, MREN_EDATA, "no training row has the negative relation \"%.200s\"", name);
		mren_error_hint(err, "Option \"negative\" names the relation that means \"no relation\".");
		return MREN_EDATA;
	}
	trainer->negative = (int32_t) rank;
	return MREN_OK;
}

static MrenStatus
finish_scan(MrenTrainer *trainer, MrenError *err)
{
	double square;

	if (trainer->scan.n_usable == 0)
		return mren_fail(err, MREN_EDATA, "no training rows: all %zu rows have the split \"test\"",
						 trainer->inputs.source.n);
	if (trainer->scan.relations.n < 2)
	{
		MrenTextSpan only = mren_names_get(&trainer->scan.relations, 0);

		mren_fail(err, MREN_EDATA, "all training rows have the same relation \"%.*s\"",
				  (int) (only.len < 200 ? only.len : 200), only.data);
		mren_error_hint(err, "A model tells at least two relations apart; give rows that hold no "
							 "relation a name of their own.");
		return MREN_EDATA;
	}
	MREN_TRY(find_negative(trainer, err));
	choose_validation(trainer);
	square =
		trainer->scan.square_n > 0 ? trainer->scan.square_sum / (double) trainer->scan.square_n : 1;
	trainer->scale = square > 1e-12 ? (float) (1 / sqrt(square)) : 1;
	return MREN_OK;
}

MrenStatus
mren_trainer_scan(MrenTrainer *trainer, bool *done, MrenError *err)
{
	size_t end = trainer->next_row + MREN_BLOCK_ROWS;

	MREN_TRY(mren_check_interrupts(&trainer->env, err));
	end = end < trainer->inputs.source.n ? end : trainer->inputs.source.n;
	for (; trainer->next_row < end; trainer->next_row++)
	{
		MrenExample example;

		MREN_TRY(read_row(trainer, trainer->next_row, &example, err));
		MREN_TRY(scan_row(trainer, &example, err));
	}
	*done = trainer->next_row == trainer->inputs.source.n;
	return *done ? finish_scan(trainer, err) : MREN_OK;
}

/* Whether a gold row validates. */
static bool
gold_validates(const MrenTrainer *trainer, const MrenExample *example)
{
	if (trainer->options.weak == MREN_WEAK_ONLY && trainer->scan.n_weak > 0)
		return true;
	if (trainer->scan.has_validation_split)
		return example->split == MREN_SPLIT_VALIDATION;
	return group_hash(trainer, example) < trainer->scan.validation_below;
}

static int
compare_groups(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *) a;
	uint64_t y = *(const uint64_t *) b;

	return x < y ? -1 : x > y;
}

MrenStatus
mren_trainer_scan_groups(MrenTrainer *trainer, bool *done, MrenError *err)
{
	MrenRowScan *scan = &trainer->scan;
	size_t end = trainer->next_row + MREN_BLOCK_ROWS;

	MREN_TRY(mren_check_interrupts(&trainer->env, err));
	end = end < trainer->inputs.source.n ? end : trainer->inputs.source.n;
	for (; trainer->next_row < end; trainer->next_row++)
	{
		MrenExample example;

		MREN_TRY(read_row(trainer, trainer->next_row, &example, err));
		if (!mren_split_trains(example.split) || example.weak || !gold_validates(trainer, &example))
			continue;
		MREN_TRY(mren_grow(&trainer->env, &scan->validating, &scan->validating_capacity,
						   scan->n_validating, scan->n_validating + 1, sizeof(uint64_t), err));
		scan->validating[scan->n_validating++] = example.group;
	}
	*done = trainer->next_row == trainer->inputs.source.n;
	if (*done && scan->n_validating > 0)
		qsort(scan->validating, scan->n_validating, sizeof(uint64_t), compare_groups);
	return MREN_OK;
}

/*
 * A weak row trains unless a gold row of its group validates, or the caller has put it among
 * the validation rows, where it must not be.
 */
static MrenRole
weak_role(const MrenTrainer *trainer, const MrenExample *example)
{
	const MrenRowScan *scan = &trainer->scan;
	bool validates =
		scan->n_validating > 0 && bsearch(&example->group, scan->validating, scan->n_validating,
										  sizeof(uint64_t), compare_groups) != NULL;

	return validates || example->split == MREN_SPLIT_VALIDATION ? MREN_ROLE_NONE : MREN_ROLE_WEAK;
}

static MrenRole
row_role(const MrenTrainer *trainer, const MrenExample *example)
{
	if (!mren_split_trains(example->split))
		return MREN_ROLE_NONE;
	if (example->weak)
		return weak_role(trainer, example);
	return gold_validates(trainer, example) ? MREN_ROLE_VALIDATION : MREN_ROLE_TRAIN;
}

int32_t
mren_trainer_type(const MrenTrainer *trainer, MrenTextSpan type)
{
	size_t rank;

	if (type.data == NULL || !mren_names_find(&trainer->scan.types, type, &rank))
		return -1;
	return (int32_t) rank;
}

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

/* The row's vector of that kind into raw_vector. */
static MrenStatus
fetch_vector(MrenTrainer *trainer, const MrenExample *example, MrenVectorKind kind, MrenError *err)
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
		MREN_TRY(fetch_vector(trainer, example, kind, err));
		add_moments(&trainer->measured.vectors[kind], trainer->raw_vector, dim);
	}
	return MREN_OK;
}

size_t
mren_trainer_relation(const MrenTrainer *trainer, const MrenExample *example)
{
	size_t rank;

	mren_names_find(&trainer->scan.relations, example->relation, &rank);
	return rank;
}

void
mren_trainer_targets(const MrenTrainer *trainer, const MrenExample *example, float *targets)
{
	size_t rank;

	memset(targets, 0, trainer->shape.n_relations * sizeof(float));
	if (example->targets.n == 0)
		targets[mren_trainer_relation(trainer, example)] = 1;
	for (uint32_t i = 0; i < example->targets.n; i++)
	{
		mren_names_find(&trainer->scan.relations, mren_targets_name(&example->targets, i), &rank);
		targets[rank] = example->targets.probabilities[i];
	}
}

float
mren_trainer_class_weight(const MrenTrainer *trainer, const MrenExample *example)
{
	const float *weights = trainer->measured.class_weights;
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

/* Adds the weight of a training row to its classes. */
static void
count_classes(MrenTrainer *trainer, const MrenExample *example)
{
	double *count = trainer->measured.class_count;
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

static MrenStatus
fetch_grid(MrenTrainer *trainer, const MrenExample *example, MrenError *err)
{
	MREN_TRY(trainer->inputs.source.grid(trainer->inputs.source.state, &example->image,
										 trainer->raw_grid, err));
	if (!mren_half_all_finite(trainer->raw_grid, mren_grid_size(&trainer->shape.grid)))
		return mren_fail(err, MREN_ENUMERIC, "a number in the grid of an image is not finite");
	return MREN_OK;
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
	MREN_TRY(fetch_grid(trainer, example, err));
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

	MREN_TRY(read_row(trainer, i, &example, err));
	role = row_role(trainer, &example);
	trainer->measured.roles[i] = (uint8_t) role;
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
 * Balanced class weights give every class the same sum of weights and keep the
 * sum over all rows.
 */
static void
weigh_classes(MrenTrainer *trainer)
{
	bool balanced = trainer->options.class_weights == MREN_CLASS_WEIGHTS_BALANCED;
	double total = 0;
	double present = 0;

	for (size_t i = 0; i < trainer->scan.relations.n; i++)
	{
		present += trainer->measured.class_count[i] > 0;
		total += trainer->measured.class_count[i];
	}
	for (size_t i = 0; i < trainer->scan.relations.n; i++)
	{
		double count = trainer->measured.class_count[i];

		trainer->measured.class_weights[i] =
			balanced && count > 0 ? (float) (total / (present * count)) : 1;
	}
	trainer->measured.mean_weight = total / (double) trainer->report.n_train;
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
	MREN_TRY(mren_allocate(env, trainer->scan.n_usable, sizeof(uint64_t), &m->identities, err));
	MREN_TRY(mren_allocate_zero(env, k, sizeof(double), &m->class_count, err));
	MREN_TRY(mren_allocate(env, k, sizeof(float), &m->class_weights, err));
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
mren_trainer_rows_free(MrenTrainer *trainer)
{
	const MrenEnv *env = &trainer->env;
	MrenMeasurement *m = &trainer->measured;
	MrenMoments *moments[] = {&m->text, &m->vectors[0], &m->vectors[1], &m->grid, &m->box};

	mren_names_free(env, &trainer->scan.relations);
	mren_names_free(env, &trainer->scan.types);
	mren_word_counts_free(env, &trainer->scan.word_counts);
	mren_release(env, trainer->scan.validating);
	mren_release(env, m->roles);
	mren_release(env, m->identities);
	mren_release(env, m->class_count);
	mren_release(env, m->class_weights);
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
			MREN_TRY(fetch_grid(trainer, example, err));
			input.grid = trainer->raw_grid;
		}
	}
	mren_grid_branch_load(&member->batch.grid_branch, &member->shape, &member->layout,
						  member->values, row, &input);
	return MREN_OK;
}

/* The row's vector of that kind, standardised; zero without one. */
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
	MREN_TRY(fetch_vector(trainer, example, kind, err));
	mren_standardise(vector, trainer->raw_vector,
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
	{
		trainer->soft[row] = example.targets.n > 0;
		mren_trainer_targets(trainer, &example,
							 trainer->targets + row * trainer->shape.n_relations);
	}
	MREN_TRY(mren_batch_load_text(&member->batch, row, &example.sentence,
								  mren_trainer_type(trainer, example.head_type),
								  mren_trainer_type(trainer, example.tail_type), err));
	withheld = withhold(trainer, train, reads_images && example.has_image);
	mren_trainer_linear_load(trainer, &example, row, !withheld);
	vectors[MREN_VECTOR_IMAGE].has[row] = reads_images && example.has_image && !withheld;
	vectors[MREN_VECTOR_AUDIO].has[row] =
		reads_audio && example.has_audio &&
		!withhold(trainer, train, reads_audio && example.has_audio);
	MREN_TRY(load_grid(trainer, &example, row, withheld, err));
	MREN_TRY(load_vector(trainer, &example, MREN_VECTOR_IMAGE, row, err));
	return load_vector(trainer, &example, MREN_VECTOR_AUDIO, row, err);
}
