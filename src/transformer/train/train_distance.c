/*
 * train_distance.c
 *	  What scores of attention owe to the distance of two tokens: MPNet's bias (Raffel et al.
 *	  2020) and DeBERTa's disentangled terms (He et al. 2021).
 *
 * DeBERTa's products of all tokens with all rows of the relative embeddings that a sentence uses
 * are made at once, and each score picks one of them.
 */
#include "transformer/train/train_parts.h"

#include <string.h>

#include "nn/kernels.h"

/* One head of one sentence, and a matrix (near rows, width) of the relative embeddings. */
typedef struct Distances
{
	MrenTransformerTrainer *trainer;
	const MrenTunedSentence *sentence;
	const uint32_t *near; /* (n, ld) */
	MrenReadRows rows;	  /* of the layer */
	size_t first_row;	  /* of the sentence */
	size_t n_rows;		  /* the same */
	size_t at;			  /* place of the head in (n, width) */
	size_t row_at;		  /* its place in (rows, width) */
	size_t relative_at;	  /* its place, in the first row used, in (near rows, width) */
	size_t n_near;		  /* rows that the sentence uses */
	size_t size;		  /* of the head */
	bool of_keys;		  /* rows stand for keys, p2c; otherwise for queries, c2p */
} Distances;

static Distances
make_distances(MrenTransformerTrainer *trainer, size_t l, const MrenTunedSentence *sentence,
			   size_t head)
{
	size_t width = trainer->config.width;
	size_t size = width / trainer->config.heads;
	MrenReadRows rows = mren_tuned_rows(trainer, l);
	size_t first = mren_read_before(&rows, sentence->first);

	return (Distances){.trainer = trainer,
					   .sentence = sentence,
					   .near = trainer->memory.near + sentence->near,
					   .rows = rows,
					   .first_row = first,
					   .n_rows = mren_read_before(&rows, sentence->first + sentence->n) - first,
					   .at = sentence->first * width + head * size,
					   .row_at = first * width + head * size,
					   .relative_at =
						   (sentence->near_min - trainer->near_min) * width + head * size,
					   .n_near = sentence->near_max - sentence->near_min + 1,
					   .size = size};
}

/* The token of row i, from the beginning of the sentence. */
static size_t
token_of(const Distances *d, size_t i)
{
	return mren_read_token(&d->rows, d->first_row + i) - d->sentence->first;
}

/* The place in memory.distance that the score of row i, of this token, and key j picks. */
static size_t
picked(const Distances *d, size_t i, size_t token, size_t j)
{
	size_t row = d->of_keys ? mren_tuned_key(d->sentence, token, j) : i;

	return row * d->n_near + d->near[token * d->sentence->ld + j] - d->sentence->near_min;
}

/* Rows of memory.distance, and the place of the head in what they are made of. */
static size_t
distance_rows(const Distances *d)
{
	return d->of_keys ? d->sentence->n : d->n_rows;
}

static size_t
distance_at(const Distances *d)
{
	return d->of_keys ? d->at : d->row_at;
}

/*
 * memory.distance (…, n_near) = scale * queries or keys (…, width) * relative (near rows, width)'
 */
static void
multiply_relative(const Distances *d, const float *tokens, const float *relative)
{
	size_t width = d->trainer->config.width;
	const MrenProduct product = {.trans_b = true,
								 .m = distance_rows(d),
								 .n = d->n_near,
								 .k = d->size,
								 .a = tokens + distance_at(d),
								 .lda = width,
								 .b = relative + d->relative_at,
								 .ldb = width,
								 .c = d->trainer->memory.distance,
								 .ldc = d->n_near};

	mren_gemm(mren_tuned_score_scale(&d->trainer->config), &product);
	mren_work_add(&d->trainer->work, product.m * product.n * product.k);
}

static void
add_disentangled(const Distances *d, const float *tokens, const float *relative, float *scores)
{
	const MrenTunedSentence *sentence = d->sentence;

	multiply_relative(d, tokens, relative);
	for (size_t i = 0; i < d->n_rows; i++)
	{
		size_t token = token_of(d, i);

		for (size_t j = 0; j < mren_tuned_n_keys(sentence, token); j++)
			scores[i * sentence->ld + j] += d->trainer->memory.distance[picked(d, i, token, j)];
	}
}

void
mren_tuned_distances(MrenTransformerTrainer *trainer, size_t l, const MrenTunedSentence *sentence,
					 size_t head, float *scores)
{
	const MrenTransformerConfig *config = &trainer->config;
	const MrenKeptLayer *kept = &trainer->kept[l];
	Distances d;

	if (!mren_tuned_has_distances(config))
		return;
	d = make_distances(trainer, l, sentence, head);
	if (config->architecture == MREN_TRANSFORMER_MPNET)
	{
		for (size_t i = 0; i < d.n_rows; i++)
		{
			size_t token = token_of(&d, i);

			for (size_t j = 0; j < mren_tuned_n_keys(sentence, token); j++)
				scores[i * sentence->ld + j] +=
					trainer->relative_bias
						.value[d.near[token * sentence->ld + j] * config->heads + head];
		}
		return;
	}
	if (config->content_to_position)
		add_disentangled(&d, kept->query, kept->relative_keys, scores);
	d.of_keys = true;
	if (config->position_to_content)
		add_disentangled(&d, kept->key, kept->relative_queries, scores);
}

/*
 * With g (…, n_near) = the gradients of memory.distance: dtokens += scale * g * relative and
 * drelative += scale * g' * tokens, which are queries or keys.
 */
static void
add_disentangled_backward(const Distances *d, const float *tokens, const float *relative,
						  float *dtokens, float *drelative)
{
	const MrenTunedSentence *sentence = d->sentence;
	float *g = d->trainer->memory.distance;
	const float *dscores = d->trainer->memory.dscores;
	float scale = mren_tuned_score_scale(&d->trainer->config);
	size_t width = d->trainer->config.width;
	size_t rows = distance_rows(d);
	MrenProduct product = {.m = rows,
						   .n = d->size,
						   .k = d->n_near,
						   .a = g,
						   .lda = d->n_near,
						   .b = relative + d->relative_at,
						   .ldb = width,
						   .beta = 1,
						   .c = dtokens + distance_at(d),
						   .ldc = width};

	memset(g, 0, rows * d->n_near * sizeof(float));
	for (size_t i = 0; i < d->n_rows; i++)
	{
		size_t token = token_of(d, i);

		for (size_t j = 0; j < mren_tuned_n_keys(sentence, token); j++)
			g[picked(d, i, token, j)] += dscores[i * sentence->ld + j];
	}
	mren_gemm(scale, &product);
	product.trans_a = true;
	product.m = d->n_near;
	product.k = rows;
	product.b = tokens + distance_at(d);
	product.c = drelative + d->relative_at;
	mren_gemm(scale, &product);
	mren_work_add(&d->trainer->work, 2 * rows * d->n_near * d->size);
}

static void
bias_backward(const Distances *d, size_t head)
{
	const MrenTunedSentence *sentence = d->sentence;
	float *gradient = d->trainer->relative_bias.gradient;
	const float *dscores = d->trainer->memory.dscores;

	for (size_t i = 0; i < d->n_rows; i++)
	{
		size_t token = token_of(d, i);

		for (size_t j = 0; j < mren_tuned_n_keys(sentence, token); j++)
			gradient[d->near[token * sentence->ld + j] * d->trainer->config.heads + head] +=
				dscores[i * sentence->ld + j];
	}
}

void
mren_tuned_distances_backward(MrenTransformerTrainer *trainer, size_t l,
							  const MrenTunedSentence *sentence, size_t head)
{
	const MrenTransformerConfig *config = &trainer->config;
	const MrenKeptLayer *kept = &trainer->kept[l];
	MrenTunedMemory *memory = &trainer->memory;
	Distances d;

	if (!mren_tuned_has_distances(config))
		return;
	d = make_distances(trainer, l, sentence, head);
	if (config->architecture == MREN_TRANSFORMER_MPNET)
	{
		if (trainer->relative_bias.gradient != NULL)
			bias_backward(&d, head);
		return;
	}
	if (config->content_to_position)
		add_disentangled_backward(&d, kept->query, kept->relative_keys, memory->dquery,
								  memory->drelative_keys);
	d.of_keys = true;
	if (config->position_to_content)
		add_disentangled_backward(&d, kept->key, kept->relative_queries, memory->dkey,
								  memory->drelative_queries);
}
