/*
 * tag_rows.h
 *	  Rows for the training of a tagger, in memory and in the trainer's order.  Every row has two
 *	  mentions; the including test says what its words are, and trains by a function of its own.
 */
#ifndef MREN_TEST_TAG_ROWS_H
#define MREN_TEST_TAG_ROWS_H

#include <stdlib.h>

#include "relation_fixture.h"
#include "tagger/tag_example.h"
#include "tagger/train/tagger_trainer.h"

#define ROWS 60

typedef struct Rows
{
	TestEnv test;
	Fixture fixture; /* unset if no word has a vector */
	MrenBuffer records[ROWS];
	size_t n;
} Rows;

static MrenStatus
read_record(void *state, size_t i, const uint8_t **record, size_t *len, MrenError *err)
{
	Rows *rows = state;

	(void) err;
	*record = rows->records[i].data;
	*len = rows->records[i].len;
	return MREN_OK;
}

static int
by_hash(const void *a, const void *b)
{
	uint64_t x;
	uint64_t y;

	memcpy(&x, ((const MrenBuffer *) a)->data + 8, 8);
	memcpy(&y, ((const MrenBuffer *) b)->data + 8, 8);
	return x < y ? -1 : x > y;
}

/* The mentions of row i, one of one word and one of two; which comes first takes turns. */
static void
mentions_of(size_t i, MrenTagMention mentions[2])
{
	mentions[0] = (MrenTagMention){1, 3, {"long", 4}};
	mentions[1] = (MrenTagMention){4, 5, {"short", 5}};
	if (i % 2 == 0)
	{
		mentions[0] = (MrenTagMention){0, 1, {"short", 5}};
		mentions[1] = (MrenTagMention){5, 7, {"long", 4}};
	}
}

/* Row i, which arrives as number `at`. */
static void
rows_add(Rows *rows, size_t i, size_t at, const MrenTagInput *input)
{
	const MrenTagExample example = {.weight = 1, .group = i, .n_mentions = 2, .input = *input};
	MrenTagMention mentions[2];
	MrenError err = {0};

	mentions_of(i, mentions);
	assert_int_equal(
		mren_tag_example_append(&rows->test.env, &rows->records[at], &example, mentions, &err),
		MREN_OK);
}

static void
rows_sort(Rows *rows)
{
	qsort(rows->records, rows->n, sizeof(MrenBuffer), by_hash);
}

static void
rows_free(Rows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		mren_buffer_free(&rows->test.env, &rows->records[i]);
	assert_int_equal(rows->test.n_live, 0);
}

/* Runs the trainer to its end and frees it; report may be NULL. */
static MrenStatus
run(MrenTagTrainer *trainer, MrenTagger **tagger, MrenTagReport *report, MrenError *err)
{
	MrenProgress progress;
	MrenStatus status;

	do
		status = mren_tag_trainer_step(trainer, &progress, err);
	while (status == MREN_OK && progress.event != MREN_TRAIN_DONE);
	if (status == MREN_OK)
		status = mren_tag_trainer_finish(trainer, tagger, err);
	if (status == MREN_OK && report != NULL)
		mren_tag_trainer_report(trainer, report);
	mren_tag_trainer_free(trainer);
	return status;
}

/* The test's own: trains on the rows. */
static MrenStatus train(const MrenEnv *env, Rows *rows, const MrenTagOptions *options,
						MrenTagger **tagger, MrenTagReport *report, MrenError *err);

static void
bytes_of(Rows *rows, const MrenTagOptions *options, uint8_t **bytes, size_t *len)
{
	MrenTagger *tagger;
	MrenError err = {0};

	assert_int_equal(train(&rows->test.env, rows, options, &tagger, NULL, &err), MREN_OK);
	assert_int_equal(mren_tagger_serialize(tagger, &rows->test.env, bytes, len, &err), MREN_OK);
	mren_tagger_free(&rows->test.env, tagger);
}

/* The same bits in another order of the rows, and others with another seed. */
static void
check_same_bits(Rows *rows, Rows *others, MrenTagOptions *options)
{
	uint8_t *bytes[3];
	size_t len[3];

	bytes_of(rows, options, &bytes[0], &len[0]);
	bytes_of(others, options, &bytes[1], &len[1]);
	options->common.seed = 2;
	bytes_of(rows, options, &bytes[2], &len[2]);
	assert_int_equal(len[0], len[1]);
	assert_memory_equal(bytes[0], bytes[1], len[0]);
	assert_true(len[0] == len[2] && memcmp(bytes[0], bytes[2], len[0]) != 0);
	mren_release(&rows->test.env, bytes[0]);
	mren_release(&others->test.env, bytes[1]);
	mren_release(&rows->test.env, bytes[2]);
}

/* Serializes a tagger, frees it, reads the bytes and frees what was read. */
static MrenStatus
store_and_read(const MrenEnv *env, MrenTagger *tagger, MrenError *err)
{
	uint8_t *bytes;
	size_t len;
	MrenStatus status = mren_tagger_serialize(tagger, env, &bytes, &len, err);

	mren_tagger_free(env, tagger);
	if (status != MREN_OK)
		return status;
	status = mren_tagger_deserialize(env, bytes, len, &tagger, err);
	if (status == MREN_OK)
		mren_tagger_free(env, tagger);
	mren_release(env, bytes);
	return status;
}

/* How many of the mentions that were found are the row's, where both were. */
static size_t
count_found(const MrenTagExample *example, const MrenTagged *found, size_t n)
{
	size_t n_right = 0;

	for (size_t m = 0; n == 2 && m < n; m++)
	{
		MrenTagMention gold = mren_tag_example_mention(example, m);

		n_right += found[m].first == gold.first && found[m].end == gold.end;
		assert_true(found[m].confidence > 0 && found[m].confidence <= 1);
	}
	return n_right;
}

#endif
