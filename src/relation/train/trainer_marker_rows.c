/*
 * trainer_marker_rows.c
 *	  The rows of a marker classifier's epochs: ordered by sentence, shuffled by sentence, and
 *	  read in steps.
 */
#include "relation/train/trainer_rows.h"

#include <string.h>

#include "nn/arena.h"

/* By number in the source. */
static int
compare_rows(const void *state, uint64_t a, uint64_t b)
{
	(void) state;
	return (uint32_t) a < (uint32_t) b ? -1 : (uint32_t) a > (uint32_t) b;
}

/* Sorts the rows and lists where sentences begin; `sentences` has room for n numbers. */
static void
order_rows(MrenSentenceRows *rows)
{
	mren_sort_keyed(rows->rows, rows->n, compare_rows, NULL);
	rows->n_sentences = 0;
	for (size_t i = 0; i < rows->n; i++)
	{
		if (i == 0 || rows->rows[i].key != rows->rows[i - 1].key)
			rows->sentences[rows->n_sentences++] = (uint32_t) i;
	}
}

static MrenStatus
allocate_rows(const MrenEnv *env, MrenSentenceRows *rows, size_t n, MrenError *err)
{
	MREN_TRY(mren_allocate(env, n, sizeof(MrenKeyed), &rows->rows, err));
	return mren_allocate(env, n, sizeof(uint32_t), &rows->sentences, err);
}

static MrenStatus
allocate_step(MrenTrainer *trainer, MrenMarkerStep *step, MrenError *err)
{
	const MrenEnv *env = &trainer->env;
	const MrenMarkerShape *shape = &trainer->marker.shape;
	size_t n = trainer->options.encoder_batch_size;
	MrenArenaBlock blocks[] = {
		{&step->input, n * mren_marker_dim(shape)},	 {&step->mask, n * mren_marker_dim(shape)},
		{&step->dinput, n * mren_marker_dim(shape)}, {&step->logits, n * shape->n_relations},
		{&step->dlogits, n * shape->n_relations},
	};

	step->capacity = n;
	MREN_TRY(mren_allocate_zero(env, n, sizeof(MrenBuffer), &step->records, err));
	MREN_TRY(mren_allocate_zero(env, n, sizeof(MrenMarkedTokens), &step->tokens, err));
	MREN_TRY(mren_allocate(env, n, sizeof(MrenMarkerRow), &step->rows, err));
	MREN_TRY(mren_allocate(env, n, sizeof(uint32_t), &step->ranks, err));
	MREN_TRY(mren_allocate(env, n, sizeof(int32_t), &step->labels, err));
	MREN_TRY(mren_allocate(env, n, sizeof(float), &step->weights, err));
	if (trainer->scan.has_targets)
	{
		MREN_TRY(mren_allocate(env, n * shape->n_relations, sizeof(float), &step->targets, err));
		MREN_TRY(mren_allocate(env, n, sizeof(bool), &step->soft, err));
	}
	return mren_arena_create(env, blocks, sizeof(blocks) / sizeof(blocks[0]), &step->memory, err);
}

/* Divides the source's rows by their roles. */
MrenStatus
mren_marker_rows_create(MrenTrainer *trainer, MrenError *err)
{
	MrenMarkerTraining *marker = &trainer->marker;
	size_t n_weak = mren_trainer_pretrains(trainer) ? trainer->report.n_weak : 0;
	size_t n_train = trainer->report.n_train - n_weak;
	size_t n_validation = trainer->report.n_validation;

	/* Room for all, since validation rows train in the refit. */
	MREN_TRY(allocate_rows(&trainer->env, &marker->train, n_train + n_validation, err));
	MREN_TRY(allocate_rows(&trainer->env, &marker->validation, n_validation, err));
	MREN_TRY(allocate_rows(&trainer->env, &marker->weak, n_weak, err));
	for (size_t i = 0; i < trainer->inputs.source.n; i++)
	{
		MrenKeyed row = {marker->sentences[i], i};
		MrenRole role = (MrenRole) trainer->measured.roles[i];

		if (role == MREN_ROLE_WEAK && n_weak > 0)
			marker->weak.rows[marker->weak.n++] = row;
		else if (role == MREN_ROLE_TRAIN || role == MREN_ROLE_WEAK)
			marker->train.rows[marker->train.n++] = row;
		if (role != MREN_ROLE_VALIDATION)
			continue;
		row.at |= (uint64_t) marker->validation.n << 32;
		marker->validation.rows[marker->validation.n++] = row;
	}
	order_rows(&marker->weak);
	order_rows(&marker->train);
	order_rows(&marker->validation);
	return allocate_step(trainer, &marker->step, err);
}

MrenStatus
mren_marker_rows_join(MrenTrainer *trainer, MrenError *err)
{
	MrenMarkerTraining *marker = &trainer->marker;

	MREN_TRY(mren_check_interrupts(&trainer->env, err));
	if (marker->validation.n == 0)
		return MREN_OK;
	memcpy(marker->train.rows + marker->train.n, marker->validation.rows,
		   marker->validation.n * sizeof(MrenKeyed));
	marker->train.n += marker->validation.n;
	order_rows(&marker->train);
	return MREN_OK;
}

static void
free_rows(const MrenEnv *env, MrenSentenceRows *rows)
{
	mren_release(env, rows->rows);
	mren_release(env, rows->sentences);
}

void
mren_marker_rows_free(MrenTrainer *trainer)
{
	const MrenEnv *env = &trainer->env;
	MrenMarkerStep *step = &trainer->marker.step;

	free_rows(env, &trainer->marker.weak);
	free_rows(env, &trainer->marker.train);
	free_rows(env, &trainer->marker.validation);
	for (size_t i = 0; step->records != NULL && i < step->capacity; i++)
		mren_buffer_free(env, &step->records[i]);
	mren_release(env, step->records);
	mren_release(env, step->tokens);
	mren_release(env, step->rows);
	mren_release(env, step->ranks);
	mren_release(env, step->labels);
	mren_release(env, step->weights);
	mren_release(env, step->targets);
	mren_release(env, step->soft);
	mren_release(env, step->vectors);
	mren_release(env, step->dvectors);
	mren_release(env, step->memory);
	mren_marker_batch_free(env, &step->batch);
}

void
mren_marker_rows_begin(MrenSentenceRows *rows, MrenRandom *order)
{
	order_rows(rows);
	if (order != NULL)
		mren_random_shuffle(order, rows->sentences, rows->n_sentences);
	rows->next = rows->next_in_it = 0;
}

/* The next row of the pass; NULL at its end. */
static const MrenKeyed *
next_row(MrenSentenceRows *rows)
{
	while (rows->next < rows->n_sentences)
	{
		size_t first = rows->sentences[rows->next];
		size_t i = first + rows->next_in_it;

		if (i < rows->n && rows->rows[i].key == rows->rows[first].key)
		{
			rows->next_in_it++;
			return &rows->rows[i];
		}
		rows->next++;
		rows->next_in_it = 0;
	}
	return NULL;
}

static MrenStatus
load_row(MrenTrainer *trainer, const MrenKeyed *row, bool train, size_t i, MrenError *err)
{
	const MrenSource *source = &trainer->inputs.source;
	MrenMarkerStep *step = &trainer->marker.step;
	MrenExample example;
	const uint8_t *record;
	size_t len;

	MREN_TRY(source->read(source->state, (uint32_t) row->at, &record, &len, err));
	step->records[i].len = 0;
	MREN_TRY(mren_buffer_append(&trainer->env, &step->records[i], record, len, err));
	MREN_TRY(mren_example_read(step->records[i].data, len, &example, &len, err));
	step->tokens[i] = example.tokens;
	step->rows[i] = (MrenMarkerRow){&step->tokens[i],
									{mren_trainer_type(trainer, example.head_type),
									 mren_trainer_type(trainer, example.tail_type)}};
	step->ranks[i] = (uint32_t) (row->at >> 32);
	step->labels[i] = (int32_t) mren_trainer_relation(trainer, &example);
	step->weights[i] = example.weight * (train ? mren_trainer_class_weight(trainer, &example) : 1);
	if (step->targets != NULL)
		step->soft[i] =
			mren_trainer_targets(trainer, &example, step->targets + i * trainer->shape.n_relations);
	return MREN_OK;
}

static MrenStatus
reserve_vectors(MrenTrainer *trainer, MrenMarkerStep *step, MrenError *err)
{
	const MrenEnv *env = &trainer->env;
	size_t n = step->batch.batch.n_tokens;
	size_t width = trainer->marker.shape.width;

	if (n <= step->tokens_capacity)
		return MREN_OK;
	mren_release(env, step->vectors);
	mren_release(env, step->dvectors);
	step->vectors = step->dvectors = NULL;
	step->tokens_capacity = 0;
	n += n / 4;
	MREN_TRY(mren_allocate(env, n * width, sizeof(float), &step->vectors, err));
	MREN_TRY(mren_allocate(env, n * width, sizeof(float), &step->dvectors, err));
	step->tokens_capacity = n;
	return MREN_OK;
}

MrenStatus
mren_marker_rows_next(MrenTrainer *trainer, MrenSentenceRows *rows, bool train, MrenError *err)
{
	MrenMarkerTraining *marker = &trainer->marker;
	MrenMarkerStep *step = &marker->step;

	for (step->n = 0; step->n < step->capacity; step->n++)
	{
		const MrenKeyed *row = next_row(rows);

		if (row == NULL)
			break;
		MREN_TRY(load_row(trainer, row, train, step->n, err));
	}
	MREN_TRY(mren_marker_batch_fill(&trainer->env, &step->batch, &marker->shape,
									marker->fine_tuning.config.vocabulary -
										mren_marker_kinds(&marker->shape),
									step->rows, step->n, err));
	return reserve_vectors(trainer, step, err);
}
