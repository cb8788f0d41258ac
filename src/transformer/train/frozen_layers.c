/*
 * frozen_layers.c
 *	  Running the frozen layers, and a table of what they gave.
 *
 * A part of a batch is the text of a sentence, or a group of markers after it.  It is found by
 * its pieces and positions; a group also by its text, which is all that it depends on.
 */
#include "transformer/train/frozen_layers.h"

#include <string.h>

#include "base/hash.h"

typedef struct Part
{
	uint32_t text; /* of a group: its text's number in the table; 0: it is a text */
	size_t n;	   /* tokens */
	const int32_t *ids;
	const uint32_t *positions;
} Part;

/* A part with its vectors (n, width). */
typedef struct Entry
{
	uint64_t hash;
	Part part; /* its arrays stand after the vectors */
	float *vectors;
} Entry;

/* A part that is computed: where in the batch it stands, and where in the one that is run. */
typedef struct Missing
{
	size_t to;
	size_t from;
	size_t n;
	size_t text; /* of a group: where its text stands in the batch */
	size_t n_text;
	bool is_group;
} Missing;

struct MrenFrozenLayers
{
	MrenEnv env;
	MrenTransformer *encoder;
	size_t width;
	size_t most; /* bytes that may be kept */
	size_t used;
	size_t n_computed;
	Entry *entries; /* (n_entries), numbered from 1 */
	size_t n_entries;
	size_t entries_capacity;
	uint32_t *slots; /* (n_slots, a power of 2) numbers of entries by hash; 0: none */
	size_t n_slots;
	/* What is run. */
	MrenTransformerSentence *sentences;
	int32_t *ids;
	uint32_t *positions;
	float *vectors;
	Missing *missing;
	size_t n_sentences;
	size_t n_tokens;
	size_t n_missing;
	size_t sentences_capacity, ids_capacity, positions_capacity, vectors_capacity, missing_capacity;
};

MrenStatus
mren_frozen_create(const MrenEnv *env, const MrenTransformerConfig *config, size_t layers,
				   float *weights, size_t most, MrenFrozenLayers **frozen, MrenError *err)
{
	MrenTransformerConfig lower = *config;
	MrenStatus status;

	lower.layers = layers;
	MREN_TRY(mren_allocate_zero(env, 1, sizeof(**frozen), frozen, err));
	(*frozen)->env = *env;
	(*frozen)->width = config->width;
	(*frozen)->most = most;
	status = mren_transformer_create_in_place(env, &lower, weights, &(*frozen)->encoder, err);
	if (status != MREN_OK)
	{
		mren_frozen_free(*frozen);
		*frozen = NULL;
	}
	return status;
}

void
mren_frozen_free(MrenFrozenLayers *frozen)
{
	MrenEnv env;

	if (frozen == NULL)
		return;
	env = frozen->env;
	mren_transformer_free(&env, frozen->encoder);
	for (size_t i = 0; i < frozen->n_entries; i++)
		mren_release(&env, frozen->entries[i].vectors);
	mren_release(&env, frozen->entries);
	mren_release(&env, frozen->slots);
	mren_release(&env, frozen->sentences);
	mren_release(&env, frozen->ids);
	mren_release(&env, frozen->positions);
	mren_release(&env, frozen->vectors);
	mren_release(&env, frozen->missing);
	mren_release(&env, frozen);
}

size_t
mren_frozen_computed(const MrenFrozenLayers *frozen)
{
	return frozen->n_computed;
}

/*
 * The table
 */

static uint64_t
hash_of(const Part *part)
{
	uint64_t ids = mren_hash64(part->ids, part->n * sizeof(*part->ids), part->text);

	return mren_hash64(part->positions, part->n * sizeof(*part->positions), ids);
}

static bool
same_part(const Part *a, const Part *b)
{
	return a->text == b->text && a->n == b->n &&
		   memcmp(a->ids, b->ids, a->n * sizeof(*a->ids)) == 0 &&
		   memcmp(a->positions, b->positions, a->n * sizeof(*a->positions)) == 0;
}

/* The number of a part's entry; 0 if there is none. */
static uint32_t
find(const MrenFrozenLayers *frozen, const Part *part)
{
	uint64_t hash = hash_of(part);

	if (frozen->n_slots == 0)
		return 0;
	for (size_t i = hash & (frozen->n_slots - 1); frozen->slots[i] != 0;
		 i = (i + 1) & (frozen->n_slots - 1))
	{
		const Entry *entry = &frozen->entries[frozen->slots[i] - 1];

		if (entry->hash == hash && same_part(&entry->part, part))
			return frozen->slots[i];
	}
	return 0;
}

static void
put_slot(MrenFrozenLayers *frozen, uint32_t number)
{
	size_t i = frozen->entries[number - 1].hash & (frozen->n_slots - 1);

	while (frozen->slots[i] != 0)
		i = (i + 1) & (frozen->n_slots - 1);
	frozen->slots[i] = number;
}

/* Room for one more entry; at most half of the slots are in use. */
static MrenStatus
reserve_entry(MrenFrozenLayers *frozen, MrenError *err)
{
	size_t n = frozen->n_slots == 0 ? 64 : 2 * frozen->n_slots;
	uint32_t *slots;

	MREN_TRY(mren_grow(&frozen->env, &frozen->entries, &frozen->entries_capacity, frozen->n_entries,
					   frozen->n_entries + 1, sizeof(Entry), err));
	if (2 * (frozen->n_entries + 1) <= frozen->n_slots)
		return MREN_OK;
	MREN_TRY(mren_allocate_zero(&frozen->env, n, sizeof(*slots), &slots, err));
	mren_release(&frozen->env, frozen->slots);
	frozen->slots = slots;
	frozen->n_slots = n;
	for (size_t i = 0; i < frozen->n_entries; i++)
		put_slot(frozen, (uint32_t) i + 1);
	return MREN_OK;
}

/* Keeps a part that is not in the table, if there is room. */
static MrenStatus
keep(MrenFrozenLayers *frozen, const Part *part, const float *vectors, MrenError *err)
{
	size_t n = part->n;
	size_t floats = n * frozen->width;
	size_t bytes = (floats + 2 * n) * sizeof(float) + sizeof(Entry) + 4 * sizeof(uint32_t);
	Entry *entry;
	float *memory;

	if (bytes > frozen->most - frozen->used || frozen->n_entries >= UINT32_MAX - 1)
		return MREN_OK;
	MREN_TRY(reserve_entry(frozen, err));
	MREN_TRY(mren_allocate(&frozen->env, floats + 2 * n, sizeof(float), &memory, err));
	memcpy(memory, vectors, floats * sizeof(float));
	memcpy(memory + floats, part->ids, n * sizeof(int32_t));
	memcpy(memory + floats + n, part->positions, n * sizeof(uint32_t));
	entry = &frozen->entries[frozen->n_entries++];
	*entry = (Entry){.hash = hash_of(part),
					 .part = {part->text, n, (const int32_t *) (memory + floats),
							  (const uint32_t *) (memory + floats + n)},
					 .vectors = memory};
	put_slot(frozen, (uint32_t) frozen->n_entries);
	frozen->used += bytes;
	return MREN_OK;
}

/*
 * What is run
 */

static Part
part_at(const MrenTransformerBatch *batch, uint32_t text, size_t at, size_t n)
{
	return (Part){text, n, batch->ids + at, batch->positions + at};
}

/* Copies what is known of a part to out; false if it is not known. */
static bool
recall(const MrenFrozenLayers *frozen, const Part *part, float *out)
{
	uint32_t number = find(frozen, part);

	if (number == 0)
		return false;
	memcpy(out, frozen->entries[number - 1].vectors, part->n * frozen->width * sizeof(float));
	return true;
}

/* Room for the whole batch. */
static MrenStatus
reserve_run(MrenFrozenLayers *frozen, const MrenTransformerBatch *batch, MrenError *err)
{
	const MrenEnv *env = &frozen->env;
	size_t parts = batch->n_sentences;

	for (size_t s = 0; s < batch->n_sentences; s++)
		parts += batch->sentences[s].n_groups;
	MREN_TRY(mren_grow(env, &frozen->sentences, &frozen->sentences_capacity, 0, batch->n_sentences,
					   sizeof(*frozen->sentences), err));
	MREN_TRY(mren_grow(env, &frozen->ids, &frozen->ids_capacity, 0, batch->n_tokens,
					   sizeof(*frozen->ids), err));
	MREN_TRY(mren_grow(env, &frozen->positions, &frozen->positions_capacity, 0, batch->n_tokens,
					   sizeof(*frozen->positions), err));
	return mren_grow(env, &frozen->missing, &frozen->missing_capacity, 0, parts,
					 sizeof(*frozen->missing), err);
}

/* Appends tokens of the batch to what is run. */
static void
append(MrenFrozenLayers *frozen, const MrenTransformerBatch *batch, size_t at, size_t n)
{
	memcpy(frozen->ids + frozen->n_tokens, batch->ids + at, n * sizeof(*frozen->ids));
	memcpy(frozen->positions + frozen->n_tokens, batch->positions + at,
		   n * sizeof(*frozen->positions));
	frozen->n_tokens += n;
}

static void
add_missing(MrenFrozenLayers *frozen, const MrenTransformerBatch *batch, const Missing *missing)
{
	frozen->missing[frozen->n_missing] = *missing;
	frozen->missing[frozen->n_missing++].from = frozen->n_tokens;
	append(frozen, batch, missing->to, missing->n);
}

/* Recalls what is known of a sentence that begins at this token, and adds the rest to the run. */
static void
take_sentence(MrenFrozenLayers *frozen, const MrenTransformerBatch *batch,
			  const MrenTransformerSentence *sentence, size_t at, float *out)
{
	Part text = part_at(batch, 0, at, sentence->n_text);
	uint32_t number = find(frozen, &text);
	size_t before = frozen->n_tokens;
	size_t first_missing = frozen->n_missing;
	size_t n_groups = 0;
	size_t width = frozen->width;

	if (recall(frozen, &text, out + at * width))
		append(frozen, batch, at, sentence->n_text); /* in case that a group is missing */
	else
		add_missing(frozen, batch, &(Missing){.to = at, .n = sentence->n_text});
	for (size_t g = 0; g < sentence->n_groups; g++)
	{
		size_t group = at + sentence->n_text + g * sentence->group_size;
		Part part = part_at(batch, number, group, sentence->group_size);

		if (number != 0 && recall(frozen, &part, out + group * width))
			continue;
		add_missing(frozen, batch,
					&(Missing){.to = group,
							   .n = sentence->group_size,
							   .text = at,
							   .n_text = sentence->n_text,
							   .is_group = true});
		n_groups++;
	}
	if (frozen->n_missing == first_missing)
	{
		frozen->n_tokens = before;
		return;
	}
	frozen->sentences[frozen->n_sentences++] = (MrenTransformerSentence){
		sentence->n_text, n_groups, n_groups > 0 ? sentence->group_size : 0};
}

/* The vectors of the run's parts to out and, as there is room, into the table. */
static MrenStatus
distribute(MrenFrozenLayers *frozen, const MrenTransformerBatch *batch, float *out, MrenError *err)
{
	size_t width = frozen->width;

	for (size_t i = 0; i < frozen->n_missing; i++)
	{
		const Missing *missing = &frozen->missing[i];
		const float *vectors = frozen->vectors + missing->from * width;
		Part part = part_at(batch, 0, missing->to, missing->n);

		memcpy(out + missing->to * width, vectors, missing->n * width * sizeof(float));
		if (missing->is_group)
		{
			Part text = part_at(batch, 0, missing->text, missing->n_text);

			part.text = find(frozen, &text);
			if (part.text == 0)
				continue;
		}
		if (find(frozen, &part) == 0)
			MREN_TRY(keep(frozen, &part, vectors, err));
	}
	return MREN_OK;
}

/* Runs what is missing. */
static MrenStatus
run(MrenFrozenLayers *frozen, MrenError *err)
{
	MrenTransformerBatch batch = {.sentences = frozen->sentences,
								  .n_sentences = frozen->n_sentences,
								  .ids = frozen->ids,
								  .positions = frozen->positions,
								  .n_tokens = frozen->n_tokens};

	if (frozen->n_missing == 0)
		return MREN_OK;
	MREN_TRY(mren_grow(&frozen->env, &frozen->vectors, &frozen->vectors_capacity, 0,
					   frozen->n_tokens * frozen->width, sizeof(float), err));
	frozen->n_computed += frozen->n_tokens;
	return mren_transformer_forward(&frozen->env, frozen->encoder, &batch, frozen->vectors, err);
}

MrenStatus
mren_frozen_read(MrenFrozenLayers *frozen, const MrenTransformerBatch *batch, float *out,
				 MrenError *err)
{
	size_t at = 0;

	frozen->n_sentences = frozen->n_tokens = frozen->n_missing = 0;
	MREN_TRY(reserve_run(frozen, batch, err));
	for (size_t s = 0; s < batch->n_sentences; s++)
	{
		const MrenTransformerSentence *sentence = &batch->sentences[s];

		take_sentence(frozen, batch, sentence, at, out);
		at += sentence->n_text + sentence->n_groups * sentence->group_size;
	}
	MREN_TRY(run(frozen, err));
	return distribute(frozen, batch, out, err);
}
