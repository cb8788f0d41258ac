/*
 * self_attention.c
 *	  Attention of the tokens of a sentence to each other, with levitated markers and
 *	  relative positions.
 */
#include "transformer/encoder_parts.h"

#include <math.h>

/* MPNet's distances are told apart up to here. */
#define MAX_DISTANCE 128

size_t
mren_distance_bucket(ptrdiff_t distance, size_t buckets)
{
	size_t half = buckets / 2;
	size_t exact = half / 2;
	size_t n = (size_t) (distance < 0 ? -distance : distance);
	size_t base = distance > 0 ? half : 0;
	size_t large;

	if (n < exact || exact == 0)
		return base + (n < half ? n : half == 0 ? 0 : half - 1);
	large = exact +
			(size_t) (logf((float) n / (float) exact) /
					  (float) log((double) MAX_DISTANCE / (double) exact) * (float) (half - exact));
	return base + (large < half ? large : half - 1);
}

size_t
mren_distance_row(ptrdiff_t distance, const MrenTransformerConfig *config)
{
	ptrdiff_t span = (ptrdiff_t) mren_transformer_relative_span(config);
	ptrdiff_t middle = (ptrdiff_t) config->relative_buckets / 2;
	ptrdiff_t n = distance < 0 ? -distance : distance;

	if (config->relative_buckets > 0 && n > middle && middle > 0)
	{
		double share = logf((float) n / (float) middle) /
					   log((double) (config->relative_positions - 1) / (double) middle);

		n = (ptrdiff_t) ceilf((float) share * (float) (middle - 1)) + middle;
		distance = distance < 0 ? -n : n;
	}
	distance += span;
	return (size_t) (distance < 0 ? 0 : distance >= 2 * span ? 2 * span - 1 : distance);
}

static float
dot(const float *a, const float *b, size_t n)
{
	float sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

/* The keys of a query: n_text tokens from text on, and n_group tokens from group on. */
typedef struct Keys
{
	size_t text;
	size_t n_text;
	size_t group;
	size_t n_group;
} Keys;

static size_t
key_token(const Keys *keys, size_t j)
{
	return j < keys->n_text ? keys->text + j : keys->group + (j - keys->n_text);
}

/* Adds to the scores of a query what they owe to distances. */
static void
add_relative(const MrenTransformerPass *pass, const MrenTransformerLayer *layer, const Keys *keys,
			 size_t query, size_t head)
{
	const MrenTransformerConfig *config = &pass->encoder->config;
	const uint32_t *positions = pass->batch->positions;
	size_t width = config->width;
	size_t size = width / config->heads;
	size_t parts = 1 + (size_t) config->content_to_position + (size_t) config->position_to_content;
	float scale = 1 / sqrtf((float) (size * parts));

	for (size_t j = 0; j < keys->n_text + keys->n_group; j++)
	{
		size_t key = key_token(keys, j);
		ptrdiff_t distance = (ptrdiff_t) positions[query] - (ptrdiff_t) positions[key];
		size_t row;

		if (pass->encoder->relative_bias != NULL)
		{
			row = mren_distance_bucket(-distance, config->relative_buckets);
			pass->scores[j] += pass->encoder->relative_bias[row * config->heads + head];
			continue;
		}
		row = mren_distance_row(distance, config) * width + head * size;
		if (layer->relative_keys != NULL)
			pass->scores[j] += scale * dot(pass->query + query * width + head * size,
										   layer->relative_keys + row, size);
		if (layer->relative_queries != NULL)
			pass->scores[j] += scale * dot(pass->key + key * width + head * size,
										   layer->relative_queries + row, size);
	}
}

/* Scores to weights that sum to 1. */
static void
softmax(float *scores, size_t n)
{
	float most = scores[0];
	float sum = 0;

	for (size_t j = 1; j < n; j++)
		most = scores[j] > most ? scores[j] : most;
	for (size_t j = 0; j < n; j++)
	{
		scores[j] = expf(scores[j] - most);
		sum += scores[j];
	}
	mren_scale(scores, 1 / sum, n);
}

/* One query of one head.  pass->keys has the text's keys, ldk apart for each dimension. */
static void
attend(MrenTransformerPass *pass, const MrenTransformerLayer *layer, const Keys *keys, size_t query,
	   size_t head)
{
	const MrenTransformerConfig *config = &pass->encoder->config;
	size_t width = config->width;
	size_t size = width / config->heads;
	size_t n = keys->n_text + keys->n_group;
	bool deberta = config->architecture == MREN_TRANSFORMER_DEBERTA;
	size_t parts = 1 + (size_t) (deberta && config->content_to_position) +
				   (size_t) (deberta && config->position_to_content);
	const float *q = pass->query + query * width + head * size;
	float *out = pass->context + query * width + head * size;

	for (size_t j = 0; j < n; j++)
		pass->scores[j] = 0;
	for (size_t d = 0; d < size; d++)
		mren_axpy(pass->scores, pass->keys + d * keys->n_text, q[d], keys->n_text);
	for (size_t j = keys->n_text; j < n; j++)
		pass->scores[j] = dot(q, pass->key + key_token(keys, j) * width + head * size, size);
	mren_scale(pass->scores, 1 / sqrtf((float) (size * parts)), n);
	if (pass->encoder->relative_bias != NULL || layer->relative_keys != NULL ||
		layer->relative_queries != NULL)
		add_relative(pass, layer, keys, query, head);
	softmax(pass->scores, n);
	for (size_t d = 0; d < size; d++)
		out[d] = 0;
	for (size_t j = 0; j < n; j++)
		mren_axpy(out, pass->value + key_token(keys, j) * width + head * size, pass->scores[j],
				  size);
	mren_work_add(&pass->work, 4 * n * size + 8 * MREN_LOOP_WORK * n);
}

/* All tokens of one sentence, whose first is `first`, in one head. */
static void
attend_sentence(MrenTransformerPass *pass, const MrenTransformerLayer *layer,
				const MrenTransformerSentence *sentence, size_t first, size_t head)
{
	size_t width = pass->encoder->config.width;
	size_t size = width / pass->encoder->config.heads;
	Keys keys = {.text = first, .n_text = sentence->n_text};

	for (size_t j = 0; j < keys.n_text; j++)
	{
		for (size_t d = 0; d < size; d++)
			pass->keys[d * keys.n_text + j] = pass->key[(first + j) * width + head * size + d];
	}
	for (size_t i = 0; i < keys.n_text && !pass->work.stopped; i++)
		attend(pass, layer, &keys, first + i, head);
	keys.n_group = sentence->group_size;
	for (size_t g = 0; g < sentence->n_groups; g++)
	{
		keys.group = first + keys.n_text + g * keys.n_group;
		for (size_t i = 0; i < keys.n_group && !pass->work.stopped; i++)
			attend(pass, layer, &keys, keys.group + i, head);
	}
}

void
mren_self_attention(MrenTransformerPass *pass, const MrenTransformerLayer *layer)
{
	size_t first = 0;

	for (size_t s = 0; s < pass->batch->n_sentences && !pass->work.stopped; s++)
	{
		const MrenTransformerSentence *sentence = &pass->batch->sentences[s];

		for (size_t head = 0; head < pass->encoder->config.heads; head++)
			attend_sentence(pass, layer, sentence, first, head);
		first += sentence->n_text + sentence->n_groups * sentence->group_size;
	}
}
