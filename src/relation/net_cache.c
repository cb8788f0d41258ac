/*
 * net_cache.c
 *	  What the network made of words, kept from row to row.
 *
 * Two tables of rows of halves: what the convolutions make of a word, and what a word adds to the
 * first layer in each part of a text.  A word is known by its pieces' numbers in the embeddings,
 * wherever it stands: the few thousand words that most of a text consists of are computed once.
 * Rows of one sentence that differ only in the mentions find all of theirs.  A row is computed
 * when it is first needed, and stays as base/slot_cache.h says.  A table that is full doubles, up to
 * the limit, and keeps its rows.
 */
#include "relation/net_internal.h"

#include <string.h>

#include "base/slot_cache.h"

#define MAX_WORDS 1024 /* the convolutions' rows of a longer sentence are not kept */

/* Rows of a table. */
#define MOST_SLOTS ((size_t) 32768)

/* A word of more pieces is kept for its own sentence only. */
#define KEPT_PIECES 7

/* A key: the part of the text, then the word's pieces. */
#define KEY_SIZE (1 + KEPT_PIECES)

typedef struct Table
{
	MrenSlotCache *index; /* NULL: nothing is allocated yet */
	uint32_t *slots;	  /* of the rows of the open sentence */
	size_t n_members;
	struct
	{
		uint16_t *rows; /* (slots, size of a row) */
		uint8_t *done;	/* (slots) */
	} members[MREN_MAX_MEMBERS + 1];
} Table;

struct MrenNetCache
{
	MrenEnv env;
	size_t most; /* bytes, half of them for each table */
	Table conv;
	Table text;
	uint32_t conv_slots[MAX_WORDS];
	uint32_t text_slots[MREN_MAX_TEXT_WORDS];
	MrenWordParts words[MREN_MAX_MEMBERS + 1];
};

MrenStatus
mren_net_cache_create(const MrenEnv *env, size_t most, MrenNetCache **cache, MrenError *err)
{
	MREN_TRY(mren_allocate_zero(env, 1, sizeof(**cache), cache, err));
	(*cache)->env = *env;
	(*cache)->most = most;
	(*cache)->conv.slots = (*cache)->conv_slots;
	(*cache)->text.slots = (*cache)->text_slots;
	return MREN_OK;
}

static void
free_table(const MrenEnv *env, Table *table)
{
	for (size_t i = 0; i < table->n_members; i++)
	{
		mren_release(env, table->members[i].rows);
		mren_release(env, table->members[i].done);
	}
	mren_slot_cache_free(table->index);
	*table = (Table){.slots = table->slots};
}

void
mren_net_cache_free(MrenNetCache *cache)
{
	MrenEnv env;

	if (cache == NULL)
		return;
	env = cache->env;
	free_table(&env, &cache->conv);
	free_table(&env, &cache->text);
	mren_release(&env, cache);
}

/* Of a table whose rows are `size` halves in each member. */
static size_t
slot_bytes(const MrenNet *net, size_t size)
{
	return mren_slot_cache_bytes(KEY_SIZE) + (size * sizeof(uint16_t) + 1) * net->n_members;
}

static size_t
slots_for(const MrenNetCache *cache, const MrenNet *net, size_t size)
{
	size_t n = cache->most / 2 / slot_bytes(net, size);

	return n < MOST_SLOTS ? n : MOST_SLOTS;
}

/* Halves of a row of the text's table; 0: there are no words. */
static size_t
text_row_size(const MrenNet *net)
{
	return net->shape.embedding_dim == 0 ? 0 : net->layers[0].out;
}

static MrenStatus
allocate_table(const MrenEnv *env, Table *table, size_t n_members, size_t n, size_t size,
			   MrenError *err)
{
	free_table(env, table);
	table->n_members = n_members;
	for (size_t i = 0; i < n_members; i++)
	{
		MREN_TRY(mren_allocate(env, n, size * sizeof(uint16_t), &table->members[i].rows, err));
		MREN_TRY(mren_allocate(env, n, 1, &table->members[i].done, err));
	}
	return mren_slot_cache_create(env, n, KEY_SIZE, &table->index, err);
}

/* Gives the table n slots, more than it has. */
static MrenStatus
grow_table(const MrenEnv *env, Table *table, size_t n, size_t size, MrenError *err)
{
	size_t used = mren_slot_cache_slots(table->index);

	for (size_t i = 0; i < table->n_members; i++)
	{
		MREN_TRY(mren_resize(env, &table->members[i].rows, used, n, size * sizeof(uint16_t), err));
		MREN_TRY(mren_resize(env, &table->members[i].done, used, n, 1, err));
	}
	return mren_slot_cache_grow(table->index, n, err);
}

/* A word in a part of the text. */
typedef struct Key
{
	int32_t numbers[KEY_SIZE];
	size_t n; /* 0: it is not kept */
} Key;

static Key
word_key(const MrenWordVectors *vectors, const MrenSentence *sentence, size_t w, size_t part)
{
	const int32_t *ids = sentence->pieces + sentence->starts[w];
	size_t n = sentence->starts[w + 1] - sentence->starts[w];
	Key key = {{(int32_t) part}, 1 + n};

	for (size_t i = 0; i < n && i < KEPT_PIECES; i++)
		key.numbers[1 + i] =
			ids[i] >= 0 && vectors->id != NULL ? vectors->id(vectors->state, ids[i]) : ids[i];
	return key;
}

/* The slots of up to MREN_SLOTS_TOGETHER keys; a new one is not done. */
static void
find_slots(Table *table, const Key *keys, size_t n, uint32_t *slots)
{
	MrenSlotKey found[MREN_SLOTS_TOGETHER];
	bool fresh[MREN_SLOTS_TOGETHER];

	for (size_t i = 0; i < n; i++)
		found[i] = (MrenSlotKey){keys[i].numbers, keys[i].n};
	mren_slot_cache_find_all(table->index, found, n, slots, fresh);
	for (size_t i = 0; i < n; i++)
	{
		for (size_t m = 0; m < table->n_members && fresh[i]; m++)
			table->members[m].done[slots[i]] = false;
	}
}

/*
 * Begins a sentence of n rows of so many halves.  *open is false if they are too many: a sentence
 * takes no more than half of the slots, so that there is one to take.
 */
static MrenStatus
open_table(MrenNetCache *cache, Table *table, const MrenNet *net, size_t size, size_t n, bool *open,
		   MrenError *err)
{
	size_t most = size > 0 ? slots_for(cache, net, size) : 0;
	size_t n_slots;

	*open = most > 0 && n <= most / 2;
	if (!*open)
		return MREN_OK;
	n_slots = mren_slot_cache_wanted(table->index, n, most);
	if (table->index != NULL && table->n_members == net->n_members &&
		n_slots > mren_slot_cache_slots(table->index))
		MREN_TRY(grow_table(&cache->env, table, n_slots, size, err));
	if (n_slots != mren_slot_cache_slots(table->index) || table->n_members != net->n_members)
		MREN_TRY(allocate_table(&cache->env, table, net->n_members, n_slots, size, err));
	mren_slot_cache_begin(table->index);
	return MREN_OK;
}

static MrenStatus
open_conv(MrenNetCache *cache, const MrenNet *net, const MrenWordVectors *vectors,
		  const MrenSentence *sentence, bool *open, MrenError *err)
{
	size_t size = sentence->n_words > MAX_WORDS ? 0 : mren_net_conv_row_size(net);

	MREN_TRY(open_table(cache, &cache->conv, net, size, sentence->n_words, open, err));
	for (size_t first = 0; *open && first < sentence->n_words; first += MREN_SLOTS_TOGETHER)
	{
		Key keys[MREN_SLOTS_TOGETHER];
		size_t n = 0;

		for (; n < MREN_SLOTS_TOGETHER && first + n < sentence->n_words; n++)
			keys[n] = word_key(vectors, sentence, first + n, 0);
		find_slots(&cache->conv, keys, n, cache->conv.slots + first);
	}
	return MREN_OK;
}

/* Many words together are not kept. */
static Key
item_key(const MrenWordVectors *vectors, const MrenSentence *sentence, const MrenTextWords *item)
{
	if (item->words.end - item->words.first > 1)
		return (Key){.n = 0};
	return word_key(vectors, sentence, item->words.first, item->part);
}

static MrenStatus
open_text(MrenNetCache *cache, const MrenNet *net, const MrenWordVectors *vectors,
		  const MrenSentence *sentence, bool *open, MrenError *err)
{
	MrenTextWords items[MREN_MAX_TEXT_WORDS];
	size_t n = mren_net_text_words(&net->shape, sentence, items);

	MREN_TRY(open_table(cache, &cache->text, net, text_row_size(net), n, open, err));
	for (size_t first = 0; *open && first < n; first += MREN_SLOTS_TOGETHER)
	{
		Key keys[MREN_SLOTS_TOGETHER];
		size_t some = 0;

		for (; some < MREN_SLOTS_TOGETHER && first + some < n; some++)
			keys[some] = item_key(vectors, sentence, &items[first + some]);
		find_slots(&cache->text, keys, some, cache->text.slots + first);
	}
	return MREN_OK;
}

static MrenWordRows
rows_of(const Table *table, size_t member, bool open)
{
	if (!open)
		return (MrenWordRows){0};
	return (MrenWordRows){table->members[member].rows, table->members[member].done, table->slots};
}

MrenStatus
mren_net_cache_open(MrenNetCache *cache, const MrenNet *net, const MrenWordVectors *vectors,
					const MrenSentence *sentence, const MrenWordParts **words, MrenError *err)
{
	bool conv;
	bool text;

	MREN_TRY(open_conv(cache, net, vectors, sentence, &conv, err));
	MREN_TRY(open_text(cache, net, vectors, sentence, &text, err));
	for (size_t i = 0; i < net->n_members; i++)
		cache->words[i] =
			(MrenWordParts){rows_of(&cache->conv, i, conv), rows_of(&cache->text, i, text)};
	*words = cache->words;
	return MREN_OK;
}
