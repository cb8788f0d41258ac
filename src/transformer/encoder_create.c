/*
 * encoder_create.c
 *	  Building an encoder from its weights.
 */
#include "transformer/encoder_parts.h"

#include <string.h>

#include "nn/arena.h"

/* The next tensor in the order of mren_transformer_tensor. */
typedef struct Cursor
{
	const MrenEnv *env;
	const MrenTransformerConfig *config;
	size_t i;
	const float *at;
} Cursor;

/* The next tensor if its name ends so; otherwise NULL, and it remains the next. */
static const float *
take(Cursor *cursor, const char *suffix, MrenTransformerTensor *tensor)
{
	const float *at = cursor->at;
	size_t n;

	if (!mren_transformer_tensor(cursor->config, cursor->i, tensor))
		return NULL;
	n = strlen(tensor->name);
	if (n < strlen(suffix) || strcmp(tensor->name + n - strlen(suffix), suffix) != 0)
		return NULL;
	cursor->i++;
	cursor->at += tensor->rows * (tensor->columns == 0 ? 1 : tensor->columns);
	return at;
}

static const float *
take_vector(Cursor *cursor, const char *suffix)
{
	MrenTransformerTensor tensor;

	return take(cursor, suffix, &tensor);
}

static void
take_norm(Cursor *cursor, const char *weight, const char *bias, MrenTransformerNorm *norm)
{
	norm->weight = take_vector(cursor, weight);
	norm->bias = take_vector(cursor, bias);
}

/* Packs a matrix and its bias, if the encoder has them. */
static MrenStatus
take_dense(Cursor *cursor, const char *weight, const char *bias, MrenTransformerDense *layer,
		   MrenError *err)
{
	MrenTransformerTensor matrix;
	const float *w = take(cursor, weight, &matrix);
	const float *b;
	size_t n;
	size_t panels;

	if (w == NULL)
		return MREN_OK;
	b = take_vector(cursor, bias);
	n = mren_align_floats(mren_dense_packed_size(matrix.columns, matrix.rows));
	panels = (matrix.rows + MREN_PANEL - 1) / MREN_PANEL * MREN_PANEL;
	MREN_TRY(mren_allocate(cursor->env, n + panels, sizeof(float), &layer->memory, err));
	mren_dense_pack_transposed(layer->memory, w, matrix.columns, matrix.rows);
	memset(layer->memory + n, 0, panels * sizeof(float));
	if (b != NULL)
		memcpy(layer->memory + n, b, matrix.rows * sizeof(float));
	layer->dense = (MrenPackedDense){.in = matrix.columns,
									 .out = matrix.rows,
									 .packed = layer->memory,
									 .bias = layer->memory + n};
	return mren_check_interrupts(cursor->env, err);
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
	MREN_TRY(take_dense(cursor, "output.weight", "output.bias", &layer->output, err));
	take_norm(cursor, "norm.weight", "norm.bias", &layer->norm);
	return MREN_OK;
}

/* The relative embeddings through a projection, which does not depend on the text. */
static MrenStatus
project_relative(const MrenEnv *env, const MrenTransformerDense *own,
				 const MrenTransformerDense *shared, const float *rows, size_t n, float **out,
				 MrenError *err)
{
	const MrenTransformerDense *layer = own->memory != NULL ? own : shared;
	MrenWork work = {.env = env};

	MREN_TRY(mren_allocate(env, n * layer->dense.out, sizeof(float), out, err));
	mren_transformer_dense(&work, layer, rows, n, *out);
	return work.stopped ? mren_fail_canceled(err) : MREN_OK;
}

static MrenStatus
add_relative_rows(const MrenEnv *env, MrenTransformer *encoder, const float *embeddings,
				  const MrenTransformerNorm *norm, MrenError *err)
{
	const MrenTransformerConfig *config = &encoder->config;
	size_t n = 2 * mren_transformer_relative_span(config);
	MrenStatus status = MREN_OK;
	float *rows;

	MREN_TRY(mren_allocate(env, n * config->width, sizeof(float), &rows, err));
	memcpy(rows, embeddings, n * config->width * sizeof(float));
	if (norm->weight != NULL)
		mren_transformer_norm(rows, n, config->width, norm, config->eps);
	for (size_t l = 0; l < config->layers && status == MREN_OK; l++)
	{
		MrenTransformerLayer *layer = &encoder->layers[l];

		if (config->content_to_position)
			status = project_relative(env, &layer->position_key, &layer->key, rows, n,
									  &layer->relative_keys, err);
		if (status == MREN_OK && config->position_to_content)
			status = project_relative(env, &layer->position_query, &layer->query, rows, n,
									  &layer->relative_queries, err);
	}
	mren_release(env, rows);
	return status;
}

static MrenStatus
fill(Cursor *cursor, MrenTransformer *encoder, MrenError *err)
{
	const float *relative;
	MrenTransformerNorm relative_norm;

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
	if (relative == NULL)
		return MREN_OK;
	return add_relative_rows(cursor->env, encoder, relative, &relative_norm, err);
}

MrenStatus
mren_transformer_create(const MrenEnv *env, const MrenTransformerConfig *config,
						const float *weights, MrenTransformer **encoder, MrenError *err)
{
	Cursor cursor = {.env = env, .config = config, .at = weights};
	size_t size = sizeof(**encoder) + config->layers * sizeof((*encoder)->layers[0]);
	MrenStatus status;

	*encoder = NULL;
	MREN_TRY(mren_allocate_zero(env, 1, size, encoder, err));
	(*encoder)->config = *config;
	status = fill(&cursor, *encoder, err);
	if (status != MREN_OK)
	{
		mren_transformer_free(env, *encoder);
		*encoder = NULL;
	}
	return status;
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
	mren_release(env, encoder);
}
