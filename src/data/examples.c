/*
 * examples.c
 *	  Encoded training rows, gathered by the training aggregate.
 *
 * Owns the layout of MrenExamples.  Records lie one behind the other in one
 * buffer, with an index of (hash, offset); images' vectors and grids are kept
 * once for each image (image_store.h).  Appending rows and joining two sets
 * commute, because rows are only ever read through the sorted index.
 */
#include "data/examples.h"

#include <math.h>
#include <string.h>

#include "base/size.h"
#include "base/half_array.h"
#include "data/image_store.h"
#include "base/sort.h"

struct MrenExamples
{
	MrenEnv env;
	MrenExamplesHead head; /* options points to our copy */
	char *options;

	MrenBuffer records;
	MrenKeyed *index; /* (n) hash and offset */
	size_t index_capacity;
	size_t n;
	bool sorted;

	MrenImageStore vectors; /* (image_dim) floats each */
	MrenImageStore grids;	/* halves, as grid.h says */
	MrenImageStore sounds;	/* (audio_dim) floats each, by recording */
};

MrenStatus
mren_examples_create(const MrenEnv *env, const MrenExamplesHead *head, MrenExamples **examples,
					 MrenError *err)
{
	MrenExamples *set;
	char *options;

	MREN_TRY(mren_allocate(env, head->n_options + 1, 1, &options, err));
	if (mren_allocate_zero(env, 1, sizeof(*set), &set, err) != MREN_OK)
	{
		mren_release(env, options);
		return MREN_ENOMEM;
	}
	if (head->n_options > 0)
		memcpy(options, head->options, head->n_options);
	options[head->n_options] = '\0';
	set->env = *env;
	set->head = *head;
	set->head.options = set->options = options;
	set->sorted = true;
	set->vectors.size = head->image_dim * sizeof(float);
	set->grids.size = mren_grid_size(&head->grid) * sizeof(uint16_t);
	set->sounds.size = head->audio_dim * sizeof(float);
	*examples = set;
	return MREN_OK;
}

void
mren_examples_free(MrenExamples *examples)
{
	MrenEnv env;

	if (examples == NULL)
		return;
	env = examples->env;
	mren_buffer_free(&env, &examples->records);
	mren_release(&env, examples->index);
	mren_image_store_free(&env, &examples->vectors);
	mren_image_store_free(&env, &examples->grids);
	mren_image_store_free(&env, &examples->sounds);
	mren_release(&env, examples->options);
	mren_release(&env, examples);
}

void
mren_examples_head(const MrenExamples *examples, MrenExamplesHead *head)
{
	*head = examples->head;
}

size_t
mren_examples_count(const MrenExamples *examples)
{
	return examples->n;
}

size_t
mren_examples_bytes(const MrenExamples *examples)
{
	return sizeof(*examples) + examples->head.n_options + examples->records.capacity +
		   examples->index_capacity * sizeof(MrenKeyed) +
		   mren_image_store_bytes(&examples->vectors) + mren_image_store_bytes(&examples->grids) +
		   mren_image_store_bytes(&examples->sounds);
}

bool
mren_examples_has_image(const MrenExamples *examples, const MrenHash128 *hash)
{
	return mren_image_store_find(&examples->vectors, hash) != NULL;
}

static MrenStatus
check_finite(const float *vector, size_t dim, const char *what, MrenError *err)
{
	for (size_t i = 0; i < dim; i++)
	{
		if (!isfinite(vector[i]))
			return mren_fail(err, MREN_ENUMERIC, "element %zu of an %s vector is not finite", i + 1,
							 what);
	}
	return MREN_OK;
}

/*
 * Two images with the same vector and different grids are practically
 * impossible; if it happens, the grid with the smaller bytes is kept, so that
 * the order of rows does not matter.
 */
static MrenStatus
keep_grid(MrenExamples *set, const MrenHash128 *hash, const uint16_t *grid, MrenError *err)
{
	uint8_t *kept = mren_image_store_find(&set->grids, hash);

	if (kept == NULL)
	{
		MREN_TRY(mren_image_store_reserve(&set->env, &set->grids, err));
		mren_image_store_add(&set->grids, hash, grid);
	}
	else if (memcmp(grid, kept, set->grids.size) < 0)
		memcpy(kept, grid, set->grids.size);
	return MREN_OK;
}

MrenStatus
mren_examples_add_grid(MrenExamples *examples, const MrenHash128 *hash, const uint16_t *grid,
					   MrenError *err)
{
	size_t size = mren_grid_size(&examples->head.grid);

	if (size == 0)
		return mren_fail(err, MREN_EPARAM, "image has a grid, but the training set has no grids");
	if (!mren_half_all_finite(grid, size))
		return mren_fail(err, MREN_ENUMERIC, "a number in the grid of an image is not finite");
	return keep_grid(examples, hash, grid, err);
}

/* Checks the image of a row and reserves memory for it; *fresh if it must be added. */
static MrenStatus
prepare_image(MrenExamples *set, const MrenExample *example, const float *image, bool *fresh,
			  MrenError *err)
{
	*fresh = false;
	if (example->has_grid && mren_image_store_find(&set->grids, &example->image) == NULL)
		return mren_fail(err, MREN_EDATA, "the grid of a training row's image is missing");
	if (!example->has_image)
		return MREN_OK;
	if (set->head.image_dim == 0)
		return mren_fail(err, MREN_EPARAM,
						 "training row has an image, but the model is trained without images");
	if (mren_examples_has_image(set, &example->image))
		return MREN_OK;
	if (image == NULL)
		return mren_fail(err, MREN_EDATA, "the vector of a training row's image is missing");
	*fresh = true;
	MREN_TRY(check_finite(image, set->head.image_dim, "image", err));
	return mren_image_store_reserve(&set->env, &set->vectors, err);
}

/* The same of the recording. */
static MrenStatus
prepare_audio(MrenExamples *set, const MrenExample *example, const float *audio, bool *fresh,
			  MrenError *err)
{
	*fresh = false;
	if (!example->has_audio)
		return MREN_OK;
	if (set->head.audio_dim == 0)
		return mren_fail(err, MREN_EPARAM,
						 "training row has a recording, but the model is trained without them");
	if (mren_image_store_find(&set->sounds, &example->audio) != NULL)
		return MREN_OK;
	if (audio == NULL)
		return mren_fail(err, MREN_EDATA, "the vector of a training row's recording is missing");
	*fresh = true;
	MREN_TRY(check_finite(audio, set->head.audio_dim, "audio", err));
	return mren_image_store_reserve(&set->env, &set->sounds, err);
}

static uint64_t
record_hash(const uint8_t *record)
{
	MrenCursor cursor = {record + 8, record + 16, false};

	return mren_cursor_u64(&cursor);
}

MrenStatus
mren_examples_append(MrenExamples *examples, const MrenExample *example, const float *image,
					 MrenError *err)
{
	return mren_examples_append_row(examples, example, &(MrenRowVectors){image, NULL}, err);
}

MrenStatus
mren_examples_append_row(MrenExamples *examples, const MrenExample *example,
						 const MrenRowVectors *vectors, MrenError *err)
{
	size_t at = examples->records.len;
	bool fresh;
	bool fresh_audio;

	MREN_TRY(prepare_image(examples, example, vectors->image, &fresh, err));
	MREN_TRY(prepare_audio(examples, example, vectors->audio, &fresh_audio, err));
	MREN_TRY(mren_grow(&examples->env, &examples->index, &examples->index_capacity, examples->n,
					   examples->n + 1, sizeof(MrenKeyed), err));
	MREN_TRY(mren_example_append(&examples->env, &examples->records, example, err));
	if (fresh)
		mren_image_store_add(&examples->vectors, &example->image, vectors->image);
	if (fresh_audio)
		mren_image_store_add(&examples->sounds, &example->audio, vectors->audio);
	examples->index[examples->n++] = (MrenKeyed){record_hash(examples->records.data + at), at};
	examples->sorted = false;
	return MREN_OK;
}

static bool
same_head(const MrenExamplesHead *a, const MrenExamplesHead *b)
{
	return a->n_options == b->n_options && memcmp(a->options, b->options, a->n_options) == 0 &&
		   memcmp(a->embeddings, b->embeddings, 32) == 0 && a->dim == b->dim &&
		   a->has_encoder == b->has_encoder && memcmp(a->encoder, b->encoder, 32) == 0 &&
		   a->image_dim == b->image_dim && mren_grid_equal(&a->grid, &b->grid) &&
		   a->audio_dim == b->audio_dim &&
		   memcmp(a->audio_encoder, b->audio_encoder, sizeof(a->audio_encoder)) == 0;
}

static MrenStatus
merge_vectors(const MrenEnv *env, MrenImageStore *into, const MrenImageStore *from, MrenError *err)
{
	for (size_t i = 0; i < from->n; i++)
	{
		if (mren_image_store_find(into, &from->hashes[i]) != NULL)
			continue;
		MREN_TRY(mren_image_store_reserve(env, into, err));
		mren_image_store_add(into, &from->hashes[i], from->items + i * from->size);
	}
	return MREN_OK;
}

static MrenStatus
merge_images(MrenExamples *into, const MrenExamples *from, MrenError *err)
{
	MREN_TRY(merge_vectors(&into->env, &into->vectors, &from->vectors, err));
	MREN_TRY(merge_vectors(&into->env, &into->sounds, &from->sounds, err));
	for (size_t i = 0; i < from->grids.n; i++)
		MREN_TRY(keep_grid(
			into, &from->grids.hashes[i],
			(const uint16_t *) (const void *) (from->grids.items + i * from->grids.size), err));
	return MREN_OK;
}

MrenStatus
mren_examples_merge(MrenExamples *into, const MrenExamples *from, MrenError *err)
{
	size_t base = into->records.len;
	size_t n;

	if (!same_head(&into->head, &from->head))
	{
		mren_fail(err, MREN_EPARAM, "cannot combine training sets with different options");
		mren_error_hint(err, "Options, embeddings and image encoder must be the same in all rows.");
		return MREN_EPARAM;
	}
	if (!mren_size_add(into->n, from->n, &n))
		return mren_fail_nomem(err);
	MREN_TRY(merge_images(into, from, err));
	MREN_TRY(mren_grow(&into->env, &into->index, &into->index_capacity, into->n, n,
					   sizeof(MrenKeyed), err));
	MREN_TRY(
		mren_buffer_append(&into->env, &into->records, from->records.data, from->records.len, err));
	for (size_t i = 0; i < from->n; i++)
	{
		into->index[into->n] = from->index[i];
		into->index[into->n++].at += base;
	}
	into->sorted = into->sorted && from->n == 0;
	return MREN_OK;
}

static int
compare_records(const void *state, uint64_t a, uint64_t b)
{
	const uint8_t *records = state;

	return mren_example_compare(records + a, records + b);
}

static void
sort_rows(MrenExamples *set)
{
	if (!set->sorted)
		mren_sort_keyed(set->index, set->n, compare_records, set->records.data);
	set->sorted = true;
}

/*
 * The flat form: a head, the records in order, then each image that a record
 * may name, in order of its hash:
 *	 0 "MRENset1" ("MRENset2" with grids)   8 u64 rows   16 u64 images   24 u64 bytes of records
 *	32 u64 word dimension   40 u64 image dimension   48 u64 bytes of options
 *	56 u64 1 with an encoder   64 sha256 of embeddings   96 of the encoder
 *	128 u64 checksum of the bytes before it and the options   136 options, zeros to a multiple of 8
 * With grids the checksum also takes in, and behind the options lie, u64 grids, height, width
 * and channels; hashes and grids end it all.  A set with audio is "MRENset3", which has that of
 * grids, zeros if there are none, and behind it u64 recordings, audio dimension and the sha256 of
 * the encoder, all of which the checksum takes in; hashes and vectors of recordings follow the
 * grids.
 */
#define FLAT_MAGIC "MRENset1"
#define GRIDS_MAGIC "MRENset2"
#define GRIDS_FIXED 32
#define AUDIO_MAGIC "MRENset3"
#define AUDIO_FIXED 48
#define FLAT_FIXED 136

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
		   examples->sounds.n * (16 + examples->sounds.size);
}

static void
put_flat_head(const MrenExamples *set, MrenBuffer *out)
{
	const MrenExamplesHead *head = &set->head;
	bool audio = head->audio_dim > 0;
	bool grids = audio || mren_grid_size(&head->grid) > 0;
	uint64_t sounds[2] = {set->sounds.n, head->audio_dim};
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
							   mren_hash64(sounds, sizeof(sounds), checksum));
	mren_buffer_put_u64(out, checksum);
	mren_buffer_put_bytes(out, head->options, head->n_options);
	mren_buffer_put_zeros(out, padded(head->n_options) - head->n_options);
	for (int i = 0; i < 4 && grids; i++)
		mren_buffer_put_u64(out, shape[i]);
	for (int i = 0; i < 2 && audio; i++)
		mren_buffer_put_u64(out, sounds[i]);
	if (audio)
		mren_buffer_put_bytes(out, head->audio_encoder, sizeof(head->audio_encoder));
}

void
mren_examples_flatten(MrenExamples *examples, uint8_t *out)
{
	MrenBuffer buffer = {out, 0, mren_examples_flat_size(examples)};

	sort_rows(examples);
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
	mren_image_store_put(&examples->sounds, &buffer);
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
	size_t n_sounds;
} FlatHead;

/* What lies behind the options of a set with grids; its checksum goes on. */
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

/* What lies behind that of a set with audio. */
static MrenStatus
read_audio_head(MrenCursor *cursor, FlatHead *flat, uint64_t *checksum, MrenError *err)
{
	uint64_t sounds[2] = {mren_cursor_u64(cursor), mren_cursor_u64(cursor)};
	const uint8_t *sha256 = mren_cursor_bytes(cursor, sizeof(flat->head.audio_encoder));

	if (sha256 == NULL || sounds[1] == 0 || sounds[1] > (1 << 20))
		return fail_flat(err, "its header is damaged");
	flat->n_sounds = sounds[0];
	flat->head.audio_dim = sounds[1];
	memcpy(flat->head.audio_encoder, sha256, sizeof(flat->head.audio_encoder));
	*checksum = mren_hash64(sha256, sizeof(flat->head.audio_encoder),
							mren_hash64(sounds, sizeof(sounds), *checksum));
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
		numbers[3] > (1 << 20) || numbers[4] > (1 << 20))
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
		MREN_TRY(check_finite((const float *) (const void *) set->vectors.items + i * dim, dim,
							  "image", err));
	MREN_TRY(mren_image_store_parse(&set->env, &set->grids, cursor, flat->n_grids, err));
	if (!mren_half_all_finite((const uint16_t *) (const void *) set->grids.items,
							  set->grids.n * set->grids.size / sizeof(uint16_t)))
		return mren_fail(err, MREN_ENUMERIC, "a number in the grid of an image is not finite");
	dim = set->head.audio_dim;
	MREN_TRY(mren_image_store_parse(&set->env, &set->sounds, cursor, flat->n_sounds, err));
	for (size_t i = 0; i < set->sounds.n; i++)
		MREN_TRY(check_finite((const float *) (const void *) set->sounds.items + i * dim, dim,
							  "audio", err));
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
		if (example.has_audio && mren_image_store_find(&set->sounds, &example.audio) == NULL)
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

static MrenStatus
source_read(void *state, size_t index, const uint8_t **record, size_t *len, MrenError *err)
{
	const MrenExamples *set = state;

	if (index >= set->n)
		return mren_fail(err, MREN_EPARAM, "no training example %zu of %zu", index, set->n);
	*record = set->records.data + set->index[index].at;
	*len = mren_example_size(*record, set->records.len - set->index[index].at);
	return MREN_OK;
}

static MrenStatus
source_image(void *state, const MrenHash128 *hash, float *vector, MrenError *err)
{
	const MrenExamples *set = state;
	const uint8_t *item = mren_image_store_find(&set->vectors, hash);

	if (item == NULL)
		return mren_fail(err, MREN_EDATA, "the vector of a training row's image is missing");
	memcpy(vector, item, set->vectors.size);
	return MREN_OK;
}

static MrenStatus
source_audio(void *state, const MrenHash128 *hash, float *vector, MrenError *err)
{
	const MrenExamples *set = state;
	const uint8_t *item = mren_image_store_find(&set->sounds, hash);

	if (item == NULL)
		return mren_fail(err, MREN_EDATA, "the vector of a training row's recording is missing");
	memcpy(vector, item, set->sounds.size);
	return MREN_OK;
}

static MrenStatus
source_grid(void *state, const MrenHash128 *hash, uint16_t *grid, MrenError *err)
{
	const MrenExamples *set = state;
	const uint8_t *item = mren_image_store_find(&set->grids, hash);

	if (item == NULL)
		return mren_fail(err, MREN_EDATA, "the grid of a training row's image is missing");
	memcpy(grid, item, set->grids.size);
	return MREN_OK;
}

MrenStatus
mren_examples_source(MrenExamples *examples, MrenSource *source, MrenError *err)
{
	MREN_TRY(mren_check_interrupts(&examples->env, err));
	sort_rows(examples);
	*source = (MrenSource){.state = examples,
						   .n = examples->n,
						   .read = source_read,
						   .image = source_image,
						   .audio = source_audio,
						   .grid_shape = examples->head.grid,
						   .grid = source_grid};
	return MREN_OK;
}
