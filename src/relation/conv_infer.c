/*
 * conv_infer.c
 *	  Convolutions in prediction, a sentence at a time.
 *
 * A window's output is a sum over its words, and each word adds a part that
 * depends on the word alone and one for its distance to either mention.  The
 * words' parts are computed by the kernel of dense layers, which sums each
 * output in one order; the distances' parts are tables of the network.  All
 * parts are added in one order, so an answer does not depend on other rows, nor
 * on whether the words' parts were kept from a row before.
 */
#include "relation/net_internal.h"

#include <string.h>

#include "nn/arena.h"
#include "nn/kernels.h"
#include "relation/batch.h"

/* Size of MrenConvText in floats; the scratch also holds the positions of the largest outputs. */
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
	size_t filters = net->shape.filters;

	if (filters == 0)
		return 0;
	return text_size() + mren_align_floats(MREN_CONV_WORDS * net->shape.embedding_dim) +
		   mren_align_floats(MREN_CONV_WORDS * widest(net)) +
		   mren_align_floats(MREN_CONV_WORDS * filters) + mren_align_floats(filters);
}

/* The vectors of words first .. end - 1 of the kept ones. */
static void
fill_vectors(const MrenNet *net, const MrenWordVectors *vectors, const MrenSentence *sentence,
			 const MrenConvText *text, MrenSpan span, float *x)
{
	const MrenNetIds *ids = &net->layout.ids;
	const MrenConvTables tables = {
		vectors,
		net->scale,
		mren_parameter_at(&net->layout.table, net->values, ids->shapes),
		{NULL, NULL},
		{net->fine_tuned_ids, net->shape.n_fine_tuned,
		 mren_parameter_at(&net->layout.table, net->values, ids->fine_tuned)}};

	for (uint32_t w = span.first; w < span.end; w++, x += net->shape.embedding_dim)
	{
		uint32_t word = text->words[w].word;
		uint32_t first = sentence->starts[word];

		mren_conv_word(&net->shape, &tables, sentence->pieces + first,
					   sentence->starts[word + 1] - first, x);
	}
}

/* Computes the parts of those kept words that are not done, a run of neighbours at a time. */
static void
complete_words(const MrenNet *net, const MrenWordVectors *vectors, const MrenSentence *sentence,
			   const MrenConvText *text, const MrenWordParts *words, float *x)
{
	size_t dim = net->shape.embedding_dim;
	uint32_t end;

	for (uint32_t w = 0; w < text->n; w = end)
	{
		uint32_t word = text->words[w].word;

		end = w + 1;
		if (words->done[word])
			continue;
		while (end < text->n && text->words[end].word == word + (end - w) &&
			   !words->done[text->words[end].word])
			end++;
		fill_vectors(net, vectors, sentence, text, (MrenSpan){w, end}, x);
		for (size_t i = 0; i < MREN_CONV_WIDTHS; i++)
		{
			size_t m = net->conv[i].out;

			mren_dense_infer(&net->conv[i], x, dim, end - w, words->parts[i] + word * m, m);
		}
		memset(words->done + word, true, end - w);
	}
}

/*
 * The outputs (n, filters) of width i at the kept words.  parts has that of kept word w
 * at row w, or with `by_word` at the row of its number in the sentence.
 */
static void
sum_windows(const MrenNet *net, size_t i, const MrenConvText *text, const float *parts,
			bool by_word, float *outputs)
{
	const float *bias =
		mren_parameter_at(&net->layout.table, net->values, net->layout.ids.conv_bias[i]);
	size_t filters = net->shape.filters;
	size_t width = mren_conv_width(i);
	size_t m = width * filters;

	for (uint32_t w = 0; w < text->n; w++)
	{
		MrenConvTap taps[MREN_CONV_WIDTHS + 2];
		size_t n = 0;

		for (size_t tap = 0; tap < width; tap++)
		{
			int64_t at = (int64_t) w + (int64_t) tap - (int64_t) mren_conv_left(i);
			const MrenConvWord *word;

			if (at < 0 || at >= (int64_t) text->n)
				continue;
			word = &text->words[at];
			taps[n++] =
				(MrenConvTap){{parts + (by_word ? word->word : (size_t) at) * m + tap * filters,
							   net->conv_places[i][0] + word->place[0] * m + tap * filters,
							   net->conv_places[i][1] + word->place[1] * m + tap * filters}};
		}
		mren_conv_window(outputs + w * filters, bias, taps, n, filters);
	}
}

/* The largest outputs of each segment. */
static void
pool_segments(const MrenNet *net, const MrenConvText *text, const float *outputs, int32_t *at,
			  float *out)
{
	size_t filters = net->shape.filters;

	for (size_t segment = 0; segment < MREN_CONV_SEGMENTS; segment++, out += filters)
	{
		MrenSpan span = text->segments[segment];

		if (span.first < span.end)
		{
			mren_conv_max(outputs + span.first * filters, filters, span.end - span.first, filters,
						  0, out, at);
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
	float *outputs = parts + mren_align_floats(MREN_CONV_WORDS * widest(net));
	int32_t *at = (int32_t *) (outputs + mren_align_floats(MREN_CONV_WORDS * filters));

	mren_conv_read(sentence, text);
	if (words != NULL)
		complete_words(net, vectors, sentence, text, words, x);
	else
		fill_vectors(net, vectors, sentence, text, (MrenSpan){0, text->n}, x);
	for (size_t i = 0; i < MREN_CONV_WIDTHS; i++)
	{
		if (words == NULL)
			mren_dense_infer(&net->conv[i], x, dim, text->n, parts, net->conv[i].out);
		sum_windows(net, i, text, words != NULL ? words->parts[i] : parts, words != NULL, outputs);
		pool_segments(net, text, outputs, at, out + i * MREN_CONV_SEGMENTS * filters);
	}
}
