/*
 * conv_infer.c
 *	  Convolutions in prediction, a sentence at a time.
 *
 * Uses the kernel of dense layers on rows that overlap: it sums each output in
 * one order, so an answer does not depend on other rows.
 */
#include "relation/net_internal.h"

#include <string.h>

#include "nn/arena.h"
#include "nn/kernels.h"
#include "relation/batch.h"

#define MAX_ROWS (MREN_CONV_WORDS + 2 * MREN_CONV_PAD)

/* Size of MrenConvText in floats; the scratch also holds the positions of the largest outputs. */
static size_t
text_size(void)
{
	return mren_align_floats((sizeof(MrenConvText) + sizeof(float) - 1) / sizeof(float));
}

size_t
mren_net_convolve_scratch(const MrenNet *net)
{
	size_t filters = net->shape.filters;

	if (filters == 0)
		return 0;
	return text_size() + mren_align_floats(MAX_ROWS * mren_net_shape_row_dim(&net->shape)) +
		   mren_align_floats(MREN_CONV_WORDS * filters) + mren_align_floats(filters);
}

/* Fills x with the rows of the sentence between rows of zeros. */
static void
fill_rows(const MrenNet *net, const MrenWordVectors *vectors, const MrenSentence *sentence,
		  const MrenConvText *text, float *x)
{
	const MrenNetIds *ids = &net->layout.ids;
	const MrenConvTables tables = {
		vectors,
		net->scale,
		mren_parameter_at(&net->layout.table, net->values, ids->shapes),
		{mren_parameter_at(&net->layout.table, net->values, ids->places[0]),
		 mren_parameter_at(&net->layout.table, net->values, ids->places[1])},
		{net->fine_tuned_ids, net->shape.n_fine_tuned,
		 mren_parameter_at(&net->layout.table, net->values, ids->fine_tuned)}};
	size_t dim = mren_net_shape_row_dim(&net->shape);

	memset(x, 0, MREN_CONV_PAD * dim * sizeof(float));
	x += MREN_CONV_PAD * dim;
	for (uint32_t w = 0; w < text->n; w++, x += dim)
	{
		const MrenConvWord *word = &text->words[w];
		uint32_t first = sentence->starts[word->word];

		mren_conv_row(&net->shape, &tables, sentence->pieces + first,
					  sentence->starts[word->word + 1] - first, word->place, x);
	}
	memset(x, 0, MREN_CONV_PAD * dim * sizeof(float));
}

void
mren_net_convolve(const MrenNet *net, const MrenWordVectors *vectors, const MrenSentence *sentence,
				  float *out, float *scratch)
{
	MrenConvText *text = (MrenConvText *) scratch;
	float *x = scratch + text_size();
	size_t dim = mren_net_shape_row_dim(&net->shape);
	size_t filters = net->shape.filters;
	float *outputs = x + mren_align_floats(MAX_ROWS * dim);
	int32_t *at = (int32_t *) (outputs + mren_align_floats(MREN_CONV_WORDS * filters));

	mren_conv_read(sentence, text);
	fill_rows(net, vectors, sentence, text, x);
	for (size_t i = 0; i < MREN_CONV_WIDTHS; i++)
	{
		mren_dense_infer(&net->conv[i], x + (MREN_CONV_PAD - mren_conv_left(i)) * dim, dim, text->n,
						 outputs, filters);
		for (size_t segment = 0; segment < MREN_CONV_SEGMENTS; segment++, out += filters)
		{
			MrenSpan span = text->segments[segment];

			if (span.first < span.end)
			{
				mren_conv_max(outputs + span.first * filters, filters, span.end - span.first,
							  filters, 0, out, at);
				mren_activate(net->shape.activation, out, filters);
			}
			else
				memset(out, 0, filters * sizeof(float));
		}
	}
}
