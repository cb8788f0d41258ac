/*
 * branch_conv.c
 *	  Convolutions of a mini-batch, forward and backward.
 */
#include "relation/batch.h"

#include <string.h>

#include "nn/kernels.h"

/* Rows convolved together, unless one sentence has more. */
#define CHUNK_ROWS 2048

MrenStatus
mren_conv_create(const MrenEnv *env, const MrenNetShape *shape, size_t capacity,
				 MrenConvBatch *conv, MrenError *err)
{
	size_t dim = mren_net_shape_row_dim(shape);
	size_t conv_dim = mren_net_shape_conv_dim(shape);
	size_t most = capacity * (MREN_CONV_WORDS + MREN_CONV_PAD) + MREN_CONV_PAD;
	size_t rows = most < CHUNK_ROWS ? most : CHUNK_ROWS;

	if (shape->filters == 0)
		return MREN_OK;
	conv->max_rows = rows;
	MREN_TRY(mren_allocate(env, capacity, sizeof(MrenConvSentence), &conv->sentences, err));
	MREN_TRY(mren_allocate(env, capacity, sizeof(MrenConvChunk), &conv->chunks, err));
	MREN_TRY(mren_allocate(env, 1, sizeof(MrenConvText), &conv->text, err));
	MREN_TRY(mren_allocate(env, rows * dim, sizeof(float), &conv->x, err));
	MREN_TRY(mren_allocate(env, rows * dim, sizeof(float), &conv->mask, err));
	MREN_TRY(mren_allocate(env, rows * dim, sizeof(float), &conv->dx, err));
	MREN_TRY(mren_allocate(env, rows * shape->filters, sizeof(float), &conv->outputs, err));
	MREN_TRY(mren_allocate(env, rows, sizeof(bool), &conv->full, err));
	MREN_TRY(mren_allocate(env, capacity * conv_dim, sizeof(int32_t), &conv->at, err));
	MREN_TRY(mren_allocate(env, capacity * conv_dim, sizeof(float), &conv->largest, err));
	MREN_TRY(mren_allocate(env, capacity * conv_dim, sizeof(float), &conv->dlargest, err));
	MREN_TRY(
		mren_allocate(env, MREN_CONV_SEGMENTS * capacity, sizeof(uint32_t), &conv->term_rows, err));
	return mren_allocate(env, MREN_CONV_SEGMENTS * capacity, sizeof(float), &conv->terms, err);
}

void
mren_conv_free(const MrenEnv *env, MrenConvBatch *conv)
{
	mren_release(env, conv->sentences);
	mren_release(env, conv->chunks);
	mren_release(env, conv->text);
	mren_release(env, conv->words);
	mren_release(env, conv->pieces);
	mren_release(env, conv->x);
	mren_release(env, conv->mask);
	mren_release(env, conv->dx);
	mren_release(env, conv->outputs);
	mren_release(env, conv->full);
	mren_release(env, conv->at);
	mren_release(env, conv->largest);
	mren_release(env, conv->dlargest);
	mren_release(env, conv->term_rows);
	mren_release(env, conv->terms);
	memset(conv, 0, sizeof(*conv));
}

static MrenStatus
load_word(const MrenEnv *env, MrenConvBatch *conv, const MrenSentence *s, const MrenConvWord *word,
		  MrenError *err)
{
	uint32_t first = s->starts[word->word];
	uint32_t n = s->starts[word->word + 1] - first;

	MREN_TRY(mren_grow(env, &conv->pieces, &conv->pieces_capacity, conv->n_pieces,
					   conv->n_pieces + n, sizeof(int32_t), err));
	memcpy(conv->pieces + conv->n_pieces, s->pieces + first, n * sizeof(int32_t));
	conv->words[conv->n_words++] =
		(MrenConvPieces){conv->n_pieces, n, {word->place[0], word->place[1]}};
	conv->n_pieces += n;
	return MREN_OK;
}

MrenStatus
mren_conv_load(const MrenEnv *env, MrenConvBatch *conv, size_t i, const MrenSentence *sentence,
			   MrenError *err)
{
	MrenConvText *text = conv->text;
	MrenConvSentence *to = &conv->sentences[i];

	if (i == 0)
		conv->n_words = conv->n_pieces = 0;
	mren_conv_read(sentence, text);
	MREN_TRY(mren_grow(env, &conv->words, &conv->words_capacity, conv->n_words,
					   conv->n_words + text->n, sizeof(MrenConvPieces), err));
	*to = (MrenConvSentence){.first = conv->n_words, .n = text->n};
	memcpy(to->segments, text->segments, sizeof(to->segments));
	for (uint32_t w = 0; w < text->n; w++)
		MREN_TRY(load_word(env, conv, sentence, &text->words[w], err));
	return MREN_OK;
}

/* Takes as many sentences from `first` on as fit into a chunk. */
static void
cut_chunk(MrenConvBatch *conv, size_t first, size_t n, MrenConvChunk *chunk)
{
	size_t end = first;

	chunk->first = first;
	chunk->n_rows = MREN_CONV_PAD;
	for (; end < n && chunk->n_rows + conv->sentences[end].n + MREN_CONV_PAD <= conv->max_rows;
		 end++)
	{
		conv->sentences[end].row = chunk->n_rows;
		chunk->n_rows += conv->sentences[end].n + MREN_CONV_PAD;
	}
	chunk->end = end;
}

static MrenConvTables
tables_of(const MrenBatch *batch, float *values)
{
	const MrenNetLayout *layout = batch->layout;
	size_t n_fine_tuned = batch->shape->n_fine_tuned;

	return (MrenConvTables){&batch->words,
							batch->scale,
							mren_parameter_at(&layout->table, values, layout->ids.shapes),
							{mren_parameter_at(&layout->table, values, layout->ids.places[0]),
							 mren_parameter_at(&layout->table, values, layout->ids.places[1])},
							{batch->fine_tuned_ids, n_fine_tuned,
							 n_fine_tuned > 0
								 ? mren_parameter_at(&layout->table, values, layout->ids.fine_tuned)
								 : NULL}};
}

/* Fills x for the chunk, and its mask if there is dropout. */
static void
build_rows(MrenBatch *batch, float *values, const MrenConvChunk *chunk)
{
	MrenConvBatch *conv = &batch->conv;
	MrenConvTables tables = tables_of(batch, values);
	size_t dim = mren_net_shape_row_dim(batch->shape);
	MrenRandom random = chunk->random;

	memset(conv->x, 0, MREN_CONV_PAD * dim * sizeof(float));
	for (size_t i = chunk->first; i < chunk->end; i++)
	{
		const MrenConvSentence *s = &conv->sentences[i];
		float *row = conv->x + s->row * dim;

		for (size_t w = 0; w < s->n; w++, row += dim)
		{
			const MrenConvPieces *word = &conv->words[s->first + w];

			mren_conv_row(batch->shape, &tables, conv->pieces + word->first, word->n, word->place,
						  row);
		}
		memset(row, 0, MREN_CONV_PAD * dim * sizeof(float));
	}
	if (conv->drop > 0)
		mren_dropout(&random, conv->drop, conv->x, conv->x, conv->mask, chunk->n_rows * dim);
}

/* Where the filters of a sentence, width and segment begin in `at` and `largest`. */
static size_t
slot(const MrenBatch *batch, size_t i, size_t width, size_t segment)
{
	return i * batch->conv_dim + (width * MREN_CONV_SEGMENTS + segment) * batch->shape->filters;
}

/*
 * Outputs of one width over the chunk: row r of outputs is row r +
 * MREN_CONV_PAD of x.  Windows that begin a width apart do not overlap, so they
 * are rows of a matrix for BLAS, and nothing is copied.
 */
static void
convolve(MrenBatch *batch, float *values, const MrenConvChunk *chunk, size_t i)
{
	const MrenParameter *w = &batch->layout->table.items[batch->layout->ids.conv_weight[i]];
	size_t dim = mren_net_shape_row_dim(batch->shape);
	size_t width = mren_conv_width(i);
	size_t n = chunk->n_rows - 2 * MREN_CONV_PAD;
	const float *x = batch->conv.x + (MREN_CONV_PAD - mren_conv_left(i)) * dim;

	for (size_t first = 0; first < width && first < n; first++)
	{
		const MrenProduct product = {.trans_b = true,
									 .m = (n - first + width - 1) / width,
									 .n = w->rows,
									 .k = w->cols,
									 .a = x + first * dim,
									 .lda = width * dim,
									 .b = values + w->at,
									 .ldb = w->cols,
									 .c = batch->conv.outputs + first * w->rows,
									 .ldc = width * w->rows};

		mren_work_multiply(&batch->work, &product);
	}
}

static void
pool_segments(MrenBatch *batch, const MrenConvChunk *chunk, size_t width)
{
	MrenConvBatch *conv = &batch->conv;
	size_t filters = batch->shape->filters;

	for (size_t i = chunk->first; i < chunk->end; i++)
	{
		const MrenConvSentence *s = &conv->sentences[i];

		for (size_t segment = 0; segment < MREN_CONV_SEGMENTS; segment++)
		{
			MrenSpan span = s->segments[segment];
			size_t first = s->row + span.first;
			size_t to = slot(batch, i, width, segment);

			if (span.first < span.end)
				mren_conv_max(conv->outputs + (first - MREN_CONV_PAD) * filters, filters,
							  span.end - span.first, filters, (int32_t) first, conv->largest + to,
							  conv->at + to);
			else
				memset(conv->at + to, 0xFF, filters * sizeof(int32_t));
		}
	}
}

/* Adds the bias, applies the activation, and writes the columns of the fused matrix. */
static void
finish_rows(MrenBatch *batch, float *values)
{
	const MrenNetIds *ids = &batch->layout->ids;
	MrenConvBatch *conv = &batch->conv;
	size_t filters = batch->shape->filters;

	for (size_t i = 0; i < batch->n; i++)
	{
		float *largest = conv->largest + i * batch->conv_dim;

		for (size_t j = 0; j < MREN_CONV_WIDTHS * MREN_CONV_SEGMENTS; j++)
			mren_add_bias(largest + j * filters,
						  mren_parameter_at(&batch->layout->table, values,
											ids->conv_bias[j / MREN_CONV_SEGMENTS]),
						  1, filters);
		mren_activate(batch->shape->activation, largest, batch->conv_dim);
		for (size_t j = 0; j < MREN_CONV_WIDTHS * MREN_CONV_SEGMENTS; j++)
		{
			if (conv->at[i * batch->conv_dim + j * filters] < 0)
				memset(largest + j * filters, 0, filters * sizeof(float));
		}
		memcpy(batch->fused + i * batch->dim + batch->pool_dim, largest,
			   batch->conv_dim * sizeof(float));
	}
}

void
mren_batch_conv_forward(MrenBatch *batch, float *values, MrenDropout *drop)
{
	MrenConvBatch *conv = &batch->conv;
	size_t next = 0;

	conv->n_chunks = 0;
	conv->drop = drop != NULL ? drop->word : 0;
	memset(conv->largest, 0, batch->n * batch->conv_dim * sizeof(float));
	while (next < batch->n && !batch->work.stopped)
	{
		MrenConvChunk *chunk = &conv->chunks[conv->n_chunks++];

		cut_chunk(conv, next, batch->n, chunk);
		next = chunk->end;
		/* A random stream of its own, which backward starts again. */
		if (conv->drop > 0)
			mren_random_seed(&chunk->random, mren_random_next(&drop->random), conv->n_chunks);
		build_rows(batch, values, chunk);
		for (size_t width = 0; width < MREN_CONV_WIDTHS; width++)
		{
			convolve(batch, values, chunk, width);
			pool_segments(batch, chunk, width);
		}
		if (next < batch->n)
			batch->work.stopped = batch->work.env->interrupted(batch->work.env->state);
	}
	finish_rows(batch, values);
}

/*
 * The windows that filter f of a width has a gradient for, in the order of sentences and
 * segments: their first rows in x and the gradients; how many.
 */
static size_t
list_terms(const MrenBatch *batch, const MrenConvChunk *chunk, size_t width, size_t f)
{
	const MrenConvBatch *conv = &batch->conv;
	int32_t left = (int32_t) mren_conv_left(width);
	size_t n = 0;

	for (size_t i = chunk->first; i < chunk->end; i++)
	{
		for (size_t segment = 0; segment < MREN_CONV_SEGMENTS; segment++)
		{
			size_t j = slot(batch, i, width, segment) + f;
			uint32_t row = (uint32_t) (conv->at[j] - left);

			if (conv->dlargest[j] == 0)
				continue;
			/* Segments overlap, so the same window may be the largest in several. */
			if (n > 0 && conv->term_rows[n - 1] == row)
			{
				conv->terms[n - 1] += conv->dlargest[j];
				continue;
			}
			conv->term_rows[n] = row;
			conv->terms[n++] = conv->dlargest[j];
		}
	}
	return n;
}

/*
 * Adds the gradient of a filter's windows to dx: all of a full row, otherwise
 * only its distances.
 */
static void
inputs_backward(MrenBatch *batch, const float *weight, size_t n_terms, size_t width)
{
	MrenConvBatch *conv = &batch->conv;
	size_t dim = mren_net_shape_row_dim(batch->shape);
	size_t word_dim = batch->shape->embedding_dim;

	for (size_t t = 0; t < n_terms; t++)
	{
		for (size_t o = 0; o < mren_conv_width(width); o++)
		{
			size_t row = conv->term_rows[t] + o;
			size_t skip = conv->full[row] ? 0 : word_dim;

			mren_axpy(conv->dx + row * dim + skip, weight + o * dim + skip, conv->terms[t],
					  dim - skip);
		}
	}
}

static void
filters_backward(MrenBatch *batch, float *values, float *grads, const MrenConvChunk *chunk,
				 size_t width)
{
	const MrenParameter *w = &batch->layout->table.items[batch->layout->ids.conv_weight[width]];
	MrenConvBatch *conv = &batch->conv;
	size_t dim = mren_net_shape_row_dim(batch->shape);

	for (size_t f = 0; f < w->rows; f++)
	{
		size_t n = list_terms(batch, chunk, width, f);

		mren_gather_rows(grads + w->at + f * w->cols, conv->x, dim, conv->term_rows, conv->terms, n,
						 w->cols);
		inputs_backward(batch, values + w->at + f * w->cols, n, width);
	}
}

static int32_t
tuned_row(const MrenBatch *batch, int32_t piece)
{
	if (batch->shape->n_fine_tuned == 0)
		return -1;
	return mren_fine_tuned_find(batch->fine_tuned_ids, batch->shape->n_fine_tuned, &batch->words,
								piece);
}

static bool
is_trained(const MrenBatch *batch, int32_t piece)
{
	return piece < 0 || tuned_row(batch, piece) >= 0;
}

/* Marks the rows that have a piece with a trained vector. */
static void
mark_full(MrenBatch *batch, const MrenConvChunk *chunk)
{
	MrenConvBatch *conv = &batch->conv;

	memset(conv->full, false, chunk->n_rows);
	for (size_t i = chunk->first; i < chunk->end; i++)
	{
		const MrenConvSentence *s = &conv->sentences[i];

		for (size_t w = 0; w < s->n; w++)
		{
			const MrenConvPieces *word = &conv->words[s->first + w];

			for (uint32_t p = 0; p < word->n; p++)
				conv->full[s->row + w] |= is_trained(batch, conv->pieces[word->first + p]);
		}
	}
}

/* Adds the gradient of a row to those of the tables from which the row was made. */
static void
row_backward(MrenBatch *batch, float *grads, const MrenConvPieces *word, const float *dx)
{
	const MrenNetLayout *layout = batch->layout;
	const int32_t *pieces = batch->conv.pieces + word->first;
	size_t dim = batch->shape->embedding_dim;
	size_t size = batch->shape->position_dim;

	for (size_t i = 0; i < 2; i++)
		mren_axpy(mren_parameter_at(&layout->table, grads, layout->ids.places[i]) +
					  word->place[i] * size,
				  dx + dim + i * size, 1, size);
	for (uint32_t p = 0; p < word->n; p++)
	{
		float weight = 1.0f / (float) word->n;
		int32_t row = pieces[p] >= 0 ? tuned_row(batch, pieces[p]) : -1 - pieces[p];

		if (pieces[p] >= 0 && row >= 0)
			mren_axpy(mren_parameter_at(&layout->table, grads, layout->ids.fine_tuned) +
						  (size_t) row * dim,
					  dx, weight, dim);
		else if (pieces[p] < 0 && row < MREN_MAX_SHAPES)
			mren_axpy(mren_parameter_at(&layout->table, grads, layout->ids.shapes) +
						  (size_t) row * dim,
					  dx, weight, dim);
	}
}

static void
rows_backward(MrenBatch *batch, float *grads, const MrenConvChunk *chunk)
{
	MrenConvBatch *conv = &batch->conv;
	size_t dim = mren_net_shape_row_dim(batch->shape);

	if (conv->drop > 0)
		mren_multiply(conv->dx, conv->dx, conv->mask, chunk->n_rows * dim);
	for (size_t i = chunk->first; i < chunk->end; i++)
	{
		const MrenConvSentence *s = &conv->sentences[i];

		for (size_t w = 0; w < s->n; w++)
			row_backward(batch, grads, &conv->words[s->first + w], conv->dx + (s->row + w) * dim);
	}
}

/* Back through the activation, and the gradients of the biases; empty segments have none. */
static void
begin_backward(MrenBatch *batch, float *grads)
{
	const MrenNetLayout *layout = batch->layout;
	MrenConvBatch *conv = &batch->conv;
	size_t filters = batch->shape->filters;

	for (size_t j = 0; j < MREN_CONV_WIDTHS; j++)
	{
		const MrenParameter *w = &layout->table.items[layout->ids.conv_weight[j]];

		memset(grads + w->at, 0, w->rows * w->cols * sizeof(float));
		memset(mren_parameter_at(&layout->table, grads, layout->ids.conv_bias[j]), 0,
			   filters * sizeof(float));
	}
	if (batch->shape->n_fine_tuned > 0)
		memset(mren_parameter_at(&layout->table, grads, layout->ids.fine_tuned), 0,
			   batch->shape->n_fine_tuned * batch->shape->embedding_dim * sizeof(float));
	for (size_t i = 0; i < 2; i++)
		memset(mren_parameter_at(&layout->table, grads, layout->ids.places[i]), 0,
			   MREN_CONV_PLACES * batch->shape->position_dim * sizeof(float));
	mren_activate_backward(batch->shape->activation, conv->dlargest, conv->largest,
						   batch->n * batch->conv_dim);
	for (size_t i = 0; i < batch->n; i++)
	{
		for (size_t j = 0; j < MREN_CONV_WIDTHS * MREN_CONV_SEGMENTS; j++)
		{
			size_t at = i * batch->conv_dim + j * filters;

			if (conv->at[at] < 0)
				memset(conv->dlargest + at, 0, filters * sizeof(float));
			mren_axpy(mren_parameter_at(&layout->table, grads,
										layout->ids.conv_bias[j / MREN_CONV_SEGMENTS]),
					  conv->dlargest + at, 1, filters);
		}
	}
}

void
mren_batch_conv_backward(MrenBatch *batch, float *values, float *grads)
{
	MrenConvBatch *conv = &batch->conv;
	size_t dim = mren_net_shape_row_dim(batch->shape);

	begin_backward(batch, grads);
	for (size_t i = 0; i < conv->n_chunks && !batch->work.stopped; i++)
	{
		const MrenConvChunk *chunk = &conv->chunks[i];

		if (conv->n_chunks > 1)
			build_rows(batch, values, chunk);
		memset(conv->dx, 0, chunk->n_rows * dim * sizeof(float));
		mark_full(batch, chunk);
		for (size_t width = 0; width < MREN_CONV_WIDTHS && !batch->work.stopped; width++)
		{
			filters_backward(batch, values, grads, chunk, width);
			if (conv->n_chunks > 1)
				batch->work.stopped = batch->work.env->interrupted(batch->work.env->state);
		}
		rows_backward(batch, grads, chunk);
	}
}
