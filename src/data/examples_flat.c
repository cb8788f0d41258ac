/*
 * examples_flat.c
 *	  The flat form of a set of training rows: writing and parsing.
 *
 * A header, the records in order, and after them hash and item of each image's vector,
 * of each image's grid and of each recording's vector, by ascending hash.  The header,
 * little-endian, offsets in bytes:
 *	  0 magic: "MRENset1", with grids "MRENset2", with audio "MRENset3"
 *	  8 u64 rows   16 u64 images   24 u64 bytes of records
 *	 32 u64 word dimension   40 u64 image dimension   48 u64 bytes of options
 *	 56 u64 1 with an image encoder, else 0
 *	 64 sha256 of the embeddings   96 sha256 of the image encoder
 *	128 u64 checksum of all other bytes of the header but the padding
 *	136 options, and zeros to a multiple of 8
 * "MRENset2" and "MRENset3" go on with
 *	  u64 grids, height, width, channels: zeros without grids
 * and "MRENset3" with
 *	  u64 recordings, audio dimension; sha256 of the audio encoder
 */
#include "data/examples.h"

#include <string.h>

#include "base/half_array.h"
#include "data/examples_internal.h"

#define FLAT_MAGIC "MRENset1"
#define GRIDS_MAGIC "MRENset2"
#define GRIDS_FIXED 32
#define AUDIO_MAGIC "MRENset3"
#define AUDIO_FIXED 48
#define FLAT_FIXED 136
#define MAX_DIM (1 << 20) /* of a vector */

static size_t
padded(size_t n)
{
	return (n + 7) & ~(size_t) 7;
}

size_t
mren_examples_flat_size(const MrenExamples *examples)
{
	bool audio = examples->head.audio_dim > 0;
	bool grids = audio || mren_grid_size(&examples->head.grid) > 0;

	return FLAT_FIXED + padded(examples->head.n_options) + (grids ? GRIDS_FIXED : 0) +
		   (audio ? AUDIO_FIXED : 0) + examples->records.len +
		   examples->vectors.n * (16 + examples->vectors.size) +
		   examples->grids.n * (16 + examples->grids.size) +
		   examples->recordings.n * (16 + examples->recordings.size);
}

static void
put_flat_head(const MrenExamples *set, MrenBuffer *out)
{
	const MrenExamplesHead *head = &set->head;
	bool audio = head->audio_dim > 0;
	bool grids = audio || mren_grid_size(&head->grid) > 0;
	uint64_t recordings[2] = {set->recordings.n, head->audio_dim};
	uint64_t shape[4] = {set->grids.n, head->grid.height, head->grid.width, head->grid.channels};
	uint64_t checksum;

	mren_buffer_put_bytes(out, audio ? AUDIO_MAGIC : grids ? GRIDS_MAGIC : FLAT_MAGIC, 8);
	mren_buffer_put_u64(out, set->n);
	mren_buffer_put_u64(out, set->vectors.n);
	mren_buffer_put_u64(out, set->records.len);
	mren_buffer_put_u64(out, head->dim);
	mren_buffer_put_u64(out, head->image_dim);
	mren_buffer_put_u64(out, head->n_options);
	mren_buffer_put_u64(out, head->has_encoder ? 1 : 0);
	mren_buffer_put_bytes(out, head->embeddings, 32);
	mren_buffer_put_bytes(out, head->encoder, 32);
	checksum = mren_hash64(head->options, head->n_options, mren_hash64(out->data, out->len, 0));
	if (grids)
		checksum = mren_hash64(shape, sizeof(shape), checksum);
	if (audio)
		checksum = mren_hash64(head->audio_encoder, sizeof(head->audio_encoder),
							   mren_hash64(recordings, sizeof(recordings), checksum));
	mren_buffer_put_u64(out, checksum);
	mren_buffer_put_bytes(out, head->options, head->n_options);
	mren_buffer_put_zeros(out, padded(head->n_options) - head->n_options);
	for (int i = 0; i < 4 && grids; i++)
		mren_buffer_put_u64(out, shape[i]);
	for (int i = 0; i < 2 && audio; i++)
		mren_buffer_put_u64(out, recordings[i]);
	if (audio)
		mren_buffer_put_bytes(out, head->audio_encoder, sizeof(head->audio_encoder));
}

void
mren_examples_flatten(MrenExamples *examples, uint8_t *out)
{
	MrenBuffer buffer = {out, 0, mren_examples_flat_size(examples)};

	mren_examples_sort(examples);
	put_flat_head(examples, &buffer);
	for (size_t i = 0; i < examples->n; i++)
	{
		const uint8_t *record = examples->records.data + examples->index[i].at;

		mren_buffer_put_bytes(
			&buffer, record,
			mren_example_size(record, examples->records.len - examples->index[i].at));
	}
	mren_image_store_put(&examples->vectors, &buffer);
	mren_image_store_put(&examples->grids, &buffer);
	mren_image_store_put(&examples->recordings, &buffer);
}

static MrenStatus
fail_flat(MrenError *err, const char *what)
{
	return mren_fail(err, MREN_EFORMAT, "invalid training set: %s", what);
}

typedef struct FlatHead
{
	MrenExamplesHead head;
	size_t n;
	size_t n_images;
	size_t n_bytes; /* of records */
	size_t n_grids;
	size_t n_recordings;
} FlatHead;

/* What lies after the options of a set with grids; its checksum goes on. */
static MrenStatus
read_grid_head(MrenCursor *cursor, FlatHead *flat, uint64_t *checksum, MrenError *err)
{
	uint64_t shape[4];

	for (int i = 0; i < 4; i++)
		shape[i] = mren_cursor_u64(cursor);
	*checksum = mren_hash64(shape, sizeof(shape), *checksum);
	flat->n_grids = shape[0];
	flat->head.grid = (MrenGridShape){shape[1], shape[2], shape[3]};
	if (cursor->failed || mren_grid_check(&flat->head.grid, err) != MREN_OK)
		return fail_flat(err, "its header is damaged");
	return MREN_OK;
}

/* What lies after that of a set with audio. */
static MrenStatus
read_audio_head(MrenCursor *cursor, FlatHead *flat, uint64_t *checksum, MrenError *err)
{
	uint64_t recordings[2] = {mren_cursor_u64(cursor), mren_cursor_u64(cursor)};
	const uint8_t *sha256 = mren_cursor_bytes(cursor, sizeof(flat->head.audio_encoder));

	if (sha256 == NULL || recordings[1] == 0 || recordings[1] > MAX_DIM)
		return fail_flat(err, "its header is damaged");
	flat->n_recordings = recordings[0];
	flat->head.audio_dim = recordings[1];
	memcpy(flat->head.audio_encoder, sha256, sizeof(flat->head.audio_encoder));
	*checksum = mren_hash64(sha256, sizeof(flat->head.audio_encoder),
							mren_hash64(recordings, sizeof(recordings), *checksum));
	return MREN_OK;
}

static MrenStatus
read_flat_head(MrenCursor *cursor, FlatHead *flat, MrenError *err)
{
	const uint8_t *start = cursor->at;
	const uint8_t *magic = mren_cursor_bytes(cursor, 8);
	bool audio = magic != NULL && memcmp(magic, AUDIO_MAGIC, 8) == 0;
	bool grids = audio || (magic != NULL && memcmp(magic, GRIDS_MAGIC, 8) == 0);
	uint64_t numbers[7];
	uint64_t checksum;
	uint64_t found;
	const uint8_t *sha256s;
	uint8_t padding = 0;

	memset(flat, 0, sizeof(*flat));
	if (magic == NULL || (!grids && memcmp(magic, FLAT_MAGIC, 8) != 0))
		return fail_flat(err, "it does not begin as one");
	for (int i = 0; i < 7; i++)
		numbers[i] = mren_cursor_u64(cursor);
	sha256s = mren_cursor_bytes(cursor, 64);
	checksum = mren_cursor_u64(cursor);
	flat->n = numbers[0];
	flat->n_images = numbers[1];
	flat->n_bytes = numbers[2];
	flat->head.dim = numbers[3];
	flat->head.image_dim = numbers[4];
	flat->head.n_options = numbers[5];
	flat->head.has_encoder = numbers[6] == 1;
	if (cursor->failed || numbers[6] > 1 || numbers[5] > mren_cursor_left(cursor) ||
		numbers[3] > MAX_DIM || numbers[4] > MAX_DIM)
		return fail_flat(err, "its header is damaged");
	memcpy(flat->head.embeddings, sha256s, 32);
	memcpy(flat->head.encoder, sha256s + 32, 32);
	flat->head.options = (const char *) mren_cursor_bytes(cursor, flat->head.n_options);
	for (size_t i = flat->head.n_options; i < padded(flat->head.n_options); i++)
		padding |= mren_cursor_u8(cursor);
	if (cursor->failed)
		return fail_flat(err, "its header is damaged");
	found = mren_hash64(flat->head.options, flat->head.n_options, mren_hash64(start, 128, 0));
	if (grids)
		MREN_TRY(read_grid_head(cursor, flat, &found, err));
	if (audio)
		MREN_TRY(read_audio_head(cursor, flat, &found, err));
	else if (grids && mren_grid_size(&flat->head.grid) == 0)
		return fail_flat(err, "its header is damaged");
	if (padding != 0 || found != checksum)
		return fail_flat(err, "its header is damaged");
	return MREN_OK;
}

static MrenStatus
parse_images(MrenExamples *set, MrenCursor *cursor, const FlatHead *flat, MrenError *err)
{
	size_t dim = set->head.image_dim;

	if (flat->n_images > 0 && dim == 0)
		return fail_flat(err, "it has images without a dimension");
	MREN_TRY(mren_image_store_parse(&set->env, &set->vectors, cursor, flat->n_images, err));
	for (size_t i = 0; i < set->vectors.n; i++)
		MREN_TRY(mren_examples_check_finite(
			(const float *) (const void *) set->vectors.items + i * dim, dim, "image", err));
	MREN_TRY(mren_image_store_parse(&set->env, &set->grids, cursor, flat->n_grids, err));
	if (!mren_half_all_finite((const uint16_t *) (const void *) set->grids.items,
							  set->grids.n * set->grids.size / sizeof(uint16_t)))
		return mren_fail(err, MREN_ENUMERIC, "a number in the grid of an image is not finite");
	dim = set->head.audio_dim;
	MREN_TRY(mren_image_store_parse(&set->env, &set->recordings, cursor, flat->n_recordings, err));
	for (size_t i = 0; i < set->recordings.n; i++)
		MREN_TRY(mren_examples_check_finite(
			(const float *) (const void *) set->recordings.items + i * dim, dim, "audio", err));
	return mren_cursor_left(cursor) == 0 ? MREN_OK : fail_flat(err, "it is too long");
}

/* Indexes and checks the records, which are in the set's buffer already. */
static MrenStatus
parse_records(MrenExamples *set, size_t n, MrenError *err)
{
	size_t at = 0;
	size_t previous = 0;

	MREN_TRY(mren_grow(&set->env, &set->index, &set->index_capacity, 0, n, sizeof(MrenKeyed), err));
	for (size_t i = 0; i < n; i++)
	{
		const uint8_t *records = set->records.data;
		MrenExample example;
		size_t size;

		if (i % 1024 == 0)
			MREN_TRY(mren_check_interrupts(&set->env, err));
		MREN_TRY(mren_example_read(records + at, set->records.len - at, &example, &size, err));
		if (i > 0 && mren_example_compare(records + previous, records + at) > 0)
			return fail_flat(err, "its examples are out of order");
		if (example.has_image && !mren_examples_has_image(set, &example.image))
			return fail_flat(err, "an example's image is missing");
		if (example.has_grid && mren_image_store_find(&set->grids, &example.image) == NULL)
			return fail_flat(err, "an example's grid is missing");
		if (example.has_audio && mren_image_store_find(&set->recordings, &example.audio) == NULL)
			return fail_flat(err, "an example's recording is missing");
		set->index[set->n++] = (MrenKeyed){example.hash, at};
		previous = at;
		at += size;
	}
	return at == set->records.len ? MREN_OK : fail_flat(err, "its number of examples is wrong");
}

static MrenStatus
parse_rest(MrenExamples *set, MrenCursor *cursor, const FlatHead *flat, MrenError *err)
{
	const uint8_t *records = mren_cursor_bytes(cursor, flat->n_bytes);

	if (records == NULL || flat->n > flat->n_bytes / 8)
		return fail_flat(err, "it is too short");
	MREN_TRY(mren_buffer_append(&set->env, &set->records, records, flat->n_bytes, err));
	MREN_TRY(parse_images(set, cursor, flat, err));
	return parse_records(set, flat->n, err);
}

MrenStatus
mren_examples_parse(const MrenEnv *env, const uint8_t *bytes, size_t len, MrenExamples **examples,
					MrenError *err)
{
	MrenCursor cursor = {bytes, bytes + len, false};
	FlatHead flat;
	MrenStatus status;

	*examples = NULL;
	MREN_TRY(read_flat_head(&cursor, &flat, err));
	MREN_TRY(mren_examples_create(env, &flat.head, examples, err));
	status = parse_rest(*examples, &cursor, &flat, err);
	if (status != MREN_OK)
	{
		mren_examples_free(*examples);
		*examples = NULL;
	}
	return status;
}
