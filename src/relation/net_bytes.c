/*
 * net_bytes.c
 *	  The portable form of a network.
 *
 * Header, little-endian:
 *	 0 "MRENnet2"   8 u64 length of the header   16 u64 checksum of what follows
 *	24 u32 word dimension, image dimension, types, relations, window, product,
 *	   activation, hidden layers, their 8 sizes (unused ones 0)
 *	88 i32 negative relation   92 f32 scale   96 f64 threshold   104 f64 temperature
 *	112 sha256 of embeddings, of the encoder   176 u64 number of training rows
 *	184 the fields of net_fields.h; then relations, then types, each u32 length and
 *	   bytes, in bytewise order; then the training rows' identities, u64 each, ascending
 * Version 0.1 wrote "MRENnet1", which has no fields; it can be read, too.  The whole form is the
 * header, then each tensor (u32 length of the name, name, u64 rows, u64 columns, floats) in the
 * layout's order, then the trained ones of an ensemble's further members, then those of a marker
 * classifier, then a u64 checksum of the tensors' bytes.
 */
#include "relation/net_fields.h"

#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "base/weights.h"

#define MAGIC "MRENnet2"
#define FIRST_MAGIC "MRENnet1" /* without fields */
#define FIXED 184

#define PIECE ((size_t) 1 << 20) /* floats between two checks for interrupts */

static MrenStatus
put_names(const MrenEnv *env, MrenBuffer *out, const MrenNames *names, MrenError *err)
{
	for (size_t i = 0; i < names->n; i++)
	{
		MrenTextSpan name = mren_names_get(names, i);

		MREN_TRY(mren_buffer_reserve(env, out, 4 + (size_t) name.len, err));
		mren_buffer_put_u32(out, name.len);
		mren_buffer_put_bytes(out, name.data, name.len);
	}
	return MREN_OK;
}

/* Bytes 24 to FIXED. */
static void
put_fixed(const MrenNet *net, MrenBuffer *out)
{
	const MrenNetShape *shape = &net->shape;

	mren_buffer_put_u32(out, (uint32_t) shape->embedding_dim);
	mren_buffer_put_u32(out, (uint32_t) shape->image_dim);
	mren_buffer_put_u32(out, (uint32_t) shape->n_types);
	mren_buffer_put_u32(out, (uint32_t) shape->n_relations);
	mren_buffer_put_u32(out, (uint32_t) shape->window);
	mren_buffer_put_u32(out, (uint32_t) shape->product);
	mren_buffer_put_u32(out, (uint32_t) shape->activation);
	mren_buffer_put_u32(out, (uint32_t) shape->n_hidden);
	for (size_t i = 0; i < MREN_MAX_HIDDEN; i++)
		mren_buffer_put_u32(out, i < shape->n_hidden ? (uint32_t) shape->hidden[i] : 0);
	mren_buffer_put_u32(out, (uint32_t) net->negative);
	mren_buffer_put_f32(out, net->scale);
	mren_buffer_put_f64(out, net->threshold);
	mren_buffer_put_f64(out, net->temperature);
	mren_buffer_put_bytes(out, net->embeddings_sha256, 32);
	mren_buffer_put_bytes(out, net->encoder_sha256, 32);
	mren_buffer_put_u64(out, net->n_training);
}

static MrenStatus
put_header(const MrenNet *net, const MrenEnv *env, MrenBuffer *out, MrenError *err)
{
	MrenBuffer patch;

	MREN_TRY(mren_buffer_reserve(env, out, FIXED, err));
	mren_buffer_put_bytes(out, MAGIC, 8);
	mren_buffer_put_zeros(out, 16);
	put_fixed(net, out);
	MREN_TRY(mren_net_fields_put(net, env, out, err));
	MREN_TRY(put_names(env, out, &net->relations, err));
	MREN_TRY(put_names(env, out, &net->types, err));
	MREN_TRY(mren_buffer_reserve(env, out, net->n_training * sizeof(uint64_t), err));
	for (size_t i = 0; i < net->n_training; i++)
		mren_buffer_put_u64(out, net->training[i]);
	patch = (MrenBuffer){out->data + 8, 0, 16};
	mren_buffer_put_u64(&patch, out->len);
	mren_buffer_put_u64(&patch, mren_hash64(out->data + 24, out->len - 24, out->len));
	return MREN_OK;
}

MrenStatus
mren_net_header(const MrenNet *net, const MrenEnv *env, uint8_t **bytes, size_t *len,
				MrenError *err)
{
	MrenBuffer out = {0};
	MrenStatus status = put_header(net, env, &out, err);

	if (status != MREN_OK)
	{
		mren_buffer_free(env, &out);
		return status;
	}
	*bytes = out.data;
	*len = out.len;
	return MREN_OK;
}

/*
 * Memory has been reserved, but writing to it for the first time takes long
 * enough to check for interrupts.
 */
static MrenStatus
put_floats(const MrenEnv *env, MrenBuffer *out, const float *values, size_t n, MrenError *err)
{
	for (size_t i = 0; i < n; i += PIECE)
	{
		if (i > 0)
			MREN_TRY(mren_check_interrupts(env, err));
		mren_buffer_put_floats(out, values + i, n - i < PIECE ? n - i : PIECE);
	}
	return MREN_OK;
}

static MrenStatus
put_tensors(const MrenNet *net, const MrenEnv *env, MrenBuffer *out, MrenError *err)
{
	size_t start = out->len;

	for (size_t i = 0; i < mren_net_n_tensors(net); i++)
	{
		MrenTensorView tensor;
		size_t n;
		size_t n_name;

		mren_net_tensor(net, i, &tensor);
		n = tensor.rows * tensor.cols;
		n_name = strlen(tensor.name);
		MREN_TRY(mren_check_interrupts(env, err));
		MREN_TRY(mren_buffer_reserve(env, out, 20 + n_name + n * sizeof(float), err));
		mren_buffer_put_u32(out, (uint32_t) n_name);
		mren_buffer_put_bytes(out, tensor.name, n_name);
		mren_buffer_put_u64(out, tensor.rows);
		mren_buffer_put_u64(out, tensor.cols);
		MREN_TRY(put_floats(env, out, tensor.data, n, err));
	}
	MREN_TRY(mren_buffer_reserve(env, out, 8, err));
	mren_buffer_put_u64(out, mren_hash64(out->data + start, out->len - start, start));
	return MREN_OK;
}

MrenStatus
mren_net_serialize(const MrenNet *net, const MrenEnv *env, uint8_t **bytes, size_t *len,
				   MrenError *err)
{
	MrenBuffer out = {0};
	MrenStatus status;

	/* One allocation for nearly everything; only the names may need more. */
	status = mren_buffer_reserve(
		env, &out,
		net->n_members * net->layout.table.size * sizeof(float) + net->n_training * 8 + 4096, err);
	if (status == MREN_OK)
		status = put_header(net, env, &out, err);
	if (status == MREN_OK)
		status = put_tensors(net, env, &out, err);
	if (status != MREN_OK)
	{
		mren_buffer_free(env, &out);
		return status;
	}
	*bytes = out.data;
	*len = out.len;
	return MREN_OK;
}

static MrenStatus
fail_bytes(MrenError *err, const char *what)
{
	return mren_fail(err, MREN_EFORMAT, "invalid network: %s", what);
}

static void
read_shape(MrenCursor *cursor, MrenNetShape *shape)
{
	shape->embedding_dim = mren_cursor_u32(cursor);
	shape->image_dim = mren_cursor_u32(cursor);
	shape->n_types = mren_cursor_u32(cursor);
	shape->n_relations = mren_cursor_u32(cursor);
	shape->window = mren_cursor_u32(cursor);
	shape->product = mren_cursor_u32(cursor);
	shape->activation = (MrenActivation) mren_cursor_u32(cursor);
	shape->n_hidden = mren_cursor_u32(cursor);
	for (size_t i = 0; i < MREN_MAX_HIDDEN; i++)
		shape->hidden[i] = mren_cursor_u32(cursor);
}

/* The numbers between the shape and the names. */
static MrenStatus
read_scalars(MrenCursor *cursor, MrenNet *net, MrenError *err)
{
	const uint8_t *sha256s;

	net->negative = (int32_t) mren_cursor_u32(cursor);
	net->scale = mren_cursor_f32(cursor);
	net->threshold = mren_cursor_f64(cursor);
	net->temperature = mren_cursor_f64(cursor);
	sha256s = mren_cursor_bytes(cursor, 64);
	net->n_training = mren_cursor_u64(cursor);
	if (cursor->failed)
		return fail_bytes(err, "its header is too short");
	memcpy(net->embeddings_sha256, sha256s, 32);
	memcpy(net->encoder_sha256, sha256s + 32, 32);
	if (net->negative < -1 || net->negative >= (int32_t) net->shape.n_relations)
		return fail_bytes(err, "its negative relation is unknown");
	if (!(net->scale > 0 && net->scale < 1e6f) || !(net->temperature > 0 && net->temperature < 1e6))
		return fail_bytes(err, "a scale is out of range");
	if (!(net->threshold <= 1 && net->threshold >= -1))
		return fail_bytes(err, "its threshold is out of range");
	return MREN_OK;
}

static MrenStatus
read_names(const MrenEnv *env, MrenCursor *cursor, MrenNames *names, size_t n, MrenError *err)
{
	MrenTextSpan previous = {NULL, 0};

	for (size_t i = 0; i < n; i++)
	{
		MrenTextSpan name;
		uint32_t number;

		name.len = mren_cursor_u32(cursor);
		if (name.len > MREN_MAX_LABEL)
			return fail_bytes(err, "a name is too long");
		name.data = (const char *) mren_cursor_bytes(cursor, name.len);
		if (cursor->failed)
			return fail_bytes(err, "its header is too short");
		if (i > 0 && mren_text_span_compare(previous, name) >= 0)
			return fail_bytes(err, "its names are out of order");
		MREN_TRY(mren_names_intern(env, names, name, &number, err));
		previous = name;
	}
	return MREN_OK;
}

static MrenStatus
read_training(const MrenEnv *env, MrenCursor *cursor, MrenNet *net, MrenError *err)
{
	bool filled;

	if (net->n_training != mren_cursor_left(cursor) / 8 || mren_cursor_left(cursor) % 8 != 0)
		return fail_bytes(err, "its header does not end with its training rows");
	MREN_TRY(mren_allocate_weights(env, net->n_training, sizeof(uint64_t), &net->training, &filled,
								   err));
	for (size_t i = 0; i < net->n_training && !filled; i++)
	{
		net->training[i] = mren_cursor_u64(cursor);
		if (i > 0 && net->training[i - 1] > net->training[i])
			return fail_bytes(err, "its training rows are out of order");
	}
	return MREN_OK;
}

/* Reads all of it; the shape is checked before memory is allocated for it. */
static MrenStatus
read_all(const MrenEnv *env, MrenCursor *cursor, bool has_fields, size_t limit, MrenNet *net,
		 MrenError *err)
{
	read_shape(cursor, &net->shape);
	MREN_TRY(read_scalars(cursor, net, err));
	if (has_fields)
		MREN_TRY(mren_net_fields_read(env, cursor, net, err));
	MREN_TRY(mren_net_shape_check(&net->shape, err));
	if ((net->audio_encoder.len > 0) != (net->shape.audio_dim > 0))
		return fail_bytes(err, "its audio encoder is missing");
	MREN_TRY(mren_net_allocate(net, limit, err));
	MREN_TRY(read_names(env, cursor, &net->relations, net->shape.n_relations, err));
	MREN_TRY(read_names(env, cursor, &net->types, net->shape.n_types, err));
	return read_training(env, cursor, net, err);
}

/* The length of the header if bytes hold all of it; else 0. */
static size_t
header_length(const uint8_t *bytes, size_t len)
{
	MrenCursor cursor = {bytes, bytes + len, false};
	uint64_t length;

	if (len < FIXED || (memcmp(bytes, MAGIC, 8) != 0 && memcmp(bytes, FIRST_MAGIC, 8) != 0))
		return 0;
	mren_cursor_bytes(&cursor, 8);
	length = mren_cursor_u64(&cursor);
	return length >= FIXED && length <= len ? (size_t) length : 0;
}

/*
 * Allows at most `limit` floats of tensors, so that a small file cannot make
 * the server allocate much memory.
 */
static MrenStatus
read_header(const MrenEnv *env, const uint8_t *bytes, size_t len, size_t limit, MrenNet **net,
			MrenError *err)
{
	MrenCursor cursor = {bytes + 16, bytes + len, false};
	bool has_fields = memcmp(bytes, MAGIC, 8) == 0;
	MrenStatus status;

	if (mren_cursor_u64(&cursor) != mren_hash64(bytes + 24, len - 24, len))
		return fail_bytes(err, "its header's checksum does not match");
	MREN_TRY(mren_net_new(env, net, err));
	status = read_all(env, &cursor, has_fields, limit, *net, err);
	if (status != MREN_OK)
	{
		mren_net_free(env, *net);
		*net = NULL;
	}
	return status;
}

MrenStatus
mren_net_from_header(const MrenEnv *env, const uint8_t *header, size_t len, MrenNet **net,
					 MrenError *err)
{
	*net = NULL;
	if (header_length(header, len) != len)
		return fail_bytes(err, "it does not begin as one");
	return read_header(env, header, len, SIZE_MAX, net, err);
}

static MrenStatus
read_tensors(const MrenEnv *env, MrenCursor *cursor, MrenNet *net, MrenError *err)
{
	for (size_t i = 0; i < mren_net_n_tensors(net); i++)
	{
		MrenTensorSlot slot = mren_net_slot(net, i);
		const MrenParameter *tensor = slot.tensor;
		uint32_t n_name = mren_cursor_u32(cursor);
		const uint8_t *name = mren_cursor_bytes(cursor, n_name);
		uint64_t rows = mren_cursor_u64(cursor);
		uint64_t cols = mren_cursor_u64(cursor);

		MREN_TRY(mren_check_interrupts(env, err));
		if (cursor->failed || n_name != strlen(tensor->name) ||
			memcmp(name, tensor->name, n_name) != 0 || rows != tensor->rows || cols != tensor->cols)
			return mren_fail(err, MREN_EFORMAT,
							 "invalid network: tensor \"%s\" is not where it belongs",
							 tensor->name);
		if (!mren_cursor_floats(cursor, slot.values, rows * cols))
			return fail_bytes(err, "it is too short for its tensors");
		*slot.set = true;
	}
	return MREN_OK;
}

static MrenStatus
read_body(const MrenEnv *env, const uint8_t *bytes, size_t len, size_t start, MrenNet *net,
		  MrenError *err)
{
	MrenCursor cursor = {bytes + start, bytes + len, false};
	MrenCursor checksum = {bytes + len - 8, bytes + len, false};

	if (len - start < 8 ||
		mren_cursor_u64(&checksum) != mren_hash64(bytes + start, len - start - 8, start))
		return fail_bytes(err, "its checksum does not match");
	MREN_TRY(read_tensors(env, &cursor, net, err));
	if (mren_cursor_left(&cursor) != 8)
		return fail_bytes(err, "it is too long");
	return mren_net_complete(net, err);
}

MrenStatus
mren_net_deserialize(const MrenEnv *env, const uint8_t *bytes, size_t len, MrenNet **net,
					 MrenError *err)
{
	size_t start = header_length(bytes, len);
	MrenStatus status;

	*net = NULL;
	if (start == 0)
		return fail_bytes(err, "it does not begin as one");
	/* Padding makes a tensor at most 15 floats longer in memory. */
	MREN_TRY(read_header(
		env, bytes, start,
		(len - start) / sizeof(float) + 16 * MREN_MAX_PARAMETERS * MREN_MAX_MEMBERS, net, err));
	status = read_body(env, bytes, len, start, *net, err);
	if (status != MREN_OK)
	{
		mren_net_free(env, *net);
		*net = NULL;
	}
	return status;
}
