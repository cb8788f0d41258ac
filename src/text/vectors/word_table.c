/*
 * word_table.c
 *	  Building, attaching and searching a table of words.
 */
#include "text/vectors/word_table.h"

#include <string.h>

#include "base/hash.h"
#include "base/size.h"

#define MAX_WORDS ((size_t) 1 << 30)

/* The blocks, in the order in which they are recorded. */
enum
{
	SLOTS,
	OFFSETS,
	IDS,
	BYTES,
	VECTORS,
	N_BLOCKS
};

MrenStatus
mren_word_table_add(const MrenEnv *env, MrenWordTableBuilder *builder, const char *word, size_t len,
					int32_t id, const float *vector, MrenError *err)
{
	size_t n = builder->n;
	size_t dim = builder->dim;

	if (n >= MAX_WORDS || builder->bytes.len + len > UINT32_MAX)
		return mren_fail(err, MREN_ELIMIT, "too many words for a table");
	MREN_TRY(mren_grow(env, &builder->offsets, &builder->offsets_capacity, n > 0 ? n + 1 : 0, n + 2,
					   sizeof(uint32_t), err));
	MREN_TRY(mren_grow(env, &builder->ids, &builder->ids_capacity, n, n + 1, sizeof(int32_t), err));
	MREN_TRY(mren_grow(env, &builder->vectors, &builder->vectors_capacity, n * dim, (n + 1) * dim,
					   sizeof(float), err));
	MREN_TRY(mren_buffer_append(env, &builder->bytes, word, len, err));
	builder->offsets[0] = 0;
	builder->offsets[n + 1] = (uint32_t) builder->bytes.len;
	builder->ids[n] = id;
	memcpy(builder->vectors + n * dim, vector, dim * sizeof(float));
	builder->n++;
	return MREN_OK;
}

static size_t
first_slot(const char *word, size_t len, size_t n_slots)
{
	return (size_t) mren_hash64(word, len, 0) & (n_slots - 1);
}

/* What the slot of a word of that row holds. */
static inline MrenWordSlot
slot_of(const char *word, size_t len, uint32_t row)
{
	MrenWordSlot slot = {row + 1, (uint8_t) (len < UINT8_MAX ? len : UINT8_MAX), {0}};

	for (size_t i = 0; i < len && i < MREN_WORD_BEGIN; i++)
		slot.begin[i] = word[i];
	return slot;
}

/* Whether both have the same length and begin, in two comparisons. */
static inline bool
slots_alike(const MrenWordSlot *a, const MrenWordSlot *b)
{
	uint64_t first[2];
	uint32_t last[2];

	memcpy(&first[0], &a->len, sizeof(first[0]));
	memcpy(&first[1], &b->len, sizeof(first[1]));
	memcpy(&last[0], &a->begin[7], sizeof(last[0]));
	memcpy(&last[1], &b->begin[7], sizeof(last[1]));
	return first[0] == first[1] && last[0] == last[1];
}

/* The slots of all words; the caller releases them on failure, too. */
static MrenStatus
fill_slots(const MrenEnv *env, const MrenWordTableBuilder *builder, MrenWordSlot *slots,
		   size_t n_slots, MrenError *err)
{
	for (size_t row = 0; row < builder->n; row++)
	{
		const char *word = (const char *) builder->bytes.data + builder->offsets[row];
		size_t len = builder->offsets[row + 1] - builder->offsets[row];
		size_t at = first_slot(word, len, n_slots);

		if (row % 65536 == 0)
			MREN_TRY(mren_check_interrupts(env, err));
		while (slots[at].row != 0)
			at = (at + 1) & (n_slots - 1);
		slots[at] = slot_of(word, len, (uint32_t) row);
	}
	return MREN_OK;
}

static MrenStatus
record(MrenWeights *weights, const MrenWordTable *table, MrenError *err)
{
	MREN_TRY(mren_weights_add(weights, table->slots, table->n_slots * sizeof(MrenWordSlot), err));
	MREN_TRY(mren_weights_add(weights, table->offsets, (table->n + 1) * sizeof(uint32_t), err));
	MREN_TRY(mren_weights_add(weights, table->ids, table->n * sizeof(int32_t), err));
	MREN_TRY(mren_weights_add(weights, table->bytes, table->n_bytes, err));
	return mren_weights_add(weights, table->vectors, table->n * table->dim * sizeof(float), err);
}

MrenStatus
mren_word_table_finish(const MrenEnv *env, MrenWordTableBuilder *builder, MrenWordTable *table,
					   MrenError *err)
{
	size_t n_slots = 16;
	MrenWordSlot *slots;
	MrenStatus status;

	if (builder->n == 0)
		return mren_fail(err, MREN_EPARAM, "a table of words needs a word");
	while (n_slots < 2 * builder->n)
		n_slots *= 2;
	MREN_TRY(mren_allocate_zero(env, n_slots, sizeof(*slots), &slots, err));
	status = fill_slots(env, builder, slots, n_slots, err);
	*table = (MrenWordTable){.n = builder->n,
							 .dim = builder->dim,
							 .n_slots = n_slots,
							 .n_bytes = builder->bytes.len,
							 .slots = slots,
							 .offsets = builder->offsets,
							 .ids = builder->ids,
							 .bytes = (const char *) builder->bytes.data,
							 .vectors = builder->vectors};
	if (status == MREN_OK && env->weights != NULL)
		status = record(env->weights, table, err);
	if (status != MREN_OK)
		mren_release(env, slots);
	return status;
}

MrenStatus
mren_word_table_attach(const MrenEnv *env, size_t dim, MrenWordTable *table, MrenError *err)
{
	MrenWeightsBlock blocks[N_BLOCKS];
	size_t n;
	size_t n_vectors;
	size_t n_slots;

	for (size_t i = 0; i < N_BLOCKS; i++)
		MREN_TRY(mren_weights_block(env->weights, i, &blocks[i], err));
	n = blocks[IDS].len / sizeof(int32_t);
	n_slots = blocks[SLOTS].len / sizeof(MrenWordSlot);
	if (n == 0 || n > MAX_WORDS || blocks[IDS].len != n * sizeof(int32_t) ||
		blocks[OFFSETS].len != (n + 1) * sizeof(uint32_t) || n_slots == 0 ||
		(n_slots & (n_slots - 1)) != 0 || blocks[SLOTS].len != n_slots * sizeof(MrenWordSlot) ||
		!mren_size_mul(n, dim, &n_vectors) || blocks[VECTORS].len / sizeof(float) != n_vectors)
		return mren_fail(err, MREN_EFORMAT, "invalid table of words: its parts do not fit");
	*table = (MrenWordTable){.n = n,
							 .dim = dim,
							 .n_slots = n_slots,
							 .n_bytes = blocks[BYTES].len,
							 .slots = blocks[SLOTS].data,
							 .offsets = blocks[OFFSETS].data,
							 .ids = blocks[IDS].data,
							 .bytes = blocks[BYTES].data,
							 .vectors = blocks[VECTORS].data};
	return MREN_OK;
}

/* Whether a row, which may be of a damaged file, is the word's, of which the slot has the begin. */
static bool
is_word(const MrenWordTable *table, size_t row, const char *word, size_t len)
{
	size_t begin;
	size_t end;

	if (len <= MREN_WORD_BEGIN)
		return true;
	begin = table->offsets[row];
	end = table->offsets[row + 1];
	return begin <= end && end <= table->n_bytes && end - begin == len &&
		   memcmp(table->bytes + begin, word, len) == 0;
}

int32_t
mren_word_table_find(const MrenWordTable *table, const char *word, size_t len)
{
	size_t at = first_slot(word, len, table->n_slots);
	MrenWordSlot wanted = slot_of(word, len, 0);

	for (size_t i = 0; i < table->n_slots; i++)
	{
		const MrenWordSlot *slot = &table->slots[at];
		size_t row = slot->row;

		if (row == 0 || row > table->n)
			return -1;
		if (slots_alike(slot, &wanted) && is_word(table, row - 1, word, len))
			return (int32_t) (row - 1);
		at = (at + 1) & (table->n_slots - 1);
	}
	return -1;
}

void
mren_word_table_fetch(const MrenWordTable *table, const char *word, size_t len)
{
	__builtin_prefetch(&table->slots[first_slot(word, len, table->n_slots)]);
}
