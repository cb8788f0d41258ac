/*
 * tagger_bytes.c
 *	  The portable form of a tagger.
 *
 * Header, little-endian:
 *	 0 "MRENtag1"   8 u64 length of the header   16 u64 checksum of what follows
 *	24 u32 word dimension, feature dimension, buckets, direct buckets, lexicons,
 *	   types, activation, hidden layers, their 8 sizes and 8 windows (unused ones 0)
 *	120 sha256 of the embeddings   152 u64 number of training sentences
 *	160 sha256 of each lexicon; types, each u32 length and bytes, in bytewise
 *	   order; then the training sentences' hashes, u64 each, ascending
 * With a text encoder it begins with "MRENtag2", and this follows at 160:
 *	   u32 its width, kind of tuning, layers, rank; f64 alpha; u64 trained floats; its sha256
 * The whole form is the header, then each tensor's floats in the layout's order, then those of
 * the encoder that were trained,
 * then a u64 checksum of those.
 */
#include "tagger/tagger_internal.h"

#include <math.h>
#include <string.h>

#include "base/hash.h"

#define MAGIC "MRENtag1"
#define MAGIC_ENCODER "MRENtag2"
#define MAGIC_LENGTH 8
#define FIXED 160
#define ENCODER_BYTES 72

static MrenStatus
damaged(const char *what, MrenError *err)
{
	return mren_fail(err, MREN_EFORMAT, "invalid tagger: %s", what);
}

bool
mren_tagger_is(const uint8_t *bytes, size_t len)
{
	return len >= MAGIC_LENGTH && (memcmp(bytes, MAGIC, MAGIC_LENGTH) == 0 ||
								   memcmp(bytes, MAGIC_ENCODER, MAGIC_LENGTH) == 0);
}

/* Whether a tagger's bytes have the fields of a text encoder. */
static bool
has_encoder(const uint8_t *bytes)
{
	return memcmp(bytes, MAGIC_ENCODER, MAGIC_LENGTH) == 0;
}

/*
 * Writing
 */

static void
put_fixed(const MrenTagger *tagger, MrenBuffer *out)
{
	const MrenTagShape *shape = &tagger->shape;

	mren_buffer_put_u32(out, (uint32_t) shape->embedding_dim);
	mren_buffer_put_u32(out, (uint32_t) shape->feature_dim);
	mren_buffer_put_u32(out, (uint32_t) shape->n_buckets);
	mren_buffer_put_u32(out, (uint32_t) shape->n_sparse);
	mren_buffer_put_u32(out, (uint32_t) shape->n_lexicons);
	mren_buffer_put_u32(out, (uint32_t) shape->n_types);
	mren_buffer_put_u32(out, (uint32_t) shape->activation);
	mren_buffer_put_u32(out, (uint32_t) shape->n_hidden);
	for (size_t i = 0; i < MREN_MAX_HIDDEN; i++)
		mren_buffer_put_u32(out, (uint32_t) shape->hidden[i]);
	for (size_t i = 0; i < MREN_MAX_HIDDEN; i++)
		mren_buffer_put_u32(out, (uint32_t) shape->window[i]);
	mren_buffer_put_bytes(out, tagger->embeddings_sha256, 32);
	mren_buffer_put_u64(out, tagger->n_training);
}

static void
put_encoder(const MrenTagEncoder *encoder, MrenBuffer *out)
{
	if (encoder->shape.width == 0)
		return;
	mren_buffer_put_u32(out, (uint32_t) encoder->shape.width);
	mren_buffer_put_u32(out, (uint32_t) encoder->shape.tuning.kind);
	mren_buffer_put_u32(out, (uint32_t) encoder->shape.tuning.layers);
	mren_buffer_put_u32(out, (uint32_t) encoder->shape.tuning.rank);
	mren_buffer_put_f64(out, encoder->shape.tuning.alpha);
	mren_buffer_put_u64(out, encoder->shape.tuning.n);
	mren_buffer_put_u64(out, encoder->shape.int8);
	mren_buffer_put_bytes(out, encoder->sha256, 32);
}

static MrenStatus
put_header(const MrenTagger *tagger, const MrenEnv *env, MrenBuffer *out, MrenError *err)
{
	MrenBuffer patch;

	MREN_TRY(
		mren_buffer_reserve(env, out, FIXED + ENCODER_BYTES + 32 * tagger->shape.n_lexicons, err));
	mren_buffer_put_bytes(out, tagger->encoder.shape.width > 0 ? MAGIC_ENCODER : MAGIC,
						  MAGIC_LENGTH);
	mren_buffer_put_zeros(out, 16);
	put_fixed(tagger, out);
	put_encoder(&tagger->encoder, out);
	for (size_t i = 0; i < tagger->shape.n_lexicons; i++)
		mren_buffer_put_bytes(out, tagger->lexicons_sha256[i], 32);
	for (size_t i = 0; i < tagger->shape.n_types; i++)
	{
		MrenTextSpan name = mren_names_get(&tagger->types, i);

		MREN_TRY(mren_buffer_reserve(env, out, 4 + (size_t) name.len, err));
		mren_buffer_put_u32(out, name.len);
		mren_buffer_put_bytes(out, name.data, name.len);
	}
	MREN_TRY(mren_buffer_reserve(env, out, tagger->n_training * sizeof(uint64_t), err));
	for (size_t i = 0; i < tagger->n_training; i++)
		mren_buffer_put_u64(out, tagger->training[i]);
	patch = (MrenBuffer){out->data + 8, 0, 16};
	mren_buffer_put_u64(&patch, out->len);
	mren_buffer_put_u64(&patch, mren_hash64(out->data + 24, out->len - 24, out->len));
	return MREN_OK;
}

static MrenStatus
put_tensors(const MrenTagger *tagger, const MrenEnv *env, MrenBuffer *out, MrenError *err)
{
	size_t start = out->len;

	for (size_t i = 0; i < mren_tagger_n_tensors(tagger); i++)
	{
		MrenTensorView view;
		size_t n;

		mren_tagger_tensor(tagger, i, &view);
		n = view.rows * view.cols;
		MREN_TRY(mren_check_interrupts(env, err));
		MREN_TRY(mren_buffer_reserve(env, out, n * sizeof(float), err));
		mren_buffer_put_floats(out, view.data, n);
	}
	MREN_TRY(mren_buffer_reserve(env, out, 8, err));
	mren_buffer_put_u64(out, mren_hash64(out->data + start, out->len - start, start));
	return MREN_OK;
}

/* Returns the bytes of the buffer, or releases them after a failure. */
static MrenStatus
give(const MrenEnv *env, MrenStatus status, MrenBuffer *out, uint8_t **bytes, size_t *len)
{
	if (status != MREN_OK)
	{
		mren_buffer_free(env, out);
		return status;
	}
	*bytes = out->data;
	*len = out->len;
	return MREN_OK;
}

MrenStatus
mren_tagger_header(const MrenTagger *tagger, const MrenEnv *env, uint8_t **bytes, size_t *len,
				   MrenError *err)
{
	MrenBuffer out = {0};
	MrenStatus status = put_header(tagger, env, &out, err);

	return give(env, status, &out, bytes, len);
}

MrenStatus
mren_tagger_serialize(const MrenTagger *tagger, const MrenEnv *env, uint8_t **bytes, size_t *len,
					  MrenError *err)
{
	MrenBuffer out = {0};
	MrenStatus status;

	/* One allocation for nearly everything; only the names may need more. */
	status = mren_buffer_reserve(env, &out,
								 (tagger->layout.table.size + tagger->encoder.shape.tuning.n) *
										 sizeof(float) +
									 tagger->n_training * 8 + 4096,
								 err);
	if (status == MREN_OK)
		status = put_header(tagger, env, &out, err);
	if (status == MREN_OK)
		status = put_tensors(tagger, env, &out, err);
	return give(env, status, &out, bytes, len);
}

size_t
mren_tagger_n_tensors(const MrenTagger *tagger)
{
	return tagger->layout.table.n + (tagger->encoder.shape.tuning.n > 0);
}

void
mren_tagger_tensor(const MrenTagger *tagger, size_t i, MrenTensorView *view)
{
	const MrenParameter *tensor = &tagger->layout.table.items[i];

	if (i == tagger->layout.table.n)
		*view = (MrenTensorView){MREN_TAGGER_TUNED, tagger->encoder.shape.tuning.n, 1,
								 tagger->encoder.tuned};
	else
		*view =
			(MrenTensorView){tensor->name, tensor->rows, tensor->cols, tagger->values + tensor->at};
}

/*
 * Reading
 */

static MrenStatus
read_shape(MrenCursor *cursor, MrenTagShape *shape, MrenError *err)
{
	uint32_t activation;

	memset(shape, 0, sizeof(*shape));
	shape->embedding_dim = mren_cursor_u32(cursor);
	shape->feature_dim = mren_cursor_u32(cursor);
	shape->n_buckets = mren_cursor_u32(cursor);
	shape->n_sparse = mren_cursor_u32(cursor);
	shape->n_lexicons = mren_cursor_u32(cursor);
	shape->n_types = mren_cursor_u32(cursor);
	activation = mren_cursor_u32(cursor);
	shape->n_hidden = mren_cursor_u32(cursor);
	for (size_t i = 0; i < MREN_MAX_HIDDEN; i++)
		shape->hidden[i] = mren_cursor_u32(cursor);
	for (size_t i = 0; i < MREN_MAX_HIDDEN; i++)
		shape->window[i] = mren_cursor_u32(cursor);
	if (cursor->failed || activation > MREN_ACTIVATION_TANH)
		return damaged("its shape", err);
	shape->activation = (MrenActivation) activation;
	return mren_tag_shape_check(shape, err);
}

static MrenStatus
read_encoder(MrenCursor *cursor, MrenTagEncoderShape *shape, const uint8_t **sha256, MrenError *err)
{
	shape->width = mren_cursor_u32(cursor);
	shape->tuning.kind = mren_cursor_u32(cursor);
	shape->tuning.layers = mren_cursor_u32(cursor);
	shape->tuning.rank = mren_cursor_u32(cursor);
	shape->tuning.alpha = mren_cursor_f64(cursor);
	shape->tuning.n = mren_cursor_u64(cursor);
	shape->int8 = mren_cursor_u64(cursor);
	*sha256 = mren_cursor_bytes(cursor, 32);
	if (*sha256 == NULL)
		return damaged("its text encoder", err);
	return mren_tag_encoder_check(shape, err);
}

static MrenStatus
read_types(MrenCursor *cursor, MrenTagger *tagger, MrenError *err)
{
	MrenTextSpan before = {NULL, 0};

	for (size_t i = 0; i < tagger->shape.n_types; i++)
	{
		MrenTextSpan name;
		uint32_t number;

		name.len = mren_cursor_u32(cursor);
		name.data = (const char *) mren_cursor_bytes(cursor, name.len);
		if (cursor->failed || name.len == 0 || name.len > MREN_MAX_LABEL ||
			(i > 0 && mren_text_span_compare(before, name) >= 0))
			return damaged("its types", err);
		MREN_TRY(mren_names_intern(&tagger->env, &tagger->types, name, &number, err));
		before = name;
	}
	return MREN_OK;
}

static MrenStatus
read_training(MrenCursor *cursor, MrenTagger *tagger, uint64_t n, MrenError *err)
{
	if (n != mren_cursor_left(cursor) / sizeof(uint64_t) ||
		mren_cursor_left(cursor) % sizeof(uint64_t) != 0)
		return damaged("its training sentences", err);
	MREN_TRY(mren_allocate(&tagger->env, n, sizeof(uint64_t), &tagger->training, err));
	tagger->n_training = n;
	for (size_t i = 0; i < n; i++)
	{
		tagger->training[i] = mren_cursor_u64(cursor);
		if (i > 0 && tagger->training[i - 1] > tagger->training[i])
			return damaged("its training sentences", err);
	}
	return MREN_OK;
}

/* What stands between the shape and the lexicons. */
typedef struct Needs
{
	const uint8_t *embeddings; /* sha256 */
	uint64_t n_training;
	MrenTagEncoderShape encoder; /* width 0: none */
	const uint8_t *encoder_sha256;
} Needs;

static MrenStatus
read_needs(MrenCursor *cursor, bool encoder, MrenTagShape *shape, Needs *needs, MrenError *err)
{
	*needs = (Needs){.embeddings = mren_cursor_bytes(cursor, 32)};
	needs->n_training = mren_cursor_u64(cursor);
	if (needs->embeddings == NULL || cursor->failed)
		return damaged("it is cut short", err);
	if (encoder)
		MREN_TRY(read_encoder(cursor, &needs->encoder, &needs->encoder_sha256, err));
	shape->encoder_dim = needs->encoder.width;
	return MREN_OK;
}

static MrenStatus
read_rest(MrenCursor *cursor, const Needs *rest, MrenTagger *tagger, MrenError *err)
{
	const uint8_t *sha256 = rest->embeddings;

	memcpy(tagger->embeddings_sha256, rest->embeddings, 32);
	if (rest->encoder.width > 0)
		MREN_TRY(mren_tagger_set_encoder(tagger, &rest->encoder, rest->encoder_sha256, err));
	for (size_t i = 0; i < tagger->shape.n_lexicons; i++)
	{
		sha256 = mren_cursor_bytes(cursor, 32);
		if (sha256 == NULL)
			return damaged("its lexicons", err);
		memcpy(tagger->lexicons_sha256[i], sha256, 32);
	}
	MREN_TRY(read_types(cursor, tagger, err));
	return read_training(cursor, tagger, rest->n_training, err);
}

/*
 * Reads the header at bytes, which gives its own length, and nothing after it.
 * A tagger of more than max floats is refused before they are allocated.
 */
static MrenStatus
read_header(const MrenEnv *env, const uint8_t *bytes, size_t len, size_t max, size_t *header,
			MrenTagger **tagger, MrenError *err)
{
	MrenCursor cursor = {bytes, bytes + len, false};
	MrenTagShape shape;
	Needs needs;
	MrenStatus status;
	uint64_t size;
	uint64_t checksum;

	if (len < FIXED || !mren_tagger_is(bytes, len))
		return damaged("it does not begin as one", err);
	mren_cursor_bytes(&cursor, MAGIC_LENGTH);
	size = mren_cursor_u64(&cursor);
	checksum = mren_cursor_u64(&cursor);
	if (size < FIXED || size > len)
		return damaged("its length", err);
	if (mren_hash64(bytes + 24, size - 24, size) != checksum)
		return damaged("its checksum", err);
	cursor.end = bytes + size;
	MREN_TRY(read_shape(&cursor, &shape, err));
	MREN_TRY(read_needs(&cursor, has_encoder(bytes), &shape, &needs, err));
	if (mren_tag_n_floats(&shape) + needs.encoder.tuning.n > max)
		return damaged("its weights are cut short", err);
	MREN_TRY(mren_tagger_create(env, &shape, tagger, err));
	status = read_rest(&cursor, &needs, *tagger, err);
	if (status != MREN_OK)
	{
		mren_tagger_free(env, *tagger);
		*tagger = NULL;
	}
	*header = size;
	return status;
}

MrenStatus
mren_tagger_from_header(const MrenEnv *env, const uint8_t *header, size_t len, MrenTagger **tagger,
						MrenError *err)
{
	size_t size;

	MREN_TRY(read_header(env, header, len, SIZE_MAX, &size, tagger, err));
	if (size == len)
		return MREN_OK;
	mren_tagger_free(env, *tagger);
	*tagger = NULL;
	return damaged("bytes follow its header", err);
}

/* Tensor i as it is set. */
typedef struct Target
{
	MrenTensorView view;
	float *data;
	bool *set;
} Target;

static Target
target_of(MrenTagger *tagger, size_t i)
{
	const MrenParameterTable *table = &tagger->layout.table;
	Target target;

	mren_tagger_tensor(tagger, i, &target.view);
	target.data = i < table->n ? tagger->values + table->items[i].at : tagger->encoder.tuned;
	target.set = i < table->n ? &tagger->set[i] : &tagger->encoder.set;
	return target;
}

static MrenStatus
check_finite(const Target *target, MrenError *err)
{
	for (size_t j = 0; j < target->view.rows * target->view.cols; j++)
	{
		if (!isfinite(target->data[j]))
			return mren_fail(err, MREN_ENUMERIC, "weights \"%s\" of the tagger are not finite",
							 target->view.name);
	}
	*target->set = true;
	return MREN_OK;
}

MrenStatus
mren_tagger_set_tensor(MrenTagger *tagger, const char *name, size_t rows, size_t cols,
					   const float *data, MrenError *err)
{
	for (size_t i = 0; i < mren_tagger_n_tensors(tagger); i++)
	{
		Target target = target_of(tagger, i);

		if (strcmp(target.view.name, name) != 0)
			continue;
		if (target.view.rows != rows || target.view.cols != cols)
			return mren_fail(err, MREN_EFORMAT,
							 "invalid tagger: weights \"%s\" are %zu by %zu instead of %zu by %zu",
							 name, rows, cols, target.view.rows, target.view.cols);
		memcpy(target.data, data, rows * cols * sizeof(float));
		return check_finite(&target, err);
	}
	return mren_fail(err, MREN_EFORMAT, "invalid tagger: it has no weights \"%.40s\"", name);
}

static MrenStatus
read_tensors(const uint8_t *bytes, size_t len, MrenTagger *tagger, MrenError *err)
{
	MrenCursor cursor = {bytes, bytes + len, false};

	for (size_t i = 0; i < mren_tagger_n_tensors(tagger); i++)
	{
		Target target = target_of(tagger, i);

		MREN_TRY(mren_check_interrupts(&tagger->env, err));
		if (!mren_cursor_floats(&cursor, target.data, target.view.rows * target.view.cols))
			return damaged("its weights are cut short", err);
		MREN_TRY(check_finite(&target, err));
	}
	if (mren_cursor_left(&cursor) != 8)
		return damaged("its length", err);
	return MREN_OK;
}

MrenStatus
mren_tagger_deserialize(const MrenEnv *env, const uint8_t *bytes, size_t len, MrenTagger **tagger,
						MrenError *err)
{
	MrenTagger *made;
	size_t header;
	MrenStatus status;
	MrenCursor checksum;

	MREN_TRY(read_header(env, bytes, len, len / sizeof(float), &header, &made, err));
	status = read_tensors(bytes + header, len - header, made, err);
	checksum = (MrenCursor){bytes + len - 8, bytes + len, false};
	if (status == MREN_OK &&
		mren_cursor_u64(&checksum) != mren_hash64(bytes + header, len - header - 8, header))
		status = damaged("the checksum of its weights", err);
	if (status == MREN_OK)
		status = mren_tagger_complete(made, err);
	if (status != MREN_OK)
	{
		mren_tagger_free(env, made);
		return status;
	}
	*tagger = made;
	return MREN_OK;
}
