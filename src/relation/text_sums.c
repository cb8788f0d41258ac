/*
 * text_sums.c
 *	  The pooled text's share of the first layer, as a sum of what its words add.
 *
 * The parts of a text are means of word vectors, so their share of the first layer's outputs is a
 * sum over their words, each of which adds a row that depends on the word and the part alone.  The
 * rows are halves, whether they were kept from rows before or not, and are added in one order, so
 * an answer does not depend on other rows.
 */
#include "relation/net_internal.h"

#include <string.h>

#include "nn/arena.h"

/* Rows that are made before they are added, where they are not kept. */
#define CHUNK 32

size_t
mren_net_text_words(const MrenNetShape *shape, const MrenSentence *sentence, MrenTextWords *items)
{
	MrenSpan parts[MREN_MAX_PARTS];
	size_t n = 0;

	mren_text_part_spans(shape, sentence, parts);
	for (size_t p = 0; p < mren_net_shape_n_parts(shape) && shape->embedding_dim > 0; p++)
	{
		uint32_t words = parts[p].end - parts[p].first;

		if (words > MREN_PART_WORDS)
			items[n++] = (MrenTextWords){p, parts[p], 1};
		for (uint32_t w = 0; words <= MREN_PART_WORDS && w < words; w++)
			items[n++] = (MrenTextWords){
				p, {parts[p].first + w, parts[p].first + w + 1}, 1.0f / (float) words};
	}
	return n;
}

size_t
mren_net_text_scratch(const MrenNet *net)
{
	size_t m = mren_align_floats(net->layers[0].out);

	return 2 * mren_align_floats(net->shape.embedding_dim) + m + CHUNK * m / 2;
}

/* x (embedding_dim) = the mean of the words' vectors; one: a vector of scratch. */
static void
mean_vector(const MrenNet *net, const MrenConvTables *tables, const MrenSentence *sentence,
			MrenSpan words, float *x, float *one)
{
	size_t dim = net->shape.embedding_dim;

	memset(x, 0, dim * sizeof(float));
	for (uint32_t w = words.first; w < words.end; w++)
	{
		uint32_t first = sentence->starts[w];

		mren_conv_word(&net->shape, tables, sentence->pieces + first,
					   sentence->starts[w + 1] - first, one);
		mren_axpy(x, one, 1.0f / (float) (words.end - words.first), dim);
	}
}

/* The row of an item, in halves. */
static void
make_row(const MrenNet *net, const MrenWordVectors *vectors, const MrenSentence *sentence,
		 const MrenTextWords *item, uint16_t *row, float *scratch)
{
	const MrenConvTables tables = {
		.vectors = vectors,
		.scale = net->scale,
		.shapes = mren_parameter_at(&net->layout.table, net->values, net->layout.ids.shapes)};
	size_t dim = net->shape.embedding_dim;
	size_t m = net->layers[0].out;
	const MrenPackedDense layer = {dim, m, net->text_parts + item->part * net->text_part_size,
								   net->text_bias};
	float *x = scratch;
	float *out = x + 2 * mren_align_floats(dim);

	mean_vector(net, &tables, sentence, item->words, x, x + mren_align_floats(dim));
	mren_dense_infer(&layer, x, dim, 1, out, m);
	mren_to_halves(row, out, m);
}

void
mren_net_text_sums(const MrenNet *net, const MrenWordVectors *vectors, const MrenSentence *sentence,
				   const MrenWordRows *kept, float *out, float *scratch)
{
	MrenTextWords items[MREN_MAX_TEXT_WORDS];
	MrenHalfRow rows[CHUNK];
	size_t m = net->layers[0].out;
	size_t n = mren_net_text_words(&net->shape, sentence, items);
	uint16_t *made = (uint16_t *) (scratch + 2 * mren_align_floats(net->shape.embedding_dim) +
								   mren_align_floats(m));

	memcpy(out, net->text_start, m * sizeof(float));
	for (size_t first = 0; first < n; first += CHUNK)
	{
		size_t some = n - first < CHUNK ? n - first : CHUNK;

		for (size_t i = 0; i < some; i++)
		{
			const MrenTextWords *item = &items[first + i];
			uint32_t slot = kept->slots != NULL ? kept->slots[first + i] : 0;
			uint16_t *row = kept->slots != NULL ? kept->rows + slot * m : made + i * m;

			rows[i] = (MrenHalfRow){row, item->weight};
			if (kept->slots != NULL && kept->done[slot])
				continue;
			make_row(net, vectors, sentence, item, row, scratch);
			if (kept->slots != NULL)
				kept->done[slot] = true;
		}
		mren_add_halves(out, out, rows, some, m);
	}
}
