/*
 * encoder.c
 *	  The forward pass of a pretrained encoder.
 */
#include "transformer/encoder_parts.h"

#include <math.h>
#include <string.h>

#include "nn/arena.h"

/* Rows of a product between two checks for interrupts. */
#define ROWS_AT_ONCE 32

void
mren_transformer_dense(MrenWork *work, const MrenTransformerDense *layer, const float *in, size_t n,
					   float *out)
{
	size_t ldi = layer->dense.in;
	size_t ldo = layer->dense.out;

	for (size_t i = 0; i < n && !work->stopped; i += ROWS_AT_ONCE)
	{
		size_t rows = n - i < ROWS_AT_ONCE ? n - i : ROWS_AT_ONCE;

		mren_dense_infer(&layer->dense, in + i * ldi, ldi, rows, out + i * ldo, ldo);
		mren_work_add(work, rows * ldi * ldo);
	}
}

void
mren_transformer_norm(float *rows, size_t n, size_t m, const MrenTransformerNorm *norm, float eps)
{
	for (size_t i = 0; i < n; i++)
	{
		float *row = rows + i * m;
		double mean = 0;
		double variance = 0;
		float inverse;

		for (size_t j = 0; j < m; j++)
			mean += row[j];
		mean /= (double) m;
		for (size_t j = 0; j < m; j++)
			variance += (row[j] - mean) * (row[j] - mean);
		inverse = (float) (1 / sqrt(variance / (double) m + (double) eps));
		for (size_t j = 0; j < m; j++)
			row[j] = (row[j] - (float) mean) * inverse * norm->weight[j] + norm->bias[j];
	}
}

static void
activate(float *x, size_t n, MrenTransformerActivation activation)
{
	switch (activation)
	{
		case MREN_TRANSFORMER_GELU:
			for (size_t i = 0; i < n; i++)
				x[i] = 0.5f * x[i] * (1 + erff(x[i] * 0.70710678f));
			break;
		case MREN_TRANSFORMER_GELU_TANH:
			for (size_t i = 0; i < n; i++)
				x[i] = 0.5f * x[i] *
					   (1 + tanhf(0.79788456f * (x[i] + 0.044715f * x[i] * x[i] * x[i])));
			break;
		case MREN_TRANSFORMER_RELU:
			mren_relu(x, n);
			break;
	}
}

static MrenStatus
check_token(const MrenTransformerConfig *config, const MrenTransformerBatch *batch, size_t i,
			MrenError *err)
{
	if (batch->ids[i] < 0 || (size_t) batch->ids[i] >= config->vocabulary)
		return mren_fail(err, MREN_EDATA, "piece %d is not in the vocabulary of %zu pieces",
						 (int) batch->ids[i], config->vocabulary);
	if (batch->positions[i] >= mren_transformer_max_tokens(config))
		return mren_fail(err, MREN_EDATA, "position %u must be less than %zu",
						 (unsigned) batch->positions[i], mren_transformer_max_tokens(config));
	if (batch->types != NULL && batch->types[i] > 0 && batch->types[i] >= config->token_types)
		return mren_fail(err, MREN_EDATA, "token type %d must be less than %zu",
						 (int) batch->types[i], config->token_types);
	return MREN_OK;
}

MrenStatus
mren_transformer_check_batch(const MrenTransformerConfig *config, const MrenTransformerBatch *batch,
							 size_t *most_keys, MrenError *err)
{
	size_t left = batch->n_tokens;

	*most_keys = 0;
	for (size_t s = 0; s < batch->n_sentences; s++)
	{
		const MrenTransformerSentence *sentence = &batch->sentences[s];
		size_t group = sentence->n_groups == 0 ? 0 : sentence->group_size;

		if (sentence->n_text == 0 || sentence->n_text > left ||
			(group > 0 && sentence->n_groups > (left - sentence->n_text) / group))
			return mren_fail(err, MREN_EDATA, "sentences must have %zu tokens together",
							 batch->n_tokens);
		left -= sentence->n_text + sentence->n_groups * group;
		if (sentence->n_text + group > *most_keys)
			*most_keys = sentence->n_text + group;
	}
	if (left > 0)
		return mren_fail(err, MREN_EDATA, "sentences must have %zu tokens together",
						 batch->n_tokens);
	for (size_t i = 0; i < batch->n_tokens; i++)
		MREN_TRY(check_token(config, batch, i, err));
	return MREN_OK;
}

/* x (n, width) = the embeddings of the batch's tokens. */
static void
embed(MrenTransformerPass *pass, float *x)
{
	const MrenTransformer *encoder = pass->encoder;
	const MrenTransformerConfig *config = &encoder->config;
	const MrenTransformerBatch *batch = pass->batch;
	bool project = encoder->project.memory != NULL;
	bool norm_first = config->architecture != MREN_TRANSFORMER_DEBERTA;
	size_t m = config->embedding_width;
	float *rows = project ? pass->sum : x;

	for (size_t i = 0; i < batch->n_tokens; i++)
	{
		size_t type = batch->types == NULL ? 0 : batch->types[i];

		memcpy(rows + i * m, encoder->word + (size_t) batch->ids[i] * m, m * sizeof(float));
		if (encoder->position != NULL)
			mren_axpy(rows + i * m,
					  encoder->position + (batch->positions[i] + config->position_offset) * m, 1,
					  m);
		if (encoder->token_type != NULL)
			mren_axpy(rows + i * m, encoder->token_type + type * m, 1, m);
	}
	if (norm_first)
		mren_transformer_norm(rows, batch->n_tokens, m, &encoder->embedding_norm, config->eps);
	if (project)
		mren_transformer_dense(&pass->work, &encoder->project, rows, batch->n_tokens, x);
	if (!norm_first)
		mren_transformer_norm(x, batch->n_tokens, config->width, &encoder->embedding_norm,
							  config->eps);
}

/* x (n, width) = norm(x + pass->sum) */
static void
add_and_norm(MrenTransformerPass *pass, float *x, const MrenTransformerNorm *norm)
{
	const MrenTransformerConfig *config = &pass->encoder->config;
	size_t n = pass->batch->n_tokens;

	mren_axpy(x, pass->sum, 1, n * config->width);
	mren_transformer_norm(x, n, config->width, norm, config->eps);
	mren_work_add(&pass->work, 4 * MREN_LOOP_WORK * n * config->width);
}

/* One layer, x (n, width) in place; Vaswani et al. 2017, with norms behind each half. */
static void
run_layer(MrenTransformerPass *pass, const MrenTransformerLayer *layer, float *x)
{
	const MrenTransformerConfig *config = &pass->encoder->config;
	size_t n = pass->batch->n_tokens;

	mren_transformer_dense(&pass->work, &layer->query, x, n, pass->query);
	mren_transformer_dense(&pass->work, &layer->key, x, n, pass->key);
	mren_transformer_dense(&pass->work, &layer->value, x, n, pass->value);
	mren_self_attention(pass, layer);
	mren_transformer_dense(&pass->work, &layer->context, pass->context, n, pass->sum);
	if (pass->work.stopped)
		return;
	add_and_norm(pass, x, &layer->attention_norm);
	mren_transformer_dense(&pass->work, &layer->intermediate, x, n, pass->intermediate);
	for (size_t i = 0; i < n && !pass->work.stopped; i++)
	{
		activate(pass->intermediate + i * config->intermediate, config->intermediate,
				 config->activation);
		mren_work_add(&pass->work, 4 * MREN_LOOP_WORK * config->intermediate);
	}
	mren_transformer_dense(&pass->work, &layer->output, pass->intermediate, n, pass->sum);
	if (!pass->work.stopped)
		add_and_norm(pass, x, &layer->norm);
}

MrenStatus
mren_transformer_forward(const MrenEnv *env, const MrenTransformer *encoder,
						 const MrenTransformerBatch *batch, float *out, MrenError *err)
{
	const MrenTransformerConfig *config = &encoder->config;
	MrenTransformerPass pass = {.encoder = encoder, .batch = batch, .work = {.env = env}};
	size_t n = batch->n_tokens;
	size_t wide = config->width > config->embedding_width ? config->width : config->embedding_width;
	size_t most_keys;
	float *memory;

	MREN_TRY(mren_transformer_check_batch(config, batch, &most_keys, err));
	if (n > SIZE_MAX / 64 / sizeof(float) / MREN_TRANSFORMER_MAX_WIDTH)
		return mren_fail_nomem(err);
	{
		MrenArenaBlock blocks[] = {
			{&pass.query, n * config->width},
			{&pass.key, n * config->width},
			{&pass.value, n * config->width},
			{&pass.context, n * config->width},
			{&pass.sum, n * wide},
			{&pass.intermediate, n * config->intermediate},
			{&pass.scores, most_keys},
			{&pass.keys, most_keys * (config->width / config->heads)},
		};

		MREN_TRY(mren_arena_create(env, blocks, sizeof(blocks) / sizeof(blocks[0]), &memory, err));
	}
	embed(&pass, out);
	for (size_t l = 0; l < config->layers && !pass.work.stopped; l++)
		run_layer(&pass, &encoder->layers[l], out);
	mren_release(env, memory);
	return pass.work.stopped ? mren_fail_canceled(err) : MREN_OK;
}
