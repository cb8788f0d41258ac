/*
 * marker_classifier.c
 *	  Making a classifier, giving it its encoder, and classifying rows.
 */
#include "relation/marker/marker_classifier.h"

#include <string.h>

#include "base/weights.h"

#define MAX_TYPES 1024
#define MAX_RELATIONS 65536

/* Tokens after which a pass ends: many blocks of the encoder's rows, and little memory. */
#define PASS_TOKENS 512

static MrenStatus
fail_shape(MrenError *err, const char *what, size_t value)
{
	return mren_fail(err, MREN_EFORMAT, "invalid network: %s of %zu", what, value);
}

MrenStatus
mren_marker_shape_check(const MrenMarkerShape *shape, MrenError *err)
{
	if (shape->width == 0 || shape->width > MREN_TRANSFORMER_MAX_WIDTH)
		return fail_shape(err, "encoder width", shape->width);
	if (shape->embedding_width == 0 || shape->embedding_width > MREN_TRANSFORMER_MAX_WIDTH)
		return fail_shape(err, "encoder embedding width", shape->embedding_width);
	if (shape->int8 > 1)
		return fail_shape(err, "use of int8", shape->int8);
	if (shape->solid > 1)
		return fail_shape(err, "use of solid markers", shape->solid);
	if (shape->n_types > MAX_TYPES)
		return fail_shape(err, "number of entity types", shape->n_types);
	if (shape->n_relations < 2 || shape->n_relations > MAX_RELATIONS)
		return fail_shape(err, "number of relations", shape->n_relations);
	return mren_tuning_shape_check(&shape->tuning, "network", err);
}

static void
build_table(const MrenMarkerShape *shape, MrenParameterTable *table)
{
	memset(table, 0, sizeof(*table));
	mren_parameters_add(table, "markers.embeddings", mren_marker_kinds(shape),
						shape->embedding_width, false);
	mren_parameters_add(table, "markers.output.weight", mren_marker_dim(shape), shape->n_relations,
						true);
	mren_parameters_add(table, "markers.output.bias", 1, shape->n_relations, false);
	if (shape->tuning.n > 0)
		mren_parameters_add(table, "markers.encoder", shape->tuning.n, 1, false);
	mren_parameters_end_trained(table);
}

size_t
mren_marker_size(const MrenMarkerShape *shape)
{
	MrenParameterTable table;

	build_table(shape, &table);
	return table.size;
}

MrenStatus
mren_marker_create(const MrenEnv *env, const MrenMarkerShape *shape,
				   MrenMarkerClassifier **classifier, MrenError *err)
{
	MrenStatus status;

	MREN_TRY(mren_allocate_zero(env, 1, sizeof(**classifier), classifier, err));
	(*classifier)->shape = *shape;
	build_table(shape, &(*classifier)->table);
	status = mren_allocate_weights_zero(env, (*classifier)->table.size, sizeof(float),
										&(*classifier)->values, &(*classifier)->filled, err);
	if (status != MREN_OK)
	{
		mren_marker_free(env, *classifier);
		*classifier = NULL;
	}
	return status;
}

static void
forget(const MrenEnv *env, MrenMarkerClassifier *classifier)
{
	mren_transformer_forget(env, classifier->memory);
	mren_release(env, classifier->remembered);
	classifier->memory = NULL;
	classifier->remembered = NULL;
	classifier->n_remembered = 0;
}

void
mren_marker_free(const MrenEnv *env, MrenMarkerClassifier *classifier)
{
	if (classifier == NULL)
		return;
	forget(env, classifier);
	mren_transformer_free(env, classifier->encoder);
	mren_release(env, classifier->weights);
	mren_release(env, classifier->packed_head);
	mren_release(env, classifier->values);
	mren_release(env, classifier);
}

MrenStatus
mren_marker_complete(const MrenEnv *env, MrenMarkerClassifier *classifier, MrenError *err)
{
	const MrenParameter *w = &classifier->table.items[MREN_MARKER_HEAD_WEIGHT];
	const float *bias =
		mren_parameter_at(&classifier->table, classifier->values, MREN_MARKER_HEAD_BIAS);
	size_t size = mren_dense_packed_size(w->rows, w->cols);
	size_t panels = (w->cols + MREN_PANEL - 1) / MREN_PANEL * MREN_PANEL;
	float *packed;
	bool filled;

	mren_release(env, classifier->packed_head);
	classifier->packed_head = NULL;
	MREN_TRY(mren_allocate_weights_zero(env, size + panels, sizeof(float), &packed, &filled, err));
	classifier->packed_head = packed;
	if (!filled)
	{
		mren_dense_pack(packed, classifier->values + w->at, w->rows, w->cols);
		memcpy(packed + size, bias, w->cols * sizeof(float));
	}
	classifier->head = (MrenPackedDense){w->rows, w->cols, packed, packed + size};
	return MREN_OK;
}

MrenTransformerConfig
mren_marker_config(const MrenMarkerShape *shape, const MrenTransformerConfig *config)
{
	MrenTransformerConfig extended = *config;

	extended.vocabulary += mren_marker_kinds(shape);
	return extended;
}

/* As mren_marker_weights, into weights. */
static MrenStatus
read_weights(const MrenEnv *env, const MrenMarkerShape *shape, const MrenEncoderSource *source,
			 const float *embeddings, float *weights, MrenError *err)
{
	size_t words = source->config.vocabulary * source->config.embedding_width;
	size_t markers = mren_marker_kinds(shape) * source->config.embedding_width;

	/* The markers' place is after the words, which are read after theirs and then moved. */
	MREN_TRY(source->read(source->state, weights + markers, err));
	MREN_TRY(mren_check_interrupts(env, err));
	memmove(weights, weights + markers, words * sizeof(float));
	memcpy(weights + words, embeddings, markers * sizeof(float));
	return MREN_OK;
}

MrenStatus
mren_marker_weights(const MrenEnv *env, const MrenMarkerShape *shape,
					const MrenEncoderSource *source, const float *embeddings, float **weights,
					MrenError *err)
{
	MrenTransformerConfig config = mren_marker_config(shape, &source->config);
	MrenStatus status;

	MREN_TRY(mren_allocate(env, mren_transformer_parameters(&config), sizeof(float), weights, err));
	status = read_weights(env, shape, source, embeddings, *weights, err);
	if (status != MREN_OK)
	{
		mren_release(env, *weights);
		*weights = NULL;
	}
	return status;
}

/* Puts the trained tensors into the weights of the extended encoder. */
static MrenStatus
merge_tuned(const MrenEnv *env, MrenMarkerClassifier *classifier, MrenError *err)
{
	MrenTransformerTuning tuning = mren_tuning_shape_tuning(&classifier->shape.tuning);

	if (classifier->shape.tuning.n == 0)
		return MREN_OK;
	return mren_transformer_tuning_merge_flat(
		env, &classifier->config, &tuning,
		mren_parameter_at(&classifier->table, classifier->values, MREN_MARKER_TUNED),
		classifier->shape.tuning.n, classifier->weights, err);
}

/* Takes the weights as they are where they are ready. */
static MrenStatus
take_weights(const MrenEnv *env, MrenMarkerClassifier *classifier, const MrenEncoderSource *source,
			 MrenError *err)
{
	const MrenMarkerShape *shape = &classifier->shape;
	const float *embeddings =
		mren_parameter_at(&classifier->table, classifier->values, MREN_MARKER_EMBEDDINGS);

	MREN_TRY(mren_transformer_room(env, &classifier->config, shape->int8 > 0, &classifier->weights,
								   err));
	if (mren_weights_ready(env))
		return MREN_OK;
	MREN_TRY(read_weights(env, shape, source, embeddings, classifier->weights, err));
	return merge_tuned(env, classifier, err);
}

static MrenStatus
create_encoder(const MrenEnv *env, MrenMarkerClassifier *classifier, MrenError *err)
{
	if (classifier->shape.int8 > 0)
		return mren_transformer_create_int8(env, &classifier->config, classifier->weights,
											&classifier->encoder, err);
	return mren_transformer_create_in_place(env, &classifier->config, classifier->weights,
											&classifier->encoder, err);
}

MrenStatus
mren_marker_attach(const MrenEnv *env, MrenMarkerClassifier *classifier,
				   const MrenEncoderSource *source, MrenError *err)
{
	const MrenMarkerShape *shape = &classifier->shape;
	MrenStatus status;

	if (source->config.width != shape->width ||
		source->config.embedding_width != shape->embedding_width)
		return mren_fail(err, MREN_EFORMAT,
						 "text encoder has a width of %zu, but the network needs %zu",
						 source->config.width, shape->width);
	classifier->config = mren_marker_config(shape, &source->config);
	status = take_weights(env, classifier, source, err);
	if (status == MREN_OK)
		status = create_encoder(env, classifier, err);
	if (status != MREN_OK || shape->int8 > 0)
	{
		mren_release(env, classifier->weights);
		classifier->weights = NULL;
	}
	return status;
}

/* Whether the row's sentence is the one that was read last. */
static bool
is_remembered(const MrenMarkerClassifier *classifier, const MrenMarkerRow *row)
{
	const MrenMarkedTokens last = {.ids = classifier->remembered, .n = classifier->n_remembered};

	return classifier->memory != NULL && mren_marker_has_tokens(row) &&
		   mren_marker_same_sentence(&last, row->tokens);
}

/* Reads the batch, and remembers its last sentence, whose tokens are given. */
static MrenStatus
read_and_remember(const MrenEnv *env, MrenMarkerClassifier *classifier,
				  const MrenTransformerBatch *batch, const MrenMarkedTokens *tokens, float *vectors,
				  MrenError *err)
{
	forget(env, classifier);
	MREN_TRY(mren_allocate(env, tokens->n, sizeof(int32_t), &classifier->remembered, err));
	memcpy(classifier->remembered, tokens->ids, tokens->n * sizeof(int32_t));
	classifier->n_remembered = tokens->n;
	return mren_transformer_remember(env, classifier->encoder, batch, vectors, &classifier->memory,
									 err);
}

/*
 * The row after those from i on that are read in one pass: further rows of the sentence that is
 * remembered, or rows of other sentences until they have enough tokens.
 */
static size_t
pass_end(const MrenMarkerClassifier *classifier, const MrenMarkerRow *rows, size_t i, size_t n)
{
	bool remembered = is_remembered(classifier, &rows[i]);
	size_t n_tokens = 0;
	size_t some;

	do
	{
		i = mren_marker_text_end(&classifier->shape, rows, i, n, &some);
		n_tokens += some;
	} while (!remembered && i < n && n_tokens < PASS_TOKENS);
	return i;
}

/* Reads the batch of n rows, of which the text of levitated markers is remembered. */
static MrenStatus
read_batch(const MrenEnv *env, MrenMarkerClassifier *classifier, const MrenMarkerBatch *batch,
		   const MrenMarkerRow *rows, size_t n, float *vectors, MrenError *err)
{
	const MrenTransformerBatch *tokens = &batch->batch;

	if (classifier->shape.solid > 0 || tokens->n_sentences == 0)
		return mren_transformer_forward(env, classifier->encoder, tokens, vectors, err);
	if (is_remembered(classifier, rows))
		return mren_transformer_markers(env, classifier->encoder, tokens, classifier->memory,
										vectors, err);
	while (!mren_marker_has_tokens(&rows[n - 1]))
		n--;
	return read_and_remember(env, classifier, tokens, rows[n - 1].tokens, vectors, err);
}

/* The vectors of n rows that are read in one pass. */
static MrenStatus
pass_vectors(const MrenEnv *env, MrenMarkerClassifier *classifier, const MrenMarkerRow *rows,
			 size_t n, float *out, size_t ldo, MrenError *err)
{
	const MrenMarkerShape *shape = &classifier->shape;
	MrenMarkerBatch batch = {0};
	float *vectors = NULL;
	MrenStatus status;

	status = mren_marker_batch_fill(
		env, &batch, shape, classifier->config.vocabulary - mren_marker_kinds(shape), rows, n, err);
	if (status == MREN_OK)
		status =
			mren_allocate(env, batch.batch.n_tokens * shape->width, sizeof(float), &vectors, err);
	if (status == MREN_OK)
		status = read_batch(env, classifier, &batch, rows, n, vectors, err);
	for (size_t i = 0; i < n && status == MREN_OK; i++)
		mren_marker_gather(&batch, shape, i, vectors, out + i * ldo);
	mren_release(env, vectors);
	mren_marker_batch_free(env, &batch);
	return status;
}

MrenStatus
mren_marker_vectors(const MrenEnv *env, MrenMarkerClassifier *classifier, const MrenMarkerRow *rows,
					size_t n, float *out, size_t ldo, MrenError *err)
{
	size_t end;

	if (classifier->encoder == NULL)
		return mren_fail(err, MREN_EPARAM, "the network's text encoder is not attached");
	for (size_t i = 0; i < n; i = end)
	{
		end = pass_end(classifier, rows, i, n);
		MREN_TRY(pass_vectors(env, classifier, rows + i, end - i, out + i * ldo, ldo, err));
	}
	return MREN_OK;
}

void
mren_marker_scores(const MrenMarkerClassifier *classifier, const float *in, size_t ldi, size_t n,
				   float *out)
{
	mren_dense_infer(&classifier->head, in, ldi, n, out, classifier->shape.n_relations);
}
