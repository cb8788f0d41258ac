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
 * The whole form is the header, then each tensor's floats in the layout's order,
 * then a u64 checksum of those.
 */
#include "tagger/tagger_internal.h"

#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "base/size.h"

#define MAGIC "MRENtag1"
#define MAGIC_LENGTH 8
#define FIXED 160

static MrenStatus
damaged(const char *what, MrenError *err)
{
	return mren_fail(err, MREN_EFORMAT, "invalid tagger: %s", what);
}

bool
mren_tagger_is(const uint8_t *bytes, size_t len)
{
	return len >= MAGIC_LENGTH && memcmp(bytes, MAGIC, MAGIC_LENGTH) == 0;
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

static MrenStatus
put_header(const MrenTagger *tagger, const MrenEnv *env, MrenBuffer *out, MrenError *err)
{
	MrenBuffer patch;

	MREN_TRY(mren_buffer_reserve(env, out, FIXED + 32 * tagger->shape.n_lexicons, err));
	mren_buffer_put_bytes(out, MAGIC, MAGIC_LENGTH);
	mren_buffer_put_zeros(out, 16);
	put_fixed(tagger, out);
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
	const MrenParameterTable *table = &tagger->layout.table;
	size_t start = out->len;

	for (size_t i = 0; i < table->n; i++)
	{
		size_t n = table->items[i].rows * table->items[i].cols;

		MREN_TRY(mren_check_interrupts(env, err));
		MREN_TRY(mren_buffer_reserve(env, out, n * sizeof(float), err));
		mren_buffer_put_floats(out, tagger->values + table->items[i].at, n);
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
	status = mren_buffer_reserve(
		env, &out, tagger->layout.table.size * sizeof(float) + tagger->n_training * 8 + 4096, err);
	if (status == MREN_OK)
		status = put_header(tagger, env, &out, err);
	if (status == MREN_OK)
		status = put_tensors(tagger, env, &out, err);
	return give(env, status, &out, bytes, len);
}

size_t
mren_tagger_n_tensors(const MrenTagger *tagger)
{
	return tagger->layout.table.n;
}

void
mren_tagger_tensor(const MrenTagger *tagger, size_t i, MrenTensorView *view)
{
	const MrenParameter *tensor = &tagger->layout.table.items[i];

	*view = (MrenTensorView){tensor->name, tensor->rows, tensor->cols, tagger->values + tensor->at};
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

static MrenStatus
read_rest(MrenCursor *cursor, MrenTagger *tagger, MrenError *err)
{
	const uint8_t *sha256 = mren_cursor_bytes(cursor, 32);
	uint64_t n = mren_cursor_u64(cursor);

	if (sha256 == NULL || cursor->failed)
		return damaged("it is cut short", err);
	memcpy(tagger->embeddings_sha256, sha256, 32);
	for (size_t i = 0; i < tagger->shape.n_lexicons; i++)
	{
		sha256 = mren_cursor_bytes(cursor, 32);
		if (sha256 == NULL)
			return damaged("its lexicons", err);
		memcpy(tagger->lexicons_sha256[i], sha256, 32);
	}
	MREN_TRY(read_types(cursor, tagger, err));
	return read_training(cursor, tagger, n, err);
}

/*
 * Reads the header at bytes, which gives its own length, and nothing behind it.
 * A tagger of more than max floats is refused before they are allocated.
 */
static MrenStatus
read_header(const MrenEnv *env, const uint8_t *bytes, size_t len, size_t max, size_t *header,
			MrenTagger **tagger, MrenError *err)
{
	MrenCursor cursor = {bytes, bytes + len, false};
	MrenTagShape shape;
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
	if (mren_tag_n_floats(&shape) > max)
		return damaged("its weights are cut short", err);
	MREN_TRY(mren_tagger_create(env, &shape, tagger, err));
	status = read_rest(&cursor, *tagger, err);
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

static MrenStatus
check_finite(const MrenTagger *tagger, size_t i, MrenError *err)
{
	const MrenParameter *tensor = &tagger->layout.table.items[i];

	for (size_t j = 0; j < tensor->rows * tensor->cols; j++)
	{
		if (!isfinite(tagger->values[tensor->at + j]))
			return mren_fail(err, MREN_ENUMERIC, "weights \"%s\" of the tagger are not finite",
							 tensor->name);
	}
	return MREN_OK;
}

MrenStatus
mren_tagger_set_tensor(MrenTagger *tagger, const char *name, size_t rows, size_t cols,
					   const float *data, MrenError *err)
{
	const MrenParameterTable *table = &tagger->layout.table;

	for (size_t i = 0; i < table->n; i++)
	{
		const MrenParameter *tensor = &table->items[i];

		if (strcmp(tensor->name, name) != 0)
			continue;
		if (tensor->rows != rows || tensor->cols != cols)
			return mren_fail(err, MREN_EFORMAT,
							 "invalid tagger: weights \"%s\" are %zu by %zu instead of %zu by %zu",
							 name, rows, cols, tensor->rows, tensor->cols);
		memcpy(tagger->values + tensor->at, data, rows * cols * sizeof(float));
		tagger->set[i] = true;
		return check_finite(tagger, i, err);
	}
	return mren_fail(err, MREN_EFORMAT, "invalid tagger: it has no weights \"%.40s\"", name);
}

static MrenStatus
read_tensors(const uint8_t *bytes, size_t len, MrenTagger *tagger, MrenError *err)
{
	const MrenParameterTable *table = &tagger->layout.table;
	MrenCursor cursor = {bytes, bytes + len, false};

	for (size_t i = 0; i < table->n; i++)
	{
		const MrenParameter *tensor = &table->items[i];

		MREN_TRY(mren_check_interrupts(&tagger->env, err));
		if (!mren_cursor_floats(&cursor, tagger->values + tensor->at, tensor->rows * tensor->cols))
			return damaged("its weights are cut short", err);
		MREN_TRY(check_finite(tagger, i, err));
		tagger->set[i] = true;
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
