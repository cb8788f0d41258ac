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
#include "tagger/word_parts.h"

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
packed_size(size_t in, size_t out)
{
	return round_up(mren_dense_packed_size(in, out)) + round_up(out);
}

/* Packs the layer of rows `first` .. first+in-1 of a weight; bias may be NULL, for zeros. */
static float *
pack_layer(const MrenTagger *tagger, size_t weight, size_t first, MrenPackedDense *layer, float *at,
		   const float *bias)
{
	const MrenParameter *tensor = &tagger->layout.table.items[weight];
	float *packed_bias = at + round_up(mren_dense_packed_size(layer->in, layer->out));

	if (!tagger->filled)
		mren_dense_pack(at, tagger->values + tensor->at + first * layer->out, layer->in,
						layer->out);
	if (!tagger->filled && bias != NULL)
		memcpy(packed_bias, bias, layer->out * sizeof(float));
	layer->packed = at;
	layer->bias = packed_bias;
	return at + packed_size(layer->in, layer->out);
}

static const float *
bias_of(const MrenTagger *tagger, size_t i)
{
	return mren_parameter_at(&tagger->layout.table, tagger->values, tagger->layout.ids.bias[i]);
}

/* The floats of all packed layers, and of tagger->outside. */
static size_t
size_packed(const MrenTagger *tagger)
{
	const MrenTagShape *shape = &tagger->shape;
	size_t size =
		mren_tag_n_places(shape) * packed_size(mren_tag_shape_dim(shape), shape->hidden[0]);

	for (size_t i = 1; i <= shape->n_hidden; i++)
	{
		const MrenParameter *weight = &tagger->layout.table.items[tagger->layout.ids.weight[i]];

		size += packed_size(weight->rows, weight->cols);
	}
	return size + mren_tag_parts_size(tagger);
}

/* The first layer is packed for each place of its window, with the bias at the word's own. */
static void
pack_layers(MrenTagger *tagger)
{
	const MrenTagShape *shape = &tagger->shape;
	const MrenTagIds *ids = &tagger->layout.ids;
	size_t dim = mren_tag_shape_dim(shape);
	float *at = tagger->packed;

	for (size_t place = 0; place < mren_tag_n_places(shape); place++)
	{
		tagger->words[place] = (MrenPackedDense){.in = dim, .out = shape->hidden[0]};
		at = pack_layer(tagger, ids->weight[0], place * dim, &tagger->words[place], at,
						place == shape->window[0] ? bias_of(tagger, 0) : NULL);
	}
	for (size_t i = 1; i <= shape->n_hidden; i++)
	{
		const MrenParameter *weight = &tagger->layout.table.items[ids->weight[i]];

		tagger->layers[i] = (MrenPackedDense){.in = weight->rows, .out = weight->cols};
		at = pack_layer(tagger, ids->weight[i], 0, &tagger->layers[i], at, bias_of(tagger, i));
	}
	tagger->outside = at;
}

MrenStatus
mren_tagger_complete(MrenTagger *tagger, MrenError *err)
{
	const MrenParameterTable *table = &tagger->layout.table;
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
	mren_release(&tagger->env, tagger->packed);
	tagger->packed = NULL;
	mren_crf_rules_free(&tagger->env, &tagger->rules);
	MREN_TRY(mren_allocate_weights_zero(&tagger->env, size_packed(tagger), sizeof(float),
										&tagger->packed, &filled, err));
	pack_layers(tagger);
	if (!tagger->filled)
		MREN_TRY(mren_tag_parts_outside(tagger, err));
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
	MrenTagParts parts;
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
	mren_tag_parts_free(env, &work->parts);
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
	size_t dim = 0;

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

static MrenStatus
run_layers(const MrenTagger *tagger, const MrenEnv *env, Work *work, MrenError *err)
{
	const MrenTagShape *shape = &tagger->shape;
	const MrenPackedDense *last = &tagger->layers[shape->n_hidden];
	size_t in = 0;
	float *read = NULL;
	float *write = work->grid[0];

	for (size_t i = 0; i < shape->n_hidden; i++)
	{
		size_t out = shape->hidden[i];
		float *rows = write + MREN_TAG_PAD * out;

		memset(write, 0, MREN_TAG_PAD * out * sizeof(float));
		memset(rows + work->n * out, 0, MREN_TAG_PAD * out * sizeof(float));
		/* A word's window is contiguous in the grid; the rows of this product overlap. */
		if (i == 0)
			mren_tag_parts_sum(tagger, &work->parts, work->n, rows);
		else
			mren_dense_infer(&tagger->layers[i], read + (MREN_TAG_PAD - shape->window[i]) * in, in,
							 work->n, rows, out);
		mren_activate(shape->activation, rows, work->n * out);
		read = write;
		write = work->grid[(i + 1) % 2];
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
		size_t n = mren_tag_sparse_context(&tagger->shape, input, w, buckets);
		const float *own = work->parts.of[w] + mren_tag_parts_size(tagger) - k;

		mren_axpy(work->emissions + w * k, own, 1, k);
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
		.cache = input->cache,
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
		mren_tag_parts_free(env, &work->parts);
		MREN_TRY(mren_tag_parts_read(tagger, env, vectors, &piece, &work->parts, err));
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
