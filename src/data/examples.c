/*
 * examples.c
 *	  Encoded training rows, gathered by the training aggregate.
 *
 * Appending rows and joining two sets commute, because rows are only ever read
 * through the sorted index.
 */
#include "data/examples.h"

#include <math.h>
#include <string.h>

#include "base/half_array.h"
#include "base/size.h"
#include "data/examples_internal.h"

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
	set->recordings.size = head->audio_dim * sizeof(float);
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
	mren_image_store_free(&env, &examples->recordings);
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
		   mren_image_store_bytes(&examples->recordings);
}

bool
mren_examples_has_image(const MrenExamples *examples, const MrenHash128 *hash)
{
	return mren_image_store_find(&examples->vectors, hash) != NULL;
}

MrenStatus
mren_examples_check_finite(const float *vector, size_t dim, const char *what, MrenError *err)
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
	MREN_TRY(mren_examples_check_finite(image, set->head.image_dim, "image", err));
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
		return mren_fail(
			err, MREN_EPARAM,
			"training row has a recording, but the model is trained without recordings");
	if (mren_image_store_find(&set->recordings, &example->audio) != NULL)
		return MREN_OK;
	if (audio == NULL)
		return mren_fail(err, MREN_EDATA, "the vector of a training row's recording is missing");
	*fresh = true;
	MREN_TRY(mren_examples_check_finite(audio, set->head.audio_dim, "audio", err));
	return mren_image_store_reserve(&set->env, &set->recordings, err);
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
		mren_image_store_add(&examples->recordings, &example->audio, vectors->audio);
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
	MREN_TRY(merge_vectors(&into->env, &into->recordings, &from->recordings, err));
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

void
mren_examples_sort(MrenExamples *set)
{
	if (!set->sorted)
		mren_sort_keyed(set->index, set->n, compare_records, set->records.data);
	set->sorted = true;
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
	const uint8_t *item = mren_image_store_find(&set->recordings, hash);

	if (item == NULL)
		return mren_fail(err, MREN_EDATA, "the vector of a training row's recording is missing");
	memcpy(vector, item, set->recordings.size);
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
	mren_examples_sort(examples);
	*source = (MrenSource){.state = examples,
						   .n = examples->n,
						   .read = source_read,
						   .image = source_image,
						   .audio = examples->recordings.n > 0 ? source_audio : NULL,
						   .grid_shape = examples->head.grid,
						   .grid = source_grid};
	return MREN_OK;
}
