/*
 * trainer_scan.c
 *	  The first passes over the rows: what there is, and which rows validate.
 *
 * The scan learns names, splits and the scale of the word vectors.  With weak rows, a further
 * pass collects the groups that validate, from which no weak row may train.  Together they
 * decide the role of each row.
 */
#include "relation/train/trainer_linear.h"
#include "relation/train/trainer_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/kernels.h"

MrenStatus
mren_trainer_read_row(MrenTrainer *trainer, size_t i, MrenExample *example, MrenError *err)
{
	const uint8_t *record;
	size_t len;

	MREN_TRY(trainer->inputs.source.read(trainer->inputs.source.state, i, &record, &len, err));
	MREN_TRY(mren_example_read(record, len, example, &len, err));
	if (example->has_image && trainer->inputs.image_dim == 0)
		return mren_fail(err, MREN_EPARAM,
						 "training row has an image, but the model is trained without images");
	if (example->has_audio && trainer->inputs.audio_dim == 0)
		return mren_fail(
			err, MREN_EPARAM,
			"training row has a recording, but the model is trained without recordings");
	return MREN_OK;
}

/* Hash of a group with the seed, uniform in 0 .. 2^64 - 1. */
static uint64_t
group_hash(const MrenTrainer *trainer, const MrenExample *example)
{
	return mren_hash64(&example->together, sizeof(example->together),
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

/* Folds are as wide as the share that validates, but for the last one. */
static int
fold_of(const MrenTrainer *trainer, uint64_t hash)
{
	return 1 + (int) (hash / trainer->scan.validation_below);
}

/*
 * Whether gold rows that follow weak ones validate in turn: where they are few, and training on
 * them again takes little.
 */
static bool
validates_in_turn(const MrenTrainer *trainer)
{
	const MrenOptions *options = &trainer->options;
	const MrenRowScan *scan = &trainer->scan;
	bool simple = options->ensemble == 1 && options->pretrained == NULL &&
				  trainer->report.n_rows_with_image == 0 && trainer->report.n_rows_with_audio == 0;

	return simple && options->weak == MREN_WEAK_FIRST && scan->n_weak > 0 &&
		   !scan->has_validation_split && scan->n_gold < MREN_FEW_GOLD_ROWS;
}

/*
 * Chooses the share of groups that validate.  If that would be none or all of
 * them, one group validates; a single group trains.
 */
static void
choose_validation(MrenTrainer *trainer)
{
	double share = mren_options_validation_share(&trainer->options, trainer->scan.n_gold);

	trainer->scan.validation_below = (uint64_t) (share * 0x1p64);
	if (trainer->scan.has_validation_split || share <= 0 || trainer->scan.n_gold == 0 ||
		trainer->scan.smallest_group == trainer->scan.largest_group)
		trainer->scan.validation_below = 0;
	else if (trainer->scan.smallest_group >= trainer->scan.validation_below ||
			 trainer->scan.largest_group < trainer->scan.validation_below)
		trainer->scan.validation_below = trainer->scan.smallest_group + 1;
	else if (validates_in_turn(trainer))
		trainer->scan.n_folds = fold_of(trainer, UINT64_MAX);
}

int
mren_trainer_fold_of(const MrenTrainer *trainer, const MrenExample *example)
{
	return fold_of(trainer, group_hash(trainer, example));
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

		MREN_TRY(mren_trainer_read_row(trainer, trainer->next_row, &example, err));
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

static MrenStatus
note_validating(MrenTrainer *trainer, uint64_t group, MrenError *err)
{
	MrenRowScan *scan = &trainer->scan;

	MREN_TRY(mren_grow(&trainer->env, &scan->validating, &scan->validating_capacity,
					   scan->n_validating, scan->n_validating + 1, sizeof(uint64_t), err));
	scan->validating[scan->n_validating++] = group;
	return MREN_OK;
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

		MREN_TRY(mren_trainer_read_row(trainer, trainer->next_row, &example, err));
		if (!mren_split_trains(example.split) || example.weak ||
			(scan->n_folds == 0 && !gold_validates(trainer, &example)))
			continue;
		MREN_TRY(note_validating(trainer, example.together, err));
		if (example.group != example.together)
			MREN_TRY(note_validating(trainer, example.group, err));
	}
	*done = trainer->next_row == trainer->inputs.source.n;
	if (*done && scan->n_validating > 0)
		qsort(scan->validating, scan->n_validating, sizeof(uint64_t), compare_groups);
	return MREN_OK;
}

static bool
is_validating(const MrenRowScan *scan, uint64_t group)
{
	return scan->n_validating > 0 && bsearch(&group, scan->validating, scan->n_validating,
											 sizeof(uint64_t), compare_groups) != NULL;
}

/*
 * A weak row trains unless a gold row of its group or of its sentence validates, or the caller
 * has put it among the validation rows, where it must not be.
 */
static MrenRole
weak_role(const MrenTrainer *trainer, const MrenExample *example)
{
	const MrenRowScan *scan = &trainer->scan;
	bool validates = is_validating(scan, example->together) || is_validating(scan, example->group);

	return validates || example->split == MREN_SPLIT_VALIDATION ? MREN_ROLE_NONE : MREN_ROLE_WEAK;
}

MrenRole
mren_trainer_role(const MrenTrainer *trainer, const MrenExample *example)
{
	if (!mren_split_trains(example->split))
		return MREN_ROLE_NONE;
	if (example->weak)
		return weak_role(trainer, example);
	return gold_validates(trainer, example) ? MREN_ROLE_VALIDATION : MREN_ROLE_TRAIN;
}

void
mren_trainer_scan_free(MrenTrainer *trainer)
{
	const MrenEnv *env = &trainer->env;

	mren_names_free(env, &trainer->scan.relations);
	mren_names_free(env, &trainer->scan.types);
	mren_word_counts_free(env, &trainer->scan.word_counts);
	mren_release(env, trainer->scan.validating);
}
