/*
 * marker_batch.c
 *	  From rows to the batch that an encoder reads.
 */
#include "relation/marker/marker_batch.h"

#include <string.h>

bool
mren_marker_same_sentence(const MrenMarkedTokens *a, const MrenMarkedTokens *b)
{
	return a->n == b->n &&
		   (a->ids == b->ids || memcmp(a->ids, b->ids, a->n * sizeof(int32_t)) == 0);
}

bool
mren_marker_has_tokens(const MrenMarkerRow *row)
{
	return row->tokens != NULL && row->tokens->n > 0;
}

size_t
mren_marker_sentence_end(const MrenMarkerRow *rows, size_t i, size_t n)
{
	size_t end = i + 1;

	while (mren_marker_has_tokens(&rows[i]) && end < n && mren_marker_has_tokens(&rows[end]) &&
		   mren_marker_same_sentence(rows[i].tokens, rows[end].tokens))
		end++;
	return end;
}

static size_t
count_tokens(const MrenMarkerRow *rows, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n;)
	{
		size_t end = i + 1;

		if (mren_marker_has_tokens(&rows[i]))
		{
			end = mren_marker_sentence_end(rows, i, n);
			count += rows[i].tokens->n + (end - i) * MREN_N_MARKS;
		}
		i = end;
	}
	return count;
}

static MrenStatus
reserve(const MrenEnv *env, MrenMarkerBatch *batch, size_t rows, size_t tokens, MrenError *err)
{
	if (rows > batch->rows_capacity)
	{
		mren_release(env, batch->sentences);
		mren_release(env, batch->markers);
		batch->sentences = NULL;
		batch->markers = NULL;
		batch->rows_capacity = 0;
		MREN_TRY(mren_allocate(env, rows, sizeof(*batch->sentences), &batch->sentences, err));
		MREN_TRY(mren_allocate(env, rows, sizeof(*batch->markers), &batch->markers, err));
		batch->rows_capacity = rows;
	}
	if (tokens > batch->tokens_capacity)
	{
		mren_release(env, batch->ids);
		mren_release(env, batch->positions);
		batch->ids = NULL;
		batch->positions = NULL;
		batch->tokens_capacity = 0;
		MREN_TRY(mren_allocate(env, tokens, sizeof(*batch->ids), &batch->ids, err));
		MREN_TRY(mren_allocate(env, tokens, sizeof(*batch->positions), &batch->positions, err));
		batch->tokens_capacity = tokens;
	}
	return MREN_OK;
}

void
mren_marker_batch_free(const MrenEnv *env, MrenMarkerBatch *batch)
{
	mren_release(env, batch->sentences);
	mren_release(env, batch->markers);
	mren_release(env, batch->ids);
	mren_release(env, batch->positions);
	memset(batch, 0, sizeof(*batch));
}

/* Appends the markers of one row. */
static size_t
put_markers(MrenMarkerBatch *batch, size_t at, const MrenMarkerShape *shape, size_t vocabulary,
			const MrenMarkerRow *row)
{
	for (size_t mark = 0; mark < MREN_N_MARKS; mark++, at++)
	{
		int32_t type = row->types[mark < MREN_MARK_TAIL_FIRST ? 0 : 1];

		batch->ids[at] = (int32_t) (vocabulary + mren_marker_kind(shape, mark, type));
		batch->positions[at] = row->tokens->marks[mark];
	}
	return at;
}

/* Appends a sentence. */
static size_t
put_sentence(MrenMarkerBatch *batch, size_t at, const MrenMarkedTokens *tokens)
{
	memcpy(batch->ids + at, tokens->ids, tokens->n * sizeof(int32_t));
	for (uint32_t i = 0; i < tokens->n; i++)
		batch->positions[at + i] = i;
	return at + tokens->n;
}

MrenStatus
mren_marker_batch_fill(const MrenEnv *env, MrenMarkerBatch *batch, const MrenMarkerShape *shape,
					   size_t vocabulary, const MrenMarkerRow *rows, size_t n, MrenError *err)
{
	size_t n_sentences = 0;
	size_t at = 0;

	MREN_TRY(reserve(env, batch, n, count_tokens(rows, n), err));
	for (size_t i = 0; i < n;)
	{
		size_t end = i + 1;

		batch->markers[i] = SIZE_MAX;
		if (mren_marker_has_tokens(&rows[i]))
		{
			end = mren_marker_sentence_end(rows, i, n);
			batch->sentences[n_sentences++] =
				(MrenTransformerSentence){rows[i].tokens->n, end - i, MREN_N_MARKS};
			at = put_sentence(batch, at, rows[i].tokens);
			for (size_t j = i; j < end; j++)
			{
				batch->markers[j] = at;
				at = put_markers(batch, at, shape, vocabulary, &rows[j]);
			}
		}
		i = end;
	}
	batch->batch = (MrenTransformerBatch){.sentences = batch->sentences,
										  .n_sentences = n_sentences,
										  .ids = batch->ids,
										  .positions = batch->positions,
										  .n_tokens = at};
	return MREN_OK;
}
