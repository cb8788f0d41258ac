/*
 * transformer_reference.h
 *	  A plain encoder in double precision, written for reading: what the trainer's forward pass
 *	  and, by differences, its gradients are compared with.
 */
#ifndef MREN_TEST_TRANSFORMER_REFERENCE_H
#define MREN_TEST_TRANSFORMER_REFERENCE_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transformer/encoder_parts.h"
#include "transformer/train/train_parts.h"

#define REFERENCE_TOKENS 16 /* also rows of the relative embeddings */
#define REFERENCE_WIDTH 16
#define REFERENCE_TENSORS 64

typedef struct Reference
{
	MrenTransformerConfig config;
	const double *weights; /* in the order of mren_transformer_tensor */
	MrenTransformerBatch batch;
	MrenDropoutStream dropout; /* its seed */
	float hidden_dropout;
	float attention_dropout;
	size_t first; /* layer with dropout; 0: after the embeddings, too */
	char names[REFERENCE_TENSORS][MREN_TRANSFORMER_NAME_SIZE];
	size_t places[REFERENCE_TENSORS];
	size_t n;
} Reference;

typedef double Rows[REFERENCE_TOKENS][REFERENCE_WIDTH];

static void
reference_names(Reference *ref)
{
	MrenTransformerTensor tensor;
	size_t at = 0;

	for (ref->n = 0; mren_transformer_tensor(&ref->config, ref->n, &tensor); ref->n++)
	{
		if (ref->n == REFERENCE_TENSORS)
			abort();
		memcpy(ref->names[ref->n], tensor.name, sizeof(tensor.name));
		ref->places[ref->n] = at;
		at += tensor.rows * (tensor.columns == 0 ? 1 : tensor.columns);
	}
}

/* The tensor of a layer, or one before the layers if l is negative; NULL if there is none. */
static const double *
reference_tensor(const Reference *ref, int l, const char *name)
{
	char full[MREN_TRANSFORMER_NAME_SIZE];

	if (l < 0)
		snprintf(full, sizeof(full), "%s", name);
	else
		snprintf(full, sizeof(full), "layer.%d.%s", l, name);
	for (size_t i = 0; i < ref->n; i++)
	{
		if (strcmp(ref->names[i], full) == 0)
			return ref->weights + ref->places[i];
	}
	return NULL;
}

/* "name.weight" and "name.bias". */
static void
reference_pair(const Reference *ref, int l, const char *name, const double **weight,
			   const double **bias)
{
	char part[48];

	snprintf(part, sizeof(part), "%s.weight", name);
	*weight = reference_tensor(ref, l, part);
	snprintf(part, sizeof(part), "%s.bias", name);
	*bias = reference_tensor(ref, l, part);
}

/* out = n rows of `in` through a dense layer; out is not in. */
static void
reference_dense(const Reference *ref, int l, const char *name, Rows in, size_t n_in, Rows out,
				size_t n_out)
{
	const double *weight;
	const double *bias;

	reference_pair(ref, l, name, &weight, &bias);
	for (size_t t = 0; t < REFERENCE_TOKENS; t++)
	{
		for (size_t o = 0; o < n_out; o++)
		{
			out[t][o] = bias == NULL ? 0 : bias[o];
			for (size_t i = 0; i < n_in; i++)
				out[t][o] += weight[o * n_in + i] * in[t][i];
		}
	}
}

static void
reference_norm(const Reference *ref, int l, const char *name, Rows x, size_t m)
{
	const double *weight;
	const double *bias;

	reference_pair(ref, l, name, &weight, &bias);
	for (size_t t = 0; t < REFERENCE_TOKENS; t++)
	{
		double mean = 0;
		double variance = 0;

		for (size_t i = 0; i < m; i++)
			mean += x[t][i] / (double) m;
		for (size_t i = 0; i < m; i++)
			variance += (x[t][i] - mean) * (x[t][i] - mean) / (double) m;
		for (size_t i = 0; i < m; i++)
			x[t][i] =
				(x[t][i] - mean) / sqrt(variance + (double) ref->config.eps) * weight[i] + bias[i];
	}
}

/* Whether a layer computes a token's vector, and how many tokens before it have that. */
static bool
reference_reads(const Reference *ref, size_t l, size_t token)
{
	return ref->batch.read == NULL || l + 1 < ref->config.layers || ref->batch.read[token];
}

static size_t
reference_row(const Reference *ref, size_t l, size_t token)
{
	size_t row = 0;

	for (size_t i = 0; i < token; i++)
		row += reference_reads(ref, l, i);
	return row;
}

/* The mask of a place, n numbers; ones without dropout. */
static void
reference_mask(const Reference *ref, size_t l, MrenDropoutPlace place, size_t item, float *mask,
			   size_t n)
{
	MrenDropoutStream stream = ref->dropout;

	for (size_t i = 0; i < n; i++)
		mask[i] = 1;
	stream.layer = (uint32_t) l;
	stream.place = (uint32_t) place;
	stream.item = (uint32_t) item;
	stream.rate = place == MREN_DROPOUT_ATTENTION ? ref->attention_dropout : ref->hidden_dropout;
	if (stream.rate > 0 && l >= ref->first)
		mren_tuned_dropout(&stream, mask, mask, n);
}

static void
reference_drop(const Reference *ref, size_t l, MrenDropoutPlace place, Rows x)
{
	float mask[REFERENCE_TOKENS * REFERENCE_WIDTH] = {0};
	size_t width = ref->config.width;

	reference_mask(ref, l, place, 0, mask, reference_row(ref, l, ref->batch.n_tokens) * width);
	for (size_t i = 0; i < ref->batch.n_tokens; i++)
	{
		for (size_t j = 0; j < width; j++)
			x[i][j] *= (double) mask[reference_row(ref, l, i) * width + j];
	}
}

static void
reference_embed(const Reference *ref, Rows x)
{
	const MrenTransformerConfig *config = &ref->config;
	const double *word = reference_tensor(ref, -1, "embeddings.word");
	const double *position = reference_tensor(ref, -1, "embeddings.position");
	const double *type = reference_tensor(ref, -1, "embeddings.token_type");
	bool deberta = config->architecture == MREN_TRANSFORMER_DEBERTA;
	size_t m = config->embedding_width;
	Rows sum = {{0}};

	for (size_t t = 0; t < ref->batch.n_tokens; t++)
	{
		size_t place = ref->batch.positions[t] + config->position_offset;
		size_t of_type = ref->batch.types == NULL ? 0 : ref->batch.types[t];

		for (size_t j = 0; j < m; j++)
			sum[t][j] = word[(size_t) ref->batch.ids[t] * m + j] +
						(position == NULL ? 0 : position[place * m + j]) +
						(type == NULL ? 0 : type[of_type * m + j]);
	}
	if (!deberta)
		reference_norm(ref, -1, "embeddings.norm", sum, m);
	if (m == config->width)
		memcpy(x, sum, sizeof(sum));
	else
		reference_dense(ref, -1, "embeddings.project", sum, m, x, config->width);
	if (deberta)
		reference_norm(ref, -1, "embeddings.norm", x, config->width);
	if (ref->first == 0)
	{
		Reference all = *ref;

		all.batch.read = NULL;
		reference_drop(&all, 0, MREN_DROPOUT_EMBEDDINGS, x);
	}
}

/* The rows of a batch's sentence that a token attends to: its text, and its own group. */
static bool
reference_sees(const MrenTransformerSentence *sentence, size_t i, size_t j)
{
	if (j < sentence->n_text)
		return true;
	return i >= sentence->n_text && (i - sentence->n_text) / sentence->group_size ==
										(j - sentence->n_text) / sentence->group_size;
}

/* Which row of the relative embeddings or bias is meant. */
static size_t
reference_near(const Reference *ref, size_t query, size_t key)
{
	ptrdiff_t distance =
		(ptrdiff_t) ref->batch.positions[query] - (ptrdiff_t) ref->batch.positions[key];

	return ref->config.architecture == MREN_TRANSFORMER_DEBERTA
			   ? mren_distance_row(distance, &ref->config)
			   : mren_distance_bucket(-distance, ref->config.relative_buckets);
}

/* The relative embeddings, normed and after this layer's dropout, through its projections. */
static void
reference_relative(const Reference *ref, size_t l, Rows keys, Rows queries)
{
	size_t width = ref->config.width;
	size_t n = 2 * mren_transformer_relative_span(&ref->config);
	const double *rows = reference_tensor(ref, -1, "relative.embeddings");
	bool own_key = reference_tensor(ref, (int) l, "attention.position_key.weight") != NULL;
	bool own_query = reference_tensor(ref, (int) l, "attention.position_query.weight") != NULL;
	size_t least = SIZE_MAX;
	size_t most = 0;
	size_t first = 0;
	float mask[REFERENCE_TOKENS * REFERENCE_WIDTH];
	Rows x = {{0}};

	for (size_t s = 0; s < ref->batch.n_sentences; s++)
	{
		const MrenTransformerSentence *sentence = &ref->batch.sentences[s];
		size_t rows_of = sentence->n_text + sentence->n_groups * sentence->group_size;

		for (size_t i = 0; i < rows_of; i++)
		{
			for (size_t j = 0; j < rows_of; j++)
			{
				size_t near = reference_near(ref, first + i, first + j);

				if (!reference_sees(sentence, i, j))
					continue;
				least = near < least ? near : least;
				most = near > most ? near : most;
			}
		}
		first += rows_of;
	}
	reference_mask(ref, l, MREN_DROPOUT_RELATIVE, 0, mask, (most - least + 1) * width);
	for (size_t r = 0; r < n; r++)
		memcpy(x[r], rows + r * width, width * sizeof(double));
	if (ref->config.relative_norm)
		reference_norm(ref, -1, "relative.norm", x, width);
	for (size_t i = 0; i < (most - least + 1) * width; i++)
		x[least + i / width][i % width] *= (double) mask[i];
	reference_dense(ref, (int) l, own_key ? "attention.position_key" : "attention.key", x, width,
					keys, width);
	reference_dense(ref, (int) l, own_query ? "attention.position_query" : "attention.query", x,
					width, queries, width);
}

/* What attention in a layer reads. */
typedef struct ReferenceAttention
{
	Rows q;
	Rows k;
	Rows v;
	Rows relative_keys;
	Rows relative_queries;
	const double *bias; /* MPNet */
} ReferenceAttention;

/* What a query and a key have in a head, before softmax. */
static double
reference_score(const Reference *ref, const ReferenceAttention *a, size_t head, size_t query,
				size_t key)
{
	const MrenTransformerConfig *config = &ref->config;
	size_t size = config->width / config->heads;
	size_t near = mren_tuned_has_distances(config) ? reference_near(ref, query, key) : 0;
	double score = 0;
	double parts = 1;

	if (config->architecture == MREN_TRANSFORMER_DEBERTA)
		parts += (config->content_to_position ? 1 : 0) + (config->position_to_content ? 1 : 0);
	for (size_t d = head * size; d < (head + 1) * size; d++)
	{
		score += a->q[query][d] * a->k[key][d];
		if (config->content_to_position)
			score += a->q[query][d] * a->relative_keys[near][d];
		if (config->position_to_content)
			score += a->k[key][d] * a->relative_queries[near][d];
	}
	score /= sqrt((double) size * parts);
	if (a->bias != NULL)
		score += a->bias[near * config->heads + head];
	return score;
}

/* The context of the tokens of sentence s, whose first token is `first`, in a head. */
static void
reference_attend(const Reference *ref, const ReferenceAttention *a, size_t l, size_t s,
				 size_t first, size_t head, Rows context)
{
	const MrenTransformerSentence *sentence = &ref->batch.sentences[s];
	size_t n = sentence->n_text + sentence->n_groups * sentence->group_size;
	size_t group = sentence->n_groups > 0 ? sentence->group_size : 0;
	size_t ld = (sentence->n_text + group + 7) / 8 * 8;
	size_t size = ref->config.width / ref->config.heads;
	float mask[REFERENCE_TOKENS * REFERENCE_TOKENS] = {0};

	reference_mask(ref, l, MREN_DROPOUT_ATTENTION, s * ref->config.heads + head, mask,
				   (reference_row(ref, l, first + n) - reference_row(ref, l, first)) * ld);
	for (size_t i = 0; i < n; i++)
	{
		double scores[REFERENCE_TOKENS] = {0};
		double sum = 0;
		size_t row = reference_row(ref, l, first + i) - reference_row(ref, l, first);

		for (size_t j = 0; j < n; j++)
		{
			if (reference_sees(sentence, i, j))
				scores[j] = exp(reference_score(ref, a, head, first + i, first + j));
			sum += scores[j];
		}
		for (size_t d = head * size; d < (head + 1) * size; d++)
		{
			context[first + i][d] = 0;
			for (size_t j = 0, column = 0; j < n; j++)
			{
				if (reference_sees(sentence, i, j))
					context[first + i][d] +=
						scores[j] / sum * (double) mask[row * ld + column++] * a->v[first + j][d];
			}
		}
	}
}

static double
reference_activate(MrenTransformerActivation activation, double x)
{
	if (activation == MREN_TRANSFORMER_RELU)
		return x > 0 ? x : 0;
	if (activation == MREN_TRANSFORMER_GELU_TANH)
		return 0.5 * x * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
	return 0.5 * x * (1 + erf(x / sqrt(2)));
}

static void
reference_add(Rows x, Rows y)
{
	for (size_t t = 0; t < REFERENCE_TOKENS; t++)
	{
		for (size_t j = 0; j < REFERENCE_WIDTH; j++)
			x[t][j] += y[t][j];
	}
}

static void
reference_layer(const Reference *ref, size_t l, Rows x)
{
	const MrenTransformerConfig *config = &ref->config;
	size_t width = config->width;
	size_t first = 0;
	ReferenceAttention a = {.bias = reference_tensor(ref, -1, "relative.bias")};
	Rows hidden = {{0}};
	Rows sum = {{0}};

	reference_dense(ref, (int) l, "attention.query", x, width, a.q, width);
	reference_dense(ref, (int) l, "attention.key", x, width, a.k, width);
	reference_dense(ref, (int) l, "attention.value", x, width, a.v, width);
	if (config->architecture == MREN_TRANSFORMER_DEBERTA)
		reference_relative(ref, l, a.relative_keys, a.relative_queries);
	for (size_t s = 0; s < ref->batch.n_sentences; s++)
	{
		const MrenTransformerSentence *sentence = &ref->batch.sentences[s];

		for (size_t head = 0; head < config->heads; head++)
			reference_attend(ref, &a, l, s, first, head, hidden);
		first += sentence->n_text + sentence->n_groups * sentence->group_size;
	}
	reference_dense(ref, (int) l, "attention.output", hidden, width, sum, width);
	if (config->architecture != MREN_TRANSFORMER_DISTILBERT)
		reference_drop(ref, l, MREN_DROPOUT_CONTEXT, sum);
	reference_add(x, sum);
	reference_norm(ref, (int) l, "attention.norm", x, width);
	reference_dense(ref, (int) l, "intermediate", x, width, hidden, config->intermediate);
	for (size_t i = 0; i < REFERENCE_TOKENS * config->intermediate; i++)
	{
		double *h = &hidden[i / config->intermediate][i % config->intermediate];

		*h = reference_activate(config->activation, *h);
	}
	reference_dense(ref, (int) l, "output", hidden, config->intermediate, sum, width);
	reference_drop(ref, l, MREN_DROPOUT_OUTPUT, sum);
	reference_add(x, sum);
	reference_norm(ref, (int) l, "norm", x, width);
}

static void
reference_forward(const Reference *ref, Rows x)
{
	memset(x, 0, sizeof(Rows));
	reference_embed(ref, x);
	for (size_t l = 0; l < ref->config.layers; l++)
		reference_layer(ref, l, x);
	for (size_t i = 0; i < ref->batch.n_tokens; i++)
	{
		if (!reference_reads(ref, ref->config.layers - 1, i))
			memset(x[i], 0, sizeof(x[i]));
	}
}

#endif
