/*
 * vector_table.c
 *	  A table of the word vectors that one training needs, and the set of their
 *	  ids.
 */
#include "data/word_vectors.h"

#include <string.h>

#include "base/size.h"
#include "base/sort.h"
#include "data/example.h"
#include "nn/arena.h"

/* A set of ids >= 0, open addressing; empty slots hold -1. */
typedef struct IdSet
{
	int32_t *slots;
	size_t n_slots; /* a power of two */
	size_t n;
} IdSet;

static size_t
id_slot(const int32_t *slots, size_t n_slots, int32_t id)
{
	size_t slot = ((uint32_t) id * UINT32_C(2654435769)) & (n_slots - 1);

	while (slots[slot] >= 0 && slots[slot] != id)
		slot = (slot + 1) & (n_slots - 1);
	return slot;
}

static MrenStatus
id_set_grow(const MrenEnv *env, IdSet *set, MrenError *err)
{
	size_t n_slots = set->n_slots > 0 ? set->n_slots * 2 : 1024;
	int32_t *slots;

	if (2 * (set->n + 1) <= set->n_slots)
		return MREN_OK;
	MREN_TRY(mren_allocate(env, n_slots, sizeof(int32_t), &slots, err));
	memset(slots, 0xFF, n_slots * sizeof(int32_t));
	for (size_t i = 0; i < set->n_slots; i++)
	{
		if (set->slots[i] >= 0)
			slots[id_slot(slots, n_slots, set->slots[i])] = set->slots[i];
	}
	mren_release(env, set->slots);
	set->slots = slots;
	set->n_slots = n_slots;
	return MREN_OK;
}

static MrenStatus
id_set_add(const MrenEnv *env, IdSet *set, int32_t id, MrenError *err)
{
	size_t slot;

	MREN_TRY(id_set_grow(env, set, err));
	slot = id_slot(set->slots, set->n_slots, id);
	if (set->slots[slot] < 0)
	{
		set->slots[slot] = id;
		set->n++;
	}
	return MREN_OK;
}

static MrenStatus
collect_ids(const MrenEnv *env, const MrenSource *source, IdSet *set, MrenError *err)
{
	for (size_t i = 0; i < source->n; i++)
	{
		const uint8_t *record;
		size_t len;
		MrenExample example;

		if (i % 1024 == 0)
			MREN_TRY(mren_check_interrupts(env, err));
		MREN_TRY(source->read(source->state, i, &record, &len, err));
		MREN_TRY(mren_example_read(record, len, &example, &len, err));
		for (uint32_t p = 0; p < example.sentence.n_pieces; p++)
		{
			if (example.sentence.pieces[p] >= 0)
				MREN_TRY(id_set_add(env, set, example.sentence.pieces[p], err));
		}
	}
	return MREN_OK;
}

/* The members in ascending order; the sort is of 64-bit keys. */
static MrenStatus
sorted_ids(const MrenEnv *env, const IdSet *set, int32_t **ids, MrenError *err)
{
	uint64_t *keys;
	size_t n = 0;

	MREN_TRY(mren_allocate(env, set->n, sizeof(uint64_t), &keys, err));
	for (size_t i = 0; i < set->n_slots; i++)
	{
		if (set->slots[i] >= 0)
			keys[n++] = (uint64_t) set->slots[i];
	}
	mren_sort_u64(keys, n);
	if (mren_allocate(env, n, sizeof(int32_t), ids, err) != MREN_OK)
	{
		mren_release(env, keys);
		return MREN_ENOMEM;
	}
	for (size_t i = 0; i < n; i++)
		(*ids)[i] = (int32_t) keys[i];
	mren_release(env, keys);
	return MREN_OK;
}

MrenStatus
mren_source_words(const MrenEnv *env, const MrenSource *source, int32_t **ids, size_t *n,
				  MrenError *err)
{
	IdSet set = {0};
	MrenStatus status = collect_ids(env, source, &set, err);

	if (status == MREN_OK)
		status = sorted_ids(env, &set, ids, err);
	*n = set.n;
	mren_release(env, set.slots);
	return status;
}

struct MrenVectorTable
{
	size_t n;
	size_t dim;
	size_t stride; /* floats from row to row, a multiple of 16: rows are aligned */
	float *rows;
	int32_t *slots;	  /* open addressing: the id, or -1 */
	uint32_t *row_of; /* beside slots: its row */
	size_t n_slots;
};

static MrenStatus
fill_table(const MrenEnv *env, MrenVectorTable *table, const int32_t *ids, MrenError *err)
{
	size_t floats;

	if (!mren_size_mul(table->n, table->stride, &floats))
		return mren_fail_nomem(err);
	MREN_TRY(mren_allocate_zero(env, floats, sizeof(float), &table->rows, err));
	MREN_TRY(mren_allocate(env, table->n_slots, sizeof(int32_t), &table->slots, err));
	MREN_TRY(mren_allocate(env, table->n_slots, sizeof(uint32_t), &table->row_of, err));
	memset(table->slots, 0xFF, table->n_slots * sizeof(int32_t));
	for (size_t i = 0; i < table->n; i++)
	{
		size_t slot = id_slot(table->slots, table->n_slots, ids[i]);

		table->slots[slot] = ids[i];
		table->row_of[slot] = (uint32_t) i;
	}
	return MREN_OK;
}

MrenStatus
mren_vector_table_create(const MrenEnv *env, const int32_t *ids, size_t n, size_t dim,
						 MrenVectorTable **table, MrenError *err)
{
	MrenVectorTable *t;
	MrenStatus status;

	MREN_TRY(mren_allocate_zero(env, 1, sizeof(*t), &t, err));
	t->n = n;
	t->dim = dim;
	t->stride = mren_align_floats(dim);
	t->n_slots = 16;
	while (t->n_slots < 2 * n)
		t->n_slots *= 2;
	status = fill_table(env, t, ids, err);
	if (status != MREN_OK)
	{
		mren_vector_table_free(env, t);
		return status;
	}
	*table = t;
	return MREN_OK;
}

float *
mren_vector_table_row(MrenVectorTable *table, size_t i)
{
	return table->rows + i * table->stride;
}

static const float *
table_get(void *state, int32_t id)
{
	const MrenVectorTable *table = state;
	size_t slot = id_slot(table->slots, table->n_slots, id);

	if (table->slots[slot] != id)
		return NULL;
	return table->rows + table->row_of[slot] * table->stride;
}

void
mren_vector_table_vectors(const MrenVectorTable *table, MrenWordVectors *vectors)
{
	*vectors = (MrenWordVectors){(void *) table, table->dim, table_get, NULL};
}

void
mren_vector_table_free(const MrenEnv *env, MrenVectorTable *table)
{
	if (table == NULL)
		return;
	mren_release(env, table->rows);
	mren_release(env, table->slots);
	mren_release(env, table->row_of);
	mren_release(env, table);
}
