/*
 * trainer_data.c
 *	  Reading rows: the two passes before the first epoch, and rows into a
 *	  mini-batch.
 *
 * The scan learns names, splits and the scale of the word vectors.  The measurement gives each
 * row its role and takes the mean and deviation of every input over the training rows.
 */
#include "relation/train/trainer_internal.h"

#include <math.h>
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

	MREN_TRY(trainer->source.read(trainer->source.state, i, &record, &len, err));
	MREN_TRY(mren_example_read(record, len, example, &len, err));
	if (example->has_image && trainer->image_dim == 0)
		return mren_fail(err, MREN_EPARAM, "a training row has an image, but the training none");
	return MREN_OK;
}

/* A group's place in 0 .. 2^64 - 1, by the seed. */
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
	size_t dim = trainer->vectors.dim;

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
			vector = trainer->vectors.get(trainer->vectors.state, s->pieces[p]);
			trainer->square_sum += mren_square_sum(vector, dim);
			trainer->square_n += dim;
			if (counted)
				MREN_TRY(
					mren_word_counts_add(&trainer->env, &trainer->word_counts, s->pieces[p], err));
		}
		trainer->report.n_unknown_words += !known;
	}
	return MREN_OK;
}

static MrenStatus
scan_row(MrenTrainer *trainer, const MrenExample *example, MrenError *err)
{
	uint64_t group = group_hash(trainer, example);
	uint32_t number;

	trainer->report.n_rows++;
	if (!mren_split_trains(example->split))
		return MREN_OK;
	trainer->n_usable++;
	trainer->report.n_rows_with_image += example->has_image;
	if (example->has_grid && trainer->options.fusion != MREN_FUSION_PARALLEL)
		trainer->has_grids = true;
	if (example->has_image && (example->has_head_box || example->has_tail_box))
		trainer->has_boxes = true;
	MREN_TRY(
		mren_names_intern(&trainer->env, &trainer->relations, example->relation, &number, err));
	if (example->head_type.data != NULL)
		MREN_TRY(
			mren_names_intern(&trainer->env, &trainer->types, example->head_type, &number, err));
	if (example->tail_type.data != NULL)
		MREN_TRY(
			mren_names_intern(&trainer->env, &trainer->types, example->tail_type, &number, err));
	if (trainer->types.n > MREN_MAX_TYPES)
		return mren_fail(err, MREN_ELIMIT,
						 "more than %d distinct entity types in the training rows", MREN_MAX_TYPES);
	if (trainer->relations.n > MREN_MAX_RELATIONS)
		return mren_fail(err, MREN_ELIMIT, "more than %d distinct relations in the training rows",
						 MREN_MAX_RELATIONS);
	if (example->split == MREN_SPLIT_VALIDATION)
		trainer->has_validation_split = true;
	if (trainer->n_usable == 1 || group < trainer->smallest_group)
		trainer->smallest_group = group;
	if (trainer->n_usable == 1 || group > trainer->largest_group)
		trainer->largest_group = group;
	MREN_TRY(scan_words(trainer, &example->sentence, err));
	return mren_trainer_linear_scan(trainer, example, err);
}

/*
 * The share of groups that validate.  A set so small that the share hits none
 * or all of them gives one group; one group alone cannot be divided.
 */
static void
choose_validation(MrenTrainer *trainer)
{
	double share = trainer->options.common.validation_share;

	trainer->validation_below = (uint64_t) (share * 0x1p64);
	if (trainer->has_validation_split || share <= 0 ||
		trainer->smallest_group == trainer->largest_group)
		trainer->validation_below = 0;
	else if (trainer->smallest_group >= trainer->validation_below ||
			 trainer->largest_group < trainer->validation_below)
		trainer->validation_below = trainer->smallest_group + 1;
}

static MrenStatus
find_negative(MrenTrainer *trainer, MrenError *err)
{
	const char *name = trainer->options.negative;
	size_t rank;

	trainer->negative = -1;
	if (name == NULL)
		return MREN_OK;
	if (!mren_names_find(&trainer->relations, (MrenTextSpan){name, (uint32_t) strlen(name)}, &rank))
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

	if (trainer->n_usable == 0)
		return mren_fail(err, MREN_EDATA, "no training rows: all %zu rows have the split \"test\"",
						 trainer->source.n);
	if (trainer->relations.n < 2)
	{
		MrenTextSpan only = mren_names_get(&trainer->relations, 0);

		mren_fail(err, MREN_EDATA, "all training rows have the same relation \"%.*s\"",
				  (int) (only.len < 200 ? only.len : 200), only.data);
		mren_error_hint(err, "A model tells at least two relations apart; give rows that hold no "
							 "relation a name of their own.");
		return MREN_EDATA;
	}
	MREN_TRY(find_negative(trainer, err));
	choose_validation(trainer);
	square = trainer->square_n > 0 ? trainer->square_sum / (double) trainer->square_n : 1;
	trainer->scale = square > 1e-12 ? (float) (1 / sqrt(square)) : 1;
	return MREN_OK;
}

MrenStatus
mren_trainer_scan(MrenTrainer *trainer, bool *done, MrenError *err)
{
	size_t end = trainer->next_row + MREN_BLOCK_ROWS;

	MREN_TRY(mren_check_interrupts(&trainer->env, err));
	end = end < trainer->source.n ? end : trainer->source.n;
	for (; trainer->next_row < end; trainer->next_row++)
	{
		MrenExample example;

		MREN_TRY(read_row(trainer, trainer->next_row, &example, err));
		MREN_TRY(scan_row(trainer, &example, err));
	}
	*done = trainer->next_row == trainer->source.n;
	return *done ? finish_scan(trainer, err) : MREN_OK;
}

static MrenRole
row_role(const MrenTrainer *trainer, const MrenExample *example)
{
	bool validates;

	if (!mren_split_trains(example->split))
		return MREN_ROLE_NONE;
	if (trainer->has_validation_split)
		validates = example->split == MREN_SPLIT_VALIDATION;
	else
		validates = group_hash(trainer, example) < trainer->validation_below;
	return validates ? MREN_ROLE_VALIDATION : MREN_ROLE_TRAIN;
}

static int32_t
type_rank(const MrenTrainer *trainer, MrenTextSpan type)
{
	size_t rank;

	if (type.data == NULL || !mren_names_find(&trainer->types, type, &rank))
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

static MrenStatus
fetch_image(MrenTrainer *trainer, const MrenExample *example, float *vector, MrenError *err)
{
	MREN_TRY(trainer->source.image(trainer->source.state, &example->image, vector, err));
	for (size_t i = 0; i < trainer->image_dim; i++)
	{
		if (!isfinite(vector[i]))
			return mren_fail(err, MREN_ENUMERIC, "element %zu of an image vector is not finite",
							 i + 1);
	}
	mren_image_root(&trainer->shape, vector, trainer->image_dim);
	return MREN_OK;
}

static size_t
relation_rank(const MrenTrainer *trainer, const MrenExample *example)
{
	size_t rank;

	mren_names_find(&trainer->relations, example->relation, &rank);
	return rank;
}

static MrenStatus
fetch_grid(MrenTrainer *trainer, const MrenExample *example, MrenError *err)
{
	MREN_TRY(trainer->source.grid(trainer->source.state, &example->image, trainer->raw_grid, err));
	if (!mren_half_all_finite(trainer->raw_grid, mren_grid_size(&trainer->shape.grid)))
		return mren_fail(err, MREN_ENUMERIC, "a number in the grid of an image is not finite");
	return MREN_OK;
}

/* Vector, cells and boxes of a training row. */
static MrenStatus
measure_image(MrenTrainer *trainer, const MrenExample *example, MrenError *err)
{
	const MrenGridShape *grid = &trainer->shape.grid;
	float geometry[MREN_BOX_GEOMETRY];
	float cell[MREN_GRID_CHANNELS];

	if (!example->has_image)
		return MREN_OK;
	if (mren_net_shape_has_vector(&trainer->shape))
	{
		MREN_TRY(fetch_image(trainer, example, trainer->raw_image, err));
		add_moments(&trainer->image, trainer->raw_image, trainer->image_dim);
	}
	if (example->has_head_box || example->has_tail_box)
	{
		mren_box_geometry(example->has_head_box ? example->head_box : NULL,
						  example->has_tail_box ? example->tail_box : NULL, geometry);
		add_moments(&trainer->box, geometry, MREN_BOX_GEOMETRY);
	}
	if (!example->has_grid || !trainer->has_grids)
		return MREN_OK;
	MREN_TRY(fetch_grid(trainer, example, err));
	for (size_t i = 0; i < mren_grid_cells(grid); i++)
	{
		mren_half_to_floats(cell, trainer->raw_grid + i * grid->channels, grid->channels);
		add_moments(&trainer->grid, cell, grid->channels);
	}
	return MREN_OK;
}

static MrenStatus
measure_row(MrenTrainer *trainer, size_t i, MrenError *err)
{
	MrenExample example;
	MrenRole role;

	MREN_TRY(read_row(trainer, i, &example, err));
	role = row_role(trainer, &example);
	trainer->roles[i] = (uint8_t) role;
	if (role == MREN_ROLE_NONE)
		return MREN_OK;
	trainer->identities[trainer->n_identities++] = mren_example_identity(&example);
	if (role == MREN_ROLE_VALIDATION)
	{
		trainer->report.n_validation++;
		return MREN_OK;
	}
	trainer->report.n_train++;
	trainer->class_count[relation_rank(trainer, &example)] += (double) example.weight;
	mren_text_pool(&trainer->shape, &trainer->vectors, trainer->scale, &example.sentence,
				   type_rank(trainer, example.head_type), type_rank(trainer, example.tail_type),
				   trainer->batch.text, trainer->batch.unknown);
	add_moments(&trainer->text, trainer->batch.text, trainer->batch.pool_dim);
	return measure_image(trainer, &example, err);
}

/*
 * Mean and deviation of each input.  An input that never varies is left as it
 * is; one that hardly does is not blown up.
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
 * Balanced class weights give every class the same sum of weights and leave
 * the sum over all rows as it was.
 */
static void
weigh_classes(MrenTrainer *trainer)
{
	bool balanced = trainer->options.class_weights == MREN_CLASS_WEIGHTS_BALANCED;
	double total = 0;
	double present = 0;

	for (size_t i = 0; i < trainer->relations.n; i++)
	{
		present += trainer->class_count[i] > 0;
		total += trainer->class_count[i];
	}
	for (size_t i = 0; i < trainer->relations.n; i++)
	{
		double count = trainer->class_count[i];

		trainer->class_weights[i] = balanced && count > 0 ? (float) (total / (present * count)) : 1;
	}
	trainer->mean_weight = total / (double) trainer->report.n_train;
}

static void
finish_tensors(MrenTrainer *trainer, const MrenMoments *moments, size_t mean, size_t std)
{
	finish_moments(moments, mren_parameter_at(&trainer->layout.table, trainer->values, mean),
				   mren_parameter_at(&trainer->layout.table, trainer->values, std),
				   trainer->layout.table.items[mean].cols);
}

static void
finish_images(MrenTrainer *trainer)
{
	const MrenNetIds *ids = &trainer->layout.ids;

	if (mren_net_shape_attends(&trainer->shape))
		finish_tensors(trainer, &trainer->grid, ids->grid_mean, ids->grid_std);
	if (trainer->shape.boxes)
		finish_tensors(trainer, &trainer->box, ids->box_mean, ids->box_std);
	if (!mren_net_shape_has_vector(&trainer->shape))
		return;
	finish_tensors(trainer, &trainer->image, ids->image_mean, ids->image_std);
	for (size_t i = 0; i < trainer->image_dim; i++)
		trainer->image_inverse[i] =
			1.0f / mren_parameter_at(&trainer->layout.table, trainer->values, ids->image_std)[i];
}

static MrenStatus
finish_measure(MrenTrainer *trainer, MrenError *err)
{
	const MrenNetIds *ids = &trainer->layout.ids;

	if (trainer->report.n_train == 0)
	{
		mren_fail(err, MREN_EDATA, "no training row is left beside %zu validation rows",
				  trainer->report.n_validation);
		mren_error_hint(err, "Give some rows the split \"train\".");
		return MREN_EDATA;
	}
	finish_moments(&trainer->text,
				   mren_parameter_at(&trainer->layout.table, trainer->values, ids->text_mean),
				   mren_parameter_at(&trainer->layout.table, trainer->values, ids->text_std),
				   trainer->batch.pool_dim);
	finish_images(trainer);
	mren_batch_scale(&trainer->batch, trainer->values);
	mren_batch_words(&trainer->batch, &trainer->vectors, trainer->scale);
	weigh_classes(trainer);
	return MREN_OK;
}

MrenStatus
mren_trainer_measure(MrenTrainer *trainer, bool *done, MrenError *err)
{
	size_t end = trainer->next_row + MREN_BLOCK_ROWS;

	MREN_TRY(mren_check_interrupts(&trainer->env, err));
	end = end < trainer->source.n ? end : trainer->source.n;
	for (; trainer->next_row < end; trainer->next_row++)
		MREN_TRY(measure_row(trainer, trainer->next_row, err));
	*done = trainer->next_row == trainer->source.n;
	return *done ? finish_measure(trainer, err) : MREN_OK;
}

/* Grid and boxes, unless the row goes without its image. */
static MrenStatus
load_grid(MrenTrainer *trainer, const MrenExample *example, size_t row, bool withheld,
		  MrenError *err)
{
	MrenGridBranchInput input = {NULL, NULL, NULL};

	if (!mren_net_shape_attends(&trainer->shape) && !trainer->shape.boxes)
		return MREN_OK;
	if (example->has_image && !withheld)
	{
		if (example->has_head_box)
			input.head_box = example->head_box;
		if (example->has_tail_box)
			input.tail_box = example->tail_box;
		if (mren_net_shape_attends(&trainer->shape) && example->has_grid)
		{
			MREN_TRY(fetch_grid(trainer, example, err));
			input.grid = trainer->raw_grid;
		}
	}
	mren_grid_branch_load(&trainer->batch.grid_branch, &trainer->shape, &trainer->layout,
						  trainer->values, row, &input);
	return MREN_OK;
}

MrenStatus
mren_trainer_load(MrenTrainer *trainer, const uint8_t *record, size_t len, size_t row, bool train,
				  MrenError *err)
{
	MrenBatch *batch = &trainer->batch;
	size_t dim = trainer->shape.image_dim;
	float *image = batch->image + row * dim;
	MrenExample example;
	bool withheld;

	MREN_TRY(mren_example_read(record, len, &example, &len, err));
	trainer->labels[row] = (int32_t) relation_rank(trainer, &example);
	trainer->weights[row] =
		example.weight * (train ? trainer->class_weights[trainer->labels[row]] : 1);
	MREN_TRY(mren_batch_load_text(batch, row, &example.sentence,
								  type_rank(trainer, example.head_type),
								  type_rank(trainer, example.tail_type), err));
	withheld = train && dim > 0 && example.has_image &&
			   mren_random_uniform(&trainer->withhold) < (float) trainer->options.image_dropout;
	mren_trainer_linear_load(trainer, &example, row, !withheld);
	batch->has_image[row] = dim > 0 && example.has_image && !withheld;
	MREN_TRY(load_grid(trainer, &example, row, withheld, err));
	if (!batch->has_image[row] || !mren_net_shape_has_vector(&trainer->shape))
	{
		memset(image, 0, dim * sizeof(float));
		return MREN_OK;
	}
	MREN_TRY(fetch_image(trainer, &example, trainer->raw_image, err));
	mren_standardise(
		image, trainer->raw_image,
		mren_parameter_at(&trainer->layout.table, trainer->values, trainer->layout.ids.image_mean),
		trainer->image_inverse, dim);
	return MREN_OK;
}
