/*
 * tagger.c
 *	  A trained tagger, and tagging with it.
 *
 * Layers are summed in a fixed order (mren_dense_infer), so that the result of
 * a sentence has the same bits whatever else is tagged.
 */
#include "tagger/tagger_internal.h"

#include <math.h>
#include <string.h>

#include "base/weights.h"
#include "nn/kernels.h"

MrenStatus
mren_tagger_create(const MrenEnv *env, const MrenTagShape *shape, MrenTagger **tagger,
				   MrenError *err)
{
	MrenTagger *made;
	MrenStatus status;

	MREN_TRY(mren_allocate_zero(env, 1, sizeof(*made), &made, err));
	made->env = *env;
	made->shape = *shape;
	mren_tag_layout_build(shape, &made->layout);
	status = mren_allocate_weights_zero(env, made->layout.table.size, sizeof(float), &made->values,
										&made->filled, err);
	if (status != MREN_OK)
	{
		mren_tagger_free(env, made);
		return status;
	}
	*tagger = made;
	return MREN_OK;
}

MrenStatus
mren_tagger_set_encoder(MrenTagger *tagger, const MrenTagEncoderShape *shape, const uint8_t *sha256,
						MrenError *err)
{
	bool filled;

	MREN_TRY(mren_tag_encoder_check(shape, err));
	if (shape->width != tagger->shape.encoder_dim)
		return mren_fail(err, MREN_EFORMAT, "invalid tagger: encoder width of %zu", shape->width);
	MREN_TRY(mren_allocate_weights_zero(&tagger->env, shape->tuning.n, sizeof(float),
										&tagger->encoder.tuned, &filled, err));
	tagger->encoder.shape = *shape;
	memcpy(tagger->encoder.sha256, sha256, sizeof(tagger->encoder.sha256));
	return MREN_OK;
}

MrenStatus
mren_tagger_attach_encoder(MrenTagger *tagger, const MrenEncoderSource *source, MrenError *err)
{
	return mren_tag_encoder_attach(&tagger->env, &tagger->encoder, source, err);
}

void
mren_tagger_free(const MrenEnv *env, MrenTagger *tagger)
{
	if (tagger == NULL)
		return;
	mren_names_free(env, &tagger->types);
	mren_release(env, tagger->training);
	mren_release(env, tagger->values);
	mren_release(env, tagger->packed);
	mren_crf_rules_free(env, &tagger->rules);
	mren_tag_encoder_free(env, &tagger->encoder);
	mren_release(env, tagger);
}

void
mren_tagger_info(const MrenTagger *tagger, MrenTaggerInfo *info)
{
	*info = (MrenTaggerInfo){
		.embedding_dim = tagger->shape.embedding_dim,
		.encoder_dim = tagger->shape.encoder_dim,
		.n_types = tagger->shape.n_types,
		.n_lexicons = tagger->shape.n_lexicons,
		.n_parameters = tagger->layout.table.n_parameters + tagger->encoder.shape.tuning.n,
		.n_training_rows = tagger->n_training,
	};
	memcpy(info->embeddings_sha256, tagger->embeddings_sha256, sizeof(info->embeddings_sha256));
	memcpy(info->lexicons_sha256, tagger->lexicons_sha256, sizeof(info->lexicons_sha256));
	memcpy(info->text_encoder_sha256, tagger->encoder.sha256, sizeof(info->text_encoder_sha256));
}

MrenTextSpan
mren_tagger_type(const MrenTagger *tagger, size_t i)
{
	return mren_names_get(&tagger->types, i);
}

bool
mren_tagger_trained_on(const MrenTagger *tagger, uint64_t group)
{
	size_t low = 0;
	size_t high = tagger->n_training;

	while (low < high)
	{
		size_t middle = low + (high - low) / 2;

		if (tagger->training[middle] == group)
			return true;
		if (tagger->training[middle] < group)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/*
 * Completing
 */

static size_t
round_up(size_t n)
{
	return (n + MREN_PANEL - 1) / MREN_PANEL * MREN_PANEL;
}

static size_t
layer_size(const MrenTagger *tagger, size_t i)
{
	const MrenParameter *weight = &tagger->layout.table.items[tagger->layout.ids.weight[i]];

	return round_up(mren_dense_packed_size(weight->rows, weight->cols)) + round_up(weight->cols);
}

static float *
pack_layer(MrenTagger *tagger, size_t i, float *at)
{
	const MrenParameterTable *table = &tagger->layout.table;
	const MrenParameter *weight = &table->items[tagger->layout.ids.weight[i]];
	float *bias = at + round_up(mren_dense_packed_size(weight->rows, weight->cols));

	if (!tagger->filled)
	{
		mren_dense_pack(at, tagger->values + weight->at, weight->rows, weight->cols);
		memcpy(bias, mren_parameter_at(table, tagger->values, tagger->layout.ids.bias[i]),
			   weight->cols * sizeof(float));
	}
	tagger->layers[i] = (MrenPackedDense){weight->rows, weight->cols, at, bias};
	return at + layer_size(tagger, i);
}

MrenStatus
mren_tagger_complete(MrenTagger *tagger, MrenError *err)
{
	const MrenParameterTable *table = &tagger->layout.table;
	size_t n = tagger->shape.n_hidden + 1;
	size_t size = 0;
	float *at;
	bool filled;

	for (size_t i = 0; i < table->n && !tagger->filled; i++)
	{
		if (!tagger->set[i])
			return mren_fail(err, MREN_EFORMAT, "invalid tagger: weights \"%s\" are missing",
							 table->items[i].name);
	}
	if (tagger->encoder.shape.tuning.n > 0 && !tagger->encoder.set && !tagger->filled)
		return mren_fail(err, MREN_EFORMAT, "invalid tagger: weights \"%s\" are missing",
						 MREN_TAGGER_TUNED);
	for (size_t i = 0; i < n; i++)
		size += layer_size(tagger, i);
	mren_release(&tagger->env, tagger->packed);
	tagger->packed = NULL;
	mren_crf_rules_free(&tagger->env, &tagger->rules);
	MREN_TRY(mren_allocate_weights_zero(&tagger->env, size, sizeof(float), &tagger->packed, &filled,
										err));
	at = tagger->packed;
	for (size_t i = 0; i < n; i++)
		at = pack_layer(tagger, i, at);
	return mren_bilou_rules(&tagger->env, tagger->shape.n_types, &tagger->rules, err);
}

/*
 * Tagging
 */

/* The workspace for a piece of a sentence. */
typedef struct Work
{
	size_t n;		/* words */
	float *grid[2]; /* padded rows of what a layer reads and writes */
	float *encoded; /* vectors of the text encoder */
	float *emissions;
	uint32_t *tags;
	MrenTagSpan *spans;
	MrenCrfWork crf;
	MrenTagged *mentions; /* found so far, in the whole sentence */
	size_t n_mentions;
	size_t mentions_capacity;
} Work;

static void
free_work(const MrenEnv *env, Work *work)
{
	mren_release(env, work->grid[0]);
	mren_release(env, work->grid[1]);
	mren_release(env, work->encoded);
	mren_release(env, work->emissions);
	mren_release(env, work->tags);
	mren_release(env, work->spans);
	mren_crf_work_free(env, &work->crf);
}

static MrenStatus
allocate_work(const MrenTagger *tagger, const MrenEnv *env, size_t n, Work *work, MrenError *err)
{
	const MrenTagShape *shape = &tagger->shape;
	size_t rows = n + 2 * MREN_TAG_PAD;
	size_t dim = mren_tag_shape_dim(shape);

	for (size_t i = 0; i < shape->n_hidden; i++)
		dim = shape->hidden[i] > dim ? shape->hidden[i] : dim;
	MREN_TRY(mren_allocate(env, rows * dim, sizeof(float), &work->grid[0], err));
	MREN_TRY(mren_allocate(env, rows * dim, sizeof(float), &work->grid[1], err));
	MREN_TRY(mren_allocate(env, n * shape->encoder_dim, sizeof(float), &work->encoded, err));
	MREN_TRY(mren_allocate(env, n * tagger->rules.n_tags, sizeof(float), &work->emissions, err));
	MREN_TRY(mren_allocate(env, n, sizeof(uint32_t), &work->tags, err));
	MREN_TRY(mren_allocate(env, n, sizeof(MrenTagSpan), &work->spans, err));
	return mren_crf_reserve(env, &work->crf, &tagger->rules, n, err);
}

static void
read_words(const MrenTagger *tagger, const MrenWordVectors *vectors, const MrenTagInput *input,
		   Work *work)
{
	const MrenTagShape *shape = &tagger->shape;
	const MrenTagWordTables tables = {shape, &tagger->layout, tagger->values, vectors};
	size_t dim = mren_tag_shape_dim(shape);
	float *grid = work->grid[0];

	for (size_t i = 0; i < MREN_TAG_PAD; i++)
	{
		mren_tag_pad_vector(shape, grid + i * dim);
		mren_tag_pad_vector(shape, grid + (MREN_TAG_PAD + work->n + i) * dim);
	}
	for (size_t w = 0; w < work->n; w++)
		mren_tag_word_vector(&tables, input, w, true, grid + (MREN_TAG_PAD + w) * dim);
}

static MrenStatus
run_layers(const MrenTagger *tagger, const MrenEnv *env, Work *work, MrenError *err)
{
	const MrenTagShape *shape = &tagger->shape;
	size_t in = mren_tag_shape_dim(shape);
	const MrenPackedDense *last = &tagger->layers[shape->n_hidden];
	float *read = work->grid[0];
	float *write = work->grid[1];

	for (size_t i = 0; i < shape->n_hidden; i++)
	{
		const MrenPackedDense *layer = &tagger->layers[i];
		size_t out = layer->out;
		float *swap = read;

		memset(write, 0, (work->n + 2 * MREN_TAG_PAD) * out * sizeof(float));
		/* A word's window is contiguous in the grid; the rows of this product overlap. */
		mren_dense_infer(layer, read + (MREN_TAG_PAD - shape->window[i]) * in, in, work->n,
						 write + MREN_TAG_PAD * out, out);
		mren_activate(shape->activation, write + MREN_TAG_PAD * out, work->n * out);
		read = write;
		write = swap;
		in = out;
		MREN_TRY(mren_check_interrupts(env, err));
	}
	mren_dense_infer(last, read + MREN_TAG_PAD * in, in, work->n, work->emissions, last->out);
	return MREN_OK;
}

static MrenStatus
add_direct(const MrenTagger *tagger, const MrenTagInput *input, Work *work, MrenError *err)
{
	size_t k = tagger->rules.n_tags;
	const float *table = tagger->values + tagger->layout.table.items[tagger->layout.ids.sparse].at;
	uint32_t buckets[MREN_TAG_MAX_SPARSE];

	for (size_t w = 0; w < work->n; w++)
	{
		size_t n = mren_tag_sparse(&tagger->shape, input, w, buckets);

		for (size_t i = 0; i < n; i++)
			mren_axpy(work->emissions + w * k, table + buckets[i] * k, 1, k);
	}
	for (size_t i = 0; i < work->n * k; i++)
	{
		if (!isfinite(work->emissions[i]))
			return mren_fail(err, MREN_ENUMERIC, "a score of the tagger is not finite");
	}
	return MREN_OK;
}

/* Decodes a piece that begins at word `at` of the sentence, and appends its mentions. */
static MrenStatus
decode(const MrenTagger *tagger, const MrenEnv *env, size_t at, Work *work, MrenError *err)
{
	const MrenCrf crf = mren_tag_crf(&tagger->layout, &tagger->rules, tagger->values);
	size_t n_spans;

	MREN_TRY(mren_crf_decode(env, &crf, work->emissions, work->n, &work->crf, work->tags, err));
	n_spans = mren_bilou_read(work->tags, work->n, work->spans);
	if (n_spans == 0)
		return MREN_OK;
	MREN_TRY(mren_crf_forward(env, &crf, work->emissions, work->n, &work->crf, err));
	MREN_TRY(mren_crf_backward(env, &crf, work->emissions, work->n, &work->crf, err));
	MREN_TRY(mren_grow(env, &work->mentions, &work->mentions_capacity, work->n_mentions,
					   work->n_mentions + n_spans, sizeof(MrenTagged), err));
	for (size_t i = 0; i < n_spans; i++)
	{
		const MrenTagSpan *span = &work->spans[i];
		double posterior = mren_crf_posterior(&crf, work->emissions, work->tags + span->first,
											  span->first, span->end, &work->crf);

		work->mentions[work->n_mentions++] = (MrenTagged){
			(uint32_t) at + span->first, (uint32_t) at + span->end, span->type, (float) posterior};
	}
	return MREN_OK;
}

/* Words first .. first+n-1 of an input, as an input of their own. */
static MrenTagInput
piece_of(const MrenTagInput *input, size_t first, size_t n)
{
	MrenTagTokens tokens = input->tokens;

	if (tokens.firsts != NULL)
		tokens.firsts += first;
	return (MrenTagInput){
		.n_words = n,
		.words = input->words + first,
		.shapes = input->shapes + first,
		.starts = input->starts + first,
		.features = input->features,
		.lexicons = input->lexicons != NULL ? input->lexicons + first : NULL,
		.tokens = tokens,
	};
}

static MrenStatus
tag_pieces(const MrenTagger *tagger, const MrenEnv *env, const MrenWordVectors *vectors,
		   const MrenTagInput *input, Work *work, MrenError *err)
{
	for (size_t first = 0; first < input->n_words; first += MREN_TAG_PIECE)
	{
		size_t left = input->n_words - first;
		MrenTagInput piece = piece_of(input, first, left < MREN_TAG_PIECE ? left : MREN_TAG_PIECE);

		work->n = piece.n_words;
		if (tagger->shape.encoder_dim > 0)
			MREN_TRY(mren_tag_encoder_vectors(env, &tagger->encoder, &piece, work->encoded, err));
		piece.encoded = work->encoded;
		read_words(tagger, vectors, &piece, work);
		MREN_TRY(run_layers(tagger, env, work, err));
		MREN_TRY(add_direct(tagger, &piece, work, err));
		MREN_TRY(decode(tagger, env, first, work, err));
		MREN_TRY(mren_check_interrupts(env, err));
	}
	return MREN_OK;
}

MrenStatus
mren_tagger_tag(const MrenTagger *tagger, const MrenEnv *env, const MrenWordVectors *vectors,
				const MrenTagInput *input, MrenTagged **mentions, size_t *n, MrenError *err)
{
	Work work = {0};
	size_t most = input->n_words < MREN_TAG_PIECE ? input->n_words : MREN_TAG_PIECE;
	MrenStatus status;

	*mentions = NULL;
	*n = 0;
	if (most == 0)
		return MREN_OK;
	if (tagger->shape.encoder_dim > 0 && input->tokens.firsts == NULL)
		return mren_fail(err, MREN_EPARAM, "the sentence has no tokens of the text encoder");
	status = allocate_work(tagger, env, most, &work, err);
	if (status == MREN_OK)
		status = tag_pieces(tagger, env, vectors, input, &work, err);
	free_work(env, &work);
	if (status != MREN_OK)
	{
		mren_release(env, work.mentions);
		return status;
	}
	*mentions = work.mentions;
	*n = work.n_mentions;
	return MREN_OK;
}
