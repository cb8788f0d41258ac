/*
 * conv_infer.c
 *	  Convolutions in prediction, a sentence at a time.
 *
 * A window's output is a sum over its words, and each word adds a part that
 * depends on the word alone and one for its distance to either mention.  The
 * words' parts are computed by the kernel of dense layers, which sums each
 * output in one order; the distances' parts are tables of the network.  All
 * parts are added in one order, so an answer does not depend on other rows, nor
 * on whether the words' parts were kept from rows before.
 */
#include "relation/net_internal.h"

#include <string.h>

#include "nn/arena.h"
#include "nn/kernels.h"

/* Size of MrenConvText in floats. */
static size_t
text_size(void)
{
	return mren_align_floats((sizeof(MrenConvText) + sizeof(float) - 1) / sizeof(float));
}

static size_t
widest(const MrenNet *net)
{
	return mren_conv_width(MREN_CONV_WIDTHS - 1) * net->shape.filters;
}

size_t
mren_net_convolve_scratch(const MrenNet *net)
{
	if (net->shape.filters == 0)
		return 0;
	return text_size() + mren_align_floats(MREN_CONV_WORDS * net->shape.embedding_dim) +
		   mren_align_floats(MREN_CONV_WORDS * widest(net));
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

/*
 * Computes the parts of those kept words that are not done, all together in `parts`, and
 * stores each in its slot.  A word that occurs twice is computed twice, with the same bits.
 */
static void
complete_words(const MrenNet *net, const MrenWordVectors *vectors, const MrenSentence *sentence,
			   const MrenConvText *text, const MrenWordParts *words, float *x, float *parts)
{
	MrenConvTables tables = tables_of(net, vectors);
	size_t dim = net->shape.embedding_dim;
	uint32_t slots[MREN_CONV_WORDS];
	size_t n = 0;

	for (uint32_t w = 0; w < text->n; w++)
	{
		uint32_t slot = words->slots[text->words[w].word];

		if (words->done[slot])
			continue;
		fill_vector(net, &tables, sentence, &text->words[w], x + n * dim);
		slots[n++] = slot;
	}
	if (n == 0)
		return;
	for (size_t i = 0; i < MREN_CONV_WIDTHS; i++)
	{
		size_t m = net->conv[i].out;

		mren_dense_infer(&net->conv[i], x, dim, n, parts, m);
		for (size_t k = 0; k < n; k++)
			memcpy(words->parts[i] + slots[k] * m, parts + k * m, m * sizeof(float));
	}
	for (size_t k = 0; k < n; k++)
		words->done[slots[k]] = true;
}

/*
 * The largest outputs of each segment, for width i.  parts has that of kept word w at row w, or at
 * the row of its word's slot.
 */
static void
pool_segments(const MrenNet *net, size_t i, const MrenConvText *text, const float *parts,
			  const uint32_t *slots, float *out)
{
	MrenConvTap taps[MREN_CONV_WORDS];
	size_t filters = net->shape.filters;
	size_t m = mren_conv_width(i) * filters;
	const MrenConvWindows windows = {
		mren_parameter_at(&net->layout.table, net->values, net->layout.ids.conv_bias[i]),
		taps,
		text->n,
		mren_conv_width(i),
		mren_conv_left(i),
		filters};

	for (uint32_t w = 0; w < text->n; w++)
	{
		const MrenConvWord *word = &text->words[w];

		taps[w] = (MrenConvTap){{parts + (slots != NULL ? slots[word->word] : w) * m,
								 net->conv_places[i][0] + word->place[0] * m,
								 net->conv_places[i][1] + word->place[1] * m}};
	}
	for (size_t segment = 0; segment < MREN_CONV_SEGMENTS; segment++, out += filters)
	{
		MrenSpan span = text->segments[segment];

		if (span.first < span.end)
		{
			mren_conv_pool(&windows, span, out);
			mren_activate(net->shape.activation, out, filters);
		}
		else
			memset(out, 0, filters * sizeof(float));
	}
}

void
mren_net_convolve(const MrenNet *net, const MrenWordVectors *vectors, const MrenSentence *sentence,
				  const MrenWordParts *words, float *out, float *scratch)
{
	MrenConvText *text = (MrenConvText *) scratch;
	float *x = scratch + text_size();
	size_t dim = net->shape.embedding_dim;
	size_t filters = net->shape.filters;
	float *parts = x + mren_align_floats(MREN_CONV_WORDS * dim);

	mren_conv_read(sentence, text);
	if (words != NULL)
		complete_words(net, vectors, sentence, text, words, x, parts);
	else
	{
		MrenConvTables tables = tables_of(net, vectors);

		for (uint32_t w = 0; w < text->n; w++)
			fill_vector(net, &tables, sentence, &text->words[w], x + w * dim);
	}
	for (size_t i = 0; i < MREN_CONV_WIDTHS; i++)
	{
		if (words == NULL)
			mren_dense_infer(&net->conv[i], x, dim, text->n, parts, net->conv[i].out);
		pool_segments(net, i, text, words != NULL ? words->parts[i] : parts,
					  words != NULL ? words->slots : NULL, out + i * MREN_CONV_SEGMENTS * filters);
	}
}
