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

/* The row after the last one that shares row i's sentence. */
static size_t
sentence_end(const MrenMarkerRow *rows, size_t i, size_t n)
{
	size_t end = i + 1;

	while (mren_marker_has_tokens(&rows[i]) && end < n && mren_marker_has_tokens(&rows[end]) &&
		   mren_marker_same_sentence(rows[i].tokens, rows[end].tokens))
		end++;
	return end;
}

size_t
mren_marker_text_end(const MrenMarkerShape *shape, const MrenMarkerRow *rows, size_t i, size_t n,
					 size_t *n_tokens)
{
	size_t end = shape->solid > 0 ? i + 1 : sentence_end(rows, i, n);

	*n_tokens = 0;
	if (mren_marker_has_tokens(&rows[i]))
		*n_tokens = rows[i].tokens->n + (end - i) * MREN_N_MARKS;
	return end;
}

static size_t
count_tokens(const MrenMarkerShape *shape, const MrenMarkerRow *rows, size_t n)
{
	size_t count = 0;
	size_t some;

	for (size_t i = 0; i < n; count += some)
		i = mren_marker_text_end(shape, rows, i, n, &some);
	return count;
}

static MrenStatus
reserve(const MrenEnv *env, MrenMarkerBatch *batch, size_t rows, size_t tokens, MrenError *err)
{
	if (rows > batch->rows_capacity)
	{
		mren_release(env, batch->sentences);
		mren_release(env, batch->reads);
		batch->sentences = NULL;
		batch->reads = NULL;
		batch->rows_capacity = 0;
		MREN_TRY(mren_allocate(env, rows, sizeof(*batch->sentences), &batch->sentences, err));
		MREN_TRY(mren_allocate(env, rows * MREN_MARKER_READS, sizeof(*batch->reads), &batch->reads,
							   err));
		batch->rows_capacity = rows;
	}
	if (tokens > batch->tokens_capacity)
	{
		mren_release(env, batch->ids);
		mren_release(env, batch->positions);
		mren_release(env, batch->is_read);
		batch->ids = NULL;
		batch->positions = NULL;
		batch->is_read = NULL;
		batch->tokens_capacity = 0;
		MREN_TRY(mren_allocate(env, tokens, sizeof(*batch->ids), &batch->ids, err));
		MREN_TRY(mren_allocate(env, tokens, sizeof(*batch->positions), &batch->positions, err));
		MREN_TRY(mren_allocate(env, tokens, sizeof(*batch->is_read), &batch->is_read, err));
		batch->tokens_capacity = tokens;
	}
	return MREN_OK;
}

void
mren_marker_batch_free(const MrenEnv *env, MrenMarkerBatch *batch)
{
	mren_release(env, batch->sentences);
	mren_release(env, batch->reads);
	mren_release(env, batch->ids);
	mren_release(env, batch->positions);
	mren_release(env, batch->is_read);
	memset(batch, 0, sizeof(*batch));
}

/* The piece of a row's mark. */
static int32_t
marker_piece(const MrenMarkerShape *shape, size_t vocabulary, const MrenMarkerRow *row, size_t mark)
{
	int32_t type = row->types[mark < MREN_MARK_TAIL_FIRST ? 0 : 1];

	return (int32_t) (vocabulary + mren_marker_kind(shape, mark, type));
}

/* What is appended to. */
typedef struct Cursor
{
	MrenMarkerBatch *batch;
	const MrenMarkerShape *shape;
	size_t vocabulary;
	size_t at; /* the next token */
	size_t n_sentences;
} Cursor;

/* Appends the levitated markers of a row whose text begins at token `text`. */
static void
put_markers(Cursor *cursor, const MrenMarkerRow *row, size_t text, size_t *reads)
{
	for (size_t mark = 0; mark < MREN_N_MARKS; mark++, cursor->at++)
	{
		cursor->batch->ids[cursor->at] = marker_piece(cursor->shape, cursor->vocabulary, row, mark);
		cursor->batch->positions[cursor->at] = row->tokens->marks[mark];
		reads[mark] = cursor->at;
		reads[MREN_N_MARKS + mark] = text + row->tokens->marks[mark];
	}
}

/* Appends the n rows of a sentence with levitated markers; reads are those of the first. */
static void
put_levitated(Cursor *cursor, const MrenMarkerRow *rows, size_t n, size_t *reads)
{
	const MrenMarkedTokens *tokens = rows->tokens;
	MrenMarkerBatch *batch = cursor->batch;
	size_t text = cursor->at;

	batch->sentences[cursor->n_sentences++] = (MrenTransformerSentence){tokens->n, n, MREN_N_MARKS};
	memcpy(batch->ids + cursor->at, tokens->ids, tokens->n * sizeof(int32_t));
	for (uint32_t i = 0; i < tokens->n; i++)
		batch->positions[cursor->at++] = i;
	for (size_t i = 0; i < n; i++)
		put_markers(cursor, &rows[i], text, reads + i * MREN_MARKER_READS);
}

/*
 * The marks of mentions that begin (end 0) or end (1) at token i, in the order in which their
 * markers stand: that of the longer mention is further outside.
 */
static size_t
marks_at(const MrenMarkedTokens *tokens, size_t i, size_t end, size_t order[2])
{
	const uint32_t *marks = tokens->marks;
	uint32_t head = marks[MREN_MARK_HEAD_LAST] - marks[MREN_MARK_HEAD_FIRST];
	uint32_t tail = marks[MREN_MARK_TAIL_LAST] - marks[MREN_MARK_TAIL_FIRST];
	bool head_outside = head >= tail;
	bool head_before = head_outside == (end == 0);
	size_t candidates[2] = {head_before ? MREN_MARK_HEAD_FIRST : MREN_MARK_TAIL_FIRST,
							head_before ? MREN_MARK_TAIL_FIRST : MREN_MARK_HEAD_FIRST};
	size_t n = 0;

	for (size_t c = 0; c < 2; c++)
	{
		if (marks[candidates[c] + end] == i)
			order[n++] = candidates[c] + end;
	}
	return n;
}

/* Appends a row with markers in its text. */
static void
put_solid(Cursor *cursor, const MrenMarkerRow *row, size_t *reads)
{
	const MrenMarkedTokens *tokens = row->tokens;
	MrenMarkerBatch *batch = cursor->batch;
	size_t first = cursor->at;
	size_t order[2];

	for (size_t i = 0; i < tokens->n; i++)
	{
		size_t text = SIZE_MAX;

		for (size_t end = 0; end < 2; end++)
		{
			size_t n = marks_at(tokens, i, end, order);

			if (end == 1)
			{
				text = cursor->at;
				batch->ids[cursor->at++] = tokens->ids[i];
			}
			for (size_t m = 0; m < n; m++)
			{
				reads[order[m]] = cursor->at;
				batch->ids[cursor->at++] =
					marker_piece(cursor->shape, cursor->vocabulary, row, order[m]);
			}
		}
		for (size_t mark = 0; mark < MREN_N_MARKS; mark++)
		{
			if (tokens->marks[mark] == i)
				reads[MREN_N_MARKS + mark] = text;
		}
	}
	for (size_t i = first; i < cursor->at; i++)
		batch->positions[i] = (uint32_t) (i - first);
	batch->sentences[cursor->n_sentences++] =
		(MrenTransformerSentence){.n_text = cursor->at - first};
}

static void
mark_read(MrenMarkerBatch *batch, size_t n_rows, size_t n_tokens)
{
	for (size_t i = 0; i < n_tokens; i++)
		batch->is_read[i] = false;
	for (size_t i = 0; i < n_rows * MREN_MARKER_READS; i++)
	{
		if (batch->reads[i] != SIZE_MAX)
			batch->is_read[batch->reads[i]] = true;
	}
}

MrenStatus
mren_marker_batch_fill(const MrenEnv *env, MrenMarkerBatch *batch, const MrenMarkerShape *shape,
					   size_t vocabulary, const MrenMarkerRow *rows, size_t n, MrenError *err)
{
	Cursor cursor = {.batch = batch, .shape = shape, .vocabulary = vocabulary};
	size_t n_tokens;
	size_t end;

	MREN_TRY(reserve(env, batch, n, count_tokens(shape, rows, n), err));
	for (size_t i = 0; i < n; i = end)
	{
		size_t *reads = batch->reads + i * MREN_MARKER_READS;

		end = mren_marker_text_end(shape, rows, i, n, &n_tokens);
		if (n_tokens == 0)
		{
			for (size_t r = 0; r < MREN_MARKER_READS; r++)
				reads[r] = SIZE_MAX;
		}
		else if (shape->solid > 0)
			put_solid(&cursor, &rows[i], reads);
		else
			put_levitated(&cursor, rows + i, end - i, reads);
	}
	mark_read(batch, n, cursor.at);
	batch->batch = (MrenTransformerBatch){.sentences = batch->sentences,
										  .n_sentences = cursor.n_sentences,
										  .ids = batch->ids,
										  .positions = batch->positions,
										  .n_tokens = cursor.at,
										  .read = batch->is_read};
	return MREN_OK;
}

void
mren_marker_gather(const MrenMarkerBatch *batch, const MrenMarkerShape *shape, size_t i,
				   const float *vectors, float *out)
{
	const size_t *reads = batch->reads + i * MREN_MARKER_READS;

	for (size_t r = 0; r < MREN_MARKER_READS; r++, out += shape->width)
	{
		if (reads[r] == SIZE_MAX)
			memset(out, 0, shape->width * sizeof(float));
		else
			memcpy(out, vectors + reads[r] * shape->width, shape->width * sizeof(float));
	}
}
