/*
 * conv_infer.c
 *	  Convolutions in prediction, a sentence at a time.
 *
 * A window's output is a sum over its words, and each word adds a part that depends on the word
 * alone and one for its distance to either mention.  The words' parts are computed by the kernel of
 * dense layers, which sums each output in one order; the distances' parts are tables of the
 * network, where a run of consecutive distances is one row.  All parts are added in one order, so
 * an answer does not depend on other rows, nor on whether the words' parts were kept from rows
 * before.
 */
#include "relation/net_internal.h"

#include <string.h>

#include "nn/arena.h"
#include "nn/kernels.h"
#include "relation/batch.h"

/* Size of MrenConvText in floats. */
static size_t
text_size(void)
{
	return mren_align_floats((sizeof(MrenConvText) + sizeof(float) - 1) / sizeof(float));
}

static size_t
widest(const MrenNet *net)
{
	return MREN_CONV_WIDEST * net->shape.filters;
}

size_t
mren_net_convolve_scratch(const MrenNet *net)
{
	size_t filters = net->shape.filters;

	if (filters == 0)
		return 0;
	return text_size() + mren_align_floats(MREN_CONV_WORDS * net->shape.embedding_dim) +
		   mren_align_floats(MREN_CONV_WORDS * widest(net)) +
		   mren_align_floats(MREN_CONV_WORDS * filters) +
		   MREN_CONV_WORDS * mren_net_conv_row_size(net) / 2;
}

static MrenConvTables
tables_of(const MrenNet *net, const MrenWordVectors *vectors)
{
	const MrenNetIds *ids = &net->layout.ids;

	return (MrenConvTables){vectors,
							net->scale,
							mren_parameter_at(&net->layout.table, net->values, ids->shapes),
							{NULL, NULL},
							{net->fine_tuned_ids, net->shape.n_fine_tuned,
							 mren_parameter_at(&net->layout.table, net->values, ids->fine_tuned)}};
}

/* The vector of a kept word. */
static void
fill_vector(const MrenNet *net, const MrenConvTables *tables, const MrenSentence *sentence,
			const MrenConvWord *kept, float *x)
{
	uint32_t first = sentence->starts[kept->word];

	mren_conv_word(&net->shape, tables, sentence->pieces + first,
				   sentence->starts[kept->word + 1] - first, x);
}

/* The rows of a text's words. */
typedef struct TextRows
{
	uint16_t *rows[MREN_CONV_WORDS];
	uint32_t missing[MREN_CONV_WORDS]; /* (n_missing) words whose rows are not made */
	size_t n_missing;
} TextRows;

/* The rows that are kept, or those in `own`. */
static void
find_rows(const MrenNet *net, const MrenConvText *text, const MrenWordRows *kept, uint16_t *own,
		  TextRows *found)
{
	size_t dim = mren_net_conv_row_size(net);

	found->n_missing = 0;
	for (uint32_t w = 0; w < text->n; w++)
	{
		uint32_t slot = kept->slots != NULL ? kept->slots[text->words[w].word] : w;

		found->rows[w] = (kept->slots != NULL ? kept->rows : own) + slot * dim;
		if (kept->slots != NULL && kept->done[slot])
			continue;
		found->missing[found->n_missing++] = w;
	}
	/* A word that occurs twice is made twice, with the same bits. */
	for (size_t i = 0; i < found->n_missing && kept->slots != NULL; i++)
		kept->done[kept->slots[text->words[found->missing[i]].word]] = true;
}

/* Makes the missing rows, all together in `parts`. */
static void
make_rows(const MrenNet *net, const MrenWordVectors *vectors, const MrenSentence *sentence,
		  const MrenConvText *text, const TextRows *words, float *x, float *parts)
{
	MrenConvTables tables = tables_of(net, vectors);
	size_t dim = net->shape.embedding_dim;
	size_t n = words->n_missing;
	size_t at = 0;

	for (size_t k = 0; k < n; k++)
		fill_vector(net, &tables, sentence, &text->words[words->missing[k]], x + k * dim);
	for (size_t i = 0; i < MREN_CONV_WIDTHS && n > 0; i++)
	{
		size_t m = net->conv[i].out;

		mren_dense_infer(&net->conv[i], x, dim, n, parts, m);
		for (size_t k = 0; k < n; k++)
			mren_to_halves(words->rows[words->missing[k]] + at, parts + k * m, m);
		at += m;
	}
}

/* The words of a window of width i about kept word w: those from tap `first` up to `end`. */
typedef struct Window
{
	const MrenConvWord *words; /* that of tap 0, if there is one */
	size_t i;
	size_t first, end;
} Window;

static Window
window_at(const MrenConvText *text, size_t i, uint32_t w)
{
	size_t width = mren_conv_width(i);
	size_t left = mren_conv_left(i);
	size_t behind = text->n - w + left; /* taps until the end of the text */

	return (Window){text->words + w - (ptrdiff_t) left, i, w < left ? left - w : 0,
					behind < width ? behind : width};
}

/* Adds to rows what the distances of a window's words to head (which = 0) or tail add. */
static size_t
add_places(const MrenNet *net, const Window *window, size_t which, MrenHalfRow *rows)
{
	size_t filters = net->shape.filters;
	size_t width = mren_conv_width(window->i);
	const uint16_t *table = net->conv_places[window->i][which];
	size_t place = window->words[mren_conv_left(window->i)].place[which];
	bool consecutive = window->first == 0 && window->end == width;
	size_t n = 0;

	for (size_t tap = window->first; tap < window->end; tap++)
	{
		size_t here = window->words[tap].place[which];

		consecutive = consecutive && here == mren_conv_place_beside(window->i, place, tap);
		rows[n++] = (MrenHalfRow){table + (here * (width + 1) + tap) * filters, 1};
	}
	if (!consecutive)
		return n;
	rows[0] = (MrenHalfRow){table + (place * (width + 1) + width) * filters, 1};
	return 1;
}

/* How many words ahead a word's row is fetched. */
#define AHEAD 6

/* Fetches n halves into the cache. */
static void
fetch(const uint16_t *row, size_t n)
{
	for (size_t i = 0; i < n; i += 32)
		__builtin_prefetch(row + i, 0, 3);
}

/*
 * The outputs (n, filters) of width i at the words of the text.  Column `at` of their rows is the
 * first of this width.
 */
static void
sum_windows(const MrenNet *net, size_t i, const MrenConvText *text, const TextRows *words,
			size_t at, float *outputs)
{
	const float *bias =
		mren_parameter_at(&net->layout.table, net->values, net->layout.ids.conv_bias[i]);
	MrenHalfRow taps[3 * MREN_CONV_WIDEST];
	size_t filters = net->shape.filters;
	size_t m = mren_conv_width(i) * filters;

	for (uint32_t w = 0; w < text->n; w++)
	{
		Window window = window_at(text, i, w);
		size_t n = 0;

		if (w + AHEAD < text->n)
			fetch(words->rows[w + AHEAD] + at, m);
		for (size_t which = 0; which < 2; which++)
			n += add_places(net, &window, which, taps + n);
		for (size_t tap = window.first; tap < window.end; tap++)
			taps[n++] =
				(MrenHalfRow){words->rows[w + tap - mren_conv_left(i)] + at + tap * filters, 1};
		mren_add_halves(outputs + w * filters, bias, taps, n, filters);
	}
}

/* The largest outputs of each segment. */
static void
pool_segments(const MrenNet *net, const MrenConvText *text, const float *outputs, float *out)
{
	size_t filters = net->shape.filters;

	for (size_t segment = 0; segment < MREN_CONV_SEGMENTS; segment++, out += filters)
	{
		MrenSpan span = text->segments[segment];

		if (span.first < span.end)
		{
			mren_largest(out, outputs + span.first * filters, filters, span.end - span.first,
						 filters);
			mren_activate(net->shape.activation, out, filters);
		}
		else
			memset(out, 0, filters * sizeof(float));
	}
}

void
mren_net_convolve(const MrenNet *net, const MrenWordVectors *vectors, const MrenSentence *sentence,
				  const MrenWordRows *kept, float *out, float *scratch)
{
	MrenConvText *text = (MrenConvText *) scratch;
	float *x = scratch + text_size();
	size_t filters = net->shape.filters;
	float *parts = x + mren_align_floats(MREN_CONV_WORDS * net->shape.embedding_dim);
	float *outputs = parts + mren_align_floats(MREN_CONV_WORDS * widest(net));
	uint16_t *own = (uint16_t *) (outputs + mren_align_floats(MREN_CONV_WORDS * filters));
	TextRows words;
	size_t at = 0;

	mren_conv_read(sentence, text);
	find_rows(net, text, kept, own, &words);
	make_rows(net, vectors, sentence, text, &words, x, parts);
	for (size_t i = 0; i < MREN_CONV_WIDTHS; i++)
	{
		sum_windows(net, i, text, &words, at, outputs);
		pool_segments(net, text, outputs, out + i * MREN_CONV_SEGMENTS * filters);
		at += net->conv[i].out;
	}
}
