/*
 * word_parts.c
 *	  Computing the parts of words, keeping them, and adding them up.
 */
#include "tagger/word_parts.h"

#include <string.h>

#include "base/slot_cache.h"
#include "nn/kernels.h"

#define MOST_SLOTS ((size_t) 8192)

/* A word's key: its number, shape, places in lexicons, and features, of which a few are many. */
#define KEY_HEAD 4
#define KEY_SIZE 52

struct MrenTagCache
{
	MrenEnv env;
	size_t most;		 /* bytes */
	MrenSlotCache *kept; /* NULL: nothing is allocated yet */
	float *parts;		 /* (slots, size) */
	uint8_t *done;		 /* (slots) whether they are computed */
};

size_t
mren_tag_n_places(const MrenTagShape *shape)
{
	return 2 * shape->window[0] + 1;
}

/* The scores of tags begin here. */
static size_t
scores_at(const MrenTagShape *shape)
{
	return mren_tag_n_places(shape) * shape->hidden[0];
}

size_t
mren_tag_parts_size(const MrenTagger *tagger)
{
	return scores_at(&tagger->shape) + mren_bilou_n_tags(tagger->shape.n_types);
}

/*
 * The cache
 */

static size_t
slot_bytes(const MrenTagger *tagger)
{
	return mren_tag_parts_size(tagger) * sizeof(float) + 1 + mren_slot_cache_bytes(KEY_SIZE);
}

/* With a text encoder, a word's vector is another in each sentence. */
static size_t
slots_for(const MrenTagCache *cache, const MrenTagger *tagger)
{
	size_t n = cache->most / slot_bytes(tagger);

	if (tagger->shape.encoder_dim > 0)
		return 0;
	return n < MOST_SLOTS ? n : MOST_SLOTS;
}

MrenStatus
mren_tag_cache_create(const MrenEnv *env, size_t most, MrenTagCache **cache, MrenError *err)
{
	MREN_TRY(mren_allocate_zero(env, 1, sizeof(**cache), cache, err));
	(*cache)->env = *env;
	(*cache)->most = most;
	return MREN_OK;
}

static void
free_slots(MrenTagCache *cache)
{
	mren_slot_cache_free(cache->kept);
	mren_release(&cache->env, cache->parts);
	mren_release(&cache->env, cache->done);
	*cache = (MrenTagCache){.env = cache->env, .most = cache->most};
}

void
mren_tag_cache_free(MrenTagCache *cache)
{
	MrenEnv env;

	if (cache == NULL)
		return;
	env = cache->env;
	free_slots(cache);
	mren_release(&env, cache);
}

/* Replaces the slots by n empty ones. */
static MrenStatus
allocate_slots(MrenTagCache *cache, const MrenTagger *tagger, size_t n, MrenError *err)
{
	free_slots(cache);
	MREN_TRY(mren_allocate(&cache->env, n, mren_tag_parts_size(tagger) * sizeof(float),
						   &cache->parts, err));
	MREN_TRY(mren_allocate(&cache->env, n, 1, &cache->done, err));
	return mren_slot_cache_create(&cache->env, n, KEY_SIZE, &cache->kept, err);
}

/* Gives the cache n slots, more than it has. */
static MrenStatus
grow_slots(MrenTagCache *cache, const MrenTagger *tagger, size_t n, MrenError *err)
{
	size_t used = mren_slot_cache_slots(cache->kept);

	MREN_TRY(mren_resize(&cache->env, &cache->parts, used, n,
						 mren_tag_parts_size(tagger) * sizeof(float), err));
	MREN_TRY(mren_resize(&cache->env, &cache->done, used, n, 1, err));
	return mren_slot_cache_grow(cache->kept, n, err);
}

/* The slot of word w; a new one is not done. */
static uint32_t
slot_of(MrenTagCache *cache, const MrenWordVectors *vectors, const MrenTagInput *input, size_t w)
{
	int32_t word = input->words[w];
	uint64_t lexicons = input->lexicons != NULL ? input->lexicons[w] : 0;
	size_t n = input->starts[w + 1] - input->starts[w];
	int32_t key[KEY_SIZE];
	bool fresh;
	uint32_t slot;

	if (word >= 0 && vectors != NULL && vectors->id != NULL)
		word = vectors->id(vectors->state, word);
	key[0] = word;
	key[1] = input->shapes[w];
	memcpy(key + 2, &lexicons, sizeof(lexicons));
	if (n <= KEY_SIZE - KEY_HEAD)
		memcpy(key + KEY_HEAD, input->features + input->starts[w], n * sizeof(*key));
	slot = mren_slot_cache_find(cache->kept, key, KEY_HEAD + n, &fresh);
	if (fresh)
		cache->done[slot] = false;
	return slot;
}

/*
 * Making parts
 */

/* Words whose parts are computed together. */
typedef struct Work
{
	const MrenTagger *tagger;
	const MrenWordVectors *vectors;
	const MrenTagInput *input;
	size_t *todo; /* (n) words */
	size_t n;
} Work;

/* The own direct features of a word, as scores of tags. */
static void
sum_direct(const MrenTagger *tagger, const MrenTagInput *input, size_t w, float *scores)
{
	size_t k = mren_bilou_n_tags(tagger->shape.n_types);
	const float *table = tagger->values + tagger->layout.table.items[tagger->layout.ids.sparse].at;
	uint32_t buckets[MREN_TAG_MAX_SPARSE];
	size_t n = mren_tag_sparse_own(&tagger->shape, input, w, buckets);

	memset(scores, 0, k * sizeof(float));
	for (size_t i = 0; i < n; i++)
		mren_axpy(scores, table + buckets[i] * k, 1, k);
}

/* n vectors through the first layer, for each place of its window. */
static void
project(const MrenTagger *tagger, const float *x, size_t n, float *parts)
{
	size_t dim = mren_tag_shape_dim(&tagger->shape);
	size_t size = mren_tag_parts_size(tagger);

	for (size_t place = 0; place < mren_tag_n_places(&tagger->shape); place++)
		mren_dense_infer(&tagger->words[place], x, dim, n, parts + place * tagger->shape.hidden[0],
						 size);
}

/* Their parts (work->n, size); x: memory for their vectors. */
static void
make_parts(const Work *work, float *x, float *parts)
{
	const MrenTagger *tagger = work->tagger;
	const MrenTagWordTables tables = {&tagger->shape, &tagger->layout, tagger->values,
									  work->vectors};
	size_t dim = mren_tag_shape_dim(&tagger->shape);
	size_t size = mren_tag_parts_size(tagger);

	for (size_t i = 0; i < work->n; i++)
		mren_tag_word_vector(&tables, work->input, work->todo[i], true, x + i * dim);
	project(tagger, x, work->n, parts);
	for (size_t i = 0; i < work->n; i++)
		sum_direct(tagger, work->input, work->todo[i],
				   parts + i * size + scores_at(&tagger->shape));
}

MrenStatus
mren_tag_parts_outside(MrenTagger *tagger, MrenError *err)
{
	float *x;

	MREN_TRY(
		mren_allocate(&tagger->env, mren_tag_shape_dim(&tagger->shape), sizeof(float), &x, err));
	mren_tag_pad_vector(&tagger->shape, x);
	project(tagger, x, 1, tagger->outside);
	mren_release(&tagger->env, x);
	return MREN_OK;
}

/* Computes the words to do, each into its own row of parts->made. */
static MrenStatus
make_missing(const MrenEnv *env, const Work *work, MrenTagParts *parts, MrenError *err)
{
	float *x;

	MREN_TRY(mren_allocate(env, work->n * mren_tag_parts_size(work->tagger), sizeof(float),
						   &parts->made, err));
	MREN_TRY(mren_allocate(env, work->n * mren_tag_shape_dim(&work->tagger->shape), sizeof(float),
						   &x, err));
	make_parts(work, x, parts->made);
	mren_release(env, x);
	return MREN_OK;
}

/* Takes the words from the cache, after computing those that it lacks. */
static MrenStatus
read_kept(const MrenEnv *env, MrenTagCache *cache, Work *work, MrenTagParts *parts, MrenError *err)
{
	size_t size = mren_tag_parts_size(work->tagger);
	size_t n =
		mren_slot_cache_wanted(cache->kept, work->input->n_words, slots_for(cache, work->tagger));

	if (cache->kept != NULL && n > mren_slot_cache_slots(cache->kept))
		MREN_TRY(grow_slots(cache, work->tagger, n, err));
	if (n != mren_slot_cache_slots(cache->kept))
		MREN_TRY(allocate_slots(cache, work->tagger, n, err));
	mren_slot_cache_begin(cache->kept);
	for (size_t w = 0; w < work->input->n_words; w++)
	{
		uint32_t slot = slot_of(cache, work->vectors, work->input, w);

		parts->of[w] = cache->parts + slot * size;
		if (!cache->done[slot])
			work->todo[work->n++] = w;
	}
	if (work->n == 0)
		return MREN_OK;
	MREN_TRY(make_missing(env, work, parts, err));
	/* A word that is there twice is computed twice, with the same bits. */
	for (size_t i = 0; i < work->n; i++)
	{
		size_t slot = (size_t) (parts->of[work->todo[i]] - cache->parts) / size;

		memcpy(cache->parts + slot * size, parts->made + i * size, size * sizeof(float));
		cache->done[slot] = true;
	}
	return MREN_OK;
}

static MrenStatus
read_all(const MrenEnv *env, Work *work, MrenTagParts *parts, MrenError *err)
{
	for (size_t w = 0; w < work->input->n_words; w++)
		work->todo[work->n++] = w;
	MREN_TRY(make_missing(env, work, parts, err));
	for (size_t w = 0; w < work->n; w++)
		parts->of[w] = parts->made + w * mren_tag_parts_size(work->tagger);
	return MREN_OK;
}

MrenStatus
mren_tag_parts_read(const MrenTagger *tagger, const MrenEnv *env, const MrenWordVectors *vectors,
					const MrenTagInput *input, MrenTagParts *parts, MrenError *err)
{
	Work work = {tagger, vectors, input, NULL, 0};
	size_t n = input->n_words;
	MrenStatus status;

	*parts = (MrenTagParts){NULL, NULL};
	MREN_TRY(mren_allocate(env, n, sizeof(*parts->of), &parts->of, err));
	status = mren_allocate(env, n, sizeof(*work.todo), &work.todo, err);
	/* A sentence takes no more than half of the slots, so that there is one to take. */
	if (status == MREN_OK && input->cache != NULL && n <= slots_for(input->cache, tagger) / 2)
		status = read_kept(env, input->cache, &work, parts, err);
	else if (status == MREN_OK)
		status = read_all(env, &work, parts, err);
	mren_release(env, work.todo);
	if (status != MREN_OK)
		mren_tag_parts_free(env, parts);
	return status;
}

void
mren_tag_parts_free(const MrenEnv *env, MrenTagParts *parts)
{
	mren_release(env, parts->of);
	mren_release(env, parts->made);
	*parts = (MrenTagParts){NULL, NULL};
}

void
mren_tag_parts_sum(const MrenTagger *tagger, const MrenTagParts *parts, size_t n_words, float *out)
{
	size_t window = tagger->shape.window[0];
	size_t hidden = tagger->shape.hidden[0];

	for (size_t w = 0; w < n_words; w++, out += hidden)
	{
		/* The part at the word's own place has the bias. */
		memcpy(out, parts->of[w] + window * hidden, hidden * sizeof(float));
		for (size_t place = 0; place <= 2 * window; place++)
		{
			bool inside = w + place >= window && w + place - window < n_words;
			const float *part = inside ? parts->of[w + place - window] : tagger->outside;

			if (place != window)
				mren_axpy(out, part + place * hidden, 1, hidden);
		}
	}
}
