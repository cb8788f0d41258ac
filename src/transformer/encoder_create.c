/*
 * encoder_create.c
 *	  Building an encoder from its weights, in one of three forms.
 *
 * Whatever is computed for it are weights in the sense of weights.h: where they are ready,
 * only the structures that point to them are made.
 */
#include "transformer/encoder_parts.h"

#include <string.h>

#include "base/weights.h"
#include "nn/arena.h"

/* How an encoder holds its weights. */
typedef enum Form
{
	COPIED,	  /* matrices are copied, the rest is used in place */
	IN_PLACE, /* matrices are packed where they are */
	INT8,	  /* everything is copied, matrices as bytes */
} Form;

/* The next tensor in the order of mren_transformer_tensor. */
typedef struct Cursor
{
	const MrenEnv *env;
	const MrenTransformerConfig *config;
	Form form;
	size_t i;
	size_t at;			  /* floats before the next tensor */
	const float *weights; /* the first tensor; NULL where nothing is read of them */
	float *writable;	  /* the same, where matrices are packed in place */
	float *vectors;		  /* where the next vector or table is copied to; NULL: used in place */
	float *panel;		  /* room for a panel of any matrix, where they are packed in place */
} Cursor;

static size_t
tensor_size(const MrenTransformerTensor *tensor)
{
	return tensor->rows * (tensor->columns == 0 ? 1 : tensor->columns);
}

static bool
ends_with(const char *name, const char *suffix)
{
	size_t n = strlen(name);

	return n >= strlen(suffix) && strcmp(name + n - strlen(suffix), suffix) == 0;
}

/* The next tensor and its floats before it, if its name ends so; otherwise it remains the next. */
static bool
take(Cursor *cursor, const char *suffix, MrenTransformerTensor *tensor, size_t *at)
{
	if (!mren_transformer_tensor(cursor->config, cursor->i, tensor) ||
		!ends_with(tensor->name, suffix))
		return false;
	*at = cursor->at;
	cursor->i++;
	cursor->at += tensor_size(tensor);
	return true;
}

static const float *
take_vector(Cursor *cursor, const char *suffix)
{
	MrenTransformerTensor tensor;
	float *copy = cursor->vectors;
	size_t at;

	if (!take(cursor, suffix, &tensor, &at))
		return NULL;
	if (copy == NULL)
		return cursor->weights + at;
	if (!mren_weights_ready(cursor->env))
		memcpy(copy, cursor->weights + at, tensor_size(&tensor) * sizeof(float));
	cursor->vectors += mren_align_floats(tensor_size(&tensor));
	return copy;
}

static void
take_norm(Cursor *cursor, const char *weight, const char *bias, MrenLayerNorm *norm)
{
	norm->weight = take_vector(cursor, weight);
	norm->bias = take_vector(cursor, bias);
	norm->eps = cursor->config->eps;
}

/* n floats after `to`, the bias or zeros, and zeros up to whole panels. */
static void
pad_bias(float *to, const float *bias, size_t n)
{
	memset(to, 0, mren_align_floats(n) * sizeof(float));
	if (bias != NULL)
		memcpy(to, bias, n * sizeof(float));
}

/* The matrix w (out, in) and its bias as floats in memory of their own. */
static MrenStatus
copy_dense(const Cursor *cursor, const float *w, const float *bias, MrenTransformerDense *layer,
		   MrenError *err)
{
	size_t n = mren_align_floats(mren_dense_packed_size(layer->in, layer->out));
	float *memory;
	bool filled;

	MREN_TRY(mren_allocate_weights(cursor->env, n + mren_align_floats(layer->out), sizeof(float),
								   &memory, &filled, err));
	layer->memory = memory;
	if (!filled)
	{
		mren_dense_pack_transposed(memory, w, layer->in, layer->out);
		pad_bias(memory + n, bias, layer->out);
	}
	layer->dense =
		(MrenPackedDense){.in = layer->in, .out = layer->out, .packed = memory, .bias = memory + n};
	return MREN_OK;
}

/* The same without copying, which needs whole panels and a bias. */
static void
pack_in_place(const Cursor *cursor, float *w, const float *bias, MrenTransformerDense *layer)
{
	for (size_t j = 0; j < layer->out && !mren_weights_ready(cursor->env); j += MREN_PANEL)
	{
		size_t n = layer->in * MREN_PANEL;

		memcpy(cursor->panel, w + j * layer->in, n * sizeof(float));
		mren_dense_pack_transposed(w + j * layer->in, cursor->panel, layer->in, MREN_PANEL);
	}
	layer->dense = (MrenPackedDense){.in = layer->in, .out = layer->out, .packed = w, .bias = bias};
}

/* The same as bytes. */
static MrenStatus
quantize_dense(const Cursor *cursor, const float *w, const float *bias, MrenTransformerDense *layer,
			   MrenError *err)
{
	size_t n = mren_int8_packed_size(layer->in, layer->out) / sizeof(float);
	size_t columns = mren_align_floats(layer->out);
	MrenInt8Weights weights;
	float *memory;
	bool filled;

	MREN_TRY(
		mren_allocate_weights(cursor->env, n + 3 * columns, sizeof(float), &memory, &filled, err));
	layer->memory = memory;
	weights.packed = (int8_t *) memory;
	weights.scale = memory + n;
	weights.sums = (int32_t *) (memory + n + columns);
	if (!filled)
	{
		mren_int8_pack_transposed(&weights, w, layer->in, layer->out);
		pad_bias(memory + n + 2 * columns, bias, layer->out);
	}
	layer->int8 = (MrenInt8Dense){.in = layer->in,
								  .out = layer->out,
								  .packed = weights.packed,
								  .scale = weights.scale,
								  .bias = memory + n + 2 * columns,
								  .sums = weights.sums};
	return MREN_OK;
}

/* Packs a matrix and its bias, if the encoder has them. */
static MrenStatus
take_dense(Cursor *cursor, const char *weight, const char *bias, MrenTransformerDense *layer,
		   MrenError *err)
{
	MrenTransformerTensor matrix;
	MrenTransformerTensor vector;
	const float *w;
	const float *b = NULL;
	size_t at;

	if (!take(cursor, weight, &matrix, &at))
		return MREN_OK;
	w = cursor->weights != NULL ? cursor->weights + at : NULL;
	if (take(cursor, bias, &vector, &at) && cursor->weights != NULL)
		b = cursor->weights + at;
	layer->in = matrix.columns;
	layer->out = matrix.rows;
	if (cursor->form == INT8)
		MREN_TRY(quantize_dense(cursor, w, b, layer, err));
	else if (cursor->form == IN_PLACE && b != NULL && layer->out % MREN_PANEL == 0)
		pack_in_place(cursor, cursor->writable + (w - cursor->weights), b, layer);
	else
		MREN_TRY(copy_dense(cursor, w, b, layer, err));
	return mren_check_interrupts(cursor->env, err);
}

static MrenDenseActivation
activation_of(MrenTransformerActivation activation)
{
	switch (activation)
	{
		case MREN_TRANSFORMER_GELU_TANH:
			return MREN_DENSE_GELU_TANH;
		case MREN_TRANSFORMER_RELU:
			return MREN_DENSE_RELU;
		default:
			return MREN_DENSE_GELU;
	}
}

static MrenStatus
take_layer(Cursor *cursor, MrenTransformerLayer *layer, MrenError *err)
{
	MREN_TRY(
		take_dense(cursor, "attention.query.weight", "attention.query.bias", &layer->query, err));
	MREN_TRY(take_dense(cursor, "attention.key.weight", "attention.key.bias", &layer->key, err));
	MREN_TRY(
		take_dense(cursor, "attention.value.weight", "attention.value.bias", &layer->value, err));
	MREN_TRY(take_dense(cursor, "attention.position_key.weight", "attention.position_key.bias",
						&layer->position_key, err));
	MREN_TRY(take_dense(cursor, "attention.position_query.weight", "attention.position_query.bias",
						&layer->position_query, err));
	MREN_TRY(take_dense(cursor, "attention.output.weight", "attention.output.bias", &layer->context,
						err));
	take_norm(cursor, "attention.norm.weight", "attention.norm.bias", &layer->attention_norm);
	MREN_TRY(
		take_dense(cursor, "intermediate.weight", "intermediate.bias", &layer->intermediate, err));
	layer->intermediate.dense.activation = layer->intermediate.int8.activation =
		activation_of(cursor->config->activation);
	MREN_TRY(take_dense(cursor, "output.weight", "output.bias", &layer->output, err));
	take_norm(cursor, "norm.weight", "norm.bias", &layer->norm);
	return MREN_OK;
}

/* rows (n, width) through a projection, which does not depend on the text. */
static MrenStatus
project_relative(MrenTransformerRun *run, const MrenTransformerDense *own,
				 const MrenTransformerDense *shared, const float *rows, size_t n, float **out,
				 MrenError *err)
{
	MrenTransformerProduct product = {own->out > 0 ? own : shared, NULL};
	bool filled;

	MREN_TRY(mren_allocate_weights(run->work.env, n * product.layer->out, sizeof(float), out,
								   &filled, err));
	if (filled)
		return MREN_OK;
	product.out = *out;
	mren_transformer_multiply(run, rows, n, &product, 1);
	return run->work.stopped ? mren_fail_canceled(err) : MREN_OK;
}

/* The relative embeddings through the projections of all layers. */
static MrenStatus
project_layers(MrenTransformerRun *run, MrenTransformer *encoder, const float *rows, size_t n,
			   MrenError *err)
{
	const MrenTransformerConfig *config = &encoder->config;

	for (size_t l = 0; l < config->layers; l++)
	{
		MrenTransformerLayer *layer = &encoder->layers[l];

		if (config->content_to_position)
			MREN_TRY(project_relative(run, &layer->position_key, &layer->key, rows, n,
									  &layer->relative_keys, err));
		if (config->position_to_content)
			MREN_TRY(project_relative(run, &layer->position_query, &layer->query, rows, n,
									  &layer->relative_queries, err));
	}
	return MREN_OK;
}

static MrenStatus
add_relative_embeddings(const MrenEnv *env, MrenTransformer *encoder, const float *embeddings,
						const MrenLayerNorm *norm, MrenError *err)
{
	const MrenTransformerConfig *config = &encoder->config;
	size_t n = 2 * mren_transformer_relative_span(config);
	MrenTransformerRun run = {0};
	MrenStatus status;
	float *rows;

	MREN_TRY(mren_allocate(env, n * config->width, sizeof(float), &rows, err));
	if (!mren_weights_ready(env))
		memcpy(rows, embeddings, n * config->width * sizeof(float));
	if (norm->weight != NULL && !mren_weights_ready(env))
		mren_layer_norm(rows, NULL, n, config->width, norm);
	status = mren_transformer_run_open(env, encoder, &run, err);
	if (status == MREN_OK)
		status = project_layers(&run, encoder, rows, n, err);
	mren_transformer_run_close(env, &run);
	mren_release(env, rows);
	return status;
}

/* Which row of the relative positions belongs to each distance, up to where they end. */
static MrenStatus
add_relative_rows(const MrenEnv *env, MrenTransformer *encoder, MrenError *err)
{
	const MrenTransformerConfig *config = &encoder->config;
	ptrdiff_t reach = (ptrdiff_t) mren_distance_reach(config);

	MREN_TRY(
		mren_allocate(env, (size_t) reach * 2 + 1, sizeof(uint32_t), &encoder->relative_rows, err));
	encoder->relative_reach = (size_t) reach;
	for (ptrdiff_t d = -reach; d <= reach; d++)
		encoder->relative_rows[d + reach] =
			(uint32_t) (config->architecture == MREN_TRANSFORMER_DEBERTA
							? mren_distance_row(d, config)
							: mren_distance_bucket(-d, config->relative_buckets));
	return MREN_OK;
}

static MrenStatus
fill(Cursor *cursor, MrenTransformer *encoder, MrenError *err)
{
	const float *relative;
	MrenLayerNorm relative_norm;

	encoder->word = take_vector(cursor, "embeddings.word");
	encoder->position = take_vector(cursor, "embeddings.position");
	encoder->token_type = take_vector(cursor, "embeddings.token_type");
	take_norm(cursor, "embeddings.norm.weight", "embeddings.norm.bias", &encoder->embedding_norm);
	MREN_TRY(take_dense(cursor, "embeddings.project.weight", "embeddings.project.bias",
						&encoder->project, err));
	encoder->relative_bias = take_vector(cursor, "relative.bias");
	relative = take_vector(cursor, "relative.embeddings");
	take_norm(cursor, "relative.norm.weight", "relative.norm.bias", &relative_norm);
	for (size_t l = 0; l < encoder->config.layers; l++)
		MREN_TRY(take_layer(cursor, &encoder->layers[l], err));
	if (relative != NULL || encoder->relative_bias != NULL)
		MREN_TRY(add_relative_rows(cursor->env, encoder, err));
	if (relative == NULL)
		return MREN_OK;
	return add_relative_embeddings(cursor->env, encoder, relative, &relative_norm, err);
}

/* Whether a tensor is a matrix that rows are multiplied with, or the bias of one. */
static bool
is_dense(const char *name)
{
	if (ends_with(name, "norm.weight") || ends_with(name, "norm.bias"))
		return false;
	return ends_with(name, ".weight") ||
		   (ends_with(name, ".bias") && !ends_with(name, "relative.bias"));
}

/* Floats of all tensors that are not, each beginning at a multiple of 16. */
static size_t
vectors_size(const MrenTransformerConfig *config)
{
	MrenTransformerTensor tensor;
	size_t n = 0;

	for (size_t i = 0; mren_transformer_tensor(config, i, &tensor); i++)
	{
		if (!is_dense(tensor.name))
			n += mren_align_floats(tensor_size(&tensor));
	}
	return n;
}

/* Memory that the form needs beside that of each matrix; *panel is needed only meanwhile. */
static MrenStatus
prepare(Cursor *cursor, MrenTransformer *encoder, MrenError *err)
{
	const MrenTransformerConfig *config = cursor->config;
	size_t most = config->width > config->intermediate ? config->width : config->intermediate;
	bool filled;

	if (config->embedding_width > most)
		most = config->embedding_width;
	if (cursor->form == IN_PLACE)
		return mren_allocate(cursor->env, most * MREN_PANEL, sizeof(float), &cursor->panel, err);
	if (cursor->form == COPIED)
		return MREN_OK;
	encoder->int8 = true;
	MREN_TRY(mren_allocate_weights(cursor->env, vectors_size(config), sizeof(float),
								   &encoder->vectors, &filled, err));
	cursor->vectors = encoder->vectors;
	return MREN_OK;
}

static MrenStatus
create(Cursor *cursor, MrenTransformer **encoder, MrenError *err)
{
	const MrenTransformerConfig *config = cursor->config;
	size_t size = sizeof(**encoder) + config->layers * sizeof((*encoder)->layers[0]);
	MrenStatus status;

	*encoder = NULL;
	MREN_TRY(mren_allocate_zero(cursor->env, 1, size, encoder, err));
	(*encoder)->config = *config;
	status = prepare(cursor, *encoder, err);
	if (status == MREN_OK)
		status = fill(cursor, *encoder, err);
	mren_release(cursor->env, cursor->panel);
	if (status != MREN_OK)
	{
		mren_transformer_free(cursor->env, *encoder);
		*encoder = NULL;
	}
	return status;
}

MrenStatus
mren_transformer_create(const MrenEnv *env, const MrenTransformerConfig *config,
						const float *weights, MrenTransformer **encoder, MrenError *err)
{
	Cursor cursor = {.env = env, .config = config, .form = COPIED, .weights = weights};

	return create(&cursor, encoder, err);
}

MrenStatus
mren_transformer_room(const MrenEnv *env, const MrenTransformerConfig *config, bool int8,
					  float **weights, MrenError *err)
{
	size_t n = mren_transformer_parameters(config);
	bool filled;

	*weights = NULL;
	if (!int8)
		return mren_allocate_weights(env, n, sizeof(float), weights, &filled, err);
	if (mren_weights_ready(env))
		return MREN_OK;
	return mren_allocate(env, n, sizeof(float), weights, err);
}

MrenStatus
mren_transformer_create_in_place(const MrenEnv *env, const MrenTransformerConfig *config,
								 float *weights, MrenTransformer **encoder, MrenError *err)
{
	Cursor cursor = {
		.env = env, .config = config, .form = IN_PLACE, .weights = weights, .writable = weights};

	return create(&cursor, encoder, err);
}

MrenStatus
mren_transformer_create_int8(const MrenEnv *env, const MrenTransformerConfig *config,
							 const float *weights, MrenTransformer **encoder, MrenError *err)
{
	Cursor cursor = {.env = env, .config = config, .form = INT8, .weights = weights};

	return create(&cursor, encoder, err);
}

void
mren_transformer_free(const MrenEnv *env, MrenTransformer *encoder)
{
	if (encoder == NULL)
		return;
	for (size_t l = 0; l < encoder->config.layers; l++)
	{
		MrenTransformerLayer *layer = &encoder->layers[l];

		mren_release(env, layer->query.memory);
		mren_release(env, layer->key.memory);
		mren_release(env, layer->value.memory);
		mren_release(env, layer->position_key.memory);
		mren_release(env, layer->position_query.memory);
		mren_release(env, layer->context.memory);
		mren_release(env, layer->intermediate.memory);
		mren_release(env, layer->output.memory);
		mren_release(env, layer->relative_keys);
		mren_release(env, layer->relative_queries);
	}
	mren_release(env, encoder->project.memory);
	mren_release(env, encoder->relative_rows);
	mren_release(env, encoder->vectors);
	mren_release(env, encoder);
}
