/*
 * encoder.c
 *	  The forward pass of a pretrained encoder.
 *
 * All that a layer does after attention is done for some rows at a time, which stay in the
 * cache meanwhile.
 */
#include "transformer/encoder_parts.h"

#include <string.h>

#include "nn/arena.h"

MrenStatus
mren_transformer_run_open(const MrenEnv *env, const MrenTransformer *encoder,
						  MrenTransformerRun *run, MrenError *err)
{
	const MrenTransformerConfig *config = &encoder->config;
	size_t most = config->width > config->intermediate ? config->width : config->intermediate;
	size_t bytes;

	*run = (MrenTransformerRun){.work = {.env = env},
								.simd = mren_simd_find(MREN_CPU_BEST),
								.int8 = mren_int8_simd_find(MREN_CPU_BEST)};
	if (!encoder->int8)
		return MREN_OK;
	if (config->embedding_width > most)
		most = config->embedding_width;
	bytes = MREN_TRANSFORMER_ROWS * mren_int8_row_bytes(most);
	MREN_TRY(
		mren_allocate(env, bytes + MREN_TRANSFORMER_ROWS * sizeof(float), 1, &run->memory, err));
	run->rows.bytes = run->memory;
	run->rows.scale = (float *) (run->rows.bytes + bytes);
	return MREN_OK;
}

void
mren_transformer_run_close(const MrenEnv *env, MrenTransformerRun *run)
{
	mren_release(env, run->memory);
	run->memory = NULL;
}

/* At most MREN_TRANSFORMER_ROWS rows through one matrix. */
static void
multiply_rows(MrenTransformerRun *run, const float *in, size_t n, const MrenTransformerDense *layer,
			  float *out)
{
	if (layer->int8.packed != NULL)
		mren_int8_infer(run->int8, &layer->int8, &run->rows, n, out, layer->out);
	else
		mren_dense_run(run->simd, &layer->dense, in, layer->in, n, out, layer->out);
	mren_work_add(&run->work, n * layer->in * layer->out);
}

void
mren_transformer_multiply(MrenTransformerRun *run, const float *in, size_t n,
						  const MrenTransformerProduct *products, size_t n_products)
{
	size_t k = products[0].layer->in;
	size_t rows;

	for (size_t i = 0; i < n && !run->work.stopped; i += rows)
	{
		rows = mren_transformer_piece_rows(i, n);
		if (products[0].layer->int8.packed != NULL)
			mren_int8_rows(run->int8, in + i * k, k, rows, k, &run->rows);
		for (size_t p = 0; p < n_products; p++)
			multiply_rows(run, in + i * k, rows, products[p].layer,
						  products[p].out + i * products[p].layer->out);
	}
}

static void
multiply(MrenTransformerRun *run, const float *in, size_t n, const MrenTransformerDense *layer,
		 float *out)
{
	const MrenTransformerProduct product = {layer, out};

	mren_transformer_multiply(run, in, n, &product, 1);
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

/* rows (n, embedding_width) = the embeddings of n of the batch's tokens, from `first` on. */
static void
embed_rows(const MrenTransformerPass *pass, size_t first, size_t n, float *rows)
{
	const MrenTransformer *encoder = pass->encoder;
	const MrenTransformerConfig *config = &encoder->config;
	const MrenTransformerBatch *batch = pass->batch;
	size_t m = config->embedding_width;

	for (size_t i = first; i < first + n; i++, rows += m)
	{
		size_t type = batch->types == NULL ? 0 : batch->types[i];

		memcpy(rows, encoder->word + (size_t) batch->ids[i] * m, m * sizeof(float));
		if (encoder->position != NULL)
			mren_axpy(rows, encoder->position + (batch->positions[i] + config->position_offset) * m,
					  1, m);
		if (encoder->token_type != NULL)
			mren_axpy(rows, encoder->token_type + type * m, 1, m);
	}
}

/* x (n, width) = what the first layer reads. */
static void
embed(MrenTransformerPass *pass, float *x)
{
	const MrenTransformer *encoder = pass->encoder;
	const MrenTransformerConfig *config = &encoder->config;
	bool norm_first = config->architecture != MREN_TRANSFORMER_DEBERTA;
	size_t m = config->embedding_width;
	size_t width = config->width;
	size_t n = pass->batch->n_tokens;
	size_t rows;

	for (size_t i = pass->first; i < n && !pass->run.work.stopped; i += rows)
	{
		float *embedded = encoder->project.out > 0 ? pass->sum : x + i * width;

		rows = mren_transformer_piece_rows(i, n);
		embed_rows(pass, i, rows, embedded);
		if (norm_first)
			mren_layer_norm(embedded, NULL, rows, m, &encoder->embedding_norm);
		if (encoder->project.out > 0)
			multiply(&pass->run, embedded, rows, &encoder->project, x + i * width);
		if (!norm_first)
			mren_layer_norm(x + i * width, NULL, rows, width, &encoder->embedding_norm);
		mren_work_add(&pass->run.work, 4 * MREN_LOOP_WORK * rows * m);
	}
}

/* What follows attention, for n rows: x (n, width) in place, context (n, width). */
static void
feed_forward(MrenTransformerPass *pass, const MrenTransformerLayer *layer, const float *context,
			 size_t n, float *x)
{
	size_t width = pass->encoder->config.width;
	MrenTransformerRun *run = &pass->run;

	multiply(run, context, n, &layer->context, pass->sum);
	mren_layer_norm(x, pass->sum, n, width, &layer->attention_norm);
	multiply(run, x, n, &layer->intermediate, pass->intermediate);
	multiply(run, pass->intermediate, n, &layer->output, pass->sum);
	mren_layer_norm(x, pass->sum, n, width, &layer->norm);
	mren_work_add(&run->work,
				  4 * MREN_LOOP_WORK * n * (width + pass->encoder->config.intermediate));
}

/* Keys, values and, if they are wanted, queries of the tokens of x (n, width). */
static void
project_heads(MrenTransformerPass *pass, const MrenTransformerLayer *layer, const float *x,
			  bool queries)
{
	size_t at = pass->first * pass->encoder->config.width;
	const MrenTransformerProduct products[] = {
		{&layer->key, pass->key + at},
		{&layer->value, pass->value + at},
		{&layer->query, pass->query + at},
	};

	mren_transformer_multiply(&pass->run, x + at, pass->batch->n_tokens - pass->first, products,
							  queries ? 3 : 2);
}

/* Attention and what follows it, for the rows of x (rows, width) from `first` to `end`. */
static void
run_rows(MrenTransformerPass *pass, const MrenTransformerLayer *layer, size_t first, size_t end,
		 float *x)
{
	size_t width = pass->encoder->config.width;
	size_t rows;

	mren_self_attention(pass, layer);
	for (size_t i = first; i < end && !pass->run.work.stopped; i += rows)
	{
		rows = mren_transformer_piece_rows(i, end);
		feed_forward(pass, layer, pass->context + i * width, rows, x + i * width);
	}
}

/* Whether the last layer computes other rows than those before it. */
static bool
has_read_rows(const MrenTransformerPass *pass)
{
	return pass->batch->read != NULL || pass->first > 0;
}

/* The last layer of the tokens that are read. */
static void
run_last_layer(MrenTransformerPass *pass, const MrenTransformerLayer *layer, float *x)
{
	size_t width = pass->encoder->config.width;

	project_heads(pass, layer, x, false);
	pass->rows = pass->read;
	mren_read_rows_gather(&pass->rows, x, width, x);
	multiply(&pass->run, x, pass->rows.n, &layer->query, pass->query);
	run_rows(pass, layer, 0, pass->rows.n, x);
	mren_read_rows_spread(&pass->rows, pass->batch->n_tokens, width, x);
}

/* Layer number l, x (n, width) in place; Vaswani et al. 2017, with norms after each half. */
static void
run_layer(MrenTransformerPass *pass, size_t l, float *x)
{
	const MrenTransformerLayer *layer = &pass->encoder->layers[l];

	if (l + 1 == pass->encoder->config.layers && has_read_rows(pass))
	{
		run_last_layer(pass, layer, x);
		return;
	}
	project_heads(pass, layer, x, true);
	run_rows(pass, layer, pass->first, pass->batch->n_tokens, x);
}

/* All that a pass writes to. */
static MrenStatus
open_pass(const MrenEnv *env, MrenTransformerPass *pass, float **memory, MrenError *err)
{
	const MrenTransformerConfig *config = &pass->encoder->config;
	size_t n = pass->batch->n_tokens;
	size_t wide = config->width > config->embedding_width ? config->width : config->embedding_width;
	size_t size = mren_align_floats(config->width / config->heads);
	size_t n_read = has_read_rows(pass) ? n + 1 : 0;
	float *tokens;
	float *before;
	MrenArenaBlock blocks[] = {
		{&pass->query, n * config->width},
		{&pass->key, n * config->width},
		{&pass->value, n * config->width},
		{&pass->context, n * config->width},
		{&pass->sum, MREN_TRANSFORMER_ROWS * wide},
		{&pass->intermediate, MREN_TRANSFORMER_ROWS * config->intermediate},
		{&pass->scores, MREN_TRANSFORMER_ROWS * pass->most_keys},
		{&pass->keys, pass->most_keys * size},
		{&pass->values, pass->most_keys * size},
		{&pass->zeros, pass->most_keys + size},
		{&tokens, n_read},
		{&before, n_read},
	};

	MREN_TRY(mren_arena_create(env, blocks, sizeof(blocks) / sizeof(blocks[0]), memory, err));
	pass->read.tokens = (uint32_t *) (void *) tokens;
	pass->read.before = (uint32_t *) (void *) before;
	if (n_read > 0)
		mren_read_rows_fill(&pass->read, pass->batch);
	return mren_transformer_run_open(env, pass->encoder, &pass->run, err);
}

/* The keys, or else the values, of the text in a layer. */
static float *
remembered(const MrenTransformerPass *pass, const MrenTransformerMemory *memory, size_t layer,
		   bool values)
{
	return memory->rows +
		   (2 * layer + (values ? 1 : 0)) * memory->n_text * pass->encoder->config.width;
}

static void
forward(MrenTransformerPass *pass, float *out)
{
	embed(pass, out);
	for (size_t l = 0; l < pass->encoder->config.layers && !pass->run.work.stopped; l++)
		run_layer(pass, l, out);
}

/* The same, with the last sentence's text remembered. */
static void
remember(MrenTransformerPass *pass, MrenTransformerMemory *memory, float *out)
{
	const MrenTransformerBatch *batch = pass->batch;
	const MrenTransformerSentence *last = &batch->sentences[batch->n_sentences - 1];
	size_t n_last = last->n_text + last->n_groups * last->group_size;
	size_t at = (batch->n_tokens - n_last) * pass->encoder->config.width;
	size_t size = memory->n_text * pass->encoder->config.width * sizeof(float);
	size_t layers = pass->encoder->config.layers;

	embed(pass, out);
	for (size_t l = 0; l < layers && !pass->run.work.stopped; l++)
	{
		if (l + 1 == layers)
			memcpy(memory->text, out + at, size);
		run_layer(pass, l, out);
		memcpy(remembered(pass, memory, l, false), pass->key + at, size);
		memcpy(remembered(pass, memory, l, true), pass->value + at, size);
	}
}

/* The same of the markers alone, after a text that is remembered. */
static void
recall(MrenTransformerPass *pass, const MrenTransformerMemory *memory, float *out)
{
	size_t size = memory->n_text * pass->encoder->config.width * sizeof(float);
	size_t layers = pass->encoder->config.layers;

	embed(pass, out);
	for (size_t l = 0; l < layers && !pass->run.work.stopped; l++)
	{
		memcpy(pass->key, remembered(pass, memory, l, false), size);
		memcpy(pass->value, remembered(pass, memory, l, true), size);
		if (l + 1 == layers)
			memcpy(out, memory->text, size);
		run_layer(pass, l, out);
	}
}

/* Checks the batch and opens what the pass writes to; close_pass follows in any case. */
static MrenStatus
begin_pass(const MrenEnv *env, MrenTransformerPass *pass, float **memory, MrenError *err)
{
	const MrenTransformerBatch *batch = pass->batch;

	MREN_TRY(mren_transformer_check_batch(&pass->encoder->config, batch, &pass->most_keys, err));
	if (batch->n_tokens > SIZE_MAX / 256 / sizeof(float) / MREN_TRANSFORMER_MAX_WIDTH)
		return mren_fail_nomem(err);
	pass->most_keys = mren_align_floats(pass->most_keys);
	return open_pass(env, pass, memory, err);
}

static MrenStatus
close_pass(const MrenEnv *env, MrenTransformerPass *pass, float *memory, MrenStatus status,
		   MrenError *err)
{
	if (status == MREN_OK && pass->run.work.stopped)
		status = mren_fail_canceled(err);
	mren_transformer_run_close(env, &pass->run);
	mren_release(env, memory);
	return status;
}

MrenStatus
mren_transformer_forward(const MrenEnv *env, const MrenTransformer *encoder,
						 const MrenTransformerBatch *batch, float *out, MrenError *err)
{
	MrenTransformerPass pass = {.encoder = encoder, .batch = batch};
	float *memory = NULL;
	MrenStatus status = begin_pass(env, &pass, &memory, err);

	if (status == MREN_OK)
		forward(&pass, out);
	return close_pass(env, &pass, memory, status, err);
}

static MrenStatus
allocate_memory(const MrenEnv *env, const MrenTransformer *encoder, size_t n_text,
				MrenTransformerMemory **memory, MrenError *err)
{
	MrenStatus status;

	MREN_TRY(mren_allocate_zero(env, 1, sizeof(**memory), memory, err));
	(*memory)->n_text = n_text;
	status = mren_allocate(env, (2 * encoder->config.layers + 1) * n_text,
						   encoder->config.width * sizeof(float), &(*memory)->rows, err);
	if (status != MREN_OK)
	{
		mren_transformer_forget(env, *memory);
		*memory = NULL;
		return status;
	}
	(*memory)->text = (*memory)->rows + 2 * encoder->config.layers * n_text * encoder->config.width;
	return MREN_OK;
}

MrenStatus
mren_transformer_remember(const MrenEnv *env, const MrenTransformer *encoder,
						  const MrenTransformerBatch *batch, float *out,
						  MrenTransformerMemory **memory, MrenError *err)
{
	MrenTransformerPass pass = {.encoder = encoder, .batch = batch};
	float *arena = NULL;
	MrenStatus status;

	*memory = NULL;
	if (batch->n_sentences == 0)
		return mren_fail(err, MREN_EDATA, "there is no sentence to remember");
	status = begin_pass(env, &pass, &arena, err);
	if (status == MREN_OK)
		status = allocate_memory(env, encoder, batch->sentences[batch->n_sentences - 1].n_text,
								 memory, err);
	if (status == MREN_OK)
		remember(&pass, *memory, out);
	status = close_pass(env, &pass, arena, status, err);
	if (status != MREN_OK)
	{
		mren_transformer_forget(env, *memory);
		*memory = NULL;
	}
	return status;
}

void
mren_transformer_forget(const MrenEnv *env, MrenTransformerMemory *memory)
{
	if (memory == NULL)
		return;
	mren_release(env, memory->rows);
	mren_release(env, memory);
}

MrenStatus
mren_transformer_markers(const MrenEnv *env, const MrenTransformer *encoder,
						 const MrenTransformerBatch *batch, const MrenTransformerMemory *memory,
						 float *out, MrenError *err)
{
	MrenTransformerPass pass = {.encoder = encoder, .batch = batch, .first = memory->n_text};
	float *arena = NULL;
	MrenStatus status;

	if (batch->n_sentences != 1 || batch->sentences[0].n_text != memory->n_text)
		return mren_fail(err, MREN_EDATA, "a sentence of another length is remembered");
	status = begin_pass(env, &pass, &arena, err);
	if (status == MREN_OK)
		recall(&pass, memory, out);
	return close_pass(env, &pass, arena, status, err);
}
