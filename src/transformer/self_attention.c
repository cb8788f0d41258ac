/*
 * self_attention.c
 *	  Attention of the tokens of a sentence to each other, with levitated markers and
 *	  relative positions.
 *
 * The keys and values of a sentence's text are packed for each head, like weights, so that the
 * scores of some queries at a time, and their sums of values, are dense layers.  Each sum adds
 * its terms in the order of the keys.
 */
#include "transformer/encoder_parts.h"

#include <math.h>
#include <string.h>

/* Greater distances are one to MPNet. */
#define MAX_DISTANCE 128

/* Those that the transformers library uses, however many rows the table has. */
#define MOST_BUCKETS 32

size_t
mren_distance_bucket(ptrdiff_t distance, size_t buckets)
{
	size_t half = (buckets < MOST_BUCKETS ? buckets : MOST_BUCKETS) / 2;
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

size_t
mren_distance_reach(const MrenTransformerConfig *config)
{
	if (config->architecture == MREN_TRANSFORMER_DEBERTA)
		return config->relative_positions;
	return MAX_DISTANCE;
}

/* Some queries of one head of a sentence: rows from `first` on. */
typedef struct Queries
{
	const MrenTransformerLayer *layer;
	size_t head;
	size_t text; /* first token of the text that they attend to */
	size_t n_text;
	size_t first;
	size_t n;
	size_t group_size; /* 0: they are text; otherwise markers */
	size_t markers;	   /* first marker of the sentence */
} Queries;

/* The row of a table of relative positions for a query `distance` after its key. */
static size_t
relative_row(const MrenTransformer *encoder, ptrdiff_t distance)
{
	ptrdiff_t reach = (ptrdiff_t) encoder->relative_reach;

	distance = distance < -reach ? -reach : distance > reach ? reach : distance;
	return encoder->relative_rows[distance + reach];
}

/* What the score of a query and a key owes to their distance. */
static float
relative_score(const MrenTransformerPass *pass, const Queries *queries, size_t query, size_t key,
			   float scale)
{
	size_t token = mren_read_token(&pass->rows, query);
	const MrenTransformer *encoder = pass->encoder;
	const uint32_t *positions = pass->batch->positions;
	size_t width = encoder->config.width;
	size_t size = width / encoder->config.heads;
	size_t at = queries->head * size;
	size_t row = relative_row(encoder, (ptrdiff_t) positions[token] - (ptrdiff_t) positions[key]);
	float sum = 0;

	if (encoder->relative_bias != NULL)
		return encoder->relative_bias[row * encoder->config.heads + queries->head];
	if (queries->layer->relative_keys != NULL)
		sum += mren_dot(pass->query + query * width + at,
						queries->layer->relative_keys + row * width + at, size);
	if (queries->layer->relative_queries != NULL)
		sum += mren_dot(pass->key + key * width + at,
						queries->layer->relative_queries + row * width + at, size);
	return scale * sum;
}

/* The first token of the group of a query's marker. */
static size_t
group_of(const MrenTransformerPass *pass, const Queries *queries, size_t query)
{
	size_t number = mren_read_token(&pass->rows, query) - queries->markers;

	return queries->markers + number / queries->group_size * queries->group_size;
}

/* Adds to the scores of a query what they owe to distances. */
static void
add_relative(const MrenTransformerPass *pass, const Queries *queries, size_t query, float scale,
			 float *scores)
{
	for (size_t j = 0; j < queries->n_text; j++)
		scores[j] += relative_score(pass, queries, query, queries->text + j, scale);
	for (size_t j = 0; j < queries->group_size; j++)
		scores[queries->n_text + j] +=
			relative_score(pass, queries, query, group_of(pass, queries, query) + j, scale);
}

/* Scores, of which those of the text are there, to weights that sum to 1. */
static void
weigh(const MrenTransformerPass *pass, const Queries *queries, size_t query, float *scores)
{
	const MrenTransformerConfig *config = &pass->encoder->config;
	size_t width = config->width;
	size_t size = width / config->heads;
	size_t n = queries->n_text + queries->group_size;
	bool deberta = config->architecture == MREN_TRANSFORMER_DEBERTA;
	size_t parts = 1 + (size_t) (deberta && config->content_to_position) +
				   (size_t) (deberta && config->position_to_content);
	float scale = 1 / sqrtf((float) (size * parts));

	for (size_t j = 0; j < queries->group_size; j++)
		scores[queries->n_text + j] = mren_dot(
			pass->query + query * width + queries->head * size,
			pass->key + (group_of(pass, queries, query) + j) * width + queries->head * size, size);
	if (pass->encoder->relative_rows != NULL)
	{
		mren_scale(scores, scale, n);
		add_relative(pass, queries, query, scale, scores);
		scale = 1;
	}
	mren_softmax(scores, n, scale);
}

/* At most MREN_TRANSFORMER_ROWS queries, with pass->keys and pass->values. */
static void
attend(MrenTransformerPass *pass, const Queries *queries)
{
	size_t width = pass->encoder->config.width;
	size_t size = width / pass->encoder->config.heads;
	size_t at = queries->first * width + queries->head * size;
	size_t ld = pass->most_keys;
	const MrenPackedDense keys = {
		.in = size, .out = queries->n_text, .packed = pass->keys, .bias = pass->zeros};
	const MrenPackedDense values = {
		.in = queries->n_text, .out = size, .packed = pass->values, .bias = pass->zeros};

	mren_dense_run(pass->run.simd, &keys, pass->query + at, width, queries->n, pass->scores, ld);
	for (size_t i = 0; i < queries->n; i++)
		weigh(pass, queries, queries->first + i, pass->scores + i * ld);
	mren_dense_run(pass->run.simd, &values, pass->scores, ld, queries->n, pass->context + at,
				   width);
	for (size_t i = 0; i < queries->n; i++)
	{
		for (size_t j = 0; j < queries->group_size; j++)
			mren_axpy(pass->context + at + i * width,
					  pass->value + (group_of(pass, queries, queries->first + i) + j) * width +
						  queries->head * size,
					  pass->scores[i * ld + queries->n_text + j], size);
	}
	mren_work_add(&pass->run.work, queries->n * (queries->n_text + queries->group_size) *
									   (2 * size + 4 * MREN_LOOP_WORK));
}

/* The keys and values of n tokens from `first` on as weights of dense layers. */
static void
pack_head(MrenTransformerPass *pass, size_t first, size_t n, size_t head)
{
	size_t width = pass->encoder->config.width;
	size_t size = width / pass->encoder->config.heads;
	const float *key = pass->key + first * width + head * size;
	const float *value = pass->value + first * width + head * size;

	for (size_t j = 0; j < n; j++)
	{
		float *panel = pass->keys + j / MREN_PANEL * MREN_PANEL * size + j % MREN_PANEL;

		for (size_t d = 0; d < size; d++)
			panel[d * MREN_PANEL] = key[j * width + d];
	}
	for (size_t d = 0; d < size; d += MREN_PANEL)
	{
		size_t m = size - d < MREN_PANEL ? size - d : MREN_PANEL;

		for (size_t j = 0; j < n; j++)
			memcpy(pass->values + d * n + j * MREN_PANEL, value + j * width + d, m * sizeof(float));
	}
	mren_work_add(&pass->run.work, MREN_LOOP_WORK * n * size);
}

/* Queries that all attend to the same text, a few at a time. */
static void
attend_all(MrenTransformerPass *pass, const Queries *queries)
{
	Queries some = *queries;

	for (size_t i = 0; i < queries->n && !pass->run.work.stopped; i += some.n)
	{
		some.first = queries->first + i;
		some.n = queries->n - i < MREN_TRANSFORMER_ROWS ? queries->n - i : MREN_TRANSFORMER_ROWS;
		attend(pass, &some);
	}
}

/* All tokens of one sentence, whose first is `first`, in one head. */
static void
attend_sentence(MrenTransformerPass *pass, const MrenTransformerLayer *layer,
				const MrenTransformerSentence *sentence, size_t first, size_t head)
{
	size_t markers = first + sentence->n_text;
	size_t end = markers + sentence->n_groups * sentence->group_size;
	Queries queries = {.layer = layer,
					   .head = head,
					   .text = first,
					   .n_text = sentence->n_text,
					   .first = mren_read_before(&pass->rows, first),
					   .markers = markers};

	pack_head(pass, first, sentence->n_text, head);
	queries.n = mren_read_before(&pass->rows, markers) - queries.first;
	/* A text that is remembered has rows in the last layer alone. */
	if (pass->first == 0 || pass->rows.tokens != NULL)
		attend_all(pass, &queries);
	queries.first += queries.n;
	queries.n = mren_read_before(&pass->rows, end) - queries.first;
	queries.group_size = sentence->group_size;
	attend_all(pass, &queries);
}

void
mren_self_attention(MrenTransformerPass *pass, const MrenTransformerLayer *layer)
{
	size_t first = 0;

	for (size_t s = 0; s < pass->batch->n_sentences && !pass->run.work.stopped; s++)
	{
		const MrenTransformerSentence *sentence = &pass->batch->sentences[s];

		for (size_t head = 0; head < pass->encoder->config.heads; head++)
			attend_sentence(pass, layer, sentence, first, head);
		first += sentence->n_text + sentence->n_groups * sentence->group_size;
	}
}
