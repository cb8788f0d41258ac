/*
 * tagger_trainer_rows.c
 *	  The rows of a tagger's training: the first pass over them, their division,
 *	  and batches of their sentences.
 */
#include <string.h>

#include "nn/kernels.h"
#include "tagger/train/tagger_trainer_internal.h"

#define SCAN_ROWS 256 /* of the first pass, a step */

/* Words of a mini-batch; a longer run of sentences is cut into several steps' work. */
#define MAX_BATCH_WORDS 4096
#define MAX_ENCODED_WORDS 1024 /* the same with a text encoder */

MrenStatus
mren_tag_trainer_read(MrenTagTrainer *trainer, size_t i, MrenTagExample *example, MrenError *err)
{
	const uint8_t *record;
	size_t len;
	size_t size;

	MREN_TRY(trainer->source.read(trainer->source.state, i, &record, &len, err));
	return mren_tag_example_read(record, len, example, &size, err);
}

/*
 * The scan
 */

static void
scan_words(MrenTagTrainer *trainer, const MrenTagInput *input)
{
	size_t dim = trainer->vectors.dim;

	trainer->report.n_words += input->n_words;
	for (size_t w = 0; w < input->n_words; w++)
	{
		if (input->words[w] < 0 || dim == 0)
		{
			trainer->report.n_unknown_words++;
			continue;
		}
		trainer->square_sum +=
			mren_square_sum(trainer->vectors.get(trainer->vectors.state, input->words[w]), dim);
		trainer->square_n += dim;
	}
}

static MrenStatus
scan_row(MrenTagTrainer *trainer, size_t i, MrenError *err)
{
	MrenTagExample example;
	uint32_t number;

	MREN_TRY(mren_tag_trainer_read(trainer, i, &example, err));
	trainer->report.n_rows++;
	trainer->groups[i] =
		mren_hash64(&example.group, sizeof(example.group),
					(uint64_t) trainer->options.common.seed + MREN_TAG_STREAM_SPLIT);
	trainer->splits[i] = example.split;
	if (example.split == MREN_SPLIT_TEST)
		return MREN_OK;
	trainer->has_validation_split |= example.split == MREN_SPLIT_VALIDATION;
	for (size_t m = 0; m < example.n_mentions; m++)
		MREN_TRY(mren_names_intern(&trainer->env, &trainer->types,
								   mren_tag_example_mention(&example, m).type, &number, err));
	if (trainer->types.n > MREN_MAX_TAG_TYPES)
		return mren_fail(err, MREN_ELIMIT, "more than %d distinct types in the training rows",
						 MREN_MAX_TAG_TYPES);
	trainer->report.n_mentions += example.n_mentions;
	scan_words(trainer, &example.input);
	trainer->report.n_windowed += example.input.tokens.n_windows > 1;
	if (trainer->encoder.source != NULL && example.input.tokens.firsts == NULL)
		return mren_fail(err, MREN_EDATA, "row %zu has no tokens of the text encoder", i + 1);
	return MREN_OK;
}

static bool
validates(const MrenTagTrainer *trainer, size_t i, uint64_t below)
{
	if (trainer->has_validation_split)
		return trainer->splits[i] == MREN_SPLIT_VALIDATION;
	return trainer->groups[i] < below;
}

static MrenStatus
divide_rows(MrenTagTrainer *trainer, MrenError *err)
{
	const MrenEnv *env = &trainer->env;
	size_t n = trainer->source.n;
	uint64_t below = (uint64_t) (trainer->options.common.validation_share * 0x1p64);

	MREN_TRY(mren_allocate(env, n, sizeof(uint32_t), &trainer->train, err));
	MREN_TRY(mren_allocate(env, n, sizeof(uint32_t), &trainer->validation, err));
	MREN_TRY(mren_allocate(env, n, sizeof(uint32_t), &trainer->usable, err));
	MREN_TRY(mren_allocate(env, n, sizeof(uint32_t), &trainer->order, err));
	for (size_t i = 0; i < n; i++)
	{
		if (trainer->splits[i] == MREN_SPLIT_TEST)
			continue;
		trainer->usable[trainer->n_usable++] = (uint32_t) i;
		if (validates(trainer, i, below))
			trainer->validation[trainer->n_validation++] = (uint32_t) i;
		else
			trainer->train[trainer->n_train++] = (uint32_t) i;
	}
	if (trainer->n_usable == 0)
		return mren_fail(err, MREN_EDATA, "no training rows: all %zu rows have the split \"test\"",
						 n);
	if (trainer->types.n == 0)
	{
		mren_fail(err, MREN_EDATA, "none of the %zu training rows has a mention",
				  trainer->n_usable);
		mren_error_hint(err, "Give tags such as \"B-Person\", or mentions with their types.");
		return MREN_EDATA;
	}
	if (trainer->n_train == 0)
	{
		if (trainer->has_validation_split)
			return mren_fail(err, MREN_EDATA, "no training row is left beside %zu validation rows",
							 trainer->n_validation);
		/* Too few to divide: all are trained on, none validates. */
		memcpy(trainer->train, trainer->usable, trainer->n_usable * sizeof(uint32_t));
		trainer->n_train = trainer->n_usable;
		trainer->n_validation = 0;
	}
	trainer->report.n_train = trainer->n_train;
	trainer->report.n_validation = trainer->n_validation;
	trainer->report.n_types = trainer->types.n;
	return MREN_OK;
}

MrenStatus
mren_tag_trainer_scan(MrenTagTrainer *trainer, MrenError *err)
{
	size_t end = trainer->next_row + SCAN_ROWS;

	end = end < trainer->source.n ? end : trainer->source.n;
	for (; trainer->next_row < end; trainer->next_row++)
		MREN_TRY(scan_row(trainer, trainer->next_row, err));
	MREN_TRY(mren_check_interrupts(&trainer->env, err));
	return trainer->next_row < trainer->source.n ? MREN_OK : divide_rows(trainer, err);
}

/*
 * Batches
 */

/* BILOU tags of a sentence, after those of the batch. */
static MrenStatus
take_tags(MrenTagTrainer *trainer, const MrenTagExample *example, size_t n_before, MrenError *err)
{
	size_t n = example->input.n_words;

	MREN_TRY(mren_grow(&trainer->env, &trainer->tags, &trainer->tags_capacity, n_before,
					   n_before + n, sizeof(uint32_t), err));
	MREN_TRY(mren_grow(&trainer->env, &trainer->gold, &trainer->spans_capacity, 0,
					   example->n_mentions + 1, sizeof(MrenTagSpan), err));
	for (size_t i = 0; i < example->n_mentions; i++)
	{
		MrenTagMention mention = mren_tag_example_mention(example, i);
		size_t rank;

		mren_names_find(&trainer->types, mention.type, &rank);
		trainer->gold[i] = (MrenTagSpan){mention.first, mention.end, (uint32_t) rank};
	}
	mren_bilou_write(trainer->gold, example->n_mentions, trainer->tags + n_before, n);
	return MREN_OK;
}

/* Copies the next sentences' records after each other, as many as a batch holds. */
static MrenStatus
copy_records(MrenTagTrainer *trainer, const uint32_t *rows, size_t n, MrenError *err)
{
	size_t words = 0;
	size_t most = trainer->encoder.source != NULL ? MAX_ENCODED_WORDS : MAX_BATCH_WORDS;

	trainer->n_sentences = 0;
	trainer->bytes.len = 0;
	while (trainer->at < n && trainer->n_sentences < trainer->options.common.batch_size)
	{
		const uint8_t *record;
		MrenTagExample example;
		size_t len;
		size_t size;

		MREN_TRY(
			trainer->source.read(trainer->source.state, rows[trainer->at], &record, &len, err));
		MREN_TRY(mren_tag_example_read(record, len, &example, &size, err));
		if (trainer->n_sentences > 0 && words + example.input.n_words > most)
			break;
		words += example.input.n_words;
		trainer->offsets[trainer->n_sentences] = trainer->bytes.len;
		MREN_TRY(mren_buffer_append(&trainer->env, &trainer->bytes, record, len, err));
		trainer->n_sentences++;
		trainer->at++;
	}
	return MREN_OK;
}

MrenStatus
mren_tag_trainer_fill(MrenTagTrainer *trainer, const uint32_t *rows, size_t n, MrenError *err)
{
	size_t words = 0;

	MREN_TRY(copy_records(trainer, rows, n, err));
	/* The buffer no longer moves: now pointers into it hold. */
	for (size_t s = 0; s < trainer->n_sentences; s++)
	{
		MrenTagExample example;
		size_t size;

		MREN_TRY(mren_tag_example_read(trainer->bytes.data + trainer->offsets[s],
									   trainer->bytes.len - trainer->offsets[s], &example, &size,
									   err));
		MREN_TRY(take_tags(trainer, &example, words, err));
		trainer->inputs[s] = example.input;
		trainer->weights[s] = example.weight;
		words += example.input.n_words;
	}
	return MREN_OK;
}
