/*
 * text_pool.c
 *	  Pooling over the parts of a sentence.
 */
#include "relation/text_pool.h"

#include <math.h>
#include <string.h>

#include "nn/kernels.h"

/* The row that is being read. */
typedef struct Pool
{
	const MrenWordVectors *vectors;
	const MrenSentence *sentence;
	float scale;
	float *part;	/* where the next part is written */
	float *unknown; /* of the next part */
	bool any_unknown;
} Pool;

static void
add_word(Pool *pool, uint32_t word, float weight)
{
	const MrenSentence *s = pool->sentence;
	uint32_t first = s->starts[word];
	uint32_t end = s->starts[word + 1];

	if (first == end)
		return;
	weight /= (float) (end - first);
	for (uint32_t i = first; i < end; i++)
	{
		int32_t piece = s->pieces[i];

		if (piece >= 0)
			mren_axpy(pool->part, pool->vectors->get(pool->vectors->state, piece),
					  weight * pool->scale, pool->vectors->dim);
		else if (piece >= -MREN_MAX_SHAPES)
		{
			pool->unknown[-1 - piece] += weight;
			pool->any_unknown = true;
		}
	}
}

/* The mention that begins first (the head if both begin at one word), and the other. */
static void
order_mentions(const MrenSentence *s, MrenSpan *first, MrenSpan *second)
{
	bool head_first = s->head.first <= s->tail.first;

	*first = head_first ? s->head : s->tail;
	*second = head_first ? s->tail : s->head;
}

/* A part of one word, or of none if the word is not in first .. end - 1. */
static MrenSpan
one_word(int64_t word, uint32_t first, uint32_t end)
{
	if (word < (int64_t) first || word >= (int64_t) end)
		return (MrenSpan){0, 0};
	return (MrenSpan){(uint32_t) word, (uint32_t) word + 1};
}

void
mren_text_part_spans(const MrenNetShape *shape, const MrenSentence *s, MrenSpan *parts)
{
	MrenSpan a;
	MrenSpan b;
	uint32_t between;

	order_mentions(s, &a, &b);
	/* There are no words between mentions that overlap. */
	between = b.first > a.end ? b.first : a.end;
	*parts++ = s->head;
	*parts++ = one_word((int64_t) s->head.end - 1, 0, s->n_words);
	*parts++ = s->tail;
	*parts++ = one_word((int64_t) s->tail.end - 1, 0, s->n_words);
	*parts++ = (MrenSpan){a.end, between};
	for (int64_t i = 0; i < MREN_EDGE_WORDS; i++)
		*parts++ = one_word(a.end + i, a.end, between);
	for (int64_t i = 0; i < MREN_EDGE_WORDS; i++)
		*parts++ = one_word((int64_t) between - 1 - i, a.end, between);
	for (int64_t i = 0; i < (int64_t) shape->window; i++)
		*parts++ = one_word((int64_t) a.first - 1 - i, 0, s->n_words);
	for (int64_t i = 0; i < (int64_t) shape->window; i++)
		*parts++ = one_word((int64_t) b.end + i, 0, s->n_words);
}

static void
put_scalars(const MrenSentence *s, float *out)
{
	MrenSpan a;
	MrenSpan b;
	uint32_t distance;
	uint32_t head = s->head.end - s->head.first;
	uint32_t tail = s->tail.end - s->tail.first;

	order_mentions(s, &a, &b);
	distance = b.first > a.end ? b.first - a.end : 0;
	out[0] = s->head.first <= s->tail.first;
	out[1] = b.first < a.end;
	out[2] = log1pf((float) distance);
	out[3] = log1pf((float) s->n_words);
	out[4] = log1pf((float) a.first);
	out[5] = log1pf((float) (s->n_words - b.end));
	out[6] = head > 1;
	out[7] = tail > 1;
	out[8] = logf((float) head);
	out[9] = logf((float) tail);
	for (uint32_t d = 0; d < 6; d++)
		out[10 + d] = distance == d;
	out[16] = distance >= 6 && distance < 10;
	out[17] = distance >= 10 && distance < 20;
	out[18] = distance >= 20;
}

void
mren_text_counts(const MrenNetShape *shape, const MrenTextInput *input, float *out)
{
	float *types = out + MREN_N_SCALARS;

	put_scalars(input->sentence, out);
	memset(types, 0, 2 * shape->n_types * sizeof(float));
	if (input->head_type >= 0)
		types[input->head_type] = 1;
	if (input->tail_type >= 0)
		types[shape->n_types + (size_t) input->tail_type] = 1;
}

bool
mren_text_pool(const MrenNetShape *shape, const MrenWordVectors *vectors, float scale,
			   const MrenTextInput *input, float *out, float *unknown)
{
	size_t n_parts = mren_net_shape_n_parts(shape);
	Pool pool = {vectors, input->sentence, scale, out, unknown, false};
	MrenSpan parts[MREN_MAX_PARTS];

	memset(out, 0, n_parts * shape->embedding_dim * sizeof(float));
	memset(unknown, 0, n_parts * MREN_MAX_SHAPES * sizeof(float));
	mren_text_part_spans(shape, input->sentence, parts);
	for (size_t p = 0; p < n_parts; p++)
	{
		for (uint32_t word = parts[p].first; word < parts[p].end; word++)
			add_word(&pool, word, 1.0f / (float) (parts[p].end - parts[p].first));
		pool.part += shape->embedding_dim;
		pool.unknown += MREN_MAX_SHAPES;
	}
	mren_text_counts(shape, input, pool.part);
	return pool.any_unknown && shape->embedding_dim > 0;
}

void
mren_text_add_unknown(const MrenNetShape *shape, const float *shapes, const float *unknown,
					  float *out)
{
	size_t dim = shape->embedding_dim;

	for (size_t p = 0; p < mren_net_shape_n_parts(shape); p++)
	{
		for (size_t s = 0; s < MREN_MAX_SHAPES; s++)
		{
			float weight = unknown[p * MREN_MAX_SHAPES + s];

			if (weight != 0)
				mren_axpy(out + p * dim, shapes + s * dim, weight, dim);
		}
	}
}

void
mren_text_unknown_backward(const MrenNetShape *shape, const float *unknown, const float *dout,
						   float *dshapes)
{
	size_t dim = shape->embedding_dim;

	for (size_t p = 0; p < mren_net_shape_n_parts(shape); p++)
	{
		for (size_t s = 0; s < MREN_MAX_SHAPES; s++)
		{
			float weight = unknown[p * MREN_MAX_SHAPES + s];

			if (weight != 0)
				mren_axpy(dshapes + s * dim, dout + p * dim, weight, dim);
		}
	}
}
