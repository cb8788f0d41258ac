/*
 * train_layer.c
 *	  A layer of the encoder, forward and backward: attention, its output's norm, feed-forward,
 *	  and the norm of that (Vaswani et al. 2017; Devlin et al. 2019).
 */
#include "transformer/train/train_parts.h"

#include <string.h>

#include "nn/kernels.h"
#include "transformer/train/train_kernels.h"

static void
activate(MrenTransformerTrainer *trainer, float *y, const float *x, size_t n)
{
	switch (trainer->config.activation)
	{
		case MREN_TRANSFORMER_GELU:
			mren_tuned_gelu(y, x, n);
			break;
		case MREN_TRANSFORMER_GELU_TANH:
			mren_tuned_gelu_tanh(y, x, n);
			break;
		case MREN_TRANSFORMER_RELU:
			mren_tuned_relu(y, x, n);
			break;
	}
	mren_work_add(&trainer->work, 2 * MREN_LOOP_WORK * n);
}

static void
activate_backward(MrenTransformerTrainer *trainer, float *y, float *dy, const float *x, size_t n)
{
	switch (trainer->config.activation)
	{
		case MREN_TRANSFORMER_GELU:
			mren_tuned_gelu_backward(y, dy, x, n);
			break;
		case MREN_TRANSFORMER_GELU_TANH:
			mren_tuned_gelu_tanh_backward(y, dy, x, n);
			break;
		case MREN_TRANSFORMER_RELU:
			mren_tuned_relu_backward(y, dy, x, n);
			break;
	}
	mren_work_add(&trainer->work, 3 * MREN_LOOP_WORK * n);
}

/* DistilBERT alone has no dropout of what attention gives. */
static bool
drops_context(const MrenTransformerTrainer *trainer)
{
	return trainer->config.architecture != MREN_TRANSFORMER_DISTILBERT;
}

/* memory.sum (rows, width) = dropout of memory.sum, and x is added. */
static void
drop_and_add(MrenTransformerTrainer *trainer, size_t l, MrenDropoutPlace place, const float *x)
{
	MrenDropoutStream stream = mren_tuned_stream(trainer, l, place);
	size_t size = mren_tuned_rows(trainer, l).n * trainer->config.width;
	float *sum = trainer->memory.sum;

	if (stream.rate > 0 && (place == MREN_DROPOUT_OUTPUT || drops_context(trainer)))
		mren_tuned_dropout(&stream, sum, sum, size);
	mren_axpy(sum, x, 1, size);
	mren_work_add(&trainer->work, 2 * MREN_LOOP_WORK * size);
}

/* A projection of relative embeddings, or that of the words, which it shares where it has no own. */
static const MrenTunedDense *
own_or(const MrenTunedDense *own, const MrenTunedDense *shared)
{
	return own->weight.value != NULL ? own : shared;
}

/* The relative embeddings through the projections of a layer; DeBERTa. */
static void
project_relative(MrenTransformerTrainer *trainer, size_t l)
{
	const MrenTunedLayer *layer = &trainer->layers[l];
	MrenKeptLayer *kept = &trainer->kept[l];
	const MrenTunedDense *key = own_or(&layer->position_key, &layer->key);
	const MrenTunedDense *query = own_or(&layer->position_query, &layer->query);
	MrenDropoutStream stream = mren_tuned_stream(trainer, l, MREN_DROPOUT_RELATIVE);
	size_t n = trainer->near_max - trainer->near_min + 1;
	const float *rows = trainer->memory.relative;

	if (trainer->relative.value == NULL)
		return;
	if (stream.rate > 0)
	{
		mren_tuned_dropout(&stream, trainer->memory.drelative, rows, n * trainer->config.width);
		rows = trainer->memory.drelative;
	}
	if (trainer->config.content_to_position)
		mren_tuned_dense(trainer, key, rows, n, kept->relative_keys);
	if (trainer->config.position_to_content)
		mren_tuned_dense(trainer, query, rows, n, kept->relative_queries);
}

/* The rows of a layer's input x (n, width): x itself, or memory.some. */
static const float *
gather_rows(MrenTransformerTrainer *trainer, const MrenReadRows *rows, const float *x)
{
	if (rows->tokens == NULL)
		return x;
	mren_read_rows_gather(rows, x, trainer->config.width, trainer->memory.some);
	return trainer->memory.some;
}

void
mren_tuned_layer(MrenTransformerTrainer *trainer, size_t l, const float *x, float *y)
{
	const MrenTunedLayer *layer = &trainer->layers[l];
	MrenTunedMemory *memory = &trainer->memory;
	MrenKeptLayer *kept = &trainer->kept[l];
	MrenReadRows rows = mren_tuned_rows(trainer, l);
	size_t n = rows.n;
	size_t width = trainer->config.width;

	mren_tuned_dense(trainer, &layer->key, x, trainer->sizes.n, kept->key);
	mren_tuned_dense(trainer, &layer->value, x, trainer->sizes.n, kept->value);
	x = gather_rows(trainer, &rows, x);
	mren_tuned_dense(trainer, &layer->query, x, n, kept->query);
	project_relative(trainer, l);
	mren_tuned_attention(trainer, l);
	mren_tuned_dense(trainer, &layer->context, kept->context, n, memory->sum);
	if (trainer->work.stopped)
		return;
	drop_and_add(trainer, l, MREN_DROPOUT_CONTEXT, x);
	mren_tuned_norm(trainer, &layer->attention_norm, memory->sum, n, width, &kept->attention_norm,
					memory->middle);
	mren_tuned_dense(trainer, &layer->intermediate, memory->middle, n, kept->hidden);
	if (trainer->work.stopped)
		return;
	activate(trainer, memory->active, kept->hidden, n * trainer->config.intermediate);
	mren_tuned_dense(trainer, &layer->output, memory->active, n, memory->sum);
	if (trainer->work.stopped)
		return;
	drop_and_add(trainer, l, MREN_DROPOUT_OUTPUT, memory->middle);
	mren_tuned_norm(trainer, &layer->norm, memory->sum, n, width, &kept->norm, y);
	if (rows.tokens != NULL)
		mren_read_rows_spread(&rows, trainer->sizes.n, width, y);
}

/* What dropout made of a gradient: the gradient itself, or memory.sum. */
static const float *
drop_backward(MrenTransformerTrainer *trainer, size_t l, MrenDropoutPlace place, const float *dy)
{
	MrenDropoutStream stream = mren_tuned_stream(trainer, l, place);
	size_t size = mren_tuned_rows(trainer, l).n * trainer->config.width;

	if (stream.rate == 0 || (place == MREN_DROPOUT_CONTEXT && !drops_context(trainer)))
		return dy;
	mren_tuned_dropout(&stream, trainer->memory.sum, dy, size);
	mren_work_add(&trainer->work, 2 * MREN_LOOP_WORK * size);
	return trainer->memory.sum;
}

/* From the gradient of the layer's output, memory.dx, to memory.dsum, that of its middle. */
static void
feed_forward_backward(MrenTransformerTrainer *trainer, size_t l)
{
	const MrenTunedLayer *layer = &trainer->layers[l];
	MrenTunedMemory *memory = &trainer->memory;
	const MrenKeptLayer *kept = &trainer->kept[l];
	size_t n = mren_tuned_rows(trainer, l).n;
	const float *dout;

	mren_tuned_norm_backward(trainer, &layer->norm, &kept->norm, memory->dx, n,
							 trainer->config.width, memory->dsum);
	dout = drop_backward(trainer, l, MREN_DROPOUT_OUTPUT, memory->dsum);
	mren_tuned_dense_input(trainer, &layer->output, dout, n, false, memory->dactive);
	if (trainer->work.stopped)
		return;
	activate_backward(trainer, memory->active, memory->dactive, kept->hidden,
					  n * trainer->config.intermediate);
	mren_tuned_dense_weight(trainer, &layer->output, memory->active, dout, n);
	mren_tuned_norm_again(&layer->attention_norm, &kept->attention_norm, n, trainer->config.width,
						  memory->middle);
	mren_tuned_dense_weight(trainer, &layer->intermediate, memory->middle, memory->dactive, n);
	mren_tuned_dense_input(trainer, &layer->intermediate, memory->dactive, n, true, memory->dsum);
}

/* The gradients of the projections of relative embeddings, and memory.drelative_sum. */
static void
project_relative_backward(MrenTransformerTrainer *trainer, size_t l)
{
	const MrenTunedLayer *layer = &trainer->layers[l];
	MrenTunedMemory *memory = &trainer->memory;
	const MrenTunedDense *key = own_or(&layer->position_key, &layer->key);
	const MrenTunedDense *query = own_or(&layer->position_query, &layer->query);
	MrenDropoutStream stream = mren_tuned_stream(trainer, l, MREN_DROPOUT_RELATIVE);
	size_t n = trainer->near_max - trainer->near_min + 1;
	size_t size = n * trainer->config.width;
	const float *rows = memory->relative;

	if (stream.rate > 0)
	{
		mren_tuned_dropout(&stream, memory->drelative, rows, size);
		rows = memory->drelative;
	}
	if (trainer->config.content_to_position)
		mren_tuned_dense_weight(trainer, key, rows, memory->drelative_keys, n);
	if (trainer->config.position_to_content)
		mren_tuned_dense_weight(trainer, query, rows, memory->drelative_queries, n);
	if (trainer->relative.gradient == NULL)
		return;
	memset(memory->drelative, 0, size * sizeof(float));
	if (trainer->config.content_to_position)
		mren_tuned_dense_input(trainer, key, memory->drelative_keys, n, true, memory->drelative);
	if (trainer->config.position_to_content)
		mren_tuned_dense_input(trainer, query, memory->drelative_queries, n, true,
							   memory->drelative);
	if (stream.rate > 0)
		mren_tuned_dropout(&stream, memory->drelative, memory->drelative, size);
	mren_axpy(memory->drelative_sum, memory->drelative, 1, size);
}

void
mren_tuned_layer_backward(MrenTransformerTrainer *trainer, size_t l)
{
	const MrenTunedLayer *layer = &trainer->layers[l];
	MrenTunedMemory *memory = &trainer->memory;
	const MrenKeptLayer *kept = &trainer->kept[l];
	const float *x = trainer->inputs[l];
	MrenReadRows rows = mren_tuned_rows(trainer, l);
	size_t n = trainer->sizes.n;
	size_t width = trainer->config.width;
	const float *dout;

	if (rows.tokens != NULL)
		mren_read_rows_gather(&rows, memory->dx, width, memory->dx);
	feed_forward_backward(trainer, l);
	if (trainer->work.stopped)
		return;
	mren_tuned_norm_backward(trainer, &layer->attention_norm, &kept->attention_norm, memory->dsum,
							 rows.n, width, memory->dx);
	dout = drop_backward(trainer, l, MREN_DROPOUT_CONTEXT, memory->dx);
	mren_tuned_dense_weight(trainer, &layer->context, kept->context, dout, rows.n);
	mren_tuned_dense_input(trainer, &layer->context, dout, rows.n, false, memory->dcontext);
	mren_tuned_attention_backward(trainer, l);
	if (trainer->relative.value != NULL && !trainer->work.stopped)
		project_relative_backward(trainer, l);
	mren_tuned_dense_weight(trainer, &layer->query, gather_rows(trainer, &rows, x), memory->dquery,
							rows.n);
	mren_tuned_dense_weight(trainer, &layer->key, x, memory->dkey, n);
	mren_tuned_dense_weight(trainer, &layer->value, x, memory->dvalue, n);
	if (l == trainer->first && trainer->word.gradient == NULL)
		return;
	mren_tuned_dense_input(trainer, &layer->query, memory->dquery, rows.n, true, memory->dx);
	if (rows.tokens != NULL)
		mren_read_rows_spread(&rows, n, width, memory->dx);
	mren_tuned_dense_input(trainer, &layer->key, memory->dkey, n, true, memory->dx);
	mren_tuned_dense_input(trainer, &layer->value, memory->dvalue, n, true, memory->dx);
}
