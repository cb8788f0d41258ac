/*
 * conv_text.c
 *	  From a sentence to the rows that are convolved.
 */
#include "relation/conv_text.h"

#include <string.h>

#include "base/dispatch.h"
#include "nn/kernels.h"

MREN_VECTORIZE

/* Distance of a word to a mention: 0 inside, negative before it. */
static int64_t
distance(MrenSpan mention, uint32_t word)
{
	if (word < mention.first)
		return (int64_t) word - (int64_t) mention.first;
	return word < mention.end ? 0 : (int64_t) word - (int64_t) mention.end + 1;
}

static uint8_t
place_of(int64_t d)
{
	d = d < -MREN_CONV_REACH ? -MREN_CONV_REACH : d > MREN_CONV_REACH ? MREN_CONV_REACH : d;
	return (uint8_t) (d + MREN_CONV_REACH);
}

static bool
near_mention(MrenSpan mention, uint32_t word)
{
	if (word < mention.first)
		return mention.first - word <= MREN_CONV_OUTSIDE;
	if (word >= mention.end)
		return word - mention.end < MREN_CONV_OUTSIDE;
	return word - mention.first < MREN_CONV_INSIDE || mention.end - word <= MREN_CONV_INSIDE;
}

/* The number of kept words before `word`. */
static uint32_t
rank(const MrenConvText *text, uint32_t word)
{
	uint32_t low = 0;
	uint32_t high = text->n;

	while (low < high)
	{
		uint32_t middle = (low + high) / 2;

		if (text->words[middle].word < word)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Adds the words near a mention, from `first` on, that have not been added yet. */
static void
keep_words(const MrenSentence *s, MrenSpan near, uint32_t first, MrenConvText *text)
{
	uint32_t end =
		s->n_words - near.end < MREN_CONV_OUTSIDE ? s->n_words : near.end + MREN_CONV_OUTSIDE;

	if (near.first > MREN_CONV_OUTSIDE && first < near.first - MREN_CONV_OUTSIDE)
		first = near.first - MREN_CONV_OUTSIDE;
	for (uint32_t w = first; w < end; w++)
	{
		if (!near_mention(s->head, w) && !near_mention(s->tail, w))
			continue;
		text->words[text->n++] =
			(MrenConvWord){w, {place_of(distance(s->head, w)), place_of(distance(s->tail, w))}};
	}
}

void
mren_conv_read(const MrenSentence *s, MrenConvText *text)
{
	bool head_first = s->head.first <= s->tail.first;
	MrenSpan a = head_first ? s->head : s->tail;
	MrenSpan b = head_first ? s->tail : s->head;

	text->n = 0;
	keep_words(s, a, 0, text);
	keep_words(s, b, text->n > 0 ? text->words[text->n - 1].word + 1 : 0, text);
	text->segments[0] = (MrenSpan){0, rank(text, a.end)};
	text->segments[1] = (MrenSpan){rank(text, a.first), rank(text, b.end > a.end ? b.end : a.end)};
	text->segments[2] = (MrenSpan){rank(text, b.first), text->n};
}

static void
add_known(const MrenConvTables *tables, int32_t piece, float weight, float *row)
{
	const MrenWordVectors *vectors = tables->vectors;
	const MrenFineTuned *fine_tuned = &tables->fine_tuned;
	int32_t difference;

	mren_axpy(row, vectors->get(vectors->state, piece), weight * tables->scale, vectors->dim);
	if (fine_tuned->n == 0)
		return;
	difference = mren_fine_tuned_find(fine_tuned->ids, fine_tuned->n, vectors, piece);
	if (difference >= 0)
		mren_axpy(row, fine_tuned->rows + (size_t) difference * vectors->dim, weight, vectors->dim);
}

void
mren_conv_word(const MrenNetShape *shape, const MrenConvTables *tables, const int32_t *pieces,
			   size_t n, float *row)
{
	size_t dim = shape->embedding_dim;

	memset(row, 0, dim * sizeof(float));
	for (size_t i = 0; i < n; i++)
	{
		float weight = 1.0f / (float) n;

		if (pieces[i] >= 0)
			add_known(tables, pieces[i], weight, row);
		else if (pieces[i] >= -MREN_MAX_SHAPES)
			mren_axpy(row, tables->shapes + (size_t) (-1 - pieces[i]) * dim, weight, dim);
	}
}

void
mren_conv_row(const MrenNetShape *shape, const MrenConvTables *tables, const int32_t *pieces,
			  size_t n, const uint8_t *place, float *row)
{
	size_t dim = shape->embedding_dim;
	size_t size = shape->position_dim;

	mren_conv_word(shape, tables, pieces, n, row);
	for (int i = 0; i < 2; i++)
		memcpy(row + dim + (size_t) i * size, tables->places[i] + place[i] * size,
			   size * sizeof(float));
}

MREN_KERNEL(mren_conv_max,
			(const float *restrict rows, size_t ld, size_t n, size_t m, int32_t from,
			 float *restrict best, int32_t *restrict at),
			(rows, ld, n, m, from, best, at))
{
	for (size_t j = 0; j < m; j++)
	{
		best[j] = rows[j];
		at[j] = from;
	}
	for (size_t i = 1; i < n; i++)
	{
		const float *restrict row = rows + i * ld;
		int32_t here = from + (int32_t) i;

		for (size_t j = 0; j < m; j++)
		{
			bool above = row[j] > best[j];

			best[j] = above ? row[j] : best[j];
			at[j] = above ? here : at[j];
		}
	}
}
