/*
 * train_memory.c
 *	  The memory of a batch: one allocation, which grows with the largest batch, and its parts.
 *
 * Asking for the size and laying out the parts are one function, so that they agree.
 */
#include "transformer/encoder_parts.h"
#include "transformer/train/train_parts.h"

#include <string.h>

#include "nn/arena.h"
#include "transformer/train/train_kernels.h"

/* So that no product of sizes overflows, nor one that BLAS takes. */
#define MAX_TOKENS ((size_t) 1 << 20)

/* Sizes of a batch, and the place of its sentences unless that is NULL. */
static void
measure(const MrenTransformerConfig *config, const MrenTransformerSentence *sentences,
		size_t n_sentences, MrenTunedSizes *sizes, MrenTunedSentence *out)
{
	*sizes = (MrenTunedSizes){.near_rows = 1};
	if (config->architecture == MREN_TRANSFORMER_DEBERTA)
		sizes->near_rows = 2 * mren_transformer_relative_span(config);
	for (size_t s = 0; s < n_sentences; s++)
	{
		bool marked = sentences[s].n_groups > 0 && sentences[s].group_size > 0;
		MrenTunedSentence sentence = {.first = sizes->n,
									  .n_text = sentences[s].n_text,
									  .n_groups = marked ? sentences[s].n_groups : 0,
									  .group = marked ? sentences[s].group_size : 0,
									  .scores = sizes->n_scores,
									  .near = sizes->n_near};
		size_t n;

		sentence.n = sentence.n_text + sentence.n_groups * sentence.group;
		sentence.ld = (sentence.n_text + sentence.group + MREN_SCORE_LANES - 1) / MREN_SCORE_LANES *
					  MREN_SCORE_LANES;
		n = sentence.n * sentence.ld;
		sizes->n += sentence.n;
		sizes->n_scores += n * config->heads;
		sizes->n_near += n;
		sizes->most_scores = n > sizes->most_scores ? n : sizes->most_scores;
		sizes->most_tokens = sentence.n > sizes->most_tokens ? sentence.n : sizes->most_tokens;
		if (out != NULL)
			out[s] = sentence;
	}
}

/* What the parts of the memory are taken from; base is NULL where only the size is needed. */
typedef struct Cursor
{
	float *base;
	size_t used;
} Cursor;

static float *
take(Cursor *cursor, size_t n)
{
	float *at = cursor->base == NULL ? NULL : cursor->base + cursor->used;

	cursor->used += mren_align_floats(n);
	return at;
}

static MrenKeptNorm
take_norm(Cursor *cursor, size_t n, size_t m)
{
	MrenKeptNorm norm = {take(cursor, n * m), NULL};

	norm.inverse = take(cursor, n);
	return norm;
}

static bool
is_deberta(const MrenTransformerConfig *config)
{
	return config->architecture == MREN_TRANSFORMER_DEBERTA;
}

static MrenKeptLayer
take_layer(Cursor *cursor, const MrenTransformerConfig *config, const MrenTunedSizes *sizes)
{
	size_t size = sizes->n * config->width;
	size_t near = is_deberta(config) ? sizes->near_rows * config->width : 0;

	return (MrenKeptLayer){.query = take(cursor, size),
						   .key = take(cursor, size),
						   .value = take(cursor, size),
						   .context = take(cursor, size),
						   .scores = take(cursor, sizes->n_scores),
						   .relative_keys = take(cursor, near),
						   .relative_queries = take(cursor, near),
						   .hidden = take(cursor, sizes->n * config->intermediate),
						   .attention_norm = take_norm(cursor, sizes->n, config->width),
						   .norm = take_norm(cursor, sizes->n, config->width)};
}

/* The widest row of a matrix, in whole panels. */
static size_t
widest_row(const MrenTransformerConfig *config)
{
	size_t wide = config->width;

	wide = config->intermediate > wide ? config->intermediate : wide;
	wide = config->embedding_width > wide ? config->embedding_width : wide;
	return mren_align_floats(wide);
}

/* The parts that are not of a layer. */
static void
take_memory(Cursor *cursor, const MrenTransformerConfig *config,
			const MrenTransformerTuning *tuning, const MrenTunedSizes *sizes,
			MrenTunedMemory *memory)
{
	size_t wide = config->width > config->embedding_width ? config->width : config->embedding_width;
	size_t size = sizes->n * wide;
	size_t near = is_deberta(config) ? sizes->near_rows * config->width : 0;
	bool distances = mren_tuned_has_distances(config);
	bool adapters = tuning->kind == MREN_TUNING_ADAPTERS;
	size_t widest = widest_row(config);
	size_t thin = sizes->n > sizes->near_rows ? sizes->n : sizes->near_rows;

	memory->near = (uint32_t *) (void *) take(cursor, distances ? sizes->n_near : 0);
	memory->read.tokens = (uint32_t *) (void *) take(cursor, sizes->n);
	memory->read.before = (uint32_t *) (void *) take(cursor, sizes->n + 1);
	memory->embedded = take(cursor, sizes->n * config->embedding_width);
	memory->embedding_norm = take_norm(cursor, sizes->n, wide);
	memory->relative = take(cursor, near);
	memory->relative_norm = take_norm(cursor, near > 0 ? sizes->near_rows : 0, config->width);
	memory->some = take(cursor, size);
	memory->sum = take(cursor, size);
	memory->middle = take(cursor, size);
	memory->again = take(cursor, sizes->recompute ? size : 0);
	memory->active = take(cursor, sizes->n * config->intermediate);
	memory->dactive = take(cursor, sizes->n * config->intermediate);
	memory->dx = take(cursor, size);
	memory->dsum = take(cursor, size);
	memory->dquery = take(cursor, size);
	memory->dkey = take(cursor, size);
	memory->dvalue = take(cursor, size);
	memory->dcontext = take(cursor, size);
	memory->drelative = take(cursor, near);
	memory->drelative_sum = take(cursor, near);
	memory->drelative_keys = take(cursor, near);
	memory->drelative_queries = take(cursor, near);
	memory->dropped = take(cursor, sizes->most_scores);
	memory->dscores = take(cursor, sizes->most_scores);
	memory->distance = take(cursor, near > 0 ? sizes->most_tokens * sizes->near_rows : 0);
	memory->packed = take(cursor, mren_align_floats(config->width) * widest);
	memory->bias = take(cursor, widest);
	memory->zeros = take(cursor, widest);
	memory->piece = take(cursor, MREN_TRANSFORMER_ROWS * widest);
	thin = widest > thin ? widest : thin;
	memory->thin[0] = take(cursor, adapters ? thin * tuning->rank : 0);
	memory->thin[1] = take(cursor, adapters ? thin * tuning->rank : 0);
}

/* Floats that are kept for backward, of `layers` layers. */
static size_t
count_kept(const MrenTransformerConfig *config, const MrenTunedSizes *sizes, size_t layers)
{
	Cursor cursor = {0};

	take_layer(&cursor, config, sizes);
	return cursor.used * layers;
}

/* Floats of all of a batch's memory. */
static size_t
count_all(const MrenTransformerConfig *config, const MrenTransformerTuning *tuning,
		  const MrenTunedSizes *sizes)
{
	size_t trained = config->layers - mren_transformer_tuning_first_layer(config, tuning);
	MrenTunedMemory memory;
	Cursor cursor = {0};

	take_memory(&cursor, config, tuning, sizes, &memory);
	cursor.used += trained * mren_align_floats(sizes->n * config->width);
	return cursor.used + count_kept(config, sizes, sizes->recompute || trained == 0 ? 1 : trained);
}

/* Gives each layer its part of the memory. */
static void
lay_out(MrenTransformerTrainer *trainer)
{
	const MrenTransformerConfig *config = &trainer->config;
	const MrenTunedSizes *sizes = &trainer->sizes;
	MrenTunedMemory *memory = &trainer->memory;
	Cursor cursor = {memory->block, 0};
	MrenKeptLayer shared = {0};

	take_memory(&cursor, config, &trainer->tuning, sizes, memory);
	for (size_t l = trainer->first; l < config->layers; l++)
		trainer->inputs[l] = take(&cursor, sizes->n * config->width);
	if (sizes->recompute || trainer->first == config->layers)
		shared = take_layer(&cursor, config, sizes);
	for (size_t l = trainer->first; l < config->layers; l++)
		trainer->kept[l] = sizes->recompute ? shared : take_layer(&cursor, config, sizes);
	/* Frozen layers keep nothing, and run before the others. */
	for (size_t l = 0; l < trainer->first; l++)
		trainer->kept[l] =
			trainer->first == config->layers ? shared : trainer->kept[trainer->first];
}

/* MPNet's buckets and DeBERTa's rows of all pairs of tokens. */
static void
number_distances(MrenTransformerTrainer *trainer)
{
	const MrenTransformerConfig *config = &trainer->config;
	bool deberta = is_deberta(config);

	trainer->near_min = SIZE_MAX;
	trainer->near_max = 0;
	for (size_t s = 0; s < trainer->batch.n_sentences && mren_tuned_has_distances(config); s++)
	{
		MrenTunedSentence *sentence = &trainer->sentences[s];
		const uint32_t *positions = trainer->batch.positions + sentence->first;
		uint32_t *near = trainer->memory.near + sentence->near;

		sentence->near_min = SIZE_MAX;
		for (size_t i = 0; i < sentence->n && !trainer->work.stopped; i++)
		{
			for (size_t j = 0; j < mren_tuned_n_keys(sentence, i); j++)
			{
				ptrdiff_t distance = (ptrdiff_t) positions[i] -
									 (ptrdiff_t) positions[mren_tuned_key(sentence, i, j)];
				size_t row = deberta ? mren_distance_row(distance, config)
									 : mren_distance_bucket(-distance, config->relative_buckets);

				near[i * sentence->ld + j] = (uint32_t) row;
				sentence->near_min = row < sentence->near_min ? row : sentence->near_min;
				sentence->near_max = row > sentence->near_max ? row : sentence->near_max;
			}
			mren_work_add(&trainer->work, 8 * MREN_LOOP_WORK * sentence->ld);
		}
		if (sentence->near_min < trainer->near_min)
			trainer->near_min = sentence->near_min;
		if (sentence->near_max > trainer->near_max)
			trainer->near_max = sentence->near_max;
	}
	if (trainer->near_min > trainer->near_max)
		trainer->near_min = 0;
}

/* Whether the memory of a batch exceeds what it may take; sizes.recompute is false. */
static bool
must_recompute(const MrenTransformerTrainer *trainer)
{
	return trainer->tuning.activations > 0 &&
		   count_all(&trainer->config, &trainer->tuning, &trainer->sizes) >
			   trainer->tuning.activations / sizeof(float);
}

/* Room for n sentences; what was there is lost. */
static MrenStatus
reserve_sentences(MrenTransformerTrainer *trainer, size_t n, MrenError *err)
{
	if (n <= trainer->sentence_capacity)
		return MREN_OK;
	mren_release(&trainer->env, trainer->sentences);
	trainer->sentences = NULL;
	trainer->sentence_capacity = 0;
	MREN_TRY(
		mren_allocate(&trainer->env, n, sizeof(*trainer->sentences), &trainer->sentences, err));
	trainer->sentence_capacity = n;
	return MREN_OK;
}

/* Room for n floats; what was there is lost. */
static MrenStatus
reserve(MrenTransformerTrainer *trainer, size_t n, MrenError *err)
{
	MrenTunedMemory *memory = &trainer->memory;

	if (n <= memory->capacity)
		return MREN_OK;
	mren_release(&trainer->env, memory->block);
	memory->block = NULL;
	memory->capacity = 0;
	MREN_TRY(mren_allocate(&trainer->env, n, sizeof(float), &memory->block, err));
	memory->capacity = n;
	return MREN_OK;
}

MrenStatus
mren_tuned_prepare(MrenTransformerTrainer *trainer, const MrenTransformerBatch *batch,
				   MrenError *err)
{
	size_t most_keys;
	size_t needed;

	trainer->ready = false;
	trainer->work = (MrenWork){.env = &trainer->env};
	MREN_TRY(mren_transformer_check_batch(&trainer->config, batch, &most_keys, err));
	if (batch->n_tokens > MAX_TOKENS)
		return mren_fail(err, MREN_ELIMIT, "a batch may have at most %zu tokens, not %zu",
						 MAX_TOKENS, batch->n_tokens);
	MREN_TRY(reserve_sentences(trainer, batch->n_sentences, err));
	trainer->batch = *batch;
	measure(&trainer->config, batch->sentences, batch->n_sentences, &trainer->sizes,
			trainer->sentences);
	trainer->sizes.recompute = must_recompute(trainer);
	needed = count_all(&trainer->config, &trainer->tuning, &trainer->sizes);
	MREN_TRY(reserve(trainer, needed, err));
	lay_out(trainer);
	memset(trainer->memory.zeros, 0, widest_row(&trainer->config) * sizeof(float));
	if (batch->read != NULL)
		mren_read_rows_fill(&trainer->memory.read, batch);
	number_distances(trainer);
	return trainer->work.stopped ? mren_fail_canceled(err) : MREN_OK;
}

MrenReadRows
mren_tuned_rows(const MrenTransformerTrainer *trainer, size_t l)
{
	if (l + 1 == trainer->config.layers && trainer->batch.read != NULL)
		return trainer->memory.read;
	return (MrenReadRows){.n = trainer->sizes.n};
}

size_t
mren_transformer_trainer_batch_memory(const MrenTransformerConfig *config,
									  const MrenTransformerTuning *tuning,
									  const MrenTransformerSentence *sentences, size_t n_sentences,
									  bool recompute)
{
	MrenTunedSizes sizes;

	measure(config, sentences, n_sentences, &sizes, NULL);
	sizes.recompute = recompute;
	return count_all(config, tuning, &sizes) * sizeof(float) +
		   n_sentences * sizeof(MrenTunedSentence);
}
