/*
 * examples.c
 *	  Encoded training rows, gathered by the training aggregate.
 *
 * Owns the layout of MrenExamples.  Records lie one behind the other in one
 * buffer, with an index of (hash, offset); pictures' vectors lie in an array
 * of rows with their hashes beside, found through an open-addressing table.
 * Appending rows and joining two sets commute, because every way out goes
 * through the sorted index.
 */
#include "net/examples.h"

#include <math.h>
#include <string.h>

#include "base/size.h"
#include "net/sort.h"

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

	MrenHash128 *hashes; /* (n_images) */
	size_t hashes_capacity;
	float *vectors; /* (n_images, image_dim) */
	size_t vectors_capacity;
	size_t n_images;
	uint32_t *slots;  /* open addressing: 1 + image number, 0 empty */
	size_t n_slots;	  /* a power of two, or 0 */
	MrenKeyed *order; /* room to sort the images in when flattening */
	size_t order_capacity;
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
	mren_release(&env, examples->hashes);
	mren_release(&env, examples->vectors);
	mren_release(&env, examples->slots);
	mren_release(&env, examples->order);
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
		   examples->hashes_capacity * sizeof(MrenHash128) +
		   examples->vectors_capacity * sizeof(float) +
		   examples->order_capacity * sizeof(MrenKeyed) + examples->n_slots * sizeof(uint32_t);
}

/* The slot that holds the hash, or the empty one where it would go. */
static size_t
find_slot(const MrenExamples *set, const MrenHash128 *hash)
{
	uint64_t start;
	size_t slot;

	memcpy(&start, hash->bytes, sizeof(start));
	slot = (size_t) start & (set->n_slots - 1);
	while (set->slots[slot] != 0 &&
		   memcmp(&set->hashes[set->slots[slot] - 1], hash, sizeof(*hash)) != 0)
		slot = (slot + 1) & (set->n_slots - 1);
	return slot;
}

static int64_t
find_image(const MrenExamples *set, const MrenHash128 *hash)
{
	if (set->n_slots == 0)
		return -1;
	return (int64_t) set->slots[find_slot(set, hash)] - 1;
}

bool
mren_examples_has_image(const MrenExamples *examples, const MrenHash128 *hash)
{
	return find_image(examples, hash) >= 0;
}

/* Doubles the table once it is half full. */
static MrenStatus
grow_slots(MrenExamples *set, MrenError *err)
{
	uint32_t *old = set->slots;
	size_t n_slots = set->n_slots > 0 ? set->n_slots * 2 : 64;
	uint32_t *slots;

	if (2 * (set->n_images + 1) <= set->n_slots)
		return MREN_OK;
	if (set->n_images >= UINT32_MAX / 4)
		return mren_fail(err, MREN_ELIMIT, "too many distinct images in one training set");
	MREN_TRY(mren_allocate_zero(&set->env, n_slots, sizeof(uint32_t), &slots, err));
	set->slots = slots;
	set->n_slots = n_slots;
	for (size_t i = 0; i < set->n_images; i++)
		slots[find_slot(set, &set->hashes[i])] = (uint32_t) i + 1;
	mren_release(&set->env, old);
	return MREN_OK;
}

static MrenStatus
check_finite(const float *vector, size_t dim, MrenError *err)
{
	for (size_t i = 0; i < dim; i++)
	{
		if (!isfinite(vector[i]))
			return mren_fail(err, MREN_ENUMERIC, "element %zu of an image vector is not finite",
							 i + 1);
	}
	return MREN_OK;
}

/* Makes room for one more picture, so that adding it cannot fail. */
static MrenStatus
reserve_image(MrenExamples *set, MrenError *err)
{
	size_t dim = set->head.image_dim;
	size_t floats;

	MREN_TRY(grow_slots(set, err));
	MREN_TRY(mren_grow(&set->env, &set->hashes, &set->hashes_capacity, set->n_images,
					   set->n_images + 1, sizeof(MrenHash128), err));
	MREN_TRY(mren_grow(&set->env, &set->order, &set->order_capacity, 0, set->n_images + 1,
					   sizeof(MrenKeyed), err));
	if (!mren_size_mul(set->n_images + 1, dim, &floats))
		return mren_fail_nomem(err);
	return mren_grow(&set->env, &set->vectors, &set->vectors_capacity, set->n_images * dim, floats,
					 sizeof(float), err);
}

static void
add_image(MrenExamples *set, const MrenHash128 *hash, const float *vector)
{
	size_t dim = set->head.image_dim;
	size_t slot = find_slot(set, hash);

	set->hashes[set->n_images] = *hash;
	memcpy(set->vectors + set->n_images * dim, vector, dim * sizeof(float));
	set->slots[slot] = (uint32_t) ++set->n_images;
}

/* Checks a row's picture and makes room for it; *fresh if it must be added. */
static MrenStatus
prepare_image(MrenExamples *set, const MrenExample *example, const float *image, bool *fresh,
			  MrenError *err)
{
	*fresh = false;
	if (!example->has_image)
		return MREN_OK;
	if (set->head.image_dim == 0)
		return mren_fail(err, MREN_EPARAM,
						 "a training row has an image, but the training set none");
	if (mren_examples_has_image(set, &example->image))
		return MREN_OK;
	if (image == NULL)
		return mren_fail(err, MREN_EDATA, "the vector of a training row's image is missing");
	*fresh = true;
	MREN_TRY(check_finite(image, set->head.image_dim, err));
	return reserve_image(set, err);
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
	size_t at = examples->records.len;
	bool fresh;

	MREN_TRY(prepare_image(examples, example, image, &fresh, err));
	MREN_TRY(mren_grow(&examples->env, &examples->index, &examples->index_capacity, examples->n,
					   examples->n + 1, sizeof(MrenKeyed), err));
	MREN_TRY(mren_example_append(&examples->env, &examples->records, example, err));
	if (fresh)
		add_image(examples, &example->image, image);
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
		   a->image_dim == b->image_dim;
}

MrenStatus
mren_examples_merge(MrenExamples *into, const MrenExamples *from, MrenError *err)
{
	size_t dim = into->head.image_dim;
	size_t base = into->records.len;
	size_t n;

	if (!same_head(&into->head, &from->head))
	{
		mren_fail(err, MREN_EPARAM, "cannot combine training sets of different options");
		mren_error_hint(err, "Options, embeddings and image encoder must be the same in all rows.");
		return MREN_EPARAM;
	}
	if (!mren_size_add(into->n, from->n, &n))
		return mren_fail_nomem(err);
	for (size_t i = 0; i < from->n_images; i++)
	{
		if (mren_examples_has_image(into, &from->hashes[i]))
			continue;
		MREN_TRY(reserve_image(into, err));
		add_image(into, &from->hashes[i], from->vectors + i * dim);
	}
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
 * The flat form: a head, the records in order, then each picture that a record
 * may name, in order of its hash:
 *	 0 "MRENset1"   8 u64 rows   16 u64 images   24 u64 bytes of records
 *	32 u64 word dimension   40 u64 image dimension   48 u64 bytes of options
 *	56 u64 1 with an encoder   64 sha256 of embeddings   96 of the encoder
 *	128 u64 checksum of the bytes before it and the options   136 options, zeros to a multiple of 8
 */
#define FLAT_MAGIC "MRENset1"
#define FLAT_FIXED 136

static size_t
padded(size_t n)
{
	return (n + 7) & ~(size_t) 7;
}

size_t
mren_examples_flat_size(const MrenExamples *examples)
{
	return FLAT_FIXED + padded(examples->head.n_options) + examples->records.len +
		   examples->n_images * (16 + examples->head.image_dim * sizeof(float));
}

static void
put_flat_head(const MrenExamples *set, MrenBuffer *out)
{
	const MrenExamplesHead *head = &set->head;
	uint64_t checksum;

	mren_buffer_put_bytes(out, FLAT_MAGIC, 8);
	mren_buffer_put_u64(out, set->n);
	mren_buffer_put_u64(out, set->n_images);
	mren_buffer_put_u64(out, set->records.len);
	mren_buffer_put_u64(out, head->dim);
	mren_buffer_put_u64(out, head->image_dim);
	mren_buffer_put_u64(out, head->n_options);
	mren_buffer_put_u64(out, head->has_encoder ? 1 : 0);
	mren_buffer_put_bytes(out, head->embeddings, 32);
	mren_buffer_put_bytes(out, head->encoder, 32);
	checksum = mren_hash64(head->options, head->n_options, mren_hash64(out->data, out->len, 0));
	mren_buffer_put_u64(out, checksum);
	mren_buffer_put_bytes(out, head->options, head->n_options);
	mren_buffer_put_zeros(out, padded(head->n_options) - head->n_options);
}

static int
compare_images(const void *state, uint64_t a, uint64_t b)
{
	const MrenHash128 *hashes = state;

	return memcmp(&hashes[a], &hashes[b], sizeof(MrenHash128));
}

static uint64_t
image_key(const MrenHash128 *hash)
{
	uint64_t key = 0;

	for (int i = 0; i < 8; i++)
		key = key << 8 | hash->bytes[i];
	return key;
}

void
mren_examples_flatten(MrenExamples *examples, uint8_t *out)
{
	MrenBuffer buffer = {out, 0, mren_examples_flat_size(examples)};
	size_t dim = examples->head.image_dim;

	sort_rows(examples);
	for (size_t i = 0; i < examples->n_images; i++)
		examples->order[i] = (MrenKeyed){image_key(&examples->hashes[i]), i};
	mren_sort_keyed(examples->order, examples->n_images, compare_images, examples->hashes);
	put_flat_head(examples, &buffer);
	for (size_t i = 0; i < examples->n; i++)
	{
		const uint8_t *record = examples->records.data + examples->index[i].at;

		mren_buffer_put_bytes(
			&buffer, record,
			mren_example_size(record, examples->records.len - examples->index[i].at));
	}
	for (size_t i = 0; i < examples->n_images; i++)
	{
		size_t image = examples->order[i].at;

		mren_buffer_put_bytes(&buffer, examples->hashes[image].bytes, 16);
		mren_buffer_put_floats(&buffer, examples->vectors + image * dim, dim);
	}
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
} FlatHead;

static MrenStatus
read_flat_head(MrenCursor *cursor, FlatHead *flat, MrenError *err)
{
	const uint8_t *start = cursor->at;
	const uint8_t *magic = mren_cursor_bytes(cursor, 8);
	uint64_t numbers[7];
	uint64_t checksum;
	const uint8_t *sha256s;
	uint8_t padding = 0;

	if (magic == NULL || memcmp(magic, FLAT_MAGIC, 8) != 0)
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
	if (cursor->failed || padding != 0 ||
		mren_hash64(flat->head.options, flat->head.n_options, mren_hash64(start, 128, 0)) !=
			checksum)
		return fail_flat(err, "its header is damaged");
	return MREN_OK;
}

static MrenStatus
parse_images(MrenExamples *set, MrenCursor *cursor, size_t n_images, MrenError *err)
{
	size_t dim = set->head.image_dim;

	if (n_images > 0 && dim == 0)
		return fail_flat(err, "it has images without a dimension");
	if (n_images > mren_cursor_left(cursor) / 16)
		return fail_flat(err, "it is too short");
	for (size_t i = 0; i < n_images; i++)
	{
		MrenHash128 hash;
		const uint8_t *bytes = mren_cursor_bytes(cursor, 16);

		if (i % 1024 == 0)
			MREN_TRY(mren_check(&set->env, err));
		MREN_TRY(reserve_image(set, err));
		if (bytes == NULL || !mren_cursor_floats(cursor, set->vectors + i * dim, dim))
			return fail_flat(err, "it is too short");
		memcpy(hash.bytes, bytes, 16);
		if (i > 0 && memcmp(&set->hashes[i - 1], &hash, 16) >= 0)
			return fail_flat(err, "its images are out of order");
		MREN_TRY(check_finite(set->vectors + i * dim, dim, err));
		set->hashes[i] = hash;
		set->slots[find_slot(set, &hash)] = (uint32_t) i + 1;
		set->n_images++;
	}
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
			MREN_TRY(mren_check(&set->env, err));
		MREN_TRY(mren_example_read(records + at, set->records.len - at, &example, &size, err));
		if (i > 0 && mren_example_compare(records + previous, records + at) > 0)
			return fail_flat(err, "its examples are out of order");
		if (example.has_image && !mren_examples_has_image(set, &example.image))
			return fail_flat(err, "an example's image is missing");
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
	MREN_TRY(parse_images(set, cursor, flat->n_images, err));
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
	int64_t image = find_image(set, hash);

	if (image < 0)
		return mren_fail(err, MREN_EDATA, "the vector of a training row's image is missing");
	memcpy(vector, set->vectors + (size_t) image * set->head.image_dim,
		   set->head.image_dim * sizeof(float));
	return MREN_OK;
}

MrenStatus
mren_examples_source(MrenExamples *examples, MrenSource *source, MrenError *err)
{
	MREN_TRY(mren_check(&examples->env, err));
	sort_rows(examples);
	*source = (MrenSource){examples, examples->n, source_read, source_image};
	return MREN_OK;
}
